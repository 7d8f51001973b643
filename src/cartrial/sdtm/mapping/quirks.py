"""What is odd in a sheet, whatever it holds? Headers, comments, columns and rows that a reader should know of."""

from __future__ import annotations

from collections import Counter

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.mapping.model import Mapping
from cartrial.sdtm.mapping.rules import Made
from cartrial.sdtm.mapping.sheet import Sheet, column_letter, runs
from cartrial.sdtm.mapping.values import is_missing
from cartrial.sdtm.source import finding, many

__all__ = ["assumptions", "find_quirks"]


def find_quirks(
    mapping: Mapping, sheet: Sheet, subject_column: int, subjects: pl.DataFrame, made: list[Made | None]
) -> list[dict[str, object]]:
    """Return what was seen in a sheet, as findings.

    Parameters
    ----------
    mapping, sheet : Mapping, Sheet
    subject_column : int
    subjects : polars.DataFrame
        ROW and USUBJID.
    made : list of Made or None
        What each rule made; None for a rule of another table.

    Returns
    -------
    list of dict
        Records of the findings frame, rules: sheet-other, merged-cell, percent-cell, blank-header, repeated-header, header-comment,
        unmapped-column, blank-column, blank-cell, rows-below, text-number, fractional-day, value-missing, missing-code,
        formula-without-value.

    Raises
    ------
    InputError
        If a cell that is read holds a formula without a stored value.
    """
    read = {subject_column: "subject"}
    for part in made:
        read |= part.columns if part else {}
    for check in mapping.checks:
        if mapping.table_of(check) != sheet.table:
            continue
        for column in (check.flag, check.value):
            if column is not None:
                read.setdefault(sheet.resolve(column, mapping, "checks", mapping.checks.index(check)), "check")
    held = sheet.cells.group_by("COL").len().sort("COL")
    return [
        *_errors(mapping, sheet, subjects, read),
        *_undecoded(sheet, subjects, read),
        *_beside(sheet),
        *_merged(sheet, read),
        *_percents(sheet, subjects, read),
        *_headers(sheet, held["COL"].to_list()),
        *_comments(sheet),
        *_columns(sheet, read, dict(held.rows())),
        *_rows(mapping, sheet, subjects),
        *_kinds(sheet, read),
        *_pairs(sheet, subjects, mapping, made),
        *_codes(mapping, sheet, subjects, read),
        *_formulas(sheet, subjects, read),
    ]


def assumptions(mapping: Mapping, sheets: dict[str, Sheet]) -> list[dict[str, object]]:
    """Return what a mapping says of itself: what it assumes, and the level of what was recorded."""
    found = [
        finding(
            "mapping-assumption",
            "note",
            f"Rule '{rule.id}' of the mapping assumes: {rule.assumption.rstrip('.')}.",
            file=mapping.file,
            domain=rule.domain,
        )
        for rule in mapping.rules
        if rule.assumption
    ]
    if mapping.level == "events":
        message = (
            "The sheet records events, not visits: response at a visit, missed visits and the last usable assessment cannot be derived."
        )
        found.append(finding("events-only", "note", message, file=next(iter(sheets.values())).file))
    return found


def _errors(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame, read: dict[int, str]) -> list[dict[str, object]]:
    """Refuse what a formula could not work out where it is read, unless the mapping lists it under missing."""
    errors = sheet.cells.filter((pl.col("KIND") == "error") & pl.col("COL").is_in(list(read)) & ~is_missing(mapping))
    errors = errors.join(subjects, on="ROW", how="semi").sort("ROW", "COL")
    allowed = {code for rule in mapping.rules for code in (*rule.missing, *rule.not_done, *rule.map)}
    for row, column, text in errors.filter(~pl.col("TEXT").is_in(sorted(allowed))).select("ROW", "COL", "TEXT").rows():
        raise InputError(
            f"the cell shows the error {text}",
            file=sheet.file,
            row=row,
            key=f"cell {column_letter(column)}{row}, {sheet.label(column)}",
            right="Correct its formula, or list the error under missing in the mapping",
        )
    return []


def _undecoded(sheet: Sheet, subjects: pl.DataFrame, read: dict[int, str]) -> list[dict[str, object]]:
    """Refuse a byte that is no UTF-8 text where it is read; elsewhere it is noted."""
    rows = set(subjects["ROW"].to_list())
    for row, column, byte in sheet.undecoded:
        if column in read and row in rows:
            what = f"the byte {byte:#04x} is not UTF-8 text; it looks like Latin-1 (Windows) text"
            key = f"cell {column_letter(column)}{row}, {sheet.label(column)}"
            raise InputError(what, file=sheet.file, row=row, key=key, right="Save the file as CSV UTF-8")
    if not sheet.undecoded:
        return []
    row, column, byte = sheet.undecoded[0]
    cells = "1 cell" if len(sheet.undecoded) == 1 else f"{len(sheet.undecoded)} cells"
    message = f"The byte {byte:#04x} is not UTF-8 text ({cells}); it is shown as \ufffd. No rule reads it."
    return [finding("byte-undecoded", "note", message, file=sheet.file, row=row, variable=column_letter(column))]


def _beside(sheet: Sheet) -> list[dict[str, object]]:
    if not sheet.beside:
        return []
    listed = ", ".join(f"'{name}'" for name in sheet.beside[:20]) + (" ..." if len(sheet.beside) > 20 else "")
    what = "1 other sheet of the file is" if len(sheet.beside) == 1 else f"{len(sheet.beside)} other sheets of the file are"
    return [finding("sheet-other", "note", f"{what} not read by the mapping: {listed}.", file=sheet.file)]


def _merged(sheet: Sheet, read: dict[int, str]) -> list[dict[str, object]]:
    """Say of merged cells that are read how they are read."""
    found = []
    for top, left, bottom, right in sheet.merged:
        inner = [column for column in range(left, min(right, max(sheet.headers)) + 1) if column in read]
        if not inner:
            continue
        area = f"{column_letter(left)}{top}:{column_letter(right)}{bottom}"
        down = f"its value is read in each of the rows {top} to {bottom}" if bottom > top else "its value is read in one column"
        more = f"; the columns right of {column_letter(left)} are read as blank" if right > left else ""
        message = f"The cells {area} are merged: {down}{more}."
        found.append(finding("merged-cell", "warning", message, file=sheet.file, row=top, variable=runs(inner)))
    return found


def _percents(sheet: Sheet, subjects: pl.DataFrame, read: dict[int, str]) -> list[dict[str, object]]:
    """Count the cells that say per cent, by column; warn where a column has numbers that do not."""
    held = sheet.cells.filter(pl.col("COL").is_in(list(read)) & (pl.col("NUM").is_not_null() | pl.col("LIMIT").is_not_null()))
    held = held.join(subjects, on="ROW", how="semi")
    counts = held.group_by("COL").agg(pl.col("PCT").sum().alias("SAID"), (~pl.col("PCT")).sum().alias("PLAIN")).filter(pl.col("SAID") > 0)
    found = []
    for column, said, plain in counts.sort("COL").rows():
        cells = "1 cell says" if said == 1 else f"{said} cells say"
        message = f"In {sheet.label(column)} {cells} per cent, by format or a % sign: 60 % is read as 60 with the unit %."
        mixed = f" {many(plain, 'number', 'stand')} alone, read in the unit of the rule." if plain else ""
        severity = "warning" if plain else "note"
        found.append(finding("percent-cell", severity, message + mixed, file=sheet.file, variable=column_letter(column)))
    return found


def _headers(sheet: Sheet, held: list[int]) -> list[dict[str, object]]:
    found = [
        finding(
            "blank-header",
            "warning",
            f"Column {column_letter(column)} holds values and its header is blank.",
            file=sheet.file,
            row=sheet.header_rows[-1],
            variable=column_letter(column),
        )
        for column in held
        if not sheet.headers[column][-1]
    ]
    counts = Counter(names[-1] for names in sheet.headers.values() if names[-1])
    repeated = {name: number for name, number in counts.items() if number > 1}
    if repeated:
        most = ", ".join(f"'{name}' ({number})" for name, number in Counter(repeated).most_common(5))
        over = sum(repeated.values())
        message = (
            f"{many(len(repeated), 'header', 'stand')} over {over} columns, most often {most}: "
            "the header rows above and the letter tell them apart."
        )
        found.append(finding("repeated-header", "note", message, file=sheet.file, row=sheet.header_rows[-1]))
    return found


def _comments(sheet: Sheet) -> list[dict[str, object]]:
    texts: dict[str, list[tuple[int, int]]] = {}
    for row, column, text in sheet.comments:
        texts.setdefault(" ".join(text.split()), []).append((row, column))
    found = []
    for text, places in texts.items():
        rows = {row for row, _ in places}
        in_header = rows <= set(sheet.header_rows)
        where = ", ".join(
            f"{column_letter(column)}{row} ('{sheet.headers[column][-1] or 'blank'}')" if in_header else f"{column_letter(column)}{row}"
            for row, column in places
        )
        rule, severity = ("header-comment", "warning") if in_header else ("cell-comment", "note")
        message = f"A cell comment says “{text}” on {where}." + (
            " A header and its comment should say the same; the mapping says which is followed." if in_header else ""
        )
        found.append(finding(rule, severity, message, file=sheet.file, row=min(rows), variable=runs([column for _, column in places])))
    return found


def _columns(sheet: Sheet, read: dict[int, str], held: dict[int, int]) -> list[dict[str, object]]:
    found = []
    left = [column for column in held if column not in read]
    if left:
        values = sum(held[column] for column in left)
        message = f"{many(len(left), 'column', 'are')} not mapped, of {len(sheet.headers)}, with {many(values, 'value')}: {runs(left)}."
        found.append(finding("unmapped-column", "note", message, file=sheet.file, variable=runs(left)))
    blank = [column for column in sheet.headers if column not in held]
    if blank:
        message = f"{many(len(blank), 'column', 'hold')} no value at all: {runs(blank)}."
        found.append(finding("blank-column", "note", message, file=sheet.file, variable=runs(blank)))
    return found


def _rows(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame) -> list[dict[str, object]]:
    found = []
    last = int(str(subjects["ROW"].max()))
    if sheet.last_row > last:
        one = sheet.last_row == last + 1
        what = (
            f"{'is' if one else 'are'} left out by the mapping"
            if mapping.named[sheet.table].last_row is not None
            else f"{'holds' if one else 'hold'} formats only, no value, and {'is' if one else 'are'} not read"
        )
        rows = f"Row {sheet.last_row}" if one else f"Rows {last + 1} to {sheet.last_row}"
        found.append(finding("rows-below", "note", f"{rows} below the last subject {what}.", file=sheet.file, row=last + 1))
    cells = subjects.height * len(sheet.headers)
    filled = sheet.cells.join(subjects, on="ROW", how="semi").height
    if filled < cells:
        blank = f"{cells - filled} of {many(cells, 'cell', 'are')} blank; a blank cell is missing."
        found.append(finding("blank-cell", "note", blank, file=sheet.file))
    return found


def _kinds(sheet: Sheet, read: dict[int, str]) -> list[dict[str, object]]:
    found = []
    mapped = sheet.cells.filter(pl.col("COL").is_in(list(read)))
    texts = mapped.filter((pl.col("KIND") == "text") & pl.col("NUM").is_not_null())
    if sheet.typed and texts.height:
        columns = texts["COL"].unique().to_list()
        message = (
            f"{many(texts.height, 'number')} in {many(len(columns), 'column')} {'is' if texts.height == 1 else 'are'} stored as text "
            f"and read as spelt: {runs(columns)}."
        )
        found.append(finding("text-number", "note", message, file=sheet.file, variable=runs(columns)))
    days = mapped.filter(pl.col("COL").is_in([column for column, use in read.items() if use == "day"]) & pl.col("NUM").is_not_null())
    parts = days.group_by("COL").agg(((pl.col("NUM") % 1) != 0).any().alias("FRACTION"))
    broken, whole = (parts.filter(pl.col("FRACTION") == wanted)["COL"].to_list() for wanted in (True, False))
    if broken:
        number = days.filter(pl.col("NUM") % 1 != 0).height
        message = (
            f"{many(number, 'study day', 'have') if number > 1 else '1 study day has'} a fraction, in {many(len(broken), 'column')} "
            f"({runs(broken)}); in {many(len(whole), 'column')} days are whole numbers "
            f"({runs(whole) or 'none'}). They are kept as they stand."
        )
        found.append(finding("fractional-day", "note", message, file=sheet.file, variable=runs(broken)))
    return found


def _pairs(sheet: Sheet, subjects: pl.DataFrame, mapping: Mapping, made: list[Made | None]) -> list[dict[str, object]]:
    """Say where a day stands without its value."""
    pairs = [(index, value, day) for index, part in enumerate(made) if part for value, day in part.pairs]
    if mapping.level == "events":
        # a date of several values is of the call; that another of them is blank says nothing
        named = [day for _, _, day in pairs]
        pairs = [pair for pair in pairs if mapping.rules[pair[0]].domain == "RS" or named.count(pair[2]) == 1]
    if not pairs:
        return []
    wanted = pl.DataFrame(pairs, schema={"RULE": pl.Int64, "VALUE": pl.Int32, "COL": pl.Int32}, orient="row")
    days = sheet.cells.join(subjects, on="ROW", how="semi").select("ROW", "COL").join(wanted, on="COL")
    lonely = days.join(sheet.cells.select("ROW", pl.col("COL").alias("VALUE")), on=["ROW", "VALUE"], how="anti").sort(
        "RULE", "VALUE", "ROW"
    )
    found = []
    for (index,), part in lonely.group_by("RULE", maintain_order=True):
        cells = [f"{column_letter(value)}{row}" for value, row in part.select("VALUE", "ROW").rows()]
        shown = ", ".join(cells[:12]) + (f" and {len(cells) - 12} more" if len(cells) > 12 else "")
        rule = mapping.rules[int(str(index))]
        message = f"In rule '{rule.id}' {many(len(cells), 'cell', 'are')} blank although the day is given: {shown}."
        severity = "warning" if mapping.level == "events" else "note"
        found.append(finding("value-missing", severity, message, file=sheet.file, domain=rule.domain))
    return found


def _formulas(sheet: Sheet, subjects: pl.DataFrame, read: dict[int, str]) -> list[dict[str, object]]:
    """Refuse a formula without a stored value where it is read; count the others."""
    rows = set(subjects["ROW"].to_list())
    unstored = sorted((row, column) for row, column in sheet.unstored if row in rows)
    for row, column in unstored:
        if column in read:
            raise InputError(
                "the cell holds a formula whose value is not stored in the file",
                file=sheet.file,
                row=row,
                key=f"cell {column_letter(column)}{row}, {sheet.label(column)}",
                right="Open the file in a spreadsheet program and save it, so that it stores the values",
            )
    columns = [column for _, column in unstored]
    message = f"Formulas without a stored value in columns that are not mapped: {len(unstored)} ({runs(columns)})."
    return [finding("formula-without-value", "note", message, file=sheet.file, variable=runs(columns))] if unstored else []


def _codes(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame, read: dict[int, str]) -> list[dict[str, object]]:
    """Say where a column that is only checked or that dates others holds a code for missing."""
    columns = [column for column, use in read.items() if use in ("check", "day", "date", "other")]
    cells = sheet.cells.filter(pl.col("COL").is_in(columns) & is_missing(mapping)).join(subjects, on="ROW").sort("COL", "ROW")
    return [
        finding(
            "missing-code",
            "note",
            f"'{text}' in cell {column_letter(column)}{row}, {sheet.label(column)}, is read as missing.",
            file=sheet.file,
            row=row,
            usubjid=usubjid,
            variable=column_letter(column),
        )
        for row, column, usubjid, text in cells.select("ROW", "COL", "USUBJID", "TEXT").rows()
    ]
