"""The registry of published results: what it holds, and every way in which a file of it can be wrong.

Origin of every expectation: `published` (the table of verified rows that CARTRIAL_TEST_DATA has, read again here by other code), or
`by hand`, from what a result must have (docs/evidence.md), before the code ran.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from cartrial.errors import InputError
from cartrial.evidence import Result, load_evidence, read_evidence, read_trial
from cartrial.evidence.registry.read import DATA
from cartrial.evidence.registry.words import measure_words, number_words, population_words, window_words
from cartrial.virtual.calibration.targets import load_evaluation
from cartrial.yamlfile import read_yaml
from helpers import data_path, needs_data

NAMED = {"rate", "pooled", "survival", "median"}


def shown(result: Result) -> dict[str, str]:
    """Return a result as the columns of the table have it, by a way of its own."""
    measure = result.measure
    rate = measure.type in ("response-rate", "pooled-rate")
    words = measure.endpoint or measure.what or ("MRD-negative " if measure.mrd else "") + "+".join(measure.response)
    statistic = {"response-rate": "rate", "pooled-rate": "pooled", "proportion": "rate"}.get(measure.type, measure.type)
    return {
        "population": population_words(result),
        "n": "NA" if result.of is None else str(result.of),
        "endpoint": words,
        "window": window_words(result.window) if rate else "-",
        "reader": "-" if result.reader == "not-applicable" else result.reader,
        "hsct": result.strategies["hsct"].replace("not-applicable", "-"),
        "new-therapy": result.strategies["new-therapy"].replace("not-applicable", "-"),
        "statistic": statistic,
        "time_months": measure.time or "",
        "count": "" if result.count is None else str(result.count),
        "value": result.value.text if result.value else "",
        "lower": result.interval.text[0] if result.interval else "",
        "upper": result.interval.text[1] if result.interval else "",
        "source": result.source,
        "sure": result.sure,
        "note": result.note,
    }


@needs_data("evidence/registry.csv")
@pytest.mark.shows("FMT-evidence-yaml")
def test_every_verified_row_is_held_as_it_was_printed() -> None:
    with data_path("evidence/registry.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["sure"] != "claim"]
    held = {result.id: (trial, result) for trial, result in load_evidence().results}
    assert [row["id"] for row in rows if row["id"] not in held] == []
    assert len(rows) == 149 and len(held) == 179  # 30 more, of targets of the calibration and of the funnel
    for row in rows:
        trial, result = held[row["id"]]
        assert trial == row["trial"]
        assert result.cut == re.sub(r"[^a-z0-9]+", "-", row["cut"].lower()).strip("-")
        window = "-" if row["window"] == "not-stated" and result.measure.type == "proportion" else row["window"]
        wanted = {name: row[name] for name in shown(result)} | {"window": window}
        assert shown(result) == wanted, row["id"]


@needs_data("evidence/sources.csv")
def test_every_source_is_held() -> None:
    with data_path("evidence/sources.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["key"]: row for row in csv.DictReader(file) if row["kind"] != "claim"}
    held = load_evidence().sources
    assert set(rows) <= set(held)
    for key, row in rows.items():
        assert (held[key].kind, held[key].citation, held[key].read) == (row["kind"], row["citation"], row["read"])


def test_what_is_kept_for_evaluation_is_held_here_by_its_id() -> None:
    """By hand: evaluation.csv names rows of the registry, so each of them must be one."""
    held = {result.id for _, result in load_evidence().results}
    assert [name for where, name in load_evaluation() if where == "registry" and name not in held] == []


def test_results_are_sure_as_the_notes_have_them() -> None:
    """Published: 103 high, 44 medium, 2 low. Of the 30 that came with targets and the funnel 21, 8 and 1, as those had them."""
    sure = [result.sure for _, result in load_evidence().results]
    assert [sure.count(word) for word in ("high", "medium", "low")] == [124, 52, 3]


def test_trials_that_share_patients_say_so_from_either_side() -> None:
    held = load_evidence()
    assert held.share_patients("calm", "ucart19") and held.share_patients("ucart19", "calm")
    assert held.share_patients("mskcc", "meta2023") and not held.share_patients("mskcc", "zuma3")


# --- what is wrong with a file -------------------------------------------------------------------------------------------------------


def trial(folder: Path, **changes: object) -> Path:
    """Write the file of one trial with one result, changed: a key of the result, or `None` to leave it out."""
    data = read_yaml(DATA / "trials" / "allcar19.yaml")[0]
    first = data["results"][0]
    for key, value in changes.items():
        name = key.replace("_", "-")
        if value is None:
            del first[name]
        else:
            first[name] = value
    data["results"] = [first]
    path = folder / "trial.yaml"
    path.write_text(json.dumps(data, indent=2), encoding="utf-8")  # JSON is YAML
    return path


def said(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_trial(path)
    return str(caught.value)


SURVIVAL = {"type": "survival", "endpoint": "OS", "time": "12", "unit": "months", "origin": "not-stated"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": {"text": 70.8, "unit": "%"}}, "the number must be text: its decimals are used (found: 70.8). Write it in quotes"),
        ({"value": {"text": "about 70", "unit": "%"}}, "the text is no printed number"),
        ({"value": None}, "results.0.value: this key is required and missing"),
        ({"count": 21}, "21 of 20 patients cannot be"),
        ({"of": 0}, "the number must be at least 1"),
        ({"of": True}, "a whole number is expected (found: true)"),
        ({"count": True}, "a whole number is expected (found: true)"),
        ({"interval": {"text": ["62", "96"], "level": 0.95, "method": "not-stated"}}, "the number must be at least 50"),
        ({"window": {"at": "moon 3"}}, "no window is 'moon 3'"),
        ({"window": {"within": "month"}}, "no window is 'month'"),
        ({"value": {"text": "101", "unit": "%"}}, "101 is above 100 per cent"),
        ({"value": {"text": "85", "unit": "months"}}, "the unit of a response-rate is %"),
        ({"interval": {"text": ["90", "62"], "level": 95, "method": "not-stated"}}, "the lower limit 90 is above the upper 62"),
        ({"interval": {"text": ["62", "NR"], "level": 95, "method": "not-stated"}}, "limits of a share are two numbers up to 100"),
        ({"interval": {"text": ["62", "96"], "method": "not-stated"}}, "results.0.interval.level: this key is required and missing"),
        ({"population": "infusd"}, "no population is called 'infusd' (found: 'infusd'). The nearest is 'infused'"),
        ({"population": "other"}, "another population has no name"),
        ({"window": {"whithin": "month 3"}}, "unknown key 'whithin'. The nearest known key is 'within'"),
        ({"window": "never"}, "the word is none of those that can stand here"),
        ({"window": "not-applicable"}, "a response rate has a window"),
        ({"reader": "IRB"}, "The nearest is 'IRC'"),
        ({"strategies": {"hsct": "composite"}}, "the strategy for new-therapy is left out"),
        ({"strategies": {"hsct": "composit", "new-therapy": "not-stated"}}, "The nearest is 'composite'"),
        ({"measure": {"type": "response-rate", "response": ["CR", "PR"]}}, "PR is no category of response in leukaemia"),
        ({"measure": {"type": "response-rate", "response": ["CR", "CRj"]}}, "no remission is called 'CRj'. The nearest is"),
        ({"measure": {"type": "response-rate"}}, "a response-rate needs 'response'"),
        ({"measure": {**SURVIVAL, "unit": "moons"}, "window": "not-applicable"}, "The nearest is 'months'"),
        ({"measure": {key: SURVIVAL[key] for key in SURVIVAL if key != "unit"}, "window": "not-applicable"}, "a survival needs 'unit'"),
        ({"measure": SURVIVAL}, "a survival has no window"),
        ({"measure": {**SURVIVAL, "time": "NR"}, "window": "not-applicable"}, "the time of a survival is a number"),
        ({"measure": {**SURVIVAL, "unit": None}, "window": "not-applicable"}, "a survival needs 'unit'"),
        ({"kind": "derived"}, "a derived number needs a rule"),
        ({"rule": "only count of 20"}, "a printed number follows from no rule"),
        (
            {"kind": "derived", "rule": "by hand", "interval": {"text": ["86", "97"], "level": 95, "method": "x"}},
            "is not between its limits",
        ),
        ({"count": "not-stated", "value": "not-stated"}, "neither a count nor a value is stated"),
        ({"count": ""}, "a whole number is expected"),
        ({"cut": "final"}, "the trial has no cut 'final'"),
        ({"read": {"by": "not-stated", "on": "2026-11"}}, "results.0.read.as: this key is required and missing"),
        ({"surre": "high"}, "unknown key 'surre'"),
    ],
)
@pytest.mark.shows("FMT-evidence-yaml")
def test_what_is_wrong_with_a_result_is_said(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    text = said(trial(tmp_path, **changes))
    assert message in text
    assert text.startswith("trial.yaml, row ")


@pytest.mark.parametrize("name", sorted(set(Result.model_fields) - {"rule", "note", "earlier"}))
def test_nothing_is_left_out(tmp_path: Path, name: str) -> None:
    """By hand: every attribute is written, if only as not-stated."""
    assert f"results.0.{name}: this key is required and missing" in said(trial(tmp_path, **{name: None}))


def test_everything_is_said_at_once(tmp_path: Path) -> None:
    text = said(trial(tmp_path, count=21, reader="IRB", population="infusd"))
    assert len(text.splitlines()) == 2  # what a word cannot be stands before what numbers cannot be
    assert "population" in text and "reader" in text


def test_a_value_that_is_empty_is_not_not_stated(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text((DATA / "trials" / "allcar19.yaml").read_text(encoding="utf-8").replace("count: 17", "count:"), encoding="utf-8")
    assert "nothing stands here" in said(path)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A copy of the registry, to spoil."""
    return Path(shutil.copytree(DATA, tmp_path / "data"))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("trials/calm.yaml", "id: calm-orr", "id: mskcc-cr", "the id 'mskcc-cr' stands in calm.yaml already"),
        ("trials/calm.yaml", "id: calm-fca", "id: calm-orr", "two results have the id 'calm-orr'"),
        ("trials/calm.yaml", "source: PMID36228643", "source: PMID36228644", "there is no source 'PMID36228644'. The nearest is"),
        ("trials/calm.yaml", "overlaps: [ucart19]", "overlaps: [ucart]", "there is no trial 'ucart'"),
        ("claims.yaml", "because: [mskcc-os]", "because: [mskcc-oss]", "no result is called 'mskcc-oss'"),
        ("claims.yaml", "verdict: contradicted", "verdict: contradictd", "The nearest is 'contradicted'"),
        ("timeline.yaml", 'date: "2019-11"', 'date: "2019-13"', "the date is no year, month or day"),
        ("sources.yaml", "locator: {nct: NCT04684147}", "locator: {}", "the source has no locator"),
        ("sources.yaml", "locator: {nct: NCT04684147}", "locator: {nct: NCT1}", "'NCT1' is no nct"),
    ],
)
def test_what_is_wrong_between_files_is_said(registry: Path, file: str, old: str, new: str, message: str) -> None:
    path = registry / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_evidence(registry)
    assert message in str(caught.value)


def test_faults_of_several_files_are_said_together(registry: Path) -> None:
    for name in ("calm", "mskcc"):
        path = registry / "trials" / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("reader: not-stated", "reader: nobody", 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_evidence(registry)
    assert {error.file for error in caught.value.errors} == {"calm.yaml", "mskcc.yaml"}


def test_a_folder_without_trials_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the folder holds no trials"):
        read_evidence(tmp_path)


def test_a_result_is_told_in_its_own_words() -> None:
    held = load_evidence()
    assert measure_words(held.find("eliana-79-os18")[1].measure) == "OS at 18 months"
    assert measure_words(held.find("mskcc-mrd")[1].measure) == "MRD-negative CR"
    told = {name: number_words(held.find(name)[1]) for name in ("share-all", "mskcc-cr", "inati-48-orr3")}
    assert told == {"share-all": "n not stated, 15 %", "mskcc-cr": "n 53, 83 %", "inati-48-orr3": "34/48, 70.8 % (55.9-83.1)"}
    with pytest.raises(InputError, match="The nearest is 'mskcc-mrd'"):
        held.find("mskcc-mdr")


def test_what_no_source_showed_of_a_trial_is_not_stated() -> None:
    """By hand: of costimulation one source that was read speaks (obecabtagene autoleucel, 4-1BB); who got no cells has none."""
    told = {name: file.trial.costimulation for name, file in load_evidence().trials.items()}
    assert {name: word for name, word in told.items() if word != "not-stated"} == {
        "allcar19": "4-1BB",
        "china-salvage": "none",
        "sca1-matched": "none",
        "leukaemia-shares": "none",
    }
    trials = {name: file.trial for name, file in load_evidence().trials.items()}
    assert (trials["eliana"].ages, trials["mskcc"].ages, trials["germany"].ages) == ("children and young adults", "adults", "not-stated")
