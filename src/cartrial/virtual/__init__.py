"""What would patients do? Biology, population and product supply of virtual CAR-T patients.

**What this is.** One mechanistic model of a patient, composed by us, calibrated to published aggregates and unpublished itself. It is not
validated on data of single patients. It is not for individual prediction, not for choosing a dose, and no ground for a claim about a real
product. `LABEL` says so in one sentence; whatever is shown from here carries it.

From a key to a course
----------------------
1. `load_population("inaticel")` reads a population: distributions of parameters and covariates, each number with its unit, source and how
   sure it is (`data/population-*.yaml`). `load_ensemble()` reads the accepted parameter sets: there is never one point.
2. `draw_patients(population, ensemble, keys)` gives `Draws`. Every number depends on its key (study, seed, trial, subject, stream) alone,
   so neither the number of patients, nor their order, nor threads or batches change a patient. The ensemble's member is drawn by trial.
3. `infuse(draws)` gives `Events` with one infusion at day 0; `Events.add` adds fractions, treatment, transplant, new therapy.
4. `simulate_course(draws, days, events)` solves the equations and gives a `Course`: what could be observed, before any assay's error.

Day 0 is the first infusion and exists. Lymphodepletion before it is in the state of day 0. What happens between enrolment and infusion
(growth, bridging, manufacturing, failure, death) is product supply: `supply_autologous`, `supply_allogeneic`.

`cartrial.virtual.calibration.calibrate` makes the ensemble again from the registry of published results (`load_targets`);
`read_scores`, beside it, reads its tables.
The compiled parts need the extra `fast`.

What is weak
------------
- 26 parameters are calibrated, of which about 16 directions are informed by 58 results (`data/directions.csv`); the other numbers are read
  or assumed, as `data/model.yaml` says of each. The priors were centred by people who had seen the results: held-out and left-out results
  are a softer test than new publications.
- ELIANA, CIBMTR and Pulsipher 2022 share patients, as do the two reports of UCART19, whose share of MRD-level entrants is assumed.
- Interleukin-6, ferritin, CRP, tocilizumab, corticosteroids and re-infusion have no target; severe cytokine release has one.
- Adults given CD28 products relapse too soon and too uniformly (ZUMA-3, not fitted); true non-expanders are rarer than real series show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cartrial.virtual.engine import Course, Draws, Events, infuse, simulate_course
from cartrial.virtual.patients.randomness import Keys

if TYPE_CHECKING:
    from cartrial.virtual.calibration.targets import load_targets
    from cartrial.virtual.patients.draws import draw_patients
    from cartrial.virtual.patients.ensemble import load_ensemble
    from cartrial.virtual.patients.population import load_population
    from cartrial.virtual.patients.supply import supply_allogeneic, supply_autologous

__all__ = [
    "LABEL",
    "Course",
    "Draws",
    "Events",
    "Keys",
    "draw_patients",
    "infuse",
    "load_ensemble",
    "load_population",
    "load_targets",
    "simulate_course",
    "supply_allogeneic",
    "supply_autologous",
]

LABEL = (
    "Virtual patients of a composite model calibrated to published aggregates, itself unpublished and not validated on patient-level data: "
    "not for individual prediction, dose choice or claims about a real product."
)
"""What virtual patients are and are not for, in one sentence."""

_HOME = {
    "draw_patients": "patients.draws",
    "load_ensemble": "patients.ensemble",
    "load_population": "patients.population",
    "load_targets": "calibration.targets",
    "supply_allogeneic": "patients.supply",
    "supply_autologous": "patients.supply",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(f"cartrial.virtual.{_HOME[name]}"), name)
    raise AttributeError(name)
