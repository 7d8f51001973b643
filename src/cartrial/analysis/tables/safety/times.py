"""When did events of special interest begin, how long did they last, and which were still going on?"""

from __future__ import annotations

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.wording import DAY
from cartrial.sdtm.vocabulary.terms import canonical, value_of

__all__ = ["ENDS", "spans_of", "time_rows"]

ENDS = ("ended", "ongoing at the cutoff", "ongoing at death", "end not known")
"""How the course of an event can stand, for a subject."""

_GOING_ON = ["NOT RECOVERED/NOT RESOLVED", "RECOVERING/RESOLVING", "FATAL"]


def spans_of(events: pl.DataFrame, adsl: pl.DataFrame) -> pl.DataFrame:
    """Return the course of each subject's events of special interest, from the first onset to the last end.

    Parameters
    ----------
    events : polars.DataFrame
        Treatment-emergent events of infused subjects: TRIAL, SUBJ, SPECIAL, AETOXGR, CARSTDAY, CARENDAY (days from day 0), and AEOUT and
        FLAGS where there are any. An event of grade 0 is none.
    adsl : polars.DataFrame
        TRIAL, SUBJ, DTHFL, and DTHDAY where there is one.

    Returns
    -------
    polars.DataFrame
        TRIAL, SUBJ, endpoint (SPECIAL), START, END (null: it has not ended, or when is not known), STATE (of `ENDS`), IMPUTED (whether
        the day of the first onset stands for a partial date), GUESSED (whether any day does) and EVENTS, the course of each event: a list
        of structs of BEGAN, ENDED (null: it goes on, or when is not known) and OPEN (whether its end is not known).

    Notes
    -----
    An event without a day of its end goes on if its outcome says that it has not resolved; of any other it is not known when it ended. Of
    one that was fatal, or that had not resolved on the day of death, the day of its end is that of the death: it was going on.
    """
    grade = pl.col("AETOXGR").cast(pl.Int8)
    happened = events.filter(pl.col("SPECIAL").is_not_null() & (grade.is_null() | (grade > 0)))
    start, end = pl.col("CARSTDAY"), pl.col("CARENDAY")
    usable = end.is_not_null() & ~(end < start).fill_null(False)
    happened, outcome = _with_death(happened, adsl), canonical(value_of(happened, "AEOUT"), "AEOUT")
    to_death = (outcome == "FATAL") | (grade == 5) | (outcome.is_in(_GOING_ON) & (end >= pl.col("DIED")))
    going_on = outcome.is_in(_GOING_ON).fill_null(False) & end.is_null() | (to_death & pl.col("DEAD")).fill_null(False)
    imputed, late = (value_of(happened, "FLAGS").str.contains(f"{day} imputed", literal=True).fill_null(False) for day in ("start", "end"))
    flags = {"USABLE": usable & ~going_on, "ON": going_on, "GUESS": imputed, "LATE": late}
    course = pl.struct(BEGAN=start, ENDED=pl.when(pl.col("USABLE")).then(end), OPEN=~pl.col("USABLE") & ~pl.col("ON") | start.is_null())
    happened = happened.with_columns(flag.alias(name) for name, flag in flags.items())
    subject = happened.group_by("TRIAL", "SUBJ", endpoint=pl.col("SPECIAL").cast(pl.String))
    found = subject.agg(
        start.min().alias("START"),
        pl.when(pl.col("USABLE").all()).then(end.max()).alias("END"),
        pl.col("ON").any(),
        pl.col("USABLE").all(),
        (start.is_null().any()).alias("UNSTARTED"),
        (start.is_not_null().any() & pl.col("GUESS").filter(start == start.min()).all()).fill_null(False).alias("IMPUTED"),
        (pl.col("GUESS") | pl.col("LATE")).any().alias("GUESSED"),
        pl.col("DEAD").any(),
        course.alias("EVENTS"),
    )
    state = (
        pl.when(pl.col("ON") & pl.col("DEAD"))
        .then(pl.lit(ENDS[2]))
        .when(pl.col("ON"))
        .then(pl.lit(ENDS[1]))
        .when(pl.col("USABLE"))
        .then(pl.lit(ENDS[0]))
        .otherwise(pl.lit(ENDS[3]))
    )
    return found.with_columns(state.alias("STATE")).sort("TRIAL", "endpoint", "SUBJ")


def _with_death(events: pl.DataFrame, adsl: pl.DataFrame) -> pl.DataFrame:
    """Add whether the subject died (DEAD), and on which day from day 0 (DIED)."""
    day = pl.col("DTHDAY") if "DTHDAY" in adsl.columns else pl.lit(None, dtype=pl.Int32)
    dead = adsl.filter(pl.col("DTHFL").cast(pl.String) == "Y").select("TRIAL", "SUBJ", pl.lit(True).alias("DEAD"), day.alias("DIED"))
    return events.join(dead, on=["TRIAL", "SUBJ"], how="left", maintain_order="left").with_columns(pl.col("DEAD").fill_null(False))


def time_rows(spans: pl.DataFrame, labels: dict[str, str]) -> list[pl.DataFrame]:
    """Rows on onset and duration of events of special interest, in days.

    Parameters
    ----------
    spans : polars.DataFrame
        Of `spans_of`.
    labels : dict of str to str
        Key columns that are the same in every row.

    Returns
    -------
    list of polars.DataFrame
        `by` onset (first onset, days from day 0) and duration (of those whose events all ended, end - onset + 1): n, median, min, max;
        each with `level` imputed: n of those in whom a partial date stands behind it. `by` course: n and N (with the event) at each of
        `ENDS`.
    """
    if spans.is_empty():
        return []
    length = pl.when((pl.col("STATE") == ENDS[0]) & ~pl.col("UNSTARTED")).then(pl.col("END") - pl.col("START") + 1)
    spans = spans.with_columns(onset=pl.col("START").cast(pl.Float64), duration=length.cast(pl.Float64)).rename({"TRIAL": "trial"})
    frames, keys = [], ["trial", "endpoint"]
    for name in ("onset", "duration"):
        value = pl.col(name)
        found = (
            spans.filter(value.is_not_null())
            .group_by(keys)
            .agg(
                value.count().cast(pl.Int64).alias("n"), value.median().alias("median"), value.min().alias("min"), value.max().alias("max")
            )
            .sort(keys)
        )
        frames.append(build_rows(found, {"n": "", "median": DAY, "min": DAY, "max": DAY}, by=name, **labels))
        unsure = spans.filter(value.is_not_null() & pl.col("IMPUTED" if name == "onset" else "GUESSED"))
        guessed = unsure.group_by(keys).agg(pl.len().cast(pl.Int64).alias("n")).sort(keys)
        frames.append(build_rows(guessed, ("n",), by=name, level="imputed", **labels))
    totals = spans.group_by(keys).agg(pl.len().cast(pl.Int64).alias("N"))
    states = spans.group_by(*keys, level="STATE").agg(pl.len().cast(pl.Int64).alias("n"))
    grid = totals.join(pl.DataFrame({"level": ENDS}).with_row_index("PLACE"), how="cross")
    course = grid.join(states, on=[*keys, "level"], how="left").with_columns(pl.col("n").fill_null(0)).sort(*keys, "PLACE")
    frames.append(build_rows(course, ("n", "N"), by="course", **labels))
    return frames
