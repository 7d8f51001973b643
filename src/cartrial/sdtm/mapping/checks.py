"""Does a sheet contradict itself? The checks that a mapping declares, and what cannot be in any form of events."""

from __future__ import annotations

import re

import polars as pl

from cartrial.sdtm.mapping.model import Check, Mapping, Rule
from cartrial.sdtm.mapping.rules import Made
from cartrial.sdtm.mapping.sheet import Sheet, column_letter, place_of, runs
from cartrial.sdtm.mapping.values import is_missing
from cartrial.sdtm.source import finding
from cartrial.sdtm.vocabulary.dates import earliest_day, latest_day
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import canonical, standard_term

__all__ = ["form_quirks", "run_checks"]

# what a rule, or its column, is called that holds the first of a subject's responses, and the best
_FIRST, _BEST = r"FIRST|INITIAL|ERST|PREMI|PRIMER|首次|第一", r"BEST|BESTE|MEILLEUR|MEJOR|MIGLIOR|最佳|最好"


def run_checks(mapping: Mapping, sheets: dict[str, Sheet], subjects: dict[str, pl.DataFrame], made: list[Made]) -> list[dict[str, object]]:
    """Run the checks of a mapping.

    Parameters
    ----------
    mapping : Mapping
    sheets : dict of str to Sheet
        By table.
    subjects : dict of str to polars.DataFrame
        ROW and USUBJID, by table.
    made : list of Made
        What each rule made.

    Returns
    -------
    list of dict
        Records of the findings frame; a check that finds nothing gives one note that says so.
    """
    run = {"flag": _flag, "range": _range, "marked": _marked, "pile-up": _pile_up}
    found: list[dict[str, object]] = []
    quiet: list[str] = []
    for index, check in enumerate(mapping.checks):
        table = mapping.table_of(check)
        records = run[check.check](mapping, sheets[table], subjects[table], made, index, check)
        found += records
        if not records:
            quiet.append(check.meaning)
    if quiet:
        message = f"{len(quiet)} of {len(mapping.checks)} checks of the mapping found nothing: {'; '.join(quiet)}."
        found.append(finding("checks-passed", "note", message, file=next(iter(sheets.values())).file))
    return found


def _most(values: pl.Series) -> float:
    return float(values.to_numpy().max())


def _cells_word(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"


def _column(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame, column: int, name: str) -> pl.DataFrame:
    cells = sheet.cells.filter((pl.col("COL") == column) & ~is_missing(mapping))
    return cells.select("ROW", pl.col("TEXT").alias(f"{name}_TEXT"), pl.col("NUM").alias(f"{name}_NUM")).join(
        subjects, on="ROW", how="semi"
    )


def _flag(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame, made: list[Made], index: int, check: Check) -> list[dict[str, object]]:
    assert check.flag is not None and check.value is not None
    flag, value = sheet.resolve(check.flag, mapping, "checks", index, "flag"), sheet.resolve(check.value, mapping, "checks", index, "value")
    frame = subjects.join(_column(mapping, sheet, subjects, flag, "FLAG"), on="ROW", how="left").join(
        _column(mapping, sheet, subjects, value, "VALUE"), on="ROW", how="left"
    )
    if check.present:
        says = pl.col("VALUE_TEXT").is_not_null()
    elif check.is_:
        says = pl.col("VALUE_TEXT").is_in(check.is_)
    else:
        says = pl.col("VALUE_NUM") >= check.at_least if check.at_least is not None else pl.col("VALUE_NUM") > check.above
    wrong = frame.with_columns(SAYS=says).filter(
        (pl.col("FLAG_TEXT").is_in(check.yes) & ~pl.col("SAYS")) | (pl.col("FLAG_TEXT").is_in(check.no) & pl.col("SAYS"))
    )
    found = [
        finding(
            "flag-contradicts",
            check.severity,
            f"{check.meaning}: {sheet.label(flag)} is {flag_text} and {sheet.label(value)} is {value_text or 'blank'}. Nothing is changed.",
            file=sheet.file,
            row=row,
            usubjid=usubjid,
            variable=f"{column_letter(flag)}, {column_letter(value)}",
        )
        for row, usubjid, flag_text, value_text in wrong.select("ROW", "USUBJID", "FLAG_TEXT", "VALUE_TEXT").rows()
    ]
    unknown = frame.filter(pl.col("FLAG_TEXT").is_not_null() & ~pl.col("FLAG_TEXT").is_in([*check.yes, *check.no]))
    for row, usubjid, text in unknown.select("ROW", "USUBJID", "FLAG_TEXT").rows():
        message = f"{sheet.label(flag)} is '{text}', neither {'/'.join(check.yes)} nor {'/'.join(check.no)}."
        found.append(
            finding("flag-unknown", check.severity, message, file=sheet.file, row=row, usubjid=usubjid, variable=column_letter(flag))
        )
    return found


def _cells(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame, made: list[Made], index: int, check: Check) -> pl.DataFrame:
    columns = sheet.resolve_all(check.columns, mapping, "checks", index, "columns") if check.columns is not None else []
    for name in check.rules:
        position = next(i for i, rule in enumerate(mapping.rules) if rule.id == name)
        columns += [column for column, use in made[position].columns.items() if use == "value"]
    cells = sheet.cells.filter(pl.col("COL").is_in(columns)) if columns else sheet.cells
    return cells.filter(~is_missing(mapping)).join(subjects, on="ROW")


def _range(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame, made: list[Made], index: int, check: Check) -> list[dict[str, object]]:
    cells = _cells(mapping, sheet, subjects, made, index, check)
    number = pl.col("NUM").floor() if check.whole_days else pl.col("NUM")
    low, high = check.from_ if check.from_ is not None else float("-inf"), check.to if check.to is not None else float("inf")
    limits = " and ".join(
        part
        for part in (
            f"at least {check.from_:g}" if check.from_ is not None else "",
            f"at most {check.to:g}" if check.to is not None else "",
        )
        if part
    )
    return [
        finding(
            "outside-range",
            check.severity,
            f"{check.meaning}: cell {column_letter(column)}{row}, {sheet.label(column)}, is {text} and should be {limits}.",
            file=sheet.file,
            row=row,
            usubjid=usubjid,
            variable=column_letter(column),
        )
        for row, column, usubjid, text in cells.filter(~number.is_between(low, high))
        .sort("COL", "ROW")
        .select("ROW", "COL", "USUBJID", "TEXT")
        .rows()
    ]


def _marked(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame, made: list[Made], index: int, check: Check) -> list[dict[str, object]]:
    colour = "FILL" if check.by == "fill" else "FONT"
    marks = sheet.marks.filter(pl.col(colour).is_not_null()).join(subjects, on="ROW")
    if check.colours:
        marks = marks.filter(pl.col(colour).is_in(check.colours))
    if check.columns is not None or check.rules:
        marks = marks.join(_cells(mapping, sheet, subjects, made, index, check), on=["ROW", "COL"], how="semi")
    marks = marks.join(sheet.cells, on=["ROW", "COL"], how="left").sort("COL", "ROW")
    if not marks.height:
        return []
    found: list[dict[str, object]] = []
    name = "fill" if check.by == "fill" else "font"
    for (text,), part in marks.group_by("TEXT", maintain_order=True):
        cells = ", ".join(f"{column_letter(column)}{row}" for row, column in part.select("ROW", "COL").rows())
        colours = ", ".join(sorted(part[colour].unique().to_list()))
        where = f"({colours}) in {_cells_word(part.height)}: {cells}"
        message = f"{check.meaning}: {text or 'blank'} stands with a {name} colour {where}. Kept as it stands."
        one = part.row(0, named=True) if part.height == 1 else {}
        found.append(
            finding(
                "marked-cell",
                check.severity,
                message,
                file=sheet.file,
                row=one.get("ROW"),
                usubjid=one.get("USUBJID"),
                variable=runs(part["COL"].to_list()),
            )
        )
    found += _same_unmarked(sheet, subjects, marks, check) if check.same_header else []
    return found


def _same_unmarked(sheet: Sheet, subjects: pl.DataFrame, marks: pl.DataFrame, check: Check) -> list[dict[str, object]]:
    """Say where a marked number, or a higher one, stands under the same header without the mark."""
    known = marks.filter(pl.col("NUM").is_not_null()).with_columns(_header(sheet)).select("HEADER", "NUM").unique()
    cells = (
        sheet.cells.filter(pl.col("NUM").is_not_null())
        .join(subjects, on="ROW")
        .join(marks, on=["ROW", "COL"], how="anti")
        .with_columns(_header(sheet))
        .sort("COL", "ROW")
    )
    found = []
    for (header, text), part in cells.join(known, on=["HEADER", "NUM"]).group_by("HEADER", "TEXT", maintain_order=True):
        places = ", ".join(f"{column_letter(column)}{row}" for row, column in part.select("ROW", "COL").rows())
        message = f"{check.meaning}: {text} under '{header}' stands without the colour in {_cells_word(part.height)}: {places}."
        found.append(finding("unmarked-cell", check.severity, message, file=sheet.file, variable=runs(part["COL"].to_list())))
    lowest = known.group_by("HEADER").agg(pl.col("NUM").min().alias("LEAST"))
    above = cells.join(lowest, on="HEADER").filter(pl.col("NUM") > pl.col("LEAST"))
    for (header, least), part in above.sort("HEADER", "COL", "ROW").group_by("HEADER", "LEAST", maintain_order=True):
        more = f"hold more than the coloured {least:g} and have no colour; the highest value is {_most(part['NUM']):g}"
        message = f"{check.meaning}: {_cells_word(part.height)} under '{header}' {more}."
        found.append(finding("unmarked-cell", check.severity, message, file=sheet.file, variable=runs(part["COL"].to_list())))
    return found


def _header(sheet: Sheet) -> pl.Expr:
    return (
        pl.col("COL").replace_strict({column: names[-1] for column, names in sheet.headers.items()}, return_dtype=pl.String).alias("HEADER")
    )


def _pile_up(mapping: Mapping, sheet: Sheet, subjects: pl.DataFrame, made: list[Made], index: int, check: Check) -> list[dict[str, object]]:
    cells = _cells(mapping, sheet, subjects, made, index, check).filter(pl.col("NUM").is_not_null()).with_columns(_header(sheet))
    spread = cells.group_by("HEADER").agg(
        pl.len().alias("N"), pl.col("NUM").median().alias("MEDIAN"), pl.col("NUM").quantile(0.95, "nearest").alias("HIGH")
    )
    counts = (
        cells.group_by("HEADER", "NUM", "TEXT").len("TIMES").join(spread, on="HEADER").with_columns(SHARE=pl.col("TIMES") / pl.col("N"))
    )
    low = counts.filter((pl.col("SHARE") >= check.low_share) & (pl.col("NUM") <= pl.col("MEDIAN")))
    high = counts.filter((pl.col("TIMES") >= check.top_count) & (pl.col("NUM") >= pl.col("HIGH")))
    found = []
    for part, end in ((low, "lower"), (high, "upper")):
        for (header,), values in part.sort("HEADER", "NUM").group_by("HEADER", maintain_order=True):
            shown = ", ".join(f"{text} ({times} times)" for text, times in values.select("TEXT", "TIMES").rows())
            beyond = counts.filter((pl.col("HEADER") == header) & (pl.col("NUM") > values["NUM"].max()))
            more = f" Higher values: {beyond['TIMES'].sum()}, up to {_most(beyond['NUM']):g}." if end == "upper" and beyond.height else ""
            guess = f"probably {end} limits of the assay written as numbers.{more} Kept as they stand."
            message = f"{check.meaning}: of {values['N'][0]} values under '{header}', {shown}: {guess}"
            found.append(finding("pile-up", check.severity, message, file=sheet.file, variable=str(header)))
    return found


def form_quirks(mapping: Mapping, sheets: dict[str, Sheet], made: list[Made], domains: dict[str, pl.DataFrame]) -> list[dict[str, object]]:
    """Return what a form of events says of a subject that cannot be, as findings; nothing of a sheet of visits.

    Parameters
    ----------
    mapping : Mapping
    sheets : dict of str to Sheet
    made : list of Made
        What each rule made.
    domains : dict of str to polars.DataFrame

    Returns
    -------
    list of dict
        Records of the findings frame, rules: response-order, infusion-blank.
    """
    if mapping.level != "events":
        return []
    return [*_order(mapping, sheets, made), *_never_infused(sheets, domains)]


def _of(rule: Rule, pattern: str) -> bool:
    names = [rule.id, *([str(rule.column)] if rule.column is not None else [])]
    called = any(re.search(pattern, name.upper()) for name in names)
    code = rule.test.code if rule.test is not None else None
    return rule.domain == "RS" and rule.into is None and standard_term(code or "", "RSTESTCD") == "OVRLRESP" and called


def _order(mapping: Mapping, sheets: dict[str, Sheet], made: list[Made]) -> list[dict[str, object]]:
    dates = []
    for pattern in (_FIRST, _BEST):
        frames = [
            part.frame.select("USUBJID", "ROW", pl.lit(mapping.table_of(rule)).alias("TABLE"), pl.col("DATE").cast(pl.String))
            for part, rule in zip(made, mapping.rules, strict=True)
            if _of(rule, pattern) and part.frame.height and "DATE" in part.frame.columns
        ]
        if not frames:
            return []
        dates.append(pl.concat(frames))
    first, best = dates
    both = first.join(best.select("USUBJID", pl.col("DATE").alias("OTHER")), on="USUBJID")
    both = both.filter(earliest_day(pl.col("DATE")) > latest_day(pl.col("OTHER"))).sort("ROW")
    return [
        finding(
            "response-order",
            "warning",
            f"The first response is dated {date}, after the best one, {other}: durations count from the earlier of the two.",
            file=sheets[table].file,
            row=row,
            domain="RS",
            usubjid=usubjid,
            variable="RSDTC",
        )
        for usubjid, row, table, date, other in both.select("USUBJID", "ROW", "TABLE", "DATE", "OTHER").rows()
    ]


def _never_infused(sheets: dict[str, Sheet], domains: dict[str, pl.DataFrame]) -> list[dict[str, object]]:
    """Subjects with a response and without an infusion, whose product was not given up either."""
    rs, ex, ds = (domains.get(name) for name in ("RS", "EX", "DS"))
    if rs is None:
        return []
    out = [] if ex is None else ex.filter(happened(ex, "EX"))["USUBJID"].to_list()
    if ds is not None and "DSDECOD" in ds.columns:
        out += ds.filter(canonical(pl.col("DSDECOD"), "DSDECOD") == "PRODUCT FAILURE")["USUBJID"].to_list()
    told = rs.filter(~pl.col("USUBJID").is_in(out)).unique("USUBJID", keep="first", maintain_order=True)
    found = []
    for usubjid, row in told.select("USUBJID", "ROW").rows():
        file, at = place_of(sheets, row)
        message = f"{usubjid} has a response and no date of infusion, and is in no rate or duration of the infused."
        found.append(finding("infusion-blank", "warning", message, file=file, row=at, domain="EX", usubjid=usubjid, variable="EXSTDTC"))
    return found
