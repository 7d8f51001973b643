"""How is CDISC Dataset-JSON read and written, as one JSON document or as NDJSON?

Formats: CDISC Dataset-JSON version 1.1 (2024), https://www.cdisc.org/standards/data-exchange/dataset-json, and for reading version 1.0
(2023), whose one data set stands in clinicalData or referenceData.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.forms.text import decoded, marked_halves
from cartrial.sdtm.vocabulary.schema import DOMAINS, domain_label, kind_of, variable_label

__all__ = ["NotDatasetJson", "dataset_json_bytes", "read_dataset_json_table"]

# Equal data give equal bytes, so no clock is read.
CREATED = "1970-01-01T00:00:00"


class NotDatasetJson(InputError):
    """JSON of another kind: settings, metadata, records of a registry."""


def _document(data: bytes, file: str, lines: bool | None) -> dict[str, Any]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:2] in (b"{\x00", b"\x00{"):
        raise InputError("the text is UTF-16, not UTF-8", file=file, right="Save the file as UTF-8")
    if not data.strip():
        raise InputError("the file is empty", file=file, right="It is CDISC Dataset-JSON 1.1")
    text = decoded(data.removeprefix(b"\xef\xbb\xbf"))
    # a line ends at a line feed alone: within a text the other separators of Unicode are characters
    first, _, rest = text.partition("\n")
    if lines is None:
        lines = bool(rest.strip()) and rest.lstrip().startswith("[")
    if not lines:
        return _object(_json(text, file, None), file)
    head = _object(_json(first, file, 1), file)
    rows = rest.split("\n")
    # One array of all lines parses faster than a line at a time; only a bad file is read line by line, to name the line.
    body = [line for line in rows if line.strip()]
    try:
        head["rows"] = json.loads("[" + ",".join(body) + "]", strict=False)
    except (ValueError, RecursionError):
        for number, line in enumerate(rows, start=2):
            if line.strip():
                _json(line, file, number)
        raise InputError("the lines are not one record each", file=file, right="Each line after the first is one array") from None
    return head


def _json(text: str, file: str, row: int | None) -> Any:
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        what = f"the file is no valid JSON, or cut off ({error.msg})"
        raise InputError(what, file=file, row=row or error.lineno, right="It is CDISC Dataset-JSON 1.1") from None
    except RecursionError:
        raise InputError("the JSON is nested too deeply", file=file, row=row, right="It is CDISC Dataset-JSON 1.1") from None
    except ValueError as error:  # a number of thousands of digits
        raise InputError("a number has thousands of digits", file=file, row=row, right="Check the numbers of the file") from error


def _object(value: Any, file: str) -> dict[str, Any]:
    if not isinstance(value, dict) or "datasetJSONVersion" not in value:
        right = "It starts with an object that has datasetJSONVersion, name, columns and records"
        raise NotDatasetJson("the file is JSON but no Dataset-JSON", file=file, right=right)
    version = str(value["datasetJSONVersion"])
    if version.startswith("1.0") and ("clinicalData" in value or "referenceData" in value):
        return _first_version(value, file)
    if not version.startswith("1.1"):
        raise InputError(f"the version is {version}", file=file, key="datasetJSONVersion", right="It is 1.1, or 1.0 with clinicalData")
    missing = [key for key in ("name", "columns", "records") if key not in value]
    if missing:
        raise InputError("the attribute is missing", file=file, key=missing[0], right="It is CDISC Dataset-JSON 1.1")
    return value


def _first_version(value: dict[str, Any], file: str) -> dict[str, Any]:
    """Return a document of version 1.0 as one of 1.1; its first item is the number of the record and no variable."""
    kind = "clinicalData" if "clinicalData" in value else "referenceData"
    groups = value[kind].get("itemGroupData") if isinstance(value[kind], dict) else None
    wrong = InputError(
        "the file is Dataset-JSON 1.0 and not whole", file=file, key=kind, right="Its itemGroupData has one data set: name, items, itemData"
    )
    if not isinstance(groups, dict) or not groups:
        raise wrong
    if len(groups) > 1:
        raise InputError(f"the file is Dataset-JSON 1.0 with {len(groups)} data sets", file=file, right="One data set stands in one file")
    group = next(iter(groups.values()))
    if not isinstance(group, dict) or not {"name", "items", "itemData"} <= set(group):
        raise wrong
    items, rows = group["items"], group["itemData"]
    if not isinstance(items, list) or not isinstance(rows, list) or not all(isinstance(item, dict) for item in items):
        raise wrong
    first = 1 if items and items[0].get("name") == "ITEMGROUPDATASEQ" else 0
    cut = [row[first:] if isinstance(row, list) else row for row in rows]
    return {"name": group["name"], "columns": items[first:], "records": group.get("records", len(rows)), "rows": cut}


def read_dataset_json_table(data: bytes, file: str, *, lines: bool | None) -> tuple[str, pl.DataFrame]:
    """Return a Dataset-JSON file, of version 1.1 or 1.0, as its name and a frame.

    Parameters
    ----------
    data : bytes
        The file's bytes.
    file : str
        File name, for messages.
    lines : bool
        True for NDJSON, None where it is to be found out.

    Raises
    ------
    NotDatasetJson
        If it is JSON of another kind.
    InputError
        If it is cut off, of another version, or a row differs in length from the columns.
    """
    document = _document(data, file, lines)
    columns, rows = document["columns"], document.get("rows") or []
    if not isinstance(rows, list):
        raise InputError("the rows are no list", file=file, key="rows", right="Each row is an array with one value a column")
    if not isinstance(columns, list) or not all(isinstance(column, dict) and column.get("name") for column in columns):
        raise InputError("the columns have no names", file=file, key="columns", right="Each column has itemOID, name, label and dataType")
    names = [marked_halves(str(column["name"])) for column in columns]
    wrong = next((i for i, row in enumerate(rows) if not isinstance(row, list) or len(row) != len(names)), None)
    if wrong is not None:
        raise InputError(
            f"the record has not the {len(names)} values of the columns",
            file=file,
            row=wrong + 2,
            right="Each row is an array with one value a column",
        )
    if document["records"] != len(rows):
        raise InputError(
            f"the file says {document['records']} records and has {len(rows)}",
            file=file,
            key="records",
            right="Write or copy the file again",
        )
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice:
        raise InputError("the columns have this name twice", file=file, key=twice, right="Each variable stands once")
    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    series = [_series(name, column, file) for name, column in zip(names, values, strict=True)]
    return marked_halves(str(document["name"])).strip().upper(), pl.DataFrame(series)


def _series(name: str, values: tuple[Any, ...], file: str) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {str}:
        return _texts(name, values)
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds <= {int, float}:
        whole = kinds == {int} and all(value is None or abs(value) < 2**63 for value in values)
        return pl.Series(name, values, dtype=pl.Int64) if whole else pl.Series(name, [_float(value) for value in values], dtype=pl.Float64)
    if kinds <= {str, int, float}:
        return _texts(name, [value if value is None or isinstance(value, str) else f"{_float(value):.15g}" for value in values])
    raise InputError("the column holds lists or objects, not single values", file=file, key=name, right="It holds text, numbers or dates")


def _texts(name: str, values: Sequence[str | None]) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=pl.String)
    except UnicodeEncodeError:  # an escape such as \ud800 alone
        return pl.Series(name, [value if value is None else marked_halves(value) for value in values], dtype=pl.String)


def _float(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:
        return float("inf")


def _column(domain: str, name: str, dtype: pl.DataType, keys: list[str]) -> dict[str, Any]:
    kind = "integer" if dtype.is_integer() else "float" if dtype.is_float() else "string"
    column: dict[str, Any] = {"itemOID": f"IT.{domain}.{name}", "name": name, "label": variable_label(domain, name), "dataType": kind}
    if name in keys:
        column["keySequence"] = keys.index(name) + 1
    return column


def dataset_json_bytes(frame: pl.DataFrame, domain: str, study: str, *, lines: bool) -> bytes:
    """Return a domain as Dataset-JSON 1.1; equal frames give equal bytes.

    Parameters
    ----------
    frame : polars.DataFrame
        The domain, text and numbers.
    domain, study : str
        Their names.
    lines : bool
        True for NDJSON.
    """
    known = DOMAINS.get(domain)
    keys = [variable.name for variable in known.variables if variable.need == "key"] if known else []
    head: dict[str, Any] = {
        "datasetJSONCreationDateTime": CREATED,
        "datasetJSONVersion": "1.1.0",
        "originator": "cartrial",
        "studyOID": study,
        "itemGroupOID": f"IG.{domain}",
        "records": frame.height,
        "name": domain,
        "label": domain_label(domain),
        "columns": [_column(domain, name, dtype, keys) for name, dtype in frame.schema.items()],
    }
    texts = [name for name in frame.columns if kind_of(domain, name) in ("text", "date")]
    rows = frame.with_columns(pl.col(texts).fill_null("")).rows() if texts else frame.rows()
    if lines:
        return "".join(json.dumps(part, ensure_ascii=False) + "\n" for part in (head, *rows)).encode("utf-8")
    return json.dumps({**head, "rows": rows}, ensure_ascii=False).encode("utf-8")
