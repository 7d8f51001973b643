"""What does the engine do with patients, days and levels of drugs that are seldom met?"""

from __future__ import annotations

import numpy as np
import pytest

from cartrial.errors import InputError
from cartrial.virtual import Draws, draw_patients, infuse, load_ensemble, load_population, simulate_course
from cartrial.virtual.engine import compiled
from cartrial.virtual.engine import kernel_codes as codes
from cartrial.virtual.patients.randomness import Keys

MONTH = np.arange(0.0, 29.0)


def _patients(n: int, population: str = "eliana") -> Draws:
    return draw_patients(load_population(population), load_ensemble(), Keys.trials("lanes", 1, 1, n))


def _with(draws: Draws, row: int, *, state: int | None = None, parameter: int | None = None, value: float = 0.0) -> Draws:
    """One patient with another state at day 0, or another parameter."""
    parameters, initial = draws.parameters.copy(), draws.initial.copy()
    if state is not None:
        initial[row, state] = value
    if parameter is not None:
        parameters[row, parameter] = value
    return Draws(parameters, initial, draws.alive, draws.thresholds, draws.covariates, draws.member, draws.hazards)


@pytest.mark.parametrize("levels", [(100.0, 100.0), (100.0, 100.0001), (120.0, 100.0), (400.0, 30.0)])
def test_each_drug_is_given_where_interleukin_6_crosses_its_level(levels: tuple[float, float]) -> None:
    """By hand: of two levels the lower is crossed first, equal ones together; who is given only one drug crosses it there too."""
    draws = _patients(24)
    both = simulate_course(draws, MONTH, infuse(draws).treat(tocilizumab_at=levels[0], steroids_at=levels[1]))
    toci = simulate_course(draws, MONTH, infuse(draws).treat(tocilizumab_at=levels[0])).tocilizumab
    steroids = simulate_course(draws, MONTH, infuse(draws).treat(steroids_at=levels[1])).steroids
    assert (~np.isnan(steroids)).sum() > 5
    first, found = (toci, both.tocilizumab) if levels[0] <= levels[1] else (steroids, both.steroids)
    np.testing.assert_array_equal(found, first)
    assert np.array_equal(~np.isnan(both.tocilizumab), both.peak_il6 >= levels[0])
    assert np.array_equal(~np.isnan(both.steroids), both.peak_il6 >= levels[1])
    if levels[0] <= levels[1]:
        assert np.nanmax(np.abs(both.steroids - both.tocilizumab)) < 1e-4


def test_a_last_day_that_is_nearly_the_one_before_is_written() -> None:
    """By hand: nothing changes in a ten-thousandth of a second."""
    values = simulate_course(_patients(3), np.array([5.0, 5.0 + 5e-10])).values
    np.testing.assert_allclose(values[:, 1], values[:, 0], rtol=1e-6)


@pytest.mark.parametrize(
    "changed",
    [
        {"state": 3, "value": 1e20},
        {"state": 5, "value": np.inf},
        {"state": 8, "value": 95.0},
        {"state": 11, "value": 1e40},
        {"state": 11, "value": np.nan},
        {"parameter": codes.Q_ANC_BASE, "value": 1e300},
        {"parameter": codes.Q_DOSE, "value": 1e200},
    ],
)
def test_what_would_be_written_as_infinite_is_refused(changed: dict[str, float]) -> None:
    """By hand: numbers of 32 bits end at 3.4e38 (e^88.7); a patient beyond is named, on the day of infusion alone too."""
    draws = _with(_patients(6), 4, **changed)  # type: ignore[arg-type]
    for days in (MONTH, np.zeros(1)):
        if "parameter" in changed and len(days) == 1 and changed["parameter"] != codes.Q_DOSE:
            continue  # it does nothing yet
        with pytest.raises(InputError, match="1 of 6 patients cannot be solved, the first is number 5"):
            simulate_course(draws, days)


def test_a_lost_clone_may_grow_on_where_nobody_looks() -> None:
    """By hand: no clone exists, so none is seen, however large its logarithm."""
    draws = _patients(4)
    gone = np.zeros_like(draws.alive)
    initial = draws.initial.copy()
    initial[:, :3] = [90.0, 900.0, -900.0]
    nobody = Draws(draws.parameters, initial, gone, draws.thresholds, draws.covariates, draws.member, draws.hazards)
    course = simulate_course(nobody, MONTH)
    assert (course.blasts == 0).all() and np.isfinite(course.values).all()


def test_who_follows_one_that_cannot_be_solved_is_as_alone() -> None:
    """independent: the same patients without him; what is left in his lane is no number."""
    solver, draws = compiled("engine.solver_kernel"), _patients(9)
    sick = draws
    for row, state in ((0, 11), (1, 4), (5, 15)):
        sick = _with(sick, row, state=state, value=np.nan)
    padded, dosed = np.append(MONTH, np.repeat(MONTH[-1], solver.PADDING)), infuse(draws)

    def solve(given: Draws, lanes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        values, info = np.zeros((9, len(MONTH), codes.N_QUANTITIES), np.float32), np.zeros((9, codes.N_INFO))
        arrays = (given.initial, given.parameters, given.alive, given.thresholds, dosed.day, dosed.kind, dosed.value)
        arrays = tuple(np.ascontiguousarray(array) for array in (*arrays, np.full((9, 2), 100.0)))
        solver.solve(solver.Patients(*arrays, padded, values, info), solver.make_bench(len(lanes)), 1e-4, lanes)
        return values, info

    (values, info), (expected, notes) = solve(sick, (0, 1, 2, 3)), solve(draws, (0, 1, 2, 3))
    well = info[:, codes.I_FAILED] == 0
    assert well.tolist() == [False, False, True, True, True, False, True, True, True]
    assert values[well].tobytes() == expected[well].tobytes()
    assert np.array_equal(info[well], notes[well], equal_nan=True)


def test_exponentials_and_logarithms_at_their_ends() -> None:
    """By hand: exp ends at e^-700 and e^700; ln of infinity is that of 2^1024; below the least normal number ln still falls."""
    lanes = compiled("engine.lanes_kernel_functions")
    assert lanes.exp(-np.inf) == lanes.exp(-700.0) > 0 and lanes.exp(np.inf) == lanes.exp(700.0) < np.inf
    assert lanes.log(np.inf) == pytest.approx(1024 * np.log(2), rel=1e-15)
    assert np.isnan([lanes.log(-np.inf), lanes.log(-0.0), lanes.log(-5e-324)]).all()
    least = np.finfo(float).tiny
    assert lanes.log(least) == pytest.approx(np.log(least), rel=1e-15)
    assert -710.0 < lanes.log(5e-324) < lanes.log(least / 2) < lanes.log(least)
