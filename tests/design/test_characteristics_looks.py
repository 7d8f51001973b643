"""Looks on the calendar: days, pauses, overrun and numbers by hand, and against a loop over subjects."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrial.design.exact.staged import Staged
from cartrial.design.trials.interim import Calendar, Ended, count_first, run_design
from cartrial.errors import InputError
from cartrial.virtual.trial.arrivals import NEVER
from properties import examples


def staged(n, futility, efficacy) -> Staged:
    """Return a design."""
    return Staged("by hand", n, futility, efficacy, 0.3, 0.5, "by hand", "none")


def calendar(rows: list[tuple[int, int, int, int, int]]) -> Calendar:
    """Return one trial of subjects: consent, enrolled, infusion, known, response; the infused are counted."""
    table = np.array(rows, np.int64)[None]
    consent, enrolled, infusion, known, response = (table[..., i] for i in range(5))
    infused = infusion < NEVER
    return Calendar(np.ones(infused.shape, bool), infused, infusion, consent, enrolled, infusion, known, response == 1, infused)


# consent, enrolled, infusion, known, response; the third is enrolled and never infused, the fourth fails screening
ROWS = [
    (0, 10, 50, 140, 0),
    (5, 12, 40, 130, 1),
    (20, 30, NEVER, 0, 0),
    (25, NEVER, NEVER, 0, 0),
    (30, 41, 90, 100, 1),
    (55, 60, 100, 190, 1),
    (200, 210, 250, 340, 1),
]


def one(ended: Ended) -> dict[str, int]:
    """Return the figures of the only trial."""
    return {field.name: int(getattr(ended, field.name)[0]) for field in fields(Ended)}


def test_a_single_stage_by_hand():
    # the first 4 of the infused by consent: 1, 2, 5, 6; the last result on day 190, consents from day 0
    found = one(run_design(staged((4,), (2,), (3,)), calendar(ROWS), pause=False))
    assert found == dict(look=1, success=1, responders=3, subjects=4, enrolled=5, infused=4, evaluable=4, overrun=0, duration=190)


@pytest.mark.parametrize(("pause", "enrolled", "infused", "overrun"), [(False, 5, 4, 2), (True, 4, 3, 1)])
def test_a_look_that_stops_by_hand(pause, enrolled, infused, overrun):
    # by hand: the first two to be infused are 2 (day 40) and 1 (day 50); both known on day 140; one responder of two stops.
    # without a pause 1, 2, 3, 5 and 6 are enrolled by day 140, with it 1, 2, 3 and 5 by day 50; 3 is never infused
    found = one(run_design(staged((2, 5), (1, 2), (None, 3)), calendar(ROWS), pause=pause))
    assert found == dict(
        look=1, success=0, responders=1, subjects=2, enrolled=enrolled, infused=infused, evaluable=infused, overrun=overrun, duration=140
    )


@pytest.mark.parametrize(("pause", "duration"), [(False, 340), (True, 430)])
def test_a_look_that_goes_on_by_hand(pause, duration):
    # by hand: the look is on day 140, 90 days after the second infusion; with a pause 6 and 7, enrolled later, come 90 days later
    found = one(run_design(staged((2, 5), (0, 2), (None, 3)), calendar(ROWS), pause=pause))
    assert found == dict(look=2, success=1, responders=4, subjects=5, enrolled=6, infused=5, evaluable=5, overrun=0, duration=duration)


def test_success_may_come_early():
    rows = [(*row[:4], 1) for row in ROWS]
    found = one(run_design(staged((2, 5), (None, 2), (2, 3)), calendar(rows), pause=False))
    assert (found["look"], found["success"], found["subjects"]) == (1, 1, 2)


def slow(design: Staged, rows: list[tuple[int, int, int, int, int]], pause: bool) -> dict[str, int]:
    """Return the same by a loop over subjects and looks: the definition, written a second time."""
    people, counted = [], 0
    for row in rows:
        if counted == design.n[-1]:
            break
        people.append(dict(zip(("consent", "enrolled", "infusion", "known", "response"), row, strict=True)))
        counted += row[2] < NEVER
    opened = min(person["consent"] for person in people)
    for look, size in enumerate(design.n):
        infused = sorted((person for person in people if person["infusion"] < NEVER), key=lambda person: person["infusion"])
        first = infused[:size]
        responders = sum(person["response"] for person in first)
        full, when = first[-1]["infusion"], max(person["known"] for person in first)
        low, high = design.futility[look], design.efficacy[look]
        won = high is not None and responders >= high
        if won or (low is not None and responders <= low):
            close = NEVER - 1 if look + 1 == len(design.n) else full if pause else when
            inside = [person for person in people if person["enrolled"] <= close]
            treated = sum(person["infusion"] < NEVER for person in inside)
            return dict(
                look=look + 1,
                success=int(won),
                responders=responders,
                subjects=size,
                enrolled=len(inside),
                infused=treated,
                evaluable=treated,
                overrun=treated - size,
                duration=when - opened,
            )
        for person in people if pause else []:
            if full < person["enrolled"] < NEVER:
                for name in ("enrolled", "infusion", "known"):
                    person[name] += max(when - full, 0) if person[name] < NEVER else 0
    raise AssertionError("no look stopped")


@st.composite
def trials(draw):
    """Return a design of one to three looks and the subjects of a trial that is large enough for it."""
    n = sorted(draw(st.sets(st.integers(1, 9), min_size=1, max_size=3)))
    last = draw(st.integers(0, n[-1] - 1))
    futility = [draw(st.none() | st.integers(0, size - 1)) for size in n[:-1]]
    efficacy = [draw(st.none() | st.integers((low or 0) + 1, size)) for size, low in zip(n, futility, strict=False)]
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, day, infused = [], 0, 0
    while infused < n[-1] + 1:
        day += int(chance.integers(0, 40))
        enrolled = day + int(chance.integers(1, 21)) if chance.random() < 0.8 else NEVER
        treated = enrolled < NEVER and chance.random() < 0.8
        # no two are infused on one day: the order of ties is free
        infusion = (enrolled + int(chance.integers(5, 61))) * 100 + len(rows) if treated else NEVER
        known = infusion + 100 * int(chance.integers(20, 105)) if treated else 0
        response = int(chance.integers(0, 2)) if treated else 0
        rows.append((100 * day, 100 * enrolled if enrolled < NEVER else NEVER, infusion, known, response))
        infused += treated
    return staged(tuple(n), (*futility, last), (*efficacy, last + 1)), rows


@examples(150)
@given(trials(), st.booleans())
@pytest.mark.shows("EST-characteristics")
def test_against_a_loop_over_subjects(trial, pause):
    design, rows = trial
    assert one(run_design(design, calendar(rows), pause=pause)) == slow(design, rows, pause)


def test_trials_do_not_touch_each_other():
    rows = [(*row[:4], 1 - row[4] if row[2] < NEVER else 0) for row in ROWS]
    alone = [calendar(ROWS), calendar(rows)]
    together = Calendar(**{field.name: np.concatenate([getattr(part, field.name) for part in alone]) for field in fields(Calendar)})
    design = staged((2, 4), (0, 2), (None, 3))
    both = run_design(design, together, pause=True)
    for i, part in enumerate(alone):
        single = run_design(design, part, pause=True)
        assert all(getattr(both, field.name)[i] == getattr(single, field.name)[0] for field in fields(Ended))
    assert both.success.tolist() == [True, False]


def test_too_small_a_trial_is_refused():
    with pytest.raises(InputError, match="fewer than 6 subjects"):
        run_design(staged((6,), (2,), (3,)), calendar(ROWS), pause=False)
    few = replace(calendar(ROWS), counted=np.zeros((1, len(ROWS)), bool))
    with pytest.raises(InputError, match="fewer than 1 subjects"):
        run_design(staged((1,), (0,), (1,)), few, pause=False)


def test_the_first_members_of_each_trial():
    member = np.array([[True, False, True, True], [False, False, False, True]])
    # by hand
    assert count_first(member, 2).tolist() == [[True, False, True, False], [False, False, False, True]]
