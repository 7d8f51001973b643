"""Invented frames in the shape of a derived study: what the report is tested with where the worked study lacks a case."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cartrial.analysis.results import KEY, SCHEMA
from cartrial.study import Study, strategies_text, window_text

DAY0 = dt.date(2022, 1, 1)


@dataclass(frozen=True)
class Derived:
    adsl: pl.DataFrame
    adrs: pl.DataFrame
    adtte: pl.DataFrame
    adae: pl.DataFrame
    adck: pl.DataFrame
    adresp: pl.DataFrame
    provenance: str = "example"
    study_id: str = "EX"


def invent(study: Study, n: int = 39, seed: int = 4) -> tuple[Derived, pl.DataFrame]:
    """Return derived data and results of `n` invented subjects; the numbers mean nothing."""
    rng = np.random.default_rng(seed)
    names = [f"EX-{i + 1:03d}" for i in range(n)]
    follow = rng.integers(40, 620, n)
    died = rng.random(n) < 0.3
    respond = rng.random(n) < 0.7
    base = {"TRIAL": pl.Series([0] * n, dtype=pl.Int32), "SUBJ": pl.Series(range(n), dtype=pl.Int32), "STUDYID": ["EX"] * n, "USUBJID": names}
    dates = [DAY0 + dt.timedelta(days=int(day)) for day in follow]
    adsl = pl.DataFrame(
        {
            **base,
            "SITEID": [f"{i % 10 + 1:02d}" for i in range(n)],
            "AGE": rng.integers(18, 70, n).astype(float),
            "SEX": rng.choice(["M", "F"], n),
            "COUNTRY": ["CHN"] * n,
            "ARMCD": ["A"] * n,
            **{flag: ["Y"] * n for flag in ("CONSFL", "ENRLFL", "LEUKFL", "RELFL", "LDFL", "INFFL", "SAFFL", "ASSFL", "EVALFL")},
            "RESPFL": np.where(respond, "Y", "N"),
            **{name: [DAY0] * n for name in ("RFICDT", "ENRLDT", "LEUKDT", "RELDT", "LDSTDT", "TRTSDT")},
            "DTHDT": [date if dead else None for date, dead in zip(dates, died, strict=True)],
            "LSTALVDT": dates,
            "LSTALVDY": follow.astype(np.int32),
            "DTHDY": [int(day) if dead else None for day, dead in zip(follow, died, strict=True)],
            **{name: pl.Series([None] * n, dtype=pl.Int32) for name in ("HSCTDY", "NEWDY")},
            "ENRLDY": [-40] * n,
            "DTHFL": np.where(died, "Y", "N"),
            "EOSSTT": np.where(died, "DIED", "ONGOING"),
        }
    )
    calls = _calls(rng, base, follow, respond)
    adrs, adtte, rows = [], [], []
    for endpoint in study.endpoints:
        for variant in study.variants(endpoint):
            if endpoint.type == "response-rate":
                adrs.append(_rates(variant, base, respond))
                rows.extend(_rate_rows(study, endpoint.id, variant, int(respond.sum()), n, rng))
            else:
                adtte.append(_times(variant, base, follow, died))
                rows.extend(_time_rows(study, endpoint.id, variant, follow, died))
    rows.extend(_other_rows(study, n))
    adae = pl.DataFrame(
        {
            "TRIAL": [0] * 6,
            "SUBJ": [0, 1, 2, 3, 3, 4],
            "STUDYID": ["EX"] * 6,
            "USUBJID": [names[i] for i in (0, 1, 2, 3, 3, 4)],
            "AEDECOD": ["CYTOKINE RELEASE SYNDROME"] * 3 + ["ICANS", "PYREXIA", "NEUTROPENIA"],
            "AEBODSYS": ["Immune system disorders"] * 3 + ["Nervous system disorders", "General disorders", "Blood and lymphatic system disorders"],
            "AETOXGR": [1, 2, 3, 2, 1, 4],
            "ASTDT": [DAY0 + dt.timedelta(days=3)] * 6,
            "AENDT": [DAY0 + dt.timedelta(days=9)] * 6,
            "ASTDY": [3] * 6,
            "AENDY": [9] * 6,
            "ADURN": [7] * 6,
            "SPECIAL": ["CRS"] * 3 + ["ICANS", None, None],
            "SRCDOM": ["AE"] * 6,
            "SRCSEQ": [1] * 6,
        }
    )
    cmax = 10 ** rng.normal(4.5, 0.7, n)
    adck = pl.concat(
        pl.DataFrame({**base, "PARCAT1": "CARTG", "PARAMCD": code, "PARAM": code, "AVAL": values, "AVALU": unit, "CNSR": 0, "EXPANDFL": "Y", "REASON": None})
        for code, values, unit in (("CMAX", cmax, "copies/ug DNA"), ("AUC28", cmax * 9, "day*copies/ug DNA"), ("TMAX", rng.integers(7, 15, n).astype(float), "days"))
    )
    results = pl.DataFrame(rows, schema=SCHEMA)
    return Derived(adsl, pl.concat(adrs), pl.concat(adtte), adae, adck, calls), results


def _row(study: Study, analysis: str, statistic: str, value: float | None, text: str | None = None, **key: Any) -> dict[str, Any]:
    row: dict[str, Any] = {name: "" for name in KEY}
    row |= {"study": study.study.id, "trial": 0, "provenance": "example", "analysis": analysis, "statistic": statistic, "time": None, "conf_level": None}
    row |= {"value": value, "text": text if text is not None else ("NE" if value is None else f"{value:g}")}
    return row | key


def _variant_key(study: Study, endpoint: str, variant: Any) -> dict[str, str]:
    item = variant.endpoint
    words = {"window": window_text(study, item), "strategies": strategies_text(item)}
    return {"endpoint": endpoint, "variant": variant.name, "population": item.population, "reader": item.reader, **words}


def _rate_rows(study: Study, endpoint: str, variant: Any, x: int, n: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    key = _variant_key(study, endpoint, variant)
    x = max(0, min(n, x + int(rng.integers(-4, 4))))
    rate, method = x / n, "Clopper-Pearson"
    rows = [_row(study, "response", name, value, **key) for name, value in (("n", x), ("N", n), ("not_yet_assessable", 2))]
    rows.append(_row(study, "response", "rate", rate, f"{100 * rate:.1f}", **key))
    for name, value in (("lower", max(rate - 0.15, 0.0)), ("upper", min(rate + 0.14, 1.0))):
        rows.append(_row(study, "response", name, value, f"{100 * value:.1f}", **key, method=method, conf_level=0.95))
    if not variant.name:
        rows.append(_row(study, "response", "n", n - x, **key, by="reason", level="no-response"))
        for name in study.subgroups:
            for level in next(item.levels for item in study.baseline if item.id == name) or ("F", "M"):
                under = {**key, "by": name, "level": level}
                rows.extend(_row(study, "response", stat, value, **under) for stat, value in (("n", 7), ("N", 12)))
                rows.append(_row(study, "response", "rate", 7 / 12, "58.3", **under))
                rows.append(_row(study, "response", "lower", 0.277, "27.7", **under, method=method, conf_level=0.95))
                rows.append(_row(study, "response", "upper", 0.848, "84.8", **under, method=method, conf_level=0.95))
    return rows


def _time_rows(study: Study, endpoint: str, variant: Any, follow: np.ndarray, died: np.ndarray) -> list[dict[str, Any]]:
    key = {**_variant_key(study, endpoint, variant), "unit": "days", "method": "Kaplan-Meier, log-log", "conf_level": 0.95}
    rows = [_row(study, "survival", name, float(value), **key) for name, value in (("N", len(follow)), ("events", died.sum()), ("censored", (~died).sum()))]
    survival, median = 1.0, None
    for day in np.unique(follow[died]):
        survival *= 1 - ((follow == day) & died).sum() / (follow >= day).sum()
        median = float(day) if median is None and survival < 0.5 else median
        for name, value in (("survival", survival), ("survival_lower", survival * 0.8), ("survival_upper", min(1.0, survival * 1.15))):
            rows.append(_row(study, "survival", name, value, f"{100 * value:.1f}", **key, time=float(day)))
    for month in range(0, 21, 3):
        day = month * 30.4375
        rows.append(_row(study, "survival", "at_risk", float((follow >= day).sum()), **key, time=day))
    rows.append(_row(study, "survival", "median", median, "NR" if median is None else f"{median:g}", **key))
    rows.append(_row(study, "survival", "median_lower", 210.0, **key))
    rows.append(_row(study, "survival", "median_upper", None, "NR", **key))
    return rows


def _other_rows(study: Study, n: int) -> list[dict[str, Any]]:
    rows = [_row(study, "flow", "n", float(value), by="milestone", level=level) for level, value in (("consented", n + 9), ("enrolled", n + 6), ("infused", n), ("assessed", n - 1))]
    for item in study.baseline:
        rows += [_row(study, "baseline", stat, value, f"{value:g}", by=item.id, unit=item.unit) for stat, value in (("n", n), ("median", 34.0), ("min", 18.0), ("max", 69.0))]
        for level in item.levels:
            rows += [_row(study, "baseline", stat, value, f"{value:g}", by=item.id, level=level) for stat, value in (("n", 12.0), ("N", float(n)), ("rate", 30.8))]
    for term, grades in {"CRS": {"any": 30, "1": 12, "2": 12, "3": 4, "4": 2, "5": 0}, "ICANS": {"any": 9, "1": 4, "2": 3, "3": 2}, "PYREXIA": {"any": 8, "1": 8}}.items():
        for grade, value in grades.items():
            rows.append(_row(study, "safety", "n", float(value), endpoint=term, by="max_grade", level=grade, population="infused"))
            rows.append(_row(study, "safety", "N", float(n), endpoint=term, by="max_grade", level=grade, population="infused"))
    for level in ("Y", "N"):
        for stat, value in (("n", 18.0), ("geometric_mean", 31000.0), ("cv", 140.0), ("median", 29000.0), ("min", 300.0), ("max", 9.1e5)):
            rows.append(_row(study, "kinetics", stat, value, endpoint="CMAX", by="response", level=level, unit="copies/ug DNA"))
    return rows


def _calls(rng: np.random.Generator, base: dict[str, Any], follow: np.ndarray, respond: np.ndarray) -> pl.DataFrame:
    rows = []
    for i, (name, last) in enumerate(zip(base["USUBJID"], follow, strict=True)):
        relapse = rng.integers(120, 700)
        for day in (28, 90, 180, 270, 360, 540):
            if day <= last:
                call = ("RELAPSE" if day > relapse else "CRi" if day == 28 and i % 2 else "CR") if respond[i] else "NR"
                rows.append((0, i, "EX", name, "IRC", day, DAY0 + dt.timedelta(days=day), call, "Y", "Y", None, None, call, "RS", day, ""))
    head = ("TRIAL", "SUBJ", "STUDYID", "USUBJID", "READER", "CARDY", "ADT", "AVALC", "ADEQUATE", "USABLE", "REASON", "MRD", "ORRES", "SRCDOM", "SRCSEQ", "FLAGS")
    return pl.DataFrame(rows, schema=list(head), orient="row").with_columns(pl.col("TRIAL", "SUBJ").cast(pl.Int32))


def _shared(variant: Any, base: dict[str, Any]) -> dict[str, Any]:
    item = variant.endpoint
    return {**base, "PARAMCD": item.id, "PARAM": item.label, "VARIANT": variant.name, "POPULATION": item.population, "READER": item.reader}


def _rates(variant: Any, base: dict[str, Any], respond: np.ndarray) -> pl.DataFrame:
    answer = {"AVAL": respond.astype(float), "AVALC": np.where(respond, "Y", "N"), "REASON": np.where(respond, "response", "no-response")}
    return pl.DataFrame({**_shared(variant, base), **answer, **_trace("RS")})


def _times(variant: Any, base: dict[str, Any], follow: np.ndarray, died: np.ndarray) -> pl.DataFrame:
    answer = {
        "AVAL": follow.astype(float),
        "CNSR": pl.Series((~died).astype(np.int8)),
        "EVNTDESC": [("death" if dead else None) for dead in died],
        "CNSDTDSC": [(None if dead else "cutoff") for dead in died],
    }
    return pl.DataFrame({**_shared(variant, base), **answer, **_trace("SS")})


def _trace(domain: str) -> dict[str, Any]:
    return {"ADT": DAY0, "CARDY": 90, "SRCDOM": domain, "SRCVAR": f"{domain}DTC", "SRCSEQ": 2, "RULE": "invented", "FLAGS": ""}
