"""Are words, units and partial dates read as what they mean?

Expected values: words from the CDISC controlled terminology of 2024-03-29 (checked against `cdisc_ct` of tests/README.md where it is
there) and the project's rules; unit factors from the definitions of the units; dates from the calendar.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.sdtm import check_sdtm, standardise
from cartrial.sdtm.vocabulary.dates import earliest_day, is_date, is_implausible, is_interval, is_partial, latest_day
from cartrial.sdtm.vocabulary.dispositions import OTHER_DISPOSITIONS
from cartrial.sdtm.vocabulary.response_criteria import status_of
from cartrial.sdtm.vocabulary.results import (
    ABOVE,
    AT_LEAST,
    AT_MOST,
    BELOW,
    EXACT,
    NEGATIVE,
    POSITIVE,
    UNQUANTIFIED,
    UNREADABLE,
    number_said,
    relation_said,
    result_bounds,
)
from cartrial.sdtm.vocabulary.terms import CODE_LISTS, standard_term
from cartrial.sdtm.vocabulary.units import STRICT_TESTS, UNITS, standard_unit, unit_factor
from cartrial.study.criteria.leukaemia import LEUKAEMIA
from helpers import BASE, data_path, load_study, needs_data
from sdtm_example import read_tables, small_tables

TERMINOLOGY = "cdisc_ct/sdtmct_2024-03-29_selected.json"


@pytest.mark.parametrize(
    ("word", "codes", "term"),
    [
        ("MORPHOLOGIC CRi", "RSSTRESC", "CRi"),
        ("crI", "RSSTRESC", "CRi"),
        ("CRh", "RSSTRESC", "CRh"),
        ("complete  remission", "RSSTRESC", "CR"),
        ("MORPHOLOGIC CR", "RSSTRESC", "CR"),
        ("Morphologic Leukemia-Free State", "RSSTRESC", "MLFS"),
        ("RELAPSED DISEASE FROM CR", "RSSTRESC", "RELAPSE"),
        ("PROGRESSIVE DISEASE", "RSSTRESC", "PD"),
        ("PR", "RSSTRESC", "PR"),
        ("SD", "RSSTRESC", "SD"),
        ("Not Evaluable", "RSSTRESC", "NE"),
        ("SOMETHING", "RSSTRESC", None),
        ("INVESTIGATOR", "RSEVAL", "INVESTIGATOR"),
        ("BICR", "RSEVAL", "INDEPENDENT ASSESSOR"),
        ("Adjudication Committee", "RSEVAL", "ADJUDICATOR"),
        ("Reader_1", "RSEVALID", "READER 1"),
        ("Cerebrospinal Fluid", "LBSPEC", "CSF"),
        ("haemodilute", "LBREASND", "HEMODILUTE"),
        ("Informed Consent Withdrawn", "DSDECOD", "WITHDRAWAL BY SUBJECT"),
        ("allo-HSCT", "PRTRT", "ALLOGENEIC STEM CELL TRANSPLANT"),
        ("Grade 3", "AETOXGR", "3"),
        ("Not detected", "LBSTRESC", "NEGATIVE"),
        ("undetectable", "LBSTRESC", "NEGATIVE"),
        ("Below LLOQ", "LBSTRESC", "BLQ"),
        ("Blood, venous", "LBSPEC", "BLOOD"),
        ("BLSTLYLE", "LBTESTCD", "BLAST"),
        ("CNS 3", "FASTRESC", "PRESENT"),
        ("CNS 2", "FASTRESC", "ABSENT"),
    ],
)
def test_words(word, codes, term):
    assert standard_term(word, codes) == term


def test_no_word_means_two_things():
    for codes in CODE_LISTS.values():
        words = [word.upper() for term, synonyms in codes.terms.items() for word in (term, *synonyms)]
        assert len(words) == len(set(words)), codes.name


@needs_data(TERMINOLOGY)
def test_words_are_those_of_cdisc():
    lists = {
        each["expected_name"]: {word.upper() for word in each["allowed_terms_incl_synonyms"]}
        for each in json.loads(data_path(TERMINOLOGY).read_text()).values()
    }
    cdisc = {
        "ONCRSR": (
            "RSSTRESC",
            (
                "CR",
                "CRI",
                "NR",
                "PD",
                "NE",
                "MORPHOLOGIC CR",
                "MORPHOLOGIC CRI",
                "MORPHOLOGIC LEUKEMIA-FREE STATE",
                "RELAPSED DISEASE FROM CR",
                "PR",
                "SD",
            ),
        ),
        "EVAL": ("RSEVAL", ("INVESTIGATOR", "INDEPENDENT ASSESSOR", "ADJUDICATOR", "ADJUDICATION COMMITTEE", "PRINCIPAL INVESTIGATOR")),
        "NCOMPLT": ("DSDECOD", ("DEATH", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT", "WITHDRAWAL OF CONSENT")),
        "PROTMLST": ("DSDECOD", ("INFORMED CONSENT OBTAINED", "ENTERED INTO TRIAL")),
        "LBTESTCD": ("LBTESTCD", ("BLAST", "BLASTCE", "BLASTLE", "BLASTLM", "NEUT", "PLAT", "FERRITIN", "CRP", "LDH")),
        "OUT": ("AEOUT", ("FATAL", "RECOVERED/RESOLVED", "RECOVERING/RESOLVING", "NOT RECOVERED/NOT RESOLVED", "UNKNOWN")),
        "SEX": ("SEX", ("M", "F", "U", "INTERSEX")),
        "NY": ("NY", ("Y", "N", "U", "NA")),
        "ONCRTSCD": ("RSTESTCD", ("OVRLRESP",)),
    }
    for name, (codes, words) in cdisc.items():
        for word in words:
            assert word in lists[name], (name, word)
            assert standard_term(word, codes), (codes, word)
    for word in OTHER_DISPOSITIONS:
        assert word in lists["NCOMPLT"] | lists["PROTMLST"], word
    factors = {word for units in UNITS.values() for word in (units.standard, *units.also.values())} - {"fraction"}
    assert {unit.upper() for unit in factors} - lists["UNIT"] <= {"CELLS/UL"}


@pytest.mark.parametrize(
    ("test", "unit", "standard", "factor"),
    [
        ("BLAST", "%", "%", 1),
        ("BLAST", "fraction", "%", 100),
        ("NEUT", "10^9/L", "10^9/L", 1),
        ("NEUT", "10^3/uL", "10^9/L", 1),
        ("NEUT", "x 10^3/µL", "10^9/L", 1),
        ("NEUT", "×10⁹/L", "10^9/L", 1),
        ("NEUT", "10*9/L", "10^9/L", 1),
        ("NEUT", "G/L", "10^9/L", 1),
        ("NEUT", "K/uL", "10^9/L", 1),
        ("NEUT", "/uL", "10^9/L", 0.001),
        ("NEUT", "cells/mm³", "10^9/L", 0.001),
        ("PLAT", "10^6/L", "10^9/L", 0.001),
        ("PLAT", "10^3/mm3", "10^9/L", 1),
        *((("NEUT", unit, "10^9/L", 1)) for unit in ("Thou/uL", "TH/UL", "x10e3/uL", "E9/L", "x10(9)/L", "bil/L", "K/cumm", "10**9/L")),
        *(
            (("PLAT", unit, "10^9/L", 1))
            for unit in ("giga/L", "thousand/μL", "10⁹ cells/L", "109/L", "x 10^3 cells/mcL", "10x9/L", "Mrd/L")
        ),
        *((("PLAT", unit, "10^9/L", 0.001)) for unit in ("/cumm", "cells/cu.mm", "per mm3", "cells/μL", "/microliter")),
        ("PLAT", "10^4/uL", "10^9/L", 10),
        ("PLAT", "lakh/cumm", "10^9/L", 100),
        ("PLAT", "10^9/uL", None, None),
        ("PLAT", "mil/uL", None, None),
        ("BLAST", "% of leukocytes", "%", 1),
        ("BLAST", "/100 WBC", "%", 1),
        ("BLAST", "/uL", "10^9/L", 0.001),
        ("MRD", "per 10,000 cells", "fraction", 1e-4),
        ("MRD", "per million", "fraction", 1e-6),
        ("CARTG", "transgene copies/μg genomic DNA", "copies/ug", 1),
        ("BCELL", "Cells/μL", "cells/uL", 1),
        ("BCELL", "cells/mL", "cells/uL", 0.001),
        ("MRD", "%", "fraction", 0.01),
        ("MRD", "cells/10^6", "fraction", 1e-6),
        ("CARTG", "copies/ug DNA", "copies/ug", 1),
        ("CARTG", "copies/ng", "copies/ug", 1000),
        ("CARTG", "copies/cell", "copies/cell", None),
        ("CARTC", "10^6/L", "cells/uL", 1),
        ("CARTC", "10^9/L", "cells/uL", 1000),
        ("BCELL", "/mm3", "cells/uL", 1),
        ("BCELL", "%", "%", 1),
        ("FERRITIN", "ng/mL", "ug/L", 1),
        ("CRP", "mg/dL", "mg/L", 10),
        ("IL6", "pg/mL", "pg/mL", 1),
        ("CRP", "G/L", "mg/L", 1000),
        ("NEUT", "mmol/L", None, None),
        ("MRD", "10^9/L", None, None),
        ("GLUC", "mmol/L", None, None),
    ],
)
def test_units(test, unit, standard, factor):
    frame = pl.DataFrame({"t": [test], "u": [unit]}).select(
        standard_unit(pl.col("t"), pl.col("u")).alias("s"), unit_factor(pl.col("t"), pl.col("u")).alias("f")
    )
    assert frame["s"][0] == standard
    if factor is not None:
        assert frame["f"][0] == pytest.approx(factor, rel=1e-15)
    assert all(UNITS[strict].factors[UNITS[strict].standard.lower()] == 1 for strict in STRICT_TESTS)


def test_results_are_brought_to_standard_units(tmp_path):
    tables = small_tables()
    tables["LB"][1].update(LBSTRESN=0.049, LBSTRESC="0.049", LBSTRESU="fraction")
    tables["LB"][2].update(LBSTRESN=1000, LBSTRESC="1000", LBSTRESU="/uL")
    tables["LB"][3].update(LBSTRESN=None, LBSTRESC=None, LBSTRESU=None, LBORRES="100", LBORRESU="K/uL")
    tables["LB"][4].update(LBSTRESN=0.01, LBSTRESC=None, LBSTRESU="%", LBLOD=0.001)
    tables["LB"][5].update(LBSTRESN=None, LBSTRESC="< 0.05", LBSTRESU="copies/ng", LBLLOQ=None)
    lab = read_tables(tables, tmp_path).domains["LB"]
    rows = lab.select("LBSTRESC", "LBSTRESN", "LBSTRESU", "LBLLOQ", "LBLOD", "LBORRES", "LBORRESU").rows()
    assert rows[1] == ("4.9", 4.9, "%", None, None, "0.049", "fraction")
    assert rows[2] == ("1", 1.0, "10^9/L", None, None, "1000", "/uL")
    assert rows[3] == ("100", 100.0, "10^9/L", None, None, "100", "K/uL")
    # Exactly 1e-4 stays exactly 1e-4, which the rules count as positive.
    assert rows[4] == (None, 1e-4, "fraction", None, 1e-5, "0.01", "%")
    assert rows[5] == ("<50", None, "copies/ug", None, None, "< 0.05", "copies/ng")


def test_doing_it_twice_changes_nothing(tmp_path):
    """by hand: limits, percent signs, collected limits in another unit, words and counts keep what they were brought to."""
    tables = small_tables()
    tables["LB"][1].update(LBSTRESN=2.5, LBSTRESC="<= 5 %")
    tables["LB"][2].update(LBSTRESN=1800, LBSTRESC="> 1800", LBSTRESU="/cumm")
    tables["LB"][3].update(LBSTRESN=140, LBSTRESC="140", LBORRES="<140", LBORRESU="Thou/uL")
    tables["LB"][4].update(LBSTRESN=0.0001, LBSTRESC=None, LBORRES="<0.01%", LBORRESU="%")
    once = read_tables(tables, tmp_path)
    twice = standardise(once)
    assert twice.domains["LB"].equals(once.domains["LB"]) and twice.findings.equals(once.findings)
    rows = once.domains["LB"].select("LBSTRESC", "LBSTRESN", "LBSTRESU").rows()
    assert rows[1:5] == [("<=5", 2.5, "%"), (">1.8", 1.8, "10^9/L"), ("<140", 140.0, "10^9/L"), ("<0.0001", 0.0001, "fraction")]


@pytest.mark.parametrize(
    ("text", "relation", "number"),
    [
        ("<x", UNREADABLE, None),
        ("< 5", BELOW, 5),
        ("&lt;5", BELOW, 5),
        ("less than 5", BELOW, 5),
        ("≤5", AT_MOST, 5),
        ("=<5", AT_MOST, 5),
        (">1e6", ABOVE, 1e6),
        ("⩾ 5", AT_LEAST, 5),
        ("<10⁻⁴", BELOW, 1e-4),
        ("1.2 x 10^-4", EXACT, 1.2e-4),
        ("12 %", EXACT, 12),
        (".5", EXACT, 0.5),
        ("ND", NEGATIVE, None),
        ("< LLOQ", UNQUANTIFIED, None),
        ("detected", POSITIVE, None),
        ("1,234", UNREADABLE, None),
        ("12-15", UNREADABLE, None),
        ("<10-4", UNREADABLE, None),
        ("<0", UNREADABLE, 0),
        (">-1", UNREADABLE, -1),
        ("", UNREADABLE, None),
        (None, None, None),
    ],
)
def test_what_a_result_says(text, relation, number):
    """by hand, §9 A8; a power that lost its sign (10-4) is read by none."""
    said = pl.DataFrame({"T": [text]}, schema={"T": pl.String}).select(
        relation_said(pl.col("T")).alias("R"), number_said(pl.col("T")).alias("N")
    )
    assert said["R"][0] == relation
    assert said["N"][0] == (None if number is None else pytest.approx(number, rel=1e-15))


@given(st.floats(1e-9, 1e9).map(lambda value: float(f"{value:.11e}")))
@pytest.mark.shows("RULE-3.16")
def test_a_limit_is_next_to_its_number(limit):
    """§9, A9: between `<x`, x and `>x` lies no number of 12 significant digits; independent, by decimals."""
    rows = [
        {"TEST": "NEUT", "SPEC": None, "REL": rel, "VALUE": limit, "LIMIT": limit, "LLOQ": None, "LOD": None}
        for rel in (BELOW, EXACT, ABOVE)
    ]
    schema = {"SPEC": pl.String, "LLOQ": pl.Float64, "LOD": pl.Float64}
    low, high = pl.DataFrame(rows, schema_overrides=schema).select(result_bounds())
    digits = Decimal(f"{limit:.11e}")
    step = Decimal(1).scaleb(digits.adjusted() - 11)
    lower = digits - (step / 10 if digits == Decimal(1).scaleb(digits.adjusted()) else step)
    assert (high[0], low[1], high[1], low[2]) == (float(lower), limit, limit, float(digits + step))
    assert low[0] == 0 and high[2] == float("inf")


def test_response_as_collected_is_kept(tmp_path):
    tables = small_tables()
    tables["RS"][0].update(RSSTRESC="PARTIAL REMISSION")
    tables["RS"][1].update(RSSTRESC=None, RSORRES="morphologic CRi")
    tables["RS"][2].update(RSEVAL="ADJUDICATOR")
    tables["RS"][3].update(RSSTRESC=None, RSSTAT="NOT DONE")
    source = read_tables(tables, tmp_path)
    rows = source.domains["RS"].select("RSORRES", "RSSTRESC", "RSEVAL", "RSEVALID").rows()
    assert rows == [
        ("PARTIAL REMISSION", "PR", "INDEPENDENT ASSESSOR", None),
        ("morphologic CRi", "CRi", "INVESTIGATOR", None),
        ("CRi", "CRi", "INDEPENDENT ASSESSOR", "ADJUDICATOR"),
        (None, "NE", "INDEPENDENT ASSESSOR", None),
    ]
    assert source.findings["RULE"].to_list() == ["term-mapped"] * 2
    assert "'PARTIAL REMISSION' is read as PR (1 record)." in source.findings["MESSAGE"].to_list()


@pytest.mark.slow
def test_leukaemia_has_no_partial_response(tmp_path):
    """By hand, from paragraph 3 of the rules: PR and SD are adequate, no remission, and were in none: NR. IR is no status there."""
    words = pl.DataFrame({"RSSTRESC": ["PR", "Partial remission", "sd", "stable disease", "MR", "CR", "PMR", "IR", None]})
    assert words.select(status_of(pl.col("RSSTRESC"), LEUKAEMIA)).to_series().to_list() == [*["NR"] * 5, "CR", None, None, None]
    tables = small_tables()
    tables["RS"][0].update(RSSTRESC="PARTIAL REMISSION")
    found = check_sdtm(load_study(tmp_path, BASE), read_tables(tables, tmp_path)).filter(RULE="status-mapped")
    assert found["MESSAGE"].to_list() == ["'PR' is read as NR, under criteria of leukaemia (1 record)."]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2022-03-04", dt.date(2022, 3, 4), dt.date(2022, 3, 4)),
        ("2022-03-04T10:15:30", dt.date(2022, 3, 4), dt.date(2022, 3, 4)),
        ("2024-02", dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
        ("2022-12", dt.date(2022, 12, 1), dt.date(2022, 12, 31)),
        ("2022", dt.date(2022, 1, 1), dt.date(2022, 12, 31)),
        ("2022---15", dt.date(2022, 1, 1), dt.date(2022, 12, 31)),
        ("2022-02-30", None, None),
        ("2022-13", None, None),
        ("2022-1-1", None, None),
        ("15/03/2022", None, None),
        ("2022-UN-UN", None, None),
        ("2022-04-01T-:15", dt.date(2022, 4, 1), dt.date(2022, 4, 1)),
        ("2022-04-01T10:-:30", dt.date(2022, 4, 1), dt.date(2022, 4, 1)),
        ("2022-04-01T10:15+08:00", dt.date(2022, 4, 1), dt.date(2022, 4, 1)),
        ("2022-04-01/2022-04-05", dt.date(2022, 4, 1), dt.date(2022, 4, 1)),
        ("2022-04-01T08:00/2022-04-05T09:00", dt.date(2022, 4, 1), dt.date(2022, 4, 1)),
        ("2022-04/P2M", dt.date(2022, 4, 1), dt.date(2022, 4, 30)),
        ("2022-04-01/soon", None, None),
        ("2022-04-01T25", dt.date(2022, 4, 1), dt.date(2022, 4, 1)),
        ("--13-01", None, None),
    ],
)
def test_dates(text, first, last):
    day = pl.col("d")
    frame = pl.DataFrame({"d": [text]}).select(
        is_date(day).alias("ok"), is_partial(day).alias("partial"), earliest_day(day).alias("e"), latest_day(day).alias("l")
    )
    row = frame.row(0, named=True)
    assert row["ok"] is (first is not None)
    if first:
        epoch = dt.date(1970, 1, 1)
        assert (row["e"], row["l"]) == ((first - epoch).days, (last - epoch).days)
        assert row["partial"] is (first != last)


@pytest.mark.parametrize(
    ("text", "partial", "implausible", "interval"),
    [
        ("--04-01", True, False, False),
        ("--02-29", True, False, False),
        ("--04", True, False, False),
        ("-----T07:15", True, False, False),
        ("P5D/2022-04-05", True, False, True),
        ("9999-12-31", False, True, False),
        ("1900-01-01", False, True, False),
        ("0001-01-01", False, True, False),
        ("1022-01-01", False, True, False),
        ("2099", True, True, False),
    ],
)
@pytest.mark.shows("RULE-1.15")
def test_dates_that_mean_no_day(text, partial, implausible, interval):
    """By hand, SDTMIG 3.3 4.4.1: a date may lack its year; rules 9 A18: a year that no record of a trial has is a finding."""
    day = pl.col("d")
    row = pl.DataFrame({"d": [text]}).select(
        is_date(day), is_partial(day).alias("p"), is_implausible(day).alias("y"), is_interval(day).alias("i"), earliest_day(day).alias("e")
    )
    assert row.row(0) == (True, partial, implausible, interval, None)


@given(st.dates(min_value=dt.date(1901, 1, 1), max_value=dt.date(2098, 12, 31)))
def test_parts_of_a_date_hold_it(day):
    texts = [day.isoformat(), day.isoformat()[:7], day.isoformat()[:4]]
    frame = pl.DataFrame({"d": texts}).select(earliest_day(pl.col("d")).alias("e"), latest_day(pl.col("d")).alias("l"))
    number = (day - dt.date(1970, 1, 1)).days
    assert frame.row(0) == (number, number)
    assert all(first <= number <= last for first, last in frame.rows())
