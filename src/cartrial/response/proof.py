"""Is a marrow with few blasts a relapse by other tests? The table of relapse of the Ponte-di-Legno consortium (rules for children, P4)."""

from __future__ import annotations

import polars as pl

from cartrial.response.codes import NOTHING_SAID, PENDING_PROOF, PROVEN
from cartrial.response.lab_kernel import NEAR_DAYS
from cartrial.sdtm.vocabulary.results import significant
from cartrial.sdtm.vocabulary.specimens import methods_of

__all__ = ["with_proof"]

SURE, DISEASE, LEAST = 25.0, 5.0, 1.0
"""Blasts from which nothing more, one test, or two tests make a relapse. Unit: %."""

TESTED = 0.01
"""Fraction of cells from which a test counts."""

SECOND_DAYS = 28
"""A second marrow is one up to so many days after the first."""

_KINDS = {
    **dict.fromkeys(methods_of(["FLOW CYTOMETRY"]), "flow"),
    **dict.fromkeys(methods_of(["NGS", "PCR"]), "rearrangement"),
    **dict.fromkeys(methods_of(["FISH"]), "fish"),
    **dict.fromkeys(methods_of(["KARYOTYPING"]), "genetics"),
}


def with_proof(dates: pl.DataFrame, labs: pl.DataFrame, lesions: pl.DataFrame) -> pl.DataFrame:
    """Add PROOF to the dates of assessments, after any remission.

    Parameters
    ----------
    dates : polars.DataFrame
        SUBJ, DAY, LOW and HIGH (marrow blasts in %), SAMPLED.
    labs : polars.DataFrame
        Usable results, with LOW: residual disease of marrow by METHOD, as a fraction.
    lesions : polars.DataFrame
        Usable records of disease outside the marrow; CNS2 within 7 days leaves an assessment open.

    Notes
    -----
    A test is flow cytometry, PCR or NGS of a rearrangement, FISH, or genetics. A second marrow with two tests makes a first one from 1 %
    blasts a relapse, dated at the first; until it comes the first is neither relapse nor remission, with 5 % blasts or a test.
    """
    method = pl.col("METHOD").map_elements(lambda word: methods_of([word])[0], return_dtype=pl.String)
    counted = (pl.col("TEST") == "MRD") & (pl.col("SPEC") == "BONE MARROW") & pl.col("DONE") & (significant(pl.col("LOW")) >= TESTED)
    kinds = labs.filter(counted).with_columns(method.replace_strict(_KINDS, default=None, return_dtype=pl.String).alias("KIND"))
    tests = kinds.group_by("SUBJ", "DAY").agg(pl.col("KIND").drop_nulls().n_unique().cast(pl.Int64).alias("TESTS"))
    dates = dates.join(tests, on=["SUBJ", "DAY"], how="left", maintain_order="left").with_columns(pl.col("TESTS").fill_null(0))
    second = dates.filter((pl.col("TESTS") >= 2) & (pl.col("SAMPLED") == 1)).select("SUBJ", pl.col("DAY").alias("AGAIN"))
    later = dates.select("SUBJ", "DAY").join(second, on="SUBJ").filter((pl.col("AGAIN") - pl.col("DAY")).is_between(1, SECOND_DAYS))
    shown = later.select("SUBJ", "DAY").unique().with_columns(pl.lit(True).alias("SHOWN"))
    dates = dates.join(shown, on=["SUBJ", "DAY"], how="left", maintain_order="left")
    if "CNS" in lesions.columns:
        fluid = lesions.filter(pl.col("CNS") == 2).select("SUBJ", pl.col("DAY").alias("SEEN"))
        near = dates.select("SUBJ", "DAY").join(fluid, on="SUBJ").filter((pl.col("SEEN") - pl.col("DAY")).abs() <= NEAR_DAYS)
        few = near.select("SUBJ", "DAY").unique().with_columns(pl.lit(True).alias("FEW"))
        dates = dates.join(few, on=["SUBJ", "DAY"], how="left", maintain_order="left")
    else:
        dates = dates.with_columns(pl.lit(None, dtype=pl.Boolean).alias("FEW"))
    low, tested = pl.col("LOW"), pl.col("TESTS")
    proven = (low >= SURE) | ((low >= DISEASE) & (tested >= 1)) | ((low >= LEAST) & ((tested >= 2) | pl.col("SHOWN").fill_null(False)))
    pending = (low >= DISEASE) | ((low >= LEAST) & (tested >= 1)) | pl.col("FEW").fill_null(False)
    proof = pl.when(proven.fill_null(False)).then(PROVEN).when(pending.fill_null(False)).then(PENDING_PROOF).otherwise(NOTHING_SAID)
    return dates.with_columns(proof.cast(pl.Int64).alias("PROOF")).drop("TESTS", "SHOWN", "FEW")
