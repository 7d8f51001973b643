"""Is there a product, are ages possible, and do ages, weights and doses stand in units that are known?"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.checks.results import NUMBERED
from cartrial.sdtm.source import no_findings
from cartrial.sdtm.vocabulary.dates import earliest_day, latest_day
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import normalised, standard_term, value_of
from cartrial.sdtm.vocabulary.units import age_factor, cells_factor, weight_factor, weight_read

__all__ = ["VALUE_RULES"]

CHILD, GROWN = 3, 25
"""Below this age a unit is asked for; above this one nobody is in a study of children. Unit: years."""


def _aged(context: Context) -> pl.DataFrame:
    return context.table("DM").with_columns((pl.col("AGE") / age_factor(pl.col("AGEU"))).alias("YEARS"))


def _age(context: Context) -> Iterator[pl.DataFrame]:
    bad = _aged(context).filter((pl.col("YEARS") < 0) | (pl.col("YEARS") > 120))
    yield found(bad, pl.format("The age is {}; it is between 0 and 120 years.", "YEARS"), domain="DM", variable="AGE")


def _age_unit(context: Context) -> Iterator[pl.DataFrame]:
    bad = _aged(context).filter(pl.col("AGE").is_not_null() & pl.col("YEARS").is_null())
    message = pl.format("The age is in '{}'; known are YEARS, MONTHS, WEEKS and DAYS.", "AGEU")
    yield found(bad, message, domain="DM", variable="AGEU")


def _age_doubtful(context: Context) -> Iterator[pl.DataFrame]:
    aged = _aged(context)
    bare = aged.filter((pl.col("YEARS") < CHILD) & pl.col("AGEU").is_null())
    yield found(bare, pl.format("The age is {} and AGEU is blank; it is read in years.", "AGE"), domain="DM", variable="AGEU")
    asked = context.study.eligibility and context.study.eligibility.age
    if asked and asked.to <= GROWN:
        grown = aged.filter(pl.col("YEARS") > GROWN)
        message = pl.format(f"The age is {{}} years, in a study of subjects up to {asked.to:g} years.", "YEARS")
        yield found(grown, message, domain="DM", variable="AGE")


def _age_birth(context: Context) -> Iterator[pl.DataFrame]:
    """The age against the one at the infusion: completed years and months by a birth of which the day is known."""
    birth = earliest_day(pl.col("BRTHDTC"))
    born = _aged(context).filter(birth == latest_day(pl.col("BRTHDTC"))).with_columns(birth.cast(pl.Date).alias("BORN"))
    zero = context.day_zero.filter((pl.col("AXIS") == "date") & (pl.col("ZERO") == pl.col("ZERO_LATE")))
    zero = zero.select(*SUBJECT, pl.col("ZERO").cast(pl.Int32).cast(pl.Date).alias("INFUSED"))
    both = born.join(zero, on=SUBJECT).with_columns(
        (
            12 * (pl.col("INFUSED").dt.year() - pl.col("BORN").dt.year())
            + pl.col("INFUSED").dt.month().cast(pl.Int32)
            - pl.col("BORN").dt.month().cast(pl.Int32)
            - (pl.col("INFUSED").dt.day() < pl.col("BORN").dt.day()).cast(pl.Int32)
        ).alias("COMPLETED")
    )
    apart = both.filter((pl.col("COMPLETED") >= 0) & ((pl.col("YEARS") - pl.col("COMPLETED") / 12).abs() > 1)).sort("ROW")
    said = "The age is {} years, and by the birth ({}) {} years and {} months at the infusion."
    message = pl.format(said, "YEARS", "BRTHDTC", pl.col("COMPLETED") // 12, pl.col("COMPLETED") % 12)
    yield found(apart, message, domain="DM", variable="AGE")


def _weights(context: Context) -> pl.DataFrame | None:
    """Return the weights of VS that the study asks for: NUMBER and UNIT as read, and WORD, whatever stands there."""
    vs = context.source.domains.get("VS")
    named = any(item.from_.domain == "VS" and (item.from_.testcd or item.id).upper() == "WEIGHT" for item in context.study.baseline)
    if vs is None or not {"VSTESTCD", *SUBJECT} <= set(vs.columns) or not (named or context.study.product.dose_range):
        return None
    number, unit = weight_read(vs)
    word = pl.coalesce(*(value_of(vs, name).cast(pl.String) for name in ("VSSTRESC", "VSORRES", "VSSTRESN")))
    file = pl.lit(context.source.file_of("VS"), dtype=pl.String).alias("FILE")
    weights = vs.with_columns(number.alias("NUMBER"), unit.alias("UNIT"), word.alias("WORD"), file)
    return weights.filter((normalised(pl.col("VSTESTCD")) == "WEIGHT") & happened(vs, "VS"))


def _weight_unit(context: Context) -> Iterator[pl.DataFrame]:
    weights = _weights(context)
    if weights is not None:
        bad = weights.filter(pl.col("NUMBER").is_not_null() & weight_factor(pl.col("UNIT")).is_null())
        yield found(bad, pl.format("The weight is in '{}'; known are kg, g and lb.", "UNIT"), domain="VS", variable="VSSTRESU")


def _weight_unread(context: Context) -> Iterator[pl.DataFrame]:
    weights = _weights(context)
    if weights is not None:
        no_number = weights.filter(pl.col("NUMBER").is_null() & (pl.col("WORD") != "").fill_null(False))
        message = pl.format("The weight is '{}', which is no number; the subject is without it. A number has a decimal point.", "WORD")
        yield found(no_number, message, domain="VS", variable="VSORRES")
        none = weights.filter(pl.col("NUMBER") <= 0)
        yield found(none, pl.format("The weight is {}, which is none.", "NUMBER"), domain="VS", variable="VSSTRESN")


def _dose_unit(context: Context) -> Iterator[pl.DataFrame]:
    if context.study.product.dose_range:
        given = context.infusions.filter(pl.col("EXDOSE").is_not_null() & cells_factor(value_of(context.infusions, "EXDOSU")).is_null())
        message = pl.format("The dose of the product is in '{}'; known are cells and cells/kg, also as 10^6 cells.", "EXDOSU")
        yield found(given, message, domain="EX", variable="EXDOSU")


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


def _unit_mixed(context: Context) -> Iterator[pl.DataFrame]:
    tests = [*context.study.kinetics.tests, context.study.safety.aplasia.testcd]
    lab = context.results.filter(NUMBERED.fill_null(False) & pl.col("READ") & pl.col("TEST").is_in(tests))
    yield _several(lab.with_columns(pl.col("LBSTRESU").fill_null("(blank)").alias("IN")), "LB", "TEST")
    for domain, unit, frame in _characteristics(context):
        before = frame.join(context.day_zero.select(*SUBJECT, "ZERO_LATE"), on=SUBJECT, how="left", maintain_order="left")
        before = before.filter((pl.col("EARLY") <= pl.col("ZERO_LATE")).fill_null(True) & pl.col("IN").is_not_null())
        yield _several(before.filter(~pl.col("WHAT").is_in(tests)), domain, "WHAT", unit)


def _several(frame: pl.DataFrame, domain: str, what: str, unit: str = "LBSTRESU") -> pl.DataFrame:
    """Say of what stands in several units (IN)."""
    if frame.is_empty():
        return no_findings()
    said = [pl.col("IN").unique().sort().str.join(", ").alias("UNITS"), pl.col("IN").n_unique().alias("N")]
    units = frame.group_by(what, maintain_order=True).agg(*said, pl.col("FILE", "ROW").first())
    message = "{} stands in several units ({}); it is summarised in one."
    return found(units.filter(pl.col("N") > 1), pl.format(message, what, "UNITS"), domain=domain, variable=unit)


def _characteristics(context: Context) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Measured characteristics: domain, the variable of the unit, and records with WHAT and the unit IN."""
    named = [item.from_ for item in context.study.baseline]
    tests = [standard_term(of.testcd, "LBTESTCD") or of.testcd.upper() for of in named if of.domain == "LB" and of.testcd]
    lab = context.results.filter(NUMBERED.fill_null(False) & pl.col("READ") & pl.col("TEST").is_in(tests))
    yield "LB", "LBSTRESU", lab.with_columns(pl.col("TEST").alias("WHAT"), pl.col("LBSTRESU").alias("IN"))
    if any(of.domain == "EX" and (of.variable or "EXDOSE").upper() == "EXDOSE" for of in named):
        given = context.infusions.filter(pl.col("EXDOSE").is_not_null())
        yield "EX", "EXDOSU", given.with_columns(WHAT=pl.lit("The dose of the product"), IN=normalised(value_of(given, "EXDOSU")))
    vs = context.source.domains.get("VS")
    if vs is not None and {"VSTESTCD", *SUBJECT} <= set(vs.columns):
        signs = {of.testcd.upper() for of in named if of.domain == "VS" and of.testcd} - {"WEIGHT"}  # which is brought to kg
        measured = vs.filter(normalised(pl.col("VSTESTCD")).is_in(sorted(signs)) & happened(vs, "VS"))
        unit = normalised(pl.coalesce(value_of(measured, "VSSTRESU"), value_of(measured, "VSORRESU"))).alias("IN")
        place = [pl.lit(context.source.file_of("VS"), dtype=pl.String).alias("FILE"), pl.lit(None, dtype=pl.Int32).alias("EARLY")]
        yield "VS", "VSSTRESU", measured.with_columns(normalised(pl.col("VSTESTCD")).alias("WHAT"), unit, *place)


VALUE_RULES = (
    CheckRule("product-missing", "stop", "EX: EXTRT", "EX has at least one record of the product that the study file names.", _no_product),
    CheckRule(
        "transfusion-partial",
        "warning",
        "PR: PRSTDTC of transfusions",
        "A transfusion has a whole date, where the criteria ask for days without one.",
        _transfusion,
    ),
    CheckRule(
        "treatment-other", "note", "EX: EXTRT", "Treatments that are neither product nor lymphodepletion are listed.", _other_treatment
    ),
    CheckRule(
        "unit-mixed",
        "stop",
        "LB: LBSTRESU of the kinetic tests, of B cells and of characteristics; VS: VSSTRESU; EX: EXDOSU",
        "What is summarised stands in one unit.",
        _unit_mixed,
    ),
    CheckRule("age", "warning", "DM: AGE, AGEU", "Ages are 0 to 120 years.", _age),
    CheckRule("age-unit", "stop", "DM: AGEU", "An age is in years, months, weeks or days.", _age_unit),
    CheckRule(
        "age-doubtful",
        "warning",
        "DM: AGE, AGEU",
        "An age below 3 has a unit, and in a study of children nobody is older than 25 years.",
        _age_doubtful,
    ),
    CheckRule("age-birth", "warning", "DM: AGE, BRTHDTC", "An age is that at the infusion by the birth, within a year.", _age_birth),
    CheckRule("weight-unit", "stop", "VS: WEIGHT", "A weight that is read is in kg, g or lb.", _weight_unit),
    CheckRule("weight-unread", "warning", "VS: WEIGHT", "A weight is a number above 0.", _weight_unread),
    CheckRule("dose-unit", "stop", "EX: EXDOSU", "Where the study file has a range of doses, a dose is in cells or cells/kg.", _dose_unit),
)
