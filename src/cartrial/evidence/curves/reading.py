"""What was read of a curve, and what was printed beside it? Checked before anything is made of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError

__all__ = ["MOST", "Floats", "Known", "Reading", "check_known", "clean_reading", "without_shades"]

Floats = NDArray[np.float64]
Kind = Literal["vector", "pixel", "clicks"]

MOST = 20_000
"""Most patients of one curve."""
# patients of the least fall that can be read of an image
COARSE = 2.5
# of the fall of one patient: what was read as less is none
ONE = 0.65
# of survival: a curve that begins farther from 1 does not begin there, and one that rises by more rises
SLACK = {"vector": 0.002, "pixel": 0.02, "clicks": 0.03}


@dataclass(frozen=True)
class Reading:
    """One survival curve as it was read.

    Parameters
    ----------
    kind : {"vector", "pixel", "clicks"}
        Vertices of a drawing, columns of an image, or points set by hand.
    time : ndarray of float64, shape (drops,)
        Times of the drops; of clicks the times of the points.
    survival : ndarray of float64, shape (drops,)
        Just after each, as a fraction.
    end : float
        The last time at which the curve is drawn.
    ticks : ndarray of float64 or None
        Times of the marks of censoring. None: the figure has none, so that nothing follows from it.
    time_error, survival_error : float
        Standard error of a reading.
    notes : tuple of str
        What a reader of the result must know of the reading.
    """

    kind: Kind
    time: Floats
    survival: Floats
    end: float
    ticks: Floats | None
    time_error: float
    survival_error: float
    notes: tuple[str, ...] = ()

    def at(self, times: Sequence[float] | Floats) -> Floats:
        """Return the survival that was read at given times."""
        return np.append(1.0, self.survival)[np.searchsorted(self.time, np.asarray(times, float), side="right")]

    def median(self) -> float | None:
        """Return the first time at which the curve is at one half or below; None where it does not get there."""
        below = np.flatnonzero(self.survival <= 0.5 + self.survival_error)
        return float(self.time[below[0]]) if len(below) else None


@dataclass(frozen=True)
class Known:
    """What is printed beside a curve.

    Parameters
    ----------
    n : int
        Patients at the start.
    rows : tuple of (float, int)
        Times, in the unit of the curve, and the numbers at risk at them.
    events : int, optional
        In all.
    """

    n: int
    rows: tuple[tuple[float, int], ...] = ()
    events: int | None = None


def clean_reading(reading: Reading) -> Reading:
    """Return a reading whose survival never rises, of drops alone (points that are as low as one before them say nothing).

    Rises within the error of reading are levelled by the nearest curve that does not rise (pool adjacent violators; Ayer and others,
    Ann Math Stat 1955;26:641, doi:10.1214/aoms/1177728423).

    Raises
    ------
    InputError
        If there is no point, a value is none, the curve rises or does not begin at time 0 and survival 1, or a tick lies beyond it.
    """
    time, survival = np.asarray(reading.time, float), np.asarray(reading.survival, float)
    slack = SLACK[reading.kind]
    if not len(time):
        raise InputError("the curve never falls", right="A curve without a drop has no event to be found")
    if not (np.isfinite(time).all() and np.isfinite(survival).all()):
        raise InputError("a time or a survival of the curve is no number", right="Write numbers")
    order = np.argsort(time, kind="stable")
    time, survival = time[order], survival[order]
    if time[0] < -4 * reading.time_error:
        raise InputError(f"the curve begins at the time {time[0]:g}, before 0", right="Times count from 0")
    if survival.max() > 1 + slack or survival.min() < -slack:
        worst = survival.max() if survival.max() > 1 + slack else survival.min()
        raise InputError(
            f"the curve is at {worst:g}, outside 0 to 1", right="Give what the survival axis says, in fractions or in per cent"
        )
    rise = float(np.max(survival - np.minimum.accumulate(np.append(1.0, survival)[:-1]), initial=0.0))
    if rise > slack and survival[-1] > survival[0] + slack:
        raise InputError(
            "the curve rises: it shows a cumulative incidence, not a survival",
            right="One curve of events alone says nothing of those at risk of another; give a Kaplan-Meier curve that falls from 1",
        )
    if rise > slack:
        raise InputError(f"the curve rises by {rise:.3f}", right="A survival curve never rises; look for a point of another curve")
    level = np.clip(_level(survival), 0.0, 1.0)
    falls = level < np.append(1.0, level)[:-1] - 0.2 * reading.survival_error
    time, level = np.maximum(time[falls], 0.0), level[falls]
    if not len(time):
        raise InputError("the curve never falls", right="A curve without a drop has no event to be found")
    _check_ticks(reading)
    return replace(reading, time=time, survival=level, end=max(reading.end, float(time[-1])))


def without_shades(reading: Reading, n: int) -> Reading:
    """Return a reading without falls that are none: one patient of at most n S at risk is at least 1/n of survival.

    What a shade of a line took from the fall before or after it goes to the nearer one.
    """
    time, level = reading.time, reading.survival
    while len(time) > 1:
        fall = np.append(1.0, level)[:-1] - level
        k = int(fall.argmin())
        if fall[k] >= ONE / n:
            break
        before = k > 0 and (k == len(time) - 1 or time[k] - time[k - 1] <= time[k + 1] - time[k])
        # the nearer drop takes it: the one before falls to this level, the one after from the level above
        level = np.delete(level, k - 1) if before else np.delete(level, k)
        time = np.delete(time, k)
    return replace(reading, time=time, survival=level)


def _level(values: Floats) -> Floats:
    """Return the nearest values, by least squares, that never rise."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, increasing=False).x, float)


def _check_ticks(reading: Reading) -> None:
    if reading.ticks is None:
        return
    if len(reading.ticks) and float(reading.ticks.max()) > reading.end + 4 * reading.time_error:
        what = f"a mark of censoring is at {reading.ticks.max():g}, and the curve ends at {reading.end:g}"
        raise InputError(what, right="Marks beyond the curve are of another one")
    if len(reading.ticks) and float(reading.ticks.min()) < -4 * reading.time_error:
        raise InputError(f"a mark of censoring is at {reading.ticks.min():g}, before 0", right="Times count from 0")


def check_known(reading: Reading, known: Known) -> None:
    """Refuse what cannot be printed beside a curve.

    Raises
    ------
    InputError
        If a number is none, rows rise or do not begin at n, there are more events than patients or fewer than drops, or somebody is at
        risk beyond the curve.
    """
    for key, value in (("n", known.n), ("events", known.events)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < (key == "n")):
            raise InputError(f"{value!r} is no number of patients", key=key, right="Write a whole number")
    if known.n > MOST:
        raise InputError(
            f"{known.n} patients are more than {MOST}", key="n", right="Curves of so many are not reconstructed patient by patient"
        )
    coarse = known.n * reading.survival_error * math.sqrt(12)
    if reading.kind == "pixel" and coarse > COARSE:
        what = f"the least fall that can be read in this image is {coarse:.1f} patients of {known.n}"
        raise InputError(what, key="n", right="Give a larger image, a drawing (PDF, SVG), or points with Guyot's accuracy as CSV")
    _check_rows(reading, known)
    if known.events is None:
        return
    if known.events > known.n:
        raise InputError(f"{known.events} events of {known.n} patients cannot be", key="events", right="Events are at most n")
    if reading.kind != "clicks" and known.events < len(reading.time):
        what = f"the curve falls {len(reading.time)} times, and there are {known.events} events in all"
        raise InputError(what, key="events", right="Each drop is at least one event: look at the number, or for another curve's drops")


def _check_rows(reading: Reading, known: Known) -> None:
    for time, count in known.rows:
        if not math.isfinite(time) or time < 0:
            raise InputError(f"{time:g} is no time of a number at risk", key="rows", right="Times are 0 or more")
        if count != int(count) or count < 0:
            what = f"the number at risk {count:g} at {time:g} is no number of patients"
            raise InputError(what, key="rows", right="A weighted curve, whose numbers at risk have fractions, cannot be reconstructed")
    before = (0.0, known.n)
    for time, count in known.rows:
        if time < before[0] or (time == before[0] and before[0] > 0):
            raise InputError(f"the time {time:g} stands after {before[0]:g}", key="rows", right="Each time once, in their order")
        if time == 0 and count != known.n:
            what = f"{count:g} are at risk at 0, and n is {known.n}"
            raise InputError(what, key="rows", right="At 0 all are at risk; look whether n counts others")
        if count > before[1]:
            what = f"the numbers at risk rise from {before[1]:g} to {count:g} at {time:g}"
            raise InputError(what, key="rows", right="Nobody comes back to be at risk")
        before = (time, count)
    beyond = [(time, count) for time, count in known.rows if time > reading.end + 4 * reading.time_error and count > 0]
    if beyond:
        what = f"{beyond[0][1]:g} are at risk at {beyond[0][0]:g}, and the curve ends at {reading.end:g}"
        raise InputError(what, key="rows", right="Look at the unit of the times, and whether the curve was read to its end")
