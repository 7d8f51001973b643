"""Which records may be used, and how do columns become the arrays that a kernel reads?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

__all__ = ["Calls", "offsets", "usable", "wide"]


def usable(frame: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """Keep the records of a full date on or before the subject's cutoff, which is added to them."""
    return frame.join(subjects.select("SUBJ", "CUTOFF"), on="SUBJ").filter(
        (pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF"))
    )


def wide(column: pl.Series, missing: float | int = 0) -> np.ndarray:
    """Return a column as int64, or as float64 with nan for null."""
    filling = column.null_count() > 0  # else no plan is made for nothing
    if column.dtype.is_float():
        filled = column.fill_null(float("nan")) if filling else column
        return np.ascontiguousarray(filled.to_numpy(writable=True))
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    filled = column.fill_null(missing) if filling else column
    return np.ascontiguousarray(filled.cast(pl.Int64).to_numpy(writable=True))


def offsets(subject: np.ndarray, subjects: int) -> np.ndarray:
    """Return where each subject starts in a sorted column: int64, shape (subjects + 1,)."""
    return np.searchsorted(subject, np.arange(subjects + 1), side="left").astype(np.int64)


@dataclass(frozen=True)
class Calls:
    """One reader's assessments as arrays.

    Parameters
    ----------
    at : ndarray of int64, shape (subjects + 1,)
        Where each subject's assessments start.
    day, status, flags, seq, mrd, mrd_seq : ndarray of int64, shape (assessments,)
        Sorted by subject and day.
    """

    at: np.ndarray
    day: np.ndarray
    status: np.ndarray
    flags: np.ndarray
    seq: np.ndarray
    mrd: np.ndarray
    mrd_seq: np.ndarray

    @property
    def subject(self) -> np.ndarray:
        """Subject of each assessment."""
        return np.repeat(np.arange(len(self.at) - 1), np.diff(self.at))
