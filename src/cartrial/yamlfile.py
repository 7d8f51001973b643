"""How is a YAML file read so that every error names its line?"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from cartrial.errors import InputError

__all__ = ["Lines", "Part", "nearest", "read_yaml", "validate", "wrong"]

# How many values the aliases of a file may add to those that it holds.
REPEATED = 10_000
# A study file has some kilobytes, the mapping of a sheet with 629 columns 60. Unit: bytes.
LARGEST = 4_000_000

Lines = dict[tuple[str | int, ...], int]
Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """YAML with the booleans of YAML 1.2 alone: `no`, `on` and `yes` are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def nearest(word: str, known: list[str]) -> str | None:
    """Return the known word most like `word`, or None."""
    spelt = {name.lower(): name for name in reversed(known)}
    found = difflib.get_close_matches(word.lower().replace("_", "-"), list(spelt), n=1, cutoff=0.5)
    return spelt[found[0]] if found else None


def wrong(what: str, *at: str | int, right: str | None = None) -> PydanticCustomError:
    """Return an error for a validator to raise that names where, below what is validated, the fault stands.

    Parameters
    ----------
    what : str
        What is wrong, as a sentence without its full stop.
    *at : str or int
        Keys as the file has them, and positions in lists, e.g. ``"endpoints", 0, "window", "at"``.
    right : str, optional
        What would be right.
    """
    return PydanticCustomError("wrong", "{what}", {"what": what, "at": at, "hint": right})


class Part(BaseModel):
    """A frozen piece of a YAML file: kebab-case keys, unknown keys refused with the nearest known one."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        alias_generator=lambda name: name.replace("_", "-"),
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = [field.alias or name for name, field in cls.model_fields.items()]
        names = set(cls.model_fields)
        for key in data:
            if key not in known and key not in names:
                near = nearest(str(key), known)
                hint = f"The nearest known key is '{near}'" if near else "Known keys are: " + ", ".join(known)
                raise PydanticCustomError("unknown_key", "unknown key '{key}'", {"key": str(key), "hint": hint})
        return data


def read_yaml(path: Path, *, text: str | None = None) -> tuple[Any, Lines]:
    """Read a YAML file.

    Parameters
    ----------
    path : Path
        The file.
    text : str, optional
        Its content, where it was read already.

    Returns
    -------
    data, lines
        The content, and the line (from 1) of every key path, e.g. ``("endpoints", 0, "window")``.

    Raises
    ------
    InputError
        If the file is missing, empty, not UTF-8, not YAML, or holds a key twice.
    """
    name = path.name
    if text is None:
        try:
            if path.stat().st_size > LARGEST:
                raise InputError(
                    f"the file has more than {LARGEST // 10**6} MB", file=name, right="It is a study file or a mapping, not data"
                )
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError("the file is not UTF-8 text", file=name, right="Save it as UTF-8") from error
        except OSError as error:
            raise InputError("the file cannot be read", file=str(path), right="Give the path of a YAML file") from error
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise InputError(
            f"this is not valid YAML: {problem}",
            file=name,
            row=mark.line + 1 if mark else None,
            right="Check the indentation, colons and quotes",
        ) from error
    except RecursionError:
        raise InputError("the file is nested too deeply", file=name, right="Check the brackets") from None
    if node is None:
        raise InputError("the file is empty", file=name, right="Write a study into it; `cartrial new` makes one to start from")
    lines: Lines = {}
    try:
        _bound_aliases(node, name)
        return _build(node, (), lines, name), lines
    except RecursionError:
        raise InputError("the file is nested too deeply", file=name, right="Check the brackets") from None


def _bound_aliases(node: yaml.Node, name: str) -> None:
    """Refuse a file whose aliases (`*name`) stand for far more values than it holds: ten lines can stand for a thousand million."""
    sizes: dict[int, int] = {}

    def size(one: yaml.Node) -> int:
        if sizes.get(id(one)) == 0:
            raise InputError("a value contains itself", file=name, row=one.start_mark.line + 1, right="Write each value out")
        if id(one) not in sizes:
            sizes[id(one)] = 0
            parts = [part for pair in one.value for part in pair] if isinstance(one, yaml.MappingNode) else one.value
            inner = sum(size(part) for part in parts) if isinstance(one, yaml.CollectionNode) else 0
            sizes[id(one)] = 1 + inner
        return sizes[id(one)]

    whole = size(node)
    if whole - len(sizes) >= REPEATED:
        raise InputError(
            f"the aliases of the file repeat more than {REPEATED} values", file=name, right="Write each value out in place of *name"
        )


def _build(node: yaml.Node, at: tuple[str | int, ...], lines: Lines, name: str) -> Any:
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError("a key is no word", file=name, row=key_node.start_mark.line + 1, right="Write `key: value`")
            key = str(key_node.value)
            if key in mapping:
                raise InputError(f"the key '{key}' stands twice", file=name, row=key_node.start_mark.line + 1, right="Keep one of the two")
            mapping[key] = _build(value_node, (*at, key), lines, name)
            lines[(*at, key)] = key_node.start_mark.line + 1
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*at, i), lines, name) for i, child in enumerate(node.value)]
    return _scalar(node, at, name)


def _scalar(node: yaml.Node, at: tuple[str | int, ...], name: str) -> Any:
    loader = _Loader("")
    try:
        return loader.construct_object(node, deep=True)
    except (ValueError, yaml.YAMLError) as error:
        said = getattr(error, "problem", None) or error
        key = ".".join(str(part) for part in at)
        right = "Write dates as YYYY-MM-DD, and other text in quotes"
        value = node.value if len(node.value) <= 60 else f"{node.value[:60]}..."
        raise InputError(f"'{value}' cannot be read: {said}", file=name, row=node.start_mark.line + 1, key=key, right=right) from None
    finally:
        loader.dispose()


def validate(model: type[Model], data: Any, lines: Lines, file: str) -> Model:
    """Turn YAML data into a frozen object.

    Raises
    ------
    InputError
        Naming the file, the line and the key of the first thing that is wrong.
    """
    if not isinstance(data, dict):
        raise InputError("a mapping of keys is expected", file=file, row=1, right="Start with `schema: 1`")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        loc = _path(first["loc"], data)
        context = first.get("ctx", {})
        loc = (*loc, *context.get("at", ()))
        if first["type"] == "unknown_key":
            loc = (*loc, str(context.get("key")))
        row = next((lines[loc[:i]] for i in range(len(loc), -1, -1) if loc[:i] in lines), None)
        right = context.get("hint")
        what = first["msg"].removeprefix("Value error, ")
        if first["type"] == "missing":
            what, right = "this key is required and missing", "Add it"
        elif first["type"] in ("dict_type", "model_type"):
            what, right = f"a mapping is expected (found: {first['input']!r})", "Write its keys and values below it, or as {key: value}"
        elif first["type"] in ("list_type", "tuple_type"):
            what, right = f"a list is expected (found: {first['input']!r})", "Write it as [one, two]"
        elif first["type"] != "unknown_key" and not isinstance(first["input"], dict | list):
            what = f"{what} (found: {first['input']!r})"
        raise InputError(what, file=file, row=row, key=".".join(str(part) for part in loc), right=right) from None


def _path(loc: tuple[str | int, ...], data: Any) -> tuple[str | int, ...]:
    """Keep the parts of a Pydantic location that are keys of the data (union tags are not)."""
    path: list[str | int] = []
    for i, part in enumerate(loc):
        if isinstance(data, dict) and (part in data or i == len(loc) - 1):
            path.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            path.append(part)
            data = data[part]
    return tuple(path)
