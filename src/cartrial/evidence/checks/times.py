"""Can a printed survival, median or ratio be, with these limits and so many patients?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from cartrial.evidence.checks.findings import Finding
from cartrial.evidence.checks.survival import ratio_lower, read_limits
from cartrial.evidence.registry.stated import NOT_REACHED, decimals, exact

__all__ = ["check_around", "check_ratio", "check_survival"]


def check_survival(
    value: str, limits: tuple[str, str], of: int | None, ids: tuple[str, ...] = (), level: float = 0.95
) -> Iterator[Finding]:
    """Yield what the limits of a survival rate say.

    Examples
    --------
    >>> from cartrial.evidence.checks.times import check_survival
    >>> print(next(check_survival("66", ("58", "79"), 79)).said)
    58 to 79 are limits of no type around 66 %; in their middle lies 69.9 % (69.4 to 70.4) by log-log
    """
    low, high = exact(limits[0]), exact(limits[1])
    if not 0 < low < high < 100 or not 0 < exact(value) < 100:
        return
    types = read_limits(value, *limits, level)
    fitting = [one for one in types if one.fits]
    printed = f"{limits[0]} to {limits[1]}"
    if not fitting:
        one = types[0]
        middle = f"{one.centre:.1f} % ({one.centre_low:.1f} to {one.centre_high:.1f})"
        text = f"{printed} are limits of no type around {value} %; in their middle lies {middle} by {one.name}"
        yield Finding("unexplained", "survival", ids, text)
        return
    worth = [f"{one.name}, worth {one.effective:.0f} ({one.effective_low:.0f} to {_most(one.effective_high)})" for one in fitting]
    patients = f" of {of}" if of is not None else ""
    text = f"{printed} around {value} %: {'; '.join(worth)}{patients} patients"
    possible = of is None or any(one.effective_low <= of for one in fitting)
    yield Finding("consistent" if possible else "unexplained", "survival", ids, text)


def check_ratio(value: str, limits: tuple[str, str], ids: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Yield whether a ratio lies in the middle of its limits on the log scale.

    Examples
    --------
    >>> from cartrial.evidence.checks.times import check_ratio
    >>> print(next(check_ratio("0.15", ("0.1", "0.5"))).said)
    0.15 is in the middle of 0.1 to 0.5 where the lower limit was 0.050 to 0.053 before it was rounded
    """
    printed = f"{limits[0]} to {limits[1]}"
    lower = ratio_lower(value, *limits)
    if lower is None:
        text = f"{value} is not in the middle of {printed} on the log scale, whatever was rounded"
        yield Finding("unexplained", "limits", ids, text)
        return
    places = max(decimals(text) for text in (value, *limits)) + 1
    rounded = f"where the lower limit was {lower[0]:.{places}f} to {lower[1]:.{places}f} before it was rounded"
    yield Finding("consistent", "limits", ids, f"{value} is in the middle of {printed} {rounded}")


def check_around(value: str, limits: tuple[str, str], ids: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Yield a value outside its limits, or on one of them.

    Examples
    --------
    >>> from cartrial.evidence.checks.times import check_around
    >>> next(check_around("17.6", ("5.8", "17.6"))).said
    'the upper limit 17.6 is the value itself'
    """
    if value in NOT_REACHED:
        return
    for limit, name, sign in ((limits[0], "lower", 1), (limits[1], "upper", -1)):
        if limit in NOT_REACHED:
            continue
        beyond = sign * (exact(limit) - exact(value))
        if beyond > 0:
            yield Finding("contradictory", "limits", ids, f"{value} lies beyond its {name} limit {limit}")
        elif beyond == 0:
            yield Finding("consistent", "limits", ids, f"the {name} limit {limit} is the value itself")


def _most(number: float) -> str:
    return f"{number:.0f}" if math.isfinite(number) else "any number"
