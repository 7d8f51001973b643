"""How is the value of a cell read? As a text, a mapped word, a number with or without a limit, or a date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.mapping.model import FINDINGS_DOMAINS, Mapping, Rule
from cartrial.sdtm.mapping.sheet import Sheet, column_letter
from cartrial.sdtm.mapping.spelt import local_date
from cartrial.sdtm.source import finding
from cartrial.sdtm.vocabulary.dates import is_date
from cartrial.sdtm.vocabulary.results import DIGITS, number_said, percent_said
from cartrial.sdtm.vocabulary.schema import kind_of
from cartrial.sdtm.vocabulary.terms import canonical, normalised, standard_term
from cartrial.sdtm.vocabulary.units import UNITS, plain_unit

__all__ = ["bad_cell", "is_missing", "is_one_of", "is_taken", "iso_dates", "taken_value", "with_limit", "with_values"]

_PER_CENT, _SHARES = ("%", "percent", "percentage", "pct"), ("fraction", "fraction of 1", "1", "proportion")
_STANDARD = {test: unit.standard for test, unit in UNITS.items()}


def _key(text: pl.Expr) -> pl.Expr:
    """Return a text as it is compared: case and blanks do not matter, nor the decimals of a whole number (2.0, as pandas writes it)."""
    return normalised(text).str.replace(r"^([+-]?[0-9]+)\.0+$", "$1")


def is_one_of(text: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """Say whether a text is one of some words that a mapping lists."""
    keys = pl.select(_key(pl.lit(pl.Series(list(words), dtype=pl.String)))).to_series()
    return _key(text).is_in(keys.unique().to_list())


def is_missing(mapping: Mapping, *more: tuple[str, ...]) -> pl.Expr:
    """Say whether TEXT is one of the codes for a missing value."""
    return is_one_of(pl.col("TEXT"), [*mapping.missing, *(code for codes in more for code in codes)])


def is_taken(words: Sequence[str], codes: str | None) -> pl.Expr:
    """Say whether TEXT is one of the words that a rule takes (`only`), or another word for one of them in a code list.

    A word that the code list does not know is taken: checking names it, so that none is lost in silence.
    """
    listed = is_one_of(pl.col("TEXT"), words)
    if codes is None:
        return listed
    term = canonical(pl.col("TEXT"), codes)
    return listed | term.is_null() | term.is_in([standard_term(word, codes) or word for word in words])


def bad_cell(sheet: Sheet, bad: pl.DataFrame, what: str, right: str) -> InputError:
    """Return the error of the first of some cells (ROW, COL, TEXT); `{text}` in `what` is its text."""
    row, number, text = bad.sort("ROW", "COL").select("ROW", "COL", "TEXT").row(0)
    return InputError(
        what.replace("{text}", text), file=sheet.file, row=row, key=f"cell {column_letter(number)}{row}, {sheet.label(number)}", right=right
    )


def _not_done(rule: Rule, sheet: Sheet, row: int, column: int, usubjid: str, text: str) -> dict[str, object]:
    message = f"'{text}' in cell {column_letter(column)}{row}, {sheet.label(column)}, is read as not done for that reason."
    return finding(
        "not-done", "note", message, file=sheet.file, row=row, domain=rule.domain, usubjid=usubjid, variable=column_letter(column)
    )


def iso_dates(sheet: Sheet, rule: Rule, cells: pl.DataFrame) -> pl.DataFrame:
    """Return cells with TEXT as an ISO 8601 date, which may be partial: in the local form too (`03.2022`, `??.03.2022`, `2022`).

    Raises
    ------
    InputError
        If a cell is no date of the rule's forms, or two of them read it as different days.
    """
    readings = [_dated(form) for form in rule.date_format] or [_dated(_ISO)]
    parsed = cells.with_columns(ISO=pl.when(pl.col("KIND") == "date").then("TEXT").otherwise(pl.coalesce(readings)))
    forms = [dt.date(2022, 9, 27).strftime(form) for form in rule.date_format if form not in (_ISO, _EXCEL)]
    for reading in readings[1:]:
        twice = parsed.filter((pl.col("KIND") != "date") & (reading != pl.col("ISO")))
        if twice.height:
            raise bad_cell(sheet, twice, "'{text}' is another day in each of two date formats of the rule", "Write it as YYYY-MM-DD")
    wrong = parsed.filter(pl.col("ISO").is_null())
    if wrong.height:
        right = f"Write dates as {' or '.join(forms)}" if forms else "Write dates as YYYY-MM-DD, or give date-format"
        raise bad_cell(sheet, wrong, "'{text}' is no date", right)
    return parsed.with_columns(TEXT="ISO").drop("ISO")


_ISO, _EXCEL = "iso", "excel"
# the days that a spreadsheet program counts from 1899-12-30: of the years 1927 to 2099
_FIRST, _LAST = 10_000, 73_050


def _dated(form: str) -> pl.Expr:
    """Return the date that a cell holds in one form; null where it is none."""
    if form == _ISO:
        return pl.when(is_date(pl.col("TEXT"))).then("TEXT")
    if form == _EXCEL:
        number = pl.when(pl.col("NUM").is_between(_FIRST, _LAST) & ~pl.col("PCT")).then(pl.col("NUM").floor().cast(pl.Int64))
        return (pl.lit(dt.date(1899, 12, 30)) + pl.duration(days=number)).dt.to_string("%Y-%m-%d")
    return local_date(pl.col("TEXT"), form)


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
        done = ~is_one_of(pl.col("TEXT"), rule.not_done)
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
        said: pl.Expr = pl.col("TEXT")
        if domain == "LB" and rule.into is None:
            frame, said = _percent(sheet, rule, frame.with_columns(DONE=done)).drop("DONE"), _with_point()
        frame = frame.with_columns(pl.when(done).then("TEXT").alias(into))
        return frame.with_columns(pl.when(done).then(said).alias(f"{domain}STRESC")) if rule.into is None else frame
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
    frame = frame.with_columns(DONE=done)
    # among numbers of the laboratory a word may say the result: NEG, BLQ, ND
    word = canonical(pl.col("TEXT"), "LBSTRESC").is_not_null() & pl.lit(rule.domain == "LB" and rule.into is None)
    usable = pl.col("NUM").is_not_null() | (pl.col("LIMIT").is_not_null() & pl.lit(finds)) | word
    wrong = frame.filter(pl.col("DONE") & ~usable)
    if wrong.height:
        raise bad_cell(sheet, wrong, "'{text}' is no number", _number_right(wrong["TEXT"][0]))
    if finds and rule.into is None:
        domain = rule.domain
        frame = _percent(sheet, rule, frame)
        lower = pl.col("SIGN").is_in(["<", "<="]).fill_null(False)
        # the sign as it stands, then the number with a point
        spelt = pl.coalesce(pl.format("{}{}", "SIGN", _plain(pl.col("LIMIT"))), _plain(pl.col("NUM")), pl.when(word).then("TEXT"))
        frame = frame.with_columns(
            pl.when("DONE").then("TEXT").alias(f"{domain}ORRES"),
            pl.when("DONE").then(spelt).alias(f"{domain}STRESC"),
            pl.when(pl.col("DONE") & ~lower).then(pl.coalesce("NUM", "LIMIT")).alias(f"{domain}STRESN"),
        )
        if domain == "LB":
            frame = frame.with_columns(pl.when(pl.col("DONE") & lower).then("LIMIT").alias("LBLLOQ"))
    elif rule.into is not None:
        number = kind_of(rule.domain, rule.into) in ("number", "integer")
        per_cent = frame.filter(pl.col("DONE") & pl.col("PCT")) if number else frame.clear()
        if per_cent.height:
            right = "Correct the cell; a result in per cent goes into no variable of its own (leave out into)"
            raise bad_cell(sheet, per_cent, f"the cell says {{text}} per cent, and {rule.into} is no percentage", right)
        frame = frame.with_columns(pl.when("DONE").then(pl.col("NUM") if number else pl.col("TEXT")).alias(rule.into))
    return frame.drop("DONE")


def _plain(number: pl.Expr) -> pl.Expr:
    """Return a number as text, a whole one without decimals."""
    whole = (number == number.round(0)) & (number.abs() < 1e15)
    return pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))


def _with_point() -> pl.Expr:
    """Return TEXT, one that spells a number or a limit in the mapping's way (`<0,01 %`, `1.234`) as every reader reads it: with a point."""
    number = pl.coalesce("NUM", "LIMIT")
    other = number.is_not_null() & (pl.col("KIND") == "text") & ~number.eq_missing(number_said(pl.col("TEXT")))
    per_cent = pl.when(pl.col("TEXT").str.ends_with("%")).then(pl.lit("%")).otherwise(pl.lit(""))
    spelt = pl.concat_str(pl.col("SIGN").fill_null(""), _plain(number), per_cent)
    return pl.when(other).then(spelt).otherwise("TEXT")


def _number_right(text: str) -> str:
    if "," in text:
        return "Say `decimal: comma` in the mapping if commas are decimal signs; else write the number without them"
    if "." in text and text.replace(".", "").isdigit():
        return "The mapping says `decimal: comma`: write a comma, or points between groups of three digits"
    return "Write a number, or list the text under missing or not-done"


def _unit_of() -> pl.Expr:
    """Unit of a record in one spelling: the rule's, else the standard one of its test."""
    standard = pl.col("TESTCD").replace_strict(_STANDARD, default=None, return_dtype=pl.String)
    return pl.coalesce(plain_unit(pl.col("UNIT")), plain_unit(standard))


def _percent(sheet: Sheet, rule: Rule, frame: pl.DataFrame) -> pl.DataFrame:
    """Give a record the unit of its cell where that says per cent, by its format or its sign (rules, A13).

    PERUNIT: the record stands in per cent. SHARE: its limits are said as a share of one.
    """
    said = (pl.col("PCT") | percent_said(pl.col("TEXT")).fill_null(False)) & pl.col("DONE")
    if not frame.select(said.any()).item():
        return frame
    unit = _unit_of()
    other = frame.filter(said & pl.col("UNIT").is_not_null() & ~plain_unit(pl.col("UNIT")).is_in([*_PER_CENT, *_SHARES]))
    if other.height:
        what = f"the cell says {{text}} % and the rule '{rule.id}' the unit {other['UNIT'][0]}"
        raise bad_cell(sheet, other, what, "Correct the unit of the rule, or the format of the cell")
    return frame.with_columns(said.alias("PERUNIT"), (said & unit.is_in(_SHARES)).alias("SHARE"))


def with_limit(sheet: Sheet, rule: Rule, frame: pl.DataFrame, column: int, name: str) -> pl.DataFrame:
    """Return the records with a number from another column in their unit (rules, A8 and A13). SAIDPCT says whether its cell says per cent.

    A limit without a percent sign is in the unit of the rule, also beside a value that says per cent.
    """
    per_cent = frame.filter(pl.col("SAIDPCT"))
    limit = rule.domain == "LB" and name in ("LBLOD", "LBLLOQ")
    wrong = per_cent.filter(~_unit_of().is_in([*_PER_CENT, *_SHARES]).fill_null(False)) if limit else per_cent
    if wrong.height:
        cells = wrong.select("ROW", pl.lit(column, dtype=pl.Int32).alias("COL"), pl.col(name).cast(pl.String).alias("TEXT"))
        meant = f"the unit of rule '{rule.id}' is none of per cent" if limit else f"{name} is no percentage"
        raise bad_cell(sheet, cells, f"the cell says {{text}} %, and {meant}", "Correct the cell, or the unit of the rule")
    if limit:
        as_share = pl.col("SAIDPCT").fill_null(False) & _unit_of().is_in(_SHARES)
        factor = pl.when(as_share).then(0.01).otherwise(1.0)
        if "SHARE" in frame.columns:
            factor = factor * pl.when("SHARE").then(100.0).otherwise(1.0)
        frame = frame.with_columns(pl.when(factor == 1.0).then(name).otherwise((pl.col(name) * factor).round_sig_figs(DIGITS)).alias(name))
    return frame.drop("SAIDPCT")


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
            raise bad_cell(sheet, wrong, "'{text}' is no number", _number_right(wrong["TEXT"][0]))
    if number:
        return cells.select("ROW", pl.col("NUM").alias(name), pl.col("PCT").alias("SAIDPCT"))
    return cells.select("ROW", pl.col("TEXT").alias(name))
