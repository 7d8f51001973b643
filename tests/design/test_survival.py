"""Single-arm survival designs: sizes against R and published examples, errors against exact and independent counts, bad input."""

from __future__ import annotations

import json
from functools import cache
from math import ceil, exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cartrial.design.survival import simulate as survival_simulate
from cartrial.design.survival.chi_square import design_exact_events, exact_power
from cartrial.design.survival.curves import FollowUp, Weibull, expected_events, normal_quantile_of, weibull
from cartrial.design.survival.estimate import estimate_one_sample_log_rank
from cartrial.design.survival.landmark import design_landmark, design_rmst, landmark_error, rmst_error
from cartrial.design.survival.log_rank import design_one_sample_log_rank, log_rank_power
from cartrial.design.survival.simulate import simulate_exact_events, simulate_kaplan_meier, simulate_log_rank
from cartrial.errors import InputError
from helpers import ORACLE
from properties import examples

EVERYONE = FollowUp(1e-6, 1e6)
"""All enter at once and are followed until the event."""


@cache
def oracle() -> dict:
    """R 4.2.2, survival 3.5-3, rpact 3.3.4: tests/oracle/design_survival.R."""
    return json.loads((ORACLE / "design_survival.json").read_text())


def wald(error: float) -> float:
    """Return a distance that an estimate with a standard error passes once in 16,000."""
    return 4 * error


# ---------------------------------------------------------------------------------------------------- the estimate


@pytest.mark.parametrize("case", range(12))
@pytest.mark.shows("EST-one-sample-logrank")
def test_estimate_equals_r(case):
    # R: survival 3.5-3, survdiff(Surv(time, event) ~ offset(S0)); poisson.test(O, E), alternative "less"
    row = oracle()["one_sample"][case]
    for null in (Weibull(row["scale"], row["shape"]), row["survival"]):
        found = estimate_one_sample_log_rank(row["time"], row["event"], null)
        seen = (found.observed, found.expected, found.chi_square, found.two_sided_p_value, found.ratio, found.lower, found.upper)
        wanted = [row[name] for name in ("observed", "expected", "chisq", "p_two_sided", "ratio", "lower", "upper")]
        assert seen == pytest.approx(wanted, rel=1e-9, abs=1e-11)
        assert found.poisson_p_value == pytest.approx(row["p_poisson"], rel=1e-9)
        assert found.n == len(row["time"])


def test_estimate_by_hand():
    # by hand: hazard 0.1, times 5, 10, 10, 15: E = 4, O = 2; (2 - 4) / 2 = -1, modified -2 / sqrt(3)
    found = estimate_one_sample_log_rank([5, 10, 10, 15], [1, 0, 1, 0], weibull(hazard=0.1))
    assert (found.observed, found.expected, found.ratio) == (2, pytest.approx(4), pytest.approx(0.5))
    assert found.statistic == pytest.approx(-1) and found.modified == pytest.approx(-2 / sqrt(3))
    assert found.p_value == pytest.approx(stats.norm.cdf(-1))
    # by hand: P(O <= 2) of a Poisson number of mean 4 is e^-4 (1 + 4 + 8)
    assert found.poisson_p_value == pytest.approx(13 * exp(-4))
    none = estimate_one_sample_log_rank([5, 10], [False, False], weibull(hazard=0.1))
    # by hand: no event: the upper limit is -log(0.025) / 1.5
    assert (none.lower, none.upper) == (0.0, pytest.approx(-log(0.025) / 1.5))


# ------------------------------------------------------------------------------------------------------ the sizes


def test_events_equal_rpact():
    # R: rpact 3.3.4, getEventProbabilities(time, accrualTime, accrualIntensity, lambda2, kappa, dropoutRate1, dropoutTime = 12)
    for row in oracle()["events"]:
        follow = FollowUp(row["accrual"], row["follow"], -log(1 - row["lost"]) / 12)
        assert expected_events(Weibull(1 / row["lambda"], row["kappa"]), follow) == pytest.approx(row["probability"], abs=1e-10)


@pytest.mark.shows("EST-one-sample-logrank", "EST-landmark-design")
def test_sizes_equal_integrals_in_r():
    # R: tests/oracle/design_survival.R, definitions of Wu 2015, Wu 2014, Greenwood's limit and the mean's, integrated over time
    for row in oracle()["designs"]:
        null = Weibull(1 / row["lambda"], row["kappa"])
        alternative = null.with_hazard_ratio(row["hazard_ratio"])
        plan = {"accrual": row["accrual"], "follow_up": row["follow"], "loss": row["loss"], "alpha": row["alpha"], "beta": row["beta"]}
        for formula in ("wu-2015", "wu-2014"):
            design = design_one_sample_log_rank(null, hazard_ratio=row["hazard_ratio"], formula=formula, **plan)
            assert design.n == ceil(row[formula.replace("-", "_")])
        assert design_landmark(null, alternative, row["at"], **plan).n == ceil(row["landmark"])
        assert design_rmst(null, alternative, row["at"], **plan).n == ceil(row["rmst"])
        follow = FollowUp(row["accrual"], row["follow"], row["loss"])
        assert landmark_error(alternative, follow, row["at"]) == pytest.approx(row["landmark_error"], rel=1e-9)
        assert rmst_error(alternative, follow, row["at"]) == pytest.approx(row["rmst_error"], rel=1e-9)


@pytest.mark.shows("EST-one-sample-logrank")
def test_published_example_of_wu_2015():
    # published: Wu J. Pharm Stat 2015;14:26, example of primary biliary cirrhosis: 88 subjects; power at 88: 0.803 (R logRank1s)
    null = weibull(shape=1.22, median=9)
    design = design_one_sample_log_rank(null, hazard_ratio=1 / 1.75, accrual=5, follow_up=3)
    assert design.n == 88 and design.power == pytest.approx(0.803, abs=5e-4)
    assert design.hazard_ratio == pytest.approx(1 / 1.75)


@pytest.mark.parametrize(
    ("null", "plan", "n"),
    [
        # published: manual of R OneArm2stage, single-stage designs (Wu J et al. Pharm Stat 2020;19:214, doi:10.1002/pst.1983)
        (weibull(at=2, survival=0.62), {"hazard_ratio": 0.467, "follow_up": 2, "rate": 5, "beta": 0.2}, 25),
        (weibull(at=3, survival=0.6, shape=0.5), {"hazard_ratio": 0.5, "follow_up": 1, "rate": 5, "beta": 0.15}, 45),
        (weibull(at=12, survival=0.25), {"hazard_ratio": 0.7, "follow_up": 12, "rate": 6, "beta": 0.1}, 90),
    ],
)
def test_published_sizes_with_a_rate_of_accrual(null, plan, n):
    design = design_one_sample_log_rank(null, **plan)
    assert design.n == n and design.follow.accrual == pytest.approx(n / plan["rate"])


@pytest.mark.parametrize(("s0", "s1", "accrual", "n"), [(0.9, 0.96, 24, 107), (0.8, 0.85, 36, 356)])
def test_published_sizes_on_the_arcsine_scale(s0, s1, accrual, n):
    # published: vignette of R SampleSizeSingleArmSurvival 0.1.0, after Nagashima K et al. Pharm Stat 2021;20:499; landmark 18
    null, alternative = weibull(at=18, survival=s0), weibull(at=18, survival=s1)
    assert design_landmark(null, alternative, 18, accrual=accrual, follow_up=24, scale="arcsine").n == n


def test_size_by_hand_without_censoring():
    # by hand: everyone has the event; E is a sum of exponentials of mean 1 / hr, so p1 = 1, p0 = 1 / hr, variance 1 / hr²
    ratio, za, zb = 0.5, normal_quantile_of(0.95), normal_quantile_of(0.8)
    design = design_one_sample_log_rank(weibull(median=6), hazard_ratio=ratio, accrual=1e-6, follow_up=1e6)
    assert design.n == ceil((sqrt(1 / ratio) * za + zb / ratio) ** 2 / (1 / ratio - 1) ** 2)
    assert design.events == pytest.approx(design.n) and design.critical == pytest.approx(-za)


def test_variances_by_hand_without_censoring():
    # by hand: without censoring Kaplan-Meier is the share alive, the restricted mean the mean of min(T, 12)
    curve = weibull(hazard=0.1)
    s = exp(-1.2)
    assert landmark_error(curve, EVERYONE, 12) == pytest.approx(sqrt(s * (1 - s)), rel=1e-8)
    second = 2 / 0.01 * (1 - s * (1 + 1.2))
    mean = (1 - s) / 0.1
    assert curve.restricted_mean(12) == pytest.approx(mean)
    assert rmst_error(curve, EVERYONE, 12) == pytest.approx(sqrt(second - mean**2), rel=1e-8)


def test_events_by_hand():
    # by hand: with a hazard of loss beside that of the event, a share of 0.1 / 0.12; followed 5 at most: 1 - e^-0.5
    assert expected_events(weibull(hazard=0.1), FollowUp(1, 1e5, loss=0.02), 10) == pytest.approx(10 * 0.1 / 0.12)
    assert expected_events(weibull(hazard=0.1), FollowUp(4, 6, restricted=5)) == pytest.approx(1 - exp(-0.5))
    # by hand: entry uniform over 10, no follow-up: the mean of 1 - exp(-0.1 x) is 1 - (1 - e^-1)
    assert expected_events(weibull(hazard=0.1), FollowUp(10, 0)) == pytest.approx(exp(-1))


def test_curves_by_hand():
    curve = weibull(shape=1.7, at=12, survival=0.3)
    assert curve.survival(12) == pytest.approx(0.3) and curve.survival(curve.median) == pytest.approx(0.5)
    assert curve.with_hazard_ratio(0.5).survival(12) == pytest.approx(0.3**0.5)
    assert weibull(shape=0.6, median=8).median == pytest.approx(8)
    # independent: the trapezoid rule
    t = np.linspace(0, 9, 200_001)
    assert curve.restricted_mean(9) == pytest.approx(np.trapezoid(curve.survival(t), t), rel=1e-8)


def test_alternative_as_a_landmark_is_a_hazard_ratio():
    null = weibull(shape=0.8, at=12, survival=0.3)
    one = design_one_sample_log_rank(null, at=12, survival=0.5, rate=2, follow_up=6)
    two = design_one_sample_log_rank(null, hazard_ratio=log(0.5) / log(0.3), rate=2, follow_up=6)
    assert one.n == two.n and one.alternative.survival(12) == pytest.approx(0.5)


@pytest.mark.shows("EST-exact-events")
def test_exact_events_equal_r():
    # R: 1 - pchisq(hr * qchisq(0.95, 2 * d), 2 * d), the first d with at least 0.8
    for row in oracle()["exact"]:
        design = design_exact_events(weibull(median=8), hazard_ratio=row["hazard_ratio"], accrual=12, follow_up=6)
        assert design.events == row["events"]
        assert (design.power, design.critical) == pytest.approx((row["power"], row["critical"]), rel=1e-9)
        assert expected_events(design.alternative, design.follow, design.n) >= design.events
        assert expected_events(design.alternative, design.follow, design.n - 1) < design.events


def test_kwak_jung_by_hand():
    # by hand: exponential times have closed forms; the variance under the alternative is the share of events at the mean hazard
    null, rate, follow, ratio = weibull(at=12, survival=0.25), 6, 12, 0.7
    hazard = log(4) / 12

    def share(h: float, accrual: float) -> float:
        return 1 - (exp(-h * follow) - exp(-h * (accrual + follow))) / (h * accrual)

    def needed(n: int) -> float:
        one = share(ratio * hazard, n / rate)
        middle = share((1 + ratio) / 2 * hazard, n / rate)
        za, zb = stats.norm.ppf([0.95, 0.9])
        return (sqrt(one / ratio) * za + sqrt(middle) * zb) ** 2 / (one / ratio - one) ** 2

    n = next(n for n in range(1, 200) if n >= needed(n))
    design = design_one_sample_log_rank(null, hazard_ratio=ratio, rate=rate, follow_up=follow, beta=0.1, formula="kwak-jung-2014")
    assert design.n == n
    # by Wu 2015 the same trial needs 90
    assert n < 90


# ----------------------------------------------------------------------------------------------------- properties

HAZARDS = st.floats(0.02, 0.3)
SHAPES = st.floats(0.5, 2.5)
TIMES = st.floats(0.5, 36)


@examples(40)
@given(hazard=HAZARDS, shape=SHAPES, accrual=TIMES, follow=TIMES, more=TIMES, loss=st.floats(0, 0.1))
def test_more_follow_up_never_lowers_events(hazard, shape, accrual, follow, more, loss):
    curve = Weibull(1 / hazard, shape)
    few, many = (expected_events(curve, FollowUp(accrual, value, loss)) for value in (follow, follow + more))
    assert 0 < few <= many + 1e-10 and many <= 1 + 1e-10
    assert expected_events(curve, FollowUp(accrual, follow, loss + 0.01)) < few + 1e-10


@examples(25)
@given(hazard=HAZARDS, shape=SHAPES, accrual=TIMES, follow=TIMES, ratio=st.floats(0.3, 0.75))
def test_a_larger_effect_needs_fewer_subjects(hazard, shape, accrual, follow, ratio):
    null = Weibull(1 / hazard, shape)
    plan = {"accrual": accrual, "follow_up": follow}
    small, large = (design_one_sample_log_rank(null, hazard_ratio=value, **plan) for value in (ratio, ratio * 0.9))
    assert large.n <= small.n
    # the smallest n: one subject fewer has too little power
    assert small.power >= 0.8 and (small.n == 1 or log_rank_power(null, small.alternative, small.follow, small.n - 1) < 0.8)
    # under the null more die; all of them under both, if follow-up is long
    assert small.events_null >= small.events
    curves = (null, small.alternative), (null, large.alternative)
    # neither everybody nor nobody has died by then
    at = min(0.7 * (accrual + follow), null.time_of(1.5))
    for design in (design_landmark, design_rmst):
        found = [design(*pair, at, **plan) for pair in curves]
        assert found[1].n <= found[0].n and found[0].power >= 0.8


@examples(40)
@given(events=st.integers(1, 300), ratio=st.floats(0.2, 0.95), alpha=st.floats(0.005, 0.2))
def test_exact_power_rises_with_events(events, ratio, alpha):
    power, more = exact_power(events, ratio, alpha)[1], exact_power(events + 1, ratio, alpha)[1]
    assert alpha < power < more + 1e-12
    assert exact_power(events, 1.0, alpha)[1] == pytest.approx(alpha, rel=1e-9)


# ----------------------------------------------------------------------------------------------------- simulation


def rates(frame, column: str = "rate") -> dict[tuple[str, str], float]:
    """Return a column by truth and test."""
    return {(row["truth"], row["test"]): row[column] for row in frame.iter_rows(named=True)}


def test_log_rank_errors_equal_a_plain_simulation():
    # independent: another generator, a loop over trials, the definition written out
    null = weibull(at=12, survival=0.3)
    design = design_one_sample_log_rank(null, hazard_ratio=0.5, rate=2, follow_up=6, loss=0.02)
    found = simulate_log_rank(design, trials=20_000, seed=5)
    rng = np.random.default_rng(20260101)
    trials, hits = 6_000, {("null", "log-rank"): 0, ("null", "modified"): 0, ("alternative", "log-rank"): 0, ("alternative", "modified"): 0}
    hazard = -log(0.3) / 12
    for truth, ratio in (("null", 1.0), ("alternative", 0.5)):
        for _ in range(trials):
            death = rng.exponential(1 / (hazard * ratio), design.n)
            end = np.minimum(design.follow.duration - rng.uniform(0, design.follow.accrual, design.n), rng.exponential(50, design.n))
            observed, expected = (death <= end).sum(), hazard * np.minimum(death, end).sum()
            hits[truth, "log-rank"] += (observed - expected) / sqrt(expected) < -1.6448536
            hits[truth, "modified"] += (observed - expected) / sqrt((observed + expected) / 2) < -1.6448536
    simulated, errors = rates(found), rates(found, "mc_error")
    for key, count in hits.items():
        share = count / trials
        assert abs(simulated[key] - share) < wald(sqrt(errors[key] ** 2 + share * (1 - share) / trials)), key
    # the statistic of Woolson is conservative, that of Wu 2014 less so: with 26 subjects the approximation shows
    assert simulated["null", "log-rank"] < simulated["null", "modified"]
    means = rates(found, "events")
    assert means["alternative", "log-rank"] == pytest.approx(design.events, rel=0.02)
    assert means["null", "log-rank"] == pytest.approx(design.events_null, rel=0.02)


def test_exact_test_has_its_size_and_power():
    # by hand: the size is alpha and the power the chi-square's, whatever entry and shape are
    for shape, accrual in ((1.0, 14.0), (0.6, 30.0)):
        design = design_exact_events(weibull(shape=shape, median=7), hazard_ratio=0.5, accrual=accrual, follow_up=8)
        found = simulate_exact_events(design, trials=20_000, seed=2)
        for truth, value in (("null", 0.05), ("alternative", design.power)):
            assert abs(rates(found)[truth, "exact"] - value) < wald(sqrt(value * (1 - value) / 20_000))
        assert rates(found, "events")["null", "exact"] == pytest.approx(design.events)


def test_exact_test_never_exceeds_its_size_when_subjects_are_lost():
    design = design_exact_events(weibull(median=7), hazard_ratio=0.5, accrual=14, follow_up=8, loss=0.05, restricted=10)
    found = rates(simulate_exact_events(design, trials=20_000, seed=2))
    assert found["null", "exact"] < 0.05 + wald(0.00155)
    assert found["alternative", "exact"] > 0.5


@pytest.mark.parametrize("scale", ["plain", "log-log", "arcsine", "log"])
@pytest.mark.shows("EST-landmark-design")
def test_landmark_errors_equal_the_binomial(scale):
    # exact: nobody is censored before the landmark, so S is x / n and a sum over the binomial gives the errors
    null, alternative = weibull(at=6, survival=0.5), weibull(at=6, survival=0.7)
    design = design_landmark(null, alternative, 6, accrual=12, follow_up=6, scale=scale)
    found = rates(simulate_kaplan_meier(design, trials=20_000, seed=4))
    x = np.arange(design.n + 1)
    s = x / design.n
    on = {
        "plain": (lambda v: v, lambda v: np.ones_like(v)),
        "log": (np.log, lambda v: 1 / v),
        "log-log": (lambda v: -np.log(-np.log(v)), lambda v: -1 / (v * np.log(v))),
        "arcsine": (lambda v: np.arcsin(np.sqrt(v)), lambda v: 0.5 / np.sqrt(v * (1 - v))),
    }[scale]
    with np.errstate(divide="ignore", invalid="ignore"):
        reject = on[0](s) - on[0](np.array(0.5)) > 1.6448536269514722 * on[1](s) * np.sqrt(s * (1 - s) / design.n)
    reject[0], reject[-1] = False, 0.5**design.n <= 0.05
    for truth, value in (("null", 0.5), ("alternative", 0.7)):
        share = stats.binom.pmf(x, design.n, value)[reject].sum()
        assert abs(found[truth, "Kaplan-Meier"] - share) < wald(sqrt(share * (1 - share) / 20_000)), truth


def test_without_events_the_exact_test_decides():
    # by hand: 8 subjects, nobody dies before the landmark with probability 0.99^8; 0.7^8 = 0.058 is above 0.05, 0.7^9 = 0.040 is not
    null, alternative = weibull(at=6, survival=0.7), weibull(at=6, survival=0.999999)
    for n, wanted in ((8, 0.0), (9, 1.0)):
        design = design_landmark(null, alternative, 6, accrual=1, follow_up=6)
        frame = simulate_kaplan_meier(survival_simulate.CurveDesign(**{**vars(design), "n": n}), trials=500, truth=weibull(median=1e9))
        assert rates(frame)["other", "Kaplan-Meier"] == wanted


def test_kaplan_meier_is_close_to_the_truth_and_to_its_power():
    null, alternative = weibull(at=12, survival=0.3), weibull(at=12, survival=0.5)
    design = design_rmst(null, alternative, 12, accrual=24, follow_up=14)
    found = simulate_kaplan_meier(design, trials=8_000)
    row = found.filter(found["truth"] == "alternative").row(0, named=True)
    # by hand: without censoring before the horizon the restricted mean is unbiased; 4 standard errors of the mean of 8,000 estimates
    assert abs(row["bias"]) < 4 * design.error / sqrt(8_000) and row["not_estimable"] == 0
    assert abs(row["rate"] - design.power) < 0.04
    # short follow-up: some curves end before the horizon, and reject nothing
    short = design_rmst(null, alternative, 12, accrual=24, follow_up=0, loss=0.05)
    share = simulate_kaplan_meier(survival_simulate.CurveDesign(**{**vars(short), "n": 6}), trials=500)
    assert share["not_estimable"].min() > 0.1


def test_simulation_depends_on_its_key_alone(monkeypatch):
    design = design_one_sample_log_rank(weibull(at=12, survival=0.3), hazard_ratio=0.5, rate=2, follow_up=6)
    curve = design_landmark(design.null, design.alternative, 12, accrual=24, follow_up=6)
    exact = design_exact_events(design.null, hazard_ratio=0.5, rate=2, follow_up=6)
    runs = [lambda: simulate_log_rank(design, trials=300), lambda: simulate_kaplan_meier(curve, trials=300)]
    runs.append(lambda: simulate_exact_events(exact, trials=300))
    whole = [run() for run in runs]
    monkeypatch.setattr(survival_simulate, "_AT_ONCE", 1_000)
    for one, run in zip(whole, runs, strict=True):
        assert one.drop("bias", "duration", strict=False).equals(run().drop("bias", "duration", strict=False))
    assert simulate_log_rank(design, trials=300, seed=2)["rejections"].to_list() != whole[0]["rejections"].to_list()


def test_another_truth_need_not_be_proportional():
    design = design_one_sample_log_rank(weibull(at=12, survival=0.3), hazard_ratio=0.5, rate=2, follow_up=6)
    found = simulate_log_rank(design, trials=2_000, truth=weibull(at=12, survival=0.3, shape=0.5))
    assert found["truth"].unique(maintain_order=True).to_list() == ["null", "alternative", "other"]
    assert found.filter(found["truth"] == "other")["nominal"].is_null().all()


# ------------------------------------------------------------------------------------------------------ bad input

NULL = weibull(at=12, survival=0.3)
GOOD = {"hazard_ratio": 0.5, "accrual": 12, "follow_up": 6}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hazard_ratio": 1}, "hazard_ratio: a hazard ratio of 1 is no benefit"),
        ({"hazard_ratio": 1.3}, "a hazard ratio of 1.3 is no benefit"),
        ({"hazard_ratio": 0}, "hazard_ratio: the value 0 cannot be"),
        ({"hazard_ratio": None}, "the alternative is not defined by one fact"),
        ({"at": 12, "survival": 0.5}, "the alternative is not defined by one fact"),
        ({"hazard_ratio": None, "at": 12}, "survival: a landmark needs its time and its survival"),
        ({"hazard_ratio": None, "at": 12, "survival": 0.3}, "a survival of 0.3 is no better than the null's. Give one above 0.3"),
        ({"hazard_ratio": None, "at": 12, "survival": 1.2}, "survival: the value 1.2 cannot be"),
        ({"accrual": 0}, "accrual: the value 0 cannot be. Give a number above 0"),
        ({"accrual": None}, "accrual is not defined by one fact"),
        ({"rate": 3}, "accrual is not defined by one fact"),
        ({"accrual": None, "rate": 0}, "rate: the value 0 cannot be"),
        ({"follow_up": -1}, "follow_up: the value -1 cannot be. Give a number 0 or more"),
        ({"follow_up": float("nan")}, "follow_up: the value nan cannot be"),
        ({"follow_up": "long"}, "follow_up: 'long' is no number"),
        ({"loss": -0.1}, "loss: the value -0.1 cannot be"),
        ({"restricted": 0}, "restricted: the value 0 cannot be"),
        ({"alpha": 0}, "alpha: the value 0 cannot be"),
        ({"alpha": 1}, "alpha: the value 1 cannot be"),
        ({"beta": 0}, "beta: the value 0 cannot be"),
        ({"beta": 0.96}, "beta: the value 0.96 cannot be"),
        ({"hazard_ratio": 0.99, "most": 100}, "most: no number of subjects up to 100 gives a power of 0.8"),
        ({"most": 0}, "most: no number of subjects is at most 0"),
    ],
)
def test_bad_input_of_the_log_rank_design(changes, words):
    with pytest.raises(InputError) as error:
        design_one_sample_log_rank(NULL, **{**GOOD, **changes})
    assert words in str(error.value)
    with pytest.raises(InputError):
        design_exact_events(NULL, **{**GOOD, **changes})


def test_other_bad_input():
    better = weibull(at=12, survival=0.5)
    plan = {"accrual": 12, "follow_up": 6}
    cases = [
        (lambda: design_one_sample_log_rank(NULL, **GOOD, formula="wu"), "formula: the formula wu is unknown"),
        (lambda: log_rank_power(NULL, weibull(median=20, shape=2), EVERYONE, 10), "the hazards are not proportional"),
        (lambda: design_landmark(NULL, better, 18, **plan), "at: nobody is seen up to 18: follow-up ends at 18"),
        (lambda: design_landmark(NULL, better, 12, **plan, restricted=10), "nobody is seen up to 12: follow-up ends at 10"),
        (lambda: design_rmst(NULL, better, 19, **plan), "horizon: nobody is seen up to 19"),
        (lambda: design_landmark(better, NULL, 12, **plan), "the alternative's survival 0.3 is no better than the null's 0.5"),
        (lambda: design_rmst(better, better, 12, **plan), "is no better than the null's"),
        (lambda: design_landmark(NULL, better, 0, **plan), "at: the value 0 cannot be"),
        (lambda: design_landmark(NULL, better, 12, **plan, scale="probit"), "scale: the scale probit is unknown"),
        (lambda: design_landmark(NULL, better, 12, **plan, most=10), "no number of subjects up to 10"),
        (lambda: design_rmst(NULL, better, 12, **plan, alpha=1), "alpha: the value 1 cannot be"),
        (lambda: weibull(), "the curve is not defined by one fact"),
        (lambda: weibull(median=3, hazard=2), "the curve is not defined by one fact"),
        (lambda: weibull(at=3), "survival: a landmark needs its time and its survival"),
        (lambda: weibull(at=3, survival=1), "survival: the value 1 cannot be"),
        (lambda: weibull(hazard=0.1, shape=2), "a constant hazard has a shape of 1"),
        (lambda: weibull(median=-1), "median: the value -1 cannot be"),
        (lambda: Weibull(0), "scale: the value 0 cannot be"),
        (lambda: simulate_log_rank(design_one_sample_log_rank(NULL, **GOOD), trials=0), "trials: there are 0 trials"),
        (lambda: estimate_one_sample_log_rank([], [], NULL), "times: there are no subjects"),
        (lambda: estimate_one_sample_log_rank([1, 2], [1], NULL), "there are 2 times and 1 events"),
        (lambda: estimate_one_sample_log_rank([1, -2], [1, 0], NULL), "a time is missing or negative"),
        (lambda: estimate_one_sample_log_rank([1, float("nan")], [1, 0], NULL), "a time is missing or negative"),
        (lambda: estimate_one_sample_log_rank([1, 2], [1, 2], NULL), "an event is neither 0 nor 1"),
        (lambda: estimate_one_sample_log_rank([0, 0], [0, 0], NULL), "no event is expected"),
        (lambda: estimate_one_sample_log_rank([1, 2], [1, 0], [0.5]), "null: the null's survival does not fit"),
        (lambda: estimate_one_sample_log_rank([1, 2], [1, 0], [0.5, 0]), "the null's survival does not fit"),
        (lambda: estimate_one_sample_log_rank([1, 2], [1, 0], NULL, conf_level=1), "the confidence level 1"),
    ]
    for call, words in cases:
        with pytest.raises(InputError) as error:
            call()
        assert words in str(error.value)


def test_more_events_than_subjects_are_refused():
    design = design_exact_events(NULL, hazard_ratio=0.5, accrual=12, follow_up=6)
    with pytest.raises(InputError, match="2 subjects cannot have 13 events"):
        simulate_exact_events(survival_simulate.ExactDesign(**{**vars(design), "n": 2}))
