"""Can a printed percentage be, of so many patients, with these limits?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cartrial.evidence.checks.counts import Printing, possible_counts, possible_denominators, printing
from cartrial.evidence.checks.findings import Finding
from cartrial.evidence.checks.intervals import Asked, Fit, fit_limits

__all__ = ["Share", "check_shares"]

# other denominators that are named, and how far below the stated one they are looked for
_NAMED, _BELOW = 3, 10


@dataclass(frozen=True)
class Share:
    """A printed percentage of n patients: its count where that was printed, and its limits."""

    id: str
    of: int
    count: int | None
    value: str | None
    limits: tuple[str, str] | None = None
    level: float = 0.95


def check_shares(shares: Sequence[Share]) -> list[Finding]:
    """Check percentages against the counts, and limits against the methods, that could have printed them.

    Parameters
    ----------
    shares : sequence of Share

    Returns
    -------
    list of Finding
        Of each share the count, then the limits.

    Examples
    --------
    >>> from cartrial.evidence.checks.shares import Share, check_shares
    >>> found = check_shares([Share("", 19, 14, "67")])[0]
    >>> found.verdict, found.said
    ('impossible', '14/19 = 73.7 %, not 67 %; 14 prints 67 % only of 21')
    """
    held = [_counts(share) for share in shares]
    asked, places = [], []
    for i, (share, counts) in enumerate(zip(shares, held, strict=True)):
        for one in counts:
            if share.limits:
                asked.append(Asked(one.count, share.of, *share.limits, share.level))
                places.append(i)
    fits: list[list[tuple[Fit, ...]]] = [[] for _ in shares]
    for place, fitting in zip(places, fit_limits(asked) if asked else [], strict=True):
        fits[place].append(fitting)
    said: list[Finding] = []
    for share, counts, found in zip(shares, held, fits, strict=True):
        said += _judge(share, counts, found)
    return said


def _counts(share: Share) -> tuple[Printing, ...]:
    """Return the counts that are asked of the limits: the printed one, else all that could have printed the value."""
    if share.count is not None:
        return (printing(share.count, share.of, share.value or "0"),)
    return possible_counts(share.value, share.of) if share.value else ()


def _judge(share: Share, counts: tuple[Printing, ...], fits: list[tuple[Fit, ...]]) -> Iterator[Finding]:
    ids = (share.id,) if share.id else ()
    narrowed = [one for one, found in zip(counts, fits, strict=False) if any(fit.kind == "exact" for fit in found)]
    if share.value is not None:
        yield (_of_count if share.count is not None else _of_value)(share, counts, narrowed, ids)
    if share.limits and fits:
        yield _of_limits(share, counts, fits, ids)


def _percent(count: int, of: int, value: str) -> str:
    """Return a share with one decimal more than its print."""
    return f"{100 * count / of:.{max(len(value.partition('.')[2]), 0) + 1}f}"


def _of_count(share: Share, counts: tuple[Printing, ...], narrowed: list[Printing], ids: tuple[str, ...]) -> Finding:
    """Judge a percentage whose count was printed."""
    value, one = str(share.value), counts[0]
    real = _percent(one.count, share.of, value)
    if one.rounded:
        return Finding("consistent", "count", ids, f"{one} = {real} %")
    if one.ways:
        return Finding("unexplained", "count", ids, f"{one} = {real} %, which prints {value} % only where it is {' or '.join(one.ways)}")
    others = [str(other.of) for other in possible_denominators(value, one.count)]
    right = (
        f"{one.count} prints {value} % only of {', '.join(others[:_NAMED])}"
        if others
        else f"{one.count} prints {value} % of none up to 200"
    )
    return Finding("impossible", "count", ids, f"{one} = {real} %, not {value} %; {right}")


def _of_value(share: Share, counts: tuple[Printing, ...], narrowed: list[Printing], ids: tuple[str, ...]) -> Finding:
    """Judge a percentage whose count was not printed."""
    value = share.value or ""
    if not counts:
        below = int(float(value) * share.of / 100)
        beside = ", ".join(f"{count} is {_percent(count, share.of, value)}" for count in (below, below + 1) if count <= share.of)
        other = [str(one) for of in range(share.of - 1, max(share.of - _BELOW, 0), -1) for one in possible_counts(value, of) if one.rounded]
        fit = f"; it fits {', '.join(other[:_NAMED])}" if other else ""
        return Finding("impossible", "count", ids, f"no count of {share.of} prints {value} % ({beside}){fit}")
    if len(counts) == 1:
        one = counts[0]
        if one.rounded:
            return Finding("consistent", "count", ids, f"{one} is the only count that prints {value} %")
        real = _percent(one.count, share.of, value)
        return Finding(
            "unexplained", "count", ids, f"{one} = {real} % is the only count that prints {value} %, and only where it is {one.ways[0]}"
        )
    every = f"{counts[0].count} to {counts[-1].count} of {share.of} print {value} %"
    if len(narrowed) == 1:
        return Finding("consistent", "count", ids, f"{every}; the limits leave {narrowed[0]}")
    return Finding("undecided", "count", ids, every)


def _of_limits(share: Share, counts: tuple[Printing, ...], fits: list[tuple[Fit, ...]], ids: tuple[str, ...]) -> Finding:
    """Judge limits by the best fit of any count."""
    assert share.limits is not None
    printed = f"{share.limits[0]} to {share.limits[1]}"
    pairs = [(one, fit) for one, found in zip(counts, fits, strict=True) for fit in found]
    exact = [(one, fit) for one, fit in pairs if fit.kind == "exact"]
    if exact:
        named = list(dict.fromkeys(fit.method for _, fit in exact))
        return Finding("consistent", "limits", ids, f"{exact[0][0]}: {printed} are limits of {', '.join(named)}")
    for kind in ("rounded twice", "truncated", "one unit"):
        found = [(one, fit) for one, fit in pairs if fit.kind == kind]
        if found:
            one, fit = found[0]
            how = "a unit away" if kind == "one unit" else kind
            text = f"{one}: no method prints {printed}; {fit.method} is {fit.lower:.3f} to {fit.upper:.3f}, {how}"
            return Finding("unexplained", "limits", ids, text)
    return Finding("unexplained", "limits", ids, f"{counts[0]}: no method in use comes near {printed}")
