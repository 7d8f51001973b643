"""Agreement, kinetics, adverse events, flow and baseline: R's figures (R) and figures by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_oracle import data_set, oracle, same
from cartrial.analysis import best_reads, count_flow, count_grades, estimate_agreement, estimate_kinetics, kappa_of_tables, pair_reads
from cartrial.analysis.tables.baseline import baseline_rows
from cartrial.analysis.tables.concordance import concordance_rows
from cartrial.analysis.tables.flow import MILESTONES, flow_rows
from cartrial.analysis.tables.kinetics import kinetics_rows
from cartrial.analysis.tables.ratios import ratio_rows
from cartrial.analysis.tables.safety.deaths import death_rows
from cartrial.analysis.tables.safety.events import event_rows
from cartrial.analysis.tables.safety.laboratory import laboratory_rows
from cartrial.sdtm.vocabulary.results import EXACT
from cartrial.study import Study
from helpers import ROOT, load_study
from properties import examples


def values(frames: list[pl.DataFrame], **key: str) -> dict[str, float | None]:
    """Return statistic -> value of the rows that have this key."""
    rows = pl.concat([frame for frame in frames if frame.height]).filter(*(pl.col(name) == wanted for name, wanted in key.items()))
    assert not rows.select(pl.exclude("value", "text")).is_duplicated().any()
    return dict(rows.select("statistic", "value").iter_rows())


@pytest.mark.parametrize("name", list(oracle()["kappa"]))
@pytest.mark.shows("RULE-4.9", "EST-kappa")
def test_r_kappa(name: str) -> None:
    """origin R, from Fleiss, Cohen and Everitt 1969."""
    expected = oracle()["kappa"][name]
    found = kappa_of_tables(np.array([expected["table"]]))
    for key, r in (
        ("agreement", "agreement"),
        ("chance", "chance"),
        ("kappa", "kappa"),
        ("standard_error", "se"),
        ("lower", "lower"),
        ("upper", "upper"),
    ):
        same(found[key], [expected[r]])


@pytest.mark.shows("EST-kappa")
def test_kappa_of_pairs_in_one_call() -> None:
    """The same tables as pairs of calls, each table a trial."""
    tables = oracle()["kappa"]
    rows = [
        (i, f"c{a}", f"c{b}")
        for i, table in enumerate(tables.values())
        for a, line in enumerate(table["table"])
        for b, count in enumerate(line)
        for _ in range(int(count))
    ]
    pairs = pl.DataFrame(rows, schema=["TRIAL", "FIRST", "SECOND"], orient="row").sample(fraction=1, shuffle=True, seed=1)
    found = estimate_agreement(pairs)
    same(found["N"], [table["n"] for table in tables.values()])
    same(found["kappa"], [table["kappa"] for table in tables.values()])
    same(found["standard_error"], [table["se"] for table in tables.values()])


def reads(*rows: tuple[int, str, int, str]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["SUBJ", "READER", "CARDAY", "AVALC"], orient="row")
    return frame.with_columns(TRIAL=pl.lit(0, pl.Int32), USABLE=pl.when(pl.col("AVALC") == "NE").then(pl.lit("N")).otherwise(pl.lit("Y")))


@pytest.mark.shows("EST-pairs-of-reads")
def test_pairs_by_hand() -> None:
    """origin by hand: nearest within 7 days, each once; 8 days apart is no pair."""
    frame = reads(
        (1, "A", 28, "CR"),
        (1, "A", 31, "NR"),
        (1, "B", 30, "CRi"),
        (1, "A", 90, "CR"),
        (1, "B", 98, "CR"),
        (2, "A", 28, "PD"),
        (2, "B", 35, "NR"),
    )
    assert pair_reads(frame, "A", "B").select("SUBJ", "CARDAY", "FIRST", "SECOND").rows() == [(1, 31, "NR", "CRi"), (2, 28, "PD", "NR")]
    assert best_reads(frame, "A", "B").select("SUBJ", "FIRST", "SECOND").rows() == [(1, "CR", "CR"), (2, "PD", "NR")]
    assert pair_reads(frame, "A", "C").is_empty()


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("AB"), st.integers(0, 40)), max_size=30))
@examples(60)
@pytest.mark.shows("EST-pairs-of-reads")
def test_pairs_by_definition(rows: list[tuple[int, str, int]]) -> None:
    """origin independent: take the nearest pair left, again and again."""
    frame = reads(*[(s, r, d, "CR") for s, r, d in rows]) if rows else reads((0, "A", 1, "CR")).clear()
    expected = 0
    for subject in range(3):
        a, b = sorted(d for s, r, d in rows if (s, r) == (subject, "A")), sorted(d for s, r, d in rows if (s, r) == (subject, "B"))
        while True:
            near = min(((abs(x - y), x, y) for x in a for y in b), default=(99, 0, 0))
            if near[0] > 7:
                break
            expected += 1
            a.remove(near[1])
            b.remove(near[2])
    assert pair_reads(frame, "A", "B").height == expected


@pytest.mark.shows("RULE-4.9")
def test_concordance_rows() -> None:
    """origin by hand: CR against CRi agrees; 2 of 3 pairs agree."""
    study = Study.load("inaticel")
    frame = reads(
        (1, "READER 1", 28, "CR"),
        (1, "READER 2", 28, "CRi"),
        (2, "READER 1", 28, "NR"),
        (2, "READER 2", 28, "CR"),
        (3, "READER 1", 28, "PD"),
        (3, "READER 2", 28, "NR"),
    )
    schema = {"TRIAL": pl.Int32, "SUBJ": pl.Int32, "PARAMCD": pl.String, "VARIANT": pl.String, "CNSR": pl.Int8, "CNSDTDSC": pl.String}
    made = concordance_rows(
        study, frame, pl.DataFrame(schema=schema), pl.DataFrame(schema={"PARAMCD": pl.String, "VARIANT": pl.String}), 0.95
    )
    found = values(made, endpoint="visit", level="")
    assert found["N"] == 3
    assert found["agreement"] == pytest.approx(2 / 3)
    assert values(made, endpoint="visit", level="CR | CRi") == {"n": 1}


@pytest.mark.parametrize("measure", ["cmax", "tmax", "auc"])
@pytest.mark.shows("EST-kinetics-summary")
def test_r_kinetics(measure: str) -> None:
    """origin R: geometric mean and CV, quantile(type = 7), of what is above 0."""
    frame = data_set("kinetics")
    for group, expected in oracle()["kinetics_summary"].items():
        chosen = frame if group == "all" else frame.filter(pl.col("group") == group)
        row = estimate_kinetics(chosen.filter(pl.col(measure) > 0), (), value=measure).row(0, named=True)
        one = expected[measure]
        same(
            [row["N"], row["n"], row["geometric_mean"], row["cv"]],
            [one["n_positive"], one["n_positive"], one["geometric_mean"], one["geometric_cv_percent"]],
        )
        same([row["mean"], row["standard_deviation"], row["min"], row["max"]], [one["mean"], one["sd"], one["min"], one["max"]])
        same([row["q25"], row["median"], row["q75"]], one["quantile_type_7"])


@pytest.mark.shows("RULE-7.10")
def test_a_zero_is_a_value_but_of_the_geometric_mean() -> None:
    """by hand (rules, A14): 0, 0, 10, 1000 have the median 5, quartiles 0 and 257.5; the geometric mean is that of 10 and 1000."""
    row = estimate_kinetics(pl.DataFrame({"TRIAL": 1, "AVAL": [0.0, 1000.0, 0.0, 10.0, None]})).row(0, named=True)
    assert (row["N"], row["n"], row["median"], row["q25"], row["q75"], row["min"], row["max"]) == (5, 4, 5.0, 0.0, 257.5, 0.0, 1000.0)
    assert row["geometric_mean"] == pytest.approx(100) and row["mean"] == 252.5


@pytest.mark.shows("RULE-7.10")
def test_at_least_so_much_is_in_quantiles_that_it_does_not_decide_and_in_no_mean() -> None:
    """by hand (rules, A8): of 0, 10, 20, 30 and at least 100 the median is 20, the upper quartile 30; the highest is not known."""
    frame = pl.DataFrame({"TRIAL": 1, "AVAL": [10.0, 100.0, 30.0, 20.0, 0.0], "OVER": [False, True, False, False, False]})
    row = estimate_kinetics(frame, at_least="OVER").row(0, named=True)
    assert (row["n"], row["min"], row["q25"], row["median"], row["q75"], row["max"]) == (5, 0.0, 10.0, 20.0, 30.0, None)
    assert row["mean"] == 15 and row["geometric_mean"] == pytest.approx(6000 ** (1 / 3))
    # at least 15: the second highest of those known, and so on which side of the median it lies is not known
    low = estimate_kinetics(frame.with_columns(pl.when("OVER").then(15.0).otherwise("AVAL").alias("AVAL")), at_least="OVER").row(
        0, named=True
    )
    assert (low["min"], low["q25"], low["median"], low["q75"], low["max"]) == (0.0, 10.0, None, None, None)


@pytest.mark.shows("EST-kinetics-summary")
def test_kinetics_rows() -> None:
    """origin by hand: who never expanded is 0 in Cmax (rules, A14), and has no day of the peak."""
    schema = {
        "TRIAL": pl.Int32,
        "SUBJ": pl.Int32,
        "PARCAT1": pl.String,
        "PARAMCD": pl.String,
        "AVAL": pl.Float64,
        "AVALU": pl.String,
        "CNSR": pl.Int8,
        "EXPANDFL": pl.String,
        "AVALC": pl.String,
    }
    adck = pl.DataFrame(
        [
            (0, 1, "CARTG", "CMAX", 10.0, "copies/ug", None, "Y", None),
            (0, 2, "CARTG", "CMAX", 1000.0, "copies/ug", None, "Y", None),
            (0, 3, "CARTG", "CMAX", 0.0, "copies/ug", None, "N", None),
            (0, 3, "CARTG", "TMAX", None, "days", None, "N", None),
            (0, 1, "CARTG", "TMAX", 0.0, "days", None, "Y", None),
            (0, 2, "CARTG", "TMAX", 14.0, "days", None, "Y", None),
            (0, 1, "CARTG", "PERSIST", 30.0, "days", 0, "Y", None),
            (0, 2, "CARTG", "PERSIST", 60.0, "days", 1, "Y", None),
            (0, 4, "CARTG", "CMAX", None, "copies/ug", None, None, None),  # a sample of day 0 alone: nothing is known of expansion
        ],
        schema=schema,
        orient="row",
    ).with_columns(REASON=pl.lit(None, pl.String), FLAGS=pl.lit(None, pl.String))
    adsl = pl.DataFrame(
        {"TRIAL": [0, 0, 0], "SUBJ": [1, 2, 3], "RESPFL": ["Y", "Y", "N"]}, schema_overrides={"TRIAL": pl.Int32, "SUBJ": pl.Int32}
    )
    made = kinetics_rows(adck, adsl, 0.95)
    found = values(made, endpoint="CMAX", by="")
    assert (found["N"], found["n"], found["median"]) == (3, 3, 10)
    assert found["geometric_mean"] == pytest.approx(100)
    assert values(made, endpoint="TMAX", by="") == {"N": 3, "n": 2, "median": 7, "q25": 3.5, "q75": 10.5, "min": 0, "max": 14}
    assert values(made, endpoint="EXPAND") == {"n": 1, "N": 3}
    assert values(made, endpoint="PERSIST", by="")["median"] == 45  # S is exactly one half from 30 to the end: the midpoint of 30 and 60
    assert kinetics_rows(adck.clear(), adsl, 0.95) == []


def adverse() -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [
        (0, 1, "CYTOKINE RELEASE SYNDROME", "IMMUNE", 1, 2, 5, "Y", "N", "CRS"),
        (0, 1, "CYTOKINE RELEASE SYNDROME", "IMMUNE", 3, 4, 9, "Y", "Y", "CRS"),
        (0, 2, "CYTOKINE RELEASE SYNDROME", "IMMUNE", 0, 4, 9, "Y", "N", "CRS"),
        (0, 3, "SEPSIS", "INFECTIONS", None, 20, None, "Y", "Y", None),
        (0, 4, "SEPSIS", "INFECTIONS", 5, -3, 2, "N", "Y", None),
    ]
    names = ["TRIAL", "SUBJ", "AEDECOD", "AEBODSYS", "AETOXGR", "CARSTDAY", "CARENDAY", "TRTEMFL", "AESER", "SPECIAL"]
    adae = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        pl.col("TRIAL", "SUBJ").cast(pl.Int32), AEREL=pl.lit(None, pl.String)
    )
    adsl = pl.DataFrame(
        {
            "TRIAL": [0] * 5,
            "SUBJ": [1, 2, 3, 4, 5],
            "INFFL": ["Y"] * 4 + ["N"],
            "DTHFL": ["Y", None, None, None, "Y"],
            "EOSSTT": ["DISCONTINUED"] + ["ONGOING"] * 3 + ["DISCONTINUED"],
        }
    )
    return adae, adsl.with_columns(pl.col("TRIAL", "SUBJ").cast(pl.Int32))


@pytest.mark.shows("RULE-7.11", "EST-grades")
def test_safety_rows() -> None:
    """origin by hand: the worst grade counts; grade 0 is no event; no grade is `unknown`; before the infusion is not treatment-emergent."""
    adae, adsl = adverse()
    made = [*event_rows(Study.load("inaticel"), adae, adsl), *death_rows(adsl)]
    assert values(made, endpoint="CRS", by="max_grade", level="3") == {"n": 1, "N": 4, "rate": 0.25}
    assert values(made, endpoint="CRS", by="max_grade", level="1") == {"n": 0, "N": 4, "rate": 0}
    assert values(made, endpoint="CRS", by="max_grade", level="0") == {"n": 3, "N": 4, "rate": 0.75}
    assert values(made, endpoint="CRS", by="max_grade", level="any") == {"n": 1, "N": 4, "rate": 0.25}
    assert values(made, endpoint="ICANS", by="max_grade", level="0") == {"n": 4, "N": 4, "rate": 1}
    assert values(made, endpoint="SEPSIS", variant="class=INFECTIONS", by="max_grade", level="unknown") == {"n": 1, "N": 4}
    assert values(made, endpoint="INFECTIONS", variant="class", by="max_grade", level="5") == {"n": None, "N": 4, "rate": None}
    assert values(made, endpoint="INFECTIONS", variant="class", by="max_grade", level=">=3")["n"] is None
    assert values(made, endpoint="ANY", by="max_grade", level="any")["n"] == 2
    assert values(made, endpoint="CRS", by="onset", level="")["median"] == 2
    assert values(made, endpoint="CRS", by="duration")["median"] == 8
    assert values(made, endpoint="SERIOUS")["n"] == 2
    assert values(made, endpoint="DEATH", by="") == {"n": 1, "N": 4, "rate": 0.25}
    total = sum(values(made, endpoint="CRS", by="max_grade", level=level)["n"] for level in ("0", "1", "2", "3", "4", "5", "unknown"))
    assert total == 4


def test_grades_of_trials_do_not_touch() -> None:
    adae, adsl = adverse()
    infused = adsl.filter(pl.col("INFFL") == "Y")
    one = count_grades(adae, infused, "SPECIAL")
    both = [pl.concat([frame, frame.with_columns(TRIAL=pl.lit(1, pl.Int32))]) for frame in (adae, infused)]
    found = count_grades(both[0], both[1], "SPECIAL")
    assert found.filter(pl.col("trial") == 1).drop("trial").equals(one.drop("trial"))


@pytest.mark.shows(
    "STUDY-safety.cytopenia",
    "STUDY-safety.cytopenia.after-day",
    "STUDY-safety.cytopenia.neutrophils-below",
    "STUDY-safety.cytopenia.platelets-below",
    "STUDY-safety.aplasia",
    "STUDY-safety.aplasia.below",
)
def test_laboratory_rows() -> None:
    """origin by hand: low at some time after day 28, and at the last count; aplasia at the visit by the nearest sample."""
    subjects = pl.DataFrame({"SUBJ": [0, 1], "TRIAL": [0, 0], "DAY0": [100, 100], "CUTOFF": [300, 300]})
    rows = [
        (0, 120, "NEUT", 0.1, 1),
        (0, 140, "NEUT", 0.5, 2),
        (0, 160, "NEUT", 2.0, 3),
        (1, 135, "NEUT", 1.5, 1),
        (1, 400, "NEUT", 0.1, 2),
        (0, 128, "BCELL", 10.0, 4),
        (0, 132, "BCELL", 80.0, 5),
    ]
    labs = pl.DataFrame(rows, schema=["SUBJ", "DAY", "TEST", "VALUE", "SEQ"], orient="row").with_columns(
        SPEC=pl.lit("BLOOD"),
        REL=pl.lit(EXACT),
        DONE=pl.lit(True),
        DAYX=pl.col("DAY"),
        **dict.fromkeys(("LIMIT", "LLOQ", "LOD"), pl.lit(None, dtype=pl.Float64)),
    )
    made = laboratory_rows(Study.load("inaticel"), SimpleNamespace(subjects=subjects, labs=labs))
    assert values(made, endpoint="NEUTROPENIA", by="any") == {"n": 1, "N": 2, "rate": 0.5}
    assert values(made, endpoint="NEUTROPENIA", by="last") == {"n": 0, "N": 2, "rate": 0.0}
    assert values(made, endpoint="APLASIA", by="visit", level="day 28")["n"] == 1


@pytest.mark.shows("STUDY-safety.aplasia.testcd")
def test_aplasia_is_of_the_test_that_the_study_names(tmp_path: Path) -> None:
    """origin by hand: of two with CD19 on day 28 one is below 3 %, whatever BCELL of the other says."""
    text = (ROOT / "tests" / "study" / "full" / "leukaemia.yaml").read_text(encoding="utf-8")
    old = "{testcd: BCELL, below: 50, unit: cells/uL, source: invented}"
    assert text.count(old) == 1
    study = load_study(tmp_path, text.replace(old, '{testcd: CD19, below: 3, unit: "%", source: invented}'))
    subjects = pl.DataFrame({"SUBJ": [0, 1], "TRIAL": [0, 0], "DAY0": [100, 100], "CUTOFF": [300, 300]})
    rows = [(0, 128, "CD19", 1.0, 1), (1, 128, "CD19", 4.0, 1), (1, 128, "BCELL", 0.0, 2)]
    labs = pl.DataFrame(rows, schema=["SUBJ", "DAY", "TEST", "VALUE", "SEQ"], orient="row").with_columns(
        SPEC=pl.lit("BLOOD"),
        REL=pl.lit(EXACT),
        DONE=pl.lit(True),
        DAYX=pl.col("DAY"),
        **dict.fromkeys(("LIMIT", "LLOQ", "LOD"), pl.lit(None, dtype=pl.Float64)),
    )
    made = laboratory_rows(study, SimpleNamespace(subjects=subjects, labs=labs))
    found = values(made, endpoint="APLASIA", by="visit", level="day 28")
    assert (found["n"], found["N"]) == (1, 2)


@pytest.mark.shows("EST-flow")
def test_flow() -> None:
    """origin by hand: what nobody has before the infusion was not recorded."""
    adsl = pl.DataFrame(
        {"TRIAL": [0, 0, 0], **{flag: ["Y", "N", "N"] for flag in MILESTONES.values()}, "EOSSTT": ["ONGOING", "DISCONTINUED", None]}
        | {"DCSREAS": [None, "DEATH", None]}
    )
    adsl = adsl.with_columns(pl.lit("Y").alias("ENRLFL"), pl.lit("N").alias("LEUKFL"))
    assert count_flow(adsl).select("enrolled", "infused", "leukapheresed").row(0) == (3, 1, 0)
    made = flow_rows(adsl)
    assert values(made, endpoint="infused", by="") == {"n": 1}
    assert values(made, endpoint="leukapheresed") == {}
    assert values(made, endpoint="status", population="enrolled, not infused", level="not recorded") == {"n": 1}


@pytest.mark.shows("EST-flow")
def test_flow_says_who_left_and_why() -> None:
    """origin by hand: eight enrolled, nobody leukapheresed; F's product failed before D died, G waits, H has no reason.

    A, B, C, D were infused; D was not assessed; of the assessed A responded and B, C did not. D, dead before an assessment, is evaluable;
    C, without disease at baseline, is assessed alone.
    """
    who = "ABCDEFGH"
    flags = {"CONSFL": None, "ENRLFL": who, "LEUKFL": None, "RELFL": "ABCDE", "LDFL": "ABCD", "INFFL": "ABCD"}
    flags |= {"ASSFL": "ABC", "EVALFL": "ABD", "RESPFL": "A"}
    columns = {name: [None if has is None else ("Y" if one in has else "N") for one in who] for name, has in flags.items()}
    ends = {"D": "DEATH", "E": "WITHDRAWAL BY SUBJECT", "F": "DEATH"}
    columns |= {"DCSREAS": [ends.get(one) for one in who], "PRFAILFL": ["Y" if one == "F" else None for one in who]}
    columns |= {"EOSSTT": ["DISCONTINUED" if one in ends else None if one == "H" else "ONGOING" for one in who]}
    made = flow_rows(pl.DataFrame({"TRIAL": 0, **columns}, schema_overrides={"CONSFL": pl.String, "LEUKFL": pl.String}), "IRC")

    def lost(name: str) -> tuple[set[str], dict[str, float]]:
        rows = [row for frame in made for row in frame.iter_rows(named=True) if row["by"] == "loss" and row["endpoint"] == name]
        return {row["population"] for row in rows}, {row["level"]: row["value"] for row in rows}

    assert lost("released") == ({"enrolled"}, {"": 3, "PRODUCT FAILURE": 1, "ONGOING": 1, "not recorded": 1})
    assert lost("lymphodepleted") == ({"released"}, {"": 1, "WITHDRAWAL BY SUBJECT": 1})
    assert lost("infused") == ({"lymphodepleted"}, {"": 0})
    assert lost("assessed") == ({"infused"}, {"": 1, "DEATH": 1})
    assert lost("responders") == ({"assessed"}, {"": 2})
    assert lost("enrolled") == lost("consented") == (set(), {})
    assert values(made, endpoint="evaluable", by="not in", level="assessed") == {"n": 1}
    assert values(made, endpoint="assessed", by="not in", level="evaluable") == {"n": 1}
    assert not any(
        frame.height and set(frame["by"]) & {"loss", "not in"}
        for frame in flow_rows(
            pl.DataFrame({"TRIAL": 0, **columns}, schema_overrides={"CONSFL": pl.String, "LEUKFL": pl.String}), losses=False
        )
    )


def test_decimals_of_a_characteristic_are_those_of_its_values() -> None:
    """origin by hand: whole years, mean and deviation with one more; tenths stay tenths where the greatest is whole; half a year shows."""
    item = SimpleNamespace(id="AGE", unit="years", levels=())

    def texts(*numbers: float) -> dict[str, str]:
        adsl = pl.DataFrame({"TRIAL": 0, "SUBJ": range(len(numbers)), "INFFL": "Y", "AGE": list(numbers)})
        rows = pl.concat(baseline_rows(SimpleNamespace(baseline=(item,)), adsl))
        return {row["statistic"]: row["text"] for row in rows.iter_rows(named=True)}

    whole = texts(18.0, 40.0, 65.0)
    assert [whole[name] for name in ("median", "min", "max", "mean", "standard_deviation")] == ["40", "18", "65", "41.0", "23.5"]
    tenths = texts(5.7, 70.2, 93.0)
    assert [tenths[name] for name in ("median", "min", "max", "mean")] == ["70.2", "5.7", "93.0", "56.30"]
    half = texts(18.0, 41.0)
    assert [half[name] for name in ("median", "min", "max", "mean")] == ["29.5", "18.0", "41.0", "29.50"]


@pytest.mark.shows("STUDY-baseline")
def test_baseline() -> None:
    """origin by hand: levels that nobody has are shown with 0; a missing value is counted."""
    item = SimpleNamespace(id="BURDEN", unit="%", levels=("low", "middle", "high"))
    plain = SimpleNamespace(id="AGE", unit="years", levels=())
    absent = SimpleNamespace(id="DOSE", unit="", levels=())
    adsl = pl.DataFrame(
        {
            "TRIAL": [0] * 4,
            "INFFL": ["Y", "Y", "Y", "N"],
            "BURDEN": ["low", "high", None, "low"],
            "BURDENN": [1.0, 80.0, None, 2.0],
            "AGE": [20.0, 30.0, 70.0, 1.0],
        }
    )
    made = baseline_rows(SimpleNamespace(baseline=(item, plain, absent)), adsl)
    assert values(made, endpoint="BURDEN", by="BURDEN", level="middle") == {"n": 0, "N": 2, "rate": 0}
    found = values(made, endpoint="BURDEN", by="")
    assert (found["n"], found["N"], found["median"], found["missing"]) == (2, 3, 40.5, 1)
    assert values(made, endpoint="AGE")["standard_deviation"] == pytest.approx(np.std([20, 30, 70], ddof=1))
    assert values(made, endpoint="DOSE") == {}


def test_r_ratio_of_geometric_means() -> None:
    """origin R 4.2.2, `t <- t.test(log(y), log(n)); exp(c(diff(rev(t$estimate)), t$conf.int))`: 6.417240687020, 1.426217357086,
    28.874265083473. A value of 0 and one that is only a least value are in no mean; two other trials have too few, and no spread.
    """
    y, n = [100.0, 250.0, 80.0, 400.0, 500.0], [20.0, 60.0, 15.0, 0.0]
    frame = pl.DataFrame(
        {
            "trial": [0] * 9 + [1] * 3 + [2] * 4,
            "endpoint": "CMAX",
            "variant": "CARTG",
            "level": ["Y"] * 5 + ["N"] * 4 + ["Y", "N", "N"] + ["Y", "Y", "N", "N"],
            "AVAL": [*y, *n, 5.0, 6.0, 7.0, *[3.0] * 4],
            "over": [False] * 4 + [True] + [False] * 11,
        }
    )
    made = pl.concat(ratio_rows(frame, 0.95))
    first = made.filter(trial=0)
    assert dict(first.filter(statistic="n").select("level", "value").iter_rows()) == {"Y": 4, "N": 3}
    expected = {"": 6.417240687020, "_lower": 1.426217357086, "_upper": 28.874265083473}
    for end, value in expected.items():
        same(first.filter(statistic=f"geometric_mean_ratio{end}")["value"].to_list(), [value])
    assert made.filter(pl.col("trial") > 0, statistic="geometric_mean_ratio")["value"].to_list() == [None, None]
