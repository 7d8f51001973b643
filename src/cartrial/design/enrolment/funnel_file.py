"""What share of patients passes each step from leukaemia to the infusion, and who says so? The file of the funnel, checked."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cartrial.errors import InputError
from cartrial.evidence import load_evidence
from cartrial.evidence.registry.stated import exact
from cartrial.yamlfile import Part, read_as, wrong

__all__ = ["FunnelFile", "Share", "Step", "load_funnel"]

Floats = NDArray[np.float64]
# of a normal distribution, between the 10 % and the 90 % quantile
_RANGE = 2 * 1.2815515655446004


def _published(data: dict[str, Any]) -> dict[str, Any]:
    """Return a share with the number of the result that it names: its count where that is printed, otherwise its percentage."""
    try:
        one = load_evidence().find(data["result"])[1]
    except InputError as error:
        raise wrong(error.what, "result", right=error.right) from None
    given = {"value", "events", "of"} & set(data)
    if given:
        raise wrong(f"the number of {one.id} stands in the registry of evidence", min(given), right="Leave it out here")
    if one.count is not None and one.of is not None:
        return data | {"events": one.count, "of": one.of}
    if one.value is None or one.unit != "%":
        raise wrong(f"{one.id} is no share", "result", right="Name a share")
    return data | {"value": float(exact(one.value.text) / 100)}


class Share(Part):
    """What part of a step reaches the next: counted, or a value with an 80 % range; `result`: as the registry of evidence has it."""

    result: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    events: int | None = None
    of: int | None = None
    label: str | None = None
    source: str = "assumption"

    @model_validator(mode="before")
    @classmethod
    def _held(cls, data: Any) -> Any:
        return _published(data) if isinstance(data, dict) and isinstance(data.get("result"), str) else data

    @model_validator(mode="after")
    def _possible(self) -> Share:
        if (self.value is None) == (self.events is None and self.of is None):
            raise wrong("the share is not given by one fact", right="Give value, low and high; or events and of")
        if self.value is not None:
            low = self.value if self.low is None else self.low
            high = self.value if self.high is None else self.high
            if not 0 <= low <= self.value <= high <= 1:
                raise wrong(
                    f"the share {self.value:g} ({low:g} to {high:g}) cannot be", "value", right="Give 0 <= low <= value <= high <= 1"
                )
            if ((high - low) / _RANGE) ** 2 >= self.value * (1 - self.value) and high > low:
                raise wrong(f"a range from {low:g} to {high:g} is too wide for {self.value:g}", "low", right="Give a narrower one")
        elif self.events is None or self.of is None or not 0 <= self.events <= self.of or self.of < 1:
            raise wrong(f"{self.events} of {self.of} cannot be a share", "events", right="Give 0 <= events <= of, and of at least 1")
        return self

    @property
    def mean(self) -> float:
        """Its expectation: what the source says, unless all or none of a count are in it."""
        if self.value is not None:
            return self.value
        a, b = self.beta or (1.0, 0.0)
        return a / (a + b)

    @property
    def beta(self) -> tuple[float, float] | None:
        """Parameters of the beta distribution of the share; None: known."""
        if self.events is not None and self.of is not None:
            # a prior of no weight keeps the mean; it does not exist where all or none are counted, and Jeffreys' takes its place
            more = 0.0 if 0 < self.events < self.of else 0.5
            return self.events + more, self.of - self.events + more
        mean = float(self.value or 0.0)
        spread = ((mean if self.high is None else self.high) - (mean if self.low is None else self.low)) / _RANGE
        if spread <= 0:
            return None
        size = mean * (1 - mean) / spread**2 - 1
        return mean * size, (1 - mean) * size

    def draw(self, u: Floats) -> Floats:
        """Return shares of uniform numbers, by the inverse of the distribution."""
        from scipy.special import betaincinv

        return np.full(len(u), self.mean) if self.beta is None else np.asarray(betaincinv(*self.beta, u))


class Step(Share):
    """One step of the funnel, with other sources of its share."""

    id: str
    label: str
    choices: dict[str, Share] = Field(default_factory=dict)


class Start(Part):
    """Where the funnel starts."""

    id: str
    label: str


class FunnelFile(Part):
    """The funnel's file."""

    schema_version: Literal[1] = Field(alias="schema")
    start: Start
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _once(self) -> FunnelFile:
        names = [self.start.id, *(step.id for step in self.steps)]
        for position, name in enumerate(names[1:]):
            if name in names[: position + 1]:
                raise wrong(f"the step '{name}' stands twice", "steps", position, "id", right="Give each step its own name")
        return self


def load_funnel(path: str | Path | None = None) -> FunnelFile:
    """Return the funnel of a file; the built-in one without a path.

    Raises
    ------
    InputError
        Naming file and line, if a share is not between 0 and 1 or a range does not hold its value.
    """
    if path is None:
        return _builtin()
    return read_as(FunnelFile, Path(path))[0]


@cache
def _builtin() -> FunnelFile:
    path = Path(str(resources.files("cartrial.design.enrolment") / "data" / "funnel.yaml"))
    return read_as(FunnelFile, path)[0]
