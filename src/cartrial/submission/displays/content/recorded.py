"""Which listings hold records of the source? Deviations (16.2.2), exposure, medication and cells (16.2.5), laboratory (16.2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.tables.safety.laboratory import dated_results, with_low
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.specimens import CELLS_IN, is_read
from cartrial.sdtm.vocabulary.terms import value_of
from cartrial.submission.displays.content.found import Plan

if TYPE_CHECKING:
    from cartrial.report.study.data import ReportData
    from cartrial.sdtm.records import Records

__all__ = [
    *("DEVIATIONS", "EXPOSURE", "LABORATORY", "MEDICATION", "RECORDED", "SAMPLES"),
    *("deviations", "exposure", "laboratory", "medication", "samples"),
]

_WHO, _START, _DAY = ("Subject", "USUBJID"), ("Start", "STARTDTC"), ("Day", "CARDAY")
_SOURCE = ("Source", "SRC")
_NOTE = "Day: days from the infusion, which is day 0; blank where the date is partial. Dates are as they were collected."
DEVIATIONS = Plan("deviations-listed", "16.2.2", "Protocol deviations", "infused", "DV")
EXPOSURE = Plan("exposure-listed", "16.2.5.1", "Lymphodepletion and infusions", "infused", "EX")
MEDICATION = Plan("medication-listed", "16.2.5.2", "Bridging, subsequent and other medication", "infused", "CM")
SAMPLES = Plan("samples-listed", "16.2.5.3", "Samples of the product's cells", "infused", "LB")
LABORATORY = Plan("laboratory-listed", "16.2.8", "Blood counts and B cells below their limit, and the last of each", "infused", "LB")
RECORDED = {
    DEVIATIONS: (
        (_WHO, ("Category", "DVCAT"), ("Deviation", "DVDECOD"), ("As written", "DVTERM"), _START, _DAY, _SOURCE),
        (_NOTE,),
    ),
    EXPOSURE: (
        (_WHO, ("Treatment", "EXTRT"), ("Dose", "EXDOSE"), ("Unit", "EXDOSU"), _START, ("End", "ENDDTC"), _DAY, _SOURCE),
        (_NOTE,),
    ),
    MEDICATION: (
        (
            *(_WHO, ("Category", "CMCAT"), ("Medication", "CMTRT"), ("Given for", "CMINDC"), ("Dose", "CMDOSE"), ("Unit", "CMDOSU")),
            *(_START, ("End", "ENDDTC"), _DAY, _SOURCE),
        ),
        (_NOTE,),
    ),
    SAMPLES: (
        (
            *(_WHO, ("Test", "LBTESTCD"), ("Specimen", "LBSPEC"), ("Result", "RESULT"), ("Unit", "LBSTRESU"), ("Limit", "LBLLOQ")),
            *(("Date", "STARTDTC"), _DAY, _SOURCE),
        ),
        (_NOTE,),
    ),
    LABORATORY: (
        (_WHO, ("Test", "TEST"), ("Value", "VALUE"), ("Below", "SAID"), ("Day", "CARDAY"), ("Last", "LAST"), _SOURCE),
        (
            "Dated results after the infusion and by the cutoff, the lowest of a date: those below the limit of the study file (Below: Y), "
            "and the last of each test (Last: Y). A value that is not a number is blank; Below is blank where it may be either.",
        ),
    ),
}
"""Columns (heading, variable) and notes of each listing."""


def _of(data: ReportData, domain: str) -> pl.DataFrame | None:
    """Return what happened of a domain, of the infused, by the cutoff, with USUBJID, STARTDTC, CARDAY and SRC; None where it is absent."""
    records = data.records
    frame = None if records is None else records.extra.get(domain)
    if records is None or frame is None or "DAY" not in frame.columns:
        return None
    who = records.subjects.select("SUBJ", "DAY0", "CUTOFF").join(data.infused.select("SUBJ", NAME="USUBJID"), on="SUBJ", how="inner")
    rows = frame.filter(happened(frame, domain)).join(who, on="SUBJ", how="inner")
    rows = rows.filter(~(pl.col("DAY") > pl.col("CUTOFF")).fill_null(False))
    start = next((name for name in (f"{domain}STDTC", f"{domain}DTC") if name in rows.columns), "")
    day = pl.when(pl.col("DAY") == pl.col("DAYX")).then(pl.col("DAY") - pl.col("DAY0")).cast(pl.Int32)
    number = pl.concat_str(pl.lit(domain), pl.col("SEQ").cast(pl.String), separator=" ", ignore_nulls=True)
    return rows.with_columns(
        pl.col("NAME").alias("USUBJID"),
        value_of(rows, start).alias("STARTDTC"),
        value_of(rows, f"{domain}ENDTC").alias("ENDDTC"),
        day.alias("CARDAY"),
        number.alias("SRC"),
    ).sort("USUBJID", "DAY", "SEQ", nulls_last=True)


def _none(frame: pl.DataFrame | None) -> pl.DataFrame:
    return pl.DataFrame() if frame is None else frame


def deviations(data: ReportData) -> pl.DataFrame:
    """Return the recorded deviations."""
    return _none(_of(data, "DV"))


def exposure(data: ReportData) -> pl.DataFrame:
    """Return what was given as exposure: lymphodepletion and the product."""
    return _none(_of(data, "EX"))


def medication(data: ReportData) -> pl.DataFrame:
    """Return the medication."""
    return _none(_of(data, "CM"))


def samples(data: ReportData) -> pl.DataFrame:
    """Return the samples of the tests of kinetics."""
    frame = _of(data, "LB")
    if frame is None or "LBTESTCD" not in frame.columns:
        return pl.DataFrame()
    kept = frame.filter(pl.col("LBTESTCD").cast(pl.String).is_in(list(data.study.kinetics.tests)))
    return kept.with_columns(pl.coalesce(value_of(kept, "LBSTRESC"), value_of(kept, "LBORRES")).alias("RESULT"))


def laboratory(data: ReportData) -> pl.DataFrame:
    """Return the counts and B cells that are below their limit, and the last of each test."""
    return pl.DataFrame() if data.records is None else _below(data, data.records)


def _below(data: ReportData, records: Records) -> pl.DataFrame:
    low, none = data.study.safety.cytopenia, data.study.safety.aplasia
    labs = dated_results(data.study, records).filter(pl.col("CARDAY") > 0)
    parts = []
    for test, limit in (("NEUT", low.neutrophils_below), ("PLAT", low.platelets_below), (none.testcd, none.below)):
        specimen = is_read(()) if test != none.testcd else pl.col("SPEC").is_in(CELLS_IN).fill_null(True)
        known = with_low(labs.filter((pl.col("TEST") == test) & specimen), limit)
        last = pl.col("CARDAY") == pl.col("CARDAY").max().over("SUBJ")
        kept = known.with_columns(last.alias("IS_LAST")).filter(pl.col("BELOW").fill_null(False) | pl.col("IS_LAST"))
        parts.append(
            kept.select(
                *("SUBJ", "TEST", "VALUE", "CARDAY"),
                pl.when("BELOW").then(pl.lit("Y")).when(~pl.col("BELOW")).then(pl.lit("N")).alias("SAID"),
                pl.when("IS_LAST").then(pl.lit("Y")).alias("LAST"),
                pl.concat_str(pl.lit("LB"), pl.col("SEQ").cast(pl.String), separator=" ", ignore_nulls=True).alias("SRC"),
            )
        )
    named = data.infused.select("SUBJ", "USUBJID")
    return pl.concat(parts).join(named, on="SUBJ", how="inner").sort("USUBJID", "TEST", "CARDAY")
