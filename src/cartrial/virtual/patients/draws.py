"""Which patient belongs to a key? Chances keyed by subject, turned into parameters, state and covariates.

`free` numbers are those of the trial's member of the ensemble, `fixed` ones are the same for all; both stand in `data/model.yaml` with
their sources. Cells are in 1/uL of blood equivalent, time in days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine import Draws
from cartrial.virtual.engine import kernel_codes as codes
from cartrial.virtual.patients import chances as chance
from cartrial.virtual.patients.chances import Chances, draw_chances
from cartrial.virtual.patients.population import Model, Population, load_model
from cartrial.virtual.patients.randomness import Keys, draw_uniform

if TYPE_CHECKING:
    from cartrial.virtual.patients.ensemble import Ensemble

__all__ = ["build_patients", "draw_patients", "marrow_to_blasts"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Value = float | Floats
"""One number for all patients, or one for each."""
Numbers = dict[int, Value]

# choices that no source gives
MOST_MARROW = 0.98  # fraction of blasts in the marrow, as drawn
MOST_MAPPED = 0.965  # fraction of blasts in the marrow: near `MARROW_TOP` the number of cells has no limit
MOST_OF_CAPACITY = 0.9  # blasts before lymphodepletion
MOST_OF_BLASTS = -0.5  # log10: the sanctuary, and CD19-negative blasts, of all blasts
B_CELLS = 10.0  # after lymphodepletion
NO_CELLS = 1e-12  # CAR-T cells before infusion, where a logarithm needs a number
NO_REJECTION = -30.0  # ln of host-versus-graft activity against a patient's own cells
NEUTROPHILS, PLATELETS = 1.2, 100.0  # 1e9/L, on the day of infusion


@dataclass(frozen=True)
class _Basis:
    """What a patient's numbers are made from.

    Parameters
    ----------
    population : Population
    free, fixed : mapping of str to number
        Numbers of the biology.
    z, u : ndarray of float64
        Chances: `Chances.normal` and `Chances.uniform`.
    poor, severity, short_lived : ndarray, shape (patients,)
        Whether the product is poor, how poor (0: it is not), and whether its memory is short-lived.
    """

    population: Population
    free: Mapping[str, Value]
    fixed: Mapping[str, float]
    z: Floats
    u: Floats
    poor: Flags
    severity: Floats
    short_lived: Flags

    @property
    def cd28(self) -> bool:
        """Whether the product is costimulated by CD28, otherwise by 4-1BB."""
        return self.population.product.costimulation == "CD28"

    @property
    def allogeneic(self) -> bool:
        """Whether the cells are a donor's."""
        return self.population.product.source == "allogeneic"


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
        member = (draw_uniform(by_trial, chance.MEMBERS, 1)[:, 0] * len(ensemble)).astype(np.int64)
    return build_patients(population, ensemble.natural(member), draw_chances(keys), marrow=marrow, member=member)


def marrow_to_blasts(marrow: Floats) -> Floats:
    """Return blasts (cells/uL) of a fraction of the marrow (Liu 2022), at most 90 % of the capacity."""
    share = np.minimum(marrow, MOST_MAPPED)
    return np.minimum(codes.MARROW_SCALE * share / (codes.MARROW_TOP - share), MOST_OF_CAPACITY * codes.CAPACITY)


@cache
def _beta_grid(a: float, b: float) -> Floats:
    from scipy.special import betaincinv

    return np.asarray(betaincinv(a, b, np.linspace(0, 1, 2001)))


def draw_marrow(population: Population, chances: Chances) -> Floats:
    """Return the fraction of blasts in the marrow, shape (patients,).

    Some patients enter at the level of residual disease, uniform in log10; the marrow of the others is low + span x Beta(a, b).
    """
    part = population.patients
    u, v = chances.uniform[:, chance.U_MRD_LEVEL], chances.uniform[:, chance.U_MARROW]
    level = part.mrd_level
    low = 10 ** (level.log10_low + (level.log10_high - level.log10_low) * v)
    high = part.blasts.low + part.blasts.span * np.interp(v, np.linspace(0, 1, 2001), _beta_grid(part.blasts.a, part.blasts.b))
    return np.where(u < level.share, low, np.clip(high, part.blasts.low, MOST_MARROW))


def build_patients(
    population: Population,
    natural: Mapping[str, Value],
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
    basis = _basis(population, natural, (model or load_model()).constants, chances)
    n = len(basis.z)
    share = draw_marrow(population, chances) if marrow is None else marrow
    numbers = _disease(basis) | _killing(basis) | _expansion(basis) | _memory(basis) | _host(basis) | _cytokines(basis) | _blood(basis)
    clones = _clones(basis, share)
    # a clone is lost at one cell times a standard exponential number
    thresholds = np.log(codes.ONE_CELL) + np.log(-np.log(basis.u[:, chance.EXTINCTIONS]))
    return Draws(
        np.column_stack([np.broadcast_to(numbers[i], (n,)) for i in range(codes.N_PARAMETERS)]),
        _state(basis, clones),
        _alive(basis, clones, thresholds),
        thresholds,
        _covariates(basis, share),
        np.zeros(n, np.int64) if member is None else member,
        {name: np.array(np.broadcast_to(value, (n,)), float) for name, value in _hazards(basis).items()},
    )


def _basis(population: Population, free: Mapping[str, Value], fixed: Mapping[str, float], chances: Chances) -> _Basis:
    """Say what kind of product each patient has.

    The cells' quality is a normal number, and the lowest make a poor product; a donor's is poor as often as a child's. How poor is its
    severity, 1 on average: a floor, and an exponential tail that reaches those who hardly expand. The memory of some products is
    short-lived, more often of those with CD28.
    """
    from scipy.special import ndtr

    product, z, u = population.product, chances.normal, chances.uniform
    poor = ndtr(z[:, chance.Z_QUALITY]) < free["poor-adult" if product.poor == "adult" else "poor-child"]
    severity = np.where(poor, fixed["poor-floor"] - (1 - fixed["poor-floor"]) * np.log(u[:, chance.U_SEVERITY]), 0.0)
    short_lived = u[:, chance.U_MEMORY] < free["early-loss-cd28" if product.costimulation == "CD28" else "early-loss"]
    return _Basis(population, free, fixed, z, u, poor, severity, short_lived)


def _log_normal(median: Value, spread: Value, z: Floats) -> Floats:
    """Return a number that differs between patients: its median, and the standard deviation of its logarithm."""
    return median * np.exp(spread * z)


def _disease(basis: _Basis) -> Numbers:
    """All blasts of a patient grow at one rate. Killing reaches those in the sanctuary less."""
    free, fixed = basis.free, basis.fixed
    return {
        # of all clones, 1/day
        codes.Q_GROWTH: _log_normal(free["growth"], fixed["spread-growth"], basis.z[:, chance.Z_GROWTH]),
        # most killing in the sanctuary, 1/day, however fast it is elsewhere
        codes.Q_REACH: free["reach"],
    }


def _killing(basis: _Basis) -> Numbers:
    """Products that expand more also kill more. A poor one kills less: its ln killing falls with the severity."""
    free, fixed, z = basis.free, basis.fixed, basis.z
    shared = fixed["correlation"]
    normal = shared * z[:, chance.Z_EXPANSION] + np.sqrt(1 - shared**2) * z[:, chance.Z_KILL]
    return {
        # 1/day, where effectors are many for each target
        codes.Q_KILL: np.exp(np.log(free["kill"]) + fixed["spread-kill"] * normal - fixed["poor-kill"] * basis.severity),
        # effectors that kill half as fast, where targets are few
        codes.Q_KILL_HALF: fixed["kill-half"],
        # share of the targets by which killing is diluted
        codes.Q_TARGET_WEIGHT: fixed["target-weight"],
        # killing by memory over that by effectors; and the memory that kills, and suppresses B cells, by half
        codes.Q_MEMORY_KILL: fixed["memory-kill"],
        codes.Q_MEMORY_HALF: fixed["memory-half"],
    }


def _pace(basis: _Basis) -> Floats:
    """Return how fast a patient's CAR-T cells run through their programme: early and late peaks of like height."""
    return _log_normal(1.0, basis.free["spread-pace"], basis.z[:, chance.Z_PACE])


def _expansion(basis: _Basis) -> Numbers:
    """Cells that take expand on antigen, those of poor products less, spend their capacity, and tire or contract (by CD28, faster)."""
    free, fixed, z = basis.free, basis.fixed, basis.z
    pace = _pace(basis)
    contraction = pace * free["contraction"] * (free["contraction-cd28"] if basis.cd28 else 1.0)
    poor = free["poor-expansion"] * basis.severity
    return {
        # cells infused that take; the share of memory among them; vector copies of a cell, which assays count
        codes.Q_DOSE: _log_normal(fixed["dose"], fixed["spread-dose"], z[:, chance.Z_DOSE]),
        codes.Q_MEMORY_SHARE: fixed["memory-share"],
        codes.Q_GENOMES: fixed["genomes"],
        # 1/day under full antigen with room; the antigen, and the lymphocytes in the way, at which it is half
        codes.Q_EXPANSION: pace * fixed["expansion"] * np.exp(fixed["spread-expansion"] * z[:, chance.Z_EXPANSION] - poor),
        codes.Q_ANTIGEN_HALF: free["antigen-half"],
        codes.Q_ROOM_HALF: fixed["room-half"],
        # capacity spent under full antigen, 1/day; and, once it is spent, effectors exhausted
        codes.Q_SPENDING: pace ** fixed["pace-spending"] * free["spending"],
        codes.Q_EXHAUSTION: pace * fixed["exhaustion"],
        # loss of effectors, 1/day
        codes.Q_CONTRACTION: _log_normal(contraction, fixed["spread-contraction"], z[:, chance.Z_CONTRACTION]),
    }


def _memory(basis: _Basis) -> Numbers:
    """Some effectors become memory, which is lost slowly, or soon where it is short-lived."""
    fixed, z = basis.fixed, basis.z
    loss = np.where(basis.short_lived, fixed["memory-loss-early"], fixed["memory-loss"])
    return {
        # 1/day, both
        codes.Q_TO_MEMORY: _log_normal(_pace(basis) * basis.free["to-memory"], fixed["spread-to-memory"], z[:, chance.Z_TO_MEMORY]),
        codes.Q_MEMORY_LOSS: _log_normal(loss, fixed["spread-memory-loss"], z[:, chance.Z_MEMORY_LOSS]),
    }


def _host(basis: _Basis) -> Numbers:
    """The host rejects a donor's cells alone; alemtuzumab, while it lasts, holds its T cells down."""
    return {
        codes.Q_ALLOGENEIC: float(basis.allogeneic),
        # growth of host-versus-graft activity under full contact, 1/day
        codes.Q_SENSITISATION: basis.fixed["sensitisation"],
        # days in which alemtuzumab's effect falls to 1/e
        codes.Q_ALEMTUZUMAB_TIME: basis.fixed["alemtuzumab-time"],
    }


def _cytokines(basis: _Basis) -> Numbers:
    """The same lysis gives more IL-6 under CD28 than under 4-1BB, and more in some patients than in others."""
    fixed = basis.fixed
    il6 = fixed["il6-yield"] * (fixed["il6-cd28"] if basis.cd28 else 1.0)
    return {
        # pg/mL for each blast lysed in a uL and a day
        codes.Q_IL6_YIELD: _log_normal(il6, fixed["spread-il6-yield"], basis.z[:, chance.Z_IL6_YIELD]),
    }


def _blood(basis: _Basis) -> Numbers:
    """The marrow recovers at the patient's own pace, and IL-6 slows it; counts at full reserve differ between patients."""
    fixed, z = basis.fixed, basis.z
    return {
        # logit of the reserve, 1/day; and the IL-6 (pg/mL) that halves it
        codes.Q_RECOVERY: _log_normal(fixed["recovery"], basis.free["spread-recovery"], z[:, chance.Z_RECOVERY]),
        codes.Q_IL6_BRAKE: fixed["il6-brake"],
        # neutrophils and platelets at full reserve, 1e9/L
        codes.Q_ANC_BASE: _log_normal(fixed["anc-base"], fixed["spread-counts"], z[:, chance.Z_ANC]),
        codes.Q_PLT_BASE: _log_normal(fixed["plt-base"], fixed["spread-counts"], z[:, chance.Z_PLT]),
    }


def _clones(basis: _Basis, marrow: Floats) -> Floats:
    """Return ln cells of the three clones after lymphodepletion: all blasts, those in the sanctuary, the CD19-negative.

    The two small clones are shares of all blasts on a log10 scale, so wide that they are cut off below a third.
    """
    free, fixed, z = basis.free, basis.fixed, basis.z
    ln_blasts = np.log(marrow_to_blasts(marrow) * fixed["debulking"])
    sanctuary = np.minimum(free["sanctuary-log10"] + fixed["spread-sanctuary"] * z[:, chance.Z_SANCTUARY], MOST_OF_BLASTS)
    negative = np.minimum(fixed["negative-log10"] + fixed["spread-negative"] * z[:, chance.Z_NEGATIVE], MOST_OF_BLASTS)
    return np.column_stack([ln_blasts, ln_blasts + np.log(10) * sanctuary, ln_blasts + np.log(10) * negative])


def _alive(basis: _Basis, clones: Floats, thresholds: Floats) -> Flags:
    """Return which clones exist: of one cell or more, not yet extinct; CD19-negative blasts in some patients alone."""
    alive: Flags = clones > np.maximum(thresholds, np.log(codes.ONE_CELL))
    alive[:, 2] &= basis.u[:, chance.U_HAS_NEGATIVE] < basis.free["negative-share"]
    return alive


def _state(basis: _Basis, clones: Floats) -> Floats:
    """Return the state on day 0, after lymphodepletion and before infusion.

    Alemtuzumab leaves fewer host T cells, lymphodepletion without fludarabine more. The activity with which they reject rises with their
    number. Lymphodepletion takes the marrow's reserve, from some patients more than from others. Cytokines are at rest; what is not named
    is 0.
    """
    free, fixed, z = basis.free, basis.fixed, basis.z
    effect: Value = 0.0
    if basis.population.product.alemtuzumab:
        effect = _log_normal(free["alemtuzumab"], fixed["spread-alemtuzumab"], z[:, chance.Z_ALEMTUZUMAB])
    ln_host = np.log(fixed["host"]) + fixed["spread-host"] * z[:, chance.Z_HOST] - codes.ALEMTUZUMAB_POWER * effect
    ln_host = ln_host + np.where(_without_fludarabine(basis), np.log(free["host-without-fludarabine"]), 0.0)
    rejection = np.log(free["host-precursors"]) + ln_host + fixed["spread-host-precursors"] * z[:, chance.Z_HOST_PRECURSORS]
    state = {
        "ln_sensitive": clones[:, 0],
        "ln_sanctuary": clones[:, 1],
        "ln_negative": clones[:, 2],
        "ln_bcell": np.log(B_CELLS),
        "ln_effector": np.log(NO_CELLS),
        "ln_memory": np.log(NO_CELLS),
        "ln_host": ln_host,
        "ln_graft_rejection": rejection if basis.allogeneic else NO_REJECTION,
        "alemtuzumab": effect,
        "il6": codes.IL6_BASE,
        "ferritin": codes.FERRITIN_BASE,
        "crp": codes.CRP_BASE,
        "reserve": -(free["marrow-hit"] + fixed["spread-marrow-hit"] * z[:, chance.Z_MARROW_HIT]),
        "anc": NEUTROPHILS,
        "plt": PLATELETS,
    }
    initial = np.zeros((len(z), codes.N_STATES))
    for name, value in state.items():
        initial[:, codes.STATES.index(name)] = value
    return initial


def _without_fludarabine(basis: _Basis) -> Flags:
    """Return whose lymphodepletion has no fludarabine: a share of the population's patients."""
    share = basis.population.product.without_fludarabine
    without: Flags = basis.u[:, chance.U_FLUDARABINE] < (share.value if share else 0.0)
    return without


def _covariates(basis: _Basis, marrow: Floats) -> dict[str, NDArray[np.generic]]:
    """Return what else is known of the patients: see `Draws`. Age is log-normal, cut at the limits of eligibility."""
    patients, age = basis.population.patients, basis.population.patients.age
    return {
        "age": np.clip(_log_normal(age.median, age.spread, basis.z[:, chance.Z_AGE]), age.low, age.high),
        "marrow": marrow,
        "poor_product": basis.poor,
        "durable_memory": ~basis.short_lived,
        "prior_transplant": basis.u[:, chance.U_PRIOR_TRANSPLANT] < patients.prior_transplant.value,
        "quality": basis.z[:, chance.Z_QUALITY],
        "child": np.full(len(basis.z), patients.child),
        "fludarabine": ~_without_fludarabine(basis),
    }


def _hazards(basis: _Basis) -> dict[str, Value]:
    """Return the clinical rates: see `Draws`. Neurotoxicity is more frequent under CD28 at the same IL-6."""
    free, fixed = basis.free, basis.fixed
    child = basis.population.patients.child
    return {
        "after_failure": free["death-child" if child else "death-adult"],
        "severe_crs": free["severe-crs"],
        "icans": fixed["icans"] + (fixed["icans-cd28"] if basis.cd28 else 0.0),
        "before_infusion": free["waiting"] * (1.0 if child else free["waiting-adult"]),
    }
