"""The lack of a response by a day as an event. Expected values: `by hand`, P4 of the rules for children and L8 of those for lymphoma.

A failure is non-response (paragraph 6 of the rules) of a window that ends on that day: it needs a read of NR or PD in it, and is of day 0,
or of the assessment where the study file says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cartrial.endpoints import derive
from cartrial.errors import InputError
from cartrial.sdtm import Source
from cartrial.study import Study, describe_endpoint
from children_example import STUDY_YAML
from helpers import load_study
from lymphoma_example import TEXT, infused_calls

EFS = """\
endpoints:
  - id: EFS
    label: Event-free survival
    type: time-to-event
    origin: day-0
    population: infused
    events: [relapse, death]
    failure-by: 35
    strategies: {hsct: treatment-policy, new-therapy: treatment-policy}
    sensitivity: [{failure-by: 60}, {failure-by: 35, non-response: {dated: at-assessment}}]
"""
TEXT_OF_CHILDREN = STUDY_YAML.replace("readers: {primary: IRC}", "readers: {primary: INV}").split("endpoints:")[0] + EFS


def times(study: Study, source: Source) -> dict[tuple[str, str], tuple[Any, ...]]:
    rows = derive(study, source).adtte.select("USUBJID", "VARIANT", "AVAL", "EVNTDESC").rows()
    return {row[:2]: row[2:] for row in rows}


@pytest.mark.shows("RULE-P4.3", "STUDY-endpoints.response-window", "STUDY-endpoints.response-window.to")
def test_no_response_by_the_day_is_an_event() -> None:
    """A: NR day 28, CR day 60: a failure by day 35, dated day 0, and none by day 60. B: CR day 28, then censored on day 90, lost."""
    study = Study.model_validate(yaml.safe_load(TEXT_OF_CHILDREN.replace("exposure: [P]", "exposure: [AXI-CEL]")))
    source = infused_calls(("A", 28, "NR"), ("A", 60, "CR"), ("A", 90, "CR"), ("B", 28, "CR"), ("B", 90, "CR"), category=None)
    found = times(study, source)
    assert found["A", ""] == (1, "non-response") and found["B", ""] == (91, "lost")
    assert found["A", "failure-by=60"] == (91, "lost") == found["B", "failure-by=60"]
    assert found["A", "failure-by=35;non-response.dated=at-assessment"] == (29, "non-response")
    words = describe_endpoint(study, study.variants(study.endpoints[0])[0])
    assert "from day 1 to 35" in words["censoring"] and "non-response" in words["variable"]


@pytest.mark.shows("STUDY-endpoints.response-window.from")
def test_a_read_before_the_window_is_no_failure_in_it() -> None:
    """A: NR day 28, then lost. In days 1 to 70 it is read as a failure; in days 40 to 70 it is not read, so its time ends with day 28."""
    windows = {"": "{to: 70}", "from": "{from: 40, to: 70}"}
    found = {}
    for name, window in windows.items():
        text = TEXT_OF_CHILDREN.replace("exposure: [P]", "exposure: [AXI-CEL]").replace(
            "failure-by: 35\n", f"response-window: {window}\n", 1
        )
        text = text.replace("events: [relapse, death]", "events: [non-response, relapse, death]").split("    sensitivity:")[0]
        study = Study.model_validate(yaml.safe_load(text))
        source = infused_calls(("A", 28, "NR"), category=None)
        found[name] = times(study, source)["A", ""]
    assert found == {"": (1, "non-response"), "from": (29, "lost")}


def test_of_lymphoma_it_is_the_lack_of_cr_or_pr(tmp_path: Path) -> None:
    """A: SD day 28, PR day 90. B: PR day 28. By day 60 A has failed, by day 104 nobody."""
    text = TEXT.replace("primary: IRC", "primary: INV").split("endpoints:")[0] + EFS.replace("relapse", "progression").replace(
        "    failure-by: 35\n", "    or-not-responding-by: 60\n"
    ).replace("[{failure-by: 60}, {failure-by: 35, non-response: {dated: at-assessment}}]", "[{or-not-responding-by: 104}]")
    source = infused_calls(("A", 28, "SD"), ("A", 90, "PR"), ("B", 28, "PR"), ("B", 90, "PR"), category=None)
    found = times(load_study(tmp_path, text), source)
    assert found["A", ""] == (1, "non-response") and found["B", ""] == (91, "lost")
    assert found["A", "or-not-responding-by=104"] == (91, "lost")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("failure-by: 35\n", "failure-by: month 1\n", "whole number of days"),
        ("failure-by: 35\n", "failure-by: 0\n", "whole number of days"),
        ("failure-by: 35\n", "failure-by: 35\n    response-window: {to: 60}\n", "say the same"),
        ("failure-by: 60}", "failure-by: 1.5}", "whole number of days"),
        ("origin: day-0\n", "origin: enrolment\n", "non-response is an event of a time from day 0"),
    ],
)
@pytest.mark.shows("STUDY-endpoints.response-window")
def test_what_it_cannot_be_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        load_study(tmp_path, TEXT_OF_CHILDREN.replace(old, new, 1))
