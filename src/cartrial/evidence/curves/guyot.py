"""What individuals do points that were set by hand stand for? Guyot's algorithm, which ends and keeps every patient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cartrial.evidence.curves.guyot_kernel import Clicks, fill_counts
from cartrial.evidence.curves.reading import Floats, Known, Reading

__all__ = ["guyot_patients"]

Integers = NDArray[np.int64]

HALVINGS = 40


def guyot_patients(reading: Reading, known: Known) -> tuple[Floats, NDArray[np.int8]]:
    """Reconstruct individuals by Guyot's algorithm.

    Guyot P, Ades AE, Ouwens MJNM, Welton NJ. BMC Med Res Methodol 2012;12:9 (doi:10.1186/1471-2288-12-9). Between printed numbers at risk
    the censored are corrected until the next number is met; after the last one as many are censored a time as before it or, where the
    total of events is known, as many as it asks for. Other than implementations in use it ends always, and returns all n patients: who is
    left at the end of the curve is censored there.

    Parameters
    ----------
    reading : Reading
        Cleaned, of any kind.
    known : Known
        Checked.

    Returns
    -------
    time : ndarray of float64, shape (n,)
    status : ndarray of int8, shape (n,)
        0 event, 1 censored.

    Examples
    --------
    By hand: 10 at risk, one event at 1 and at 2; 7 at risk at 2.5 say that one was censored before, and one of 7 has the event at 3.

    >>> import numpy as np
    >>> from cartrial.evidence.curves.guyot import guyot_patients
    >>> from cartrial.evidence.curves.reading import Known, Reading
    >>> survival = np.array([0.9, 0.8, 0.685714])
    >>> reading = Reading("clicks", np.array([1.0, 2.0, 3.0]), survival, 4.0, None, 0.01, 0.001)
    >>> time, status = guyot_patients(reading, Known(10, ((2.5, 7),)))
    >>> int((status == 0).sum()), int(((status == 1) & (time < 2.5)).sum()), len(time)
    (3, 1, 10)
    """
    clicks = _clicks(reading, known)
    closed = len(clicks.at_risk) - 1
    lost = np.zeros(closed + 1)
    before = np.append(1.0, reading.survival)[np.searchsorted(reading.time, np.append(0.0, clicks.end), side="left")]
    for stretch in range(closed):
        kept = before[stretch + 1] / max(before[stretch], 1e-9)
        lost[stretch] = max(round(clicks.at_risk[stretch] * kept - clicks.at_risk[stretch + 1]), 0)
    events, censored = _counted(clicks, lost, closed)
    start = clicks.end[closed - 1] if closed else 0.0
    if known.events is not None:
        lost[closed] = _last_lost(clicks, lost, closed, known.events)
    elif closed and start > 0:
        rate = censored[: clicks.first[closed]].sum() / start
        lost[closed] = min(rate * (reading.end - start), clicks.at_risk[closed])
    events, censored = _counted(clicks, lost, closed)
    return _placed(clicks, reading, known.n, events, censored)


def _clicks(reading: Reading, known: Known) -> Clicks:
    """Return points and stretches; a stretch begins with a point at its printed time, so that its censored have a place."""
    rows = [(time, int(count)) for time, count in known.rows if 0 < time < reading.end]
    starts = np.array([0.0, *(time for time, _ in rows)])
    time = np.concatenate([starts, reading.time])
    survival = np.concatenate([reading.at(starts), reading.survival])
    order = np.lexsort((np.arange(len(time)) >= len(starts), time))
    place = np.argsort(order)[: len(starts)]
    at_risk = np.array([known.n, *(count for _, count in rows)], np.int64)
    return Clicks(time[order], survival[order], np.append(place, len(time)).astype(np.int64), at_risk, np.append(starts[1:], reading.end))


def _counted(clicks: Clicks, lost: Floats, closed: int) -> tuple[Integers, Integers]:
    events, censored = np.zeros(len(clicks.time), np.int64), np.zeros(len(clicks.time), np.int64)
    fill_counts(len(clicks.time) * 20, clicks, lost, closed, events, censored)
    return events, censored


def _last_lost(clicks: Clicks, lost: Floats, closed: int, wanted: int) -> float:
    """Return how many are censored after the last printed number so that the events come nearest to their total."""
    low, high = 0.0, float(clicks.at_risk[closed])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        trial = lost.copy()
        trial[closed] = middle
        total = int(_counted(clicks, trial, closed)[0].sum())
        if total == wanted:
            return middle
        low, high = (middle, high) if total > wanted else (low, middle)
    return high


def _placed(clicks: Clicks, reading: Reading, n: int, events: Integers, censored: Integers) -> tuple[Floats, NDArray[np.int8]]:
    """Return time and status of all n patients; who is left is censored where the curve ends."""
    until = np.append(clicks.time[1:], reading.end)
    point = np.repeat(np.arange(len(censored)), censored)
    rank = np.arange(len(point)) - np.repeat(np.cumsum(censored) - censored, censored)
    lost = clicks.time[point] + (rank + 0.5) / np.maximum(censored[point], 1) * (until[point] - clicks.time[point])
    had = np.repeat(clicks.time, events)
    time = np.concatenate([had, lost])[:n]
    status = np.repeat(np.array([0, 1], np.int8), [len(had), len(lost)])[:n]
    left = n - len(time)
    return np.append(time, np.full(left, reading.end)), np.append(status, np.ones(left, np.int8))
