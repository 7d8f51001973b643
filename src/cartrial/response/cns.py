"""Was there CNS2, few leukaemic cells in the cerebrospinal fluid, near an assessment? It is flagged, and no relapse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.response.arrays import usable
from cartrial.response.codes import CNS2
from cartrial.response.lab_kernel import NEAR_DAYS

if TYPE_CHECKING:
    from cartrial.response.assess import Calls
    from cartrial.sdtm.records import Records

__all__ = ["second_cns", "with_cns"]


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
