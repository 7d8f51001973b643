"""What is each subject's value, why, and from which record?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from markupsafe import Markup

from cartrial.endpoints.rules.codes import COMPETING_FROM
from cartrial.report.page.blocks import Block, Details, Section, Table, Text
from cartrial.report.page.rows import Cell
from cartrial.report.study.data import EVENT_WORDS, ReportData, reason_words
from cartrial.report.study.overview import overview_blocks
from cartrial.report.study.phrases import variant_words
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.study import Study

__all__ = ["build", "source_text"]

ANSWERS = {"Y": "yes", "N": "no", "NYA": "not yet assessable"}


def source_text(row: Mapping[str, object]) -> str:
    """Return the source record of a derived row, e.g. ``RS 3``."""
    where = " ".join(str(part) for part in (row.get("SRCDOM"), row.get("SRCSEQ")) if part is not None and part != "")
    return where


def build(data: ReportData) -> Section:
    """Return the listing of each subject's endpoint values, one folded table an endpoint."""
    title = "Each subject's values"
    blocks: list[Block] = []
    rate = data.adam.adrs.sort("PARAMCD", "SUBJ") if data.adam.adrs.height else data.adam.adrs
    time = data.adam.adtte.sort("PARAMCD", "SUBJ") if data.adam.adtte.height else data.adam.adtte
    for endpoint in data.study.endpoints:
        frame, head, cells = (time, TIME_HEAD, _time) if endpoint.type == "time-to-event" else (rate, RATE_HEAD, _rate)
        mine = frame.filter(pl.col("PARAMCD") == endpoint.id)
        if mine.is_empty():
            continue
        main, other = _split(mine)
        rows = [cells(data, row) for row in main.iter_rows(named=True)]
        caption = f"{endpoint.label} ({endpoint.id}), main analysis"
        tables: list[Block] = [Table(head, rows, caption, small=True, name=f"listing-{endpoint.id}")]
        if other.height:
            changed = [
                (cells(data, row)[0], variant_words(row["VARIANT"], endpoint.type), *cells(data, row)[1:])
                for row in other.iter_rows(named=True)
            ]
            tables.append(
                Table(
                    (head[0], "Variant", *head[1:]),
                    changed,
                    "Variants in which a subject's value differs from the main analysis",
                    small=True,
                    name=f"changed-{endpoint.id}",
                )
            )
        blocks.append(Details(f"{endpoint.label} ({endpoint.id}): {main.height} subjects", tables, printed=False))
    if data.study.study.listing_only:
        said = "The table shows what was recorded, as it was collected; nothing is derived or estimated from it."
        return Section("listing", title, [Text(said), *_recorded(data)], "Listing")
    if not blocks:
        return Section("listing", title, [Text("No endpoint has a value of any subject, so nothing is listed.")], "Listing")
    said = Markup(
        "Source: the domain and sequence number of the record that decided the value. The same rows, with every variant, "
        "stand in adam/ADRS and adam/ADTTE. <code>cartrial explain</code> shows one subject in full."
    )
    return Section("listing", title, [*overview_blocks(data), Text(said), *blocks], "Listing")


RATE_HEAD = ("Subject", "Response", "Reason", "Date", "Day", "Source", "Rule")
TIME_HEAD = ("Subject", "Days", "Event or censored", "Date", "Day", "Source", "Rule")


def _split(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the main rows, and those of variants whose value differs from the subject's main one."""
    main = frame.filter(pl.col("VARIANT") == "")
    other = frame.filter(pl.col("VARIANT") != "")
    names = [name for name in ("AVAL", "AVALC", "CNSR", "EVNTDESC") if name in frame.columns]
    both = other.join(main.select("SUBJ", *names), on="SUBJ", how="left", suffix="_MAIN")
    differs = pl.any_horizontal(~pl.col(name).eq_missing(pl.col(f"{name}_MAIN")) for name in names)
    return main, both.filter(differs).sort("SUBJ", "VARIANT")


def _when(row: dict[str, Any]) -> tuple[Cell, Cell]:
    return (row["ADT"].isoformat() if row["ADT"] else "", "" if row["CARDAY"] is None else row["CARDAY"])


def _rate(data: ReportData, row: dict[str, Any]) -> tuple[Cell, ...]:
    reason = "" if row["REASON"] == "response" else reason_words(data.study, row["REASON"] or "")
    return (
        data.link(row["SUBJ"]),
        ANSWERS.get(row["AVALC"], row["AVALC"] or ""),
        reason,
        *_when(row),
        source_text(row),
        row["RULE"] or "",
    )


def _time(data: ReportData, row: dict[str, Any]) -> tuple[Cell, ...]:
    if row["CNSR"] is None:
        return (data.link(row["SUBJ"]), "", (row["RULE"] or "").partition(":")[0], *_when(row), source_text(row), row["RULE"] or "")
    words = EVENT_WORDS.get(row["EVNTDESC"], row["EVNTDESC"] or "")
    competes = row["CNSR"] >= COMPETING_FROM
    said = words if row["CNSR"] == 0 else (f"{words} (competing)" if competes else f"censored: {words}")
    days = "" if row["AVAL"] is None else f"{row['AVAL']:g}"
    return (data.link(row["SUBJ"]), days, said, *_when(row), source_text(row), row["RULE"] or "")


def _recorded(data: ReportData) -> list[Block]:
    """Return what was recorded of each subject, where that is all a report can show."""
    if data.source is None or data.hidden:
        return []
    columns: dict[str, dict[str, list[str]]] = {}
    for domain, frame in sorted(
        data.source.domains.items(), key=lambda item: DOMAINS.index(item[0]) if item[0] in DOMAINS else len(DOMAINS)
    ):
        if "USUBJID" not in frame.columns or domain not in DOMAINS:
            continue
        for row in frame.filter(happened(frame, domain)).iter_rows(named=True):
            for name, text in _values(data.study, domain, row):
                columns.setdefault(name, {}).setdefault(row["USUBJID"], []).append(text)
    subjects = list(dict.fromkeys(data.source.domains["DM"]["USUBJID"].to_list()))
    rows = [(subject, *("; ".join(values.get(subject, ())) for values in columns.values())) for subject in subjects]
    return [Table(("Subject", *columns), rows, "What was recorded of each subject", wide=True, name="recorded")]


DOMAINS = ("DM", "EX", "RS", "LB", "FA", "AE", "PR", "CM", "DS", "SS")


def _values(study: Study, domain: str, row: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the columns and texts that a source record gives to a listing."""
    if domain == "DM":
        return [
            (name.capitalize(), f"{row[name]:g}" if isinstance(row[name], float) else str(row[name]))
            for name in ("AGE", "SEX")
            if row.get(name) is not None
        ]
    if domain == "EX":
        dose = f"{row['EXDOSE']:g} {row.get('EXDOSU') or ''}".strip() if row.get("EXDOSE") is not None else "given, dose not recorded"
        name = str(row.get("EXTRT") or "exposure")
        return [("Dose of the product" if name.upper() in study.product.exposure else f"Dose of {name.lower()}", dose)]
    names = {
        "AE": ("AEDECOD", "Adverse events"),
        "PR": ("PRTRT", "Procedures"),
        "CM": ("CMTRT", "Therapies"),
        "DS": ("DSDECOD", "Disposition"),
    }
    if domain in names:
        variable, title = names[domain]
        return [(title, str(row[variable]).capitalize())] if row.get(variable) else []
    value = row.get(f"{domain}ORRES") or row.get(f"{domain}STRESC")
    if value is None:
        return []
    unit = row.get(f"{domain}ORRESU") or row.get(f"{domain}STRESU")
    title = row.get(f"{domain}TEST") or (row.get(f"{domain}CAT") or "").capitalize() or f"{domain} {row.get(f'{domain}TESTCD') or ''}"
    onwards = ", ongoing" if row.get(f"{domain}ENRTPT") == "ONGOING" else ""
    return [(f"{title} ({unit.lower() if unit.isupper() else unit})" if unit else title, f"{value}{onwards}")]
