"""How long until each event, by each time-to-event endpoint and variant? ADTTE, one row by subject, endpoint and variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.absent import missing_of_time, with_unread
from cartrial.endpoints.clinical import with_clinical
from cartrial.endpoints.populations import Populations, first_response
from cartrial.endpoints.rules import codes
from cartrial.endpoints.rules.codes import CENSOR_REASONS, COMPETING_FROM, EVENT_NAMES
from cartrial.endpoints.rules.inputs import courses_of, reads_of
from cartrial.endpoints.rules.time_kernel import Times, assess_time
from cartrial.endpoints.rules.time_rule import rule_of, times_for, visits_of
from cartrial.endpoints.sets.adrs import words_of_flags
from cartrial.endpoints.sets.antigen import ANTIGENS, relapse_antigen
from cartrial.endpoints.sets.samples import derive_samples, unsampled
from cartrial.endpoints.sets.trace import Trace, are_lean, as_dates, constant, nothing, take, with_imputed
from cartrial.response.arrays import Calls
from cartrial.response.codes import CLINICAL, CLINICAL_DISPOSITION
from cartrial.sdtm.records import READERS
from cartrial.sdtm.records.codes import FAR
from cartrial.study.attributes import RESPONSE
from cartrial.study.criteria.codes import NE
from cartrial.study.endpoint import ANTIGEN_WORDS

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint, Variant

__all__ = ["ADTTE_SCHEMA", "derive_adtte", "kind_of_end"]

ADTTE_SCHEMA = {
    **{"SUBJ": pl.Int32, "PARAMCD": pl.String, "PARAM": pl.String, "VARIANT": pl.String, "POPULATION": pl.String, "READER": pl.String},
    **{
        "AVAL": pl.Float64,
        "CNSR": pl.Int8,
        "EVNTDESC": pl.String,
        "CNSDTDSC": pl.String,
        "STARTDT": pl.Date,
        "ADT": pl.Date,
        "CARDAY": pl.Int32,
    },
    **{"SRCDOM": pl.String, "SRCVAR": pl.String, "SRCSEQ": pl.Int64, "RULE": pl.String, "FLAGS": pl.String},
}

_EVENTS = {
    RESPONSE: "the first usable {responses}",
    "non-response": "no {responses} in the response window, {failure} read in it: an event",
    "relapse": "{event}, an event on the date of its {evidence}",
    "mrd-relapse": "a remission whose residual disease has come back, an event on the date of its sample",
    "death": "death from any cause, an event",
    "hsct": "transplant, composite: an event on its date",
    "re-infusion": "re-infusion, composite: an event on its date",
    "new-therapy": "new therapy, composite: an event on its date",
    "b-cell-recovery": "B cells at or above the limit in samples so many days apart, an event on the date of the first",
    "loss-of-persistence": "below the limit of quantification in samples so many days apart, an event on the date of the first",
}
_CENSORED = {
    "cutoff": "no event up to the cutoff",
    "lost": "lost to follow-up, or last seen longer ago than one visit interval plus its margin",
    "withdrawn": "withdrawn",
    "missed-visits": "an event after the missed visits in a row that the study names: censored before the gap",
    "hsct": "observation stops at the transplant",
    "re-infusion": "observation stops at the re-infusion",
    "new-therapy": "observation stops at the new therapy",
    "no-baseline": "no imaging before lymphodepletion: censored on day 0",
}


def derive_adtte(study: Study, populations: Populations, *, main: bool = False) -> pl.DataFrame:
    """Return ADTTE.

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
        Columns of `ADTTE_SCHEMA`. AVAL is in days, date − origin + 1; CNSR is 0 for an event, else one integer for each reason for
        censoring and each competing event (`CNSR_CODES`); EVNTDESC is the event or the reason, CNSDTDSC the reason alone. Of an
        endpoint that the source of a trial cannot give (no survival status and no death; no assessment after the origin; no call by its
        reader) AVAL and CNSR are null, and RULE says why.
    """
    frames = [
        _rows(study, populations, variant)
        for endpoint in study.endpoints
        if endpoint.type == "time-to-event"
        for variant in study.variants(endpoint)[: 1 if main else None]
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=ADTTE_SCHEMA)


def kind_of_end(cnsr: str = "CNSR") -> pl.Expr:
    """Return what estimators ask of a time: 0 an event of interest, 1 censored, 2 a competing event (Int8).

    Parameters
    ----------
    cnsr : str
        Column of the codes of ADTTE.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.endpoints import kind_of_end
    >>> pl.DataFrame({"CNSR": [0, 1, 7, 22]}).select(kind_of_end())["CNSR"].to_list()
    [0, 1, 1, 2]
    """
    code = pl.col(cnsr)
    return pl.when(code >= COMPETING_FROM).then(2).when(code > 0).then(1).otherwise(code).cast(pl.Int8).alias(cnsr)


def _rows(study: Study, populations: Populations, variant: Variant) -> pl.DataFrame:
    endpoint, family = variant.endpoint, study.disease.family
    reader = READERS.index(endpoint.reader or study.readers.primary)
    calls, course = populations.calls[reader], populations.course
    if endpoint.clinical_progression:
        calls = with_clinical(study, populations.records, calls)
    if endpoint.events == (RESPONSE,):
        member = with_unread(populations, endpoint, reader, populations.members(endpoint, reader))
        times, origin, sample = _to_response(study, populations, endpoint, calls), np.where(member, course.day0, FAR), None
        followed = member
    elif endpoint.samples is None:
        starts = _origin(study, populations, endpoint, calls)
        member = populations.members(endpoint, reader) & (starts < FAR)
        followed = _recorded(populations, endpoint.events, calls, starts, member)
        member = with_unread(populations, endpoint, reader, member)
        times, origin, sample = times_for(len(member)), np.where(member, starts, FAR), None
        assess_time(
            *(len(calls.day) + len(member), reads_of(calls, course), courses_of(course)),
            *(origin, visits_of(study), rule_of(study, endpoint), times),
        )
        from_day0 = endpoint.timed and endpoint.origin != "first-response"
        if study.disease.imaging and from_day0 and endpoint.no_baseline == "censor":
            _without_baseline(times, starts, member & populations.without_baseline(reader))
    else:
        found = derive_samples(study, populations, endpoint, reader)
        followed = ~unsampled(populations, endpoint)[populations.trial]
        member = with_unread(populations, endpoint, reader, found.member | (populations.members(endpoint, reader) & ~followed))
        times, sample = Times(found.end, found.event, found.censor, found.call), found.source
        origin = np.where(member, found.start, FAR)
    rows = np.flatnonzero(member)
    end, event, censor, source = (filled[rows] for filled in times)
    trace = _sources(populations, calls, rows, event, censor, source)
    if sample is not None:
        trace.from_sample(sample[rows] >= 0, sample[rows])
    cnsr = np.where(event >= 0, 0, 1 + censor)
    for name in endpoint.analysis.competing:
        code = family.named_events(EVENT_NAMES).index(name)
        cnsr[event == code] = COMPETING_FROM + code
    ended = np.where(event >= 0, event, len(EVENT_NAMES) + censor)
    ends = [*family.named_events(EVENT_NAMES), *CENSOR_REASONS]
    if endpoint.antigen:
        antigen = relapse_antigen(populations.records, rows, end)
        relapsed = event == codes.E_RELAPSE
        cnsr[relapsed & (antigen != ANTIGENS.index(endpoint.antigen))] = COMPETING_FROM + codes.E_RELAPSE
        ended = np.where(relapsed, len(ends) + antigen, ended)
        ends += [ANTIGEN_WORDS[name] for name in ANTIGENS]
    dated = course.frame["DATED"].to_numpy()[rows]
    day0 = course.day0[rows]
    relative = pl.Series(np.where(day0 < FAR, end - day0, 0).astype(np.int32))
    flags = np.where(source >= 0, calls.flags[np.maximum(source, 0)] if len(calls.day) else 0, 0)
    ices = (
        ("HSCT", codes.E_HSCT, codes.C_HSCT),
        ("RE", codes.E_REINFUSION, codes.C_REINFUSION),
        ("NEW", codes.E_NEWTHERAPY, codes.C_NEWTHERAPY),
    )
    decided = {name: (event == ended) | ((event < 0) & (censor == stopped)) for name, ended, stopped in ices}
    words = with_imputed(words_of_flags(study.disease.family, flags), course, rows, {"DEATH": event == codes.E_DEATH, **decided})
    said = family.said(*(endpoint.response if endpoint.names_response else ()))
    texts = [family.names.put(_EVENTS[name], responses=said) for name in EVENT_NAMES]
    texts += [_CENSORED[name] for name in CENSOR_REASONS]
    texts += [family.names.put("{event} that a clinician saw, an event on its date")]
    clinical = (event == codes.E_RELAPSE) & (flags & (CLINICAL | CLINICAL_DISPOSITION) != 0)
    told = np.where(event >= 0, event, len(EVENT_NAMES) + censor)
    columns = {
        "SUBJ": pl.Series(rows.astype(np.int32)),
        "PARAMCD": constant(endpoint.id, len(rows)),
        "PARAM": constant(endpoint.label, len(rows)),
        "VARIANT": constant(variant.name, len(rows)),
        "POPULATION": constant(endpoint.population, len(rows)),
        "READER": constant(endpoint.reader, len(rows)),
        "AVAL": pl.Series((end - origin[rows] + 1).astype(float)),
        "CNSR": pl.Series(cnsr.astype(np.int8)),
        "EVNTDESC": take(ends, ended),
        "CNSDTDSC": take(CENSOR_REASONS, np.where(event >= 0, -1, censor)),
        "STARTDT": as_dates(origin[rows], dated),
        "ADT": as_dates(end, dated),
        "CARDAY": relative.zip_with(pl.Series(day0 < FAR), pl.Series([None], dtype=pl.Int32).new_from_index(0, len(rows))),
        **trace.columns(),
        "RULE": nothing(pl.String, len(rows)) if are_lean() else take(texts, np.where(clinical, len(texts) - 1, told)),
        "FLAGS": words,
    }
    frame = pl.DataFrame(columns)
    settled = np.where((event < 0) & (source >= -1), FAR, end)
    missing = missing_of_time(study, populations, endpoint, reader, rows, followed[rows], settled)
    return _with_missing(frame, missing)


def _without_baseline(times: Times, origin: np.ndarray, where: np.ndarray) -> None:
    """Censor on the first day, in place, the subjects of whom no imaging was before lymphodepletion (rules of lymphoma, L8)."""
    times.end[where], times.event[where], times.censor[where], times.source[where] = origin[where], -1, codes.C_NO_BASELINE, -1


_NOTHING = ("AVAL", "CNSR", "EVNTDESC", "CNSDTDSC", "ADT", "CARDAY", "SRCDOM", "SRCVAR", "SRCSEQ", "FLAGS")


def _with_missing(frame: pl.DataFrame, missing: list[tuple[np.ndarray, str]]) -> pl.DataFrame:
    """Take the values away that the source cannot give, and say why (rules, A3)."""
    for where, rule in reversed(missing):
        if where.any():
            kept = ~pl.lit(pl.Series(where))
            nothing = [pl.when(kept).then(pl.col(name)).alias(name) for name in _NOTHING]
            frame = frame.with_columns(*nothing, pl.when(kept).then(pl.col("RULE")).otherwise(pl.lit(rule)).alias("RULE"))
    return frame


def _to_response(study: Study, populations: Populations, endpoint: Endpoint, calls: Calls) -> Times:
    """Return the time to the first response of each subject: every responder has one, and nobody is censored."""
    first = first_response(study, calls, populations.course, endpoint)
    end = np.where(first >= 0, calls.day[np.maximum(first, 0)] if len(calls.day) else 0, populations.course.day0)
    return Times(end, np.full(len(first), codes.E_RESPONSE), np.full(len(first), -1), first)


def _origin(study: Study, populations: Populations, endpoint: Endpoint, calls: Calls) -> np.ndarray:
    """Return the day on which each subject's time starts, `FAR` where it does not: int64, shape (subjects,)."""
    course = populations.course
    if endpoint.origin != "first-response":
        return course.day0 if endpoint.origin == "day-0" else course.enrolled
    first = first_response(study, calls, course, endpoint)
    return np.where(first >= 0, calls.day[np.maximum(first, 0)] if len(calls.day) else 0, FAR)


def _recorded(populations: Populations, events: tuple[str, ...], calls: Calls, origin: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Whether a subject's trial could show any of the events: bool, shape (subjects,).

    Survival needs a status or a death, relapse an assessment after the origin, somewhere in the trial.
    """
    trial = populations.trial
    shown = np.full(populations.trials, populations.records.recorded.shared)
    if "death" in events:
        shown |= populations.survival_recorded()
    if set(events) - {"death"}:
        followed = member[calls.subject] & (calls.status != NE) & (calls.day > origin[calls.subject])
        shown[trial[calls.subject[followed]]] = True
    recorded: np.ndarray = shown[trial]
    return recorded


def _sources(populations: Populations, calls: Calls, rows: np.ndarray, event: np.ndarray, censor: np.ndarray, source: np.ndarray) -> Trace:
    course = populations.course
    trace = Trace(rows)
    trace.from_assessment(calls, source >= 0, source)
    for code, name in ((codes.E_DEATH, "DEATH"), (codes.E_HSCT, "HSCT"), (codes.E_REINFUSION, "RE"), (codes.E_NEWTHERAPY, "NEW")):
        trace.from_course(course, event == code, name)
    trace.from_course(course, source == codes.FROM_ALIVE, "ALIVE")
    for code, name in ((codes.C_HSCT, "HSCT"), (codes.C_REINFUSION, "RE"), (codes.C_NEWTHERAPY, "NEW")):
        trace.from_course(course, (source == codes.FROM_STOP) & (censor == code), name)
    return trace
