"""Designs whose outcomes come late.

Origin of expected values. `published`: Lin, Coleman and Yuan, arXiv:1810.00709v1 (the preprint of doi:10.1093/jnci/djz049), Tables 1 and 2,
read there. `independent`: a slow second implementation below, from the definition, in plain Python. `by hand`: from the rule.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from cartrial.design.bayes.bop2 import design_bop2
from cartrial.design.bayes.committee import committee_table
from cartrial.design.bayes.delayed import Delayed, assess_delayed, delayed_boundaries, design_delayed, simulate_delayed
from cartrial.design.bayes.delayed_kernel import Answers, Looks, Rule, Subjects, run_delayed
from cartrial.design.exact.staged import operate
from cartrial.errors import InputError
from cartrial.kernels import COMPILE_FROM

# Two of the printed numbers give lambda 0.86 and gamma 1 (to two decimals); the other six are then as printed.
TOP = design_delayed(0.2, 0.4, (10, 20, 30, 40), cutoff=(0.86, 1))
CREDIT = {(10, 1): 8.27, (20, 2): 10.15, (20, 3): 15.40, (30, 3): 11.44, (30, 4): 15.98, (30, 5): 20.57, (30, 6): 25.21, (30, 7): 29.88}


@pytest.mark.shows("EST-delayed")
def test_the_edges_are_those_of_the_paper() -> None:
    """published: Table 2, the total effective sample size below which a look goes on."""
    found = {(n, x): round(TOP.edge[TOP.n.index(n)][x], 2) for n, x in CREDIT}
    assert found == CREDIT


@pytest.mark.shows("EST-delayed")
def test_the_table_is_that_of_the_paper() -> None:
    """published: Table 2, "no go", "go if" and "go" of the looks at 10, 20 and 30, and success at 40."""
    table = committee_table(TOP)
    rows = table.filter(pl.col("effective").is_null() & pl.col("events_from").is_not_null())
    stops = rows.filter(pl.col("sentence").str.ends_with("stop."))
    goes = rows.filter(pl.col("sentence").str.ends_with("go on."))
    assert stops.select("n", "events_to").rows() == [(10, 0), (20, 1), (30, 2)]
    assert goes.select("n", "events_from").rows() == [(10, 2), (20, 4), (30, 8)]
    depends = table.filter(pl.col("effective").is_not_null())
    assert {(n, x): round(edge, 2) for n, x, edge in depends.select("n", "events_from", "effective").rows()} == CREDIT
    assert TOP.go.tolist() == [2, 4, 8, 12]


def test_the_worked_example_goes_on() -> None:
    """published: Table 1, 20 patients, 3 responded, 8 did not, 9 pending for 85 ... 5 of 120 days: effective 14, go on."""
    followup = sum((85, 78, 66, 48, 32, 28, 10, 8, 5)) / 120
    assert 11 + followup == pytest.approx(14, abs=1e-12)
    assert assess_delayed(TOP, 20, 3, 8, followup) == "go on"
    assert assess_delayed(TOP, 20, 3, 8, followup + 1.5) == "stop"


def test_decisions_by_hand() -> None:
    """by hand: 10 looked at, 2 responders are enough; more than 10 * 10 / 40 pending suspend; what the pending cannot change is decided."""
    assert assess_delayed(TOP, 10, 2, 0, 0.0) == "go on"
    assert assess_delayed(TOP, 10, 0, 7, 0.5) == "suspend"
    assert assess_delayed(TOP, 10, 0, 9, 0.0) == "stop"
    assert assess_delayed(TOP, 40, 11, 28, 0.5) == "suspend"
    assert assess_delayed(TOP, 40, 12, 20, 0.5) == "go on"
    assert assess_delayed(TOP, 40, 10, 29, 0.9) == "stop"


@pytest.mark.parametrize("early", ["response", "failure"])
def test_the_edge_is_where_the_posterior_crosses(early: str) -> None:
    """independent: scipy.stats on both sides of every edge, and at both ends where there is none."""
    design = design_delayed(0.3, 0.5, (8, 16, 24), early=early, alpha=0.15)
    a, b = design.complete.prior
    for k, n in enumerate(design.n):
        cut = design.complete.scale * (n / design.n[-1]) ** design.complete.exponent
        for events in range(n + 1):
            edge = design.edge[k][events]

            def stops(effective: float, events: int = events, cut: float = cut) -> bool:
                yes = events if early == "response" else effective - events
                return bool(stats.beta.sf(0.3, a + yes, b + effective - yes) < cut)

            if np.isfinite(edge):
                assert events <= edge <= n
                assert stops(edge + 1e-6) == (early == "response")
                assert stops(edge - 1e-6) == (early == "failure")
            else:
                always = (edge < 0) == (early == "response")
                assert stops(events) == stops(n) == always


@pytest.mark.parametrize("early", ["response", "failure"])
def test_the_decision_table_says_what_a_look_decides(early: str) -> None:
    """independent of the table: every row against `assess_delayed` on both sides of its follow-up."""
    design = design_delayed(0.2, 0.45, (6, 12, 18), early=early, alpha=0.15)
    table = delayed_boundaries(design)
    assert set(table["action"]) == {"go on", "stop", "depends"}
    assert table.filter((pl.col("n") == 18) & (pl.col("pending") > 0)).is_empty()
    for _, n, events, pending, action, edge in table.rows():
        other = n - pending - events
        known = (events, other) if early == "response" else (other, events)
        below, above = ("go on", "stop") if early == "response" else ("stop", "go on")
        if action == "depends":
            assert assess_delayed(design, n, *known, max(edge - 1e-6, 0)) in (below, assess_delayed(design, n, *known, 0.0))
            assert assess_delayed(design, n, *known, min(edge + 1e-6, pending)) == above
        else:
            assert {assess_delayed(design, n, *known, share * pending) for share in (0, 0.5, 1)} == {action}


def slow_trial(design: Delayed, wait: bool, gaps: list[float], happens: list[bool], delay: list[float]) -> tuple[bool, int, float, float]:
    """One trial by a list of subjects and `assess_delayed`, its clock moved to the next outcome while it waits."""
    clock = idle = 0.0
    subjects: list[tuple[float, bool]] = []
    for n in design.n:
        while len(subjects) < n:
            i = len(subjects)
            clock += gaps[i]
            subjects.append((clock, happens[i]))
        known_at = [start + delay[i] for i, (start, _) in enumerate(subjects)]
        now = max([clock, *known_at]) if n == design.n[-1] else clock
        while True:
            known = [event for (_, event), at in zip(subjects, known_at, strict=True) if at <= now]
            follow = sum(now - start for (start, _), at in zip(subjects, known_at, strict=True) if at > now)
            yes = sum(known) if design.early == "response" else len(known) - sum(known)
            no = len(known) - yes
            go = int(design.go[design.n.index(n)])
            certain = yes >= go or yes + n - len(known) < go
            verdict = "suspend" if wait and not certain else assess_delayed(design, n, yes, no, min(follow, n - len(known)))
            if verdict != "suspend":
                break
            now = min(at for at in known_at if at > now)
        idle += now - clock if n < design.n[-1] else 0.0
        clock = now
        if verdict == "stop":
            return False, n, clock, idle
    return True, design.n[-1], clock, idle


def empty_answers(trials: int) -> Answers:
    return Answers(np.zeros(trials, bool), np.zeros(trials, np.int64), np.zeros(trials), np.zeros(trials))


@pytest.mark.parametrize("work", [0, COMPILE_FROM])
@pytest.mark.parametrize("early", ["response", "failure"])
@pytest.mark.parametrize("wait", [False, True])
def test_the_kernel_is_300_slow_trials(work: int, early: str, wait: bool) -> None:
    """independent: `slow_trial` on the same subjects; interpreted, and compiled where Numba is installed."""
    design = design_delayed(0.25, 0.45, (6, 12, 18, 24), early=early, alpha=0.15)
    draw = np.random.default_rng(6)
    shape = (300, 24)
    gaps, happens = draw.exponential(0.2, shape), draw.random(shape) < 0.45
    delay = np.where(happens, 1 - draw.random(shape), 1.0)
    success, enrolled, end, paused = found = empty_answers(300)
    looks = Looks(np.array(design.n), design.go, np.array(design.edge))
    run_delayed(work, looks, Rule(early == "response", wait), Subjects(gaps, happens, delay), found)
    for t in range(300):
        slow = slow_trial(design, wait, gaps[t].tolist(), happens[t].tolist(), delay[t].tolist())
        assert (bool(success[t]), int(enrolled[t])) == slow[:2]
        assert (float(end[t]), float(paused[t])) == pytest.approx(slow[2:], abs=1e-12)
    assert 0 < success.mean() < 1


@pytest.mark.parametrize("early", ["response", "failure"])
@pytest.mark.parametrize("wait", [False, True])
def test_without_delay_it_is_bop2(early: str, wait: bool) -> None:
    """by hand: known at once, a trial succeeds where every look has the responders that BOP2 wants; nothing is suspended."""
    design = design_delayed(0.2, 0.4, (10, 20, 30), early=early)
    draw = np.random.default_rng(7)
    responds = draw.random((5000, 30)) < 0.35
    reached = responds.cumsum(axis=1)[:, [9, 19, 29]] >= design.go
    success, enrolled, end, paused = found = empty_answers(5000)
    gaps, happens = np.ones(responds.shape), responds if early == "response" else ~responds
    looks = Looks(np.array(design.n), design.go, np.array(design.edge))
    run_delayed(COMPILE_FROM, looks, Rule(early == "response", wait), Subjects(gaps, happens, 0.0 * gaps), found)
    assert (success == reached.all(axis=1)).all()
    assert (enrolled == np.array(design.n)[np.where(reached.all(axis=1), 2, (~reached).argmax(axis=1))]).all()
    assert (end == enrolled).all()
    assert not paused.any()


def test_waiting_keeps_the_exact_design_at_any_accrual() -> None:
    """by hand: the decision is that of all outcomes, only later; credit is quicker, and costs some power."""
    found = simulate_delayed(TOP, [0.2, 0.4], accrual=4, window=3, trials=20_000, seed=2)
    credit, wait = (found.filter(pl.col("strategy") == name) for name in ("credit", "wait"))
    exact = operate(TOP.complete.design, [0.2, 0.4])
    assert (np.abs(wait["success"].to_numpy() - exact.success) < 4 * wait["success_error"].to_numpy()).all()
    assert (np.abs(wait["expected_n"].to_numpy() - exact.expected_n) < 4 * wait["expected_n_error"].to_numpy()).all()
    assert (credit["duration"] + 4 * credit["duration_error"] < wait["duration"]).all()
    assert (credit["suspended"] < wait["suspended"]).all()
    assert credit["success"][1] < wait["success"][1]


def test_errors_are_those_of_a_mean() -> None:
    """by hand: of a probability, the root of p (1 - p) / (trials - 1)."""
    row = simulate_delayed(TOP, 0.3, accrual=4, window=3, trials=500, strategies=["credit"]).row(0, named=True)
    assert row["success_error"] == pytest.approx(np.sqrt(row["success"] * (1 - row["success"]) / 499), rel=1e-12)
    assert simulate_delayed(TOP, 0.3, accrual=4, window=3, trials=500, strategies=["credit"]).row(0, named=True) == row


def test_times_of_responses() -> None:
    """by hand: with responses on the last day nothing is known earlier; with all on the first day only non-responders are pending."""
    last = simulate_delayed(TOP, 0.4, accrual=4, window=3, trials=4000, times=[3.0], strategies=["wait"])
    first = simulate_delayed(TOP, 0.4, accrual=4, window=3, trials=4000, times=[1e-9], strategies=["wait"])
    late = simulate_delayed(TOP, 0.4, accrual=4, window=3, trials=4000, late=0.9, strategies=["wait"])
    early = simulate_delayed(TOP, 0.4, accrual=4, window=3, trials=4000, late=0.1, strategies=["wait"])
    assert last["duration"][0] > late["duration"][0] > early["duration"][0] > first["duration"][0]
    assert last["success"][0] == first["success"][0]


def test_the_cut_off_is_that_of_bop2() -> None:
    """by hand."""
    assert design_delayed(0.2, 0.4, (10, 20, 30)).complete == design_bop2(0.2, 0.4, (10, 20, 30))


def test_the_committee_reads_sentences() -> None:
    """by hand, the number of subjects from the paper's table."""
    sentences = committee_table(TOP)["sentence"].to_list()
    assert sentences[:4] == [
        "With more than 2 of 10 pending, suspend accrual unless they cannot change the decision.",
        "If none of 10 responded, stop.",
        "If 1 of 10 responded, stop if the known subjects and the pending ones' follow-up in windows together come to more than 8.27.",
        "If 2 or more of 10 responded, go on.",
    ]
    assert sentences[-1] == "With all outcomes known, success if 12 or more of 40 responded, no success otherwise."
    failed = committee_table(design_delayed(0.2, 0.4, (10, 20, 30, 40), early="failure", cutoff=(0.86, 1)))["sentence"].to_list()
    assert failed[1] == "If 7 or fewer of 10 failed, go on."
    assert failed[2].endswith("come to less than 9.13.")
    assert failed[3] == "If 9 or more of 10 failed, stop."


SIMULATE = {"accrual": 2, "window": 3, "trials": 10}
UGLY = {
    "unknown word": (lambda: design_delayed(0.2, 0.4, (10, 20), early="both"), "early"),
    "target below null": (lambda: design_delayed(0.4, 0.2, (10, 20)), "p1"),
    "no such look": (lambda: assess_delayed(TOP, 15, 1, 1, 0.0), "enrolled"),
    "more outcomes than subjects": (lambda: assess_delayed(TOP, 10, 6, 6, 0.0), "failures"),
    "responders below 0": (lambda: assess_delayed(TOP, 10, -1, 6, 0.0), "responders"),
    "follow-up too long": (lambda: assess_delayed(TOP, 10, 1, 6, 4.0), "followup"),
    "no accrual": (lambda: simulate_delayed(TOP, 0.3, **{**SIMULATE, "accrual": 0}), "accrual"),
    "no window": (lambda: simulate_delayed(TOP, 0.3, **{**SIMULATE, "window": -1}), "window"),
    "one trial": (lambda: simulate_delayed(TOP, 0.3, **{**SIMULATE, "trials": 1}), "trials"),
    "a rate above 1": (lambda: simulate_delayed(TOP, [0.3, 1.3], **SIMULATE), "p"),
    "a rate in words": (lambda: simulate_delayed(TOP, "high", **SIMULATE), "p"),
    "late 1": (lambda: simulate_delayed(TOP, 0.3, **SIMULATE, late=1), "late"),
    "a time beyond the window": (lambda: simulate_delayed(TOP, 0.3, **SIMULATE, times=[1, 4]), "times"),
    "times in words": (lambda: simulate_delayed(TOP, 0.3, **SIMULATE, times=["soon"]), "times"),
    "unknown strategy": (lambda: simulate_delayed(TOP, 0.3, **SIMULATE, strategies=["hope"]), "strategies"),
}


@pytest.mark.parametrize("name", UGLY)
def test_ugly_input_is_refused_in_one_message(name: str) -> None:
    """by hand: the argument that is wrong is named, and what would be right."""
    call, key = UGLY[name]
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.key == key
    assert caught.value.right
    assert "\n" not in str(caught.value)
