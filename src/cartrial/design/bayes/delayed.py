"""May a look decide before every outcome is known? Pending subjects count in part, by their follow-up (TOP)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from cartrial.design.bayes.bop2 import Bop2, design_bop2
from cartrial.design.bayes.delayed_kernel import Answers, Looks, Rule, Subjects, run_delayed
from cartrial.design.bayes.monitoring import Floats, Integers, check_share
from cartrial.design.exact.checks import check_choice, check_whole
from cartrial.errors import InputError
from cartrial.shown import Shown

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Delayed", "assess_delayed", "delayed_boundaries", "design_delayed", "simulate_delayed"]

SOURCE = "Lin R, Coleman RL, Yuan Y. J Natl Cancer Inst 2020;112:38-45. doi:10.1093/jnci/djz049"
_EARLY = ("response", "failure")
_STRATEGIES = ("credit", "wait")
_ROUNDS = 60


@dataclass(frozen=True)
class Delayed(Shown):
    """A design whose looks may come before every outcome is known.

    Parameters
    ----------
    complete : Bop2
        The design with all outcomes known; its boundaries and errors.
    early : str
        Which outcome shows when it happens: "response" (any response within the window), or "failure" (response at the end of the window:
        relapse, death or new therapy show earlier, a response only then). The other one is known at the end of the window.
    edge : tuple of tuple of float
        By look and number of early outcomes: stop with an effective number of subjects above it ("response") or below it ("failure");
        infinite where nothing or everything stops.
    method, source : str
    """

    complete: Bop2
    early: str
    edge: tuple[tuple[float, ...], ...]
    method: str
    source: str

    @property
    def n(self) -> tuple[int, ...]:
        """Subjects enrolled at each look."""
        return self.complete.design.n

    @property
    def go(self) -> Integers:
        """Responders with which a look goes on when all outcomes are known."""
        return np.array([0 if value is None else value + 1 for value in self.complete.design.futility], np.int64)


def design_delayed(
    p0: float,
    p1: float,
    looks: Sequence[int],
    *,
    early: str = "response",
    alpha: float = 0.1,
    power: float | None = None,
    prior: tuple[float, float] | None = None,
    cutoff: tuple[float, float] | None = None,
) -> Delayed:
    """Find a design that looks without waiting for outcomes that come late.

    Parameters
    ----------
    p0, p1, looks, alpha, power, prior, cutoff
        As in `design_bop2`, which gives the cut-off; a look counts subjects enrolled.
    early : str, "response" or "failure"
        Which outcome shows when it happens; see `Delayed`.

    Returns
    -------
    Delayed

    Raises
    ------
    InputError
        As `design_bop2`, or for another word.

    Notes
    -----
    A pending subject counts as the share of the window it was followed: the effective number of subjects is those known plus the sum of
    the shares. For "response" the posterior is Beta(a + responders, b + effective - responders), as in the paper; for "failure" the
    mirror image, Beta(a + effective - failures, b + failures). A subject whose outcome cannot show before the end of the window carries
    no such information: then wait, or look later. A look suspends accrual while more than n²/N of its n subjects are pending, unless the
    pending cannot change the decision. The cut-off holds the errors of complete outcomes; what is left of them when looks decide earlier
    is what `simulate_delayed` shows.

    Examples
    --------
    The cut-off of Lin, Coleman and Yuan, arXiv:1810.00709, Table 2. With 1 responder among 10 the trial stops once the effective number of
    subjects is above 8.27.

    >>> from cartrial.design import design_delayed
    >>> design = design_delayed(0.2, 0.4, (10, 20, 30, 40), cutoff=(0.86, 1))
    >>> design.go.tolist(), round(design.edge[0][1], 2)
    ([2, 4, 8, 12], 8.27)
    """
    check_choice(early, "early", _EARLY)
    complete = design_bop2(p0, p1, looks, alpha=alpha, power=power, prior=prior, cutoff=cutoff)
    edge = _edges(complete, early)
    method = (
        f"{complete.design.method} A pending subject counts as the share of its window that it was followed; {early}s show as they happen."
    )
    return Delayed(complete, early, tuple(tuple(float(value) for value in row) for row in edge), method, SOURCE)


def assess_delayed(design: Delayed, enrolled: int, responders: int, failures: int, followup: float) -> str:
    """Say what a look decides.

    Parameters
    ----------
    design : Delayed
    enrolled : int
        Subjects enrolled: one of the looks.
    responders, failures : int
        Outcomes that are known.
    followup : float
        Follow-up of all pending subjects together, in windows: 9 subjects followed for half a window have 4.5.

    Returns
    -------
    str
        "go on", "stop" or "suspend" (accrual, until more is known); at the last look "go on" is success.

    Raises
    ------
    InputError
        If there is no such look, the numbers do not fit together, or the follow-up is longer than that of all the pending.

    Examples
    --------
    The example of Lin, Coleman and Yuan, arXiv:1810.00709, Table 1: of 20 subjects 3 responded, 8 did not, and 9 were followed for so many
    of 120 days.

    >>> from cartrial.design import assess_delayed, design_delayed
    >>> design = design_delayed(0.2, 0.4, (10, 20, 30, 40), cutoff=(0.86, 1))
    >>> followup = sum((85, 78, 66, 48, 32, 28, 10, 8, 5)) / 120
    >>> assess_delayed(design, 20, 3, 8, followup)
    'go on'
    """
    if enrolled not in design.n:
        raise InputError(f"there is no look at {enrolled} subjects", key="enrolled", right=f"Give one of {', '.join(map(str, design.n))}")
    yes, no = check_whole(responders, "responders", 0, enrolled), check_whole(failures, "failures", 0, enrolled)
    pending = enrolled - yes - no
    if pending < 0:
        raise InputError(f"{yes} responders and {no} failures are more than {enrolled} subjects", key="failures", right="Count each once")
    follow = check_share(followup, "followup", high=max(pending, 0), ends=True)
    k = design.n.index(enrolled)
    go = int(design.go[k])
    if yes >= go:
        return "go on"
    if yes + pending < go:
        return "stop"
    if pending * design.n[-1] > enrolled**2 or k == len(design.n) - 1:
        return "suspend"
    effective = enrolled - pending + follow
    if design.early == "response":
        return "stop" if effective > design.edge[k][yes] else "go on"
    return "stop" if effective < design.edge[k][no] else "go on"


def delayed_boundaries(design: Delayed) -> pl.DataFrame:
    """Return the decision table.

    Parameters
    ----------
    design : Delayed

    Returns
    -------
    polars.DataFrame
        One row for each look, number of early outcomes and number of pending subjects with which accrual is not suspended: look, n, events
        (responders or failures, as `early` says), pending, action ("go on", "stop", "depends") and followup: where it depends, stop with a
        total follow-up of the pending, in windows, above ("response") or below ("failure") this. With more pending than there are rows
        for, accrual is suspended unless no outcome of theirs could change the decision.

    Examples
    --------
    Lin, Coleman and Yuan, arXiv:1810.00709, Table 2, print 8.27 effective subjects for 1 responder among 10. By hand: with 2 pending, 8 are
    known, so that a follow-up of the pending above 0.27 windows stops the trial.

    >>> import polars as pl
    >>> from cartrial.design import delayed_boundaries, design_delayed
    >>> table = delayed_boundaries(design_delayed(0.2, 0.4, (10, 20, 30, 40), cutoff=(0.86, 1)))
    >>> table.filter(n=10, events=1, pending=2).select("action", pl.col("followup").round(2)).rows()
    [('depends', 0.27)]
    """
    import polars as pl

    rows = []
    last = len(design.n) - 1
    for k, n in enumerate(design.n):
        most = 0 if k == last else n * n // design.n[-1]
        for events in range(n + 1):
            for pending in range(min(most, n - events) + 1):
                known = n - pending
                other = known - events
                yes, no = (events, other) if design.early == "response" else (other, events)
                action, edge = assess_delayed(design, n, yes, no, 0.0), None
                if action != assess_delayed(design, n, yes, no, pending):
                    action, edge = "depends", float(np.clip(design.edge[k][events] - known, 0, pending))
                rows.append((k + 1, n, events, pending, action, edge))
    schema = {"look": pl.Int32, "n": pl.Int32, "events": pl.Int32, "pending": pl.Int32, "action": pl.String, "followup": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def simulate_delayed(
    design: Delayed,
    p: ArrayLike,
    *,
    accrual: float,
    window: float,
    trials: int = 10_000,
    seed: int = 1,
    late: float = 0.5,
    times: ArrayLike | None = None,
    strategies: Sequence[str] = _STRATEGIES,
) -> pl.DataFrame:
    """Simulate trials with late outcomes.

    Parameters
    ----------
    design : Delayed
    p : float or sequence of float
        True response rates.
    accrual : float
        Subjects enrolled per unit of time; gaps are exponential.
    window : float
        Length of the assessment window, in the same unit.
    trials : int, default 10,000
    seed : int
    late : float, default 0.5
        Share of the early outcomes that show in the second half of the window: times are `window * U**k` with U uniform; 0.5: uniform.
    times : sequence of float, optional
        Instead of `late`: times from enrolment to the early outcome in the same unit, drawn with replacement (those of virtual patients).
    strategies : sequence of str
        "credit": pending subjects count in part; "wait": accrual is suspended at each look until the decision is certain.

    Returns
    -------
    polars.DataFrame
        One row a rate and strategy: p, strategy, trials, and each of success, early_stop, expected_n, duration and suspended (unit of
        time) with its Monte-Carlo standard error in a column of the same name with `_error`. Rates and strategies share their subjects.

    Raises
    ------
    InputError
        For a rate, accrual, window, share, time or word that cannot be.

    Examples
    --------
    A trial that waits for the outcomes at each look decides as the exact design does, within what chance leaves; one that credits pending
    subjects with part of an outcome is suspended for less time.

    >>> from cartrial.design import design_delayed, operate, simulate_delayed
    >>> design = design_delayed(0.2, 0.4, (10, 20, 30, 40), cutoff=(0.86, 1))
    >>> credit, wait = simulate_delayed(design, 0.4, accrual=4, window=3, trials=500).to_dicts()
    >>> bool(abs(wait["success"] - operate(design.complete.design, 0.4).success) < 4 * wait["success_error"])
    True
    >>> credit["suspended"] < wait["suspended"]
    True
    """
    import polars as pl

    try:
        rates = [check_share(rate, "p", ends=True) for rate in np.atleast_1d(np.asarray(p, float))]
    except (TypeError, ValueError) as error:
        raise (
            error if isinstance(error, InputError) else InputError(f"{p!r} are no rates", key="p", right="Give rates from 0 to 1")
        ) from error
    per_window = check_share(accrual, "accrual", high=1e6) * check_share(window, "window", high=1e6)
    trials = check_whole(trials, "trials", 2, 1_000_000)
    n = np.asarray(design.n, np.int64)
    for strategy in strategies:
        check_choice(strategy, "strategies", _STRATEGIES)
    gap, outcome, when = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3))
    shape = (trials, int(n[-1]))
    gaps = gap.standard_exponential(shape) / per_window
    luck = outcome.random(shape)
    shows = _times(when, shape, late, times, float(window))
    looks, early = _looks(design), design.early == "response"
    rows = []
    for rate in rates:
        happens = luck < rate if early else luck >= rate
        delay = np.where(happens, shows, 1.0)
        for strategy in strategies:
            found = _answers(trials)
            run_delayed(int(trials * n.sum()), looks, Rule(early, strategy == "wait"), Subjects(gaps, happens, delay), found)
            stopped = found.enrolled < n[-1]
            figures = {"success": found.success, "early_stop": stopped, "expected_n": found.enrolled, "duration": found.end * window}
            row: dict[str, Any] = {"p": rate, "strategy": strategy, "trials": trials}
            for name, values in {**figures, "suspended": found.paused * window}.items():
                row |= {name: float(values.mean()), f"{name}_error": float(values.std(ddof=1) / np.sqrt(trials))}
            rows.append(row)
    return pl.DataFrame(rows)


def _looks(design: Delayed) -> Looks:
    """Return the looks as the kernel reads them."""
    most = design.n[-1]
    edge = np.array([[*row, *[0.0] * (most + 1 - len(row))] for row in design.edge])
    return Looks(np.asarray(design.n, np.int64), design.go, edge)


def _answers(trials: int) -> Answers:
    """Return empty answers."""
    return Answers(np.zeros(trials, bool), np.zeros(trials, np.int64), np.zeros(trials), np.zeros(trials))


def _times(draw: np.random.Generator, shape: tuple[int, int], late: float, times: ArrayLike | None, window: float) -> Floats:
    """Return when the early outcomes show, in windows."""
    if times is None:
        share = check_share(late, "late")
        # a power of a uniform number: below one half with probability 0.5**(1 / k) = 1 - late
        k = np.log(0.5) / np.log1p(-share)
        spread: Floats = (1.0 - draw.random(shape)) ** k
        return spread
    try:
        known = np.asarray(times, float) / window
    except (TypeError, ValueError) as error:
        raise InputError("the times are no numbers", key="times", right="Give times from enrolment") from error
    if known.ndim != 1 or not known.size or not ((known > 0) & (known <= 1)).all():
        raise InputError(f"a time is not within the window of {window:g}", key="times", right="Give times above 0, up to the window")
    return known[(draw.random(shape) * known.size).astype(np.int64)]


def _edges(complete: Bop2, early: str) -> Floats:
    """Return the effective numbers of subjects at which the decision turns."""
    from scipy.special import betaincc

    n = np.asarray(complete.design.n)
    a, b = complete.prior
    cut = (complete.scale * (n / n[-1]) ** complete.exponent)[:, None]
    events = np.arange(n[-1] + 1)[None, :].astype(float)
    most = np.broadcast_to(n[:, None].astype(float), (len(n), n[-1] + 1))

    def stops(effective: Floats) -> Any:
        rest = np.maximum(effective - events, 0.0)
        yes, no = (events, rest) if early == "response" else (rest, events)
        return betaincc(a + yes, b + no, complete.design.p0) < cut

    low, high = np.broadcast_to(events, most.shape).copy(), most.copy()
    at_low, at_high = stops(low), stops(high)
    turns = at_low != at_high
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        same = stops(middle) == at_low
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    found = (low + high) / 2
    if early == "response":  # above the edge it stops
        return np.where(events > most, np.inf, np.where(turns, found, np.where(at_high, -np.inf, np.inf)))
    return np.where(events > most, np.inf, np.where(turns, found, np.where(at_high, np.inf, -np.inf)))
