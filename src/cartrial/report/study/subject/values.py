"""What is each value of a subject, in a sentence: answer, reason, day, rule, source row?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cartrial.endpoints.rules.codes import COMPETING_FROM
from cartrial.report.study.data import EVENT_WORDS, reason_words
from cartrial.report.study.subject.history import when_words
from cartrial.report.study.subject.places import Places
from cartrial.study import Study

__all__ = ["ANSWERS", "answer_words", "value_sentence"]

ANSWERS = {"Y": "response", "N": "no response", "NYA": "not yet assessable"}


def answer_words(study: Study, row: Mapping[str, Any], *, rate: bool) -> str:
    """Return a value with its reason: of a row of ADRS where `rate`, else of one of ADTTE.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.report.study.subject.values import answer_words
    >>> row = {"AVAL": 31.0, "CNSR": 1, "EVNTDESC": "lost", "RULE": "last seen long ago"}
    >>> answer_words(Study.load("inaticel"), row, rate=False)
    'Censored after 31 days: lost to follow-up'
    """
    if row["AVAL"] is None and (row["RULE"] or "").startswith(("not recorded", "not derived")):
        return f"{row['RULE'][:1].upper()}{row['RULE'][1:]}"
    if rate:
        answer = ANSWERS.get(row["AVALC"], row["AVALC"] or "no value")
        reason = "" if row["REASON"] in ("response", None) else f" ({reason_words(study, row['REASON'])})"
        return f"{answer[:1].upper()}{answer[1:]}{reason}"
    what = row["EVNTDESC"]
    kind = "Event" if row["CNSR"] == 0 else "Competing event" if row["CNSR"] >= COMPETING_FROM else "Censored"
    days = "" if row["AVAL"] is None else f" after {row['AVAL']:g} day{'' if row['AVAL'] == 1 else 's'}"
    return f"{kind}{days}: {EVENT_WORDS.get(what, what)}"


def value_sentence(study: Study, places: Places, usubjid: str, row: Mapping[str, Any], *, rate: bool) -> str:
    """Return a value in a sentence, with its date, rule, source row and flags; `row` and `rate` as in `answer_words`."""
    said = answer_words(study, row, rate=rate)
    if row["AVAL"] is None and (row["RULE"] or "").startswith(("not recorded", "not derived")):
        return f"{said}."
    when = when_words(row["ADT"], row["CARDAY"])
    where = places.of(row["SRCDOM"], usubjid, row["SRCSEQ"])
    said += f", {when}" if when else ""
    rule = f" Rule: {row['RULE'].rstrip('.')}." if row["RULE"] else ""
    flags = f" Flags: {row['FLAGS'].replace(';', ', ')}." if row["FLAGS"] else ""
    return f"{said}.{rule}{f' Source: {where}.' if where else ''}{flags}"
