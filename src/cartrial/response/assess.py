"""What was the disease's status at each visit, by each reader? The kernels' results put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from cartrial.response.arrays import Calls, offsets, usable, wide
from cartrial.response.cns import second_cns, with_cns
from cartrial.response.codes import ACCEPTED_RECORD, FROM_IMAGING, FROM_PET, NO_DISEASE
from cartrial.response.imaging import disease_by_imaging, imaging_reads
from cartrial.response.lab import IN_MARROW, lab_reads
from cartrial.response.modality import spoken_calls
from cartrial.response.mrd import mrd_samples
from cartrial.response.mrd_kernel import Assessments, MrdCalls, MrdSamples, assess_mrd
from cartrial.response.readers_kernel import Panel, Rows, Samples, assess_committee
from cartrial.response.sequence_kernel import Reads, assess_sequence
from cartrial.response.unconfirmed import progression_of
from cartrial.sdtm.records import NO_CUTOFF, Records
from cartrial.sdtm.records.codes import ADJUDICATOR, FAR, INV, IRC, LAB, READER1, READER2
from cartrial.study.criteria.codes import IR, NE, statuses_of
from cartrial.study.criteria.sets import CallOptions

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.families import Family

__all__ = ["assess_response"]


def assess_response(study: Study, records: Records) -> dict[int, Calls]:
    """Return every reader's assessments.

    Parameters
    ----------
    study : Study
        Criteria, options and the MRD limit.
    records : Records

    Returns
    -------
    dict of int to Calls
        By reader code. LAB holds the status derived from LB, of lymphoma from TR and FA; it stands in for INV where a subject's INV has no
        RS at all. Of lymphoma each reader's own measurements stand in for him.

    Notes
    -----
    Only full dates are used: an assessment without one is not usable. Nothing after the cutoff is used.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study
    >>> from cartrial.response import assess_response
    >>> from cartrial.sdtm import Source
    >>> from cartrial.sdtm.records import READERS, derive_records
    >>> from cartrial.study.criteria.codes import RESPONSES
    >>> study = Study.load("inaticel")
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> calls = assess_response(study, derive_records(study, source))[READERS.index("IRC")]
    >>> [RESPONSES[status] for status in calls.status]
    ['CR', 'NR']
    """
    subjects, family = records.subjects, study.disease.family
    count = subjects.height
    day0 = wide(subjects["DAY0"], FAR)
    cutoff = wide(subjects["CUTOFF"], NO_CUTOFF)
    # virtual records have no such flag
    accepted = "ACCEPTED" if "ACCEPTED" in records.calls.columns else pl.lit(False).alias("ACCEPTED")
    calls = (
        usable(records.calls, subjects)
        .select("SUBJ", "DAY", "READER", "RESP", "SEQ", accepted, *(["MODALITY"] if family.modalities else []))
        .sort("READER", "SUBJ", "DAY", "SEQ", maintain_order=True)
    )
    if family.modalities:
        calls = spoken_calls(study, calls, subjects)
    labs = usable(records.labs, subjects).filter(pl.col("TEST").is_in(["BLAST", "NEUT", "PLAT", "MRD"]))
    calls, derived = DERIVE[family.derive](study, records, labs, calls)
    by_reader = {code: _reads(calls.filter(pl.col("READER") == code), count) for code in (INV, READER1, READER2, ADJUDICATOR, IRC)}
    by_reader[LAB] = derived if derived is not None else _reads(calls.filter(pl.col("READER") == LAB), count)
    counted = progression_of(study, records)
    for code in (INV, READER1, READER2, ADJUDICATOR, LAB):
        counted(_kernel_reads(by_reader[code]))
    for code in (INV, READER1, READER2, LAB):
        _in_sequence(by_reader[code], day0, family)
    speakers = _accepted(by_reader, calls, count)
    counted(_kernel_reads(speakers[IRC]))
    by_reader[IRC] = _committee(speakers, labs, day0, family)
    counted(_kernel_reads(by_reader[IRC]))
    _in_sequence(by_reader[IRC], day0, family)
    if derived is not None:
        # LAB stands in for INV only where INV has no RS at all
        by_reader[INV] = _stand_in(by_reader[INV], by_reader[LAB], count)
    if family.modalities:
        options = study.disease.options
        counts = not isinstance(options, CallOptions) or options.no_disease == "as-read"
        base = wide(subjects.select(pl.coalesce("LDSTART", "DAY0")).to_series(), -FAR)
        # what is derived of measurements is no response without disease: only calls as collected ask, and large batches have none
        collected = any((reads["flags"] & (FROM_IMAGING | FROM_PET) == 0).any() for reads in by_reader.values())
        seen = disease_by_imaging(study, records)[1:] if collected else (np.zeros(count, bool), np.zeros(count, bool))
        for reads in by_reader.values():
            _flag_no_disease(reads, base, seen, family, counts)
    mrd = mrd_samples(study, labs, count)
    second = second_cns(records)
    return {code: with_cns(_with_mrd(reads, mrd, cutoff), second, day0) for code, reads in by_reader.items()}


Derived = tuple[pl.DataFrame, "dict[str, np.ndarray] | None"]


def _as_collected(study: Study, records: Records, labs: pl.DataFrame, calls: pl.DataFrame) -> Derived:
    """Return the calls of a family whose statuses are collected."""
    return calls, None


def _by_marrow(study: Study, records: Records, labs: pl.DataFrame, calls: pl.DataFrame) -> Derived:
    """Return the calls, and the statuses that laboratory values give."""
    return calls, lab_reads(study, records, labs)


def _by_imaging(study: Study, records: Records, labs: pl.DataFrame, calls: pl.DataFrame) -> Derived:
    """Return the calls with those that measurements give: of LAB, and of each reader who measured and made no call after the infusion."""
    if not records.imaging or study.disease.imaging is None:
        return calls, None
    found = imaging_reads(study, records)
    # a reader who measured for the committee and readers who called are one committee
    panel = pl.col("READER").replace({READER1: IRC, READER2: IRC, ADJUDICATOR: IRC}).alias("PANEL")
    start = records.subjects.select("SUBJ", "DAY0")
    called = calls.join(start, on="SUBJ").filter(pl.col("DAY") > pl.col("DAY0")).select("SUBJ", panel).unique()
    found = found.with_columns(panel).join(called, on=["SUBJ", "PANEL"], how="anti", maintain_order="left").drop("PANEL")
    names = [*calls.columns, *(["FLAGS"] if "FLAGS" not in calls.columns else [])]
    merged = pl.concat([calls, found.select(name for name in names if name in found.columns)], how="diagonal_relaxed")
    return merged.sort("READER", "SUBJ", "DAY", "SEQ", maintain_order=True), None


DERIVE = {"": _as_collected, "marrow": _by_marrow, "lesions": _by_imaging}
"""How a status is derived from what was measured, by the name that a family's table gives."""


def _in_sequence(reads: dict[str, np.ndarray], day0: np.ndarray, family: Family) -> None:
    assess_sequence(len(reads["day"]), _kernel_reads(reads), day0, family.roles)


def _flag_no_disease(
    reads: dict[str, np.ndarray], base: np.ndarray, seen: tuple[np.ndarray, np.ndarray], family: Family, counts: bool
) -> None:
    """Flag the complete responses of subjects without disease before lymphodepletion; they count or not (L7).

    By imaging; where it shows no disease, or there is none, the reader's last call before lymphodepletion tells. `seen`: of whom there was
    imaging, and who had disease by it.
    """
    subject = np.repeat(np.arange(len(base)), np.diff(reads["at"]))
    before = (reads["day"] <= base[subject]) & (reads["status"] != NE)
    last = np.full(len(base), NE, np.int64)
    last[subject[before]] = reads["status"][before]  # sorted by day: the last one stays
    imaged, disease = seen
    none = np.where(last == NE, imaged, ~np.isin(last, statuses_of(family.roles.disease))) & ~disease
    complete = np.isin(reads["status"], statuses_of(family.roles.complete))
    flagged = none[subject] & complete & (reads["day"] > base[subject])
    reads["flags"][flagged] |= NO_DISEASE
    if not counts:
        reads["status"][flagged] = IR


def _kernel_reads(reads: dict[str, np.ndarray]) -> Reads:
    """Return one reader's calls as the kernels read them."""
    work = (np.zeros(len(reads["day"]), bool) for _ in range(2))
    return Reads(reads["at"], reads["day"], reads["status"], reads["flags"], reads["seq"], *work)


def _reads(frame: pl.DataFrame, count: int) -> dict[str, np.ndarray]:
    # one call a reader and date: the last recorded (two that differ are a finding that stops a report)
    last = (pl.col("SUBJ") != pl.col("SUBJ").shift(-1)) | (pl.col("DAY") != pl.col("DAY").shift(-1))
    frame = frame.filter(last.fill_null(True))
    subject = wide(frame["SUBJ"])
    return {
        "at": offsets(subject, count),
        "day": wide(frame["DAY"]),
        "status": wide(frame["RESP"]).copy(),
        "flags": wide(frame["FLAGS"]).copy() if "FLAGS" in frame.columns else np.zeros(frame.height, np.int64),
        "seq": wide(frame["SEQ"], -1),
    }


def _accepted(by_reader: dict[int, dict[str, np.ndarray]], calls: pl.DataFrame, count: int) -> dict[int, dict[str, np.ndarray]]:
    """Return who speaks for the committee: where records of a subject are accepted, these are its calls and no others (rules, A2)."""
    accepted = calls.filter(pl.col("ACCEPTED"))
    if accepted.is_empty():
        return by_reader
    own = pl.col("FLAGS") if "FLAGS" in accepted.columns else pl.lit(0, dtype=pl.Int64)
    calls, accepted = (frame.with_columns((own | bit).alias("FLAGS")) for frame, bit in ((calls, 0), (accepted, ACCEPTED_RECORD)))
    others = ~pl.col("SUBJ").is_in(accepted["SUBJ"].unique().implode())
    spoken = pl.concat([calls.filter((pl.col("READER") == IRC) & others), accepted]).sort("SUBJ", "DAY", "SEQ", maintain_order=True)
    without = np.ones(count, bool)
    without[accepted["SUBJ"].to_numpy()] = False
    panel = {code: _of_subjects(by_reader[code], without) for code in (READER1, READER2, ADJUDICATOR)}
    return {**panel, IRC: _reads(spoken, count)}


def _of_subjects(reads: dict[str, np.ndarray], keep: np.ndarray) -> dict[str, np.ndarray]:
    """Return the reads of some subjects; `keep`: bool, shape (subjects,)."""
    subject = np.repeat(np.arange(len(keep)), np.diff(reads["at"]))
    kept = keep[subject]
    arrays = {name: values[kept] for name, values in reads.items() if name != "at"}
    return {"at": offsets(subject[kept], len(keep)), **arrays}


def _committee(by_reader: dict[int, dict[str, np.ndarray]], labs: pl.DataFrame, day0: np.ndarray, family: Family) -> dict[str, np.ndarray]:
    first, second, adjudicator, own = (by_reader[code] for code in (READER1, READER2, ADJUDICATOR, IRC))
    first_reads, second_reads, judge, spoken = (_kernel_reads(reads) for reads in (first, second, adjudicator, own))
    panel = Panel(first_reads, second_reads, judge, spoken, family.agreed, family.roles)
    count, room = len(day0), len(first["day"]) + len(second["day"]) + len(own["day"])
    rows = Rows(np.zeros(count + 1, np.int64), np.zeros(room, bool), *(np.zeros(room, np.int64) for _ in Rows._fields[2:]))
    assess_committee(room, panel, _marrow_samples(labs, count), day0, rows)
    filled = slice(rows.at[-1])
    order = np.lexsort((rows.seq[filled], rows.day[filled], np.repeat(np.arange(count), np.diff(rows.at))))
    return {"at": rows.at, "day": rows.day[order], "status": rows.status[order], "flags": rows.flags[order], "seq": rows.seq[order]}


def _marrow_samples(labs: pl.DataFrame, count: int) -> Samples:
    marrow = labs.filter(IN_MARROW)
    days = marrow.select("SUBJ", "DAY").unique().sort("SUBJ", "DAY")
    return Samples(offsets(wide(days["SUBJ"]), count), wide(days["DAY"]))


def _stand_in(inv: dict[str, np.ndarray], lab: dict[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    silent = np.diff(inv["at"]) == 0
    if not silent.any() or len(lab["day"]) == 0:
        return inv
    owner = {name: np.repeat(np.arange(count), np.diff(reads["at"])) for name, reads in (("inv", inv), ("lab", lab))}
    take = silent[owner["lab"]]
    subject = np.concatenate([owner["inv"], owner["lab"][take]])
    order = np.argsort(subject, kind="stable")
    merged: dict[str, Any] = {name: np.concatenate([inv[name], lab[name][take]])[order] for name in ("day", "status", "flags", "seq")}
    return {"at": offsets(subject[order], count), **merged}


def _with_mrd(reads: dict[str, np.ndarray], samples: MrdSamples, cutoff: np.ndarray) -> Calls:
    at, day, status, seq = (reads[name] for name in ("at", "day", "status", "seq"))
    assessments = Assessments(np.repeat(np.arange(len(at) - 1), np.diff(at)), day)
    mrd = MrdCalls(np.zeros(len(day), np.int64), reads["flags"].copy(), np.full(len(day), -1, np.int64))
    assess_mrd(len(day), assessments, cutoff, samples, mrd)
    # where there is no assessment, nothing is flagged of its sample
    flags = np.where(status == NE, reads["flags"], mrd.flags)
    return Calls(at, day, status, flags, seq, mrd.call, mrd.source)
