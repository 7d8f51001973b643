"""Which files do displays leave, and how are they written whole or not at all?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cartrial.errors import InputError
from cartrial.files import built_beside
from cartrial.report.page.blocks import Figure
from cartrial.submission.displays.catalogue import make_displays
from cartrial.submission.displays.forms.paper import Paper, paper_of
from cartrial.submission.displays.forms.pdf import write_pdf
from cartrial.submission.displays.forms.pictures import draw_picture, draw_png
from cartrial.submission.displays.forms.rtf import write_rtf
from cartrial.submission.displays.forms.word import write_docx

if TYPE_CHECKING:
    from cartrial.report.study.data import ReportData
    from cartrial.study import Study
    from cartrial.submission.displays.model import Display

__all__ = ["FORMS", "write_displays", "write_files"]

FORMS = ("rtf", "docx", "pdf")
"""RTF: a file a display, as reports are put together from; DOCX and PDF: one file with all."""


def write_displays(
    study: Study,
    data: ReportData | None,
    out: str | Path,
    *,
    forms: Sequence[str] = FORMS,
    results: str = "",
    made: dt.date | None = None,
    numbering: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Display]:
    """Write the numbered tables, figures and listings of a study.

    Parameters
    ----------
    study : Study
    data : ReportData or None
        Of a run; None: the shells, the same displays with ``xx`` for numbers.
    out : str or Path
        A folder; made when it does not exist. Other files in it stay.
    forms : sequence of str
        Of `FORMS`.
    results : str
        Hash of the results, printed on each page.
    made : datetime.date, optional
        What DOCX and PDF say of when they were made; without it the cutoff, and without a cutoff 1970-01-01. No clock is read.
    numbering : mapping of str to str, optional
        Numbers of one's own by `Display.id`.
    say : callable
        Told each step.

    Returns
    -------
    list of Display
        What was written.

    Raises
    ------
    InputError
        If a form is unknown, a package is not installed, or the place cannot be written to; nothing is written then.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import Study
    >>> from cartrial.submission.displays import write_displays
    >>> study = Study.load("inaticel")
    >>> study = study.model_copy(update={"endpoints": study.endpoints[:1]})
    >>> with TemporaryDirectory() as folder:
    ...     _ = write_displays(study, None, folder, forms=["rtf"])
    ...     sorted(path.name for path in Path(folder).iterdir())[:2]
    ['l-16-2-1.rtf', 'l-16-2-3.rtf']
    """
    unknown = sorted(set(forms) - set(FORMS))
    if unknown:
        raise InputError(f"'{unknown[0]}' is no form of displays", key="forms", right=f"Known are: {', '.join(FORMS)}")
    displays = make_displays(study, data, numbering)
    with built_beside(Path(out)) as folder:
        write_files(displays, paper_of(study, data, results, made), folder, forms, say)
    return displays


def write_files(displays: Sequence[Display], paper: Paper, folder: Path, forms: Sequence[str], say: Callable[[str], None]) -> None:
    """Write some displays into a folder that is there: RTF a file each, DOCX and PDF one with all."""
    pictures = {display.id: draw_picture(display.body) for display in displays if isinstance(display.body, Figure)}
    images = {name: draw_png(picture) for name, picture in pictures.items()} if {"rtf", "docx"} & set(forms) else {}
    if "rtf" in forms:
        say("Writing RTF")
        for display in displays:
            text = write_rtf(display, paper, pictures.get(display.id), images.get(display.id, b""))
            (folder / f"{display.file}.rtf").write_bytes(text)
    if "docx" in forms:
        say("Writing DOCX")
        (folder / "displays.docx").write_bytes(write_docx(displays, paper, pictures, images))
    if "pdf" in forms:
        say("Writing PDF")
        (folder / "displays.pdf").write_bytes(write_pdf(displays, paper, pictures))
