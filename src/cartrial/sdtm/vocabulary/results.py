"""What does a laboratory result say: a number, a limit, or a word? Between which two numbers does it then lie?

The text rules over the number beside it (rules, A8): `<5` with 2.5 or 5 in --STRESN was not measured. Comparisons with a limit are on
values of 12 significant digits (rules, A9), so that `<x` is at most the next lower number of so many digits.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from cartrial.sdtm.vocabulary.terms import canonical, value_of
from cartrial.sdtm.vocabulary.units import COUNTED, STRICT_TESTS, standard_unit, unit_factor

__all__ = [
    "ABOVE",
    "AT_LEAST",
    "AT_MOST",
    "BELOW",
    "DIGITS",
    "EXACT",
    "LIMITS",
    "M2",
    "NEGATIVE",
    "POSITIVE",
    "SIGNS",
    "UNQUANTIFIED",
    "UNREADABLE",
    "lacks_limit",
    "number_said",
    "percent_said",
    "relation_said",
    "result_bounds",
    "result_columns",
    "significant",
]

EXACT, BELOW, AT_MOST, ABOVE, AT_LEAST, NEGATIVE, UNQUANTIFIED, POSITIVE, UNREADABLE, M2, M1, M3 = range(12)
"""How a result stands to its number: measured; `<x`, `<=x`, `>x`, `>=x`; the words; or a text that says none of these.

Of the words of a marrow M2 stays one, since it has two limits; M1 is read as `<5`, M3 as `>=25` (rules for children, P3).
"""

M2_LEAST, M3_LEAST = 5.0, 25.0
"""Blasts from which a marrow is M2, and M3. Unit: %."""

LIMITS = (BELOW, AT_MOST, ABOVE, AT_LEAST)
SIGNS = {BELOW: "<", AT_MOST: "<=", ABOVE: ">", AT_LEAST: ">="}

DIGITS = 12
"""Significant digits of what is compared with a limit: a number from a transport file can be one bit low."""

LEAST = 1e-300
"""Stands for as little as there can be of what was found."""

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:E[+-]?[0-9]+)?"
_SAID = rf"^([<>]=?|=)?\s*({_NUMBER})\s*(%|PERCENT|PCT)?$"
# in this order; what is left is a sign, a number and perhaps a percent sign
_SPELLINGS = (
    ("[−–]", "-"),
    ("&LT;|＜", "<"),
    ("&GT;|＞", ">"),
    (r"^(LESS THAN OR EQUAL TO|NOT MORE THAN|AT MOST|UP TO|LE |[≤⩽≦]|=<|<\s+=)\s*", "<="),
    (r"^(GREATER THAN OR EQUAL TO|MORE THAN OR EQUAL TO|NOT LESS THAN|AT LEAST|GE |[≥⩾≧]|=>|>\s+=)\s*", ">="),
    (r"^(LESS THAN|FEWER THAN|BELOW|UNDER|LT )\s*", "<"),
    (r"^(GREATER THAN|MORE THAN|ABOVE|OVER|GT )\s*", ">"),
    (r"([0-9])\s*[X×*·]\s*10\s*(?:\^|\*\*|EXP|E)\s*\(?([+-]?[0-9]+)\)?", "${1}E$2"),
    (r"(^|[^0-9.])10\s*(?:\^|\*\*)\s*\(?([+-]?[0-9]+)\)?", "${1}1E$2"),
)
_RAISED = dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789", strict=True))
_BY_SIGN = {"<": BELOW, "<=": AT_MOST, ">": ABOVE, ">=": AT_LEAST, "=": EXACT, "": EXACT}
_BY_WORD = {"NEGATIVE": NEGATIVE, "BLQ": UNQUANTIFIED, "POSITIVE": POSITIVE, "M1": M1, "M2": M2, "M3": M3}
# The results of one column are asked for by reading, checking and deriving: of so many distinct texts what they say is kept.
_FEW = 4096
# of these, what was looked for and not found is none; of others it is less than the limit of detection
_NONE_FOUND = ("BCELL", "CARTG", "CARTC")


def significant(column: pl.Expr) -> pl.Expr:
    """Return numbers as they are compared with a limit, which is taken likewise (rules, A9).

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.results import significant
    >>> pl.select(significant(pl.lit(4.999999999999999)) < significant(pl.lit(5.0))).item()
    False
    """
    return column.cast(pl.Float64).round_sig_figs(DIGITS)


def _parts(text: pl.Expr) -> pl.Expr:
    plain = text.str.to_uppercase().str.strip_chars().str.replace("10([⁻⁰¹²³⁴-⁹]+)", "10^$1").str.replace_many(_RAISED)
    for pattern, written in _SPELLINGS:
        plain = plain.str.replace_all(pattern, written)
    return plain.str.extract_groups(_SAID)


def _number(parts: pl.Expr) -> pl.Expr:
    return parts.struct.field("2").cast(pl.Float64, strict=False)


def _percent(parts: pl.Expr) -> pl.Expr:
    return parts.struct.field("3").is_not_null()


def number_said(text: pl.Expr) -> pl.Expr:
    """Return the number or the limit in a text, null where there is none."""
    return _number(_parts(text))


def percent_said(text: pl.Expr) -> pl.Expr:
    """Say whether a text is a number or a limit in per cent; null where the text is blank.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.results import percent_said
    >>> pl.Series(["< 0.01 %", "0.01"]).to_frame("T").select(percent_said(pl.col("T"))).to_series().to_list()
    [True, False]
    """
    return pl.when(text.is_not_null()).then(_percent(_parts(text)))


def relation_said(text: pl.Expr) -> pl.Expr:
    """Return how a text stands to its number, or which word it is, Int8; null where the text is blank.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.results import BELOW, AT_LEAST, UNREADABLE, relation_said
    >>> said = pl.Series(["< 0.01 %", "≥5", "12-15"]).to_frame("T").select(relation_said(pl.col("T")))
    >>> said["T"].to_list() == [BELOW, AT_LEAST, UNREADABLE]
    True
    """
    return _relation(text, _parts(text))


def _relation(text: pl.Expr, parts: pl.Expr) -> pl.Expr:
    number = _number(parts)
    sign = parts.struct.field("1").fill_null("").replace_strict(_BY_SIGN, default=EXACT, return_dtype=pl.Int8)
    # nothing is below 0, and no limit is
    senseless = ((sign == BELOW) & (number <= 0)) | (sign.is_in(LIMITS) & (number < 0))
    word = canonical(text, "LBSTRESC").replace_strict(_BY_WORD, default=None, return_dtype=pl.Int8)
    said = pl.when(number.is_not_null() & ~senseless).then(sign).otherwise(pl.lit(UNREADABLE, dtype=pl.Int8))
    return pl.when(text.is_not_null()).then(pl.coalesce(word, said))


def _said(texts: pl.Series) -> pl.DataFrame:
    """Return the distinct texts of a column with SAID, SAIDNUMBER and PERCENT."""
    distinct = texts.unique().drop_nulls().sort()
    return _kept(tuple(distinct)) if len(distinct) <= _FEW else _told(distinct)


@lru_cache(maxsize=64)
def _kept(texts: tuple[str, ...]) -> pl.DataFrame:
    return _told(pl.Series(texts, dtype=pl.String))


def _told(texts: pl.Series) -> pl.DataFrame:
    text, parts = pl.col("TEXT"), pl.col("PARTS")
    split = texts.alias("TEXT").to_frame().with_columns(_parts(text).alias("PARTS"))
    return split.select(text, _relation(text, parts).alias("SAID"), _number(parts).alias("SAIDNUMBER"), _percent(parts).alias("PERCENT"))


def _scaled(value: pl.Expr, factor: pl.Expr) -> pl.Expr:
    # 0.07 as a percentage is 7, not 7.000000000000001
    return pl.when(factor == 1.0).then(value).otherwise((value * factor).round_sig_figs(DIGITS))


def result_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what the results of LB say, in the standard unit of each test.

    Parameters
    ----------
    frame : polars.DataFrame
        Records of LB with LBTESTCD; other columns may lack.

    Returns
    -------
    polars.DataFrame
        As many rows: TEXT (what was read: LBSTRESC, or LBORRES where it alone has a limit, a word, or anything), REL (null: no result),
        VALUE (null unless measured), LIMIT (x of `<x` and its like), READ (the number in the text),
        BESIDE (LBSTRESN), LLOQ, LOD; UNIT (the word of the unit of the
        result) and FACTOR (from that unit to the standard one, null where it is not known). A percent sign in the text is its unit.

    Notes
    -----
    LBSTRESN is the result where the text says no limit and no word. A text that says neither and is no number is passed over where there
    is a number, unless it has a sign of a limit in it; blasts reported positive with a number above 0 were measured. A negative number is
    unreadable, and so is what decides a response in a unit of another quantity.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.results import result_columns
    >>> lb = {"LBTESTCD": ["MRD", "PLAT"], "LBSTRESC": ["<0.01%", "60000"], "LBSTRESN": [0.01, 60000.0], "LBSTRESU": ["%", "/uL"]}
    >>> result_columns(pl.DataFrame(lb)).select("REL", "VALUE", "LIMIT").rows()
    [(1, None, 0.0001), (0, 60.0, None)]
    """
    raw = value_of(frame, "LBTESTCD")
    result, collected, number = value_of(frame, "LBSTRESC"), value_of(frame, "LBORRES"), value_of(frame, "LBSTRESN", pl.Float64)
    base = frame.select(
        pl.coalesce(canonical(raw, "LBTESTCD"), raw.str.to_uppercase()).alias("TEST"),
        result.alias("RESULT"),
        collected.alias("COLLECTED"),
        number.alias("NUMBER"),
        value_of(frame, "LBSTRESU").alias("STANDARD"),
        value_of(frame, "LBORRESU").alias("ORIGINAL"),
        value_of(frame, "LBLLOQ", pl.Float64).alias("LLOQ"),
        value_of(frame, "LBLOD", pl.Float64).alias("LOD"),
    )
    said = _said(pl.concat([base["RESULT"], base["COLLECTED"]]))
    for text, end in (("RESULT", ""), ("COLLECTED", "1")):
        named = said.rename({name: f"{name}{end}" for name in said.columns if name != "TEXT"})
        base = base.join(named, left_on=text, right_on="TEXT", how="left", maintain_order="left")
    telling = pl.col("SAID1").is_in([*LIMITS, NEGATIVE, UNQUANTIFIED, POSITIVE]).fill_null(False)
    alone = pl.col("RESULT").is_null() & pl.col("NUMBER").is_null() & pl.col("COLLECTED").is_not_null()
    first = alone | (telling & (pl.col("SAID").is_null() | (pl.col("SAID") == EXACT)))
    unit = pl.when(alone).then(pl.coalesce("ORIGINAL", "STANDARD")).otherwise(pl.coalesce("STANDARD", "ORIGINAL"))
    base = base.with_columns(
        pl.when(first).then("COLLECTED").otherwise("RESULT").alias("TEXT"),
        *(pl.when(first).then(f"{name}1").otherwise(name).alias(name) for name in ("SAID", "SAIDNUMBER", "PERCENT")),
        unit.alias("UNIT"),
        pl.when(first).then(pl.coalesce("ORIGINAL", "STANDARD")).otherwise(unit).alias("TEXTUNIT"),
    )
    percent = pl.col("PERCENT").fill_null(False)
    base = base.with_columns(
        pl.when(percent).then(pl.lit("%")).otherwise("TEXTUNIT").alias("TEXTUNIT"),
        pl.when(percent & pl.col("UNIT").is_null()).then(pl.lit("%")).otherwise("UNIT").alias("UNIT"),
        # a percent sign is of the text: limits without a unit are in the standard one, whatever stands beside them
        pl.coalesce(unit_factor(pl.col("TEST"), pl.col("UNIT")), pl.lit(1.0)).alias("LIMITBY"),
    )
    known, of_text = unit_factor(pl.col("TEST"), pl.col("UNIT")), unit_factor(pl.col("TEST"), pl.col("TEXTUNIT"))
    # a limit or a percentage in a unit of its own, which is no unit of the test
    foreign = of_text.is_null() & (percent | (first & ~alone & pl.col("TEXTUNIT").is_not_null()))
    base = base.with_columns(
        known.alias("FACTOR"),
        pl.coalesce(known, pl.lit(1.0)).alias("BY"),
        pl.coalesce(of_text, known, pl.lit(1.0)).alias("TEXTBY"),
        pl.when(foreign).then(pl.lit(UNREADABLE, dtype=pl.Int8)).otherwise("SAID").alias("SAID"),
        (standard_unit(pl.col("TEST"), pl.col("UNIT")) == COUNTED).fill_null(False).alias("COUNT") & (pl.col("TEST") == "BLAST"),
    )
    return (
        base.with_columns(_beside(), _read())
        .with_columns(_settled())
        .select(
            *("TEST", "TEXT", "REL", "VALUE", "LIMIT", "READ", "BESIDE", "UNIT", "FACTOR"),
            *(_scaled(pl.col(name), pl.col("LIMITBY")).alias(name) for name in ("LLOQ", "LOD")),
        )
    )


def _beside() -> pl.Expr:
    return _scaled(pl.col("NUMBER"), pl.col("BY")).alias("BESIDE")


def _read() -> pl.Expr:
    return _scaled(pl.col("SAIDNUMBER"), pl.col("TEXTBY")).alias("READ")


def _settled() -> list[pl.Expr]:
    """REL, VALUE and LIMIT: what of the text, and of the number beside it, is the result."""
    said = pl.col("SAID")
    unsigned = (said == UNREADABLE) & ~pl.col("TEXT").str.contains("[<>≤≥%]")
    numbered = (said == POSITIVE) & (pl.col("TEST") == "BLAST") & (pl.col("NUMBER") > 0)
    plain = (said == EXACT) & ~pl.col("PERCENT").fill_null(False)
    # a word of a marrow is read where it stands alone
    of_marrow, blasts = said.is_in([M1, M2, M3]), pl.col("TEST") == "BLAST"
    measured = pl.col("NUMBER").is_not_null() & (said.is_null() | plain | unsigned | numbered | of_marrow).fill_null(True)
    value = pl.when(measured).then("BESIDE").when(said == EXACT).then("READ")
    read = pl.when(of_marrow & ~blasts).then(UNREADABLE).when(said == M1).then(BELOW).when(said == M3).then(AT_LEAST).otherwise(said)
    relation = pl.when(measured).then(pl.lit(EXACT, dtype=pl.Int8)).otherwise(read.cast(pl.Int8))
    limit = pl.when(said == M3).then(M3_LEAST).when(of_marrow).then(M2_LEAST).otherwise("READ")
    # an absolute count of blasts says that there are some, or none, and no percentage
    some = ((relation == EXACT) & (value > 0)) | relation.is_in([ABOVE, AT_LEAST])
    counted = pl.when(some).then(pl.lit(POSITIVE)).when(relation.is_in([BELOW, AT_MOST])).then(pl.lit(UNREADABLE)).otherwise(relation)
    relation = pl.when(pl.col("COUNT")).then(counted).otherwise(relation)
    # a number in a unit of another quantity is none of the test's, where it would decide a response
    unreadable = (value < 0).fill_null(False) | (
        pl.col("TEST").is_in(STRICT_TESTS) & pl.col("UNIT").is_not_null() & pl.col("FACTOR").is_null()
    )
    return [
        pl.when(unreadable & relation.is_not_null()).then(pl.lit(UNREADABLE)).otherwise(relation).cast(pl.Int8).alias("REL"),
        pl.when(~unreadable & (relation == EXACT)).then(value).alias("VALUE"),
        pl.when(~unreadable & relation.is_in([*LIMITS, M2])).then(limit).alias("LIMIT"),
    ]


# a logarithm can miss a whole number by its last bits, but not by so much
_SLACK = 1e-13


def _next_below(x: pl.Expr) -> pl.Expr:
    return significant(x - pl.lit(10.0).pow((x.log10() - _SLACK).ceil() - DIGITS))


def _next_above(x: pl.Expr) -> pl.Expr:
    return pl.when(x > 0).then(significant(x + pl.lit(10.0).pow((x.log10() + _SLACK).floor() - DIGITS + 1))).otherwise(LEAST)


def lacks_limit() -> pl.Expr:
    """Say of rows with REL, LOD and LLOQ whether a result that may be negative does not say by which limit: a bare number or a word."""
    relation = pl.col("REL")
    bare = relation.is_in([EXACT, NEGATIVE]) & pl.col("LOD").is_null()
    return bare | ((relation == UNQUANTIFIED) & pl.col("LLOQ").is_null())


def result_bounds() -> tuple[pl.Expr, pl.Expr]:
    """Return LOW and HIGH, between which a result lies, of rows with TEST, SPEC, REL, VALUE, LIMIT, LLOQ and LOD.

    Both are the number where it was measured, of 12 significant digits; null where there is no result. `<x` lies from 0 to the next lower
    number, `>x` from the next higher one to infinity; a text that cannot be read anywhere. Circulating blasts, B cells and cells of the
    product that were not found are 0; of other tests a negative result is below its limit of detection, where that is known.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.results import BELOW, result_bounds
    >>> row = {"TEST": "BLAST", "SPEC": "BONE MARROW", "REL": BELOW, "VALUE": None, "LIMIT": 5.0, "LLOQ": None, "LOD": None}
    >>> pl.DataFrame([row]).select(result_bounds()).row(0)
    (0.0, 4.99999999999)
    """
    relation = pl.col("REL")
    value, limit = significant(pl.col("VALUE")), significant(pl.col("LIMIT"))
    none = pl.col("TEST").is_in(_NONE_FOUND) | ((pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BLOOD").fill_null(False))
    word = pl.when(relation == UNQUANTIFIED).then(pl.col("LLOQ").cast(pl.Float64)).otherwise(pl.coalesce("LOD", "LLOQ").cast(pl.Float64))
    word = significant(word)
    low = (
        pl.when(relation == EXACT)
        .then(value)
        .when(relation == ABOVE)
        .then(_next_above(limit))
        .when(relation.is_in([AT_LEAST, M2]))
        .then(limit)
        .when(relation == POSITIVE)
        .then(LEAST)
        .when(relation.is_not_null())
        .then(0.0)
    )
    high = (
        pl.when(relation == EXACT)
        .then(value)
        .when(relation == BELOW)
        .then(_next_below(limit))
        .when(relation == AT_MOST)
        .then(limit)
        .when(relation == M2)
        .then(_next_below(pl.lit(M3_LEAST)))
        .when((relation == NEGATIVE) & none)
        .then(0.0)
        .when(relation.is_in([NEGATIVE, UNQUANTIFIED]) & (word > 0))
        .then(_next_below(word))
        .when(relation.is_not_null())
        .then(float("inf"))
    )
    return low.alias("LOW"), high.alias("HIGH")
