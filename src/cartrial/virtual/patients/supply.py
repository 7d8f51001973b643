"""Who gets the product, when, and with how much disease? Supply from enrolment to infusion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.engine import Draws
from cartrial.virtual.engine import kernel_codes as codes
from cartrial.virtual.patients.chances import SUPPLY, SUPPLY_NORMALS
from cartrial.virtual.patients.draws import marrow_to_blasts
from cartrial.virtual.patients.population import Population
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform

__all__ = ["OUTCOMES", "Supply", "supply_allogeneic", "supply_autologous"]

OUTCOMES = ("infused", "product failure", "death before infusion", "ineligible before infusion")
_DEATH_SHARE = 0.6
_STEPS = 8


@dataclass(frozen=True)
class Supply:
    """What became of the product and the patient between enrolment and infusion. Days are from enrolment.

    Parameters
    ----------
    outcome : ndarray of int64, shape (patients,)
        Position in `OUTCOMES`.
    attempts : ndarray of int64, shape (patients,)
        Aphereses and productions started (1 or 2); for an allogeneic product lots asked for.
    released : ndarray of float64, shape (patients,)
        Day the product is released, infinite if it never is; the patient may be lost before.
    infusion : ndarray of float64, shape (patients,)
        Day of infusion, infinite if there is none.
    lost : ndarray of float64, shape (patients,)
        Day of product failure, death or loss of eligibility, infinite for the infused.
    marrow : ndarray of float64, shape (patients,)
        Fraction of blasts in the marrow when lymphodepletion would start.
    lowered : ndarray of bool, shape (patients,)
        Whose blasts bridging lowers.
    """

    outcome: NDArray[np.int64]
    attempts: NDArray[np.int64]
    released: NDArray[np.float64]
    infusion: NDArray[np.float64]
    lost: NDArray[np.float64]
    marrow: NDArray[np.float64]
    lowered: NDArray[np.bool_]

    @property
    def infused(self) -> NDArray[np.bool_]:
        """Who was infused, shape (patients,)."""
        infused: NDArray[np.bool_] = self.outcome == 0
        return infused


def _grow(marrow: NDArray[np.float64], rate: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fraction of blasts after days of logistic growth, or of decline where the rate is negative."""
    start = marrow_to_blasts(marrow)
    grown: NDArray[np.float64] = np.exp(np.clip(rate * days, -50, 50))
    blasts = codes.CAPACITY * start * grown / (codes.CAPACITY + start * (grown - 1))
    return codes.MARROW_TOP * blasts / (blasts + codes.MARROW_SCALE)


def _bridge(population: Population, chance: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return whose blasts bridging lowers, and by how much: ln, exponential between patients.

    One number decides both: what is below the share of those who respond is uniform once more.
    """
    share, fall = population.supply.bridging_response, population.supply.bridging_fall
    if share is None or fall is None or not share.value:
        return np.zeros(len(chance), bool), np.zeros(len(chance))
    lowered = chance < share.value
    return lowered, np.where(lowered, -np.log(10.0) * fall.value * np.log(np.minimum(chance / share.value, 1.0)), 0.0)


def _supply(population: Population, draws: Draws, keys: Keys) -> Supply:
    from scipy.special import ndtr

    numbers = population.supply
    n = len(draws)
    u = draw_uniform(keys, SUPPLY, 4)
    z = draw_normal(keys, SUPPLY_NORMALS, 4)
    quality = draws.covariates["quality"].astype(float)
    link = numbers.failure_link.value
    # a poor apheresis fails more often; the second attempt has its own chance but the same patient
    latent = [link * quality + np.sqrt(1 - link**2) * z[:, i] for i in (0, 1)]
    failed = [ndtr(value) < numbers.failure.value for value in latent]
    again = failed[0] & (u[:, 0] < numbers.retry.value)
    made = ~failed[0] | (again & ~failed[1])
    making = [numbers.making_days.value * np.exp(numbers.making_spread.value * z[:, i]) for i in (2, 3)]
    days = making[0] + np.where(again, making[1], 0.0)
    ready = days + numbers.shipping_days.value
    marrow = draws.covariates["marrow"].astype(float)
    lowered, fall = _bridge(population, u[:, 3])
    rate = draws.parameters[:, codes.Q_GROWTH] * (1 - min(numbers.bridging.value, 1.0)) - fall / ready
    # hazard of death or loss of eligibility rises with the blasts, which grow meanwhile
    budget = -np.log(u[:, 1])
    spent = np.zeros(n)
    lost = np.full(n, np.inf)
    for i in range(_STEPS):
        start, end = ready * i / _STEPS, ready * (i + 1) / _STEPS
        burden = _grow(marrow, rate, (start + end) / 2)
        hazard = draws.hazards["before_infusion"] * (1 + numbers.blast_hazard.value * burden)
        more = hazard * (end - start)
        now = (spent <= budget) & (spent + more > budget)
        lost[now] = (start + (budget - spent) / hazard)[now]
        spent += more
    gone = np.isfinite(lost)
    stopped = ~made & ~gone
    outcome = np.where(gone, np.where(u[:, 2] < _DEATH_SHARE, 2, 3), np.where(made, 0, 1))
    return Supply(
        outcome.astype(np.int64),
        1 + again.astype(np.int64),
        np.where(made, days, np.inf),
        np.where(outcome == 0, ready, np.inf),
        np.where(stopped, days, lost),
        _grow(marrow, rate, ready),
        lowered,
    )


def supply_autologous(population: Population, draws: Draws, keys: Keys) -> Supply:
    """Make the product from the patient's own cells.

    Apheresis quality is one latent number: a low one makes production fail (and perhaps be tried again) and, if it succeeds, makes a
    poor product. Meanwhile the disease grows, held by bridging, which lowers the blasts of some, and the patient may die or become
    ineligible: that share emerges.

    Parameters
    ----------
    population : Population
        Its `supply`.
    draws : Draws
        Patients at enrolment: quality, marrow blasts, growth and the waiting hazard.
    keys : Keys
        Of the same patients.

    Returns
    -------
    Supply

    Examples
    --------
    The infused receive their product after release and the days of shipping and preparation; the others never do.

    >>> from cartrial.virtual import Keys, draw_patients, load_ensemble, load_population, supply_autologous
    >>> population, keys = load_population("inaticel"), Keys.trials("example", 1, 1, 4)
    >>> supply = supply_autologous(population, draw_patients(population, load_ensemble(), keys), keys)
    >>> waits = (supply.infusion - supply.released)[supply.infused]
    >>> bool(abs(waits - population.supply.shipping_days.value).max() < 1e-9)
    True
    """
    return _supply(population, draws, keys)


def supply_allogeneic(population: Population, draws: Draws, keys: Keys) -> Supply:
    """Take the product from the shelf: the same equations, with the days, failures and lots of the population's `supply`.

    A donor's quality does not depend on the patient, so the link between failure and quality is zero there; rejection is in the engine.

    Examples
    --------
    The same patients wait less for a product from the shelf.

    >>> from cartrial.virtual import Keys, draw_patients, load_ensemble, load_population, supply_allogeneic, supply_autologous
    >>> keys, waits = Keys.trials("example", 1, 1, 4), []
    >>> for name, supply in (("allogeneic-cd19", supply_allogeneic), ("autologous-cd19", supply_autologous)):
    ...     population = load_population(name)
    ...     waits.append(supply(population, draw_patients(population, load_ensemble(), keys), keys).released)
    >>> bool((waits[0] < waits[1]).all())
    True
    """
    return _supply(population, draws, keys)
