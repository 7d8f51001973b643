"""Progressions that may be a flare of immune cells: LYRIC, rules of lymphoma, paragraph L5, and L10 subject 23.

Origin of the expected values: `by hand`, from the rules, written before the code ran.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cartrial.endpoints import Adam, derive
from cartrial.sdtm import read_sdtm
from helpers import ROOT, load_study
from imaging_example import PET, Scan, Subjects, study_text, write_subjects

TEXT = (ROOT / "tests" / "truth" / "lymphoma" / "study.yaml").read_text(encoding="utf-8")
NODE = {"A": (40, 30)}
"""1200 mm^2."""
SIX = dict.fromkeys("ABCDEF", (20, 20))
"""Six of 400 mm^2."""
MASS, AVID = Scan(-7, NODE), PET(-7, "5")
TWO = Scan(-7, {"A": (40, 30), "B": (20, 15)})
"""1200 and 300 mm^2."""
FLARE = Scan(28, {"A": (60, 45)})
"""2700 mm^2, more than twice the baseline, 20 mm longer: IR1 until day 84."""
GROWN = Scan(28, {"A": (40, 30), "B": (30, 18)})
"""B of 300 is 540, 10 mm longer; the sum of 1500 is 1740, less than 2250: IR2."""
NEW = Scan(28, NODE, new={"N1": (20, 15)})
"""A node of 300 mm^2; the targets are as they were: IR2."""
NEW_OF_TWO = Scan(28, {"A": (40, 30), "B": (20, 15)}, new={"N1": (20, 15)})
"""1500 mm^2 as they were, and a node of 300: IR2."""

CASES: dict[str, tuple[list[Scan | PET], list[str]]] = {
    # IR1: the sum is up by half within 84 days
    "IR1, then 10 % and 12 mm": ([MASS, FLARE, Scan(70, {"A": (72, 45)})], ["PD", "PD"]),
    "IR1, then 1.7 %": ([MASS, FLARE, Scan(70, {"A": (61, 45)})], ["IR", "IR"]),
    "IR1, then exactly 10 % and 6 mm": ([MASS, FLARE, Scan(70, {"A": (66, 45)})], ["IR", "IR"]),
    "IR1, then smaller": ([MASS, FLARE, Scan(70, {"A": (20, 15)})], ["IR", "PR"]),
    "IR1 at the cutoff": ([MASS, FLARE], ["IR"]),
    "day 84": ([MASS, Scan(84, {"A": (60, 45)})], ["IR"]),
    "day 85": ([MASS, Scan(85, {"A": (60, 45)})], ["PD"]),
    # a chain: the value at the first IR1 is what 10 % are of. 61 x 45 is 2745, then 67 x 45 = 3015 is 11.7 % and 7 mm; 70 x 45 10 mm
    "IR1 twice, then 7 mm": ([MASS, FLARE, Scan(60, {"A": (61, 45)}), Scan(100, {"A": (67, 45)})], ["IR", "IR", "IR"]),
    "IR1 twice, then 10 mm": ([MASS, FLARE, Scan(60, {"A": (61, 45)}), Scan(100, {"A": (70, 45)})], ["PD", "IR", "PD"]),
    # IR2: a new lesion, or one that has grown, while the sum is not up by half
    "IR2a, then 1800 of 1200": ([MASS, NEW, Scan(90, NODE, new={"N1": (30, 20)})], ["PD", "PD"]),
    "IR2a, then 1780 of 1200": ([MASS, NEW, Scan(90, NODE, new={"N1": (29, 20)})], ["IR", "IR"]),
    "IR2a, then gone": ([MASS, NEW, Scan(90, {"A": (20, 15)}, new={"N1": (0, 0)})], ["IR", "PR"]),
    "IR2b, then 3200 of 1500": ([TWO, GROWN, Scan(90, {"A": (40, 30), "B": (50, 40)})], ["PD", "PD"]),
    "IR2b, then 1776 of 1500": ([TWO, GROWN, Scan(90, {"A": (40, 30), "B": (32, 18)})], ["IR", "IR"]),
    # IR3: uptake alone
    "IR3, then uptake again": (
        [AVID, MASS, PET(28, "5", "INCREASED"), Scan(28, NODE), PET(90, "5", "INCREASED"), Scan(90, NODE)],
        ["IR", "IR"],
    ),
    "IR3, then a new node": (
        [AVID, MASS, PET(28, "5", "INCREASED"), Scan(28, NODE), PET(90, "5", "INCREASED"), Scan(90, NODE, new={"N1": (20, 15)})],
        ["PD", "PD"],
    ),
    "IR3, then CR": ([AVID, MASS, PET(28, "5", "INCREASED"), Scan(28, NODE), PET(90, "2"), Scan(90, NODE)], ["IR", "CR"]),
    "IR1 before IR3": ([AVID, MASS, PET(28, "5", "INCREASED"), FLARE, PET(70, "3"), Scan(70, {"A": (50, 40)})], ["IR", "CR"]),
    # what is never indeterminate: nothing measured beside the uptake, other signs of progression, a target not evaluated
    "uptake without CT": ([AVID, PET(28, "5", "INCREASED")], ["PD"]),
    "a non-target": ([Scan(-7, NODE, "PRESENT"), Scan(28, {"A": (20, 15)}, "UNEQUIVOCAL PROGRESSION")], ["PD"]),
    "the marrow": ([Scan(-7, NODE, marrow="NEGATIVE"), Scan(28, NODE, marrow="POSITIVE")], ["PD"]),
    "a target not evaluated": ([TWO, Scan(28, {"A": (20, 15), "B": None}, new={"N1": (20, 20)})], ["PD"]),
    "IR1, then the spleen": (
        [Scan(-7, NODE, spleen=120), Scan(28, {"A": (60, 45)}, spleen=120), Scan(70, {"A": (60, 45)}, spleen=145)],
        ["PD", "PD"],
    ),
    # 63 x 48 is 3024, 12 % more and 3 mm; a spleen of 12 mm more is no lesion, and no progression up to 130 mm
    "IR1, then a longer spleen": (
        [Scan(-7, NODE, spleen=110), Scan(28, {"A": (60, 45)}, spleen=110), Scan(70, {"A": (63, 48)}, spleen=122)],
        ["IR", "IR"],
    ),
    # of seven the six largest: 5 x 400 + 60 x 60 is 5600 of 2400; 5 x 400 + 1560 is 3560, less than 3600
    "IR2a beside six, then 5600 of 2400": (
        [Scan(-7, SIX), Scan(28, SIX, new={"N1": (20, 15)}), Scan(90, SIX, new={"N1": (60, 60)})],
        ["PD", "PD"],
    ),
    "IR2a beside six, then 3560 of 2400": (
        [Scan(-7, SIX), Scan(28, SIX, new={"N1": (20, 15)}), Scan(90, SIX, new={"N1": (40, 39)})],
        ["IR", "IR"],
    ),
    # a target not evaluated: 1200 + 3600 is at least 4800 of 1500, whatever B is; 1200 + 1000 is less than 2250, and B can be 0
    "IR2a, then at least 4800": ([TWO, NEW_OF_TWO, Scan(90, {"A": (40, 30), "B": None}, new={"N1": (60, 60)})], ["PD", "PD"]),
    "IR2a, then at least 2200": ([TWO, NEW_OF_TWO, Scan(90, {"A": (40, 30), "B": None}, new={"N1": (40, 25)})], ["IR", "IR"]),
    # IR1 of 2700 + 300; A alone is 3500, more than 3300, and 10 mm longer
    "IR1, then at least 3500": (
        [TWO, Scan(28, {"A": (60, 45), "B": (20, 15)}), Scan(70, {"A": (70, 50), "B": None})],
        ["PD", "PD"],
    ),
    # within 12 weeks: 84 days after the read, not 85; a response between
    "84 days later": ([MASS, NEW, Scan(112, NODE, new={"N1": (30, 20)})], ["PD", "PD"]),
    "85 days later": ([MASS, NEW, Scan(113, {"A": (50, 36)}, new={"N1": (30, 20)})], ["IR", "PD"]),
    "a response between": ([MASS, FLARE, Scan(60, {"A": (20, 15)}), Scan(100, {"A": (40, 30)})], ["IR", "PR", "PD"]),
    "a scan that was not evaluable between": (
        [MASS, FLARE, Scan(50, {"A": None}, new={"X1": "ABSENT"}), Scan(70, {"A": (72, 45)})],
        ["PD", "NE", "PD"],
    ),
}


def called(folder: Path, subjects: Subjects, options: str = "progression: lyric", **domains: list[dict[str, object]]) -> Adam:
    data = write_subjects(folder, subjects)
    for name, rows in domains.items():
        path = data / f"{name}.csv"
        known = [pl.read_csv(path, infer_schema=False)] if path.is_file() else []
        pl.concat([*known, pl.DataFrame(rows, infer_schema_length=None).cast(pl.String)], how="diagonal_relaxed").write_csv(path)
    return derive(load_study(folder, study_text(TEXT, options=options)), read_sdtm(data))


def statuses(adam: Adam, who: str) -> list[str]:
    rows = adam.adresp.filter((pl.col("READER") == "INV") & (pl.col("CARDAY") > 0) & (pl.col("USUBJID") == who))
    return rows.sort("CARDAY")["AVALC"].to_list()


def flags(adam: Adam, who: str) -> list[str]:
    rows = adam.adresp.filter((pl.col("READER") == "INV") & (pl.col("CARDAY") > 0) & (pl.col("USUBJID") == who))
    return rows.sort("CARDAY")["FLAGS"].fill_null("").to_list()


@pytest.fixture(scope="module")
def all_cases(tmp_path_factory: pytest.TempPathFactory) -> Adam:
    return called(tmp_path_factory.mktemp("lyric"), {name: scans for name, (scans, _) in CASES.items()})


@pytest.mark.shows("RULE-L5.2")
def test_the_classes_and_what_settles_them_by_hand(all_cases: Adam) -> None:
    """L5, LYRIC, line by line."""
    assert {name: statuses(all_cases, name) for name in CASES} == {name: expected for name, (_, expected) in CASES.items()}


def test_the_flags_say_which_class_it_was_and_that_a_progression_was_dated_back(all_cases: Adam) -> None:
    assert "IR1" in flags(all_cases, "IR1 at the cutoff")[0] and "IR2" in flags(all_cases, "IR2a, then gone")[0]
    assert "IR3" in flags(all_cases, "IR3, then CR")[0] and "IR1" in flags(all_cases, "IR1 before IR3")[0]
    back = flags(all_cases, "IR1, then 10 % and 12 mm")
    assert "IR1" in back[0] and "PD dated at the indeterminate read" in back[0] and "IR" not in back[1]


@pytest.mark.shows("RULE-L5.2", "STUDY-disease.options-of-calls.progression")
def test_l10_23_by_hand(tmp_path: Path) -> None:
    """L10, subject 23: final, no response and PFS 29; lyric, response at month 3, PR, DOR c 271, PFS c 361."""
    later = [Scan(day, {"A": (25, 20)}, new={"N1": (0, 0)}) for day in (90, 180, 270, 360)]
    scans: Subjects = {"23": [MASS, Scan(28, {"A": (48, 30)}, new={"N1": (20, 15)}), *later]}
    expected = {"": ("N", "PD", None, (29, 0)), "progression: lyric": ("Y", "PR", (271, 1), (361, 1))}
    for options, values in expected.items():
        folder = tmp_path / (options[-5:] or "final")
        adam = called(folder, scans, options)
        rates = dict(adam.adrs.filter(VARIANT="").select("PARAMCD", "AVALC").rows())
        times = {row[0]: row[1:] for row in adam.adtte.filter(VARIANT="").select("PARAMCD", "AVAL", "CNSR").rows()}
        assert (rates["ORR3"], rates["BOR"], times.get("DOR"), times["PFS"]) == values


def test_clinical_deterioration_is_no_flare_by_hand(tmp_path: Path) -> None:
    """L5: IR1 is without clinical deterioration, by FA or by a clinician's call in RS; of another day it says nothing of the scan."""
    fa = {
        "STUDYID": "LYM",
        "DOMAIN": "FA",
        "FASEQ": "1",
        "FATESTCD": "CLINDET",
        "FATEST": "Clinical Deterioration",
        "FAOBJ": "LYMPHOMA",
        "FASTRESC": "Y",
    }
    said = [
        fa | {"USUBJID": "fa", "FADTC": "2022-02-02"},
        fa | {"USUBJID": "late", "FADTC": "2022-03-31"},
        fa | {"USUBJID": "no", "FADTC": "2022-02-02", "FASTRESC": "N"},
    ]
    rs = {
        "STUDYID": "LYM",
        "DOMAIN": "RS",
        "USUBJID": "rs",
        "RSSEQ": "1",
        "RSTESTCD": "CLINRESP",
        "RSSTRESC": "PD",
        "RSEVAL": "INVESTIGATOR",
        "RSDTC": "2022-01-30",
    }
    adam = called(tmp_path, {who: [MASS, FLARE] for who in ("fa", "late", "no", "rs", "none")}, fa=said, rs=[rs])
    assert {who: statuses(adam, who) for who in ("fa", "late", "no", "rs", "none")} == {
        **{"fa": ["PD"], "rs": ["PD"]},
        **{"late": ["IR"], "no": ["IR"], "none": ["IR"]},
    }


def test_new_therapy_leaves_it_indeterminate_by_hand(tmp_path: Path) -> None:
    """L5: IR, new therapy on day 50, and PD on day 70: the read stays IR, and PFS is censored there by the therapy (hypothetical)."""
    cm = {
        "STUDYID": "LYM",
        "DOMAIN": "CM",
        "USUBJID": "01",
        "CMSEQ": "1",
        "CMTRT": "X",
        "CMCAT": "SUBSEQUENT ANTICANCER THERAPY",
        "CMSTDTC": "2022-02-22",
    }
    adam = called(tmp_path, {"01": CASES["IR1, then 10 % and 12 mm"][0]}, cm=[cm])
    assert statuses(adam, "01")[0] == "IR"
    pfs = adam.adtte.filter(PARAMCD="PFS", VARIANT="").row(0, named=True)
    assert (pfs["AVAL"], pfs["EVNTDESC"]) == (29, "new-therapy")


def test_a_therapy_on_the_date_of_a_read_comes_after_it_by_hand(tmp_path: Path) -> None:
    """Rules, paragraph 1, and L5: of the day of the first read it lies between both (IR, PFS censored there), of the second not (PD 29).

    The same of a progression that a response follows, by `overturned`.
    """
    cm = {"STUDYID": "LYM", "DOMAIN": "CM", "CMTRT": "X", "CMCAT": "SUBSEQUENT ANTICANCER THERAPY", "CMSEQ": "1"}
    dates = {"first": "2022-01-31", "second": "2022-03-14"}
    given = [cm | {"USUBJID": who, "CMSTDTC": date} for who, date in dates.items()]
    worse, better = CASES["IR1, then 10 % and 12 mm"][0], CASES["IR1, then smaller"][0]
    expected = {
        "lyric": (worse, {"first": (29, "new-therapy"), "second": (29, "progression")}),
        "overturned": (better, {"first": (29, "progression"), "second": (71, "new-therapy")}),
    }
    for rule, (scans, ends) in expected.items():
        adam = called(tmp_path / rule, dict.fromkeys(dates, scans), f"progression: {rule}", cm=given)
        rows = adam.adtte.filter(PARAMCD="PFS", VARIANT="").select("USUBJID", "AVAL", "EVNTDESC").rows()
        assert {row[0]: row[1:] for row in rows} == ends


def test_calls_of_a_reader_who_reads_by_lyric_by_hand(tmp_path: Path) -> None:
    """L5: what a reader called IR2 and then PD is PD at the first; with PR between it is not; his PD at once stands."""
    days = {"2022-01-31": 28, "2022-03-04": 60, "2022-04-03": 90}
    reads = {"back": ("IR2", "PD", None), "not": ("IR1", "PR", "PD"), "once": ("PD", "PR", None), "twice": ("IR3", "IR3", "PD")}
    rs = {"STUDYID": "LYM", "DOMAIN": "RS", "RSTESTCD": "OVRLRESP", "RSEVAL": "INVESTIGATOR", "RSCAT": "PROTOCOL DEFINED RESPONSE CRITERIA"}
    rows = [
        rs | {"USUBJID": who, "RSSEQ": str(i), "RSSTRESC": word, "RSDTC": date}
        for who, words in reads.items()
        for i, (date, word) in enumerate(zip(days, words, strict=True))
        if word
    ]
    adam = called(tmp_path, {who: [] for who in reads}, rs=rows)
    assert {who: statuses(adam, who) for who in reads} == {
        **{"back": ["PD", "PD"], "not": ["IR", "PR", "PD"]},
        **{"once": ["PD", "PR"], "twice": ["PD", "IR", "PD"]},
    }
