"""How long does a study's trial take, where do its subjects come from, and what does its time to event need?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartrial.design.enrolment.accrual_plan import AccrualPlan
from cartrial.design.protocol.inputs import DAYS_PER_MONTH, Inputs
from cartrial.design.protocol.rows import Rows, number, share
from cartrial.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.survival.chi_square import ExactDesign
    from cartrial.design.survival.landmark import CurveDesign
    from cartrial.design.survival.log_rank import LogRankDesign
    from cartrial.study import Study
    from cartrial.study.planned import SurvivalTest
    from cartrial.virtual.patients.population import Population

__all__ = ["CASES", "SurvivalPlan", "Timing", "add_timing", "find_survival", "find_timing"]

# scale of the funnel, not a fact: shares alone matter
CASES = 10_000
_TRIALS = 2000
# trials by which the size and the power of a test of a time to event are simulated
_TESTS = 10_000
_NO_LOSS = "assumption: no loss and no wait between consent and infusion"
_MILESTONES = ("screened", "enrolled", "last_enrolled", "last_infused", "last_assessed")


@dataclass(frozen=True)
class Timing:
    """Enrolment and the way to it.

    Parameters
    ----------
    plan : AccrualPlan
    milestones : dict of int to polars.DataFrame
        Of the numbers of subjects that a design looks at: `estimate_accrual`.
    funnel : polars.DataFrame
        Steps from leukaemia to the infused, of `CASES` cases; empty for another disease.
    goal : {"infused", "enrolled"}
    enrol : dict of int to int
        Subjects to enrol so that so many are infused with a probability of 80 %; empty where the enrolled are counted.
    """

    plan: AccrualPlan
    milestones: dict[int, pl.DataFrame]
    funnel: pl.DataFrame
    goal: str
    enrol: dict[int, int]

    @property
    def simulated(self) -> bool:
        """Whether losses and waits were measured on virtual subjects, rather than assumed to be none."""
        return not self.plan.source.startswith("assumption")


@dataclass(frozen=True)
class SurvivalPlan:
    """Designs of one time to event.

    Parameters
    ----------
    test : SurvivalTest
    label : str
    designs : tuple of (name, design)
    rate : float
        Subjects per day with all sites open.
    errors : dict of str to dict
        By name of the design: size and power, each with its Monte-Carlo standard error, and trials, where the test is an approximation.
    """

    test: SurvivalTest
    label: str
    designs: tuple[tuple[str, LogRankDesign | ExactDesign | CurveDesign], ...]
    rate: float
    errors: dict[str, dict[str, float]]


def find_timing(
    inputs: Inputs,
    sizes: tuple[int, ...],
    *,
    seed: int = 1,
    virtual: bool = True,
    population: str | Path | Population | None = None,
) -> Timing:
    """Return how long enrolment takes.

    Parameters
    ----------
    inputs : Inputs
    sizes : tuple of int
        Numbers of subjects.
    seed : int
    virtual : bool
        Losses and waits from consent to infusion measured on virtual subjects; without, or where the study cannot be simulated, none, and
        the plan's source says so as an assumption.
    population : str, Path or Population, optional
        Virtual patients, as in `plan_study`. What is named, here or in the study file, has to fit the study.
    """
    from cartrial.design.enrolment.accrual import estimate_accrual, simulate_accrual
    from cartrial.design.enrolment.funnel import design_study_funnel
    from cartrial.design.enrolment.numbers import design_enrolment

    stated: dict[str, Any] = {"sites": inputs.sites, "rate": inputs.rate, "activation": inputs.activation}
    stated |= {"assessment": float(inputs.delay.days), "assessed_from": inputs.delay.start}
    plan = AccrualPlan(**stated, source=_NO_LOSS, child=_of_children(inputs.study))
    if virtual:
        try:
            plan = replace(AccrualPlan.of_study(inputs.study, population=population, seed=seed), **stated)
        except InputError as error:
            if population is not None or inputs.study.virtual.population is not None:
                raise
            plan = replace(plan, source=f"{_NO_LOSS}; the study cannot be simulated: {error.what.rstrip('.')}")
    goal = inputs.goal
    milestones = {n: estimate_accrual(simulate_accrual(plan, n, goal, trials=_TRIALS, seed=seed)) for n in sizes}
    enrol = {n: design_enrolment(n, plan.infused_share).enrol for n in sizes} if goal == "infused" and plan.infused_share < 1 else {}
    table = design_study_funnel(CASES, plan, inputs.study.product.type, seed=seed).table
    # published shares of the way to an infusion are of leukaemia
    return Timing(plan, milestones, table.clear() if inputs.study.disease.marrow is None else table, goal, enrol)


def _of_children(study: Study) -> bool:
    """Return whether the ages that a study states are those of children and young adults, by whom its virtual trials would be drawn."""
    from cartrial.virtual.trial.choice import default_population
    from cartrial.virtual.trial.settings import load_trial_settings

    if study.eligibility is None or study.eligibility.age is None or study.disease.marrow is None:
        return False
    return default_population(study, load_trial_settings(study)).patients.child


def find_survival(inputs: Inputs, timing: Timing, *, seed: int = 1) -> tuple[tuple[SurvivalPlan, ...], tuple[tuple[str, str], ...]]:
    """Return designs of the times to event that the study tests, with their simulated errors, and those not found with the reason."""
    from cartrial.design.survival.chi_square import ExactDesign, design_exact_events
    from cartrial.design.survival.curves import weibull
    from cartrial.design.survival.landmark import design_landmark, design_rmst
    from cartrial.design.survival.log_rank import design_one_sample_log_rank

    stated = inputs.study.design
    found: list[SurvivalPlan] = []
    absent: list[tuple[str, str]] = []
    plan = timing.plan
    for test in stated.survival if stated else ():
        endpoint = next(endpoint for endpoint in inputs.study.endpoints if endpoint.id == test.endpoint)
        enrolled = endpoint.population in ("enrolled", "leukapheresed")
        rate = plan.sites * plan.rate / DAYS_PER_MONTH * (plan.enrolled_share if enrolled else plan.share)
        null = weibull(at=test.at, survival=test.null, shape=test.shape)
        better = weibull(at=test.at, survival=test.alternative, shape=test.shape)
        common: dict[str, Any] = {"follow_up": float(test.at), "rate": rate, "alpha": inputs.alpha, "beta": 1 - inputs.power}
        effect: dict[str, Any] = {"at": float(test.at), "survival": test.alternative}
        makers = (
            ("One-sample log-rank", lambda n=null, e=effect, c=common: design_one_sample_log_rank(n, **e, **c)),
            ("Exact test of events", lambda n=null, e=effect, c=common: design_exact_events(n, **e, **c)),
            (f"Survival at day {test.at}", lambda n=null, b=better, t=test, c=common: design_landmark(n, b, float(t.at), **c)),
            (f"Restricted mean to day {test.at}", lambda n=null, b=better, t=test, c=common: design_rmst(n, b, float(t.at), **c)),
        )
        designs: list[tuple[str, LogRankDesign | ExactDesign | CurveDesign]] = []
        for name, make in makers:
            try:
                designs.append((name, make()))
            except InputError as error:
                absent.append((f"{test.endpoint}: {name}", error.what.rstrip(".") + "."))
        errors = {name: _errors(design, seed) for name, design in designs if not isinstance(design, ExactDesign)}
        found.append(SurvivalPlan(test, endpoint.label, tuple(designs), rate, errors))
    return tuple(found), tuple(absent)


def _errors(design: LogRankDesign | CurveDesign, seed: int) -> dict[str, float]:
    """Return size and power of an approximate test by simulation."""
    from cartrial.design.survival.landmark import CurveDesign
    from cartrial.design.survival.simulate import simulate_kaplan_meier, simulate_log_rank

    if isinstance(design, CurveDesign):
        table = simulate_kaplan_meier(design, trials=_TESTS, seed=seed)
    else:
        table = simulate_log_rank(design, trials=_TESTS, seed=seed)
    found: dict[str, float] = {"trials": _TESTS}
    for name, truth in (("size", "null"), ("power", "alternative")):
        # of the one-sample tests the plain one comes first: the one that is planned
        row = table.filter(table["truth"] == truth).row(0, named=True)
        found |= {name: row["rate"], f"{name}_error": row["mc_error"]}
    return found


def add_timing(rows: Rows, timing: Timing, survival: tuple[SurvivalPlan, ...]) -> None:
    """Add enrolment, calendar time, the funnel, and designs of times to event."""
    _calendar(rows, timing)
    _funnel(rows, timing)
    for item in survival:
        _survival(rows, item)


def _calendar(rows: Rows, timing: Timing) -> None:
    plan = timing.plan
    losses = {"method": "simulated" if timing.simulated else "assumed", "source": plan.source}
    for name, value, unit in (
        ("screening_failure", plan.screening_failure, "proportion"),
        ("manufacturing_failure", plan.manufacturing_failure, "proportion"),
        ("drop", plan.drop, "proportion"),
        ("screening_days", plan.screening_days, "days"),
        ("infusion_days", plan.infusion_days, "days"),
    ):
        text = share(value) if unit == "proportion" else f"{value:.0f} days"
        rows.add("calendar", "losses", name, value, text, unit=unit, **losses)
    for n, enrolled in timing.enrol.items():
        rows.add("calendar", "accrual", "to_enrol", enrolled, str(enrolled), n=n, unit="subjects", **losses)
    for n, table in timing.milestones.items():
        for row in table.iter_rows(named=True):
            if row["quantity"] not in _MILESTONES:
                continue
            days = row["unit"] == "day"
            key = {"n": n, "method": "simulated", "unit": "months" if days else "subjects"}
            error = row["mc_error"]
            if days:
                error = None if error is None else error / DAYS_PER_MONTH
                values = {name: row[name] / DAYS_PER_MONTH for name in ("mean", "lower", "median", "upper")}
            else:
                values = {name: row[name] for name in ("mean", "lower", "median", "upper")}
            for name, value in values.items():
                text = number(value, 1 if days or name == "mean" else 0)
                rows.add("calendar", "accrual", f"{row['quantity']}_{name}", value, text, error=error if name == "mean" else None, **key)


def _funnel(rows: Rows, timing: Timing) -> None:
    of_counts = {"share": False, "range": False}
    for row in timing.funnel.iter_rows(named=True):
        # what is assumed of a step goes on into the numbers of every later one
        assumed = {"share": row["assumed"], "range": "assumption" in row["source"].lower()}
        of_counts = {name: of_counts[name] or value for name, value in assumed.items()}

        # the last step is measured on the virtual subjects of the study, where they could be simulated
        stated = "simulated" if timing.simulated and row["step"] == "infused" else "stated"

        def kind(found: dict[str, bool], name: str, source: str = row["source"], stated: str = stated) -> dict[str, str]:
            of = "range" if name.endswith(("low", "high")) else "share"
            return {"method": "assumed" if found[of] else stated, "source": source}

        if row["share"] is not None:
            for name in ("share", "share_low", "share_high"):
                rows.add("funnel", row["step"], name, row[name], share(row[name], 0), unit="proportion", **kind(assumed, name))
        for name in ("count", "low", "high"):
            text = f"{row[name]:,.0f}".replace(",", " ")
            rows.add("funnel", row["step"], name, row[name], text, unit="subjects", **kind(of_counts, name))


def _survival(rows: Rows, item: SurvivalPlan) -> None:
    test, name = item.test, item.test.endpoint
    kind = {"method": "assumed" if "assumption" in test.source.lower() else "stated", "source": test.source}
    for statistic, value in (("null", test.null), ("alternative", test.alternative)):
        rows.add("survival", name, statistic, value, share(value), unit="proportion", **kind)
    rows.add("survival", name, "at", test.at, f"{test.at} days", unit="days", **kind)
    for words, design in item.designs:
        exact = "exact" if words.startswith("Exact") else "approximate"
        key = {"variant": words, "method": exact, "source": design.source}
        events = float(design.events)
        rows.add("survival", name, "n", design.n, str(design.n), unit="subjects", **key)
        rows.add("survival", name, "events", events, number(events, 0 if exact == "exact" else 1), unit="events", **key)
        rows.add("survival", name, "power", design.power, share(design.power), unit="proportion", **key)
        found = item.errors.get(words)
        if found is not None:
            for kind_of in ("size", "power"):
                more = {**key, "method": "simulated", "error": found[f"{kind_of}_error"], "unit": "proportion"}
                rows.add("survival", name, f"{kind_of}_simulated", found[kind_of], share(found[kind_of]), **more)
        accrual, follow = design.follow.accrual / DAYS_PER_MONTH, design.follow.duration / DAYS_PER_MONTH
        rows.add("survival", name, "accrual", accrual, number(accrual), unit="months", **key)
        rows.add("survival", name, "duration", follow, number(follow), unit="months", **key)
