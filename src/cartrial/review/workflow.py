"""What is still to be done in which case, and by whom? The rule of the committee, asked with the reads that are signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cartrial.response import assess_response
from cartrial.response.codes import (
    ADJUDICATED,
    ADJUDICATION_IGNORED,
    AFTER_RELAPSE,
    LOWER_CATEGORY,
    PENDING,
    RELAPSE_DATES_DIFFER,
    SINGLE_READ,
)
from cartrial.sdtm.records import NO_CUTOFF, Records
from cartrial.sdtm.records.codes import ADJUDICATOR, IRC, OVERALL, READER1, READER2, READERS
from cartrial.sdtm.records.lesions import table_lesions
from cartrial.sdtm.records.tables import (
    table_adverse,
    table_calls,
    table_doses,
    table_kinds,
    table_labs,
    table_survival,
    table_therapies,
)
from cartrial.study.criteria.codes import CRH, MLFS, MRD_RELAPSE, RESPONSES

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["SEATS", "Settled", "settle_cases", "statuses_asked"]

SEATS = {1: READERS[READER1], 2: READERS[READER2], 3: READERS[ADJUDICATOR]}
"""Seats of a subject by number, in the words of RSEVALID."""

_READER = {1: READER1, 2: READER2, 3: ADJUDICATOR}
# no domain at all: the tables of the rules, without a row
_NO_DOMAINS: dict[str, pl.DataFrame] = {}


@dataclass(frozen=True)
class Settled:
    """What the committee says of a case from the reads that are signed.

    Parameters
    ----------
    state : str
        `unread`, `waits` (one has read), `differs` (to adjudicate), `settled`, or `after` (after the committee's own event: nobody is asked
        to adjudicate).
    status : str
        Of the committee; blank while there is none.
    why : str
        What is said of it: who agreed on what, which dates differ.
    """

    state: str
    status: str = ""
    why: str = ""


def settle_cases(
    study: Study, cases: Mapping[tuple[int, int], bool], reads: Iterable[tuple[int, int, int, str]]
) -> dict[tuple[int, int], Settled]:
    """Return what is settled of each case.

    Parameters
    ----------
    study : Study
        Its family says on what readers agree.
    cases : mapping of (subject, day) to bool
        Subjects numbered from 0, days from day 0; whether there is a marrow sample.
    reads : iterable of (subject, day, seat, status)
        Signed reads that stand: seat 1 and 2 the readers, 3 the adjudicator.

    Returns
    -------
    dict of (subject, day) to Settled

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.review.workflow import settle_cases
    >>> reads = [(0, 28, 1, "CR"), (0, 28, 2, "NR"), (0, 90, 1, "CR")]
    >>> found = settle_cases(Study.load("inaticel"), {(0, 28): True, (0, 90): True, (0, 180): True}, reads)
    >>> [settled.state for settled in found.values()]
    ['differs', 'waits', 'unread']
    """
    signed = list(reads)
    read = {(subject, day) for subject, day, _, _ in signed}
    found = {case: Settled("unread") for case in cases}
    if not signed:
        return found
    count = 1 + max(subject for subject, _ in cases)
    committee = assess_response(study, _records(study, count, cases, signed))[IRC]
    for subject, day, status, flags in zip(committee.subject, committee.day, committee.status, committee.flags, strict=True):
        case = (int(subject), int(day))
        if case in read:
            found[case] = _settled(int(status), int(flags))
    return found


def _settled(status: int, flags: int) -> Settled:
    after = bool(flags & AFTER_RELAPSE)
    if flags & SINGLE_READ and flags & PENDING:
        return Settled("waits")
    if flags & PENDING:
        why = "the dates of the event differ" if flags & RELAPSE_DATES_DIFFER else "the readers differ"
        return Settled("after" if after else "differs", why=why)
    said = {
        ADJUDICATED: "adjudicated",
        LOWER_CATEGORY: "the readers agree on the lower category",
        ADJUDICATION_IGNORED: "adjudication ignored",
    }
    why = "; ".join(words for bit, words in said.items() if flags & bit) or "the readers agree"
    return Settled("after" if after else "settled", RESPONSES[status], why)


def _records(study: Study, count: int, cases: Mapping[tuple[int, int], bool], reads: list[tuple[int, int, int, str]]) -> Records:
    """Return the records that the rule of the committee reads: calls, and the dates of samples. Day 0 is 0."""
    whole = {name: pl.Series([value] * count, dtype=pl.Int32) for name, value in (("DAY0", 0), ("LDSTART", 0), ("CUTOFF", NO_CUTOFF))}
    subjects = pl.DataFrame({"SUBJ": pl.Series(range(count), dtype=pl.Int32), "TRIAL": pl.Series([0] * count, dtype=pl.Int32), **whole})
    none = table_calls(study, _NO_DOMAINS)
    columns = {
        **{"SUBJ": [subject for subject, *_ in reads], **{name: [day for _, day, *_ in reads] for name in ("DAY", "DAYX")}},
        **{"READER": [_READER[seat] for *_, seat, _ in reads], "RESP": [RESPONSES.index(call) for *_, call in reads]},
        **{"ACCEPTED": [False] * len(reads), "MODALITY": [OVERALL] * len(reads), "SEQ": list(range(len(reads)))},
    }
    own = pl.DataFrame({name: values for name, values in columns.items() if name in none.columns})
    calls = pl.concat([none, own.cast({name: none.schema[name] for name in own.columns})], how="diagonal")
    sampled = [(subject, day, i) for i, ((subject, day), sample) in enumerate(cases.items()) if sample]
    empty = table_labs(_NO_DOMAINS)
    marrow = pl.DataFrame(
        {
            "SUBJ": [subject for subject, _, _ in sampled],
            **{name: [day for _, day, _ in sampled] for name in ("DAY", "DAYX")},
            **{"TEST": ["BLAST"] * len(sampled), "SPEC": ["BONE MARROW"] * len(sampled), "TAKEN": [True] * len(sampled)},
            **{"DONE": [False] * len(sampled), "SEQ": [i for _, _, i in sampled]},
        }
    )
    labs = pl.concat([empty, marrow.cast({name: empty.schema[name] for name in marrow.columns})], how="diagonal")
    return Records(
        subjects=subjects,
        calls=calls,
        labs=labs,
        lesions=table_lesions(_NO_DOMAINS, subjects),
        doses=table_doses(study, _NO_DOMAINS),
        procedures=table_kinds(_NO_DOMAINS, "PR", "PRTRT", "PRTRT"),
        therapies=table_therapies(_NO_DOMAINS),
        dispositions=table_kinds(_NO_DOMAINS, "DS", "DSDECOD", "DSDECOD"),
        survival=table_survival(_NO_DOMAINS),
        adverse=table_adverse(_NO_DOMAINS),
        deaths=pl.DataFrame(schema={"SUBJ": pl.Int32, "DAY": pl.Int32}),
    )


def statuses_asked(study: Study) -> tuple[str, ...]:
    """Return the statuses that a reader may call: those of the family that the study's criteria have.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.review.workflow import statuses_asked
    >>> statuses_asked(Study.load("inaticel"))
    ('CR', 'CRi', 'NR', 'PD', 'RELAPSE', 'INDETERMINATE', 'NE')
    """
    marrow = study.disease.marrow
    without = set()
    if marrow is not None:
        options = marrow[1]
        listed = {event for endpoint in study.endpoints for event in endpoint.events}
        has = {
            CRH: options.crh,
            MLFS: options.cri == "exactly-one" or options.aplastic == RESPONSES[MLFS],
            MRD_RELAPSE: "mrd-relapse" in listed,
        }
        without = {RESPONSES[status] for status, there in has.items() if not there}
    return tuple(status for status in study.disease.family.best_first if status not in without)
