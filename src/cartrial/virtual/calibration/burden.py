"""What becomes of patients by their blasts before lymphodepletion? The same chances, the mean of the ensemble, every population."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from cartrial.virtual.calibration.clinic import MEASURES, MONTH, Cohort, simulate_cohort
from cartrial.virtual.patients.population import Population, load_population, populations

__all__ = ["BANDS", "OUTCOMES", "assess_burden", "tabulate_burden", "tell_not_reached", "words_of"]

BANDS = ((0.0, 0.05, "below 5 %"), (0.05, 0.5, "5 to 50 %"), (0.5, 1.0, "50 % and more"))
"""Marrow blasts before lymphodepletion: from this, below that, in words."""
_LOW_SHARE = 0.4
_PATIENTS = 2000
_LAST = 1080.0
_YEAR, _EARLY = 365.0, 180.0
# remissions that last so much longer at few blasts than at many are no longer much alike; cytokine release so rare is rarer than anywhere
_ALIKE, _RARE = 0.08, 0.01


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


def tell_not_reached(table: pl.DataFrame) -> str:
    """Return what a table by burden does not reach, in words: of which of its populations, where it is not all of them.

    Parameters
    ----------
    table : polars.DataFrame
        Of `assess_burden`, `tabulate_burden`, or some of its rows: all bands of each population.

    Examples
    --------
    By hand: here remissions last longer at few blasts, and responders are MRD-negative more often.

    >>> import polars as pl
    >>> from cartrial.virtual.calibration.burden import tell_not_reached
    >>> bands = {"population": ["mine"] * 3, "remission_12": [0.9, 0.8, 0.7], "remission_clear_12": [0.9, 0.8, 0.7]}
    >>> tell_not_reached(pl.DataFrame(bands | {"mrd_negative": [0.9, 0.8, 0.7], "severe_crs": [0.1, 0.2, 0.3]}))
    'Nobody is without detectable disease.'
    """
    names = table["population"].unique(maintain_order=True).to_list()
    bands = {name: list(table.filter(population=name).iter_rows(named=True)) for name in names}

    def where(holds: Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], bool]) -> str | None:
        found = [name for name in names if holds(*bands[name])]
        if len(found) == len(names):
            return "" if len(names) == 1 else " in every population"
        few = [name for name in names if name not in found]
        return f" in all but {_listed(few)}" if len(few) < len(found) else f" in {_listed(found)}" if found else None

    def gain(name: str, low: dict[str, Any], high: dict[str, Any]) -> float:
        return float(low[name] or 0.0) - float(high[name] or 0.0)

    statements = (
        (
            "Remissions of all responders last hardly longer at few blasts than at many{}, since a poor product at few blasts still counts "
            "as a response by morphology.",
            where(lambda low, _, high: gain("remission_12", low, high) < _ALIKE and gain("remission_clear_12", low, high) > 0),
        ),
        (
            "Remissions last no longer at few blasts than at many, those of MRD-negative responders neither{}.",
            where(lambda low, _, high: gain("remission_clear_12", low, high) <= 0),
        ),
        (
            "Responders with few blasts are MRD-negative less often than others{}.",
            where(lambda low, some, high: max(gain("mrd_negative", low, some), gain("mrd_negative", low, high)) < 0),
        ),
        (
            "Severe cytokine release of patients with few blasts is rarer than in any series{}.",
            where(lambda low, _some, _high: float(low["severe_crs"] or 0.0) < _RARE),
        ),
    )
    return " ".join(["Nobody is without detectable disease.", *(text.format(place) for text, place in statements if place is not None)])


def _listed(names: list[str]) -> str:
    """Return names as a list in words."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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
