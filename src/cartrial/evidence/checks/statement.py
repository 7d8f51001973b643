"""Can this sentence be true? One statement with its numbers, such as "14/19 = 67 %", judged without a registry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cartrial.errors import InputError
from cartrial.evidence.checks.counts import possible_counts
from cartrial.evidence.checks.findings import Finding, worst_first
from cartrial.evidence.checks.shares import Share, check_shares
from cartrial.evidence.checks.times import check_around, check_ratio, check_survival
from cartrial.evidence.registry.stated import exact

__all__ = ["check_statement"]

_NUMBER = r"\d+(?:\.\d+)?"
_COUNT = re.compile(r"(?<![\d.])(\d+)\s*(?:/|of|out of)\s*(\d+)(?![\d.]|\s*%)")
_PERCENT = re.compile(rf"(?<![\d.])({_NUMBER})\s*%(?:\s*of\s*(\d+))?")
_LIMITS = re.compile(rf"[(\[]\s*(?:95\s*%\s*CI[:,]?\s*)?({_NUMBER})\s*%?\s*(?:-|to|,)\s*({_NUMBER})\s*%?\s*[)\]]", re.IGNORECASE)
_PATIENTS = re.compile(r"\b[nN]\s*=?\s*(\d+)|(\d+)\s+(?:patients|subjects)\b")
_WITHIN = re.compile(rf"of (?:which|whom|those)\D*?({_NUMBER})\s*%")
_RATIO = re.compile(rf"\b(?:HR|OR|RR|(?:hazard|odds|risk) ratio)\s*(?:of|=|:)?\s*({_NUMBER})", re.IGNORECASE)
_TIME = re.compile(r"\b(survival|OS|EFS|RFS|DOR|PFS|Kaplan)\b")
_FORMS = '"14/19 = 67 %", "48 % of 53", "34/48, 70.8 % (55.9-83.1)", "66 % (58-79), n 79, survival" or "HR 0.15 (0.1-0.5)"'
_MOST_PATIENTS = 100_000


def check_statement(text: str) -> list[Finding]:
    """Check a statement.

    Parameters
    ----------
    text : str
        A count of n, a percentage, limits in brackets, `n` with the patients; `survival` where the percentage is one; `HR` before a
        ratio; `of which` before a percentage of a percentage.

    Returns
    -------
    list of Finding
        The worst first.

    Raises
    ------
    InputError
        If nothing in it can be computed, a count is above its n, or it counts a partial response of leukaemia.

    Examples
    --------
    >>> from cartrial.evidence import check_statement
    >>> found = check_statement("14/19 = 67 %")[0]
    >>> found.verdict, found.said
    ('impossible', '14/19 = 73.7 %, not 67 %; 14 prints 67 % only of 21')
    """
    plain = " ".join(re.sub(r"per\s?cent", "%", text.replace("–", "-").replace("−", "-")).split())
    if re.search(r"\bPR\b", plain):
        raise InputError("PR is no category of response in leukaemia", key="claim", right="Give the complete remissions alone")
    found = list(_found(plain))
    if not found:
        raise InputError(f"nothing in '{text}' can be computed", key="claim", right=f"Write for example {_FORMS}")
    return worst_first(found)


def _found(text: str) -> Iterator[Finding]:
    limits = _LIMITS.search(text)
    pair = (limits[1], limits[2]) if limits else None
    bare = text[: limits.start()] + text[limits.end() :] if limits else text
    ratio = _RATIO.search(bare)
    if ratio:
        yield from _of_ratio(ratio[1], pair)
        return
    counted, percent, stated = _COUNT.search(bare), _PERCENT.search(bare), _PATIENTS.search(bare)
    value = percent[1] if percent else None
    of = next(
        (int(group) for group in (counted and counted[2], percent and percent[2], *(stated.groups() if stated else ())) if group), None
    )
    count = int(counted[1]) if counted else None
    _possible(value, pair, count, of)
    if value is not None and pair:
        yield from check_around(value, pair)
    if value is not None and _TIME.search(bare):
        yield from check_survival(value, pair, of) if pair else iter(())
    elif of is not None and (value is not None or (count is not None and pair)):
        yield from check_shares([Share("", of, count, value, pair)])
        yield from _within(bare, value, of)


def _of_ratio(value: str, pair: tuple[str, str] | None) -> Iterator[Finding]:
    if pair is None:
        return
    if exact(pair[0]) > exact(pair[1]):
        raise InputError(f"the lower limit {pair[0]} is above the upper {pair[1]}", key="claim", right="Write them in order")
    yield from check_around(value, pair)
    yield from check_ratio(value, pair)


def _possible(value: str | None, pair: tuple[str, str] | None, count: int | None, of: int | None) -> None:
    """Refuse numbers that are none of patients or per cent."""
    if of is not None and not 1 <= of <= _MOST_PATIENTS:
        raise InputError(f"{of} is no number of patients", key="claim", right=f"Write 1 to {_MOST_PATIENTS}")
    if count is not None and of is not None and count > of:
        raise InputError(f"{count} of {of} patients cannot be", key="claim", right="Write a count that is not above n")
    for number in (value, *(pair or ())):
        if number is not None and exact(number) > 100:
            raise InputError(f"{number} is above 100 per cent", key="claim", right="Write per cent from 0 to 100")
    if pair and exact(pair[0]) > exact(pair[1]):
        raise InputError(f"the lower limit {pair[0]} is above the upper {pair[1]}", key="claim", right="Write them in order")


def _within(text: str, value: str | None, of: int) -> Iterator[Finding]:
    """Yield what a percentage of a percentage could mean."""
    inner = _WITHIN.search(text)
    if inner is None or value is None:
        return
    outer = possible_counts(value, of)
    whole = [one.count for one in possible_counts(inner[1], of)]
    parts = sorted({part.count for one in outer if one.count for part in possible_counts(inner[1], one.count)})
    if not outer:
        return
    of_those = ", ".join(str(one.count) for one in outer)
    said = f"{value} % of {of} is {of_those}; {inner[1]} % of {of} is {_listed(whole)}, of those {of_those} it is {_listed(parts)}"
    if not whole and not parts:
        yield Finding("impossible", "count", (), said)
    else:
        yield Finding("consistent" if set(whole) == set(parts) else "undecided", "count", (), said)


def _listed(counts: list[int]) -> str:
    return " or ".join(str(count) for count in counts) if counts else "no count"
