"""The built-in study of lymphoma: what the registry says of it, and the whole path from a new folder to a report.

Origin of the expected values: `published`, the record of NCT04586478 as registry mirrors show it (36 planned at 18 sites, age 18 to 75
years, one flat dose of 2.0e8, response at 3 months as CR or PR); `by hand`, the worked subjects of tests/truth/lymphoma, of whose
rules the built-in study has the same.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from cartrial.endpoints import derive
from cartrial.sdtm import Source, read_sdtm
from cartrial.study import Study
from helpers import ROOT, load_study, run_cli

TRUTH = ROOT / "tests" / "truth" / "lymphoma"


def _with_product(source: Source) -> Source:
    """The worked subjects as if they had been given the product of the built-in study."""
    exposure = source.domains["EX"].with_columns(pl.col("EXTRT").replace("AXI-CEL", "CNCT19"))
    return Source(source.domains | {"EX": exposure})


def _with_cutoff(folder: Path) -> Study:
    """The built-in study as a new folder holds it, with the cutoff of the worked subjects."""
    assert run_cli("new", folder, "--from", "cnct19-nhl")[0] == 0
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    return load_study(folder, re.sub(r"cutoff: \S+", "cutoff: 2023-02-07", text))


@pytest.mark.shows("STUDY-study.registry")
def test_what_the_registry_says() -> None:
    study = Study.load("cnct19-nhl")
    primary = [endpoint for endpoint in study.endpoints if endpoint.role == "primary"]
    assert [(one.id, one.response, one.window and one.window.at, one.population) for one in primary] == [
        ("ORR3", ("CR", "PR"), "month 3", "infused")
    ]
    assert (study.study.registry, study.study.sites, study.disease.family.name) == ("NCT04586478", 18, "lymphoma")
    assert study.eligibility is not None and study.eligibility.age is not None
    assert (study.eligibility.age.from_, study.eligibility.age.to) == (18, 75)
    assert study.design is not None and study.design.n_max is not None and study.design.n_max.value == 36
    assert "2.0e8" in str(study.product.dose)


def test_what_the_registry_does_not_say_is_an_assumption() -> None:
    """By hand: criteria, visits, readers, error, hypotheses, looks, limits and every endpoint but the primary were not published."""
    said = dict(Study.load("cnct19-nhl").assumptions())
    endpoints = {"ORR3", "CRR3", "ORR", "CRR", "BOR", "TTR", "DOR", "DOCR", "PFS", "EFS", "OS"}
    assert endpoints | {"disease", "readers", "testing.alpha", "design.power", "design.looks", "endpoints.ORR3.test"} <= set(said)
    assert not {"eligibility.age", "design.n-max"} & set(said)


def test_the_worked_subjects_by_the_rules_of_the_built_in_study(tmp_path: Path) -> None:
    adam = derive(_with_cutoff(tmp_path / "study"), _with_product(read_sdtm(TRUTH / "data")))
    shared = ("ORR3", "ORR", "CRR", "BOR", "DOCR", "DOR", "PFS", "EFS", "OS")
    table = pl.read_csv(TRUTH / "expected.csv", infer_schema=False).fill_null("").filter(pl.col("PARAMCD").is_in(shared), VARIANT="")
    whole = pl.col("AVAL").cast(pl.Int64).cast(pl.String).fill_null("")
    columns = ["USUBJID", "PARAMCD", "VARIANT", whole]
    found = pl.concat([adam.adrs.select(*columns, "AVALC"), adam.adtte.select(*columns, AVALC=pl.lit(""))])
    joined = table.filter(pl.col("AVALC") != "ABSENT").join(found, on=["USUBJID", "PARAMCD", "VARIANT"], how="left", suffix="_FOUND")
    assert joined.height > 100
    wrong = joined.filter(~((pl.col("AVAL") == pl.col("AVAL_FOUND")) & (pl.col("AVALC") == pl.col("AVALC_FOUND"))).fill_null(False))
    assert wrong.is_empty(), wrong.to_dicts()


@pytest.mark.slow
def test_no_virtual_patients_are_made_up(tmp_path: Path) -> None:
    """By hand: one message, exit code 2, nothing written; the check of the study says so and ends with 0."""
    for command in (["simulate", "--out"], ["trials", "--trials", "2", "--out"], ["design", "--to"]):
        code, out, error = run_cli(command[0], "cnct19-nhl", *command[1:], tmp_path / "out.html")
        assert code == 2 and not out.strip() and len(error.strip().splitlines()) == 1 and "no virtual patients of lymphoma" in error
    assert not list(tmp_path.iterdir())
    code, said, _ = run_cli("check", "cnct19-nhl")
    assert code == 0 and "No virtual trial of this study can be simulated" in said


@pytest.mark.slow
def test_design_and_report_of_the_built_in_study(tmp_path: Path) -> None:
    """By hand: 13 of 30 is the first number with P(X >= 13 | 0.25) = 2.16 % and P(X >= 13 | 0.5) = 81.9 % (binomial tails)."""
    assert run_cli("design", "cnct19-nhl", "--no-simulation", "--to", tmp_path / "design.html")[0] == 0
    shown = re.sub(r"<[^>]+>", " ", (tmp_path / "design.html").read_text(encoding="utf-8"))
    assert re.search(r"Single stage, first n\s+30\s.{0,80}2\.16.{0,20}81\.9", shown, flags=re.DOTALL)
    _with_cutoff(tmp_path / "study")
    data = tmp_path / "data"
    data.mkdir()
    for path in (TRUTH / "data").glob("*.csv"):
        (data / path.name).write_text(path.read_text(encoding="utf-8").replace("AXI-CEL", "CNCT19"), encoding="utf-8")
    assert run_cli("report", tmp_path / "study", "--data", data, "--out", tmp_path / "report")[0] == 0
    for page in (tmp_path / "design.html", tmp_path / "report" / "report.html"):
        text = re.sub(r"<style.*?</style>|<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.findall(r".{0,40}(?:relaps|remission|leuk[ae]+(?!pher)|blasts|\bCRi\b|\bMRD\b).{0,40}", text, flags=re.IGNORECASE)
