"""What teaches: commands of the pages exist with their options, recipes are counted, pictures are small, headings that links name exist.

Origin of every expectation: the command line itself, and the pages. What blocks print is compared in `test_docs.py`.
"""

from __future__ import annotations

import importlib
import re
import shlex
import unicodedata
from pathlib import Path

import pytest
import typer

from cartrial.cli.app import app
from docs_blocks import FENCE, blocks, renewed
from docs_gallery import pictures
from docs_reference import DOCS, PAGES
from helpers import ROOT

COOKBOOK = [DOCS / "cookbook" / f"{name}.md" for name in ("endpoints", "data", "design", "evidence", "output")]
TAUGHT = [*sorted((DOCS / "tutorials").glob("*.md")), *COOKBOOK, DOCS / "gallery.md"]
LINK = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")


def slug(title: str) -> str:
    """Return the anchor of a heading, as Markdown's table of contents makes it."""
    plain = unicodedata.normalize("NFKD", re.sub(r"[`*]", "", title)).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def commands(text: str) -> list[list[str]]:
    """Return the words of each cartrial command of a shell block, of pipes the first part."""
    lines = re.sub(r"<<'END'\n.*?^END$", "", text, flags=re.DOTALL | re.MULTILINE).replace("\\\n", " ").splitlines()
    return [shlex.split(re.split(r" [|>&2]+(?: |$)", line)[0]) for line in lines if line.startswith("cartrial ")]


def test_commands_exist_with_their_options() -> None:
    importlib.import_module("cartrial.__main__")
    top = typer.main.get_command(app)
    found = [words for page in TAUGHT for _, text in blocks(page, "bash", "sh") for words in commands(text)]
    assert len(found) > 50
    for words in found:
        command, rest = top, words[1:]
        while rest and rest[0] in getattr(command, "commands", {}):
            command, rest = command.commands[rest[0]], rest[1:]  # type: ignore[attr-defined]
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        assert not {word for word in rest if re.match(r"--?[a-z]", word)} - known, words


def test_recipes_are_numbered_and_each_has_code() -> None:
    parts = [part for page in COOKBOOK for part in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]]
    numbers = [int(part.split(".", 1)[0]) for part in parts]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 30
    without = [part.splitlines()[0] for part in parts if not FENCE.search(part)]
    # its lines are run in the recipe before it
    assert without == ["16. Two cohorts by dose"]


def test_pictures_of_the_gallery_are_there_and_small() -> None:
    text, kept = (DOCS / "gallery.md").read_text(encoding="utf-8"), sorted((DOCS / "gallery").iterdir())
    shown = re.findall(r"^<!-- picture: (\S+) .*-->\n!\[.+\]\(gallery/(\S+)\.webp\)$", text, re.MULTILINE)
    assert [name for name, _ in shown] == [name for _, name in shown] == [name for name, *_ in pictures()]
    assert sorted(f"{name}.webp" for name, _ in shown) == [path.name for path in kept]
    assert sum(path.stat().st_size for path in kept) <= 1_500_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_headings_that_links_name_exist(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target, anchor in LINK.findall(text):
        if not target.startswith("https://"):
            other = (page.parent / target if target else page).read_text(encoding="utf-8")
            assert anchor in {slug(title) for title in re.findall(r"^#+ (.+)$", FENCE.sub("", other), re.MULTILINE)}, f"{target}#{anchor}"


def test_a_block_that_no_longer_agrees_keeps_what_holds() -> None:
    """By hand."""
    printed = "first line\n12 of 20 responded\nlast line\n"
    assert renewed("?\n", printed) == printed
    assert renewed("first line\n...\n", printed) == "first line\n...\n"
    assert renewed("first ...\n11 of 20 responded\n...\n", printed) == "first ...\n12 of 20 responded\n...\n"
    assert renewed("something else entirely\n", printed) == printed
