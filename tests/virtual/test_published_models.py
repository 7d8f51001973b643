"""The published models. Each expected value says where it comes from.

``published``: printed or drawn in the paper. ``independent``: another program's solution, or a second solver on the equations as the
paper writes them. ``by hand``: a closed form or a conserved quantity. ``regression``: an earlier solution of ours.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm

from cartrial.errors import InputError
from cartrial.report.virtual.models import number_words, render_models, write_models_page
from cartrial.virtual.published import (
    MODELS,
    derive_stein2019_exposure,
    read_model,
    show_model,
    simulate_chaudhury2020,
    simulate_hardiansyah2019,
    simulate_kimmel2021,
    simulate_leon_triana2021,
    simulate_mueller_schoell2021,
    simulate_mueller_schoell2021_parameters,
    simulate_stein2019,
    simulate_stein2019_parameters,
)
from cartrial.virtual.published.kimmel2021 import OBSERVED
from cartrial.virtual.published.tables import SURE
from properties import every, examples
from report_example import figures_of, without_scripts

FEW = examples(25)
factor = st.floats(0.3, 3.0)


def numbers(model, case=""):
    return {name: item.value for name, item in read_model(model).chosen(case).items()}


def second(rate, start, times, rtol=1e-11, atol=1e-9, method="DOP853"):
    """Solve the equations as the paper writes them with another method."""
    found = solve_ivp(rate, (0, times[-1]), start, method=method, t_eval=times, rtol=rtol, atol=atol)
    assert found.success
    return found.y


# Tables and pictures


@pytest.mark.parametrize("name", MODELS)
def test_every_number_has_a_source_and_a_certainty(name):
    model = MODELS[name]
    assert model.doi.startswith("10.")
    assert model.equations and model.doubts and model.shows and model.scenario and model.read
    for item in model.parameters:
        assert item.source and item.meaning and item.unit and item.sure in SURE
    for case in model.cases or ("",):
        names = [item.name for item in model.parameters if item.case in ("", case) and item.sure != "unverified"]
        assert len(names) == len(set(names)) == len(model.chosen(case))


@pytest.mark.slow
@pytest.mark.parametrize("name", every(2, MODELS))
def test_a_picture_holds_finite_curves_and_repeats_itself(name):
    first, again = show_model(name), show_model(name)
    assert first
    for key, panel in first.items():
        for label, line in panel.lines.items():
            assert line.x.shape == line.y.shape
            assert np.isfinite(line.y).all() and (line.y >= 0).all()
            assert np.array_equal(line.y, again[key].lines[label].y)


def _both_groups(p):
    one, two = (simulate_mueller_schoell2021([3, 8, 60], p, low_expansion=low, transplant=1, cd4_cd8=2.0) for low in (0, 1))
    return {**one, **{f"low {key}": course for key, course in two.items()}}


@pytest.mark.parametrize("name", MODELS)
def test_each_used_number_moves_a_curve(name):
    """A number of the table that no equation takes would be an error of ours; `used: false` says so."""
    run = {
        "stein2019": lambda p, _: simulate_stein2019([3, 8, 60], p, tocilizumab=4.0, steroids=5.0),
        "kimmel2021": lambda p, _: simulate_kimmel2021([3, 8, 60], p),
        "leon_triana2021": lambda p, _: simulate_leon_triana2021([3, 8, 60], p),
        "chaudhury2020": lambda p, case: simulate_chaudhury2020([3, 8, 60], p, form=case),
        "hardiansyah2019": lambda p, case: simulate_hardiansyah2019([3, 8, 60], p, patient=case),
        "mueller_schoell2021": lambda p, _: _both_groups(p),
    }[name]
    for case in MODELS[name].cases or ("",):
        items = [item for item in MODELS[name].chosen(case).values() if item.used]
        # The first set is as published; each other one has one number a tenth smaller.
        sets = {item.name: np.where(np.arange(len(items) + 1) == k, 0.9, 1.0) * item.value for k, item in enumerate(items, 1)}
        found = run(sets, case)
        for k, item in enumerate(items, 1):
            apart = [np.abs(course[k] / np.maximum(course[0], 1e-300) - 1).max() for course in found.values()]
            assert max(apart) > 1e-6 or (name, item.name) == ("hardiansyah2019", "recall"), item.name


def test_numbers_that_are_not_verified_cannot_be_given():
    unverified = [(model.name, item.name) for model in MODELS.values() for item in model.parameters if item.sure == "unverified"]
    assert ("leon_triana2021", "immature_stimulation") in unverified
    with pytest.raises(InputError, match="no parameter 'immature_stimulation'"):
        simulate_leon_triana2021([1.0], {"immature_stimulation": 0.2})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: simulate_stein2019([1.0], {"alfa": 0.1}), "alfa: the model stein2019 has no parameter 'alfa'. The nearest is 'alpha'."),
        (lambda: simulate_stein2019([1.0], {"alpha": -0.1}), "outside its bounds. Give finite numbers from 0 up."),
        (lambda: simulate_stein2019([1.0], {"fold": 0.0}), "Give finite numbers above 0."),
        (lambda: simulate_stein2019([1.0], {"persisting": 1.5}), "Give numbers from 0 to 1."),
        (lambda: simulate_stein2019([1.0], {"alpha": np.nan}), "outside its bounds"),
        (lambda: simulate_stein2019([1.0], {"alpha": [0.1, 0.2], "beta": [0.1, 0.2, 0.3]}), "do not fit together: (2,), (3,)"),
        (lambda: simulate_stein2019([1.0], {"alpha": [[0.1]]}), "do not fit together"),
        (lambda: simulate_stein2019([2.0, 1.0]), "times: the days are not an increasing row"),
        (lambda: simulate_stein2019([]), "times: "),
        (lambda: simulate_stein2019([-1.0]), "times: "),
        (lambda: simulate_stein2019([1.0], tocilizumab=-2.0), "tocilizumab: a first dose lies before the infusion"),
        (lambda: simulate_stein2019_parameters(10, 1, random_effects="cv"), "random_effects: 'cv' is no reading"),
        (lambda: simulate_stein2019_parameters(0, 1), "n: there is nobody to draw"),
        (lambda: simulate_mueller_schoell2021_parameters(0, 1), "n: there is nobody to draw"),
        (lambda: simulate_mueller_schoell2021([1.0], low_expansion=0.5), "low_expansion: a value is neither 0 nor 1"),
        (lambda: simulate_mueller_schoell2021([1.0], cd4_cd8=0.0), "cd4_cd8: a ratio"),
        (lambda: simulate_hardiansyah2019([1.0], patient="UPN2"), "has no case 'UPN2'. Give one of: UPN1, UPN3."),
        (lambda: simulate_chaudhury2020([1.0], form="linear"), "Give one of: lotka-volterra, ec50."),
        (lambda: simulate_kimmel2021([1.0], {"normal_start": 0.0, "car_start": 0.0}), "no T cells at all"),
        (lambda: read_model("nobody2020"), "there is no published model called 'nobody2020'"),
        (lambda: show_model("nobody2020"), "Give one of: stein2019"),
        (lambda: render_models(["nobody2020"]), "there is no published model called 'nobody2020'"),
    ],
)
def test_bad_input_is_one_clear_message(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


# Stein 2019


@pytest.mark.shows("EST-published-models")
def test_stein_rates_of_the_curve():
    """published: doubling time 0.78, contraction half-life 4.3, terminal half-life 220 days (rounded from 217), 6.15 copies at infusion."""
    times = np.array([0.0, 3.0, 4.0, 9.3, 10.3, 400.0, 401.0])
    level = simulate_stein2019(times)
    total = level["transgene"][0]
    assert total[0] == pytest.approx(6.15, abs=0.005)
    assert total[3] == pytest.approx(24000)
    assert np.log(2) / np.log(total[2] / total[1]) == pytest.approx(0.78, abs=0.005)
    contracting, persisting = level["contracting"][0], level["persisting"][0]
    assert np.log(2) / np.log(contracting[3] / contracting[4]) == pytest.approx(4.3, abs=0.05)
    assert np.log(2) / np.log(persisting[5] / persisting[6]) == pytest.approx(220, rel=0.02)


def test_stein_equals_its_differential_equations():
    """independent: E and M of the paper's Figure 2, solved numerically."""
    p = numbers("stein2019")
    times = np.array([1.0, 5.0, 9.3, 12.0, 20.0, 60.0, 300.0])
    rho, k = np.log(p["fold"]) / p["tmax"], p["persisting"] * (p["alpha"] - p["beta"])
    up = second(lambda t, y: [rho * y[0]], [p["cmax"] / p["fold"]], times[:3])[0]
    down = second(lambda t, y: [-p["alpha"] * y[0], k * y[0] - p["beta"] * y[1]], [up[-1], 0.0], times[3:] - p["tmax"]).sum(axis=0)
    assert simulate_stein2019(times)["transgene"][0] == pytest.approx(np.concatenate([up, down]), rel=1e-8)


def test_stein_area():
    """independent: 172000 by trapezoids in nlmixr2lib; and quadrature of the curve."""
    exposure = derive_stein2019_exposure()
    assert exposure["area"][0] == pytest.approx(172000, rel=0.003)
    curve = quad(lambda t: simulate_stein2019([t])["transgene"][0, 0], 0, 28, points=[9.3], epsrel=1e-11)[0]
    assert exposure["area"][0] == pytest.approx(curve, rel=1e-9)
    early = quad(lambda t: simulate_stein2019([t])["transgene"][0, 0], 0, 5)[0]
    assert derive_stein2019_exposure(until=5.0)["area"][0] == pytest.approx(early)


def test_stein_comedication_changes_growth_alone():
    """by hand: rate times 1.2 from day 4 on multiplies the level on day 9 by exp(0.2 rho 5); nothing before, nothing after Tmax is new."""
    times = np.array([3.0, 9.0, 30.0])
    plain, toci = (simulate_stein2019(times, tocilizumab=day)["transgene"][0] for day in (None, 4.0))
    rho = np.log(3900) / 9.3
    assert toci / plain == pytest.approx([1.0, np.exp(0.2 * rho * 5), np.exp(0.2 * rho * 5.3)])
    assert np.array_equal(simulate_stein2019(times, steroids=2.0)["transgene"][0], plain)
    assert np.array_equal(simulate_stein2019(times, tocilizumab=10.0)["transgene"][0], plain)
    both = {"steroid_factor": 0.5}
    hand = np.exp(rho * (2 + 0.5 * 2 + 0.5 * 1.2 * 5)) * 24000 / 3900
    assert simulate_stein2019([9.0], both, tocilizumab=4.0, steroids=2.0)["transgene"][0, 0] == pytest.approx(hand)


@pytest.mark.parametrize(
    ("reading", "cmax_cv", "tmax", "area", "area_cv", "median", "above"),
    [
        ("sd", np.sqrt(np.expm1(0.65**2)), (5.0, 17.4), 1.65e5, 101, (178, 101, 50), (86, 72, 50)),
        ("variance", np.sqrt(np.expm1(0.65)), (3.4, 25.5), 1.49e5, 146, None, None),
    ],
)
def test_stein_population_by_both_readings(reading, cmax_cv, tmax, area, area_cv, median, above):
    """by hand: CV of a log-normal peak, quantiles of Tmax. regression: areas, levels on days 90, 180, 365."""
    drawn = simulate_stein2019_parameters(200_000, 11, random_effects=reading)
    exposure = derive_stein2019_exposure(drawn)
    logs = np.log(exposure["cmax"])
    assert np.exp(logs.mean()) == pytest.approx(24000, rel=0.01)
    assert np.sqrt(np.expm1(logs.var())) == pytest.approx(cmax_cv, rel=0.015)
    spread = 0.38 if reading == "sd" else np.sqrt(0.38)
    assert np.quantile(exposure["tmax"], [0.05, 0.95]) == pytest.approx(9.3 * np.exp(np.array([-1.6449, 1.6449]) * spread), rel=0.01)
    assert np.quantile(exposure["tmax"], [0.05, 0.95]) == pytest.approx(tmax, rel=0.015)
    logs = np.log(exposure["area"])
    assert np.exp(logs.mean()) == pytest.approx(area, rel=0.01)
    assert 100 * np.sqrt(np.expm1(logs.var())) == pytest.approx(area_cv, rel=0.02)
    if median is not None:
        levels = simulate_stein2019([90.0, 180.0, 365.0], drawn)["transgene"]
        assert np.median(levels, axis=0) == pytest.approx(median, rel=0.02)
        assert 100 * (levels > 50).mean(axis=0) == pytest.approx(above, abs=0.7)


@FEW
@given(st.floats(1e-3, 1e3), factor, factor, st.floats(0, 1))
def test_stein_is_not_negative_and_scales_with_the_peak(scale, alpha, beta, part):
    p = {"alpha": 0.16 * alpha, "beta": 0.0032 * beta, "persisting": part}
    times = np.linspace(0, 400, 200)
    one, more = (simulate_stein2019(times, {**p, "cmax": 24000 * c})["transgene"] for c in (1.0, scale))
    assert (one >= 0).all()
    assert more == pytest.approx(scale * one, rel=1e-9)
    falling = one[0, times > 9.3]
    assert (np.diff(falling) <= 0).all()


# Kimmel 2021


def test_kimmel_against_patients():
    """published: CAR-T cells of ZUMA-1 patients on days 7, 14, 28 and 90 (quartiles); about the infused level on day 90."""
    seen = np.array(OBSERVED)
    car = simulate_kimmel2021(seen[:, 0])["car"][0]
    assert (car > seen[:, 2]).all() and (car < seen[:, 3]).all()
    assert car[:3] == pytest.approx(seen[:3, 1], rel=0.25)
    assert car[3] == pytest.approx(0.36, rel=0.1)


def test_kimmel_earlier_solution():
    """regression: with the rounded KC = 139 and kB = 4.05 of BIOMD0000001041, and its normal T cells on day 28."""
    given = {"car_capacity": 139.0, "half_kill": 4.05}
    found = simulate_kimmel2021([7.0, 14.0, 28.0, 90.0, 180.0], given)
    assert found["car"][0] == pytest.approx([30.1, 8.97, 2.49, 0.34, 0.02], rel=0.01, abs=0.006)
    assert found["normal"][0, 2] == pytest.approx(473, abs=0.5)
    times = np.linspace(0, 20, 2001)
    peak = simulate_kimmel2021(times, given)["car"][0]
    assert (peak.max(), times[peak.argmax()]) == (pytest.approx(30.1, abs=0.05), pytest.approx(7.0, abs=0.05))


@pytest.mark.shows("EST-published-models")
def test_kimmel_second_solver():
    """independent: equations 2.1 to 2.3 in cells, as printed, by an explicit method."""
    p = numbers("kimmel2021")
    times = np.array([1.0, 7.0, 14.0, 28.0, 60.0])

    def rate(t, y):
        normal, car, tumour = y
        total = normal + car
        gap = (total - p["normal_capacity"]) ** 2
        growth = p["car_growth"] + p["reconstitution"] * gap / (p["inefficiency"] * total**2 + gap)
        return [
            -p["normal_growth"] * normal * np.log(total / p["normal_capacity"]),
            -growth * car * np.log(total / p["car_capacity"]),
            p["tumour_growth"] * tumour - p["kill"] * tumour * car / (p["half_kill"] + car),
        ]

    want = second(rate, [p["normal_start"], p["car_start"], p["tumour_start"]], times, atol=1e-14)
    found = simulate_kimmel2021(times)
    for got, other in zip((found["normal"], found["car"], found["tumour"]), want, strict=True):
        assert got[0] == pytest.approx(other, rel=1e-7)


def test_kimmel_without_car_t_cells():
    """by hand: Gompertz growth of normal T cells, exponential growth of the tumour."""
    times = np.array([0.0, 3.0, 10.0, 40.0])
    found = simulate_kimmel2021(times, {"car_start": 0.0})
    assert found["normal"][0] == pytest.approx(500 * np.exp(np.log(6 / 500) * np.exp(-0.17 * times)), rel=1e-8)
    assert found["tumour"][0] == pytest.approx(9.486e10 * np.exp(0.01 * times), rel=1e-8)
    assert (found["car"] == 0).all()


def test_kimmel_needs_lymphodepletion():
    """published (qualitative): no expansion without lymphodepletion; faster tumour growth escapes."""
    times = np.linspace(0, 180, 361)
    car = simulate_kimmel2021(times, {"normal_start": np.array([6.0, 250.0, 500.0])})["car"]
    assert car[0].max() > 80 * 0.36
    assert (car[1:].max(axis=1) == 0.36).all()
    tumour = simulate_kimmel2021(times, {"tumour_growth": np.array([0.01, 0.1, 0.5])})["tumour"]
    assert (tumour[1] >= tumour[0]).all() and (tumour[2] >= tumour[1]).all()


@FEW
@given(factor, factor, factor, st.floats(0.5, 600))
def test_kimmel_is_not_negative(growth, kill, dose, normal):
    p = {"car_growth": 0.0251 * growth, "kill": 1.15 * kill, "car_start": 0.36 * dose, "normal_start": normal}
    found = simulate_kimmel2021(np.linspace(0, 180, 50), p)
    assert all(np.isfinite(course).all() and (course >= 0).all() for course in found.values())


# León-Triana 2021


def test_leon_triana_earlier_solution():
    """regression: first peak of CAR-T cells, nadir of leukaemia, return above 10^10 cells."""
    times = np.linspace(0, 500, 50_001)
    found = simulate_leon_triana2021(times)
    car, leukaemia = found["car"][0], found["leukaemia"][0]
    early = times < 100
    assert (car[early].max(), times[car[early].argmax()]) == (pytest.approx(1.64e10, rel=0.005), pytest.approx(12.2, abs=0.1))
    nadir = leukaemia[times < 200].argmin()
    assert (leukaemia[nadir], times[nadir]) == (pytest.approx(4.1e5, rel=0.01), pytest.approx(57, abs=0.5))
    assert times[(times > 60) & (leukaemia > 1e10)][0] == pytest.approx(374, abs=0.5)


def test_leon_triana_peak_bound_and_dose():
    """published (abstract): the number of cells injected hardly matters; an explicit formula bounds the peak (here, without deaths)."""
    doses = np.array([1e6, 1e7, 1e8])
    times = np.linspace(0, 60, 6001)
    car = simulate_leon_triana2021(times, {"car_start": doses, "leukaemia_growth": 0.0})["car"]
    assert (car.max(axis=1) < doses + 0.25 * 7.5e10).all()
    car = simulate_leon_triana2021(times, {"car_start": doses})["car"]
    assert car.max(axis=1) == pytest.approx(car[1].max(), rel=0.1)
    assert (np.diff(times[car.argmax(axis=1)]) < 0).all()


def test_leon_triana_relapse_comes_later_when_cells_live_longer():
    times = np.linspace(0, 1000, 10_001)
    leukaemia = simulate_leon_triana2021(times, {"car_life": np.array([7.0, 14.0, 30.0])})["leukaemia"]
    days = [times[(times > times[one[:5000].argmin()]) & (one > 1e10)][0] for one in leukaemia]
    assert days == sorted(days) and len(set(days)) == 3


@pytest.mark.slow
@pytest.mark.shows("EST-published-models")
def test_leon_triana_second_solver():
    """independent: equations 4a to 4c in cells, by an implicit Runge-Kutta method."""
    p = numbers("leon_triana2021")
    times = np.array([5.0, 12.0, 30.0, 57.0, 120.0, 374.0])

    def rate(t, y):
        car, leukaemia, b = y
        return [
            p["stimulation"] * (leukaemia + b) * car - car / p["car_life"],
            p["leukaemia_growth"] * leukaemia - p["kill"] * leukaemia * car,
            -p["kill"] * b * car - b / p["b_life"],
        ]

    want = second(rate, [p["car_start"], p["leukaemia_start"], p["b_start"]], times, rtol=1e-10, atol=1e-7, method="Radau")
    found = simulate_leon_triana2021(times)
    for got, other in zip((found["car"], found["leukaemia"], found["b"]), want, strict=True):
        assert got[0] == pytest.approx(other, rel=1e-5)


@FEW
@given(factor, factor, st.floats(1e5, 1e9))
def test_leon_triana_without_deaths_is_a_logistic_curve(kill, yield_, dose):
    """by hand: C + (rho_C / alpha)(L + B) = M is conserved, so C grows logistically at rate alpha M towards M. Mass balance."""
    alpha, part = 4.5e-11 * kill, 0.25 * yield_
    p = {"kill": alpha, "stimulation": alpha * part, "leukaemia_growth": 0.0, "car_life": 1e30, "b_life": 1e30, "car_start": dose}
    times = np.linspace(0, 20, 21)
    found = simulate_leon_triana2021(times, p)
    total = dose + part * 7.5e10
    assert found["car"][0] + part * (found["leukaemia"][0] + found["b"][0]) == pytest.approx(total, rel=1e-8)
    assert found["car"][0] == pytest.approx(total / (1 + (total / dose - 1) * np.exp(-alpha * total * times)), rel=1e-7)


# Chaudhury 2020


def test_chaudhury_earlier_and_other_solutions():
    """regression: peak and tumour. independent: 73.681 by Tellurium, the last record of a run to day 10 by steps of one day (day 9)."""
    found = simulate_chaudhury2020([5.0, 9.0, 9.3, 20.0, 28.0, 60.0])
    assert found["tumour"][0, 1] == pytest.approx(73.681, abs=0.0006)
    assert found["tumour"][0, [0, 2, 3, 4, 5]] == pytest.approx([234, 67.9, 5.61, 1.37, 0.025], rel=0.006)
    assert found["expanding"][0, 2] == pytest.approx(2.28e4, rel=0.002)


@pytest.mark.shows("EST-published-models")
def test_chaudhury_second_solver():
    """independent: equations 7 to 9 in cells, expansion and contraction solved one after the other."""
    p = numbers("chaudhury2020", "ec50")

    def tumour(car, u):
        alive = 1 / (1 + (p["tumour_critical"] / u) ** p["steepness"])
        room = (np.log10(p["tumour_most"]) - np.log10(u)) / np.log10(p["tumour_most"])
        return alive * p["tumour_growth"] * u * room - p["kill"] * car * u / (p["half_kill"] + car + u)

    early, late = np.array([2.0, 9.3]), np.array([12.0, 30.0, 100.0])
    one = second(lambda t, y: [p["expansion"] * y[0] * y[1] / (1 + y[0] + y[1]), tumour(*y)], [10.0, 900.0], early, atol=1e-13)

    def after(t, y):
        out = (p["to_persisting"] + p["loss"]) * y[0]
        return [-out, p["to_persisting"] * y[0] - p["persisting_loss"] * y[1], tumour(y[0], y[2])]

    two = second(after, [one[0, -1], 0.0, one[1, -1]], late - 9.3, atol=1e-13)
    found = simulate_chaudhury2020(np.concatenate([early, late]))
    assert found["tumour"][0] == pytest.approx(np.concatenate([one[1], two[2]]), rel=1e-7)
    assert found["expanding"][0] == pytest.approx(np.concatenate([one[0], two[0]]), rel=1e-7)
    assert found["persisting"][0] == pytest.approx(np.concatenate([[0, 0], two[1]]), rel=1e-7)
    assert found["car"] == pytest.approx(found["expanding"] + found["persisting"])


@FEW
@given(factor, factor, factor, factor)
def test_lotka_volterra_keeps_its_invariant(expansion, loss, growth, kill):
    """by hand: rho U - kE ln U + d C - g ln C does not change."""
    p = {"expansion": 0.0018 * expansion, "loss": 0.16 * loss, "tumour_growth": 0.15 * growth, "kill": 1.5e-4 * kill}
    found = simulate_chaudhury2020(np.linspace(0, 60, 121), p, form="lotka-volterra")
    car, tumour = found["car"][0], found["tumour"][0]
    assert (car > 0).all() and (tumour > 0).all()
    with np.errstate(divide="ignore"):
        kept = p["expansion"] * tumour - p["loss"] * np.log(tumour) + p["kill"] * car - p["tumour_growth"] * np.log(car)
    assert kept == pytest.approx(kept[0], rel=1e-6, abs=1e-6)


def test_chaudhury_without_a_tumour():
    """by hand: no growth, then contraction at kE + kEP into cells that die at beta; also when both rates are one."""
    for beta in (0.0032, 0.1612):
        found = simulate_chaudhury2020([5.0, 9.3, 40.0], {"tumour_start": 0.0, "persisting_loss": beta})
        tail, out = 40 - 9.3, 0.1612
        assert found["expanding"][0] == pytest.approx([10, 10, 10 * np.exp(-out * tail)], rel=1e-8)
        hand = tail * np.exp(-out * tail) if beta == out else (np.exp(-beta * tail) - np.exp(-out * tail)) / (out - beta)
        assert found["persisting"][0] == pytest.approx([0, 0, 10 * 0.0012 * hand], rel=1e-8)
        assert (found["tumour"] == 0).all()


@FEW
@given(factor, factor, factor, st.floats(0.0, 20.0))
def test_chaudhury_is_not_negative(expansion, growth, dose, tmax):
    p = {"expansion": 8.8 * expansion, "tumour_growth": 0.2 * growth, "car_start": 10 * dose, "tmax": tmax}
    found = simulate_chaudhury2020(np.linspace(0, 120, 40), p)
    assert all(np.isfinite(course).all() and (course >= 0).all() for course in found.values())
    assert (found["tumour"] <= 1000).all()


# Hardiansyah 2019


@pytest.mark.parametrize(
    ("patient", "peaks"),
    [
        ("UPN1", {"car": (2.54950, 3.8), "memory": (0.00734449, None), "il6": (2744.7, 3.3), "il10": (915.3, 3.2), "ifn": (828.4, 3.6)}),
        ("UPN3", {"car": (0.09690, 27.2), "memory": (0.00718, None), "il6": (49.3, 19.2), "il10": (116.4, 19.2), "ifn": (119.6, 19.6)}),
    ],
)
@pytest.mark.shows("EST-published-models")
def test_hardiansyah_peaks_of_another_program(patient, peaks):
    """independent: rxode2's solution in nlmixr2lib, every printed digit."""
    times = np.linspace(0, 350, 3501)
    found = simulate_hardiansyah2019(times, patient=patient)
    for name, (height, day) in peaks.items():
        assert found[name].max() == pytest.approx(height, rel=7e-4 if height < 0.01 or height > 40 else 4e-5), name
        if day:
            assert times[found[name][0].argmax()] == pytest.approx(day, abs=0.051)


@pytest.mark.slow
def test_hardiansyah_against_the_figures():
    """published, digitised: peaks of Figure 1b (within 1.5 for cells, 1.8 for cytokines, as a six-decade axis allows); Figure S1."""
    drawn = {
        "UPN1": {"car": 2.3, "memory": 7e-3, "il6": 2800, "il10": 550, "ifn": 700},
        "UPN3": {"car": 0.12, "memory": 7.5e-3, "il6": 50, "il10": 150, "ifn": 110},
    }
    times = np.linspace(0, 120, 1201)
    for patient, peaks in drawn.items():
        found = simulate_hardiansyah2019(times, patient=patient)
        for name, height in peaks.items():
            allowed = 1.5 if name in ("car", "memory") else 1.8
            assert 1 / allowed < found[name].max() / height < allowed, (patient, name)
    b = simulate_hardiansyah2019([50.0, 350.0])["b"][0]
    assert b == pytest.approx([0.30, 0.45], abs=0.1)


@pytest.mark.parametrize(
    ("patient", "name", "folds"),
    [
        ("UPN1", "b_start", (49.49, 51.41, 155.09)),
        ("UPN1", "dose", (1.03, 1.01, 1.02)),
        ("UPN3", "b_start", (6.37, 16.52, 20.03)),
        ("UPN3", "dose", (1.00, 1.01, 1.01)),
    ],
)
def test_hardiansyah_follows_the_disease_not_the_dose(patient, name, folds):
    """independent: rxode2's change of the peaks from half to twice the disease or the dose. published: the same, in words."""
    usual = read_model("hardiansyah2019").chosen(patient)[name].value
    found = simulate_hardiansyah2019(np.linspace(0, 120, 1201), {name: usual * np.array([0.5, 1, 1.5, 2])}, patient=patient)
    for course, fold in zip(("car", "ifn", "il6"), folds, strict=True):
        peaks = found[course].max(axis=1)
        assert peaks.max() / peaks.min() == pytest.approx(fold, abs=0.0051)
        assert name == "dose" or (np.diff(peaks) > 0).all()


@pytest.mark.slow
def test_hardiansyah_second_solver():
    """independent: equations 1 to 8 by an implicit Runge-Kutta method, infusion by infusion."""
    p = numbers("hardiansyah2019", "UPN3")

    def rate(t, y):
        b, e, et, m, mt, il6, il10, ifn = y
        f = b / (b + p["recall_half"])
        fd = p["ifn_least"] + (1 - p["ifn_least"]) * p["il10_half"] / (il10 + p["il10_half"])
        kin, kout, ae, am = p["to_tissue"], p["to_blood"], p["to_memory"], p["recall"]
        return [
            p["b_growth"] * b - p["b_loss"] * b - p["kill"] * e * b,
            p["effector_growth"] * e * b - p["effector_loss"] * e - kin * e + kout * et - ae * e * (1 - f) + am * m * f,
            kin * e - kout * et,
            p["memory_growth"] * m - p["memory_loss"] * m - kin * m + kout * mt + ae * e * (1 - f) - am * m * f,
            kin * m - kout * mt,
            p["il6_loss"] * p["il6_baseline"] + p["il6_production"] * 1e6 * b * e - p["il6_loss"] * il6,
            p["il10_loss"] * p["il10_baseline"] + p["il10_production"] * 1e6 * b * e - p["il10_loss"] * il10,
            p["ifn_loss"] * p["ifn_baseline"] + p["ifn_production"] * 1e6 * b * e * fd - p["ifn_loss"] * ifn,
        ]

    y = np.array([p["b_start"], 0, 0, 0, 0, p["il6_baseline"], p["il10_baseline"], p["ifn_baseline"]])
    for share, days in ((0.1, 1.0), (0.3, 1.0), (0.6, 18.0)):
        y[1] += share * p["dose"]
        y = second(rate, y, np.array([days]), rtol=1e-10, atol=1e-14, method="Radau")[:, -1]
    found = simulate_hardiansyah2019([20.0], patient="UPN3")
    names = ("b", "effector", "effector_tissue", "memory", "memory_tissue", "il6", "il10", "ifn")
    assert [found[name][0, 0] for name in names] == pytest.approx(list(y), rel=1e-6)


def test_hardiansyah_without_treatment():
    """by hand: cytokines stay on their baselines, B cells grow at rB - dB."""
    times = np.array([0.0, 50.0, 350.0])
    found = simulate_hardiansyah2019(times, {"dose": 0.0})
    assert found["il6"][0] == pytest.approx(1.7, rel=1e-12)
    assert found["b"][0] == pytest.approx(4.14 * np.exp(0.0017 * times), rel=1e-8)
    assert (found["car"] == 0).all()


@examples(8)
@given(st.sampled_from(["UPN1", "UPN3"]), factor, factor)
def test_hardiansyah_keeps_the_infused_cells(patient, dose, memory):
    """by hand, mass balance: without growth and death the four pools hold exactly what was infused."""
    usual = numbers("hardiansyah2019", patient)
    still = dict.fromkeys(("effector_growth", "effector_loss", "memory_growth", "memory_loss"), 0.0)
    p = {**still, "dose": usual["dose"] * dose, "to_memory": usual["to_memory"] * memory}
    found = simulate_hardiansyah2019([0.0, 0.5, 1.0, 1.7, 2.0, 30.0], p, patient=patient)
    total = found["effector"] + found["effector_tissue"] + found["memory"] + found["memory_tissue"]
    assert total[0] / p["dose"] == pytest.approx([0.1, 0.1, 0.4, 0.4, 1.0, 1.0], rel=1e-8)
    assert found["memory"].max() > 0


@pytest.mark.slow
@examples(4)
@given(st.sampled_from(["UPN1", "UPN3"]), st.lists(st.tuples(factor, factor, factor), min_size=12, max_size=12))
def test_hardiansyah_is_not_negative_and_not_below_its_baseline(patient, factors):
    usual = numbers("hardiansyah2019", patient)
    p = {name: usual[name] * column for name, column in zip(("b_start", "dose", "kill"), np.array(factors).T, strict=True)}
    found = simulate_hardiansyah2019(np.linspace(0, 60, 61), p, patient=patient)
    assert all(np.isfinite(course).all() and (course >= 0).all() for course in found.values())
    assert (found["il6"] >= usual["il6_baseline"] * (1 - 1e-8)).all()


# Mueller-Schoell 2021


def test_mueller_schoell_earlier_solution():
    """regression: typical patient with tumours of 85.7 and 500 mL."""
    times = np.linspace(0, 30, 3001)
    found = simulate_mueller_schoell2021(times, {"tumour_start": np.array([85.7, 500.0])})
    assert found["car"].max(axis=1) == pytest.approx([7.2, 41.2], rel=0.005)
    assert times[found["car"].argmax(axis=1)] == pytest.approx([16.3, 7.7], abs=0.06)
    assert found["tumour"][0, 2800] == pytest.approx(18.4, abs=0.05)


@pytest.mark.shows("EST-published-models")
def test_mueller_schoell_second_solver_with_covariates():
    """independent: equations 5 to 11 by an explicit method; after a transplant, CD4/CD8 ratio 2, in both groups."""
    p = numbers("mueller_schoell2021")
    times = np.array([3.0, 10.0, 28.0, 60.0])
    for low in (0, 1):
        vm = (p["expansion_low"] if low else p["expansion_reference"] * 2.0 ** p["ratio_exponent"]) * (1 + p["transplant_effect"])

        def rate(t, y, vm=vm):
            tn, tcm, tem, teff, t_ = y
            killing = 2.57 * tn + 4.04 * tcm + 3.78 * tem + 4.24 * teff
            return [
                vm * t_ * tn / (1.13 + tn) + 0.0005 * tn - 0.140 * tn - 0.0104 * tn,
                vm * t_ * tcm / (1.13 + tcm) + 0.007 * tcm + 0.140 * tn - 0.191 * tcm - 0.0104 * tcm,
                vm * t_ * tem / (1.13 + tem) + 0.007 * tem + 0.191 * tcm - 0.355 * tem - 0.0104 * tem,
                0.355 * tem - 0.518 * teff,
                0.0023 * (1 - t_ / 5000) * t_ - killing * t_ / (276 + t_),
            ]

        want = second(rate, [0.1, 0.1, 0.1, 0.1, 85.7], times, atol=1e-12)
        found = simulate_mueller_schoell2021(times, low_expansion=low, transplant=1, cd4_cd8=2.0)
        for name, course in zip(("naive", "central", "memory", "effector", "tumour"), want, strict=True):
            assert found[name][0] == pytest.approx(course, rel=1e-7)


def test_mueller_schoell_without_a_tumour_is_linear():
    """by hand: the matrix exponential of the chain."""
    chain = np.array([[0.0005 - 0.1504, 0, 0, 0], [0.140, 0.007 - 0.2014, 0, 0], [0, 0.191, 0.007 - 0.3654, 0], [0, 0, 0.355, -0.518]])
    found = simulate_mueller_schoell2021([12.0, 50.0], {"tumour_start": 0.0})
    for k, day in enumerate((12.0, 50.0)):
        cells = [found[name][0, k] for name in ("naive", "central", "memory", "effector")]
        assert cells == pytest.approx(expm(chain * day) @ np.full(4, 0.1), rel=1e-8)
    assert (found["tumour"] == 0).all()


def test_mueller_schoell_without_killing_the_tumour_is_logistic():
    """by hand."""
    harmless = dict.fromkeys(("kill_naive", "kill_central", "kill_memory", "kill_effector"), 0.0)
    times = np.array([10.0, 300.0])
    found = simulate_mueller_schoell2021(times, {**harmless, "expansion_reference": 0.0})
    assert found["tumour"][0] == pytest.approx(5000 / (1 + (5000 / 85.7 - 1) * np.exp(-0.0023 * times)), rel=1e-8)


def test_mueller_schoell_patients_drawn():
    """by hand: share of the mixture, CV of a log-normal."""
    drawn, low = simulate_mueller_schoell2021_parameters(200_000, 3)
    assert low.mean() == pytest.approx(0.197, abs=0.003)
    for name, typical, cv in (("expansion_reference", 0.00846, 1.5), ("kill_central", 4.04, 3.07)):
        logs = np.log(drawn[name])
        assert np.exp(logs.mean()) == pytest.approx(typical, rel=0.015)
        assert np.sqrt(np.expm1(logs.var())) == pytest.approx(cv, rel=0.03)


@FEW
@given(factor, factor, st.floats(0, 3555), st.sampled_from([0, 1]), st.sampled_from([0, 1]))
def test_mueller_schoell_is_not_negative_and_more_expansion_gives_more_cells(expansion, kill, tumour, low, transplant):
    p = {"expansion_reference": 0.00846 * expansion, "kill_central": 4.04 * kill, "tumour_start": tumour}
    found = simulate_mueller_schoell2021(np.linspace(0, 60, 31), p, low_expansion=low, transplant=transplant)
    assert all(np.isfinite(course).all() and (course >= 0).all() for course in found.values())
    assert (found["tumour"] <= 5000).all()
    one, more = simulate_mueller_schoell2021([2.0], {**p, "expansion_reference": 0.00846 * expansion * np.array([1, 2])})["car"][:, 0]
    assert more >= one * (1 - 1e-9)


# All


@pytest.mark.parametrize(
    ("simulate", "name", "values"),
    [
        (simulate_stein2019, "alpha", [0.05, 0.16, 0.5]),
        (simulate_kimmel2021, "normal_start", [3.0, 6.0, 250.0]),
        (simulate_leon_triana2021, "car_start", [1e5, 1e7, 1e9]),
        (simulate_chaudhury2020, "tmax", [4.0, 9.3, 15.0]),
        (simulate_hardiansyah2019, "b_start", [1.0, 4.14, 8.0]),
        (simulate_mueller_schoell2021, "tumour_start", [2.54, 85.7, 3555.0]),
    ],
)
def test_many_sets_at_once_equal_each_alone(simulate, name, values):
    times = np.array([1.0, 5.0, 14.0, 28.0])
    together = simulate(times, {name: np.array(values)})
    for k, value in enumerate(values):
        alone = simulate(times, {name: value})
        for key, course in alone.items():
            assert course.shape == (1, 4)
            assert together[key].shape == (3, 4)
            assert together[key][k] == pytest.approx(course[0], rel=2e-7, abs=1e-12)


@pytest.mark.slow
def test_the_page(tmp_path):
    file = tmp_path / "models.html"
    write_models_page(file)
    text = file.read_text(encoding="utf-8")
    for name, model in MODELS.items():
        assert f'<section id="{name}">' in text
        assert f"https://doi.org/{model.doi}" in text
    assert set(figures_of(text)) == {name.replace("_", "-") for name in MODELS}
    assert not re.search(r"(?<![a-z])nan(?![a-z])", without_scripts(text), re.IGNORECASE)
    write_models_page(file, ["stein2019"])
    assert list(figures_of(file.read_text(encoding="utf-8"))) == ["stein2019"]
    with pytest.raises(InputError, match="the page cannot be written there"):
        write_models_page(tmp_path / "no" / "models.html")
    assert [item.name for item in tmp_path.iterdir()] == ["models.html"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        *((0, "0"), (0.0079, "0.0079"), (24000, "24 000"), (-0.385, "-0.385"), (3900, "3900")),
        *((4.5e-11, "4.5·10⁻¹¹"), (1e7, "10⁷"), (9.486e10, "9.486·10¹⁰")),
    ],
)
def test_numbers_for_people(value, words):
    assert number_words(value) == words
