"""How do covariates go with the incidence of one of several competing events? The model of Fine and Gray."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cartrial.analysis.estimators.arguments import check_cause, check_frame, check_level, read_status, read_times
from cartrial.analysis.estimators.models.likelihood import fine_gray_likelihood
from cartrial.analysis.estimators.models.newton import maximise
from cartrial.analysis.estimators.models.terms import Fit, fit_frame, read_terms, separable
from cartrial.errors import InputError

__all__ = ["estimate_fine_gray"]

_METHOD = "Fine-Gray model, ties by Breslow, robust standard errors"


def estimate_fine_gray(
    frame: pl.DataFrame, covariates: Sequence[str], *, cause: int = 0, time: str = "AVAL", status: str = "CNSR", conf_level: float = 0.95
) -> pl.DataFrame:
    """Fit a Fine-Gray model of the subdistribution hazard of one event to one trial.

    Fine J, Gray R. J Am Stat Assoc 1999;94:496 (doi:10.1080/01621459.1999.10474144). Matches R ``finegray`` with ``coxph(ties =
    "breslow", cluster = subject)``; ``cmprsk::crr`` weighs an event that ties with a censoring differently and agrees to about 1e-3.
    Where the likelihood has no largest value (a level without the event, or a coefficient beyond 10 standard deviations) no figure is
    given and `method` says `not estimable`: a penalty for it is not established.

    Parameters
    ----------
    frame, covariates, time, conf_level
        As `estimate_cox`.
    cause : int
        The code of the event to model.
    status : str
        Column of codes: 0 event of interest, 1 censored, 2 competing.

    Returns
    -------
    polars.DataFrame
        As `estimate_cox`; hazard_ratio is that of the subdistribution, standard errors are robust.

    Raises
    ------
    InputError
        As `estimate_cox`.

    Examples
    --------
    By hand: who has the competing event on day 2 stays at risk, so h/(2h + 2) · 1/(2 + h) is largest at h = sqrt(2).

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_fine_gray
    >>> frame = pl.DataFrame({"AVAL": [1, 2, 3, 4], "CNSR": [0, 2, 0, 1], "X": [1, 1, 0, 0]})
    >>> estimate_fine_gray(frame, ["X"])["hazard_ratio"].round(4).to_list()
    [1.4142]
    """
    check_frame(frame)
    check_level(conf_level)
    chosen = check_cause(cause, 3)
    times, codes = read_times(frame, time), read_status(frame, status, 3)
    codes = np.where(codes == 1, 1, np.where(codes == chosen, 0, 2))
    if not (codes == 0).any():
        raise InputError("no subject has the event", key=status, right="A model needs an event of the cause")
    terms = read_terms(frame, covariates, time, status)
    whole, deviation = fine_gray_likelihood(terms.x, times, codes).standardised()
    kept, estimable = separable(whole.at(np.zeros(len(deviation))).information)
    if not len(estimable):
        return fit_frame(terms, deviation, Fit.none(_METHOD, "no event tells it from the other terms"))
    likelihood = whole.columns(kept)
    top = maximise(likelihood)
    if not top.converged:
        why = "the likelihood has no largest value" if top.monotone else "the fit did not converge"
        return fit_frame(terms, deviation, Fit.none(_METHOD, why))
    shift = likelihood.residuals(top.beta) @ np.linalg.inv(top.point.information)
    place = np.searchsorted(kept, estimable)
    error = np.sqrt((shift**2).sum(axis=0))[place]
    fit = Fit.wald(estimable, top.beta[place], error, conf_level, _METHOD, "no event tells it from the other terms")
    return fit_frame(terms, deviation, fit)
