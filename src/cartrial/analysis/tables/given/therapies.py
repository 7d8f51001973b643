"""Which therapies were given before the infusion, and which after it: bridging, lymphodepletion, transplant, subsequent therapy?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.given.counted import absent_row, infused_people, number_rows, share_rows
from cartrial.analysis.wording import DAY
from cartrial.sdtm.vocabulary.occurrence import occurrence
from cartrial.sdtm.vocabulary.terms import canonical, normalised, value_of

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["therapy_rows"]

_LABELS = {"analysis": "treatment", "population": "infused"}


def therapy_rows(study: Study, adsl: pl.DataFrame, records: Records) -> list[pl.DataFrame]:
    """Rows on what the infused were given beside the product.

    Parameters
    ----------
    study : Study
        The agents of lymphodepletion.
    adsl : polars.DataFrame
        SUBJ, HSCTDAY, NEWDAY: days from day 0 of the first transplant and the first new therapy, up to the cutoff.
    records : Records
        subjects, doses, procedures, and CM, EX and PR in `extra`.

    Returns
    -------
    list of polars.DataFrame
        `endpoint` BRIDGING (CM of that category that did not begin after day 0), SUBSEQUENT (of that category, after day 0 and up to the
        cutoff), TRANSPLANT: n, N (infused), rate, and `unknown` where it was asked and is not known; `by` agent, `level` the agent; `by`
        onset: days from day 0. EITHER: a transplant or a subsequent therapy. LYMPHODEPLETION: n, N, rate; `by` agent likewise, `by` days:
        on how many days, `by` dose (`level` the agent and its unit): dose of a record, `by` first, last: day from day 0. A kind of which a
        trial has neither a record nor a denial is one row without a value.
    """
    people = infused_people(records)
    if people.is_empty():
        return []
    frames = [*_bridging(people, records), *_lymphodepletion(study, people, records)]
    days = people.join(adsl.select("SUBJ", "HSCTDAY", "NEWDAY"), on="SUBJ", how="left")
    frames += _after(people, days, "TRANSPLANT", "HSCTDAY", _has_transplant(records))
    medication = _medication(records, "SUBSEQUENT ANTICANCER THERAPY")
    frames += _after(people, days, "SUBSEQUENT", "NEWDAY", medication.height > 0)
    taken = medication.filter(pl.col("ANSWER") == "Y").select("SUBJ", "DAY", "level")
    taken = pl.concat([taken, _again(study, records)]).join(people, on="SUBJ")
    taken = taken.filter((pl.col("DAY") > pl.col("DAY0")) & (pl.col("DAY") <= pl.col("CUTOFF")))
    frames.append(share_rows(people, taken, **{**_LABELS, "endpoint": "SUBSEQUENT", "by": "agent"}))
    if _has_transplant(records) and medication.height:
        either = days.filter(pl.col("HSCTDAY").is_not_null() | pl.col("NEWDAY").is_not_null())
        frames.append(share_rows(people, either, **{**_LABELS, "endpoint": "EITHER"}))
    return frames


def _medication(records: Records, category: str) -> pl.DataFrame:
    """Return CM of a category: SUBJ, DAY, DAYX, ANSWER (Y, N or U), level (the agent)."""
    cm = records.extra.get("CM")
    if cm is None:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32, "ANSWER": pl.String, "level": pl.String})
    agent = pl.coalesce(normalised(value_of(cm, "CMDECOD")), normalised(value_of(cm, "CMTRT")), pl.lit("AGENT NOT RECORDED"))
    rows = cm.filter((canonical(value_of(cm, "CMCAT"), "CMCAT") == category).fill_null(False))
    return rows.select("SUBJ", "DAY", "DAYX", occurrence(rows, "CM").alias("ANSWER"), agent.alias("level"))


def _again(study: Study, records: Records) -> pl.DataFrame:
    """Return the product infused again where the study file does not call that a re-infusion: SUBJ, DAY, level."""
    given = records.doses.filter((pl.col("KIND") == "PRODUCT") & (not study.product.re_infusion))
    given = given.join(records.subjects.select("SUBJ", "DAY0"), on="SUBJ")
    given = given.filter(pl.col("DAY") > pl.col("DAY0") + study.product.fraction_days)
    return given.select("SUBJ", "DAY", level="TRT")


def _has_transplant(records: Records) -> bool:
    """Whether the source has procedures: then who has no transplant among them had none recorded."""
    return records.recorded.state("PR") == "read" and bool(records.extra.get("PR", pl.DataFrame()).height)


def _bridging(people: pl.DataFrame, records: Records) -> list[pl.DataFrame]:
    key = {**_LABELS, "endpoint": "BRIDGING"}
    rows = _medication(records, "BRIDGING THERAPY").join(people, on="SUBJ")
    rows = rows.filter(~(pl.col("DAY") > pl.col("DAY0")).fill_null(False))
    told = rows.filter(pl.col("ANSWER") != "U")
    if told.is_empty():
        return [absent_row(people, **key)]
    yes = rows.filter(pl.col("ANSWER") == "Y")
    open_ = rows.filter(pl.col("ANSWER") == "U").join(yes, on="SUBJ", how="anti").select("trial", "SUBJ").unique()
    unknown = open_.group_by("trial").agg(pl.len().cast(pl.Int64).alias("unknown"))
    onset = yes.filter(pl.col("DAY") == pl.col("DAYX")).group_by("SUBJ").agg((pl.col("DAY") - pl.col("DAY0")).min().alias("VALUE"))
    return [
        share_rows(people, yes.select("SUBJ"), **key),
        build_rows(unknown, ("unknown",), **key),
        share_rows(people, yes, **key, by="agent"),
        number_rows(people, onset, DAY, **key, by="onset"),
    ]


def _lymphodepletion(study: Study, people: pl.DataFrame, records: Records) -> list[pl.DataFrame]:
    key = {**_LABELS, "endpoint": "LYMPHODEPLETION"}
    if not study.product.lymphodepletion:
        return []
    doses = records.doses.filter(pl.col("KIND") == "LYMPHODEPLETION").join(people, on="SUBJ")
    doses = doses.filter(pl.col("DAY") <= pl.col("DAY0"))
    if doses.is_empty():
        return [absent_row(people, **key)]
    whole = doses.filter(pl.col("DAY") == pl.col("DAYX"))
    spread = _each_day(whole, records)
    agents = doses.select("SUBJ", level="TRT")
    days = spread.group_by("SUBJ", level="TRT").agg(pl.col("ON").n_unique().alias("VALUE"))
    amounts = doses.filter(pl.col("AMOUNT").is_not_null() & pl.col("UNIT").is_not_null())
    named = pl.concat_str("TRT", pl.lit(", "), "UNIT").alias("level")
    mean = amounts.group_by("SUBJ", named).agg(pl.col("AMOUNT").mean().alias("VALUE"))
    frames = [
        share_rows(people, doses.select("SUBJ"), **key),
        share_rows(people, agents, **key, by="agent"),
        number_rows(people, days, DAY, **key, by="days"),
        number_rows(people, mean, "", **key, by="dose"),
    ]
    for by, day in (("first", pl.col("ON").min()), ("last", pl.col("ON").max())):
        found = spread.group_by("SUBJ").agg((day - pl.col("DAY0").first()).alias("VALUE"))
        frames.append(number_rows(people, found, DAY, **key, by=by))
    return frames


def _each_day(doses: pl.DataFrame, records: Records) -> pl.DataFrame:
    """Return a row for each day on which a dose was given (ON): those of a record with an end go on to it, up to day 0."""
    ex = records.extra.get("EX")
    ends = pl.DataFrame(schema={"SUBJ": pl.Int32, "SEQ": pl.Int64, "ENDDAYX": pl.Int32})
    if ex is not None and "ENDDAYX" in ex.columns:
        known = ex.filter(pl.col("ENDDAY") == pl.col("ENDDAYX")).select("SUBJ", pl.col("SEQ").cast(pl.Int64), "ENDDAYX")
        ends = known.filter(pl.col("SEQ").is_not_null()).unique(["SUBJ", "SEQ"], keep="first", maintain_order=True)
    joined = doses.join(ends, on=["SUBJ", "SEQ"], how="left", maintain_order="left")
    last = pl.max_horizontal("DAY", pl.min_horizontal(pl.coalesce("ENDDAYX", "DAY"), "DAY0"))
    return joined.with_columns(pl.int_ranges("DAY", last + 1, dtype=pl.Int32).alias("ON")).explode("ON")


def _after(people: pl.DataFrame, days: pl.DataFrame, name: str, column: str, recorded: bool) -> list[pl.DataFrame]:
    key = {**_LABELS, "endpoint": name}
    if not recorded and days[column].null_count() == days.height:
        return [absent_row(people, **key)]
    had = days.filter(pl.col(column).is_not_null())
    return [
        share_rows(people, had.select("SUBJ"), **key),
        number_rows(people, had.select("SUBJ", VALUE=column), DAY, **key, by="onset"),
    ]
