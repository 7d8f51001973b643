"""What share responded? Rates with exact limits and tests, for any number of groups at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_column, check_free, check_null_rates, check_word, read_counts
from cartrial.analysis.estimators.groups import beside, group_rows
from cartrial.analysis.estimators.limits import normal_quantile
from cartrial.errors import InputError

__all__ = ["RateMethod", "binomial_limits", "binomial_p_value", "estimate_rate", "rate_frame"]

Floats = NDArray[np.float64]
RateMethod = Literal["Clopper-Pearson", "Wilson", "mid-p"]


def binomial_limits(
    x: np.ndarray, n: np.ndarray, method: RateMethod = "Clopper-Pearson", conf_level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Confidence limits of a binomial proportion.

    Clopper C, Pearson E. Biometrika 1934;26:404 (doi:10.1093/biomet/26.4.404), R ``binom.test``. Wilson E. J Am Stat Assoc
    1927;22:209 (doi:10.1080/01621459.1927.10502953), R ``prop.test(correct = FALSE)``. Mid-p: the limits at which half the
    probability of x plus that of what is further out is half of 1 - `conf_level`.

    Parameters
    ----------
    x, n : ndarray of integers, same shape
        Responders and subjects. n = 0: limits are not a number.
    method : {"Clopper-Pearson", "Wilson", "mid-p"}
    conf_level : float

    Returns
    -------
    lower, upper : ndarray of float64, same shape
        For x = 0 the lower limit is exactly 0, for x = n the upper exactly 1.

    Examples
    --------
    The upper limit of 0 in 10 is 1 - 0.025^(1/10).

    >>> import numpy as np
    >>> from cartrial.analysis import binomial_limits
    >>> lower, upper = binomial_limits(np.array([0, 10]), np.array([10, 10]))
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([0.0, 0.692], [0.308, 1.0])
    """
    check_word(method, get_args(RateMethod), "method", "method")
    x, n = read_counts(x, n)
    pairs, place = np.unique(np.stack([n.ravel(), x.ravel()]), axis=1, return_inverse=True)
    lower, upper = _limits(pairs[1].astype(np.float64), pairs[0].astype(np.float64), method, conf_level)
    return lower[place].reshape(x.shape), upper[place].reshape(x.shape)


def _limits(x: Floats, n: Floats, method: RateMethod, conf_level: float) -> tuple[Floats, Floats]:
    z = normal_quantile(conf_level)
    tail = (1 - conf_level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "Wilson":
            p = x / n
            middle = (p + z * z / (2 * n)) / (1 + z * z / n)
            half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
            lower, upper = middle - half, middle + half
        elif method == "mid-p":
            lower, upper = _mid_p_limit(x, n, tail), 1 - _mid_p_limit(n - x, n, tail)
        else:
            from scipy.special import betaincinv

            lower = betaincinv(np.maximum(x, 1), n - x + 1, tail)
            upper = 1 - betaincinv(np.maximum(n - x, 1), x + 1, tail)
    lower, upper = np.where(x == 0, 0.0, lower), np.where(x == n, 1.0, upper)
    return np.where(n == 0, np.nan, lower), np.where(n == 0, np.nan, upper)


def _mid_p_limit(x: Floats, n: Floats, tail: float) -> Floats:
    """Return p with P(X > x) + P(X = x) / 2 = tail, by halving an interval 60 times."""
    low, high = np.zeros_like(x), np.ones_like(x)
    for _ in range(60):
        p = (low + high) / 2
        above = (_at_least(x + 1, n, p) + _at_least(x, n, p)) / 2 < tail
        low, high = np.where(above, p, low), np.where(above, high, p)
    return (low + high) / 2


def _at_least(x: Floats, n: Floats, p: Floats | float) -> Floats:
    """Return P(X >= x) for X binomial(n, p)."""
    from scipy.special import betainc

    inner = betainc(np.clip(x, 1, np.maximum(n, 1)), np.maximum(n - x + 1, 1), p)
    return np.where(x <= 0, 1.0, np.where(x > n, 0.0, inner))


def binomial_p_value(
    x: np.ndarray,
    n: np.ndarray,
    null: float | np.ndarray,
    alternative: Literal["greater", "less"] = "greater",
    *,
    test: Literal["exact", "mid-p"] = "exact",
) -> np.ndarray:
    """One-sided p-value of a binomial proportion against a null value. The exact one matches R ``binom.test``.

    The mid-p value counts half of the probability of what was observed (Lancaster H. J Am Stat Assoc 1961;56:223,
    doi:10.1080/01621459.1961.10482105); its type I error can exceed the nominal one.

    Parameters
    ----------
    x, n : ndarray of integers, same shape
        Responders and subjects. n = 0: not a number.
    null : float or ndarray
        Between 0 and 1.
    alternative : {"greater", "less"}
    test : {"exact", "mid-p"}

    Returns
    -------
    ndarray of float64, same shape

    Examples
    --------
    Three of three against one half: 1/8.

    >>> import numpy as np
    >>> from cartrial.analysis import binomial_p_value
    >>> binomial_p_value(np.array([3, 2]), np.array([3, 3]), 0.5).round(3).tolist()
    [0.125, 0.5]
    >>> binomial_p_value(np.array([3, 2]), np.array([3, 3]), 0.5, test="mid-p").round(4).tolist()
    [0.0625, 0.3125]
    """
    check_word(test, ("exact", "mid-p"), "test", "test")
    check_word(alternative, ("greater", "less"), "alternative", "alternative")
    x, n = (counts.astype(np.float64) for counts in read_counts(x, n))
    null = check_null_rates(null)
    if null.ndim and x.ndim and null.shape != x.shape and 1 not in (null.size, x.size):
        raise InputError(f"there are {null.size} null rates and {x.size} numbers", key="null", right="Give one, or one for each number")
    high, rate = (x, null) if alternative == "greater" else (n - x, 1 - null)
    p = _at_least(high, n, rate)
    if test == "mid-p":
        p = (p + _at_least(high + 1, n, rate)) / 2
    return np.where(n == 0, np.nan, p)


def rate_frame(
    counts: pl.DataFrame, *, method: RateMethod = "Clopper-Pearson", conf_level: float = 0.95, responders: str = "n", subjects: str = "N"
) -> pl.DataFrame:
    """Add rate, lower and upper to a frame that has the number of responders and of subjects.

    Parameters
    ----------
    counts : polars.DataFrame
    method, conf_level
        As `binomial_limits`.
    responders, subjects : str
        Columns.

    Returns
    -------
    polars.DataFrame
        `counts` with rate, lower, upper; null where there is no subject.
    """
    check_free(counts.columns, ("rate", "lower", "upper"))
    x, n = (check_column(counts, name, "of counts").to_numpy() for name in (responders, subjects))
    lower, upper = binomial_limits(x, n, method, conf_level)
    with np.errstate(invalid="ignore"):
        rate = x / n
    return counts.with_columns(
        *(pl.Series(name, values).fill_nan(None) for name, values in (("rate", rate), ("lower", lower), ("upper", upper)))
    )


def estimate_rate(
    frame: pl.DataFrame,
    by: Sequence[str] = ("TRIAL",),
    *,
    value: str = "AVAL",
    method: RateMethod = "Clopper-Pearson",
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Estimate a response rate for every group of a frame at once.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each subject, in any order.
    by : sequence of str
        Columns that define a group. None: one group.
    value : str
        Column: 1 responder, 0 non-responder, null not yet assessable (left out of N and counted beside it).
    method : {"Clopper-Pearson", "Wilson", "mid-p"}
    conf_level : float

    Returns
    -------
    polars.DataFrame
        One row for each group, sorted: the group's columns, n, N, not_yet_assessable, rate, lower, upper.

    Raises
    ------
    InputError
        If a value is not 0, 1 or null.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import estimate_rate
    >>> frame = pl.DataFrame({"TRIAL": [1, 1, 1, 1], "AVAL": [1, 1, 0, None]})
    >>> estimate_rate(frame).select("n", "N", "not_yet_assessable").row(0)
    (2, 3, 1)
    """
    series = check_column(frame, value, "of responses")
    codes, keys = group_rows(frame, by)
    numbers = series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)
    response = series.cast(pl.Float64).to_numpy() if numbers else np.zeros(0)
    known = series.is_null().to_numpy() | np.isin(response, (0, 1)) if numbers else np.zeros(1, bool)
    if not known.all():
        raise InputError("a response is neither 0 nor 1", key=value, right="1 responder, 0 non-responder, empty when not yet assessable")
    groups = keys.height if by else min(frame.height, 1)
    state = np.where(np.isnan(response), 2, response).astype(np.int64)
    counted = np.bincount(codes * 3 + state, minlength=3 * groups).reshape(groups, 3)
    columns = [
        pl.Series("n", counted[:, 1]),
        pl.Series("N", counted[:, 0] + counted[:, 1]),
        pl.Series("not_yet_assessable", counted[:, 2]),
    ]
    return rate_frame(beside(keys, columns), method=method, conf_level=conf_level)
