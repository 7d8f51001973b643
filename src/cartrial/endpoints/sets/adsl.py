"""Who is each subject, which milestones were reached and how did the study end? ADSL, one row by subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.course import Course
from cartrial.endpoints.populations import Populations
from cartrial.endpoints.sets.baseline import derive_baseline, dose_of
from cartrial.endpoints.sets.dose import DOSE_COLUMNS
from cartrial.endpoints.sets.trace import study_day
from cartrial.response.arrays import Calls
from cartrial.response.codes import AFTER_RELAPSE
from cartrial.sdtm.records import NO_CUTOFF, READERS
from cartrial.study.criteria.codes import statuses_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["derive_adsl"]

_MILESTONES = {"CONSFL": "CONSENT", "ENRLFL": "ENROLLED", "LEUKFL": "LEUK", "RELFL": "RELEASED", "LDFL": "LDSTART", "INFFL": "DAY0"}
_DATES = {
    "RFICDT": "CONSENT",
    "ENRLDT": "ENROLLED",
    "LEUKDT": "LEUK",
    "RELDT": "RELEASED",
    "LDSTDT": "LDSTART",
    "TRTSDT": "DAY0",
    "DTHDT": "DEATH",
    "LSTALVDT": "ALIVE",
}

# study days as ADaM counts them, without a day 0, and days from day 0
_DAYS = (
    (("ENRLDY", "ENRLDAY"), "ENROLLED"),
    (("LSTALVDY", "LSTALDAY"), "ALIVE"),
    (("DTHDY", "DTHDAY"), "DEATH"),
    (("HSCTDY", "HSCTDAY"), "HSCT"),
    (("NEWDY", "NEWDAY"), "NEW"),
    (("CUTDY", "CUTDAY"), None),
)


def derive_adsl(study: Study, populations: Populations) -> pl.DataFrame:
    """Return ADSL.

    Parameters
    ----------
    study : Study
    populations : Populations

    Returns
    -------
    polars.DataFrame
        One row by subject: identity, flags (`INFFL` is also the safety set, `SAFFL`), dates, days (`--DY` as ADaM counts them, `--DAY` from
        day 0), DOSEKG and DOSERNG where the study file has a range of doses, and the study's baseline characteristics. EOSSTT is ONGOING
        or, with the reason in DCSREAS, DISCONTINUED; null where a trial records no survival status and no death. `ASSFL`, `EVALFL` and
        `RESPFL` are by the primary reader, null where a trial has no call by him or EMD decides every one; responders here ignore every
        intercurrent event.
    """
    records, course = populations.records, populations.course
    reader = READERS.index(study.readers.primary)
    frame = records.subjects.select("SUBJ", "SITEID", "AGE", "SEX", "COUNTRY", "ARMCD").join(course.frame, on="SUBJ", how="left")
    # who was infused went through the steps before, whether or not each was recorded
    reached = {flag: pl.col(name).is_not_null() for flag, name in _MILESTONES.items()}
    reached["ENRLFL"] = reached["ENRLFL"] | reached["INFFL"]
    reached["CONSFL"] = reached["CONSFL"] | reached["ENRLFL"]
    # of a milestone that a trial records of nobody nothing is known: consent, leukapheresis, release and lymphodepletion are then blank
    asked = {flag: pl.col(_MILESTONES[flag]).is_not_null().any().over("TRIAL") for flag in ("CONSFL", "LEUKFL", "RELFL", "LDFL")}
    calls = populations.calls[reader]
    responded = pl.Series(populations.of("assessed", reader)) & _ever(study.disease.family.roles.responds, calls, course)
    flags = {
        "ASSFL": pl.Series(populations.of("assessed", reader)),
        "EVALFL": pl.Series(populations.of("evaluable", reader)),
        "RESPFL": responded,
    }
    left = (
        pl.when(pl.col("DEATH").is_not_null())
        .then(pl.lit("DEATH"))
        .when(pl.col("WITHDRAWN") <= pl.coalesce("LOST", "WITHDRAWN"))
        .then(pl.lit("WITHDRAWAL BY SUBJECT"))
        .when(pl.col("LOST").is_not_null())
        .then(pl.lit("LOST TO FOLLOW-UP"))
    )
    recorded = pl.lit(pl.Series(populations.survival_recorded()[populations.trial]))
    cutoff = pl.when(pl.col("CUTOFF") < NO_CUTOFF).then(pl.col("CUTOFF"))
    # a day that stands for an enrolment is flagged beside its date, and is not given where there is no date
    flagged = pl.when(pl.col("DATED") | (pl.col("ENROLLED_DTF") == "Y").fill_null(False).not_()).then(pl.col("ENROLLED"))
    known = {name: pl.col(name) for _, name in _DAYS if name} | {"ENROLLED": flagged}
    days = [(columns, (known[name] if name else cutoff) - pl.col("DAY0")) for columns, name in _DAYS]
    imputed = pl.lit(records.subjects["DAY0IMPUTED"] if "DAY0IMPUTED" in records.subjects.columns else None, dtype=pl.Boolean)
    unread = pl.lit(pl.Series(populations.unknown(reader)[populations.trial]))
    yes = {**reached, "SAFFL": reached["INFFL"], **{name: pl.when(~unread).then(pl.lit(series)) for name, series in flags.items()}}
    yes["EVALFL"] = pl.when(~pl.lit(pl.Series(populations.unrecorded("evaluable", reader)[populations.trial]))).then(yes["EVALFL"])
    frame = frame.select(
        *("SUBJ", "SITEID", "AGE", "SEX", "COUNTRY", "ARMCD"),
        *(
            pl.when(asked.get(name, pl.lit(True)))
            .then(pl.when(value).then(pl.lit("Y")).when(value.is_not_null()).then(pl.lit("N")))
            .alias(name)
            for name, value in yes.items()
        ),
        *(pl.when("DATED").then(pl.col(name).cast(pl.Date)).alias(column) for column, name in _DATES.items()),
        *(day.cast(pl.Int32).alias(column) for columns, day in days for column, day in zip(columns, (study_day(day), day), strict=True)),
        pl.when(imputed).then(pl.lit("D")).alias("TRTSDTF"),
        pl.when("DATED").then(pl.col("ENROLLED_DTF")).alias("ENRLDTF"),
        pl.when(pl.col("DEATH").is_not_null()).then(pl.lit("Y")).alias("DTHFL"),
        pl.when(pl.col("DEATH_IMPUTED")).then(pl.lit("D")).alias("DTHDTF"),
        pl.col("DEATH_SRC").alias("DTHSRC"),
        pl.when(left.is_not_null()).then(pl.lit("DISCONTINUED")).when(recorded).then(pl.lit("ONGOING")).alias("EOSSTT"),
        left.alias("DCSREAS"),
        pl.when(pl.col("FAILURE").is_not_null()).then(pl.lit("Y")).alias("PRFAILFL"),
    )
    if study.product.dose_range:
        frame = frame.join(dose_of(study, records).select("SUBJ", *DOSE_COLUMNS), on="SUBJ", how="left")
    baseline = derive_baseline(study, records)
    # a characteristic named as a column that stands already (SEX) takes its place; the class of a number (AGE) stands beside it
    return (
        frame.drop([name for name in baseline.columns if name in frame.columns and name != "SUBJ"])
        .join(baseline, on="SUBJ", how="left")
        .sort("SUBJ")
    )


def _ever(responds: int, calls: Calls, course: Course) -> pl.Series:
    """Whether a subject ever had a response after day 0, before any event of the disease and not after the death."""
    here = (calls.day > course.day0[calls.subject]) & (calls.day <= course.death[calls.subject])
    remission = np.isin(calls.status, statuses_of(responds)) & here & ((calls.flags & AFTER_RELAPSE) == 0)
    ever = np.zeros(len(course.day0), bool)
    ever[calls.subject[remission]] = True
    return pl.Series(ever)
