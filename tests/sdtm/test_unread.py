"""Is what reads like a record that a rule reads named, and what reads like none left in peace?

Expected values: by hand, of the words alone, written before the code ran.
"""

from __future__ import annotations

import polars as pl
import pytest

from cartrial.sdtm import CHECK_RULES, check_sdtm
from cartrial.sdtm.checks.unread import UNREAD_RULES
from sdtm_example import read_tables, small_study, small_tables

DAY = "2022-02-01"


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Have the source checked by these rules alone, which is quicker."""
    rules = (*UNREAD_RULES, *(rule for rule in CHECK_RULES if rule.id == "occurrence-invalid"))
    monkeypatch.setattr("cartrial.sdtm.checks.check.CHECK_RULES", rules)


def said(tmp_path, without=(), **records):
    """Return the rule, the severity and the message of each finding, with records of subject A added."""
    tables = small_tables()
    for domain, rows in records.items():
        tables[domain] += [
            {"STUDYID": "TRIAL", "DOMAIN": domain, "USUBJID": "A", f"{domain}SEQ": 90 + number, **row} for number, row in enumerate(rows)
        ]
    for name in without:
        del tables[name]
    tmp_path.mkdir(exist_ok=True)
    found = check_sdtm(small_study(tmp_path), read_tables(tables, tmp_path))
    return found.filter(pl.col("RULE") != "term-mapped").select("RULE", "SEVERITY", "MESSAGE").rows()


def lab(code, name=None, unit="10^9/L", specimen="BLOOD", day=DAY, **more):
    return {"LBTESTCD": code, "LBTEST": name, "LBSTRESN": 3, "LBSTRESU": unit, "LBSPEC": specimen, "LBDTC": day, **more}


def seen(obj, result="PRESENT", test="OCCUR"):
    return {"FAOBJ": obj, "FATESTCD": test, "FASTRESC": result, "FADTC": DAY}


LIKE = {
    "MRD": (("MRDFLOW", None), ("MRDNGS", None), ("CLONOSEQ", None), ("X2", "Residual leukaemia")),
    "PLAT": (("PLTS", None), ("PLTCT", None), ("X3", "Thrombocytes")),
    "NEUT": (("ANCABS", None), ("NEUTRO", None), ("NEUTA", "Absolute neutrophils")),
    "CARTG": (("CARTDNA", None), ("CARVCN", None), ("X4", "Transgene copies")),
    "BCELL": (("BCELLS", None), ("CD19ABS", None), ("X5", "B lymphocytes")),
}
UNLIKE = (
    *(("MPV", "Mean Platelet Volume"), ("PLATCLMP", "Platelet Clumps"), ("NEUTLE", "Neutrophils/Leukocytes"), ("LYM", "Lymphocytes")),
    *(("NEUTB", "Neutrophils Band Form"), ("ANCA", "Anti-neutrophil cytoplasmic antibody"), ("CARBMZ", "Carbamazepine")),
    *(("ADA", "Anti-CAR antibodies"), ("GLUC", "Glucose"), ("CD19STAT", "CD19 Status of Leukemic Cells"), ("WBC", "Leukocytes")),
)


@pytest.mark.shows("RULE-3.17")
def test_a_code_that_reads_like_a_test_is_named(tmp_path):
    """Each of them once, and none of another thing; what stands beside the test on one date, or was not done, is nothing."""
    rows = [lab(*code, specimen="BONE MARROW" if test == "MRD" else "BLOOD") for test, codes in LIKE.items() for code in codes]
    beside = [lab("PLTX", day="2022-01-29")]
    silent = [*(lab(*code) for code in UNLIKE), lab("PLTN", LBSTAT="NOT DONE"), lab("MRDCSF", specimen="CSF"), lab("ANCP", unit="%")]
    found = said(tmp_path, LB=[*rows, *beside, *silent])
    right = {
        ("test-unread", "warning", f"{code} (1 record) reads like {test}, and no rule reads it; it is read under {test}.")
        for test, codes in LIKE.items()
        for code, _ in codes
    }
    assert set(found) == right
    assert len(found) == len(right)


def test_disease_under_another_word_is_named(tmp_path):
    """Present, it is a warning where readers call, and stops where statuses come of what was found; absent, a note."""
    words = ("Myeloid sarcoma", "CNS involvement", "CHLOROMA", "Leukemia cutis", "Testicular relapse")
    other = [
        seen("INJECTION SITE REACTION"),
        seen("Ｅｘｔｒａｍｅｄｕｌｌａｒｙ disease"),
        seen("TESTICULAR LEUKEMIA"),
        seen("CNS NEUROTOXICITY"),
    ]
    rows = [*(seen(word) for word in words), *other, seen("ORBITAL MASS LESION", "N")]
    for without, rule, severity in (((), "lesion-unread", "warning"), (("RS",), "record-unread", "stop")):
        found = said(tmp_path / severity, without, FA=rows)
        named = {message.split("'")[1] for name, grade, message in found if (name, grade) == (rule, severity)}
        assert named == set(words), found
        assert [name for name, *_ in found if name != rule] == ["lesion-other"]


def test_what_does_not_ask_whether_it_is_there_is_named(tmp_path):
    """SEV with Y is passed over; SEV with MILD is a detail; presence, a blank test and CNS3 are read."""
    emd = "EXTRAMEDULLARY DISEASE"
    read = [seen(emd, "Y", "Presence"), seen(emd, "Y", None), seen(emd, "CNS3", "GRADE")]
    found = said(tmp_path, FA=[seen(emd, "Y", "SEV"), seen(emd, "MILD", "SEVERITY"), *read])
    assert found == [
        (
            "lesion-unread",
            "warning",
            f"FATESTCD 'SEV' (1 record) of {emd} does not ask whether it is there, and no rule reads it; that is asked under OCCUR.",
        ),
        ("lesion-other", "note", f"FATESTCD 'SEVERITY' (1 record) of {emd} is kept and no rule reads it."),
    ]


def test_calls_deaths_and_events_under_other_words_are_named(tmp_path):
    """One of each kind; a response of the marrow beside the overall one, and other events, are none."""
    site = {"RSEVAL": "INVESTIGATOR", "RSSTRESC": "CR"}
    found = said(
        tmp_path,
        RS=[
            {"RSTESTCD": "DISRESP", "RSDTC": DAY, **site},
            {"RSTESTCD": "BMRESP", "RSDTC": "2022-01-29", **site},
            {"RSTESTCD": "CNSSTAT", "RSSTRESC": "POSITIVE", "RSDTC": DAY},
            {"RSTESTCD": "CNSSTAT", "RSSTRESC": "CNS2a", "RSDTC": DAY},
        ],
        SS=[{"SSTESTCD": "VITSTAT", "SSSTRESC": "Deceased", "SSDTC": DAY}, {"SSTESTCD": "VITSTAT", "SSSTRESC": "U", "SSDTC": DAY}],
        LB=[lab("BLAST", unit="%", specimen="CSF", LBSTRESN=None, LBSTRESC="few")],
        AE=[{"AEDECOD": word, "AESTDTC": DAY, "AETOXGR": "2"} for word in ("Cytokine release syndrome grade 2", "PYREXIA")],
    )
    assert sorted((rule, grade) for rule, grade, _ in found) == [
        ("call-unread", "warning"),
        ("event-unread", "warning"),
        ("lesion-unread", "warning"),
        ("lesion-unread", "warning"),
        ("record-unread", "stop"),
    ]
    assert "SSTESTCD 'VITSTAT' (1 record) says dead" in str(found)


def test_letters_of_full_width_are_read_in_one_way(tmp_path):
    """What the rules read as N is no word that checking does not know; another word stays one."""
    words = ("ＮＯ", "ｎ", "ＹＥＳ", "ＰＥＲＨＡＰＳ")
    found = said(tmp_path, CM=[{"CMTRT": "X", "CMCAT": "ANTIFUNGAL", "CMSTDTC": DAY, "CMOCCUR": word} for word in words])
    assert [
        (rule, "PERHAPS" in message.upper().translate({ord("Ａ") + i: ord("A") + i for i in range(26)})) for rule, _, message in found
    ] == [("occurrence-invalid", True)]
