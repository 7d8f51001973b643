"""What do the laboratory values say of the disease, by the study's criteria? The records as the kernel reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.errors import InputError
from cartrial.response.arrays import offsets, usable, wide
from cartrial.response.cns import returned_cns, with_returned
from cartrial.response.codes import EMD_ASSUMED_ABSENT, FROM_LAB, NOTHING_SAID
from cartrial.response.lab_kernel import (
    ABSENT,
    NO_ASSESSMENT,
    PRESENT,
    SUSPECTED,
    Assessed,
    Candidates,
    Evidence,
    LabRule,
    Labs,
    Starts,
    assess_lab,
)
from cartrial.response.proof import with_proof
from cartrial.response.range_kernel import OPERATORS, Limit
from cartrial.sdtm.records import Records
from cartrial.sdtm.records.codes import FAR
from cartrial.sdtm.vocabulary.results import result_bounds, significant
from cartrial.sdtm.vocabulary.specimens import is_read
from cartrial.study.criteria.leukaemia import REMISSION

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.sets import Bound

__all__ = ["IN_MARROW", "lab_reads", "merge_dates", "records_used"]


def lab_reads(study: Study, records: Records, labs: pl.DataFrame) -> dict[str, np.ndarray]:
    """Return the status at each marrow sample, and at blood or extramedullary evidence that has no marrow near it.

    Parameters
    ----------
    study : Study
        Criteria and options.
    records : Records
    labs : polars.DataFrame
        The usable ones of `records.labs`.
    """
    count = records.subjects.height
    labs = labs.with_columns(result_bounds())
    lesions = usable(records.lesions, records.subjects)
    transfusions = usable(records.procedures, records.subjects).filter(pl.col("KIND").str.contains("TRANSFUSION"))
    assert study.disease.marrow is not None
    criteria, options = study.disease.marrow
    returned = returned_cns(records) if options.cns2 == "twice" else None
    dates = _candidate_dates(labs, lesions, returned)
    told = criteria.relapse_tests
    dates = with_proof(dates, labs, lesions) if told else dates.with_columns(pl.lit(NOTHING_SAID, dtype=pl.Int64).alias("PROOF"))
    dates = dates if returned is None else with_returned(dates, returned)
    assumed = _assumed(study, records)[wide(dates["SUBJ"])]
    lesions = pl.concat([lesions, _as_absent(dates.filter(pl.lit(pl.Series(assumed, dtype=pl.Boolean))))], how="diagonal_relaxed")
    assessed = Assessed(*(np.zeros(dates.height, np.int64) for _ in Assessed._fields))
    assess_lab(
        dates.height + count,
        _candidates_of(dates, count),
        _labs_of(labs, lesions, transfusions, count),
        _starts_of(records.subjects, study.disease.remission_from),
        _rule_of(study),
        assessed,
    )
    keep = assessed.status != NO_ASSESSMENT
    return {
        "at": offsets(wide(dates["SUBJ"])[keep], count),
        "day": wide(dates["DAY"])[keep],
        "status": assessed.status[keep],
        "flags": (assessed.flags | FROM_LAB | np.where(assumed, EMD_ASSUMED_ABSENT, 0))[keep],
        "seq": wide(dates["SEQ"], -1)[keep],
        "sampled": wide(dates["SAMPLED"])[keep],
        **{name: getattr(assessed, name)[keep] for name in USED},
    }


def records_used(study: Study, records: Records) -> pl.DataFrame:
    """Return the status that laboratory values give at each date, and the records that it was read from.

    Parameters
    ----------
    study : Study
        Criteria and options that derive a status from marrow and counts.
    records : Records

    Returns
    -------
    polars.DataFrame
        SUBJ, DAY, STATUS (its number), FLAGS, SAMPLED (1: a marrow sample), SEQ of the marrow, else of the evidence elsewhere, and BLOOD,
        NEUTROPHILS, PLATELETS (numbers in LB) and EMD (in the domain that records disease outside the marrow); -1 for none.

    Raises
    ------
    InputError
        If the study's criteria derive no status from marrow and counts.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study
    >>> from cartrial.response import records_used
    >>> from cartrial.sdtm import Source
    >>> from cartrial.sdtm.records import derive_records
    >>> who = {"STUDYID": "S", "USUBJID": "S-01"}
    >>> ex = pl.DataFrame(who | {"EXSEQ": [1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"})
    >>> lb = {"LBSEQ": [1, 2, 3], "LBTESTCD": ["BLAST", "NEUT", "NEUT"], "LBSTRESN": [1.0, 2.0, 0.5], "LBSTRESC": ["1", "2", "0.5"]}
    >>> lb |= {"LBSPEC": ["BONE MARROW", "BLOOD", "BLOOD"], "LBSTRESU": ["%", "10^9/L", "10^9/L"]}
    >>> lb = pl.DataFrame(who | lb | {"LBDTC": ["2022-01-29", "2022-01-28", "2022-01-25"]})
    >>> study = Study.load("inaticel")
    >>> records = derive_records(study, Source({"DM": pl.DataFrame(who | {"ROW": [2]}), "EX": ex, "LB": lb}))
    >>> records_used(study, records).select("SEQ", "NEUTROPHILS", "PLATELETS").rows()
    [(1, 2, -1)]
    """
    if study.disease.marrow is None:
        raise InputError("the study's criteria derive no status from marrow and counts", key="disease.criteria")
    labs = usable(records.labs, records.subjects).filter(pl.col("TEST").is_in(["BLAST", "NEUT", "PLAT", "MRD"]))
    found = lab_reads(study, records, labs)
    subject = np.repeat(np.arange(records.subjects.height), np.diff(found["at"]))
    columns = {name.upper(): found[name] for name in ("day", "status", "flags", "sampled", "seq", *USED)}
    return pl.DataFrame({"SUBJ": subject.astype(np.int32), **columns})


USED = ("blood", "neutrophils", "platelets", "emd")
"""What a status is read from beside the marrow, as the kernel names the records."""


def _assumed(study: Study, records: Records) -> np.ndarray:
    """Whose extramedullary disease is taken as absent: never recorded in the trial, and the study file says so. bool, by subject."""
    never = ~records.recorded.has("EMD", records.subjects["TRIAL"].to_numpy())
    return np.asarray(never & (study.emd == "absent"))


def _as_absent(dates: pl.DataFrame) -> pl.DataFrame:
    """Return, in the place of records, that extramedullary disease was absent at each date (rules, A4)."""
    absent = pl.lit(0, dtype=pl.Int8).alias("PRESENT")
    return dates.select("SUBJ", "DAY", pl.col("DAY").alias("DAYX"), absent, pl.lit(None, dtype=pl.Int64).alias("SEQ"))


# what was not done is no sample, and dates nothing; a haemodilute or acellular one was taken
IN_MARROW = pl.col("TAKEN") & (pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BONE MARROW")
_IN_BLOOD = pl.col("DONE") & (pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BLOOD")
_NOTHING = [pl.lit(None, dtype=pl.Float64).alias(name) for name in ("LOW", "HIGH")]


def merge_dates(frame: pl.DataFrame, *, highest: bool) -> pl.DataFrame:
    """Return one result a subject and date, with its record: of blasts the highest (rules, A11), of counts the lowest (paragraph 3).

    Parameters
    ----------
    frame : polars.DataFrame
        SUBJ, DAY, LOW, HIGH, SEQ; LOW is null where nothing was measured.
    highest : bool

    Notes
    -----
    Of results that lie between two numbers, the highest lies between the highest of both: `<5` and 3 are 3 to `<5`.
    """
    # within a date the one that speaks last; of equals the later record
    ordered = frame.sort(
        *("SUBJ", "DAY", "HIGH", "LOW", "SEQ"),
        descending=[False, False, not highest, not highest, False],
        nulls_last=False,
        maintain_order=True,
    )
    again = (pl.col("SUBJ") == pl.col("SUBJ").shift(-1)) & (pl.col("DAY") == pl.col("DAY").shift(-1))
    if not ordered.select(again.any()).item():
        return ordered
    ends = [getattr(pl.col(name), "max" if highest else "min")().over("SUBJ", "DAY").alias(name) for name in ("LOW", "HIGH")]
    return ordered.with_columns(ends).filter(~again.fill_null(False))


def _candidate_dates(labs: pl.DataFrame, lesions: pl.DataFrame, returned: pl.DataFrame | None) -> pl.DataFrame:
    """Return one row a date: its marrow sample, else its evidence of disease elsewhere, or a CNS2 that is a relapse."""
    # an adequate sample of the date before an inadequate one
    adequate = [pl.when(pl.col("DONE")).then(pl.col(name)).alias(name) for name in ("LOW", "HIGH")]
    marrow = merge_dates(labs.filter(IN_MARROW).with_columns(adequate), highest=True)
    elsewhere = [labs.filter(_IN_BLOOD & (pl.col("LOW") > 0)), lesions.filter(pl.col("PRESENT") > 0)]
    if returned is not None:
        elsewhere.append(returned.filter("RETURNED"))
    dates = pl.concat(
        [
            marrow.select("SUBJ", "DAY", "LOW", "HIGH", "SEQ", pl.lit(1).alias("SAMPLED")),
            *(evidence.select("SUBJ", "DAY", *_NOTHING, "SEQ", pl.lit(0).alias("SAMPLED")) for evidence in elsewhere),
        ]
    )
    dates = dates.sort("SUBJ", "DAY", "SAMPLED", descending=[False, False, True], maintain_order=True)
    return dates.unique(["SUBJ", "DAY"], keep="first", maintain_order=True)


def _candidates_of(dates: pl.DataFrame, count: int) -> Candidates:
    low, high = wide(dates["LOW"]), wide(dates["HIGH"])
    return Candidates(offsets(wide(dates["SUBJ"]), count), wide(dates["DAY"]), low, high, wide(dates["SAMPLED"]), wide(dates["PROOF"]))


def _labs_of(labs: pl.DataFrame, lesions: pl.DataFrame, transfusions: pl.DataFrame, count: int) -> Labs:
    # a record of extramedullary disease that was not looked for says nothing
    looked_for = lesions.filter(pl.col("PRESENT") >= 0)
    emd = pl.when(pl.col("PRESENT") == 1).then(PRESENT).when(pl.col("PRESENT") == 2).then(SUSPECTED).otherwise(ABSENT)
    counted = pl.col("DONE") & is_read(())
    return Labs(
        blood=_evidence(labs.filter(_IN_BLOOD), count, highest=True),
        neutrophils=_evidence(labs.filter(counted & (pl.col("TEST") == "NEUT")), count),
        platelets=_evidence(labs.filter(counted & (pl.col("TEST") == "PLAT")), count),
        emd=_evidence(looked_for.with_columns(emd.alias("LOW"), emd.alias("HIGH")), count),
        transfusions=_evidence(transfusions.with_columns(pl.lit(1.0).alias("LOW"), pl.lit(1.0).alias("HIGH")), count),
    )


def _evidence(frame: pl.DataFrame, count: int, *, highest: bool = False) -> Evidence:
    frame = merge_dates(frame.filter(pl.col("LOW").is_not_null()).select("SUBJ", "DAY", "LOW", "HIGH", "SEQ"), highest=highest)
    at = offsets(wide(frame["SUBJ"]), count)
    return Evidence(at, wide(frame["DAY"]), wide(frame["LOW"]), wide(frame["HIGH"]), wide(frame["SEQ"], -1))


def _starts_of(subjects: pl.DataFrame, first: int) -> Starts:
    day0 = wide(subjects["DAY0"], FAR)
    return Starts(day0=day0, baseline=wide(subjects["LDSTART"].fill_null(subjects["DAY0"]), FAR), remission=day0 + first)


def _rule_of(study: Study) -> LabRule:
    assert study.disease.marrow is not None
    criteria, options = study.disease.marrow
    return LabRule(
        marrow=_limit(criteria.marrow),
        neutrophils=_limit(criteria.neutrophils),
        platelets=_limit(criteria.platelets),
        relapse_marrow=_limit(criteria.relapse_marrow),
        relapse_blood=_limit(criteria.relapse_blood),
        refractory_marrow=_limit(criteria.refractory_marrow),
        crh=options.crh,
        exactly_one=options.cri == "exactly-one",
        aplastic_mlfs=options.aplastic == "MLFS",
        transfusion_free_days=study.disease.transfusion_free_days,
        remission=REMISSION,
    )


def _limit(bound: Bound) -> Limit:
    return Limit(OPERATORS.index(bound.op), pl.select(significant(pl.lit(bound.value))).item())
