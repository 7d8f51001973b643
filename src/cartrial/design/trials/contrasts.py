"""What if the endpoint were defined, read or attended in another way? The same trials under other estimands, readers and visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cartrial.design.trials.interim import count_first
from cartrial.design.trials.worlds import ask, choose_endpoint, simulate_worlds
from cartrial.study.endpoint import resolve_variant

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.exact.staged import Staged
    from cartrial.design.trials.truth import Truths
    from cartrial.design.trials.worlds import Worlds
    from cartrial.study import Endpoint, Study
    from cartrial.virtual.trial.arrivals import Plan

__all__ = ["SETTINGS", "Setting", "contrast_rows", "contrast_table", "family_of", "setting_rows", "variants_of", "vary"]

_STRATEGIES = ("composite", "treatment-policy", "while-on-treatment")
_NOTES = {
    "denominator": "another population: what is lost between enrolment and infusion counts or not",
    "transplant strategy": "a difference between estimands, not an effect of transplant",
    "window": "another endpoint: a response once seen against a response still there",
    "reader": "the same endpoint by another reader",
    "reader error": "the same endpoint, readings with other errors; under no error the reader is the truth",
    "missed visits": "the same endpoint, visits missed more or less often",
    "main": "as the study defines it",
}


@dataclass(frozen=True)
class Setting:
    """Settings of the virtual trials that are multiplied.

    Parameters
    ----------
    name : str
        Blank: as assumed.
    group : str
        Group of `TrialSettings`.
    numbers : tuple of str
        Probabilities of the group.
    factor : float
    """

    name: str
    group: str
    numbers: tuple[str, ...]
    factor: float


_ERRORS = ("investigator_error", "reader_error", "adjudicator_error")
SETTINGS = (
    Setting("reader error x0", "readers", _ERRORS, 0.0),
    Setting("reader error x2", "readers", _ERRORS, 2.0),
    Setting("missed visits x0", "visits", ("missed",), 0.0),
    Setting("missed visits x2", "visits", ("missed",), 2.0),
)


def vary(plan: Plan, setting: Setting) -> Plan:
    """Return the plan with the probabilities of a setting multiplied, at most 1."""
    part = getattr(plan.settings, setting.group)
    numbers = {name: getattr(part, name) for name in setting.numbers}
    changed = {
        name: number.model_copy(update={"value": min(1.0, number.value * setting.factor), "source": "assumption"})
        for name, number in numbers.items()
    }
    return replace(plan, settings=plan.settings.model_copy(update={setting.group: part.model_copy(update=changed)}))


def variants_of(study: Study, endpoint: Endpoint) -> tuple[dict[str, Any], ...]:
    """Return the changes of an endpoint whose effect a protocol author wants to know.

    Returns
    -------
    tuple of dict
        As `sensitivity` of a study file has them: the other denominator, each other strategy for transplant that a rate can have, the
        window up to the visit in place of the one at it, and the investigator where another reader is primary.
    """
    changes: list[dict[str, Any]] = [{"population": "enrolled" if endpoint.population == "infused" else "infused"}]
    changes += [{"hsct": strategy} for strategy in _STRATEGIES if strategy != endpoint.strategies.hsct]
    if endpoint.window is not None and endpoint.window.at:
        changes.append({"window": {"within": endpoint.window.at}})
    if (endpoint.reader or study.readers.primary) != "INV":
        changes.append({"reader": "INV"})
    return tuple(changes)


def contrast_rows(worlds: Worlds, setting: str, designs: Sequence[Staged], truths: Truths) -> pl.DataFrame:
    """Return, for every trial, truth, design and variant, what a single stage of the design's last n and critical value would say.

    Returns
    -------
    polars.DataFrame
        trial, truth, variant, responders, subjects, success, design, accrual (blank), setting. `success` is null where a trial has fewer
        than n subjects of the variant's population. Subjects are the first n in the order of consent; the rate is that of
        `analysis.rates.estimate_rate`.
    """
    import polars as pl

    from cartrial.analysis.estimators.rates import estimate_rate

    trials, kinds = worlds.there.shape[0], len(worlds.names)
    frames = []
    values = np.stack([worlds.pick(worlds.value, share) for share in truths.shares])
    assessable = values >= 0
    for design in designs:
        n, critical = design.n[-1], design.efficacy[-1]
        picked = np.nonzero(count_first(assessable.reshape(-1, assessable.shape[-1]), n).reshape(assessable.shape))
        group = np.ravel_multi_index(picked[:3], values.shape[:3])
        found = estimate_rate(pl.DataFrame({"group": group, "AVAL": values[picked].astype(float)}), ["group"])
        at = np.unravel_index(found["group"].to_numpy(), (len(truths.rates), kinds, trials))
        frame = pl.DataFrame(
            {
                "trial": (worlds.first + at[2]).astype(np.int32),
                "truth": np.array(truths.rates)[at[0]],
                "variant": pl.Series(worlds.names).gather(at[1]),
                "responders": found["n"].cast(pl.Int32),
                "subjects": found["N"].cast(pl.Int32),
            }
        )
        enough = pl.when(pl.col("subjects") == n).then(pl.col("responders") >= critical)
        labels = {"design": design.name, "accrual": "", "setting": setting}
        frames.append(frame.with_columns(enough.alias("success"), *(pl.lit(value).alias(key) for key, value in labels.items())))
    return pl.concat(frames)


def setting_rows(
    plan: Plan, first: int, last: int, designs: Sequence[Staged], truths: Truths, *, threads: int | None = None
) -> list[pl.DataFrame]:
    """Return `contrast_rows` of the settings that differ from those assumed, in worlds of their own with the same patients."""
    endpoint = choose_endpoint(plan.study, truths.endpoint)
    reader = [change for change in variants_of(plan.study, endpoint) if "reader" in change]
    frames = []
    for setting in SETTINGS:
        asked = ask(vary(plan, setting), endpoint, reader if setting.group == "readers" else ())
        frames.append(
            contrast_rows(simulate_worlds(asked, first, last, shares=truths.shares, threads=threads), setting.name, designs, truths)
        )
    return frames


def family_of(setting: str, variant: str) -> str:
    """Return what is compared: denominator, transplant strategy, window, reader, reader error, missed visits, or main."""
    if setting:
        return setting.rsplit(" ", 1)[0]
    names = {"population": "denominator", "hsct": "transplant strategy", "window": "window", "reader": "reader"}
    return names.get(variant.split("=")[0].split(".")[0], "main")


def contrast_table(frame: pl.DataFrame, study: Study, design: str | None = None) -> pl.DataFrame:
    """Return the comparisons as a table to act on.

    Parameters
    ----------
    frame : polars.DataFrame
        Of `summarise`.
    study : Study
        For its endpoint in words.
    design : str, optional
        The first one without it.

    Returns
    -------
    polars.DataFrame
        One row for each comparison and truth: family, setting, variant, population, reader, window, strategies (in words), truth; then
        rate, difference (from the main analysis of the same trials), success (at the same n and critical value), needed_n (with the null
        as the study has it) and needed_n_restated (with the null restated as what the variant has when the truth is the null), each with
        its standard error (simulation and calibration) as NAME_error; and a note.

    Examples
    --------
    Two comparisons with made-up rates, in the form of `Characteristics.frame`.

    >>> import polars as pl
    >>> from cartrial.design import contrast_table
    >>> from cartrial.study import Study
    >>> same = {"endpoint": "ORR3", "design": "single", "accrual": "", "setting": "", "truth": 0.5, "quantity": "rate", "error": 0.01}
    >>> frame = pl.DataFrame([{"variant": "", "value": 0.5, **same}, {"variant": "population=enrolled", "value": 0.46, **same}])
    >>> contrast_table(frame, Study.load("inaticel")).select("family", "population", "rate").rows()
    [('main', 'infused', 0.5), ('denominator', 'enrolled', 0.46)]
    """
    import polars as pl

    from cartrial.study import strategies_text, window_text

    rows = frame.filter(pl.col("accrual") == "")
    chosen = design or str(frame["design"][0])
    rows = rows.filter(pl.col("design") == chosen)
    keys = ["setting", "variant", "truth"]
    wide = rows.pivot("quantity", index=keys, values=["value", "error"])
    quantities = ("rate", "difference", "success", "needed_n", "needed_n_restated")
    endpoint = choose_endpoint(study, str(frame["endpoint"][0]))
    variants = {"": endpoint} | {
        variant.name: variant.endpoint for variant in (resolve_variant(endpoint, change) for change in variants_of(study, endpoint))
    }
    words = []
    for setting, variant in wide.select("setting", "variant").unique(maintain_order=True).rows():
        asked = variants[variant]
        words.append(
            {
                "family": family_of(setting, variant),
                "setting": setting,
                "variant": variant,
                "population": asked.population,
                "reader": (asked.reader or study.readers.primary) if asked.read else "",
                "window": window_text(study, asked),
                "strategies": strategies_text(asked),
                "note": _NOTES[family_of(setting, variant)],
            }
        )
    figures = [
        pl.col(f"{source}_{name}").alias(name if source == "value" else f"{name}_error")
        for name in quantities
        for source in ("value", "error")
        if f"{source}_{name}" in wide.columns
    ]
    described = pl.DataFrame(words).with_row_index("place")
    return (
        wide.select(*keys, *figures)
        .join(described, on=["setting", "variant"])
        .sort("place", "truth")
        .select(
            "family",
            "setting",
            "variant",
            "population",
            "reader",
            "window",
            "strategies",
            "truth",
            *(e.meta.output_name() for e in figures),
            "note",
        )
    )
