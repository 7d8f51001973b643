"""What does the sample-size section of a protocol say? A paragraph whose numbers are rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartrial.design.protocol.rows import Rows
    from cartrial.design.protocol.study_design import StudyDesign

__all__ = ["write_paragraph"]

_KINDS = {
    "single stage": "A single-stage design",
    "two stages": "A two-stage design",
    "more looks": "A design with {} looks",
    "Bayesian": "A Bayesian design with {} looks",
}


def write_paragraph(design: StudyDesign, rows: Rows) -> str:
    """Return the sample-size section, every number the text of a row.

    Parameters
    ----------
    design : StudyDesign
    rows : Rows
        Of `design_rows`; with simulated rows, their figures too.

    Returns
    -------
    str
        Sentences, the citations in brackets at their end.
    """
    inputs, best = design.inputs, design.best

    def of(part: str, name: str, statistic: str, **key: Any) -> str:
        found = rows.find(part, name, statistic, **key)
        assert found is not None, (part, name, statistic, key)
        return found[1].text

    def said(statistic: str) -> str:
        return of("design", best.id, statistic)

    label = inputs.endpoint.label
    who = {"infused": "infused subjects", "enrolled": "enrolled subjects"}.get(
        inputs.endpoint.population, f"{inputs.endpoint.population} subjects"
    )
    words = [
        f"The primary endpoint is the {label[0].lower()}{label[1:]} ({inputs.endpoint.id}) among {who}.",
        f"The null hypothesis of a rate of at most {of('input', 'null', 'value')} is tested against a target of "
        f"{of('input', 'target', 'value')} with a one-sided type I error of at most {of('input', 'alpha', 'value')} and a power of "
        f"at least {of('input', 'power', 'value')}.",
        f"{_KINDS[best.family].format(best.staged.looks)} is planned: {best.staged.name} ({best.staged.source}).",
    ]
    looks = []
    for look, (n, low, high) in enumerate(zip(best.staged.n, best.staged.futility, best.staged.efficacy, strict=True), 1):
        at = {"look": look, "n": n}
        if look == best.staged.looks:
            break
        if low is not None:
            stop = of("boundary", best.id, "stop_if_at_most", **at)
            looks.append(f"After {n} subjects the trial stops for futility if {stop} or fewer have responded.")
        if high is not None:
            success = of("boundary", best.id, "success_if_at_least", **at)
            looks.append(f"It succeeds early if {success} or more of {n} have responded.")
    words += looks
    last = {"look": best.staged.looks, "n": best.n}
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
        words.append(f"To have {said('n')} infused with a probability of 80 %, {enrol[1].text} subjects are to be enrolled.")
    words += _simulated(design, rows)
    if any(item.assumed for item in inputs.items if item.id in ("null", "target", "alpha", "power")):
        names = {"null": "null rate", "target": "target rate", "alpha": "type I error", "power": "power"}
        open_points = [names[item.id] for item in inputs.items if item.assumed and item.id in names]
        words.append(f"[To be replaced before use, since they are assumptions: {', '.join(open_points)}.]")
    return " ".join(words)


def _simulated(design: StudyDesign, rows: Rows) -> list[str]:
    """Return what virtual trials say of the power at the target and of the type I error."""
    best, inputs = design.best, design.inputs
    accrual = "paused" if best.staged.looks > 1 else "continued"
    power = rows.find("simulation", best.id, "success", variant=accrual, truth=inputs.p1)
    error = rows.find("simulation", best.id, "success", variant=accrual, truth=inputs.p0)
    if power is None or error is None:
        return []
    return [
        f"In virtual trials with visits, readers and drop-out as planned, success had a probability of {power[1].text} where the "
        "endpoint's rate "
        f"is the target and of {error[1].text} where it is the null."
    ]
