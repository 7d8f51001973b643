"""Who are the virtual patients, and how do they compare with what was published?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cartrial.report.page.blocks import Block, Definition, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, parts
from cartrial.report.study.data import ReportData

if TYPE_CHECKING:
    from cartrial.virtual.trial import VirtualPatients

__all__ = ["burden_blocks", "published_section", "virtual_sections"]

# measure of the registry: what it is, and where the results of a trial have it (analysis, endpoint, statistic, variant).
_MEASURES: dict[str, tuple[str, tuple[str, str, str, str] | None]] = {
    "response": ("Response (CR or CRi) within 3 months", ("response", "ORRW3", "rate", "")),
    "complete-response": ("CR within 3 months", ("response", "CRW3", "rate", "")),
    "response-month-3": ("Response (CR or CRi) at month 3", ("response", "ORR3", "rate", "")),
    "mrd-negative-of-responders": (
        "MRD-negative within 3 months, of responders",
        ("response", "MRDN3", "rate", "population=responders;window.within=month 3"),
    ),
    "remission-median": ("Median duration of response (months)", ("survival", "DOR", "median", "")),
    "alive": ("Alive at day {at:.0f}", None),
    "event-free": ("Free of events at day {at:.0f}", None),
    "remission-free-of-relapse": ("In remission {at:.0f} days after response", None),
}
_BEST = "inaticel-best"
_USES = {"fit": "fitted", "consulted": "not fitted, but consulted", "held-out": "not used"}


def virtual_sections(data: ReportData, virtual: VirtualPatients | None) -> list[Section]:
    """Return who the virtual patients are, and what was published of such patients where they are of a built-in population."""
    found = [_patients_section(virtual)]
    compared = published_section(data, virtual.population) if virtual is not None and virtual.builtin else None
    return found if compared is None else [*found, compared]


def _patients_section(virtual: VirtualPatients | None) -> Section:
    from cartrial.virtual import LABEL

    title, short = "The virtual patients", "Virtual patients"
    if virtual is None:
        unknown = "From which population they were drawn is not recorded, so they are not compared with what was published."
        return Section("virtual", title, [Note(LABEL), Text(unknown)], short)
    by_burden = burden_blocks(virtual.population) if virtual.builtin else []
    return Section("virtual", title, [Note(LABEL), Definition(list(virtual.lines())), *by_burden], short)


def burden_blocks(population: str) -> list[Block]:
    """Return the outcomes of a built-in population by blasts before lymphodepletion, and what the table does not reach."""
    from cartrial.virtual.calibration import read_scores
    from cartrial.virtual.calibration.burden import NOT_REACHED, OUTCOMES, words_of

    rows = read_scores("burden").filter(population=population)
    if rows.is_empty():
        return []
    columns = list(rows.iter_rows(named=True))
    head = ("Outcome", *(f"{row['blasts']} blasts (n {row['infused']})" for row in columns))
    lines: list[tuple[Cell, ...]] = [(words, *(words_of(name, row[name]) for row in columns)) for name, (words, _) in OUTCOMES.items()]
    words = (
        "Patients of this population by the model, 40 % of them with less than 5 % blasts, under the mean of the ensemble: not this "
        "trial's subjects. Blasts are those of the marrow before lymphodepletion, not those at screening. "
    )
    return [Table(head, lines, "The model's outcomes by blasts before lymphodepletion"), Note(words + NOT_REACHED)]


def published_section(data: ReportData, population: str = "inaticel") -> Section | None:
    """Return the table of simulated against published results, None where nothing was published of the population.

    Parameters
    ----------
    data : ReportData
        Of a virtual trial.
    population : str
        The population its subjects are drawn from.
    """
    from cartrial.design.trials.compare import published_of
    from cartrial.virtual import LABEL

    found = published_of(data.study, population)
    if found.is_empty():
        return None
    head = ("Result", "Study", "Published (95 % interval)", "Model (80 % band)", "This virtual trial", "Use")
    rows = [_published_row(data, row) for row in found.iter_rows(named=True)]
    blocks: list[Block] = [
        Note(LABEL),
        Table(head, rows, "Virtual patients against what was published, infused subjects", wide=True),
        Note(
            "The model's column is the mean over the ensemble of parameter sets, each followed without loss or cutoff; the virtual trial "
            "has this report's size, cutoff, readers and losses, and is one of many that the same model allows. Fitted results were used "
            "to choose the parameters, so agreement with them says little; the others were not used. The model's rate at month 3 counts "
            "a transplant before it as no response, an assumption on what was published; its other rates ignore transplant."
        ),
    ]
    return Section("published", "Simulated against published", blocks, "Against published")


def _number(value: float | None, months: bool) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if months else f"{100 * value:.1f} %"


def _published_row(data: ReportData, row: dict[str, Any]) -> tuple[Cell, ...]:
    words, place = _MEASURES.get(row["measure"], (row["measure"].replace("-", " "), None))
    months = row["measure"].endswith("-median")
    if row["target"] == _BEST:
        words, place = "Best response (CR or CRi)", ("response", "BORR", "rate", "")
    counts = f"{row['n']}/{row['of']}, " if row["n"] is not None else ""
    upper = "NR" if row["upper"] is None else _number(row["upper"], months)
    published = f"{counts}{_number(row['published'], months)} ({_number(row['lower'], months)} to {upper})"
    model = f"{_number(row['simulated'], months)} ({_number(row['band_low'], months)} to {_number(row['band_high'], months)})"
    here: Cell = ABSENT
    if place:
        at = data.rows.where(place[0], place[1], variant=place[3], by="")
        stat = data.rows.stat(at, place[2])
        if stat and months:
            here = parts("{}" if stat.value is None else "{} days", stat)
        elif stat:
            here = parts("{}/{}, {} %", data.rows.stat(at, "n"), data.rows.stat(at, "N"), stat)
            ignored = data.rows.stat(data.rows.where(place[0], place[1], variant="hsct=treatment-policy", by=""), place[2])
            if ignored and not place[3] and ignored.value != stat.value:
                here = parts("{}; {} % with transplant ignored", here, ignored)
    return (words.format(at=row["at"]), row["trial"], published, model, here, _USES[row["use"]])
