"""Which adverse events did an infused subject have, from when to when, and which are treatment-emergent?

ADAE, in the occurrence structure of ADaM (CDISC ADaM OCCDS 1.1): one row per adverse event of an infused subject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.endpoints.sets.trace import study_day

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["derive_adae"]

_UNRESOLVED = "NOT RECOVERED/NOT RESOLVED"


def derive_adae(study: Study, records: Records) -> pl.DataFrame:
    """Derive the adverse events of the infused subjects.

    Parameters
    ----------
    study : Study
        `safety.special` names the events of special interest.
    records : Records
        Reads `subjects` (SUBJ, TRIAL, DATED, DAY0, CUTOFF), `adverse` and `deaths`. Units: days.

    Returns
    -------
    polars.DataFrame
        One row per event that began on or before the cutoff, sorted by SUBJ, start, SRCSEQ: TRIAL, SUBJ (Int32), AEDECOD, AEBODSYS,
        AETOXGR (String), ASTDT, AENDT (Date; null where the source has study days only), ASTDTF, AENDTF (D: day imputed, M: month and
        day imputed, else null), ASTDY, AENDY (Int32, study days without a day 0), CARSTDAY, CARENDAY (Int32, days from day 0), ADURN
        (Int32 days, end - start + 1), TRTEMFL (Y or null), AESER, AEREL, AEOUT, SPECIAL (id of `safety.special`, else null), SRCDOM
        (AE), SRCSEQ, FLAGS (joined by `;`, else null).

    Notes
    -----
    - A missing day becomes the 15th, a missing month and day 1 July, never after the cutoff.
    - Treatment-emergent is an onset on or after day 0. An onset whose possible days include day 0 is set no earlier than day 0, and an
      onset without any date is treatment-emergent, unless the event had ended before day 0: a doubt counts as treatment-emergent.
    - An event that ends after the cutoff is going on at the cutoff: no end, no duration, not recovered, and no grade 5.
    - The end of an event is imputed like its start, and not before it. Where it can only be before the start there is no duration.
    """
    infused = records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select("SUBJ", "TRIAL", "DATED", "DAY0", "CUTOFF")
    deaths = records.deaths.select("SUBJ", pl.col("DAY").alias("DIED"))
    known = pl.col("DAY").is_null() | (pl.col("DAY") <= pl.col("CUTOFF"))
    events = records.adverse.join(infused, on="SUBJ", how="inner").filter(known).join(deaths, on="SUBJ", how="left")
    dated = events.with_columns(
        (pl.col("ENDDAY") > pl.col("CUTOFF")).fill_null(False).alias("OPEN"),
        (pl.col("DAYX") > pl.col("DAY")).fill_null(False).alias("VAGUE"),
        (pl.col("ENDDAYX") < pl.col("DAY0")).fill_null(False).alias("PAST"),
        (pl.col("DIED") > pl.col("CUTOFF")).fill_null(False).alias("SURVIVED"),
        (pl.col("TOXGR") == 5).fill_null(False).alias("FIVE"),
        (pl.col("OUT").str.to_uppercase() == "FATAL").fill_null(False).alias("FATAL"),
    ).with_columns(_start())
    ended = dated.with_columns(_end()).with_columns(
        (pl.col("END") < pl.col("START")).fill_null(False).alias("REVERSED"),
        (pl.col("FIVE") & (pl.col("OPEN") | pl.col("SURVIVED"))).alias("LATER5"),
        (pl.col("FATAL") & (pl.col("OPEN") | pl.col("SURVIVED"))).alias("LATER"),
    )
    return ended.select(*_columns(study), _flags()).sort("SUBJ", "CARSTDAY", "SRCSEQ", "AEDECOD", nulls_last=True)


def _imputed(first: str, last: str) -> pl.Expr:
    """Return the 15th of a known month, 1 July of a known year, never after the cutoff. 1 July is 183 days before 31 December."""
    width = pl.col(last) - pl.col(first)
    guess = pl.when(width <= 0).then(pl.col(first)).when(width <= 30).then(pl.col(first) + 14).otherwise(pl.col(last) - 183)
    return pl.when(guess.is_not_null()).then(pl.min_horizontal(guess, "CUTOFF"))


def _imputation(first: str, last: str) -> pl.Expr:
    """Return what of a date was imputed: D its day, M its month and day, null nothing."""
    width = pl.col(last) - pl.col(first)
    return pl.when(width.is_between(1, 30)).then(pl.lit("D")).when(width > 30).then(pl.lit("M"))


def _start() -> list[pl.Expr]:
    around = pl.col("VAGUE") & (pl.col("DAY") <= pl.col("DAY0")) & (pl.col("DAYX") >= pl.col("DAY0")) & ~pl.col("PAST")
    guess = _imputed("DAY", "DAYX")
    moved = around & (guess < pl.col("DAY0"))
    start = pl.when(moved).then(pl.col("DAY0")).otherwise(guess)
    bounded = pl.when(pl.col("VAGUE")).then(pl.max_horizontal("DAY", pl.min_horizontal(start, pl.col("ENDDAYX")))).otherwise(start)
    return [bounded.alias("START"), moved.fill_null(False).alias("MOVED")]


def _end() -> pl.Expr:
    guess = _imputed("ENDDAY", "ENDDAYX")
    vague = pl.col("ENDDAYX") > pl.col("ENDDAY")
    end = pl.when(vague).then(pl.min_horizontal(pl.max_horizontal(guess, "START"), "ENDDAYX")).otherwise(guess)
    return pl.when(~pl.col("OPEN")).then(end).alias("END")


def _columns(study: Study) -> list[pl.Expr]:
    special = {term: item.id for item in reversed(study.safety.special) for term in item.terms}
    start, end = pl.col("START"), pl.col("END")
    term = pl.col("DECOD").cast(pl.String).str.strip_chars().str.to_uppercase()
    emergent = pl.when(start.is_null()).then(~pl.col("PAST")).otherwise(start >= pl.col("DAY0"))
    return [
        pl.col("TRIAL"),
        pl.col("SUBJ"),
        pl.col("DECOD").alias("AEDECOD"),
        pl.col("BODSYS").alias("AEBODSYS"),
        pl.when(~pl.col("LATER5")).then(pl.col("TOXGR")).cast(pl.String).alias("AETOXGR"),
        pl.when(pl.col("DATED")).then(start).cast(pl.Date).alias("ASTDT"),
        pl.when(pl.col("DATED")).then(end).cast(pl.Date).alias("AENDT"),
        _imputation("DAY", "DAYX").alias("ASTDTF"),
        pl.when(end.is_not_null()).then(_imputation("ENDDAY", "ENDDAYX")).alias("AENDTF"),
        *(study_day(day - pl.col("DAY0")).cast(pl.Int32).alias(name) for day, name in ((start, "ASTDY"), (end, "AENDY"))),
        *((day - pl.col("DAY0")).cast(pl.Int32).alias(name) for day, name in ((start, "CARSTDAY"), (end, "CARENDAY"))),
        pl.when(~pl.col("REVERSED")).then(end - start + 1).cast(pl.Int32).alias("ADURN"),
        pl.when(emergent).then(pl.lit("Y")).alias("TRTEMFL"),
        pl.col("SER").alias("AESER"),
        pl.col("REL").alias("AEREL"),
        pl.when(pl.col("OPEN") | pl.col("LATER")).then(pl.lit(_UNRESOLVED)).otherwise(pl.col("OUT")).alias("AEOUT"),
        term.replace_strict(special, default=None, return_dtype=pl.String).alias("SPECIAL"),
        pl.lit("AE").alias("SRCDOM"),
        pl.col("SEQ").alias("SRCSEQ"),
    ]


def _flags() -> pl.Expr:
    found = {
        "start missing": pl.col("START").is_null(),
        "start imputed": pl.col("VAGUE"),
        "start set to day 0": pl.col("MOVED"),
        "end imputed": pl.col("END").is_not_null() & (pl.col("ENDDAYX") > pl.col("ENDDAY")).fill_null(False),
        "going on at the cutoff": pl.col("OPEN"),
        "death after the cutoff": pl.col("LATER") | pl.col("LATER5"),
        "end before start": pl.col("REVERSED"),
    }
    text = pl.concat_str([pl.when(where).then(pl.lit(words)) for words, where in found.items()], separator=";", ignore_nulls=True)
    return pl.when(text != "").then(text).alias("FLAGS")
