"""On which day does each record stand? Day 0, the number that study days count from, and the days of every domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.vocabulary.dates import earliest_day, latest_day
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import value_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["DAY_ZERO", "derive_origin", "with_days"]

DAY_ZERO = ("15th", "earliest", "latest")
"""Which day of the month an infusion takes that has none: what the study file may say, and the two ends beside it."""

# Domains whose records start: their day is that of --STDTC.
_STARTS = ("AE", "CE", "CM", "DS", "DV", "EX", "HO", "MH", "PR")


def derive_origin(study: Study, tables: dict[str, pl.DataFrame], keys: pl.DataFrame, day_zero: str, file: str | None) -> pl.DataFrame:
    """Return what days are counted from, by subject.

    Parameters
    ----------
    study : Study
        Names the product; says whether an infusion without a day of the month may be taken as one on the 15th.
    tables : dict of str to polars.DataFrame
        Domains with SUBJ.
    keys : polars.DataFrame
        SUBJ and USUBJID.
    day_zero : str
        One of `DAY_ZERO`.
    file : str, optional
        Name of the file of EX, for messages.

    Returns
    -------
    polars.DataFrame
        SUBJ, DATED (the source has calendar dates), RFST, DAY0 (null: not infused), DAY0EARLY and DAY0LATE (the days that it can be), and
        DYZERO, the study day of day 0.

    Raises
    ------
    InputError
        If the day of an infusion is not known.
    """
    exposure = _exposure(study, tables)
    _require_day(study, exposure.join(keys.select("SUBJ", "USUBJID"), on="SUBJ").sort("SUBJ"), file)
    dm = tables["DM"]
    reference = dm.select("SUBJ", earliest_day(value_of(dm, "RFSTDTC")).alias("RFST")).unique("SUBJ", keep="first", maintain_order=True)
    taken = {"earliest": pl.col("EARLY"), "latest": pl.col("LATE")}.get(day_zero, _fifteenth())
    frame = (
        keys.select("SUBJ")
        .join(exposure.with_columns(taken.alias("EXDAY"), pl.lit(True).alias("INFUSED")), on="SUBJ", how="left")
        .join(reference, on="SUBJ", how="left")
    )
    infused = pl.col("INFUSED").is_not_null()
    dated = pl.when(infused).then(pl.col("EXDAY").is_not_null()).otherwise(True)
    frame = frame.with_columns(dated.alias("DATED"))

    def day(name: str) -> pl.Expr:
        return pl.when(infused).then(pl.when(pl.col("DATED")).then(pl.col(name)).otherwise(0)).cast(pl.Int32)

    return frame.select(
        *("SUBJ", "DATED", "RFST"),
        *(day(name).alias(column) for column, name in (("DAY0", "EXDAY"), ("DAY0EARLY", "EARLY"), ("DAY0LATE", "LATE"))),
        # the study day of day 0: as EX says; 1 where RFSTDTC is day 0 (SDTM counts it as day 1); 0 where the source has study days only
        pl.when(pl.col("EXDY").is_not_null())
        .then(pl.col("EXDY"))
        .when(pl.col("DATED") & pl.col("RFST").is_not_null() & pl.col("EXDAY").is_not_null())
        .then(pl.col("EXDAY") - pl.col("RFST") + pl.when(pl.col("EXDAY") >= pl.col("RFST")).then(1).otherwise(0))
        .otherwise(0)
        .floor()
        .cast(pl.Int32)
        .alias("DYZERO"),
    )


def _exposure(study: Study, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """First infusion by subject: the earliest and the latest day it can be, its study day, and its row."""
    ex = tables.get("EX")
    if ex is None:
        days = {"SUBJ": pl.Int32, "EARLY": pl.Int32, "LATE": pl.Int32}
        return pl.DataFrame(schema={**days, "EXDY": pl.Float64, "ROW": pl.Int64, "TEXT": pl.String})
    name = value_of(ex, "EXTRT").str.to_uppercase().str.strip_chars()
    product = ex.filter(name.is_in(list(study.product.exposure)) & happened(ex, "EX"))
    date = value_of(product, "EXSTDTC")
    rows = product.select(
        "SUBJ",
        earliest_day(date).alias("EARLY"),
        latest_day(date).alias("LATE"),
        value_of(product, "EXSTDY", pl.Float64).alias("EXDY"),
        value_of(product, "ROW", pl.Int64).alias("ROW"),
        date.alias("TEXT"),
    )
    ordered = rows.sort("SUBJ", "EARLY", "EXDY", nulls_last=True, maintain_order=True)
    return ordered.group_by("SUBJ", maintain_order=True).agg(pl.col("EARLY", "LATE").min(), pl.col("EXDY", "ROW", "TEXT").first())


def _fifteenth() -> pl.Expr:
    return pl.when(pl.col("EARLY") < pl.col("LATE")).then(pl.min_horizontal(pl.col("EARLY") + 14, "LATE")).otherwise("EARLY")


def _require_day(study: Study, exposure: pl.DataFrame, file: str | None) -> None:
    width = pl.col("LATE") - pl.col("EARLY")
    no_day = pl.col("EARLY").is_null() & pl.col("EXDY").is_null() & pl.col("TEXT").is_not_null()
    unknown = exposure.filter((width > (30 if study.partial_day_0 else 0)).fill_null(False) | no_day)
    if unknown.height:
        subject, row = unknown.row(0, named=True)["USUBJID"], unknown.row(0, named=True)["ROW"]
        right = "Give the whole date, from which every window counts; where its month is known, partial-day-0: 15th in the study file"
        raise InputError(f"the day of the infusion of subject {subject} is not known", file=file, row=row, key="EXSTDTC", right=right)


def _elapsed(number: pl.Expr) -> pl.Expr:
    """A study day of a calendar without day 0, as a number that runs through: 1 is 0, -1 is -1, and so is a 0 that cannot be there."""
    return number - pl.when(number >= 0).then(1).otherwise(0)


def _counted(number: pl.Expr) -> pl.Expr:
    """Return the day that a study day means. The number of the infusion tells whether there is a day 0: where it is 0 there is."""
    zero = pl.col("DYZERO")
    relative = pl.when(zero == 0).then(number).otherwise(_elapsed(number) - _elapsed(zero))
    return pl.when(pl.col("DATED")).then(pl.col("DAY0") + relative).otherwise(relative)


def with_days(frame: pl.DataFrame, name: str, origin: pl.DataFrame) -> pl.DataFrame:
    """Add to a domain the days from which and to which each record can stand: DAY and DAYX, of its end ENDDAY and ENDDAYX, and SEQ.

    Where the subject has dates, dates rule, and a study day counts only where the date is blank.
    """
    stem = "DTH" if name == "DM" else name + ("ST" if name in _STARTS else "")
    frame = frame.join(origin, on="SUBJ", how="left", maintain_order="left")
    columns = [value_of(frame, f"{name}SEQ", pl.Int64).alias("SEQ")]
    for dtc, dy, first, last in ((f"{stem}DTC", f"{stem}DY", "DAY", "DAYX"), (f"{name}ENDTC", f"{name}ENDY", "ENDDAY", "ENDDAYX")):
        date, counted = value_of(frame, dtc), _counted(value_of(frame, dy, pl.Float64).floor().cast(pl.Int32, strict=False))
        for day, column in ((earliest_day(date), first), (latest_day(date), last)):
            columns.append(pl.when(pl.col("DATED")).then(pl.coalesce(day, counted)).otherwise(counted).cast(pl.Int32).alias(column))
    return frame.with_columns(columns).drop(set(origin.columns) - {"SUBJ"})
