"""How far did the infused cells expand, and how long did they persist? ADCK, from the samples of each infused subject.

Non-compartmental: linear trapezoids where the concentration rises or touches zero, logarithmic ones where it falls between positive values
(Gabrielsson and Weiner, Pharmacokinetic and Pharmacodynamic Data Analysis, 5th ed., 2016; R `PKNCA::pk.calc.auc` with method
"lin up/log down" and values below the limit kept as 0 first and dropped in the middle).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.sdtm.vocabulary.terms import canonical
from cartrial.sdtm.vocabulary.units import UNITS, standard_unit

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["derive_adck"]

_NOT_BLOOD = ("BONE MARROW", "CSF")
_NEVER = "never quantifiable"
_UNSAMPLED = "no sample after day 0"


def derive_adck(study: Study, records: Records) -> pl.DataFrame:
    """Derive cellular kinetics.

    Parameters
    ----------
    study : Study
        `kinetics.tests` are summarised, the area up to day `kinetics.auc_to`.
    records : Records
        Reads `subjects`, `labs`, `doses`, and the units of the domain LB in `extra` where it is kept. Units: days, the test's
        standard unit.

    Returns
    -------
    polars.DataFrame
        One row per infused subject with a sample, test and parameter, sorted by SUBJ, PARCAT1 and parameter: TRIAL, SUBJ (Int32),
        PARCAT1 (the test), PARAMCD (CMAX TMAX AUC28 TLAST CLAST PERSIST), PARAM, AVAL (Float64), AVALU, CNSR (Int8; PERSIST alone: 1
        when the last sample is still quantifiable), EXPANDFL (Y or N: ever quantifiable; null when never, and no sample was taken
        after day 0), REASON (why AVAL is null), SRCDOM, SRCSEQ (the sample that holds the value; null for the area).

    Notes
    -----
    - A sample has a full date on or after day 0 and on or before the cutoff, is not marrow or cerebrospinal fluid, and was done.
      Samples after a re-infusion of the product belong to that dose and are not used. Of one day the highest value is used.
    - Quantifiable: a value above 0 that is not below its limit. A value at the limit is quantifiable; `detected` without a value is not.
    - Below the limit: 0 before the first quantifiable sample, missing after the last. Between two quantifiable ones it is missing as
      well: the rule gives 0 to the first part alone, and the area passes from neighbour to neighbour. A value of 0 recorded as a number
      is a measured 0 wherever it stands.
    - The value on day 0 is 0 where no sample was taken that day. Between a sample before and a sample after the last day of the area
      the value is interpolated by the rule of its segment.
    - Sampling that stops before the last day of the area, or starts after day `kinetics.first_by`, gives no area. Samples below the
      limit count as sampling: the area then ends at the last quantifiable sample.
    - Cmax is the highest of all samples, also those after day 28, and Tmax the first day of it.
    """
    samples = _samples(study, records)
    end = float(study.kinetics.auc_to)
    key = ["SUBJ", "TEST"]
    seen = samples.filter(pl.col("QUANT"))
    peak = pl.col("C").arg_max()
    profile = (
        samples.group_by(key, maintain_order=True)
        .agg(
            pl.col("T").filter(pl.col("T") > 0).first().alias("BEGIN"),
            pl.col("T").last().alias("LAST"),
            pl.col("SEQ").last().alias("LASTSEQ"),
        )
        .join(
            seen.group_by(key, maintain_order=True).agg(
                pl.col("C").max().alias("CMAX"),
                pl.col("T").get(peak).alias("TMAX"),
                pl.col("SEQ").get(peak).alias("PEAKSEQ"),
                pl.col("T").first().alias("FIRST"),
                pl.col("T").last().alias("TLAST"),
                pl.col("C").last().alias("CLAST"),
                pl.col("SEQ").last().alias("TAILSEQ"),
            ),
            on=key,
            how="left",
            maintain_order="left",
        )
    )
    profile = profile.join(
        _areas(samples, profile.filter(pl.col("BEGIN") <= study.kinetics.first_by), end), on=key, how="left", maintain_order="left"
    )
    trials = records.subjects.select("SUBJ", "TRIAL")
    return _rows(profile.join(trials, on="SUBJ", how="left", maintain_order="left"), study, _units(study, records, samples))


def _samples(study: Study, records: Records) -> pl.DataFrame:
    """Return one sample a day: SUBJ, TEST, T (days from day 0), C (0 where not quantifiable), QUANT, ZERO, SEQ; sorted."""
    infused = records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select("SUBJ", "DAY0", "CUTOFF")
    again = (
        records.doses.filter(pl.col("KIND") == "PRODUCT")
        .join(infused, on="SUBJ", how="inner")
        .filter(pl.col("DAY") > pl.col("DAY0") + study.product.fraction_days)
        .group_by("SUBJ")
        .agg(pl.col("DAY").min().alias("AGAIN"))
    )
    unquantified = pl.col("BELOW").fill_null(False) | (pl.col("POSITIVE").fill_null(False) & pl.col("VALUE").is_null())
    below = unquantified | (pl.col("VALUE") < pl.col("LLOQ")).fill_null(False)
    used = (
        records.labs.filter(
            pl.col("TEST").is_in(list(study.kinetics.tests))
            & pl.col("DONE").fill_null(True)
            & (pl.col("DAY") == pl.col("DAYX"))
            & ~pl.col("SPEC").is_in(list(_NOT_BLOOD)).fill_null(False)
            & (pl.col("VALUE").is_not_null() | unquantified)
        )
        .join(infused, on="SUBJ", how="inner")
        .join(again, on="SUBJ", how="left")
        .filter(pl.col("DAY").is_between(pl.col("DAY0"), pl.min_horizontal("CUTOFF", "AGAIN")))
        .select(
            "SUBJ",
            pl.col("TEST").cast(pl.String),
            (pl.col("DAY") - pl.col("DAY0")).cast(pl.Float64).alias("T"),
            pl.when(below | (pl.col("VALUE") <= 0)).then(0.0).otherwise(pl.col("VALUE")).alias("C"),
            (~below & (pl.col("VALUE") > 0)).alias("QUANT"),
            (~below & (pl.col("VALUE") <= 0)).alias("ZERO"),
            "SEQ",
        )
    )
    ordered = used.sort("SUBJ", "TEST", "T", "C", "ZERO", "SEQ", descending=[False, False, False, True, True, False])
    return ordered.filter(~_as_before("SUBJ", "TEST", "T"))


def _as_before(*names: str) -> pl.Expr:
    """Say whether a row of a sorted frame has the keys of the row before it."""
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in names)
    return same.fill_null(False)


def _areas(samples: pl.DataFrame, profile: pl.DataFrame, end: float) -> pl.DataFrame:
    """Return the area from day 0 to `end` by SUBJ and TEST, for profiles sampled that far."""
    key = ["SUBJ", "TEST"]
    reached = profile.filter(pl.col("FIRST").is_not_null() & (pl.col("LAST") >= end)).select(*key, "FIRST")
    points = samples.join(reached, on=key, how="inner", maintain_order="left")
    points = points.filter(pl.col("QUANT") | pl.col("ZERO") | (pl.col("T") < pl.col("FIRST")))
    same = _as_before(*key)
    segments = points.select(
        *key,
        pl.when(same).then(pl.col("T").shift(1)).otherwise(0.0).alias("T1"),
        pl.when(same).then(pl.col("C").shift(1)).otherwise(0.0).alias("C1"),
        pl.col("T").alias("T2"),
        pl.col("C").alias("C2"),
    ).filter(pl.col("T1") < end)
    falls = (pl.col("C1") > pl.col("C2")) & (pl.col("C2") > 0)
    share = (end - pl.col("T1")) / (pl.col("T2") - pl.col("T1"))
    at_end = (
        pl.when(pl.col("T2") <= end)
        .then(pl.col("C2"))
        .when(falls)
        .then(pl.col("C1") * (pl.col("C2") / pl.col("C1")) ** share)
        .otherwise(pl.col("C1") + share * (pl.col("C2") - pl.col("C1")))
    )
    cut = segments.with_columns(falls.alias("FALLS"), at_end.alias("C2"), pl.min_horizontal("T2", pl.lit(end)).alias("T2"))
    drop = pl.col("C1") - pl.col("C2")
    mean = pl.when(pl.col("FALLS") & (drop > 0)).then(drop / (drop / pl.col("C2")).log1p()).otherwise((pl.col("C1") + pl.col("C2")) / 2)
    return cut.group_by(key, maintain_order=True).agg((mean * (pl.col("T2") - pl.col("T1"))).sum().alias("AUC"))


def _units(study: Study, records: Records, samples: pl.DataFrame) -> dict[str, str]:
    """Return the unit of each test: as LB has it for the samples used, else the standard one."""
    units: dict[str, str] = {test: UNITS[test].standard for test in study.kinetics.tests}
    lb = records.extra.get("LB")
    if lb is None or not {"LBTESTCD", "LBSTRESU", "LBSEQ"} <= set(lb.columns):
        return units
    lb = lb.join(samples.select("SUBJ", pl.col("SEQ").alias("LBSEQ")), on=["SUBJ", "LBSEQ"], how="semi")
    test = canonical(pl.col("LBTESTCD"), "LBTESTCD")
    found = lb.select(test.alias("TEST"), standard_unit(test, pl.col("LBSTRESU")).alias("UNIT")).drop_nulls().unique().sort("TEST", "UNIT")
    for name in units:
        words = found.filter(pl.col("TEST") == name)["UNIT"].to_list()
        units[name] = " or ".join(words) or units[name]
    return units


def _rows(profile: pl.DataFrame, study: Study, units: dict[str, str]) -> pl.DataFrame:
    """Return the profiles in the long form of ADaM."""
    end = study.kinetics.auc_to
    unit = pl.col("TEST").replace_strict(units, default=None, return_dtype=pl.String)
    null = pl.lit(None, dtype=pl.Int64)
    persists = pl.when(pl.col("TLAST").is_not_null()).then(pl.col("TLAST") == pl.col("LAST")).cast(pl.Int8)
    parameters = (
        ("CMAX", "Maximum concentration", "CMAX", unit, "PEAKSEQ"),
        ("TMAX", "Day of the maximum concentration", "TMAX", pl.lit("days"), "PEAKSEQ"),
        (f"AUC{end}", f"Area under the concentration, day 0 to {end}", "AUC", unit + pl.lit("*day"), None),
        ("TLAST", "Day of the last quantifiable sample", "TLAST", pl.lit("days"), "TAILSEQ"),
        ("CLAST", "Last quantifiable concentration", "CLAST", unit, "TAILSEQ"),
        ("PERSIST", "Persistence, day 0 to the last quantifiable sample", "TLAST", pl.lit("days"), "TAILSEQ"),
    )
    quantified = pl.col("FIRST").is_not_null()
    expanded = pl.when(quantified).then(pl.lit("Y")).when(pl.col("LAST") > 0).then(pl.lit("N"))
    why = pl.when(~quantified & (pl.col("LAST") > 0)).then(pl.lit(_NEVER)).when(~quantified).then(pl.lit(_UNSAMPLED))
    late = pl.col("BEGIN") > study.kinetics.first_by
    short = (
        why.when(pl.col("AUC").is_null() & (pl.col("LAST") < end))
        .then(pl.lit(f"sampling stops before day {end}"))
        .when(late)
        .then(pl.lit(f"first sampled after day {study.kinetics.first_by}"))
    )
    frames = [
        profile.select(
            "TRIAL",
            "SUBJ",
            pl.col("TEST").alias("PARCAT1"),
            pl.lit(code).alias("PARAMCD"),
            pl.lit(label).alias("PARAM"),
            pl.col(value).alias("AVAL"),
            words.alias("AVALU"),
            (persists if code == "PERSIST" else pl.lit(None, dtype=pl.Int8)).alias("CNSR"),
            expanded.alias("EXPANDFL"),
            (short if value == "AUC" else why.otherwise(None)).alias("REASON"),
            pl.lit("LB").alias("SRCDOM"),
            (null if seq is None else pl.col(seq)).alias("SRCSEQ"),
            (pl.int_range(pl.len()) * len(parameters) + rank).alias("ORDER"),
        )
        for rank, (code, label, value, words, seq) in enumerate(parameters)
    ]
    return pl.concat(frames).sort("ORDER").drop("ORDER")
