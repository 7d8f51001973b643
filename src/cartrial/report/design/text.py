"""What goes into the protocol, what may virtual patients not be used for, and where do the methods come from?"""

from __future__ import annotations

from markupsafe import Markup

from cartrial.design.bayes.history import SOURCE as HISTORY_SOURCE
from cartrial.report.design.data import DesignData, cite
from cartrial.report.page.blocks import Block, Note, Section, Table, Text

__all__ = ["limits", "methods", "paragraph"]


def paragraph(data: DesignData) -> Section:
    """Return the sample-size section of the protocol, ready to copy."""
    from cartrial.design.protocol.paragraph import write_paragraph

    words = write_paragraph(data.design, data.rows, data.facts)
    blocks: list[Block] = [
        Text(Markup('<span class="copy" id="paragraph-text">{}</span>').format(words)),
        Note(
            "Every number of it is a row of the JSON file beside this page"
            + (", and the number of virtual trials stands in its `simulation`" if data.simulated else "")
            + ". Words in brackets are for you to settle."
        ),
    ]
    return Section("paragraph", "For the protocol: sample size", blocks, "Paragraph")


_USES = (
    ("Choosing a dose", "the model was not calibrated on doses"),
    ("Predicting a single patient", "it is calibrated to published aggregates, and not validated on data of single patients"),
    (
        "A claim about a real product, or a null rate",
        "a null comes from data of patients; virtual trials show only what a design does where a rate is given",
    ),
    ("Rates of CRS, ICANS or death", "they are not those of this product; the stopping rules here are exact and use none of them"),
    ("The effect of transplant", "strategies for transplant differ in the question asked, not in what a transplant does"),
)


def limits(data: DesignData) -> Section:
    """Return what the numbers must not be used for."""
    blocks: list[Block] = []
    if data.simulated:
        blocks.append(Table(("Not for", "Because"), _USES, "What the virtual patients must not be used for", small=True))
    blocks.append(
        Note(
            "Exact figures hold for independent subjects with one rate. Sites, periods and changes of the product make real rates vary, "
            "and a "
            "single arm has no comparison. The choice of a design is that of the study's statistician."
        )
    )
    return Section("limits", "What not to use this for", blocks, "Limits")


def methods(data: DesignData) -> Section:
    """Return the methods used on this page, with their sources."""
    design = data.design
    rows: list[tuple[str, str]] = [(option.staged.name, option.staged.source) for option in design.options]
    for plan in design.safety:
        rows += [(f"{rule.name} stopping rule", rule.source) for rule in plan.rules]
    if design.joint is not None:
        rows += [(item.name, item.source) for item in design.joint.two_stage]
        if design.joint.bop2 is not None:
            rows.append((design.joint.bop2.name, design.joint.bop2.source))
    if design.delayed is not None:
        rows.append(("TOP, pending responses", design.delayed.delayed.source))
    rows += [(words, found.source) for item in design.survival for words, found in item.designs]
    if design.history is not None:
        rows.append(("Prior of published trials", HISTORY_SOURCE))
    rows.append(("Exact figures of every design", "Schultz JR et al. Biometrics 1973;29:293-300"))
    by_source: dict[str, list[str]] = {}
    for name, source in rows:
        names = by_source.setdefault(source, [])
        if name not in names:
            names.append(name)
    cells = [("; ".join(names), cite(source)) for source, names in by_source.items()]
    blocks: list[Block] = [Table(("Used for", "Source"), cells, "Methods that this page used", wide=True)]
    if design.study.study.references:
        found = [(cite(reference),) for reference in design.study.study.references]
        blocks.append(Table(("Source",), found, "Sources of the study", small=True))
    return Section("methods", "Methods and sources", blocks, "Methods")
