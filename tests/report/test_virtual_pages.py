"""Autologous against allogeneic, simulated against published, and the pictures of virtual patients."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

from cartrial.analysis import SCHEMA, analyse
from cartrial.analysis.results import check_results, sort_results
from cartrial.design.trials.compare import MONTH_12, WAITED, compare_supply, published_of
from cartrial.endpoints import derive
from cartrial.errors import InputError
from cartrial.report.figures.panels import Panel, Trace, draw_panels
from cartrial.report.page.rows import Rows
from cartrial.report.study.data import ReportData
from cartrial.report.study.sections.published import MEASURES, burden_blocks, published_section
from cartrial.report.virtual.page import write_comparison, write_population
from cartrial.study import Study
from cartrial.virtual import load_targets
from cartrial.virtual.calibration import read_scores
from cartrial.virtual.calibration.burden import OUTCOMES, tell_not_reached
from cartrial.virtual.patients.ensemble import Ensemble
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.trial import emit_sdtm, plan_study, virtual_study
from report_example import figures_of

pytest.importorskip("numba")


def ensemble() -> Ensemble:
    """Return two parameter sets near the prior."""
    model = load_model()
    mean, _ = model.prior
    return Ensemble(np.stack([mean, mean + 0.05]), model, {})


@pytest.fixture(scope="module")
def comparison():
    """Return both products in 200 subjects."""
    return compare_supply(200, 2, ensemble=ensemble())


def value(comparison, endpoint: str, statistic: str, level: str) -> float:
    """Return one value of the main analysis."""
    where = (pl.col("endpoint") == endpoint) & (pl.col("statistic") == statistic) & (pl.col("level") == level) & (pl.col("variant") == "")
    return float(comparison.results.filter(where)["value"][0])


@pytest.mark.slow
@pytest.mark.shows("EST-supply")
def test_the_same_patients_are_enrolled_in_both_arms(comparison):
    check_results(comparison.results)
    assert comparison.results["provenance"].unique().to_list() == ["virtual"]
    for arm in ("autologous", "allogeneic"):
        assert value(comparison, "enrolled", "n", arm) == 200
        assert value(comparison, "consented", "n", arm) == value(comparison, "consented", "n", "autologous")
        assert len(comparison.waits[arm]) == value(comparison, "infused", "n", arm)
        assert value(comparison, WAITED, "median", arm) == np.median(comparison.waits[arm])
        assert value(comparison, "CRR", "N", arm) == 200


@pytest.mark.shows("EST-supply")
def test_the_shelf_is_faster_and_reaches_more(comparison):
    assert value(comparison, "infused", "n", "allogeneic") > value(comparison, "infused", "n", "autologous")
    assert value(comparison, WAITED, "median", "allogeneic") < 15 < 30 < value(comparison, WAITED, "median", "autologous")
    share = value(comparison, "infused", "n", "allogeneic") / 200 - value(comparison, "infused", "n", "autologous") / 200
    assert value(comparison, "infused", "mean", "allogeneic - autologous") == pytest.approx(share)


@pytest.mark.slow
def test_the_comparison_is_repeatable(comparison):
    again = compare_supply(200, 2, ensemble=ensemble())
    assert sort_results(again.results).equals(sort_results(comparison.results))
    with pytest.raises(InputError, match="cannot be compared"):
        compare_supply(5)


def test_the_comparison_has_a_page(comparison, tmp_path):
    out = write_comparison(comparison, tmp_path / "compare.html")
    text = out.read_text(encoding="utf-8")
    assert "not validated on patient-level data" in text and "VIRTUAL PATIENTS" in text
    assert list(figures_of(text)) == ["curve-dor", "curve-os"]
    # by hand from the two populations: whose patients both arms are, and whose product each has
    assert "of 16 to 70 years, followed as adults: population &#39;autologous-cd19&#39;" in text
    assert "after lymphodepletion with alemtuzumab: population &#39;allogeneic-cd19&#39;" in text
    rows = pl.read_parquet(tmp_path / "compare.parquet")
    keys = [int(key) for key in re.findall(r'data-key="(\d+)"', text)]
    assert keys and max(keys) < rows.height
    printed = re.findall(r'data-key="(\d+)">([^<]*)<', text)
    assert all(rows["text"][int(key)] == words for key, words in printed)


def test_published_results_stand_beside_the_model():
    found = published_of(Study.load("inaticel"), "inaticel")
    assert {"inaticel-orr-3", "inaticel-cr-3"} <= set(found["target"])
    first = found.filter(pl.col("target") == "inaticel-orr-3").row(0, named=True)
    assert (first["n"], first["of"]) == (32, 39) and first["lower"] < 32 / 39 < first["upper"]
    assert published_of(Study.load("inaticel"), "autologous-cd19").is_empty()


def test_the_report_has_a_section_on_published_results():
    study = virtual_study(Study.load("inaticel"))
    source = emit_sdtm(study, plan=plan_study(study, n=8, ensemble=ensemble()))
    adam = derive(study, source)
    results = sort_results(analyse(study, adam, analyses=("response", "survival"), curves=False))
    data = ReportData(study, source, adam, Rows(results), source.findings, "virtual")
    section = published_section(data)
    table = section.blocks[1]
    lines = {row[0]: row for row in table.rows if row[1] == "inati-cel"}
    assert lines["Response (CR or CRi) within 3 months"][2].startswith("32/39, 82.1 %")
    assert "data-key" in str(lines["Response (CR or CRi) within 3 months"][4])
    # MRD-negativity of responders has the window of the published figure, not month 3
    assert "data-key" in str(lines["MRD-negative within 3 months, of responders"][4])
    assert published_section(data, "autologous-cd19") is None


def test_every_published_measure_is_shown_in_words_and_its_own_unit():
    """By hand from `targets.yaml`: 30,000 copies, 9.6 days, a ratio of 4.5, months of a median, whose blasts; no share is above 100 %."""
    study = virtual_study(Study.load("inaticel"))
    data = ReportData(study, None, None, Rows(pl.DataFrame(schema=SCHEMA)), None, "virtual")
    lines = {name: {row[0]: row for row in published_section(data, name).blocks[1].rows} for name in ("eliana", "mskcc", "zuma3")}
    eliana, mskcc = lines["eliana"], lines["mskcc"]
    assert eliana["Cmax, geometric mean (copies/µg)"][2] == "30,000 (22,500 to 40,000)"
    assert eliana["Tmax, median (days)"][2] == "9.6 (8.3 to 11.1)"
    assert eliana["Rate of relapse after over before recovery of B cells (ratio)"][2] == "4.5 (2.03 to 9.97)"
    assert eliana["Alive at month 36"][2] == "63.0 % (51.0 % to 73.0 %)"
    assert "In remission at day 1790 from response, of responders" in eliana and "Copies at day 28, median (copies/µg)" in eliana
    assert mskcc["Median event-free survival (months)"][2] == "6.1 (5.0 to 11.5)"
    few = "Median event-free survival (months), of those with 0 to 5 % blasts before lymphodepletion"
    assert mskcc[few][2] == "10.6 (5.9 to NR)"
    shares = [float(text) for rows in lines.values() for row in rows.values() for text in re.findall(r"([\d.]+) %", f"{row[2]} {row[3]}")]
    assert shares and max(shares) <= 100
    assert {target.measure for target in load_targets().targets} <= set(MEASURES)


def test_a_median_of_the_trial_stands_in_months_as_the_published_one():
    """By hand: 239 days are 7.9 months of 30.4375 days."""
    study = virtual_study(Study.load("inaticel"))
    row = dict.fromkeys(SCHEMA) | {"analysis": "survival", "endpoint": "DOR", "variant": "", "by": ""}
    both = [
        row | {"statistic": "median", "value": 239.0, "text": "239"},
        row | {"statistic": "median_months", "value": 7.85, "text": "7.9"},
    ]
    data = ReportData(study, None, None, Rows(pl.DataFrame(both, schema=SCHEMA)), None, "virtual")
    lines = {row[0]: row for row in published_section(data, "zuma3").blocks[1].rows}
    assert str(lines["Median duration of response (months)"][4]) == "7.9"


def test_the_report_has_outcomes_by_burden_of_a_built_in_population():
    """By hand: the three bands, each outcome, and below it what the table does not reach; nothing of a file of one's own."""
    by_burden, note = burden_blocks("autologous-cd19")
    assert [cell.split(" blasts")[0] for cell in by_burden.head[1:]] == ["below 5 %", "5 to 50 %", "50 % and more"]
    assert [row[0] for row in by_burden.rows] == [words for words, _ in OUTCOMES.values()]
    assert tell_not_reached(read_scores("burden").filter(population="autologous-cd19")) in note.text
    assert burden_blocks("a-file-of-mine") == []


def test_a_population_has_a_page(tmp_path, monkeypatch):
    monkeypatch.setattr("cartrial.virtual.patients.ensemble.load_ensemble", lambda: ensemble())
    out = write_population(tmp_path / "eliana.html", population="eliana", patients=60)
    text = out.read_text(encoding="utf-8")
    figures = figures_of(text)
    assert len(figures) >= 3 and "not validated" in text
    # 1370 copies/µg: the published median peak of the population, a target of the registry
    points = figures["bands-eliana"]["datasets"]["points-1"]
    assert points[0]["y"] == 1370 and points[0]["tip"].startswith("published\n")
    with pytest.raises(InputError, match="no population"):
        write_population(tmp_path / "other.html", population="nobody")
    assert [path.name for path in tmp_path.iterdir()] == ["eliana.html"]


def test_panels_keep_to_their_axis():
    """By hand: bands end at the ends of the axis, marks are cut there, a value that has no logarithm is left out."""
    days = np.arange(11.0)
    values = 10.0 ** np.linspace(-9, 9, 11)
    values[3] = 0.0
    line = Trace("one", "#000000", days, values, ((np.full(11, 1e-9), np.full(11, 1e9)),))
    document = draw_panels([Panel("A", 0.01, 100, [line, line], "day", limits={"limit": 5.0})], title="t", band="B")
    rows = document["datasets"]["lines-0"]
    assert [row["x"] for row in rows[:10]] == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert {(row["lo0"], row["hi0"]) for row in rows} == {(0.01, 100)}
    drawn = [layer for layer in document["vconcat"][0]["layer"] if layer["mark"]["type"] in ("area", "line")]
    assert len(drawn) == 2 and all(layer["mark"]["clip"] for layer in drawn)
    assert document["datasets"]["limits-0"] == [{"v": 5.0, "words": "limit"}] and document["title"] == "B"


def test_both_arms_have_survival_at_month_12(comparison):
    """A landmark of the curve, not a step of it: it stands whether or not somebody died on that day."""
    at = comparison.results.filter((pl.col("endpoint") == "OS") & (pl.col("statistic") == "survival") & (pl.col("time") == MONTH_12))
    assert {"autologous", "allogeneic"} <= set(at.filter(pl.col("by") == "product")["level"])
