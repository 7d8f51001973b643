"""What is a family of response criteria? Its statuses, what each does, what each is called, and by which name it is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator

from cartrial.study.criteria.codes import NOTHING, RESPONSES, Roles, words_of

__all__ = ["RULE_EVENT", "Family", "Names", "Reader", "agreeing_on_responses"]

RULE_EVENT = "relapse"
"""How the rules call the event of the disease, whatever a family calls it."""


@dataclass(frozen=True)
class Names:
    """How a family's rules are said.

    Parameters
    ----------
    response : str
        What a response is called: `remission`.
    event : str
        The event of the disease, as a study file names it: `relapse`.
    ended : str
        The status that is this event: `RELAPSE`.
    happened : str
        What a subject has then done: `relapsed`.
    progression : str
        What ends a window that is open until progression.
    failure : str
        The statuses without a response that make non-response.
    disease : str
        Disease before lymphodepletion.
    evidence : str
        What an assessment is made of: a sample, imaging.
    derived : str
        What a status is derived from.
    """

    response: str
    event: str
    ended: str
    happened: str
    progression: str
    failure: str
    disease: str
    evidence: str
    derived: str = "laboratory values"

    def put(self, text: str, **more: str) -> str:
        """Return a sentence with the family's names in the places that it leaves for them.

        Examples
        --------
        >>> from cartrial.study import FAMILIES
        >>> [family.names.put("free of {event}") for family in FAMILIES.values()]
        ['free of relapse', 'free of progression']
        """
        return text.format(**vars(self), **more)


@dataclass(frozen=True, eq=False)
class Family:
    """A family of response criteria: a table, and no rule is written elsewhere.

    Parameters
    ----------
    name : str
    best_first : tuple of str
        Its statuses, the best first: a subject's best call is the first of them, and tables are in this order.
    roles : Roles
        What each of them does.
    names : Names
        How its rules are said.
    planned : tuple of str
        What the shell of a cross-table of two readers shows.
    counted : tuple of str
        What a response rate counts where a study does not say.
    reads : dict of str to str
        What a term of the common code list, or a word of this family alone, is read as.
    agreement : dict of str to tuple of str
        Categories on which two readers agree though not on the status, the best status first; they agree on the lower one.
    counts_with : dict of str to str
        What a response rate counts too where it counts a status.
    alike : dict of str to str
        Statuses as they are compared where a call and what was measured may contradict each other.
    modalities : dict of str to str
        Tests of RS beside the overall one that are calls: by `PET` or by `CT`.
    named : tuple of str
        How a category of RS (RSCAT) names criteria of the family; patterns.
    events : tuple of str
        Events beside the one of the disease, which an endpoint may list.
    derive : str
        The kernel that derives a status from what was measured; blank where statuses are collected.
    """

    name: str
    best_first: tuple[str, ...]
    roles: Roles
    names: Names
    planned: tuple[str, ...]
    counted: tuple[str, ...]
    reads: dict[str, str] = field(default_factory=dict)
    agreement: dict[str, tuple[str, ...]] = field(default_factory=dict)
    counts_with: dict[str, str] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)
    modalities: dict[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    derive: str = ""

    @cached_property
    def agreed(self) -> np.ndarray:
        """What two calls agree on, `NOTHING` where they do not: int64, shape (statuses, statuses)."""
        found = np.full((len(RESPONSES), len(RESPONSES)), NOTHING, np.int64)
        np.fill_diagonal(found, np.arange(len(RESPONSES)))
        for group in self.agreement.values():
            for i, better in enumerate(group):
                for worse in group[i:]:
                    one, two = RESPONSES.index(better), RESPONSES.index(worse)
                    found[one, two] = found[two, one] = two
        return found

    @property
    def categories(self) -> dict[str, str]:
        """The category of each status that has one; every other status is its own category."""
        return {status: name for name, group in self.agreement.items() for status in group}

    @property
    def responses(self) -> tuple[str, ...]:
        """The words of what is a response."""
        return words_of(self.roles.responds)

    def named_events(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return names of events or reasons with the family's own for the event of the disease, which rules call relapse."""
        return tuple(self.names.event if name == RULE_EVENT else name for name in names)

    def said(self, *statuses: str) -> str:
        """Return statuses as a sentence names them, as `CR or CRi`."""
        return " or ".join(statuses or self.counted)


@cache
def agreeing_on_responses(family: Family) -> Family:
    """Return a family in which readers agree where both see a response: on the lesser one (rules of lymphoma, L6).

    Examples
    --------
    >>> from cartrial.study.criteria.lymphoma import LYMPHOMA
    >>> agreeing_on_responses(LYMPHOMA).categories
    {'CR': 'response', 'PR': 'response'}
    """
    responses = tuple(status for status in family.best_first if status in family.responses)
    return replace(family, agreement={**family.agreement, family.names.response: responses})


Reader = Annotated[
    Literal["IRC", "INV", "LAB", "READER 1", "READER 2"],
    BeforeValidator(
        lambda name: "LAB" if name == "CRITERIA" else name,
        json_schema_input_type=Literal["IRC", "INV", "LAB", "READER 1", "READER 2", "CRITERIA"],
    ),
]
"""Who reads, by the name that the reader has in every table: CRITERIA, as rules of lymphoma call it, is LAB."""
