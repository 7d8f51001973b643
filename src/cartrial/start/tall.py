"""What does a table of results hold that has one row a measurement, the test's name in one column and its result in another?"""

from __future__ import annotations

import re

from cartrial.sdtm.vocabulary.terms import standard_term
from cartrial.start.draft import Draft
from cartrial.start.measured import read_mrd, read_test
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.topics import topic_of
from cartrial.start.times import row_times

__all__ = ["read_tall"]

_TOPICS = {"BLAST": "blasts", "NEUT": "neutrophils", "PLAT": "platelets", "CARTG": "copies", "CARTC": "cells", "MRD": "mrd"}


def read_tall(draft: Draft) -> None:
    """Read tables of one row a measurement.

    Raises
    ------
    InputError
        If a result is none, or its unit is not known.
    """
    for layout in draft.layouts:
        found = {
            topic: next((one for one in layout.columns if one.topic == topic and one.filled), None) for topic in ("test", "value", "unit")
        }
        test, value = found["test"], found["value"]
        if test is None or value is None or not layout.long:
            continue
        times = row_times(draft, layout)
        if len(times) != 1 or times[0][1]:
            draft.leave(layout, value, "no column says on which date or day each result was taken")
            continue
        left = _read(draft, layout, test, value, found["unit"])
        draft.use(layout, test, "which test", f"not read: {', '.join(left)}" if left else "")
        if found["unit"] is not None:
            draft.use(layout, found["unit"], "unit of the result")


def _read(draft: Draft, layout: Layout, test: Column, value: Column, unit: Column | None) -> list[str]:
    """Read the results of each test that a rule reads; return the words of the others."""
    names: dict[str, list[str]] = {}
    left = []
    for word in dict.fromkeys(cell.text for cell in test.filled):
        topic = _topic(word)
        if topic is None:
            left.append(word)
        else:
            names.setdefault(topic, []).append(word)
    of = {cell.row: cell.text for cell in test.filled}
    units = {cell.row: cell.text for cell in unit.filled} if unit is not None else {}
    time = row_times(draft, layout)[0][0]
    for topic, words in names.items():
        for said in dict.fromkeys(units.get(cell.row, "") for cell in value.cells if of.get(cell.row) in words):
            cells = [cell for cell in value.cells if of.get(cell.row) in words and units.get(cell.row, "") == said]
            part = Column(value.number, value.path, cells, topic, said)
            # a rule has one condition: tests whose results stand in several units are told apart by their unit where their word is the same
            several = len({units.get(cell.row, "") for cell in value.cells if of.get(cell.row) in words}) > 1
            if several:
                draft.leave(layout, value, f"{words[0]} stands in several units")
                left.append(f"{words[0]} (several units)")
                break
            when = {"column": draft.ref(layout, test), "is": words}
            if topic == "mrd":
                read_mrd(draft, layout, part, time, when)
            else:
                read_test(draft, layout, part, [(time, when)])
    return left


def _topic(word: str) -> str | None:
    plain = re.sub(r"\s*[(\[].*$", "", word)
    code = standard_term(word, "LBTESTCD") or standard_term(plain, "LBTESTCD")
    topic = _TOPICS.get(code or "") or topic_of((word,))
    return topic if topic in (*_TOPICS.values(), "blood-blasts") else None
