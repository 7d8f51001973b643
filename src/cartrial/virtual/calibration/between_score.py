"""Is a fitted trial predicted better without itself where trials may differ, and how often does it then lie inside?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.virtual.calibration.between import SCALE, Linear, estimate_spread, trial_moves
from cartrial.virtual.calibration.targets import load_targets

__all__ = ["assess_left_out", "assess_spread"]

Floats = NDArray[np.float64]
SCALES = (0.0, 0.25, SCALE, 1.0, 2.0)


def assess_spread(linear: Linear, scales: Sequence[float] = SCALES, *, draws: int = 1000) -> pl.DataFrame:
    """Predict the fitted results of each trial by those of the others, under several scales of how much trials differ.

    Parameters
    ----------
    linear : Linear
    scales : sequence of float
        Of the half-normal prior of each domain's spread; 0: all trials have the same parameters.
    draws : int
        Spreads drawn for each scale and trial.

    Returns
    -------
    polars.DataFrame
        scale; score (sum over trials of the log density of all results of one trial together); inside, results (in their own central 90 %);
        width (mean of the predictive standard deviations over those without spread).

    Examples
    --------
    Where trials do not differ, the widths are those without spread.

    >>> from cartrial.virtual.calibration.between import load_linear
    >>> from cartrial.virtual.calibration.between_score import assess_spread
    >>> assess_spread(load_linear(), [0.0]).select("results", "width").row(0)
    (58, 1.0)
    """
    plain = _widths(linear, 0.0, 1)[2]
    rows = []
    for scale in scales:
        score, place, width = _widths(linear, scale, draws if scale else 1)
        inside = int(((place > 0.05) & (place < 0.95)).sum())
        rows.append((float(scale), score, inside, len(place), float((width / plain).mean())))
    names = ("scale", "score", "inside", "results", "width")
    return pl.DataFrame(rows, schema=dict(zip(names, (pl.Float64, pl.Float64, pl.Int64, pl.Int64, pl.Float64), strict=True)), orient="row")


def _widths(linear: Linear, scale: float, draws: int) -> tuple[float, Floats, Floats]:
    """Return the score, the place of each result in its predictive distribution, and the standard deviation of that."""
    from scipy.special import ndtr

    score, place, width = 0.0, np.empty(len(linear.level)), np.empty(len(linear.level))
    for trial in dict.fromkeys(linear.trials):
        own = linear.rows(trial)
        spread = estimate_spread(linear.without(trial), scale=scale, draws=draws)
        mean, covariance = _predicted(linear, own, linear.variances(spread.values))
        off = linear.level[own] - mean
        solved = np.linalg.solve(covariance, off[..., None])[..., 0]
        logs = -0.5 * (np.linalg.slogdet(covariance)[1] + (off * solved).sum(1) + own.sum() * np.log(2 * np.pi))
        top = logs.max()
        score += float(top + np.log(spread.weight @ np.exp(logs - top)))
        deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        place[own] = spread.weight @ ndtr(off / deviation)
        width[own] = np.sqrt(spread.weight @ deviation**2)
    return score, place, width


def _predicted(linear: Linear, own: NDArray[np.bool_], variances: Floats) -> tuple[Floats, Floats]:
    """Return mean and covariance of a trial's residuals given those of the others, under each spread."""
    whole = np.eye(len(own)) + linear.jacobian @ linear.jacobian.T + linear.shared(variances)
    across = whole[:, own][:, :, ~own]
    solved = np.linalg.solve(whole[:, ~own][:, :, ~own], np.swapaxes(across, 1, 2))
    mean = np.einsum("nji,j->ni", solved, linear.level[~own])
    return mean, whole[:, own][:, :, own] - across @ solved


def assess_left_out(linear: Linear, left_out: pl.DataFrame, *, draws: int = 500) -> pl.DataFrame:
    """Widen the stored predictions of each fitted trial without itself by what trials differ in, as the other trials tell it.

    Parameters
    ----------
    linear : Linear
    left_out : polars.DataFrame
        The table `left-out` of a calibration: simulated in full, with parameter sets fitted without the trial.
    draws : int
        Spreads drawn for each trial.

    Returns
    -------
    polars.DataFrame
        target, z (as stored), z_spread (with the mean and the variance that a new trial adds, linear), width (of both deviations).

    Examples
    --------
    Of 58 results 51 lie in the central 90 % without what trials differ in, 55 with it.

    >>> from cartrial.virtual.calibration import read_scores
    >>> from cartrial.virtual.calibration.between import load_linear
    >>> from cartrial.virtual.calibration.between_score import assess_left_out
    >>> found = assess_left_out(load_linear(), read_scores("left-out"))
    >>> [int((found[name].abs() < 1.645).sum()) for name in ("z", "z_spread")]
    [51, 55]
    """
    targets = {target.id: target for target in load_targets().targets}
    stored = {row["target"]: row for row in left_out.iter_rows(named=True)}
    rows = []
    for trial in dict.fromkeys(linear.trials):
        rest = linear.without(trial)
        shift, added = trial_moves(rest, estimate_spread(rest, draws=draws).resample(draws))
        for i in np.flatnonzero(linear.rows(trial)):
            target = targets[linear.targets[i]]
            value, deviation = target.compared
            moves = linear.jacobian[i] * deviation / np.sqrt(target.weight)
            z, simulated = stored[target.id]["z"], target.compare(stored[target.id]["simulated"])
            before = abs((simulated - value) / z)
            means = shift @ moves
            after = float(np.sqrt(before**2 + np.einsum("i,nij,j->n", moves, added, moves).mean() + means.var()))
            rows.append((target.id, z, float((simulated + means.mean() - value) / after), after / before))
    names = ("target", "z", "z_spread", "width")
    return pl.DataFrame(rows, schema=dict(zip(names, (pl.String, pl.Float64, pl.Float64, pl.Float64), strict=True)), orient="row")
