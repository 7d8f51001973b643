"""Which integer-keyed tables do the rules read? SDTM domains with subjects, days and kinds as columns.

STUDYID and USUBJID stand in the table of subjects alone; every other table is keyed by SUBJ and sorted by SUBJ, DAY, SEQ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.records.codes import NO_CUTOFF
from cartrial.sdtm.records.days import DAY_ZERO, derive_origin, with_days
from cartrial.sdtm.records.deaths import table_deaths
from cartrial.sdtm.records.lesions import table_lesions
from cartrial.sdtm.records.recorded import Recorded, recorded_of
from cartrial.sdtm.records.tables import (
    table_adverse,
    table_calls,
    table_doses,
    table_kinds,
    table_labs,
    table_survival,
    table_therapies,
)
from cartrial.sdtm.records.tumours import table_imaging
from cartrial.sdtm.source import Source, require_study_days
from cartrial.sdtm.vocabulary.dates import choose_date, earliest_day, latest_day
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import canonical, value_of
from cartrial.sdtm.vocabulary.units import age_factor

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["Records", "derive_records"]


@dataclass(frozen=True)
class Records:
    """Source records of one or many trials.

    Parameters
    ----------
    subjects : polars.DataFrame
        SUBJ, TRIAL (Int32), STUDYID, USUBJID, SITEID, AGE (years), SEX, COUNTRY, ARMCD, DATED (the source has calendar dates), and days
        (Int32): DAY0 (null: not infused), CONSENT, ENROLLED, LEUK, RELEASED, LDSTART, RFST, CUTOFF (`NO_CUTOFF` where it does not
        apply). Where there is DAY0IMPUTED (Boolean), whether the day of the infusion is not known and DAY0 stands for it.
    calls, labs, lesions, doses, procedures, therapies, dispositions, survival, adverse, deaths : polars.DataFrame
        Records by SUBJ with DAY and DAYX, the earliest and the latest day they can mean (equal for full dates), and SEQ.
    extra : mapping of str to polars.DataFrame
        Every domain as read, with SUBJ, and DAY, DAYX, SEQ; what did not happen is among its records. Empty where only the integer
        tables exist. There ORRES, the call as collected, may be absent from `calls`, and STUDYID and USUBJID from `subjects`.
    alternatives : mapping of str to Records
        By variant (`day-0=earliest`, `day-0=latest`) the same records with day 0 there, where the day of an infusion is imputed.
    recorded : Recorded
        What the source has at all; everything, unless said.
    every_call : polars.DataFrame, optional
        `calls` with those whose day is not known; None where only the integer tables exist.
    imaging : mapping of str to polars.DataFrame
        Measurements of lesions, uptake and the marrow (`cartrial.sdtm.records.tumours.IMAGING`), where the study's criteria read them.

    Notes
    -----
    Days are days since 1970-01-01; for a subject whose source has study days only they are days from day 0.
    """

    subjects: pl.DataFrame
    calls: pl.DataFrame
    labs: pl.DataFrame
    lesions: pl.DataFrame
    doses: pl.DataFrame
    procedures: pl.DataFrame
    therapies: pl.DataFrame
    dispositions: pl.DataFrame
    survival: pl.DataFrame
    adverse: pl.DataFrame
    deaths: pl.DataFrame
    extra: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    provenance: str = "real"
    alternatives: Mapping[str, Records] = field(default_factory=dict)
    recorded: Recorded = field(default_factory=Recorded)
    imaging: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    every_call: pl.DataFrame | None = None

    def replace(self, **changes: pl.DataFrame) -> Records:
        """Return the records with some tables exchanged."""
        return replace(self, **changes)  # type: ignore[arg-type]


def derive_records(study: Study, source: Source) -> Records:
    """Turn SDTM domains into integer-keyed tables.

    Parameters
    ----------
    study : Study
        Names the product, the lymphodepletion and the cutoff.
    source : Source
        SDTM domains.

    Returns
    -------
    Records
        With `alternatives` where the day of an infusion is imputed (`partial-day-0` of the study file).

    Raises
    ------
    InputError
        If DM is missing, the day of an infusion is not known, a study day is impossible, or a death has no date in any source.
    """
    require_study_days(source)
    records = _derived(study, source, DAY_ZERO[0])
    if not records.subjects["DAY0IMPUTED"].any():
        return records
    return replace(records, alternatives={f"day-0={end}": _derived(study, source, end) for end in DAY_ZERO[1:]})


def _derived(study: Study, source: Source, day_zero: str) -> Records:
    keys = _subject_keys(source)
    tables = {name: _keyed(source, name, keys) for name in source.domains}
    origin = derive_origin(study, tables, keys, day_zero, source.file_of("EX"))
    asked = {name: with_days(frame, name, origin) for name, frame in tables.items()}
    # what was asked for and denied, not done or given as nothing is no event; a laboratory test not done says why
    days = {name: frame if name == "LB" else frame.filter(happened(frame, name)) for name, frame in asked.items()}
    doses = table_doses(study, days)
    subjects = _subjects(study, keys, days, doses, origin)
    every_call, labs = table_calls(study, days, dated=False), table_labs(days)
    calls = every_call.filter(pl.col("DAY").is_not_null())
    asked_of = {"every_site": study.disease.biopsy == "every-site", "third": study.disease.mass == "third"}
    lesions = table_lesions(days, subjects, **asked_of)
    imaging = table_imaging(days) if study.disease.imaging else {}
    return Records(
        subjects=subjects,
        calls=calls,
        labs=labs,
        lesions=lesions,
        doses=doses,
        procedures=table_kinds(days, "PR", "PRTRT", "PRTRT"),
        therapies=table_therapies(days),
        dispositions=table_kinds(days, "DS", "DSDECOD", "DSDECOD"),
        survival=table_survival(days),
        adverse=table_adverse(days),
        deaths=table_deaths(days, subjects, source),
        extra=asked,
        every_call=every_call,
        provenance=study.study.provenance,
        recorded=recorded_of(study, source, subjects, calls, labs.filter("TAKEN"), lesions, imaging),
        imaging=imaging,
    )


def _subject_keys(source: Source) -> pl.DataFrame:
    dm = source.domains.get("DM")
    if dm is None or dm.is_empty():
        raise InputError("there is no DM domain", right="Every study needs dm with STUDYID and USUBJID")
    keys = dm.select("STUDYID", "USUBJID").unique().sort("STUDYID", "USUBJID")
    return keys.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("SUBJ"),
        (pl.col("STUDYID").rank("dense") - 1).cast(pl.Int32).alias("TRIAL"),
    )


def _keyed(source: Source, name: str, keys: pl.DataFrame) -> pl.DataFrame:
    frame = source.domains[name]
    if not {"STUDYID", "USUBJID"} <= set(frame.columns):
        return frame.with_columns(pl.lit(None, dtype=pl.Int32).alias("SUBJ")).filter(pl.col("SUBJ").is_not_null())
    return frame.join(keys.select("STUDYID", "USUBJID", "SUBJ"), on=["STUDYID", "USUBJID"], how="inner")


_EPOCH = dt.date(1970, 1, 1)


def _first_day(frame: pl.DataFrame | None, where: pl.Expr, name: str) -> pl.DataFrame:
    """First day of a milestone, the earliest that it can be; of a partial and a whole date of one milestone the whole one (rules, A17)."""
    if frame is None:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, name: pl.Int32})
    dated = frame.filter(where & pl.col("DAY").is_not_null())
    return choose_date(dated, ["SUBJ"], ["DAY"], ("DAY", "DAYX")).select("SUBJ", pl.col("DAY").alias(name))


def _consent(dm: pl.DataFrame, ds: pl.DataFrame | None) -> pl.DataFrame:
    """Day of consent by DM, else DS; of a partial and a whole date of one consent the whole one."""
    date = value_of(dm, "RFICDTC")
    days = [dm.select("SUBJ", earliest_day(date).alias("DAY"), latest_day(date).alias("DAYX"), pl.lit(0).alias("RANK"))]
    if ds is not None:
        consent = ds.filter(canonical(value_of(ds, "DSDECOD"), "DSDECOD") == "INFORMED CONSENT OBTAINED")
        days.append(consent.select("SUBJ", "DAY", "DAYX", pl.lit(1).alias("RANK")))
    dated = pl.concat(days).filter(pl.col("DAY").is_not_null())
    return choose_date(dated, ["SUBJ"], ["RANK", "DAY"], ("DAY", "DAYX")).select("SUBJ", pl.col("DAY").alias("CONSENT"))


def _subjects(study: Study, keys: pl.DataFrame, days: dict[str, pl.DataFrame], doses: pl.DataFrame, origin: pl.DataFrame) -> pl.DataFrame:
    dm, ds, pr = days["DM"], days.get("DS"), days.get("PR")
    person = dm.select(
        "SUBJ",
        *(value_of(dm, name).alias(name) for name in ("SITEID", "SEX", "COUNTRY", "ARMCD")),
        (value_of(dm, "AGE", pl.Float64) / age_factor(value_of(dm, "AGEU"))).alias("AGE"),
    ).unique("SUBJ", keep="first", maintain_order=True)
    code = pl.lit(None) if ds is None else canonical(value_of(ds, "DSDECOD"), "DSDECOD")
    term = pl.lit(None) if pr is None else canonical(value_of(pr, "PRTRT"), "PRTRT")
    milestones = (
        _consent(dm, ds),
        _first_day(ds, code == "ENROLLED", "ENROLLED"),
        _first_day(pr, term == "LEUKAPHERESIS", "LEUK"),
        _first_day(ds, code == "PRODUCT RELEASED", "RELEASED"),
    )
    frame = keys.join(person, on="SUBJ", how="left").join(origin.drop("DYZERO"), on="SUBJ", how="left")
    for milestone in milestones:
        frame = frame.join(milestone, on="SUBJ", how="left")
    before = doses.join(frame.select("SUBJ", "DAY0"), on="SUBJ").filter(pl.col("DAY0").is_null() | (pl.col("DAY") <= pl.col("DAY0")))
    lymphodepletion = _first_day(before, pl.col("KIND") == "LYMPHODEPLETION", "LDSTART")
    cutoff = NO_CUTOFF if study.study.cutoff is None else (study.study.cutoff - _EPOCH).days
    return (
        frame.join(lymphodepletion, on="SUBJ", how="left")
        .with_columns(
            (pl.col("DAY0EARLY") < pl.col("DAY0LATE")).fill_null(False).alias("DAY0IMPUTED"),
            pl.when(pl.col("DATED")).then(cutoff).otherwise(NO_CUTOFF).cast(pl.Int32).alias("CUTOFF"),
        )
        .select(
            *("SUBJ", "TRIAL", "STUDYID", "USUBJID", "SITEID", "AGE", "SEX", "COUNTRY", "ARMCD", "DATED"),
            *("DAY0", "CONSENT", "ENROLLED", "LEUK", "RELEASED", "LDSTART", "RFST", "CUTOFF", "DAY0IMPUTED"),
        )
        .sort("SUBJ")
    )
