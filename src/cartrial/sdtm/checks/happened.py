"""Did what is recorded happen, and does each record say what it is of? What was asked, denied, planned, not done, or left blank."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.vocabulary.occurrence import ANSWERS
from cartrial.sdtm.vocabulary.terms import CODE_LISTS, canonical, value_of

__all__ = ["HAPPENED_RULES"]

# Domains whose records a rule reads as events, exposures, procedures or therapies.
_EVENTS = ("EX", "PR", "CM", "DS", "AE", "HO", "DV")
_FINDINGS = ("RS", "FA", "SS", "DD")
# Of findings, the records that a rule reads; of others no word can change a value.
_READ = {
    "RS": pl.col("CALL"),
    "FA": pl.col("FAOBJ").fill_null("EXTRAMEDULLARY DISEASE").is_in(list(CODE_LISTS["FAOBJ"].terms)),
    "SS": pl.col("SSTESTCD").fill_null("SURVSTAT") == "SURVSTAT",
}


def _asked(context: Context, answer: str, domains: tuple[str, ...]) -> Iterator[tuple[str, pl.DataFrame]]:
    for name in domains:
        raw = context.source.domains.get(name)
        if raw is not None and raw.height and set(SUBJECT) <= set(raw.columns):
            such = context.answer(name) == answer
            rows = raw.filter(such) if such.any() else raw.clear()
            yield name, _placed(context, name, rows.select("USUBJID", "ROW"))


def _placed(context: Context, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.lit(context.source.file_of(name), dtype=pl.String).alias("FILE"), pl.lit(name).alias("DOMAIN"))


def _denied(context: Context) -> Iterator[pl.DataFrame]:
    for name, rows in _asked(context, "U", _FINDINGS):
        message = pl.format(f"{{}} of {name} not done; no rule reads them as assessments.", "COUNT")
        yield found(grouped(rows, "DOMAIN"), message, domain=name, variable=f"{name}STAT")
    for name, rows in _asked(context, "N", _EVENTS):
        said = f"{{}} of {name} did not happen ({name}OCCUR N, a dose of 0, planned only, or called none); no rule reads them as events."
        message = pl.format(said, "COUNT")
        yield found(grouped(rows, "DOMAIN"), message, domain=name, variable=f"{name}OCCUR")


def _unanswered(context: Context) -> Iterator[pl.DataFrame]:
    for name, rows in _asked(context, "U", _EVENTS):
        why = f"{name}OCCUR blank or U, {name}STAT NOT DONE, or what it is of said as N/A"
        message = f"Whether this happened was asked and is not known ({why}); no rule reads it as an event."
        yield found(rows, message, domain=name, variable=f"{name}OCCUR")


def _answers(context: Context, *, read: bool) -> Iterator[pl.DataFrame]:
    """Words of --OCCUR, --STAT and --MOOD that are in no list, of records that a rule reads, or of those that none reads."""
    for name in (*_EVENTS, *_FINDINGS, "LB", "MH"):
        raw = context.source.domains.get(name)
        if raw is None or not {"ROW", "USUBJID"} <= set(raw.columns):
            continue
        for part, (codes, right) in ANSWERS.items():
            variable = f"{name}{part}"
            if variable not in raw.columns or (name == "LB" and part != "STAT"):
                continue
            word = value_of(raw, variable).str.normalize("NFKC").str.strip_chars()
            rows = raw.select("USUBJID", "ROW", pl.when(word != "").then(word).alias("WORD"))
            rows = rows.filter(pl.col("WORD").is_not_null() & canonical(pl.col("WORD"), codes).is_null())
            if rows.height:
                rows = _placed(context, name, rows.join(_rows_read(context, name), on="ROW", how="semi" if read else "anti"))
                message = pl.format(f"{variable} is '{{}}' ({{}}), so whether this happened is not known; {right}.", "WORD", "COUNT")
                yield found(grouped(rows, "WORD"), message, domain=name, variable=variable)


def _rows_read(context: Context, name: str) -> pl.DataFrame:
    """Return the rows of a domain whose records a rule reads."""
    if name == "LB":
        return context.laboratory.filter(pl.col("READ") & pl.col("TEST").is_in(context.tests)).select("ROW")
    if name == "MH":
        return context.source.domains[name].clear().select("ROW")
    return context.table(name).filter(_READ.get(name, pl.lit(True)).fill_null(False)).select("ROW")


def _unknown_answer(context: Context) -> Iterator[pl.DataFrame]:
    yield from _answers(context, read=True)


def _doubtful_answer(context: Context) -> Iterator[pl.DataFrame]:
    yield from _answers(context, read=False)


_BLANK = {
    "PRTRT": "that none of them is a transplant, its conditioning or a leukapheresis is not known",
    "DSDECOD": "that none of them is a consent, an enrolment, a withdrawal, a loss or a death is not known",
    "AEDECOD": "that none of them is a cytokine release syndrome or a neurotoxicity is not known; they count as adverse events",
    "FAOBJ": "that none of them is of extramedullary disease is not known, and no rule reads them",
    "FATESTCD": "they are read as whether it occurred",
    "SSTESTCD": "they are read as survival status",
    "LBTESTCD": "no rule reads them",
    "HOTERM": "that none of them is a stay in intensive care is not known",
    "DVTERM": "they are counted as deviations of no kind",
}
# what says the same where that is blank
_BESIDE = {"HOTERM": "HODECOD", "DVTERM": "DVDECOD"}


def _blank_term(context: Context) -> Iterator[pl.DataFrame]:
    for name, what in _BLANK.items():
        domain = name[:2]
        if domain in context.source.domains:
            silent = pl.all_horizontal(pl.col(each).is_null() for each in (name, *_BESIDE.get(name, "").split()))
            blank = grouped(context.events(domain).filter(silent), "DOMAIN")
            message = pl.format(f"{name} is blank ({{}}), so what the record is of is not said: {what}.", "COUNT")
            yield found(blank, message, domain=domain, variable=name)


def _blank_treatment(context: Context) -> Iterator[pl.DataFrame]:
    blank = context.events("EX").filter(pl.col("EXTRT").is_null())
    message = "EXTRT is blank, so whether this was the product is not known; it says what was given."
    yield found(blank, message, domain="EX", variable="EXTRT")


HAPPENED_RULES = (
    CheckRule(
        "occurrence-invalid",
        "stop",
        "--OCCUR, --STAT, --MOOD",
        "Whether what a rule reads happened is Y, N or U, DONE or NOT DONE, PERFORMED or SCHEDULED.",
        _unknown_answer,
    ),
    CheckRule("treatment-missing", "stop", "EX: EXTRT", "A record of exposure says what was given.", _blank_treatment),
    CheckRule("occurrence-unknown", "warning", "--OCCUR, --PRESP, --STAT", "What was asked was answered.", _unanswered),
    CheckRule(
        "occurrence-doubtful",
        "warning",
        "--OCCUR, --STAT, --MOOD",
        "The same of records that decide no endpoint, such as medical history.",
        _doubtful_answer,
    ),
    CheckRule("term-missing", "warning", ", ".join(_BLANK), "A record says what it is of.", _blank_term),
    CheckRule("not-happened", "note", "--OCCUR, --STAT, dose, terms", "Records of what did not happen are counted.", _denied),
)
