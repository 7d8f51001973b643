"""Commands that are typed nowhere else: what they print and write, and what they leave undone."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import polars as pl
import pytest

from cartrial.virtual.published import MODELS
from helpers import ROOT, run_cli
from review_example import example_data, write_folder


@pytest.mark.slow
@pytest.mark.shows("CMD-models")
def test_the_models_have_a_page(tmp_path: Path) -> None:
    """By hand: each published model stands on it with its source."""
    code, out, _ = run_cli("models", "--out", tmp_path / "models.html")
    page = (tmp_path / "models.html").read_text(encoding="utf-8")
    assert code == 0 and "models.html" in out
    assert all(model.doi in page for model in MODELS.values()) and len(MODELS) == 6


@pytest.mark.slow
@pytest.mark.shows("CMD-supply")
def test_two_ways_of_supply_have_a_page(tmp_path: Path) -> None:
    """By hand: both products stand on it, of as many patients as were asked for, and the same who consented."""
    code, _, _ = run_cli("supply", "-n", "20", "--seed", "3", "--out", tmp_path / "supply.html")
    words = re.sub("<[^>]+>", " ", (tmp_path / "supply.html").read_text(encoding="utf-8"))
    assert code == 0 and "autologous" in words and "allogeneic" in words
    flow = pl.read_parquet(tmp_path / "supply.parquet").filter(statistic="n", by="product", variant="")
    counted = {name: dict(flow.filter(endpoint=name).select("level", "value").iter_rows()) for name in ("enrolled", "consented")}
    assert counted["enrolled"] == {"autologous": 20, "allogeneic": 20}
    assert len(counted["consented"]) == 2 and len(set(counted["consented"].values())) == 1


@pytest.mark.slow
@pytest.mark.shows("CMD-review-load", "CMD-review-users-add", "CMD-review-users-list", "CMD-review-users-reset", "CMD-review-users-disable")
def test_a_person_is_added_listed_given_a_new_password_and_disabled(tmp_path: Path) -> None:
    """By hand: two passwords that differ; who is disabled is not listed as one who may log in; a name that is none is refused."""
    write_folder(example_data(), tmp_path / "data")
    at = ("--db", tmp_path / "work.db")
    assert run_cli("review", "load", "inaticel", "--data", tmp_path / "data", *at)[0] == 0
    code, first, _ = run_cli("review", "users", "add", "one", "--name", "Dr A. Eins", "--role", "reader", *at)
    assert code == 0
    assert "Dr A. Eins" in run_cli("review", "users", "list", *at)[1]
    code, second, _ = run_cli("review", "users", "reset", "one", *at)
    assert code == 0 and first.split(":")[-1] != second.split(":")[-1]
    between = dt.datetime.now(dt.UTC)
    assert run_cli("review", "users", "disable", "one", *at)[0] == 0
    # now, before anybody was added, and between the two, in UTC and as a clock in India shows it
    india = between.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30)))
    moments = ("", "2000-01-01", "20000101", between.isoformat(), india.isoformat())
    listed = [run_cli("review", "users", "list", *at, "--at", moment)[1] for moment in moments]
    assert ["Dr A. Eins" in one for one in listed] == [False, False, False, True, True]
    code, out, err = run_cli("review", "users", "reset", "nobody", *at)
    assert (code, out) == (2, "") and "nobody" in err


# a rate of complete responses like those that are printed, beside the endpoints of the invented children
CR3 = """  - id: CR3
    label: CR within 3 months
    type: response-rate
    response: [CR]
    window: {within: month 3}
    population: infused
    strategies: {hsct: composite, new-therapy: composite}
    source: assumption
  - id: RFS
"""
CHILDREN = ROOT / "examples" / "worked-children"


@pytest.fixture
def children(tmp_path: Path) -> Path:
    text = (CHILDREN / "study.yaml").read_text(encoding="utf-8").replace("  - id: RFS\n", CR3, 1)
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.shows("CMD-evidence-match")
def test_a_study_is_matched_to_what_is_printed(children: Path) -> None:
    """By hand: all of 17 children but CHILD-16 have a CR by month 3, and 71 of 81 others had; the mean age of 11 is met."""
    others = "schema: 1\nsource: a paper\nof: 100\ncovariates: [{id: AGE, mean: '11'}]\nresult: germany-cr\n"
    (children / "others.yaml").write_text(others, encoding="utf-8")
    assumed = [
        f"--assume={word}" for word in ("window=within month 3", "reader=INV", "hsct=composite", "new-therapy=composite", "criteria=nccn")
    ]
    where = (children, "--data", CHILDREN / "data", "--endpoint", "CR3", "--against", children / "others.yaml")
    code, out, err = run_cli("evidence", "match", *where, *assumed)
    assert code == 0, err
    assert "17 patients" in out and "11 after, target 11" in out and "Assumed: window=within month 3" in out
    assert f"without weights: difference {100 * (16 / 17 - 71 / 81):.2f} points" in out


@pytest.mark.slow
@pytest.mark.shows("CMD-evidence-external")
def test_a_study_is_compared_with_a_control_of_whom_every_one_is_known(children: Path) -> None:
    """By hand: 17 children, and 30 others of whom five have an event by day 350 (the odd of months 2 to 11)."""
    said = [
        *("schema: 1", "source: a registry", "table: control.csv", "time: months", "event: dead", "unit: months", "endpoint: EFS"),
        *("population: infused", "origin: day-0", "reader: INV", "criteria: nccn", "covariates: {AGE: age}"),
        "strategies: {hsct: treatment-policy, new-therapy: treatment-policy}",
    ]
    (children / "control.yaml").write_text("\n".join(said), encoding="utf-8")
    rows = [f"{3 + i % 15},{2 + i},{i % 2}" for i in range(30)]
    (children / "control.csv").write_text("age,months,dead\n" + "\n".join(rows) + "\n", encoding="utf-8")
    where = (children, "--data", CHILDREN / "data", "--endpoint", "EFS", "--control", children / "control.yaml", "--until", "350")
    code, out, err = run_cli("evidence", "external", *where)
    assert code == 0, err
    assert (
        "EFS: 17 patients" in out
        and "30 others (5 events)" in out
        and "hazard ratio, weighted" in out
        and "after day 350 are censored" in out
    )


@pytest.mark.slow
@pytest.mark.shows("CMD-start")
def test_a_sheet_becomes_a_study_that_is_reported(tmp_path: Path) -> None:
    """By hand: three patients, two responses (CR, CRi), a relapse and a death."""
    rows = [
        "patient,infusion date,best response,date of response,relapse date,date of death,last contact",
        "P1,2022-01-03,CR,2022-01-31,,,2022-12-01",
        "P2,2022-02-07,CRi,2022-03-07,2022-06-15,,2022-09-01",
        "P3,2022-03-01,NR,2022-03-29,,2022-05-30,2022-05-30",
    ]
    (tmp_path / "sheet.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    made = tmp_path / "made"
    code, out, err = run_cli("start", tmp_path / "sheet.csv", "--yes", "--out", made)
    assert code == 0, err
    assert "3 patients, 3 of them infused" in out and (made / "mapping.yaml").is_file()
    assert run_cli("derive", made, "--data", made / "data", "--out", tmp_path / "out")[0] == 0
    rates = pl.read_parquet(tmp_path / "out" / "adam" / "ADRS.parquet").filter(pl.col("VARIANT") == "")
    best = rates.filter(pl.col("AVALC").is_in(["Y", "N"])).group_by("PARAMCD").agg(pl.col("AVAL").sum())
    assert 2.0 in best["AVAL"].to_list()
