"""Which samples does a study's model read, and which does it know only as beyond a limit? ADPPK, by the rules of ADCK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from cartrial.endpoints import Adam
from cartrial.endpoints.sets.adck import samples_of
from cartrial.errors import InputError
from cartrial.kinetics.codes import ABOVE, BELOW, MEASURED
from cartrial.kinetics.curves import CURVES
from cartrial.kinetics.model import SampleSet, read_set
from cartrial.sdtm.records import Records
from cartrial.sdtm.vocabulary.results import significant
from cartrial.sdtm.vocabulary.specimens import CELLS_IN
from cartrial.study import Study
from cartrial.study.cells import CellModel, Shift

__all__ = ["covariates_of", "derive_adppk", "described", "illegible", "samples_for"]


def derive_adppk(study: Study, records: Records, *, tests: Sequence[str] | None = None) -> pl.DataFrame:
    """Derive the samples that a model of the product's cells is fitted to.

    Parameters
    ----------
    study : Study
        `kinetics.model` asks for a model; `kinetics.limit` has limits of quantitation that the source does not give.
    records : Records
        As of `derive_adck`, whose samples these are: blood, one a day, from day 0 to the cutoff or a re-infusion.
    tests : sequence of str, optional
        Otherwise all that `kinetics.tests` names.

    Returns
    -------
    polars.DataFrame
        One row a sample, sorted by TEST, USUBJID and day: USUBJID, TRIAL, SUBJ, TEST, AFRLT (day), EVID (0), AVAL (as recorded; null where
        not quantifiable), ALLOQ (the limit that is used), BLQFL, ALQFL (above a range, at least AVAL), DV (logarithm of AVAL, or of the
        limit), MDV (1: DV is a limit), SRCDOM, SRCSEQ.

    Raises
    ------
    InputError
        If nothing says the limit of a sample that is not quantifiable: the lowest value is no limit, and 0 has no logarithm. If cells were
        measured in a subject without an infusion.
    """
    asked = study.kinetics.tests if tests is None else tuple(tests)
    declared: dict[str, float | None] = dict.fromkeys(asked)
    if study.kinetics.limit is not None:
        known = {"CARTG": study.kinetics.limit.cartg, "CARTC": study.kinetics.limit.cartc}
        declared |= {test: known[test] for test in declared}
    _require_infusions(asked, records)
    taken = samples_of(asked, study.product.fraction_days, records).filter("LEGIBLE")
    limit = pl.col("TEST").replace_strict(declared, default=None, return_dtype=pl.Float64)
    # a limit of 0 is none: nothing is below it, and it has no logarithm
    lowest = pl.when(pl.col("LOWEST") > 0).then("LOWEST")
    taken = taken.with_columns(pl.max_horizontal(lowest, limit).alias("ALLOQ"))
    for test in asked:
        mine = taken.filter(pl.col("TEST") == test)
        if mine.height and declared[test] is None and mine["ALLOQ"].null_count():
            zero = mine.filter(~pl.col("QUANT")).height
            lacking = f"{mine['ALLOQ'].null_count()} samples of {test} have no limit of quantitation above 0"
            raise InputError(
                f"{lacking}, {zero} samples are not quantifiable",
                key="kinetics.limit",
                right=f"Write limit: {{{test}: NUMBER, source: ...}} in the unit of the samples; the lowest value is no limit",
            )
    below = (~pl.col("QUANT") | (~pl.col("OVER") & (significant(pl.col("C")) < significant(pl.col("ALLOQ"))))).fill_null(False)
    subjects = records.subjects.select("SUBJ", "TRIAL", "USUBJID")
    return (
        taken.with_columns(below.alias("BELOW"))
        .join(subjects, on="SUBJ", how="left", maintain_order="left")
        .select(
            "USUBJID",
            "TRIAL",
            "SUBJ",
            "TEST",
            pl.col("T").alias("AFRLT"),
            pl.lit(0, dtype=pl.Int8).alias("EVID"),
            pl.when("BELOW").then(None).otherwise("C").alias("AVAL"),
            "ALLOQ",
            pl.when("BELOW").then(pl.lit("Y")).otherwise(pl.lit("N")).alias("BLQFL"),
            pl.when(pl.col("OVER") & ~pl.col("BELOW")).then(pl.lit("Y")).otherwise(pl.lit("N")).alias("ALQFL"),
            pl.when("BELOW").then(pl.col("ALLOQ").log()).otherwise(pl.col("C").log()).alias("DV"),
            (pl.col("BELOW") | pl.col("OVER")).cast(pl.Int8).alias("MDV"),
            pl.lit("LB").alias("SRCDOM"),
            pl.col("SEQ").alias("SRCSEQ"),
        )
        .sort("TEST", "USUBJID", "AFRLT")
    )


def illegible(study: Study, records: Records, test: str) -> int:
    """Return how many samples of a test have a result that cannot be read: they are left out."""
    return samples_of((test,), study.product.fraction_days, records).filter(~pl.col("LEGIBLE")).height


def _require_infusions(tests: Sequence[str], records: Records) -> None:
    """Refuse cells that were measured in subjects of whom no infusion is known: their days are none, and they are not left out unsaid."""
    unknown = records.subjects.filter(pl.col("DAY0").is_null()).select("SUBJ", "USUBJID")
    measured = pl.col("TEST").cast(pl.String).is_in(list(tests)) & (pl.col("VALUE") > 0)
    found = records.labs.filter(measured & pl.col("SPEC").cast(pl.String).is_in(list(CELLS_IN)).fill_null(True))
    lacking = unknown.join(found, on="SUBJ", how="semi")
    if lacking.height:
        first = str(lacking["USUBJID"].sort()[0])
        raise InputError(
            f"the product's cells were measured in {lacking.height} subjects without a date of infusion, {first} for one",
            key="EX",
            right="Record the infusion, or take the samples out",
        )


def samples_for(adppk: pl.DataFrame, model: CellModel, columns: Mapping[str, Mapping[str, float]]) -> tuple[SampleSet, int]:
    """Return the samples of one test for the estimation, and how many subjects without a quantifiable sample were left out."""
    seen = (pl.col("BLQFL") == "N").any().over("USUBJID")
    left_out = adppk.filter(~seen)["USUBJID"].n_unique() if model.non_expanders == "leave-out" else 0
    used = adppk.filter(seen) if left_out else adppk
    side = np.where(used["BLQFL"] == "Y", BELOW, np.where(used["ALQFL"] == "Y", ABOVE, MEASURED))
    return read_set(used["USUBJID"].to_list(), used["AFRLT"], used["DV"], side, columns=columns, named=False), left_out


def covariates_of(study: Study, adam: Adam, model: CellModel, subjects: set[str]) -> list[tuple[str, dict[str, float]]]:
    """Return the baseline characteristics that shift parameters: which difference the ratio is of, and the values by subject.

    Raises
    ------
    InputError
        If the curve has no such parameter, or a column is none of the study's baseline characteristics, or has no number and more than two
        levels.
    """
    has = CURVES[model.curve].parameters
    for one in model.baseline:
        if one.on not in has:
            what = f"the curve {model.curve} has no {one.on}"
            raise InputError(what, key="kinetics.model.baseline", right=f"Name one of {', '.join(has)}")
    before = {name for one in study.baseline for name in (one.id, f"{one.id}N")}
    return [_column(adam.adsl, one, before, subjects) for one in model.baseline]


def _column(adsl: pl.DataFrame, one: Shift, before: set[str], subjects: set[str]) -> tuple[str, dict[str, float]]:
    """Return what one more of a column means, and the column by subject."""
    if one.of not in before or one.of not in adsl.columns:
        known = sorted(name for name in before if name in adsl.columns)
        raise InputError(
            f"{one.of} is no characteristic of this study before the infusion",
            key="kinetics.model.baseline",
            right=f"Known are: {', '.join(known) or 'none'}; outcomes stand under describe",
        )
    column = adsl.filter(pl.col("USUBJID").is_in(list(subjects))).select("USUBJID", pl.col(one.of)).drop_nulls()
    if column[one.of].dtype.is_numeric():
        values, label = column[one.of].cast(pl.Float64), f"{one.of}, each 1 more"
        if one.as_ == "log":
            if (values <= 0).any():
                raise InputError(f"{one.of} is not above 0 in every subject, so it has no logarithm", key="kinetics.model.baseline")
            values, label = values.log(), f"ln {one.of}, each 1 more"
    else:
        levels = sorted(column[one.of].cast(pl.String).unique().to_list())
        if len(levels) != 2 or one.as_ == "log":
            raise InputError(
                f"{one.of} is no number and has {len(levels)} levels", key="kinetics.model.baseline", right="Name a number, or two levels"
            )
        values, label = (column[one.of].cast(pl.String) == levels[1]).cast(pl.Float64), _against(one.of, levels)
    return label, dict(zip(column["USUBJID"].to_list(), values.to_list(), strict=True))


def _against(name: str, levels: list[str]) -> str:
    """Say which of two levels a ratio is of, and over which."""
    return f"{name}, {levels[1]} over {levels[0]}"


def described(adam: Adam, name: str, subjects: set[str]) -> tuple[str, dict[str, float]] | None:
    """Return an outcome of two groups: which group a ratio is of, and by subject 1 for Y, or the second of its levels.

    Subjects without it are not there. None where all who have it are of one group, or nobody has it.

    Raises
    ------
    InputError
        If there is no such column, or it has more than two levels.
    """
    if name not in adam.adsl.columns:
        raise InputError(f"ADSL has no column {name}", key="kinetics.model.describe", right="Name one such as RESPFL")
    column = adam.adsl.filter(pl.col("USUBJID").is_in(list(subjects))).select("USUBJID", pl.col(name).cast(pl.String)).drop_nulls()
    levels = sorted(column[name].unique().to_list())
    if len(levels) > 2:
        raise InputError(f"{name} has {len(levels)} levels among the subjects with samples, two are wanted", key="kinetics.model.describe")
    if len(levels) < 2:
        return None
    return _against(name, levels), {who: float(level == levels[1]) for who, level in column.iter_rows()}
