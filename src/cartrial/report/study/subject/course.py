"""What is drawn of each subject's course, and said of it in words? Statuses, treatments and samples, from the records and derived sets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.report.figures.course import ABOVE, BELOW, Course, Measure, Sheet
from cartrial.report.figures.panels import number_words
from cartrial.report.study.subject.places import reader_name
from cartrial.sdtm.records.codes import MODALITIES, READERS
from cartrial.sdtm.vocabulary.results import ABOVE as GREATER
from cartrial.sdtm.vocabulary.results import AT_LEAST, AT_MOST, EXACT, NEGATIVE, POSITIVE, SIGNS, UNQUANTIFIED
from cartrial.sdtm.vocabulary.results import BELOW as LESS
from cartrial.study import Study
from cartrial.study.criteria.codes import RESPONSES

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm.records import Records

__all__ = ["TESTS", "Courses", "as_measure", "as_placed", "as_sample", "derive_courses", "measure_lines"]

BLOOD, MARROW = "BLOOD", "BONE MARROW"
SIZE = "size"
# key: test, specimen (blank counts as blood), title, whether the axis is logarithmic; residual disease of any method
TESTS: Mapping[str, tuple[str, str, str, bool]] = {
    "marrow": ("BLAST", MARROW, "marrow blasts, %", False),
    "blood": ("BLAST", BLOOD, "blood blasts, %", False),
    "mrd": ("MRD", MARROW, "residual disease, share of cells", True),
    "copies": ("CARTG", BLOOD, "CAR-T, copies/µg DNA", True),
    "cells": ("CARTC", BLOOD, "CAR-T, cells/µL", True),
    "neutrophils": ("NEUT", BLOOD, "neutrophils, 10⁹/L", True),
    SIZE: ("", "", "sum of products of diameters, mm²", False),
    "platelets": ("PLAT", BLOOD, "platelets, 10⁹/L", True),
}
WORDS = {NEGATIVE: "negative", POSITIVE: "positive, no number", UNQUANTIFIED: "below the limit of quantification"}
LINES = {
    "LYMPHODEPLETION": "lymphodepletion",
    "BRIDGING THERAPY": "bridging",
    "CYTOKINE RELEASE SYNDROME TREATMENT": "for CRS",
    "GROWTH FACTOR": "growth factor",
    "CONDITIONING": "conditioning",
    "SUBSEQUENT ANTICANCER THERAPY": "new therapy",
}
OTHER = "other therapy"
ADSL_EVENTS = {"HSCTDAY": "transplant", "NEWDAY": "new therapy", "DTHDAY": "death"}


@dataclass(frozen=True)
class Courses:
    """The figure's common part, and each subject's part by SUBJ."""

    sheet: Sheet
    subjects: Mapping[int, Course] = field(default_factory=dict)


def derive_courses(study: Study, adam: Adam, records: Records | None, labels: Mapping[int, str], *, hidden: bool = False) -> Courses:
    """Return the courses of all infused subjects.

    Parameters
    ----------
    study : Study
    adam : Adam
    records : Records or None
        Without them the statuses and events of the derived sets are drawn alone.
    labels : mapping of int to str
        Short name of each subject.
    hidden : bool
        Name no therapy by the words of a site.
    """
    statuses = _statuses(study, adam, records)
    samples = _samples(study, records, hidden=hidden)
    _add_sizes(samples, adam)
    treatments = _treatments(study, records, hidden=hidden)
    measures = [as_measure(key, [sample for own in samples.values() for sample in own.get(key, ())]) for key in TESTS]
    shown = [measure for measure in measures if measure is not None]
    derived = study.disease.family.names.derived
    readers = [reader_name(reader, derived) for reader in ("IRC", "INV", "READER 1", "READER 2", "ADJUDICATOR", "LAB")]
    lines = {line for own in statuses.values() for _, line, _ in own}
    order = [line for reader in readers for line in (reader, *(f"{reader}, {name}" for name in MODALITIES if name)) if line in lines]
    order += sorted(lines - set(order))
    found = {status for own in statuses.values() for _, _, status in own}
    kinds = {line for own in treatments.values() for _, _, line, _ in own}
    sheet = Sheet(
        order or [reader_name(study.readers.primary, derived)],
        [*(status for status in RESPONSES if status in found), *sorted(found - set(RESPONSES))],
        [line for line in ("product", *LINES.values(), OTHER) if line in kinds],
        shown,
    )
    heads = {measure.key: measure for measure in shown}
    subjects = {}
    for row in adam.adsl.filter(pl.col("INFFL") == "Y").iter_rows(named=True):
        subject = row["SUBJ"]
        events = [(float(row[name]), words) for name, words in ADSL_EVENTS.items() if row.get(name) is not None]
        own = {key: [as_placed(heads[key], sample) for sample in found] for key, found in samples.get(subject, {}).items() if key in heads}
        days = [day for day, *_ in (*statuses.get(subject, ()), *events, *(sample for found in own.values() for sample in found))]
        days += [day for start, end, *_ in treatments.get(subject, ()) for day in (start, end)]
        known = [float(row[name]) for name in ("LSTALDAY", "DTHDAY") if row.get(name) is not None]
        last = max([0.0, *days, *known])
        subjects[subject] = Course(
            labels.get(subject, str(subject)),
            min([0.0, *days]) - 0.01 * max(last, 30),
            max(last * 1.02, 30.0),
            statuses.get(subject, ()),
            treatments.get(subject, ()),
            [(0.0, "infusion"), *events],
            own,
        )
    return Courses(sheet, subjects)


def measure_lines(courses: Courses, subject: int) -> list[tuple[str, str]]:
    """Return what was measured in words, a line a measure: ``("neutrophils, 10⁹/L", "day 28: 1.2; day 90: 2.1")``."""
    course = courses.subjects.get(subject)
    if course is None:
        return []
    return [
        (measure.title, "; ".join(f"day {day:g}: {words}" for day, _, words, _ in course.samples[measure.key]))
        for measure in courses.sheet.measures
        if course.samples.get(measure.key)
    ]


def _statuses(study: Study, adam: Adam, records: Records | None) -> dict[int, list[tuple[float, str, str]]]:
    found: dict[int, list[tuple[float, str, str]]] = {}
    derived = study.disease.family.names.derived
    read = adam.adresp.filter(pl.col("CARDAY").is_not_null()).sort("SUBJ", "CARDAY", "READER", maintain_order=True)
    for subject, day, reader, status in read.select("SUBJ", "CARDAY", "READER", "AVALC").iter_rows():
        if status:
            found.setdefault(subject, []).append((float(day), reader_name(reader, derived), status))
    if records is not None and "MODALITY" in records.calls.columns:
        parts = records.calls.filter((pl.col("MODALITY") > 0) & (pl.col("DAY") == pl.col("DAYX")))
        for row in _relative(parts, records).iter_rows(named=True):
            line = f"{reader_name(READERS[row['READER']])}, {MODALITIES[row['MODALITY']]}"
            found.setdefault(row["SUBJ"], []).append((float(row["AT"]), line, RESPONSES[row["RESP"]]))
    return found


def _relative(frame: pl.DataFrame, records: Records) -> pl.DataFrame:
    """Return the records up to the cutoff of those infused, with the day AT from day 0."""
    joined = frame.join(records.subjects.select("SUBJ", "DAY0", "CUTOFF"), on="SUBJ", maintain_order="left")
    joined = joined.filter(pl.col("DAY0").is_not_null() & (pl.col("DAY") <= pl.col("CUTOFF")))
    return joined.with_columns((pl.col("DAY") - pl.col("DAY0")).alias("AT"))


# a sample before it is placed: day, number or limit, kind, words
Sample = tuple[float, float | None, str, str]


def _samples(study: Study, records: Records | None, *, hidden: bool) -> dict[int, dict[str, list[Sample]]]:
    found: dict[int, dict[str, list[Sample]]] = {}
    if records is None:
        return found
    labs = records.labs.filter(pl.col("DONE") & pl.col("REL").is_not_null() & (pl.col("DAY") == pl.col("DAYX")))
    mrd = study.disease.mrd if study.disease.marrow is not None else None
    specimens = tuple(mrd.specimens) if mrd is not None and hasattr(mrd, "specimens") else (MARROW,)
    for row in _relative(labs, records).iter_rows(named=True):
        test, specimen = str(row["TEST"] or ""), str(row["SPEC"] or "")
        residual = test.startswith("MRD")
        for key, (name, of, _, _) in TESTS.items():
            there = (
                residual and specimen in (*specimens, "")
                if key == "mrd"
                else test == name and specimen in ((of, "") if of == BLOOD else (of,))
            )
            sample = as_sample(row, residual=residual, hidden=hidden) if there else None
            if sample is not None:
                found.setdefault(row["SUBJ"], {}).setdefault(key, []).append(sample)
    return found


def as_sample(row: Mapping[str, Any], *, residual: bool, hidden: bool) -> Sample | None:
    relation, day = row["REL"], float(row["AT"])
    by = f", {str(row['METHOD']).lower()}" if residual and row["METHOD"] and not hidden else ""
    lod = f", limit of detection {number_words(float(row['LOD']))}" if residual and row["LOD"] is not None else ""
    if relation == EXACT and row["VALUE"] is not None:
        value = float(row["VALUE"])
        low = row["LLOQ"] is not None and value < row["LLOQ"]
        return day, value, BELOW if low and not residual else "", f"{number_words(value)}{by}{lod}"
    if relation in SIGNS and row["LIMIT"] is not None:
        kind = BELOW if relation in (LESS, AT_MOST) else ABOVE if relation in (GREATER, AT_LEAST) else ""
        return day, float(row["LIMIT"]), kind, f"{SIGNS[relation]}{number_words(float(row['LIMIT']))}{by}{lod}"
    if relation in WORDS:
        limit = row["LOD"] if relation == NEGATIVE else row["LLOQ"]
        return day, limit if relation != POSITIVE else None, ABOVE if relation == POSITIVE else BELOW, f"{WORDS[relation]}{by}{lod}"
    return None


def _add_sizes(samples: dict[int, dict[str, list[Sample]]], adam: Adam) -> None:
    """Add the sums of products of diameters of each reader, as ADTR has them."""
    frame = getattr(adam, "adtr", None)
    if frame is None or frame.is_empty():
        return
    sizes = frame.filter((pl.col("PARAMCD") == "SPD") & pl.col("AVAL").is_not_null() & pl.col("CARDAY").is_not_null())
    for row in sizes.sort("SUBJ", "CARDAY", "READER").iter_rows(named=True):
        said = f"{number_words(row['AVAL'])}, {reader_name(row['READER'])}" if row["READER"] else number_words(row["AVAL"])
        samples.setdefault(row["SUBJ"], {}).setdefault(SIZE, []).append((float(row["CARDAY"]), float(row["AVAL"]), "", said))


def as_measure(key: str, samples: Sequence[Sample]) -> Measure | None:
    if not samples:
        return None
    _, _, title, log = TESTS[key]
    values = [value for _, value, _, _ in samples if value is not None and (value > 0 or not log)]
    if not log:
        return Measure(key, title, 0.0, 100.0 if key != SIZE else max([1.0, *values]) * 1.05, False, joined=key != SIZE)
    low = 10.0 ** math.floor(math.log10(min(values, default=1e-6)) - 0.01)
    high = 10.0 ** math.ceil(math.log10(max(values, default=1.0)) + 0.01)
    return Measure(key, title, low, high, True, joined=key != "mrd")


def as_placed(measure: Measure, sample: Sample) -> tuple[float, float, str, str]:
    """Return where a sample is drawn: what has no number stands on the foot, or at the head, of its axis."""
    day, value, kind, words = sample
    if value is None:
        return day, measure.high if kind == ABOVE else measure.low, words, kind
    if measure.log and value <= 0:
        return day, measure.low, words, BELOW
    return day, value, words, kind


def _treatments(study: Study, records: Records | None, *, hidden: bool) -> dict[int, list[tuple[float, float, str, str]]]:
    found: dict[int, list[tuple[float, float, str, str]]] = {}
    if records is None:
        return found

    def add(row: Mapping[str, Any], line: str, words: str, end: float | None = None) -> None:
        start = float(row["AT"])
        found.setdefault(row["SUBJ"], []).append((start, start if end is None else max(start, end), line, words))

    doses = _relative(records.doses.filter(pl.col("DAY") == pl.col("DAYX")), records)
    for (subject, line, words), days in _grouped(_dose_lines(study, doses)).items():
        add({"SUBJ": subject, "AT": min(days)}, line, words, max(days))
    therapies = _relative(records.therapies.filter(pl.col("DAY") == pl.col("DAYX")), records)
    for row in therapies.iter_rows(named=True):
        line = LINES.get(row["KIND"], OTHER)
        name = str(row["TRT"] or row["KIND"]).lower()
        add(row, line, line if hidden else name)
    conditioning = records.procedures.filter((pl.col("KIND") == "CONDITIONING") & (pl.col("DAY") == pl.col("DAYX")))
    for row in _relative(conditioning, records).iter_rows(named=True):
        add(row, LINES["CONDITIONING"], "conditioning")
    return {subject: sorted(own) for subject, own in found.items()}


def _dose_lines(study: Study, doses: pl.DataFrame) -> Iterable[tuple[int, str, str, float]]:
    """Yield doses: those of lymphodepletion make one stretch a drug; of the product each is one."""
    for row in doses.iter_rows(named=True):
        if row["KIND"] == "PRODUCT":
            fraction = 0 < row["AT"] <= study.product.fraction_days
            again = "re-infusion" if study.product.re_infusion else "product infused again"
            said = "infusion" if row["AT"] <= 0 else "further fraction" if fraction else again
            yield row["SUBJ"], "product", f"{said} (day {row['AT']})" if row["AT"] > 0 else said, float(row["AT"])
        elif row["KIND"] == "LYMPHODEPLETION":
            yield row["SUBJ"], LINES["LYMPHODEPLETION"], str(row["TRT"]).lower(), float(row["AT"])


def _grouped(rows: Iterable[tuple[int, str, str, float]]) -> dict[tuple[int, str, str], list[float]]:
    found: dict[tuple[int, str, str], list[float]] = {}
    for subject, line, words, day in rows:
        found.setdefault((subject, line, words), []).append(day)
    return found
