"""Does every rule of checking fire where it should and stay silent where it should not?

Expected values: each case spoils one thing in the small source of `sdtm_example`, which has no finding; what must follow is that of the
project's design (bad input) and rules (units, cutoff, order, deaths).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.sdtm import CHECK_RULES, READING_RULES, Source, check_sdtm, read_sdtm, require_sdtm
from cartrial.sdtm.checks.imaging.rules import IMAGING_RULES
from cartrial.sdtm.source import FINDINGS_SCHEMA
from cartrial.study import Study
from properties import PROFILE, every
from sdtm_example import STUDY_YAML, Table, read_tables, small_study, small_tables, write_tables

Tables = dict[str, Table]
Spoil = Callable[[Tables], None]


def change(domain: str, row: int, **values: object) -> Spoil:
    """Return a change of one record."""

    def spoil(tables: Tables) -> None:
        tables[domain][row].update(values)

    return spoil


def add(domain: str, **values: object) -> Spoil:
    """Return the addition of a record of subject A."""

    def spoil(tables: Tables) -> None:
        rows = tables.setdefault(domain, [])
        keys = {"STUDYID": "TRIAL", "DOMAIN": domain, "USUBJID": "A", **({} if domain == "DM" else {f"{domain}SEQ": 90 + len(rows)})}
        rows.append({**keys, **values})

    return spoil


def both(*spoils: Spoil) -> Spoil:
    """Return several changes as one."""

    def spoil(tables: Tables) -> None:
        for each in spoils:
            each(tables)

    return spoil


def drop(*domains: str) -> Spoil:
    """Return the removal of domains."""

    def spoil(tables: Tables) -> None:
        for name in domains:
            del tables[name]

    return spoil


def days_only(tables: Tables) -> None:
    """Turn every date into a study day."""
    for name in ("DS", "PR", "CM", "AE", "SS", "FA"):
        tables.pop(name, None)
    for row in tables["DM"]:
        row.update(RFICDTC=None, RFSTDTC=None, BRTHDTC=None, DTHDTC=None, DTHFL=None)
    for name, date, day in (("EX", "EXSTDTC", "EXSTDY"), ("LB", "LBDTC", "LBDY"), ("RS", "RSDTC", "RSDY")):
        for row in tables[name]:
            start = {"2021-12-20": -12, "2021-12-27": -5, "2022-01-01": 0, "2022-01-11": 10, "2022-01-29": 28, "2022-04-01": 90}[
                row.pop(date)
            ]
            row[day] = start


LAB = {"LBSPEC": "BLOOD", "LBDTC": "2022-02-01"}
CALL = {"RSTESTCD": "OVRLRESP", "RSEVAL": "INDEPENDENT ASSESSOR"}


def accept_too(tables: Tables) -> None:
    """A second accepted record on the date of the first."""
    first = tables["RS"][0]
    tables["RS"].append({**first, "RSSEQ": 90, "RSEVALID": "READER 1", "RSACPTFL": "Y"})


def zero_in_days_from_one(tables):
    """Study days alone, the infusion on day 1, and an assessment on day 0, which is none of that calendar."""
    days_only(tables)
    for row in tables["EX"]:
        row["EXSTDY"] += 1
    tables["RS"][0]["RSDY"] = 0


# Rule, what is spoilt, and where the finding must be: file, row (None: of no one record), variable.
FIRES: list[tuple[str, Spoil, tuple[str | None, int | None, str | None]]] = [
    ("subject-duplicate", add("DM", SITEID="01"), ("dm.csv", 4, "USUBJID")),
    ("sequence-duplicate", change("RS", 1, RSSEQ=1), ("rs.csv", 3, "RSSEQ")),
    ("subject-orphan", change("CM", 0, USUBJID="C"), ("cm.csv", 2, "USUBJID")),
    ("subject-orphan", change("CM", 0, STUDYID="OTHER"), ("cm.csv", 2, "USUBJID")),
    ("subject-orphan-other", add("VS", USUBJID="C", VSTESTCD="WEIGHT"), ("vs.csv", 2, "USUBJID")),
    ("record-duplicate", add("PR", PRTRT="LEUKAPHERESIS", PRSTDTC="2021-11-22"), ("pr.csv", 4, None)),
    (
        "study-mismatch",
        lambda tables: [row.update(STUDYID="OTHER") for rows in tables.values() for row in rows] and None,
        ("dm.csv", 2, "STUDYID"),
    ),
    ("study-several", add("DM", STUDYID="OTHER", USUBJID="C", SITEID="01"), ("dm.csv", 4, "STUDYID")),
    ("subject-case", add("DM", USUBJID="a", SITEID="01"), ("dm.csv", 4, "USUBJID")),
    ("subject-alone", add("DM", USUBJID="C", SITEID="01"), ("dm.csv", 4, "USUBJID")),
    ("term-unknown", change("RS", 0, RSSTRESC="GOOD"), ("rs.csv", 2, "RSSTRESC")),
    ("term-unknown", change("RS", 0, RSEVAL="SOMEBODY"), ("rs.csv", 2, "RSEVAL")),
    ("term-unknown", change("RS", 0, RSEVALID="READER X"), ("rs.csv", 2, "RSEVALID")),
    ("term-unknown", change("FA", 0, FASTRESC="PERHAPS"), ("fa.csv", 2, "FASTRESC")),
    ("term-unknown", change("SS", 0, SSSTRESC="WELL"), ("ss.csv", 2, "SSSTRESC")),
    ("term-unknown", change("DM", 0, DTHFL="PERHAPS"), ("dm.csv", 2, "DTHFL")),
    ("term-unknown", change("AE", 0, AETOXGR="6"), ("ae.csv", 2, "AETOXGR")),
    ("term-unknown", change("LB", 1, LBSPEC=None), ("lb.csv", 3, "LBSPEC")),
    ("term-unknown", change("LB", 1, LBSPEC="SKIN"), ("lb.csv", 3, "LBSPEC")),
    ("term-misspelt", change("DS", 4, DSDECOD="DAETH"), ("ds.csv", 6, "DSDECOD")),
    ("term-misspelt", change("PR", 0, PRTRT="LEUKAPHERSIS"), ("pr.csv", 2, "PRTRT")),
    ("term-misspelt", change("CM", 0, CMCAT="SUBSEQUENT ANTICANCER THERAPIES"), ("cm.csv", 2, "CMCAT")),
    ("term-misspelt", change("RS", 0, RSTESTCD="OVRLRSP"), ("rs.csv", 2, "RSTESTCD")),
    ("reader-missing", change("RS", 0, RSEVAL=None), ("rs.csv", 2, "RSEVAL")),
    ("test-missing", change("RS", 0, RSTESTCD=None), ("rs.csv", 2, "RSTESTCD")),
    ("criteria-other", change("RS", 0, RSCAT="RECIST 1.1"), ("rs.csv", 2, "RSCAT")),
    ("accepted-twice", both(change("RS", 0, RSACPTFL="Y"), accept_too), ("rs.csv", 6, "RSACPTFL")),
    ("term-unknown", change("RS", 0, RSACPTFL="PERHAPS"), ("rs.csv", 2, "RSACPTFL")),
    ("result-missing", change("RS", 0, RSSTRESC=None), ("rs.csv", 2, "RSSTRESC")),
    ("result-missing", change("FA", 0, FASTRESC=None), ("fa.csv", 2, "FASTRESC")),
    ("term-doubtful", change("DM", 0, SEX="W"), ("dm.csv", 2, "SEX")),
    ("term-doubtful", change("AE", 0, AEOUT="GOOD"), ("ae.csv", 2, "AEOUT")),
    ("term-doubtful", change("AE", 0, AEREL="zusammenhängend"), ("ae.csv", 2, "AEREL")),
    ("term-unknown", change("AE", 0, AESDTH="ja"), ("ae.csv", 2, "AESDTH")),
    ("term-unread", change("AE", 0, AEOUT="tödlich"), ("ae.csv", 2, "AEOUT")),
    ("term-unread", change("DS", 4, DSDECOD="DEATH DUE TO ADVERSE EVENT"), ("ds.csv", 6, "DSDECOD")),
    ("grade-missing", change("AE", 0, AETOXGR=None), ("ae.csv", 2, "AETOXGR")),
    ("grade-zero", change("AE", 0, AETOXGR="0"), ("ae.csv", 2, "AETOXGR")),
    ("status-mapped", change("RS", 0, RSSTRESC="PR"), ("rs.csv", 2, "RSSTRESC")),
    ("term-other", change("CM", 0, CMCAT="ANTIFUNGAL"), ("cm.csv", 2, "CMCAT")),
    ("term-unread", change("PR", 0, PRTRT="STEM CELL TRANSPLANT", PRSTDTC="2022-03-01"), ("pr.csv", 2, "PRTRT")),
    ("term-unread", add("PR", PRTRT="AUTOLOGOUS STEM CELL TRANSPLANT", PRSTDTC="2022-01-01"), ("pr.csv", 4, "PRTRT")),
    ("term-unread", change("CM", 0, CMCAT="SALVAGE"), ("cm.csv", 2, "CMCAT")),
    ("term-unread", change("CM", 0, CMCAT="Folgetherapie"), ("cm.csv", 2, "CMCAT")),
    ("term-unread", add("PR", PRTRT="异基因造血干细胞移植", PRSTDTC="2022-03-01"), ("pr.csv", 4, "PRTRT")),
    ("product-missing", both(change("EX", 1, EXTRT="OTHER"), change("EX", 2, EXTRT="OTHER")), ("ex.csv", None, "EXTRT")),
    ("product-missing", drop("EX"), (None, None, "EXTRT")),
    ("unit-unknown", change("LB", 2, LBSTRESU="mmol/L"), ("lb.csv", 4, "LBSTRESU")),
    ("unit-unknown", change("LB", 2, LBSTRESU=None), ("lb.csv", 4, "LBSTRESU")),
    ("unit-mixed", add("LB", LBTESTCD="CARTG", LBSTRESN=3, LBSTRESU="copies/cell", **LAB), ("lb.csv", 7, "LBSTRESU")),
    ("value-impossible", change("LB", 1, LBSTRESN=100.5, LBSTRESC=None), ("lb.csv", 3, "LBSTRESN")),
    ("value-impossible", change("LB", 1, LBSTRESN=-1, LBSTRESC=None), ("lb.csv", 3, "LBSTRESN")),
    ("value-impossible", change("LB", 2, LBSTRESN=-0.1, LBSTRESC=None), ("lb.csv", 4, "LBSTRESN")),
    ("value-impossible", change("LB", 4, LBSTRESN=1.5, LBSTRESC=None), ("lb.csv", 6, "LBSTRESN")),
    ("result-unreadable", change("LB", 2, LBSTRESN=None, LBSTRESC="plenty"), ("lb.csv", 4, "LBSTRESC")),
    ("reader-conflict", add("RS", RSSTRESC="NR", RSDTC="2022-01-29", **CALL), ("rs.csv", 6, "RSSTRESC")),
    ("unit-other", add("LB", LBTESTCD="FERRITIN", LBSTRESN=3, LBSTRESU="mol", **LAB), ("lb.csv", 10, "LBSTRESU")),
    ("unit-aplasia", change("LB", 6, LBSTRESU="%"), ("lb.csv", 8, "LBSTRESU")),
    ("value-doubtful", change("LB", 2, LBSTRESN=1800, LBSTRESC=None), ("lb.csv", 4, "LBSTRESN")),
    (
        "blast-scale",
        both(
            change("LB", 0, LBSTRESN=0.6, LBSTRESC=None),
            change("LB", 1, LBSTRESN=0.01, LBSTRESC=None),
            change("LB", 7, LBSTRESN=0.12, LBSTRESC=None),
        ),
        ("lb.csv", 2, "LBSTRESN"),
    ),
    ("measurement-missing", change("LB", 2, LBSTRESN=None, LBSTRESC=None), ("lb.csv", 4, "LBSTRESN")),
    ("value-impossible", change("LB", 1, LBSTRESN=None, LBSTRESC="-1"), ("lb.csv", 3, "LBSTRESN")),
    ("value-impossible", change("LB", 1, LBSTRESN=None, LBSTRESC=">100.5"), ("lb.csv", 3, "LBSTRESN")),
    ("result-unreadable", change("LB", 1, LBSTRESN=None, LBSTRESC="12-15"), ("lb.csv", 3, "LBSTRESC")),
    ("result-unread", change("LB", 5, LBSTRESN=None, LBSTRESC="1,234"), ("lb.csv", 7, "LBSTRESC")),
    ("result-unread", change("LB", 6, LBSTRESN=None, LBSTRESC="see comment"), ("lb.csv", 8, "LBSTRESC")),
    ("result-differs", change("LB", 1, LBSTRESC="<1"), ("lb.csv", 3, "LBSTRESC")),
    ("result-differs", change("LB", 1, LBSTRESC=">2"), ("lb.csv", 3, "LBSTRESC")),
    ("result-differs", change("LB", 1, LBSTRESC="15"), ("lb.csv", 3, "LBSTRESC")),
    ("result-differs", change("LB", 1, LBSTRESC="few"), ("lb.csv", 3, "LBSTRESC")),
    ("result-differs", change("LB", 2, LBSTRESU="/uL", LBSTRESC="18000", LBSTRESN=1800), ("lb.csv", 4, "LBSTRESC")),
    ("result-differs", change("LB", 4, LBSTRESN=1e-3), ("lb.csv", 6, "LBSTRESC")),
    ("result-differs", change("LB", 4, LBSTRESN=0, LBSTRESC="POSITIVE"), ("lb.csv", 6, "LBSTRESC")),
    ("result-ambiguous", change("LB", 4, LBSTRESC=None, LBORRES="ND"), ("lb.csv", 6, "LBORRES")),
    ("limit-undecided", change("LB", 2, LBSTRESN=None, LBSTRESC="<5"), ("lb.csv", 4, "LBSTRESC")),
    ("limit-undecided", change("LB", 3, LBSTRESN=None, LBSTRESC=">50"), ("lb.csv", 5, "LBSTRESC")),
    ("limit-undecided", change("LB", 1, LBSTRESN=None, LBSTRESC="<10"), ("lb.csv", 3, "LBSTRESC")),
    ("limit-undecided", change("LB", 1, LBSTRESN=None, LBSTRESC="<1", LBSPEC="BLOOD"), ("lb.csv", 3, "LBSTRESC")),
    ("record-unread", change("SS", 1, SSTESTCD="VITSTAT"), ("ss.csv", 3, "SSTESTCD")),
    ("lesion-unread", change("FA", 0, FATESTCD="SEV", FASTRESC="Y"), ("fa.csv", 2, "FATESTCD")),
    ("lesion-other", change("FA", 0, FATESTCD="SEV", FASTRESC="MILD"), ("fa.csv", 2, "FATESTCD")),
    ("test-unread", add("LB", LBTESTCD="PLTS", LBSTRESN=3, LBSTRESU="10^9/L", **LAB), ("lb.csv", 10, "LBTESTCD")),
    ("call-unread", change("RS", 0, RSTESTCD="DISRESP"), ("rs.csv", 2, "RSTESTCD")),
    ("event-unread", change("AE", 0, AEDECOD="CRS grade 2"), ("ae.csv", 2, "AEDECOD")),
    ("blast-unread", add("LB", LBTESTCD="BLSTMY", LBSTRESN=3, LBSTRESU="%", **LAB), ("lb.csv", 10, "LBTESTCD")),
    ("blast-unread", add("LB", LBTESTCD="X1", LBTEST="Leukaemic blasts", LBSTRESN=3, LBSTRESU="%", **LAB), ("lb.csv", 10, "LBTESTCD")),
    (
        "blast-twice",
        add("LB", LBTESTCD="BLAST", LBSPEC="BONE MARROW", LBSTRESN=30, LBSTRESU="%", LBDTC="2021-12-20"),
        ("lb.csv", 10, "LBSTRESN"),
    ),
    (
        "count-twice",
        add("LB", LBTESTCD="NEUT", LBSTRESN=3, LBSTRESU="10^9/L", LBSPEC="BLOOD", LBDTC="2022-01-29"),
        ("lb.csv", 10, "LBSTRESN"),
    ),
    ("specimen-other", add("LB", LBTESTCD="NEUT", LBSTRESN=0, LBSTRESU="%", LBSPEC="CSF", LBDTC="2022-01-29"), ("lb.csv", 10, "LBSPEC")),
    ("specimen-other", change("LB", 4, LBSPEC="CSF"), ("lb.csv", 6, "LBSPEC")),
    ("mrd-specimen-missing", change("LB", 4, LBSPEC=None), ("lb.csv", 6, "LBSPEC")),
    ("mrd-method-other", change("LB", 4, LBMETHOD="Colony assay"), ("lb.csv", 6, "LBMETHOD")),
    ("mrd-limit-high", change("LB", 4, LBLOD=1e-3), ("lb.csv", 6, "LBLOD")),
    ("mrd-limit-high", change("LB", 4, LBLOD=None, LBSTRESC="<0.001"), ("lb.csv", 6, "LBLOD")),
    ("mrd-limit-missing", change("LB", 4, LBLOD=None, LBSTRESC="BLQ"), ("lb.csv", 6, "LBLOD")),
    ("mrd-limit-missing", change("LB", 4, LBLOD=None), ("lb.csv", 6, "LBLOD")),
    ("mrd-limit-missing", change("LB", 4, LBLOD=None, LBSTRESN=5e-5, LBSTRESC=None), ("lb.csv", 6, "LBLOD")),
    ("age", change("DM", 0, AGE=250), ("dm.csv", 2, "AGE")),
    ("age", change("DM", 0, AGE=1500, AGEU="MONTHS"), ("dm.csv", 2, "AGE")),
    ("age-unit", change("DM", 0, AGEU="FORTNIGHTS"), ("dm.csv", 2, "AGEU")),
    ("age-doubtful", change("DM", 0, AGE=2), ("dm.csv", 2, "AGEU")),
    ("age-doubtful", change("DM", 0, AGE=26), ("dm.csv", 2, "AGE")),
    ("age-birth", change("DM", 0, BRTHDTC="1990-05-01"), ("dm.csv", 2, "AGE")),
    ("weight-unit", add("VS", VSTESTCD="WEIGHT", VSSTRESN=4, VSSTRESU="stone"), ("vs.csv", 2, "VSSTRESU")),
    ("weight-unread", add("VS", VSTESTCD="WEIGHT", VSORRES="12,5", VSORRESU="kg"), ("vs.csv", 2, "VSORRES")),
    ("weight-unread", add("VS", VSTESTCD="WEIGHT", VSSTRESN=-3, VSSTRESU="kg"), ("vs.csv", 2, "VSSTRESN")),
    ("biopsy-unread", add("MI", MITESTCD="LEUKEMIA", MISPEC="TESTIS", MISTRESC="FIBROSIS"), ("mi.csv", 2, "MISTRESC")),
    ("dose-unit", change("EX", 1, EXDOSE=5, EXDOSU="mg"), ("ex.csv", 3, "EXDOSU")),
    ("treatment-other", change("EX", 0, EXTRT="VINCRISTINE"), ("ex.csv", 2, "EXTRT")),
    ("infusion-undated", change("EX", 1, EXSTDTC=None), ("ex.csv", 3, "EXSTDTC")),
    (
        "death-undated",
        both(change("DM", 1, DTHDTC=None), change("DS", 4, DSSTDTC=None), change("SS", 1, SSDTC=None)),
        ("dm.csv", 3, "DTHDTC"),
    ),
    ("death-before-infusion", both(change("DM", 1, DTHDTC="2021-12-30"), change("DS", 4, DSSTDTC="2021-12-30")), ("ex.csv", 4, "EXSTDTC")),
    ("infusion-partial", change("EX", 1, EXSTDTC="2022-01"), ("ex.csv", 3, "EXSTDTC")),
    ("date-missing", change("CM", 0, CMSTDTC=None), ("cm.csv", 2, "CMSTDTC")),
    ("date-order", change("DS", 1, DSSTDTC="2021-11-01"), ("ds.csv", 3, "DSSTDTC")),
    ("date-order", change("EX", 0, EXSTDTC="2022-01-05"), ("ex.csv", 3, "EXSTDTC")),
    ("after-death", change("RS", 3, RSDTC="2022-05-22"), ("rs.csv", 5, "RSDTC")),
    ("death-disagrees", change("DS", 4, DSSTDTC="2022-05-20"), ("ds.csv", 6, "DSSTDTC")),
    ("death-disagrees", change("SS", 1, SSDTC="2022-05-01"), ("ss.csv", 3, "SSDTC")),
    ("death-flag", change("DM", 1, DTHFL=None), ("dm.csv", 3, "DTHFL")),
    ("death-flag", change("DM", 1, DTHFL=None, DTHDTC=None), ("dm.csv", 3, "DTHFL")),
    ("event-reversed", change("AE", 0, AEENDTC="2022-01-02"), ("ae.csv", 2, "AEENDTC")),
    ("before-birth", change("DM", 0, BRTHDTC="2022-02-01"), ("rs.csv", 2, "RSDTC")),
    ("reference-differs", change("DM", 0, RFSTDTC="2021-12-27"), ("dm.csv", 2, "RFSTDTC")),
    ("days-and-dates", add("RS", RSSTRESC="CR", RSDY=91, **CALL), ("rs.csv", 6, "RSDY")),
    ("date-partial", change("CM", 0, CMSTDTC="2022-04"), ("cm.csv", 2, "CMSTDTC")),
    ("date-partial", change("DM", 1, DTHDTC="2022-05"), ("dm.csv", 3, "DTHDTC")),
    ("after-cutoff", change("SS", 0, SSDTC="2022-09-28"), ("ss.csv", None, "SSDTC")),
    ("days-only", days_only, (None, None, None)),
    ("visit-outside-window", add("RS", RSSTRESC="CR", RSDTC="2022-02-20", **CALL), ("rs.csv", 6, "RSDTC")),
    ("infusion-imputed", change("EX", 1, EXSTDTC="2022-01"), ("ex.csv", 3, "EXSTDTC")),
    ("death-twice", add("DS", USUBJID="B", DSDECOD="DEATH", DSSTDTC="2022-05-27"), ("ds.csv", 7, "DSSTDTC")),
    ("occurrence-invalid", change("CM", 0, CMOCCUR="MAYBE"), ("cm.csv", 2, "CMOCCUR")),
    ("occurrence-invalid", change("CM", 0, CMSTAT="MAYBE"), ("cm.csv", 2, "CMSTAT")),
    ("occurrence-invalid", change("LB", 0, LBSTAT="MAYBE"), ("lb.csv", 2, "LBSTAT")),
    ("occurrence-doubtful", add("MH", MHTERM="ASTHMA", MHOCCUR="MAYBE"), ("mh.csv", 2, "MHOCCUR")),
    ("treatment-missing", change("EX", 0, EXTRT=None), ("ex.csv", 2, "EXTRT")),
    ("term-missing", change("PR", 0, PRTRT=None), ("pr.csv", 2, "PRTRT")),
    ("term-missing", change("FA", 0, FAOBJ=None), ("fa.csv", 2, "FAOBJ")),
    ("occurrence-unknown", change("CM", 0, CMOCCUR="U"), ("cm.csv", 2, "CMOCCUR")),
    ("occurrence-unknown", change("CM", 0, CMPRESP="Y", CMOCCUR=None), ("cm.csv", 2, "CMOCCUR")),
    ("not-happened", change("CM", 0, CMOCCUR="No"), ("cm.csv", 2, "CMOCCUR")),
    ("not-happened", change("CM", 0, CMTRT="None"), ("cm.csv", 2, "CMOCCUR")),
    ("occurrence-unknown", change("CM", 0, CMTRT="N/A"), ("cm.csv", 2, "CMOCCUR")),
    ("date-implausible", change("SS", 0, SSDTC="9999-12-31"), ("ss.csv", 2, "SSDTC")),
    ("date-implausible", change("CM", 0, CMSTDTC="1900-01-01"), ("cm.csv", 2, "CMSTDTC")),
    ("date-implausible", change("RS", 0, RSDTC="0022-01-29"), ("rs.csv", 2, "RSDTC")),
    ("before-consent", change("RS", 1, RSDTC="2021-01-29"), ("rs.csv", 3, "RSDTC")),
    ("visit-before-infusion", change("RS", 0, VISIT="Month 1", RSDTC="2021-12-29"), ("rs.csv", 2, "RSDTC")),
    ("visit-before-infusion", change("LB", 0, VISITDY=28), ("lb.csv", 2, "LBDTC")),
    ("subsequent-before-infusion", change("CM", 0, CMSTDTC="2021-12-31"), ("cm.csv", 2, "CMSTDTC")),
    ("prior-after-infusion", change("CM", 0, CMCAT="PRIOR CHEMOTHERAPY"), ("cm.csv", 2, "CMSTDTC")),
    ("study-day-differs", change("RS", 0, RSDY=28), ("rs.csv", 2, "RSDY")),
    ("study-day-zero", lambda tables: zero_in_days_from_one(tables), ("rs.csv", 2, "RSDY")),
    ("category-missing", change("CM", 0, CMCAT=None), ("cm.csv", 2, "CMCAT")),
    ("date-interval", change("RS", 0, RSDTC="2022-01-29/2022-01-31"), ("rs.csv", 2, "RSDTC")),
    ("care-unread", add("CM", CMTRT="SILTUXIMAB", CMINDC="CRS", CMSTDTC="2022-01-04"), ("cm.csv", 3, "CMTRT")),
    ("care-unread", add("CM", CMTRT="TOCILIZUMB", CMCAT="ANTIFUNGAL", CMSTDTC="2022-01-04"), ("cm.csv", 3, "CMTRT")),
    # the cytokine release of the example is B's
    ("care-without-event", add("CM", CMTRT="TOCILIZUMAB", CMINDC="CRS", CMSTDTC="2022-01-04"), ("cm.csv", 3, "CMTRT")),
    ("care-without-event", add("HO", HOTERM="ICU", HOINDC="ICANS", HOSTDTC="2022-01-04"), ("ho.csv", 2, "HOTERM")),
    ("event-uncoded", change("AE", 0, AEDECOD=None, AETERM="Cytokine release"), ("ae.csv", 2, "AEDECOD")),
    ("cause-unread", add("DD", USUBJID="B", DDTESTCD="DTHCS", DDSTRESC="Sepsis", DDDTC="2022-05-21"), ("dd.csv", 2, "DDTESTCD")),
    ("cause-other", add("DD", USUBJID="B", DDTESTCD="PRCDTH", DDSTRESC="Road accident", DDDTC="2022-05-21"), ("dd.csv", 2, "DDSTRESC")),
    ("stay-other", add("HO", HOTERM="WARD", HOSTDTC="2022-01-04"), ("ho.csv", 2, "HOTERM")),
    ("term-missing", add("HO", HOTERM=None, HOSTDTC="2022-01-04"), ("ho.csv", 2, "HOTERM")),
    ("term-missing", add("DV", DVTERM=None, DVSTDTC="2022-01-04"), ("dv.csv", 2, "DVTERM")),
]

# Rule, and a change right at its edge at which it must be silent.
SILENT: list[tuple[str, Spoil]] = [
    ("sequence-duplicate", change("RS", 2, RSSEQ=1)),
    ("care-unread", add("CM", CMTRT="TOCILIZUMAB", CMINDC="CRS", CMSTDTC="2022-01-04")),
    ("care-unread", add("CM", CMTRT="SARILUMAB", CMCAT="ANTIFUNGAL", CMSTDTC="2022-01-04")),
    ("care-without-event", add("CM", CMTRT="TOCILIZUMAB", CMINDC="CRS prophylaxis", CMSTDTC="2022-01-01")),
    ("care-without-event", add("CM", USUBJID="B", CMTRT="TOCILIZUMAB", CMINDC="CRS", CMSTDTC="2022-01-04")),
    ("event-uncoded", change("AE", 0, AEDECOD=None, AETERM="Headache")),
    ("cause-other", add("DD", USUBJID="B", DDTESTCD="PRCDTH", DDSTRESC="SEPSIS", DDDTC="2022-05-21")),
    ("cause-unread", add("DD", USUBJID="B", DDTESTCD="SECDTH", DDSTRESC="SEPSIS", DDDTC="2022-05-21")),
    ("term-missing", add("DV", DVTERM=None, DVDECOD="VISIT MISSED", DVSTDTC="2022-01-04")),
    ("record-duplicate", add("PR", PRTRT="LEUKAPHERESIS", PRSTDTC="2021-11-23")),
    ("study-mismatch", lambda tables: [row.update(STUDYID="trial") for rows in tables.values() for row in rows] and None),
    ("subject-alone", drop("FA")),
    ("subject-orphan", add("TS", USUBJID=None, TSPARMCD="TITLE")),
    ("term-unknown", change("RS", 0, RSSTRESC="morphologic  CRi")),
    ("term-unknown", change("RS", 0, RSTESTCD="MRDIND", RSSTRESC="SOMETHING")),
    ("term-unknown", change("FA", 0, FAOBJ="ERYTHEMA", FASTRESC="SOMETHING")),
    ("term-unknown", change("LB", 2, LBSPEC=None)),
    ("term-unread", add("PR", PRTRT="CORNEAL TRANSPLANT", PRSTDTC="2022-03-01")),
    ("term-unread", change("AE", 0, AEOUT="RESOLVED")),
    ("term-doubtful", change("AE", 0, AEREL="Unlikely")),
    ("term-misspelt", change("DS", 0, DSDECOD="PHYSICIAN DECISION")),
    ("term-misspelt", add("PR", PRTRT="AUTOLOGOUS STEM CELL TRANSPLANT", PRSTDTC="2021-01-01")),
    ("term-other", change("DS", 0, DSDECOD="PHYSICIAN DECISION")),
    ("grade-zero", change("AE", 0, AETOXGR="1")),
    ("status-mapped", change("RS", 0, RSSTRESC="NR")),
    ("result-missing", change("RS", 0, RSSTRESC=None, RSORRES="CR")),
    ("product-missing", change("EX", 1, EXTRT="product")),
    ("unit-unknown", change("LB", 2, LBSTRESU="x10^3/uL")),
    ("unit-unknown", change("LB", 2, LBSTRESU="mmol/L", LBSTRESN=None, LBSTRESC=None, LBSTAT="NOT DONE")),
    ("unit-mixed", change("LB", 5, LBSTRESU="copies/ng")),
    ("unit-aplasia", change("LB", 6, LBSTRESU="10^6/L")),
    ("value-impossible", change("LB", 1, LBSTRESN=100, LBSTRESC=None)),
    ("value-impossible", change("LB", 1, LBSTRESN=0, LBSTRESC=None)),
    ("value-impossible", change("LB", 4, LBSTRESN=1, LBSTRESC=None)),
    ("result-unreadable", change("LB", 2, LBSTRESN=None, LBSTRESC="< 0.1")),
    ("result-unreadable", change("LB", 1, LBSTRESN=None, LBSTRESC="no spicules", LBREASND="APARTICULATE")),
    ("result-unreadable", change("LB", 2, LBSPEC="CSF", LBSTRESN=None, LBSTRESC="plenty")),
    ("unit-unknown", add("LB", LBTESTCD="NEUT", LBSTRESN=0, LBSTRESU="%", LBSPEC="CSF", LBDTC="2022-01-29")),
    ("unit-unknown", change("LB", 1, LBSPEC="BLOOD", LBSTRESU="10^9/L")),
    ("value-impossible", change("LB", 1, LBSPEC="BLOOD", LBSTRESN=130, LBSTRESC="130", LBSTRESU="10^9/L")),
    ("result-differs", change("LB", 1, LBSTRESC="<5", LBSTRESN=2.5)),
    ("result-differs", change("LB", 1, LBSTRESC="2", LBSTRESN=1.5)),
    ("result-differs", change("LB", 4, LBSTRESC="POSITIVE", LBSTRESN=1e-5)),
    ("limit-undecided", change("LB", 2, LBSTRESN=None, LBSTRESC="<0.1")),
    ("limit-undecided", change("LB", 1, LBSTRESN=None, LBSTRESC="<5")),
    ("limit-undecided", change("LB", 1, LBSTRESN=None, LBSTRESC="POSITIVE", LBSPEC="BLOOD")),
    ("limit-undecided", change("LB", 1, LBSTRESN=None, LBSTRESC="NEGATIVE", LBSPEC="BLOOD")),
    ("blast-twice", add("LB", LBTESTCD="BLAST", LBSPEC="BLOOD", LBSTRESN=30, LBSTRESU="%", LBDTC="2021-12-20")),
    ("mrd-limit-high", change("LB", 4, LBLOD=None, LBSTRESC="<0.0001")),
    ("mrd-limit-high", change("LB", 4, LBLOD=1e-3, LBSTRESN=1e-4, LBSTRESC=None)),
    ("mrd-limit-missing", change("LB", 4, LBLOD=None, LBSTRESC="<0.0001")),
    ("reader-conflict", add("RS", RSSTRESC="CR", RSDTC="2022-01-29", **CALL)),
    ("criteria-other", change("RS", 0, RSCAT="NCCN ALL MRD 2014")),
    ("criteria-other", add("RS", RSTESTCD="TRGRESP", RSCAT="RECIST 1.1", RSSTRESC="PR", RSDTC="2022-01-29")),
    ("reader-missing", add("RS", RSTESTCD="ECOG101", RSCAT="ECOG", RSSTRESC="1", RSDTC="2022-01-29")),
    ("accepted-twice", change("RS", 0, RSACPTFL="Y")),
    ("reader-conflict", add("RS", RSSTRESC="NR", RSDTC="2022-01-29", RSEVALID="READER 1", **CALL)),
    ("value-doubtful", change("LB", 2, LBSTRESN=150, LBSTRESC=None)),
    ("measurement-missing", change("LB", 2, LBSTRESN=None, LBSTRESC=None, LBSTAT="NOT DONE")),
    ("mrd-limit-missing", change("LB", 4, LBLOD=None, LBSTRESN=1e-4, LBSTRESC=None)),
    ("mrd-limit-missing", change("LB", 4, LBLOD=None, LBSTRESC="POSITIVE")),
    ("age", change("DM", 0, AGE=120, AGEU="YEARS")),
    ("death-undated", both(change("DM", 1, DTHDTC=None), change("DS", 4, DSSTDTC=None))),
    ("date-order", change("DS", 1, DSSTDTC="2021-11")),
    ("date-order", change("DS", 1, DSSTDTC="2021-11-17")),
    ("after-death", change("RS", 3, RSDTC="2022-05-21")),
    ("after-death", change("SS", 1, SSDTC="2022-06-30")),
    ("death-disagrees", change("SS", 1, SSDTC="2022-06-30")),
    ("death-disagrees", change("DS", 4, DSSTDTC="2022-05")),
    ("death-before-infusion", both(change("DM", 1, DTHDTC="2022-01-01"), change("DS", 4, DSSTDTC="2022-01-01"))),
    ("event-reversed", change("AE", 0, AEENDTC="2022-01-03")),
    ("event-reversed", change("AE", 0, AEENDTC="2022-01")),
    ("before-birth", change("DM", 0, BRTHDTC="2021")),
    ("reference-differs", change("DM", 0, RFSTDTC="2022-01")),
    ("date-missing", both(change("CM", 0, CMSTDTC=None, CMCAT="ANTIFUNGAL"), change("LB", 6, LBTESTCD="GLUC", LBDTC=None))),
    ("after-cutoff", change("SS", 0, SSDTC="2022-09-27")),
    ("after-cutoff", change("SS", 0, SSDTC="2022-09")),
    ("visit-outside-window", add("RS", RSSTRESC="CR", RSDTC="2022-02-19", **CALL)),
    ("visit-outside-window", add("RS", RSSTRESC="CR", RSDTC="2022-06-30", **CALL)),
    ("infusion-partial", add("EX", EXTRT="PRODUCT", EXSTDTC="2022-03")),
    ("death-twice", add("DS", USUBJID="B", DSDECOD="DEATH", DSSTDTC="2022-05")),
    ("death-disagrees", add("DD", USUBJID="B", DDTESTCD="PRCDTH", DDDTC="2022-06-30")),
    ("after-death", add("DD", USUBJID="B", DDTESTCD="PRCDTH", DDDTC="2022-06-30")),
    ("term-unread", add("PR", PRTRT="AUTOLOGOUS STEM CELL TRANSPLANT", PRSTDTC="2021-01-01")),
    ("term-unread", add("PR", PRTRT="SYNGENEIC BONE MARROW TRANSPLANT", PRSTDTC="2022-03-01", PROCCUR="N")),
    ("term-unread", change("CM", 0, CMCAT="PRIOR ANTICANCER THERAPY", CMSTDTC=None)),
    ("term-misspelt", add("PR", PRTRT="AUTOLOGOUS HEMATOPOIETIC STEM CELL TRANSPLANTATION", PRSTDTC="2021-01-01")),
    ("term-unread", change("CM", 0, CMCAT="LYMPHODEPLETING CHEMOTHERAPY", CMSTDTC="2021-12-27")),
    ("occurrence-unknown", change("AE", 0, AEPRESP="Y", AEOCCUR=None)),
    ("not-happened", change("CM", 0, CMOCCUR="Y", CMDOSE=0.5)),
    ("date-implausible", change("DM", 0, BRTHDTC="1901")),
    ("before-consent", change("RS", 1, RSDTC="2021-11-17")),
    ("before-consent", change("RS", 1, RSDTC="2021-11")),
    ("visit-before-infusion", change("LB", 0, VISIT="Day -12")),
    ("visit-before-infusion", change("LB", 0, VISIT="Lymphodepletion day 3")),
    ("visit-before-infusion", change("RS", 0, VISIT="MONTH_1")),
    ("subsequent-before-infusion", change("CM", 0, CMSTDTC="2022-01-01")),
    ("study-day-differs", change("RS", 0, RSDY=29)),
    ("study-day-differs", change("LB", 0, LBDY=-12)),
]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a source checked by one rule alone, in `make test`; by all of them in `make test-all`."""

    def choose(rule: str) -> None:
        if PROFILE == "quick":
            monkeypatch.setattr("cartrial.sdtm.checks.check.CHECK_RULES", tuple(each for each in CHECK_RULES if each.id == rule))

    return choose


# rules that speak only where the study file says something
STUDY_SAYS = {
    "infusion-imputed": {"partial-day-0": "15th"},
    "weight-unread": {"lymphodepletion": "[FLUDARABINE]\n  dose-range: [{dose: total, low: 1, high: 2}]"},
    "weight-unit": {"lymphodepletion": "[FLUDARABINE]\n  dose-range: [{dose: total, low: 1, high: 2}]"},
    "dose-unit": {"lymphodepletion": "[FLUDARABINE]\n  dose-range: [{dose: total, low: 1, high: 2}]"},
    "age-doubtful": {"rules": "2\neligibility: {age: {from: 1, to: 21}}"},
    "mrd-method-other": {"criteria": "nccn\n  mrd: {methods: [FLOW CYTOMETRY]}"},
}


def findings_of(spoil: Spoil | None, tmp_path, **study: str) -> pl.DataFrame:
    """Return the findings of the small source with something spoilt."""
    tables = small_tables()
    if spoil:
        spoil(tables)
    return check_sdtm(small_study(tmp_path, **study), read_tables(tables, tmp_path))


def test_small_source_has_no_finding(tmp_path):
    assert findings_of(None, tmp_path).rows() == []


@pytest.mark.parametrize(("rule", "spoil", "where"), every(3, FIRES), ids=[f"{rule}-{i}" for i, (rule, _, _) in enumerate(FIRES)])
@pytest.mark.shows("RULE-1.15")
def test_rule_fires(rule, spoil, where, tmp_path, alone):
    alone(rule)
    findings = findings_of(spoil, tmp_path, **STUDY_SAYS.get(rule, {}))
    assert dict(findings.schema) == FINDINGS_SCHEMA
    hits = findings.filter(pl.col("RULE") == rule)
    assert where in [(row["FILE"], row["ROW"], row["VARIABLE"]) for row in hits.rows(named=True)], findings.rows()
    severity = next(each.severity for each in CHECK_RULES if each.id == rule)
    assert set(hits["SEVERITY"]) == {severity}
    assert all(re.fullmatch(r"\S.*\S\.", message) for message in hits["MESSAGE"])


@pytest.mark.parametrize(("rule", "spoil"), every(3, SILENT), ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(SILENT)])
def test_rule_is_silent_at_its_edge(rule, spoil, tmp_path, alone):
    alone(rule)
    findings = findings_of(spoil, tmp_path)
    assert rule not in findings["RULE"].to_list(), findings.rows()


def test_cutoff_missing(tmp_path):
    assert "cutoff-missing" in findings_of(None, tmp_path, cutoff="none")["RULE"].to_list()
    (tmp_path / "days").mkdir()
    assert "cutoff-missing" not in findings_of(days_only, tmp_path / "days", cutoff="none")["RULE"].to_list()


@pytest.mark.shows("RULE-7.17")
def test_rules_unstated(tmp_path):
    """By hand, §9: a study file without `rules` is derived by version 2, and a note says that numbers may differ from version 1."""
    tables = small_tables()
    path = tmp_path / "study.yaml"
    path.write_text(STUDY_YAML.replace("rules: 2\n", ""), encoding="utf-8")
    found = check_sdtm(Study.load(path), read_tables(tables, tmp_path))
    assert found.select("RULE", "SEVERITY").rows() == [("rules-unstated", "note")]
    assert "version 2 is taken, and numbers may differ from those of version 1" in found["MESSAGE"][0]


def test_partial_date_of_a_transfusion(tmp_path):
    """by hand: where the criteria ask for days without a transfusion, one without its day is in no window."""
    tables = small_tables()
    add("PR", PRTRT="PLATELET TRANSFUSION", PRSTDTC="2022-01")(tables)
    source = read_tables(tables, tmp_path)
    asked = small_study(tmp_path, criteria="nccn\n  options: {transfusion-free-days: 7}")
    hits = check_sdtm(asked, source).filter(pl.col("RULE") == "transfusion-partial")
    assert hits.select("FILE", "ROW", "VARIABLE").rows() == [("pr.csv", 4, "PRSTDTC")]
    assert "transfusion-partial" not in check_sdtm(small_study(tmp_path), source)["RULE"].to_list()


def test_every_rule_has_a_case_that_fires():
    fired = {rule for rule, _, _ in FIRES} | {"cutoff-missing", "primary-missing", "rules-unstated", "transfusion-partial"}
    fired |= {rule.id for rule in IMAGING_RULES}  # tests/response/test_imaging.py
    silent = {rule.id for rule in CHECK_RULES} - fired
    assert not silent, f"add to FIRES an input that is spoilt so that the rule speaks: {sorted(silent)}"
    assert not fired - {rule.id for rule in CHECK_RULES}, "FIRES names a rule that is not in CHECK_RULES"
    assert len({rule.id for rule in CHECK_RULES} | {rule for rule, _, _ in READING_RULES}) == len(CHECK_RULES) + len(READING_RULES)


@pytest.mark.parametrize(
    ("rule", "spoil", "where"), every(4, [case for case in FIRES if next(r.severity for r in CHECK_RULES if r.id == case[0]) == "stop"])
)
def test_what_stops_is_refused_in_one_line(rule, spoil, where, tmp_path):
    tables = small_tables()
    spoil(tables)
    source = read_tables(tables, tmp_path)
    with pytest.raises(InputError) as refused:
        require_sdtm(small_study(tmp_path, **STUDY_SAYS.get(rule, {})), source)
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")


def test_what_does_not_stop_is_let_through(tmp_path):
    tables = small_tables()
    change("DM", 0, AGE=250)(tables)
    assert require_sdtm(small_study(tmp_path), read_tables(tables, tmp_path))["RULE"].to_list() == ["age"]


def test_stops_are_counted(tmp_path):
    tables = small_tables()
    both(change("RS", 0, RSSTRESC="GOOD"), change("RS", 1, RSSTRESC="BAD"))(tables)
    with pytest.raises(InputError, match=r"rs.csv, row 2, RSSTRESC: 'GOOD' is no known RSSTRESC; .* There is 1 more"):
        require_sdtm(small_study(tmp_path), read_tables(tables, tmp_path))


def test_findings_made_while_reading_are_kept(tmp_path):
    tables = small_tables()
    both(change("RS", 0, RSSTRESC="PR"), change("AE", 0, AEENDTC="UNKNOWN"))(tables)
    tables["FA"][0].update(FASTRESC="N")
    findings = check_sdtm(small_study(tmp_path), read_tables(tables, tmp_path))
    assert sorted(findings["RULE"]) == ["date-invalid", "status-mapped", "term-mapped"]
    assert findings.filter(pl.col("RULE") == "date-invalid").row(0)[:5] == ("ae.csv", 2, "AE", "B", "AEENDTC")


def test_checking_events_asks_for_no_product(tmp_path):
    tables = small_tables()
    del tables["EX"]
    source = read_tables(tables, tmp_path)
    events = Source(source.domains, source.files, source.findings, "events")
    assert "product-missing" not in check_sdtm(small_study(tmp_path), events)["RULE"].to_list()


def test_header_only_domain_is_a_note(tmp_path):
    folder = write_tables(small_tables(), tmp_path / "data")
    (folder / "cm.csv").write_text("STUDYID,DOMAIN,USUBJID,CMSEQ,CMTRT,CMCAT,CMSTDTC\n")
    assert check_sdtm(small_study(tmp_path), read_sdtm(folder))["RULE"].to_list() == ["domain-empty"]
