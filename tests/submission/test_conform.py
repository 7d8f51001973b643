"""Conformance: nothing on what conforms, and each rule on a fault that was planted for it.

Origin: `by hand` (ADaMIG 1.3, OCCDS 1.1: what each rule asks for) and `published` (CDISC's pilot ADSL and ADTTE conform).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.submission import Job
from cartrial.submission.adam import shape_adam
from cartrial.submission.conform import CONFORM_RULES, check_adam
from cartrial.submission.conform.read import Held, read_sets
from cartrial.submission.conform.rules import RULES
from cartrial.submission.files.data import write_data
from cartrial.submission.files.define import define_text
from cartrial.submission.files.text import planned_lengths
from helpers import data_path, needs_data, run_cli

pytest.importorskip("pyreadstat")
Sets = dict[str, Held]


@pytest.fixture(scope="module")
def folder(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export")
    write_data(job, out)
    pytest.importorskip("odmlib")
    sets = shape_adam(job)
    text = define_text(job, sets, planned_lengths(sets.values(), "ascii"))
    (next(out.glob("m5/datasets/*/analysis/adam/datasets")) / "define.xml").write_text(text, encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def sets(folder: Path) -> Sets:
    return read_sets(folder)


@pytest.mark.slow
@pytest.mark.shows("CMD-conform")
def test_an_export_and_the_pilot_study_conform(folder: Path) -> None:
    code, out, _ = run_cli("conform", str(folder))
    assert (code, check_adam(folder).height) == (0, 0), out


@needs_data("dataset_json/adsl_adam.xpt")
@pytest.mark.parametrize("form", ["xpt", "json"])
def test_the_sets_of_cdisc_conform(form: str, tmp_path: Path) -> None:
    for name in ("adsl", "adtte"):
        (tmp_path / f"{name}.{form}").write_bytes(data_path(f"dataset_json/{name}_adam.{form}").read_bytes())
    held = read_sets(tmp_path)
    assert {name: one.frame.height for name, one in held.items()} == {"ADSL": 254, "ADTTE": 254}
    assert held["ADTTE"].frame["ADT"].dtype == pl.Date
    assert check_adam(tmp_path).is_empty()


def changed(name: str, *expressions: pl.Expr, **columns: object) -> Callable[[Sets], Sets]:
    """A set with columns changed in its first record alone (expressions: in all)."""

    def apply(sets: Sets) -> Sets:
        frame = sets[name].frame.with_columns(*expressions)
        first = pl.int_range(pl.len()) == 0
        news = [
            pl.when(first).then(pl.lit(value, dtype=frame.schema[one])).otherwise(pl.col(one)).alias(one) for one, value in columns.items()
        ]
        return {**sets, name: replace(sets[name], frame=frame.with_columns(news))}

    return apply


def told(name: str, **fields: object) -> Callable[[Sets], Sets]:
    return lambda sets: {**sets, name: replace(sets[name], **{key: {**getattr(sets[name], key), **value} for key, value in fields.items()})}  # type: ignore[arg-type, dict-item]


def without(name: str, *columns: str) -> Callable[[Sets], Sets]:
    return lambda sets: {**sets, name: replace(sets[name], frame=sets[name].frame.drop(columns))}


def doubled(name: str) -> Callable[[Sets], Sets]:
    return lambda sets: {**sets, name: replace(sets[name], frame=pl.concat([sets[name].frame, sets[name].frame[:1]]))}


PLANTED: list[tuple[str, Callable[[Sets], Sets]]] = [
    (
        "adam-name",
        lambda sets: {
            **sets,
            "ADSL": replace(
                sets["ADSL"], frame=sets["ADSL"].frame.with_columns(TOOLONGNAME=1), labels={**sets["ADSL"].labels, "TOOLONGNAME": "x"}
            ),
        },
    ),
    ("adam-label", told("ADSL", labels={"RACE": ""})),
    ("adam-label", told("ADSL", labels={"RACE": "x" * 41})),
    ("adam-text", changed("ADSL", RACE="x" * 201)),
    ("adam-required", lambda sets: {name: held for name, held in sets.items() if name != "ADSL"}),
    ("adam-required", without("ADSL", "RACE")),
    ("adam-required", without("ADAE", "AETERM")),
    ("adam-type", changed("ADTTE", pl.lit("90").alias("AVAL"))),
    ("adam-type", changed("ADSL", pl.lit(1.0).alias("SEX"))),
    ("adam-parameter", without("ADTTE", "TRTP", "TRTA")),
    ("adam-parameter", without("ADRS", "AVAL", "AVALC")),
    ("adam-key", changed("ADRS", PARAMCD=None)),
    ("adam-once", doubled("ADSL")),
    ("adam-once", doubled("ADAE")),
    ("adam-subject", changed("ADRS", USUBJID="NOBODY")),
    ("adam-copy", changed("ADTTE", SITEID="99")),
    ("adam-copy", told("ADTTE", labels={"SITEID": "Another"})),
    ("adam-length", told("ADTTE", lengths={"USUBJID": 99})),
    ("adam-day-0", without("ADRS", "ADT")),
    ("adam-day", changed("ADRS", ADY=9999)),
    ("adam-order", changed("ADAE", (pl.col("ASTDT") - pl.duration(days=1)).alias("AENDT"))),
    ("adam-date", changed("ADSL", pl.col("DTHDT").cast(pl.Int32))),
    ("adam-flag", changed("ADSL", DTHFL="N")),
    ("adam-flag", changed("ADSL", SAFFL="YES")),
    ("adam-code", changed("ADTTE", PARAMCD="3RD")),
    ("adam-code", changed("ADTTE", PARAM="Another")),
    ("adam-time", changed("ADTTE", CNSR=0.5)),
    ("adam-time", changed("ADTTE", pl.lit(None, dtype=pl.String).alias("EVNTDESC"))),
    ("adam-person", changed("ADSL", AGEU=None)),
    ("adam-person", changed("ADSL", EOSSTT="GONE")),
]


@pytest.mark.parametrize(("rule", "plant"), PLANTED, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(PLANTED)])
def test_each_rule_finds_its_fault(rule: str, plant: Callable[[Sets], Sets], sets: Sets) -> None:
    planted = plant(sets)
    if rule == "adam-day-0":
        planted = changed("ADRS", ADY=0)(planted)
    assert [one for one in next(r for r in RULES if r.id == rule).find(planted)]


def test_every_rule_has_a_planted_fault() -> None:
    assert {rule for rule, _ in PLANTED} == {rule.id for rule in RULES}
    assert {rule for rule, _, _ in DEFINED} == {rule for rule, _, _ in CONFORM_RULES if rule.startswith("define")}


DEFINED = [
    ("define-reference", r'CodeListOID="CL.NY"', 'CodeListOID="CL.GONE"'),
    ("define-reference", r'leafID="LF.RECOMPUTE"', 'leafID="LF.GONE"'),
    ("define-reference", r'MethodOID="MT.ADSL.TRT01A"', 'MethodOID="MT.GONE"'),
    ("define-reference", r'WhereClauseOID="WC.ADTTE.PARAMCD.DOR"', 'WhereClauseOID="WC.GONE"'),
    ("define-file", r'href="adae.xpt"', 'href="gone.xpt"'),
    ("define-variable", r'(<ItemDef OID="IT.ADSL.RACE" Name=)"RACE"', r'\1"RASSE"'),
    ("define-label", r">Subject Identifier for the Study<", ">Subject<"),
    ("define-type", r'(<ItemDef OID="IT.ADSL.RACE"[^>]*DataType=)"text"', r'\1"integer"'),
    ("define-length", r'(<ItemDef OID="IT.ADSL.USUBJID"[^>]*Length=)"\d+"', r'\1"2"'),
    ("define-code", r'CodedValue="INVENTED"|CodedValue="F"', 'CodedValue="W"'),
    ("define-method", r' MethodOID="MT.ADSL.TRT01A"', ""),
]


@pytest.mark.parametrize(("rule", "there", "instead"), DEFINED, ids=[f"{rule}-{i}" for i, (rule, _, _) in enumerate(DEFINED)])
def test_a_define_that_is_wrong_is_found(rule: str, there: str, instead: str, folder: Path, sets: Sets, tmp_path: Path) -> None:
    from cartrial.submission.conform.define import check_define

    datasets = next(folder.glob("m5/datasets/*/analysis/adam/datasets"))
    for path in datasets.iterdir():
        (tmp_path / path.name).symlink_to(path)
    text = (datasets / "define.xml").read_text(encoding="utf-8")
    (tmp_path.parent / "programs").mkdir(exist_ok=True)
    (tmp_path.parent / "programs" / "recompute.r").touch()
    assert check_define(tmp_path, sets) == []
    (tmp_path / "define.xml").unlink()
    spoilt, many = re.subn(there, instead, text)
    assert many
    (tmp_path / "define.xml").write_text(spoilt, encoding="utf-8")
    assert rule in {found for found, _ in check_define(tmp_path, sets)}


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [("USUBJID", "float", 1), ("SAFFL", "float", 1), ("SEX", "date", "2022-01-01"), ("ADY", "string", "7"), ("CNSR", "date", "2022-01-01")],
)
def test_another_type_is_a_finding_and_no_fault_of_the_program(name: str, kind: str, value: object, tmp_path: Path) -> None:
    """By hand: ADaM gives each of these one type, and the file has another."""
    types = {
        "USUBJID": "string",
        "SAFFL": "string",
        "SEX": "string",
        "ADY": "integer",
        "CNSR": "integer",
        "AVAL": "float",
        "TRTSDT": "date",
    }
    values = {"USUBJID": "1", "SAFFL": "Y", "SEX": "F", "ADY": 7, "CNSR": 0, "AVAL": 3.0, "TRTSDT": "2022-01-01", name: value}
    columns = [{"name": one, "dataType": kind if one == name else types[one], "targetDataType": "integer"} for one in types]
    for held in ("ADSL", "ADTTE"):
        made = {"name": held, "columns": columns, "rows": [[values[one] for one in types]] * 2}
        (tmp_path / f"{held.lower()}.json").write_text(json.dumps(made), encoding="utf-8")
    found = check_adam(tmp_path)
    assert name in set(found.filter(pl.col("RULE") == ("adam-flag" if name == "SAFFL" else "adam-type"))["VARIABLE"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a":', "cannot be read"),
        ('{"name": "ADSL", "columns": [{"label": "x"}], "rows": []}', "no name or dataType"),
        ('{"name": "ADSL", "columns": [{"name": "USUBJID", "dataType": "string"}], "rows": [["1"], 5]}', "row 2 has another number"),
        ('{"name": "ADSL", "columns": [{"name": "AGE", "dataType": "float"}], "rows": [["z"]]}', "not of its column's dataType"),
        ('{"other": 1}', "no analysis data set"),
    ],
)
def test_json_that_is_no_set_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """By hand: what Dataset-JSON 1.1 asks for is missing, each in another way."""
    (tmp_path / "adsl.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_sets(tmp_path)
    assert said in str(refused.value)


@pytest.mark.shows("CMD-conform")
def test_findings_end_in_exit_code_1(tmp_path: Path) -> None:
    code, _, error = run_cli("conform", str(tmp_path))
    assert (code, "there is no analysis data set" in error) == (2, True)
