"""Which number or date does a text of a sheet spell: with a comma, grouped thousands, a limit, a percent sign, in a local form?"""

from __future__ import annotations

import re

import polars as pl

__all__ = ["NUMBERS", "local_date", "with_numbers"]

# what groups thousands besides a point or a comma: blanks of every width, an apostrophe
_GROUP = r"[ \x{00A0}\x{2007}\x{2008}\x{2009}\x{200A}\x{202F}'’]"
_POWER = r"(?:[eE][+-]?\d+)?"
_PATTERNS = {
    # digits, then what is grouped without a doubt: "1,234" alone may be one and a bit
    "point": rf"\d+\.?\d*{_POWER}|\.\d+{_POWER}|[1-9]\d{{0,2}}(?:{_GROUP}\d{{3}})+(?:\.\d+)?"
    r"|[1-9]\d{0,2}(?:,\d{3}){2,}(?:\.\d+)?|[1-9]\d{0,2},\d{3}\.\d+",
    "comma": rf"\d+,?\d*{_POWER}|,\d+{_POWER}|[1-9]\d{{0,2}}(?:{_GROUP}\d{{3}})+(?:,\d+)?|[1-9]\d{{0,2}}(?:\.\d{{3}})+(?:,\d+)?",
}
_LIMITS = {"<": "<", "≤": "<=", "<=": "<=", "=<": "<=", ">": ">", "≥": ">=", ">=": ">=", "=>": ">="}

# What is written for a day or a month that is not known.
_UNKNOWN = r"(?:0{1,2}|\?{1,2}|-{1,2}|_{1,2}|[xX]{1,3}|(?i:unk?|nk|nd|na))"
_DAY, _MONTH = ("%d", "%e", "%-d"), ("%m", "%b", "%B", "%-m")
_TEXTS = {"%m": r"\d{1,2}", "%-m": r"\d{1,2}", "%b": r"\pL+\.?", "%B": r"\pL+", "%Y": r"\d{4}", "%y": r"\d{2}"}
_YEARS = (1850, 2200)

NUMBERS = {"NUM": pl.Float64, "PCT": pl.Boolean, "SIGN": pl.String, "LIMIT": pl.Float64}
"""The columns that `with_numbers` fills."""


def with_numbers(cells: pl.DataFrame, decimal: str) -> pl.DataFrame:
    """Return cells with the numbers that their texts spell.

    Parameters
    ----------
    cells : polars.DataFrame
        TEXT, KIND, and for the cells that hold a number NUM and PCT.
    decimal : {"point", "comma"}
        The decimal sign of the texts.

    Returns
    -------
    polars.DataFrame
        With NUM (null for no finite number and for a limit), PCT (whether the cell says per cent: the number is one of per cent), SIGN
        (`<`, `<=`, `>`, `>=` or null) and LIMIT (the number behind a sign).
    """
    parts = pl.col("TEXT").str.extract_groups(rf"^([<>≤≥]=?|=[<>])?\s*([+\-−]?)\s*({_PATTERNS[decimal]})\s*(%?)$")
    sign, minus, digits, percent = (parts.struct.field(str(i)) for i in range(1, 5))
    plain = digits.str.replace_all(_GROUP, "").str.replace_all("," if decimal == "point" else ".", "", literal=True)
    value = plain.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    value = pl.when(minus.is_in(["-", "−"])).then(-value).otherwise(value)
    text = pl.col("KIND") == "text"
    said = cells.with_columns(
        pl.when(value.is_finite()).then(value).alias("__VALUE"),
        sign.replace_strict(_LIMITS, default=None, return_dtype=pl.String).alias("__SIGN"),
        (percent == "%").fill_null(False).alias("__PCT"),
    )
    limit = pl.col("__SIGN").is_not_null()
    return said.with_columns(
        pl.when(text).then(pl.when(~limit).then("__VALUE")).otherwise("NUM").alias("NUM"),
        pl.when(text).then("__PCT").otherwise("PCT").fill_null(False).alias("PCT"),
        pl.when(text).then("__SIGN").alias("SIGN"),
        pl.when(text & limit).then("__VALUE").alias("LIMIT"),
    ).drop("__VALUE", "__SIGN", "__PCT")


def local_date(text: pl.Expr, form: str) -> pl.Expr:
    """Return a text that is a date of a form of strptime as ISO 8601; null where it is none.

    The date may lack its day, or day and month, with what separates them (`03.2022`, `2022`), or have them written as not known
    (`??.03.2022`, `XX.XX.2022`). Years are 1850 to 2200: one of two figures needs `%y`.
    """
    text = text.str.strip_chars()
    day = next((one for one in _DAY if one in form), None)
    month = next((one for one in _MONTH if one in form), None)
    readings = [_read(text, form, "%Y-%m-%d")]
    if day and month:
        before, after = form.split(day, 1)
        readings.append(_read(pl.lit("01 ") + text, f"%d {_without(before, after)}", "%Y-%m"))
        unknown = rf"^({_pattern(before)}){_UNKNOWN}({_pattern(after)})$"
        readings.append(_read(pl.when(text.str.contains(unknown)).then(text.str.replace(unknown, "${1}01${2}")), form, "%Y-%m"))
        neither = re.escape(form).replace(re.escape(day), _UNKNOWN).replace(re.escape(month), _UNKNOWN).replace(re.escape("%Y"), r"(\d{4})")
        readings.append(text.str.extract(f"^{neither}$", 1) if "%Y" in form else pl.lit(None, dtype=pl.String))
    readings.append(text.str.extract(r"^(\d{4})$", 1))
    return pl.coalesce(
        pl.when(reading.str.slice(0, 4).cast(pl.Int32, strict=False).is_between(*_YEARS)).then(reading) for reading in readings
    )


def _read(text: pl.Expr, form: str, iso: str) -> pl.Expr:
    return text.str.to_date(form, strict=False).dt.to_string(iso)


def _without(before: str, after: str) -> str:
    """Return a form without its day and one of the signs beside it."""
    if before:
        return re.sub(r"[^%\w]+$", "", before) + after
    return re.sub(r"^[^%\w]+", "", after)


def _pattern(part: str) -> str:
    """Return the pattern of the texts of a part of a form."""
    pieces = re.split(r"(%-?\w)", part)
    return "".join(_TEXTS.get(piece, ".*") if piece.startswith("%") else re.escape(piece) for piece in pieces)
