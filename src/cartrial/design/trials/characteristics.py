"""How does a design do on the study's own endpoint? Virtual trials under truths from the null to the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartrial.design.batches.batch import rows_alone, threads_here
from cartrial.design.batches.run import BATCH, read_batches, run_batches
from cartrial.design.exact.inference import unbiased_estimates
from cartrial.design.trials.contrasts import SETTINGS, contrast_rows, setting_rows, variants_of
from cartrial.design.trials.interim import Calendar, run_design
from cartrial.design.trials.stream import TrialsJob
from cartrial.design.trials.summary import summarise
from cartrial.design.trials.truth import Truths, find_truths, space_truths
from cartrial.design.trials.worlds import Worlds, ask, choose_endpoint, simulate_worlds
from cartrial.errors import InputError
from cartrial.processes import spread
from cartrial.shown import Shown

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.exact.staged import Staged
    from cartrial.virtual.trial.arrivals import Plan

__all__ = ["Characteristics", "CharacteristicsJob", "plan_characteristics", "simulate_characteristics"]

_MARGIN, _SPARE = 0.1, 5
_ACCRUAL = {False: "continued", True: "paused"}


@dataclass(frozen=True)
class CharacteristicsJob:
    """Virtual trials of designs under truths; a `Job` of `run_batches`.

    Parameters
    ----------
    plan : Plan
        Trials at least as large as the largest design.
    designs : tuple of Staged
    truths : Truths
        Of the same plan.
    contrasts : bool
        Whether the endpoint is compared with others, and readers and visits varied.
    """

    plan: Plan
    designs: tuple[Staged, ...]
    truths: Truths
    contrasts: bool = True

    def identity(self) -> dict[str, Any]:
        """Return what the results depend on."""
        about = TrialsJob(self.plan.study, self.plan).identity()
        designs = [{key: value for key, value in asdict(design).items() if key not in ("method", "source")} for design in self.designs]
        return about | {
            "goal": self.plan.goal,
            "endpoint": self.truths.endpoint,
            "designs": [{key: list(value) if isinstance(value, tuple) else value for key, value in item.items()} for item in designs],
            "truths": self.truths.digest(),
            "contrasts": [setting.name for setting in SETTINGS] if self.contrasts else [],
        }

    def run(self, first: int, last: int) -> pl.DataFrame:
        """Return one row for each trial, design, truth and way of looking.

        Returns
        -------
        polars.DataFrame
            trial, design, truth; accrual (`continued` or `paused` before each look but the last; blank: a comparison of estimands),
            setting and variant (blank: as the study has it), look, success, responders, subjects, estimate, adjusted (unbiased after
            looks), enrolled, infused, evaluable, overrun, duration (days). Null: does not apply.
        """
        import polars as pl

        endpoint = choose_endpoint(self.plan.study, self.truths.endpoint)
        changes = variants_of(self.plan.study, endpoint) if self.contrasts else ()
        worlds = simulate_worlds(ask(self.plan, endpoint, changes), first, last, shares=self.truths.shares, threads=threads_here())
        frames = [_design_rows(worlds, self.plan, self.designs, self.truths)]
        if self.contrasts:
            frames.append(contrast_rows(worlds, "", self.designs, self.truths))
            frames += setting_rows(self.plan, first, last, self.designs, self.truths, threads=threads_here())
        rows = pl.concat(frames, how="diagonal")
        return rows.sort("design", "accrual", "setting", "variant", "truth", "trial")


@dataclass(frozen=True)
class Characteristics(Shown):
    """Operating characteristics of designs.

    Parameters
    ----------
    frame : polars.DataFrame
        As `summarise` gives it.
    truths : Truths
    designs : tuple of Staged
    trials : int
    """

    frame: pl.DataFrame
    truths: Truths
    designs: tuple[Staged, ...]
    trials: int


def plan_characteristics(
    plan: Plan,
    designs: Sequence[Staged],
    *,
    rates: Sequence[float] | None = None,
    endpoint: str | None = None,
    patients: int = 100_000,
    contrasts: bool = True,
    out: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CharacteristicsJob:
    """Return the job whose trials give the operating characteristics; its truths are found here.

    Parameters
    ----------
    plan : Plan
        Of virtual trials of the study; their size follows from the designs.
    designs : sequence of Staged
        With different names.
    rates : sequence of float, optional
        Truths; nine from the null to the alternative without it. The study's alternative is always among them.
    endpoint : str, optional
        As in `choose_endpoint`.
    patients, out, progress
        As in `find_truths`.
    contrasts : bool

    Raises
    ------
    InputError
        If there is no design, two have one name, or as `find_truths`.
    """
    names = [design.name for design in designs]
    if not names:
        raise InputError("there is no design", key="designs", right="Give at least one")
    if len(set(names)) < len(names):
        raise InputError("two designs have the same name", key="designs", right="Give each its own")
    chosen = choose_endpoint(plan.study, endpoint)
    truths = tuple(rates) if rates is not None else space_truths(plan.study, chosen.id)
    target = chosen.test.alternative if chosen.test else None
    most = max(design.n[-1] for design in designs)
    if chosen.population == "infused":
        plan = replace(plan, size=most, goal="infused")
    else:
        # of the enrolled a few are never assessable: they are left out of a design's count
        plan = replace(plan, size=most + int(_MARGIN * most) + _SPARE, goal="enrolled")
    wanted = truths if target is None else (*truths, target)
    found = find_truths(plan, wanted, chosen.id, patients=patients, out=out, progress=progress)
    return CharacteristicsJob(plan, tuple(designs), found, contrasts)


def simulate_characteristics(
    plan: Plan,
    designs: Sequence[Staged],
    trials: int = 2000,
    *,
    rates: Sequence[float] | None = None,
    endpoint: str | None = None,
    patients: int = 100_000,
    contrasts: bool = True,
    alpha: float | None = None,
    power: float | None = None,
    out: str | Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    processes: int = 1,
) -> Characteristics:
    """Simulate the operating characteristics of designs on the study's own endpoint.

    Parameters
    ----------
    plan, designs, rates, endpoint, patients, contrasts
        As in `plan_characteristics`.
    trials : int
    alpha, power : float, optional
        For the needed numbers: those of the study, one-sided, without them.
    out : str or Path, optional
        Folder for `calibration` and `trials`, kept batch by batch: interrupted, the same call goes on.
    progress : callable, optional
        Told "calibration" or "trials", the trials done and wanted.
    workers, scheduler : optional
        For the trials, as in `run_batches`; with `out`.
    processes : int
        For the trials, as in `run_batches`; with `out` or without.

    Returns
    -------
    Characteristics

    Examples
    --------
    Far too few trials to learn from; beside them stands the exact figure. By hand: at a rate of one half 2 or more of 4 have 11/16.

    >>> from cartrial.design import Staged, simulate_characteristics
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import plan_study
    >>> design = Staged("single", (4,), (1,), (2,), 0.3, 0.5, "by hand", "none")
    >>> plan = plan_study(Study.load("inaticel"), n=4)
    >>> found = simulate_characteristics(plan, [design], 2, rates=(0.3,), patients=60, contrasts=False)
    >>> [round(value, 4) for value in found.frame.filter(quantity="success", truth=0.5)["exact"]]
    [0.6875]
    """

    if trials < 2:
        raise InputError(f"{trials} trials have no Monte-Carlo error", key="trials", right="Give at least 2, better 1000")
    if out is None and (workers is not None or scheduler is not None):
        raise InputError("workers need a place for their results", key="out", right="Name a folder")

    def told(phase: str) -> Callable[[int, int], None] | None:
        return (lambda done, wanted: progress(phase, done, wanted)) if progress else None

    job = plan_characteristics(
        plan,
        designs,
        rates=rates,
        endpoint=endpoint,
        patients=patients,
        contrasts=contrasts,
        out=None if out is None else _inside(out, "calibration"),
        progress=told("calibration"),
    )
    tell = told("trials")
    if out is not None:
        place = run_batches(job, trials, _inside(out, "trials"), progress=tell, workers=workers, scheduler=scheduler, processes=processes)
        rows = read_batches(place).collect()
    else:
        rows = _rows_of(job, trials, processes, tell)
    return Characteristics(
        summarise(rows, job.plan.study, job.designs, job.truths, alpha=alpha, power=power), job.truths, job.designs, trials
    )


def _rows_of(job: CharacteristicsJob, trials: int, processes: int, tell: Callable[[int, int], None] | None) -> pl.DataFrame:
    """Run every trial here, batch by batch, and return all rows; nothing is kept in files."""
    import polars as pl

    spans = [(first, min(first + BATCH, trials) - 1) for first in range(0, trials, BATCH)]
    parts = []
    for rows in spread(partial(rows_alone if processes > 1 else CharacteristicsJob.run, job), spans, processes):
        parts.append(rows)
        if tell:
            tell(min(len(parts) * BATCH, trials), trials)
    return pl.concat(parts)


def _inside(out: str | Path, name: str) -> str | Path:
    return out / name if isinstance(out, Path) else f"{out.rstrip('/')}/{name}"


def _design_rows(worlds: Worlds, plan: Plan, designs: Sequence[Staged], truths: Truths) -> pl.DataFrame:
    """Take the trials through each design under each truth."""
    import polars as pl

    adjusted: Mapping[str, pl.DataFrame] = {
        design.name: unbiased_estimates(design).select(
            pl.col("look").cast(pl.Int64), pl.col("responders").cast(pl.Int64), pl.col("unbiased").alias("adjusted")
        )
        for design in designs
    }
    trial = np.arange(worlds.first, worlds.first + len(worlds.member), dtype=np.int32)
    start = worlds.infusion if plan.goal == "infused" else worlds.enrolled
    frames = []
    for rate, share in zip(truths.rates, truths.shares, strict=True):
        value = worlds.pick(worlds.value[:, 0], share)
        calendar = Calendar(
            there=worlds.there,
            counted=value >= 0,
            start=start,
            consent=worlds.consent,
            enrolled=worlds.enrolled,
            infusion=worlds.infusion,
            known=worlds.pick(worlds.known, share),
            response=value == 1,
            evaluable=worlds.pick(worlds.evaluable, share),
        )
        for design in designs:
            for pause in (False, True) if design.looks > 1 else (False,):
                ended = run_design(design, calendar, pause=pause)
                labels = {"design": design.name, "truth": rate, "accrual": _ACCRUAL[pause], "setting": "", "variant": ""}
                frame = pl.DataFrame({"trial": trial, **vars(ended)}).with_columns(
                    pl.lit(value).alias(key) for key, value in labels.items()
                )
                frames.append(frame.join(adjusted[design.name], on=["look", "responders"], how="left", maintain_order="left"))
    counts = ("look", "responders", "subjects", "enrolled", "infused", "evaluable", "overrun", "duration")
    estimate = (pl.col("responders") / pl.col("subjects")).alias("estimate")
    return pl.concat(frames).with_columns(estimate, *(pl.col(name).cast(pl.Int32) for name in counts))
