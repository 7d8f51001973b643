"""How often is the right dose selected, and how long does the trial take? Thousands of dose-finding trials of any design at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.design.dose import trials_kernel as kernels
from cartrial.design.dose.designs import DoseDesign, Doses
from cartrial.design.dose.results import SCHEMA, DoseResults, Scenarios, check_scenarios, summarise
from cartrial.design.exact.checks import check_whole
from cartrial.errors import InputError
from cartrial.virtual.patients.randomness import Keys, draw_uniform

__all__ = ["Calendar", "simulate_doses"]

RULES = {
    None: kernels.INTERVAL,
    "escalation-only": kernels.ESCALATION_ONLY,
    "de-escalation": kernels.DEESCALATION,
    "confirm-six": kernels.CONFIRM_SIX,
}
# streams of random numbers
TOXICITY, ARRIVAL = 2000, 2001
_STUDY = "dose-finding"
_MONTH = 30.4375
_BATCH = 20_000
_MOST = 10_000_000
_NEVER = 2**30
_NO_BOUND = 2.0
# selected dose, subjects and DLTs by dose, days
_Trials = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class Calendar:
    """How a trial passes in time.

    Parameters
    ----------
    accrual : float
        Subjects a month who can be enrolled while a place is open; nobody waits for a place.
    window : float, default 28
        Days after the infusion in which a DLT counts. The next cohort's dose is decided when the last subject's window has closed.
    stagger : float, optional
        Days for which the first subject at a dose that nobody had before is observed until the second is infused; the window without it.
    between : float, default 0
        Least days between two infusions of a cohort.
    preparation : float, default 0
        Days from enrolment to infusion; the subjects of a cohort are prepared side by side.

    Raises
    ------
    InputError
        If the accrual is not positive or a number of days is negative.
    """

    accrual: float
    window: float = 28.0
    stagger: float | None = None
    between: float = 0.0
    preparation: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.accrual < float("inf"):
            raise InputError(f"the accrual is {self.accrual:g} a month", key="accrual", right="Give more than 0 subjects a month")
        for name in ("window", "stagger", "between", "preparation"):
            days = getattr(self, name)
            if days is not None and not 0 <= days < float("inf"):
                raise InputError(f"{name} is {days:g} days", key=name, right="Give 0 days or more")

    @property
    def observed(self) -> float:
        """Days for which the first subject at a new dose is observed alone."""
        return self.window if self.stagger is None else self.stagger

    @property
    def notes(self) -> tuple[str, ...]:
        """What the durations assume, one sentence each."""
        return (
            f"Assumption: {self.accrual:g} subjects a month at random times while a place is open, and nobody waits for a place.",
            f"Assumption: a DLT counts within {self.window:g} days, and no cohort is decided before all windows have closed.",
            f"Assumption: the first subject at a new dose is observed for {self.observed:g} days before the second is infused"
            f", later infusions of a cohort are at least {self.between:g} days apart.",
            f"Assumption: {self.preparation:g} days from enrolment to infusion, with no product failure and no replacement.",
        )


def simulate_doses(
    design: DoseDesign,
    scenarios: Scenarios,
    *,
    doses: Doses | None = None,
    trials: int = 10_000,
    seed: int = 1,
    calendar: Calendar | None = None,
    target: float | None = None,
    batch: int = _BATCH,
) -> DoseResults:
    """Simulate trials of a dose-finding design.

    Parameters
    ----------
    design : DoseDesign
    scenarios : mapping of str to sequence of float, or sequence of float
        True probabilities of a DLT, one for each dose, by scenario.
    doses : Doses, optional
        Labels; "dose 1", "dose 2" ... without it.
    trials : int, default 10000
        Of each scenario, at least 2.
    seed : int, default 1
        Subject k of trial t has the same random number in every scenario and design, so that differences between them vary less.
    calendar : Calendar, optional
        Adds the trial's duration.
    target : float, optional
        DLT rate above which a dose is an overdose; the design's own without it.
    batch : int
        Trials held at once. Nothing depends on it.

    Returns
    -------
    DoseResults

    Raises
    ------
    InputError
        If the scenarios cannot be run, or there are too few trials.

    Notes
    -----
    The standard error of a proportion that no trial or every trial shows is 0; its true value then differs by less than about 3 / `trials`.

    Examples
    --------
    By hand: where the first dose is never and the second always toxic, 3+3 gives three subjects the first, three the second, three more the
    first, and selects the first.

    >>> from cartrial.design import design_three_plus_three, simulate_doses
    >>> found = simulate_doses(design_three_plus_three(), (0.0, 1.0), trials=20)
    >>> found.table().select("level", "selected", "subjects").rows()
    [(0, 0.0, None), (1, 1.0, 6.0), (2, 0.0, 3.0)]
    """
    checked = check_scenarios(design, scenarios, doses, target)
    trials = check_whole(trials, "trials", 2, _MOST)
    batch = check_whole(batch, "batch", 1, _MOST)
    rows = []
    parts: list[list[_Trials]] = [[] for _ in checked.names]
    for first in range(0, trials, batch):
        count = min(batch, trials - first)
        most = sum(design.sizes(len(checked.labels)))
        keys = Keys.trials(_STUDY, seed, count, 1, first=first)
        uniform = draw_uniform(keys, TOXICITY, most)
        gap = np.zeros_like(uniform)
        if calendar:
            gap = -np.log(draw_uniform(keys, ARRIVAL, most)) * (_MONTH / calendar.accrual)
        for scenario, p in enumerate(checked.p):
            parts[scenario].append(_run(design, p, uniform, gap, calendar))
    for scenario in range(len(checked.names)):
        selected, subjects, dlts, days = (np.concatenate(part) for part in zip(*parts[scenario], strict=True))
        rows += summarise(design, checked, scenario, selected, subjects, dlts, days=days if calendar else None)
    notes = checked.notes + (calendar.notes if calendar else ())
    return DoseResults(design, pl.DataFrame(rows, schema=SCHEMA, orient="row"), notes, trials, seed)


def _run(
    design: DoseDesign, p: NDArray[np.float64], uniform: NDArray[np.float64], gap: NDArray[np.float64], calendar: Calendar | None
) -> _Trials:
    """Return selected dose, subjects, DLTs and days of trials."""
    count, doses = len(uniform), len(p)
    subjects, dlts = np.zeros((2, count, doses), np.int64)
    eliminated, selected = np.zeros((2, count), np.int64)
    days = np.zeros(count)
    time = calendar or Calendar(1.0)
    lowest = np.full(design.table.n[-1] + 1, _NEVER)
    for n, limit in enumerate(design.stop_lowest):
        lowest[n] = _NEVER if limit is None else limit
    kernels.run_trials(
        uniform.size,
        design.table.codes(),
        lowest,
        np.array(design.sizes(doses), np.int64),
        uniform,
        gap,
        p,
        RULES[design.variant],
        design.start - 1,
        design.n_stop or _NEVER,
        design.stop_when == "settled",
        float(time.window),
        float(time.observed),
        float(time.between),
        float(time.preparation),
        subjects,
        dlts,
        eliminated,
        selected,
        days,
    )
    if design.target is not None:
        bound = _NO_BOUND if design.bound is None else design.bound
        kernels.select_doses(uniform.size, subjects, dlts, eliminated, design.target, design.prior, bound, selected)
    return selected, subjects, dlts, days
