"""The page of what is already known beside a study: what stands on it, what is drawn, and what is refused.

Origin of every expectation, unless said: `by hand`, from the rows of the registry, the two texts and the study files.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from cartrial.analysis import KEY, SCHEMA
from cartrial.errors import InputError
from cartrial.evidence import derive_prior, is_response_rate, load_evidence, read_assumptions
from cartrial.report.evidence.data import ContextData, months_of, read_own, read_reconstructed, read_simulated
from cartrial.report.evidence.dates import build_epidemiology, build_timeline
from cartrial.report.evidence.forest import known_of, panel_of
from cartrial.report.evidence.page import context_sections, write_context
from cartrial.report.evidence.prediction import predict_counts, require_beside
from cartrial.report.page.blocks import Details, Figure
from cartrial.report.page.drawing import find_figures
from cartrial.study import Study
from helpers import WORKED, run_cli
from report_example import figures_of, without_scripts


@pytest.fixture(scope="module")
def data() -> ContextData:
    return ContextData(Study.load("inaticel"), load_evidence())


@pytest.fixture(scope="module")
def page(data: ContextData, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_context(data, tmp_path_factory.mktemp("context") / "context.html").read_text(encoding="utf-8")


def plain(text: str) -> str:
    """Return the words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", without_scripts(text)).replace("&#39;", "'").split())


def test_contradictions_stand_first_and_every_statement_has_its_verdict(data: ContextData, page: str) -> None:
    """Both texts: 14/19 is 73.7 %, and 98 % of 53 with 83 % of it counts a response that leukaemia has not."""
    assert context_sections(data)[0].id == "contradictions"
    words = plain(page)
    claims = load_evidence().claims
    assert {claim.source for claim in claims} == {"announcement-2023", "record-allogeneic"} and len(claims) == 16
    for claim in claims:
        assert " ".join(claim.text.split()) in words
    first = words[words.index("What two texts say") :]
    assert re.search(r"14 evaluated as CR/CRi \(67 %\) 28 days after treatment Contradicted 14/19 = 73.7 %; 14 prints 67 % of 21", first)
    assert re.search(r"of which about 83 % CR, of 53 patients Unsupported 98 % of 53 is 52", first)
    assert (
        first.index("Contradicted") < first.index("Unsupported") < first.index("Supported approved") if "Supported approved" in first else 1
    )


def test_every_number_that_is_not_consistent_is_numbered_and_marked(data: ContextData) -> None:
    assert [number for number, _ in data.findings] == [str(k) for k in range(1, 15)]
    assert Counter(found.verdict for _, found in data.findings) == {"impossible": 1, "contradictory": 3, "unexplained": 4, "undecided": 6}
    line = known_of(data, *data.evidence.find("inati-48-orr3"))
    assert data.findings[int(line.doubt) - 1][1].results == ("inati-48-orr3",)
    assert known_of(data, *data.evidence.find("eliana-79-orr")).doubt == ""


def test_panels_hold_one_estimand_each_and_no_summary(data: ContextData, page: str) -> None:
    """Independent: rates counted by their three attributes from the registry; a diamond is the study's own, and there is none."""
    rates = [one for _, one in data.evidence.results if is_response_rate(one) or one.measure.type == "pooled-rate"]
    panels = Counter(panel_of(one) for one in rates)
    figures = {name: made for name, made in figures_of(page).items() if name.startswith("forest")}
    sizes = sorted(sum("x" in row or "lo" in row for row in made["datasets"]["lines"]) for made in figures.values())
    asked = {("CR+CRi", "at month 3", "infused"), ("CR+CRi", "best", "infused")}  # shown alone, since the study asks for them
    alone = sum(count == 1 for panel, count in panels.items() if panel not in asked)
    # five to a figure, which is what a printed page holds
    parts = [*([5] * (alone // 5)), *([alone % 5] if alone % 5 else [])]
    assert sizes == sorted([*(count for panel, count in panels.items() if count > 1 or panel in asked), *parts])
    kinds = {row.get("kind") for made in figures.values() for row in made["datasets"]["lines"]}
    assert "own" not in kinds and {"open", "stated", "doubt"} <= kinds


def test_three_rates_of_one_name_stand_side_by_side(page: str) -> None:
    """41/48 best (85.4 %), 34/48 at month 3, 32/39 within month 3 of an earlier cut; 34/48 is 55.937 to 83.047 by R binom.test."""
    lines = figures_of(page)["one-inaticel"]["datasets"]["lines"]
    drawn = {row["label"]: row for row in lines if "x" in row and row["i"] < 5}
    assert {label: round(row["x"], 6) for label, row in drawn.items()} == {
        "at month 3, infused": round(34 / 48, 6),
        "best, infused": round(41 / 48, 6),
        "within month 3, infused": round(32 / 39, 6),
    }
    row = drawn["at month 3, infused"]
    assert (round(row["lo0"], 5), round(row["hi0"], 5)) == (0.55937, 0.83047) and (row["lo"], row["hi"]) == (pytest.approx(0.559), 0.831)
    words = plain(page)
    assert "window: best to within month 3; cut: final-2025 to interim-2022-09-27; n: 48 to 39" in words


def test_survival_is_drawn_as_printed(page: str) -> None:
    """OS of this trial at 24 months 55.2 %; ELIANA's 66 % with limits of another estimate is hollow; RFS at 5 years twice."""
    drawn = figures_of(page)["survival-os-infused"]["datasets"]
    own = [row for row in drawn["points"] if row["g"] == "Published, of this trial"]
    assert [(row["x"], row["y"]) for row in own] == [(24.0, 0.552)]
    doubtful = [(row["x"], row["y"], row["lo"], row["hi"]) for row in drawn["points"] if row["doubt"]]
    assert doubtful == [(24.0, 0.66, 0.58, 0.79)]
    assert not drawn["curve"] and not drawn["area"]
    five = [row for row in figures_of(page)["survival-rfs-responders"]["datasets"]["points"] if row["x"] == 60.0]
    assert sorted((row["y"], row["doubt"]) for row in five) == [(0.44, True), (0.49, True)]


def test_the_way_of_the_product_has_its_precision(data: ContextData) -> None:
    """2022-12-15 to 2023-11-08 is 328 days; a date of a month spans it."""
    figure, table, note = build_timeline(data).blocks
    assert isinstance(figure, Figure)
    spans = {row["text"]: (row["lo"], row["hi"]) for row in figure.document["datasets"]["lines"] if "lo" in row}
    assert spans["2020-12 (month)"] == ("2020-12-01", "2020-12-31")
    assert spans["2025 (year)"] == ("2025-01-01", "2025-12-31")
    assert spans["2023-11-08 (day)"] == ("2023-11-08", "2023-11-08")
    assert "328 days" in note.text and len(table.rows) == 10
    other = Study.load(WORKED).model_copy(update={"product": data.study.product.model_copy(update={"name": "another product"})})
    assert build_timeline(ContextData(other, data.evidence)).blocks[0].text.startswith("No date is held of another product")


def test_patients_are_multiplied_with_and_without_the_share_of_adults(data: ContextData) -> None:
    """0.15 x 0.75 x 0.60 = 0.0675, and x 0.40 = 0.027."""
    words, table, _ = build_epidemiology(data).blocks
    assert "15 % × 75 % × 60 % = 6.75 %" in words.text and "2.7 %" in words.text
    assert [row[2:4] for row in table.rows][-1] == ("6.75 %", "2.7 %")


def test_nothing_is_predicted_where_nothing_estimates_the_same(page: str) -> None:
    """Independent: of the 37 rates of other trials, those that state CR+CRi of the infused and no other window."""
    held = [(trial, one) for trial, one in load_evidence().results if is_response_rate(one) and trial != "inaticel"]
    alike = [one for _, one in held if panel_of(one) == ("CR+CRi", "not-stated", "infused")]
    said = f"Of {len(held)} published response rates of other trials {len(held) - len(alike)} differ from ORR3 in a stated attribute"
    assert said in plain(page) and f"{len(alike)} cannot be decided, 0 estimate the same. So nothing is predicted" in plain(page)


ASSUMED = ["window=at month 3", "reader=IRC", "hsct=composite", "new-therapy=composite", "criteria=nccn"]


@pytest.mark.slow
def test_a_trial_is_predicted_from_what_estimates_the_same(data: ContextData) -> None:
    """Independent: the count's probabilities by quadrature over the rate, of the mixture's density."""
    made = derive_prior(data.evidence, ["eliana-jp-orr"], assume=read_assumptions(ASSUMED), robust=0)
    least, most = predict_counts(made, 48)
    rate = (np.arange(4000) + 0.5) / 4000
    weight = made.mixture.density(rate) / 4000
    chance = np.array([(binom.pmf(k, 48, rate) * weight).sum() for k in range(49)])
    total = np.cumsum(chance)
    assert (total[least - 1] if least else 0) <= 0.0251 and total[least] > 0.0249
    assert total[most] >= 0.9749 and total[most - 1] < 0.9751
    beside = ContextData(data.study, data.evidence, assume=read_assumptions(ASSUMED), beside=("eliana-jp-orr",), n=48)
    section = next(section for section in context_sections(beside) if section.id == "prediction")
    items = dict(section.blocks[0].items)
    assert items["Responses of 48"].startswith(f"{least} to {most} (") and items["From"] == "ELIANA in Japan 4/6"
    assert "reader=IRC" in items["Assumed"]


@pytest.mark.parametrize(
    ("beside", "assume", "said"),
    [
        ("eliana-79-orr", ASSUMED, "window differs: at month 3 of ORR3, within month 3 of eliana-79-orr"),
        ("eliana-jp-orr", ASSUMED[:4], "criteria is not established"),
        ("inati-48-orr3", ASSUMED, "inati-48-orr3 is of this very trial"),
        ("calm-fca", ASSUMED, "calm-fca is of a part of the population: FCA"),
    ],
)
def test_a_prediction_is_refused_with_its_reason(data: ContextData, beside: str, assume: list[str], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        require_beside(ContextData(data.study, data.evidence, assume=read_assumptions(assume), beside=(beside,)))


@pytest.mark.slow
def test_own_results_stand_beside(worked_report: Path, tmp_path: Path) -> None:
    """The worked example's counts are those of its results file; they are marked as invented, and of no other study."""
    study = Study.load(WORKED)
    own, provenance = read_own(study, worked_report)
    assert provenance == "example"
    text = write_context(ContextData(study, load_evidence(), own, provenance), tmp_path / "c.html").read_text(encoding="utf-8")
    assert "PUBLISHED NUMBERS BESIDE EXAMPLE DATA" in text
    rows = json.loads((worked_report / "results.json").read_text(encoding="utf-8"))
    asked = {"analysis": "response", "endpoint": "ORR3", "variant": "", "by": ""}
    held = {row["statistic"]: row["text"] for row in rows if all(row[key] == value for key, value in asked.items())}
    lines = [row for made in figures_of(text).values() for row in made["datasets"].get("lines", []) if row.get("kind") == "own"]
    assert any(row["text"].startswith(f"{held['n']}/{held['N']}, {held['rate']} %") for row in lines)
    assert figures_of(text)["survival-os-infused"]["datasets"]["curve"]
    with pytest.raises(InputError, match="the results are of worked, not of inaticel-pivotal"):
        read_own(Study.load("inaticel"), worked_report)
    with pytest.raises(InputError, match="there are no results"):
        read_own(study, tmp_path)


def test_a_band_is_of_the_middle_of_virtual_trials(tmp_path: Path) -> None:
    """By hand: survivals 0, 0.1 ... 1 of eleven trials: 10 % and 90 % of
    them are 0.1 and 0.9; a time that one in two lacks is none.
    """
    row = {key: "" for key in KEY} | {"study": "inaticel-pivotal", "provenance": "virtual", "analysis": "survival", "endpoint": "OS"}
    row |= {"statistic": "survival", "text": "", "rules": 2, "unit": "proportion", "conf_level": None, "method": ""}
    rows = [row | {"trial": k, "time": 365.25, "value": k / 10} for k in range(11)]
    rows += [row | {"trial": k, "time": 730.5, "value": None if k % 2 else 0.5} for k in range(11)]
    pl.DataFrame(rows, schema=SCHEMA).write_parquet(tmp_path / "trials-000000-000010.parquet")
    found = read_simulated(Study.load("inaticel"), tmp_path)
    assert found.trials == 11
    assert found.bands["OS"] == ((0.0, 1.0, 1.0), (12.0, pytest.approx(0.1), pytest.approx(0.9)))
    with pytest.raises(InputError, match="the results are of inaticel-pivotal"):
        read_simulated(Study.load(WORKED), tmp_path)


def test_a_curve_of_a_figure_is_laid_over(tmp_path: Path, data: ContextData) -> None:
    points = tmp_path / "points.csv"
    points.write_text("time,survival\n0,1\n1,0.8\n2,0.5\n", encoding="utf-8")
    folder = tmp_path / "arm"
    code, _, err = run_cli("evidence", "curve", points, "--n", "20", "--events", "10", "--unit", "years", "--out", folder)
    assert code == 0, err
    curve = read_reconstructed([f"OS={folder}"])[0]
    assert (curve.months[0], curve.months[-1], curve.survival[0], curve.survival[-1]) == (0.0, 24.0, 1.0, 0.5)
    section = next(one for one in context_sections(ContextData(data.study, data.evidence, curves=(curve,))) if one.id == "survival")
    drawn = {figure.name: figure for figure in find_figures([section])}["survival-OS-infused"].document["datasets"]["curve"]
    assert {row["g"] for row in drawn} == {"Reconstructed from a figure"} and max(row["x"] for row in drawn) == 24.0
    for text, said in (
        ("OS", "says no endpoint and folder"),
        (f"XX={folder}", "says no endpoint"),
        (f"OS={tmp_path}", "there is no curve"),
    ):
        with pytest.raises(InputError, match=said):
            read_reconstructed([text])
    quality = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    (folder / "quality.json").write_text(json.dumps(quality | {"unit": "not-stated"}), encoding="utf-8")
    with pytest.raises(InputError, match="the unit of its times is not-stated"):
        read_reconstructed([f"OS={folder}"])
    assert months_of(2, "years") == 24.0


@pytest.mark.slow
@pytest.mark.shows("CMD-evidence-context")
def test_it_is_typed(tmp_path: Path) -> None:
    out = tmp_path / "context.html"
    assert run_cli("evidence", "context", "inaticel", "--out", out)[:2] == (0, f"Wrote {out}.\n")
    for arguments, said in (
        (("--from", "inati-48-orr3"), "would predict itself"),
        (("--from", "inati-48-orr"), "no result is called"),
        (("--results", tmp_path), "there are no results"),
        (("--simulated", tmp_path), "holds no results of trials"),
        (("--assume", "colour=red"), "assumes nothing"),
        (("--out", tmp_path / "page.pdf"), "HTML"),
    ):
        other = tmp_path / "other.html"
        code, text, err = run_cli("evidence", "context", "inaticel", "--out", other, *arguments)
        assert (code, text) == (2, "") and said in err, err
        assert not other.exists() and len(err.strip().splitlines()) >= 1


def test_a_study_of_another_disease_is_told_so(data: ContextData) -> None:
    lymphoma = data.study.model_copy(update={"disease": data.study.disease.model_copy(update={"name": "large B-cell lymphoma"})})
    sections = context_sections(ContextData(lymphoma, data.evidence))
    assert sections[0].id == "other" and "nothing here may be put beside it" in sections[0].blocks[0].text
    folded = [block for section in sections for block in section.blocks if isinstance(block, Details)]
    assert folded
