"""Are populations what their files say, and is product supply what it should be?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cartrial.errors import InputError
from cartrial.virtual import draw_patients, load_ensemble, load_population, supply_allogeneic, supply_autologous
from cartrial.virtual.engine import kernel_codes as codes
from cartrial.virtual.patients.draws import marrow_to_blasts
from cartrial.virtual.patients.population import DATA, load_model, populations
from cartrial.virtual.patients.randomness import Keys
from cartrial.virtual.patients.supply import OUTCOMES


def _changed(tmp_path: Path, old: str, new: str, name: str = "eliana") -> Path:
    text = (DATA / f"population-{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_all_populations_can_be_read() -> None:
    assert {"autologous-cd19", "allogeneic-cd19", "allogeneic-cd19-no-alemtuzumab", "inaticel"} <= set(populations())
    for name in populations():
        assert load_population(name).id == name


def test_constants_of_the_file_are_those_of_the_equations() -> None:
    stated = {fixed.name: fixed.value for fixed in load_model().equations}
    used = {name: getattr(codes, name) for name in dir(codes) if name.isupper() and isinstance(getattr(codes, name), float)}
    assert stated == used


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("value: 8e-05", "value: -8e-05", "other-death"),
        ("share: 0.0", "share: 1.5", "mrd-level.share"),
        ("median: 12", "median: 90", "no patient can be eligible"),
        ("log10-low: -4.0", "log10-low: -1.0", "range of blasts is empty"),
        ("costimulation: 4-1BB", "costimulation: 4-1BC", "costimulation"),
        ("transplant-day:", "transplant-dy:", "transplant-day"),
        ("value: 0.15", "value: 1.15", "probability is above 1"),
    ],
)
def test_a_wrong_number_names_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as found:
        load_population(_changed(tmp_path, old, new))
    assert found.value.row is not None


def test_an_unknown_population_names_the_nearest() -> None:
    with pytest.raises(InputError, match="inaticel"):
        load_population("inaticell")


def test_a_negative_rate_of_the_biology_is_refused(tmp_path: Path) -> None:
    text = (DATA / "model.yaml").read_text(encoding="utf-8")
    path = tmp_path / "model.yaml"
    path.write_text(text.replace("{name: memory-loss, value: 0.0032", "{name: memory-loss, value: -0.0032"), encoding="utf-8")
    with pytest.raises(InputError, match="negative"):
        load_model(path)


def test_marrow_maps_back() -> None:
    marrow = np.array([1e-6, 1e-4, 0.05, 0.5, 0.85])
    blasts = marrow_to_blasts(marrow)
    np.testing.assert_allclose(codes.MARROW_TOP * blasts / (blasts + codes.MARROW_SCALE), marrow, rtol=1e-9)


def test_supply_of_the_patients_own_cells_takes_longer_and_loses_more() -> None:
    ensemble, keys = load_ensemble(), Keys.trials("supply", 1, 1, 4000)
    own, shelf = load_population("autologous-cd19"), load_population("allogeneic-cd19")
    mine = draw_patients(own, ensemble, keys)
    other = draw_patients(shelf, ensemble, keys, member=mine.member)
    assert np.array_equal(mine.covariates["marrow"], other.covariates["marrow"]), "the same patients"
    a, b = supply_autologous(own, mine, keys), supply_allogeneic(shelf, other, keys)
    assert 0.70 < a.infused.mean() < 0.90 < b.infused.mean()
    assert 35 < np.median(a.infusion[a.infused]) < 50 and 5 < np.median(b.infusion[b.infused]) < 12
    assert 0.03 < (a.outcome == OUTCOMES.index("product failure")).mean() < 0.13
    grown = a.marrow >= np.minimum(mine.covariates["marrow"].astype(float), 0.89) - 1e-9
    assert grown[~a.lowered].all(), "0.896 of the marrow is 90 % of the capacity"
    assert np.isinf(a.lost[a.infused]).all() and np.isfinite(a.lost[~a.infused]).all()
    poor = mine.covariates["poor_product"].astype(bool)
    assert (a.outcome == 1)[poor].mean() > 3 * (a.outcome == 1)[~poor].mean()


def test_more_blasts_wait_worse() -> None:
    ensemble, keys = load_ensemble(), Keys.trials("supply", 2, 1, 6000)
    own = load_population("eliana")
    low = draw_patients(own, ensemble, keys, marrow=np.full(6000, 0.06))
    high = draw_patients(own, ensemble, keys, marrow=np.full(6000, 0.95))
    lost = [np.isin(supply_autologous(own, draws, keys).outcome, (2, 3)).mean() for draws in (low, high)]
    assert lost[1] > 1.8 * lost[0]
