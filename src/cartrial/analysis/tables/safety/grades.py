"""Which serious events were there, how did laboratory grades shift, and when did low counts first recover?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.given.counted import absent_row, infused_people, number_rows, share_rows
from cartrial.analysis.tables.safety.events import count_grades, occurred
from cartrial.analysis.tables.safety.laboratory import dated_results, with_low
from cartrial.analysis.tables.safety.shares import infused_of
from cartrial.analysis.wording import DAY, PROPORTION
from cartrial.sdtm.vocabulary.occurrence import answered, happened
from cartrial.sdtm.vocabulary.specimens import is_read
from cartrial.sdtm.vocabulary.terms import canonical, normalised, value_of

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["NOT_GRADED", "recovery_rows", "serious_rows", "shift_rows"]

NOT_GRADED = "not graded"
_LEVELS = ("any", ">=3", "5")


def serious_rows(adae: pl.DataFrame, adsl: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows on serious treatment-emergent events, over the infused.

    Parameters
    ----------
    adae : polars.DataFrame
        TRIAL, SUBJ, AEDECOD, AEBODSYS, AETOXGR, TRTEMFL, AESER.
    adsl : polars.DataFrame
        TRIAL, SUBJ, INFFL.

    Returns
    -------
    list of polars.DataFrame
        `analysis` serious, `endpoint` the class or the term (`variant` ``class``, ``class=<class>``) or ANY, `by` max_grade, `level` any,
        >=3 or 5: n, N, rate; `by` answer, `level` unknown, of ANY: n and N, of whom no event is serious and one or more do not say.
        Where no event says whether it was serious: one row without a value. An event of grade 0 is none.
    """
    people = infused_of(adsl)
    labels = {"analysis": "serious", "population": "infused"}
    trials = people.select(trial="TRIAL", SUBJ="SUBJ")
    if people.is_empty() or "AESER" not in adae.columns:
        return [absent_row(trials, endpoint="ANY", **labels)] if people.height else []
    answer = answered(pl.col("AESER").cast(pl.String), "AESER")
    events = adae.filter(pl.col("TRTEMFL").cast(pl.String) == "Y").join(people, on=["TRIAL", "SUBJ"], how="semi")
    if adae.filter(answer.is_not_null()).is_empty():
        return [absent_row(trials, endpoint="ANY", **labels)]
    system = pl.col("AEBODSYS").cast(pl.String).fill_null("not coded")
    both = pl.concat_str(system, pl.lit("\x1f"), pl.col("AEDECOD").cast(pl.String).fill_null("not coded"))
    events = events.filter(occurred())
    serious = events.filter(answer.fill_null(False)).with_columns(system.alias("SYSTEM"), both.alias("BOTH"), pl.lit("ANY").alias("ANY"))
    frames = []
    for column, variant in (("ANY", ""), ("SYSTEM", "class"), ("BOTH", None)):
        found = count_grades(serious, people, column).filter(pl.col("level").is_in(_LEVELS))
        if variant is None:
            parts = pl.col("endpoint").str.split_exact("\x1f", 1)
            found = found.with_columns(
                pl.concat_str(pl.lit("class="), parts.struct.field("field_0")).alias("variant"),
                parts.struct.field("field_1").alias("endpoint"),
            )
        else:
            found = found.with_columns(pl.lit(variant).alias("variant"))
        found = found.with_columns(rate=pl.col("n") / pl.col("N"))
        frames.append(build_rows(found, {"n": "", "N": "", "rate": PROPORTION}, by="max_grade", **labels))
    silent = events.filter(answer.is_null()).join(serious, on=["TRIAL", "SUBJ"], how="anti").select("SUBJ").unique()
    if silent.height:
        unknown = share_rows(trials, silent, endpoint="ANY", by="answer", level="unknown", **labels)
        frames.append(unknown.filter(pl.col("statistic") != "rate"))
    if serious.is_empty():
        totals = trials.group_by("trial").agg(pl.len().cast(pl.Int64).alias("N")).with_columns(n=pl.lit(0), rate=pl.lit(0.0))
        none = totals.join(pl.DataFrame({"level": list(_LEVELS)}), how="cross")
        frames.append(build_rows(none, {"n": "", "N": "", "rate": PROPORTION}, by="max_grade", endpoint="ANY", **labels))
    return frames


def shift_rows(records: Records) -> list[pl.DataFrame]:
    """Rows on laboratory grades as the source has them (LBTOXGR): the last before lymphodepletion against the worst after day 0.

    Parameters
    ----------
    records : Records
        subjects, and LB in `extra`. No grade is derived from a value: neither the study file nor the rules have limits of CTCAE.

    Returns
    -------
    list of polars.DataFrame
        `analysis` shift, `endpoint` the test, `by` the grade before, `level` the worst after (0 to 5, or `NOT_GRADED`): n and N (infused
        with a grade of the test before or after, up to the cutoff). None where no result has a grade: a row without a value.
    """
    people = infused_people(records)
    key = {"analysis": "shift", "population": "infused"}
    lb = records.extra.get("LB")
    if people.is_empty():
        return []
    if lb is None or "LBTOXGR" not in lb.columns:
        return [absent_row(people, **key)]
    grade = canonical(value_of(lb, "LBTOXGR"), "AETOXGR").cast(pl.Int8, strict=False)
    way = normalised(value_of(lb, "LBTOXDIR")).replace("", None)
    graded = lb.with_columns(grade.alias("GRADE"), normalised(value_of(lb, "LBTESTCD")).alias("TEST"), way.alias("WAY"))
    graded = _each_way(graded.filter(happened(lb, "LB") & pl.col("GRADE").is_between(0, 5) & (pl.col("DAY") == pl.col("DAYX"))))
    graded = graded.join(people, on="SUBJ")
    graded = graded.join(records.subjects.select("SUBJ", "LDSTART"), on="SUBJ", how="left").filter(pl.col("DAY") <= pl.col("CUTOFF"))
    if graded.is_empty():
        return [absent_row(people, **key)]
    start = pl.coalesce("LDSTART", "DAY0")
    keys = ["trial", "SUBJ", "endpoint"]
    before = graded.filter(pl.col("DAY") < start).sort("DAY", "SEQ").group_by(keys).agg(pl.col("GRADE").last().alias("BEFORE"))
    after = graded.filter(pl.col("DAY") > pl.col("DAY0")).group_by(keys).agg(pl.col("GRADE").max().alias("AFTER"))
    both = before.join(after, on=keys, how="full", coalesce=True)
    words = {"by": "BEFORE", "level": "AFTER"}
    both = both.with_columns(pl.col(column).cast(pl.String).fill_null(NOT_GRADED).alias(name) for name, column in words.items())
    count = pl.len().cast(pl.Int64)
    totals = both.group_by("trial", "endpoint").agg(count.alias("N"))
    cells = both.group_by("trial", "endpoint", "by", "level").agg(count.alias("n")).sort("trial", "endpoint", "by", "level")
    window = {**key, "window": "after day 0"}
    return [build_rows(cells.join(totals, on=["trial", "endpoint"], maintain_order="left"), ("n", "N"), **window)]


def _each_way(graded: pl.DataFrame) -> pl.DataFrame:
    """Add `endpoint`: the test, where its grades have two directions each of them by itself.

    A grade 0 has no direction, and is one of each that the grades of its test have.
    """
    bare = (pl.col("GRADE") == 0) & pl.col("WAY").is_null()
    ways = graded.filter(pl.col("WAY").is_not_null()).select("TEST", WAYS="WAY").unique(maintain_order=True)
    free = graded.filter(bare).join(ways, on="TEST", how="left").with_columns(WAY="WAYS").drop("WAYS")
    whole = pl.concat([graded.filter(~bare), free])
    return whole.with_columns(pl.concat_str("TEST", pl.col("WAY"), separator=" ", ignore_nulls=True).alias("endpoint"))


def recovery_rows(study: Study, records: Records) -> list[pl.DataFrame]:
    """Rows on the first recovery of low counts of the infused.

    Parameters
    ----------
    study : Study
        `safety.cytopenia` has the limits: those of a prolonged cytopenia.
    records : Records
        As in `laboratory_rows`.

    Returns
    -------
    list of polars.DataFrame
        `analysis` recovery, `endpoint` NEUT or PLAT, of the dated results after day 0 and up to the cutoff: `by` low: n (ever below the
        limit), N (tested); `by` recovered: n (with a later result at or above it), N (ever below), rate; `by` first-low and first-recovery:
        median, quartiles, min and max, days from day 0; of those who recovered alone. Without a result: one row without a value.

    Notes
    -----
    A result that may lie on either side of the limit is neither. Transfusions and growth factors are not looked at.
    """
    people = infused_people(records)
    if people.is_empty():
        return []
    rule = study.safety.cytopenia
    labs = dated_results(study, records).filter(is_read(()) & (pl.col("CARDAY") > 0))
    frames = []
    for test, limit in (("NEUT", rule.neutrophils_below), ("PLAT", rule.platelets_below)):
        key = {"analysis": "recovery", "population": "infused", "endpoint": test, "window": "after day 0"}
        known = with_low(labs.filter(pl.col("TEST") == test), limit).filter(pl.col("BELOW").is_not_null())
        if known.is_empty():
            frames.append(absent_row(people, **key))
            continue
        tested = people.join(known.select("SUBJ").unique(), on="SUBJ", how="semi")
        first = known.filter("BELOW").group_by("SUBJ").agg(pl.col("CARDAY").min().alias("FIRST"))
        later = known.filter(~pl.col("BELOW")).join(first, on="SUBJ").filter(pl.col("CARDAY") > pl.col("FIRST"))
        back = later.group_by("SUBJ").agg(pl.col("CARDAY").min().alias("VALUE"))
        low = people.join(first.select("SUBJ"), on="SUBJ", how="semi")
        frames.append(share_rows(tested, first, **key, by="low"))
        if low.height:
            frames.append(share_rows(low, back, **key, by="recovered"))
            frames.append(number_rows(low, first.select("SUBJ", VALUE="FIRST"), DAY, **key, by="first-low"))
            frames.append(number_rows(low, back, DAY, **key, by="first-recovery"))
    return frames
