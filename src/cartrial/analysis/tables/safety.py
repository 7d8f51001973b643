"""Which adverse events occurred, how severe, in how many of the infused? Cytopenia, B-cell aplasia and deaths with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.estimators.arguments import check_columns
from cartrial.analysis.results import build_rows
from cartrial.analysis.wording import DAY, PROPORTION
from cartrial.endpoints.absent import NOT_RECORDED
from cartrial.response.lab import merge_dates
from cartrial.sdtm.vocabulary.occurrence import answered, occurrence
from cartrial.sdtm.vocabulary.results import result_bounds, significant
from cartrial.sdtm.vocabulary.specimens import CELLS_IN, is_read
from cartrial.sdtm.vocabulary.terms import normalised, value_of

if TYPE_CHECKING:
    from cartrial.sdtm.records import Recorded, Records
    from cartrial.study import Study

__all__ = ["count_grades", "laboratory_rows", "safety_rows", "unanswered_events"]

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


def safety_rows(
    study: Study, adae: pl.DataFrame, adsl: pl.DataFrame, recorded: Recorded | None = None, silent: pl.DataFrame | None = None
) -> list[pl.DataFrame]:
    """Rows on adverse events and deaths, over the infused subjects, of treatment-emergent events.

    Parameters
    ----------
    study : Study
        Events of special interest.
    adae : polars.DataFrame
        TRIAL, SUBJ, AEDECOD, AEBODSYS, AETOXGR, CARSTDAY, CARENDAY, ADURN, TRTEMFL, AESER, AEREL, SPECIAL.
    adsl : polars.DataFrame
        TRIAL, SUBJ, INFFL, DTHFL, EOSSTT (null throughout a trial that recorded no survival).
    recorded : Recorded, optional
        Which events a sheet asked for: a special event that it did not is not recorded, and one that nobody had is 0. Where no event has a
        name (AEDECOD), none is recorded.
    silent : polars.DataFrame, optional
        What was asked and is not known (`unanswered_events`).

    Returns
    -------
    list of polars.DataFrame
        `endpoint` is the term, `by` max_grade, `level` the grade (0 to 5, unknown, any, >=3): n, N, and rate of any and >=3. `variant`:
        blank for events of special interest and for ANY (any event), `class` for system organ classes, `class=<class>` for terms. Onset
        (first, days from day 0) and duration (first onset to last end) of special events; serious and related events; deaths, where the
        trial recorded survival.
    """
    infused = adsl.filter(pl.col("INFFL").cast(pl.String) == "Y").select("TRIAL", "SUBJ", "DTHFL")
    if infused.is_empty():
        return []
    labels = {"analysis": "safety", "population": "infused"}
    frames: list[pl.DataFrame] = []
    silent = silent if silent is not None and silent.height else None
    if adae.height or silent is not None or (recorded is not None and "AE" in recorded.asked):
        events = adae.filter(pl.col("TRTEMFL").cast(pl.String) == "Y").with_columns(pl.lit("ANY").alias("ANY"))
        wanted = pl.DataFrame({"endpoint": [item.id for item in study.safety.special] + ["ANY"]}, schema={"endpoint": pl.String})
        for terms, variant in (("SPECIAL", ""), ("ANY", ""), ("AEBODSYS", "class")):
            # who has no class has none for want of an answer
            found = count_grades(events, infused, terms, None if terms == "AEBODSYS" else silent)
            if terms != "AEBODSYS":
                found = _with_none(found, infused, wanted.filter((pl.col("endpoint") == "ANY") == (terms == "ANY")))
            rows = _grade_rows(found, variant=variant, **labels)
            frames.extend(_without(rows, _unasked(study, recorded)) if terms == "SPECIAL" else rows)
        both = pl.concat_str(
            pl.col("AEBODSYS").cast(pl.String).fill_null("not coded"), pl.lit("\x1f"), pl.col("AEDECOD").cast(pl.String)
        ).alias("BOTH")
        coded = events.with_columns(both)
        parts = pl.col("endpoint").str.split_exact("\x1f", 1)
        found = count_grades(coded, infused, "BOTH", silent.with_columns(both) if silent is not None else None).with_columns(
            pl.concat_str(pl.lit("class="), parts.struct.field("field_0")).alias("variant"), parts.struct.field("field_1").alias("endpoint")
        )
        frames.extend(_grade_rows(found, **labels))
        frames.extend(_special_times(events.join(infused, on=["TRIAL", "SUBJ"], how="semi"), labels))
        frames.extend(_kinds(events, infused, labels))
    # a trial none of whose subjects has a status at the end recorded no survival: its deaths are unknown, not 0
    known = adsl.filter(pl.col("EOSSTT").is_not_null()).select("TRIAL").unique()
    deaths = (
        infused.join(known, on="TRIAL", how="semi")
        .group_by(trial="TRIAL")
        .agg((pl.col("DTHFL").cast(pl.String) == "Y").sum().cast(pl.Int64).alias("n"), pl.len().cast(pl.Int64).alias("N"))
        .sort("trial")
    )
    frames.append(build_rows(deaths, ("n", "N"), endpoint="DEATH", **labels))
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
        TRIAL, SUBJ, AEDECOD, AEBODSYS, SPECIAL, ANY; without rows where there are none.
    """
    ae = records.extra.get("AE")
    if ae is None:
        return pl.DataFrame(schema=_ASKED)
    special = {term: item.id for item in reversed(study.safety.special) for term in item.terms}
    term = value_of(ae, "AEDECOD")
    named = normalised(term).replace_strict(special, default=None, return_dtype=pl.String)
    asked = ae.filter((occurrence(ae, "AE") == "U") & term.is_not_null()).join(records.subjects.select("SUBJ", "TRIAL"), on="SUBJ")
    columns = {"AEDECOD": term, "AEBODSYS": value_of(ae, "AEBODSYS"), "SPECIAL": named, "ANY": pl.lit("ANY")}
    return asked.select(pl.col(name).cast(kind) if name not in columns else columns[name].alias(name) for name, kind in _ASKED.items())


def _unasked(study: Study, recorded: Recorded | None) -> list[str]:
    """Return the special events that were not asked for, where each event was asked for by itself; all where no event has a name."""
    if recorded is not None and recorded.lacks("AE", "AEDECOD"):
        return [item.id for item in study.safety.special]
    if recorded is None or recorded.terms is None or recorded.state("AE") != "read":
        return []
    return [item.id for item in study.safety.special if not {term.upper() for term in item.terms} & recorded.terms]


def _without(frames: list[pl.DataFrame], endpoints: list[str]) -> list[pl.DataFrame]:
    """Take away the figures of events that were not recorded (rules, A3)."""
    if not endpoints:
        return frames
    kept = ~pl.col("endpoint").is_in(endpoints) | (pl.col("statistic") == "N")
    value, text = pl.when(kept).then("value").alias("value"), pl.when(kept).then("text").otherwise(pl.lit(NOT_RECORDED)).alias("text")
    return [frame.with_columns(value, text) for frame in frames]


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
    shares = found.filter(pl.col("level").is_in(["any", ">=3"])).with_columns(rate=pl.col("n") / pl.col("N"))
    return [build_rows(found, ("n", "N"), by="max_grade", **labels), build_rows(shares, {"rate": PROPORTION}, by="max_grade", **labels)]


def _special_times(events: pl.DataFrame, labels: dict[str, str]) -> list[pl.DataFrame]:
    """Onset and duration of special events; a duration is known when every episode has ended."""
    happened = events.filter(pl.col("SPECIAL").is_not_null() & (_grade().is_null() | (_grade() > 0)))
    if happened.is_empty():
        return []
    subject = happened.group_by("SUBJ", trial="TRIAL", endpoint=pl.col("SPECIAL").cast(pl.String)).agg(
        pl.col("CARSTDAY").min().cast(pl.Float64).alias("onset"),
        pl.when(pl.col("CARSTDAY").is_not_null().all() & pl.col("CARENDAY").is_not_null().all())
        .then(pl.col("CARENDAY").max() - pl.col("CARSTDAY").min() + 1)
        .cast(pl.Float64)
        .alias("duration"),
    )
    frames = []
    for name in ("onset", "duration"):
        value = pl.col(name)
        found = (
            subject.filter(value.is_not_null())
            .group_by("trial", "endpoint")
            .agg(pl.len().cast(pl.Int64).alias("n"), value.median().alias("median"), value.min().alias("min"), value.max().alias("max"))
            .sort("trial", "endpoint")
        )
        frames.append(build_rows(found, {"n": "", "median": DAY, "min": DAY, "max": DAY}, by=name, **labels))
    return frames


def _kinds(events: pl.DataFrame, infused: pl.DataFrame, labels: dict[str, str]) -> list[pl.DataFrame]:
    """Rows on serious and related events. Where no event says yes or no they are not recorded; `unknown`: of how many it is not known."""
    frames: list[pl.DataFrame] = []
    seen = events.join(infused, on=["TRIAL", "SUBJ"], how="semi")
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
        frames += _without([build_rows(found.filter(pl.col("n").is_null()), kinds, endpoint=name, **labels)], [name])
        open_ = found.filter((pl.col("unknown") > 0) & pl.col("n").is_not_null()).select("trial", "N", n="unknown")
        if open_.height:
            frames.append(build_rows(open_, ("n", "N"), endpoint=name, by="answer", level="unknown", **labels))
    return frames


def laboratory_rows(study: Study, records: Records) -> list[pl.DataFrame]:
    """Rows on prolonged cytopenia and B-cell aplasia, over the infused subjects that were tested.

    Parameters
    ----------
    study : Study
        `safety.cytopenia` and `safety.aplasia`: the limits and the day.
    records : Records
        subjects (SUBJ, TRIAL, DAY0, CUTOFF) and labs (SUBJ, DAY, DAYX, TEST, SPEC, VALUE, REL, LIMIT, LLOQ, LOD, DONE, SEQ).

    Returns
    -------
    list of polars.DataFrame
        `endpoint` NEUTROPENIA, THROMBOCYTOPENIA (counts after the study's day) and APLASIA (after day 0): n and N (tested) at any
        time (`by` any) and at the last test (`by` last); APLASIA also at each visit (`by` visit, the test nearest to the visit's day in
        its window).
    """
    subjects = records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select("SUBJ", "TRIAL", "DAY0", "CUTOFF")
    labs = records.labs.filter(pl.col("TEST").is_in(["NEUT", "PLAT", study.safety.aplasia.testcd])).join(subjects, on="SUBJ", how="inner")
    dated = (pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF"))
    labs = labs.filter(dated & pl.col("DONE").fill_null(True) & pl.col("REL").is_not_null())
    labs = labs.with_columns(pl.col("TEST").cast(pl.String), pl.col("SPEC").cast(pl.String)).with_columns(result_bounds())
    labs = labs.with_columns((pl.col("DAY") - pl.col("DAY0")).alias("CARDAY"))
    cytopenia, aplasia = study.safety.cytopenia, study.safety.aplasia
    frames: list[pl.DataFrame] = []
    wanted = (
        ("NEUTROPENIA", "NEUT", cytopenia.neutrophils_below, cytopenia.after_day),
        ("THROMBOCYTOPENIA", "PLAT", cytopenia.platelets_below, cytopenia.after_day),
        ("APLASIA", aplasia.testcd, aplasia.below, 0),
    )
    for name, test, limit, after in wanted:
        specimen = is_read(()) if test != aplasia.testcd else pl.col("SPEC").is_in(CELLS_IN).fill_null(True)
        # of one date the lowest
        used = merge_dates(labs.filter((pl.col("TEST") == test) & specimen & (pl.col("CARDAY") > after)), highest=False)
        # what may lie on either side of the limit counts as not tested (rules, A8)
        below = significant(pl.lit(limit))
        used = used.filter((pl.col("HIGH") < below) | (pl.col("LOW") >= below)).with_columns((pl.col("HIGH") < below).alias("LOW"))
        if used.is_empty():
            continue
        labels = {"analysis": "safety", "population": "infused", "endpoint": name, "window": f"after day {after}"}
        ordered = used.sort("TRIAL", "SUBJ", "CARDAY", "SEQ")
        subject = ordered.group_by("TRIAL", "SUBJ", maintain_order=True).agg(
            pl.col("LOW").any().alias("any"), pl.col("LOW").last().alias("last")
        )
        for by in ("any", "last"):
            frames.append(build_rows(_share(subject, by), {"n": "", "N": "", "rate": PROPORTION}, by=by, **labels))
        if name == "APLASIA":
            frames.extend(_visits(study, ordered, labels))
    return frames


def _share(subject: pl.DataFrame, flag: str) -> pl.DataFrame:
    found = subject.group_by(trial="TRIAL").agg(pl.col(flag).sum().cast(pl.Int64).alias("n"), pl.len().cast(pl.Int64).alias("N"))
    return found.with_columns(rate=pl.col("n") / pl.col("N")).sort("trial")


def _visits(study: Study, ordered: pl.DataFrame, labels: dict[str, str]) -> list[pl.DataFrame]:
    frames = []
    for visit in study.disease.visits:
        inside = ordered.filter(pl.col("CARDAY").is_between(visit.day - visit.minus, visit.day + visit.plus)).with_columns(
            (pl.col("CARDAY") - visit.day).abs().alias("GAP")
        )
        # The nearest; on a tie the later.
        nearest = inside.sort("TRIAL", "SUBJ", "GAP", "CARDAY", "SEQ", descending=[False, False, False, True, True]).unique(
            ["TRIAL", "SUBJ"], keep="first", maintain_order=True
        )
        if nearest.height:
            frames.append(
                build_rows(_share(nearest, "LOW"), {"n": "", "N": "", "rate": PROPORTION}, by="visit", level=visit.name, **labels)
            )
    return frames
