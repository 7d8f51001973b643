"""How do the product's cells expand and persist, and does response go with it?"""

from __future__ import annotations

import polars as pl
from markupsafe import Markup

from cartrial.report.figures.profile import Profile, draw_profiles, draw_strip
from cartrial.report.page.blocks import Block, Figure, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, ResultRow, parts
from cartrial.report.study.cells.fits import cell_units
from cartrial.report.study.data import ReportData
from cartrial.report.study.phrases import signs_of
from cartrial.report.study.samples import product_samples
from cartrial.sdtm.vocabulary.units import UNITS

__all__ = ["TESTS", "build", "unit_words"]

TESTS = {"CARTG": ("Vector copies in blood", "copies/µg DNA"), "CARTC": ("CAR-T cells in blood", "cells/µL")}
PARAMETERS = {
    "CMAX": "Peak (Cmax)",
    "TMAX": "Day of the peak (Tmax)",
    "AUC": "Area under the curve, day 0 to {auc}",
    "TLAST": "Last day quantifiable",
    "CLAST": "Last quantifiable value",
    "PERSIST": "Persistence",
}
FEWEST, WIDEST = 3, 300.0
"""Values that a geometric coefficient of variation needs, and the largest that is shown: at 300 % one standard deviation of the logarithms
to either side is already a factor of 21. Unit of the second: %."""
GROUP_WORDS = {"Y": "responders", "N": "non-responders", "": "all"}


def build(data: ReportData) -> Section:
    """Return the section on cellular kinetics."""
    title = "Cellular kinetics"
    if data.adam.adck.is_empty():
        why = data.nobody or "No measurement of the product's cells was recorded"
        return Section("kinetics", title, [Text(f"{why}, so no kinetics are shown.")], "Kinetics")
    blocks: list[Block] = []
    groups = dict(data.adam.adsl.select("SUBJ", pl.col("RESPFL").fill_null("")).iter_rows())
    for test in data.study.kinetics.tests:
        blocks.extend(_profiles(data, test, groups))
        blocks.extend(_strips(data, test, groups))
    blocks.extend(_table(data))
    return Section("kinetics", title, blocks, "Kinetics")


def unit_words(test: str, unit: str) -> str:
    """Return the unit of a test's samples: in full where it is the usual one, else as the source has it.

    Examples
    --------
    >>> from cartrial.report.study.sections.kinetics import unit_words
    >>> unit_words("CARTG", "copies/ug"), unit_words("CARTG", "copies/mL")
    ('copies/µg DNA', 'copies/mL')
    """
    return TESTS[test][1] if unit in ("", UNITS[test].standard) else signs_of(unit)


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
    words, unit = TESTS[test][0], unit_words(test, cell_units(data.adam).get(test, ""))
    lloq = float(limits[0]) if len(limits) == 1 else None
    axis = f"{words if words[1:2].isupper() else words[:1].lower() + words[1:]}, {unit}"
    document = draw_profiles(profiles, lloq=lloq, unit=axis, title=f"{words} over time, one line a subject", band=data.band)
    beyond = "" if lloq or limits.is_empty() else " The limits of quantification differ between samples."
    return [
        Figure(
            document,
            f"{words}, one line a subject, by best response (reader {data.study.readers.primary}); hover follows one. Triangles: below the "
            f"limit of quantification, {'at half of it' if lloq else 'on the foot'}; a value above the limit stands on it.{beyond}",
            f"profiles-{test}",
        )
    ]


def _strips(data: ReportData, test: str, groups: dict[int, str]) -> list[Block]:
    blocks: list[Block] = []
    for code in ("CMAX", "AUC"):
        frame = data.adam.adck.filter((pl.col("PARCAT1") == test) & (pl.col("PARAMCD") == _code(code, data)) & (pl.col("AVAL") > 0))
        if frame.height < 2:
            continue
        values = [
            (data.labels.get(subject, ""), groups.get(subject, ""), value) for subject, value in frame.select("SUBJ", "AVAL").iter_rows()
        ]
        name = PARAMETERS[code].format(auc=data.study.kinetics.auc_to)
        unit = signs_of(next(iter(frame["AVALU"].drop_nulls().to_list()), ""))
        said = (
            f"{TESTS[test][0]}: {name.lower() if code == 'AUC' else name} by best response (reader "
            f"{data.study.readers.primary}), one point a subject that expanded."
        )
        drawn = draw_strip(values, label=f"{name} ({unit})", title=f"{name} by response", band=data.band)
        blocks.append(Figure(drawn, said, f"strip-{test}-{code}"))
    return blocks


def _table(data: ReportData) -> list[Block]:
    stat = data.rows.stat
    rows: list[tuple[Cell, ...]] = []
    heads: set[int] = set()
    blocks: list[Block] = []
    for test in data.study.kinetics.tests:
        words = TESTS[test][0]
        for code, name in PARAMETERS.items():
            found = data.rows.where("kinetics", _code(code, data), variant=test)
            if not found:
                continue
            heads.add(len(rows))
            unit = signs_of(next((row["unit"] for row in found if row["unit"] not in ("", "%")), ""))
            unit = f" ({'days' if unit == 'day' else unit})" if unit else ""
            rows.append((f"{words}: {name.format(auc=data.study.kinetics.auc_to)}{unit}", *[""] * 5))
            groups = dict.fromkeys((row["by"], row["level"]) for row in found if row["by"] in ("", "response"))
            for by, level in sorted(groups, key=lambda pair: (pair[0], pair[1] != "Y")):
                rows.append(_line(data, [row for row in found if row["by"] == by and row["level"] == level], level if by else ""))
        never = data.rows.where("kinetics", "EXPAND", variant=test)
        if never:
            said = "{}: the cells were never quantifiable in {} of {} infused subjects with a sample."
            blocks.append(Text(parts(said, words, stat(never, "n"), stat(never, "N"))))
        over = data.rows.where("kinetics", "CMAX", variant=test, by="at least")
        if over:
            said = (
                "{}: a sample was above the limit of quantification, so that Cmax is only known to be at least so much: {}. Such a Cmax "
                "is in no mean, and in a quantile only where that does not depend on how much more it is; there is no area."
            )
            listed = Markup(", ").join(parts("{} in {}", row["level"], stat([row], "n")) for row in over)
            blocks.append(Text(parts(said, words, listed)))
        blocks.extend(_ratios(data, test))
        blocks.extend(_short(data, test))
    if rows:
        head = ("Measure", "n/N", "Geometric mean", "Geometric CV (%)", "Median", "Range")
        caption = (
            "Cellular kinetics of the infused subjects with a sample after day 0, by best response; n have a value. Cells that were never "
            "quantifiable are 0 in median and range of Cmax and area, left out of the geometric mean alone, and have no day. A "
            "geometric CV needs three values, and above 300 % it is too wide to mean anything"
        )
        blocks.insert(0, Table(head, rows, caption, numeric=(1, 2, 3, 4, 5), group=frozenset(heads), name="kinetics"))
        rule = data.study.kinetics
        blocks.append(
            Note(
                f"The area needs a sample by day {rule.first_by} and one on day {rule.auc_to - rule.auc_margin} or later; nothing is "
                "extrapolated. Persistence is the Kaplan–Meier median of the time to the last quantifiable sample."
            )
        )
    return blocks


def _ratios(data: ReportData, test: str) -> list[Block]:
    """Say how many times as high Cmax and area of responders are, with the interval of the ratio."""
    stat = data.rows.stat
    blocks: list[Block] = []
    for code, name in (("CMAX", "Cmax"), ("AUC", f"area to day {data.study.kinetics.auc_to}")):
        found = data.rows.where("kinetics", _code(code, data), variant=test, by="ratio")
        ratio = stat(found, "geometric_mean_ratio")
        if ratio is None:
            continue
        sizes = [stat(found, "n", level=level) for level in ("Y", "N")]
        if ratio.value is None:
            said = "{}: the ratio of {} of responders to non-responders is not estimable, of {} and {} subjects with quantifiable cells."
            blocks.append(Text(parts(said, TESTS[test][0], name, *sizes)))
            continue
        limits = [stat(found, f"geometric_mean_ratio{end}") for end in ("_lower", "_upper")]
        level = next((row["conf_level"] for row in found if row["conf_level"]), None) or 0.95
        said = (
            f"{{}}: {{}} of responders over that of non-responders {{}} ({100 * level:g} % interval {{}} to {{}}), the ratio of geometric "
            "means with Welch's t interval of the logarithms, of {} and {} subjects with quantifiable cells. It describes; response was "
            "not known when the cells rose."
        )
        blocks.append(Text(parts(said, TESTS[test][0], name, ratio, *limits, *sizes)))
    return blocks


def _short(data: ReportData, test: str) -> list[Block]:
    """Say how many areas end before their last day, and why others are missing."""
    stat, words = data.rows.stat, TESTS[test][0]
    blocks: list[Block] = []
    for by, opening, pattern in (
        ("ends on day", f"{words}: the area ends with the last sample before day {data.study.kinetics.auc_to}", "on day {} in {}"),
        ("missing", f"{words}: there is no area", "{} in {}"),
    ):
        found = data.rows.where("kinetics", _code("AUC", data), variant=test, by=by)
        if found:
            listed = Markup(", ").join(parts(pattern, row["level"], stat([row], "n")) for row in found)
            blocks.append(Note(parts("{}: {}.", opening, listed)))
    return blocks


def _code(name: str, data: ReportData) -> str:
    return f"AUC{data.study.kinetics.auc_to}" if name == "AUC" else name


def _line(data: ReportData, at: list[ResultRow], level: str) -> tuple[Cell, ...]:
    stat = data.rows.stat
    limits = stat(at, "median_lower")
    spread = (
        parts("{} to {} ({} limits)", limits, stat(at, "median_upper"), data.study.interval.text)
        if limits
        else parts("{} to {}", stat(at, "min"), stat(at, "max"))
    )
    counts = parts("{}/{}", stat(at, "n"), stat(at, "N"))
    return (GROUP_WORDS.get(level, level), counts, stat(at, "geometric_mean") or "", _cv(data, at), stat(at, "median"), spread)


def _cv(data: ReportData, at: list[ResultRow]) -> Cell:
    """Return a geometric coefficient of variation where it means something: of few values, or of such as spread widely, it does not."""
    cv, n = data.rows.stat(at, "cv"), data.rows.stat(at, "n")
    if cv is None or cv.value is None or n is None or (n.value or 0) < FEWEST:
        return "" if cv is None else ABSENT
    return cv if cv.value <= WIDEST else Markup('<span title="above {} %">too wide</span>').format(f"{WIDEST:g}")
