"""Is what is installed what was released: each file of the package, versions, extras?"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import marshal
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cartrial.qualify.checks import Check, not_run, said

__all__ = ["check_installation", "describe_machine", "lacking_for"]

PART = "installation"
STATED = "the package's own statement"


def check_installation() -> Iterator[Check]:
    """Yield a check for each file of the installed package, and one for the interpreter.

    The expected digests are those of the wheel's RECORD (PEP 376), which the installer wrote from the wheel.
    """
    yield said(PART, "interpreter", "Python 3.11 or newer", True, sys.version_info >= (3, 11), STATED)
    try:
        files = metadata.files("cartrial") or []
    except metadata.PackageNotFoundError:
        yield not_run(PART, "files", "digests against RECORD", "cartrial is run from its sources, and not installed")
        return
    for name, least in _least(""):
        found = _version(name)
        yield said(PART, "packages of the base", f"{name} {least} or newer", True, _numbers(found) >= _numbers(least), STATED)
    yield from _extras()
    place = Path(str(metadata.distribution("cartrial").locate_file("")))
    held = {str(file): file.hash for file in files if file.hash is not None and file.parts[0] == "cartrial"}
    if not held:
        yield not_run(PART, "files", "digests against RECORD", "the installation is one for developers, whose RECORD names no files")
        return
    root, runs = (place / "cartrial").resolve(), Path(__file__).resolve().parents[1]
    yield said(PART, "files", "the files that run are those of the installation", str(root), str(runs), "RECORD of the wheel")
    for name, digest in held.items():
        path = place / name
        found = _digest(digest.mode, path.read_bytes()) if path.is_file() else "no such file"
        yield said(PART, "files", name, digest.value, found, "RECORD of the wheel")
    here = sorted(path for path in (place / "cartrial").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    added = [name for name in (path.relative_to(place).as_posix() for path in here) if name not in held]
    yield said(PART, "files", "files that the wheel has not", "none", ", ".join(added) or "none", "RECORD of the wheel")
    other = [path.relative_to(place).as_posix() for path in here if path.suffix == ".py" and _runs_otherwise(path)]
    origin = "each module, compiled anew from its source"
    yield said(PART, "files", "modules whose kept bytecode is not of their source", "none", ", ".join(other) or "none", origin)


def _runs_otherwise(path: Path) -> bool:
    """Say whether Python would run kept bytecode of a source that the source does not give (PEP 3147, PEP 552)."""
    kept = Path(importlib.util.cache_from_source(str(path)))
    try:
        data, source = kept.read_bytes(), path.read_bytes()
    except OSError:
        return False
    dated = not int.from_bytes(data[4:8], "little")
    stamp = [int(path.stat().st_mtime) & 0xFFFFFFFF, len(source) & 0xFFFFFFFF]
    if data[:4] != importlib.util.MAGIC_NUMBER or (dated and [int.from_bytes(data[i : i + 4], "little") for i in (8, 12)] != stamp):
        return False  # Python compiles the source anew
    try:
        return bool(marshal.loads(data[16:]) != compile(source, str(path), "exec", dont_inherit=True))
    except (ValueError, EOFError, TypeError, SyntaxError):
        return True


def _digest(mode: str, data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.new(mode, data).digest()).rstrip(b"=").decode()


def describe_machine() -> list[tuple[str, str]]:
    """Return what the dossier says of the machine: names and values.

    Examples
    --------
    >>> from cartrial.qualify.installation import describe_machine
    >>> [name for name, _ in describe_machine()][:3]
    ['cartrial', 'Python', 'platform']
    """
    rows = [("cartrial", _version("cartrial")), ("Python", sys.version.split()[0]), ("platform", platform.platform())]
    rows.append(("machine", f"{platform.node() or 'unnamed'}, {platform.machine()}"))
    rows += [(name, _version(name)) for name in sorted(_needed()[""])]
    return rows + [(f"extra {extra}", _state(names)) for extra, names in _needed().items() if extra]


def lacking_for(extras: tuple[str, ...]) -> str:
    """Return in words which packages of extras are not installed; nothing where all are.

    Examples
    --------
    >>> from cartrial.qualify.installation import lacking_for
    >>> lacking_for(())
    ''
    """
    held = _needed()
    absent = {extra: [name for name in held.get(extra, [extra]) if _version(name) == "not installed"] for extra in extras}
    told = [f"extra {extra} ({', '.join(names)})" for extra, names in absent.items() if names]
    return f"not installed, not checked: {'; '.join(told)}" if told else ""


def _extras() -> Iterator[Check]:
    """Yield for each extra whether its packages are there, each as new as it must be; one that is absent is no pass."""
    for extra in sorted(name for name in _needed() if name):
        absent = lacking_for((extra,))
        if absent:
            yield not_run(PART, "extras", extra, absent)
            continue
        for name, least in _least(extra):
            version = _version(name)
            what = f"{extra}: {name} {least or 'of any version'} or newer"
            yield said(PART, "extras", what, True, _numbers(version) >= _numbers(least), STATED)


def _least(extra: str) -> list[tuple[str, str]]:
    """Return the packages of an extra with the least version of each."""
    stated = metadata.requires("cartrial") or []
    found = [(line, re.search(r"extra == ['\"]([\w-]+)['\"]", line)) for line in stated]
    return [
        (re.match(r"[\w.-]+", line)[0], (re.search(r">=\s*([\d.]+)", line) or ["", ""])[1])  # type: ignore[index]
        for line, named in found
        if (named[1] if named else "") == extra and not line.startswith("cartrial")
    ]


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version up to a first part that is none."""
    head = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in head[0].split(".")) if head else ()


def _needed() -> dict[str, list[str]]:
    """Return which packages the installation needs, and each extra: as its own metadata has them, those for developers left out."""
    try:
        stated = metadata.requires("cartrial") or []
    except metadata.PackageNotFoundError:
        stated = []
    found: dict[str, list[str]] = {"": []}
    for line in stated:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if name and name[0] != "cartrial" and (extra is None or extra[1] not in ("test", "lint", "docs", "all")):
            found.setdefault(extra[1] if extra else "", []).append(name[0])
    return found


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _state(names: list[str]) -> str:
    lacking = [name for name in names if _version(name) == "not installed"]
    if lacking:
        return f"not installed ({', '.join(lacking)})"
    return ", ".join(f"{name} {_version(name)}" for name in names)
