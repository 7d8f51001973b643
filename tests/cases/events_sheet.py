"""Fill in the shipped template for events only: what its tests share."""

from __future__ import annotations

from pathlib import Path

from cartrial.run import Derived, derive_data, load_data
from cartrial.sdtm import write_templates
from cases.case import case_path

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
    study = (case_path("data/events-template") / "study.yaml").read_text(encoding="utf-8")
    (place / "study.yaml").write_text(f"{study}\n{said}\n", encoding="utf-8")
    return place


def derived(place: Path) -> Derived:
    """Derive a filled template."""
    return derive_data(load_data(place, place))
