"""Posted results of a ClinicalTrials.gov record become rows in which nothing is guessed.

Origin of every expectation: `by hand`, from an invented record in the shape of the API v2.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cartrial.errors import InputError
from cartrial.evidence import check_evidence, read_evidence
from cartrial.evidence.registry.posted import read_posted
from helpers import run_cli


def outcome(title: str, kind: str, unit: str, measurements: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    return {
        "type": "PRIMARY",
        "title": title,
        "reportingStatus": "POSTED",
        "paramType": kind,
        "unitOfMeasure": unit,
        "timeFrame": "3 months",
        "groups": [{"id": "OG000", "title": "Infused"}],
        "denoms": [{"units": "Participants", "counts": [{"groupId": "OG000", "value": "39"}]}],
        "classes": [{"categories": [{"measurements": [{"groupId": "OG000"} | one for one in measurements]}]}],
    } | more


RECORD: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT01234567", "briefTitle": "An invented trial"},
        "statusModule": {"resultsFirstPostDateStruct": {"date": "2024-05-01"}},
        "conditionsModule": {"conditions": ["Acute Lymphoblastic Leukemia"]},
        "armsInterventionsModule": {"interventions": [{"type": "BIOLOGICAL", "name": "CAR-T"}]},
        "outcomesModule": {"primaryOutcomes": [{"measure": "Overall remission rate", "timeFrame": "3 months"}]},
        "eligibilityModule": {"stdAges": ["ADULT", "OLDER_ADULT"]},
    },
    "resultsSection": {
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                outcome("Overall remission rate", "COUNT_OF_PARTICIPANTS", "Participants", [{"value": "32"}]),
                outcome(
                    "Remission", "NUMBER", "percentage of participants", [{"value": "82.1", "lowerLimit": "66.5", "upperLimit": "92.5"}],
                    dispersionType="95% Confidence Interval",
                ),
                outcome(
                    "Overall Survival", "MEDIAN", "months", [{"value": "12.90", "lowerLimit": "8.7", "upperLimit": "NA"}],
                    dispersionType="95% Confidence Interval",
                ),
                outcome("Duration of B-cell aplasia", "MEDIAN", "months", [{"value": "5"}]),
                outcome("Cmax", "GEOMETRIC_MEAN", "copies/ug", [{"value": "30000"}]),
                outcome("Later", "NUMBER", "Participants", [], reportingStatus="NOT_POSTED"),
                outcome("Impossible", "COUNT_OF_PARTICIPANTS", "Participants", [{"value": "40"}]),
            ]
        }
    },
}  # fmt: skip


def written(folder: Path, record: dict[str, Any]) -> Path:
    path = folder / "record.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


@pytest.mark.shows("FMT-registry-json")
def test_what_is_posted_becomes_rows_and_the_rest_is_said(tmp_path: Path) -> None:
    found = read_posted(written(tmp_path, RECORD))
    first, second, third = found.trial.results
    assert (first.count, first.of, first.value, first.measure.type) == (32, 39, None, "proportion")
    assert second.value and second.interval
    assert (second.value.text, second.interval.text, second.interval.level) == ("82.1", ("66.5", "92.5"), 95.0)
    assert third.value and third.interval
    assert (third.value.text, third.interval.text, third.measure.endpoint) == ("12.90", ("8.7", "NE"), "OS")  # decimals are kept
    for one in found.trial.results:
        assert one.sure == "medium" and one.read.as_ == "registry" and one.reader == one.criteria == "not-stated"
        assert set(one.strategies.values()) == {"not-stated"} and "time frame: 3 months" in one.note
    assert (found.trial.trial.type, found.trial.trial.ages, found.trial.trial.line) == ("not-stated", "adults", "not-stated")
    assert [text.partition(",")[0] for text in found.left_out] == ["outcome 4", "outcome 5", "outcome 6", "outcome 7"]
    assert "40 of 39 participants cannot be" in found.left_out[3]


@pytest.mark.shows("CMD-evidence-import")
def test_a_folder_of_it_is_a_registry(tmp_path: Path) -> None:
    """Written, read again and checked: the same rows; 32/39 prints 82.1."""
    code, out, err = run_cli("evidence", "import", written(tmp_path, RECORD), "--out", tmp_path / "held")
    assert (code, err) == (0, "") and "Wrote 3 results" in out and "Left out: outcome 5, Cmax" in out
    held = read_evidence(tmp_path / "held")
    assert held.trials["nct01234567"].results == read_posted(tmp_path / "record.json").trial.results
    assert all(one.verdict == "consistent" for one in check_evidence(held.trials.values()))
    assert run_cli("evidence", "check", tmp_path / "held")[0] == 0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda record: record.pop("resultsSection"), "the record has no posted results"),
        (lambda record: record["protocolSection"]["identificationModule"].update(nctId="X"), "no NCT number"),
        (lambda record: record.update(resultsSection=[]), "the record has no posted results"),
        (lambda record: record.pop("protocolSection"), "protocolSection"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, spoil: Any, said: str) -> None:
    record = copy.deepcopy(RECORD)
    spoil(record)
    path = written(tmp_path, record)
    with pytest.raises(InputError, match=said):
        read_posted(path)
    code, out, err = run_cli("evidence", "import", path, "--out", tmp_path / "held")
    assert (code, out) == (2, "") and said in err and not (tmp_path / "held").exists()


@pytest.mark.parametrize(
    ("title", "unit", "said"),
    [
        ("Event-free Survival at 12 months", "percentage of participants", "a percentage over time is an estimate and no count"),
        ("Kaplan-Meier OS", "percent", "a percentage over time is an estimate and no count"),
        ("Overall rate", "percent probability", "is an estimate over time and no count"),
        ("Blasts in marrow", "percentage of cells", "is no measure of the registry"),
        ("Change in score", "percent change", "is no measure of the registry"),
    ],
)
def test_a_percentage_that_is_no_share_of_patients_is_no_proportion(tmp_path: Path, title: str, unit: str, said: str) -> None:
    """By hand: 52.4 % of 39 is no count, and `check` would call an estimate by Kaplan and Meier impossible."""
    held = copy.deepcopy(RECORD)
    measures = held["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"]
    measures[:] = [measures[0], outcome(title, "NUMBER", unit, [{"value": "52.4"}])]
    (tmp_path / "r.json").write_text(json.dumps(held), encoding="utf-8")
    found = read_posted(tmp_path / "r.json")
    assert len(found.trial.results) == 1 and said in found.left_out[0]


def test_a_number_that_cannot_stand_leaves_its_row_out_and_not_the_record(tmp_path: Path) -> None:
    """By hand: limits below 0 (Wald), in disorder, and sixteen digits; two categories with one name in letters both stay."""
    held = copy.deepcopy(RECORD)
    share, limits = ("Share", "NUMBER", "percentage of participants"), {"dispersionType": "95% Confidence Interval"}
    two = [{"title": text, "categories": [{"measurements": [{"groupId": "OG000", "value": "3"}]}]} for text in ("≥ 3", "< 3")]
    held["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"] = [
        outcome(*share, [{"value": "2.6", "lowerLimit": "-1", "upperLimit": "7"}], **limits),
        outcome(*share, [{"value": "82.1", "lowerLimit": "92.5", "upperLimit": "66.5"}], **limits),
        outcome(*share, [{"value": "82.05128205128205"}]),
        outcome("Grade", "COUNT_OF_PARTICIPANTS", "Participants", [], classes=two),
    ]
    (tmp_path / "r.json").write_text(json.dumps(held), encoding="utf-8")
    found = read_posted(tmp_path / "r.json")
    assert [one.id for one in found.trial.results] == ["nct01234567-4-og000-3", "nct01234567-4-og000-3-again-2"]
    assert len(found.left_out) == 3
    for text, said in zip(found.left_out, ("-1 to 7", "92.5 to 66.5", "82.05128205128205 has more digits"), strict=True):
        assert said in text
