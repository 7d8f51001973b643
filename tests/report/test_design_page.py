"""From the study file to its designs, their rows and the page.

Origin of expected values: `independent` (enumeration in plain Python from the boundaries), `by hand`, or the study file itself.
"""

from __future__ import annotations

import json
import re
from math import comb
from pathlib import Path

import pytest
from scipy.stats import binom

from cartrial.design import design_rows, design_study, simulate_design, write_paragraph
from cartrial.design.protocol.inputs import Delay, read_inputs
from cartrial.design.protocol.options import most_powers
from cartrial.design.protocol.rows import COLUMNS, KEYS, PARTS, Rows
from cartrial.design.protocol.study_design import StudyDesign
from cartrial.errors import InputError
from cartrial.report import write_design
from cartrial.report.design.data import cite
from cartrial.report.figures.lines import Guide, Series, draw_lines
from cartrial.study import Study
from helpers import BASE, load_study
from report_example import figures_of, without_scripts

TESTED = BASE.replace(
    "    sensitivity:\n      - {hsct: treatment-policy}\n      - {reader: INV}\n", "    test: {null: 0.2, alternative: 0.45}\n", 1
)
PLAN = """\
design:
  power: {value: 0.9, source: protocol}
  n-max: {value: 50, source: protocol}
  subjects: {value: 44, source: protocol}
  looks: {at: [15, 30, 45], source: protocol}
  stage-one: {from: 10, to: 20, source: protocol}
  prior: {events: 1, others: 3, source: protocol}
  recruitment: {rate: 0.5, activation: 60, source: protocol}
"""


@pytest.fixture(scope="module")
def inaticel() -> StudyDesign:
    return design_study(Study.load("inaticel"), virtual=False)


@pytest.fixture(scope="module")
def page(inaticel: StudyDesign, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict]:
    out = write_design(inaticel, tmp_path_factory.mktemp("page") / "design.html")
    return out.read_text(encoding="utf-8"), json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict]:
    pytest.importorskip("numba")
    design = design_study(Study.load("inaticel"))
    found = simulate_design(design, 12, truths=2, patients=1500)
    out = write_design(design, tmp_path_factory.mktemp("simulated") / "design.html", simulated=found)
    return out.read_text(encoding="utf-8"), json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))


# the exact page, and the one with virtual trials, which take seconds
pages = pytest.mark.parametrize("name", ["page", pytest.param("simulated", marks=pytest.mark.slow)])


def enumerate_design(rows: list[dict], name: str, p: float) -> tuple[float, float, float]:
    """Return success, expected subjects and early stop from the boundary rows alone: probabilities of responders, look by look."""
    looks = sorted({(row["look"], row["n"]) for row in rows if row["part"] == "boundary" and row["design"] == name})
    bound = {(row["look"], row["statistic"]): row["value"] for row in rows if row["part"] == "boundary" and row["design"] == name}
    alive, before, success, expected, early = {0: 1.0}, 0, 0.0, 0.0, 0.0
    for look, n in looks:
        m, after = n - before, {}
        for x, mass in alive.items():
            for y in range(m + 1):
                after[x + y] = after.get(x + y, 0.0) + mass * comb(m, y) * p**y * (1 - p) ** (m - y)
        low, high = bound[look, "stop_if_at_most"], bound[look, "success_if_at_least"]
        stopped = {x for x in after if (low is not None and x <= low) or (high is not None and x >= high)}
        success += sum(after[x] for x in stopped if high is not None and x >= high)
        ended = sum(after[x] for x in stopped)
        expected += n * ended
        early += ended if look < len(looks) else 0.0
        alive, before = {x: mass for x, mass in after.items() if x not in stopped}, n
    return success, expected, early


@pytest.mark.slow
def test_every_design_of_the_page_is_as_its_boundaries_are(page: tuple[str, dict]) -> None:
    """Independent: enumeration of the boundary rows."""
    rows = page[1]["rows"]
    value = {(row["design"], row["statistic"]): row["value"] for row in rows if row["part"] == "design"}
    names = list(dict.fromkeys(name for name, _ in value))
    assert {"single-first", "single-stable", "simon-minimax", "simon-optimal", "bop2", "lee-liu", "thall-simon", "spending"} <= set(names)
    for name in names:
        for p, error, end in ((0.3, "alpha", "null"), (0.5, "power", "target")):
            success, expected, early = enumerate_design(rows, name, p)
            assert value[name, error] == pytest.approx(success, abs=1e-12)
            assert value[name, f"expected_n_{end}"] == pytest.approx(expected, abs=1e-9)
            assert value[name, f"early_stop_{end}"] == pytest.approx(early, abs=1e-12)
        assert value[name, "alpha"] <= 0.025 and value[name, "power"] >= 0.8


def test_the_recommendation_follows_its_rule(inaticel: StudyDesign) -> None:
    """By hand: the smallest mean of the most subjects and those expected under the null, futility alone, at most two looks."""
    allowed = [option for option in inaticel.options if option.staged.looks <= 2 and not any(option.staged.efficacy[:-1])]
    costs = {option.id: (option.staged.n[-1] + option.at_null.expected_n) / 2 for option in allowed}
    assert inaticel.recommended == min(costs, key=costs.__getitem__)
    assert str(inaticel.best.n) in inaticel.reason and "104 days" in inaticel.reason
    single = inaticel.option("single-first")
    assert f"{single.n - float(inaticel.best.at_null.expected_n):.1f} fewer" in inaticel.reason


@pages
def test_every_printed_figure_is_a_row(name: str, request: pytest.FixtureRequest) -> None:
    text, record = request.getfixturevalue(name)
    printed = re.findall(r'data-key="(\d+)">([^<]*)<', text)
    assert len(printed) > 200
    for key, words in printed:
        assert record["rows"][int(key)]["text"].replace("'", "&#39;") == words


@pages
def test_rows_are_flat_documented_and_unique(name: str, request: pytest.FixtureRequest) -> None:
    _, record = request.getfixturevalue(name)
    assert record["columns"] == COLUMNS and record["parts"] == PARTS
    keys = [tuple(row[name] for name in KEYS) for row in record["rows"]]
    assert len(set(keys)) == len(keys)
    for row in record["rows"]:
        assert list(row) == list(COLUMNS) and row["part"] in PARTS and row["text"]
        assert row["method"] in ("stated", "assumed", "exact", "approximate", "simulated")
        assert row["error"] is None or (row["error"] >= 0 and row["method"] == "simulated")
    study = Study.load("inaticel")
    assert record["study_hash"] == study.hash and record["rules"] == study.rules == 2 and record["versions"]["cartrial"]
    assert record["simulation"].get("trials") == {"page": None, "simulated": 12}[name]


@pages
def test_the_numbers_of_the_paragraph_are_rows(name: str, request: pytest.FixtureRequest) -> None:
    _, record = request.getfixturevalue(name)
    words = re.sub(r"\((?:[^()]|\([^()]*\))*doi:(?:[^()]|\([^()]*\))*\)", "", record["paragraph"])
    definition = next(row["text"] for row in record["rows"] if row["statistic"] == "definition")
    assert words.startswith(f"The primary endpoint is the overall response rate at month 3 (ORR3): {definition} ")
    words = words.replace(definition, "")
    best = record["recommended"]
    rows = [row for row in record["rows"] if row["design"] in (best, "null", "target", "alpha", "power", "accrual", "losses")]
    texts = {row["text"] for row in rows} | {str(row["n"]) for row in rows if row["n"]}
    if record["simulation"]:
        texts |= {f"{100 * row['error']:.1f} %" for row in rows if row["error"]} | {str(record["simulation"]["trials"])}
    numbers = re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?: %)?", words)
    assert len(numbers) >= 12
    # 80 %: the certainty of the number to enrol, which stands as words in the page; 3: the month of the endpoint's label
    assert set(numbers) - texts <= {"80 %", "3", "50"}, set(numbers) - texts
    open_points = "[To be replaced before use, since they are assumptions: null rate, target rate, type I error, power"
    assert open_points in record["paragraph"]


def test_the_paragraph_says_the_boundaries(inaticel: StudyDesign) -> None:
    words = write_paragraph(inaticel, design_rows(inaticel))
    (n1, n), (r1, r) = inaticel.best.staged.n, inaticel.best.staged.futility
    assert f"After {n1} subjects the trial stops for futility if {r1} or fewer have responded." in words
    assert f"goes on to {n} subjects, and the null hypothesis is rejected if {r + 1} or more have responded." in words
    assert inaticel.best.staged.source in words and "virtual" not in words


@pytest.mark.shows(
    "STUDY-design.power",
    "STUDY-design.power.value",
    "STUDY-design.n-max",
    "STUDY-design.n-max.value",
    "STUDY-design.subjects",
    "STUDY-design.subjects.value",
    "STUDY-design.prior.events",
    "STUDY-design.prior.others",
    "STUDY-design.stage-one",
    "STUDY-design.stage-one.from",
    "STUDY-design.stage-one.to",
    "STUDY-design.recruitment.activation",
    "STUDY-design.looks.at",
    "STUDY-design.recruitment",
    "STUDY-design.recruitment.rate",
)
@pytest.mark.shows("STUDY-design")
def test_what_the_study_says_is_used_and_what_it_does_not_say_is_assumed(tmp_path: Path) -> None:
    silent = read_inputs(load_study(tmp_path, TESTED))
    kinds = {item.id: item.assumed for item in silent.items}
    assert kinds == {
        **dict.fromkeys(("null", "target", "alpha", "power", "n_max", "looks", "prior", "sites", "rate", "activation"), True),
        "delay": False,
        "tested": False,
    }
    assert (silent.power, silent.n_max, silent.prior, silent.delay) == (
        0.8,
        100,
        (0.2, 0.8),
        Delay(104, "infusion", True, silent.delay.source),
    )
    stated = read_inputs(load_study(tmp_path, TESTED.replace("baseline:\n", f"{PLAN}baseline:\n")))
    assert (stated.power, stated.n_max, stated.prior, stated.rate, stated.activation) == (0.9, 50, (1, 3), 0.5, 60)
    assert stated.stage_one == (10, 20) and stated.looks_of(99) == (15, 30, 45)
    assert {item.id for item in stated.items if not item.assumed} >= {"power", "n_max", "subjects", "looks", "stage_one", "prior", "rate"}
    # independent, scipy.stats.binom: of the 44 subjects planned, one-sided alpha as the study has it
    fewest = next(r for r in range(45) if binom.sf(r - 1, 44, stated.p0) <= stated.alpha)
    planned = next(item for item in stated.items if item.id == "subjects")
    assert (
        planned.value == 44
        and f"success with {fewest} or more, type I error {100 * binom.sf(fewest - 1, 44, stated.p0):.2f} %" in planned.text
    )
    given = read_inputs(load_study(tmp_path, TESTED), n_max=40, power=0.85, alpha=0.1)
    assert (given.n_max, given.power, given.alpha) == (40, 0.85, 0.1)
    assert [item.source for item in given.items if item.id in ("n_max", "power", "alpha")] == ["asked for in this run"] * 3


@pytest.mark.shows("STUDY-design.looks", "STUDY-design.looks.at")
def test_looks_beyond_the_most_subjects_are_left_out(tmp_path: Path) -> None:
    study = load_study(tmp_path, TESTED.replace("baseline:\n", "design:\n  looks: {at: [15, 30, 45]}\nbaseline:\n"))
    design = design_study(study, n_max=40, virtual=False)
    assert all(option.n <= 40 for option in design.options)
    assert dict(design.absent)["BOP2"] == "the looks [15, 30, 45] go beyond 40 subjects."
    assert design.delayed is None


@pytest.mark.slow
def test_no_test_has_more_power_than_the_bound() -> None:
    """By hand, 2 subjects, 0.5 against 0.8, alpha 0.3: reject at 2 of 2 (0.25), at 1 of 2 with 0.05 / 0.5; power 0.64 + 0.1 * 0.32."""
    assert most_powers(0.5, 0.8, 0.3, 2)[1] == pytest.approx(0.672, abs=1e-12)
    bound = most_powers(0.3, 0.5, 0.025, 60)
    for option in design_study(Study.load("inaticel"), virtual=False).options:
        assert option.at_target.success <= bound[option.n - 1] + 1e-12


@pytest.mark.shows("STUDY-testing.alpha.sides")
def test_two_sides_are_one_side_of_half_the_error(tmp_path: Path) -> None:
    two = read_inputs(load_study(tmp_path, TESTED.replace("value: 0.025, sides: 1", "value: 0.05, sides: 2")))
    assert two.alpha == 0.025 and next(item.text for item in two.items if item.id == "alpha") == "2.5 % (two-sided 5 %)"


def test_the_constraints_of_the_study_hold_for_its_designs(tmp_path: Path) -> None:
    design = design_study(load_study(tmp_path, TESTED.replace("baseline:\n", f"{PLAN}baseline:\n")), virtual=False)
    assert all(option.n <= 50 for option in design.options if option.id != "thall-simon")
    assert all(10 <= option.staged.n[0] <= 20 for option in design.options if option.id.startswith("simon"))
    assert design.option("bop2").staged.n == (15, 30, 45)
    assert design.safety == () and design.joint is None and design.survival == ()


@pytest.mark.slow
@pytest.mark.shows("STUDY-design.safety", "STUDY-design.safety.event", "STUDY-design.survival", "STUDY-design.survival.endpoint")
def test_safety_and_survival_are_those_of_the_study(tmp_path: Path) -> None:
    design = design_study(Study.load("allo-cd19"), virtual=False)
    assert [plan.id for plan in design.safety] == ["CRS", "DEATH"] and design.timing.goal == "enrolled"
    assert all(plan.rules[0].false_stop <= 0.1 for plan in design.safety)
    (survival,) = design.survival
    assert survival.test.endpoint == "OS" and len(survival.designs) == 4
    text = write_design(design, tmp_path / "allo.html").read_text(encoding="utf-8")
    assert "Designs of OS, exponential" in text and "Treatment-related death" in text


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        (("    test: {null: 0.2, alternative: 0.45}\n", ""), "test.null", "no null rate for ORR3"),
        ((", alternative: 0.45", ""), "test.alternative", "no rate that is hoped for"),
        (("alternative: 0.45", "alternative: 0.2"), "test.alternative", "not above the null"),
        (("alternative: 0.45", "alternative: 0.1"), "test.alternative", "not above the null"),
        (("alternative: 0.45", "alternative: 0.21"), "n_max", "no design with up to 100 subjects"),
    ],
)
@pytest.mark.shows("STUDY-endpoints.test.alternative")
def test_a_study_that_cannot_be_designed_is_refused(change: tuple[str, str], key: str, words: str, tmp_path: Path) -> None:
    assert change[0] in TESTED
    with pytest.raises(InputError, match=words) as caught:
        design_study(load_study(tmp_path, TESTED.replace(*change)), virtual=False)
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"n_max": 1}, "n_max"),
        ({"n_max": 501}, "n_max"),
        ({"power": 0}, "power"),
        ({"alpha": 1}, "alpha"),
        ({"endpoint": "DOR"}, "endpoint"),
    ],
)
def test_a_number_that_cannot_be_is_refused(given: dict, key: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_inputs(load_study(tmp_path, TESTED), **given)
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ("looks: {at: [0.5, 0.5, 1]}", "looks.at", "rising order"),
        ("looks: {at: [0.5, 20]}", "looks.at", "neither fractions"),
        ("stage-one: {from: 20, to: 10}", "stage-one.to", "ends before it starts"),
        ("safety: [{event: FEVER, acceptable: 0.1, unacceptable: 0.3}]", "safety.0.event", "no event of safety.special"),
        ("safety: [{event: CRS, acceptable: 0.3, unacceptable: 0.3}]", "safety.0.unacceptable", "not above the acceptable"),
        ("survival: [{endpoint: ORR3, at: 360, null: 0.3, alternative: 0.5}]", "survival.0.endpoint", "no time to event"),
        ("survival: [{endpoint: DOR, at: 360, null: 0.5, alternative: 0.5}]", "survival.0.alternative", "not above the null"),
        ("powr: {value: 0.8}", "powr", "The nearest known key is 'power'"),
        ("power: {value: 1}", "power.value", "less than 1"),
        ("prior: {events: 0, others: 1}", "prior.events", "greater than 0"),
    ],
)
@pytest.mark.shows("STUDY-design")
def test_a_design_section_that_is_wrong_names_its_place(line: str, key: str, words: str, tmp_path: Path) -> None:
    text = TESTED.replace("baseline:\n", f"design:\n  {line}\nbaseline:\n")
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        load_study(tmp_path, text)
    assert (caught.value.key, caught.value.file) == (f"design.{key}", "study.yaml")
    assert caught.value.row == text[: text.index(line)].count("\n") + 1


@pytest.mark.shows("STUDY-design.safety", "STUDY-design.safety.event")
def test_limits_of_death_and_of_the_study_s_own_events_are_known(tmp_path: Path) -> None:
    text = TESTED.replace("baseline:\n", "design:\n  safety: [{event: DEATH, acceptable: 0.05, unacceptable: 0.2}]\nbaseline:\n")
    study = load_study(tmp_path, text)
    assert ("design.safety.DEATH", "assumption") in study.assumptions()
    assert study.hash != load_study(tmp_path, TESTED).hash


@pytest.mark.slow
def test_virtual_trials_carry_their_errors_and_their_band(simulated: tuple[str, dict]) -> None:
    text, record = simulated
    rows = [row for row in record["rows"] if row["part"] == "simulation" and row["statistic"] == "success"]
    assert {row["truth"] for row in rows} == {0.3, 0.5} and all(row["error"] > 0 for row in rows)
    assert {row["variant"] for row in rows if row["design"] == record["recommended"]} == {"paused", "continued"}
    exact = {
        row["truth"]: row["value"] for row in record["rows"] if row["statistic"] == "success_exact" and row["design"] == "single-first"
    }
    (power,) = [
        row["value"]
        for row in record["rows"]
        if row["part"] == "design" and row["design"] == "single-first" and row["statistic"] == "power"
    ]
    assert exact[0.5] == pytest.approx(power, abs=1e-12)
    assert "OPERATING CHARACTERISTICS: virtual patients, simulated" in text and "VIRTUAL PATIENTS: simulated, not patients" in text
    assert record["simulation"]["label"] in text and "What the virtual patients must not be used for" in text
    assert "a difference between estimands, not an effect of transplant" in text
    variants = {row["variant"] for row in record["rows"] if row["part"] == "contrast"}
    assert {"", "population=enrolled", "hsct=treatment-policy", "window.within=month 3", "missed visits x2"} <= variants
    found = {row["truth"]: row for row in rows if row["design"] == record["recommended"] and row["variant"] == "paused"}
    said = {truth: f"{row['text']} (standard error of the simulation {100 * row['error']:.1f} %)" for truth, row in found.items()}
    assert (
        "In 12 virtual trials for each rate, with visits, readers and drop-out as planned, enrolment paused at each look until all its "
        f"responses are known, success had a probability of {said[0.5]} where the endpoint's rate is the target and of {said[0.3]} where"
    ) in record["paragraph"]


def test_a_page_without_virtual_trials_says_nothing_of_them(page: tuple[str, dict]) -> None:
    text, record = page
    assert 'class="band"' not in text and "On virtual trials" not in text and "What the virtual patients must not" not in text
    assert not any(row["part"] in ("simulation", "contrast") for row in record["rows"])


@pages
def test_the_page_is_self_contained_and_its_sections_have_content(name: str, request: pytest.FixtureRequest) -> None:
    text, _ = request.getfixturevalue(name)
    assert not re.search(r'(?:src|href)="(?!#|https://doi\.org/)', without_scripts(text)) and not re.search(r"<script[^>]* src", text)
    for section in re.findall(r"<section id=\"([\w-]+)\">(.*?)</section>", text, re.DOTALL):
        assert len(re.sub("<.*?>", "", section[1]).split()) > 20, section[0]
    figures = figures_of(text)
    assert len(figures) > 2 and all(figure["description"] for figure in figures.values())


def test_the_page_stays_away_from_a_folder(inaticel: StudyDesign, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        write_design(inaticel, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_same_call_gives_the_same_page(inaticel: StudyDesign, tmp_path: Path) -> None:
    again = design_study(Study.load("inaticel"), virtual=False)
    one, other = write_design(inaticel, tmp_path / "a.html"), write_design(again, tmp_path / "b.html")
    assert one.read_bytes() == other.read_bytes()
    assert one.with_suffix(".json").read_bytes() == other.with_suffix(".json").read_bytes()


def test_a_key_stands_once() -> None:
    rows = Rows()
    rows.add("design", "one", "n", 3, "3")
    assert rows.find("design", "one", "n") == (0, rows.rows[0]) and rows.find("design", "one", "power") is None
    with pytest.raises(ValueError, match="two rows have the key"):
        rows.add("design", "one", "n", 4, "4")


def test_a_figure_keeps_within_its_frame() -> None:
    """By hand: points outside the axis lie on its end, an unlabelled series has no name beneath, guides have their words."""
    series = [
        Series("first", "blue", [(0, 0.5), (1, 3.0)], "dashed", "circle", [(0, 0.4, 9.0)]),
        Series("", "red", [(0, -1.0), (1, 0.2)], "none", "square"),
    ]
    guides = (Guide(0.5, "middle"), Guide(0.52, "beside"), Guide(0.8, "wanted", "y"))
    document = draw_lines(series, title="t", xlabel="x (unit)", ylabel="y", low=0, high=1, y_percent=True, guides=guides)
    datasets = document["datasets"]
    assert [row["g"] for row in datasets["names"]] == ["first"]
    assert [(row["words"], row["axis"], row["late"]) for row in datasets["guides"]] == [
        ("middle", "x", False),
        ("beside", "x", True),
        ("wanted", "y", True),
    ]
    assert [(row["x"], row["y"]) for row in datasets["points"]] == [(0, 0.5), (1, 3.0), (0, -1.0), (1, 0.2)]
    lines = next(layer for layer in document["layer"] if layer["mark"]["type"] == "line")
    assert lines["encoding"]["y"]["scale"] == {"domain": [0, 1], "clamp": True, "nice": False, "zero": False}
    assert lines["encoding"]["y"]["title"] == "y" and lines["encoding"]["x"]["title"] == "x (unit)"
    assert lines["encoding"]["strokeDash"]["scale"]["range"][0] == [7, 4]


def test_citations_become_links() -> None:
    assert str(cite("Simon 1989, doi:10.1016/0197-2456(89)90015-9; A & B")) == (
        'Simon 1989, doi:<a href="https://doi.org/10.1016/0197-2456(89)90015-9">10.1016/0197-2456(89)90015-9</a>; A &amp; B'
    )


@pytest.mark.slow
@pytest.mark.shows("STUDY-endpoints.role")
def test_which_endpoint_is_designed_is_said(tmp_path: Path) -> None:
    """By hand: the tested rate is designed, whichever endpoint is called primary; the page and the paragraph say so."""
    design = design_study(load_study(tmp_path, TESTED), virtual=False)
    (item,) = (item for item in design.inputs.items if item.id == "tested")
    assert item.source.endswith("the study's primary endpoints are: none")
    assert write_paragraph(design, design_rows(design)).startswith("The endpoint tested here is the ")
    own = design_study(load_study(tmp_path, TESTED.replace("    test: {", "    role: primary\n    test: {", 1)), virtual=False)
    assert write_paragraph(own, design_rows(own)).startswith("The primary endpoint is the ")
