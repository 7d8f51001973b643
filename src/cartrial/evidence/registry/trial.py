"""What is known of one trial, of a source, of a claim, of a date? The files of the registry."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from cartrial.evidence.registry.model import Result
from cartrial.evidence.registry.stated import NoneStated, Printed
from cartrial.shown import Shown
from cartrial.yamlfile import Part, raise_all, wrong

__all__ = ["Claim", "Claims", "Cut", "FollowUp", "Mark", "Source", "Sources", "Sum", "Timeline", "Trial", "TrialFile"]

_LOCATORS = {
    "doi": r"10\.\d{4,9}/\S+",
    "pmid": r"\d{1,8}",
    "pmcid": r"PMC\d+",
    "nct": r"NCT\d{8}",
    "url": r"https?://\S+",
    "printed": r".+",
}


class FollowUp(Part):
    """Median follow-up of a cut."""

    median: Printed
    unit: Literal["days", "months", "years"]
    source: str


class Cut(Part):
    """One cut of a trial's data."""

    id: str
    date: Annotated[dt.date | None, NoneStated]
    follow_up: Annotated[FollowUp | None, NoneStated]


class Trial(Part):
    """Who was treated, with what, and whose patients are the same.

    `overlaps` names trials that share patients, or are likely to.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    name: str
    registry: str
    product: str
    type: Literal["autologous", "allogeneic", "no cells", "mixed", "not-stated"]
    costimulation: Literal["4-1BB", "CD28", "none", "mixed", "not-stated"]
    disease: str
    ages: Literal["adults", "children", "children and young adults", "infants", "mixed", "not-stated"]
    line: str
    country: str
    control: str
    overlaps: tuple[str, ...]


class Sum(Part):
    """Numbers of one trial that must add up: a total and its parts.

    Parameters
    ----------
    total : int
    parts : dict of str to int
        Each with its words.
    source : str
    """

    id: str
    what: str
    total: Annotated[int, Field(ge=1)]
    parts: dict[str, int]
    source: str


class TrialFile(Part):
    """One trial with its cuts, its sums and its results."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    trial: Trial
    cuts: Annotated[tuple[Cut, ...], Field(min_length=1)]
    sums: tuple[Sum, ...]
    results: tuple[Result, ...]

    @model_validator(mode="after")
    def _within(self) -> TrialFile:
        raise_all(self._faults())
        return self

    def _faults(self) -> Iterator[Any]:
        """Yield results that stand twice or name no cut."""
        cuts, seen = [cut.id for cut in self.cuts], set()
        for i, result in enumerate(self.results):
            if result.id in seen:
                yield wrong(f"two results have the id '{result.id}'", "results", i, "id", right="Give each result its own id")
            seen.add(result.id)
            if result.cut not in cuts:
                yield wrong(f"the trial has no cut '{result.cut}'", "results", i, "cut", right=f"Its cuts are {', '.join(cuts)}")


class Source(Part):
    """Where a number was read. `locator` says how it is found again."""

    id: str
    kind: Literal["paper", "abstract", "review", "label", "assessment", "registry", "press", "news", "web", "claim"]
    citation: Annotated[str, Field(min_length=1)]
    locator: dict[str, str]
    date: str
    language: str
    licence: str
    read: Annotated[str, Field(min_length=1)]
    retracted: Literal["no", "yes", "not-stated"]

    @field_validator("locator")
    @classmethod
    def _found_again(cls, locator: dict[str, str]) -> dict[str, str]:
        if not locator:
            raise wrong("the source has no locator", right="Give a doi, pmid, pmcid, nct, url, or `printed` with where it stands")
        for kind, text in locator.items():
            if kind not in _LOCATORS:
                raise wrong(f"no locator is called '{kind}'", kind, right=f"Known are {', '.join(_LOCATORS)}")
            if not re.fullmatch(_LOCATORS[kind], text):
                raise wrong(f"'{text}' is no {kind}", kind, right="Write it as it is registered")
        return locator


class Sources(Part):
    """Every source of the registry."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    sources: tuple[Source, ...]


class Claim(Shown, Part):
    """A statement of a text, and what the results say of it.

    Parameters
    ----------
    verdict : str
        supported; contradicted; unsupported (nothing read says so); source-only (read in the text that claims it, and nowhere else);
        not-read (its source was not opened).
    because : tuple of str
        Results by which it is judged.
    statement : str or None
        What can be computed of it, in the words of `cartrial evidence check --claim`.
    arithmetic : str
        In one line; blank where there is none.
    """

    id: str
    text: Annotated[str, Field(min_length=1)]
    source: str
    verdict: Literal["supported", "contradicted", "unsupported", "source-only", "not-read"]
    because: tuple[str, ...]
    statement: Annotated[str | None, NoneStated]
    arithmetic: str


class Claims(Part):
    """The claims that are judged by the registry."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    claims: tuple[Claim, ...]


class Mark(Part):
    """A date on the way of a product, as precisely as it was read: a year, a month or a day."""

    id: str
    what: str
    date: str
    source: str
    said_by: Literal["registry", "press", "paper", "claim"]
    precision: ClassVar[dict[int, str]] = {4: "year", 7: "month", 10: "day"}

    @field_validator("date", mode="before")
    @classmethod
    def _date(cls, value: Any) -> str:
        text = value.isoformat() if isinstance(value, dt.date) else str(value)
        try:
            dt.date.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) in (4, 7) else text)
        except ValueError:
            raise wrong("the date is no year, month or day", right="Write YYYY, YYYY-MM or YYYY-MM-DD") from None
        return text


class Timeline(Part):
    """The regulatory way of a product."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    product: str
    marks: tuple[Mark, ...]
