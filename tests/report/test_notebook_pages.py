"""The notebooks of the documentation: what is stored is what a run shows, and each page is its notebook.

Origin of every expectation: `regression`, the stored outputs; their numbers are tested where they are made.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from notebooks import NOTEBOOKS, comparable, page, read, run


def name(path: Path) -> str:
    return path.stem


def test_there_are_five() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["design", "evidence", "first-look", "kinetics", "virtual-trial"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_page_is_its_notebook_and_every_cell_was_run_in_order(path: Path) -> None:
    notebook = read(path)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert path.with_suffix(".md").read_text(encoding="utf-8") == page(notebook, path.stem), "run: python tests/notebooks.py"
    assert path.stat().st_size < 200_000
    # nbformat 4: what is no text has a kind that ends in +json
    shown = [data for cell in code for output in cell["outputs"] for data in output.get("data", {}).items()]
    assert not [kind for kind, value in shown if isinstance(value, dict) and not kind.endswith("+json")]
    # what a browser or an address would add of where it was run
    held = path.read_text(encoding="utf-8")
    assert not [place for place in ("root", "home", "Users", "tmp") if f"/{place}/" in held]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_fresh_run_shows_what_is_stored(path: Path) -> None:
    notebook = read(path)
    assert comparable(run(notebook)) == comparable(notebook), f"run: python tests/notebooks.py {path.stem}"
