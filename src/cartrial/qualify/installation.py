"""Is what is installed what was released: each file of the package, versions, extras?"""

from __future__ import annotations

import base64
import hashlib
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cartrial.qualify.checks import Check, not_run, said

__all__ = ["check_installation", "describe_machine"]

PART = "installation"


def check_installation() -> Iterator[Check]:
    """Yield a check for each file of the installed package, and one for the interpreter.

    The expected digests are those of the wheel's RECORD (PEP 376), which the installer wrote from the wheel.
    """
    yield said(PART, "interpreter", "Python 3.11 or newer", True, sys.version_info >= (3, 11), "the package's own statement")
    try:
        files = metadata.files("cartrial") or []
    except metadata.PackageNotFoundError:
        yield not_run(PART, "files", "digests against RECORD", "cartrial is run from its sources, and not installed")
        return
    place = Path(str(metadata.distribution("cartrial").locate_file("")))
    held = {str(file): file.hash for file in files if file.hash is not None and file.parts[0] == "cartrial"}
    if not held:
        yield not_run(PART, "files", "digests against RECORD", "the installation is one for developers, whose RECORD names no files")
        return
    for name, digest in held.items():
        path = place / name
        found = _digest(digest.mode, path.read_bytes()) if path.is_file() else "no such file"
        yield said(PART, "files", name, digest.value, found, "RECORD of the wheel")
    here = sorted(path.relative_to(place).as_posix() for path in (place / "cartrial").rglob("*.py"))
    added = [name for name in here if name not in held]
    yield said(PART, "files", "Python files that the wheel has not", "none", ", ".join(added) or "none", "RECORD of the wheel")


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
