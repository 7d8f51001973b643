"""A protocol in USDM: what goes out comes back, what comes in is read as it is, and what is missing is named.

Origin of the expectations: `published`, CDISC's pilot study in USDM 4.0 (cdisc-org/DDF-RA, MIT); `by hand`, read off that file and written
for version 3 (CDISC's model, 2024). The models of usdm4 0.29.0 accept the export of each built-in study; they are no part of the tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cartrial.errors import InputError
from cartrial.study import Study
from cartrial.submission.usdm import draft_protocol, make_usdm, read_usdm, write_usdm
from cartrial.submission.usdm.read import Visit
from helpers import STUDIES, data_path, needs_data, run_cli

PILOT = "usdm/CDISC_Pilot_Study.json"


def instances(item: Any) -> Iterator[dict[str, Any]]:
    if isinstance(item, dict):
        if "instanceType" in item:
            yield item
        for held in item.values():
            yield from instances(held)
    elif isinstance(item, list):
        for held in item:
            yield from instances(held)


@pytest.mark.parametrize("name", sorted(STUDIES))
@pytest.mark.shows("FMT-usdm", "STUDY-study.registry", "STUDY-study.title", "STUDY-study.id", "STUDY-study.phase")
def test_what_goes_out_comes_back(name: str, tmp_path: Path) -> None:
    """The keys that USDM has a place for: identity, ages, visits with windows, endpoints with role, population and strategies."""
    study = Study.load(STUDIES[name])
    write_usdm(study, tmp_path)
    found, identity = read_usdm(tmp_path / "usdm.json"), study.study
    assert (found.id, found.title, found.registry) == (identity.id, identity.title, identity.registry or "")
    assert found.phase == (identity.phase or "") or identity.phase not in ("1", "1/2", "2", "2/3", "3", "4")
    age = study.eligibility.age if study.eligibility else None
    assert found.ages == ((age.from_, age.to) if age and age.from_ is not None and age.to is not None else (None, None))
    assert found.product == study.product.name and found.disease == study.disease.name
    assert [tuple(visit) for visit in found.visits] == [(v.name, v.day, v.minus, v.plus) for v in study.disease.visits]
    assert not found.unread
    for said, endpoint in zip(found.endpoints, study.endpoints, strict=True):
        assert (said.id, said.label, said.role, said.population) == (endpoint.id, endpoint.label, endpoint.role, endpoint.population)
        wanted = dict(endpoint.strategies.items())
        assert said.strategies and all(wanted[event] == strategy for event, strategy in said.strategies.items())
        assert {"hsct", "new-therapy"} & set(wanted) <= set(said.strategies)


def test_a_draft_loads_estimates_nothing_and_names_what_is_missing(tmp_path: Path) -> None:
    write_usdm(Study.load("inaticel"), tmp_path)
    text, unclear = draft_protocol(read_usdm(tmp_path / "usdm.json"))
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    drafted = Study.load(tmp_path / "study.yaml")
    assert drafted.study.listing_only and not drafted.endpoints and drafted.unclear == tuple(unclear)
    assert drafted.study.cutoff is None and drafted.study.id == "inaticel-pivotal"
    for word in ("Cutoff", "Reader", "Response criteria", "Product names", "Endpoint ORR3", "Endpoint OS", "Sites", "Lymphodepletion"):
        assert any(point.startswith(word) for point in unclear), word
    assert "#   strategies: {hsct: composite, new-therapy: composite}" in text


def test_an_export_refers_to_what_is_there() -> None:
    """Each id once, and each reference to one of them."""
    everything = list(instances(make_usdm(Study.load("inaticel"))))
    ids = [item["id"] for item in everything if item["id"]]
    assert len(ids) == len(set(ids)) > 100
    held = [(key, value) for item in everything for key, value in item.items() if key.endswith(("Id", "Ids")) and value]
    named = [one for _, value in held for one in (value if isinstance(value, list) else [value])]
    assert len(named) > 80 and set(named) <= set(ids)


@needs_data(PILOT)
@pytest.mark.shows("FMT-usdm")
def test_an_export_has_the_shape_of_the_published_study() -> None:
    """Every instance has the attributes that the instances of its class have in CDISC's file."""
    pilot = json.loads(data_path(PILOT).read_text(encoding="utf-8"))
    shape: dict[str, set[frozenset[str]]] = {}
    for item in instances(pilot):
        shape.setdefault(item["instanceType"], set()).add(frozenset(item))
    own = list(instances(make_usdm(Study.load("inaticel"))))
    assert {item["instanceType"] for item in own} <= set(shape)
    assert not [item["instanceType"] for item in own if frozenset(item) not in shape[item["instanceType"]]]


@needs_data(PILOT)
@pytest.mark.shows("CMD-new")
def test_the_published_study_is_read(tmp_path: Path) -> None:
    """CDISC's pilot, by hand: a trial in Alzheimer's disease. Twelve visits stand in it, nine after the first dose with a window."""
    found = read_usdm(data_path(PILOT))
    assert (found.version, found.id, found.registry, found.phase) == ("4.0.0", "H2Q-MC-LZZT", "NCT12345678", "2")
    assert found.title.startswith("Safety and Efficacy of the Xanomeline Transdermal") and found.model == "Parallel Study"
    assert found.ages == (50, 100) and found.disease == "Alzheimer's disease" and found.product == "Xinomiline"
    assert found.visits[0] == Visit("Week 2", 14, 3, 3) and found.visits[-1] == Visit("Week 26", 182, 3, 3) and len(found.visits) == 9
    assert found.unread == ("Screening", "Pre dose", "Week 8 Home", "Week 12 Home", "Week 16 Home", "Week 20 Home")
    assert [endpoint.role for endpoint in found.endpoints] == ["primary"] * 5 + ["secondary"] * 6
    assert found.endpoints[0].strategies == {"DISTRUPTION": "treatment-policy"} and not found.endpoints[1].strategies
    assert len(found.criteria) == 31 and not any("</" in text or "usdm:" in text for text in found.criteria)
    folder = tmp_path / "study"
    code, said, _ = run_cli("new", str(folder), "--usdm", str(data_path(PILOT)))
    assert code == 0 and "Unclear 1: Cutoff" in said
    drafted = Study.load(folder / "study.yaml")
    assert drafted.study.id == "h2q-mc-lzzt" and drafted.study.listing_only
    said_of = " ".join(drafted.unclear)
    assert all(word in said_of for word in ("Parallel Study", "Week 8 Home", "Endpoint END11", "31 criteria", "nccn"))


def test_version_3_is_read(tmp_path: Path) -> None:
    """Owners of identifiers within them, phase on the study's version, interventions on the design, ages as numbers."""
    code = lambda words, nci="": {"code": nci, "decode": words}  # noqa: E731
    identifier = {"studyIdentifier": "CAR-9", "studyIdentifierScope": {"organizationType": code("Clinical Study Sponsor")}}
    first = {"relativeFromScheduledInstanceId": "I1", "type": code("Fixed Reference"), "name": "dose"}
    visit = {"relativeFromScheduledInstanceId": "I2", "relativeToScheduledInstanceId": "I1", "type": code("After"), "value": "P4W"}
    line = {"mainTimeline": True, "timings": [first, visit], "instances": [{"id": "I1", "name": "dose"}, {"id": "I2", "name": "day 28"}]}
    endpoint = {"id": "E1", "name": "ORR", "text": "<p>Response &amp; remission</p>", "level": code("Primary Endpoint")}
    estimand = {"variableOfInterest": {"id": "E1"}, "analysisPopulation": {"name": "infused"}}
    estimand["intercurrentEvents"] = [{"name": "hsct", "strategy": "composite"}]  # type: ignore[assignment]
    design = {"interventionModel": code("Single Group Study"), "studyInterventions": [{"name": "cells"}], "estimands": [estimand]}
    design |= {"population": {"plannedAge": {"minValue": 18, "maxValue": 70}}, "scheduleTimelines": [line]}
    design |= {"objectives": [{"level": code("Primary Objective"), "endpoints": [endpoint]}]}
    version = {"studyIdentifiers": [identifier], "studyPhase": {"standardCode": code("Phase I Trial", "C15600")}, "studyDesigns": [design]}
    path = tmp_path / "three.json"
    path.write_text(json.dumps({"usdmVersion": "3.6.0", "study": {"versions": [version]}}), encoding="utf-8")
    found = read_usdm(path)
    assert (found.id, found.phase, found.product, found.ages, found.model) == ("CAR-9", "1", "cells", (18, 70), "Single Group Study")
    assert found.visits == (Visit("day 28", 28, None, None),)
    assert found.endpoints[0][1:] == ("Response & remission", "Response & remission", "primary", "infused", {"hsct": "composite"})
    unclear = draft_protocol(found)[1]
    assert "Visit day 28: day 28 has no window and is left out." in unclear
    assert any(point.startswith("Visits: the file has none with a window") for point in unclear)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "this is not valid JSON"),
        ("[]", "this is no object"),
        ('{"usdmVersion": "2.0", "study": {}}', "this is USDM 2.0"),
        ('{"study": {}}', "the file does not say its version of USDM"),
        ('{"usdmVersion": "4.0.0", "study": {"versions": [{}]}}', "the file holds no version of a study with a design"),
        ('{"usdmVersion": "4.0.0", "study": {"versions": [{"studyDesigns": [{"encounters": [{"id": []}]}]}]}}', "an id is text"),
    ],
)
def test_what_is_no_such_file_ends_in_one_message(text: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=what):
        read_usdm(tmp_path / "bad.json")
    code, _, told = run_cli("new", str(tmp_path / "study"), "--usdm", str(tmp_path / "bad.json"))
    assert code == 2 and what in told and not (tmp_path / "study").exists()
