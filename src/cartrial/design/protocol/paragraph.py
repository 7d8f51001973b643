"""What does the sample-size section of a protocol say? A paragraph whose numbers are rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from cartrial.design.protocol.options import OWN
from cartrial.design.protocol.rows import error_text

if TYPE_CHECKING:
    from cartrial.design.protocol.options import Option
    from cartrial.design.protocol.rows import Beside, Rows
    from cartrial.design.protocol.simulation import SimulationFacts
    from cartrial.design.protocol.study_design import StudyDesign

__all__ = ["write_paragraph"]

_KINDS = {
    "single stage": "A single-stage design",
    "two stages": "A two-stage design",
    "more looks": "A design with {} looks",
    "Bayesian": "A Bayesian design with {} looks",
}


def write_paragraph(design: StudyDesign, rows: Rows, facts: SimulationFacts | None = None) -> str:
    """Return the sample-size section, every number the text of a row.

    Parameters
    ----------
    design : StudyDesign
    rows : Rows
        Of `design_rows`; with simulated rows, their figures too.
    facts : mapping, optional
        Of `simulation_facts`, where there are simulated rows: the number of trials.

    Returns
    -------
    str
        Sentences, the citations in brackets at their end.

    Examples
    --------
    >>> from cartrial.design import design_rows, design_study, write_paragraph
    >>> from cartrial.study import Study
    >>> design = design_study(Study.load("inaticel"), n_max=20, alpha=0.2, power=0.6, virtual=False)
    >>> print(write_paragraph(design, design_rows(design)))
    The primary endpoint is the overall response rate at month 3 (ORR3): ... The null hypothesis of a rate of at most 30 % is tested against
    a target of 50 % with a one-sided type I error of at most 20 % and a power of at least 60 %. ...
    """
    inputs, best = design.inputs, design.leading

    def of(part: str, name: str, statistic: str, **key: Unpack[Beside]) -> str:
        found = rows.find(part, name, statistic, **key)
        assert found is not None, (part, name, statistic, key)
        return found[1].text

    def said(statistic: str) -> str:
        return of("design", best.id, statistic)

    label = inputs.endpoint.label
    definition = of("input", "endpoint", "definition")
    which = "The primary endpoint" if inputs.endpoint.role == "primary" else "The endpoint tested here"
    words = [
        f"{which} is the {label[0].lower()}{label[1:]} ({inputs.endpoint.id}): {definition}",
        f"The null hypothesis of a rate of at most {of('input', 'null', 'value')} is tested against a target of "
        f"{of('input', 'target', 'value')} with a one-sided type I error of at most {of('input', 'alpha', 'value')} and a power of "
        f"at least {of('input', 'power', 'value')}.",
        _planned(best),
    ]
    looks = []
    for look, (n, low, high) in enumerate(zip(best.staged.n, best.staged.futility, best.staged.efficacy, strict=True), 1):
        at: Beside = {"look": look, "n": n}
        if look == best.staged.looks:
            break
        if low is not None:
            stop = of("boundary", best.id, "stop_if_at_most", **at)
            looks.append(f"After {n} subjects the trial stops for futility if {stop} or fewer have responded.")
        if high is not None:
            success = of("boundary", best.id, "success_if_at_least", **at)
            looks.append(f"It succeeds early if {success} or more of {n} have responded.")
    words += looks
    last: Beside = {"look": best.staged.looks, "n": best.n}
    least = of("boundary", best.id, "success_if_at_least", **last)
    also = "Otherwise it goes on to" if looks else "The trial has"
    words.append(f"{also} {said('n')} subjects, and the null hypothesis is rejected if {least} or more have responded.")
    words.append(f"The exact type I error is {said('alpha')} and the exact power {said('power')}.")
    if best.staged.looks > 1:
        words.append(
            f"The expected number of subjects is {said('expected_n_null')} under the null and {said('expected_n_target')} at the "
            "target; the probability of "
            f"an early stop is {said('early_stop_null')} and {said('early_stop_target')}."
        )
    enrol = rows.find("calendar", "accrual", "to_enrol", n=best.n)
    if enrol is not None:
        words.append(
            f"To have {said('n')} infused with a probability of 80 %, {enrol[1].text} subjects are to be enrolled, as "
            f"{of('calendar', 'losses', 'manufacturing_failure')} of the enrolled have no product and {of('calendar', 'losses', 'drop')} "
            "of the others drop out, both measured on virtual subjects."
        )
    words += _simulated(design, rows, facts or {})
    words += _to_replace(design, counted=enrol is not None)
    return " ".join(words)


def _planned(best: Option) -> str:
    """Return which design is planned."""
    if best.id == OWN:
        return f"{_kind(best.staged.looks)} is planned, with boundaries {best.staged.method[0].lower()}{best.staged.method[1:]}"
    return f"{_KINDS[best.family].format(best.staged.looks)} is planned: {best.staged.name} ({best.staged.source})."


def _kind(looks: int) -> str:
    return {1: _KINDS["single stage"], 2: _KINDS["two stages"]}.get(looks, _KINDS["more looks"].format(looks))


def _simulated(design: StudyDesign, rows: Rows, facts: SimulationFacts) -> list[str]:
    """Return what virtual trials say of the power at the target and of the type I error."""
    best, inputs = design.leading, design.inputs
    accrual = "paused" if best.staged.looks > 1 else "continued"
    found = [rows.find("simulation", best.id, "success", variant=accrual, truth=truth) for truth in (inputs.p1, inputs.p0)]
    power, error = (
        None if item is None else f"{item[1].text} (standard error of the simulation {error_text(item[1])} %)" for item in found
    )
    if power is None or error is None:
        return []
    pause = ", enrolment paused at each look until all its responses are known" if best.staged.looks > 1 else ""
    return [
        f"In {facts['trials']} virtual trials for each rate, with visits, readers and drop-out as planned{pause}, success had a "
        f"probability of {power} where the endpoint's rate is the target and of {error} where it is the null."
    ]


def _to_replace(design: StudyDesign, *, counted: bool) -> list[str]:
    """Return what is to be replaced by numbers with a source, in brackets."""
    names = {"null": "null rate", "target": "target rate", "alpha": "type I error", "power": "power", "own": "number of subjects and looks"}
    assumed = [names[item.id] for item in design.inputs.items if item.assumed and item.id in names]
    if not design.inputs.delay.closed:
        assumed.append("days until a response is known")
    if not design.timing.simulated and design.timing.goal == "infused":
        assumed.append("no loss between enrolment and infusion, so that the number to enrol is missing here")
    parts = [f"since they are assumptions: {', '.join(assumed)}"] if assumed else []
    if counted:
        parts.append("since it rests on simulated losses: the number to be enrolled")
    return [f"[To be replaced before use, {'; '.join(parts)}.]"] if parts else []
