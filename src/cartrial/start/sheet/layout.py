"""Where in a sheet is the table? Which rows are its headers, which hold a patient, and which are titles, totals and notes?"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from cartrial.errors import InputError
from cartrial.sdtm.mapping.sheet import column_letter
from cartrial.start.sheet.dates import looks_dated
from cartrial.start.sheet.grid import Cell, Grid
from cartrial.start.sheet.topics import of_visit, topic_of
from cartrial.start.sheet.words import TOTALS, is_missing_word, plain

__all__ = ["Column", "Layout", "lay_out"]

_EXCLUDED = re.compile(
    r"exclu|screen(ing)? ?fail|ineligible|withdr[ae]w|not (treated|infused|evaluable|eligible|included)|off study|"
    r"ausgeschl|ausschluss|nicht (behandelt|infundiert|auswertbar)|排除|剔除|未入组|未回输|筛选失败"
)
# rows in which a header is looked for
_DEPTH = 40


@dataclass
class Column:
    """A column of a table: its number, its headers from top to bottom, its cells below them that are not blank, and their unit if said."""

    number: int
    path: tuple[str, ...]
    cells: list[Cell]
    topic: str | None = None
    unit: str = ""

    @property
    def letter(self) -> str:
        """Its letter."""
        return column_letter(self.number)

    @property
    def header(self) -> str:
        """Its headers in a line."""
        return " / ".join(name for name in self.path if name)

    @property
    def label(self) -> str:
        """How it is called to people."""
        return f"column {self.letter} ({self.header})" if self.header else f"column {self.letter} (no header)"

    @property
    def filled(self) -> list[Cell]:
        """Its cells but those that say that the value is not known."""
        return [cell for cell in self.cells if not is_missing_word(cell.text)]


@dataclass
class Layout:
    """Where the table of a sheet stands.

    Parameters
    ----------
    grid : Grid
    header : tuple of int
        Its header rows.
    key : Column
        The column of the patient's number.
    rows : list of int
        Rows that hold a patient.
    columns : list of Column
        Every column with a cell or a header, the key among them.
    skipped : dict of int to str
        Rows below the header that hold none, and what stands there.
    last_row : int
    long : bool
        A patient has several rows.
    parts : list of Layout
        The tables of other sheets with the same columns and other patients that it stands for; none of a table that stands alone.
    """

    grid: Grid
    header: tuple[int, ...]
    key: Column
    rows: list[int]
    columns: list[Column]
    skipped: dict[int, str] = field(default_factory=dict)
    last_row: int = 0
    long: bool = False
    parts: list[Layout] = field(default_factory=list)

    def rows_follow(self, row: int) -> bool:
        """Say whether a row with a patient's number comes after a row."""
        return any(cell.row > row for cell in self.key.cells)

    def subjects(self) -> dict[int, str]:
        """Return the patient's number by row."""
        return {cell.row: cell.text for cell in self.key.cells}


def lay_out(grid: Grid) -> Layout | None:
    """Return where the table of a sheet stands; None where it holds no table of patients.

    Raises
    ------
    InputError
        If a row has values and no patient's number, or one stands twice in a table of one row a patient.
    """
    header = _header_rows(grid)
    _refuse_lying(grid, header)
    if header is None:
        return None
    paths = _paths(grid, header)
    last = max((row for cells in grid.columns.values() for row in cells), default=0)
    columns = [
        Column(number, path, [cell for row, cell in sorted(grid.columns.get(number, {}).items()) if row > header[-1]], topic_of(path))
        for number, path in paths.items()
    ]
    columns = [column for column in columns if column.cells or column.header]
    key = _key(columns)
    if key is None or last <= header[-1]:
        return None
    layout = Layout(grid, header, key, [], columns, last_row=last)
    _take_rows(layout)
    if not layout.rows:
        return None
    kept = set(layout.rows)
    for column in columns:
        column.cells = [cell for cell in column.cells if cell.row in kept]
    _refuse_twice(layout)
    _refuse_unstored(layout)
    return layout


def _refuse_lying(grid: Grid, header: tuple[int, ...] | None) -> None:
    """Refuse a table whose headers stand below each other in a column: its patients are columns."""
    first = min(grid.columns, default=0)
    cells = list(grid.columns.get(first, {}).values())
    above = max((_known(list(grid.row(row).values())) for row in header), default=0) if header else 0
    if len(cells) >= 3 and (told := _known(cells)) >= 3 and told >= 0.6 * len(cells) and told > above:
        what = f"{grid.lead}the headers stand below each other in column {column_letter(first)}, so that patients are columns"
        raise InputError(what, file=grid.file, right="Turn the table: a patient is a row (copy it, and paste it transposed)")


def _header_rows(grid: Grid) -> tuple[int, ...] | None:
    """Return the header rows: the lowest row of words that are known, and those above and below that belong to it."""
    rows = [row for row in range(1, min(grid.last_row, _DEPTH) + 1) if grid.row(row)]
    scores = {row: _known(list(grid.row(row).values())) for row in rows}
    best = max(scores.values(), default=0)
    if best < 2:
        return None
    # the first one: a page may have its header again further down
    lowest = next(row for row in rows if scores[row] >= max(2, 0.6 * best) and _wordy(grid, row))
    while scores.get(lowest + 1, 0) >= max(2, 0.6 * best) and not _same(grid, lowest, lowest + 1):
        lowest += 1
    header = [lowest]
    while (above := header[0] - 1) in scores and _belongs(grid, above, lowest):
        header.insert(0, above)
    below = lowest + 1
    if below in scores and (_hints(grid, below, lowest) or _parts(grid, below, lowest)):
        header.append(below)
    return tuple(header)


def _same(grid: Grid, row: int, other: int) -> bool:
    return {cell.text for cell in grid.row(row).values()} == {cell.text for cell in grid.row(other).values()}


def _known(cells: list[Cell]) -> float:
    """Count the words of a row that are those of headers; what is a number or a date is none."""
    words = [cell for cell in cells if isinstance(cell.value, str) and not looks_dated(cell.value, cell.text)]
    if len(words) < 0.7 * len(cells):
        return 0
    return len({cell.text for cell in words if len(cell.text) < 120 and (topic_of((cell.text,)) or of_visit(cell.text))})


def _wordy(grid: Grid, row: int) -> bool:
    return len({cell.text for cell in grid.row(row).values()}) >= 2


def _belongs(grid: Grid, above: int, lowest: int) -> bool:
    """Say whether a row above the header groups its columns: several words, or one over some of them, and no title over all."""
    cells = grid.row(above)
    if any(not isinstance(cell.value, str) or looks_dated(cell.value, cell.text) for cell in cells.values()):
        return False
    width = len(grid.row(lowest))
    areas = [area for area in grid.merged if area[0] <= above <= area[2] and area[1] in cells]
    if len(cells) >= 2:
        return True
    return any(2 <= area[3] - area[1] + 1 < max(width - 1, 3) for area in areas) or any(area[2] >= lowest for area in areas)


_HINT = re.compile(
    r"^[(\[]?\s*(%|years?|jahre?|岁|10\^?9/?l|x ?10.*|/?[µu]l|g/l|giga/l|copies.*|cells.*|"
    r"y/n|yes/no|ja/nein|0/1|[dmyj./\- ]{6,10}|m/f|m/w|男/女|是/否|"
    r"grade|date|datum|text|number|1 ?=.*|0 ?=.*)\s*[)\]]?$"
)


def _hints(grid: Grid, below: int, lowest: int) -> bool:
    """Say whether a row says only in which units or forms the columns above are, or is the header in a second language."""
    cells = grid.row(below)
    if any(not isinstance(cell.value, str) or looks_dated(cell.value, cell.text) for cell in cells.values()):
        return False
    hints = sum(bool(_HINT.match(plain(cell.text))) for cell in cells.values())
    return hints >= 1 and hints >= 0.6 * len(cells)


def _parts(grid: Grid, below: int, lowest: int) -> bool:
    """Say whether a row names the columns below merged headers (*Day 28* over date and response), words of headers all."""
    areas = [area for area in grid.merged if area[0] == lowest and area[2] < below and area[3] > area[1]]
    cells = grid.row(below)
    under = [cell for number, cell in cells.items() if any(area[1] <= number <= area[3] for area in areas)]
    if len(under) < 2 or any(not isinstance(cell.value, str) or looks_dated(cell.value, cell.text) for cell in cells.values()):
        return False
    return all(topic_of((cell.text,)) for cell in under)


def _paths(grid: Grid, header: tuple[int, ...]) -> dict[int, tuple[str, ...]]:
    """Return the headers of each column: a blank upper one is that to its left, as far as a merged cell reaches."""
    carried = [""] * len(header)
    ends = [grid.width] * len(header)
    paths: dict[int, tuple[str, ...]] = {}
    for column in range(1, grid.width + 1):
        for level, row in enumerate(header):
            cell = grid.columns.get(column, {}).get(row)
            area = next((area for area in grid.merged if area[0] <= row <= area[2] and area[1] <= column <= area[3]), None)
            text = "" if cell is None or (area and row > area[0]) else " ".join(cell.text.split())
            if text:
                carried[level:] = [text] + [""] * (len(header) - level - 1)
                ends[level] = area[3] if area and area[3] > area[1] else grid.width
            elif level == len(header) - 1 or column > ends[level]:
                carried[level] = ""
        paths[column] = tuple(carried)
    return paths


def _key(columns: list[Column]) -> Column | None:
    """Return the column of the patient's number: the one whose header says so, else a running number."""
    for topic in ("subject", "running"):
        found = [column for column in columns if column.topic == topic and column.cells]
        if found:
            return max(found, key=lambda column: (len({cell.text for cell in column.cells}), -column.number))
    named = [column for column in columns if column.topic == "name" and column.cells]
    if named:
        return named[0]
    first = next((column for column in columns if column.cells), None)
    if first is None or first.topic not in (None, "site"):
        return None
    texts = [cell.text for cell in first.cells]
    return first if len(set(texts)) >= 0.8 * len(texts) else None


def _pattern(text: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", plain(text)))


def _take_rows(layout: Layout) -> None:
    """Part the rows below the header into those of patients, and titles, totals, repeated headers and notes."""
    grid, key = layout.grid, layout.key
    header = {column.number: column.path[-1] for column in layout.columns}
    keys = {cell.row: cell for cell in key.cells}
    full = [cell for cell in key.cells if len(grid.row(cell.row)) > 1]
    usual = {shape for shape, count in Counter(_pattern(cell.text) for cell in full).items() if count > 1}
    end = max((cell.row for cell in full if _pattern(cell.text) in usual), default=0)
    width = max((len(grid.row(cell.row)) for cell in full if _pattern(cell.text) in usual), default=0)
    excluding: tuple[int, str] | None = None
    for row in range(layout.header[-1] + 1, layout.last_row + 1):
        cells = grid.row(row)
        if not cells:
            continue
        said, own = keys.get(row), [cell for number, cell in cells.items() if number != key.number]
        label = next(iter(cells.values())).text
        spread = any(area[0] <= row <= area[2] and area[1] <= key.number < area[3] for area in grid.merged)
        if all(" ".join(cell.text.split()) == header.get(number, "") for number, cell in cells.items()):
            layout.skipped[row] = "the header again"
        elif TOTALS.match(plain(label)) and (said is None or _pattern(said.text) not in usual or len(plain(label)) > 2):
            layout.skipped[row] = f"a total ('{label}')"
        elif said is None and len(cells) == 1:
            layout.skipped[row] = f"a note ('{_short(label)}')"
            excluding = (row, label) if _EXCLUDED.search(plain(label)) else None
        elif said is None and not layout.rows_follow(row) and not any(isinstance(cell.value, str) for cell in own):
            layout.skipped[row] = "numbers below the table, of no patient"
        elif said is not None and (spread or (not own and _pattern(said.text) not in usual)):
            layout.skipped[row] = f"a title or a note ('{_short(said.text)}')"
            excluding = (row, said.text) if _EXCLUDED.search(plain(said.text)) else None
        elif said is not None and row > end > 0 and len(own) <= 2 < width - 1 and _is_remark(grid, row, said.text, usual):
            layout.skipped[row] = f"a note ('{_short(said.text)}')"
        elif said is None:
            what = f"{grid.lead}the row has {len(cells)} values and no patient's number in {key.label}"
            right = "Write the number in each row of the patient, or delete the row if it is of no patient"
            raise InputError(what, file=grid.file, row=row, right=right)
        elif excluding is not None:
            what = f"{grid.lead}row {excluding[0]} says '{_short(excluding[1])}', and patient {said.text} stands below it"
            right = "Move patients who do not count out of the table, or delete the line if they count"
            raise InputError(what, file=grid.file, row=row, right=right)
        else:
            layout.rows.append(row)


def _is_remark(grid: Grid, row: int, text: str, usual: set[str]) -> bool:
    """Say whether a row below the last patient speaks of the table (*Data cutoff* and its date): no number as the others have."""
    return _pattern(text) not in usual and (not re.search(r"\d", text) or not grid.row(row - 1))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _refuse_twice(layout: Layout) -> None:
    counts = Counter(cell.text for cell in layout.key.cells)
    twice = [text for text, count in counts.items() if count > 1]
    layout.long = (len(twice) >= 2 and len(counts) < 0.8 * len(layout.rows)) or (bool(twice) and _dated(layout))
    if twice and not layout.long:
        rows = [cell.row for cell in layout.key.cells if cell.text == twice[0]]
        what = f"{layout.grid.lead}patient {twice[0]} stands in rows {', '.join(map(str, rows))}"
        raise InputError(what, file=layout.grid.file, row=rows[1], right="Give each patient one row, or a number of its own")
    spellings: dict[str, set[str]] = {}
    for text in counts:
        spellings.setdefault(re.sub(r"[\s_\-./]", "", plain(text)), set()).add(text)
    for several in spellings.values():
        if len(several) > 1:
            names = " and ".join(f"'{name}'" for name in sorted(several))
            what = f"{layout.grid.lead}{names} in {layout.key.label} look like one patient written in {len(several)} ways"
            raise InputError(what, file=layout.grid.file, right="Write one number in one way")


def _refuse_unstored(layout: Layout) -> None:
    """Refuse formulas of which the file holds no value: their cells look empty."""
    named = {column.number: column for column in layout.columns if column.topic not in (None, "name", "cause", "computed")}
    for row, number in sorted(layout.grid.unstored):
        if row in layout.rows and number in named:
            place = layout.grid.place(number, row)
            what = f"{layout.grid.lead}{named[number].label}: cell {place} is a formula whose value is not stored in the file"
            raise InputError(what, file=layout.grid.file, row=row, right="Open the file in a spreadsheet program and save it")


def _dated(layout: Layout) -> bool:
    """Say whether a table is one of visits: it has a column of a visit or of a day, whatever happened there."""
    return any(column.topic in ("visit", "study-day", "date", "test") for column in layout.columns if column is not layout.key)
