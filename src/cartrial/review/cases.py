"""Which assessments does a committee read? The dates at which the study's records hold evidence of the disease after the infusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.errors import InputError
from cartrial.response import assess_response, records_used
from cartrial.response.pairs_kernel import PAIR_DAYS
from cartrial.review.evidence import digest_of, evidence_of, find_rows, history_of, window_of
from cartrial.sdtm.records.codes import INV
from cartrial.study.criteria.codes import RESPONSES

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["SAMPLE", "Case", "derive_cases", "find_cases"]

SAMPLE, ELSEWHERE, NO_SAMPLE = "sample", "elsewhere", "no sample"
"""Why there is a case: a marrow sample, disease outside it, or a visit at which no sample was taken."""

_NOTHING = {"SEQ": -1, "BLOOD": -1, "NEUTROPHILS": -1, "PLATELETS": -1, "EMD": -1, "STATUS": -1, "FLAGS": 0, "SAMPLED": 0}


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


def derive_cases(study: Study, records: Records) -> pl.DataFrame:
    """Return the dates that a committee reads: after day 0, on or before the cutoff.

    Parameters
    ----------
    study : Study
    records : Records

    Returns
    -------
    polars.DataFrame
        SUBJ, DAY (from day 0), KIND (sample, elsewhere, no sample), and what `cartrial.response.records_used` says of it. Of the
        investigator's calls the date alone is used, and only where the records hold nothing within 7 days.

    Raises
    ------
    InputError
        If the study's criteria derive no status from marrow and counts: what such readers are shown is not built yet.

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
    if study.disease.marrow is None:
        what = "the committee's workspace shows marrow, counts and disease outside the marrow; these criteria are read from imaging"
        raise InputError(what, key="disease.criteria", right="Its readers record their calls in RS, as before")
    kind = pl.when(pl.col("SAMPLED") == 1).then(pl.lit(SAMPLE)).otherwise(pl.lit(ELSEWHERE)).alias("KIND")
    found = records_used(study, records).with_columns(kind)
    calls = assess_response(study, records)[INV]
    visits = pl.DataFrame({"SUBJ": calls.subject, "DAY": calls.day}, schema={"SUBJ": pl.Int32, "DAY": pl.Int64}).unique()
    near = visits.join(found.select("SUBJ", pl.col("DAY").alias("AT")), on="SUBJ").filter((pl.col("DAY") - pl.col("AT")).abs() <= PAIR_DAYS)
    alone = visits.join(near.select("SUBJ", "DAY").unique(), on=["SUBJ", "DAY"], how="anti")
    alone = alone.with_columns(pl.lit(NO_SAMPLE).alias("KIND"), *(pl.lit(value, pl.Int64).alias(name) for name, value in _NOTHING.items()))
    both = pl.concat([found, alone.select(found.columns)])
    dated = both.join(records.subjects.select("SUBJ", pl.col("DAY0").cast(pl.Int64)), on="SUBJ")
    after = dated.filter(pl.col("DAY") > pl.col("DAY0")).with_columns(pl.col("DAY") - pl.col("DAY0"))
    return after.drop("DAY0").sort("SUBJ", "DAY")


def find_cases(study: Study, records: Records) -> list[Case]:
    """Return every case with its evidence, in the order of subjects and days."""
    rows, who = find_rows(study, records), dict(records.subjects.select("SUBJ", "USUBJID").iter_rows())
    found = []
    for case in derive_cases(study, records).iter_rows(named=True):
        evidence = evidence_of(study, case, rows.get(case["SUBJ"], ()))
        derived = RESPONSES[case["STATUS"]] if case["STATUS"] >= 0 else ""
        digests = (digest_of(evidence), digest_of(window_of(evidence)), digest_of(history_of(evidence)))
        found.append(Case(who[case["SUBJ"]], case["DAY"], bool(case["SAMPLED"]), derived, evidence, *digests))
    return found
