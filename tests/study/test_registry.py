"""A ClinicalTrials.gov record becomes a draft study file.

`registry_allo_cd19.json` holds the words of the published registry text of an allogeneic CD19 product (title, conditions, intervention,
two outcomes), and no number, since none is known. `registry_single_arm.json` is invented. What a draft must hold is read off the
records' words by hand.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.errors import InputError
from cartrial.study import Study
from cartrial.study.registry.record import draft_study, read_registry
from cartrial.yamlfile import read_yaml, validate
from helpers import FIXTURES
from properties import examples

ALLO = FIXTURES / "registry_allo_cd19.json"
SINGLE = FIXTURES / "registry_single_arm.json"


def load(text):
    data, lines = read_yaml(Path("study.yaml"), text=text)
    return validate(Study, data, lines, "study.yaml")


def drafted(path):
    text, unclear = draft_study(read_registry(path))
    return load(text), text, unclear


def with_outcomes(*outcomes, **modules):
    record = json.loads(ALLO.read_text())
    record["protocolSection"]["outcomesModule"] = {"primaryOutcomes": list(outcomes)}
    record["protocolSection"].update(modules)
    return record


def one(measure, frame, description=""):
    text, unclear = draft_study(with_outcomes({"measure": measure, "description": description, "timeFrame": frame}))
    return load(text).endpoints[0], unclear


@pytest.mark.shows("FMT-registry-json")
def test_draft_is_a_study_file_on_disk(tmp_path):
    text, unclear = draft_study(read_registry(ALLO))
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    assert Study.load(tmp_path).unclear == tuple(unclear)


def test_allogeneic_record():
    study, text, unclear = drafted(ALLO)
    assert study.study.registry is None and study.study.title.startswith("Allogeneic CD19 CAR-T Cells")
    assert (study.product.type, study.product.target, study.product.exposure) == ("allogeneic", "CD19", ("ALLOGENEIC CD19 CAR-T CELLS",))
    crr, survival = study.endpoints
    assert (crr.id, crr.role, crr.response, crr.population) == ("CRR", "primary", ("CR",), "enrolled")
    assert crr.window.model_dump(by_alias=True, exclude_defaults=True) == {"within-days": 730, "from": "enrolment", "until": "progression"}
    assert [variant.name for variant in study.variants(crr)] == ["", "response=CR+CRi"]
    assert (survival.id, survival.origin, survival.population, survival.events) == ("OS", "enrolment", "enrolled", ("death",))
    assert "# The record says: CRR; Complete remission rate; From data of enrollment until the first documented progression" in text
    assert f"# Unclear, {unclear[-2].removeprefix('OS, ')}" in text


@pytest.mark.parametrize(
    "point",
    [
        "Registry number: the record gives none.",
        "Reader: the record does not say who assesses the response",
        "CRR, response: the record does not say whether CRi counts (CR alone or CR+CRi); drafted as CR.",
        "CRR, origin: 'From data of enrollment",
        "CRR, window: 'From data of enrollment until the first documented progression of disease, up to 2 years.' is read as any",
        "CRR, window: whether a remission from bridging before infusion counts is not said",
        "CRR, population: ",
        "CRR, strategies: the record does not say what transplant and new therapy do",
        "OS, origin: 'From admission to the end of follow up, up to 2 years.' is read as enrolment.",
        "OS, summary: the record names a rate",
        "OS, strategies: ",
        "Hypotheses: the record gives no null",
    ],
)
@pytest.mark.shows("STUDY-unclear")
def test_unclear_points_are_listed(point):
    assert any(item.startswith(point) for item in drafted(ALLO)[2])


@pytest.mark.parametrize("path", [ALLO, SINGLE])
def test_every_guess_is_an_assumption(path):
    study = drafted(path)[0]
    assumed = dict(study.assumptions())
    assert {endpoint.id for endpoint in study.endpoints} <= set(assumed)
    assert {"study", "product", "disease", "disease.mrd"} <= set(assumed)
    assert all(endpoint.source == "assumption" and endpoint.note.startswith("registry record: ") for endpoint in study.endpoints)
    assert not any(endpoint.test for endpoint in study.endpoints)


def test_reader_not_named_is_an_assumption():
    study = drafted(ALLO)[0]
    assert (study.readers.primary, study.readers.source) == ("INV", "assumption")


def test_single_arm_record():
    study, _, unclear = drafted(SINGLE)
    assert (study.study.registry, study.study.phase, study.study.design, study.study.sites) == (
        "NCT00000000",
        "1/2",
        "single-arm, open-label",
        2,
    )
    assert study.product.name == "Inventedleucel" and study.product.type == "autologous"
    assert study.product.exposure == ("INVENTEDLEUCEL", "INV-19") and study.product.lymphodepletion == ("FLUDARABINE", "CYCLOPHOSPHAMIDE")
    assert (study.readers.primary, study.readers.source) == ("IRC", "registry record")
    assert [endpoint.id for endpoint in study.endpoints] == ["ORR3", "ORRW3", "ORR45", "MRDN28", "ORR", "DOR", "RFS", "EFS", "OS", "OSV2"]
    assert (study.visit("day 45").minus, study.visit("day 45").plus) == (7, 7)
    reasons = {
        "Incidence of adverse events; 2 years": "adverse events are described in the safety section of every report.",
        "Peak expansion of CAR-T cells; 28 days": "the kinetics of the cells are described in every report (study.kinetics).",
        "Quality of life; 1 year": "it is no response rate and no time to event that is known here.",
    }
    expected = [f"Not drafted (secondary outcome '{words}'): {why}" for words, why in reasons.items()]
    assert [item for item in unclear if item.startswith("Not drafted")] == expected


@pytest.mark.parametrize(
    ("measure", "frame", "window"),
    [
        ("ORR", "Month 3 after infusion", {"at": "month 3"}),
        ("ORR", "12 weeks after infusion", {"at": "month 3"}),  # 84 days lie in day 76 to 104
        ("ORR", "Day 28", {"at": "day 28"}),
        ("ORR", "1 month", {"at": "day 28"}),  # month 1 is day 28
        ("ORR", "within three months of infusion", {"within": "month 3"}),
        ("ORR", "Day 28, Month 3, Month 6", {"within": "month 6"}),
        ("ORR", "up to 2 years after infusion", {"within": "month 24"}),  # 730 days lie in day 690 to 750
        ("ORR", "from infusion until progression, up to 1 year", {"within-days": 365, "until": "progression"}),
        ("ORR", "6 months after enrolment", {"within-days": 180, "from": "enrolment"}),
        ("ORR", "through study completion", {"best": "cutoff"}),
        ("ORR", "", {"best": "cutoff"}),
        ("ORR at day 45", "", {"at": "day 45"}),
    ],
)
def test_windows(measure, frame, window):
    assert one(measure, frame)[0].window.model_dump(by_alias=True, exclude_defaults=True) == window


@pytest.mark.parametrize(
    ("measure", "response", "open_point"),
    [
        ("Complete remission rate", ("CR",), True),
        ("CR/CRi rate", ("CR", "CRi"), False),
        ("Complete remission with or without incomplete haematological recovery", ("CR", "CRi"), False),
        ("Overall response rate", ("CR", "CRi"), True),
        ("ORR (CR+CRi)", ("CR", "CRi"), False),
    ],
)
def test_responses(measure, response, open_point):
    endpoint, unclear = one(measure, "Day 28")
    assert endpoint.response == response
    assert any("whether CRi counts" in point for point in unclear) == open_point


@pytest.mark.parametrize(
    ("measure", "frame", "origin", "population", "events"),
    [
        ("Overall survival", "2 years", "day-0", "infused", ("death",)),
        ("OS", "from enrollment up to 2 years", "enrolment", "enrolled", ("death",)),
        ("OS", "from enrollment or infusion", "day-0", "infused", ("death",)),  # both are named: said to be unclear
        ("Duration of response", "from infusion, 2 years", "first-response", "responders", ("relapse", "death")),
        ("Leukemia-free survival", "from infusion", "day-0", "infused", ("non-response", "relapse", "death")),
        ("RFS", "from first remission after infusion", "first-response", "responders", ("relapse", "death")),
        ("Event free survival", "from enrolment", "enrolment", "enrolled", ("relapse", "death")),
        ("PFS", "2 years", "day-0", "infused", ("non-response", "relapse", "death")),
    ],
)
def test_times(measure, frame, origin, population, events):
    endpoint, unclear = one(measure, frame)
    assert (endpoint.origin, endpoint.population, endpoint.events) == (origin, population, events)
    assert any("origin: " in point for point in unclear) or measure == "Duration of response" or "remission" in frame


def test_what_no_endpoint_can_be_drafted_from():
    text, unclear = draft_study(with_outcomes({"measure": "Dose-limiting toxicity", "timeFrame": "28 days"}))
    study = load(text)
    assert study.endpoints == () and study.study.listing_only
    assert "Endpoints: no outcome of the record could be drafted; write them by hand." in unclear


def test_type_of_cells_not_said():
    record = with_outcomes({"measure": "ORR"}, armsInterventionsModule={"interventions": [{"name": "CAR-T cells"}]})
    record["protocolSection"]["identificationModule"]["briefTitle"] = "CAR-T cells in leukemia"
    text, unclear = draft_study(record)
    assert load(text).product.type == "autologous" and "autologous" in load(text).product.source
    assert any(point.startswith("Product: the record does not say whether") for point in unclear)


def test_another_disease_is_said():
    text, unclear = draft_study(
        with_outcomes({"measure": "ORR"}, identificationModule={"briefTitle": "CAR-T cells"}, conditionsModule={"conditions": ["Lymphoma"]})
    )
    assert load(text).disease.name == "Lymphoma"
    assert any("the criteria here are those of acute lymphoblastic leukaemia" in point for point in unclear)


def test_search_result_with_one_study(tmp_path):
    record = json.loads(ALLO.read_text())
    (tmp_path / "found.json").write_text(json.dumps({"studies": [record]}))
    assert read_registry(tmp_path / "found.json") == record


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is not valid JSON"),
        (b'{"protocolSection": {,}}', "record.json, row 1: this is not valid JSON"),
        (b'{"protocolSection":\n {"a": 1}', "record.json, row 2: this is not valid JSON"),
        (b"\xff\xfe\x00", "the file is not UTF-8 text"),
        (b"[" * 200_000, "the JSON is nested too deeply"),
        (b"[]", "this is not a registry record"),
        (b"3", "this is not a registry record"),
        (b"{}", "protocolSection is missing or no object"),
        (b'{"protocolSection": []}', "protocolSection is missing or no object"),
        (b'{"FullStudiesResponse": {}}', "this is a record of the older registry interface"),
        (b'{"protocolSection": {"identificationModule": []}}', "protocolSection.identificationModule: this module is not an object"),
        (b'{"protocolSection": {"outcomesModule": {}}}', "the study has no identification"),
        (b'{"studies": []}', "the file holds 0 studies"),
        (b'{"studies": [{}, {}]}', "the file holds 2 studies"),
    ],
)
def test_ugly_files(tmp_path, content, message):
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        read_registry(path)
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_missing_file(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_registry(path)


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ({}, "the record has no outcomes"),
        ({"primaryOutcomes": []}, "the record has no outcomes"),
        ({"primaryOutcomes": {"measure": "ORR"}}, "outcomes are a list of objects"),
        ({"primaryOutcomes": ["ORR"]}, "outcomes are a list of objects"),
        ({"secondaryOutcomes": [{"timeFrame": "2 years"}]}, "an outcome has no measure"),
        ({"primaryOutcomes": [{"measure": 3}]}, "an outcome has no measure"),
    ],
)
def test_ugly_outcomes(tmp_path, outcomes, message):
    record = json.loads(ALLO.read_text())
    record["protocolSection"]["outcomesModule"] = outcomes
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=message):
        read_registry(path)
    with pytest.raises(InputError, match=message):
        draft_study(record)


def test_ugly_records():
    with pytest.raises(InputError, match="no intervention"):
        draft_study(with_outcomes({"measure": "ORR"}, armsInterventionsModule={}))
    with pytest.raises(InputError, match="no title"):
        draft_study(with_outcomes({"measure": "ORR"}, identificationModule={"nctId": "NCT00000000"}))
    with pytest.raises(InputError, match="not a registry record"):
        draft_study([])


def test_the_record_is_not_changed():
    record = read_registry(SINGLE)
    before = copy.deepcopy(record)
    first, second = draft_study(record), draft_study(record)
    assert record == before and first == second


TOKENS = [
    *("CR", "CRi", "ORR", "OS", "EFS", "RFS", "DOR", "MRD", "rate", "survival", "overall", "response", "remission", "first", "progression"),
    *("from", "until", "up to", "within", "at", "day", "month", "months", "weeks", "years", "enrollment", "infusion"),
    *("0", "1", "2", "3", "12", "28", "30", "90", "-", ",", ":", "#", "'", '"', "\n"),
]
words = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(TOKENS), max_size=10).map(" ".join))


@pytest.mark.slow
@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=6), words, words)
@examples(150)
def test_any_words_make_a_study_that_loads(outcomes, title, product):
    """Whatever the words: a draft that loads and holds its unclear points, or one clear message."""
    listed = [{"measure": measure, "description": description, "timeFrame": frame} for measure, description, frame in outcomes]
    record = with_outcomes(
        *listed, armsInterventionsModule={"interventions": [{"name": product}]}, identificationModule={"briefTitle": title}
    )
    try:
        text, unclear = draft_study(record)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert load(text).unclear == tuple(unclear)
