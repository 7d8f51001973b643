"""How heavy is each subject, where the study asks for it? One weight at screening (VS)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cartrial.study import Study
from cartrial.study.dosing import DoseBand
from cartrial.virtual.patients.randomness import Keys, draw_normal
from cartrial.yamlfile import Part, read_as, wrong

__all__ = ["Weights", "asks_for_weight", "draw_weights", "load_weights", "product_dose"]

# stream of random numbers
WEIGHT = 1611
Number = Annotated[float, Field(gt=0)]


class Weights(Part):
    """Medians by age and sex, and the spread of the logarithm. Units: years, kg."""

    schema_version: Literal[1] = Field(alias="schema")
    age: tuple[Number, ...] = Field(min_length=2)
    male: tuple[Number, ...]
    female: tuple[Number, ...]
    spread: Number
    source: Annotated[str, Field(min_length=1)]
    sure: Literal["high", "medium", "low"]

    @model_validator(mode="after")
    def _pairs(self) -> Weights:
        if list(self.age) != sorted(set(self.age)) or {len(self.male), len(self.female)} != {len(self.age)}:
            raise wrong("ages do not rise, or have no median each", "age", right="Give rising ages and as many medians of each sex")
        return self


@cache
def load_weights() -> Weights:
    """Return what is known of weights.

    Examples
    --------
    >>> from cartrial.virtual.trial.sent.weight import load_weights
    >>> weights = load_weights()
    >>> dict(zip(weights.age, weights.male))[10]
    32.1
    """
    return read_as(Weights, Path(__file__).parents[2] / "data" / "weights.yaml")[0]


def asks_for_weight(study: Study) -> bool:
    """Say whether a study reads a weight: for its range of doses, or as a characteristic.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.virtual.trial.sent.weight import asks_for_weight
    >>> asks_for_weight(Study.load("inaticel-children")), asks_for_weight(Study.load("inaticel"))
    (True, False)
    """
    named = any(item.from_.domain == "VS" and (item.from_.testcd or item.id).upper() == "WEIGHT" for item in study.baseline)
    return named or bool(study.product.dose_range)


def draw_weights(keys: Keys, age: NDArray[np.float64], female: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weight of some subjects, to 0.1 kg.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.virtual.patients.randomness import Keys
    >>> from cartrial.virtual.trial.sent.weight import draw_weights
    >>> keys = Keys.trials("S", 1, 1, 2001)
    >>> drawn = draw_weights(keys, np.full(2001, 10.0), np.zeros(2001, bool))
    >>> bool(31.5 < np.median(drawn) < 32.7)
    True
    """
    known = load_weights()
    median = np.where(female, np.interp(age, known.age, known.female), np.interp(age, known.age, known.male))
    return np.asarray(np.round(median * np.exp(known.spread * draw_normal(keys, WEIGHT, 1)[:, 0]), 1))


def product_dose(
    bands: Sequence[DoseBand], keys: Keys, age: NDArray[np.float64], female: NDArray[np.bool_]
) -> tuple[NDArray[np.float64] | None, str]:
    """Return the cells given by a study's range of doses, in its unit; None where the study has none.

    The middle of the range for the subject's weight, an assumption: no model here knows what makes a dose differ.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial import Study
    >>> from cartrial.virtual.patients.randomness import Keys
    >>> from cartrial.virtual.trial.sent.weight import draw_weights, product_dose
    >>> keys, age, female = Keys.trials("S", 1, 1, 3), np.full(3, 10.0), np.zeros(3, bool)
    >>> bands = Study.load("inaticel-children").product.dose_range
    >>> given, unit = product_dose(bands, keys, age, female)
    >>> bool(np.allclose(given, draw_weights(keys, age, female))), unit
    (True, '10^6 CELLS')
    """
    if not bands:
        return None, ""
    weight = draw_weights(keys, age, female)
    given = np.zeros(len(weight))
    left = np.ones(len(weight), bool)
    for band in bands:
        within = left if band.to is None else left & ((weight <= band.to) if band.boundary == "lower" else (weight < band.to))
        middle = (band.low + band.high) / 2
        given = np.where(within, middle * weight if band.dose == "per-kg" else middle, given)
        left = left & ~within
    return np.round(given / 1e6, 1), "10^6 CELLS"
