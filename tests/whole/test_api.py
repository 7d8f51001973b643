"""The public names: each room has its page, what was renamed still works and says so, and the list of it is in the documentation.

Origin of every expectation: `by hand`, the promise of docs/api.md.
"""

from __future__ import annotations

import importlib
import re
import warnings

import pytest
import yaml

from docs_reference import DOCS, ROOMS, ROOT, public_names

API = (DOCS / "api.md").read_text(encoding="utf-8")
# packages that are no rooms of names: what can be typed, and the committee's pages, which are served
NO_NAMES = {"cartrial.cli", "cartrial.review"}
# what 0.1.0 had under another name, and where it stands now
RENAMED = {"cartrial.virtual.calibrate": "cartrial.virtual.calibration"}


def test_every_room_has_its_page_in_the_contents() -> None:
    nav = yaml.safe_load(re.sub(r"!!python/\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))["nav"]
    (listed,) = (part["API"] for part in nav if isinstance(part, dict) and "API" in part)
    pages = {name: page for entry in listed for name, page in entry.items()}
    for room in ROOMS:
        assert pages[room] == f"reference/{room}.md"
        assert f"::: {room}\n" in (DOCS / pages[room]).read_text(encoding="utf-8")
    assert {path.stem for path in (DOCS / "reference").glob("*.md")} == set(ROOMS)


def test_every_package_is_a_room_or_said_to_be_none() -> None:
    package = ROOT / "src" / "cartrial"
    packages = {f"cartrial.{path.parent.name}" for path in package.glob("*/__init__.py")}
    assert packages - set(ROOMS) == NO_NAMES


@pytest.mark.parametrize("room", ROOMS)
def test_names_are_there_once_and_in_order(room: str) -> None:
    """Sorted as ruff sorts them: constants, classes, functions."""
    names = public_names(room)
    module = importlib.import_module(room)
    assert len(names) == len(set(names)) and not [name for name in names if name.startswith("_")]
    assert not [name for name in names if not hasattr(module, name)]


@pytest.mark.parametrize(("before", "now"), RENAMED.items())
def test_what_was_renamed_still_works_and_says_so(before: str, now: str) -> None:
    old, new = importlib.import_module(before), importlib.import_module(now)
    for name in old.__all__:
        with pytest.warns(DeprecationWarning, match=re.escape(now)):
            assert getattr(old, name) is getattr(new, name)
    with pytest.raises(AttributeError):
        old.nothing  # noqa: B018


def test_what_is_deprecated_is_listed() -> None:
    said = API.split("## Deprecated\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([\w.]+)` \|", said, re.MULTILINE) == list(RENAMED)
    assert "`cartrial[models]`" in said


def test_public_names_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        for room in ROOMS:
            module = importlib.import_module(room)
            assert all(getattr(module, name) is not None for name in public_names(room))
