"""Statuses derived from lesions (TU, TR), five-point scores (FA) and the marrow: rules of lymphoma, paragraphs L2 to L4 and L10.

Origin of the expected values: `by hand`, the tables of the rules, written before the code ran, through the command line; `independent`, a
second implementation with dictionaries on random subjects.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.endpoints import check_endpoints, derive
from cartrial.sdtm import check_sdtm, read_sdtm
from cartrial.sdtm.checks.imaging.rules import IMAGING_RULES
from helpers import ROOT, load_study, run_cli
from imaging_example import DAY0, PET, Scan, Subjects, study_text, write_subjects
from properties import count, every

TRUTH = ROOT / "tests" / "truth" / "lymphoma"
TEXT = (TRUTH / "study.yaml").read_text(encoding="utf-8")
Called = list[tuple[int, str]]


def by_command(folder: Path, subjects: Subjects) -> dict[str, Called]:
    """Derive the subjects through the command line; return day and status of each of the investigator's assessments."""
    data = write_subjects(folder, subjects)
    (folder / "study.yaml").write_text(study_text(TEXT), encoding="utf-8")
    code, _, error = run_cli("derive", folder, "--data", data, "--out", folder / "out")
    assert code == 0, error
    return calls_of(pl.read_parquet(folder / "out" / "adam" / "ADRESP.parquet"), subjects)


def called(folder: Path, subjects: Subjects, *, options: str = "", criteria: str = "lugano-2014") -> dict[str, Called]:
    """Derive the subjects under options; return as `by_command`."""
    data = write_subjects(folder, subjects)
    study = load_study(folder, study_text(TEXT, options=options, criteria=criteria))
    return calls_of(derive(study, read_sdtm(data)).adresp, subjects)


def calls_of(adresp: pl.DataFrame, subjects: Subjects) -> dict[str, Called]:
    adresp = adresp.filter((pl.col("READER") == "INV") & (pl.col("CARDAY") > 0))
    assert set(adresp["SRCDOM"]) <= {"TR", "FA"} and adresp["SRCSEQ"].null_count() == 0
    return {who: adresp.filter(USUBJID=who).sort("CARDAY").select("CARDAY", "AVALC").rows() for who in subjects}


def flags(folder: Path, who: str) -> list[str]:
    """Return the flags of the investigator's assessments of a subject, by day."""
    adresp = pl.read_parquet(folder / "out" / "adam" / "ADRESP.parquet").filter(READER="INV", USUBJID=who)
    return adresp.sort("CARDAY")["FLAGS"].fill_null("").to_list()


NODE = {"A": (40, 30)}
SPLEEN = Scan(-7, NODE, spleen=150)
MARROW = Scan(-7, NODE, marrow="POSITIVE")
TWO = Scan(-7, {"A": (40, 30), "B": (25, 20)})
# the table of L3: what is measured after the baseline, and what is called
TABLE = {
    "M1": ([TWO, Scan(28, {"A": (28, 20), "B": (20, 14)}), Scan(90, {"A": (15, 10), "B": (15, 9)})], ["PR", "CR"]),
    "M1b": ([TWO, Scan(90, {"A": (15, 10), "B": (15, 9)}), Scan(180, {"A": (22, 15), "B": (15, 9)})], ["CR", "PD"]),
    "M2": ([Scan(-7, {"A": (40, 25)}), Scan(28, {"A": (25, 20)})], ["PR"]),
    "M3": ([Scan(-7, {"A": (40, 25)}), Scan(28, {"A": (26, 20)})], ["SD"]),
    "M4": ([Scan(-7, NODE), Scan(28, {"A": (20, 15)}), Scan(90, {"A": (30, 15)})], ["PR", "PD"]),
    "M4b": ([Scan(-7, NODE), Scan(28, {"A": (20, 15)}), Scan(90, {"A": (24, 18)})], ["PR", "PR"]),
    "M5": ([Scan(-7, NODE), Scan(28, {"A": (8, 6)}), Scan(90, {"A": (15, 10)}), Scan(180, {"A": (16, 10)})], ["CR", "CR", "PD"]),
    "M6": ([Scan(-7, {"A": (60, 50), "B": (16, 12)}), Scan(28, {"A": (25, 20), "B": (22, 14)})], ["PD"]),
    "M7a": ([Scan(-7, NODE), Scan(28, {"A": (20, 15)}, new={"N1": (15, 12)})], ["PR"]),
    "M7b": ([Scan(-7, NODE), Scan(28, {"A": (20, 15)}, new={"N1": (16, 12)})], ["PD"]),
    "M7c": ([Scan(-7, NODE), Scan(28, {"A": (20, 15)}, new={"X1": (10, 10)})], ["PR"]),
    "M7d": ([Scan(-7, NODE), Scan(28, {"A": (20, 15)}, new={"X1": (11, 8)})], ["PD"]),
    "M8a": ([SPLEEN, Scan(28, {"A": (20, 15)}, spleen=140), Scan(90, {"A": (20, 15)}, spleen=139)], ["SD", "PR"]),
    "M8b": ([SPLEEN, Scan(28, {"A": (20, 15)}, spleen=160), Scan(90, {"A": (20, 15)}, spleen=161)], ["SD", "PD"]),
    "M9a": ([Scan(-7, NODE, spleen=120), Scan(28, {"A": (20, 15)}, spleen=139), Scan(90, {"A": (20, 15)}, spleen=140)], ["PR", "PD"]),
    "M9b": ([Scan(-7, NODE, spleen=105), Scan(28, {"A": (20, 15)}, spleen=126)], ["PR"]),
    "M10a": ([Scan(-7, NODE), Scan(28, {"A": "TOO SMALL TO MEASURE"}), Scan(90, {"A": (16, 9)})], ["CR", "PD"]),
    "M10b": ([Scan(-7, NODE), Scan(28, {"A": "ABSENT"}), Scan(90, {"A": (15, 9)}), Scan(180, {"A": (16, 9)})], ["CR", "CR", "PD"]),
    "M12a": ([Scan(-7, NODE, "PRESENT"), Scan(28, {"A": "ABSENT"}, "ABSENT")], ["CR"]),
    "M12b": ([Scan(-7, NODE, "PRESENT"), Scan(28, {"A": "ABSENT"}, "PRESENT")], ["PR"]),
    "M12c": ([Scan(-7, NODE, "PRESENT"), Scan(28, {"A": "ABSENT"}, "UNEQUIVOCAL PROGRESSION")], ["PD"]),
    "M13a": ([MARROW, Scan(28, {"A": "ABSENT"}), Scan(90, {"A": "ABSENT"}, marrow="NEGATIVE")], ["PR", "CR"]),
    "M13b": ([Scan(-7, NODE, marrow="NEGATIVE"), Scan(28, {"A": "ABSENT"}, marrow="POSITIVE")], ["PD"]),
    "M13c": ([MARROW, Scan(28, NODE, marrow="POSITIVE"), Scan(90, NODE, marrow="NEW INVOLVEMENT")], ["SD", "PD"]),
    "M16a": ([TWO, Scan(28, {"A": (20, 15), "B": None})], ["NE"]),
    "M16b": ([TWO, Scan(28, {"A": (20, 15), "B": None}, new={"N1": (20, 20)})], ["PD"]),
    # an organ's target is complete only when gone; the printed step is met exactly, of a nadir over 20 mm by 10
    "organ": ([Scan(-7, {"L": (30, 20)}), Scan(28, {"L": (6, 5)}), Scan(90, {"L": "ABSENT"})], ["PR", "CR"]),
    "step": ([Scan(-7, NODE), Scan(28, {"A": (21, 15)}), Scan(90, {"A": (30, 16)}), Scan(180, {"A": (31, 16)})], ["PR", "PR", "PD"]),
    # of a nadir up to 20 mm by 5: 144 is 1.5 times 96, and 16 mm is 4 mm longer, 17 mm is 5
    "small step": ([Scan(-7, NODE), Scan(28, {"A": (12, 8)}), Scan(90, {"A": (16, 9)}), Scan(180, {"A": (17, 9)})], ["CR", "PR", "PD"]),
    # EQUIVOCAL is no new lesion until the next visit says so; then PD dates from when it was first seen
    "doubt": ([Scan(-7, NODE), Scan(28, {"A": "ABSENT"}, new={"N1": "EQUIVOCAL"}), Scan(90, {"A": "ABSENT"})], ["CR", "CR"]),
    "dated": (
        [Scan(-7, NODE), Scan(28, {"A": (20, 15)}, new={"N1": "EQUIVOCAL"}), Scan(90, {"A": (20, 15)}, new={"N1": "UNEQUIVOCAL"})],
        ["PD", "PD"],
    ),
    # at any size, as long as it is in doubt
    "doubt, 20 mm": (
        [Scan(-7, NODE), Scan(28, {"A": (20, 15)}, new={"N1": (20, 15, "EQUIVOCAL")}), Scan(90, {"A": (20, 15)})],
        ["PR", "PR"],
    ),
    "dated, 20 mm": (
        [
            Scan(-7, NODE),
            Scan(28, {"A": (20, 15)}, new={"N1": (20, 15, "EQUIVOCAL")}),
            Scan(90, {"A": (20, 15)}, new={"N1": (20, 15, "UNEQUIVOCAL")}),
        ],
        ["PD", "PD"],
    ),
    # what was new after bridging is of the baseline: still there it is neither new nor gone, and gone it is gone
    "new before": (
        [
            Scan(-30, NODE),
            Scan(-7, NODE, new={"N1": (20, 20)}),
            Scan(28, {"A": (20, 15)}, new={"N1": (20, 20)}),
            Scan(90, {"A": (10, 8)}, new={"N1": (0, 0)}),
            Scan(180, {"A": (10, 8)}, new={"N1": "UNEQUIVOCAL PROGRESSION"}),
        ],
        ["PR", "CR", "PD"],
    ),
    # an excess of 10 and half of it is 145: 146 is progression also after a normal spleen, 16 mm above its lowest; 145 is by neither
    "spleen again": (
        [Scan(-7, NODE, spleen=140), *(Scan(d, {"A": (20, 15)}, spleen=long) for d, long in ((28, 130), (90, 145), (180, 146)))],
        ["PR", "SD", "PD"],
    ),
    # no imaging before lymphodepletion, no disease there, an enlarged spleen that is not measured again
    "late": ([Scan(28, NODE), Scan(90, {"A": (20, 15)})], ["NE", "NE"]),
    "none": ([Scan(-7, {"A": "ABSENT"}), Scan(28, {"A": "ABSENT"}), Scan(90, {"A": "ABSENT"}, new={"N1": (20, 15)})], ["NE", "PD"]),
    "spleen": ([SPLEEN, Scan(28, {"A": (20, 15)})], ["NE"]),
}


@pytest.mark.shows(
    "RULE-L3.1",
    "RULE-L3.2",
    "RULE-L3.3",
    "RULE-L3.4",
    "RULE-L3.5",
    "STUDY-disease.criteria-of-calls.lesions",
    "STUDY-disease.criteria-of-calls.lesions.node",
    "STUDY-disease.criteria-of-calls.lesions.new-node",
    "STUDY-disease.criteria-of-calls.lesions.new-extranodal",
    "STUDY-disease.criteria-of-calls.lesions.spleen",
    "STUDY-disease.criteria-of-calls.lesions.spleen-step",
    "STUDY-disease.criteria-of-calls.lesions.fall",
    "STUDY-disease.criteria-of-calls.lesions.growth",
    "STUDY-disease.criteria-of-calls.lesions.step-small",
    "STUDY-disease.criteria-of-calls.lesions.band",
    "STUDY-disease.criteria-of-calls.lesions.step-large",
)
def test_the_measurement_table_by_hand(tmp_path: Path) -> None:
    """L3 of the rules, row by row."""
    found = by_command(tmp_path, {name: scans for name, (scans, _) in TABLE.items()})
    assert {name: [status for _, status in found[name]] for name in TABLE} == {name: expected for name, (_, expected) in TABLE.items()}
    assert "marrow not cleared" in flags(tmp_path, "M13a")[0] and "new lesion" in flags(tmp_path, "M7b")[0]
    assert "a target not evaluated" in flags(tmp_path, "M16a")[0] and "no disease at baseline" in flags(tmp_path, "none")[0]
    assert "baseline imaging missing" in flags(tmp_path, "late")[0] and "spleen not measured" in flags(tmp_path, "spleen")[0]


AVID = PET(-7, "5")
MASS = Scan(-7, NODE)
SAME = Scan(28, NODE)
PETS = {
    "negative": ([AVID, MASS, PET(28, "3"), SAME], ["CR"]),
    "PR": ([AVID, PET(28, "4", "DECREASED")], ["PR"]),
    "SD": ([AVID, PET(28, "5", "STABLE")], ["SD"]),
    "PD": ([AVID, PET(28, "4", "INCREASED")], ["PD"]),
    "new": ([AVID, PET(28, "5", "DECREASED", new=True)], ["PD"]),
    "new, not scored": ([AVID, MASS, PET(28, None, new=True), Scan(28, {"A": (20, 15)})], ["PD"]),
    "5-NEW": ([AVID, PET(28, "5-NEW", "DECREASED")], ["PD"]),
    "new, negative": ([AVID, PET(28, "3", new=True)], ["CR"]),
    "lesion": ([AVID, MASS, PET(28, "4", "DECREASED"), Scan(28, {"A": (20, 15)}, new={"N1": (12, 10)}, pet=True)], ["PD"]),
    # no call by PET leaves the visit to CT
    "no change": ([AVID, MASS, PET(28, "4"), SAME], ["SD"]),
    "no change, no CT": ([AVID, PET(28, "4")], ["NE"]),
    "X": ([AVID, MASS, PET(28, "X"), Scan(28, {"A": (20, 15)})], ["PR"]),
    "not avid": ([PET(-7, "2"), MASS, PET(28, "1"), Scan(28, {"A": (20, 15)})], ["PR"]),
    "no baseline": ([MASS, PET(28, "1"), SAME], ["SD"]),
    # PET decides whatever CT says; a later CT alone
    "CT PD, PET negative": ([AVID, MASS, PET(30, "2"), Scan(28, {"A": (60, 45)})], ["CR"]),
    "carried": ([AVID, MASS, PET(28, "4", "DECREASED"), SAME, Scan(90, {"A": (10, 8)}), Scan(180, {"A": (60, 40)})], ["PR", "PR", "PD"]),
}


@pytest.mark.slow
@pytest.mark.shows("RULE-L4.1")
def test_the_table_of_pet_by_hand(tmp_path: Path) -> None:
    """L4 of the rules, row by row; a visit has one call, on the day of PET where PET decides."""
    found = by_command(tmp_path, {name: scans for name, (scans, _) in PETS.items()})
    assert {name: [status for _, status in found[name]] for name in PETS} == {name: expected for name, (_, expected) in PETS.items()}
    assert "CT progression, PET negative" in flags(tmp_path, "CT PD, PET negative")[0]
    assert [day for day, _ in found["CT PD, PET negative"]] == [30]
    assert "no PET, the last PET call stands" in flags(tmp_path, "carried")[1] and "uptake not recorded" in flags(tmp_path, "no change")[0]
    assert "no avid disease at baseline" in flags(tmp_path, "not avid")[0] and "no PET at baseline" in flags(tmp_path, "no baseline")[0]


OPTIONS = [
    ("score-change: true", [AVID, PET(28, "4")], ["PR"]),
    ("score-change: true", [PET(-7, "4"), PET(28, "5")], ["PD"]),
    ("score-change: true", [AVID, PET(28, "5")], ["NE"]),
    ("negative-to: 2", [AVID, PET(28, "3", "DECREASED")], ["PR"]),
    ("missing-pet: ct", [AVID, MASS, PET(28, "3"), Scan(90, {"A": (20, 15)})], ["CR", "PR"]),
    ("missing-pet: ne", [AVID, MASS, PET(28, "3"), Scan(90, {"A": (20, 15)})], ["CR", "NE"]),
    (
        "spleen-from: nadir",
        [SPLEEN, *(Scan(day, {"A": (20, 15)}, spleen=long) for day, long in ((28, 139), (90, 143), (180, 144)))],
        ["PR", "SD", "PD"],
    ),
    ("marrow: pet", [AVID, MARROW, PET(28, "X"), Scan(28, {"A": "ABSENT"}), PET(90, "2"), Scan(97, {"A": "ABSENT"})], ["PR", "CR"]),
]


@pytest.mark.parametrize(("options", "scans", "expected"), every(3, OPTIONS))
@pytest.mark.shows("STUDY-disease.options", "STUDY-disease.options-of-calls.negative-to", "STUDY-disease.options-of-calls.score-change")
def test_options_by_hand(options: str, scans: list[Scan | PET], expected: list[str], tmp_path: Path) -> None:
    """L3 and L4: nadir 139 has an excess of 9, half of it is 4.5, so 143 is none and 144 is progression."""
    assert [status for _, status in called(tmp_path, {"01": scans}, options=options)["01"]] == expected


@pytest.mark.slow
@pytest.mark.shows("STUDY-disease.options-of-calls.marrow")
def test_a_marrow_cleared_by_pet_is_complete_by_ct(tmp_path: Path) -> None:
    """By hand: criteria of CT alone, the marrow was involved; a negative PET stands for the biopsy where the study says."""
    scans: Subjects = {"01": [AVID, MARROW, PET(90, "2"), Scan(97, {"A": "ABSENT"})]}
    assert called(tmp_path / "a", scans, criteria="lugano-2014-ct")["01"] == [(97, "PR")]
    assert called(tmp_path / "b", scans, criteria="lugano-2014-ct", options="marrow: pet")["01"] == [(97, "CR")]


@pytest.mark.shows("RULE-L3.3")
def test_the_first_day_of_a_new_lesion_dates_the_progression(tmp_path: Path) -> None:
    """By hand, L4: CT on day 88 shows a new node of 20 mm, PET on day 92 a new avid lesion; PD is dated on day 88."""
    scans: Subjects = {"01": [AVID, MASS, Scan(88, {"A": (20, 15)}, new={"N1": (20, 15)}, pet=True), PET(92, "5", "DECREASED")]}
    assert called(tmp_path, scans)["01"] == [(88, "PD")]


@pytest.mark.slow
@pytest.mark.shows("RULE-L3.1", "STUDY-disease.options-of-calls.baseline")
def test_screening_is_the_baseline_where_the_study_says(tmp_path: Path) -> None:
    """By hand, L3: 60 x 50 before bridging, 40 x 30 after it. 35 x 26 (910) is SD of 1200 and PR of 3000."""
    scans: Subjects = {"01": [Scan(-30, {"A": (60, 50)}), MASS, Scan(28, {"A": (35, 26)})]}
    bridging = {"STUDYID": "LYM", "USUBJID": "01", "CMSEQ": 1, "CMTRT": "RITUXIMAB", "CMCAT": "BRIDGING THERAPY", "CMSTDTC": "2021-12-10"}
    for options, expected in (("", "SD"), ("baseline: screening", "PR")):
        folder = tmp_path / expected
        folder.mkdir()
        pl.DataFrame([bridging]).write_csv(write_subjects(folder, scans) / "cm.csv")
        assert called(folder, scans, options=options)["01"] == [(28, expected)]


def _as_scans(start: int, rows: list[tuple[int, str]]) -> list[Scan | PET]:
    """Return scans on which the criteria call the statuses, where each is no better than one before (a fall of the sum, or a growth)."""
    sizes = {"CR": (10, 8), "PR": (25, 20), "SD": (38, 29), "PD": (60, 45), "NE": None}
    return [
        Scan(start - 7, {"A": (40, 30)}),
        *(Scan(day, {"A": sizes[status]}, "ABSENT" if status == "NE" else None) for day, status in rows),
    ]


def _worked() -> Subjects:
    """The subjects of L10 that one committee reads, as measurements; the days are those of their calls."""
    subjects: Subjects = {}
    with (TRUTH / "data" / "rs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    starts = {row["USUBJID"]: row["EXSTDTC"] for row in csv.DictReader((TRUTH / "data" / "ex.csv").open()) if row["EXTRT"] == "AXI-CEL"}
    for who in ("01", "02", "03", "04", "05", "06", "07", "11", "21", "28"):
        name = f"LYM-{who}"
        own = [row for row in rows if row["USUBJID"] == name and row["RSEVAL"] == "INDEPENDENT ASSESSOR"]
        # 21 was infused later than the others
        start = (dt.date.fromisoformat(starts[name]) - DAY0).days
        days = [(dt.date.fromisoformat(row["RSDTC"]) - DAY0).days for row in own]
        subjects[name] = _as_scans(start, [(day, row["RSSTRESC"]) for day, row in zip(days, own, strict=True) if day > start])
    later = [Scan(day, {"A": (25, 20)}) for day in (180, 270, 360)]
    subjects["LYM-13"] = [AVID, MASS, PET(28, "4", "DECREASED"), Scan(28, {"A": (25, 20)}), PET(90, "3"), Scan(90, {"A": (25, 20)}), *later]
    grown = [Scan(90, {"A": (25, 20)}, new={"N1": (15, 10)}), Scan(180, {"A": (25, 20)}, new={"N1": (16, 10)})]
    subjects["LYM-16"] = [MASS, Scan(28, {"A": (25, 20)}), *grown]
    return subjects


@pytest.mark.slow
@pytest.mark.parametrize("criteria", ["lugano-2014", "lugano-2014-ct"])
def test_the_worked_subjects_by_measurements_by_hand(criteria: str, tmp_path: Path) -> None:
    """L10: the committee's calls are those of its measurements; every cell that the truth table lists of these subjects."""
    subjects = _worked()
    data = write_subjects(tmp_path, subjects, evaluator=("INDEPENDENT ASSESSOR", None))
    for name in ("dm", "ex", "cm", "ds", "pr", "ss"):
        table = pl.read_csv(TRUTH / "data" / f"{name}.csv", infer_schema=False)
        table.filter(pl.col("USUBJID").is_in(list(subjects))).write_csv(data / f"{name}.csv")
    (tmp_path / "study.yaml").write_text(study_text(TEXT, criteria=criteria, reader="IRC"), encoding="utf-8")
    code, _, error = run_cli("derive", tmp_path, "--data", data, "--out", tmp_path / "out")
    assert code == 0, error
    rates, times = (pl.read_parquet(tmp_path / "out" / "adam" / f"{name}.parquet") for name in ("ADRS", "ADTTE"))
    found = {tuple(row[:3]): row[3] for row in rates.select("USUBJID", "PARAMCD", "VARIANT", "AVALC").rows()}
    ended = times.select("USUBJID", "PARAMCD", "VARIANT", "AVAL", pl.coalesce("EVNTDESC", "CNSDTDSC"))
    ends = {tuple(row[:3]): row[3:] for row in ended.rows()}
    of_ct = pl.read_csv(TRUTH.parent / "lymphoma_ct" / "expected.csv", infer_schema=False)
    expected = pl.read_csv(TRUTH / "expected.csv", infer_schema=False).filter(pl.col("USUBJID").is_in(list(subjects)))
    expected = expected.filter(~pl.col("VARIANT").fill_null("").str.contains("reader"))
    if criteria == "lugano-2014-ct":
        own = of_ct.filter(pl.col("USUBJID").is_in(list(subjects)))
        expected = pl.concat([expected.filter(pl.col("USUBJID") != "LYM-13"), own])
    compared = 0
    for row in expected.fill_null("").iter_rows(named=True):
        key = (row["USUBJID"], row["PARAMCD"], row["VARIANT"])
        if row["AVALC"] == "ABSENT":
            assert found.get(key) is None and key not in ends, row
        elif row["CNSR"]:
            assert ends[key][0] == float(row["AVAL"]), row
            assert not row["DESC"] or ends[key][1] == row["DESC"], (row, ends[key])
        else:
            assert found[key] == row["AVALC"], row
        compared += 1
    assert compared >= 90


@pytest.mark.shows("RULE-L3.4", "STUDY-disease.options-of-calls.spleen-from")
def test_l10_17_the_spleen_from_baseline_and_from_its_nadir_by_hand(tmp_path: Path) -> None:
    """L10, subject 17: PR from day 90, PD on day 270 (DOR 181, PFS 271); from the nadir PD on day 180 (91, 181)."""
    spleen = [SPLEEN, *(Scan(day, {"A": (20, 15)}, spleen=long) for day, long in ((28, 140), (90, 139), (180, 160), (270, 161)))]
    for options, dor, pfs in (("", 181, 271), ("spleen-from: nadir", 91, 181)):
        folder = tmp_path / str(dor)
        data = write_subjects(folder, {"17": spleen})
        adam = derive(load_study(folder, study_text(TEXT, options=options)), read_sdtm(data))
        main = adam.adtte.filter(VARIANT="")
        assert dict(main.filter(pl.col("PARAMCD").is_in(["DOR", "PFS"])).select("PARAMCD", "AVAL").rows()) == {"DOR": dor, "PFS": pfs}
        rates = dict(adam.adrs.filter(VARIANT="").select("PARAMCD", "AVALC").rows())
        assert (rates["ORR3"], rates["BOR"]) == ("Y", "PR")


Lesion = tuple[float, float] | None
Visit = dict[str, Any]


def slow_ct(base: Visit, visits: list[Visit], upto: int) -> str:
    """The call of one visit, said with dictionaries: paragraphs L2 and L3, written from the rules."""
    now, past = visits[upto], [base, *visits[:upto]]
    progression = False
    for name, size in now["targets"].items():
        seen = [visit["targets"][name] for visit in past if visit["targets"].get(name) is not None]
        if size is None or name not in base["targets"]:
            continue
        low = min(seen, key=lambda one: one[0] * one[1])
        step = 5 if low[0] <= 20 else 10
        grown = size[0] * size[1] >= 1.5 * low[0] * low[1] and (size[0] - low[0] >= step or size[1] - low[1] >= step)
        progression |= size[0] > 15 and grown
    new = {name: what for name, what in now["new"].items() if what != "ABSENT"}
    after = visits[upto + 1]["new"] if upto + 1 < len(visits) else {}

    def counts(name: str, what: Any) -> bool:
        if "EQUIVOCAL" in (what, what[-1]):
            return False
        return what == "UNEQUIVOCAL" or (not isinstance(what, str) and what[0] > (15 if name[0] == "N" else 10))

    doubtful = {name for name, what in new.items() if "EQUIVOCAL" in (what, what[-1])}
    progression |= any(counts(name, what) or (name in doubtful and counts(name, after.get(name, "ABSENT"))) for name, what in new.items())
    progression |= now["other"] == "UNEQUIVOCAL PROGRESSION"
    spleens = [visit["spleen"] for visit in past]
    first, last = base["spleen"], now["spleen"]
    if first is not None and last is not None and last > 130:
        low = min(spleen for spleen in spleens if spleen is not None)
        if first <= 130:
            progression |= last - first >= 20
        else:
            progression |= last > first + (first - 130) / 2 or (low <= 130 and last - low >= 20)
    marrows = [visit["marrow"] for visit in past]
    progression |= now["marrow"] == "POSITIVE" and (base["marrow"] == "NEGATIVE" or cleared_since(marrows))
    if progression:
        return "PD"
    abnormal = [size[0] > 15 if name[0] in "AB" else size[0] * size[1] > 0 for name, size in base["targets"].items()]
    disease = any(abnormal) or base["other"] or base["marrow"] == "POSITIVE"
    if not disease and (first is None or first <= 130):
        return "NE"
    if any(now["targets"].get(name) is None for name in base["targets"]) or (first is not None and first > 130 and last is None):
        return "NE"
    sizes = {name: now["targets"][name] for name in base["targets"]}
    normal = all(size[0] <= 15 if name[0] in "AB" else size[0] * size[1] == 0 for name, size in sizes.items())
    normal &= base["other"] is None or now["other"] == "ABSENT"
    normal &= (last is None or last <= 130) and not (set(new) - doubtful)
    clear = now["marrow"] != "POSITIVE" and (base["marrow"] != "POSITIVE" or cleared_since([*marrows, now["marrow"]]))
    if normal:
        return "CR" if clear else "PR"
    total = sum(size[0] * size[1] for size in base["targets"].values())
    half = bool(base["targets"]) and sum(size[0] * size[1] for size in sizes.values()) <= total / 2
    return "PR" if half and (first is None or first <= 130 or (first - last) / (first - 130) > 0.5) else "SD"


def cleared_since(marrows: list[str | None]) -> bool:
    """The last sample was negative, of those that were taken."""
    taken = [marrow for marrow in marrows if marrow]
    return bool(taken) and taken[-1] == "NEGATIVE"


def random_subject(draw: random.Random) -> list[Visit]:
    """A baseline and up to six visits."""
    names = draw.sample("ABLM", draw.choice((0, 1, 1, 2, 3)))
    sizes = {name: (float(draw.randint(12, 50)), float(draw.randint(8, 30))) for name in names}
    base = {
        "targets": {name: (long, min(long, short)) for name, (long, short) in sizes.items()},
        "other": draw.choice((None, None, "PRESENT")),
    }
    base |= {"new": {}, "spleen": draw.choice((None, 120, 150)), "marrow": draw.choice((None, None, "NEGATIVE", "POSITIVE"))}
    visits, now = [base], dict(base["targets"])
    for _ in range(draw.randint(1, 6)):
        for name, (long, short) in now.items():
            times = draw.choice((0.0, 0.4, 0.7, 0.9, 1.0, 1.0, 1.2, 1.5))
            long = round(long * times) if long else float(draw.choice((0, 0, 5, 16)))
            now[name] = (float(long), float(min(long, round(short * times)) if short else long))
        seen = {name: (None if draw.random() < 0.04 else size) for name, size in now.items()}
        found: dict[str, Any] = {}
        if draw.random() < 0.15:
            name = draw.choice(("N1", "X1"))
            length = float(draw.randint(8, 20))
            sizes_new = ((length, 8.0), (length, 8.0, "EQUIVOCAL"), "EQUIVOCAL", "UNEQUIVOCAL", "ABSENT")
            found[name] = draw.choice(sizes_new)
        other = draw.choice(("ABSENT", "ABSENT", "PRESENT", "UNEQUIVOCAL PROGRESSION")) if base["other"] and draw.random() < 0.9 else None
        spleen = draw.choice((None, 125, 130, 139, 140, 150, 160, 161)) if base["spleen"] else None
        visits.append(
            {"targets": seen, "new": found, "other": other, "spleen": spleen, "marrow": draw.choice((None, None, "NEGATIVE", "POSITIVE"))}
        )
    return visits


@pytest.mark.shows("RULE-L3.2", "RULE-L3.5")
def test_lesions_are_called_as_a_slow_second_implementation_calls_them(tmp_path: Path) -> None:
    """`independent`: random subjects, visits 60 days apart, through SDTM; every call of every visit on which something was measured."""
    draw = random.Random(11)
    drawn = {f"R{number:04d}": random_subject(draw) for number in range(count(3_000, quick=250))}
    subjects: Subjects = {
        who: [
            Scan(-7 if i == 0 else 60 * i, visit["targets"], visit["other"], visit["new"], visit["spleen"], visit["marrow"])
            for i, visit in enumerate(visits)
        ]
        for who, visits in drawn.items()
    }
    cutoff = TEXT.replace("cutoff: 2023-02-07", "cutoff: 2024-02-07")
    study = load_study(tmp_path, study_text(cutoff, criteria="lugano-2014-ct"))
    found = calls_of(derive(study, read_sdtm(write_subjects(tmp_path, subjects))).adresp, subjects)
    compared: dict[str, int] = {}
    for who, visits in drawn.items():
        measured = {
            i for i, visit in enumerate(visits) if any(visit["targets"].values()) or visit["other"] or visit["new"] or visit["spleen"]
        }
        if 0 not in measured:
            continue
        # a marrow alone is no scan; what it says is told by the scans within 28 days
        kept = [visit if i in measured else visit | {"marrow": None} for i, visit in enumerate(visits)]
        shown = [i for i in range(1, len(visits)) if i in measured]
        expected = [(60 * i, slow_ct(kept[0], [kept[j] for j in shown], shown.index(i))) for i in shown]
        assert found[who] == expected, (who, visits)
        for _, status in expected:
            compared[status] = compared.get(status, 0) + 1
    assert set(compared) == {"CR", "PR", "SD", "PD", "NE"} and sum(compared.values()) > 500


def spoilt(folder: Path, table: str, change: Any) -> pl.DataFrame:
    """Return the findings of a subject with two targets, a non-target and two PETs, of whom one table is spoilt."""
    scans: Subjects = {
        "01": [
            AVID,
            Scan(-7, {"A": (40, 30), "L": (25, 20)}, "PRESENT"),
            PET(28, "4", "DECREASED"),
            Scan(28, {"A": (20, 15), "L": (9, 8)}, "PRESENT"),
        ]
    }
    data = write_subjects(folder, scans)
    frame = pl.read_csv(data / f"{table}.csv", infer_schema=False).with_row_index("AT")
    change(frame).drop("AT").write_csv(data / f"{table}.csv")
    study = load_study(folder, study_text(TEXT))
    return check_sdtm(study, read_sdtm(data)).filter(pl.col("RULE").is_in([rule.id for rule in IMAGING_RULES]))


def put(at: int | list[int], **values: str | None) -> Any:
    """Change a record, or several."""
    places = [at] if isinstance(at, int) else at
    return lambda frame: frame.with_columns(
        pl.when(pl.col("AT").is_in(places)).then(pl.lit(value)).otherwise(name).alias(name) for name, value in values.items()
    )


def more(*, names: int) -> Any:
    """Repeat the records of the first target under other names."""
    own = [pl.col("TRLNKID").replace("A", f"{chr(66 + i)}").alias("TRLNKID") for i in range(names)]
    ident = [pl.lit("TARGET").alias("TRGRPID")]
    return lambda frame: pl.concat(
        [frame.with_columns(ident), *(frame.filter(TRLNKID="A").with_columns(ident).with_columns(name) for name in own)]
    )


SPOILT = [
    ("imaging-unread", "tr", put(0, TRSTRESU="inch"), "A length in 'inch' (1 record) cannot be brought to mm"),
    ("imaging-unread", "tr", put(0, TRSTRESC="4", TRSTRESN="4", TRSTRESU=None), "A length of 4 (1 record) without a unit may be in cm"),
    ("lesion-doubtful", "tr", put([0, 1], TRSTRESU=None), "A length has no unit (2 records); it is taken as mm"),
    ("lesion-baseline", "tu", put(1, TUSTRESC="NEW"), "Lesion L is NEW, and was seen before the infusion, on 2021-12-27"),
    (
        "imaging-unread",
        "tr",
        lambda frame: frame.with_columns(pl.lit("INDEPENDENT ASSESSOR").alias("TREVAL"), pl.lit("RADIOLOGIST 4").alias("TREVALID")),
        "'RADIOLOGIST 4' (10 records) is no known reader",
    ),
    ("imaging-unread", "tr", put(0, TRSTRESC="big", TRSTRESN=None), "'big' (1 record) is no length"),
    ("imaging-unread", "tr", put(0, TRSTRESC="-4", TRSTRESN="-4"), "'-4' (1 record) is no length"),
    ("imaging-unread", "tr", put(4, TRSTRESC="WORSE?"), "'WORSE?' (1 record) is no known state"),
    ("imaging-unread", "fa", put(0, FASTRESC="7"), "'7' (1 record) is no five-point score"),
    ("imaging-unread", "fa", put(1, FASTRESC="3-4"), "'3-4' (1 record) is no five-point score"),
    ("imaging-unread", "fa", put(1, FASTRESC="3 (4 in one node)"), "'3 (4 in one node)' (1 record) is no five-point score"),
    ("imaging-unread", "fa", put(2, FASTRESC="SIDEWAYS"), "'SIDEWAYS' (1 record) is no known change"),
    ("lesion-unidentified", "tu", lambda frame: frame.filter(pl.col("TULNKID") != "L"), "What lesion L is"),
    ("lesion-unidentified", "tr", put(0, TRLNKID=None), "TRLNKID is blank"),
    ("lesion-doubtful", "tr", put(5, TRSTRESC=None, TRSTRESN=None), "Of target A one diameter is recorded on 2022-01-31"),
    ("lesion-doubtful", "tr", put(1, TRSTRESC="50", TRSTRESN="50"), "LPERP is longer than LDIAM"),
    ("lesion-doubtful", "tr", put(1, TRTESTCD="LDIAM"), "two values of one diameter"),
    ("lesion-doubtful", "tu", put(0, TULOC=None), "Where lesion A is (TULOC) is not recorded"),
    ("lesion-doubtful", "tr", put(4, TRLNKID="A", TRSTRESC="ABSENT"), "Lesion A is absent on 2021-12-27, and has a length"),
    ("lesion-baseline", "tr", lambda frame: frame.filter(pl.col("TRDTC") > "2022"), "No lesion is measured before the infusion"),
    (
        "lesion-baseline",
        "tr",
        lambda frame: frame.with_columns(pl.col("TRDTC").replace("2021-12-27", "2021-12")),
        "The lesions measured before the infusion are dated 2021-12, no whole date",
    ),
    (
        "lesion-baseline",
        "tr",
        lambda frame: frame.filter((pl.col("TRDTC") > "2022") | (pl.col("TRLNKID") != "L")),
        "Target L is first measured after",
    ),
    (
        "uptake-contradicted",
        "fa",
        lambda frame: put(1, FASTRESC="2")(put(2, FATESTCD="NEWAVID", FASTRESC="Y")(frame)),
        "A new avid lesion is recorded on 2022-01-31 beside a score of 2",
    ),
    ("lesion-baseline", "tr", put([0, 1], TRSTRESC="14", TRSTRESN="14"), "Target A is a node of 14 mm at baseline"),
    ("lesion-baseline", "tr", more(names=6), "8 targets are measured"),
    ("imaging-other", "fa", put(0, FATESTCD="SUVMAX"), "FATESTCD 'SUVMAX' (1 record) of lymphoma is kept"),
    ("imaging-other", "tu", put(0, TUTESTCD="TUSPLIT"), "Lesion A was split or merged"),
]


@pytest.mark.parametrize(("rule", "table", "change", "said"), every(3, SPOILT))
def test_what_is_doubtful_in_imaging_is_told(rule: str, table: str, change: Any, said: str, tmp_path: Path) -> None:
    """By hand: each rule speaks of what it looks for."""
    found = spoilt(tmp_path, table, change).filter(RULE=rule)
    assert any(said in message for message in found["MESSAGE"]), found["MESSAGE"].to_list()


@pytest.mark.shows("RULE-L2.1", "STUDY-disease.criteria-of-calls.lesions")
def test_what_is_sound_in_imaging_is_silent_and_criteria_without_limits_derive_nothing(tmp_path: Path) -> None:
    """By hand: no rule speaks of the subject as it is; by iwg-2007, calls are collected alone, and a note says so."""
    assert spoilt(tmp_path / "a", "tr", lambda frame: frame).is_empty()
    study = load_study(tmp_path, study_text(TEXT, criteria="iwg-2007"))
    said = check_sdtm(study, read_sdtm(tmp_path / "a" / "data")).filter(RULE="imaging-not-derived")["MESSAGE"].to_list()
    assert said == ["10 records of TR are kept; the criteria, iwg-2007, derive no status from them."]


def test_the_calls_of_a_reader_stand_over_his_measurements(tmp_path: Path) -> None:
    """By hand, L4: the investigator calls SD on day 28 where his measurements are PR; the committee measured, and made no call."""
    data = write_subjects(tmp_path, {"01": [MASS, Scan(28, {"A": (20, 15)})]})
    keys = {"STUDYID": "LYM", "USUBJID": "01", "RSTESTCD": "OVRLRESP", "RSEVAL": "INVESTIGATOR"}
    pl.DataFrame([{**keys, "RSSEQ": 1, "RSSTRESC": "SD", "RSDTC": "2022-02-02"}]).write_csv(data / "rs.csv")
    study, source = load_study(tmp_path, study_text(TEXT)), read_sdtm(data)
    adam = derive(study, source)
    assert load_study(tmp_path, study_text(TEXT, reader="CRITERIA")).readers.primary == "LAB"
    calls = {(row[0], row[1]): row[2] for row in adam.adresp.filter(pl.col("CARDAY") > 0).select("READER", "CARDAY", "AVALC").rows()}
    assert calls == {("INV", 30): "SD", ("LAB", 28): "PR"}
    said = check_endpoints(study, adam).filter(RULE="call-against-lab")["MESSAGE"].to_list()
    assert said == ["INV says SD on day 30; the measurements under the criteria say PR. The reader's call is used."]


@pytest.mark.shows("RULE-L3.1")
def test_split_merged_and_centimetres_by_hand(tmp_path: Path) -> None:
    """By hand, L3. 4 x 3 cm is 1200; parts 20 x 15 and 10 x 9 are 390: PR. A and B are 1700, A/B 30 x 20: PR; then 44 x 40: PD."""
    data = write_subjects(
        tmp_path,
        {"01": [MASS, Scan(28, {"A.1": (20, 15), "A.2": (10, 9)})], "02": [TWO, Scan(28, {"A/B": (30, 20)}), Scan(90, {"A/B": (44, 40)})]},
    )
    tr = pl.read_csv(data / "tr.csv", infer_schema=False)
    first = (pl.col("USUBJID") == "01") & (pl.col("TRDTC") < "2022")
    size = (pl.col("TRSTRESN").cast(pl.Float64) / 10).cast(pl.String)
    units = [pl.when(first).then(size).otherwise(name).alias(name) for name in ("TRSTRESN", "TRSTRESC")]
    tr.with_columns(*units, pl.when(first).then(pl.lit("cm")).otherwise("TRSTRESU").alias("TRSTRESU")).write_csv(data / "tr.csv")
    tu = pl.read_csv(data / "tu.csv", infer_schema=False)
    tu.filter(pl.col("TULNKID").is_in(["A", "B"])).write_csv(data / "tu.csv")
    adresp = derive(load_study(tmp_path, study_text(TEXT)), read_sdtm(data)).adresp.filter(
        (pl.col("READER") == "INV") & (pl.col("CARDAY") > 0)
    )
    assert adresp.select("USUBJID", "CARDAY", "AVALC").rows() == [("01", 28, "PR"), ("02", 28, "PR"), ("02", 90, "PD")]
    assert all("split or merged lesions" in flags for flags in adresp["FLAGS"])


def test_independent_readers_who_measured_are_paired_and_accepted(tmp_path: Path) -> None:
    """By hand, L6. Readers 1 and 2: PR on day 28, PR and PD on day 90 (pending); with TRACPTFL reader 2's rows are the committee's."""
    first, second = (
        {"01": [MASS, Scan(28, {"A": (20, 15)}), Scan(90, {"A": (20, 15)})]},
        {"01": [MASS, Scan(28, {"A": (22, 15)}), Scan(90, {"A": (40, 30)})]},
    )
    data = write_subjects(tmp_path, first, evaluator=("INDEPENDENT ASSESSOR", "READER 1"))
    tables = {name: [pl.read_csv(data / f"{name}.csv", infer_schema=False)] for name in ("tu", "tr")}
    write_subjects(tmp_path, second, evaluator=("INDEPENDENT ASSESSOR", "RADIOLOGIST 2"))
    for name, parts in tables.items():
        more = pl.read_csv(data / f"{name}.csv", infer_schema=False).with_columns((pl.col(f"{name.upper()}SEQ").cast(int) + 100).cast(str))
        pl.concat([*parts, more]).write_csv(data / f"{name}.csv")
    study = load_study(tmp_path, study_text(TEXT, reader="IRC"))

    def committee() -> list[tuple[int, str]]:
        adresp = derive(study, read_sdtm(data)).adresp
        return adresp.filter((pl.col("READER") == "IRC") & (pl.col("CARDAY") > 0)).select("CARDAY", "AVALC").rows()

    assert committee() == [(28, "PR"), (90, "NE")]
    tr = pl.read_csv(data / "tr.csv", infer_schema=False)
    tr.with_columns(pl.when(pl.col("TREVALID") == "RADIOLOGIST 2").then(pl.lit("Y")).alias("TRACPTFL")).write_csv(data / "tr.csv")
    assert committee() == [(28, "PR"), (90, "PD")]


@pytest.mark.shows("RULE-L7.1")
def test_measurable_or_avid_disease_is_evaluable_by_hand(tmp_path: Path) -> None:
    """L7: a target, or a five-point score of 4 or 5 before lymphodepletion; a non-target alone, or nothing, is none."""
    later = Scan(28, {"A": (20, 15)})
    subjects: Subjects = {
        "target": [MASS, later],
        "avid": [PET(-7, "4"), PET(28, "2")],
        "cold": [PET(-7, "3"), PET(28, "2")],
        "non-target": [Scan(-7, {}, "PRESENT"), Scan(28, {}, "ABSENT")],
        "gone": [Scan(-7, {"A": "ABSENT"}), Scan(28, {"A": (20, 15)}, new={"N1": (20, 15)})],
    }
    adam = derive(load_study(tmp_path, study_text(TEXT)), read_sdtm(write_subjects(tmp_path, subjects)))
    assert set(adam.adsl.filter(EVALFL="Y")["USUBJID"]) == {"target", "avid"}
