"""Which dose does the next cohort receive, and which dose is selected at the end?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cartrial.design.dose.designs import DoseDesign, Doses
from cartrial.design.exact.checks import check_integer, check_whole
from cartrial.errors import InputError

__all__ = ["Recommendation", "Selection", "estimate_mtd", "recommend_dose", "take_step"]

_COHORT = re.compile(r"(\d+)([NT]+)")
_SIX = 6


@dataclass(frozen=True)
class Selection:
    """The dose selected at the end: `level` from 1 (None: no dose) and the isotonic estimates (None where a dose is left out)."""

    level: int | None
    estimates: tuple[float | None, ...]


@dataclass(frozen=True)
class Recommendation:
    """What is done next.

    Parameters
    ----------
    letter : str or None
        Decision at the current dose; None before the first cohort.
    level : int or None
        Dose of the next cohort, from 1; None when the trial has ended.
    mtd : int or None
        Dose selected when the trial has ended; None while it runs, or if no dose is selected.
    words : str
    """

    letter: str | None
    level: int | None
    mtd: int | None
    words: str


def estimate_mtd(design: DoseDesign, n: Sequence[int], dlt: Sequence[int], *, eliminated: int | None = None) -> Selection:
    """Select the dose at the end of a trial.

    Parameters
    ----------
    design : DoseDesign
    n, dlt : sequence of int
        Subjects and DLTs at each dose.
    eliminated : int, optional
        First dose, from 1, that is never given again; found from the table without it.

    Returns
    -------
    Selection
        The dose whose isotonic estimate is nearest to the target, of those given and not eliminated; of equal estimates the higher dose if
        they are below the target, else the lower one. For 3+3 the highest dose given that the table does not call unacceptable.

    References
    ----------
    `select.mtd` of R BOIN, Yan et al. 2020, doi:10.18637/jss.v094.i13: estimates (y + 0.05) / (n + 0.1), weights the inverse of the
    posterior variance under Beta(0.05, 0.05).

    Examples
    --------
    The example of `select.mtd` of R BOIN (Yan et al. 2020).

    >>> from cartrial.design import design_boin, estimate_mtd
    >>> estimate_mtd(design_boin(0.3), (3, 3, 15, 9, 0), (0, 0, 4, 4, 0)).level
    3
    """
    n, dlt = _counts(n, dlt)
    out = _eliminated(design, n, dlt) if eliminated is None else check_whole(eliminated, "eliminated", 1, len(n) + 1) - 1
    empty: tuple[float | None, ...] = (None,) * len(n)
    tried = [d for d in range(out) if n[d] > 0]
    if not tried:
        return Selection(None, empty)
    if design.target is None:
        return Selection(max(tried) + 1, empty)
    from scipy.optimize import isotonic_regression

    a = np.array([dlt[d] + design.prior for d in tried])
    total = np.array([n[d] + 2 * design.prior for d in tried])
    fit = isotonic_regression(a / total, weights=total**2 * (total + 1) / (a * (total - a))).x
    estimates = tuple(float(fit[tried.index(d)]) if d in tried else None for d in range(len(n)))
    shifted = fit + 1e-10 * np.arange(1, len(tried) + 1)
    distance = np.where(shifted < (2.0 if design.bound is None else design.bound), np.abs(shifted - design.target), np.inf)
    best = int(np.argmin(distance))
    return Selection(tried[best] + 1 if np.isfinite(distance[best]) else None, estimates)


def recommend_dose(design: DoseDesign, outcomes: str | Sequence[tuple[int, int, int]], doses: int | Doses) -> Recommendation:
    """Return what the design says after the cohorts so far.

    Parameters
    ----------
    design : DoseDesign
    outcomes : str or sequence of (dose, subjects, DLTs)
        One entry a cohort, doses from 1; as text "1NNN 2NTN", where N is a subject without and T one with a DLT. The cohorts may differ
        from what the design said: the last one's dose is the current one.
    doses : int or Doses

    Raises
    ------
    InputError
        If the text cannot be read, a dose does not exist, there are more DLTs than subjects, or the table does not speak of so many
        subjects.

    Examples
    --------
    By hand: 2 DLTs in 3 subjects are above the BOIN boundary of 0.3585 for a target of 0.3.

    >>> from cartrial.design import Doses, design_boin, recommend_dose
    >>> doses = Doses((1e6, 3e6, 1e7))
    >>> recommend_dose(design_boin(0.3), "1NNN 2NTT", doses).words
    'De-escalate: the next cohort receives 1 × 10⁶ cells/kg.'
    """
    labels = doses.labels if isinstance(doses, Doses) else tuple(f"dose {k}" for k in range(1, check_whole(doses, "doses", 0, 100) + 1))
    if not labels:
        raise InputError("there is no dose", key="doses", right="Give at least one")
    if design.start > len(labels):
        raise InputError(f"the start is dose {design.start} of {len(labels)}", key="start", right="Start at one of the doses")
    cohorts = _read_outcomes(outcomes) if isinstance(outcomes, str) else list(outcomes)
    n, dlt = [0] * len(labels), [0] * len(labels)
    for cohort in cohorts:
        level, size, events = _whole(cohort, "outcomes")
        if not 1 <= level <= len(labels):
            raise InputError(f"dose {level} does not exist", key="outcomes", right=f"Give doses 1 to {len(labels)}")
        if size < 1 or not 0 <= events <= size:
            raise InputError(f"{events} DLTs in {size} subjects are impossible", key="outcomes", right="Give 0 to as many DLTs as subjects")
        n[level - 1] += size
        dlt[level - 1] += events
    if not cohorts:
        return Recommendation(None, design.start, None, f"The first cohort receives {labels[design.start - 1]}.")
    current = cohorts[-1][0] - 1
    out = _eliminated(design, tuple(n), tuple(dlt))
    letter = design.table.decide(n[current], dlt[current])
    level_next, out, choice = take_step(design, tuple(n), tuple(dlt), current, out)
    if level_next is not None:
        verb = ("Escalate", "Stay", "De-escalate")[(level_next <= current) + (level_next < current)]
        return Recommendation(letter, level_next + 1, None, f"{verb}: the next cohort receives {labels[level_next]}.")
    mtd = estimate_mtd(design, n, dlt, eliminated=out + 1).level if choice is None else (choice or None)
    if mtd is None:
        return Recommendation(letter, None, None, "The trial ends and no dose is selected.")
    return Recommendation(letter, None, mtd, f"The trial ends and {labels[mtd - 1]} is selected.")


def take_step(
    design: DoseDesign, n: tuple[int, ...], dlt: tuple[int, ...], level: int, eliminated: int
) -> tuple[int | None, int, int | None]:
    """Return the dose of the next cohort (None: the trial ends), the first eliminated dose, and the dose selected by rule.

    Doses count from 0, the number of doses standing for none; the dose selected counts from 1, with 0 for none and None where
    `estimate_mtd` decides or the trial goes on.
    """
    letter = design.table.decide(n[level], dlt[level])
    if letter == "DU":
        eliminated = min(eliminated, level)
    limit = design.stop_lowest[n[0]] if level == 0 and design.stop_lowest else None
    if eliminated == 0 or (limit is not None and dlt[0] >= limit):
        return None, 0, 0
    if sum(n) >= sum(design.sizes(len(n))):
        return None, eliminated, None
    top = len(n) - 1
    higher = level + 1 if level < top and level + 1 < eliminated else None
    lower = min(level - 1, eliminated - 1)
    if design.variant:
        if letter == "DU" or level >= eliminated:
            if design.variant == "escalation-only" or n[lower] >= _SIX:
                return None, eliminated, lower + 1
            return lower, eliminated, None
        if letter == "S" or higher is not None:
            return (level if letter == "S" else higher), eliminated, None
        enough = n[level] >= _SIX or (level == top and design.variant != "confirm-six")
        return (None, eliminated, level + 1) if enough else (level, eliminated, None)
    follow = {"E": level if higher is None else higher, "S": level}.get(letter, max(lower, 0))
    follow = min(follow, eliminated - 1)
    if design.n_stop is not None and n[level] >= design.n_stop and (design.stop_when == "reached" or follow == level):
        return None, eliminated, None
    return follow, eliminated, None


def _read_outcomes(text: str) -> list[tuple[int, int, int]]:
    """Return the cohorts of a text like "1NNN 2NTN"."""
    cohorts = []
    for word in text.upper().split():
        found = _COHORT.fullmatch(word)
        if found is None:
            raise InputError(
                f"the cohort {word!r} cannot be read", key="outcomes", right="Write the dose, then N or T for each subject, as 1NNT"
            )
        cohorts.append((int(found[1]), len(found[2]), found[2].count("T")))
    return cohorts


def _counts(n: Sequence[int], dlt: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return subjects and DLTs by dose, checked."""
    n, dlt = (_whole(values, key) for values, key in ((n, "n"), (dlt, "dlt")))
    if not len(n) or len(n) != len(dlt):
        raise InputError("subjects and DLTs do not pair", key="dlt", right="Give one number of DLTs for each dose")
    for a, b in zip(n, dlt, strict=True):
        if not 0 <= b <= a:
            raise InputError(f"{b} DLTs in {a} subjects are impossible", key="dlt", right=f"Give 0 to {max(a, 0)} DLTs")
    return n, dlt


def _whole(values: Sequence[int], key: str) -> tuple[int, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{values!r} are no numbers", key=key, right="Give one whole number for each dose")
    return tuple(check_integer(value, key) for value in values)


def _eliminated(design: DoseDesign, n: tuple[int, ...], dlt: tuple[int, ...]) -> int:
    """Return the first dose, from 0, that the table or the rule of the lowest dose eliminates; the number of doses if none."""
    if design.stop_lowest and (limit := design.stop_lowest[min(n[0], len(design.stop_lowest) - 1)]) is not None and dlt[0] >= limit:
        return 0
    return next((d for d in range(len(n)) if n[d] and design.table.decide(n[d], dlt[d]) == "DU"), len(n))
