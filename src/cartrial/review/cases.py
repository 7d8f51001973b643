"""Which assessments does a committee read? The dates at which the study's records hold evidence of the disease after the infusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.errors import InputError
from cartrial.response import assess_response, records_used
from cartrial.response.pairs_kernel import PAIR_DAYS
from cartrial.review.evidence import digest_of, evidence_of, find_rows, history_of, window_of
from cartrial.review.imaging import imaged_dates, measurements_of
from cartrial.sdtm.records.codes import FAR, INV
from cartrial.study.criteria.codes import RESPONSES

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["IMAGED", "NOT_IMAGED", "SAMPLE", "Case", "derive_cases", "find_cases"]

SAMPLE, ELSEWHERE, NO_SAMPLE = "sample", "elsewhere", "no sample"
"""Why there is a case: a marrow sample, disease outside it, or a visit at which no sample was taken."""

IMAGED, NOT_IMAGED = "imaging", "no imaging"
"""The same of criteria that are read from imaging."""


@dataclass(frozen=True)
class Case:
    """One assessment to be read.

    Parameters
    ----------
    subject : str
        USUBJID.
    day : int
        From day 0.
    sampled : bool
        Whether there is a marrow sample.
    derived : str
        The status by the study's limits; blank where there is none. No reader is shown it.
    evidence : dict
        As `cartrial.review.evidence.evidence_of` gives it.
    digest, window, history : str
        Of the evidence, of what the call rests on, and of what came before.
    """

    subject: str
    day: int
    sampled: bool
    derived: str
    evidence: dict[str, Any]
    digest: str
    window: str
    history: str


def derive_cases(study: Study, records: Records, called: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the dates that a committee reads: after day 0, on or before the cutoff; before it too where the charter says so.

    Parameters
    ----------
    study : Study
    records : Records
    called : polars.DataFrame, optional
        SUBJ, DAY and READER of a committee's calls that are to be read anew.

    Returns
    -------
    polars.DataFrame
        SUBJ, DAY (from day 0), KIND (sample, elsewhere, no sample; imaging, no imaging), STATUS (-1: none), FLAGS, SAMPLED, and what
        `cartrial.response.records_used` or `cartrial.review.imaging.imaged_dates` says of it. Of an investigator's calls the date alone is
        used, and only where the records hold nothing within 7 days; so it is of each reader of `called`, one after the other.

    Raises
    ------
    InputError
        If the study's criteria derive no status from measurements: readers would have nothing to read.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study
    >>> from cartrial.review.cases import derive_cases
    >>> from cartrial.sdtm import Source
    >>> from cartrial.sdtm.records import derive_records
    >>> who = {"STUDYID": "S", "USUBJID": "S-01"}
    >>> ex = pl.DataFrame(who | {"EXSEQ": [1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"})
    >>> lb = {"LBSEQ": [1], "LBTESTCD": "BLAST", "LBSTRESC": "2", "LBSPEC": "BONE MARROW", "LBSTRESU": "%", "LBDTC": "2022-01-29"}
    >>> rs = {"RSSEQ": [1, 2], "RSTESTCD": "OVRLRESP", "RSSTRESC": "CR", "RSEVAL": "INVESTIGATOR"}
    >>> rs = pl.DataFrame(who | rs | {"RSDTC": ["2022-01-30", "2022-04-01"]})
    >>> source = Source({"DM": pl.DataFrame(who | {"ROW": [2]}), "EX": ex, "LB": pl.DataFrame(who | lb), "RS": rs})
    >>> study = Study.load("inaticel")
    >>> derive_cases(study, derive_records(study, source)).select("DAY", "KIND").rows()
    [(28, 'sample'), (90, 'no sample')]
    """
    if study.disease.marrow is None and study.disease.imaging is None:
        what = "these criteria derive no status from measurements, so that there is nothing to show to a reader"
        raise InputError(what, key="disease.criteria", right="Its readers record their calls in RS, as before")
    found, none = _imaged(study, records) if study.disease.marrow is None else (_sampled(study, records), NO_SAMPLE)
    day0 = records.subjects.select("SUBJ", pl.col("DAY0").cast(pl.Int64))
    calls = assess_response(study, records)[INV]
    visits = [pl.DataFrame({"SUBJ": calls.subject, "DAY": calls.day}, schema={"SUBJ": pl.Int32, "DAY": pl.Int64}).unique()]
    if called is not None:
        parts = called.sort("READER").partition_by("READER", maintain_order=True)
        visits += [part.select(pl.col("SUBJ").cast(pl.Int32), pl.col("DAY").cast(pl.Int64)).unique() for part in parts]
    for visit in visits:
        found = pl.concat([found, _apart(visit, found, none)])
    dated = found.join(day0, on="SUBJ").filter(pl.col("DAY0").is_not_null())
    after = dated.filter((pl.col("DAY") > pl.col("DAY0")) | pl.lit(study.committee.baseline)).with_columns(pl.col("DAY") - pl.col("DAY0"))
    days = [(pl.col(name) - pl.col("DAY0")).alias(name) for name in ("SCANNED",) if name in after.columns]
    return after.with_columns(days).drop("DAY0").sort("SUBJ", "DAY")


def _sampled(study: Study, records: Records) -> pl.DataFrame:
    kind = pl.when(pl.col("SAMPLED") == 1).then(pl.lit(SAMPLE)).otherwise(pl.lit(ELSEWHERE)).alias("KIND")
    return records_used(study, records).with_columns(kind)


def _imaged(study: Study, records: Records) -> tuple[pl.DataFrame, str]:
    found = imaged_dates(study, measurements_of(study, records))
    return found.with_columns(pl.lit(IMAGED).alias("KIND"), (pl.col("SCANNED") > -FAR).cast(pl.Int64).alias("SAMPLED")), NOT_IMAGED


def _apart(visits: pl.DataFrame, found: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return the dates of calls that have no date of a case within 7 days, as cases at which nothing was found."""
    near = visits.join(found.select("SUBJ", pl.col("DAY").alias("AT")), on="SUBJ").filter((pl.col("DAY") - pl.col("AT")).abs() <= PAIR_DAYS)
    alone = visits.join(near.select("SUBJ", "DAY").unique(), on=["SUBJ", "DAY"], how="anti")
    other = [name for name in found.columns if name not in ("SUBJ", "DAY", "KIND")]
    nothing = [pl.lit(0 if name in ("FLAGS", "SAMPLED") else -1).cast(found.schema[name]).alias(name) for name in other]
    return alone.with_columns(pl.lit(kind).alias("KIND"), *nothing).select(found.columns)


def find_cases(study: Study, records: Records, called: pl.DataFrame | None = None) -> list[Case]:
    """Return every case with its evidence, in the order of subjects and days; `called` as in `derive_cases`."""
    rows, who = find_rows(study, records), dict(records.subjects.select("SUBJ", "USUBJID").iter_rows())
    found = []
    for case in derive_cases(study, records, called).iter_rows(named=True):
        evidence = evidence_of(study, case, rows.get(case["SUBJ"], ()))
        derived = RESPONSES[case["STATUS"]] if case["STATUS"] >= 0 else ""
        digests = (digest_of(evidence), digest_of(window_of(evidence)), digest_of(history_of(evidence)))
        found.append(Case(who[case["SUBJ"]], case["DAY"], case["KIND"] == SAMPLE, derived, evidence, *digests))
    return found
