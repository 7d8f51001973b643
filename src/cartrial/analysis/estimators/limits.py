"""What are the confidence limits of a probability that has a standard error? As R's survfit has them."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from cartrial.analysis.estimators.arguments import check_level, check_word

__all__ = ["ConfType", "check_conf_type", "normal_quantile", "probability_limits"]

ConfType = Literal["log-log", "log", "plain"]


def check_conf_type(conf_type: object) -> None:
    """Refuse an unknown kind of limits."""
    check_word(conf_type, get_args(ConfType), "conf_type", "kind of limits")


def normal_quantile(conf_level: float) -> float:
    """Return the standard normal quantile of a two-sided confidence level, e.g. 1.96 for 0.95."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + check_level(conf_level) / 2))


def probability_limits(p: np.ndarray, relative_error: np.ndarray, conf_type: ConfType, conf_level: float) -> tuple[np.ndarray, np.ndarray]:
    """Confidence limits of probabilities.

    Matches ``survival:::survfit_confint`` (R survival 3.5): a limit that is not defined is not a number, namely at p = 0 on the
    log scale, and at p = 0 and p = 1 on the log(-log) scale.

    Parameters
    ----------
    p : ndarray
        Probabilities of any shape.
    relative_error : ndarray
        Standard error of log p, same shape.
    conf_type : {"log-log", "log", "plain"}
    conf_level : float

    Returns
    -------
    lower, upper : ndarray
        Same shape, within 0 to 1.
    """
    check_conf_type(conf_type)
    z = normal_quantile(conf_level)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if conf_type == "plain":
            half = z * relative_error * p
            return np.maximum(p - half, 0.0), np.minimum(p + half, 1.0)
        half = z * relative_error
        log_p = np.log(p)
        if conf_type == "log":
            lower, upper = np.exp(log_p - half), np.minimum(np.exp(log_p + half), 1.0)
            undefined = p == 0
        else:
            spread = np.exp(half / -log_p)
            lower, upper = np.exp(log_p * spread), np.exp(log_p / spread)
            undefined = (p == 0) | (p == 1)
    lower[undefined] = np.nan
    upper[undefined] = np.nan
    return lower, upper
