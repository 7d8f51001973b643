"""Which files of a folder are not read, and who may care? Every one is named."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from cartrial.sdtm.source import finding, findings_frame
from cartrial.sdtm.vocabulary.names import named_after

__all__ = ["ignored", "unread_files"]

# what belongs to a study's folder or to an operating system
_KNOWN = {"about.yaml", "mapping.yaml", "study.yaml", ".ds_store", "thumbs.db", "desktop.ini"}
_SYSTEM = ("._", "~$", ".~lock", ".git")
_DATA = {".csv", ".tsv", ".parquet", ".xpt", ".ndjson", ".jsonl", ".dsjc", ".xlsx", ".xlsm", ".xls", ".ods", ".sas7bdat", ".gz"}
_RIGHT = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), "a spreadsheet is read through a mapping file alone"),
    **dict.fromkeys((".sas7bdat", ".rds", ".rda", ".rdata", ".sav", ".dta", ".feather", ".txt"), "write it as CSV, Parquet or XPT"),
    **dict.fromkeys((".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".tgz", ".rar"), "unpack it"),
}
# Files looked at, and names written into one sentence.
_MOST, _NAMES = 5000, 20


def ignored(file: str, why: str, *, severity: str = "warning") -> pl.DataFrame:
    """Return the finding of a file that is not read."""
    message = f"{file} is not read: {why.strip().rstrip('.')}."
    return findings_frame([finding("file-ignored", severity, message, file=file)])


def unread_files(folder: Path, known: Iterable[Path]) -> list[pl.DataFrame]:
    """Return what is not read in a folder and below it, as findings frames.

    Parameters
    ----------
    folder : Path
    known : iterable of Path
        Files that are read, or of which something was said already.
    """
    seen = {os.path.abspath(path) for path in known}
    found: list[pl.DataFrame] = []
    others: list[str] = []
    names, more = _names(folder)
    for name in names:
        path = folder / name
        if os.path.abspath(path) in seen or path.name.lower() in _KNOWN or path.name.startswith(_SYSTEM):
            continue
        ending = next((suffix.lower() for suffix in reversed(path.suffixes)), "")
        domain = named_after(path.name.split(".")[0])
        if not (domain or ending in _DATA):
            others.append(name)
            continue
        below = path.parent != folder
        why = "it stands in a folder of its own; move it up" if below else _RIGHT.get(ending, "it is in none of the forms that are read")
        if domain:
            why = f"{why}. Its name is that of {domain}"
        found.append(ignored(name, "it is a folder" if path.is_dir() else why if path.is_file() else "it is no file"))
    if others:
        rest = len(others) - _NAMES + (1 if more else 0)
        listed = ", ".join(others[:_NAMES]) + (f" and {'at least ' if more else ''}{rest} more" if rest > 0 else "")
        what = "1 file is" if len(others) == 1 else f"{len(others)} files are"
        found.append(findings_frame([finding("file-other", "note", f"{what} no source data by name and not read: {listed}.")]))
    return found


def _names(folder: Path) -> tuple[list[str], bool]:
    """Return the files below a folder by their path in it, and whether there are more than are looked at."""
    names: list[str] = []
    for place, folders, files in os.walk(folder):
        kept = sorted(name for name in folders if not name.startswith(_SYSTEM))
        folders[:] = [name for name in kept if not os.path.islink(os.path.join(place, name))]
        inside = [*files, *(name for name in kept if name not in folders or (named_after(name.split(".")[0]) and "." in name))]
        names += sorted(os.path.relpath(os.path.join(place, name), folder) for name in inside)
        if len(names) > _MOST:
            return names[:_MOST], True
    return names, False
