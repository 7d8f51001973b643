"""How is CDISC Dataset-JSON 1.1 read and written, as one JSON document or as NDJSON?

Format: CDISC Dataset-JSON version 1.1 (2024), https://www.cdisc.org/standards/data-exchange/dataset-json.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.vocabulary.schema import DOMAINS, domain_label, kind_of, variable_label

__all__ = ["dataset_json_bytes", "read_dataset_json_table"]

# Equal data give equal bytes, so no clock is read.
CREATED = "1970-01-01T00:00:00"


def _document(data: bytes, file: str, lines: bool) -> dict[str, Any]:
    if not data.strip():
        raise InputError("the file is empty", file=file, right="It is CDISC Dataset-JSON 1.1")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"the byte {data[error.start]:#04x} is not UTF-8 text",
            file=file,
            row=data.count(b"\n", 0, error.start) + 1,
            right="Dataset-JSON is UTF-8",
        ) from None
    if not lines:
        return _object(_json(text, file, None), file)
    rows = text.splitlines()
    head = _object(_json(rows[0], file, 1), file)
    # One array of all lines parses faster than a line at a time; only a bad file is read line by line, to name the line.
    body = [line for line in rows[1:] if line.strip()]
    try:
        head["rows"] = json.loads("[" + ",".join(body) + "]")
    except json.JSONDecodeError:
        for number, line in enumerate(rows[1:], start=2):
            if line.strip():
                _json(line, file, number)
        raise InputError("the lines are not one record each", file=file, right="Each line after the first is one array") from None
    return head


def _json(text: str, file: str, row: int | None) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"the file is no valid JSON, or cut off ({error.msg})", file=file, row=row or error.lineno, right="It is CDISC Dataset-JSON 1.1"
        ) from None


def _object(value: Any, file: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(
            "the file is JSON but no Dataset-JSON", file=file, right="It starts with an object that has name, columns and records"
        )
    missing = [key for key in ("datasetJSONVersion", "name", "columns", "records") if key not in value]
    if missing:
        raise InputError("the attribute is missing", file=file, key=missing[0], right="It is CDISC Dataset-JSON 1.1")
    version = str(value["datasetJSONVersion"])
    if not version.startswith("1.1"):
        raise InputError(f"the version is {version}", file=file, key="datasetJSONVersion", right="It is 1.1")
    return value


def read_dataset_json_table(data: bytes, file: str, *, lines: bool) -> tuple[str, pl.DataFrame]:
    """Return a Dataset-JSON 1.1 file as its name and a frame.

    Parameters
    ----------
    data : bytes
        The file's bytes.
    file : str
        File name, for messages.
    lines : bool
        True for NDJSON.

    Raises
    ------
    InputError
        If it is not Dataset-JSON 1.1, cut off, or a row differs in length from the columns.
    """
    document = _document(data, file, lines)
    columns, rows = document["columns"], document.get("rows") or []
    if not isinstance(columns, list) or not all(isinstance(column, dict) and column.get("name") for column in columns):
        raise InputError("the columns have no names", file=file, key="columns", right="Each column has itemOID, name, label and dataType")
    names = [str(column["name"]) for column in columns]
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
    return str(document["name"]).strip().upper(), pl.DataFrame(series)


def _series(name: str, values: tuple[Any, ...], file: str) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {str}:
        return pl.Series(name, values, dtype=pl.String)
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds <= {int, float}:
        return pl.Series(name, values, dtype=pl.Int64 if kinds == {int} else pl.Float64, strict=False)
    if kinds <= {str, int, float}:
        return pl.Series(name, [value if value is None or isinstance(value, str) else f"{value:.15g}" for value in values], dtype=pl.String)
    raise InputError("the column holds lists or objects, not single values", file=file, key=name, right="It holds text, numbers or dates")


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
