"""Can the dates be true? Slips of a year, labels against dates, study days against dates."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, TIMING, CheckRule, Context, found, grouped
from cartrial.sdtm.vocabulary.dates import earliest_day, is_implausible, is_interval, is_partial, latest_day
from cartrial.sdtm.vocabulary.schema import DOMAINS, kind_of
from cartrial.sdtm.vocabulary.terms import value_of

__all__ = ["PLAUSIBLE_RULES"]

# A visit after day 0 by its label: a number of days, weeks, months or years from the infusion, or follow-up.
_UNIT = r"(?:MONTHS?|MON|WEEKS?|WK|DAYS?|YEARS?|YR|M|W|D|Y)"
_LATER = rf"\b{_UNIT}\s*\+?\s*0*[1-9][0-9]*\b|\b0*[1-9][0-9]*\s*{_UNIT}\b|FOLLOW\W?UP|\bEO[ST]\b|END OF (STUDY|TREATMENT)|POST\W?INFUSION"
# and one that may be before it all the same: day 1 can be the infusion itself
_EARLIER = r"-\s*[0-9]|\bD(AY)?\s*\+?\s*0*1\b|PRIOR|BEFORE|PRE|SCREEN|BASELINE|LYMPHO|\bLD|CONDITION|APHERESIS|CYCLE|\bC[0-9]"
_PRIOR = r"PRIOR|PREVIOUS|HISTOR"
_DAYS = re.compile(r"^([A-Z]{2}(?:ST|EN)?|DTH)DTC$")


def _dates(context: Context, rows: pl.Expr, name: str, domain: str) -> pl.DataFrame:
    frame = context.source.domains[domain].filter(rows)
    if frame.is_empty():
        return frame
    return frame.select("USUBJID", "ROW", pl.col(name).alias("TEXT")).with_columns(
        pl.lit(context.source.file_of(domain), dtype=pl.String).alias("FILE")
    )


def _columns(context: Context) -> Iterator[tuple[str, str]]:
    """Domain and name of each column of dates of records that belong to subjects."""
    for domain in context.keyed:
        for name, kind in context.source.domains[domain].schema.items():
            if kind == pl.String and kind_of(domain, name) == "date":
                yield domain, name


def _implausible(context: Context) -> Iterator[pl.DataFrame]:
    message = pl.format("The date {} has a year that no record of a trial has; it is read as missing.", "TEXT")
    for domain, name in _columns(context):
        yield found(_dates(context, is_implausible(pl.col(name)), name, domain), message, domain=domain, variable=name)


def _interval(context: Context) -> Iterator[pl.DataFrame]:
    for domain, name in _columns(context):
        rows = _dates(context, is_interval(pl.col(name)), name, domain)
        yield found(rows, pl.format("The date {} is an interval; its start is used.", "TEXT"), domain=domain, variable=name)


def _before_consent(context: Context) -> Iterator[pl.DataFrame]:
    dm = context.table("DM").select(*SUBJECT, pl.col("RFICDTC").alias("TEXT"), earliest_day(pl.col("RFICDTC")).alias("DAY"))
    ds = context.events("DS").filter(pl.col("DSDECOD") == "INFORMED CONSENT OBTAINED")
    ds = ds.select(*SUBJECT, "TEXT", pl.when(pl.col("AXIS") == "date").then("EARLY").cast(pl.Int32).alias("DAY"))
    consent = pl.concat([dm, ds]).filter(pl.col("DAY").is_not_null()).unique(list(SUBJECT), keep="first", maintain_order=True)
    calls = context.events("RS").filter((pl.col("RSTESTCD") == "OVRLRESP") & (pl.col("AXIS") == "date"))
    early = calls.join(consent.rename({"TEXT": "CONSENT"}), on=SUBJECT).filter(pl.col("LATE") < pl.col("DAY"))
    message = pl.format("The call is of {}, before the consent ({}); the year may be a slip.", "TEXT", "CONSENT")
    yield found(early, message, domain="RS", variable=pl.col("VARIABLE"))


def _later_visit(context: Context) -> Iterator[pl.DataFrame]:
    for name, known in DOMAINS.items():
        raw = context.source.domains.get(name)
        if raw is None or not known.timing or not {"VISIT", "VISITDY"} & set(raw.columns):
            continue
        label = value_of(raw, "VISIT").str.to_uppercase().str.replace_all("_", " ")
        named = (label.str.contains(_LATER) & ~label.str.contains(_EARLIER)).fill_null(False)
        told = raw.select(
            (named | (value_of(raw, "VISITDY", pl.Float64) > 1).fill_null(False)).alias("LATER"),
            pl.coalesce(value_of(raw, "VISIT"), pl.format("VISITDY {}", value_of(raw, "VISITDY", pl.Float64))).alias("LABEL"),
        )
        rows = context.table(name).with_columns(told).filter("LATER", "HAPPENED")
        zero = context.day_zero.select(*SUBJECT, "AXIS", "ZERO", "ZERO_TEXT")
        early = rows.join(zero, on=[*SUBJECT, "AXIS"]).filter(pl.col("LATE") < pl.col("ZERO"))
        message = pl.format("The visit is '{}' and its date {} is before the infusion ({}).", "LABEL", "TEXT", "ZERO_TEXT")
        yield found(early, message, domain=name, variable=pl.col("VARIABLE"))


def _against_infusion(context: Context, rows: pl.Expr) -> pl.DataFrame:
    """Return therapies of CM that some rows are, with the days of the infusion."""
    zero = context.day_zero.select(*SUBJECT, "AXIS", "ZERO", "ZERO_LATE", "ZERO_TEXT")
    return context.events("CM").filter(rows).join(zero, on=[*SUBJECT, "AXIS"])


def _subsequent_before(context: Context) -> Iterator[pl.DataFrame]:
    early = _against_infusion(context, pl.col("CMCAT") == "SUBSEQUENT ANTICANCER THERAPY").filter(pl.col("LATE") < pl.col("ZERO"))
    said = "A therapy called subsequent began {}, before the infusion ({}); it is not read as a new therapy."
    message = pl.format(said, "TEXT", "ZERO_TEXT")
    yield found(early, message, domain="CM", variable=pl.col("VARIABLE"))


def _prior_after(context: Context) -> Iterator[pl.DataFrame]:
    prior = pl.col("CMCAT").str.to_uppercase().str.contains(_PRIOR).fill_null(False)
    late = _against_infusion(context, prior).filter(pl.col("EARLY") > pl.col("ZERO_LATE"))
    message = pl.format("A therapy called '{}' began {}, after the infusion ({}); no rule reads it.", "CMCAT", "TEXT", "ZERO_TEXT")
    yield found(late, message, domain="CM", variable=pl.col("VARIABLE"))


def _no_category(context: Context) -> Iterator[pl.DataFrame]:
    blank = grouped(context.events("CM").filter(pl.col("CMCAT").is_null()), "DOMAIN")
    message = pl.format("CMCAT is blank ({}): no such record is read as a new anticancer therapy, bridging or conditioning.", "COUNT")
    yield found(blank, message, domain="CM", variable="CMCAT")


def _study_days(context: Context) -> Iterator[pl.DataFrame]:
    """A study day is the date less RFSTDTC, plus one from RFSTDTC on: there is no day 0."""
    dm = context.table("DM").filter(~is_partial(pl.col("RFSTDTC")))
    reference = dm.select(*SUBJECT, earliest_day(pl.col("RFSTDTC")).alias("REFERENCE")).unique(list(SUBJECT), keep="first")
    for domain, name in _columns(context):
        day = f"{name[:-3]}DY"
        frame = context.source.domains[domain]
        if not _DAYS.match(name) or day not in frame.columns or not frame.schema[day].is_numeric():
            continue
        date = pl.col(name)
        elapsed = earliest_day(date) - pl.col("REFERENCE")
        whole = frame.filter(earliest_day(date) == latest_day(date)).join(reference, on=SUBJECT)
        whole = whole.with_columns(
            (elapsed + pl.when(elapsed >= 0).then(1).otherwise(0)).alias("RIGHT"),
            pl.lit(context.source.file_of(domain), dtype=pl.String).alias("FILE"),
            pl.lit(domain).alias("DOMAIN"),
            date.alias("TEXT"),
            pl.col(day).floor().cast(pl.Int64).alias("SAID"),
        ).sort("ROW")
        wrong = whole.filter(pl.col("SAID") != pl.col("RIGHT"))
        firsts = wrong.head(1).select("DOMAIN", "TEXT", "SAID", "RIGHT")
        message = pl.format(
            f"{day} is not the study day of {name} counted from RFSTDTC ({{}}): {{}} is day {{}} and {day} says {{}}. The date is used.",
            *("COUNT", "TEXT", "RIGHT", "SAID"),
        )
        yield found(grouped(wrong, "DOMAIN").join(firsts, on="DOMAIN"), message, domain=domain, variable=day)


def _day_zero(context: Context) -> Iterator[pl.DataFrame]:
    """Study day 0 of a subject whose infusion is on day 1 or later: that calendar has no day 0."""
    zero = context.day_zero.filter((pl.col("AXIS") == "day") & (pl.col("ZERO") != 0)).select(*SUBJECT, "ZERO_TEXT")
    columns = ("FILE", "ROW", "DOMAIN", *SUBJECT, *TIMING)
    on_zero = context.timeline.filter((pl.col("AXIS") == "day") & (pl.col("EARLY").floor() == 0)).select(columns).join(zero, on=SUBJECT)
    said = "The record is of day 0 and the infusion of {}: days that count from 1 have no day 0; it is read as the day before day 1."
    message = pl.format(said, "ZERO_TEXT")
    yield found(on_zero, message, domain=pl.col("DOMAIN"), variable=pl.col("VARIABLE"))


PLAUSIBLE_RULES = (
    CheckRule("date-implausible", "warning", "all dates", "A date has a year that a record of a trial can have.", _implausible),
    CheckRule("before-consent", "warning", "RS, DM: RFICDTC, DS", "A reader's call is not before the consent.", _before_consent),
    CheckRule("visit-before-infusion", "warning", "VISIT, VISITDY", "A later visit by its label is not before the infusion.", _later_visit),
    CheckRule("subsequent-before-infusion", "warning", "CM", "A therapy called subsequent began after the infusion.", _subsequent_before),
    CheckRule("prior-after-infusion", "warning", "CM", "A therapy called prior began before the infusion.", _prior_after),
    CheckRule("study-day-differs", "warning", "--DY, RFSTDTC", "A study day agrees with its date.", _study_days),
    CheckRule("study-day-zero", "warning", "--DY", "Where the infusion is on day 1 no record is on day 0.", _day_zero),
    CheckRule("category-missing", "note", "CM: CMCAT", "A medication has a category.", _no_category),
    CheckRule("date-interval", "note", "all dates", "Intervals are listed.", _interval),
)
