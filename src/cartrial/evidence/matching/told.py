"""How are matched comparisons told? Balance and effective numbers stand in the same block as the estimate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from cartrial.analysis.estimators.weighted.bias import EValue
from cartrial.analysis.estimators.weighted.hazard import WeightedHazard
from cartrial.analysis.estimators.weighted.rates import Contrast
from cartrial.evidence.matching.external import STRENGTHS, Compared
from cartrial.evidence.matching.match import Matched

__all__ = ["compared_document", "compared_lines", "matched_document", "matched_lines"]


def _p(value: float) -> str:
    return f", p {value:.4f}" if value >= 0.0001 else ", p < 0.0001"


def _told(one: Contrast | WeightedHazard, value: float, form: str, hidden: bool, scale: float = 1, robust: str = "") -> str:
    """Return an estimate with limits and p-value, or alone where these are hidden or cannot be."""
    if hidden or not math.isfinite(one.lower):
        return f"{scale * value:{form}}, no limits"
    return f"{scale * value:{form}} ({scale * one.lower:{form}} to {scale * one.upper:{form}}{robust}){_p(one.p_value)}"


def _e_value(found: EValue, hidden: bool) -> str:
    return f"E-value: {found.estimate:.2f}" + ("" if hidden else f", of the limit nearer to 1: {found.nearest:.2f}")


def _bare(one: Any, hidden: bool) -> dict[str, Any]:
    """Return it as a document; without limits, p-value and errors where these are hidden."""
    held = asdict(one)
    gone = {"lower", "upper", "p_value", "nearest", "robust_error", "naive_error", "stacked", "hc0", "hc3"}
    return {name: None if hidden and name in gone else value for name, value in held.items()}


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
        errors = f", standard error {100 * found.rate.stacked:.2f} (stacked), {100 * found.rate.hc0:.2f} (HC0)"
        sure = not found.weak and math.isfinite(found.rate.hc0)
        yield f"weighted rate: {100 * found.rate.rate:.2f} %{errors if sure else ''}"
        yield f"without weights: difference {100 * (found.unadjusted or 0):.2f} points"
        for one in found.contrasts:
            scale = 100 if one.scale == "risk difference" else 1
            yield f"{one.scale}: {_told(one, one.estimate, '.4g', found.weak, scale)}"
    for name, hazard in found.hazards.items():
        yield f"hazard ratio, {name}: {_told(hazard, hazard.hazard_ratio, '.4f', found.weak and name != 'unadjusted')}"
    if found.bootstrap is not None:
        low, high = found.bootstrap.limits()
        limits = "" if found.weak else f", {low:.4f} to {high:.4f}"
        failed = f", {found.bootstrap.failed} could not be matched" if found.bootstrap.failed else ""
        what = "log hazard ratio" if found.hazards else "difference"
        yield f"bootstrap of both sides, {what}: standard error {found.bootstrap.error:.4f}{limits}{failed}"
    if found.e_value is not None:
        yield _e_value(found.e_value, found.weak)
    if found.tip == 0:
        yield "the plain rate is not above the other, whatever becomes of those not yet assessable"
    elif found.tip is not None:
        yield f"of those not yet assessable {found.tip} would have to be non-responders until the plain rate is not above the other"
    if found.assumed:
        yield f"Assumed: {', '.join(found.assumed)}."
    for note in found.notes:
        yield f"Note: {note}."
    for warning in found.warnings:
        yield f"Warning: {warning}."


def matched_document(found: Matched) -> dict[str, Any]:
    """Return a matched comparison as one document; limits and p-values are null where too few effective patients are left."""
    return {
        "endpoint": found.endpoint,
        "others": found.others,
        "patients": found.patients,
        "effective": found.weights.effective,
        "sum_of_weights": float(found.weights.weights.sum()),
        "balance": [dict(zip(("name", "before", "after", "target"), row, strict=True)) for row in found.weights.balance()],
        "rate": None if found.rate is None else _bare(found.rate, found.weak),
        "contrasts": [_bare(one, found.weak) for one in found.contrasts],
        "unadjusted": found.unadjusted,
        "hazards": {name: _bare(one, found.weak and name != "unadjusted") for name, one in found.hazards.items()},
        "bootstrap": None
        if found.bootstrap is None
        else {
            "error": found.bootstrap.error,
            "limits": None if found.weak else found.bootstrap.limits(),
            "failed": found.bootstrap.failed,
            "both": True,
        },
        "e_value": None if found.e_value is None else _bare(found.e_value, found.weak),
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
        hidden = found.weak and one is found.hazard
        yield f"hazard ratio, {name}: {_told(one, one.hazard_ratio, '.4f', hidden, robust=', robust')}"
    for day, (here, there) in found.survival.items():
        yield f"weighted survival on day {day:g}: {100 * here:.1f} % and {100 * there:.1f} %"
    yield _e_value(found.e_value, found.weak)
    strengths = ", ".join(f"{strength:g}" for strength in STRENGTHS)
    yield f"what would be left of a risk ratio of {found.e_value.ratio:.3f} if a confounder with a ratio of {strengths}"
    for (of_patients, of_others), left in found.tipping:
        shares = f"{100 * of_patients:.0f} % of the patients and {100 * of_others:.0f} % of the others"
        yield f"  were in {shares}: {', '.join(f'{value:.3f}' for value in left)}"
    if found.assumed:
        yield f"Assumed: {', '.join(found.assumed)}."
    for note in found.notes:
        yield f"Note: {note}."
    for warning in found.warnings:
        yield f"Warning: {warning}."


def compared_document(found: Compared) -> dict[str, Any]:
    """Return a comparison with an external control as one document; limits and p-values are null where too few are left."""
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
        "hazard": _bare(found.hazard, found.weak),
        "survival": [{"day": day, "study": own, "others": other} for day, (own, other) in found.survival.items()],
        "e_value": _bare(found.e_value, found.weak),
        "tipping": [{"prevalence": pair, "strengths": STRENGTHS, "left": left} for pair, left in found.tipping],
        "assumed": found.assumed,
        "notes": found.notes,
        "warnings": found.warnings,
    }
