"""What does PET say of lymphoma at each visit? The five-point score, the change of uptake and new avid lesions (rules of lymphoma, L4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.response.codes import CHANGE_BY_SCORE, CHANGE_NOT_RECORDED, FROM_PET, NEW_LESION_SEEN, NOT_AVID, PET_BASELINE_MISSING
from cartrial.sdtm.records.codes import PET
from cartrial.sdtm.vocabulary.imaging.codes import ABSENT, DECREASED, EQUIVOCAL, INCREASED, NEW_LESION, NOT_EVALUATED, UNCHANGED
from cartrial.study.criteria.codes import CR, NE, PD, PR, SD

if TYPE_CHECKING:
    from cartrial.study.criteria.sets import CallOptions

__all__ = ["PET_DAYS", "metabolic_calls", "uptake_at_baseline"]

PET_DAYS = 14
"""A lesion seen so many days from a PET is of its visit."""

_SERIES = ["SUBJ", "READER"]
_BY_CHANGE = {DECREASED: PR, UNCHANGED: SD, INCREASED: PD}


def uptake_at_baseline(options: CallOptions, uptake: pl.DataFrame) -> pl.DataFrame:
    """Return the last PET by the day of the baseline, by reader and subject: BASESCORE, and AVIDBASE, whether it showed avid disease."""
    before = uptake.filter((pl.col("DAY") <= pl.col("BASEDAY")) & ((pl.col("SCORE") >= 0) | pl.col("AVID"))).sort(
        "DAY", maintain_order=True
    )
    avid = pl.col("AVID") | (pl.col("SCORE") > options.negative_to).fill_null(False)
    return before.group_by(_SERIES, maintain_order=True).agg(pl.col("SCORE").last().alias("BASESCORE"), avid.last().alias("AVIDBASE"))


def metabolic_calls(options: CallOptions, uptake: pl.DataFrame, lesions: pl.DataFrame) -> pl.DataFrame:
    """Return the call of every PET after the baseline.

    Parameters
    ----------
    options : CallOptions
        Up to which score a PET is negative, and whether a lower score is taken as decreased uptake.
    uptake, lesions : polars.DataFrame
        The usable tables of imaging with BASEDAY, the last day of the baseline.

    Returns
    -------
    polars.DataFrame
        SUBJ, READER, DAY, SEQ, RESP (NE where there is no call by PET), FLAGS, ACCEPTED, MODALITY, and NEGATIVE.

    Notes
    -----
    A new avid lesion is progression also where no score was recorded beside it.
    """
    pets = uptake.filter(pl.col("DAY") > pl.col("BASEDAY")).sort(*_SERIES, "DAY", maintain_order=True).with_row_index("PET")
    pets = pets.join(uptake_at_baseline(options, uptake), on=_SERIES, how="left", maintain_order="left")
    pets = pets.with_columns((pl.col("NEW") | pl.col("PET").is_in(_seen_new(pets, lesions).implode())).alias("NEW"))
    score, base = pl.col("SCORE"), pl.col("BASESCORE")
    negative = score.is_between(1, options.negative_to).fill_null(False)
    positive = (score > options.negative_to).fill_null(False)
    change = pl.col("CHANGE").replace_strict(_BY_CHANGE, default=None, return_dtype=pl.Int8)
    by_score = (
        pl.when(pl.lit(options.score_change) & (base > 0)).then(pl.when(score < base).then(PR).when(score > base).then(PD)).cast(pl.Int8)
    )
    avid = pl.col("AVIDBASE").fill_null(False)
    asked = avid & positive & ~pl.col("NEW")
    call = (
        pl.when(~avid)
        .then(NE)
        .when(negative)
        .then(CR)
        .when((positive | score.is_null()) & pl.col("NEW"))
        .then(PD)
        .when(positive)
        .then(pl.coalesce(change, by_score))
    )
    why = (
        pl.when(pl.col("AVIDBASE").is_null())
        .then(PET_BASELINE_MISSING)
        .when(~avid)
        .then(NOT_AVID)
        .when(asked & change.is_null() & by_score.is_not_null())
        .then(CHANGE_BY_SCORE)
        .when(asked & change.is_null())
        .then(CHANGE_NOT_RECORDED)
        .when((call == PD) & pl.col("NEW"))
        .then(NEW_LESION_SEEN)
        .otherwise(0)
    )
    return pets.with_columns(
        call.fill_null(NE).cast(pl.Int8).alias("RESP"),
        (why.cast(pl.Int64) | FROM_PET).alias("FLAGS"),
        pl.lit(False).alias("ACCEPTED"),
        pl.lit(PET).alias("MODALITY"),
        negative.alias("NEGATIVE"),
    )


def _seen_new(pets: pl.DataFrame, lesions: pl.DataFrame) -> pl.Series:
    """Return the PETs, by their number, that show a new lesion which was identified by PET: each sighting is of the nearest PET."""
    gone = (pl.col("STATE").is_in([ABSENT, NOT_EVALUATED, EQUIVOCAL]) | (pl.col("LONG") == 0)).fill_null(False)
    seen = lesions.filter((pl.col("KIND") == NEW_LESION) & pl.col("PET") & ~gone).select(*_SERIES, "LESION", pl.col("DAY").alias("SEEN"))
    near = seen.join(pets.select(*_SERIES, pl.col("PET").alias("NUMBER"), "DAY"), on=_SERIES)
    near = near.with_columns((pl.col("SEEN") - pl.col("DAY")).abs().alias("GAP")).filter(pl.col("GAP") <= PET_DAYS)
    near = near.sort("GAP", "DAY", maintain_order=True).unique([*_SERIES, "LESION", "SEEN"], keep="first", maintain_order=True)
    return near["NUMBER"].unique()
