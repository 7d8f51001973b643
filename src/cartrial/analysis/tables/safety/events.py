"""Which adverse events occurred, how severe, in how many of the infused? Of special interest, by class and term, serious, related."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.estimators.arguments import check_columns
from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.safety.care import care_rows
from cartrial.analysis.tables.safety.shares import infused_of, not_recorded
from cartrial.analysis.tables.safety.times import spans_of, time_rows
from cartrial.analysis.wording import PROPORTION
from cartrial.sdtm.vocabulary.harm.events import LIKE, WATCHED, is_infection, watched
from cartrial.sdtm.vocabulary.occurrence import answered, occurrence
from cartrial.sdtm.vocabulary.terms import normalised, value_of

if TYPE_CHECKING:
    from cartrial.sdtm.records import Recorded, Records
    from cartrial.study import Study

__all__ = ["count_grades", "event_rows", "occurred", "unanswered_events"]

_ASKED = {name: pl.Int32 for name in ("TRIAL", "SUBJ")} | {name: pl.String for name in ("AEDECOD", "AEBODSYS", "SPECIAL", "ANY")}
_GRADES = ("0", "1", "2", "3", "4", "5", "unknown")


def count_grades(events: pl.DataFrame, infused: pl.DataFrame, terms: str, silent: pl.DataFrame | None = None) -> pl.DataFrame:
    """Count the infused subjects by the highest grade of each term.

    Parameters
    ----------
    events : polars.DataFrame
        TRIAL, SUBJ, AETOXGR (0 to 5, number or text, null: not known) and the column of terms. An event of grade 0 is none.
    infused : polars.DataFrame
        TRIAL, SUBJ: the denominator.
    terms : str
        Column of terms; rows without one are left out.
    silent : polars.DataFrame, optional
        TRIAL, SUBJ and the column of terms: of whom it was asked whether the event occurred, and is not known.

    Returns
    -------
    polars.DataFrame
        One row for each trial, term and level: trial, endpoint (the term), level, n, N. Levels: 0 (no event), 1 to 5, `unknown` (an event
        without a grade and none with one, or whether there was one is not known), `any` (any event) and `>=3`; null where events occurred
        and none has a grade, and where of nobody it is known whether one occurred.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import count_grades
    >>> events = pl.DataFrame({"TRIAL": 1, "SUBJ": [1, 1, 2], "AETOXGR": [1, 3, 2], "TERM": "CRS"})
    >>> found = count_grades(events, pl.DataFrame({"TRIAL": 1, "SUBJ": [1, 2, 3]}), "TERM")
    >>> dict(found.filter(pl.col("n") > 0).select("level", "n").iter_rows())
    {'0': 1, '2': 1, '3': 1, '>=3': 1, 'any': 2}
    """
    check_columns(events, "TRIAL", "SUBJ", "AETOXGR", terms)
    check_columns(infused, "TRIAL", "SUBJ")
    totals = infused.group_by(trial="TRIAL").agg(pl.len().cast(pl.Int64).alias("N"))
    worst = (
        events.filter(pl.col(terms).is_not_null())
        .join(infused.select("TRIAL", "SUBJ"), on=["TRIAL", "SUBJ"], how="semi")
        .group_by("TRIAL", "SUBJ", endpoint=pl.col(terms).cast(pl.String))
        .agg(_grade().max().alias("GRADE"))
    )
    open_ = worst.select("TRIAL", "SUBJ", "endpoint", "GRADE").clear() if silent is None else _silent(silent, infused, terms, worst)
    worst = pl.concat([worst.with_columns(HAPPENED=pl.lit(True)), open_.with_columns(HAPPENED=pl.lit(False))])
    grade, known = pl.col("GRADE"), pl.col("HAPPENED")
    found = worst.group_by("endpoint", trial="TRIAL").agg(
        *((known & (grade == level)).sum().cast(pl.Int64).alias(str(level)) for level in range(1, 6)),
        grade.is_null().sum().cast(pl.Int64).alias("unknown"),
        (known & (grade.is_null() | (grade > 0))).sum().cast(pl.Int64).alias("any"),
        (known & (grade >= 3)).sum().cast(pl.Int64).alias(">=3"),
        (known & grade.is_null()).sum().alias("bare"),
        (~known).sum().cast(pl.Int64).alias("open"),
    )
    long = found.join(totals, on="trial", how="inner").with_columns((pl.col("N") - pl.col("any") - pl.col("open")).alias("0"))
    # where no grade is known at all, how many had which is not known either, nor whether any had one where nobody answered
    ungraded = (pl.col("any") > 0) & (pl.col("bare") == pl.col("any"))
    nobody = pl.col("open") == pl.col("N")
    kept = {**dict.fromkeys((*"12345", ">=3"), ~ungraded & ~nobody), **dict.fromkeys(("0", "any"), ~nobody)}
    long = long.with_columns(pl.when(where).then(pl.col(level)).alias(level) for level, where in kept.items())
    return long.unpivot([*_GRADES, "any", ">=3"], index=["trial", "endpoint", "N"], variable_name="level", value_name="n").sort(
        "trial", "endpoint", "level"
    )


def _silent(silent: pl.DataFrame, infused: pl.DataFrame, terms: str, worst: pl.DataFrame) -> pl.DataFrame:
    """Return the infused of whom it is not known whether they had an event, and none is recorded."""
    asked = silent.filter(pl.col(terms).is_not_null()).select("TRIAL", "SUBJ", endpoint=pl.col(terms).cast(pl.String)).unique()
    keys = ["TRIAL", "SUBJ", "endpoint"]
    none = pl.lit(None, dtype=pl.Int8).alias("GRADE")
    return asked.join(infused, on=["TRIAL", "SUBJ"], how="semi").join(worst, on=keys, how="anti").select(*keys, none)


def _grade() -> pl.Expr:
    """A grade is text in ADaM."""
    return pl.col("AETOXGR").cast(pl.Int8)


def occurred() -> pl.Expr:
    """Say of which events one was there: one of grade 0 is none, whatever else its record says."""
    return _grade().is_null() | (_grade() > 0)


def event_rows(
    study: Study, adae: pl.DataFrame, adsl: pl.DataFrame, records: Records | None = None, silent: pl.DataFrame | None = None
) -> list[pl.DataFrame]:
    """Rows on treatment-emergent adverse events, over the infused subjects.

    Parameters
    ----------
    study : Study
        Events of special interest.
    adae : polars.DataFrame
        TRIAL, SUBJ, AEDECOD, AEBODSYS, AETOXGR, CARSTDAY, CARENDAY, TRTEMFL, AESER, AEREL, SPECIAL; AEOUT and FLAGS where there are any.
    adsl : polars.DataFrame
        TRIAL, SUBJ, INFFL, DTHFL.
    records : Records, optional
        What was given (`care_rows`), and which events a sheet asked for: a special event that it did not is not recorded, and one that
        nobody had is 0. Where no event has a name (AEDECOD), none is recorded.
    silent : polars.DataFrame, optional
        What was asked and is not known, and what is not coded (`unanswered_events`).

    Returns
    -------
    list of polars.DataFrame
        `endpoint` is the term, `by` max_grade, `level` the grade (0 to 5, unknown, any, >=3): n, N, rate (none of unknown). `variant`:
        blank for events of special interest, for IEC-HS, HLH, ICAHT and INFECTION, which are not recorded where nobody had one, and for
        ANY (any event); `class` for system organ classes, `class=<class>` for terms. Onset, duration and course of special events
        (`time_rows`), and what was given for them; serious and related events.
    """
    infused, recorded = infused_of(adsl), records.recorded if records is not None else None
    silent = silent if silent is not None and silent.height else None
    if infused.is_empty() or not (adae.height or silent is not None or (recorded is not None and "AE" in recorded.asked)):
        return []
    labels = {"analysis": "safety", "population": "infused"}
    events = adae.filter(pl.col("TRTEMFL").cast(pl.String) == "Y").with_columns(pl.lit("ANY").alias("ANY"))
    frames: list[pl.DataFrame] = []
    wanted = pl.DataFrame({"endpoint": [item.id for item in study.safety.special] + ["ANY"]}, schema={"endpoint": pl.String})
    for terms, variant in (("SPECIAL", ""), ("ANY", ""), ("AEBODSYS", "class")):
        # who has no class has none for want of an answer
        found = count_grades(events, infused, terms, None if terms == "AEBODSYS" else silent)
        if terms != "AEBODSYS":
            found = _with_none(found, infused, wanted.filter((pl.col("endpoint") == "ANY") == (terms == "ANY")))
        rows = _grade_rows(found, variant=variant, **labels)
        frames.extend(_without(rows, _unasked(study, recorded)) if terms == "SPECIAL" else rows)
    frames.extend(_watched(study, events, infused, labels))
    both = pl.concat_str(
        pl.col("AEBODSYS").cast(pl.String).fill_null("not coded"), pl.lit("\x1f"), pl.col("AEDECOD").cast(pl.String)
    ).alias("BOTH")
    coded = events.with_columns(both)
    parts = pl.col("endpoint").str.split_exact("\x1f", 1)
    found = count_grades(coded, infused, "BOTH", silent.with_columns(both) if silent is not None else None).with_columns(
        pl.concat_str(pl.lit("class="), parts.struct.field("field_0")).alias("variant"), parts.struct.field("field_1").alias("endpoint")
    )
    frames.extend(_grade_rows(found, **labels))
    spans = spans_of(events.join(infused, on=["TRIAL", "SUBJ"], how="semi"), adsl)
    frames.extend(time_rows(spans, labels))
    if records is not None:
        frames.extend(care_rows(spans, records, labels))
    frames.extend(_kinds(events, infused, labels))
    return frames


def _watched(study: Study, events: pl.DataFrame, infused: pl.DataFrame, labels: dict[str, str]) -> list[pl.DataFrame]:
    """Rows on events that are shown as they were recorded: where none is, nobody can say that there was none."""
    named = [item.id for item in study.safety.special]
    infection = pl.when(is_infection(pl.col("AEBODSYS").cast(pl.String))).then(pl.lit("INFECTION"))
    events = events.with_columns(watched(pl.col("AEDECOD").cast(pl.String)).alias("WATCHED"), infection.alias("INFECTION"))
    uncoded = events.filter(pl.col("AEBODSYS").is_null()).select("TRIAL", "SUBJ", pl.lit("INFECTION").alias("INFECTION"))
    frames = []
    for column, ids, silent in (("WATCHED", list(WATCHED), None), ("INFECTION", ["INFECTION"], uncoded)):
        ids = [name for name in ids if name not in named]
        happened = events.filter(pl.col(column).is_not_null() & occurred()).select("TRIAL", endpoint=column).unique()
        found = count_grades(events, infused, column, silent).filter(pl.col("endpoint").is_in(ids))
        found = found.join(happened, left_on=["trial", "endpoint"], right_on=["TRIAL", "endpoint"], how="semi", maintain_order="left")
        frames.extend(_grade_rows(found, **labels))
        wanted = pl.DataFrame({"endpoint": ids}, schema={"endpoint": pl.String})
        none = infused.select(trial="TRIAL").unique().join(wanted, how="cross").sort("trial", "endpoint")
        none = none.join(happened, left_on=["trial", "endpoint"], right_on=["TRIAL", "endpoint"], how="anti", maintain_order="left")
        none = none.with_columns(n=pl.lit(None, dtype=pl.Int64))
        frames.append(not_recorded(build_rows(none, ("n",), by="max_grade", level="any", **labels)))
    return frames


def unanswered_events(study: Study, records: Records) -> pl.DataFrame:
    """Return the adverse events of which a subject was asked, and of which it is not known whether they occurred (rules, A6).

    Parameters
    ----------
    study : Study
        Events of special interest.
    records : Records
        `extra` has AE with what was asked.

    Returns
    -------
    polars.DataFrame
        TRIAL, SUBJ, AEDECOD, AEBODSYS, SPECIAL, ANY; without rows where there are none. Of events that occurred and have no term, SPECIAL
        alone: each that the collected word reads like, and all where there is no word.
    """
    ae = records.extra.get("AE")
    if ae is None:
        return pl.DataFrame(schema=_ASKED)
    special = {term: item.id for item in reversed(study.safety.special) for term in item.terms}
    term = value_of(ae, "AEDECOD")
    named = normalised(term).replace_strict(special, default=None, return_dtype=pl.String)
    asked = ae.filter((occurrence(ae, "AE") == "U") & term.is_not_null()).join(records.subjects.select("SUBJ", "TRIAL"), on="SUBJ")
    columns = {"AEDECOD": term, "AEBODSYS": value_of(ae, "AEBODSYS"), "SPECIAL": named, "ANY": pl.lit("ANY")}
    said = asked.select(pl.col(name).cast(kind) if name not in columns else columns[name].alias(name) for name, kind in _ASKED.items())
    return pl.concat([said, *_uncoded(study, records, ae)])


def _uncoded(study: Study, records: Records, ae: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the events without a term that may have been one of special interest: collected under a word like it, or under none."""
    term, word = normalised(value_of(ae, "AEDECOD")), normalised(value_of(ae, "AETERM"))
    bare = ae.filter((occurrence(ae, "AE") == "Y") & (term == "").fill_null(True)).join(
        records.subjects.select("SUBJ", "TRIAL", "DAY0", "CUTOFF"), on="SUBJ"
    )
    if bare.is_empty():
        return []
    bare = bare.filter(~(pl.col("DAYX") < pl.col("DAY0")).fill_null(False) & ~(pl.col("DAY") > pl.col("CUTOFF")).fill_null(False))
    blank = (word == "").fill_null(True)
    frames = []
    for item in study.safety.special:
        like = word.is_in([name.upper() for name in item.terms]) | word.str.contains(LIKE.get(item.id, "^\x00$"))
        rows = bare.filter(blank | like.fill_null(False))
        said = {"TRIAL": pl.col("TRIAL"), "SUBJ": pl.col("SUBJ"), "SPECIAL": pl.lit(item.id)}
        frames.append(rows.select(said.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in _ASKED.items()))
    return frames


def _unasked(study: Study, recorded: Recorded | None) -> list[str]:
    """Return the special events that were not asked for, where each event was asked for by itself; all where no event has a name."""
    if recorded is not None and recorded.lacks("AE", "AEDECOD"):
        return [item.id for item in study.safety.special]
    if recorded is None or recorded.terms is None or recorded.state("AE") != "read":
        return []
    return [item.id for item in study.safety.special if not {term.upper() for term in item.terms} & recorded.terms]


def _without(frames: list[pl.DataFrame], endpoints: list[str]) -> list[pl.DataFrame]:
    """Take away the figures of events that were not recorded (rules, A3)."""
    absent = pl.col("endpoint").is_in(endpoints)
    return [pl.concat([frame.filter(~absent), not_recorded(frame.filter(absent))]) for frame in frames] if endpoints else frames


def _with_none(found: pl.DataFrame, infused: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Add the rows of a term that nobody had: grade 0 in all."""
    totals = infused.group_by(trial="TRIAL").agg(pl.len().cast(pl.Int64).alias("N"))
    levels = pl.DataFrame({"level": [*_GRADES, "any", ">=3"]})
    grid = (
        totals.join(wanted, how="cross")
        .join(levels, how="cross")
        .join(found.select("trial", "endpoint", "level", "n"), on=["trial", "endpoint", "level"], how="left")
    )
    none = pl.when(pl.col("level") == "0").then(pl.col("N")).otherwise(0)
    seen = pl.col("n").is_not_null().any().over("trial", "endpoint")
    return grid.with_columns(pl.when(seen).then(pl.col("n")).otherwise(none).alias("n")).sort("trial", "endpoint", "level")


def _grade_rows(found: pl.DataFrame, **labels: str) -> list[pl.DataFrame]:
    shares = found.filter(pl.col("level") != "unknown").with_columns(rate=pl.col("n") / pl.col("N"))
    return [build_rows(found, ("n", "N"), by="max_grade", **labels), build_rows(shares, {"rate": PROPORTION}, by="max_grade", **labels)]


def _kinds(events: pl.DataFrame, infused: pl.DataFrame, labels: dict[str, str]) -> list[pl.DataFrame]:
    """Rows on serious and related events. Where no event says yes or no they are not recorded; `unknown`: of how many it is not known."""
    frames: list[pl.DataFrame] = []
    seen = events.filter(occurred()).join(infused, on=["TRIAL", "SUBJ"], how="semi")
    for name, column in (("SERIOUS", "AESER"), ("RELATED", "AEREL")):
        if column not in events.columns:
            continue
        answer = answered(pl.col(column).cast(pl.String), column)
        told = events.filter(answer.is_not_null()).select("TRIAL").unique().with_columns(TOLD=pl.lit(True))
        subject = seen.group_by("TRIAL", "SUBJ").agg(answer.any().fill_null(False).alias("YES"), answer.is_null().any().alias("OPEN"))
        found = (
            infused.join(events.select("TRIAL").unique(), on="TRIAL", how="semi")
            .join(told, on="TRIAL", how="left")
            .join(subject, on=["TRIAL", "SUBJ"], how="left")
            .group_by(trial="TRIAL")
            .agg(
                pl.when(pl.col("TOLD").any()).then(pl.col("YES").fill_null(False).sum()).cast(pl.Int64).alias("n"),
                pl.len().cast(pl.Int64).alias("N"),
                (pl.col("OPEN") & ~pl.col("YES")).fill_null(False).sum().cast(pl.Int64).alias("unknown"),
            )
            .with_columns(rate=pl.col("n") / pl.col("N"))
            .sort("trial")
        )
        if found.is_empty():
            continue
        kinds = {"n": "", "N": "", "rate": PROPORTION}
        frames.append(build_rows(found.filter(pl.col("n").is_not_null()), kinds, endpoint=name, **labels))
        frames.append(not_recorded(build_rows(found.filter(pl.col("n").is_null()), kinds, endpoint=name, **labels)))
        open_ = found.filter((pl.col("unknown") > 0) & pl.col("n").is_not_null()).select("trial", "N", n="unknown")
        if open_.height:
            frames.append(build_rows(open_, ("n", "N"), endpoint=name, by="answer", level="unknown", **labels))
    return frames
