"""How does a table's column become an array that a kernel reads?"""

from __future__ import annotations

import numpy as np
import polars as pl

__all__ = ["FAR", "offsets", "wide"]

FAR = 2**40
"""Stands for a day that has not come."""


def wide(column: pl.Series, missing: float | int = 0) -> np.ndarray:
    """Return a column as int64, or as float64 with nan for null."""
    if column.dtype.is_float():
        return np.ascontiguousarray(column.fill_null(float("nan")).to_numpy(writable=True))
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    return np.ascontiguousarray(column.fill_null(missing).cast(pl.Int64).to_numpy(writable=True))


def offsets(subject: np.ndarray, subjects: int) -> np.ndarray:
    """Return where each subject starts in a sorted column: int64, shape (subjects + 1,)."""
    return np.searchsorted(subject, np.arange(subjects + 1), side="left").astype(np.int64)
