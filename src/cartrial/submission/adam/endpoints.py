"""Which values have the endpoints, and which calls did the readers make? ADRS and ADTTE as they are submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.endpoints import CNSR_CODES, derived_variants
from cartrial.endpoints.absent import NOT_DERIVED, NOT_RECORDED
from cartrial.submission.adam.parameters import coded, parameter_codes
from cartrial.submission.adam.shaped import Shaped, finish, relative_day
from cartrial.submission.variables import SETS

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.study import Study

__all__ = ["READ", "endpoint_codes", "shape_adrs", "shape_adtte"]

READ = {"INV": "OVRINV", "READER 1": "OVRR1", "READER 2": "OVRR2", "ADJUDICATOR": "OVRADJ", "IRC": "OVRIRC", "LAB": "OVRLAB"}
"""PARAMCD of the calls of each reader."""

_KEYS = ("STUDYID", "USUBJID")
_ABSENT = [text.replace(" ", "-") for text in (NOT_RECORDED, NOT_DERIVED)]


def endpoint_codes(study: Study) -> pl.DataFrame:
    """Return the codes of all endpoints and variants of a study: NAME, VARIANT, PARAMCD."""
    return parameter_codes((endpoint.id, variant.name) for endpoint in study.endpoints for variant in derived_variants(study, endpoint))


def _named(frame: pl.DataFrame, unit: str = "") -> pl.DataFrame:
    """Return rows of endpoints with PARAMCD and PARAM of each variant, ENDPTID and ANLPOP."""
    pairs = frame.select("PARAMCD", "VARIANT").unique().iter_rows()
    codes = pl.DataFrame([(a, b, coded(a, b)) for a, b in pairs], schema=["ENDPTID", "VARIANT", "CODE"], orient="row")
    codes = codes.cast(pl.String)
    whose = pl.concat_str(pl.col("POPULATION"), pl.col("READER"), separator=", ", ignore_nulls=True)
    changed = pl.when(pl.col("VARIANT") != "").then(pl.concat_str(pl.lit("; "), "VARIANT")).otherwise(pl.lit(""))
    words = pl.concat_str("PARAM", pl.lit(f"{unit} ("), whose, changed, pl.lit(")"))
    named = frame.rename({"PARAMCD": "ENDPTID"}).with_columns(pl.col("ENDPTID", "VARIANT", "PARAM").cast(pl.String))
    named = named.join(codes, on=["ENDPTID", "VARIANT"], how="left", maintain_order="left")
    return named.with_columns(pl.col("CODE").alias("PARAMCD"), words.alias("PARAM"), pl.col("POPULATION").alias("ANLPOP"))


def _decoded(frame: pl.DataFrame) -> dict[str, str]:
    return dict(frame.select("PARAMCD", "PARAM").unique().sort("PARAMCD").iter_rows())


def shape_adrs(adam: Adam, people: pl.DataFrame) -> Shaped:
    """Return ADRS: each call of each reader, then each endpoint and variant.

    An endpoint that the source cannot give has no rows; the results say why.
    """
    rates = _named(adam.adrs.filter(~pl.col("REASON").cast(pl.String).is_in(_ABSENT).fill_null(False)))
    rates = rates.with_columns(pl.lit("ENDPOINT").alias("PARCAT1"), pl.lit("Y").alias("ANL01FL"))
    reader = pl.col("READER").cast(pl.String)
    calls = adam.adresp.with_columns(
        pl.lit("ASSESSMENT").alias("PARCAT1"),
        reader.replace_strict(READ, default=None, return_dtype=pl.String).alias("PARAMCD"),
        pl.concat_str(pl.lit("Overall response by "), reader).alias("PARAM"),
        pl.when(pl.col("USABLE").cast(pl.String) == "Y").then(pl.lit("Y")).alias("ANL01FL"),
    )
    wanted = [v.name for v in SETS["ADRS"].variables]
    parts = [
        part.select(*(name for name in wanted if name in part.columns and name not in people.columns), *_KEYS[1:])
        for part in (calls, rates)
    ]
    texts = [part.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)) for part in parts]
    frame = pl.concat(texts, how="diagonal_relaxed").join(people, on="USUBJID", how="left", maintain_order="left")
    frame = frame.with_columns(relative_day("CARDAY").alias("ADY"))
    codes = {"PARAMCD": _decoded(frame), "AVALC": {"Y": "Response", "N": "No response", "NYA": "Not yet assessable"}}
    return finish(SETS["ADRS"], frame, codes)


def shape_adtte(adam: Adam, people: pl.DataFrame) -> Shaped:
    """Return ADTTE: each endpoint and variant.

    An endpoint that the source cannot give has no rows; the results say why.
    """
    times = _named(adam.adtte.filter(pl.col("AVAL").is_not_null() & pl.col("CNSR").is_not_null()), ", days")
    frame = times.drop([name for name in people.columns if name in times.columns and name != "USUBJID"])
    frame = frame.join(people, on="USUBJID", how="left", maintain_order="left")
    source, why = pl.col("SRCDOM").cast(pl.String), pl.col("EVNTDESC").cast(pl.String)
    censored = pl.col("CNSR").is_between(1, 19)
    which = (
        pl.when(source.is_in(["PR", "CM", "EX"]))
        .then(pl.concat_str(pl.lit("Date of what stopped the observation: "), why))
        .when(source.is_in(["SS", "DS", "DM", "DD"]))
        .then(pl.lit("Date last known alive"))
        .when(source == "LB")
        .then(pl.lit("Date of the last sample"))
        .when(source.is_not_null())
        .then(pl.lit("Date of the last usable assessment"))
        .otherwise(pl.lit("Origin of the time: nothing was recorded after it"))
    )
    frame = frame.with_columns(
        pl.when(censored).then(which).alias("CNSDTDSC"), relative_day("CARDAY").alias("ADY"), pl.col("CNSR").cast(pl.Int64)
    )
    words = {str(code): word for word, code in CNSR_CODES.items()}
    return finish(SETS["ADTTE"], frame, {"PARAMCD": _decoded(frame), "CNSR": words})
