"""How many of the infused died, within 30 and 90 days of the infusion and at all, and of what?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.safety.shares import infused_of, not_recorded
from cartrial.analysis.wording import PROPORTION
from cartrial.endpoints.absent import NOT_RECORDED
from cartrial.sdtm.vocabulary.harm.causes import cause_of, says_cause
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import canonical, value_of

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records

__all__ = ["WITHIN", "death_causes", "death_rows"]

WITHIN = (30, 90)
"""Days from the infusion within which deaths are counted."""

_SHARE = {"n": "", "N": "", "rate": PROPORTION}
_LABELS = {"analysis": "safety", "population": "infused", "endpoint": "DEATH"}
_CAUSES = {"SUBJ": pl.Int32, "CAUSE": pl.String}


def death_rows(adsl: pl.DataFrame, records: Records | None = None) -> list[pl.DataFrame]:
    """Rows on deaths of the infused, up to the cutoff.

    Parameters
    ----------
    adsl : polars.DataFrame
        TRIAL, SUBJ, INFFL, DTHFL, EOSSTT (null throughout a trial that recorded no survival: it has no row) and, for deaths within some
        days, DTHDAY and LSTALDAY, days from day 0.
    records : Records, optional
        For the causes: DD and AE in `extra`, else not recorded; and for days of death that are not known: `deaths`.

    Returns
    -------
    list of polars.DataFrame
        n, N, rate of all; with `window` within 30, within 90 days of infusion: the same, `shorter` (in N, alive when last seen, before that
        day) and `unknown` (deaths whose partial date lies on either side; n takes the imputed day). `by` cause, `level` the cause: n, N,
        rate; a single row without a value where no death has a cause.
    """
    known = adsl.filter(pl.col("EOSSTT").is_not_null()).select("TRIAL").unique()
    infused = infused_of(adsl, "DTHFL", "DTHDAY", "LSTALDAY").join(known, on="TRIAL", how="semi").rename({"TRIAL": "trial"})
    if infused.is_empty():
        return []
    infused = infused.with_columns((pl.col("DTHFL").cast(pl.String) == "Y").fill_null(False).alias("DEAD"))
    size = pl.len().cast(pl.Int64).alias("N")
    deaths = infused.group_by("trial").agg(pl.col("DEAD").sum().cast(pl.Int64).alias("n"), size)
    frames = [build_rows(deaths.with_columns(rate=pl.col("n") / pl.col("N")).sort("trial"), _SHARE, **_LABELS)]
    if {"DTHDAY", "LSTALDAY"} <= set(infused.columns):
        infused = _with_range(infused, records)
        for days in WITHIN:
            early = pl.col("DEAD") & (pl.col("DTHDAY") <= days)
            short = ~pl.col("DEAD") & (pl.col("LSTALDAY") < days).fill_null(True)
            unsure = pl.col("DEAD") & (pl.col("FIRST") <= days) & (pl.col("LAST") > days)
            found = infused.group_by("trial").agg(
                *(
                    flag.fill_null(False).sum().cast(pl.Int64).alias(name)
                    for name, flag in (("n", early), ("shorter", short), ("unknown", unsure))
                ),
                size,
            )
            found = found.with_columns(rate=pl.col("n") / pl.col("N")).sort("trial")
            labels = {**_LABELS, "window": f"within {days} days of infusion"}
            frames.append(build_rows(found, {**_SHARE, "shorter": ""}, **labels))
            frames.append(build_rows(found.filter(pl.col("unknown") > 0), ("unknown",), **labels))
    return [*frames, *_cause_rows(infused, deaths, records)]


def _with_range(infused: pl.DataFrame, records: Records | None) -> pl.DataFrame:
    """Add FIRST and LAST, the days from day 0 on which a death can have been; its day where nothing else is known."""
    if records is None:
        return infused.with_columns(FIRST=pl.col("DTHDAY"), LAST=pl.col("DTHDAY"))
    zero = records.subjects.select("SUBJ", "DAY0")
    spread = records.deaths.join(zero, on="SUBJ").select(
        "SUBJ", (pl.col("DAY") - pl.col("DAY0")).alias("FIRST"), (pl.col("DAYX") - pl.col("DAY0")).alias("LAST")
    )
    spread = spread.unique("SUBJ", keep="first", maintain_order=True)
    found = infused.join(spread, on="SUBJ", how="left", maintain_order="left")
    # nobody died before the last day on which he was known alive
    return found.with_columns(pl.max_horizontal("FIRST", pl.col("LSTALDAY")).alias("FIRST"))


def death_causes(records: Records) -> pl.DataFrame:
    """Return the recorded cause of each death: SUBJ, CAUSE; of details of the death (DD), else of the adverse events that were fatal.

    Several causes of one rank stand beside each other. Where the details only say that it was an adverse event, a fatal event says which.
    """
    subjects = records.subjects.select("SUBJ", "CUTOFF")
    parts = []
    dd = records.extra.get("DD")
    if dd is not None and {"SUBJ", "DAY"} <= set(dd.columns):
        said = pl.coalesce(value_of(dd, "DDSTRESC"), value_of(dd, "DDORRES"))
        parts.append(dd.filter(says_cause(dd) & happened(dd, "DD")).select("SUBJ", "DAY", said.alias("CAUSE"), pl.lit(0).alias("RANK")))
    ae = records.extra.get("AE")
    if ae is not None and {"SUBJ", "DAY"} <= set(ae.columns):
        fatal = (canonical(value_of(ae, "AEOUT"), "AEOUT") == "FATAL") | (canonical(value_of(ae, "AESDTH"), "NY") == "Y")
        fatal |= canonical(value_of(ae, "AETOXGR"), "AETOXGR") == "5"
        term = pl.coalesce(value_of(ae, "AEDECOD"), value_of(ae, "AETERM"))
        rows = ae.filter(fatal.fill_null(False) & happened(ae, "AE"))
        parts.append(rows.select("SUBJ", "DAY", term.alias("CAUSE"), pl.lit(1).alias("RANK")))
    if not parts:
        return pl.DataFrame(schema=_CAUSES)
    every = pl.concat(parts).join(subjects, on="SUBJ").filter(~(pl.col("DAY") > pl.col("CUTOFF")).fill_null(False))
    told = every.with_columns(cause_of(pl.col("CAUSE")).alias("CAUSE")).filter(pl.col("CAUSE").is_not_null())
    # what says less gives way to what says more
    vague = pl.when(pl.col("CAUSE") == "unknown").then(3).when(pl.col("CAUSE") == "adverse event").then(2).otherwise("RANK")
    best = told.with_columns(vague.alias("RANK")).filter(pl.col("RANK") == pl.col("RANK").min().over("SUBJ"))
    return best.group_by("SUBJ").agg(pl.col("CAUSE").unique().sort().str.join(" and ")).sort("SUBJ")


def _cause_rows(infused: pl.DataFrame, deaths: pl.DataFrame, records: Records | None) -> list[pl.DataFrame]:
    dead = infused.filter("DEAD").select("trial", "SUBJ")
    if dead.is_empty():
        return []
    causes = pl.DataFrame(schema=_CAUSES) if records is None else death_causes(records)
    dead = dead.join(causes, on="SUBJ", how="left", maintain_order="left")
    told = dead.group_by("trial").agg(pl.col("CAUSE").is_not_null().any().alias("TOLD"))
    found = dead.group_by("trial", level=pl.col("CAUSE").fill_null(NOT_RECORDED)).agg(pl.len().cast(pl.Int64).alias("n"))
    found = found.join(deaths.select("trial", "N"), on="trial").join(told, on="trial").with_columns(rate=pl.col("n") / pl.col("N"))
    found = found.sort("trial", pl.col("level") == NOT_RECORDED, -pl.col("n"), "level")
    absent = found.filter(~pl.col("TOLD")).select("trial", pl.lit(None, dtype=pl.Int64).alias("n"))
    rows = build_rows(found.filter("TOLD"), _SHARE, by="cause", **_LABELS)
    return [rows, not_recorded(build_rows(absent, ("n",), by="cause", **_LABELS))]
