"""How do covariates go with the time to an event? Cox models, with Firth's penalty where the likelihood has no largest value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import polars as pl

from cartrial.analysis.estimators.arguments import Codes, check_frame, check_level, check_names, check_word, read_status, read_times
from cartrial.analysis.estimators.groups import group_rows
from cartrial.analysis.estimators.models.likelihood import Likelihood, cox_likelihood
from cartrial.analysis.estimators.models.newton import maximise, profile_drop, profile_limit
from cartrial.analysis.estimators.models.terms import Fit, fit_frame, read_terms, separable
from cartrial.errors import InputError

__all__ = ["estimate_cox", "estimate_firth"]

Ties = Literal["efron", "breslow"]

_COX = {"efron": "Cox model, ties by Efron", "breslow": "Cox model, ties by Breslow"}
_FIRTH = "Cox model with Firth's penalty, ties by Breslow, profile limits"
_ALIKE = "no event tells it from the other terms"


def estimate_cox(
    frame: pl.DataFrame,
    covariates: Sequence[str],
    *,
    strata: Sequence[str] = (),
    ties: Ties = "efron",
    time: str = "AVAL",
    status: str = "CNSR",
    codes: Codes = "0/1",
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Fit a Cox proportional hazards model to one trial.

    Cox D. J R Stat Soc B 1972;34:187. Matches R ``coxph``: ties by Efron as there (SAS: Breslow). Covariates are centred and scaled
    before the fit, and Newton's steps are halved. Where the likelihood has no largest value (a level without events, or a coefficient
    beyond 10 standard deviations) `estimate_firth` is taken, and `method` says so.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each subject.
    covariates : sequence of str
        Numbers are used as they are; text and Enum columns become indicators against their first level.
    strata : sequence of str
        Columns that define strata, each with its own baseline hazard.
    ties : {"efron", "breslow"}
    time, status : str
        As ADTTE: time, and 0 event, 1 censored.
    codes : {"0/1", "ADaM"}
        ADaM: every code above 0 is censored.
    conf_level : float

    Returns
    -------
    polars.DataFrame
        One row for each term: term, level, reference, coefficient, standard_error, hazard_ratio, lower, upper, p_value (Wald; by Firth
        profiles of the penalised likelihood), method, converged. A fit that has not converged gives no figure: `method` says why.

    Raises
    ------
    InputError
        If a value is missing or cannot be, no covariate varies, or nobody has the event.

    Examples
    --------
    By hand: the partial likelihood h/(2h + 1) · 1/(1 + h) is largest at h = 1/sqrt(2).

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_cox
    >>> frame = pl.DataFrame({"AVAL": [1, 2, 3], "CNSR": [0, 0, 0], "X": [1, 0, 1]})
    >>> estimate_cox(frame, ["X"]).select(pl.col("hazard_ratio").round(4), "method", "converged").row(0)
    (0.7071, 'Cox model, ties by Efron', True)
    """
    check_word(ties, get_args(Ties), "ties", "handling of ties")
    return _estimate(frame, covariates, check_names(strata, "strata"), ties, time, status, codes, conf_level)


def estimate_firth(
    frame: pl.DataFrame,
    covariates: Sequence[str],
    *,
    strata: Sequence[str] = (),
    time: str = "AVAL",
    status: str = "CNSR",
    codes: Codes = "0/1",
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Fit a Cox model with Firth's penalty to one trial: for few events, or a level that has none.

    Heinze G, Schemper M. Biometrics 2001;57:114 (doi:10.1111/j.0006-341X.2001.00114.x), R ``coxphf``. Ties by Breslow. Limits and
    p-value by the profile of the penalised likelihood: twice its fall against the chi-square distribution with one degree of freedom.
    Standard errors by the information without the penalty. Parameters and result as `estimate_cox`.

    Examples
    --------
    By hand: the penalised likelihood h^1.5/(1 + h)^2 is largest at h = 3, where a Cox model has no largest value.

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_firth
    >>> frame = pl.DataFrame({"AVAL": [1, 2], "CNSR": [0, 1], "X": [1, 0]})
    >>> estimate_firth(frame, ["X"])["hazard_ratio"].round(4).to_list()
    [3.0]
    """
    return _estimate(frame, covariates, check_names(strata, "strata"), None, time, status, codes, conf_level)


def _estimate(
    frame: pl.DataFrame,
    covariates: Sequence[str],
    strata: tuple[str, ...],
    ties: Ties | None,
    time: str,
    status: str,
    codes: Codes,
    conf_level: float,
) -> pl.DataFrame:
    """Fit by Cox with these ties; without any, or where that has no largest value, by Firth."""
    check_frame(frame)
    check_level(conf_level)
    times, event = read_times(frame, time), read_status(frame, status, 2, codes) == 0
    if not event.any():
        raise InputError("no subject has the event", key=status, right="A model needs an event")
    terms = read_terms(frame, covariates, time, status, *strata)
    stratum = group_rows(frame, strata, blank=False)[0]
    whole, deviation = cox_likelihood(terms.x, times, event, stratum, efron=ties == "efron").standardised()
    kept, estimable = separable(whole.at(np.zeros(len(deviation))).information)
    if not len(estimable):
        return fit_frame(terms, deviation, Fit.none(_COX[ties] if ties else _FIRTH, _ALIKE))
    likelihood = whole.columns(kept)
    fit = _cox(likelihood, kept, estimable, conf_level, _COX[ties]) if ties else None
    if fit is None:
        fit = _firth(likelihood.penalised(), kept, estimable, conf_level)
    return fit_frame(terms, deviation, fit)


def _cox(likelihood: Likelihood, kept: np.ndarray, estimable: np.ndarray, conf_level: float, method: str) -> Fit | None:
    """Fit by Cox; none where the likelihood rises without end."""
    top = maximise(likelihood)
    if top.monotone:
        return None
    if not top.converged:
        return Fit.none(method, "the fit did not converge")
    error = np.sqrt(np.diag(np.linalg.inv(top.point.information)))
    chosen = np.searchsorted(kept, estimable)
    return Fit.wald(estimable, top.beta[chosen], error[chosen], conf_level, method, _ALIKE)


def _firth(likelihood: Likelihood, kept: np.ndarray, estimable: np.ndarray, conf_level: float) -> Fit:
    """Fit with the penalty; limits and p-value of each coefficient by its profile."""
    from scipy.special import chdtrc, chdtri

    top = maximise(likelihood)
    if not top.converged:
        return Fit.none(_FIRTH, "the fit did not converge")
    error = np.sqrt(np.diag(np.linalg.inv(top.point.information)))
    fall = float(chdtri(1, 1 - conf_level))
    chosen = np.searchsorted(kept, estimable)
    lower, upper = (
        np.array([profile_limit(likelihood, top, int(term), fall, float(error[term]), side) for term in chosen]) for side in (-1, 1)
    )
    drop = np.array([profile_drop(likelihood, top, int(term), 0.0)[0] for term in chosen])
    return Fit(estimable, top.beta[chosen], error[chosen], lower, upper, chdtrc(1, np.maximum(drop, 0.0)), _FIRTH, _ALIKE)
