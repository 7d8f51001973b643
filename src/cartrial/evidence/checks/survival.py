"""What do the limits of a printed survival rate say? Their type, and how many patients they are worth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cartrial.errors import InputError
from cartrial.evidence.registry.stated import decimals, exact

__all__ = ["TYPES", "LimitType", "ratio_lower", "read_limits"]


@dataclass(frozen=True)
class LimitType:
    """Limits of one type, read back.

    Parameters
    ----------
    name : str
        Of `TYPES`.
    centre, centre_low, centre_high : float
        The estimate in the middle of the limits, and where rounding lets it lie. Unit: per cent.
    effective, effective_low, effective_high : float
        Patients at risk that the width is worth: n where nobody was censored before.
    fits : bool
        Whether the centre can have printed the estimate.
    """

    name: str
    centre: float
    centre_low: float
    centre_high: float
    effective: float
    effective_low: float
    effective_high: float
    fits: bool


@dataclass(frozen=True)
class _Scale:
    """A scale on which limits are symmetric: there, back, and how far log S moves for a step on it."""

    there: Callable[[float], float]
    back: Callable[[float], float]
    step: Callable[[float], float]


_SCALES = {
    "log-log": _Scale(lambda s: math.log(-math.log(s)), lambda g: math.exp(-math.exp(g)), lambda s: abs(math.log(s))),
    "log": _Scale(math.log, math.exp, lambda s: 1.0),
    "plain": _Scale(lambda s: s, lambda g: g, lambda s: 1 / s),
    "logit": _Scale(lambda s: math.log(s / (1 - s)), lambda g: 1 / (1 + math.exp(-g)), lambda s: 1 - s),
}
TYPES = tuple(_SCALES)
"""Types of limits, as R's `survfit` calls its `conf.type`."""


def read_limits(value: str, lower: str, upper: str, level: float = 0.95) -> tuple[LimitType, ...]:
    """Read back the limits of a survival rate on each scale.

    On the right scale the estimate lies in the middle. The width is that of Greenwood's error: with S and the standard error of its
    logarithm, (1 - S) / (S se^2) is n where nobody was censored before, and less otherwise.

    Parameters
    ----------
    value, lower, upper : str
        As printed, in per cent, above 0 and below 100.
    level : float
        Of the limits.

    Returns
    -------
    tuple of LimitType
        One for each of `TYPES`.

    Raises
    ------
    InputError
        If a number is 0, 100 or beyond, or the limits are not in order.

    Examples
    --------
    The UK series has log limits, and no other: 65.2 (57.2 to 74.2).

    >>> from cartrial.evidence import read_limits
    >>> [(one.name, round(one.effective)) for one in read_limits("65.2", "57.2", "74.2") if one.fits]
    [('log', 121)]
    """
    from scipy.special import ndtri

    numbers = [float(exact(text)) / 100 for text in (lower, value, upper)]
    if not 0 < numbers[0] < numbers[2] < 1 or not 0 < numbers[1] < 1:
        raise InputError(
            f"limits {lower} to {upper} of {value} cannot be read back", key="limits", right="All are above 0, below 100 and in order"
        )
    z = float(ndtri(0.5 + level / 2))
    half_low, half_value, half_high = (0.5 * 10 ** -decimals(text) / 100 for text in (lower, value, upper))
    low, survival, high = numbers
    found = []
    for name, scale in _SCALES.items():

        def centre(a: float, b: float, scale: _Scale = scale) -> float:
            return scale.back((scale.there(_inside(a)) + scale.there(_inside(b))) / 2)

        def worth(a: float, b: float, scale: _Scale = scale) -> float:
            error = abs(scale.there(_inside(b)) - scale.there(_inside(a))) / (2 * z) * scale.step(survival)
            # limits that may have been one number before they were rounded are worth any number of patients
            return (1 - survival) / (survival * error * error) if error > 0 else math.inf

        least, most = centre(low - half_low, high - half_high), centre(low + half_low, high + half_high)
        found.append(
            LimitType(
                name=name,
                **{"centre": 100 * centre(low, high), "centre_low": 100 * least, "centre_high": 100 * most},
                effective=worth(low, high),
                effective_low=worth(low - half_low, high + half_high),
                effective_high=worth(low + half_low, high - half_high),
                fits=least <= survival + half_value and most >= survival - half_value,
            )
        )
    return tuple(found)


def _inside(share: float) -> float:
    """Return a share that has a logarithm."""
    return min(max(share, 1e-9), 1 - 1e-9)


def ratio_lower(value: str, lower: str, upper: str) -> tuple[float, float] | None:
    """Return between what the lower limit of a ratio lay before it was rounded: the ratio is in the middle on the log scale.

    Returns
    -------
    tuple of float or None
        None where no numbers that print these can be.

    Examples
    --------
    A hazard ratio of 0.15 with limits of 0.1 and 0.5: only where the lower was hardly more than 0.05.

    >>> from cartrial.evidence.checks.survival import ratio_lower
    >>> [round(limit, 3) for limit in ratio_lower("0.15", "0.1", "0.5")]
    [0.05, 0.053]
    """
    numbers = [float(exact(text)) for text in (value, lower, upper)]
    halves = [0.5 * 10 ** -decimals(text) for text in (value, lower, upper)]
    middle, low, high = zip(numbers, halves, strict=True)
    if not middle[0] > 0 or not 0 < low[0] < high[0]:
        raise InputError(f"limits {lower} to {upper} are none of a ratio", key="limits", right="All are above 0 and in order")
    least = max(max(middle[0] - middle[1], 0.0) ** 2 / (high[0] + high[1]), low[0] - low[1])
    most = min((middle[0] + middle[1]) ** 2 / (high[0] - high[1]), low[0] + low[1])
    return (least, most) if least <= most else None
