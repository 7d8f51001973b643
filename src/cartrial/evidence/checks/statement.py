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
_COUNT = re.compile(r"(?<![\d./])(\d+)\s*(?:/|(?:out )?of(?: the)?)\s*(\d+)(?![\d/]|\.\d|\s*%)")
_PERCENT = re.compile(rf"(?<![\d.])({_NUMBER})\s*%(?:\s*of\s*(\d+))?")
_LEVEL = rf"(?:({_NUMBER})\s*%\s*(?:CI|confidence (?:interval|limits))\s*[:,=]?\s*)"
_BOTH = rf"({_NUMBER})\s*%?\s*(?:-|to\b|,)\s*({_NUMBER})\s*%?"
# limits stand in brackets of their own, or after their level
_LIMITS = re.compile(rf"[(\[]\s*{_LEVEL}?{_BOTH}\s*[)\]]|{_LEVEL}[(\[]?\s*{_BOTH}\s*[)\]]?", re.IGNORECASE)
_PATIENTS = re.compile(r"\b[nN]\s*=?\s*(\d+)|(\d+)\s+(?:patients|subjects)\b")
_WITHIN = re.compile(rf"of (?:which|whom|those)\D*?({_NUMBER})\s*%")
_RATIO = re.compile(rf"\b(?:HR|OR|RR|(?i:hazard|odds|risk) ratio)\s*(?:of|=|:)?\s*({_NUMBER})")
_TIME = re.compile(r"\b((?i:survival)|OS|EFS|RFS|DFS|LFS|DOR|PFS|Kaplan)\b")
# what would be read as another number than was meant, and what would be right
_MISREAD = (
    (
        re.compile(r"\d,\d"),
        "a comma within a number",
        "Write a point before decimals, nothing between thousands, and a space after a comma",
    ),
    (re.compile(r"\d·"), "a raised point", "Write a point before decimals"),
    (
        re.compile(r"\bn\s*=?\s*\d{1,3}(?: \d{3})+\b(?!\.\d|\s*%)|(?<![\d.])\d{1,3}(?: \d{3})+ (?:patients|subjects)"),
        "a space within a number",
        "Write 1908",
    ),
    (re.compile(r"(?:^|[(\[=:,;]|[A-Za-z±]\s)\s*-\s*\d"), "a number below 0", "Write per cent from 0 to 100"),
    (re.compile("±"), "a plus-minus", "Write the limits in brackets"),
    (re.compile(r"\bN[RE]\b"), "a limit that is no number", "A percentage has two limits: write both, or none"),
)
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
        If nothing in it can be computed, a count is above its n, it counts a partial response of leukaemia, a number would be read as
        another (70,8 or 70·8), or there are several counts or percentages.

    Examples
    --------
    >>> from cartrial.evidence import check_statement
    >>> found = check_statement("14/19 = 67 %")[0]
    >>> found.verdict, found.said
    ('impossible', '14/19 = 73.7 %, not 67 %; 14 prints 67 % only of 21')
    """
    plain = " ".join(re.sub(r"per\s?cent|％", "%", re.sub("[‐‑‒–—−]", "-", text)).split())
    if re.search(r"\bPR\b", plain):
        raise InputError("PR is no category of response in leukaemia", key="claim", right="Give the complete remissions alone")
    for pattern, what, right in _MISREAD:
        misread = pattern.search(plain)
        if misread:
            raise InputError(f"'{text}' has {what}: {misread[0].strip()}", key="claim", right=right)
    found = list(_found(plain))
    if not found:
        raise InputError(f"nothing in '{text}' can be computed", key="claim", right=f"Write for example {_FORMS}")
    return worst_first(found)


def _found(text: str) -> Iterator[Finding]:
    limits = _LIMITS.search(text)
    level, *both = [group for group in limits.groups() if group] if limits else ["95"]
    if len(both) == 1:
        level, both = "95", [level, *both]
    pair = (both[0], both[1]) if limits else None
    bare = text[: limits.start()] + text[limits.end() :] if limits else text
    _once(bare)
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
        yield from check_survival(value, pair, of, level=_share(level)) if pair else iter(())
    elif of is not None and (value is not None or (count is not None and pair)):
        yield from check_shares([Share("", of, count, value, pair, _share(level))])
        yield from _within(bare, value, of)


def _share(level: str) -> float:
    """Return the level of limits."""
    if not 50 <= exact(level) < 100:
        raise InputError(f"{level} % is no level of limits", key="claim", right="Write the level that was printed, such as 95 % CI")
    return float(exact(level)) / 100


def _once(text: str) -> None:
    """Refuse a sentence with several of a kind: one of them would be judged, and the others passed over."""
    if re.search(rf"{_NUMBER}\s*%\s*(?:CI\b|confidence)", text, re.IGNORECASE):
        raise InputError("limits are named that cannot be read", key="claim", right=f"Write for example {_FORMS}")
    outside = text if not (inner := _WITHIN.search(text)) else text[: inner.start()] + text[inner.end() :]
    for pattern, what in ((_COUNT, "counts"), (_PERCENT, "percentages"), (_RATIO, "ratios")):
        several = list(dict.fromkeys(one[0].strip() for one in pattern.finditer(outside)))
        if len(several) > 1:
            raise InputError(f"there are {len(several)} {what}: {' and '.join(several)}", key="claim", right="Check one at a time")


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
