"""What stands in a folder of ADaM: values, labels, types and lengths of each set?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cartrial.errors import InputError
from cartrial.extras import require

__all__ = ["Held", "data_folders", "read_sets", "read_tabulations"]

_DATASET_JSON = "Write the set as Dataset-JSON 1.1: name, columns with name and dataType, and rows of as many values"
_ANALYSIS, _TABULATIONS = "m5/datasets/*/analysis/adam/datasets", "m5/datasets/*/tabulations/sdtm"


@dataclass(frozen=True)
class Held:
    """A set as a file holds it.

    Parameters
    ----------
    name, file : str
    frame : polars.DataFrame
        Blank text is null; dates are dates.
    labels : dict of str to str
    lengths : dict of str to int
        Bytes of each text variable, where the file says.
    """

    name: str
    file: str
    frame: pl.DataFrame
    labels: dict[str, str]
    lengths: dict[str, int]

    def has(self, *names: str) -> bool:
        """Say whether the set has variables of these names."""
        return set(names) <= set(self.frame.columns)


def read_sets(folder: Path) -> dict[str, Held]:
    """Return the analysis data sets of a folder, or of the folder ``adam/datasets`` of an export: XPT, else Dataset-JSON.

    Raises
    ------
    InputError
        If there is none, or a file cannot be read.
    """
    if not folder.is_dir():
        raise InputError("there is no such folder", file=str(folder), right="Name a folder of ADaM sets, or of an export")
    place = data_folders(folder)[0]
    files = sorted(path for path in place.iterdir() if path.suffix.lower() == ".xpt" and path.stem.lower().startswith("ad"))
    held = [_xpt(path) for path in files] or [found for path in sorted(place.glob("ad*.json")) if (found := _json(path))]
    if not held:
        raise InputError("there is no analysis data set", file=str(place), right="Sets are files such as adsl.xpt or adsl.json")
    return {one.name: one for one in held}


def data_folders(folder: Path) -> tuple[Path, Path | None]:
    """Return the folder of the analysis data (that of an export, else the folder itself), and that of its tabulations if it has any."""
    analysis, tabulations = sorted(folder.glob(_ANALYSIS)), sorted(folder.glob(_TABULATIONS))
    return analysis[0] if analysis else folder, tabulations[0] if tabulations else None


def read_tabulations(place: Path) -> dict[str, Held]:
    """Return the domains of a folder of SAS transport files.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    held = [_xpt(path) for path in sorted(place.glob("*.xpt"))]
    return {one.name: one for one in held}


def _xpt(path: Path) -> Held:
    pyreadstat = require("pyreadstat", extra="formats")
    columns, meta = None, None
    for encoding in ("utf-8", "gb18030", "latin-1"):
        try:
            columns, meta = pyreadstat.read_xport(str(path), output_format="dict", encoding=encoding)
            break
        except Exception as error:
            failed = error
    if columns is None or meta is None:
        raise InputError(f"the file cannot be read ({failed})", file=path.name, right="It is a SAS transport file, version 5")
    series = [_series(name, values, meta.readstat_variable_types[name] == "string") for name, values in columns.items()]
    lengths = {name: meta.variable_storage_width[name] for name in columns if meta.readstat_variable_types[name] == "string"}
    labels = {name: label or "" for name, label in meta.column_names_to_labels.items()}
    return Held((meta.table_name or path.stem).upper(), path.name, pl.DataFrame(series), labels, lengths)


def _series(name: str, values: list[Any], text: bool) -> pl.Series:
    if text:
        return pl.Series(name, [value or None for value in values], dtype=pl.String)
    found = pl.Series(name, values, strict=False)
    return found.cast(pl.Float64) if found.dtype in (pl.Null, pl.Object) else found


def _json(path: Path) -> Held | None:
    """Return a set of Dataset-JSON 1.1; None where the file is other JSON.

    Raises
    ------
    InputError
        If it is no JSON, or its columns and rows are not as Dataset-JSON has them.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"the file cannot be read ({error})", file=path.name, right=_DATASET_JSON) from None
    if not isinstance(found, dict) or not {"columns", "rows"} <= set(found):
        return None
    columns, rows = found["columns"], found["rows"]
    if not _whole(columns) or "name" not in found or not isinstance(rows, list):
        raise InputError("a column has no name or dataType, or the set has none", file=path.name, right=_DATASET_JSON)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(columns):
            raise InputError(f"there are {len(columns)} columns, and row {number} has another number", file=path.name, right=_DATASET_JSON)
    try:
        series = [_column(column, [row[i] for row in rows]) for i, column in enumerate(columns)]
    except (TypeError, ValueError) as error:
        raise InputError(f"a value is not of its column's dataType ({error})", file=path.name, right=_DATASET_JSON) from None
    labels = {column["name"]: column.get("label") or "" for column in columns}
    lengths = {column["name"]: column["length"] for column in columns if column["dataType"] == "string" and "length" in column}
    return Held(str(found["name"]).upper(), path.name, pl.DataFrame(series), labels, lengths)


def _whole(columns: Any) -> bool:
    """Say whether all columns have what is needed of one, and each a name of its own."""
    if not isinstance(columns, list):
        return False
    named = [column.get("name") for column in columns if isinstance(column, dict) and isinstance(column.get("dataType"), str)]
    return len(named) == len(columns) == len(set(map(str, named))) and all(isinstance(name, str) for name in named)


def _column(column: dict[str, Any], values: list[Any]) -> pl.Series:
    if column["dataType"] == "date" and column.get("targetDataType") == "integer":
        return pl.Series(column["name"], values, dtype=pl.String).str.to_date(strict=False)
    if column["dataType"] in ("integer", "float", "double", "decimal"):
        return pl.Series(column["name"], [None if v is None else float(v) for v in values], dtype=pl.Float64)
    return pl.Series(column["name"], [v or None for v in values], dtype=pl.String)
