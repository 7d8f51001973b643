"""Which dates of an events form say that a responder was free of relapse, alive, or in relapse?

Expected values: by hand from rules, paragraphs 1, 3 and 6 and A7, written before the code ran. Days count from the infusion, 2022-01-01.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cartrial.run import Derived
from cases.case import value
from cases.events_sheet import derived, filled

ASSUMED = "events: {relapse-free-until: last-contact}"
DAY = {10: "2022-01-11", 20: "2022-01-21", 28: "2022-01-29", 40: "2022-02-10", 200: "2022-07-20", 240: "2022-08-29", 300: "2022-10-28"}
FREE = {"last_assessment_date": DAY[200]}
RELAPSE_NEEDED = ("DOR", "RFS", "EFS")


def times(done: Derived, endpoint: str, subjects: str = "12") -> list[tuple[object, object]]:
    """Return AVAL and EVNTDESC of each subject."""
    return [(row["AVAL"], row["EVNTDESC"]) for subject in subjects for row in [value(done.adam, endpoint, subject=subject)]]


def rules(done: Derived, *endpoints: str) -> set[str]:
    """Return why the endpoints have no value; none of them has one."""
    rows = [value(done.adam, endpoint, subject="1") for endpoint in endpoints]
    assert all((row["AVAL"], row["CNSR"]) == (None, None) for row in rows)
    return {str(row["RULE"]) for row in rows}


def said(done: Derived, rule: str) -> list[str]:
    return done.findings.filter(RULE=rule)["MESSAGE"].to_list()


@pytest.mark.shows("RULE-6.7")
def test_the_date_free_of_relapse_is_a_day_known_alive(tmp_path: Path) -> None:
    """Paragraph 6: OS is censored at the latest attended assessment, of day 200 for both: 201. The contact of day 40 is before it."""
    done = derived(filled(tmp_path, FREE, FREE | {"last_contact_date": DAY[40]}))
    assert times(done, "OS") == [(201, "cutoff")] * 2
    row = value(done.adam, "OS", subject="1")
    assert (row["SRCDOM"], str(row["ADT"])) == ("RS", DAY[200])
    assert [str(day) for day in done.adam.adsl["LSTALVDT"]] == [DAY[200]] * 2
    # DOR: day 28 to day 200
    assert [aval for aval, _ in times(done, "DOR")] == [173, 173]
    (message,) = said(done, "relapse-free-contradicts")
    assert "after the last contact, day 40" in message and "known alive on the later day" in message


@pytest.mark.shows("RULE-1.7")
def test_a_partial_date_of_death_is_after_the_date_free_of_relapse(tmp_path: Path) -> None:
    """Paragraph 1: July 2022 is the 15th, day 195, but never before the last day known alive, 200, plus 1: 202 days from day 0."""
    done = derived(filled(tmp_path, FREE | {"death_date": "2022-07"}))
    assert times(done, "OS", "1") == [(202, "death")]


@pytest.mark.shows("RULE-1.5")
def test_a_date_after_the_cutoff_is_no_proof_of_life(tmp_path: Path) -> None:
    """Paragraph 1: nothing after day 269 is used; the response of day 28 is the last day known alive."""
    done = derived(filled(tmp_path, {"last_assessment_date": DAY[300]}, FREE | {"last_contact_date": DAY[240]}))
    assert [aval for aval, _ in times(done, "OS")] == [29, 241]


def test_an_assessment_that_says_not_free_of_relapse_is_no_date_free_of_it(tmp_path: Path) -> None:
    """A7: a date last known free of relapse, and no other, counts."""
    place = filled(tmp_path, FREE, FREE)
    text = (place / "mapping.yaml").read_text(encoding="utf-8")
    assert 'RSSTRESC: "Y"' in text
    (place / "mapping.yaml").write_text(text.replace('RSSTRESC: "Y"', 'RSSTRESC: "N"'), encoding="utf-8")
    assert rules(derived(place), *RELAPSE_NEEDED) == {
        "not derived: a date last known free of relapse is missing for 2 of the 2 responders (without an event)"
    }


@pytest.mark.slow
def test_a_relapse_without_its_day_is_no_freedom_from_relapse(tmp_path: Path) -> None:
    """A7: a responder without an event needs a date free of relapse; a relapse in May 2022 is an event on a day that is not known."""
    why = {"not derived: the relapse of 1 of the 2 responders has no whole date"}
    for number, (one, words) in enumerate((({"last_contact_date": DAY[240]}, ASSUMED), (FREE, ""), (FREE, ASSUMED))):
        done = derived(filled(tmp_path / str(number), {"relapse_date": "2022-05"} | one, FREE, said=words))
        assert rules(done, *RELAPSE_NEEDED) == why
        shown = done.adam.adresp.filter(USUBJID="E1")["FLAGS"].drop_nulls().to_list()
        assert not any("free of relapse" in flags for flags in shown)
        for message in said(done, "relapse-free-contradicts"):
            assert "the relapse counts" not in message and "not known to the day" in message
    # the rate by the best response needs no relapse
    assert value(done.adam, "BORR", subject="1")["AVALC"] == "Y"


def test_a_relapse_without_its_day_takes_nothing_from_what_came_before_it(tmp_path: Path) -> None:
    """Paragraph 1: nobody relapses in June who died in March; day 28 to day 78 are 51 days. A relapse of October is after the cutoff."""
    dead = {"death_date": "2022-03-20", "relapse_date": "2022-06"}
    done = derived(filled(tmp_path, dead, FREE | {"relapse_date": "2022-10"}))
    assert times(done, "DOR")[0] == (51, "death")
    assert times(done, "DOR")[1][0] == 173


def test_a_death_after_a_relapse_without_its_day_is_not_the_first_event(tmp_path: Path) -> None:
    """A7: a relapse of May and a death in August: the relapse came first, on a day that is not known."""
    done = derived(filled(tmp_path, {"relapse_date": "2022-05", "death_date": "2022-08-01"}, FREE))
    assert rules(done, *RELAPSE_NEEDED) == {"not derived: the relapse of 1 of the 2 responders has no whole date"}


def test_both_reasons_are_counted(tmp_path: Path) -> None:
    done = derived(filled(tmp_path, {"relapse_date": "2022-05"}, {}, FREE))
    assert rules(done, *RELAPSE_NEEDED) == {
        "not derived: a date last known free of relapse is missing for 1 of the 3 responders (without an event), "
        "and the relapse of 1 of the 3 responders has no whole date"
    }


def test_a_relapse_before_the_response_is_said_not_to_count(tmp_path: Path) -> None:
    """Paragraph 3: a RELAPSE with no earlier remission is NR. Day 28 to day 200: 173 days; day 0 to day 200: 201."""
    done = derived(filled(tmp_path, FREE | {"relapse_date": DAY[10]}, FREE))
    assert [times(done, "DOR")[0][0], times(done, "EFS")[0][0]] == [173, 201]
    (message,) = said(done, "relapse-free-contradicts")
    assert "the relapse of day 10, which no remission precedes" in message and "does not count" in message


def test_a_relapse_after_the_response_counts_and_is_said_to(tmp_path: Path) -> None:
    """Day 28 to day 120 are 93 days."""
    done = derived(filled(tmp_path, FREE | {"relapse_date": "2022-05-01"}))
    assert times(done, "DOR", "1") == [(93, "relapse")]
    (message,) = said(done, "relapse-free-contradicts")
    assert message == "The date last known free of relapse, day 200, is after the relapse of day 120: the relapse counts."


def test_the_response_itself_is_no_last_contact(tmp_path: Path) -> None:
    """A7: E1 has no contact and E2 one of day 20, before the response of day 28: the assumption gives no date."""
    done = derived(filled(tmp_path, {}, {"last_contact_date": DAY[20]}, {"last_contact_date": DAY[240]}, said=ASSUMED))
    assert rules(done, *RELAPSE_NEEDED) == {
        "not derived: a date last known free of relapse is missing for 2 of the 3 responders (without an event)"
    }


def test_a_contact_after_the_cutoff_is_none(tmp_path: Path) -> None:
    """Paragraph 1: day 300 is after the cutoff, not even proof of life."""
    done = derived(filled(tmp_path, {"last_contact_date": DAY[300]}, {"last_contact_date": DAY[200]}, said=ASSUMED))
    assert "missing for 1 of the 2 responders" in rules(done, *RELAPSE_NEEDED).pop()


def test_no_procedure_stands_for_the_last_contact(tmp_path: Path) -> None:
    """A7 names the last contact: a transplant or a therapy after the response is no date on which a relapse was looked for."""
    done = derived(filled(tmp_path, {"transplant_date": "2022-04-01"}, {"last_contact_date": DAY[200]}, said=ASSUMED))
    assert "missing for 1 of the 2 responders" in rules(done, "RFS", "EFS").pop()


@pytest.mark.shows("STUDY-events.relapse-free-until")
def test_a_contact_on_the_day_of_the_response_is_what_the_study_file_takes(tmp_path: Path) -> None:
    """A7: assumed free of relapse until day 28: 1 day, flagged as assumed, from the record of the contact."""
    done = derived(filled(tmp_path, {"last_contact_date": DAY[28]}, {"last_contact_date": DAY[240]}, said=ASSUMED))
    assert [aval for aval, _ in times(done, "DOR")] == [1, 213]
    for subject in "12":
        row = value(done.adam, "DOR", subject=subject)
        assert "by assumption of the study file" in str(row["FLAGS"])
        assert (row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) == ("SS", "SSDTC", 1)


def test_a_relapse_without_any_date_is_no_freedom_from_relapse(tmp_path: Path) -> None:
    """A7, in a sheet that says yes or no: E1 relapsed, nobody wrote when."""
    place = filled(tmp_path, FREE | {"relapse_date": "2022-05-01"}, FREE)
    path = place / "mapping.yaml"
    text = path.read_text(encoding="utf-8")
    rule = ", date: relapse_date}"
    assert text.count(rule) == 1
    path.write_text(text.replace(rule, ", date: new_therapy_date}"), encoding="utf-8")
    assert rules(derived(place), *RELAPSE_NEEDED) == {"not derived: the relapse of 1 of the 2 responders has no whole date"}


@pytest.mark.slow
def test_a_response_without_its_day_is_named(tmp_path: Path) -> None:
    """Paragraph 1: it is not used, so that E1 is no responder; EFS would be censored on day 0 as if nobody had assessed him."""
    for number, day in enumerate(("", "2022-01")):
        done = derived(filled(tmp_path / str(number), FREE | {"response_date": day}, FREE))
        assert value(done.adam, "BORR", subject="1")["AVALC"] == "N"
        assert rules(done, "EFS") == {"not derived: the response of 1 of the 2 subjects has no whole date"}
        assert times(done, "DOR", "2") == [(173, "cutoff")]
        (message,) = said(done, "response-undated")
        assert message.startswith("The response of 1 infused subject by INV has no whole date") and "BORR" in message


@pytest.mark.slow
def test_a_first_response_without_its_day_starts_no_duration(tmp_path: Path) -> None:
    """The first response of E1 was in January and the best one on day 59: the duration starts in January."""
    first = {"first_response": "CRi", "first_response_date": "2022-01", "response_date": "2022-03-01"}
    done = derived(filled(tmp_path, FREE | first, FREE))
    assert rules(done, "DOR", "RFS") == {"not derived: the response of 1 of the 2 subjects has no whole date"}
    assert times(done, "EFS") == [(201, "cutoff")] * 2
    # in March it can be the best response itself
    done = derived(filled(tmp_path / "same", FREE | first | {"first_response_date": "2022-03"}, FREE))
    assert times(done, "DOR") == [(142, "cutoff"), (173, "cutoff")]


@pytest.mark.slow
def test_no_response_on_a_day_that_is_not_known_dates_no_event(tmp_path: Path) -> None:
    """A7, 6: the second did not respond, and on which day is not known (April lies in the window of days 1 to 104): EFS is not derived.

    Read in September, after the window, it is no non-response: EFS is derived, of the first to day 200, 201.
    """
    for when in ("", "2022-04"):
        done = derived(filled(tmp_path / (when or "blank"), FREE, {"best_response": "NR", "response_date": when}))
        assert rules(done, "EFS") == {"not derived: the call of no response of 1 of the 2 subjects has no whole date"}
        assert times(done, "DOR", "1")[0][0] == 173
    done = derived(filled(tmp_path / "late", FREE, {"best_response": "NR", "response_date": "2022-09"}))
    assert times(done, "EFS", "1")[0][0] == 201


@pytest.mark.slow
def test_a_response_that_is_not_given_is_told(tmp_path: Path) -> None:
    """A3: nobody says how the second responded; it counts as a non-responder by paragraph 6, and that is said."""
    done = derived(filled(tmp_path, FREE, {"best_response": "", "response_date": ""}))
    assert said(done, "response-undated") == [
        "No response of 1 infused subject is given, not even NE, so that by INV it counts as no response (BORR)."
    ]
    assert derived(filled(tmp_path / "ne", FREE, {"best_response": "NE"})).findings.filter(RULE="response-undated").is_empty()


@pytest.mark.slow
def test_a_date_of_a_first_response_without_the_response_is_told(tmp_path: Path) -> None:
    done = derived(filled(tmp_path, FREE | {"first_response_date": DAY[20]}))
    assert [row["SEVERITY"] for row in done.findings.filter(RULE="value-missing").iter_rows(named=True)] == ["warning"]
    assert not said(derived(filled(tmp_path / "plain", FREE)), "value-missing")


def test_a_first_response_after_the_best_one_is_told(tmp_path: Path) -> None:
    """By hand: day 40 is after day 28. Both are responses, and the duration counts from day 28: to day 200, 173 days."""
    first = {"first_response": "CR", "first_response_date": DAY[40]}
    done = derived(filled(tmp_path, FREE | first, FREE | first | {"response_date": DAY[200], "last_assessment_date": DAY[240]}))
    (message,) = said(done, "response-order")
    assert message.startswith(f"The first response is dated {DAY[40]}, after the best one, {DAY[28]}")
    assert times(done, "DOR") == [(173, "cutoff"), (201, "cutoff")]


def test_a_response_without_an_infusion_is_told(tmp_path: Path) -> None:
    """By hand: E2 is named; E3, whose product failed, and E4, of whom nothing is said, are not. N is 1."""
    blank = {"infusion_date": ""}
    nothing = blank | {"best_response": "", "response_date": "", "enrolment_date": "2021-12-01"}
    done = derived(filled(tmp_path, FREE, blank, blank | {"product_failure_date": "2021-12-20", "best_response": "NE"}, nothing))
    found = done.findings.filter(RULE="infusion-blank")
    assert [(row["USUBJID"][-2:], row["ROW"], row["SEVERITY"]) for row in found.iter_rows(named=True)] == [("E2", 3, "warning")]
    assert done.adam.adrs.filter(PARAMCD="BORR", VARIANT="").height == 1
