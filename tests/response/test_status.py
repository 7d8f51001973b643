"""Statuses: what each does in a family, and on what two readers agree.

Origin of every expected value: `by hand`, paragraphs 3 and 4 of the rules (CR against CRi, NR against PD: agreement on the lower).
"""

from __future__ import annotations

import pytest

from cartrial.response.status_kernel import is_adequate, is_in
from cartrial.sdtm.vocabulary.terms import CODE_LISTS
from cartrial.study.criteria.codes import (
    CR,
    CRH,
    CRI,
    INDETERMINATE,
    IR,
    MLFS,
    MRD_RELAPSE,
    NE,
    NR,
    PD,
    PR,
    RELAPSE,
    RESPONSES,
    SD,
    statuses_of,
    words_of,
)
from cartrial.study.criteria.leukaemia import DISEASE, LEUKAEMIA, REMISSION

ALL = range(len(RESPONSES))
OF_LEUKAEMIA = (NE, CR, CRH, CRI, MLFS, NR, PD, RELAPSE, INDETERMINATE, MRD_RELAPSE)


def test_a_number_stands_for_its_word() -> None:
    """The first nine are as they have always been: a number of a status never changes."""
    words = {
        "NE": 0,
        "CR": 1,
        "CRh": 2,
        "CRi": 3,
        "MLFS": 4,
        "NR": 5,
        "PD": 6,
        "RELAPSE": 7,
        "INDETERMINATE": 8,
        "PR": 9,
        "SD": 10,
        "IR": 11,
        "MRD RELAPSE": 12,
    }
    assert {word: RESPONSES.index(word) for word in words} == words and len(words) == len(RESPONSES)
    assert sorted([*OF_LEUKAEMIA, PR, SD, IR]) == list(ALL)


def test_the_source_knows_the_same_words() -> None:
    assert set(CODE_LISTS["RSSTRESC"].terms) == set(RESPONSES)


def test_what_each_status_of_leukaemia_does() -> None:
    roles = LEUKAEMIA.roles
    assert [status for status in ALL if is_in(roles.responds, status)] == [CR, CRH, CRI, MRD_RELAPSE]
    assert [status for status in ALL if is_in(roles.fails, status)] == [NR, PD]
    assert [status for status in ALL if is_in(roles.progresses, status)] == [PD, RELAPSE]
    assert [status for status in ALL if is_in(roles.ends, status)] == [RELAPSE]
    assert [status for status in ALL if is_in(roles.follows, status)] == [RELAPSE, INDETERMINATE]
    assert (roles.becomes, roles.without, roles.stops) == (RELAPSE, NR, False)
    assert [status for status in ALL if not is_adequate(status)] == [NE]
    assert statuses_of(DISEASE) == (NR, PD, RELAPSE)
    assert words_of(REMISSION) == ("CR", "CRh", "CRi", "MRD RELAPSE")


def test_the_best_call_is_the_first() -> None:
    assert LEUKAEMIA.best_first == ("CR", "CRh", "CRi", "MRD RELAPSE", "MLFS", "NR", "PD", "RELAPSE", "INDETERMINATE", "NE")
    assert sorted(LEUKAEMIA.best_first) == sorted(RESPONSES[status] for status in OF_LEUKAEMIA)


LOWER = {(CR, CRH): CRH, (CR, CRI): CRI, (CRH, CRI): CRI, (NR, PD): NR} | {(status, MRD_RELAPSE): MRD_RELAPSE for status in (CR, CRH, CRI)}


@pytest.mark.parametrize("one", ALL)
@pytest.mark.shows("RULE-4.5")
def test_two_calls_agree_on_the_lower_of_a_category(one: int) -> None:
    for other in ALL:
        expected = one if one == other else LOWER.get((min(one, other), max(one, other)), -1)
        assert LEUKAEMIA.agreed[one, other] == LEUKAEMIA.agreed[other, one] == expected


def test_categories_are_those_on_which_readers_agree() -> None:
    """The table of concordance and the committee's rule mean the same by agreement."""
    categories = LEUKAEMIA.categories
    for one in ALL:
        for other in ALL:
            same = categories.get(RESPONSES[one], RESPONSES[one]) == categories.get(RESPONSES[other], RESPONSES[other])
            assert same == (LEUKAEMIA.agreed[one, other] >= 0)
