"""What the committee says: finality of a reader's RELAPSE, and every random history against a second implementation.

Origin of the expected values: `by hand` from paragraph 4 and amendment A1 of the rules, written before the code was run; `independent`
for the random histories, by `slow_committee` below, which follows the sentences of docs/decided.md with lists and dictionaries.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from cartrial.response.codes import ADJUDICATED, ADJUDICATION_IGNORED, PENDING, RELAPSE_UNADJUDICATED
from cartrial.response.pairs_kernel import Panel, Rows, Samples
from cartrial.response.readers_kernel import assess_committee
from cartrial.response.sequence_kernel import Reads, assess_sequence
from cartrial.study.criteria.codes import RESPONSES
from cartrial.study.criteria.families import Family
from cartrial.study.criteria.leukaemia import LEUKAEMIA
from properties import count

Calls = dict[int, str]
REMISSION = ("CR", "CRh", "CRi")
RESISTANCE = ("NR", "PD")


@dataclass(frozen=True)
class History:
    """Calls by day from day 0: of both readers, the adjudicator and the committee itself; days of marrow samples."""

    one: Calls = field(default_factory=dict)
    two: Calls = field(default_factory=dict)
    judge: Calls = field(default_factory=dict)
    own: Calls = field(default_factory=dict)
    samples: tuple[int, ...] = ()


Said = list[tuple[int, str, bool, bool]]
"""The committee's calls: day, status, whether pending, whether a RELAPSE is not adjudicated."""


def arrays(calls: list[Calls]) -> Reads:
    days = [sorted(one) for one in calls]
    flat = [RESPONSES.index(calls[s][day]) for s, mine in enumerate(days) for day in mine]
    at = np.cumsum([0, *(len(mine) for mine in days)])
    whole = np.array([day for mine in days for day in mine], np.int64)
    zero, none = np.zeros(len(flat), np.int64), np.zeros(len(flat), bool)
    return Reads(at.astype(np.int64), whole, np.array(flat, np.int64), zero, zero.copy(), none, none.copy())


def panel_of(histories: list[History], family: Family = LEUKAEMIA) -> Panel:
    one, two, judge, own = (arrays([getattr(history, name) for history in histories]) for name in ("one", "two", "judge", "own"))
    return Panel(one, two, judge, own, family.agreed, family.roles)


def committee(histories: list[History]) -> list[Said]:
    """What the kernels say of histories that start on day 0."""
    panel = panel_of(histories)
    day0 = np.zeros(len(histories), np.int64)
    for reads in (panel.first, panel.second):
        assess_sequence.function(reads, day0, panel.roles)
    room = sum(len(reads.day) for reads in (panel.first, panel.second, panel.own))
    rows = Rows(np.zeros(len(histories) + 1, np.int64), np.zeros(room, bool), *(np.zeros(room, np.int64) for _ in range(9)))
    days = [sorted(history.samples) for history in histories]
    samples = Samples(np.cumsum([0, *map(len, days)]), np.array([day for mine in days for day in mine], np.int64))
    assess_committee.function(panel, samples, day0, rows)
    found = []
    for s in range(len(histories)):
        mine = range(rows.at[s], rows.at[s + 1])
        flags = [int(rows.flags[i]) for i in mine]
        found.append(
            sorted(
                (int(rows.day[i]), RESPONSES[rows.status[i]], bool(flag & PENDING), bool(flag & RELAPSE_UNADJUDICATED))
                for i, flag in zip(mine, flags, strict=True)
            )
        )
    return found


def say(**calls: Calls) -> Said:
    return committee([History(**calls)])[0]  # type: ignore[arg-type]


def statuses(**calls: Calls) -> dict[int, str]:
    return {day: status for day, status, _, _ in say(**calls)}


@pytest.mark.shows("RULE-4.7")
def test_one_readers_relapse_is_pending_and_later_agreed_reads_count() -> None:
    """A1: pending with `relapse-unadjudicated`; the CR that both read later is the committee's."""
    found = say(one={28: "CR", 90: "RELAPSE", 180: "CR"}, two={28: "CR", 90: "CR", 180: "CR"})
    assert found == [(28, "CR", False, False), (90, "NE", True, True), (180, "CR", False, False)]


@pytest.mark.shows("RULE-4.7")
def test_a_relapse_that_one_reader_alone_has_read_is_pending() -> None:
    """A1: one reader's RELAPSE without adjudication, here without the other's read."""
    assert say(one={28: "CR", 90: "NR"}, two={28: "CR"})[1] == (90, "NE", True, True)
    assert say(one={28: "CR", 90: "CR"}, two={28: "CR"})[1] == (90, "NE", True, False)


@pytest.mark.shows("RULE-4.7")
def test_an_overruled_relapse_ends_and_dates_nothing() -> None:
    """A1: the adjudicator says CR on day 90; both read RELAPSE on day 180, which agrees although reader 1 first said so on day 90."""
    one, two = {28: "CR", 90: "RELAPSE", 135: "CR", 180: "RELAPSE"}, {28: "CR", 90: "CR", 135: "CR", 180: "RELAPSE"}
    assert statuses(one=one, two=two, judge={90: "CR"}) == {28: "CR", 90: "CR", 135: "CR", 180: "RELAPSE"}
    # overruled as INDETERMINATE: there is no remission of the committee since, and still the overruled one dates nothing
    del one[135], two[135]
    assert statuses(one=one, two=two, judge={90: "INDETERMINATE"})[180] == "RELAPSE"


@pytest.mark.shows("RULE-4.5")
def test_a_relapse_that_nobody_overruled_dates_later_ones() -> None:
    """Paragraph 4 (truth table, subject 76): relapse dates 90 days apart disagree, so both RELAPSE of day 180 are pending."""
    found = say(one={28: "CR", 90: "RELAPSE", 180: "RELAPSE"}, two={28: "CR", 90: "CR", 180: "RELAPSE"})
    assert found[1:] == [(90, "NE", True, True), (180, "NE", True, True)]


def test_after_a_remission_that_both_read_a_relapse_is_dated_anew() -> None:
    """A1, later agreed reads count: both read CR on day 135, so the RELAPSE both read on day 180 is another one than that of day 90."""
    one, two = {28: "CR", 90: "RELAPSE", 135: "CR", 180: "RELAPSE"}, {28: "CR", 90: "CR", 135: "CR", 180: "RELAPSE"}
    assert statuses(one=one, two=two) == {28: "CR", 90: "NE", 135: "CR", 180: "RELAPSE"}


@pytest.mark.shows("RULE-4.7")
def test_nr_by_the_adjudicator_after_the_committees_remission_overrules_no_relapse() -> None:
    """Paragraph 3: NR after a remission is RELAPSE, for the committee's own sequence too; so reader 1's date of day 90 stands."""
    one, two = {28: "CR", 90: "RELAPSE", 180: "RELAPSE"}, {28: "CR", 90: "CR", 180: "RELAPSE"}
    assert statuses(one=one, two=two, judge={90: "NR"}) == {28: "CR", 90: "NR", 180: "NE"}
    # without a remission of the committee his NR means that there was none to relapse from
    one, two = {28: "CR", 90: "RELAPSE", 180: "RELAPSE"}, {28: "NR", 90: "NR", 180: "NR"}
    assert statuses(one=one, two=two, judge={28: "NR", 90: "NR", 180: "NR"}) == {28: "NR", 90: "NR", 180: "NR"}


def test_an_adjudication_goes_to_the_pair_that_differs_once_earlier_ones_are_settled() -> None:
    """The adjudication of day 66 is nearest to the pair of day 66, which agrees once that of day 30 has been overruled."""
    one = {10: "CR", 30: "RELAPSE", 62: "RELAPSE", 66: "RELAPSE"}
    two = {10: "CR", 30: "CR", 62: "CR", 66: "RELAPSE"}
    assert statuses(one=one, two=two, judge={30: "INDETERMINATE", 67: "RELAPSE"})[62] == "RELAPSE"


@pytest.mark.shows("RULE-4.2")
def test_the_committees_own_call_stands_for_one_pair() -> None:
    """Paragraph 4, each used once: the call of day 28 stands for the pair of day 27, not for that of day 33 as well."""
    found = statuses(one={27: "NR", 33: "CR"}, two={27: "CR", 33: "CR"}, own={28: "CR"})
    assert found == {28: "CR", 33: "CR"}


def test_the_committees_own_call_overrules_a_relapse() -> None:
    """A1 by analogy: what the committee itself says of a pair outweighs its readers; the RELAPSE dates nothing."""
    one, two = {28: "CR", 90: "RELAPSE", 180: "RELAPSE"}, {28: "CR", 90: "CR", 180: "RELAPSE"}
    assert statuses(one=one, two=two, own={90: "INDETERMINATE"}) == {28: "CR", 90: "INDETERMINATE", 180: "RELAPSE"}


def test_a_relapse_before_day_0_dates_none_after_it() -> None:
    """Paragraph 3: what was before day 0 is another course of the disease."""
    one = {-60: "CR", -20: "RELAPSE", 28: "CR", 90: "RELAPSE"}
    assert statuses(one=one, two={28: "CR", 90: "RELAPSE"})[90] == "RELAPSE"


# --- a second implementation -------------------------------------------------------------------------------------------------------------


def relabelled(calls: Calls) -> Calls:
    """Each reader's calls along his own sequence; what was on or before day 0 is a sequence of its own."""
    said: Calls = {}
    for day in sorted(calls):
        before = [other for other in said if other < day and (other > 0) == (day > 0)]
        remission = any(said[other] in REMISSION for other in before)
        call = calls[day]
        if remission:
            said[day] = "RELAPSE" if call in RESISTANCE else call
        else:
            said[day] = "NR" if call in ("RELAPSE", "INDETERMINATE") else call
    return said


def common(one: str, two: str) -> str | None:
    if one == two:
        return one
    if one in REMISSION and two in REMISSION:
        return "CRi" if "CRi" in (one, two) else "CRh"
    return "NR" if one in RESISTANCE and two in RESISTANCE else None


def greedy(left: list[int], right: list[int], gap: object) -> list[tuple[int, int]]:
    """The nearest two within 7 days, each used once, again and again; of equals the first of the left, then of the right."""
    found: list[tuple[int, int]] = []
    while True:
        free = [
            (gap(i, j), a, b, i, j)  # type: ignore[operator]
            for a, i in enumerate(left)
            for b, j in enumerate(right)
            if i not in [pair[0] for pair in found] and j not in [pair[1] for pair in found]
        ]
        free = [one for one in free if one[0] <= 7]
        if not free:
            return found
        found.append(min(free)[3:])


def slow_committee(history: History) -> Said:
    one, two = relabelled(history.one), relabelled(history.two)
    pairs = greedy(sorted(one), sorted(two), lambda a, b: abs(a - b))

    def day_of(pair: tuple[int, int]) -> int:
        sampled = [day for day in sorted(history.samples) if day in pair]
        return sampled[0] if sampled and pair[0] != pair[1] else min(pair)

    days = [day_of(pair) for pair in pairs]
    stood = {k: sorted(history.own)[i] for i, k in stands(sorted(history.own), days)}
    final: dict[int, str | None] = {}  # by pair: its status, None if pending
    void: set[tuple[int, int]] = set()  # reader, day of a RELAPSE that was overruled
    judged: dict[int, int] = {}

    def remission_before(day: int) -> int | None:
        known = [other for other, call in history.own.items() if call in REMISSION]
        known += [days[k] for k, status in final.items() if status in REMISSION and k not in stood]
        known = [other for other in known if other < day and (other > 0 or day <= 0)]
        return max(known) if known else None

    def said_by_both(k: int) -> str | None:
        a, b = pairs[k]
        status = common(one[a], two[b])
        if status != "RELAPSE":
            return status
        since = remission_before(days[k])
        if since is None:
            since = 0 if days[k] > 0 else -10_000
        dated = [
            min([own, *(day for day, call in calls.items() if call == "RELAPSE" and day > since and (who, day) not in void)])
            for who, calls, own in ((1, one, a), (2, two, b))
        ]
        return None if abs(dated[0] - dated[1]) > 14 else status

    for k in sorted(range(len(pairs)), key=lambda k: days[k]):
        open_ = [m for m in range(len(pairs)) if m not in final and m not in stood and said_by_both(m) is None]
        left = [day for day in sorted(history.judge) if day not in judged.values()]
        given = dict(greedy(open_, left, lambda m, day: min(abs(day - pairs[m][0]), abs(day - pairs[m][1]))))
        status, verdict = said_by_both(k), None
        if k in stood:
            verdict = history.own[stood[k]]
        elif k in given:
            judged[k] = given[k]
            status = verdict = history.judge[given[k]]
        upheld = verdict == "RELAPSE" or (verdict in RESISTANCE and remission_before(days[k]) is not None)
        if verdict is not None and not upheld:
            void |= {(who, day) for who, calls, day in ((1, one, pairs[k][0]), (2, two, pairs[k][1])) if calls[day] == "RELAPSE"}
        final[k] = status
    rows: Said = [(day, call, False, False) for day, call in history.own.items()]
    for k, (a, b) in enumerate(pairs):
        if k not in stood:
            seen = "RELAPSE" in (one[a], two[b])
            rows.append((days[k], final[k] or "NE", final[k] is None, final[k] is None and seen))
    for calls, used in ((one, [a for a, _ in pairs]), (two, [b for _, b in pairs])):
        for day, call in calls.items():
            if day not in used and not any(abs(day - other) <= 7 for other in history.own):
                rows.append((day, "NE", True, call == "RELAPSE"))
    return sorted(rows)


def stands(own: list[int], days: list[int]) -> list[tuple[int, int]]:
    return greedy(list(range(len(own))), list(range(len(days))), lambda i, k: abs(own[i] - days[k]))


def random_history(draw: random.Random) -> History:
    """Visits about a month apart, sometimes a few days, each read by some; a third of the calls are RELAPSE, NR or PD."""
    day, visits = draw.choice([-40, -10, 5, 20]), []
    for _ in range(draw.randint(1, 7)):
        visits.append(day)
        day += draw.choice([3, 5, 8, 14, 15, 16, 30, 45])
    words = ("CR", "CR", "CRi", "CRh", "NR", "PD", "RELAPSE", "RELAPSE", "RELAPSE", "INDETERMINATE", "NE")

    def reads(often: float, apart: int) -> Calls:
        return {visit + draw.randint(0, apart): draw.choice(words) for visit in visits if draw.random() < often}

    apart = draw.choice([0, 0, 0, 2, 7])
    return History(
        reads(0.9, apart),
        reads(0.9, apart),
        reads(draw.choice([0, 0.3, 0.8]), apart),
        reads(draw.choice([0, 0, 0.3]), apart),
        tuple(visit for visit in visits if draw.random() < 0.5),
    )


@pytest.mark.shows("RULE-4.6")
def test_random_histories_against_a_second_implementation() -> None:
    """`independent`: several thousand small histories, each row with its status and whether it is pending."""
    draw = random.Random(9)
    histories = [random_history(draw) for _ in range(count(20_000, quick=4_000))]
    for history, found in zip(histories, committee(histories), strict=True):
        assert found == slow_committee(history), history


@pytest.mark.shows("RULE-4.6")
def test_adjudications_are_used_once_and_only_where_they_belong() -> None:
    """`independent`: no pair has both flags, and there are no more of them than the adjudicator has reads."""
    draw = random.Random(10)
    histories = [random_history(draw) for _ in range(500)]
    panel = panel_of(histories)
    room = sum(len(reads.day) for reads in (panel.first, panel.second, panel.own))
    rows = Rows(np.zeros(len(histories) + 1, np.int64), np.zeros(room, bool), *(np.zeros(room, np.int64) for _ in range(9)))
    samples = Samples(np.zeros(len(histories) + 1, np.int64), np.zeros(0, np.int64))
    assess_committee.function(panel, samples, np.zeros(len(histories), np.int64), rows)
    for s, history in enumerate(histories):
        flags = rows.flags[rows.at[s] : rows.at[s + 1]]
        assert not ((flags & ADJUDICATED > 0) & (flags & ADJUDICATION_IGNORED > 0)).any()
        assert ((flags & (ADJUDICATED | ADJUDICATION_IGNORED)) > 0).sum() <= len(history.judge)
