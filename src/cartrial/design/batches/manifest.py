"""What do the results of a folder depend on? Their job, the versions it ran with, and the package's own code."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartrial.errors import InputError

if TYPE_CHECKING:
    from cartrial.design.batches.places import Place

__all__ = ["MANIFEST", "code_hash", "environment", "require_manifest"]

MANIFEST = "manifest.json"
_PACKAGES = ("cartrial", "polars", "numpy", "scipy", "numba")
# what reports and the command line do changes no result
_ROOMS = ("study", "sdtm", "response", "virtual", "endpoints", "analysis", "design")
_KINDS = (".py", ".yaml", ".csv")


@cache
def code_hash(package: Path | None = None) -> str:
    """Return a hash of the package's sources and data that results depend on: codes of texts, kernels, and every room up to `design`."""
    root = package or Path(__file__).parents[2]
    files = [path for room in _ROOMS for path in (root / room).rglob("*") if path.suffix in _KINDS]
    digest = hashlib.sha256()
    for path in sorted(
        [*files, root / "coded.py", root / "kernels.py", root / "yamlfile.py"], key=lambda path: path.relative_to(root).as_posix()
    ):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def environment() -> dict[str, Any]:
    """Return the versions that results depend on, and the hash of the code."""

    def version(name: str) -> str | None:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return None

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"versions": {"python": python} | {name: version(name) for name in _PACKAGES}, "code": code_hash()}


def require_manifest(place: Place, identity: dict[str, Any], token: str) -> dict[str, Any]:
    """See that what a place holds is of the same job, versions and code; in a new place, write it down.

    Returns
    -------
    dict
        What the manifest holds.

    Raises
    ------
    InputError
        If the place holds something else.
    """
    wanted: dict[str, Any] = json.loads(json.dumps({**identity, **environment()}))
    names = place.names() or []
    if MANIFEST not in names:
        if names:
            raise InputError("the place is no folder of trials", file=str(place), right="Name a new or empty folder")
        place.write(MANIFEST, (json.dumps(wanted, indent=2) + "\n").encode(), token)
        return wanted
    try:
        held = json.loads(place.read(MANIFEST))
    except ValueError as error:
        raise InputError("the manifest cannot be read", file=f"{place}/{MANIFEST}", right="Name a new folder") from error
    for key in [*wanted, *(held if isinstance(held, dict) else ())]:
        was, now = (found.get(key) if isinstance(found, dict) else None for found in (held, wanted))
        if was == now:
            continue
        what = f"the folder holds results with another {key.replace('_', ' ')} ({was}, now {now})"
        if key == "code":
            what = "the folder holds results of other code of cartrial, though the version may be the same"
        raise InputError(what, file=str(place), key=key, right="Name a new folder, or run with what it was made with")
    return wanted
