"""Statuses: what each does, and on what two readers agree.

Origin of every expected value: `by hand`, paragraphs 3 and 4 of the rules (CR against CRi, NR against PD: agreement on the lower).
"""

from __future__ import annotations

import pytest

from cartrial.response import status_kernel
from cartrial.response.status_kernel import common_status, is_progression, is_remission, is_resistance
from cartrial.sdtm.vocabulary.terms import CODE_LISTS
from cartrial.study.criteria import codes
from cartrial.study.criteria.codes import (
    AGREEMENT,
    BEST_FIRST,
    CR,
    CRH,
    CRI,
    INDETERMINATE,
    MLFS,
    NE,
    NR,
    PD,
    RELAPSE,
    RESPONSES,
    statuses_of,
    words_of,
)

ALL = range(len(RESPONSES))


def test_a_number_stands_for_its_word() -> None:
    words = {
        "NE": NE,
        "CR": CR,
        "CRh": CRH,
        "CRi": CRI,
        "MLFS": MLFS,
        "NR": NR,
        "PD": PD,
        "RELAPSE": RELAPSE,
        "INDETERMINATE": INDETERMINATE,
    }
    assert {word: RESPONSES.index(word) for word in words} == words and len(words) == len(RESPONSES)


def test_the_source_knows_the_same_words() -> None:
    assert set(CODE_LISTS["RSSTRESC"].terms) == set(RESPONSES)


def test_what_each_status_does() -> None:
    assert [status for status in ALL if is_remission(status)] == [CR, CRH, CRI]
    assert [status for status in ALL if is_resistance(status)] == [NR, PD]
    assert [status for status in ALL if is_progression(status)] == [PD, RELAPSE]
    assert statuses_of(codes.DISEASE) == (NR, PD, RELAPSE)
    assert words_of(codes.REMISSION) == ("CR", "CRh", "CRi")


def test_the_best_call_is_the_first() -> None:
    assert BEST_FIRST == ("CR", "CRh", "CRi", "MLFS", "NR", "PD", "RELAPSE", "INDETERMINATE", "NE")
    assert sorted(BEST_FIRST) == sorted(RESPONSES)


LOWER = {(CR, CRH): CRH, (CR, CRI): CRI, (CRH, CRI): CRI, (NR, PD): NR}


@pytest.mark.parametrize("one", ALL)
def test_two_calls_agree_on_the_lower_of_a_category(one: int) -> None:
    for other in ALL:
        expected = one if one == other else LOWER.get((min(one, other), max(one, other)), -1)
        assert common_status(one, other) == common_status(other, one) == expected


def test_categories_are_those_on_which_readers_agree() -> None:
    """The table of concordance and the committee's rule mean the same by agreement."""
    for one in ALL:
        for other in ALL:
            same = AGREEMENT.get(RESPONSES[one], RESPONSES[one]) == AGREEMENT.get(RESPONSES[other], RESPONSES[other])
            assert same == (status_kernel.common_status(one, other) >= 0)
