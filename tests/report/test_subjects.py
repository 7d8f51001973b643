"""Does the page show each subject as the records and the derived sets have it, and is it reached from everywhere?

Origin of every expected value: `by hand`, from the files of the worked example and of tests/truth, read line by line.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.analysis import analyse
from cartrial.endpoints import derive
from cartrial.report import explain_subject, write_report
from cartrial.report.figures.course import Course, Measure, Sheet, draw_course
from cartrial.report.page.values import write_values
from cartrial.report.study.subject.course import derive_courses
from cartrial.sdtm import Source, read_sdtm
from cartrial.sdtm.records import Records, derive_records
from cartrial.sdtm.source import no_findings
from cartrial.study import Study
from helpers import ROOT, WORKED
from report_example import figures_of, invent


def sheets_of(text: str) -> dict[str, str]:
    """The sheets of a page by their address."""
    return dict(re.findall(r'<aside class="sheet" id="([^"]*)"(.*?)</aside>', text, re.S))


def cells_of(sheet: str, caption: str) -> list[list[str]]:
    """The rows of the table of a caption, its head first."""
    table = next(part for part in sheet.split("<figure") if caption in part)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.S)
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in rows]


def courses_of(text: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The rows of every subject's figure, unpacked as the page's script does it."""
    found = json.loads(re.search(r'id="subject-courses">(.*?)</script>', text, re.S)[1])  # type: ignore[index]

    def row(columns: list[str], values: list[Any]) -> dict[str, Any]:
        named = {name: value for name, value in zip(columns, values, strict=False) if value is not None}
        return {name: found["words"][value] if name in found["worded"] else value for name, value in named.items()}

    return {
        name: {key: [row(found["columns"][key], values) for values in rows] for key, rows in own["rows"].items()}
        for name, own in found["subjects"].items()
    }


@pytest.fixture(scope="module")
def apart(worked_report: Path) -> str:
    """The page of the sheets of the worked example: 149 subjects, more than stand on a report."""
    return (worked_report / "subjects.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def records() -> Records:
    return derive_records(Study.load(WORKED), read_sdtm(WORKED / "data"))


def test_a_sheet_shows_one_subject_as_its_files_have_it(apart: str) -> None:
    """WORKED-02: lb.csv and rs.csv. CRi on day 28 and a relapse on day 90 by the committee, dead on day 140 (dm.csv)."""
    sheet = sheets_of(apart)["subject-02"]
    reads = cells_of(sheet, "Assessments by reader")
    head = reads[0]
    by_day = {row[0]: dict(zip(head, row, strict=True)) for row in reads[1:]}
    assert by_day["28"]["Committee"] == "CRi" and by_day["28"]["Date"] == "2022-01-29"
    assert by_day["90"]["Committee"] == "RELAPSE" and "rs.csv row" in by_day["90"]["Source"]
    values = {row[0]: row[1:] for row in cells_of(sheet, "Each endpoint")[1:]}
    said, when, why, source = values["Overall response rate at month 3 (ORR3)"]
    assert said.startswith("No response") and when == "2022-04-01, day 90" and why and "rs.csv row" in source
    assert values["Overall survival (OS)"][:2] == ["Event after 141 days: death", "2022-05-21, day 140"]
    assert "Died: 2022-05-21, day 140." in sheet and "Cytokine release syndrome, grade 2: 2022-01-03, day 2 to day 7." in sheet
    assert "day 28: 0.8; day 90: 1.4" in sheet  # neutrophils of lb.csv


@pytest.mark.shows("RULE-6.16")
def test_each_number_of_a_course_is_a_record(apart: str, records: Records, worked_report: Path) -> None:
    """Of all subjects: every sample is a laboratory record of its day, every status a row of ADRESP."""
    labs = records.labs.join(records.subjects.select("SUBJ", "USUBJID", "DAY0"), on="SUBJ").with_columns(AT=pl.col("DAY") - pl.col("DAY0"))
    known = set(labs.select(pl.col("USUBJID").str.replace("WORKED-", "subject-"), "AT", pl.coalesce("VALUE", "LIMIT")).iter_rows())
    read = pl.read_parquet(worked_report / "adam" / "ADRESP.parquet").select("USUBJID", "CARDAY", "AVALC")
    statuses = {(name.replace("WORKED-", "subject-"), day, status) for name, day, status in read.iter_rows()}
    counted = 0
    for name, sets in courses_of(apart).items():
        assert all((name, row["d"], row["s"]) in statuses for row in sets["statuses"])
        for key, rows in sets.items():
            if not key.startswith("samples"):
                continue
            for row in rows:
                counted += 1
                assert (name, row["d"], row["v"]) in known or row.get("k"), (name, key, row)
    assert counted > 600


def test_a_figure_of_a_course_is_vega_lite() -> None:
    altair = pytest.importorskip("altair")
    import jsonschema

    sheet = Sheet(
        ["committee"], ["CR", "NR"], ["product"], [Measure("a", "a, %", 0, 100, False), Measure("b", "b", 0.1, 10, True, joined=False)]
    )
    course = Course(
        "07", -20, 200, [(28, "committee", "CR")], [(-5, -3, "product", "x")], [(0, "infusion")], {"a": [(1, 2, "<2", "below")]}
    )
    schema = json.loads((Path(altair.__file__).parent / "vegalite" / "v6" / "schema" / "vega-lite-schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    for document in (draw_course(sheet, course, band="BAND"), draw_course(sheet)):
        assert not [error.message for error in validator.iter_errors(document)]
    assert draw_course(sheet, course)["datasets"]["samples-0"] == [{"d": 1, "v": 2, "w": "<2", "k": "below"}]


def test_above_100_subjects_their_sheets_stand_apart(worked_report: Path, apart: str) -> None:
    """149 subjects: the report links to each from listing and swimmer, and has none; each link leads somewhere."""
    report = (worked_report / "report.html").read_text(encoding="utf-8")
    names = set(sheets_of(apart))
    assert len(names) == 149 and not sheets_of(report)
    linked = set(re.findall(r'href="subjects\.html#([^"]*)"', report))
    assert linked and linked <= names
    opened = {row["open"] for row in figures_of(report)["swimmer"]["datasets"]["bars"]}
    assert opened and {link.removeprefix("subjects.html#") for link in opened} <= names
    assert all(f'href="#{name}"' in apart for name in names) and 'href="report.html"' in apart


@pytest.mark.slow
def test_a_report_of_few_has_the_sheets_itself(tmp_path: Path) -> None:
    """39 subjects: links within the page; names that differ by signs alone have addresses of their own; a name is text, never markup."""
    study = Study.load("inaticel")
    adam = invent(study)
    hostile = ["A/1", "A 1", "<script>alert(1)</script>", "é&\"'"]
    names = {f"EX-{i + 1:03d}": name for i, name in enumerate(hostile)}
    frames = ("adsl", "adrs", "adtte", "adae", "adck", "adresp")
    from dataclasses import replace

    adam = replace(adam, **{name: getattr(adam, name).with_columns(pl.col("USUBJID").replace(names)) for name in frames})
    write_report(study, None, adam, analyse(study, adam), no_findings(), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    sheets = sheets_of(text)
    assert len(sheets) == 39 and not (tmp_path / "subjects.html").exists()
    assert {"subject-A-1", "subject-A-1--2"} <= set(sheets)
    assert "<script>alert" not in text and "onclick" not in text
    assert set(re.findall(r'href="#(subject-[^"]*)"', text)) == set(sheets)
    assert set(courses_of(text)) == set(sheets)


def test_an_event_without_a_term_has_its_line() -> None:
    """By hand: REIN-01 has an event of grade 4 on day 2 that nobody coded."""
    folder = ROOT / "tests" / "truth" / "reinfusion"
    study, source = Study.load(folder), read_sdtm(folder / "data")
    one = {"STUDYID": ["REIN"], "USUBJID": ["REIN-01"], "AESEQ": [1], "AETERM": ["fever"], "AEDECOD": [None], "AETOXGR": ["4"]}
    event = pl.DataFrame(one | {"AESTDTC": ["2022-01-03"], "ROW": [2]}, schema_overrides={"AEDECOD": pl.String})
    source = Source({**source.domains, "AE": event}, source.files)
    assert "Event that is not coded, grade 4: 2022-01-03, day 2." in explain_subject(study, derive(study, source), source, "01", width=200)


def test_explain_says_where_no_enrolment_was_recorded() -> None:
    """By hand, tests/truth/lymphoma: DS has no enrolment; lymphodepletion, the first later step, was on 2021-12-29."""
    folder = ROOT / "tests" / "truth" / "lymphoma"
    study, source = Study.load(folder), read_sdtm(folder / "data")
    said = explain_subject(study, derive(study, source), source, "LYM-02", width=200)
    assert "Enrolled: 2021-12-29; not recorded, the first later step stands for it." in said


@pytest.mark.slow
def test_explain_tells_of_a_reinfusion_and_of_what_has_no_date() -> None:
    """tests/truth/reinfusion, REIN-01: a second infusion on 2022-03-02, row 9 of ex.csv. A record whose date is taken away is named."""
    folder = ROOT / "tests" / "truth" / "reinfusion"
    study, source = Study.load(folder), read_sdtm(folder / "data")
    said = explain_subject(study, derive(study, source), source, "01", width=200)
    assert "Re-infusion of the product (5·10⁷ cells): 2022-03-02, day 60. Source: EX 8 (ex.csv row 9)." in said
    assert "Without a date" not in said
    rs = source.domains["RS"].with_columns(
        pl.when((pl.col("USUBJID") == "REIN-01") & (pl.col("RSSEQ") == 3)).then(None).otherwise("RSDTC").alias("RSDTC")
    )
    undated = Source({**source.domains, "RS": rs}, source.files)
    said = explain_subject(study, derive(study, undated), undated, "01", width=200)
    assert "Without a date, 1 record of RS: OVRLRESP CR (RS 3 (rs.csv row 4))." in said


def test_explain_says_variants_in_words() -> None:
    """By hand, of REIN-01: no code of a strategy, a population or a window stands in any line."""
    folder = ROOT / "tests" / "truth" / "reinfusion"
    study, source = Study.load(folder), read_sdtm(folder / "data")
    said = explain_subject(study, derive(study, source), source, "01", width=400)
    assert "Variant (" in said or "The same in the variants (" in said
    assert not re.search(r"\b[a-z-]+=[a-zA-Z0-9]", said), said


def test_a_negative_sample_stands_at_its_limit_of_detection(records: Records) -> None:
    """WORKED-01, lb.csv: MRD NEGATIVE by NGS, limit of detection 1e-6, on day 28; CAR-T <50 copies on day 0."""
    study = Study.load(WORKED)
    courses = derive_courses(study, invent(study, 5), records, {})
    samples = courses.subjects[0].samples
    assert samples["mrd"][0] == (28.0, 1e-6, "negative, ngs, limit of detection 10⁻⁶", "below")
    assert samples["copies"][0] == (0.0, 50.0, "<50", "below")
    assert samples["marrow"][0] == (-12.0, 60.0, "60", "")


def test_values_behind_a_page_have_all_their_digits() -> None:
    """By hand: rows 0 and 2 are printed, once each; a row that is not printed is not there."""
    row = dict.fromkeys(("variant", "by", "level", "unit", "endpoint"), "") | {"analysis": "a", "statistic": "n", "time": None}
    rows = [row | {"value": 1 / 3}, row | {"value": 2.0}, row | {"value": None}]
    found = json.loads(write_values('<i data-key="2">NE</i><i data-key="0">0.3</i><i data-key="0">0.3</i><i data-key="9">x</i>', rows))
    assert {key: values[-1] for key, values in found["rows"].items()} == {"0": 1 / 3, "2": None}
