"""How many were at risk, had the event and were censored, where a curve's drops are known? The cheapest path over whole patients."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.evidence.curves.lattice_kernel import Nodes, Settings, Tables, fill_tables, follow_path, sample_paths
from cartrial.evidence.curves.reading import Floats, Known, Reading

__all__ = ["Path", "find_path", "place_patients", "sample_patients"]

Integers = NDArray[np.int64]

BEAM = 50.0
# share of marks of censoring under which another is hidden
HIDDEN = 0.08
# of the axis, where nothing tells how many are censored; and the least that is expected in a gap
FIRST_RATE = 0.3
LEAST = 1e-3
STEEPEST = 30.0
HALVINGS, DRAWN = 36, 60
# errors of reading that are tried, and the distance of survival from the reading beyond which nothing fits
WIDENED = (1.0, 4.0, 16.0)
FAR = {"vector": 0.005, "pixel": 0.01}
LOOK = "Look at n, the numbers at risk, the unit of their times, and whose curve it is"


@dataclass(frozen=True)
class Path:
    """A path over the nodes of a curve.

    Parameters
    ----------
    time : ndarray of float64, shape (nodes,)
        The start, drops and printed numbers at risk in order, and the end.
    nodes : Nodes
    settings : Settings
    tables : Tables
        As the last search has filled them.
    events, censored : ndarray of int64, shape (nodes - 1,)
        At each node, and in the gap after it.
    ticks : bool
        Whether marks of censoring were followed.
    farthest : float
        The largest distance of its survival from the reading.
    """

    time: Floats
    nodes: Nodes
    settings: Settings
    tables: Tables
    events: Integers
    censored: Integers
    ticks: bool
    farthest: float = 0.0


def find_path(reading: Reading, known: Known) -> Path:
    """Find the whole numbers of events and censored that a curve and what is printed beside it stand for.

    Printed numbers at risk are bounds; marks of censoring say in which gaps somebody is censored; the total of events sets a cost of each
    event, found by halving. Between printed numbers the censored are expected at a constant rate, which the first path corrects.

    Parameters
    ----------
    reading : Reading
        Cleaned, of the kind vector or pixel.
    known : Known
        Checked.

    Raises
    ------
    InputError
        If no whole numbers fit the numbers at risk, or the total of events cannot be met.
    """
    refused: InputError | None = None
    # marks that were drawn over, or of another curve: without them the rest may still hold
    for ticks in (reading.ticks, None) if reading.ticks is not None else (None,):
        # printed numbers that were counted or rounded otherwise fit a coarser reading; what it costs is said
        for widened in WIDENED:
            try:
                return _search(replace(reading, survival_error=widened * reading.survival_error), known, ticks)
            except InputError as error:
                refused = refused or error
    raise refused or AssertionError


def _search(reading: Reading, known: Known, ticks: Floats | None) -> Path:
    """Search with one error of reading, with or without marks; what lies too far from the reading is refused."""
    time, nodes = _nodes(reading, known, ticks)
    shape = (len(time), known.n + 1)
    log_factorial = np.append(0.0, np.cumsum(np.log(np.arange(1, known.n + 2))))
    before, after, survival, survival_after = np.zeros((4, *shape))
    events, censored = np.zeros((2, *shape), np.int64)
    tables = Tables(before, after, survival, survival_after, events, censored, log_factorial)
    path = _solved(Path(time, nodes, _settings(reading, 0.0), tables, *_counts(nodes), ticks is not None), known)
    if ticks is None:
        path = _solved(_with_rates(path, known), known)
    if known.events is not None and path.events.sum() != known.events:
        path = _with_events(path, known, known.events)
    return _near(path, reading, known)


def _near(path: Path, reading: Reading, known: Known) -> Path:
    """Return a path whose curve is nowhere far from the reading."""
    drop = path.nodes.drop[:-1]
    at_risk = known.n - np.append(0, np.cumsum(path.events + path.censored)[:-1])
    level = np.cumprod(np.where(drop, 1 - path.events / np.maximum(at_risk, 1), 1.0))
    apart = np.where(drop, np.abs(level - path.nodes.survival[:-1]), 0.0)
    far = np.flatnonzero(apart > FAR[reading.kind])
    if len(far):
        k = int(far[0])
        what = f"whole patients are at {level[k]:.4f} at {path.time[k]:g}, where the curve is at {path.nodes.survival[k]:.4f}"
        raise InputError(what, key="rows", right=LOOK)
    return replace(path, farthest=float(apart.max()))


def _settings(reading: Reading, tilt: float) -> Settings:
    return Settings(reading.survival_error, tilt, BEAM, False)


def _counts(nodes: Nodes) -> tuple[Integers, Integers]:
    return np.zeros(len(nodes.drop) - 1, np.int64), np.zeros(len(nodes.drop) - 1, np.int64)


def _solved(path: Path, known: Known) -> Path:
    """Return the cheapest path for its nodes and settings."""
    last = len(path.time) - 1
    reached = fill_tables(path.tables.before.size, path.nodes, path.tables, path.settings)
    if reached < last:
        at = path.time[reached + 1]
        what = f"no whole numbers of patients fit the curve and the numbers at risk at {at:g}"
        raise InputError(what, key="rows", right=LOOK)
    events, censored = _counts(path.nodes)
    follow_path(last, path.nodes, path.tables, events, censored)
    return replace(path, events=events, censored=censored)


def _nodes(reading: Reading, known: Known, ticks: Floats | None) -> tuple[Floats, Nodes]:
    """Return the times of the nodes, and the nodes: the start, numbers at risk before a drop of the same time, and the end."""
    rows = [(time, int(count)) for time, count in known.rows if 0 < time <= reading.end]
    time = np.concatenate([[0.0], [at for at, _ in rows], reading.time])
    drop = np.arange(len(time)) > len(rows)
    order = np.lexsort((drop, time))
    count = np.concatenate([[known.n], [number for _, number in rows], np.full(len(reading.time), -1)]).astype(np.int64)[order]
    survival = np.concatenate([np.ones(len(rows) + 1), reading.survival])[order]
    time, drop = np.append(time[order], reading.end), np.append(drop[order], False)
    slack = np.array([_slack(reading, known.n, at, ticks) if number >= 0 else 0 for at, number in zip(time, count, strict=False)], np.int64)
    slack[0] = 0
    low, high = np.where(count >= 0, count - slack, 0), np.where(count >= 0, count + slack, known.n)
    low = np.append(np.maximum.accumulate(np.maximum(low, 0)[::-1])[::-1], 0)
    high = np.append(np.minimum.accumulate(np.minimum(high, known.n)), 0)
    gaps = len(time) - 1
    least, most = np.zeros(gaps, np.int64), np.full(gaps, known.n)
    expected = _expected(time, drop, np.append(survival, survival[-1]), low, high)
    if ticks is not None:
        gap = np.searchsorted(time[:-1], ticks + 2 * reading.time_error, side="right") - 1
        least = np.bincount(np.clip(gap, 0, gaps - 1), minlength=gaps).astype(np.int64)
        most = np.where(least > 0, known.n, 0)
        most[-1] = known.n
        expected = np.asarray(HIDDEN * least, np.float64)
        expected[-1] = expected[-1] if least[-1] else -1.0
    return time, Nodes(drop, np.append(survival, survival[-1]), low, high, least, most, expected)


def _slack(reading: Reading, n: int, time: float, ticks: Floats | None) -> int:
    """Return how many may stand on the other side of a printed time, since what happened to them was read so near to it."""
    near = np.abs(reading.time - time) <= 2 * reading.time_error
    fall = np.append(1.0, reading.survival)[:-1] - reading.survival
    marks = 0 if ticks is None else int((np.abs(ticks - time) <= 2 * reading.time_error).sum())
    return int(np.ceil(n * fall[near]).sum()) + marks


def _expected(time: Floats, drop: NDArray[np.bool_], survival: Floats, low: Integers, high: Integers) -> Floats:
    """Return how many are expected to be censored in each gap: evenly between printed numbers, from the last one on at a constant rate."""
    width = np.diff(time)
    expected = np.zeros(len(width))
    printed = np.flatnonzero(~drop[:-1])
    before = np.array([survival[:k][drop[:k]][-1] if drop[:k].any() else 1.0 for k in printed])
    at_risk = (low[printed] + high[printed]) / 2
    for start, stop, i in zip(printed, printed[1:], range(len(printed)), strict=False):
        lost = at_risk[i] * before[i + 1] / max(before[i], 1e-9) - at_risk[i + 1]
        expected[start:stop] = max(lost, FIRST_RATE) * width[start:stop] / max(time[stop] - time[start], 1e-300)
    start = printed[-1]
    since = (time[start:-1] - time[start]) / max(time[-1], 1e-300)
    fallen = np.minimum(survival[start:-1] / max(before[-1], 1e-9), 1.0)
    rate = FIRST_RATE / max(time[-1], 1e-300)
    expected[start:] = rate * width[start:] * at_risk[-1] * fallen * np.exp(-FIRST_RATE * since)
    expected = np.maximum(expected, LEAST)
    expected[-1] = -1.0
    return expected


def _with_rates(path: Path, known: Known) -> Path:
    """Return the path with the censored expected as its own rates say, each between two printed numbers and from the last one on."""
    at_risk = known.n - np.append(0, np.cumsum(path.events + path.censored)[:-1]) - path.events
    exposed = at_risk * np.diff(path.time)
    stretch = np.cumsum(~path.nodes.drop[:-1]) - 1
    # the last gap has those who are left: they say nothing of a rate
    use = np.arange(len(exposed)) < len(exposed) - 1
    lost = np.bincount(stretch[use], path.censored[use], stretch[-1] + 1)
    under = np.bincount(stretch[use], exposed[use], stretch[-1] + 1)
    rate = (lost + 0.5) / np.maximum(under + exposed.sum() / len(exposed), 1e-300)
    expected = np.maximum(rate[stretch] * exposed, LEAST)
    expected[-1] = -1.0
    return replace(path, nodes=path.nodes._replace(expected=expected))


def _with_events(path: Path, known: Known, wanted: int) -> Path:
    """Return the cheapest path with the total of events: a cost of each event, halved until the total is met."""
    over, under = -STEEPEST, STEEPEST
    nearest = path
    for _ in range(HALVINGS):
        tilt = (over + under) / 2
        try:
            found = _solved(replace(path, settings=path.settings._replace(tilt=tilt)), known)
        except InputError:
            # so dear, or so cheap, that the beam loses every path to a printed number
            over, under = (over, tilt) if tilt > 0 else (tilt, under)
            continue
        total = int(found.events.sum())
        if total == wanted:
            return found
        if abs(total - wanted) <= abs(int(nearest.events.sum()) - wanted):
            nearest = found
        over, under = (tilt, under) if total > wanted else (over, tilt)
        if under - over < 1e-6:
            break
    chosen = _sampled_total(path, wanted)
    if chosen is not None:
        return chosen
    total = int(nearest.events.sum())
    what = f"the curve and what is printed beside it stand for {total} events, and {wanted} cannot be met"
    raise InputError(what, key="events", right="Look at the number of events, n and the numbers at risk; or leave the events out")


def _sampled_total(path: Path, wanted: int) -> Path | None:
    """Return a path with the total of events where the cheapest ones pass over it: the likeliest of those drawn; None where none has it.

    The cost of each event is halved until as many paths have more as have fewer.
    """
    over, under = -STEEPEST, STEEPEST
    kept: list[Integers] = []
    for _ in range(HALVINGS // 3):
        tilt = (over + under) / 2
        events, censored = _draw(replace(path, settings=path.settings._replace(tilt=tilt)), DRAWN, 1)
        if not len(events):
            return None
        totals = events.sum(axis=1)
        kept += list(np.concatenate([events, censored], axis=1)[totals == wanted])
        over, under = (tilt, under) if np.median(totals) > wanted else (over, tilt)
    if not kept:
        return None
    rows, counts = np.unique(np.array(kept), axis=0, return_counts=True)
    likely = rows[counts.argmax()]
    half = len(likely) // 2
    return replace(path, events=likely[:half], censored=likely[half:])


def _draw(path: Path, members: int, seed: int) -> tuple[Integers, Integers]:
    """Draw paths by their probability."""
    soft = path.settings._replace(soft=True)
    fill_tables(path.tables.before.size, path.nodes, path.tables, soft)
    gaps = len(path.time) - 1
    events, censored = np.zeros((members, gaps), np.int64), np.zeros((members, gaps), np.int64)
    chance = np.random.default_rng(seed).random((members, 2 * gaps))
    sample_paths(members * path.tables.before.size, path.nodes, path.tables, soft, chance, events, censored)
    # -1: no way back, by rounding
    whole = (events.min(axis=1) >= 0) & (censored.min(axis=1) >= 0)
    return events[whole], censored[whole]


def sample_patients(path: Path, reading: Reading, members: int, *, events: int | None, seed: int) -> tuple[Floats, NDArray[np.int8]]:
    """Draw reconstructions by their probability, each with the total of events where it is given.

    Returns
    -------
    time : ndarray of float64, shape (members, n)
    censored : ndarray of int8, shape (members, n)
        0 event, 1 censored. Fewer members where few paths meet the total; the path itself where none does.
    """
    drawn, lost = _draw(path, members if events is None else 3 * members, seed)
    if events is not None:
        fits = np.flatnonzero(drawn.sum(axis=1) == events)[:members]
        drawn, lost = (drawn[fits], lost[fits]) if len(fits) else (path.events[None, :], path.censored[None, :])
    placed = [place_patients(path, reading, d, c) for d, c in zip(drawn, lost, strict=True)]
    return np.array([time for time, _ in placed]), np.array([status for _, status in placed])


def place_patients(path: Path, reading: Reading, events: Integers, censored: Integers) -> tuple[Floats, NDArray[np.int8]]:
    """Return time and status (0 event, 1 censored) of every patient: the censored at their marks, else evenly over their gap."""
    gaps = len(events)
    width = np.diff(path.time)
    gap = np.repeat(np.arange(gaps), censored)
    rank = np.arange(len(gap)) - np.repeat(np.cumsum(censored) - censored, censored)
    # of the last gap the last is followed to the end
    share = (rank + np.where(gap == gaps - 1, 1.0, 0.5)) / np.maximum(censored[gap], 1)
    time = path.time[gap] + share * width[gap]
    if path.ticks and reading.ticks is not None and len(reading.ticks):
        marks = np.sort(reading.ticks)
        first = np.append(0, np.cumsum(path.nodes.least))[:-1]
        marked = path.nodes.least[gap] > 0
        # those hidden under a mark stand at the last one of their gap
        chosen = first[gap] + np.minimum(rank, np.maximum(path.nodes.least[gap] - 1, 0))
        time = np.where(marked, np.maximum(marks[np.minimum(chosen, len(marks) - 1)], path.time[gap]), time)
    status = np.repeat(np.array([0, 1], np.int8), [events.sum(), len(gap)])
    return np.concatenate([np.repeat(path.time[:-1], events), time]), status
