"""Which files do displays leave, and how are they written whole or not at all?"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cartrial.errors import InputError
from cartrial.files import built_beside
from cartrial.report.page.blocks import Figure
from cartrial.submission.displays.catalogue import make_displays
from cartrial.submission.displays.chinese import read_phrases, translate_displays
from cartrial.submission.displays.forms.paper import paper_of
from cartrial.submission.displays.forms.pdf import chinese_face, write_pdf
from cartrial.submission.displays.forms.pictures import draw_picture, draw_png
from cartrial.submission.displays.forms.rtf import join_rtf
from cartrial.submission.displays.forms.word import write_docx
from cartrial.submission.displays.lacking import lacking_displays
from cartrial.submission.displays.together import write_files

if TYPE_CHECKING:
    from cartrial.report.study.data import ReportData
    from cartrial.study import Study
    from cartrial.submission.displays.model import Display

__all__ = ["FORMS", "NOTES", "write_displays", "write_files", "write_shell_file"]

NOTES = "displays.json"
"""What is to be known of the displays of a run: those that were not produced, and why."""

FORMS = ("rtf", "docx", "pdf")
"""RTF: a file a display, as reports are put together from; DOCX: one file with all; PDF: likewise, but for listings of many rows."""


def write_displays(
    study: Study,
    data: ReportData | None,
    out: str | Path,
    *,
    forms: Sequence[str] = FORMS,
    results: str = "",
    made: dt.date | None = None,
    numbering: Mapping[str, str] | None = None,
    language: str = "en",
    displays: Sequence[Display] | None = None,
    workers: int = 1,
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
    language : {"en", "zh"}
        Of titles, headings, lines and notes. In Chinese no PDF is written where the machine has no type with Chinese letters.
    displays : sequence of Display, optional
        Those of the study, where they were made before, with their numbers.
    workers : int
        How much is done side by side, in threads and processes; the files are the same.
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
    ['l-16-2-1.rtf', 'l-16-2-2.rtf']
    """
    unknown = sorted(set(forms) - set(FORMS))
    if unknown:
        raise InputError(f"'{unknown[0]}' is no form of displays", key="forms", right=f"Known are: {', '.join(FORMS)}")
    displays = make_displays(study, data, numbering) if displays is None else list(displays)
    paper, lacking = paper_of(study, data, results, made), lacking_displays(displays) if data is not None else []
    left: list[str] = []
    unwritten: dict[str, str] = {}
    if language == "zh":
        displays, left = translate_displays(displays)
        phrases = read_phrases().phrases
        paper = replace(paper, words=phrases, band=phrases.get(paper.band, paper.band))
        if "pdf" in forms and not chinese_face():
            forms = [form for form in forms if form != "pdf"]
            unwritten = {"displays.pdf": "this machine has no type with Chinese letters; install one, such as Noto Serif CJK SC"}
            say(f"No displays.pdf: {unwritten['displays.pdf']}")
    told = [{"number": asked.number, "title": asked.title, "why": asked.why} for asked in lacking]
    with built_beside(Path(out)) as folder:
        lines = tuple(f"{one['number']} {one['title']}: {one['why']}." for one in told)
        write_files(displays, replace(paper, absent=lines), folder, forms, say, workers=workers)
        if data is not None:
            notes = {"not_produced": told, "not_written": unwritten, "not_translated": left}
            (folder / NOTES).write_text(json.dumps(notes, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return displays


def write_shell_file(study: Study, out: str | Path, say: Callable[[str], None] = lambda _: None) -> int:
    """Write the shells of a study into one file: RTF, DOCX or PDF, as its name ends.

    Parameters
    ----------
    study : Study
    out : str or Path
    say : callable
        Told each step.

    Returns
    -------
    int
        How many displays it has.

    Raises
    ------
    InputError
        If the name ends otherwise, a package is not installed, or the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import Study
    >>> from cartrial.submission.displays.write import write_shell_file
    >>> study = Study.load("inaticel")
    >>> study = study.model_copy(update={"endpoints": study.endpoints[:1]})
    >>> with TemporaryDirectory() as folder:
    ...     number = write_shell_file(study, Path(folder, "shells.rtf"))
    ...     number > 20, Path(folder, "shells.rtf").read_bytes()[:6]
    (True, b'{\\\\rtf1')
    """
    path = Path(out)
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise InputError(f"shells are not written as '{path.suffix}'", file=str(path), right="End the name in .html, .rtf, .docx or .pdf")
    displays = make_displays(study, None, study.submission.numbering)
    paper = paper_of(study)
    say(f"Writing {form.upper()}")
    pictures = {display.id: draw_picture(display.body) for display in displays if isinstance(display.body, Figure)}
    images = {name: draw_png(picture) for name, picture in pictures.items()} if form != "pdf" else {}
    if form == "pdf":
        whole = write_pdf(displays, paper, pictures)
    else:
        whole = (join_rtf if form == "rtf" else write_docx)(displays, paper, pictures, images)
    with built_beside(path.parent) as folder:
        (folder / path.name).write_bytes(whole)
    return len(displays)
