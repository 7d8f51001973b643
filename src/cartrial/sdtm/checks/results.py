"""Do the laboratory results say what they mean, possible, in a known unit, of a specimen that a rule reads?"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.vocabulary.results import (
    ABOVE,
    AT_LEAST,
    AT_MOST,
    BELOW,
    EXACT,
    NEGATIVE,
    POSITIVE,
    UNQUANTIFIED,
    UNREADABLE,
    lacks_limit,
    relation_said,
    significant,
)
from cartrial.sdtm.vocabulary.specimens import by_method
from cartrial.sdtm.vocabulary.terms import canonical
from cartrial.sdtm.vocabulary.units import COUNTED, STRICT_TESTS, UNITS
from cartrial.study.criteria.codes import CRH_NEUTROPHILS, CRH_PLATELETS

__all__ = ["NUMBERED", "RESULT_RULES"]

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
# words that mean not detected, or not done
AMBIGUOUS = ("ND", "N.D.")
NUMBERED = pl.col("READ_NUMBER").is_not_null() | pl.col("LBSTRESN").is_not_null()
NO_REASON = pl.col("LBREASND").is_null()


def _units(test: str) -> list[str]:
    return [UNITS[test].standard, *sorted(set(UNITS[test].also.values()))]


def _foreign_unit(context: Context, tests: list[str]) -> pl.DataFrame:
    lab = context.results.filter(NUMBERED.fill_null(False) & pl.col("READ"))
    # an absolute count is of blood
    counted = (pl.col("TEST") == "BLAST") & (pl.col("LBSTRESU") == COUNTED) & (pl.col("SPEC") != "BLOOD")
    bad = [
        lab.filter((pl.col("TEST") == test) & (~pl.col("LBSTRESU").is_in(_units(test)).fill_null(False) | counted.fill_null(False)))
        for test in tests
    ]
    return grouped(pl.concat(bad), ("TEST", "LBSTRESU"))


def _says_unit() -> pl.Expr:
    standard = pl.col("TEST").replace_strict({test: UNITS[test].standard for test in UNITS})
    unit = pl.col("LBSTRESU")
    said = pl.format("{} has the unit '{}' ({}), which cannot be brought to {}.", "TEST", unit, "COUNT", standard)
    return pl.when(unit.is_null()).then(pl.format("{} has no unit ({}); it is measured in {}.", "TEST", "COUNT", standard)).otherwise(said)


def _unit_unknown(context: Context) -> Iterator[pl.DataFrame]:
    yield found(_foreign_unit(context, list(STRICT_TESTS)), _says_unit(), domain="LB", variable="LBSTRESU")


def _unit_other(context: Context) -> Iterator[pl.DataFrame]:
    others = [test for test in UNITS if test not in STRICT_TESTS]
    yield found(_foreign_unit(context, others), _says_unit(), domain="LB", variable="LBSTRESU")


def _unit_aplasia(context: Context) -> Iterator[pl.DataFrame]:
    rule = context.study.safety.aplasia
    lab = context.results.filter(
        NUMBERED.fill_null(False) & (pl.col("TEST") == rule.testcd) & (pl.col("LBSTRESU").fill_null("") != rule.unit)
    )
    message = pl.format(
        "{} stands in '{}' ({}) and the study's limit for aplasia in {}; these are not compared.",
        "TEST",
        pl.col("LBSTRESU").fill_null("(blank)"),
        "COUNT",
        pl.lit(rule.unit),
    )
    yield found(grouped(lab, ("TEST", "LBSTRESU")), message, domain="LB", variable="LBSTRESU")


def _impossible(context: Context) -> Iterator[pl.DataFrame]:
    lab = context.results.filter("READ")
    value = pl.coalesce("LBSTRESN", pl.when(pl.col("REL").is_in([EXACT, ABOVE, AT_LEAST, UNREADABLE])).then("READ_NUMBER"))
    for test, (low, high) in POSSIBLE.items():
        least, most = significant(value) < low, significant(value) > high if high is not None else pl.lit(False)
        counted = (pl.col("LBSTRESU") == COUNTED).fill_null(False) & pl.lit(test == "BLAST")
        bad = lab.filter((pl.col("TEST") == test) & (least | (most & ~counted)))
        limits = f"between {low:g} and {high:g}" if high is not None else f"not below {low:g}"
        yield found(
            bad,
            pl.format(f"{test} is {{}} {{}}, which is impossible; it is {limits}.", value, pl.col("LBSTRESU").fill_null("")),
            domain="LB",
            variable="LBSTRESN",
        )


def _too_many(context: Context) -> Iterator[pl.DataFrame]:
    for test, high in DOUBTFUL.items():
        bad = context.results.filter((pl.col("TEST") == test) & (pl.col("VALUE") > high) & (pl.col("LBSTRESU") == UNITS[test].standard))
        yield found(bad, pl.format(f"{test} is {{}} 10^9/L; the value may be in another unit.", "VALUE"), domain="LB", variable="LBSTRESN")


def _blast_scale(context: Context) -> Iterator[pl.DataFrame]:
    marrow = context.results.filter(pl.col("VALUE").is_not_null() & (pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BONE MARROW"))
    highest = marrow["VALUE"].max()
    if marrow.height > 1 and isinstance(highest, float) and 0 < highest <= 1:
        first = marrow.head(1).with_columns(pl.lit(None, dtype=pl.String).alias("USUBJID"))
        yield found(
            first, "No marrow has more than 1 % blasts; the values may be fractions under the unit %.", domain="LB", variable="LBSTRESN"
        )


def _illegible(context: Context) -> pl.DataFrame:
    negative = (pl.col("READ_NUMBER") < 0).fill_null(False) | (pl.col("LBSTRESN") < 0).fill_null(False)
    foreign = pl.col("UNIT").is_not_null() & pl.col("FACTOR").is_null() & NUMBERED
    lab = context.results.filter(pl.col("READ") & (pl.col("REL") == UNREADABLE) & NO_REASON)
    return lab.filter(pl.col("SAID").is_not_null() & ~negative & ~foreign)


def _unreadable(context: Context) -> Iterator[pl.DataFrame]:
    counted = (pl.col("TEST") == "BLAST") & (pl.col("LBSTRESU") == COUNTED)
    bad = _illegible(context).filter(pl.col("TEST").is_in(STRICT_TESTS) & ~counted.fill_null(False))
    message = pl.format("The result '{}' of {} is no number; it is a number, <limit, >limit, NEGATIVE or POSITIVE.", "SAID", "TEST")
    yield found(bad, message, domain="LB", variable="LBSTRESC")


def _unread(context: Context) -> Iterator[pl.DataFrame]:
    bad = _illegible(context).filter(pl.col("TEST").is_in(sorted(set(context.tests) - set(STRICT_TESTS))))
    message = pl.format("The result '{}' of {} is no number, no limit and no word; the sample is not used.", "SAID", "TEST")
    yield found(bad, message, domain="LB", variable="LBSTRESC")


def _differs(context: Context) -> Iterator[pl.DataFrame]:
    """A text and the number beside it that cannot both be so. A number is not more exact than its text."""
    relation, number, limit = pl.col("REL"), significant(pl.col("BESIDE")), significant(pl.col("LIMIT"))
    decimals = pl.col("SAID").str.extract(r"^[+-]?[0-9]*\.?([0-9]*)$", 1).str.len_chars().cast(pl.Float64)
    rounding = pl.coalesce(0.5 * pl.lit(10.0).pow(-decimals), pl.lit(0.0)) * (1 + 1e-9) + 1e-9 * pl.col("BESIDE").abs()
    word = significant(pl.coalesce("LOD", "LLOQ"))
    apart = (
        (relation.is_in([BELOW, AT_MOST]) & (number > limit))
        | (relation.is_in([ABOVE, AT_LEAST]) & (number < limit))
        | ((relation == NEGATIVE) & (number > 0) & (number >= word).fill_null(True))
        | ((relation == UNQUANTIFIED) & (number >= significant(pl.col("LLOQ"))))
        | ((relation == POSITIVE) & (number == 0))
        | ((relation == EXACT) & ((pl.col("READ_NUMBER") - pl.col("BESIDE")).abs() > rounding))
    )
    bad = context.results.filter(pl.col("READ") & apart.fill_null(False) & pl.col("TEST").is_in(list(UNITS)))
    what = pl.when(pl.col("REL") == EXACT).then(pl.lit("the number")).otherwise(pl.lit("the text"))
    message = pl.format("{} is '{}' and {} beside it; {} is read.", "TEST", "SAID", "BESIDE", what)
    yield found(bad, message, domain="LB", variable="LBSTRESC")
    odd = (relation_said(pl.col("SAID")) == UNREADABLE) & (pl.col("REL") == EXACT)
    bad = context.results.filter(pl.col("READ") & odd.fill_null(False) & pl.col("TEST").is_in(list(UNITS)))
    message = pl.format("{} is '{}', which is no number, and {} beside it; the number is read.", "TEST", "SAID", "BESIDE")
    yield found(bad, message, domain="LB", variable="LBSTRESC")


def _ambiguous(context: Context) -> Iterator[pl.DataFrame]:
    said = pl.coalesce("LBORRES", "LBSTRESC").str.to_uppercase().str.strip_chars()
    bad = context.results.filter(pl.col("READ") & (pl.col("REL") == NEGATIVE) & said.is_in(AMBIGUOUS))
    message = pl.format("{} is ND ({}), read as not detected; where it was not done, LBSTAT says NOT DONE.", "TEST", "COUNT")
    yield found(grouped(bad, "TEST"), message, domain="LB", variable="LBORRES")


def _no_value(context: Context) -> Iterator[pl.DataFrame]:
    lab = context.results.filter(pl.col("READ") & pl.col("REL").is_null() & NO_REASON & pl.col("TEST").is_in(STRICT_TESTS))
    yield found(
        lab,
        pl.format("{} has no result and LBSTAT does not say NOT DONE; the record is not used.", "TEST"),
        domain="LB",
        variable="LBSTRESN",
    )


def _between(*limits: float) -> pl.Expr:
    """Say whether a result lies on either side of one of some limits."""
    sides = [(pl.col("LOW") <= limit) & (pl.col("HIGH") >= limit) for limit in limits]
    return pl.any_horizontal(sides) & (pl.col("LOW") != pl.col("HIGH"))


def _undecided(context: Context) -> Iterator[pl.DataFrame]:
    if context.study.disease.marrow is None:
        return
    criteria, options = context.study.disease.marrow
    marrow = (pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BONE MARROW")
    blood = (pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BLOOD")
    counts = {"NEUT": (criteria.neutrophils.value, CRH_NEUTROPHILS), "PLAT": (criteria.platelets.value, CRH_PLATELETS)}
    missing = "the count is as missing"
    doubtful = [
        (marrow & _between(criteria.marrow.value, criteria.relapse_marrow.value), "the marrow is not evaluable"),
        (blood & _between(0.0, criteria.relapse_blood.value), "the assessment is not evaluable"),
        *(((pl.col("TEST") == test) & _between(*limits[: 1 + options.crh]), missing) for test, limits in counts.items()),
    ]
    for where, what in doubtful:
        lab = context.results.filter(where.fill_null(False) & pl.col("READ") & (pl.col("REL") != UNREADABLE))
        message = pl.format(
            f"{{}} is '{{}}', which lies on both sides of a limit of the criteria: where that limit decides, {what}.", "TEST", "SAID"
        )
        yield found(lab, message, domain="LB", variable="LBSTRESC")


def _residual(context: Context) -> pl.DataFrame:
    """Return results of residual disease that are not positive."""
    limit = significant(pl.lit(context.study.disease.mrd.negative_below))
    mrd = context.results.filter((pl.col("TEST") == "MRD") & pl.col("READ") & pl.col("REL").is_not_null())
    mrd = mrd.filter(by_method(context.study.disease.mrd.methods, "LBMETHOD"))
    return mrd.filter((pl.col("REL") != POSITIVE) & (pl.col("REL") != UNREADABLE) & (pl.col("LOW") < limit))


def _no_limit(context: Context) -> Iterator[pl.DataFrame]:
    said = "The limit of detection is not given, so the negative result is not evaluable."
    yield found(_residual(context).filter(lacks_limit()), said, domain="LB", variable="LBLOD")


def _high_limit(context: Context) -> Iterator[pl.DataFrame]:
    limit = context.study.disease.mrd.negative_below
    least = significant(pl.lit(limit))
    known = pl.col("LIMIT").is_not_null() | ((pl.col("REL") == UNQUANTIFIED) & pl.col("LLOQ").is_not_null())
    blunt = (significant(pl.col("LOD")) > least).fill_null(False) | (known & (pl.col("HIGH") >= least))
    message = pl.format(f"The result '{{}}' has a limit above the study's {limit:g}, so it is not evaluable.", pl.col("SAID").fill_null(""))
    yield found(_residual(context).filter(blunt), message, domain="LB", variable="LBLOD")


def _specimen(context: Context) -> Iterator[pl.DataFrame]:
    names = " or ".join(context.study.disease.mrd.specimens)
    lab = context.results.filter(~pl.col("READ") & pl.col("REL").is_not_null())
    blank = lab.filter((pl.col("TEST") == "MRD") & pl.col("SPEC").is_null())
    message = pl.format("The specimen of MRD is blank ({}); it is read of {} alone.", "COUNT", pl.lit(names))
    yield found(grouped(blank, "TEST"), message, domain="LB", variable="LBSPEC")


def _method(context: Context) -> Iterator[pl.DataFrame]:
    """A method in words that are not known may be the study's own; with no result by the study's methods nothing is read."""
    methods = context.study.disease.mrd.methods
    mrd = context.results.filter((pl.col("TEST") == "MRD") & pl.col("REL").is_not_null())
    other = mrd.filter(~by_method(methods, "LBMETHOD"))
    if other.height < mrd.height:
        other = other.filter(canonical(pl.col("LBMETHOD"), "LBMETHOD").is_null())
    said = f"The method of MRD is '{{}}' ({{}}), and the study reads it by {' or '.join(methods)}; no rule reads these."
    yield found(grouped(other, "LBMETHOD"), pl.format(said, "LBMETHOD", "COUNT"), domain="LB", variable="LBMETHOD")


def _elsewhere(context: Context) -> Iterator[pl.DataFrame]:
    fluid = (pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "CSF").fill_null(False)  # read for the status of the central nervous system
    lab = context.results.filter(~pl.col("READ") & ~fluid & pl.col("REL").is_not_null() & pl.col("SPEC").is_not_null())
    message = pl.format("{} of {} ({}) is read by no rule.", "TEST", "SPEC", "COUNT")
    yield found(grouped(lab, ("TEST", "SPEC")), message, domain="LB", variable="LBSPEC")


def _same_date(context: Context, tests: tuple[str, ...]) -> pl.DataFrame:
    """Return dates on which a test of one specimen has different results: RESULTS, as said."""
    lab = context.results.filter(pl.col("READ") & pl.col("TEST").is_in(tests) & pl.col("LOW").is_not_null() & NO_REASON)
    lab = lab.filter(pl.col("EARLY") == pl.col("LATE")).with_columns(pl.coalesce("SAID", pl.col("BESIDE").cast(pl.String)).alias("SAID"))
    each = (
        lab.sort("ROW")
        .group_by([*SUBJECT, "TEST", "SPEC", "EARLY"], maintain_order=True)
        .agg(
            pl.struct("LOW", "HIGH").n_unique().alias("N"),
            pl.col("SAID").unique(maintain_order=True).str.join(" and ").alias("RESULTS"),
            pl.col("TEXT").first().str.slice(0, 10),
            pl.col("FILE").first(),
            pl.col("ROW").last(),
        )
    )
    return each.filter(pl.col("N") > 1)


def _blasts_twice(context: Context) -> Iterator[pl.DataFrame]:
    message = pl.format("The blasts of {} are {} on one date, {}; the highest counts.", "SPEC", "RESULTS", "TEXT")
    yield found(_same_date(context, ("BLAST",)), message, domain="LB", variable="LBSTRESN")


def _counts_twice(context: Context) -> Iterator[pl.DataFrame]:
    twice = _same_date(context, ("NEUT", "PLAT"))
    message = pl.format("{} has different results on one date ({}); the lowest counts.", "TEST", "COUNT")
    yield found(grouped(twice, "TEST"), message, domain="LB", variable="LBSTRESN")


RESULT_RULES = (
    CheckRule(
        "unit-unknown",
        "stop",
        "LB: LBSTRESU of BLAST, NEUT, PLAT, MRD",
        "A result that decides a response is in a unit that can be brought to the standard one.",
        _unit_unknown,
    ),
    CheckRule(
        "value-impossible", "stop", "LB: LBSTRESN", "Blasts are 0 to 100 %, residual disease 0 to 1, counts not negative.", _impossible
    ),
    CheckRule(
        "result-unreadable",
        "stop",
        "LB: LBSTRESC of BLAST, NEUT, PLAT, MRD",
        "A result is a number, <limit, >limit, NEGATIVE or POSITIVE.",
        _unreadable,
    ),
    CheckRule(
        "result-unread",
        "warning",
        "LB: LBSTRESC of other tests that a rule reads",
        "A result can be read, of kinetics and B cells too.",
        _unread,
    ),
    CheckRule("result-differs", "warning", "LB: LBSTRESC, LBSTRESN", "A result's text and the number beside it agree.", _differs),
    CheckRule("result-ambiguous", "warning", "LB: LBORRES", "ND does not mean not done.", _ambiguous),
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
    CheckRule("blast-twice", "warning", "LB: BLAST", "Blasts of one date and specimen are one value.", _blasts_twice),
    CheckRule("measurement-missing", "warning", "LB: BLAST, NEUT, PLAT, MRD", "A test that was done has a result.", _no_value),
    CheckRule(
        "limit-undecided", "warning", "LB: BLAST, NEUT, PLAT", "A result as a limit lies on one side of the criteria's limits.", _undecided
    ),
    CheckRule("mrd-limit-missing", "warning", "LB: LBLOD of MRD", "A negative residual disease says its limit of detection.", _no_limit),
    CheckRule(
        "mrd-limit-high", "warning", "LB: LBLOD of MRD", "Residual disease is looked for as sensitively as the study asks.", _high_limit
    ),
    CheckRule("mrd-specimen-missing", "warning", "LB: LBSPEC of MRD", "Residual disease says of which specimen it is.", _specimen),
    CheckRule("mrd-method-other", "warning", "LB: LBMETHOD of MRD", "Residual disease is by a method that is known.", _method),
    CheckRule("specimen-other", "note", "LB: LBSPEC", "Tests of a specimen that no rule reads are listed.", _elsewhere),
    CheckRule("count-twice", "note", "LB: NEUT, PLAT", "Counts of one date are one value.", _counts_twice),
)
