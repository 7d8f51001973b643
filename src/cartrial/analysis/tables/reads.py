"""Which reads of two readers belong together: those of one sample, and the best of each?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from cartrial.analysis.estimators.arguments import check_columns, check_texts
from cartrial.analysis.estimators.groups import group_rows
from cartrial.coded import CODED, rank_codes
from cartrial.response.pairs_kernel import PAIR_DAYS
from cartrial.study.criteria.codes import NE, RESPONSES
from cartrial.study.criteria.leukaemia import LEUKAEMIA

__all__ = ["Reads", "best_reads", "bests_of", "code_reads", "pair_reads", "pairs_of"]


_PAIR = ["TRIAL", "SUBJ", "CARDAY", "FIRST", "SECOND"]
_NONE = 127


class Reads(NamedTuple):
    """Reads as numbers, coded once for every pair of readers; arrays of a value for each read.

    `group`: its subject; `date`: its subject and day in one; `dated`, `after`: whether it has a day, and one after day 0; `reader`, `call`:
    places in `readers` and `calls`.
    """

    frame: pl.DataFrame
    group: np.ndarray
    date: np.ndarray
    dated: np.ndarray
    after: np.ndarray
    reader: np.ndarray
    call: np.ndarray
    usable: np.ndarray
    readers: list[str]
    calls: list[str]


def code_reads(reads: pl.DataFrame) -> Reads:
    """Return reads as numbers: TRIAL, SUBJ, READER, CARDAY, AVALC, and USABLE where it is there."""
    frame = reads.with_columns(pl.col("READER", "AVALC").cast(CODED))
    group, _ = group_rows(frame, ["TRIAL", "SUBJ"])
    day = frame["CARDAY"].cast(pl.Int64)
    low, high = (int(day.min() or 0), int(day.max() or 0))  # type: ignore[arg-type]
    dated, days = day.is_not_null().to_numpy(), day.fill_null(low).to_numpy()
    (reader, readers), (call, calls) = (rank_codes(frame[name]) for name in ("READER", "AVALC"))
    usable = (frame["USABLE"] == "Y").fill_null(False).to_numpy() if "USABLE" in frame.columns else np.ones(frame.height, bool)
    date = group * (high - low + 1) + (days - low)
    return Reads(frame, group, date, dated, dated & (days > 0), reader, call, usable, readers.to_list(), calls.to_list())


def pair_reads(reads: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Pair the reads of two readers by date: the nearest within 7 days, each read used once.

    The nearest pair of all is made first, then the nearest of the rest; on a tie the earlier.

    Parameters
    ----------
    reads : polars.DataFrame
        TRIAL, SUBJ, READER, CARDAY (days from day 0), AVALC (the call); as ADRESP.
    first, second : str
        Readers.

    Returns
    -------
    polars.DataFrame
        One row for each pair: TRIAL, SUBJ, CARDAY (of the first), FIRST, SECOND (calls), sorted.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import pair_reads
    >>> reads = {"TRIAL": 1, "SUBJ": 1, "READER": ["IRC", "IRC", "INV"], "CARDAY": [28, 90, 30]}
    >>> reads |= {"AVALC": ["CR", "CR", "CRi"]}
    >>> pair_reads(pl.DataFrame(reads), "IRC", "INV").rows()
    [(1, 1, 28, 'CR', 'CRi')]
    """
    check_columns(reads, "TRIAL", "SUBJ", "READER", "CARDAY", "AVALC")
    check_texts(first=first, second=second)
    made = pairs_of(code_reads(reads), first, second)
    return made.with_columns(pl.col("FIRST", "SECOND").cast(pl.String)).sort(_PAIR)


def pairs_of(reads: Reads, first: str, second: str) -> pl.DataFrame:
    """Return the pairs of `pair_reads`, in any order, calls as codes."""
    own, other = (_of_reader(reads, name) for name in (first, second))
    # reads of one date are each other's nearest: the first of each pair, and few are left to compare with one another
    date = [reads.date[rows] for rows in (own, other)]
    heads = [np.flatnonzero(np.diff(days, prepend=-1) != 0) for days in date]
    _, left, right = np.intersect1d(date[0][heads[0]], date[1][heads[1]], assume_unique=True, return_indices=True)
    taken = heads[0][left], heads[1][right]
    same = _paired(reads, own[taken[0]], other[taken[1]])
    own, other = np.delete(own, taken[0]), np.delete(other, taken[1])
    both = np.intersect1d(reads.group[own], reads.group[other])
    if not len(both):
        return same
    own, other = own[np.isin(reads.group[own], both)], other[np.isin(reads.group[other], both)]
    return pl.concat([same, _nearest(reads, own, other)])


def _of_reader(reads: Reads, name: str) -> np.ndarray:
    """Return the rows of a reader that have a day, by subject, day and call."""
    if name not in reads.readers:
        return np.zeros(0, np.int64)
    rows = np.flatnonzero((reads.reader == reads.readers.index(name)) & reads.dated)
    return rows[np.argsort(reads.date[rows] * len(reads.calls) + reads.call[rows], kind="stable")]


def _paired(reads: Reads, own: np.ndarray, other: np.ndarray) -> pl.DataFrame:
    frame = reads.frame[own].select("TRIAL", "SUBJ", "CARDAY", FIRST="AVALC")
    return frame.with_columns(reads.frame["AVALC"].gather(other).alias("SECOND"))


def _nearest(reads: Reads, own: np.ndarray, other: np.ndarray) -> pl.DataFrame:
    """Pair what is left of two readers, the nearest within 7 days first."""
    group, day = reads.group, reads.frame["CARDAY"]
    sides = [pl.DataFrame({"GROUP": group[rows], "AT": rows, "DAY": day.gather(rows)}) for rows in (own, other)]
    left = sides[0].with_row_index("I").join(sides[1].with_row_index("J"), on="GROUP", how="inner", suffix="_OTHER")
    left = left.with_columns(GAP=(pl.col("DAY_OTHER") - pl.col("DAY")).abs()).filter(pl.col("GAP") <= PAIR_DAYS)
    left = left.sort("GAP", "DAY", "DAY_OTHER", "I", "J").with_row_index("RANK")
    found = [left.clear()]
    while left.height:
        nearest = pl.col("RANK") == pl.col("RANK").min()
        made = left.filter(nearest.over("I") & nearest.over("J"))
        found.append(made)
        left = left.join(made, on="I", how="anti").join(made, on="J", how="anti")
    made = pl.concat(found)
    return _paired(reads, made["AT"].to_numpy(), made["AT_OTHER"].to_numpy())


def best_reads(reads: pl.DataFrame, first: str, second: str, best_first: Sequence[str] = LEUKAEMIA.best_first) -> pl.DataFrame:
    """Pair the best call of two readers, over subjects that both read after day 0.

    Parameters
    ----------
    reads : polars.DataFrame
        TRIAL, SUBJ, READER, CARDAY, AVALC, USABLE (Y/N); as ADRESP. Of unusable reads only their existence counts: a subject without a
        usable read has NE.
    first, second : str
        Readers.
    best_first : sequence of str
        The calls, the best first.

    Returns
    -------
    polars.DataFrame
        One row for each subject: TRIAL, SUBJ, FIRST, SECOND, sorted.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import best_reads
    >>> reads = {"TRIAL": 1, "SUBJ": 1, "READER": ["IRC", "IRC", "INV"], "CARDAY": [28, 90, 30]}
    >>> reads |= {"AVALC": ["CRi", "CR", "NR"], "USABLE": "Y"}
    >>> best_reads(pl.DataFrame(reads), "IRC", "INV").rows()
    [(1, 1, 'CR', 'NR')]
    """
    check_columns(reads, "TRIAL", "SUBJ", "READER", "CARDAY", "AVALC", "USABLE")
    check_texts(first=first, second=second)
    made = bests_of(code_reads(reads), first, second, best_first)
    return made.with_columns(pl.col("FIRST", "SECOND").cast(pl.String)).sort("TRIAL", "SUBJ")


def bests_of(reads: Reads, first: str, second: str, best_first: Sequence[str]) -> pl.DataFrame:
    """Return the pairs of `best_reads`, in any order, calls as codes."""
    worst = len(best_first) - 1
    place = np.array([best_first.index(name) if name in best_first else worst for name in reads.calls] or [worst], np.int8)
    not_read = best_first.index(RESPONSES[NE]) if RESPONSES[NE] in best_first else worst
    # A relapse follows a remission: alone it says that there was none.
    rank = np.where(reads.usable, place[reads.call], not_read).astype(np.int8)
    count = int(reads.group.max()) + 1 if len(reads.group) else 0
    best, row = [], np.zeros(count, np.int64)
    for name in (first, second):
        rows = np.flatnonzero((reads.reader == (reads.readers.index(name) if name in reads.readers else -1)) & reads.after)
        least = np.full(count, _NONE, np.int8)
        np.minimum.at(least, reads.group[rows], rank[rows])
        row[reads.group[rows]] = rows
        best.append(least)
    both = np.flatnonzero((best[0] != _NONE) & (best[1] != _NONE))
    names = pl.Series([*best_first], dtype=CODED)
    sides = {name: names.gather(values[both].astype(np.int64)) for name, values in zip(("FIRST", "SECOND"), best, strict=True)}
    return reads.frame[row[both]].select("TRIAL", "SUBJ").with_columns(**sides)
