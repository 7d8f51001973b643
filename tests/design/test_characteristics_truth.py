"""A truth is root-found: the rate asked for, in every parameter set, on patients that were not used to find it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cartrial.design.trials import truth
from cartrial.design.trials.truth import CALIBRATING, CalibrationJob, _Curves, find_truths, space_truths
from cartrial.design.trials.worlds import ask, choose_endpoint, simulate_worlds, with_share
from cartrial.endpoints import derive
from cartrial.errors import InputError
from cartrial.study import Study
from cartrial.virtual.patients.ensemble import Ensemble
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.trial import plan_study, simulate_study

pytest.importorskip("numba")
pytestmark = pytest.mark.slow

RATES = (0.3, 0.4, 0.5)


def make_plan(n: int = 50, seed: int = 11):
    """Return a plan with three parameter sets near the prior."""
    model = load_model()
    mean, sd = model.prior
    return plan_study(Study.load("inaticel"), n=n, seed=seed, ensemble=Ensemble(mean + np.array([[-0.1], [0.0], [0.1]]) * sd, model, {}))


@pytest.fixture(scope="module")
def found():
    """Return the plan, its truths, and what progress was told."""
    plan, told = make_plan(), []
    return plan, find_truths(plan, RATES[::-1], patients=2500, progress=lambda done, of: told.append((done, of))), told


def test_rates_are_attained(found):
    plan, truths, told = found
    assert truths.rates == RATES and truths.endpoint == "ORR3" and truths.patients == 2500
    assert np.abs(truths.attained - RATES).max() < 0.005
    assert told[-1] == (50, 50)
    # by hand: the standard error of a proportion of 2,500, parameter sets nearly the same in number
    assert truths.mc_error == pytest.approx(np.sqrt(np.array(RATES) * (1 - np.array(RATES)) / 2500), rel=0.1)
    assert truths.unshifted_error == pytest.approx(np.sqrt(truths.unshifted * (1 - truths.unshifted) / 2500), rel=0.1)
    # more responders, fewer resistant
    assert (np.diff(truths.shares, axis=0) < 0).all() and ((truths.shares > 0) & (truths.shares < 1)).all()
    assert truths.attainable[0] < 0.3 and truths.attainable[1] > 0.5
    own = plan.ensemble.natural(np.arange(3))["poor-adult"]
    shifted = own / (1 - own) * np.exp(truths.shift)
    assert shifted / (1 + shifted) == pytest.approx(truths.shares)
    table = truths.table()
    assert table.columns == ["truth", "attained", "mc_error", "member_sd", "share", "shift"]
    assert table["share"].to_list() == pytest.approx([np.mean(row) for row in truths.shares.tolist()])


def test_other_patients_have_the_rate(found):
    # independent: a direct simulation with the shifted ensemble, through `derive`; 40 trials of 50
    plan, truths, _ = found
    for i in (0, 2):
        records = simulate_study(plan.study, plan=with_share(plan, truths.shares[i]), trials=40)
        adrs = derive(plan.study.model_copy(update={"endpoints": plan.study.endpoints[:1]}), records).adrs
        rate = adrs.filter(pl.col("VARIANT") == "")["AVAL"].mean()
        error = np.hypot(truths.mc_error[i], np.sqrt(rate * (1 - rate) / 2000))
        assert abs(rate - RATES[i]) < 4 * error
        # and not that of the ensemble as it is
        assert abs(rate - truths.unshifted) > 4 * error


def test_calibrating_patients_are_in_no_trial(found):
    plan, _, _ = found
    asked = ask(plan, choose_endpoint(plan.study))
    sample = CalibrationJob(asked).run(0, 1)
    trial = simulate_worlds(asked, 0, 1)
    assert CALIBRATING > 1_000_000_000
    assert not np.isin(sample["rank"].to_numpy(), trial.rank).any()
    again = simulate_worlds(asked, CALIBRATING, CALIBRATING + 1)
    assert np.isin(sample["rank"].to_numpy(), again.rank).all()


def test_calibration_is_kept_and_taken_up(found, tmp_path):
    plan, truths, _ = found
    again = find_truths(plan, RATES, patients=2500, out=tmp_path / "calibration")
    assert np.array_equal(again.shares, truths.shares) and again.digest() == truths.digest()
    told = []
    find_truths(plan, (0.35,), patients=2500, out=tmp_path / "calibration", progress=lambda done, of: told.append(done))
    assert told == [50]


def linear(rates: list[tuple[float, float]], each: int, seed: int) -> pl.DataFrame:
    """Return patients of parameter sets whose rates without and with resistance are given, independent of the rank."""
    chance = np.random.default_rng(seed)
    member = np.repeat(np.arange(len(rates), dtype=np.int32), each)
    sensitive, resistant = np.array(rates)[member].T
    u = chance.random(len(member))
    return pl.DataFrame(
        {
            "member": member,
            "rank": chance.random(len(member)),
            "sensitive": (u < sensitive).astype(np.int8),
            "resistant": (u < resistant).astype(np.int8),
        }
    )


def test_each_parameter_set_has_its_own_share():
    # independent: the rate is a + s (b - a) for rates a without and b with resistance, so s = (a - rate) / (a - b)
    rates = [(0.9, 0.1), (0.7, 0.2), (0.8, 0.0)]
    curves = _Curves(linear(rates, 40_000, 1), 3)
    for rate in (0.3, 0.45, 0.6):
        share = curves.find(rate)
        assert share == pytest.approx([(a - rate) / (a - b) for a, b in rates], abs=0.02)
        # what is left between parameter sets is what 40,000 patients leave open, not the 0.08 of a common share
        assert curves.left_between(share) < 0.005
        assert curves.rate(share) == pytest.approx(rate, abs=1e-4)
    common = np.full(3, 0.5)
    assert curves.left_between(common) > 0.03


def test_a_parameter_set_that_cannot_has_its_limit_and_the_others_make_up():
    rates = [(0.9, 0.1), (0.9, 0.1), (0.5, 0.1)]
    curves = _Curves(linear(rates, 40_000, 2), 3)
    share = curves.find(0.7)
    # by hand: the third has its 0.5, so the other two need (3 * 0.7 - 0.5) / 2 = 0.8, a share of (0.9 - 0.8) / 0.8
    assert share == pytest.approx([0.125, 0.125, 0.0], abs=0.02)
    assert curves.rate(share) == pytest.approx(0.7, abs=1e-4)
    # by hand: the standard deviation of 0.8, 0.8 and 0.5
    assert curves.left_between(share) == pytest.approx(np.std([0.8, 0.8, 0.5]), abs=0.01)


def test_few_patients_do_not_make_parameter_sets_differ():
    # twenty equal parameter sets with 50 patients each: their own rates differ by chance alone, with a standard deviation of 0.06
    sample = linear([(0.8, 0.1)] * 20, 50, 3)
    share = _Curves(sample, 20).find(0.45)
    assert share.std() < 0.02
    raw = sample.group_by("member").agg(pl.col("sensitive").mean())["sensitive"].std()
    assert raw > 0.04


def test_the_error_holds_what_missing_parameter_sets_leave_open():
    # independent: thirty sets of known rates, eighteen trials of one set each; the truth under the shares found, over 150 samples
    chance = np.random.default_rng(4)
    without, fully = np.clip(chance.normal(0.75, 0.15, 30), 0.4, 0.98), np.clip(chance.normal(0.12, 0.07, 30), 0.01, 0.35)
    fixed = np.full(30, 0.4)
    missed, claimed, own, own_claimed, alone = [], [], [], [], []
    for _ in range(150):
        member = np.repeat(chance.integers(0, 30, 18), 50).astype(np.int32)
        u = chance.random(len(member))
        columns = {"member": member, "rank": chance.random(len(member))}
        values = {name: (u < rates[member]).astype(np.int8) for name, rates in (("sensitive", without), ("resistant", fully))}
        curves = _Curves(pl.DataFrame(columns | values), 30)
        share = curves.find(0.45)
        missed.append((without + share * (fully - without)).mean() - 0.45)
        claimed.append(curves.error(share))
        own.append(curves.rate(fixed) - (without + fixed * (fully - without)).mean())
        own_claimed.append(curves.error(fixed, apart=fixed))
        alone.append(np.sqrt(0.45 * 0.55 / len(member)))
    # a standard deviation of 150 has an error of 6 %
    assert np.std(missed) == pytest.approx(np.sqrt(np.mean(np.square(claimed))), rel=0.25)
    assert np.std(own) == pytest.approx(np.sqrt(np.mean(np.square(own_claimed))), rel=0.25)
    # patients counted one by one would claim far less
    assert np.std(missed) > 1.35 * np.mean(alone)


def test_one_parameter_set_says_nothing_of_the_others():
    sample = linear([(0.9, 0.1)], 400, 5)
    alone, two = _Curves(sample, 1), _Curves(sample, 2)
    share = alone.find(0.5)
    # by hand: a proportion of 400; with a second set unseen, half of p (1 - p) comes in
    assert alone.error(share) == pytest.approx(0.5 / 20, rel=0.02)
    assert two.error(np.repeat(share, 2)) == pytest.approx(np.sqrt(0.25 / 400 + 0.25 / 2), rel=0.02)


@pytest.mark.parametrize("rate", [0.01, 0.97])
def test_unattainable_rates_name_the_range(rate):
    with pytest.raises(InputError, match=r"with everybody resistant .* it is \d+\.\d %, with nobody \d+\.\d %.*no-simulation") as caught:
        find_truths(make_plan(), (0.4, rate), patients=300)
    assert caught.value.key == "rates"


def test_a_rate_far_out_of_reach_ends_with_the_first_batch(monkeypatch):
    """By hand: 400 trials of 50 are 14 batches of 30. The first shows that 99.9 % is more than 2.5 / sqrt(1500) away."""
    batches = []
    run = truth.CalibrationJob.run
    monkeypatch.setattr(truth, "BATCH", 30)
    monkeypatch.setattr(truth.CalibrationJob, "run", lambda job, first, last: batches.append(first) or run(job, first, last))
    with pytest.raises(InputError, match=r"no virtual patients give endpoint ORR3 the true rate 99\.9 %"):
        find_truths(make_plan(), (0.999,), patients=20_000)
    assert batches == [0]


def test_wrong_input_is_refused():
    plan = make_plan()
    for rates in ((), (0.0,), (0.3, 1.0)):
        with pytest.raises(InputError, match="a rate between 0 and 1"):
            find_truths(plan, rates, patients=300)
    with pytest.raises(InputError, match="too few"):
        find_truths(plan, RATES, patients=0)


def test_truths_are_spaced_from_null_to_alternative():
    study = Study.load("inaticel")
    # by hand: null 0.30, alternative 0.50, eight steps of 0.025
    assert space_truths(study) == pytest.approx([0.3 + 0.025 * i for i in range(9)])
    assert space_truths(study, count=3) == (0.3, 0.4, 0.5)
    with pytest.raises(InputError, match="do not reach"):
        space_truths(study, count=1)
    with pytest.raises(InputError, match="ORRW3 has no null"):
        space_truths(study, "ORRW3")
    orr3 = study.endpoints[0]
    for test, said in (({"alternative": None}, "no alternative"), ({"alternative": 0.2}, "is not above the null")):
        changed = orr3.model_copy(update={"test": orr3.test.model_copy(update=test)})
        with pytest.raises(InputError, match=said):
            space_truths(study.model_copy(update={"endpoints": (changed,)}))
