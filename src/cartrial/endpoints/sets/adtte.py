"""How long until each event, by each time-to-event endpoint and variant? ADTTE, one row by subject, endpoint and variant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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


class _Asked(NamedTuple):
    """One variant of an endpoint, and the calls that it is read from."""

    study: Study
    populations: Populations
    endpoint: Endpoint
    reader: int
    calls: Calls

    @property
    def member(self) -> np.ndarray:
        """Who the endpoint is asked of: bool, shape (subjects,)."""
        return self.populations.members(self.endpoint, self.reader)

    def with_unread(self, member: np.ndarray) -> np.ndarray:
        """Those, and who might be one of them if the reader had read them."""
        return with_unread(self.populations, self.endpoint, self.reader, member)


class _Found(NamedTuple):
    """Times of all subjects: who has one, from which day, in whom an event could be seen, and from which samples they are."""

    times: Times
    member: np.ndarray
    origin: np.ndarray
    followed: np.ndarray
    sample: np.ndarray | None = None


class _Rows(NamedTuple):
    """Those who have a time: their subjects, the first and last day, and what ended it, all of shape (rows,)."""

    subject: np.ndarray
    origin: np.ndarray
    end: np.ndarray
    event: np.ndarray
    censor: np.ndarray
    source: np.ndarray


def _rows(study: Study, populations: Populations, variant: Variant) -> pl.DataFrame:
    endpoint, course = variant.endpoint, populations.course
    reader = READERS.index(endpoint.reader or study.readers.primary)
    calls = populations.calls[reader]
    if endpoint.clinical_progression:
        calls = with_clinical(study, populations.records, calls)
    asked = _Asked(study, populations, endpoint, reader, calls)
    found = _to_response(asked) if endpoint.events == (RESPONSE,) else _by_visits(asked) if endpoint.samples is None else _by_samples(asked)
    subject = np.flatnonzero(found.member)
    rows = _Rows(subject, found.origin[subject], *(filled[subject] for filled in found.times))
    trace = _sources(populations, calls, rows)
    if found.sample is not None:
        trace.from_sample(found.sample[subject] >= 0, found.sample[subject])
    dated, day0, count = course.frame["DATED"].to_numpy()[subject], course.day0[subject], len(subject)
    relative = pl.Series(np.where(day0 < FAR, rows.end - day0, 0).astype(np.int32))
    flags = np.where(rows.source >= 0, calls.flags[np.maximum(rows.source, 0)] if len(calls.day) else 0, 0)
    cnsr, described = _ends(asked, rows)
    columns = {
        "SUBJ": pl.Series(subject.astype(np.int32)),
        "PARAMCD": constant(endpoint.id, count),
        "PARAM": constant(endpoint.label, count),
        "VARIANT": constant(variant.name, count),
        "POPULATION": constant(endpoint.population, count),
        "READER": constant(endpoint.reader, count),
        "AVAL": pl.Series((rows.end - rows.origin + 1).astype(float)),
        "CNSR": pl.Series(cnsr.astype(np.int8)),
        "EVNTDESC": described,
        "CNSDTDSC": take(CENSOR_REASONS, np.where(rows.event >= 0, -1, rows.censor)),
        "STARTDT": as_dates(rows.origin, dated),
        "ADT": as_dates(rows.end, dated),
        "CARDAY": relative.zip_with(pl.Series(day0 < FAR), pl.Series([None], dtype=pl.Int32).new_from_index(0, count)),
        **trace.columns(),
        "RULE": nothing(pl.String, count) if are_lean() else _said(asked, rows, flags),
        "FLAGS": _flagged(asked, rows, flags),
    }
    settled = np.where((rows.event < 0) & (rows.source >= -1), FAR, rows.end)
    missing = missing_of_time(study, populations, endpoint, reader, subject, found.followed[subject], settled)
    return _with_missing(pl.DataFrame(columns), missing)


def _to_response(asked: _Asked) -> _Found:
    """Return the time to the first response of each subject: every responder has one, and nobody is censored."""
    calls, day0 = asked.calls, asked.populations.course.day0
    first = first_response(asked.study, calls, asked.populations.course, asked.endpoint)
    end = np.where(first >= 0, calls.day[np.maximum(first, 0)] if len(calls.day) else 0, day0)
    times = Times(end, np.full(len(first), codes.E_RESPONSE), np.full(len(first), -1), first)
    member = asked.with_unread(asked.member)
    return _Found(times, member, np.where(member, day0, FAR), member)


def _by_visits(asked: _Asked) -> _Found:
    """Return the times that visits, deaths and treatments decide (rules, paragraphs 5 and 6)."""
    study, populations, endpoint, reader, calls = asked
    starts = _origin(study, populations, endpoint, calls)
    own = asked.member & (starts < FAR)
    member, times = asked.with_unread(own), times_for(len(own))
    origin = np.where(member, starts, FAR)
    assess_time(
        *(len(calls.day) + len(member), reads_of(calls, populations.course), courses_of(populations.course)),
        *(origin, visits_of(study), rule_of(study, endpoint), times),
    )
    from_day0 = endpoint.timed and endpoint.origin != "first-response"
    if study.disease.imaging and from_day0 and endpoint.no_baseline == "censor":
        _without_baseline(times, starts, member & populations.without_baseline(reader))
    return _Found(times, member, origin, _recorded(populations, endpoint.events, calls, starts, own))


def _by_samples(asked: _Asked) -> _Found:
    """Return the times that samples decide."""
    found = derive_samples(asked.study, asked.populations, asked.endpoint, asked.reader)
    followed = ~unsampled(asked.populations, asked.endpoint)[asked.populations.trial]
    member = asked.with_unread(found.member | (asked.member & ~followed))
    times = Times(found.end, found.event, found.censor, found.call)
    return _Found(times, member, np.where(member, found.start, FAR), followed, found.source)


def _ends(asked: _Asked, rows: _Rows) -> tuple[np.ndarray, pl.Series]:
    """Return CNSR and what ended each time, in words: an event that competes is censored by a number of its own."""
    family, endpoint = asked.study.disease.family, asked.endpoint
    names = family.named_events(EVENT_NAMES)
    cnsr = np.where(rows.event >= 0, 0, 1 + rows.censor)
    for name in endpoint.analysis.competing:
        code = names.index(name)
        cnsr[rows.event == code] = COMPETING_FROM + code
    ended, words = _ended(rows), [*names, *CENSOR_REASONS]
    if endpoint.antigen:
        antigen = relapse_antigen(asked.populations.records, rows.subject, rows.end)
        relapsed = rows.event == codes.E_RELAPSE
        cnsr[relapsed & (antigen != ANTIGENS.index(endpoint.antigen))] = COMPETING_FROM + codes.E_RELAPSE
        ended = np.where(relapsed, len(words) + antigen, ended)
        words += [ANTIGEN_WORDS[name] for name in ANTIGENS]
    return cnsr, take(words, ended)


def _ended(rows: _Rows) -> np.ndarray:
    """Return the number of what ended each time, among the events and then the reasons to censor."""
    return np.where(rows.event >= 0, rows.event, len(EVENT_NAMES) + rows.censor)


_ICES = (
    ("HSCT", codes.E_HSCT, codes.C_HSCT),
    ("RE", codes.E_REINFUSION, codes.C_REINFUSION),
    ("NEW", codes.E_NEWTHERAPY, codes.C_NEWTHERAPY),
)


def _flagged(asked: _Asked, rows: _Rows, flags: np.ndarray) -> pl.Series:
    """Return FLAGS: those of the assessment that decided, and of an imputed date that decided."""
    decided = {name: (rows.event == ended) | ((rows.event < 0) & (rows.censor == stopped)) for name, ended, stopped in _ICES}
    decided = {"DEATH": rows.event == codes.E_DEATH, **decided}
    return with_imputed(words_of_flags(asked.study.disease.family, flags), asked.populations.course, rows.subject, decided)


def _said(asked: _Asked, rows: _Rows, flags: np.ndarray) -> pl.Series:
    """Return RULE: why each time ended, in a sentence."""
    family, endpoint = asked.study.disease.family, asked.endpoint
    said = family.said(*(endpoint.response if endpoint.names_response else ()))
    texts = [family.names.put(_EVENTS[name], responses=said) for name in EVENT_NAMES]
    texts += [_CENSORED[name] for name in CENSOR_REASONS]
    texts += [family.names.put("{event} that a clinician saw, an event on its date")]
    clinical = (rows.event == codes.E_RELAPSE) & (flags & (CLINICAL | CLINICAL_DISPOSITION) != 0)
    return take(texts, np.where(clinical, len(texts) - 1, _ended(rows)))


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


def _sources(populations: Populations, calls: Calls, rows: _Rows) -> Trace:
    course, source = populations.course, rows.source
    trace = Trace(rows.subject)
    trace.from_assessment(calls, source >= 0, source)
    trace.from_course(course, rows.event == codes.E_DEATH, "DEATH")
    for name, ended, _ in _ICES:
        trace.from_course(course, rows.event == ended, name)
    trace.from_course(course, source == codes.FROM_ALIVE, "ALIVE")
    for name, _, stopped in _ICES:
        trace.from_course(course, (source == codes.FROM_STOP) & (rows.censor == stopped), name)
    return trace
