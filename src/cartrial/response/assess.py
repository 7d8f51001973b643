"""What was the disease's status at each visit, by each reader? The kernels' results put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from cartrial.response.codes import ADJUDICATOR, AFTER_RELAPSE, FROM_LAB, INV, IRC, LAB, READER1, READER2
from cartrial.response.lab_kernel import assess_lab
from cartrial.response.mrd_kernel import assess_mrd
from cartrial.response.readers_kernel import Panel, Reads, Rows, Samples, assess_committee, assess_sequence
from cartrial.sdtm.records import NO_CUTOFF, Records
from cartrial.study.criteria.codes import NE, RELAPSE

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.sets import Bound

__all__ = ["Calls", "assess_response", "offsets", "wide"]

_FAR = 2**40


@dataclass(frozen=True)
class Calls:
    """One reader's assessments as arrays.

    Parameters
    ----------
    at : ndarray of int64, shape (subjects + 1,)
        Where each subject's assessments start.
    day, status, flags, seq, mrd, mrd_seq : ndarray of int64, shape (assessments,)
        Sorted by subject and day.
    """

    at: np.ndarray
    day: np.ndarray
    status: np.ndarray
    flags: np.ndarray
    seq: np.ndarray
    mrd: np.ndarray
    mrd_seq: np.ndarray

    @property
    def subject(self) -> np.ndarray:
        """Subject of each assessment."""
        return np.repeat(np.arange(len(self.at) - 1), np.diff(self.at))


def wide(column: pl.Series, missing: float | int = 0) -> np.ndarray:
    """Return a column as int64, or as float64 with nan for null."""
    if column.dtype.is_float():
        return np.ascontiguousarray(column.fill_null(float("nan")).to_numpy(writable=True))
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    return np.ascontiguousarray(column.fill_null(missing).cast(pl.Int64).to_numpy(writable=True))


def offsets(subject: np.ndarray, subjects: int) -> np.ndarray:
    """Return where each subject starts in a sorted column: int64, shape (subjects + 1,)."""
    return np.searchsorted(subject, np.arange(subjects + 1), side="left").astype(np.int64)


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
        By reader code. LAB holds the status derived from LB; it stands in for INV where a subject's INV has no RS at all.

    Notes
    -----
    Only full dates are used: an assessment without one is not usable. Nothing after the cutoff is used.
    """
    subjects = records.subjects
    count = subjects.height
    day0 = wide(subjects["DAY0"], _FAR)
    cutoff = wide(subjects["CUTOFF"], NO_CUTOFF)
    calls = records.calls.join(subjects.select("SUBJ", "CUTOFF"), on="SUBJ").filter(
        (pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF"))
    )
    calls = calls.select("SUBJ", "DAY", "READER", "RESP", "SEQ").sort("READER", "SUBJ", "DAY", "SEQ", maintain_order=True)
    by_reader = {code: _reads(calls.filter(pl.col("READER") == code), count) for code in (INV, READER1, READER2, ADJUDICATOR, IRC)}
    labs = _usable_labs(records)
    by_reader[LAB] = _lab(study, records, labs, day0)
    for code in (INV, READER1, READER2, LAB):
        _in_sequence(by_reader[code], day0)
    by_reader[IRC] = _committee(by_reader, labs, count)
    _in_sequence(by_reader[IRC], day0)
    # LAB stands in for INV only where INV has no RS at all
    by_reader[INV] = _stand_in(by_reader[INV], by_reader[LAB], count)
    mrd = _mrd_samples(labs, count)
    return {code: _with_mrd(study, reads, mrd, cutoff) for code, reads in by_reader.items()}


def _in_sequence(reads: dict[str, np.ndarray], day0: np.ndarray) -> None:
    assess_sequence(len(reads["day"]), _reads_of(reads), day0)


def _reads_of(reads: dict[str, np.ndarray]) -> Reads:
    """Return one reader's calls as the kernels read them."""
    return Reads(reads["at"], reads["day"], reads["status"], reads["flags"], reads["seq"], np.zeros(len(reads["day"]), bool))


def _reads(frame: pl.DataFrame, count: int) -> dict[str, np.ndarray]:
    # one call a reader and date: the last recorded (two that differ are a finding that stops a report)
    last = (pl.col("SUBJ") != pl.col("SUBJ").shift(-1)) | (pl.col("DAY") != pl.col("DAY").shift(-1))
    frame = frame.filter(last.fill_null(True))
    subject = wide(frame["SUBJ"])
    return {
        "at": offsets(subject, count),
        "day": wide(frame["DAY"]),
        "status": wide(frame["RESP"]).copy(),
        "flags": np.zeros(frame.height, np.int64),
        "seq": wide(frame["SEQ"], -1),
    }


def _usable_labs(records: Records) -> pl.DataFrame:
    frame = records.labs.join(records.subjects.select("SUBJ", "CUTOFF"), on="SUBJ")
    return frame.filter(
        (pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF")) & pl.col("TEST").is_in(["BLAST", "NEUT", "PLAT", "MRD"])
    )


def _committee(by_reader: dict[int, dict[str, np.ndarray]], labs: pl.DataFrame, count: int) -> dict[str, np.ndarray]:
    first, second, adjudicator, own = (by_reader[code] for code in (READER1, READER2, ADJUDICATOR, IRC))
    panel = Panel(*(_reads_of(reads) for reads in (_relapse_stays(first), _relapse_stays(second), adjudicator, own)))
    room = len(first["day"]) + len(second["day"]) + len(own["day"])
    rows = Rows(np.zeros(count + 1, np.int64), *(np.zeros(room, np.int64) for _ in Rows._fields[1:]))
    assess_committee(room, panel, _marrow_samples(labs, count), rows)
    filled = slice(rows.at[-1])
    order = np.lexsort((rows.seq[filled], rows.day[filled], np.repeat(np.arange(count), np.diff(rows.at))))
    return {"at": rows.at, "day": rows.day[order], "status": rows.status[order], "flags": rows.flags[order], "seq": rows.seq[order]}


def _relapse_stays(reads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a reader's calls for the committee: what follows his relapse is still relapse, a later CR does not count."""
    stays = ((reads["flags"] & AFTER_RELAPSE) != 0) & (reads["status"] != NE)
    return {**reads, "status": np.where(stays, RELAPSE, reads["status"])}


def _marrow_samples(labs: pl.DataFrame, count: int) -> Samples:
    marrow = labs.filter((pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BONE MARROW"))
    days = marrow.select("SUBJ", "DAY").unique().sort("SUBJ", "DAY")
    return Samples(offsets(wide(days["SUBJ"]), count), wide(days["DAY"]))


_OPERATORS = {"<": 0, "<=": 1, ">": 2, ">=": 3}


def _series(frame: pl.DataFrame, count: int, value: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frame = frame.filter(pl.col(value).is_not_null()).sort("SUBJ", "DAY", "SEQ", maintain_order=True)
    return offsets(wide(frame["SUBJ"]), count), wide(frame["DAY"]), wide(frame[value])


def _lab(study: Study, records: Records, labs: pl.DataFrame, day0: np.ndarray) -> dict[str, np.ndarray]:
    """Status from LB at each marrow sample, and at blood or extramedullary evidence that has no marrow near it."""
    subjects, count = records.subjects, records.subjects.height
    criteria, options = study.disease.criteria, study.disease.options
    done = labs.filter(pl.col("DONE"))
    marrow = labs.filter((pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BONE MARROW"))
    # an adequate sample of the date before an inadequate one, and the highest value of it
    value = pl.when(pl.col("DONE")).then(pl.col("VALUE"))
    marrow = marrow.with_columns(value.alias("VALUE")).sort("SUBJ", "DAY", "VALUE", "SEQ", nulls_last=False, maintain_order=True)
    marrow = marrow.unique(["SUBJ", "DAY"], keep="last", maintain_order=True).select("SUBJ", "DAY", "VALUE", "SEQ", pl.lit(1).alias("KIND"))
    blood = done.filter((pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BLOOD"))
    lesions = records.lesions.join(subjects.select("SUBJ", "CUTOFF"), on="SUBJ").filter(
        (pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF"))
    )
    none = pl.lit(None, dtype=pl.Float64).alias("VALUE")
    evidence = pl.concat(
        [
            blood.filter(pl.col("VALUE") > 0).select("SUBJ", "DAY", none, "SEQ", pl.lit(0).alias("KIND")),
            lesions.filter(pl.col("PRESENT") == 1).select("SUBJ", "DAY", none, "SEQ", pl.lit(0).alias("KIND")),
        ]
    )
    candidates = pl.concat([marrow, evidence]).sort("SUBJ", "DAY", "KIND", descending=[False, False, True], maintain_order=True)
    candidates = candidates.unique(["SUBJ", "DAY"], keep="first", maintain_order=True)
    transfusions = records.procedures.filter(pl.col("KIND").str.contains("TRANSFUSION")).select(
        "SUBJ", "DAY", "SEQ", pl.lit(1.0).alias("VALUE")
    )
    subject = wide(candidates["SUBJ"])
    bounds = [
        criteria.marrow,
        criteria.neutrophils,
        criteria.platelets,
        criteria.relapse_marrow,
        criteria.relapse_blood,
        criteria.refractory_marrow,
    ]
    ops, limits = _bounds(bounds)
    status, flags = np.zeros(candidates.height, np.int64), np.zeros(candidates.height, np.int64)
    trans_at, trans_day, _ = _series(transfusions, count, "VALUE")
    base_day = wide(subjects["LDSTART"].fill_null(subjects["DAY0"]), _FAR)
    assess_lab(
        candidates.height,
        *(offsets(subject, count), wide(candidates["DAY"]), wide(candidates["VALUE"].cast(pl.Float64)), wide(candidates["KIND"])),
        *_series(blood, count, "VALUE"),
        *_series(done.filter(pl.col("TEST") == "NEUT"), count, "VALUE"),
        *_series(done.filter(pl.col("TEST") == "PLAT"), count, "VALUE"),
        *_series(lesions, count, "PRESENT"),
        *(trans_at, trans_day, day0, base_day, ops, limits),
        *(options.crh, options.cri == "exactly-one", options.aplastic == "MLFS", study.disease.transfusion_free_days),
        *(status, flags),
    )
    keep = status >= 0
    return {
        "at": offsets(subject[keep], count),
        "day": wide(candidates["DAY"])[keep],
        "status": status[keep],
        "flags": flags[keep] | FROM_LAB,
        "seq": wide(candidates["SEQ"], -1)[keep],
    }


def _bounds(bounds: list[Bound]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([_OPERATORS[bound.op] for bound in bounds], np.int64), np.array([bound.value for bound in bounds])


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


def _mrd_samples(labs: pl.DataFrame, count: int) -> dict[str, np.ndarray]:
    frame = labs.filter((pl.col("TEST") == "MRD") & pl.col("DONE")).sort("SUBJ", "DAY", "SEQ", maintain_order=True)
    names = {"VALUE": "value", "BELOW": "below", "POSITIVE": "positive", "LOD": "lod"}
    samples = {"at": offsets(wide(frame["SUBJ"]), count), "mrd_day": wide(frame["DAY"])}
    return {**samples, **{name: wide(frame[column]) for column, name in names.items()}, "seq": wide(frame["SEQ"], -1)}


def _with_mrd(study: Study, reads: dict[str, np.ndarray], samples: dict[str, np.ndarray], cutoff: np.ndarray) -> Calls:
    rows = len(reads["day"])
    subject = np.repeat(np.arange(len(reads["at"]) - 1), np.diff(reads["at"]))
    call, source, flags = np.zeros(rows, np.int64), np.full(rows, -1, np.int64), reads["flags"].copy()
    assess_mrd(rows, subject, reads["day"], cutoff, *samples.values(), float(study.disease.mrd.negative_below), call, flags, source)
    flags[reads["status"] == NE] = reads["flags"][reads["status"] == NE]
    return Calls(reads["at"], reads["day"], reads["status"], flags, reads["seq"], call, source)
