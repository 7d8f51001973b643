"""Do the tables of a file fit together: are their patients the same?"""

from __future__ import annotations

from cartrial.errors import InputError
from cartrial.start.sheet.layout import Layout

__all__ = ["join_tables"]

_NEEDED = (
    "infusion",
    "response",
    "mrd",
    "relapse",
    "death",
    "last-contact",
    "transplant",
    "autologous",
    "therapy",
    "blasts",
    "crs",
    "icans",
    "copies",
    "vital",
    "test",
)


def join_tables(found: list[Layout], beside: list[str]) -> list[Layout]:
    """Return the tables that are read, those with one row a patient first; a table of other patients is refused.

    Raises
    ------
    InputError
        If patients of one table are missing in that of one row a patient, or two tables split the patients between them.
    """
    useful = []
    for layout in found:
        if (
            any(column.topic in _NEEDED for column in layout.columns)
            or len(found) == 1
            or any(column.topic in ("age", "sex", "site", "enrolment", "consent") for column in layout.columns)
        ):
            useful.append(layout)
        else:
            beside.append(f"{layout.grid.lead}it holds nothing that an endpoint needs.")
    ordered = sorted(useful or found, key=lambda layout: layout.long)
    first = ordered[0]
    known = {cell.text for cell in first.key.cells}
    for layout in ordered[1:]:
        own = {cell.text for cell in layout.key.cells}
        if lacking := sorted(own - known):
            names = ", ".join(lacking[:5]) + (" ..." if len(lacking) > 5 else "")
            what = f"{layout.grid.name} has {len(lacking)} patients that {first.grid.name} has not ({names})"
            right = "Write the number of a patient in the same way in each sheet; put patients of two sheets into one table"
            raise InputError(what, file=layout.grid.file, right=right)
        if not layout.long and any(known - own):
            beside.append(f"{layout.grid.lead}{len(known - own)} patients of {first.grid.name} are not in it.")
    return ordered
