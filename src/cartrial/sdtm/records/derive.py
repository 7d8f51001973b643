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
from cartrial.sdtm.records.tables import (
    table_adverse,
    table_calls,
    table_deaths,
    table_doses,
    table_kinds,
    table_labs,
    table_lesions,
    table_survival,
    table_therapies,
    value_of,
)
from cartrial.sdtm.source import Source
from cartrial.sdtm.vocabulary.dates import earliest_day, latest_day
from cartrial.sdtm.vocabulary.terms import canonical

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["Records", "derive_records"]


@dataclass(frozen=True)
class Records:
    """Source records of one or many trials.

    Parameters
    ----------
    subjects : polars.DataFrame
        SUBJ, TRIAL (Int32), STUDYID, USUBJID, SITEID, AGE, SEX, COUNTRY, ARMCD, DATED (the source has calendar dates), and days (Int32):
        DAY0 (null: not infused), CONSENT, ENROLLED, LEUK, RELEASED, LDSTART, RFST, CUTOFF (`NO_CUTOFF` where it does not apply).
    calls, labs, lesions, doses, procedures, therapies, dispositions, survival, adverse, deaths : polars.DataFrame
        Records by SUBJ with DAY and DAYX, the earliest and the latest day they can mean (equal for full dates), and SEQ.
    extra : mapping of str to polars.DataFrame
        Every domain as read, with SUBJ; empty where only the integer tables exist. There ORRES, the call as collected, may be
        absent from `calls`, and STUDYID and USUBJID from `subjects`.

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

    Raises
    ------
    InputError
        If DM is missing, or a death has no date in any source.
    """
    keys = _subject_keys(source)
    tables = {name: _keyed(source, name, keys) for name in source.domains}
    exposure = _exposure(study, tables)
    origin = _origin(exposure, keys, tables)
    days = {name: _with_days(frame, name, origin) for name, frame in tables.items()}
    doses = table_doses(study, days)
    subjects = _subjects(study, keys, days, doses, origin)
    return Records(
        subjects=subjects,
        calls=table_calls(days),
        labs=table_labs(days),
        lesions=table_lesions(days),
        doses=doses,
        procedures=table_kinds(days, "PR", "PRTRT", "PRTRT"),
        therapies=table_therapies(days),
        dispositions=table_kinds(days, "DS", "DSDECOD", "DSDECOD"),
        survival=table_survival(days),
        adverse=table_adverse(days),
        deaths=table_deaths(days, subjects, source),
        extra=tables,
        provenance=study.study.provenance,
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


def _exposure(study: Study, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """First product record by subject: its date and its study day."""
    ex = tables.get("EX")
    if ex is None:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, "EXDAY": pl.Int32, "EXDY": pl.Float64})
    product = ex.filter(value_of(ex, "EXTRT").str.to_uppercase().str.strip_chars().is_in(list(study.product.exposure)))
    return (
        product.select(
            "SUBJ", earliest_day(value_of(product, "EXSTDTC")).alias("EXDAY"), value_of(product, "EXSTDY", pl.Float64).alias("EXDY")
        )
        .sort("SUBJ", "EXDAY", "EXDY", nulls_last=True)
        .group_by("SUBJ", maintain_order=True)
        .agg(pl.col("EXDAY").min(), pl.col("EXDY").sort_by("EXDAY", "EXDY", nulls_last=True).first())
    )


def _origin(exposure: pl.DataFrame, keys: pl.DataFrame, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """By subject: DAY0, what a study day counts from (BASE, with DY1 its number there), and whether there are dates."""
    dm = tables["DM"]
    reference = dm.select("SUBJ", earliest_day(value_of(dm, "RFSTDTC")).alias("RFST")).unique("SUBJ", keep="first", maintain_order=True)
    frame = (
        keys.select("SUBJ")
        .join(exposure.with_columns(pl.lit(True).alias("INFUSED")), on="SUBJ", how="left")
        .join(reference, on="SUBJ", how="left")
    )
    dated = pl.when(pl.col("INFUSED").is_null()).then(True).otherwise(pl.col("EXDAY").is_not_null())
    return frame.with_columns(dated.alias("DATED")).select(
        "SUBJ",
        "DATED",
        "RFST",
        pl.when(pl.col("INFUSED").is_null())
        .then(None)
        .when(pl.col("DATED"))
        .then(pl.col("EXDAY"))
        .otherwise(0)
        .cast(pl.Int32)
        .alias("DAY0"),
        # the study day of day 0: as EX says; 1 where RFSTDTC is day 0 (SDTM counts it as day 1); 0 where the source has study days only
        pl.when(pl.col("EXDY").is_not_null())
        .then(pl.col("EXDY"))
        .when(pl.col("DATED") & pl.col("RFST").is_not_null() & pl.col("EXDAY").is_not_null())
        .then(pl.col("EXDAY") - pl.col("RFST") + 1)
        .otherwise(0)
        .floor()
        .cast(pl.Int32)
        .alias("DYZERO"),
    )


_DATES = {"CM": "ST", "DS": "ST", "EX": "ST", "PR": "ST", "AE": "ST", "MH": "ST"}


def _with_days(frame: pl.DataFrame, name: str, origin: pl.DataFrame) -> pl.DataFrame:
    """Add DAY, DAYX and SEQ; ENDDAY where the domain has ends."""
    stem = name + _DATES.get(name, "")
    frame = frame.join(origin, on="SUBJ", how="left")
    columns = [value_of(frame, f"{name}SEQ", pl.Int64).alias("SEQ")]
    for dtc, dy, first, last in ((f"{stem}DTC", f"{stem}DY", "DAY", "DAYX"), (f"{name}ENDTC", f"{name}ENDY", "ENDDAY", "ENDDAYX")):
        date, studyday = value_of(frame, dtc), value_of(frame, dy, pl.Float64).floor().cast(pl.Int32)
        # SDTM counts no day 0 when the reference day is day 1: days before it are negative
        relative = studyday - pl.col("DYZERO") + pl.when((pl.col("DYZERO") >= 1) & (studyday < 0)).then(1).otherwise(0)
        counted = pl.when(pl.col("DATED")).then(pl.col("DAY0") + relative).otherwise(relative)
        columns.append(
            pl.when(pl.col("DATED")).then(pl.coalesce(earliest_day(date), counted)).otherwise(counted).cast(pl.Int32).alias(first)
        )
        columns.append(pl.when(pl.col("DATED")).then(pl.coalesce(latest_day(date), counted)).otherwise(counted).cast(pl.Int32).alias(last))
    return frame.with_columns(columns)


_EPOCH = dt.date(1970, 1, 1)


def _first_day(frame: pl.DataFrame | None, where: pl.Expr, name: str) -> pl.DataFrame:
    if frame is None:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, name: pl.Int32})
    return frame.filter(where & pl.col("DAY").is_not_null()).group_by("SUBJ").agg(pl.col("DAY").min().alias(name))


def _subjects(study: Study, keys: pl.DataFrame, days: dict[str, pl.DataFrame], doses: pl.DataFrame, origin: pl.DataFrame) -> pl.DataFrame:
    dm, ds, pr = days["DM"], days.get("DS"), days.get("PR")
    person = dm.select(
        "SUBJ",
        *(value_of(dm, name).alias(name) for name in ("SITEID", "SEX", "COUNTRY", "ARMCD")),
        value_of(dm, "AGE", pl.Float64).alias("AGE"),
        earliest_day(value_of(dm, "RFICDTC")).alias("RFIC"),
    ).unique("SUBJ", keep="first", maintain_order=True)
    code = pl.lit(None) if ds is None else canonical(value_of(ds, "DSDECOD"), "DSDECOD")
    term = pl.lit(None) if pr is None else canonical(value_of(pr, "PRTRT"), "PRTRT")
    milestones = (
        _first_day(ds, code == "INFORMED CONSENT OBTAINED", "DSCONSENT"),
        _first_day(ds, code == "ENROLLED", "ENROLLED"),
        _first_day(pr, term == "LEUKAPHERESIS", "LEUK"),
        _first_day(ds, code == "PRODUCT RELEASED", "RELEASED"),
    )
    frame = keys.join(person, on="SUBJ", how="left").join(origin.drop("DYZERO"), on="SUBJ", how="left")
    for milestone in milestones:
        frame = frame.join(milestone, on="SUBJ", how="left")
    lymphodepletion = (
        doses.filter(pl.col("KIND") == "LYMPHODEPLETION")
        .join(frame.select("SUBJ", "DAY0"), on="SUBJ")
        .filter(pl.col("DAY0").is_null() | (pl.col("DAY") <= pl.col("DAY0")))
        .group_by("SUBJ")
        .agg(pl.col("DAY").min().alias("LDSTART"))
    )
    cutoff = NO_CUTOFF if study.study.cutoff is None else (study.study.cutoff - _EPOCH).days
    return (
        frame.join(lymphodepletion, on="SUBJ", how="left")
        .with_columns(
            pl.coalesce("RFIC", "DSCONSENT").alias("CONSENT"),
            pl.when(pl.col("DATED")).then(cutoff).otherwise(NO_CUTOFF).cast(pl.Int32).alias("CUTOFF"),
        )
        .select(
            *("SUBJ", "TRIAL", "STUDYID", "USUBJID", "SITEID", "AGE", "SEX", "COUNTRY", "ARMCD", "DATED"),
            *("DAY0", "CONSENT", "ENROLLED", "LEUK", "RELEASED", "LDSTART", "RFST", "CUTOFF"),
        )
        .sort("SUBJ")
    )
