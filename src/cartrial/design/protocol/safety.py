"""When has the product of a study harmed too many? Its limits of toxicity as stopping boundaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartrial.design.protocol.inputs import Inputs
from cartrial.design.protocol.rows import Rows, number, share
from cartrial.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.bayes.safety import SafetyRule
    from cartrial.study import Study
    from cartrial.study.planned import Rates

__all__ = ["FALSE_STOP", "FIRST_LOOK", "SafetyPlan", "add_safety", "find_safety", "label_of", "steps_of"]

# assumptions: how often a trial of an acceptable product may stop, and the subjects at the first look
FALSE_STOP, FIRST_LOOK = 0.1, 3


@dataclass(frozen=True)
class SafetyPlan:
    """The stopping rules for one event.

    Parameters
    ----------
    id : str
        Event of the study's `design.safety`.
    label : str
        In words.
    limits : Rates
    rules : tuple of SafetyRule
    operating : tuple of polars.DataFrame
        Of each rule, at the acceptable and the unacceptable rate.
    """

    id: str
    label: str
    limits: Rates
    rules: tuple[SafetyRule, ...]
    operating: tuple[pl.DataFrame, ...]


def find_safety(inputs: Inputs, subjects: int) -> tuple[tuple[SafetyPlan, ...], tuple[tuple[str, str], ...]]:
    """Return the stopping rules for every event with limits, and those not found with the reason.

    Parameters
    ----------
    inputs : Inputs
    subjects : int
        Most subjects of the trial.
    """
    from cartrial.design.bayes.monitoring import looks_after
    from cartrial.design.bayes.safety import design_safety_bayes, design_safety_exact, operate_safety

    plan = inputs.study.design
    found, absent = [], []
    looks = looks_after(min(FIRST_LOOK, subjects), subjects)
    for limits in plan.safety if plan else ():
        label = label_of(inputs.study, limits)
        try:
            rules = (
                design_safety_bayes(looks, limits.acceptable, false_stop=FALSE_STOP, event=label),
                design_safety_exact(looks, limits.acceptable, false_stop=FALSE_STOP, shape="pocock", event=label),
            )
        except InputError as error:
            absent.append((f"Boundary for {label}", error.what.rstrip(".") + "."))
            continue
        rates = [limits.acceptable, limits.unacceptable]
        found.append(SafetyPlan(limits.event, label, limits, rules, tuple(operate_safety(rule, rates) for rule in rules)))
    return tuple(found), tuple(absent)


def steps_of(rule: SafetyRule) -> list[tuple[int, int]]:
    """Return for each number of events that stops the most subjects among whom it does."""
    most: dict[int, int] = {}
    for n, stop in zip(rule.n, rule.stop, strict=True):
        if stop is not None:
            most[stop] = n
    return sorted(most.items())


def label_of(study: Study, limits: Rates) -> str:
    """Return an event with limits in words."""
    special = next((item for item in study.safety.special if item.id == limits.event), None)
    if special is None:
        return "treatment-related death"
    name = special.label[0].lower() + special.label[1:]
    return f"{name} of grade {limits.grade_from}{' or more' if limits.grade_from < 5 else ''}"


def add_safety(rows: Rows, plans: tuple[SafetyPlan, ...]) -> None:
    """Add the stopping rules for toxicity: boundaries by look, and exact figures at both rates."""
    for plan in plans:
        limits = plan.limits
        method = "assumed" if "assumption" in limits.source.lower() else "stated"
        for name in ("acceptable", "unacceptable"):
            value = getattr(limits, name)
            rows.add("safety", plan.id, name, value, share(value), unit="proportion", method=method, source=limits.source)
        for rule, table in zip(plan.rules, plan.operating, strict=True):
            for look, (n, stop) in enumerate(zip(rule.n, rule.stop, strict=True), 1):
                text = "–" if stop is None else str(stop)
                rows.add(
                    "safety", plan.id, "stop_if_at_least", stop, text, variant=rule.name, look=look, n=n, unit="events", source=rule.source
                )
            for events, most in steps_of(rule):
                key = {"variant": f"{rule.name}, {events} events", "unit": "subjects", "source": rule.source}
                rows.add("safety", plan.id, "stop_up_to", most, str(most), **key)
            for found in table.iter_rows(named=True):
                for name, unit in (("stop", "proportion"), ("expected_n", "subjects"), ("expected_events", "events")):
                    text = share(found[name]) if unit == "proportion" else number(found[name])
                    rows.add("safety", plan.id, name, found[name], text, variant=rule.name, truth=found["rate"], unit=unit)
