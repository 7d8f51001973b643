"""How do covariates go with the time to an event? Cox, Firth and Fine-Gray models, fitted by kept libraries (extra `models`).

Which library does what was decided by comparison with R (tests/analysis/test_models.py): statsmodels for Cox (Efron and Breslow equal
R's ``coxph`` to 11 digits; greenwood to 8), firthmodels for Firth (equal to the definition), greenwood for Fine-Gray (equal to R's
``finegray`` with ``coxph``, ties by Breslow, robust standard errors).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl

from cartrial.analysis.estimators.limits import normal_quantile
from cartrial.analysis.estimators.risk import read_status, read_times
from cartrial.errors import InputError
from cartrial.extras import require

__all__ = ["estimate_cox", "estimate_fine_gray", "estimate_firth"]


def estimate_cox(
    frame: pl.DataFrame,
    covariates: Sequence[str],
    *,
    strata: Sequence[str] = (),
    ties: Literal["efron", "breslow"] = "efron",
    time: str = "AVAL",
    status: str = "CNSR",
    conf_level: float = 0.95,
) -> pl.DataFrame:
    """Fit a Cox proportional hazards model to one trial.

    Cox D. J R Stat Soc B 1972;34:187. Matches R ``coxph``: ties by Efron as there (SAS: Breslow).

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
    conf_level : float

    Returns
    -------
    polars.DataFrame
        One row for each term: term, level, reference, coefficient, standard_error, hazard_ratio, lower, upper, p_value (Wald).

    Raises
    ------
    InputError
        If a value is missing or the extra is not installed.

    Examples
    --------
    By hand: the partial likelihood h/(2h + 1) · 1/(1 + h) is largest at h = 1/sqrt(2).

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_cox
    >>> frame = pl.DataFrame({"AVAL": [1, 2, 3], "CNSR": [0, 0, 0], "X": [1, 0, 1]})
    >>> estimate_cox(frame, ["X"])["hazard_ratio"].round(4).to_list()
    [0.7071]
    """
    terms, design = _design(frame, covariates)
    event = read_status(frame, status, 2) == 0
    regression = require("statsmodels.duration.hazard_regression", extra="models")
    groups = None
    if strata:
        groups = (
            frame.select(pl.concat_str([pl.col(name).cast(pl.String) for name in strata], separator="|"))
            .to_series()
            .rank("dense")
            .to_numpy()
        )
    model = regression.PHReg(read_times(frame, time).astype(np.float64), design, status=event.astype(int), ties=ties, strata=groups)
    fit = model.fit(disp=0, tol=1e-12)
    return _result(terms, np.asarray(fit.params), np.asarray(fit.bse), conf_level)


def estimate_firth(
    frame: pl.DataFrame, covariates: Sequence[str], *, time: str = "AVAL", status: str = "CNSR", conf_level: float = 0.95
) -> pl.DataFrame:
    """Fit a Cox model with Firth's penalty to one trial: for few events, or a level that has none.

    Heinze G, Schemper M. Biometrics 2001;57:114 (doi:10.1111/j.0006-341X.2001.00114.x). Ties by Breslow. Limits and p-value by Wald.
    Parameters and result as `estimate_cox`.

    Examples
    --------
    By hand: the penalised likelihood h^1.5/(1 + h)^2 is largest at h = 3, where a Cox model has no largest value.

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_firth
    >>> frame = pl.DataFrame({"AVAL": [1, 2], "CNSR": [0, 1], "X": [1, 0]})
    >>> estimate_firth(frame, ["X"])["hazard_ratio"].round(4).to_list()
    [3.0]
    """
    terms, design = _design(frame, covariates)
    event = read_status(frame, status, 2) == 0
    firth = require("firthmodels", extra="models")
    outcome = np.zeros(len(event), dtype=[("event", bool), ("time", np.float64)])
    outcome["event"], outcome["time"] = event, read_times(frame, time)
    fit = firth.FirthCoxPH(backend="numpy", gtol=1e-6, xtol=1e-6, max_iter=500).fit(design, outcome)
    return _result(terms, np.asarray(fit.coef_), np.asarray(fit.bse_), conf_level)


def estimate_fine_gray(
    frame: pl.DataFrame, covariates: Sequence[str], *, cause: int = 0, time: str = "AVAL", status: str = "CNSR", conf_level: float = 0.95
) -> pl.DataFrame:
    """Fit a Fine-Gray model of the subdistribution hazard of one event to one trial.

    Fine J, Gray R. J Am Stat Assoc 1999;94:496 (doi:10.1080/01621459.1999.10474144). Matches R ``finegray`` with ``coxph(ties =
    "breslow", cluster = subject)``; ``cmprsk::crr`` weighs an event that ties with a censoring differently and agrees to about 1e-3.

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

    Examples
    --------
    By hand: who has the competing event on day 2 stays at risk, so h/(2h + 2) · 1/(2 + h) is largest at h = sqrt(2).

    >>> import polars as pl
    >>> from cartrial.analysis import estimate_fine_gray
    >>> frame = pl.DataFrame({"AVAL": [1, 2, 3, 4], "CNSR": [0, 2, 0, 1], "X": [1, 1, 0, 0]})
    >>> estimate_fine_gray(frame, ["X"])["hazard_ratio"].round(4).to_list()
    [1.4142]
    """
    terms, design = _design(frame, covariates)
    codes = read_status(frame, status, 3)
    library = require("greenwood", extra="models")
    state = np.where(codes == 1, "0 censored", np.where(codes == cause, "1 event", "2 competing"))
    response = library.Surv(read_times(frame, time).astype(np.float64), event=state, type="mstate")
    fit = library.FineGray("1 event").fit(response, design, tol=1e-13, max_iter=100)
    return _result(terms, np.asarray(fit.coef_), np.asarray(fit.std_error_), conf_level)


def _design(frame: pl.DataFrame, covariates: Sequence[str]) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """Return the terms (name, level, reference) and the design matrix, shape (subjects, terms)."""
    terms: list[tuple[str, str, str]] = []
    columns: list[Any] = []
    for name in covariates:
        if name not in frame.columns:
            raise InputError(f"there is no column {name} to use as a covariate", right=f"Columns are: {', '.join(frame.columns)}")
        series = frame[name]
        if series.null_count() or (series.dtype.is_float() and series.is_nan().any()):
            raise InputError(
                "a covariate is missing for a subject", key=name, right="Leave such subjects out before the fit, and count them"
            )
        if series.dtype.is_numeric():
            terms.append((name, "", ""))
            columns.append(series.cast(pl.Float64).to_numpy())
            continue
        levels = series.unique().sort().cast(pl.String).to_list()
        for level in levels[1:]:
            terms.append((name, level, levels[0]))
            columns.append((series.cast(pl.String) == level).cast(pl.Float64).to_numpy())
    if not columns:
        raise InputError("no covariate varies between subjects", right="A covariate needs at least two levels")
    return terms, np.column_stack(columns)


def _result(terms: list[tuple[str, str, str]], coefficient: np.ndarray, error: np.ndarray, conf_level: float) -> pl.DataFrame:
    from scipy.special import ndtr

    z = normal_quantile(conf_level)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        columns = {
            "coefficient": coefficient,
            "standard_error": error,
            "hazard_ratio": np.exp(coefficient),
            "lower": np.exp(coefficient - z * error),
            "upper": np.exp(coefficient + z * error),
            "p_value": 2 * ndtr(-np.abs(coefficient / error)),
        }
    names = pl.DataFrame(terms, schema=["term", "level", "reference"], orient="row")
    numbers = pl.DataFrame({name: np.where(np.isfinite(values), values, np.nan) for name, values in columns.items()}).fill_nan(None)
    return pl.concat([names, numbers], how="horizontal")
