"""Did the cells of a relapse still have CD19?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.response.arrays import usable
from cartrial.sdtm.vocabulary.results import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records

__all__ = ["ANTIGENS", "relapse_antigen"]

ANTIGENS = ("negative", "positive", "unknown")
"""What is known of the antigen, each at the place of its number."""

TEST = "CD19STAT"
NEAR_DAYS = 14


def relapse_antigen(records: Records, rows: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return CD19 on the cells of each relapse, by its status (LB CD19STAT) nearest to it within 14 days, the earlier on a tie.

    Parameters
    ----------
    records : Records
    rows, day : ndarray of int64, shape (rows,)
        The subject of each row, and the day of its relapse.

    Returns
    -------
    ndarray of int64, shape (rows,)
        Place in `ANTIGENS`. Of one date a positive sample speaks; without a status, and with one before day 0, it is unknown.
    """
    said = (pl.col("TEST") == TEST) & pl.col("DONE") & pl.col("REL").is_in([NEGATIVE, POSITIVE])
    found = usable(records.labs.filter(said), records.subjects)
    found = found.join(records.subjects.select("SUBJ", "DAY0"), on="SUBJ").filter(pl.col("DAY") > pl.col("DAY0"))
    status = found.group_by("SUBJ", "DAY").agg((pl.col("REL") == POSITIVE).any().cast(pl.Int64).alias("STATUS"))
    asked = pl.DataFrame({"SUBJ": rows.astype(np.int32), "AT": day}).with_row_index("ROW")
    near = asked.join(status, on="SUBJ").with_columns((pl.col("DAY") - pl.col("AT")).abs().alias("GAP"))
    near = near.filter(pl.col("GAP") <= NEAR_DAYS).sort("ROW", "GAP", "DAY").unique("ROW", keep="first", maintain_order=True)
    known = np.full(len(rows), ANTIGENS.index("unknown"), np.int64)
    known[near["ROW"].to_numpy()] = near["STATUS"].to_numpy()
    return known
