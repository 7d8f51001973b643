"""The model that a study file asks for: its words, its samples, its refusals, its files."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from math import log
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cartrial import InputError, Study
from cartrial.kinetics import Plan, draw_curves, fit_kinetics
from cartrial.kinetics.samples import covariates_of, derive_adppk, described, illegible
from cartrial.report.study.cells.fits import fit_cells
from cartrial.sdtm import Source
from cartrial.sdtm.records import derive_records
from cartrial.study.cells import CellModel
from helpers import BASE, ROOT, data_path, load_study, needs_data, run_cli

MODEL = "kinetics: {limit: {CARTG: 50, source: assay}, model: {curve: rate}}\n"
START = date(2022, 1, 1)


def source(rows: list[tuple[str, int, str, float | None]]) -> Source:
    """SDTM of samples: subject, day, result as text, limit of quantitation."""
    who = sorted({row[0] for row in rows})
    dm = pl.DataFrame({"STUDYID": "S", "USUBJID": who})
    ex = dm.with_columns(EXSEQ=1, EXTRT=pl.lit("INATICABTAGENE AUTOLEUCEL"), EXSTDTC=pl.lit(START.isoformat()))
    lb = pl.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": [row[0] for row in rows],
            "LBSEQ": list(range(1, len(rows) + 1)),
            "LBTESTCD": "CARTG",
            "LBSPEC": "BLOOD",
            "LBORRES": [row[2] for row in rows],
            "LBSTRESC": [row[2] for row in rows],
            "LBSTRESN": [float(row[2]) if row[2].replace(".", "").isdigit() else None for row in rows],
            "LBSTRESU": "copies/ug DNA",
            "LBLLOQ": [row[3] for row in rows],
            "LBDTC": [(START + timedelta(days=row[1])).isoformat() for row in rows],
        },
        schema_overrides={"LBSTRESN": pl.Float64, "LBLLOQ": pl.Float64},
    )
    return Source({"DM": dm, "EX": ex, "LB": lb})


def adppk(study: Study, rows: list[tuple[str, int, str, float | None]]) -> pl.DataFrame:
    return derive_adppk(study, derive_records(study, source(rows)))


@pytest.mark.shows("STUDY-kinetics.limit", "STUDY-kinetics.limit.CARTG")
def test_a_sample_is_measured_or_beyond_a_limit(tmp_path: Path) -> None:
    """By hand. The study file's limit is 50: 20 is below it, `<100` is below 100, 0 below 50, `>9000` is at least 9000."""
    rows = [("A", 3, "20", None), ("A", 7, "400", None), ("A", 14, ">9000", None), ("B", 7, "<100", None), ("B", 14, "0", None)]
    found = adppk(load_study(tmp_path, BASE + MODEL), rows)
    assert found.select("USUBJID", "AFRLT", "AVAL", "ALLOQ", "BLQFL", "ALQFL", "MDV").rows() == [
        ("A", 3.0, None, 50.0, "Y", "N", 1),
        ("A", 7.0, 400.0, 50.0, "N", "N", 0),
        ("A", 14.0, 9000.0, 50.0, "N", "Y", 1),
        ("B", 7.0, None, 100.0, "Y", "N", 1),
        ("B", 14.0, None, 50.0, "Y", "N", 1),
    ]
    assert found["DV"].to_list() == pytest.approx([log(50), log(400), log(9000), log(100), log(50)])


@pytest.mark.shows("STUDY-kinetics.limit")
def test_a_limit_may_come_from_the_source_and_must_come_from_somewhere(tmp_path: Path) -> None:
    """By hand: with a limit in every row none need be declared; a recorded 0 without any is refused."""
    bare = load_study(tmp_path, BASE + "kinetics: {model: {curve: rate}}\n")
    assert adppk(bare, [("A", 3, "20", 25.0), ("A", 7, "400", 25.0)])["ALLOQ"].to_list() == [25.0, 25.0]
    with pytest.raises(InputError, match="2 samples of CARTG have no limit of quantitation above 0, 1 samples are not quantifiable"):
        adppk(bare, [("A", 3, "0", None), ("A", 7, "400", None)])


def test_a_limit_is_above_0_is_compared_by_12_digits_and_of_two_the_higher_counts(tmp_path: Path) -> None:
    """By hand (rules, A9; the reading of several limits). A limit of 0 or less is none: 400 and 20 are refused without a declared one.

    49.99999999999999 is 50 as an XPT number has it, so at its limit of 50 and measured; 49.99 is below it. `<10` in a row whose limit is 50
    is below 50, `<100` there below 100.
    """
    bare = load_study(tmp_path, BASE + "kinetics: {model: {curve: rate}}\n")
    for limit in (0.0, -1.0):
        with pytest.raises(InputError, match="2 samples of CARTG have no limit of quantitation above 0, 0 samples are not quantifiable"):
            adppk(bare, [("A", 3, "20", limit), ("A", 7, "400", limit)])
    declared = load_study(tmp_path, BASE + MODEL)
    assert adppk(declared, [("A", 3, "60", 0.0), ("A", 7, "49.99999999999999", None), ("A", 9, "49.99", None)]).select(
        "ALLOQ", "BLQFL", "AVAL"
    ).rows() == [(50.0, "N", 60.0), (50.0, "N", pytest.approx(50.0)), (50.0, "Y", None)]
    assert adppk(bare, [("A", 3, "<10", 50.0), ("A", 7, "<100", 50.0), ("A", 9, "90", 50.0)])["ALLOQ"].to_list() == [50.0, 100.0, 50.0]


@pytest.mark.shows("STUDY-kinetics.tests", "STUDY-kinetics.model.describe")
def test_what_was_known_before_the_infusion_is_no_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: the age would be described as a group known after the infusion alone, which it is not; no test named is no model."""
    monkeypatch.setattr("cartrial.kinetics.asked.fit_population", lambda *a, **k: pytest.fail("fitted first"))
    rows = [(who, day, "200", None) for who in "ABCD" for day in (3, 7, 9, 14, 28)]
    for text, message in (
        (
            MODEL.replace("curve: rate", "curve: rate, describe: [AGE]"),
            "kinetics.model.describe: AGE is a characteristic before the infusion",
        ),
        (MODEL.replace("{limit", "{tests: [], limit"), "kinetics.tests: no test is named"),
    ):
        study = load_study(tmp_path, BASE + text)
        with pytest.raises(InputError, match=message):
            fit_kinetics(study, outcomes(AGE=["1", "2", "1", "2"]), derive_records(study, source(rows)))  # type: ignore[arg-type]


def test_what_is_wrong_of_a_fit_names_the_test_and_the_key_of_the_study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: the key of a parameter of the model stands below kinetics.model, that of a covariate below its baseline."""
    study = load_study(tmp_path, BASE + MODEL)
    records = derive_records(study, source([(who, day, "200", None) for who in "ABCD" for day in (3, 7, 9, 14, 28)]))
    for key, message in (
        ("curve", "kinetics.model.curve: CARTG: no"),
        ("of", "kinetics.model.baseline: CARTG: no"),
        (None, "kinetics.model: CARTG: no"),
    ):

        def refuse(*_: object, key: str | None = key, **__: object) -> None:
            raise InputError("no", key=key)

        monkeypatch.setattr("cartrial.kinetics.asked.fit_population", refuse)
        with pytest.raises(InputError, match=message):
            fit_kinetics(study, outcomes(), records)  # type: ignore[arg-type]


def test_cells_without_an_infusion_stop_the_model(tmp_path: Path) -> None:
    """By hand: B's cells were measured, and no infusion of B is recorded; a 0 before an infusion that never came is no such sample."""
    study = load_study(tmp_path, BASE + MODEL)
    for last, refused in (("400", True), ("0", False)):
        found = source([("A", 3, "200", None), ("A", 7, "400", None), ("B", 7, last, None)])
        ex = found.domains["EX"].filter(pl.col("USUBJID") != "B")
        records = derive_records(study, Source({**found.domains, "EX": ex}))
        if refused:
            with pytest.raises(InputError, match="cells were measured in 1 subjects without a date of infusion, B for one"):
                derive_adppk(study, records)
        else:
            assert derive_adppk(study, records)["USUBJID"].unique().to_list() == ["A"]


def test_a_result_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    """By hand: of three samples one has words."""
    study = load_study(tmp_path, BASE + MODEL)
    records = derive_records(study, source([("A", 3, "200", None), ("A", 7, "see comment", None), ("A", 14, "90", None)]))
    assert illegible(study, records, "CARTG") == 1 and derive_adppk(study, records).height == 2


@pytest.mark.shows("STUDY-kinetics.model.baseline.on", "STUDY-kinetics.model.baseline.of", "STUDY-kinetics.model.baseline.as")
def test_a_ratio_says_of_what_over_what(tmp_path: Path) -> None:
    """By hand: the second of two levels, as sorted, over the first; one more of a number, or of its logarithm."""
    study = load_study(tmp_path, BASE.replace("subgroups", "  - {id: SEX, label: Sex, from: {domain: DM, variable: SEX}}\nsubgroups"))
    adsl = pl.DataFrame({"USUBJID": ["A", "B"], "AGE": ["old", "young"], "AGEN": [70.0, 30.0], "SEX": ["F", "M"], "RESPFL": ["N", "Y"]})
    adam = type("Sets", (), {"adsl": adsl})()
    baseline = [{"on": "cmax", "of": "SEX"}, {"on": "cmax", "of": "AGEN"}, {"on": "alpha", "of": "AGEN", "as": "log"}]
    model = CellModel.model_validate({"curve": "rate", "baseline": baseline})
    found = covariates_of(study, adam, model, {"A", "B"})
    assert [name for name, _ in found] == ["SEX, M over F", "AGEN, each 1 more", "ln AGEN, each 1 more"]
    assert found[0][1] == {"A": 0.0, "B": 1.0} and found[2][1]["A"] == pytest.approx(log(70))
    assert described(adam, "RESPFL", {"A", "B"}) == ("RESPFL, Y over N", {"A": 0.0, "B": 1.0})


def outcomes(**columns: list[str | None]) -> object:
    """Sets of which ADSL has outcomes of A, B, C and D."""
    return type("Sets", (), {"adsl": pl.DataFrame({"USUBJID": ["A", "B", "C", "D"], **columns})})()


@pytest.mark.shows("STUDY-kinetics.model.describe")
def test_what_cannot_be_described_is_told_before_anything_is_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: no such column, three levels; and of one level alone nothing is described, which stops nothing."""
    monkeypatch.setattr("cartrial.kinetics.asked.fit_population", lambda *a, **k: pytest.fail("fitted first"))
    study = load_study(tmp_path, BASE + MODEL.replace("curve: rate", "curve: rate, describe: [RESPFL]"))
    records = derive_records(study, source([(who, day, "200", None) for who in "ABCD" for day in (3, 7, 9, 14, 28)]))
    for adam, message in (
        (outcomes(OTHER=["Y"] * 4), "ADSL has no column RESPFL"),
        (outcomes(RESPFL=["CR", "CRi", "NR", None]), "RESPFL has 3 levels among the subjects with samples, two are wanted"),
    ):
        with pytest.raises(InputError, match=message):
            fit_kinetics(study, adam, records)  # type: ignore[arg-type]
    assert described(outcomes(RESPFL=["Y", "Y", None, None]), "RESPFL", {"A", "B", "C"}) is None  # type: ignore[arg-type]
    assert described(outcomes(RESPFL=[None] * 4), "RESPFL", {"A"}) is None  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.shows("STUDY-kinetics.model.describe")
def test_a_description_is_compared_with_a_fit_of_the_same_effects(tmp_path: Path) -> None:
    """By hand: the peak alone varies and is five times as high in responders; who expanded is all of them, which is a note."""
    study = load_study(tmp_path, BASE + MODEL.replace("curve: rate", "curve: rate, starts: 1, describe: [RESPFL, EXPANDFL]"))
    random, who = np.random.default_rng(2), "ABCDEFGHIJKL"
    days = [3, 7, 9, 12, 14, 21, 28]
    rows = []
    for i, name in enumerate(who):
        peak = float(np.exp(np.log(2e4 * (5.0 if i % 2 else 1.0)) + 0.6 * random.standard_normal()))
        cells = draw_curves("rate", {"rho": 0.8, "tmax": 10.0, "cmax": peak, "alpha": 0.12}, days)[0] * np.exp(
            0.3 * random.standard_normal(7)
        )
        rows += [(name, day, f"{value:.1f}", None) for day, value in zip(days, cells, strict=True)]
    adsl = pl.DataFrame({"USUBJID": list(who), "RESPFL": ["NY"[i % 2] for i in range(12)], "EXPANDFL": "Y"})
    adam = type("Sets", (), {"adsl": adsl})()
    found = fit_kinetics(study, adam, derive_records(study, source(rows)), plan=Plan(40, 30, 1))[0]  # type: ignore[arg-type]
    assert "by EXPANDFL nothing is described: all subjects with samples who have it are of one group" in found.notes
    (one,) = found.descriptions
    assert one.fit.problem.model.random == one.without.problem.model.random
    assert {"cmax", "alpha"} <= set(one.fit.problem.model.random)
    ratio = one.fit.parameters().filter(kind="ratio", parameter="cmax").row(0, named=True)
    assert 2.0 < ratio["estimate"] < 12.0
    assert one.gain is not None and one.gain > 4.0


def test_one_test_without_a_model_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: CARTC has neither samples nor a limit; the report keeps the model of CARTG and says what is wrong with CARTC."""
    study = load_study(tmp_path, BASE + MODEL.replace("kinetics: {", "kinetics: {tests: [CARTG, CARTC], "))
    records = derive_records(study, source([("A", 3, "200", None), ("A", 7, "400", None)]))
    with pytest.raises(InputError, match="the source has no sample of CARTC from the infusion on"):
        fit_kinetics(study, None, records)  # type: ignore[arg-type]
    real = fit_kinetics
    monkeypatch.setattr(
        "cartrial.kinetics.fit_kinetics", lambda *a, tests, **k: ("the model",) if tests == ("CARTG",) else real(*a, tests=tests, **k)
    )
    cells = fit_cells(study, None, records)  # type: ignore[arg-type]
    assert cells is not None and cells.found == ("the model",)
    assert "no sample of CARTC" in cells.failed


@pytest.mark.shows("STUDY-kinetics.model.bounds", "STUDY-kinetics.model.bounds.half-life")
def test_bounds_are_an_assumption_that_a_study_file_may_drop(tmp_path: Path) -> None:
    """By hand: a half-life between 1 and 1000 days unless it says otherwise; none in a word, as in the documentation, or as YAML's null."""
    for text, expected in (
        ("", (1.0, 1000.0)),
        (", bounds: none", None),
        (", bounds: null", None),
        (", bounds: {half-life: [2, 9]}", (2, 9)),
    ):
        model = load_study(tmp_path, BASE + f"kinetics: {{model: {{curve: rate{text}}}}}\n").kinetics.model
        assert model is not None and (model.bounds.half_life if model.bounds else None) == expected


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{curve: rate, below: half}", "samples below a limit cannot be replaced"),
        ("{curve: rate, baseline: [{on: cmax, of: RESPFL}]}", "RESPFL is known after the infusion alone"),
        ("{curve: rate, bounds: {half-life: [3, 1]}}", "two rising numbers of days"),
        ("{curve: rate, baseline: [{on: cmax, of: AGEN}, {on: cmax, of: AGEN}]}", "AGEN shifts cmax twice"),
        ("{curve: rate, describe: [RESPFL, RESPFL]}", "kinetics.model.describe.1: RESPFL is described twice"),
        ("{curve: rate}, tests: [CARTG, CARTG]", "kinetics.tests.1: CARTG is named twice"),
        ("{curve: logistic}", "curve"),
        ("{random: full}", "curve"),
        ("{curve: rate, uncertainty: profile}", "uncertainty"),
    ],
)
@pytest.mark.shows(
    "STUDY-kinetics.model.curve", "STUDY-kinetics.model.below", "STUDY-kinetics.model.baseline", "STUDY-kinetics.model.baseline.of"
)
def test_what_a_study_file_cannot_ask_for(model: str, message: str, tmp_path: Path) -> None:
    """By hand: a limit is never replaced, and what follows the infusion is no covariate."""
    with pytest.raises(InputError, match=message):
        load_study(tmp_path, BASE + f"kinetics: {{model: {model}}}\n")


@pytest.mark.shows("CMD-kinetics", "STUDY-kinetics.model")
def test_the_command_refuses_with_one_message_and_writes_nothing(tmp_path: Path) -> None:
    """By hand: no model asked for, and nobody's cells named, end with exit code 2."""
    for arguments, message in (
        (["--virtual", "-n", "3"], "the study file asks for no model of the cells"),
        ([], "say whose cells to fit"),
        (["--data", str(tmp_path), "-n", "3"], "-n is of virtual patients alone"),
        (["--virtual", "--seed", "-1"], "greater than or equal to 0"),
    ):
        code, out, err = run_cli("kinetics", "inaticel", "--out", str(tmp_path / "out"), *arguments)
        assert code == 2 and message in err and not out, err
    assert not (tmp_path / "out").exists()


def test_the_command_writes_over_no_file_of_another_and_not_into_the_source(tmp_path: Path) -> None:
    """By hand: ADPP of a sponsor stands there; and the folder of the source is no place for tables that are no SDTM."""
    (tmp_path / "adpp.csv").write_text("mine", encoding="utf-8")
    for folder, message in ((tmp_path / "other", "the source data stand there"), (tmp_path, "'adpp.csv' stands there")):
        code, out, err = run_cli("kinetics", "inaticel", "--out", folder, "--data", tmp_path / "other")
        assert code == 2 and message in err and not out, err
    assert (tmp_path / "adpp.csv").read_text(encoding="utf-8") == "mine" and not (tmp_path / "other").exists()


GROWN = [(who, day, value, None) for who in "ABCDEF" for day, value in ((3, "60"), (7, "900"), (12, "5000"), (20, "900"), (28, "100"))]

NO_LIMIT = "kinetics: {model: {curve: rate}}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "model", "message"),
    [
        (
            [(*row[:2], "0" if row[1] == 3 else row[2], None) for row in GROWN],
            "kinetics: {model: {curve: rate}}\n",
            "no limit of quantitation",
        ),
        ([row for row in GROWN if row[1] == 12], MODEL, "CARTG: every subject has one sample"),
        ([(*row[:2], "<50", None) for row in GROWN], MODEL, "CARTG: no sample is quantifiable"),
        ([(row[0], 12, *row[2:]) for row in GROWN], MODEL, "CARTG: every subject has one sample (of one day the highest counts)"),
        (GROWN, MODEL, "cells were measured in 1 subjects without a date of infusion, B for one"),
        (GROWN, MODEL.replace("rate", "rate, baseline: [{on: fold, of: AGE}]"), "the curve rate has no fold"),
        (GROWN, MODEL.replace("rate", "rate, describe: [NOPE]"), "ADSL has no column NOPE"),
    ],
    ids=[
        "no limit",
        "one sample a subject",
        "all below",
        "times equal",
        "a dose missing",
        "a parameter of another curve",
        "no such outcome",
    ],
)
@pytest.mark.shows("STUDY-kinetics.model.baseline.on")
def test_bad_input_is_one_message_and_nothing_is_written(rows: list, model: str, message: str, tmp_path: Path) -> None:
    """By hand: through the command line, exit code 2."""
    (tmp_path / "study.yaml").write_text(BASE + model, encoding="utf-8")
    (tmp_path / "data").mkdir()
    domains = source(rows).domains
    if "without a date of infusion" in message:
        domains = {**domains, "EX": domains["EX"].filter(pl.col("USUBJID") != "B")}
    for name, frame in domains.items():
        frame.write_csv(tmp_path / "data" / f"{name.lower()}.csv")
    code, out, err = run_cli("kinetics", tmp_path / "study.yaml", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert code == 2 and not out and message in err and err.count("\n") == 1, err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "study.yaml"]


SHEET = "car22/clinical_data_05-12-20_v1.xlsx"
LIMIT = "  limit: {CARTC: 0.04, source: just below the lowest value}\n"


def car22(folder: Path, model: str, limit: str = LIMIT) -> Path:
    """The example of 59 patients with a model in its study file."""
    text = (ROOT / "examples" / "car22" / "study.yaml").read_text(encoding="utf-8")
    assert text.count("  first-by: 21\n") == 1
    folder.mkdir(exist_ok=True)
    (folder / "study.yaml").write_text(text.replace("  first-by: 21\n", f"  first-by: 21\n{limit}  model: {model}\n"), encoding="utf-8")
    shutil.copy(ROOT / "examples" / "car22" / "mapping.yaml", folder)
    return folder


@needs_data(SHEET)
@pytest.mark.slow
@pytest.mark.shows("CMD-kinetics")
def test_real_patients_and_what_they_do_not_say(tmp_path: Path) -> None:
    """Independent: the fits of a prototype with other code (K6b), contraction within 0 and 0.7 a day.

    -2 log likelihood 648.8, with response 605.5, logarithm of the ratio of peaks 2.5, a peak that was not sampled in at most 6 of 53.
    """
    folder = car22(tmp_path / "study", "{curve: rate, describe: [RESPFL], starts: 2}")
    code, out, err = run_cli("kinetics", folder, "--data", data_path("car22"), "--out", tmp_path / "out")
    assert code == 0, err
    about = json.loads((tmp_path / "out" / "kinetics.json").read_text(encoding="utf-8"))["models"][0]
    counts = [about["population"][name] for name in ("subjects", "samples", "below_limit", "never_quantifiable")]
    assert counts == [55, 178, 30, 2]
    logs = about["population"]["minus_two_log_likelihood"]
    assert logs == pytest.approx(648.8, abs=1.5)
    described = about["descriptions"][0]
    assert logs - described["gain_in_minus_two_log_likelihood"] == pytest.approx(605.5, abs=1.5)
    assert "not an effect" in described["is"] and "not an effect" in out
    table = pl.read_csv(tmp_path / "out" / "parameters.csv").filter(model="by RESPFL", kind="ratio", parameter="cmax")
    assert log(table["estimate"][0]) == pytest.approx(2.5, abs=0.2)
    assert len(about["peak_not_sampled"]["subjects"]) <= 6
    posthoc = pl.read_csv(tmp_path / "out" / "adpp.csv")
    assert posthoc["PARCAT2"].unique().to_list() == ["POPULATION MODEL"]
    assert posthoc.filter(PARAMCD="PEXP").height == 55 and posthoc.filter(PARAMCD="CMAX").height == 53
    assert posthoc["PARAM"].str.starts_with("Model: ").all()


@needs_data(SHEET)
@pytest.mark.slow
@pytest.mark.shows("STUDY-kinetics.limit.CARTC")
def test_real_patients_do_not_show_a_fold_nor_anything_without_a_limit(tmp_path: Path) -> None:
    """Independent: the prototype's fold was 1e11 (K6); without a limit no sample of 0 can be used."""
    for model, limit, message in (
        ("{curve: mono, starts: 1}", LIMIT, "the fold of the expansion is not identified"),
        ("{curve: rate, starts: 1}", "", "178 samples of CARTC have no limit of quantitation above 0, 30 samples are not quantifiable"),
    ):
        folder = car22(tmp_path / "study", model, limit)
        code, _, err = run_cli("kinetics", folder, "--data", data_path("car22"), "--out", tmp_path / "out")
        assert code == 2 and message in err, err
    assert not (tmp_path / "out").exists()
