"""Who are the patients of a product? The biology and the populations as data, each number with its source."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cartrial.errors import InputError
from cartrial.yamlfile import Part, nearest, read_as, wrong

__all__ = ["Free", "Model", "Number", "Population", "load_model", "load_population", "populations"]

DATA = Path(__file__).parents[1] / "data"
Sure = Literal["high", "medium", "low"]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Sourced(Part):
    """A number's unit, source and how sure it is."""

    unit: str
    source: Annotated[str, Field(min_length=1)]
    sure: Sure


class Number(Sourced):
    """A number of a population; none of them can be negative."""

    value: NotNegative

    @model_validator(mode="after")
    def _possible(self) -> Number:
        if self.unit == "probability" and self.value > 1:
            raise wrong("a probability is above 1", "value", right="Give a number from 0 to 1")
        return self


class Fixed(Sourced):
    """A number of the biology that is not calibrated. Rates are not negative; logarithms may be."""

    name: str
    value: float
    meaning: str

    @model_validator(mode="after")
    def _possible(self) -> Fixed:
        if self.value < 0 and not self.unit.startswith(("log", "ln")):
            raise wrong(f"'{self.name}' is negative, in {self.unit}", "value", right="Give a rate, share or concentration of 0 or more")
        return self


class Free(Sourced):
    """A number of the biology that is calibrated: its prior on the scale of `transform`."""

    name: str
    transform: Literal["ln", "logit", "id"]
    median: float
    sd: Positive
    meaning: str
    identified_by: str

    @model_validator(mode="after")
    def _possible(self) -> Free:
        if self.transform == "ln" and self.median <= 0:
            raise wrong(f"'{self.name}' is not positive", "median", right="Give a median above 0")
        if self.transform == "logit" and not 0 < self.median < 1:
            raise wrong(f"'{self.name}' is no probability between 0 and 1", "median", right="Give a median between 0 and 1")
        return self


class Model(Part):
    """The biology shared by all populations."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    version: int
    free: tuple[Free, ...]
    fixed: tuple[Fixed, ...]
    equations: tuple[Fixed, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the calibrated parameters, in their order."""
        return tuple(free.name for free in self.free)

    @property
    def prior(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the prior on the transformed scale, each of shape (parameters,)."""
        scale: dict[str, Callable[[float], float]] = {"ln": np.log, "logit": lambda p: np.log(p / (1 - p)), "id": float}
        return np.array([scale[free.transform](free.median) for free in self.free]), np.array([free.sd for free in self.free])

    def natural(self, values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return parameters by name on their natural scale, from the transformed scale, shape (..., parameters)."""
        scale: dict[str, Callable[[Any], Any]] = {"ln": np.exp, "logit": lambda x: 1 / (1 + np.exp(-x)), "id": np.array}
        return {free.name: scale[free.transform](values[..., i]) for i, free in enumerate(self.free)}

    @property
    def constants(self) -> dict[str, float]:
        """Numbers that are not calibrated, by name."""
        return {fixed.name: fixed.value for fixed in self.fixed}


class Product(Part):
    """What is infused, and after which lymphodepletion."""

    source: Literal["autologous", "allogeneic"]
    costimulation: Literal["4-1BB", "CD28"]
    alemtuzumab: bool
    poor: Literal["child", "adult", "donor"]


class Age(Sourced):
    """Log-normal age, cut at the ends."""

    median: Positive
    spread: NotNegative
    low: NotNegative
    high: Positive

    @model_validator(mode="after")
    def _possible(self) -> Age:
        if not self.low <= self.median <= self.high:
            raise wrong("no patient can be eligible: the median age is not between the ends", "median", right="Give low <= median <= high")
        return self


class MrdLevel(Sourced):
    """Share of patients with less than 5 % blasts, and their range, uniform in log10."""

    share: Share
    log10_low: float
    log10_high: Annotated[float, Field(lt=0)]
    must_clear: bool

    @model_validator(mode="after")
    def _possible(self) -> MrdLevel:
        if self.log10_low >= self.log10_high:
            raise wrong("the range of blasts is empty", "log10-low", right="Give log10-low below log10-high")
        return self


class Blasts(Sourced):
    """Marrow blasts of the other patients: low + span x Beta(a, b), a fraction."""

    low: Share
    span: Share
    a: Positive
    b: Positive


class Patients(Part):
    """Who they are."""

    child: bool
    age: Age
    mrd_level: MrdLevel
    blasts: Blasts
    prior_transplant: Number


class Clinic(Part):
    """What becomes of them outside the equations."""

    transplant: Number
    transplant_day: Number
    transplant_death: Number
    early_death: Number
    other_death: Number
    gvhd: Number | None = None


class SupplyNumbers(Part):
    """How the product is made."""

    making_days: Number
    making_spread: Number
    shipping_days: Number
    failure: Number
    retry: Number
    failure_link: Number
    bridging: Number
    blast_hazard: Number


class Population(Part):
    """Patients and their product."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    version: int
    id: str
    label: str
    product: Product
    patients: Patients
    clinic: Clinic
    supply: SupplyNumbers

    def with_patients(self, other: Population) -> Population:
        """Return this product for the patients of another population."""
        return self.model_copy(update={"patients": other.patients})


def populations() -> tuple[str, ...]:
    """Return the names of the built-in populations."""
    return tuple(sorted(path.stem.removeprefix("population-") for path in DATA.glob("population-*.yaml")))


def load_population(name: str | Path) -> Population:
    """Read a population: a built-in name or a YAML file.

    Raises
    ------
    InputError
        For an unknown name, or naming the line and key of what is wrong in the file.

    Examples
    --------
    >>> from cartrial.virtual import load_population
    >>> population = load_population("inaticel")
    >>> population.product.source, population.product.costimulation
    ('autologous', '4-1BB')
    >>> load_population("inaticell")
    Traceback (most recent call last):
        ...
    cartrial.errors.InputError: there is no population 'inaticell'. The nearest known one is 'inaticel'.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        known = list(populations())
        if str(name) not in known:
            near = nearest(str(name), known)
            hint = f"The nearest known one is '{near}'" if near else "Known populations are: " + ", ".join(known)
            raise InputError(f"there is no population '{name}'", right=hint)
        path = DATA / f"population-{name}.yaml"
    return read_as(Population, path)[0]


@cache
def load_model(path: Path = DATA / "model.yaml") -> Model:
    """Read the biology shared by all populations.

    Raises
    ------
    InputError
        Naming the line and key of what is wrong.
    """
    return read_as(Model, path)[0]
