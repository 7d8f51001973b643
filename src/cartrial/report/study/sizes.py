"""By how much did the lesions shrink at best? What the section on response shows where lesions were measured."""

from __future__ import annotations

import polars as pl

from cartrial.report.figures.lesions.waterfall import Bar, draw_waterfall
from cartrial.report.page.blocks import Block, Details, Figure, Note, Table
from cartrial.report.page.rows import Cell
from cartrial.report.study.data import ReportData

__all__ = ["size_blocks"]

_INSTEAD = ("IRC", "READER 1", "READER 2", "ADJUDICATOR", "INV", "LAB")


def size_blocks(data: ReportData) -> list[Block]:
    """Return the figure of best changes in the sum of products, and its numbers; nothing where no lesion was measured."""
    imaging = data.study.disease.imaging
    adtr = data.adam.adtr
    if imaging is None or adtr.is_empty():
        return []
    primary = data.study.readers.primary
    there = set(adtr["READER"].to_list())
    reader = next(name for name in (primary, *_INSTEAD) if name in there)
    infused = data.infused["SUBJ"].to_list()
    own = adtr.filter((pl.col("READER") == reader) & pl.col("SUBJ").is_in(infused))
    best = own.filter(pl.col("BESTFL") == "Y")
    statuses = _best_responses(data)
    bars: list[Bar] = []
    rows: list[tuple[Cell, ...]] = []
    for row in best.sort("PCHG", "SUBJ", descending=[True, False]).iter_rows(named=True):
        name, status = data.labels[row["SUBJ"]], statuses.get(row["SUBJ"], "NE")
        change, sizes = _percent(row["PCHG"]), f"{row['AVAL']:.6g} of {row['BASE']:.6g} mm²"
        bars.append(Bar(name, row["PCHG"], status, f"{name}\nday {row['CARDAY']}: {change} ({sizes})\nbest response {status}"))
        rows.append((name, change, f"{row['CARDAY']}", f"{row['AVAL']:.6g}", f"{row['BASE']:.6g}", status))
    unscanned = len(set(infused) & set(own["SUBJ"].to_list())) - best.height
    unmeasured = len(infused) - best.height - unscanned
    without = (
        f"Of {len(infused)} infused subjects {best.height} are shown; {unmeasured} had no measured target lesion at baseline, and "
        f"{unscanned} no scan after the infusion on which every target was evaluated."
    )
    if not bars:
        return [Note(f"No change in the size of the lesions is drawn. {without}")]
    limit = 100 * (imaging[0].fall - 1)
    figure = Figure(
        draw_waterfall(
            bars,
            limit=limit,
            title="Best change in the sum of products of the target lesions, one bar a subject",
            ylabel="Best change from baseline",
            band=data.band,
        ),
        f"Best change in the sum of products of the target lesions from baseline, by {reader}; colours: best response by {primary}. "
        f"Scans count up to that reader's progression, new therapy or transplant; dotted: {_percent(limit)}, a partial response by size. "
        f"{without}",
        "waterfall",
    )
    head = ("Subject", "Best change", "Day", "Sum (mm²)", "Baseline (mm²)", "Best response")
    table = Table(head, rows, "Best change in the sum of products, by subject (rows of ADTR)", numeric=(1, 2, 3, 4), small=True)
    return [figure, Details("The numbers of this figure", [table])]


def _percent(value: float) -> str:
    return f"{value:+.1f} %".replace("-", "−").replace("+0.0 %", "0.0 %").replace("−0.0 %", "0.0 %")


def _best_responses(data: ReportData) -> dict[int, str]:
    """Return the best response of each subject by the study's own endpoint, else nothing."""
    endpoint = next(iter(data.bests()), None)
    if endpoint is None:
        return {}
    rows = data.adam.adrs.filter((pl.col("PARAMCD") == endpoint.id) & (pl.col("VARIANT") == ""))
    return {subject: status for subject, status in rows.select("SUBJ", "AVALC").iter_rows() if status}
