"""What becomes of patients by their blasts before lymphodepletion? The same chances, the mean of the ensemble, every population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from cartrial.virtual.calibration.clinic import MEASURES, MONTH, Cohort, simulate_cohort
from cartrial.virtual.patients.population import Population, load_population, populations

__all__ = ["BANDS", "NOT_REACHED", "OUTCOMES", "assess_burden", "tabulate_burden", "words_of"]

BANDS = ((0.0, 0.05, "below 5 %"), (0.05, 0.5, "5 to 50 %"), (0.5, 1.0, "50 % and more"))
"""Marrow blasts before lymphodepletion: from this, below that, in words."""
NOT_REACHED = (
    "Nobody is without detectable disease. In 4-1BB populations the remissions of all responders last much alike in the three bands, since "
    "a poor product at few blasts still counts as a response by morphology; of MRD-negative responders they last longer at few blasts. "
    "Responders with few blasts are MRD-negative less often than others, and severe cytokine release is rarer in them than in any series."
)
"""What the table by burden does not reach, in words."""
_LOW_SHARE = 0.4
_PATIENTS = 2000
_LAST = 1080.0
_YEAR, _EARLY = 365.0, 180.0


def _clear(cohort: Cohort) -> float:
    """Return the share in remission after 12 months, of MRD-negative responders."""
    clear = cohort.result[cohort.responder, 2] > 0
    lasting = cohort.remission_days[clear] > _YEAR
    return float(lasting.mean()) if len(lasting) else float("nan")


def _recovered(cohort: Cohort) -> float:
    """Return the share of responders whose B cells are back by day 180."""
    back = cohort.result[cohort.responder, 8] <= _EARLY
    return float(back.mean()) if len(back) else float("nan")


# column: what it is, and the measure with its day, or a function
OUTCOMES: dict[str, tuple[str, Any]] = {
    "response": ("CR/CRi by morphology", ("response", 0.0)),
    "mrd_negative": ("MRD-negative of responders", ("mrd-negative-of-responders", 0.0)),
    "event_free_12": ("EFS at 12 months", ("event-free", _YEAR)),
    "event_free_median": ("median EFS, months", ("event-free-median", 0.0)),
    "remission_12": ("RFS at 12 months of responders", ("remission-free-of-relapse", _YEAR)),
    "remission_clear_12": ("RFS at 12 months of MRD-negative responders", _clear),
    "alive_12": ("OS at 12 months", ("alive", _YEAR)),
    "cmax": ("geometric mean Cmax, copies/ug", ("cmax", 0.0)),
    "severe_crs": ("severe CRS", ("severe-crs", 0.0)),
    "negative_of_relapses": ("CD19-negative of relapses in 24 months", ("negative-of-relapses", 731.0)),
    "b_cells_180": ("B cells back by day 180 of responders", _recovered),
}
"""Columns of the table by burden: their words, and how each is measured."""


def words_of(outcome: str, value: float | None) -> str:
    """Return a value of the table as it is shown: shares in %, months with one decimal, copies to three digits.

    Examples
    --------
    >>> from cartrial.virtual.calibration.burden import words_of
    >>> words_of("response", 0.956), words_of("event_free_median", 8.94), words_of("cmax", 6543.2), words_of("cmax", None)
    ('96 %', '8.9', '6,540', '–')
    """
    if value is None:
        return "–"
    if outcome == "event_free_median":
        return f"{value:.1f}" if value < _LAST / MONTH else "not reached"
    return f"{float(f'{value:.3g}'):,.0f}" if outcome == "cmax" else f"{100 * value:.0f} %"


def _with_low(population: Population) -> Population:
    """Return a population of whom 40 % have less than 5 % blasts, in its own range; response is by morphology in all."""
    patients = population.patients
    level = patients.mrd_level.model_copy(update={"share": _LOW_SHARE, "must_clear": False})
    return population.model_copy(update={"patients": patients.model_copy(update={"mrd_level": level})})


def assess_burden(
    population: Population, natural: Mapping[str, float], *, patients: int = _PATIENTS, seed: int = 1, threads: int = 1
) -> pl.DataFrame:
    """Follow patients of a population, 40 % of them with less than 5 % blasts, and tell their outcomes by band.

    Parameters
    ----------
    population : Population
    natural : mapping of str to float
        Calibrated parameters on their natural scale.
    patients, seed : int
        Enrolled patients. The same pair gives the same chances under any parameters.
    threads : int

    Returns
    -------
    polars.DataFrame
        A row for each of `BANDS`: population, blasts (in words), infused (number), and the columns of `OUTCOMES`: shares, months,
        copies/ug; null where nobody is asked (a share of relapses without relapse).

    Examples
    --------
    Who has few blasts responds more often: the published direction.

    >>> import numpy as np
    >>> from cartrial.virtual import load_ensemble, load_population
    >>> from cartrial.virtual.calibration import assess_burden
    >>> ensemble = load_ensemble()
    >>> middle = {k: float(v) for k, v in ensemble.model.natural(ensemble.values.mean(0)).items()}
    >>> found = assess_burden(load_population("cibmtr"), middle, patients=200)
    >>> found["blasts"].to_list(), found["response"][0] > found["response"][2]
    (['below 5 %', '5 to 50 %', '50 % and more'], True)
    """
    cohort = simulate_cohort(_with_low(population), natural, patients=patients, seed=seed, last=_LAST, threads=threads)
    rows = []
    for low, high, words in BANDS:
        part = cohort.within(low, high)
        row: dict[str, Any] = {"population": population.id, "blasts": words, "infused": len(part.result)}
        for name, (_, how) in OUTCOMES.items():
            value = how(part) if callable(how) else MEASURES[how[0]](part, how[1])
            row[name] = float(value) if np.isfinite(value) and len(part.result) else None
        rows.append(row)
    schema = {"population": pl.String, "blasts": pl.String, "infused": pl.Int64} | dict.fromkeys(OUTCOMES, pl.Float64)
    return pl.DataFrame(rows, schema=schema)


def tabulate_burden(natural: Mapping[str, float], *, patients: int = _PATIENTS, seed: int = 1, threads: int = 1) -> pl.DataFrame:
    """Return the outcomes by blasts of every built-in population, one below the other: see `assess_burden`.

    Examples
    --------
    >>> from cartrial.virtual import load_ensemble
    >>> from cartrial.virtual.calibration import tabulate_burden
    >>> ensemble = load_ensemble()
    >>> middle = {k: float(v) for k, v in ensemble.model.natural(ensemble.values.mean(0)).items()}
    >>> found = tabulate_burden(middle, patients=20)
    >>> found.height == 3 * found["population"].n_unique()
    True
    """
    return pl.concat(
        [assess_burden(load_population(name), natural, patients=patients, seed=seed, threads=threads) for name in populations()]
    )
