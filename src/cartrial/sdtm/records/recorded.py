"""What does a source have at all? Its domains, whose calls, and which kinds of record: what it lacks is named, and never counted as 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.sdtm.records.codes import ADJUDICATOR, INV, IRC, LAB, READER1, READER2, READERS
from cartrial.sdtm.vocabulary.results import POSITIVE, UNREADABLE
from cartrial.sdtm.vocabulary.specimens import by_method, is_read

if TYPE_CHECKING:
    from cartrial.sdtm.source import Source
    from cartrial.study import Study

__all__ = ["Recorded", "recorded_of"]

_KEYS = ("STUDYID", "DOMAIN", "USUBJID", "ROW", "SRCCOL", "SUBJ")


@dataclass(frozen=True)
class Recorded:
    """The declaration of what a source has.

    Parameters
    ----------
    shared : bool
        One declaration stands for every trial, as of a batch of virtual trials: that a trial has nothing of a kind is not its absence.
    absent : frozenset of str
        What is not recorded in any trial, where `shared`: readers, and the kinds of `trials`.
    trials : mapping of str to ndarray of bool, shape (trials,)
        Else, by trial: whether there is a call of each reader that could be used (`LAB`: evidence in LB or FA), a residual disease result
        of a specimen and by a method that the study names (`MRD`), each of a whole date after day 0 and up to the cutoff, of an infused
        subject; and whether extramedullary disease was ever looked for (`EMD`).
    unused : mapping of str to ndarray of bool, shape (trials,)
        By trial, where there are records of a kind: calls of any date, residual disease with or without a result. Blank where none is.
    domains : mapping of str to frozenset of str, optional
        The variables of each domain that hold a value. A domain that is missing here is absent from the source. None: all is there.
    empty : frozenset of str
        Domains with a file or with columns of a sheet, and no record.
    asked : frozenset of str
        Domains of which a sheet has answers that make no record, such as a grade of 0.
    terms : frozenset of str, optional
        The adverse events that were asked for, each by itself. None: those that occurred were volunteered.
    level : {"records", "events"}
        `events`: best responses and dates, no assessments by visit.
    """

    shared: bool = True
    absent: frozenset[str] = frozenset()
    trials: Mapping[str, np.ndarray] = field(default_factory=dict)
    unused: Mapping[str, np.ndarray] = field(default_factory=dict)
    domains: Mapping[str, frozenset[str]] | None = None
    empty: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    terms: frozenset[str] | None = None
    level: str = "records"

    def has(self, kind: str, trial: np.ndarray) -> np.ndarray:
        """Whether each of some trials has a kind of record: bool, shape as `trial`."""
        if self.shared:
            return np.full(len(trial), kind not in self.absent)
        return np.asarray(self.trials[kind][trial])

    def unusable(self, kind: str, trial: np.ndarray) -> np.ndarray:
        """Whether each of some trials has records of a kind, and none that could be used: bool, shape as `trial`."""
        if self.shared or kind not in self.unused:
            return np.zeros(len(trial), bool)
        return np.asarray(self.unused[kind][trial] & ~self.has(kind, trial))

    def state(self, domain: str) -> str:
        """Return `read`, `empty` or `absent`."""
        if self.domains is None or domain in self.domains or domain in self.asked:
            return "read"
        return "empty" if domain in self.empty else "absent"

    def lacks(self, domain: str, variable: str) -> bool:
        """Whether a domain has records and none of them has a value of a variable."""
        return self.domains is not None and domain in self.domains and variable not in self.domains[domain]

    def words(self, domain: str) -> str:
        """Return what is wrong with a domain, in words: its file is absent, or it has no record."""
        return f"{domain} has no record" if self.state(domain) == "empty" else f"{domain} is absent"


def recorded_of(
    study: Study,
    source: Source,
    subjects: pl.DataFrame,
    calls: pl.DataFrame,
    labs: pl.DataFrame,
    lesions: pl.DataFrame,
    imaging: Mapping[str, pl.DataFrame],
) -> Recorded:
    """Return what a source has, trial by trial.

    Parameters
    ----------
    study : Study
        Names the specimens and the methods of residual disease.
    source : Source
        Its domains and its level.
    subjects, calls, labs, lesions : polars.DataFrame
        Of `Records`.
    imaging : mapping of str to polars.DataFrame
        Of `Records`: who measured has a call.
    """
    person = subjects.select("SUBJ", "TRIAL", "DAY0", "CUTOFF")
    trial = subjects["TRIAL"].to_numpy()
    count = int(trial.max()) + 1 if subjects.height else 0

    def trials_of(frame: pl.DataFrame) -> np.ndarray:
        found = np.zeros(count, bool)
        found[trial[frame["SUBJ"].to_numpy()]] = True
        return found

    bridging = any(endpoint.window is not None and endpoint.window.bridging for endpoint in study.endpoints)

    def after(frame: pl.DataFrame) -> pl.DataFrame:
        """Keep what a rule could use: of a whole date after day 0 and up to the cutoff."""
        known = frame.join(person, on="SUBJ").filter((pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF")))
        return known.filter((pl.col("DAY") > pl.col("DAY0")).fill_null(bridging))

    marrow = study.disease.marrow is not None
    measured = [imaging[name].select("SUBJ", "DAY", "DAYX", "READER") for name in ("lesions", "uptake") if imaging]

    def readers_of(calls: pl.DataFrame, evidence: Iterable[pl.DataFrame], read: Iterable[pl.DataFrame]) -> dict[str, np.ndarray]:
        """Say of each reader in which trials there is a call or a measurement among these, or evidence in his stead."""
        made = pl.concat([frame.select("SUBJ", "READER") for frame in (calls, *read)])
        by = {code: trials_of(made.filter(pl.col("READER") == code)) for code in (INV, READER1, READER2, ADJUDICATOR, IRC)}
        # the committee has a call where two can agree, or a third can decide, or its own is recorded, or a reader's is accepted as its own
        pair = (by[READER1] & by[READER2]) | ((by[READER1] | by[READER2]) & by[ADJUDICATOR]) | trials_of(calls.filter("ACCEPTED"))
        lab = np.any([np.zeros(count, bool), *(trials_of(frame) for frame in (evidence if marrow else read))], axis=0)
        by |= {IRC: by[IRC] | pair, INV: by[INV] | (lab & marrow), LAB: lab}
        return {READERS[code]: found for code, found in by.items()}

    def by_cutoff(frame: pl.DataFrame) -> pl.DataFrame:
        """Leave out what is after the cutoff: it changes nothing, no word either."""
        return frame.join(person, on="SUBJ").filter(pl.col("DAY") <= pl.col("CUTOFF"))

    found_in = (pl.col("VALUE") > 0) | (pl.col("REL") == POSITIVE)
    blasts = labs.filter((pl.col("TEST") == "BLAST") & ((pl.col("SPEC") == "BONE MARROW") | ((pl.col("SPEC") == "BLOOD") & found_in)))
    present = lesions.filter(pl.col("PRESENT") == 1)
    residual = study.disease.mrd
    mrd = labs.filter((pl.col("TEST") == "MRD") & is_read(residual.specimens) & by_method(residual.methods))
    said = (pl.col("REL") != UNREADABLE).fill_null(False)
    whole = (pl.col("DAY") == pl.col("DAYX")) | (pl.col("PRESENT") == 1)
    looked = by_cutoff(lesions.filter((pl.col("PRESENT") >= 0) & whole))
    return Recorded(
        shared=False,
        trials={
            **readers_of(after(calls), (after(blasts.filter(said)), after(present)), [after(frame) for frame in measured]),
            **{"MRD": trials_of(after(mrd.filter(said & pl.col("DONE")))), "EMD": trials_of(looked)},
        },
        unused={
            **readers_of(by_cutoff(calls), (by_cutoff(blasts), by_cutoff(present)), [by_cutoff(frame) for frame in measured]),
            "MRD": trials_of(by_cutoff(mrd)),
        },
        domains={name: _filled(frame) for name, frame in source.domains.items() if frame.height},
        empty=frozenset(_empty(source)),
        asked=source.asked,
        terms=source.terms,
        level=source.level,
    )


def _filled(frame: pl.DataFrame) -> frozenset[str]:
    return frozenset(name for name in frame.columns if name not in _KEYS and frame[name].null_count() < frame.height)


def _empty(source: Source) -> Iterable[str]:
    return {*source.blank, *(name for name, frame in source.domains.items() if not frame.height)}
