"""In which unit does each test, an age, a weight, a size and a dose of cells stand, and how are other units brought to it?

Unit words follow the CDISC SDTM Controlled Terminology of 2024-03-29 (code list UNIT C71620) and its synonyms. Case and blanks do not
matter, nor does the sign used for micro.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from cartrial.sdtm.vocabulary.terms import normalised, value_of

__all__ = [
    *("STRICT_TESTS", "UNITS", "TestUnit", "plain_unit", "standard_unit", "unit_factor"),
    *("age_factor", "cells_factor", "is_per_kilogram", "microlitre_factor", "weight_factor", "weight_read"),
    *("MASS", "is_size", "size_of"),
]


@dataclass(frozen=True)
class TestUnit:
    """The units of a test.

    Parameters
    ----------
    standard : str
        The unit that the rules read.
    factors : dict of str to float
        Unit word, as `plain_unit` writes it, to the factor that brings a value to `standard`.
    also : dict of str to str
        Unit words of another quantity that is kept as it is (a percentage of B cells is no count), and how they are written.
    within : dict of str to float
        Factors among those, 1 where none is given.
    """

    standard: str
    factors: dict[str, float]
    also: dict[str, str]
    within: dict[str, float] = field(default_factory=dict)


_WHOLES = ("fraction", "fraction of 1", "1", "proportion", "ratio")
_SHARES = ("%", "percent", "percentage", "pct", "/100 cells")
_PERCENT = {**dict.fromkeys(_SHARES, 1.0), **dict.fromkeys(_WHOLES, 100.0)}
_FRACTION = {
    **dict.fromkeys(_WHOLES, 1.0),
    **dict.fromkeys(_SHARES, 0.01),
    **{f"10^-{n}": float(f"1e-{n}") for n in (3, 4, 5, 6)},
    **{f"{of}/10^{n}": float(f"1e-{n}") for n in (4, 5, 6) for of in ("", "cells", "events", "copies")},
}
_MANY = {"": 1.0, "10^3": 1e3, "10^4": 1e4, "10^5": 1e5, "10^6": 1e6, "10^9": 1e9}
# so many of them make 10^9 a litre
_VOLUMES = {"l": 1e9, "ml": 1e6, "ul": 1e3, "nl": 1.0}
# what no laboratory counts in is rather a slip, as 10^9/uL
_LEAST, _MOST = 1e-6, 1e2
_PAIRS = [(f"{many}/{volume}", number, size) for volume, size in _VOLUMES.items() for many, number in _MANY.items()]
_COUNT = {word: number / size for word, number, size in _PAIRS if _LEAST <= number / size <= _MOST}
# For blood cells G/L is giga per litre; for no other test, since it is also gram per litre.
_BLOOD_COUNT = {**_COUNT, "g/l": 1.0, "g/l (giga)": 1.0}
_CELLS = {word: number / size * 1e3 for word, number, size in _PAIRS if word in _COUNT}
_COPIES = {
    "copies/ug": 1.0,
    "copies/ng": 1e3,
    "copies/mg": 1e-3,
    "copies/10 ng": 100.0,
    "copies/50 ng": 20.0,
    "copies/100 ng": 10.0,
    "copies/200 ng": 5.0,
    "copies/0.2 ug": 5.0,
}
_PG_ML = {"pg/ml": 1.0, "ng/l": 1.0, "ng/ml": 1e3, "ug/l": 1e3, "ng/dl": 10.0}
_UG_L = {"ug/l": 1.0, "ng/ml": 1.0, "mcg/l": 1.0, "mg/l": 1e3, "pg/ml": 1e-3, "ug/dl": 10.0}
_MG_L = {"mg/l": 1.0, "ug/ml": 1.0, "mg/dl": 10.0, "g/l": 1e3}
_U_L = {"u/l": 1.0, "iu/l": 1.0, "ukat/l": 60.0}
_SHARE = dict.fromkeys(_SHARES, "%")

COUNTED = "10^9/L"
"""The unit of an absolute count: of blasts it tells whether there are any, and no percentage."""

UNITS: dict[str, TestUnit] = {
    "BLAST": TestUnit("%", _PERCENT, dict.fromkeys(_BLOOD_COUNT, COUNTED), _BLOOD_COUNT),
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

_MANY_WORDS = (
    ("k|th|thou|thous|thousands?|tsd|tys|1000|1,000", 3),
    ("10000|10,000", 4),
    ("lakhs?|lacs?|100000|100,000", 5),
    ("mio|millions?|1000000", 6),
    ("gi|giga|bil|bill|bn|billions?|mrd|milliards?", 9),
)
_MICROLITRES = r"mcl|mm\^?3|cu\.? ?mm\.?|c\.?mm|microl|micro ?lit(?:er|re)s?"
# in this order, on lower case with single blanks
_SPELLINGS = (
    (r"[\u00b5\u03bc]", "u"),
    ("[×·]", "x"),
    ("³", "3"),
    ("⁹", "^9"),
    ("⁶", "^6"),
    ("⁻⁴", "^-4"),
    ("⁻⁵", "^-5"),
    ("⁻⁶", "^-6"),
    (r"^per ", "/"),
    (r" ?/ ?| per ", "/"),
    (rf"/(?:{_MICROLITRES})( cells?)?$", "/ul$1"),
    (r"/lit(?:er|re)s?$", "/l"),
    # cells, wherever they are said of a count
    (r"^(?:cells?|#|no\.?) (?:x ?)?(\S+/(?:l|ml|dl|ul|nl))$", "$1"),
    (r"^(?:cells?|#|no\.?|1) ?/(l|dl|ml|ul|nl)$", "/$1"),
    (r"/(l|dl|ml|ul|nl) cells?$", "/$1"),
    (r"^(\S.*) cells?/(l|dl|ml|ul|nl)$", "$1/$2"),
    # powers of ten: x10^9, 10**9, 10*9, 10e9, 1e9, e9, 10(9), 10x9, and an exponent that lost its place, 109/l
    (r"^[x*] ?(1|e)", "$1"),
    (r"^(?:10 ?(?:\*\*|[\^*xe]|exp)|1?e) ?\(?\+?0?(-?[0-9])\)?(/|$)", "10^$1$2"),
    (r"^10 ?\(?([3-69])\)?/", "10^$1/"),
    *((rf"^(?:{words})/(l|dl|ml|ul|nl)$", f"10^{power}/$1") for words, power in _MANY_WORDS),
    (r"/10 ?(?:[\^*]|\*\*|e) ?\(?([0-9])\)?", "/10^$1"),
    *((rf"/(?:{words})( cells?)?$", f"/10^{power}$1") for words, power in (("10,?000", 4), ("100,?000", 5), ("1,?000,?000|million", 6))),
    (r"^(|cells?|events|copies)/10\^([0-9]) (?:cells?|leukocytes|wbcs?|mnc)$", "$1/10^$2"),
    (r"^cell/10", "cells/10"),
    # of what a percentage is
    (r"^(%|percent) ?(?:of )?(?:total |nucleated |mononuclear )?(?:cells?|wbcs?|leukocytes|leucocytes|lymphocytes|mnc)$", "%"),
    (r"^(?:cells?)?/100 (?:cells|wbcs?|leukocytes|leucocytes)$", "/100 cells"),
    # copies in so much DNA
    (r"^(?:\w+ )*(?:copies|copy|cp|cps)/(.*?)(?: (?:of )?(?:total )?(?:g?dna|genomic dna))?$", "copies/$1"),
    (r"^copies/(?:mcg|microg|microgram|1 ug)$", "copies/ug"),
    (r"^copies/(10|50|100|200)ng$", "copies/$1 ng"),
)


_FEW = 4096
"""Rows of a column that is put in one spelling by a dictionary, without a plan."""


def plain_unit(column: pl.Expr) -> pl.Expr:
    """Return a unit column in one spelling: lower case, micro u, cubic millimetres ul, powers of ten 10^n, cells left out of counts.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.units import plain_unit
    >>> pl.Series("U", ["Thou/uL", "x10(9)/L", "cells/mm³", "copies/µg DNA"]).to_frame().select(plain_unit(pl.col("U")))["U"].to_list()
    ['10^3/ul', '10^9/l', '/ul', 'copies/ug']
    """
    return column.map_batches(_plain, return_dtype=pl.String, is_elementwise=True)


def _plain(units: pl.Series) -> pl.Series:
    """Spell each distinct unit once: a column has few of them, and the next column the same."""
    units = units.cast(pl.String)
    if len(units) <= _FEW:
        texts = units.to_list()
        distinct = tuple(sorted({text for text in texts if text is not None}))
        spelt = dict(zip(distinct, _spelt(distinct), strict=True))
        return pl.Series(units.name, [spelt.get(text) for text in texts], dtype=pl.String)
    distinct = tuple(units.unique().drop_nulls().sort())
    return units.replace_strict(distinct, _spelt(distinct), default=None, return_dtype=pl.String)


@lru_cache(maxsize=64)
def _spelt(units: tuple[str, ...]) -> pl.Series:
    text = pl.Series(units, dtype=pl.String).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    for pattern, written in _SPELLINGS:
        text = text.str.replace_all(pattern, written)
    return text.str.strip_chars()


def _keys(test: str, units: TestUnit) -> list[tuple[str, str, float]]:
    words = [(word, units.standard, factor) for word, factor in units.factors.items()]
    words += [(word, kept, units.within.get(word, 1.0)) for word, kept in units.also.items()]
    plain = _plain(pl.Series([word for word, _, _ in words], dtype=pl.String))
    return [(f"{test}|{word}", standard, factor) for word, (_, standard, factor) in zip(plain, words, strict=True)]


_KEYS = [key for test, units in UNITS.items() for key in _keys(test, units)]
_MEANT = {key: (standard, factor) for key, standard, factor in _KEYS}
# as columns made once
_KEY = pl.Series(list(_MEANT), dtype=pl.String)
_STANDARD = pl.Series([standard for standard, _ in _MEANT.values()], dtype=pl.String)
_FACTOR = pl.Series([factor for _, factor in _MEANT.values()], dtype=pl.Float64)


def _key(test: pl.Expr, unit: pl.Expr) -> pl.Expr:
    return test + pl.lit("|") + plain_unit(unit)


def unit_factor(test: pl.Expr, unit: pl.Expr) -> pl.Expr:
    """Return the factor that brings a value to the test's standard unit, null where the unit is not known for the test."""
    return _key(test, unit).replace_strict(_KEY, _FACTOR, default=None, return_dtype=pl.Float64)


def standard_unit(test: pl.Expr, unit: pl.Expr) -> pl.Expr:
    """Return the unit that a value has after `unit_factor`, null where the unit is not known for the test."""
    return _key(test, unit).replace_strict(_KEY, _STANDARD, default=None, return_dtype=pl.String)


_AGES = {
    **dict.fromkeys(("YEARS", "YEAR", "YRS", "YR", "Y", "A"), 1.0),
    **dict.fromkeys(("MONTHS", "MONTH", "MOS", "MO", "MTH", "MTHS"), 12.0),
    **dict.fromkeys(("WEEKS", "WEEK", "WKS", "WK"), 52.18),
    **dict.fromkeys(("DAYS", "DAY", "D"), 365.25),
}
"""How many of a unit make a year."""

WEIGHT_UNITS = {
    **dict.fromkeys(("KG", "KGS", "KILOGRAM", "KILOGRAMS"), 1.0),
    **dict.fromkeys(("G", "GRAM", "GRAMS"), 1e-3),
    **dict.fromkeys(("LB", "LBS", "POUND", "POUNDS"), 0.45359237),
}
"""Kilograms in one of a unit."""

PER_KILOGRAM = r"(?:/| PER ) ?(?:KG|KILOGRAM)$"
_DOSES = (
    r"^(?:(?:X ?)?(?:10 ?(?:\^|\*\*|\*|E|X)|1?E) ?\(?\+?0?([0-9])\)?|(MILLIONS?|MIO|10,?00,?000))?"
    r"(?:\b|^) ?(?:OF )?(?:(?:VIABLE|TOTAL|TRANSDUCED|POSITIVE|CAR|T|CAR-?T|CAR ?\+|CAR-POSITIVE|CAR\+? ?T)[ +-]+)*(?:CELLS?)?$"
)
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))


def age_factor(unit: pl.Expr) -> pl.Expr:
    """Return how many of a unit of age make a year: 1 where the unit is blank, null where it is not known.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.units import age_factor
    >>> units = pl.DataFrame({"AGEU": ["MONTHS", None, "FORTNIGHTS"], "AGE": [30.0, 30.0, 30.0]})
    >>> units.select(pl.col("AGE") / age_factor(pl.col("AGEU")))["AGE"].to_list()
    [2.5, 30.0, None]
    """
    known = normalised(unit).replace_strict(_AGES, default=None, return_dtype=pl.Float64)
    return pl.when(unit.is_null()).then(1.0).otherwise(known)


def weight_factor(unit: pl.Expr) -> pl.Expr:
    """Return the kilograms in one of a unit: 1 where the unit is blank, null where it is not known.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.units import weight_factor
    >>> pl.DataFrame({"U": ["g", "LB", "stone"]}).select(weight_factor(pl.col("U")).alias("U"))["U"].to_list()
    [0.001, 0.45359237, None]
    """
    known = normalised(unit).replace_strict(WEIGHT_UNITS, default=None, return_dtype=pl.Float64)
    return pl.when(unit.is_null()).then(1.0).otherwise(known)


def weight_read(frame: pl.DataFrame) -> tuple[pl.Expr, pl.Expr]:
    """Return the number and the unit of the results of VS: as standardised, else as collected."""
    standard, collected = value_of(frame, "VSSTRESN", pl.Float64), value_of(frame, "VSORRES").cast(pl.Float64, strict=False)
    of_standard, of_collected = value_of(frame, "VSSTRESU"), value_of(frame, "VSORRESU")
    unit = pl.when(standard.is_not_null()).then(pl.coalesce(of_standard, of_collected)).otherwise(pl.coalesce(of_collected, of_standard))
    return pl.coalesce(standard, collected), unit


def microlitre_factor(unit: pl.Expr) -> pl.Expr:
    """Return the cells/uL in one of a unit of a count, of red cells too: 1 where the unit is blank, null where it is not known.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.units import microlitre_factor
    >>> pl.DataFrame({"U": ["10^6/L", "10^12/L", "mg"]}).select(microlitre_factor(pl.col("U")).alias("F"))["F"].to_list()
    [1.0, 1000000.0, None]
    """
    many = plain_unit(unit).replace_strict(dict.fromkeys(("10^12/l", "t/l", "10^6/ul"), 1e6), default=None, return_dtype=pl.Float64)
    return pl.when(unit.is_null()).then(1.0).otherwise(pl.coalesce(many, unit_factor(pl.lit("BCELL"), unit)))


def _dose_words(unit: pl.Expr) -> pl.Expr:
    return normalised(unit.str.replace_all(r"10([⁰¹²³⁴-⁹]+)", "10^$1").str.replace_many(_SUPERSCRIPTS).str.replace_all("[×·]", "X"))


def is_per_kilogram(unit: pl.Expr) -> pl.Expr:
    """Say whether a dose is one for each kilogram; a dose without a unit is not."""
    return _dose_words(unit).str.contains(PER_KILOGRAM).fill_null(False)


def cells_factor(unit: pl.Expr) -> pl.Expr:
    """Return the cells in one of a unit of dose, per kilogram or in all: 1 where the unit is blank, null where it is no unit of cells.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.units import cells_factor
    >>> units = ["10^6 CELLS/kg", "x10⁸ CAR-T cells", "cells", "mg"]
    >>> pl.DataFrame({"U": units}).select(cells_factor(pl.col("U")).alias("U"))["U"].to_list()
    [1000000.0, 100000000.0, 1.0, None]
    """
    whole = _dose_words(unit).str.replace(PER_KILOGRAM, "").str.strip_chars()
    parts = whole.str.extract_groups(_DOSES)
    power = parts.struct.field("1").cast(pl.Float64)
    many = parts.struct.field("2").is_not_null()
    read = pl.when(power.is_not_null()).then(pl.lit(10.0).pow(power)).when(many).then(1e6).otherwise(1.0)
    known = whole.str.contains(_DOSES) & ((whole != "") | is_per_kilogram(unit))
    return pl.when(unit.is_null()).then(1.0).when(known).then(read)


MASS = "MEDIASTINAL MASS"
"""The object of FA."""

_SIZES = {
    **dict.fromkeys(("LDIAM", "DIAM", "DIAMETER", "SIZE", "LENGTH", "LONGEST DIAMETER"), "diameter"),
    **dict.fromkeys(("VOLUME", "VOL"), "volume"),
}
"""Tests of FA that measure, and what."""

_LENGTHS = {
    **dict.fromkeys(("MM", "MILLIMETER", "MILLIMETRE"), ("diameter", 1.0)),
    **dict.fromkeys(("CM", "CENTIMETER", "CENTIMETRE"), ("diameter", 10.0)),
    **dict.fromkeys(("ML", "CM3", "CM^3", "CC"), ("volume", 1.0)),
    **dict.fromkeys(("MM3", "MM^3"), ("volume", 1e-3)),
    **dict.fromkeys(("L",), ("volume", 1e3)),
}
"""Units of a measure, in mm or mL."""


def is_size(fa: pl.DataFrame) -> pl.Expr:
    """Say of each record of FA whether it measures a size. Never null."""
    return normalised(value_of(fa, "FATESTCD")).is_in(list(_SIZES)).fill_null(False)


def size_of(fa: pl.DataFrame) -> tuple[pl.Expr, pl.Expr]:
    """Return the sizes of records of FA, in mm or mL, and what was measured; null where a record is no size or cannot be read.

    A size without a unit cannot be read.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.units import size_of
    >>> fa = pl.DataFrame({"FATESTCD": ["SIZE", "VOLUME", "SIZE"], "FASTRESC": ["9", "100", "3"], "FASTRESU": ["cm", "mL", None]})
    >>> fa.select(size_of(fa)[0].alias("SIZE"))["SIZE"].to_list()
    [90.0, 100.0, None]
    """
    kind = normalised(value_of(fa, "FATESTCD")).replace_strict(_SIZES, default=None, return_dtype=pl.String)
    numbers = [value_of(fa, name).cast(pl.Float64, strict=False) for name in ("FASTRESN", "FASTRESC", "FAORRES")]
    standard = pl.coalesce(numbers[0], numbers[1])
    own, collected = value_of(fa, "FASTRESU"), value_of(fa, "FAORRESU")
    unit = normalised(pl.when(standard.is_not_null()).then(pl.coalesce(own, collected)).otherwise(pl.coalesce(collected, own)))
    of = unit.replace_strict({word: what for word, (what, _) in _LENGTHS.items()}, default=None, return_dtype=pl.String)
    factor = unit.replace_strict({word: each for word, (_, each) in _LENGTHS.items()}, default=None, return_dtype=pl.Float64)
    size = pl.coalesce(standard, numbers[2]) * factor
    return pl.when((of == kind) & size.is_finite() & (size >= 0)).then(size.round_sig_figs(12)), kind
