"""Which domains and variables may source data have, of which type, and which do the rules need?

Names, labels and classes follow the SDTM Implementation Guide 3.3 (CDISC, 2018); what is kept of it is what the endpoints read.
Any other variable or domain is kept as it is and checked for its keys alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cartrial.sdtm.vocabulary.imaging.variables import IDENTIFIED, MEASURED
from cartrial.sdtm.vocabulary.labels import LABELS, OTHER_DOMAINS

__all__ = ["DOMAINS", "KEYED", "Domain", "Variable", "domain_label", "is_domain_name", "kind_of", "variable_label"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a domain.

    Parameters
    ----------
    name, label : str
        SDTM name and label; at most 8 and 40 characters.
    kind : str
        `text`, `date` (ISO 8601, possibly partial), `number` or `integer`.
    need : str
        `key` (column and value), `must` (the column), `rule` (optional; if it is there the rules read it) or `other`.
    codes : str, optional
        Code list in `cartrial.sdtm.vocabulary.terms`.
    note : str
        How to fill it in, for people.
    """

    name: str
    label: str
    kind: str = "text"
    need: str = "other"
    codes: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain.

    Parameters
    ----------
    name, label : str
        SDTM name and label.
    records : str
        What one record is, for people.
    timing : tuple of str
        The date and the study day a record stands on, of which one column must be there. Empty for DM.
    variables : tuple of Variable
        In the order in which templates and files list them.
    relevant : tuple or None
        Column and code list whose terms mark the records with a standard; None: all records.
    needed : tuple of str
        Of those terms, the ones whose records the rules read; empty: all.
    read_for : str
        How a family of criteria derives a status from it; blank: what it says is asked in every study.
    """

    name: str
    label: str
    records: str
    timing: tuple[str, ...]
    variables: tuple[Variable, ...]
    relevant: tuple[str, str] | None = None
    needed: tuple[str, ...] = ()
    read_for: str = ""

    @property
    def seq(self) -> str | None:
        """The sequence variable, None for DM."""
        return None if self.name == "DM" else f"{self.name}SEQ"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables."""
        return tuple(variable.name for variable in self.variables)

    def variable(self, name: str) -> Variable | None:
        """Return a variable by name, or None."""
        return next((variable for variable in self.variables if variable.name == name), None)


def _keys(domain: str) -> tuple[Variable, ...]:
    first = (
        Variable("STUDYID", "Study Identifier", need="key", note="the study's identifier, the same in every row"),
        Variable("DOMAIN", "Domain Abbreviation", note=f"always {domain}"),
        Variable("USUBJID", "Unique Subject Identifier", need="key", note="one per subject, the same in every file"),
    )
    if domain == "DM":
        return first
    return (*first, Variable(f"{domain}SEQ", "Sequence Number", "integer", "key", note="1, 2, 3 ... within the subject"))


def _days(domain: str, what: str, start: bool) -> tuple[Variable, ...]:
    part = "ST" if start else ""
    return (
        Variable(
            f"{domain}{part}DTC",
            f"{'Start ' if start else ''}Date/Time of {what}",
            "date",
            "rule",
            note="YYYY-MM-DD; YYYY-MM or YYYY when the rest is not known",
        ),
        Variable(
            f"{domain}{part}DY",
            f"{'Start ' if start else ''}Study Day of {what}",
            "number",
            "rule",
            note="only where there are no dates; day 0 is the infusion, or day 1 where EX says 1 (then there is no day 0)",
        ),
    )


DOMAINS: dict[str, Domain] = {
    domain.name: domain
    for domain in (
        Domain(
            "DM",
            "Demographics",
            "one row per subject who gave consent",
            (),
            (
                *_keys("DM"),
                Variable("SITEID", "Study Site Identifier"),
                Variable("AGE", "Age", "number", note="at consent, in years unless AGEU says otherwise"),
                Variable("AGEU", "Age Units", note="YEARS, MONTHS, WEEKS or DAYS"),
                Variable("SEX", "Sex", codes="SEX"),
                Variable("RFICDTC", "Date/Time of Informed Consent", "date", "rule"),
                Variable(
                    "RFSTDTC", "Subject Reference Start Date/Time", "date", note="date of the infusion; compared with EX, never used for it"
                ),
                Variable("DTHDTC", "Date/Time of Death", "date", "rule"),
                Variable("DTHDY", "Study Day of Death", "number", "rule", note="only where there are no dates"),
                Variable("DTHFL", "Subject Death Flag", need="rule", codes="DTHFL", note="Y, or blank"),
                Variable("BRTHDTC", "Date/Time of Birth", "date"),
                Variable("ARMCD", "Planned Arm Code"),
                Variable("COUNTRY", "Country"),
            ),
        ),
        Domain(
            "DS",
            "Disposition",
            "one row per milestone or reason for leaving the study",
            ("DSSTDTC", "DSSTDY"),
            (
                *_keys("DS"),
                Variable("DSTERM", "Reported Term for the Disposition Event"),
                Variable("DSDECOD", "Standardized Disposition Term", need="must", codes="DSDECOD"),
                *_days("DS", "Disposition Event", True),
            ),
        ),
        Domain(
            "PR",
            "Procedures",
            "one row per leukapheresis, conditioning or transplant",
            ("PRSTDTC", "PRSTDY"),
            (*_keys("PR"), Variable("PRTRT", "Reported Name of Procedure", need="must", codes="PRTRT"), *_days("PR", "Procedure", True)),
        ),
        Domain(
            "EX",
            "Exposure",
            "one row per dose of lymphodepletion and per infusion of the product",
            ("EXSTDTC", "EXSTDY"),
            (
                *_keys("EX"),
                Variable("EXTRT", "Name of Treatment", need="must", note="the product as product.exposure in the study file names it"),
                Variable("EXDOSE", "Dose", "number"),
                Variable("EXDOSU", "Dose Units"),
                *_days("EX", "Treatment", True),
            ),
        ),
        Domain(
            "CM",
            "Concomitant Medications",
            "one row per new anticancer therapy, bridging therapy or treatment of a toxicity",
            ("CMSTDTC", "CMSTDY"),
            (
                *_keys("CM"),
                Variable("CMTRT", "Reported Name of Drug, Med, or Therapy", need="must"),
                Variable("CMDECOD", "Standardized Medication Name"),
                Variable(
                    "CMCAT",
                    "Category for Medication",
                    need="rule",
                    codes="CMCAT",
                    note="without it no record is read as a new anticancer therapy",
                ),
                Variable("CMINDC", "Indication", note="CRS or ICANS for their treatment; without it the date tells"),
                *_days("CM", "Medication", True),
            ),
        ),
        Domain(
            "LB",
            "Laboratory Test Results",
            "one row per measurement: blasts, neutrophils, platelets, residual disease, vector copies, CAR cells, B cells, cytokines",
            ("LBDTC", "LBDY"),
            (
                *_keys("LB"),
                Variable("LBTESTCD", "Lab Test or Examination Short Name", need="must", codes="LBTESTCD"),
                Variable("LBSPEC", "Specimen Type", need="rule", codes="LBSPEC"),
                Variable("LBMETHOD", "Method of Test or Examination"),
                Variable("LBORRES", "Result or Finding in Original Units"),
                Variable("LBORRESU", "Original Units"),
                Variable(
                    "LBSTRESC",
                    "Character Result/Finding in Std Format",
                    need="rule",
                    codes="LBSTRESC",
                    note="the number as text, <limit, NEGATIVE or POSITIVE",
                ),
                Variable("LBSTRESN", "Numeric Result/Finding in Standard Units", "number", "rule", note="blank when below the limit"),
                Variable("LBSTRESU", "Standard Units", need="rule", note="see the units below"),
                Variable("LBLLOQ", "Lower Limit of Quantitation", "number", "rule", note="in the unit of LBSTRESU"),
                Variable("LBLOD", "Limit of Detection", "number", "rule", note="in the unit of LBSTRESU; needed for residual disease"),
                Variable("LBSTAT", "Completion Status", need="rule", codes="STAT", note="NOT DONE, or blank"),
                Variable(
                    "LBREASND",
                    "Reason Test Not Done",
                    need="rule",
                    codes="LBREASND",
                    note="HEMODILUTE, ACELLULAR or INADEQUATE for a marrow that cannot be read",
                ),
                *_days("LB", "Specimen Collection", False),
            ),
            ("LBTESTCD", "LBTESTCD"),
            ("BLAST", "NEUT", "PLAT", "MRD", "CARTG", "CARTC", "BCELL"),
        ),
        Domain(
            "RS",
            "Disease Response and Clin Classification",
            "one row per call of a reader at an assessment",
            ("RSDTC", "RSDY"),
            (
                *_keys("RS"),
                Variable("RSCAT", "Category for Assessment"),
                Variable("RSTESTCD", "Assessment Short Name", need="must", codes="RSTESTCD"),
                Variable("RSMETHOD", "Method of Test or Examination", note="of lymphoma: PET-CT or CT"),
                Variable("RSORRES", "Result or Finding in Original Units", note="as collected"),
                Variable("RSSTRESC", "Character Result/Finding in Std Format", need="must", codes="RSSTRESC"),
                Variable("RSEVAL", "Evaluator", need="must", codes="RSEVAL"),
                Variable(
                    "RSEVALID",
                    "Evaluator Identifier",
                    need="rule",
                    codes="RSEVALID",
                    note="blank for the investigator and for the committee's call",
                ),
                Variable("RSACPTFL", "Accepted Record Flag", codes="RSACPTFL", note="Y: the committee's call; of this subject no other is"),
                *_days("RS", "Assessment", False),
            ),
            ("RSTESTCD", "RSTESTCD"),
        ),
        Domain(
            "FA",
            "Findings About Events or Interventions",
            "one row per assessment of extramedullary disease",
            ("FADTC", "FADY"),
            (
                *_keys("FA"),
                Variable("FATESTCD", "Findings About Test Short Name", need="must", codes="FATESTCD", note="OCCUR; of lymphoma the uptake"),
                Variable("FAOBJ", "Object of the Observation", need="must", codes="FAOBJ"),
                Variable("FAORRES", "Result or Finding in Original Units"),
                Variable("FASTRESC", "Character Result/Finding in Std Format", need="must", codes="FASTRESC"),
                Variable("FASTAT", "Completion Status", codes="STAT"),
                *_days("FA", "Collection", False),
            ),
            ("FAOBJ", "FAOBJ"),
        ),
        Domain(
            *("TU", "Tumor/Lesion Identification", "one row per lesion of lymphoma, and reader", ()),
            (*_keys("TU"), *(Variable(*row) for row in IDENTIFIED)),
            read_for="lesions",
        ),
        Domain(
            *("TR", "Tumor/Lesion Results", "one row per length or state of a lesion at a scan, and reader", ("TRDTC", "TRDY")),
            (*_keys("TR"), *(Variable(*row) for row in MEASURED), *_days("TR", "Tumor/Lesion Measurement", False)),
            read_for="lesions",
        ),
        Domain(
            "AE",
            "Adverse Events",
            "one row per adverse event and grade",
            ("AESTDTC", "AESTDY"),
            (
                *_keys("AE"),
                Variable("AETERM", "Reported Term for the Adverse Event"),
                Variable("AEDECOD", "Dictionary-Derived Term", need="must", note="MedDRA preferred term, in English"),
                Variable("AEBODSYS", "Body System or Organ Class"),
                Variable("AETOXGR", "Standard Toxicity Grade", need="rule", codes="AETOXGR", note="1 to 5; ASTCT for CRS and ICANS"),
                *_days("AE", "Adverse Event", True),
                Variable("AEENDTC", "End Date/Time of Adverse Event", "date"),
                Variable("AEENDY", "Study Day of End of Adverse Event", "number"),
                Variable("AESER", "Serious Event", codes="NY"),
                Variable("AEREL", "Causality"),
                Variable("AEOUT", "Outcome of Adverse Event", codes="AEOUT"),
                Variable("AESDTH", "Results in Death", codes="NY", note="Y: AEENDTC is the date of the death"),
            ),
        ),
        Domain(
            "DD",
            "Death Details",
            "one row per detail of a death",
            ("DDDTC", "DDDY"),
            (
                *_keys("DD"),
                Variable("DDTESTCD", "Death Detail Assessment Short Name", note="PRCDTH: the primary cause"),
                Variable("DDORRES", "Result or Finding in Original Units"),
                Variable("DDSTRESC", "Character Result/Finding in Std Format"),
                Variable("DDDTC", "Date/Time of Collection", "date", "rule", note="the latest day on which the subject can have died"),
                Variable("DDDY", "Study Day of Collection", "number", "rule", note="only where there are no dates"),
            ),
        ),
        Domain(
            *("HO", "Healthcare Encounters", "one row per stay in intensive care", ("HOSTDTC", "HOSTDY")),
            (
                *_keys("HO"),
                Variable("HOTERM", "Reported Term for Healthcare Encounter", note="INTENSIVE CARE"),
                Variable("HODECOD", "Dictionary-Derived Term"),
                *_days("HO", "Encounter", True),
                Variable("HOENDTC", "End Date/Time of Healthcare Encounter", "date"),
                Variable("HOENDY", "Study Day of End of Encounter", "number"),
            ),
        ),
        Domain(
            *("DV", "Protocol Deviations", "one row per deviation from the protocol", ("DVSTDTC", "DVSTDY")),
            (
                *_keys("DV"),
                Variable("DVTERM", "Protocol Deviation Term"),
                Variable("DVDECOD", "Protocol Deviation Coded Term"),
                Variable("DVCAT", "Category for Protocol Deviation", note="IMPORTANT or MINOR, or as the study calls them"),
                *_days("DV", "Deviation", True),
            ),
        ),
        Domain(
            "SS",
            "Subject Status",
            "one row per contact at which the subject was known alive or dead",
            ("SSDTC", "SSDY"),
            (
                *_keys("SS"),
                Variable("SSTESTCD", "Status Short Name", need="must", codes="SSTESTCD"),
                Variable("SSSTRESC", "Character Result/Finding in Std Format", need="must", codes="SSSTRESC"),
                *_days("SS", "Assessment", False),
            ),
            ("SSTESTCD", "SSTESTCD"),
        ),
    )
}
"""The domains with their variables."""

# Domains without subjects: trial design and relations.
UNKEYED = frozenset({"TA", "TD", "TE", "TI", "TM", "TS", "TV", "OI", "RELREC", "RELSPEC", "RELSUB", "DI"})

KEYED = ("STUDYID", "USUBJID")

_NUMBER = re.compile(r"^(AGE|VISITNUM|VISITDY|[A-Z]{2}(STRESN|LLOQ|LOD|DOSE|DY|STDY|ENDY|TPTNUM))$")
_INTEGER = re.compile(r"^[A-Z]{2}SEQ$")
_DATE = re.compile(r"^(RF[A-Z]*DTC|DTHDTC|BRTHDTC|[A-Z]{2}(ST|EN)?DTC)$")
_NAME = re.compile(r"^([A-Z]{2}|SUPP[A-Z0-9]{2,4}|RELREC|RELSPEC|RELSUB|AD[A-Z0-9]{1,6})$")


def is_domain_name(name: str) -> bool:
    """Say whether a name can be that of a domain (two letters, SUPPxx, RELxxx or an ADaM data set)."""
    return bool(_NAME.match(name))


def kind_of(domain: str, name: str) -> str:
    """Return the kind of a variable: from the schema, else from its SDTM suffix; ADaM variables and all others are text."""
    known = DOMAINS.get(domain)
    variable = known.variable(name) if known else None
    if variable:
        return variable.kind
    if domain.startswith(("AD", "SUPP", "REL")):
        return "text"
    if _INTEGER.match(name):
        return "integer"
    if _NUMBER.match(name):
        return "number"
    return "date" if _DATE.match(name) else "text"


def domain_label(domain: str) -> str:
    """Return the label of a domain, its name where none is known."""
    return DOMAINS[domain].label if domain in DOMAINS else OTHER_DOMAINS.get(domain, domain)


def variable_label(domain: str, name: str) -> str:
    """Return the label of a variable, its name where none is known."""
    known = DOMAINS.get(domain)
    variable = known.variable(name) if known else None
    return variable.label if variable else LABELS.get(name, name)
