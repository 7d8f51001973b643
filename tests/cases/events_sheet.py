"""Fill in the shipped template for events only: what its tests share."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from cartrial.run import Data, Derived, derive_data
from cartrial.sdtm import standardise, write_templates
from cartrial.sdtm.mapping import read_mapped
from cartrial.study import Study
from cases.case import case_path

ENDPOINTS = ("BORR", "DOR", "RFS", "EFS", "OS")
COMPLETE = {"infusion_date": "2022-01-01", "best_response": "CR", "response_date": "2022-01-29"}
"""One infused on day 0 and in remission on day 28; the cutoff is day 269."""


def filled(folder: Path, *patients: dict[str, str], said: str = "") -> Path:
    """Write the template with a row a patient, E1, E2 and so on, beside a study file with `said` at its end; return its folder."""
    write_templates(folder, study_id="inaticel-pivotal", product="CNCT19")
    place = folder / "events"
    columns = (place / "events.csv").read_text(encoding="utf-8").strip().split(",")
    rows = [{"subject": f"E{number}", **COMPLETE, **patient} for number, patient in enumerate(patients, 1)]
    assert all(set(row) <= set(columns) for row in rows)
    lines = [columns, *([row.get(name, "") for name in columns] for row in rows)]
    (place / "events.csv").write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
    (place / "study.yaml").write_text(f"{_study()}\n{said}\n", encoding="utf-8")
    return place


@cache
def _study() -> str:
    """Return the study of the other tests of events with the endpoints that these ask for alone, which is quicker."""
    study = yaml.safe_load((case_path("data/events-template") / "study.yaml").read_text(encoding="utf-8"))
    study["endpoints"] = [endpoint for endpoint in study["endpoints"] if endpoint["id"] in ENDPOINTS]
    for endpoint in study["endpoints"]:
        endpoint.pop("sensitivity", None)
    study["testing"]["order"] = ["BORR"]
    return yaml.safe_dump({name: part for name, part in study.items() if name != "subgroups"}, sort_keys=False)


def read(place: Path) -> Data:
    """Read a filled template, unchecked, which is quicker."""
    source = standardise(read_mapped(place, place))
    return Data(Study.load(place / "study.yaml"), source, source.findings)


def derived(place: Path) -> Derived:
    """Derive a filled template."""
    return derive_data(read(place))
