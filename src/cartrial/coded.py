"""How are texts carried as numbers until they are written? Codes of a column, and the order of rows by several columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["CODED", "codes_as_text", "rank_codes", "row_order", "text_as_codes"]

CODED = pl.Categorical
"""The type of a column of texts that is carried as numbers: compared with words as text is, and sorted as text is."""

_FAR_APART = 1 << 20
"""Codes of polars are those of all columns of the process: a table of so many is still cheap to make."""

_SPAN = 1 << 62


def rank_codes(series: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
    """Return the dense code of each row of a Categorical or Enum column in the order of its values, and the values; null comes first.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.coded import rank_codes
    >>> codes, values = rank_codes(pl.Series(["PR", "CR", None, "PR"], dtype=pl.Categorical))
    >>> codes.tolist(), values.to_list()
    ([2, 1, 0, 2], [None, 'CR', 'PR'])
    """
    physical = series.to_physical()
    none = 0 if series.is_empty() else int(physical.max() or 0) + 1  # type: ignore[arg-type]
    numbers = (physical.cast(pl.Int64).fill_null(none) if series.null_count() else physical).to_numpy().astype(np.int64)
    if none > _FAR_APART + 4 * len(numbers):
        present, place = np.unique(numbers, return_index=True)
    else:
        first = np.full(none + 1, -1, np.int64)
        first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
        present = np.flatnonzero(first >= 0)
        place = first[present]
    values = series.gather(place)
    order = values.arg_sort(nulls_last=False).to_numpy()
    ranks = np.empty(len(present), np.int64)
    ranks[order] = np.arange(len(present))
    if none > _FAR_APART + 4 * len(numbers):
        return ranks[np.searchsorted(present, numbers)], values.gather(order)
    table = np.zeros(none + 1, np.int64)
    table[present] = ranks
    return table[numbers], values.gather(order)


def text_as_codes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with its texts carried as codes."""
    return frame.with_columns(pl.col(pl.String).cast(CODED))


def codes_as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with what it carries as codes as texts."""
    columns = []
    for series in frame.get_columns():
        if series.dtype == CODED:
            codes, values = rank_codes(series)  # a few texts are made, and each row takes one: four times as fast as a cast
            columns.append(values.cast(pl.String).gather(codes).alias(series.name))
        else:
            columns.append(series)
    return pl.DataFrame(columns)


def row_order(frame: pl.DataFrame, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of a frame in the order of some columns: texts, coded or not, and numbers; null comes first, ties stay as they are.

    As `frame.sort(names, maintain_order=True)`, of one packed key.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.coded import row_order
    >>> row_order(pl.DataFrame({"a": ["y", "x", "x"], "b": [1.0, 2.0, None]}), ["a", "b"]).tolist()
    [2, 1, 0]
    """
    packed: list[np.ndarray] = []
    key, span = np.zeros(frame.height, np.int64), 1
    for name in names:
        codes, count = _ranked(frame[name])
        if count < 2:
            continue
        if span > _SPAN // count:
            packed.append(key)
            key, span = np.zeros(frame.height, np.int64), 1
        key, span = key * count + codes, span * count
    if not packed:
        return np.argsort(key, kind="stable")
    return np.lexsort((key, *reversed(packed)))


def _ranked(series: pl.Series) -> tuple[np.ndarray, int]:
    """Return the rank of each row of a column and how many ranks there are; null is the lowest."""
    if series.is_empty():
        return np.zeros(0, np.int64), 0
    if series.dtype == pl.String:
        series = series.cast(CODED)
    if series.dtype in (pl.Categorical, pl.Enum):
        codes, values = rank_codes(series)
        return codes, len(values)
    values = series.drop_nulls().unique().sort()
    found = np.searchsorted(values.to_numpy(), series.fill_null(values[0] if len(values) else 0).to_numpy()).astype(np.int64) + 1
    return (np.where(series.is_null().to_numpy(), 0, found) if series.null_count() else found), len(values) + 1
