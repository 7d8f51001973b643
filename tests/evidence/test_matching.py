"""A study compared with others that are no part of it: what is refused, what stands beside an estimate, and what is typed.

Origin of every expectation, unless said: `by hand`, from the numbers that a test writes.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from cartrial.analysis import Moment, compare_weighted_rates, estimate_moment_weights, estimate_propensity, estimate_weighted_hazard
from cartrial.errors import InputError
from cartrial.evidence import load_evidence, read_assumptions
from cartrial.evidence.matching.external import compare_external, read_control
from cartrial.evidence.matching.match import match_patients
from cartrial.evidence.matching.model import Against, Control
from cartrial.evidence.matching.told import compared_document, compared_lines, matched_document, matched_lines
from cartrial.study import Study
from cartrial.yamlfile import read_as
from helpers import WORKED, run_cli

STUDY = Study.load("inaticel")
ENDPOINTS = {endpoint.id: endpoint for endpoint in STUDY.endpoints}
ASSUMED = read_assumptions(["window=within month 3", "reader=IRC", "hsct=composite", "new-therapy=composite", "criteria=nccn"])
AGAINST = {
    "schema": 1,
    "source": "a paper",
    "of": 100,
    "covariates": [{"id": "AGE", "mean": "45", "sd": "10"}, {"id": "SEX", "level": "F", "share": "40"}],
    "result": "germany-cr",
}
CONTROL = {
    "schema": 1,
    "source": "a registry",
    "table": "control.csv",
    "time": "months",
    "event": "dead",
    "unit": "months",
    "endpoint": "OS",
    "population": "infused",
    "origin": "day-0",
    "reader": "not-applicable",
    "strategies": {"hsct": "treatment-policy", "new-therapy": "treatment-policy"},
    "criteria": "not-applicable",
    "covariates": {"AGE": "age", "SEX": "sex"},
}


def invented(n: int = 60, seed: int = 5) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "USUBJID": [f"S-{k}" for k in range(n)],
            "AGE#": random.normal(40, 12, n).round(),
            "AGE": ["< 40 years"] * n,
            "SEX": random.choice(["F", "M"], n),
            "RESPONSE": random.integers(0, 2, n).astype(float),
            "TIME": random.integers(20, 500, n).astype(float),
            "EVENT": random.integers(0, 2, n),
        }
    )


def against(**changes: object) -> Against:
    return Against.model_validate(AGAINST | changes)


def test_matching_is_that_of_the_estimators_and_says_what_it_rests_on() -> None:
    """Independent: moments written out, with a standard deviation of 100 patients; Germany's rate is 71 of 81."""
    patients = invented()
    found = match_patients(STUDY, ENDPOINTS["CRW3"], patients, against(), load_evidence(), assume=ASSUMED, resamples=50)
    age, female = patients["AGE#"].to_numpy(), (patients["SEX"] == "F").to_numpy().astype(float)
    moments = [Moment("a", age, 45), Moment("b", age**2, 45**2 + 100 * 99 / 100), Moment("c", female, 0.4)]
    weights = estimate_moment_weights(moments)
    assert found.weights.effective == pytest.approx(weights.effective) and found.patients == 60
    expected = compare_weighted_rates(patients["RESPONSE"].to_numpy(), weights, 71, 81)
    assert found.contrasts[0] == expected
    assert found.unadjusted == pytest.approx(patients["RESPONSE"].mean() - 71 / 81)
    assert "criteria=nccn" in found.assumed and not found.warnings
    said = "\n".join(matched_lines(found))
    for text in (
        "after matching",
        "AGE, squared",
        "risk difference",
        "bootstrap of both sides",
        "E-value",
        "Assumed:",
        "unanchored",
        "their rate of 81",
    ):
        assert text in said
    assert json.loads(json.dumps(matched_document(found)))["bootstrap"]["both"] is True


def test_few_effective_patients_have_no_p_value() -> None:
    patients = invented(40).with_columns(pl.Series("AGE#", [30.0] * 37 + [60.0, 61.0, 62.0]), pl.Series("SEX", ["F", "M"] * 20))
    found = match_patients(
        STUDY, ENDPOINTS["CRW3"], patients, against(covariates=[{"id": "AGE", "mean": "58"}]), load_evidence(), assume=ASSUMED
    )
    assert found.weights.effective < 10 and "too few to test anything" in found.warnings[0]
    said = list(matched_lines(found))
    assert not any(", p " in line for line in said) and said[-1].startswith("Warning: the weights are worth")
    assert "risk difference" in "".join(said) and not any(" to " in line for line in said if line.startswith("risk"))
    assert all(one[name] is None for one in matched_document(found)["contrasts"] for name in ("p_value", "lower", "upper"))


@pytest.mark.parametrize("response", [0.0, 1.0])
def test_a_rate_that_all_or_none_reached_has_no_limits(response: float) -> None:
    """By hand: 60 of 60 do not make a rate of 100 % known without error; no ratio of odds is computed of it."""
    patients = invented().with_columns(RESPONSE=pl.lit(response))
    found = match_patients(STUDY, ENDPOINTS["CRW3"], patients, against(), load_evidence(), assume=ASSUMED, resamples=20)
    assert [one.scale for one in found.contrasts] == ["risk difference"] and found.bootstrap is None
    assert found.contrasts[0].estimate == pytest.approx(response - 71 / 81) and np.isnan(found.contrasts[0].lower)
    said = "\n".join(matched_lines(found))
    assert "no limits" in said and ", p " not in said and "standard error" not in said
    assert "of the 60 patients responded" in found.warnings[0]


def test_nobody_assessable_is_said_so_and_a_characteristic_that_is_no_number_is_refused() -> None:
    patients = invented().with_columns(RESPONSE=pl.lit(None, pl.Float64))
    with pytest.raises(InputError, match="of no patient the CRW3 can be assessed yet"):
        match_patients(STUDY, ENDPOINTS["CRW3"], patients, against(), load_evidence(), assume=ASSUMED)
    for name, target in (("mean", {"mean": "NR"}), ("sd", {"mean": "45", "sd": "NE"})):
        with pytest.raises(ValueError, match=f"the {name} of AGE is no number"):
            against(covariates=[{"id": "AGE", **target}])


def test_who_lacks_a_characteristic_is_counted_and_who_is_at_a_median_stands_between() -> None:
    """By hand: of 4 patients one has no age; 40, 50 and 60 against a median of 50 is met without weights."""
    patients = invented(4).with_columns(pl.Series("AGE#", [None, 40.0, 50.0, 60.0]), pl.Series("RESPONSE", [1.0, 0.0, 1.0, 1.0]))
    found = match_patients(
        STUDY, ENDPOINTS["CRW3"], patients, against(covariates=[{"id": "AGE", "median": "50"}]), load_evidence(), assume=ASSUMED
    )
    assert found.patients == 3 and found.weights.effective == pytest.approx(3)
    assert "1 patients without AGE are left out" in found.notes
    assert "1 patients are at the median 50 of AGE: each counts half above it" in found.notes
    open_ = patients.with_columns(pl.Series("AGE#", [50.0, 40.0, 50.0, 60.0]), pl.Series("RESPONSE", [None, 1.0, 1.0, 1.0]))
    later = match_patients(
        STUDY, ENDPOINTS["CRW3"], open_, against(covariates=[{"id": "AGE", "median": "50"}]), load_evidence(), assume=ASSUMED
    )
    assert later.tip == 1  # 3/4 is below 71/81, 4/4 is not


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"result": "germany-cr", "covariates": [{"id": "AGE", "mean": "90"}]}, "AGE 90 is outside what the patients have"),
        ({"covariates": [{"id": "AGE", "sd": "3"}]}, "standard deviation without a mean"),
        ({"covariates": [{"id": "AGE", "mean": 45}]}, "the number must be text"),
        ({"covariates": [{"id": "AGE", "mean": "45", "median": "44"}]}, "not given by one of mean, median and share"),
        ({"covariates": [{"id": "SEX", "share": "40"}]}, "needs both a level and its share"),
        ({"covariates": [{"id": "SEX", "level": "F", "share": "140"}]}, "no share in per cent"),
        ({"covariates": [{"id": "SEX", "level": "X", "share": "40"}]}, "no patient has SEX = X"),
        ({"covariates": [{"id": "SEX", "level": "F", "share": "0"}]}, "on the edge of what the patients span"),
        ({"covariates": [{"id": "SEX", "level": "F", "share": "100"}]}, "on the edge of what the patients span"),
        ({"covariates": [{"id": "SEXX", "level": "F", "share": "40"}]}, "no characteristic 'SEXX'"),
        ({"covariates": [{"id": "SEX", "mean": "4"}]}, "SEX is no number"),
        ({"covariates": []}, "at least 1"),
        ({"result": "inati-39-crw"}, "is of this very trial"),
        ({"result": "germany-c"}, "no result is called"),
        ({"result": "eliana-79-orr"}, "response differs"),
        ({"result": None}, "one outcome of the others is compared"),
        ({"of": 1}, "the number must be at least 2"),
    ],
)
def test_what_cannot_be_matched_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    """One message each, and nothing is estimated."""
    path = tmp_path / "against.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in (AGAINST | changes).items() if value is not None}), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        match_patients(STUDY, ENDPOINTS["CRW3"], invented(), read_as(Against, path)[0], load_evidence(), assume=ASSUMED)


def test_unlike_estimands_are_refused_with_each_reason() -> None:
    with pytest.raises(InputError) as refused:
        match_patients(STUDY, ENDPOINTS["CRW3"], invented(), against(), load_evidence())
    for name in ("window", "reader", "hsct", "new-therapy", "criteria"):
        assert f"{name} is not established" in str(refused.value)
    with pytest.raises(InputError, match="OS is no response rate"):
        match_patients(STUDY, ENDPOINTS["OS"], invented(), against(), load_evidence(), assume=ASSUMED)


def reconstructed(folder: Path, rows: pl.DataFrame) -> dict[str, object]:
    """Write individuals as `cartrial evidence curve` does, and return what names them."""
    folder.mkdir()
    rows.select(AVAL="TIME", CNSR=1 - pl.col("EVENT"), PROVENANCE=pl.lit("reconstructed")).write_csv(folder / "ipd.csv")
    words = ("endpoint", "population", "origin", "reader", "strategies", "criteria")
    return {"folder": folder.name, "unit": "days"} | {key: CONTROL[key] for key in words}


def test_survival_is_matched_to_a_reconstructed_curve(tmp_path: Path) -> None:
    """Independent: the same weights put into the estimator; both scalings and the unadjusted ratio are told."""
    patients, others = invented(), invented(80, 7)
    curve = reconstructed(tmp_path / "arm", others)
    held = against(result=None, curve=curve)
    found = match_patients(STUDY, ENDPOINTS["OS"], patients, held, load_evidence(), folder=tmp_path)
    weights = found.weights.scaled(found.weights.effective)
    time, event = (np.append(patients[name].to_numpy(), others[name].to_numpy()) for name in ("TIME", "EVENT"))
    expected = estimate_weighted_hazard(time, event, np.repeat([1, 0], [60, 80]), np.append(weights, np.ones(80)))
    assert found.hazards["weights sum to the effective number"] == expected
    assert len(found.hazards) == 3 and found.e_value is not None
    with pytest.raises(InputError, match="origin differs: day-0 of OS, enrolment of arm"):
        match_patients(STUDY, ENDPOINTS["OS"], patients, against(result=None, curve=curve | {"origin": "enrolment"}), load_evidence())
    with pytest.raises(InputError, match="origin is not established"):
        match_patients(STUDY, ENDPOINTS["OS"], patients, against(result=None, curve=curve | {"origin": "not-stated"}), load_evidence())


def control(folder: Path, others: pl.DataFrame, **changes: object) -> tuple[Control, pl.DataFrame]:
    table = others.select(age="AGE#", sex="SEX", months=pl.col("TIME") / 30.4375, dead="EVENT")
    table.write_csv(folder / "control.csv")
    held = Control.model_validate(CONTROL | changes)
    return held, read_control(held, folder)


def test_few_effective_others_have_no_limits_and_what_still_differs_is_said(tmp_path: Path) -> None:
    """By hand: 118 of the 120 others are far older than any patient, so that two of them carry the weights."""
    others = invented(120, 9).with_columns(pl.col("TIME") + 10, pl.Series("AGE#", [95.0, 96.0] * 59 + [40.0, 41.0]))
    found = compare_external(STUDY, ENDPOINTS["OS"], invented(), *control(tmp_path, others))
    assert found.weights.effective[1] < 10 and "of 120 others: too few" in found.warnings[0] and "still differ" in found.warnings[1]
    lines = [line for line in compared_lines(found) if line.startswith("hazard ratio")]
    assert ", p " in lines[0] and lines[1].endswith("no limits")
    assert compared_document(found)["hazard"]["upper"] is None


def test_rows_and_columns_that_stand_twice_are_told(tmp_path: Path) -> None:
    others = invented(120, 9).with_columns(pl.col("TIME") + 10)
    found = compare_external(STUDY, ENDPOINTS["OS"], invented(), *control(tmp_path, pl.concat([others, others.head(7)])))
    assert "7 rows of the others are equal to another" in found.notes[0]
    (tmp_path / "control.csv").write_text("months,dead,age,sex,age\n1,1,40,F,50\n", encoding="utf-8")
    with pytest.raises(InputError, match="the column age stands twice"):
        read_control(Control.model_validate(CONTROL), tmp_path)


def test_an_external_control_is_that_of_the_estimators(tmp_path: Path) -> None:
    patients, others = invented(), invented(120, 9).with_columns(pl.col("TIME") + 10)
    held, table = control(tmp_path, others)
    found = compare_external(STUDY, ENDPOINTS["OS"], patients, held, table)
    x = np.column_stack([np.append(patients["AGE#"], others["AGE#"]), np.append(patients["SEX"] == "M", others["SEX"] == "M")]).astype(
        float
    )
    arm = np.repeat([1, 0], [60, 120])
    weights = estimate_propensity(x, arm, ["AGE", "SEX M"])
    time, event = np.append(patients["TIME"], others["TIME"]), np.append(patients["EVENT"], others["EVENT"])
    expected = estimate_weighted_hazard(time, event, arm, weights.weights)
    assert found.hazard.hazard_ratio == pytest.approx(expected.hazard_ratio, rel=1e-9)
    assert found.weights.effective == pytest.approx(weights.effective)
    said = "\n".join(compared_lines(found))
    for text in ("standardised difference", "worth 60.0 and", "weighted survival on day 183", "E-value", "confounder"):
        assert text in said
    assert json.loads(json.dumps(compared_document(found)))["estimand"] == "treated"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"origin": "enrolment"}, "origin differs: day-0 of OS, enrolment of control.csv"),
        ({"endpoint": "EFS"}, "endpoint differs"),
        ({"population": "enrolled"}, "population differs"),
        ({"origin": "not-stated"}, "origin is not established"),
        ({"strategies": {"hsct": "hypothetical", "new-therapy": "treatment-policy"}}, "hsct differs"),
    ],
)
def test_time_zero_and_estimand_must_be_the_same(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    held, table = control(tmp_path, invented(50, 3), **changes)
    with pytest.raises(InputError, match=said):
        compare_external(STUDY, ENDPOINTS["OS"], invented(), held, table)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"EVENT": pl.lit(0)}, r"control.csv, dead: none of the 50 others has an event of OS\. A hazard ratio needs events"),
        ({"TIME": pl.lit(0.0)}, "no time of the others is above 0"),
        (
            {"SEX": pl.col("SEX").replace({"F": "Female", "M": "Male"})},
            "SEX has the levels F, M in the study and Female, Male among the others",
        ),
        ({"SEX": pl.lit("F")}, "levels of SEX stand on one side alone: M in the study"),
    ],
)
def test_others_without_events_or_with_other_levels_are_refused(tmp_path: Path, change: dict[str, pl.Expr], said: str) -> None:
    held, table = control(tmp_path, invented(50, 3).with_columns(pl.col("TIME") + 500).with_columns(**change))
    with pytest.raises(InputError, match=said):
        compare_external(STUDY, ENDPOINTS["OS"], invented(), held, table)


def test_patients_without_events_are_refused(tmp_path: Path) -> None:
    held, table = control(tmp_path, invented(50, 3).with_columns(pl.col("TIME") + 500))
    with pytest.raises(InputError, match="none of the 60 patients of the study has an event of OS"):
        compare_external(STUDY, ENDPOINTS["OS"], invented().with_columns(EVENT=pl.lit(0)), held, table)


def test_a_control_that_is_followed_less_is_refused_and_can_be_cut(tmp_path: Path) -> None:
    patients, others = invented(), invented(50, 3).with_columns(pl.col("TIME").clip(0, 200))
    held, table = control(tmp_path, others)
    with pytest.raises(InputError, match="follow-up of the others ends on day 200"):
        compare_external(STUDY, ENDPOINTS["OS"], patients, held, table)
    found = compare_external(STUDY, ENDPOINTS["OS"], patients, held, table, until=200)
    assert found.events[0] == int(((patients["EVENT"] == 1) & (patients["TIME"] <= 200)).sum())
    assert "times after day 200 are censored" in found.notes
    apart = patients.with_columns(pl.Series("AGE#", np.arange(60) + 200.0))
    with pytest.raises(InputError, match="no common support"):
        compare_external(STUDY, ENDPOINTS["OS"], apart, held, table, until=200)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("age,sex,months\n40,F,3\n", "there is no column dead"),
        ("age,sex,months,dead\n40,F,3,2\n", "an event is neither 0 nor 1"),
        ("age,sex,months,dead\n40,F,-3,1\n", "a time is negative"),
        ("age,sex,months,dead\n40,F,x,1\n", "a value is missing or no number"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: str, said: str) -> None:
    (tmp_path / "control.csv").write_text(table, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_control(Control.model_validate(CONTROL), tmp_path)


@pytest.mark.slow
@pytest.mark.shows("CMD-evidence-external", "CMD-evidence-match")
def test_it_is_typed(tmp_path: Path) -> None:
    """The worked study has no baseline characteristics: each command ends with one message and exit code 2."""
    (tmp_path / "against.yaml").write_text(yaml.safe_dump(AGAINST), encoding="utf-8")
    (tmp_path / "control.yaml").write_text(yaml.safe_dump(CONTROL), encoding="utf-8")
    invented(30).select(age="AGE#", sex="SEX", months="TIME", dead="EVENT").write_csv(tmp_path / "control.csv")
    where = (WORKED, "--data", WORKED / "data")
    tried = [
        (("match", *where, "--endpoint", "ORRX", "--against", tmp_path / "against.yaml"), "the study has no endpoint 'ORRX'"),
        (("match", *where, "--endpoint", "ORR3", "--against", tmp_path / "none.yaml"), "none.yaml"),
        (("external", *where, "--endpoint", "OS", "--control", tmp_path / "control.yaml"), "no characteristic 'AGE'"),
    ]
    for arguments, said in tried:
        code, out, err = run_cli("evidence", *arguments)
        assert (code, out) == (2, "") and said in err, err
