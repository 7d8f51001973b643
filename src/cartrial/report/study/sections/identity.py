"""What is the study? Identity, product, design, readers, criteria in words, and what in it is assumed."""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Definition, Details, Section, Table, Text
from cartrial.report.study.data import ReportData
from cartrial.study import Study, reader_words
from cartrial.study.words import criteria_words

__all__ = ["build", "study_blocks"]


def build(data: ReportData) -> Section:
    """Return the section on the study."""
    return Section("study", "The study", study_blocks(data.study, data.cutoff_words), "Study")


def study_blocks(study: Study, cutoff: str = "") -> list[Block]:
    """Return what is known of a study before any data: shared with its shells."""
    identity, product, disease = study.study, study.product, study.disease
    design = ", ".join(str(part) for part in (identity.design, f"phase {identity.phase}" if identity.phase else None) if part)
    made = ", ".join(
        part
        for part in (
            product.type,
            f"target {product.target}" if product.target else "",
            f"binder {product.binder}" if product.binder else "",
            f"costimulated by {product.costimulation}" if product.costimulation else "",
        )
        if part
    )
    method = " or ".join(name.lower() for name in disease.mrd.methods) or "an assay"
    # residual disease is read of a remission
    read = disease.marrow is not None
    items = [
        ("Study", identity.id),
        ("Registry", identity.registry or "not given"),
        ("Design", design or "not given"),
        ("Sites", identity.sites if identity.sites else "not given"),
        ("Data cutoff", cutoff or (identity.cutoff.isoformat() if identity.cutoff else "not applicable: the source has study days only")),
        ("Product", f"{product.name} ({made})"),
        ("Lymphodepletion", ", ".join(name.lower() for name in product.lymphodepletion) or "not given"),
        ("Disease", disease.name),
        ("Response criteria", criteria_words(study)),
        *([("MRD", f"negative below {disease.mrd.negative_below:g} by {method} whose limit of detection is at most that")] if read else []),
        ("Primary reader", reader_words(study.readers.primary, study.disease.family)),
    ]
    if study.readers.sensitivity:
        items.append(("Shown beside", "; ".join(reader_words(reader, study.disease.family) for reader in study.readers.sensitivity)))
    if study.testing:
        alpha = study.testing.alpha
        order = ", then ".join(study.testing.order) or "not given"
        level = f"{'one' if alpha.sides == 1 else 'two'}-sided alpha {alpha.value:g} ({alpha.source})"
        fails = "an endpoint after one that fails is described, not tested"
        how = fails if study.testing.adjust == "fixed-sequence" else f"p-values adjusted by the method {study.testing.adjust}"
        items.append(("Order of testing", f"{order}; {level}; {how}"))
    items.append(("Day 0", "the date of the first record of the study product; every rule counts days from it"))
    items.append(("Rules", f"version {study.rules} of the rules of response, readers and endpoints"))
    items.append(("Source of these facts", identity.source))
    blocks: list[Block] = [Definition(items)]
    blocks.append(
        Table(
            ("Visit", "Day", "Window (days)"),
            [(visit.name, visit.day, f"{visit.day - visit.minus} to {visit.day + visit.plus}") for visit in disease.visits],
            "Scheduled disease assessments, in days from day 0",
            numeric=(1, 2),
            small=True,
        )
    )
    assumed = study.assumptions()
    if assumed:
        blocks.append(
            Details(
                f"What the study file assumes ({len(assumed)} rules that no published source states)",
                [Table(("Rule", "Its source"), [(where, text) for where, text in assumed], small=True, paired=True)],
            )
        )
    else:
        blocks.append(Text("Every rule of the study file names a source; none is an assumption."))
    if study.unclear:
        blocks.append(
            Details("What is unclear in the source of the study", [Table(("Point",), [(point,) for point in study.unclear], small=True)])
        )
    return blocks
