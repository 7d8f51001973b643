"""Simulated trials of a population beside what was measured: windows, quantiles, shares below the limit, fitted courses, rows, section."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from cartrial import InputError, Study
from cartrial.analysis import check_results
from cartrial.analysis.tables.cells import _UNITS, cell_model_rows
from cartrial.analysis.wording import text_of
from cartrial.kinetics import KineticsFit, PopulationFit, PopulationModel, SampleSet, draw_curves, read_set
from cartrial.kinetics.check import _quantiles, check_population, make_windows, simulate_samples
from cartrial.kinetics.courses import derive_courses
from cartrial.kinetics.estimation.aim import assess_fresh
from cartrial.kinetics.estimation.information import Polished
from cartrial.kinetics.estimation.saem import Draws, Estimate
from cartrial.kinetics.fit import Start, _notes
from cartrial.kinetics.model import Problem
from cartrial.kinetics.posthoc import _doubling, derive_adpp, peaks_not_sampled
from cartrial.kinetics.tables import summary_lines, write_kinetics
from cartrial.report.figures.courses import Course, draw_courses
from cartrial.report.figures.panels import Panel, Trace, draw_panels
from cartrial.report.page.render import render_page
from cartrial.report.page.rows import Rows
from cartrial.report.study.cells.fits import CellFits
from cartrial.report.study.cells.section import build
from cartrial.report.study.data import ReportData
from cartrial.study.cells import CellModel
from helpers import ROOT

sys.path.insert(0, str(ROOT / "tests" / "kinetics"))
LN = np.log
HALVES = {"fold": 100.0, "tmax": 10.0, "cmax": 1000.0, "alpha": float(LN(2))}


def still(problem: Problem, spread: float, error: float, share: float = 1.0) -> Estimate:
    """A population about `HALVES`."""
    names = problem.model.parameters
    common = np.zeros(6)
    common[: len(names)] = [LN(HALVES[name]) for name in names]
    random = problem.model.random
    return Estimate(np.array([LN(HALVES[name]) for name in random]), spread**2 * np.eye(len(random)), common, error, share)


def many(days: Sequence[float], subjects: int, values: Sequence[float], limit: float) -> SampleSet:
    """As many subjects, each with the same samples; what is below the limit is so."""
    names = [f"{i:03d}" for i in range(subjects) for _ in days]
    low = np.tile(np.array(values) < limit, subjects)
    logs = np.where(low, LN(limit), LN(np.tile(np.maximum(values, 1e-9), subjects)))
    return read_set(names, np.tile(days, subjects), logs, np.where(low, -1, 0))


def test_windows_hold_about_as_many_samples_and_whole_days() -> None:
    """By hand: thirteen samples, four windows aim at 3.25 each; a last window of fewer than half of that joins the one before."""
    days = [1, 1, 1, 1, 3, 3, 3, 3, 7, 7, 7, 7, 28]
    assert [tuple(one) for one in make_windows(days, 4)] == [(1, 1, 1), (3, 3, 3), (7, 28, 7)]
    assert [tuple(one) for one in make_windows([5.0], 6)] == [(5, 5, 5)]


def test_without_spread_or_error_every_trial_is_the_curve() -> None:
    """By hand: 10 cells on day 0, a hundredfold until day 10, halved each day: 100, 1000, 250 on days 5, 10, 12; limit 200."""
    samples = many([5, 10, 12], 6, [90, 1100, 240], 200.0)
    problem = Problem.of(PopulationModel("mono", varying=("cmax",)), samples)
    found = check_population(problem, still(problem, 1e-9, 1e-9), np.full(18, LN(200.0)), trials=100)
    by = {(row["middle"], row["statistic"]): row for row in found.iter_rows(named=True)}
    assert by[5.0, "below"]["observed"] == 1.0 and by[5.0, "below"]["lower"] == 1.0
    assert by[5.0, "q50"]["observed"] is None and by[5.0, "q50"]["predicted"] is None
    for day, measured, predicted in ((10.0, 1100, 1000), (12.0, 240, 250)):
        for name in ("q10", "q50", "q90"):
            row = by[day, name]
            assert row["observed"] == pytest.approx(measured)
            assert [row["lower"], row["predicted"], row["upper"]] == pytest.approx([predicted] * 3, rel=1e-6)
        assert by[day, "below"]["observed"] == by[day, "below"]["upper"] == 0.0
        assert (by[day, "q50"]["samples"], by[day, "q50"]["n"]) == (6, 6)


def test_shares_below_the_limit_are_those_of_the_normal_distribution() -> None:
    """Independent: at the peak the logarithm is normal of variance spread² + error²; a fifth of the subjects never expand."""
    samples = many([10, 10.5], 60, [1000, 900], 400.0)
    problem = Problem.of(PopulationModel("mono", varying=("cmax",)), samples)
    nobody = read_set(["000", "000", "001", "001"], [10, 10.5] * 2, [LN(400.0)] * 4, [-1] * 4)
    assert Problem.of(problem.model, nobody).classes
    problem = Problem(problem.model, samples, problem.design, problem.names, True)
    drawn = simulate_samples(problem, still(problem, 0.8, 0.6, share=0.8), trials=150, seed=3)
    at_peak = drawn[:, ::2].ravel()
    assert np.mean(np.isneginf(at_peak)) == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / at_peak.size))
    below = 0.2 + 0.8 * norm.cdf(LN(0.4) / 1.0)
    assert np.mean(at_peak < LN(400.0)) == pytest.approx(below, abs=4 * np.sqrt(below * (1 - below) / at_peak.size))
    known = at_peak[np.isfinite(at_peak)]
    assert known.mean() == pytest.approx(LN(1000.0), abs=4 / np.sqrt(known.size))
    assert known.std() == pytest.approx(1.0, abs=0.03)


def test_a_subject_has_its_numbers_in_any_company_and_order() -> None:
    """By hand: the same seed gives a subject the same simulated samples with or without another subject."""
    two = read_set(["B", "A", "B", "A"], [10, 3, 3, 10], LN([5.0, 6.0, 7.0, 8.0]))
    one = read_set(["B", "B"], [3, 10], LN([7.0, 5.0]))
    problems = [Problem.of(PopulationModel("mono"), samples) for samples in (two, one)]
    drawn = [simulate_samples(problem, still(problem, 0.5, 0.5), trials=5, seed=9) for problem in problems]
    assert np.array_equal(drawn[0][:, 2:], drawn[1])


def test_quantiles_are_those_of_numpy() -> None:
    """Independent: NumPy's, row by row, of what is a number; none of four values."""
    random = np.random.default_rng(5)
    values = random.normal(size=(30, 9))
    values[random.random(values.shape) < 0.3] = np.nan
    for share in (0.1, 0.5, 0.9):
        expected = [np.quantile(row[~np.isnan(row)], share) if np.sum(~np.isnan(row)) >= 5 else np.nan for row in values]
        assert _quantiles(values, share) == pytest.approx(np.array(expected), nan_ok=True)


def test_what_is_above_its_range_has_no_quantile_that_hangs_on_it() -> None:
    """By hand: of ten samples four are only known to be at least 500: the 90 % quantile is not known, the median is that of the others."""
    values = LN([100.0, 200, 300, 400, 450, 480, 500, 500, 500, 500])
    samples = read_set([f"{i}" for i in range(10)], [10] * 10, values, [0] * 6 + [1] * 4)
    problem = Problem.of(PopulationModel("mono", varying=("cmax",)), samples)
    found = check_population(problem, still(problem, 1.0, 0.1), np.full(10, -np.inf), trials=100)
    observed = dict(found.select("statistic", "observed").iter_rows())
    assert observed["q50"] == pytest.approx(465.0) and observed["q90"] is None and observed["below"] == 0.0
    with pytest.raises(InputError, match="50 trials are too few"):
        check_population(problem, still(problem, 1.0, 0.1), np.full(10, -np.inf), trials=50)


@pytest.mark.slow
def test_bands_of_the_true_population_hold_nine_tenths() -> None:
    """Independent: 50 sets drawn from a known population, six random effects, 16 % below the limit (K12).

    The band of 90 % holds between 85 and 95 % of the figures; of a population whose peak is a third, fewer than half of the quantiles.
    """
    from test_fit import SPREAD, TRUE, simulated

    inside: list[bool] = []
    wrong: list[bool] = []
    for seed in range(50):
        samples = simulated(1000 + seed, limit=50.0)
        problem = Problem.of(PopulationModel("stein", classes=False), samples)
        for found, shift in ((inside, 0.0), (wrong, LN(3.0))):
            centre = np.array([TRUE[name] - shift * (name == "cmax") for name in problem.model.random])
            estimate = Estimate(centre, np.diag(np.square(SPREAD)), np.zeros(6), 0.56, 1.0)
            checked = check_population(problem, estimate, np.full(len(samples.rows.time), LN(50.0)), trials=200, seed=seed)
            checked = checked.drop_nulls(["observed", "lower"]).filter((pl.col("statistic") != "below") | (pl.col("n") < pl.col("samples")))
            found += checked.select(pl.col("observed").is_between("lower", "upper")).to_series().to_list()
    assert len(inside) > 900
    assert 0.85 < np.mean(inside) < 0.95, np.mean(inside)
    assert np.mean(wrong) < 0.5


def fitted() -> KineticsFit:
    """A population that was set, not searched: four subjects, of whom C has a peak far above its samples and D was never quantifiable."""
    rows = [("A", 5, 90.0), ("A", 10, 1100.0), ("A", 14, 80.0), ("B", 7, 400.0), ("B", 12, 300.0)]
    rows += [("C", 2, 20.0), ("C", 26, 21.0), ("D", 10, 0.0), ("D", 14, 0.0)]
    frame = pl.DataFrame(rows, schema=["USUBJID", "AFRLT", "AVAL"], orient="row", schema_overrides={"AFRLT": pl.Float64})
    low = pl.col("AVAL") < 10
    frame = frame.with_columns(
        TRIAL=1,
        SUBJ=pl.col("USUBJID").replace_strict({"A": 1, "B": 2, "C": 3, "D": 4}),
        TEST=pl.lit("CARTG"),
        AVAL=pl.when(~low).then("AVAL"),
        ALLOQ=pl.lit(10.0),
        BLQFL=pl.when(low).then(pl.lit("Y")).otherwise(pl.lit("N")),
        ALQFL=pl.lit("N"),
    )
    logs = frame["AVAL"].fill_null(10.0).log()
    samples = read_set(frame["USUBJID"].to_list(), frame["AFRLT"], logs, np.where(frame["BLQFL"] == "Y", -1, 0))
    problem = Problem.of(PopulationModel("mono", varying=("cmax", "alpha"), bounds={"alpha": (0.01, 0.7)}), samples)
    alpha = LN((HALVES["alpha"] - 0.01) / (0.7 - HALVES["alpha"]))
    estimate = Estimate(np.array([LN(1000.0), alpha]), 0.5 * np.eye(2), still(problem, 1.0, 1.0).common, 0.5, 0.75)
    mean = problem.design @ estimate.coefficients
    draws = Draws(mean, np.repeat(estimate.omega[None], 4, axis=0), np.repeat(mean[:, None], 4, axis=1))
    likelihood, _ = assess_fresh(problem, estimate, draws, 1, size=16)
    fit = PopulationFit(problem, Polished(estimate, likelihood, None, "set, not searched", True, draws), (), ("set, not searched",), 1)
    return KineticsFit("CARTG", CellModel(curve="mono"), frame, fit, (), fit.notes)


def test_courses_are_the_curves_of_each_subject() -> None:
    """Independent: the same curve drawn at the same days from the subject's parameters; who never expanded has none."""
    one = fitted()
    courses = derive_courses(one)
    assert set(courses["USUBJID"]) == {"", "A", "B", "C"} and set(courses["EVID"]) == {2}
    typical = courses.filter(USUBJID="")
    assert typical["AFRLT"].min() == 0.0 and typical["AFRLT"].max() == 26.0
    assert (typical["AFRLT"] - 10.0).abs().min() == pytest.approx(0.0, abs=1e-9)  # the peak is drawn
    expected = draw_curves("mono", HALVES, typical["AFRLT"].to_numpy())[0]
    assert typical["PRED"].to_numpy() == pytest.approx(expected)
    assert courses.filter(USUBJID="A")["AFRLT"].max() == 14.0 and 5.0 in courses.filter(USUBJID="A")["AFRLT"].to_list()


def test_rows_of_a_model_are_results_and_the_section_prints_nothing_else() -> None:
    """By hand: 4 subjects, 9 samples, 2 below the limit, 1 never quantifiable; no standard errors, so limits are not estimable.

    Windows aim at 9 / 6 samples: days 2 and 5, 7 and 10, 12 and 14, 26.
    """
    one = fitted()
    rows = cell_model_rows([one], study="S", provenance="example", units={"CARTG": "copies/ug DNA"})
    check_results(rows)
    model = dict(rows.filter(endpoint="MODEL").select("statistic", "text").iter_rows())
    counted = [model[name] for name in ("N", "samples", "below_limit", "above_range", "never_quantifiable")]
    assert counted == ["4", "9", "2", "0", "1"]
    assert rows.filter(endpoint="CMAX", statistic="typical")["value"][0] == pytest.approx(1000.0)
    assert rows.filter(endpoint="CMAX", statistic="typical_lower")["text"].to_list() == ["NE"]
    assert rows.filter(endpoint="FOLD")["statistic"].to_list() == ["typical", "typical_lower", "typical_upper"]
    assert rows.filter(endpoint="EXPANDER", statistic="share")["text"].to_list() == ["75.0"]
    check = rows.filter(endpoint="CHECK", by="window", statistic="observed_below")
    assert check["level"].to_list() == ["day 2 to 5", "day 7 to 10", "day 12 to 14", "day 26"]
    assert check["value"].to_list() == pytest.approx([0.0, 1 / 3, 1 / 3, 0.0])

    study = Study.load("inaticel")
    adam = type("Sets", (), {"adsl": pl.DataFrame({"SUBJ": [1, 2, 3, 4], "USUBJID": ["A", "B", "C", "D"]})})()
    data = ReportData(study, None, adam, Rows(rows), pl.DataFrame(), "example")
    section = build(data, CellFits((one,)))
    page = render_page([section], title="t", heading="h", kind="k", facts="f", band=data.band, footer="", version="0")
    printed = re.findall(r'data-key="(\d+)"[^>]*>([^<]*)<', page)
    assert len(printed) > 40
    assert all(rows["text"][int(key)] == text.replace("&lt;", "<") for key, text in printed)
    assert "Set, not searched" in page and "Peak not sampled" in page
    assert "could not be fitted: no sample" in str(build(data, CellFits((), "no sample is quantifiable")).blocks[0])


def test_bounds_that_the_samples_do_not_narrow_are_told() -> None:
    """By hand: with a standard error of 4 of the logit the limits hold all that the bounds allow; with 0.3 they do not."""
    one = fitted().fit
    for error, told in ((4.0, True), (0.3, False)):
        polished = replace(one.polished, covariance=error**2 * np.eye(one.size))
        notes = _notes(replace(one, polished=polished, starts=(Start(1.0, 0.1, one.estimate, np.zeros((1, 1))),)))
        assert ("alpha: the samples say next to nothing of it within its bounds" in notes) == told, notes


def test_a_share_at_its_edge_has_no_limits() -> None:
    """By hand: with a standard error of 1 the logit of 3/4 has limits; all but one in a million has none, where Wald's would be 0 to 1."""
    one = fitted().fit
    for share, known in ((0.75, True), (1.0 - 1e-6, False)):
        polished = replace(one.polished, covariance=np.eye(one.size), estimate=replace(one.estimate, share=share))
        row = replace(one, polished=polished).parameters().filter(kind="share").row(0, named=True)
        assert row["estimate"] == pytest.approx(share)
        assert (row["lower"] is not None) == known and (row["se"] is not None) == known


def test_a_peak_that_all_share_may_be_invented_too() -> None:
    """By hand: a peak of 1000 for all is above ten times C's highest sample (21), not above that of A and B."""
    one = fitted()
    samples = one.fit.problem.samples
    problem = Problem.of(PopulationModel("mono", varying=("alpha",), bounds={"alpha": (0.01, 0.7)}), samples)
    common = one.fit.estimate.common.copy()
    common[problem.model.parameters.index("cmax")] = LN(1000.0)
    estimate = Estimate(one.fit.estimate.coefficients[1:], 0.5 * np.eye(1), common, 0.5, 0.75)
    mean = problem.design @ estimate.coefficients
    draws = Draws(mean, np.repeat(estimate.omega[None], 4, axis=0), np.repeat(mean[:, None], 4, axis=1))
    likelihood, _ = assess_fresh(problem, estimate, draws, 1, size=16)
    fit = PopulationFit(problem, Polished(estimate, likelihood, None, "set", True, draws), (), (), 1)
    assert peaks_not_sampled(replace(one, fit=fit)) == ("C",)


def test_what_is_made_of_a_shrunk_parameter_is_shrunk() -> None:
    """By hand: half-life and area are made of what varies and is shrunk, the doubling time of what all share; none without growth."""
    one = fitted()
    assert one.fit.shrinkage()["alpha"] > 0.3  # four subjects whose draws lie about the mean
    rows = {row["PARAMCD"]: row for row in derive_adpp(one, auc_to=28, unit="copies/ug").filter(USUBJID="A").iter_rows(named=True)}
    assert [rows[name]["SHRINKFL"] for name in ("ALPHA", "THALF", "AUC28", "TDOUB")] == ["Y", "Y", "Y", "N"]
    assert rows["TDOUB"]["FLAGS"] == "the same for all subjects"
    assert rows["THALF"]["AVAL"] == pytest.approx(LN(2) / rows["ALPHA"]["AVAL"])
    assert rows["TDOUB"]["AVAL"] == pytest.approx(10.0 * LN(2) / LN(100.0))
    assert _doubling({"fold": 0.5, "tmax": 10.0}) is None


def test_a_likelihood_has_two_decimals_and_a_share_that_persists_four_digits() -> None:
    """By hand: 3.84 of a likelihood of thousands decides, and less than 0.05 % of the peak may persist."""
    frame = pl.DataFrame({"minus_two_log_likelihood": [5219.678], "typical": [0.0003712]})
    assert frame.select(text_of("minus_two_log_likelihood", "").alias("text")).item() == "5219.68"
    assert frame.select(text_of("typical", _UNITS["fb"]).alias("text")).item() == "0.0003712"


def test_points_have_the_colour_of_their_line_and_marks_say_on_which_side_a_sample_lies() -> None:
    """By hand: a measured median is drawn in the colour of the median; a sample above its range points up, one below its limit down."""
    x = np.array([1.0, 2.0])
    made = draw_panels([Panel("y", 1.0, 9.0, [Trace("median", "blue", x, x), Trace("", "blue", x, x, style="points")])], title="t")
    assert [row["c"] for row in made["datasets"]["points-0"]] == ["blue", "blue"]
    courses = [Course("A", [(0.0, 10.0), (9.0, 20.0)], [(1.0, 10.0, -1), (2.0, 20.0, 0), (3.0, 30.0, 1)])]
    drawn = draw_courses(courses, unit="u", title="t")
    marks = drawn["layer"][1]["encoding"]["shape"]["scale"]
    shape = dict(zip(marks["domain"], marks["range"], strict=True))
    assert [shape[row["mark"]] for row in drawn["datasets"]["samples"]] == ["triangle-down", "circle", "triangle-up"]


def test_the_summary_and_the_table_have_units(tmp_path: Path) -> None:
    """By hand: a peak of copies/mL, a contraction per day of which the logit varies, a fold of no unit."""
    one = fitted()
    lines = "\n".join(summary_lines([one], {"CARTG": "copies/mL"}))
    for words in ("below the limit (10 copies/mL)", "cmax, peak, copies/mL: 1000 (NE)", "spread of alpha, standard deviation of the logit"):
        assert words in lines, lines
    assert "spread of cmax, standard deviation of the logarithm" in lines
    start = Start(1.0, 0.1, one.fit.estimate, np.zeros((1, 8)))
    one = replace(one, fit=replace(one.fit, starts=(start,)))
    write_kinetics(Study.load("inaticel"), [one], tmp_path / "out", units={"CARTG": "copies/mL"})
    table = pl.read_csv(tmp_path / "out" / "parameters.csv").filter(kind="typical")
    assert dict(table.select("parameter", pl.col("unit").fill_null("")).iter_rows()) == {
        "cmax": "copies/mL",
        "alpha": "1/day",
        "fold": "",
        "tmax": "days",
    }


def test_the_section_has_the_unit_of_the_samples() -> None:
    """By hand: samples in copies/mL are not called copies per microgram anywhere; what failed of another test is told."""
    one = fitted()
    rows = cell_model_rows([one], study="S", provenance="example", units={"CARTG": "copies/mL"})
    adam = type("Sets", (), {"adsl": pl.DataFrame({"SUBJ": [1, 2, 3, 4], "USUBJID": ["A", "B", "C", "D"]})})()
    data = ReportData(Study.load("inaticel"), None, adam, Rows(rows), pl.DataFrame(), "example")
    section = build(data, CellFits((one,), "CARTC has no limit"))
    page = render_page([section], title="t", heading="h", kind="k", facts="f", band=data.band, footer="", version="0")
    assert "copies/mL" in page and "µg" not in page and "\\u00b5g" not in page
    assert "no model could be fitted: CARTC has no limit" in page
    assert "limit 10 copies/mL" in re.sub(r"<[^>]*>", "", page)
