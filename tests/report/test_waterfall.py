"""Best change in the size of the lesions: ADTR and its figure. Expected values: `by hand`, products of two diameters in mm.

Subjects: A shrinks twice; B grows by 35 %, which is no progression, then progresses; C progresses, and what shrinks afterwards does not
count; D shrinks, and again after new therapy, which does not count; E has no target; one of F's targets was not imaged; G does not change.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cartrial.endpoints import derive
from cartrial.sdtm import read_sdtm
from helpers import load_study, run_cli
from imaging_example import Scan, study_text, write_subjects
from lymphoma_example import TEXT
from report_example import figures_of

BASE = {"A": (40.0, 25.0)}
SUBJECTS = {
    "S-A": [Scan(-10, {"A": (40, 30), "B": (25, 20)}), Scan(28, {"A": (28, 20), "B": (20, 14)}), Scan(90, {"A": (15, 10), "B": (15, 9)})],
    "S-B": [Scan(-10, BASE), Scan(28, {"A": (45, 30)}), Scan(90, {"A": (60, 30)})],
    "S-C": [Scan(-10, BASE), Scan(28, {"A": (60, 40)}), Scan(90, {"A": (20, 10)})],
    "S-D": [Scan(-10, BASE), Scan(28, {"A": (20, 20)}), Scan(90, {"A": (16, 10)})],
    "S-E": [Scan(-10, {}, other="PRESENT"), Scan(28, {}, other="PRESENT")],
    "S-F": [Scan(-10, {"A": (40, 25), "B": (25, 20)}), Scan(28, {"A": (20, 20), "B": None})],
    "S-G": [Scan(-10, BASE), Scan(28, BASE)],
}
BEST = {"A": (90, 285, 1700), "B": (28, 1350, 1000), "C": (28, 2400, 1000), "D": (28, 400, 1000), "G": (28, 1000, 1000)}
THERAPY = {"STUDYID": "LYM", "DOMAIN": "CM", "USUBJID": "S-D", "CMSEQ": 1, "CMTRT": "POLATUZUMAB VEDOTIN", "CMSTDTC": "2022-03-04"}
OTHERS = {"CM": [THERAPY | {"CMCAT": "SUBSEQUENT ANTICANCER THERAPY"}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sizes")
    (place / "study.yaml").write_text(study_text(TEXT), encoding="utf-8")
    write_subjects(place, SUBJECTS, **OTHERS)
    return place


def test_the_best_change_of_each_subject(folder: Path) -> None:
    study = load_study(folder, (folder / "study.yaml").read_text(encoding="utf-8"))
    adtr = derive(study, read_sdtm(folder / "data")).adtr.filter(READER="INV")
    found = {row[0][-1]: row[1:] for row in adtr.filter(BESTFL="Y").select("USUBJID", "CARDAY", "AVAL", "BASE").rows()}
    assert found == BEST
    change = dict(adtr.filter(BESTFL="Y").select("USUBJID", "PCHG").rows())
    assert [change[f"S-{name}"] for name in "ABCDG"] == pytest.approx([100 * (285 / 1700 - 1), 35, 140, -60, 0])
    # the baseline has no change, and a scan without one of its targets no sum
    assert adtr.filter(ABLFL="Y")["PCHG"].null_count() == adtr.filter(ABLFL="Y").height == 6
    assert adtr.filter(USUBJID="S-F", CARDAY=28).select("AVAL", "PCHG", "AVALC").rows() == [(None, None, "NE")]
    assert adtr.filter(USUBJID="S-E").is_empty()


def test_a_therapy_that_is_ignored_ends_nothing(folder: Path, tmp_path: Path) -> None:
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    best = text[text.index("  - id: BOR") : text.index("  - id: TTR")]
    study = load_study(tmp_path, text.replace(best, best.replace("new-therapy: composite", "new-therapy: treatment-policy")))
    adtr = derive(study, read_sdtm(folder / "data")).adtr.filter(READER="INV", USUBJID="S-D", BESTFL="Y")
    assert adtr.select("CARDAY", "AVAL", "PCHG").rows() == [(90, 160, -84)]


@pytest.mark.slow
def test_each_bar_is_a_row_of_adtr(folder: Path, tmp_path: Path) -> None:
    code, _, error = run_cli("report", folder, "--data", folder / "data", "--out", tmp_path / "out")
    assert code == 0, error
    adtr = pl.read_parquet(tmp_path / "out" / "adam" / "ADTR.parquet").filter(READER="INV", BESTFL="Y")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    bars = figures_of(page)["waterfall"]["datasets"]["bars"]
    changes = {subject[-1]: change for subject, change in adtr.select("USUBJID", "PCHG").rows()}
    assert {row["id"][-1]: row["change"] for row in bars} == changes
    assert [row["id"][-1] for row in bars] == ["C", "B", "G", "D", "A"]
    assert {row["id"][-1]: row["status"] for row in bars} == {"C": "PD", "B": "SD", "G": "SD", "D": "PR", "A": "CR"}
    assert "Of 7 infused subjects 5 are shown; 1 had no measured target lesion at baseline, and 1 no scan" in page
    assert "−83.2 %" in page and "+140.0 %" in page


def test_without_measurements_there_is_no_figure(tmp_path: Path) -> None:
    """The worked subjects have collected calls alone."""
    from lymphoma_example import FOLDER

    adam = derive(load_study(tmp_path, TEXT), read_sdtm(FOLDER / "data"))
    assert adam.adtr.is_empty() and "ADTR" not in adam.sets()
