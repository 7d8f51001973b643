"""Relapse of residual disease. Origin of every expected value: `by hand` (rules for children, P4 and P5; P6, row 6)."""

from __future__ import annotations

import pytest

from cartrial.errors import InputError
from cartrial.run import derive_data
from cartrial.study import Study
from children_example import STUDY_YAML, infused, loaded
from endpoints.test_children_endpoints import calls, date, lab, rates, times

ENDPOINTS = """\
endpoints:
  - id: RFS
    label: RFS
    type: time-to-event
    origin: first-response
    population: responders
    events: [relapse, death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
    sensitivity: [{events: [relapse, mrd-relapse, death]}]
  - id: EFS
    label: EFS
    type: time-to-event
    origin: day-0
    population: infused
    events: [non-response, relapse, death]
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
    sensitivity: [{events: [non-response, relapse, mrd-relapse, death]}]
  - id: ORR3
    label: Response at month 3
    type: response-rate
    window: {at: month 3}
    population: infused
    strategies: {hsct: composite, new-therapy: composite}
"""
STUDY = STUDY_YAML.replace("readers: {primary: IRC}", "readers: {primary: INV}").split("endpoints:")[0] + ENDPOINTS
RFS, EFS = "events=relapse+mrd-relapse+death", "events=non-response+relapse+mrd-relapse+death"


def residual(name, day, value):
    return lab(name, day, "MRD", value, "fraction", "BONE MARROW", LBLOD=1e-5)


def derived(folder, names, **tables):
    return derive_data(loaded(folder, {"EX": [infused(name) for name in names], **tables}, STUDY))


@pytest.mark.shows("RULE-P4.2", "STUDY-endpoints.events")
def test_row_6_of_the_worked_subjects(tmp_path):
    rs = calls("A", CRi=[28], CR=[60, 90], RELAPSE=[180])
    of = derived(tmp_path, ["A"], RS=rs, LB=[residual("A", 60, "NEGATIVE"), residual("A", 90, 2e-4)])
    assert times(of, "RFS") == {"A": (153, "relapse")} and times(of, "RFS", RFS) == {"A": (63, "mrd-relapse")}
    assert times(of, "EFS") == {"A": (181, "relapse")} and times(of, "EFS", EFS) == {"A": (91, "mrd-relapse")}
    source = of.adam.adtte.filter(PARAMCD="RFS", VARIANT=RFS).select("SRCDOM", "ADT").row(0)
    assert source[0] == "RS" and source[1].isoformat() == date(90)


def test_residual_disease_that_never_cleared_is_no_relapse(tmp_path):
    rs = [*calls("POS", CR=[28, 60, 90, 180, 270, 360]), *calls("NEG", CR=[28, 60, 90, 180, 270, 360])]
    lb = [residual("POS", 28, 2e-4), residual("POS", 90, 3e-4), residual("NEG", 28, "NEGATIVE"), residual("NEG", 360, "NEGATIVE")]
    of = derived(tmp_path, ["POS", "NEG"], RS=rs, LB=lb)
    assert times(of, "RFS", RFS) == dict.fromkeys(("NEG", "POS"), (333, "cutoff"))


@pytest.mark.shows("RULE-P4.2")
def test_a_call_of_mrd_relapse_is_a_status_of_its_own(tmp_path):
    rs = calls("A", **{"CR": [28, 60], "MRD RELAPSE": [90], "RELAPSE": [180]})
    of = derived(tmp_path, ["A"], RS=rs)
    assert of.findings.filter(SEVERITY="stop").is_empty()
    read = of.adam.adresp.filter(READER="INV", CARDAY=90)
    assert read.select("AVALC", "ADEQUATE").rows() == [("MRD RELAPSE", "Y")]
    # it is a remission, and an event only where the endpoint lists it
    assert rates(of, "ORR3") == {"A": ("Y", "response")}
    assert times(of, "RFS") == {"A": (153, "relapse")} and times(of, "RFS", RFS) == {"A": (63, "mrd-relapse")}


def test_it_is_an_event_of_leukaemia_alone(tmp_path):
    text = (
        STUDY.replace("criteria: nccn", "criteria: lugano-2014").replace("relapse", "progression").replace("mrd-progression", "mrd-relapse")
    )
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="'mrd-relapse' is no event of lymphoma"):
        Study.load(tmp_path)
