"""Who responded, by each response endpoint and variant? ADRS, one row by subject, endpoint and variant."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.absent import NOT_READ, missing_of_rate, with_unread
from cartrial.endpoints.populations import Populations
from cartrial.endpoints.rules import best_rule, codes
from cartrial.endpoints.rules.best_kernel import assess_best
from cartrial.endpoints.rules.best_rule import best_for
from cartrial.endpoints.rules.codes import RATE_REASONS
from cartrial.endpoints.rules.inputs import courses_of, reads_of
from cartrial.endpoints.rules.rate_kernel import assess_rate
from cartrial.endpoints.rules.rate_rule import answers_for, rule_of, window_in_words
from cartrial.endpoints.sets.samples import derive_samples, early_event, unsampled
from cartrial.endpoints.sets.signs import reads_for_rate
from cartrial.endpoints.sets.trace import Trace, are_lean, as_dates, constant, nothing, take, with_imputed
from cartrial.response.flags import flag_names
from cartrial.sdtm.records import READERS
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import NE, RESPONSES

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.families import Family
    from cartrial.study.endpoint import Endpoint, Variant

__all__ = ["ADRS_SCHEMA", "derive_adrs", "words_of_flags"]

ADRS_SCHEMA = {
    **{"SUBJ": pl.Int32, "PARAMCD": pl.String, "PARAM": pl.String, "VARIANT": pl.String, "POPULATION": pl.String, "READER": pl.String},
    **{"AVAL": pl.Float64, "AVALC": pl.String, "REASON": pl.String, "ADT": pl.Date, "CARDAY": pl.Int32},
    **{"SRCDOM": pl.String, "SRCVAR": pl.String, "SRCSEQ": pl.Int64, "RULE": pl.String, "FLAGS": pl.String},
}

_FEW = 4096
"""Rows."""

_SENTENCES = {
    "response": "{status} counts as a response {window}",
    "no-response": "no response {window}: {status}",
    "no-usable-assessment": "nothing usable {window}",
    "relapse": "{event} is final: no response {window}",
    "death": "death before a usable assessment: no response {window}",
    "hsct": "transplant ended the time in which a response counts {window}",
    "re-infusion": "re-infusion ended the time in which a response counts {window}",
    "new-therapy": "new therapy ended the time in which a response counts {window}",
    "product-failure": "product failure before infusion is a non-response",
    "mrd-positive": "{response}, but MRD positive",
    "mrd-not-evaluable": "{response}, but MRD not evaluable (assay not sensitive enough or its limit unknown)",
    "mrd-missing": "{response}, but no MRD sample",
    "not-confirmed": "{response} not seen again after the days required",
    "withdrawn": "withdrawn, lost or taken off study before infusion",
    "b-cell-recovery": "B cells recovered {window}",
    "no-recovery": "no recovery of B cells {window}",
    "window-open": "the window is open at the cutoff and nothing has decided",
}


def derive_adrs(study: Study, populations: Populations, *, main: bool = False) -> pl.DataFrame:
    """Return ADRS.

    Parameters
    ----------
    study : Study
    populations : Populations
        Holds records, calls and course.
    main : bool
        Of the main analyses alone, without their variants.

    Returns
    -------
    polars.DataFrame
        Columns of `ADRS_SCHEMA`. AVAL is 1 or 0, null when not yet assessable; for all of a trial whose source cannot give it, REASON
        `not-recorded` or `not-derived`. A best response is a status in AVALC, without AVAL.
    """
    frames = [
        _rows(study, populations, variant)
        for endpoint in study.endpoints
        if endpoint.type != "time-to-event"
        for variant in study.variants(endpoint)[: 1 if main else None]
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=ADRS_SCHEMA)


def _rows(study: Study, populations: Populations, variant: Variant) -> pl.DataFrame:
    endpoint = variant.endpoint
    reader = READERS.index(endpoint.reader or study.readers.primary)
    calls, course = populations.calls[reader], populations.course
    member = with_unread(populations, endpoint, reader, populations.members(endpoint, reader))
    sampled = derive_samples(study, populations, endpoint, reader) if endpoint.samples else None
    if sampled is None:
        rows = np.flatnonzero(member)
        value, reason, chosen = (answer[rows] for answer in _answers(study, populations, endpoint, reader, member))
    else:
        rows = np.flatnonzero(member & (sampled.member | unsampled(populations, endpoint)[populations.trial]))
        value, reason = early_event(endpoint, course, sampled, rows)
        chosen = np.full(len(rows), -1, np.int64)
    decided = value >= 0
    if endpoint.not_yet_assessable == "non-responder":
        value = np.where(value < 0, 0, value)
    day = np.where(chosen >= 0, calls.day[np.maximum(chosen, 0)] if len(calls.day) else 0, FAR)
    gone = np.minimum(np.minimum(course.withdrawn, course.lost), course.ended)
    events = (
        *zip((codes.R_HSCT, codes.R_REINFUSION, codes.R_NEWTHERAPY), course.ice, strict=True),
        *((codes.R_DEATH, course.death), (codes.R_PRODUCT_FAILURE, course.failure), (codes.R_WITHDRAWN, gone)),
    )
    for code, days in events:
        day = np.where((reason == code) & (chosen < 0), days[rows], day)
    trace = Trace(rows)
    trace.from_assessment(calls, chosen >= 0, chosen)
    named = {"HSCT": codes.R_HSCT, "RE": codes.R_REINFUSION, "NEW": codes.R_NEWTHERAPY, "DEATH": codes.R_DEATH}
    deciding = {name: (reason == code) & (chosen < 0) for name, code in named.items()}
    for name, where in deciding.items():
        trace.from_course(course, where, name)
    if sampled is not None:
        shown = reason == codes.R_RECOVERY
        day = np.where(shown, sampled.end[rows], day)
        trace.from_sample(shown, sampled.source[rows])
        trace.from_assessment(calls, reason == codes.R_RELAPSE, sampled.call[rows])
    trace.from_disposition(((reason == codes.R_PRODUCT_FAILURE) | (reason == codes.R_WITHDRAWN)) & (chosen < 0))
    status = calls.status[np.maximum(chosen, 0)] if len(calls.day) else np.zeros(len(rows), np.int64)
    day0 = course.day0[rows]
    relative = pl.Series(np.where((day < FAR) & (day0 < FAR), day - day0, 0).astype(np.int32))
    no_day = pl.Series([None], dtype=pl.Int32).new_from_index(0, len(rows))
    flags = np.where(chosen >= 0, calls.flags[np.maximum(chosen, 0)] if len(calls.day) else 0, 0)
    best, unsaid = endpoint.type == "best-response", np.where(chosen >= 0, status, NE)
    columns = {
        "SUBJ": pl.Series(rows.astype(np.int32)),
        "PARAMCD": constant(endpoint.id, len(rows)),
        "PARAM": constant(endpoint.label, len(rows)),
        "VARIANT": constant(variant.name, len(rows)),
        "POPULATION": constant(endpoint.population, len(rows)),
        "READER": constant(endpoint.reader, len(rows)),
        "AVAL": pl.Series(value.astype(float)).zip_with(
            pl.Series(value >= 0), pl.Series([None], dtype=pl.Float64).new_from_index(0, len(rows))
        ),
        "AVALC": take(RESPONSES, unsaid) if best else take(("N", "Y", "NYA"), np.where(value < 0, 2, value)),
        "REASON": take(study.disease.family.named_events(RATE_REASONS), reason),
        "ADT": as_dates(day, course.frame["DATED"].to_numpy()[rows]),
        "CARDAY": relative.zip_with(pl.Series((day < FAR) & (day0 < FAR)), no_day),
        **trace.columns(),
        "RULE": _sentences(study, endpoint, reason, np.where(chosen >= 0, status, -1)),
        "FLAGS": with_imputed(words_of_flags(study.disease.family, flags), course, rows, deciding),
    }
    frame = pl.DataFrame(columns)
    unread = (value == 0) & decided & populations.not_read(reader)[rows]
    return _with_missing(_with_unread(frame, unread), missing_of_rate(study, populations, endpoint, reader, rows, reason))


def _answers(study: Study, populations: Populations, endpoint: Endpoint, reader: int, member: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return value (1, 0, or -1: none), reason and assessment of every subject; a best response has no value."""
    calls, course = populations.calls[reader], populations.course
    courses = courses_of(course)
    if endpoint.type == "best-response":
        best = best_for(len(member))
        work = len(calls.day) + len(member)
        assess_best(work, reads_of(calls, course), courses, member, best_rule.rule_of(study, endpoint), best)
        return np.full(len(member), -1, np.int64), best.reason, best.chosen
    answers = answers_for(len(member))
    reads, place = reads_for_rate(populations, endpoint, reader)
    assess_rate(len(reads.day) + len(member), reads, courses, member, rule_of(study, endpoint), answers)
    chosen = np.where(answers.chosen >= 0, place[np.maximum(answers.chosen, 0)] if len(place) else -1, -1)
    return answers.value, answers.reason, chosen


_NOTHING = ("AVAL", "AVALC", "ADT", "CARDAY", "SRCDOM", "SRCVAR", "SRCSEQ", "FLAGS")


def _with_unread(frame: pl.DataFrame, unread: np.ndarray) -> pl.DataFrame:
    """Flag the subjects that the reader has not read; they stay non-responders (rules, A3)."""
    if not unread.any():
        return frame
    words = pl.concat_str("FLAGS", pl.concat_str(pl.lit(f"{NOT_READ} by "), "READER"), separator="; ", ignore_nulls=True)
    return frame.with_columns(pl.when(pl.lit(pl.Series(unread))).then(words).otherwise("FLAGS").alias("FLAGS"))


def _with_missing(frame: pl.DataFrame, missing: list[tuple[np.ndarray, str]]) -> pl.DataFrame:
    """Take the values away that the source cannot give, and say why (rules, A3)."""
    for where, rule in reversed(missing):
        if not where.any():
            continue
        kept = ~pl.lit(pl.Series(where))
        nothing = [pl.when(kept).then(pl.col(name)).alias(name) for name in _NOTHING]
        said = {"REASON": rule.partition(":")[0].replace(" ", "-"), "RULE": rule}
        frame = frame.with_columns(
            *nothing, *(pl.when(kept).then(pl.col(name)).otherwise(pl.lit(text)).alias(name) for name, text in said.items())
        )
    return frame


def _sentences(study: Study, endpoint: Endpoint, reason: np.ndarray, status: np.ndarray) -> pl.Series:
    if are_lean():
        return nothing(pl.String, len(reason))
    best = endpoint.type == "best-response"
    texts = _texts(study.disease.family, None if best else window_in_words(study, endpoint))
    return take(texts, reason * (len(RESPONSES) + 1) + np.where(status < 0, len(RESPONSES), status))


@cache
def _texts(family: Family, window: str | None) -> tuple[str, ...]:
    """Return the sentence of each reason and status, of a window; of a best response without."""
    if window is None:
        sentences = dict.fromkeys(RATE_REASONS, f"{{status}} is the best usable status up to the first {family.names.progression}")
        sentences["no-usable-assessment"] = "nothing usable: NE"
    else:
        sentences = _SENTENCES
    names = [*RESPONSES, f"no {family.said()}"]
    return tuple(family.names.put(sentences[name], status=word, window=window or "") for name in RATE_REASONS for word in names)


def words_of_flags(family: Family, flags: np.ndarray) -> pl.Series:
    """Return flags in words, null where there is none."""
    if are_lean():
        return nothing(pl.String, len(flags))
    # either way the same: of few the one starts faster, of many the other goes on faster
    found = np.unique(flags) if len(flags) < _FEW else pl.Series(flags).unique().sort().to_numpy()
    return take([flag_names(int(number), family) or None for number in found], np.searchsorted(found, flags))
