"""Is there a product, has a reader one call a date, and are ages possible?"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import CheckRule, Context, found, grouped

__all__ = ["VALUE_RULES"]


def _age(context: Context) -> Iterator[pl.DataFrame]:
    dm = context.table("DM")
    bad = dm.filter((pl.col("AGE") < 0) | (pl.col("AGE") > 120))
    yield found(bad, pl.format("The age is {}; it is between 0 and 120 years.", "AGE"), domain="DM", variable="AGE")
    other = dm.filter(pl.col("AGE").is_not_null() & ~pl.col("AGEU").fill_null("YEARS").str.to_uppercase().is_in(("YEARS", "YEAR", "Y")))
    yield found(other, pl.format("The age is in {}; it is shown as if in years.", "AGEU"), domain="DM", variable="AGEU")


def _no_product(context: Context) -> Iterator[pl.DataFrame]:
    if context.source.level == "events" or context.infusions.height:
        return
    names = " or ".join(context.study.product.exposure)
    treatments = context.table("EX")["EXTRT"].drop_nulls().unique().sort().to_list()
    has = f"EX has {', '.join(treatments[:5])}{' ...' if len(treatments) > 5 else ''}" if treatments else "there is no record in EX"
    where = pl.DataFrame({"FILE": [context.source.file_of("EX")]}, schema={"FILE": pl.String})
    yield found(
        where, f"No record of EX has the product: {has}; the study file names {names} in product.exposure.", domain="EX", variable="EXTRT"
    )


def _other_treatment(context: Context) -> Iterator[pl.DataFrame]:
    product = context.study.product
    known = [*product.exposure, *product.lymphodepletion]
    if not product.lymphodepletion:
        return
    other = context.table("EX").filter(pl.col("EXTRT").is_not_null() & ~pl.col("EXTRT").str.to_uppercase().is_in(known))
    message = pl.format("'{}' ({}) is neither the product nor lymphodepletion in the study file; no rule reads it.", "EXTRT", "COUNT")
    yield found(grouped(other, "EXTRT"), message, domain="EX", variable="EXTRT")


def _transfusion(context: Context) -> Iterator[pl.DataFrame]:
    if not context.study.disease.transfusion_free_days:
        return
    given = context.table("PR").filter(pl.col("PRTRT").str.to_uppercase().str.contains("TRANSFUSION"))
    partial = given.filter(pl.col("EARLY") != pl.col("LATE"))
    message = pl.format("The date of the transfusion is {}; without its day no count is held to be after a transfusion.", "TEXT")
    yield found(partial, message, domain="PR", variable=pl.col("VARIABLE"))


VALUE_RULES = (
    CheckRule("product-missing", "stop", "EX: EXTRT", "EX has at least one record of the product that the study file names.", _no_product),
    CheckRule(
        "transfusion-partial",
        "warning",
        "PR: PRSTDTC of transfusions",
        "A transfusion has a whole date, where the criteria ask for days without one.",
        _transfusion,
    ),
    CheckRule("age", "warning", "DM: AGE, AGEU", "Ages are 0 to 120 years.", _age),
    CheckRule(
        "treatment-other", "note", "EX: EXTRT", "Treatments that are neither product nor lymphodepletion are listed.", _other_treatment
    ),
)
