"""Which rows belong together? Dense group numbers for any columns, and passes over groups without a loop over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cartrial.analysis.estimators.arguments import check_column, check_filled, check_frame, check_free, check_names
from cartrial.coded import rank_codes
from cartrial.errors import InputError

__all__ = ["accumulate", "beside", "first_true", "group_rows", "last_before", "segment_minimum"]

_CELLS = 1 << 21
"""Cells of one padded block: small enough to stay near the processor, large enough to make blocks few."""


def group_rows(frame: pl.DataFrame, by: Sequence[str], *, blank: bool = True) -> tuple[np.ndarray, pl.DataFrame]:
    """Number the groups of a frame.

    Parameters
    ----------
    frame : polars.DataFrame
    by : sequence of str
        Columns that define a group: integers, strings, Categorical or Enum. None: one group.
    blank : bool
        Whether a blank text is a group of its own, as it is of variants; it is not of arms.

    Returns
    -------
    codes : ndarray of int64, shape (rows,)
        Group of each row, 0 to groups - 1, in the sorted order of `by`.
    keys : polars.DataFrame, shape (groups, len(by))
        The groups. A group exists only if a row has it.

    Raises
    ------
    InputError
        If a group column is missing, holds null, or has values that are no groups.
    """
    check_frame(frame)
    by = check_names(by, "by")
    for name in by:
        series = check_column(frame, name, "to group by")
        if series.null_count() or not blank:
            check_filled(series, f"the group column {name} has empty values", "Every row belongs to one group")
        if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
            raise InputError(f"values of type {series.dtype} are no groups", key=name, right="Groups are numbers or text")
        if series.dtype.is_float() and not series.is_finite().all():
            raise InputError("a group is not a finite number", key=name, right="Groups are numbers or text")
    if not by:
        return np.zeros(frame.height, np.int64), pl.DataFrame({"_": pl.Series([], dtype=pl.Int8)}).select([])
    codes = np.zeros(frame.height, np.int64)
    levels: list[pl.Series] = []
    span = 1
    for name in by:
        inner, values = _column(frame[name])
        span *= max(len(values), 1)
        levels.append(values)
        codes = codes * max(len(values), 1) + inner if len(levels) > 1 else inner
        if span > 1 << 62:
            raise InputError("the group columns have too many combinations", key=", ".join(by), right="Group by fewer columns")
    if len(by) == 1:
        return codes, pl.DataFrame(levels)
    codes, present = _dense(codes, span)
    columns: list[pl.Series] = []
    for values in reversed(levels):
        present, place = np.divmod(present, max(len(values), 1))
        columns.append(values.gather(place))
    return codes, pl.DataFrame(list(reversed(columns)))


def beside(keys: pl.DataFrame, columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Set columns beside the group keys (which may have no columns); refuse keys that have a name of theirs."""
    check_free(keys.columns, [series.name for series in columns])
    return pl.DataFrame([*keys.get_columns(), *columns])


def _column(series: pl.Series) -> tuple[np.ndarray, pl.Series]:
    """Return the dense code of each row, and the sorted values."""
    if series.dtype.is_integer():
        if series.is_empty():
            return np.zeros(0, np.int64), series
        low, high = int(series.min()), int(series.max())  # type: ignore[arg-type]
        if low < -(1 << 61) or high > 1 << 61:
            values = series.unique().sort()
            return values.search_sorted(series).to_numpy().astype(np.int64), values
        numbers = series.to_numpy().astype(np.int64)
        codes, present = _dense(numbers - low, high - low + 1)
        return codes, pl.Series(series.name, present + low, dtype=series.dtype)
    if series.dtype in (pl.Categorical, pl.Enum):
        return rank_codes(series)
    values = series.unique().sort()
    order = pl.DataFrame({series.name: values, "_code": np.arange(len(values), dtype=np.int64)})
    codes = series.to_frame().join(order, on=series.name, how="left", maintain_order="left")["_code"].to_numpy()
    return codes, values


def _dense(codes: np.ndarray, span: int) -> tuple[np.ndarray, np.ndarray]:
    """Close the gaps between codes; return them and the codes that occur."""
    if span <= 4 * len(codes) + 1024:
        seen = np.zeros(span, bool)
        seen[codes] = True
        if seen.all():
            return codes, np.arange(span)
        return (np.cumsum(seen) - 1)[codes], np.flatnonzero(seen)
    present, dense = np.unique(codes, return_inverse=True)
    return dense.astype(np.int64), present


def accumulate(operation: np.ufunc, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Running product or sum inside each segment.

    Each segment is reduced from its first value to its last by itself, so its figures are the same, bit for bit, whatever
    other segments stand beside it.

    Parameters
    ----------
    operation : numpy.ufunc
        ``np.multiply`` or ``np.add``.
    values : ndarray of float64, shape (rows,)
    offsets : ndarray of int64, shape (segments + 1,)
        Where each segment starts; the last is the number of rows.

    Returns
    -------
    ndarray of float64, shape (rows,)
    """
    lengths = np.diff(offsets)
    out = np.empty_like(values)
    if len(values) == 0:
        return out
    width_class = np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64)
    for width in np.unique(width_class):
        chosen = np.flatnonzero((width_class == width) & (lengths > 0))
        widest = int(lengths[chosen].max()) if len(chosen) else 0
        step = max(1, _CELLS // max(widest, 1))
        for start in range(0, len(chosen), step):
            rows = chosen[start : start + step]
            inside = np.arange(widest) < lengths[rows, None]
            if rows[-1] - rows[0] == len(rows) - 1:
                place: slice | np.ndarray = slice(offsets[rows[0]], offsets[rows[-1] + 1])
            else:
                place = (offsets[rows, None] + np.arange(widest))[inside]
            block = np.full(inside.shape, operation.identity, np.float64)
            block[inside] = values[place]
            operation.accumulate(block, axis=1, out=block)
            out[place] = block[inside]
    return out


def segment_minimum(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the smallest value of each segment. No segment may be empty; not-a-number wins."""
    return np.minimum.reduceat(values, offsets[:-1]) if len(values) else np.empty(0, values.dtype)


def first_true(flags: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the row of the first true flag of each segment, or the number of rows where there is none."""
    rows = np.where(flags, np.arange(len(flags)), len(flags))
    return segment_minimum(rows, offsets)


def last_before(times: np.ndarray, offsets: np.ndarray, at: np.ndarray, *, inclusive: bool = True) -> np.ndarray:
    """Count the rows of each segment whose time is not after a given time.

    Parameters
    ----------
    times : ndarray of float64, shape (rows,)
        Rising inside each segment.
    offsets : ndarray of int64, shape (segments + 1,)
    at : ndarray of float64, shape (segments,)
        One time for each segment.
    inclusive : bool
        Whether a row at that very time counts.

    Returns
    -------
    ndarray of int64, shape (segments,)
    """
    if len(times) == 0:
        return np.zeros(len(offsets) - 1, np.int64)
    limit = np.repeat(at, np.diff(offsets))
    flags = times <= limit if inclusive else times < limit
    return np.add.reduceat(flags.astype(np.int64), offsets[:-1])
