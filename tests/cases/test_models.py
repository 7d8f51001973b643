"""Numbers for models that went wrong once. Origins: R `coxph`, `finegray` with `coxph` (the figures of the case), by hand."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cartrial.analysis import estimate_cox, estimate_fine_gray, estimate_firth
from cases.case import case_path


def dose(scale: float = 1.0, origin: float = 0.0) -> pl.DataFrame:
    data = json.loads(case_path("stats/cox_dose.json").read_text())
    return pl.DataFrame({"AVAL": data["t"], "CNSR": data["c"], "X": [value * scale + origin for value in data["dose"]]})


@pytest.mark.parametrize("scale", [1.0, 1e-5, 1e-6])
def test_a_covariate_as_a_fraction_of_a_million(scale: float) -> None:
    """R coxph, invariant: -0.2078, 0.1649, p 0.2076; Firth -0.2046, p 0.21."""
    cox = estimate_cox(dose(scale), ["X"]).row(0, named=True)
    assert cox["coefficient"] * scale == pytest.approx(-0.2078, abs=5e-5)
    assert cox["standard_error"] * scale == pytest.approx(0.1649, abs=5e-5)
    assert cox["p_value"] == pytest.approx(0.2076, abs=5e-5)
    firth = estimate_firth(dose(scale), ["X"]).row(0, named=True)
    assert firth["coefficient"] * scale == pytest.approx(-0.2046, abs=5e-5)
    assert firth["p_value"] == pytest.approx(0.21, abs=5e-3)


@pytest.mark.parametrize("origin", [1e5, 1e6, 20220101.0])
def test_a_covariate_with_a_far_origin(origin: float) -> None:
    for fit in (estimate_cox, estimate_firth):
        near, far = (fit(dose(origin=value), ["X"]).row(0, named=True) for value in (0.0, origin))
        for name in ("coefficient", "standard_error", "hazard_ratio", "lower", "upper", "p_value"):
            assert far[name] == pytest.approx(near[name], rel=1e-6)


def test_fine_gray_without_any_censoring() -> None:
    """R finegray with coxph: -0.5493, robust standard error 0.9161."""
    frame = pl.DataFrame({"AVAL": [5, 8, 12, 20, 25, 30], "CNSR": [0, 2, 0, 0, 2, 0], "G": list("ababab")})
    found = estimate_fine_gray(frame, ["G"]).row(0, named=True)
    assert found["coefficient"] == pytest.approx(-0.5493, abs=5e-5)
    assert found["standard_error"] == pytest.approx(0.9161, abs=5e-5)
