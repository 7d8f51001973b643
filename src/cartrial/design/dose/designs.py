"""What are the rules of a dose-finding trial? BOIN, 3+3, mTPI-2 and one's own decision table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cartrial.design.dose import tables
from cartrial.design.dose.tables import DecisionTable, check_target
from cartrial.design.exact.checks import check_choice, check_whole
from cartrial.errors import InputError
from cartrial.shown import Shown

if TYPE_CHECKING:
    import polars as pl

__all__ = ["VARIANTS", "DoseDesign", "Doses", "design_boin", "design_from_table", "design_mtpi2", "design_three_plus_three"]

# variants of 3+3, in words
VARIANTS = {
    "escalation-only": "the dose below the first unacceptable one is selected without further subjects there, "
    "the highest dose after 0 of 3 without more",
    "de-escalation": "three more subjects are treated at the dose below an unacceptable one unless it has six; "
    "the highest dose is selected after 0 of 3 without more",
    "confirm-six": "as de-escalation, and the highest dose is selected with six subjects alone",
}
_WORDS_THREE = {
    "E": "Escalate: three subjects receive the next higher dose; where none is left, see the variant.",
    "S": "Stay: three more subjects receive this dose.",
    "DU": "De-escalate, unacceptable: this dose exceeds the MTD and is never given again; at the lowest dose the trial stops.",
}
_UNITS = ("cells", "cells/kg")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_SUBJECTS, _MOST_DOSES = 1000, 50


@dataclass(frozen=True)
class Doses(Shown):
    """The doses of a trial.

    Parameters
    ----------
    levels : tuple of float
        CAR-positive cells, increasing.
    unit : {"cells/kg", "cells"}
    """

    levels: tuple[float, ...]
    unit: Literal["cells", "cells/kg"] = "cells/kg"

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(float(level) for level in self.levels))
        if self.unit not in _UNITS:
            raise InputError(f"the unit {self.unit!r} is unknown", key="unit", right="Use cells or cells/kg")
        if not self.levels or not all(0 < level < float("inf") for level in self.levels):
            raise InputError("a dose is missing or not positive", key="levels", right="Give numbers of cells above 0")
        if any(b <= a for a, b in zip(self.levels, self.levels[1:], strict=False)):
            raise InputError("the doses do not increase", key="levels", right="Order them from the lowest to the highest")

    @property
    def labels(self) -> tuple[str, ...]:
        """The doses in words, as "3 × 10⁶ cells/kg"."""
        return tuple(f"{_power(level)} {self.unit}" for level in self.levels)


@dataclass(frozen=True)
class DoseDesign(Shown):
    """Rules of a dose-finding trial.

    Parameters
    ----------
    name : str
    table : DecisionTable
    variant : str, optional
        A key of `VARIANTS` for 3+3; None for designs that end in isotonic regression.
    target : float, optional
        Probability of a DLT aimed for; None for 3+3.
    cohorts : tuple of int
        Sizes of the cohorts one after another; empty for 3+3 (threes, at most six at each dose).
    n_stop : int, optional
        Subjects at one dose that end the trial.
    stop_when : "reached" or "settled"
        End as soon as `n_stop` is reached, or only if the next cohort would receive the same dose.
    start : int
        First dose, from 1.
    stop_lowest : tuple of (int or None)
        For 0, 1, ... subjects at the lowest dose: DLTs that stop the trial, besides DU. Empty: none.
    bound : float, optional
        A dose with an isotonic estimate at or above it is not selected.
    prior : float
        Both parameters of the beta prior in the isotonic estimates.
    method, source : str
        One sentence with the parameters; the citation.
    """

    name: str
    table: DecisionTable
    variant: str | None
    target: float | None
    cohorts: tuple[int, ...]
    n_stop: int | None
    stop_when: Literal["reached", "settled"]
    start: int
    stop_lowest: tuple[int | None, ...]
    bound: float | None
    prior: float
    method: str
    source: str

    def sizes(self, doses: int) -> tuple[int, ...]:
        """Return the largest series of cohorts in a trial of so many doses."""
        return (3,) * (2 * doses) if self.variant else self.cohorts

    def frame(self) -> pl.DataFrame:
        """Return the decision table at the numbers of subjects that a dose can have, as a committee reads it: see `decision_frame`."""
        if self.variant:
            return tables.decision_frame(self.table)
        end = sum(self.cohorts) if self.n_stop is None or self.stop_when == "settled" else self.n_stop
        return tables.decision_frame(self.table, sorted(_reachable(self.cohorts, end)))

    def legend(self) -> pl.DataFrame:
        """Return what each letter means in this design: columns `decision` and `action`."""
        return tables.decision_legend(self.words)

    @property
    def words(self) -> dict[str, str]:
        """What each letter of the table means in this design."""
        return _WORDS_THREE if self.variant else tables.WORDS


def design_boin(
    target: float,
    *,
    max_n: int = 30,
    cohort: int | Sequence[int] = 3,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff: float = 0.95,
    extra_safe: bool = False,
    offset: float = 0.05,
    n_stop: int | None = None,
    stop_when: Literal["reached", "settled"] = "reached",
    bound_mtd: bool = False,
    start: int = 1,
) -> DoseDesign:
    """Return a Bayesian optimal interval design.

    Parameters
    ----------
    target : float
        Probability of a DLT aimed for, above 0 and below 1.
    max_n : int, default 30
        Subjects of the trial; the last cohort is cut to it.
    cohort : int or sequence of int, default 3
        Size of every cohort, or of one after another (`max_n` is then their sum).
    p_saf, p_tox : float, optional
        0.6 and 1.4 times the target without them.
    cutoff : float, default 0.95
        Posterior probability, prior Beta(1, 1), above which a dose with three subjects or more is eliminated.
    extra_safe : bool, default False
        Stop the trial at the lowest dose already above `cutoff - offset`.
    offset : float, default 0.05
    n_stop : int, optional
        Subjects at one dose that end the trial.
    stop_when : {"reached", "settled"}
        End at `n_stop` at once, as the papers say, or only if the dose would not change, as R BOIN 2.7 does.
    bound_mtd : bool, default False
        Select no dose whose isotonic estimate is at or above lambda_d.
    start : int, default 1

    Raises
    ------
    InputError
        If a parameter is out of its range.

    References
    ----------
    Liu and Yuan 2015, doi:10.1111/rssc.12089; Yan et al. 2020, doi:10.18637/jss.v094.i13 (R BOIN).

    Examples
    --------
    The interval of R BOIN for a target of 0.3 (Liu and Yuan 2015).

    >>> from cartrial.design import design_boin
    >>> print(design_boin(0.3).method)
    BOIN, target 0.3: escalate at a DLT rate of at most 0.2365, de-escalate at 0.3585 or more, ...
    """
    cohorts = _cohorts(cohort, max_n)
    most = sum(cohorts)
    table = tables.derive_boin_table(target, most, p_saf=p_saf, p_tox=p_tox, cutoff=cutoff)
    lower, upper = tables.derive_boin_interval(target, p_saf, p_tox)
    stop: tuple[int | None, ...] = ()
    text = f"BOIN, target {target:g}: escalate at a DLT rate of at most {lower:.4f}, de-escalate at {upper:.4f} or more"
    text += f", eliminate when the posterior probability of a rate above the target exceeds {cutoff:g} (3 subjects or more)"
    if extra_safe:
        if not 0 < offset < cutoff - 0.5:
            raise InputError(f"the offset is {offset:g}", key="offset", right="Give it above 0 and below the cut-off minus 0.5")
        stop = tuple(_first_above(n, target, cutoff - offset) if n >= 3 else None for n in range(most + 1))
        text += f"; at the lowest dose the trial stops above {cutoff - offset:g}"
    source = "Liu and Yuan 2015, doi:10.1111/rssc.12089"
    bound = upper if bound_mtd else None
    end, first = _n_stop(n_stop, stop_when), _start(start)
    text += _ending(n_stop, stop_when, most)
    return DoseDesign("BOIN", table, None, target, cohorts, end, stop_when, first, stop, bound, 0.05, text, source)


def design_mtpi2(
    target: float,
    *,
    epsilon1: float = 0.05,
    epsilon2: float = 0.05,
    max_n: int = 30,
    cohort: int | Sequence[int] = 3,
    cutoff: float = 0.95,
    eliminate_from: int = 1,
    n_stop: int | None = None,
    stop_when: Literal["reached", "settled"] = "reached",
    start: int = 1,
) -> DoseDesign:
    """Return a modified toxicity probability interval design, second version.

    Parameters
    ----------
    target, epsilon1, epsilon2, cutoff, eliminate_from
        As in `derive_mtpi2_table`.
    max_n, cohort, n_stop, stop_when, start
        As in `design_boin`. The dose is selected as in BOIN, by isotonic regression.

    References
    ----------
    Guo et al. 2017, doi:10.1016/j.cct.2017.04.006.

    Examples
    --------
    Guo et al. 2017, Figure 3: after 0, 1, 2 and 3 DLTs in 3 subjects.

    >>> from cartrial.design import design_mtpi2
    >>> design_mtpi2(0.3).table.letters[2]
    ('E', 'S', 'D', 'DU')
    """
    cohorts = _cohorts(cohort, max_n)
    most = sum(cohorts)
    table = tables.derive_mtpi2_table(target, most, epsilon1=epsilon1, epsilon2=epsilon2, cutoff=cutoff, eliminate_from=eliminate_from)
    text = f"mTPI-2, target {target:g}, equivalence interval {target - epsilon1:g} to {target + epsilon2:g}"
    text += f", eliminate when the posterior probability of a rate above the target exceeds {cutoff:g}"
    source = "Guo et al. 2017, doi:10.1016/j.cct.2017.04.006"
    end, first = _n_stop(n_stop, stop_when), _start(start)
    text += _ending(n_stop, stop_when, most)
    return DoseDesign("mTPI-2", table, None, target, cohorts, end, stop_when, first, (), None, 0.05, text, source)


def design_three_plus_three(
    variant: Literal["escalation-only", "de-escalation", "confirm-six"] = "confirm-six", *, start: int = 1
) -> DoseDesign:
    """Return a 3+3 design.

    Parameters
    ----------
    variant : {"confirm-six", "de-escalation", "escalation-only"}
        See `VARIANTS`; the last two are the designs without and with de-escalation of the reference.
    start : int, default 1
        First dose; above 1 only with de-escalation.

    References
    ----------
    Lin and Shih 2001, doi:10.1093/biostatistics/2.2.203.

    Examples
    --------
    By hand: after 0, 1, 2 and 3 DLTs in 3 subjects.

    >>> from cartrial.design import design_three_plus_three
    >>> design_three_plus_three().table.letters[0]
    ('E', 'S', 'DU', 'DU')
    """
    check_choice(variant, "variant", tuple(VARIANTS))
    if start > 1 and variant == "escalation-only":
        raise InputError(
            "the start is not the lowest dose, but the variant never de-escalates",
            key="start",
            right="Start at dose 1, or use de-escalation or confirm-six",
        )
    text = f"3+3, {variant}: {VARIANTS[variant]}"
    source = "Lin and Shih 2001, doi:10.1093/biostatistics/2.2.203"
    table = tables.derive_three_plus_three_table()
    return DoseDesign(f"3+3, {variant}", table, variant, None, (), None, "reached", _start(start), (), None, 0.05, text + ".", source)


def design_from_table(
    table: DecisionTable,
    target: float,
    *,
    max_n: int = 30,
    cohort: int | Sequence[int] = 3,
    n_stop: int | None = None,
    stop_when: Literal["reached", "settled"] = "reached",
    start: int = 1,
    name: str = "uploaded table",
    source: str = "uploaded",
) -> DoseDesign:
    """Return a design with one's own decision table.

    Parameters
    ----------
    table : DecisionTable
        As `read_decision_table` returns it. The trial ends when a dose has as many subjects as the table speaks of.
    target : float
        Used to select the dose by isotonic regression, as in BOIN.
    max_n, cohort, n_stop, stop_when, start
        As in `design_boin`.
    name, source : str

    Raises
    ------
    InputError
        If cohorts of these sizes lead to a number of subjects that the table does not speak of.

    Examples
    --------
    The trial ends after six subjects at a dose: the table speaks of no more.

    >>> from cartrial.design import design_from_table, design_three_plus_three
    >>> design_from_table(design_three_plus_three().table, 0.25, max_n=18).n_stop
    6
    """
    check_target(target)
    cohorts = _cohorts(cohort, max_n)
    end = min(table.n[-1], _n_stop(n_stop, stop_when) or table.n[-1])
    if stop_when == "settled" and table.n[-1] < sum(cohorts):
        raise InputError(
            f"the decision table ends at {table.n[-1]} subjects, the trial has {sum(cohorts)}",
            key="stop_when",
            right="Let the trial end when n_stop is reached, or extend the table",
        )
    needed = _reachable(cohorts, sum(cohorts) if stop_when == "settled" else end)
    if missing := sorted(needed - set(table.n)):
        raise InputError(
            f"the decision table has no row for {missing[0]} subjects, which these cohorts reach",
            key="n",
            right="Add the rows, change the cohort size, or end the trial earlier with n_stop",
        )
    text = f"Decision table of {table.n[0]} to {table.n[-1]} subjects at a dose, target {target:g}"
    ending = _ending(end, stop_when, sum(cohorts))
    return DoseDesign(name, table, None, target, cohorts, end, stop_when, _start(start), (), None, 0.05, text + ending, source)


def _power(level: float) -> str:
    """Return a number as a multiple of a power of ten."""
    mantissa, exponent = f"{level:.6e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    power = int(exponent)
    if power < 3:
        return f"{level:g}"
    return f"{mantissa} × 10{str(power).translate(_SUPERSCRIPT)}"


def _cohorts(cohort: int | Sequence[int], max_n: int) -> tuple[int, ...]:
    """Return the sizes of the cohorts one after another."""
    if isinstance(cohort, Sequence) and not isinstance(cohort, str):
        sizes = tuple(check_whole(size, "cohort", 1, _MOST_SUBJECTS) for size in cohort)
        if not sizes or sum(sizes) > _MOST_SUBJECTS:
            raise InputError(
                "there is no cohort, or there are too many subjects", key="cohort", right=f"Give at most {_MOST_SUBJECTS} in all"
            )
        return sizes
    most = check_whole(max_n, "max_n", 1, _MOST_SUBJECTS)
    size = check_whole(cohort, "cohort", 1, most)
    rest = most % size
    return (size,) * (most // size) + ((rest,) if rest else ())


def _reachable(cohorts: tuple[int, ...], end: int) -> set[int]:
    """Return the numbers of subjects that a dose can have when no cohort is added from `end` on."""
    sums = {0}
    for size in cohorts:
        sums |= {n + size for n in sums if n < end}
    return sums - {0}


def _n_stop(n_stop: int | None, stop_when: str) -> int | None:
    check_choice(stop_when, "stop_when", ("reached", "settled"))
    return None if n_stop is None else check_whole(n_stop, "n_stop", 1, _MOST_SUBJECTS)


def _start(start: int) -> int:
    return check_whole(start, "start", 1, _MOST_DOSES)


def _ending(n_stop: int | None, stop_when: str, most: int) -> str:
    """Return when the trial ends and how the dose is selected, as the end of a sentence."""
    text = f"; at most {most} subjects"
    if n_stop is not None:
        text += f", ended when a dose has {n_stop}" + ("" if stop_when == "reached" else " and would be given again")
    return text + "; the dose is selected by isotonic regression."


def _first_above(n: int, target: float, cutoff: float) -> int | None:
    """Return the fewest DLTs, at least one, whose posterior probability of a rate above the target exceeds the cut-off."""
    return next((dlt for dlt in range(1, n + 1) if tables.exceedance(dlt, n, target) > cutoff), None)
