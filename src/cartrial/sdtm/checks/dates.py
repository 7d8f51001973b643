"""Do the dates make sense: there, whole, in order, within the cutoff and the visits; and do the sources of a death agree?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, TIMING, CheckRule, Context, found, grouped, timing
from cartrial.sdtm.vocabulary.dates import earliest_day, is_partial, latest_day
from cartrial.sdtm.vocabulary.schema import DOMAINS
from cartrial.sdtm.vocabulary.terms import CODE_LISTS

__all__ = ["DATE_RULES"]

EPOCH = dt.date(1970, 1, 1)
# An assessment further than this from every window is listed. Unit: days.
FAR = 14


def _cutoff(context: Context) -> int | None:
    date = context.study.study.cutoff
    return None if date is None else (date - EPOCH).days


def _infusion_undated(context: Context) -> Iterator[pl.DataFrame]:
    blank = context.infusions.filter(pl.col("EARLY").is_null())
    no_day = pl.format("The date of the infusion, {}, means no day, so day 0 is not known.", "TEXT")
    neither = pl.lit("The infusion has neither a date nor a study day, so day 0 is not known.")
    yield found(blank, pl.coalesce(no_day, neither), domain="EX", variable="EXSTDTC")


def _partial_infusions(context: Context) -> pl.DataFrame:
    """First infusions whose day is not known, and whether the study file lets it be imputed: the month is known."""
    width = pl.col("ZERO_LATE") - pl.col("ZERO")
    partial = context.day_zero.filter(width > 0)
    return partial.with_columns(((width <= 30) & pl.lit(context.study.partial_day_0 is not None)).alias("IMPUTED"))


def _infusion_partial(context: Context) -> Iterator[pl.DataFrame]:
    message = pl.format(
        "The day of the infusion, {}, is not known, and every window is counted from it; give the whole date, or, where the month is "
        "known, partial-day-0: 15th in the study file.",
        "ZERO_TEXT",
    )
    yield found(_partial_infusions(context).filter(~pl.col("IMPUTED")), message, domain="EX", variable="EXSTDTC")


def _infusion_imputed(context: Context) -> Iterator[pl.DataFrame]:
    message = pl.format(
        "The day of the infusion, {}, is not known: day 0 is taken as the 15th (partial-day-0), and every endpoint is shown at the "
        "earliest and at the latest possible day too.",
        "ZERO_TEXT",
    )
    yield found(_partial_infusions(context).filter("IMPUTED"), message, domain="EX", variable="EXSTDTC")


def _undated(context: Context) -> Iterator[pl.DataFrame]:
    product = list(context.study.product.exposure)
    # Infusions and deaths have rules of their own; a drug of another category is read without a date.
    others = {
        "EX": ~pl.col("EXTRT").fill_null("").str.to_uppercase().is_in(product),
        "DS": pl.col("DSDECOD").fill_null("") != "DEATH",
        "SS": pl.col("SSSTRESC").fill_null("") != "DEAD",
        "DD": pl.lit(False),
        "CM": pl.col("CMCAT").is_in(("SUBSEQUENT ANTICANCER THERAPY", "CONDITIONING")),
    }
    for name, domain in DOMAINS.items():
        if not domain.timing or name not in context.source.domains:
            continue
        blank = context.events(name).filter(pl.col("TEXT").is_null() & others.get(name, pl.lit(True)))
        if domain.relevant:
            term = pl.col(domain.relevant[0])
            blank = blank.filter(term.is_in(domain.needed or list(CODE_LISTS[domain.relevant[1]].terms)))
        message = f"{domain.timing[0]} is blank; the record is not used where a date is needed."
        yield found(blank, message, domain=name, variable=domain.timing[0])


_EARLIEST = "the earliest day that it can be stands for it"
_PARTIAL = {
    **dict.fromkeys(("RS", "LB", "FA", "TR"), "an assessment without a full date is not usable"),
    **dict.fromkeys(("PR", "CM", "EX"), f"{_EARLIEST}, flagged where it decides a value"),
    "SS": "it is no proof of life; a death that it alone dates is imputed and flagged",
}
"""What is done with a partial date, by domain; of the others it is imputed."""


def _partial(context: Context) -> Iterator[pl.DataFrame]:
    for name in (name for name, domain in DOMAINS.items() if domain.timing and name in context.source.domains):
        yearless = context.events(name).filter(pl.col("EARLY").is_null() & is_partial(pl.col("TEXT")))
        message = pl.format("The date {} has no year; the record stands on no day.", "TEXT")
        yield found(yearless, message, domain=name, variable=pl.col("VARIABLE"))
    # an infusion has a rule of its own
    first = (pl.col("DOMAIN") == "EX") & pl.col("ROW").is_in(_partial_infusions(context)["ROW"].to_list())
    partial = context.timeline.filter((pl.col("EARLY") < pl.col("LATE")) & ~first)
    what = pl.col("DOMAIN").replace_strict(_PARTIAL, default="it is imputed, and flagged where it decides a value")
    yield found(partial, pl.format("The date {} is partial; {}.", "TEXT", what), domain=pl.col("DOMAIN"), variable=pl.col("VARIABLE"))
    for name, said in (("RFICDTC", _EARLIEST), ("DTHDTC", "it is imputed and flagged")):
        dm = context.table("DM").filter(is_partial(pl.col(name)))
        yield found(dm, pl.format("The date {} is partial; {}.", name, pl.lit(said)), domain="DM", variable=name)


def _milestones(context: Context) -> pl.DataFrame:
    """Return the dated milestones of each subject in the order in which they should happen."""
    consent = context.table("DM").filter(pl.col("RFICDTC").is_not_null())
    consent = consent.with_columns(pl.lit("DM").alias("DOMAIN"), *timing("RFICDTC", None))
    ds, pr, ex = (context.events(name) for name in ("DS", "PR", "EX"))
    treatment = pl.col("EXTRT").str.to_uppercase()
    product = context.study.product
    parts = (
        (0, "consent", consent),
        (1, "enrolment", ds.filter(pl.col("DSDECOD") == "ENROLLED")),
        (2, "leukapheresis", pr.filter(pl.col("PRTRT") == "LEUKAPHERESIS")),
        (3, "release of the product", ds.filter(pl.col("DSDECOD") == "PRODUCT RELEASED")),
        (4, "lymphodepletion", ex.filter(treatment.is_in(list(product.lymphodepletion)))),
        (5, "infusion", ex.filter(treatment.is_in(list(product.exposure)))),
    )
    columns = ("FILE", "ROW", *SUBJECT, "DOMAIN", *TIMING)
    steps = pl.concat(
        frame.select(columns).with_columns(pl.lit(rank).alias("RANK"), pl.lit(what).alias("WHAT")) for rank, what, frame in parts
    )
    steps = steps.filter(pl.col("EARLY").is_not_null()).sort(*SUBJECT, "AXIS", "RANK", "EARLY", "ROW")
    return steps.group_by([*SUBJECT, "AXIS", "RANK"], maintain_order=True).first()


def _order(context: Context) -> Iterator[pl.DataFrame]:
    over = [*SUBJECT, "AXIS"]
    steps = _milestones(context).with_columns(
        pl.col("EARLY").shift(1).over(over).alias("BEFORE"),
        pl.col("WHAT").shift(1).over(over).alias("BEFORE_WHAT"),
        pl.col("TEXT").shift(1).over(over).alias("BEFORE_TEXT"),
    )
    wrong = steps.filter(pl.col("LATE") < pl.col("BEFORE"))
    message = pl.format("The {} ({}) is before the {} ({}).", "WHAT", "TEXT", "BEFORE_WHAT", "BEFORE_TEXT")
    yield found(wrong, message, domain=pl.col("DOMAIN"), variable=pl.col("VARIABLE"))


def _after_death(context: Context) -> Iterator[pl.DataFrame]:
    dead = (
        context.timeline.filter(~pl.col("DEATH"))
        .join(context.death_day, on=[*SUBJECT, "AXIS"])
        .filter(pl.col("EARLY") > pl.col("DEATH_LATE"))
    )
    yield found(
        dead,
        pl.format("The record is dated {}, after the death ({}).", "TEXT", "DEATH_TEXT"),
        domain=pl.col("DOMAIN"),
        variable=pl.col("VARIABLE"),
    )


def _death_before_infusion(context: Context) -> Iterator[pl.DataFrame]:
    early = context.infusions.join(context.death_day, on=[*SUBJECT, "AXIS"]).filter(pl.col("DEATH_LATE") < pl.col("EARLY"))
    yield found(
        early, pl.format("The infusion ({}) is after the death ({}).", "TEXT", "DEATH_TEXT"), domain="EX", variable=pl.col("VARIABLE")
    )


def _death_undated(context: Context) -> Iterator[pl.DataFrame]:
    undated = (
        context.deaths.sort("ORDER")
        .group_by(SUBJECT, maintain_order=True)
        .agg(pl.col("EARLY").max(), pl.col("FILE", "ROW", "SOURCE", "VARIABLE").first())
    )
    undated = undated.filter(pl.col("EARLY").is_null())
    message = pl.format("The subject died ({}) and no source dates the death; DTHDTC does.", "SOURCE")
    yield found(undated, message, domain=pl.col("SOURCE"), variable=pl.col("VARIABLE"))


def _death_disagrees(context: Context) -> Iterator[pl.DataFrame]:
    dated = context.deaths.filter(pl.col("EARLY").is_not_null())
    other = dated.join(context.death_day, on=[*SUBJECT, "AXIS"]).filter(pl.col("SOURCE") != pl.col("DEATH_SOURCE"))
    # A subject may be recorded dead at a contact later than the death, and its details are collected later; never earlier.
    later = (pl.col("EARLY") > pl.col("DEATH_LATE")) & ~pl.col("SOURCE").is_in(("SS", "DD"))
    wrong = other.filter((pl.col("LATE") < pl.col("DEATH_EARLY")) | later)
    message = pl.format("The death is {} by {} and {} by {}; {} is used.", "TEXT", "SOURCE", "DEATH_TEXT", "DEATH_SOURCE", "DEATH_SOURCE")
    yield found(wrong, message, domain=pl.col("SOURCE"), variable=pl.col("VARIABLE"))


def _death_twice(context: Context) -> Iterator[pl.DataFrame]:
    over = [*SUBJECT, "SOURCE", "AXIS"]
    told = context.deaths.filter(pl.col("EARLY").is_not_null() & pl.col("SOURCE").is_in(("DS", "AE"))).sort(*over, "EARLY", "ROW")
    first = [pl.col(name).first().over(over).alias(f"FIRST_{name}") for name in ("TEXT", "LATE")]
    twice = told.with_columns(first).filter(pl.col("EARLY") > pl.col("FIRST_LATE")).join(context.death_day, on=[*SUBJECT, "AXIS"])
    message = pl.format("{} dates the death twice, {} and {}; {} is used.", "SOURCE", "FIRST_TEXT", "TEXT", "DEATH_TEXT")
    yield found(twice, message, domain=pl.col("SOURCE"), variable=pl.col("VARIABLE"))


def _death_flag(context: Context) -> Iterator[pl.DataFrame]:
    dm = context.table("DM")
    dated = dm.filter(pl.col("DTHDTC").is_not_null() & (pl.col("DTHFL").fill_null("") != "Y"))
    yield found(dated, pl.format("DTHDTC is {} and DTHFL is not Y; the subject is taken as dead.", "DTHDTC"), domain="DM", variable="DTHFL")
    denied = dm.filter(pl.col("DTHFL").fill_null("") != "Y").join(
        context.deaths.filter(pl.col("SOURCE") != "DM").select(SUBJECT).unique(), on=SUBJECT, how="semi"
    )
    denied = denied.filter(pl.col("DTHDTC").is_null())
    yield found(
        denied,
        "DM does not say that the subject died and another domain does; the subject is taken as dead.",
        domain="DM",
        variable="DTHFL",
    )


def _reversed(context: Context) -> Iterator[pl.DataFrame]:
    ae = context.table("AE")
    wrong = ae.filter(latest_day(pl.col("AEENDTC")) < earliest_day(pl.col("AESTDTC")))
    yield found(wrong, pl.format("The event ends ({}) before it starts ({}).", "AEENDTC", "AESTDTC"), domain="AE", variable="AEENDTC")
    wrong = ae.filter(pl.col("AEENDY") < pl.col("AESTDY"))
    yield found(wrong, pl.format("The event ends (day {}) before it starts (day {}).", "AEENDY", "AESTDY"), domain="AE", variable="AEENDY")


def _before_birth(context: Context) -> Iterator[pl.DataFrame]:
    birth = context.table("DM").filter(pl.col("BRTHDTC").is_not_null())
    birth = birth.select(*SUBJECT, "BRTHDTC", earliest_day(pl.col("BRTHDTC")).cast(pl.Float64).alias("BIRTH"))
    early = context.timeline.filter(pl.col("AXIS") == "date").join(birth, on=SUBJECT).filter(pl.col("LATE") < pl.col("BIRTH"))
    yield found(
        early,
        pl.format("The record is dated {}, before the birth ({}).", "TEXT", "BRTHDTC"),
        domain=pl.col("DOMAIN"),
        variable=pl.col("VARIABLE"),
    )


def _reference(context: Context) -> Iterator[pl.DataFrame]:
    dm = context.table("DM").filter(pl.col("RFSTDTC").is_not_null()).join(context.day_zero.filter(pl.col("AXIS") == "date"), on=SUBJECT)
    apart = dm.filter((latest_day(pl.col("RFSTDTC")) < pl.col("ZERO")) | (earliest_day(pl.col("RFSTDTC")) > pl.col("ZERO_LATE")))
    yield found(
        apart,
        pl.format("RFSTDTC is {} and the first infusion {}; day 0 is the infusion.", "RFSTDTC", "ZERO_TEXT"),
        domain="DM",
        variable="RFSTDTC",
    )


def _after_cutoff(context: Context) -> Iterator[pl.DataFrame]:
    cutoff = _cutoff(context)
    if cutoff is None:
        return
    late = grouped(context.timeline.filter((pl.col("AXIS") == "date") & (pl.col("EARLY") > cutoff)), ("DOMAIN", "VARIABLE"))
    message = pl.format(
        f"{{}} of {{}} dated after the cutoff {context.study.study.cutoff} and not used.",
        "COUNT",
        pl.col("DOMAIN") + pl.when(pl.col("N") == 1).then(pl.lit(" is")).otherwise(pl.lit(" are")),
    )
    yield found(late.drop("ROW"), message, domain=pl.col("DOMAIN"), variable=pl.col("VARIABLE"))


def _no_cutoff(context: Context) -> Iterator[pl.DataFrame]:
    if _cutoff(context) is None and context.timeline.filter(pl.col("AXIS") == "date").height:
        yield found(
            pl.DataFrame({"FILE": [None]}, schema={"FILE": pl.String}),
            "The study file has no cutoff and the data have dates; every record is used.",
            domain=None,
            variable=None,
        )


def _days_only(context: Context) -> Iterator[pl.DataFrame]:
    axes = set(context.timeline["AXIS"].unique())
    if axes == {"day"}:
        message = "The source has study days and no dates; checks against the cutoff are not applicable."
        yield found(pl.DataFrame({"FILE": [None]}, schema={"FILE": pl.String}), message, domain=None, variable=None)


def _mixed_axes(context: Context) -> Iterator[pl.DataFrame]:
    both = context.timeline.group_by(SUBJECT).agg(pl.col("AXIS").n_unique().alias("N")).filter(pl.col("N") > 1)
    on_day = (
        context.timeline.filter(pl.col("AXIS") == "day")
        .join(both, on=SUBJECT, how="semi")
        .sort("DOMAIN", "ROW")
        .unique(list(SUBJECT), keep="first", maintain_order=True)
    )
    yield found(
        on_day,
        "The subject has records with dates and records with study days alone.",
        domain=pl.col("DOMAIN"),
        variable=pl.col("VARIABLE"),
    )


def _off_visit(context: Context) -> Iterator[pl.DataFrame]:
    visits = context.study.disease.visits
    marrow = context.table("LB").filter((pl.col("LBTESTCD") == "BLAST") & (pl.col("LBSPEC") == "BONE MARROW"))
    calls = context.table("RS").filter(pl.col("RSTESTCD") == "OVRLRESP")
    columns = ("FILE", "ROW", "DOMAIN", *SUBJECT, *TIMING)
    days = pl.concat([calls.select(columns), marrow.select(columns)]).filter(pl.col("EARLY") == pl.col("LATE"))
    days = days.join(context.day_zero, on=[*SUBJECT, "AXIS"]).with_columns(day=pl.col("EARLY") - pl.col("ZERO"))
    days = days.filter((pl.col("day") > 0) & (pl.col("day") <= visits[-1].day + visits[-1].plus)).unique(
        [*SUBJECT, "day"], keep="first", maintain_order=True
    )
    away = pl.min_horizontal(
        pl.max_horizontal(visit.day - visit.minus - pl.col("day"), pl.col("day") - visit.day - visit.plus, 0.0) for visit in visits
    )
    far = days.filter(away > FAR)
    message = pl.format(f"The assessment on day {{}} is more than {FAR} days from the window of every visit.", pl.col("day").cast(pl.Int64))
    yield found(far, message, domain=pl.col("DOMAIN"), variable=pl.col("VARIABLE"))


DATE_RULES = (
    CheckRule("infusion-undated", "stop", "EX", "An infusion of the product has a date or a study day.", _infusion_undated),
    CheckRule("death-undated", "stop", "DM, DS, DD, AE, SS", "A death is dated by one source at least.", _death_undated),
    CheckRule("death-before-infusion", "stop", "EX against DM, DS, DD, AE, SS", "No infusion is after the death.", _death_before_infusion),
    CheckRule("infusion-partial", "stop", "EX: EXSTDTC", "The day of the infusion is known.", _infusion_partial),
    CheckRule("infusion-imputed", "warning", "EX: EXSTDTC", "No day of an infusion is imputed.", _infusion_imputed),
    CheckRule("date-missing", "warning", "all domains", "A record stands on a day.", _undated),
    CheckRule(
        "date-order",
        "warning",
        "DM, DS, PR, EX",
        "Consent, enrolment, leukapheresis, release, lymphodepletion and infusion follow each other.",
        _order,
    ),
    CheckRule("after-death", "warning", "all domains", "No record is dated after the death.", _after_death),
    CheckRule("death-disagrees", "warning", "DM, DS, DD, AE, SS", "The sources of a death agree on its date.", _death_disagrees),
    CheckRule("death-twice", "warning", "DS, AE", "A source dates a death once.", _death_twice),
    CheckRule("death-flag", "warning", "DM: DTHFL", "DM says that a subject died where another source does.", _death_flag),
    CheckRule("event-reversed", "warning", "AE", "An adverse event does not end before it starts.", _reversed),
    CheckRule("before-birth", "warning", "all domains, DM: BRTHDTC", "No record is dated before the birth.", _before_birth),
    CheckRule("reference-differs", "warning", "DM: RFSTDTC, EX", "RFSTDTC is the date of the first infusion.", _reference),
    CheckRule("cutoff-missing", "warning", "study file", "A study with dates has a cutoff.", _no_cutoff),
    CheckRule("days-and-dates", "warning", "all domains", "A subject's records have dates, or study days, not some of each.", _mixed_axes),
    CheckRule("date-partial", "note", "all domains", "Partial dates are listed.", _partial),
    CheckRule("after-cutoff", "note", "all domains", "Records after the cutoff are counted and not used.", _after_cutoff),
    CheckRule("days-only", "note", "all domains", "A source without dates has no cutoff checks.", _days_only),
    CheckRule("visit-outside-window", "note", "RS, LB", "An assessment is near a scheduled visit.", _off_visit),
)
