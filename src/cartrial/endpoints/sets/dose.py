"""How many cells for each kilogram did each subject get, and is that the dose that the study asks for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.sdtm.vocabulary.results import significant
from cartrial.sdtm.vocabulary.units import cells_factor, is_per_kilogram

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["DOSE_COLUMNS", "OUTSIDE", "WITHIN", "derive_dose", "product_doses"]

WITHIN, OUTSIDE = "within", "outside"
"""Levels of DOSERNG."""

DOSE_COLUMNS = ("DOSEKG", "DOSERNG")
"""What is derived of a dose: cells/kg, and whether it is in the study's range."""


def product_doses(study: Study, records: Records) -> pl.DataFrame:
    """Return the infusions of the product that make one dose, day 0 to `fraction-days`, up to the cutoff."""
    days = records.subjects.select("SUBJ", "DAY0", "CUTOFF")
    product = records.doses.filter((pl.col("KIND") == "PRODUCT") & pl.col("AMOUNT").is_not_null()).join(days, on="SUBJ", how="inner")
    within = (pl.col("DAY") <= pl.col("DAY0") + study.product.fraction_days) & (pl.col("DAY") <= pl.col("CUTOFF"))
    return product.filter(within).sort("SUBJ", "DAY", "SEQ")


def derive_dose(study: Study, records: Records, weights: pl.DataFrame | None) -> pl.DataFrame:
    """Return the dose of each infused subject, of all its fractions.

    Parameters
    ----------
    study : Study
        `product.dose-range` has the bands of weight.
    records : Records
    weights : polars.DataFrame or None
        SUBJ and VALUE, kg: the last before lymphodepletion; None where none was recorded.

    Returns
    -------
    polars.DataFrame
        One row by infused subject with a dose, by SUBJ: WEIGHT (kg), CELLS (in all), DOSEKG (cells/kg), BAND (its place in the table),
        TOTAL (whether the band bounds the cells in all), LOW and HIGH of the band, and DOSERNG. Null: no weight, or a unit that is no
        number of cells.

    Notes
    -----
    Both ends of a band's range are within. Where every weight has one band and that bounds the cells in all, no weight is asked for.
    """
    given = product_doses(study, records).with_columns(
        (pl.col("AMOUNT") * cells_factor(pl.col("UNIT"))).alias("AMOUNT"), is_per_kilogram(pl.col("UNIT")).alias("PERKG")
    )
    none = pl.DataFrame(schema={"SUBJ": pl.Int32, "VALUE": pl.Float64})
    weighed = (none if weights is None else weights).select("SUBJ", pl.col("VALUE").cast(pl.Float64).alias("WEIGHT"))
    weighed = weighed.filter(pl.col("WEIGHT") > 0)
    given = given.join(weighed, on="SUBJ", how="left", maintain_order="left")
    cells = pl.when("PERKG").then(pl.col("AMOUNT") * pl.col("WEIGHT")).otherwise("AMOUNT")
    each = pl.when("PERKG").then(pl.col("AMOUNT")).otherwise(pl.col("AMOUNT") / pl.col("WEIGHT"))
    # a fraction that is not known makes the sum unknown
    dose = given.group_by("SUBJ", maintain_order=True).agg(
        pl.col("WEIGHT").first(),
        *(pl.when(part.is_not_null().all()).then(part.sum()).alias(name) for name, part in (("CELLS", cells), ("DOSEKG", each))),
    )
    return dose.with_columns(_band(study)).with_columns(_bounds(study)).with_columns(_level())


def _band(study: Study) -> pl.Expr:
    bands = study.product.dose_range
    if len(bands) < 2:
        return pl.lit(0 if bands else None, dtype=pl.Int32).alias("BAND")
    weight = significant(pl.col("WEIGHT"))
    passed = [(weight > band.to if band.boundary == "lower" else weight >= band.to).cast(pl.Int32) for band in bands if band.to is not None]
    return pl.when(pl.col("WEIGHT").is_not_null()).then(pl.sum_horizontal(passed)).alias("BAND")


def _bounds(study: Study) -> list[pl.Expr]:
    bands = study.product.dose_range
    places = {i: band for i, band in enumerate(bands)}

    def of(values: dict[int, float], dtype: type[pl.DataType], name: str) -> pl.Expr:
        return pl.col("BAND").replace_strict(values, default=None, return_dtype=dtype).alias(name)

    return [
        of({i: band.low for i, band in places.items()}, pl.Float64, "LOW"),
        of({i: band.high for i, band in places.items()}, pl.Float64, "HIGH"),
        of({i: band.dose == "total" for i, band in places.items()}, pl.Boolean, "TOTAL"),
    ]


def _level() -> pl.Expr:
    value = significant(pl.when("TOTAL").then("CELLS").otherwise("DOSEKG"))
    inside = (value >= significant(pl.col("LOW"))) & (value <= significant(pl.col("HIGH")))
    return pl.when(inside).then(pl.lit(WITHIN)).when(~inside).then(pl.lit(OUTSIDE)).alias("DOSERNG")
