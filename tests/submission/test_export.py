"""`cartrial export`: whole or not at all, equal bytes, and nothing of others replaced.

Origin of every expectation: `by hand`, what the page of the export says.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cartrial.analysis import sort_results
from cartrial.analysis.further import analyse_further
from cartrial.errors import InputError
from cartrial.files import sha256_of
from cartrial.run import derive_data, estimate_data, load_data
from cartrial.submission import Job, export_study
from helpers import WORKED, run_cli, worked_folder

ASKED = ("export", str(WORKED), "--data", str(WORKED / "data"))


@pytest.mark.slow
@pytest.mark.shows("FMT-ard", "CMD-export")
def test_the_flat_table_has_the_rows_of_the_results(tmp_path: Path) -> None:
    """The same study through its steps: the same rows, texts and all; and a second export has the same bytes."""
    study = worked_folder(tmp_path / "worked", last=3)
    for name in ("a", "b"):
        assert (
            run_cli("export", str(study), "--data", str(study / "data"), "--only", "adam,define,ard", "--out", str(tmp_path / name))[0] == 0
        )
    data = load_data(study, study / "data")
    derived = derive_data(data)
    wanted = sort_results(pl.concat([estimate_data(data, derived)[0], analyse_further(data.study, derived.adam, derived.records)]))
    found = pl.read_csv(tmp_path / "a" / "exchange" / "ard.csv", schema=wanted.schema)
    assert found.equals(wanted)
    record = json.loads((tmp_path / "a" / "export.json").read_text(encoding="utf-8"))
    written = {path.relative_to(tmp_path / "a").as_posix(): path for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert record["files"] == {name: sha256_of(path) for name, path in written.items() if name != "export.json"}
    assert record["results"]["rows"] == wanted.height and len(written) > 20
    for name, path in written.items():
        assert path.read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_an_export_lists_what_it_wrote(job: Job, tmp_path: Path) -> None:
    """The small sibling: one analysis alone."""
    export_study(job, tmp_path / "out", only=["ard"])
    found = pl.read_csv(tmp_path / "out" / "exchange" / "ard.csv", schema=job.results.schema)
    assert found.equals(job.results) and job.results.height > 3
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["files"] == {"exchange/ard.csv": sha256_of(tmp_path / "out" / "exchange" / "ard.csv")}


def test_the_record_says_what_is_to_be_known_of_the_data(job: Job, tmp_path: Path) -> None:
    """By hand: the worked data have no SUBJID, RACE, ARM and AETERM; ORR3 is the endpoint's main analysis."""
    export_study(job, tmp_path / "out", only=["adam"])
    said = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))["adam"]
    without_subject = {one for one in said["said_unknown"] if not one.endswith(".SUBJID")}
    assert without_subject == {"ADSL.RACE", "ADSL.ARM", "ADAE.AETERM"} and "ADSL.SUBJID" in said["said_unknown"]
    assert said["parameters"]["ADRS"]["ORR3"]["endptid"] == "ORR3" and "variant" not in said["parameters"]["ADRS"]["ORR3"]
    assert "COUNTRY" in said["left_out"]["ADSL"]


def test_tabulations_are_of_virtual_patients_alone(job: Job, tmp_path: Path) -> None:
    """Each domain with all its records and SDTM's labels; a study with patients has its own, and nothing is written."""
    pyreadstat = pytest.importorskip("pyreadstat")
    with pytest.raises(InputError, match="only the SDTM of virtual patients"):
        export_study(job, tmp_path / "none", only=["sdtm"])
    assert not (tmp_path / "none").exists()
    export_study(replace(job, adam=replace(job.adam, provenance="virtual")), tmp_path / "out", only=["sdtm"])
    folder = next(tmp_path.rglob("sdtm"))
    assert sorted(path.stem.upper() for path in folder.iterdir()) == sorted(job.source.domains)
    columns, meta = pyreadstat.read_xport(str(folder / "ae.xpt"), output_format="dict")
    ae = job.source.domains["AE"]
    assert columns["AEDECOD"] == ae["AEDECOD"].fill_null("").to_list() and columns["AESEQ"] == ae["AESEQ"].to_list()
    assert meta.column_names_to_labels["AEDECOD"] == "Dictionary-Derived Term"
    _, other = pyreadstat.read_xport(str(folder / "dm.xpt"), output_format="dict")
    assert meta.variable_storage_width["USUBJID"] == other.variable_storage_width["USUBJID"]


def test_what_cannot_be_asked_for_is_refused_before_any_work(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for more, word in (
        (("--only", "tables"), "an export has no part 'tables'"),
        (("--date", "27.9.2022"), "'27.9.2022' is no date"),
        (("--agency", "ema"), "'ema' is not known"),
        (("--virtual",), "--data and --virtual are both given"),
        (("--only", ""), "an export has no part ''"),
        (("-n", "5"), "of virtual patients alone"),
        (("--seed", "5"), "of virtual patients alone"),
    ):
        code, _, error = run_cli(*ASKED, *more, "--out", str(out))
        assert (code, word in error) == (2, True), error
        assert not out.exists()


def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "exchange").mkdir()
    (tmp_path / "exchange" / "mine.txt").write_text("mine", encoding="utf-8")
    code, _, error = run_cli(*ASKED, "--only", "ard", "--out", str(tmp_path))
    assert (code, "'exchange' stands there" in error) == (2, True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["exchange", "mine.txt"]
