"""What does the population model say of the cells, and how far may it be believed? Parameters, check, fitted courses, descriptions."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.kinetics import KineticsFit
from cartrial.kinetics.courses import TYPICAL, derive_courses
from cartrial.kinetics.curves import CURVES, PARAMETERS
from cartrial.kinetics.posterior import PRIORS
from cartrial.kinetics.posthoc import INVENTED, SHRUNK, peaks_not_sampled
from cartrial.report.figures.courses import Course, draw_courses
from cartrial.report.page.blocks import Block, Definition, Figure, Note, Section, Table, Text
from cartrial.report.page.rows import Cell, ResultRow, parts
from cartrial.report.study.cells.fits import CellFits
from cartrial.report.study.cells.pictures import draw_check
from cartrial.report.study.data import ReportData
from cartrial.report.study.sections.kinetics import TESTS, unit_words

__all__ = ["build"]

_CHECKED = {"q10": "10 % quantile", "q50": "median", "q90": "90 % quantile", "below": "below the limit (%)"}

_TITLE = "Population model of the cells"
_DESCRIBED = (
    "By {}, of the {} subjects with it: a description of groups that are known after the infusion alone. It is no effect, and no covariate "
    "of a forecast. -2 log likelihood is {} lower with the two differences."
)
_UNSURE = (
    "With few samples a subject the two differences together are surer than how they split between peak and contraction. Say something of "
    "contraction by outcome only after a fit without bounds beside this one (bounds: none)."
)


def build(data: ReportData, cells: CellFits) -> Section:
    """Return the section: what was fitted, or why nothing was although the study file asks for it."""
    if not cells.found:
        said = Text(f"The study file asks for a population model of the cells. It could not be fitted: {cells.failed.rstrip('.')}.")
        return Section("cell-model", _TITLE, [said], "Cell model")
    blocks: list[Block] = [
        Text(
            "A model joins the samples of all subjects to one curve, of which every subject has its own parameters. Its numbers are "
            "fitted, not measured: what was measured of each subject stands under cellular kinetics."
        )
    ]
    if cells.failed:
        blocks.append(Note(f"Of another measurement no model could be fitted: {cells.failed.rstrip('.')}."))
    for one in cells.found:
        blocks += [*_fitted(data, one), *_parameters(data, one), *_checked(data, one), *_courses(data, one), *_described(data, one)]
    return Section("cell-model", _TITLE, blocks, "Cell model")


def _rows(data: ReportData, one: KineticsFit, endpoint: str, **key: object) -> list[ResultRow]:
    return data.rows.where("cell-model", endpoint, variant=one.test, **key)


def _unit(data: ReportData, one: KineticsFit) -> str:
    found = _rows(data, one, "CMAX", by="", statistic="typical")
    return unit_words(one.test, found[0]["unit"] if found else "")


def _fitted(data: ReportData, one: KineticsFit) -> Iterator[Block]:
    """Say what was fitted to what."""
    stat, rows = data.rows.stat, _rows(data, one, "MODEL", by="")
    curve = CURVES[one.fit.problem.model.curve]
    of = {
        name: stat(rows, name) for name in ("N", "samples", "below_limit", "above_range", "never_quantifiable", "starts", "effective_size")
    }
    limits = ", ".join(f"{value:g}" for value in sorted(one.samples["ALLOQ"].drop_nulls().unique().to_list()))
    logs = parts("{} (Monte Carlo error {})", stat(rows, "minus_two_log_likelihood"), stat(rows, "monte_carlo_error"))
    share = "; with an estimated probability they are of a class whose cells never expand" if one.fit.problem.classes else ""
    items: list[tuple[str, Cell]] = [
        ("Measurement", f"{TESTS[one.test][0]} ({_unit(data, one)})"),
        ("Curve", f"{one.fit.problem.model.curve}: {curve.words}"),
        ("Subjects and samples", parts("{} subjects, {} samples, {} above their range", of["N"], of["samples"], of["above_range"])),
        (
            "Below the limit",
            parts(
                "{} samples; limit {}; each counts by the probability of being below it",
                of["below_limit"],
                f"{limits} {_unit(data, one)}" if limits else "of none recorded",
            ),
        ),
        ("Never quantifiable", parts("{} subjects{}", of["never_quantifiable"], share)),
        ("Bounds", _bounds(one)),
        ("-2 log likelihood", logs),
        ("AIC, BIC", parts("{}, {} (of the number of subjects)", stat(rows, "aic"), stat(rows, "bic"))),
        ("Searches", parts("{} from starts that differ; least effective size of the draws {}", of["starts"], of["effective_size"])),
        ("Seed", str(one.fit.seed)),
        ("Source", one.asked.source),
    ]
    yield Definition(items)
    for note in one.notes:
        yield Note(f"{note[:1].upper()}{note[1:]}.")


def _bounds(one: KineticsFit) -> str:
    if one.asked.bounds is None:
        return "none: a peak may be invented between two samples"
    low, high = one.asked.bounds.half_life
    return f"half-life of the contraction {low:g} to {high:g} days ({one.asked.bounds.source})"


def _parameters(data: ReportData, one: KineticsFit) -> Iterator[Block]:
    """Show the parameters, each with how it varies."""
    stat = data.rows.stat
    lines: list[tuple[Cell, ...]] = []
    for name in one.fit.problem.model.parameters:
        rows = _rows(data, one, name.upper(), by="")
        unit = next((row["unit"] for row in rows if row["statistic"] == "typical"), "")
        unit = {"proportion": "%", "day": "days"}.get(unit, unit)
        unit = unit_words(one.test, unit) if name == "cmax" else unit
        words = PARAMETERS[name].split(", 1/day")[0] + (f" ({unit})" if unit else "")
        varies, cv = stat(rows, "spread") is not None, stat(rows, "cv")
        spread: tuple[Cell, ...] = ("the same for all", None, None)
        if varies:
            spread = (_limited(data, rows, "spread"), cv if cv and cv.text != "NE" else None, parts("{} %", stat(rows, "shrinkage")))
        lines.append((words, _limited(data, rows, "typical"), *spread))
        for covariate in dict.fromkeys(row["level"] for row in rows if row["statistic"] == "ratio"):
            shifted = [row for row in rows if row["level"] == covariate]
            lines.append((_ratio_words(one, name, covariate), _limited(data, shifted, "ratio"), None, None, None))
    for endpoint, statistic, words in (("ERROR", "spread", "residual, of the logarithm"), ("EXPANDER", "share", "share of expanders (%)")):
        rows = _rows(data, one, endpoint, by="")
        if rows:
            lines.append((words, _limited(data, rows, statistic), None, None, None))
    head = ("Parameter", "Typical (95 % limits)", "Spread (95 % limits)", "CV (%)", "Shrinkage")
    caption = (
        f"{TESTS[one.test][0]}: parameters of the population. Spread: standard deviation of the logarithm between subjects (of the logit "
        f"where a parameter has bounds; it has no CV). {_limits_words(one)}; NE: not estimable"
    )
    if one.fit.problem.model.covariates:
        caption += ". Typical: at the mean of every covariate"
    yield Table(head, lines, caption, numeric=(1, 2, 3, 4))
    shrunk = [name for name, share in one.fit.shrinkage().items() if share > SHRUNK]
    if shrunk:
        words = ", ".join(PARAMETERS[name].split(",")[0] for name in shrunk)
        yield Note(
            f"Shrinkage above {100 * SHRUNK:g} %: {words}. Of these a subject's own value says more of the population than of the subject; "
            "it must not be regressed on anything."
        )


def _limits_words(one: KineticsFit) -> str:
    drawn = one.fit.posterior
    if drawn is None:
        return "Limits by Wald"
    return f"Estimates are the most likely ones, limits those of the posterior: {drawn.words}; priors: {PRIORS}"


def _limited(data: ReportData, rows: list[ResultRow], name: str) -> Cell:
    """Return a statistic with its limits."""
    return parts("{} ({})", data.rows.stat(rows, name), _limits(data, rows, name))


def _limits(data: ReportData, rows: list[ResultRow], name: str) -> Cell:
    lower = data.rows.stat(rows, f"{name}_lower")
    if lower is None or lower.text == "NE":
        return "NE"
    return parts("{} to {}", lower, data.rows.stat(rows, f"{name}_upper"))


def _ratio_words(one: KineticsFit, name: str, covariate: str) -> str:
    bounded = " (of the odds within the bounds)" if name in one.fit.problem.model.bounds else ""
    return f"ratio of {covariate}{bounded}"


def _checked(data: ReportData, one: KineticsFit) -> Iterator[Block]:
    """Show the measured samples beside those of simulated trials."""
    rows = _rows(data, one, "CHECK", by="window")
    words_of, unit = TESTS[one.test][0], _unit(data, one)
    drawn = draw_check(rows, unit=unit, title=f"{words_of}: measured samples beside simulated trials", band=data.band)
    if drawn is not None:
        yield Figure(
            drawn,
            f"{words_of}: what was measured (points, in the colour of the line that they belong to) beside 1000 "
            "simulated trials of the fitted population (lines their medians, bands 90 % of them), by window of days at its "
            "median day. Above: quantiles of the measured samples. Below: share below the limit of quantification. A point outside its "
            "band is what the model does not reproduce; about one in ten lies outside by chance.",
            f"model-check-{one.test}",
        )
    stat = data.rows.stat
    whole = _rows(data, one, "CHECK", by="")
    yield Text(
        parts("{} of {} measured figures lie outside the band of the simulated trials.", stat(whole, "outside"), stat(whole, "compared"))
    )
    lines: list[tuple[Cell, ...]] = []
    groups: set[int] = set()
    for level in sorted({row["level"] for row in rows}, key=lambda name: next(row["time"] or 0.0 for row in rows if row["level"] == name)):
        mine = [row for row in rows if row["level"] == level]
        groups.add(len(lines))
        lines.append((parts("{}: {} samples, {} measured", level, stat(mine, "samples"), stat(mine, "n")), None, None))
        for name, words in _CHECKED.items():
            observed, limits = stat(mine, f"observed_{name}"), _limits(data, mine, name)
            known = observed is not None and observed.text != "NE"
            lines.append((words, observed if known else "NE", limits if known else None))
    caption = f"{words_of}: measured figures beside simulated trials, by window of days; quantiles of five measured samples or more, {unit}"
    head = ("Window and figure", "Measured", "90 % of simulated trials")
    yield Table(head, lines, caption, numeric=(1, 2), group=frozenset(groups), small=True)


def _courses(data: ReportData, one: KineticsFit) -> Iterator[Block]:
    """Show every subject's fitted course, and name invented peaks."""
    spiked = set(peaks_not_sampled(one))
    names = dict(one.samples.select("USUBJID", "SUBJ").unique().iter_rows())
    label = {str(who): data.labels.get(subject, str(who)) for who, subject in names.items()}
    lines = derive_courses(one)
    by_subject = {str(who): list(frame.select("AFRLT", "PRED").iter_rows()) for (who,), frame in lines.group_by("USUBJID")}
    side = pl.when(BLQFL="Y").then(-1).when(ALQFL="Y").then(1).otherwise(0)
    taken = one.samples.select("USUBJID", "AFRLT", pl.coalesce("AVAL", "ALLOQ"), side.alias("SIDE"))
    courses = [
        Course(label[str(who)], by_subject.get(str(who), []), list(frame.drop("USUBJID").iter_rows()), who not in spiked)
        for (who,), frame in taken.group_by("USUBJID", maintain_order=True)
    ]
    words, unit = TESTS[one.test][0], _unit(data, one)
    title = f"{words}: fitted courses over the samples"
    drawn = draw_courses([*courses, Course("", by_subject[TYPICAL])], unit=f"{words}, {unit}", title=title, band=data.band)
    yield Figure(
        drawn,
        f"{words}: fitted course of each subject over its samples. A triangle that points down is a sample below its limit, at the "
        "limit; one that points up is a sample above its range, at the least that it can be. Dashed: the "
        f"fitted peak is above {INVENTED:g} times the highest sample: the model has put it where nobody measured.",
        f"model-courses-{one.test}",
    )
    rows = _rows(data, one, "MODEL", by="")
    counted = parts(
        "Peak not sampled (fitted above {} times the highest sample): {} of {} subjects with a quantifiable sample{}.",
        f"{INVENTED:g}",
        data.rows.stat(rows, "peak_not_sampled"),
        str(len(one.fit.problem.samples.subjects) - int(one.fit.problem.samples.never.sum())),
        f": {', '.join(sorted(label[str(who)] for who in spiked))}" if spiked else "",
    )
    yield Note(counted)


def _described(data: ReportData, one: KineticsFit) -> Iterator[Block]:
    """Show how peak and contraction differ between outcome groups."""
    stat = data.rows.stat
    for other in one.descriptions:
        rows = _rows(data, one, "MODEL", by=other.name)
        yield Text(parts(_DESCRIBED, other.name, stat(rows, "N"), stat(rows, "gain")))
        lines: list[tuple[Cell, ...]] = []
        for name in ("cmax", "alpha"):
            shifted = _rows(data, one, name.upper(), by=other.name, level=other.label)
            words = f"{PARAMETERS[name].split(',')[0]}, {_ratio_words(one, name, other.label)}"
            lines.append((words, stat(shifted, "ratio"), _limits(data, shifted, "ratio")))
        yield Table(
            ("Difference", "Ratio", "95 % limits"),
            lines,
            f"{TESTS[one.test][0]}: described by {other.name}, limits by Wald",
            numeric=(1, 2),
            small=True,
        )
        yield Note(_UNSURE)
