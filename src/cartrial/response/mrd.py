"""What does each sample say of residual disease? The records as the kernel reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.response.arrays import offsets, wide
from cartrial.response.codes import MRD_NEGATIVE, MRD_NOT_EVALUABLE, MRD_POSITIVE
from cartrial.response.mrd_kernel import MrdSamples
from cartrial.sdtm.vocabulary.results import AT_MOST, BELOW, POSITIVE, UNQUANTIFIED, result_bounds, significant
from cartrial.sdtm.vocabulary.specimens import by_method, is_read

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["mrd_samples"]


def mrd_samples(study: Study, labs: pl.DataFrame, count: int) -> MrdSamples:
    """Return the samples with a result, of the specimens, and by the methods, that the study names.

    Parameters
    ----------
    study : Study
        `disease.mrd`: the limit, the specimens and the methods.
    labs : polars.DataFrame
        The usable ones of `Records.labs`.
    count : int
        How many subjects there are.
    """
    residual = study.disease.mrd
    used = (pl.col("TEST") == "MRD") & pl.col("DONE") & pl.col("REL").is_not_null() & is_read(residual.specimens)
    used &= by_method(residual.methods)
    frame = labs.filter(used).with_columns(result_bounds()).with_columns(_call(residual.negative_below), significant(pl.col("LOD")))
    frame = frame.sort("SUBJ", "DAY", "SEQ", maintain_order=True)
    at, seq = offsets(wide(frame["SUBJ"]), count), wide(frame["SEQ"], -1)
    return MrdSamples(at, wide(frame["DAY"]), wide(frame["CALL"]), wide(frame["LOD"]), seq)


def _call(negative_below: float) -> pl.Expr:
    """Positive at any limit of detection, negative only by an assay at least as sensitive; else not evaluable (rules, A8)."""
    limit, relation = significant(pl.lit(negative_below)), pl.col("REL")
    positive = (relation == POSITIVE) | (pl.col("LOW") >= limit)
    # a limit of the assay itself, as <x, needs no other beside it
    sensitive = (significant(pl.col("LOD")) <= limit).fill_null(relation.is_in([BELOW, AT_MOST, UNQUANTIFIED]))
    negative = (pl.col("HIGH") < limit) & sensitive
    call = pl.when(positive).then(MRD_POSITIVE).when(negative).then(MRD_NEGATIVE).otherwise(MRD_NOT_EVALUABLE)
    return call.cast(pl.Int64).alias("CALL")
