"""Do shells hold every table to come and no number, and does an explanation tell a subject's whole course?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cartrial.endpoints import derive
from cartrial.endpoints.rules.codes import CENSOR_REASONS, EVENT_NAMES, RATE_REASONS
from cartrial.errors import InputError
from cartrial.report import explain_subject, write_shells
from cartrial.report.study.data import EVENT_WORDS, REASON_WORDS
from cartrial.report.study.phrases import strategies_sentence, strategy_cells
from cartrial.report.study.shells import render_shells
from cartrial.sdtm import read_sdtm
from cartrial.study import Study, builtin_studies, strategies_text
from helpers import WORKED


@pytest.fixture(scope="module")
def worked() -> tuple[Study, Any, Any]:
    study = Study.load(WORKED)
    source = read_sdtm(WORKED / "data")
    return study, derive(study, source), source


def test_every_reason_of_a_derived_value_has_words() -> None:
    assert set(RATE_REASONS) <= set(REASON_WORDS)
    assert {*EVENT_NAMES, *CENSOR_REASONS} <= set(EVENT_WORDS)


@pytest.mark.parametrize("name", list(builtin_studies()))
@pytest.mark.shows("STUDY-endpoints", "STUDY-endpoints.label")
def test_shells_name_every_endpoint_and_variant(name: str) -> None:
    study = Study.load(name)
    text = render_shells(study)
    assert f"{study.hash}, rules version 2." in text
    for endpoint in study.endpoints:
        assert f"({endpoint.id})" in text
        for variant in study.variants(endpoint):
            code = strategies_text(variant.endpoint)
            cells = (
                strategy_cells(code, variant.endpoint.type)
                if endpoint.type != "best-response"
                else (strategies_sentence(code, endpoint.type),)
            )
            assert all(str(cell) in text for cell in cells)
    tables = text[text.index('<section id="flow">') :]
    cells = re.findall(r'<td class="num">(.*?)</td>', tables)
    assert cells and not [cell for cell in cells if re.search(r"\d", cell)]


def test_shells_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    study = Study.load("inaticel")
    write_shells(study, tmp_path / "shells.html")
    assert (tmp_path / "shells.html").read_text() == render_shells(study)
    with pytest.raises(InputError, match="cannot be written"):
        write_shells(study, tmp_path / "absent" / "shells.html")
    assert [item.name for item in tmp_path.iterdir()] == ["shells.html"]


@pytest.mark.slow
@pytest.mark.shows("RULE-6.16")
def test_explanation_shows_timeline_readers_values_rules_and_source_rows(worked: tuple[Study, Any, Any]) -> None:
    study, adam, source = worked
    text = explain_subject(study, adam, source, "WORKED-06", width=200)
    assert "First infusion: 2022-01-01, day 0." in text
    assert "Example data: invented, not patients." in text
    assert re.search(r"180\s+2022-06-30\s+committee\s+RELAPSE\s+RELAPSE\s+yes\s+RS 2 \(rs\.csv row \d+\)", text)
    assert re.search(r"Event after 153 days: relapse, 2022-06-30, day 180\. Rule: .+ Source: RS 2 \(rs\.csv row \d+\)", text)
    assert "Variant (censored before 1 missed visit): Censored after 1 day: missed visits" in text
    row = int(re.search(r"RS 2 \(rs\.csv row (\d+)\)", text)[1])  # type: ignore[index]
    assert (WORKED / "data" / "rs.csv").read_text().splitlines()[row - 1].startswith("WORKED,RS,WORKED-06,2,")


def test_explanation_of_one_endpoint_defines_it(worked: tuple[Study, Any, Any]) -> None:
    study, adam, source = worked
    text = explain_subject(study, adam, source, "04", "DOR", width=300)
    assert "Population: subjects with CR or CRi at any usable assessment by the reader" in text
    assert "Variant (transplant: ignored): Censored after 63 days" in text
    assert "ORR3:" not in text and "OS:" not in text


def test_explanation_of_a_subject_that_was_not_infused(worked: tuple[Study, Any, Any]) -> None:
    study, adam, source = worked
    text = explain_subject(study, adam, source, "10", width=160)
    assert "Not infused on or before the cutoff." in text
    assert "Not in the population (infused), so no value." in text
    assert re.search(r"Product failure: .+ Source: DS \d+ \(ds\.csv row \d+\)", text)


@pytest.mark.parametrize(
    ("subject", "endpoint", "message"),
    [("999", None, "no subject is called '999'"), ("", None, "subject"), ("06", "PFS", "no endpoint is called 'PFS'")],
)
def test_unknown_names_are_refused(worked: tuple[Study, Any, Any], subject: str, endpoint: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        explain_subject(*worked, subject, endpoint)
