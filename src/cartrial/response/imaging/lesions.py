"""What do measurements of lesions and of uptake say of lymphoma, by the study's criteria? The records as the kernels read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.response.arrays import offsets, usable, wide
from cartrial.response.codes import FROM_IMAGING, LESIONS_JOINED
from cartrial.response.imaging.lesion_kernel import LesionRule, Lesions, Limits, Measured, Scanned, Scans, assess_lesions, gather_scans
from cartrial.response.imaging.lyric import sums_of, with_flares
from cartrial.response.imaging.metabolic import metabolic_calls, uptake_at_baseline
from cartrial.response.modality import spoken_calls
from cartrial.sdtm.records import Records
from cartrial.sdtm.records.codes import ADJUDICATOR, CT, FAR, INV, IRC, LAB, READER1, READER2
from cartrial.sdtm.records.tumours import IMAGING
from cartrial.sdtm.vocabulary.imaging.codes import ABSENT, CLEAR, EQUIVOCAL, NEW_LESION, NON_TARGET, NOT_EVALUATED, SPLEEN, TARGET
from cartrial.study.criteria.codes import NE

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.sets import CallOptions, LesionLimits

__all__ = ["Imaged", "assess_imaging", "disease_by_imaging", "imaging_reads"]

MARROW_DAYS = 28
"""A sample of the marrow so many days from a scan tells of it."""

PET_DAYS = 14

_INSTEAD = {INV: 0, IRC: 1, READER1: 2, READER2: 3, ADJUDICATOR: 4}
"""Whose measurements the derived reader reads, the first that there are."""


@dataclass(frozen=True)
class Imaged:
    """What was derived from measurements, by the reader who made them.

    Parameters
    ----------
    calls : polars.DataFrame
        SUBJ, DAY, READER, RESP, SEQ, ACCEPTED, MODALITY, FLAGS and SCAN (null of a PET): the calls by CT and by PET of each visit.
    sizes : polars.DataFrame
        SUBJ, READER, DAY, SEQ, SPD and BASE, the sum of products of the targets at the scan and at baseline (mm^2; null where a target was
        not evaluated), RESP, the call by CT, and FLAGS. The baseline has a row of its own, on its last day, with RESP null.
    sums : polars.DataFrame, optional
        By scan what `cartrial.response.imaging.lyric` compares; None where nothing was measured.
    measured : tuple of Measured and ndarray, optional
        What was measured, and where the rows of each scan start.
    """

    calls: pl.DataFrame
    sizes: pl.DataFrame
    sums: pl.DataFrame | None = None
    measured: tuple[Measured, np.ndarray] | None = None


def imaging_reads(study: Study, records: Records) -> pl.DataFrame:
    """Return the derived calls, one a visit, as the calls of readers are: of LAB, and of the readers who made the measurements.

    Notes
    -----
    LAB reads the measurements of the investigator (or of nobody named), else of the committee, of reader 1, 2, the adjudicator.
    """
    imaged = assess_imaging(study, records)
    spoken = spoken_calls(study, imaged.calls.sort("READER", "SUBJ", "DAY", "SEQ", maintain_order=True), records.subjects)
    if study.disease.imaging and study.disease.progression[0] == "lyric" and imaged.sums is not None and imaged.measured is not None:
        spoken = with_flares(study, records, spoken, imaged.sums, imaged.measured, study.disease.imaging[0])
    rank = pl.col("READER").replace_strict(_INSTEAD, return_dtype=pl.Int8)
    lab = spoken.filter(rank == rank.min().over("SUBJ")).with_columns(
        pl.lit(LAB, dtype=pl.Int8).alias("READER"), pl.lit(False).alias("ACCEPTED")
    )
    return pl.concat([spoken, lab])


def assess_imaging(study: Study, records: Records) -> Imaged:
    """Return the calls by CT and by PET of every reader who measured, and the sums of products.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study
    >>> from cartrial.response.imaging import assess_imaging
    >>> from cartrial.sdtm import Source
    >>> from cartrial.sdtm.records import derive_records
    >>> study = Study.load("inaticel")
    >>> empty = Source({"DM": pl.DataFrame({"STUDYID": "S", "USUBJID": ["1"], "ROW": [2]})})
    >>> assess_imaging(study, derive_records(study, empty)).sizes.height
    0
    """
    rule = study.disease.imaging
    subjects = _starts(study, records)
    tables = {name: records.imaging.get(name, pl.DataFrame(schema=dict(columns))) for name, columns in IMAGING.items()}
    tables = {name: usable(table, records.subjects).join(subjects, on="SUBJ") for name, table in tables.items()}
    if rule is None or (tables["lesions"].is_empty() and tables["uptake"].is_empty()):
        return Imaged(pl.DataFrame(schema=_CALLS), pl.DataFrame(schema=_SIZES))
    limits, options = rule
    tables["lesions"] = _of_the_baseline(tables["lesions"])
    pets = metabolic_calls(options, tables["uptake"], tables["lesions"])
    scans, sizes, measured = _scanned(limits, options, tables["lesions"], tables["marrow"], pets)
    pets = pets.with_columns(pl.lit(None, dtype=pl.Int64).alias("SCAN"))
    calls = pl.concat([frame.select(pl.col(name).cast(dtype) for name, dtype in _CALLS.items()) for frame in (scans, pets)])
    sizes = sizes.select(pl.col(name).cast(dtype) for name, dtype in _SIZES.items()).sort("SUBJ", "READER", "DAY")
    return Imaged(calls, sizes, scans, measured)


_CALLS = {
    **{"SUBJ": pl.Int32, "DAY": pl.Int32, "READER": pl.Int8, "RESP": pl.Int8, "SEQ": pl.Int64, "ACCEPTED": pl.Boolean},
    **{"MODALITY": pl.Int8, "FLAGS": pl.Int64, "SCAN": pl.Int64},
}
_SIZES = {
    **{"SUBJ": pl.Int32, "READER": pl.Int8, "DAY": pl.Int32, "SEQ": pl.Int64, "SPD": pl.Float64, "BASE": pl.Float64},
    **{"RESP": pl.Int8, "FLAGS": pl.Int64},
}
_SERIES = ["SUBJ", "READER"]


def _starts(study: Study, records: Records) -> pl.DataFrame:
    """Return the last day of a baseline by subject: the start of lymphodepletion, or of bridging where the study says screening."""
    subjects = records.subjects.select("SUBJ", pl.coalesce("LDSTART", "DAY0").cast(pl.Int64).fill_null(FAR).alias("BASEDAY"))
    if study.disease.imaging is None or study.disease.imaging[1].baseline != "screening":
        return subjects
    bridging = usable(records.therapies, records.subjects).filter(pl.col("KIND") == "BRIDGING THERAPY")
    first = bridging.group_by("SUBJ").agg(pl.col("DAY").min().alias("BRIDGED"))
    return subjects.join(first, on="SUBJ", how="left").select("SUBJ", pl.min_horizontal("BASEDAY", "BRIDGED").alias("BASEDAY"))


def _of_the_baseline(lesions: pl.DataFrame) -> pl.DataFrame:
    """Return the lesions, those that were new before the baseline, and seen there, as its non-targets: they are not new after it."""
    unseen = pl.col("STATE").is_in([ABSENT, NOT_EVALUATED, EQUIVOCAL]).fill_null(False) | (pl.col("LONG") == 0).fill_null(False)
    there = ((pl.col("DAY") <= pl.col("BASEDAY")) & ~unseen).any().over(*_SERIES, "LESION")
    old = (pl.col("KIND") == NEW_LESION) & there
    return lesions.with_columns(pl.when(old).then(pl.lit(NON_TARGET, dtype=pl.Int8)).otherwise("KIND").alias("KIND"))


def _baseline(limits: LesionLimits, lesions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return each lesion as it was last measured by the day of the baseline, and each series' baseline."""
    before = lesions.filter(pl.col("DAY") <= pl.col("BASEDAY")).sort("DAY", maintain_order=True)
    last = [pl.col(name).filter(pl.col("LONG").is_not_null()).last() for name in ("AREA", "LONG", "SHORT")]
    each = before.group_by(*_SERIES, "LESION", maintain_order=True).agg(pl.col("KIND", "STATE", "NODAL").last(), *last)
    # a node of normal size is no disease, whatever TU calls it: criteria of a complete response would be met before the infusion
    normal = pl.col("NODAL") & (pl.col("LONG") <= limits.node)
    target, other = (pl.col("KIND") == TARGET) & pl.col("AREA").is_not_null(), pl.col("KIND") == NON_TARGET
    series = each.group_by(_SERIES, maintain_order=True).agg(
        target.sum().cast(pl.Int64).alias("TARGETS"),
        other.sum().cast(pl.Int64).alias("OTHERS"),
        (other & (pl.col("STATE") != ABSENT).fill_null(True)).any().alias("SEEN"),
        pl.col("AREA").filter(target).sum().round_sig_figs(12).alias("SUM"),
        (target & (pl.col("AREA") > 0) & ~normal).any().alias("MEASURABLE"),
        pl.col("LONG").filter(pl.col("KIND") == SPLEEN).max().alias("SPLEEN"),
    )
    days = before.group_by(_SERIES).agg(pl.col("DAY").max().alias("SCANNED"), pl.col("SEQ").last())
    return each, series.join(days, on=_SERIES, how="left", maintain_order="left")


def _scanned(
    limits: LesionLimits, options: CallOptions, lesions: pl.DataFrame, marrow: pl.DataFrame, pets: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, tuple[Measured, np.ndarray]]:
    """Return the calls by CT, the sums of products, and what was measured at each scan."""
    each, base = _baseline(limits, lesions)
    rows = lesions.filter(pl.col("DAY") > pl.col("BASEDAY")).sort(*_SERIES, "DAY", "LESION", maintain_order=True)
    places = rows.select(*_SERIES, "LESION").unique(maintain_order=True).with_row_index("PLACE")
    rows = rows.join(places, on=[*_SERIES, "LESION"], how="left", maintain_order="left")
    nadirs = places.join(each.drop("KIND", "STATE", "NODAL"), on=[*_SERIES, "LESION"], how="left", maintain_order="left")
    kind = places.join(each.select(*_SERIES, "LESION", "KIND"), on=[*_SERIES, "LESION"], how="left", maintain_order="left")["KIND"]
    low = Lesions(*(wide(nadirs[name]) for name in ("AREA", "LONG", "SHORT")))
    low.area[(kind == NON_TARGET).fill_null(False).to_numpy()] = 0.0
    named = rows.select(_SERIES).unique(maintain_order=True).with_row_index("SERIES")
    rows = rows.join(named, on=_SERIES, how="left", maintain_order="left")
    lesion, scan = wide(rows["PLACE"]), np.zeros(rows.height, np.int64)
    at = offsets(wide(rows["SERIES"]), named.height)
    gather_scans(rows.height, at, wide(rows["DAY"]), lesion, np.full(places.height, -1, np.int64), scan)
    rows = rows.with_columns(pl.Series("SCAN", scan))
    scans = rows.group_by("SCAN", maintain_order=True).agg(
        pl.col("SERIES", *_SERIES, "DAY", "SEQ", "BASEDAY").first(), pl.col("ACCEPTED").any(), pl.col("JOINED").any()
    )
    base = named.join(base, on=_SERIES, how="left", maintain_order="left")
    samples = _marrow_at(options, scans, marrow, pets)
    before = _marrow_before(named, marrow)
    tables = Scans(
        at=offsets(wide(scans["SERIES"]), named.height),
        row_at=offsets(scan, scans.height),
        marrow=samples,
        known=base["TARGETS"].is_not_null().to_numpy(),
        disease=_disease(limits, base, before),
        targets=wide(base["TARGETS"]),
        others=wide(base["OTHERS"]),
        spd=wide(base["SUM"]),
        spleen=wide(base["SPLEEN"]),
        base_marrow=before,
    )
    measured = Measured(
        lesion,
        wide(rows["KIND"]),
        rows["NODAL"].to_numpy(),
        wide(rows["STATE"], -1),
        *(wide(rows[name]) for name in ("AREA", "LONG", "SHORT")),
    )
    zeros = (np.zeros(scans.height, np.int64) for _ in range(2))
    out = Scanned(np.full(scans.height, NE, np.int64), next(zeros), np.full(scans.height, np.nan), next(zeros))
    assess_lesions(rows.height, tables, measured, low, _rule_of(limits, options), out)
    joined = pl.when("JOINED").then(LESIONS_JOINED).otherwise(0)
    scans = scans.with_columns(
        pl.Series("RESP", out.status),
        (pl.Series("FLAGS", out.flags) | FROM_IMAGING | joined).alias("FLAGS"),
        pl.Series("SPD", out.spd).fill_nan(None),
        pl.Series("SIGNS", out.signs),
        pl.lit(CT).alias("MODALITY"),
    ).join(
        base.select(*_SERIES, "TARGETS", "SUM", pl.when(pl.col("TARGETS") > 0).then("SUM").alias("BASE")),
        on=_SERIES,
        how="left",
        maintain_order="left",
    )
    start = base.filter(pl.col("TARGETS") > 0).with_columns(
        *(pl.col("SUM").alias(name) for name in ("SPD", "BASE")),
        *(pl.col("SCANNED").alias("DAY"), pl.lit(None).alias("RESP"), pl.lit(FROM_IMAGING).alias("FLAGS")),
    )
    sizes = pl.concat([frame.select(pl.col(name).cast(dtype) for name, dtype in _SIZES.items()) for frame in (start, scans)])
    rows = rows.with_columns(pl.Series("COUNTED", ~np.isnan(low.area[lesion])))
    return sums_of(scans, rows) if options.progression == "lyric" else scans, sizes, (measured, tables.row_at)


def _rule_of(limits: LesionLimits, options: CallOptions) -> LesionRule:
    return LesionRule(Limits(**limits.model_dump()), options.spleen_from == "nadir")


def _disease(limits: LesionLimits, base: pl.DataFrame, marrow: np.ndarray) -> np.ndarray:
    """Whether the baseline of a series showed disease by CT: a lesion that is there, an enlarged spleen, an involved marrow."""
    enlarged = (base["SPLEEN"] > limits.spleen).fill_null(False).to_numpy()
    seen = (base["MEASURABLE"] | base["SEEN"]).fill_null(False).to_numpy()
    return np.asarray(seen | enlarged | (marrow > CLEAR))


def _marrow_before(named: pl.DataFrame, marrow: pl.DataFrame) -> np.ndarray:
    """The last sample by the day of the baseline, by series; -1 where there is none."""
    before = marrow.filter(pl.col("DAY") <= pl.col("BASEDAY")).sort("DAY", "INVOLVED").group_by("SUBJ").agg(pl.col("INVOLVED").last())
    return wide(named.join(before, on="SUBJ", how="left", maintain_order="left")["INVOLVED"], -1)


def _marrow_at(options: CallOptions, scans: pl.DataFrame, marrow: pl.DataFrame, pets: pl.DataFrame) -> np.ndarray:
    """The sample nearest to each scan within 28 days, the earlier on a tie; -1 where there is none.

    Where the study lets PET stand for a biopsy, a negative PET within 14 days stands where no sample was taken.
    """
    after = marrow.filter(pl.col("DAY") > pl.col("BASEDAY")).select("SUBJ", pl.col("DAY").alias("TAKEN"), "INVOLVED")
    gap = (pl.col("TAKEN") - pl.col("DAY")).abs()
    near = scans.select("SCAN", "SUBJ", "DAY").join(after, on="SUBJ").with_columns(gap.alias("GAP")).filter(pl.col("GAP") <= MARROW_DAYS)
    near = near.sort("SCAN", "GAP", "TAKEN", "INVOLVED", descending=[False, False, False, True]).unique("SCAN", keep="first")
    found = scans.select("SCAN").join(near.select("SCAN", "INVOLVED"), on="SCAN", how="left", maintain_order="left")["INVOLVED"]
    if options.marrow == "pet":
        negative = pets.filter("NEGATIVE").select(*_SERIES, pl.col("DAY").alias("TAKEN"))
        close = scans.select("SCAN", *_SERIES, "DAY").join(negative, on=_SERIES).filter(gap <= PET_DAYS)["SCAN"].unique()
        found = found.zip_with(
            found.is_not_null() | ~scans["SCAN"].is_in(close.implode()), pl.Series([CLEAR], dtype=found.dtype).new_from_index(0, len(found))
        )
    return wide(found, -1)


def disease_by_imaging(study: Study, records: Records) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Say by subject whether a baseline had a target or avid disease, by any reader, whether there was one, and any disease: bool.

    Any disease is a non-target, an enlarged spleen and an involved marrow too: not measurable, and disease nevertheless.
    """
    count = records.subjects.height
    found, known, disease = (np.zeros(count, bool) for _ in range(3))
    rule = study.disease.imaging
    if rule is None or not records.imaging:
        return found, known, disease
    starts = _starts(study, records)
    lesions, uptake, marrow = (
        usable(records.imaging[name], records.subjects).join(starts, on="SUBJ") for name in ("lesions", "uptake", "marrow")
    )
    base = _baseline(rule[0], _of_the_baseline(lesions))[1]
    pets = uptake_at_baseline(rule[1], uptake)
    known[base["SUBJ"].to_numpy()] = True
    known[pets["SUBJ"].to_numpy()] = True
    found[base.filter("MEASURABLE")["SUBJ"].to_numpy()] = True
    found[pets.filter("AVIDBASE")["SUBJ"].to_numpy()] = True
    disease[base.filter(_disease(rule[0], base, _marrow_before(base, marrow)))["SUBJ"].to_numpy()] = True
    disease |= found | (_marrow_before(records.subjects.select("SUBJ"), marrow) > CLEAR)
    return found, known, disease
