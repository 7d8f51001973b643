"""How many patients, when to stop, how often are we right? Designs of a study, and their operating characteristics on virtual trials."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartrial.design.batches.run import read_batches, run_batches
    from cartrial.design.bayes.bop2 import Bop2, design_bop2
    from cartrial.design.bayes.bop2_joint import JointDesign, design_bop2_joint, joint_boundaries, operate_joint
    from cartrial.design.bayes.borrowed import Borrowed, BorrowedArms, operate_borrowed, operate_borrowed_arms
    from cartrial.design.bayes.cells import cells_of
    from cartrial.design.bayes.committee import committee_table
    from cartrial.design.bayes.delayed import Delayed, assess_delayed, delayed_boundaries, design_delayed, simulate_delayed
    from cartrial.design.bayes.lee_liu import LeeLiu, design_lee_liu
    from cartrial.design.bayes.monitoring import looks_after
    from cartrial.design.bayes.posterior import design_thall_simon
    from cartrial.design.bayes.predictive import design_predictive
    from cartrial.design.bayes.safety import SafetyRule, design_safety_bayes, design_safety_exact, operate_safety, safety_boundaries
    from cartrial.design.dose.conduct import estimate_mtd, recommend_dose
    from cartrial.design.dose.designs import DoseDesign, Doses, design_boin, design_from_table, design_mtpi2, design_three_plus_three
    from cartrial.design.dose.paths import operate_doses
    from cartrial.design.dose.simulate import simulate_doses
    from cartrial.design.dose.tables import DecisionTable, decision_boundaries, decision_frame
    from cartrial.design.dose.upload import check_decision_table, read_decision_table, write_decision_table
    from cartrial.design.enrolment.accrual import estimate_accrual, expected_accrual, expected_day, simulate_accrual
    from cartrial.design.enrolment.accrual_plan import AccrualPlan
    from cartrial.design.enrolment.funnel import Funnel, design_funnel, design_reach, design_study_funnel
    from cartrial.design.enrolment.numbers import Enrolment, design_enrolment
    from cartrial.design.exact.bryant_day import BryantDay, BryantDayDesigns, design_bryant_day, estimate_corners, operate_bryant_day
    from cartrial.design.exact.inference import Inference, estimate_after, estimate_bias, unbiased_estimates
    from cartrial.design.exact.looks import design_fleming, design_spending
    from cartrial.design.exact.own import Boundary, design_own, spent_by_look
    from cartrial.design.exact.simon import SimonDesigns, design_simon
    from cartrial.design.exact.single import design_single_stage, estimate_power, estimate_sawtooth
    from cartrial.design.exact.staged import Operating, Staged, boundaries, operate
    from cartrial.design.protocol.design_rows import design_rows
    from cartrial.design.protocol.paragraph import write_paragraph
    from cartrial.design.protocol.simulation import simulate_design
    from cartrial.design.protocol.study_design import StudyDesign, design_study
    from cartrial.design.survival.chi_square import ExactDesign, design_exact_events
    from cartrial.design.survival.curves import FollowUp, Weibull, weibull
    from cartrial.design.survival.estimate import OneSampleLogRank, estimate_one_sample_log_rank
    from cartrial.design.survival.landmark import CurveDesign, design_landmark, design_rmst
    from cartrial.design.survival.log_rank import LogRankDesign, design_one_sample_log_rank, log_rank_power
    from cartrial.design.survival.simulate import simulate_exact_events, simulate_kaplan_meier, simulate_log_rank
    from cartrial.design.trials.characteristics import Characteristics, simulate_characteristics
    from cartrial.design.trials.compare import compare_supply, published_of
    from cartrial.design.trials.contrasts import contrast_table
    from cartrial.design.trials.stream import read_trials, stream_trials
    from cartrial.design.trials.truth import Truths, find_truths

__all__ = [
    "AccrualPlan",
    "Bop2",
    "Borrowed",
    "BorrowedArms",
    "Boundary",
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
    "design_own",
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
    "design_study_funnel",
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
    "operate_borrowed",
    "operate_borrowed_arms",
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
    "spent_by_look",
    "stream_trials",
    "unbiased_estimates",
    "weibull",
    "write_decision_table",
    "write_paragraph",
]

_HOMES = {
    "estimate_accrual": "enrolment.accrual",
    "expected_accrual": "enrolment.accrual",
    "expected_day": "enrolment.accrual",
    "simulate_accrual": "enrolment.accrual",
    "AccrualPlan": "enrolment.accrual_plan",
    "read_batches": "batches.run",
    "run_batches": "batches.run",
    "Bop2": "bayes.bop2",
    "design_bop2": "bayes.bop2",
    "JointDesign": "bayes.bop2_joint",
    "cells_of": "bayes.cells",
    "design_bop2_joint": "bayes.bop2_joint",
    "joint_boundaries": "bayes.bop2_joint",
    "operate_joint": "bayes.bop2_joint",
    "BryantDay": "exact.bryant_day",
    "BryantDayDesigns": "exact.bryant_day",
    "design_bryant_day": "exact.bryant_day",
    "estimate_corners": "exact.bryant_day",
    "operate_bryant_day": "exact.bryant_day",
    "Characteristics": "trials.characteristics",
    "simulate_characteristics": "trials.characteristics",
    "committee_table": "bayes.committee",
    "compare_supply": "trials.compare",
    "published_of": "trials.compare",
    "contrast_table": "trials.contrasts",
    "Delayed": "bayes.delayed",
    "assess_delayed": "bayes.delayed",
    "delayed_boundaries": "bayes.delayed",
    "design_delayed": "bayes.delayed",
    "simulate_delayed": "bayes.delayed",
    "DoseDesign": "dose.designs",
    "Doses": "dose.designs",
    "design_boin": "dose.designs",
    "design_from_table": "dose.designs",
    "design_mtpi2": "dose.designs",
    "design_three_plus_three": "dose.designs",
    "estimate_mtd": "dose.conduct",
    "recommend_dose": "dose.conduct",
    "operate_doses": "dose.paths",
    "simulate_doses": "dose.simulate",
    "DecisionTable": "dose.tables",
    "decision_boundaries": "dose.tables",
    "decision_frame": "dose.tables",
    "check_decision_table": "dose.upload",
    "read_decision_table": "dose.upload",
    "write_decision_table": "dose.upload",
    "Enrolment": "enrolment.numbers",
    "design_enrolment": "enrolment.numbers",
    "Funnel": "enrolment.funnel",
    "design_funnel": "enrolment.funnel",
    "design_reach": "enrolment.funnel",
    "design_study_funnel": "enrolment.funnel",
    "Inference": "exact.inference",
    "estimate_after": "exact.inference",
    "estimate_bias": "exact.inference",
    "unbiased_estimates": "exact.inference",
    "LeeLiu": "bayes.lee_liu",
    "design_lee_liu": "bayes.lee_liu",
    "design_fleming": "exact.looks",
    "design_spending": "exact.looks",
    "Boundary": "exact.own",
    "design_own": "exact.own",
    "spent_by_look": "exact.own",
    "looks_after": "bayes.monitoring",
    "write_paragraph": "protocol.paragraph",
    "design_thall_simon": "bayes.posterior",
    "design_predictive": "bayes.predictive",
    "StudyDesign": "protocol.study_design",
    "design_study": "protocol.study_design",
    "design_rows": "protocol.design_rows",
    "simulate_design": "protocol.simulation",
    "SafetyRule": "bayes.safety",
    "design_safety_bayes": "bayes.safety",
    "design_safety_exact": "bayes.safety",
    "operate_safety": "bayes.safety",
    "safety_boundaries": "bayes.safety",
    "SimonDesigns": "exact.simon",
    "design_simon": "exact.simon",
    "design_single_stage": "exact.single",
    "estimate_power": "exact.single",
    "estimate_sawtooth": "exact.single",
    "Operating": "exact.staged",
    "Staged": "exact.staged",
    "boundaries": "exact.staged",
    "operate": "exact.staged",
    "Borrowed": "bayes.borrowed",
    "BorrowedArms": "bayes.borrowed",
    "operate_borrowed": "bayes.borrowed",
    "operate_borrowed_arms": "bayes.borrowed",
    "read_trials": "trials.stream",
    "stream_trials": "trials.stream",
    "LogRankDesign": "survival.log_rank",
    "design_one_sample_log_rank": "survival.log_rank",
    "log_rank_power": "survival.log_rank",
    "FollowUp": "survival.curves",
    "Weibull": "survival.curves",
    "weibull": "survival.curves",
    "OneSampleLogRank": "survival.estimate",
    "estimate_one_sample_log_rank": "survival.estimate",
    "ExactDesign": "survival.chi_square",
    "design_exact_events": "survival.chi_square",
    "CurveDesign": "survival.landmark",
    "design_landmark": "survival.landmark",
    "design_rmst": "survival.landmark",
    "simulate_exact_events": "survival.simulate",
    "simulate_kaplan_meier": "survival.simulate",
    "simulate_log_rank": "survival.simulate",
    "Truths": "trials.truth",
    "find_truths": "trials.truth",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"cartrial.design.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'cartrial.design' has no attribute '{name}'")
