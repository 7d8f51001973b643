"""What is the estimate and its uncertainty? Estimators over many trials at once, and the results of a study as rows."""

from cartrial.analysis.agreement import best_reads, estimate_agreement, kappa_of_tables, pair_reads
from cartrial.analysis.flow import count_flow
from cartrial.analysis.gray import estimate_gray
from cartrial.analysis.incidence import AalenJohansen, estimate_incidence
from cartrial.analysis.kinetics import estimate_kinetics
from cartrial.analysis.km import KaplanMeier, estimate_follow_up, estimate_survival
from cartrial.analysis.logrank import estimate_logrank
from cartrial.analysis.models import estimate_cox, estimate_fine_gray, estimate_firth
from cartrial.analysis.plan import analyse
from cartrial.analysis.rates import binomial_limits, binomial_p_value, estimate_rate
from cartrial.analysis.results import ARS, KEY, SCHEMA, check_results, read_results, results_hash, sort_results, write_results
from cartrial.analysis.safety import count_grades
from cartrial.analysis.times import LANDMARKS, RISK_TIMES

__all__ = [
    "ARS",
    "KEY",
    "LANDMARKS",
    "RISK_TIMES",
    "SCHEMA",
    "AalenJohansen",
    "KaplanMeier",
    "analyse",
    "best_reads",
    "binomial_limits",
    "binomial_p_value",
    "check_results",
    "count_flow",
    "count_grades",
    "estimate_agreement",
    "estimate_cox",
    "estimate_fine_gray",
    "estimate_firth",
    "estimate_follow_up",
    "estimate_gray",
    "estimate_incidence",
    "estimate_kinetics",
    "estimate_logrank",
    "estimate_rate",
    "estimate_survival",
    "kappa_of_tables",
    "pair_reads",
    "read_results",
    "results_hash",
    "sort_results",
    "write_results",
]
