"""What may a reader see of imaging? Sizes of lesions and the spleen, uptake by PET, the marrow; and at which dates there is a case.

The dates, the sums of products and the status by the study's limits are those of `cartrial.response.imaging`; nothing is derived here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.response.codes import (
    CHANGE_BY_SCORE,
    CHANGE_NOT_RECORDED,
    IMAGING_BASELINE_MISSING,
    LESIONS_JOINED,
    NO_DISEASE,
    NOT_AVID,
    PET_BASELINE_MISSING,
    SPLEEN_NOT_MEASURED,
    TARGET_NOT_EVALUATED,
)
from cartrial.response.imaging import assess_imaging, imaging_reads
from cartrial.response.imaging.lesion_kernel import SCAN_DAYS
from cartrial.response.imaging.lesions import MARROW_DAYS, PET_DAYS
from cartrial.sdtm.records.codes import FAR, INV, IRC, LAB
from cartrial.sdtm.vocabulary.imaging import codes

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["IMAGING_FACTS", "IMAGING_REACH", "MARROW_REACH", "imaged_dates", "imaged_rows", "measurements_of", "near_imaging"]

IMAGING_REACH = PET_DAYS
"""A PET and a CT so many days apart are one visit. Unit: days."""

MARROW_REACH = MARROW_DAYS
"""A sample of the marrow so many days from a scan tells of it. Unit: days."""

IMAGING_FACTS = (
    *(IMAGING_BASELINE_MISSING, NO_DISEASE, TARGET_NOT_EVALUATED, SPLEEN_NOT_MEASURED, LESIONS_JOINED),
    *(PET_BASELINE_MISSING, NOT_AVID, CHANGE_NOT_RECORDED, CHANGE_BY_SCORE),
)
"""Flags of the derived status that are facts of the records. What says the call in other words (a new lesion, a flare) is none."""

_KINDS = {codes.TARGET: "target", codes.NON_TARGET: "non-target", codes.NEW_LESION: "new lesion", codes.SPLEEN: "spleen"}
_STATES = {
    **{codes.TOO_SMALL: "too small to measure", codes.NOT_EVALUATED: "not evaluated", codes.ABSENT: "absent"},
    **{codes.PRESENT: "present", codes.EQUIVOCAL: "equivocal", codes.UNEQUIVOCAL: "unequivocal"},
}
_UPTAKE = {codes.DECREASED: "uptake decreased", codes.UNCHANGED: "uptake unchanged", codes.INCREASED: "uptake increased"}
_INVOLVED = {codes.CLEAR: "no lymphoma", codes.INVOLVED: "involved", codes.NEWLY_INVOLVED: "newly involved"}

Row = dict[str, Any]


def measurements_of(study: Study, records: Records) -> Records:
    """Return the records with the measurements of imaging that the charter lets readers see, and no others: of one panel of readers."""
    shown = INV if study.committee.measurements == "investigator" else IRC
    tables = {
        name: table.filter(pl.col("READER") == shown) if "READER" in table.columns else table for name, table in records.imaging.items()
    }
    return dataclasses.replace(records, imaging=tables)


def imaged_dates(study: Study, records: Records) -> pl.DataFrame:
    """Return the dates of imaging, one a visit, and the status that the study's limits give there.

    Parameters
    ----------
    study : Study
        Criteria with limits of lesions.
    records : Records
        Of `measurements_of`.

    Returns
    -------
    polars.DataFrame
        SUBJ, DAY, STATUS (its number; -1: of a baseline there is none), FLAGS, SCAN, the first day on which CT measured at the visit (-1:
        none).

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study
    >>> from cartrial.review.imaging import imaged_dates
    >>> from cartrial.sdtm import Source
    >>> from cartrial.sdtm.records import derive_records
    >>> study = Study.load("cnct19-nhl")
    >>> imaged_dates(study, derive_records(study, Source({"DM": pl.DataFrame({"STUDYID": "S", "USUBJID": ["1"], "ROW": [2]})}))).height
    0
    """
    columns = {"SUBJ": pl.Int32, "DAY": pl.Int64, "STATUS": pl.Int64, "FLAGS": pl.Int64, "SCANNED": pl.Int64}
    imaged = assess_imaging(study, records)
    spoken = imaging_reads(study, records).filter(pl.col("READER") == LAB)
    scans = imaged.calls.drop_nulls("SCAN").select("SCAN", pl.col("DAY").alias("SCANNED"))
    found = spoken.join(scans, on="SCAN", how="left", maintain_order="left").with_columns(
        pl.col("RESP").alias("STATUS"), pl.col("SCANNED").fill_null(-FAR)
    )
    # of a visit before the baseline's last day nothing is derived
    base = imaged.sizes.filter(pl.col("RESP").is_null()).with_columns(
        pl.lit(-1).alias("STATUS"), pl.lit(0).alias("FLAGS"), pl.col("DAY").alias("SCANNED")
    )
    both = [frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items()) for frame in (base, found)]
    return pl.concat(both).sort("SUBJ", "DAY").unique(["SUBJ", "DAY"], keep="last", maintain_order=True)


def imaged_rows(study: Study, records: Records) -> Iterable[tuple[int, Row]]:
    """Yield what may be shown of imaging, by subject: lesions by number and kind, never by the name that a site gave them.

    Parameters
    ----------
    study : Study
    records : Records
        Of `measurements_of`.
    """
    seen = measurements_of(study, records)
    start = seen.subjects.select("SUBJ", "DAY0", "CUTOFF")
    tables = {name: _relative(table, start) for name, table in seen.imaging.items()}
    if not tables:
        return
    yield from _lesions(tables["lesions"])
    for row in tables["uptake"].iter_rows(named=True):
        words = _uptake_words(row)
        yield row["SUBJ"], {"day": row["AT"], "what": "pet", "words": words, "value": row["SCORE"], "new": row["NEW"], "seq": row["SEQ"]}
    for row in tables["marrow"].iter_rows(named=True):
        words = _INVOLVED[row["INVOLVED"]]
        yield row["SUBJ"], {"day": row["AT"], "what": "involvement", "words": words, "value": row["INVOLVED"], "seq": row["SEQ"]}
    if study.disease.progression[0] == "lyric":
        for row in tables["worsened"].iter_rows(named=True):
            yield row["SUBJ"], {"day": row["AT"], "what": "worsened", "words": "recorded", "seq": row["SEQ"]}
    sizes = _relative(assess_imaging(study, seen).sizes.with_columns(pl.col("DAY").alias("DAYX")), start)
    for row in sizes.iter_rows(named=True):
        if row["SPD"] is not None:
            more = {"value": row["SPD"], "base": row["BASE"], "kind": "", "seq": row["SEQ"]}
            yield row["SUBJ"], {"day": row["AT"], "what": "size", "words": f"{row['SPD']:g} mm²", **more}


def _relative(frame: pl.DataFrame, start: pl.DataFrame) -> pl.DataFrame:
    """Return the records of a full date up to the cutoff of those infused, with the day AT from day 0."""
    joined = frame.join(start, on="SUBJ", maintain_order="left")
    dated = (pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF")) & pl.col("DAY0").is_not_null()
    return joined.filter(dated).with_columns((pl.col("DAY") - pl.col("DAY0")).alias("AT"))


def _lesions(lesions: pl.DataFrame) -> Iterable[tuple[int, Row]]:
    # numbered in the order in which they were first measured
    first = lesions.sort("SUBJ", "DAY", "LESION").unique(["SUBJ", "LESION"], keep="first", maintain_order=True)
    first = first.with_columns((1 + pl.int_range(pl.len()).over("SUBJ", "KIND")).alias("NUMBER"))
    known = first.select("SUBJ", "LESION", "NUMBER", pl.col("KIND").alias("IS"), pl.col("NODAL").alias("NODE"))
    for row in lesions.join(known, on=["SUBJ", "LESION"], maintain_order="left").iter_rows(named=True):
        spleen = row["IS"] == codes.SPLEEN
        name = _KINDS[row["IS"]] if spleen else f"{_KINDS[row['IS']]} {row['NUMBER']}, {'lymph node' if row['NODE'] else 'elsewhere'}"
        content = {"day": row["AT"], "what": "spleen" if spleen else "lesion", "name": name, "words": _size_words(row)}
        yield row["SUBJ"], content | {"long": row["LONG"], "seq": row["SEQ"]}


def _size_words(row: Row) -> str:
    state = _STATES.get(row["STATE"], "")
    if state in ("absent", "too small to measure", "not evaluated"):
        return state
    sizes = " × ".join(f"{row[name]:g}" for name in ("LONG", "SHORT") if row[name] is not None)
    said = [f"{sizes} mm"] if sizes else []
    return ", ".join([*said, *([state] if state else [])]) or "not measured"


def _uptake_words(row: Row) -> str:
    score = row["SCORE"]
    said = {None: "no score", codes.SCORE_X: "score X", codes.SCORE_NE: "not evaluable"}.get(score, f"score {score}")
    more = [_UPTAKE[row["CHANGE"]]] if row["CHANGE"] is not None else []
    return ", ".join([said, *more, *(["new avid lesion"] if row["NEW"] else []), *(["avid disease"] if row["AVID"] else [])])


def near_imaging(day: int, scanned: int | None, rows: list[Row]) -> set[int]:
    """Return which rows belong to a visit, by their place: the scan's own sizes, the PET nearest to it, the sample of the marrow.

    Parameters
    ----------
    day : int
        Of the assessment, from day 0.
    scanned : int, optional
        The first day on which CT measured at the visit.
    rows : list of dict
        Of `imaged_rows`, of one subject.
    """
    found: set[int] = set()
    taken: set[str] = set()
    nearest: dict[str, tuple[int, int, int]] = {}
    for i, row in enumerate(rows):
        if row["what"] in ("lesion", "spleen", "size"):
            name = str(row.get("name", row["what"]))
            if scanned is not None and 0 <= row["day"] - scanned <= SCAN_DAYS and name not in taken:
                taken.add(name)
                found.add(i)
        elif row["what"] in ("pet", "involvement"):
            gap = abs(row["day"] - day)
            far = PET_DAYS if row["what"] == "pet" else MARROW_DAYS
            if gap <= far:
                nearest[row["what"]] = min(nearest.get(row["what"], (gap, row["day"], i)), (gap, row["day"], i))
    return found | {i for _, _, i in nearest.values()}
