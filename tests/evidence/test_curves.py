"""Curves to individuals: the lattice and Guyot's algorithm against sets whose individuals are known.

Origin of expected values: `R` (tests/oracle/curves.R: events, numbers at risk and hazard ratios of gbsg, veteran, lung and colon),
`published` (evidence room of the project, acceptance numbers 10 to 12: tolerances), `by hand` and `independent` (simulated trials) as said.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from cartrial.analysis import estimate_cox, estimate_logrank
from cartrial.errors import InputError
from cartrial.evidence.curves import Reading, Reconstruction, arms_frame, reconstruct_curve
from cartrial.evidence.curves.lattice import find_path
from cartrial.evidence.curves.lattice_kernel import Settings, fill_tables, follow_path, sample_paths
from cartrial.evidence.curves.reading import Known
from curve_truth import SETS, Arm, truth


def both(name: str, read: str, *, rows: bool, events: bool) -> list[Reconstruction]:
    """Reconstruct both arms of a set."""

    def one(arm: Arm) -> Reconstruction:
        reading = {
            "vector": lambda: arm.vector(ticks=False),
            "ticks": lambda: arm.vector(ticks=True),
            "pixel": arm.pixel,
            "clicks": arm.clicks,
        }
        return reconstruct_curve(reading[read](), arm.n, rows=arm.rows if rows else (), events=arm.events if events else None)

    return [one(arm) for arm in truth(name).arms]


def log_ratio(found: list[Reconstruction]) -> float:
    return float(estimate_cox(arms_frame(*found), ["ARM"])["coefficient"][0])


def events_of(found: list[Reconstruction]) -> list[int]:
    return [int((arm.status == 0).sum()) for arm in found]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    ("read", "rows", "ratio", "level"), [("vector", True, 0.008, 2e-4), ("ticks", True, 0.0015, 0.002), ("pixel", True, 0.008, 0.002)]
)
@pytest.mark.shows("EST-reconstruction")
def test_rows_and_events_give_back_the_trial(name: str, read: str, rows: bool, ratio: float, level: float) -> None:
    """Events and n exact; |Δ log HR| ≤ 0.008, with marks of censoring ≤ 0.0015; survival between events."""
    found, known = both(name, read, rows=rows, events=True), truth(name)
    assert events_of(found) == [arm.events for arm in known.arms]
    assert [len(arm.time) for arm in found] == [arm.n for arm in known.arms]
    assert abs(log_ratio(found) - known.log_hr) <= ratio
    assert max(arm.quality()["largest_difference"] for arm in found) <= level
    for arm, truly in zip(found, known.arms, strict=True):
        apart = [abs(row["found"] - count) for row, (_, count) in zip(arm.quality()["at_risk"], truly.rows, strict=True)]
        # a drop that was read within a pixel of a printed time may stand on its other side
        assert max(apart) <= (2 if read == "pixel" else 0)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("read", ["vector", "pixel"])
def test_events_alone_are_met(name: str, read: str) -> None:
    """The total of events, no number at risk: events exact, |Δ log HR| ≤ 0.008 (the prototype: ≤ 0.0038 of vertices)."""
    found = both(name, read, rows=False, events=True)
    assert events_of(found) == [arm.events for arm in truth(name).arms]
    assert abs(log_ratio(found) - truth(name).log_hr) <= 0.008


@pytest.mark.parametrize("name", SETS)
def test_vertices_with_marks_need_n_alone(name: str) -> None:
    """Neither rows nor events: every event is found, |Δ log HR| ≤ 0.0015."""
    found = both(name, "ticks", rows=False, events=False)
    assert events_of(found) == [arm.events for arm in truth(name).arms]
    assert abs(log_ratio(found) - truth(name).log_hr) <= 0.0015


@pytest.mark.parametrize("name", SETS)
def test_the_log_rank_statistic_is_given_back(name: str) -> None:
    """By R's survdiff, within 0.4."""
    found = arms_frame(*both(name, "vector", rows=True, events=True))
    assert abs(estimate_logrank(found, "ARM", by=())["chi_square"][0] - truth(name).logrank) <= 0.4


@pytest.mark.shows("EST-reconstruction")
def test_ten_patients_by_hand() -> None:
    """10 at risk, drops to 0.9, 0.8 and 6/7 of it: at risk 10, 9, 7, an event each, one censored between the second and the third."""
    reading = Reading("vector", np.array([1.0, 2.0, 3.0]), np.array([0.9, 0.8, 0.685714]), 4.0, None, 1e-3, 1e-6)
    found = reconstruct_curve(reading, 10, events=3)
    assert [int((found.time >= t).sum()) for t in (1, 2, 3)] == [10, 9, 7]
    assert sorted(found.time[found.status == 0]) == [1, 2, 3]
    assert int(((found.time > 2) & (found.time < 3)).sum()) == 1


def test_a_last_fall_to_0_invents_no_deaths_by_hand() -> None:
    """4 of 8 at risk at 1.5, a fall to 0 at 2: it says not how many it takes (decided rules), so one; with 8 events in all, four."""
    reading = Reading("vector", np.array([1.0, 2.0]), np.array([0.5, 0.0]), 2.0, None, 1e-3, 1e-6)
    rows = [(0.0, 8), (1.5, 4)]
    found = reconstruct_curve(reading, 8, rows=rows)
    assert found.quality()["events_of_the_fall_to_0"] == 1 and int(((found.time > 1.5) & (found.time < 2)).sum()) == 3
    found = reconstruct_curve(reading, 8, rows=rows, events=8)
    assert found.quality()["events_of_the_fall_to_0"] == 4 and int((found.status == 0).sum()) == 8


def simulated(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A trial with a share who never have the event, and follow-up of one of three shapes."""
    random = np.random.default_rng(seed)
    event = np.where(random.random(n) < 0.35, 1e9, random.exponential(12, n))
    lost = [random.uniform(6, 40, n), np.minimum(random.exponential(30, n), 36), random.uniform(0, 24, n)][seed % 3]
    time = np.minimum(event, lost)
    return (np.ceil(time * 30.4375) / 30.4375 if seed % 2 else time), (event > lost).astype(int)


def kaplan_meier(time: np.ndarray, status: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By definition, a slow second implementation."""
    at = np.unique(time[status == 0])
    kept = [1 - ((time == t) & (status == 0)).sum() / (time >= t).sum() for t in at]
    return at, np.cumprod(kept)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed > 3 else []) for seed in range(30)])
def test_single_arms_of_fifty(seed: int) -> None:
    """Independent: simulated trials. n alone with marks, events alone of vertices and pixels, rows and events: every event is found."""
    time, status = simulated(seed, 50)
    at, survival = kaplan_meier(time, status)
    events, end, axis = int((status == 0).sum()), time.max(), 48.0
    x, y = np.round(at / axis * 40000) * axis / 40000, np.round(survival * 30000) / 30000
    last = np.append(x[1:] != x[:-1], True)
    marks = np.unique(np.round(time[status == 1] / axis * 40000) * axis / 40000)
    errors = axis / 40000 / np.sqrt(12), 1 / 30000 / np.sqrt(12)
    marked = reconstruct_curve(Reading("vector", x[last], y[last], end, marks, *errors), 50)
    assert int((marked.status == 0).sum()) == events
    # what is hidden under another mark or under a drop can be a censoring or two out of place
    assert np.abs(np.sort(marked.time) - np.sort(time)).mean() < 0.3
    x, y = np.round(at / axis * 1000) * axis / 1000, np.round(survival * 1200) / 1200
    last = np.append(x[1:] != x[:-1], True)
    rows = [(month, int((time >= month).sum())) for month in np.arange(0, end, 6.0)]
    pixel = Reading("pixel", x[last], y[last], end, None, axis / 3464, 1 / 4157)
    for given in ((), rows):
        found = reconstruct_curve(pixel, 50, rows=given, events=events)
        assert int((found.status == 0).sum()) == events and len(found.time) == 50
        assert found.quality()["largest_difference"] < 0.004


@pytest.mark.slow
def test_members_meet_the_events_and_differ() -> None:
    """By hand: every member has the printed total and n; without a total they spread; the same seed gives the same ones."""
    arm = truth("lung").arms[0]
    found = reconstruct_curve(arm.pixel(), arm.n, rows=arm.rows, events=arm.events, members=20)
    time, status = found.ensemble
    assert time.shape == (20, arm.n) and ((status == 0).sum(axis=1) == arm.events).all()
    assert len(np.unique(np.sort(time, axis=1), axis=0)) > 1
    again = reconstruct_curve(arm.pixel(), arm.n, rows=arm.rows, events=arm.events, members=20).ensemble
    assert (again[0] == time).all()


@pytest.mark.skipif(find_spec("numba") is None, reason="numba (extra `fast`) is not installed: kernels are interpreted")
@pytest.mark.parametrize("read", ["vector", "pixel"])
def test_interpreted_and_compiled_are_equal(read: str) -> None:
    """Independent: the same kernels, run both ways on an arm of veteran, give the same tables and paths."""
    arm = truth("veteran").arms[1]
    path = find_path(arm.pixel() if read == "pixel" else arm.vector(ticks=False), Known(arm.n, events=arm.events))
    gaps = len(path.time) - 1
    kept = []
    for run in (lambda kernel: kernel.function, lambda kernel: kernel.compiled()):
        settings = Settings(path.settings.error, 0.5, 50.0, False)
        # what is left of a search in places that no path reaches says nothing
        for table in path.tables[:-1]:
            table[:] = 0
        reached = run(fill_tables)(path.nodes, path.tables, settings)
        events, censored = np.zeros((2, gaps), np.int64)
        run(follow_path)(path.nodes, path.tables, events, censored)
        run(fill_tables)(path.nodes, path.tables, settings._replace(soft=True))
        drawn, lost = np.zeros((2, 5, gaps), np.int64)
        run(sample_paths)(path.nodes, path.tables, settings, np.random.default_rng(1).random((5, 2 * gaps)), drawn, lost)
        kept.append((reached, events, censored, drawn, lost, path.tables.before.copy()))
    for one, other in zip(*kept, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_guyot_keeps_every_patient_and_ends(name: str) -> None:
    """R: n is kept, and the printed total met where numbers at risk leave room; hazard ratios near, as the prototype found (≤ 0.05)."""
    found = both(name, "clicks", rows=True, events=True)
    assert [len(arm.time) for arm in found] == [arm.n for arm in truth(name).arms]
    assert max(abs(a - b.events) for a, b in zip(events_of(found), truth(name).arms, strict=True)) <= 2
    assert abs(log_ratio(found) - truth(name).log_hr) <= 0.05
    assert all(arm.method == "Guyot" for arm in found)


@pytest.mark.parametrize(("read", "refused"), [("pixel", True), ("vector", True), ("clicks", True), ("ticks", False)])
def test_n_alone_carries_counts_only_of_vertices_with_marks(read: str, refused: bool) -> None:
    """By hand, rules of the evidence room: curve and median may be shown, counts, individuals and hazard ratios are refused."""
    found = both("lung", read, rows=False, events=False)
    assert found[0].quality()["median"] == pytest.approx(270, abs=2)
    assert ("events" in found[0].quality()) is not refused
    if refused:
        with pytest.raises(InputError, match=r"n alone, with .* carries neither counts nor individuals nor a hazard ratio"):
            arms_frame(*found)
    else:
        assert arms_frame(*found).height == 228


def test_individuals_are_marked_as_reconstructed() -> None:
    """By hand: never real."""
    found = both("veteran", "ticks", rows=False, events=False)[0]
    assert found.frame()["PROVENANCE"].unique().to_list() == ["reconstructed"]
    assert found.quality()["provenance"] == "reconstructed"


def test_marks_that_contradict_the_rows_are_left_out_and_said() -> None:
    """By hand: 3 marks before 6 where the rows say that nobody was lost."""
    reading = Reading("vector", np.array([1.0, 7.0]), np.array([0.9, 0.8]), 9.0, np.array([2.0, 3.0, 4.0]), 1e-3, 1e-6)
    found = reconstruct_curve(reading, 10, rows=[(6.0, 9)], events=2)
    assert "contradict" in found.notes[0] and int((found.time < 6).sum()) == 1


def test_numbers_at_risk_that_fit_badly_are_said() -> None:
    """By hand: of 400 two have the event at 1, one of 398 at 2; with 395 at risk before it survival is 2e-5 off, twenty times the error."""
    survival = np.array([398 / 400, 397 / 400])
    reading = Reading("vector", np.array([1.0, 2.0]), survival, 3.0, None, 1e-4, 1e-6)
    assert reconstruct_curve(reading, 400, rows=[(1.5, 398)]).notes == ()
    found = reconstruct_curve(reading, 400, rows=[(1.5, 395)])
    assert [int((found.time >= t).sum()) for t in (1, 1.5, 2)] == [400, 395, 395]
    assert "fits it badly" in found.notes[0]
    assert found.quality()["largest_difference"] == pytest.approx(398 / 400 * (1 / 395 - 1 / 398), rel=0.01)


@pytest.mark.parametrize("change", [1, 5])
def test_totals_that_an_image_carries_too_are_met(change: int) -> None:
    """Independent: pixels of 440 patients leave a few events open; each total is met with every patient, as near to the reading."""
    arm = truth("gbsg").arms[0]
    found = reconstruct_curve(arm.pixel(), arm.n, events=arm.events + change)
    assert int((found.status == 0).sum()) == arm.events + change and len(found.time) == arm.n
    assert found.quality()["largest_difference"] < 0.002 and len(found.notes) == 0


@pytest.mark.slow
def test_a_total_that_fits_badly_is_said() -> None:
    """By hand (its small sibling: numbers at risk that fit badly): five events fewer than R's 205 are met only by leaving the reading."""
    arm = truth("gbsg").arms[0]
    found = reconstruct_curve(arm.pixel(), arm.n, events=arm.events - 5)
    assert "fits it badly" in found.notes[0] and int((found.status == 0).sum()) == arm.events - 5


READING = Reading("vector", np.array([1.0, 2.0, 3.0]), np.array([0.9, 0.8, 0.7]), 4.0, None, 1e-3, 1e-5)


@pytest.mark.parametrize(
    ("change", "given", "said"),
    [
        ({}, {"events": 11}, "11 events of 10 patients cannot be"),
        ({}, {"events": 2}, "the curve falls 3 times, and there are 2 events in all"),
        ({}, {"events": 9}, "9 cannot be met"),
        ({}, {"rows": [(0, 12)]}, "12 are at risk at 0, and n is 10"),
        ({}, {"rows": [(0, 10), (1, 8), (2, 9)]}, "rise from 8 to 9 at 2"),
        ({}, {"rows": [(0, 10), (1.5, 8.5)]}, "8.5 at 1.5 is no number of patients. A weighted curve"),
        ({}, {"rows": [(2, 8), (1, 9)]}, "the time 1 stands after 2"),
        ({}, {"rows": [(-1, 10)]}, "-1 is no time"),
        ({}, {"rows": [(6, 2)]}, "2 are at risk at 6, and the curve ends at 4"),
        ({}, {"rows": [(1.5, 1)]}, "no whole numbers of patients fit"),
        ({}, {"rows": [(1.5, 5)]}, "whole patients are at 0.7200 at 2, where the curve is at 0.8000"),
        ({"kind": "pixel", "survival_error": 0.001}, {"n": 1000}, "the least fall that can be read in this image is 3.5 patients of 1000"),
        ({}, {"n": 0}, "0 is no number of patients"),
        ({}, {"n": 30_000}, "more than 20000"),
        ({}, {"members": -1}, "-1 members"),
        ({"ticks": np.array([5.0])}, {}, "a mark of censoring is at 5, and the curve ends at 4"),
        ({"ticks": np.array([-1.0])}, {}, "a mark of censoring is at -1, before 0"),
        ({"survival": np.array([0.1, 0.2, 0.3])}, {}, "it shows a cumulative incidence"),
        ({"survival": np.array([0.9, 0.6, 0.7])}, {}, "the curve rises by 0.100"),
        ({"survival": np.array([90.0, 80.0, 70.0])}, {}, "outside 0 to 1"),
        ({"survival": np.array([0.9, np.nan, 0.7])}, {}, "no number"),
        ({"survival": np.ones(3)}, {}, "never falls"),
        ({"time": np.array([-3.0, 2.0, 3.0])}, {}, "before 0"),
    ],
)
def test_what_cannot_be_is_refused(change: dict, given: dict, said: str) -> None:
    """By hand: one message each."""
    reading = Reading(**{**{key: getattr(READING, key) for key in READING.__dataclass_fields__}, **change})
    arguments = {"n": 10, **given}
    with pytest.raises(InputError, match=said):
        reconstruct_curve(reading, arguments.pop("n"), **arguments)


def test_by_hand_who_leaves_within_the_error_of_the_reading_is_at_risk_in_every_sentence() -> None:
    """By hand: the event read at 5.9999 with an error of 0.001 may be one at 6, so that all 10 are at risk at 6, as printed."""
    reading = Reading("vector", np.array([5.9999, 8.0]), np.array([0.9, 0.8]), 9.0, None, 0.001, 1e-5)
    found = reconstruct_curve(reading, 10, rows=((6.0, 10),), events=2)
    row = found.quality()["at_risk"][0]
    assert row["printed"] == row["found"] == 10
    assert not [note for note in found.notes if "at risk" in note]
