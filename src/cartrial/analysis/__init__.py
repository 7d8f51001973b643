"""What is the estimate and its uncertainty? Estimators over many trials at once, and the results of a study as rows."""

from cartrial.analysis.estimators.adjusted import adjust_p_values
from cartrial.analysis.estimators.agreement import estimate_agreement, kappa_of_tables
from cartrial.analysis.estimators.gray import estimate_gray
from cartrial.analysis.estimators.incidence import AalenJohansen, estimate_incidence
from cartrial.analysis.estimators.km import KaplanMeier, estimate_follow_up, estimate_survival
from cartrial.analysis.estimators.logrank import estimate_logrank
from cartrial.analysis.estimators.models import estimate_cox, estimate_fine_gray, estimate_firth
from cartrial.analysis.estimators.pooled.exact import PooledRate, estimate_influence, estimate_pooled
from cartrial.analysis.estimators.pooled.normal import NormalRate, estimate_pooled_normal
from cartrial.analysis.estimators.priors.fit import MixtureFit, fit_mixture
from cartrial.analysis.estimators.priors.history import PowerPosterior, commensurate_prior, normalised_power_posterior, power_prior
from cartrial.analysis.estimators.priors.meta_analytic import PredictivePrior, estimate_map
from cartrial.analysis.estimators.priors.mixture import BetaMixture
from cartrial.analysis.estimators.priors.size import effective_size
from cartrial.analysis.estimators.rates import binomial_limits, binomial_p_value, estimate_rate
from cartrial.analysis.estimators.weighted.bias import (
    EValue,
    Indirect,
    estimate_e_value,
    estimate_indirect,
    tip_confounder,
    tip_missing,
)
from cartrial.analysis.estimators.weighted.bootstrap import Bootstrap, bootstrap_hazard, bootstrap_rates
from cartrial.analysis.estimators.weighted.hazard import WeightedHazard, estimate_weighted_hazard, estimate_weighted_survival
from cartrial.analysis.estimators.weighted.moments import Moment, MomentWeights, estimate_moment_weights
from cartrial.analysis.estimators.weighted.propensity import PropensityWeights, estimate_propensity
from cartrial.analysis.estimators.weighted.rates import Contrast, WeightedRate, compare_weighted_rates, estimate_weighted_rate
from cartrial.analysis.plan import analyse
from cartrial.analysis.results import ARS, KEY, SCHEMA, check_results, read_results, results_hash, sort_results, write_results
from cartrial.analysis.tables.flow import count_flow
from cartrial.analysis.tables.kinetics import estimate_kinetics
from cartrial.analysis.tables.patients import tabulate_patients
from cartrial.analysis.tables.reads import best_reads, pair_reads
from cartrial.analysis.tables.safety.events import count_grades
from cartrial.analysis.tables.times import LANDMARKS, RISK_TIMES

__all__ = [
    "ARS",
    "KEY",
    "LANDMARKS",
    "RISK_TIMES",
    "SCHEMA",
    "AalenJohansen",
    "BetaMixture",
    "Bootstrap",
    "Contrast",
    "EValue",
    "Indirect",
    "KaplanMeier",
    "MixtureFit",
    "Moment",
    "MomentWeights",
    "NormalRate",
    "PooledRate",
    "PowerPosterior",
    "PredictivePrior",
    "PropensityWeights",
    "WeightedHazard",
    "WeightedRate",
    "adjust_p_values",
    "analyse",
    "best_reads",
    "binomial_limits",
    "binomial_p_value",
    "bootstrap_hazard",
    "bootstrap_rates",
    "check_results",
    "commensurate_prior",
    "compare_weighted_rates",
    "count_flow",
    "count_grades",
    "effective_size",
    "estimate_agreement",
    "estimate_cox",
    "estimate_e_value",
    "estimate_fine_gray",
    "estimate_firth",
    "estimate_follow_up",
    "estimate_gray",
    "estimate_incidence",
    "estimate_indirect",
    "estimate_influence",
    "estimate_kinetics",
    "estimate_logrank",
    "estimate_map",
    "estimate_moment_weights",
    "estimate_pooled",
    "estimate_pooled_normal",
    "estimate_propensity",
    "estimate_rate",
    "estimate_survival",
    "estimate_weighted_hazard",
    "estimate_weighted_rate",
    "estimate_weighted_survival",
    "fit_mixture",
    "kappa_of_tables",
    "normalised_power_posterior",
    "pair_reads",
    "power_prior",
    "read_results",
    "results_hash",
    "sort_results",
    "tabulate_patients",
    "tip_confounder",
    "tip_missing",
    "write_results",
]
