"""What does the protocol say of the trial's size and its looks? The section `design` of a study file as frozen objects."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from cartrial.yamlfile import Part, wrong

__all__ = ["DEATH", "Beta", "Design", "Looks", "Most", "Power", "Rates", "Recruitment", "StageOne", "Subjects", "SurvivalTest"]

# event of a safety limit that is no adverse event of special interest
DEATH = "DEATH"


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


class Design(Part):
    """What the protocol says of size, looks, priors, limits of toxicity and enrolment.

    Null and alternative stand in `test` of the endpoint, the type I error in `testing`.
    """

    power: Power | None = None
    n_max: Most | None = None
    subjects: Subjects | None = None
    looks: Looks | None = None
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
        return self
