"""How closely was the protocol kept? Deviations as recorded, and assessments that a visit should have had and has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.safety.shares import not_recorded
from cartrial.analysis.wording import PROPORTION
from cartrial.coded import CODED
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import normalised, value_of
from cartrial.study.criteria.codes import words_of

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["LEFT", "deviation_rows", "missed_rows"]

_SHARE = {"n": "", "N": "", "rate": PROPORTION}
LEFT = ("WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP")
"""Dispositions after which no assessment is expected."""


def deviation_rows(adsl: pl.DataFrame, records: Records | None = None) -> list[pl.DataFrame]:
    """Rows on protocol deviations.

    Parameters
    ----------
    adsl : polars.DataFrame
        TRIAL, SUBJ, INFFL.
    records : Records, optional
        DV in `extra`; without it no row is made.

    Returns
    -------
    list of polars.DataFrame
        `endpoint` DEVIATION: n (infused subjects with one or more on or before the cutoff, undated ones too), N, rate, records; `by`
        category (DVCAT) and `by` kind (DVDECOD, else DVTERM), `level` its word in small letters: the same. `population` not infused: their
        records. One row without a value where no deviation was recorded: none is no proof that there was none.
    """
    if records is None:
        return []
    people = adsl.select("TRIAL", "SUBJ", (pl.col("INFFL").cast(pl.String) == "Y").fill_null(False).alias("INFUSED"))
    totals = people.group_by(trial="TRIAL").agg(pl.col("INFUSED").sum().cast(pl.Int64).alias("N"))
    labels = {"analysis": "conduct", "endpoint": "DEVIATION"}
    found = _deviations(records).join(people, on="SUBJ", how="inner")
    none = totals.join(found.select(trial="TRIAL"), on="trial", how="anti").select("trial", n=pl.lit(None, dtype=pl.Int64)).sort("trial")
    frames = [not_recorded(build_rows(none, ("n",), population="infused", **labels))]
    told = totals.join(found.select(trial="TRIAL"), on="trial", how="semi")
    inside = found.filter("INFUSED").rename({"TRIAL": "trial"})
    counts = pl.col("SUBJ").n_unique().cast(pl.Int64).alias("n"), pl.len().cast(pl.Int64).alias("records")

    def shares(frame: pl.DataFrame, by: str = "") -> pl.DataFrame:
        return build_rows(
            frame.with_columns(rate=pl.col("n") / pl.col("N")), {**_SHARE, "records": ""}, population="infused", by=by, **labels
        )

    whole = told.join(inside.group_by("trial").agg(*counts), on="trial", how="left").with_columns(pl.col("n", "records").fill_null(0))
    frames.append(shares(whole.sort("trial")))
    for by, column in (("category", "CATEGORY"), ("kind", "KIND")):
        parts = inside.filter(pl.col(column).is_not_null()).group_by("trial", level=column).agg(*counts)
        frames.append(shares(parts.join(told, on="trial").sort("trial", -pl.col("n"), "level"), by))
    outside = found.filter(~pl.col("INFUSED")).group_by(trial="TRIAL").agg(pl.len().cast(pl.Int64).alias("records")).sort("trial")
    frames.append(build_rows(outside, ("records",), population="not infused", **labels))
    return frames


def _deviations(records: Records) -> pl.DataFrame:
    """Return SUBJ, CATEGORY and KIND of each deviation up to the cutoff."""
    dv = records.extra.get("DV")
    if dv is None or "DAY" not in dv.columns:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, "CATEGORY": pl.String, "KIND": pl.String})
    rows = dv.filter(happened(dv, "DV")).join(records.subjects.select("SUBJ", "CUTOFF"), on="SUBJ")
    rows = rows.filter(~(pl.col("DAY") > pl.col("CUTOFF")).fill_null(False))
    kind = pl.coalesce(_word(rows, "DVDECOD"), _word(rows, "DVTERM"))
    return rows.select(pl.col("SUBJ").cast(pl.Int32), _word(rows, "DVCAT").alias("CATEGORY"), kind.alias("KIND"))


def _word(frame: pl.DataFrame, name: str) -> pl.Expr:
    text = normalised(value_of(frame, name))
    return pl.when(text != "").then(text.str.to_lowercase())


def missed_rows(study: Study, adresp: pl.DataFrame, adsl: pl.DataFrame, records: Records | None = None) -> list[pl.DataFrame]:
    """Rows on the assessments that visits should have had, by the primary reader.

    Parameters
    ----------
    study : Study
        Visits with their windows; the primary reader.
    adresp : polars.DataFrame
        TRIAL, SUBJ, READER, CARDAY, AVALC, ADEQUATE.
    adsl : polars.DataFrame
        TRIAL, SUBJ, INFFL, DTHDAY, NEWDAY, CUTDAY, LSTALDAY.
    records : Records, optional
        `dispositions` (withdrawal, loss), and what the source has; without them no row is made.

    Returns
    -------
    list of polars.DataFrame
        `endpoint` VISIT, `by` visit, `level` its name: n (missed: no assessment by the reader in the window), N (expected), rate, adequate
        and not_evaluable (of N). Expected are the infused with an assessment in the window, and those whose window closed on or before
        the cutoff (where there is none: the last day known alive) before a death, withdrawal, loss, new therapy or relapse by the reader.
        A trial without assessments by visit, or without a call by the reader, has one row without a value for each visit.
    """
    if records is None or not {"DTHDAY", "NEWDAY", "CUTDAY", "LSTALDAY"} <= set(adsl.columns):
        return []
    people = adsl.filter(pl.col("INFFL").cast(pl.String) == "Y").select("TRIAL", "SUBJ", "DTHDAY", "NEWDAY", "CUTDAY", "LSTALDAY")
    reader = study.readers.primary
    calls = adresp.filter((pl.col("READER").cast(CODED) == reader) & pl.col("CARDAY").is_not_null())
    calls = calls.select("SUBJ", "CARDAY", pl.col("AVALC").cast(CODED), (pl.col("ADEQUATE").cast(CODED) == "Y").alias("FIT"))
    ended = calls.filter(pl.col("AVALC").is_in(list(words_of(study.disease.family.roles.ends))))
    ended = ended.group_by("SUBJ").agg(pl.col("CARDAY").min().alias("ENDED"))
    zero = records.subjects.select("SUBJ", "DAY0")
    left = records.dispositions.filter(pl.col("KIND").cast(pl.String).is_in(list(LEFT))).join(zero, on="SUBJ")
    left = left.group_by("SUBJ").agg((pl.col("DAY") - pl.col("DAY0")).min().alias("LEFT"))
    for frame in (ended, left):
        people = people.join(frame, on="SUBJ", how="left", maintain_order="left")
    out = pl.min_horizontal("DTHDAY", "NEWDAY", "ENDED", "LEFT")
    trials = people["TRIAL"].unique().sort()
    read = trials.filter(pl.Series(records.recorded.has(reader, trials.to_numpy()), dtype=pl.Boolean))
    read = read if records.recorded.level == "records" else read.clear()
    frames = []
    for visit in study.disease.visits:
        first, last = visit.day - visit.minus, visit.day + visit.plus
        here = calls.filter(pl.col("CARDAY").is_between(first, last)).group_by("SUBJ").agg(pl.col("FIT").any())
        closed = pl.coalesce("CUTDAY", "LSTALDAY") >= last
        seen = people.join(here, on="SUBJ", how="left", maintain_order="left")
        seen = seen.filter(pl.col("FIT").is_not_null() | (closed & ~(out <= last).fill_null(False)).fill_null(False))
        counted = seen.group_by(trial="TRIAL").agg(
            pl.col("FIT").is_null().sum().cast(pl.Int64).alias("n"),
            pl.len().cast(pl.Int64).alias("N"),
            pl.col("FIT").fill_null(False).sum().cast(pl.Int64).alias("adequate"),
            (~pl.col("FIT")).fill_null(False).sum().cast(pl.Int64).alias("not_evaluable"),
        )
        found = pl.DataFrame({"trial": read}).join(counted, on="trial", how="left").sort("trial")
        found = found.with_columns(pl.col("n", "N", "adequate", "not_evaluable").fill_null(0))
        found = found.with_columns(rate=pl.when(pl.col("N") > 0).then(pl.col("n") / pl.col("N")))
        key = {"analysis": "conduct", "endpoint": "VISIT", "by": "visit", "level": visit.name, "population": "infused", "reader": reader}
        key["window"] = f"day {first} to {last}"
        frames.append(build_rows(found, {**_SHARE, "adequate": "", "not_evaluable": ""}, **key))
        unread = pl.DataFrame({"trial": trials.filter(~trials.is_in(read.implode()))}).with_columns(n=pl.lit(None, dtype=pl.Int64))
        frames.append(not_recorded(build_rows(unread, ("n",), **key)))
    return frames
