"""Adverse events (ADAE). Each expected value says where it comes from."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.endpoints.sets.adae import derive_adae
from cartrial.sdtm.records import NO_CUTOFF, Records, derive_records
from cartrial.sdtm.source import Source
from cartrial.study import Study
from properties import examples

STUDY = Study.load("inaticel")
EPOCH = dt.date(1970, 1, 1)
CUTOFF = dt.date(2022, 9, 27)
DAY0 = dt.date(2022, 1, 20)

SUBJECT = {
    **dict.fromkeys(("SUBJ", "TRIAL", "DAY0", "CONSENT", "ENROLLED", "LEUK", "RELEASED", "LDSTART", "RFST", "CUTOFF"), pl.Int32),
    **dict.fromkeys(("STUDYID", "USUBJID", "SITEID", "SEX", "COUNTRY", "ARMCD"), pl.String),
    **{"AGE": pl.Float64, "DATED": pl.Boolean},
}
EVENT = {
    **dict.fromkeys(("SUBJ", "DAY", "DAYX", "ENDDAY", "ENDDAYX"), pl.Int32),
    **{"DECOD": pl.String, "BODSYS": pl.String, "TOXGR": pl.Int8, "SER": pl.String, "REL": pl.String, "OUT": pl.String, "SEQ": pl.Int64},
}
DEATH = {"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32, "SRCDOM": pl.String, "SRCVAR": pl.String, "SEQ": pl.Int64}


def number(date):
    return (date - EPOCH).days


def possible(text):
    """Earliest and latest day of an ISO date, partial or not, by the calendar."""
    if text is None:
        return None, None
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return number(dt.date(*parts)), number(dt.date(*parts))
    if len(parts) == 1:
        return number(dt.date(parts[0], 1, 1)), number(dt.date(parts[0], 12, 31))
    year, month = parts
    return number(dt.date(year, month, 1)), number(dt.date(year + month // 12, month % 12 + 1, 1)) - 1


def event(start, end=None, subj=0, seq=1, **more):
    (day, dayx), (endday, enddayx) = possible(start), possible(end)
    row = {"SUBJ": subj, "DAY": day, "DAYX": dayx, "ENDDAY": endday, "ENDDAYX": enddayx, "DECOD": "PYREXIA", "TOXGR": 1, "SEQ": seq}
    return {**row, **more}


def make(events, subjects=None, deaths=()):
    empty = pl.DataFrame()
    people = [{"TRIAL": 0, "DAY0": number(DAY0), "CUTOFF": number(CUTOFF), "DATED": True, **person} for person in subjects or [{"SUBJ": 0}]]
    return Records(
        subjects=pl.DataFrame(people, schema=SUBJECT),
        calls=empty,
        labs=empty,
        lesions=empty,
        doses=empty,
        procedures=empty,
        therapies=empty,
        dispositions=empty,
        survival=empty,
        adverse=pl.DataFrame(events, schema=EVENT),
        deaths=pl.DataFrame([{"SUBJ": subj, "DAY": number(day), "DAYX": number(day)} for subj, day in deaths], schema=DEATH),
    )


def one(*args, **kwargs):
    deaths = kwargs.pop("deaths", ())
    frame = derive_adae(STUDY, make([event(*args, **kwargs)], deaths=deaths))
    assert frame.height == 1
    return frame.row(0, named=True)


def test_full_dates_by_hand():
    """2022-01-22 is 2 days after day 0 (2022-01-20); to 2022-01-31 inclusive are 31 - 22 + 1 = 10 days."""
    row = one(
        "2022-01-22",
        "2022-01-31",
        DECOD="CYTOKINE RELEASE SYNDROME",
        TOXGR=3,
        SER="Y",
        REL="RELATED",
        OUT="RECOVERED/RESOLVED",
        BODSYS="Immune",
    )
    assert row == {
        "TRIAL": 0,
        "SUBJ": 0,
        "AEDECOD": "CYTOKINE RELEASE SYNDROME",
        "AEBODSYS": "Immune",
        "AETOXGR": "3",
        "ASTDT": dt.date(2022, 1, 22),
        "AENDT": dt.date(2022, 1, 31),
        "ASTDTF": None,
        "AENDTF": None,
        "ASTDY": 3,
        "AENDY": 12,
        "CARSTDAY": 2,
        "CARENDAY": 11,
        "ADURN": 10,
        "TRTEMFL": "Y",
        "AESER": "Y",
        "AEREL": "RELATED",
        "AEOUT": "RECOVERED/RESOLVED",
        "SPECIAL": "CRS",
        "SRCDOM": "AE",
        "SRCSEQ": 1,
        "FLAGS": None,
    }


@pytest.mark.parametrize(("start", "day", "emergent"), [("2022-01-19", -1, None), ("2022-01-20", 1, "Y"), ("2022-01-21", 2, "Y")])
@pytest.mark.shows("RULE-1.2")
def test_emergent_is_on_or_after_day_0(start, day, emergent):
    """Rules 9, A21: a study day of ADaM has no 0; a flag is Y or blank."""
    row = one(start)
    assert (row["ASTDY"], row["TRTEMFL"]) == (day, emergent)


@pytest.mark.parametrize(
    ("start", "date", "how", "emergent", "flags"),
    [
        ("2022-02", "2022-02-15", "D", "Y", "start imputed"),  # rules section 1: the 15th
        ("2021-12", "2021-12-15", "D", None, "start imputed"),
        ("2021", "2021-07-01", "M", None, "start imputed"),  # rules section 1: 1 July
        ("2020", "2020-07-01", "M", None, "start imputed"),  # a leap year
        ("2022-01", "2022-01-20", "D", "Y", "start imputed;start set to day 0"),  # the 15th is before day 0, the month is not
        ("2022", "2022-07-01", "M", "Y", "start imputed"),
        ("2022-09", "2022-09-15", "D", "Y", "start imputed"),
    ],
)
def test_partial_onset(start, date, how, emergent, flags):
    row = one(start)
    assert (str(row["ASTDT"]), row["ASTDTF"], row["TRTEMFL"], row["FLAGS"]) == (date, how, emergent, flags)


@pytest.mark.shows("STUDY-study.cutoff")
def test_partial_onset_is_not_after_the_cutoff():
    """Cutoff 2022-09-10: the 15th of that month is after it, so the cutoff is taken; 1 July is not after it."""
    for start, date in (("2022-09", "2022-09-10"), ("2022", "2022-07-01")):
        frame = derive_adae(STUDY, make([event(start)], [{"SUBJ": 0, "CUTOFF": number(dt.date(2022, 9, 10))}]))
        assert str(frame["ASTDT"][0]) == date


def test_partial_onset_is_not_after_the_end():
    """The 15th of February, but the event ended on the 9th."""
    row = one("2022-02", "2022-02-09")
    assert (str(row["ASTDT"]), row["ADURN"]) == ("2022-02-09", 1)


def test_partial_onset_that_ended_before_day_0_is_not_emergent():
    row = one("2022-01", "2022-01-10")
    assert (str(row["ASTDT"]), row["TRTEMFL"], row["FLAGS"]) == ("2022-01-10", None, "start imputed")


def test_partial_end_is_imputed_and_never_before_the_start():
    """Start 3 February, end in February: the 15th, 13 days. Start 20 February, end in February: that day."""
    row = one("2022-02-03", "2022-02")
    assert (str(row["AENDT"]), row["AENDTF"], row["ADURN"], row["FLAGS"]) == ("2022-02-15", "D", 13, "end imputed")
    assert one("2022-02-20", "2022-02")["ADURN"] == 1


def test_onset_without_a_date():
    row = one(None)
    assert (row["ASTDT"], row["ASTDY"], row["ADURN"], row["TRTEMFL"], row["FLAGS"]) == (None, None, None, "Y", "start missing")
    assert one(None, "2022-01-10")["TRTEMFL"] is None
    assert one(None, "2022-01")["TRTEMFL"] == "Y"  # it may have ended after day 0


def test_no_end():
    row = one("2022-02-01", OUT="NOT RECOVERED/NOT RESOLVED")
    assert (row["AENDT"], row["AENDY"], row["ADURN"], row["FLAGS"]) == (None, None, None, None)


def test_end_after_the_cutoff_is_not_known():
    """The cutoff is 2022-09-27; nothing of the day after is used: no end, not recovered."""
    row = one("2022-09-20", "2022-09-28", OUT="RECOVERED/RESOLVED")
    assert (row["AENDT"], row["ADURN"], row["AEOUT"], row["FLAGS"]) == (None, None, "NOT RECOVERED/NOT RESOLVED", "going on at the cutoff")
    assert one("2022-09-20", "2022-09-27", OUT="RECOVERED/RESOLVED")["ADURN"] == 8


def test_death_after_the_cutoff_leaves_the_subject_alive():
    row = one("2022-09-20", "2022-09-28", OUT="FATAL", TOXGR=5)
    assert (row["AETOXGR"], row["AEOUT"], row["FLAGS"]) == (
        None,
        "NOT RECOVERED/NOT RESOLVED",
        "going on at the cutoff;death after the cutoff",
    )
    row = one("2022-09-20", OUT="FATAL", TOXGR=5, deaths=[(0, dt.date(2022, 9, 28))])
    assert (row["AETOXGR"], row["AEOUT"], row["FLAGS"]) == (None, "NOT RECOVERED/NOT RESOLVED", "death after the cutoff")
    row = one("2022-09-20", "2022-09-27", OUT="FATAL", TOXGR=5, deaths=[(0, dt.date(2022, 9, 27))])
    assert (row["AETOXGR"], row["AEOUT"], row["FLAGS"]) == ("5", "FATAL", None)


def test_end_before_start():
    row = one("2022-02-10", "2022-02-09")
    assert (row["ADURN"], row["FLAGS"]) == (None, "end before start")
    assert one("2022-03-10", "2022-02")["FLAGS"] == "end imputed;end before start"


def test_events_that_do_not_count():
    """After the cutoff; of a subject not infused; of one infused after the cutoff."""
    people = [{"SUBJ": 0}, {"SUBJ": 1, "DAY0": None}, {"SUBJ": 2, "DAY0": number(dt.date(2022, 9, 28))}]
    events = [event("2022-09-28"), event("2022-10", seq=2), event("2022-02-01", subj=1), event("2022-02-01", subj=2)]
    assert derive_adae(STUDY, make(events, people)).is_empty()


def test_study_days_only():
    """No calendar date is invented: the onset of study day 3 is day 3, without a date."""
    row = {"SUBJ": 0, "DAY": 3, "DAYX": 3, "ENDDAY": 5, "ENDDAYX": 5, "DECOD": "HLH", "SEQ": 1}
    found = derive_adae(STUDY, make([row], [{"SUBJ": 0, "DAY0": 0, "CUTOFF": NO_CUTOFF, "DATED": False}])).row(0, named=True)
    assert (found["ASTDT"], found["ASTDY"], found["AENDY"], found["ADURN"], found["TRTEMFL"]) == (None, 4, 6, 3, "Y")


@pytest.mark.shows("STUDY-safety.special", "STUDY-safety.special.id", "STUDY-safety.special.terms")
@pytest.mark.shows("STUDY-safety")
def test_special_terms_of_the_study():
    """The built-in study names CRS and ICANS; letter case does not matter, other events have none."""
    terms = {
        "Cytokine release syndrome": "CRS",
        "ICANS": "ICANS",
        "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME": "ICANS",
        "PYREXIA": None,
        None: None,
    }
    frame = derive_adae(STUDY, make([event("2022-02-01", seq=i, DECOD=term) for i, term in enumerate(terms)]))
    assert frame["SPECIAL"].to_list() == list(terms.values())


def test_no_events():
    frame = derive_adae(STUDY, make([]))
    assert frame.is_empty()
    assert (frame.schema["ASTDT"], frame.schema["ADURN"], frame.schema["AETOXGR"]) == (pl.Date, pl.Int32, pl.String)


def test_from_source_data():
    """Through SDTM: subject 01 infused on 2022-01-20, an event from 2022-01 to 2022-02-03: day 0 to day 14, 15 days."""
    key = {"STUDYID": "S", "USUBJID": "01"}
    source = Source(
        {
            "DM": pl.DataFrame([{**key, "ROW": 2}]),
            "EX": pl.DataFrame([{**key, "EXSEQ": 1, "EXTRT": "Inaticabtagene autoleucel", "EXSTDTC": "2022-01-20", "ROW": 2}]),
            "AE": pl.DataFrame(
                [{**key, "AESEQ": 4, "AEDECOD": "Icans", "AETOXGR": "2", "AESTDTC": "2022-01", "AEENDTC": "2022-02-03T10:00", "ROW": 2}]
            ),
        }
    )
    row = derive_adae(STUDY, derive_records(STUDY, source)).row(0, named=True)
    assert (row["ASTDY"], row["AENDY"], row["ADURN"], row["AETOXGR"], row["SPECIAL"], row["SRCSEQ"]) == (1, 15, 15, "2", "ICANS", 4)


dates = st.one_of(
    st.none(),
    st.dates(dt.date(2020, 1, 1), CUTOFF).map(str),
    st.dates(dt.date(2020, 1, 1), CUTOFF).map(lambda day: str(day)[:7]),
    st.dates(dt.date(2020, 1, 1), CUTOFF).map(lambda day: str(day)[:4]),
)
ends = st.one_of(dates, st.dates(dt.date(2020, 1, 1), dt.date(2023, 12, 31)).map(str))
rows = st.lists(st.tuples(st.integers(0, 3), dates, ends, st.integers(1, 5)), max_size=20)
PEOPLE = [{"SUBJ": 0}, {"SUBJ": 1, "TRIAL": 1}, {"SUBJ": 2, "DAY0": None}, {"SUBJ": 3, "DAY0": number(dt.date(2022, 9, 27))}]


def events_of(found):
    return [event(start, end, subj=subj, seq=i, TOXGR=grade) for i, (subj, start, end, grade) in enumerate(found)]


@given(rows, st.randoms())
@examples(60)
def test_order_of_rows_does_not_matter(found, random):
    events = events_of(found)
    expected = derive_adae(STUDY, make(events, PEOPLE))
    random.shuffle(events)
    assert derive_adae(STUDY, make(events, PEOPLE)).equals(expected)


@given(rows, st.lists(st.tuples(st.integers(0, 3), st.dates(dt.date(2022, 9, 28), dt.date(2025, 1, 1)).map(str)), max_size=8))
@examples(60)
def test_records_after_the_cutoff_change_nothing(found, later):
    events = events_of(found)
    after = [event(start, subj=subj, seq=100 + i) for i, (subj, start) in enumerate(later)]
    assert derive_adae(STUDY, make(events + after, PEOPLE)).equals(derive_adae(STUDY, make(events, PEOPLE)))


@given(rows)
@examples(120)
def test_bounds(found):
    """An imputed date is one that it can mean, not after the cutoff; a duration is at least a day; emergent is from day 0 on."""
    events = events_of(found)
    spans = {row["SEQ"]: row for row in events}
    for row in derive_adae(STUDY, make(events, PEOPLE)).iter_rows(named=True):
        assert row["SUBJ"] != 2
        assert row["ADURN"] is None or row["ADURN"] >= 1
        span = spans[row["SRCSEQ"]]
        for name, first, last in (("ASTDT", "DAY", "DAYX"), ("AENDT", "ENDDAY", "ENDDAYX")):
            if row[name] is not None:
                assert row[name] <= CUTOFF
                assert span[first] <= number(row[name]) <= span[last]
        if row["ASTDY"] is not None:
            assert (row["TRTEMFL"] == "Y") == (row["ASTDY"] > 0) == (row["CARSTDAY"] >= 0)
