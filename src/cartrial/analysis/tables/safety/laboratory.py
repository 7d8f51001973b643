"""Whose blood counts were low, and who had no B cells? At any test, at the last, and by the last count near a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.safety.shares import not_recorded, share
from cartrial.analysis.wording import PROPORTION
from cartrial.response.lab import merge_dates
from cartrial.sdtm.vocabulary.results import result_bounds, significant
from cartrial.sdtm.vocabulary.specimens import CELLS_IN, is_read

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["dated_results", "laboratory_rows", "last_near", "nearest_to", "window_rows", "with_low"]

_SHARE = {"n": "", "N": "", "rate": PROPORTION}


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
    labs = dated_results(study, records)
    cytopenia, aplasia = study.safety.cytopenia, study.safety.aplasia
    frames: list[pl.DataFrame] = []
    wanted = (
        ("NEUTROPENIA", "NEUT", cytopenia.neutrophils_below, cytopenia.after_day),
        ("THROMBOCYTOPENIA", "PLAT", cytopenia.platelets_below, cytopenia.after_day),
        ("APLASIA", aplasia.testcd, aplasia.below, 0),
    )
    for name, test, limit, after in wanted:
        specimen = is_read(()) if test != aplasia.testcd else pl.col("SPEC").is_in(CELLS_IN).fill_null(True)
        used = _decided(labs.filter((pl.col("TEST") == test) & specimen & (pl.col("CARDAY") > after)), limit)
        if used.is_empty():
            continue
        labels = {"analysis": "safety", "population": "infused", "endpoint": name, "window": f"after day {after}"}
        ordered = used.sort("TRIAL", "SUBJ", "CARDAY", "SEQ")
        subject = ordered.group_by("TRIAL", "SUBJ", maintain_order=True).agg(
            pl.col("LOW").any().alias("any"), pl.col("LOW").last().alias("last")
        )
        for by in ("any", "last"):
            frames.append(build_rows(share(subject, by), _SHARE, by=by, **labels))
        if name == "APLASIA":
            frames.extend(_visits(study, ordered, labels))
    return frames


def dated_results(study: Study, records: Records) -> pl.DataFrame:
    """Return the dated results up to the cutoff, with the least and the most that each can be, and CARDAY, the day from day 0."""
    subjects = records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select("SUBJ", "TRIAL", "DAY0", "CUTOFF")
    labs = records.labs.filter(pl.col("TEST").is_in(["NEUT", "PLAT", study.safety.aplasia.testcd])).join(subjects, on="SUBJ", how="inner")
    dated = (pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF"))
    labs = labs.filter(dated & pl.col("DONE").fill_null(True) & pl.col("REL").is_not_null())
    labs = labs.with_columns(pl.col("TEST").cast(pl.String), pl.col("SPEC").cast(pl.String)).with_columns(result_bounds())
    return labs.with_columns((pl.col("DAY") - pl.col("DAY0")).alias("CARDAY"))


def _decided(labs: pl.DataFrame, limit: float) -> pl.DataFrame:
    """Return, of each date, whether the lowest result is below a limit (LOW); one that may lie on either side is left out (rules, A8)."""
    return with_low(labs, limit).drop("LOW").rename({"BELOW": "LOW"}).filter(pl.col("LOW").is_not_null())


def with_low(labs: pl.DataFrame, limit: float) -> pl.DataFrame:
    """Return the lowest result of each date, and whether it is below a limit (BELOW): null where it may lie on either side."""
    below = significant(pl.lit(limit))
    low = pl.when(pl.col("HIGH") < below).then(True).when(pl.col("LOW") >= below).then(False)
    return merge_dates(labs, highest=False).with_columns(low.alias("BELOW"))


def _visits(study: Study, ordered: pl.DataFrame, labels: dict[str, str]) -> list[pl.DataFrame]:
    frames = []
    for visit in study.disease.visits:
        nearest = nearest_to(ordered, visit.day, visit.minus, visit.plus)
        if nearest.height:
            frames.append(build_rows(share(nearest, "LOW"), _SHARE, by="visit", level=visit.name, **labels))
    return frames


def nearest_to(results: pl.DataFrame, day: int, minus: int, plus: int) -> pl.DataFrame:
    """Return of each subject the result nearest to a day within its window; on a tie the later."""
    inside = results.filter(pl.col("CARDAY").is_between(day - minus, day + plus)).with_columns((pl.col("CARDAY") - day).abs().alias("GAP"))
    ordered = inside.sort("TRIAL", "SUBJ", "GAP", "CARDAY", "SEQ", descending=[False, False, False, True, True])
    return ordered.unique(["TRIAL", "SUBJ"], keep="first", maintain_order=True)


def last_near(results: pl.DataFrame, day: int, margin: int) -> pl.DataFrame:
    """Return of each subject the last result within so many days of a day."""
    inside = results.filter(pl.col("CARDAY").is_between(day - margin, day + margin)).sort("SUBJ", "CARDAY", "SEQ")
    return inside.unique("SUBJ", keep="last", maintain_order=True)


def window_rows(study: Study, records: Records, adsl: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows on low counts near a day: whether the last count of a window is below a limit, over all the infused.

    Parameters
    ----------
    study : Study
        `safety.cytopenia`: the days, the margin on either side, and the limits of these counts.
    records : Records
        As in `laboratory_rows`.
    adsl : polars.DataFrame
        SUBJ, DTHDAY (day of death from day 0, null: alive at the cutoff).

    Returns
    -------
    list of polars.DataFrame
        `endpoint` LOW-NEUT, LOW-PLAT and LOW-EITHER, `by` window, `level` the day: n (low), N (with a count in the window), rate; missing
        (infused, without one), died (of those, died up to its end) and open (of those, its end is after the cutoff; where there are any).
        LOW-EITHER is known where both counts are; low_alone, of those without both, one count alone that is low. A test without a result
        after day 0 in a trial is not recorded.
    """
    rule = study.safety.cytopenia
    people = records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select("SUBJ", "TRIAL", "DAY0", "CUTOFF")
    if people.is_empty() or not rule.days:
        return []
    people = people.join(adsl.select("SUBJ", DIED="DTHDAY"), on="SUBJ", how="left", maintain_order="left")
    labs, names = dated_results(study, records), {"LOW-NEUT": "NEUT", "LOW-PLAT": "PLAT"}
    limits = {"NEUT": rule.last_neutrophils_below, "PLAT": rule.last_platelets_below}
    after = labs.filter(is_read(()) & (pl.col("CARDAY") > 0))
    counts = {test: _decided(after.filter(pl.col("TEST") == test), limit) for test, limit in limits.items()}
    tested = {test: after.filter(pl.col("TEST") == test)["TRIAL"].unique() for test in limits}
    frames = []
    for day in rule.days:
        flags = people
        for test, used in counts.items():
            last = last_near(used, day, rule.margin).select("SUBJ", pl.col("LOW").alias(test))
            flags = flags.join(last, on="SUBJ", how="left", maintain_order="left")
        # of both counts or of none: a single low one would decide, and a single one that is not low would not
        both = pl.col("NEUT").is_not_null() & pl.col("PLAT").is_not_null()
        either = (pl.col("NEUT") | pl.col("PLAT")).fill_null(False)
        flags = flags.with_columns(pl.when(both).then(either).alias("EITHER"), (~both & either).alias("ALONE"))
        end = day + rule.margin
        later = pl.col("DAY0") + end > pl.col("CUTOFF")
        flags = flags.with_columns((pl.col("DIED") <= end).fill_null(False).alias("DEAD"), later.alias("OPEN"))
        for name, test in {**names, "LOW-EITHER": "EITHER"}.items():
            needed = names.values() if test == "EITHER" else (test,)
            known = pl.all_horizontal(pl.col("trial").is_in(tested[one].implode()) for one in needed)
            span = f"day {day - rule.margin} to {day + rule.margin}"
            frames.extend(_window(flags, test, known, endpoint=name, level=f"day {day}", window=span))
    return frames


def _window(flags: pl.DataFrame, test: str, known: pl.Expr, **labels: str) -> list[pl.DataFrame]:
    without = pl.col(test).is_null()
    found = flags.group_by(trial="TRIAL").agg(
        pl.col(test).sum().cast(pl.Int64).alias("n"),
        pl.col(test).count().cast(pl.Int64).alias("N"),
        without.sum().cast(pl.Int64).alias("missing"),
        (without & pl.col("DEAD")).sum().cast(pl.Int64).alias("died"),
        (without & ~pl.col("DEAD") & pl.col("OPEN")).sum().cast(pl.Int64).alias("open"),
        (pl.col("ALONE") & pl.lit(test == "EITHER")).sum().cast(pl.Int64).alias("low_alone"),
    )
    found = found.with_columns(rate=pl.when(pl.col("N") > 0).then(pl.col("n") / pl.col("N"))).sort("trial")
    key = {"analysis": "safety", "population": "infused", "by": "window", **labels}
    seen = found.filter(known)
    return [
        build_rows(seen, {**_SHARE, "missing": "", "died": ""}, **key),
        *(build_rows(seen.filter(pl.col(more) > 0), (more,), **key) for more in ("open", "low_alone")),
        not_recorded(build_rows(found.filter(~known), ("n",), **key)),
    ]
