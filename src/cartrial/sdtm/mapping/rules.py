"""What records does one rule of a mapping make from the cells of a sheet?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from cartrial.sdtm.mapping.model import FINDINGS_DOMAINS, Mapping, Rule
from cartrial.sdtm.mapping.parts import Entry
from cartrial.sdtm.mapping.sheet import Sheet, column_letter
from cartrial.sdtm.mapping.spelt import NUMBERS, with_numbers
from cartrial.sdtm.mapping.values import bad_cell, is_missing, is_one_of, is_taken, iso_dates, taken_value, with_limit, with_values
from cartrial.sdtm.source import finding, many
from cartrial.sdtm.vocabulary.schema import kind_of
from cartrial.sdtm.vocabulary.units import STRICT_TESTS

__all__ = ["Made", "apply_rule"]

_TARGET = {
    "COL": pl.Int32,
    "DAYCOL": pl.Int32,
    "DAYFIX": pl.Float64,
    "DATECOL": pl.Int32,
    "TESTCD": pl.String,
    "UNIT": pl.String,
    "SPEC": pl.String,
    "METHOD": pl.String,
    "VISIT": pl.String,
    "ENTRY": pl.Int32,
}


@dataclass
class Made:
    """What a rule made.

    Parameters
    ----------
    frame : polars.DataFrame
        Records: the variables of the domain, with USUBJID, ROW, COL (value's column), DAY, DATE, VALUE (as collected) and RULE (its index).
    columns : dict of int to str
        Columns it read and as what: `value`, `day`, `date`, `other`.
    pairs : list of (int, int)
        Columns of a value and of its day; in a sheet of events, of its date.
    findings : list of dict
    answered : bool
        Whether its column has any value, also one of which no record is made.
    told : polars.DataFrame
        USUBJID and ENTRY (the place of the column in the rule) of each answer, also one that makes no record.
    condition : int, optional
        The column of `when`.
    """

    frame: pl.DataFrame
    columns: dict[int, str] = field(default_factory=dict)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    findings: list[dict[str, object]] = field(default_factory=list)
    answered: bool = False
    told: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"USUBJID": pl.String, "ENTRY": pl.Int32}))
    condition: int | None = None


def _targets(mapping: Mapping, sheet: Sheet, index: int) -> tuple[pl.DataFrame, list[Entry]]:
    """Return the columns that a rule reads, one row each, with what is said of them (`COL` null: none)."""
    rule = mapping.rules[index]
    at = ("rules", index)
    entries: list[tuple[int | None, Entry | None]]
    if rule.each:
        entries = [(sheet.resolve(entry.column, mapping, *at, "each", i, "column"), entry) for i, entry in enumerate(rule.each)]
    elif rule.columns is not None:
        entries = [(number, None) for number in sheet.resolve_all(rule.columns, mapping, *at, "columns")]
    elif rule.column is not None:
        entries = [(sheet.resolve(rule.column, mapping, *at, "column"), None)]
    else:
        entries = [(None, None)]
    rows = []
    for i, (number, entry) in enumerate(entries):
        row = _target(mapping, sheet, index, number, entry)
        if row is not None:
            rows.append({**row, "ENTRY": i})
    return pl.DataFrame(rows, schema=_TARGET), [entry for _, entry in entries if entry is not None]


def _target(mapping: Mapping, sheet: Sheet, index: int, number: int | None, entry: Entry | None) -> dict[str, Any] | None:
    rule = mapping.rules[index]
    at = ("rules", index)

    def said(name: str) -> Any:
        return (getattr(entry, name) if entry is not None else None) or getattr(rule, name)

    row: dict[str, Any] = {"COL": number, "UNIT": said("unit"), "SPEC": said("specimen"), "METHOD": said("method"), "VISIT": said("visit")}
    test, day, date = said("test"), said("day"), said("date")
    if test is not None and test.header is None:
        row["TESTCD"] = test.code
    elif test is not None and number is not None:
        name = sheet.header(number, test.header, mapping, *at, "test", "header")
        if name not in test.map:
            raise mapping.error(
                f"column {sheet.label(number)} has the header '{name}', which test.map does not name",
                *at,
                "test",
                "map",
                right="Name its test code, or map it to null to leave it out",
            )
        known = test.map[name]
        if known is None:
            return None
        known = {"test": known} if isinstance(known, str) else known
        row |= {"TESTCD": known["test"], "UNIT": known.get("unit", row["UNIT"]), "SPEC": known.get("specimen", row["SPEC"])}
    if day is not None:
        row["DAYFIX"] = day.nominal
        if day.column is not None:
            row["DAYCOL"] = sheet.resolve(day.column, mapping, *at, "day")
        if day.header is not None and number is not None:
            name = sheet.header(number, day.header, mapping, *at, "day", "header")
            found = re.search(day.pattern, name)
            if found is None:
                raise mapping.error(
                    f"the header '{name}' of column {column_letter(number)} states no day that the pattern '{day.pattern}' finds",
                    *at,
                    "day",
                    right="Correct the pattern or the columns",
                )
            row["DAYFIX"] = float(found.group(1))
    if date is not None:
        row["DATECOL"] = sheet.resolve(date, mapping, *at, "date")
    return row


def apply_rule(mapping: Mapping, sheet: Sheet, index: int, subjects: pl.DataFrame) -> Made:
    """Make the records of one rule.

    Parameters
    ----------
    mapping, sheet : Mapping, Sheet
    index : int
        Which rule.
    subjects : polars.DataFrame
        ROW and USUBJID of each subject.

    Raises
    ------
    InputError
        Naming the cell whose value cannot be read.
    """
    rule = mapping.rules[index]
    if rule.decimal is not None:
        sheet = replace(sheet, cells=with_numbers(sheet.cells, rule.decimal))
    targets, entries = _targets(mapping, sheet, index)
    made = Made(pl.DataFrame())
    for name, use in (("COL", "value"), ("DAYCOL", "day"), ("DATECOL", "date")):
        made.columns |= {number: use for number in targets[name].drop_nulls().to_list()}
    beside = ["DAYCOL", "DATECOL"] if mapping.level == "events" else ["DAYCOL"]  # the date of a visit has many values, some of them blank
    for name in beside:
        made.pairs += targets.filter(pl.col("COL").is_not_null() & (pl.col(name) != pl.col("COL"))).select("COL", name).rows()
    frame = _cells_of(sheet, targets, subjects) if rule.columns_given else subjects.join(targets, how="cross").with_columns(_BLANK)
    if rule.columns_given:
        lost = frame.filter(is_missing(mapping, rule.missing))
        made.findings += [_missing_code(rule, sheet, *row) for row in lost.select("ROW", "COL", "USUBJID", "TEXT").rows()]
        frame = frame.filter(~is_missing(mapping, rule.missing))
    if rule.when is not None:
        column = sheet.resolve(rule.when.column, mapping, "rules", index, "when", "column")
        made.columns.setdefault(column, "other")
        made.condition = column
        said = sheet.cells.filter((pl.col("COL") == column) & ~is_missing(mapping))
        holds = is_one_of(pl.col("TEXT"), rule.when.is_)
        frame = frame.join(said.filter(holds), on="ROW", how="semi")
        denied = subjects.join(said.filter(~holds), on="ROW", how="semi").join(targets.select("ENTRY"), how="cross")
        made.told = denied.select("USUBJID", "ENTRY")
    made.answered = frame.height > 0
    made.told = pl.concat([made.told, frame.select("USUBJID", "ENTRY")])
    if rule.only:
        frame = frame.filter(is_taken(rule.only, rule.codes))
    frame = _with_days(mapping, sheet, rule, frame, targets, subjects, made)
    frame = with_values(sheet, rule, frame.rename({"VISIT": "VISIT_"}), made.findings)
    for name, take in rule.also.items():
        column = sheet.resolve(take.column, mapping, "rules", index, "also", name)
        made.columns[column] = "other"
        frame = frame.join(taken_value(mapping, sheet, rule, column, name, frame.select("ROW").unique()), on="ROW", how="left")
        if "SAIDPCT" in frame.columns:
            frame = with_limit(sheet, rule, frame, column, name)
    frame = _with_fixed(rule, frame, entries)
    others = ";".join(column_letter(number) for number, use in made.columns.items() if use == "other")
    parts = [
        pl.col(name).replace_strict(_letters(targets, name), return_dtype=pl.String, default=None) for name in ("COL", "DAYCOL", "DATECOL")
    ]
    source = pl.concat_str([parts[0], pl.lit(others or None, dtype=pl.String), *parts[1:]], separator=";", ignore_nulls=True)
    made.frame = (
        frame.with_columns(SRCCOL=pl.when(source != "").then(source), RULE=pl.lit(index, dtype=pl.Int32))
        .drop("DAYCOL", "DATECOL", "DAYFIX", "ENTRY", "NUM", "KIND", "PCT", "SIGN", "LIMIT", "TESTCD", "UNIT", "SPEC", "METHOD", "VISIT_")
        .drop("PERUNIT", "SHARE", strict=False)
    )
    if sheet.long:
        _once(rule, sheet, made)
    return made


_BLANK = tuple(pl.lit(None, dtype=kind).alias(name) for name, kind in {"TEXT": pl.String, "KIND": pl.String, **NUMBERS}.items())


def _once(rule: Rule, sheet: Sheet, made: Made) -> None:
    """Keep what the rows of one subject repeat once: a date of infusion stands in each of them, and is one infusion."""
    frame = made.frame
    if not rule.columns_given:
        dated = pl.col("DAY").is_not_null() | pl.col("DATE").is_not_null()
        frame = frame.filter(dated | ~dated.any().over("USUBJID"))
    same = [name for name in frame.columns if name not in ("ROW", "COL", "SRCCOL")]
    made.frame = frame.unique(subset=same, keep="first", maintain_order=True)
    dropped = frame.height - made.frame.height
    if dropped and rule.columns_given and rule.domain != "DM":
        message = f"In rule '{rule.id}' {many(dropped, 'record', 'repeat')} what a row above says of the subject; it is read once."
        made.findings.append(finding("repeated-record", "note", message, file=sheet.file, domain=rule.domain))


def _letters(targets: pl.DataFrame, name: str) -> dict[int, str]:
    return {number: column_letter(number) for number in targets[name].drop_nulls().to_list()} or {0: ""}


def _cells_of(sheet: Sheet, targets: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    return sheet.cells.join(targets, on="COL").join(subjects, on="ROW")


def _missing_code(rule: Rule, sheet: Sheet, row: int, column: int, usubjid: str, text: str) -> dict[str, object]:
    severity = "note" if rule.domain in ("LB", "VS") and (rule.test is None or rule.test.code not in STRICT_TESTS) else "warning"
    message = f"'{text}' in cell {column_letter(column)}{row}, {sheet.label(column)}, is read as missing."
    return finding(
        "missing-code", severity, message, file=sheet.file, row=row, domain=rule.domain, usubjid=usubjid, variable=column_letter(column)
    )


def _with_days(
    mapping: Mapping, sheet: Sheet, rule: Rule, frame: pl.DataFrame, targets: pl.DataFrame, subjects: pl.DataFrame, made: Made
) -> pl.DataFrame:
    frame = frame.with_columns(DAY=pl.col("DAYFIX"), DATE=pl.lit(None, dtype=pl.String))
    for name, column, what in (("DAY", "DAYCOL", "day"), ("DATE", "DATECOL", "date")):
        wanted = targets[column].drop_nulls().to_list()
        if not wanted:
            continue
        cells = sheet.cells.filter(pl.col("COL").is_in(wanted) & ~is_missing(mapping, rule.missing)).join(subjects, on="ROW", how="semi")
        if name == "DAY":
            wrong = cells.filter(pl.col("NUM").is_null())
            if wrong.height:
                right = "Write a number of days from the infusion, or list it under missing"
                raise bad_cell(sheet, wrong, "'{text}' is no study day", right)
            found = cells.select("ROW", pl.col("COL").alias(column), pl.col("NUM").alias("FOUND"))
        else:
            found = iso_dates(sheet, rule, cells).select("ROW", pl.col("COL").alias(column), pl.col("TEXT").alias("FOUND"))
        frame = frame.join(found, on=["ROW", column], how="left").with_columns(pl.coalesce("FOUND", name).alias(name)).drop("FOUND")
        undated = frame.filter(pl.col(column).is_not_null() & pl.col(name).is_null())
        if sheet.long and not rule.columns_given:
            undated = undated.clear()  # another row of the subject may have it
        made.findings += [
            finding(
                f"{what}-missing",
                "warning",
                f"Row {row} has a record of rule '{rule.id}' and its {what}, {sheet.label(beside)}, is missing: the record has no {what}.",
                file=sheet.file,
                row=row,
                domain=rule.domain,
                usubjid=usubjid,
                variable=column_letter(beside),
            )
            for row, usubjid, beside in undated.select("ROW", "USUBJID", column).rows()
        ]
    return frame


def _with_fixed(rule: Rule, frame: pl.DataFrame, entries: list[Entry]) -> pl.DataFrame:
    domain = rule.domain
    finds = domain in FINDINGS_DOMAINS
    named = {f"{domain}TESTCD": "TESTCD", f"{domain}SPEC": "SPEC", f"{domain}METHOD": "METHOD", "VISIT": "VISIT_"}
    kept = (f"{domain}TESTCD",) if finds else ()
    if finds:
        named |= {f"{domain}ORRESU": "UNIT", f"{domain}STRESU": "UNIT"}
        if "PERUNIT" in frame.columns:
            frame = frame.with_columns(pl.when("PERUNIT").then(pl.lit("%")).otherwise("UNIT").alias("UNIT"))
    elif rule.unit:
        named |= {f"{domain}DOSU" if domain in ("EX", "CM") else f"{domain}U": "UNIT"}
    frame = frame.with_columns(
        pl.col(old).alias(new) for new, old in named.items() if new in kept or frame[old].null_count() < frame.height
    )
    if rule.category:
        frame = frame.with_columns(pl.lit(rule.category).alias(f"{domain}CAT"))
    for name, value in ((f"{domain}LOD", rule.lod), (f"{domain}LLOQ", rule.lloq)):
        if value is not None:
            stated = [pl.col(name)] if name in frame.columns else []
            # a limit is said in the rule's unit; where a cell says per cent and the rule a share, it is brought to per cent as well
            limit = pl.when(pl.col("SHARE")).then(value * 100).otherwise(value) if "SHARE" in frame.columns else pl.lit(float(value))
            frame = frame.with_columns(pl.coalesce(*stated, limit).alias(name))
    for name, text in rule.set.items():
        # beside a column that gives the variable, what is set stands where the column is blank
        stated = [pl.col(name)] if name in rule.also and name in frame.columns else []
        frame = frame.with_columns(pl.coalesce(*stated, _literal(domain, name, text)).alias(name))
    for i, entry in enumerate(entries):
        for name, text in entry.set.items():
            before = pl.col(name) if name in frame.columns else pl.lit(None)
            frame = frame.with_columns(pl.when(pl.col("ENTRY") == i).then(_literal(domain, name, text)).otherwise(before).alias(name))
    if domain != "DM":
        start = "" if finds else "ST"
        frame = frame.with_columns(pl.col("DAY").alias(f"{domain}{start}DY"), pl.col("DATE").alias(f"{domain}{start}DTC"))
    return frame


def _literal(domain: str, name: str, text: str) -> pl.Expr:
    return (pl.lit(float(text)) if kind_of(domain, name) in ("number", "integer") else pl.lit(text)).alias(name)
