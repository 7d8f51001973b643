"""How is a YAML file read so that every error names its line?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from cartrial.errors import InputError
from cartrial.faults import in_words, nearest, raise_all, shown, unknown_keys, wrong

__all__ = ["FARTHEST", "Lines", "Part", "nearest", "raise_all", "read_as", "read_yaml", "validate", "wrong"]

# How many values the aliases of a file may add to those that it holds.
REPEATED = 10_000
# A study file has some kilobytes, the mapping of a sheet with 629 columns 60. Unit: bytes.
LARGEST = 4_000_000
# Of a whole number: 273 years in days, more subjects or rows than any file names. Beyond it dates and arrays of numbers overflow.
FARTHEST = 100_000

Lines = dict[tuple[str | int, ...], int]
Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """YAML with the booleans of YAML 1.2 alone: `no`, `on` and `yes` are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


class _Fast(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same by libyaml, where PyYAML was built with it."""


_Fast.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


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
    farthest: ClassVar[int] = FARTHEST

    @model_validator(mode="before")
    @classmethod
    def _no_truth_as_number(cls, data: Any) -> Any:
        """Refuse `true` where a number is asked for: it would be read as 1."""
        if isinstance(data, dict):
            fields = _numbers(cls)
            asked = [(value, *fields[key]) for key, value in data.items() if key in fields]
            raise_all([fault for value, key, number in asked for fault in _truths(value, number, key)])
        return data

    @model_validator(mode="after")
    def _within_range(self) -> Self:
        """Refuse whole numbers that no day, count or row can be."""
        faults = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, int) and not isinstance(number, bool) and abs(number) > self.farthest:
                    what = f"the number must be between -{self.farthest} and {self.farthest} (found: {shown(number)})"
                    faults.append(wrong(what, field.alias or name))
        raise_all(faults)
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _known_keys(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            if not any(fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1 for fault in error.errors()):
                raise
            known = [field.alias or name for name, field in cls.model_fields.items()]
            raise unknown_keys(cls.__name__, error, known) from None


@cache
def _numbers(model: type[Part]) -> dict[str, tuple[str, str]]:
    """Return the fields that take numbers and no truth: each name that may be typed, with its key and which number is meant."""
    found: dict[str, tuple[str, str]] = {}
    for name, field in model.model_fields.items():
        kinds = _kinds(field.annotation)
        if kinds & {int, float} and bool not in kinds:
            number = "a number" if float in kinds else "a whole number"
            found |= {typed: (field.alias or name, number) for typed in (name, field.alias or name)}
    return found


def _kinds(annotation: Any) -> set[Any]:
    """Return the kinds of scalars that an annotation leads to."""
    parts = get_args(annotation)
    return set().union(*(_kinds(part) for part in parts)) if parts else {annotation}


def _truths(value: Any, number: str, *place: str | int) -> Iterable[PydanticCustomError]:
    """Yield a fault for each truth among values, of a list and of a mapping too."""
    if isinstance(value, bool):
        yield wrong(f"{number} is expected (found: {str(value).lower()})", *place, right=f"Write {number}")
    elif isinstance(value, dict | list | tuple):
        for at, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _truths(inner, number, *place, at)


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
    data, lines, faults = _read(_text(path) if text is None else text, path.name)
    if faults:
        raise InputError.together(faults)
    return data, lines


def read_as(model: type[Model], path: Path, *, keep: bool = False) -> tuple[Model, Lines]:
    """Read a YAML file as a frozen object.

    Parameters
    ----------
    model : type
    path : Path
    keep : bool
        Keep what was made of the text, for whoever reads the same file again: of models that nobody changes.

    Returns
    -------
    made, lines
        The object, and the line (from 1) of every key path.

    Raises
    ------
    InputError
        As `read_yaml` and `validate` do; it has every fault of the file.
    """
    made = _kept if keep else _made
    return made(model, _text(path), path.name)


def _made(model: type[Model], text: str, name: str) -> tuple[Model, Lines]:
    data, lines, faults = _read(text, name)
    return validate(model, data, lines, name, faults), lines


@lru_cache(maxsize=256)
def _kept(model: type[Model], text: str, name: str) -> tuple[Model, Lines]:
    return _made(model, text, name)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"the file has more than {LARGEST // 10**6} MB", file=path.name, right="It is a study file or a mapping, not data"
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8 text", file=path.name, right="Save it as UTF-8") from error
    except OSError as error:
        raise InputError("the file cannot be read", file=str(path), right="Give the path of a YAML file") from error


def _read(text: str, name: str) -> tuple[Any, Lines, list[InputError]]:
    """Return the content of a file, the lines of its keys, and what can be left aside while the rest is looked at."""
    try:
        node = _composed(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise InputError(
            f"this is not valid YAML ({problem})",
            file=name,
            row=mark.line + 1 if mark else None,
            right="Check the indentation, colons and quotes",
        ) from error
    except RecursionError:
        raise InputError("the file is nested too deeply", file=name, right="Check the brackets") from None
    if node is None:
        right = "Copy a file of its kind and change it; `cartrial new` makes a study to start from"
        raise InputError("the file is empty", file=name, right=right)
    lines: Lines = {}
    faults: list[InputError] = []
    try:
        _bound_aliases(node, name)
        return _build(node, (), lines, name, faults), lines, faults
    except RecursionError:
        raise InputError("the file is nested too deeply", file=name, right="Check the brackets") from None


@lru_cache(maxsize=16)
def _composed(text: str) -> yaml.Node | None:
    """Return the nodes of a text, which nobody changes: a study is read again by every step, and parsing is most of reading it."""
    # libyaml lets some tabs pass, and reads some escapes not; what it refuses is said in PyYAML's own words
    if "\t" not in text:
        try:
            return yaml.compose(text, Loader=_Fast)
        except yaml.YAMLError:
            pass
    return yaml.compose(text, Loader=_Loader)


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


def _build(node: yaml.Node, at: tuple[str | int, ...], lines: Lines, name: str, faults: list[InputError]) -> Any:
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            row = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError("a key is no word", file=name, row=row, right="Write `key: value`")
            key = _whole(str(key_node.value), at, row, name, faults)
            if key in mapping:
                faults.append(InputError(f"the key '{key}' stands twice", file=name, row=row, right="Keep one of the two"))
                continue
            mapping[key] = _build(value_node, (*at, key), lines, name, faults)
            lines[(*at, key)] = row
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*at, i), lines, name, faults) for i, child in enumerate(node.value)]
    return _scalar(node, at, name, faults)


def _scalar(node: yaml.Node, at: tuple[str | int, ...], name: str, faults: list[InputError]) -> Any:
    loader = _Loader("")
    try:
        value = loader.construct_object(node, deep=True)
        if isinstance(value, int) and abs(value) > 10**300:
            raise ValueError
        return _whole(value, at, node.start_mark.line + 1, name, faults) if isinstance(value, str) else value
    except (ValueError, yaml.YAMLError) as error:
        said = "a number has at most 300 digits" if "int" in node.tag else getattr(error, "problem", None) or error
        key = ".".join(str(part) for part in at)
        right = "Write dates as YYYY-MM-DD, and other text in quotes"
        value = node.value if len(node.value) <= 60 else f"{node.value[:60]}..."
        row = node.start_mark.line + 1
        faults.append(InputError(f"'{value}' cannot be read: {said}", file=name, row=row, key=key, right=right))
        return node.value
    finally:
        loader.dispose()


def _whole(text: str, at: tuple[str | int, ...], row: int, name: str, faults: list[InputError]) -> str:
    """Return a text whose escapes of two halves are one character; name a half that stands alone."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        half = next(char for char in text if 0xD800 <= ord(char) < 0xE000)
        what = f"\\u{ord(half):04x} is half of a pair and no character"
        faults.append(InputError(what, file=name, row=row, key=_key(at), right="Write the character itself"))
        return "".join("\ufffd" if 0xD800 <= ord(char) < 0xE000 else char for char in text)


def validate(model: type[Model], data: Any, lines: Lines, file: str, faults: Iterable[InputError] = ()) -> Model:
    """Turn YAML data into a frozen object.

    Parameters
    ----------
    faults : iterable of InputError
        What was found while reading.

    Raises
    ------
    InputError
        Naming the file, the line and the key of everything that is wrong.
    """
    found = list(faults)
    if not isinstance(data, dict):
        raise InputError("a mapping of keys is expected", file=file, row=1, right="Start with `schema: 1`")
    try:
        made = model.model_validate(data)
    except ValidationError as error:
        unread = {fault.key for fault in found if fault.key}
        places = _meant([(_path(fault, data), fault) for fault in error.errors()])
        found += [_fault(path, fault, lines, file) for path, fault in places if _key(path) not in unread]
        raise InputError.together(found) from None
    if found:
        raise InputError.together(found)
    return made


Place = tuple[str | int, ...]
KINDS = {"string_type": "text", "dict_type": "a mapping", "model_type": "a mapping", "list_type": "a list", "tuple_type": "a list"}


def _meant(places: list[tuple[Place, ErrorDetails]]) -> list[tuple[Place, ErrorDetails]]:
    """Leave of a value that may be of several kinds, and is of none, the fault that lies deepest; of several as deep the first."""
    kept: list[tuple[Place, ErrorDetails]] = []
    for path, fault in places:
        deeper = any(other[: len(path)] == path and len(other) > len(path) for other, _ in places)
        twice = any(other == path and before["type"] in KINDS for other, before in kept)
        if not (deeper and fault["type"] in (*KINDS, "too_short")) and not (twice and fault["type"] in KINDS):
            kept.append((path, fault))
    return kept


def _key(path: Place) -> str:
    return ".".join(str(part) for part in path)


def _fault(path: Place, fault: ErrorDetails, lines: Lines, file: str) -> InputError:
    row = next((lines[path[:i]] for i in range(len(path), -1, -1) if path[:i] in lines), None)
    what, right = in_words(fault)
    return InputError(what, file=file, row=row, key=_key(path), right=right)


def _path(fault: ErrorDetails, data: Any) -> Place:
    """Keep the parts of a Pydantic location that are keys of the data (tags of kinds are not), and add where a validator saw the fault."""
    path: list[str | int] = []
    loc = fault["loc"]
    for i, part in enumerate(loc):
        missing = i == len(loc) - 1 and fault["type"] in ("missing", "unknown_key")
        if isinstance(data, dict) and (part in data or missing):
            path.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            path.append(part)
            data = data[part]
    return (*path, *fault.get("ctx", {}).get("at", ()))
