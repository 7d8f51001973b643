"""Which terms does a model have, and how are its figures told? From columns to a matrix, and from coefficients to rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_column, check_filled, check_names
from cartrial.analysis.estimators.limits import normal_quantile
from cartrial.errors import InputError

__all__ = ["Fit", "Terms", "fit_frame", "read_terms", "separable"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """The terms of a model.

    Parameters
    ----------
    names : list of (str, str, str)
        Term, level, reference; numbers have neither of the last.
    x : ndarray of float64, shape (subjects, terms)
        Without their origin, and divided by `scale`.
    scale : ndarray of float64, shape (terms,)
    """

    names: list[tuple[str, str, str]]
    x: Floats
    scale: Floats


@dataclass(frozen=True)
class Fit:
    """Figures of the terms that could be estimated, with standard deviation 1.

    Parameters
    ----------
    terms : ndarray of int64, shape (k,)
        Which they are.
    coefficient, error, lower, upper, p_value : ndarray of float64, shape (k,)
    method : str
    why : str
        Why other terms, or all, are not estimable.
    """

    terms: Integers
    coefficient: Floats
    error: Floats
    lower: Floats
    upper: Floats
    p_value: Floats
    method: str
    why: str = ""

    @classmethod
    def none(cls, method: str, why: str) -> Fit:
        """Return a fit that gives no figure."""
        empty = np.zeros(0)
        return cls(np.zeros(0, np.int64), empty, empty, empty, empty, empty, method, why)

    @classmethod
    def wald(cls, terms: Integers, coefficient: Floats, error: Floats, conf_level: float, method: str, why: str = "") -> Fit:
        """Return a fit with limits and p-value by Wald."""
        from scipy.special import ndtr

        half = normal_quantile(conf_level) * error
        p_value = 2 * ndtr(-np.abs(coefficient) / np.where(error > 0, error, np.nan))
        return cls(terms, coefficient, error, coefficient - half, coefficient + half, p_value, method, why)


def read_terms(frame: pl.DataFrame, covariates: Sequence[str], *others: str) -> Terms:
    """Read the covariates of a model.

    Parameters
    ----------
    frame : polars.DataFrame
    covariates : sequence of str
        Numbers are used as they are; text, Enum and flags become indicators against their first level.
    *others : str
        Columns of the model that are no covariates.
    """
    names: list[tuple[str, str, str]] = []
    columns: list[np.ndarray] = []
    chosen = check_names(covariates, "covariates")
    for name in chosen:
        series = check_column(frame, name, "to use as a covariate")
        if name in others:
            raise InputError("time, status and strata are no covariates", key=name, right="Leave it out of the covariates")
        check_filled(series, "a covariate is missing for a subject", "Leave such subjects out before the fit, and count them")
        if series.dtype.is_numeric():
            values = series.cast(pl.Float64).to_numpy()
            if not np.isfinite(values).all():
                raise InputError("a covariate is not a finite number", key=name, right="Finite numbers")
            if np.ptp(values) <= 1e-12 * np.abs(values).max():
                raise _constant(name)
            names.append((name, "", ""))
            columns.append(values)
            continue
        if series.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Boolean):
            raise InputError(f"a covariate of type {series.dtype} has no meaning here", key=name, right="Numbers, or levels as text")
        levels = series.unique().sort().cast(pl.String).to_list()
        if len(levels) < 2:
            raise _constant(name)
        names.extend((name, level, levels[0]) for level in levels[1:])
        columns.extend((series.cast(pl.String) == level).cast(pl.Float64).to_numpy() for level in levels[1:])
    if not columns:
        raise InputError("there is no covariate", key="covariates", right="Name a column that varies between subjects")
    # The first value is taken off before any mean is: where an origin is far away, its digits do not drown the rest. The range is taken
    # out before squares are formed: those of very large or small numbers are no numbers.
    x = np.column_stack(columns)
    x = x - x[0]
    scale = np.abs(x).max(axis=0)
    return Terms(names, x / scale, scale)


def _constant(name: str) -> InputError:
    return InputError("a covariate has the same value for every subject", key=name, right="Name one that varies between subjects")


def separable(information: Floats) -> tuple[Integers, Integers]:
    """Tell which terms the events can tell apart.

    Parameters
    ----------
    information : ndarray of float64, shape (terms, terms)
        At coefficients of 0.

    Returns
    -------
    kept, estimable : ndarray of int64
        Terms that are independent of each other, and those among them whose coefficient does not depend on which others are kept.
        A term that is constant in every risk set, or the sum of others, is not estimable.
    """
    size = np.sqrt(np.maximum(np.diag(information), 0))
    alive = np.flatnonzero(size > 1e-6 * max(1.0, float(size.max(initial=0.0))))
    if not len(alive):
        return alive, alive
    matrix = information[np.ix_(alive, alive)] / np.outer(size[alive], size[alive])
    values, vectors = np.linalg.eigh(matrix)
    null = vectors[:, values < 1e-11]
    estimable = alive[np.abs(null).max(axis=1, initial=0.0) < 1e-5]
    kept: list[int] = estimable.tolist()
    for term in alive:
        trial = np.array([*kept, term])
        if term not in kept and np.linalg.eigvalsh(matrix[np.ix_(*(np.searchsorted(alive, trial),) * 2)])[0] > 1e-11:
            kept.append(int(term))
    return np.array(sorted(kept), np.int64), estimable


def fit_frame(terms: Terms, deviation: Floats, fit: Fit) -> pl.DataFrame:
    """Return one row for each term, on the scale of the covariates; a term that is not estimable has no figure and says so.

    Parameters
    ----------
    terms : Terms
    deviation : ndarray of float64, shape (terms,)
        Standard deviation of each column of `Terms.x` among those at risk.
    fit : Fit
    """
    k = len(terms.names)
    scale = terms.scale * deviation
    figures = {}
    for name, values in (("coefficient", fit.coefficient), ("standard_error", fit.error), ("lower", fit.lower), ("upper", fit.upper)):
        column = np.full(k, np.nan)
        column[fit.terms] = values / scale[fit.terms]
        figures[name] = column
    p_value = np.full(k, np.nan)
    p_value[fit.terms] = fit.p_value
    converged = np.isfinite(np.column_stack([*figures.values(), p_value])).all(axis=1)
    converged &= np.nan_to_num(figures["standard_error"]) > 0
    with np.errstate(over="ignore", under="ignore"):
        columns = {
            "coefficient": figures["coefficient"],
            "standard_error": figures["standard_error"],
            "hazard_ratio": np.exp(figures["coefficient"]),
            "lower": np.exp(figures["lower"]),
            "upper": np.exp(figures["upper"]),
            "p_value": p_value,
        }
    for name in ("hazard_ratio", "lower", "upper"):  # beyond what a number can hold: none rather than 0 or infinite
        columns[name] = np.where(np.isfinite(columns[name]) & (columns[name] > 0), columns[name], np.nan)
    why = fit.why or "the fit did not converge"
    return pl.DataFrame(
        [
            *pl.DataFrame(terms.names, schema=["term", "level", "reference"], orient="row").get_columns(),
            *(pl.Series(name, np.where(converged, values, np.nan)).fill_nan(None) for name, values in columns.items()),
            pl.Series("method", [fit.method if good else f"{fit.method}: not estimable, {why}" for good in converged]),
            pl.Series("converged", converged),
        ]
    )
