"""Which displays does a study have, in the order of a report's sections 14 and 16.2?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cartrial.errors import InputError
from cartrial.submission.displays.content.efficacy import response_displays
from cartrial.submission.displays.content.found import Known
from cartrial.submission.displays.content.given import later_displays, product_displays
from cartrial.submission.displays.content.graded import end_displays, grade_displays
from cartrial.submission.displays.content.harm import course_displays, harm_displays
from cartrial.submission.displays.content.listings import listing_displays
from cartrial.submission.displays.content.subjects import subject_displays
from cartrial.submission.displays.content.times import time_displays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cartrial.report.study.data import ReportData
    from cartrial.study import Study
    from cartrial.submission.displays.model import Display

__all__ = ["make_displays"]

PARTS = (
    *(subject_displays, product_displays, response_displays, time_displays, end_displays, later_displays),
    *(course_displays, harm_displays, grade_displays, listing_displays),
)


def make_displays(study: Study, data: ReportData | None = None, numbering: Mapping[str, str] | None = None) -> list[Display]:
    """Return the displays of a study's run, or its shells: the same with ``xx`` for numbers.

    Parameters
    ----------
    study : Study
    data : ReportData, optional
        Of a run; without it, shells. What the data cannot give has no display.
    numbering : mapping of str to str, optional
        Numbers of one's own by `Display.id`.

    Raises
    ------
    InputError
        If a number is of a display that there is not, or two displays have one number.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.submission.displays import make_displays
    >>> shells = make_displays(Study.load("inaticel"))
    >>> shells[0].label, shells[0].title, [str(cell) for cell in shells[0].body.rows[0]]
    ('Table 14.1.1.1', 'Disposition and milestones from consent to infusion', ['Consented', 'xx'])
    """
    if data is None:
        from cartrial.report.study.shells import shell_sections

        known = Known(study, None, shell_sections(study))
    else:
        from cartrial.report.study.sections import LISTING_ONLY, SECTIONS

        known = Known(study, data, [build(data) for build in (LISTING_ONLY if study.study.listing_only else SECTIONS)])
    return _numbered([display for part in PARTS for display in part(known)], dict(numbering or {}))


def _numbered(displays: list[Display], own: dict[str, str]) -> list[Display]:
    there = {display.id for display in displays}
    unknown = sorted(set(own) - there)
    if unknown:
        raise InputError(
            f"'{unknown[0]}' is no display of this study", key="submission.numbering", right=f"Its displays are: {', '.join(sorted(there))}"
        )
    numbered = [replace(display, number=own.get(display.id, display.number)) for display in displays]
    taken: dict[str, str] = {}
    for display in numbered:
        other = taken.setdefault(display.file, display.id)
        if other != display.id:
            raise InputError(
                f"'{other}' and '{display.id}' have the same number, {display.number}",
                key="submission.numbering",
                right="Give each its own",
            )
    return numbered
