"""A study of children and small tables for it. Invented; every value stands here."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from cartrial.run import Data, Derived, derive_data, load_data

Row = dict[str, Any]

STUDY_YAML = """\
schema: 1
rules: 2
study: {id: PED, title: A study of children, cutoff: 2023-02-07, provenance: example}
product:
  name: p
  type: autologous
  exposure: [P]
  lymphodepletion: [FLUDARABINE]
  fraction-days: 1
  dose-range:
    - {to: 50, boundary: lower, dose: per-kg, low: 0.2e+6, high: 5.0e+6, source: example}
    - {dose: total, low: 0.1e+8, high: 2.5e+8, source: example}
eligibility: {age: {from: 1, to: 21, source: example}}
disease:
  criteria: nccn
  visits:
    - {name: day 28, day: 28, minus: 7, plus: 7}
    - {name: month 2, day: 60, minus: 7, plus: 7}
    - {name: month 3, day: 90, minus: 14, plus: 14}
    - {name: month 6, day: 180, minus: 14, plus: 14}
    - {name: month 9, day: 270, minus: 14, plus: 14}
    - {name: month 12, day: 360, minus: 14, plus: 14}
readers: {primary: IRC}
baseline:
  - {id: AGE, label: Age, from: {domain: DM, variable: AGE}, cut: [3, 10, 18], levels: ["< 3", "3 to < 10", "10 to < 18", ">= 18"]}
  - {id: WEIGHT, label: Weight, unit: kg, from: {domain: VS, testcd: WEIGHT}}
  - {id: DOSE, label: Dose, unit: cells, from: {domain: EX}}
  - {id: DOSEKG, label: Dose per kg, unit: cells/kg, from: {domain: EX, variable: DOSEKG}}
  - {id: DOSERNG, label: Dose range, from: {domain: EX, variable: DOSERNG}}
endpoints:
  - id: ORRW3
    label: Response within 3 months
    type: response-rate
    window: {within: month 3}
    population: infused
    strategies: {hsct: composite, new-therapy: composite}
"""


def keyed(domain: str, rows: list[Row]) -> list[Row]:
    """Give records their keys and sequence numbers."""
    keys = {"STUDYID": "PED", "DOMAIN": domain}
    return [{**keys, **({} if domain == "DM" else {f"{domain}SEQ": i}), **row} for i, row in enumerate(rows, 1)]


def write(folder: Path, tables: dict[str, list[Row]], study: str = STUDY_YAML) -> Path:
    """Write a study file and its tables; every subject of EX that DM lacks is 12 years old."""
    (folder / "data").mkdir()
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    people = tables.get("DM", [])
    named = {row["USUBJID"] for row in people}
    missing = dict.fromkeys(row["USUBJID"] for row in tables["EX"] if row["USUBJID"] not in named)
    tables = {**tables, "DM": [*people, *({"USUBJID": name, "AGE": 12, "AGEU": "YEARS", "SEX": "F"} for name in missing)]}
    for domain, rows in tables.items():
        full = keyed(domain, rows)
        names = list(dict.fromkeys(name for row in full for name in row))
        with (folder / "data" / f"{domain.lower()}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(full)
    return folder


def loaded(folder: Path, tables: dict[str, list[Row]], study: str = STUDY_YAML) -> Data:
    """Return the data of a study of children, whatever is wrong with them."""
    write(folder, tables, study)
    return load_data(folder, folder / "data", require=False)


def derived(folder: Path, tables: dict[str, list[Row]], study: str = STUDY_YAML) -> Derived:
    """Return what is derived of a study of children."""
    return derive_data(loaded(folder, tables, study))


def infused(name: str, dose: float | None = 1.2e7, unit: str | None = "CELLS", date: str = "2022-01-03") -> Row:
    """Return an infusion."""
    return {"USUBJID": name, "EXTRT": "P", "EXDOSE": dose, "EXDOSU": unit, "EXSTDTC": date}


def weighed(name: str, value: float, unit: str | None, date: str = "2021-12-20") -> Row:
    """Return a weight."""
    return {"USUBJID": name, "VSTESTCD": "WEIGHT", "VSSTRESN": value, "VSSTRESU": unit, "VSDTC": date}
