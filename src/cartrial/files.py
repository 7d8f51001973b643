"""How are files written whole or not at all?"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cartrial.errors import InputError

__all__ = ["built_beside", "require_place", "sha256_of"]

_ROOM = "Make room on the disk, or name a folder on another one"


def require_place(out: Path) -> Path:
    """Return the nearest folder that is there, of a folder to write to. To be asked before long work.

    Raises
    ------
    InputError
        If `out` is a file or lies below one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cartrial.files import require_place
    >>> require_place(Path("/")) == Path("/")
    True
    """
    out = Path(os.path.abspath(out))
    if out.exists() and not out.is_dir():
        raise InputError("the place for the output is a file", file=str(out), right="Name a folder")
    near = next(place for place in (out, *out.parents) if place.exists())
    if not near.is_dir():
        raise InputError("the place for the output lies below a file", file=str(near), right="Name a folder")
    return near


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the bytes of a file.

    Examples
    --------
    FIPS 180-4's value of no bytes:

    >>> from pathlib import Path
    >>> from cartrial.files import sha256_of
    >>> sha256_of(Path("/dev/null"))[:16]
    'e3b0c44298fc1c14'
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def built_beside(out: Path) -> Iterator[Path]:
    """Give a folder in or beside `out` to build in; its files are moved to `out` when all went well, else removed.

    A file of the same name is replaced; every other file in `out` stays as it is.

    Raises
    ------
    InputError
        If `out` is a file, its place cannot be written to, or a folder stands where a file would go.
    """
    out, near = Path(os.path.abspath(out)), require_place(out)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=near))
    except OSError as error:
        raise InputError(
            "the output cannot be written there", file=str(out), right="Name a folder in a place that can be written to"
        ) from error
    try:
        new, old = temporary / "new", temporary / "old"
        try:
            new.mkdir()
            old.mkdir()
            yield new
        except Exception as error:
            if isinstance(error, InputError) and error.file and Path(error.file).is_relative_to(temporary):
                # what is built within builds beside itself too; who reads the message knows `out` alone
                raise InputError(error.what, file=str(out), row=error.row, key=error.key, right=error.right) from error
            said = _failed(error)
            if said is None:
                raise
            # what was written so far goes away below
            raise InputError(f"the output cannot be written ({said}), and nothing of it was kept", file=str(out), right=_ROOM) from error
        _move(new, out, old)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _failed(error: Exception) -> str | None:
    """Return what the system said of a disk that is full or cannot be written to; None where the error is another."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    # Polars writes Parquet itself and keeps the system's words alone
    found = re.search(r"([A-Z][^:]*) \(os error \d+\)", str(error))
    return found[1] if found else None


def _move(new: Path, out: Path, old: Path) -> None:
    """Move what was built to its place; what it replaces goes to `old`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        files = [item for item in sorted(new.rglob("*")) if item.is_file()]
        for item in files:
            _refuse_other_kind(out, item.relative_to(new))
        for item in files:
            place = out / item.relative_to(new)
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                kept = old / item.relative_to(new)
                kept.parent.mkdir(parents=True, exist_ok=True)
                os.replace(place, kept)
            os.replace(item, place)
    except OSError as error:
        raise InputError(
            f"the output cannot be moved there ({error.strerror or error})", file=str(out), right="Name a folder that can be written to"
        ) from error


def _refuse_other_kind(out: Path, name: Path) -> None:
    """Refuse a file where a folder stands, and a folder where a file stands."""
    if (out / name).is_dir():
        raise InputError("a folder stands where a file would be written", file=str(out / name), right="Name another file")
    for parent in name.parents[:-1]:
        if (out / parent).is_file():
            raise InputError("a file stands where a folder would be written", file=str(out / parent), right="Name another folder")
