"""How do signed reads become RS? One row a seat and sample, beside the rows of the sites as they came."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.response import assess_response
from cartrial.review.workflow import SEATS
from cartrial.sdtm import Source, write_sdtm
from cartrial.sdtm.records import derive_records
from cartrial.sdtm.records.codes import ADJUDICATOR, IRC, READER1, READER2
from cartrial.sdtm.vocabulary.terms import canonical, value_of
from cartrial.sdtm.write import SUFFIXES
from cartrial.study.criteria.codes import RESPONSES

if TYPE_CHECKING:
    from cartrial.review.loaded import Brought
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["Signed", "merge_reads", "write_source"]

_READER = {1: READER1, 2: READER2, 3: ADJUDICATOR}
EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Signed:
    """A signed read that goes out.

    Parameters
    ----------
    subject : str
        USUBJID.
    day : int
        Of the sample, from day 0.
    seat : int
        1 and 2 the readers, 3 the adjudicator.
    call : str
    case, version : int
        Where it stands in the workspace.
    accepted : bool
        Whether the committee took this call.
    """

    subject: str
    day: int
    seat: int
    call: str
    case: int
    version: int
    accepted: bool


def merge_reads(brought: Brought, reads: Sequence[Signed]) -> Source:
    """Return the source with the committee's reads in RS; calls of a committee that were there before are left out.

    Parameters
    ----------
    brought : Brought
        The source that was read, with its study.
    reads : sequence of Signed

    Raises
    ------
    InputError
        If what is read back is not what was signed.

    Notes
    -----
    RSACPTFL marks the calls that the committee took. Where a subject's records with and without it give another status, it is left out
    there: the rule of the committee says the same then from the readers' own calls.
    """
    kept, flagged = _site_rows(brought), _rows(brought, reads)
    source = _with_rs(brought, kept, flagged)
    records = derive_records(brought.study, source)
    _require_same(records, reads)
    plain = derive_records(brought.study, _with_rs(brought, kept, flagged.with_columns(pl.lit(None, dtype=pl.String).alias("RSACPTFL"))))
    other = _differ(brought.study, records, plain)
    if other:
        unmarked = pl.when(~pl.col("USUBJID").is_in(other)).then(pl.col("RSACPTFL"))
        source = _with_rs(brought, kept, flagged.with_columns(unmarked.alias("RSACPTFL")))
    return source


def _with_rs(brought: Brought, kept: pl.DataFrame, rows: pl.DataFrame) -> Source:
    joined = pl.concat([kept, rows], how="diagonal_relaxed").sort("USUBJID", "RSSEQ", maintain_order=True)
    source = brought.data.source
    rs = joined.with_columns(pl.int_range(2, joined.height + 2, dtype=pl.Int64).alias("ROW"))
    return Source(
        {**source.domains, "RS": rs}, source.files, level=source.level, asked=source.asked, blank=source.blank, terms=source.terms
    )


def _site_rows(brought: Brought) -> pl.DataFrame:
    rs = brought.data.source.domains.get("RS")
    if rs is None:
        return pl.DataFrame(schema={"STUDYID": pl.String, "USUBJID": pl.String, "RSSEQ": pl.Int64})
    evaluator = canonical(value_of(rs, "RSEVAL"), "RSEVAL")
    return rs.filter(~evaluator.is_in(["INDEPENDENT ASSESSOR", "ADJUDICATOR"]).fill_null(False))


def _rows(brought: Brought, reads: Sequence[Signed]) -> pl.DataFrame:
    criteria = brought.study.disease.marrow
    subjects = brought.records.subjects.select("STUDYID", "USUBJID", "DAY0", "DATED").join(_day_zero(brought), on="USUBJID", how="left")
    frame = pl.DataFrame(
        {
            "USUBJID": [read.subject for read in reads],
            "AT": [read.day for read in reads],
            "SEAT": [read.seat for read in reads],
            "RSSTRESC": [read.call for read in reads],
            "RSSPID": [f"c{read.case}.{read.version}" for read in reads],
            "RSLNKGRP": [f"c{read.case}" for read in reads],
            "RSACPTFL": ["Y" if read.accepted else None for read in reads],
        },
        schema_overrides={"AT": pl.Int32, "RSACPTFL": pl.String},
    ).join(subjects, on="USUBJID", how="left")
    last = brought.data.source.table("RS", ["USUBJID", "RSSEQ"]).group_by("USUBJID").agg(pl.col("RSSEQ").max().alias("LAST"))
    frame = frame.join(last, on="USUBJID", how="left").sort("USUBJID", "AT", "SEAT")
    # study days of a calendar without day 0 leave 0 out
    zero = pl.col("ZERO")
    through = pl.col("AT") + zero - pl.when(zero > 0).then(1).otherwise(0)
    counted = pl.when(zero == 0).then(pl.col("AT")).otherwise(through + pl.when(through >= 0).then(1).otherwise(0))
    date = (pl.lit(EPOCH) + pl.duration(days=pl.col("DAY0") + pl.col("AT"))).cast(pl.Date).dt.to_string("%Y-%m-%d")
    return frame.select(
        *("STUDYID", pl.lit("RS").alias("DOMAIN"), "USUBJID"),
        (pl.col("LAST").fill_null(0) + 1 + pl.int_range(pl.len()).over("USUBJID")).cast(pl.Int64).alias("RSSEQ"),
        *("RSSPID", "RSLNKGRP", pl.lit("OVRLRESP").alias("RSTESTCD"), pl.lit("Overall Response").alias("RSTEST")),
        pl.lit(criteria[0].name.upper() if criteria else "").alias("RSCAT"),
        pl.col("RSSTRESC").alias("RSORRES"),
        *("RSSTRESC", pl.lit("INDEPENDENT ASSESSOR").alias("RSEVAL")),
        pl.col("SEAT").replace_strict(SEATS, return_dtype=pl.String).alias("RSEVALID"),
        "RSACPTFL",
        pl.when("DATED").then(date).alias("RSDTC"),
        pl.when(~pl.col("DATED")).then(counted).cast(pl.Float64).alias("RSDY"),
    )


def _day_zero(brought: Brought) -> pl.DataFrame:
    """Return the study day of the infusion by subject, 0 where none is said: it tells whether the calendar has a day 0."""
    ex = brought.data.source.table("EX", ["USUBJID", "EXTRT", "EXSTDY"])
    product = ex.filter(pl.col("EXTRT").str.to_uppercase().str.strip_chars().is_in(list(brought.study.product.exposure)))
    zero = pl.col("EXSTDY").drop_nulls().min().fill_null(0).cast(pl.Int32).alias("ZERO")
    found = product.group_by("USUBJID").agg(zero)
    return brought.records.subjects.select("USUBJID").join(found, on="USUBJID", how="left").with_columns(pl.col("ZERO").fill_null(0))


def _require_same(records: Records, reads: Sequence[Signed]) -> None:
    """Refuse to write what would not be read as it was signed."""
    who = records.subjects.select("SUBJ", "USUBJID", "DAY0")
    read = records.calls.filter(pl.col("READER").is_in([READER1, READER2, ADJUDICATOR])).join(who, on="SUBJ")
    there = {(row["USUBJID"], row["DAY"] - row["DAY0"], row["READER"], RESPONSES[row["RESP"]]) for row in read.iter_rows(named=True)}
    wanted = {(read.subject, read.day, _READER[read.seat], read.call) for read in reads}
    if there != wanted:
        subject, day, _, call = min(there ^ wanted)
        what = f"the read {call} of {subject} on day {day} would not be read back as it was signed"
        raise InputError(what, key="RS", right="Nothing was written; please report it")


def _differ(study: Study, one: Records, other: Records) -> list[str]:
    """Return the subjects of whom two sets of records have another committee."""
    found = []
    for records in (one, other):
        calls = assess_response(study, records)[IRC]
        # what stands after the committee's own event, or waits, is no call of it
        usable = calls.status > 0
        found.append(
            {(int(s), int(d), int(r)) for s, d, r in zip(calls.subject[usable], calls.day[usable], calls.status[usable], strict=True)}
        )
    names = dict(one.subjects.select("SUBJ", "USUBJID").iter_rows())
    return sorted({names[subject] for subject, _, _ in found[0] ^ found[1]})


def write_source(brought: Brought, merged: Source, data: Path, out: Path) -> None:
    """Write a merged source: files as they came, and RS anew in the form that it had.

    Parameters
    ----------
    brought : Brought
    merged : Source
        Of `merge_reads`.
    data : Path
        Folder that the source was read from.
    out : Path
        A folder that is there.
    """
    files = brought.data.source.files
    about = data / "about.yaml"
    if about.is_file():
        shutil.copyfile(about, out / about.name)
    if any(file.form not in SUFFIXES for file in files):
        # of a spreadsheet there is no file a domain
        write_sdtm(merged, out)
        return
    for file in files:
        if file.domain != "RS":
            shutil.copyfile(data / file.name, out / file.name)
    form = next((file.form for file in files if file.domain == "RS"), "csv")
    write_sdtm(Source({"RS": merged.domains["RS"]}), out, form)
