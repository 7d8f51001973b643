"""With whom is a study compared? What is printed of others, or a table of them, with every attribute of what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cartrial.evidence.registry.model import Strategy
from cartrial.evidence.registry.stated import NOT_REACHED, NOT_STATED, Printed, exact
from cartrial.yamlfile import Part, raise_all, wrong

__all__ = ["Against", "Control", "CurveOfOthers", "Target", "Timed"]

Unit = Literal["days", "weeks", "months", "years"]


class Target(Part):
    """What is printed of one characteristic of others: a mean with its standard deviation, a median, or the share of a level.

    Parameters
    ----------
    id : str
        A baseline characteristic of the study file.
    mean, sd, median : str
        As printed.
    level, share : str
        Of a characteristic in classes: the level, and how many per cent have it.
    """

    id: str
    mean: Printed | None = None
    sd: Printed | None = None
    median: Printed | None = None
    level: str | None = None
    share: Printed | None = None

    @model_validator(mode="after")
    def _one(self) -> Target:
        raise_all(self._faults())
        return self

    def _faults(self) -> Iterator[Any]:
        kinds = [self.mean is not None, self.median is not None, self.share is not None]
        if sum(kinds) != 1:
            yield wrong(f"{self.id} is not given by one of mean, median and share", right="Write one of them; another is a further entry")
        printed = {"mean": self.mean, "sd": self.sd, "median": self.median, "share": self.share}
        lost = [name for name, text in printed.items() if text in NOT_REACHED]
        for name in lost:
            yield wrong(f"the {name} of {self.id} is no number", name, right="Write it as printed, or leave the characteristic out")
        if lost:
            return
        if self.sd is not None and self.mean is None:
            yield wrong(f"{self.id} has a standard deviation without a mean", "sd", right="Write the mean, or leave it out")
        if self.sd is not None and not exact(self.sd) > 0:
            yield wrong(f"the standard deviation of {self.id} is not above 0", "sd", right="Write it as printed")
        if (self.level is None) != (self.share is None):
            yield wrong(f"{self.id} needs both a level and its share", "level", right='For example level: Y, share: "36"')
        if self.share is not None and not 0 <= exact(self.share) <= 100:
            yield wrong(f"{self.share} is no share in per cent", "share", right="Write per cent from 0 to 100")


class Timed(Part):
    """What a time to an event of others is, in the words of a study file. `not-stated` is a value; an omission is an error."""

    endpoint: Literal["OS", "EFS", "RFS", "DOR", "PFS"]
    population: str
    origin: Literal["day-0", "enrolment", "first-response", "other", "not-stated"]
    reader: Literal["IRC", "INV", "central", "mixed", "not-stated", "not-applicable"]
    strategies: dict[Literal["hsct", "new-therapy"], Strategy]
    criteria: str

    @model_validator(mode="after")
    def _whole(self) -> Timed:
        left = [event for event in ("hsct", "new-therapy") if event not in self.strategies]
        raise_all([wrong(f"the strategy for {event} is left out", "strategies", right=f"Write it, or {NOT_STATED}") for event in left])
        return self

    def attributes(self) -> dict[str, str | None]:
        """Return its attributes by the names of the gate; None where the source is silent."""
        held: dict[str, str | None] = {"endpoint": self.endpoint, "origin": self.origin, "population": self.population}
        held |= {"reader": self.reader, "criteria": self.criteria}
        held |= {str(event): str(strategy) for event, strategy in self.strategies.items()}
        return {name: None if word == NOT_STATED else word for name, word in held.items()}


class CurveOfOthers(Timed):
    """Individuals of others, reconstructed from a figure: the folder that `cartrial evidence curve` wrote, and the unit of its times."""

    folder: str
    unit: Unit


class Against(Part):
    """Others of whom numbers are printed.

    Parameters
    ----------
    source : str
        Where their characteristics were read.
    of : int
        Patients whom the characteristics describe.
    covariates : tuple of Target
    result : str, optional
        Of the registry: their response rate.
    curve : CurveOfOthers, optional
        Their survival.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")]
    source: Annotated[str, Field(min_length=1)]
    of: Annotated[int, Field(ge=2)]
    covariates: Annotated[tuple[Target, ...], Field(min_length=1)]
    result: str | None = None
    curve: CurveOfOthers | None = None

    @model_validator(mode="after")
    def _one(self) -> Against:
        if (self.result is None) == (self.curve is None):
            raise wrong("one outcome of the others is compared", "result", right="Give a result of the registry, or a curve")
        return self


class Control(Timed):
    """Others of whom every one is in a table.

    Parameters
    ----------
    source : str
    table : str
        CSV or Parquet, beside this file.
    time, event : str
        Its columns: the time, and 1 event, 0 censored.
    unit : str
        Of the times.
    covariates : dict of str to str
        Baseline characteristics of the study file with their columns.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")]
    source: Annotated[str, Field(min_length=1)]
    table: str
    time: str
    event: str
    unit: Unit
    covariates: Annotated[dict[str, str], Field(min_length=1)]
