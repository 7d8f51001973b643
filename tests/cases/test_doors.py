"""Do doors stay shut? Files that would fill the memory, the disk or the terminal; and what a crash says.

Expected values: `by hand`, from the issue: one clear message, exit code 2, nothing half written; a crash of `check` never ends with 1,
by which it says that it found something.
"""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cartrial.__main__ import main
from cartrial.errors import InputError, printable
from cartrial.sdtm import Source, finding, read_sdtm
from cartrial.sdtm.checks.groups import said_of
from cartrial.sdtm.mapping.model import Table
from cartrial.sdtm.mapping.parts import Day
from cartrial.study import Study
from cartrial.study.criteria.sets import Options
from cartrial.study.endpoint import ResponseWindow
from cartrial.study.model import Cytopenia, Kinetics, Visit
from cartrial.study.registry.record import read_registry
from cartrial.yamlfile import Part, read_yaml, validate
from cases.case import case_path, checked
from helpers import WORKED, run_cli
from properties import every


def test_a_file_of_aliases_is_refused_at_once() -> None:
    """7 kB that stand for a thousand million values: refused without building them."""
    started = time.process_time()
    with pytest.raises(InputError, match=r"^yaml-bomb.yaml: the aliases of the file repeat more than 10000 values. Write each value out"):
        Study.load(case_path("data/yaml-bomb.yaml"))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a {b: *a}", "a value contains itself"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: " + "9" * 6000, "cannot be read"),
        ("a: &x [1, 2]\nb: [" + ", ".join(["*x"] * 4000) + "]", "repeat more than 10000 values"),
    ],
)
def test_yaml_that_would_grow_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        read_yaml(Path("study.yaml"), text=text)
    assert len(str(refused.value)) < 400


def test_a_few_aliases_are_read() -> None:
    assert read_yaml(Path("study.yaml"), text="a: &x {b: 1}\nc: *x\n")[0] == {"a": {"b": 1}, "c": {"b": 1}}


def test_a_large_study_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("a: 1\n" + "#" * 5_000_000)
    with pytest.raises(InputError, match="the file has more than 4 MB"):
        read_yaml(tmp_path / "study.yaml")


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("report", WORKED, "--data", WORKED / "data", "--out"),
        ("derive", WORKED, "--data", WORKED / "data", "--out"),
        ("shells", "inaticel", "--out"),
        ("new", "--from", "inaticel"),
    ],
    ids=lambda command: command[0],
)
def test_a_full_disk_is_one_message_and_leaves_nothing(
    command: tuple[str | Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr("polars.DataFrame.write_parquet", full)
    code, out, err = run_cli(*command, tmp_path / "out")
    assert code == 2
    assert err.count("\n") == 1
    assert "No space left on device" in err
    assert not out
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("fails", ["write_bytes", "mkdir"])
def test_a_full_disk_names_the_folder_that_simulate_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    """Expected: `by hand`, from the review: --out, as other commands say, and no folder of a moment."""
    small = Source({"DM": pl.DataFrame({"STUDYID": "S", "USUBJID": ["S-01"]})})
    monkeypatch.setattr("cartrial.virtual.trial.conduct.emit_sdtm", lambda *_, **__: small)
    monkeypatch.setattr(Path, fails, full)
    code, _, err = run_cli("simulate", "inaticel", "--out", tmp_path / "out", "-n", "2")
    assert code == 2
    assert err.startswith(f"{tmp_path / 'out'}: the output cannot be written (No space left on device), and nothing of it was kept.")
    assert err.count("\n") == 1
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "failure", [ValueError("of our own"), RecursionError("too deep"), type("Panic", (BaseException,), {})("in Rust")], ids=repr
)
def test_a_crash_of_check_does_not_end_with_1(
    failure: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("cartrial.run.load_data", crash)
    monkeypatch.setattr("sys.argv", ["cartrial", "check", str(WORKED), "--data", str(WORKED / "data")])
    with pytest.raises(SystemExit) as end:
        main()
    err = capsys.readouterr().err
    assert end.value.code == 70
    assert err.count("\n") == 1
    assert "cartrial itself failed" in err
    assert "Traceback" not in err


def test_a_memory_that_is_used_up_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cartrial.run.load_data", crash)
    assert run_cli("check", WORKED, "--data", WORKED / "data")[0] == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mCR", r"\x1b[31mCR"),
        ("a\rb\x07\x9b2J", r"a\x0db\x07\x9b2J"),
        ("S\u202e1", r"S\u202e1"),
        ("a\u2066b\u2028c\ufeff", r"a\u2066b\u2028c\ufeff"),
        ("Größe 5 µg/L\tß 白血病\n", "Größe 5 µg/L\tß 白血病\n"),
    ],
)
def test_codes_are_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.slow
def test_codes_of_data_are_not_printed(tmp_path: Path) -> None:
    """A subject whose name would clear the terminal, in findings, in a refusal and in `explain`."""
    folder = tmp_path / "data"
    folder.mkdir()
    for path in case_path("data/cmoccur-n").glob("*.csv"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8").replace(",S1,", ",S\x1b[2J\u202e1,"), encoding="utf-8")
    outputs = [
        run_cli("check", "inaticel", "--data", folder),
        run_cli("explain", "inaticel", "--data", folder, "--subject", "S\x1b[2J\u202e1"),
        run_cli("explain", "inaticel", "--data", folder, "--subject", "\x1b[2J"),
    ]
    for _, out, err in outputs:
        assert "\x1b" not in out + err
        assert "\u202e" not in out + err
    assert outputs[1][0] == 0
    assert r"S\x1b[2J\u202e1" in outputs[1][1]


def test_brackets_and_colons_of_data_are_shown_as_they_are(tmp_path: Path) -> None:
    """What rich would take for markup or for an emoji, in a subject and in a call as collected."""
    folder = tmp_path / "data"
    folder.mkdir()
    for path in case_path("data/cmoccur-n").glob("*.csv"):
        text = path.read_text(encoding="utf-8").replace(",S1,", ",[/b]S:warning:1,").replace("OVRLRESP,CR,", "OVRLRESP,[/red]CR,")
        (folder / path.name).write_text(text, encoding="utf-8")
    code, out, err = run_cli("explain", "inaticel", "--data", folder, "--subject", "[/b]S:warning:1")
    assert (code, err) == (0, "")
    assert "[/b]S:warning:1" in out
    assert "[/red]CR" in out


@pytest.mark.parametrize("columns", every(3, [40, 80, 90, 200]))
def test_no_date_and_no_call_is_cut_short_on_a_narrow_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = run_cli("explain", "inaticel", "--data", case_path("data/cmoccur-n"), "--subject", "S1")
    assert code == 0
    assert "…" not in out
    shown = out.partition("Assessments")[2].partition("ORR3")[0]
    assert [shown.count(date) for date in ("2022-01-29", "2022-04-01", "2022-06-30")] == [1, 1, 1]
    assert " ".join(shown.split()).count("committee") >= 3


def test_the_case_of_the_bomb_says_so_to_check() -> None:
    code, said = checked("data/cmoccur-n", case_path("data/yaml-bomb.yaml"))
    assert code == 2
    assert "aliases" in said


def test_no_virtual_value_is_minus_zero(tmp_path: Path) -> None:
    """A count of blasts that rounds to zero from below is 0, in number and in text; so is -0 in a file."""
    pytest.importorskip("numba", reason="virtual patients need numba (extra: virtual)")
    from cartrial.virtual.trial.assays import _smear

    seen = _smear(np.array([1e-4, 1e-4]), 100.0, np.array([-4.0, 0.0]))
    assert seen.tolist() == [0.0, 0.0]
    assert not np.signbit(seen).any()
    lb = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSPEC,LBSTRESN,LBSTRESU,LBDTC\nS,S1,1,BLAST,BLOOD,-0,%,2022-01-29\n"
    (tmp_path / "lb.csv").write_text(lb)
    (tmp_path / "dm.csv").write_text("STUDYID,USUBJID\nS,S1\n")
    assert str(read_sdtm(tmp_path).domains["LB"]["LBSTRESN"][0]) == "0.0"


FAR = [99999999999999999999, -99999999999999999999, 100_001, 10**400]


@pytest.mark.parametrize("number", FAR)
@pytest.mark.parametrize(
    ("part", "values"),
    [
        (Visit, {"name": "V", "day": 1, "minus": 0, "plus": 0}),
        (ResponseWindow, {"from": 1, "to": 104}),
        (Kinetics, {"auc-to": 28, "auc-margin": 3, "first-by": 10}),
        (Options, {"confirm-days": 28, "transfusion-free-days": 7}),
        (Cytopenia, {"after-day": 28}),
    ],
)
def test_a_number_of_days_that_no_calendar_has_is_refused(part: type[Part], values: dict[str, object], number: int) -> None:
    """Expected: `by hand`, from the review: any whole number of days ends in one message, in words, that names its key."""
    for key, value in values.items():
        if isinstance(value, int):
            with pytest.raises(InputError, match=rf"study.yaml, row 1, {key}: the number must be ") as refused:
                validate(part, values | {key: number}, {(): 1}, "study.yaml")
            assert len(str(refused.value)) < 200


def test_a_visit_beyond_the_calendar_ends_the_commands_with_2(tmp_path: Path) -> None:
    """Expected: `by hand`, from the review: exit code 2, the line and the key."""
    text = (WORKED / "study.yaml").read_text()
    (tmp_path / "study.yaml").write_text(text.replace("day: 90,", "day: 99999999999999999999,", 1))
    code, _, said = run_cli("check", tmp_path / "study.yaml")
    assert code == 2
    assert ".day: the number must be between -100000 and 100000 (found: 99999999999999999999)." in said


@pytest.mark.parametrize("option", ["-n", "--seed", "--trials"])
def test_a_number_of_an_option_that_overflows_is_refused(option: str) -> None:
    """Expected: `by hand`, from the review: exit code 2 and the option named."""
    code, _, said = run_cli("dose", "boin", option, str(10**30))
    assert code == 2
    assert option in said
    assert "than or equal to" in said


def test_a_row_of_a_mapping_that_no_sheet_has_is_refused() -> None:
    """Expected: `by hand`: an .xlsx has 1,048,576 rows."""
    assert validate(Table, {"file": "a.xlsx", "last-row": 1_048_576}, {(): 1}, "mapping.yaml").last_row == 1_048_576
    with pytest.raises(InputError, match="last-row: the number must be between -1048576 and 1048576"):
        validate(Table, {"file": "a.xlsx", "last-row": 10**30}, {(): 1}, "mapping.yaml")
    with pytest.raises(InputError, match="nominal: the number must be at most 100000"):
        validate(Day, {"nominal": 10**30}, {(): 1}, "mapping.yaml")


DM = ["STUDYID", "USUBJID", "SITEID", "SEX"]


def halved(folder: Path, lines: bool, at: int) -> Path:
    r"""Write a DM as Dataset-JSON whose second subject has a lone ``\ud800`` in one column."""
    rows = [["S", "S-01", "1", "F"], ["S", "S-02", "1", "M"]]
    rows[1][at] += "\ud800"
    head = {"datasetJSONVersion": "1.1.0", "name": "DM", "records": 2, "columns": [{"name": name} for name in DM]}
    if lines:
        (folder / "dm.ndjson").write_text("\n".join(json.dumps(part) for part in (head, *rows)))
    else:
        (folder / "dm.json").write_text(json.dumps(head | {"rows": rows}))
    return folder


@pytest.mark.parametrize("lines", [True, False])
def test_half_a_character_in_json_names_its_place(tmp_path: Path, lines: bool) -> None:
    """Expected: `by hand`, from the review: file, row and column where a rule reads it, a note where none does."""
    with pytest.raises(InputError, match=r"^dm.(nd)?json, row 3, USUBJID: .ud800, half of a pair, is not UTF-8 text. "):
        read_sdtm(halved(tmp_path, lines, 1))
    found = read_sdtm(halved(tmp_path, lines, 2)).findings.filter(pl.col("RULE") == "byte-undecoded")
    assert found.select("SEVERITY", "ROW", "VARIABLE").rows() == [("note", 3, "SITEID")]


def test_half_a_character_in_yaml_names_its_line() -> None:
    """Expected: `by hand`, from the review; two halves that belong together are the character that they mean."""
    with pytest.raises(InputError, match=r"^study.yaml, row 2, a.b: .ud800 is half of a pair and no character. Write the character itself"):
        read_yaml(Path("study.yaml"), text='a:\n  b: "S\\ud800"')
    with pytest.raises(InputError, match=r"^study.yaml, row 1: .ud800 is half of a pair"):
        read_yaml(Path("study.yaml"), text='"S\\ud800": 1')
    assert read_yaml(Path("study.yaml"), text='a: "\\ud83d\\ude00"')[0] == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    ("text", "message"), [('{"a": "\\ud800"}', "holds half a character"), ('{"a": ' + "9" * 5000 + "}", "has thousands of digits")]
)
def test_a_registry_record_that_cannot_be_written_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Expected: `by hand`: one message."""
    (tmp_path / "NCT.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_registry(tmp_path / "NCT.json")


@pytest.mark.parametrize("text", ["a: " + "9" * 6000, "a: 0x" + "f" * 6000, "a: " + "9" * 301])
def test_a_number_of_thousands_of_digits_is_said_in_words(text: str) -> None:
    """Expected: `by hand`, from the review: our words, not those of Python."""
    with pytest.raises(InputError, match=r"^study.yaml, row 1, a: '.*\.\.\.' cannot be read: a number has at most 300 digits\."):
        read_yaml(Path("study.yaml"), text=text)


def test_json_of_another_alphabet_or_with_endless_numbers_is_said_in_words(tmp_path: Path) -> None:
    """Expected: `by hand`, from the review: UTF-16 by its name, as CSV says it; numbers without Python's words."""
    (tmp_path / "dm.json").write_text('{"datasetJSONVersion": "1.1.0"}', encoding="utf-16")
    with pytest.raises(InputError, match=r"^dm.json: the text is UTF-16, not UTF-8. Save the file as UTF-8.$"):
        read_sdtm(tmp_path)
    (tmp_path / "dm.json").write_text('{"datasetJSONVersion": ' + "9" * 5000 + "}")
    with pytest.raises(InputError, match=r"^dm.json: a number has thousands of digits. Check the numbers of the file.$"):
        read_sdtm(tmp_path)


def test_a_finding_names_its_file_once() -> None:
    """Expected: `by hand`, from the review."""
    assert said_of(finding("file-ignored", "warning", "rs.txt is not read: x.", file="rs.txt")) == "rs.txt is not read: x."
    assert said_of(finding("age", "warning", "The age is 250.", file="dm.csv", row=2)) == "dm.csv, row 2: The age is 250."
