"""How is a statistic printed? The text of a results row."""

from __future__ import annotations

from functools import cache
from math import floor

import polars as pl

__all__ = ["DAY", "DAYS_PER_MONTH", "MONTH", "PROPORTION", "day_of_month", "decimals_of", "fixed_text", "text_of"]

DAY = "day"
MONTH = "month"
PROPORTION = "proportion"

DAYS_PER_MONTH = 30.4375

_COUNTS = {"n", "N", "events", "censored", "at_risk", "n_censored", "not_yet_assessable", "not_read", "df", "missing", "episodes"}
_COUNTS |= {"shorter", "unknown", "by_date", "died", "open", "low_alone", "records", "adequate", "not_evaluable"}
_TIMES_REACHED = {"median", "q25", "q75", "median_months"}
_P_VALUES = {"p_value", "p_adjusted"}
_FLAGS = {"rejected"}
_TWO_DECIMALS = {"hazard_ratio", "geometric_mean_ratio", "lower", "upper", "kappa"}
_TWO_DECIMALS |= {"minus_two_log_likelihood", "monte_carlo_error", "aic", "bic", "gain"}


def day_of_month(month: float) -> float:
    """Return the whole day of a month of 30.4375 days, halves up: 30, 61, 91, 183, 274, 365, 548, 731, 1096 for months 1, 2, 3, 6, 9,
    12, 18, 24, 36 (rules, A20).
    """
    return float(floor(month * DAYS_PER_MONTH + 0.5))


@cache
def text_of(statistic: str, unit: str) -> pl.Expr:
    """Return what the report prints for a column of values.

    Proportions are percent with one decimal, half away from zero; P values have four and no zero before the point, ``< .0001``
    below; counts none; days as many as they need, at most one, months one; ratios, kappa, -2 log likelihood and its like two; any other
    figure four significant digits. A time that is not reached, and its upper limit, is ``NR``; a lower limit that cannot be computed, and
    whatever else is not estimable, ``NE``.

    Parameters
    ----------
    statistic : str
        The column, which is also the statistic's name.
    unit : str
        ``proportion``, ``day``, ``month``, any other, blank, or ``*`` where it differs by row.

    Returns
    -------
    polars.Expr
        String.
    """
    value = pl.col(statistic).cast(pl.Float64)
    base = statistic.removesuffix("_lower").removesuffix("_upper")
    if statistic in _FLAGS:
        return pl.when(value == 1).then(pl.lit("yes")).when(value == 0).then(pl.lit("no")).otherwise(pl.lit("not tested"))
    if statistic in _COUNTS:
        text = value.round().cast(pl.Int64).cast(pl.String)
    elif statistic in _P_VALUES:
        text = (
            pl.when(value < 0.0001)
            .then(pl.lit("< .0001"))
            .when(value > 0.9999)
            .then(pl.lit("> .9999"))
            .otherwise(_decimals(value, 4).str.strip_prefix("0"))
        )
    elif unit == PROPORTION:
        text = _decimals(100 * value, 1)
    elif unit == DAY:
        text = _decimals(value, 1).str.strip_suffix(".0")
    elif unit == MONTH:
        text = _decimals(value, 1)
    elif statistic in _TWO_DECIMALS:
        text = _decimals(value, 2)
    elif statistic == "chi_square":
        text = _decimals(value, 3)
    else:
        text = value.round_sig_figs(4).cast(pl.String).str.strip_suffix(".0")
    # a lower limit is never what is not reached yet (rules, A22)
    missing = "NR" if base in _TIMES_REACHED and unit in (DAY, MONTH) and not statistic.endswith("_lower") else "NE"
    return pl.when(value.is_null() | value.is_nan()).then(pl.lit(missing)).otherwise(text)


def decimals_of(value: pl.Expr, most: int = 3) -> pl.Expr:
    """Return how many decimals the values of a group need, at most `most`."""
    needed = pl.lit(most)
    for places in reversed(range(most)):
        exact = ((value * 10**places).round() - value * 10**places).abs() < 1e-9 * (1 + (value * 10**places).abs())
        needed = pl.when(exact.fill_null(True).all()).then(pl.lit(places)).otherwise(needed)
    return needed


def fixed_text(value: pl.Expr, places: pl.Expr, most: int = 4) -> pl.Expr:
    """Return values with as many decimals as another column says, halves away from zero; ``NE`` what is not known."""
    text = _decimals(value, most)
    for number in reversed(range(most)):
        text = (
            pl.when(places == number)
            .then(_decimals(value, number) if number else _decimals(value, 0).str.strip_suffix(".0"))
            .otherwise(text)
        )
    return pl.when(value.is_null() | value.is_nan()).then(pl.lit("NE")).otherwise(text)


def _decimals(value: pl.Expr, places: int) -> pl.Expr:
    """Return a fixed number of decimals, halves rounded away from zero (a product such as 100 * 0.8125 may lie a bit below its half)."""
    scale = 10**places
    whole = (value.abs() * scale + 0.5 + 1e-9).floor().fill_nan(None).clip(0, 9e17).cast(pl.Int64)
    sign = pl.when((value < 0) & (whole > 0)).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str([sign, (whole // scale).cast(pl.String), pl.lit("."), (whole % scale).cast(pl.String).str.zfill(places)])
