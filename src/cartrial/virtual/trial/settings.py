"""Which numbers does a virtual trial need that no study file has? Read from `data/trial.yaml`, checked, one set for a study."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from cartrial.errors import InputError
from cartrial.yamlfile import Part, read_yaml, validate, wrong

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["Number", "TrialSettings", "load_trial_settings"]


class Number(Part):
    """A number with its unit, where it comes from, and how sure it is."""

    value: float
    unit: str
    source: str
    sure: Literal["high", "medium", "low"]


def _not_negative(number: Number) -> Number:
    if number.value < 0:
        raise wrong(f"the value {number.value:g} is negative", "value", right="Give 0 or more")
    return number


def _positive(number: Number) -> Number:
    if number.value <= 0:
        raise wrong(f"the value {number.value:g} is not above 0", "value", right="Give a number above 0")
    return number


def _share(number: Number) -> Number:
    if not 0 <= number.value <= 1:
        raise wrong(f"the value {number.value:g} is no probability", "value", right="Give a number from 0 to 1")
    return number


Rate = Annotated[Number, AfterValidator(_not_negative)]
Positive = Annotated[Number, AfterValidator(_positive)]
Share = Annotated[Number, AfterValidator(_share)]


class Accrual(Part):
    """Sites and staggered entry."""

    sites: Positive
    rate: Positive
    rate_spread: Rate
    activation: Rate
    screening: Rate
    follow_up_of_last: Rate


class Eligibility(Part):
    """Who is enrolled."""

    age_from: Rate
    age_to: Rate
    marrow_from: Rate
    marrow_to: Rate
    other_reasons: Share

    @model_validator(mode="after")
    def _possible(self) -> Eligibility:
        if self.age_from.value > self.age_to.value:
            what = f"nobody is eligible: the ages are {self.age_from.value:g} to {self.age_to.value:g} years"
            raise wrong(what, "age-to", right="Give an upper age above the lower")
        if self.marrow_from.value > min(self.marrow_to.value, 100):
            what = f"nobody is eligible: the marrow blasts are {self.marrow_from.value:g} to {self.marrow_to.value:g} %"
            raise wrong(what, "marrow-to", right="Give an upper share above the lower, at most 100 %")
        if self.other_reasons.value >= 1:
            raise wrong("nobody is eligible: other reasons exclude everyone", "other-reasons", right="Give a probability below 1")
        return self


class Treatment(Part):
    """What is done around the infusion and after it."""

    bridging: Share
    lymphodepletion_start: Positive
    lymphodepletion_days: Positive
    product_dose: Positive
    transplant_spread: Rate
    transplant_kill: Rate
    new_therapy: Share
    new_therapy_delay: Rate


class Visits(Part):
    """When subjects come, and when they do not."""

    jitter: Rate
    missed: Share
    missed_sample: Share
    contact: Positive
    last_contact: Rate
    lost: Rate
    withdrawn: Rate


class Assays(Part):
    """Errors and limits of what is measured."""

    marrow_noise: Rate
    marrow_background: Share
    marrow_inadequate: Share
    smear_cells: Positive
    count_noise: Rate
    flow_cells: Positive
    flow_events: Positive
    ngs_cells: Positive
    ngs_spread: Rate
    ngs_events: Positive
    ngs_clone: Share
    phenotype_cells: Positive
    phenotype_positive: Rate
    copies_noise: Rate
    copies_limit: Positive
    b_cell_noise: Rate
    b_cell_limit: Positive
    protein_noise: Rate
    extramedullary: Share
    screening_neutrophils: Positive
    screening_platelets: Positive
    screening_spread: Rate


class Support(Part):
    """What low counts and toxicities bring."""

    platelets_below: Rate
    platelets_every: Positive
    red_cells_below: Rate
    red_cells_every: Positive
    growth_factor_below: Rate
    growth_factor_until: Positive
    growth_factor_from: Rate
    growth_factor_days: Positive
    growth_factor_dose: Positive
    tocilizumab_dose: Positive
    dexamethasone_dose: Positive


class ReaderErrors(Part):
    """How often a reading differs from what the samples say."""

    investigator_error: Share
    reader_error: Share
    adjudicator_error: Share
    recovery_share: Share


class Survival(Part):
    """Deaths beside those of the population's clinic."""

    after_ineligible: Positive
    early_days: Positive
    transplant_death_days: Positive


class TrialSettings(Part):
    """Everything a virtual trial needs beside its study file and its population.

    Parameters
    ----------
    population : str, optional
        That of the study, by its id.
    defaults : tuple of str
        Populations of the product's type, the first of which fits the study's ages where nothing names one.
    """

    schema_version: Literal[1] = Field(alias="schema")
    population: str | None = None
    defaults: tuple[str, ...] = ()
    accrual: Accrual
    eligibility: Eligibility
    treatment: Treatment
    visits: Visits
    assays: Assays
    support: Support
    readers: ReaderErrors
    survival: Survival

    def numbers(self) -> list[tuple[str, Number]]:
        """Return every number by its place in the file."""
        found = []
        for group in type(self).model_fields:
            part = getattr(self, group)
            if isinstance(part, Part):
                found += [(f"{group}.{name}".replace("_", "-"), getattr(part, name)) for name in type(part).model_fields]
        return found


def load_trial_settings(study: Study, changes: Mapping[str, object] | None = None, path: str | Path | None = None) -> TrialSettings:
    """Return the settings of a study's virtual trials.

    Parameters
    ----------
    study : Study
        Its product's type and its id choose what differs from the defaults; its `eligibility` stands over both.
    changes : mapping, optional
        Further changes, e.g. ``{"accrual": {"rate": 0.5}}``; a bare number keeps unit and becomes an assumption.
    path : str or Path, optional
        Another file of the same form.

    Raises
    ------
    InputError
        If a number cannot be (a negative rate, no site, ages that nobody has), naming its line.
    """
    file = Path(path) if path else Path(str(resources.files("cartrial.virtual") / "data" / "trial.yaml"))
    data, lines = read_yaml(file)
    if not isinstance(data, dict):
        raise InputError("the file holds no settings", file=file.name, right="Start from the built-in data/trial.yaml")
    types, studies = data.pop("types", {}) or {}, data.pop("studies", {}) or {}
    for layer in (types.get(study.product.type), studies.get(study.study.id), _stated(study), changes):
        _merge(data, layer or {}, file.name)
    return validate(TrialSettings, data, lines, file.name)


def _stated(study: Study) -> dict[str, dict[str, dict[str, object]]]:
    """Return what the study file says of eligibility, as settings."""
    found: dict[str, dict[str, object]] = {}
    asked = study.eligibility
    for name, unit, bounds in (("age", "years", asked and asked.age), ("marrow", "% blasts", asked and asked.marrow_blasts)):
        if bounds:
            sure = "low" if "assumption" in bounds.source else "high"
            for end, value in (("from", bounds.from_), ("to", bounds.to)):
                found[f"{name}-{end}"] = {"value": value, "unit": unit, "source": f"study file: {bounds.source}", "sure": sure}
    return {"eligibility": found}


def _merge(data: dict[str, Any], layer: Mapping[str, object], file: str) -> None:
    for group, values in layer.items():
        group = group.replace("_", "-")
        if not isinstance(values, Mapping):
            data[group] = values
            continue
        if group not in data:
            raise InputError(f"'{group}' is no group of settings", file=file, right="Groups are: " + ", ".join(data))
        for name, value in values.items():
            name = name.replace("_", "-")
            if name not in data[group]:
                raise InputError(f"'{name}' is no setting of {group}", file=file, right="Settings are: " + ", ".join(data[group]))
            old = data[group][name]
            data[group][name] = value if isinstance(value, Mapping) else {**old, "value": value, "source": "assumption", "sure": "low"}
