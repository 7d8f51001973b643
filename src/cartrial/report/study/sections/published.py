"""Who are the virtual patients, and how do they compare with what was published?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cartrial.analysis.wording import DAYS_PER_MONTH, day_of_month
from cartrial.report.page.blocks import Block, Definition, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, parts
from cartrial.report.study.data import ReportData

if TYPE_CHECKING:
    from cartrial.virtual.trial import VirtualPatients

__all__ = ["MEASURES", "burden_blocks", "published_section", "virtual_sections"]

MEASURES: dict[str, tuple[str, str]] = {
    "infused-of-enrolled": ("Infused, of the enrolled", "share"),
    "failed-of-enrolled": ("Product failure, of the enrolled", "share"),
    "response": ("Response (CR or CRi) within 3 months", "share"),
    "complete-response": ("CR within 3 months", "share"),
    "response-month-3": ("Response (CR or CRi) at month 3", "share"),
    "mrd-negative": ("MRD-negative response within 3 months", "share"),
    "mrd-negative-of-responders": ("MRD-negative within 3 months, of responders", "share"),
    "remission-median": ("Median duration of response (months)", "months"),
    "remission-free-of-relapse": ("In remission at {at} from response, of responders", "share"),
    "event-free": ("Free of events at {at}", "share"),
    "event-free-median": ("Median event-free survival (months)", "months"),
    "alive": ("Alive at {at}", "share"),
    "survival-median": ("Median survival (months)", "months"),
    "survival-after-failure-median": ("Median survival after relapse or non-response (months)", "months"),
    "relapse-of-responders": ("Relapse by {at}, of responders", "share"),
    "negative-of-relapses": ("CD19-negative, of relapses by {at}", "share"),
    "negative-of-relapses-in-aplasia": ("CD19-negative, of relapses by {at} without B cells", "share"),
    "relapse-after-b-cell-recovery": ("Rate of relapse after over before recovery of B cells (ratio)", "number"),
    "transplanted-of-responders": ("Transplanted in remission, of responders", "share"),
    "severe-crs": ("Severe cytokine release", "share"),
    "severe-crs-penn": ("Severe cytokine release on the Penn scale", "share"),
    "severe-icans": ("Severe neurotoxicity", "share"),
    "neutrophils-below-1": ("Neutrophils below 1 × 10⁹/L at {at}", "share"),
    "platelets-below-50": ("Platelets below 50 × 10⁹/L at {at}", "share"),
    "grade-4-cytopenia": ("Cytopenia of grade 4 at {at}", "share"),
    "neutrophils-ever-below-1": ("Neutrophils ever below 1 × 10⁹/L", "share"),
    "platelets-ever-below-50": ("Platelets ever below 50 × 10⁹/L", "share"),
    "days-neutrophils-below-half": ("Days of neutrophils below 0.5 × 10⁹/L, median", "number"),
    "cmax": ("Cmax, geometric mean (copies/µg)", "copies"),
    "cmax-ratio": ("Cmax of responders over non-responders (ratio)", "number"),
    "auc-ratio": ("AUC0-28 of responders over non-responders (ratio)", "number"),
    "cmax-spread": ("Spread of Cmax (ln sd)", "number"),
    "tmax": ("Tmax, median (days)", "number"),
    "tmax-lower-quartile": ("Tmax, lower quartile (days)", "number"),
    "tmax-upper-quartile": ("Tmax, upper quartile (days)", "number"),
    "tmax-spread": ("Spread of Tmax (ln sd)", "number"),
    "expansion-by-blasts": ("Cmax for 50 points more of marrow blasts (ratio)", "number"),
    "copies": ("Copies at {at}, median (copies/µg)", "copies"),
    "quantifiable": ("CAR-T cells quantifiable at {at}", "share"),
    "lost": ("CAR-T cells no longer quantifiable at {at}", "share"),
    "aplasia": ("Without B cells at {at}, of responders", "share"),
}
"""Measures of the registry of published results: what each is, with {at} for its day or month; and its unit, a share being shown in %."""
# where the results of a trial have a measure: analysis, endpoint, statistic, variant
_PLACES: dict[str, tuple[str, str, str, str]] = {
    "response": ("response", "ORRW3", "rate", ""),
    "complete-response": ("response", "CRW3", "rate", ""),
    "response-month-3": ("response", "ORR3", "rate", ""),
    "mrd-negative-of-responders": ("response", "MRDN3", "rate", "population=responders;window.within=month 3"),
    "remission-median": ("survival", "DOR", "median", ""),
}
_BEST = "inaticel-best"
_USES = {"fit": "fitted", "consulted": "not fitted, but consulted", "held-out": "held out"}


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
    from cartrial.virtual.calibration.burden import OUTCOMES, tell_not_reached, words_of

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
    return [Table(head, lines, "The model's outcomes by blasts before lymphodepletion"), Note(words + tell_not_reached(rows))]


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
        Table(head, rows, "Virtual patients against what was published, infused subjects unless said", wide=True),
        Note(
            "The model's column is the mean over the ensemble of parameter sets, each followed without loss or cutoff; the virtual trial "
            "has this report's size, cutoff, readers and losses, and is one of many that the same model allows. Fitted results were used "
            "to choose the parameters, and with the consulted ones in view other numbers were set, so agreement with either says little; "
            "those held out were not used. The model's rate at month 3 counts "
            "a transplant before it as no response, an assumption on what was published; its other rates ignore transplant."
        ),
    ]
    return Section("published", "Simulated against published", blocks, "Against published")


def _number(value: float | None, unit: str) -> str:
    """Return a value as it is shown: shares in %, months with one decimal, copies to three digits, other numbers too."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{value:.1f}" if unit == "months" else f"{float(f'{value:.3g}'):,.0f}" if unit == "copies" else f"{value:.3g}"


def _at(day: float) -> str:
    """Return a day in words: the month whose day it is, else the day."""
    month = round(day / DAYS_PER_MONTH)
    return f"month {month}" if month and day_of_month(month) == day else f"day {day:.0f}"


def _words(row: dict[str, Any], words: str) -> str:
    """Return what was published: the measure, with the blasts of those of whom it is where they are not all patients."""
    said, low, high = words.format(at=_at(row["at"])), row["blasts_from"], row["blasts_to"]
    if low is None:
        return said
    return f"{said}, of those with {100 * low:g} to {100 * high:g} % blasts before lymphodepletion"


def _published_row(data: ReportData, row: dict[str, Any]) -> tuple[Cell, ...]:
    words, unit = MEASURES[row["measure"]]
    place = None if row["blasts_from"] is not None else _PLACES.get(row["measure"])
    if row["target"] == _BEST:
        words, place = "Best response (CR or CRi)", ("response", "BORR", "rate", "")
    counts = f"{row['n']}/{row['of']}, " if row["n"] is not None else ""
    upper = "NR" if row["upper"] is None else _number(row["upper"], unit)
    published = f"{counts}{_number(row['published'], unit)} ({_number(row['lower'], unit)} to {upper})"
    model = f"{_number(row['simulated'], unit)} ({_number(row['band_low'], unit)} to {_number(row['band_high'], unit)})"
    here: Cell = ABSENT
    if place:
        at = data.rows.where(place[0], place[1], variant=place[3], by="")
        stat = data.rows.months(at) if unit == "months" else data.rows.stat(at, place[2])
        if stat and unit == "months":
            here = stat
        elif stat:
            here = parts("{}/{}, {} %", data.rows.stat(at, "n"), data.rows.stat(at, "N"), stat)
            ignored = data.rows.stat(data.rows.where(place[0], place[1], variant="hsct=treatment-policy", by=""), place[2])
            if ignored and not place[3] and ignored.value != stat.value:
                here = parts("{}; {} % with transplant ignored", here, ignored)
    return (_words(row, words), row["trial"], published, model, here, _USES[row["use"]])
