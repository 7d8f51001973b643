"""Which population does a virtual trial draw from, who says so, and does it fit the study?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError, PopulationWarning
from cartrial.study.virtual import is_file_name
from cartrial.virtual.patients.draws import draw_patients
from cartrial.virtual.patients.ensemble import load_ensemble
from cartrial.virtual.patients.population import Population, load_population, populations
from cartrial.virtual.patients.randomness import Keys
from cartrial.virtual.trial.screening import AGE, PASSED, bounds_words, screen

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.virtual.trial.settings import Eligibility, TrialSettings

__all__ = ["ORIGINS", "Fit", "Origin", "choose_population", "default_population", "is_builtin", "judge_fit", "many_left_out"]

Origin = Literal["call", "study file", "settings", "default"]
ORIGINS: dict[str, str] = {
    "call": "as asked for",
    "study file": "as the study file names it",
    "settings": "as the settings name it for this study",
    "default": "by default",
}
"""Who chose a population: the caller (an argument, or `--population`), the study file, the settings by the study's id, or nobody."""

# shares of those screened: beyond the one a population is refused, beyond the other a warning is given
MOST_BY_AGE = 0.5
MOST_BY_BLASTS = 0.2
# patients by whom the fit of a population is judged, of keys that no trial has
_SAMPLE = 2000
_NAMED = 3


@dataclass(frozen=True)
class Fit:
    """Shares of those screened who would fail by age, and by marrow blasts."""

    by_age: float
    by_blasts: float


def choose_population(study: Study, settings: TrialSettings, named: str | Path | Population | None = None) -> tuple[Population, Origin]:
    """Return the population of a study's virtual trials, and who chose it.

    Parameters
    ----------
    study : Study
    settings : TrialSettings
        Of this study: its bounds of eligibility, and the population that it names for the study's id.
    named : str, Path or Population, optional
        Stands over the study file, which stands over the settings, which stand over the default of the product's type. Of the defaults of
        a type the first is taken of which not more than half would fail by age: children where the study is of children.

    Raises
    ------
    InputError
        If there is no model of the study's disease. If the product is of another type, is costimulated by another domain than the study
        states, or more than half of those screened would fail by age; the message names the nearest populations that fit.

    Warns
    -----
    PopulationWarning
        If more than a fifth of those screened would fail by marrow blasts.
    """
    if study.disease.marrow is None:
        family = study.disease.family.name
        raise InputError(
            f"no virtual patients of {family} can be simulated (criteria {study.disease.criteria.name}): there is no model of it",
            key="disease.criteria",
            right="Exact designs (--no-simulation), check, shells and the report of data need no virtual patients",
        )
    rules = settings.eligibility
    people, origin = _chosen(study, settings, named)
    fit = judge_fit(people, rules)
    faults = _faults(study, people, fit, rules)
    if faults:
        raise InputError(
            f"'{people.id}' ({ORIGINS[origin]}) does not fit the study: {'; '.join(faults)}",
            key="virtual.population" if origin == "study file" else "population",
            right=_nearest(study, rules),
        )
    warning = many_left_out(people.id, fit.by_blasts, rules)
    if warning is not None:
        warnings.warn(warning, PopulationWarning, stacklevel=3)
    return people, origin


def many_left_out(name: str, share: float, rules: Eligibility) -> str | None:
    """Return that more than a fifth of those screened would fail by marrow blasts, as a sentence; None where it is not so."""
    if share <= MOST_BY_BLASTS:
        return None
    asked = bounds_words(rules)[1]
    return (
        f"More than a fifth of those screened, {100 * share:.0f} % of population '{name}', would fail by marrow blasts ({asked} asked for)."
    )


def is_builtin(people: Population) -> bool:
    """Say whether a population is one of the built-in ones, not a file that has its name."""
    return people.id in populations() and people == load_population(people.id)


def _chosen(study: Study, settings: TrialSettings, named: str | Path | Population | None) -> tuple[Population, Origin]:
    """Return the population that the first of those who may say names."""
    if isinstance(named, Population):
        return named, "call"
    if named is not None:
        return load_population(named), "call"
    stated = study.named_population()
    if stated is not None:
        return _stated(stated), "study file"
    if settings.population is not None:
        return load_population(settings.population), "settings"
    return default_population(study, settings), "default"


def _stated(name: str | Path) -> Population:
    """Read the population that the study file names, and say of an unknown one where it stands."""
    if is_file_name(name):
        return load_population(name)
    try:
        return load_population(name)
    except InputError as error:
        raise InputError(error.what, key="virtual.population", right=error.right) from None


def default_population(study: Study, settings: TrialSettings) -> Population:
    """Return the first default of the product's type of which not more than half would fail by age, else the first.

    Raises
    ------
    InputError
        If the settings name none for the product's type.

    Examples
    --------
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial.choice import default_population
    >>> from cartrial.virtual.trial.settings import load_trial_settings
    >>> study = Study.load("inaticel-children")
    >>> default_population(study, load_trial_settings(study)).patients.child
    True
    """
    people = [load_population(name) for name in settings.defaults]
    if not people:
        raise InputError(
            f"the settings name no population for an {study.product.type} product", key="defaults", right="Name one in the settings"
        )
    return next((one for one in people if judge_fit(one, settings.eligibility).by_age <= MOST_BY_AGE), people[0])


def _faults(study: Study, people: Population, fit: Fit, rules: Eligibility) -> list[str]:
    """Return what of a population contradicts the study, in words."""
    product, wanted = people.product, study.product
    found = []
    if product.source != wanted.type:
        found.append(f"it has an {product.source} product and the study an {wanted.type} one")
    if wanted.costimulation is not None and product.costimulation != wanted.costimulation:
        found.append(f"its product is costimulated by {product.costimulation} and the study's by {wanted.costimulation}")
    if fit.by_age > MOST_BY_AGE:
        found.append(f"{100 * fit.by_age:.0f} % of those screened would fail by age ({bounds_words(rules)[0]})")
    return found


def _nearest(study: Study, rules: Eligibility) -> str:
    """Return which built-in populations fit, those first of whom fewest would fail screening."""
    fits = {name: judge_fit(load_population(name), rules) for name in populations()}
    good = [name for name, fit in fits.items() if not _faults(study, load_population(name), fit, rules)]
    if not good:
        return "No built-in population fits; write a file of your own, or look again at what the study file says"
    good.sort(key=lambda name: fits[name].by_age + fits[name].by_blasts)
    words = [f"'{name}'" for name in good[:_NAMED]]
    return f"The nearest that fit{'s' if len(words) == 1 else ''}: {', '.join(words)}"


def judge_fit(people: Population, rules: Eligibility) -> Fit:
    """Return which shares of a population's patients would fail screening."""
    age, marrow = _sample(people)
    # one is judged by itself: nobody fails for another reason, and by blasts whoever is of any age
    never, young = np.ones(len(age)), np.full(len(age), rules.age_from.value)
    by_age = screen(age, marrow, never, rules) == AGE
    by_blasts = screen(young, marrow, never, rules) != PASSED
    return Fit(float(by_age.mean()), float(by_blasts.mean()))


@lru_cache(maxsize=32)
def _sample(people: Population) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return completed years and fraction of marrow blasts of patients of a population."""
    draws = draw_patients(people, load_ensemble(), Keys.trials("fit of a population", 1, 1, _SAMPLE))
    return np.floor(draws.covariates["age"].astype(float)), draws.covariates["marrow"].astype(float)
