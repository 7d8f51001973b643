"""Which call speaks for an assessment that was read by PET and by CT? The records as the kernel reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.response.arrays import wide
from cartrial.response.codes import CHANGE_NOT_RECORDED, NEW_LESION_SEEN, NOT_AVID, PET_BASELINE_MISSING
from cartrial.response.modality_kernel import CARRY, CT_CALL, CT_SET, NOT_EVALUABLE, Imaging, Spoken, assess_modality
from cartrial.sdtm.records.codes import FAR, PET
from cartrial.study.criteria.codes import NE, Roles, statuses_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["spoken_calls"]

_NO_CALL = CHANGE_NOT_RECORDED | NOT_AVID | PET_BASELINE_MISSING
_MISSING = {"carry": CARRY, "ct": CT_CALL, "ne": NOT_EVALUABLE, "": CT_SET}


def spoken_calls(study: Study, calls: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """Return one call an assessment and reader, with its FLAGS.

    Parameters
    ----------
    study : Study
        Which modality decides, and what an assessment without PET is.
    calls : polars.DataFrame
        SUBJ, DAY, READER, RESP, SEQ, ACCEPTED, MODALITY (`cartrial.sdtm.records.codes`), sorted by reader, subject and day; where calls
        were derived, FLAGS.
    subjects : polars.DataFrame
        SUBJ, DAY0; row SUBJ is subject SUBJ.

    Notes
    -----
    Of two calls of one reader, date and modality the last recorded is read. A progression by a new lesion that CT showed first is dated
    there.
    """
    series = ["READER", "SUBJ"]
    calls = calls.unique([*series, "DAY", "MODALITY"], keep="last", maintain_order=True)
    starts = calls.select(pl.struct(series).rle_id().alias("SERIES"))["SERIES"].to_numpy().astype(np.int64)
    many = int(starts.max()) + 1 if len(starts) else 0
    at = np.searchsorted(starts, np.arange(many + 1), side="left").astype(np.int64)
    status = wide(calls["RESP"])
    day0 = wide(subjects["DAY0"], FAR)[wide(calls["SUBJ"])[at[:-1]]]
    imaging = Imaging(at, wide(calls["DAY"]), status, wide(calls["MODALITY"]), day0)
    rows = calls.height
    spoken = Spoken(np.zeros(rows, bool), status.copy(), np.zeros(rows, np.int64), np.full(rows, -1, np.int64))
    assess_modality(rows, imaging, study.disease.family.roles, _MISSING[study.disease.missing_pet], spoken)
    flags = spoken.flags
    if "FLAGS" in calls.columns:
        flags, day = _derived(study.disease.family.roles, imaging, spoken, wide(calls["FLAGS"]))
        calls = calls.with_columns(pl.Series("DAY", day).cast(pl.Int32))
    if "SCAN" in calls.columns:
        # the scan beside a PET is the visit's
        beside = pl.Series(np.maximum(spoken.pair, 0))
        of_pair = calls["SCAN"].gather(beside).zip_with(pl.Series(spoken.pair >= 0), calls["SCAN"]) if rows else calls["SCAN"]
        calls = calls.with_columns(pl.coalesce("SCAN", of_pair).alias("SCAN"))
    said = calls.with_columns(pl.Series("RESP", spoken.status).cast(pl.Int8), pl.Series("FLAGS", flags))
    return said.filter(pl.Series(spoken.speaks)).sort("READER", "SUBJ", "DAY", maintain_order=True)


def _derived(roles: Roles, imaging: Imaging, spoken: Spoken, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the flags of derived calls, with those of a PET beside that made no call, and their days.

    A new lesion is progression from the first day on which it was seen (rules of lymphoma, L4).
    """
    paired, other = spoken.pair >= 0, np.maximum(spoken.pair, 0)
    no_call = paired & (imaging.status[other] == NE) & (imaging.modality[other] == PET)
    flags = spoken.flags | own | np.where(no_call, own[other] & _NO_CALL, 0)
    ended = np.isin(spoken.status, statuses_of(roles.ends)) & paired & (imaging.modality == PET)
    seen_first = ended & (own[other] & NEW_LESION_SEEN != 0)
    return flags, np.where(seen_first, np.minimum(imaging.day, imaging.day[other]), imaging.day)
