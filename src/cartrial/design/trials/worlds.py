"""What if every patient, or none, were resistant? The same virtual trials twice, and under any share in between.

A patient is resistant where the rank of its product's quality lies below the share of its parameter set; nothing else of a patient, and
nothing of who is enrolled and infused, depends on that share. So under any share a subject's records are those of one of two worlds.
Where the shares of interest are known, most subjects are simulated in one world alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.virtual.patients.draws import draw_patients
from cartrial.virtual.trial import virtual_study
from cartrial.virtual.trial.arrivals import NEVER, Accrued, Plan, accrue_trials

if TYPE_CHECKING:
    import polars as pl

    from cartrial.sdtm.records import Records
    from cartrial.study import Endpoint, Study
    from cartrial.virtual.patients.population import Population

__all__ = ["GOALS", "OPEN", "OUTSIDE", "Worlds", "ask", "choose_endpoint", "resistant_parameter", "simulate_worlds", "with_share"]

Floats = NDArray[np.float64]
Days = NDArray[np.int64]
Flags = NDArray[np.bool_]
Kind = TypeVar("Kind", bound=np.generic)

# values of an endpoint beside 1 and 0: not yet assessable, not in the population
OPEN, OUTSIDE = -1, -2
GOALS = ("infused", "enrolled")
# on the logit scale nobody or everybody: no rank of 53 bits lies below the one or above the other
_NOBODY, _EVERYBODY = -40.0, 40.0
# subjects followed at once: memory stays bounded, nothing depends on it
_PIECE = 4000


@dataclass(frozen=True)
class Worlds:
    """Virtual trials in which nobody (first) and everybody (second) is resistant. Subjects stand in the order of consent.

    Parameters
    ----------
    first : int
        Number of the first trial; trial `first` + i is row i.
    names : tuple of str
        Variants of the endpoint, the main analysis ("") first.
    there : ndarray of bool, shape (trials, places)
        Whether a subject stands there: trials have different numbers of subjects.
    member : ndarray of int64, shape (trials,)
        Parameter set.
    rank : ndarray of float64, shape (trials, places)
        Rank of the product's quality, 0 to 1, among all patients.
    consent, enrolled, infusion : ndarray of int64, shape (trials, places)
        Days since 1970-01-01; `accrual.NEVER` where it did not happen.
    value : ndarray of int8, shape (2, variants, trials, places)
        1 response, 0 none, `OPEN`, `OUTSIDE`.
    known : ndarray of int64, shape (2, trials, places)
        Day on which the main analysis is known, as in `derive_known`: of the assessment or the event that decides it, else the end of
        the window.
    evaluable : ndarray of bool, shape (2, trials, places)
        In the population `evaluable` of the endpoint's reader.
    shares : ndarray of float64, shape (2, members)
        The lowest and the highest share that these worlds can answer for: whoever is resistant under both, or under neither, has been
        simulated in that world alone, and is `OUTSIDE` in the other.
    """

    first: int
    names: tuple[str, ...]
    there: Flags
    member: Days
    rank: Floats
    consent: Days
    enrolled: Days
    infusion: Days
    value: NDArray[np.int8]
    known: Days
    evaluable: Flags
    shares: Floats

    def resistant(self, share: Floats) -> Flags:
        """Return who is resistant under the shares of the parameter sets, shape (trials, places)."""
        if (share < self.shares[0]).any() or (share > self.shares[1]).any():
            raise InputError("these worlds were not simulated for such shares", key="share", right="Simulate worlds for all shares")
        return self.rank < share[self.member][:, None]

    def pick(self, values: NDArray[Kind], share: Floats) -> NDArray[Kind]:
        """Return what is true under the shares of an array of both worlds: shape (..., trials, places)."""
        picked: NDArray[Kind] = np.where(self.resistant(share), values[1], values[0])
        return picked


def choose_endpoint(study: Study, name: str | None = None) -> Endpoint:
    """Return the response rate that a design is about: the one named, else the first of `testing`, else the primary one.

    Raises
    ------
    InputError
        If there is none, or its population or its window do not say who is counted and when its result is known.
    """
    rates = {endpoint.id: endpoint for endpoint in study.endpoints if endpoint.type == "response-rate"}
    order = [*(study.testing.order if study.testing else ()), *(key for key, endpoint in rates.items() if endpoint.role == "primary")]
    wanted = name or next((key for key in order if key in rates), None)
    if wanted not in rates:
        what = f"'{name}' is no response rate of the study" if name else "the study has no primary response rate"
        raise InputError(what, key="endpoint", right=f"Response rates are: {', '.join(rates) or 'none'}")
    endpoint = rates[wanted]
    if endpoint.population not in GOALS:
        raise InputError(
            f"endpoint {endpoint.id}: of the population '{endpoint.population}' a design cannot know in advance who is counted",
            key="population",
            right="Name an endpoint of the infused or the enrolled",
        )
    if endpoint.window is not None and endpoint.window.best:
        analysis = study.design.analysis if study.design else None
        if analysis is not None:
            # of a subject who has been followed longer, what comes later is left aside: everyone has the same days to respond
            window = endpoint.window.model_copy(update={"best": None, "within_days": analysis.day})
            return endpoint.model_copy(update={"window": window})
        raise InputError(
            f"endpoint {endpoint.id}: a best response up to the cutoff is known on no day before it",
            key="window",
            right="Name an endpoint with a window that ends, or write design: {analysis: {day: 180}}",
        )
    return endpoint


def ask(plan: Plan, endpoint: Endpoint, changes: Sequence[Mapping[str, Any]] = ()) -> Plan:
    """Return the plan of a study with this endpoint alone, and these changes as its variants: nothing else is derived then."""
    asked = endpoint.model_copy(update={"sensitivity": tuple(dict(change) for change in changes)})
    return replace(plan, study=virtual_study(plan.study).model_copy(update={"endpoints": (asked,)}))


def resistant_parameter(population: Population) -> str:
    """Return the name of the calibrated parameter that is the share of the resistant."""
    return "poor-adult" if population.product.poor == "adult" else "poor-child"


def with_share(plan: Plan, share: float | Floats) -> Plan:
    """Return the plan with other shares of the resistant.

    Parameters
    ----------
    plan : Plan
    share : float or ndarray of float64, shape (members,)
        Of all parameter sets, or of each.
    """
    with np.errstate(divide="ignore"):
        logit = np.clip(np.log(share) - np.log1p(-np.asarray(share, float)), _NOBODY, _EVERYBODY)
    values = plan.ensemble.values.copy()
    values[:, plan.ensemble.model.names.index(resistant_parameter(plan.population))] = logit
    return replace(plan, ensemble=replace(plan.ensemble, values=values))


def simulate_worlds(plan: Plan, first: int, last: int, *, shares: Floats | None = None, threads: int | None = None) -> Worlds:
    """Simulate trials in both worlds and derive one endpoint of them.

    Parameters
    ----------
    plan : Plan
        Of a study with one endpoint (`ask`).
    first, last : int
        Numbers of the trials, both included.
    shares : ndarray of float64, shape (shares, members), optional
        Shares of the resistant that will be asked about; all without it.
    threads : int, optional
        Nothing depends on it.

    Returns
    -------
    Worlds

    Raises
    ------
    InputError
        If a subject of the endpoint's population who was infused is not yet assessable at the cutoff.
    """
    from scipy.special import ndtr

    endpoint = plan.study.endpoints[0]
    people = accrue_trials(plan, np.arange(first, last + 1))
    drawn = draw_patients(plan.population, plan.ensemble, plan.keys(people.trial, people.subject), member=people.member)
    rank = ndtr(drawn.covariates["quality"].astype(float))
    asked = np.repeat([[0.0], [1.0]], len(plan.ensemble), 1) if shares is None else np.stack([shares.min(axis=0), shares.max(axis=0)])
    needed = (rank >= asked[0][people.member], rank < asked[1][people.member])
    variants = plan.study.variants(endpoint)
    value = np.full((2, len(variants), len(people)), OUTSIDE, np.int8)
    known, evaluable = np.zeros((2, len(people)), np.int64), np.zeros((2, len(people)), bool)
    for world, rows in enumerate(np.flatnonzero(mask) for mask in needed):
        if len(rows):
            found = _derive(with_share(plan, float(world)), people.take(rows), threads)
            value[world][:, rows], known[world, rows], evaluable[world, rows] = found
    order = np.lexsort((people.subject, people.trial))
    row = people.trial[order] - first
    place = np.arange(len(row)) - np.searchsorted(row, row)
    shape = (last - first + 1, int(place.max(initial=0)) + 1)

    def padded(values: NDArray[Kind], fill: float) -> NDArray[Kind]:
        wide = np.full((*values.shape[:-1], *shape), fill, values.dtype)
        wide[..., row, place] = values[..., order]
        return wide

    member = np.zeros(shape[0], np.int64)
    member[row] = people.member[order]
    worlds = Worlds(
        first=first,
        names=tuple(variant.name for variant in variants),
        there=padded(np.ones(len(people), bool), False),
        member=member,
        rank=padded(rank, 1.0),
        consent=padded(people.consent, NEVER),
        enrolled=padded(people.enrolled, NEVER),
        infusion=padded(people.infusion, NEVER),
        value=padded(value, OUTSIDE),
        known=padded(known, 0),
        evaluable=padded(evaluable, False),
        shares=asked,
    )
    if ((worlds.value[:, 0] == OPEN) & (worlds.infusion < NEVER)).any():
        raise InputError(
            f"endpoint {endpoint.id}: subjects are not yet assessable at the cutoff",
            key="accrual.follow-up-of-last",
            right="Follow the last subject to the end of the endpoint's window",
        )
    return worlds


def _records(plan: Plan, people: Accrued, threads: int | None) -> Records:
    """Return the records of subjects, a few thousand followed at once; row i of `people` is SUBJ i."""
    import polars as pl

    from cartrial.virtual.trial.emit import records_of
    from cartrial.virtual.trial.rows import make_rows

    pieces = np.array_split(np.arange(len(people)), -(-len(people) // _PIECE))
    parts = [records_of(plan, make_rows(plan, people.take(rows), threads=threads), names=False) for rows in pieces]
    starts = np.cumsum([0, *(len(rows) for rows in pieces[:-1])])

    def joined(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
        moved = [table.with_columns((pl.col("SUBJ") + int(start)).cast(pl.Int32)) for table, start in zip(tables, starts, strict=True)]
        return pl.concat(moved)

    names = [field.name for field in fields(parts[0]) if isinstance(getattr(parts[0], field.name), pl.DataFrame)]
    return parts[0].replace(**{name: joined([getattr(part, name) for part in parts]) for name in names})


def _derive(plan: Plan, people: Accrued, threads: int | None) -> tuple[NDArray[np.int8], Days, Flags]:
    """Return values by variant, days on which the main one is known, and who is evaluable, of each of the subjects."""
    import polars as pl

    from cartrial.design.trials.known import derive_known
    from cartrial.endpoints.course import derive_course
    from cartrial.endpoints.populations import Populations
    from cartrial.endpoints.sets.adrs import derive_adrs
    from cartrial.endpoints.sets.trace import lean_sets
    from cartrial.response import assess_response
    from cartrial.sdtm.records import READERS

    study, endpoint = plan.study, plan.study.endpoints[0]
    records = _records(plan, people, threads)
    course = derive_course(study, records)
    populations = Populations(study, records, assess_response(study, records), course)
    with lean_sets():
        adrs = derive_adrs(study, populations)
    variants = study.variants(endpoint)
    value = np.full((len(variants), len(people)), OUTSIDE, np.int8)
    for i, variant in enumerate(variants):
        rows = adrs.filter(pl.col("VARIANT") == variant.name)
        value[i, rows["SUBJ"].to_numpy()] = rows["AVAL"].fill_null(OPEN).cast(pl.Int8).to_numpy()
    known = derive_known(study, populations, variants[0].endpoint)
    evaluable = populations.of("evaluable", READERS.index(variants[0].endpoint.reader or study.readers.primary))
    return value, known, evaluable
