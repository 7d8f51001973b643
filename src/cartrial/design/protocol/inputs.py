"""What does a study state of its design, and what is assumed in its place?"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from cartrial.errors import InputError

if TYPE_CHECKING:
    from cartrial.study import Endpoint, Study

__all__ = ["Delay", "Input", "Inputs", "read_inputs"]

DAYS_PER_MONTH = 30.4375
_POWER, _ALPHA, _MOST = 0.8, 0.025, 100
_RATE, _ACTIVATION, _SITES = 0.35, 150.0, 5
_LOOKS = (0.5, 0.75, 1.0)
_CALLER = "asked for in this run"
_SILENT = "assumption: the study does not state it"


@dataclass(frozen=True)
class Input:
    """One number that the designs rest on.

    Parameters
    ----------
    id : str
        Short name.
    label : str
        What it is.
    value : float or tuple of float
    text : str
        As it is printed.
    source : str
    """

    id: str
    label: str
    value: Any
    text: str
    source: str

    @property
    def assumed(self) -> bool:
        """Whether the source is an assumption."""
        return "assumption" in self.source.lower()


@dataclass(frozen=True)
class Delay:
    """How long a response can be awaited.

    Parameters
    ----------
    days : int
    start : {"infusion", "enrolment"}
        From where they are counted.
    closed : bool
        Whether the endpoint's window has closed then; otherwise the days are an assumption.
    source : str
    """

    days: int
    start: Literal["infusion", "enrolment"]
    closed: bool
    source: str

    @property
    def text(self) -> str:
        """In words, e.g. "104 days after the infusion"."""
        return f"{self.days} days after {'the infusion' if self.start == 'infusion' else 'enrolment'}"

    @property
    def limit(self) -> str:
        """How sure the days are, in words."""
        return "at the latest" if self.closed else "(assumption: the endpoint's window has no end)"


@dataclass(frozen=True)
class Inputs:
    """What the designs of a study are made from.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
        The response rate that is tested.
    items : tuple of Input
        Everything that is printed, in its order.
    p0, p1, alpha, power : float
        Null, target, one-sided type I error, power.
    n_max : int
        Most subjects.
    looks : tuple of float
        Fractions of the maximum up to 1, or numbers of subjects.
    stage_one : (int, int) or None
        Least and most subjects of a first stage.
    prior : (float, float)
        Beta prior of the response rate.
    delay : Delay
        Until every response is known.
    sites : int
    rate : float
        Subjects who consent per site and month.
    activation : float
        Days over which the sites open.
    """

    study: Study
    endpoint: Endpoint
    items: tuple[Input, ...]
    p0: float
    p1: float
    alpha: float
    power: float
    n_max: int
    looks: tuple[float, ...]
    stage_one: tuple[int, int] | None
    prior: tuple[float, float]
    delay: Delay
    sites: int
    rate: float
    activation: float

    def looks_of(self, most: int) -> tuple[int, ...]:
        """Return the subjects at the looks of a trial of `most` subjects; numbers that were given stay as they are."""
        if self.fixed:
            return tuple(int(look) for look in self.looks)
        return tuple(sorted({ceil(look * most - 1e-9) for look in self.looks}))

    @property
    def goal(self) -> Literal["enrolled", "infused"]:
        """Which subjects are counted until there are enough of them."""
        return "enrolled" if self.endpoint.population == "enrolled" else "infused"

    @property
    def fixed(self) -> bool:
        """Whether the looks are numbers of subjects rather than fractions."""
        return self.looks[-1] > 1


def read_inputs(
    study: Study, *, n_max: int | None = None, power: float | None = None, alpha: float | None = None, endpoint: str | None = None
) -> Inputs:
    """Collect what a study states, and say what is assumed.

    Parameters
    ----------
    study : Study
    n_max, power, alpha : number, optional
        In place of the study's.
    endpoint : str, optional
        Id of the response rate; the first tested one without it.

    Raises
    ------
    InputError
        If no response rate has a null and a target, the target is not above the null, or a number cannot be.
    """
    tested = _endpoint(study, endpoint)
    test, plan = tested.test, study.design
    assert test is not None
    if test.alternative is None:
        raise InputError(
            f"endpoint {tested.id} has a null rate and no rate that is hoped for", key="test.alternative", right="Add test.alternative"
        )
    if test.alternative <= test.null:
        raise InputError(
            f"endpoint {tested.id}: the target {test.alternative:g} is not above the null {test.null:g}",
            key="test.alternative",
            right="The alternative is the higher rate",
        )
    items = [
        Input("tested", "Endpoint", tested.id, f"{tested.id}, {tested.label}", _why(study, tested)),
        Input("null", f"Null rate of {tested.id}", test.null, _percent(test.null), test.source),
        Input("target", f"Target rate of {tested.id}", test.alternative, _percent(test.alternative), test.source),
    ]

    def add(name: str, label: str, value: Any, text: str, source: str) -> Any:
        items.append(Input(name, label, value, text, source))
        return value

    error, sides, source = _ALPHA, 1, _SILENT
    if study.testing is not None:
        error, sides, source = study.testing.alpha.value, study.testing.alpha.sides, study.testing.alpha.source
    if alpha is not None:
        error, sides, source = _share(alpha, "alpha"), 1, _CALLER
    words = _percent(error / sides) + (f" (two-sided {_percent(error)})" if sides == 2 else "")
    add("alpha", "Type I error, one-sided", error / sides, words, source)
    wanted, source = (plan.power.value, plan.power.source) if plan and plan.power else (_POWER, _SILENT)
    if power is not None:
        wanted, source = _share(power, "power"), _CALLER
    add("power", "Power at the target", wanted, _percent(wanted), source)
    most, source = (plan.n_max.value, plan.n_max.source) if plan and plan.n_max else (_MOST, _SILENT)
    if n_max is not None:
        most, source = _whole(n_max, "n_max"), _CALLER
    add("n_max", f"Most subjects ({tested.population})", most, str(most), source)
    if plan and plan.subjects:
        size = plan.subjects.value
        text = f"{size}: {_alone(size, test.null, test.alternative, error / sides)}"
        add("subjects", f"Subjects planned ({tested.population})", size, text, plan.subjects.source)
    looks, source = (plan.looks.at, plan.looks.source) if plan and plan.looks else (_LOOKS, _SILENT)
    add("looks", "Looks of designs with more than two", looks, ", ".join(f"{look:g}" for look in looks), source)
    stage = None
    if plan and plan.stage_one:
        stage = (plan.stage_one.from_, plan.stage_one.to)
        add("stage_one", "Subjects of a first stage", stage, f"{stage[0]} to {stage[1]}", plan.stage_one.source)
    prior = (test.null, 1 - test.null)
    source = "assumption: worth one subject, its mean at the null"
    if plan and plan.prior:
        prior, source = (plan.prior.events, plan.prior.others), plan.prior.source
    add("prior", "Prior of the response rate", prior, f"Beta({prior[0]:g}, {prior[1]:g})", source)
    delay = _delay(study, tested)
    add("delay", f"All responses are known, days after {delay.start}", delay.days, delay.text, delay.source)
    sites = add(
        "sites",
        "Sites",
        study.study.sites or _SITES,
        str(study.study.sites or _SITES),
        study.study.source if study.study.sites else _SILENT,
    )
    rate, activation, source = _RATE, _ACTIVATION, _SILENT
    if plan and plan.recruitment:
        rate, activation, source = plan.recruitment.rate, plan.recruitment.activation, plan.recruitment.source
    add("rate", "Consents per site and month", rate, f"{rate:g}", source)
    add("activation", "Days over which the sites open", activation, f"{activation:g} days", source)
    return Inputs(
        study,
        tested,
        tuple(items),
        test.null,
        test.alternative,
        error / sides,
        wanted,
        most,
        looks,
        stage,
        prior,
        delay,
        sites,
        rate,
        activation,
    )


def _endpoint(study: Study, name: str | None) -> Endpoint:
    """Return the response rate that is tested."""
    rates = [endpoint for endpoint in study.endpoints if endpoint.type == "response-rate"]
    if name is not None:
        rates = [endpoint for endpoint in rates if endpoint.id == name]
        if not rates:
            raise InputError(f"no response rate is called '{name}'", key="endpoint", right="Name a response rate of the study")
    order = list(study.testing.order) if study.testing else []
    rates.sort(key=lambda endpoint: (order.index(endpoint.id) if endpoint.id in order else len(order), endpoint.role != "primary"))
    found = next((endpoint for endpoint in rates if endpoint.test is not None), None)
    if found is None:
        of = f" for {rates[0].id}" if rates else ""
        raise InputError(
            f"the study states no null rate{of}, so there is nothing to design against",
            key="test.null",
            right="Add test: {null: 0.3, alternative: 0.5, source: ...} to its primary response rate",
        )
    return found


def _why(study: Study, endpoint: Endpoint) -> str:
    """Return why an endpoint is the one that a design is about."""
    primary = [other.id for other in study.endpoints if other.role == "primary"]
    if study.testing and endpoint.id in study.testing.order:
        why = "the first response rate of testing.order with a null"
    else:
        why = "the first response rate with a null"
    if primary == [endpoint.id]:
        return f"the study's primary endpoint, {why}"
    return f"{why}; the study's primary endpoints are: {', '.join(primary) or 'none'}"


def _alone(size: int, null: float, target: float, alpha: float) -> str:
    """Return what a single stage of a given size would do."""
    from cartrial.design.exact.single import estimate_sawtooth

    row = estimate_sawtooth(null, target, alpha, n_min=size, n_max=size).row(0, named=True)
    if row["r"] is None:
        return "in a single stage no number of responders keeps the type I error"
    return f"in a single stage success with {row['r']} or more, type I error {100 * row['alpha']:.2f} %, power {100 * row['power']:.1f} %"


def _delay(study: Study, endpoint: Endpoint) -> Delay:
    """Return when an endpoint's window has closed; until then a subject may still respond."""
    window = endpoint.window
    assert window is not None
    name = window.at or window.within
    if name is not None:
        visit = study.visit(name)
        first = 1 if window.within else visit.day - visit.minus
        last = visit.day + visit.plus
        return Delay(last, "infusion", True, f"the window of {endpoint.id}, {name} (day {first} to {last}), has closed")
    if window.within_days is not None:
        start: Literal["infusion", "enrolment"] = "enrolment" if window.from_ == "enrolment" else "infusion"
        return Delay(window.within_days, start, True, f"the window of {endpoint.id}, {window.within_days} days from {start}, has closed")
    visit = max(study.disease.visits, key=lambda visit: visit.day)
    source = f"assumption: {endpoint.id} counts responses up to the cutoff; none is awaited beyond the last visit ({visit.name})"
    return Delay(visit.day + visit.plus, "infusion", False, source)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _share(value: Any, key: str) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = -1.0
    if not 0 < share < 1:
        raise InputError(
            f"{value!r} is not a number between 0 and 1", key=key, right="For example 0.8" if key == "power" else "For example 0.025"
        )
    return share


def _whole(value: Any, key: str) -> int:
    if isinstance(value, bool) or int(value) != value or not 2 <= value <= 500:
        raise InputError(f"{value!r} subjects cannot be the most", key=key, right="Give a whole number, 2 to 500")
    return int(value)
