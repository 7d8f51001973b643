"""How do the cells grow and persist in this population? Curves of the cells' number, fitted to all subjects at once."""

from cartrial.kinetics.curves import CURVES, draw_curves
from cartrial.kinetics.fit import PopulationFit, fit_population
from cartrial.kinetics.model import Covariate, PopulationModel, SampleSet, read_set
from cartrial.kinetics.saem import Plan

__all__ = ["CURVES", "Covariate", "Plan", "PopulationFit", "PopulationModel", "SampleSet", "draw_curves", "fit_population", "read_set"]
