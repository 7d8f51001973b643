"""What is already known, is it consistent, and may it be put beside this trial? Published results, checked, compared and refused."""

from cartrial.evidence.checks.check import check_evidence, check_results
from cartrial.evidence.checks.counts import Printing, possible_counts, possible_denominators, possible_splits
from cartrial.evidence.checks.findings import VERDICTS, Finding
from cartrial.evidence.checks.intervals import Asked, Fit, fit_limits
from cartrial.evidence.checks.statement import check_statement
from cartrial.evidence.checks.survival import LimitType, read_limits
from cartrial.evidence.gate.beside import compare_endpoint
from cartrial.evidence.gate.compare import Attribute, Comparison, Pairs, compare_results, count_pairs, require_comparable
from cartrial.evidence.gate.estimand import ASSUMABLE, is_response_rate, read_assumptions
from cartrial.evidence.pooling.pool import Pool, Pooled, pool_results
from cartrial.evidence.priors.prior import HistoryPrior, derive_prior
from cartrial.evidence.registry.model import Interval, Measure, Result, Value
from cartrial.evidence.registry.read import Evidence, load_evidence, read_evidence, read_trial
from cartrial.evidence.registry.trial import Claim, Mark, Source, Trial, TrialFile

__all__ = [
    "ASSUMABLE",
    "VERDICTS",
    "Asked",
    "Attribute",
    "Claim",
    "Comparison",
    "Evidence",
    "Finding",
    "Fit",
    "HistoryPrior",
    "Interval",
    "LimitType",
    "Mark",
    "Measure",
    "Pairs",
    "Pool",
    "Pooled",
    "Printing",
    "Result",
    "Source",
    "Trial",
    "TrialFile",
    "Value",
    "check_evidence",
    "check_results",
    "check_statement",
    "compare_endpoint",
    "compare_results",
    "count_pairs",
    "derive_prior",
    "fit_limits",
    "is_response_rate",
    "load_evidence",
    "pool_results",
    "possible_counts",
    "possible_denominators",
    "possible_splits",
    "read_assumptions",
    "read_evidence",
    "read_limits",
    "read_trial",
    "require_comparable",
]
