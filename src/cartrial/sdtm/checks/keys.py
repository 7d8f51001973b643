"""Are the records keyed? Subjects once, sequences once, every subject in DM, one study."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.source import VIRTUAL_PREFIX
from cartrial.sdtm.vocabulary.schema import DOMAINS

__all__ = ["KEY_RULES"]


def _subject_twice(context: Context) -> Iterator[pl.DataFrame]:
    dm = context.table("DM")
    twice = dm.filter(pl.struct(SUBJECT).is_duplicated() & ~pl.struct(SUBJECT).is_first_distinct())
    yield found(twice, pl.format("The subject {} is in DM twice; a subject has one row.", "USUBJID"), domain="DM", variable="USUBJID")


def _sequence_twice(context: Context) -> Iterator[pl.DataFrame]:
    for name in context.keyed:
        seq = f"{name}SEQ"
        if name == "DM" or seq not in context.source.domains[name].columns:
            continue
        key = pl.struct(*SUBJECT, seq)
        frame = context.table(name).filter(pl.col(seq).is_not_null())
        twice = frame.filter(~key.is_first_distinct())
        yield found(
            twice,
            pl.format(f"{seq} {{}} is there twice for this subject; each record of a subject has its own.", seq),
            domain=name,
            variable=seq,
        )


def _record_twice(context: Context) -> Iterator[pl.DataFrame]:
    for name in context.keyed:
        frame = context.source.domains[name]
        if name == "DM" or name not in DOMAINS:
            continue
        same = [column for column in frame.columns if column not in (f"{name}SEQ", "ROW")]
        twice = (
            frame.filter(~pl.struct(same).is_first_distinct())
            .select("USUBJID", "ROW")
            .with_columns(pl.lit(context.source.file_of(name), dtype=pl.String).alias("FILE"))
        )
        yield found(twice, f"The record is the same as an earlier one in all but {name}SEQ; both are kept.", domain=name, variable=None)


def _orphans(context: Context, of_schema: bool) -> Iterator[pl.DataFrame]:
    known = context.table("DM").select(SUBJECT)
    for name in context.keyed:
        if name == "DM" or (name in DOMAINS) is not of_schema:
            continue
        lost = context.table(name).join(known, on=SUBJECT, how="anti").unique(list(SUBJECT), keep="first", maintain_order=True)
        yield found(
            lost,
            pl.format("The subject {} (study {}) is not in DM; every subject has a row there.", "USUBJID", "STUDYID"),
            domain=name,
            variable="USUBJID",
        )


def _orphan(context: Context) -> Iterator[pl.DataFrame]:
    yield from _orphans(context, of_schema=True)


def _orphan_elsewhere(context: Context) -> Iterator[pl.DataFrame]:
    yield from _orphans(context, of_schema=False)


def _alone(context: Context) -> Iterator[pl.DataFrame]:
    others = [context.source.domains[name].select(SUBJECT) for name in context.keyed if name != "DM"]
    alone = context.table("DM")
    if others:
        alone = alone.join(pl.concat(others).unique(), on=SUBJECT, how="anti")
    yield found(alone, "The subject is in DM and in no other domain.", domain="DM", variable="USUBJID")


def _other_study(context: Context) -> Iterator[pl.DataFrame]:
    identity = context.study.study
    names = [name.upper() for name in (identity.id, identity.registry) if name]
    other = context.table("DM").filter(~pl.col("STUDYID").str.to_uppercase().str.strip_prefix(VIRTUAL_PREFIX).is_in(names))
    said = "STUDYID is '{}' ({}) and the study file is '{}'; the data may be of another study."
    message = pl.format(said, "STUDYID", "COUNT", pl.lit(identity.id))
    yield found(grouped(other, "STUDYID"), message, domain="DM", variable="STUDYID")


def _several_studies(context: Context) -> Iterator[pl.DataFrame]:
    names = grouped(context.table("DM"), "STUDYID")
    if names.height > 1:
        message = pl.format(
            "DM holds several studies, '{}' ({}) among them; a report is of one study. Give each its own folder.", "STUDYID", "COUNT"
        )
        yield found(names, message, domain="DM", variable="STUDYID")


def _same_but_case(context: Context) -> Iterator[pl.DataFrame]:
    subjects = context.table("DM").with_columns(pl.col("USUBJID").str.to_uppercase().alias("UPPER"))
    alike = subjects.filter(pl.struct("STUDYID", "UPPER").is_duplicated() & ~pl.struct("STUDYID", "USUBJID").is_duplicated())
    message = "The subject's identifier differs from another's in upper and lower case alone; they are read as two subjects."
    yield found(alike, message, domain="DM", variable="USUBJID")


KEY_RULES = (
    CheckRule("subject-duplicate", "stop", "DM", "A subject has one row in DM.", _subject_twice),
    CheckRule("sequence-duplicate", "stop", "all domains: --SEQ", "A sequence number stands once within a subject.", _sequence_twice),
    CheckRule("subject-orphan", "stop", "all domains of the schema", "Every subject is in DM.", _orphan),
    CheckRule(
        "subject-orphan-other", "warning", "other domains", "Every subject of a domain that no rule reads is in DM.", _orphan_elsewhere
    ),
    CheckRule(
        "record-duplicate",
        "warning",
        "all domains of the schema",
        "No record repeats another in all but its sequence number.",
        _record_twice,
    ),
    CheckRule("study-several", "stop", "DM: STUDYID", "The data are of one study.", _several_studies),
    CheckRule("subject-case", "warning", "DM: USUBJID", "Two subjects' identifiers differ in more than case.", _same_but_case),
    CheckRule("study-mismatch", "warning", "DM: STUDYID", "The data's STUDYID is the study file's id or registry number.", _other_study),
    CheckRule("subject-alone", "note", "DM", "A subject in DM has records elsewhere.", _alone),
)
