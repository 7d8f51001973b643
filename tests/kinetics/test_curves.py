"""Curves of cells, the random numbers of their subjects, and what lies beyond a limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from cartrial import InputError
from cartrial.kinetics import draw_curves
from cartrial.kinetics.curves_kernel import natural
from cartrial.kinetics.model import keys_of
from cartrial.kinetics.random_kernel import log_tail, quantile, scrambled, tail_draw


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_numbers_are_those_of_threefry(counter: tuple[int, int], key: tuple[int, int], expected: tuple[int, int]) -> None:
    """Published: known answers of Random123, threefry2x32 with 20 rounds (Salmon et al. 2011)."""
    assert scrambled(*key, *counter) == expected


@pytest.mark.parametrize("z", [3.0, 0.0, -2.0, -4.9, -5.1, -12.0, -24.9, -25.1, -38.0, -60.0])
def test_a_value_below_a_limit_is_a_share_of_the_tail(z: float) -> None:
    """Independent: SciPy's logarithm of the normal distribution function."""
    assert log_tail(z) == pytest.approx(norm.logcdf(z), abs=1e-7)
    for u in (0.001, 0.3, 0.999):
        x = tail_draw(z, u)
        assert x <= z
        assert norm.logcdf(x) == pytest.approx(norm.logcdf(z) + math.log(u), abs=1e-5)


def test_the_normal_quantile_has_seven_digits() -> None:
    """Independent: SciPy."""
    for p in (1e-12, 1e-5, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-6):
        assert quantile(p) == pytest.approx(norm.ppf(p), rel=1e-6, abs=1e-7)


def test_curves_by_hand() -> None:
    """By hand. Growth by 1000 in 10 days is 10 on day 3.333 from 1 on day 0; contraction and persistence are sums of exponentials."""
    stein = {"fold": 1000, "tmax": 10, "cmax": 1000, "alpha": 0.1, "fb": 0.2, "beta": 0.01}
    after = 1000 * (0.8 * math.exp(-2) + 0.2 * math.exp(-0.2))
    assert draw_curves("stein", stein, [0, 10 / 3, 10, 30])[0] == pytest.approx([1, 10, 1000, after])
    assert draw_curves("mono", stein, [0, 30])[0] == pytest.approx([1, 1000 * math.exp(-2)])
    rate = {"rho": math.log(2), "tmax": 10, "cmax": 1024, "alpha": math.log(2)}
    assert draw_curves("rate", rate, [0, 9, 10, 11])[0] == pytest.approx([1, 512, 1024, 512])
    # until day 4 nothing happens: 1024 halved six times
    assert draw_curves("lag", {**rate, "tlag": 4}, [0, 4, 5, 11])[0] == pytest.approx([16, 16, 32, 512])


def test_limits_of_a_parameter_are_never_passed() -> None:
    """By hand: the middle of 0 and 0.7 at a logit of 0, the limits far from it."""
    assert math.exp(natural(0.0, 0.0, 0.7)) == pytest.approx(0.35)
    assert math.exp(natural(40.0, 0.1, 0.7)) == pytest.approx(0.7)
    assert math.exp(natural(-40.0, 0.1, 0.7)) == pytest.approx(0.1)


@pytest.mark.shows("STUDY-kinetics.model.curve")
def test_a_curve_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="there is no curve 'oral'"):
        draw_curves("oral", {}, [0])
    with pytest.raises(InputError, match="needs alpha, a number above 0"):
        draw_curves("rate", {"rho": 1, "tmax": 1, "cmax": 1, "alpha": 0}, [0])


def test_a_subject_has_its_own_numbers_in_any_company() -> None:
    """By hand: a key is of seed, purpose, chain and subject alone."""
    alone, together = keys_of(1, ["B"], 2, "search"), keys_of(1, ["A", "B", "C"], 2, "search")
    assert np.array_equal(alone[:, 0], together[:, 1])
    assert not np.array_equal(alone, keys_of(2, ["B"], 2, "search"))
    assert len({tuple(key) for key in together.reshape(-1, 2)}) == 6
