"""Does the engine solve the equations, exactly when it should, and the same in every order?"""

from __future__ import annotations

import numpy as np
import pytest

from cartrial.errors import InputError
from cartrial.virtual import Draws, Events, infuse, load_ensemble, load_population, simulate_course
from cartrial.virtual.engine import compiled
from cartrial.virtual.engine import kernel_codes as codes
from cartrial.virtual.engine.reference import compare_with_reference
from cartrial.virtual.patients.chances import draw_chances
from cartrial.virtual.patients.draws import build_patients, draw_patients
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform, philox

DAYS = np.arange(0.0, 366.0)


def _patients(population: str, n: int, *, spread: bool = True, study: str = "test") -> Draws:
    model = load_model()
    mean, sd = model.prior
    keys = Keys.trials(study, 1, 1, n)
    values = mean + sd * draw_normal(keys, 999, len(mean)) * spread
    return build_patients(load_population(population), model.natural(values), draw_chances(keys))


def _idle(n: int = 4) -> Draws:
    """Patients whose CAR-T cells do nothing: the rest has closed forms."""
    draws = _patients("eliana", n)
    parameters = draws.parameters.copy()
    parameters[:, codes.Q_DOSE] = 0.0
    parameters[:, codes.Q_EXPANSION] = 0.0
    initial = draws.initial.copy()
    initial[:, 4:6] = -60.0
    return Draws(parameters, initial, draws.alive, draws.thresholds - 20, draws.covariates, draws.member, draws.hazards)


def test_philox_gives_the_known_answers() -> None:
    """Known-answer vectors of Random123."""
    ones = 0xFFFFFFFF
    cases = [
        ([0, 0, 0, 0], (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([ones] * 4, (ones, ones), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], (0xA4093822, 0x299F31D0), [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
    ]
    for counter, key, expected in cases:
        found = philox(np.array(counter, np.uint64).reshape(4, 1), key)
        assert [int(word) for word in found[:, 0]] == expected


def test_numbers_depend_on_their_key_alone() -> None:
    many = Keys.trials("study", 3, 5, 40)
    one = Keys("study", 3, np.array([4]), np.array([17]))
    assert np.array_equal(draw_uniform(many, 7, 9)[4 * 40 + 17], draw_uniform(one, 7, 9)[0])
    assert np.array_equal(draw_uniform(one, 7, 3)[0], draw_uniform(one, 7, 9)[0, :3])
    assert not np.array_equal(draw_uniform(one, 8, 3), draw_uniform(one, 7, 3))
    assert not np.array_equal(draw_uniform(Keys("study", 4, one.trial, one.subject), 7, 3), draw_uniform(one, 7, 3))
    u = draw_uniform(Keys.trials("study", 1, 1, 20_000), 1, 4)
    assert abs(u.mean() - 0.5) < 0.003 and abs(np.corrcoef(u.T) - np.eye(4)).max() < 0.03


@pytest.mark.slow
def test_jacobian_agrees_with_differences() -> None:
    rates = compiled("engine.rates_kernel").rates
    draws = _patients("allogeneic-cd19", 20)
    random = np.random.default_rng(5)
    care, alive = np.array([1.2, 0.4, 0.6, 0.5]), np.ones(3, bool)
    for q, start in zip(draws.parameters, draws.initial, strict=True):
        y = start.copy()
        y[4:8] = random.normal(size=4) + np.array([1.0, 0.0, 2.0, 4.0])
        y[11] = 3 + 300 * random.random()
        exact, unused, d = np.zeros((17, 17)), np.zeros((17, 17)), np.zeros(17)
        rates(y, q, alive, care, d, exact, True)
        near = np.zeros((17, 17))
        for i in range(17):
            h = 1e-6 * max(1.0, abs(y[i]))
            sides = []
            for sign in (1, -1):
                moved, out = y.copy(), np.zeros(17)
                moved[i] += sign * h
                rates(moved, q, alive, care, out, unused, False)
                sides.append(out)
            near[:, i] = (sides[0] - sides[1]) / (2 * h)
        assert np.abs(exact - near).max() <= 1e-5 * np.abs(exact).max()


@pytest.mark.parametrize("population", ["eliana", "allogeneic-cd19"])
def test_factors_solve_the_linear_system(population: str) -> None:
    """independent: numpy.linalg.solve of the whole matrix."""
    rates, linear = compiled("engine.rates_kernel").rates, compiled("engine.solver_kernel_linear")
    draws = _patients(population, 60)
    allogeneic = population == "allogeneic-cd19"
    random = np.random.default_rng(6)
    for q, start in zip(draws.parameters, draws.initial, strict=True):
        y = start + np.array([4.0] * 4 + [0.0] * 13) * random.normal(size=17)
        y[4:10] = random.normal(size=6) * [4, 4, 1, 1, 2, 3] + [0, 0, 2, 4, 3, -3]
        y[11] = 3 + 500 * random.random()
        d, j, factors = np.zeros(17), np.zeros((17, 17)), np.zeros((17, 17))
        rates(y, q, np.array([True, random.random() < 0.5, True]), np.ones(4), d, j, True)
        right = random.normal(size=17)
        if not allogeneic:
            right[9], j[9] = 0.0, 0.0
        shift = random.uniform(0.5, 200.0)
        linear.factorise(j, shift, float(allogeneic), factors)
        x = right.copy()
        linear.solve_block(factors, j, float(allogeneic), x)
        exact = np.linalg.solve(shift * np.eye(17) - j, right)
        np.testing.assert_allclose(x, exact, rtol=1e-10, atol=1e-12 * np.abs(exact).max())


@pytest.mark.parametrize("population", ["eliana", "allogeneic-cd19"])
@pytest.mark.parametrize(("rtol", "within"), [(1e-4, 1e-3), (1e-6, 1e-5)])
def test_course_agrees_with_scipy(population: str, rtol: float, within: float) -> None:
    """The reference at 1e-10; 1,000 patients are compared in benchmarks/engine.py."""
    error, clones, agreed, worst = compare_with_reference(_patients(population, 6), np.arange(0.0, 731.0), rtol=rtol)
    assert error.max() < within
    assert agreed == clones or worst < 1e-3


def test_without_cells_the_closed_forms_hold() -> None:
    """Logistic blasts, Gompertz host T cells, a straight line of the marrow's logit."""
    draws = _idle()
    course = simulate_course(draws, DAYS, Events.none(4), rtol=1e-7)
    start = np.exp(draws.initial[:, :3]) * draws.alive
    total = start.sum(1, keepdims=True)
    grown = np.exp(draws.parameters[:, [codes.Q_GROWTH]] * DAYS)
    blasts = codes.CAPACITY * total * grown / (codes.CAPACITY + total * (grown - 1))
    np.testing.assert_allclose(course.blasts, blasts, rtol=2e-5)
    host = np.exp(draws.initial[:, [8]])
    expected = codes.HOST_CAPACITY * np.exp(np.log(host / codes.HOST_CAPACITY) * np.exp(-codes.HOST_RATE * DAYS))
    np.testing.assert_allclose(course["host_t"], expected, rtol=2e-5)
    assert np.allclose(course["il6"], codes.IL6_BASE, atol=1e-3)
    assert (course["car_cells"] < 1e-9).all()


def test_result_is_the_same_for_any_chunk_and_thread() -> None:
    draws = _patients("inaticel", 300)
    whole = simulate_course(draws, DAYS[::7], threads=2)
    alone = simulate_course(draws, DAYS[::7], threads=1)
    assert np.array_equal(whole.values, alone.values) and np.array_equal(whole.info, alone.info, equal_nan=True)
    rows = np.array([299, 3, 77])
    some = simulate_course(draws.take(rows), DAYS[::7])
    assert np.array_equal(some.values, whole.values[rows])


def _joined(parts: list[Draws]) -> Draws:
    """Patients of several populations beside each other."""
    rows = [np.concatenate([getattr(part, name) for part in parts]) for name in ("parameters", "initial", "alive", "thresholds")]
    return Draws(*rows, {}, np.concatenate([part.member for part in parts]))


def _solved(draws: Draws, days: np.ndarray, lanes: tuple[int, ...] = (0, 1, 2, 3)) -> tuple[np.ndarray, np.ndarray, int]:
    """Values, notes and the errors of idle lanes that are no number, of patients given one infusion."""
    solver, n, dosed = compiled("engine.solver_kernel"), len(draws), infuse(draws)
    values, info = np.zeros((n, len(days), codes.N_QUANTITIES), np.float32), np.zeros((n, codes.N_INFO))
    padded = np.append(days, np.repeat(days[-1], solver.PADDING))
    levels = np.tile([100.0, 300.0], (n, 1))
    arrays = (draws.initial, draws.parameters, draws.alive, draws.thresholds, dosed.day, dosed.kind, dosed.value, levels, padded)
    arrays = tuple(np.ascontiguousarray(array) for array in arrays)
    return values, info, solver.solve(solver.Patients(*arrays, values, info), solver.make_bench(len(lanes)), 1e-4, lanes)


def test_bits_of_a_patient_do_not_depend_on_who_stands_beside() -> None:
    """Each alone, where three lanes are idle, against all in a mixed order: other products, with and without alemtuzumab, beside."""
    names = ("eliana", "allogeneic-cd19", "allogeneic-cd19-no-alemtuzumab")
    draws = _joined([_patients(name, 7) for name in names])
    assert (draws.initial[7:14, 10] > 0).all() and (draws.initial[14:, 10] == 0).all()
    draws = draws.take(np.random.default_rng(8).permutation(len(draws)))
    values, info, strange = _solved(draws, DAYS[::5])
    assert strange == 0 and not info[:, codes.I_FAILED].any() and np.isfinite(values).all()
    assert (~np.isnan(info[:, codes.I_TOCILIZUMAB])).sum() > 3 and (~np.isnan(info[:, :3])).any()
    for row in range(len(draws)):
        one, note, strange = _solved(draws.take(np.array([row])), DAYS[::5])
        assert strange == 0, "an idle lane makes what is no number"
        assert one[0].tobytes() == values[row].tobytes() and np.array_equal(note[0], info[row], equal_nan=True)
    back, note, _ = _solved(draws.take(np.arange(len(draws))[::-1]), DAYS[::5])
    assert np.array_equal(back[::-1], values) and np.array_equal(note[::-1], info, equal_nan=True)


def test_days_are_written_alike_wherever_they_stand_in_a_vector() -> None:
    draws = _patients("allogeneic-cd19", 5)
    every, some = _solved(draws, DAYS)[0], np.array([0, 1, 2, 9, 30, 31, 33, 100, 364, 365])
    assert np.array_equal(_solved(draws, DAYS[some])[0], every[:, some])


@pytest.mark.slow
def test_four_lanes_are_one_lane_four_times() -> None:
    draws = _joined([_patients("eliana", 9), _patients("allogeneic-cd19", 9)])
    four, one = _solved(draws, DAYS), _solved(draws, DAYS, (0,))
    assert np.array_equal(four[0], one[0]) and np.array_equal(four[1], one[1], equal_nan=True)


def test_exponentials_and_logarithms_are_exact() -> None:
    """independent: NumPy's of numbers of 80 bits; of what has none, no number."""
    lanes = compiled("engine.lanes_kernel_functions")
    random = np.random.default_rng(9)
    x = np.concatenate([random.uniform(-1, 1, 300), random.uniform(-699, 699, 300)])
    exact = np.exp(x.astype(np.longdouble))
    assert np.abs(np.array([lanes.exp(float(v)) for v in x]) / exact - 1).max() < 6e-16
    positive = np.concatenate([np.exp(x), random.uniform(0.6, 1.6, 300)])
    exact = np.log(positive.astype(np.longdouble))
    assert (np.abs(np.array([lanes.log(float(v)) for v in positive]) - exact) < 3e-16 * np.maximum(np.abs(exact), 1e-1)).all()
    assert lanes.exp(0.0) == 1.0 and lanes.log(1.0) == 0.0
    assert lanes.exp(-1e9) < 1e-300 and 1e300 < lanes.exp(1e9) < np.inf
    assert np.isnan([lanes.exp(np.nan), lanes.log(np.nan), lanes.log(0.0), lanes.log(-1.0)]).all()


def test_a_patient_is_the_same_alone_and_in_a_crowd() -> None:
    population, ensemble = load_population("inaticel"), load_ensemble()
    crowd = draw_patients(population, ensemble, Keys.trials("s", 1, 3, 20))
    alone = draw_patients(population, ensemble, Keys("s", 1, np.array([2]), np.array([5])))
    row = 2 * 20 + 5
    assert np.array_equal(crowd.parameters[row], alone.parameters[0]) and np.array_equal(crowd.initial[row], alone.initial[0])
    assert crowd.member[row] == alone.member[0]
    assert len(set(crowd.member.reshape(3, 20)[:, 0].tolist())) > 1
    assert (crowd.member.reshape(3, 20) == crowd.member.reshape(3, 20)[:, :1]).all()


def test_output_days_do_not_change_the_course() -> None:
    draws = _patients("eliana", 10)
    many = simulate_course(draws, DAYS, rtol=1e-6)
    few = simulate_course(draws, np.array([28.0, 90.0, 365.0]), rtol=1e-6)
    np.testing.assert_allclose(few.values, many.values[:, [28, 90, 365]], rtol=1e-5, atol=1e-12)


def test_fractions_of_a_dose_add_up() -> None:
    draws = _patients("eliana", 20)
    parameters = draws.parameters.copy()
    parameters[:, [codes.Q_EXPANSION, codes.Q_CONTRACTION, codes.Q_TO_MEMORY, codes.Q_MEMORY_LOSS, codes.Q_EXHAUSTION]] = 0.0
    still = Draws(parameters, draws.initial, draws.alive, draws.thresholds, draws.covariates, draws.member, draws.hazards)
    course = simulate_course(still, np.array([0.0, 1.5, 3.0]), infuse(still, (0.1, 0.3, 0.6), (0.0, 1.0, 2.0)), rtol=1e-6)
    dose = parameters[:, codes.Q_DOSE]
    for column, share in enumerate((0.1, 0.4, 1.0)):
        np.testing.assert_allclose(course["car_cells"][:, column], dose * share, rtol=1e-4)


def test_tocilizumab_is_given_where_interleukin_6_crosses() -> None:
    draws = _patients("eliana", 40)
    days = np.arange(0.0, 29.0, 0.25)
    plain = simulate_course(draws, days, rtol=1e-5)
    treated = simulate_course(draws, days, infuse(draws).treat(tocilizumab_at=200.0), rtol=1e-5)
    given = ~np.isnan(treated.tocilizumab)
    assert np.array_equal(given, plain.peak_il6 >= 200.0) and given.sum() > 5
    for row in np.flatnonzero(given):
        day = treated.tocilizumab[row]
        before = days < day - 1e-6
        np.testing.assert_allclose(treated.values[row, before], plain.values[row, before], rtol=2e-3, atol=1e-6)
        assert np.interp(day, days, plain["il6"][row]) == pytest.approx(200.0, rel=0.15)
    peak = plain["crp"].max(1)
    assert (treated["crp"].max(1)[given] < peak[given]).mean() > 0.8


def test_transplant_needs_remission_and_new_therapy_does_not() -> None:
    draws = _patients("eliana", 60)
    course = simulate_course(draws, DAYS, infuse(draws).add("transplant", 90.0, 4.0))
    before = simulate_course(draws, DAYS).marrow[:, 90]
    assert np.array_equal(~np.isnan(course.transplanted), before < codes.TRANSPLANT_BELOW)
    assert np.nanmax(course.transplanted) == 90.0
    idle = _idle()
    treated = simulate_course(idle, DAYS, Events.none(4).add("new-therapy", 50.0, 2.0))
    assert (treated.blasts[:, 50] < 0.02 * treated.blasts[:, 49]).all()


def test_a_lost_clone_stays_lost() -> None:
    draws = _patients("eliana", 80)
    course = simulate_course(draws, DAYS)
    lost = course.extinct[:, 2]
    assert np.isnan(lost).all(), "nothing kills CD19-negative blasts here"
    both = np.nanmax(course.extinct[:, :2], axis=1, initial=-1)
    gone = ~np.isnan(course.extinct[:, :2]).any(1) & draws.alive[:, :2].all(1) & (both < 300)
    assert gone.sum() > 10
    for row in np.flatnonzero(gone):
        assert (course["blasts_positive"][row, both[row] < DAYS] == 0).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda d: simulate_course(d, np.array([5.0, 1.0])), "increasing"),
        (lambda d: simulate_course(d, DAYS, rtol=-1.0), "tolerance"),
        (lambda d: simulate_course(d, DAYS, Events.none(1)), "events for 1"),
        (lambda d: infuse(d).add("surgery", 1.0), "surgery"),
        (lambda d: infuse(d).add("transplant", -1.0), "before day 0"),
        (lambda d: infuse(d).add("transplant", 1.0, -4.0), "negative"),
        (lambda d: infuse(d).treat(tocilizumab_at=0.0), "positive"),
        (lambda d: Keys.trials("s", -1, 1, 1), "seed"),
        (lambda d: Keys.trials("s", 1, 0, 1), "no trial"),
    ],
)
def test_what_cannot_be_is_said(wrong: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        wrong(_patients("eliana", 3))  # type: ignore[operator]
