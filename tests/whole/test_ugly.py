"""Ugly inputs through the command line: one clear message, exit code 2, no output left; what is only doubtful is a finding and a report.

Origin of every expectation: `by hand`, from the last paragraph of the design: bad input is what is unreadable, keyless, has a key twice,
or an unknown code or date in a field the rules need; what is only doubtful is a finding.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from helpers import run_cli, worked_folder
from properties import every
from spoil import (
    Spoil,
    add,
    as_form,
    both,
    data,
    emptied,
    encoded,
    head,
    mapped,
    no_data,
    no_treatment_is_the_product,
    put,
    study,
    without,
    write,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return worked_folder(tmp_path_factory.mktemp("whole") / "study")


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "study")
    return tmp_path / "study"


# name: what is spoilt, words that the message has (file, row or key, what is wrong, what would be right)
REFUSED: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    # the folder
    "folder missing": (no_data, ("data", "not there", "Name the folder")),
    "folder empty": (emptied, ("data", "empty", "dm.csv")),
    "a file for the folder": (
        both(no_data, write("data", "x")),
        ("data", "no folder", "one file a domain"),
    ),
    "no file of a domain": (
        both(emptied, write("data/notes.csv", "A\n1\n")),
        ("data", "domain"),
    ),
    "spreadsheet without a mapping": (
        both(mapped("Patients", "Response"), without("mapping.yaml")),
        ("spreadsheet", "mapping.yaml"),
    ),
    "no DM": (without("data/dm.csv"), ("data", "no DM", "one row per subject")),
    "two files for one domain": (put("data/rs_irc.csv", b"STUDYID,USUBJID,RSSEQ\n"), ("rs_irc.csv", "RS", "rs.csv", "one file")),
    # a file
    "file empty": (put("data/rs.csv", b""), ("rs.csv", "empty")),
    "header alone in DM": (head("dm.csv"), ("dm.csv", "header", "one")),
    "header alone in EX": (head("ex.csv"), ("ex.csv", "header")),
    "Latin-1 text": (encoded("dm.csv", "WORKED-01,01", "WÖRKED-01,01", "latin-1"), ("dm.csv", "row 2", "USUBJID", "UTF-8")),
    "UTF-16 text": (encoded("dm.csv", "WORKED-01,01", "WORKED-01,01", "utf-16"), ("dm.csv", "UTF-8")),
    "a zip under the name of CSV": (
        put("data/rs.csv", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00" + bytes(range(256))),
        ("rs.csv",),
    ),
    "quote left open": (data("rs.csv", "ALL RESPONSE", '"ALL RESPONSE'), ("rs.csv", "row", "uote")),
    "row with a value too many": (data("rs.csv", ",CR,", ",CR,CR,"), ("rs.csv", "row 2", "11 values", "header 10")),
    "row cut off": (add("rs.csv", "WORKED,RS,WORKED-16"), ("rs.csv", "3 values", "header 10")),
    "header twice": (data("rs.csv", "RSEVAL,RSEVALID", "RSEVAL,RSEVAL"), ("rs.csv", "row 1", "RSEVAL", "twice", "once")),
    "header with a blank name": (data("rs.csv", "RSCAT", ""), ("rs.csv", "row 1", "column 5", "name")),
    "XPT cut off": (as_form("xpt", "rs.xpt", cut=1000), ("rs.xpt", "cut off")),
    "XPT that is none": (as_form("xpt", "rs.xpt", content=b"STUDYID,USUBJID\n"), ("rs.xpt", "no SAS transport file")),
    "JSON that is none": (as_form("dataset-json", "rs.json", content=b"{not json"), ("rs.json", "JSON")),
    "JSON cut off": (as_form("dataset-json", "rs.json", cut=-200), ("rs.json", "JSON")),
    "JSON of another kind": (as_form("dataset-json", "rs.json", content=b'{"a": [1, 2]}'), ("rs.json", "Dataset-JSON")),
    "NDJSON with a broken line": (as_form("ndjson", "rs.ndjson", cut=-5), ("rs.ndjson", "row")),
    "Parquet cut off": (as_form("parquet", "rs.parquet", cut=-8), ("rs.parquet", "Parquet", "cut off")),
    # keys
    "key column missing": (data("rs.csv", "USUBJID", "SUBJECT"), ("rs.csv", "USUBJID", "missing")),
    "study key missing": (data("dm.csv", "STUDYID", "STUDY"), ("dm.csv", "STUDYID", "missing")),
    "key blank": (data("rs.csv", "WORKED,RS,WORKED-02", "WORKED,RS,"), ("rs.csv", "row 8", "USUBJID", "blank")),
    "subject twice in DM": (
        add("dm.csv", "WORKED,DM,WORKED-01,01,25,M,2021-11-17,2022-01-01,,"),
        ("dm.csv", "row 18", "WORKED-01", "twice"),
    ),
    "sequence number twice": (data("rs.csv", "WORKED-01,2", "WORKED-01,1"), ("rs.csv", "row 3", "RSSEQ", "own")),
    "subject in RS alone": (
        add("rs.csv", "WORKED,RS,WORKED-99,1,ALL RESPONSE,OVRLRESP,CR,INDEPENDENT ASSESSOR,,2022-01-29"),
        ("rs.csv", "WORKED-99", "not in DM", "every subject"),
    ),
    "another domain in the file": (data("rs.csv", "WORKED,RS,", "WORKED,LB,"), ("rs.csv", "row 2", "DOMAIN", "LB")),
    # values
    "date that does not exist": (data("rs.csv", "2022-01-29", "2022-13-40"), ("rs.csv", "row 2", "RSDTC", "2022-13-40", "YYYY-MM-DD")),
    "date in another form": (data("rs.csv", "2022-01-29", "29/01/2022"), ("rs.csv", "row 2", "RSDTC", "29/01/2022", "YYYY-MM-DD")),
    "date of year 202": (data("ex.csv", "2022-01-01", "0202-01-01"), ("ex.csv", "EXSTDTC", "0202-01-01")),
    "infusion without a date": (data("ex.csv", ",2022-01-01", ","), ("ex.csv", "EXSTDTC", "day 0")),
    "text for a number": (data("rs.csv", "WORKED-01,1", "WORKED-01,one"), ("rs.csv", "row 2", "RSSEQ", "'one'", "whole number")),
    "text for a count": (data("lb.csv", "60,60,60,%", "60,60,many,%"), ("lb.csv", "row 2", "LBSTRESN", "many", "number")),
    "comma for a point": (data("lb.csv", "0.6,0.6,0.6", '0.6,0.6,"0,6"'), ("lb.csv", "row 3", "LBSTRESN", "0.6", "point")),
    "infinite count": (data("lb.csv", "0.6,0.6,0.6", "0.6,0.6,inf"), ("lb.csv", "row 3", "LBSTRESN", "inf")),
    "marrow of 150 % blasts": (data("lb.csv", "60,60,60,%", "150,150,150,%"), ("lb.csv", "row 2", "LBSTRESN", "150", "between 0 and 100")),
    "negative platelets": (
        add("lb.csv", "WORKED,LB,WORKED-01,901,PLAT,BLOOD,,-5,-5,-5,10^9/L,,,,,2022-01-29"),
        ("lb.csv", "LBSTRESN", "PLAT", "not below 0"),
    ),
    "residual disease of 150 %": (
        add("lb.csv", "WORKED,LB,WORKED-01,901,MRD,BONE MARROW,FLOW,1.5,1.5,1.5,fraction,,1e-5,,,2022-01-29"),
        ("lb.csv", "LBSTRESN", "MRD", "between 0 and 1"),
    ),
    "unit unknown": (data("lb.csv", "0.6,0.6,0.6,10^9/L", "0.6,0.6,0.6,bananas"), ("lb.csv", "row 3", "LBSTRESU", "bananas", "10^9/L")),
    "unit of another quantity": (data("lb.csv", "0.6,0.6,0.6,10^9/L", "0.6,0.6,0.6,%"), ("lb.csv", "row 3", "LBSTRESU", "NEUT", "10^9/L")),
    "unit blank": (data("lb.csv", "0.6,0.6,0.6,10^9/L", "0.6,0.6,0.6,"), ("lb.csv", "row 3", "LBSTRESU", "NEUT", "10^9/L")),
    # codes
    "response unknown": (data("rs.csv", ",CR,", ",ALMOST CR,"), ("rs.csv", "row 2", "RSSTRESC", "ALMOST CR", "known are CR")),
    "reader unknown": (
        data("rs.csv", "INDEPENDENT ASSESSOR,,", "INDEPENDENT ASSESSOR,READER 9,"),
        ("rs.csv", "row 2", "RSEVALID", "READER 9", "READER 1"),
    ),
    "evaluator unknown": (data("rs.csv", "INDEPENDENT ASSESSOR", "HOSPITAL"), ("rs.csv", "row 2", "RSEVAL", "HOSPITAL", "INVESTIGATOR")),
    "evaluator blank": (data("rs.csv", "INDEPENDENT ASSESSOR", ""), ("rs.csv", "row 2", "RSEVAL", "blank", "INVESTIGATOR")),
    "grade unknown": (data("ae.csv", "disorders,1,", "disorders,7,"), ("ae.csv", "row 2", "AETOXGR", "'7'", "known are")),
    "transplant misspelt": (
        add("pr.csv", "WORKED,PR,WORKED-01,9,ALLOGENEIC STEM CEL TRANSPLANT,2022-05-01"),
        ("pr.csv", "PRTRT", "STEM CEL TRANSPLANT", "the nearest is"),
    ),
    "specimen of blasts unknown": (data("lb.csv", "BLAST,BONE MARROW", "BLAST,HAIR"), ("lb.csv", "row 2", "LBSPEC", "HAIR", "BONE MARROW")),
    "one reader says two things": (
        add("rs.csv", "WORKED,RS,WORKED-01,901,ALL RESPONSE,OVRLRESP,NR,INDEPENDENT ASSESSOR,,2022-01-29"),
        ("rs.csv", "RSSTRESC", "CR and NR", "one call a date"),
    ),
    # what cannot have happened
    "infused after death": (data("dm.csv", "2022-05-21", "2021-05-21"), ("EXSTDTC", "after the death", "2021-05-21")),
    "death without a date": (
        lambda folder: (
            [
                (folder / "data" / name).write_text((folder / "data" / name).read_text().replace("2022-05-21", ""), encoding="utf-8")
                for name in ("dm.csv", "ds.csv", "ss.csv", "ae.csv")
            ]
            and None
        ),
        ("dm.csv", "row 3", "DTHDTC", "no source dates the death"),
    ),
    "no product in EX": (no_treatment_is_the_product, ("ex.csv", "EXTRT", "INATICABTAGENE AUTOLEUCEL", "product.exposure")),
    "product of another name": (
        study("[INATICABTAGENE AUTOLEUCEL]", "[TISAGENLECLEUCEL]"),
        ("ex.csv", "EXTRT", "TISAGENLECLEUCEL", "INATICABTAGENE AUTOLEUCEL"),
    ),
    # the mapping
    "mapping of a sheet that is not there": (mapped("Subjects", "Response"), ("mapping.yaml", "Subjects", "Patients")),
    "mapping of a column that is not there": (mapped("Patients", "Outcome"), ("mapping.yaml", "Outcome")),
    "mapping that is no YAML": (
        both(mapped("Patients", "Response"), write("mapping.yaml", "rules: [")),
        ("mapping.yaml", "YAML"),
    ),
    # the study file
    "study: unknown key": (study("population: infused", "populaton: infused"), ("study.yaml", "row", "populaton", "'population'")),
    "study: strategy missing": (
        study("{hsct: composite, new-therapy: composite}", "{hsct: composite}"),
        ("study.yaml", "new-therapy", "Add it"),
    ),
    "study: cutoff that is no date": (study("2022-09-27", "2022-02-30"), ("study.yaml", "row 8", "cutoff", "2022-02-30")),
    "study: unknown visit": (study("{at: month 3}", "{at: month 33}"), ("study.yaml", "window.at", "month 33", "'month 3'")),
    "study: hypothetical for a rate": (
        study("{hsct: treatment-policy}", "{hsct: hypothetical}"),
        ("study.yaml", "hsct", "imputation", "Choose"),
    ),
    "study: key twice": (study("readers:", "readers: {primary: INV}\nreaders:"), ("study.yaml", "readers", "twice", "Keep one")),
    "study: tab": (study("  id: worked", "\tid: worked"), ("study.yaml", "row 3", "YAML")),
    "study: empty": (put("study.yaml", b""), ("study.yaml", "empty", "cartrial new")),
    "study: a letter": (put("study.yaml", b"Dear Sir or Madam,\n"), ("study.yaml", "mapping of keys", "schema: 1")),
    "study: Latin-1": (put("study.yaml", "schema: 1\nstudy: {title: für}\n".encode("latin-1")), ("study.yaml", "UTF-8")),
    "study: not in the folder": (without("study.yaml"), ("study", "study.yaml", "cartrial new")),
}


def _refused(code: int, out: str, err: str, words: tuple[str, ...]) -> None:
    assert code == 2, (code, out, err)
    assert out == ""
    message = err.removesuffix("\n")
    assert message and "\n" not in message, err
    assert message.endswith("."), message
    assert "Traceback" not in message and "Error(" not in message
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in: {message}"


@pytest.mark.parametrize("name", every(3, REFUSED))
def test_an_ugly_input_is_refused_in_one_line(name: str, folder: Path, tmp_path: Path) -> None:
    spoil, words = REFUSED[name]
    spoil(folder)
    before = sorted(path.name for path in tmp_path.iterdir())
    _refused(*run_cli("report", folder, "--data", folder / "data", "--out", tmp_path / "out"), words)
    assert sorted(path.name for path in tmp_path.iterdir()) == before, "something is left"


def test_there_are_thirty_of_them() -> None:
    assert len(REFUSED) >= 30


COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "study of no name": (("report", "inaticell", "--data", "{data}", "--out", "{out}"), ("inaticell", "'inaticel'", "Built in are")),
    "report without data": (("report", "{study}", "--out", "{out}"), ("--data", "Give --data FOLDER")),
    "derive without data": (("derive", "{study}", "--out", "{out}"), ("--data", "Give --data FOLDER")),
    "explain without data": (("explain", "{study}", "--subject", "01"), ("--data", "Give --data FOLDER")),
    "output is a file": (
        ("report", "{study}", "--data", "{data}", "--out", "{study}/study.yaml"),
        ("study.yaml", "is a file", "Name a folder"),
    ),
    "derived output is a file": (("derive", "{study}", "--data", "{data}", "--out", "{study}/study.yaml"), ("study.yaml", "is a file")),
    "output below a file": (("report", "{study}", "--data", "{data}", "--out", "{study}/study.yaml/out"), ("study.yaml", "Name a folder")),
    "shells into a folder": (("shells", "{study}", "--out", "{study}"), ("study", "folder")),
    "subject unknown": (("explain", "{study}", "--data", "{data}", "--subject", "77"), ("subject", "77", "Subjects are")),
    "subject blank": (("explain", "{study}", "--data", "{data}", "--subject", ""), ("subject",)),
    "subject not one": (("explain", "{study}", "--data", "{data}", "--subject", "6"), ("subject", "Subjects are")),
    "endpoint unknown": (
        ("explain", "{study}", "--data", "{data}", "--subject", "01", "--endpoint", "PFS"),
        ("endpoint", "PFS", "Endpoints are: ORR3"),
    ),
    "new into a folder that is not empty": (("new", "{study}", "--from", "inaticel"), ("study", "not empty", "Name a new folder")),
    "new from nothing": (("new", "{out}"), ("--from", "Give --from STUDY")),
    "new from both": (("new", "{out}", "--from", "inaticel", "--registry", "x.json"), ("--from", "one of them")),
    "new from an unknown study": (("new", "{out}", "--from", "tisa"), ("--from", "tisa", "Built in are")),
    "new from a record that is not there": (("new", "{out}", "--registry", "{study}/none.json"), ("none.json",)),
    "new from a record that is none": (("new", "{out}", "--registry", "{study}/study.yaml"), ("study.yaml", "JSON")),
    "check of a study that is none": (("check", "{study}/data/dm.csv"), ("dm.csv",)),
}


@pytest.mark.parametrize("name", every(3, COMMANDS))
def test_a_command_that_cannot_be_done_is_refused_in_one_line(name: str, folder: Path, tmp_path: Path) -> None:
    command, words = COMMANDS[name]
    arguments = [part.format(study=folder, data=folder / "data", out=tmp_path / "out") for part in command]
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    _refused(*run_cli(*arguments), words)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before, "something is left"


@pytest.mark.slow
@pytest.mark.shows("CMD-report")
def test_a_refusal_leaves_an_earlier_report_as_it_was(folder: Path, tmp_path: Path) -> None:
    arguments = ("report", folder, "--data", folder / "data", "--out", tmp_path / "out")
    assert run_cli(*arguments)[0] == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    data("rs.csv", "2022-01-29", "2022-13-40")(folder)
    assert run_cli(*arguments)[0] == 2
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


# What is only doubtful: a finding, and a report. name: what is spoilt, rule of the finding.
DOUBTFUL: dict[str, tuple[Spoil, str]] = {
    "enrolled before consent": (data("ds.csv", "ENROLLED,2021-11-20", "ENROLLED,2021-11-10"), "date-order"),
    "assessed after death": (add("lb.csv", "WORKED,LB,WORKED-02,901,NEUT,BLOOD,,1,1,1,10^9/L,,,,,2022-06-21"), "after-death"),
    "disposition of no list": (add("ds.csv", "WORKED,DS,WORKED-01,901,MOVED TO ANOTHER TOWN,2022-06-01"), "term-other"),
    "age in words": (data("dm.csv", ",25,", ",twenty,"), "number-invalid"),
    "age of 200": (data("dm.csv", ",25,", ",200,"), "age"),
    "count of a size that does not occur": (data("lb.csv", "0.6,0.6,0.6", "600,600,600"), "value-doubtful"),
    "residual disease without its limit": (
        add("lb.csv", "WORKED,LB,WORKED-01,901,MRD,BONE MARROW,FLOW,NEGATIVE,NEGATIVE,,fraction,,,,,2022-01-29"),
        "mrd-limit-missing",
    ),
    "file of no domain": (put("data/readme.csv", b"A\n1\n"), "file-ignored"),
    "header alone in FA": (head("fa.csv"), "domain-empty"),
    "partial date of an assessment": (data("rs.csv", "2022-04-01", "2022-04"), "date-partial"),
    "assessment without a result": (data("rs.csv", ",CR,", ",,"), "result-missing"),
    "RFSTDTC is not the infusion": (data("dm.csv", "2021-11-17,2022-01-01", "2021-11-17,2021-12-27"), "reference-differs"),
    "relapse without a remission": (data("rs.csv", ",CR,", ",RELAPSE,"), "relapse-without-remission"),
    "record of another study": (study("  id: worked", "  id: other"), "study-mismatch"),
    "event that ends before it starts": (data("ae.csv", "2022-01-07", "2022-01-02"), "event-reversed"),
}


@pytest.mark.parametrize("name", every(6, DOUBTFUL))
def test_what_is_only_doubtful_is_a_finding(name: str, folder: Path) -> None:
    spoil, rule = DOUBTFUL[name]
    spoil(folder)
    code, out, err = run_cli("check", folder, "--data", folder / "data")
    assert (code, err) == (0, ""), (out, err)
    assert f"[{rule}]" in out


@pytest.mark.slow
@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_is_only_doubtful_is_reported(name: str, folder: Path, tmp_path: Path) -> None:
    DOUBTFUL[name][0](folder)
    code, _, err = run_cli("report", folder, "--data", folder / "data", "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    "name",
    every(
        3, ["unit unknown", "response unknown", "marrow of 150 % blasts", "subject twice in DM", "infused after death", "no product in EX"]
    ),
)
def test_check_ends_with_1_where_something_would_stop_a_report(name: str, folder: Path) -> None:
    spoil, words = REFUSED[name]
    spoil(folder)
    code, out, err = run_cli("check", folder, "--data", folder / "data")
    assert (code, err) == (1, "")
    stops = [line for line in out.splitlines() if line.startswith("  stop ")]
    assert stops and any(words[-1] in line for line in stops)
    assert f"{len(stops)} would stop a report" in out.splitlines()[-1]


def test_check_ends_with_2_where_nothing_can_be_read(folder: Path) -> None:
    put("data/rs.csv", b"")(folder)
    code, _, err = run_cli("check", folder, "--data", folder / "data")
    assert code == 2 and err.startswith("rs.csv") and err.count("\n") == 1


def test_check_of_clean_data_ends_with_0_and_writes_nothing(folder: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run_cli("check", folder, "--data", folder / "data")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith("0 would stop a report")
    assert sorted(tmp_path.rglob("*")) == before


def _one_answer(folder: Path, answer: str) -> None:
    """Keep the subjects with a read after infusion, and give every read the same answer."""
    for path in (folder / "data").glob("*.csv"):
        frame = pl.read_csv(path, infer_schema=False).filter(~pl.col("USUBJID").is_in(["WORKED-08", "WORKED-10", "WORKED-14"]))
        if path.name == "rs.csv":
            frame = frame.with_columns(pl.lit(answer).alias("RSSTRESC"))
        frame.write_csv(path)


@pytest.mark.parametrize(
    ("answer", "figures"),
    [
        ("NR", {"n": 0, "N": 13, "rate": 0, "lower": 0, "upper": 1 - 0.025 ** (1 / 13)}),
        ("CR", {"n": 13, "N": 13, "rate": 1, "lower": 0.025 ** (1 / 13), "upper": 1}),
    ],
)
def test_no_responder_and_all_responders_give_a_report(answer: str, figures: dict[str, float], folder: Path, tmp_path: Path) -> None:
    """Limits: the closed form of Clopper-Pearson at 0 and n, published in doi:10.1093/biomet/26.4.404."""
    _one_answer(folder, answer)
    code, _, err = run_cli("report", folder, "--data", folder / "data", "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    rows = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    main = {"analysis": "response", "endpoint": "BORR", "variant": "", "by": ""}
    found = {row["statistic"]: row["value"] for row in rows if all(row[key] == value for key, value in main.items())}
    assert {name: found[name] for name in figures} == pytest.approx(figures, abs=1e-9)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r">\s*(nan|inf)\b", page, re.IGNORECASE)
