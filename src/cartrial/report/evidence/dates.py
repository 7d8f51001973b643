"""Which way did the product go, and how many patients are there? Dates as precisely as they were read; shares as they were said."""

from __future__ import annotations

import calendar
import datetime as dt
from fractions import Fraction

from cartrial.design.enrolment.funnel_file import load_funnel
from cartrial.evidence import Mark
from cartrial.report.evidence.data import ContextData
from cartrial.report.figures.known import Span, draw_spans
from cartrial.report.page.blocks import Block, Figure, Note, Section, Table, Text

__all__ = ["build_epidemiology", "build_timeline", "days_of"]


def days_of(mark: Mark) -> tuple[dt.date, dt.date]:
    """Return the first and the last day that a date of a year, a month or a day may have been.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> from cartrial.report.evidence.dates import days_of
    >>> [str(day) for day in days_of(next(mark for mark in load_evidence().timeline if mark.id == "breakthrough"))]
    ['2020-12-01', '2020-12-31']
    """
    parts = [int(part) for part in mark.date.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else None
    if len(parts) == 3:
        day = dt.date(*parts)
        return day, day
    if month:
        return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def build_timeline(data: ContextData) -> Section:
    """Return the regulatory way of the product, each date with its precision and who said it."""
    title, short = "The product's regulatory way", "Dates"
    product = data.study.product.name
    marks = data.evidence.timeline if product.lower() == data.evidence.product.lower() else ()
    if not marks:
        said = f"No date is held of {product}; the registry has those of {data.evidence.product}."
        return Section("timeline", title, [Text(said)], short)
    ordered = sorted(marks, key=days_of)
    spans = [Span(mark.what, f"{mark.date} ({mark.precision[len(mark.date)]})", *(str(day) for day in days_of(mark))) for mark in ordered]
    rows = [
        (mark.date, mark.what, mark.precision[len(mark.date)], mark.said_by, data.evidence.sources[mark.source].citation)
        for mark in ordered
    ]
    blocks: list[Block] = [
        Figure(
            draw_spans(spans, title=f"Dates of {product}"),
            "A point is a day. A bar is the month or the year that is all that was read: the day is anywhere in it.",
            "timeline",
        ),
        Table(("Date", "What", "Precise to the", "Said by", "Source"), rows, f"Dates of {product}", wide=True),
    ]
    held = {mark.id: mark for mark in marks}
    if {"accepted", "approval"} <= set(held):
        (early, first), (late, last) = days_of(held["accepted"]), days_of(held["approval"])
        least, most = (late - first).days, (last - early).days
        days = f"{least}" if least == most else f"{least} to {most}"
        blocks.append(Note(f"From the announced acceptance to the announced approval: {days} days. Either may have been decided earlier."))
    return Section("timeline", title, blocks, short)


def build_epidemiology(data: ContextData) -> Section:
    """Return what shares of leukaemia are adult disease that comes back: with and without the share of adults, and why."""
    title, short = "How many patients there are", "Epidemiology"
    if not data.leukaemia:
        return Section("epidemiology", title, [Text("The shares that are held are of leukaemia; this study is of another disease.")], short)
    steps = {step.id: step for step in load_funnel().steps}
    chain = [steps[name] for name in ("ALL", "B-ALL", "adult", "relapsed-refractory")]
    with_adults = without = Fraction(1)
    rows = []
    for step in chain:
        share = Fraction(str(step.mean))
        with_adults *= share
        without *= 1 if step.id == "adult" else share
        rows.append((step.label, _percent(share), _percent(without) if step.id != "adult" else "–", _percent(with_adults), step.source))
    product = " × ".join(_percent(Fraction(str(step.mean))) for step in chain if step.id != "adult")
    blocks: list[Block] = [
        Text(
            f"The announcement's three shares multiply to {product} = {_percent(without)} of leukaemias. But relapse in 60 % was said of "
            "adults, while the shares before it are of all ages: the product counts children as if they were adults. With adults at "
            f"{_percent(Fraction(str(steps['adult'].mean)))} of them it is {_percent(with_adults)}."
        ),
        Table(
            ("Step", "Share of the step before", "Of leukaemias, without the step of adults", "Of leukaemias, with it", "Source"),
            rows,
            "From leukaemia to relapsed or refractory B-ALL of adults",
            numeric=(1, 2, 3),
            wide=True,
        ),
        Note("Shares of the announcement were read nowhere else. Ranges, and the steps to the infusion, are in the design page's funnel."),
    ]
    return Section("epidemiology", title, blocks, short)


def _percent(share: Fraction) -> str:
    """Return a share in per cent, whole."""
    return f"{float(100 * share):.10g} %"
