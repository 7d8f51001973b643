"""The study's own design: as its file states it, before any recommendation.

Origin of expected values: `R` (tests/design/test_exact_own.py has the script) or the study file itself.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cartrial.design import design_rows, design_study, write_paragraph
from cartrial.design.protocol.definition import define_endpoint
from cartrial.design.protocol.inputs import read_inputs
from cartrial.design.protocol.options import own_option
from cartrial.design.protocol.time import find_timing
from cartrial.design.trials.worlds import choose_endpoint
from cartrial.errors import InputError
from cartrial.report import write_design
from cartrial.study import Study
from helpers import BASE, ROOT, load_study, run_cli

EXAMPLES = ROOT / "examples" / "designs"
TESTED = BASE.replace(
    "    sensitivity:\n      - {hsct: treatment-policy}\n      - {reader: INV}\n", "    test: {null: 0.3, alternative: 0.5}\n", 1
)
OF = "{spending: obrien-fleming}"


def own_study(tmp_path: Path, text: str, more: str = "") -> Study:
    return load_study(tmp_path, TESTED.replace("baseline:\n", f"design:\n  own: {text}\n{more}baseline:\n"))


PUBLISHED = pytest.mark.parametrize(
    ("name", "n", "high", "alpha", "power"),
    [("two-looks", (50, 76), (19, 23), 0.02226913109, 0.99698241712), ("single-stage", (50,), (28,), 0.0160347635, 0.9290387386)],
)


@PUBLISHED
@pytest.mark.shows("STUDY-design.own", "STUDY-design.own.at", "STUDY-design.own.efficacy", "STUDY-design.own.efficacy.spending")
def test_the_example_studies_state_these_designs(name, n, high, alpha, power) -> None:
    """R."""
    inputs = read_inputs(Study.load(EXAMPLES / f"{name}.yaml"))
    own = own_option(inputs, inputs.own)
    assert (own.staged.n, own.staged.efficacy) == (n, high) and own.meets
    assert float(own.at_null.success) == pytest.approx(alpha, abs=1e-10) and float(own.at_target.success) == pytest.approx(power, abs=1e-10)


@pytest.mark.slow
@PUBLISHED
def test_the_example_studies_have_the_errors_of_their_own_designs(name, n, high, alpha, power) -> None:
    """R."""
    study = Study.load(EXAMPLES / f"{name}.yaml")
    design = design_study(study, virtual=False, n_max=60)
    own = design.own
    assert own is not None and own is design.leading and own is design.options[0]
    assert (own.staged.n, own.staged.efficacy) == (n, high) and own.meets
    assert float(own.at_null.success) == pytest.approx(alpha, abs=1e-10)
    assert float(own.at_target.success) == pytest.approx(power, abs=1e-10)
    # in the manner of published trials, and every number an assumption
    wanted = {"null", "target", "alpha", "power", "own", "rate", "activation", "sites"}
    assert wanted <= {item.id for item in design.inputs.items if item.assumed}
    rows = design_rows(design)
    if name == "two-looks":
        assert rows.find("own", "own", "alpha_allowed", look=1, n=50)[1].text == "0.0057"
        assert rows.find("own", "own", "p_at_boundary", look=1, n=50)[1].text == "0.0025"
        assert rows.find("own", "own", "alpha_spent", look=2, n=76)[1].value == pytest.approx(alpha, abs=1e-10)
        assert rows.find("own", "own", "beta_spent", look=2, n=76) is None
    words = write_paragraph(design, rows)
    assert f"{high[-1]} or more have responded" in words and own.staged.method[1:] in words
    assert "number of subjects and looks" in words and design.best.staged.name not in words


@pytest.mark.slow
def test_the_page_shows_the_own_design_first(tmp_path: Path) -> None:
    """R, for the type I error where a committee goes on past the stops for futility: 2.00 %, with them 1.77 %."""
    study = own_study(tmp_path, f"{{at: [20, 40, 60], efficacy: {OF}, futility: {OF}, binding: false, source: protocol}}")
    design = design_study(study, virtual=False, n_max=60)
    assert design.own is not None and design.own.beyond_futility == pytest.approx(0.02002514761, abs=1e-10)
    assert float(design.own.at_null.success) == pytest.approx(0.01766203681, abs=1e-10)
    page = write_design(design, tmp_path / "design.html").read_text(encoding="utf-8")
    heads = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert heads[0].replace("&#39;", "'") == "The study's own design" and heads[1] == "The recommended design"
    first = re.sub(r"<[^>]+>", "", page[page.index("The study&#39;s own design") : page.index("The recommended design")])
    assert "does not count on the stops for futility. If a committee goes on past them it is 2.00 %" in first
    assert "Not promising" in first and "Beta allowed so far" in first and "(protocol)" in first


def test_a_design_that_misses_its_errors_is_shown_and_said_to(tmp_path: Path) -> None:
    """By hand: 8 or more of 12 have 0.0095 at 30 % and 7 or more 0.0386; at one half 794 of 4096 outcomes have 8 or more."""
    design = design_study(own_study(tmp_path, "{at: [12]}", "  n-max: {value: 12}\n"), virtual=False)
    assert design.own is not None and not design.own.meets and design.recommended == "own"
    assert design.own.staged.efficacy == (8,) and float(design.own.at_target.success) == pytest.approx(794 / 4096)
    page = write_design(design, tmp_path / "design.html").read_text(encoding="utf-8")
    assert "misses an error" in page and "The recommended design" not in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{at: [76, 50]}", "the looks are not numbers of subjects in rising order"),
        ("{at: [50, 76], efficacy: {spending: obf}}", "efficacy"),
        ("{at: [50, 76], efficacy: {}}", "nothing says where the boundaries lie"),
        ("{at: [50, 76], efficacy: {spending: pocock, gamma: 1}}", "spending and gamma stand together"),
        ("{at: [50, 76], efficacy: {responders: [19]}}", "1 boundaries stand beside 2 looks"),
        ("{at: [50, 76], efficacy: {responders: [19, none]}}", "the last look has no boundary of success"),
        ("{at: [50, 76], efficacy: {levels: [5.7, 0.02]}}", "the level 5.7 is not between 0 and 1"),
        ("{at: [50, 76], futility: {levels: [0.1, 0.02]}}", "levels of a test are of efficacy"),
        ("{at: [50, 76], futility: {responders: [51, none]}}", "51 of 50 subjects cannot be a boundary"),
        (
            "{at: [50, 76], efficacy: {responders: [19, 23]}, futility: {responders: [19, none]}}",
            "look 1 stops for futility at 19 or fewer",
        ),
        ("{at: [50, 76], efficacy: {responders: [19, 23]}, futility: {responders: [8, 20]}}", "leaves 21 to 22 responders undecided"),
        ("{at: [50, 76]}\n  subjects: {value: 80}", "the own design ends with 76 subjects, and 80 are planned"),
    ],
)
@pytest.mark.shows("STUDY-design.own")
def test_what_a_design_of_ones_own_cannot_be_is_one_message(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        own_study(tmp_path, text)
    assert str(caught.value).startswith("study.yaml, row ")


@pytest.mark.slow
def test_the_summary_names_the_own_design_first() -> None:
    """R."""
    code, out, _ = run_cli("design", str(EXAMPLES / "two-looks.yaml"), "--no-simulation")
    assert code == 0
    lines = out.splitlines()
    assert lines[1] == "The study's own design: 76 subjects (infused), type I error 2.23 %, power 99.7 %."


def best_study(tmp_path: Path, more: str) -> Study:
    text = TESTED.replace(
        "    window: {at: month 3}\n    population: infused\n", "    window: {best: cutoff}\n    population: infused\n", 1
    )
    return load_study(tmp_path, text.replace("baseline:\n", f"design:\n{more}baseline:\n"))


@pytest.mark.shows("STUDY-design.analysis", "STUDY-design.analysis.day")
def test_a_best_response_is_awaited_until_its_analysis(tmp_path: Path) -> None:
    """By hand: the study file says day 120; without it the last visit, month 3, ends on day 104, which is an assumption."""
    stated = read_inputs(best_study(tmp_path, "  analysis: {day: 120, source: protocol}\n"))
    assert (stated.delay.days, stated.delay.closed, stated.delay.limit) == (120, True, "at the latest")
    assert "protocol" in stated.delay.source and not next(item for item in stated.items if item.id == "delay").assumed
    assert "(that is 120 days after the last infusion)" in define_endpoint(stated)
    silent = read_inputs(best_study(tmp_path, "  power: {value: 0.8}\n"))
    assert (silent.delay.days, silent.delay.closed) == (104, False) and "last infusion" not in define_endpoint(silent)


def test_a_best_response_with_an_analysis_is_simulated_within_its_days(tmp_path: Path) -> None:
    """By hand: everyone has 120 days to respond, and until none is stated nothing can be simulated."""
    study = best_study(tmp_path, "  analysis: {day: 120, source: protocol}\n")
    window = choose_endpoint(study).window
    assert window is not None and (window.within_days, window.best, window.from_) == (120, None, "day-0")
    with pytest.raises(InputError, match=r"known on no day before it\. .*analysis"):
        choose_endpoint(best_study(tmp_path, "  power: {value: 0.8}\n"))


@pytest.mark.shows("STUDY-design.analysis.day")
def test_a_day_of_analysis_beside_a_window_that_ends_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"design.analysis: the window of ORR3 has an end"):
        read_inputs(own_study(tmp_path, "{at: [50]}", "  analysis: {day: 180}\n"))


@pytest.mark.parametrize(("ages", "said"), [("{from: 3, to: 23}", "Children and young adults"), ("{from: 18, to: 65}", "Adults")])
def test_a_study_is_followed_from_cases_of_its_own_ages_though_it_is_not_simulated(tmp_path: Path, ages: str, said: str) -> None:
    """By hand: the study's own bounds of age."""
    study = load_study(tmp_path, TESTED.replace("baseline:\n", f"eligibility: {{age: {ages}}}\nbaseline:\n"))
    timing = find_timing(read_inputs(study), (20,), virtual=False)
    assert timing.funnel["label"][3] == said and not timing.simulated
