"""The house: how long a function and a file may be, what a folder may hold, and that statuses stand once.

Origin of every expectation: `by hand`, the house style of CONTRIBUTING.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import cartrial

PACKAGE = Path(cartrial.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in FILES} - {PACKAGE})
RULES = [
    path for path in FILES if "kernel" in path.name and path.parent.relative_to(PACKAGE).as_posix() in {"response", "endpoints/rules", "."}
]
# arithmetic, not decisions: compiled loops whose length is that of their equations
LONG = {
    ("virtual/engine/rates_kernel.py", "rates"),
    ("virtual/engine/solver_kernel_linear.py", "factorise"),
    ("virtual/engine/solver_kernel_step.py", "step"),
    ("design/dose/trials_kernel.py", "run_trials"),
}
# where the words of statuses may be written: their list, the words of others for them, a study file's own words, how they are drawn
STATUS_WORDS = {
    "study/criteria/codes.py",
    "study/criteria/leukaemia.py",
    "study/criteria/lymphoma.py",
    "study/criteria/sets.py",
    "study/endpoint.py",
    "study/registry/outcome.py",
    "sdtm/vocabulary/terms.py",
    "report/figures/swimmer.py",
}


@cache
def tree(path: Path) -> ast.Module:
    """What a file holds, read once for all that is asked of it."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """Name, lines and arguments of every function of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1, len(names)


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", RULES, ids=place)
def test_a_rule_reads_as_sentences(path: Path) -> None:
    """At most 60 lines and 6 arguments."""
    assert not [found for found in functions(path) if found[1] > 60 or found[2] > 6]


def test_no_other_function_is_longer_than_a_page() -> None:
    long = {(place(path), name) for path in FILES for name, lines, _ in functions(path) if lines > 100}
    assert long == LONG


def test_a_file_answers_one_question() -> None:
    assert not [place(path) for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > 400]


@pytest.mark.parametrize("folder", FOLDERS, ids=place)
def test_a_folder_answers_one_question(folder: Path) -> None:
    """Said in its first line; not more than a dozen files, none named by a prefix of its folder.

    A kernel is the other half of its caller's file and does not count; the sections of the report are a list.
    """
    first = (ast.get_docstring(tree(folder / "__init__.py")) or "").split("\n")[0]
    assert "?" in first, first
    files = [path for path in folder.glob("*.py") if path.name != "__init__.py" and "kernel" not in path.name]
    assert len(files) <= (16 if folder.name == "sections" else 12), len(files)
    assert not [path.name for path in files if path.name.startswith(f"{folder.name}_")]


def test_statuses_stand_once() -> None:
    """Words that mean nothing else (CRi, CRh, RELAPSE, INDETERMINATE) are no text of code elsewhere; examples of docstrings apart."""
    found = set()
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and node.value in ("CRi", "CRh", "RELAPSE", "INDETERMINATE"):
                found.add(place(path))
    assert found == STATUS_WORDS
