"""Which files does a run leave, and how are they written whole or not at all?"""

from __future__ import annotations

import datetime as dt
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.report.study.hidden.hide import HIDDEN_COLUMNS

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source
    from cartrial.study import Study

__all__ = ["run_record", "write_adam"]

PACKAGES = ("cartrial", "polars", "numpy", "scipy", "pydantic", "jinja2")
DATASETS = ("adsl", "adrs", "adtte", "adae", "adck", "adresp")


def write_adam(adam: Adam, provenance: str, folder: Path, *, hidden: bool = False) -> None:
    """Write each derived set as CSV (opens anywhere) and Parquet (keeps its types), the provenance on every row.

    The integer keys of the engine are left out: STUDYID and USUBJID identify a subject in a file. Where it is `hidden` whose data they are,
    the columns that have no value because of it are left out too.
    """
    folder.mkdir()
    for name in (*DATASETS, *(["adtr"] if adam.adtr.height else [])):
        frame: pl.DataFrame = getattr(adam, name)
        if "USUBJID" in frame.columns:
            frame = frame.drop("TRIAL", "SUBJ", strict=False)
        if hidden:
            frame = frame.drop(column for column, dtype in frame.schema.items() if dtype == pl.Date or column in HIDDEN_COLUMNS)
        if "PROVENANCE" not in frame.columns:
            frame = frame.with_columns(pl.lit(provenance).alias("PROVENANCE"))
        frame.write_parquet(folder / f"{name.upper()}.parquet")
        frame.write_csv(folder / f"{name.upper()}.csv")


def run_record(
    study: Study, source: Source | None, results: pl.DataFrame, digest: str, provenance: str, findings: pl.DataFrame, seed: int | None
) -> dict[str, Any]:
    """Return what was run on what: versions, hashes, seed and time."""
    files = source.files if source is not None else ()
    return {
        "study": study.study.id,
        "study_hash": study.hash,
        "rules": study.rules,
        "provenance": provenance,
        "cutoff": study.study.cutoff.isoformat() if study.study.cutoff else None,
        "seed": seed,
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "results": {"rows": results.height, "sha256": digest},
        "data": [{"file": file.name, "domain": file.domain, "rows": file.rows, "form": file.form, "sha256": file.sha256} for file in files],
        "findings": {severity: findings.filter(pl.col("SEVERITY") == severity).height for severity in ("stop", "warning", "note")},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
