"""The notebooks of the documentation: run them, keep what they show, write the pages that show them.

python tests/notebooks.py [NAME ...]     runs docs/notebooks/NAME.ipynb, keeps its outputs in it, and writes NAME.md beside it

A cell is run as Jupyter runs it: what its last line comes to is shown by the object itself (`_repr_mimebundle_`, `_repr_html_`). No kernel
is started and nothing but cartrial is needed, so that the tests can run them; the outputs are those of nbformat 4.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from helpers import ROOT

FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
EXTENSION = "%load_ext cartrial"


class Display:
    """What a notebook knows of how a kind of object is shown: enough of IPython for `%load_ext cartrial`."""

    def __init__(self) -> None:
        self.by_kind: dict[type, Any] = {}
        self.display_formatter = SimpleNamespace(formatters={"text/html": self})

    def for_type(self, kind: type, make: Any) -> None:
        """Show objects of a kind so."""
        self.by_kind[kind] = make

    def data(self, thing: Any) -> dict[str, Any]:
        """Return what is shown of an object, by the kind of content."""
        if hasattr(thing, "_repr_mimebundle_"):
            return dict(thing._repr_mimebundle_())
        make = self.by_kind.get(type(thing))
        html = make(thing) if make else thing._repr_html_() if hasattr(thing, "_repr_html_") else None
        plain = f"<{type(thing).__module__}.{type(thing).__name__}>" if html else repr(thing)
        return {"text/plain": plain} | ({"text/html": html} if html else {})


def read(path: Path) -> dict[str, Any]:
    """Return a notebook."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook with the outputs of its cells, run in its own folder, in order, in one namespace."""
    display, names, done = Display(), {}, []
    before = os.getcwd()
    os.chdir(FOLDER)
    try:
        for cell in notebook["cells"]:
            if cell["cell_type"] != "code":
                done.append(cell)
                continue
            number = 1 + sum(one["cell_type"] == "code" for one in done)
            done.append(cell | {"execution_count": number, "outputs": outputs("".join(cell["source"]), number, display, names)})
    finally:
        os.chdir(before)
    return notebook | {"cells": done}


def outputs(text: str, number: int, display: Display, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a cell and return its outputs."""
    if text.startswith(EXTENSION):
        from cartrial import load_ipython_extension  # type: ignore[attr-defined]

        load_ipython_extension(display)
        text = text.removeprefix(EXTENSION)
    tree, printed, shown = ast.parse(text), io.StringIO(), None
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) and not text.rstrip().endswith(";") else None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), names)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
    found: list[dict[str, Any]] = []
    if printed.getvalue():
        found.append({"name": "stdout", "output_type": "stream", "text": printed.getvalue().splitlines(keepends=True)})
    if shown is not None:
        found.append({"data": display.data(shown), "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return found


def page(notebook: dict[str, Any], name: str) -> str:
    """Return a notebook as a page of the documentation: its words, its code, and what that shows."""
    parts = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text.rstrip()}\n```")
        for output in cell["outputs"]:
            if output["output_type"] == "stream":
                parts.append(f"```text\n{''.join(output['text']).rstrip()}\n```")
            elif "text/html" in output["data"]:
                # Markdown takes HTML as it is up to an empty line; what is wider than a phone is moved within its own box
                inner = re.sub(r"\n\s*\n", "\n", output["data"]["text/html"])
                parts.append(f'<div style="overflow-x: auto">\n{inner}\n</div>')
            else:
                parts.append(f"```text\n{output['data']['text/plain']}\n```")
    parts.append(f"This page is the notebook [{name}.ipynb]({name}.ipynb), run.")
    return "\n\n".join(parts) + "\n"


def comparable(notebook: dict[str, Any]) -> list[Any]:
    """Return what a fresh run must show again: everything but letters' places in still pictures, which are those of a machine's fonts."""
    found = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {"text/plain": "".join(output.get("text", ()))})
            found.append({kind: _rounded(value) for kind, value in data.items()})
    return found


def _rounded(value: Any) -> Any:
    """Return a value with pictures left out and numbers to nine digits: the last ones are those of a processor."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.9g}")
    return re.sub(r"<svg.*?</svg>", "<svg>", value, flags=re.DOTALL) if isinstance(value, str) else value


def write(path: Path) -> None:
    """Run a notebook, keep its outputs, write its page."""
    done = run(read(path))
    path.write_text(json.dumps(done, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(page(done, path.stem), encoding="utf-8")


if __name__ == "__main__":
    for one in NOTEBOOKS:
        if not sys.argv[1:] or one.stem in sys.argv[1:]:
            write(one)
            print(f"Wrote {one.relative_to(ROOT)} and its page.")
