"""How many cells were measured, and what follows from it? ADPC and ADPP as they are submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.endpoints.sets.adck import samples_of
from cartrial.submission.adam.parameters import coded
from cartrial.submission.adam.shaped import Shaped, finish, relative_day
from cartrial.submission.variables import SETS

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["shape_adpc", "shape_adpp"]


def _units(adam: Adam) -> dict[str, str]:
    """Return the unit of each test, as its highest value has it."""
    tops = adam.adck.filter(pl.col("PARAMCD").cast(pl.String) == "CMAX")
    return dict(
        tops.select(pl.col("PARCAT1").cast(pl.String), pl.col("AVALU").cast(pl.String).fill_null("")).unique().sort("PARCAT1").iter_rows()
    )


def shape_adpc(study: Study, records: Records, adam: Adam, people: pl.DataFrame) -> Shaped | None:
    """Return ADPC: the samples that the parameters are of, one a day; None where there are none."""
    taken = samples_of(study.kinetics.tests, study.product.fraction_days, records)
    if taken.is_empty():
        return None
    who = records.subjects.select("SUBJ", "USUBJID", "DAY0", "DATED")
    test, unit = pl.col("TEST"), _units(adam)
    number = pl.col("C").cast(pl.String).str.replace(r"\.0$", "")
    words: dict[str, str] = {name: f"{name} ({unit[name]})" if unit.get(name) else name for name in study.kinetics.tests}
    frame = taken.join(who, on="SUBJ", how="left", maintain_order="left").select(
        "USUBJID",
        test.alias("PARAMCD"),
        test.replace_strict(words, default=None, return_dtype=pl.String).alias("PARAM"),
        pl.when("LEGIBLE").then("C").alias("AVAL"),
        pl.when(~pl.col("LEGIBLE"))
        .then(None)
        .when("OVER")
        .then(pl.concat_str(pl.lit(">="), number))
        .when(~pl.col("QUANT") & ~pl.col("ZERO"))
        .then(pl.lit("BLQ"))
        .otherwise(number)
        .alias("AVALC"),
        pl.col("T").cast(pl.Int64).alias("ATPTN"),
        relative_day(pl.col("T").cast(pl.Int64)).alias("ADY"),
        pl.when("DATED").then(pl.col("DAY0") + pl.col("T").cast(pl.Int64)).cast(pl.Int32).cast(pl.Date).alias("ADT"),
        pl.col("LOWEST").alias("ALLOQ"),
        pl.when("LEGIBLE").then(pl.when("QUANT").then(pl.lit("Y")).otherwise(pl.lit("N"))).alias("QUANTFL"),
        pl.lit("LB").alias("SRCDOM"),
        pl.col("SEQ").alias("SRCSEQ"),
    )
    return finish(SETS["ADPC"], frame.join(people, on="USUBJID", how="left", maintain_order="left"), {"PARAMCD": words})


def shape_adpp(study: Study, adam: Adam, people: pl.DataFrame) -> Shaped | None:
    """Return ADPP: the kinetic parameters of each test; None where there are none.

    The first test of the study file has the parameters' own codes; those of another have a code of their own, which stays.
    """
    if adam.adck.is_empty():
        return None
    first = study.kinetics.tests[0]
    test, parameter = pl.col("PARCAT1").cast(pl.String), pl.col("PARAMCD").cast(pl.String)
    pairs = adam.adck.select(test.alias("TEST"), parameter.alias("ENDPTID")).unique().sort("TEST", "ENDPTID").rows()
    codes = pl.DataFrame([(t, p, coded(p, "" if t == first else t)) for t, p in pairs], schema=["TEST", "ENDPTID", "CODE"], orient="row")
    unit = pl.col("AVALU").cast(pl.String).fill_null("")
    words = pl.concat_str(pl.col("PARAM").cast(pl.String), pl.lit(" of "), test, pl.lit(" ("), unit, pl.lit(")"))
    frame = adam.adck.with_columns(parameter.alias("ENDPTID"), test.alias("TEST"))
    frame = frame.join(codes, on=["TEST", "ENDPTID"], how="left", maintain_order="left").select(
        *("USUBJID", "ENDPTID", "AVAL", "CNSR", "EXPANDFL", "REASON", "FLAGS", "SRCDOM", "SRCSEQ"),
        test.alias("PARCAT1"),
        pl.col("CODE").alias("PARAMCD"),
        words.alias("PARAM"),
        pl.col("AVALC").cast(pl.String).str.replace("≥ ", ">=", literal=True),
    )
    responded = adam.adsl.select("USUBJID", "RESPFL")
    frame = frame.join(responded, on="USUBJID", how="left", maintain_order="left").join(
        people, on="USUBJID", how="left", maintain_order="left"
    )
    lists = dict(frame.select("PARAMCD", "PARAM").unique().sort("PARAMCD").iter_rows())
    return finish(SETS["ADPP"], frame, {"PARAMCD": lists, "CNSR": {"0": "event", "1": "censored"}})
