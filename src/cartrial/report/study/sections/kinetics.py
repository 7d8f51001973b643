"""How do the product's cells expand and persist, and does response go with it?"""

from __future__ import annotations

import polars as pl

from cartrial.report.figures.profile import Profile, draw_profiles, draw_strip
from cartrial.report.page.blocks import Block, Figure, Note, Section, Table, Text
from cartrial.report.page.rows import Cell, ResultRow, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.samples import product_samples

__all__ = ["TESTS", "build"]

TESTS = {"CARTG": ("Vector copies in blood", "copies/µg DNA"), "CARTC": ("CAR-T cells in blood", "cells/µL")}
PARAMETERS = {
    "CMAX": "Peak (Cmax)",
    "TMAX": "Day of the peak (Tmax)",
    "AUC28": "Area under the curve, day 0 to {auc}",
    "TLAST": "Last day quantifiable",
    "CLAST": "Last quantifiable value",
    "PERSIST": "Persistence",
}
GROUP_WORDS = {"Y": "responders", "N": "non-responders", "": "all"}


def build(data: ReportData) -> Section:
    """Return the section on cellular kinetics."""
    title = "Cellular kinetics"
    if data.adam.adck.is_empty():
        return Section(
            "kinetics", title, [Text("No measurement of the product's cells was recorded, so no kinetics are shown.")], "Kinetics"
        )
    blocks: list[Block] = []
    groups = dict(data.adam.adsl.select("SUBJ", pl.col("RESPFL").fill_null("")).iter_rows())
    for test in data.study.kinetics.tests:
        blocks.extend(_profiles(data, test, groups))
        blocks.extend(_strips(data, test, groups))
    blocks.extend(_table(data))
    return Section("kinetics", title, blocks, "Kinetics")


def _profiles(data: ReportData, test: str, groups: dict[int, str]) -> list[Block]:
    samples = product_samples(data, test)
    samples = samples.filter(pl.col("CARDAY") >= 0)
    if samples.is_empty() or not (samples["VALUE"].fill_null(0) > 0).any():
        return []
    profiles = []
    for (subject,), frame in samples.group_by("SUBJ", maintain_order=True):
        points = [
            (day, None if below or value is None else value) for day, value, below in frame.select("CARDAY", "VALUE", "BELOW").iter_rows()
        ]
        profiles.append(Profile(data.labels.get(subject, ""), groups.get(subject, ""), points))
    limits = samples["LLOQ"].drop_nulls().unique()
    words, unit = TESTS[test]
    lloq = float(limits[0]) if len(limits) == 1 else None
    svg = draw_profiles(profiles, lloq=lloq, unit=f"{words} ({unit})", title=f"{words} over time, one line a subject", band=data.band)
    beyond = "" if lloq or limits.is_empty() else " The limits of quantification differ between samples."
    return [
        Figure(
            svg,
            f"{words}, each subject, by best response (reader {data.study.readers.primary}). Values below the limit of "
            f"quantification lie on the foot.{beyond}",
        )
    ]


def _strips(data: ReportData, test: str, groups: dict[int, str]) -> list[Block]:
    blocks: list[Block] = []
    for code in ("CMAX", "AUC28"):
        frame = data.adam.adck.filter((pl.col("PARCAT1") == test) & (pl.col("PARAMCD") == code) & (pl.col("AVAL") > 0))
        if frame.height < 2:
            continue
        values = [(groups.get(subject, ""), value) for subject, value in frame.select("SUBJ", "AVAL").iter_rows()]
        name = PARAMETERS[code].format(auc=data.study.kinetics.auc_to)
        unit = next(iter(frame["AVALU"].drop_nulls().to_list()), "")
        said = (
            f"{TESTS[test][0]}: {name.lower() if code == 'AUC28' else name} by best response (reader "
            f"{data.study.readers.primary}), one point a subject that expanded."
        )
        blocks.append(Figure(draw_strip(values, label=f"{name} ({unit})", title=f"{name} by response", band=data.band), said))
    return blocks


def _table(data: ReportData) -> list[Block]:
    stat = data.rows.stat
    rows: list[tuple[Cell, ...]] = []
    heads: set[int] = set()
    blocks: list[Block] = []
    for test in data.study.kinetics.tests:
        words = TESTS[test][0]
        for code, name in PARAMETERS.items():
            found = data.rows.where("kinetics", code, variant=test)
            if not found:
                continue
            heads.add(len(rows))
            unit = next((row["unit"] for row in found if row["unit"] not in ("", "%")), "")
            unit = f" ({'days' if unit == 'day' else unit})" if unit else ""
            rows.append((f"{words}: {name.format(auc=data.study.kinetics.auc_to)}{unit}", *[""] * 5))
            for by, level in sorted(dict.fromkeys((row["by"], row["level"]) for row in found), key=lambda pair: (pair[0], pair[1] != "Y")):
                rows.append(_line(data, [row for row in found if row["by"] == by and row["level"] == level], level if by else ""))
        never = data.rows.where("kinetics", "EXPAND", variant=test)
        if never:
            said = "{}: the cells were never quantifiable in {} of {} infused subjects with a sample."
            blocks.append(Text(parts(said, words, stat(never, "n"), stat(never, "N"))))
    if rows:
        head = ("Measure", "n/N", "Geometric mean", "Geometric CV (%)", "Median", "Range")
        caption = "Cellular kinetics of the subjects in whom the cells were ever quantifiable, by best response; n have a value"
        blocks.insert(0, Table(head, rows, caption, numeric=(1, 2, 3, 4, 5), group=frozenset(heads)))
        blocks.append(
            Note(
                "Sampling that stops before the last day gives no area. Persistence is the Kaplan–Meier median of the "
                "time to the last quantifiable sample."
            )
        )
    return blocks


def _line(data: ReportData, at: list[ResultRow], level: str) -> tuple[Cell, ...]:
    stat = data.rows.stat
    limits = stat(at, "median_lower")
    spread = (
        parts("{} to {} (95 % limits)", limits, stat(at, "median_upper")) if limits else parts("{} to {}", stat(at, "min"), stat(at, "max"))
    )
    counts = parts("{}/{}", stat(at, "n"), stat(at, "N"))
    return (GROUP_WORDS.get(level, level), counts, stat(at, "geometric_mean") or "", stat(at, "cv") or "", stat(at, "median"), spread)
