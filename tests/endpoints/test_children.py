"""Age, weight and dose of children. Origin of every expected value: `by hand` (rules for children, P1, P2 and subjects 11, 12 of P6)."""

from __future__ import annotations

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.sdtm import require_sdtm
from cartrial.study import Study
from children_example import STUDY_YAML, derived, infused, loaded, weighed, write
from helpers import run_cli

AGES = (
    # age, unit, years, stratum: a boundary is in the upper one
    (30, "MONTHS", 2.5, "< 3"),
    (36, "Months", 3.0, "3 to < 10"),
    (156.54, "WEEKS", 3.0, "3 to < 10"),
    (730.5, "DAYS", 2.0, "< 3"),
    (119, "MONTHS", 119 / 12, "3 to < 10"),
    (120, "MONTHS", 10.0, "10 to < 18"),
    (17.9, "YEARS", 17.9, "10 to < 18"),
    (18, None, 18.0, ">= 18"),
)


def people(*rows):
    return [{"USUBJID": name, "SEX": "F", **row} for name, row in rows]


@pytest.mark.shows("RULE-P1.1")
def test_an_age_is_brought_to_years_and_has_its_stratum(tmp_path):
    names = [f"P{i}" for i in range(len(AGES))]
    dm = people(*((name, {"AGE": age, "AGEU": unit}) for name, (age, unit, _, _) in zip(names, AGES, strict=True)))
    found = derived(tmp_path, {"DM": dm, "EX": [infused(name) for name in names]}).adam.adsl.sort("USUBJID")
    assert found["AGE"].to_list() == pytest.approx([years for _, _, years, _ in AGES])
    assert found["AGEGR1"].to_list() == [stratum for _, _, _, stratum in AGES]


def test_an_unknown_unit_of_age_stops(tmp_path):
    data = loaded(tmp_path, {"DM": people(("P1", {"AGE": 30, "AGEU": "FORTNIGHTS"})), "EX": [infused("P1")]})
    with pytest.raises(InputError, match=r"dm\.csv.*row 2.*FORTNIGHTS.*YEARS, MONTHS, WEEKS and DAYS"):
        require_sdtm(data.study, data.source)
    code, _, said = run_cli("report", tmp_path, "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert code == 2 and "FORTNIGHTS" in said and not (tmp_path / "out").exists()


def messages(findings, rule):
    return findings.filter(RULE=rule).select("USUBJID", "MESSAGE").rows()


@pytest.mark.shows("RULE-P1.1")
def test_an_age_is_compared_with_the_birth(tmp_path):
    # born 2019-07-10: on 2022-01-03 two years and five months; 30 months is 2.5 years, within a year; 4 years is not
    dm = people(
        ("P1", {"AGE": 30, "AGEU": "MONTHS", "BRTHDTC": "2019-07-10"}),
        ("P2", {"AGE": 4, "AGEU": "YEARS", "BRTHDTC": "2019-07-10"}),
        ("P3", {"AGE": 4, "AGEU": "YEARS", "BRTHDTC": "2019"}),
    )
    found = messages(loaded(tmp_path, {"DM": dm, "EX": [infused(name) for name in ("P1", "P2", "P3")]}).findings, "age-birth")
    assert found == [("P2", "The age is 4.0 years, and by the birth (2019-07-10) 2 years and 5 months at the infusion.")]


@pytest.mark.shows("RULE-P1.1")
def test_a_doubtful_age_in_a_study_of_children(tmp_path):
    dm = people(("P1", {"AGE": 2}), ("P2", {"AGE": 26, "AGEU": "YEARS"}), ("P3", {"AGE": 25}), ("P4", {"AGE": 2, "AGEU": "YEARS"}))
    tables = {"DM": dm, "EX": [infused(name) for name in ("P1", "P2", "P3", "P4")]}
    assert [name for name, _ in messages(loaded(tmp_path, tables).findings, "age-doubtful")] == ["P1", "P2"]
    (tmp_path / "adults").mkdir()
    adults = STUDY_YAML.replace("eligibility: {age: {from: 1, to: 21, source: example}}\n", "")
    assert [name for name, _ in messages(loaded(tmp_path / "adults", tables, adults).findings, "age-doubtful")] == ["P1"]


@pytest.mark.shows("RULE-P2.1")
def test_a_weight_is_brought_to_kilograms(tmp_path):
    units = {"P1": (12, "kg", 12.0), "P2": (31000, "g", 31.0), "P3": (110, "LB", 49.8951607), "P4": (20, None, 20.0)}
    tables = {"EX": [infused(name) for name in units], "VS": [weighed(name, value, unit) for name, (value, unit, _) in units.items()]}
    found = derived(tmp_path, tables).adam.adsl.sort("USUBJID")
    assert found["WEIGHT"].to_list() == pytest.approx([kilograms for _, _, kilograms in units.values()], rel=1e-12)


@pytest.mark.shows("RULE-P2.1")
def test_the_weight_is_the_last_one_before_lymphodepletion(tmp_path):
    depleted = {"USUBJID": "P1", "EXTRT": "FLUDARABINE", "EXDOSE": 30, "EXDOSU": "mg/m2", "EXSTDTC": "2021-12-29"}
    weights = [weighed("P1", 11, "kg"), weighed("P1", 12, "kg", "2021-12-28"), weighed("P1", 13, "kg", "2021-12-30")]
    found = derived(tmp_path, {"EX": [infused("P1"), depleted], "VS": weights}).adam.adsl
    assert found.select("WEIGHT", "DOSEKG", "DOSERNG").rows() == [(12.0, 1.0e6, "within")]


@pytest.mark.shows("RULE-P2.1")
def test_a_weight_in_another_unit_is_an_error_and_no_number(tmp_path):
    of = derived(tmp_path, {"EX": [infused("P1")], "VS": [weighed("P1", 4, "stone")]})
    assert of.findings.filter(RULE="weight-unit")["SEVERITY"].to_list() == ["stop"]
    assert of.adam.adsl.select("WEIGHT", "DOSEKG", "DOSERNG").rows() == [(None, None, None)]


DOSES = {
    # name: weight, infusions as dose, unit and date, dose per kg, level
    "P11": (12.0, [(1.2e7, "CELLS", "2022-01-03")], 1.0e6, "within"),
    "P12A": (50.0, [(2.6e8, "CELLS", "2022-01-03")], 5.2e6, "outside"),
    "P12B": (50.1, [(2.6e8, "CELLS", "2022-01-03")], 2.6e8 / 50.1, "outside"),
    "PFRAC": (12.0, [(6.0e6, "CELLS", "2022-01-03"), (6.0e6, "CELLS", "2022-01-04")], 1.0e6, "within"),
    "PLOW": (10.0, [(2.0e6, "CELLS", "2022-01-03")], 0.2e6, "within"),
    "PKG": (20.0, [(1.0, "10^6 CELLS/kg", "2022-01-03")], 1.0e6, "within"),
    # heavier than 50 kg: 4.0e6/kg is 2.4e8 in all
    "PHEAVY": (60.0, [(4.0, "10^6 cells/kg", "2022-01-03")], 4.0e6, "within"),
    "PNONE": (None, [(1.2e7, "CELLS", "2022-01-03")], None, None),
}


@pytest.mark.shows(
    "RULE-P2.2",
    "STUDY-product.dose-range",
    "STUDY-product.dose-range.to",
    "STUDY-product.dose-range.boundary",
    "STUDY-product.dose-range.dose",
    "STUDY-product.dose-range.low",
    "STUDY-product.dose-range.high",
)
def test_a_dose_has_its_range_by_weight(tmp_path):
    ex = [infused(name, dose, unit, date) for name, (_, given, _, _) in DOSES.items() for dose, unit, date in given]
    vs = [weighed(name, weight, "kg") for name, (weight, _, _, _) in DOSES.items() if weight is not None]
    of = derived(tmp_path, {"EX": ex, "VS": vs})
    found = {name: (dose, level) for name, dose, level in of.adam.adsl.select("USUBJID", "DOSEKG", "DOSERNG").rows()}
    assert {name: level for name, (_, level) in found.items()} == {name: level for name, (_, _, _, level) in DOSES.items()}
    for name, (_, _, dose, _) in DOSES.items():
        assert found[name][0] == (None if dose is None else pytest.approx(dose, rel=1e-9))
    assert messages(of.findings, "dose-outside") == [
        ("P12A", "The dose is 5.2e6 cells/kg (2.6e8 cells, 50 kg); for this weight the study asks for 2e5 to 5e6 cells/kg."),
        ("P12B", "The dose is 2.6e8 cells (5.19e6 cells/kg, 50.1 kg); for this weight the study asks for 1e7 to 2.5e8 cells."),
    ]
    assert [name for name, _ in messages(of.findings, "weight-missing")] == ["PNONE"]


def test_without_any_weight_one_finding_says_so(tmp_path):
    of = derived(tmp_path, {"EX": [infused("P1"), infused("P2")]})
    assert [name for name, _ in messages(of.findings, "weight-missing")] == [None]
    assert of.adam.adsl["DOSERNG"].to_list() == [None, None]


def test_a_dose_in_no_unit_of_cells_stops_where_a_range_is_asked_for(tmp_path):
    of = derived(tmp_path, {"EX": [infused("P1", unit="mg")], "VS": [weighed("P1", 12, "kg")]})
    assert of.findings.filter(RULE="dose-unit")["SEVERITY"].to_list() == ["stop"]
    assert of.adam.adsl["DOSERNG"].to_list() == [None]


@pytest.mark.parametrize(
    ("bands", "said"),
    [
        ("[{to: 50, dose: total, low: 1, high: 2}, {dose: total, low: 1, high: 2}]", "boundary"),
        ("[{to: 50, boundary: lower, dose: total, low: 1, high: 2}]", "last band"),
        ("[{dose: total, low: 3, high: 2}]", "low"),
        ("[{to: 50, boundary: upper, dose: total, low: 1, high: 2}, {to: 40, boundary: upper, dose: total, low: 1, high: 2}]", "rise"),
    ],
)
@pytest.mark.shows("STUDY-product.dose-range")
def test_a_table_of_doses_that_cannot_be_is_refused(tmp_path, bands, said):
    text = STUDY_YAML.split("  dose-range:\n")[0] + f"  dose-range: {bands}\n" + STUDY_YAML[STUDY_YAML.index("eligibility:") :]
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        Study.load(path)


@pytest.mark.shows("STUDY-product.dose-range.dose")
def test_a_single_range_in_all_needs_no_weight(tmp_path):
    text = STUDY_YAML.split("  dose-range:\n")[0] + "  dose-range: [{dose: total, low: 1.0e+7, high: 2.0e+7}]\n"
    of = derived(tmp_path, {"EX": [infused("P1"), infused("P2", 3e7)]}, text + STUDY_YAML[STUDY_YAML.index("eligibility:") :])
    assert of.adam.adsl.select("DOSEKG", "DOSERNG").rows() == [(None, "within"), (None, "outside")]
    assert of.findings.filter(pl.col("RULE") == "weight-missing").is_empty()


@pytest.mark.slow
def test_the_report_shows_the_characteristics(tmp_path):
    write(tmp_path, {"EX": [infused("P1"), infused("P2", 2.6e8)], "VS": [weighed("P1", 12, "kg"), weighed("P2", 50.1, "kg")]})
    code, _, said = run_cli("report", tmp_path, "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert code == 0, said
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Dose range" in page and "outside" in page
