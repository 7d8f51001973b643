"""Optional packages, imported when a task needs them."""

from __future__ import annotations

import importlib
from types import ModuleType

from cartrial.errors import InputError

__all__ = ["require"]


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional package.

    Parameters
    ----------
    module : str
        The module to import.
    extra : str
        The extra of cartrial that installs it.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"this needs the package {module}, which is not installed", right=f'Install it with: pip install "cartrial[{extra}]"'
        ) from error
