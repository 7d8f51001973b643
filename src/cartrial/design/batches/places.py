"""Where do batches lie? In a folder, or in an object store under a URL; every file whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cartrial.errors import InputError
from cartrial.extras import require

__all__ = ["Place", "open_place"]

_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/")
_PART = ".part"
# a part is there while one file is written, which takes seconds
_DEAD_AFTER = 3600.0
# stores whose objects appear when they are complete; elsewhere a file is written beside its place and moved in
_WHOLE = {"memory", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl"}


class Place(Protocol):
    """A folder of files.

    Attributes
    ----------
    given : Path or str
        The folder, or the URL.
    where : str
        What opens it again, in another process too.
    shared : bool
        Whether other processes see it.
    """

    given: Path | str
    where: str
    shared: bool

    def names(self) -> list[str] | None:
        """Return the names of the files in it, sorted, parts left out; None if there is no such folder."""

    def read(self, name: str) -> bytes:
        """Return what a file holds."""

    def write(self, name: str, content: bytes, token: str) -> None:
        """Write a file: it is there whole or not at all. A part left behind bears the token."""

    def remove(self, name: str) -> None:
        """Remove a file."""

    def sweep(self, token: str) -> None:
        """Remove what an interrupted `write` of this token left, and parts that nobody can be writing any more."""

    def link(self, name: str) -> str | Callable[[], bytes]:
        """Return the path of a file, or what reads it."""


def open_place(out: str | Path) -> Place:
    """Return the place that a path or a URL names.

    Parameters
    ----------
    out : str or Path
        A folder, or a URL of fsspec as `str` (`s3://bucket/folder`, `memory://folder`, `file:///folder`).

    Raises
    ------
    InputError
        If no file system answers to the URL, or what it needs is not installed.
    """
    url = _URL.match(str(out))
    if url is None:
        return _Folder(Path(out))
    if isinstance(out, PurePath):
        raise InputError("a URL is no path", key="out", right="Give it as text")
    if url[1].lower() in ("file", "local"):
        return _Folder(Path(url2pathname(urlsplit(str(out)).path)))
    return _Store(str(out))


def _refuse(where: str, error: OSError) -> InputError:
    return InputError(
        f"the results cannot be written there ({error.strerror or error})", file=where, right="Name a folder that can be written to"
    )


class _Folder:
    shared = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.given: Path | str = path
        self.where = os.path.abspath(path)

    def __str__(self) -> str:
        return str(self.path)

    def names(self) -> list[str] | None:
        if not self.path.exists():
            return None
        if not self.path.is_dir():
            raise InputError("the place is no folder of trials", file=str(self.path), right="Name a new or empty folder")
        return sorted(item.name for item in self.path.iterdir() if not item.name.endswith(_PART))

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def write(self, name: str, content: bytes, token: str) -> None:
        part = None
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(prefix=f".trials-{token}-", suffix=_PART, dir=self.path)
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            os.chmod(part, 0o644)
            os.replace(part, self.path / name)
        except OSError as error:
            raise _refuse(str(self.path), error) from error
        finally:
            if part is not None:
                Path(part).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def sweep(self, token: str) -> None:
        if not self.path.is_dir():
            return
        for part in self.path.glob(f".trials-*{_PART}"):
            try:
                if part.name.startswith(f".trials-{token}-") or time.time() - part.stat().st_mtime > _DEAD_AFTER:
                    part.unlink(missing_ok=True)
            except FileNotFoundError:
                continue

    def link(self, name: str) -> str | Callable[[], bytes]:
        return str(self.path / name)


class _Store:
    def __init__(self, url: str) -> None:
        fsspec = require("fsspec", extra="dask")
        self.given: Path | str = url
        self.where = url
        try:
            found, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InputError(f"this URL cannot be used: {error}", file=url, right="Install what it needs, or name a folder") from error
        self.fs: Any = found
        self.root = str(root).rstrip("/")
        protocol = self.fs.protocol
        self.protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self.shared = "memory" not in self.protocols

    def __str__(self) -> str:
        return self.where

    def _answer(self, ask: Callable[[], Any]) -> Any:
        """Return what the store answers; FileNotFoundError passes. Each store has errors of its own, so all are caught."""
        try:
            return ask()
        except FileNotFoundError:
            raise
        except Exception as error:
            raise InputError(
                f"the store does not do what is asked ({error})", file=self.where, right="Check the URL, the network and your credentials"
            ) from error

    def names(self) -> list[str] | None:
        self.fs.invalidate_cache()
        try:
            found = self._answer(lambda: self.fs.ls(self.root, detail=False))
        except FileNotFoundError:
            return None
        names = (str(path).rstrip("/").rpartition("/")[2] for path in found if str(path).strip("/") != self.root.strip("/"))
        return sorted(name for name in names if not name.endswith(_PART))

    def read(self, name: str) -> bytes:
        return bytes(self._answer(lambda: self.fs.cat_file(f"{self.root}/{name}")))

    def write(self, name: str, content: bytes, token: str) -> None:
        try:
            self._answer(lambda: self._put(name, content, token))
        except FileNotFoundError as error:
            raise InputError("there is no such bucket or folder", file=self.where, right="Make it, or name another") from error

    def _put(self, name: str, content: bytes, token: str) -> None:
        if self.protocols & _WHOLE:
            self.fs.pipe_file(f"{self.root}/{name}", content)
            return
        self.fs.makedirs(self.root, exist_ok=True)
        part = f"{self.root}/.trials-{token}-{name}{_PART}"
        self.fs.pipe_file(part, content)
        self.fs.mv(part, f"{self.root}/{name}")

    def remove(self, name: str) -> None:
        self._answer(lambda: self.fs.rm_file(f"{self.root}/{name}"))

    def sweep(self, token: str) -> None:
        if self.protocols & _WHOLE:
            return
        self.fs.invalidate_cache()
        for part in self._answer(lambda: self.fs.glob(f"{self.root}/.trials-{token}-*{_PART}")):
            self.fs.rm_file(part)

    def link(self, name: str) -> str | Callable[[], bytes]:
        return lambda: self.read(name)
