"""What did not happen is no event, exposure, procedure or therapy (rules 9, A6), and what came before the study is read.

Expected values: by hand from the rules, before the code was changed; the paragraph stands beside each.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import polars as pl
import pytest

from cartrial import InputError, Study, derive
from cartrial.sdtm import check_sdtm, read_sdtm
from cartrial.sdtm.records import derive_records
from cartrial.sdtm.vocabulary.occurrence import happened
from cases.case import case_path, checked, derived, value
from properties import every

COUNTS = (("BLAST", "BONE MARROW", 1, "%"), ("BLAST", "BLOOD", 0, "%"), ("NEUT", "BLOOD", 2, "10^9/L"), ("PLAT", "BLOOD", 150, "10^9/L"))
STUDY = "inaticel-pivotal"


def with_files(tmp_path: Path, case: str, **files: str) -> Path:
    """Return a copy of the folder of an input with some files in place of its own."""
    folder = Path(shutil.copytree(case_path(f"data/{case}"), tmp_path / "data"))
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def of(folder: Path, endpoint: str) -> dict[str, object]:
    """Return the value of S1 for an endpoint of the inaticel study."""
    return value(derive(Study.load("inaticel"), read_sdtm(folder)), endpoint)


@pytest.mark.shows("RULE-5.8")
def test_therapy_asked_for_and_denied():
    """A6: responder; EFS censored at the last usable assessment, day 180: 181 days."""
    adam = derived("data/cmoccur-n").adam
    assert value(adam, "ORR3")["AVALC"] == "Y"
    assert value(adam, "EFS")["AVAL"] == 181
    assert value(adam, "EFS")["CNSDTDSC"] is not None


@pytest.mark.shows("RULE-5.8")
def test_planned_dose_is_no_infusion():
    """A6: day 0 is the day of the dose that was given."""
    adam = derived("data/exoccur-n").adam
    assert str(adam.adsl["TRTSDT"][0]) == "2022-01-01"
    row = value(adam, "ORR3")
    assert (row["AVALC"], row["CARDAY"]) == ("Y", 90)
    assert value(adam, "EFS")["AVAL"] == 91


CM = "STUDYID,USUBJID,CMSEQ,CMTRT,CMCAT,CMSTDTC,{extra}\n" + STUDY + ",S1,1,DRUG,SUBSEQUENT ANTICANCER THERAPY,2022-03-02,{value}\n"
THERAPY = [
    *(("CMOCCUR", word, False) for word in ("N", "No", "n", "false", "0", "NO")),
    *(("CMOCCUR", word, True) for word in ("Y", "yes", "1", "TRUE")),
    ("CMOCCUR", "U", False),
    ("CMSTAT", "NOT DONE", False),
    ("CMSTAT", "not_done", False),
    ("CMSTAT", "not performed", False),
    ("CMSTAT", "未做", False),
    ("CMSTAT", "Completed", True),
    ("CMMOOD", "SCHEDULED", False),
    ("CMMOOD", "Planned", False),
    ("CMMOOD", "geplant", False),
    ("CMMOOD", "Performed", True),
    ("CMDOSE", "0", False),
    ("CMDOSE", "0.0", False),
    ("CMDOSE", "0.5", True),
    ("CMDOSTXT", "0 mg", False),
    ("CMDOSE", '"0,0"', False),
    ("CMDOSTOT", "0", False),
    ("CMDOSTXT", '"0,0"', False),
    ("CMDOSTXT", "0mg", False),
    ("CMDOSTXT", "None", False),
    ("CMDOSTXT", "not given", False),
    ("CMDOSTXT", '"0,5 mg"', True),
    ("CMDOSTXT", "0.5-1", True),
    ("CMDOSTXT", "0 - 1 mg", True),
    ("CMPRESP", "Y", True),  # no CMOCCUR in the table: the record is the answer
]


@pytest.mark.parametrize(("name", "word", "counts"), every(3, THERAPY))
@pytest.mark.shows("RULE-5.8")
def test_new_therapy_by_its_answer(tmp_path, name, word, counts):
    """A6. A new therapy on day 60 is an event of EFS, 61 days; without it EFS is censored at day 180, 181 days."""
    folder = with_files(tmp_path, "cmoccur-n", cm=CM.format(extra=name, value=word))
    assert of(folder, "EFS")["AVAL"] == (61 if counts else 181)


CALLED = [
    *((word, False) for word in ("NONE", "Keine", "No subsequent therapy", "keine weitere Therapie", "N/A", "-", "无", "Not given")),
    *((word, True) for word in ("NOT SPECIFIED", "UNKNOWN", "NOVANTRONE", "Non-myeloablative chemotherapy")),
]


@pytest.mark.parametrize(("name", "counts"), CALLED)
def test_a_therapy_called_none_is_none(name, counts):
    """A6: what was not given is no therapy, however that is said; one of which only the name is not known is one."""
    frame = pl.DataFrame({"CMTRT": [name]})
    assert frame.select(happened(frame, "CM")).item() is counts


def test_an_adverse_event_called_none_is_none():
    """A6, and so of the other domains; what is coded rules over what was collected."""
    for domain, part in (("AE", "DECOD"), ("AE", "TERM"), ("PR", "TRT"), ("MH", "TERM"), ("EX", "TRT")):
        frame = pl.DataFrame({f"{domain}{part}": ["None", "FEVER"]})
        assert frame.select(happened(frame, domain)).to_series().to_list() == [False, True], domain
    coded = pl.DataFrame({"AETERM": ["none"], "AEDECOD": ["PYREXIA"]})
    assert coded.select(happened(coded, "AE")).item()


def test_asked_and_unanswered_is_not_known(tmp_path):
    """A6: asked (CMPRESP) and not answered is no event, and a finding says so."""
    folder = with_files(tmp_path, "cmoccur-n", cm=CM.format(extra="CMPRESP,CMOCCUR", value="Y,"))
    assert of(folder, "EFS")["AVAL"] == 181
    code, text = checked(str(folder))
    assert code == 0 and "occurrence-unknown" in text


PR = f"STUDYID,USUBJID,PRSEQ,PRTRT,PRSTDTC,PROCCUR\n{STUDY},S1,1,ALLO-HSCT,2022-03-02,%s\n"


@pytest.mark.parametrize(("word", "answer"), [("N", "Y"), ("Y", "N")])
@pytest.mark.shows("RULE-5.8")
def test_transplant_by_its_answer(tmp_path, word, answer):
    """A6; 5: a transplant before the assessment of month 3 makes a non-responder (composite)."""
    folder = with_files(tmp_path, "cmoccur-n", pr=PR % word)
    (folder / "cm.csv").unlink()
    assert of(folder, "ORR3")["AVALC"] == answer


AE = "STUDYID,USUBJID,AESEQ,AEDECOD,AETOXGR,AESTDTC,AEENDTC,AEOUT,AEPRESP,AEOCCUR\n"
AE += f"{STUDY},S1,1,SEPSIS,5,2022-03-01,2022-03-04,FATAL,Y,%s\n"


@pytest.mark.parametrize(("word", "days", "events"), [("N", 261, 0), ("Y", 63, 1), ("", 63, 1)])
@pytest.mark.shows("RULE-5.8")
def test_adverse_event_by_its_answer(tmp_path, word, days, events):
    """A6: AEOCCUR N is no adverse event, and no death. AE holds what occurred: AEPRESP alone asks nothing.

    OS: death on 2022-03-04, day 62: 63 days; else alive on 2022-09-18, day 260: 261 days.
    """
    folder = with_files(tmp_path, "cmoccur-n", ae=AE % word)
    adam = derive(Study.load("inaticel"), read_sdtm(folder))
    assert (value(adam, "OS")["AVAL"], adam.adae.height) == (days, events)


RS = "STUDYID,USUBJID,RSSEQ,RSTESTCD,RSSTRESC,RSEVAL,RSDTC,RSSTAT\n"


@pytest.mark.shows("RULE-5.8", "RULE-6.7")
def test_assessment_not_done_is_no_proof_of_life(tmp_path):
    """A6: a status that was not done is no contact. OS is censored at day 28: 29 days."""
    calls = ("1,OVRLRESP,CR,INDEPENDENT ASSESSOR,2022-01-29,", "2,OVRLRESP,,INDEPENDENT ASSESSOR,2022-04-01,NOT DONE")
    alive = "STUDYID,USUBJID,SSSEQ,SSTESTCD,SSSTRESC,SSDTC,SSSTAT\n"
    alive += f"{STUDY},S1,1,SURVSTAT,ALIVE,2022-01-20,\n{STUDY},S1,2,SURVSTAT,ALIVE,2022-06-01,NOT DONE\n"
    folder = with_files(tmp_path, "cmoccur-n", rs=RS + "".join(f"{STUDY},S1,{call}\n" for call in calls), ss=alive)
    assert of(folder, "OS")["AVAL"] == 29


@pytest.mark.shows("STUDY-product.exposure")
def test_all_planned_is_no_product(tmp_path):
    """A6: a product of which every record is a dose of 0 was not given."""
    ex = f"STUDYID,USUBJID,EXSEQ,EXTRT,EXDOSE,EXSTDTC\n{STUDY},S1,1,CNCT19,0,2022-01-01\n"
    code, text = checked(str(with_files(tmp_path, "cmoccur-n", ex=ex)))
    assert code == 1 and "product-missing" in text


@pytest.mark.slow
def test_baseline_sees_what_was_denied(tmp_path):
    """A5, A6: "no" of what was asked, in any spelling; not known where it was not done."""
    from cartrial.study import Characteristic

    item = Characteristic.model_validate({"id": "PRIORTX", "label": "Prior", "from": {"domain": "PR", "term": "ALLO-HSCT"}})
    study = Study.load("inaticel").model_copy(update={"baseline": (item,)})
    for word, said in (("No", "N"), ("0", "N"), ("Y", "Y"), ("U", None)):
        text = f"STUDYID,USUBJID,PRSEQ,PRTRT,PRSTDTC,PROCCUR\n{STUDY},S1,1,ALLO-HSCT,2021-03-02,{word}\n"
        folder = with_files(tmp_path / word, "exoccur-n", pr=text)
        assert derive(study, read_sdtm(folder)).adsl["PRIORTX"].to_list() == [said]


@pytest.mark.slow
def test_medications_without_category_are_read():
    """Issue 9, kind 12: CMCAT is permissible. No record is then a new therapy, and a note says so."""
    adam = derived("data/cm-no-cmcat").adam
    assert (value(adam, "ORR3")["AVALC"], value(adam, "EFS")["AVAL"]) == ("Y", 181)
    code, text = checked("data/cm-no-cmcat")
    assert code == 0 and "no such record is read as a new anticancer therapy" in text


@pytest.mark.slow
@pytest.mark.parametrize("category", ["PRIOR ANTICANCER THERAPY", "PRIOR CHEMOTHERAPY", "LYMPHODEPLETING CHEMOTHERAPY", "PREVIOUS THERAPY"])
def test_prior_therapies_are_read(tmp_path, category):
    """Issue 9, kind 12: what came before day 0 is no event."""
    text = f"STUDYID,USUBJID,CMSEQ,CMTRT,CMCAT,CMSTDTC\n{STUDY},S1,1,VINCRISTINE,{category},2021-06-15\n"
    folder = with_files(tmp_path, "prior-therapy", cm=text)
    assert checked(str(folder))[0] == 0
    assert of(folder, "ORR3")["AVALC"] == "Y"


TRANSPLANTS = ("AUTOLOGOUS STEM CELL TRANSPLANT", "STEM CELL TRANSPLANT", "ALLO-HSCT", "HAPLOIDENTICAL SCT")


@pytest.mark.parametrize(("name", "date"), every(3, itertools.product(TRANSPLANTS, ("2020-03-02", "2020"))))
def test_transplants_before_day_0_are_read(tmp_path, name, date):
    """Issue 9, kind 12."""
    text = f"STUDYID,USUBJID,PRSEQ,PRTRT,PRSTDTC\n{STUDY},S1,1,{name},{date}\n"
    folder = with_files(tmp_path, "prior-therapy", pr=text)
    assert checked(str(folder))[0] == 0
    assert of(folder, "ORR3")["AVALC"] == "Y"


def test_transplant_of_unknown_kind_after_day_0_stops(tmp_path):
    """A word that reads like a transplant and that no rule reads would change an endpoint in silence."""
    text = f"STUDYID,USUBJID,PRSEQ,PRTRT,PRSTDTC\n{STUDY},S1,1,STEM CELL TRANSPLANT,2022-03-02\n"
    code, said = checked(str(with_files(tmp_path, "prior-therapy", pr=text)))
    assert code == 1 and "term-unread" in said


def test_words_that_are_no_answer_stop(tmp_path):
    """A6: an answer that is neither yes nor no is refused, not guessed."""
    folder = with_files(tmp_path, "cmoccur-n", cm=CM.format(extra="CMOCCUR", value="perhaps"))
    code, text = checked(str(folder))
    assert code == 1 and "occurrence-invalid" in text and "'perhaps'" in text


@pytest.mark.parametrize(
    ("name", "word"),
    [("CMSTAT", "perhaps"), ("CMSTAT", "Y"), ("CMMOOD", "sometimes"), ("PRSTAT", "1"), ("EXMOOD", "x"), ("LBSTAT", "Y"), ("SSSTAT", "eh")],
)
def test_words_of_status_and_mood_that_are_in_no_list_stop(tmp_path, name, word):
    """A6: a word that is neither is named and stops; it is neither read as done nor as not done."""
    domain = name[:2]
    rows = {
        "CM": "CMTRT,CMCAT,CMSTDTC|DRUG,SUBSEQUENT ANTICANCER THERAPY,2022-03-02",
        "PR": "PRTRT,PRSTDTC|ALLO-HSCT,2022-03-02",
        "EX": "EXTRT,EXSTDTC|CNCT19,2022-01-01",
        "LB": "LBTESTCD,LBSPEC,LBSTRESN,LBSTRESU,LBDTC|BLAST,BONE MARROW,60,%,2021-12-20",
        "SS": "SSTESTCD,SSSTRESC,SSDTC|SURVSTAT,ALIVE,2022-09-18",
    }
    head, row = rows[domain].split("|")
    text = f"STUDYID,USUBJID,{domain}SEQ,{head},{name}\n{STUDY},S1,1,{row},{word}\n"
    source = read_sdtm(with_files(tmp_path, "cmoccur-n", **{domain.lower(): text}))
    found = check_sdtm(Study.load("inaticel"), source).filter(RULE="occurrence-invalid")
    assert found["MESSAGE"].str.starts_with(f"{name} is '{word}' (1 record)").to_list() == [True]


LB = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSPEC,LBSTRESN,LBSTRESU,LBDTC,LBSTAT\n"


def test_a_test_that_was_done_is_a_result(tmp_path):
    """A6: --STAT NOT DONE alone is not done; a word for done is done, a word for neither is no result either."""
    words = {"": True, "DONE": True, "completed": True, "Performed": True, "NOT DONE": False, "not performed": False, "Y": False}
    rows = [f"{STUDY},S1,{i},BLAST,BONE MARROW,{i},%,2022-01-29,{word}\n" for i, word in enumerate(words)]
    source = read_sdtm(with_files(tmp_path, "cmoccur-n", lb=LB + "".join(rows)))
    labs = derive_records(Study.load("inaticel"), source).labs.sort("SEQ")
    assert labs["DONE"].to_list() == labs["TAKEN"].to_list() == list(words.values())


def test_a_word_of_a_test_that_no_rule_reads_does_not_stop(tmp_path):
    """Issue 9, kind 12: what decides nothing is named and read on."""
    row = f"{STUDY},S1,1,SODIUM,BLOOD,140,mmol/L,2022-01-29,pending\n"
    found = check_sdtm(Study.load("inaticel"), read_sdtm(with_files(tmp_path, "cmoccur-n", lb=LB + row)))
    assert found.filter(RULE="occurrence-doubtful").select("SEVERITY", "VARIABLE").rows() == [("warning", "LBSTAT")]
    assert "stop" not in found["SEVERITY"].to_list()


def test_asked_for_without_a_column_of_answers_is_named(tmp_path):
    """A6: without CMOCCUR the record is the answer; that it may be the question alone is a warning at the head of the page."""
    folder = with_files(tmp_path, "cmoccur-n", cm=CM.format(extra="CMPRESP", value="Y"))
    notices = [note for note in derive(Study.load("inaticel"), read_sdtm(folder)).notices if note.rule == "occurrence-assumed"]
    assert [(note.severity, note.domain, "EFS" in note.endpoints) for note in notices] == [("warning", "CM", True)]
    assert notices[0].message.startswith("1 record was asked for (CMPRESP is Y) and CM has no CMOCCUR")


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (("",), "PR has no PRTRT, so no record can be told to be a transplant"),
        (("LEUKAPHERESIS", ""), "PRTRT of 1 record of PR after the infusion is blank, so it may be a transplant"),
        (("", "LEUKAPHERESIS"), None),  # blank before the infusion
    ],
)
def test_a_procedure_that_does_not_say_what_it_is_is_named(tmp_path, terms, said):
    """A3: a blank term is told apart from no transplant, beside each endpoint that a transplant changes."""
    dates = ("2021-11-22", "2022-03-02")[-len(terms) :]
    rows = [f"{STUDY},S1,{i},{term},{date}\n" for i, (term, date) in enumerate(zip(terms, dates, strict=True))]
    source = read_sdtm(with_files(tmp_path, "cmoccur-n", pr="STUDYID,USUBJID,PRSEQ,PRTRT,PRSTDTC\n" + "".join(rows)))
    study = Study.load("inaticel")
    told = [note for note in derive(study, source).notices if note.domain == "PR"]
    assert [(note.severity, note.message.split(":")[0], "ORR3" in note.endpoints) for note in told] == (
        [("warning", said, True)] if said else []
    )
    assert check_sdtm(study, source).filter(RULE="term-missing")["VARIABLE"].to_list() == ["PRTRT"]


def test_a_study_day_of_no_calendar_is_one_message():
    """Issue 9, kind 13."""
    with pytest.raises(InputError, match="'99999999999' is no study day"):
        read_sdtm(case_path("data/huge-dy"))
    code, text = checked("data/huge-dy")
    assert code == 2 and "rs.csv, row 2, RSDY" in text and "Traceback" not in text
    table = {"STUDYID": "S", "USUBJID": ["1"], "EXSEQ": [1], "EXTRT": "CNCT19", "EXSTDY": [1e10], "ROW": [2]}
    from cartrial.sdtm import Source

    who = pl.DataFrame({"STUDYID": "S", "USUBJID": ["1"], "ROW": [2]})
    with pytest.raises(InputError, match="no study day"):
        derive(Study.load("inaticel"), Source({"DM": who, "EX": pl.DataFrame(table)}))


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["", "PATIENT REFUSED"])
def test_a_marrow_that_was_not_done_is_no_sample(tmp_path, reason):
    """A6 and paragraph 3, by hand: it dates no relapse and no pair of reads. Blood shows the relapse on day 95, new therapy is on day 97.

    A haemodilute sample was taken: it is inadequate, and the blood within 7 days of it is read with it, as before.
    """
    lab = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSPEC,LBSTRESC,LBSTRESN,LBSTRESU,LBSTAT,LBREASND,LBDTC\n"
    rows = [
        *(f"{STUDY},S1,{i},{test},{spec},{n},{n},{unit},,,2022-01-29" for i, (test, spec, n, unit) in enumerate(COUNTS)),
        f"{STUDY},S1,7,BLAST,BLOOD,5,5,%,,,2022-04-06",
    ]
    undone = f"{STUDY},S1,8,BLAST,BONE MARROW,,,,NOT DONE,{reason},2022-04-10"
    therapy = f"STUDYID,USUBJID,CMSEQ,CMTRT,CMCAT,CMSTDTC\n{STUDY},S1,1,X,SUBSEQUENT ANTICANCER THERAPY,2022-04-08\n"
    emd = f"STUDYID,USUBJID,FASEQ,FATESTCD,FAOBJ,FASTRESC,FADTC\n{STUDY},S1,1,OCCUR,EXTRAMEDULLARY DISEASE,ABSENT,2021-12-20\n"
    found = []
    for name, extra in (("without", []), ("with", [undone])):
        text = lab + "\n".join([*rows, *extra]) + "\n"
        folder = with_files(tmp_path / name, "cmoccur-n", lb=text, cm=therapy, fa=emd)
        (folder / "rs.csv").unlink()
        adam = derive(Study.load("inaticel"), read_sdtm(folder))
        found.append([value(adam, "ORR3", "reader=INV"), adam.adresp.filter(READER="INV").drop("SEQ", strict=False).rows()])
    assert found[0][0]["REASON"] == "relapse" and found[0] == found[1]


def test_a_therapy_that_was_only_asked_for_needs_no_date(tmp_path: Path) -> None:
    """SDTM: CMSTDTC is permissible. Denied of S1 in a table without any date: read, and no new therapy."""
    asked = f"STUDYID,USUBJID,CMSEQ,CMTRT,CMCAT,CMPRESP,CMOCCUR\n{STUDY},S1,1,ANY,NEW THERAPY,Y,N\n"
    assert of(with_files(tmp_path, "cmoccur-n", cm=asked), "EFS")["AVAL"] == 181
