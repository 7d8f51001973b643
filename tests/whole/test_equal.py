"""The same study gives the same results, however it is written, ordered, cut, or computed; and nothing after the cutoff changes them.

Equal: rows sorted by key, values to 12 significant digits, the same content hash. Origin of every expected value: `independent`, the
other way of the same run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from cartrial import kernels
from cartrial.analysis import analyse, results_hash
from cartrial.endpoints import Adam, derive
from cartrial.sdtm import Source, read_sdtm, write_sdtm
from cartrial.sdtm.records import derive_records
from cartrial.study import Study
from equality import SETS, tile_records, whole
from helpers import ROOT, WORKED, run_cli
from properties import count, every

FORMS = ("csv", "parquet", "xpt", "dataset-json", "ndjson")


def assert_same_sets(found: Adam, expected: Adam, *, names: tuple[str, ...] = SETS) -> None:
    for name in names:
        one, two = getattr(found, name), getattr(expected, name)
        assert one.height == two.height and (one.height > 0 or name == "adck"), name
        assert one.equals(two), name


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.load(WORKED)


@pytest.fixture(scope="module")
def source() -> Source:
    return read_sdtm(WORKED / "data")


@pytest.fixture(scope="module")
def base(study: Study, source: Source) -> tuple[Adam, str]:
    return whole(study, source)


@pytest.mark.parametrize("form", every(4, FORMS))
def test_in_every_form(form: str, study: Study, source: Source, base: tuple[Adam, str], tmp_path: Path) -> None:
    write_sdtm(source, tmp_path, form)
    adam, digest = whole(study, read_sdtm(tmp_path))
    assert digest == base[1]
    assert_same_sets(adam, base[0])


@pytest.mark.slow
@pytest.mark.parametrize("seed", every(3, [1, 2, 3]))
def test_with_rows_shuffled(seed: int, study: Study, base: tuple[Adam, str], tmp_path: Path) -> None:
    """Rows of every file in another order, the columns turned round too."""
    for path in sorted((WORKED / "data").glob("*.csv")):
        frame = pl.read_csv(path, infer_schema=False).sample(fraction=1.0, shuffle=True, seed=seed)
        frame.select(reversed(frame.columns)).write_csv(tmp_path / path.name)
    adam, digest = whole(study, read_sdtm(tmp_path))
    assert digest == base[1]
    assert_same_sets(adam, base[0])


@pytest.mark.slow
def test_with_the_subjects_named_in_another_order(study: Study, source: Source, base: tuple[Adam, str]) -> None:
    """USUBJID decides the order inside: names that sort the other way round give the same results."""
    names = source.domains["DM"]["USUBJID"].sort()
    other = pl.Series([f"X-{len(names) - i:04d}" for i in range(len(names))])
    renamed = {
        name: frame.with_columns(pl.col("USUBJID").replace_strict(names, other)) if "USUBJID" in frame.columns else frame
        for name, frame in source.domains.items()
    }
    assert whole(study, Source(renamed, source.files))[1] == base[1]


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from equality import SETS, whole
from cartrial.sdtm import read_sdtm
from cartrial.study import Study
import polars as pl
adam, digest = whole(Study.load({study!r}), read_sdtm({data!r}))
sets = hashlib.sha256("".join(getattr(adam, name).write_csv() for name in SETS).encode()).hexdigest()
print(pl.thread_pool_size(), digest, sets)
"""


@pytest.mark.slow
def test_with_one_thread_and_with_two(base: tuple[Adam, str]) -> None:
    script = SCRIPT.format(tests=str(ROOT / "tests"), study=str(WORKED), data=str(WORKED / "data"))
    found = {}
    for threads in ("1", "2"):
        environment = {**os.environ, "POLARS_MAX_THREADS": threads, "NUMBA_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        size, *digests = done.stdout.split()
        assert size == threads
        found[threads] = digests
    assert found["1"] == found["2"]
    assert found["1"][0] == base[1]


def _numbered(frame: pl.DataFrame, trial: int, subjects: int) -> pl.DataFrame:
    """Give the sets of one batch the numbers they have among all."""
    return frame.with_columns((pl.col("SUBJ") + trial * subjects).cast(pl.Int32).alias("SUBJ"))


@pytest.mark.slow  # its sibling: endpoints/test_properties.py, trials in one batch or each alone
def test_trials_in_one_batch_and_each_alone(study: Study, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty, or five. In one batch the kernels have more work than `COMPILE_FROM` and are compiled; each alone starts interpreted."""
    number = count(20, quick=5)
    monkeypatch.setattr(kernels, "COMPILE_FROM", 40 * number)
    records = derive_records(study, source)
    subjects = records.subjects.height
    together = tile_records(records, number)
    adam = derive(study, together)
    results = analyse(study, adam, together)
    parts, rows = {name: [] for name in SETS}, []
    for trial in range(number):
        batch = tile_records(records, 1, first=trial)
        one = derive(study, batch)
        rows.append(analyse(study, one, batch, curves=False))
        for name in SETS:
            parts[name].append(_numbered(getattr(one, name), trial, subjects))
    for name in SETS:
        joined = pl.concat(parts[name])
        order = [column for column in ("PARAMCD", "VARIANT", "READER") if column in joined.columns]
        expected = getattr(adam, name)
        assert joined.sort("TRIAL", "SUBJ", *order, maintain_order=True).equals(
            expected.sort("TRIAL", "SUBJ", *order, maintain_order=True)
        ), name
    assert results_hash(pl.concat(rows)) == results_hash(results)
    assert sorted(results["trial"].unique()) == list(range(number))


@pytest.mark.slow
def test_a_trial_among_fifty_is_the_trial_alone(study: Study, source: Source) -> None:
    records = derive_records(study, source)
    alone = tile_records(records, 1)
    expected = analyse(study, derive(study, alone), alone, curves=False)
    together = tile_records(records, 50)
    found = analyse(study, derive(study, together), together)
    for trial in (0, 17, 49):
        one = found.filter(pl.col("trial") == trial).with_columns(pl.lit(0, dtype=pl.Int32).alias("trial"))
        assert results_hash(one) == results_hash(expected)


@pytest.mark.skipif(find_spec("numba") is None, reason="numba (extra `fast`) is not installed")
@pytest.mark.parametrize(
    "name", every(3, ["worked", "strategies", "lab_nccn", "options_crh", "options_confirm", "sustained", "allo", "reinfusion", "dy_only"])
)
def test_compiled_and_interpreted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = WORKED if name == "worked" else ROOT / "tests" / "truth" / name
    study, data = Study.load(folder), read_sdtm(folder / "data")
    monkeypatch.setattr(kernels, "COMPILE_FROM", 2**60)
    interpreted, first = whole(study, data)
    monkeypatch.setattr(kernels, "COMPILE_FROM", 0)
    compiled, second = whole(study, data)
    assert first == second
    for one in SETS:
        assert getattr(compiled, one).equals(getattr(interpreted, one)), one


DAYS = ("2022-09-28", "2023-03-01")


def _later_rows(source: Source) -> dict[str, list[dict[str, object]]]:
    """Everything that can happen to every subject, the day after the cutoff and in the next year."""
    made: dict[str, list[dict[str, object]]] = {name: [] for name in ("RS", "LB", "FA", "PR", "CM", "EX", "DS", "SS", "AE")}
    for person in source.domains["DM"].iter_rows(named=True):
        for at, day in enumerate(DAYS):
            keys = {"STUDYID": person["STUDYID"], "USUBJID": person["USUBJID"]}

            def row(domain: str, seq: int, keys: dict[str, object] = keys, at: int = at, **values: object) -> None:
                made[domain].append({**keys, f"{domain}SEQ": 9000 + 100 * at + seq, **values})

            for i, (evaluator, who) in enumerate(
                [("INVESTIGATOR", None), *(("INDEPENDENT ASSESSOR", who) for who in (None, "READER 1", "READER 2", "ADJUDICATOR"))]
            ):
                call = "RELAPSE" if at else "CR"
                row("RS", i, RSTESTCD="OVRLRESP", RSSTRESC=call, RSEVAL=evaluator, RSEVALID=who, RSDTC=day)
            tests = (("BLAST", "BONE MARROW", 80.0, "%"), ("BLAST", "BLOOD", 9.0, "%"), ("NEUT", "BLOOD", 0.1, "10^9/L"))
            tests = (
                *tests,
                ("PLAT", "BLOOD", 5.0, "10^9/L"),
                ("MRD", "BONE MARROW", 0.1, "fraction"),
                ("BCELL", "BLOOD", 900.0, "cells/uL"),
            )
            for i, (test, specimen, value, unit) in enumerate((*tests, ("CARTG", "BLOOD", 1e9, "copies/ug DNA"))):
                row("LB", i, LBTESTCD=test, LBSPEC=specimen, LBSTRESN=value, LBSTRESU=unit, LBSTRESC=str(value), LBDTC=day, LBLOD=1e-5)
            row("FA", 0, FAOBJ="EXTRAMEDULLARY DISEASE", FATESTCD="OCCUR", FASTRESC="PRESENT", FADTC=day)
            row("PR", 0, PRTRT="ALLOGENEIC STEM CELL TRANSPLANT", PRSTDTC=day)
            row("PR", 1, PRTRT="LEUKAPHERESIS", PRSTDTC=day)
            row("CM", 0, CMTRT="BLINATUMOMAB", CMCAT="SUBSEQUENT ANTICANCER THERAPY", CMSTDTC=day)
            if at == 0 and person["DTHFL"] is None:  # an infusion after death is impossible, not late
                row("EX", 0, EXTRT="INATICABTAGENE AUTOLEUCEL", EXDOSE=1.0, EXDOSU="cells/kg", EXSTDTC=day)
            row("EX", 1, EXTRT="FLUDARABINE", EXDOSE=30.0, EXDOSU="mg/m2", EXSTDTC=day)
            for i, word in enumerate(
                ("ENROLLED", "PRODUCT RELEASED", "PRODUCT FAILURE", "WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP", "DEATH")
            ):
                row("DS", i, DSDECOD=word, DSSTDTC=day)
            row("SS", 0, SSTESTCD="SURVSTAT", SSSTRESC="DEAD" if at else "ALIVE", SSDTC=day)
            row("AE", 0, AEDECOD="Cytokine release syndrome", AEBODSYS="Immune system disorders", AETOXGR="5", AESTDTC=day, AEENDTC=day)
    return made


def _with_later(source: Source, only: str | None = None) -> Source:
    domains = dict(source.domains)
    for name, rows in _later_rows(source).items():
        if only in (None, name):
            frame = domains[name]
            kept = [{column: row.get(column) for column in frame.columns if column != "ROW"} for row in rows]
            extra = pl.DataFrame(kept, schema={column: frame.schema[column] for column in frame.columns if column != "ROW"})
            numbered = extra.with_columns((pl.int_range(pl.len(), dtype=pl.Int64) + frame.height + 2).alias("ROW"))
            domains[name] = pl.concat([frame, numbered.select(frame.columns)])
    if only in (None, "DM"):
        alive = pl.col("DTHDTC").is_null() & pl.col("DTHFL").is_null()
        died = pl.when(alive).then(pl.lit(DAYS[0 if only else 1])).otherwise("DTHDTC").alias("DTHDTC")
        domains["DM"] = domains["DM"].with_columns(died, pl.when(alive).then(pl.lit("Y")).otherwise("DTHFL").alias("DTHFL"))
    return Source(domains, source.files)


@pytest.mark.slow
@pytest.mark.parametrize("domain", every(10, [None, "DM", "RS", "LB", "FA", "PR", "CM", "EX", "DS", "SS", "AE"]))
@pytest.mark.shows("RULE-1.5", "STUDY-study.cutoff")
def test_later_records_change_nothing(domain: str | None, study: Study, source: Source, base: tuple[Adam, str]) -> None:
    adam, digest = whole(study, _with_later(source, domain))
    names = tuple(name for name in SETS if name != "adck")
    assert_same_sets(adam, base[0], names=names)
    assert adam.adck.equals(base[0].adck)
    assert digest == base[1]


@pytest.mark.slow
def test_later_records_give_the_same_results_file(source: Source, tmp_path: Path) -> None:
    """Through the command line; the page says how many records were not used."""
    write_sdtm(_with_later(source), tmp_path / "later")
    for name, data in (("first", WORKED / "data"), ("second", tmp_path / "later")):
        code, _, err = run_cli("report", WORKED, "--data", data, "--out", tmp_path / name)
        assert (code, err) == (0, "")
    files = [(tmp_path / name / "results.json").read_bytes() for name in ("first", "second")]
    assert files[0] == files[1]
    digests = {json.loads((tmp_path / name / "run.json").read_text())["results"]["sha256"] for name in ("first", "second")}
    assert len(digests) == 1
    assert "after the cutoff" in (tmp_path / "second" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("form", every(3, FORMS))
def test_the_command_line_gives_the_same_results_file_for_every_form(
    form: str, source: Source, base: tuple[Adam, str], tmp_path: Path
) -> None:
    write_sdtm(source, tmp_path / "data", form)
    code, _, err = run_cli("report", WORKED, "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["results"]["sha256"] == base[1]
    assert {file["form"] for file in record["data"]} == {form}
