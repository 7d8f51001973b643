"""How are the forms of displays written side by side?

Figures are drawn in processes of their own (the library that draws holds Python), PDF is set in threads (typst lets go of it), and the rest
is written meanwhile. What is written does not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from cartrial.processes import spread
from cartrial.report.page.blocks import Figure
from cartrial.submission.displays.forms.paper import Paper
from cartrial.submission.displays.forms.pdf import forget_pdf, write_pdf
from cartrial.submission.displays.forms.pictures import Picture, draw_picture, draw_png
from cartrial.submission.displays.forms.rtf import write_rtf
from cartrial.submission.displays.forms.volumes import Volume, split_listings
from cartrial.submission.displays.forms.word import write_docx
from cartrial.submission.displays.model import Display, Grid

__all__ = ["write_files"]

_SETTERS = 4
"""PDFs that are set at once, at most: each takes up to 300 MB."""
_FORGOTTEN = 1_000
"""Rows of a PDF beyond which typst forgets what it keeps of it: that takes a third of a second."""
_FIGURES = 12
"""Figures that a process draws at least: it takes a second to start, a figure a quarter."""


class _Task(NamedTuple):
    """Some displays on their paper, and the folder that their files go to."""

    displays: Sequence[Display]
    paper: Paper
    folder: Path


_Drawn = tuple[Mapping[str, Picture], Mapping[str, bytes]]


def write_files(
    displays: Sequence[Display], paper: Paper, folder: Path, forms: Sequence[str], say: Callable[[str], None], *, workers: int = 1
) -> None:
    """Write some displays into a folder that is there.

    Parameters
    ----------
    displays : sequence of Display
    paper : Paper
    folder : Path
    forms : sequence of str
        RTF: a file each; DOCX and PDF: one with all, listings of many rows in files of their own (RTF, PDF).
    say : callable
        Told each step.
    workers : int
        How much is done side by side; 1: all in this process. The files are the same.
    """
    task = _Task(displays, paper, folder)
    pool = ThreadPoolExecutor(1 + min(workers, _SETTERS))
    try:
        drawing = pool.submit(_draw, displays, bool({"rtf", "docx"} & set(forms)), workers)
        if workers < 2:
            drawing.result()
        setting = _set_pdf(task, drawing, pool) if "pdf" in forms else []
        if "rtf" in forms:
            say("Writing RTF")
            _write_rtf(task, drawing)
        if "docx" in forms:
            say("Writing DOCX")
            _write_docx(task, drawing)
        if setting:
            say("Writing PDF")
        for part in setting:
            part.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _draw_one(figure: Figure, png: bool) -> tuple[Picture, bytes]:
    picture = draw_picture(figure)
    return picture, draw_png(picture) if png else b""


def _draw(displays: Sequence[Display], png: bool, workers: int) -> _Drawn:
    """Return the figures by `Display.id`, as pictures and, if asked for, as PNG."""
    names = [display.id for display in displays if isinstance(display.body, Figure)]
    tasks = [(display.body, png) for display in displays if isinstance(display.body, Figure)]
    processes = min(workers - 1, -(-len(tasks) // _FIGURES)) if workers > 1 else 0
    drawn = list(spread(_draw_one, tasks, processes, apart=processes > 0))
    pictures = {name: picture for name, (picture, _) in zip(names, drawn, strict=True)}
    return pictures, {name: image for name, (_, image) in zip(names, drawn, strict=True) if png}


def _set_pdf(task: _Task, drawing: Future[_Drawn], pool: ThreadPoolExecutor) -> list[Future[None]]:
    """Begin to set the PDFs: the longest parts of listings first, what has figures last."""
    together, volumes = split_listings(task.displays, task.paper.words)
    paper = replace(task.paper, elsewhere=tuple(volume.line for volume in volumes))

    def listing(volume: Volume) -> None:
        (task.folder / volume.file).write_bytes(write_pdf([volume.display], task.paper, {}, contents=False))
        if isinstance(volume.display.body, Grid) and len(volume.display.body.rows) > _FORGOTTEN:
            forget_pdf()

    def rest() -> None:
        (task.folder / "displays.pdf").write_bytes(write_pdf(together, paper, drawing.result()[0]))

    return [*(pool.submit(listing, volume) for volume in volumes), pool.submit(rest)]


def _write_rtf(task: _Task, drawing: Future[_Drawn]) -> None:
    """Write a file each: what has no figure first, while figures are drawn."""
    for display in sorted(task.displays, key=lambda one: isinstance(one.body, Figure)):
        pictures, images = drawing.result() if isinstance(display.body, Figure) else ({}, {})
        text = write_rtf(display, task.paper, pictures.get(display.id), images.get(display.id, b""))
        (task.folder / f"{display.file}.rtf").write_bytes(text)


def _write_docx(task: _Task, drawing: Future[_Drawn]) -> None:
    """Write one document with all; where listings have PDFs of their own it names their files."""
    together, _ = split_listings(task.displays, task.paper.words)
    kept = {display.id for display in together}
    lines = tuple(f"{one.label} {one.title}: {one.file}.rtf, {one.file}*.pdf" for one in task.displays if one.id not in kept)
    whole = write_docx(together, replace(task.paper, elsewhere=lines), *drawing.result())
    (task.folder / "displays.docx").write_bytes(whole)
