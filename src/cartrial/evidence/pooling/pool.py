"""May these rates be pooled, and what is their rate? Like estimands of other patients only, by the exact likelihood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cartrial.errors import InputError
from cartrial.evidence.checks.counts import possible_counts
from cartrial.evidence.checks.intervals import Asked, fit_limits
from cartrial.evidence.gate.compare import Comparison, compare_results
from cartrial.evidence.registry.model import Result
from cartrial.evidence.registry.read import Evidence
from cartrial.shown import Shown

if TYPE_CHECKING:
    from cartrial.analysis.estimators.pooled.exact import PooledRate
    from cartrial.analysis.estimators.pooled.normal import NormalRate

__all__ = ["Pool", "Pooled", "count_of", "like_counts", "pool_results"]


@dataclass(frozen=True)
class Pooled:
    """A result in a pool: its trial, its count, and the rule by which the count follows where it was not printed."""

    trial: str
    result: str
    count: int
    of: int
    rule: str | None


@dataclass(frozen=True)
class Pool(Shown):
    """Rates of several trials put together.

    Parameters
    ----------
    results : tuple of Pooled
    assumed : tuple of str
        The assumptions on which the pool rests.
    rate : PooledRate
        By the exact binomial-normal likelihood.
    normal : NormalRate
        By REML with Knapp and Hartung's limits: the second line.
    without : tuple of PooledRate
        Without each result in turn; empty for two.
    notes : tuple of str
    """

    results: tuple[Pooled, ...]
    assumed: tuple[str, ...]
    rate: PooledRate
    normal: NormalRate
    without: tuple[PooledRate, ...]
    notes: tuple[str, ...]


def pool_results(evidence: Evidence, results: Sequence[str], *, assume: Mapping[str, str] | None = None, conf_level: float = 0.95) -> Pool:
    """Pool response rates or proportions of different trials.

    Parameters
    ----------
    evidence : Evidence
    results : sequence of str
        Ids of two or more results.
    assume : mapping of str to str, optional
        As in `compare_results`.
    conf_level : float

    Returns
    -------
    Pool

    Raises
    ------
    InputError
        With a line for each reason against it: an attribute that differs or is not established between any two, a group within the
        population, patients in common, two results of one trial, a result that is no share, a count that its percentage leaves open.

    Examples
    --------
    Complete remissions of all infused in two trials, of which neither says how they were read.

    >>> from cartrial.evidence import load_evidence, pool_results, read_assumptions
    >>> words = ["window=best", "reader=INV", "hsct=composite", "new-therapy=composite", "criteria=nccn"]
    >>> found = pool_results(load_evidence(), ["mskcc-cr", "germany-cr"], assume=read_assumptions(words))
    >>> [(one.count, one.of) for one in found.results], round(found.rate.rate, 3)
    ([(44, 53), (71, 81)], 0.858)
    """
    from cartrial.analysis.estimators.pooled.exact import estimate_influence, estimate_pooled
    from cartrial.analysis.estimators.pooled.normal import estimate_pooled_normal

    if len(set(results)) != len(results) or len(results) < 2:
        raise InputError("a pool has two or more results, each once", key="results", right="Name their ids")
    made, assumed, notes = like_counts(evidence, results, assume)
    if len(made) == 2:
        notes = ("two trials do not tell how much trials differ: limits and prediction are hardly more than a guess", *notes)
    x, n = np.array([one.count for one in made]), np.array([one.of for one in made])
    several = len(made) > 2
    return Pool(
        results=made,
        assumed=assumed,
        rate=estimate_pooled(x, n, conf_level=conf_level),
        normal=estimate_pooled_normal(x, n, conf_level=conf_level),
        without=tuple(estimate_influence(x, n, conf_level=conf_level)) if several else (),
        notes=notes,
    )


def like_counts(
    evidence: Evidence, results: Sequence[str], assume: Mapping[str, str] | None
) -> tuple[tuple[Pooled, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the counts of results that may be put together, the assumptions on which that rests, and notes of unlike patients.

    Raises
    ------
    InputError
        As `pool_results`.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> from cartrial.evidence.pooling.pool import like_counts
    >>> like_counts(load_evidence(), ["germany-cr"], None)[0]
    (Pooled(trial='germany', result='germany-cr', count=71, of=81, rule=None),)
    """
    if len(set(results)) != len(results) or not results:
        raise InputError("each result stands once, and there is one at least", key="results", right="Name their ids")
    held = [evidence.find(name) for name in results]
    faults = [*_kinds(held), *_patients(evidence, held)]
    compared = [compare_results(evidence, left, right, assume=assume) for left, right in combinations(results, 2)]
    faults += _unlike(compared)
    if faults:
        raise InputError.together(faults)
    made = InputError.gather([partial(_pooled, trial, one) for trial, one in held])
    assumed = tuple(dict.fromkeys(text for one in compared for text in one.assumed))
    return tuple(made), assumed, tuple(_notes(evidence, [trial for trial, _ in held]))


def count_of(result: Result) -> tuple[int, str | None]:
    """Return the count of a share, and the rule by which it follows where it was not printed.

    Raises
    ------
    InputError
        If none or several counts would have printed its percentage.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> from cartrial.evidence.pooling.pool import count_of
    >>> count_of(load_evidence().find("inati-48-best")[1])
    (41, 'only count of 48 that prints 85.4')
    """
    if result.of is None:
        raise InputError(f"nobody says of how many patients {result.id} is", key="of", right="Leave it out")
    if result.count is not None:
        return result.count, None
    assert result.value is not None
    text = result.value.text
    counts = [one.count for one in possible_counts(text, result.of)]
    if len(counts) == 1:
        return counts[0], f"only count of {result.of} that prints {text}"
    if result.interval and counts:
        fits = fit_limits([Asked(count, result.of, *result.interval.text, result.level) for count in counts])
        exact = [count for count, found in zip(counts, fits, strict=True) if any(fit.kind == "exact" for fit in found)]
        if len(exact) == 1:
            return exact[0], f"only count of {result.of} that prints {text} with its limits"
    said = f"{counts[0]} to {counts[-1]} of {result.of} print" if counts else f"no count of {result.of} prints"
    raise InputError(f"{said} the {text} % of {result.id}", key="count", right="Find the count, or leave the result out")


def _pooled(trial: str, result: Result) -> Pooled:
    count, rule = count_of(result)
    assert result.of is not None
    return Pooled(trial, result.id, count, result.of, rule)


def _kinds(held: Sequence[tuple[str, Result]]) -> Iterable[InputError]:
    for _, one in held:
        if not one.is_share:
            yield InputError(f"{one.id} is a {one.measure.type}, no count of patients", key="measure", right="Pool rates and proportions")


def _patients(evidence: Evidence, held: Sequence[tuple[str, Result]]) -> Iterable[InputError]:
    """Yield pairs whose patients are the same, and groups that are no population."""
    for (trial, first), (other, second) in combinations(held, 2):
        pair = f"{first.id} and {second.id}"
        if trial == other:
            cuts = "" if first.cut == second.cut else f", of the cuts {first.cut} and {second.cut}"
            yield InputError(f"{pair} are of one trial{cuts}", key="patients", right="Keep one of them")
        elif evidence.share_patients(trial, other):
            yield InputError(f"{pair} have patients in common, or are likely to", key="patients", right="Keep one of them")
        if first.population != "other" and first.group != second.group:
            what = f"{pair} are of unlike groups of the {first.population}: {first.group} and {second.group}"
            yield InputError(what, key="group", right="Pool like with like")


def _notes(evidence: Evidence, trials: Sequence[str]) -> Iterable[str]:
    """Yield what a reader must know of who the patients are."""
    for what in ("product", "ages", "line"):
        words = list(dict.fromkeys(getattr(evidence.trials[trial].trial, what) for trial in trials))
        if len(words) > 1:
            yield f"unlike patients, {what}: {'; '.join(words)}"


def _unlike(compared: Iterable[Comparison]) -> Iterable[InputError]:
    for one in compared:
        yield from (InputError(said, key="estimand") for said in one.reasons())
