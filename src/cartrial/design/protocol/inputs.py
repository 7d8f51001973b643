"""What does a study state of its design, and what is assumed in its place?"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from cartrial.endpoints.rules.codes import AT, DAYS, WITHIN
from cartrial.endpoints.rules.rate_rule import rule_of
from cartrial.errors import InputError
from cartrial.study.own import Own
from cartrial.study.planned import Design, Looks, Most, Power, Recruitment

if TYPE_CHECKING:
    from cartrial.study import Endpoint, Study

__all__ = ["Delay", "Input", "Inputs", "read_inputs"]

DAYS_PER_MONTH = 30.4375
_CALLER = "asked for in this run"
_SILENT = "assumption: the study does not state it"
_ALPHA, _SITES = 0.025, 5
_POWER = Power(value=0.8, source=_SILENT)
_MOST = Most(value=100, source=_SILENT)
_LOOKS = Looks(at=(0.5, 0.75, 1.0), source=_SILENT)
_RECRUITMENT = Recruitment(rate=0.35, activation=150.0, source=_SILENT)


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
        Whether the endpoint's window has closed then, with the days to see a response again; otherwise the days are an assumption.
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
    def own(self) -> Own | None:
        """The trial's own design, where its study file states it."""
        return self.study.design.own if self.study.design else None

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
    test, plan = tested.test, study.design or Design()
    assert test is not None
    target = _target(tested)
    error, wanted, most = _error(study, alpha), _power(plan, power), _most(plan, n_max, tested)
    looks, stage, prior = plan.looks or _LOOKS, plan.stage_one, _prior(plan, test.null)
    delay, sites, recruitment = _delay(study, tested), study.study.sites or _SITES, plan.recruitment or _RECRUITMENT
    items = [
        Input("tested", "Endpoint", tested.id, f"{tested.id}, {tested.label}", _why(study, tested)),
        Input("null", f"Null rate of {tested.id}", test.null, _percent(test.null), test.source),
        Input("target", f"Target rate of {tested.id}", target, _percent(target), test.source),
        error,
        wanted,
        most,
        *_planned(plan, tested, target, error.value),
        *_own(plan, tested),
        Input("looks", "Looks of designs with more than two", looks.at, ", ".join(f"{look:g}" for look in looks.at), looks.source),
        *_stage_one(plan),
        prior,
        Input("delay", f"All responses are known, days after {delay.start}", delay.days, delay.text, delay.source),
        Input("sites", "Sites", sites, str(sites), study.study.source if study.study.sites else _SILENT),
        *_accrual(recruitment),
    ]
    return Inputs(
        study,
        tested,
        tuple(items),
        p0=test.null,
        p1=target,
        alpha=error.value,
        power=wanted.value,
        n_max=most.value,
        looks=looks.at,
        stage_one=(stage.from_, stage.to) if stage else None,
        prior=prior.value,
        delay=delay,
        sites=sites,
        rate=recruitment.rate,
        activation=recruitment.activation,
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


def _target(endpoint: Endpoint) -> float:
    """Return the rate that is hoped for."""
    test = endpoint.test
    assert test is not None
    if test.alternative is None:
        raise InputError(
            f"endpoint {endpoint.id} has a null rate and no rate that is hoped for", key="test.alternative", right="Add test.alternative"
        )
    if test.alternative <= test.null:
        raise InputError(
            f"endpoint {endpoint.id}: the target {test.alternative:g} is not above the null {test.null:g}",
            key="test.alternative",
            right="The alternative is the higher rate",
        )
    return test.alternative


def _error(study: Study, asked: float | None) -> Input:
    """Return the one-sided type I error: half of a two-sided one."""
    error, sides, source = _ALPHA, 1, _SILENT
    if study.testing is not None:
        error, sides, source = study.testing.alpha.value, study.testing.alpha.sides, study.testing.alpha.source
    if asked is not None:
        error, sides, source = _share(asked, "alpha"), 1, _CALLER
    words = _percent(error / sides) + (f" (two-sided {_percent(error)})" if sides == 2 else "")
    return Input("alpha", "Type I error, one-sided", error / sides, words, source)


def _power(plan: Design, asked: float | None) -> Input:
    """Return the power at the target."""
    stated = plan.power or _POWER
    power, source = (stated.value, stated.source) if asked is None else (_share(asked, "power"), _CALLER)
    return Input("power", "Power at the target", power, _percent(power), source)


def _most(plan: Design, asked: int | None, endpoint: Endpoint) -> Input:
    """Return the most subjects."""
    stated = plan.n_max or _MOST
    most, source = (stated.value, stated.source) if asked is None else (_whole(asked, "n_max"), _CALLER)
    return Input("n_max", f"Most subjects ({endpoint.population})", most, str(most), source)


def _planned(plan: Design, endpoint: Endpoint, target: float, alpha: float) -> list[Input]:
    """Return the number of subjects that is fixed already, if it is, and what a single stage of it would do."""
    if plan.subjects is None:
        return []
    assert endpoint.test is not None
    size = plan.subjects.value
    text = f"{size}: {_alone(size, endpoint.test.null, target, alpha)}"
    return [Input("subjects", f"Subjects planned ({endpoint.population})", size, text, plan.subjects.source)]


def _own(plan: Design, endpoint: Endpoint) -> list[Input]:
    """Return the looks of the study's own design, if it states one."""
    if plan.own is None:
        return []
    at = ", ".join(map(str, plan.own.at))
    return [Input("own", f"The study's own looks ({endpoint.population})", plan.own.at, f"{at} subjects", plan.own.source)]


def _stage_one(plan: Design) -> list[Input]:
    """Return the range of a first stage, if there is one."""
    if plan.stage_one is None:
        return []
    low, high = plan.stage_one.from_, plan.stage_one.to
    return [Input("stage_one", "Subjects of a first stage", (low, high), f"{low} to {high}", plan.stage_one.source)]


def _prior(plan: Design, null: float) -> Input:
    """Return the beta prior of the response rate."""
    prior, source = (null, 1 - null), "assumption: worth one subject, its mean at the null"
    stated = plan.prior
    if stated and stated.events is not None and stated.others is not None:
        prior, source = (stated.events, stated.others), stated.source
    return Input("prior", "Prior of the response rate", prior, f"Beta({prior[0]:g}, {prior[1]:g})", source)


def _accrual(plan: Recruitment) -> list[Input]:
    """Return how fast subjects come."""
    rate, days = plan.rate, plan.activation
    return [
        Input("rate", "Consents per site and month", rate, f"{rate:g}", plan.source),
        Input("activation", "Days over which the sites open", days, f"{days:g} days", plan.source),
    ]


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
    """Return when an endpoint's window has closed and its last response has been seen again; until then a subject may still respond."""
    window = endpoint.window
    assert window is not None
    rule = rule_of(study, endpoint)
    again = max(rule.confirm, rule.sustained)
    if study.design and study.design.analysis and not window.best:
        what = f"the window of {endpoint.id} has an end, and the day of analysis is of a response rate without one (best: cutoff)"
        raise InputError(what, key="design.analysis", right="Leave analysis out, or name a response rate with window: {best: cutoff}")
    seen = f", and a response on its last day has been seen again {again} days later" if again else ""
    if rule.mode in (AT, WITHIN):
        words = f"{window.at or window.within} (day {rule.low} to {rule.high})"
        return Delay(rule.high + again, "infusion", True, f"the window of {endpoint.id}, {words}, has closed{seen}")
    if rule.mode == DAYS:
        start: Literal["infusion", "enrolment"] = "enrolment" if rule.from_enrolment else "infusion"
        return Delay(rule.high + again, start, True, f"the window of {endpoint.id}, {rule.high} days from {start}, has closed{seen}")
    analysis = study.design.analysis if study.design else None
    if analysis is not None:
        said = f"{endpoint.id} is analysed once every subject has been followed so long: {analysis.source}"
        return Delay(analysis.day, "infusion", True, said)
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
