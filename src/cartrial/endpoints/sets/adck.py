"""How far did the infused cells expand, and how long did they persist? ADCK, from the samples of each infused subject.

Non-compartmental: linear trapezoids where the concentration rises or touches zero, logarithmic ones where it falls between positive values
(Gabrielsson and Weiner, Pharmacokinetic and Pharmacodynamic Data Analysis, 5th ed., 2016; R `PKNCA::pk.calc.auc` with method
"lin up/log down" and values below the limit kept as 0 first and dropped in the middle).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from cartrial.sdtm.vocabulary.results import ABOVE, AT_LEAST, EXACT, UNREADABLE, significant
from cartrial.sdtm.vocabulary.specimens import CELLS_IN
from cartrial.sdtm.vocabulary.terms import canonical
from cartrial.sdtm.vocabulary.units import UNITS, standard_unit

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["derive_adck", "samples_of"]

_NEVER = "never quantifiable"
_UNSAMPLED = "no sample after day 0"
_SEVERAL = "several samples may be the highest: a result above the limit of quantification"
_ILLEGIBLE = "a result that cannot be read"
_OVER = "a result above the limit of quantification"


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
        PARCAT1 (the test), PARAMCD (CMAX TMAX AUC28 TLAST CLAST PERSIST), PARAM, AVAL (Float64), AVALC (where AVAL is only the least
        that it can be: "≥ 1000000"), AVALU, CNSR (Int8; PERSIST alone: 1 when the last sample is still quantifiable), EXPANDFL (Y or N:
        ever quantifiable; null when never, and no sample was taken after day 0), REASON (why AVAL is null), FLAGS (what is to be known
        of AVAL), SRCDOM, SRCSEQ (the sample that holds the value; null for the area).

    Notes
    -----
    - A sample has a full date on or after day 0 and on or before the cutoff, is of blood (or its specimen is blank), was done, and its
      result can be read. Samples after a re-infusion of the product belong to that dose and are not used. Of one day the highest value
      is used.
    - Quantifiable: a value above 0 that is not below its limit. A value at the limit is quantifiable; `detected` without a value is not.
      A result as `<x` is not quantifiable, whatever number stands beside it.
    - A result as `>x` is quantifiable and at least x: so is Cmax then, and there is no area. The day of the peak is known where that
      sample alone can be the highest (rules, A8). With a result that cannot be read there is no area, and the others leave it out.
    - Below the limit: 0 before the first quantifiable sample, missing after the last. Between two quantifiable ones it is missing as
      well: the rule gives 0 to the first part alone, and the area passes from neighbour to neighbour. A value of 0 recorded as a number
      is a measured 0 wherever it stands.
    - The value on day 0 is 0 where no sample was taken that day. Between a sample before and a sample after the last day of the area
      the value is interpolated by the rule of its segment.
    - Sampling that stops more than `kinetics.auc_margin` days before the last day of the area, or with none from day 1 to
      `kinetics.first_by`, gives no area; nothing is extrapolated. Samples below the limit count as sampling: the area then ends at the
      last quantifiable sample.
    - Never quantifiable: Cmax and the area are 0, however far sampled; the others are missing (rules, A14).
    - Cmax is the highest of all samples, also those after day 28, and Tmax the first day of it.
    """
    taken = samples_of(study.kinetics.tests, study.product.fraction_days, records)
    samples = taken.filter("LEGIBLE")
    end = float(study.kinetics.auc_to)
    key = ["SUBJ", "TEST"]
    seen = samples.filter(pl.col("QUANT"))
    peak = pl.col("C").arg_max()
    profile = (
        samples.group_by(key, maintain_order=True)
        .agg(
            pl.col("T").filter(pl.col("T") > 0).first().alias("BEGIN"),
            (pl.col("T").first() == 0).alias("DAYZERO"),
            pl.col("T").last().alias("LAST"),
            pl.col("SEQ").last().alias("LASTSEQ"),
            pl.col("OVER").any().alias("CMAXOVER"),
            (pl.col("OVER") & (pl.col("T") <= end)).any().alias("AUCOVER"),
        )
        .join(
            seen.group_by(key, maintain_order=True).agg(
                pl.col("C").max().alias("CMAX"),
                pl.col("T").get(peak).alias("TMAX"),
                pl.col("SEQ").get(peak).alias("PEAKSEQ"),
                pl.col("T").first().alias("FIRST"),
                pl.col("T").last().alias("TLAST"),
                pl.col("C").last().alias("CLAST"),
                pl.col("OVER").last().alias("CLASTOVER"),
                # of several that may be the highest none is known to be
                (pl.col("OVER").any() & ((pl.col("OVER").sum() > 1) | ~pl.col("OVER").get(peak))).alias("TMAXOVER"),
                pl.col("SEQ").last().alias("TAILSEQ"),
            ),
            on=key,
            how="left",
            maintain_order="left",
        )
    )
    enough = (pl.col("BEGIN") <= study.kinetics.first_by) & (pl.col("LAST") >= end - study.kinetics.auc_margin)
    profile = profile.with_columns(enough.fill_null(False).alias("ENOUGH"))
    never = pl.col("FIRST").is_null() & (pl.col("LAST") > 0)
    areas = _areas(samples, profile.filter("ENOUGH"), end)
    profile = profile.join(areas, on=key, how="left", maintain_order="left").with_columns(
        pl.when("AUCOVER").then(None).when(never).then(0.0).otherwise("AUC").alias("AUC"),
        pl.when(never).then(0.0).otherwise("CMAX").alias("CMAX"),
        pl.when("TMAXOVER").then(None).otherwise("TMAX").alias("TMAX"),
    )
    illegible = taken.filter(~pl.col("LEGIBLE")).group_by(key).agg(pl.col("T").min().alias("ILLEGIBLE"))
    profile = profile.join(illegible, on=key, how="left", maintain_order="left").with_columns(
        pl.when(pl.col("ILLEGIBLE") <= end).then(None).otherwise("AUC").alias("AUC")
    )
    trials = records.subjects.select("SUBJ", "TRIAL")
    return _rows(profile.join(trials, on="SUBJ", how="left", maintain_order="left"), study, _units(study, records, samples))


def samples_of(tests: Sequence[str], fraction_days: int, records: Records) -> pl.DataFrame:
    """Return one sample a day, sorted: SUBJ, TEST, T (day), C (0: not quantifiable), QUANT, ZERO, OVER (at least C), LEGIBLE, LOWEST, SEQ.

    LOWEST is the limit of quantitation, or that of a text as `<x`: of two the higher.
    """
    infused = records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select("SUBJ", "DAY0", "CUTOFF")
    again = (
        records.doses.filter(pl.col("KIND") == "PRODUCT")
        .join(infused, on="SUBJ", how="inner")
        .filter(pl.col("DAY") > pl.col("DAY0") + fraction_days)
        .group_by("SUBJ")
        .agg(pl.col("DAY").min().alias("AGAIN"))
    )
    measured, at_least = pl.col("REL") == EXACT, pl.col("REL").is_in([ABOVE, AT_LEAST])
    below = (significant(pl.col("VALUE")) < significant(pl.col("LLOQ"))).fill_null(False)
    used = (
        records.labs.filter(
            pl.col("TEST").is_in(list(tests))
            & pl.col("DONE").fill_null(True)
            & (pl.col("DAY") == pl.col("DAYX"))
            & pl.col("SPEC").is_in(list(CELLS_IN)).fill_null(True)
            & pl.col("REL").is_not_null()
        )
        .with_columns(
            (pl.col("REL") != UNREADABLE).alias("LEGIBLE"),
            (measured & ~below & (pl.col("VALUE") > 0)).fill_null(False).alias("QUANT"),
            (measured & ~below & (pl.col("VALUE") <= 0)).fill_null(False).alias("ZERO"),
            at_least.alias("OVER"),
        )
        .join(infused, on="SUBJ", how="inner")
        .join(again, on="SUBJ", how="left")
        .filter(pl.col("DAY").is_between(pl.col("DAY0"), pl.min_horizontal("CUTOFF", "AGAIN")))
        .select(
            "SUBJ",
            pl.col("TEST").cast(pl.String),
            (pl.col("DAY") - pl.col("DAY0")).cast(pl.Float64).alias("T"),
            pl.when("QUANT").then("VALUE").when("OVER").then("LIMIT").otherwise(0.0).alias("C"),
            (pl.col("QUANT") | pl.col("OVER")).alias("QUANT"),
            "ZERO",
            "OVER",
            "LEGIBLE",
            pl.when(at_least | measured).then("LLOQ").otherwise(pl.max_horizontal("LIMIT", "LLOQ")).alias("LOWEST"),
            "SEQ",
        )
    )
    used = used.with_columns(pl.col("OVER").any().over("SUBJ", "TEST", "T"))
    ordered = used.sort(*("SUBJ", "TEST", "T", "LEGIBLE", "C", "ZERO", "SEQ"), descending=[False, False, False, True, True, True, False])
    return ordered.filter(~_as_before("SUBJ", "TEST", "T", "LEGIBLE"))


def _as_before(*names: str) -> pl.Expr:
    """Say whether a row of a sorted frame has the keys of the row before it."""
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in names)
    return same.fill_null(False)


def _areas(samples: pl.DataFrame, profile: pl.DataFrame, end: float) -> pl.DataFrame:
    """Return the area from day 0 to `end`, or the last sample before it, by SUBJ and TEST; null with a sample of at least so much."""
    key = ["SUBJ", "TEST"]
    reached = profile.filter(pl.col("FIRST").is_not_null()).select(*key, "FIRST")
    points = samples.join(reached, on=key, how="inner", maintain_order="left")
    points = points.filter(pl.col("QUANT") | pl.col("ZERO") | (pl.col("T") < pl.col("FIRST")))
    same = _as_before(*key)
    segments = points.select(
        *key,
        pl.when(same).then(pl.col("T").shift(1)).otherwise(0.0).alias("T1"),
        pl.when(same).then(pl.col("C").shift(1)).otherwise(0.0).alias("C1"),
        pl.col("T").alias("T2"),
        pl.col("C").alias("C2"),
        "OVER",
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
    area = (mean * (pl.col("T2") - pl.col("T1"))).sum()
    return cut.group_by(key, maintain_order=True).agg(pl.when(~pl.col("OVER").any()).then(area).alias("AUC"))


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
    frames = [
        profile.select(
            "TRIAL",
            "SUBJ",
            pl.col("TEST").alias("PARCAT1"),
            pl.lit(code).alias("PARAMCD"),
            pl.lit(label).alias("PARAM"),
            pl.col(value).alias("AVAL"),
            _at_least(value),
            words.alias("AVALU"),
            (persists if code == "PERSIST" else pl.lit(None, dtype=pl.Int8)).alias("CNSR"),
            expanded.alias("EXPANDFL"),
            pl.when(pl.col(value).is_null()).then(_reason(value, study)).alias("REASON"),
            _flags(value, end),
            pl.lit("LB").alias("SRCDOM"),
            (null if seq is None else pl.when(pl.col(value).is_not_null()).then(pl.col(seq))).alias("SRCSEQ"),
            (pl.int_range(pl.len()) * len(parameters) + rank).alias("ORDER"),
        )
        for rank, (code, label, value, words, seq) in enumerate(parameters)
    ]
    return pl.concat(frames).sort("ORDER").drop("ORDER")


def _at_least(value: str) -> pl.Expr:
    number = pl.col(value).cast(pl.String).str.replace(r"\.0$", "")
    over = pl.col(f"{value}OVER").fill_null(False) if value in ("CMAX", "CLAST") else pl.lit(False)
    return pl.when(over & pl.col(value).is_not_null()).then(pl.format("≥ {}", number)).alias("AVALC")


def _flags(value: str, end: int) -> pl.Expr:
    if value == "AUC":
        last = pl.col("LAST").cast(pl.Int64)
        return pl.when(pl.col("AUC").is_not_null() & (last < end)).then(pl.format("to day {}, the last sample", last)).alias("FLAGS")
    least = pl.when(_at_least(value).is_not_null()).then(pl.lit("a result above the limit of quantification: at least so much"))
    left_out = pl.when(pl.col("ILLEGIBLE").is_not_null() & pl.col(value).is_not_null()).then(pl.lit(f"{_ILLEGIBLE} is left out"))
    flags = pl.concat_str(least, left_out, separator="; ", ignore_nulls=True)
    return pl.when(flags != "").then(flags).alias("FLAGS")


def _reason(value: str, study: Study) -> pl.Expr:
    """Say why there is no value, in words that the data bear out."""
    rule, never = study.kinetics, pl.col("FIRST").is_null()
    unsampled = pl.when(never & ~(pl.col("LAST") > 0)).then(pl.lit(_UNSAMPLED))
    if value != "AUC":
        return unsampled.when(never).then(pl.lit(_NEVER)).when(pl.lit(value == "TMAX")).then(pl.lit(_SEVERAL))
    stops = pl.lit(f"sampling stops before day {rule.auc_to - rule.auc_margin}")
    late = pl.when(pl.col("DAYZERO")).then(pl.lit(f"no sample from day 1 to day {rule.first_by}"))
    return (
        unsampled.when(pl.col("ILLEGIBLE") <= rule.auc_to)
        .then(pl.lit(_ILLEGIBLE))
        .when(pl.col("LAST") < rule.auc_to - rule.auc_margin)
        .then(stops)
        .when(pl.col("BEGIN") > rule.first_by)
        .then(late.otherwise(pl.lit(f"first sampled after day {rule.first_by}")))
        .otherwise(pl.lit(_OVER))
    )
