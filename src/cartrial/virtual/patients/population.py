"""Who are the patients of a product? The biology and the populations as data, each number with its source."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from cartrial.errors import InputError
from cartrial.study.virtual import is_file_name
from cartrial.yamlfile import FARTHEST, Part, nearest, read_as, wrong

__all__ = ["Free", "Model", "Number", "Population", "load_model", "load_population", "populations"]

DATA = Path(__file__).parents[1] / "data"
Sure = Literal["high", "medium", "low"]


def _no_flag(value: Any) -> Any:
    """Refuse true and false, which are read as 1 and 0 otherwise."""
    if isinstance(value, bool):
        raise wrong("a number is expected", right="Write it as 0.5 or 28")
    return value


Positive = Annotated[float, BeforeValidator(_no_flag), Field(gt=0, le=FARTHEST)]
NotNegative = Annotated[float, BeforeValidator(_no_flag), Field(ge=0, le=FARTHEST)]
Share = Annotated[float, BeforeValidator(_no_flag), Field(ge=0, le=1)]
# of a beta distribution: beyond it the inverse is no number
Shape = Annotated[float, BeforeValidator(_no_flag), Field(ge=0.01, le=1000)]
# of a fraction of the marrow: one cell of the body is 2e-12 of it
Log10 = Annotated[float, BeforeValidator(_no_flag), Field(ge=-12, lt=0)]
# of a logarithm: with 5 one patient in forty is beyond 20,000 times the median
WIDEST = 5.0
Spread = Annotated[float, BeforeValidator(_no_flag), Field(ge=0, le=WIDEST)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


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
        if self.unit in ("probability", "correlation") and self.value > 1:
            raise wrong(f"a {self.unit} is above 1", "value", right="Give a number from 0 to 1")
        if self.unit.startswith("ln") and self.value > WIDEST:
            raise wrong("the spread is too wide", "value", right=f"Give a standard deviation of at most {WIDEST:g}")
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
    """A number of the biology that is calibrated: its prior on the scale of `transform`, and the domain in which trials differ."""

    name: str
    transform: Literal["ln", "logit", "id"]
    median: float
    sd: Positive
    meaning: str
    domain: Literal["product", "course", "kinetics", "deaths", "toxicity", "waiting", "marrow", "host"]
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
    without_fludarabine: Number | None = None


class Age(Sourced):
    """Log-normal age, cut at the ends."""

    median: Positive
    spread: Spread
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
    log10_low: Log10
    log10_high: Log10
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
    a: Shape
    b: Shape

    @model_validator(mode="after")
    def _possible(self) -> Blasts:
        if self.low + self.span > 1:
            raise wrong("more than all of the marrow would be blasts", "span", right="Give low + span of at most 1")
        return self


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
    """How the product is made, and what bridging does meanwhile: it holds growth in all, and lowers the blasts of some."""

    making_days: Number
    making_spread: Number
    shipping_days: Number
    failure: Number
    retry: Number
    failure_link: Number
    bridging: Number
    bridging_response: Number | None = None
    bridging_fall: Number | None = None
    blast_hazard: Number


class Population(Part):
    """Patients and their product."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    version: int
    id: Name
    label: Name
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
    if not is_file_name(name):
        known = list(populations())
        if str(name) not in known:
            near = nearest(str(name), known)
            hint = f"The nearest known one is '{near}'" if near else "Known populations are: " + ", ".join(known)
            hint += "" if near else "; a file of your own ends in .yaml"
            raise InputError(f"there is no population '{name}'", right=hint)
        path = DATA / f"population-{name}.yaml"
    elif path.exists() and not path.is_file():
        raise InputError("a population is a file, and this is a folder or none", file=str(path), right="Name the YAML file itself")
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
