"""Are the measured values possible, in a known unit, and is there a product?"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import CheckRule, Context, found, grouped
from cartrial.sdtm.standard import LIMIT
from cartrial.sdtm.vocabulary.units import STRICT_TESTS, UNITS

__all__ = ["VALUE_RULES"]

# Values outside are impossible. Standard units.
POSSIBLE = {
    "BLAST": (0.0, 100.0),
    "NEUT": (0.0, None),
    "PLAT": (0.0, None),
    "MRD": (0.0, 1.0),
    "CARTG": (0.0, None),
    "CARTC": (0.0, None),
    "BCELL": (0.0, None),
}
# Counts above are rather a unit mistaken than a patient: 10^9/L.
DOUBTFUL = {"NEUT": 150.0, "PLAT": 2500.0}
LAB = ("LBTESTCD", "LBSPEC", "LBSTRESC", "LBSTRESN", "LBSTRESU", "LBLLOQ", "LBLOD", "LBSTAT", "LBREASND")
RESULT_WORDS = ("NEGATIVE", "BLQ", "POSITIVE")
DONE = pl.col("LBSTAT").is_null()
MEASURED = pl.col("LBSTRESN").is_not_null()


def _units(test: str) -> list[str]:
    return [UNITS[test].standard, *sorted(set(UNITS[test].also.values()))]


def _foreign_unit(context: Context, tests: list[str]) -> pl.DataFrame:
    lab = context.table("LB").filter(DONE & MEASURED)
    bad = [lab.filter((pl.col("LBTESTCD") == test) & ~pl.col("LBSTRESU").is_in(_units(test)).fill_null(False)) for test in tests]
    return grouped(pl.concat(bad), ("LBTESTCD", "LBSTRESU"))


def _says_unit() -> pl.Expr:
    standard = pl.col("LBTESTCD").replace_strict({test: UNITS[test].standard for test in UNITS})
    unit = pl.col("LBSTRESU").fill_null("(blank)")
    return pl.format("{} has the unit '{}' ({}), which cannot be brought to {}.", "LBTESTCD", unit, "COUNT", standard)


def _unit_unknown(context: Context) -> Iterator[pl.DataFrame]:
    yield found(_foreign_unit(context, list(STRICT_TESTS)), _says_unit(), domain="LB", variable="LBSTRESU")


def _unit_other(context: Context) -> Iterator[pl.DataFrame]:
    others = [test for test in UNITS if test not in STRICT_TESTS]
    yield found(_foreign_unit(context, others), _says_unit(), domain="LB", variable="LBSTRESU")


def _unit_mixed(context: Context) -> Iterator[pl.DataFrame]:
    tests = [*context.study.kinetics.tests, context.study.safety.aplasia.testcd]
    lab = context.table("LB").filter(DONE & MEASURED & pl.col("LBTESTCD").is_in(tests))
    units = lab.group_by("LBTESTCD").agg(
        pl.col("LBSTRESU").fill_null("(blank)").unique().sort().str.join(", ").alias("UNITS"),
        pl.col("LBSTRESU").n_unique().alias("N"),
        pl.col("FILE").first(),
        pl.col("ROW").min(),
    )
    mixed = units.filter(pl.col("N") > 1)
    yield found(
        mixed, pl.format("{} stands in several units ({}); it is summarised in one.", "LBTESTCD", "UNITS"), domain="LB", variable="LBSTRESU"
    )


def _unit_aplasia(context: Context) -> Iterator[pl.DataFrame]:
    rule = context.study.safety.aplasia
    lab = context.table("LB").filter(
        DONE & MEASURED & (pl.col("LBTESTCD") == rule.testcd) & (pl.col("LBSTRESU").fill_null("") != rule.unit)
    )
    message = pl.format(
        f"{{}} stands in '{{}}' ({{}}) and the study's limit for aplasia in {rule.unit}; these are not compared.",
        "LBTESTCD",
        pl.col("LBSTRESU").fill_null("(blank)"),
        "COUNT",
    )
    yield found(grouped(lab, ("LBTESTCD", "LBSTRESU")), message, domain="LB", variable="LBSTRESU")


def _impossible(context: Context) -> Iterator[pl.DataFrame]:
    lab = context.table("LB").filter(DONE & MEASURED)
    for test, (low, high) in POSSIBLE.items():
        value = pl.col("LBSTRESN")
        out = (value < low) | (value > high if high is not None else pl.lit(False))
        bad = lab.filter((pl.col("LBTESTCD") == test) & out)
        limits = f"between {low:g} and {high:g}" if high is not None else f"not below {low:g}"
        yield found(
            bad,
            pl.format(f"{test} is {{}} {{}}, which is impossible; it is {limits}.", value, pl.col("LBSTRESU").fill_null("")),
            domain="LB",
            variable="LBSTRESN",
        )


def _too_many(context: Context) -> Iterator[pl.DataFrame]:
    lab = context.table("LB").filter(DONE & MEASURED)
    for test, high in DOUBTFUL.items():
        bad = lab.filter((pl.col("LBTESTCD") == test) & (pl.col("LBSTRESN") > high) & (pl.col("LBSTRESU") == UNITS[test].standard))
        yield found(
            bad, pl.format(f"{test} is {{}} 10^9/L; the value may be in another unit.", "LBSTRESN"), domain="LB", variable="LBSTRESN"
        )


def _blast_scale(context: Context) -> Iterator[pl.DataFrame]:
    marrow = context.table("LB").filter(DONE & MEASURED & (pl.col("LBTESTCD") == "BLAST") & (pl.col("LBSPEC") == "BONE MARROW"))
    highest = marrow["LBSTRESN"].max()
    if marrow.height > 1 and isinstance(highest, float) and 0 < highest <= 1:
        first = marrow.head(1).with_columns(pl.lit(None, dtype=pl.String).alias("USUBJID"))
        yield found(
            first, "No marrow has more than 1 % blasts; the values may be fractions under the unit %.", domain="LB", variable="LBSTRESN"
        )


def _unreadable(context: Context) -> Iterator[pl.DataFrame]:
    text = pl.col("LBSTRESC")
    lab = context.table("LB").filter(DONE & ~MEASURED & text.is_not_null() & pl.col("LBTESTCD").is_in(STRICT_TESTS))
    bad = lab.filter(~text.is_in(RESULT_WORDS) & ~text.str.contains(LIMIT) & pl.col("LBREASND").is_null())
    message = pl.format("The result '{}' of {} is no number; it is a number, <limit, NEGATIVE or POSITIVE.", "LBSTRESC", "LBTESTCD")
    yield found(bad, message, domain="LB", variable="LBSTRESC")


def _no_value(context: Context) -> Iterator[pl.DataFrame]:
    lab = context.table("LB").filter(
        DONE & ~MEASURED & pl.col("LBSTRESC").is_null() & pl.col("LBREASND").is_null() & pl.col("LBTESTCD").is_in(STRICT_TESTS)
    )
    yield found(
        lab,
        pl.format("{} has no result and LBSTAT does not say NOT DONE; the record is not used.", "LBTESTCD"),
        domain="LB",
        variable="LBSTRESN",
    )


def _count_below_limit(context: Context) -> Iterator[pl.DataFrame]:
    counted = pl.col("LBTESTCD").is_in(("BLAST", "NEUT", "PLAT"))
    lab = context.table("LB").filter(
        DONE & ~MEASURED & counted & (pl.col("LBSTRESC").is_in(RESULT_WORDS) | pl.col("LBSTRESC").str.contains(LIMIT))
    )
    yield found(
        lab,
        pl.format("{} is '{}' without a number, so no value is read from it.", "LBTESTCD", "LBSTRESC"),
        domain="LB",
        variable="LBSTRESN",
    )


def _no_limit(context: Context) -> Iterator[pl.DataFrame]:
    mrd = context.table("LB").filter(
        DONE & (pl.col("LBTESTCD") == "MRD") & pl.col("LBLOD").is_null() & (MEASURED | pl.col("LBSTRESC").is_not_null())
    )
    limit = context.study.disease.mrd.negative_below
    negative = mrd.filter((pl.col("LBSTRESN").fill_null(0.0) < limit) & (pl.col("LBSTRESC").fill_null("") != "POSITIVE"))
    yield found(negative, "The limit of detection is not given, so the negative result is not evaluable.", domain="LB", variable="LBLOD")


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


VALUE_RULES = (
    CheckRule("product-missing", "stop", "EX: EXTRT", "EX has at least one record of the product that the study file names.", _no_product),
    CheckRule(
        "unit-unknown",
        "stop",
        "LB: LBSTRESU of BLAST, NEUT, PLAT, MRD",
        "A result that decides a response is in a unit that can be brought to the standard one.",
        _unit_unknown,
    ),
    CheckRule(
        "unit-mixed",
        "stop",
        "LB: LBSTRESU of the kinetic tests and of B cells",
        "A test that is summarised stands in one unit.",
        _unit_mixed,
    ),
    CheckRule(
        "value-impossible", "stop", "LB: LBSTRESN", "Blasts are 0 to 100 %, residual disease 0 to 1, counts not negative.", _impossible
    ),
    CheckRule(
        "result-unreadable",
        "stop",
        "LB: LBSTRESC of BLAST, NEUT, PLAT, MRD",
        "A result without a number is <limit, NEGATIVE or POSITIVE.",
        _unreadable,
    ),
    CheckRule(
        "unit-other",
        "warning",
        "LB: LBSTRESU of other tests",
        "A result is in a unit that can be brought to the standard one.",
        _unit_other,
    ),
    CheckRule("unit-aplasia", "warning", "LB: LBSTRESU of B cells", "B cells stand in the unit of the study's limit.", _unit_aplasia),
    CheckRule("value-doubtful", "warning", "LB: LBSTRESN of NEUT, PLAT", "Counts are of a size that occurs.", _too_many),
    CheckRule("blast-scale", "warning", "LB: marrow BLAST", "Percentages are not fractions.", _blast_scale),
    CheckRule("measurement-missing", "warning", "LB: BLAST, NEUT, PLAT, MRD", "A test that was done has a result.", _no_value),
    CheckRule("value-below-limit", "warning", "LB: BLAST, NEUT, PLAT", "A count has a number.", _count_below_limit),
    CheckRule("mrd-limit-missing", "warning", "LB: LBLOD of MRD", "A negative residual disease says its limit of detection.", _no_limit),
    CheckRule("age", "warning", "DM: AGE, AGEU", "Ages are 0 to 120 years.", _age),
    CheckRule(
        "treatment-other", "note", "EX: EXTRT", "Treatments that are neither product nor lymphodepletion are listed.", _other_treatment
    ),
)
