"""Are the parameters of simulated populations found again, and do their limits hold? Acceptance of `cartrial.kinetics`; prints tables.

python benchmarks/kinetics_recovery.py                                # a few sets of each, and the speed
python benchmarks/kinetics_recovery.py recover FILE LIMIT FIRST LAST  # sets by number, a line of FILE each: Stein's curve, six effects
python benchmarks/kinetics_recovery.py table FILE                     # bias and coverage of what FILE has
python benchmarks/kinetics_recovery.py search LIMIT SETS [HOW]         # where searches end; HOW: a word of `REPLACED`, done to samples
python benchmarks/kinetics_recovery.py limits [sets]                  # peak and contraction vary: how often Wald's limits hold
python benchmarks/kinetics_recovery.py seeds [seeds]                  # one set under several seeds: how far the estimates lie apart
python benchmarks/kinetics_recovery.py speed                          # one set of 60 subjects and 15 days: search, fit, NUTS
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from cartrial.kinetics import Plan, PopulationFit, PopulationModel, SampleSet, draw_curves, fit_population, read_set
from cartrial.kinetics.estimation.likelihood import pack
from cartrial.kinetics.estimation.saem import run_saem
from cartrial.kinetics.estimation.starts import start_of
from cartrial.kinetics.model import Problem
from cartrial.kinetics.nuts import draw_posterior
from cartrial.kinetics.posterior import Sampler

NAMES = ("fold", "tmax", "cmax", "alpha", "fb", "beta")
TRUE = np.array([8.269, 2.230, 10.086, -1.833, -4.841, -5.745])
SPREAD = np.array([2.40, 0.38, 0.65, 0.91, 0.80, 0.86])
ERROR = 0.56
DAYS = [2.0, 4.0, 7.0, 10.0, 12.0, 14.0, 17.0, 21.0, 28.0, 42.0, 60.0, 90.0, 150.0, 240.0, 360.0]
SHORT = [2.0, 4.0, 7.0, 10.0, 14.0, 21.0, 28.0, 42.0, 60.0]
FAR = {"fold": 200.0, "tmax": 6.0, "cmax": 3000.0, "alpha": 0.4, "fb": 0.05, "beta": 0.02}
KINDS = ("typical", "spread", "residual")
AIMS = dict(zip([*(("typical", name) for name in NAMES), *(("spread", name) for name in NAMES)], [*TRUE, *np.log(SPREAD)], strict=True))
AIMS[("residual", "")] = float(np.log(ERROR))
REPLACED = ("limit taken as measured", "half the limit", "left out")
# so many sets are searched with limits replaced too
REPLACED_SETS = 20


def simulate(seed: int, curve: str, days: list[float], spread: np.ndarray, limit: float, subjects: int = 60) -> SampleSet:
    """Return the samples of a simulated population."""
    g = np.random.default_rng(seed)
    eta = g.standard_normal((subjects, 6)) * spread
    y = np.log(draw_curves(curve, {name: np.exp(TRUE[k] + eta[:, k]) for k, name in enumerate(NAMES)}, days))
    y += ERROR * g.standard_normal(y.shape)
    bound = np.log(limit)
    names = [f"{i:03d}" for i in range(subjects) for _ in days]
    return read_set(names, days * subjects, np.maximum(y, bound).ravel(), np.where(y < bound, -1, 0).ravel())


def replaced(samples: SampleSet, how: str) -> SampleSet:
    """Return samples with those below their limit replaced, as no fit of a study may have it."""
    rows = samples.rows
    if how == "left out":
        names = np.repeat(samples.subjects, np.diff(rows.first))
        kept = rows.side == 0
        return read_set(names[kept].tolist(), rows.time[kept], rows.value[kept])
    lower = np.log(2.0) if how == "half the limit" else 0.0
    return replace(
        samples, rows=rows._replace(value=np.where(rows.side < 0, rows.value - lower, rows.value), side=np.zeros_like(rows.side))
    )


def searched(samples: SampleSet, seed: int) -> np.ndarray:
    """Return the coefficients where one search ended."""
    problem = Problem.of(PopulationModel("stein", classes=False), samples)
    return run_saem(problem, start_of(problem, seed, 0, FAR), Plan(300, 200, 2), seed)[0].coefficients


def recover(file: Path, limit: float, first: int, last: int) -> None:
    """Fit sets by number, started far off; append what came of each to a file."""
    for seed in range(first, last + 1):
        samples = simulate(seed, "stein", DAYS, SPREAD, limit)
        began = time.process_time()
        fit = fit_population(PopulationModel("stein", classes=False), samples, starts=1, start=FAR, size=256, seed=seed)
        record = {"limit": limit, "seed": seed, "seconds": time.process_time() - began, "notes": list(fit.notes)}
        record["below"] = float(np.mean(samples.rows.side < 0))
        record["rows"] = [[row[key] for key in ("kind", "parameter", "estimate", "lower", "upper")] for row in rows_of(fit)]
        if seed <= REPLACED_SETS:
            record["replaced"] = {how: searched(replaced(samples, how), seed).tolist() for how in REPLACED}
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(record) + "\n")


def search(limit: float, sets: int, how: str = "") -> None:
    """Print the bias of where searches end, started far off; how: as what samples below the limit are taken."""
    ends = []
    for seed in range(1, sets + 1):
        samples = simulate(seed, "stein", DAYS, SPREAD, limit)
        ends.append(searched(replaced(samples, how) if how else samples, seed))
    bias = np.array(ends) - TRUE
    error = bias.std(axis=0, ddof=1) / np.sqrt(sets)
    told = ", ".join(f"ln {name} {b:+.2f} ({e:.2f})" for name, b, e in zip(NAMES, bias.mean(axis=0), error, strict=True))
    print(f"limit {limit:g}, {how or 'by probability'}, {sets} sets: bias (standard error) {told}", flush=True)


def rows_of(fit: PopulationFit) -> list[dict]:
    """Return typical values, spreads and the residual."""
    return [row for row in fit.parameters().iter_rows(named=True) if row["kind"] in KINDS]


def table(file: Path) -> None:
    """Print bias and coverage of the sets of a file, by limit: logarithms; of effects that were dropped the others alone."""
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for limit in sorted({record["limit"] for record in records}):
        mine = {record["seed"]: record for record in records if record["limit"] == limit}.values()
        print(f"{len(mine)} sets of 60 subjects, {100 * np.mean([r['below'] for r in mine]):.1f} % of the samples below {limit:g}, "
              f"median {np.median([r['seconds'] for r in mine]):.1f} processor seconds a fit")  # fmt: skip
        lines = []
        for (kind, name), aim in AIMS.items():
            found = [row for record in mine for row in record["rows"] if (row[0], row[1]) == (kind, name)]
            values = np.log([row[2] for row in found])
            known = [row for row in found if row[3] is not None]
            held = sum(np.log(row[3]) <= aim <= np.log(row[4]) for row in known)
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
            lines.append(
                (f"{kind} {name}".strip(), aim, values.mean(), values.mean() - aim, (values.mean() - aim) / error, held, len(known))
            )
        columns = ["parameter", "true_ln", "mean_ln", "bias", "z", "limits_hold", "limits"]
        frame = pl.DataFrame(lines, schema=columns, orient="row")
        with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, float_precision=3):
            print(frame)
        held, known = frame["limits_hold"].sum(), frame["limits"].sum()
        print(f"limits hold in {held} of {known}: {held / max(known, 1):.3f}")
        notes = [note.split(":")[0] for record in mine for note in record["notes"]]
        print("notes:", {note: notes.count(note) for note in dict.fromkeys(notes)} or "none")
        for how in REPLACED:
            ends = np.array([record["replaced"][how] for record in mine if "replaced" in record])
            if len(ends):
                print(f"{how}, {len(ends)} sets: bias", dict(zip(NAMES, (ends.mean(axis=0) - TRUE).round(2).tolist(), strict=True)))


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
    with pl.Config(tbl_rows=-1):
        print(
            apart.agg(
                least=pl.col("estimate").min(),
                most=pl.col("estimate").max(),
                apart_in_se=((pl.col("ln").max() - pl.col("ln").min()) / pl.col("se").mean()),
            )
        )
    disagree = sum(any("starts disagree" in note for note in fit.notes) for fit in fits)
    print(f"starts disagreed in {disagree} of {many}")


def speed() -> None:
    """Print the seconds of a search, of a whole fit, and of draws by NUTS that begin where the fit ended."""
    samples = simulate(1, "stein", DAYS, SPREAD, 50.0)
    problem = Problem.of(PopulationModel("stein"), samples)
    fit_population(PopulationModel("stein"), samples, starts=1, plan=Plan(3, 3, 2), size=64)  # compiles
    begun = [(time.perf_counter(), time.process_time())]

    def told(words: str) -> float:
        begun.append((time.perf_counter(), time.process_time()))
        used = begun[-1][1] - begun[-2][1]
        print(f"{words}: {begun[-1][0] - begun[-2][0]:.1f} s, {used:.1f} s of processors", flush=True)
        return used

    run_saem(problem, start_of(problem, 1, 0), Plan(300, 200, 2), 1)
    search = told("search of 500 rounds, 2 chains")
    fit = fit_population(PopulationModel("stein"), samples, starts=1)
    told("whole fit with likelihood and standard errors, one search")
    if find_spec("numpyro") is None:
        print("numpyro (extra `bayes`) is not installed: no draws")
        return
    found = draw_posterior(fit, sampler=Sampler(300, 300, 1))
    draws = told("NUTS, compilation included")
    apart = np.abs(found.vectors.mean(axis=0) - pack(problem, fit.estimate)) / found.vectors.std(axis=0)
    print(f"{found.words}; {draws / search:.0f} times the search; means at most {apart.max():.2f} standard deviations from the fit")


def main(what: str, *rest: str) -> None:
    """Run what is asked for."""
    if what == "speed":
        speed()
    elif what == "recover":
        recover(Path(rest[0]), float(rest[1]), int(rest[2]), int(rest[3]))
    elif what == "search":
        search(float(rest[0]), int(rest[1]), " ".join(rest[2:]))
    elif what == "table":
        table(Path(rest[0]))
    elif what == "limits":
        limits(int(rest[0]) if rest else 200)
    elif what == "seeds":
        seeds(int(rest[0]) if rest else 10)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(*sys.argv[1:])
    else:
        speed()
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder, "sets.jsonl")
            for level in (50.0, 500.0):
                recover(kept, level, 1, 3)
            table(kept)
