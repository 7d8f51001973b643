"""Are the parameters of simulated populations found again, and do their limits hold? Acceptance of `cartrial.kinetics`; prints tables.

python benchmarks/kinetics_recovery.py recover [sets]     # Stein's curve, six random effects: bias against the true values
python benchmarks/kinetics_recovery.py limits [sets]      # peak and contraction vary: how often Wald's limits hold
python benchmarks/kinetics_recovery.py seeds [seeds]      # one set under several seeds: how far the estimates lie apart
python benchmarks/kinetics_recovery.py speed              # one set of 60 subjects and 15 days, compiled
"""

from __future__ import annotations

import sys
import time

import numpy as np
import polars as pl

from cartrial.kinetics import Plan, PopulationModel, SampleSet, draw_curves, fit_population, read_set
from cartrial.kinetics.estimation.saem import run_saem
from cartrial.kinetics.estimation.starts import start_of
from cartrial.kinetics.model import Problem

NAMES = ("fold", "tmax", "cmax", "alpha", "fb", "beta")
TRUE = np.array([8.269, 2.230, 10.086, -1.833, -4.841, -5.745])
SPREAD = np.array([2.40, 0.38, 0.65, 0.91, 0.80, 0.86])
ERROR = 0.56
DAYS = [2.0, 4.0, 7.0, 10.0, 12.0, 14.0, 17.0, 21.0, 28.0, 42.0, 60.0, 90.0, 150.0, 240.0, 360.0]
SHORT = [2.0, 4.0, 7.0, 10.0, 14.0, 21.0, 28.0, 42.0, 60.0]
FAR = {"fold": 200.0, "tmax": 6.0, "cmax": 3000.0, "alpha": 0.4, "fb": 0.05, "beta": 0.02}


def simulate(seed: int, curve: str, days: list[float], spread: np.ndarray, limit: float, subjects: int = 60) -> SampleSet:
    """Return the samples of a simulated population."""
    g = np.random.default_rng(seed)
    eta = g.standard_normal((subjects, 6)) * spread
    y = np.log(draw_curves(curve, {name: np.exp(TRUE[k] + eta[:, k]) for k, name in enumerate(NAMES)}, days))
    y += ERROR * g.standard_normal(y.shape)
    bound = np.log(limit)
    names = [f"{i:03d}" for i in range(subjects) for _ in days]
    return read_set(names, days * subjects, np.maximum(y, bound).ravel(), np.where(y < bound, -1, 0).ravel())


def recover(sets: int, limit: float = 50.0) -> None:
    """Print the mean of the estimates, and how many standard errors of that mean it is from the truth."""
    found, below = [], []
    for seed in range(1, sets + 1):
        samples = simulate(seed, "stein", DAYS, SPREAD, limit)
        problem = Problem.of(PopulationModel("stein"), samples)
        end = run_saem(problem, start_of(problem, seed, 0, FAR), Plan(300, 200, 2), seed)[0]
        found.append([*end.coefficients, *np.sqrt(np.diag(end.omega)), end.error])
        below.append(float(np.mean(samples.rows.side < 0)))
    values, true = np.array(found), np.array([*TRUE, *SPREAD, ERROR])
    z = (values.mean(axis=0) - true) / (values.std(axis=0, ddof=1) / np.sqrt(sets))
    names = [*NAMES, *(f"spread of {name}" for name in NAMES), "residual"]
    print(f"{sets} sets, {100 * np.mean(below):.0f} % below {limit:g}")
    print(pl.DataFrame({"parameter": names, "true": true, "mean": values.mean(axis=0), "z": z}))


def limits(sets: int) -> None:
    """Print how often 95 % limits hold the truth."""
    model = PopulationModel("mono", varying=("cmax", "alpha"), classes=False)
    spread = np.where(np.isin(NAMES, ("cmax", "alpha")), SPREAD, 0.0)
    true = {"fold": TRUE[0], "tmax": TRUE[1], "cmax": TRUE[2], "alpha": TRUE[3]}
    held: dict[str, list[bool]] = {}
    for seed in range(1, sets + 1):
        fit = fit_population(model, simulate(seed, "mono", SHORT, spread, 50.0), starts=1, size=128, seed=seed)
        for row in fit.parameters().iter_rows(named=True):
            aim = {"typical": np.exp(true.get(row["parameter"], 0.0)), "residual": ERROR}.get(row["kind"])
            aim = SPREAD[NAMES.index(row["parameter"])] if row["kind"] == "spread" else aim
            inside = row["lower"] is not None and row["lower"] <= aim <= row["upper"]
            held.setdefault(f"{row['kind']} {row['parameter']}", []).append(inside)
    for name, flags in held.items():
        print(f"{name}: {sum(flags)} of {len(flags)}")
    print(f"all: {np.mean([flag for flags in held.values() for flag in flags]):.3f}")


def seeds(many: int) -> None:
    """Print how far estimates under several seeds lie apart, in standard errors, and -2 log likelihood."""
    samples = simulate(1, "stein", DAYS, SPREAD, 50.0)
    fits = [fit_population(PopulationModel("stein"), samples, starts=2, seed=seed) for seed in range(1, many + 1)]
    tables = [fit.parameters().with_columns(pl.col("estimate").log().alias("ln")) for fit in fits]
    key = ["kind", "parameter"]
    apart = pl.concat(tables).group_by(key, maintain_order=True)
    logs = [fit.minus_two_log or float("nan") for fit in fits]
    print(f"{many} seeds: -2 log likelihood {min(logs):.2f} to {max(logs):.2f}")
    print(
        apart.agg(
            least=pl.col("estimate").min(),
            most=pl.col("estimate").max(),
            se=((pl.col("ln").max() - pl.col("ln").min()) / pl.col("se").mean()),
        )
    )
    disagree = sum(any("starts disagree" in note for note in fit.notes) for fit in fits)
    print(f"starts disagreed in {disagree} of {many}")


def speed() -> None:
    """Print the seconds of a search and of a whole fit, compiled."""
    samples = simulate(1, "stein", DAYS, SPREAD, 50.0)
    problem = Problem.of(PopulationModel("stein"), samples)
    for _ in range(2):
        began = time.perf_counter()
        run_saem(problem, start_of(problem, 1, 0), Plan(300, 200, 2), 1)
        searched = time.perf_counter()
        fit_population(PopulationModel("stein"), samples, starts=1)
        print(f"search {searched - began:.2f} s, fit with likelihood and standard errors {time.perf_counter() - searched:.2f} s")


if __name__ == "__main__":
    what, many = sys.argv[1], sys.argv[2:]
    if what == "speed":
        speed()
    else:
        {"recover": recover, "limits": limits, "seeds": seeds}[what](
            int(many[0]) if many else {"recover": 20, "limits": 200, "seeds": 10}[what]
        )
