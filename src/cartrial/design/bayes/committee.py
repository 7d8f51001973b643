"""What does a monitoring committee read? Boundaries as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cartrial.design.bayes.bop2_joint import JointDesign, joint_boundaries
from cartrial.design.bayes.delayed import Delayed
from cartrial.design.bayes.safety import SafetyRule, safety_boundaries
from cartrial.design.exact.staged import Staged, boundaries
from cartrial.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["committee_table"]


def committee_table(design: Staged | JointDesign | SafetyRule | Delayed, *, did: str = "responded") -> pl.DataFrame:
    """Return the boundaries with a sentence for each.

    Parameters
    ----------
    design : Staged, JointDesign, SafetyRule or Delayed
    did : str, default "responded"
        What subjects did who count: "Stop if 3 or fewer of 15 responded."

    Returns
    -------
    polars.DataFrame
        One row a look: the columns of `boundaries`, `joint_boundaries` or `safety_boundaries`, and sentence. Of a safety rule one row for
        neighbouring looks with the same boundary: n_from, n_to, stop_if_at_least, sentence; looks that never stop are left out. Of a
        delayed design several rows a look: look, n, events_from, events_to (early outcomes seen; null: any), effective (number of subjects
        at which the decision turns), sentence.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> from cartrial.design import Staged, committee_table
    >>> simon = Staged("Simon optimal", (13, 43), (3, 12), (None, 13), 0.2, 0.4, "as published", "Simon 1989")
    >>> for sentence in committee_table(simon)["sentence"]:
    ...     print(sentence)
    Stop if 3 or fewer of 13 responded.
    Success if 13 or more of 43 responded, no success otherwise.
    """
    if isinstance(design, Staged):
        frame = boundaries(design)
        last = frame.height
        return _with(frame, lambda row: _staged(row, did, last=row["look"] == last))
    if isinstance(design, JointDesign):
        return _with(joint_boundaries(design), lambda row: _joint(row, did))
    if isinstance(design, SafetyRule):
        return _ranges(safety_boundaries(design), design.event)
    if isinstance(design, Delayed):
        return _delayed(design, did)
    raise InputError(f"{design!r} has no boundaries", key="design", right="Give a design of this room")


def at_most(count: int, n: int, did: str) -> str:
    """Return "3 or fewer of 15 responded"."""
    return f"none of {n} {did}" if count == 0 else f"{count} or fewer of {n} {did}"


def at_least(count: int, n: int, did: str) -> str:
    """Return "3 or more of 15 responded"."""
    return f"all {n} {did}" if count == n else f"{count} or more of {n} {did}"


def _with(frame: pl.DataFrame, sentence: Any) -> pl.DataFrame:
    import polars as pl

    return frame.with_columns(pl.Series("sentence", [sentence(row) for row in frame.iter_rows(named=True)], dtype=pl.String))


def _staged(row: dict[str, Any], did: str, *, last: bool) -> str:
    n, low, high = row["n"], row["stop_if_at_most"], row["success_if_at_least"]
    if last:
        return f"Success if {at_least(high, n, did)}, no success otherwise."
    parts = []
    if low is not None:
        parts.append(f"Stop if {at_most(low, n, did)}.")
    if high is not None:
        parts.append(f"Stop with success if {at_least(high, n, did)}.")
    return " ".join(parts) or f"Go on at {n} subjects, whatever they show."


def _joint(row: dict[str, Any], did: str) -> str:
    n, low, high = row["n"], row["stop_if_responders_at_most"], row["stop_if_toxicities_at_least"]
    parts = [] if low is None else [at_most(low, n, did)]
    parts += [] if high is None else [at_least(high, n, "had toxicity")]
    return f"Stop if {' or '.join(parts)}." if parts else f"Go on at {n} subjects, whatever they show."


def _ranges(frame: pl.DataFrame, event: str) -> pl.DataFrame:
    import polars as pl

    rows: list[dict[str, Any]] = []
    open_ = False
    for row in frame.iter_rows(named=True):
        stop = row["stop_if_at_least"]
        if stop is not None and open_ and rows[-1]["stop_if_at_least"] == stop:
            rows[-1]["n_to"] = row["n"]
        elif stop is not None:
            rows.append({"n_from": row["n"], "n_to": row["n"], "stop_if_at_least": stop})
        open_ = stop is not None
    for row in rows:
        first, last, stop = row["n_from"], row["n_to"], row["stop_if_at_least"]
        who = at_least(stop, first, f"had {event}") if first == last else f"{stop} or more had {event} among {first} to {last} subjects"
        row["sentence"] = f"Stop if {who}."
    return pl.DataFrame(rows, schema={**dict.fromkeys(("n_from", "n_to", "stop_if_at_least"), pl.Int32), "sentence": pl.String})


def _delayed(design: Delayed, did: str) -> pl.DataFrame:
    import polars as pl

    response = design.early == "response"
    verb = did if response else "failed"
    rows: list[tuple[int, int, int | None, int | None, float | None, str]] = []
    for k, n in enumerate(design.n[:-1]):
        most = n * n // design.n[-1]  # pending without a suspension
        rows.append(
            (k + 1, n, None, None, None, f"With more than {most} of {n} pending, suspend accrual unless they cannot change the decision.")
        )
        lowest = [max(events, n - most) for events in range(n + 1)]
        turns = [not (edge < low or edge >= n) for edge, low in zip(design.edge[k][: n + 1], lowest, strict=True)]
        first = turns.index(True) if any(turns) else None
        last = n - turns[::-1].index(True) if any(turns) else None
        if first is None or last is None:
            go = int(design.go[k])
            first, last = (go, go - 1) if response else (n - go + 1, n - go)
        sure = ("stop", "go on") if response else ("go on", "stop")
        if first > 0:
            rows.append((k + 1, n, 0, first - 1, None, f"If {at_most(first - 1, n, verb)}, {sure[0]}."))
        for events in range(first, last + 1):
            edge = design.edge[k][events]
            way = "more" if response else "less"
            whom = "the known subjects and the pending ones' follow-up in windows together"
            sentence = f"If {events} of {n} {verb}, stop if {whom} come to {way} than {edge:.2f}."
            rows.append((k + 1, n, events, events, edge, sentence))
        if last < n:
            rows.append((k + 1, n, last + 1, n, None, f"If {at_least(last + 1, n, verb)}, {sure[1]}."))
    n, go = design.n[-1], int(design.go[-1])
    rows.append((len(design.n), n, None, None, None, f"With all outcomes known, success if {at_least(go, n, did)}, no success otherwise."))
    whole = dict.fromkeys(("look", "n", "events_from", "events_to"), pl.Int32)
    return pl.DataFrame(rows, schema={**whole, "effective": pl.Float64, "sentence": pl.String}, orient="row")
