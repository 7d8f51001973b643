"""What can be derived from best responses and dates alone, one row a patient?

Expected values: by hand from rules, paragraph A7, written before the code ran.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from cartrial import analyse
from cartrial.report import write_report
from cartrial.run import Data, Derived, derive_data, load_data
from cartrial.sdtm import write_templates
from cases.case import case_path, value


def sheet(folder: Path, said: str = "") -> tuple[Data, Derived]:
    """Derive the three responders of the events template, the study file with `said` at its end."""
    place = Path(shutil.copytree(case_path("data/events-template"), folder))
    path = place / "study.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{said}\n", encoding="utf-8")
    data = load_data(place, place)
    return data, derive_data(data)


def page(data: Data, found: Derived, folder: Path) -> str:
    results = analyse(data.study, found.adam, found.records)
    write_report(data.study, data.source, found.adam, results, found.findings, folder)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.shows("RULE-6.14")
def test_without_a_date_free_of_relapse_durations_are_not_derived(tmp_path: Path) -> None:
    """Two of the three responders have no relapse and no column for a date last known free of it."""
    data, found = sheet(tmp_path / "sheet")
    for endpoint in ("DOR", "RFS", "EFS"):
        for subject in "123":
            row = value(found.adam, endpoint, subject=subject)
            assert (row["AVAL"], row["CNSR"]) == (None, None)
            assert "missing for 2 of the 3 responders" in str(row["RULE"]), endpoint
    results = analyse(data.study, found.adam, found.records).filter(by="", variant="")
    assert results.filter(endpoint="DOR", statistic="median").select("value", "text").row(0) == (None, "not derived")
    text = page(data, found, tmp_path / "out")
    assert "missing for 2 of the 3 responders" in text[: text.index('<section id="study">')]


@pytest.mark.slow
@pytest.mark.shows("RULE-6.14")
def test_rates_at_a_visit_are_not_derived_and_the_best_response_is(tmp_path: Path) -> None:
    data, found = sheet(tmp_path / "sheet")
    for endpoint in ("ORR3", "ORR28"):
        assert value(found.adam, endpoint, subject="1")["REASON"] == "not-derived"
    results = analyse(data.study, found.adam, found.records).filter(by="", variant="")
    best = dict(results.filter(endpoint="BORR").select("statistic", "value").iter_rows())
    assert (best["n"], best["N"], set(results.filter(endpoint="BORR")["reader"])) == (3, 3, {"INV"})
    # alive on day 730: a duration of 731 days
    assert [value(found.adam, "OS", subject=subject)["AVAL"] for subject in "123"] == [731, 731, 731]


@pytest.mark.slow
@pytest.mark.shows("RULE-6.14", "STUDY-events", "STUDY-events.relapse-free-until")
def test_the_last_contact_is_an_assumption_in_each_caption(tmp_path: Path) -> None:
    """From 2020-01-29 to 2021-12-31 are 702 days, so 703; the relapse of 2020-05-01 is an event after 94."""
    data, found = sheet(tmp_path / "sheet", "events: {relapse-free-until: last-contact}")
    times = [value(found.adam, "DOR", subject=subject) for subject in "123"]
    assert [row["AVAL"] for row in times] == [703, 703, 94]
    assert [row["CNSR"] == 0 for row in times] == [False, False, True]
    assert "by assumption of the study file" in str(times[0]["FLAGS"])
    text = page(data, found, tmp_path / "out")
    said = "a responder without an event was free of relapse until the last contact"
    assert said in text[: text.index('<section id="study">')]
    captions = [part.split("</figcaption>")[0] for part in text.split("<figcaption>")[1:]]
    curves = [caption for caption in captions if "DOR" in caption or "RFS" in caption or "EFS" in caption]
    curves = [caption for caption in curves if "Band:" in caption or "cumulative incidence" in caption]
    assert curves and all(said in caption for caption in curves)
    assert all(said not in caption for caption in captions if "(OS)" in caption)
    # by hand from A7: it decides no rate, so it stands at the head of the page and of the times, and beside DOR, RFS and EFS
    assert said not in text[text.index('<section id="primary">') : text.index('<section id="times">')]
    # the day comes from the record of the last contact: the one SS record of the subject
    assert [(row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) for row in times[:2]] == [("SS", "SSDTC", 1)] * 2


@pytest.mark.slow
def test_no_confirmation_and_no_missed_visit_is_seen_in_a_best_response(tmp_path: Path) -> None:
    place = Path(shutil.copytree(case_path("data/events-template"), tmp_path / "sheet"))
    path = place / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("criteria: nccn", "criteria: nci-2010"), encoding="utf-8")
    adam = derive_data(load_data(place, place)).adam
    assert value(adam, "BORR", subject="1")["REASON"] == "not-derived"
    missed = sheet(tmp_path / "other", "events: {relapse-free-until: last-contact}")[1].adam
    assert str(value(missed, "DOR", "missed-visits=2", subject="3")["RULE"]).startswith("not derived")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return the folder of the shipped template with three patients filled in."""
    write_templates(tmp_path, study_id="inaticel-pivotal", product="CNCT19")
    folder = tmp_path / "events"
    columns = (folder / "events.csv").read_text(encoding="utf-8").strip().split(",")
    site = {"reader": "INVESTIGATOR", "infusion_date": "2022-01-01", "last_contact_date": "2022-09-01"}
    first = {"first_response": "CRi", "first_response_date": "2022-01-29", "best_response": "CR", "response_date": "2022-03-01"}
    rows = [
        {"subject": "1", **site, **first, "mrd": "NEGATIVE", "mrd_limit": "0.00001", "last_assessment_date": "2022-08-01"},
        {"subject": "2", **site, "best_response": "CR", "response_date": "2022-01-29", "relapse_date": "2022-05-01"},
        {"subject": "3", **site, "reader": "INDEPENDENT ASSESSOR", "best_response": "NR", "response_date": "2022-01-29"},
    ]
    lines = [columns, *([row.get(name, "") for name in columns] for row in rows)]
    (folder / "events.csv").write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
    study = (case_path("data/events-template") / "study.yaml").read_text(encoding="utf-8")
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    return folder


@pytest.mark.slow
def test_the_template_gives_what_durations_need(template: Path) -> None:
    """First response 2022-01-29, free of relapse on 2022-08-01: 185 days; relapse on 2022-05-01: 93 days."""
    adam = derive_data(load_data(template, template)).adam
    assert [value(adam, "DOR", subject=subject)["AVAL"] for subject in "12"] == [185, 93]
    assert value(adam, "DOR", subject="1")["FLAGS"] == "date last known free of relapse"
    assert (value(adam, "DOR", subject="1")["SRCDOM"], value(adam, "DOR", subject="1")["SRCSEQ"]) == ("RS", 3)
    calls = adam.adresp.filter(USUBJID="1").sort("CARDAY").select("READER", "AVALC", "MRD").rows()
    assert calls == [("INV", "CRi", None), ("INV", "CR", "NEGATIVE"), ("INV", "CR", None)]
    assert adam.adresp.filter(USUBJID="3")["READER"].to_list() == ["IRC"]


@pytest.mark.slow
@pytest.mark.shows("RULE-6.14")
def test_one_responder_without_the_date_is_enough(template: Path) -> None:
    text = (template / "events.csv").read_text(encoding="utf-8")
    (template / "events.csv").write_text(text.replace("2022-08-01", ""), encoding="utf-8")
    adam = derive_data(load_data(template, template)).adam
    assert "missing for 1 of the 2 responders" in str(value(adam, "DOR", subject="2")["RULE"])


def refilled(template: Path, **cells: str) -> Path:
    """Write cells of the first patient anew."""
    lines = (template / "events.csv").read_text(encoding="utf-8").splitlines()
    names, values = lines[0].split(","), lines[1].split(",")
    for name, cell in cells.items():
        values[names.index(name)] = cell
    (template / "events.csv").write_text("\n".join([lines[0], ",".join(values), *lines[2:]]) + "\n", encoding="utf-8")
    return template


@pytest.mark.slow
def test_a_date_before_the_response_says_nothing_of_the_time_after_it(template: Path) -> None:
    """A7: the responses are of 2022-01-29 and 2022-03-01; 2022-01-15 is before both, 2022-02-15 before the second."""
    for day in ("2022-01-15", "2022-02-15"):
        place = refilled(template, last_assessment_date=day)
        adam = derive_data(load_data(place, place)).adam
        for endpoint in ("DOR", "RFS", "EFS"):
            for subject in "12":
                row = value(adam, endpoint, subject=subject)
                assert (row["AVAL"], row["CNSR"]) == (None, None)
                assert "missing for 1 of the 2 responders" in str(row["RULE"]), (day, endpoint)


@pytest.mark.slow
def test_dates_that_contradict_the_date_free_of_relapse_are_named(template: Path) -> None:
    """By hand: responses on days 28 and 59; day 14 is before, day 270 after the last contact of day 243 and the relapse of day 120."""
    said = {}
    for day, relapse in (("2022-01-15", ""), ("2022-09-28", "2022-05-01"), ("2022-08-01", "")):
        place = refilled(template, last_assessment_date=day, relapse_date=relapse)
        done = derive_data(load_data(place, place))
        found = done.findings.filter(RULE="relapse-free-contradicts", SEVERITY="warning")
        assert set(found["USUBJID"]) <= {value(done.adam, "DOR", subject="1")["USUBJID"]}
        said[day] = {text.split(": ")[0] for text in found["MESSAGE"]}
    start = "The date last known free of relapse, day"
    assert said == {
        "2022-01-15": {f"{start} 14, is before the response of day 59"},
        "2022-09-28": {f"{start} 270, is after the relapse of day 120", f"{start} 270, is after the last contact, day 243"},
        "2022-08-01": set(),
    }


@pytest.mark.slow
def test_a_date_on_the_day_of_the_response_counts(template: Path) -> None:
    """A7: from the first response, 2022-01-29, to the best one, 2022-03-01, are 31 days: 32."""
    place = refilled(template, last_assessment_date="2022-03-01")
    adam = derive_data(load_data(place, place)).adam
    row = value(adam, "DOR", subject="1")
    assert (row["AVAL"], row["CNSR"] == 0) == (32, False)


@pytest.mark.slow
def test_a_first_and_a_best_response_are_no_follow_up(template: Path) -> None:
    """A7: CR on 2021-02-18 and CR on 2021-05-01 of one infused 2021-01-20, nothing after."""
    first = {"infusion_date": "2021-01-20", "first_response": "CR", "first_response_date": "2021-02-18"}
    place = refilled(template, **first, best_response="CR", response_date="2021-05-01", last_assessment_date="")
    adam = derive_data(load_data(place, place)).adam
    for endpoint in ("DOR", "RFS", "EFS"):
        row = value(adam, endpoint, subject="1")
        assert (row["AVAL"], row["EVNTDESC"]) == (None, None)
        assert "missing for 1 of the 2 responders" in str(row["RULE"])


@pytest.mark.slow
def test_a_transplant_after_the_response_censors_on_the_day_known_free_of_relapse(template: Path) -> None:
    """Hypothetical: transplant on 2022-06-01, free of relapse on 2022-08-01, so on that day too: 124 days from 2022-01-29."""
    lines = (template / "events.csv").read_text(encoding="utf-8").splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index("transplant_date")] = "2022-06-01"
    (template / "events.csv").write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", encoding="utf-8")
    adam = derive_data(load_data(template, template)).adam
    row = value(adam, "DOR", subject="1")
    assert (row["AVAL"], row["EVNTDESC"]) == (124, "hsct")
    assert pl.Series([row["ADT"]]).cast(pl.String).to_list() == ["2022-06-01"]
