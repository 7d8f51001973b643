"""Which empty files does a new study start from? A table a domain, one for events only, and a page that explains each column."""

from __future__ import annotations

from pathlib import Path

from cartrial.sdtm.schema import DOMAINS, Domain, Variable
from cartrial.sdtm.terms import CODE_LISTS
from cartrial.sdtm.units import STRICT_TESTS, UNITS

__all__ = ["EVENT_COLUMNS", "write_templates"]

# Columns of the table for events only: name, what it holds.
EVENT_COLUMNS: tuple[tuple[str, str], ...] = (
    ("subject", "identifier of the subject"),
    ("site", "study site"),
    ("age", "years at consent"),
    ("sex", "M or F"),
    ("consent_date", "date of informed consent"),
    ("enrolment_date", "date of enrolment"),
    ("leukapheresis_date", "date of leukapheresis"),
    ("product_failure_date", "date on which the product was given up"),
    ("infusion_date", "date of the first infusion: day 0"),
    ("best_response", "CR, CRi, NR, PD or NE"),
    ("response_date", "sample date of the first CR or CRi"),
    ("mrd", "NEGATIVE or POSITIVE, at the response"),
    ("relapse_date", "date of relapse"),
    ("transplant_date", "date of an allogeneic transplant after the infusion"),
    ("new_therapy_date", "date of a new anticancer therapy"),
    ("death_date", "date of death"),
    ("last_contact_date", "last date on which the subject was known alive"),
    ("crs_grade", "highest grade of cytokine release syndrome, 0 to 5 (ASTCT)"),
    ("icans_grade", "highest grade of neurotoxicity, 0 to 5 (ASTCT)"),
)


def write_templates(folder: str | Path) -> tuple[Path, ...]:
    """Write empty tables for a new study and the page that explains them.

    Parameters
    ----------
    folder : path
        Where to; made if it is not there. `records/` gets one CSV a domain, `events/` one CSV with a row per subject. A file that is
        there is left alone.

    Returns
    -------
    tuple of pathlib.Path
        The files that were written.
    """
    folder = Path(folder)
    texts = {Path("records") / f"{name.lower()}.csv": ",".join(domain.names) + "\n" for name, domain in DOMAINS.items()}
    texts[Path("events") / "events.csv"] = ",".join(name for name, _ in EVENT_COLUMNS) + "\n"
    texts[Path("README.md")] = _page()
    written = []
    for name, text in texts.items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    return tuple(written)


def _page() -> str:
    parts = [
        "# Data of the study",
        "",
        "There are two ways to bring the data. Fill in one of them and delete the other folder.",
        "",
        "- `records/`: one table a domain, one row a record. Every endpoint can be derived from it.",
        "- `events/`: one table with a row per subject. What visits and counts decide cannot be derived from it, and the report says so.",
        "",
        "Save tables as CSV in UTF-8, with commas between columns and a point as decimal sign.",
        "Leave a cell blank where a value is missing.",
        "Write dates as YYYY-MM-DD; where the day or the month is not known, write YYYY-MM or YYYY.",
        "A table that you do not need may stay empty or be deleted; DM and EX are needed.",
        "",
        "Columns marked * must be there. Other variables of SDTM may be added; they are kept.",
        "",
    ]
    for domain in DOMAINS.values():
        parts += _domain_part(domain)
    parts += ["## Units of LB", "", "| LBTESTCD | standard unit | also read and converted |", "|---|---|---|"]
    parts += [_unit_row(test) for test in UNITS]
    parts += ["", f"A result of {', '.join(STRICT_TESTS)} in any other unit is an error, since it decides a response.", ""]
    parts += ["## events/events.csv", "", "| column | what it holds |", "|---|---|"]
    parts += [f"| {name} | {what} |" for name, what in EVENT_COLUMNS]
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
