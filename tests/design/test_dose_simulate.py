"""Operating characteristics of dose finding: exact paths against closed forms and R, the simulator against exact paths."""

from __future__ import annotations

from math import prod

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.design.dose.conduct import recommend_dose
from cartrial.design.dose.designs import DoseDesign, Doses, design_boin, design_from_table, design_mtpi2, design_three_plus_three
from cartrial.design.dose.paths import operate_doses
from cartrial.design.dose.results import STATISTICS, DoseResults
from cartrial.design.dose.simulate import Calendar, simulate_doses
from cartrial.design.dose.tables import DecisionTable
from cartrial.errors import InputError
from cartrial.virtual.patients.randomness import Keys, draw_uniform
from properties import examples

SCENARIOS = {"rising": (0.05, 0.15, 0.3, 0.45, 0.6), "toxic": (0.3, 0.45, 0.6, 0.7, 0.8)}


def _values(results: DoseResults, statistic: str) -> list[float]:
    """Values of doses, of the only scenario."""
    return results.frame.filter((pl.col("statistic") == statistic) & pl.col("level").is_not_null())["value"].to_list()


def _value(results: DoseResults, statistic: str) -> float:
    return results.frame.filter((pl.col("statistic") == statistic) & pl.col("level").is_null())["value"].item()


def _closed_form(p: tuple[float, ...], variant: str) -> tuple[list[float], list[float]]:
    """Selection of none, dose 1, ... and expected subjects of 3+3, after the formulae of Lin and Shih 2001 for A = B = 3."""
    doses = len(p)
    none = [(1 - x) ** 3 for x in p]
    one = [3 * x * (1 - x) ** 2 for x in p]
    six = [a * b for a, b in zip(one, none, strict=True)]
    up = [a + b for a, b in zip(none, six, strict=True)]
    # three more after 0 of 3 leave at most one DLT in six
    holds = [a + b for a, b in zip(none, one, strict=True)]
    reach = [prod(up[:j]) for j in range(doses)]
    subjects = [reach[j] * (3 + 3 * one[j]) for j in range(doses)]
    if variant == "escalation-only":
        return [1 - up[0]] + [reach[j] * up[j] * (1 - up[j + 1] if j + 1 < doses else 1) for j in range(doses)], subjects
    fails = [1 - x for x in up]
    if variant == "confirm-six":
        fails[-1] += none[-1] * (1 - holds[-1])
        subjects[-1] += 3 * reach[-1] * none[-1]
    selected = [0.0] * (doses + 1)
    selected[doses] = reach[-1] * (1 - fails[-1])
    for k in range(doses):
        # dose k + 1 fails; every dose between had 0 of 3 and fails with three more
        down = reach[k] * fails[k]
        for j in range(k - 1, -1, -1):
            subjects[j] += 3 * down * none[j] / up[j]
            selected[j + 1] += down * (six[j] + none[j] * holds[j]) / up[j]
            down *= none[j] * (1 - holds[j]) / up[j]
        selected[0] += down
    return selected, subjects


@examples(40)
@given(
    st.lists(st.integers(1, 95), min_size=1, max_size=5).map(sorted), st.sampled_from(["escalation-only", "de-escalation", "confirm-six"])
)
@pytest.mark.shows("EST-dose-three-plus-three")
def test_three_plus_three_closed_form(percents: list[int], variant: str) -> None:
    # independent: Lin and Shih 2001, doi:10.1093/biostatistics/2.2.203
    p = tuple(k / 100 for k in percents)
    found = operate_doses(design_three_plus_three(variant), p)
    selected, subjects = _closed_form(p, variant)
    assert _values(found, "selected") == pytest.approx(selected, abs=1e-12)
    assert _values(found, "subjects") == pytest.approx(subjects, abs=1e-12)
    assert _values(found, "dlts") == pytest.approx([n * x for n, x in zip(subjects, p, strict=True)], abs=1e-12)


def test_three_plus_three_two_doses_by_hand() -> None:
    # by hand: at a rate of 0.5 everywhere 0 of 3 has 1/8, 1 of 3 3/8; up 1/8 + 3/8 * 1/8 = 11/64
    found = operate_doses(design_three_plus_three("escalation-only"), (0.5, 0.5))
    assert _values(found, "selected") == pytest.approx([53 / 64, 11 / 64 * 53 / 64, (11 / 64) ** 2], abs=1e-15)
    assert _value(found, "subjects") == pytest.approx(33 / 8 * (1 + 11 / 64), abs=1e-14)


@pytest.mark.slow
# R 4.2.2: get.oc of BOIN (repository cran/BOIN, R/get.oc.R and R/select.mtd.R), 20,000 trials, seed 6; the second row is
# get.oc(0.25, c(.2, .4, .5, .6), 12, 3, n.earlystop = 12, extrasafe = TRUE), the third
# get.oc(0.2, c(.1, .25, .35), 8, 3, boundMTD = TRUE, startdose = 2). Selected: none first.
@pytest.mark.parametrize(
    ("design", "p", "selected", "subjects", "dlts", "over"),
    [
        (
            design_boin(0.3),
            (0.05, 0.15, 0.3, 0.45, 0.6),
            [0.00025, 0.01045, 0.23250, 0.55050, 0.19200, 0.01430],
            [4.1467, 9.1689, 11.1313, 4.7645, 0.7818],
            [0.2056, 1.3684, 3.3340, 2.1541, 0.4740],
            0.03355,
        ),
        (
            design_boin(0.25, max_n=36, n_stop=12, stop_when="settled", extra_safe=True),
            (0.2, 0.4, 0.5, 0.6),
            [0.18255, 0.60475, 0.20030, 0.01205, 0.00035],
            [11.2941, 7.3183, 1.3070, 0.1599],
            [2.2548, 2.9278, 0.6462, 0.0950],
            0.05235,
        ),
        (
            design_boin(0.2, max_n=24, bound_mtd=True, start=2),
            (0.1, 0.25, 0.35),
            [0.08135, 0.54275, 0.32690, 0.04900],
            [9.0681, 10.7761, 3.7151],
            [0.8989, 2.6968, 1.2921],
            0.56715,
        ),
    ],
)
@pytest.mark.shows("EST-dose-operating")
def test_boin_against_r(
    design: DoseDesign, p: tuple[float, ...], selected: list[float], subjects: list[float], dlts: list[float], over: float
) -> None:
    found = operate_doses(design, p)
    exact = np.array([*_values(found, "selected"), _value(found, "overdose_60")])
    error = np.sqrt(exact * (1 - exact) / 20_000)
    assert np.all(np.abs(np.array([*selected, over]) - exact) < 4 * error)
    # subjects and DLTs at a dose vary by no more than 6 and 3 from trial to trial
    assert np.all(np.abs(np.array(subjects) - _values(found, "subjects")) < 4 * 6 / np.sqrt(20_000))
    assert np.all(np.abs(np.array(dlts) - _values(found, "dlts")) < 4 * 3 / np.sqrt(20_000))


OWN = design_from_table(
    DecisionTable((2, 4, 6), (tuple("ESD"), ("E", "E", "S", "D", "DU"), ("E", "E", "S", "D", "DU", "DU", "DU"))), 0.3, cohort=2, max_n=20
)


@pytest.mark.parametrize(
    "design",
    [
        design_boin(0.3),
        design_boin(0.25, max_n=17, cohort=2, n_stop=8, stop_when="settled", extra_safe=True, bound_mtd=True, start=3),
        design_boin(0.3, cohort=(1, 1, 1, 3, 3, 3, 3), n_stop=9),
        design_mtpi2(0.3, max_n=24),
        design_three_plus_three("escalation-only"),
        design_three_plus_three("de-escalation", start=2),
        design_three_plus_three("confirm-six"),
        OWN,
    ],
    ids=lambda design: design.name,
)
@pytest.mark.shows("EST-dose-operating")
def test_simulator_against_exact_paths(design: DoseDesign) -> None:
    """Every figure of 20,000 trials within 4.5 Monte-Carlo errors of the exact one (some 40 figures a design)."""
    simulated = simulate_doses(design, SCENARIOS, trials=20_000, seed=3, target=0.3).frame
    exact = operate_doses(design, SCENARIOS, target=0.3).frame
    assert simulated.drop("value", "se").equals(exact.drop("value", "se"))
    difference = (simulated["value"] - exact["value"]).abs().to_numpy()
    # where no trial or every trial shows it, the rule of three with room
    assert np.all(difference <= np.maximum(4.5 * simulated["se"].to_numpy(), 10 / 20_000))
    # the standard errors are those of the exact distribution
    proportion = exact.filter(pl.col("statistic") == "selected")["value"].to_numpy()
    error = simulated.filter(pl.col("statistic") == "selected")["se"].to_numpy()
    assert np.allclose(error, np.sqrt(proportion * (1 - proportion) / 20_000), atol=3e-4)


letters = st.sampled_from(["E", "S", "D", "DU"])


@st.composite
def _designs(draw: st.DrawFn) -> DoseDesign:
    kind = draw(st.sampled_from(["boin", "mtpi2", "3+3", "own"]))
    if kind == "3+3":
        variant = draw(st.sampled_from(["escalation-only", "de-escalation", "confirm-six"]))
        return design_three_plus_three(variant, start=1 if variant == "escalation-only" else draw(st.integers(1, 3)))
    cohort, cohorts = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    common = {"cohort": cohort, "max_n": cohort * cohorts, "start": draw(st.integers(1, 3))}
    n_stop, when = draw(st.none() | st.integers(1, 15)), draw(st.sampled_from(["reached", "settled"]))
    target = draw(st.integers(10, 45)) / 100
    if kind == "own":
        n = tuple(range(cohort, cohort * cohorts + 1, cohort))
        order = ["E", "S", "D", "DU"]
        rows = tuple(tuple(sorted((draw(letters) for _ in range(k + 1)), key=order.index)) for k in n)
        return design_from_table(DecisionTable(n, rows), target, n_stop=n_stop, stop_when=when, **common)
    if kind == "mtpi2":
        return design_mtpi2(target, n_stop=n_stop, stop_when=when, **common)
    return design_boin(target, n_stop=n_stop, stop_when=when, extra_safe=draw(st.booleans()), bound_mtd=draw(st.booleans()), **common)


@examples(60)
@given(_designs(), st.lists(st.integers(0, 100), min_size=3, max_size=5), st.integers(0, 1000))
def test_simulator_follows_the_rules_trial_by_trial(design: DoseDesign, percents: list[int], seed: int) -> None:
    """The kernel does what `recommend_dose` says, cohort by cohort, with the same random numbers."""
    p = tuple(k / 100 for k in percents)
    trials = 6
    u = draw_uniform(Keys.trials("dose-finding", seed, trials, 1), 2000, sum(design.sizes(len(p))))
    selected = np.zeros(len(p) + 1)
    subjects, dlts = np.zeros(len(p)), np.zeros(len(p))
    for row in u:
        cohorts: list[tuple[int, int, int]] = []
        step = recommend_dose(design, cohorts, len(p))
        used = 0
        for size in design.sizes(len(p)):
            assert step.level is not None
            events = int((row[used : used + size] < p[step.level - 1]).sum())
            used += size
            cohorts.append((step.level, size, events))
            subjects[step.level - 1] += size / trials
            dlts[step.level - 1] += events / trials
            step = recommend_dose(design, cohorts, len(p))
            if step.level is None:
                break
        assert step.level is None
        selected[step.mtd or 0] += 1 / trials
    found = simulate_doses(design, p, trials=trials, seed=seed)
    assert _values(found, "selected") == pytest.approx(selected)
    assert _values(found, "subjects") == pytest.approx(subjects)
    assert _values(found, "dlts") == pytest.approx(dlts)


def test_batches_and_compilation_change_nothing() -> None:
    """Batches of 100 trials are interpreted, one batch of 1500 is compiled where Numba is there; the first trials are the same."""
    calendar = Calendar(2.0, stagger=14.0, between=3.0, preparation=30.0)
    for design in (design_boin(0.3, n_stop=9), design_three_plus_three()):
        whole = simulate_doses(design, SCENARIOS, trials=1500, seed=5, calendar=calendar, target=0.3)
        parts = simulate_doses(design, SCENARIOS, trials=1500, seed=5, calendar=calendar, target=0.3, batch=100)
        assert whole.frame.equals(parts.frame)
        assert not whole.frame.equals(simulate_doses(design, SCENARIOS, trials=1500, seed=6, calendar=calendar, target=0.3).frame)


def test_a_scenario_does_not_depend_on_its_neighbours() -> None:
    both = simulate_doses(design_boin(0.3), SCENARIOS, trials=200).frame
    alone = simulate_doses(design_boin(0.3), {"toxic": SCENARIOS["toxic"]}, trials=200).frame
    assert both.filter(pl.col("scenario") == "toxic").equals(alone)


# by hand: nobody has a DLT and subjects come at once (a billion a month). 3+3, confirm-six, two doses: 3 at dose 1, 3 at dose 2, 3 more
# there.
@pytest.mark.parametrize(
    ("calendar", "days"),
    [
        # first at 0, the others at 28, closed at 56; again at dose 2; the last cohort is no new dose: 28
        (Calendar(1e9), 56 + 56 + 28),
        # first at 0, the others at 14, closed at 42
        (Calendar(1e9, stagger=14), 42 + 42 + 28),
        # first at 0, then 28 and 35, closed at 63; the last cohort at 0, 7 and 14, closed at 42
        (Calendar(1e9, between=7), 63 + 63 + 42),
        # first at 0, then 10 and 20, since 10 days after the one before is later than 5 days after the first
        (Calendar(1e9, window=21, stagger=5, between=10), 3 * 41),
        # each cohort waits 30 days for its products, side by side
        (Calendar(1e9, window=21, stagger=0, preparation=30), 3 * 51),
    ],
)
def test_durations_by_hand(calendar: Calendar, days: float) -> None:
    found = simulate_doses(design_three_plus_three("confirm-six"), (0.0, 0.0), trials=10, calendar=calendar)
    assert _value(found, "days") == pytest.approx(days, abs=1e-4)
    assert _value(found, "days_p90") == pytest.approx(days, abs=1e-4)
    assert _values(found, "selected") == [0, 0, 1]


def test_durations_follow_the_accrual() -> None:
    # independent: without windows a trial lasts as long as its subjects take to come, 30.4375 / 1.5 days each on average
    found = simulate_doses(design_boin(0.3, n_stop=9), SCENARIOS["rising"], trials=20_000, calendar=Calendar(1.5, window=0, stagger=0))
    row = found.frame.filter(pl.col("statistic") == "days")
    assert abs(row["value"].item() - _value(found, "subjects") * 30.4375 / 1.5) < 4 * row["se"].item()
    p90 = found.frame.filter(pl.col("statistic") == "days_p90")
    assert p90["value"].item() > row["value"].item() and 0 < p90["se"].item() < 10
    assert [note.split(":")[0] for note in found.notes] == ["Assumption"] * 4


def test_the_last_days_of_ten() -> None:
    # by hand: one subject and no window: exponential days of mean m; the quantile is m ln 10, its error sqrt(0.09 / trials) / (0.1 / m)
    found = simulate_doses(design_boin(0.3, max_n=1, cohort=1), (0.3,), trials=40_000, calendar=Calendar(2, window=0))
    row = found.frame.filter(pl.col("statistic") == "days_p90")
    mean = 30.4375 / 2
    error = 3 * mean / np.sqrt(40_000)
    assert abs(row["value"].item() - mean * np.log(10)) < 4 * error
    assert row["se"].item() == pytest.approx(error, rel=0.2)


def test_toxicity_0_and_1() -> None:
    # by hand: without DLTs BOIN goes up one dose a cohort and stays at the highest; with DLTs alone it stops after one cohort
    found = operate_doses(design_boin(0.3, max_n=15), {"none": (0, 0, 0), "all": (1, 1, 1)})
    table = found.table()
    assert table["selected"].to_list() == [0, 0, 0, 1, 1, 0, 0, 0]
    assert table["subjects"].to_list() == [None, 3, 3, 9, None, 3, 0, 0]
    assert table["dlts"].to_list() == [None, 0, 0, 0, None, 3, 0, 0]
    over = found.frame.filter(pl.col("statistic").str.starts_with("overdose"))["value"].to_list()
    # all three subjects above the target, which are less than 60 % of 15
    assert over == [0, 0, 0, 0, 1, 0]


def test_a_single_dose() -> None:
    # by hand: 3+3 with one dose and a rate of 0.5: none with 1 - 1/8 - 3/8 * 1/8, or with six
    found = operate_doses(design_three_plus_three("confirm-six"), (0.5,), target=0.3)
    assert _values(found, "selected")[1] == pytest.approx(1 / 8 * 1 / 2 + 3 / 8 * 1 / 8)
    assert _values(simulate_doses(design_boin(0.3), (0.3,), trials=200), "subjects")[0] <= 30


def test_the_frame_is_readable() -> None:
    doses = Doses((1e6, 3e6, 1e7), "cells/kg")
    found = simulate_doses(
        design_boin(0.3), {"steep": (0.1, 0.3, 0.6), "odd": (0.3, 0.2, 0.6)}, doses=doses, trials=100, calendar=Calendar(2)
    )
    assert set(found.frame["statistic"]) == set(STATISTICS)
    assert found.frame.null_count()["se"].item() == 0
    # by hand: the error of a share of 100 trials, from their variance with 99 in the denominator
    shares = found.frame.filter(pl.col("statistic") == "selected")
    assert shares["se"].to_list() == pytest.approx([(v * (1 - v) / 99) ** 0.5 for v in shares["value"]], abs=1e-15)
    table = found.table()
    assert table.columns == ["scenario", "level", "dose", "truth", "selected", "selected_se", "subjects", "subjects_se", "dlts", "dlts_se"]
    assert table["dose"].to_list()[:4] == ["none", *doses.labels]
    assert table.group_by("scenario").agg(pl.col("selected").sum())["selected"].to_list() == pytest.approx([1, 1])
    assert found.notes[0] == "The true DLT rates of odd do not increase with the dose, which every design here presumes."
    assert (found.trials, found.seed) == (100, 1)
    alone = operate_doses(design_three_plus_three(), (0.1, 0.3))
    assert alone.notes == ("No target is given, so no dose counts as an overdose.",)
    assert not alone.frame["statistic"].str.starts_with("overdose").any()


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"scenarios": {}}, "there is no scenario"),
        ({"scenarios": ()}, "there is no scenario"),
        ({"scenarios": (0.1, 1.2)}, "scenario 1 has a DLT rate outside 0 to 1"),
        ({"scenarios": (0.1, float("nan"))}, "outside 0 to 1"),
        ({"scenarios": (0.1, "high")}, "outside 0 to 1"),
        ({"scenarios": {"a": (0.1,), "b": (0.1, 0.2)}}, "b has 2 doses, not 1"),
        ({"scenarios": (0.1, 0.2), "doses": Doses((1e6,))}, "has 2 doses, not 1"),
        ({"design": design_boin(0.3, start=3), "scenarios": (0.1, 0.2)}, "the start is dose 3 of 2"),
        ({"trials": 1}, "trials: 1 is no whole number from 2"),
        ({"batch": 0}, "batch: 0 is no whole number"),
        ({"seed": -1}, "seed is negative"),
        ({"target": 1.0}, "target: 1.0 is not a number"),
    ],
)
def test_refused(kwargs: dict, words: str) -> None:
    arguments = {"design": design_boin(0.3), "scenarios": (0.1, 0.3), **kwargs}
    with pytest.raises(InputError, match=words):
        simulate_doses(arguments.pop("design"), arguments.pop("scenarios"), **arguments)


def test_calendars_and_states_refused() -> None:
    with pytest.raises(InputError, match="accrual is 0"):
        Calendar(0)
    with pytest.raises(InputError, match="window is -1 days"):
        Calendar(1, window=-1)
    with pytest.raises(InputError, match="more than 10 states"):
        operate_doses(design_boin(0.3), (0.1, 0.3), most_states=10)
