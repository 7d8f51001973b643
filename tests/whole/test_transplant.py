"""Real transplant data as SDTM, through the command line, to R's figures.

137 allogeneic transplants: KMsurv::bmt (Copelan E et al. Blood 1991;78:838; table D.1 of Klein J, Moeschberger M, Survival Analysis).
Each time becomes a date: origin + time - 1. The transplant is the study product here and is day 0; a remission is read the day after
it, then a relapse on its day, or the same remission again on the last day without one; deaths stand in DM, last contacts in SS.

Origin of every expected value: `R`, survival::survfit, quantile, survdiff, coxph and cmprsk::cuminc on the same rows (bmt_days of
tests/oracle/oracle.R, `dated`: a death in remission counts on its own date).
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from analysis_oracle import data_set, oracle
from helpers import run_cli

ORIGIN = dt.date(1985, 3, 1)
GROUPS = ("ALL", "AML-high", "AML-low")
STUDY = """\
schema: 1
study:
  id: bmt
  title: Allogeneic transplants of KMsurv, dated from day 1
  cutoff: 1995-12-31
  provenance: example
product: {name: marrow, type: allogeneic, exposure: [ALLOGENEIC MARROW], source: KMsurv}
disease:
  criteria: nccn
  visits: [{name: day 28, day: 28, minus: 7, plus: 7}, {name: year 1, day: 365, minus: 30, plus: 30}]
readers: {primary: INV}
baseline: [{id: GROUP, label: Disease group, from: {domain: DM, variable: ARMCD}, source: KMsurv}]
subgroups: [GROUP]
endpoints:
  - id: RFS
    label: Relapse-free survival
    type: time-to-event
    origin: day-0
    population: infused
    events: [relapse, death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
  - id: REL
    label: Relapse, death without it competing
    type: time-to-event
    origin: day-0
    population: infused
    events: [relapse, death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
    analysis: {competing: [death]}
  - id: OS
    label: Overall survival
    type: time-to-event
    origin: day-0
    population: infused
    events: [death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
"""


def _day(number: int) -> str:
    return (ORIGIN + dt.timedelta(days=number - 1)).isoformat()


def write_transplants(folder: Path) -> pl.DataFrame:
    """Write the study and its data, and return the times that were dated."""
    bmt = data_set("bmt").with_row_index("at", 1)
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in ("DM", "EX", "RS", "SS")}

    def record(domain: str, subject: str, **values: object) -> None:
        keys = {"STUDYID": "BMT", "DOMAIN": domain, "USUBJID": subject}
        number = sum(row["USUBJID"] == subject for row in tables[domain]) + 1
        tables[domain].append({**keys, **({} if domain == "DM" else {f"{domain}SEQ": number}), **values})

    for row in bmt.iter_rows(named=True):
        subject, died, relapsed = f"BMT-{row['at']:03d}", row["d1"] == 1, row["d2"] == 1
        dead = {"DTHDTC": _day(row["t1"]) if died else "", "DTHFL": "Y" if died else ""}
        record("DM", subject, ARMCD=row["group"], RFSTDTC=_day(1), **dead)
        record("EX", subject, EXTRT="ALLOGENEIC MARROW", EXSTDTC=_day(1))
        last = row["t2"]
        reads = [] if last < 2 or (died and not relapsed and last < 3) else [("CR", 2)]
        if relapsed:
            reads.append(("RELAPSE", last))
        elif not died:
            reads.append(("CR", last))
        for call, day in reads:
            record("RS", subject, RSTESTCD="OVRLRESP", RSSTRESC=call, RSEVAL="INVESTIGATOR", RSDTC=_day(day))
        if not died:
            record("SS", subject, SSTESTCD="SURVSTAT", SSSTRESC="ALIVE", SSDTC=_day(row["t1"]))
    (folder / "data").mkdir(parents=True)
    for name, rows in tables.items():
        pl.DataFrame(rows).write_csv(folder / "data" / f"{name.lower()}.csv")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    return bmt


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, list[dict], Path]:
    folder = tmp_path_factory.mktemp("bmt")
    bmt = write_transplants(folder)
    code, _, err = run_cli("report", folder, "--data", folder / "data", "--out", folder / "out")
    assert (code, err) == (0, "")
    return bmt, json.loads((folder / "out" / "results.json").read_text(encoding="utf-8")), folder / "out"


def _values(rows: list[dict], **keys: object) -> dict[str, float | None]:
    found = [row for row in rows if all(row[name] == value for name, value in keys.items())]
    values = {row["statistic"]: row["value"] for row in found}
    assert values and len(values) == len(found), (keys, len(found))
    return values


def _same(found: float | None, expected: float | None) -> None:
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.slow
def test_the_dates_give_back_every_time(run: tuple[pl.DataFrame, list[dict], Path]) -> None:
    """By hand: relapse-free time is that of the relapse, else of the death, else of the last read."""
    bmt, _, out = run
    adtte = pl.read_parquet(out / "adam" / "ADTTE.parquet").filter(pl.col("VARIANT") == "")
    free = pl.when(pl.col("d2") == 1).then("t2").when(pl.col("d1") == 1).then("t1").otherwise("t2")
    expected = bmt.select(
        USUBJID=pl.format("BMT-{}", pl.col("at").cast(pl.String).str.zfill(3)),
        RFS=free.cast(pl.Float64),
        RFS_EVENT=pl.when(pl.col("d2") == 1).then(pl.lit("relapse")).when(pl.col("d1") == 1).then(pl.lit("death")),
        OS=pl.col("t1").cast(pl.Float64),
        OS_EVENT=pl.when(pl.col("d1") == 1).then(pl.lit("death")),
    )
    for name in ("RFS", "OS"):
        found = adtte.filter(pl.col("PARAMCD") == name).select("USUBJID", "AVAL", "CNSR", "EVNTDESC").sort("USUBJID")
        assert found["USUBJID"].to_list() == expected["USUBJID"].to_list()
        assert found["AVAL"].to_list() == expected[name].to_list()
        assert found.select(pl.when(pl.col("CNSR") == 0).then("EVNTDESC"))["EVNTDESC"].to_list() == expected[f"{name}_EVENT"].to_list()
        assert found["CNSR"].sign().to_list() == expected[f"{name}_EVENT"].is_null().cast(pl.Int8).to_list()


@pytest.mark.parametrize("group", ["all", *GROUPS])
@pytest.mark.parametrize("endpoint", ["RFS", "OS"])
@pytest.mark.shows("EST-km-quantiles")
def test_medians_and_quartiles_with_limits(endpoint: str, group: str, run: tuple[pl.DataFrame, list[dict], Path]) -> None:
    days = oracle()["bmt_days"]
    expected = (days["dated"]["relapse_free"] if endpoint == "RFS" else days["overall_survival"])["quantile"][group]
    level = {"by": "", "level": ""} if group == "all" else {"by": "GROUP", "level": group}
    rows = [
        row for row in run[1] if row["statistic"] in ("N", "events", "censored") or row["statistic"].startswith(("median", "q25", "q75"))
    ]
    found = _values(rows, analysis="survival", endpoint=endpoint, variant="", **level)
    assert (found["N"], found["events"], found["censored"]) == (expected["n"], expected["events"], expected["n"] - expected["events"])
    for i, name in enumerate(("q25", "median", "q75")):
        for suffix, key in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper")):
            _same(found[name + suffix], expected[key][i])


@pytest.mark.parametrize("endpoint", ["RFS", "OS"])
@pytest.mark.shows("EST-logrank")
def test_logrank_by_group(endpoint: str, run: tuple[pl.DataFrame, list[dict], Path]) -> None:
    days = oracle()["bmt_days"]
    expected = (days["dated"]["relapse_free"] if endpoint == "RFS" else days["overall_survival"])["logrank"]
    found = _values(run[1], analysis="survival", endpoint=endpoint, by="GROUP", method="log-rank test")
    for statistic, key in (("chi_square", "chisq"), ("df", "df"), ("p_value", "p")):
        _same(found[statistic], expected[key])


@pytest.mark.parametrize("endpoint", ["RFS", "OS"])
@pytest.mark.shows("EST-cox")
def test_hazard_ratios_by_group(endpoint: str, run: tuple[pl.DataFrame, list[dict], Path]) -> None:
    days = oracle()["bmt_days"]
    expected = (days["dated"]["relapse_free"] if endpoint == "RFS" else days["overall_survival"])["cox_efron"]
    for i, name in enumerate(expected["names"]):
        level = f"{name.removeprefix('group')} against ALL"
        found = _values(run[1], analysis="survival", endpoint=endpoint, by="GROUP", level=level, method="Cox model, ties by Efron")
        for statistic, key in (("hazard_ratio", "hr"), ("lower", "lower"), ("upper", "upper"), ("p_value", "p")):
            _same(found[statistic], expected[key][i])


@pytest.mark.shows("RULE-6.13", "EST-follow-up")
def test_follow_up_by_reverse_kaplan_meier(run: tuple[pl.DataFrame, list[dict], Path]) -> None:
    expected = oracle()["bmt_days"]["overall_survival"]["reverse"]["all"]
    found = _values(run[1], analysis="survival", endpoint="OS", by="follow-up")
    for statistic in ("median", "lower", "upper"):
        _same(found[statistic if statistic == "median" else f"median_{statistic}"], expected[statistic])


@pytest.mark.parametrize("endpoint", ["RFS", "REL"])
@pytest.mark.parametrize(("cause", "level"), [("relapse", "relapse"), ("death_in_remission", "death")])
def test_cumulative_incidence(endpoint: str, cause: str, level: str, run: tuple[pl.DataFrame, list[dict], Path]) -> None:
    """Steps of the curve read at R's times. RFS has it by default, REL because its study file says so."""
    expected = oracle()["bmt_days"]["dated"]["incidence"]["all"]
    rows = [row for row in run[1] if row["analysis"] == "incidence" and row["endpoint"] == endpoint and row["level"] == level]
    rows = [row for row in rows if row["statistic"].startswith("incidence") and row["time"] is not None]
    for i, time in enumerate(expected["time"]):
        last = max(row["time"] for row in rows if row["time"] <= time)
        found = _values(rows, time=last)
        for statistic, key in (("incidence", "estimate"), ("incidence_lower", "lower"), ("incidence_upper", "upper")):
            _same(found[statistic], expected[cause][key][i])


@pytest.mark.parametrize("endpoint", ["RFS", "REL"])
@pytest.mark.parametrize(("cause", "level"), [("relapse", "relapse"), ("death_in_remission", "death")])
@pytest.mark.shows("EST-gray")
def test_gray_by_group(endpoint: str, cause: str, level: str, run: tuple[pl.DataFrame, list[dict], Path]) -> None:
    expected = oracle()["bmt_days"]["dated"]["gray"][cause]
    found = _values(run[1], analysis="incidence", endpoint=endpoint, by="GROUP", level=level, method="Gray's test")
    for statistic, key in (("chi_square", "stat"), ("df", "df"), ("p_value", "p")):
        _same(found[statistic], expected[key])


@pytest.mark.parametrize("group", ["all", *GROUPS])
def test_events_by_kind(group: str, run: tuple[pl.DataFrame, list[dict], Path]) -> None:
    """By hand: 42 relapses and 41 deaths in remission, counted in the rows themselves by group."""
    bmt, rows, _ = run
    some = bmt if group == "all" else bmt.filter(pl.col("group") == group)
    level = {"by": "", "level": ""} if group == "all" else {"by": "GROUP", "level": group}
    found = _values([row for row in rows if row["statistic"] in ("N", "events")], analysis="survival", endpoint="RFS", **level)
    assert (found["N"], found["events"]) == (some.height, some["d3"].sum())
    if group == "all":
        assert (some["d2"].sum(), some["d3"].sum() - some["d2"].sum()) == (42, 41)
