"""Is it known whose each call is, by which criteria, and which one counts?"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.vocabulary.response_criteria import of_another_disease

__all__ = ["READER_RULES"]

OVERALL = pl.col("CALL")


def _other_disease(context: Context) -> Iterator[pl.DataFrame]:
    family = context.study.disease.family
    calls = context.table("RS").filter((pl.col("RSTESTCD") == "OVRLRESP") & of_another_disease(pl.col("RSCAT"), family))
    message = pl.format(
        "'{}' ({}) is of another disease; the study's criteria, {}, are of {}, where the same words mean something else.",
        "RSCAT",
        "COUNT",
        pl.lit(context.study.disease.criteria.name),
        pl.lit(family.name),
    )
    yield found(grouped(calls, "RSCAT"), message, domain="RS", variable="RSCAT")


def _no_reader(context: Context) -> Iterator[pl.DataFrame]:
    blank = context.table("RS").filter(OVERALL & pl.col("RSEVAL").is_null())
    yield found(
        blank,
        "RSEVAL is blank, so whose call it is is not known; it is INVESTIGATOR or INDEPENDENT ASSESSOR.",
        domain="RS",
        variable="RSEVAL",
    )


def _no_test(context: Context) -> Iterator[pl.DataFrame]:
    blank = context.table("RS").filter(pl.col("RSTESTCD").is_null())
    yield found(blank, "RSTESTCD is blank; the record is not used. An overall call says OVRLRESP.", domain="RS", variable="RSTESTCD")


def _of_one_day(context: Context, *keys: str | pl.Expr) -> pl.DataFrame:
    """Return the overall calls of one subject, keys and day; a time of day makes no other date. CALLS: each."""
    whole = (pl.col("EARLY") == pl.col("LATE")) & pl.col("RSSTRESC").is_not_null()
    return (
        context.table("RS")
        .filter(OVERALL & whole)
        .sort("ROW")
        .group_by([*SUBJECT, *keys, "AXIS", "EARLY"], maintain_order=True)
        .agg(pl.col("RSSTRESC").alias("CALLS"), pl.col("TEXT").first(), pl.col("FILE").first(), pl.col("ROW").last())
    )


def _conflict(context: Context) -> Iterator[pl.DataFrame]:
    # the investigator is one reader, whatever his name
    name = pl.when(pl.col("RSEVAL") != "INVESTIGATOR").then(pl.col("RSEVALID")).alias("NAME")
    each = _of_one_day(context, "RSEVAL", name, "MODALITY").with_columns(pl.col("CALLS").list.unique(maintain_order=True))
    twice = each.filter(pl.col("RSEVAL").is_not_null() & (pl.col("CALLS").list.len() > 1))
    who = pl.concat_str([pl.col("RSEVAL"), pl.col("NAME")], separator=", ", ignore_nulls=True)
    message = pl.format(
        "One reader ({}) calls {} on one date, {}; a reader has one call a date.", who, pl.col("CALLS").list.join(" and "), "TEXT"
    )
    yield found(twice, message, domain="RS", variable="RSSTRESC")


def _accepted_twice(context: Context) -> Iterator[pl.DataFrame]:
    accepted = (pl.col("RSACPTFL") == "Y") & (pl.col("RSEVAL") == "INDEPENDENT ASSESSOR")
    twice = _of_one_day(context, accepted.alias("YES"), "MODALITY").filter(pl.col("YES") & (pl.col("CALLS").list.len() > 1))
    message = pl.format(
        "{} records of one date, {}, are accepted (RSACPTFL Y): {}; the committee has one call a date.",
        pl.col("CALLS").list.len(),
        "TEXT",
        pl.col("CALLS").list.join(" and "),
    )
    yield found(twice, message, domain="RS", variable="RSACPTFL")


READER_RULES = (
    CheckRule("criteria-other", "stop", "RS: RSCAT", "Overall calls are made by criteria of the study's disease.", _other_disease),
    CheckRule("reader-missing", "stop", "RS: RSEVAL", "A call says whose it is.", _no_reader),
    CheckRule("reader-conflict", "stop", "RS", "A reader has one call a date.", _conflict),
    CheckRule("accepted-twice", "stop", "RS: RSACPTFL", "One record a date is accepted as the committee's call.", _accepted_twice),
    CheckRule("test-missing", "warning", "RS: RSTESTCD", "A record of RS says what was assessed.", _no_test),
)
