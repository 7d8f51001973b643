"""How is the value of a cell read? As a text, a mapped word, a number with or without a limit, or a date."""

from __future__ import annotations

import datetime as dt

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.mapping.model import FINDINGS_DOMAINS, Mapping, Rule
from cartrial.sdtm.mapping.sheet import Sheet, column_letter
from cartrial.sdtm.source import finding
from cartrial.sdtm.vocabulary.dates import is_date
from cartrial.sdtm.vocabulary.schema import kind_of

__all__ = ["bad_cell", "is_missing", "iso_dates", "taken_value", "with_values"]

_BOUND = r"^([<>≤≥]=?)\s*(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)$"


def is_missing(mapping: Mapping, *more: tuple[str, ...]) -> pl.Expr:
    """Say whether TEXT is one of the codes for a missing value, in any case of letters."""
    codes = {code.strip().lower() for code in (*mapping.missing, *(code for codes in more for code in codes))}
    return pl.col("TEXT").str.to_lowercase().is_in(sorted(codes))


def bad_cell(sheet: Sheet, bad: pl.DataFrame, what: str, right: str) -> InputError:
    """Return the error of the first of some cells (ROW, COL, TEXT); `{text}` in `what` is its text."""
    row, number, text = bad.sort("ROW", "COL").select("ROW", "COL", "TEXT").row(0)
    return InputError(
        what.format(text=text), file=sheet.file, row=row, key=f"cell {column_letter(number)}{row}, {sheet.label(number)}", right=right
    )


def _not_done(rule: Rule, sheet: Sheet, row: int, column: int, usubjid: str, text: str) -> dict[str, object]:
    message = f"'{text}' in cell {column_letter(column)}{row}, {sheet.label(column)}, is read as not done for that reason."
    return finding(
        "not-done", "note", message, file=sheet.file, row=row, domain=rule.domain, usubjid=usubjid, variable=column_letter(column)
    )


def iso_dates(sheet: Sheet, rule: Rule, cells: pl.DataFrame) -> pl.DataFrame:
    """Return cells with TEXT as an ISO 8601 date, which may be partial."""
    if rule.date_format is not None:
        parsed = cells.with_columns(
            ISO=pl.when(pl.col("KIND") == "date")
            .then("TEXT")
            .otherwise(pl.col("TEXT").str.to_date(rule.date_format, strict=False).dt.to_string("%Y-%m-%d"))
        )
    else:
        parsed = cells.with_columns(ISO=pl.when(is_date(pl.col("TEXT"))).then("TEXT"))
    wrong = parsed.filter(pl.col("ISO").is_null())
    if wrong.height:
        form = (
            f"Write dates as {dt.date(2022, 9, 27).strftime(rule.date_format)}"
            if rule.date_format
            else "Write dates as YYYY-MM-DD, or give date-format"
        )
        raise bad_cell(sheet, wrong, "'{text}' is no date", form)
    return parsed.with_columns(TEXT="ISO").drop("ISO")


def with_values(sheet: Sheet, rule: Rule, frame: pl.DataFrame, findings: list[dict[str, object]]) -> pl.DataFrame:
    """Return the cells of a rule with the variables that their values fill.

    Parameters
    ----------
    sheet, rule : Sheet, Rule
    frame : polars.DataFrame
        Cells: ROW, COL, USUBJID, TEXT, NUM, KIND.
    findings : list of dict
        What is found on the way is added to it.
    """
    domain, kind = rule.domain, rule.value_type
    finds = domain in FINDINGS_DOMAINS
    frame = frame.with_columns(VALUE=pl.col("TEXT"))
    if not rule.columns_given:
        return frame
    done = pl.lit(True)
    if rule.not_done:
        done = ~pl.col("TEXT").is_in(rule.not_done)
        findings += [_not_done(rule, sheet, *row) for row in frame.filter(~done).select("ROW", "COL", "USUBJID", "TEXT").rows()]
        frame = frame.with_columns(
            pl.when(~done).then(pl.lit("NOT DONE")).alias(f"{domain}STAT"),
            pl.when(~done).then(pl.col("TEXT").str.to_uppercase()).alias(f"{domain}REASND"),
        )
    if rule.map:
        known = list(rule.map)
        wrong = frame.filter(done & ~pl.col("TEXT").is_in(known))
        if wrong.height:
            raise bad_cell(
                sheet,
                wrong,
                f"'{{text}}' is not among the values that rule '{rule.id}' maps",
                f"Map it; mapped are {', '.join(known)}; or list it under missing",
            )
        return _mapped(
            rule, frame.filter(~done | pl.col("TEXT").is_in([key for key, value in rule.map.items() if value is not None])), finds
        )
    if kind == "date":
        dated = iso_dates(sheet, rule, frame)
        return dated if rule.into is None else dated.with_columns(pl.col("TEXT").alias(rule.into))
    if kind == "number":
        return _numbered(sheet, rule, frame, done, finds)
    if finds:
        into = rule.into or f"{domain}ORRES"
        frame = frame.with_columns(pl.when(done).then("TEXT").alias(into))
        return frame.with_columns(pl.when(done).then("TEXT").alias(f"{domain}STRESC")) if rule.into is None else frame
    return frame if rule.into is None else frame.with_columns(_typed(domain, rule.into, pl.col("TEXT")))


def _mapped(rule: Rule, frame: pl.DataFrame, finds: bool) -> pl.DataFrame:
    domain = rule.domain
    if finds:
        frame = frame.with_columns(pl.col("TEXT").alias(f"{domain}ORRES"))
    plain = {key: value for key, value in rule.map.items() if isinstance(value, str)}
    into = rule.into or (f"{domain}STRESC" if finds else None)
    if plain and into:
        frame = frame.with_columns(_typed(domain, into, pl.col("TEXT").replace_strict(plain, default=None, return_dtype=pl.String)))
    for name in dict.fromkeys(name for value in rule.map.values() if isinstance(value, dict) for name in value):
        values = {key: value[name] for key, value in rule.map.items() if isinstance(value, dict) and name in value}
        before = pl.col(name) if name in frame.columns else pl.lit(None, dtype=pl.String)
        new = pl.col("TEXT").replace_strict(values, default=None, return_dtype=pl.String)
        frame = frame.with_columns(_typed(domain, name, pl.coalesce(new, before.cast(pl.String))))
    return frame


def _numbered(sheet: Sheet, rule: Rule, frame: pl.DataFrame, done: pl.Expr, finds: bool) -> pl.DataFrame:
    bound = pl.col("TEXT").str.extract_groups(_BOUND)
    frame = frame.with_columns(
        SIGN=bound.struct.field("1").str.slice(0, 1), LIMIT=bound.struct.field("2").cast(pl.Float64, strict=False), DONE=done
    )
    usable = pl.col("NUM").is_not_null() | (pl.col("LIMIT").is_not_null() & pl.lit(finds))
    wrong = frame.filter(pl.col("DONE") & ~usable)
    if wrong.height:
        raise bad_cell(
            sheet, wrong, "'{text}' is no number", "Write a number with a decimal point, or list the text under missing or not-done"
        )
    if finds and rule.into is None:
        domain = rule.domain
        lower = pl.col("SIGN").is_in(["<", "≤"])
        frame = frame.with_columns(
            pl.when("DONE").then("TEXT").alias(f"{domain}ORRES"),
            pl.when("DONE").then("TEXT").alias(f"{domain}STRESC"),
            pl.when(pl.col("DONE") & ~lower.fill_null(False)).then(pl.coalesce("NUM", "LIMIT")).alias(f"{domain}STRESN"),
        )
        if domain == "LB":
            frame = frame.with_columns(pl.when(pl.col("DONE") & lower).then("LIMIT").alias("LBLLOQ"))
    elif rule.into is not None:
        number = kind_of(rule.domain, rule.into) in ("number", "integer")
        frame = frame.with_columns(pl.when("DONE").then(pl.col("NUM") if number else pl.col("TEXT")).alias(rule.into))
    return frame.drop("SIGN", "LIMIT", "DONE")


def _typed(domain: str, name: str, value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Float64, strict=False).alias(name) if kind_of(domain, name) in ("number", "integer") else value.alias(name)


def taken_value(mapping: Mapping, sheet: Sheet, rule: Rule, column: int, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return ROW and the variable `name` that a column fills beside the value, for the rows that have a record."""
    take = rule.also[name]
    cells = sheet.cells.filter((pl.col("COL") == column) & ~is_missing(mapping, rule.missing)).join(rows, on="ROW", how="semi")
    if take.type == "date":
        cells = iso_dates(sheet, rule, cells)
    number = kind_of(rule.domain, name) in ("number", "integer")
    if take.map:
        wrong = cells.filter(~pl.col("TEXT").is_in(list(take.map)))
        if wrong.height:
            what = f"'{{text}}' is not among the values that rule '{rule.id}' maps for {name}"
            raise bad_cell(sheet, wrong, what, f"Map it; mapped are {', '.join(take.map)}; or list it under missing")
        return cells.select("ROW", _typed(rule.domain, name, pl.col("TEXT").replace_strict(take.map, default=None, return_dtype=pl.String)))
    if take.type == "number" or number:
        wrong = cells.filter(pl.col("NUM").is_null())
        if wrong.height:
            raise bad_cell(sheet, wrong, "'{text}' is no number", "Write a number with a decimal point, or list the text under missing")
    return cells.select("ROW", (pl.col("NUM") if number else pl.col("TEXT")).alias(name))
