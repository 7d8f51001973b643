"""Does each ugly input end in one clear message that names the file, the row and what would be right?

Expected values: the project's design: unreadable, keyless, duplicate key, unknown code or date in a field the rules need is an error
in one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.sdtm import Source, read_sdtm, require_sdtm, write_sdtm
from properties import every
from sdtm_example import read_tables, small_study, small_tables, write_tables

Spoil = Callable[[Path], None]


def text(name: str, old: str, new: str) -> Spoil:
    """Return a change of the first occurrence of a text in a CSV file."""

    def spoil(folder: Path) -> None:
        path = folder / name
        content = path.read_text(encoding="utf-8")
        assert old in content
        path.write_text(content.replace(old, new, 1), encoding="utf-8")

    return spoil


def cell(name: str, row: int, column: str, value: str) -> Spoil:
    """Return a change of one cell; the header is row 1."""

    def spoil(folder: Path) -> None:
        lines = (folder / name).read_text().splitlines()
        cells = lines[row - 1].split(",")
        cells[lines[0].split(",").index(column)] = value
        lines[row - 1] = ",".join(cells)
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    return spoil


def data(name: str, content: bytes) -> Spoil:
    """Return the making of a file."""

    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return spoil


def bytes_of(name: str, change: Callable[[bytes], bytes]) -> Spoil:
    """Return a change of a file's bytes."""

    def spoil(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return spoil


def only(form: str, name: str, change: Callable[[bytes], bytes]) -> Spoil:
    """Return the folder in another form with one file spoilt."""

    def spoil(folder: Path) -> None:
        source = read_sdtm(folder)
        for path in folder.iterdir():
            path.unlink()
        write_sdtm(source, folder, form)
        bytes_of(name, change)(folder)

    return spoil


def head(**values: object) -> Callable[[bytes], bytes]:
    """Return a change of a Dataset-JSON document's attributes; None takes one away."""

    def change(content: bytes) -> bytes:
        document = {**json.loads(content), **values}
        return json.dumps({key: value for key, value in document.items() if value is not None}).encode()

    return change


def empty(folder: Path) -> None:
    """Take every file away."""
    for path in folder.iterdir():
        path.unlink()


def column_twice(folder: Path) -> None:
    """Write the header's USUBJID twice."""
    text("rs.csv", "RSCAT", "USUBJID")(folder)


UGLY: dict[str, tuple[Spoil, str]] = {
    "empty folder": (empty, r"the folder is empty. It holds one file a domain"),
    "no source data": (lambda folder: (empty(folder), data("notes.txt", b"hello")(folder)), r"the folder holds no source data"),
    "spreadsheet without mapping": (
        lambda folder: (empty(folder), data("patients.xlsx", b"PK")(folder)),
        r"a spreadsheet and no mapping. Put a mapping.yaml",
    ),
    "no DM": (lambda folder: (folder / "dm.csv").unlink(), r"there is no DM"),
    "empty file": (data("rs.csv", b""), r"^rs.csv: the file is empty"),
    "blank file": (data("rs.csv", b"\n  \n"), r"^rs.csv: the file is empty"),
    "header only DM": (data("dm.csv", b"STUDYID,DOMAIN,USUBJID\n"), r"^dm.csv: there is a header and no record"),
    "two files for a domain": (
        lambda folder: data("DM.parquet", (folder / "dm.csv").read_bytes())(folder),
        r"^DM.parquet: the file cannot be read as Parquet",
    ),
    "two forms of a domain that differ": (
        lambda folder: (
            write_sdtm(Source({"DM": read_sdtm(folder).domains["DM"]}), folder, "parquet"),
            cell("dm.csv", 2, "AGE", "99")(folder),
        ),
        r"^dm.parquet: the domain DM is in dm.csv too. The two differ",
    ),
    "Latin-1": (
        bytes_of("ae.csv", lambda raw: raw.replace(b"syndrome", b"s\xfcndrom")),
        r"^ae.csv, row 2, AEDECOD: the byte 0xfc is not UTF-8 .* Save the file as CSV UTF-8",
    ),
    "UTF-16": (bytes_of("ae.csv", lambda raw: raw.decode().encode("utf-16")), r"^ae.csv: the text is UTF-16"),
    "binary": (bytes_of("ae.csv", lambda raw: raw.replace(b"syndrome", b"\x00")), r"^ae.csv, row 2: the file holds bytes that are no text"),
    "bytes of all kinds": (data("ae.csv", bytes(range(1, 256))), r"^ae.csv, row 2, column 2: the byte 0x80 is not UTF-8 text"),
    "a zip": (data("ae.csv", b"PK\x03\x04\x00\xff"), r"^ae.csv, row 1: the file holds bytes that are no text"),
    "semicolons": (bytes_of("rs.csv", lambda raw: raw.replace(b",", b";")), r"^rs.csv, row 1: the columns are separated by semicolons"),
    "tabs": (bytes_of("rs.csv", lambda raw: raw.replace(b",", b"\t")), r"^rs.csv, row 1: the columns are separated by tabs"),
    "row too long": (text("rs.csv", "RELAPSE", "RELAPSE,EXTRA"), r"^rs.csv, row 5: the row has 11 values, the header 10"),
    "file cut off": (bytes_of("lb.csv", lambda raw: raw[:-20]), r"^lb.csv, row 9: the row has 10 values, the header 14"),
    "quote not closed": (text("rs.csv", "RELAPSE", '"RELAPSE'), r"^rs.csv, row 5: the row"),
    "blank header": (data("rs.csv", b",,\n1,2,3\n"), r"^rs.csv, row 1: the header row is blank"),
    "unnamed column": (text("rs.csv", "RSCAT", ""), r"^rs.csv, row 1: column 5 has no name"),
    "column twice": (column_twice, r"^rs.csv, row 1, USUBJID: the header has this column twice"),
    "column ROW": (text("rs.csv", "RSCAT", "ROW"), r"^rs.csv, row 1, ROW: the name ROW is taken"),
    "no subject column": (text("rs.csv", "USUBJID", "PATIENT"), r"^rs.csv, USUBJID: the column is missing"),
    "no sequence column": (text("rs.csv", "RSSEQ", "NUMBER"), r"^rs.csv, RSSEQ: the column is missing"),
    "no result column": (text("rs.csv", "RSSTRESC", "RESULT"), r"^rs.csv, RSSTRESC: the column is missing"),
    "no date column": (text("rs.csv", "RSDTC", "WHEN"), r"^rs.csv, RSDTC or RSDY: there is neither a date nor a study day"),
    "blank subject": (cell("rs.csv", 3, "USUBJID", ""), r"^rs.csv, row 3, USUBJID: the key is blank"),
    "blank sequence": (cell("rs.csv", 3, "RSSEQ", ""), r"^rs.csv, row 3, RSSEQ: the key is blank"),
    "sequence no number": (cell("rs.csv", 3, "RSSEQ", "1.5"), r"^rs.csv, row 3, RSSEQ: '1.5' is not a whole number"),
    "other domain in file": (cell("rs.csv", 3, "DOMAIN", "LB"), r"^rs.csv, row 3, DOMAIN: the file holds RS but the record says LB"),
    "date of another form": (
        cell("ex.csv", 3, "EXSTDTC", "01/01/2022"),
        r"^ex.csv, row 3, EXSTDTC: '01/01/2022' is not an ISO 8601 date. It is a date as YYYY-MM-DD",
    ),
    "date that is none": (cell("rs.csv", 2, "RSDTC", "2022-02-30"), r"^rs.csv, row 2, RSDTC: '2022-02-30' is not an ISO 8601 date"),
    "date UNK": (cell("dm.csv", 3, "DTHDTC", "2022-UNK-UNK"), r"^dm.csv, row 3, DTHDTC: .* YYYY-MM or YYYY when the rest is not known"),
    "word for a number": (cell("lb.csv", 3, "LBSTRESN", "many"), r"^lb.csv, row 3, LBSTRESN: 'many' is not a number"),
    "decimal comma": (
        bytes_of("lb.csv", lambda raw: raw.replace(b",1.5,1.5,", b',1.5,"1,5",')),
        r"^lb.csv, row 3, LBSTRESN: '1,5' is not a number. The decimal sign is a point: 1.5",
    ),
    "limit as a number": (cell("lb.csv", 6, "LBLOD", "<1e-5"), r"^lb.csv, row 6, LBLOD: '<1e-5' is not a number. A value below a limit"),
    "infinite number": (cell("lb.csv", 3, "LBSTRESN", "1e999"), r"^lb.csv, row 3, LBSTRESN: '1e999' is not a number"),
    "parquet cut off": (only("parquet", "rs.parquet", lambda raw: raw[:-10]), r"^rs.parquet: the file cannot be read as Parquet"),
    "parquet empty": (only("parquet", "rs.parquet", lambda raw: b""), r"^rs.parquet: the file is empty"),
    "xpt cut off": (only("xpt", "rs.xpt", lambda raw: raw[:-80]), r"^rs.xpt: the file is cut off"),
    "xpt cut in a record": (only("xpt", "lb.xpt", lambda raw: raw[:-33]), r"^lb.xpt: the file is cut off"),
    "xpt cut in the header": (only("xpt", "rs.xpt", lambda raw: raw[:400]), r"^rs.xpt: the file is cut off"),
    "xpt version 8": (
        only("xpt", "rs.xpt", lambda raw: raw.replace(b"LIBRARY", b"LIBV8  ", 1)),
        r"^rs.xpt: the file is SAS transport version 8",
    ),
    "xpt of two data sets": (only("xpt", "rs.xpt", lambda raw: raw + raw[240:]), r"^rs.xpt: the file holds 2 data sets"),
    "xpt that is none": (only("xpt", "rs.xpt", lambda raw: b"hello" * 32), r"^rs.xpt: the file is no SAS transport file"),
    "xpt empty": (only("xpt", "rs.xpt", lambda raw: b""), r"^rs.xpt: the file is empty"),
    "xpt in Latin-1": (
        only("xpt", "ae.xpt", lambda raw: raw.replace(b"Cytokine", b"Cytokin\xe9")),
        r"^ae.xpt, row 2, AEDECOD: the byte 0xe9 is neither ASCII nor UTF-8 text",
    ),
    "xpt without variables": (
        only("xpt", "rs.xpt", lambda raw: raw.replace(b"NAMESTR HEADER RECORD!!!!!!!000000", b"NAMESTR HEADER RECORD!!!!!!!xxxxxx")),
        r"^rs.xpt: the file cannot be read as SAS transport",
    ),
    "json empty": (only("dataset-json", "rs.json", lambda raw: b""), r"^rs.json: the file is empty"),
    "json in Latin-1": (
        only("dataset-json", "rs.json", lambda raw: raw.replace(b"RELAPSE", b"R\xe9LAPSE")),
        r"^rs.json, row 5, RSSTRESC: the byte 0xe9 is not UTF-8 text",
    ),
    "json with lists in cells": (
        only("dataset-json", "rs.json", lambda raw: raw.replace(b'"RELAPSE"', b'["RELAPSE"]')),
        r"^rs.json, RSSTRESC: the column holds lists",
    ),
    "json with a column twice": (
        only("dataset-json", "rs.json", lambda raw: raw.replace(b'"name": "RSCAT"', b'"name": "RSEVAL"')),
        r"^rs.json, RSEVAL: the columns have this name twice",
    ),
    "json without column names": (
        only("dataset-json", "rs.json", head(columns=["RSCAT"])),
        r"^rs.json, columns: the columns have no names",
    ),
    "json cut off": (only("dataset-json", "rs.json", lambda raw: raw[:-30]), r"^rs.json, row 1: the file is no valid JSON, or cut off"),
    "json that is no data set": (only("dataset-json", "rs.json", lambda raw: b"[1, 2]"), r"^rs.json: the file is JSON but no Dataset-JSON"),
    "json of another version": (
        only("dataset-json", "rs.json", head(datasetJSONVersion="1.0.0")),
        r"^rs.json, datasetJSONVersion: the version is 1.0.0. It is 1.1",
    ),
    "json without columns": (only("dataset-json", "rs.json", head(columns=None)), r"^rs.json, columns: the attribute is missing"),
    "json with records missing": (
        only("dataset-json", "rs.json", head(records=5)),
        r"^rs.json, records: the file says 5 records and has 4",
    ),
    "json with a short row": (
        only("dataset-json", "rs.json", head(rows=[[1]], records=1)),
        r"^rs.json, row 2: the record has not the \d+ values",
    ),
    "ndjson cut off": (only("ndjson", "rs.ndjson", lambda raw: raw[:-30]), r"^rs.ndjson, row 5: the file is no valid JSON, or cut off"),
    "ndjson short of lines": (
        only("ndjson", "rs.ndjson", lambda raw: b"\n".join(raw.splitlines()[:-1])),
        r"^rs.ndjson, records: the file says 4 records and has 3",
    ),
}


@pytest.mark.parametrize("name", every(2, UGLY))
def test_ugly_input_ends_in_one_message(name, tmp_path):
    spoil, message = UGLY[name]
    folder = write_tables(small_tables(), tmp_path / "data")
    spoil(folder)
    with pytest.raises(InputError, match=message) as refused:
        read_sdtm(folder)
    said = str(refused.value)
    assert "\n" not in said and said.endswith(".") and "Traceback" not in said


def test_json_of_mixed_values_reads_as_text(tmp_path):
    columns = [
        {"itemOID": name, "name": name, "label": name, "dataType": "string"} for name in ("STUDYID", "USUBJID", "NOTE", "FLAG", "AGE")
    ]
    rows = [["T", "A", 1.50, True, "61"], ["T", "B", "x", None, 7]]
    document = {"datasetJSONVersion": "1.1.0", "name": "DM", "records": 2, "columns": columns, "rows": rows}
    (tmp_path / "whatever.json").write_text(json.dumps(document))
    frame = read_sdtm(tmp_path).domains["DM"]
    assert frame.select("NOTE", "FLAG", "AGE", "ROW").rows() == [("1.5", "Y", 61.0, 2), ("x", None, 7.0, 3)]


def test_dm_alone_is_read_and_has_no_product(tmp_path):
    source = read_tables({"DM": small_tables()["DM"]}, tmp_path)
    with pytest.raises(InputError, match="No record of EX has the product: there is no record in EX; the study file names PRODUCT"):
        require_sdtm(small_study(tmp_path), source)


def test_there_are_thirty_ugly_inputs():
    assert len(UGLY) >= 30


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="nowhere: the folder is not there"):
        read_sdtm(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="this is no folder"):
        read_sdtm(tmp_path / "file")


def test_stray_files_are_told_not_read(tmp_path):
    folder = write_tables(small_tables(), tmp_path / "data")
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    (folder / ".hidden.csv").write_text("x")
    (folder / "README.md").write_text("x")
    findings = read_sdtm(folder).findings
    assert findings.select("FILE", "RULE", "SEVERITY").rows() == [
        (".hidden.csv", "file-ignored", "warning"),
        ("notes.csv", "file-ignored", "warning"),
        (None, "file-other", "note"),
    ]
    assert findings["MESSAGE"][2] == "1 file is no source data by name and not read: README.md."


def test_file_names_with_more_than_the_domain(tmp_path):
    folder = write_tables(small_tables(), tmp_path / "data")
    (folder / "dm.csv").rename(folder / "DM_sdtm_final.csv")
    assert "DM" in read_sdtm(folder).domains


@pytest.mark.parametrize(
    ("domain", "row", "values", "rule"),
    [
        ("AE", 0, {"AEENDTC": "spring"}, "date-invalid"),
        ("DM", 0, {"BRTHDTC": "1996-99"}, "date-invalid"),
        ("DM", 0, {"AGE": "old"}, "number-invalid"),
        ("EX", 0, {"EXDOSE": "30 mg"}, "number-invalid"),
        ("LB", 6, {"LBTESTCD": "GLUC", "LBSTRESN": "high"}, "number-invalid"),
        ("LB", 6, {"LBTESTCD": "GLUC", "LBDTC": "01.02.2022"}, "date-invalid"),
        ("RS", 1, {"RSTESTCD": "MRDIND", "RSDTC": "01.02.2022"}, "date-invalid"),
        ("FA", 0, {"FAOBJ": "ERYTHEMA", "FADTC": "yesterday"}, "date-invalid"),
    ],
)
def test_what_no_rule_needs_is_a_finding(domain, row, values, rule, tmp_path):
    tables = small_tables()
    tables[domain][row].update(values)
    source = read_tables(tables, tmp_path)
    found = source.findings.filter(pl.col("RULE") == rule)
    assert found.select("FILE", "ROW", "SEVERITY").rows() == [(f"{domain.lower()}.csv", row + 2, "warning")]
    column = list(values)[-1]
    assert source.domains[domain][column][row] is None


def test_missing_package_is_named(tmp_path, monkeypatch):
    import sys

    write_sdtm(read_tables(small_tables(), tmp_path), tmp_path / "xpt", "xpt")
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(InputError, match=r'pip install "cartrial\[formats\]"'):
        read_sdtm(tmp_path / "xpt")


def test_xpt_needs_no_pandas(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    source = read_tables(small_tables(), tmp_path)
    write_sdtm(source, tmp_path / "xpt", "xpt")
    assert read_sdtm(tmp_path / "xpt").domains["RS"].equals(source.domains["RS"])


def test_duplicate_subject_and_orphan_end_in_one_message(tmp_path):
    study = small_study(tmp_path)
    tables = small_tables()
    tables["DM"].append(dict(tables["DM"][0]))
    with pytest.raises(InputError, match=r"^dm.csv, row 4, USUBJID: The subject A is in DM twice; a subject has one row\.$"):
        require_sdtm(study, read_tables(tables, tmp_path))
    tables = small_tables()
    tables["RS"][0]["USUBJID"] = "Z"
    with pytest.raises(InputError, match=r"^rs.csv, row 2, USUBJID: The subject Z \(study TRIAL\) is not in DM"):
        require_sdtm(study, read_tables(tables, tmp_path))
