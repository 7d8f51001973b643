"""What size does a study need, when does it stop, and why? From the study file to all its designs, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cartrial.design.bayes.history import History, find_history, read_history
from cartrial.design.protocol.delayed import DelayedPlan, counted_rate, find_delayed
from cartrial.design.protocol.inputs import Inputs, read_inputs
from cartrial.design.protocol.joint import JointPlan, find_joint
from cartrial.design.protocol.options import OWN, Option, find_options
from cartrial.design.protocol.safety import SafetyPlan, find_safety
from cartrial.design.protocol.time import SurvivalPlan, Timing, find_survival, find_timing
from cartrial.shown import Shown

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.virtual.patients.population import Population

__all__ = ["StudyDesign", "design_study"]

# designs that a recommendation may name: futility alone, at most one look before the last
_RECOMMENDED = ("single stage", "two stages")


@dataclass(frozen=True)
class StudyDesign(Shown):
    """The designs that a study allows.

    Parameters
    ----------
    inputs : Inputs
        What they rest on, with sources.
    options : tuple of Option
        Designs of the response rate; the study's own comes first, where its file states one.
    recommended : str
        Id of one of them.
    reason : str
        Why that one.
    absent : tuple of (name, reason)
        What was looked for and not found.
    safety : tuple of SafetyPlan
        Stopping rules for toxicity.
    joint : JointPlan or None
        Response and toxicity together; None without a limit of toxicity.
    delayed : DelayedPlan or None
        Looks while responses are awaited.
    timing : Timing
        Enrolment, calendar time, and where the subjects come from.
    survival : tuple of SurvivalPlan
        Designs of times to event that are tested.
    seed : int
        Of accrual and of the comparison of looks.
    history : History, optional
        What a prior of published results gains and risks, where the study file has one.
    population : str, Path or Population, optional
        Virtual patients that were asked for; without it those of the study file, or of the product's type.
    """

    inputs: Inputs
    options: tuple[Option, ...]
    recommended: str
    reason: str
    absent: tuple[tuple[str, str], ...]
    safety: tuple[SafetyPlan, ...]
    joint: JointPlan | None
    delayed: DelayedPlan | None
    timing: Timing
    survival: tuple[SurvivalPlan, ...]
    seed: int
    population: str | Path | Population | None = None
    history: History | None = None

    @property
    def study(self) -> Study:
        """The study."""
        return self.inputs.study

    @property
    def best(self) -> Option:
        """The recommended design."""
        return self.option(self.recommended)

    @property
    def own(self) -> Option | None:
        """The study's own design, as its file states it; None where it states none."""
        return self.options[0] if self.options[0].id == OWN else None

    @property
    def leading(self) -> Option:
        """The design that the trial is planned by: the study's own, else the recommended one."""
        return self.own or self.best

    def option(self, name: str) -> Option:
        """Return the design of that id."""
        return next(option for option in self.options if option.id == name)


def design_study(
    study: Study,
    *,
    n_max: int | None = None,
    power: float | None = None,
    alpha: float | None = None,
    endpoint: str | None = None,
    seed: int | None = None,
    virtual: bool = True,
    population: str | Path | Population | None = None,
    say: Callable[[str], None] | None = None,
) -> StudyDesign:
    """Find all designs that a study allows, from its file alone.

    Parameters
    ----------
    study : Study
    n_max : int, optional
        Most subjects; otherwise what the study states, else 100.
    power, alpha : float, optional
        Power at the target and one-sided type I error; otherwise what the study states, else 0.8 and 0.025.
    endpoint : str, optional
        Id of a response rate with a test; the first tested one without it.
    seed : int, optional
        Of accrual and of the comparison of looks. Without: as `virtual.seed` of the study file says, else 1.
    virtual : bool
        Losses and waits from consent to infusion measured on virtual subjects; without, none, which is an assumption and called so.
    population : str, Path or Population, optional
        Virtual patients, as in `plan_study`.
    say : callable, optional
        Told each step.

    Returns
    -------
    StudyDesign

    Raises
    ------
    InputError
        If the study states no null, its target is not above it, an error or a number cannot be, or no design fits.

    Examples
    --------
    With large errors, to be quick: the recommended design keeps both, with no more than the 20 subjects that are allowed.

    >>> from cartrial.design import design_study
    >>> from cartrial.study import Study
    >>> best = design_study(Study.load("inaticel"), n_max=20, alpha=0.2, power=0.6, virtual=False).best
    >>> bool(best.at_null.success <= 0.2), bool(best.at_target.success >= 0.6), best.n <= 20
    (True, True, True)
    """
    from cartrial.virtual.trial.conduct import SEED

    tell = say or (lambda step: None)
    if seed is None:
        seed = SEED if study.virtual.seed is None else study.virtual.seed
    inputs = read_inputs(study, n_max=n_max, power=power, alpha=alpha, endpoint=endpoint)
    lent = read_history(study, inputs.endpoint)
    tell("Searching designs of the response rate")
    options, absent = find_options(inputs)
    recommended, reason = _recommend(inputs, options)
    best = next(option for option in options if option.id == recommended)
    leading = options[0] if options[0].id == OWN else best
    tell("Enrolment and calendar time")
    sizes = tuple(sorted({option.n for option in options if option.meets} | {*best.staged.n, *leading.staged.n}))
    timing = find_timing(inputs, sizes, seed=seed, virtual=virtual, population=population)
    tell("Stopping rules for toxicity")
    safety, no_safety = find_safety(inputs, leading.n)
    joint, no_joint = find_joint(inputs)
    tell("Looks while responses are awaited")
    delayed = find_delayed(inputs, options, timing.plan, seed=seed)
    survival, no_survival = find_survival(inputs, timing, seed=seed)
    reason += _meanwhile(inputs, best, timing)
    history = None
    if lent is not None:
        n = leading.staged.n if leading.staged.looks > 1 or leading.id == OWN else inputs.looks_of(leading.n)
        history = find_history(lent, n, inputs.p0, inputs.p1, inputs.alpha)
    absent = (*absent, *no_safety, *no_joint, *no_survival)
    return StudyDesign(inputs, options, recommended, reason, absent, safety, joint, delayed, timing, survival, seed, population, history)


def _recommend(inputs: Inputs, options: tuple[Option, ...]) -> tuple[str, str]:
    """Return the id of the design to take, and why."""
    others = [option for option in options if option.id != OWN]
    fit = [option for option in others if option.meets]
    if not fit:
        return OWN, f"No other design with up to {inputs.n_max} subjects keeps both errors."
    plain = [option for option in fit if option.family in _RECOMMENDED and not any(option.staged.efficacy[:-1])]
    best = min(plain or fit, key=lambda option: (option.cost, option.n))
    single = next((option for option in fit if option.family == "single stage"), None)
    words = (
        f"Of the designs that keep both errors, with at most one look before the last and no early success, {best.staged.name} has the "
        f"smallest mean of the most subjects ({best.n}) and of those expected under the null ({float(best.at_null.expected_n):.1f})."
    )
    if single is not None and best is not single:
        words += (
            f" Against the smallest single stage ({single.n} subjects) it needs {best.n - single.n} more at most, and "
            f"{single.n - float(best.at_null.expected_n):.1f} fewer on average if the product is no better than the null."
        )
    return best.id, words


def _meanwhile(inputs: Inputs, best: Option, timing: Timing) -> str:
    """Return what happens until the responses of the first stage are known, as sentences that follow the reason."""
    if best.staged.looks == 1:
        return ""
    waiting = counted_rate(inputs, timing.plan) * inputs.delay.days
    left = best.n - best.staged.n[0]
    last = "last infusion" if inputs.delay.start == "infusion" else "last enrolment"
    words = (
        f" All responses of the first stage are known {inputs.delay.days} days after its {last} {inputs.delay.limit}; with all sites open "
        f"about {waiting:.0f} more subjects would be {inputs.goal} meanwhile"
    )
    if waiting < left:
        return f"{words}. The trial pauses there, or counts them in the second stage."
    return (
        f"{words}, and the second stage has {left}. Without a pause the trial is full before a stop for futility can be certain, which "
        "then spares nobody; with a pause it stands still that long, unless enough have responded to go on before. Where neither will do, "
        "take the single stage or an endpoint that is known earlier."
    )
