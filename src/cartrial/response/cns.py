"""Was there CNS2, few leukaemic cells in the cerebrospinal fluid, near an assessment? It is flagged; twice it is a relapse by option."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.response.arrays import usable
from cartrial.response.codes import CNS2, NOTHING_SAID, PENDING_PROOF, PROVEN, RETURNED
from cartrial.response.lab_kernel import NEAR_DAYS

if TYPE_CHECKING:
    from cartrial.response.arrays import Calls
    from cartrial.sdtm.records import Records

__all__ = ["returned_cns", "second_cns", "with_cns", "with_returned"]

APART = 7
"""Two CNS2 at least so many days apart, without another status between, are a relapse by the option `cns2: twice`."""


def second_cns(records: Records) -> pl.DataFrame:
    """Return the statuses of the central nervous system, the worst of a date, of subjects who ever had CNS2: SUBJ, DAY and CNS."""
    if "CNS" not in records.lesions.columns:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, "DAY": pl.Int32, "CNS": pl.Int8})
    known = usable(records.lesions, records.subjects).filter(pl.col("CNS").is_not_null())
    daily = known.group_by("SUBJ", "DAY").agg(pl.col("CNS").max())
    return daily.filter((pl.col("CNS") == 2).any().over("SUBJ")).sort("SUBJ", "DAY")


def with_cns(calls: Calls, statuses: pl.DataFrame, day0: np.ndarray) -> Calls:
    """Flag the assessments after day 0 whose nearest status within 7 days, the earlier on a tie, is CNS2.

    Parameters
    ----------
    calls : Calls
    statuses : polars.DataFrame
        As `second_cns`.
    day0 : ndarray of int64, shape (subjects,)
    """
    if statuses.is_empty() or not len(calls.day):
        return calls
    reads = pl.DataFrame({"SUBJ": calls.subject.astype(np.int32), "READ": calls.day, "ZERO": day0[calls.subject]}).with_row_index("AT")
    gap = (pl.col("DAY") - pl.col("READ")).abs()
    near = reads.join(statuses, on="SUBJ").with_columns(gap.alias("GAP")).filter(pl.col("GAP") <= NEAR_DAYS)
    near = near.sort("AT", "GAP", "DAY").unique("AT", keep="first", maintain_order=True)
    second = near.filter((pl.col("CNS") == 2) & (pl.col("READ") > pl.col("ZERO")))["AT"].to_numpy()
    flags = calls.flags.copy()
    flags[second] |= CNS2
    return replace(calls, flags=flags)


def returned_cns(records: Records) -> pl.DataFrame:
    """Return the statuses of the central nervous system after day 0 of who ever had CNS2, with RETURNED: whether CNS2 is one of a row.

    Returns
    -------
    polars.DataFrame
        SUBJ, DAY, SEQ and RETURNED, by subject and day. A row is CNS2 of two dates at least 7 days apart with no CNS1 or CNS3 between.
    """
    statuses = second_cns(records).join(records.subjects.select("SUBJ", "DAY0"), on="SUBJ").filter(pl.col("DAY") > pl.col("DAY0"))
    row = (pl.col("CNS") != pl.col("CNS").shift(1)).fill_null(True).cum_sum().over("SUBJ")
    rows = statuses.sort("SUBJ", "DAY").with_columns(row.alias("STRETCH"))
    span = (pl.col("DAY").max() - pl.col("DAY").min()).over("SUBJ", "STRETCH")
    seq = records.lesions.filter(pl.col("CNS") == 2).group_by("SUBJ", "DAY").agg(pl.col("SEQ").first()) if rows.height else None
    rows = rows.with_columns(SEQ=pl.lit(None, dtype=pl.Int64)) if seq is None else rows.join(seq, on=["SUBJ", "DAY"], how="left")
    return rows.sort("SUBJ", "DAY").select("SUBJ", "DAY", "SEQ", ((pl.col("CNS") == 2) & (span >= APART)).alias("RETURNED"))


def with_returned(dates: pl.DataFrame, returned: pl.DataFrame) -> pl.DataFrame:
    """Set PROOF of the dates whose nearest status within 7 days, the earlier on a tie, is a CNS2 of a row: a relapse after a remission."""
    gap = (pl.col("SEEN") - pl.col("DAY")).abs()
    seen = returned.select("SUBJ", pl.col("DAY").alias("SEEN"), "RETURNED")
    near = dates.select("SUBJ", "DAY").join(seen, on="SUBJ").with_columns(gap.alias("GAP")).filter(pl.col("GAP") <= NEAR_DAYS)
    near = near.sort("SUBJ", "DAY", "GAP", "SEEN").unique(["SUBJ", "DAY"], keep="first", maintain_order=True).drop("SEEN", "GAP")
    dates = dates.join(near, on=["SUBJ", "DAY"], how="left", maintain_order="left")
    # where other tests keep it from being a remission, it is none before one either
    proof = pl.when(pl.col("PROOF") == NOTHING_SAID).then(RETURNED).when(pl.col("PROOF") == PENDING_PROOF).then(PROVEN).otherwise("PROOF")
    return dates.with_columns(pl.when(pl.col("RETURNED").fill_null(False)).then(proof).otherwise("PROOF").alias("PROOF")).drop("RETURNED")
