"""In what time is published evidence checked, pooled, matched and shown? Matching against a loop in R, in one run.

    python benchmarks/evidence.py [--rounds 5] [--resamples 1000] [--r-resamples 100]

1,000 rows of the registry checked (the rows that are held, several times over); six rates pooled by the exact likelihood; the prior of
eight trials with its mean, deviation and quantiles, and the same by four chains of NumPyro where it is installed (compilation included,
since each history is compiled anew, and without); 1,000 resamples of both sides of a match (500 patients, six moments, 300 others: weights
and Cox model anew each time), and the same by coxph and optim in R where it is installed; the context page of a study. Otherwise
compilation and imports are excluded; processor time, median of the rounds, and of R that of its loop for as many resamples.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from cartrial import kernels
from cartrial.analysis import Moment, bootstrap_hazard, estimate_map, estimate_moment_weights, estimate_pooled
from cartrial.evidence import check_evidence, load_evidence
from cartrial.report.evidence.data import ContextData
from cartrial.report.evidence.page import write_context
from cartrial.study import Study

RATES = np.array([41, 44, 39, 24, 17, 27]), np.array([48, 53, 55, 35, 20, 29])
PLACEBO = np.array([23, 12, 19, 9, 39, 6, 9, 10]), np.array([107, 44, 51, 39, 139, 20, 78, 35])


def median(work: Callable[[], object], rounds: int) -> float:
    """Return processor seconds, median of the rounds, after one that is not counted."""
    work()
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def invent(n: int = 500, m: int = 300) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, float]]:
    """Return patients, others, and the means that the patients are to have."""
    random = np.random.default_rng(1)
    age = random.normal(58, 8, n)
    covariates = {"age": age, "age2": age**2} | {
        name: (random.random(n) < p) * 1.0 for name, p in zip("abcd", (0.4, 0.3, 0.5, 0.6), strict=True)
    }
    time, event = random.exponential(300, n).clip(1, 700), (random.random(n) < 0.6).astype(int)
    own = pl.DataFrame({"time": time, "event": event, **covariates})
    other = pl.DataFrame({"time": random.exponential(160, m).clip(1, 700), "event": (random.random(m) < 0.6).astype(int)})
    return own, other, {"age": 54.0, "age2": 54.0**2 + 49, "a": 0.5, "b": 0.25, "c": 0.4, "d": 0.5}


def matched(resamples: int, r_resamples: int, rounds: int) -> None:
    """Print what a bootstrap of both sides takes here and in R."""
    own, other, targets = invent()
    weights = estimate_moment_weights([Moment(name, own[name].to_numpy(), target) for name, target in targets.items()])
    parts = (own["time"].to_numpy(), own["event"].to_numpy(), other["time"].to_numpy(), other["event"].to_numpy())
    found = bootstrap_hazard(weights, *parts, resamples=resamples, scaling="raw")
    ours = median(lambda: bootstrap_hazard(weights, *parts, resamples=resamples, scaling="raw"), rounds)
    print(f"match, {resamples} resamples of both sides: {ours:.2f} s, spread {found.error:.4f}")
    if shutil.which("Rscript") is None:
        print("  R is not installed: not compared")
        return
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("own.csv", "other.csv", "targets.csv")]
        for path, frame in zip(files, (own, other, pl.DataFrame({name: [value] for name, value in targets.items()})), strict=True):
            frame.write_csv(path)
        script = Path(__file__).with_name("maic_loop.R")
        done = subprocess.run(["Rscript", str(script), *map(str, files), str(r_resamples)], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    theirs = told["seconds"] * resamples / r_resamples
    print(f"  R, {r_resamples} resamples, scaled: {theirs:.2f} s, spread {told['error']:.4f}: ratio {theirs / ours:.1f}")


def prior(rounds: int) -> None:
    """Print what a prior of eight trials takes, with its mean, deviation and quantiles: by quadrature, and by chains."""

    def quadrature() -> list[float]:
        found = estimate_map(*PLACEBO)
        return [found.mean, found.sd, *(found.quantile(q) for q in (0.025, 0.5, 0.975))]

    ours = median(quadrature, rounds)
    print(f"prior of eight trials: {ours:.2f} s, mean {quadrature()[0]:.4f}")
    if importlib.util.find_spec("numpyro") is None:
        print("  NumPyro is not installed: not compared")
        return
    import jax
    import numpyro
    import numpyro.distributions as given

    x, n = PLACEBO

    def model() -> None:
        centre, spread = numpyro.sample("centre", given.Normal(0.0, 2.0)), numpyro.sample("spread", given.HalfNormal(1.0))
        apart = numpyro.sample("apart", given.Normal(0.0, 1.0).expand([len(x)]))
        numpyro.sample("x", given.Binomial(n, logits=centre + spread * apart), obs=x)

    kernel = numpyro.infer.NUTS(model)
    chains = numpyro.infer.MCMC(kernel, num_warmup=1000, num_samples=1000, num_chains=4, chain_method="sequential", progress_bar=False)
    for seed, how in enumerate(("with compilation", "compiled")):
        start = time.process_time()
        chains.run(jax.random.PRNGKey(seed))
        drawn = {name: np.asarray(values) for name, values in chains.get_samples().items()}
        odds = drawn["centre"] + drawn["spread"] * np.random.default_rng(seed).normal(size=len(drawn["spread"]))
        rate = 1 / (1 + np.exp(-odds))
        np.quantile(rate, (0.025, 0.5, 0.975))
        theirs = time.process_time() - start
        print(f"  NumPyro, {how}: {theirs:.2f} s, mean {rate.mean():.4f}: ratio {theirs / ours:.0f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--r-resamples", type=int, default=100)
    options = parser.parse_args()
    kernels.COMPILE_FROM = 1  # small work too: what is measured is compiled
    held = load_evidence()
    files = list(held.trials.values())
    times = -(-1000 // len(held.results))
    rows = times * len(held.results)
    seconds = median(lambda: check_evidence(files * times), options.rounds)
    print(f"check, {rows} rows: {seconds:.2f} s; of 1,000: {1000 * seconds / rows:.2f} s")
    print(f"pool of six rates, exact: {1000 * median(lambda: estimate_pooled(*RATES), options.rounds):.1f} ms")
    prior(options.rounds)
    matched(options.resamples, options.r_resamples, options.rounds)
    data = ContextData(Study.load("inaticel"), held)
    with tempfile.TemporaryDirectory() as folder:
        # the findings are kept by the data, so that each page has its own
        page = median(lambda: write_context(ContextData(data.study, held), Path(folder) / "context.html"), options.rounds)
    print(f"context page: {page:.2f} s")


if __name__ == "__main__":
    main()
