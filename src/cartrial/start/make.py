"""How does a spreadsheet become a study? It is read, understood, asked about, written, and tried before anything is kept."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.files import built_beside
from cartrial.sdtm.mapping.sheet import letter_column
from cartrial.sdtm.source import many
from cartrial.start.ask import Answered, Answers
from cartrial.start.calls import read_responses
from cartrial.start.consistent import require_order
from cartrial.start.draft import Draft, Read
from cartrial.start.followup import read_followup
from cartrial.start.happened.events import read_events
from cartrial.start.measured import ask_lesions, read_measured
from cartrial.start.people import read_people
from cartrial.start.sheet.grid import Grid, read_grids
from cartrial.start.sheet.layout import Layout, lay_out
from cartrial.start.sheet.tables import join_tables
from cartrial.start.tall import read_tall
from cartrial.start.write import mapping_text, study_text

if TYPE_CHECKING:
    from cartrial.run import Derived

__all__ = ["Started", "start"]

_COMPUTED = "worked out in the sheet: times are derived from dates alone"


@dataclass(frozen=True)
class Started:
    """What was understood of a spreadsheet, and what was written.

    Parameters
    ----------
    folder : Path
        The study folder.
    tables : tuple of str
        What each sheet is: how many patients and rows, where its header stands, what is left out of it.
    read : tuple of Read
        Columns that are read.
    unread : tuple of str
        Columns and sheets that are not, and why.
    answered : tuple of Answered
        Questions with their answers.
    assumptions : tuple of str
    cannot : tuple of str
        What cannot be derived, and why.
    patients, infused : int
    derived : Derived
        What a report would show of them, before any estimate.
    """

    folder: Path
    tables: tuple[str, ...]
    read: tuple[Read, ...]
    unread: tuple[str, ...]
    answered: tuple[Answered, ...]
    assumptions: tuple[str, ...]
    cannot: tuple[str, ...]
    patients: int
    infused: int
    derived: Derived


def start(file: str | Path, out: str | Path | None = None, *, answers: Answers | None = None, force: bool = False) -> Started:
    """Make a study folder of a spreadsheet that nobody has described.

    Parameters
    ----------
    file : str or Path
        An .xlsx or .csv file of any layout.
    out : str or Path, optional
        The study folder; by default named after the file, where one is.
    answers : Answers, optional
        Where answers come from; by default nothing is assumed, and an open question is an error.
    force : bool
        Write into a folder that is there.

    Returns
    -------
    Started

    Raises
    ------
    InputError
        If the file cannot be read, something in it contradicts itself, a question is open, or the folder is there. Nothing is written then.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.start import Answers, start
    >>> sheet = "Patient,Infusion date,Best response,Response date,Last contact\\n"
    >>> sheet += "A1,2022-01-03,CR,2022-01-31,2022-09-01\\nA2,2022-02-01,NR,2022-03-01,2022-08-01\\n"
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "ours.csv").write_text(sheet)
    ...     made = start(Path(folder, "ours.csv"), Path(folder, "study"), answers=Answers(likely=True))
    ...     sorted(path.name for path in made.folder.iterdir()), made.patients
    (['data', 'mapping.yaml', 'study.yaml'], 2)
    """
    path = Path(file)
    answers = answers or Answers()
    folder = Path(out) if out is not None else Path(_slug(path.stem))
    if folder.exists() and not force and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the folder is there already and is not empty", file=str(folder), right="Name another with --out, or give --force")
    grids, content, encoding = read_grids(path)
    layouts, beside = _layouts(grids, path)
    draft = Draft(layouts, answers)
    for layout in draft.tables:
        if unseen := [row for row in layout.rows if row in layout.grid.unseen]:
            draft.assume(f"rows of {layout.grid.name} that the file hides count as the others ({many(len(unseen), 'row')})")
    read_people(draft)
    read_events(draft)
    read_responses(draft)
    read_followup(draft)
    read_measured(draft)
    read_tall(draft)
    ask_lesions(draft)
    if not answers.open:
        require_order(draft)
    unread = [*_unread(draft), *beside]
    name = _slug(path.stem)
    if encoding:
        draft.assume(f"the letters of {path.name} are in the encoding {encoding}; its copy is in UTF-8")
    study = study_text(draft, name, _title(path.stem))
    answers.require(path.name)
    mapping = mapping_text(draft, name, unread)
    with built_beside(folder) as place:
        (place / "data").mkdir()
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            shutil.copyfile(path, place / "data" / path.name)
        else:
            (place / "data" / path.name).write_bytes(content)
        (place / "study.yaml").write_text(study, encoding="utf-8", newline="\n")
        (place / "mapping.yaml").write_text(mapping, encoding="utf-8", newline="\n")
        derived, infused, absent = _tried(place)
    cannot = [*draft.cannot, *absent]
    tables = tuple(_told(layout) for layout in draft.tables)
    order = [draft.name(layout) for layout in layouts]
    read = sorted(draft.read, key=lambda one: (order.index(one.table), letter_column(one.letter)))
    return Started(
        folder,
        tables,
        tuple(read),
        tuple(unread),
        tuple(answers.answered),
        tuple(draft.assumptions),
        tuple(cannot),
        derived.adam.adsl.height,
        infused,
        derived,
    )


def _slug(stem: str) -> str:
    return re.sub(r"[^\w]+", "-", stem.lower()).strip("-_") or "study"


def _title(stem: str) -> str:
    return " ".join(re.sub(r"[_\-]+", " ", stem).split()) or "Study"


def _layouts(grids: list[Grid], path: Path) -> tuple[list[Layout], list[str]]:
    """Return the tables of patients, those of one row a patient first, and what the other sheets are."""
    found, beside = [], []
    for grid in grids:
        if not grid.columns:
            continue
        layout = None if grid.hidden else lay_out(grid)
        if layout is None:
            why = "it is hidden" if grid.hidden else "no header with a patient's number was found in it"
            beside.append(f"{grid.name}: {why}.")
        else:
            found.append(layout)
    if not found:
        what = "no table of patients was found" + (f" ({' '.join(beside)})" if grids and grids[0].sheet else "")
        right = "A table has a row of headers, one of them for the patient's number (such as Patient ID), and rows below it"
        raise InputError(what, file=path.name, right=right)
    return join_tables(found, beside), beside


def _told(layout: Layout) -> str:
    grid = layout.grid
    patients = len({cell.text for cell in layout.key.cells})
    where = f"header in row {layout.header[0]}" if len(layout.header) == 1 else f"headers in rows {layout.header[0]} to {layout.header[-1]}"
    said = f"{grid.name}: {patients} patients in {len(layout.rows)} rows ({'several' if layout.long else 'one'} a patient), {where}"
    if layout.skipped:
        said += "; not read: " + ", ".join(f"row {row} ({why})" for row, why in list(layout.skipped.items())[:8])
        said += f" and {len(layout.skipped) - 8} more" if len(layout.skipped) > 8 else ""
    if unseen := [row for row in layout.rows if row in grid.unseen]:
        said += f"; read although hidden: row {', '.join(map(str, unseen[:8]))}" + (
            f" and {len(unseen) - 8} more" if len(unseen) > 8 else ""
        )
    return said + "."


def _unread(draft: Draft) -> list[str]:
    """Return every column that no rule reads, and why."""
    found = []
    for number, layout in enumerate(draft.layouts):
        for column in layout.columns:
            if (number, column.number) in draft.used or not (column.cells or column.path[-1]):
                continue
            if not column.cells:
                found.append(f"{column.label}: it is empty, which says neither yes nor no.")
                continue
            why = draft.left.get((number, column.number))
            if why is None and not column.filled:
                why = f"its cells say that nothing is known ('{column.cells[0].text}')"
            if why is None:
                why = _COMPUTED if column.topic == "computed" else "no endpoint needs it, or its header is not known"
            sheet = f"{layout.grid.name}, " if len(draft.layouts) > 1 else ""
            found.append(f"{sheet}{column.label}: {why}.")
    return found


def _tried(folder: Path) -> tuple[Derived, int, list[str]]:
    """Read and derive what was written, as a report does; return it, the infused patients, and what cannot be derived."""
    from cartrial.run import derive_data, load_data

    data = load_data(folder, folder / "data")
    derived = derive_data(data)
    adam = derived.adam
    absent = []
    for frame in (adam.adrs, adam.adtte):
        rows = frame.filter((pl.col("VARIANT") == "") & pl.col("AVAL").is_null() & pl.col("RULE").str.contains("^not (recorded|derived)"))
        for name, rule in rows.select("PARAMCD", "RULE").unique(maintain_order=True).iter_rows():
            endpoint = next(one for one in data.study.endpoints if one.id == name)
            absent.append(f"{endpoint.label}: {_in_words(rule)}.")
    infused = (
        adam.adsl.filter(pl.col("INFFL") == "Y").height if "INFFL" in adam.adsl.columns else data.source.domains["EX"]["USUBJID"].n_unique()
    )
    return derived, infused, list(dict.fromkeys(absent))


def _in_words(rule: str) -> str:
    said = rule.partition(": ")[2] or rule
    return (
        said.replace("in the source", "in the sheet").replace("call by INV", "response").replace("call by IRC", "response of the committee")
    )
