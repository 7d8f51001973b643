"""How are the published models shown? One page: for each its picture, its equations, its numbers and what is doubtful."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from cartrial.errors import InputError
from cartrial.report.figures.panels import Panel as Axes
from cartrial.report.figures.panels import Trace, draw_panels, number_words
from cartrial.report.figures.style import COLOURS, Document
from cartrial.report.page.blocks import Block, Definition, Details, Figure, Note, Section, Table, Text

if TYPE_CHECKING:
    from cartrial.virtual.published.panel import Panel
    from cartrial.virtual.published.tables import Model, Parameter

__all__ = ["render_models", "write_models_page"]

BAND = "Simulated from published models"
LINES = ("blue", "orange", "green", "pink", "sky", "red")


def write_models_page(out: str | Path, names: Sequence[str] | None = None) -> None:
    """Write the page of the published models into an HTML file.

    Parameters
    ----------
    out : str or Path
        The file.
    names : sequence of str, optional
        Keys of `cartrial.virtual.published.MODELS`; all of them unless given.

    Raises
    ------
    InputError
        If there is no such model, or the file cannot be written.
    """
    path = Path(out)
    text = render_models(names)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"the page cannot be written there ({error.strerror or error})",
            file=str(path),
            right="Name an HTML file in a folder that exists",
        ) from error


def render_models(names: Sequence[str] | None = None) -> str:
    """Return the page as HTML text; `names` as in `write_models_page`."""
    from cartrial.report.page.render import render_page
    from cartrial.virtual.published import MODELS, read_model, show_model

    wanted = list(MODELS if names is None else names)
    sections = [_about(wanted)] if names is None else []
    sections += [_section(read_model(name), show_model(name)) for name in wanted]
    version = metadata.version("cartrial")
    return render_page(
        sections,
        title="Published models of CAR-T cells",
        heading="Published models of CAR\u2011T cells",
        kind="Models, as their authors wrote them",
        facts=f"{len(wanted)} model{'' if len(wanted) == 1 else 's'}, each simulated with its published numbers",
        band=BAND,
        footer=f"Made by cartrial {version}. The curves are simulated from equations and numbers; no figure of a publication is copied.",
        version=version,
    )


def _about(names: Iterable[str]) -> Section:
    from cartrial.virtual.published import read_model
    from cartrial.virtual.published.tables import SURE

    rows = [(Markup('<a href="#{}">{}</a>').format(name, _short(name)), read_model(name).title) for name in names]
    blocks: list[Block] = [
        Text("Models that others published, to learn from and to compare with. None of them is the model behind the virtual trials."),
        Table(("Model", "What it is about"), rows, "The models of this page", small=True),
        Text("Each number says how sure it is:"),
        Definition([(word, words) for word, words in SURE.items()]),
    ]
    return Section("about", "What these are", blocks, "About")


def _short(name: str) -> str:
    words = " ".join(part.capitalize() for part in name[:-4].split("_"))
    words = {"Leon Triana": "León-Triana", "Mueller Schoell": "Mueller-Schoell"}.get(words, words)
    return f"{words} {name[-4:]}"


def _section(model: Model, panels: dict[str, Panel]) -> Section:
    cite = Markup('{}. <a href="https://doi.org/{}">doi:{}</a>').format(model.citation, model.doi, model.doi)
    if model.pmid:
        cite += Markup(' · <a href="https://pubmed.ncbi.nlm.nih.gov/{}/">PMID {}</a>').format(model.pmid, model.pmid)
    figure = Figure(_picture(panels, f"{model.title}: simulated courses"), model.scenario, model.name)
    blocks: list[Block] = [
        Text(model.shows),
        figure,
        Table(("Equation", "Words"), model.equations, "Equations", small=True),
        Details(f"Its {len(model.parameters)} numbers", [_numbers(model)]),
        Text("What is doubtful:"),
        *(Note(doubt) for doubt in model.doubts),
        Definition([("Source", cite), ("Setting", model.setting), ("Read in", model.read)]),
    ]
    return Section(model.name, f"{_short(model.name)}: {model.title[0].lower()}{model.title[1:]}", blocks, _short(model.name))


def _picture(panels: dict[str, Panel], title: str) -> Document:
    """Return a model's picture, a series in one colour throughout: that of what stands before the comma of its label."""
    keys = dict.fromkeys(label.split(",")[0] for panel in panels.values() for label in panel.lines if label)
    colours = {key: COLOURS[LINES[k % len(LINES)]] for k, key in enumerate(keys)}
    return draw_panels([_axes(panel, colours) for panel in panels.values()], title=title, band=BAND, height=216)


def _axes(panel: Panel, colours: dict[str, str]) -> Axes:
    traces = []
    colour = COLOURS["black"]
    for label, line in panel.lines.items():
        # points without a label belong to the series before them
        colour = colours[label.split(",")[0]] if label else colour
        bands = [(line.lower, line.upper)] if line.lower is not None and line.upper is not None else []
        traces.append(Trace(label, COLOURS["black"] if line.style == "points" else colour, line.x, line.y, bands, line.style))
    heights = [float(value) for line in panel.lines.values() for value in (line.y.min(), line.y.max())]
    low = min(heights) if panel.low is None else panel.low
    high = max(heights) if panel.high is None else panel.high
    return Axes(panel.y, low, high, traces, panel.x, panel.log, panel.limits)


def _numbers(model: Model) -> Table:
    rows: list[tuple[str, ...]] = []
    groups: set[int] = set()
    for case in ("", *model.cases):
        items = [item for item in model.parameters if item.case == case]
        if model.cases and items:
            groups.add(len(rows))
            rows.append((case or "for all", *[""] * 6))
        rows.extend(_row(item) for item in items)
    head = ("Symbol", "Meaning", "Value", "Unit", "How sure", "Where", "Between patients")
    shown = len(head) if any(item.variability for item in model.parameters) else len(head) - 1
    return Table(head[:shown], [row[:shown] for row in rows], numeric=(2,), group=frozenset(groups))


def _row(item: Parameter) -> tuple[str, ...]:
    unit = "" if item.unit == "1" else item.unit
    return (item.symbol, item.meaning, number_words(item.value), unit, item.sure, item.source, _between(item))


def _between(item: Parameter) -> str:
    for kind, found in item.variability.items():
        if kind == "omega":
            return f"ω = {found:g}, log-normal"
        if kind == "cv":
            return f"{found:g} % CV, log-normal"
        return f"{kind} {number_words(found[0])} to {number_words(found[1])}"
    return ""
