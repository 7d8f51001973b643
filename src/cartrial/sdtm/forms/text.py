"""How is a byte that is no UTF-8 text carried until it is known whether a rule reads it?"""

from __future__ import annotations

import polars as pl

__all__ = ["MARKED", "decoded", "marked_byte", "shown", "shown_text"]

# A byte that is no text becomes a character that no text has, of the last private plane; 0x92 is U+10FF92.
_FIRST = 0x10FF00
_MARKS = {0xDC00 + byte: _FIRST + byte for byte in range(0x80, 0x100)}
MARKED = r"[\x{10FF80}-\x{10FFFF}]"
"""Pattern of Polars that finds a marked byte."""


def decoded(data: bytes) -> str:
    """Return bytes as UTF-8 text; a byte that is none is marked."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape").translate(_MARKS)


def marked_byte(text: str) -> int:
    """Return the first marked byte of a text."""
    return next(ord(char) - _FIRST for char in text if ord(char) >= _FIRST + 0x80)


def shown(column: pl.Expr) -> pl.Expr:
    """Return a text with each marked byte as the sign for a character that is not known."""
    return column.str.replace_all(MARKED, "\ufffd")


def shown_text(text: str) -> str:
    """Return one text likewise."""
    return "".join("\ufffd" if ord(char) >= _FIRST + 0x80 else char for char in text)
