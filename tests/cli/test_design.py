"""The commands `design` and `dose`: what they print and write, and what they refuse.

Origin of expected values: `by hand` (messages, files), and BOIN's boundaries as published (Liu and Yuan 2015, doi:10.1111/rssc.12089;
the table for 0.30 by cohorts of three: escalate at 0, 1, 2, 2 of 3, 6, 9, 12; de-escalate at 2, 3, 4, 5; eliminate at 3, 4, 5, 7).
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import BASE, run_cli
from properties import every

TESTED = BASE.replace(
    "    sensitivity:\n      - {hsct: treatment-policy}\n      - {reader: INV}\n", "    test: {null: 0.2, alternative: 0.45}\n", 1
)
TEST = "    test: {null: 0.2, alternative: 0.45}\n"


def only_the_default(err: str) -> bool:
    """Say whether nothing is told but whose patients were drawn, since the study names none, and who of them is left out."""
    first, *more = err.splitlines()
    return "drawn from the population 'autologous-cd19'" in first and all("blasts" in line for line in more) and len(more) == 2


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.yaml").write_text(TESTED, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.shows("CMD-design")
def test_a_summary_is_printed_and_nothing_written(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run_cli("design", study, "--no-simulation")
    assert code == 0 and only_the_default(err)
    for words in ("base, ORR3: Response at month 3", "Recommended: ", "Simon minimax", "BOP2", "For the protocol:", "Null rate of ORR3"):
        assert words in out
    assert re.search(r"Stop if \d+ or fewer of \d+ responded\.", out) or "Single stage" in out.split("Recommended: ")[1].splitlines()[0]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.shows("CMD-design")
def test_the_page_and_its_figures_stand_side_by_side(study: Path, tmp_path: Path) -> None:
    code, out, err = run_cli("design", study, "--no-simulation", "--to", tmp_path / "new" / "page.html", "--power", "0.9", "--n-max", "60")
    assert code == 0 and only_the_default(err)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["page.html", "page.json"]
    record = json.loads((tmp_path / "new" / "page.json").read_text(encoding="utf-8"))
    value = {(row["design"], row["statistic"]): row for row in record["rows"] if row["part"] == "input"}
    assert (value["power", "value"]["value"], value["n_max", "value"]["value"]) == (0.9, 60.0)
    assert value["power", "value"]["source"] == "asked for in this run"
    assert record["recommended"] in {row["design"] for row in record["rows"] if row["part"] == "design"}
    assert f"{value['n_max', 'value']['text']}" in out or out.startswith("Wrote ")


@pytest.mark.slow
def test_batches_are_kept_and_gone_on_with(study: Path, tmp_path: Path) -> None:
    """The same command twice, the second with more trials, gives what one run gives; a folder of another seed is refused."""
    pytest.importorskip("numba")
    common = ("design", study, "--truths", "2", "--patients", "1000")
    for trials in ("3", "5"):
        code, _, err = run_cli(*common, "--trials", trials, "--to", tmp_path / "kept.html", "--out", tmp_path / "batches")
        assert code == 0 and only_the_default(err)
    assert run_cli(*common, "--trials", "5", "--to", tmp_path / "once.html")[0] == 0
    assert (tmp_path / "kept.json").read_bytes() == (tmp_path / "once.json").read_bytes()
    before = (tmp_path / "kept.html").read_bytes()
    code, _, err = run_cli(*common, "--trials", "5", "--to", tmp_path / "kept.html", "--out", tmp_path / "batches", "--seed", "2")
    assert code == 2 and "another seed" in err and err.count("\n") == 1
    assert (tmp_path / "kept.html").read_bytes() == before


def spoil(old: str, new: str) -> tuple[str, str]:
    assert old in TESTED
    return old, new


# name: what is spoilt in the study, the arguments, words of the message
REFUSED: dict[str, tuple[tuple[str, str] | None, tuple[str, ...], tuple[str, ...]]] = {
    "no null": (spoil(TEST, ""), (), ("no null rate for ORR3", "Add test:")),
    "no target": (spoil(", alternative: 0.45", ""), (), ("test.alternative", "Add test.alternative")),
    "target at the null": (
        spoil("alternative: 0.45", "alternative: 0.2"),
        (),
        ("not above the null", "The alternative is the higher rate"),
    ),
    "target below the null": (spoil("alternative: 0.45", "alternative: 0.1"), (), ("not above the null",)),
    "alpha 0": (spoil("value: 0.025", "value: 0"), (), ("study.yaml", "testing.alpha.value", "greater than 0")),
    "alpha 1": (spoil("value: 0.025", "value: 1"), (), ("study.yaml", "testing.alpha.value", "less than 1")),
    "cap too small": (None, ("--n-max", "8"), ("up to 8 subjects", "Allow more subjects")),
    "cap of one": (None, ("--n-max", "1"), ("n_max", "2 to 500")),
    "power of 1": (None, ("--power", "1"), ("power", "between 0 and 1")),
    "power of nothing": (None, ("--power", "-0.2"), ("power", "between 0 and 1")),
    "page is a folder": (None, ("--to", "{study}"), ("is a folder", "Name an HTML file")),
    "page below a file": (None, ("--to", "{study}/study.yaml/page.html"), ("study.yaml", "Name a folder")),
    "batches without a page": (None, ("--out", "{new}"), ("--to", "Give --to FILE")),
    "workers without a page": (None, ("--workers", "2"), ("--to", "Give --to FILE")),
    "batches without a simulation": (
        None,
        ("--to", "{new}.html", "--out", "{new}", "--no-simulation"),
        ("--to", "without --no-simulation"),
    ),
    "a page that would be its own figures": (None, ("--to", "{new}.json", "--no-simulation"), ("--to", "ending in .html")),
    "no workers": (None, ("--to", "{new}.html", "--workers", "0"), ("out", "Name a folder")),
    "workers without batches": (None, ("--to", "{new}.html", "--workers", "2"), ("out", "Name a folder")),
    "a folder of other results": (None, ("--to", "{new}.html", "--out", "{study}"), ("study", "holds other things", "new or empty folder")),
    "batches are a file": (None, ("--to", "{new}.html", "--out", "{study}/study.yaml"), ("study.yaml", "new or empty folder")),
    "one truth": (None, ("--to", "{new}.html", "--truths", "1"), ("truths", "Give at least 2")),
    "one trial": (None, ("--to", "{new}.html", "--trials", "1"), ("trials", "Give at least 2")),
    "no patients": (None, ("--to", "{new}.html", "--patients", "0"), ("patients",)),
    "cap of none": (None, ("--n-max", "0"), ("n_max", "2 to 500")),
    "no such study": (None, (), ("none.yaml",)),
}


@pytest.mark.parametrize("name", every(3, REFUSED))
def test_what_cannot_be_designed_is_refused_in_one_line(name: str, study: Path, tmp_path: Path) -> None:
    change, arguments, words = REFUSED[name]
    if change is not None:
        (study / "study.yaml").write_text(TESTED.replace(*change, 1), encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    target = tmp_path / "none.yaml" if name == "no such study" else study
    code, out, err = run_cli("design", target, *(part.format(study=study, new=tmp_path / "new") for part in arguments))
    assert code == 2 and out == ""
    assert err.count("\n") == 1 and "Traceback" not in err
    assert all(word in err for word in words), err
    assert sorted(tmp_path.rglob("*")) == before, "something is left"


@pytest.mark.shows("CMD-dose")
def test_a_table_of_decisions_is_printed_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    code, out, err = run_cli("dose", "boin", "--target", "0.3", "-n", "12", "--to", tmp_path / "boin.csv")
    assert (code, err) == (0, "") and "Liu and Yuan 2015" in out
    rows = list(csv.DictReader((tmp_path / "boin.csv").open(encoding="utf-8")))
    found = {(int(row["n"]), int(row["dlt"])): row["decision"] for row in rows}
    for n, up, down, out_of in ((3, 0, 2, 3), (6, 1, 3, 4), (9, 2, 4, 5), (12, 2, 5, 7)):
        assert found[n, up] == "E" and found[n, up + 1] != "E"
        assert found[n, down] in ("D", "DU") and found[n, down - 1] not in ("D", "DU")
        assert found[n, out_of] == "DU" and found[n, out_of - 1] != "DU"
    scenario = ("--scenario", "0.05,0.1,0.3,0.5", "--trials", "200")
    one = run_cli("dose", "boin", "--target", "0.3", "-n", "12", *scenario)
    own = run_cli("dose", "table", "--table", tmp_path / "boin.csv", "--target", "0.3", "-n", "12", *scenario)
    assert one[0] == own[0] == 0 and "scenario 1: 200 trials" in own[1]
    assert one[1].split("scenario 1")[1].split("Note")[0] == own[1].split("scenario 1")[1].split("Note")[0]


@pytest.mark.parametrize("rule", ["mtpi2", "3+3"])
def test_other_rules_have_their_table(rule: str) -> None:
    code, out, err = run_cli("dose", rule)
    assert (code, err) == (0, "") and "Source: " in out and "DU" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("boyn",), ("there is no design 'boyn'", "boin, mtpi2, 3+3, table")),
        (("boin", "--target", "0"), ("target",)),
        (("boin", "--target", "1"), ("target",)),
        (("boin", "-n", "0"), ("max_n",)),
        (("boin", "--cohort", "40"), ("cohort",)),
        (("table",), ("--table", "cartrial dose table --table FILE")),
        (("boin", "--table", "x.csv"), ("--table",)),
        (("table", "--table", "none.csv"), ("none.csv",)),
        (("boin", "--scenario", "a,b"), ("--scenario", "no probabilities")),
        (("boin", "--scenario", "0.1,1.5", "--to", "boin.csv"), ("scenario",)),
        (("boin", "--scenario", ""), ("--scenario",)),
        (("boin", "--to", "table.txt"), ("table.txt",)),
    ],
)
def test_what_is_no_dose_design_is_refused_in_one_line(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run_cli("dose", *arguments)
    assert code == 2 and err.count("\n") == 1 and all(word in err for word in words), err
    assert list(tmp_path.iterdir()) == []


def test_the_help_of_the_command_line_imports_no_design() -> None:
    heavy = ("cartrial.design", "polars", "numpy", "scipy")
    script = f"import sys, cartrial.__main__; print(sorted(m for m in sys.modules if m.startswith({heavy})))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
