"""How fast and how exact is the engine? 10,000 patients over 24 months, against SciPy's LSODA and, where it is installed, diffrax.

python benchmarks/engine.py                          timings and accuracy (about 4 minutes on 2 cores)
python benchmarks/engine.py --lanes              only four patients side by side beside one at a time, in turn
python benchmarks/engine.py --diffrax /venv/bin/python   also diffrax, by a Python that has jax and diffrax
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

DAYS = np.arange(0.0, 731.0)
POPULATIONS = ("eliana", "allogeneic-cd19", "inaticel", "mskcc")


def draw(patients: int, study: str = "bench") -> list[Any]:
    """Return patients of four populations in equal parts, from the ensemble, each 40 of one trial."""
    from cartrial.virtual import draw_patients, load_ensemble, load_population
    from cartrial.virtual.patients.randomness import Keys

    each = patients // len(POPULATIONS)
    return [
        draw_patients(load_population(name), load_ensemble(), Keys.trials(f"{study} {name}", 1, -(-each // 40), 40)).take(slice(0, each))
        for name in POPULATIONS
    ]


def beside(parts: list[Any], rtol: float, repeats: int = 5) -> None:
    """Print four patients side by side beside one at a time: the same source, in turn, and whether all bits are equal."""
    from cartrial.virtual import simulate_course
    from cartrial.virtual.engine import course

    spent: dict[int, list[float]] = {1: [], 4: []}
    found = {}
    four = course._LANES
    for repeat in range(-1, repeats):  # the first compiles
        for width in spent:
            course._LANES = four[:width]
            start = time.process_time()
            found[width] = [simulate_course(part, DAYS, rtol=rtol) for part in parts]
            if repeat >= 0:
                spent[width].append(time.process_time() - start)
    course._LANES = four
    one, all_four = (np.array(spent[width]) for width in (1, 4))
    equal = all(
        np.array_equal(a.values, b.values) and np.array_equal(a.info, b.info, equal_nan=True)
        for a, b in zip(found[1], found[4], strict=True)
    )
    ratio = one / all_four
    print(
        f"rtol {rtol:g}: one at a time {np.median(one):.2f}, four {np.median(all_four):.2f} processor seconds; "
        f"ratio {np.median(ratio):.2f} ({ratio.min():.2f} to {ratio.max():.2f}, {repeats} in turn); "
        f"bits equal: {equal}; load {os.getloadavg()[0]:.1f}"
    )


def accuracy(part: tuple[int, int, int]) -> dict[str, Any]:
    """Compare every third patient and so on with the reference at 1e-10."""
    from cartrial.virtual.engine.reference import compare_with_reference

    patients, worker, workers = part
    found: dict[str, Any] = {"error": {}, "clones": 0, "agreed": 0, "worst": 0.0}
    for draws in draw(patients, "accuracy")[:2]:
        mine = draws.take(np.arange(worker, len(draws), workers))
        for rtol in (1e-4, 1e-6):
            error, clones, agreed, worst = compare_with_reference(mine, DAYS, rtol=rtol)
            found["error"].setdefault(rtol, []).extend(error.tolist())
        found["clones"] += clones
        found["agreed"] += agreed
        found["worst"] = max(found["worst"], worst)
    return found


def lsoda(part: tuple[int, int, int, float]) -> tuple[float, list[float]]:
    """Solve with SciPy's odeint on the same compiled rates; return seconds of processor and the largest relative errors."""
    import numba
    from scipy.integrate import odeint

    from cartrial.virtual.engine import compiled
    from cartrial.virtual.engine import kernel_codes as codes

    patients, worker, workers, rtol = part
    rates = compiled("engine.rates_kernel").rates
    jobs = []
    for draws in draw(patients):
        for i in range(worker, len(draws), workers):
            y, q = draws.initial[i].copy(), draws.parameters[i]
            y[4], y[5] = np.log(q[codes.Q_DOSE] * 0.98), np.log(q[codes.Q_DOSE] * 0.02)
            jobs.append((y, q, draws.alive[i]))

    @numba.njit(error_model="numpy")
    def rhs(y: Any, _: float, q: Any, alive: Any) -> Any:
        d = np.empty(17)
        rates(y, q, alive, np.ones(4), d, np.empty((1, 1)), False)
        return d

    rhs(jobs[0][0], 0.0, jobs[0][1], jobs[0][2])
    start = time.process_time()
    found = [odeint(rhs, y, DAYS, args=(q, alive), rtol=rtol, atol=rtol / 100, mxstep=50_000) for y, q, alive in jobs]
    seconds = time.process_time() - start
    errors = []
    for solution, (y, q, alive) in list(zip(found, jobs, strict=True))[:20]:
        exact = odeint(rhs, y, DAYS, args=(q, alive), rtol=1e-11, atol=1e-13, mxstep=200_000)
        early = DAYS < 60
        cells = [np.exp(s[early, 4]) + np.exp(s[early, 5]) + s[early, 7] for s in (solution, exact)]
        counts = [s[early][:, [11, 15, 16]] for s in (solution, exact)]
        seen = cells[1] > 1e-3
        errors.append(float(max(np.abs(cells[0] / cells[1] - 1)[seen].max(), np.abs(counts[0] / counts[1] - 1).max())))
    return seconds, errors


def diffrax_worker(path: str) -> None:
    """Solve the patients of a file by diffrax (Kvaerno5, vmap, CPU); run by a Python that has it."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=true")
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    data = np.load(path)
    c = json.loads(str(data["constants"]))

    def rhs(_: Any, y: Any, args: Any) -> Any:
        q, alive = args
        p = {name: q[i] for i, name in enumerate(json.loads(str(data["names"])))}
        sens, sanc, neg = jnp.exp(y[0]) * alive[0], jnp.exp(y[1]) * alive[1], jnp.exp(y[2]) * alive[2]
        bcell, eff, mem, left, host = jnp.exp(y[3]), jnp.exp(y[4]), jnp.exp(y[5]), jnp.exp(-y[6]), jnp.exp(y[8])
        blasts, cart = sens + sanc + neg, eff + mem + y[7]
        antigen = sens + sanc + bcell
        a = antigen / (p["antigen_half"] + antigen)
        by_eff = p["kill"] * eff / (p["kill_half"] + eff + p["target_weight"] * (sens + sanc))
        kill = by_eff + p["kill"] * p["memory_kill"] * mem / (p["memory_half"] + mem)
        growth = p["growth"] * (1 - blasts / c["CAPACITY"])
        activity = jnp.exp(jnp.minimum(y[9], 30.0))
        reject = p["allogeneic"] * activity / (1 + activity / c["REJECTION_CAP"])
        crowd = host + cart
        expand = p["expansion"] * a / (1 + crowd / p["room_half"]) * left * eff / (eff + c["ONE_CELL"])
        tire = p["exhaustion"] * a * (1 - left)
        drive = -c["HOST_RATE"] * jnp.exp(-c["ALEMTUZUMAB_POWER"] * y[10]) * jnp.log(crowd / c["HOST_CAPACITY"])
        lysis = by_eff * sens
        signal = jnp.maximum(y[11], 0.0)
        acute = jnp.log(1 + signal / c["ACUTE_HALF"])
        formed = 1 / (1 + jnp.exp(-y[14])) / (1 + blasts / c["MARROW_HALF"])
        return jnp.stack(
            [
                growth - kill,
                growth - p["reach"] * kill / (c["ACCESS_HALF"] + kill),
                growth,
                c["B_SOURCE"] / (1 + (eff + mem) / p["memory_half"]) / bcell - 1 / c["B_LIFE"] - kill,
                expand - p["contraction"] - p["to_memory"] - tire - reject,
                p["to_memory"] * jnp.exp(y[4] - y[5]) - p["memory_loss"] - reject,
                p["spending"] * a,
                tire * eff - (c["EXHAUSTED_LOSS"] + reject) * y[7],
                drive,
                drive + p["sensitisation"] * cart / (c["REJECTION_HALF"] + cart),
                -y[10] / p["alemtuzumab_time"],
                c["IL6_CLEARANCE"] * (c["IL6_BASE"] + p["il6_yield"] * lysis / (1 + lysis / c["LYSIS_HALF"]) - y[11]),
                c["FERRITIN_RATE"] * (c["FERRITIN_BASE"] * (1 + c["FERRITIN_GAIN"] * acute) - y[12]),
                c["CRP_RATE"] * (c["CRP_BASE"] + c["CRP_GAIN"] * acute - y[13]),
                p["recovery"] / (1 + signal / p["il6_brake"]),
                c["ANC_RATE"] * (p["anc_base"] * formed - y[15]),
                c["PLT_RATE"] * (p["plt_base"] * formed - y[16]),
            ]
        )

    term, solver = diffrax.ODETerm(rhs), diffrax.Kvaerno5()
    control = diffrax.PIDController(rtol=float(data["rtol"]), atol=float(data["rtol"]) / 100)
    save = diffrax.SaveAt(ts=jnp.asarray(DAYS))

    def one(y: Any, q: Any, alive: Any) -> Any:
        return diffrax.diffeqsolve(
            term, solver, 0.0, 730.0, 0.02, y, (q, alive), saveat=save, stepsize_controller=control, max_steps=100_000, throw=False
        ).ys

    run = jax.jit(jax.vmap(one))
    arrays = [jnp.asarray(data[name], float) for name in ("y", "q", "alive")]
    run(*arrays).block_until_ready()
    start = time.perf_counter()
    out = run(*arrays)
    out.block_until_ready()
    print(json.dumps({"seconds": time.perf_counter() - start, "finite": float(np.isfinite(np.asarray(out)).mean())}))


def run_diffrax(python: str, rtol: float, patients: int = 64) -> float:
    """Return diffrax's seconds for 10,000 patients, from a few."""
    from cartrial.virtual.engine import kernel_codes as codes

    parts = draw(patients)
    y, q, alive = (np.concatenate([getattr(part, name) for part in parts]) for name in ("initial", "parameters", "alive"))
    y[:, 4], y[:, 5] = np.log(q[:, codes.Q_DOSE] * 0.98), np.log(q[:, codes.Q_DOSE] * 0.02)
    constants = {name: getattr(codes, name) for name in dir(codes) if isinstance(getattr(codes, name), float)}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "patients.npz")
        np.savez(path, y=y, q=q, alive=alive, rtol=rtol, names=json.dumps(codes.PARAMETERS), constants=json.dumps(constants))
        done = subprocess.run([python, __file__, "--worker", path], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"diffrax Kvaerno5, vmap of {len(y)}, rtol {rtol:g}: {found['seconds']:.2f} s, finite {found['finite']:.3f}")
    return float(found["seconds"]) * 10_000 / len(y)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--diffrax")
    parser.add_argument("--worker")
    parser.add_argument("--lanes", action="store_true")
    parser.add_argument("--reference", type=int, default=1000, help="patients compared with the reference, 0: none")
    options = parser.parse_args()
    if options.worker:
        diffrax_worker(options.worker)
        return
    from cartrial.virtual import simulate_course

    cores = os.cpu_count() or 1
    parts = draw(10_000)
    simulate_course(parts[0].take(slice(0, 2)), DAYS)
    if options.lanes:
        for rtol in (1e-4, 1e-6):
            beside(parts, rtol)
        return
    ours = {}  # seconds of processor on each core: comparable on a busy machine
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f}; 10,000 patients x 731 days x 11 quantities (what is observed of 17 states)")
    for rtol in (1e-4, 1e-6):
        walls, cpus = [], []
        for _ in range(3):
            wall, cpu = time.perf_counter(), time.process_time()
            steps = np.concatenate([simulate_course(part, DAYS, rtol=rtol).info[:, 8] for part in parts])
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        ours[rtol] = min(cpus) / cores
        shown = ", ".join(f"{wall:.2f}" for wall in walls)
        idle = f"least cpu {min(cpus):.2f} s, so {min(cpus) / cores:.2f} s on {cores} idle cores"
        print(f"engine rtol {rtol:g}: {shown} s wall; {idle}; {steps.mean():.0f} steps")
    few = np.array([28.0, 90.0, 180.0, 360.0, 730.0])
    wall = time.perf_counter()
    for part in parts:
        simulate_course(part, few, rtol=1e-4)
    print(f"engine rtol 1e-4, 5 days: {time.perf_counter() - wall:.2f} s")
    with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
        for rtol in (1e-6, 1e-7):
            found = list(pool.map(lsoda, [(400, i, cores, rtol) for i in range(cores)]))
            scaled = max(seconds for seconds, _ in found) * 10_000 / 400
            error = np.concatenate([errors for _, errors in found])
            against = f"{scaled / ours[1e-6]:.1f} x the engine at 1e-6, {scaled / ours[1e-4]:.1f} x at 1e-4"
            print(f"LSODA pool of {cores}, rtol {rtol:g}: {scaled:.1f} s of each core for 10,000; {against}")
            print(f"  its error: median {np.median(error):.1e}, largest {error.max():.1e}")
        if options.reference:
            found2 = list(pool.map(accuracy, [(2 * options.reference, i, cores) for i in range(cores)]))
            for rtol in (1e-4, 1e-6):
                error = np.concatenate([f["error"][rtol] for f in found2])
                print(f"against LSODA at 1e-10, {len(error)} patients, {rtol:g}: median {np.median(error):.1e}, largest {error.max():.1e}")
            clones, agreed = sum(f["clones"] for f in found2), sum(f["agreed"] for f in found2)
            print(
                f"extinctions agree for {agreed} of {clones} clones; others within {max(f['worst'] for f in found2):.1e} of the threshold"
            )
    if options.diffrax:
        for rtol in (1e-4, 1e-6):
            seconds = run_diffrax(options.diffrax, rtol)
            print(f"diffrax rtol {rtol:g}: {seconds:.0f} s for 10,000, {seconds / ours[rtol]:.0f} x the engine")


if __name__ == "__main__":
    sys.exit(main())
