"""Which requirements does the project state, and which tests show each? As shipped with the release."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, NamedTuple

__all__ = ["Requirement", "read_requirements"]


class Requirement(NamedTuple):
    """One requirement of the release, with the tests that show it.

    Parameters
    ----------
    id, text, where : str
        Its number, what is required, and where that is stated.
    tests : tuple of str
    result : str
        Of the last run of those tests, before the release.
    """

    id: str
    text: str
    where: str
    tests: tuple[str, ...]
    result: str


def read_requirements() -> tuple[Requirement, ...]:
    """Return the requirements that are shipped; none where the release has no table of them.

    Examples
    --------
    >>> from cartrial.qualify.requirements import read_requirements
    >>> all(one.id and one.text for one in read_requirements())
    True
    """
    place = resources.files("cartrial.qualify") / "data" / "requirements.json"
    if not place.is_file():
        return ()
    held: Any = json.loads(place.read_text(encoding="utf-8"))
    rows = held["requirements"] if isinstance(held, dict) else held
    return tuple(_read(row) for row in rows)


def _read(row: dict[str, Any]) -> Requirement:
    tests = row.get("tests", ())
    named = (tests,) if isinstance(tests, str) else tuple(map(str, tests))
    where = row.get("where", "")
    told = "; ".join(map(str, where)) if isinstance(where, list) else str(where)
    return Requirement(str(row["id"]), str(row["text"]), told, named, str(row.get("result", row.get("last", "not stated"))))
