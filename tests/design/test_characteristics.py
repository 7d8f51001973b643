"""Operating characteristics: equal in any batches, beside the exact binomial where assumptions coincide, with an error on every figure."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cartrial.design.batches.run import read_batches, run_batches
from cartrial.design.exact.single import design_single_stage
from cartrial.design.exact.staged import Staged, operate
from cartrial.design.trials.characteristics import CharacteristicsJob, plan_characteristics, simulate_characteristics
from cartrial.design.trials.contrasts import SETTINGS, contrast_table, family_of, variants_of
from cartrial.design.trials.summary import UNITS, summarise
from cartrial.design.trials.worlds import choose_endpoint
from cartrial.errors import InputError
from cartrial.study import Study
from cartrial.virtual.patients.ensemble import Ensemble
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.trial import plan_study

pytest.importorskip("numba")

# errors 0.05 and 0.2 at 0.3 against 0.5; the second is Simon's optimal design for errors of 0.1
SINGLE = design_single_stage(0.3, 0.5, 0.05, 0.2)
SMALL = Staged("single", (12,), (5,), (6,), 0.3, 0.5, "by hand", "none")
TWO = Staged("two stages", (6, 12), (1, 5), (None, 6), 0.3, 0.5, "by hand", "none")
KEYS = ["design", "accrual", "setting", "variant", "truth", "trial"]


def make_plan(name: str = "inaticel", members: int = 3, seed: int = 11, **changes: dict[str, float]):
    """Return a plan with parameter sets near the prior."""
    model = load_model()
    mean, sd = model.prior
    ensemble = Ensemble(mean + np.linspace(-0.1, 0.1, members)[:, None] * sd if members > 1 else mean[None], model, {})
    return plan_study(Study.load(name), n=10, seed=seed, ensemble=ensemble, changes=changes or None)


@pytest.fixture(scope="module")
def job() -> CharacteristicsJob:
    """Return a small job."""
    return plan_characteristics(make_plan(), [TWO, SMALL], rates=(0.3, 0.4), patients=1200)


@pytest.fixture(scope="module")
def rows(job) -> pl.DataFrame:
    """Return its forty trials."""
    return job.run(0, 39)


@pytest.fixture(scope="module")
def frame(job, rows) -> pl.DataFrame:
    """Return their summary."""
    return summarise(rows, job.plan.study, job.designs, job.truths)


@pytest.mark.slow
def test_trials_depend_on_their_numbers_alone(job, rows, tmp_path):
    assert rows.select(KEYS).is_unique().all()
    again = pickle.loads(pickle.dumps(job))
    parts = pl.concat([again.run(0, 12), again.run(13, 39)]).sort(KEYS)
    assert_frame_equal(parts, rows.sort(KEYS))
    told = []
    run_batches(job, 40, tmp_path / "out", batch=25, progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 40), (25, 40), (40, 40)]
    assert_frame_equal(read_batches(tmp_path / "out").collect().sort(KEYS), rows.sort(KEYS))
    other = replace(job, designs=(SMALL,))
    with pytest.raises(InputError, match="another"):
        run_batches(other, 40, tmp_path / "out")


def test_rows_are_complete(job, rows):
    assert job.truths.rates == (0.3, 0.4, 0.5) and (job.plan.size, job.plan.goal) == (12, "infused")
    ways = {(design, accrual) for design, accrual in rows.filter(pl.col("accrual") != "").select("design", "accrual").unique().rows()}
    assert ways == {("single", "continued"), ("two stages", "continued"), ("two stages", "paused")}
    assert (rows.filter(pl.col("accrual") != "").group_by("design", "accrual", "truth").len()["len"] == 40).all()
    compared = rows.filter(pl.col("accrual") == "").select("setting", "variant").unique().rows()
    endpoint = choose_endpoint(job.plan.study)
    assert len(compared) == 1 + len(variants_of(job.plan.study, endpoint)) + 2 * 2 + 2
    # a single stage is what the comparison of its main analysis says
    main = rows.filter((pl.col("design") == "single") & (pl.col("setting") == "") & (pl.col("variant") == ""))
    ran, compared = (main.filter((pl.col("accrual") == "") == blank).sort("truth", "trial") for blank in (False, True))
    for name in ("success", "responders", "subjects"):
        assert ran[name].to_list() == compared[name].to_list()


def test_a_smaller_design_is_a_trial_of_its_own(job, rows):
    # independent: trials that end with the smaller design's last subject, against the first subjects of larger trials
    larger = Staged("larger", (20,), (8,), (9,), 0.3, 0.5, "by hand", "none")
    both = CharacteristicsJob(replace(job.plan, size=20), (TWO, SMALL, larger), job.truths, contrasts=False).run(0, 19)
    own = rows.filter((pl.col("accrual") != "") & (pl.col("trial") < 20))
    assert_frame_equal(both.filter(pl.col("design") != "larger").select(own.columns).sort(KEYS), own.sort(KEYS))


def test_pause_changes_no_response_and_costs_time(rows):
    two = rows.filter((pl.col("design") == "two stages") & (pl.col("accrual") != "")).sort("truth", "trial")
    going, paused = two.filter(pl.col("accrual") == "continued"), two.filter(pl.col("accrual") == "paused")
    first = going["look"] == 1
    assert 0 < first.sum() < len(first)
    # the first look sees the same subjects, and a pause enrols no more until then
    assert (paused["look"] == 1).to_list() == first.to_list()
    assert paused.filter(first)["responders"].to_list() == going.filter(first)["responders"].to_list()
    assert (paused["enrolled"] <= going["enrolled"]).all() and (paused["duration"] >= going["duration"]).all()
    assert (paused.filter(~first)["duration"] > going.filter(~first)["duration"]).any()
    assert (going["infused"] == going["subjects"] + going["overrun"]).all() and (going["enrolled"] >= going["infused"]).all()
    assert (going["evaluable"] <= going["infused"]).all()


def test_more_responders_under_higher_truths(rows):
    # the same patients: nobody loses a response by a lower share of the resistant, but for chance in readings; the means rise
    means = rows.filter(pl.col("accrual") == "").group_by("setting", "variant", "truth").agg(pl.col("responders").mean()).sort("truth")
    for _, group in means.group_by("setting", "variant"):
        assert (group["responders"].diff().drop_nulls() > 0).all()


def within_their_errors(trials: int, patients: int):
    """Simulate, and hold every figure that the exact binomial has against it; the rows and what was checked."""
    # no visit missed, nobody lost, readings without error, one parameter set: subjects are independent with one rate
    exactly = {
        "visits": {"missed": 0, "lost": 0, "withdrawn": 0},
        "readers": {"investigator-error": 0, "reader-error": 0, "adjudicator-error": 0},
    }
    design = replace(TWO, n=(7, 15), futility=(1, 6), efficacy=(None, 7))
    single = replace(SMALL, n=(15,), futility=(6,), efficacy=(7,))
    job = plan_characteristics(make_plan(members=1, **exactly), [design, single], rates=(0.3,), patients=patients, contrasts=False)
    rows = job.run(0, trials - 1)
    frame = summarise(rows, job.plan.study, job.designs, job.truths)
    checked = frame.filter(pl.col("exact").is_not_null() & (pl.col("mc_error") > 0))
    assert set(checked["quantity"]) >= {"success", "early_stop", "subjects", "bias", "adjusted_bias", "stop_futility", "stop_efficacy"}
    # four standard errors, of the trials and of the calibration together, for each of some sixty figures
    assert ((checked["value"] - checked["exact"]).abs() <= 4 * checked["error"]).all()
    return rows, checked


@pytest.mark.slow
@pytest.mark.shows("EST-characteristics")
def test_agreement_with_the_exact_binomial_of_few_trials():
    within_their_errors(80, 2000)


@pytest.mark.slow
def test_agreement_with_the_exact_binomial():
    trials = 400
    rows, checked = within_their_errors(trials, 8000)
    # the figures can tell one truth from the other
    success = checked.filter((pl.col("quantity") == "success") & (pl.col("design") == "single")).sort("truth")
    assert success["exact"][1] - success["exact"][0] > 8 * success["mc_error"].max()

    from scipy.stats import binom, chisquare

    for rate in (0.3, 0.5):
        counts = rows.filter((pl.col("design") == "single") & (pl.col("truth") == rate))["responders"].to_numpy()
        expected = trials * binom.pmf(np.arange(16), 15, rate)
        seen = np.bincount(counts, minlength=16)
        # cells of at least five expected trials, the tails put together
        inner = np.flatnonzero(expected >= 5)
        low, high = inner[0], inner[-1]
        pooled = [np.array([x[: low + 1].sum(), *x[low + 1 : high], x[high:].sum()]) for x in (seen, expected)]
        assert chisquare(*pooled).pvalue > 1e-3
        wrong = trials * binom.pmf(np.arange(16), 15, rate + 0.06)
        assert chisquare(pooled[0], np.array([wrong[: low + 1].sum(), *wrong[low + 1 : high], wrong[high:].sum()])).pvalue < 1e-3


@pytest.mark.shows("EST-characteristics")
def test_a_summary_by_hand(job, rows):
    # by hand: four trials of a design and truth, the others dropped
    some = rows.filter((pl.col("design") == "two stages") & (pl.col("trial") < 4))
    made = some.with_columns(
        pl.Series("success", [True, True, False, False] * (some.height // 4)),
        pl.Series("look", [2, 2, 1, 2] * (some.height // 4), dtype=pl.Int32),
        pl.Series("estimate", [0.5, 0.75, 0.25, 0.5] * (some.height // 4)),
    )
    alone = replace(job, designs=(TWO,))
    found = summarise(made, alone.plan.study, alone.designs, alone.truths)
    figures = found.filter((pl.col("accrual") == "continued") & (pl.col("truth") == 0.4))
    value = {(name, look): (v, e) for name, look, v, e in figures.select("quantity", "look", "value", "mc_error").rows()}
    assert value["success", None] == pytest.approx((0.5, np.sqrt(0.5 * 0.5 / 4)))
    # (1 + 1) / (4 + 2) and (0 + 1) / (4 + 2): no error of a probability is zero
    assert value["early_stop", None] == pytest.approx((0.25, np.sqrt(1 / 3 * 2 / 3 / 4)))
    assert value["stop_futility", 1] == pytest.approx((0.25, np.sqrt(1 / 3 * 2 / 3 / 4)))
    # no trial can win at the first look
    assert value["stop_efficacy", 1] == (0.0, 0.0)
    assert value["stop_efficacy", 2] == pytest.approx((0.5, 0.25))
    # deviations 0, 0.25, -0.25, 0 from 0.5: variance 0.125 / 3, over 4 trials
    assert value["estimate", None] == pytest.approx((0.5, np.sqrt(0.125 / 3 / 4)))
    assert value["bias", None] == pytest.approx((0.1, np.sqrt(0.125 / 3 / 4)))
    assert found["trials"].unique().to_list() == [4]


def test_every_figure_has_its_error(frame, job):
    assert frame.columns == [
        *("study", "endpoint", "design", "accrual", "truth", "setting", "variant", "quantity", "look"),
        *("value", "error", "mc_error", "calibration_error", "exact", "unit", "trials"),
    ]
    assert frame.select("design", "accrual", "truth", "setting", "variant", "quantity", "look").is_unique().all()
    means = frame.filter(~pl.col("quantity").str.starts_with("needed"))
    assert set(means["quantity"]) | {"needed_n", "needed_n_restated"} == set(UNITS)
    assert means.filter(pl.col("quantity") != "success").select("value", "mc_error").null_count().row(0) == (0, 0)
    # by definition: what the trials and the truth leave open are independent of each other
    both = means.drop_nulls("mc_error").select("error", "mc_error", "calibration_error")
    assert both["error"].to_list() == pytest.approx([np.sqrt(a**2 + b**2) for a, b in both.select(both.columns[1:]).rows()])
    assert (both["error"] > 1.2 * both["mc_error"]).any()
    numbers = frame.filter(pl.col("quantity").str.starts_with("needed")).drop_nulls("mc_error")
    assert numbers.height and numbers["error"].to_list() == numbers["mc_error"].to_list()
    # by hand: a rate that rises by one when the truth does carries the truth's own error; numpy's gradient at the ends
    main = (pl.col("variant") == "") & (pl.col("setting") == "") & (pl.col("design") == "single")
    rate = frame.filter((pl.col("quantity") == "rate") & main)
    slope = (rate["value"][1] - rate["value"][0]) / 0.1
    assert rate["calibration_error"][0] == pytest.approx(slope * job.truths.mc_error[0])
    bias = frame.filter((pl.col("quantity") == "bias") & (pl.col("design") == "single")).sort("truth")
    assert bias["calibration_error"].to_list() == pytest.approx(rate["calibration_error"].to_list())


def test_a_stop_that_cannot_happen_is_zero_without_an_error(frame):
    # by hand: the single stage has one look; the two stages cannot win at the first, and can do everything else
    chances = frame.filter((pl.col("unit") == "probability") & (pl.col("accrual") != ""))
    never = {("single", "early_stop", None), ("two stages", "stop_efficacy", 1)}
    for design, quantity, look, value, error, exact in chances.select("design", "quantity", "look", "value", "error", "exact").rows():
        if (design, quantity, look) in never:
            assert (value, error, exact) == (0, 0, 0)
        else:
            assert error > 0
    found = {row for row in chances.filter(pl.col("error") == 0).select("design", "quantity", "look").rows()}
    assert found == never


def test_exact_figures_stand_beside(frame):
    exact = operate(TWO, 0.4)
    beside = frame.filter((pl.col("design") == "two stages") & (pl.col("accrual") == "paused") & (pl.col("truth") == 0.4))
    found = {(name, look): value for name, look, value in beside.select("quantity", "look", "exact").rows()}
    assert found["success", None] == pytest.approx(exact.success) and found["subjects", None] == pytest.approx(exact.expected_n)
    assert found["stop_futility", 1] == pytest.approx(exact.stop_futility[0]) and found["enrolled", None] is None
    # the unbiased estimate has no bias; the naive one has
    assert found["adjusted_bias", None] == 0 and found["bias", None] < -0.005


def test_needed_numbers(job, rows):
    # independent: `design_single_stage` with the study's errors, for the rate that the comparison has
    study = job.plan.study
    alpha = study.testing.alpha.value / study.testing.alpha.sides
    found = summarise(rows, job.plan.study, job.designs, job.truths, power=0.8).filter(
        (pl.col("design") == "single") & (pl.col("truth") == 0.5)
    )
    needed = {(s, v): n for s, v, q, n in found.select("setting", "variant", "quantity", "value").rows() if q == "needed_n"}
    rates = {(s, v): r for s, v, q, r in found.select("setting", "variant", "quantity", "value").rows() if q == "rate"}
    assert len(needed) == len(rates) > 8
    for key, rate in rates.items():
        assert needed[key] == design_single_stage(0.3, round(rate, 6), alpha, 0.2).n[0]
    # a null that is restated as the rate under the null: independent, from the rates of both truths
    null = summarise(rows, job.plan.study, job.designs, job.truths).filter(
        (pl.col("design") == "single") & (pl.col("truth") == 0.3) & (pl.col("quantity") == "rate")
    )
    of_null = {(s, v): r for s, v, r in null.select("setting", "variant", "value").rows()}
    for s, v, n in found.filter(pl.col("quantity") == "needed_n_restated").select("setting", "variant", "value").rows():
        expected = design_single_stage(of_null[s, v], round(rates[s, v], 6), alpha, 0.2, n_max=400).n[0]
        assert n == expected


def test_a_table_to_act_on(frame, job):
    table = contrast_table(frame, job.plan.study)
    families = ["main", "denominator", "transplant strategy", "window", "reader", "reader error", "missed visits"]
    assert set(table["family"]) == set(families)
    main = table.filter(pl.col("family") == "main")
    assert (main["difference"] == 0).all() and main["truth"].to_list() == [0.3, 0.4, 0.5]
    strategies = table.filter(pl.col("family") == "transplant strategy")
    assert strategies["note"].unique().to_list() == ["a difference between estimands, not an effect of transplant"]
    assert set(strategies["strategies"]) == {f"hsct={name}; new-therapy=composite" for name in ("treatment-policy", "while-on-treatment")}
    assert table.filter(pl.col("family") == "denominator")["population"].unique().to_list() == ["enrolled"]
    assert table.filter(pl.col("family") == "window")["window"].str.contains("within month 3").all()
    assert set(table.filter(pl.col("family") == "reader error")["reader"]) == {"IRC", "INV"}
    # a difference is that of the rates of the same trials
    rate = main.sort("truth")["rate"]
    for (_, _), group in table.group_by("setting", "variant"):
        assert (group.sort("truth")["rate"] - rate).to_list() == pytest.approx(group.sort("truth")["difference"].to_list())
    # what is once seen is at least what is still there, transplant ignored at least what it ends, in the same patients
    assert (table.filter(pl.col("family") == "window")["difference"] >= 0).all()
    assert (strategies.filter(pl.col("variant") == "hsct=treatment-policy")["difference"] >= 0).all()
    assert table.select("family", "setting", "variant", "truth").is_unique().all()
    assert contrast_table(frame, job.plan.study, "single")["success"].null_count() == 0
    assert [family_of(setting.name, "") for setting in SETTINGS] == ["reader error"] * 2 + ["missed visits"] * 2


@pytest.mark.slow
def test_in_memory_and_in_a_folder(job, frame, tmp_path):
    told = []
    plan = make_plan()
    found = simulate_characteristics(
        plan, [TWO, SMALL], 40, rates=(0.3, 0.4), patients=1200, out=tmp_path / "oc", progress=lambda *said: told.append(said)
    )
    assert_frame_equal(found.frame, frame)
    assert found.trials == 40 and found.truths.digest() == job.truths.digest()
    assert told[-1] == ("trials", 40, 40) and told[0][0] == "calibration"
    few = simulate_characteristics(plan, [SMALL], 4, rates=(0.4,), patients=1200, contrasts=False)
    assert set(few.frame["truth"]) == {0.4, 0.5} and set(few.frame["accrual"]) == {"continued"}


@pytest.mark.slow
def test_an_endpoint_of_the_enrolled_is_counted_from_enrolment():
    plan = make_plan("allo-cd19")
    design = Staged("five", (3, 5), (0, 2), (None, 3), 0.3, 0.5, "by hand", "none")
    job = plan_characteristics(plan, [design], rates=(0.3,), patients=250, contrasts=False)
    assert (job.truths.endpoint, job.plan.goal, job.plan.size) == ("CRR", "enrolled", 10)
    rows = job.run(0, 5)
    assert (rows["subjects"] + rows["overrun"] <= rows["enrolled"]).all() and (rows["enrolled"] >= rows["infused"]).all()
    assert rows.filter(pl.col("look") == 2)["subjects"].unique().to_list() == [5]
    # most results are decided by an event or an assessment within months of enrolment, not by the end of two years
    assert rows["duration"].median() < 730


@pytest.mark.slow
def test_the_infused_are_compared_with_an_endpoint_of_the_enrolled():
    plan = make_plan("allo-cd19")
    assert {"population": "infused"} in variants_of(plan.study, choose_endpoint(plan.study))
    job = plan_characteristics(plan, [Staged("five", (5,), (2,), (3,), 0.3, 0.5, "by hand", "none")], rates=(0.3,), patients=250)
    rows = job.run(0, 19).filter((pl.col("accrual") == "") & (pl.col("setting") == "") & (pl.col("truth") == 0.5))
    main, infused = (rows.filter(pl.col("variant") == name).sort("trial") for name in ("", "population=infused"))
    # by definition: of the same first subjects a non-responder who is never infused leaves, and a later subject comes in
    assert main.height == infused.height == 20 and infused["subjects"].max() == 5
    assert (infused["responders"] >= main["responders"]).all()


def test_wrong_input_is_refused():
    plan = make_plan()
    with pytest.raises(InputError, match="there is no design"):
        plan_characteristics(plan, [])
    with pytest.raises(InputError, match="the same name"):
        plan_characteristics(plan, [SMALL, SMALL])
    with pytest.raises(InputError, match="no Monte-Carlo error"):
        simulate_characteristics(plan, [SMALL], 1)
    with pytest.raises(InputError, match="workers need a place"):
        simulate_characteristics(plan, [SMALL], 10, workers=2)
    nothing = plan.study.endpoints[0].model_copy(update={"test": None})
    without = replace(plan, study=plan.study.model_copy(update={"endpoints": (nothing, *plan.study.endpoints[1:])}))
    with pytest.raises(InputError, match="ORR3 has no null") as caught:
        plan_characteristics(without, [SMALL])
    assert caught.value.key == "test"


def test_a_study_without_errors_is_asked_for_them(job, rows):
    study = job.plan.study.model_copy(update={"testing": None, "design": None})
    with pytest.raises(InputError, match="no type I error") as caught:
        summarise(rows, study, job.designs, job.truths)
    assert caught.value.key == "testing.alpha"
    assert (
        summarise(rows, study, job.designs, job.truths, alpha=0.025).height
        == summarise(rows, job.plan.study, job.designs, job.truths).height
    )
