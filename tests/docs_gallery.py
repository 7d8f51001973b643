"""How do the pages of the gallery look? Their pictures, made anew from the commands that stand on it.

python tests/docs_gallery.py [FOLDER]      runs the commands of docs/gallery.md (in FOLDER, where pages that are there are not made again)
                                           and takes each `<!-- picture: NAME FILE PLACE -->` as docs/gallery/NAME.webp

`workspace` in place of a file is a case as a reader sees it, of the coordinator's tutorial. It needs Chromium, as tests of pages do.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from browsers import launched
from docs_blocks import blocks, copy_examples, environment, run_python, run_shell
from docs_committee import Committee, walk
from docs_reference import DOCS

PAGE = DOCS / "gallery.md"
PICTURE = re.compile(r"^<!-- picture: (\S+) (\S+) ?(\S*) -->$", re.MULTILINE)
WIDTH, HEIGHT = 1100, 820


def pictures() -> list[tuple[str, str, str]]:
    """Return what the page shows: name of the picture, file of the page, element in it."""
    return PICTURE.findall(PAGE.read_text(encoding="utf-8"))


def keep(page: Any, name: str, place: str = "") -> None:
    """Take a picture of what is seen of a page, from the element of that name on."""
    from PIL import Image

    page.wait_for_timeout(1500)
    if place:
        page.evaluate("id => document.getElementById(id).scrollIntoView()", place)
        page.wait_for_timeout(1500)
    folder = DOCS / "gallery"
    folder.mkdir(exist_ok=True)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(folder / f"{name}.webp", quality=80, method=6)
    print(f"Wrote {name}.webp, {(folder / f'{name}.webp').stat().st_size // 1024} kB.", flush=True)


def keep_workspace(browser: Any, name: str) -> None:
    """Walk through the coordinator's tutorial until a reader reads, and take what is seen."""

    def taken(committee: Committee) -> None:
        window = committee.person("one")
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        address = f"http://127.0.0.1:{window.port}"
        context.add_cookies([{"name": key, "value": value, "url": address} for key, value in window.cookies.items() if value])
        page = context.new_page()
        page.goto(f"{address}{window.cases()[0]}")
        keep(page, name)
        context.close()

    Committee.watch = taken
    for _ in walk(DOCS / "tutorials" / "coordinator.md", run_shell, run_python, environment(), until="read"):
        pass


def main(folder: Path) -> None:
    """Make the pages that are not there, and take the pictures."""
    if not (folder / "examples").exists():
        copy_examples(folder)
    os.chdir(folder)
    for _, text in blocks(PAGE, "bash"):
        made = re.search(r"--(?:out|to) (\S+)", text)
        if not (made and Path(made[1]).exists()):
            run_shell(text)
    with launched() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name, file, place in pictures():
            if file == "workspace":
                keep_workspace(browser, name)
            else:
                # the sheet of a subject opens over the page by its address
                page.goto(f"{(folder / file).as_uri()}#{place}")
                keep(page, name, "" if place.startswith("subject-") else place)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).resolve())
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
