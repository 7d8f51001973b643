"""How are virtual patients shown? A page on a population, a page on two products."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from cartrial.files import built_beside
from cartrial.report.figures.curve import Curve, draw_curves, read_moments
from cartrial.report.figures.style import COLOURS
from cartrial.report.page.blocks import Block, Definition, Details, Figure, Note, Section, Table, Text
from cartrial.report.page.render import BANDS, render_page
from cartrial.report.page.rows import ResultRow, Rows, parts
from cartrial.report.virtual.pictures import picture_patients, picture_population

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.trials.compare import Comparison
    from cartrial.study import Study
    from cartrial.virtual.patients.population import Population

__all__ = ["write_comparison", "write_population"]


def _page(sections: list[Section], *, title: str, facts: str, out: Path, results: pl.DataFrame | None = None) -> Path:
    """Write a page beside its place and move it in."""
    from importlib import metadata

    version = metadata.version("cartrial")
    text = render_page(
        sections,
        title=title,
        heading=title,
        kind="Virtual patients",
        facts=facts,
        band=BANDS["virtual"],
        footer=f"Made by cartrial {version}. Virtual patients: simulated, not patients.",
        version=version,
    )
    with built_beside(out.parent) as folder:
        (folder / out.name).write_text(text, encoding="utf-8")
        if results is not None:
            results.write_parquet(folder / f"{out.stem}.parquet")
    return out


def write_population(out: str | Path, *, population: str = "inaticel", seed: int = 1, patients: int = 400) -> Path:
    """Write a page on a population: three of its patients and its bands.

    Parameters
    ----------
    out : path
        HTML file.
    population : str
    seed, patients : int

    Raises
    ------
    InputError
        For an unknown population, or a place that cannot be written to.
    """
    from cartrial.virtual import LABEL, load_population

    people = load_population(population)
    sections = [
        Section("what", "What this is", [Note(LABEL), Definition([("Population", people.label), ("Product", _product(people))])]),
        Section("patients", "Three patients", [Text("Each panel has the same days."), *picture_patients(people, seed, patients)]),
        Section("bands", "The population", [picture_population(people, seed, patients)]),
    ]
    return _page(
        sections,
        title=f"Virtual patients: {people.label}",
        facts=f"population {people.id} · seed {seed} · {patients} patients",
        out=Path(out),
    )


def _product(people: Population) -> str:
    product = people.product
    return f"{product.source}, {product.costimulation}" + (", after lymphodepletion with alemtuzumab" if product.alemtuzumab else "")


def write_comparison(comparison: Comparison, out: str | Path) -> Path:
    """Write the page on autologous against allogeneic; its results rows stand beside it as Parquet.

    Parameters
    ----------
    comparison : Comparison
        Of `cartrial.design.trials.compare.compare_supply`.
    out : path
        HTML file.
    """
    from cartrial.analysis.results import sort_results
    from cartrial.virtual import LABEL

    results = sort_results(comparison.results)
    rows = Rows(results)
    sections = [
        Section("what", "What this is", [Note(LABEL), Definition(_whose(comparison.populations)), Text(_said(comparison))]),
        Section("figures", "From enrolment", _comparison(rows, comparison)),
        Section("curves", "Over time", _curves(rows)),
        Section("supply", "What differs", [_supply(comparison.populations)], "What differs"),
    ]
    facts = f"{comparison.enrolled} subjects an arm · {comparison.sets} parameter sets · seed {comparison.seed}"
    return _page(
        sections, title="Autologous against allogeneic CD19 CAR-T cells, from enrolment", facts=facts, out=Path(out), results=results
    )


def _whose(populations: dict[str, Population]) -> list[tuple[str, str]]:
    """Return whose patients both arms are, and from which population each product is taken."""
    own, shelf = (populations[arm] for arm in ("autologous", "allogeneic"))
    ages, kind = own.patients.age, "children" if own.patients.child else "adults"
    return [
        ("Patients of both arms", f"of {ages.low:g} to {ages.high:g} years, followed as {kind}: population '{own.id}' ({own.label})"),
        ("Autologous product", f"{_product(own)}: population '{own.id}'"),
        ("Allogeneic product", f"{_product(shelf)}: population '{shelf.id}' ({shelf.label})"),
    ]


def _said(comparison: Comparison) -> str:
    return (
        f"The same {comparison.enrolled} virtual patients are enrolled twice, under the same {comparison.sets} parameter sets: once "
        "their own cells are made into the product, once a product is taken from the shelf. What differs is the products' supply, "
        "quality, killing, rejection, lymphodepletion and the use of transplant. Every rate counts all enrolled, also those never "
        "infused. The allogeneic product's numbers come from one small published programme, so the difference between the arms is far "
        "less sure than its band says."
    )


def _comparison(rows: Rows, comparison: Comparison) -> list[Block]:
    from cartrial.design.trials.compare import ARMS, MONTH_12, WAITED

    def at(analysis: str, endpoint: str, level: str, **key: object) -> list[ResultRow]:
        return rows.where(analysis, endpoint, by="product", level=level, **key)

    def of(statistics: tuple[str, ...], pattern: str, analysis: str, endpoint: str, **key: object) -> list[Markup]:
        return [parts(pattern, *(rows.stat(at(analysis, endpoint, arm, **key), name) for name in statistics)) for arm in ARMS]

    def apart(analysis: str, endpoint: str) -> Markup:
        found = at(analysis, endpoint, "allogeneic - autologous")
        return parts("{} ({} to {}) points", *(rows.stat(found, name) for name in ("mean", "lower", "upper")))

    infused = [parts("{} of {}", rows.stat(at("flow", "infused", arm), "n"), rows.stat(at("flow", "enrolled", arm), "n")) for arm in ARMS]
    limits = ("rate", "lower", "upper", "n", "N")
    year = {"variant": "", "time": MONTH_12}
    survival = ("survival", "survival_lower", "survival_upper")
    median = ("median_months", "median_months_lower", "median_months_upper")
    lines = (
        ("Infused, of enrolled", *infused, apart("flow", "infused")),
        (
            "Days from enrolment to infusion, of the infused, median (quartiles)",
            *of(("median", "q1", "q3"), "{} ({} to {})", "flow", WAITED),
            "",
        ),
        ("CRR, of enrolled (95 % limits)", *of(limits, "{} % ({} to {}), {}/{}", "response", "CRR", variant=""), apart("response", "CRR")),
        (
            "Alive at month 12 from enrolment (day 365), of enrolled, Kaplan–Meier (95 % limits)",
            *of(survival, "{} % ({} to {})", "survival", "OS", **year),
            apart("survival", "OS"),
        ),
        (
            "Overall survival of all enrolled from enrolment, median (months, 95 % limits)",
            *of(median, "{} ({} to {})", "survival", "OS", variant=""),
            "",
        ),
        (
            "Duration of response of the responders, median (months, 95 % limits)",
            *of(median, "{} ({} to {})", "survival", "DOR", variant=""),
            "",
        ),
    )
    head = ("Result", "Autologous", "Allogeneic", "Difference (80 % band)")
    note = f"The band is over {comparison.sets} trials, each with its own parameter set: it holds their uncertainty and that of chance."
    read = Note(
        "NR: not reached. CRR counts a complete remission in its window; the responders of the duration of response had CR or CRi at any "
        "time, so they are more."
    )
    return [
        Table(head, lines, "Both products in the same virtual patients, by enrolled", wide=True),
        Note(note),
        read,
        _defined(comparison.study),
    ]


def _defined(study: Study) -> Block:
    """Return what each endpoint of the page is, in the words of its study."""
    from cartrial.study import describe_endpoint

    shown = [endpoint for endpoint in study.endpoints if endpoint.id in ("CRR", "OS", "DOR")]
    return Definition([(endpoint.id, describe_endpoint(study, study.variants(endpoint)[0])["sentence"]) for endpoint in shown])


def _curves(rows: Rows) -> list[Block]:
    blocks: list[Block] = []
    for endpoint, words, xlabel, ylabel in (
        ("OS", "Overall survival of all enrolled", "Months since enrolment", "alive"),
        ("DOR", "Duration of response of the responders", "Months since the first response", "without an event"),
    ):
        curves = []
        for arm, label, colour in (("autologous", "autologous", COLOURS["blue"]), ("allogeneic", "allogeneic", COLOURS["red"])):
            found = rows.where("survival", endpoint, by="product", level=arm, variant="")
            curve = Curve(label, read_moments(found, "survival"), colour)
            if curve.drawn:
                curves.append(curve)
        if curves:
            document = draw_curves(curves, title=f"{words}, by product", ylabel=ylabel, xlabel=xlabel, band=BANDS["virtual"])
            said = f"{words}, by product (Kaplan–Meier): the patient's own cells (autologous) or a donor's (allogeneic)."
            blocks.append(Figure(document, said, f"curve-{endpoint}"))
    return blocks or [Text("No time to event can be drawn.")]


def _supply(populations: dict[str, Population]) -> Block:
    """Return the numbers that differ between the two products, with their sources."""
    lines = []
    for group in ("supply", "clinic"):
        one, two = (getattr(populations[arm], group) for arm in ("autologous", "allogeneic"))
        for name in type(one).model_fields:
            first, second = getattr(one, name), getattr(two, name)
            if first is not None and second is not None and first.value != second.value:
                lines.append((name.replace("_", " "), f"{first.value:g}", f"{second.value:g}", first.unit, second.source, second.sure))
    head = ("Number", "Autologous", "Allogeneic", "Unit", "Source of the allogeneic number", "How sure")
    table = Table(head, lines, "Inputs that differ between the products", numeric=(1, 2), wide=True)
    words = Markup("Killing by the edited product, host-versus-graft rejection and the effect of alemtuzumab are calibrated.")
    return Details("Inputs of both products", [table, Note(words)])
