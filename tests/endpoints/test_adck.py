"""Cellular kinetics (ADCK). Each expected value says where it comes from."""

from __future__ import annotations

import itertools
import json
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.endpoints.sets.adck import derive_adck
from cartrial.sdtm.records import NO_CUTOFF, Records, derive_records
from cartrial.sdtm.source import Source
from cartrial.sdtm.vocabulary.results import ABOVE, AT_LEAST, BELOW, EXACT, POSITIVE, UNQUANTIFIED, UNREADABLE
from cartrial.study import Study
from helpers import ORACLE
from properties import examples

INATICEL = Study.load("inaticel")
# the profiles of these tests start when they like: how late a first sample may be has a test of its own
STUDY = INATICEL.model_copy(update={"kinetics": INATICEL.kinetics.model_copy(update={"first_by": 1000})})

SUBJECT = {
    **dict.fromkeys(("SUBJ", "TRIAL", "DAY0", "CONSENT", "ENROLLED", "LEUK", "RELEASED", "LDSTART", "RFST", "CUTOFF"), pl.Int32),
    **dict.fromkeys(("STUDYID", "USUBJID", "SITEID", "SEX", "COUNTRY", "ARMCD"), pl.String),
    **{"AGE": pl.Float64, "DATED": pl.Boolean},
}
DAYS = {"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32}
LAB = {
    **DAYS,
    **{"TEST": pl.String, "SPEC": pl.String, "VALUE": pl.Float64, "REL": pl.Int8, "LIMIT": pl.Float64},
    **{"LLOQ": pl.Float64, "LOD": pl.Float64, "DONE": pl.Boolean, "METHOD": pl.String, "SEQ": pl.Int64},
}
DOSE = {**DAYS, "KIND": pl.String, "TRT": pl.String, "AMOUNT": pl.Float64, "UNIT": pl.String, "SEQ": pl.Int64}
BLQ = "below"


def sample(day, value, subj=0, test="CARTG", **more):
    """One sample; `BLQ` as its value is one below a limit of 50."""
    row = {
        "SUBJ": subj,
        "DAY": day,
        "DAYX": day,
        "TEST": test,
        "SPEC": "BLOOD",
        "REL": UNQUANTIFIED if value == BLQ else None if value is None else EXACT,
        "DONE": True,
        "SEQ": day + 1000,
    }
    return {**row, "VALUE": None if value == BLQ else value, "LLOQ": 50.0 if value == BLQ else None, **more}


def make(labs, subjects=None, doses=()):
    """Records of subjects infused on day 0 without a cutoff, unless said."""
    empty = pl.DataFrame()
    people = subjects or [{"SUBJ": subj} for subj in sorted({row["SUBJ"] for row in labs} | {0})]
    people = [{"TRIAL": 0, "DAY0": 0, "CUTOFF": NO_CUTOFF, "DATED": False, **person} for person in people]
    return Records(
        subjects=pl.DataFrame(people, schema=SUBJECT),
        calls=empty,
        labs=pl.DataFrame(labs, schema=LAB),
        lesions=empty,
        doses=pl.DataFrame(list(doses), schema=DOSE),
        procedures=empty,
        therapies=empty,
        dispositions=empty,
        survival=empty,
        adverse=empty,
        deaths=empty,
    )


def values(records, column="AVAL", subj=0, study=STUDY):
    frame = derive_adck(study, records).filter(pl.col("SUBJ") == subj)
    return dict(zip(frame["PARAMCD"], frame[column], strict=True))


@pytest.mark.shows("RULE-7.9")
def test_by_hand():
    """0, 10, 100, 10 on days 0, 7, 14, 28: (0+10)/2*7 = 35; (10+100)/2*7 = 385; falling: (100-10)*14/ln 10 = 547.1988."""
    found = values(make([sample(0, BLQ), sample(7, 10.0), sample(14, 100.0), sample(28, 10.0)]))
    assert found["CMAX"] == 100 and found["TMAX"] == 14 and found["TLAST"] == 28 and found["CLAST"] == 10 and found["PERSIST"] == 28
    assert found["AUC28"] == pytest.approx(35 + 385 + 90 * 14 / math.log(10), rel=1e-12)


@pytest.mark.parametrize("name", ["exact28", "interp28", "rise_over28", "stops21", "to_zero"])
@pytest.mark.shows("RULE-7.9")
def test_area_as_in_r(name):
    """tests/oracle/oracle.R, function auc_0_28, run in R on profiles.csv: its zeros are measured values, not below a limit."""
    expected = json.loads((ORACLE / "oracle.json").read_text())["auc_0_28"][name]
    rows = pl.read_csv(ORACLE / "data" / "profiles.csv").filter(pl.col("profile") == name)
    found = values(make([sample(day, float(conc)) for _, day, conc in rows.rows()]))
    if expected["auc"] is None:
        assert found["AUC28"] is None
    else:
        assert found["AUC28"] == pytest.approx(expected["auc"], rel=1e-9)


@pytest.mark.shows("RULE-7.9")
def test_below_the_limit_before_the_first_is_zero_and_after_the_last_missing():
    """Rise from 0 on day 3 to 60 on day 7: 60/2*4 = 120; 60 to 120: 90*7 = 630; then nothing until day 28: the area ends on day 14."""
    found = values(make([sample(0, BLQ), sample(3, BLQ), sample(7, 60.0), sample(14, 120.0), sample(21, BLQ), sample(28, BLQ)]))
    assert found["AUC28"] == 750
    assert found["TLAST"] == 14 and found["CLAST"] == 120


def test_below_the_limit_between_two_is_passed_over():
    """The rule gives 0 to what precedes the first alone. Day 0 to 7: 350; day 7 to 28 falls from 100 to 50: 50*21/ln 2."""
    between = values(make([sample(0, BLQ), sample(7, 100.0), sample(14, BLQ), sample(28, 50.0)]))
    without = values(make([sample(0, BLQ), sample(7, 100.0), sample(28, 50.0)]))
    assert between == without
    assert between["AUC28"] == pytest.approx(350 + 50 * 21 / math.log(2), rel=1e-12)


def test_measured_zero_is_a_value():
    """A recorded 0 counts where it stands: 100 falls to 0 by day 14 (350) and stays there; it is not quantifiable."""
    found = values(make([sample(0, 0.0), sample(7, 100.0), sample(14, 0.0), sample(28, 0.0)]))
    assert found["AUC28"] == 350 + 350
    assert found["TLAST"] == 7


def test_value_below_its_own_limit_is_not_quantifiable_and_at_it_is():
    found = values(make([sample(7, 100.0), sample(28, 49.9, LLOQ=50.0)]))
    assert found["TLAST"] == 7
    found = values(make([sample(7, 100.0), sample(28, 50.0, LLOQ=50.0)]))
    assert found["TLAST"] == 28


def test_detected_without_a_value_is_not_quantifiable():
    found = values(make([sample(7, 100.0), sample(28, None, REL=POSITIVE)]), "CNSR")
    assert found["PERSIST"] == 0


def test_value_at_day_28_is_interpolated():
    """Falling 160 on day 24 to 40 on day 32: on day 28 sqrt(160*40) = 80, area 80*4/ln 2. Rising 40 to 160: 100, area 70*4 = 280."""
    fall = values(make([sample(0, BLQ), sample(24, 160.0), sample(32, 40.0)]))
    assert fall["AUC28"] == pytest.approx(160 * 24 / 2 + 80 * 4 / math.log(2), rel=1e-12)
    rise = values(make([sample(0, BLQ), sample(24, 40.0), sample(32, 160.0)]))
    assert rise["AUC28"] == 40 * 24 / 2 + 280
    assert rise["CMAX"] == 160 and rise["TMAX"] == 32  # the highest of all samples, also after day 28


def test_fall_to_zero_across_day_28_stays_linear():
    """100 on day 0 to a measured 0 on day 56: 50 on day 28, (100 + 50)/2*28 = 2100."""
    assert values(make([sample(0, 100.0), sample(56, 0.0)]))["AUC28"] == 2100


def test_day_0_is_0_where_it_was_not_sampled():
    """Same as with a sample of 0 on day 0: 80*10/2 = 400, then level 80*18 = 1440."""
    assert values(make([sample(10, 80.0), sample(28, 80.0)]))["AUC28"] == 1840


def test_day_0_value_is_used():
    """100 after the infusion, 50 on day 28: 50*28/ln 2."""
    assert values(make([sample(0, 100.0), sample(28, 50.0)]))["AUC28"] == pytest.approx(50 * 28 / math.log(2), rel=1e-12)


@pytest.mark.shows("RULE-7.9")
def test_sampling_that_stops_before_day_25():
    """by hand (rules, A14)."""
    records = make([sample(7, 100.0), sample(24, 50.0)])
    assert values(records)["AUC28"] is None
    assert values(records, "REASON") == {
        **dict.fromkeys(("CMAX", "TMAX", "TLAST", "CLAST", "PERSIST")),
        "AUC28": "sampling stops before day 25",
    }


@pytest.mark.shows("STUDY-kinetics.auc-margin")
@pytest.mark.shows("STUDY-kinetics")
def test_another_margin_before_the_last_day_of_the_area():
    """by hand: 0 to 100 by day 7 is 350, 100 from day 7 to 21 is 1400; with a margin of 7 days the sample of day 21 is late enough."""
    records = make([sample(7, 100.0), sample(21, 100.0)])
    wide = STUDY.model_copy(update={"kinetics": STUDY.kinetics.model_copy(update={"auc_margin": 7})})
    assert values(records)["AUC28"] is None and values(records, study=wide)["AUC28"] == 1750
    assert values(make([sample(7, 100.0), sample(20, 100.0)]), study=wide)["AUC28"] is None


def test_an_area_to_day_25_is_given_as_far_as_it_was_sampled():
    """by hand (rules, A14): 0 to 100 by day 10 is 500, 100 from day 10 to 25 is 1500; nothing of day 25 to 28 is added."""
    records = make([sample(10, 100.0), sample(25, 100.0)])
    assert values(records)["AUC28"] == 2000
    assert values(records, "FLAGS")["AUC28"] == "to day 25, the last sample"
    assert values(records, "REASON")["AUC28"] is None
    assert values(make([sample(10, 100.0), sample(28, 100.0)]), "FLAGS")["AUC28"] is None


@pytest.mark.shows("RULE-7.10")
def test_above_the_limit_of_quantification():
    """by hand (rules, A8): at least 1000 on day 7 alone can be the peak; there is no area."""
    over = sample(7, None, REL=ABOVE, LIMIT=1000.0)
    records = make([sample(0, BLQ), over, sample(14, 600.0), sample(28, 20.0)])
    found = values(records)
    assert (found["CMAX"], found["TMAX"], found["AUC28"], found["TLAST"], found["CLAST"]) == (1000, 7, None, 28, 20)
    assert values(records, "AVALC") == {**dict.fromkeys(found), "CMAX": "≥ 1000"}
    assert values(records, "REASON")["AUC28"] == "a result above the limit of quantification"
    several = make([over, sample(9, None, REL=AT_LEAST, LIMIT=1000.0), sample(28, 20.0)])
    assert values(several)["CMAX"] == 1000 and values(several)["TMAX"] is None
    higher = make([over, sample(9, 5000.0), sample(28, 20.0)])
    assert values(higher, "AVALC")["CMAX"] == "≥ 5000" and values(higher)["TMAX"] is None
    # after the last day of the area it does not matter to it
    late = make([sample(7, 100.0), sample(28, 100.0), sample(40, None, REL=ABOVE, LIMIT=1000.0)])
    assert values(late)["AUC28"] == 350 + 2100 and values(late, "AVALC")["CLAST"] == "≥ 1000"


def test_below_a_limit_with_a_number_beside_is_not_quantifiable():
    """by hand (rules, A8): `<50`, whatever the limit of quantification."""
    records = make([sample(day, None, REL=BELOW, LIMIT=50.0) for day in (0, 7, 28)])
    assert values(records) == {"CMAX": 0.0, "AUC28": 0.0, **dict.fromkeys(("TMAX", "TLAST", "CLAST", "PERSIST"))}


def test_samples_below_the_limit_are_sampling():
    assert values(make([sample(10, 80.0), sample(28, BLQ)]))["AUC28"] == 400


@pytest.mark.shows("RULE-7.10")
def test_never_quantifiable_is_counted_without_values():
    records = make([sample(0, BLQ), sample(7, BLQ), sample(28, BLQ)])
    assert values(records) == {"CMAX": 0.0, "AUC28": 0.0, **dict.fromkeys(("TMAX", "TLAST", "CLAST", "PERSIST"))}
    assert set(values(records, "EXPANDFL").values()) == {"N"}
    never = dict.fromkeys(("TMAX", "TLAST", "CLAST", "PERSIST"), "never quantifiable")
    assert values(records, "REASON") == {"CMAX": None, "AUC28": None, **never}
    short = make([sample(0, BLQ), sample(7, BLQ)])
    assert values(short)["CMAX"] == 0 and values(short)["AUC28"] == 0
    assert values(short, "FLAGS")["AUC28"] == "to day 7, the last sample"


def test_only_day_0_sampled_says_nothing_about_expansion():
    records = make([sample(0, BLQ)])
    assert set(values(records, "EXPANDFL").values()) == {None}
    assert set(values(records, "REASON").values()) == {"no sample after day 0"}


@pytest.mark.shows("RULE-7.9")
def test_persistence():
    """Still quantifiable at the last sample: censored there. Lost by day 90: an event on the last quantifiable day, 60."""
    ongoing = make([sample(7, 100.0), sample(60, 80.0)])
    assert values(ongoing)["PERSIST"] == 60 and values(ongoing, "CNSR")["PERSIST"] == 1
    lost = make([sample(7, 100.0), sample(60, 80.0), sample(90, BLQ)])
    assert values(lost)["PERSIST"] == 60 and values(lost, "CNSR")["PERSIST"] == 0
    assert {name for name, flag in values(lost, "CNSR").items() if flag is not None} == {"PERSIST"}


def test_tmax_is_the_first_of_equal_maxima_and_rows_point_to_their_sample():
    records = make([sample(7, 100.0), sample(10, 100.0), sample(14, 70.0), sample(28, BLQ)])
    assert values(records)["TMAX"] == 7
    assert values(records, "SRCSEQ") == {"CMAX": 1007, "TMAX": 1007, "AUC28": None, "TLAST": 1014, "CLAST": 1014, "PERSIST": 1014}


def test_highest_of_one_day():
    """Before the infusion below the limit, after it 60: day 0 is 60. A lower second value of day 7 is not used."""
    records = make([sample(0, BLQ), sample(0, 60.0, SEQ=1), sample(7, 30.0), sample(7, 120.0, SEQ=2), sample(28, 120.0)])
    assert values(records)["AUC28"] == 90 * 7 + 120 * 21
    assert values(records, "SRCSEQ")["CMAX"] == 2


def test_what_is_not_a_sample():
    """Before day 0, marrow, not done, a partial date, another test, nothing recorded: none changes anything."""
    base = [sample(7, 100.0), sample(28, 60.0)]
    noise = [
        sample(-3, 900.0),
        sample(5, 900.0, SPEC="BONE MARROW"),
        sample(5, 900.0, SPEC="CSF"),
        sample(6, 900.0, DONE=False),
        sample(1, 900.0, DAYX=30),
        sample(4, 900.0, test="CARTC"),
        sample(35, None),
    ]
    assert values(make(base + noise)) == values(make(base))


def test_specimen_not_recorded_is_blood():
    assert values(make([sample(7, 100.0, SPEC=None)]))["CMAX"] == 100


@pytest.mark.shows("STUDY-product.fraction-days")
def test_samples_after_a_re_infusion_are_not_used():
    dose = {"SUBJ": 0, "DAYX": 0, "KIND": "PRODUCT", "TRT": "X", "AMOUNT": 1.0, "UNIT": None, "SEQ": 1}
    labs = [sample(7, 100.0), sample(20, BLQ), sample(30, 900.0)]
    again = make(labs, doses=[{**dose, "DAY": 0}, {**dose, "DAY": 25}])
    assert values(again)["CMAX"] == 100 and values(again, "CNSR")["PERSIST"] == 0
    fractions = STUDY.model_copy(update={"product": STUDY.product.model_copy(update={"fraction_days": 25})})
    assert values(again, study=fractions)["CMAX"] == 900


def test_cutoff_and_infusion():
    people = [
        {"SUBJ": 0, "DAY0": 100, "CUTOFF": 120},
        {"SUBJ": 1, "DAY0": None, "CUTOFF": 120},
        {"SUBJ": 2, "DAY0": 121, "CUTOFF": 120},
        {"SUBJ": 3, "DAY0": 100, "CUTOFF": 120},
    ]
    labs = [sample(107, 10.0), sample(120, 20.0), sample(121, 30.0), sample(107, 10.0, subj=1), sample(122, 10.0, subj=2)]
    frame = derive_adck(STUDY, make(labs, people))
    assert frame["SUBJ"].unique().to_list() == [0]
    assert values(make(labs, people))["CMAX"] == 20


def test_two_tests_two_subjects_two_trials():
    people = [{"SUBJ": 0, "TRIAL": 0}, {"SUBJ": 1, "TRIAL": 7}]
    labs = [sample(7, 5.0, subj=1), sample(7, 3.0), sample(28, 60.0, test="CARTC"), sample(28, 9.0, subj=1, test="CARTC")]
    study = STUDY.model_copy(update={"kinetics": STUDY.kinetics.model_copy(update={"tests": ("CARTG", "CARTC")})})
    frame = derive_adck(study, make(labs, people)).filter(pl.col("PARAMCD") == "CMAX")
    assert frame.select("TRIAL", "SUBJ", "PARCAT1", "AVAL", "AVALU").rows() == [
        (0, 0, "CARTC", 60.0, "cells/uL"),
        (0, 0, "CARTG", 3.0, "copies/ug"),
        (7, 1, "CARTC", 9.0, "cells/uL"),
        (7, 1, "CARTG", 5.0, "copies/ug"),
    ]


@pytest.mark.shows("STUDY-kinetics.auc-to")
def test_another_last_day_of_the_area():
    study = STUDY.model_copy(update={"kinetics": STUDY.kinetics.model_copy(update={"auc_to": 14})})
    assert values(make([sample(0, BLQ), sample(14, 10.0)]), study=study)["AUC14"] == 70


def test_no_samples():
    frame = derive_adck(STUDY, make([]))
    assert frame.is_empty()
    assert frame.schema["AVAL"] == pl.Float64 and frame.schema["SUBJ"] == pl.Int32 and frame.schema["SRCSEQ"] == pl.Int64


def test_from_source_data():
    """Through SDTM: dates, units and BLQ as they come. 1000 copies/ug on 2022-01-08 is day 7; 20 copies/100 ng are 200 copies/ug."""
    key = {"STUDYID": "S", "USUBJID": "01"}
    lab = [
        ("2022-01-01", None, "BLQ", "copies/ug"),
        ("2022-01-08", 1000.0, "1000", "copies/ug"),
        ("2022-01-29", 20.0, "20", "copies/100 ng"),
    ]
    source = Source(
        {
            "DM": pl.DataFrame([{**key, "ROW": 2}]),
            "EX": pl.DataFrame([{**key, "EXSEQ": 1, "EXTRT": "Inaticabtagene autoleucel", "EXSTDTC": "2022-01-01", "ROW": 2}]),
            "LB": pl.DataFrame(
                [
                    {
                        **key,
                        "LBSEQ": i,
                        "LBTESTCD": "CARTG",
                        "LBSTRESN": number,
                        "LBSTRESC": text,
                        "LBSTRESU": unit,
                        "LBDTC": date,
                        "LBLLOQ": 5.0,
                        "ROW": i + 2,
                    }
                    for i, (date, number, text, unit) in enumerate(lab)
                ],
                schema_overrides={"LBSTRESN": pl.Float64},
            ),
        }
    )
    records = derive_records(STUDY, source)
    found = values(records)
    assert found["CMAX"] == 1000 and found["TMAX"] == 7 and found["CLAST"] == 200
    assert found["AUC28"] == pytest.approx(3500 + 800 * 21 / math.log(5), rel=1e-12)
    assert values(records, "AVALU")["AUC28"] == "copies/ug*day"


profiles = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-5, 60), st.one_of(st.just(BLQ), st.floats(0.01, 1e7), st.just(0.0))),
    max_size=40,
    unique_by=lambda row: row[:2],
)


@given(profiles, st.randoms())
@examples(60)
def test_order_of_rows_does_not_matter(rows, random):
    labs = [sample(day, value, subj=subj) for subj, day, value in rows]
    people = [{"SUBJ": subj} for subj in range(4)]
    expected = derive_adck(STUDY, make(labs, people))
    random.shuffle(labs)
    assert derive_adck(STUDY, make(labs, people)).equals(expected)


@given(profiles, profiles)
@examples(60)
def test_records_after_the_cutoff_change_nothing(rows, later):
    people = [{"SUBJ": subj, "CUTOFF": 60} for subj in range(4)]
    labs = [sample(day, value, subj=subj) for subj, day, value in rows]
    after = [sample(day + 66, value, subj=subj) for subj, day, value in later]
    assert derive_adck(STUDY, make(labs + after, people)).equals(derive_adck(STUDY, make(labs, people)))


@given(profiles)
@examples(120)
def test_bounds(rows):
    """Cmax is at least every quantifiable value; 0 <= area <= Cmax*28; Tmax <= Tlast = persistence; an area needs sampling to day 25."""
    labs = [sample(day, value, subj=subj) for subj, day, value in rows]
    frame = derive_adck(STUDY, make(labs, [{"SUBJ": subj} for subj in range(4)]))
    for subj in range(4):
        mine = frame.filter(pl.col("SUBJ") == subj)
        found = dict(zip(mine["PARAMCD"], mine["AVAL"], strict=True))
        post = [(day, value) for who, day, value in rows if who == subj and day >= 0]
        assert len(found) == (6 if post else 0)
        positive = [(day, value) for day, value in post if value != BLQ and value > 0]
        if not positive:
            assert set(found.values()) <= {None, 0.0}
            continue
        assert (found["AUC28"] is not None) == (max(day for day, _ in post) >= 25)
        assert found["CMAX"] == max(value for _, value in positive)
        assert found["TLAST"] == found["PERSIST"] == max(day for day, _ in positive) >= found["TMAX"]
        if found["AUC28"] is not None:
            assert 0 <= found["AUC28"] <= found["CMAX"] * 28 * (1 + 1e-12)


@given(profiles, st.floats(1e-3, 1e3))
@examples(60)
def test_area_grows_with_the_concentration(rows, factor):
    """Twice the concentration is twice the area: both trapezoids are homogeneous of degree one."""
    labs = [sample(day, value, subj=0) for subj, day, value in rows if subj == 0]
    scaled = [row if row["VALUE"] is None else {**row, "VALUE": row["VALUE"] * factor} for row in labs]
    first, second = values(make(labs)).get("AUC28"), values(make(scaled)).get("AUC28")
    assert (first is None) == (second is None)
    if first is not None:
        assert second == pytest.approx(first * factor, rel=1e-9, abs=1e-12)


def area_by_hand(found):
    """The area from day 0 to 28, summed day by day under the curve through the samples that count: written from the rule alone."""
    rows = sorted(found)
    positive = [day for day, value in rows if value != BLQ and value > 0]
    first = min(positive)
    curve = [(day, 0.0 if value == BLQ else value) for day, value in rows if value != BLQ or day < first]
    curve = curve if curve[0][0] == 0 else [(0, 0.0), *curve]
    total = 0.0
    for (t1, c1), (t2, c2) in itertools.pairwise(curve):
        for i in range(t1, min(t2, 28)):  # day by day: exact for either trapezoid, since both are additive
            at = [c1 * (c2 / c1) ** ((t - t1) / (t2 - t1)) if c1 > c2 > 0 else c1 + (c2 - c1) * (t - t1) / (t2 - t1) for t in (i, i + 1)]
            equal = math.isclose(at[0], at[1], rel_tol=1e-9)
            total += (at[0] - at[1]) / math.log(at[0] / at[1]) if c1 > c2 > 0 and not equal else sum(at) / 2
    return total


@given(st.dictionaries(st.integers(0, 45), st.one_of(st.just(BLQ), st.just(0.0), st.floats(0.1, 1e5)), min_size=2, max_size=15))
@examples(150)
def test_area_as_a_plain_loop(found):
    area = values(make([sample(day, value) for day, value in found.items()])).get("AUC28")
    quantifiable = any(value != BLQ and value > 0 for value in found.values())
    if not quantifiable:
        assert area == 0
    elif max(found) < 25:
        assert area is None
    else:
        assert area == pytest.approx(area_by_hand(found.items()), rel=1e-6, abs=1e-9)


def test_words_say_what_was_sampled():
    """by hand: `first sampled after day 10` is true only where day 0 was not sampled either."""
    frame = derive_adck(INATICEL, make([sample(0, BLQ), sample(11, 100.0), sample(28, 10.0)]))
    assert frame.filter(pl.col("PARAMCD") == "AUC28")["REASON"].to_list() == ["no sample from day 1 to day 10"]


def test_a_result_that_cannot_be_read():
    """by hand (rules, A8): it may be the highest, so there is no area; the others say that it is left out."""
    records = make([sample(7, 100.0), sample(14, None, REL=UNREADABLE), sample(28, 10.0)])
    found = values(records)
    assert (found["CMAX"], found["AUC28"]) == (100, None)
    assert values(records, "REASON")["AUC28"] == "a result that cannot be read"
    assert values(records, "FLAGS")["CMAX"] == "a result that cannot be read is left out"
    assert values(make([sample(7, 100.0), sample(28, 10.0), sample(40, None, REL=UNREADABLE)]))["AUC28"] is not None


@pytest.mark.parametrize(("day", "area"), [(10, True), (11, False)])
@pytest.mark.shows("STUDY-kinetics.first-by")
def test_area_needs_a_first_sample_in_time(day, area):
    """by hand: the study file says day 10 (`kinetics.first-by`); without a sample by then nothing is known of the rise."""
    frame = derive_adck(INATICEL, make([sample(day, 100.0), sample(28, 10.0)]))
    row = frame.filter(pl.col("PARAMCD") == "AUC28").row(0, named=True)
    assert (row["AVAL"] is not None) == area
    assert row["REASON"] == (None if area else "first sampled after day 10")
