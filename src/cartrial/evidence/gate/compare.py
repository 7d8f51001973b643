"""Do two results estimate the same thing? The reasons for and against, and how many pairs of a registry do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from cartrial.errors import InputError
from cartrial.evidence.gate.estimand import attributes_of
from cartrial.evidence.registry.model import Result
from cartrial.evidence.registry.read import Evidence
from cartrial.shown import Shown

__all__ = ["Attribute", "Comparison", "Pairs", "compare_attributes", "compare_results", "count_pairs", "require_comparable"]

Status = Literal["same", "different", "not established"]


@dataclass(frozen=True)
class Attribute:
    """One attribute of two results.

    Parameters
    ----------
    name : str
    left, right : str or None
        As stated, or as assumed; None where neither.
    status : str
        same, different, not established.
    assumed : str or None
        The assumption on which it rests, as ``hsct=composite``.
    """

    name: str
    left: str | None
    right: str | None
    status: Status
    assumed: str | None


@dataclass(frozen=True)
class Comparison(Shown):
    """Two results, attribute by attribute.

    Parameters
    ----------
    left, right : str
        Their ids.
    attributes : tuple of Attribute
    notes : tuple of str
        What is no attribute of the estimand, and must be known: shared patients, other groups.
    """

    left: str
    right: str
    attributes: tuple[Attribute, ...]
    notes: tuple[str, ...]

    @property
    def status(self) -> Literal["comparable", "different", "not established"]:
        """Different if one attribute is, otherwise not established if one is not, otherwise comparable."""
        held = {attribute.status for attribute in self.attributes}
        return "different" if "different" in held else "not established" if "not established" in held else "comparable"

    @property
    def assumed(self) -> tuple[str, ...]:
        """The assumptions on which it rests."""
        return tuple(dict.fromkeys(attribute.assumed for attribute in self.attributes if attribute.assumed))

    def reasons(self) -> tuple[str, ...]:
        """Return why the two may not be compared, one for each attribute; none where they may."""
        said = []
        for one in self.attributes:
            pair = f"{one.left or 'not stated'} of {self.left}, {one.right or 'not stated'} of {self.right}"
            if one.status == "different":
                said.append(f"{one.name} differs: {pair}")
            elif one.status == "not established":
                said.append(f"{one.name} is not established: {pair}")
        return tuple(said)


@dataclass(frozen=True)
class Pairs(Shown):
    """How many pairs of results from different trials estimate the same.

    Parameters
    ----------
    results, pairs, different, not_established, comparable : int
    by_attribute : dict of str to tuple of (int, int)
        By attribute, the pairs in which it differs, and in which it is not established.
    """

    results: int
    pairs: int
    different: int
    not_established: int
    comparable: int
    by_attribute: dict[str, tuple[int, int]]


def compare_results(evidence: Evidence, left: str, right: str, *, assume: Mapping[str, str] | None = None) -> Comparison:
    """Compare two results attribute by attribute.

    Parameters
    ----------
    evidence : Evidence
    left, right : str
        Ids of results.
    assume : mapping of str to str, optional
        What is taken where a source is silent, by attribute, as `read_assumptions` reads it. What is stated stands.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If a result is not held, or both are the same one.

    Examples
    --------
    Two rates of one trial that have one name: at month 3, and best.

    >>> from cartrial.evidence import compare_results, load_evidence
    >>> compared = compare_results(load_evidence(), "inati-48-orr3", "inati-48-best")
    >>> compared.status, compared.reasons()[0]
    ('different', 'window differs: at month 3 of inati-48-orr3, best of inati-48-best')
    """
    (trial, first), (other, second) = evidence.find(left), evidence.find(right)
    if first.id == second.id:
        raise InputError(f"'{left}' is compared with itself", key="result", right="Name two results")
    return Comparison(left, right, _attributes(first, second, assume or {}), tuple(_notes(evidence, (trial, first), (other, second))))


def require_comparable(comparisons: Iterable[Comparison]) -> None:
    """Refuse what may not be put side by side.

    Raises
    ------
    InputError
        With a line for each reason.

    Examples
    --------
    >>> from cartrial.evidence import compare_results, load_evidence, require_comparable
    >>> try:
    ...     require_comparable([compare_results(load_evidence(), "inati-48-orr3", "eliana-79-orr")])
    ... except Exception as error:
    ...     print(str(error).splitlines()[0])
    window differs: at month 3 of inati-48-orr3, within month 3 of eliana-79-orr.
    """
    faults = [InputError(said) for compared in comparisons for said in compared.reasons()]
    if faults:
        raise InputError.together(faults)


def count_pairs(evidence: Evidence, results: Iterable[tuple[str, Result]], *, assume: Mapping[str, str] | None = None) -> Pairs:
    """Count the pairs of results from different trials that estimate the same.

    Parameters
    ----------
    evidence : Evidence
    results : iterable of tuple of (str, Result)
        Each with its trial.
    assume : mapping of str to str, optional
        As in `compare_results`.

    Examples
    --------
    Of the response rates that the registry holds not one pair is comparable on every attribute.

    >>> from cartrial.evidence import count_pairs, is_response_rate, load_evidence
    >>> held = load_evidence()
    >>> found = count_pairs(held, [(trial, one) for trial, one in held.results if is_response_rate(one)])
    >>> found.results, found.pairs, found.different, found.not_established, found.comparable
    (42, 818, 679, 139, 0)
    """
    held = list(results)
    status: Counter[str] = Counter()
    differs: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for (trial, first), (other, second) in combinations(held, 2):
        if trial == other:
            continue
        compared = Comparison(first.id, second.id, _attributes(first, second, assume or {}), ())
        status[compared.status] += 1
        differs.update(one.name for one in compared.attributes if one.status == "different")
        unknown.update(one.name for one in compared.attributes if one.status == "not established")
    names = list(dict.fromkeys([*(name for _, one in held for name in attributes_of(one))]))
    return Pairs(
        results=len(held),
        pairs=status.total(),
        different=status["different"],
        not_established=status["not established"],
        comparable=status["comparable"],
        by_attribute={name: (differs[name], unknown[name]) for name in names},
    )


def _attributes(first: Result, second: Result, assume: Mapping[str, str]) -> tuple[Attribute, ...]:
    return compare_attributes(attributes_of(first), attributes_of(second), assume)


def compare_attributes(left: Mapping[str, str | None], right: Mapping[str, str | None], assume: Mapping[str, str]) -> tuple[Attribute, ...]:
    """Compare attributes by their names.

    Parameters
    ----------
    left, right : mapping of str to str or None
        As `attributes_of` has them.
    assume : mapping of str to str
        What is taken where one is silent.

    Examples
    --------
    >>> from cartrial.evidence.gate.compare import compare_attributes
    >>> [one.status for one in compare_attributes({"reader": "IRC"}, {"reader": None}, {})]
    ['not established']
    >>> [(one.status, one.assumed) for one in compare_attributes({"reader": "IRC"}, {"reader": None}, {"reader": "IRC"})]
    [('same', 'reader=IRC')]
    """
    found = []
    for name in dict.fromkeys((*left, *right)):
        has = (name in left, name in right)
        stated = (left.get(name), right.get(name))
        if not all(has):
            # an attribute that one of them has not, such as the time of a survival against a rate
            found.append(
                Attribute(
                    name, stated[0] or ("none" if not has[0] else None), stated[1] or ("none" if not has[1] else None), "different", None
                )
            )
            continue
        taken = tuple(word if word is not None else assume.get(name) for word in stated)
        assumed = f"{name}={assume[name]}" if name in assume and None in stated else None
        status: Status = "not established" if None in taken else "same" if taken[0] == taken[1] else "different"
        found.append(Attribute(name, taken[0], taken[1], status, assumed))
    return tuple(found)


def _notes(evidence: Evidence, left: tuple[str, Result], right: tuple[str, Result]) -> Iterable[str]:
    (trial, first), (other, second) = left, right
    if trial == other:
        yield f"both are of {trial}: the patients are the same, or some of them"
    elif evidence.share_patients(trial, other):
        yield f"{trial} and {other} have patients in common, or are likely to"
    groups = [f"{one.group} of {one.id}" for one in (first, second) if one.population != "other" and one.group != "all"]
    if groups:
        yield f"of a part of the population: {', '.join(groups)}"
    one, two = evidence.trials[trial].trial, evidence.trials[other].trial
    for what in ("product", "ages", "line"):
        words = (getattr(one, what), getattr(two, what))
        if words[0] != words[1]:
            yield f"{what}: {words[0]} and {words[1]}"
