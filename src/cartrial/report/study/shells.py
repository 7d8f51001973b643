"""Which tables and figures will a study produce? The same page, empty, for the analysis plan."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from cartrial.errors import InputError
from cartrial.report.figures.curve import empty_curves
from cartrial.report.page.blocks import Block, Definition, Figure, Section, Table, Text
from cartrial.report.study.phrases import strategies_sentence, strategy_cells, variant_words
from cartrial.report.study.sections.flow import MILESTONES
from cartrial.report.study.sections.harm.empty import empty_safety
from cartrial.report.study.sections.identity import study_blocks
from cartrial.report.study.sections.primary import estimand_items
from cartrial.report.study.sections.response import HEAD as RATE_HEAD
from cartrial.report.study.sections.subgroups import ASSESSED
from cartrial.report.study.sections.survival import HEAD as TIME_HEAD
from cartrial.report.study.sections.survival import origin_words
from cartrial.study import Endpoint, Study, Variant, strategies_text, window_text
from cartrial.study.attributes import RESPONSE
from cartrial.study.words import at_level

__all__ = ["render_shells", "shell_sections", "write_shells"]

X, P = "xx", "xx.x"


def render_shells(study: Study) -> str:
    """Return the shells as one self-contained page: every table and figure of the report, with ``xx`` for numbers."""
    from cartrial.report.page.render import render_page

    identity = study.study
    cutoff = f"data cutoff {identity.cutoff.isoformat()}" if identity.cutoff else "no data cutoff set"
    return render_page(
        shell_sections(study),
        title=f"{identity.title}: tables and figures to come",
        heading=identity.title.replace("B-cell", "B\u2011cell"),
        kind="Shells: the tables and figures that this study will produce, empty",
        facts=" · ".join(part for part in (identity.id, identity.registry, cutoff) if part),
        band="",
        footer=f"Made by cartrial from the study file, SHA-256 {study.hash}, rules version {study.rules}. No data were read.",
        version=metadata.version("cartrial"),
    )


def write_shells(study: Study, out: str | Path) -> None:
    """Write the shells of a study into an HTML file.

    Raises
    ------
    InputError
        If the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import Study
    >>> from cartrial.report import write_shells
    >>> with TemporaryDirectory() as folder:
    ...     write_shells(Study.load("inaticel"), Path(folder, "shells.html"))
    ...     page = Path(folder, "shells.html").read_text(encoding="utf-8")
    >>> "Overall response rate at month 3" in page
    True
    """
    path = Path(out)
    text = render_shells(study)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"the shells cannot be written there ({error.strerror or error})",
            file=str(path),
            right="Name an HTML file in a folder that exists",
        ) from error


def shell_sections(study: Study) -> list[Section]:
    """Return the sections of the shells: those of a report, with ``xx`` for numbers."""
    sections = [Section("study", "The study", study_blocks(study), "Study")]
    if study.study.listing_only:
        said = Text(f"Nothing will be estimated: {study.study.listing_only.rstrip('.')}. The report will be a listing of the subjects.")
        return [*sections, Section("listing", "Listing", [said], "Listing")]
    rates = [endpoint for endpoint in study.endpoints if endpoint.type == "response-rate"]
    bests = [endpoint for endpoint in study.endpoints if endpoint.type == "best-response"]
    times = [endpoint for endpoint in study.endpoints if endpoint.type == "time-to-event"]
    sections.append(_flow(study))
    sections.append(_baseline(study))
    if rates:
        sections.append(_rates(study, rates))
    if bests:
        sections.append(_bests(study, bests))
    sections.append(_readers(study))
    if times:
        sections.append(_times(study, times))
    sections.append(_kinetics(study))
    if study.subgroups and rates:
        sections.append(_subgroups(study, next((endpoint for endpoint in rates if endpoint.role == "primary"), rates[0])))
    sections.append(_safety(study))
    sections.append(_listing(study))
    return sections


def _flow(study: Study) -> Section:
    names = [words for name, words in MILESTONES.items() if name != "leukapheresed" or study.product.type == "autologous"]
    return Section(
        "flow",
        "From consent to evaluable",
        [
            Table(
                ("Milestone", "Subjects"),
                [(name, X) for name in names],
                "Table: subjects at each milestone",
                numeric=(1,),
                small=True,
                name="milestones",
            )
        ],
        "Flow",
    )


def _baseline(study: Study) -> Section:
    rows: list[tuple[str, ...]] = []
    groups: set[int] = set()
    for characteristic in study.baseline:
        groups.add(len(rows))
        rows.append((characteristic.label + (f" ({characteristic.unit})" if characteristic.unit else ""), ""))
        if characteristic.cut or characteristic.unit:
            rows.append(("Median (range)", f"{P} ({P} to {P})"))
        rows.extend(
            (level, f"{X} ({P} %)")
            for level in characteristic.levels or ("each level recorded",)
            if characteristic.levels or not characteristic.unit
        )
    if not rows:
        return Section("baseline", "Baseline", [Text("The study file names no baseline characteristic.")])
    return Section(
        "baseline",
        "Baseline",
        [
            Table(
                ("Characteristic", f"Infused (N = {X})"),
                rows,
                "Table: baseline characteristics of the infused subjects",
                numeric=(1,),
                group=frozenset(groups),
                name="baseline",
            )
        ],
    )


def _rate_row(study: Study, label: str, variant: Variant) -> tuple[str, ...]:
    endpoint = variant.endpoint
    return (
        label,
        f"{X}/{X}",
        P,
        f"{P} to {P}",
        X,
        endpoint.population,
        window_text(study, endpoint),
        (endpoint.reader or study.readers.primary) if endpoint.read else "",
        *strategy_cells(strategies_text(endpoint), endpoint.type),
    )


def _rates(study: Study, rates: Sequence[Endpoint]) -> Section:
    blocks: list[Block] = [
        Table(
            at_level(study, RATE_HEAD),
            [_rate_row(study, f"{rate.label} ({rate.id})", study.variants(rate)[0]) for rate in rates],
            "Table: all response endpoints, main analyses",
            numeric=(1, 2, 3, 4),
            wide=True,
            name="rates",
        )
    ]
    rows: list[tuple[str, ...]] = []
    groups: set[int] = set()
    for rate in rates:
        variants = study.variants(rate)
        if len(variants) > 1:
            groups.add(len(rows))
            rows.append((f"{rate.label} ({rate.id})", *[""] * (len(RATE_HEAD) - 1)))
            rows.extend(_rate_row(study, variant_words(variant.name, variant.endpoint.type), variant) for variant in variants)
    if rows:
        blocks.append(
            Table(
                ("Variant", *at_level(study, RATE_HEAD)[1:]),
                rows,
                "Table and forest figure: sensitivity to reader, population and strategies",
                numeric=(1, 2, 3, 4),
                group=frozenset(groups),
                wide=True,
                name="sensitivity",
            )
        )
    blocks.extend(
        Definition([("Endpoint", f"{rate.label} ({rate.id}), {rate.role}"), *estimand_items(study, study.variants(rate)[0])])
        for rate in rates
    )
    return Section("response", "Response", blocks)


def _bests(study: Study, bests: Sequence[Endpoint]) -> Section:
    blocks: list[Block] = []
    for endpoint in bests:
        variants = study.variants(endpoint)
        rows = [
            (variant_words(variant.name, variant.endpoint.type), status, f"{X}/{X}", P)
            for variant in variants
            for status in study.disease.family.planned
        ]
        said = dict.fromkeys(strategies_sentence(strategies_text(variant.endpoint), endpoint.type) for variant in variants)
        caption = f"Table: {endpoint.label} ({endpoint.id}), subjects by best status; {'; or '.join(said)}"
        blocks.append(Table(("Variant", "Best response", "n/N", "Share (%)"), rows, caption, numeric=(2, 3), small=True, name="best"))
        words = ("Endpoint", f"{endpoint.label} ({endpoint.id}), {endpoint.role}")
        blocks.append(Definition([words, *estimand_items(study, variants[0])]))
    return Section("best", "Best response", blocks, "Best")


def _readers(study: Study) -> Section:
    readers = (study.readers.primary, *study.readers.sensitivity)
    calls = study.disease.family.planned
    blocks: list[Block] = [
        Text(
            f"Agreement and Cohen's kappa between the readers recorded (planned: {', '.join(readers)}), by assessment and by best response."
        )
    ]
    blocks.append(
        Table(
            ("", *calls),
            [(call, *[X] * len(calls)) for call in calls],
            "Table: cross-table of two readers",
            numeric=tuple(range(1, len(calls) + 1)),
            small=True,
            name="cross",
        )
    )
    return Section("readers", "Reader concordance", blocks, "Readers")


def _times(study: Study, times: Sequence[Endpoint]) -> Section:
    rows: list[tuple[str, ...]] = []
    groups: set[int] = set()
    for time in times:
        groups.add(len(rows))
        rows.append((f"{time.label} ({time.id})", *[""] * (len(TIME_HEAD) - 1)))
        for variant in study.variants(time):
            endpoint = variant.endpoint
            rows.append(
                (
                    variant_words(variant.name, variant.endpoint.type),
                    X,
                    X,
                    X,
                    X,
                    f"{X} to {X}",
                    endpoint.population,
                    (endpoint.reader or study.readers.primary) if endpoint.read else "",
                    *strategy_cells(strategies_text(endpoint), endpoint.type),
                )
            )
    blocks: list[Block] = [
        Table(
            ("Variant", *at_level(study, TIME_HEAD)[1:]),
            rows,
            "Table: times to event by variant",
            numeric=(1, 2, 3, 4, 5),
            group=frozenset(groups),
            wide=True,
            name="times",
        )
    ]
    for time in times:
        if time.events != (RESPONSE,):
            blocks.append(
                Figure(
                    empty_curves(f"{time.label}: axes without a curve", "without an event", origin_words(time)),
                    f"Figure: {time.label} ({time.id}), Kaplan–Meier curve with numbers at risk.",
                    f"curve-{time.id}",
                )
            )
        blocks.append(Definition(estimand_items(study, study.variants(time)[0])))
    return Section("times", "Times to event", blocks)


def _kinetics(study: Study) -> Section:
    names = ("Peak (Cmax)", "Day of the peak (Tmax)", f"Area under the curve, day 0 to {study.kinetics.auc_to}", "Last day quantifiable")
    head = ("Measure", "Group", "Subjects", "Geometric mean", "CV (%)", "Median", "Range")
    rows = [(name, group, X, P, P, P, f"{P} to {P}") for name in names for group in ("responders", "non-responders")]
    limits = f"{P} ({study.interval.text} interval {P} to {P})"
    ratio = f"Of Cmax and area also the ratio of the geometric means, responders over non-responders: {limits}."
    return Section(
        "kinetics",
        "Cellular kinetics",
        [
            Table(
                head,
                rows,
                f"Table: cellular kinetics by best response ({', '.join(study.kinetics.tests)})",
                numeric=(2, 3, 4, 5, 6),
                small=True,
                name="kinetics",
            ),
            Text(ratio),
        ],
        "Kinetics",
    )


def _subgroups(study: Study, primary: Endpoint) -> Section:
    labels = {item.id: item for item in study.baseline}
    rows = [
        (labels[name].label, level, f"{X}/{X}", P, f"{P} to {P}")
        for name in study.subgroups
        for level in labels[name].levels or ("each level recorded",)
    ]
    divided = [variant.endpoint.population for variant in study.variants(primary) if variant.name == ASSESSED]
    return Section(
        "subgroups",
        "Subgroups",
        [
            Table(
                ("Subgroup", "Level", "n/N", "Rate (%)", f"{study.interval.text} interval (%)"),
                rows,
                f"Table and forest figure: {primary.label} by subgroup, {population}",
                numeric=(2, 3, 4),
                small=True,
            )
            for population in dict.fromkeys((primary.population, *divided))
        ],
    )


def _safety(study: Study) -> Section:
    return Section("safety", "Safety", empty_safety(study))


def _listing(study: Study) -> Section:
    head = ("Subject", "Endpoint", "Value", "Reason", "Date", "Day", "Source", "Rule")
    return Section(
        "listing",
        "Each subject's values",
        [
            Table(
                head,
                [(X, endpoint.id, X, "", "", X, "", "") for endpoint in study.endpoints],
                "Listing: one row a subject and endpoint",
                small=True,
            )
        ],
        "Listing",
    )
