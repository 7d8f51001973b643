"""Which listings are there? Section 16.2: a line a record of a derived set or of the source, who it is of on every line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from cartrial.endpoints.sets.baseline import level_column, number_column
from cartrial.report.page.blocks import Table
from cartrial.report.study.phrases import READER_NAMES, level_words
from cartrial.submission.displays.content import recorded
from cartrial.submission.displays.content.found import EMPTY, Known, Plan
from cartrial.submission.displays.model import Display, Grid, Piece, Words, to_words

if TYPE_CHECKING:
    from cartrial.report.study.data import ReportData

__all__ = ["listing_displays"]


class Listing(NamedTuple):
    """A listing: its columns as heading and variable, and what is said of it."""

    plan: Plan
    columns: Sequence[tuple[str, str]]
    notes: tuple[str, ...] = ()


LEFT = Listing(
    Plan("left", "16.2.1", "Subjects who left the study or were not infused", "consented", "ADSL"),
    (
        ("Subject", "USUBJID"),
        ("Consent", "RFICDT"),
        ("Enrolled", "ENRLDT"),
        ("Leukapheresis", "LEUKDT"),
        ("Product released", "RELDT"),
        ("Lymphodepletion", "LDSTDT"),
        ("Infusion", "TRTSDT"),
        ("Status", "EOSSTT"),
        ("Reason", "DCSREAS"),
        ("Last known alive", "LSTALVDT"),
    ),
)
EXCLUDED = Listing(
    Plan("excluded", "16.2.3", "Infused subjects who are not in an efficacy set", "infused", "ADSL"),
    (
        ("Subject", "USUBJID"),
        ("Infusion", "TRTSDT"),
        ("Assessed", "ASSFL"),
        ("Evaluable", "EVALFL"),
        ("Death", "DTHDT"),
        ("Status", "EOSSTT"),
    ),
    (
        "Assessed: an adequate assessment after the infusion.",
        "Evaluable: disease before lymphodepletion, and an adequate assessment, a death or a new therapy after the infusion.",
    ),
)
READS = Listing(
    Plan("reads", "16.2.6.1", "Each read of the disease", "infused", "ADRS by visit"),
    (
        ("Subject", "USUBJID"),
        ("Reader", "READER"),
        ("Date", "ADT"),
        ("Day", "CARDAY"),
        ("Recorded", "ORRES"),
        ("Call", "AVALC"),
        ("MRD", "MRD"),
        ("Adequate", "ADEQUATE"),
        ("Used", "USABLE"),
        ("Why not", "REASON"),
        ("Source", "SRC"),
    ),
    ("Day: days from the infusion, which is day 0.",),
)
EVENTS = (
    ("Subject", "USUBJID"),
    ("Class", "AEBODSYS"),
    ("Event", "AEDECOD"),
    ("Grade", "AETOXGR"),
    ("Start", "ASTDT"),
    ("Day", "CARSTDAY"),
    ("End", "AENDT"),
    ("Days", "ADURN"),
    ("Emergent", "TRTEMFL"),
    ("Serious", "AESER"),
    ("Related", "AEREL"),
    ("Outcome", "AEOUT"),
    ("Source", "SRC"),
)
_DAY = ("Day: days from the infusion, which is day 0; days: both ends included. A partial date is imputed and flagged in ADAE.",)
ADVERSE = Listing(Plan("adverse-events-listed", "16.2.7.1", "Adverse events", "infused", "ADAE"), EVENTS, _DAY)
SERIOUS = Listing(Plan("serious-listed", "16.2.7.2", "Serious adverse events", "infused", "ADAE"), EVENTS, _DAY)
DEATHS = Listing(
    Plan("deaths-listed", "16.2.7.3", "Deaths", "consented", "ADSL"),
    (
        ("Subject", "USUBJID"),
        ("Infusion", "TRTSDT"),
        ("Death", "DTHDT"),
        ("Day", "DTHDAY"),
        ("Date imputed", "DTHDTF"),
        ("Source", "DTHSRC"),
    ),
    ("Day: days from the infusion, which is day 0.",),
)


def listing_displays(known: Known) -> list[Display]:
    """Return the listings; those of a shell have their headings and one empty line."""
    data = known.data
    demography = Listing(Plan("subjects-listed", "16.2.4", "Demographics and disease", "infused", "ADSL"), _baseline(known))
    of_records = {plan.id: Listing(plan, *said) for plan, said in recorded.RECORDED.items()}

    def source(plan: Plan, read: Callable[[ReportData], pl.DataFrame]) -> list[Display]:
        return _listing(known, of_records[plan.id], None if data is None else read(data))

    found = [
        *_listing(known, LEFT, None if data is None else _left(data)),
        *source(recorded.DEVIATIONS, recorded.deviations),
        *_listing(known, EXCLUDED, None if data is None else _excluded(data)),
        *_listing(known, demography, None if data is None else data.infused.sort("USUBJID")),
        *source(recorded.EXPOSURE, recorded.exposure),
        *source(recorded.MEDICATION, recorded.medication),
        *source(recorded.SAMPLES, recorded.samples),
        *_listing(known, READS, None if data is None else _reads(data)),
    ]
    found += _values(known)
    adverse = None if data is None else _events(data)
    serious = adverse.filter(pl.col("AESER") == "Y") if adverse is not None and "AESER" in adverse.columns else adverse
    deaths = None if data is None else data.adam.adsl.filter(pl.col("DTHFL") == "Y").sort("USUBJID")
    harm = (*_listing(known, ADVERSE, adverse), *_listing(known, SERIOUS, serious), *_listing(known, DEATHS, deaths))
    return [*found, *harm, *source(recorded.LABORATORY, recorded.laboratory)]


def _listing(known: Known, listing: Listing, frame: pl.DataFrame | None) -> list[Display]:
    """Return a listing of a frame; of a shell (no frame) its headings. Columns that the data have not are left out."""
    if frame is None:
        rows: tuple[tuple[Words, ...], ...] = (tuple(Words((Piece(EMPTY),)) for _ in listing.columns),)
        columns = list(listing.columns)
    else:
        columns = [(head, name) for head, name in listing.columns if name in frame.columns and frame[name].null_count() < frame.height]
        if not columns or frame.is_empty():
            return []
        texts = [_texts(frame[name]) for _, name in columns]
        rows = tuple(tuple(Words((Piece(text),) if text else ()) for text in row) for row in zip(*texts, strict=True))
    numbers = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Float64)
    numeric = {place for place, (_, name) in enumerate(columns) if frame is not None and frame[name].dtype in numbers}
    notes = tuple(Words((Piece(note),)) for note in listing.notes)
    grid = Grid(tuple(head for head, _ in columns), rows, frozenset(numeric))
    return [known.display(listing.plan, "listing", grid, notes)]


def _texts(column: pl.Series) -> list[str]:
    words = {"READER": READER_NAMES}.get(column.name, {})
    return [_text(value, words) for value in column.to_list()]


def _text(value: Any, words: Mapping[str, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return value.isoformat()
    return f"{value:g}" if isinstance(value, float) else level_words(words.get(value, str(value)))


def _baseline(known: Known) -> list[tuple[str, str]]:
    """Return the columns of the characteristics that the study file names, numbers beside their levels."""
    columns = [("Subject", "USUBJID"), ("Site", "SITEID"), ("Infusion", "TRTSDT")]
    for item in known.study.baseline:
        if item.cut:
            columns.append((item.label + (f" ({item.unit})" if item.unit else ""), number_column(item)))
        columns.append((f"{item.label}, level" if item.cut else item.label, level_column(item)))
    return columns


def _left(data: ReportData) -> pl.DataFrame:
    return data.adam.adsl.filter((pl.col("EOSSTT") != "ONGOING") | (pl.col("INFFL") != "Y")).sort("USUBJID")


def _excluded(data: ReportData) -> pl.DataFrame:
    return data.infused.filter((pl.col("ASSFL") != "Y") | (pl.col("EVALFL") != "Y")).sort("USUBJID")


def _source() -> pl.Expr:
    return pl.concat_str("SRCDOM", pl.col("SRCSEQ").cast(pl.String), separator=" ", ignore_nulls=True).alias("SRC")


def _infused(data: ReportData, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.join(data.infused.select("SUBJ"), on="SUBJ", how="semi")


def _reads(data: ReportData) -> pl.DataFrame:
    return _infused(data, data.adam.adresp).with_columns(_source()).sort("USUBJID", "CARDAY", "READER", "SRCSEQ")


def _events(data: ReportData) -> pl.DataFrame:
    return _infused(data, data.adam.adae).with_columns(_source()).sort("USUBJID", "CARSTDAY", "AEDECOD", "SRCSEQ", nulls_last=True)


def _values(known: Known) -> list[Display]:
    """Return each subject's value of each endpoint, and who differs under a variant, as the report lists them."""
    found: list[Display] = []
    for place, endpoint in enumerate(known.study.endpoints, 1):
        source = "ADTTE" if endpoint.type == "time-to-event" else "ADRS"
        named, number = f"{endpoint.label} ({endpoint.id})", f"16.2.6.2.{place}"
        plans = (
            (Plan(f"values-{endpoint.id}", f"{number}.1", named, f"Population: {endpoint.population}", source), f"listing-{endpoint.id}"),
            (
                Plan(f"changed-{endpoint.id}", f"{number}.2", f"{named}: subjects whose value differs under a variant", "", source),
                f"changed-{endpoint.id}",
            ),
        )
        if known.data is None:
            head = ("Subject", "Value", "Reason or event", "Date", "Day", "Source", "Rule")
            rows = (tuple(Words((Piece(EMPTY),)) for _ in head),)
            found.append(known.display(plans[0][0], "listing", Grid(head, rows)))
            continue
        for plan, name in plans:
            found += [_named(known, plan, one.block) for one in known.blocks.get(name, ())[:1] if isinstance(one.block, Table)]
    return found


def _named(known: Known, plan: Plan, table: Table) -> Display:
    """Return a listing of the report with the subjects' names in full: on paper no prefix stands beside it."""
    assert known.data is not None
    adsl, labels = known.data.adam.adsl, known.data.labels
    full = {labels[subject]: name for subject, name in adsl.select("SUBJ", "USUBJID").iter_rows()}
    rows = []
    for row in table.rows:
        first, *rest = (to_words(cell) for cell in row)
        rows.append((Words((Piece(full.get(str(first), str(first))),)), *rest))
    return known.display(plan, "listing", Grid(tuple(map(str, table.head)), tuple(rows)))
