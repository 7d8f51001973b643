"""How many patients, when to stop, how often are we right? Designs of a study, and their operating characteristics on virtual trials."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartrial.design.accrual import estimate_accrual, expected_accrual, expected_day, simulate_accrual
    from cartrial.design.accrual_plan import AccrualPlan
    from cartrial.design.batches import read_batches, run_batches
    from cartrial.design.bop2 import Bop2, design_bop2
    from cartrial.design.bop2_joint import JointDesign, cells_of, design_bop2_joint, joint_boundaries, operate_joint
    from cartrial.design.bryant_day import BryantDay, BryantDayDesigns, design_bryant_day, estimate_corners, operate_bryant_day
    from cartrial.design.characteristics import Characteristics, simulate_characteristics
    from cartrial.design.committee import committee_table
    from cartrial.design.compare import compare_supply, published_of
    from cartrial.design.contrasts import contrast_table
    from cartrial.design.delayed import Delayed, assess_delayed, delayed_boundaries, design_delayed, simulate_delayed
    from cartrial.design.dose import DoseDesign, Doses, design_boin, design_from_table, design_mtpi2, design_three_plus_three
    from cartrial.design.dose_conduct import estimate_mtd, recommend_dose
    from cartrial.design.dose_exact import operate_doses
    from cartrial.design.dose_simulate import simulate_doses
    from cartrial.design.dose_tables import DecisionTable, decision_boundaries, decision_frame
    from cartrial.design.dose_upload import check_decision_table, read_decision_table, write_decision_table
    from cartrial.design.enrolment import Enrolment, design_enrolment
    from cartrial.design.funnel import Funnel, design_funnel, design_reach
    from cartrial.design.inference import Inference, estimate_after, estimate_bias, unbiased_estimates
    from cartrial.design.lee_liu import LeeLiu, design_lee_liu
    from cartrial.design.looks import design_fleming, design_spending
    from cartrial.design.monitoring import looks_after
    from cartrial.design.paragraph import write_paragraph
    from cartrial.design.posterior import design_thall_simon
    from cartrial.design.predictive import design_predictive
    from cartrial.design.protocol import StudyDesign, design_study
    from cartrial.design.protocol_rows import design_rows
    from cartrial.design.protocol_simulation import simulate_design
    from cartrial.design.safety import SafetyRule, design_safety_bayes, design_safety_exact, operate_safety, safety_boundaries
    from cartrial.design.simon import SimonDesigns, design_simon
    from cartrial.design.single import design_single_stage, estimate_power, estimate_sawtooth
    from cartrial.design.staged import Operating, Staged, boundaries, operate
    from cartrial.design.stream import read_trials, stream_trials
    from cartrial.design.survival import LogRankDesign, design_one_sample_log_rank, log_rank_power
    from cartrial.design.survival_curves import FollowUp, Weibull, weibull
    from cartrial.design.survival_estimate import OneSampleLogRank, estimate_one_sample_log_rank
    from cartrial.design.survival_exact import ExactDesign, design_exact_events
    from cartrial.design.survival_landmark import CurveDesign, design_landmark, design_rmst
    from cartrial.design.survival_simulate import simulate_exact_events, simulate_kaplan_meier, simulate_log_rank
    from cartrial.design.truth import Truths, find_truths

__all__ = [
    "AccrualPlan",
    "Bop2",
    "BryantDay",
    "BryantDayDesigns",
    "Characteristics",
    "CurveDesign",
    "DecisionTable",
    "Delayed",
    "DoseDesign",
    "Doses",
    "Enrolment",
    "ExactDesign",
    "FollowUp",
    "Funnel",
    "Inference",
    "JointDesign",
    "LeeLiu",
    "LogRankDesign",
    "OneSampleLogRank",
    "Operating",
    "SafetyRule",
    "SimonDesigns",
    "Staged",
    "StudyDesign",
    "Truths",
    "Weibull",
    "assess_delayed",
    "boundaries",
    "cells_of",
    "check_decision_table",
    "committee_table",
    "compare_supply",
    "contrast_table",
    "decision_boundaries",
    "decision_frame",
    "delayed_boundaries",
    "design_boin",
    "design_bop2",
    "design_bop2_joint",
    "design_bryant_day",
    "design_delayed",
    "design_enrolment",
    "design_exact_events",
    "design_fleming",
    "design_from_table",
    "design_funnel",
    "design_landmark",
    "design_lee_liu",
    "design_mtpi2",
    "design_one_sample_log_rank",
    "design_predictive",
    "design_reach",
    "design_rmst",
    "design_rows",
    "design_safety_bayes",
    "design_safety_exact",
    "design_simon",
    "design_single_stage",
    "design_spending",
    "design_study",
    "design_thall_simon",
    "design_three_plus_three",
    "estimate_accrual",
    "estimate_after",
    "estimate_bias",
    "estimate_corners",
    "estimate_mtd",
    "estimate_one_sample_log_rank",
    "estimate_power",
    "estimate_sawtooth",
    "expected_accrual",
    "expected_day",
    "find_truths",
    "joint_boundaries",
    "log_rank_power",
    "looks_after",
    "operate",
    "operate_bryant_day",
    "operate_doses",
    "operate_joint",
    "operate_safety",
    "published_of",
    "read_batches",
    "read_decision_table",
    "read_trials",
    "recommend_dose",
    "run_batches",
    "safety_boundaries",
    "simulate_accrual",
    "simulate_characteristics",
    "simulate_delayed",
    "simulate_design",
    "simulate_doses",
    "simulate_exact_events",
    "simulate_kaplan_meier",
    "simulate_log_rank",
    "stream_trials",
    "unbiased_estimates",
    "weibull",
    "write_decision_table",
    "write_paragraph",
]

_HOMES = {
    "estimate_accrual": "accrual",
    "expected_accrual": "accrual",
    "expected_day": "accrual",
    "simulate_accrual": "accrual",
    "AccrualPlan": "accrual_plan",
    "read_batches": "batches",
    "run_batches": "batches",
    "Bop2": "bop2",
    "design_bop2": "bop2",
    "JointDesign": "bop2_joint",
    "cells_of": "bop2_joint",
    "design_bop2_joint": "bop2_joint",
    "joint_boundaries": "bop2_joint",
    "operate_joint": "bop2_joint",
    "BryantDay": "bryant_day",
    "BryantDayDesigns": "bryant_day",
    "design_bryant_day": "bryant_day",
    "estimate_corners": "bryant_day",
    "operate_bryant_day": "bryant_day",
    "Characteristics": "characteristics",
    "simulate_characteristics": "characteristics",
    "committee_table": "committee",
    "compare_supply": "compare",
    "published_of": "compare",
    "contrast_table": "contrasts",
    "Delayed": "delayed",
    "assess_delayed": "delayed",
    "delayed_boundaries": "delayed",
    "design_delayed": "delayed",
    "simulate_delayed": "delayed",
    "DoseDesign": "dose",
    "Doses": "dose",
    "design_boin": "dose",
    "design_from_table": "dose",
    "design_mtpi2": "dose",
    "design_three_plus_three": "dose",
    "estimate_mtd": "dose_conduct",
    "recommend_dose": "dose_conduct",
    "operate_doses": "dose_exact",
    "simulate_doses": "dose_simulate",
    "DecisionTable": "dose_tables",
    "decision_boundaries": "dose_tables",
    "decision_frame": "dose_tables",
    "check_decision_table": "dose_upload",
    "read_decision_table": "dose_upload",
    "write_decision_table": "dose_upload",
    "Enrolment": "enrolment",
    "design_enrolment": "enrolment",
    "Funnel": "funnel",
    "design_funnel": "funnel",
    "design_reach": "funnel",
    "Inference": "inference",
    "estimate_after": "inference",
    "estimate_bias": "inference",
    "unbiased_estimates": "inference",
    "LeeLiu": "lee_liu",
    "design_lee_liu": "lee_liu",
    "design_fleming": "looks",
    "design_spending": "looks",
    "looks_after": "monitoring",
    "write_paragraph": "paragraph",
    "design_thall_simon": "posterior",
    "design_predictive": "predictive",
    "StudyDesign": "protocol",
    "design_study": "protocol",
    "design_rows": "protocol_rows",
    "simulate_design": "protocol_simulation",
    "SafetyRule": "safety",
    "design_safety_bayes": "safety",
    "design_safety_exact": "safety",
    "operate_safety": "safety",
    "safety_boundaries": "safety",
    "SimonDesigns": "simon",
    "design_simon": "simon",
    "design_single_stage": "single",
    "estimate_power": "single",
    "estimate_sawtooth": "single",
    "Operating": "staged",
    "Staged": "staged",
    "boundaries": "staged",
    "operate": "staged",
    "read_trials": "stream",
    "stream_trials": "stream",
    "LogRankDesign": "survival",
    "design_one_sample_log_rank": "survival",
    "log_rank_power": "survival",
    "FollowUp": "survival_curves",
    "Weibull": "survival_curves",
    "weibull": "survival_curves",
    "OneSampleLogRank": "survival_estimate",
    "estimate_one_sample_log_rank": "survival_estimate",
    "ExactDesign": "survival_exact",
    "design_exact_events": "survival_exact",
    "CurveDesign": "survival_landmark",
    "design_landmark": "survival_landmark",
    "design_rmst": "survival_landmark",
    "simulate_exact_events": "survival_simulate",
    "simulate_kaplan_meier": "survival_simulate",
    "simulate_log_rank": "survival_simulate",
    "Truths": "truth",
    "find_truths": "truth",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"cartrial.design.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'cartrial.design' has no attribute '{name}'")
