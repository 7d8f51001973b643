"""Is the registry consistent? Every result alone, those of a cut together, every sum, and the statements of its claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cartrial.evidence.checks.cross import check_trial
from cartrial.evidence.checks.findings import Finding, worst_first
from cartrial.evidence.checks.shares import Share, check_shares
from cartrial.evidence.checks.times import check_around, check_ratio, check_survival
from cartrial.evidence.registry.model import Result
from cartrial.evidence.registry.stated import NOT_REACHED, exact
from cartrial.evidence.registry.trial import TrialFile

__all__ = ["check_evidence", "check_results"]


def check_evidence(trials: Iterable[TrialFile]) -> list[Finding]:
    """Check the results and sums of trials.

    Parameters
    ----------
    trials : iterable of TrialFile

    Returns
    -------
    list of Finding
        The worst first.

    Examples
    --------
    >>> from cartrial.evidence import check_evidence, load_evidence
    >>> found = check_evidence(load_evidence().trials.values())
    >>> [finding.results for finding in found if finding.verdict == "impossible"]
    [('mskcc-nt',)]
    """
    files = list(trials)
    found = check_results([result for file in files for result in file.results])
    for file in files:
        found += check_trial(file)
    return worst_first(found)


def check_results(results: Iterable[Result]) -> list[Finding]:
    """Check results one by one: counts, limits, decimals.

    Examples
    --------
    >>> from cartrial.evidence import check_results, load_evidence
    >>> print(check_results([load_evidence().find("inati-48-best")[1]])[0].said)
    41/48 is the only count that prints 85.4 %
    """
    held = list(results)
    found = check_shares([_share(one) for one in held if one.is_share and one.of is not None and one.value is not None])
    for one in held:
        found += _limits(one)
    return found


def _share(result: Result) -> Share:
    assert result.of is not None and result.value is not None
    limits = result.interval.text if result.interval else None
    return Share(result.id, result.of, result.count, result.value.text, limits, result.level)


def _limits(result: Result) -> Iterator[Finding]:
    ids = (result.id,)
    if result.interval is None or result.value is None or result.value.text in NOT_REACHED:
        return
    limits = result.interval.text
    yield from check_around(result.value.text, limits, ids)
    if result.uneven:
        said = f"{result.value.text} has other decimals than its limits {limits[0]} and {limits[1]}"
        yield Finding("consistent", "limits", ids, said)
    if result.measure.type == "survival":
        yield from check_survival(result.value.text, limits, result.of, ids, result.level)
    elif result.measure.type == "hazard-ratio" and not set(limits) & set(NOT_REACHED) and 0 < exact(limits[0]) < exact(limits[1]):
        yield from check_ratio(result.value.text, limits, ids)
