"""How is a byte that is no UTF-8 text, or half a character, carried until it is known whether a rule reads it?"""

from __future__ import annotations

import csv

import polars as pl

__all__ = ["MARKED", "decoded", "marked_byte", "marked_halves", "marked_place", "shown", "shown_text"]

# The csv module keeps one limit for the whole process, and other libraries raise it (scipy.io does): what is read must not
# hang on who was imported first. Whoever has a limit of their own states it.
csv.field_size_limit(max(csv.field_size_limit(), 2**31 - 1))

# A byte that is no text becomes a character that no text has, of the last private plane; 0x92 is U+10FF92.
_FIRST = 0x10FF00
_MARKS = {0xDC00 + byte: _FIRST + byte for byte in range(0x80, 0x100)}
# Half of a pair of \uXXXX escapes, a lone surrogate, likewise; \ud800 is U+10F000.
_FIRST_HALF = 0x10F000
_HALVES = {code: _FIRST_HALF + code - 0xD800 for code in range(0xD800, 0xE000)}
MARKED = r"[\x{10F000}-\x{10F7FF}\x{10FF80}-\x{10FFFF}]"
"""Pattern of Polars that finds a marked byte, or half a character."""


def decoded(data: bytes) -> str:
    """Return bytes as UTF-8 text; a byte that is none is marked."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape").translate(_MARKS)


def marked_halves(text: str) -> str:
    r"""Return a text with each lone surrogate (``"\ud800"`` alone) marked; none can be written as UTF-8."""
    return text.translate(_HALVES)


def marked_place(text: str) -> str:
    """Return in words what is no text in a text with marks: its first byte, or its first half of a character."""
    half = next((ord(char) for char in text if _FIRST_HALF <= ord(char) < _FIRST_HALF + 0x800), None)
    return f"the byte {marked_byte(text):#04x}" if half is None else f"\\u{half - _FIRST_HALF + 0xD800:04x}, half of a pair,"


def marked_byte(text: str) -> int:
    """Return the first marked byte of a text."""
    return next(ord(char) - _FIRST for char in text if ord(char) >= _FIRST + 0x80)


def shown(column: pl.Expr) -> pl.Expr:
    """Return a text with each marked byte as the sign for a character that is not known."""
    return column.str.replace_all(MARKED, "\ufffd")


def shown_text(text: str) -> str:
    """Return one text likewise."""
    return "".join("\ufffd" if ord(char) >= _FIRST + 0x80 or 0 <= ord(char) - _FIRST_HALF < 0x800 else char for char in text)
