"""What does the protocol say of the trial's tests, its size and its looks? The sections `testing` and `design` of a study file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from cartrial.study.own import Own
from cartrial.yamlfile import Part, wrong

__all__ = [
    "DEATH",
    "Alpha",
    "Analysis",
    "Design",
    "Interval",
    "Looks",
    "Most",
    "Power",
    "Prior",
    "Rates",
    "Recruitment",
    "StageOne",
    "Subjects",
    "SurvivalTest",
    "Testing",
]

# event of a safety limit that is no adverse event of special interest
DEATH = "DEATH"


class Alpha(Part):
    """The type I error with its sides."""

    value: float = Field(gt=0, lt=1)
    sides: Literal[1, 2] = 1
    source: str = "assumption"


class Interval(Part):
    """Which interval stands beside an estimate: of rates by this method, of all estimates at this level.

    Parameters
    ----------
    method : {"Clopper-Pearson", "Wilson", "mid-p"}
        Of response rates.
    level : float
        Two-sided confidence level.
    """

    method: Literal["Clopper-Pearson", "Wilson", "mid-p"] = "Clopper-Pearson"
    level: float = Field(default=0.95, ge=0.5, lt=1)
    source: str = "assumption"

    @property
    def text(self) -> str:
        """The level as it is printed."""
        return f"{100 * self.level:g} %"

    @property
    def words(self) -> str:
        """The method as a sentence has it."""
        return self.method.replace("-P", "–P")


class Testing(Part):
    """The order in which endpoints are tested, and how.

    Parameters
    ----------
    order : tuple of str
    alpha : Alpha
    test : {"exact", "mid-p"}
        Of a response rate against its null.
    adjust : {"fixed-sequence", "holm", "hochberg", "bonferroni"}
        Of the p-values of several endpoints in `order`.
    strata : tuple of str
        Baseline characteristics within whose levels times are compared between the levels of a subgroup.
    interval : Interval
    """

    order: tuple[str, ...] = ()
    alpha: Alpha
    test: Literal["exact", "mid-p"] = "exact"
    adjust: Literal["fixed-sequence", "holm", "hochberg", "bonferroni"] = "fixed-sequence"
    strata: tuple[str, ...] = ()
    interval: Interval = Interval()


class Power(Part):
    """The power wanted at the alternative."""

    value: float = Field(gt=0, lt=1)
    source: str = "assumption"


class Most(Part):
    """The most subjects that the trial can have. Unit: subjects of the primary endpoint's population."""

    value: int = Field(ge=2, le=500)
    source: str = "assumption"


class Subjects(Part):
    """The number of subjects that the trial plans to have, where it is fixed already: designs are shown beside it."""

    value: int = Field(ge=2, le=500)
    source: str = "assumption"


class Looks(Part):
    """When the primary endpoint is looked at.

    Parameters
    ----------
    at : tuple of float
        Fractions of the maximum, the last 1; or numbers of subjects. In rising order.
    """

    at: tuple[float, ...] = Field(min_length=1, max_length=50)
    source: str = "assumption"

    @field_validator("at")
    @classmethod
    def _rising(cls, at: tuple[float, ...]) -> tuple[float, ...]:
        if list(at) != sorted(set(at)) or at[0] <= 0:
            raise wrong("the looks are not positive numbers in rising order", right="Write fractions such as [0.5, 1], or subjects")
        if at[-1] == 1 and len(at) > 1:
            return at
        if any(look != int(look) for look in at):
            raise wrong("the looks are neither fractions up to 1 nor whole numbers", right="Write fractions such as [0.5, 1], or subjects")
        return at


class Analysis(Part):
    """When a response rate is analysed whose window has no end of its own.

    Parameters
    ----------
    day : int
        Days for which every subject is followed from the first infusion before the analysis.
    """

    day: int = Field(ge=1)
    source: str = "assumption"


class StageOne(Part):
    """Between which numbers of subjects the first of two stages ends."""

    from_: int = Field(default=1, ge=1, alias="from")
    to: int = Field(ge=1)
    source: str = "assumption"

    @model_validator(mode="after")
    def _order(self) -> StageOne:
        if self.to < self.from_:
            raise wrong("the range of the first stage ends before it starts", "to", right="Write from below to")
        return self


class Prior(Part):
    """What is known of the response rate in advance: as a beta distribution, or as published trials say it.

    Parameters
    ----------
    events, others : float, optional
        Of a beta distribution: so many events and so many non-events are known.
    results : tuple of str
        Ids of published results, as `cartrial evidence` has them, in place of both.
    assumed : tuple of str
        What is assumed where a source is silent, each ``attribute=word``.
    robust : float
        Weight of a uniform component, for a trial that is unlike its history.
    spread : float
        Scale of the half-normal prior of the standard deviation between trials, log odds.
    weights, a, b : tuple of float
        The mixture that the results lead to, where it was written down in advance.
    """

    events: float | None = Field(default=None, gt=0)
    others: float | None = Field(default=None, gt=0)
    results: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    robust: float = Field(default=0.2, ge=0, le=1)
    spread: float = Field(default=1.0, gt=0)
    weights: tuple[float, ...] = ()
    a: tuple[float, ...] = ()
    b: tuple[float, ...] = ()
    source: str = "assumption"

    @model_validator(mode="after")
    def _one(self) -> Prior:
        beta, more = [self.events, self.others], {"assumed", "robust", "spread", "weights", "a", "b"} & self.model_fields_set
        if self.results and any(value is not None for value in beta):
            raise wrong("a prior is a beta distribution or made of results, not both", right="Write events and others, or results")
        if not self.results and None in beta:
            right = "Write events and others, or results: [ids], as cartrial evidence list has them"
            raise wrong("nothing says what is known in advance", right=right)
        if not self.results and more:
            raise wrong(f"{sorted(more)[0]} is of a prior made of results", sorted(more)[0], right="Name them, or leave it out")
        if not len(self.weights) == len(self.a) == len(self.b):
            raise wrong("a mixture has a weight and two parameters for each component", "weights", right="Give as many of each")
        if any(value <= 0 for value in (*self.weights, *self.a, *self.b)) or (self.weights and abs(sum(self.weights) - 1) > 1e-4):
            raise wrong(
                "weights and parameters are above 0, and weights sum to 1", "weights", right="Copy what cartrial evidence prior prints"
            )
        return self


class Rates(Part):
    """What is acceptable of an adverse event, and what is not.

    Parameters
    ----------
    event : str
        An id of `safety.special`, or DEATH: a death related to treatment.
    grade_from : int
        The lowest grade that counts; of no meaning for DEATH.
    acceptable, unacceptable : float
        Rates among the infused.
    """

    event: str
    grade_from: int = Field(default=3, ge=1, le=5)
    acceptable: float = Field(gt=0, lt=1)
    unacceptable: float = Field(gt=0, lt=1)
    source: str = "assumption"

    @model_validator(mode="after")
    def _order(self) -> Rates:
        if self.unacceptable <= self.acceptable:
            what = f"the unacceptable rate {self.unacceptable:g} is not above the acceptable rate {self.acceptable:g}"
            raise wrong(what, "unacceptable", right="The unacceptable rate is the higher one")
        return self


class SurvivalTest(Part):
    """A hypothesis about the share free of an event at a day.

    Parameters
    ----------
    endpoint : str
        Id of a time to event.
    at : int
        The day, counted from the endpoint's origin.
    null, alternative : float
        Shares free of the event then.
    shape : float
        Of a Weibull curve; 1 is exponential.
    """

    endpoint: str
    at: int = Field(ge=1)
    null: float = Field(gt=0, lt=1)
    alternative: float = Field(gt=0, lt=1)
    shape: float = Field(default=1.0, gt=0)
    source: str = "assumption"

    @model_validator(mode="after")
    def _order(self) -> SurvivalTest:
        if self.alternative <= self.null:
            what = f"the alternative {self.alternative:g} is not above the null {self.null:g}"
            raise wrong(what, "alternative", right="The alternative is the higher share free of the event")
        return self


class Recruitment(Part):
    """How fast subjects come.

    Parameters
    ----------
    rate : float
        Subjects who consent in a month at a site that is open. Unit: per site and month.
    activation : float
        Days over which the sites open.
    """

    rate: float = Field(gt=0)
    activation: float = Field(default=150, ge=0)
    source: str = "assumption"


class Design(Part):
    """What the protocol says of size, looks, priors, limits of toxicity and enrolment.

    Null and alternative stand in `test` of the endpoint, the type I error in `testing`.
    """

    power: Power | None = None
    n_max: Most | None = None
    subjects: Subjects | None = None
    own: Own | None = None
    looks: Looks | None = None
    analysis: Analysis | None = None
    stage_one: StageOne | None = None
    prior: Prior | None = None
    safety: tuple[Rates, ...] = ()
    survival: tuple[SurvivalTest, ...] = ()
    recruitment: Recruitment | None = None

    @model_validator(mode="after")
    def _once(self) -> Design:
        for group, key in (("safety", "event"), ("survival", "endpoint")):
            seen = set()
            for i, part in enumerate(getattr(self, group)):
                name = getattr(part, key)
                if name in seen:
                    raise wrong(f"'{name}' stands twice", group, i, key, right="Write each once")
                seen.add(name)
        if self.own and self.subjects and self.own.at[-1] != self.subjects.value:
            what = f"the own design ends with {self.own.at[-1]} subjects, and {self.subjects.value} are planned"
            raise wrong(what, "own", "at", right="Leave subjects out, or write the same number")
        return self
