"""What patients does a curve stand for, how sure is that, and what may be concluded from them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.evidence.curves.guyot import guyot_patients
from cartrial.evidence.curves.lattice import find_path, place_patients, sample_patients
from cartrial.evidence.curves.reading import Floats, Known, Reading, check_known, clean_reading, without_shades

__all__ = ["PROVENANCE", "Reconstruction", "arms_frame", "reconstruct_curve"]

PROVENANCE = "reconstructed"
"""What individuals of a curve are. They never are data of a study."""


# errors of reading
BADLY = 8.0
# a share of the patients by which printed numbers may be missed, and two patients anyway
FEW = 0.1
_ALONE = "n alone, with "


@dataclass(frozen=True)
class Reconstruction:
    """Individuals that a published curve stands for.

    Parameters
    ----------
    reading : Reading
    known : Known
    method : {"lattice", "Guyot"}
    time : ndarray of float64, shape (n,)
    status : ndarray of int8, shape (n,)
        0 event, 1 censored.
    ensemble : tuple of ndarray, each of shape (members, n), or None
        Time and status of reconstructions that are as likely.
    notes : tuple of str
    refused : str
        Why neither counts nor individuals nor a hazard ratio may be taken from it; blank where they may.
    """

    reading: Reading
    known: Known
    method: str
    time: Floats
    status: NDArray[np.int8]
    ensemble: tuple[Floats, NDArray[np.int8]] | None
    notes: tuple[str, ...]
    refused: str

    def frame(self) -> pl.DataFrame:
        """Return the individuals: AVAL, CNSR (0 event, 1 censored) and PROVENANCE, which is always `reconstructed`.

        Raises
        ------
        InputError
            If what is known of the curve does not say how many events there were.
        """
        self.require_counts()
        order = np.lexsort((self.status, self.time))
        columns = {"AVAL": self.time[order], "CNSR": self.status[order]}
        return pl.DataFrame(columns).with_columns(PROVENANCE=pl.lit(PROVENANCE))

    def require_counts(self) -> None:
        """Refuse counts, individuals and hazard ratios where they cannot be carried."""
        if self.refused:
            raise InputError(self.refused, right=self.remedy)

    @property
    def remedy(self) -> str:
        """What would be right where counts are refused."""
        if self.refused.startswith(_ALONE):
            return "Give the numbers at risk (rows) or the total of events; curve and median may be shown"
        return "Look at n, at what is printed beside the curve, and whether it was read to its end; curve and median may be shown"

    def survival(self, times: Floats | Sequence[float]) -> Floats:
        """Return the Kaplan-Meier estimate of the individuals at given times."""
        return _kaplan_meier(self.time, self.status, np.asarray(times, float))

    def quality(self) -> dict[str, Any]:
        """Return how well the individuals give back what was read and printed.

        Returns
        -------
        dict
            provenance, reading, method, n, median (as read); largest and root mean square difference of survival between the drops; where
            counts may be taken: events (found, printed, the least and the most of the ensemble), numbers at risk (time, printed, found),
            events that a last fall to 0 implies, restricted mean to the end; refused, notes.
        """
        between = (self.reading.time + np.append(self.reading.time[1:], self.reading.end)) / 2
        apart = np.abs(self.survival(between) - self.reading.at(between))
        found: dict[str, Any] = {
            "provenance": PROVENANCE,
            "reading": self.reading.kind,
            "drops": len(self.reading.time),
            "ticks": None if self.reading.ticks is None else len(self.reading.ticks),
            "end": self.reading.end,
            "method": self.method,
            "n": self.known.n,
            "median": self.reading.median(),
            "largest_difference": float(apart.max()),
            "root_mean_square": float(np.sqrt(np.mean(apart**2))),
        }
        if not self.refused:
            events: dict[str, Any] = {"found": int((self.status == 0).sum()), "printed": self.known.events}
            if self.ensemble is not None:
                each = (self.ensemble[1] == 0).sum(axis=1)
                events |= {"least": int(each.min()), "most": int(each.max()), "members": len(each)}
            found["events"] = events
            found["at_risk"] = [
                {"time": at, "printed": printed, "found": found_there}
                for at, printed, found_there in _at_risk(self.known, self.reading, self.time)
            ]
            if self.reading.survival[-1] <= 2 * self.reading.survival_error:
                last = self.reading.time[-1]
                found["events_of_the_fall_to_0"] = int(((self.time >= last - 2 * self.reading.time_error) & (self.status == 0)).sum())
        return found | {"refused": self.refused or None, "notes": list(self.notes)}


def reconstruct_curve(
    reading: Reading,
    n: int,
    *,
    rows: Sequence[tuple[float, int]] = (),
    events: int | None = None,
    members: int = 0,
    seed: int = 1,
) -> Reconstruction:
    """Reconstruct the individuals of one arm from its curve.

    Vertices and pixels take the lattice: a dynamic programme over the whole number at risk, in which numbers at risk are bounds, marks of
    censoring say where somebody was censored, and the total of events is met. Clicks take Guyot's algorithm (BMC Med Res Methodol
    2012;12:9, doi:10.1186/1471-2288-12-9): a point set by hand is no drop, and the lattice is no better there.

    Parameters
    ----------
    reading : Reading
        Of `read_curve`.
    n : int
        Patients at the start.
    rows : sequence of (float, int)
        Times, in the unit of the curve, and printed numbers at risk.
    events : int, optional
        Their total.
    members : int
        Further reconstructions that are as likely, of the lattice alone.
    seed : int
        Of the members.

    Raises
    ------
    InputError
        If the curve is none, what is printed beside it cannot be, or no whole numbers of patients fit both.

    Examples
    --------
    By hand: of 10 one has the event at 1 and at 2; 0.685714 is 6/7 of 0.8, so 7 are at risk at 3, and one was censored before.

    >>> import numpy as np
    >>> from cartrial.evidence.curves import Reading, reconstruct_curve
    >>> survival = np.array([0.9, 0.8, 0.685714])
    >>> reading = Reading("vector", np.array([1.0, 2.0, 3.0]), survival, 4.0, None, 0.001, 1e-5)
    >>> found = reconstruct_curve(reading, 10, events=3)
    >>> [int((found.time >= t).sum()) for t in (1, 2, 3)], int((found.status == 0).sum())
    ([10, 9, 7], 3)
    """
    if members < 0 or members > 100_000:
        raise InputError(f"{members} members cannot be drawn", key="members", right="Write a whole number from 0 to 100000")
    reading = clean_reading(reading)
    if reading.kind == "pixel" and n > 0:
        reading = without_shades(reading, n)
    known = Known(n, tuple((float(time), count) for time, count in rows), events)
    check_known(reading, known)
    known = Known(n, tuple((time, int(count)) for time, count in known.rows), events)
    notes = list(reading.notes)
    ensemble = None
    if reading.kind == "clicks":
        time, status = guyot_patients(reading, known)
        method = "Guyot"
        notes.append("points set by hand: two people who click one curve differ by more than any method")
    else:
        path = find_path(reading, known)
        time, status = place_patients(path, reading, path.events, path.censored)
        method = "lattice"
        if reading.ticks is not None and not path.ticks:
            notes.append("the marks of censoring contradict the numbers at risk and were left out")
        if path.settings.error > reading.survival_error or path.farthest > BADLY * reading.survival_error:
            notes.append(f"what is printed beside the curve fits it badly: survival is up to {path.farthest:.4f} from the reading")
        if members:
            ensemble = sample_patients(path, reading, members, events=events, seed=seed)
    if events is not None and (found := int((status == 0).sum())) != events:
        notes.append(f"{events} events were printed, and {found} were found")
    notes += [f"{count} were printed at risk at {at:g}, and {there} are found" for at, count, there in _unmet(known, reading, time)]
    refused = _refused(reading, known) or _contradicted(known, reading, time, status)
    return Reconstruction(reading, known, method, time, status, ensemble, tuple(notes), refused)


def _at_risk(known: Known, reading: Reading, time: Floats) -> list[tuple[float, int, int]]:
    """Return each printed time with the number at risk printed and found: who leaves within the error of the reading was still there."""
    return [(at, int(count), int((time >= at - 2 * reading.time_error).sum())) for at, count in known.rows]


def _unmet(known: Known, reading: Reading, time: Floats) -> list[tuple[float, int, int]]:
    """Return time, printed and found number at risk, where they differ."""
    return [one for one in _at_risk(known, reading, time) if one[1] != one[2]]


def _contradicted(known: Known, reading: Reading, time: Floats, status: NDArray[np.int8]) -> str:
    """Say what of the printed numbers the individuals miss by more than a few: they are then those of no such arm."""
    events = int((status == 0).sum())
    few = max(2.0, FEW * known.n)
    if known.events is not None and abs(events - known.events) > (few if events and known.events else 0):
        return f"{known.events} events were printed and {events} fit the curve, so that it carries neither counts nor a hazard ratio"
    far = [one for one in _unmet(known, reading, time) if abs(one[1] - one[2]) > few]
    if far:
        at, printed, there = far[0]
        return f"{printed} were printed at risk at {at:g} and {there} fit the curve, so that it carries neither counts nor a hazard ratio"
    return ""


def _refused(reading: Reading, known: Known) -> str:
    """Say why n alone carries no counts: only vertices with their marks of censoring do."""
    rows = [time for time, _ in known.rows if time > 0]
    if rows or known.events is not None or (reading.kind == "vector" and reading.ticks is not None):
        return ""
    words = {"vector": "vertices without marks of censoring", "pixel": "pixels", "clicks": "points set by hand"}[reading.kind]
    return f"{_ALONE}{words}, carries neither counts nor individuals nor a hazard ratio"


def arms_frame(first: Reconstruction, second: Reconstruction) -> pl.DataFrame:
    """Return the individuals of two arms with ARM 0 and 1, for a log-rank test or a Cox model.

    Raises
    ------
    InputError
        If what is known of either curve carries no hazard ratio.

    Examples
    --------
    By hand: two arms of two, in which everybody has the event.

    >>> import numpy as np
    >>> from cartrial.evidence.curves import Reading, arms_frame, reconstruct_curve
    >>> reading = Reading("vector", np.array([1.0, 2.0]), np.array([0.5, 0.0]), 2.0, None, 0.001, 1e-5)
    >>> arm = reconstruct_curve(reading, 2, events=2)
    >>> arms_frame(arm, arm).select("ARM", "AVAL", "CNSR", "PROVENANCE").row(3)
    (1, 2.0, 0, 'reconstructed')
    """
    return pl.concat([arm.frame().with_columns(ARM=pl.lit(number)) for number, arm in enumerate((first, second))])


def _kaplan_meier(time: Floats, status: NDArray[np.int8], at: Floats) -> Floats:
    order = np.lexsort((status, time))
    at_risk = np.arange(len(time), 0, -1)
    kept = np.append(1.0, np.cumprod(np.where(status[order] == 0, 1.0 - 1.0 / at_risk, 1.0)))
    return kept[np.searchsorted(time[order], at, side="right")]
