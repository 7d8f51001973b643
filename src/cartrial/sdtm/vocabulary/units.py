"""In which unit does each test stand, and how are other units brought to it?

Unit words follow the CDISC SDTM Controlled Terminology of 2024-03-29 (code list UNIT C71620) and its synonyms. Case and blanks do not
matter, nor does the sign used for micro.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

__all__ = ["STRICT_TESTS", "UNITS", "TestUnit", "plain_unit", "standard_unit", "unit_factor"]


@dataclass(frozen=True)
class TestUnit:
    """The units of a test.

    Parameters
    ----------
    standard : str
        The unit that the rules read.
    factors : dict of str to float
        Unit word to the factor that brings a value to `standard`.
    also : dict of str to str
        Unit words of another quantity that is kept as it is (a percentage of B cells is no count), and how they are written.
    """

    standard: str
    factors: dict[str, float]
    also: dict[str, str]


_PERCENT = {
    "%": 1.0,
    "percent": 1.0,
    "percentage": 1.0,
    "pct": 1.0,
    "fraction": 100.0,
    "fraction of 1": 100.0,
    "1": 100.0,
    "proportion": 100.0,
}
_FRACTION = {
    "fraction": 1.0,
    "fraction of 1": 1.0,
    "1": 1.0,
    "proportion": 1.0,
    "%": 0.01,
    "percent": 0.01,
    "percentage": 0.01,
    "pct": 0.01,
    "10^-4": 1e-4,
    "10^-5": 1e-5,
    "10^-6": 1e-6,
    "/10^6": 1e-6,
    "per million": 1e-6,
    "/10^6 cells": 1e-6,
    "cells/10^6": 1e-6,
    "cells/10^6 cells": 1e-6,
    "copies/10^6 cells": 1e-6,
}
_COUNT = {
    "10^9/l": 1.0,
    "10e9/l": 1.0,
    "1e9/l": 1.0,
    "x10^9/l": 1.0,
    "x10e9/l": 1.0,
    "gi/l": 1.0,
    "g/l (giga)": 1.0,
    "giga/l": 1.0,
    "10^3/ul": 1.0,
    "10e3/ul": 1.0,
    "1e3/ul": 1.0,
    "x10^3/ul": 1.0,
    "10^3/mm3": 1.0,
    "x10^3/mm3": 1.0,
    "10^6/ml": 1.0,
    "k/ul": 1.0,
    "k/mm3": 1.0,
    "thousand/ul": 1.0,
    "/nl": 1.0,
    "10^6/l": 1e-3,
    "/ul": 1e-3,
    "1/ul": 1e-3,
    "cells/ul": 1e-3,
    "/mm3": 1e-3,
    "1/mm3": 1e-3,
    "cells/mm3": 1e-3,
    "/mm^3": 1e-3,
    "cells/mm^3": 1e-3,
}
# For blood cells G/L is giga per litre; for no other test, since it is also gram per litre.
_BLOOD_COUNT = {**_COUNT, "g/l": 1.0}
_CELLS = {word: factor * 1e3 if factor == 1.0 else 1.0 for word, factor in _COUNT.items()} | {"cells/ml": 1e-3, "/ml": 1e-3}
_COPIES = {
    "copies/ug": 1.0,
    "copies/ug dna": 1.0,
    "copies/ug gdna": 1.0,
    "copies/microgram": 1.0,
    "dna copies/ug": 1.0,
    "copies/mcg": 1.0,
    "copies/ng": 1e3,
    "copies/100 ng": 10.0,
    "copies/100ng": 10.0,
    "copies/0.2 ug": 5.0,
    "copies/mg": 1e-3,
}
_PG_ML = {"pg/ml": 1.0, "ng/l": 1.0, "ng/ml": 1e3, "ug/l": 1e3, "ng/dl": 10.0}
_UG_L = {"ug/l": 1.0, "ng/ml": 1.0, "mcg/l": 1.0, "mg/l": 1e3, "pg/ml": 1e-3, "ug/dl": 10.0}
_MG_L = {"mg/l": 1.0, "ug/ml": 1.0, "mg/dl": 10.0, "g/l": 1e3}
_U_L = {"u/l": 1.0, "iu/l": 1.0, "ukat/l": 60.0}
_SHARE = {"%": "%", "percent": "%", "percentage": "%", "pct": "%"}

UNITS: dict[str, TestUnit] = {
    "BLAST": TestUnit("%", _PERCENT, {}),
    "NEUT": TestUnit("10^9/L", _BLOOD_COUNT, {}),
    "PLAT": TestUnit("10^9/L", _BLOOD_COUNT, {}),
    "MRD": TestUnit("fraction", _FRACTION, {}),
    "CARTG": TestUnit("copies/ug", _COPIES, {"copies/cell": "copies/cell", "copies/ml": "copies/mL"}),
    "CARTC": TestUnit("cells/uL", _CELLS, _SHARE),
    "BCELL": TestUnit("cells/uL", _CELLS, _SHARE),
    "IL6": TestUnit("pg/mL", _PG_ML, {}),
    "FERRITIN": TestUnit("ug/L", _UG_L, {}),
    "CRP": TestUnit("mg/L", _MG_L, {}),
    "LDH": TestUnit("U/L", _U_L, {}),
}

# Tests that decide a response: a value in a unit that cannot be brought to the standard one is an error.
STRICT_TESTS = ("BLAST", "NEUT", "PLAT", "MRD")

_KEYS = [(test, word, units.standard, factor) for test, units in UNITS.items() for word, factor in units.factors.items()]
_KEYS += [(test, word, kept, 1.0) for test, units in UNITS.items() for word, kept in units.also.items()]
_FACTORS = {f"{test}|{word}": factor for test, word, _, factor in _KEYS}
_STANDARDS = {f"{test}|{word}": standard for test, word, standard, _ in _KEYS}


def plain_unit(column: pl.Expr) -> pl.Expr:
    """Return a unit column in lower case, micro written u, with single blanks."""
    text = column.str.replace_all("[µμ]", "u").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    text = (
        text.str.replace_all("mcl", "ul", literal=True)
        .str.replace("×", "x", literal=True)
        .str.replace("**", "^", literal=True)
        .str.replace("*", "^", literal=True)
        .str.replace("mm³", "mm3", literal=True)
        .str.replace("⁹", "^9", literal=True)
    )
    return text.str.replace(r"^x ", "x").str.replace(r"^10 ?\^ ?", "10^").str.replace(r" ?/ ?", "/")


def _key(test: pl.Expr, unit: pl.Expr) -> pl.Expr:
    return test + pl.lit("|") + plain_unit(unit)


def unit_factor(test: pl.Expr, unit: pl.Expr) -> pl.Expr:
    """Return the factor that brings a value to the test's standard unit, null where the unit is not known for the test."""
    return _key(test, unit).replace_strict(_FACTORS, default=None, return_dtype=pl.Float64)


def standard_unit(test: pl.Expr, unit: pl.Expr) -> pl.Expr:
    """Return the unit that a value has after `unit_factor`, null where the unit is not known for the test."""
    return _key(test, unit).replace_strict(_STANDARDS, default=None, return_dtype=pl.String)
