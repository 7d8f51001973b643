"""What does the protocol say of the trial's tests, its size and its looks? The sections `testing` and `design` of a study file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cartrial.yamlfile import Part, wrong

__all__ = [
    "DEATH",
    "Alpha",
    "Analysis",
    "Beta",
    "Design",
    "Interval",
    "Looks",
    "Most",
    "Own",
    "Power",
    "Rates",
    "Recruitment",
    "StageOne",
    "Stops",
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


class Beta(Part):
    """A beta prior of a rate: so many events and so many non-events are known in advance."""

    events: float = Field(gt=0)
    others: float = Field(gt=0)
    source: str = "assumption"


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


class Stops(Part):
    """How the boundaries of one kind of stop are found: exactly one of these.

    Parameters
    ----------
    spending : {"obrien-fleming", "pocock"}
        Lan and DeMets' spending function of that type.
    gamma : float
        Of Hwang, Shih and DeCani's spending function.
    responders : tuple of int or None
        Numbers of responders, one a look; None: no such stop at this look.
    levels : tuple of float or None
        One-sided levels of the exact test, one a look; of efficacy alone.
    """

    spending: Literal["obrien-fleming", "pocock"] | None = None
    gamma: float | None = Field(default=None, ge=-100, le=100)
    responders: tuple[int | None, ...] | None = None
    levels: tuple[float | None, ...] | None = None

    @field_validator("responders", "levels", mode="before")
    @classmethod
    def _none(cls, values: Any) -> Any:
        return [None if value == "none" else value for value in values] if isinstance(values, list | tuple) else values

    @model_validator(mode="after")
    def _one(self) -> Stops:
        said = [name for name in ("spending", "gamma", "responders", "levels") if getattr(self, name) is not None]
        if len(said) != 1:
            what = f"{' and '.join(said)} stand together" if said else "nothing says where the boundaries lie"
            raise wrong(what, right="Write exactly one of spending, gamma, responders, levels")
        for i, level in enumerate(self.levels or ()):
            if level is not None and not 0 < level < 1:
                raise wrong(f"the level {level:g} is not between 0 and 1", "levels", i, right="Write one-sided levels such as 0.0057")
        return self

    @property
    def rule(self) -> str | float | None:
        """The spending function: its name or its gamma; None where the boundaries themselves are given."""
        return self.spending if self.spending is not None else self.gamma


class Own(Part):
    """The trial's own design: its looks and its boundaries as the protocol has them.

    Null and alternative stand in `test` of the endpoint, the type I error in `testing`.

    Parameters
    ----------
    at : tuple of int
        Subjects of the primary endpoint's population at each look; the last is the trial's size.
    efficacy, futility : Stops, optional
        Without one there is no such stop before the last look, at which the fewest responders that keep the type I error are a success.
    binding : bool
        Whether the type I error counts on the stops for futility.
    """

    at: tuple[int, ...] = Field(min_length=1, max_length=20)
    efficacy: Stops | None = None
    futility: Stops | None = None
    binding: bool = True
    source: str = "assumption"

    @field_validator("at")
    @classmethod
    def _rising(cls, at: tuple[int, ...]) -> tuple[int, ...]:
        if list(at) != sorted(set(at)) or at[0] < 1 or at[-1] > 500:
            what = "the looks are not numbers of subjects in rising order"
            raise wrong(what, right="Write whole numbers from 1 to 500, such as [50, 76]")
        return at

    @model_validator(mode="after")
    def _fits(self) -> Own:
        for kind in ("efficacy", "futility"):
            stops = getattr(self, kind)
            for key in ("responders", "levels") if stops else ():
                given = getattr(stops, key)
                if given is not None and len(given) != len(self.at):
                    what = f"{len(given)} boundaries stand beside {len(self.at)} look{'s' if len(self.at) > 1 else ''}"
                    raise wrong(what, kind, key, right="Write one a look, none where there is no such stop")
            for i, (size, most) in enumerate(zip(self.at, (stops.responders if stops else None) or (), strict=False)):
                low = 1 if kind == "efficacy" else 0
                if most is not None and not low <= most <= size:
                    raise wrong(f"{most} of {size} subjects cannot be a boundary", kind, "responders", i, right=f"Write {low} to {size}")
        if self.futility is not None and self.futility.levels is not None:
            raise wrong("levels of a test are of efficacy", "futility", "levels", right="Write spending, gamma or responders")
        self._ends()
        return self

    def _ends(self) -> None:
        """Refuse boundaries that meet before the last look, or leave it undecided."""
        high = self.efficacy.responders if self.efficacy else None
        low = self.futility.responders if self.futility else None
        last = (self.efficacy.responders or self.efficacy.levels) if self.efficacy else None
        if last is not None and last[-1] is None:
            key = "responders" if high is not None else "levels"
            raise wrong("the last look has no boundary of success", "efficacy", key, right="Write what a success is at the last look")
        for i, (stop, success) in enumerate(zip(low or (), high or (), strict=False)):
            if stop is not None and success is not None and stop >= success:
                what = f"look {i + 1} stops for futility at {stop} or fewer and for efficacy at {success} or more"
                raise wrong(what, "futility", "responders", i, right="Write fewer than are a success")
        if low and high and low[-1] is not None and low[-1] != (high[-1] or 0) - 1:
            what = f"the last look leaves {low[-1] + 1} to {(high[-1] or 0) - 1} responders undecided"
            raise wrong(what, "futility", "responders", right="Write none, or one less than a success")


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
    prior: Beta | None = None
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
