"""What is already known, is it consistent, and may it be put beside this trial? Published results, checked, compared and refused."""

from cartrial.evidence.checks.check import check_evidence, check_results
from cartrial.evidence.checks.counts import Printing, possible_counts, possible_denominators, possible_splits
from cartrial.evidence.checks.findings import VERDICTS, Finding
from cartrial.evidence.checks.intervals import Asked, Fit, fit_limits
from cartrial.evidence.checks.statement import check_statement
from cartrial.evidence.checks.survival import LimitType, read_limits
from cartrial.evidence.registry.model import Interval, Measure, Result, Value
from cartrial.evidence.registry.read import Evidence, load_evidence, read_evidence, read_trial
from cartrial.evidence.registry.trial import Claim, Mark, Source, Trial, TrialFile

__all__ = [
    "VERDICTS",
    "Asked",
    "Claim",
    "Evidence",
    "Finding",
    "Fit",
    "Interval",
    "LimitType",
    "Mark",
    "Measure",
    "Printing",
    "Result",
    "Source",
    "Trial",
    "TrialFile",
    "Value",
    "check_evidence",
    "check_results",
    "check_statement",
    "fit_limits",
    "load_evidence",
    "possible_counts",
    "possible_denominators",
    "possible_splits",
    "read_evidence",
    "read_limits",
    "read_trial",
]
