"""Which progressions can be a flare of immune cells, by LYRIC 2016? What was measured, as the kernel reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.response.arrays import offsets, usable, wide
from cartrial.response.clinical import clinical_progressions
from cartrial.response.imaging.lesion_kernel import Limits, Measured
from cartrial.response.imaging.lyric_kernel import Sums, Visits, find_flares
from cartrial.response.unconfirmed import stops_of
from cartrial.sdtm.records import Records
from cartrial.sdtm.vocabulary.imaging.codes import NEW_LESION, TARGET

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.sets import LesionLimits

__all__ = ["sums_of", "with_flares"]

MOST_LESIONS = 6
"""Lesions of a sum with the new ones: the largest, or as many as there are targets."""

WORSE_DAYS = 14
"""Clinical deterioration so many days from a scan is of its visit."""

_SERIES = ["SUBJ", "READER"]


def sums_of(scans: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return SPD and LOW, its nadir before, by scan: 0 where no target was at baseline; and LEAST, JOINT and JOINTLOW.

    LEAST and JOINT (with the new lesions) are of what was measured, also where a target was not: the sum is at least that. Nadirs are
    of the scans at which every target was.

    Parameters
    ----------
    scans : polars.DataFrame
        SUBJ, READER, SCAN, TARGETS, SUM, SPD (null where a target was not evaluated) and SIGNS, by series and day.
    rows : polars.DataFrame
        SCAN, KIND and AREA of what was measured, and COUNTED, whether a target is one of the baseline.
    """
    none = pl.col("TARGETS") == 0
    scans = scans.with_columns(pl.when(none).then(0.0).otherwise("SPD").alias("SPD"))
    # a large new lesion beside six targets would else never count
    most = pl.max_horizontal("TARGETS", pl.lit(MOST_LESIONS))
    summed = ((pl.col("KIND") == TARGET) & pl.col("COUNTED")) | (pl.col("KIND") == NEW_LESION)
    areas = rows.filter(summed & pl.col("AREA").is_not_null()).join(scans.select("SCAN", most.alias("MOST")), on="SCAN")
    place = pl.col("AREA").rank("ordinal", descending=True).over("SCAN")
    measured = areas.group_by("SCAN").agg(
        pl.col("AREA").filter(pl.col("KIND") == TARGET).sum().alias("LEAST"),
        pl.col("AREA").filter(place <= pl.col("MOST")).sum().alias("JOINT"),
    )
    scans = scans.join(measured, on="SCAN", how="left", maintain_order="left").with_columns(pl.col("LEAST", "JOINT").fill_null(0.0))
    whole = {"LOW": pl.col("SPD"), "JOINTLOW": pl.when(pl.col("SPD").is_not_null()).then("JOINT")}
    before = [pl.min_horizontal("SUM", total.cum_min().forward_fill().shift(1).over(_SERIES)).alias(low) for low, total in whole.items()]
    return scans.with_columns(before)


def with_flares(
    study: Study, records: Records, spoken: pl.DataFrame, sums: pl.DataFrame, measured: tuple[Measured, np.ndarray], limits: LesionLimits
) -> pl.DataFrame:
    """Return the calls, progressions that can be a flare and that nothing has settled as IR.

    Parameters
    ----------
    study : Study
    records : Records
        New therapies and transplants, and clinical deterioration.
    spoken : polars.DataFrame
        One call a visit: READER, SUBJ, DAY, RESP, FLAGS and SCAN (null: no CT), sorted so.
    sums : polars.DataFrame
        As `sums_of` returns them.
    measured : tuple of Measured and ndarray
        What was measured, and where the rows of each scan start.
    limits : LesionLimits
    """
    series = ["READER", "SUBJ"]
    named = spoken.select(series).unique(maintain_order=True).with_row_index("SERIES")
    at = offsets(wide(spoken.join(named, on=series, how="left", maintain_order="left")["SERIES"]), named.height)
    stops, subject = stops_of(records), wide(named["SUBJ"])
    visits = Visits(
        *(at, wide(spoken["DAY"]), wide(spoken["RESP"]), wide(spoken["FLAGS"]), wide(spoken["SCAN"], -1), _worse(study, records, spoken)),
        *(stops.day0[subject], stops.therapy[subject]),
    )
    rows, row_at = measured
    by_scan = Sums(row_at, wide(sums["SIGNS"]), *(wide(sums[name]) for name in ("SPD", "LOW", "LEAST", "JOINT", "JOINTLOW")))
    find_flares(spoken.height, visits, by_scan, rows, Limits(**limits.model_dump()), study.disease.family.roles)
    return spoken.with_columns(pl.Series("RESP", visits.status).cast(pl.Int8), pl.Series("FLAGS", visits.flags))


def _worse(study: Study, records: Records, spoken: pl.DataFrame) -> np.ndarray:
    """Whether a visit has clinical deterioration beside it, by FA or as a progression that a clinician saw: bool."""
    told = usable(records.imaging["worsened"], records.subjects) if "worsened" in records.imaging else None
    days = [
        frame.select("SUBJ", pl.col("DAY").cast(pl.Int64).alias("SEEN"))
        for frame in (told, clinical_progressions(study, records))
        if frame is not None
    ]
    visits = spoken.select("SUBJ", pl.col("DAY").cast(pl.Int64)).with_row_index("VISIT")
    near = visits.join(pl.concat(days), on="SUBJ").filter((pl.col("SEEN") - pl.col("DAY")).abs() <= WORSE_DAYS)
    return np.isin(np.arange(spoken.height), near["VISIT"].to_numpy())
