"""Which files does a run leave, and how are they written whole or not at all?"""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.endpoints.variables import labels_of
from cartrial.report.study.hidden.hide import HIDDEN_COLUMNS

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source
    from cartrial.study import Study

__all__ = ["files_in", "files_of_run", "run_record", "take_away", "write_adam"]

PACKAGES = ("cartrial", "polars", "numpy", "scipy", "pydantic", "jinja2")
# where a report has files whose names hang on the study, the number of its subjects and what was asked for
_VARYING = ("subjects.html", "adam", "figures", "cells")
DATASETS = ("adsl", "adrs", "adtte", "adae", "adck", "adresp")


def write_adam(adam: Adam, provenance: str, folder: Path, *, hidden: bool = False) -> None:
    """Write each derived set as CSV (opens anywhere) and Parquet (keeps its types), the provenance on every row.

    A Parquet file has the labels of its columns under the key ``labels`` of its metadata, as JSON.
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
        labels = labels_of(name.upper(), frame.columns)
        frame.write_parquet(folder / f"{name.upper()}.parquet", metadata={"labels": json.dumps(labels, ensure_ascii=False)})
        frame.write_csv(folder / f"{name.upper()}.csv")


def files_in(folder: Path) -> list[str]:
    """Return the files of a folder by their places in it, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def files_of_run(out: Path) -> list[str]:
    """Return what a former run left in a folder and a later one need not have, by its ``run.json``.

    A run that did not list its files left `subjects.html` or not: it is named where it says that cartrial made it.
    """
    try:
        record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(record, dict) or "study_hash" not in record:
        return []
    told = record.get("files")
    if not isinstance(told, list):
        page = out / "subjects.html"
        return [page.name] if page.is_file() and "Made by cartrial" in page.read_text(encoding="utf-8", errors="replace") else []
    parts = {str(name): Path(str(name)).parts for name in told}
    return [name for name, own in parts.items() if own and own[0] in _VARYING and ".." not in own]


def take_away(out: Path, names: Iterable[str]) -> None:
    """Take away files of a former run, and the folders that are empty without them."""
    for name in names:
        path = out / name
        path.unlink(missing_ok=True)
        if path.parent != out and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def run_record(
    study: Study, source: Source | None, results: pl.DataFrame, digest: str, provenance: str, findings: pl.DataFrame, seed: int | None
) -> dict[str, Any]:
    """Return what was run on what: versions, hashes, seed and time."""
    files = source.files if source is not None else ()
    return {
        "study": study.study.id,
        "study_hash": study.hash,
        "rules": study.rules,
        "study_file": study.model_dump(mode="json", by_alias=True),
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
