"""How is a set written as Dataset-JSON 1.1 (CDISC, 2024-12-05)?"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from cartrial.submission.adam.shaped import Shaped
from cartrial.submission.variables import Variable

__all__ = ["dataset_json_bytes", "item_oid", "set_oid"]


def set_oid(name: str) -> str:
    """Return the OID of a set, in define.xml and Dataset-JSON."""
    return f"IG.{name}"


def item_oid(name: str, variable: str) -> str:
    """Return the OID of a variable, in define.xml and Dataset-JSON."""
    return f"IT.{name}.{variable}"


def _column(name: str, variable: Variable, lengths: Mapping[str, int], keys: tuple[str, ...], language: str) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "text": {"dataType": "string", "length": lengths.get(variable.name, 1)},
        "integer": {"dataType": "integer"},
        "float": {"dataType": "float"},
        "date": {"dataType": "date", "targetDataType": "integer", "displayFormat": "DATE9."},
    }
    column = {"itemOID": item_oid(name, variable.name), "name": variable.name, "label": variable.labelled(language)}
    column |= kinds[variable.kind]
    return column | ({"keySequence": keys.index(variable.name) + 1} if variable.name in keys else {})


def dataset_json_bytes(shaped: Shaped, study: str, lengths: Mapping[str, int], made: dt.date, *, language: str = "en") -> bytes:
    """Return a set as Dataset-JSON 1.1; missing text is an empty string, a missing number or date null.

    Parameters
    ----------
    shaped : Shaped
    study : str
        Its name.
    lengths : mapping of str to int
        Bytes of each text variable in the whole study.
    made : datetime.date
        What stands where the format asks for the time of writing.
    language : str
        Of labels, `en` or `zh`.
    """
    dataset = shaped.dataset
    head = {
        "datasetJSONCreationDateTime": f"{made.isoformat()}T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "originator": "cartrial",
        "studyOID": study,
        "metaDataVersionOID": f"MDV.{study}",
        "metaDataRef": "define.xml",
        "itemGroupOID": set_oid(dataset.name),
        "records": shaped.frame.height,
        "name": dataset.name,
        "label": dataset.labelled(language),
        "columns": [_column(dataset.name, variable, lengths, dataset.keys, language) for variable in dataset.variables],
    }
    rows = shaped.frame.select(
        pl.col(v.name).fill_null("") if v.kind == "text" else pl.col(v.name).cast(pl.String) if v.kind == "date" else pl.col(v.name)
        for v in dataset.variables
    )
    return json.dumps({**head, "rows": rows.rows()}, ensure_ascii=False, allow_nan=False).encode("utf-8")
