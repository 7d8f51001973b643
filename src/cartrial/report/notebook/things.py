"""How is a design, a prior or any other object of the package shown? Each value with its name and what its docstring says of it."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from markupsafe import Markup

from cartrial.report.notebook.parts import COLUMNS, LINES, cell, frame, heading, table
from cartrial.study import Study

__all__ = ["thing_of"]

DEEPEST = 2
"""How far the values of values are opened."""
MOST = 6
"""Most objects of one field that are shown."""


def thing_of(thing: Any, *, name: str = "", meaning: str = "", deep: int = 0) -> Markup:
    """Return an object as a table of its values, and beneath it what stands in it.

    Parameters
    ----------
    thing : object
        Of a data class or a model of Pydantic; its fields are shown.
    name, meaning : str
        The field of another object that it is, and what that field is.
    deep : int
        How many objects it stands in.
    """
    kind = type(thing)
    values = {field: getattr(thing, field) for field in _names(thing)}
    meanings = _meanings(kind)
    plain = [(field, _value(value), meanings.get(field, "")) for field, value in values.items() if not _empty(value) and not _opened(value)]
    absent = [field for field, value in values.items() if _empty(value)]
    less = Markup("<p>Not set: {}.</p>").format(", ".join(absent)) if absent else Markup("")
    tables = [table(("", "value", "what it is"), plain[start : start + LINES]) for start in range(0, len(plain), LINES)]
    title = f"{name}: {kind.__name__}" if name else kind.__name__
    inner = [
        _within(value, field, meanings.get(field, ""), deep) for field, value in values.items() if not _empty(value) and _opened(value)
    ]
    return heading(title, meaning or _first(kind)) + Markup("").join(tables) + less + Markup("").join(inner)


def _names(thing: Any) -> list[str]:
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing) if not field.name.startswith("_")]
    return list(getattr(type(thing), "model_fields", ()))


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | tuple | list | dict) and len(value) == 0)


def _opened(value: Any) -> bool:
    """Whether a value is shown beneath the table: an object, several of them, or a frame."""
    if isinstance(value, tuple | list):
        return any(_opened(part) for part in value)
    return isinstance(value, pl.DataFrame) or (bool(_names(value)) and not isinstance(value, type))


def _alike(values: Sequence[Any]) -> bool:
    """Whether several objects are of one kind and hold plain values alone: they are the lines of a table."""
    kinds = {type(one) for one in values}
    return (
        len(kinds) == 1
        and 0 < len(_names(values[0])) <= COLUMNS
        and not any(_opened(getattr(one, field)) for one in values for field in _names(one))
        and not isinstance(values[0], Study)
    )


def _within(value: Any, name: str, meaning: str, deep: int) -> Markup:
    if isinstance(value, pl.DataFrame):
        return heading(name, meaning) + frame(value)
    if isinstance(value, tuple | list) and _alike(value):
        fields = _names(value[0])
        rows = [[_value(getattr(one, field)) for field in fields] for one in value]
        return heading(name, meaning) + table(fields, rows, what=type(value[0]).__name__)
    if isinstance(value, tuple | list):
        shown = Markup("").join(_within(part, f"{name} {place}", meaning, deep) for place, part in enumerate(value[:MOST], 1))
        return shown + (Markup("<p>{} of {} are shown.</p>").format(MOST, f"{len(value):,}") if len(value) > MOST else "")
    if isinstance(value, Study):
        return heading(f"{name}: Study", value.study.id, value.study.title)
    if not _opened(value):
        return heading(name, meaning) + Markup("<p>{}</p>").format(_value(value))
    if deep >= DEEPEST:
        return heading(f"{name}: {type(value).__name__}", meaning, "not opened here")
    return thing_of(value, name=name, meaning=meaning, deep=deep + 1)


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return table(("", "value"), [(str(name), _value(one)) for name, one in value.items()])
    return cell(value)


def _array(values: np.ndarray[Any, Any]) -> Markup:
    """Return an array: in full where it is short, else its shape and its first numbers."""
    if values.ndim == 0:
        return cell(values.item())
    if values.ndim == 1 and len(values) <= COLUMNS:
        return cell(values.tolist())
    if values.ndim == 1 and values.dtype.kind in "iuf":
        return cell(f"{len(values):,} numbers from {np.nanmin(values):.6g} to {np.nanmax(values):.6g}")
    if values.ndim == 1:
        return cell(values.tolist())
    if values.ndim == 2 and values.shape[0] <= LINES and values.shape[1] <= COLUMNS:
        return table([""] * values.shape[1], values.tolist())
    return cell(f"{' × '.join(map(str, values.shape))} numbers")


def _meanings(kind: type) -> dict[str, str]:
    """Return what the docstring of a class says of each of its fields, the first sentence of it."""
    found = {}
    text = inspect.getdoc(kind) or ""
    for match in re.finditer(r"^(?P<names>\w+(?:, \w+)*) : [^\n]*\n(?P<said>(?:[ ]{4}[^\n]*\n?)+)", text, re.MULTILINE):
        said = " ".join(match["said"].split()).replace("`", "")
        for name in match["names"].split(", "):
            found[name] = re.split(r"(?<=\.) (?=[A-Z])", said)[0]
    return found


def _first(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split()).replace("`", "")
