"""What is wrong with the values of a file, in words, and every fault at once?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

__all__ = ["combined", "in_words", "nearest", "raise_all", "shown", "unknown_keys", "wrong"]

# patterns of ids: a capital letter, then capitals and digits
ID_PATTERN = re.compile(r"\^\[A-Z\]\[A-Z0-9\]\{0,(\d+)\}\$")
LIMITS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
NUMBERS = ("float_parsing", "float_type")
WHOLE = ("int_parsing", "int_type", "int_from_float", "int_parsing_size")
DATES = ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact")
SIZES = {"too_short": ("min_length", "at least"), "too_long": ("max_length", "at most")}
TEXTS = {"string_too_short": ("min_length", "at least"), "string_too_long": ("max_length", "at most")}


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


def raise_all(faults: Iterable[PydanticCustomError]) -> None:
    """Raise every fault that a validator found, made by `wrong`; nothing where there is none."""
    found = list(faults)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ValidationError.from_exception_data("Part", [InitErrorDetails(type=fault, loc=(), input={}) for fault in found])


def combined(title: str, error: ValidationError, more: Iterable[PydanticCustomError]) -> ValidationError:
    """Return the faults of an error with further ones, made by `wrong`."""
    faults = [InitErrorDetails(type=fault, loc=(), input={}) for fault in more]
    return ValidationError.from_exception_data(title, [*(_again(found) for found in error.errors()), *faults])


def unknown_keys(title: str, error: ValidationError, known: list[str]) -> ValidationError:
    """Return an error whose unknown keys name the nearest known one, which is then no longer said to be missing."""
    found: list[InitErrorDetails] = []
    meant: set[str] = set()
    for fault in error.errors():
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            key = str(fault["loc"][0])
            near = nearest(key, known)
            meant.add(near or "")
            hint = f"The nearest known key is '{near}'" if near else "Known keys are: " + ", ".join(known)
            kind = PydanticCustomError("unknown_key", "unknown key '{key}'", {"key": key, "hint": hint})
            found.append(InitErrorDetails(type=kind, loc=fault["loc"], input=fault["input"]))
        else:
            found.append(_again(fault))
    kept = [fault for fault in found if not (fault["type"] == "missing" and len(fault["loc"]) == 1 and fault["loc"][0] in meant)]
    return ValidationError.from_exception_data(title, kept)


def _again(fault: ErrorDetails) -> InitErrorDetails:
    """Return a fault as one of a new error."""
    context = fault.get("ctx") or {}
    kind: Any = fault["type"]
    if kind in ("wrong", "unknown_key"):
        template = "{what}" if kind == "wrong" else "unknown key '{key}'"
        kind = PydanticCustomError(kind, template, context)
    return InitErrorDetails(type=kind, loc=fault["loc"], input=fault["input"], ctx=context)


def in_words(fault: ErrorDetails) -> tuple[str, str | None]:
    """Return what is wrong and what would be right, as sentences without their full stops.

    Parameters
    ----------
    fault : dict
        One of `errors()` of a Pydantic error.
    """
    kind, value, context = fault["type"], fault["input"], fault.get("ctx") or {}
    if kind == "missing":
        return "this key is required and missing", "Add it"
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        return f"a mapping is expected (found: {shown(value)})", "Write its keys and values below it, or as {key: value}"
    if kind in ("list_type", "tuple_type"):
        right = f"Write it as [{value}]" if isinstance(value, str | int | float) and str(value) else "Write it as [one, two]"
        return f"a list is expected (found: {shown(value)})", right
    what, hint = _said(kind, value, context, fault["msg"])
    if kind == "unknown_key" or isinstance(value, dict | list | tuple):
        return what, hint
    return f"{what} (found: {shown(value)})", hint


def shown(value: Any) -> str:
    """Return a value of a file as a message shows it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return "nothing" if value is None else text if len(text) <= 60 else text[:57] + "..."


def _said(kind: str, value: Any, context: Mapping[str, Any], message: str) -> tuple[str, str | None]:
    if kind in LIMITS:
        name, words = LIMITS[kind]
        return f"the number must be {words} {context[name]:g}", None
    if kind == "literal_error":
        return _of_words(value, str(context["expected"]))
    if kind == "string_pattern_mismatch":
        found = ID_PATTERN.fullmatch(str(context["pattern"]))
        if found:
            what = f"an id is a capital letter and at most {found[1]} more capitals or digits"
            return what, _as_id(str(value), int(found[1]))
        return "the text has not the form that is needed here", f"It has to fit the pattern {context['pattern']}"
    if kind in WHOLE:
        return "a whole number is expected", "Write it in digits alone, such as 28"
    if kind in NUMBERS:
        comma = isinstance(value, str) and re.fullmatch(r"-?\d+,\d+", value.strip())
        right = f"The decimal sign is a point: {value.strip().replace(',', '.')}" if comma else "Write it as 0.5 or 28"
        return "a number is expected", right
    if kind == "finite_number":
        return "the number must be finite", "Write a number such as 0.5"
    if kind in ("bool_parsing", "bool_type"):
        return "true or false is expected", "Write true or false, without quotes"
    if kind in DATES:
        return "a date is expected", "Write YYYY-MM-DD"
    if kind == "string_type":
        return "text is expected", "Write one word, or a text in quotes"
    if kind in TEXTS:
        name, words = TEXTS[kind]
        return f"the text must have {words} {_count(context[name], 'character')}", None
    if kind in SIZES:
        name, words = SIZES[kind]
        return f"the list must have {words} {_count(context[name], 'entry')}", None
    return message.removeprefix("Value error, "), context.get("hint")


def _count(number: int, word: str) -> str:
    return f"{number} {word if number == 1 else word[:-1] + 'ies' if word.endswith('y') else word + 's'}"


def _of_words(value: Any, expected: str) -> tuple[str, str]:
    """Say which words may stand where another does, the nearest first."""
    known = [quoted or bare for quoted, bare in re.findall(r"'([^']*)'|(-?\w+)", expected) if quoted or bare != "or"]
    near = nearest(str(value), known) if isinstance(value, str | int | float) and len(known) > 1 else None
    listed = ", ".join(f"'{word}'" if f"'{word}'" in expected else word for word in known)
    what = "the number is none of those that can stand here" if "'" not in expected else "the word is none of those that can stand here"
    if len(known) == 1:
        return what, f"Write {listed}"
    return what, f"The nearest is '{near}'; known are {listed}" if near and "'" in expected else f"Known are {listed}"


def _as_id(text: str, most: int) -> str | None:
    """Return how an id could be written instead."""
    made = re.sub(r"[^A-Z0-9]", "", text.upper()).lstrip("0123456789")[: most + 1]
    return f"Write for example {made}" if made else "Write for example ORR3"
