"""What happened to each subject, on which day? Milestones, intercurrent events, death and last contact as arrays.

Nothing after the cutoff is used. Partial dates are imputed here: a missing day is the 15th, a missing month and day 1 July, never before
the last date known alive (a death: one day later) nor after the cutoff when the earliest possible day is not; transplant and new therapy
take the earliest possible day, an enrolment no day before the consent or after a step that follows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.response.arrays import wide
from cartrial.sdtm.records import NO_CUTOFF, Records
from cartrial.sdtm.records.codes import FAR
from cartrial.sdtm.vocabulary.dispositions import ENDED_WAITING
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import canonical, normalised, value_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["RELAPSE_FREE", "SOURCES", "Course", "derive_course", "recorded_free"]

RELAPSE_FREE = "RLPSFREE"
"""RSTESTCD of a date on which a subject was last known to be free of relapse."""

SOURCES = ("RS", "LB", "PR", "CM", "EX", "DS", "DM", "AE", "SS", "FA", "DD", "TR")
"""Domains in which what decides an endpoint can be recorded."""

CONDITIONING_DAYS = 14
_TRANSPLANT = "ALLOGENEIC STEM CELL TRANSPLANT"
_DISPOSITIONS = {
    "FAILURE": frozenset({"PRODUCT FAILURE"}),
    "WITHDRAWN": frozenset({"WITHDRAWAL BY SUBJECT"}),
    "LOST": frozenset({"LOST TO FOLLOW-UP"}),
    "ENDED": ENDED_WAITING,
}


@dataclass(frozen=True)
class Course:
    """Each subject's days. Arrays of int64, shape (subjects,); `FAR` where there is none.

    Parameters
    ----------
    frame : polars.DataFrame
        One row by subject with every column below, null instead of `FAR`, and the sources: DEATH_SRC, DEATH_VAR, DEATH_SEQ, DEATH_IMPUTED,
        HSCT_SRC, HSCT_SEQ, HSCT_IMPUTED, NEW_SRC, NEW_SEQ, NEW_IMPUTED, RE_SRC, RE_SEQ, RE_IMPUTED, ALIVE_SRC, ALIVE_SEQ, STRADDLES,
        ENROLLED_IMPUTED, ENROLLED_DTF (Y where none is recorded and a later step stands for it, D or M where it is partial).
    day0, enrolled, cutoff, death, failure, withdrawn, lost, ended, alive : ndarray
        `ended`: taken off study before infusion for another reason, of those never infused.
    ice : ndarray of int64, shape (3, subjects)
        Transplant, re-infusion, new therapy.
    """

    frame: pl.DataFrame
    day0: np.ndarray
    enrolled: np.ndarray
    cutoff: np.ndarray
    death: np.ndarray
    failure: np.ndarray
    withdrawn: np.ndarray
    lost: np.ndarray
    ended: np.ndarray
    alive: np.ndarray
    ice: np.ndarray

    def source(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return where each subject's event (DEATH, HSCT, RE, NEW, ALIVE) was recorded: index in `SOURCES` and --SEQ, -1 for none."""
        if name not in self._sources:
            codes = self.frame[f"{name}_SRC"].replace_strict(SOURCES, range(len(SOURCES)), default=-1, return_dtype=pl.Int64)
            self._sources[name] = codes.fill_null(-1).to_numpy(), self.frame[f"{name}_SEQ"].cast(pl.Int64).fill_null(-1).to_numpy()
        return self._sources[name]

    def imputed(self, name: str) -> np.ndarray:
        """Return whether the day of each subject's event (DEATH, HSCT, RE, NEW) was imputed: bool, shape (subjects,)."""
        if name not in self._imputed:
            self._imputed[name] = self.frame[f"{name}_IMPUTED"].fill_null(False).to_numpy()
        return self._imputed[name]

    @cached_property
    def _imputed(self) -> dict[str, np.ndarray]:
        return {}

    @cached_property
    def _sources(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}


def derive_course(study: Study, records: Records, *, straddling_after_cutoff: bool = False) -> Course:
    """Return what happened to each subject.

    Parameters
    ----------
    study : Study
        Says whether a second infusion is a re-infusion, and how long fractions go on.
    records : Records
    straddling_after_cutoff : bool
        Take partial dates that may lie on either side of the cutoff as after it.
    """
    base = _milestones(records)
    alive = _contacts(records, base)
    frame = base.join(alive, on="SUBJ", how="left")
    frame = frame.join(_death(records, frame, straddling_after_cutoff), on="SUBJ", how="left")
    for events in (_transplants(records, frame, straddling_after_cutoff), *_therapies(study, records, frame, straddling_after_cutoff)):
        frame = frame.join(events, on="SUBJ", how="left")
    for name, kinds in _DISPOSITIONS.items():
        frame = frame.join(_disposition(records, frame, kinds, name, straddling_after_cutoff), on="SUBJ", how="left")
    straddles = [name for name in frame.columns if name.startswith("STRADDLES_")]
    frame = (
        frame.with_columns(pl.any_horizontal(pl.col(name).fill_null(False) for name in straddles).alias("STRADDLES"))
        .drop(straddles)
        .sort("SUBJ")
    )
    names = ("DAY0", "ENROLLED", "DEATH", *_DISPOSITIONS, "HSCT", "RE", "NEW")
    days = {name: wide(frame[name], FAR) for name in names}
    return Course(
        frame=frame,
        day0=days["DAY0"],
        enrolled=days["ENROLLED"],
        cutoff=wide(frame["CUTOFF"], NO_CUTOFF),
        death=days["DEATH"],
        failure=days["FAILURE"],
        withdrawn=days["WITHDRAWN"],
        lost=days["LOST"],
        ended=np.where(days["DAY0"] < FAR, FAR, days["ENDED"]),
        alive=wide(frame["ALIVE"], -FAR),
        ice=np.ascontiguousarray(np.stack([days["HSCT"], days["RE"], days["NEW"]])),
    )


def _milestones(records: Records) -> pl.DataFrame:
    names = ("DAY0", "CONSENT", "ENROLLED", "LEUK", "RELEASED", "LDSTART")
    reached = [pl.when(pl.col(name) <= pl.col("CUTOFF")).then(pl.col(name)).alias(name) for name in names]
    frame = records.subjects.select("SUBJ", "TRIAL", "DATED", "CUTOFF", *reached)
    # whoever was leukapheresed or infused was enrolled; without a date of its own the earliest of these days stands for it, and is flagged
    later = pl.min_horizontal("LEUK", "LDSTART", "DAY0")
    frame = frame.with_columns(pl.when(pl.col("ENROLLED").is_null() & later.is_not_null()).then(pl.lit("Y")).alias("ENROLLED_DTF"))
    enrolled = records.dispositions.filter(pl.col("KIND") == "ENROLLED")
    partial = enrolled.filter(pl.col("DAY") != pl.col("DAYX"))
    if partial.is_empty():
        return frame.with_columns(pl.coalesce("ENROLLED", later).alias("ENROLLED"), pl.lit(False).alias("ENROLLED_IMPUTED"))
    exact = enrolled.filter(pl.col("DAY") == pl.col("DAYX")).select("SUBJ", pl.col("DAY").alias("ENROLLED"))
    partial = partial.select("SUBJ", pl.col("DAY").alias("ENROLLED"), "DAY", "DAYX").join(exact, on=["SUBJ", "ENROLLED"], how="anti")
    frame = frame.join(partial.sort("DAYX").unique(["SUBJ", "ENROLLED"], keep="first"), on=["SUBJ", "ENROLLED"], how="left")
    # within what the date can be; not before the consent, nor after a step that follows enrolment
    likely = pl.min_horizontal(pl.max_horizontal(_middle(), "CONSENT"), "DAYX", later, "CUTOFF")
    imputed = pl.when(pl.col("DAY").is_not_null()).then(pl.max_horizontal("DAY", likely)).otherwise("ENROLLED")
    return (
        frame.with_columns(
            pl.coalesce(imputed, later).cast(pl.Int32).alias("ENROLLED"),
            pl.col("DAY").is_not_null().alias("ENROLLED_IMPUTED"),
            pl.when(pl.col("DAYX") - pl.col("DAY") > 31)
            .then(pl.lit("M"))
            .when(pl.col("DAY").is_not_null())
            .then(pl.lit("D"))
            .otherwise("ENROLLED_DTF")
            .alias("ENROLLED_DTF"),
        )
        .drop("DAY", "DAYX")
        .sort("SUBJ")
    )


def recorded_free(records: Records) -> pl.DataFrame:
    """Return the dates on which subjects were said to be free of relapse: SUBJ, DAY, DAYX (equal: whole dates alone), SEQ."""
    rs = records.extra.get("RS")
    if rs is None or not {"RSTESTCD", "DAY", "DAYX"} <= set(rs.columns):
        return pl.DataFrame(schema={"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32, "SEQ": pl.Int64})
    free = canonical(pl.coalesce(value_of(rs, "RSSTRESC"), value_of(rs, "RSORRES")), "NY") == "Y"
    said = (normalised(pl.col("RSTESTCD")) == RELAPSE_FREE) & free & happened(rs, "RS")
    whole = pl.col("DAY") == pl.col("DAYX")
    return rs.filter(said & whole).select("SUBJ", "DAY", "DAYX", "SEQ").sort("SUBJ", "DAY", maintain_order=True)


def _examined(records: Records) -> pl.DataFrame:
    """Return the records of FA that were made of a subject."""
    seen = records.lesions.filter(pl.col("PRESENT") >= 0)
    return seen.filter(pl.col("FROM") == "FA") if "FROM" in seen.columns else seen


def _scanned(records: Records) -> list[tuple[str, pl.DataFrame]]:
    """Return the imaging of a subject, in each of its domains, as it was dated."""
    tables = {"TR": "lesions", "FA": "uptake"}
    return [(domain, records.imaging[name].select("SUBJ", "DAY", "DAYX", "SEQ")) for domain, name in tables.items() if records.imaging]


def _contacts(records: Records, base: pl.DataFrame) -> pl.DataFrame:
    """Last day known alive, from full dates alone: alive status, attended assessments, doses and procedures."""
    rows = [
        ("SS", records.survival.filter(pl.col("ALIVE"))),
        ("RS", records.calls),
        ("RS", recorded_free(records)),
        ("LB", records.labs.filter(pl.col("TAKEN"))),
        ("FA", _examined(records)),
        *(_scanned(records)),
        ("EX", records.doses),
        ("PR", records.procedures),
        ("CM", records.therapies.filter(pl.col("KIND") == "SUBSEQUENT ANTICANCER THERAPY")),
    ]
    # every table is sorted by SUBJ, DAY, SEQ (a subject's row is SUBJ in `base`): the last row of a subject is its last contact
    cutoff = base["CUTOFF"]
    last = []
    for rank, (domain, frame) in enumerate(rows):
        known = frame.filter((pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= cutoff.gather(frame["SUBJ"])))
        known = known.filter((pl.col("SUBJ") != pl.col("SUBJ").shift(-1)).fill_null(True))
        names = (
            pl.col("DAY").alias("ALIVE"),
            pl.col("SEQ").alias("ALIVE_SEQ"),
            pl.lit(domain).alias("ALIVE_SRC"),
            pl.lit(rank).alias("RANK"),
        )
        last.append(known.select("SUBJ", *names))
    found = pl.concat(last).sort("SUBJ", "ALIVE", "RANK", descending=[False, True, False])
    return found.filter((pl.col("SUBJ") != pl.col("SUBJ").shift(1)).fill_null(True)).drop("RANK")


def _death(records: Records, frame: pl.DataFrame, straddling_after_cutoff: bool) -> pl.DataFrame:
    deaths = records.deaths.join(frame.select("SUBJ", "CUTOFF", "ALIVE"), on="SUBJ")
    partial = pl.col("DAY") != pl.col("DAYX")
    # the details of a death tell the latest day that it can be; no date is later than that
    guess = pl.when(pl.col("SRCDOM") == "DD").then(pl.col("DAYX")).otherwise(_middle())
    imputed = pl.min_horizontal(pl.max_horizontal(guess, pl.col("ALIVE") + 1), pl.col("CUTOFF"))
    straddles = partial & (pl.col("DAY") <= pl.col("CUTOFF")) & (pl.col("DAYX") > pl.col("CUTOFF"))
    deaths = deaths.filter(pl.col("DAY") <= pl.col("CUTOFF"))
    if straddling_after_cutoff:
        deaths = deaths.filter(~straddles)
    return deaths.select(
        "SUBJ",
        pl.when(partial).then(imputed).otherwise(pl.col("DAY")).cast(pl.Int32).alias("DEATH"),
        pl.col("SRCDOM").alias("DEATH_SRC"),
        pl.col("SRCVAR").alias("DEATH_VAR"),
        pl.col("SEQ").alias("DEATH_SEQ"),
        partial.alias("DEATH_IMPUTED"),
        straddles.alias("STRADDLES_DEATH"),
    )


def _middle() -> pl.Expr:
    """The 15th of the month that DAY starts, or 1 July of its year (181 days later, in a leap year 182); never after DAYX."""
    july = 181 + pl.col("DAY").cast(pl.Date).dt.is_leap_year().cast(pl.Int32)
    year = (pl.col("DAYX") - pl.col("DAY")) > 31
    return pl.min_horizontal(pl.col("DAY") + pl.when(year).then(july).otherwise(14), "DAYX")


def _eligible(frame: pl.DataFrame, base: pl.DataFrame, name: str, straddling_after_cutoff: bool) -> pl.DataFrame:
    """Records on or after day 0 (enrolment where not infused) up to the cutoff, the earliest possible day of each."""
    start = pl.coalesce("DAY0", "ENROLLED")
    joined = frame.join(base.select("SUBJ", "DAY0", "ENROLLED", "CUTOFF"), on="SUBJ").filter(
        (pl.col("DAYX") >= start) & (pl.col("DAY") <= pl.col("CUTOFF"))
    )
    straddles = (pl.col("DAY") != pl.col("DAYX")) & (pl.col("DAYX") > pl.col("CUTOFF"))
    partial = (pl.col("DAY") != pl.col("DAYX")).alias(f"{name}_IMPUTED")
    joined = joined.with_columns(pl.max_horizontal("DAY", start).cast(pl.Int32).alias("DAY"), straddles.alias(f"STRADDLES_{name}"), partial)
    return joined.filter(~pl.col(f"STRADDLES_{name}")) if straddling_after_cutoff else joined


def _first(frame: pl.DataFrame, name: str, last: str | None = None) -> pl.DataFrame:
    first = frame.sort("SUBJ", "DAY", "SEQ", nulls_last=True, maintain_order=True).unique("SUBJ", keep="first", maintain_order=True)
    return first.select(
        *("SUBJ", pl.col("DAY").alias(name), pl.col("SRC").alias(f"{name}_SRC"), pl.col("SEQ").alias(f"{name}_SEQ")),
        *(f"{name}_IMPUTED", f"STRADDLES_{name}"),
        *([pl.col("DAYX").alias(last)] if last else []),
    )


def _transplants(records: Records, base: pl.DataFrame, straddling_after_cutoff: bool) -> pl.DataFrame:
    """First transplant, from its conditioning if that is recorded within 14 days before it.

    A partial date that can contain a whole one of a transplant is of the same transplant. It is never before its own conditioning.
    """
    recorded = records.procedures.filter(pl.col("KIND") == _TRANSPLANT).with_columns(pl.lit("PR").alias("SRC"))
    whole = recorded.filter(pl.col("DAY") == pl.col("DAYX")).select("SUBJ", pl.col("DAY").alias("WHOLE"))
    of_whole = (
        recorded.filter(pl.col("DAY") < pl.col("DAYX"))
        .join(whole, on="SUBJ")
        .filter(pl.col("WHOLE").is_between(pl.col("DAY"), pl.col("DAYX")))
        .select("SUBJ", "DAY", "DAYX")
        .unique()
    )
    recorded = recorded.join(of_whole, on=["SUBJ", "DAY", "DAYX"], how="anti", maintain_order="left")
    transplants = _first(_eligible(recorded, base, "HSCT", straddling_after_cutoff), "HSCT", "LAST")
    tables = (records.procedures, records.therapies)
    conditioning = (
        pl.concat([table.filter(pl.col("KIND") == "CONDITIONING").select("SUBJ", "DAY") for table in tables])
        .join(base.select("SUBJ", "CUTOFF"), on="SUBJ")
        .filter(pl.col("DAY") <= pl.col("CUTOFF"))
        .join(transplants.select("SUBJ", "HSCT", "LAST"), on="SUBJ")
        .filter(pl.col("DAY").is_between(pl.col("HSCT") - CONDITIONING_DAYS, pl.col("LAST")))
        .with_columns(pl.max_horizontal("HSCT", pl.col("DAY").max().over("SUBJ")).alias("GIVEN"))
    )
    start = (
        conditioning.filter(pl.col("DAY") >= pl.col("GIVEN") - CONDITIONING_DAYS).group_by("SUBJ").agg(pl.col("DAY").min().alias("FROM"))
    )
    # a conditioning has a date of its own
    imputed = pl.col("HSCT_IMPUTED") & pl.col("FROM").is_null()
    dated = transplants.join(start, on="SUBJ", how="left").with_columns(pl.coalesce("FROM", "HSCT").alias("HSCT"), imputed)
    return dated.drop("FROM", "LAST")


def _therapies(study: Study, records: Records, base: pl.DataFrame, straddling_after_cutoff: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """First re-infusion and first new therapy; a second product is a new therapy unless the study calls it re-infusion."""
    infusions = records.doses.filter(pl.col("KIND") == "PRODUCT").join(base.select("SUBJ", "DAY0"), on="SUBJ")
    again = infusions.filter(pl.col("DAY") > pl.col("DAY0") + study.product.fraction_days).select(
        "SUBJ", "DAY", "DAYX", "SEQ", pl.lit("EX").alias("SRC")
    )
    new = records.therapies.filter(pl.col("KIND") == "SUBSEQUENT ANTICANCER THERAPY").select(
        "SUBJ", "DAY", "DAYX", "SEQ", pl.lit("CM").alias("SRC")
    )
    if not study.product.re_infusion:
        new, again = pl.concat([new, again]), again.clear()
    return (
        _first(_eligible(again, base, "RE", straddling_after_cutoff), "RE"),
        _first(_eligible(new, base, "NEW", straddling_after_cutoff), "NEW"),
    )


def _disposition(records: Records, frame: pl.DataFrame, kinds: frozenset[str], name: str, straddling_after_cutoff: bool) -> pl.DataFrame:
    """First record of a kind up to the cutoff; a subject is not off study before the last contact that its partial date can follow."""
    found = records.dispositions.filter(pl.col("KIND").is_in(kinds)).join(frame.select("SUBJ", "CUTOFF", "ALIVE"), on="SUBJ")
    found = found.filter(pl.col("DAY") <= pl.col("CUTOFF"))
    partial = pl.col("DAY") != pl.col("DAYX")
    straddles = partial & (pl.col("DAYX") > pl.col("CUTOFF"))
    if straddling_after_cutoff:
        found = found.filter(~straddles)
    least = pl.lit(None, dtype=pl.Int32) if name == "FAILURE" else pl.col("ALIVE")
    likely = pl.min_horizontal(pl.max_horizontal(_middle(), least), "DAYX", "CUTOFF")
    found = found.with_columns(pl.when(partial).then(likely).otherwise("DAY").cast(pl.Int32).alias("DAY"), straddles.alias("STRADDLES"))
    first = found.sort("SUBJ", "DAY", "STRADDLES").unique("SUBJ", keep="first", maintain_order=True)
    return first.select("SUBJ", pl.col("DAY").alias(name), pl.col("STRADDLES").alias(f"STRADDLES_{name}"))
