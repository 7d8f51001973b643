"""The results of a study: schema, keys, hash, files; equal for any row order, batch and thread count; the worked example."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_example import SETS, trials, worked
from cartrial.analysis import (
    ARS,
    KEY,
    SCHEMA,
    analyse,
    check_results,
    read_results,
    results_hash,
    sort_results,
    write_results,
)
from cartrial.analysis.results import build_rows, join_rows
from cartrial.analysis.wording import text_of
from cartrial.endpoints import level_column
from cartrial.errors import InputError
from cartrial.study import Study
from helpers import ROOT
from properties import count, examples


@cache
def results() -> pl.DataFrame:
    study, adam, records = worked()
    return analyse(study, adam, records)


def value(statistic: str, **key: object) -> float | None:
    rows = results().filter(pl.col("statistic") == statistic, *(pl.col(name) == wanted for name, wanted in key.items()))
    assert rows.height == 1, rows
    return rows["value"][0]


@pytest.mark.slow
def test_schema_and_keys() -> None:
    found = results()
    check_results(found)
    assert found.height > 1000
    assert set(found["analysis"].unique()) >= {"flow", "response", "concordance", "survival", "incidence", "kinetics", "safety"}
    assert found["provenance"].unique().to_list() == ["example"]
    assert found.filter(pl.col("text") == "").is_empty()
    assert not {name.strip() for column, *_ in ARS for name in column.split(",")} - set(SCHEMA)


def test_counts_are_those_of_the_data() -> None:
    """origin independent: counted from ADRS and ADTTE, endpoint by endpoint."""
    study, adam, _ = worked()
    for endpoint in study.endpoints:
        for variant in study.variants(endpoint):
            key = {"endpoint": endpoint.id, "variant": variant.name, "by": ""}
            if endpoint.type == "response-rate":
                rows = adam.adrs.filter((pl.col("PARAMCD") == endpoint.id) & (pl.col("VARIANT") == variant.name))
                responders, known = int(rows["AVAL"].sum()), rows["AVAL"].count()
                assert value("n", analysis="response", **key) == responders
                assert value("N", analysis="response", **key) == known
                assert value("not_yet_assessable", analysis="response", **key) == rows.height - known
                reasons = results().filter(
                    (pl.col("analysis") == "response")
                    & (pl.col("endpoint") == endpoint.id)
                    & (pl.col("variant") == variant.name)
                    & (pl.col("by") == "reason")
                )
                assert reasons["value"].sum() == known - responders
            else:
                rows = adam.adtte.filter((pl.col("PARAMCD") == endpoint.id) & (pl.col("VARIANT") == variant.name))
                assert value("N", analysis="survival", **key) == rows.height
                assert value("events", analysis="survival", **key) == (rows["CNSR"] == 0).sum()
                assert value("censored", analysis="survival", **key) == rows["CNSR"].is_between(1, 19).sum()


@pytest.mark.shows("RULE-7.2", "STUDY-endpoints.test", "STUDY-endpoints.test.null")
def test_no_p_value_from_an_assumed_null() -> None:
    study, adam, _ = worked()
    assert results().filter((pl.col("analysis") == "response") & (pl.col("statistic") == "p_value")).is_empty()
    data = study.endpoints[0].model_dump(by_alias=True, exclude_defaults=True)
    stated = type(study.endpoints[0]).model_validate({**data, "test": {"null": 0.3, "source": "the protocol"}})
    other = study.model_copy(update={"endpoints": (stated, *study.endpoints[1:])})
    found = analyse(other, adam, analyses=("response",)).filter((pl.col("statistic") == "p_value") & (pl.col("variant") == ""))
    assert found.height == 1
    assert 0 <= found["value"][0] <= 1


@pytest.mark.shows("RULE-5.6")
def test_incidence_of_relapse_and_death_add_up_to_one_minus_survival() -> None:
    """DOR counts relapse and death: their incidences add up to 1 - S at every time."""
    found = results().filter((pl.col("endpoint") == "DOR") & (pl.col("variant") == "") & pl.col("time").is_not_null())
    curves = (
        found.filter(pl.col("statistic").is_in(["survival", "incidence"]))
        .group_by("time")
        .agg(
            pl.col("value").filter(pl.col("statistic") == "survival").sum().alias("s"),
            pl.col("value").filter(pl.col("statistic") == "incidence").sum().alias("f"),
        )
    )
    assert curves.height > 10
    assert ((curves["s"] + curves["f"] - 1).abs() < 1e-12).all()


@pytest.mark.slow
def test_row_order_batches_and_copies() -> None:
    """Rows shuffled, one batch or several, a trial copied: equal rows."""
    study, adam, records = worked()
    shuffled = dataclasses.replace(adam, **{name: getattr(adam, name).sample(fraction=1, shuffle=True, seed=3) for name in SETS})
    assert results_hash(analyse(study, shuffled, records)) == results_hash(results())
    number = count(50, quick=12)
    many = trials(adam, number)
    whole = analyse(study, many)
    check_results(whole)
    parts = []
    for start in range(0, number, 10):
        part = SimpleNamespace(
            provenance=many.provenance, **{name: getattr(many, name).filter(pl.col("TRIAL").is_between(start, start + 9)) for name in SETS}
        )
        parts.append(analyse(study, part, curves=False))
    assert results_hash(pl.concat(parts)) == results_hash(whole)
    first = sort_results(whole.filter(pl.col("trial") == 0).with_columns(trial=pl.lit(0, pl.Int32)))
    last = sort_results(whole.filter(pl.col("trial") == number - 1).with_columns(trial=pl.lit(0, pl.Int32)))
    assert first.equals(last)
    alone = analyse(study, adam, curves=False)
    assert results_hash(alone) == results_hash(first)


@pytest.mark.slow
def test_threads() -> None:
    """1 and 2 threads: one hash."""
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from analysis_example import trials, worked\n"
        "from cartrial.analysis import analyse, results_hash\n"
        "study, adam, _ = worked()\n"
        "print(results_hash(analyse(study, trials(adam, 12))))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "POLARS_MAX_THREADS": n, "OMP_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    }
    assert len(hashes) == 1


@pytest.mark.slow
def test_blocks_of_a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials are estimated in blocks; the size of a block changes nothing."""
    from cartrial.analysis import plan

    study, adam, _ = worked()
    many = trials(adam, 7)
    whole = analyse(study, many)
    monkeypatch.setattr(plan, "_BLOCK", 2)
    assert results_hash(analyse(study, many)) == results_hash(whole)


@pytest.mark.shows("STUDY-study.listing-only")
def test_listing_only_and_nothing() -> None:
    study, adam, _ = worked()
    listing = study.model_copy(update={"study": study.study.model_copy(update={"listing_only": "too few"})})
    assert analyse(listing, adam).is_empty()
    empty = dataclasses.replace(adam, **{name: getattr(adam, name).clear() for name in SETS})
    found = analyse(study, empty)
    assert found.is_empty() and dict(found.schema) == SCHEMA
    with pytest.raises(InputError, match="unknown"):
        analyse(study, adam, analyses=("survial",))


@pytest.mark.shows("STUDY-subgroups")
def test_subgroups_with_tests() -> None:
    """Levels of a subgroup: rates (of the assessed too), curves, log-rank test, hazard ratio."""
    study, adam, _ = worked()
    item = Study.load("inaticel").baseline[0]
    named = study.model_copy(update={"baseline": (item,), "subgroups": (item.id,)})
    level = pl.when(pl.col("SUBJ") % 2 == 0).then(pl.lit("even")).otherwise(pl.lit("odd")).alias(level_column(item))
    found = analyse(named, dataclasses.replace(adam, adsl=adam.adsl.with_columns(level)))
    check_results(found)
    part = found.filter(pl.col("by") == item.id)
    assert set(part["analysis"].unique()) >= {"response", "survival", "incidence"}
    n = part.filter((pl.col("endpoint") == "ORR3") & (pl.col("variant") == "") & (pl.col("statistic") == "N"))["value"].sum()
    assert n == value("N", analysis="response", endpoint="ORR3", variant="", by="")
    assessed = part.filter(endpoint="ORR3", variant="population=assessed", statistic="N")["value"].sum()
    assert assessed == value("N", analysis="response", endpoint="ORR3", variant="population=assessed", by="")
    methods = set(part["method"].unique())
    assert {"log-rank test", "Gray's test", "Cox model, ties by Efron"} <= methods
    test = part.filter((pl.col("endpoint") == "OS") & (pl.col("method") == "log-rank test"))
    assert test["statistic"].to_list() == ["chi_square", "df", "p_value"]


@pytest.mark.shows("RULE-7.8")
def test_a_subgroup_without_an_event() -> None:
    """By hand (A23): a level without a death has its hazard ratio by Firth's penalty, and the row says so; no value is missing."""
    study, adam, _ = worked()
    item = Study.load("inaticel").baseline[0]
    named = study.model_copy(update={"baseline": (item,), "subgroups": (item.id,)})
    alive = adam.adtte.filter((pl.col("PARAMCD") == "OS") & (pl.col("VARIANT") == "") & (pl.col("CNSR") == 1)).sort("AVAL")["SUBJ"].tail(3)
    level = pl.when(pl.col("SUBJ").is_in(alive.implode())).then(pl.lit("none")).otherwise(pl.lit("some")).alias(item.id)
    found = analyse(named, dataclasses.replace(adam, adsl=adam.adsl.with_columns(level)), analyses=("survival",))
    part = found.filter((pl.col("by") == item.id) & (pl.col("endpoint") == "OS") & (pl.col("level") == "some against none"))
    assert part["method"].unique().to_list() == ["Cox model with Firth's penalty, ties by Breslow, profile limits"]
    assert part["statistic"].to_list() == ["hazard_ratio", "lower", "upper", "p_value"]
    assert part["value"].null_count() == 0
    assert part["value"].is_finite().all()


@pytest.mark.shows("RULE-5.6", "STUDY-endpoints.analysis", "STUDY-endpoints.analysis.competing")
def test_competing_variant() -> None:
    """A variant with a competing analysis has incidence rows and no survival rows."""
    study, adam, _ = worked()
    endpoint = next(item for item in study.endpoints if item.id == "DOR")
    data = {**endpoint.model_dump(by_alias=True, exclude_defaults=True), "sensitivity": [{"analysis": {"competing": ["death"]}}]}
    changed = study.model_copy(update={"endpoints": (type(endpoint).model_validate(data),)})
    main = adam.adtte.filter((pl.col("PARAMCD") == "DOR") & (pl.col("VARIANT") == ""))
    code = pl.when((pl.col("CNSR") == 0) & (pl.col("EVNTDESC") == "death")).then(22).otherwise(pl.col("CNSR")).cast(pl.Int8).alias("CNSR")
    adtte = pl.concat([main, main.with_columns(code, pl.lit("analysis.competing=death").alias("VARIANT"))])
    found = analyse(changed, dataclasses.replace(adam, adtte=adtte), analyses=("survival", "incidence"))
    assert found.filter(pl.col("variant") != "")["analysis"].unique().to_list() == ["incidence"]
    assert found.filter(pl.col("analysis") == "incidence")["level"].unique().sort().to_list() == ["death", "relapse"]


@pytest.mark.shows("FMT-results")
def test_files(tmp_path: Path) -> None:
    """JSON and Parquet give the rows back; the hash is that of the rows, not of the file."""
    ordered = sort_results(results())
    for name in ("results.json", "results.parquet"):
        write_results(results(), tmp_path / name)
        again = read_results(tmp_path / name)
        assert again.equals(ordered)
        assert results_hash(again) == results_hash(results())
    rows = json.loads((tmp_path / "results.json").read_text())
    assert list(rows[0]) == list(SCHEMA)
    assert [tuple(row[name] for name in ("analysis", "endpoint")) for row in rows] == list(
        ordered.select("analysis", "endpoint").iter_rows()
    )


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("results.json", "{", "cannot be read"),
        ("results.json", '[{"study": "x", "colour": "red"}]', "no column colour"),
        ("results.json", '["x"]', "results"),
        ("results.parquet", "x", "cannot be read"),
        ("absent.json", None, "cannot be read"),
    ],
)
@pytest.mark.shows("FMT-results")
def test_bad_files(tmp_path: Path, name: str, text: str | None, word: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=word):
        read_results(tmp_path / name)


def test_check_refuses(tmp_path: Path) -> None:
    found = results()
    with pytest.raises(InputError, match="one key"):
        check_results(pl.concat([found, found[:1].with_columns(value=pl.lit(5.0))]))
    with pytest.raises(InputError, match="columns"):
        check_results(found.drop("text"))
    with pytest.raises(InputError, match="null"):
        check_results(found.with_columns(by=pl.lit(None, pl.String)))
    with pytest.raises(InputError, match="analysis"):
        check_results(found.with_columns(analysis=pl.lit("guess")))
    with pytest.raises(InputError, match="JSON or Parquet"):
        write_results(found, tmp_path / "results.csv")


@given(st.floats(1e-3, 1e6), st.floats(-4e-15, 4e-15))
@examples(60)
def test_hash_ignores_rounding_noise(number: float, noise: float) -> None:
    """Values that differ in the 15th digit alone have one hash; the order of rows does not matter."""
    number = float(f"{number:.6g}")
    rows = pl.DataFrame({"trial": [0, 1], "n": [number, 2.0]})
    one = join_rows([build_rows(rows, {"n": ""}, analysis="flow")], study="s", provenance="example")
    other = one.with_columns(value=pl.col("value") * (1 + noise)).reverse()
    assert results_hash(one) == results_hash(other)
    assert results_hash(one) != results_hash(one.with_columns(value=pl.col("value") * 1.001))
    assert KEY[0] == "study"


@pytest.mark.parametrize(
    ("statistic", "unit", "number", "text"),
    [
        ("p_value", "", 0.00005, "< .0001"),
        ("p_value", "", 0.032, ".0320"),
        ("p_value", "", 0.99996, "> .9999"),
        ("median", "day", 102.5, "102.5"),
        ("median", "day", 77.0, "77"),
        ("median_upper", "day", None, "NR"),
        ("survival", "proportion", None, "NE"),
        ("n", "", 42, "42"),
        ("hazard_ratio", "", 1.715562, "1.72"),
        ("lower", "", -0.0049, "0.00"),
        ("kappa", "", -0.7, "-0.70"),
        ("chi_square", "", 11.92288, "11.923"),
        ("geometric_mean", "copies/ug", 7500.50660247, "7501"),
        ("rmst", "day", 120.0, "120"),
    ],
)
def test_text(statistic: str, unit: str, number: float | None, text: str) -> None:
    """origin by hand."""
    frame = pl.DataFrame({statistic: [number]}, schema={statistic: pl.Float64})
    assert frame.select(text_of(statistic, unit).alias("text"))["text"][0] == text
