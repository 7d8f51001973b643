"""Which estimator and which design is compared with what?

A function that estimates or designs stands here, or under `LEFT` with the reason; a test compares both with the code.
"""

from __future__ import annotations

__all__ = ["COVERED", "LEFT"]

_R_KM = ("median", "survival at a time", "restricted mean", "quartiles by type of limits", "second implementation: survival")

COVERED: dict[str, tuple[str, ...]] = {
    "analysis.estimators.agreement.kappa_of_tables": ("agreement of two readers", "second implementation: kappa"),
    "analysis.estimators.gray.estimate_gray": ("Gray's test", "Gray's test of small sets"),
    "analysis.estimators.incidence.estimate_incidence": (
        "incidence at a time",
        "incidences by type of limits",
        "second implementation: incidence",
    ),
    "analysis.estimators.km.estimate_follow_up": ("follow-up, reverse Kaplan-Meier", "second implementation: follow-up"),
    "analysis.estimators.km.estimate_survival": (*_R_KM, "landmarks by type of limits"),
    "analysis.estimators.logrank.estimate_logrank": (
        "log-rank test",
        "log-rank test within strata",
        "second implementation: log-rank test",
    ),
    "analysis.estimators.models.cox.estimate_cox": (
        "Cox model, ties and strata",
        "Cox model, few against many",
        "Cox model, two covariates",
        "second implementation: Cox model",
    ),
    "analysis.estimators.models.cox.estimate_firth": ("Cox model with Firth's penalty",),
    "analysis.estimators.models.fine_gray.estimate_fine_gray": (
        "Fine and Gray's model",
        "second implementation: Fine and Gray's model",
    ),
    "analysis.estimators.pooled.exact.estimate_pooled": ("pooled rate, exact likelihood",),
    "analysis.estimators.pooled.normal.estimate_pooled_normal": ("pooled rate, REML with Knapp and Hartung",),
    "analysis.estimators.priors.meta_analytic.estimate_map": ("meta-analytic-predictive prior",),
    "analysis.estimators.rates.binomial_limits": ("limits of a rate, Clopper-Pearson", "second implementation: limits of a rate"),
    "analysis.estimators.rates.binomial_p_value": ("exact binomial test", "second implementation: exact test"),
    "analysis.estimators.weighted.bias.estimate_e_value": ("E-values",),
    "analysis.estimators.weighted.bias.estimate_indirect": ("indirect comparison (Bucher)",),
    "analysis.estimators.weighted.hazard.estimate_weighted_hazard": ("hazard ratio of weighted patients",),
    "analysis.estimators.weighted.hazard.estimate_weighted_survival": ("survival of weighted patients", "second implementation: survival"),
    "analysis.estimators.weighted.moments.estimate_moment_weights": ("weights by moments (MAIC)",),
    "analysis.estimators.weighted.propensity.estimate_propensity": ("weights by propensity",),
    "analysis.estimators.weighted.rates.estimate_weighted_rate": ("weights by moments (MAIC)",),
    "analysis.tables.kinetics.estimate_kinetics": ("kinetics of a group",),
    "design.bayes.bop2.design_bop2": ("BOP2",),
    "design.bayes.delayed.design_delayed": ("TOP, responses pending",),
    "design.bayes.predictive.design_predictive": ("predictive monitoring",),
    "design.exact.bryant_day.operate_bryant_day": ("Bryant and Day's design",),
    "design.exact.inference.estimate_after": ("estimates after two stages",),
    "design.exact.looks.design_fleming": ("Fleming's boundaries",),
    "design.exact.simon.design_simon": ("Simon's designs",),
    "design.exact.single.estimate_sawtooth": ("one stage",),
    "design.exact.staged.operate": ("two stages", "several looks", "second implementation: several looks"),
    "design.survival.chi_square.design_exact_events": ("exact number of events",),
    "design.survival.estimate.estimate_one_sample_log_rank": ("one-sample log-rank test",),
    "design.survival.landmark.design_landmark": ("sizes of trials of survival",),
    "design.survival.landmark.design_rmst": ("sizes of trials of survival",),
    "design.survival.log_rank.design_one_sample_log_rank": ("sizes of trials of survival",),
}
"""Each function, with the groups of checks that compare it."""

_SIMULATES = "draws trials at random: its figures have a Monte Carlo error; the tests of the project compare them with exact ones"
_TESTS = "no figure of R or of a paper is shipped; the tests of the project compare it with slow second implementations"
_PARTS = "puts together what is checked by itself; `cartrial design` is typed on a shipped study"

LEFT: dict[str, str] = {
    "analysis.estimators.agreement.estimate_agreement": "counts the pairs for kappa_of_tables, which is checked",
    "analysis.estimators.models.terms.fit_frame": "turns a fit into rows, for every model that is checked",
    "analysis.estimators.pooled.exact.estimate_influence": "estimate_pooled, with one trial left out at a time",
    "analysis.estimators.priors.fit.fit_mixture": "an approximation of a prior, whose distance is printed with it",
    "analysis.estimators.rates.estimate_rate": "counts for binomial_limits, which is checked; a row of every report",
    "analysis.tables.ratios.estimate_ratio": "a quotient of two statistics of a report",
    "design.bayes.bop2_joint.design_bop2_joint": _TESTS,
    "design.bayes.bop2_joint.operate_joint": _TESTS,
    "design.bayes.borrowed.operate_borrowed": _TESTS,
    "design.bayes.borrowed.operate_borrowed_arms": _TESTS,
    "design.bayes.delayed.simulate_delayed": _SIMULATES,
    "design.bayes.history.design_history": _TESTS,
    "design.bayes.lee_liu.design_lee_liu": _TESTS,
    "design.bayes.posterior.design_thall_simon": _TESTS,
    "design.bayes.safety.design_safety_bayes": _TESTS,
    "design.bayes.safety.design_safety_exact": _TESTS,
    "design.bayes.safety.operate_safety": _TESTS,
    "design.dose.conduct.estimate_mtd": _TESTS,
    "design.dose.designs.design_boin": "carries the table of BOIN, which is checked",
    "design.dose.designs.design_from_table": "carries a table of one's own",
    "design.dose.designs.design_mtpi2": "carries the table of mTPI-2, which is checked",
    "design.dose.designs.design_three_plus_three": _TESTS,
    "design.dose.paths.operate_doses": _TESTS,
    "design.dose.simulate.simulate_doses": _SIMULATES,
    "design.enrolment.accrual.estimate_accrual": "quantiles of drawn times of enrolment",
    "design.enrolment.accrual.simulate_accrual": _SIMULATES,
    "design.enrolment.funnel.design_funnel": _TESTS,
    "design.enrolment.funnel.design_reach": _TESTS,
    "design.enrolment.funnel.design_study_funnel": _PARTS,
    "design.enrolment.numbers.design_enrolment": _TESTS,
    "design.exact.binomial.binomial_tables": "terms of every exact design that is checked",
    "design.exact.bryant_day.design_bryant_day": "searches among designs whose errors are checked",
    "design.exact.bryant_day.estimate_corners": "operate_bryant_day, which is checked, at four corners",
    "design.exact.inference.estimate_bias": _TESTS,
    "design.exact.looks.design_spending": "searches by spending functions and errors that are checked",
    "design.exact.own.design_own": _PARTS,
    "design.exact.single.design_single_stage": "the first row of the sawtooth that is checked, with enough power",
    "design.exact.single.estimate_power": "a row of the sawtooth that is checked",
    "design.protocol.design_rows.design_rows": _PARTS,
    "design.protocol.simulation.simulate_design": _SIMULATES,
    "design.protocol.study_design.design_study": _PARTS,
    "design.survival.simulate.simulate_exact_events": _SIMULATES,
    "design.survival.simulate.simulate_kaplan_meier": _SIMULATES,
    "design.survival.simulate.simulate_log_rank": _SIMULATES,
    "design.trials.characteristics.simulate_characteristics": _SIMULATES,
    "design.trials.worlds.simulate_worlds": _SIMULATES,
}
"""Each function that is compared by no stored figure, and why."""
