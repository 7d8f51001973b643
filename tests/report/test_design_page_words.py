"""What the design page says of its endpoint, its delays, its assumptions and its approximations.

Origin of expected values: `by hand`, `independent` (a second implementation from the definition), or the study file itself.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

from cartrial.design import design_bop2, design_rows, design_study, write_paragraph
from cartrial.design.enrolment.accrual import expected_accrual
from cartrial.design.enrolment.accrual_plan import AccrualPlan
from cartrial.design.exact.staged import operate
from cartrial.design.protocol.inputs import read_inputs
from cartrial.design.protocol.options import LOWER, find_uppers
from cartrial.design.protocol.study_design import StudyDesign
from cartrial.errors import InputError
from cartrial.report import write_design
from cartrial.study import Study
from helpers import BASE, load_study

TESTED = BASE.replace(
    "    sensitivity:\n      - {hsct: treatment-policy}\n      - {reader: INV}\n", "    test: {null: 0.2, alternative: 0.45}\n", 1
)


@pytest.fixture(scope="module")
def allo() -> StudyDesign:
    return design_study(Study.load("allo-cd19"))


@pytest.fixture(scope="module")
def inaticel() -> StudyDesign:
    return design_study(Study.load("inaticel"))


def page(design: StudyDesign, folder: Path) -> tuple[str, dict]:
    out = write_design(design, folder / "design.html")
    words = html.unescape(re.sub("<[^>]*>", "", out.read_text(encoding="utf-8")))
    return re.sub(r"\s+", " ", words), json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.shows("STUDY-endpoints.window.within-days")
def test_a_response_within_days_is_known_when_the_window_has_closed(allo: StudyDesign, tmp_path: Path) -> None:
    """By hand: the window of CRR is 730 days from enrolment, so that every milestone of the last response is 730 days after the last."""
    delay = allo.inputs.delay
    assert (delay.days, delay.start, delay.closed) == (730, "enrolment", True)
    for table in allo.timing.milestones.values():
        days = {row["quantity"]: row["median"] for row in table.iter_rows(named=True)}
        assert days["last_assessed"] == pytest.approx(days["last_enrolled"] + 730, abs=1e-9)
    assert allo.delayed is not None and allo.delayed.window == 730
    text, _ = page(allo, tmp_path)
    assert "35 days" not in text and "known 730 days after its last enrolment at the latest" in text
    assert "A response of CRR is known 730 days after enrolment at the latest" in text


@pytest.mark.slow
@pytest.mark.shows("STUDY-design.recruitment", "STUDY-design.recruitment.rate")
def test_what_would_be_enrolled_meanwhile_has_its_losses(allo: StudyDesign, inaticel: StudyDesign) -> None:
    """By hand from the plan: sites x consents a month x share x days / 30.4375; the second stage of CRR has fewer than that."""
    for design, share, days, goal in (
        (allo, allo.timing.plan.enrolled_share, 730, "enrolled"),
        (inaticel, inaticel.timing.plan.share, 104, "infused"),
    ):
        plan = design.timing.plan
        waiting = plan.sites * plan.rate * share * days / 30.4375
        assert f"about {waiting:.0f} more subjects would be {goal} meanwhile" in design.reason
    assert "the trial is full before a stop for futility" in allo.reason and "pauses there" in inaticel.reason


@pytest.mark.parametrize(
    ("window", "days", "start", "closed"),
    [
        ("{within-days: 200}", 200, "infusion", True),
        ("{within-days: 200, from: enrolment}", 200, "enrolment", True),
        ("{within: month 3}", 104, "infusion", True),
        ("{best: cutoff}", None, "infusion", False),
    ],
)
def test_the_days_come_from_the_window(window: str, days: int | None, start: str, closed: bool, tmp_path: Path) -> None:
    assert "window: {at: month 3}" in TESTED
    study = load_study(tmp_path, TESTED.replace("window: {at: month 3}", f"window: {window}", 1))
    delay = read_inputs(study).delay
    last = max(study.disease.visits, key=lambda visit: visit.day)
    assert (delay.days, delay.start, delay.closed) == (days or last.day + last.plus, start, closed)
    assert ("assumption" in delay.source) is not closed
    assert ("at the latest" in delay.limit) is closed and ("assumption" in delay.limit) is not closed


def test_an_assessment_from_enrolment_waits_for_those_not_infused() -> None:
    """By hand: 2 sites at 30.4375 a month see 2 a day; half are enrolled after 10 days, assessed 100 days later: 0.5 x 2 x (210 - 110)."""
    plan = AccrualPlan(2, 30.4375, screening_failure=0.5, drop=0.5, screening_days=10, infusion_days=30, assessment=100)
    from_enrolment = AccrualPlan(**{**plan.__dict__, "assessed_from": "enrolment"})
    assert expected_accrual(from_enrolment, [210.0])["assessed"][0] == pytest.approx(100.0)
    assert expected_accrual(plan, [210.0])["assessed"][0] == pytest.approx(0.25 * 2 * 70)
    with pytest.raises(InputError, match="not counted from 'birth'"):
        AccrualPlan(2, 1.0, assessed_from="birth")  # type: ignore[arg-type]


def test_the_endpoint_is_defined_where_it_is_used(allo: StudyDesign, inaticel: StudyDesign, tmp_path: Path) -> None:
    """By hand from the study files."""
    for design, wanted in (
        (inaticel, ("CR or CRi", "day 76 to 104", "independent review committee", "all infused subjects", "transplant ends the time")),
        (allo, ("CR (criteria", "within 730 days from enrolment", "the investigator", "all enrolled subjects", "(composite)")),
    ):
        text, record = page(design, tmp_path)
        top = text[text.index("The recommended design") : text.index("Numbers that every design rests on")]
        for words in wanted:
            assert words in record["paragraph"], words
            assert top.count(words) >= 2, words


def test_the_number_to_enrol_is_called_simulated(inaticel: StudyDesign) -> None:
    rows = design_rows(inaticel)
    found = rows.find("calendar", "accrual", "to_enrol", n=inaticel.best.n)
    assert found is not None and found[1].method == "simulated" and "virtual trials of population" in found[1].source
    words = write_paragraph(inaticel, rows)
    assert f"{found[1].text} subjects are to be enrolled" in words
    assert words.endswith("; since it rests on simulated losses: the number to be enrolled.]")


@pytest.mark.slow
def test_no_loss_is_an_assumption_and_called_so(tmp_path: Path) -> None:
    design = design_study(Study.load("inaticel"), virtual=False)
    text, record = page(design, tmp_path)
    losses = [row for row in record["rows"] if row["design"] == "losses"]
    assert len(losses) == 5 and {row["method"] for row in losses} == {"assumed"} and {row["value"] for row in losses} == {0.0}
    assert all(row["source"].startswith("assumption: no loss") for row in losses)
    assert "no loss and no wait between consent and infusion" in text and "measured on virtual subjects" not in text
    # the study file itself names them, as the source of its recruitment
    assert "virtual trials" not in text.replace("as for virtual trials", "")
    assert "so that the number to enrol is missing here" in record["paragraph"] and "are to be enrolled" not in record["paragraph"]


def test_an_approximate_test_shows_its_simulated_errors(allo: StudyDesign, tmp_path: Path) -> None:
    """Independent: everyone is seen to the horizon, so that the restricted mean is the mean of the times cut there, its error their
    standard deviation over the root of n; exponential times drawn by numpy."""
    (item,) = allo.survival
    name, design = item.designs[3]
    assert name == "Restricted mean to day 360"
    draw, trials = np.random.default_rng(3), 20_000
    for truth, survival in (("size", 0.35), ("power", 0.55)):
        times = np.minimum(draw.exponential(-360 / np.log(survival), (trials, design.n)), 360)
        null = 360 / -np.log(0.35) * (1 - 0.35)
        rejected = np.mean(times.mean(1) - null > 1.6448536 * times.std(1) / np.sqrt(design.n))
        error = np.hypot(item.errors[name][f"{truth}_error"], np.sqrt(rejected * (1 - rejected) / trials))
        assert abs(item.errors[name][truth] - rejected) < 4 * error
    text, record = page(allo, tmp_path)
    rows = {(row["variant"], row["statistic"]): row for row in record["rows"] if row["part"] == "survival"}
    size = rows[name, "size_simulated"]
    assert size["method"] == "simulated" and size["error"] > 0 and size["value"] - 2 * size["error"] > 0.05
    assert f"Restricted mean to day 360 has a type I error of {size['text']}" in text and "above the 5 % wanted" in text
    assert ("Exact test of events", "size_simulated") not in rows and "One-sample log-rank has a type I error" not in text


@pytest.mark.slow
def test_thall_and_simon_s_cut_off_is_the_loosest_there_is(inaticel: StudyDesign) -> None:
    """Independent: boundaries from scipy's beta distribution at every cut-off of a fine grid."""
    from scipy.stats import beta

    from cartrial.design.exact.staged import Staged

    inputs, option = inaticel.inputs, inaticel.option("thall-simon")
    a, b = inputs.prior

    def staged(looks: tuple[int, ...], upper: float) -> Staged | None:
        above = [beta.sf(0.3, a + np.arange(n + 1), b + n - np.arange(n + 1)) for n in looks]
        low = [int(np.sum(row <= LOWER)) - 1 for row in above]
        high = [int(np.sum(row < upper)) for row in above]
        if high[-1] > looks[-1]:
            return None
        low[-1] = high[-1] - 1
        efficacy = tuple(x if x <= n else None for x, n in zip(high, looks, strict=True))
        return Staged("grid", looks, tuple(None if x < 0 else x for x in low), efficacy, 0.3, 0.5, "", "")

    assert option.n == 55 and option.staged.n == (22, 33, 44, 55)
    # by hand, from a search of all boundaries: upper cut-offs between 0.99106 and 0.99176
    assert 0.99106 < dict(option.parameters)["upper"] <= 0.99176
    assert (round(float(option.at_null.success), 4), round(float(option.at_target.success), 4)) == (0.0201, 0.8175)
    grid = np.arange(0.98, 0.9985, 1e-4)
    found = [design for upper in grid if (design := staged(option.staged.n, upper)) is not None]
    first = next(design for design in found if operate(design, 0.3).success <= 0.025)
    assert (first.futility, first.efficacy) == (option.staged.futility, option.staged.efficacy)
    for n in range(50, 55):
        for upper in grid[::2]:
            other = staged(inputs.looks_of(n), upper)
            assert other is None or operate(other, 0.3).success > 0.025 or operate(other, 0.5).success < 0.8
    uppers = find_uppers(inputs, option.staged.n)
    assert list(uppers) == sorted(set(uppers)) and uppers[0] > LOWER


def test_a_fraction_of_subjects_is_rounded_up_everywhere(allo: StudyDesign) -> None:
    """By hand: half of 39 is 19.5, three quarters are 29.25."""
    assert allo.inputs.looks_of(39) == (20, 30, 39) and allo.inputs.looks_of(40) == (20, 30, 40)
    for option in allo.options:
        if option.id in ("bop2", "thall-simon", "spending", "spending-futility"):
            assert option.staged.n == allo.inputs.looks_of(option.n)


def test_boundaries_of_bop2_can_be_found_again(allo: StudyDesign, tmp_path: Path) -> None:
    from cartrial.design import design_bop2_joint
    from cartrial.design.bayes.cells import cells_of

    text, record = page(allo, tmp_path)
    value = {row["statistic"]: row["value"] for row in record["rows"] if row["part"] == "design" and row["design"] == "bop2"}
    option = allo.option("bop2")
    prior, cut = (value["prior_events"], value["prior_others"]), (value["lambda"], value["gamma"])
    again = design_bop2(0.3, 0.5, option.staged.n, prior=prior, cutoff=cut).design
    assert (again.futility, again.efficacy) == (option.staged.futility, option.staged.efficacy)
    assert allo.joint is not None and allo.joint.bop2 is not None
    joint = allo.joint.bop2
    value = {row["statistic"]: row["value"] for row in record["rows"] if row["part"] == "toxicity" and row["variant"] == joint.name}
    cells = [value[f"prior, {name}"] for name in ("response and toxicity", "response alone", "toxicity alone", "neither")]
    limits = allo.joint.limits
    null, target = cells_of(0.3, limits.unacceptable), cells_of(0.5, limits.acceptable)
    twin = design_bop2_joint(null, target, joint.n, prior=cells, cutoff=(value["lambda"], value["gamma"]))
    assert (twin.futility, twin.toxicity) == (joint.futility, joint.toxicity)
    assert "lambda" in text and "Dirichlet prior of response and toxicity" in text


def test_assumptions_and_misses_stand_in_words(inaticel: StudyDesign, tmp_path: Path) -> None:
    text, record = page(inaticel, tmp_path)
    assert "reads and adjudication take no time" in text
    assert "A look suspends enrolment while more than n²/N of its n subjects are pending" in text
    (power,) = [
        row
        for row in record["rows"]
        if (row["part"], row["statistic"], row["variant"], row["truth"]) == ("delayed", "success", "credit", 0.5)
    ]
    assert power["value"] < 0.8 and f"TOP misses the power wanted: {power['text']}" in text


def test_a_range_that_is_assumed_is_called_so(inaticel: StudyDesign) -> None:
    """From the file: 15 % of leukaemia is published, its range is an assumption; 134 of 142 is counted."""
    method = {(row.design, row.statistic): row.method for _, row in design_rows(inaticel).where("funnel")}
    assert (method["ALL", "share"], method["ALL", "share_low"], method["ALL", "share_high"]) == ("stated", "assumed", "assumed")
    assert {method["leukapheresed", name] for name in ("share", "share_low", "share_high")} == {"stated"}
    assert (method["ALL", "count"], method["ALL", "low"], method["infused", "count"]) == ("stated", "assumed", "assumed")
