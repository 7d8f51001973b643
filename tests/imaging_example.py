"""Imaging of invented subjects as SDTM: TU, TR, FA, MI from a few words a scan."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

__all__ = ["DAY0", "PET", "Scan", "Subjects", "study_text", "write_subjects"]

DAY0 = dt.date(2022, 1, 3)
Size = tuple[float, float] | tuple[float, float, str] | str
"""Two diameters in mm, a word for TUMSTATE, or both."""


@dataclass(frozen=True)
class Scan:
    """What CT measured on a day: of targets, nodes by A to F, organs by L to O; non-targets by NT, new ones by their place."""

    day: int
    targets: dict[str, Size | None] = field(default_factory=dict)
    other: str | None = None
    """State of a non-target."""
    new: dict[str, Size] = field(default_factory=dict)
    """New lesions by name; of a node a name that starts with N."""
    spleen: float | None = None
    marrow: str | None = None
    pet: bool = False
    """Whether new lesions were identified by PET."""


@dataclass(frozen=True)
class PET:
    """A PET on a day: the five-point score, and the change of uptake."""

    day: int
    score: str | None
    change: str | None = None
    new: bool = False


Subjects = dict[str, list[Scan | PET]]


def _place(name: str) -> str:
    return "LYMPH NODE" if name[0] in "ABCDEFN" else "LIVER"


def _rows(who: str, scans: list[Scan | PET]) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = {"TU": [], "TR": [], "FA": [], "MI": []}
    lesions: dict[str, tuple[str, str, str]] = {}

    def add(domain: str, **values: Any) -> None:
        number = len(tables[domain]) + 1
        tables[domain].append({"STUDYID": "LYM", "DOMAIN": domain, "USUBJID": who, f"{domain}SEQ": number, **values})

    def measure(name: str, size: Size, date: str) -> None:
        if isinstance(size, str):
            add("TR", TRLNKID=name, TRTESTCD="TUMSTATE", TRSTRESC=size, TRSTRESN=None, TRSTRESU=None, TRDTC=date)
            return
        if len(size) == 3:
            measure(name, size[2], date)
        for test, value in zip(("LDIAM", "LPERP"), size[:2], strict=True):
            add("TR", TRLNKID=name, TRTESTCD=test, TRSTRESC=f"{value:g}", TRSTRESN=value, TRSTRESU="mm", TRDTC=date)

    for scan in sorted(scans, key=lambda scan: scan.day):
        date = (DAY0 + dt.timedelta(days=scan.day)).isoformat()
        if isinstance(scan, PET):
            said = {"FAOBJ": "LYMPHOMA", "FADTC": date}
            if scan.score is not None:
                add("FA", FATESTCD="DEAUVILL", FASTRESC=scan.score, **said)
            if scan.change is not None:
                add("FA", FATESTCD="UPTAKE", FASTRESC=scan.change, **said)
            if scan.new:
                add("FA", FATESTCD="NEWAVID", FASTRESC="Y", **said)
            continue
        for name, size in scan.targets.items():
            lesions.setdefault(name, ("TARGET", _place(name), "CT SCAN"))
            if size is not None:
                measure(name, size, date)
        if scan.other:
            lesions.setdefault("NT", ("NON-TARGET", "BONE", "CT SCAN"))
            measure("NT", scan.other, date)
        for name, size in scan.new.items():
            lesions.setdefault(name, ("NEW", _place(name), "PET/CT SCAN" if scan.pet else "CT SCAN"))
            measure(name, size, date)
        if scan.spleen is not None:
            lesions.setdefault("SPLEEN", ("NON-TARGET", "SPLEEN", "CT SCAN"))
            add("TR", TRLNKID="SPLEEN", TRTESTCD="LDIAM", TRSTRESC=f"{scan.spleen:g}", TRSTRESN=scan.spleen, TRSTRESU="mm", TRDTC=date)
        if scan.marrow:
            add("MI", MITESTCD="LYMPHINV", MISPEC="BONE MARROW", MISTRESC=scan.marrow, MIDTC=date)
    for name, (kind, place, method) in lesions.items():
        add("TU", TULNKID=name, TUTESTCD="TUMIDENT", TUSTRESC=kind, TULOC=place, TUMETHOD=method)
    return tables


def write_subjects(
    folder: Path, subjects: Subjects, evaluator: tuple[str, str | None] | None = None, **domains: list[dict[str, Any]]
) -> Path:
    """Write the subjects' SDTM, and other domains as they are given; day 0 is 2022-01-03, all alive at the cutoff, day 400."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[dict[str, Any]]] = {"TU": [], "TR": [], "FA": [], "MI": [], "DM": [], "EX": [], "SS": []}
    for who, scans in subjects.items():
        for domain, rows in _rows(who, scans).items():
            tables[domain] += rows
        keys = {"STUDYID": "LYM", "USUBJID": who}
        tables["DM"].append({**keys, "DOMAIN": "DM"})
        tables["EX"].append({**keys, "DOMAIN": "EX", "EXSEQ": 1, "EXTRT": "FLUDARABINE", "EXSTDTC": "2021-12-29"})
        tables["EX"].append({**keys, "DOMAIN": "EX", "EXSEQ": 2, "EXTRT": "AXI-CEL", "EXSTDTC": DAY0.isoformat()})
        alive = (DAY0 + dt.timedelta(days=400)).isoformat()
        tables["SS"].append({**keys, "DOMAIN": "SS", "SSSEQ": 1, "SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE", "SSDTC": alive})
    for name in ("TU", "TR", "FA"):
        for row in tables[name]:
            row |= {f"{name}EVAL": evaluator[0], f"{name}EVALID": evaluator[1]} if evaluator else {}
    for name, rows in (tables | domains).items():
        if rows:
            pl.DataFrame(rows, infer_schema_length=None).write_csv(data / f"{name.lower()}.csv")
    return data


def study_text(base: str, *, options: str = "", criteria: str = "lugano-2014", reader: str = "INV") -> str:
    """Return a study file of lymphoma with other criteria, options and reader."""
    said = f"  criteria: {criteria}\n" + (f"  options: {{{options}}}\n" if options else "")
    text = base.replace("  criteria: lugano-2014\n", said, 1).replace("primary: IRC, sensitivity: [INV]", f"primary: {reader}")
    return text if reader == "IRC" else text.replace("      - {reader: INV}\n", "")
