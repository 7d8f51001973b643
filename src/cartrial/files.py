"""How are files written whole or not at all?"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cartrial.errors import InputError

__all__ = ["built_beside"]


@contextmanager
def built_beside(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` to build in; its content is moved to `out` when all went well, else removed.

    Other files in `out` are left as they are.

    Raises
    ------
    InputError
        If `out` is a file or its place cannot be written to.
    """
    out = Path(os.path.abspath(out))
    if out.exists() and not out.is_dir():
        raise InputError("the place for the output is a file", file=str(out), right="Name a folder")
    near = next(place for place in out.parents if place.exists())
    if not near.is_dir():
        raise InputError("the place for the output lies below a file", file=str(near), right="Name a folder")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=near))
    except OSError as error:
        raise InputError(
            "the output cannot be written there", file=str(out), right="Name a folder in a place that can be written to"
        ) from error
    try:
        new, old = temporary / "new", temporary / "old"
        new.mkdir()
        old.mkdir()
        yield new
        out.mkdir(parents=True, exist_ok=True)
        for item in sorted(new.iterdir()):
            if (out / item.name).exists():
                os.replace(out / item.name, old / item.name)
            os.replace(item, out / item.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
