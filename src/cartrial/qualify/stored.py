"""Which figures are shipped to be compared with?"""

from __future__ import annotations

import json
import zipfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["read_stored", "unpack_truth"]


@cache
def read_stored() -> dict[str, Any]:
    """Return the stored figures: of R by the function that made them, with versions under `meta`.

    Examples
    --------
    >>> from cartrial.qualify.stored import read_stored
    >>> read_stored()["meta"]["survival"]
    '3.5.3'
    """
    data = (resources.files("cartrial.qualify") / "data" / "figures.json").read_text(encoding="utf-8")
    held: dict[str, Any] = json.loads(data)
    return held


def unpack_truth(folder: Path) -> list[str]:
    """Write the studies whose every value was worked out by hand into a folder; return their names."""
    with resources.as_file(resources.files("cartrial.qualify") / "data" / "truth.zip") as path, zipfile.ZipFile(path) as held:
        held.extractall(folder)
    return sorted(path.parent.name for path in folder.glob("*/study.yaml"))
