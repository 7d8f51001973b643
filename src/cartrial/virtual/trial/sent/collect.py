"""How do parts of a domain become one frame: sorted, numbered, with a column for each thing that is said?"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Collector", "in_sequence"]

Days = NDArray[np.int64]
Flags = NDArray[np.bool_]
Column = str | float | NDArray[np.generic] | None


def in_sequence(frame: pl.DataFrame) -> pl.DataFrame:
    """Number the records of each subject from 1; the frame is sorted."""
    return frame.with_columns(pl.Series("SEQ", _numbers(frame["SUBJ"].to_numpy()), dtype=pl.Int64))


def _numbers(subject: NDArray[np.generic]) -> Days:
    first = np.flatnonzero(np.diff(subject, prepend=-1))
    return np.asarray(np.arange(len(subject)) - np.repeat(first, np.diff(np.append(first, len(subject)))) + 1, np.int64)


class Collector:
    """Parts of a domain: who, when, what."""

    def __init__(self) -> None:
        self.parts: dict[str, list[dict[str, Column]]] = {}
        self.last: dict[str, list[bool]] = {}

    def add(self, domain: str, who: Flags, day: Days, *, last: bool = False, **columns: Column) -> None:
        """Add one record for each subject of a mask.

        Parameters
        ----------
        domain : str
        who : ndarray of bool, shape (subjects,)
        day : ndarray of int64, shape (subjects,)
        last : bool
            Numbered after the subject's other records, so that the others keep their numbers.
        **columns
            One value, or one for each subject of the mask.
        """
        subject = np.flatnonzero(who)
        self.put(domain, subject, np.asarray(day)[subject], last=last, **columns)

    def put(self, domain: str, subject: Days, day: Days, *, last: bool = False, **columns: Column) -> None:
        """Add records of subjects, who may have several."""
        self.parts.setdefault(domain, []).append({"SUBJ": subject, "DAY": day, **columns})
        self.last.setdefault(domain, []).append(last)

    def frame(self, domain: str) -> pl.DataFrame:
        """Return the domain sorted by SUBJ, DAY and SEQ."""
        parts = self.parts[domain]
        counts = np.array([len(np.asarray(part["SUBJ"])) for part in parts])
        which = np.repeat(np.arange(len(parts)), counts)
        subject, day = (np.concatenate([np.asarray(part[name], np.int32) for part in parts]) for name in ("SUBJ", "DAY"))
        late = np.array(self.last[domain])[which]
        order = np.lexsort((day, late, subject))
        seq = np.empty(len(order), np.int64)
        seq[order] = _numbers(subject[order])
        if late.any():
            order = np.lexsort((seq, day, subject))
        names = [name for name in parts[0] if name not in ("SUBJ", "DAY")]
        columns = [_column(name, [part[name] for part in parts], counts, which, order) for name in names]
        return pl.DataFrame(
            [pl.Series("SUBJ", subject[order]), pl.Series("DAY", day[order]), *columns, pl.Series("SEQ", seq[order])],
        )


def _column(name: str, said: list[Column], counts: Days, which: Days, order: Days) -> pl.Series:
    """Return a column in an order: from one value a part, or from one value a record."""
    if not any(isinstance(values, np.ndarray) for values in said):
        return pl.Series(name, said, strict=False).gather(which[order])
    known = np.array([values is not None for values in said])[which][order]
    filled = [np.broadcast_to(0 if values is None else values, int(n)) for values, n in zip(said, counts, strict=True)]
    column = pl.Series(name, np.concatenate(filled)[order])
    return column if known.all() else column.zip_with(pl.Series(known), pl.Series([None], dtype=column.dtype))
