"""Does the same table read equal in every form, and does what is written read back equal?

Expected values: the CDISC examples in `dataset_json` (tests/README.md) hold each table as JSON, NDJSON and XPT; for generated tables, the
table itself.
"""

from __future__ import annotations

import json
import shutil
import string
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cartrial.errors import InputError
from cartrial.sdtm import DOMAINS, Source, SourceFile, check_sdtm, read_sdtm, standardise, write_sdtm, write_templates
from cartrial.sdtm.forms.delimited import csv_bytes
from cartrial.sdtm.read import find_mapping
from cartrial.sdtm.vocabulary.schema import kind_of, variable_label
from cartrial.sdtm.write import SUFFIXES
from helpers import data_path, needs_data
from properties import examples
from sdtm_example import read_tables, small_study, small_tables, write_tables

FORMS = tuple(SUFFIXES)
EXAMPLES = data_path("dataset_json")


def equal(first: Source, second: Source) -> bool:
    """Say whether two sources hold the same frames."""
    return first.domains.keys() == second.domains.keys() and all(
        frame.equals(second.domains[name]) for name, frame in first.domains.items()
    )


@needs_data("dataset_json")
@pytest.mark.shows("FMT-dataset-json")
def test_cdisc_examples_read_equal_in_three_forms(tmp_path):
    sources = {}
    for suffix in (".json", ".ndjson", ".xpt"):
        folder = tmp_path / suffix[1:]
        folder.mkdir()
        for path in EXAMPLES.glob(f"*{suffix}"):
            shutil.copy(path, folder)
        sources[suffix] = read_sdtm(folder)
    # Records a table, counted in the files' own `records`.
    heights = {"DM": 18, "AE": 74, "DS": 53, "DD": 3, "FA": 78, "MH": 17, "ADSL": 254, "ADTTE": 254}
    assert {name: frame.height for name, frame in sources[".json"].domains.items()} == heights
    assert equal(sources[".json"], sources[".ndjson"])
    assert equal(sources[".json"], sources[".xpt"])
    dm = sources[".xpt"].domains["DM"]
    assert dm["ROW"].to_list() == list(range(2, 20))
    assert dm.row(0, named=True)["RFSTDTC"] == "2012-11-30" and dm["AGE"].dtype == pl.Float64


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.shows("FMT-csv", "FMT-parquet")
def test_small_source_round_trip(form, tmp_path):
    source = read_tables(small_tables(), tmp_path)
    written = write_sdtm(source, tmp_path / "first", form)
    write_sdtm(source, tmp_path / "second", form)
    assert [path.read_bytes() for path in written] == [(tmp_path / "second" / path.name).read_bytes() for path in written]
    again = read_sdtm(tmp_path / "first")
    assert equal(source, again)
    assert {file.form for file in again.files} == {form}
    assert not list((tmp_path / "first").glob(".*"))


_ASCII = st.text(alphabet=string.ascii_letters + string.digits + " .,;:'\"<>%/^()-_=|", max_size=30)
_ANY = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), max_size=20)
_NUMBER = st.one_of(
    st.none(), st.integers(-(10**9), 10**9).map(float), st.floats(allow_nan=False, allow_infinity=False, min_value=-1e60, max_value=1e60)
)
_DATE = st.sampled_from([None, "2022", "2022-02", "2022-02-28", "2024-02-29T13:45"])


@st.composite
def tables(draw, text):
    """Generate DM and a VS with text, number, date and unknown columns, as the reader would hand them out."""
    clean = st.one_of(st.none(), text.map(str.strip).map(lambda word: word or None))
    count = draw(st.integers(1, 6))
    rows = range(count)
    vs = pl.DataFrame(
        {
            "STUDYID": ["T"] * count,
            "USUBJID": [f"S{i:02d}" for i in rows],
            "VSSEQ": list(rows),
            "VSSTRESN": [draw(_NUMBER.filter(lambda value: value is None or value == 0 or abs(value) > 1e-70)) for _ in rows],
            "VSDTC": [draw(_DATE) for _ in rows],
            "VSNOTE": [draw(clean) for _ in rows],
            "XVAR": [draw(clean) for _ in rows],
            "ROW": [i + 2 for i in rows],
        },
        schema={
            "STUDYID": pl.String,
            "USUBJID": pl.String,
            "VSSEQ": pl.Int64,
            "VSSTRESN": pl.Float64,
            "VSDTC": pl.String,
            "VSNOTE": pl.String,
            "XVAR": pl.String,
            "ROW": pl.Int64,
        },
    )
    dm = pl.DataFrame(
        {"STUDYID": ["T"] * count, "USUBJID": [f"S{i:02d}" for i in rows], "ROW": [i + 2 for i in rows]}, schema_overrides={"ROW": pl.Int64}
    )
    return {"DM": dm, "VS": vs}


@examples(25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(domains=tables(_ASCII))
@pytest.mark.shows("FMT-xpt-v5-read")
def test_any_ascii_table_survives_every_form(domains, tmp_path_factory):
    source = Source(domains)
    for form in FORMS:
        folder = tmp_path_factory.mktemp("forms")
        write_sdtm(source, folder, form)
        assert equal(source, read_sdtm(folder)), form


@examples(25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(domains=tables(_ANY))
@pytest.mark.shows("FMT-csv", "FMT-dataset-json")
def test_any_unicode_table_survives_all_but_xpt(domains, tmp_path_factory):
    source = Source(domains)
    for form in FORMS:
        if form != "xpt":
            folder = tmp_path_factory.mktemp("forms")
            write_sdtm(source, folder, form)
            assert equal(source, read_sdtm(folder)), form


def test_quoted_cells_and_line_ends(tmp_path):
    expected = read_tables(small_tables(), tmp_path).domains["DM"]
    text = (tmp_path / "data" / "dm.csv").read_text()
    quoted = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines())
    folder = tmp_path / "other"
    for changed in (
        quoted,
        text.replace("\n", "\r\n"),
        "\ufeff" + text,
        text.rstrip("\n"),
        text.lower().replace("trial", "TRIAL").replace(",dm,a", ",DM,A").replace(",dm,b", ",DM,B"),
    ):
        folder.mkdir(exist_ok=True)
        (folder / "dm.csv").write_bytes(changed.encode())
        frame = read_sdtm(folder).domains["DM"]
        assert frame.columns == expected.columns
        assert frame.select("USUBJID", "AGE", "RFICDTC", "ROW").equals(expected.select("USUBJID", "AGE", "RFICDTC", "ROW"))


@pytest.mark.parametrize("note", ['a "quoted", word', "two\nlines", "two\r\nlines", "a\rb", "tab\there", "'", ",", "\u00e9\u4e2d"])
def test_awkward_text_survives(note, tmp_path):
    source = Source({"DM": pl.DataFrame({"STUDYID": ["T", "T"], "USUBJID": ["A", "B"], "NOTE": [note, None], "ROW": [2, 3]})})
    for form in ("csv", "parquet", "dataset-json", "ndjson"):
        write_sdtm(source, tmp_path / form, form)
        assert equal(source, read_sdtm(tmp_path / form)), form


def test_blank_rows_are_left_out_and_counted(tmp_path):
    write_tables(small_tables(), tmp_path)
    lines = (tmp_path / "dm.csv").read_text().splitlines()
    (tmp_path / "dm.csv").write_text("\n".join([lines[0], lines[1], "," * lines[0].count(","), "", lines[2], "", ""]))
    assert read_sdtm(tmp_path).domains["DM"]["ROW"].to_list() == [2, 5]


def test_blank_column_without_a_name_is_left_out(tmp_path):
    write_tables(small_tables(), tmp_path)
    lines = (tmp_path / "dm.csv").read_text().splitlines()
    (tmp_path / "dm.csv").write_text("".join(f"{line},,\n" for line in lines))
    assert read_sdtm(tmp_path).domains["DM"].columns == [*lines[0].split(","), "ROW"]


@pytest.mark.shows("FMT-parquet")
def test_numbers_dates_and_flags_of_parquet_become_sdtm(tmp_path):
    import datetime as dt

    frame = pl.DataFrame(
        {
            "STUDYID": ["T"],
            "USUBJID": [101],
            "AGE": [33],
            "RFICDTC": [dt.date(2022, 1, 2)],
            "RFSTDTC": [dt.datetime(2022, 1, 3, 8, 30)],
            "DTHFL": [True],
            "WEIGHT": [70.5],
        }
    )
    frame.write_parquet(tmp_path / "dm.parquet")
    row = read_sdtm(tmp_path).domains["DM"].row(0, named=True)
    assert row == {
        "STUDYID": "T",
        "USUBJID": "101",
        "AGE": 33.0,
        "RFICDTC": "2022-01-02",
        "RFSTDTC": "2022-01-03T08:30:00",
        "DTHFL": "Y",
        "WEIGHT": "70.5",
        "ROW": 2,
    }


def test_other_domains_and_variables_are_kept(tmp_path):
    given_tables = small_tables()
    given_tables["SUPPAE"] = [{"STUDYID": "TRIAL", "USUBJID": "B", "IDVARVAL": "1", "QVAL": "ASTCT"}]
    given_tables["MH"] = [{"STUDYID": "TRIAL", "USUBJID": "B", "MHSEQ": 1, "MHTERM": "ASTHMA", "MHSTDTC": "1999"}]
    given_tables["DM"][0]["PRIORHCT"] = "Y"
    source = read_tables(given_tables, tmp_path)
    assert source.domains["SUPPAE"]["QVAL"].to_list() == ["ASTCT"]
    assert source.domains["MH"]["MHSEQ"].dtype == pl.Int64
    assert source.domains["DM"]["PRIORHCT"].to_list() == ["Y", None]


def test_files_say_what_was_read(tmp_path):
    import hashlib

    source = read_tables(small_tables(), tmp_path)
    data = (tmp_path / "data" / "dm.csv").read_bytes()
    assert source.files[3] == SourceFile("ds.csv", "DS", hashlib.sha256((tmp_path / "data" / "ds.csv").read_bytes()).hexdigest(), 5, "csv")
    assert next(file for file in source.files if file.domain == "DM").sha256 == hashlib.sha256(data).hexdigest()


def test_table_gives_absent_variables_as_null(tmp_path):
    source = read_tables(small_tables(), tmp_path)
    frame = source.table("LB", ("USUBJID", "LBSTRESN", "LBDY"))
    assert (
        frame.columns == ["USUBJID", "LBSTRESN", "LBDY", "ROW"]
        and frame["LBDY"].dtype == pl.Float64
        and frame["LBDY"].null_count() == frame.height
    )
    assert source.table("QS", ("USUBJID", "QSSEQ")).schema == {"USUBJID": pl.String, "QSSEQ": pl.Int64, "ROW": pl.Int64}


def test_xpt_names_the_value_it_cannot_hold(tmp_path):
    source = read_tables(small_tables(), tmp_path)
    dm = source.domains["DM"]
    bad = {
        "at most 8 letters": dm.with_columns(pl.lit("x").alias("TOOLONGNAME")),
        "not plain ASCII": dm.with_columns(pl.lit("Müller").alias("NOTE")),
        "at most 200": dm.with_columns(pl.lit("x" * 201).alias("NOTE")),
        "out of range": dm.with_columns(pl.lit(1e76).alias("AGE")),
    }
    for message, frame in bad.items():
        with pytest.raises(InputError, match=message):
            write_sdtm(Source({"DM": frame}), tmp_path / "xpt", "xpt")
        assert not (tmp_path / "xpt").exists()
    write_sdtm(Source({"DM": dm.with_columns(pl.lit("x" * 200).alias("NOTE"))}), tmp_path / "xpt", "xpt")
    assert read_sdtm(tmp_path / "xpt").domains["DM"]["NOTE"][0] == "x" * 200
    with pytest.raises(InputError, match="is no form"):
        write_sdtm(source, tmp_path, "sas7bdat")


@pytest.mark.shows("FMT-xpt-v5-read")
def test_xpt_holds_tiny_numbers_or_refuses_them(tmp_path):
    dm = pl.DataFrame({"STUDYID": ["T"], "USUBJID": ["A"], "AGE": [1e-79], "ROW": [2]})
    with pytest.raises(InputError, match="out of range"):
        write_sdtm(Source({"DM": dm}), tmp_path, "xpt")
    write_sdtm(Source({"DM": dm.with_columns(AGE=pl.lit(0.1))}), tmp_path, "xpt")
    assert read_sdtm(tmp_path).domains["DM"]["AGE"].to_list() == [0.1]


def test_dataset_json_says_what_it_is(tmp_path):
    write_sdtm(read_tables(small_tables(), tmp_path), tmp_path / "out", "dataset-json")
    head = json.loads((tmp_path / "out" / "rs.json").read_text())
    assert (head["datasetJSONVersion"], head["itemGroupOID"], head["name"], head["studyOID"], head["records"]) == (
        "1.1.0",
        "IG.RS",
        "RS",
        "TRIAL",
        4,
    )
    seq = next(column for column in head["columns"] if column["name"] == "RSSEQ")
    assert seq == {"itemOID": "IT.RS.RSSEQ", "name": "RSSEQ", "label": "Sequence Number", "dataType": "integer", "keySequence": 3}


def test_schema_fits_its_own_formats():
    for domain in DOMAINS.values():
        assert len(set(domain.names)) == len(domain.names)
        for variable in domain.variables:
            assert len(variable.name) <= 8 and len(variable.label) <= 40 and variable.label.isascii()
            assert kind_of(domain.name, variable.name) == variable.kind and variable_label(domain.name, variable.name) == variable.label
        assert len(domain.label) <= 40 and all(name in domain.names for name in domain.timing)


def test_templates_have_the_schema_and_are_no_data(tmp_path):
    written = write_templates(tmp_path, derive="lesions")
    assert {path.name for path in written} == {f"{name.lower()}.csv" for name in DOMAINS} | {"events.csv", "mapping.yaml", "README.md"}
    assert {path.name for path in written} - {path.name for path in write_templates(tmp_path / "other")} == {"tu.csv", "tr.csv"}
    assert (tmp_path / "records" / "ex.csv").read_text() == "STUDYID,DOMAIN,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXSTDTC,EXSTDY\n"
    page = (tmp_path / "README.md").read_text()
    assert all(
        f"| {name}{'*' if variable.need in ('key', 'must') else ''} |" in page
        for domain in DOMAINS.values()
        for name, variable in zip(domain.names, domain.variables, strict=True)
    )
    with pytest.raises(InputError, match="a header and no record"):
        read_sdtm(tmp_path / "records")
    (tmp_path / "README.md").write_text("mine")
    assert write_templates(tmp_path, derive="lesions") == () and (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.shows("FMT-templates")
def test_filled_events_template_reads(tmp_path):
    write_templates(tmp_path, study_id="TRIAL", product="PRODUCT")
    folder = tmp_path / "events"
    columns = (folder / "events.csv").read_text().strip().split(",")
    row = {
        **{"subject": "A", "age": "25", "sex": "F", "infusion_date": "2022-01-01", "best_response": "CR", "response_date": "2022-01-29"},
        **{"mrd": "NEGATIVE", "relapse_date": "2022-06-01", "transplant_date": "2022-03-01", "new_therapy_date": "2022-07-01"},
        **{"last_contact_date": "2022-09-01", "crs_grade": "2", "crs_date": "2022-01-03", "icans_grade": "0", "death_date": ""},
    }
    with (folder / "events.csv").open("a") as file:
        file.write(",".join(row.get(column, "") for column in columns) + "\n")
    source = read_sdtm(folder)
    assert source.level == "events"
    assert source.domains["EX"].select("EXTRT", "EXSTDTC").rows() == [("PRODUCT", "2022-01-01")]
    assert source.domains["RS"].select("RSSTRESC", "RSDTC").rows() == [("CR", "2022-01-29"), ("RELAPSE", "2022-06-01")]
    assert source.domains["PR"].select("PRTRT", "PRSTDTC").rows() == [("ALLOGENEIC STEM CELL TRANSPLANT", "2022-03-01")]
    assert source.domains["CM"].select("CMCAT", "CMSTDTC").rows() == [("SUBSEQUENT ANTICANCER THERAPY", "2022-07-01")]
    assert source.domains["AE"].select("AETOXGR", "AESTDTC").rows() == [("2", "2022-01-03")]
    assert source.domains["SS"].select("SSSTRESC", "SSDTC").rows() == [("ALIVE", "2022-09-01")]
    study = small_study(tmp_path)
    assert not check_sdtm(study, source).filter(pl.col("SEVERITY") == "stop").height


@pytest.mark.shows("FMT-templates")
def test_filled_templates_read(tmp_path):
    write_templates(tmp_path)
    for name, rows in small_tables().items():
        path = tmp_path / "records" / f"{name.lower()}.csv"
        columns = path.read_text().strip().split(",")
        with path.open("a") as file:
            file.writelines(",".join("" if row.get(column) is None else str(row[column]) for column in columns) + "\n" for row in rows)
    source = read_sdtm(tmp_path / "records")
    rows_of = {name: len(rows) for name, rows in small_tables().items()} | {"DD": 0, "DV": 0, "HO": 0}
    assert {name: frame.height for name, frame in source.domains.items()} == rows_of


def test_standardising_twice_changes_nothing(tmp_path):
    source = read_tables(small_tables(), tmp_path)
    again = standardise(source)
    assert equal(source, again) and again.findings.equals(source.findings)


def test_a_whole_number_stands_in_csv_without_a_decimal_point() -> None:
    """By hand: a study day is 29, none is -0, and other numbers keep their digits; a blank stays blank."""
    frame = pl.DataFrame({"LBDY": [29.0, -1.0, None], "LBSTRESN": [0.1, 1e-7, -0.0], "LBSEQ": [1, 2, 3], "LBORRES": ["1.0", "", None]})
    assert csv_bytes(frame).decode() == 'LBDY,LBSTRESN,LBSEQ,LBORRES\n29,0.1,1,1.0\n-1,1e-7,2,""\n,0,3,\n'


@pytest.mark.parametrize("named", ["folder", "file"])
def test_the_mapping_in_the_data_folder_goes_before_the_one_beside_the_study(named: str, tmp_path: Path) -> None:
    """Origin: by hand, what docs/sdtm.md says; a study named by its folder once took its own without a word."""
    study, data = tmp_path / "study", tmp_path / "data"
    for place in (study, data):
        place.mkdir()
        (place / "mapping.yaml").write_text("source: t.xlsx\n", encoding="utf-8")
    (study / "study.yaml").write_text("", encoding="utf-8")
    asked = study if named == "folder" else study / "study.yaml"
    assert find_mapping(asked, data) is None  # then the data folder's own is read
    (data / "mapping.yaml").unlink()
    (data / "t.xlsx").write_bytes(b"")
    assert find_mapping(asked, data) == study / "mapping.yaml"
