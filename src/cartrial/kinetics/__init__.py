"""How do the cells grow and persist in this population? Curves of the cells' number, fitted to all subjects at once."""

from cartrial.kinetics.asked import Description, KineticsFit, fit_kinetics
from cartrial.kinetics.curves import CURVES, draw_curves
from cartrial.kinetics.estimation.saem import Plan
from cartrial.kinetics.fit import PopulationFit, fit_population
from cartrial.kinetics.model import Covariate, PopulationModel, SampleSet, read_set
from cartrial.kinetics.tables import parameter_table, summary_lines, write_kinetics

__all__ = [
    "CURVES",
    "Covariate",
    "Description",
    "KineticsFit",
    "Plan",
    "PopulationFit",
    "PopulationModel",
    "SampleSet",
    "draw_curves",
    "fit_kinetics",
    "fit_population",
    "parameter_table",
    "read_set",
    "summary_lines",
    "write_kinetics",
]
