"""The reviewer's guide and the protocol document: what the study file says stands in them, what it does not is said to be so.

Origin: `by hand` (the sections of PHUSE's template and of ICH M11, words of the study file) and `independent` (DOCX is read by python-docx,
PDF by pdfminer).
"""

from __future__ import annotations

import io
from dataclasses import replace

import docx
import polars as pl
import pytest
from pdfminer.high_level import extract_text

from cartrial.sdtm.source import FINDINGS_SCHEMA
from cartrial.study import Study
from cartrial.study.submission import Dictionaries, Submission
from cartrial.study.submission.model import Standards
from cartrial.submission import Job
from cartrial.submission.adam import shape_adam
from cartrial.submission.guide.blocks import NOT_STATED, Document, Heading, Table, docx_bytes, pdf_bytes
from cartrial.submission.guide.protocol import protocol_document
from cartrial.submission.guide.reviewer import guide_document

NONE = pl.DataFrame(schema=FINDINGS_SCHEMA)
CHAPTERS = [
    "1 Introduction",
    "2 Protocol Description",
    "3 Analysis Considerations Related to Multiple Analysis Datasets",
    "4 Analysis Data Creation and Processing Issues",
    "5 Analysis Dataset Descriptions",
    "6 Data Conformance Summary",
    "7 Submission of Programs",
]


def headings(document: Document, level: int) -> list[str]:
    return [block.words for block in document.blocks if isinstance(block, Heading) and block.level == level]


def cells(document: Document) -> dict[str, str]:
    """The first two cells of the rows of all tables."""
    return {row[0]: row[1] for block in document.blocks if isinstance(block, Table) for row in block.rows}


@pytest.fixture(scope="module")
def filed(job: Job) -> Job:
    said = Submission(protocol="CT-101", dictionaries=Dictionaries(meddra="26.1"))
    return replace(job, study=job.study.model_copy(update={"submission": said}))


def test_the_guide_has_its_sections_and_says_what_is_not_stated(filed: Job) -> None:
    document = guide_document(filed, NONE)
    assert headings(document, 1) == CHAPTERS
    said = cells(document)
    assert (said["Protocol number"], said["Medical events dictionary"]) == ("CT-101", "MedDRA 26.1")
    assert said["Medications dictionary"] == said["Sponsor"] == NOT_STATED
    sets = shape_adam(filed)
    assert [words.split()[1].rstrip(":") for words in headings(document, 3) if words.startswith("5.2.")] == list(sets)
    records = {
        row[0]: row[4]
        for block in document.blocks
        if isinstance(block, Table) and block.head[0] == "Set"
        for row in block.rows
        if len(row) == 5
    }
    assert records == {name: str(shaped.frame.height) for name, shaped in sets.items()}
    told = " ".join(block.words for block in document.blocks if hasattr(block, "words"))
    assert "ADSL.RACE" in told and "Invented data: no patients." in document.under and "recompute.r" in told


@pytest.mark.slow
@pytest.mark.shows(
    "STUDY-submission.dictionaries.meddra",
    "STUDY-submission.dictionaries.ctcae",
    "STUDY-submission.dictionaries.whodrug",
    "STUDY-submission.standards",
    "STUDY-submission.standards.adamig",
    "STUDY-submission.standards.occds",
    "STUDY-submission.standards.sdtmig",
    "STUDY-submission.standards.terminology-adam",
    "STUDY-submission.standards.terminology-sdtm",
)
def test_versions_are_those_of_the_study_file(job: Job) -> None:
    """By hand: other versions than those that stand where the file says none."""
    said = Submission(
        dictionaries=Dictionaries(meddra="9.1", ctcae="9.2", whodrug="9.3"),
        standards=Standards.model_validate(
            {"adamig": "8.1", "occds": "8.2", "sdtmig": "8.3", "terminology-adam": "2019-01-04", "terminology-sdtm": "2019-01-05"}
        ),
    )
    told = cells(guide_document(replace(job, study=job.study.model_copy(update={"submission": said})), NONE))
    assert told["SDTM"] == "SDTMIG 8.3" and told["ADaM"] == "ADaMIG 8.1; OCCDS 8.2"
    assert told["Controlled terminology"] == "ADaM 2019-01-04; SDTM 2019-01-05"
    words = ("Medical events dictionary", "Medications dictionary", "Toxicity criteria")
    assert [told[word] for word in words] == ["MedDRA 9.1", "WHODrug 9.3", "CTCAE 9.2"]


def test_it_names_no_domain_that_was_not_read(filed: Job) -> None:
    """By hand: the worked subjects have no DD, TU and TR; milestones of ADSL are of DS, EX and PR."""
    document = guide_document(filed, NONE)
    table = next(block for block in document.blocks if isinstance(block, Table) and block.head == ("Set", "Made of"))
    made = dict(table.rows)
    assert made["ADTTE"] == "AE, CM, DM, DS, EX, PR, SS and the assessments of ADRS; ADSL"
    assert made["ADRS"] == "RS, LB, FA by the criteria of the study; ADSL" and made["ADPP"] == "ADPC; ADSL"
    assert {"DS", "EX", "PR"} <= set(made["ADSL"].replace(",", "").split()) and "DD" not in made["ADSL"]


def test_findings_of_conformance_stand_in_it(filed: Job) -> None:
    row = {
        "FILE": "adsl.xpt",
        "DOMAIN": "ADSL",
        "VARIABLE": "RACE",
        "RULE": "adam-label",
        "SEVERITY": "warning",
        "MESSAGE": "It has no label.",
    }
    document = guide_document(filed, pl.DataFrame([row], schema=FINDINGS_SCHEMA))
    assert ("adam-label", "warning", "ADSL RACE", "It has no label.") in [
        line for block in document.blocks if isinstance(block, Table) for line in block.rows
    ]
    for conformance, words in ((NONE, "No finding."), (None, "The analysis data were not written in this export, and so not checked.")):
        assert words in [getattr(block, "words", "") for block in guide_document(filed, conformance).blocks]


@pytest.mark.slow
@pytest.mark.shows("FMT-docx")
def test_both_forms_hold_it_and_have_equal_bytes(filed: Job) -> None:
    document = guide_document(filed, NONE)
    word, paper = docx_bytes(document), pdf_bytes(document)
    assert (word, paper) == (docx_bytes(document), pdf_bytes(document))
    read = docx.Document(io.BytesIO(word))
    assert [p.text for p in read.paragraphs if p.style.name == "Heading 1"] == CHAPTERS
    shown = [tuple(cell.text for cell in row.cells) for table in read.tables for row in table.rows]
    wanted = [row for block in document.blocks if isinstance(block, Table) for row in (block.head, *block.rows)]
    assert shown == wanted
    text = "".join(extract_text(io.BytesIO(paper)).split())
    for words in [*headings(document, 1), *headings(document, 2), "CT-101"]:
        assert "".join(words.split()) in text, words


def test_the_protocol_names_what_the_study_file_lacks() -> None:
    """ICH M11 has 14 sections; the study file states estimands and sets, and neither risks nor insurance."""
    study = Study.load("inaticel")
    document = protocol_document(study, study.study.cutoff)  # type: ignore[arg-type]
    assert [words.split()[0] for words in headings(document, 1)] == [str(number) for number in range(1, 15)]
    words = [block.words if hasattr(block, "words") else "" for block in document.blocks]
    for number, known in (("2.2 ", False), ("10.2 ", True), ("3.1 ", True), ("11.5 ", False), ("10.9 ", True)):
        at = next(i for i, one in enumerate(words) if one.startswith(number) and isinstance(document.blocks[i], Heading))
        assert (words[at + 1] == NOT_STATED) != known, number
    open_ = next(one for one in words if "Not stated in it" in one)
    assert "2.2 Assessment of Risks and Benefits" in open_ and "10.2 Analysis Sets" not in open_
    primary = [row[1] for block in document.blocks if isinstance(block, Table) for row in block.rows if row[0] == "Population"]
    assert primary[0] == "all infused subjects" and len(primary) == len(study.endpoints)
    assert docx_bytes(document) == docx_bytes(document)
