"""What does a folder hold that `cartrial report` wrote?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cartrial.analysis.results import read_results, results_hash
from cartrial.errors import InputError
from cartrial.files import sha256_of

__all__ = ["SETS", "Run", "read_run", "require_same_study"]

SETS = ("ADSL", "ADRS", "ADTTE", "ADRESP")
"""Derived sets that are compared."""

# what a comparison asks of each; a file of another set in its place lacks them
_COLUMNS = {
    "ADSL": ("INFFL",),
    "ADRS": ("PARAMCD", "VARIANT", "AVALC"),
    "ADTTE": ("PARAMCD", "VARIANT", "CNSR"),
    "ADRESP": ("READER", "CARDAY", "AVALC", "USABLE"),
}
_RIGHT = "Name a folder that `cartrial report ... --out FOLDER` wrote"
_ASKED = ("study", "study_hash", "rules", "provenance", "results", "versions")


@dataclass(frozen=True)
class Run:
    """One run: what was run on what, its results, and its derived sets by name."""

    folder: Path
    record: dict[str, Any]
    results: pl.DataFrame
    sets: dict[str, pl.DataFrame]


def read_run(folder: str | Path) -> Run:
    """Read what a run left.

    Raises
    ------
    InputError
        If the folder is not one that `cartrial report` wrote, or its files do not belong together.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import InputError
    >>> from cartrial.report.compare.runs import read_run
    >>> with TemporaryDirectory() as folder:
    ...     try:
    ...         read_run(folder)
    ...     except InputError as error:
    ...         print(error.what)
    this is no output folder of a report: there is no run.json
    """
    place = Path(folder)
    if not place.exists():
        raise InputError("there is no such folder", file=str(place), right=_RIGHT)
    if not place.is_dir():
        raise InputError("this is a file", file=str(place), right=_RIGHT)
    record = _record(place)
    path = place / "results.parquet"
    if not path.is_file():
        raise InputError("this is no output folder of a report: there is no results.parquet", file=str(place), right=_RIGHT)
    try:
        results = read_results(path)
    except InputError as error:
        raise InputError(error.what, file=str(path), key=error.key, right=_RIGHT) from error
    if results_hash(results) != record["results"].get("sha256"):
        raise InputError(
            "the results are not those that run.json tells of",
            file=str(path),
            right="Compare folders as they were written; run the report again",
        )
    return Run(place, record, results, {name: _set(place, name, record) for name in SETS})


def _record(place: Path) -> dict[str, Any]:
    path = place / "run.json"
    if not path.is_file():
        raise InputError("this is no output folder of a report: there is no run.json", file=str(place), right=_RIGHT)
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("run.json cannot be read", file=str(path), right=_RIGHT) from error
    lacks = [name for name in _ASKED if not isinstance(record, dict) or name not in record]
    if lacks or not isinstance(record["results"], dict) or not isinstance(record["versions"], dict):
        raise InputError(f"run.json does not say '{lacks[0] if lacks else 'results'}'", file=str(path), right=_RIGHT)
    return record


def _set(place: Path, name: str, record: dict[str, Any]) -> pl.DataFrame:
    path = place / "adam" / f"{name}.parquet"
    if not path.is_file():
        raise InputError(f"this is no output folder of a report: there is no adam/{name}.parquet", file=str(place), right=_RIGHT)
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError("the derived set cannot be read", file=str(path), right=_RIGHT) from error
    lacks = [column for column in ("USUBJID", *_COLUMNS[name]) if column not in frame.columns]
    if lacks:
        raise InputError(f"the derived set has no {lacks[0]}", file=str(path), right=_RIGHT)
    told = record.get("derived")  # null in a run of an older version
    if isinstance(told, dict) and told.get(name) != sha256_of(path):
        raise InputError(
            "the derived set is not the one that run.json tells of",
            file=str(path),
            right="Compare folders as they were written; run the report again",
        )
    return frame


def require_same_study(one: Run, two: Run) -> None:
    """Refuse two runs that are not of one study, or whose subjects have not one name.

    Raises
    ------
    InputError
        Naming both.
    """
    first, second = one.record, two.record
    if first["study"] != second["study"]:
        raise InputError(
            f"the two runs are of different studies: '{first['study']}' in {one.folder}, '{second['study']}' in {two.folder}",
            right="Compare two runs of one study",
        )
    if first["provenance"] != second["provenance"]:
        raise InputError(
            f"the data are {first['provenance']} in {one.folder} and {second['provenance']} in {two.folder}",
            right="Compare two runs of the same kind of data",
        )
    codes = [(run.record.get("deidentified") or {}).get("codes") for run in (one, two)]
    if codes[0] != codes[1]:
        raise InputError(
            f"subjects have not the same names in {one.folder} and in {two.folder}: their codes were drawn apart",
            key="--deidentify",
            right="Compare runs with names, or runs whose codes were drawn with the same salt",
        )
