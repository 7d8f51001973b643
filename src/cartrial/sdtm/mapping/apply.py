"""How does a spreadsheet become SDTM? Its mapping file says so; every record keeps its row and its column."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from pathlib import Path

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.forms.unread import unread_files
from cartrial.sdtm.mapping.asked import asked_of, left_out, with_unanswered
from cartrial.sdtm.mapping.checks import form_quirks, run_checks
from cartrial.sdtm.mapping.model import DOMAINS, Mapping, read_mapping
from cartrial.sdtm.mapping.quirks import assumptions, find_quirks
from cartrial.sdtm.mapping.rules import Made, apply_rule
from cartrial.sdtm.mapping.sheet import Sheet, column_letter, place_of, read_sheets
from cartrial.sdtm.mapping.values import is_missing
from cartrial.sdtm.source import DTYPES, Source, SourceFile, finding, findings_frame, many
from cartrial.sdtm.vocabulary.schema import kind_of

__all__ = ["Mapping", "read_mapped", "read_mapping"]

_SPREADSHEET, _MAPPING = "spreadsheet", "mapping"
_STUDY_DAY = re.compile(r"^([A-Z]{2}(ST|EN)?|DTH)DY$")
# Columns of a rule's records that are no variables of its domain.
_INNER = ("USUBJID", "ROW", "COL", "DAY", "DATE", "VALUE", "TEXT", "RULE", "SRCCOL")


def read_mapped(mapping_path: str | Path, data_folder: str | Path) -> Source:
    """Read a spreadsheet into SDTM domains through a mapping file.

    Parameters
    ----------
    mapping_path : str or Path
        The mapping file, or the folder that holds it as `mapping.yaml`.
    data_folder : str or Path
        The folder that holds the spreadsheet it names.

    Returns
    -------
    Source
        Each domain with `ROW` (the row of the sheet) and `SRCCOL` (letters of the columns a record was made from: the value's,
        those of its other variables, its day's). Formula cells give their stored value. What was seen in the sheet stands in `findings`.

    Raises
    ------
    InputError
        If the mapping is wrong, names what is not in the sheet, or a value cannot be read: with file, row and cell.
    """
    path = Path(mapping_path)
    path = path / "mapping.yaml" if path.is_dir() else path
    mapping = read_mapping(path)
    sheets = read_sheets(mapping, data_folder)
    places = {name: ("tables", name, "subject") if mapping.named[name].subject else ("subject",) for name in sheets}
    columns = {name: sheet.resolve(mapping.subject_of(name), mapping, *places[name]) for name, sheet in sheets.items()}
    subjects = {name: _subjects(mapping, sheet, columns[name]) for name, sheet in sheets.items()}
    tables = [mapping.table_of(rule) for rule in mapping.rules]
    made = InputError.gather(partial(apply_rule, mapping, sheets[table], i, subjects[table]) for i, table in enumerate(tables))
    _drop_repeats(mapping, sheets, made)
    asked = asked_of(mapping, made)
    with_unanswered(mapping, sheets, subjects, made)
    domains = _from_day_zero(mapping, sheets, _domains(mapping, sheets, made, subjects))
    found = assumptions(mapping, sheets)
    for name, sheet in sheets.items():
        own = [part if table == name else None for part, table in zip(made, tables, strict=True)]
        found += find_quirks(mapping, sheet, columns[name], subjects[name], own)
    found += [record for part in made for record in part.findings]
    found += left_out(mapping, sheets, subjects, made)
    found += form_quirks(mapping, sheets, made, domains)
    found += run_checks(mapping, sheets, subjects, made)
    files = [file for domain, frame in domains.items() for file in _source_files(sheets, domain, frame)]
    files.append(SourceFile(path.name, "", hashlib.sha256(path.read_bytes()).hexdigest(), len(mapping.rules), _MAPPING))
    read = [path, *(Path(data_folder) / table.file for table in mapping.named.values())]
    findings = pl.concat([findings_frame(_once(found)), *unread_files(Path(data_folder), read)])
    return Source(domains, tuple(files), findings, mapping.level, *asked)


def _source_files(sheets: dict[str, Sheet], domain: str, frame: pl.DataFrame) -> list[SourceFile]:
    """Return the tables that a domain was made from."""
    files = []
    for sheet in sheets.values():
        rows = frame.filter(pl.col("ROW").is_between(sheet.offset + 1, sheet.offset + sheet.last_row)).height
        if rows or len(sheets) == 1:
            place = (sheet.offset, sheet.offset + sheet.last_row) if len(sheets) > 1 else (0, None)
            files.append(SourceFile(sheet.file, domain, sheet.sha256, rows, _SPREADSHEET, *place))
    return files


def _once(records: list[dict[str, object]]) -> list[dict[str, object]]:
    """Drop what two rules say of one cell, the warning staying."""
    seen: dict[object, dict[str, object]] = {}
    for record in records:
        key = tuple(value for name, value in record.items() if name not in ("DOMAIN", "SEVERITY"))
        if key not in seen or (seen[key]["SEVERITY"] == "note" and record["SEVERITY"] == "warning"):
            seen[key] = record
    return list(seen.values())


def _subjects(mapping: Mapping, sheet: Sheet, column: int) -> pl.DataFrame:
    keys = sheet.cells.filter((pl.col("COL") == column) & ~is_missing(mapping)).select(
        "ROW", pl.lit(mapping.prefix).add(pl.col("TEXT")).alias("USUBJID")
    )
    if not keys.height:
        raise InputError(
            "no row has a subject key",
            file=sheet.file,
            key=sheet.label(column),
            right="Give the subject's column, and the rows with data in table.first-row and table.last-row",
        )
    keyless = sheet.cells.join(keys, on="ROW", how="anti")
    if keyless.height:
        row = keyless["ROW"].min()
        filled = keyless.filter(pl.col("ROW") == row)
        raise InputError(
            f"the row has {many(filled.height, 'value')} and no subject key in column {sheet.label(column)}",
            file=sheet.file,
            row=int(str(row)),
            right="Fill in the key; or end the table above a summary with table.last-row in the mapping",
        )
    twice = keys.filter(pl.col("USUBJID").is_duplicated())
    if twice.height and not sheet.long:
        rows = twice.filter(pl.col("USUBJID") == twice["USUBJID"][0])["ROW"].to_list()
        raise InputError(
            f"subject {twice['USUBJID'][0]} stands in rows {', '.join(map(str, rows))}",
            file=sheet.file,
            row=rows[1],
            key=sheet.label(column),
            right="One row for each subject; a table with several says `long: true` in the mapping",
        )
    return keys.sort("ROW")


def _drop_repeats(mapping: Mapping, sheets: dict[str, Sheet], made: list[Made]) -> None:
    """Drop records that repeat those of another rule; say how many agree, which contradict, and how many are new."""
    ids = [rule.id for rule in mapping.rules]
    for index, rule in enumerate(mapping.rules):
        if rule.repeats is None:
            continue
        sheet = sheets[mapping.table_of(rule)]
        other = made[ids.index(rule.repeats)].frame
        shared = set(made[index].frame.columns) & set(other.columns)
        names = [name for name in (f"{rule.domain}TESTCD", f"{rule.domain}SPEC") if name in shared]
        keys = ["USUBJID", *names, "DAY", "DATE"]
        if f"{rule.domain}TESTCD" not in shared:
            raise mapping.error(
                f"rule '{rule.repeats}' makes no records that those of '{rule.id}' can repeat",
                "rules",
                index,
                "repeats",
                right="Name a rule of the same domain with tests",
            )
        seen = other.select(*keys, pl.col("VALUE").alias("OTHER"), pl.col("COL").alias("OTHERCOL"), pl.col("ROW").alias("OTHERROW")).unique(
            subset=keys, keep="first"
        )
        frame = made[index].frame.join(seen, on=keys, how="left", nulls_equal=True)
        numbers = [pl.col(column).cast(pl.Float64, strict=False) for column in ("OTHER", "VALUE")]
        agrees = pl.coalesce(numbers[0] == numbers[1], pl.col("OTHER") == pl.col("VALUE"))
        same = frame.filter(agrees).height
        unlike = frame.filter(~agrees)
        kept = frame.filter(pl.col("OTHER").is_null())
        message = (
            f"Of {many(frame.height, 'value')} in the columns of rule '{rule.id}', {same} repeat the value that rule "
            f"'{rule.repeats}' reads for the same subject, test and day, {unlike.height} contradict it, and "
            f"{kept.height} stand here alone. "
            f"Repeated values are read once; contradictions are listed and the value of '{rule.repeats}' is used."
        )
        made[index].findings.append(finding("repeated-block", "note", message, file=sheet.file, domain=rule.domain))
        for row, usubjid, column, value, beside, place, other_value in unlike.select(
            "ROW", "USUBJID", "COL", "VALUE", "OTHERCOL", "OTHERROW", "OTHER"
        ).rows():
            letter, used = column_letter(column), f"{column_letter(beside)}{place}"
            text = f"Cell {letter}{row} says {value}, cell {used} says {other_value} for the same test and day; {used} is used."
            contradiction = finding(
                "repeat-contradicts", "warning", text, file=sheet.file, row=row, domain=rule.domain, usubjid=usubjid, variable=letter
            )
            made[index].findings.append(contradiction)
        made[index].frame = kept.drop("OTHER", "OTHERCOL", "OTHERROW")


def _domains(mapping: Mapping, sheets: dict[str, Sheet], made: list[Made], subjects: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the domains; ROW goes on from one table to the next."""
    placed = [
        part.frame.with_columns(pl.col("ROW") + sheets[mapping.table_of(rule)].offset)
        for part, rule in zip(made, mapping.rules, strict=True)
    ]
    domains = {"DM": _demographics(mapping, sheets, placed, subjects)}
    for name in DOMAINS:
        frames = [frame for frame, rule in zip(placed, mapping.rules, strict=True) if rule.domain == name and frame.height]
        if name == "DM" or not frames:
            continue
        order = ["ROW", "DAY", "DATE", "RULE", "COL"]
        frame = pl.concat(frames, how="diagonal_relaxed").sort(order, nulls_last=True)
        seq = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("USUBJID").alias(f"{name}SEQ")
        first = [*_keys(mapping, name), seq]
        rest = [column for column in frame.columns if column not in _INNER and frame[column].null_count() < frame.height]
        timing = [column for column in frame.columns if column.endswith(("DY", "DTC")) and column not in rest and column.startswith(name)]
        rest += timing[:1] if not any(column in rest for column in (f"{name}DY", f"{name}DTC", f"{name}STDY", f"{name}STDTC")) else []
        domains[name] = frame.select(*first, *(_cast(name, column) for column in rest), "ROW", "SRCCOL")
    return domains


def _demographics(
    mapping: Mapping, sheets: dict[str, Sheet], placed: list[pl.DataFrame], subjects: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    """Return one row a subject: those of the tables with one row a subject, else all."""
    short = [name for name, sheet in sheets.items() if not sheet.long] or list(sheets)
    every = pl.concat(subjects[name].with_columns(pl.col("ROW") + sheets[name].offset) for name in short)
    frame = every.unique(subset="USUBJID", keep="first", maintain_order=True).with_columns(SRCCOL=pl.lit(None, dtype=pl.String))
    given: set[tuple[str, str]] = set()
    for index, (part, rule) in enumerate(zip(placed, mapping.rules, strict=True)):
        if rule.domain != "DM":
            continue
        names, table = [name for name in part.columns if name not in _INNER], mapping.table_of(rule)
        sheet = sheets[table]
        _require_one(part, names, sheet)
        held = [pl.col(name).drop_nulls().first() for name in (*names, "SRCCOL")]
        more = part.group_by("USUBJID", maintain_order=True).agg(held).rename({"SRCCOL": "MORE"})
        joined = frame.join(more, on="USUBJID", how="left", maintain_order="left", suffix="_MORE")
        taken = [name for name in names if name in frame.columns]
        # two tables may give a variable each of their own subjects, one table or one subject may not
        twice = [pl.col(name).is_not_null() & pl.col(f"{name}_MORE").is_not_null() for name in taken]
        if taken and (any((table, name) in given for name in taken) or joined.filter(pl.any_horizontal(twice)).height):
            raise mapping.error(f"two rules give {taken[0]} of DM", "rules", index, right="One rule for each variable")
        frame = joined.with_columns(
            *(pl.coalesce(name, f"{name}_MORE").alias(name) for name in taken),
            SRCCOL=pl.concat_str("SRCCOL", "MORE", separator=";", ignore_nulls=True),
        ).drop("MORE", *(f"{name}_MORE" for name in taken))
        given.update((table, name) for name in names)
    names = [name for name in frame.columns if name not in ("USUBJID", "ROW", "SRCCOL")]
    return frame.select(
        *_keys(mapping, "DM"), *(_cast("DM", name) for name in names), "ROW", pl.when(pl.col("SRCCOL") != "").then("SRCCOL").alias("SRCCOL")
    )


def _require_one(part: pl.DataFrame, names: list[str], sheet: Sheet) -> None:
    """Refuse two values of a subject where DM has one."""
    for name in names:
        first = pl.col(name).drop_nulls().first().over("USUBJID")
        unlike = part.filter(pl.col(name).is_not_null() & (pl.col(name) != first)) if sheet.long else part.clear()
        if unlike.height:
            row, usubjid, said = unlike.select("ROW", "USUBJID", name).row(0)
            what = f"the rows of subject {usubjid} say different things of {name}; this one says {said}"
            raise InputError(what, file=sheet.file, row=row - sheet.offset, right="A subject has one value; correct the rows that differ")


def _keys(mapping: Mapping, domain: str) -> list[pl.Expr]:
    return [pl.lit(mapping.study_id).alias("STUDYID"), pl.lit(domain).alias("DOMAIN"), pl.col("USUBJID")]


def _cast(domain: str, name: str) -> pl.Expr:
    return pl.col(name).cast(DTYPES[kind_of(domain, name)])


def _from_day_zero(mapping: Mapping, sheets: dict[str, Sheet], domains: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the domains with study days that run through 0, the day of the infusion, where the mapping says how the sheet counts.

    Without `days` in the mapping the days stay as they are, and the number of the infusion itself tells.

    Raises
    ------
    InputError
        If a record is on day 0 of a sheet that counts from 1, or no treatment of a subject with treatments is on the first day.
    """
    if mapping.days is None:
        return domains
    days = {name: [column for column in frame.columns if _STUDY_DAY.match(column)] for name, frame in domains.items()}
    if mapping.days == "from-1":
        for name, columns in days.items():
            for column in columns:
                zero = domains[name].filter(pl.col(column).floor() == 0)
                if zero.height:
                    what = f"{column} is 0, and days that count from 1 have no day 0"
                    right = "The day before day 1 is -1; or days: from-0 in the mapping"
                    file, row = place_of(sheets, zero["ROW"][0])
                    raise InputError(what, file=file, row=row, key=zero["SRCCOL"][0], right=right)
        domains = {name: frame.with_columns(_through(pl.col(column)) for column in days[name]) for name, frame in domains.items()}
    if "EX" in domains and "EXSTDY" in domains["EX"].columns:
        first = (pl.col("EXSTDY").floor() == 0).any()
        without = (
            domains["EX"]
            .group_by("USUBJID", maintain_order=True)
            .agg(first.alias("FIRST"), pl.col("EXSTDY").is_not_null().any().alias("SAID"), pl.col("ROW").first())
        )
        without = without.filter(pl.col("SAID") & ~pl.col("FIRST").fill_null(False))
        if without.height:
            number = mapping.days.removeprefix("from-")
            what = f"no treatment of subject {without['USUBJID'][0]} is on day {number}, from which the mapping says that days count"
            file, row = place_of(sheets, without["ROW"][0])
            raise InputError(what, file=file, row=row, key="EXSTDY", right="Correct the day of the infusion, or days")
    return domains


def _through(day: pl.Expr) -> pl.Expr:
    return pl.when(day > 0).then(day - 1).otherwise(day)
