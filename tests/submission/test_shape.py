"""The sets as they are submitted: names, codes and days by ADaM, from the worked study.

Origin of every expectation: `by hand`, from the rules of ADaMIG 1.3 and the worked subjects.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from cartrial.endpoints.variables.model import MOST_LABEL
from cartrial.errors import InputError
from cartrial.study import Study
from cartrial.study.submission import Submission
from cartrial.submission import Job
from cartrial.submission.adam import Shaped, shape_adam
from cartrial.submission.adam.parameters import coded, parameter_codes
from cartrial.submission.adam.subjects import characteristics
from cartrial.submission.variables import CODES, SETS


@pytest.fixture(scope="module")
def sets(job: Job) -> dict[str, Shaped]:
    return shape_adam(job)


def test_the_model_of_variables_keeps_to_the_guide() -> None:
    """Names of at most eight characters, labels of at most 40 bytes in both languages, keys that are variables, known code lists."""
    for name, dataset in SETS.items():
        names = [variable.name for variable in dataset.variables]
        assert len(names) == len(set(names)) and set(dataset.keys) <= set(names), name
        for variable in dataset.variables:
            assert len(variable.name) <= 8 and variable.name.isalnum() and variable.name[0].isalpha()
            assert len(variable.label.encode("ascii")) <= MOST_LABEL
            assert len(variable.chinese.encode("utf-8")) <= MOST_LABEL
            assert variable.codes in (*CODES, "", "PARAMCD", "ANLPOP", "AVALC", "REASON", "CNSR", "EVNTDESC")
            # a predecessor in ADaM is a variable of ADSL
            if variable.predecessor.startswith("ADSL."):
                assert SETS["ADSL"].variable(variable.predecessor.partition(".")[2])


def test_subjects(sets: dict[str, Shaped]) -> None:
    """Worked subject 2 died on 2022-05-21, day 141 from the first infusion on 2022-01-01; subject 1 lives: DTHFL is blank, not N."""
    adsl = sets["ADSL"].frame
    assert adsl["USUBJID"].to_list() == [f"WORKED-0{i}" for i in range(1, 7)]
    dead = adsl.filter(USUBJID="WORKED-02").row(0, named=True)
    assert (dead["DTHFL"], dead["DTHDY"], str(dead["DTHDT"])) == ("Y", 141, "2022-05-21")
    assert adsl.filter(USUBJID="WORKED-01")["DTHFL"].item() is None
    assert adsl["AGE"].dtype == pl.Int64 and adsl["AGE"][0] == 25
    assert adsl["RACE"].unique().to_list() == ["UNKNOWN"]  # of invented data, which have none
    assert sets["ADSL"].dataset.variable("AGE").label == "Age"


@pytest.mark.shows("STUDY-submission.labels")
def test_the_studys_own_variables_have_the_labels_of_the_study_file() -> None:
    """By hand: a label of the file, English where it has none; a name that is no variable of the study's own stops the export."""
    study = Study.load("inaticel")
    own = characteristics(study)
    asked = study.model_copy(update={"submission": Submission(labels={own[0].name: "年龄组"})})
    assert [variable.chinese for variable in characteristics(asked)] == ["年龄组", *(variable.chinese for variable in own[1:])]
    with pytest.raises(InputError, match="names SEX, which is no variable"):
        characteristics(study.model_copy(update={"submission": Submission(labels={"SEX": "性别"})}))


def test_real_data_without_a_required_variable_are_refused(job: Job) -> None:
    real = replace(job, adam=replace(job.adam, provenance="real"))
    with pytest.raises(InputError, match=r"dm, SUBJID: DM\.SUBJID is required in ADaM, and none of 6 records has it"):
        shape_adam(real)


@pytest.mark.shows("RULE-1.2")
def test_days_have_no_day_0(sets: dict[str, Shaped]) -> None:
    """ADT - TRTSDT + 1 on or after, ADT - TRTSDT before."""
    for name in ("ADRS", "ADTTE", "ADEX", "ADLB"):
        frame = sets[name].frame.filter(pl.col("ADT").is_not_null() & pl.col("TRTSDT").is_not_null())
        gap = (pl.col("ADT") - pl.col("TRTSDT")).dt.total_days()
        assert frame.height and frame.select((pl.col("ADY") == gap + (gap >= 0).cast(pl.Int64)).all()).item(), name
        assert (frame["ADY"] != 0).all()


def test_each_variant_has_a_code_that_stays(sets: dict[str, Shaped]) -> None:
    """PARAM and PARAMCD are one-to-one; the code of a variant follows from its words alone."""
    for name in ("ADRS", "ADTTE"):
        pairs = sets[name].frame.select("PARAMCD", "PARAM").unique()
        assert pairs["PARAMCD"].n_unique() == pairs.height == pairs["PARAM"].n_unique()
        assert pairs["PARAMCD"].str.len_bytes().max() <= 8
    first = parameter_codes([("ORR3", ""), ("ORR3", "a"), ("ORR3", "b")])
    again = parameter_codes([("ORR3", "new"), ("ORR3", "b"), ("ORR3", "a"), ("ORR3", "")])
    assert first.join(again, on=["NAME", "VARIANT", "PARAMCD"], how="anti").is_empty()
    # the first 64 bits of the SHA-256 of "ORR3 hsct=treatment-policy" to base 36, by sha256sum and bc: the lowest digits are 9, 30, 23
    assert coded("ORR3", "hsct=treatment-policy") == "ORR3V9UN"


def test_times(sets: dict[str, Shaped]) -> None:
    """Rules, worked subjects: 1 censored at 153 days by the cutoff, 2 relapse at 63, 4 censored 1 day by the transplant (code 5)."""
    dor = sets["ADTTE"].frame.filter(PARAMCD="DOR").rows_by_key("USUBJID", named=True, unique=True)
    found = {who: (dor[who]["AVAL"], dor[who]["CNSR"], dor[who]["EVNTDESC"]) for who in ("WORKED-01", "WORKED-02", "WORKED-04")}
    assert found == {"WORKED-01": (153, 1, "cutoff"), "WORKED-02": (63, 0, "relapse"), "WORKED-04": (1, 5, "hsct")}
    assert dor["WORKED-01"]["CNSDTDSC"] == "Date of the last usable assessment" and dor["WORKED-02"]["CNSDTDSC"] is None


def test_variables_of_sdtm_are_copies(job: Job, sets: dict[str, Shaped]) -> None:
    """AEDECOD, AETOXGR and AESTDTC are those of AE, letter by letter; what the rules made of them stands beside them."""
    names = ["AEDECOD", "AEBODSYS", "AESTDTC", "AESER", "AETOXGR"]
    ae = job.source.domains["AE"].select("USUBJID", *(pl.col(name).cast(pl.String) for name in names)).sort("USUBJID", "AESTDTC", *names)
    found = sets["ADAE"].frame.select("USUBJID", *names).sort("USUBJID", "AESTDTC", *names)
    assert found.equals(ae)
    assert sets["ADAE"].frame.select((pl.col("ATOXGR") == pl.col("ATOXGRN").cast(pl.String)).all()).item()
