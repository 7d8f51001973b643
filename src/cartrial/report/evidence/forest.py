"""Which rates were published, and of what? One panel for each response set, window and population; panels share no summary."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from cartrial.analysis.estimators.rates import binomial_limits
from cartrial.errors import InputError
from cartrial.evidence import Asked, Result, compare_endpoint, count_pairs, fit_limits, is_response_rate
from cartrial.evidence.gate.beside import endpoint_response
from cartrial.evidence.pooling.pool import count_of
from cartrial.evidence.registry.words import number_words, response_words, window_words
from cartrial.report.evidence.data import ContextData
from cartrial.report.figures.known import Known, draw_known
from cartrial.report.page.blocks import Block, Details, Figure, Note, Section, Text
from cartrial.study import Endpoint

__all__ = ["build", "known_of", "own_line", "panel_of"]

Panel = tuple[str, str, str]
# rates that stand alone in one figure: more do not fit a printed page
_PAGE = 5
_SAID = {"not-stated": "window not stated"}


def panel_of(result: Result) -> Panel:
    """Return response set, window and population of a rate."""
    population = result.group if result.population == "other" else result.population
    return response_words(result.measure), window_words(result.window), population


def build(data: ContextData) -> Section:
    """Return the forest panels: those of the study's own endpoints first."""
    panels: dict[Panel, list[tuple[str, Result]]] = defaultdict(list)
    for trial, one in data.results():
        if is_response_rate(one) or one.measure.type == "pooled-rate":
            panels[panel_of(one)].append((trial, one))
    asked = {_asked(endpoint): endpoint for endpoint in data.rates()}
    for panel in asked:
        panels.setdefault(panel, [])
    first = [panel for panel in panels if panel in asked and (panels[panel] or data.own is not None)]
    rest = sorted((panel for panel in panels if panel not in asked), key=lambda panel: (-len(panels[panel]), panel))
    rates = [(trial, one) for trial, one in data.evidence.results if is_response_rate(one)]
    pairs = count_pairs(data.evidence, rates)
    blocks: list[Block] = [
        Text(
            f"{pairs.results} response rates make {pairs.pairs} pairs from different trials: {pairs.different} differ in a stated "
            f"attribute, {pairs.not_established} cannot be decided because a source is silent, {pairs.comparable} "
            f"{'is' if pairs.comparable == 1 else 'are'} comparable on all. So a rate stands beside those of one response set, window and "
            "population alone, panels are apart, and no mark sums them up."
        ),
        Note(
            "Heavy line: limits as printed, with the method that printed them where one fits. Broad pale line: exact 95 % limits of the "
            "count. Filled: the reader is stated; open: it is not. A triangle and a number in brackets: see the table of contradictions. "
            "A diamond is this study's own result."
        ),
    ]
    blocks += [_figure(data, panel, panels[panel], asked[panel]) for panel in first]
    silent = [endpoint.id for panel, endpoint in asked.items() if not panels[panel]]
    if silent:
        blocks.append(Text(f"Nothing was published of the response set, window and population of {', '.join(silent)}."))
    many = [panel for panel in rest if len(panels[panel]) > 1]
    alone = [panel for panel in rest if len(panels[panel]) == 1]
    blocks += [_figure(data, panel, panels[panel], None) for panel in many]
    if alone:
        figures: list[Block] = [_alone(data, panels, alone[at : at + _PAGE]) for at in range(0, len(alone), _PAGE)]
        told = Text("Each heading is a panel of its own: rates under different headings estimate different things.")
        blocks.append(Details(f"{len(alone)} rates that share response set, window and population with no other", [told, *figures]))
    return Section("rates", "Published response rates, by what they estimate", blocks, "Rates")


def _alone(data: ContextData, panels: dict[Panel, list[tuple[str, Result]]], part: list[Panel]) -> Figure:
    """Return a figure of some rates that stand alone, each under its own heading."""
    lines = [line for panel in part for line in (Known(_title(panel)), known_of(data, *panels[panel][0]))]
    drawn = draw_known(lines, title="Published rates that stand alone", xlabel="Response rate")
    return Figure(drawn, "; ".join(_title(panel) for panel in part) + ".", f"forest-alone-{_title(part[0])}")


def _asked(endpoint: Endpoint) -> Panel:
    return endpoint_response(endpoint), window_words(endpoint.window) if endpoint.window else "not-stated", endpoint.population


def _title(panel: Panel) -> str:
    response, window, population = panel
    return f"{response}, {_SAID.get(window, window)}, {population}"


def _figure(data: ContextData, panel: Panel, rows: list[tuple[str, Result]], endpoint: Endpoint | None) -> Figure:
    ordered = sorted(rows, key=lambda row: (not data.is_own(row[0]), row[1].measure.type == "pooled-rate", -(row[1].of or 0)))
    lines = [known_of(data, trial, one) for trial, one in ordered]
    said = ""
    if endpoint is not None:
        own = own_line(data, endpoint)
        lines = [own, *lines] if own else lines
        compared = [compare_endpoint(data.study, endpoint, one, assume=data.assume) for _, one in ordered]
        unknown = sorted({one.name for each in compared for one in each.attributes if one.status != "same"})
        if ordered:
            well = sum(each.status == "comparable" for each in compared)
            said = f" Published rates that estimate what {endpoint.id} does on every attribute: {well} of {len(ordered)}"
            said += f"; different or not established otherwise: {', '.join(unknown)}." if unknown else "."
        if data.assume:
            said += f" Assumed: {', '.join(f'{name}={word}' for name, word in data.assume.items())}."
    shared = [one.group for _, one in ordered if one.population != "other" and one.group != "all"]
    if shared:
        said += f" Of a part of the population: {', '.join(dict.fromkeys(shared))}."
    title = _title(panel)
    of = f" ({endpoint.id} of this study)" if endpoint is not None else ""
    band = "VIRTUAL PATIENTS: the diamond is simulated" if endpoint is not None and data.provenance == "virtual" else ""
    return Figure(
        draw_known(lines, title=f"Published rates: {title}", xlabel=title, band=band), f"{title}{of}.{said}", f"forest-{len(rows)}-{title}"
    )


def known_of(data: ContextData, trial: str, result: Result) -> Known:
    """Return a published rate as a line of a figure."""
    from cartrial.evidence.registry.stated import NOT_REACHED, exact

    group = "" if result.population == "other" or result.group == "all" else f", {result.group}"
    value = float(exact(result.value.text)) / 100 if result.value and result.value.text not in NOT_REACHED else None
    printed = (float(exact(result.interval.text[0])) / 100, float(exact(result.interval.text[1])) / 100) if result.interval else None
    limits, method = None, ""
    try:
        count, _ = count_of(result) if result.measure.type != "pooled-rate" else (None, None)
    except InputError:
        count = None
    doubt = data.doubt(result.id)
    if doubt and result.count is None:
        # a count that no plain rounding prints is none to draw limits of
        count = None
    if count is not None and result.of is not None:
        low, high = binomial_limits(np.array([count]), np.array([result.of]))
        limits = (float(low[0]), float(high[0]))
        value = count / result.of
        if result.interval:
            fits = fit_limits([Asked(count, result.of, *result.interval.text, result.level)])[0]
            best = [fit for fit in fits if fit.kind == "exact"]
            method = " or ".join(fit.method for fit in best[:2]) if best else "no method fits" if not fits else f"{fits[0].method}?"
    return Known(
        label=f"{data.evidence.trials[trial].trial.name}{group}" + (", pooled" if result.measure.type == "pooled-rate" else ""),
        text=number_words(result),
        value=value,
        printed=printed,
        exact=limits,
        method=method,
        stated=result.reader != "not-stated",
        doubt=doubt,
    )


def own_line(data: ContextData, endpoint: Endpoint) -> Known | None:
    """Return the study's own result of an endpoint as a line; None where it has none."""
    if data.own is None:
        return None
    found = data.own.where("response", endpoint.id, variant="", by="")
    n, total, rate, low, high = (data.own.stat(found, name) for name in ("n", "N", "rate", "lower", "upper"))
    if n is None or total is None or rate is None or rate.value is None:
        return None
    known = low is not None and high is not None and low.value is not None and high.value is not None
    limits = f" ({low.text}-{high.text})" if known and low and high else ""
    return Known(
        label=f"This study, {endpoint.id}" + (" (virtual)" if data.provenance == "virtual" else ""),
        text=f"{n.text}/{total.text}, {rate.text} %{limits}",
        value=rate.value,
        printed=(float(low.value or 0), float(high.value or 0)) if known and low and high else None,
        stated=True,
        own=True,
    )
