"""What happened to one subject, in the order of its days? Milestones, treatments, adverse events, and what has no date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.report.figures.panels import number_words
from cartrial.report.study.subject.places import Places
from cartrial.sdtm.records.codes import FAR
from cartrial.sdtm.vocabulary.occurrence import happened, undone
from cartrial.sdtm.vocabulary.terms import CODE_LISTS
from cartrial.study import Study

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm.records import Records

__all__ = ["Histories", "when_words"]

MILESTONES = {
    "RFICDT": ("CONSENT", "Consented"),
    "ENRLDT": ("ENROLLED", "Enrolled"),
    "LEUKDT": ("LEUK", "Leukapheresed"),
    "RELDT": ("RELEASED", "Product released"),
    "LDSTDT": ("LDSTART", "Lymphodepletion started"),
    "TRTSDT": ("DAY0", "First infusion"),
}
POPULATIONS = {
    "ENRLFL": "enrolled",
    "LEUKFL": "leukapheresed",
    "INFFL": "infused",
    "ASSFL": "assessed",
    "EVALFL": "evaluable",
    "RESPFL": "responders",
}
# told by a milestone or by ADSL
KNOWN = ("INFORMED CONSENT OBTAINED", "ENROLLED", "PRODUCT RELEASED", "DEATH", "LEUKAPHERESIS")
EVENTS = {"DS": ("DSDECOD", None), "PR": ("PRTRT", None), "CM": ("CMTRT", "CMCAT")}
# what is said of a record without a date: the name of what it is of, and its result
UNDATED: dict[str, tuple[str, ...]] = {
    "AE": ("AEDECOD", "AETERM"),
    "CE": ("CETERM",),
    "CM": ("CMTRT",),
    "DS": ("DSDECOD",),
    "EX": ("EXTRT",),
    "FA": ("FAOBJ",),
    "LB": ("LBTESTCD",),
    "MI": ("MISPEC",),
    "PR": ("PRTRT",),
    "RS": ("RSTESTCD",),
    "SS": ("SSTESTCD",),
    "TR": ("TRTESTCD",),
    "TU": ("TUTESTCD",),
}
SHOWN = 4
# records of one name, such as transfusions, that are told one by one
OFTEN = 3
_EPOCH = dt.date(1970, 1, 1)
# sorted after everything that has a day
_LAST = FAR


def when_words(date: dt.date | str | None, day: float | None) -> str:
    """Return a date and the days since first infusion in words.

    Examples
    --------
    >>> from cartrial.report.study.subject.history import when_words
    >>> when_words("2022-04-01", 90), when_words(None, -12), when_words("2022-04", None)
    ('2022-04-01, day 90', 'day -12', '2022-04')
    """
    shown = date.isoformat() if isinstance(date, dt.date) else (date or "")
    parts = [shown, f"day {day:g}" if day is not None else ""]
    return ", ".join(part for part in parts if part)


class Histories:
    """Tells of each subject what happened.

    Parameters
    ----------
    study : Study
    adam : Adam
        Derived data.
    records : Records or None
        The recorded data; without them what stands in ADSL and ADAE is told alone.
    places : Places
    hidden : bool
        Tell no date, no name that a site wrote, and no place in a file: days, and kinds of treatments, alone.
    """

    def __init__(self, study: Study, adam: Adam, records: Records | None, places: Places, *, hidden: bool = False) -> None:
        self._study, self._adam, self._records, self._places, self._hidden = study, adam, records, places, hidden
        self._frames: dict[str, dict[int, list[dict[str, Any]]]] = {}
        self._subjects = {row["SUBJ"]: row for row in records.subjects.iter_rows(named=True)} if records is not None else {}
        events = adam.adae.filter(pl.col("SPECIAL").is_not_null() | (pl.col("AETOXGR").cast(pl.Int32, strict=False) >= 3))
        self._adverse = _by_subject(events.sort("SUBJ", "CARSTDAY", maintain_order=True))

    def of(self, row: dict[str, Any]) -> list[str]:
        """Return what happened to the subject of a row of ADSL, in the order of its days, then how it stands."""
        dated = [*self._milestones(row), *self._events_of(row), *self._recorded(row), *self._end(row)]
        said = [words for _, words in sorted(dated, key=lambda pair: pair[0])]
        if row["INFFL"] != "Y":
            said.append("Not infused on or before the cutoff.")
        elif row["TRTSDT"] is None and not self._hidden:
            said.insert(0, "First infusion: day 0; the source has study days only.")
        said.extend(self._undated(row))
        cutoff = self._study.study.cutoff
        if cutoff:
            said.append("Nothing after the data cutoff is used." if self._hidden else f"Data cutoff: {cutoff}; nothing after it is used.")
        member = [words for name, words in POPULATIONS.items() if row.get(name) == "Y"]
        said.append(f"Populations (reader {self._study.readers.primary}): {', '.join(member) or 'none'}.")
        return said

    def _milestones(self, row: dict[str, Any]) -> Iterator[tuple[int, str]]:
        subject = self._subjects.get(row["SUBJ"])
        start = subject["DAY0"] if subject else None
        for name, (key, words) in MILESTONES.items():
            there = subject[key] if subject else None
            day = there - start if there is not None and start is not None else 0 if name == "TRTSDT" and row[name] else None
            date = None if self._hidden else row[name]
            if date is None and not (self._hidden and day is not None):
                continue
            said = "; not recorded, the first later step stands for it" if name == "ENRLDT" and row.get("ENRLDTF") == "Y" else ""
            yield (there if there is not None else (row[name] - _EPOCH).days), f"{words}: {when_words(date, day)}{said}."

    def _events_of(self, row: dict[str, Any]) -> Iterator[tuple[int, str]]:
        for event in self._adverse.get(row["SUBJ"], ()):
            grade = "grade not known" if event["AETOXGR"] is None else f"grade {event['AETOXGR']}"
            when = when_words(None if self._hidden else event["ASTDT"], event["CARSTDAY"]) or "no date"
            end = f" to day {event['CARENDAY']}" if event["CARENDAY"] is not None else ""
            name = event["AEDECOD"].capitalize() if event["AEDECOD"] else "Event that is not coded"
            yield self._order(row, event["CARSTDAY"]), f"{name}, {grade}: {when}{end}."

    def _end(self, row: dict[str, Any]) -> Iterator[tuple[int, str]]:
        if row["DTHFL"] == "Y":
            yield self._order(row, row["DTHDAY"], row["DTHDT"]), f"Died: {self._when(row['DTHDT'], row['DTHDAY'])}."
        elif row["LSTALVDT"] is not None or row["LSTALDAY"] is not None:
            yield self._order(row, row["LSTALDAY"], row["LSTALVDT"]), f"Last known alive: {self._when(row['LSTALVDT'], row['LSTALDAY'])}."

    def _when(self, date: dt.date | None, day: float | None) -> str:
        return when_words(None if self._hidden else date, day) or "no day is told without an infusion"

    def _order(self, row: dict[str, Any], day: float | None, date: dt.date | None = None) -> int:
        """Return where a day stands among those of the records."""
        if date is not None:
            return (date - _EPOCH).days
        start = self._subjects[row["SUBJ"]]["DAY0"] if row["SUBJ"] in self._subjects else None
        if start is None:
            start = (row["TRTSDT"] - _EPOCH).days if row["TRTSDT"] else 0
        return _LAST if day is None else start + int(day)

    def _recorded(self, row: dict[str, Any]) -> Iterator[tuple[int, str]]:
        """Dispositions, procedures, therapies, and every infusion of the product after the first, with where they stand."""
        for domain, (variable, category) in EVENTS.items():
            named: dict[str, list[dict[str, Any]]] = {}
            for event in self._domain(domain).get(row["SUBJ"], ()):
                name = str(event.get(variable) or "")
                if name.upper() in KNOWN or not name or event["DAY"] is None:
                    continue
                kind = str(event.get(category) or "") if category else ""
                words = name.capitalize() + (f" ({kind.lower()})" if kind else "")
                named.setdefault(self._kind(row, domain, event) if self._hidden else words, []).append(event)
            for words, events in named.items():
                if len(events) <= OFTEN:
                    yield from ((event["DAY"], self._line(row, domain, event, words)) for event in events)
                else:
                    lines = [self._line(row, domain, event, "")[2:] for event in (events[0], events[-1])]
                    yield events[0]["DAY"], f"{words}, {len(events)} records: first {lines[0]} Last {lines[1]}"
        start = self._subjects[row["SUBJ"]]["DAY0"] if row["SUBJ"] in self._subjects else None
        if start is None or self._records is None:
            return
        product = self._study.product
        for event in self._domain("EX").get(row["SUBJ"], ()):
            day, name = event["DAY"], str(event.get("EXTRT") or "").strip().upper()
            if day is None or day <= start or name not in product.exposure:
                continue
            again = "Re-infusion of the product" if product.re_infusion else "Product infused again, read as a new therapy"
            words = again if day > start + product.fraction_days else "Further fraction of the first infusion"
            amount, unit = event.get("EXDOSE"), event.get("EXDOSU") or ""
            yield (
                day,
                self._line(
                    row, "EX", event, words + (f" ({number_words(amount)} {str(unit).lower()}".rstrip() + ")" if amount is not None else "")
                ),
            )

    def _kind(self, row: dict[str, Any], domain: str, event: dict[str, Any]) -> str:
        """Return what a record is by its code, where the names that sites wrote are not told."""
        records = self._records
        tables = {"DS": "dispositions", "PR": "procedures", "CM": "therapies"}
        if records is None:
            return "Recorded"
        key = f"_{domain}"
        if key not in self._frames:
            self._frames[key] = _by_subject(getattr(records, tables[domain]))
        own = [found["KIND"] for found in self._frames[key].get(row["SUBJ"], ()) if found["SEQ"] == event["SEQ"]]
        known = next((kind for kind in own if kind in CODED), None)
        return known.capitalize() if known else {"DS": "Disposition", "PR": "Procedure", "CM": "Therapy"}[domain]

    def _line(self, row: dict[str, Any], domain: str, event: dict[str, Any], words: str) -> str:
        subject = self._subjects[row["SUBJ"]]
        start, first, last = subject["DAY0"], event["DAY"], event["DAYX"]
        text = None if self._hidden else event.get(f"{domain}STDTC")
        day = None if start is None else first - start
        if first != last and start is not None and last is not None:
            shown = f"{text or 'partial date'}, between day {first - start} and day {last - start}"
        else:
            none = "no day is told without an infusion" if self._hidden else "no date"
            shown = when_words(text, day if text is None or start is not None else None) or none
        late = " After the cutoff: not used." if first > subject["CUTOFF"] else ""
        source = "" if self._hidden else f" Source: {self._places.of(domain, row['USUBJID'], event['SEQ'])}."
        return f"{words}: {shown}.{source}{late}"

    def _undated(self, row: dict[str, Any]) -> Iterator[str]:
        """Say which records have no date, some of each domain."""
        for domain, names in UNDATED.items():
            found = [event for event in self._domain(domain).get(row["SUBJ"], ()) if event["DAY"] is None]
            if not found:
                continue
            shown = []
            for event in found[:SHOWN]:
                name = next((str(event[part]) for part in names if event.get(part)), "")
                result = event.get(f"{domain}STRESC") or event.get(f"{domain}ORRES") or ""
                said = " ".join(part for part in (name.lower() if domain in ("AE", "CM", "PR", "EX", "DS") else name, str(result)) if part)
                where = self._places.of(domain, row["USUBJID"], event["SEQ"])
                shown.append(f"{said or domain} ({where})" if where != domain else said or domain)
            many = f"{len(found)} records" if len(found) > 1 else "1 record"
            if self._hidden:
                yield f"Without a date: {many} of {domain}."
                continue
            more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            yield f"Without a date, {many} of {domain}: {'; '.join(shown)}{more}."

    def _domain(self, domain: str) -> dict[int, list[dict[str, Any]]]:
        if domain not in self._frames:
            frame = self._records.extra.get(domain) if self._records is not None else None
            if frame is None:
                self._frames[domain] = {}
            else:
                if domain in ("LB", "RS", "FA", "TR", "SS", "MI"):
                    # only what has no date is told of results: their days stand in the assessments and the figure
                    frame = frame.filter(pl.col("DAY").is_null() & ~undone(frame, domain))
                else:
                    frame = frame.filter(happened(frame, domain))
                self._frames[domain] = _by_subject(frame.sort("SUBJ", "DAY", "SEQ", nulls_last=True, maintain_order=True))
        return self._frames[domain]


CODED = frozenset(term for name in ("DSDECOD", "PRTRT", "CMCAT") for term in CODE_LISTS[name].terms)
"""Kinds of records that are told of a subject whose identity is hidden: terms of code lists, no site's own words."""


def _by_subject(frame: pl.DataFrame) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(row["SUBJ"], []).append(row)
    return found
