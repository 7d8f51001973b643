"""Lymphoma, and a third family of criteria, on the same path as leukaemia: study file, endpoints, report, and what has no virtual patients.

Origin of the expected values: `by hand` from the rules; `independent`, a second implementation of the best response; `published`, intervals
as trials printed them. The worked subjects stand in tests/truth/lymphoma.
"""

from __future__ import annotations

import html
import random
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cartrial.analysis import analyse, estimate_rate
from cartrial.endpoints import check_endpoints, derive
from cartrial.endpoints.rules.best_kernel import Best, BestRule, assess_best
from cartrial.endpoints.rules.course_kernel import Courses, Reads
from cartrial.errors import InputError
from cartrial.report.study.sections.swimmers import _stretch
from cartrial.sdtm import Source, check_sdtm, read_sdtm
from cartrial.sdtm.mapping import read_mapped
from cartrial.sdtm.records.codes import FAR
from cartrial.study import CRITERIA, FAMILIES, CallCriteria, Study
from cartrial.study.criteria.codes import CR, CRI, NE, NOTHING, PD, PR, RESPONSES, SD, Roles, roles
from cartrial.study.criteria.families import Family, Names
from cartrial.study.criteria.leukaemia import LEUKAEMIA
from cartrial.study.criteria.lymphoma import LYMPHOMA
from helpers import ROOT, data_path, load_study, needs_data, run_cli
from lymphoma_example import FOLDER, TEXT, infused_calls
from properties import count, every


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.load(FOLDER)


@pytest.mark.shows("RULE-L1.1", "RULE-L1.2", "RULE-L6.1")
def test_what_each_status_of_lymphoma_does() -> None:
    """By hand, L1 and L6 of the rules: PD is the event and final; every status is its own category."""
    does = LYMPHOMA.roles
    assert (does.responds, does.complete, does.fails) == (roles(CR, PR), roles(CR), roles(SD, PD))
    assert does.ends == does.progresses == roles(PD) and does.stops and does.becomes == does.without == NOTHING
    assert LYMPHOMA.best_first == ("CR", "PR", "SD", "IR", "PD", "NE")
    found = {(RESPONSES[one], RESPONSES[two]) for one, two in np.argwhere(LYMPHOMA.agreed >= 0) if one != two}
    assert not found


@pytest.mark.shows("STUDY-endpoints.response")
def test_what_is_not_said_is_of_the_family(study: Study) -> None:
    """A rate counts CR or PR, and a duration starts with either, unless the study file says; in leukaemia CR, CRh and CRi start it."""
    endpoints = {endpoint.id: endpoint for endpoint in study.endpoints}
    assert endpoints["ORR"].response == ("CR", "PR") and endpoints["CRR"].response == ("CR",)
    assert Study.load("inaticel").endpoints[0].response == ("CR", "CRi")
    assert study.disease.missing_pet == "carry" and Study.load(ROOT / "tests/truth/lymphoma_ct").disease.missing_pet == ""


FAULTS = [
    ("events: [progression, death]", "events: [relapse, death]", "'relapse' is no event of lymphoma", "Write progression"),
    ("response: CR", "response: CRi", "'CRi' is no response of lymphoma", "known are: CR, PR"),
    ("      - {hsct: treatment-policy}\n", "      - {response: [CR, CRi]}\n", "'CRi' is no response of lymphoma", "CR, PR"),
    ("  criteria: lugano-2014\n", "  criteria: lugano-2015\n", "no criteria set is called 'lugano-2015'", "'lugano-2014'"),
    ("  criteria: lugano-2014\n", "  criteria: lugano-2014\n  options: {crh: true}\n", "unknown key 'crh'", ""),
    ("    type: best-response\n", "    type: best-response\n    mrd: negative\n", "belong to a response rate", "response-rate"),
    ("  criteria: lugano-2014\n", "  criteria: {name: x, family: lymphom, source: s}\n", "no family of criteria is called", "'lymphoma'"),
]


@pytest.mark.parametrize(("old", "new", "what", "right"), FAULTS)
def test_what_the_criteria_do_not_have_is_refused(old: str, new: str, what: str, right: str, tmp_path: Path) -> None:
    assert old in TEXT
    with pytest.raises(InputError, match=re.escape(what)) as caught:
        load_study(tmp_path, TEXT.replace(old, new, 1))
    assert right in str(caught.value)


def test_progression_is_no_event_of_leukaemia(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'progression' is no event of leukaemia"):
        load_study(tmp_path, TEXT.replace("criteria: lugano-2014", "criteria: nccn").replace("[CR, PR]", "[CR, CRi]"))


WORDS = r"relaps|remission|leuk[ae]+(?!pher)|marrow|blasts|\bCRi\b|\bCRh\b|\bMRD\b|morphologic|extramedullary|\bNR or PD\b"


def text_of(page: Path) -> str:
    """What stands on a page, the data of its figures too, without its styles and the libraries that it carries."""
    text = re.sub(r"<style.*?</style>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", text, flags=re.DOTALL)
    data = " ".join(script for script in scripts if len(script) < 200_000)
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))) + data


@pytest.mark.slow
def test_no_word_of_leukaemia_in_a_report_of_lymphoma(tmp_path: Path) -> None:
    """By hand: progression, not relapse; response, not remission; CR or PR, not CR or CRi."""
    assert run_cli("report", FOLDER, "--data", FOLDER / "data", "--out", tmp_path / "report")[0] == 0
    assert run_cli("shells", FOLDER, "--out", tmp_path / "shells.html")[0] == 0
    for page in (tmp_path / "report" / "report.html", tmp_path / "shells.html"):
        text = text_of(page)
        assert "CR or PR" in text and "progression" in text and "Best overall response" in text
        assert not re.findall(f".{{0,60}}(?:{WORDS}).{{0,60}}", text, flags=re.IGNORECASE)
    said = " ".join(run_cli("explain", FOLDER, "--data", FOLDER / "data", "--subject", who)[1] for who in ("LYM-02", "LYM-19C"))
    found = run_cli("check", FOLDER, "--data", FOLDER / "data", "--all")[1]
    assert not re.findall(f".{{0,60}}(?:{WORDS}).{{0,60}}", said + found, flags=re.IGNORECASE)


COMMANDS = (["simulate", "--out"], ["report", "--virtual", "--out"], ["trials", "--trials", "3", "--out"], ["design", "--to"])


@pytest.mark.parametrize("command", every(3, COMMANDS), ids=lambda command: command[0])
def test_what_needs_virtual_patients_ends_in_one_message(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(
        TEXT.replace("    window: {at: month 3}\n", "    window: {at: month 3}\n    test: {null: 0.2, alternative: 0.45}\n", 1),
        encoding="utf-8",
    )
    code, out, error = run_cli(command[0], tmp_path, *command[1:], tmp_path / "out.html")
    assert code == 2 and not out.strip() and len(error.strip().splitlines()) == 1
    assert "no virtual patients of lymphoma" in error and not (tmp_path / "out.html").exists()


@pytest.mark.shows("RULE-L8.1", "STUDY-endpoints.type")
def test_the_best_responses_of_the_worked_subjects_add_up(study: Study) -> None:
    """By hand, tests/truth/lymphoma: of 26 subjects 9 CR, 9 PR, 3 SD, 3 PD, 2 NE; the order of records does not matter."""
    source = read_sdtm(FOLDER / "data")
    expected = pl.read_csv(FOLDER / "expected.csv", infer_schema=False).filter(pl.col("PARAMCD") == "BOR")["AVALC"].value_counts()
    results = analyse(study, derive(study, source), analyses=["response"]).filter(endpoint="BOR", by="best")
    counts = dict(results.filter(pl.col("statistic") == "n").select("level", "value").rows())
    assert {status: int(n) for status, n in counts.items()} == dict(expected.rows())
    assert results.filter(statistic="N")["value"].to_list() == [26]
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in source.domains.items()}
    again = analyse(study, derive(study, Source(shuffled)), analyses=["response"]).filter(endpoint="BOR", by="best")
    assert again.select("level", "statistic", "value").equals(results.select("level", "statistic", "value"))


def slow_best(reads: list[tuple[int, str]], last: int, stable_from: int) -> str:
    """The best status until the first PD, said with lists."""
    upto = []
    for day, status in reads:
        if 0 < day <= last:
            upto.append((day, status))
            if status == "PD":
                break
    kept = [status for day, status in upto if status != "NE" and not (status in ("SD", "IR") and day < stable_from)]
    return min(kept, key=LYMPHOMA.best_first.index, default="NE")


@pytest.mark.shows("RULE-L8.1", "STUDY-endpoints.sd-from")
def test_the_best_response_is_what_a_slow_second_one_says() -> None:
    """`independent`: random calls, a cutoff and a new therapy that is an event, stable disease from a day on."""
    draw = random.Random(5)
    place = np.full(len(RESPONSES), 99, np.int64)
    place[[RESPONSES.index(status) for status in LYMPHOMA.best_first]] = range(6)
    for _ in range(count(4_000, quick=1_500)):
        days = sorted(draw.sample(range(-10, 300), draw.randint(0, 6)))
        calls = [(day, draw.choice(("CR", "PR", "SD", "IR", "PD", "NE"))) for day in days]
        cutoff, therapy, stable = draw.choice((100, 300)), draw.choice((60, FAR)), draw.choice((0, 42))
        one = np.array([0], np.int64)
        none = {name: np.array([FAR]) for name in Courses._fields}
        courses = Courses(**(none | {"day0": one, "cutoff": np.array([cutoff]), "ice": np.array([[FAR], [FAR], [therapy]])}))
        # what follows a progression after day 0 is flagged by the sequence, and does not count
        first = next((day for day, status in calls if day > 0 and status == "PD"), FAR)
        flags = np.array([32 if day > first else 0 for day in days], np.int64)
        status = np.array([RESPONSES.index(call) for _, call in calls], np.int64)
        reads = Reads(np.array([0, len(days)]), np.array(days, np.int64), status, flags, np.zeros(len(days), np.int64))
        best = Best(np.zeros(1, np.int64), np.zeros(1, np.int64))
        assess_best.function(reads, courses, np.array([True]), BestRule(place, stable, (1, 1, 1), LYMPHOMA.roles), best)
        found = RESPONSES[status[best.chosen[0]]] if best.chosen[0] >= 0 else "NE"
        assert found == slow_best(calls, min(cutoff, therapy), stable), (calls, cutoff, therapy, stable)


CLL = Family(
    name="cll",
    best_first=("CR", "CRi", "PR", "SD", "PD", "NE"),
    roles=Roles(
        responds=roles(CR, CRI, PR),
        complete=roles(CR, CRI),
        fails=roles(SD, PD),
        progresses=roles(PD),
        ends=roles(PD),
        follows=0,
        disease=roles(PR, SD, PD),
        becomes=NOTHING,
        without=NOTHING,
        stops=True,
    ),
    names=Names(
        response="response",
        event="progression",
        ended="PD",
        happened="progressed",
        progression="progression",
        failure="SD or PD",
        disease="active disease",
        evidence="assessment",
    ),
    planned=("CR", "CRi", "PR", "SD", "PD", "NE"),
    counted=("CR", "CRi", "PR"),
    reads={"NR": "SD", "RELAPSE": "PD"},
    agreement={"complete": ("CR", "CRi")},
    named=("IWCLL", r"\bCLL\b"),
)


@pytest.fixture
def cll(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third family, iwCLL from collected calls: a table, and no kernel."""
    monkeypatch.setitem(FAMILIES, CLL.name, CLL)
    monkeypatch.setitem(CRITERIA, "iwcll-2018", CallCriteria(name="iwcll-2018", family="cll", source="Hallek M. Blood 2018;131:2745"))


@pytest.mark.shows("STUDY-disease.criteria", "STUDY-disease.criteria-of-calls.family")
def test_a_third_family_is_a_table_alone(cll: None, tmp_path: Path) -> None:
    """By hand. A: CRi day 28, PR day 90 (no event, flagged), PD day 180: DOR 180 - 28 + 1 = 153. B: SD, then PD day 90: PFS 91."""
    text = TEXT.replace("criteria: lugano-2014", "criteria: iwcll-2018").replace("primary: IRC", "primary: INV")
    text = text.replace("response: [CR, PR]", "response: [CR, CRi, PR]").replace("response: CR\n", "response: [CR, CRi]\n")
    study = load_study(tmp_path, text.replace("      - {reader: INV}\n", ""))
    calls = [("A", 28, "CRi"), ("A", 90, "PR"), ("A", 180, "PD"), ("A", 270, "CR"), ("B", 28, "SD"), ("B", 90, "RELAPSE")]
    adam = derive(study, infused_calls(*calls))
    main = pl.col("VARIANT") == ""
    rates = {(row[0], row[1]): row[2] for row in adam.adrs.filter(main).select("USUBJID", "PARAMCD", "AVALC").rows()}
    assert [rates["A", name] for name in ("ORR3", "ORR", "CRR", "BOR")] == ["Y", "Y", "Y", "CRi"]
    assert [rates["B", name] for name in ("ORR3", "ORR", "CRR", "BOR")] == ["N", "N", "N", "SD"]
    columns = ("USUBJID", "PARAMCD", "AVAL", "EVNTDESC")
    times = {(row[0], row[1]): row[2:] for row in adam.adtte.filter(main).select(columns).rows()}
    assert times["A", "DOR"] == (153, "progression") and times["A", "PFS"] == (181, "progression")
    assert times["B", "PFS"] == (91, "progression")
    flags = dict(adam.adresp.filter(USUBJID="A").select("CARDAY", "FLAGS").rows())
    assert flags == {28: None, 90: "lesser response after CR", 180: None, 270: "after progression, does not count"}


@pytest.mark.shows("RULE-L1.2")
def test_a_response_after_progression_is_no_stretch_of_a_swimmer() -> None:
    """By hand: PD day 28 is final, so that CR from day 90 on is drawn as a mark alone; CR day 28 to PD day 90 is a stretch."""
    assert _stretch([(28, "PD"), (90, "CR"), (180, "CR")], ("CR", "PR"), ("PD",)) == []
    assert _stretch([(28, "CR"), (90, "PD"), (180, "CR")], ("CR", "PR"), ("PD",)) == [(28, 90)]


def test_statuses_of_other_families_are_no_word_of_leukaemia(tmp_path: Path) -> None:
    """By hand: PMR is a partial response of lymphoma and no status of leukaemia: a word that stops a report."""
    text = TEXT.replace("criteria: lugano-2014", "criteria: nccn").replace("[progression", "[relapse")
    study = load_study(tmp_path, text.replace("[CR, PR]", "[CR, CRi]"))
    code, _, error = run_cli("report", tmp_path, "--data", FOLDER / "data", "--out", tmp_path / "out")
    assert study.disease.family is LEUKAEMIA and code == 2 and "LUGANO CLASSIFICATION" in error


@pytest.mark.shows("RULE-L8.2", "STUDY-endpoints.strategies.new-therapy", "STUDY-endpoints.missed-visits")
def test_the_ways_of_fda_and_ema_to_censor_by_hand(tmp_path: Path) -> None:
    """L8. Windows of months 6 and 9: day 166 to 194, 256 to 284. FDA: PD or death after both were missed is censored at day 90 (91 days),
    also where month 6 was not evaluable; after one missed it counts; new therapy on day 200 censors at day 180. EMA: all are events."""
    text = TEXT.replace("primary: IRC, sensitivity: [INV]", "primary: INV").replace("      - {reader: INV}\n", "")
    days = {
        "A": [(28, "PR"), (90, "PR"), (300, "PD")],
        "B": [(28, "PR"), (90, "PR"), (200, "PD")],
        "C": [(28, "PR"), (90, "PR"), (180, "PR"), (270, "PD")],
        "D": [(28, "PR"), (90, "PR")],
        "E": [(28, "PR"), (90, "PR"), (180, "NE"), (300, "PD")],
    }
    calls = [(who, *call) for who, own in days.items() for call in own]
    source = infused_calls(*calls, category="LUGANO CLASSIFICATION", subjects=tuple(days))
    dm = source.domains["DM"].with_columns(pl.when(pl.col("USUBJID") == "D").then(pl.lit("2022-10-18")).alias("DTHDTC"))
    cm = {
        "STUDYID": "LYM",
        "USUBJID": ["C"],
        "ROW": 2,
        "CMSEQ": 1,
        "CMTRT": "X",
        "CMCAT": "SUBSEQUENT ANTICANCER THERAPY",
        "CMSTDTC": "2022-07-20",
    }
    adam = derive(load_study(tmp_path, text), Source(source.domains | {"DM": dm, "CM": pl.DataFrame(cm)}))
    pfs = adam.adtte.filter(PARAMCD="PFS")
    found = {
        variant: {row[0]: row[1:] for row in pfs.filter(VARIANT=variant).select("USUBJID", "AVAL", "EVNTDESC").rows()}
        for variant in set(pfs["VARIANT"])
    }
    progressed = {"A": (301, "progression"), "B": (201, "progression"), "E": (301, "progression")}
    missed = (91, "missed-visits")
    assert found["missed-visits=2"] == {"A": missed, "B": (201, "progression"), "C": (181, "new-therapy"), "D": missed, "E": missed}
    assert found[""] == {**progressed, "C": (181, "new-therapy"), "D": (291, "death")}
    assert found["hsct=treatment-policy;new-therapy=treatment-policy"] == {**progressed, "C": (271, "progression"), "D": (291, "death")}


PRINTED = [
    # trial, responders, subjects, rate and limits as printed, digits; sources beside the registry of evidence
    ("JULIET best ORR, NEJM 2019;380:45", 48, 93, 52, 41, 62),
    ("JULIET FDA set", 34, 68, 50, 38, 62),
    ("JULIET 19 months", 50, 93, 54, 43, 64),
    ("JULIET all, PMC10294746", 61, 115, 53.0, 43.5, 62.4),
    ("JULIET Japan, PMC7441082", 7, 9, 77.8, 40.0, 97.2),
    ("TRANSCEND ORR, Lancet 2020;396:839", 186, 256, 73, 66.8, 78.0),
    ("TRANSCEND CR", 136, 256, 53, 46.8, 59.4),
    ("ZUMA-2 label ORR", 52, 60, 87, 75, 94),
    ("ZUMA-2 label CR", 37, 60, 62, 48, 74),
    ("ZUMA-2 leukapheresed ORR", 59, 74, 80, 69, 88),
    ("ZUMA-2 leukapheresed CR", 41, 74, 55, 43, 67),
    ("ZUMA-2 label PR", 15, 60, 25, 15, 38),
    ("ZUMA-2 35.6 months CR", 46, 68, 68, 55.2, 78.5),
    ("ZUMA-2 35.6 months PR", 16, 68, 24, 14.1, 35.4),
    ("ELARA ORR, NCT03568461", 81, 94, 86, 78, 92),
    ("ELARA CRR, NCT03568461", 64, 94, 68, 58, 77),
    ("TRANSCEND FL 41.5 months ORR", 100, 103, 97, 92, 99),
    ("TRANSCEND FL 41.5 months CR", 97, 103, 94, 88, 98),
    ("ELIANA FDA set, children", 52, 63, 83, 71, 91),
    ("relma-cel MCL ORR, doi:10.1182/bloodadvances.2024015763", 42, 59, 71.19, 57.92, 82.24),
    ("relma-cel MCL CR", 35, 59, 59.32, 45.75, 71.93),
]


@pytest.mark.parametrize(("name", "n", "total", "rate", "lower", "upper"), PRINTED, ids=[row[0] for row in PRINTED])
def test_published_intervals_to_the_printed_digit(name: str, n: int, total: int, rate: float, lower: float, upper: float) -> None:
    """`published`: a count of responders whose exact interval is the printed one."""
    found = estimate_rate(pl.DataFrame({"TRIAL": 1, "AVAL": [1.0] * n + [0.0] * (total - n)})).row(0, named=True)
    for printed, value in ((rate, found["rate"]), (lower, found["lower"]), (upper, found["upper"])):
        digits = len(f"{printed}".partition(".")[2]) if isinstance(printed, float) else 0
        assert round(100 * value, digits) == pytest.approx(printed, abs=1e-9), name


def test_a_status_is_a_number_in_every_family() -> None:
    assert NE == 0 and all(set(family.best_first) <= set(RESPONSES) for family in FAMILIES.values())


TABLE = "lymphoma/lbcl32"


@needs_data(TABLE)
def test_32_real_patients() -> None:
    """`by hand`, counted in the table, and R's `survfit` (conf.type log-log): 13 progressions, median 95 days (32 to not reached)."""
    example = ROOT / "examples" / "lbcl32"
    study, source = Study.load(example), read_mapped(example / "mapping.yaml", data_path(TABLE))
    adam = derive(study, source)
    main = pl.col("VARIANT") == ""
    yes = dict(adam.adrs.filter(main & (pl.col("AVALC") == "Y")).group_by("PARAMCD").len().rows())
    assert yes == {"ORR": 23, "CRR": 21, "ORR3": 9}
    events = dict(adam.adtte.filter(main & (pl.col("CNSR") == 0)).group_by("PARAMCD").len().rows())
    assert events == {"PFS": 13, "DOR": 4, "DOCR": 3}
    assert set(adam.adtte["EVNTDESC"]) <= {"progression", "cutoff"}
    results = analyse(study, adam)
    median = results.filter(endpoint="PFS", by="").filter(pl.col("statistic").is_in(["median", "median_lower", "median_upper"]))
    assert median["text"].to_list() == ["95", "32", "NR"]
    rates = results.filter(endpoint="ORR", by="PRODUCT").filter(pl.col("statistic").is_in(["n", "N"]))
    counts = {(level, statistic): value for level, statistic, value in rates.select("level", "statistic", "value").rows()}
    assert counts == {("AXI-CEL", "n"): 16, ("AXI-CEL", "N"): 19, ("TISA-CEL", "n"): 7, ("TISA-CEL", "N"): 13}
    said = " ".join(check_sdtm(study, source)["MESSAGE"])
    assert all(who in said for who in ("Tisa-R-22", "Tisa-N-27", "Tisa-N-29", "Axi-R-12", "iII", "second infusion"))


def test_a_best_response_that_nobody_recorded_is_no_zero() -> None:
    """Expected: `by hand`, from A3 of the rules: without a call of the reader N stands, and neither n nor a share is a number."""
    study, source = Study.load(ROOT / "tests/truth/lymphoma"), read_sdtm(ROOT / "tests/truth/lymphoma/data")
    calls = source.domains["RS"].with_columns(RSEVAL=pl.lit("INVESTIGATOR"), RSEVALID=pl.lit(None, dtype=pl.String))
    adam = derive(study, Source(source.domains | {"RS": calls}))
    best = adam.adrs.filter((pl.col("PARAMCD") == "BOR") & (pl.col("READER") == "IRC"))
    assert best.height > 0 and best["AVALC"].null_count() == best.height
    rows = analyse(study, adam).filter((pl.col("endpoint") == "BOR") & (pl.col("reader") == "IRC") & (pl.col("analysis") == "response"))
    assert rows.filter(pl.col("statistic") == "N")["value"].to_list() == [26.0]
    others = rows.filter(pl.col("statistic") != "N")
    assert others.height > 0 and others["value"].null_count() == others.height and set(others["text"]) == {"not recorded"}


def test_by_what_an_assessment_was_made(study: Study) -> None:
    """By hand: subject 13 has PET on days 28 and 90 and CT alone afterwards; an overall call without a call by PET or CT says nothing."""
    adresp = derive(study, read_sdtm(FOLDER / "data")).adresp.filter(pl.col("READER") == "IRC", pl.col("CARDAY") > 0)
    found = dict(adresp.filter(USUBJID="LYM-13").select("CARDAY", "METHOD").rows())
    assert found == {28: "PET-CT", 90: "PET-CT", 180: "CT", 270: "CT", 360: "CT"}
    assert adresp.filter(USUBJID="LYM-01")["METHOD"].to_list() == [None] * 5


def test_an_overall_call_is_by_what_its_visit_has(tmp_path: Path) -> None:
    """By hand: overall calls of day 28, with CT 10 days later, and of day 90, with CT of that day and PET 14 days before; day 180 alone."""
    source = infused_calls(
        ("A", 28, "PR"), ("A", 38, "PR"), ("A", 90, "CR"), ("A", 90, "PR"), ("A", 76, "CR"), ("A", 180, "CR"), category=None
    )
    tests = ["OVRLRESP", "RDIORESP", "OVRLRESP", "RDIORESP", "METBRESP", "OVRLRESP"]
    source.domains["RS"] = source.domains["RS"].with_columns(pl.Series("RSTESTCD", tests))
    study = load_study(tmp_path, TEXT.replace("primary: IRC", "primary: INV").replace("      - {reader: INV}\n", ""))
    adresp = derive(study, source).adresp.filter(USUBJID="A", READER="INV")
    assert dict(adresp.select("CARDAY", "METHOD").rows()) == {28: "CT", 90: "PET-CT", 180: None}


def test_two_progressions_more_than_14_days_apart_are_a_finding(study: Study) -> None:
    """By hand, paragraph 4 and L6. A: PD day 90 by one, day 180 by the other: pending, and named. B: the same, adjudicated. C: within
    14 days: the committee's PD is of the day on which both had called it."""
    apart = [(28, "PR", 1), (28, "PR", 2), (90, "PD", 1), (90, "SD", 2), (180, "PD", 2)]
    near = [(28, "PR", 1), (28, "PR", 2), (90, "PD", 1), (104, "PD", 2)]
    reads = {"A": apart, "B": [*apart, (180, "PD", 3)], "C": near}
    calls = [(name, day, status) for name, rows in reads.items() for day, status, _ in rows]
    source = infused_calls(*calls, subjects=tuple(reads), category=None)
    who = [f"RADIOLOGIST {reader}" for rows in reads.values() for _, _, reader in rows]
    source.domains["RS"] = source.domains["RS"].with_columns(pl.Series("RSEVALID", who), RSEVAL=pl.lit("INDEPENDENT ASSESSOR"))
    adam = derive(study, source)
    pfs = dict(adam.adtte.filter(PARAMCD="PFS", VARIANT="").select("USUBJID", "AVAL").rows())
    assert pfs == {"A": 29, "B": 181, "C": 105}
    found = check_endpoints(study, adam).filter(RULE="event-dates-apart")
    assert found["USUBJID"].to_list() == ["A"] and "By day 180" in found["MESSAGE"][0] and "no progression" in found["MESSAGE"][0]
