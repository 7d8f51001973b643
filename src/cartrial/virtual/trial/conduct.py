"""What would a study's sites have sent? Virtual trials as integer-keyed records, or as SDTM."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cartrial.errors import InputError
from cartrial.study.virtual import MOST_SUBJECTS
from cartrial.virtual.trial.arrivals import Plan, accrue_trials
from cartrial.virtual.trial.settings import load_trial_settings

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.sdtm.source import Source
    from cartrial.study import Study
    from cartrial.virtual.patients.ensemble import Ensemble
    from cartrial.virtual.patients.population import Population
    from cartrial.virtual.trial.patients import VirtualPatients

__all__ = ["INFUSED", "SEED", "emit_sdtm", "plan_study", "simulate", "simulate_study", "virtual_source", "virtual_study", "with_cutoff"]

INFUSED = 39
"""Subjects infused by the cutoff in a virtual trial, where neither the call nor the study file says how many."""
SEED = 1
"""Seed of virtual patients, where neither the call nor the study file says one."""
FIRST_YEAR = 1990
# trials whose subjects are held at once; results do not depend on it
CHUNK = 50


def virtual_study(study: Study) -> Study:
    """Return the study with provenance `virtual`.

    Examples
    --------
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import virtual_study
    >>> virtual_study(Study.load("inaticel")).study.provenance
    'virtual'
    """
    return study.model_copy(update={"study": study.study.model_copy(update={"provenance": "virtual"})})


def with_cutoff(study: Study) -> Study:
    """Return the study with a cutoff where it has none yet: who is screened and what becomes of them does not depend on the date."""
    if study.study.cutoff is not None:
        return study
    return study.model_copy(update={"study": study.study.model_copy(update={"cutoff": dt.date(2020, 1, 1)})})


def plan_study(
    study: Study,
    *,
    n: int | None = None,
    seed: int | None = None,
    population: str | Path | Population | None = None,
    ensemble: Ensemble | None = None,
    changes: Mapping[str, object] | None = None,
) -> Plan:
    """Return where the subjects of a study's virtual trials come from.

    Parameters
    ----------
    study : Study
    n : int, optional
        Subjects infused by the cutoff, in each trial. Without: as `virtual.n` of the study file says, else 39.
    seed : int, optional
        Without: as `virtual.seed` of the study file says, else 1.
    population : str, Path or Population, optional
        A built-in name, a YAML file, or the population itself. Without: as `virtual.population` of the study file says, else the one that
        the settings name for the study's id, else a default of the product's type that fits the study's ages.
    ensemble : Ensemble, optional
        The built-in one without it.
    changes : mapping, optional
        Of the settings, as `load_trial_settings` takes them.

    Raises
    ------
    InputError
        For numbers that cannot be, an unknown population, one whose product is not the study's, or of which more than half of those
        screened would fail by age.

    Warns
    -----
    PopulationWarning
        If more than a fifth of those screened would fail by marrow blasts.

    Examples
    --------
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import plan_study
    >>> plan = plan_study(Study.load("inaticel"), n=20, changes={"accrual": {"rate": 0.7}})
    >>> plan.population.id, plan.size, plan.settings.accrual.rate.value
    ('inaticel', 20, 0.7)
    """
    from cartrial.virtual.patients.ensemble import load_ensemble
    from cartrial.virtual.trial.choice import choose_population

    n = _first(n, study.virtual.n, INFUSED)
    seed = _first(seed, study.virtual.seed, SEED)
    if seed < 0:
        raise InputError(f"the seed {seed} is negative", key="seed", right="Give a seed of 0 or more")
    if not 1 <= n <= MOST_SUBJECTS:
        raise InputError(f"a trial of {n} subjects cannot be simulated", key="n", right=f"Give 1 to {MOST_SUBJECTS}")
    if study.study.cutoff is not None and study.study.cutoff.year < FIRST_YEAR:
        raise InputError(
            f"the cutoff {study.study.cutoff.isoformat()} is before any CAR-T trial",
            key="study.cutoff",
            right=f"Give a date from {FIRST_YEAR} on",
        )
    settings = load_trial_settings(study, changes)
    people, origin = choose_population(study, settings, population)
    return Plan(study, settings, people, ensemble or load_ensemble(), seed, n, origin=origin)


def _first(given: int | None, stated: int | None, default: int) -> int:
    """Return what the call gives, else what the study file states, else the default."""
    return given if given is not None else stated if stated is not None else default


def _trials(plan: Plan, trials: int, first: int) -> list[np.ndarray]:
    if trials < 1 or first < 0:
        raise InputError(f"{trials} trials from number {first} cannot be simulated", key="trials", right="Give at least 1, from 0 on")
    numbers = np.arange(first, first + trials)
    return [numbers[i : i + CHUNK] for i in range(0, trials, CHUNK)]


def simulate_study(
    study: Study,
    *,
    n: int | None = None,
    trials: int = 1,
    seed: int | None = None,
    population: str | Path | Population | None = None,
    first: int = 0,
    plan: Plan | None = None,
    threads: int | None = None,
) -> Records:
    """Simulate virtual trials of a study.

    Parameters
    ----------
    study : Study
        Its product, criteria, visits, readers, sites and cutoff.
    n, seed, population : optional
        As in `plan_study`.
    trials : int
    first : int
        Number of the first trial. A trial depends on its number alone.
    plan : Plan, optional
        Instead of `n`, `seed` and `population`.
    threads : int, optional
        Nothing depends on it.

    Returns
    -------
    Records
        Provenance `virtual`. TRIAL counts from 0 whatever `first` is. For a single trial STUDYID and USUBJID are kept, and so are
        results that no rule of the study reads (a second method of residual disease, CD19 at relapse).

    Raises
    ------
    InputError
        As `plan_study` and `accrue_trials`.

    Examples
    --------
    Each trial has so many infused, beside others who were screened or enrolled and never infused.

    >>> import polars as pl
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import simulate_study
    >>> records = simulate_study(Study.load("inaticel"), n=2, trials=2)
    >>> infused = records.subjects.filter(pl.col("DAY0").is_not_null())
    >>> records.provenance, infused["TRIAL"].to_list()
    ('virtual', [0, 0, 1, 1])
    """
    import polars as pl

    from cartrial.virtual.trial.emit import declared, records_of
    from cartrial.virtual.trial.rows import make_rows

    plan = plan or plan_study(study, n=n, seed=seed, population=population)
    parts, offset = [], 0
    for numbers in _trials(plan, trials, first):
        rows = make_rows(plan, accrue_trials(plan, numbers), threads=threads, sent=trials == 1)
        parts.append((records_of(plan, rows, names=trials == 1), offset))
        offset += len(rows.people)
    from cartrial.sdtm.records import Records
    from cartrial.sdtm.records.codes import CARE

    names = ("subjects", "calls", "labs", "lesions", "doses", "procedures", "therapies", "dispositions", "survival", "adverse", "deaths")

    def joined(get: Callable[[Records], pl.DataFrame]) -> pl.DataFrame:
        return pl.concat([get(records).with_columns((pl.col("SUBJ") + start).cast(pl.Int32)) for records, start in parts])

    tables = {name: joined(attrgetter(name)) for name in names}
    tables["subjects"] = tables["subjects"].with_columns((pl.col("TRIAL") - first).cast(pl.Int32))
    # of all parts alike, since the study is one
    beside = [name for name in ("MH", CARE, "DD", "VS") if name in parts[0][0].extra]
    extra: dict[str, pl.DataFrame] = {}
    for name in beside:
        frames = [(records.extra[name], start) for records, start in parts]
        extra[name] = pl.concat(frame.with_columns((pl.col("SUBJ") + start).cast(pl.Int32)) for frame, start in frames)
    return Records(**tables, extra=extra, provenance="virtual", recorded=declared(plan), alternatives={}, imaging={})


def emit_sdtm(
    study: Study,
    *,
    n: int | None = None,
    seed: int | None = None,
    trial: int = 0,
    population: str | Path | Population | None = None,
    plan: Plan | None = None,
    threads: int | None = None,
) -> Source:
    """Return one virtual trial as the SDTM that its sites would have sent.

    Parameters
    ----------
    study, n, seed, population, plan, threads
        As in `simulate_study`.
    trial : int
        Number of the trial.

    Returns
    -------
    Source
        DM, DS, PR, EX, CM, LB, RS, FA, AE, SS and MH. `check_sdtm` finds nothing; `derive_records` gives the records of `simulate_study`.

    Examples
    --------
    >>> from cartrial.sdtm import check_sdtm
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import emit_sdtm
    >>> study = Study.load("inaticel")
    >>> source = emit_sdtm(study, n=2)
    >>> source.domains["EX"].filter(EXTRT="INATICABTAGENE AUTOLEUCEL").height, check_sdtm(study, source).height
    (2, 0)
    """
    from cartrial.virtual.trial.emit import source_of
    from cartrial.virtual.trial.rows import make_rows

    plan = plan or plan_study(study, n=n, seed=seed, population=population)
    return source_of(plan, make_rows(plan, accrue_trials(plan, np.array([trial])), threads=threads, sent=True))


def virtual_source(
    study: Study, *, n: int | None = None, seed: int | None = None, population: str | Path | Population | None = None
) -> Source:
    """Return the first virtual trial of a study as SDTM: what a report of `virtual_study(study)` is made from.

    Examples
    --------
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import virtual_source
    >>> source = virtual_source(Study.load("inaticel"), n=2)
    >>> source.domains["EX"].filter(EXTRT="INATICABTAGENE AUTOLEUCEL").height
    2
    """
    return emit_sdtm(study, n=n, seed=seed, population=population)


def simulate(
    study: Study,
    out: str | Path,
    *,
    n: int | None = None,
    trials: int = 1,
    seed: int | None = None,
    population: str | Path | Population | None = None,
    plan: Plan | None = None,
    form: str = "csv",
) -> tuple[Path, ...]:
    """Write virtual trials as SDTM: into `out`, several trials into `out`/trial-00001 and so on.

    Parameters
    ----------
    study, n, trials, seed, population, plan
        As in `simulate_study`.
    out : path
        A folder; built beside its place and moved in at the end. `about.yaml` in it, and in the folder of each trial, says from which
        population the subjects were drawn, by whose choice, who failed screening for what, and how many blasts the infused had.
    form : str
        As in `write_sdtm`.

    Returns
    -------
    tuple of Path
        The folders of the trials.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import simulate
    >>> with TemporaryDirectory() as folder:
    ...     folders = simulate(Study.load("inaticel"), Path(folder) / "out", n=2, trials=2)
    ...     print([path.name for path in folders], (folders[0] / "dm.csv").exists())
    ['trial-00001', 'trial-00002'] True
    """
    from cartrial.files import built_beside
    from cartrial.sdtm.write import write_sdtm
    from cartrial.virtual.trial.patients import assess_patients

    out = Path(out)
    plan = plan or plan_study(study, n=n, seed=seed, population=population)
    _trials(plan, trials, 0)
    names = [""] if trials == 1 else [f"trial-{i + 1:05d}" for i in range(trials)]
    with built_beside(out) as place:
        for i, name in enumerate(names):
            write_sdtm(emit_sdtm(study, trial=i, plan=plan), place / name, form)
            _write_about(place / name, study, plan, trials, assess_patients(plan, 1, first=i))
        if trials > 1:
            _write_about(place, study, plan, trials, assess_patients(plan, trials))
    return tuple(out / name for name in names)


def _write_about(folder: Path, study: Study, plan: Plan, trials: int, patients: VirtualPatients) -> None:
    """Write what the tables of a folder are: JSON, which is YAML too."""
    import json

    from cartrial.virtual import LABEL

    about = {"provenance": "virtual", "label": LABEL, "study": study.study.id, "study_hash": study.hash, "seed": plan.seed}
    about |= {"trials": trials, "infused": plan.size, "population": plan.population.id, "patients": patients.record()}
    (folder / "about.yaml").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
