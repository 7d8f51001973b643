"""What can no model be fitted to, and which fit is none? Each with what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from cartrial.errors import InputError
from cartrial.kinetics.codes import ABOVE, BELOW, MEASURED

if TYPE_CHECKING:
    from cartrial.kinetics.estimation.information import Polished
    from cartrial.kinetics.estimation.saem import Estimate
    from cartrial.kinetics.model import PopulationModel, Problem, SampleSet

__all__ = ["require_errors", "require_fit", "require_samples"]


class Fitted(Protocol):
    """What is read of a fit: its model with its samples, its estimate, and its table of parameters."""

    @property
    def problem(self) -> Problem:
        """The model with its samples."""

    @property
    def estimate(self) -> Estimate:
        """The estimate."""

    @property
    def polished(self) -> Polished:
        """The last steps."""

    def parameters(self) -> pl.DataFrame:
        """Return the parameters, one a row."""


# a number of cells does not grow ten million times in the days before the peak: then nothing says where it began
_LARGEST_FOLD = 1e7
# two random effects so correlated are one
_EDGE = 0.95
# no assay of cells repeats itself to two percent
_LEAST_ERROR = 0.02
_EXACT = "Look at where these samples come from, name a curve with fewer parameters, or leave the model out"
# of a parameter that no sample shows the likelihood does not change at all
_NO_SLOPE = 1e-9


def require_samples(model: PopulationModel, samples: SampleSet) -> None:
    """Refuse samples that no model can be fitted to.

    Raises
    ------
    InputError
        If too few are measured, of too few subjects, or on too few days.
    """
    counts, side = np.diff(samples.rows.first), samples.rows.side
    leave = "Leave the model of the study file out"
    if np.all(side == BELOW):
        raise InputError("no sample is quantifiable, so there is no curve", right=leave)
    if not np.any(side == MEASURED):
        raise InputError("no sample is measured, all lie beyond a limit, so there is no curve", right=leave)
    if len(counts) < 2:
        raise InputError("one subject is no population", right="A model needs two subjects or more")
    if counts.max() < 2:
        what = "every subject has one sample (of one day the highest counts), so nothing tells subjects from errors"
        raise InputError(what, right="Leave the model out")
    days = len(np.unique(samples.rows.time))
    if days < len(model.parameters):
        what = f"the samples are of {days} different days: they show no curve of {len(model.parameters)} parameters"
        raise InputError(what, right="Leave the model out, or name a curve with fewer parameters")
    measured = int(np.sum((side == MEASURED) | (side == ABOVE)))
    if measured <= len(model.parameters):
        what = f"{measured} quantifiable samples are too few for {len(model.parameters)} parameters"
        raise InputError(what, right="Leave the model out")
    if np.sum(~samples.never) < 2:
        raise InputError("the cells of one subject alone were quantifiable, which is no population", right="Leave the model out")


def require_errors(problem: Problem, estimate: Estimate) -> None:
    """Refuse samples through which the curve passes: without an error nothing says how sure anything is."""
    if problem.model.logarithms and not estimate.error > _LEAST_ERROR:
        what = f"the curve passes through the samples with next to no error (residual {estimate.error:.1g} of the logarithm)"
        raise InputError(f"{what}: no measurements are so exact", right=_EXACT)


def require_fit(found: Fitted) -> None:
    """Refuse a fit of which a parameter is not what it is called.

    Raises
    ------
    InputError
        If a fold is not identified, two correlated effects are one, declines have changed places, or no sample shows a parameter.
    """
    require_errors(found.problem, found.estimate)
    _refuse_fold(found)
    _refuse_edge(found)
    _refuse_declines(found)
    _refuse_unshown(found)


def _typical(found: Fitted, name: str) -> float:
    table = found.parameters().filter((pl.col("kind") == "typical") & (pl.col("parameter") == name))
    return float(table["estimate"][0])


def _refuse_fold(found: Fitted) -> None:
    """Refuse a fold that nothing shows."""
    if "fold" not in found.problem.model.parameters:
        return
    fold = _typical(found, "fold")
    if not fold < _LARGEST_FOLD:
        raise InputError(
            f"the fold of the expansion is not identified: too few samples of the rise, the model would have {fold:.0e}",
            key="curve",
            right="Name the curve rate, which asks for the rate of the growth alone",
        )


def _refuse_edge(found: Fitted) -> None:
    """Refuse correlated random effects of which two are as good as one: the covariance is at the edge of what it can be."""
    if not found.problem.model.full:
        return
    sd = np.sqrt(np.diag(found.estimate.omega))
    correlation = np.tril(found.estimate.omega / np.outer(sd, sd), -1)
    i, j = np.unravel_index(np.argmax(np.abs(correlation)), correlation.shape)
    if abs(correlation[i, j]) > _EDGE:
        random = found.problem.model.random
        raise InputError(
            f"{random[j]} and {random[i]} of the subjects are correlated by {correlation[i, j]:.2f}: these samples cannot tell them apart",
            key="random",
            right="Write random: diagonal",
        )


def _refuse_declines(found: Fitted) -> None:
    """Refuse a persistence that declines as fast as the contraction, or is all of the peak: then no sample shows it."""
    if "beta" not in found.problem.model.parameters:
        return
    alpha, beta, share = (_typical(found, name) for name in ("alpha", "beta", "fb"))
    if beta >= alpha or share >= 1.0:
        what = f"the samples show no slow decline: what persists ({100 * share:.2g} % of the peak) would decline by {beta:.2g} a day"
        raise InputError(
            f"{what}, the contraction by {alpha:.2g}", key="curve", right="Name the curve mono or rate, which have one decline"
        )


def _refuse_unshown(found: Fitted) -> None:
    """Refuse a parameter by which the likelihood of no subject changes: its value is where the search began."""
    first = len(found.problem.names)
    slopes = np.abs(found.polished.likelihood.scores[:, first : first + len(found.problem.held)]).max(axis=0)
    for name, slope in zip(found.problem.held, slopes, strict=True):
        if slope < _NO_SLOPE:
            what = f"no sample shows {name}: the likelihood of no subject changes with it"
            raise InputError(what, key="curve", right="Name a curve without it" + (", such as rate" if name == "tlag" else ""))
