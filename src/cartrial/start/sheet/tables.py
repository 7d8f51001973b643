"""Do the tables of a file fit together: are their patients the same?"""

from __future__ import annotations

from cartrial.errors import InputError
from cartrial.sdtm.source import many
from cartrial.start.sheet.grid import Stack
from cartrial.start.sheet.layout import Column, Layout

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
        If patients of one table are missing in that of one row a patient, or two tables of unlike columns split the patients between them.
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
    if (stack := _stacked(useful)) is not None:
        return [stack]
    ordered = sorted(useful or found, key=lambda layout: layout.long)
    first = ordered[0]
    known = {cell.text for cell in first.key.cells}
    for layout in ordered[1:]:
        own = {cell.text for cell in layout.key.cells}
        if lacking := sorted(own - known):
            names = ", ".join(lacking[:5]) + (" ..." if len(lacking) > 5 else "")
            what = f"{layout.grid.name} has {many(len(lacking), 'patient')} that {first.grid.name} has not ({names})"
            right = "Write a patient's number in one way in all sheets; sheets of different patients have the same columns in one order"
            raise InputError(what, file=layout.grid.file, right=right)
        if not layout.long and any(known - own):
            beside.append(f"{layout.grid.lead}{len(known - own)} patients of {first.grid.name} are not in it.")
    return ordered


def _stacked(layouts: list[Layout]) -> Layout | None:
    """Return sheets of the same columns and different patients as one table: a sheet for each cohort, or each site."""
    columns = [[(column.number, column.path) for column in layout.columns if column.header] for layout in layouts]
    keys = [{cell.text for cell in layout.key.cells} for layout in layouts]
    if (
        len(layouts) < 2
        or any(layout.long or not layout.grid.sheet for layout in layouts)
        or any(own != columns[0] or layout.key.number != layouts[0].key.number for own, layout in zip(columns, layouts, strict=True))
        or sum(map(len, keys)) != len(set().union(*keys))
    ):
        return None
    stack = Stack([layout.grid for layout in layouts])
    made = []
    for number, path in columns[0]:
        cells = [
            stack.moved(k, cell)
            for k, layout in enumerate(layouts)
            for column in layout.columns
            if column.number == number
            for cell in column.cells
        ]
        like = next(column for column in layouts[0].columns if column.number == number)
        made.append(Column(number, path, cells, like.topic, like.unit))
    key = next(column for column in made if column.number == layouts[0].key.number)
    rows = [cell.row for cell in key.cells]
    return Layout(stack, layouts[0].header, key, rows, made, parts=layouts)
