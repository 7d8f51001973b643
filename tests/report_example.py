"""Invented derived data: what the report is tested with where the worked study lacks a case. The numbers mean nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from cartrial.endpoints import level_column, number_column
from cartrial.study import Study

DAY0 = dt.date(2022, 1, 1)


def without_scripts(text: str) -> str:
    """Return a page without its scripts, which are other people's text."""
    return re.sub(r"<script>.*?</script>", "", text, flags=re.S)


def figures_of(text: str) -> dict[str, dict[str, Any]]:
    """Return the documents of a page's figures by name."""
    found = re.search(r'<script type="application/json" id="figure-documents">(.*?)</script>', text, re.S)
    return json.loads(found[1]) if found else {}


@dataclass(frozen=True)
class Derived:
    """The shape of `cartrial.endpoints.Adam`."""

    adsl: pl.DataFrame
    adrs: pl.DataFrame
    adtte: pl.DataFrame
    adae: pl.DataFrame
    adck: pl.DataFrame
    adresp: pl.DataFrame
    provenance: str = "virtual"
    study_id: str = "EX"
    adtr: pl.DataFrame = field(default_factory=pl.DataFrame)

    def without(self, *names: str) -> Derived:
        """Return the same with some sets empty."""
        return replace(self, **{name: getattr(self, name).clear() for name in names})


def invent(study: Study, n: int = 39, seed: int = 4, name: str = "EX-{:03d}") -> Derived:
    """Return derived data of `n` invented subjects."""
    rng = np.random.default_rng(seed)
    names = [name.format(i + 1) for i in range(n)]
    follow, died, respond = rng.integers(40, 620, n), rng.random(n) < 0.3, rng.random(n) < 0.7
    base = {
        "TRIAL": pl.Series([0] * n, dtype=pl.Int32),
        "SUBJ": pl.Series(range(n), dtype=pl.Int32),
        "STUDYID": ["EX"] * n,
        "USUBJID": names,
    }
    rates, times = [], []
    for endpoint in study.endpoints:
        for variant in study.variants(endpoint):
            key = {"PARAMCD": endpoint.id, "PARAM": endpoint.label, "VARIANT": variant.name}
            key |= {"POPULATION": variant.endpoint.population, "READER": variant.endpoint.reader}
            if endpoint.type == "response-rate":
                rates.append(_rates(base | key, respond, rng))
            else:
                times.append(_times(base | key, follow, died))
    return Derived(
        _adsl(study, base, follow, died, respond, rng),
        pl.concat(rates),
        pl.concat(times),
        _adae(base),
        _adck(base, rng),
        _adresp(base, follow, respond, rng),
    )


def _adsl(
    study: Study, base: dict[str, Any], follow: np.ndarray, died: np.ndarray, respond: np.ndarray, rng: np.random.Generator
) -> pl.DataFrame:
    n = len(follow)
    dates = [DAY0 + dt.timedelta(days=int(day)) for day in follow]
    columns: dict[str, Any] = {"SITEID": ["01"] * n, "AGE": rng.integers(18, 70, n).astype(float), "SEX": rng.choice(["M", "F"], n)}
    columns |= {flag: ["Y"] * n for flag in ("CONSFL", "ENRLFL", "LEUKFL", "RELFL", "LDFL", "INFFL", "SAFFL", "ASSFL", "EVALFL")}
    columns |= {
        "RESPFL": np.where(respond, "Y", "N"),
        **{name: [DAY0] * n for name in ("RFICDT", "ENRLDT", "LEUKDT", "RELDT", "LDSTDT", "TRTSDT")},
    }
    columns |= {"DTHDT": [date if dead else None for date, dead in zip(dates, died, strict=True)], "LSTALVDT": dates}
    columns |= {"LSTALDAY": follow.astype(np.int32), "DTHDAY": [int(day) if dead else None for day, dead in zip(follow, died, strict=True)]}
    columns |= {
        name: pl.Series([30 if i == at else None for i in range(n)], dtype=pl.Int32) for name, at in (("HSCTDAY", 1), ("NEWDAY", 2))
    }
    columns |= {"DTHFL": ["Y" if dead else None for dead in died], "EOSSTT": np.where(died, "DISCONTINUED", "ONGOING")}
    columns |= {"DCSREAS": ["DEATH" if dead else None for dead in died]}
    for item in study.baseline:
        if item.cut:
            number = rng.uniform(min(item.cut) * 0.3, max(item.cut) * 1.6, n)
            columns[number_column(item)] = number
            columns[level_column(item)] = [
                None if i == 3 else item.levels[int(np.searchsorted(item.cut, value, side="right"))] for i, value in enumerate(number)
            ]
        elif item.id not in columns:
            columns[item.id] = rng.choice(["Y", "N"], n)
    return pl.DataFrame(base | columns)


def _rates(key: dict[str, Any], respond: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    answer = respond ^ (rng.random(len(respond)) < 0.1)
    columns = {"AVAL": answer.astype(float), "AVALC": np.where(answer, "Y", "N"), "REASON": np.where(answer, "response", "no-response")}
    return pl.DataFrame(key | columns | _trace("RS")).with_columns(
        pl.when(pl.col("SUBJ") == 0).then(None).otherwise("AVAL").alias("AVAL"),
        pl.when(pl.col("SUBJ") == 0).then(pl.lit("NYA")).otherwise("AVALC").alias("AVALC"),
    )


def _times(key: dict[str, Any], follow: np.ndarray, died: np.ndarray) -> pl.DataFrame:
    columns = {"AVAL": follow.astype(float), "CNSR": pl.Series((~died).astype(np.int8))}
    columns |= {"EVNTDESC": ["death" if dead else "cutoff" for dead in died], "CNSDTDSC": [None if dead else "cutoff" for dead in died]}
    return pl.DataFrame(key | columns | _trace("SS"))


def _trace(domain: str) -> dict[str, Any]:
    return {"ADT": DAY0, "CARDAY": 90, "SRCDOM": domain, "SRCVAR": f"{domain}DTC", "SRCSEQ": 2, "RULE": "invented", "FLAGS": ""}


def _adae(base: dict[str, Any]) -> pl.DataFrame:
    who = [0, 1, 2, 3, 3, 4]
    columns: dict[str, Any] = {name: [base[name][i] for i in who] for name in base}
    columns |= {"AEDECOD": ["CYTOKINE RELEASE SYNDROME"] * 3 + ["ICANS", "PYREXIA", "NEUTROPENIA"]}
    columns |= {"AEBODSYS": ["Immune system disorders"] * 3 + ["Nervous system disorders", "General disorders", None]}
    columns |= {"AETOXGR": ["1", "2", "3", "2", None, "4"], "CARSTDAY": [3] * 6, "CARENDAY": [9] * 6, "ADURN": [7] * 6}
    columns |= {"ASTDT": [DAY0] * 6, "AENDT": [DAY0] * 6, "TRTEMFL": "Y", "AESER": ["N"] * 5 + ["Y"], "AEREL": "RELATED"}
    columns |= {"SPECIAL": ["CRS"] * 3 + ["ICANS", None, None], "SRCDOM": "AE", "SRCSEQ": 1}
    return pl.DataFrame(columns).with_columns(pl.col("TRIAL", "SUBJ").cast(pl.Int32))


def _adck(base: dict[str, Any], rng: np.random.Generator) -> pl.DataFrame:
    n = len(base["USUBJID"])
    cmax = 10 ** rng.normal(4.5, 0.7, n)
    values = (("CMAX", cmax, "copies/ug"), ("AUC28", cmax * 9, "copies/ug*day"), ("TMAX", rng.integers(7, 15, n).astype(float), "days"))
    common = {"PARCAT1": "CARTG", "CNSR": pl.Series([None] * n, dtype=pl.Int8), "EXPANDFL": "Y"}
    common |= {name: pl.Series([None] * n, dtype=pl.String) for name in ("AVALC", "REASON", "FLAGS")}
    return pl.concat(
        pl.DataFrame(base | common | {"PARAMCD": code, "PARAM": code, "AVAL": value, "AVALU": unit}) for code, value, unit in values
    )


def _adresp(base: dict[str, Any], follow: np.ndarray, respond: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    rows = []
    for i, (name, last) in enumerate(zip(base["USUBJID"], follow, strict=True)):
        relapse = rng.integers(120, 700)
        for day in (28, 90, 180, 270, 360, 540):
            if day <= last:
                call = ("RELAPSE" if day > relapse else "CRi" if day == 28 and i % 2 else "CR") if respond[i] else "NR"
                for reader in ("IRC", "INV"):
                    rows.append(
                        (
                            0,
                            i,
                            "EX",
                            name,
                            reader,
                            day,
                            DAY0 + dt.timedelta(days=day),
                            call,
                            "Y",
                            "Y",
                            None,
                            None,
                            call,
                            None,
                            "RS",
                            day,
                            "",
                        )
                    )
    head = [
        "TRIAL",
        "SUBJ",
        "STUDYID",
        "USUBJID",
        "READER",
        "CARDAY",
        "ADT",
        "AVALC",
        "ADEQUATE",
        "USABLE",
        "REASON",
        "MRD",
        "ORRES",
        "METHOD",
        "SRCDOM",
        "SRCSEQ",
        "FLAGS",
    ]
    return pl.DataFrame(rows, schema=head, orient="row", infer_schema_length=None).with_columns(pl.col("TRIAL", "SUBJ").cast(pl.Int32))
