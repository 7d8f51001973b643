"""Which files does a run leave, and how are they written whole or not at all?"""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from cartrial.errors import InputError

__all__ = ["built_beside", "run_record", "write_adam"]

PACKAGES = ("cartrial", "polars", "numpy", "scipy", "pydantic", "jinja2")
DATASETS = ("adsl", "adrs", "adtte", "adae", "adck", "adresp")


def write_adam(adam: Any, provenance: str, folder: Path) -> None:
    """Write each derived set as CSV (opens anywhere) and Parquet (keeps its types), the provenance on every row.

    The integer keys of the engine are left out: STUDYID and USUBJID identify a subject in a file.
    """
    folder.mkdir()
    for name in DATASETS:
        frame: pl.DataFrame = getattr(adam, name)
        if "USUBJID" in frame.columns:
            frame = frame.drop("TRIAL", "SUBJ", strict=False)
        if "PROVENANCE" not in frame.columns:
            frame = frame.with_columns(pl.lit(provenance).alias("PROVENANCE"))
        frame.write_parquet(folder / f"{name.upper()}.parquet")
        frame.write_csv(folder / f"{name.upper()}.csv")


def run_record(
    study: Any, source: Any, results: pl.DataFrame, digest: str, provenance: str, findings: pl.DataFrame, seed: int | None
) -> dict[str, Any]:
    """Return what was run on what: versions, hashes, seed and time."""
    files = tuple(getattr(source, "files", ()) or ())
    return {
        "study": study.study.id,
        "study_hash": study.hash,
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


@contextmanager
def built_beside(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` to build in; its content is moved to `out` when all went well, else removed.

    Other files in `out` are left as they are.

    Raises
    ------
    InputError
        If `out` is a file or its place cannot be written to.
    """
    out = Path(os.path.abspath(out))
    if out.exists() and not out.is_dir():
        raise InputError("the place for the output is a file", file=str(out), right="Name a folder")
    near = next(folder for folder in out.parents if folder.is_dir())
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=near))
    except OSError as error:
        raise InputError(
            "the output cannot be written there", file=str(out), right="Name a folder in a place that can be written to"
        ) from error
    try:
        new, old = temporary / "new", temporary / "old"
        new.mkdir()
        old.mkdir()
        yield new
        out.mkdir(parents=True, exist_ok=True)
        for item in sorted(new.iterdir()):
            if (out / item.name).exists():
                os.replace(out / item.name, old / item.name)
            os.replace(item, out / item.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
