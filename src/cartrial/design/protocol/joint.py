"""How many subjects judge response and toxicity together? A study's first limit of toxicity beside its response rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartrial.design.protocol.inputs import Inputs
from cartrial.design.protocol.rows import Rows, number, share
from cartrial.design.protocol.safety import label_of
from cartrial.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.bayes.bop2_joint import JointDesign
    from cartrial.design.exact.bryant_day import BryantDay
    from cartrial.study.planned import Rates

__all__ = ["ALPHA_TOXICITY", "ODDS_RATIOS", "JointPlan", "add_joint", "find_joint"]

# assumptions: how often an effective but too toxic product may succeed, and the associations that are looked at
ALPHA_TOXICITY = 0.1
ODDS_RATIOS = (0.25, 1.0, 4.0)


@dataclass(frozen=True)
class JointPlan:
    """Designs of response and toxicity together.

    Parameters
    ----------
    event, label : str
        Of the toxicity.
    limits : Rates
    two_stage : tuple of BryantDay
        Optimal and minimax, or one.
    corners : tuple of polars.DataFrame
        Of each, `estimate_corners` for `ODDS_RATIOS`.
    bop2 : JointDesign or None
    """

    event: str
    label: str
    limits: Rates
    two_stage: tuple[BryantDay, ...]
    corners: tuple[pl.DataFrame, ...]
    bop2: JointDesign | None


def find_joint(inputs: Inputs) -> tuple[JointPlan | None, tuple[tuple[str, str], ...]]:
    """Return designs of response and toxicity, None without a limit of toxicity, and what is not found with the reason.

    Parameters
    ----------
    inputs : Inputs
        The first entry of the study's `design.safety` is the toxicity.
    """
    from cartrial.design.exact.bryant_day import design_bryant_day, estimate_corners

    stated = inputs.study.design.safety if inputs.study.design else ()
    if not stated:
        return None, ()
    limits, label = stated[0], label_of(inputs.study, stated[0])
    two_stage: tuple[BryantDay, ...] = ()
    absent = []
    low, high = inputs.stage_one or (1, None)
    try:
        found = design_bryant_day(
            (inputs.p0, inputs.p1),
            (1 - limits.unacceptable, 1 - limits.acceptable),
            inputs.alpha,
            ALPHA_TOXICITY,
            1 - inputs.power,
            n_max=min(inputs.n_max, 200),
            n1_min=low,
            n1_max=None if high is None else min(high, inputs.n_max - 1),
        )
        two_stage = (found.optimal,) if found.optimal == found.minimax else (found.optimal, found.minimax)
    except InputError as error:
        absent.append((f"Response and {label} in two stages", error.what.rstrip(".") + "."))
    bop2 = _bop2(inputs, limits)
    if bop2 is None:
        absent.append((f"BOP2 of response and {label}", f"no design with up to {inputs.n_max} subjects meets the errors."))
    corners = tuple(estimate_corners(design, ODDS_RATIOS) for design in two_stage)
    return JointPlan(limits.event, label, limits, two_stage, corners, bop2), tuple(absent)


def _bop2(inputs: Inputs, limits: Rates) -> JointDesign | None:
    """Return the smallest BOP2 design of response and toxicity: at most the study's type I error wherever one of both is unacceptable."""
    from cartrial.design.bayes.bop2_joint import design_bop2_joint
    from cartrial.design.bayes.cells import cells_of
    from cartrial.design.protocol.options import sizes_of

    null, target = cells_of(inputs.p0, limits.unacceptable), cells_of(inputs.p1, limits.acceptable)
    for looks in sizes_of(inputs, (1 - limits.unacceptable, 1 - limits.acceptable)):
        try:
            found = design_bop2_joint(null, target, looks, alpha=inputs.alpha, partial_alpha=inputs.alpha, power=inputs.power)
        except InputError:
            continue
        return found
    return None


def add_joint(rows: Rows, plan: JointPlan) -> None:
    """Add the designs of response and toxicity: boundaries, and exact figures where each is acceptable or not."""
    for design, corners in zip(plan.two_stage, plan.corners, strict=True):
        key = {"variant": design.name, "source": design.source}
        rows.add("toxicity", plan.event, "n_max", design.n[-1], str(design.n[-1]), unit="subjects", **key)
        for look, row in enumerate(design.boundaries().iter_rows(named=True), 1):
            for name in ("stop_if_responders_at_most", "stop_if_toxicities_at_least"):
                rows.add("toxicity", plan.event, name, row[name], str(row[name]), look=look, n=row["n"], unit="subjects", **key)
        for row in corners.iter_rows(named=True):
            where = {
                "variant": f"{design.name}; toxicity {1 - row['safe']:g}; odds ratio {row['phi']:g}",
                "truth": row["response"],
                "source": design.source,
            }
            rows.add("toxicity", plan.event, "success", row["success"], share(row["success"]), unit="proportion", **where)
            rows.add("toxicity", plan.event, "early_stop", row["early_stop"], share(row["early_stop"]), unit="proportion", **where)
            rows.add("toxicity", plan.event, "expected_n", row["expected_n"], number(row["expected_n"]), unit="subjects", **where)
    if plan.bop2 is not None:
        _bop2_rows(rows, plan.event, plan.bop2)


def _bop2_rows(rows: Rows, event: str, design: JointDesign) -> None:
    key = {"variant": design.name, "source": design.source}
    rows.add("toxicity", event, "n_max", design.n[-1], str(design.n[-1]), unit="subjects", **key)
    cells = ("response and toxicity", "response alone", "toxicity alone", "neither")
    prior = zip((f"prior, {cell}" for cell in cells), design.prior, strict=True)
    for name, number_of in (("lambda", design.scale), ("gamma", design.exponent), *prior):
        rows.add("toxicity", event, name, number_of, f"{number_of:.9g}", **key)
    for look, (n, low, high) in enumerate(zip(design.n, design.futility, design.toxicity, strict=True), 1):
        for name, value in (("stop_if_responders_at_most", low), ("stop_if_toxicities_at_least", high)):
            text = "–" if value is None else str(value)
            rows.add("toxicity", event, name, value, text, look=look, n=n, unit="subjects", **key)
    for name, error in design.type_one.items():
        rows.add("toxicity", event, f"success, {name}", error, share(error, 2), unit="proportion", **key)
    rows.add("toxicity", event, "power", design.power, share(design.power), unit="proportion", **key)
    rows.add("toxicity", event, "expected_n_null", design.expected_null, number(design.expected_null), unit="subjects", **key)
    rows.add("toxicity", event, "expected_n_target", design.expected_target, number(design.expected_target), unit="subjects", **key)
