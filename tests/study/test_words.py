"""What a study says of itself: names of variants, endpoints in words, assumptions, and what each room offers.

Origin of every expected value: `by hand`, from the format of the study file and ICH E9(R1).
"""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path

import pytest

from cartrial.study import Study, describe_endpoint, strategies_text, window_text
from helpers import BASE, ROOT, STUDIES, load_study

ROOMS = ("study", "sdtm", "response", "endpoints", "analysis", "report")
VARIANTS = [
    ("{hsct: treatment-policy}", "hsct=treatment-policy"),
    ("{reader: INV}", "reader=INV"),
    ("{population: assessed}", "population=assessed"),
    ("{hsct: while-on-treatment, new-therapy: treatment-policy}", "hsct=while-on-treatment;new-therapy=treatment-policy"),
    ("{not-yet-assessable: non-responder}", "not-yet-assessable=non-responder"),
    ("{not_yet_assessable: non-responder}", "not-yet-assessable=non-responder"),
    ("{response: [CR]}", "response=CR"),
    ("{response: CR}", "response=CR"),
    ("{window: {within: month 3}}", "window.within=month 3"),
]
TIME_VARIANTS = [
    ("{missed-visits: 1}", "missed-visits=1"),
    ("{analysis: {competing: [death]}}", "analysis.competing=death"),
    ("{hsct: composite, new-therapy: composite}", "hsct=composite;new-therapy=composite"),
    ("{population: responders}", "population=responders"),
]


@pytest.mark.parametrize(("written", "name"), VARIANTS)
@pytest.mark.shows("STUDY-readers.primary", "STUDY-endpoints.sensitivity", "STUDY-endpoints.not-yet-assessable")
def test_names_of_variants_of_a_rate(written: str, name: str, tmp_path: Path) -> None:
    study = load_study(tmp_path, BASE.replace("- {hsct: treatment-policy}\n      - {reader: INV}", f"- {written}"))
    main, variant = study.variants(study.endpoints[0])
    assert (main.name, variant.name) == ("", name)
    assert main.endpoint.reader == "IRC"
    assert variant.endpoint.id == main.endpoint.id
    assert variant.endpoint.reader == ("INV" if "reader" in written else "IRC")


@pytest.mark.parametrize(("written", "name"), TIME_VARIANTS)
def test_names_of_variants_of_a_time(written: str, name: str, tmp_path: Path) -> None:
    study = load_study(tmp_path, BASE.replace("- {hsct: treatment-policy}\n      - {analysis: {competing: [death]}}", f"- {written}"))
    assert [variant.name for variant in study.variants(study.endpoints[1])] == ["", name]


@pytest.mark.shows("STUDY-endpoints.sensitivity")
def test_a_variant_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    study = load_study(tmp_path, BASE)
    main, variant, _ = study.variants(study.endpoints[0])
    changed = {key for key, value in variant.endpoint.model_dump().items() if value != main.endpoint.model_dump()[key]}
    assert changed == {"strategies", "sensitivity"}
    assert variant.endpoint.strategies.hsct == "treatment-policy"
    assert variant.endpoint.strategies.new_therapy == "composite"


@pytest.mark.shows("STUDY-endpoints.non-response")
def test_non_response_variants_keep_the_other_half() -> None:
    study = Study.load(STUDIES["worked"])
    efs = next(endpoint for endpoint in study.endpoints if endpoint.id == "EFS")
    found = {variant.name: variant.endpoint.non_response for variant in study.variants(efs)}
    assert (found["non-response.dated=at-assessment"].dated, found["non-response.dated=at-assessment"].loss) == ("at-assessment", "event")
    assert (found["non-response.loss=censor"].dated, found["non-response.loss=censor"].loss) == ("day-0", "censor")


CASES = [(name, endpoint.id) for name, path in STUDIES.items() for endpoint in Study.load(path).endpoints]
STRATEGY_WORDS = {name: name.replace("-", " ") for name in ("treatment-policy", "composite", "while-on-treatment", "hypothetical")}
EVENT_WORDS = {"hsct": "stem cell transplant", "new-therapy": "new anticancer therapy", "re-infusion": "re-infusion"}


@pytest.mark.parametrize(("name", "identity"), CASES)
@pytest.mark.shows("RULE-5.7")
def test_all_five_attributes_of_an_estimand_are_said(name: str, identity: str) -> None:
    """Population, treatment, variable, intercurrent events with their strategies, summary (ICH E9(R1), A.3.3)."""
    study = Study.load(STUDIES[name])
    endpoint = next(endpoint for endpoint in study.endpoints if endpoint.id == identity)
    sentences = set()
    for variant in study.variants(endpoint):
        words = describe_endpoint(study, variant)
        assert set(words) == {
            *("population", "treatment", "variable", "window", "reader", "events", "strategies", "censoring", "summary", "sentence")
        }
        assert all(text and text == text.strip() and "None" not in text and "\n" not in text for text in words.values())
        assert study.product.name in words["treatment"]
        starts = [*sorted(words["strategies"].index(said) for said in EVENT_WORDS.values()), None]
        for event, said in EVENT_WORDS.items():
            start = words["strategies"].index(said)
            clause = words["strategies"][start : starts[starts.index(start) + 1]]
            assert f"({STRATEGY_WORDS[dict(variant.endpoint.strategies.items())[event]]})" in clause
        for attribute in ("population", "variable", "strategies", "summary", "window", "reader"):
            assert words[attribute] in words["sentence"]
        if variant.endpoint.type == "response-rate":
            assert all(named in words["variable"] for named in (variant.endpoint.events or variant.endpoint.response))
            assert "Clopper" in words["summary"]
        elif variant.endpoint.type == "best-response":
            assert words["variable"].startswith("the best of CR, PR, SD, IR, PD, NE") and "by best response" in words["summary"]
        else:
            # a time to response names the responses themselves
            said = {"response": study.disease.family.said()}
            assert all(said.get(event, event) in words["variable"] for event in variant.endpoint.events)
            assert ("Aalen" if variant.endpoint.analysis.competing else "Kaplan") in words["summary"]
            assert words["censoring"]
        if variant.endpoint.population == "responders" and variant.endpoint.type == "time-to-event":
            assert "principal-stratum" in words["summary"]
        sentences.add((words["sentence"], words["censoring"]))
        assert window_text(study, variant.endpoint) and strategies_text(variant.endpoint)
    assert len(sentences) == len(study.variants(endpoint)), "two variants are said in the same words"


@pytest.mark.shows("STUDY-endpoints.strategies.product-failure")
def test_product_failure_is_said_where_it_counts() -> None:
    study = Study.load("allo-cd19")
    said = {endpoint.id: strategies_text(endpoint) for endpoint in study.endpoints}
    assert "product-failure=composite" in said["CRR"]
    assert "product-failure" not in said["OS"]


@pytest.mark.shows(
    "STUDY-product.source", "STUDY-disease.source", "STUDY-disease.mrd.source", "STUDY-testing.alpha.source", "STUDY-endpoints.source"
)
def test_assumptions_are_listed() -> None:
    study = Study.load("inaticel")
    places = [place for place, _ in study.assumptions()]
    assert {"disease", "disease.mrd", "testing.alpha", "ORR3"} <= set(places)
    assert all("assumption" in text for _, text in study.assumptions())
    assert "product" not in places, "its source is the registry"


@pytest.mark.shows("STUDY-study.source", "STUDY-product.source", "STUDY-disease.source", "STUDY-endpoints.source")
def test_a_source_left_out_is_an_assumption(tmp_path: Path) -> None:
    places = [place for place, _ in load_study(tmp_path, BASE).assumptions()]
    assert {"study", "product", "disease", "ORR3", "DOR"} <= set(places)


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_offers_is_there_and_documented(room: str) -> None:
    module = importlib.import_module(f"cartrial.{room}")
    assert module.__doc__ and "?" in module.__doc__.splitlines()[0], "a room says its one question"
    assert sorted(module.__all__, key=str.lower) and len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        thing = getattr(module, name)
        if callable(thing):
            assert thing.__doc__ and not thing.__doc__.startswith(f"{name}("), f"cartrial.{room}.{name} has no docstring"


def test_no_room_imports_a_later_one() -> None:
    """The order of the rooms, from the table of the design."""
    order = ("study", "sdtm", "response", "endpoints", "analysis", "report")
    for i, room in enumerate(order):
        for path in (ROOT / "src" / "cartrial" / room).rglob("*.py"):
            for later, line in itertools.product(order[i + 1 :], path.read_text(encoding="utf-8").splitlines()):
                assert not line.strip().startswith((f"from cartrial.{later}", f"import cartrial.{later}")), f"{path.name}: {line}"
