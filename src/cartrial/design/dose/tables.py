"""What is done after so many DLTs in so many subjects at a dose? Decision tables of BOIN, 3+3 and mTPI-2, as a committee reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.design.exact.checks import check_number, check_whole
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = [
    "LETTERS",
    "WORDS",
    "DecisionTable",
    "decision_boundaries",
    "decision_frame",
    "decision_legend",
    "decision_rows",
    "derive_boin_interval",
    "derive_boin_table",
    "derive_mtpi2_table",
    "derive_three_plus_three_table",
    "exceedance",
]

# in the order of caution: the position is the code in the kernel
LETTERS = ("E", "S", "D", "DU")
WORDS = {
    "E": "Escalate: the next cohort receives the next higher dose, or this dose where none higher is left.",
    "S": "Stay: the next cohort receives this dose.",
    "D": "De-escalate: the next cohort receives the next lower dose, or this dose where it is the lowest.",
    "DU": "De-escalate, unacceptable: this dose and all higher ones are never given again; at the lowest dose the trial stops.",
}
_MOST = 1000
# numbers this close are equal: some boundaries are simple fractions, such as 1/2 for a target of 0.4 and p_tox of 0.6
_ON = 1e-9


@dataclass(frozen=True)
class DecisionTable(Shown):
    """Decisions by subjects and DLTs at the current dose.

    Parameters
    ----------
    n : tuple of int
        Numbers of subjects at a dose that the table speaks of, increasing.
    letters : tuple of tuple of str
        For each of `n` the decisions at 0, 1, ..., n DLTs: E, S, D or DU.

    Raises
    ------
    InputError
        If the table is empty, `n` does not increase, a row is too short or too long, a letter is unknown, or a decision is less cautious
        than the one at fewer DLTs.
    """

    n: tuple[int, ...]
    letters: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if not self.n or len(self.n) != len(self.letters):
            raise InputError("the decision table is empty or its parts do not pair", right="Give one row of decisions for each n")
        if self.n[0] < 1 or any(b <= a for a, b in zip(self.n, self.n[1:], strict=False)):
            raise InputError("the numbers of subjects do not increase from 1 or more", key="n", right="Give each n once, in order")
        for n, row in zip(self.n, self.letters, strict=True):
            if len(row) != n + 1:
                raise InputError(f"n = {n} has {len(row)} decisions", key="decision", right=f"Give one for each of 0 to {n} DLTs")
            for dlt, letter in enumerate(row):
                if letter not in LETTERS:
                    raise InputError(f"n = {n}, {dlt} DLTs: the decision {letter!r} is unknown", key="decision", right="Use E, S, D or DU")
                if dlt and LETTERS.index(letter) < LETTERS.index(row[dlt - 1]):
                    raise InputError(
                        f"n = {n}: the decision is {row[dlt - 1]} at {dlt - 1} DLTs but {letter} at {dlt}",
                        key="decision",
                        right="More DLTs never lead to a less cautious decision",
                    )

    def decide(self, n: int, dlt: int) -> str:
        """Return the letter of the decision.

        Raises
        ------
        InputError
            If there are more DLTs than subjects, or the table does not speak of so many subjects.
        """
        if not 0 <= dlt <= n:
            raise InputError(f"{dlt} DLTs in {n} subjects are impossible", key="dlt", right=f"Give 0 to {n} DLTs")
        if n not in self.n:
            raise InputError(f"the decision table has no row for {n} subjects", key="n", right=f"It speaks of {_list(self.n)}")
        return self.letters[self.n.index(n)][dlt]

    def codes(self) -> NDArray[np.int8]:
        """Return the positions of the decisions in `LETTERS` by subjects and DLTs, -1 where there is none; shape (n + 1, n + 1)."""
        most = self.n[-1]
        out = np.full((most + 1, most + 1), -1, np.int8)
        for n, row in zip(self.n, self.letters, strict=True):
            out[n, : n + 1] = [LETTERS.index(letter) for letter in row]
        return out


def decision_frame(table: DecisionTable, n: Sequence[int] | None = None) -> pl.DataFrame:
    """Return the table as a committee reads it: one row for each number of DLTs, one column for each number of subjects.

    Parameters
    ----------
    table : DecisionTable
    n : sequence of int, optional
        Show these numbers of subjects alone, as the multiples of the cohort size.

    Returns
    -------
    polars.DataFrame
        `dlt`, then a column of letters named by each n; null where there are fewer subjects than DLTs.

    Examples
    --------
    By hand, of 3+3: the DLTs, then the decisions of 3 and 6 subjects.

    >>> from cartrial.design import decision_frame, design_three_plus_three
    >>> decision_frame(design_three_plus_three().table).rows()[:3]
    [(0, 'E', 'E'), (1, 'S', 'E'), (2, 'DU', 'DU')]
    """
    shown = tuple(table.n if n is None else n)
    if missing := [k for k in shown if k not in table.n]:
        raise InputError(f"the decision table has no row for {_list(missing)} subjects", key="n", right=f"It speaks of {_list(table.n)}")
    if not shown:
        raise InputError("no number of subjects is to be shown", key="n", right=f"Name some of {_list(table.n)}")
    most = max(shown)
    rows = {k: table.letters[table.n.index(k)] for k in shown}
    columns = {str(k): [*row, *([None] * (most - k))] for k, row in rows.items()}
    return pl.DataFrame({"dlt": range(most + 1), **columns}, schema={"dlt": pl.Int32, **dict.fromkeys(columns, pl.String)})


def decision_legend(words: dict[str, str] | None = None) -> pl.DataFrame:
    """Return what each letter means: columns `decision` and `action`."""
    words = WORDS if words is None else words
    return pl.DataFrame({"decision": list(words), "action": list(words.values())})


def decision_rows(table: DecisionTable) -> pl.DataFrame:
    """Return the table in the form that `read_decision_table` reads: columns `n`, `dlt`, `decision`."""
    rows = [(n, dlt, letter) for n, row in zip(table.n, table.letters, strict=True) for dlt, letter in enumerate(row)]
    return pl.DataFrame(rows, schema={"n": pl.Int32, "dlt": pl.Int32, "decision": pl.String}, orient="row")


def decision_boundaries(table: DecisionTable) -> pl.DataFrame:
    """Return the table as boundaries.

    Returns
    -------
    polars.DataFrame
        `n`, `escalate_if_at_most`, `deescalate_if_at_least`, `eliminate_if_at_least` (DLTs; null where it never happens). Elimination is
        de-escalation too, so the third column is never above the fourth.

    Examples
    --------
    The boundaries of R BOIN for a target of 0.3: escalate with at most, de-escalate and eliminate with at least so many DLTs.

    >>> from cartrial.design import decision_boundaries, design_boin
    >>> table = decision_boundaries(design_boin(0.3, max_n=12).table)
    >>> table.filter(table["n"] % 3 == 0).rows()
    [(3, 0, 2, 3), (6, 1, 3, 4), (9, 2, 4, 5), (12, 2, 5, 7)]
    """
    rows = []
    for n, row in zip(table.n, table.letters, strict=True):
        up = row.count("E") - 1
        down = next((k for k, letter in enumerate(row) if letter in ("D", "DU")), None)
        out = row.index("DU") if "DU" in row else None
        rows.append((n, up if up >= 0 else None, down, out))
    names = ("n", "escalate_if_at_most", "deescalate_if_at_least", "eliminate_if_at_least")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int32), orient="row")


def derive_boin_interval(target: float, p_saf: float | None = None, p_tox: float | None = None) -> tuple[float, float]:
    """Return lambda_e and lambda_d of BOIN: escalate at or below the one, de-escalate at or above the other.

    Parameters
    ----------
    target : float
        Probability of a DLT that is aimed for, above 0 and below 1.
    p_saf, p_tox : float, optional
        Highest probability that is too low, and lowest that is too high; 0.6 and 1.4 times the target without them.

    Raises
    ------
    InputError
        Unless 0 < p_saf < target < p_tox < 1.

    References
    ----------
    Liu and Yuan 2015, doi:10.1111/rssc.12089; the same as `lambda_e` and `lambda_d` of R BOIN `get.boundary`.
    """
    check_target(target)
    saf = 0.6 * target if p_saf is None else p_saf
    tox = 1.4 * target if p_tox is None else p_tox
    if not 0 < saf < target:
        raise InputError(f"p_saf is {saf:g}, the target {target:g}", key="p_saf", right="Give p_saf above 0 and below the target")
    if not target < tox < 1:
        raise InputError(f"p_tox is {tox:g}, the target {target:g}", key="p_tox", right="Give p_tox above the target and below 1")
    lower = log((1 - saf) / (1 - target)) / log(target * (1 - saf) / (saf * (1 - target)))
    upper = log((1 - target) / (1 - tox)) / log(tox * (1 - target) / (target * (1 - tox)))
    return lower, upper


def derive_boin_table(
    target: float,
    most: int,
    *,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff: float = 0.95,
    eliminate_from: int = 3,
) -> DecisionTable:
    """Return the decision table of BOIN for 1 to `most` subjects at a dose.

    Parameters
    ----------
    target, p_saf, p_tox : float
        As in `derive_boin_interval`.
    most : int
    cutoff : float, default 0.95
        A dose is eliminated when the posterior probability that its DLT rate is above the target exceeds this; prior Beta(1, 1).
    eliminate_from : int, default 3
        No elimination with fewer subjects.

    References
    ----------
    Liu and Yuan 2015, doi:10.1111/rssc.12089; the same as `full_boundary_tab` of R BOIN `get.boundary`.
    """
    lower, upper = derive_boin_interval(target, p_saf, p_tox)
    _check_table(most, cutoff, eliminate_from)
    letters = []
    for n in range(1, most + 1):
        up, down = floor(lower * n + _ON), ceil(upper * n - _ON)
        row = ["E" if dlt <= up else "D" if dlt >= down else "S" for dlt in range(n + 1)]
        letters.append(_eliminate(row, n, target, cutoff, eliminate_from))
    return DecisionTable(tuple(range(1, most + 1)), tuple(letters))


def derive_mtpi2_table(
    target: float,
    most: int,
    *,
    epsilon1: float = 0.05,
    epsilon2: float = 0.05,
    cutoff: float = 0.95,
    eliminate_from: int = 1,
) -> DecisionTable:
    """Return the decision table of mTPI-2 for 1 to `most` subjects at a dose.

    Parameters
    ----------
    target : float
        Above 0 and below 1.
    most : int
    epsilon1, epsilon2 : float, default 0.05
        The equivalence interval is target - epsilon1 to target + epsilon2. The rest of 0 to 1 is cut into intervals of the same length,
        going away from it; the two at 0 and 1 may be shorter.
    cutoff : float, default 0.95
        A dose is eliminated when the posterior probability that its DLT rate is above the target exceeds this.
    eliminate_from : int, default 1
        No elimination with fewer subjects. The paper names no least number; R BOIN uses 3.

    Notes
    -----
    The decision is the side of the interval with the largest unit probability mass: posterior probability, prior Beta(1, 1), divided by the
    interval's length. A tie goes to the more cautious side.

    References
    ----------
    Guo et al. 2017, doi:10.1016/j.cct.2017.04.006.
    """
    from scipy.special import betainc

    check_target(target)
    if not 0 < epsilon1 < target - _ON:
        raise InputError(f"epsilon1 is {epsilon1:g}, the target {target:g}", key="epsilon1", right="Give it above 0 and below the target")
    if not 0 < epsilon2 < 1 - target - _ON:
        raise InputError(f"epsilon2 is {epsilon2:g}, the target {target:g}", key="epsilon2", right="Give it above 0 and below 1 - target")
    _check_table(most, cutoff, eliminate_from)
    low, high, length = target - epsilon1, target + epsilon2, epsilon1 + epsilon2
    below = [low - k * length for k in range(ceil(low / length - _ON))]
    above = [high + k * length for k in range(ceil((1 - high) / length - _ON))]
    edges = np.array([0.0, *reversed(below), *above, 1.0])
    side = np.repeat([0, 1, 2], [len(below), 1, len(above)])
    letters = []
    for n in range(1, most + 1):
        dlt = np.arange(n + 1)[:, None]
        mass = np.diff(betainc(1 + dlt, 1 + n - dlt, edges), axis=1) / np.diff(edges)
        best = mass >= mass.max(axis=1, keepdims=True) * (1 - _ON)
        row = [LETTERS[side[np.flatnonzero(found)[-1]]] for found in best]
        letters.append(_eliminate(row, n, target, cutoff, eliminate_from))
    return DecisionTable(tuple(range(1, most + 1)), tuple(letters))


def derive_three_plus_three_table() -> DecisionTable:
    """Return the decision table of 3+3: three subjects, three more after one DLT; two DLTs in three or six make a dose unacceptable.

    References
    ----------
    Lin and Shih 2001, doi:10.1093/biostatistics/2.2.203: A = B = 3, C = D = E = 1.
    """
    return DecisionTable((3, 6), (("E", "S", "DU", "DU"), ("E", "E", "DU", "DU", "DU", "DU", "DU")))


def exceedance(dlt: int, n: int, target: float) -> float:
    """Return the posterior probability that the DLT rate is above the target, prior Beta(1, 1)."""
    from scipy.special import betainc

    return float(betainc(1 + n - dlt, 1 + dlt, 1 - target))


def check_target(target: float) -> float:
    """Return a target; refuse one that is no probability between 0 and 1."""
    return check_number(target, "target", right="Give the probability of a DLT that is aimed for, for example 0.3")


def _eliminate(row: list[str], n: int, target: float, cutoff: float, eliminate_from: int) -> tuple[str, ...]:
    """Return a row with DU where the dose is likely above the target; no dose is eliminated without a DLT."""
    if n < eliminate_from:
        return tuple(row)
    return tuple("DU" if dlt and exceedance(dlt, n, target) > cutoff else letter for dlt, letter in enumerate(row))


def _check_table(most: int, cutoff: float, eliminate_from: int) -> None:
    check_whole(most, "max_n", 1, _MOST)
    check_whole(eliminate_from, "eliminate_from", 1, _MOST)
    if check_number(cutoff, "cutoff", right="Give a probability, usually 0.95") <= 0.5:
        raise InputError(f"the cut-off of elimination is {cutoff:g}", key="cutoff", right="Give a probability above 0.5, usually 0.95")


def _list(numbers: Sequence[int]) -> str:
    """Return numbers in words, a run of them as its ends."""
    values = list(numbers)
    if len(values) > 2 and values == list(range(values[0], values[-1] + 1)):
        return f"{values[0]} to {values[-1]}"
    return ", ".join(map(str, values))
