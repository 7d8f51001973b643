"""Which blood counts and B cells decide a cytopenia or an aplasia? ADLB as it is submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from cartrial.analysis.tables.safety.laboratory import dated_results, last_near, nearest_to, with_low
from cartrial.sdtm.vocabulary.specimens import CELLS_IN, is_read
from cartrial.sdtm.vocabulary.units import UNITS
from cartrial.submission.adam.shaped import Shaped, finish, relative_day
from cartrial.submission.variables import SETS

if TYPE_CHECKING:
    from cartrial.sdtm import Source
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["shape_adlb"]


class _Asked(NamedTuple):
    """A test, the limit of a cytopenia or aplasia with the day after which it is asked, and the limit near a day, where there is one."""

    test: str
    limit: float
    after: int
    near: float | None


def _asked(study: Study) -> list[_Asked]:
    low, none = study.safety.cytopenia, study.safety.aplasia
    return [
        _Asked("NEUT", low.neutrophils_below, low.after_day, low.last_neutrophils_below),
        _Asked("PLAT", low.platelets_below, low.after_day, low.last_platelets_below),
        _Asked(none.testcd, none.below, 0, None),
    ]


def _windows(study: Study, asked: _Asked, results: pl.DataFrame) -> pl.DataFrame:
    """Return which result is taken for which window: SUBJ, CARDAY, AVISIT, AWLO, AWHI."""
    parts = []
    if asked.near is not None:
        known = with_low(results, asked.near).filter(pl.col("BELOW").is_not_null())
        for day in study.safety.cytopenia.days:
            margin = study.safety.cytopenia.margin
            parts.append((last_near(known, day, margin), f"day {day}", day - margin, day + margin))
    else:
        known = with_low(results, asked.limit).filter(pl.col("BELOW").is_not_null())
        for visit in study.disease.visits:
            window = visit.day - visit.minus, visit.day + visit.plus
            parts.append((nearest_to(known, visit.day, visit.minus, visit.plus), visit.name, *window))
    frames = [
        chosen.select("SUBJ", "CARDAY", pl.lit(name).alias("AVISIT"), pl.lit(low).alias("AWLO"), pl.lit(high).alias("AWHI"))
        for chosen, name, low, high in parts
    ]
    empty = pl.DataFrame(
        schema={"SUBJ": pl.Int32, "CARDAY": results.schema["CARDAY"], "AVISIT": pl.String, "AWLO": pl.Int32, "AWHI": pl.Int32}
    )
    return pl.concat([empty, *frames])


def shape_adlb(study: Study, source: Source, records: Records, people: pl.DataFrame) -> Shaped | None:
    """Return ADLB: the lowest result of each date after the infusion of neutrophils, platelets and B cells; None where there are none.

    A result that is taken for several windows stands once for each.
    """
    dated = records.subjects.select("SUBJ", "DATED")
    labs = dated_results(study, records).filter(pl.col("CARDAY") > 0).join(dated, on="SUBJ", how="left", maintain_order="left")
    if labs.is_empty():
        return None
    unit = {asked.test: UNITS[asked.test].standard if asked.test in UNITS else "" for asked in _asked(study)}
    parts, words = [], {}
    for asked in _asked(study):
        specimen = is_read(()) if asked.near is not None else pl.col("SPEC").is_in(CELLS_IN).fill_null(True)
        results = labs.filter((pl.col("TEST") == asked.test) & specimen)
        if results.is_empty():
            continue
        words[asked.test] = f"{asked.test} ({unit[asked.test]})"
        found = with_low(results, asked.limit).rename({"BELOW": "ONE"})
        two = with_low(results, asked.near).select("SUBJ", "CARDAY", TWO="BELOW") if asked.near is not None else None
        joined = found.join(_windows(study, asked, results), on=["SUBJ", "CARDAY"], how="left", maintain_order="left")
        joined = (
            joined.with_columns(pl.lit(None, dtype=pl.Boolean).alias("TWO"))
            if two is None
            else joined.join(two, on=["SUBJ", "CARDAY"], how="left", maintain_order="left")
        )
        said = f"< {asked.limit:g} {unit[asked.test]}"
        near = None if asked.near is None else f"< {asked.near:g} {unit[asked.test]}"
        parts.append(
            joined.select(*_columns(words[asked.test], asked), pl.lit(said).alias("CRIT1"), pl.lit(near, dtype=pl.String).alias("CRIT2"))
        )
    if not parts:
        return None
    frame = pl.concat(parts).join(records.subjects.select("SUBJ", "USUBJID"), on="SUBJ", how="left", maintain_order="left")
    frame = _as_written(frame, source).join(people, on="USUBJID", how="left", maintain_order="left")
    return finish(SETS["ADLB"], frame, {"PARAMCD": words})


def _columns(words: str, asked: _Asked) -> list[pl.Expr]:
    def flag(name: str) -> pl.Expr:
        return pl.when(name).then(pl.lit("Y")).when(pl.col(name).is_not_null()).then(pl.lit("N"))

    return [
        pl.col("SUBJ"),
        pl.lit(asked.test).alias("PARAMCD"),
        pl.lit(words).alias("PARAM"),
        pl.col("VALUE").alias("AVAL"),
        pl.when("DATED").then(pl.col("DAY")).cast(pl.Date).alias("ADT"),
        relative_day("CARDAY").alias("ADY"),
        *(pl.col(name).cast(pl.Int64) for name in ("CARDAY", "AWLO", "AWHI")),
        pl.col("AVISIT"),
        flag("ONE").alias("CRIT1FL"),
        flag("TWO").alias("CRIT2FL"),
        pl.when((pl.col("CARDAY") > asked.after) & pl.col("ONE").is_not_null()).then(pl.lit("Y")).alias("ANL01FL"),
        pl.when(pl.col("AVISIT").is_not_null()).then(pl.lit("Y")).alias("ANL02FL"),
        pl.lit("LB").alias("SRCDOM"),
        pl.col("SEQ").alias("SRCSEQ"),
    ]


def _as_written(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Add AVALC, the result of LB as it was written."""
    lb = source.domains.get("LB")
    name = next((one for one in ("LBSTRESC", "LBORRES") if lb is not None and one in lb.columns), None)
    if lb is None or name is None:
        return frame
    written = lb.select(
        "USUBJID", pl.col("LBSEQ").cast(pl.Float64).cast(pl.Int64).alias("SRCSEQ"), pl.col(name).cast(pl.String).alias("AVALC")
    )
    return frame.join(written, on=["USUBJID", "SRCSEQ"], how="left", maintain_order="left")
