"""Is every number of the page a row of the results, and is the page whole, self-contained and honest about its data?"""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.analysis import analyse
from cartrial.analysis.results import sort_results
from cartrial.endpoints import derive
from cartrial.report import write_report
from cartrial.report.page.drawing import PAGE_SCRIPTS, SCRIPTS
from cartrial.report.page.rows import Rows
from cartrial.report.study.data import ReportData
from cartrial.report.study.sections import SECTIONS
from cartrial.report.study.write import page_sections
from cartrial.sdtm import check_sdtm, read_sdtm
from cartrial.sdtm.source import no_findings
from cartrial.study import Study, describe_endpoint
from helpers import ROOT
from report_example import figures_of, invent, without_scripts
from sdtm_example import read_tables, small_study, small_tables

EXAMPLES = ROOT / "examples"
RATE_WORDS = ("ignored", "no response after it", "last status before it")
VOID = {"meta", "br", "img", "line", "path", "rect", "circle", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page into keyed texts, cells, links and sections."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[tuple[str, dict[str, str]]] = []
        self.keyed: list[tuple[int, str]] = []
        self.cells: list[dict[str, Any]] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: dict[str, str] = {}
        self.feed(re.sub(r"<script>.*?</script>", "<script></script>", text, flags=re.S))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.links.extend(values[name] for name in ("href", "src", "xlink:href") if name in values)
        if tag in VOID:
            return
        self.stack.append((tag, values))
        if "data-key" in values:
            self.keyed.append((int(values["data-key"]), ""))
        if tag == "td":
            self.cells.append({"section": self.section, "class": values.get("class", ""), "text": "", "loose": ""})

    def handle_endtag(self, tag: str) -> None:
        while self.stack and self.stack[-1][0] != tag:
            self.stack.pop()
        if self.stack:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        keyed = any("data-key" in values for _, values in self.stack)
        if keyed:
            key, text = self.keyed[-1]
            self.keyed[-1] = (key, text + data)
        if any(tag == "td" for tag, _ in self.stack):
            self.cells[-1]["text"] += data
            self.cells[-1]["loose"] += "" if keyed else data
        self.words[self.section] = self.words.get(self.section, "") + data

    @property
    def section(self) -> str:
        return next((values.get("id", "") for tag, values in self.stack if tag == "section"), "")


@pytest.fixture(scope="module")
def worked(worked_report: Path) -> Path:
    """Return the folder that the worked study's report was written to."""
    return worked_report


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a report on invented subjects of the pivotal study: baseline, subgroups, competing events."""
    study = Study.load("inaticel")
    adam = invent(study)
    out = tmp_path_factory.mktemp("invented") / "out"
    write_report(study, None, adam, analyse(study, adam), no_findings(), out, seed=4)
    return out


def _read(folder: Path) -> tuple[Page, list[dict[str, Any]]]:
    return Page((folder / "report.html").read_text()), json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("name", ["worked", "invented"])
@pytest.mark.shows("FMT-report-html")
def test_each_statistic_is_printed_as_its_results_row_says(name: str, request: pytest.FixtureRequest) -> None:
    page, results = _read(request.getfixturevalue(name))
    assert len(page.keyed) > 300
    for key, text in page.keyed:
        assert text == results[key]["text"]


@pytest.mark.parametrize("name", ["worked", "invented"])
def test_no_number_in_a_table_of_statistics_comes_from_elsewhere(name: str, request: pytest.FixtureRequest) -> None:
    page, _ = _read(request.getfixturevalue(name))
    sections = ("summary", "flow", "baseline", "primary", "response", "readers", "times", "kinetics", "subgroups", "safety")
    numeric = [cell for cell in page.cells if cell["section"] in sections and cell["class"] == "num"]
    assert len(numeric) > 100
    loose = {cell["loose"].strip() for cell in numeric if re.search(r"\d", cell["loose"]) and "95 % limits" not in cell["loose"]}
    # Days of death are a listing, traced to ADSL.
    assert all(re.fullmatch(r"\d+", text) for text in loose)
    assert not [cell for cell in numeric if cell["section"] != "safety" and re.search(r"\d", cell["loose"].replace("95 %", ""))]


@pytest.mark.shows("RULE-7.1")
def test_every_rate_carries_what_it_is_a_rate_of(invented: Path) -> None:
    _, results = _read(invented)
    rates = [row for row in results if row["analysis"] == "response" and row["statistic"] == "rate"]
    text = (invented / "report.html").read_text()
    body = re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.S)
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in body]
    plain = [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in rows if len(row) == 10]
    shown = [row for row in plain if re.fullmatch(r"\d+/\d+", row[1])]
    assert len(shown) >= len({(row["endpoint"], row["variant"]) for row in rates})
    for row in shown:
        population, window, reader, transplant, therapy = row[5:10]
        assert population and window and reader
        assert transplant in RATE_WORDS and therapy.split("; ")[0] in RATE_WORDS


@pytest.mark.parametrize("name", ["worked", "invented"])
@pytest.mark.shows("FMT-report-html")
def test_page_needs_nothing_from_outside(name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(name)
    page, _ = _read(folder)
    text = (folder / "report.html").read_text()
    assert not {"link", "img", "iframe", "object"} & set(page.tags)
    assert not re.search(r"<script[^>]* src", text)
    assert "url(" not in without_scripts(text) and "@import" not in without_scripts(text)
    assert all(link.startswith(("#", "subjects.html#", "https://doi.org/")) for link in page.links)


@pytest.mark.parametrize(
    ("name", "band"), [("worked", "EXAMPLE DATA: invented, not patients"), ("invented", "VIRTUAL PATIENTS: simulated, not patients")]
)
@pytest.mark.shows("STUDY-study.provenance")
def test_band_stands_across_page_sheet_and_each_figure(name: str, band: str, request: pytest.FixtureRequest) -> None:
    text = (request.getfixturevalue(name) / "report.html").read_text()
    figures = figures_of(text)
    assert len(figures) > 7
    assert all(figure["title"] == band for figure in figures.values())
    assert f'<div class="band" role="note">{band}</div>' in text
    assert f'content: "{band}"' in text


@pytest.mark.slow
@pytest.mark.shows("STUDY-study.provenance")
def test_real_data_carry_no_band(tmp_path: Path) -> None:
    study = Study.load("inaticel")
    adam = invent(study)
    object.__setattr__(adam, "provenance", "real")
    write_report(study, None, adam, analyse(study, adam), no_findings(), tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text()
    assert "EXAMPLE DATA" not in text and "VIRTUAL PATIENTS" not in text
    assert not [name for name, figure in figures_of(text).items() if "title" in figure]
    assert "recorded data of the study" in text


@pytest.mark.shows("RULE-5.7")
def test_primary_endpoint_says_its_estimand_in_words(worked: Path) -> None:
    page, _ = _read(worked)
    study = Study.load(EXAMPLES / "worked")
    words = describe_endpoint(study, study.variants(study.endpoints[0])[0])
    for attribute in ("population", "treatment", "variable", "window", "reader", "strategies"):
        assert words[attribute] in page.words["primary"]
    assert words["summary"].removeprefix("Summary: ") in page.words["primary"]


@pytest.mark.shows("RULE-7.2", "STUDY-endpoints.test")
def test_a_null_that_is_an_assumption_gives_no_p_value(invented: Path) -> None:
    page, _ = _read(invented)
    assert "No p-value is shown" in page.words["primary"]


def test_every_section_stands_on_the_page(worked: Path) -> None:
    """By hand: the list, that on what is known, and before them the summary; one response of a worked subject has no whole date."""
    page, _ = _read(worked)
    assert len([name for name in page.words if name]) == len(SECTIONS) + 2
    assert "no whole date" in page.words["summary"]


def test_sections_without_data_say_so_in_one_line(tmp_path: Path) -> None:
    study = Study.load("inaticel")
    adam = invent(study, n=6).without("adrs", "adtte", "adae", "adck", "adresp")
    write_report(study, None, adam, analyse(study, adam), no_findings(), tmp_path / "out")
    page, _ = _read(tmp_path / "out")
    assert "No response was recorded" in page.words["response"]
    assert "No relapse or survival was recorded" in page.words["times"]
    assert "No measurement of the product" in page.words["kinetics"]
    assert "No adverse event was recorded" in page.words["safety"]
    assert "no concordance is shown" in page.words["readers"]


def test_where_nobody_was_infused_the_page_says_that_and_not_that_nothing_was_recorded(tmp_path: Path) -> None:
    """By hand: the small source has responses, an event of grade 2, a relapse and samples, all after 2022-01-01; cut before it, nobody was
    infused, and the box of the infused says 0."""
    study = small_study(tmp_path, cutoff="2021-12-28")
    source = read_tables(small_tables(), tmp_path)
    adam = derive(study, source)
    data = ReportData(study, source, adam, Rows(sort_results(analyse(study, adam))), no_findings(), "example")
    found = {section.id: str(section.blocks) for section in page_sections(data)}
    for name in ("summary", "response", "times", "kinetics", "safety"):
        assert "No subject was infused on or before the cutoff" in found[name], name
    assert "Infused (safety set)" in found["flow"]


@pytest.mark.slow
def test_methods_are_those_of_this_run(worked: Path, tmp_path: Path) -> None:
    page, results = _read(worked)
    assert "10.1093/biomet/26.4.404" in page.words["methods"]
    assert "10.1080/01621459.1958.10501452" in page.words["methods"]
    assert "10.1016/j.bbmt.2018.12.758" in page.words["methods"]
    assert ("10.1214/aos/1176350951" in page.words["methods"]) == any("Gray" in row["method"] for row in results)
    study = Study.load("inaticel")
    adam = invent(study, n=6).without("adtte")
    write_report(study, None, adam, analyse(study, adam), no_findings(), tmp_path / "out")
    page, _ = _read(tmp_path / "out")
    assert "Clopper" in page.words["methods"] and "Kaplan EL" not in page.words["methods"]


@pytest.mark.slow
def test_names_from_the_data_cannot_become_markup(tmp_path: Path) -> None:
    study = Study.load("inaticel")
    adam = invent(study, n=6, name="EX-{:03d}<script>alert(1)</script>&")
    write_report(study, None, adam, analyse(study, adam), no_findings(), tmp_path / "out")
    page, _ = _read(tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text()
    # the scripts of the figures and of the subjects' sheets, what they draw, the values of tables, and no other
    assert page.tags.count("script") == text.count("<script") == len(SCRIPTS) + 5 + len(PAGE_SCRIPTS)
    assert "alert(1)" in str(figures_of(text)) and "<script>alert(1)</script>&" in page.words["listing"]


@pytest.mark.slow
@pytest.mark.shows("STUDY-study.listing-only")
def test_listing_only_study_shows_its_subjects_and_why_nothing_is_estimated(tmp_path: Path) -> None:
    folder = EXAMPLES / "brudno2016"
    study = Study.load(folder)
    source = read_sdtm(folder / "data", mapping=folder / "mapping.yaml")
    adam = derive(study, source)
    write_report(study, source, adam, analyse(study, adam), check_sdtm(study, source), tmp_path / "out")
    page, results = _read(tmp_path / "out")
    assert results == [] and page.keyed == []
    assert "Nothing is estimated" in page.words["why"]
    assert len([cell for cell in page.cells if cell["section"] == "listing" and re.fullmatch(r"P\d+", cell["text"])]) == 15


@pytest.mark.parametrize("name", ["worked", "invented"])
def test_the_page_speaks_in_words(name: str, request: pytest.FixtureRequest) -> None:
    """By hand: no code of a strategy or variant, no backtick, no power as a caret and no operator of two signs in what is read."""
    text = (request.getfixturevalue(name) / "report.html").read_text()
    seen = html.unescape(re.sub("<[^>]*>", " ", re.sub(r"<(script|style)[^>]*>.*?</\1>", "", text, flags=re.S)))
    assert "no response after it" in seen and "× 10⁹/L" in seen
    assert not re.findall(r".{20}(?:hsct=|new-therapy=|treatment-policy|window\.within|`|10\^|>=|<=).{20}", seen)


def test_an_adverse_event_called_neutropenia_is_no_laboratory_finding(invented: Path) -> None:
    """By hand: one invented subject has the event, of grade 4, and nobody was tested: the table of findings has no line of it."""
    _, results = _read(invented)
    assert [row for row in results if row["analysis"] == "safety" and row["endpoint"] == "NEUTROPENIA" and row["by"] == "max_grade"]
    page, _ = _read(invented)
    assert "No test was recorded for: neutrophils below" in page.words["safety"]


def test_the_flow_is_boxes_with_who_left(worked: Path) -> None:
    """Independent: counted from ADSL; each box has its number, beside it who of the step before did not reach it."""
    adsl = pl.read_csv(worked / "adam" / "ADSL.csv", infer_schema_length=0)
    text = (worked / "report.html").read_text().split('<section id="flow">')[1].split("</section>")[0]
    plain = re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]*>", " ", text)))

    def count(**flags: str) -> int:
        return adsl.filter(*(pl.col(name) == value for name, value in flags.items())).height

    for flag, words in (("CONSFL", "Consented"), ("ENRLFL", "Enrolled"), ("INFFL", "Infused (safety set)"), ("EVALFL", "Evaluable")):
        assert f" {count(**{flag: 'Y'})} {words}" in plain
    assert f" {count(CONSFL='Y', ENRLFL='N')} not enrolled" in plain
    assert f" {count(INFFL='Y', ASSFL='N')} of the infused not assessed" in plain
    assert f"Evaluable and not assessed: {count(EVALFL='Y', ASSFL='N')} ;" in plain
