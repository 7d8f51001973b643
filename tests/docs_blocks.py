"""What do the blocks of a documentation page print, and is it what the page shows?

python tests/docs_blocks.py [PAGE ...]      runs the pages' blocks and writes what they print now into their `text` blocks

A `text` block after a block that runs shows what that prints; `...` stands for anything, on a line of its own for any lines. A block of
`?` alone is filled with everything that is printed. In a block that no longer agrees, lines that still hold stay as they are, with
their `...`; each other line becomes the most similar of those printed.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from docs_committee import walk
from docs_reference import DOCS, PAGES
from helpers import ROOT

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# below which share of equal letters a printed line is another line, not the new words of the one that is shown
ALIKE = 0.6


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of a page: language, text."""
    return [(language, text) for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in languages]


def agrees(shown: str, printed: str) -> bool:
    """Say whether a text is what is shown; `...` stands for anything, on a line of its own for any lines."""
    pattern = re.escape(shown.strip()).replace(re.escape("..."), ".*?")
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def run_python(text: str, names: dict[str, object]) -> str:
    """Run a block and return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "block", "exec"), names)
    return printed.getvalue()


def environment() -> dict[str, str]:
    """Return the surroundings of a shell block: the commands of this Python, lines of one width, no colours."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "COLUMNS": "110", "NO_COLOR": "1"}


def run_shell(text: str) -> str:
    """Run a block and return what it prints on both channels."""
    command = ["bash", "-eo", "pipefail", "-c", text]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout}"
    return done.stdout


def copy_examples(folder: Path) -> None:
    """Put the examples that pages use beside their blocks."""
    for name in ("worked", "worked-children", "worked-lymphoma", "designs"):
        shutil.copytree(ROOT / "examples" / name, folder / "examples" / name)


def run_page(page: Path) -> Iterator[tuple[re.Match[str], str]]:
    """Run a page's blocks in the working folder; yield each `text` block that shows what was printed, and what was printed."""
    if page.name == "coordinator.md":
        yield from walk(page, run_shell, run_python, environment())
        return
    names: dict[str, object] = {}
    printed: str | None = None
    for found in FENCE.finditer(page.read_text(encoding="utf-8")):
        language, text = found.groups()
        if language == "text":
            if printed is not None:
                yield found, printed
            printed = None
        elif language in ("bash", "python"):
            printed = run_shell(text) if language == "bash" else run_python(text, names)


def renewed(shown: str, printed: str) -> str:
    """Return what a block is to show of what is printed now."""
    if shown.strip() == "?":
        return printed.rstrip() + "\n"
    if agrees(shown, printed):
        return shown
    lines, at, kept = printed.rstrip().splitlines(), 0, []
    for line in shown.rstrip().splitlines():
        if line.strip() != "...":
            near = [difflib.SequenceMatcher(None, line, other).ratio() for other in lines[at:]]
            holds = [agrees(line, other) for other in lines[at:]]
            if any(holds):
                at += holds.index(True) + 1
            elif near and max(near) >= ALIKE:
                at += near.index(max(near)) + 1
                line = lines[at - 1]
            else:
                continue
        kept.append(line)
    new = "\n".join(kept) + "\n"
    return new if agrees(new, printed) else printed.rstrip() + "\n"


def renew_page(page: Path) -> bool:
    """Write what a page's blocks print now; return whether anything differed."""
    text = page.read_text(encoding="utf-8")
    parts, end = [], 0
    for found, printed in run_page(page):
        parts += [text[end : found.start(2)], renewed(found[2], printed)]
        end = found.end(2)
    new = "".join(parts) + text[end:]
    if new != text:
        page.write_text(new, encoding="utf-8")
    return new != text


def main(names: list[str]) -> None:
    """Renew the named pages, or all of them."""
    pages = [Path(name).resolve() for name in names] or [page for page in PAGES if page.is_relative_to(DOCS)]
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            copy_examples(Path(folder))
            os.chdir(folder)
            told = "Wrote" if renew_page(page) else "As it was:"
            print(f"{told} {page.relative_to(DOCS)}.", flush=True)
            os.chdir(ROOT)


if __name__ == "__main__":
    main(sys.argv[1:])
