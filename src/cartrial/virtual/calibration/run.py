"""How is the ensemble made again, and how good is it? Fit, ensemble, score, leave-one-trial-out, and what informs what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.virtual.calibration.between import linear_of, write_linear
from cartrial.virtual.calibration.between_score import assess_spread
from cartrial.virtual.calibration.burden import tabulate_burden
from cartrial.virtual.calibration.fit import Fit, Problem, fit_map, sample_ensemble
from cartrial.virtual.patients.ensemble import Ensemble, write_ensemble
from cartrial.virtual.patients.population import DATA

__all__ = ["FILES", "Calibration", "calibrate", "leave_out", "read_scores", "score_targets"]

FILES = tuple(
    f"{name}.csv" for name in ("ensemble", "sensitivities", "between", "scores", "left-out", "parameters", "directions", "burden")
)
"""Files that a calibration leaves in its folder."""

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]
_LEFT_OUT_MEMBERS = 32


@dataclass(frozen=True)
class Calibration:
    """What a calibration gives.

    Parameters
    ----------
    ensemble : Ensemble
    scores : polars.DataFrame
        One row for each target: id, trial, use, published with its interval, simulated mean with its 80 % band, z, band over interval.
    left_out : polars.DataFrame
        The same for each fitted trial, predicted by an ensemble fitted without it; `left_out` names it. Empty if not asked for.
    parameters : polars.DataFrame
        Prior and posterior of each calibrated parameter, and the targets that move most with it.
    directions : polars.DataFrame
        Directions of parameters by how much they are informed: strength (target standard deviations by prior standard deviation),
        parameters, targets.
    informed : float
        Effective number of informed directions, of `len(parameters)`.
    """

    ensemble: Ensemble
    scores: pl.DataFrame
    left_out: pl.DataFrame
    parameters: pl.DataFrame
    directions: pl.DataFrame
    informed: float

    @property
    def verdict(self) -> str:
        """One sentence on the scores."""
        parts = []
        for use in ("fit", "consulted", "held-out"):
            rows = self.scores.filter(pl.col("use") == use)
            z, band = np.abs(rows["z"].to_numpy()), rows["band_over_interval"].to_numpy()
            widest = f"widest band {band.max():.2f} of the interval"
            parts.append(f"{use}: |z| < 1.96 for {(z < 1.96).sum()} of {len(rows)}, largest {z.max():.2f}, {widest}")
        return "; ".join(parts)


def score_targets(problem: Problem, predicted: Floats) -> pl.DataFrame:
    """Compare an ensemble's predictions with what was published.

    Parameters
    ----------
    problem : Problem
    predicted : ndarray of float64, shape (members, targets)
        On the scale of comparison.

    Returns
    -------
    polars.DataFrame
        z = (mean - published) / root(variance of the published + variance of the ensemble); the band is its 10th to 90th percentile.

    Examples
    --------
    By hand: an ensemble whose members all predict what was published is off by nothing.

    >>> import numpy as np
    >>> from cartrial.virtual.calibration import score_targets
    >>> from cartrial.virtual.calibration.fit import Problem
    >>> problem = Problem()
    >>> scores = score_targets(problem, np.tile(problem.published[0], (2, 1)))
    >>> scores.height == len(problem.registry.targets), scores["z"].unique().to_list()
    (True, [0.0])
    """
    value, sd = problem.published
    mean, spread = predicted.mean(0), predicted.std(0)
    low, high = np.quantile(predicted, [0.1, 0.9], axis=0)
    rows = []
    for i, target in enumerate(problem.registry.targets):
        back = np.exp if target.scale == "ln" else float
        published = target.published
        rows.append(
            {
                "target": target.id,
                "trial": target.trial,
                "use": target.use,
                "published": published[0],
                "lower": published[1],
                "upper": published[2],
                "simulated": float(back(mean[i])),
                "band_low": float(back(low[i])),
                "band_high": float(back(high[i])),
                "z": float((mean[i] - value[i]) / np.hypot(sd[i], spread[i])),
                "band_over_interval": float((high[i] - low[i]) / (target.compare(published[2]) - target.compare(published[1]))),
                "source": target.source,
            }
        )
    return pl.DataFrame(rows)


def _fresh(problem: Problem, sets: Floats, seed: int, progress: Progress | None, label: str, factor: float = 2.0) -> Floats:
    """Simulate an ensemble with fresh chances for each member and more patients."""
    return problem.predict_all(
        list(sets), [seed + i for i in range(len(sets))], everything=True, factor=factor, progress=progress, label=label
    )


def leave_out(
    problem: Problem, fit: Fit, trial: str, *, members: int = _LEFT_OUT_MEMBERS, seed: int = 9, progress: Progress | None = None
) -> pl.DataFrame:
    """Predict a trial by an ensemble fitted without it.

    Parameters
    ----------
    problem : Problem
    fit : Fit
        Of all trials: where the search starts, not what it ends with.
    trial : str
    members, seed, progress
        As in `sample_ensemble`.

    Returns
    -------
    polars.DataFrame
        Scores of that trial's targets, with `left_out`.

    Examples
    --------
    Where the only published result is left out, the prior alone predicts it, whatever the fit.

    >>> import numpy as np
    >>> from cartrial.virtual import load_targets
    >>> from cartrial.virtual.calibration import leave_out
    >>> from cartrial.virtual.calibration.fit import Fit, Problem
    >>> targets = tuple(target for target in load_targets().targets if target.id == "inaticel-orr-at-3")
    >>> registry = load_targets().model_copy(update={"targets": targets})
    >>> problem = Problem(registry=registry, fitted=registry.fitted)
    >>> start = Fit(np.zeros(n := len(problem.model.names)), np.zeros((1, n)), np.zeros(1), 0.0)
    >>> leave_out(problem, start, "inati-cel", members=2).select("target", "left_out").rows()
    [('inaticel-orr-at-3', 'inati-cel')]
    """
    rest = problem.without(trial)
    # the sensitivities at the start are those of the fit, without the rows of this trial
    rows = rest.fitted[problem.fitted]
    again = fit_map(rest, start=fit.scaled, jacobian=fit.jacobian[rows], iterations=3, progress=progress)
    sets = sample_ensemble(rest, again, members, seed=seed, iterations=2, progress=progress)
    own = problem.only(trial)
    scores = score_targets(own, _fresh(own, sets, 7000, progress, f"without {trial}", factor=1.0))
    return scores.with_columns(pl.lit(trial).alias("left_out"))


def _parameters(problem: Problem, fit: Fit, sets: Floats) -> pl.DataFrame:
    mean, sd = problem.model.prior
    targets = [target.id for target, used in zip(problem.registry.targets, problem.fitted, strict=True) if used]
    natural = problem.model.natural(sets)
    rows = []
    for i, free in enumerate(problem.model.free):
        strongest = np.argsort(-np.abs(fit.jacobian[:, i]))[:3]
        low, middle, high = np.quantile(natural[free.name], [0.1, 0.5, 0.9])
        rows.append(
            {
                "parameter": free.name,
                "unit": free.unit,
                "prior_median": free.median,
                "posterior_median": float(middle),
                "band_low": float(low),
                "band_high": float(high),
                "shift": float((sets[:, i].mean() - mean[i]) / sd[i]),
                "sd_ratio": float(sets[:, i].std() / sd[i]),
                "moves": "; ".join(f"{targets[k]} {fit.jacobian[k, i]:+.1f}" for k in strongest),
            }
        )
    return pl.DataFrame(rows)


def _directions(problem: Problem, fit: Fit) -> pl.DataFrame:
    names = problem.model.names
    targets = [target.id for target, used in zip(problem.registry.targets, problem.fitted, strict=True) if used]
    left, strength, right = np.linalg.svd(fit.jacobian, full_matrices=False)
    rows = []
    for k, s in enumerate(strength):
        by_parameter = np.argsort(-np.abs(right[k]))[:3]
        by_target = np.argsort(-np.abs(left[:, k]))[:3]
        rows.append(
            {
                "direction": k + 1,
                "strength": float(s),
                "informed": float(s**2 / (1 + s**2)),
                "parameters": "; ".join(f"{names[i]} {right[k, i]:+.2f}" for i in by_parameter),
                "targets": "; ".join(targets[i] for i in by_target),
            }
        )
    return pl.DataFrame(rows)


def calibrate(
    out: Path,
    *,
    members: int = 160,
    seed: int = 9,
    workers: int = 2,
    left_out: bool = True,
    burden: bool = True,
    problem: Problem | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Make the ensemble from the registry of published results, and write it with its scores.

    Parameters
    ----------
    out : Path
        Folder; gets `ensemble.csv`, `scores.csv`, `left-out.csv`, `parameters.csv`, `directions.csv` and `burden.csv`. The
        package's own stand in `data`.
    members : int
        Parameter sets started; 85 % are kept.
    seed : int
        Of the perturbations.
    workers : int
        Threads.
    left_out : bool
        Also predict each trial without itself (several times as long).
    burden : bool
        Also tabulate outcomes by blasts, in every population, under the mean of the ensemble.
    problem : Problem, optional
        The built-in model and registry without it.
    progress : callable, optional
        Called with a label and the share done.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        For fewer than 2 members or no worker.

    Notes
    -----
    1. Levenberg-Marquardt from the prior's mean, the same patients' chances throughout.
    2. Randomised maximum likelihood around it.
    3. Scores by simulating every kept member again, with fresh chances and twice the patients: they hold parameter and Monte-Carlo
       uncertainty. Nothing is accepted on the score.

    Examples
    --------
    The files that it writes, here for one published result and four patients; for all of them it takes minutes.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.virtual import load_targets
    >>> from cartrial.virtual.calibration import calibrate
    >>> from cartrial.virtual.calibration.fit import Problem
    >>> targets = tuple(target for target in load_targets().targets if target.id == "inaticel-orr-at-3")
    >>> registry = load_targets().model_copy(update={"targets": targets})
    >>> problem = Problem(registry=registry, fitted=registry.fitted, sizes={"inaticel": (4, 120.0)})
    >>> with TemporaryDirectory() as folder:
    ...     found = calibrate(Path(folder), members=2, left_out=False, burden=False, problem=problem)
    ...     print(sorted(path.name for path in Path(folder).iterdir()), len(found.ensemble))
    ['between.csv', 'directions.csv', 'ensemble.csv', 'parameters.csv', 'scores.csv', 'sensitivities.csv'] 1
    """
    if members < 2 or workers < 1:
        raise InputError("a calibration needs at least 2 members and 1 worker", right="Give more")
    problem = problem or Problem(workers=workers)
    out.mkdir(parents=True, exist_ok=True)
    fit = fit_map(problem, iterations=12, progress=progress)
    sets = sample_ensemble(problem, fit, members, seed=seed, progress=progress)
    about = {
        "informed": round(fit.informed, 1),
        "model": problem.model.version,
        "seed": seed,
        "started": members,
        "targets": problem.registry.version,
    }
    ensemble = Ensemble(sets, problem.model, about)
    write_ensemble(out / "ensemble.csv", ensemble)
    linear = linear_of(problem, fit)
    write_linear(out / "sensitivities.csv", linear)
    assess_spread(linear).write_csv(out / "between.csv", float_precision=4)
    scores = score_targets(problem, _fresh(problem, sets, 5000, progress, "scores"))
    tables = {"scores": scores, "parameters": _parameters(problem, fit, sets), "directions": _directions(problem, fit)}
    rest = scores.clear().with_columns(pl.lit("").alias("left_out"))
    for name, table in tables.items():
        table.write_csv(out / f"{name}.csv", float_precision=4)
    if burden:
        middle = {name: float(value) for name, value in problem.model.natural(sets.mean(0)).items()}
        tabulate_burden(middle, threads=workers).write_csv(out / "burden.csv", float_precision=4)
    if left_out:
        rest = pl.concat([leave_out(problem, fit, trial, seed=seed, progress=progress) for trial in problem.registry.trials])
        rest.write_csv(out / "left-out.csv", float_precision=4)
    return Calibration(ensemble, scores, rest, tables["parameters"], tables["directions"], fit.informed)


def read_scores(name: str = "scores") -> pl.DataFrame:
    """Return a table of the built-in calibration: `scores`, `left-out`, `parameters`, `directions`, `burden` or `between`.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    The response at month 3 that was published, 34 of 48, beside what the ensemble gives: within its interval.

    >>> from cartrial.virtual.calibration import read_scores
    >>> row = read_scores().filter(target="inaticel-orr-at-3").to_dicts()[0]
    >>> round(row["published"], 3), row["lower"] < row["simulated"] < row["upper"]
    (0.708, True)
    """
    path = DATA / f"{name}.csv"
    known = ("scores", "left-out", "parameters", "directions", "burden", "between")
    if name not in known or not path.exists():
        raise InputError(f"there is no table '{name}' of the calibration", right="Known tables are: " + ", ".join(known))
    return pl.read_csv(path)
