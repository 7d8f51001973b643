"""What is known beside a table of published figures? The words for endpoints, and the virtual population of each trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cartrial.study import Study
from cartrial.study.criteria.codes import RESPONSES
from cartrial.study.endpoint import POPULATIONS
from cartrial.virtual.patients.population import populations
from cartrial.yamlfile import Part, nearest, read_as, wrong

__all__ = ["FLOWS", "Group", "Known", "Reading", "Trial", "Word", "Words", "load_known", "load_published_study", "load_words"]


def _status(word: str) -> str:
    if word not in RESPONSES:
        raise wrong(f"there is no status '{word}'", right=f"Write one of: {', '.join(RESPONSES)}")
    return word


Response = Annotated[str, AfterValidator(_status)]
Flow = Literal["infused", "released", "product-failure", "lost-before-infusion"]
FLOWS: tuple[Flow, ...] = ("infused", "released", "product-failure", "lost-before-infusion")
Shares = Mapping[str, Annotated[float, Field(gt=0, le=1)]]


def _file(name: str) -> Path:
    return Path(str(resources.files("cartrial.predict") / "data" / name))


class Word(Part):
    """What a word for an endpoint means. Exactly one of `endpoint`, `toxicity`, `flow`, `why`.

    Parameters
    ----------
    also : tuple of str
        Other spellings.
    endpoint : str, optional
        Of the study file of published trials.
    response, mrd, within
        What the word changes in it.
    complete : bool
        The word says CR: what a trial counts as one is said of the trial.
    landmark : bool
        Only at one visit: at best, a better response stands in its place.
    ends : tuple of str
        The share whose time ends in such an event.
    toxicity, grade
        An adverse event of special interest and its least grade.
    flow : str, optional
        A step between enrolment and infusion.
    why : str, optional
        Why virtual trials do not record it.
    """

    also: tuple[str, ...] = ()
    endpoint: str | None = None
    response: tuple[Response, ...] = ()
    mrd: Literal["negative"] | None = None
    within: str | None = None
    complete: bool = False
    landmark: bool = False
    ends: tuple[Literal["relapse", "hsct"], ...] = ()
    toxicity: str | None = None
    grade: int = 1
    flow: Flow | None = None
    why: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Word:
        if sum(item is not None for item in (self.endpoint, self.toxicity, self.flow, self.why)) != 1:
            raise wrong("a word says exactly one of: endpoint, toxicity, flow, why")
        return self


class Words(Part):
    """All words for endpoints."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    endpoints: Mapping[str, Word]

    def find(self, word: str) -> Word | None:
        """Return what a word means, whatever its case; None for an unknown one."""
        spelt = {name.casefold(): found for name, found in self._spellings()}
        return spelt.get(" ".join(word.split()).casefold())

    def nearest(self, word: str) -> str | None:
        """Return the known word most like another one, in its own spelling."""
        near = nearest(word, [name for name, _ in self._spellings()])
        return next((name for name, found in self.endpoints.items() if near in (name, *found.also)), None) if near else None

    def _spellings(self) -> Iterator[tuple[str, Word]]:
        for name, found in self.endpoints.items():
            for spelling in (name, *found.also):
                yield spelling, found


class Group(Part):
    """What the words for a part of a trial's patients mean."""

    population: POPULATIONS
    populations: Shares = Field(default_factory=dict)


class Trial(Part):
    """Which virtual population stands for a trial, and what else must be known to read its figures.

    Parameters
    ----------
    populations : dict of str to float
        Virtual populations and the share of each. None: `why` says why.
    source : str
        Where that comes from, or `assumption`.
    reader : {"INV", "IRC"}
        Who reads where a figure does not say.
    complete : tuple of str
        What the trial counts as CR; `complete_source` says how that is known, or `assumption`.
    crs_scale : str
        Of severe cytokine release.
    follow_up : dict of str to float
        Median follow-up by cut. Unit: months.
    groups : dict of str to Group
        Parts of the patients, by the words of the table.
    calibration : tuple of str
        Names of the trial among the targets of the calibration.
    shares : tuple of str
        Trials among those targets that have patients in common with it.
    """

    populations: Shares = Field(default_factory=dict)
    why: str | None = None
    source: Annotated[str, Field(min_length=1)]
    reader: Literal["INV", "IRC"] = "INV"
    complete: tuple[Response, ...] = ("CR",)
    complete_source: str = ""
    crs_scale: str = "ASTCT"
    follow_up: Mapping[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    groups: Mapping[str, Group] = Field(default_factory=dict)
    calibration: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Trial:
        if bool(self.populations) == bool(self.why):
            raise wrong("a trial has populations, or says why none fits", "populations", right="Write one of the two")
        if (self.complete != ("CR",)) != bool(self.complete_source):
            raise wrong("what counts as CR has no source, or the source says nothing", "complete-source", right="Write both or neither")
        for shares in (self.populations, *(group.populations for group in self.groups.values())):
            unknown = [name for name in shares if name not in populations()]
            if unknown:
                right = "Known populations are: " + ", ".join(populations())
                raise wrong(f"there is no population '{unknown[0]}'", "populations", right=right)
            if shares and abs(sum(shares.values()) - 1) > 1e-9:
                raise wrong("the shares of the populations do not add up to 1", "populations", right="Write shares of all patients")
        return self


class Reading(Part):
    """Which patients a figure is of, where its row says less than its source. `of`: whom the row's n counts."""

    population: POPULATIONS
    of: POPULATIONS
    source: str


class Known(Part):
    """Everything that is known of published trials and figures beside the table itself."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    trials: Mapping[str, Trial]
    readings: Mapping[str, Reading] = Field(default_factory=dict)
    targets: Mapping[str, str] = Field(default_factory=dict)
    consulted: Mapping[str, str] = Field(default_factory=dict)


@cache
def load_words(path: Path = _file("words.yaml")) -> Words:
    """Read the words for endpoints.

    Raises
    ------
    InputError
        Naming the line and key of what is wrong.
    """
    return read_as(Words, path)[0]


@cache
def load_known(path: Path = _file("trials.yaml")) -> Known:
    """Read what is known of published trials.

    Raises
    ------
    InputError
        Naming the line and key of what is wrong.
    """
    return read_as(Known, path)[0]


@cache
def load_published_study(product: Literal["autologous", "allogeneic"] = "autologous") -> Study:
    """Return the study by which published trials are simulated: visits, criteria, main analyses.

    Parameters
    ----------
    product : {"autologous", "allogeneic"}
    """
    study = Study.load(_file("study.yaml"))
    return study.model_copy(update={"product": study.product.model_copy(update={"type": product})})
