"""How is source data written? One file a domain, in any of five forms; what is written reads back equal."""

from __future__ import annotations

import io
import os
from pathlib import Path

import polars as pl

from cartrial.errors import InputError
from cartrial.files import built_beside
from cartrial.sdtm.forms.dataset_json import dataset_json_bytes
from cartrial.sdtm.forms.delimited import csv_bytes
from cartrial.sdtm.forms.xpt import xpt_bytes
from cartrial.sdtm.source import Source

__all__ = ["SUFFIXES", "write_sdtm"]

SUFFIXES = {"csv": ".csv", "parquet": ".parquet", "xpt": ".xpt", "dataset-json": ".json", "ndjson": ".ndjson"}


def write_sdtm(source: Source, folder: str | Path, form: str = "csv") -> tuple[Path, ...]:
    """Write the domains of a source, one file each (dm.csv, ex.csv ...).

    Parameters
    ----------
    source : Source
        The domains; `ROW` is not written.
    folder : path
        Where to; made if it is not there. Files of the same names are replaced.
    form : str
        `csv`, `parquet`, `xpt` (SAS transport version 5), `dataset-json` or `ndjson` (Dataset-JSON 1.1). Equal sources give equal bytes.

    Returns
    -------
    tuple of pathlib.Path
        The files.

    Raises
    ------
    InputError
        If the form is not known, or XPT cannot hold a name, a label, a text or a number. Nothing is written then.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial import read_sdtm, write_sdtm
    >>> from cartrial.sdtm import Source
    >>> source = Source({"DM": pl.DataFrame({"STUDYID": "S", "USUBJID": ["S-01", "S-02"]})})
    >>> with TemporaryDirectory() as folder:
    ...     names = [path.name for path in write_sdtm(source, folder, "dataset-json")]
    ...     again = read_sdtm(folder)
    >>> names, again.domains["DM"]["USUBJID"].to_list()
    (['dm.json'], ['S-01', 'S-02'])
    """
    if form not in SUFFIXES:
        raise InputError(f"'{form}' is no form of source data", right=f"It is one of {', '.join(SUFFIXES)}")
    folder = Path(folder)
    made = {
        f"{domain.lower()}{SUFFIXES[form]}": _bytes(frame.drop("ROW", strict=False), domain, form)
        for domain, frame in source.domains.items()
    }
    with built_beside(folder) as place:
        for name, data in made.items():
            (place / name).write_bytes(data)
            os.chmod(place / name, 0o644)
    return tuple(folder / name for name in made)


def _bytes(frame: pl.DataFrame, domain: str, form: str) -> bytes:
    if form == "csv":
        return csv_bytes(frame)
    if form == "xpt":
        return xpt_bytes(frame, domain)
    if form == "parquet":
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()
    studies = frame["STUDYID"].drop_nulls() if "STUDYID" in frame.columns else pl.Series([], dtype=pl.String)
    return dataset_json_bytes(frame, domain, studies[0] if len(studies) else domain, lines=form == "ndjson")
