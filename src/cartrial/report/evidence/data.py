"""What does a section of the context page get? A study, the registry, its doubts, and what is laid beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.errors import InputError
from cartrial.evidence import Evidence, Finding, Result, TrialFile, check_evidence
from cartrial.report.page.rows import Rows
from cartrial.study import Endpoint, Study

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ContextData", "CurveOf", "Simulated", "months_of", "read_own", "read_reconstructed", "read_simulated"]

IN_MONTHS = {"days": 1 / DAYS_PER_MONTH, "weeks": 7 / DAYS_PER_MONTH, "months": 1.0, "years": 12.0}
# of virtual trials: the band that is drawn, and how many of them must be followed so long
BAND, FOLLOWED = (0.1, 0.9), 0.9


def months_of(value: float, unit: str) -> float:
    """Return a time in months of 30.4375 days.

    Examples
    --------
    >>> from cartrial.report.evidence.data import months_of
    >>> months_of(5, "years"), round(months_of(365.25, "days"), 9)
    (60.0, 12.0)
    """
    return value * IN_MONTHS[unit]


@dataclass(frozen=True)
class CurveOf:
    """A curve that was reconstructed from a figure: of which endpoint, and how it was read."""

    endpoint: str
    months: tuple[float, ...]
    survival: tuple[float, ...]
    told: str


@dataclass(frozen=True)
class Simulated:
    """Virtual trials: how many, and by endpoint the months with the lower and upper end of 80 % of their survival."""

    trials: int
    bands: Mapping[str, tuple[tuple[float, float, float], ...]]


@dataclass(frozen=True)
class ContextData:
    """Everything that a section of the context page may read.

    Parameters
    ----------
    study : Study
    evidence : Evidence
    own : Rows, optional
        Results of the study.
    provenance : str
        Of those; blank without.
    curves : tuple of CurveOf
    simulated : Simulated, optional
    assume : mapping of str to str
        As in `compare_results`.
    beside : tuple of str
        Ids of results from which this trial is predicted.
    n : int, optional
        Subjects whose number of responses is predicted.
    """

    study: Study
    evidence: Evidence
    own: Rows | None = None
    provenance: str = ""
    curves: tuple[CurveOf, ...] = ()
    simulated: Simulated | None = None
    assume: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    n: int | None = None

    @cached_property
    def trial(self) -> TrialFile | None:
        """What was published of this very trial: the registry entry is the same."""
        registry = self.study.study.registry
        return next((file for file in self.evidence.trials.values() if registry and file.trial.registry == registry), None)

    @cached_property
    def findings(self) -> list[tuple[str, Finding]]:
        """What is not consistent, each with its number, the worst first."""
        found = [one for one in check_evidence(self.evidence.trials.values()) if one.verdict != "consistent"]
        return [(str(number), one) for number, one in enumerate(found, 1)]

    def doubt(self, result: str) -> str:
        """Return the numbers of what speaks against a result."""
        return ", ".join(number for number, found in self.findings if result in found.results)

    @property
    def leukaemia(self) -> bool:
        """Whether the study is of leukaemia, as everything in the registry is."""
        return "leukaemia" in self.study.disease.name.lower()

    @property
    def primary(self) -> Endpoint | None:
        """The primary endpoint where it is a response rate, otherwise the first rate."""
        rates = self.rates()
        return next((one for one in rates if one.role == "primary"), rates[0] if rates else None)

    def rates(self) -> list[Endpoint]:
        """Return the response rates of the study."""
        return [one for one in self.study.endpoints if one.type == "response-rate"]

    def is_own(self, trial: str) -> bool:
        """Whether a trial of the registry is this one."""
        return self.trial is not None and self.trial.trial.id == trial

    def results(self) -> Iterator[tuple[str, Result]]:
        """Yield every result with its trial, those of this trial first."""
        yield from sorted(self.evidence.results, key=lambda pair: not self.is_own(pair[0]))


def read_own(study: Study, folder: Path) -> tuple[Rows, str]:
    """Read the results of a run of a study.

    Returns
    -------
    Rows
    str
        Their provenance.

    Raises
    ------
    InputError
        If the folder holds none, or they are of another study.
    """
    from cartrial.analysis.results import read_results, sort_results

    path = next((folder / name for name in ("results.parquet", "results.json") if (folder / name).is_file()), None)
    if path is None:
        right = "Name a folder that `cartrial report` wrote"
        raise InputError("there are no results", file=str(folder), key="--results", right=right)
    results = sort_results(read_results(path))
    _same_study(study, results, folder, "--results")
    return Rows(results), str(results["provenance"][0])


def _same_study(study: Study, results: pl.DataFrame, folder: Path, key: str) -> None:
    names = results["study"].unique().to_list()
    if names != [study.study.id]:
        what = f"the results are of {', '.join(sorted(names)) or 'no study'}, not of {study.study.id}"
        raise InputError(what, file=str(folder), key=key, right="Name the results of this study")


def read_simulated(study: Study, folder: Path) -> Simulated:
    """Read the survival of virtual trials that `cartrial trials` left, as bands.

    Raises
    ------
    InputError
        If the folder has none, or they are of another study.
    """
    import polars as pl

    from cartrial.design import read_trials

    try:
        frame = read_trials(folder).filter(analysis="survival", statistic="survival", variant="", by="").collect()
    except InputError as error:
        raise InputError(error.what, file=str(folder), key="--simulated", right="Name a folder that `cartrial trials` wrote") from None
    _same_study(study, frame, folder, "--simulated")
    trials = frame["trial"].n_unique()
    low, high = (pl.col("value").quantile(q, "linear") for q in BAND)
    bands = frame.group_by("endpoint", "time").agg(known=pl.col("value").count(), low=low, high=high).sort("endpoint", "time")
    held: dict[str, list[tuple[float, float, float]]] = {}
    for row in bands.filter(pl.col("known") >= FOLLOWED * trials).iter_rows(named=True):
        held.setdefault(row["endpoint"], [(0.0, 1.0, 1.0)]).append((row["time"] / DAYS_PER_MONTH, row["low"], row["high"]))
    return Simulated(trials, {endpoint: tuple(points) for endpoint, points in held.items()})


def read_reconstructed(texts: Sequence[str]) -> tuple[CurveOf, ...]:
    """Read curves that `cartrial evidence curve` wrote, each given as ``ENDPOINT=FOLDER``.

    Raises
    ------
    InputError
        If there is none, its endpoint is unknown, or its unit is not stated.
    """
    import polars as pl

    found = []
    for text in texts:
        endpoint, _, place = text.partition("=")
        if endpoint not in ("OS", "EFS", "RFS", "DOR", "PFS") or not place:
            raise InputError(f"'{text}' says no endpoint and folder", key="--curve", right="Write for example OS=FOLDER")
        folder = Path(place)
        if not (folder / "quality.json").is_file() or not (folder / "curve.csv").is_file():
            right = "Name a folder that `cartrial evidence curve` wrote"
            raise InputError("there is no curve", file=place, key="--curve", right=right)
        quality = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
        unit = quality.get("unit", "not-stated")
        if unit not in IN_MONTHS:
            what = f"the unit of its times is {unit}"
            raise InputError(what, file=place, key="--curve", right=f"Write the curve again with --unit: {', '.join(IN_MONTHS)}")
        curve = pl.read_csv(folder / "curve.csv")
        months = (0.0, *(months_of(time, unit) for time in curve["time"].to_list()), months_of(float(quality["end"]), unit))
        survival = (1.0, *curve["survival"].to_list(), *([curve["survival"][-1]] if curve.height else [1.0]))
        rows = f", numbers at risk at {len(quality['at_risk'])} times" if quality.get("at_risk") else ""
        name = f"{endpoint} of {quality.get('figure', 'a figure')}: reading {quality['reading']}"
        told = f"{name}, n {quality['n']}{rows}; reconstructed"
        if quality.get("refused"):
            told = f"{name}; digitised, no counts ({quality['refused']})"
        found.append(CurveOf(endpoint, months, survival, told))
    return tuple(found)
