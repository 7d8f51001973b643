"""What may a study file say of a population model of the product's cells?"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from cartrial.yamlfile import Part, raise_all, wrong

__all__ = ["CellLimits", "CellModel", "CellTests", "ModelBounds", "Shift"]

# of a reader: what followed the infusion is no characteristic before it
_OUTCOMES = ("RESPFL", "EXPANDFL", "DTHFL", "HSCTDAY", "NEWDAY", "EOSSTT")
_SUBSTITUTED = "a limit taken as measured, half of it, or samples left out turn a slow decline into persistence that is not there"


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise wrong(f"{name} is named twice", i, right="Name it once")
    return names


CellTests = Annotated[tuple[Literal["CARTG", "CARTC"], ...], AfterValidator(_once)]
"""Measurements of the product's cells, each once."""


class CellLimits(Part):
    """Limit of quantitation of each test, in the unit of the samples: for a source that records 0, or no limit."""

    cartg: float | None = Field(default=None, alias="CARTG", gt=0)
    cartc: float | None = Field(default=None, alias="CARTC", gt=0)
    source: str = "assumption"


class ModelBounds(Part):
    """Within which limits a parameter varies; an assumption that the results print.

    Parameters
    ----------
    half_life : pair of float
        Of the contraction. Unit: days.
    """

    half_life: tuple[float, float] = (1.0, 1000.0)
    source: str = "assumption: no half-life of the contraction is shorter than a day, or a peak may be invented between two samples"

    @model_validator(mode="after")
    def _rise(self) -> ModelBounds:
        low, high = self.half_life
        if not 0 < low < high:
            raise wrong("the limits are two rising numbers of days", "half-life", right="Write [1, 1000]")
        return self


class Shift(Part):
    """A baseline characteristic that shifts a parameter."""

    on: Literal["fold", "rho", "tmax", "cmax", "alpha", "fb", "beta", "tlag"]
    of: str
    as_: Literal["number", "log"] = Field(default="number", alias="as")

    @field_validator("of")
    @classmethod
    def _before(cls, value: str) -> str:
        if value.upper() in _OUTCOMES:
            what = f"{value} is known after the infusion alone: it is no covariate of the cells that led to it"
            raise wrong(what, right="List it under describe, which says how outcome groups differ")
        return value


class CellModel(Part):
    """A population model. It is fitted by `cartrial kinetics` alone.

    Parameters
    ----------
    non_expanders : str
        `class`: subjects without a quantifiable sample may be of a class whose cells never expand; `leave-out`: they are left out.
    below : str
        `likelihood` alone: a sample below its limit counts by its probability.
    uncertainty : str
        Whence limits of parameters come: `wald`, from the information; `nuts`, from draws of the population (extra `bayes`), in minutes.
    """

    curve: Literal["stein", "mono", "rate", "lag"]
    random: Literal["diagonal", "full"] = "diagonal"
    bounds: ModelBounds | None = ModelBounds()
    non_expanders: Literal["class", "leave-out"] = "class"
    below: str = "likelihood"
    uncertainty: Literal["wald", "nuts"] = "wald"
    baseline: tuple[Shift, ...] = ()
    describe: tuple[str, ...] = ()
    seed: int = Field(default=1, ge=0)
    starts: int = Field(default=3, ge=1, le=20)
    source: str = "assumption"

    @field_validator("bounds", mode="before", json_schema_input_type=ModelBounds | Literal["none"] | None)
    @classmethod
    def _none(cls, value: Any) -> Any:
        return None if value == "none" else value

    @field_validator("below")
    @classmethod
    def _never_substituted(cls, value: Any) -> Any:
        if value != "likelihood":
            raise wrong(f"samples below a limit cannot be replaced: {_SUBSTITUTED}", right="Write below: likelihood, or leave it out")
        return value

    @model_validator(mode="after")
    def _once(self) -> CellModel:
        faults = []
        pairs = [(one.on, one.of) for one in self.baseline]
        for i, pair in enumerate(pairs):
            if pair in pairs[:i]:
                faults.append(wrong(f"{pair[1]} shifts {pair[0]} twice", "baseline", i, right="Name it once"))
        for i, name in enumerate(self.describe):
            if name in self.describe[:i]:
                faults.append(wrong(f"{name} is described twice", "describe", i, right="Name it once"))
        raise_all(faults)
        return self
