"""What the command line tells machines, and what it leaves alone: JSON, arguments kept, one hash, files that are not its own.

Expected values: by hand, from the study file and the commands as they are typed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cartrial.errors import InputError
from cartrial.report.study.outputs import DATASETS
from cartrial.study import Study, builtin_studies
from helpers import BASE, load_study, run_cli, worked_folder


@pytest.mark.shows("CMD-studies")
def test_studies_are_told_to_machines() -> None:
    code, out, _ = run_cli("studies", "--json")
    told = {study["name"]: study for study in json.loads(out)}
    assert code == 0 and set(told) == set(builtin_studies())
    assert told["inaticel"]["hash"] == Study.load("inaticel").hash
    assert [endpoint["id"] for endpoint in told["inaticel"]["endpoints"] if endpoint["role"] == "primary"] == ["ORR3"]


@pytest.mark.slow
@pytest.mark.shows("CMD-explain")
def test_a_subject_is_told_to_machines(tmp_path: Path) -> None:
    """Subject 02 of the worked study: CR at day 28, relapse at day 90, so no response at month 3 (rules, paragraph 8)."""
    folder = worked_folder(tmp_path, last=3)
    code, out, _ = run_cli("explain", folder, "--data", folder / "data", "--subject", "02", "--endpoint", "ORR3", "--json")
    told = json.loads(out)
    assert code == 0 and told["subject"] == "WORKED-02" and told["study"]["hash"] == Study.load(folder).hash
    assert {name.upper() for name in DATASETS} <= set(told)
    assert {row["PARAMCD"] for row in told["ADRS"]} == {"ORR3"}
    assert next(row["AVALC"] for row in told["ADRS"] if row["VARIANT"] == "") == "N"
    assert any(line.startswith("Subject WORKED-02") for line in told["words"])


@pytest.mark.slow
def test_a_design_is_told_to_machines(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(
        BASE.replace(
            "    sensitivity:\n      - {hsct: treatment-policy}\n      - {reader: INV}\n", "    test: {null: 0.2, alternative: 0.45}\n", 1
        )
    )
    code, out, _ = run_cli("design", tmp_path, "--no-simulation", "--json")
    told = json.loads(out)
    assert code == 0 and told["study_hash"] == Study.load(tmp_path).hash and told["endpoint"] == "ORR3"
    code, _, err = run_cli("design", tmp_path, "--no-simulation", "--json", "--to", tmp_path / "page.html")
    assert code == 2 and "--json or --to" in err


@pytest.mark.slow
@pytest.mark.shows("CMD-report")
def test_a_run_keeps_its_arguments_and_the_one_hash(tmp_path: Path) -> None:
    folder = worked_folder(tmp_path, last=3)
    code, _, _ = run_cli("report", folder, "--data", folder / "data", "--out", tmp_path / "out")
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert code == 0 and record["study_hash"] == Study.load(folder).hash
    wanted = {"study": str(folder), "data": str(folder / "data"), "out": str(tmp_path / "out"), "figures": []}
    assert record["arguments"] == wanted | {"n": None, "seed": None, "population": None}
    # its own report is replaced
    assert run_cli("report", folder, "--data", folder / "data", "--out", tmp_path / "out")[0] == 0
    # that of another study is not
    other = tmp_path / "other"
    other.mkdir()
    (other / "study.yaml").write_text(
        (folder / "study.yaml").read_text().replace("id: WORKED", "id: worked").replace("id: worked", "id: another", 1)
    )
    before = (tmp_path / "out" / "run.json").read_bytes()
    code, _, err = run_cli("report", other, "--data", folder / "data", "--out", tmp_path / "out")
    assert code == 2 and "the report of another study stands there" in err and "--force" in err
    assert (tmp_path / "out" / "run.json").read_bytes() == before


@pytest.mark.parametrize("command", ["report", "derive"])
@pytest.mark.parametrize("name", ["report.html", "results.json", "run.json", "adam/mine.csv"])
def test_a_folder_that_is_not_its_own_is_left_alone(command: str, name: str, tmp_path: Path) -> None:
    folder = worked_folder(tmp_path, last=1)
    place = tmp_path / "out" / name
    place.parent.mkdir(parents=True)
    place.write_text("{}", encoding="utf-8")
    code, _, err = run_cli(command, folder, "--data", folder / "data", "--out", tmp_path / "out")
    assert (code, err.count("\n")) == (2, 1) and "no report of cartrial" in err and "--force" in err
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == [place.name]


def test_a_page_that_is_not_its_own_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "shells.html"
    page.write_text("<p>mine</p>", encoding="utf-8")
    code, _, err = run_cli("shells", "inaticel", "--out", page)
    assert code == 2 and "cartrial did not write" in err and page.read_text() == "<p>mine</p>"
    assert run_cli("shells", "inaticel", "--out", page, "--force")[0] == 0
    assert run_cli("shells", "inaticel", "--out", page)[0] == 0


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("dm.csv", ("simulate", "inaticel", "-n", "2", "--out", ".")),
        ("lb.xpt", ("simulate", "inaticel", "-n", "2", "--out", ".")),
        ("supply.html", ("supply", "-n", "2", "--out", "supply.html")),
        ("models.html", ("models", "--out", "models.html")),
        ("context.html", ("evidence", "context", "inaticel", "--out", "context.html")),
        ("claims.yaml", ("evidence", "import", "none.json", "--out", ".")),
        ("ipd.csv", ("evidence", "curve", "none.svg", "-n", "9", "--out", ".")),
        ("results.json", ("kinetics", "inaticel", "--virtual", "--out", ".")),
        ("ensemble.csv", ("calibrate", "--members", "1", "--out", ".")),
        ("scores.csv", ("calibrate", "--members", "1", "--out", ".")),
    ],
)
@pytest.mark.shows("CMD-calibrate")
def test_every_command_leaves_what_is_not_its_own(name: str, command: tuple[str, ...], tmp_path: Path) -> None:
    """`simulate` would put virtual patients over a study's own tables, and `evidence curve` takes files of an earlier run away."""
    (tmp_path / name).write_text("mine", encoding="utf-8")
    *words, place = command
    code, _, err = run_cli(*words, tmp_path / place)
    assert (code, err.count("\n")) == (2, 1) and "stands there" in err and "--force" in err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_an_ensemble_is_known_by_what_it_says_of_itself(tmp_path: Path) -> None:
    """The built-in one may be made again where it lies; a table of that name that has another head, or none, is not it."""
    from cartrial.cli.owned import require_own_files
    from cartrial.virtual.patients.ensemble import DATA

    text = (DATA / "ensemble.csv").read_text(encoding="utf-8")
    for head, own in ((text, True), ("", False), ("id,value\n1,2\n", False), ('# {"model": 3}\n', False)):
        (tmp_path / "ensemble.csv").write_text(head, encoding="utf-8")
        try:
            require_own_files(tmp_path, ("scores.csv", "ensemble.csv"), by="ensemble.csv", force=False)
        except InputError:
            assert not own, head
        else:
            assert own, head


@pytest.mark.slow
@pytest.mark.shows("CMD-simulate")
def test_virtual_patients_replace_virtual_ones(tmp_path: Path) -> None:
    """What `simulate` wrote it writes anew without a word, and with --force anything."""
    simulate = ("simulate", "inaticel", "-n", "2", "--out", tmp_path)
    assert run_cli(*simulate)[0] == run_cli(*simulate, "--seed", "2")[0] == 0
    (tmp_path / "about.yaml").unlink()
    assert run_cli(*simulate)[0] == 2
    assert run_cli(*simulate, "--force")[0] == 0


@pytest.mark.slow
@pytest.mark.shows("STUDY-endpoints.role")
def test_a_study_without_a_primary_endpoint_is_a_finding(tmp_path: Path) -> None:
    """The small study names none; with `role: primary` nothing is said."""
    load_study(tmp_path, BASE)
    code, out, _ = run_cli("check", tmp_path)
    assert code == 0 and "[primary-missing]" in out and "Write role: primary" in out
    load_study(tmp_path, BASE.replace("    type: response-rate\n", "    role: primary\n    type: response-rate\n", 1))
    assert "primary-missing" not in run_cli("check", tmp_path)[1]


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in run_cli("--help")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [(("-n", "5"), "-n is of"), (("--seed", "5", "-n", "5"), "-n and --seed are of"), (("--population", "eliana"), "--population is of")],
)
def test_a_report_of_data_refuses_what_is_of_virtual_patients(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """By hand: such an option was left in silence, as if it had been followed."""
    code, _, err = run_cli("report", "inaticel", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *options)
    assert code == 2 and f"{said} virtual patients alone" in err and not (tmp_path / "out").exists()
