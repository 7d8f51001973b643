"""The examples in the docstrings: each runs and prints what it shows, and every public function has one.

Origin of every expectation: what the docstrings show, and the names that the rooms make public.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import cartrial
from cartrial.virtual.engine import compiled
from docs_reference import ROOMS, public_names, public_thing

PACKAGE = Path(cartrial.__file__).parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
SECTION = re.compile(r"^Examples\n-{8}\n(?:.*\n)*?>>> ", re.MULTILINE)


def modules() -> list[str]:
    """Return the names of the package's modules."""
    paths = (path.relative_to(PACKAGE.parent).with_suffix("") for path in sorted(PACKAGE.rglob("*.py")))
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths if path.name != "__main__"]
    # pages of the committee's workspace are imported once Django knows where its database is
    return [name for name in names if not name.startswith("cartrial.review.app.")]


def imported(module: str) -> ModuleType:
    """Import a module; compiled loops as the package does, so that they are kept in its cache and never beside their source."""
    room = "cartrial.virtual."
    if module.startswith(room) and "kernel" in module.rsplit(".", 1)[1]:
        return compiled(module.removeprefix(room))
    return importlib.import_module(module)


def room_of(module: str) -> str:
    """Return the room that a module stands in: the innermost."""
    return max((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), key=len)


def examples(room: str) -> dict[str, doctest.DocTest]:
    """Return the examples of a room by where they stand: those of its public names first, then those of its other modules, each once."""
    finder, found = doctest.DocTestFinder(), []
    for name in public_names(room):
        thing = public_thing(room, name)
        if inspect.isfunction(thing) or inspect.isclass(thing):
            found += finder.find(thing, f"{thing.__module__}.{thing.__qualname__}")
    for module in modules():
        if room_of(module) == room:
            found += finder.find(imported(module), module)
    return {test.name: test for test in reversed(found) if test.examples and room_of(test.name) == room}


# of these the examples take seconds
LONG = {
    *("cartrial.analysis", "cartrial.design", "cartrial.evidence", "cartrial.qualify", "cartrial.report", "cartrial.run"),
    "cartrial.virtual.calibration",
}


@pytest.mark.parametrize("room", [pytest.param(room, marks=pytest.mark.slow) if room in LONG else room for room in ROOMS])
def test_every_example_prints_what_it_shows(room: str) -> None:
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for test in examples(room).values():
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


def test_every_public_function_has_an_example() -> None:
    things = [(f"{room}.{name}", public_thing(room, name)) for room in ROOMS for name in public_names(room)]
    functions = {thing: path for path, thing in things if inspect.isfunction(thing)}
    missing = [path for thing, path in functions.items() if not SECTION.search(inspect.getdoc(thing) or "")]
    assert not missing, f"without an example: {', '.join(missing)}"
