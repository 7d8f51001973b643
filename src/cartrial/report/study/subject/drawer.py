"""How does the page show one subject? A sheet of its own with an address, reached from figure, listing and findings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from cartrial.report.figures.course import course_rows, course_signals, draw_course
from cartrial.report.page.blocks import Block, Definition, Table, Text
from cartrial.report.page.render import render_part
from cartrial.report.page.rows import Cell
from cartrial.report.study.data import ReportData
from cartrial.report.study.phrases import variant_words
from cartrial.report.study.subject.course import Courses, derive_courses, measure_lines
from cartrial.report.study.subject.history import Histories, when_words
from cartrial.report.study.subject.places import Places, reader_name
from cartrial.report.study.subject.values import answer_words

__all__ = ["render_subjects"]

# columns of the rows of a figure, and those of them that are words
COLUMNS, WORDS = ("d", "v", "r", "s", "w", "k", "e"), ("r", "s", "w", "k")
VALUES = ("Endpoint", "Value", "When", "Why", "Source")


def render_subjects(data: ReportData) -> Markup:
    """Return the sheets of all subjects, and what their figures are drawn of, as HTML of a page."""
    courses = derive_courses(data.study, data.adam, data.records, data.labels, hidden=data.hidden)
    places = Places(None if data.hidden else data.source)
    histories = Histories(data.study, data.adam, data.records, places, hidden=data.hidden)
    values = {name: _by_subject(frame) for name, frame in (("rate", data.adam.adrs), ("time", data.adam.adtte))}
    reads = _by_subject(data.adam.adresp)
    rows = data.adam.adsl.sort("SUBJ").to_dicts()
    found = []
    for i, row in enumerate(rows):
        subject = row["SUBJ"]
        near = [
            data.link(rows[j]["SUBJ"], arrow, near=True) if 0 <= j < len(rows) else Markup("")
            for j, arrow in ((i - 1, "‹ {}"), (i + 1, "{} ›"))
        ]
        found.append(
            {
                "id": data.addresses[subject],
                "name": data.labels[subject],
                "facts": _facts(data, row),
                "before": near[0],
                "after": near[1],
                "drawn": subject in courses.subjects,
                "samples": _samples(data, courses, subject),
                "history": histories.of(row),
                "blocks": [
                    *_assessments(data, places, row, reads.get(subject, [])),
                    *_values(data, places, row, {name: own.get(subject, []) for name, own in values.items()}),
                ],
            }
        )
    return render_part("subjects.html.j2", subjects=found, band=data.band, courses=_documents(data, courses))


def _documents(data: ReportData, courses: Courses) -> Markup:
    """Return the figure all subjects share and the rows of each, as JSON that cannot end its element.

    A row is a list of its ``columns``, without what is missing at its end; a word is its place in ``words``.
    """
    rows = {subject: course_rows(courses.sheet, course) for subject, course in courses.subjects.items()}
    words = sorted({row[name] for own in rows.values() for found in own.values() for row in found for name in WORDS if name in row})
    place = {word: i for i, word in enumerate(words)}
    columns = {name: [key for key in COLUMNS if any(key in row for own in rows.values() for row in own[name])] for name in _names(rows)}
    own = {
        data.addresses[subject]: {
            "label": course.label,
            "signals": course_signals(course),
            "rows": {name: [_packed(row, columns[name], place) for row in found] for name, found in rows[subject].items()},
        }
        for subject, course in courses.subjects.items()
    }
    document = draw_course(courses.sheet, band=data.band)
    whole = {"document": document, "subjects": own, "columns": columns, "words": words, "worded": list(WORDS)}
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _names(rows: Mapping[int, Mapping[str, Any]]) -> list[str]:
    return list(next(iter(rows.values()), {}))


def _packed(row: Mapping[str, Any], columns: Sequence[str], place: Mapping[str, int]) -> list[Any]:
    values = [place[row[name]] if name in WORDS and name in row else _short(row.get(name)) for name in columns]
    while values and values[-1] is None:
        values.pop()
    return values


def _short(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def _facts(data: ReportData, row: Mapping[str, Any]) -> str:
    years = row.get("AGE")
    sex = {"M": "male", "F": "female"}.get(row.get("SEX") or "", row.get("SEX") or "")
    parts = [
        row["USUBJID"] if row.get("USUBJID") not in (None, data.labels[row["SUBJ"]]) else "",
        "age not recorded" if years is None else f"{years:g} years",
        sex,
        f"site {row['SITEID']}" if row.get("SITEID") else "",
        f"arm {row['ARMCD']}" if row.get("ARMCD") else "",
    ]
    return ", ".join(part for part in parts if part)


def _samples(data: ReportData, courses: Courses, subject: int) -> list[Block]:
    """Return what the figure draws in words: for who reads by keyboard or ear, or without scripts."""
    if subject not in courses.subjects:
        return [Text("Samples are told in days from an infusion, and there was none on or before the cutoff.")]
    lines = measure_lines(courses, subject)
    if not lines:
        of_disease = "blasts, residual disease, " if data.study.disease.marrow else ""
        return [Text(f"No sample of {of_disease}the product's cells or blood counts with a full date was recorded.")]
    return [Definition([(_upper(title), words) for title, words in lines])]


def _assessments(data: ReportData, places: Places, row: Mapping[str, Any], reads: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Return the statuses: a line a day, a column a reader, in each the source record of the one it was read from."""
    if not reads:
        return [Text("No disease assessment was recorded.")]
    known = ("IRC", "INV", "READER 1", "READER 2", "ADJUDICATOR", "LAB")
    names = {read["READER"] for read in reads}
    readers = [reader for reader in known if reader in names] + sorted(names - set(known))
    # residual disease is of a remission
    of_remission = data.study.disease.marrow is not None
    lines: dict[tuple[float, int], dict[str, Mapping[str, Any]]] = {}
    for read in sorted(reads, key=lambda read: (read["CARDAY"] is None, read["CARDAY"] or 0, readers.index(read["READER"]))):
        day, again = (float("inf") if read["CARDAY"] is None else float(read["CARDAY"])), 0
        # a reader's second assessment of one day has a line of its own
        while read["READER"] in lines.get((day, again), {}):
            again += 1
        lines.setdefault((day, again), {})[read["READER"]] = read
    rows: list[tuple[Cell, ...]] = []
    for (day, _), own in lines.items():
        when = when_words(next(iter(own.values()))["ADT"], None)
        mrd = "; ".join(dict.fromkeys(str(read["MRD"]).lower() for read in own.values() if read["MRD"])) if of_remission else ""
        cells: list[Cell] = [f"{day:g}" if day != float("inf") else "no day", *([] if data.hidden else [when])]
        for reader in readers:
            cells.append(_status(own[reader]) if reader in own else "")
        cells += [mrd] if of_remission else []
        from_records = dict.fromkeys(places.of(read["SRCDOM"], row["USUBJID"], read["SRCSEQ"]) for read in own.values())
        rows.append((*cells, "; ".join(place for place in from_records if place)))
    columns = [_upper(reader_name(reader, data.study.disease.family.names.derived)) for reader in readers] + (
        ["MRD"] if of_remission else []
    )
    head = ("Day", *(() if data.hidden else ("Date",)), *columns, "Source")
    return [Table(head, rows, "Assessments by reader; in brackets why one is not used", small=True)]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _status(read: Mapping[str, Any]) -> str:
    status = read["AVALC"] or ""
    if read["USABLE"] == "Y":
        return status
    return f"{status} (not used{': ' + read['REASON'] if read['REASON'] else ''})"


def _values(data: ReportData, places: Places, row: Mapping[str, Any], own: Mapping[str, list[dict[str, Any]]]) -> list[Block]:
    """Return each endpoint's value with reason and source row, and the variants in which it is another."""
    rows: list[tuple[Cell, ...]] = []
    for endpoint in data.study.endpoints:
        rate = endpoint.type != "time-to-event"
        mine = [value for value in own["rate" if rate else "time"] if value["PARAMCD"] == endpoint.id]
        main = next((value for value in mine if not value["VARIANT"]), None)
        label = f"{endpoint.label} ({endpoint.id})"
        if main is None and not mine:
            rows.append((label, f"not in the population ({endpoint.population})", "", "", ""))
            continue
        if main is not None:
            rows.append((label, *_cells(data, places, row, main, rate=rate)))
        else:
            rows.append((label, f"not in the population ({endpoint.population})", "", "", ""))
        for value in mine:
            if value["VARIANT"] and (main is None or _differs(value, main)):
                rows.append((f"with {variant_words(value['VARIANT'], endpoint.type)}", *_cells(data, places, row, value, rate=rate)))
    caption = "Each endpoint: main analysis, and variants in which this subject's value is another"
    return [Table(VALUES, rows, caption, small=True)]


def _cells(data: ReportData, places: Places, row: Mapping[str, Any], value: Mapping[str, Any], *, rate: bool) -> tuple[Cell, ...]:
    said = answer_words(data.study, value, rate=rate)
    lacks = value["AVAL"] is None and (value["RULE"] or "").startswith(("not recorded", "not derived"))
    when = when_words(None if data.hidden else value["ADT"], value["CARDAY"])
    flags = f" ({value['FLAGS'].replace(';', ', ')})" if value["FLAGS"] else ""
    return said, when, "" if lacks else f"{value['RULE'] or ''}{flags}", places.of(value["SRCDOM"], row["USUBJID"], value["SRCSEQ"])


def _differs(value: Mapping[str, Any], main: Mapping[str, Any]) -> bool:
    return any(value.get(name) != main.get(name) for name in ("AVAL", "AVALC", "CNSR", "EVNTDESC", "REASON"))


def _by_subject(frame: pl.DataFrame) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(row["SUBJ"], []).append(row)
    return found
