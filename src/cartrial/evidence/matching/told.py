"""How are matched comparisons told? Balance and effective numbers stand in the same block as the estimate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cartrial.evidence.matching.external import STRENGTHS, Compared
from cartrial.evidence.matching.match import Matched

__all__ = ["compared_document", "compared_lines", "matched_document", "matched_lines"]


def _p(value: float, hidden: bool = False) -> str:
    return "" if hidden else f", p {value:.4f}" if value >= 0.0001 else ", p < 0.0001"


def matched_lines(found: Matched) -> Iterator[str]:
    """Yield a matched comparison, a line each."""
    weights = found.weights
    worth = f"{weights.effective:.1f} after matching ({100 * weights.effective / found.patients:.0f} %)"
    yield f"{found.endpoint} against {found.others}: {found.patients} patients, worth {worth}"
    largest = weights.weights.max() / weights.weights.mean()
    yield f"largest weight: {largest:.2f} times the mean"
    for name, before, after, target in weights.balance():
        yield f"  {name}: {before:.4g} before, {after:.4g} after, target {target:.4g}"
    if found.rate is not None:
        errors = f"{100 * found.rate.stacked:.2f} (stacked), {100 * found.rate.hc0:.2f} (HC0)"
        yield f"weighted rate: {100 * found.rate.rate:.2f} %, standard error {errors}"
        yield f"without weights: difference {100 * (found.unadjusted or 0):.2f} points"
        for one in found.contrasts:
            scale = 100 if one.scale == "risk difference" else 1
            numbers = f"{scale * one.estimate:.4g} ({scale * one.lower:.4g} to {scale * one.upper:.4g})"
            yield f"{one.scale}: {numbers}{_p(one.p_value, found.weak)}"
    for name, hazard in found.hazards.items():
        yield f"hazard ratio, {name}: {hazard.hazard_ratio:.4f} ({hazard.lower:.4f} to {hazard.upper:.4f}){_p(hazard.p_value, found.weak)}"
    if found.bootstrap is not None:
        low, high = found.bootstrap.limits()
        failed = f", {found.bootstrap.failed} could not be matched" if found.bootstrap.failed else ""
        what = "log hazard ratio" if found.hazards else "difference"
        yield f"bootstrap of both sides, {what}: standard error {found.bootstrap.error:.4f}, {low:.4f} to {high:.4f}{failed}"
    if found.e_value is not None:
        yield f"E-value: {found.e_value.estimate:.2f}, of the limit nearer to 1: {found.e_value.nearest:.2f}"
    if found.tip is not None:
        yield f"of those not yet assessable {found.tip} would have to be non-responders until the plain rate is not above the other"
    if found.assumed:
        yield f"Assumed: {', '.join(found.assumed)}."
    for note in found.notes:
        yield f"Note: {note}."
    for warning in found.warnings:
        yield f"Warning: {warning}."


def matched_document(found: Matched) -> dict[str, Any]:
    """Return a matched comparison as one document; p-values are null where too few effective patients are left."""
    from dataclasses import asdict

    def bare(one: Any) -> dict[str, Any]:
        held = asdict(one)
        return held | ({"p_value": None} if found.weak else {})

    return {
        "endpoint": found.endpoint,
        "others": found.others,
        "patients": found.patients,
        "effective": found.weights.effective,
        "sum_of_weights": float(found.weights.weights.sum()),
        "balance": [dict(zip(("name", "before", "after", "target"), row, strict=True)) for row in found.weights.balance()],
        "rate": None if found.rate is None else asdict(found.rate),
        "contrasts": [bare(one) for one in found.contrasts],
        "unadjusted": found.unadjusted,
        "hazards": {name: bare(one) for name, one in found.hazards.items()},
        "bootstrap": None
        if found.bootstrap is None
        else {"error": found.bootstrap.error, "limits": found.bootstrap.limits(), "failed": found.bootstrap.failed, "both": True},
        "e_value": None if found.e_value is None else asdict(found.e_value),
        "tip": found.tip,
        "assumed": found.assumed,
        "notes": found.notes,
        "warnings": found.warnings,
    }


def compared_lines(found: Compared) -> Iterator[str]:
    """Yield a comparison with an external control, a line each."""
    weights = found.weights
    whom = "the study's patients as they are" if weights.estimand == "treated" else "those who could have been in either"
    sides = zip(found.patients, ("patients", "others"), found.events, strict=True)
    own, others = (f"{count} {who} ({events} events)" for count, who, events in sides)
    yield f"{found.endpoint}: {own}, {others}"
    yield f"weighted to be like {whom}: worth {weights.effective[0]:.1f} and {weights.effective[1]:.1f}"
    for name, before, after in zip(weights.names, weights.before, weights.after, strict=True):
        yield f"  {name}: standardised difference {before:.3f} before, {after:.3f} after"
    for name, one in (("without weights", found.unadjusted), ("weighted", found.hazard)):
        yield f"hazard ratio, {name}: {one.hazard_ratio:.4f} ({one.lower:.4f} to {one.upper:.4f}, robust){_p(one.p_value)}"
    for day, (here, there) in found.survival.items():
        yield f"weighted survival on day {day:g}: {100 * here:.1f} % and {100 * there:.1f} %"
    yield f"E-value: {found.e_value.estimate:.2f}, of the limit nearer to 1: {found.e_value.nearest:.2f}"
    strengths = ", ".join(f"{strength:g}" for strength in STRENGTHS)
    yield f"what would be left of a risk ratio of {found.e_value.ratio:.3f} if a confounder with a ratio of {strengths}"
    for (of_patients, of_others), left in found.tipping:
        shares = f"{100 * of_patients:.0f} % of the patients and {100 * of_others:.0f} % of the others"
        yield f"  were in {shares}: {', '.join(f'{value:.3f}' for value in left)}"
    if found.assumed:
        yield f"Assumed: {', '.join(found.assumed)}."
    for note in found.notes:
        yield f"Note: {note}."


def compared_document(found: Compared) -> dict[str, Any]:
    """Return a comparison with an external control as one document."""
    from dataclasses import asdict

    weights = found.weights
    rows = zip(weights.names, weights.before.tolist(), weights.after.tolist(), strict=True)
    return {
        "endpoint": found.endpoint,
        "patients": found.patients,
        "events": found.events,
        "estimand": weights.estimand,
        "effective": weights.effective,
        "balance": [dict(zip(("name", "before", "after"), row, strict=True)) for row in rows],
        "unadjusted": asdict(found.unadjusted),
        "hazard": asdict(found.hazard),
        "survival": [{"day": day, "study": own, "others": other} for day, (own, other) in found.survival.items()],
        "e_value": asdict(found.e_value),
        "tipping": [{"prevalence": pair, "strengths": STRENGTHS, "left": left} for pair, left in found.tipping],
        "assumed": found.assumed,
        "notes": found.notes,
    }
