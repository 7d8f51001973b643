"""Is what is written in each format read back as it was?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from cartrial.qualify.checks import Check, not_run, said
from cartrial.qualify.installation import lacking_for
from cartrial.qualify.operation.typed import PART

__all__ = ["FORMATS", "check_formats"]

GROUP = "formats written and read back"
ORIGIN = "the tables that were written"
FORMATS = ("csv", "parquet", "xpt", "dataset-json", "ndjson")
"""Of source data, as `cartrial simulate --form` names them."""
_NEEDS = {"xpt": ("formats",)}


def check_formats(folder: Path) -> Iterator[Check]:
    """Yield for each format of source data, and each table: is every cell read back as it was written?"""
    from cartrial.errors import InputError
    from cartrial.sdtm import read_sdtm, write_sdtm

    source = read_sdtm(folder / "truth" / "strategies" / "data")
    for kind in FORMATS:
        absent = lacking_for(_NEEDS.get(kind, ()))
        if absent:
            yield not_run(PART, GROUP, f"SDTM as {kind}", absent)
            continue
        try:
            place = folder / f"as-{kind}"
            write_sdtm(source, place, kind)
            back = read_sdtm(place)
        except InputError as error:
            yield said(PART, GROUP, f"SDTM as {kind}: tables", _tables(source.domains), str(error), ORIGIN)
            continue
        yield said(PART, GROUP, f"SDTM as {kind}: tables", _tables(source.domains), _tables(back.domains), ORIGIN)
        for name in sorted(set(source.domains) & set(back.domains)):
            what = f"SDTM as {kind}: {name}, digest of every cell"
            yield said(PART, GROUP, what, _digest(source.domains[name]), _digest(back.domains[name]), ORIGIN)


def _tables(tables: Mapping[str, pl.DataFrame]) -> str:
    return ", ".join(f"{name} {tables[name].height} x {tables[name].width}" for name in sorted(tables))


def _digest(table: pl.DataFrame) -> str:
    """Return the beginning of a digest of names and cells, each as text; a blank and a missing cell are one, as in SDTM."""
    ordered = table.select(sorted(table.columns))
    text = ordered.select(pl.all().cast(pl.String).fill_null("")).write_csv()
    return hashlib.sha256(text.encode()).hexdigest()[:16]
