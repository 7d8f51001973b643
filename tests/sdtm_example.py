"""A small source without a finding, for tests that spoil one thing in it. Invented; every value stands here."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import polars as pl

from cartrial.sdtm import Source, read_sdtm
from cartrial.study import Study

Table = list[dict[str, Any]]

STUDY_YAML = """\
schema: 1
rules: 2
study:
  id: TRIAL
  title: A small study
  cutoff: 2022-09-27
  provenance: example
product:
  name: product
  type: autologous
  exposure: [PRODUCT]
  lymphodepletion: [FLUDARABINE]
disease:
  criteria: nccn
  visits:
    - {name: day 28, day: 28, minus: 7, plus: 7}
    - {name: month 3, day: 90, minus: 14, plus: 14}
readers: {primary: IRC, sensitivity: [INV]}
endpoints:
  - id: ORR3
    label: Response at month 3
    role: primary
    type: response-rate
    response: [CR, CRi]
    window: {at: month 3}
    population: infused
    strategies: {hsct: composite, new-therapy: composite}
"""


def small_study(folder: Path, **changes: str) -> Study:
    """Return the study of the small source; `changes` are keys of its file with a new value, or added to it."""
    text = STUDY_YAML
    for old, new in changes.items():
        line = next((line for line in text.splitlines() if line.strip().startswith(f"{old}:")), None)
        if line is None:
            text += f"{old}: {new}\n"
            continue
        text = text.replace(line, f"{line[: len(line) - len(line.lstrip())]}{old}: {new}")
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return Study.load(str(path))


def _numbered(domain: str, rows: Table) -> Table:
    """Give records their keys and sequence numbers."""
    seen: dict[str, int] = {}
    out = []
    for row in rows:
        seen[row["USUBJID"]] = seen.get(row["USUBJID"], 0) + 1
        keys = {"STUDYID": "TRIAL", "DOMAIN": domain, "USUBJID": row["USUBJID"]}
        if domain != "DM":
            keys[f"{domain}SEQ"] = seen[row["USUBJID"]]
        out.append({**keys, **row})
    return out


def small_tables() -> dict[str, Table]:
    """Return two subjects: A in remission and alive, B who relapsed and died. Day 0 is 2022-01-01."""
    a, b = {"USUBJID": "A"}, {"USUBJID": "B"}
    lab = {"LBSTAT": None, "LBREASND": None, "LBLLOQ": None, "LBLOD": None}
    marrow = {**lab, "LBTESTCD": "BLAST", "LBSPEC": "BONE MARROW", "LBSTRESU": "%"}
    count = {**lab, "LBSPEC": "BLOOD", "LBSTRESU": "10^9/L"}
    mrd = {**lab, "LBTESTCD": "MRD", "LBSPEC": "BONE MARROW", "LBSTRESU": "fraction", "LBLOD": 1e-6}
    call = {"RSCAT": "ALL RESPONSE", "RSTESTCD": "OVRLRESP"}
    committee, site = {**call, "RSEVAL": "INDEPENDENT ASSESSOR", "RSEVALID": None}, {**call, "RSEVAL": "INVESTIGATOR", "RSEVALID": None}
    tables = {
        "DM": [
            {
                **a,
                "SITEID": "01",
                "AGE": 25,
                "SEX": "F",
                "RFICDTC": "2021-11-17",
                "RFSTDTC": "2022-01-01",
                "DTHDTC": None,
                "DTHFL": None,
                "BRTHDTC": "1996",
            },
            {
                **b,
                "SITEID": "02",
                "AGE": 61,
                "SEX": "M",
                "RFICDTC": "2021-11-18",
                "RFSTDTC": "2022-01-01",
                "DTHDTC": "2022-05-21",
                "DTHFL": "Y",
                "BRTHDTC": "1960-03",
            },
        ],
        "DS": [
            {**a, "DSDECOD": "INFORMED CONSENT OBTAINED", "DSSTDTC": "2021-11-17"},
            {**a, "DSDECOD": "ENROLLED", "DSSTDTC": "2021-11-20"},
            {**a, "DSDECOD": "PRODUCT RELEASED", "DSSTDTC": "2021-12-24"},
            {**b, "DSDECOD": "ENROLLED", "DSSTDTC": "2021-11-20"},
            {**b, "DSDECOD": "DEATH", "DSSTDTC": "2022-05-21"},
        ],
        "PR": [{**a, "PRTRT": "LEUKAPHERESIS", "PRSTDTC": "2021-11-22"}, {**b, "PRTRT": "LEUKAPHERESIS", "PRSTDTC": "2021-11-22"}],
        "EX": [
            {**a, "EXTRT": "FLUDARABINE", "EXDOSE": 30, "EXDOSU": "mg/m2", "EXSTDTC": "2021-12-27"},
            {**a, "EXTRT": "PRODUCT", "EXDOSE": 5e7, "EXDOSU": "CELLS", "EXSTDTC": "2022-01-01"},
            {**b, "EXTRT": "PRODUCT", "EXDOSE": 5e7, "EXDOSU": "CELLS", "EXSTDTC": "2022-01-01"},
        ],
        "CM": [{**b, "CMTRT": "BLINATUMOMAB", "CMCAT": "SUBSEQUENT ANTICANCER THERAPY", "CMSTDTC": "2022-04-20"}],
        "LB": [
            {**a, **marrow, "LBSTRESC": "60", "LBSTRESN": 60, "LBDTC": "2021-12-20"},
            {**a, **marrow, "LBSTRESC": "1.5", "LBSTRESN": 1.5, "LBDTC": "2022-01-29"},
            {**a, **count, "LBTESTCD": "NEUT", "LBSTRESC": "1.8", "LBSTRESN": 1.8, "LBDTC": "2022-01-29"},
            {**a, **count, "LBTESTCD": "PLAT", "LBSTRESC": "140", "LBSTRESN": 140, "LBDTC": "2022-01-29"},
            {**a, **mrd, "LBSTRESC": "NEGATIVE", "LBSTRESN": None, "LBDTC": "2022-01-29"},
            {
                **a,
                **count,
                "LBTESTCD": "CARTG",
                "LBSTRESU": "copies/ug",
                "LBLLOQ": 50,
                "LBSTRESC": "1200",
                "LBSTRESN": 1200,
                "LBDTC": "2022-01-11",
            },
            {**a, **count, "LBTESTCD": "BCELL", "LBSTRESU": "cells/uL", "LBSTRESC": "3", "LBSTRESN": 3, "LBDTC": "2022-01-29"},
            {**b, **marrow, "LBSTRESC": "12", "LBSTRESN": 12, "LBDTC": "2022-04-01"},
        ],
        "RS": [
            {**a, **committee, "RSSTRESC": "CR", "RSDTC": "2022-01-29"},
            {**a, **site, "RSSTRESC": "CR", "RSDTC": "2022-01-29"},
            {**b, **committee, "RSSTRESC": "CRi", "RSDTC": "2022-01-29"},
            {**b, **committee, "RSSTRESC": "RELAPSE", "RSDTC": "2022-04-01"},
        ],
        "FA": [{**a, "FAOBJ": "EXTRAMEDULLARY DISEASE", "FATESTCD": "OCCUR", "FASTRESC": "ABSENT", "FADTC": "2022-01-29"}],
        "AE": [
            {
                **b,
                "AEDECOD": "Cytokine release syndrome",
                "AETOXGR": "2",
                "AESTDTC": "2022-01-03",
                "AEENDTC": "2022-01-08",
                "AESER": "N",
                "AEOUT": "RECOVERED/RESOLVED",
            }
        ],
        "SS": [
            {**a, "SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE", "SSDTC": "2022-09-18"},
            {**b, "SSTESTCD": "SURVSTAT", "SSSTRESC": "DEAD", "SSDTC": "2022-05-21"},
        ],
    }
    return {name: _numbered(name, rows) for name, rows in copy.deepcopy(tables).items()}


def write_tables(tables: dict[str, Table], folder: Path) -> Path:
    """Write tables as CSV files, one a domain."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        frame = pl.DataFrame(
            {column: [None if row.get(column) is None else str(row[column]) for row in rows] for column in columns},
            schema=dict.fromkeys(columns, pl.String),
        )
        frame.write_csv(folder / f"{name.lower()}.csv")
    return folder


def read_tables(tables: dict[str, Table], folder: Path) -> Source:
    """Write tables as CSV files and read them."""
    return read_sdtm(write_tables(tables, folder / "data"))
