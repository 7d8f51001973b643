"""Are the outputs whole or absent, equal for equal input, and true to their record?"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from cartrial.analysis import analyse
from cartrial.analysis.results import KEY, results_hash
from cartrial.errors import InputError
from cartrial.report import write_report
from cartrial.report.study import write as write_module
from cartrial.sdtm.source import no_findings
from cartrial.study import Study
from helpers import run_cli
from report_example import figures_of, invent

STUDY = Study.load("inaticel")
ADAM = invent(STUDY)
FILES = {"report.html", "results.json", "results.parquet", "run.json", "adam"}


@cache
def _results() -> pl.DataFrame:
    return analyse(STUDY, ADAM)


def _write(out: Path, results: pl.DataFrame | None = None, seed: int | None = None) -> None:
    write_report(STUDY, None, ADAM, _results() if results is None else results, no_findings(), out, seed=seed)


@pytest.mark.shows("FMT-report-html")
def test_all_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    _write(tmp_path / "deep" / "out")
    assert {item.name for item in (tmp_path / "deep" / "out").iterdir()} == FILES
    assert [item.name for item in tmp_path.iterdir()] == ["deep"]


@pytest.mark.slow
def test_equal_input_gives_equal_bytes_in_any_order_of_rows(tmp_path: Path) -> None:
    _write(tmp_path / "a", seed=3)
    _write(tmp_path / "b", _results().sample(fraction=1, shuffle=True, seed=1), seed=3)
    for name in ("report.html", "results.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    first, second = (json.loads((tmp_path / name / "run.json").read_text()) for name in "ab")
    assert first.pop("time") and second.pop("time")
    assert first == second
    assert first["seed"] == 3


@pytest.mark.slow
def test_results_json_is_a_flat_list_with_null_for_not_estimable(tmp_path: Path) -> None:
    _write(tmp_path / "out")
    rows = json.loads((tmp_path / "out" / "results.json").read_text())
    assert all(tuple(row) == (*KEY, "value", "text", "rules") for row in rows)
    assert all(not isinstance(value, dict | list) for row in rows for value in row.values())
    not_reached = [row for row in rows if row["text"] in ("NR", "NE")]
    assert not_reached and all(row["value"] is None for row in not_reached)
    frame = pl.read_parquet(tmp_path / "out" / "results.parquet")
    assert frame.to_dicts() == rows


@pytest.mark.slow
def test_what_a_former_run_left_is_taken_away_and_nothing_else(tmp_path: Path) -> None:
    """By hand: a page of subjects, a figure and a set of another run of the study go; what no run wrote stays, whatever it is called."""
    from cartrial.report.study.outputs import files_in, files_of_run, take_away

    out = tmp_path / "out"
    _write(out)
    record = json.loads((out / "run.json").read_text())
    assert [*record["files"], "run.json"] == sorted([*files_in(out)], key=lambda name: (name == "run.json", name))
    left = ["adam/ADTR.csv", "figures/swimmer.png", "subjects.html"]
    for name in (*left, "adam/mine.csv", "notes.txt"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("x")
    (out / "run.json").write_text(json.dumps(record | {"files": [*record["files"], *left, "../outside", "adam/../notes.txt"]}))
    (tmp_path / "outside").write_text("x")
    _write(out)
    assert not [name for name in left if (out / name).exists()] and not (out / "figures").exists()
    assert all((tmp_path / name).exists() for name in ("outside", "out/notes.txt", "out/adam/mine.csv", "out/adam/ADSL.csv"))
    # a run of a version that kept no list
    (out / "subjects.html").write_text("<footer>Made by cartrial 0</footer>")
    (out / "run.json").write_text(json.dumps({key: item for key, item in record.items() if key != "files"}))
    assert files_of_run(out) == ["subjects.html"]
    (out / "subjects.html").write_text("my own page")
    assert files_of_run(out) == []
    take_away(out, ["not there"])


def test_record_of_the_run_names_the_results_by_their_hash(tmp_path: Path) -> None:
    _write(tmp_path / "out")
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    frame = pl.read_parquet(tmp_path / "out" / "results.parquet")
    assert record["results"] == {"rows": frame.height, "sha256": results_hash(frame)}
    assert record["study_hash"] == STUDY.hash
    assert f"{STUDY.hash}, rules version 2." in (tmp_path / "out" / "report.html").read_text()
    assert record["provenance"] == "virtual"
    assert record["versions"]["polars"] == pl.__version__
    assert record["results"]["sha256"] in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.shows("FMT-parquet")
def test_derived_sets_are_written_in_two_forms_with_their_provenance(tmp_path: Path) -> None:
    _write(tmp_path / "out")
    for name in ("ADSL", "ADRS", "ADTTE", "ADAE", "ADCK", "ADRESP"):
        typed = pl.read_parquet(tmp_path / "out" / "adam" / f"{name}.parquet")
        plain = pl.read_csv(tmp_path / "out" / "adam" / f"{name}.csv", infer_schema=False)
        assert plain.shape == typed.shape and plain.columns == typed.columns
        assert typed["PROVENANCE"].unique().to_list() == ["virtual"]
        assert "SUBJ" not in typed.columns and "USUBJID" in typed.columns
        labels = json.loads(pl.read_parquet_metadata(tmp_path / "out" / "adam" / f"{name}.parquet")["labels"])
        assert labels["USUBJID"] == "Unique Subject Identifier" and set(labels) <= set(typed.columns)  # by hand: SDTMIG's label
        assert set(typed.columns) - set(labels) <= {"AGEGR1", "BURDEN", "BURDENN", "PRHSCT", "EMD"}  # the study's own characteristics


@pytest.mark.slow
def test_a_failure_leaves_no_output_and_what_stood_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.json").write_text("earlier")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(write_module, "write_adam", fail)
    for place in (out, tmp_path / "new"):
        with pytest.raises(RuntimeError):
            _write(place)
    assert [item.name for item in out.iterdir()] == ["results.json"]
    assert (out / "results.json").read_text() == "earlier"
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_a_second_run_replaces_the_first_and_leaves_other_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _write(out)
    (out / "notes.txt").write_text("mine")
    (out / "adam" / "mine.csv").write_text("mine")
    (out / "adam" / "ADSL.csv").write_text("stale")
    _write(out)
    assert {item.name for item in out.iterdir()} == FILES | {"notes.txt"}
    assert (out / "adam" / "mine.csv").read_text() == "mine"
    assert (out / "adam" / "ADSL.csv").read_text() != "stale"
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="is a file"):
        _write(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "a file"


def test_two_results_of_one_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one key"):
        _write(tmp_path / "out", pl.concat([_results(), _results().head(1)]))
    assert not (tmp_path / "out").exists()


def test_a_folder_in_the_place_of_a_file_is_kept(tmp_path: Path) -> None:
    from cartrial.files import built_beside

    (tmp_path / "out" / "page.html").mkdir(parents=True)
    (tmp_path / "out" / "page.html" / "mine.csv").write_text("1")
    with pytest.raises(InputError, match="a folder stands where"), built_beside(tmp_path / "out") as place:
        (place / "page.html").write_text("page")
    assert (tmp_path / "out" / "page.html" / "mine.csv").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_is_there_needs_nothing_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cartrial import files

    made: list[Path] = []
    original = files.tempfile.mkdtemp
    monkeypatch.setattr(files.tempfile, "mkdtemp", lambda prefix, dir: made.append(Path(dir)) or original(prefix=prefix, dir=dir))
    (tmp_path / "out").mkdir()
    with files.built_beside(tmp_path / "out") as place:
        (place / "page.html").write_text("page")
    assert made == [tmp_path / "out"] and [path.name for path in (tmp_path / "out").iterdir()] == ["page.html"]


def test_a_move_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cartrial import files

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(InputError, match="cannot be moved there"), files.built_beside(tmp_path / "out") as place:
        (place / "page.html").write_text("page")
    assert not list((tmp_path / "out").iterdir())


def test_other_files_of_a_folder_that_is_written_to_stay(tmp_path: Path) -> None:
    from cartrial.files import built_beside

    (tmp_path / "out" / "adam").mkdir(parents=True)
    (tmp_path / "out" / "adam" / "mine.csv").write_text("1")
    with built_beside(tmp_path / "out") as place:
        (place / "adam").mkdir()
        (place / "adam" / "ADSL.csv").write_text("2")
    assert {path.name for path in (tmp_path / "out" / "adam").iterdir()} == {"mine.csv", "ADSL.csv"}


@pytest.mark.slow
@pytest.mark.shows("FMT-figures")
def test_figures_of_other_pages_are_files_beside_them(tmp_path: Path) -> None:
    """The shells of the pivotal study: a file for each document of the page; formats are looked at before the page is written."""
    pytest.importorskip("vl_convert")
    out = tmp_path / "shells.html"
    code, said, _ = run_cli("shells", "inaticel", "--out", out, "--figures", "gif")
    assert code == 2 and not out.exists()
    code, said, error = run_cli("shells", "inaticel", "--out", out, "--figures", "svg")
    names = set(figures_of(out.read_text(encoding="utf-8")))
    assert (code, error) == (0, "") and names and f"Wrote its {len(names)} figures to" in said
    assert {path.name for path in (tmp_path / "shells-figures").iterdir()} == {f"{name}.svg" for name in names}
    code, _, error = run_cli("design", "inaticel", "--figures", "svg")
    assert code == 2 and "Give --to FILE" in error
