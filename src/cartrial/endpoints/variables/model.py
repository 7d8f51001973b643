"""Which variables does each analysis data set have? The one place of labels, types, code lists and origins, read from adam.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl
import yaml

__all__ = ["CODES", "MOST_LABEL", "MOST_TEXT", "SETS", "Dataset", "Variable", "labels_of"]

MOST_LABEL = 40
"""Bytes of a label in SAS transport version 5."""
MOST_TEXT = 200
"""Bytes of a text in SAS transport version 5."""

_PREDECESSOR = re.compile(r"[A-Z0-9]{2,8}\.[A-Z0-9_]{1,8}")
_TYPES: Mapping[str, Any] = MappingProxyType({"text": pl.String, "integer": pl.Int64, "float": pl.Float64, "date": pl.Date})


@dataclass(frozen=True)
class Variable:
    """An analysis variable.

    Parameters
    ----------
    name : str
        At most eight characters, a letter first.
    kind : str
        `text`, `integer`, `float` or `date`.
    label, chinese : str
        At most 40 bytes each.
    origin : str
        A predecessor (`DM.AGE`, `ADSL.TRTSDT`), or how it is derived or assigned, in a sentence.
    codes : str
        Name of its code list in `CODES`; blank: none.
    required : bool
        Whether the set cannot be without it.

    Examples
    --------
    >>> from cartrial.endpoints.variables import SETS
    >>> age = SETS["ADSL"].variable("AGE")
    >>> age.label, age.kind, age.predecessor
    ('Age', 'integer', 'DM.AGE')
    """

    name: str
    kind: str
    label: str
    chinese: str
    origin: str
    codes: str = ""
    required: bool = False

    @property
    def predecessor(self) -> str:
        """The variable it is a copy of; blank where it is derived or assigned."""
        return self.origin if _PREDECESSOR.fullmatch(self.origin) else ""

    @property
    def type(self) -> Any:
        """Its type in a frame."""
        return _TYPES[self.kind]

    def labelled(self, language: str) -> str:
        """Return its label in a language, `en` or `zh`."""
        return self.chinese if language == "zh" else self.label


@dataclass(frozen=True)
class Dataset:
    """An analysis data set: its name, labels (English, Chinese), class, structure, keys and variables in their order."""

    name: str
    label: str
    chinese: str
    group: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...] = field(repr=False)
    subclass: str = ""

    def variable(self, name: str) -> Variable:
        """Return a variable by name."""
        return next(variable for variable in self.variables if variable.name == name)

    def with_more(self, more: tuple[Variable, ...], *, before: str) -> Dataset:
        """Return the set with variables of the study put before another; one of the same name gives way."""
        names = {variable.name for variable in more}
        kept = [variable for variable in self.variables if variable.name not in names]
        place = next(i for i, variable in enumerate(kept) if variable.name == before)
        return replace(self, variables=(*kept[:place], *more, *kept[place:]))

    def labelled(self, language: str) -> str:
        """Return its label in a language, `en` or `zh`."""
        return self.chinese if language == "zh" else self.label


def _variable(name: str, said: list[Any]) -> Variable:
    kind, label, chinese, origin = said[:4]
    more = said[4] if len(said) > 4 else {}
    return Variable(name, kind, label, chinese, origin, more.get("list", ""), more.get("need") == "Req")


def _dataset(name: str, said: dict[str, Any], groups: dict[str, dict[str, Any]]) -> Dataset:
    variables: list[Variable] = []
    for key, line in said["variables"].items():
        lines = groups[key[1:]] if key.startswith("+") else {key: line}
        variables += [_variable(one, words) for one, words in lines.items()]
    label, chinese = said["label"]
    return Dataset(name, label, chinese, said["class"], said["structure"], tuple(said["keys"]), tuple(variables), said.get("subclass", ""))


@cache
def _read() -> dict[str, Any]:
    text = (Path(__file__).parent / "adam.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


SETS: Mapping[str, Dataset] = MappingProxyType({name: _dataset(name, said, _read()["groups"]) for name, said in _read()["sets"].items()})
"""The analysis data sets by name."""

CODES: Mapping[str, Mapping[str, str]] = MappingProxyType(_read()["lists"])
"""Code lists that are the same for every study: code and what it stands for. Others follow from the study file."""

_SUBMITTED = {"ADRESP": "ADRS", "ADCK": "ADPP"}


def labels_of(name: str, columns: Iterable[str]) -> dict[str, str]:
    """Return the labels of the columns of one of the engine's sets; a column that the model has not is left out.

    Parameters
    ----------
    name : str
        Of the set: `ADSL`, `ADRS`, `ADTTE`, `ADAE`, `ADCK`, `ADRESP`.
    columns : iterable of str

    Examples
    --------
    >>> from cartrial.endpoints.variables import labels_of
    >>> labels_of("ADCK", ["AVAL", "AVALU", "MINE"])
    {'AVAL': 'Analysis Value', 'AVALU': 'Unit of the Analysis Value'}
    """
    known = dict(_read()["engine"])
    dataset = SETS.get(_SUBMITTED.get(name, name))
    known |= {variable.name: variable.label for variable in dataset.variables} if dataset else {}
    return {column: known[column] for column in columns if column in known}
