"""How is a Parquet file read, so that a spoilt one is refused and not told by the library in its own words?"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.forms.parquet_pages import pages_fit

__all__ = ["read_parquet_table"]


def read_parquet_table(data: bytes, file: str) -> pl.DataFrame:
    """Return a Parquet file as a frame.

    Raises
    ------
    InputError
        If the file is empty, no Parquet, or cut off.
    """
    if not data:
        raise InputError("the file is empty", file=file, right="It is a Parquet file")
    unreadable = InputError("the file cannot be read as Parquet, or is cut off", file=file, right="Write or copy it again")
    if not pages_fit(data):
        raise unreadable
    try:
        with _quiet():
            return pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError):
        raise unreadable from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the standard error shut: Polars writes where a spoilt page made it stop there, past Python."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    shut = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(shut, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(shut)
