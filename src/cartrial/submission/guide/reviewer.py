"""What must a reviewer of the analysis data know? The Analysis Data Reviewer's Guide, in the sections of PHUSE's template.

All follows from the study file, the shaped sets, the findings of `check` and those of `conform`; what nobody stated is said to be so.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cartrial.submission.adam import shape_adam
from cartrial.submission.files.data import adam_folder, data_notes
from cartrial.submission.guide.blocks import Block, Document, Heading, Table, Text, docx_bytes, pdf_bytes
from cartrial.submission.guide.words import assumed, estimands, protocol_number, sets_of, stated, statistics, variants_of, visits_of

if TYPE_CHECKING:
    from cartrial.submission.adam import Shaped
    from cartrial.submission.job import Job

__all__ = ["guide_document", "write_guide"]

# what a set is made of besides the tabulations that its variables name: domains, of those that were read, and what else
_MADE_OF = {
    "ADRS": (("RS", "LB", "FA", "TU", "TR"), "by the criteria of the study; ADSL"),
    "ADTTE": (("AE", "CM", "DD", "DM", "DS", "EX", "PR", "SS"), "and the assessments of ADRS; ADSL"),
    "ADPP": ((), "ADPC; ADSL"),
    "ADSL": (("AE", "CM", "DD", "DM", "DS", "EX", "PR", "SS"), "and those of the characteristics before lymphodepletion; ADRS"),
}
_ACRONYMS = (
    ("ADaM", "Analysis Data Model"),
    ("ADRG", "Analysis Data Reviewer's Guide"),
    ("BDS", "Basic Data Structure"),
    ("IRC", "Independent review committee"),
    ("INV", "Investigator"),
    ("OCCDS", "Occurrence Data Structure"),
    ("SDTM", "Study Data Tabulation Model"),
)


def write_guide(job: Job, out: Path, conformance: pl.DataFrame | None) -> list[Path]:
    """Write ``adrg.docx`` and ``adrg.pdf`` beside the analysis data; equal input gives equal bytes.

    Parameters
    ----------
    job : Job
    out : Path
        The folder of the whole export.
    conformance : polars.DataFrame or None
        Findings of `check_adam`; None where the export holds no analysis data.

    Raises
    ------
    InputError
        If python-docx or typst is not installed.
    """
    folder = out / adam_folder(job) / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    document = guide_document(job, conformance)
    paths = [folder / "adrg.docx", folder / "adrg.pdf"]
    for path, content in zip(paths, (docx_bytes(document), pdf_bytes(document)), strict=True):
        path.write_bytes(content)
    return paths


def guide_document(job: Job, conformance: pl.DataFrame | None) -> Document:
    """Return the guide of an export."""
    study, sets = job.study, shape_adam(job)
    blocks = [*_introduction(job), *_protocol(job), *_considerations(job, sets), *_processing(job, sets)]
    blocks += [*_described(job, sets), *_conformance(job, conformance), *_programs(job)]
    under = f"{study.study.title}. Protocol {protocol_number(study)}. {_whose(job)}"
    running = f"{study.study.id}: Analysis Data Reviewer's Guide"
    return Document("Analysis Data Reviewer's Guide", under, running, tuple(blocks), job.made)


def _whose(job: Job) -> str:
    words = {"real": "Data of patients.", "example": "Invented data: no patients.", "virtual": "Simulated patients: no patients."}
    return words[job.adam.provenance]


def _introduction(job: Job) -> list[Block]:
    filed = job.study.submission
    standards, words = filed.standards, filed.dictionaries
    rows = (
        ("SDTM", f"SDTMIG {standards.sdtmig}"),
        ("ADaM", f"ADaMIG {standards.adamig}; OCCDS {standards.occds}"),
        ("Controlled terminology", f"ADaM {standards.terminology_adam}; SDTM {standards.terminology_sdtm}"),
        ("Data definitions", "Define-XML 2.1 with Analysis Results Metadata 1.0"),
        ("Medical events dictionary", f"MedDRA {words.meddra}" if words.meddra else stated(None)),
        ("Medications dictionary", f"WHODrug {words.whodrug}" if words.whodrug else stated(None)),
        ("Toxicity criteria", f"CTCAE {words.ctcae}" if words.ctcae else stated(None)),
        ("Response criteria", job.study.disease.criteria.name),
    )
    purpose = "This document says of the analysis data what define.xml does not. It is made from the study file and the data of the export."
    return [
        Heading(1, "1 Introduction"),
        Heading(2, "1.1 Purpose"),
        Text(purpose),
        Heading(2, "1.2 Acronyms"),
        Table(("Acronym", "Translation"), _ACRONYMS, (1, 3)),
        Heading(2, "1.3 Study Data Standards and Dictionary Inventory"),
        Table(("Standard or dictionary", "Versions used"), rows, (1, 2)),
    ]


def _protocol(job: Job) -> list[Block]:
    study = job.study
    own, filed = study.study, study.submission
    dated = filed.protocol_date.isoformat() if filed.protocol_date else None
    rows = (
        ("Protocol number", protocol_number(study)),
        ("Protocol title", own.title),
        ("Protocol version", stated(filed.protocol_version)),
        ("Protocol date", stated(dated)),
        ("Sponsor", stated(filed.sponsor)),
        ("Data cutoff", stated(own.cutoff and own.cutoff.isoformat())),
        ("Hash of the study file", study.hash),
    )
    design = (
        f"{stated(own.design).rstrip('.')}. Product: {study.product.name} ({study.product.type}). Day 0 is the date of its first infusion."
    )
    return [
        Heading(1, "2 Protocol Description"),
        Heading(2, "2.1 Protocol Number and Title"),
        Table(("What", "As stated"), rows, (1, 3)),
        Heading(2, "2.2 Protocol Design"),
        Text(design),
        Heading(2, "2.3 Endpoints and Estimands"),
        *estimands(study, study.endpoints, 3, "2.3"),
        Heading(2, "2.4 Sensitivity Analyses"),
        *variants_of(study, study.endpoints),
        Heading(2, "2.5 Statistics"),
        *statistics(study),
        Heading(2, "2.6 Assumptions of the Study File"),
        assumed(study),
    ]


def _considerations(job: Job, sets: dict[str, Shaped]) -> list[Block]:
    core = [v.name for v in sets["ADSL"].dataset.variables if all(v.name in one.frame.columns for one in sets.values())]
    treatment = [v.name for v in sets["ADSL"].dataset.variables if v.name.startswith("TRT")]
    parameters = (
        "One PARAMCD a variant: the main analysis has the endpoint's id, a variant four letters of it, V and three digits of a hash of "
        "its words. ENDPTID and VARIANT say which it is; the code list of PARAMCD in define.xml has the words."
    )
    partial = (
        "A missing day is the 15th, a missing month 1 July, never before the last date known alive; new therapy and transplant "
        "take the earliest possible day. Imputed dates have their flag (--DTF). "
        "Relative days have no day 0; CARDAY counts from the infusion, day 0."
    )
    waiting = "Not yet assessable: AVAL is missing, AVALC is NYA, and the subject is left out of N. RULE has the sentence of each value."
    return [
        Heading(1, "3 Analysis Considerations Related to Multiple Analysis Datasets"),
        Heading(2, "3.1 Comparison of SDTM and ADaM Content"),
        Text(_sources(job)),
        Heading(2, "3.2 Core Variables"),
        Text(f"In every set: {', '.join(core)}."),
        Heading(2, "3.3 Treatment Variables"),
        Text(f"One product, one period: {', '.join(treatment)}; TRTP and TRTA in the other sets."),
        Heading(2, "3.4 Subject Issues that Require Special Analysis Rules"),
        sets_of(job.study),
        Text(parameters),
        Heading(2, "3.5 Use of Visit Windowing, Unscheduled Visits, and Record Selection"),
        visits_of(job.study),
        Text("Each assessment counts on its own date; a window at a visit takes the usable one nearest to its day, the later on a tie."),
        Heading(2, "3.6 Imputation/Derivation Methods"),
        Text(partial),
        Text(waiting),
    ]


def _sources(job: Job) -> str:
    read = ", ".join(sorted(job.source.domains))
    copies = "Variables of SDTM in analysis data are copies; what the rules made of them stands beside them."
    return f"The sets are made of these domains: {read}. {copies}"


def _processing(job: Job, sets: dict[str, Shaped]) -> list[Block]:
    rows = []
    for name, shaped in sets.items():
        named = {v.predecessor.partition(".")[0] for v in shaped.dataset.variables if v.predecessor} - {name}
        domains, more = _MADE_OF.get(name, (tuple(sorted(named)), ""))
        read = ", ".join(domain for domain in domains if domain.startswith("AD") or domain in job.source.domains)
        rows.append((name, " ".join(part for part in (read, more) if part)))
    return [
        Heading(1, "4 Analysis Data Creation and Processing Issues"),
        Heading(2, "4.1 Source Data Used for Analysis Dataset Creation"),
        Text(f"{len(job.source.domains)} domains as they were read; define.xml names the predecessor of each copied variable."),
        Heading(2, "4.2 Split Datasets"),
        Text("No set is split."),
        Heading(2, "4.3 Data Dependencies"),
        Table(("Set", "Made of"), tuple(rows), (1, 4)),
        Heading(2, "4.4 Intermediate Datasets"),
        Text("No intermediate set is submitted; none is needed to recompute a figure."),
    ]


def _described(job: Job, sets: dict[str, Shaped]) -> list[Block]:
    rows = tuple(
        (name, one.dataset.label, one.dataset.group.capitalize(), ", ".join(one.dataset.keys), str(one.frame.height))
        for name, one in sets.items()
    )
    found: list[Block] = [
        Heading(1, "5 Analysis Dataset Descriptions"),
        Heading(2, "5.1 Overview"),
        Text(f"Encoding of the transport files: {job.written}. Text lengths are those of the longest value in the whole study."),
        Table(("Set", "Label", "Class", "Keys", "Records"), rows, (1, 2.4, 2, 3, 0.8)),
        Heading(2, "5.2 Analysis Datasets"),
    ]
    said = data_notes(job)
    unknown, left = said["said_unknown"], said["left_out"]
    for place, (name, one) in enumerate(sets.items(), 1):
        found.append(Heading(3, f"5.2.{place} {name}: {one.dataset.label}"))
        words = f"{one.dataset.structure}."
        if name in left:  # type: ignore[operator]
            words += f" Left out, since no record has a value: {', '.join(left[name])}."  # type: ignore[index]
        mine = [entry for entry in unknown if entry.startswith(f"{name}.")]  # type: ignore[attr-defined]
        words += f" UNKNOWN throughout, since the source has none: {', '.join(mine)}." if mine else ""
        found.append(Text(words))
    return found


def _conformance(job: Job, conformance: pl.DataFrame | None) -> list[Block]:
    inputs = (
        "Analysis data: cartrial's own rules after ADaMIG, OCCDS and CDISC's list of checks (`cartrial conform`); CDISC CORE has no rule "
        "for ADaM. define.xml against the data by the same command. No vendor's validator was run."
    )
    found: list[Block] = [Heading(1, "6 Data Conformance Summary"), Heading(2, "6.1 Conformance Inputs"), Text(inputs)]
    found.append(Heading(2, "6.2 Issues Summary"))
    if conformance is None:
        found.append(Text("The analysis data were not written in this export, and so not checked."))
    elif conformance.is_empty():
        found.append(Text("No finding."))
    else:
        rows = tuple(
            (row["RULE"], row["SEVERITY"], f"{row['DOMAIN'] or ''} {row['VARIABLE'] or ''}", row["MESSAGE"])
            for row in conformance.to_dicts()
        )
        found.append(Table(("Rule", "Severity", "Where", "What"), rows, (1.4, 1, 1.4, 4)))
    found += [Heading(2, "6.3 Findings on the Source Data"), _findings(job.findings)]
    return found


def _findings(findings: pl.DataFrame) -> Block:
    if findings.is_empty():
        return Text("No finding on the source data.")
    counted = findings.group_by("RULE", "SEVERITY").agg(pl.len().alias("N"), pl.col("MESSAGE").first()).sort("SEVERITY", "RULE")
    rows = tuple((rule, severity, str(n), message) for rule, severity, n, message in counted.iter_rows())
    return Table(("Rule", "Severity", "Findings", "The first"), rows, (1.4, 0.8, 0.8, 4))


def _programs(job: Job) -> list[Block]:
    place = f"{adam_folder(job).as_posix()}/programs/recompute.r"
    how = (
        f"{place} reads the transport files alone (R with foreign and survival; cmprsk for Gray's test) and computes the figures anew. "
        "`Rscript recompute.r` in its folder compares them with exchange/ard.csv, where that is there, to 1e-9, says how many were "
        "compared and what it leaves out, and ends with status 1 where one differs. No result stands in the program."
    )
    made = (
        f"The sets, this guide and the results were made by cartrial {metadata.version('cartrial')}, rules version {job.study.rules}; "
        "export.json has the SHA-256 of each file and the versions of the libraries."
    )
    shown = (
        f"There are {len(job.shown)} numbered displays. Tables and figures are made of the rows of exchange/ard.csv, listings of records; "
        "define.xml says which display shows which analysis of an endpoint."
        if job.shown
        else "Tables and figures are made of the rows of exchange/ard.csv, listings of records."
    )
    return [
        Heading(1, "7 Submission of Programs"),
        Heading(2, "7.1 How to Recompute the Figures"),
        Text(how),
        Heading(2, "7.2 How the Data Were Made"),
        Text(made),
        Heading(2, "7.3 Analysis Outputs"),
        Text(shown),
    ]
