"""What does a section get? The study, the derived data and the results of one run, read only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from markupsafe import Markup

from cartrial.endpoints import kind_of_end
from cartrial.report.page.render import BANDS
from cartrial.report.page.rows import Rows
from cartrial.study import Endpoint, Study
from cartrial.study.criteria.codes import words_of
from cartrial.study.criteria.families import RULE_EVENT

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.endpoints.notices import Notice
    from cartrial.sdtm import Source
    from cartrial.sdtm.records import Records

__all__ = ["EVENT_WORDS", "REASON_WORDS", "SUBJECTS", "ReportData", "in_order", "reason_words"]

REASON_WORDS = {
    "response": "response",
    "no-response": "assessed, no response",
    "no-usable-assessment": "no usable assessment in the window",
    RULE_EVENT: "{event} before the assessment",
    "death": "died before a usable assessment",
    "hsct": "stem cell transplant before the assessment",
    "new-therapy": "new anticancer therapy before the assessment",
    "re-infusion": "re-infusion before the assessment",
    "product-failure": "the product failed",
    "mrd-positive": "in {response}, MRD positive",
    "mrd-not-evaluable": "in {response}, MRD not evaluable",
    "mrd-missing": "in {response}, MRD missing",
    "not-confirmed": "in {response}, not confirmed",
    "withdrawn": "withdrew before a usable assessment",
    "window-open": "the window is still open at the cutoff",
    "b-cell-recovery": "B cells recovered",
    "no-recovery": "no recovery of B cells",
    "not-recorded": "not recorded",
    "not-derived": "not derived",
}
EVENT_WORDS = {
    "non-response": "non-response",
    "relapse": "relapse",
    "response": "response",
    "death": "death",
    "hsct": "stem cell transplant",
    "new-therapy": "new anticancer therapy",
    "re-infusion": "re-infusion",
    "product-failure": "failure of the product",
    "b-cell-recovery": "recovery of B cells",
    "loss-of-persistence": "loss of persistence",
    "mrd-relapse": "relapse of residual disease",
    "cutoff": "cutoff",
    "lost": "lost to follow-up",
    "withdrawn": "withdrawn",
    "missed-visits": "missed visits",
    "no-baseline": "no imaging at baseline",
}

SUBJECTS, MOST_ON_PAGE = "subjects.html", 100
"""The page of subjects' sheets where there are more than so many; a report of fewer has them itself."""

FREE_UNTIL_CONTACT = "Assumption of the study file: a responder without an event was free of {event} until the last contact."


def reason_words(study: Study, name: str) -> str:
    """Return why there is no response, in the words of the study's family of criteria."""
    names = study.disease.family.names
    return names.put(REASON_WORDS.get(RULE_EVENT if name == names.event else name, name))


@dataclass(frozen=True)
class ReportData:
    """Everything a section may read.

    Parameters
    ----------
    study : Study
    source : Source or None
        The recorded data: files, records.
    adam : Adam
        Derived data: adsl, adrs, adtte, adae, adck, adresp.
    rows : Rows
        The results table.
    findings : pl.DataFrame
    provenance : {"real", "example", "virtual"}
    hidden : bool
        Whether whose data they are is hidden: study days, no date, no site, no words of a site.
    given : Records or None
        The integer-keyed records, where they are not to be derived from the source anew.
    """

    study: Study
    source: Source | None
    adam: Adam
    rows: Rows
    findings: pl.DataFrame
    provenance: str
    hidden: bool = False
    given: Records | None = None

    @property
    def band(self) -> str:
        """Text of the band across every page and figure; blank for real data."""
        return BANDS[self.provenance]

    @cached_property
    def labels(self) -> dict[int, str]:
        """Short name of each subject: USUBJID without what all subjects share up to a separator."""
        frame = self.adam.adsl
        if "USUBJID" not in frame.columns:
            return {subject: str(subject) for subject in frame["SUBJ"].to_list()}
        names = frame["USUBJID"].to_list()
        prefix = _shared(names)
        return dict(zip(frame["SUBJ"].to_list(), (name[len(prefix) :] for name in names), strict=True))

    @cached_property
    def addresses(self) -> dict[int, str]:
        """Where each subject's sheet stands on its page: ``subject-07``. A name that differs by its signs alone takes a number after it."""
        taken: dict[str, int] = {}
        found = {}
        for subject, label in self.labels.items():
            name = "subject-" + "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in label)
            taken[name] = taken.get(name, 0) + 1
            found[subject] = name if taken[name] == 1 else f"{name}--{taken[name]}"
        return found

    @property
    def apart(self) -> bool:
        """Whether subjects' sheets stand on a page of their own, because there are many."""
        return self.adam.adsl.height > MOST_ON_PAGE

    def link(self, subject: int, pattern: str = "{}", *, near: bool = False) -> Markup:
        """Return a link to a subject's sheet, its short name put in `pattern`; `near`: from another sheet of the same page."""
        page = "" if near else self.page_of_subjects
        return Markup('<a href="{}#{}">{}</a>').format(page, self.addresses[subject], pattern.format(self.labels[subject]))

    def link_of(self, usubjid: str | None) -> str:
        """Return a link to the sheet of whom a record names; the bare name where there is none."""
        subject = self._numbers.get(usubjid or "")
        return (usubjid or "") if subject is None else self.link(subject)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        frame = self.adam.adsl
        return dict(frame.select("USUBJID", "SUBJ").iter_rows()) if "USUBJID" in frame.columns else {}

    @property
    def page_of_subjects(self) -> str:
        """Name of the page on which subjects' sheets stand, blank where it is the report itself."""
        return SUBJECTS if self.apart else ""

    @cached_property
    def infused(self) -> pl.DataFrame:
        """Subjects that were infused: rows of ADSL."""
        return self.adam.adsl.filter(pl.col("INFFL") == "Y")

    @property
    def nobody(self) -> str:
        """Why there is nothing of the infused where there are none, in words; blank where there are some."""
        until = self.until if self.study.study.cutoff else "in the data"
        return f"No subject was infused {until}" if self.infused.is_empty() else ""

    @cached_property
    def records(self) -> Records | None:
        """The integer-keyed records of the source; None where a report is made of derived data alone."""
        if self.given is not None or self.source is None:
            return self.given
        from cartrial.sdtm.records import derive_records

        return derive_records(self.study, self.source)

    @cached_property
    def followed(self) -> bool:
        """Whether an event of the disease or survival was recorded: without either no time to event can be read from the data."""
        relapse = bool(self.adam.adresp["AVALC"].is_in(words_of(self.study.disease.family.roles.ends)).any())
        events = self.adam.adtte.height > 0 and bool((self.adam.adtte.select(kind_of_end())["CNSR"] != 1).any())
        contacts = self.records is None or self.records.survival.height > 0
        return relapse or events or contacts

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What must be told of the source."""
        return tuple(getattr(self.adam, "notices", ()))

    @property
    def assumed(self) -> list[str]:
        """What the study file assumes of what the source did not record, where that is so, in words."""
        recorded = self.records.recorded if self.records is not None else None
        if recorded is None:
            return []
        said = []
        if self.study.emd and not recorded.has("EMD", np.zeros(1, np.int64)).all():
            said.append("Assumption of the study file: extramedullary disease, which was never recorded, was absent.")
        if self.study.events.relapse_free_until and recorded.level == "events":
            said.append(self.study.disease.family.names.put(FREE_UNTIL_CONTACT))
        return said

    def assumed_of(self, endpoint: Endpoint) -> list[str]:
        """What of that can decide an endpoint: of whom nobody reads an assessment nothing, of a rate no relapse that came after it."""
        return [words for words in self.assumed if endpoint.read and (endpoint.timed or "until the last contact" not in words)]

    @property
    def cutoff_words(self) -> str:
        """The data cutoff as it is shown; blank where there is none."""
        cutoff = self.study.study.cutoff
        return "" if cutoff is None else "withheld: the report is de-identified" if self.hidden else cutoff.isoformat()

    @property
    def until(self) -> str:
        """Up to when the data were used, in words."""
        return "on or before the cutoff" if self.study.study.cutoff else "in the data, which have no cutoff date"

    @property
    def primary(self) -> Endpoint | None:
        """The primary endpoint; the first response rate where none is called primary."""
        endpoints = self.study.endpoints
        named = [endpoint for endpoint in endpoints if endpoint.role == "primary"]
        rates = [endpoint for endpoint in endpoints if endpoint.type == "response-rate"]
        return next(iter(named or rates), None)

    def rates(self) -> list[Endpoint]:
        """Return the response endpoints."""
        return [endpoint for endpoint in self.study.endpoints if endpoint.type == "response-rate"]

    def bests(self) -> list[Endpoint]:
        """Return the best responses."""
        return [endpoint for endpoint in self.study.endpoints if endpoint.type == "best-response"]

    def times(self) -> list[Endpoint]:
        """Return the times to event."""
        return [endpoint for endpoint in self.study.endpoints if endpoint.type == "time-to-event"]


def in_order(levels: list[str], known: tuple[str, ...]) -> list[str]:
    """Return levels in the order of the study file, those that it does not name after, missing last."""
    return sorted(levels, key=lambda level: (known.index(level) if level in known else len(known), level == "missing", level))


def _shared(names: list[str]) -> str:
    if len(names) < 2:
        return ""
    low, high = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    cut = max(low[:same].rfind(mark) for mark in "-_./ ")
    return low[: cut + 1]
