"""Who are the virtual patients of a trial: drawn from where, screened by which bounds, failed for what, with how many blasts?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from cartrial.errors import InputError
from cartrial.virtual.trial.arrivals import accrue_trials
from cartrial.virtual.trial.choice import ORIGINS, Origin, is_builtin, judge_fit, many_left_out
from cartrial.virtual.trial.screening import ABOVE, AGE, BELOW, OTHER, by_default
from cartrial.yamlfile import Lines, Part, validate, wrong

if TYPE_CHECKING:
    from cartrial.virtual.trial.arrivals import Plan
    from cartrial.virtual.trial.settings import Number

__all__ = ["VirtualPatients", "assess_patients", "read_patients"]

LOW_BURDEN = 0.05
"""Fraction of blasts in the marrow below which disease is not morphologic."""


Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Bound(Part):
    """One end of what is asked for at screening, and who says so."""

    value: float
    unit: str
    source: str

    @property
    def default(self) -> bool:
        """Whether the settings say so, not the study file."""
        return by_default(self.source)


class Bounds(Part):
    """What is asked for at screening, both ends included."""

    age_from: Bound
    age_to: Bound
    blasts_from: Bound
    blasts_to: Bound


class VirtualPatients(Part):
    """Where virtual patients come from, and who they are.

    Parameters
    ----------
    population, label, product : str
        Its id, and who and what that is in words.
    origin : {"call", "study file", "settings", "default"}
        Who chose it.
    builtin : bool
        Whether it is one of the built-in populations.
    bounds : Bounds
    trials : int
        That were counted.
    screened, failed_age, failed_blasts_low, failed_blasts_high, failed_other, infused : int
        Subjects. Whoever fails for several reasons is counted once: by age, else by blasts, else by others.
    median_blasts, below_5 : float
        Of the infused before lymphodepletion: median fraction of blasts in the marrow, and the share that has less than 5 %.
    median_blasts_screening, below_5_screening : float
        The same at screening, which eligibility asks about.
    warning : str, optional
        That many would fail by marrow blasts.
    """

    population: str
    label: str
    product: str
    origin: Origin
    builtin: bool
    bounds: Bounds
    trials: Annotated[int, Field(ge=1)]
    screened: Count
    failed_age: Count
    failed_blasts_low: Count
    failed_blasts_high: Count
    failed_other: Count
    infused: Count
    median_blasts: Share
    below_5: Share
    median_blasts_screening: Share
    below_5_screening: Share
    warning: str | None = None

    farthest = 2**63 - 1

    @model_validator(mode="after")
    def _adds_up(self) -> VirtualPatients:
        failed = self.failed_age + self.failed_blasts + self.failed_other
        if failed + self.infused > self.screened:
            what = f"{failed} failed screening and {self.infused} were infused, of {self.screened} screened"
            raise wrong(what, "screened", right="Simulate the data again, or leave the account out")
        return self

    @property
    def failed_blasts(self) -> int:
        """Subjects who failed by too few or too many blasts."""
        return self.failed_blasts_low + self.failed_blasts_high

    def record(self) -> dict[str, Any]:
        """Return everything as `about.yaml` and JSON have it."""
        return {**self.model_dump(mode="json"), "said": dict(self.lines())}

    def choice(self) -> str:
        """Return the population and who chose it, in words."""
        who = ORIGINS[self.origin]
        if self.origin == "default":
            ages = f"{self.bounds.age_from.value:g} to {self.bounds.age_to.value:g} years"
            who = f"by default for an {self.product.split(',')[0]} product and patients of {ages}, since nothing names another"
        return f"'{self.population}' ({self.label}), {who}."

    def left_out(self) -> str | None:
        """Return that patients with few blasts are left out where nobody asked for that, as a sentence; None where it is not so."""
        bound = self.bounds.blasts_from
        if not bound.default or not self.failed_blasts_low:
            return None
        return (
            f"Patients with less than {bound.value:g} % blasts are not enrolled, since the study file does not say otherwise; "
            f"{self.failed_blasts_low} of {self.screened} screened were left out. "
            "Write `eligibility: marrow-blasts: {from: 0}` to enrol them."
        )

    def notices(self) -> Iterator[str]:
        """Yield what must be told unasked: a population by default, and patients with few blasts left out by default."""
        if self.origin == "default":
            yield f"The virtual patients are drawn from the population {self.choice()}"
        yield from (text for text in (self.warning, self.left_out()) if text is not None)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield everything in words, a label and a sentence each."""
        yield "Population", self.choice()
        yield "Product", f"{self.product}."
        yield "Age", f"{_ends(self.bounds.age_from, self.bounds.age_to)}."
        yield "Marrow blasts at screening", f"{_ends(self.bounds.blasts_from, self.bounds.blasts_to)}."
        counts = (("age", self.failed_age), ("marrow blasts", self.failed_blasts), ("other reasons", self.failed_other))
        passed = self.screened - sum(number for _, number in counts)
        of = f"{self.trials} trial{'' if self.trials == 1 else 's'}"
        failed = ", ".join(f"{number} failed by {words}" for words, number in counts)
        yield "Screening", f"Of {self.screened} screened in {of}, {failed}; {passed} were enrolled and {self.infused} infused."
        yield (
            "Blasts of the infused",
            f"Before lymphodepletion the median was {_percent(self.median_blasts)}, and {_percent(self.below_5)} had less than 5 %; at "
            f"screening it was {_percent(self.median_blasts_screening)}, and {_percent(self.below_5_screening)} had less than 5 %.",
        )
        for label, text in (("Warning", self.warning), ("Left out", self.left_out())):
            if text is not None:
                yield label, text


def _ends(low: Bound, high: Bound) -> str:
    """Return bounds in words, with where they are from."""
    unit = low.unit.removesuffix(" blasts")
    one, two = (f"by default, {end.source}" if end.default else end.source for end in (low, high))
    if one == two:
        return f"{low.value:g} to {high.value:g} {unit} ({one})"
    return f"from {low.value:g} {unit} ({one}) to {high.value:g} {unit} ({two})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def assess_patients(plan: Plan, trials: int = 1, *, first: int = 0) -> VirtualPatients:
    """Count who is screened, fails and is infused in the virtual trials of a plan, before anybody is followed.

    Parameters
    ----------
    plan : Plan
        Of `plan_study`.
    trials, first : int
        How many trials, and the number of the first.

    Returns
    -------
    VirtualPatients

    Raises
    ------
    InputError
        As `accrue_trials`; if there is no trial.

    Examples
    --------
    Each of two trials has the infused subjects that were asked for; the population is named by the settings for this study.

    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import assess_patients, plan_study
    >>> patients = assess_patients(plan_study(Study.load("inaticel"), n=20), 2)
    >>> patients.population, patients.origin, patients.infused
    ('inaticel', 'settings', 40)
    >>> patients.bounds.age_to.value, patients.bounds.age_to.source
    (65.0, 'study file: registry NCT04684147')
    """
    if trials < 1 or first < 0:
        raise InputError(f"{trials} trials from number {first} cannot be counted", key="trials", right="Give at least 1, from 0 on")
    counts, marrows = np.zeros(OTHER + 1, np.int64), []
    for start in range(first, first + trials, _AT_ONCE):
        came = accrue_trials(plan, np.arange(start, min(start + _AT_ONCE, first + trials)))
        counts += np.bincount(came.failed, minlength=len(counts))
        marrows.append(np.stack([came.marrow_later, came.marrow])[:, came.infused])
    later, screening = np.concatenate(marrows, axis=1)
    people, rules = plan.population, plan.settings.eligibility
    product = people.product
    return VirtualPatients(
        population=people.id,
        label=people.label,
        product=f"{product.source}, {product.costimulation}" + (", after lymphodepletion with alemtuzumab" if product.alemtuzumab else ""),
        origin=plan.origin,
        builtin=is_builtin(people),
        bounds=Bounds(
            age_from=_bound(rules.age_from),
            age_to=_bound(rules.age_to),
            blasts_from=_bound(rules.marrow_from),
            blasts_to=_bound(rules.marrow_to),
        ),
        trials=trials,
        screened=int(counts.sum()),
        failed_age=int(counts[AGE]),
        failed_blasts_low=int(counts[BELOW]),
        failed_blasts_high=int(counts[ABOVE]),
        failed_other=int(counts[OTHER]),
        infused=len(later),
        median_blasts=float(np.median(later)),
        below_5=float(np.mean(later < LOW_BURDEN)),
        median_blasts_screening=float(np.median(screening)),
        below_5_screening=float(np.mean(screening < LOW_BURDEN)),
        warning=many_left_out(people.id, judge_fit(people, rules).by_blasts, rules),
    )


# trials whose subjects are held at once
_AT_ONCE = 50


def _bound(number: Number) -> Bound:
    return Bound(value=number.value, unit=number.unit, source=number.source)


def read_patients(about: Mapping[str, Any], lines: Lines, file: str) -> VirtualPatients | None:
    """Return the virtual patients of an `about.yaml`; None where it says nothing of them, as those of earlier versions.

    Raises
    ------
    InputError
        Naming the line and the key of what is wrong.
    """
    said = about.get("patients")
    if said is None:
        return None
    if not isinstance(said, dict):
        right = "Simulate the data again, or leave the key out"
        raise InputError("a mapping is expected", file=file, row=lines.get(("patients",)), key="patients", right=right)
    account = {"patients": {key: value for key, value in said.items() if key != "said"}}
    return validate(_About, account, {path: line for path, line in lines.items() if path[:1] == ("patients",)}, file).patients


class _About(Part):
    """The part of an `about.yaml` that tells of the virtual patients: faults name their keys below `patients`."""

    patients: VirtualPatients
    farthest = 2**63 - 1
