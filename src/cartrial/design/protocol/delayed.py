"""What does a committee decide while responses are still awaited? A study's looks without a pause of enrolment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartrial.design.protocol.inputs import DAYS_PER_MONTH, Inputs
from cartrial.design.protocol.options import Option
from cartrial.design.protocol.rows import Rows, number, share

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.bayes.delayed import Delayed
    from cartrial.design.enrolment.accrual_plan import AccrualPlan

__all__ = ["DelayedPlan", "add_delayed", "counted_rate", "find_delayed"]

_TRIALS = 4000
_FIGURES = {"success": "proportion", "early_stop": "proportion", "expected_n": "subjects", "duration": "months", "suspended": "months"}


@dataclass(frozen=True)
class DelayedPlan:
    """The looks of BOP2 with pending responses.

    Parameters
    ----------
    delayed : Delayed
    rate : float
        Subjects counted per day with all sites open: infused, or enrolled where the endpoint is of the enrolled.
    window : float
        Days from then until a subject's response is known at the latest.
    operating : polars.DataFrame
        Of `simulate_delayed`, at the null and the target: credit for the pending against waiting.
    table : polars.DataFrame
        Of `committee_table`.
    """

    delayed: Delayed
    rate: float
    window: float
    operating: pl.DataFrame
    table: pl.DataFrame


def find_delayed(inputs: Inputs, options: tuple[Option, ...], accrual: AccrualPlan, *, seed: int = 1) -> DelayedPlan | None:
    """Return the looks of the BOP2 design while responses are awaited; None where there is no such design.

    Parameters
    ----------
    inputs : Inputs
    options : tuple of Option
    accrual : AccrualPlan
    seed : int
        Of the simulation that compares both ways of looking.

    Notes
    -----
    Of a response at a visit (`window.at`) failures show early: relapse, death or new therapy; a response counts only at the visit. Of a
    response within a window, responses show early. Early outcomes are spread evenly over the window: assumption.
    """
    from cartrial.design.bayes.committee import committee_table
    from cartrial.design.bayes.delayed import design_delayed, simulate_delayed

    complete = next((option for option in options if option.id == "bop2"), None)
    if complete is None:
        return None
    window = inputs.endpoint.window
    delayed = design_delayed(
        inputs.p0,
        inputs.p1,
        complete.staged.n,
        early="failure" if window is not None and window.at else "response",
        alpha=inputs.alpha,
        power=inputs.power,
        prior=inputs.prior,
    )
    rate = counted_rate(inputs, accrual)
    awaited = float(inputs.delay.days)
    if (inputs.goal, inputs.delay.start) == ("enrolled", "infusion"):
        awaited += accrual.infusion_days
    elif (inputs.goal, inputs.delay.start) == ("infused", "enrolment"):
        awaited = max(1.0, awaited - accrual.infusion_days)
    operating = simulate_delayed(delayed, [inputs.p0, inputs.p1], accrual=rate, window=awaited, trials=_TRIALS, seed=seed)
    return DelayedPlan(delayed, rate, awaited, operating, committee_table(delayed))


def counted_rate(inputs: Inputs, accrual: AccrualPlan) -> float:
    """Return how many subjects of the endpoint's population there are a day with all sites open, losses taken off."""
    share_in = accrual.enrolled_share if inputs.goal == "enrolled" else accrual.share
    return accrual.sites * accrual.rate * share_in / DAYS_PER_MONTH


def add_delayed(rows: Rows, plan: DelayedPlan) -> None:
    """Add the decisions with pending responses, and what both ways of looking do."""
    source = plan.delayed.source
    rows.add(
        "delayed",
        "top",
        "rate",
        plan.rate * DAYS_PER_MONTH,
        number(plan.rate * DAYS_PER_MONTH),
        unit="subjects per month",
        method="assumed",
    )
    rows.add("delayed", "top", "window", plan.window, f"{plan.window:.0f} days", unit="days", method="assumed")
    for row in plan.table.iter_rows(named=True):
        events = "any" if row["events_from"] is None else f"{row['events_from']} to {row['events_to']}"
        key = {"variant": f"early {plan.delayed.early}s: {events}", "look": row["look"], "n": row["n"]}
        rows.add("delayed", "top", "decision", row["effective"], row["sentence"], unit="effective subjects", source=source, **key)
    for row in plan.operating.iter_rows(named=True):
        for name, unit in _FIGURES.items():
            months = unit == "months"
            value, error = (row[key] / (DAYS_PER_MONTH if months else 1.0) for key in (name, f"{name}_error"))
            text = share(value) if unit == "proportion" else number(value)
            key = {"variant": row["strategy"], "truth": row["p"], "unit": unit, "method": "simulated", "source": source}
            rows.add("delayed", "top", name, value, text, error=error, **key)
