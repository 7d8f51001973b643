"""May a command write there? What stands in its place must be its own, or the person says that it may go; and how is a page opened?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from cartrial.cli.app import tell_aside
from cartrial.errors import InputError

__all__ = [
    "ForceOption",
    "JsonOption",
    "OpenOption",
    "open_page",
    "require_own_files",
    "require_own_folder",
    "require_own_page",
    "require_own_trials",
]

ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that another program or another study wrote.")]
OpenOption = Annotated[bool, typer.Option("--open", help="Open the page in the browser when it is written.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]

_FOUND = ("report.html", "subjects.html", "results.json", "results.parquet", "run.json", "adam", "figures", "cells")
_TABLE = re.compile(r"(supp)?[a-z]{2}\.(csv|parquet|xpt|json|ndjson|sas7bdat)")
_MARK = "Made by cartrial"
# what only a curve that was read, and only an ensemble of parameter sets, says of itself
_OWN = ({"figure", "unit"}, {"informed", "model", "seed", "started", "targets"})
_RIGHT = "Name another place, or give --force to replace it"


def require_own_folder(out: Path, study: str, *, force: bool, names: Iterable[str] = _FOUND, by: str = "run.json") -> None:
    """Refuse to write a report, or an export, over what none of this study is.

    Parameters
    ----------
    out : Path
        The folder that is to be written to.
    study : str
        The id of the study.
    force : bool
        Replace it all the same.
    names : iterable of str
        Files and folders that are written there: those of a report.
    by : str
        File of the folder that says whose they are.

    Raises
    ------
    InputError
        If one of them stands there, and the file does not say that it is of this study.
    """
    if force or not out.is_dir():
        return
    here = [name for name in names if (out / name).exists()]
    if not here:
        return
    said = _said(out / by)
    if said is None:
        sets = sorted(path.name for path in (out / "adam").glob("*")) if here == ["adam"] else []
        if sets and all(name.split(".")[0].startswith("AD") for name in sets) and study in _studies(out / "adam" / "ADSL.csv"):
            return
        what = f"'{here[0]}' stands there, and no report of cartrial (there is no {by} that says so)"
        raise InputError(what, file=str(out), key="--out", right=_RIGHT)
    if said != study:
        raise InputError(f"the report of another study stands there ({said})", file=str(out), key="--out", right=_RIGHT)


def _said(path: Path) -> str | None:
    """Return the study that a run.json is of; None where it is none of cartrial."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(record["study"]) if isinstance(record, dict) and "study_hash" in record and "study" in record else None


def _studies(path: Path) -> str:
    """Return the first lines of a derived set, where the study stands."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline() + file.readline()
    except (OSError, ValueError):
        return ""


def require_own_page(path: Path, *, force: bool) -> None:
    """Refuse to write a page over a file that cartrial did not write.

    Raises
    ------
    InputError
        If a file stands there that does not say who made it.
    """
    if force or not path.is_file():
        return
    try:
        own = _MARK in path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", file=str(path), right=_RIGHT) from None
    if not own:
        raise InputError("a file stands there that cartrial did not write", file=str(path), right=_RIGHT)


def open_page(path: Path, *, asked: bool) -> None:
    """Open a page in the browser, where that is asked for."""
    if asked and typer.launch(path.resolve().as_uri()) != 0:
        tell_aside(f"No browser could be opened; the page is {path}.")


def require_own_files(out: Path, names: Iterable[str], *, by: str, force: bool) -> None:
    """Refuse to write files over others of their names.

    Parameters
    ----------
    out : Path
        The folder that is to be written to.
    names : iterable of str
        Files and folders that are written there, or taken away.
    by : str
        File of the folder that names its maker, where there is one; blank: whatever stands there may have been worked on.
    force : bool
        Replace them all the same.

    Raises
    ------
    InputError
        If one of them stands there and `by` does not say that cartrial wrote it.
    """
    here = [name for name in names if (out / name).exists()] if not force and out.is_dir() else []
    if here and not (by and _is_made(out / by)):
        raise InputError(f"'{here[0]}' stands there, and may be another's", file=str(out), key="--out", right=_RIGHT)


def require_own_trials(out: Path, *, force: bool) -> None:
    """Refuse to write virtual patients where tables of others lie: a folder of real data has files of the same names.

    Raises
    ------
    InputError
        If tables of SDTM stand there, and no `about.yaml` says that they are virtual.
    """
    if not force and out.is_dir():
        names = sorted(path.name for path in out.iterdir() if _TABLE.fullmatch(path.name.lower()) or path.name == "about.yaml")
        require_own_files(out, names, by="about.yaml", force=False)


def _is_made(path: Path) -> bool:
    """Say whether a file says that cartrial wrote it: a page by its foot, another by what only files of its kind have."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    if path.suffix == ".html":
        return _MARK in text
    if path.suffix == ".csv":
        # the comment above an ensemble of parameter sets
        text = text.splitlines()[0].removeprefix("# ") if text else ""
    try:
        said = json.loads(text)
    except ValueError:
        return False
    return isinstance(said, dict) and (said.get("provenance") == "virtual" or any(names <= set(said) for names in _OWN))
