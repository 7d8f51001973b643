"""Of which specimen, and by which method, is a laboratory result read? What was measured elsewhere decides nothing (rules, A10)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cartrial.sdtm.vocabulary.terms import canonical, normalised, standard_term

__all__ = ["CELLS_IN", "COUNTED_IN", "by_method", "is_read", "methods_of", "specimens_of"]

COUNTED_IN = ("BLOOD",)
"""Specimens of neutrophils and platelets; a blank one is taken as blood."""

CELLS_IN = ("BLOOD", "PBMC")
"""Specimens of B cells and of the product's cells; a blank one is taken as blood."""

_READ = {
    "NEUT": COUNTED_IN,
    "PLAT": COUNTED_IN,
    "CARTG": CELLS_IN,
    "CARTC": CELLS_IN,
    "BCELL": CELLS_IN,
    "BLAST": ("BONE MARROW", "BLOOD"),
}
_NAMED = ("BLAST", "MRD")


def specimens_of(names: Sequence[str]) -> list[str]:
    """Return specimens in the words of the code list, where it has them.

    Examples
    --------
    >>> from cartrial.sdtm.vocabulary.specimens import specimens_of
    >>> specimens_of(["bone marrow aspirate", "Peripheral blood"])
    ['BONE MARROW', 'BLOOD']
    """
    return [standard_term(name, "LBSPEC") or name.strip().upper() for name in names]


def methods_of(names: Sequence[str]) -> list[str]:
    """Return methods in the words of the code list, where it has them.

    Examples
    --------
    >>> from cartrial.sdtm.vocabulary.specimens import methods_of
    >>> methods_of(["Flow cytometry", "NGS"])
    ['FLOW CYTOMETRY', 'NEXT GENERATION SEQUENCING']
    """
    return [standard_term(name, "LBMETHOD") or name.strip().upper() for name in names]


def by_method(methods: Sequence[str], method: str = "METHOD") -> pl.Expr:
    """Say whether a result of residual disease is by a method that the study names; where it names none, by any.

    Parameters
    ----------
    methods : sequence of str
        As the study names them. A result that says no method is taken as by one of them.
    method : str
        Column with the method as recorded.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.specimens import by_method
    >>> labs = pl.DataFrame({"METHOD": ["MFC", "NGS", None]})
    >>> labs.select(by_method(["FLOW CYTOMETRY"]).alias("R"))["R"].to_list()
    [True, False, True]
    >>> labs.filter(by_method([])).height
    3
    """
    if not methods:
        return pl.lit(True)
    said = pl.coalesce(canonical(pl.col(method), "LBMETHOD"), normalised(pl.col(method)))
    return said.is_in(methods_of(methods)).fill_null(True)


def is_read(residual: Sequence[str], test: str = "TEST", specimen: str = "SPEC") -> pl.Expr:
    """Say whether a rule reads a test of that specimen.

    Parameters
    ----------
    residual : sequence of str
        Specimens of residual disease, as the study names them; never cerebrospinal fluid.
    test, specimen : str
        Columns in the words of the code lists.

    Notes
    -----
    Blasts and residual disease are read of a specimen that is named; a blank one of another test is taken as blood. A test that is in
    no list is read of any.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.specimens import is_read
    >>> labs = pl.DataFrame({"TEST": ["NEUT", "NEUT", "MRD", "MRD"], "SPEC": ["CSF", None, "BONE MARROW", None]})
    >>> labs.select(is_read(["BONE MARROW"]).alias("R"))["R"].to_list()
    [False, True, True, False]
    """
    name, where = pl.col(test), pl.col(specimen)
    read = pl.lit(True)
    allowed = {**_READ, "MRD": tuple(spec for spec in specimens_of(residual) if spec != "CSF")}
    for code, specimens in allowed.items():
        inside = where.is_in(list(specimens)).fill_null(code not in _NAMED)
        read = pl.when(name == code).then(inside).otherwise(read)
    return read
