"""What has been published about such patients? The registry of results that the model is fitted to, or held against."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cartrial.virtual.calibration.published import published_numbers
from cartrial.virtual.patients.population import DATA, Sure, populations
from cartrial.yamlfile import Part, read_as, wrong

__all__ = ["Registry", "Target", "load_evaluation", "load_targets"]

_Z95 = 1.959963984540054


class Band(Part):
    """Marrow blasts before lymphodepletion, a fraction: from this, below that."""

    from_: Annotated[float, Field(alias="from", ge=0, le=1)] = 0.0
    to: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _possible(self) -> Band:
        if self.from_ >= self.to:
            raise wrong(f"no patient has {self.from_:g} to {self.to:g} blasts", "to", right="Give fractions of the marrow, from < to")
        return self


class Target(Part):
    """One published result, of all patients or of those of a band of blasts before lymphodepletion.

    Counts `n` of `of`, with the exact (Clopper-Pearson) interval; or a `value` with its published 95 % `interval`. Where the published
    upper limit was not reached, `upper-reached` is false and the interval's upper end is an assumption.

    A number of the registry of evidence stands there alone: `result` names it, and `n`, `of`, `value` and `interval` come from it. What
    it leaves open (a count that several percentages print, limits that were not read) stands here, and `derived` says by what rule. A
    number that is none of the registry says under `own` why.
    """

    id: str
    trial: str
    populations: dict[str, float]
    measure: str
    result: str | None = None
    own: str = ""
    derived: str = ""
    blasts: Band | None = None
    at: float = 0.0
    n: int | None = None
    of: int | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    upper_reached: bool = True
    scale: Literal["share", "ln"]
    use: Literal["fit", "consulted", "held-out"]
    weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    source: Annotated[str, Field(min_length=1)]
    sure: Sure
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _held(cls, data: Any) -> Any:
        return published_numbers(data) if isinstance(data, dict) and isinstance(data.get("result"), str) else data

    @model_validator(mode="after")
    def _possible(self) -> Target:
        if (self.result is None) == (not self.own):
            right = "Name the `result`, or say under `own` why its number stands here alone"
            raise wrong(f"'{self.id}' says neither or both of where its number stands", "result", right=right)
        counted = self.n is not None and self.of is not None
        if counted == (self.value is not None and self.interval is not None):
            raise wrong(f"'{self.id}' needs counts or a value with its interval", right="Give n and of, or value and interval")
        if counted and not 0 <= self.n <= self.of:  # type: ignore[operator]
            raise wrong(f"'{self.id}' counts {self.n} of {self.of}", "n", right="Give 0 <= n <= of")
        unknown = [name for name in self.populations if name not in populations()]
        if unknown:
            raise wrong(f"there is no population '{unknown[0]}'", "populations", right="Known populations are: " + ", ".join(populations()))
        if not counted and not self.interval[0] < self.value < self.interval[1]:  # type: ignore[index,operator]
            raise wrong(f"the value of '{self.id}' is not inside its interval", "value", right="Give lower < value < upper")
        return self

    @property
    def published(self) -> tuple[float, float, float]:
        """Value and the ends of its 95 % interval, on the natural scale."""
        if self.n is not None and self.of is not None:
            from scipy.special import betaincinv

            n, of = self.n, self.of
            low = float(betaincinv(n, of - n + 1, 0.025)) if n else 0.0
            high = float(betaincinv(n + 1, of - n, 0.975)) if n < of else 1.0
            return n / of, low, high
        assert self.value is not None and self.interval is not None
        return self.value, *self.interval

    def compare(self, natural: float) -> float:
        """Return a value on the scale on which it is compared."""
        return math.log(max(natural, 1e-9)) if self.scale == "ln" else natural

    @property
    def compared(self) -> tuple[float, float]:
        """Value and standard deviation on the scale of comparison: width of the interval over 3.92."""
        value, low, high = (self.compare(x) for x in self.published)
        return value, (high - low) / (2 * _Z95)


class Registry(Part):
    """All published results."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    version: int
    targets: tuple[Target, ...]

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Which targets are used in the fit, shape (targets,)."""
        return np.array([target.use == "fit" for target in self.targets])

    @property
    def trials(self) -> tuple[str, ...]:
        """Trials with a fitted target, in their order."""
        return tuple(dict.fromkeys(target.trial for target in self.targets if target.use == "fit"))


@cache
def load_targets(path: Path = DATA / "targets.yaml") -> Registry:
    """Read the registry of published results.

    Raises
    ------
    InputError
        Naming the line and key of what is wrong.

    Examples
    --------
    A response at month 3 in 34 of 48 patients, with its exact interval as R's `binom.test(34, 48)` has it.

    >>> from cartrial.virtual import load_targets
    >>> target = next(target for target in load_targets().targets if target.id == "inaticel-orr-at-3")
    >>> target.n, target.of, [round(value, 3) for value in target.published]
    (34, 48, [0.708, 0.559, 0.83])
    """
    return read_as(Registry, path)[0]


@cache
def load_evaluation(path: Path = DATA / "evaluation.csv") -> dict[tuple[str, str], tuple[str, str]]:
    """Return the published results that are for evaluation alone: none of them is ever fitted.

    The list was committed before the calibration that it judges. Nothing in it moves into the fit afterwards.

    Returns
    -------
    dict of tuple of (str, str) to tuple of (str, str)
        By the list in which a result stands (`targets`, or the `registry` of published results) and its id there: its trial, and why
        it is left out.

    Examples
    --------
    >>> from cartrial.virtual.calibration.targets import load_evaluation
    >>> load_evaluation()["targets", "inaticel-os-24"]
    ('inati-cel', 'held out since the first calibration')
    """
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["list"], row["id"]): (row["trial"], row["why"]) for row in csv.DictReader(file)}
