"""What the page prints of virtual trials: errors that hold the truth's own, no error where nothing is open, and its assumptions."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cartrial.design import design_rows, design_study, simulate_design
from cartrial.design.protocol.rows import Row, Rows
from cartrial.design.protocol.simulation import add_simulation, simulation_facts
from cartrial.design.protocol.study_design import StudyDesign
from cartrial.design.trials.characteristics import Characteristics
from cartrial.report.design.data import DesignData
from cartrial.report.design.simulation import operating
from cartrial.report.page.blocks import Note, Table, Text
from cartrial.study import Study

pytest.importorskip("numba")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made() -> tuple[StudyDesign, Characteristics, Rows]:
    """Return a design, a few virtual trials of it, and all rows."""
    design = design_study(Study.load("inaticel"), virtual=False)
    found = simulate_design(design, 8, truths=2, patients=900)
    rows = design_rows(design)
    add_simulation(rows, design, found)
    return design, found, rows


def figures(rows: Rows, quantity: str, design: str) -> list[Row]:
    """Return the simulated rows of a figure."""
    return [row for _, row in rows.where("simulation", statistic=quantity, design=design)]


def test_every_figure_under_a_truth_has_the_error_of_trials_and_truth(made):
    # independent: the summary's two errors, put together here
    design, found, rows = made
    frame = found.frame.filter(found.frame["accrual"] == "paused")
    wanted = {
        (row["quantity"], row["truth"], row["look"]): np.hypot(row["mc_error"], row["calibration_error"])
        for row in frame.filter(frame["design"] == design.best.staged.name).iter_rows(named=True)
    }
    larger = 0
    for quantity in ("success", "estimate", "bias", "early_stop"):
        for row in figures(rows, quantity, design.recommended):
            if row.variant == "paused":
                assert row.error == pytest.approx(wanted[quantity, row.truth, row.look])
                drift = rows.find("simulation", row.design, f"{quantity}_calibration_error", variant="paused", truth=row.truth)
                larger += drift is not None and drift[1].value > 0
    assert larger == 8
    main = [row for _, row in rows.where("contrast", statistic="rate", variant="")]
    compared = found.frame.filter((found.frame["accrual"] == "") & (found.frame["quantity"] == "rate") & (found.frame["variant"] == ""))
    compared = compared.filter((compared["setting"] == "") & (compared["design"] == design.best.staged.name)).sort("truth")
    both = np.hypot(compared["mc_error"], compared["calibration_error"])
    assert sorted(row.error for row in main) == pytest.approx(sorted(both))
    # needed numbers hold both kinds already, and keep an error of zero
    needed = [row for _, row in rows.where("contrast", statistic="needed_n") if row.value is not None and row.error is not None]
    assert needed


def test_what_cannot_happen_has_no_error(made):
    _, _, rows = made
    single = figures(rows, "early_stop", "single-first")
    assert len(single) == 2 and all((row.value, row.text, row.error) == (0, "0.0 %", None) for row in single)
    assert rows.find("simulation", "single-first", "early_stop_calibration_error", variant="continued", truth=0.3) is None
    assert all(row.error is None or row.error > 0 for _, row in rows.where("simulation"))


def test_the_page_says_what_its_errors_and_days_are(made):
    design, found, rows = made
    section = operating(DesignData(design, rows, simulation_facts(found, design.seed)))
    assert section is not None
    text = next(str(block.text) for block in section.blocks if isinstance(block, Text))
    row = rows.find("simulation", "truth", "unshifted")
    assert row is not None and row[1].error == found.truths.unshifted_error > 0.01
    # the model's own rate stands with its error, of 900 patients
    assert re.search(r'the rate is .*\d+\.\d %.* <span class="error">± \d\.\d+</span>\. Every', text)
    assert "of the trials and of the calibration" in text
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    assert table.caption.endswith("± standard error of simulation and calibration")
    notes = " ".join(str(block.text) for block in section.blocks if isinstance(block, Note))
    assert "reading and adjudication take no time (assumption)" in notes and "has none by construction" in notes
