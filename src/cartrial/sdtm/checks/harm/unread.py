"""Which treatments of toxicities, stays, causes of death and events without a term are passed over, or contradict what was recorded?"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.vocabulary.harm.care import CARE_DOMAINS, care_class, care_reason
from cartrial.sdtm.vocabulary.harm.causes import CAUSES, cause_of, says_cause
from cartrial.sdtm.vocabulary.harm.events import LIKE
from cartrial.sdtm.vocabulary.terms import normalised, value_of

__all__ = ["HARM_RULES"]

_NAMES = (
    *("TOCILIZUMAB", "ANAKINRA", "DEXAMETHASONE", "METHYLPREDNISOLONE", "PREDNISOLONE", "PREDNISONE", "HYDROCORTISONE"),
    *("NOREPINEPHRINE", "NORADRENALINE", "EPINEPHRINE", "VASOPRESSIN", "PHENYLEPHRINE", "INTENSIVE CARE"),
)
# what is known to be something else than a drug whose name is like it
_OTHERS = ("SILTUXIMAB", "SARILUMAB", "EMAPALUMAB")
_ALIKE = 0.86
_TERM = {"CM": "CMTRT", "PR": "PRTRT", "HO": "HOTERM"}


def _care(context: Context, domain: str) -> pl.DataFrame:
    """Return the records of a domain that happened and are not known to be of before the infusion: `table` with WORD, CLASS and reasons."""
    raw = context.source.domains.get(domain)
    if raw is None or not raw.height or "ROW" not in raw.columns:
        return (
            context.table("DM")
            .clear()
            .with_columns(
                *(pl.lit(None, dtype=pl.String).alias(name) for name in ("WORD", "CLASS", *LIKE)), pl.lit(None, dtype=pl.Int64).alias("ROW")
            )
        )
    word = pl.coalesce(*(value_of(raw, f"{domain}{name}") for name in CARE_DOMAINS[domain]))
    told = raw.select(
        "ROW",
        word.alias("WORD"),
        care_class(raw, domain).alias("CLASS"),
        *(reason.alias(name) for name, reason in care_reason(raw, domain).items()),
    )
    frame = context.events(domain).join(told, on="ROW", how="inner", maintain_order="left")
    zero = context.day_zero.select(*SUBJECT, "AXIS", "ZERO")
    frame = frame.join(zero, on=[*SUBJECT, "AXIS"], how="left", maintain_order="left")
    return frame.filter(~(pl.col("LATE") < pl.col("ZERO")).fill_null(False))


def _unread(context: Context) -> Iterator[pl.DataFrame]:
    """Care that was given for a syndrome, or has almost the name of what is shown, and is in no class."""
    for domain, term in _TERM.items():
        rows = _care(context, domain).filter(pl.col("CLASS").is_null() & pl.col("WORD").is_not_null())
        if rows.is_empty():
            continue
        for name in LIKE:
            given = grouped(rows.filter(pl.col(name) == "yes"), "WORD")
            said = f"{{}} ({{}}) was given for {name} and is none of tocilizumab, corticosteroids, anakinra, vasopressors, intensive care."
            yield found(given, pl.format(said, "WORD", "COUNT"), domain=domain, variable=term)
        words = grouped(rows.filter(~pl.any_horizontal(pl.col(name) == "yes" for name in LIKE)), "WORD")
        near = pl.Series("NEAR", [_nearest(word) for word in words["WORD"]], dtype=pl.String)
        words = words.with_columns(near).filter(pl.col("NEAR").is_not_null())
        message = pl.format("'{}' ({}) is not read as a treatment of a toxicity; the nearest is {}.", "WORD", "COUNT", "NEAR")
        yield found(words, message, domain=domain, variable=term)


def _nearest(word: str) -> str | None:
    text = word.upper().strip()
    near = difflib.get_close_matches(text, (*_NAMES, *_OTHERS), n=1, cutoff=_ALIKE)
    return near[0] if near and near[0] in _NAMES else None


def _without_event(context: Context) -> Iterator[pl.DataFrame]:
    """Care for a syndrome of a subject who has no such event."""
    if "AE" not in context.source.domains:
        return
    ae = context.events("AE")
    for special in context.study.safety.special:
        if special.id not in LIKE:
            continue
        had = ae.filter(normalised(pl.col("AEDECOD")).is_in([term.upper() for term in special.terms])).select(*SUBJECT).unique()
        for domain, term in _TERM.items():
            rows = _care(context, domain).filter(pl.col(special.id) == "yes")
            if rows.is_empty():
                continue
            rows = rows.join(had, on=list(SUBJECT), how="anti", maintain_order="left")
            said = f"{{}} was given for {special.id}, and no such event of this subject is recorded."
            yield found(rows, pl.format(said, pl.col("WORD").fill_null("It")), domain=domain, variable=term)


def _stays(context: Context) -> Iterator[pl.DataFrame]:
    rows = _care(context, "HO").filter(pl.col("CLASS").is_null() & pl.col("WORD").is_not_null())
    message = pl.format("HOTERM '{}' ({}) is kept and no rule reads it; a stay that is shown is INTENSIVE CARE or ICU.", "WORD", "COUNT")
    yield found(grouped(rows, "WORD"), message, domain="HO", variable="HOTERM")


def _uncoded(context: Context) -> Iterator[pl.DataFrame]:
    """Events without a term that were collected under a word of special interest."""
    if "AE" not in context.source.domains:
        return
    ae = context.events("AE").filter(pl.col("AEDECOD").is_null() & pl.col("AETERM").is_not_null())
    for special in context.study.safety.special:
        word, terms = normalised(pl.col("AETERM")), [term.upper() for term in special.terms]
        like = word.is_in(terms) | word.str.contains(LIKE.get(special.id, "^\x00$"))
        said = "AETERM '{}' ({}) reads like {} and has no AEDECOD, so whether it was one is not known."
        message = pl.format(said, "AETERM", "COUNT", pl.lit(special.label))
        yield found(grouped(ae.filter(like), "AETERM"), message, domain="AE", variable="AEDECOD")


def _details(context: Context) -> pl.DataFrame:
    raw = context.source.domains.get("DD")
    if raw is None or not raw.height or "ROW" not in raw.columns:
        return context.table("DD").clear().with_columns(pl.lit(None, dtype=pl.Boolean).alias("SAYS"), pl.lit(None, pl.String).alias("WORD"))
    word = pl.coalesce(value_of(raw, "DDSTRESC"), value_of(raw, "DDORRES"))
    told = raw.select("ROW", says_cause(raw).alias("SAYS"), word.alias("WORD"), value_of(raw, "DDTEST").alias("TEST_NAME"))
    return context.events("DD").join(told, on="ROW", how="inner", maintain_order="left")


def _cause_test(context: Context) -> Iterator[pl.DataFrame]:
    dd = _details(context)
    if dd.is_empty():
        return
    asked = normalised(pl.concat_str("DDTESTCD", "TEST_NAME", separator=" ", ignore_nulls=True))
    like = (asked.str.contains(r"CAUS|REASON|PRC|DTH") & ~asked.str.contains("SEC|CONTRIB")).fill_null(False) | pl.col("DDTESTCD").is_null()
    rows = dd.filter(~pl.col("SAYS") & like & pl.col("WORD").is_not_null())
    rows = rows.with_columns(pl.col("DDTESTCD").fill_null("blank"))
    message = pl.format(
        "DDTESTCD {} ({}) may tell the cause of a death, and no rule reads it; the cause is under PRCDTH.", "DDTESTCD", "COUNT"
    )
    yield found(grouped(rows, "DDTESTCD"), message, domain="DD", variable="DDTESTCD")


def _cause_word(context: Context) -> Iterator[pl.DataFrame]:
    dd = _details(context)
    if dd.is_empty():
        return
    cause = cause_of(pl.col("WORD"))
    rows = dd.filter(pl.col("SAYS") & pl.col("WORD").is_not_null() & ~cause.is_in(list(CAUSES)).fill_null(True))
    message = pl.format("The cause of death '{}' ({}) is in no list and is shown as it stands.", "WORD", "COUNT")
    yield found(grouped(rows, "WORD"), message, domain="DD", variable="DDSTRESC")


HARM_RULES = (
    CheckRule("care-unread", "warning", "CM, PR, HO", "What was given for a toxicity, or almost has its name, is shown.", _unread),
    CheckRule(
        "care-without-event",
        "warning",
        "CM: CMINDC, CMCAT",
        "Who was treated for cytokine release or ICANS has such an event.",
        _without_event,
    ),
    CheckRule("event-uncoded", "warning", "AE: AETERM, AEDECOD", "Events that read like one of special interest are coded.", _uncoded),
    CheckRule("cause-unread", "warning", "DD: DDTESTCD", "The cause of a death is under its test.", _cause_test),
    CheckRule("cause-other", "note", "DD: DDSTRESC", "Causes of death that are in no list are shown as they stand.", _cause_word),
    CheckRule("stay-other", "note", "HO: HOTERM", "Stays that are none in intensive care are listed.", _stays),
)
