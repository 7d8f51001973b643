"""Which empty files does a new study start from? A table a domain, one for events only, and a page that explains each column."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cartrial.sdtm.vocabulary.schema import DOMAINS, Domain, Variable
from cartrial.sdtm.vocabulary.terms import CODE_LISTS
from cartrial.sdtm.vocabulary.units import STRICT_TESTS, UNITS

__all__ = ["EVENT_COLUMNS", "write_templates"]

# Columns of the table for events only: name, what it holds, and the rule of the mapping that reads it.
EVENT_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("subject", "identifier of the subject", ""),
    ("site", "study site", "domain: DM, into: SITEID"),
    ("age", "years at consent", "domain: DM, into: AGE, type: number"),
    ("sex", "M or F", "domain: DM, into: SEX"),
    ("consent_date", "date of informed consent", "domain: DM, into: RFICDTC, type: date"),
    ("enrolment_date", "date of enrolment", "domain: DS, into: DSSTDTC, type: date, set: {DSDECOD: ENROLLED}"),
    ("leukapheresis_date", "date of leukapheresis", "domain: PR, into: PRSTDTC, type: date, set: {PRTRT: LEUKAPHERESIS}"),
    (
        "product_failure_date",
        "date on which the product was given up",
        "domain: DS, into: DSSTDTC, type: date, set: {DSDECOD: PRODUCT FAILURE}",
    ),
    ("infusion_date", "date of the first infusion: day 0", "domain: EX, into: EXSTDTC, type: date, set: {EXTRT: <product>}"),
    ("reader", "who assessed response and relapse: INVESTIGATOR (also where it is blank) or INDEPENDENT ASSESSOR (the committee)", ""),
    (
        "first_response",
        "CR or CRi: the first remission, where it is not the best response",
        "domain: RS, test: OVRLRESP, date: first_response_date, <reader>",
    ),
    ("first_response_date", "its sample date", ""),
    ("best_response", "CR, CRi, NR, PD or NE", "domain: RS, test: OVRLRESP, date: response_date, <reader>"),
    ("response_date", "sample date of the best response", ""),
    (
        "mrd",
        "NEGATIVE or POSITIVE, at the best response",
        "domain: LB, test: MRD, type: text, specimen: BONE MARROW, date: response_date, <limit>",
    ),
    (
        "mrd_limit",
        "limit of detection of the MRD assay, as a fraction (0.0001) or in per cent (0.01%). Without it a negative result is not evaluable",
        "",
    ),
    (
        "relapse_date",
        "date of relapse, to the day: a month alone leaves DOR, RFS and EFS without a value",
        "domain: RS, type: text, test: OVRLRESP, <reader RELAPSE>",
    ),
    (
        "last_assessment_date",
        "of a responder without relapse: date of the last assessment, free of relapse. DOR, RFS and EFS need it of every such responder",
        "domain: RS, type: text, test: RLPSFREE, <reader Y>",
    ),
    (
        "transplant_date",
        "date of an allogeneic transplant after the infusion",
        "domain: PR, into: PRSTDTC, type: date, set: {PRTRT: ALLOGENEIC STEM CELL TRANSPLANT}",
    ),
    (
        "new_therapy_date",
        "date of a new anticancer therapy",
        "domain: CM, into: CMSTDTC, type: date, set: {CMTRT: NOT SPECIFIED, CMCAT: SUBSEQUENT ANTICANCER THERAPY}",
    ),
    ("death_date", "date of death", "domain: DM, into: DTHDTC, type: date, set: {DTHFL: Y}"),
    (
        "last_contact_date",
        "last date on which the subject was known alive",
        "domain: SS, type: text, test: SURVSTAT, set: {SSSTRESC: ALIVE}",
    ),
    (
        "crs_grade",
        "highest grade of cytokine release syndrome, 0 to 5 (ASTCT); 0: none, blank: not known",
        "domain: AE, into: AETOXGR, <grades>, date: crs_date",
    ),
    ("crs_date", "its onset", ""),
    (
        "icans_grade",
        "highest grade of neurotoxicity, 0 to 5 (ASTCT); 0: none, blank: not known",
        "domain: AE, into: AETOXGR, <grades>, date: icans_date",
    ),
    ("icans_date", "its onset", ""),
)
GRADES = 'only: ["1", "2", "3", "4", "5"], set: {AEDECOD: %s}'
READER = "also: {RSEVAL: {column: reader}}, set: {RSEVAL: INVESTIGATOR%s}"
LIMIT = "also: {LBLOD: {column: mrd_limit, type: number}}"
GRADED = {"crs_grade": "CYTOKINE RELEASE SYNDROME", "icans_grade": "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME"}


def write_templates(folder: str | Path, *, study_id: str = "STUDY", product: str = "PRODUCT", derive: str = "") -> tuple[Path, ...]:
    """Write empty tables for a new study and the page that explains them.

    Parameters
    ----------
    folder : path
        Where to; made if it is not there. `records/` gets one CSV a domain, `events/` one CSV with a row per subject and the mapping that
        reads it. A file that is there is left alone.
    study_id, product : str
        The study's identifier, and the product as the study file names it in product.exposure; they stand in the mapping.
    derive : str
        How the study's family of criteria derives a status from measurements; `lesions`: tables of lesions too.

    Returns
    -------
    tuple of pathlib.Path
        The files that were written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.sdtm import write_templates
    >>> with TemporaryDirectory() as folder:
    ...     written = write_templates(folder, study_id="MY-01", product="CNCT19")
    ...     sorted({path.relative_to(folder).parts[0] for path in written})
    ['README.md', 'events', 'records']
    """
    folder = Path(folder)
    domains = {name: domain for name, domain in DOMAINS.items() if domain.read_for in ("", derive)}
    texts = {Path("records") / f"{name.lower()}.csv": ",".join(domain.names) + "\n" for name, domain in domains.items()}
    texts[Path("events") / "events.csv"] = ",".join(name for name, _, _ in EVENT_COLUMNS) + "\n"
    texts[Path("events") / "mapping.yaml"] = _mapping(study_id, product)
    texts[Path("README.md")] = _page(domains.values())
    written = []
    for name, text in texts.items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    return tuple(written)


def _mapping(study_id: str, product: str) -> str:
    rules = []
    for name, _, rule in EVENT_COLUMNS:
        if rule:
            own_date = name.endswith("_date") and "domain: DM" not in rule
            text = rule.replace("<product>", json.dumps(product)).replace("<grades>", GRADES % GRADED.get(name, ""))
            text = text.replace("<reader>", READER % "").replace("<reader RELAPSE>", READER % ", RSSTRESC: RELAPSE")
            text = text.replace("<reader Y>", READER % ', RSSTRESC: "Y"').replace("<limit>", LIMIT)
            rules.append(f"  - {{id: {name.replace('_', ' ')}, column: {name}, {text}{f', date: {name}' if own_date else ''}}}")
    head = [
        "# How events.csv becomes source data. A column that you do not have may be deleted in both files.",
        "schema: 1",
        f"study-id: {json.dumps(study_id)}",
        "level: events",
        "source: the study's own list of events",
        "table: {file: events.csv, header: 1}",
        "subject: subject",
        "rules:",
    ]
    return "\n".join([*head, *rules]) + "\n"


def _page(domains: Iterable[Domain]) -> str:
    parts = [
        "# Data of the study",
        "",
        "There are two ways to bring the data. Fill in one of them and delete the other folder.",
        "",
        "- `records/`: one table a domain, one row a record. Every endpoint can be derived from it.",
        "- `events/`: one table with a row per subject. What visits and counts decide cannot be derived from it, and the report says so:",
        "  a rate at a visit (month 3) is not derived from best responses, and DOR, RFS and EFS only where every responder without an",
        "  event has a `last_assessment_date`. The study file may say `events: {relapse-free-until: last-contact}` instead, an assumption.",
        "  `mapping.yaml` beside it says what each column means.",
        "",
        "Save tables as CSV in UTF-8, with commas between columns and a point as decimal sign.",
        "Leave a cell blank where a value is missing: a blank grade is not known, and no grade of 0.",
        "Write dates as YYYY-MM-DD; where the day or the month is not known, write YYYY-MM or YYYY.",
        "A table that you do not need may stay empty or be deleted; DM and EX are needed.",
        "",
        "Columns marked * must be there. Other variables of SDTM may be added; they are kept.",
        "",
    ]
    for domain in domains:
        parts += _domain_part(domain)
    parts += ["## Units of LB", "", "| LBTESTCD | standard unit | also read and converted |", "|---|---|---|"]
    parts += [_unit_row(test) for test in UNITS]
    parts += ["", f"A result of {', '.join(STRICT_TESTS)} in any other unit is an error, since it decides a response.", ""]
    parts += ["## events/events.csv", "", "| column | what it holds |", "|---|---|"]
    parts += [f"| {name} | {what} |" for name, what, _ in EVENT_COLUMNS]
    return "\n".join(parts) + "\n"


def _domain_part(domain: Domain) -> list[str]:
    head = [f"## {domain.name.lower()}.csv: {domain.label}", "", f"{domain.records[0].upper()}{domain.records[1:]}.", ""]
    rows = [_variable_row(variable) for variable in domain.variables]
    return [*head, "| column | what it is | how to fill it in |", "|---|---|---|", *rows, ""]


def _variable_row(variable: Variable) -> str:
    how = [variable.note] if variable.note else []
    if variable.codes:
        listed = CODE_LISTS[variable.codes]
        how.append(f"{'one of' if listed.closed else 'known'}: {', '.join(listed.terms)}")
    star = "*" if variable.need in ("key", "must") else ""
    return f"| {variable.name}{star} | {variable.label} | {'; '.join(how)} |"


def _unit_row(test: str) -> str:
    units = UNITS[test]
    others = [word for word in units.factors if word != units.standard.lower()]
    return f"| {test} | {units.standard} | {', '.join(others)} |"
