"""Who passes screening, and who fails it for what? One rule for a trial, for the fit of a population, and for what is told of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cartrial.virtual.trial.settings import Eligibility

__all__ = ["ABOVE", "AGE", "BELOW", "OTHER", "PASSED", "bounds_words", "by_default", "screen"]

Days = NDArray[np.int64]
Floats = NDArray[np.float64]

PASSED, AGE, BELOW, ABOVE, OTHER = range(5)
"""Passed; failed by age, by too few marrow blasts, by too many, for another reason."""
STATED = "study file"


def screen(age: Floats, marrow: Floats, chance: Floats, rules: Eligibility) -> Days:
    """Return why each subject fails screening: by age, else by marrow blasts, else for another reason; `PASSED` where by none.

    Parameters
    ----------
    age : ndarray of float64, shape (subjects,)
        Completed years.
    marrow : ndarray of float64, shape (subjects,)
        Fraction of blasts at screening.
    chance : ndarray of float64, shape (subjects,)
        Between 0 and 1, of failing for another reason.
    rules : Eligibility
        Bounds, both ends included.
    """
    percent = 100 * marrow
    reasons = (
        (age < rules.age_from.value) | (age > rules.age_to.value),
        percent < rules.marrow_from.value,
        percent > rules.marrow_to.value,
        chance < rules.other_reasons.value,
    )
    return np.select(reasons, (AGE, BELOW, ABOVE, OTHER), PASSED).astype(np.int64)


def by_default(source: str) -> bool:
    """Say whether a bound is a default of the settings, not the study file's."""
    return not source.startswith(STATED)


def bounds_words(rules: Eligibility) -> tuple[str, str]:
    """Return the bounds of age and of marrow blasts in words."""
    ages = f"{rules.age_from.value:g} to {rules.age_to.value:g} years"
    return ages, f"{rules.marrow_from.value:g} to {rules.marrow_to.value:g} %"
