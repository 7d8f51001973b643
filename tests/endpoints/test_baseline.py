"""Baseline characteristics (columns of ADSL). Each expected value says where it comes from."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.endpoints.sets.baseline import derive_baseline
from cartrial.sdtm.records import NO_CUTOFF, Records, derive_records
from cartrial.sdtm.records.days import with_days
from cartrial.sdtm.source import Source
from cartrial.sdtm.vocabulary.results import ABOVE, BELOW, EXACT, UNQUANTIFIED
from cartrial.study import Characteristic, Study
from properties import examples

STUDY = Study.load("inaticel")

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
LESION = {**DAYS, "PRESENT": pl.Int8, "SEQ": pl.Int64}
BURDEN = {"id": "BURDEN", "label": "Marrow blasts", "from": {"domain": "LB", "testcd": "BLAST", "specimen": "BONE MARROW"}}
CUT = {"cut": [5, 50], "levels": ["< 5 %", "5 to < 50 %", ">= 50 %"]}


def asking(*characteristics):
    return STUDY.model_copy(
        update={"baseline": tuple(Characteristic.model_validate({"label": item["id"], **item}) for item in characteristics)}
    )


def make(labs=(), subjects=None, doses=(), lesions=(), **extra):
    """Records of one subject lymphodepleted on day -5 and infused on day 0, without a cutoff, unless said."""
    empty = pl.DataFrame()
    people = [{"TRIAL": 0, "DAY0": 0, "LDSTART": -5, "CUTOFF": NO_CUTOFF, "DATED": False, **person} for person in subjects or [{"SUBJ": 0}]]
    table = pl.DataFrame(people, schema=SUBJECT)
    origin = table.select("SUBJ", "DATED", "DAY0", pl.lit(0, dtype=pl.Int32).alias("DYZERO"))
    return Records(
        subjects=table,
        calls=empty,
        labs=pl.DataFrame(list(labs), schema=LAB),
        lesions=pl.DataFrame(list(lesions), schema=LESION),
        doses=pl.DataFrame(list(doses), schema=DOSE),
        procedures=empty,
        therapies=empty,
        dispositions=empty,
        survival=empty,
        adverse=empty,
        deaths=empty,
        extra={name: with_days(pl.DataFrame(rows, schema_overrides={"SUBJ": pl.Int32}), name, origin) for name, rows in extra.items()},
    )


def blasts(day, value, subj=0, **more):
    row = {
        "SUBJ": subj,
        "DAY": day,
        "DAYX": day,
        "TEST": "BLAST",
        "SPEC": "BONE MARROW",
        "VALUE": value,
        "REL": None if value is None else EXACT,
        "DONE": True,
        "SEQ": day + 1000,
    }
    return {**row, **more}


def answer(records, *characteristics, subj=0):
    frame = derive_baseline(asking(*characteristics), records)
    row = frame.filter(pl.col("SUBJ") == subj).row(0, named=True)
    return {name: value for name, value in row.items() if name != "SUBJ"}


@pytest.mark.parametrize(
    ("labs", "expected"),
    [
        ([(-20, 80.0), (-6, 30.0), (-5, 20.0), (0, 10.0), (28, 1.0)], 30.0),  # the last day before lymphodepletion, which began on day -5
        ([(-5, 20.0), (-1, 10.0)], None),  # lymphodepletion is recorded: nothing during it is baseline
        ([(28, 1.0)], None),
    ],
)
@pytest.mark.shows("STUDY-product.lymphodepletion", "STUDY-baseline.from", "STUDY-baseline.from.testcd")
def test_last_before_lymphodepletion(labs, expected):
    assert answer(make([blasts(*row) for row in labs]), BURDEN) == {"BURDEN": expected}


@pytest.mark.parametrize(
    ("labs", "expected"),
    [
        ([(-20, 80.0), (-1, 30.0), (0, 20.0), (1, 10.0)], 30.0),  # no lymphodepletion recorded: before day 0
        ([(0, 20.0), (1, 10.0)], 20.0),  # day 0 where nothing stands before it
    ],
)
@pytest.mark.shows("STUDY-product.lymphodepletion")
def test_without_lymphodepletion(labs, expected):
    assert answer(make([blasts(*row) for row in labs], [{"SUBJ": 0, "LDSTART": None}]), BURDEN) == {"BURDEN": expected}


def test_not_infused():
    """The last value on or before the cutoff."""
    labs = [blasts(10, 60.0), blasts(100, 40.0), blasts(101, 20.0)]
    assert answer(make(labs, [{"SUBJ": 0, "LDSTART": None, "DAY0": None, "CUTOFF": 100}]), BURDEN) == {"BURDEN": 40.0}


@pytest.mark.parametrize(
    ("value", "level"), [(0.0, "< 5 %"), (4.9, "< 5 %"), (5.0, "5 to < 50 %"), (49.9, "5 to < 50 %"), (50.0, ">= 50 %"), (100.0, ">= 50 %")]
)
@pytest.mark.shows("STUDY-baseline.cut", "STUDY-baseline.levels")
def test_a_boundary_belongs_to_the_upper_level(value, level):
    assert answer(make([blasts(-10, value)]), {**BURDEN, **CUT}) == {"BURDEN": level, "BURDENN": value}


def test_below_the_limit():
    """The number is not known; a limit of 5 or less puts it into the lowest level, a higher one does not."""
    for limit, level in ((1.0, "< 5 %"), (5.0, "< 5 %"), (6.0, None), (None, None)):
        labs = [blasts(-20, 60.0), blasts(-10, None, REL=UNQUANTIFIED, LLOQ=limit)]
        assert answer(make(labs), {**BURDEN, **CUT}) == {"BURDEN": level, "BURDENN": None}


def test_what_is_not_a_value():
    """Blood, another test, not done, empty; a partial date that may be after the start of lymphodepletion."""
    noise = [
        blasts(-6, 1.0, SPEC="BLOOD"),
        blasts(-6, 1.0, TEST="MRD"),
        blasts(-6, 1.0, DONE=False),
        blasts(-6, None),
        blasts(-30, 1.0, DAYX=-1),
    ]
    assert answer(make([blasts(-40, 70.0), *noise]), BURDEN) == {"BURDEN": 70.0}


def test_of_one_day_the_highest_of_blasts():
    """by hand (rules, A11): one definition with the derived status; counts the lowest, of another test the last record."""
    rows = [(70.0, 2), (60.0, 3), (50.0, 1)]
    assert answer(make([blasts(-9, value, SEQ=seq) for value, seq in rows]), BURDEN) == {"BURDEN": 70.0}
    for test, expected in (("NEUT", 50.0), ("LDH", 60.0)):
        item = {"id": "X", "from": {"domain": "LB", "testcd": test}}
        labs = [blasts(-9, value, SEQ=seq, TEST=test, SPEC="BLOOD") for value, seq in rows]
        assert answer(make(labs), item) == {"X": expected}


@pytest.mark.parametrize(
    ("relation", "limit", "level"),
    [
        (BELOW, 5.0, "< 5 %"),
        (BELOW, 6.0, None),
        (ABOVE, 50.0, ">= 50 %"),
        (ABOVE, 40.0, None),
        (ABOVE, 90.0, ">= 50 %"),
    ],
)
def test_a_limit_has_a_level_where_all_it_can_be_is_of_one(relation, limit, level):
    """by hand (rules, A8): `<5` lies below the first boundary of 5, `<6` on either side; no number is known."""
    labs = [blasts(-20, 60.0), blasts(-10, None, REL=relation, LIMIT=limit)]
    assert answer(make(labs), {**BURDEN, **CUT}) == {"BURDEN": level, "BURDENN": None}


def test_a_number_one_bit_below_a_boundary_is_at_it():
    """by hand (rules, A9): 12 significant digits."""
    value = 4.999999999999999
    assert value < 5 and answer(make([blasts(-10, value)]), {**BURDEN, **CUT})["BURDEN"] == "5 to < 50 %"


@pytest.mark.shows("STUDY-baseline.from.specimen")
def test_counts_of_another_specimen_are_none():
    """by hand (rules, A10): neutrophils of cerebrospinal fluid; a blank specimen is blood."""
    item = {"id": "ANC", "from": {"domain": "LB", "testcd": "NEUT"}}
    labs = [blasts(-9, 1.5, TEST="NEUT", SPEC=None), blasts(-8, 0.0, TEST="NEUT", SPEC="CSF")]
    assert answer(make(labs), item) == {"ANC": 1.5}


@pytest.mark.shows("STUDY-baseline.id", "STUDY-baseline.from.domain", "STUDY-baseline.from.variable")
def test_demographics():
    records = make(subjects=[{"SUBJ": 0, "AGE": 40.0, "SEX": "F", "SITEID": "3"}], DM=[{"SUBJ": 0, "RACE": "ASIAN", "AGE": 40.0}])
    age = {"id": "AGE", "from": {"domain": "DM", "variable": "AGE"}, "cut": [40], "levels": ["< 40 years", ">= 40 years"]}
    found = answer(
        records, age, *({"id": name, "from": {"domain": "DM", "variable": name}} for name in ("SEX", "RACE", "SITEID", "ETHNIC"))
    )
    assert found == {"AGEGR1": ">= 40 years", "AGE": 40.0, "SEX": "F", "RACE": "ASIAN", "SITEID": "3", "ETHNIC": None}


PRIOR = {"id": "PRHSCT", "from": {"domain": "MH", "term": "Allogeneic stem cell transplant"}}


@pytest.mark.shows("STUDY-baseline.from.term")
def test_history_volunteered():
    """Medical history as reported: of who has no record of it nothing was asked (A5). Dates may be partial or missing."""
    people = [{"SUBJ": i, "DATED": True, "DAY0": 19012, "LDSTART": 19007, "CUTOFF": 19262} for i in range(5)]  # day 0 2022-01-20
    term = "ALLOGENEIC STEM CELL TRANSPLANT"
    history = [
        {"SUBJ": 0, "MHDECOD": term, "MHSTDTC": "2020", "MHSEQ": 1},
        {"SUBJ": 1, "MHDECOD": term, "MHSTDTC": None, "MHSEQ": 1},
        {"SUBJ": 2, "MHDECOD": "ASTHMA", "MHSTDTC": "2001-05", "MHSEQ": 1},
        {"SUBJ": 3, "MHDECOD": term, "MHSTDTC": "2022-03-01", "MHSEQ": 1},
    ]
    records = make(subjects=people, MH=history)
    assert derive_baseline(asking(PRIOR), records)["PRHSCT"].to_list() == ["Y", "Y", None, None, None]


def test_history_asked_for():
    """Where the question was asked (an N is recorded), who has no answer is not known."""
    history = [
        {"SUBJ": i, "MHTERM": "allogeneic stem cell transplant", "MHOCCUR": occur, "MHSTAT": stat}
        for i, (occur, stat) in enumerate([("Y", None), ("N", None), (None, "NOT DONE")])
    ]
    records = make(subjects=[{"SUBJ": i} for i in range(4)], MH=history)
    assert derive_baseline(asking(PRIOR), records)["PRHSCT"].to_list() == ["Y", "N", None, None]


@pytest.mark.shows("STUDY-baseline.from.term")
def test_procedures_and_medication():
    """Before lymphodepletion (day -5) alone, by the earliest day; undated ones only when marked as prior."""
    bridging = {"id": "BRIDGE", "from": {"domain": "CM", "term": "BRIDGING THERAPY"}}
    transplant = {"id": "PRHSCT", "from": {"domain": "PR", "term": "ALLOGENEIC STEM CELL TRANSPLANT"}}
    medication = [
        {"SUBJ": 0, "CMTRT": "VINCRISTINE", "CMCAT": "BRIDGING THERAPY", "CMSTDY": -20.0, "CMSTRTPT": None},
        {"SUBJ": 1, "CMTRT": "VINCRISTINE", "CMCAT": "BRIDGING THERAPY", "CMSTDY": -5.0, "CMSTRTPT": None},
        {"SUBJ": 2, "CMTRT": "VINCRISTINE", "CMCAT": "BRIDGING THERAPY", "CMSTDY": None, "CMSTRTPT": None},
        {"SUBJ": 3, "CMTRT": "VINCRISTINE", "CMCAT": "BRIDGING THERAPY", "CMSTDY": None, "CMSTRTPT": "BEFORE"},
    ]
    procedures = [
        {"SUBJ": 0, "PRTRT": "Allogeneic stem cell transplant", "PRSTDY": 70.0},
        {"SUBJ": 1, "PRTRT": "Allogeneic stem cell transplant", "PRSTDY": -400.0},
    ]
    records = make(subjects=[{"SUBJ": i} for i in range(4)], CM=medication, PR=procedures)
    frame = derive_baseline(asking(bridging, transplant), records)
    assert frame["BRIDGE"].to_list() == ["Y", None, None, "Y"]
    assert frame["PRHSCT"].to_list() == [None, "Y", None, None]


def test_extramedullary_disease():
    """The last answer before lymphodepletion; not done is no answer; present at any site of one day is present."""
    item = {"id": "EMD", "from": {"domain": "FA", "term": "EXTRAMEDULLARY DISEASE"}}
    base = {"SUBJ": 0, "DAY": -10, "DAYX": -10, "SEQ": 1}
    rows = [
        [{**base, "PRESENT": 0}],
        [{**base, "PRESENT": 1}, {**base, "PRESENT": 0, "SEQ": 2}],
        [{**base, "PRESENT": 1}, {**base, "DAY": -7, "DAYX": -7, "PRESENT": -1}],
        [{**base, "PRESENT": 1}, {**base, "DAY": -7, "DAYX": -7, "PRESENT": 0}],
        [{**base, "PRESENT": -1}],
        [{**base, "DAY": 28, "DAYX": 28, "PRESENT": 1}],
    ]
    assert [answer(make(lesions=lesions), item)["EMD"] for lesions in rows] == ["N", "Y", "Y", "N", None, None]


def test_other_findings():
    item = {"id": "CYTO", "from": {"domain": "FA", "term": "PHILADELPHIA CHROMOSOME"}}
    rows = [
        {"SUBJ": i, "FAOBJ": "Philadelphia chromosome", "FASTRESC": word, "FADY": -10.0, "FASEQ": 1}
        for i, word in enumerate(["POSITIVE", "N", "NOT DONE"])
    ]
    assert derive_baseline(asking(item), make(subjects=[{"SUBJ": i} for i in range(4)], FA=rows))["CYTO"].to_list() == [
        "Y",
        "N",
        None,
        None,
    ]


def test_dose():
    """The product's doses of day 0 and of its fractions; later infusions are not the dose level."""
    item = {"id": "DOSE", "from": {"domain": "EX", "variable": "EXDOSE"}, "cut": [3], "levels": ["low", "high"]}
    doses = [
        {"SUBJ": 0, "DAY": day, "DAYX": day, "KIND": kind, "AMOUNT": amount, "SEQ": day}
        for day, kind, amount in ((-5, "LYMPHODEPLETION", 30.0), (0, "PRODUCT", 1.0), (3, "PRODUCT", 2.0))
    ]
    assert answer(make(doses=doses), item) == {"DOSE": "low", "DOSEN": 1.0}
    product = STUDY.product.model_copy(update={"fraction_days": 3})
    fractions = asking(item).model_copy(update={"product": product})
    assert derive_baseline(fractions, make(doses=doses)).row(0) == (0, "high", 3.0)


@pytest.mark.shows("STUDY-baseline.from.variable")
def test_dose_level_by_another_variable():
    """The first record of the product; numbers with named levels are shown as whole numbers."""
    exposure = [
        {"SUBJ": 0, "EXTRT": "CNCT19", "EXLEVEL": 2.0, "EXSTDY": 0.0, "EXSEQ": 2},
        {"SUBJ": 0, "EXTRT": "FLUDARABINE", "EXLEVEL": 9.0, "EXSTDY": -5.0, "EXSEQ": 1},
    ]
    item = {"id": "LEVEL", "from": {"domain": "EX", "variable": "EXLEVEL"}}
    assert answer(make(EX=exposure), item) == {"LEVEL": 2.0}
    assert answer(make(EX=exposure), {**item, "levels": ["1", "2"]}) == {"LEVEL": "2"}


@pytest.mark.shows("STUDY-baseline.from.domain", "STUDY-baseline.from.testcd")
def test_vital_signs():
    item = {"id": "WEIGHT", "from": {"domain": "VS", "testcd": "WEIGHT"}}
    signs = [
        {"SUBJ": 0, "VSTESTCD": "WEIGHT", "VSSTRESN": value, "VSDY": day, "VSSEQ": i}
        for i, (day, value) in enumerate([(-30.0, 61.0), (-8.0, 60.0), (-2.0, 59.0)])
    ]
    assert answer(make(VS=signs), item) == {"WEIGHT": 60.0}


def test_absent_domains_are_null():
    """The many-trial path keeps no domains as read: what is not in the integer tables is not known."""
    frame = derive_baseline(STUDY, make(subjects=[{"SUBJ": 0, "AGE": 39.9, "SEX": "M"}]))
    assert frame.row(0, named=True) == {
        "SUBJ": 0,
        "AGEGR1": "< 40 years",
        "AGE": 39.9,
        "SEX": "M",
        "BURDEN": None,
        "BURDENN": None,
        "PRHSCT": None,
        "EMD": None,
    }
    items = [
        {"id": f"X{domain}", "from": {"domain": domain, "term": "X", "testcd": "X", "variable": "X"}}
        for domain in ("DM", "LB", "EX", "MH", "FA", "VS", "PR", "CM")
    ]
    assert set(answer(make(), *items).values()) == {None}
    cut = [{**item, "cut": [1], "levels": ["a", "b"]} for item in items]
    frame = derive_baseline(asking(*cut), make())
    assert all(frame.schema[f"{item['id']}N"] == pl.Float64 and frame.schema[item["id"]] == pl.String for item in items)


def test_no_characteristics():
    assert derive_baseline(asking(), make()).columns == ["SUBJ"]


def test_from_source_data():
    """Through SDTM: lymphodepletion from 2022-01-15, so the marrow of 2022-01-14 is baseline and that of 2022-01-15 is not."""
    key = {"STUDYID": "S", "USUBJID": "01"}
    lab = {**key, "LBTESTCD": "BLAST", "LBSPEC": "BONE MARROW", "LBSTRESU": "%"}
    source = Source(
        {
            "DM": pl.DataFrame([{**key, "AGE": 52.0, "SEX": "F", "ROW": 2}]),
            "EX": pl.DataFrame(
                [
                    {**key, "EXSEQ": 1, "EXTRT": "Fludarabine", "EXSTDTC": "2022-01-15", "ROW": 2},
                    {**key, "EXSEQ": 2, "EXTRT": "CNCT19", "EXSTDTC": "2022-01-20", "ROW": 3},
                ]
            ),
            "LB": pl.DataFrame(
                [
                    {**lab, "LBSEQ": 1, "LBSTRESN": 5.0, "LBDTC": "2022-01-14", "ROW": 2},
                    {**lab, "LBSEQ": 2, "LBSTRESN": 60.0, "LBDTC": "2022-01-15", "ROW": 3},
                ]
            ),
            "MH": pl.DataFrame([{**key, "MHSEQ": 1, "MHTERM": "Allogeneic stem cell transplant", "MHSTDTC": "2020-03", "ROW": 2}]),
            "FA": pl.DataFrame(
                [
                    {
                        **key,
                        "FASEQ": 1,
                        "FATESTCD": "OCCUR",
                        "FAOBJ": "EXTRAMEDULLARY DISEASE",
                        "FASTRESC": "ABSENT",
                        "FADTC": "2022-01-10",
                        "ROW": 2,
                    }
                ]
            ),
        }
    )
    row = derive_baseline(STUDY, derive_records(STUDY, source)).row(0, named=True)
    assert row == {
        "SUBJ": 0,
        "AGEGR1": ">= 40 years",
        "AGE": 52.0,
        "SEX": "F",
        "BURDEN": "5 to < 50 %",
        "BURDENN": 5.0,
        "PRHSCT": "Y",
        "EMD": "N",
    }


PEOPLE = [{"SUBJ": 0}, {"SUBJ": 1, "LDSTART": None}, {"SUBJ": 2, "LDSTART": None, "DAY0": None}, {"SUBJ": 3, "TRIAL": 2}]
PEOPLE = [{**person, "CUTOFF": 50} for person in PEOPLE]
rows = st.lists(st.tuples(st.integers(0, 3), st.integers(-30, 50), st.floats(0, 100)), max_size=30, unique_by=lambda row: row[:2])


@given(rows, st.randoms())
@examples(60)
def test_order_of_rows_does_not_matter(found, random):
    labs = [blasts(day, value, subj) for subj, day, value in found]
    expected = derive_baseline(STUDY, make(labs, PEOPLE))
    random.shuffle(labs)
    assert derive_baseline(STUDY, make(labs, PEOPLE[::-1])).equals(expected)


@given(rows, st.lists(st.tuples(st.integers(0, 3), st.integers(51, 99)), max_size=8))
@examples(60)
def test_records_after_the_cutoff_change_nothing(found, later):
    labs = [blasts(day, value, subj) for subj, day, value in found]
    after = [blasts(day, 99.0, subj) for subj, day in later]
    history = [{"SUBJ": 1, "MHDECOD": "ALLOGENEIC STEM CELL TRANSPLANT", "MHOCCUR": "Y", "MHSTDY": -50.0, "MHSEQ": 1}]
    told = [
        {"SUBJ": subj, "MHDECOD": "ALLOGENEIC STEM CELL TRANSPLANT", "MHOCCUR": "N", "MHSTDY": float(day), "MHSEQ": 2}
        for subj, day in later
    ]
    assert derive_baseline(STUDY, make(labs + after, PEOPLE, MH=history + told)).equals(
        derive_baseline(STUDY, make(labs, PEOPLE, MH=history))
    )


@given(rows)
@examples(60)
def test_as_a_plain_loop(found):
    """The same by a loop over subjects, written from the rule."""
    frame = derive_baseline(asking(BURDEN), make([blasts(day, value, subj) for subj, day, value in found], PEOPLE))
    for subj, limit in ((0, -6), (1, -1), (2, 50), (3, -6)):
        mine = {day: value for who, day, value in found if who == subj}
        day = max((day for day in mine if day <= limit), default=0 if subj == 1 and 0 in mine else None)
        assert frame["BURDEN"][subj] == (None if day is None else mine[day])
