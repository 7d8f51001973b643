"""How does a rule that runs subject by subject run for millions of them? Interpreted when few, compiled when many.

A kernel is a plain function over arrays. With the extra `fast` (Numba) and enough work, at once or in many small calls, it is compiled
once and cached; without it, or for a single trial, the same function is interpreted. Both give the same integers.

A kernel may call parts: functions marked `part`, each one sentence of its rule. Interpreted they are plain calls; compiled they become
one with the kernel. A kernel takes named tuples of arrays, so that what belongs together travels together.

Numba's own cache looks at one file alone and misses edits in what a kernel imports, so the cache folder is named by a hash of every
kernel source and of the codes they read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

__all__ = ["COMPILE_FROM", "Kernel", "cache_folder", "kernel", "kernel_cache", "part", "sources_hash"]

F = TypeVar("F", bound=Callable[..., Any])

COMPILE_FROM = 20_000
PATIENCE = 10
"""A kernel that passed over so many times `COMPILE_FROM` rows in small calls is compiled for the next one."""


@cache
def sources_hash(package: Path | None = None) -> str:
    """Return a hash of all kernel sources and codes of the package."""
    root = package or Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*root.rglob("*kernel*.py"), *root.rglob("codes.py")]):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return where compiled kernels are kept: below CARTRIAL_CACHE, else the user's cache, named by the hash of all kernel sources."""
    base = os.environ.get("CARTRIAL_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cartrial"
    return Path(base) / "kernels" / sources_hash()


@contextmanager
def kernel_cache(numba: Any) -> Iterator[bool]:
    """Let Numba keep what is compiled meanwhile in `cache_folder`; says whether it can be written to."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder) if writable else before
    try:
        yield writable
    finally:
        numba.config.CACHE_DIR = before


def _with_compiled_parts(function: Callable[..., Any], jit: Callable[..., Any]) -> Callable[..., Any]:
    """Return a copy of the function that calls its parts compiled; the module keeps the plain ones."""
    names = function.__globals__
    parts = {name: names[name] for name in function.__code__.co_names if getattr(names.get(name), "is_part", False)}
    compiled = {name: jit(_with_compiled_parts(called, jit), inline="always") for name, called in parts.items()}
    copied = FunctionType(function.__code__, {**names, **compiled}, function.__name__, function.__defaults__, function.__closure__)
    copied.__module__, copied.__qualname__, copied.__doc__ = function.__module__, function.__qualname__, function.__doc__
    return copied


class Kernel:
    """A function over arrays with two ways to run.

    Parameters
    ----------
    function : callable
        Loops over scalars and arrays only.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self._compiled: Callable[..., Any] | None = None
        self._interpreted = 0

    def __call__(self, work: int, *arguments: Any) -> Any:
        """Run the function; `work` is about how many rows it passes over. Many small calls become worth compiling too."""
        if self.compiles(work):
            return self.compiled()(*arguments)
        self._interpreted += work
        return self.function(*arguments)

    def compiles(self, work: int) -> bool:
        """Whether so much work is done compiled: a caller that has another fast way takes that one where it is not."""
        much = work >= COMPILE_FROM or self._interpreted >= PATIENCE * COMPILE_FROM
        return much and importlib.util.find_spec("numba") is not None

    def compiled(self) -> Callable[..., Any]:
        """Return the compiled function."""
        if self._compiled is None:
            import numba

            with kernel_cache(numba) as writable:
                self._compiled = numba.njit(cache=writable)(_with_compiled_parts(self.function, numba.njit))
        return self._compiled


def part(function: F) -> F:
    """Mark a function as a part of kernels: called plainly, or compiled with the kernel that calls it."""
    function.is_part = True  # type: ignore[attr-defined]
    return function


def kernel(function: Callable[..., Any]) -> Kernel:
    """Mark a function as a kernel: it is then called with its work first."""
    return Kernel(function)
