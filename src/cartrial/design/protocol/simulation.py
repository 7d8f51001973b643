"""How do a study's designs do on its own endpoint? Virtual trials under truths from the null to the target, as rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from cartrial.design.protocol.inputs import DAYS_PER_MONTH
from cartrial.design.protocol.rows import Rows, number, share
from cartrial.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.protocol.options import Option
    from cartrial.design.protocol.study_design import StudyDesign
    from cartrial.design.trials.characteristics import Characteristics

__all__ = ["SimulationFacts", "add_simulation", "contrast_name", "simulate_design", "simulated_options", "simulation_facts"]

_BESIDE = ("single-first", "bop2")
_SHARES = ("probability", "rate")


class SimulationFacts(TypedDict, total=False):
    """What is said of virtual trials beside their figures; empty without them."""

    trials: int
    truths: list[float]
    seed: int
    patients: int
    attainable: list[float]
    unshifted: float
    unshifted_error: float
    label: str


def simulated_options(design: StudyDesign) -> tuple[Option, ...]:
    """Return the designs that virtual trials go through.

    The study's own where it states one, the recommended one, the single stage and BOP2, where they meet the errors.
    """
    beside = [option for option in design.options if option.id in _BESIDE and option.meets]
    return tuple({option.id: option for option in (design.leading, design.best, *beside)}.values())


def simulate_design(
    design: StudyDesign,
    trials: int = 2000,
    *,
    truths: int = 9,
    seed: int | None = None,
    patients: int = 100_000,
    out: str | Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    processes: int = 1,
) -> Characteristics:
    """Simulate the designs of a study on its own endpoint.

    Parameters
    ----------
    design : StudyDesign
        Its `population` is that of the virtual trials.
    trials : int
        For each truth; the same subjects under all truths.
    truths : int
        From the null to the target, equally spaced.
    seed : int, optional
        That of the design without it.
    patients : int
        By whom the true rates are found, as in `find_truths`.
    out : path, optional
        Folder in which batches are kept; the same call goes on where it was interrupted.
    progress : callable, optional
        Told "calibration" or "trials", the trials done and wanted.
    workers, scheduler : optional
        As in `run_batches`; with `out`.
    processes : int
        As in `run_batches`; with `out` or without.

    Returns
    -------
    Characteristics

    Raises
    ------
    InputError
        As `simulate_characteristics`; if the study cannot be simulated.

    Examples
    --------
    Far too few trials to learn from. They run under two true rates, from the null to the target.

    >>> from cartrial.design import design_study, simulate_design
    >>> from cartrial.study import Study
    >>> design = design_study(Study.load("inaticel"), n_max=20, alpha=0.2, power=0.6, virtual=False)
    >>> found = simulate_design(design, 2, truths=2, patients=60)
    >>> found.trials, found.truths.rates
    (2, (0.3, 0.5))
    """
    from cartrial.design.trials.characteristics import simulate_characteristics
    from cartrial.virtual.trial.conduct import plan_study, with_cutoff
    from cartrial.virtual.trial.settings import load_trial_settings

    inputs = design.inputs
    if truths < 2:
        raise InputError(f"{truths} truths do not reach from the null to the target", key="truths", right="Give at least 2")
    if out is not None:
        _check_folder(out)
    seed = design.seed if seed is None else seed
    accrual = {"rate": inputs.rate, "activation": inputs.activation}
    # the last subject is followed until the response is known
    followed = load_trial_settings(inputs.study).accrual.follow_up_of_last.value
    if inputs.delay.start == "infusion" and inputs.delay.days > followed:
        accrual["follow-up-of-last"] = float(inputs.delay.days)
    changes = {"accrual": accrual}
    plan = plan_study(with_cutoff(inputs.study), n=design.leading.n, seed=seed, population=design.population, changes=changes)
    return simulate_characteristics(
        plan,
        [option.staged for option in simulated_options(design)],
        trials,
        rates=tuple(float(rate) for rate in np.round(np.linspace(inputs.p0, inputs.p1, truths), 12)),
        endpoint=inputs.endpoint.id,
        alpha=inputs.alpha,
        power=inputs.power,
        patients=patients,
        out=out,
        progress=progress,
        workers=workers,
        scheduler=scheduler,
        processes=processes,
    )


def _check_folder(out: str | Path) -> None:
    """Refuse a local folder that holds anything but the batches of a design."""
    place = Path(out)
    if "://" in str(out) or not place.exists():
        return
    if not place.is_dir() or {path.name for path in place.iterdir()} - {"calibration", "trials"}:
        raise InputError("the place holds other things than batches of a design", file=str(place), right="Name a new or empty folder")


def simulation_facts(found: Characteristics, seed: int) -> SimulationFacts:
    """Return what a page says of a simulation."""
    from cartrial.virtual import LABEL

    truths = found.truths
    return {
        "trials": found.trials,
        "truths": list(truths.rates),
        "seed": seed,
        "patients": truths.patients,
        "attainable": list(truths.attainable),
        "unshifted": truths.unshifted,
        "unshifted_error": truths.unshifted_error,
        "label": LABEL,
    }


def contrast_name(setting: str, variant: str) -> str:
    """Return the column `variant` of a comparison; blank for the main analysis."""
    return "; ".join(part for part in (setting, variant) if part)


def add_simulation(rows: Rows, design: StudyDesign, found: Characteristics) -> None:
    """Add the operating characteristics and the comparisons: each figure with the error of simulation and calibration together."""
    ids = {option.staged.name: option.id for option in simulated_options(design)}
    for row in found.frame.filter(found.frame["accrual"] != "").iter_rows(named=True):
        _row(rows, "simulation", ids[row["design"]], row["accrual"], row)
    compared: pl.DataFrame = found.frame.filter((found.frame["accrual"] == "") & (found.frame["design"] == design.leading.staged.name))
    for row in compared.iter_rows(named=True):
        _row(rows, "contrast", design.leading.id, contrast_name(row["setting"], row["variant"]), row)
    truths = found.truths
    for k, rate in enumerate(truths.rates):
        for name, value in (("attained", truths.attained[k]), ("member_sd", truths.member_sd[k])):
            error = float(truths.mc_error[k]) if name == "attained" else None
            rows.add("simulation", "truth", name, value, share(value, 2), truth=rate, error=error, unit="proportion", method="simulated")
    own: dict[str, Any] = {"error": truths.unshifted_error, "unit": "proportion", "method": "simulated"}
    rows.add("simulation", "truth", "unshifted", truths.unshifted, share(truths.unshifted), **own)


def _row(rows: Rows, part: str, name: str, variant: str, row: dict[str, Any]) -> None:
    unit, quantity = row["unit"], row["quantity"]
    scale = DAYS_PER_MONTH if unit == "days" else 1.0
    key = {
        "variant": variant,
        "truth": row["truth"],
        "look": row["look"],
        "unit": {"probability": "proportion", "rate": "proportion", "days": "months"}.get(unit, unit),
    }

    def add(statistic: str, value: float | None, *, error: float | None = None, method: str = "simulated") -> None:
        if value is None:
            rows.add(part, name, statistic, None, "–", method=method, **key)
            return
        if quantity.endswith(("bias", "difference")):
            text = number(100 * value, 2).replace("-", "−")
        else:
            text = share(value) if unit in _SHARES else number(value / scale, 0 if quantity.startswith("needed") else 1)
        rows.add(part, name, statistic, value / scale, text, error=None if error is None else error / scale, method=method, **key)

    needed = quantity.startswith("needed")
    # no error: a stop that cannot happen, or a number that is the same in every trial by construction
    add(quantity, row["value"], error=row["error"] if row["error"] or needed else None)
    if row["calibration_error"]:
        add(f"{quantity}_calibration_error", row["calibration_error"])
    if row["exact"] is not None:
        add(f"{quantity}_exact", row["exact"], method="exact")
