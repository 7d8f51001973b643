"""How do the product's cells expand and persist, and does response go with it?"""

from __future__ import annotations

from typing import Any

import polars as pl

from cartrial.report.blocks import Block, Figure, Section, Table, Text
from cartrial.report.data import ReportData
from cartrial.report.samples import product_samples
from cartrial.report.figures.profile import Profile, draw_profiles, draw_strip
from cartrial.report.rows import parts

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
        return Section("kinetics", title, [Text("No measurement of the product's cells was recorded, so no kinetics are shown.")], "Kinetics")
    blocks: list[Block] = []
    groups = dict(data.adam.adsl.select("SUBJ", pl.col("RESPFL").fill_null("")).iter_rows())
    for test in data.study.kinetics.tests:
        blocks.extend(_profiles(data, test, groups))
        blocks.extend(_strips(data, test, groups))
    blocks.extend(_table(data))
    return Section("kinetics", title, blocks, "Kinetics")


def _profiles(data: ReportData, test: str, groups: dict[int, str]) -> list[Block]:
    samples = product_samples(data, test)
    samples = samples.filter(pl.col("CARDY") >= 0)
    if samples.is_empty() or not (samples["VALUE"].fill_null(0) > 0).any():
        return []
    profiles = []
    for (subject,), frame in samples.group_by("SUBJ", maintain_order=True):
        points = [(day, None if below or value is None else value) for day, value, below in frame.select("CARDY", "VALUE", "BELOW").iter_rows()]
        profiles.append(Profile(data.labels.get(subject, ""), groups.get(subject, ""), points))
    limits = samples["LLOQ"].drop_nulls().unique()
    words, unit = TESTS[test]
    lloq = float(limits[0]) if len(limits) == 1 else None
    svg = draw_profiles(profiles, lloq=lloq, unit=f"{words} ({unit})", title=f"{words} over time, one line a subject", band=data.band)
    beyond = "" if lloq or limits.is_empty() else " The limits of quantification differ between samples."
    return [Figure(svg, f"{words}, each subject, by best response (reader {data.study.readers.primary}). Values below the limit of quantification lie on the foot.{beyond}")]


def _strips(data: ReportData, test: str, groups: dict[int, str]) -> list[Block]:
    blocks: list[Block] = []
    for code in ("CMAX", "AUC28"):
        frame = data.adam.adck.filter((pl.col("PARCAT1") == test) & (pl.col("PARAMCD") == code) & (pl.col("AVAL") > 0))
        if frame.height < 2:
            continue
        values = [(groups.get(subject, ""), value) for subject, value in frame.select("SUBJ", "AVAL").iter_rows()]
        name = PARAMETERS[code].format(auc=data.study.kinetics.auc_to)
        unit = frame["AVALU"].drop_nulls().first() or ""
        said = f"{TESTS[test][0]}: {name.lower() if code == 'AUC28' else name} by best response (reader {data.study.readers.primary}), one point a subject that expanded."
        blocks.append(Figure(draw_strip(values, label=f"{name} ({unit})", title=f"{name} by response", band=data.band), said))
    return blocks


def _table(data: ReportData) -> list[Block]:
    found = data.rows.where("kinetics")
    if not found:
        return []
    stat = data.rows.stat
    rows: list[tuple[Any, ...]] = []
    heads: set[int] = set()
    seen: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in found:
        seen.setdefault((row["endpoint"], row["variant"]), []).append(row)
    for (endpoint, variant), at in seen.items():
        heads.add(len(rows))
        code = next((code for code in PARAMETERS if code in (endpoint, variant) or endpoint.endswith(code)), endpoint)
        test = next((name for name in TESTS if name in (endpoint, variant) or endpoint.startswith(name)), "")
        unit = next((row["unit"] for row in at if row["unit"] and row["unit"] != "%"), "")
        name = PARAMETERS.get(code, code).format(auc=data.study.kinetics.auc_to)
        rows.append((f"{name}{f' ({unit})' if unit else ''}{f', {TESTS[test][0].lower()}' if test else ''}", *[""] * 5))
        for by, level in dict.fromkeys((row["by"], row["level"]) for row in at):
            group = [row for row in at if row["by"] == by and row["level"] == level]
            rows.append(
                (
                    GROUP_WORDS.get(level, level),
                    parts("{} of {}", stat(group, "n"), stat(group, "N")) if stat(group, "N") else stat(group, "n"),
                    stat(group, "geometric_mean"),
                    stat(group, "cv"),
                    stat(group, "median"),
                    parts("{} to {}", stat(group, "min"), stat(group, "max")),
                )
            )
    head = ("Measure, by best response", "Subjects with a value", "Geometric mean", "CV (%)", "Median", "Range")
    said = "Cellular kinetics. Subjects whose cells were never quantifiable are counted, not in the geometric mean; sampling that stops before the last day gives no area."
    return [Table(head, rows, said, numeric=(1, 2, 3, 4, 5), group=frozenset(heads))]
