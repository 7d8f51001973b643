"""Which models does a study ask for, and what came of them?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import NamedTuple

import polars as pl

from cartrial.endpoints import Adam
from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.kinetics.estimation.saem import Plan
from cartrial.kinetics.fit import PopulationFit, fit_population
from cartrial.kinetics.model import Covariate, PopulationModel, SampleSet
from cartrial.kinetics.nuts import draw_posterior
from cartrial.kinetics.samples import covariates_of, derive_adppk, described, illegible, samples_for
from cartrial.sdtm.records import Records
from cartrial.shown import Shown
from cartrial.study import Study
from cartrial.study.cells import CellModel

_DESCRIBED = ("cmax", "alpha")
_KEYS = {"on": "baseline", "of": "baseline"}
_ONE_LEVEL = "all subjects with samples who have it are of one group"

__all__ = ["Description", "KineticsFit", "fit_kinetics", "model_of"]


@dataclass(frozen=True)
class Description:
    """How peak and contraction differ between two outcome groups: a second fit on the subjects with an outcome, and the fit without it.

    The same random effects vary in both. A description of groups that are known after the infusion alone, not an effect.
    """

    name: str
    label: str
    without: PopulationFit
    fit: PopulationFit

    @property
    def gain(self) -> float | None:
        """How much lower -2 log likelihood is; None where one of the two is not known."""
        before, after = self.without.minus_two_log, self.fit.minus_two_log
        return None if before is None or after is None else before - after


@dataclass(frozen=True)
class KineticsFit(Shown):
    """The model of one test.

    Attributes
    ----------
    test : str
    asked : CellModel
        As the study file has it.
    samples : polars.DataFrame
        ADPPK of the test.
    fit : PopulationFit
    descriptions : tuple of Description
    notes : tuple of str
        What is to be known before anything is believed.
    """

    test: str
    asked: CellModel
    samples: pl.DataFrame
    fit: PopulationFit
    descriptions: tuple[Description, ...]
    notes: tuple[str, ...]


def model_of(study: Study) -> CellModel:
    """Return the model that a study asks for.

    Raises
    ------
    InputError
        If it asks for none.
    """
    if study.kinetics.model is None:
        raise InputError(
            "the study file asks for no model of the cells",
            key="kinetics.model",
            right="Write kinetics: {model: {curve: rate}}; docs/kinetics.md says which curve",
        )
    return study.kinetics.model


def fit_kinetics(
    study: Study,
    adam: Adam,
    records: Records,
    *,
    seed: int | None = None,
    plan: Plan | None = None,
    tests: Sequence[str] | None = None,
    say: Callable[[str], None] | None = None,
) -> tuple[KineticsFit, ...]:
    """Fit the model that a study file asks for, for each test with samples.

    Parameters
    ----------
    study : Study
        `kinetics.model`, `kinetics.limit`.
    adam : Adam
        ADSL has the covariates and outcomes.
    records : Records
    seed : int, optional
        Otherwise that of the study file.
    plan : Plan, optional
        How long is searched.
    tests : sequence of str, optional
        Of these alone; otherwise of all that `kinetics.tests` names.
    say : callable, optional
        Told each step.

    Raises
    ------
    InputError
        If the study asks for no model, a limit is not known, a covariate cannot be, or nothing can be fitted.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.kinetics import fit_kinetics
    >>> fit_kinetics(Study.load("inaticel"), None, None)
    Traceback (most recent call last):
    cartrial.errors.InputError: kinetics.model: the study file asks for no model of the cells. Write ...
    """
    model = model_of(study)
    asked = study.kinetics.tests if tests is None else tuple(tests)
    if not asked:
        raise InputError("no test is named of which cells could be fitted", key="kinetics.tests", right="Write tests: [CARTG]")
    adppk = derive_adppk(study, records, tests=asked)
    lacking = [test for test in asked if test not in adppk["TEST"]]
    if lacking:
        what = f"the source has no sample of {', '.join(lacking)} from the infusion on"
        raise InputError(what, key="kinetics.tests", right="Name the tests alone that were measured")
    found = []
    for test in asked:
        mine = adppk.filter(pl.col("TEST") == test)
        try:
            one = _of_test(study, adam, mine, model.model_copy(update={} if seed is None else {"seed": seed}), plan, say)
        except InputError as error:
            if error.key is not None and error.key.startswith("kinetics"):
                raise
            key = "kinetics.model" if error.key is None else f"kinetics.model.{_KEYS.get(error.key, error.key)}"
            raise InputError(f"{test}: {error.what}", key=key, right=error.right) from None
        unread = illegible(study, records, test)
        told = (f"{unread} samples have a result that cannot be read and are left out",) if unread else ()
        found.append(replace(one, notes=(*one.notes, *told)))
    return tuple(found)


def _of_test(
    study: Study, adam: Adam, adppk: pl.DataFrame, asked: CellModel, plan: Plan | None, say: Callable[[str], None] | None
) -> KineticsFit:
    """Fit one test, and what is described of its groups."""
    test = str(adppk["TEST"][0])
    subjects = set(adppk["USUBJID"].to_list())
    samples, left_out = samples_for(adppk, asked, {})
    shifts = covariates_of(study, adam, asked, set(samples.subjects))
    columns = dict(shifts)
    samples, _ = samples_for(adppk, asked, columns)
    covariates = tuple(Covariate(one.on, name) for one, (name, _) in zip(asked.baseline, shifts, strict=True))
    bounds = {} if asked.bounds is None else {"alpha": (log(2) / asked.bounds.half_life[1], log(2) / asked.bounds.half_life[0])}
    model = PopulationModel(
        asked.curve, full=asked.random == "full", bounds=bounds, classes=asked.non_expanders == "class", covariates=covariates
    )
    # what is wrong of the groups or the packages is told before minutes are spent
    _require_outcomes(study, asked)
    groups = [group for name in asked.describe if (group := _group(adam, name, adppk, asked, columns)) is not None]
    alike = [f"by {name} nothing is described: {_ONE_LEVEL}" for name in asked.describe if name not in [group.name for group in groups]]
    if asked.uncertainty == "nuts":
        require("numpyro", extra="bayes")
    _tell(say, f"Fitting {test}")
    options = _Options(asked.seed, asked.starts, plan)
    fit = fit_population(model, samples, **options._asdict())
    notes = [*fit.notes, *alike]
    if asked.uncertainty == "nuts":
        _tell(say, f"Drawing the population of {test}")
        fit = replace(fit, posterior=draw_posterior(fit))
        notes += [f"no limits: {fit.posterior.why}"] if fit.posterior is not None and fit.posterior.why else []
    descriptions = []
    for group in groups:
        _tell(say, f"Describing {test} by {group.name}")
        try:
            other = _described(group, model, fit, options)
        except InputError as error:
            notes.append(f"by {group.name} nothing is described: {error.what}")
            continue
        descriptions.append(other)
        notes += [f"described by {group.name}: {note}" for note in other.fit.notes]
    if left_out:
        notes.append(f"{left_out} of {len(subjects)} subjects, never quantifiable, are left out: the peak is that of the others")
    return KineticsFit(test, asked, adppk, fit, tuple(descriptions), tuple(notes))


def _require_outcomes(study: Study, asked: CellModel) -> None:
    """Refuse to describe by what was known before the infusion: of it a ratio is an effect, and stands with the covariates."""
    before = {one.id for one in study.baseline}
    for name in asked.describe:
        if name in before or name.removesuffix("N") in before:
            what = f"{name} is a characteristic before the infusion, no outcome"
            raise InputError(what, key="kinetics.model.describe", right="List it under baseline, with the parameter that it shifts")


class _Options(NamedTuple):
    """How long is searched, and by which numbers."""

    seed: int
    starts: int
    plan: Plan | None


class _Group(NamedTuple):
    """An outcome of two groups: its name, of what a ratio is, and the samples of the subjects who have it, with it as a covariate."""

    name: str
    label: str
    samples: SampleSet


def _group(adam: Adam, name: str, adppk: pl.DataFrame, asked: CellModel, columns: dict[str, dict[str, float]]) -> _Group | None:
    """Return an outcome of two groups; None where all subjects with samples are of one."""
    found = described(adam, name, set(samples_for(adppk, asked, columns)[0].subjects))
    if found is None:
        return None
    label, values = found
    mine = adppk.filter(pl.col("USUBJID").is_in(list(values)))
    return _Group(name, label, samples_for(mine, asked, {**columns, label: values})[0])


def _described(group: _Group, model: PopulationModel, fit: PopulationFit, options: _Options) -> Description:
    """Fit peak and contraction by outcome, of the subjects with one; and without, the same effects varying."""
    varying = tuple(name for name in model.parameters if name in {*fit.problem.model.random, *_DESCRIBED})
    more = (*model.covariates, *(Covariate(name, group.label) for name in _DESCRIBED))
    wider = fit_population(replace(model, varying=varying, covariates=more), group.samples, **options._asdict())
    varying = wider.problem.model.random
    whole = len(group.samples.subjects) == len(fit.problem.samples.subjects) and varying == fit.problem.model.random
    without = fit if whole else fit_population(replace(model, varying=varying), group.samples, keep=varying, **options._asdict())
    return Description(group.name, group.label, without, wider)


def _tell(say: Callable[[str], None] | None, words: str) -> None:
    if say is not None:
        say(words)
