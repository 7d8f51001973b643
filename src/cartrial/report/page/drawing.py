"""What does a page need to draw its figures? Their documents, and the scripts of Vega, inlined once."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

from markupsafe import Markup

from cartrial.report.page.blocks import Block, Details, Figure, Section

__all__ = ["PAGE_SCRIPTS", "SCRIPTS", "find_figures", "inline_scripts", "name_figures", "write_documents"]

SCRIPTS = {"vega.min.js": "6.2.0", "vega-lite.min.js": "6.4.1", "vega-embed.min.js": "7.0.2"}
"""The scripts of others and their versions: those that vl-convert carries, so that a page and a still picture agree."""


PAGE_SCRIPTS = ("contents.js", "tables.js")
"""What every page has, with figures or without."""


@cache
def inline_scripts(drawn: bool, *, aside: bool = False) -> tuple[tuple[Markup, ...], str]:
    """Return the scripts in their order, and the hashes by which a page allows them and no other (its content security policy).

    Parameters
    ----------
    drawn : bool
        Whether the page has figures: it then has the scripts that draw them too.
    aside : bool
        Whether it has subjects' sheets, which are opened over it.
    """
    folder = resources.files("cartrial.report") / "templates" / "scripts"
    names = [*((*SCRIPTS, "figures.js") if drawn else ()), *(("subjects.js",) if aside else ()), *PAGE_SCRIPTS]
    # an inlined script must not hold the end tag of a script
    texts = [(folder / name).read_text(encoding="utf-8").replace("</script", "<\\/script") for name in names]
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return tuple(Markup(text) for text in texts), " ".join(f"'sha256-{value}'" for value in hashes)


def write_documents(figures: Iterable[Figure]) -> Markup:
    """Return the documents of figures by name, as JSON that cannot end its element; equal documents give equal text."""
    documents = {figure.name: figure.document for figure in figures}
    text = json.dumps(documents, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def find_figures(sections: Sequence[Section]) -> list[Figure]:
    """Return the figures of a page in their order."""

    def within(blocks: Sequence[Block]) -> Iterator[Figure]:
        for block in blocks:
            if isinstance(block, Figure):
                yield block
            elif isinstance(block, Details):
                yield from within(block.blocks)

    return [figure for section in sections for figure in within(section.blocks)]


def name_figures(sections: Sequence[Section]) -> list[Section]:
    """Return the sections with each figure's name made unique on the page, by a number after those that are taken."""
    taken: dict[str, int] = {}

    def named(block: Block) -> Block:
        if isinstance(block, Details):
            return replace(block, blocks=[named(inner) for inner in block.blocks])
        if not isinstance(block, Figure):
            return block
        name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in block.name.lower())
        taken[name] = taken.get(name, 0) + 1
        return replace(block, name=name if taken[name] == 1 else f"{name}-{taken[name]}")

    return [replace(section, blocks=[named(block) for block in section.blocks]) for section in sections]
