"""Of which specimen, and by which method, is a laboratory result read? What was measured elsewhere decides nothing (rules, A10).

And of which place is a biopsy, and what does it say?
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cartrial.sdtm.vocabulary.terms import canonical, normalised, standard_term, value_of

__all__ = [
    *("CELLS_IN", "COUNTED_IN", "by_method", "is_read", "methods_of", "specimens_of"),
    *("OF_CNS_PLACE", "OF_MARROW", "OF_TESTIS", "place_of", "read_biopsies"),
]

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


OF_TESTIS = "TEST[IE]"
"""A place that is a testis; a pattern."""

OF_CNS_PLACE = r"\bCNS\b|CENTRAL NERVOUS|CEREBR|MENING|\bCSF\b|SPINAL"
"""A place of the central nervous system, where the fluid decides; a pattern."""

OF_MARROW = r"MARROW|\bBLOOD\b|\bPBMC\b|" + OF_CNS_PLACE
"""What is no place of disease that a biopsy proves; a pattern."""

_DENIED = r"\bNO\b|\bNOT\b|NEGATIVE|ABSENT|WITHOUT|FREE OF"
_SHOWN = r"LEUK|BLAST|INFILTRA|LYMPHOMA|RELAPSE"


def place_of(frame: pl.DataFrame, *names: str) -> pl.Expr:
    """Return where something was seen or taken, in one spelling; blank where nothing says so."""
    return normalised(pl.concat_str(*(value_of(frame, name) for name in names), separator=" ", ignore_nulls=True)).fill_null("")


def read_biopsies(mi: pl.DataFrame) -> pl.DataFrame:
    """Add to records of MI their place and whether they show disease.

    Returns
    -------
    polars.DataFrame
        With PLACE (MISPEC and MILOC), SAID, and SHOWN: true, false, or null where the words say neither.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.specimens import read_biopsies
    >>> words = ["LEUKAEMIC INFILTRATE", "No leukaemia", "FIBROSIS"]
    >>> read_biopsies(pl.DataFrame({"MISPEC": "testis", "MISTRESC": words})).select("PLACE", "SHOWN").rows()
    [('TESTIS', True), ('TESTIS', False), ('TESTIS', None)]
    """
    said = pl.coalesce(value_of(mi, "MISTRESC"), value_of(mi, "MIORRES"))
    word, text = canonical(said, "LBSTRESC"), normalised(said)
    denied = (word == "NEGATIVE") | text.str.contains(_DENIED) | (text == "N")
    shown = (word == "POSITIVE") | text.str.contains(_SHOWN) | (text == "Y")
    found = pl.when(denied).then(pl.lit(False)).when(shown).then(pl.lit(True))
    return mi.with_columns(place_of(mi, "MISPEC", "MILOC").alias("PLACE"), said.alias("SAID"), found.alias("SHOWN"))
