"""Which patient belongs to a key? Chances keyed by subject, turned into parameters, state and covariates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine import Draws
from cartrial.virtual.engine import kernel_codes as codes
from cartrial.virtual.patients.population import Model, Population, load_model
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform

if TYPE_CHECKING:
    from cartrial.virtual.patients.ensemble import Ensemble

__all__ = ["Chances", "build_patients", "draw_chances", "draw_patients", "marrow_to_blasts"]

# streams of random numbers; the trial layer starts at 1000
NORMALS, UNIFORMS, MEMBERS, SUPPLY, SUPPLY_NORMALS = range(1, 6)
CLINIC = 10
N_NORMALS, N_UNIFORMS = 19, 10
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chances:
    """What chance decides about each patient.

    Parameters
    ----------
    normal : ndarray of float64, shape (patients, 19)
    uniform : ndarray of float64, shape (patients, 10)
    """

    normal: Floats
    uniform: Floats


def draw_chances(keys: Keys) -> Chances:
    """Return the chances of the patients of some keys."""
    return Chances(draw_normal(keys, NORMALS, N_NORMALS), draw_uniform(keys, UNIFORMS, N_UNIFORMS))


def draw_patients(
    population: Population, ensemble: Ensemble, keys: Keys, *, marrow: Floats | None = None, member: NDArray[np.int64] | None = None
) -> Draws:
    """Draw patients.

    Parameters
    ----------
    population : Population
    ensemble : Ensemble
        Each trial has one member, drawn by its key: parameter uncertainty is between trials.
    keys : Keys
    marrow : ndarray of float64, shape (patients,), optional
        Fraction of blasts in the marrow before lymphodepletion, where it has changed since it was drawn (`supply_*`).
    member : ndarray of int64, shape (patients,), optional
        Members to use, for instance to compare products under the same biology.

    Returns
    -------
    Draws

    Examples
    --------
    A patient is the same alone as among others, since every number depends on the key alone.

    >>> import numpy as np
    >>> from cartrial.virtual import Keys, draw_patients, load_ensemble, load_population
    >>> population, ensemble = load_population("inaticel"), load_ensemble()
    >>> crowd = draw_patients(population, ensemble, Keys.trials("example", 1, 2, 2))
    >>> alone = draw_patients(population, ensemble, Keys("example", 1, np.array([1]), np.array([0])))
    >>> len(crowd), bool(crowd.covariates["age"][2] == alone.covariates["age"][0])
    (4, True)
    """
    if member is None:
        by_trial = Keys(keys.study, keys.seed, keys.trial, np.full(len(keys), 2**32 - 1))
        member = (draw_uniform(by_trial, MEMBERS, 1)[:, 0] * len(ensemble)).astype(np.int64)
    return build_patients(population, ensemble.natural(member), draw_chances(keys), marrow=marrow, member=member)


def marrow_to_blasts(marrow: Floats) -> Floats:
    """Return blasts (cells/uL) of a fraction of the marrow (Liu 2022), at most 90 % of the capacity."""
    share = np.minimum(marrow, 0.965)
    return np.minimum(codes.MARROW_SCALE * share / (codes.MARROW_TOP - share), 0.9 * codes.CAPACITY)


@cache
def _beta_grid(a: float, b: float) -> Floats:
    from scipy.special import betaincinv

    return np.asarray(betaincinv(a, b, np.linspace(0, 1, 2001)))


def draw_marrow(population: Population, chances: Chances) -> Floats:
    """Return the fraction of blasts in the marrow, shape (patients,)."""
    part = population.patients
    u, v = chances.uniform[:, 4], chances.uniform[:, 5]
    level = part.mrd_level
    low = 10 ** (level.log10_low + (level.log10_high - level.log10_low) * v)
    high = part.blasts.low + part.blasts.span * np.interp(v, np.linspace(0, 1, 2001), _beta_grid(part.blasts.a, part.blasts.b))
    return np.where(u < level.share, low, np.clip(high, part.blasts.low, 0.98))


def build_patients(
    population: Population,
    natural: Mapping[str, Any],
    chances: Chances,
    *,
    marrow: Floats | None = None,
    member: NDArray[np.int64] | None = None,
    model: Model | None = None,
) -> Draws:
    """Turn chances into patients, under given parameters.

    Parameters
    ----------
    population : Population
    natural : mapping of str to float or ndarray, shape (patients,)
        Calibrated parameters on their natural scale, by name.
    chances : Chances
    marrow, member : ndarray, shape (patients,), optional
        As in `draw_patients`.
    model : Model, optional
        The built-in one without it.

    Returns
    -------
    Draws
    """
    from scipy.special import ndtr

    f = (model or load_model()).constants
    p, z, u = natural, chances.normal, chances.uniform
    n = len(z)
    product = population.product
    allogeneic = product.source == "allogeneic"
    quality = z[:, 0]
    poor = ndtr(quality) < p["poor-adult" if product.poor == "adult" else "poor-child"]
    severity = np.where(poor, f["poor-floor"] - (1 - f["poor-floor"]) * np.log(u[:, 0]), 0.0)
    cd28 = product.costimulation == "CD28"
    early = u[:, 1] < p["early-loss-cd28" if cd28 else "early-loss"]
    slow = f["correlation"]
    ln_kill = np.log(p["kill"]) + f["spread-kill"] * (slow * z[:, 1] + np.sqrt(1 - slow**2) * z[:, 2]) - f["poor-kill"] * severity
    loss = np.where(early, f["memory-loss-early"], f["memory-loss"]) * np.exp(f["spread-memory-loss"] * z[:, 3])
    contraction = p["contraction"] * (p["contraction-cd28"] if cd28 else 1.0)
    columns: dict[int, Any] = {
        codes.Q_GROWTH: p["growth"] * np.exp(f["spread-growth"] * z[:, 4]),
        codes.Q_KILL: np.exp(ln_kill),
        codes.Q_EXPANSION: f["expansion"] * np.exp(f["spread-expansion"] * z[:, 1] - p["poor-expansion"] * severity),
        codes.Q_SPENDING: p["spending"],
        codes.Q_CONTRACTION: contraction * np.exp(f["spread-contraction"] * z[:, 5]),
        codes.Q_TO_MEMORY: p["to-memory"] * np.exp(f["spread-to-memory"] * z[:, 6]),
        codes.Q_MEMORY_LOSS: loss,
        codes.Q_ANTIGEN_HALF: f["antigen-half"],
        codes.Q_ROOM_HALF: f["room-half"],
        codes.Q_KILL_HALF: f["kill-half"],
        codes.Q_TARGET_WEIGHT: f["target-weight"],
        codes.Q_MEMORY_KILL: f["memory-kill"],
        codes.Q_MEMORY_HALF: f["memory-half"],
        codes.Q_REACH: p["reach"],
        codes.Q_EXHAUSTION: f["exhaustion"],
        codes.Q_SENSITISATION: f["sensitisation"],
        codes.Q_ALLOGENEIC: float(allogeneic),
        codes.Q_IL6_YIELD: f["il6-yield"] * (f["il6-cd28"] if cd28 else 1.0) * np.exp(f["spread-il6-yield"] * z[:, 7]),
        codes.Q_RECOVERY: f["recovery"] * np.exp(p["spread-recovery"] * z[:, 8]),
        codes.Q_IL6_BRAKE: f["il6-brake"],
        codes.Q_ALEMTUZUMAB_TIME: f["alemtuzumab-time"],
        codes.Q_ANC_BASE: f["anc-base"] * np.exp(f["spread-counts"] * z[:, 9]),
        codes.Q_PLT_BASE: f["plt-base"] * np.exp(f["spread-counts"] * z[:, 10]),
        codes.Q_DOSE: f["dose"] * np.exp(f["spread-dose"] * z[:, 11]),
        codes.Q_MEMORY_SHARE: f["memory-share"],
        codes.Q_GENOMES: f["genomes"],
    }
    parameters = np.column_stack([np.broadcast_to(columns[i], (n,)) for i in range(codes.N_PARAMETERS)])

    share = draw_marrow(population, chances) if marrow is None else marrow
    ln_blasts = np.log(marrow_to_blasts(share) * f["debulking"])
    sanctuary = ln_blasts + np.log(10) * np.minimum(p["sanctuary-log10"] + f["spread-sanctuary"] * z[:, 12], -0.5)
    negative = ln_blasts + np.log(10) * np.minimum(f["negative-log10"] + f["spread-negative"] * z[:, 13], -0.5)
    thresholds = np.log(codes.ONE_CELL) + np.log(-np.log(u[:, [2, 3, 8]]))
    clones = np.column_stack([ln_blasts, sanctuary, negative])
    alive = clones > np.maximum(thresholds, np.log(codes.ONE_CELL))
    alive[:, 2] &= u[:, 6] < p["negative-share"]
    effect = p["alemtuzumab"] * np.exp(f["spread-alemtuzumab"] * z[:, 14]) if product.alemtuzumab else np.zeros(n)
    ln_host = np.log(f["host"]) + f["spread-host"] * z[:, 15] - codes.ALEMTUZUMAB_POWER * effect
    initial = np.zeros((n, codes.N_STATES))
    initial[:, :3] = clones
    initial[:, 3] = np.log(10.0)
    initial[:, 4:6] = np.log(1e-12)
    initial[:, 8] = ln_host
    initial[:, 9] = np.log(p["host-precursors"]) + ln_host + f["spread-host-precursors"] * z[:, 16] if allogeneic else -30.0
    initial[:, 10] = effect
    initial[:, 11:14] = codes.IL6_BASE, codes.FERRITIN_BASE, codes.CRP_BASE
    initial[:, 14] = -(p["marrow-hit"] + f["spread-marrow-hit"] * z[:, 18])
    initial[:, 15:17] = 1.2, 100.0
    age = population.patients.age
    covariates = {
        "age": np.clip(age.median * np.exp(age.spread * z[:, 17]), age.low, age.high),
        "marrow": share,
        "poor_product": poor,
        "durable_memory": ~early,
        "prior_transplant": u[:, 7] < population.patients.prior_transplant.value,
        "quality": quality,
        "child": np.full(n, population.patients.child),
    }
    failing = p["death-child"] if population.patients.child else f["death-adult"]
    icans = f["icans"] + (f["icans-cd28"] if cd28 else 0.0)
    hazards = {"after_failure": failing, "severe_crs": p["severe-crs"], "icans": icans, "before_infusion": p["waiting"]}
    return Draws(
        parameters,
        initial,
        alive,
        thresholds,
        covariates,
        np.zeros(n, np.int64) if member is None else member,
        {name: np.array(np.broadcast_to(value, (n,)), float) for name, value in hazards.items()},
    )
