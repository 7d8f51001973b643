"""What do curves say at their edges: months, a curve at 0, limits that cannot be computed, endpoints without a reader?

Expected values: by hand from rules, paragraphs A20, A22 and A24, written before the code ran.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cartrial import Study, analyse
from cartrial.analysis import LANDMARKS, RISK_TIMES
from cartrial.report import write_report
from cartrial.run import derive_data, load_data
from cases.case import case_path, derived


@pytest.fixture(scope="module")
def landmark() -> pl.DataFrame:
    """Return the results of eight subjects: the four women died on days 60 to 90 (durations 61 to 91), the men were seen on day 500."""
    data = load_data(case_path("stats/landmark/study.yaml"), case_path("stats/landmark/data"))
    found = derive_data(data)
    return analyse(data.study, found.adam, found.records)


@pytest.mark.shows("RULE-1.16")
def test_landmarks_are_whole_days_of_months() -> None:
    assert LANDMARKS[:6] == (91, 183, 274, 365, 548, 731) and LANDMARKS[6] == 1096
    assert RISK_TIMES[:6] == (0, 91, 183, 274, 365, 457)


@pytest.mark.slow
@pytest.mark.shows("RULE-7.5", "EST-km-landmark")
def test_a_curve_at_0_is_read_on(landmark: pl.DataFrame) -> None:
    women = landmark.filter(endpoint="OS", by="SEX", level="F", statistic="survival")
    late = women.filter(pl.col("time") >= 91).sort("time")
    assert late.select("time", "value").rows() == [(91, 0), (183, 0), (274, 0), (365, 0)]
    limits = landmark.filter(endpoint="OS", by="SEX", level="F", time=183.0).filter(pl.col("statistic").str.contains("_"))
    assert limits["value"].null_count() == 2 and set(limits["text"]) == {"NE"}


def test_a_curve_before_its_last_time_is_not_read_on(landmark: pl.DataFrame) -> None:
    men = landmark.filter(endpoint="OS", by="SEX", level="M", statistic="survival")
    assert men["time"].max() == 501


@pytest.mark.slow
@pytest.mark.shows("RULE-7.5")
def test_restricted_mean_of_a_curve_at_0_goes_to_the_horizon_of_the_trial(tmp_path: Path) -> None:
    # four women alone: 61, 71, 81, 91 days lived; all of it lies before month 3 (day 91)
    for name in ("dm", "ex", "rs", "ss"):
        rows = pl.read_csv(case_path(f"stats/landmark/data/{name}.csv"), infer_schema=False)
        rows.filter(~pl.col("USUBJID").is_in([f"MINI-{i}" for i in range(5, 9)])).write_csv(tmp_path / f"{name}.csv")
    data = load_data(case_path("stats/landmark/study.yaml"), tmp_path)
    found = derive_data(data)
    rows = analyse(data.study, found.adam, found.records).filter(endpoint="OS", by="", statistic="rmst")
    assert rows.select("time", "value").row(0) == (91, 76)


@pytest.mark.shows("RULE-7.5")
def test_a_lower_limit_that_cannot_be_computed_is_ne_and_an_upper_one_not_reached_nr(landmark: pl.DataFrame) -> None:
    men = landmark.filter(endpoint="OS", by="SEX", level="M")
    text = dict(men.select("statistic", "text").iter_rows())
    assert (text["median"], text["median_lower"], text["median_upper"]) == ("NR", "NE", "NR")
    assert (text["median_months"], text["median_months_lower"], text["median_months_upper"]) == ("NR", "NE", "NR")


@pytest.mark.shows("RULE-1.16")
def test_medians_are_in_months_with_days_in_the_hover(landmark: pl.DataFrame, tmp_path: Path) -> None:
    women = landmark.filter(endpoint="OS", by="SEX", level="F")
    # day 76, midway between 71 and 81, since S is exactly a half from 71 on; 76 / 30.4375 = 2.497
    assert women.filter(statistic="median")["value"].item() == 76
    assert women.filter(statistic="median_months")["text"].item() == "2.5"
    data = load_data(case_path("stats/landmark/study.yaml"), case_path("stats/landmark/data"))
    found = derive_data(data)
    write_report(data.study, data.source, found.adam, landmark, found.findings, tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert 'title="76 days">2.5</span>' in text
    assert "Month 6 (day 183)" in text and "30 days each" not in text


@pytest.mark.slow
@pytest.mark.shows("RULE-7.16")
def test_overall_survival_has_no_reader_and_durations_have_one() -> None:
    adam = derived("data/inv-only").adam
    study = Study.load("inaticel")
    results = analyse(study, adam)
    for endpoint in study.endpoints:
        main = study.variants(endpoint)[0].endpoint
        reads = main.id != "OS"
        assert (main.reader is not None) == reads, main.id
    survival = adam.adtte.filter(PARAMCD="OS")
    assert survival.height and survival["READER"].null_count() == survival.height
    assert set(results.filter(endpoint="OS", analysis="survival")["reader"]) == {""}


@pytest.mark.shows("RULE-7.16", "STUDY-endpoints.population")
def test_survival_of_responders_keeps_its_reader() -> None:
    study = Study.load("inaticel")
    endpoint = next(endpoint for endpoint in study.endpoints if endpoint.id == "OS")
    assert not endpoint.read and endpoint.model_copy(update={"population": "responders"}).read


@pytest.mark.shows("STUDY-rules")
def test_the_version_of_the_rules_stands_in_the_results(landmark: pl.DataFrame) -> None:
    assert set(landmark["rules"]) == {2}
