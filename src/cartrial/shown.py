"""How does a thing show itself in a notebook? As `cartrial.report.notebook` makes it, which is imported when a notebook asks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Shown"]


class Shown:
    """What shows itself in a notebook: a class that inherits from it has no more to do."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        made: str = _maker().html_of(self)
        return made


def _maker() -> Any:
    # by its name: a study, a design and the data sets are read before any page is
    return import_module("cartrial.report.notebook.makers")
