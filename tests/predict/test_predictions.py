"""Published figures through virtual trials.

Origin: `independent` where a second way through the public rules (`derive` of all records, cutoffs subject by subject) gives the same
answers; else `by hand`, from what must not matter: the order of the rows, other rows, batches, threads.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cartrial.endpoints import derive
from cartrial.errors import InputError
from cartrial.predict import check_predictions, read_figures, write_predictions
from cartrial.predict.check import _cohorts
from cartrial.predict.express import Question, express_figures
from cartrial.predict.trials import follow_up_days
from cartrial.virtual.patients.population import DATA
from cartrial.virtual.trial import simulate_study
from cartrial.virtual.trial.arrivals import accrue_trials
from helpers import run_cli
from published_tables import MEDIAN, SURVIVAL, table

NO_LIMITS = {"count": "", "lower": "", "upper": ""}
ROWS = (
    {"id": "orr3", "n": "9", "count": "6", "value": "", "lower": "", "upper": ""},
    {"id": "efs12", "n": "10", **SURVIVAL, **NO_LIMITS, "endpoint": "EFS", "value": "50", "follow-up": "18"},
    {"id": "rfs", "n": "6", "population": "responders", **MEDIAN, **NO_LIMITS, "endpoint": "RFS", "value": "NR"},
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return check_predictions(table(tmp_path_factory.mktemp("few"), *ROWS), trials=20).frame


@pytest.mark.slow
@pytest.mark.shows("EST-predictive-check")
def test_three_figures_are_compared(found: pl.DataFrame) -> None:
    """A rate of nine patients is a ninth, of ten patients a survival lies between 0 and 100, and a median may not be reached."""
    assert found["state"].to_list() == ["compared"] * 3
    assert found["virtual_population"].to_list() == ["inaticel"] * 3
    rate = found.row(0, named=True)
    assert rate["value"] == pytest.approx(100 * 6 / 9)
    assert (rate["lower"] * 9 / 100) == pytest.approx(round(rate["lower"] * 9 / 100))
    assert found["trials"].to_list() == [20, 20, 20]
    assert (found["lower"] <= found["upper"]).all()
    assert not found.select(pl.col(pl.Float64).is_nan().any()).row(0).count(True)


@pytest.mark.slow
def test_neither_the_order_of_the_rows_nor_other_rows_matter(found: pl.DataFrame, tmp_path: Path) -> None:
    again = check_predictions(table(tmp_path, *reversed(ROWS)), trials=20, threads=1).frame
    assert_frame_equal(again.reverse(), found)
    asked = questions(tmp_path)
    together, alone = (_cohorts(some, 1)[0].answer(5, 6) for some in (asked, asked[1:2]))
    assert_frame_equal(alone[0], together[1], check_row_order=False)


def test_a_mixture_is_one_trial_of_both(tmp_path: Path) -> None:
    """By hand from the answers: 8 patients of one population and 1 of the other in each trial, of ninths."""
    row = {"trial": "calm", "window": "not-stated", "n": "9", "count": "6", "value": "", "lower": "", "upper": ""}
    path = table(tmp_path, row)
    question = next(item for item in express_figures(read_figures(path)) if isinstance(item, Question))
    answers = pl.concat([cohort.answer(0, 19)[0] for cohort in _cohorts([question], 1)])
    assert answers.group_by("TRIAL").len()["len"].to_list() == [9] * 20
    rates = np.sort(answers.group_by("TRIAL").agg(pl.col("AVAL").sum())["AVAL"].to_numpy() / 9 * 100)
    found = check_predictions(path, trials=20).frame.row(0, named=True)
    assert (found["lower"], found["upper"]) == (pytest.approx(rates[1]), pytest.approx(rates[18]))
    assert found["virtual_population"] == "allogeneic-cd19 + allogeneic-cd19-no-alemtuzumab"


@pytest.mark.slow
def test_batches_do_not_matter(tmp_path: Path) -> None:
    cohort = _cohorts(questions(tmp_path), 1)[0]
    whole = cohort.answer(0, 3)
    parts = [cohort.answer(0, 0), cohort.answer(1, 3)]
    for key, answer in whole.items():
        again = pl.concat([part[key] for part in parts])
        assert_frame_equal(*(frame.sort("TRIAL", maintain_order=True) for frame in (again, answer)))


def questions(folder: Path) -> list[Question]:
    enrolled = {"id": "itt", "n": "9", "population": "enrolled", "count": "5", "value": "", "lower": "", "upper": ""}
    return [item for item in express_figures(read_figures(table(folder, *ROWS, enrolled))) if isinstance(item, Question)]


@pytest.mark.slow
def test_the_answers_are_those_of_the_rules_for_all_records(tmp_path: Path) -> None:
    """Every record of the trials, derived as real data are, the first subjects taken and followed one by one."""
    asked = questions(tmp_path)
    cohort = _cohorts(asked, 1)[0]
    trials = 4
    answers = cohort.answer(0, trials - 1)
    plan = cohort.plan
    records = simulate_study(plan.study, trials=trials, plan=plan)
    order = accrue_trials(plan, np.arange(trials)).subject
    subjects = records.subjects.with_columns(pl.Series("ORDER", order))
    for key, question in enumerate(asked):
        endpoint = question.endpoint
        assert endpoint is not None
        study = plan.study.model_copy(update={"endpoints": (endpoint.model_copy(update={"population": question.of}),)})
        adam = derive(study, records)
        derived = adam.adrs if question.kind == "rate" else adam.adtte
        counted = subjects.filter(pl.col("SUBJ").is_in(derived["SUBJ"].to_list())).sort("TRIAL", "ORDER")
        n = question.parts[0][1]
        first = pl.concat([counted.filter(pl.col("TRIAL") == trial).head(n) for trial in range(trials)])
        if question.follow_up is not None:
            follow = np.concatenate([follow_up_days(first.filter(TRIAL=trial).height, question.follow_up) for trial in range(trials)])
            ends = dict(zip(first["SUBJ"].to_list(), (first["DAY0"].to_numpy() + follow).tolist(), strict=True))
            cutoff = [min(ends.get(subject, day), day) for subject, day in subjects.select("SUBJ", "CUTOFF").iter_rows()]
            cut = records.replace(subjects=records.subjects.with_columns(pl.Series("CUTOFF", cutoff, dtype=pl.Int32)))
            derived = derive(study, cut).adtte
        used = first.select("SUBJ", "TRIAL").join(derived.drop("TRIAL"), on="SUBJ", how="inner").sort("TRIAL", "SUBJ")
        answer = answers[key].sort("TRIAL", maintain_order=True)
        assert answer["AVAL"].to_list() == used["AVAL"].to_list(), question.figure.id
        if question.kind == "time":
            assert answer["CNSR"].to_list() == (used["CNSR"] > 0).cast(pl.Int8).to_list(), question.figure.id


def test_steps_before_infusion_add_up(tmp_path: Path) -> None:
    """Infused, product failure and loss before infusion: each of the enrolled comes to one end. By hand."""
    flows = ("infused", "manufacturing failure", "death or AE before infusion")
    row = {"population": "enrolled", "window": "-", "n": "20", "count": "", "value": "30", "lower": "", "upper": ""}
    figures = read_figures(table(tmp_path, *(row | {"id": flow, "endpoint": flow} for flow in flows)))
    made = [item for item in express_figures(figures) if isinstance(item, Question)]
    answers = _cohorts(made, 1)[0].answer(0, 4)
    total = sum(answers[key]["AVAL"].to_numpy() for key in range(3))
    assert np.array_equal(total, np.ones(100))


def test_a_toxicity_is_that_of_the_records(tmp_path: Path) -> None:
    """Cytokine release of grade 3 or more, counted in the records themselves."""
    row = {"endpoint": "CRS 3-4", "window": "-", "n": "12", "count": "4", "value": "", "lower": "", "upper": ""}
    made = [item for item in express_figures(read_figures(table(tmp_path, row))) if isinstance(item, Question)]
    cohort = _cohorts(made, 1)[0]
    records = simulate_study(cohort.plan.study, trials=3, plan=cohort.plan)
    severe = records.adverse.filter((pl.col("DECOD") == "CYTOKINE RELEASE SYNDROME") & (pl.col("TOXGR") >= 3))["SUBJ"].n_unique()
    answer = cohort.answer(0, 2)[0]
    assert (answer.height, answer["AVAL"].sum()) == (36, severe)


@pytest.mark.parametrize(("trials", "said"), [(19, "19 trials cannot be compared with. Give 20 to 100000"), (200_000, "200000 trials")])
def test_too_few_or_too_many_trials_are_refused(tmp_path: Path, trials: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_predictions(table(tmp_path, *ROWS), trials=trials)


@pytest.mark.shows("CMD-predict")
def test_the_command_prints_writes_and_refuses(tmp_path: Path) -> None:
    path = table(tmp_path, ROWS[0], {"id": "other", "trial": "nowhere"}, {"id": "told", "sure": "claim"})
    code, out, err = run_cli("predict", path, "--trials", "20", "--out", tmp_path / "out", "--notes")
    assert (code, err) == (0, "")
    assert "other: no virtual population is named for the trial 'nowhere'" in out
    assert "told: nobody has verified it (claim)" in out
    assert "orr3: not stated, as the main analysis: hsct composite, new-therapy composite" in out
    assert "of 1 inside" in out
    assert (tmp_path / "out" / "predictions.csv").is_file()
    written = json.loads((tmp_path / "out" / "predictions.json").read_text(encoding="utf-8"))
    assert [row["state"] for row in written["figures"]] == ["compared", "not expressed", "left out"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--population", "=x"), "--population: '=x' names no population. Write NAME, or TRIAL=NAME."),
        (("--population", "mskcc", "--population", "zuma3"), "two populations are named for every trial"),
        (("--population", "mskc"), "population: there is no population 'mskc'. The nearest known one is 'mskcc'."),
        (("--population", "own.yaml"), "own.yaml: the file cannot be read"),
        (("--trials", "3"), "3 trials cannot be compared with"),
        (("--seed", "-1"), "the seed -1 is negative"),
        (("--out", "figures.csv"), "the place for the output is a file"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path, *ROWS[:2])
    code, out, err = run_cli("predict", "figures.csv", *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert [path.name for path in tmp_path.iterdir()] == ["figures.csv"]


def test_numbers_and_words_that_are_wrong_are_told_together(tmp_path: Path) -> None:
    rows = [{"value": "108"}, {"id": "b", "endpoint": "CR+CRj"}, {"id": "c", "sure": "claim", "endpoint": "CR+PRR"}]
    path = table(tmp_path, *rows, {"id": "d", "virtual-population": "mskc"}, {"id": "e", "hsct": "hypothetical"})
    code, out, err = run_cli("predict", path, "--json", "--out", tmp_path / "out")
    assert code == 2
    assert [error["key"] for error in json.loads(out)["errors"]] == ["value", "endpoint", "virtual-population", "hsct"]
    assert err.count("\n") == 4
    assert not (tmp_path / "out").exists()


def test_a_file_is_looked_for_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the option where the process runs, one of the table beside the table."""
    (tmp_path / "data").mkdir()
    own = (DATA / "population-mskcc.yaml").read_text(encoding="utf-8")
    (tmp_path / "here.yaml").write_text(own.replace("id: mskcc", "id: here", 1), encoding="utf-8")
    (tmp_path / "data" / "beside.yaml").write_text(own.replace("id: mskcc", "id: beside", 1), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    row = {"n": "3", "count": "2", "value": "", "lower": "", "upper": "", "virtual-population": "beside.yaml"}
    path = table(tmp_path / "data", row)
    assert check_predictions(path, trials=20).frame["virtual_population"].to_list() == ["beside"]
    assert check_predictions(path, trials=20, population="here.yaml").frame["virtual_population"].to_list() == ["here"]


def test_a_figure_for_which_most_trials_have_no_value_is_not_compared(tmp_path: Path) -> None:
    """By hand: of six patients followed for 3 months none is seen at 12, and only a trial in which all had died by then has a survival."""
    row = {"n": "6", **SURVIVAL, **NO_LIMITS, "value": "50", "follow-up": "3"}
    found = check_predictions(table(tmp_path, row), trials=20).frame.row(0, named=True)
    assert (found["state"], found["inside"]) == ("not expressed", None)
    assert "who was followed so long" in found["note"]


@pytest.mark.slow
def test_fewer_patients_than_the_figure_has_are_said(tmp_path: Path) -> None:
    """About half of those given an allogeneic product without alemtuzumab respond: of 1.5 n and ten more there are not always n."""
    people = {"virtual-population": "allogeneic-cd19-no-alemtuzumab"}
    row = {"n": "60", "population": "responders", **MEDIAN, **NO_LIMITS, "endpoint": "RFS", "value": "3", **people}
    note = check_predictions(table(tmp_path, row), trials=20).frame["note"].item()
    assert "trials have fewer than 60 such patients" in note


def test_one_document_holds_everything(tmp_path: Path) -> None:
    path = table(tmp_path, {"id": "other", "trial": "nowhere"})
    code, out, err = run_cli("predict", path, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["totals"][0] == {"figures": "all", "inside": 0, "compared": 0, "share": None}
    assert (document["trials"], document["figures"][0]["id"]) == (500, "other")


def test_a_full_place_keeps_what_was_there(tmp_path: Path) -> None:
    made = check_predictions(table(tmp_path, {"id": "other", "trial": "nowhere"}))
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="the place for the output is a file"):
        write_predictions(made, tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


@pytest.mark.slow
def test_a_figure_drawn_from_the_trials_themselves_lies_inside_nine_times_in_ten(tmp_path: Path) -> None:
    """Values of other virtual trials (another seed) as if published: 90 % lie in the interval, less three standard errors."""
    row = {"id": "a", "n": "40", **NO_LIMITS, "value": "70"}
    question = next(item for item in express_figures(read_figures(table(tmp_path, row))) if isinstance(item, Question))
    drawn = _cohorts([question], 2)[0].answer(0, 199)[0].group_by("TRIAL").agg(pl.col("AVAL").mean() * 100)["AVAL"]
    figures = tuple(replace(question.figure, id=str(i), value=value, half=0.0) for i, value in enumerate(drawn.to_list()))
    inside = check_predictions(figures, trials=400).frame["inside"].mean()
    assert isinstance(inside, float)
    assert inside >= 0.9 - 3 * (0.9 * 0.1 / 200) ** 0.5
