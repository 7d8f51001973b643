"""Did a record happen? What was asked and denied, not done, planned, or given as a dose of 0 is no event, exposure, procedure or therapy.

SDTM Implementation Guide 3.3: --OCCUR and --PRESP (section 4.2.7), --STAT (4.5.2); --MOOD of planned records (6.1).
"""

from __future__ import annotations

import polars as pl

from cartrial.sdtm.vocabulary.terms import canonical, value_of

__all__ = ["happened", "occurrence"]

# AE holds what occurred: there a question asked beforehand (AEPRESP) needs no answer beside the record.
_ANSWERED_BY_RECORD = ("AE",)


def occurrence(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Say of each record of a domain whether what it tells of happened: Y, N, or U where that was asked and is not known.

    N: --OCCUR is N in any spelling, a dose of 0, or a record that was only planned. U: --OCCUR is U or a word that means neither, it is
    blank although the question was asked (--PRESP is Y), or --STAT is NOT DONE.
    """
    word = value_of(frame, f"{domain}OCCUR").str.strip_chars()
    word = pl.when(word != "").then(word)
    answer = canonical(word, "NY")
    asked = (canonical(value_of(frame, f"{domain}PRESP"), "NY") == "Y").fill_null(False)
    unanswered = asked & word.is_null() if f"{domain}OCCUR" in frame.columns and domain not in _ANSWERED_BY_RECORD else pl.lit(False)
    dose = pl.coalesce(
        value_of(frame, f"{domain}DOSE", pl.Float64) == 0, value_of(frame, f"{domain}DOSTXT").str.contains(r"^\s*0+(\.0*)?(\s|$)")
    )
    planned = (value_of(frame, f"{domain}MOOD").str.to_uppercase() == "SCHEDULED").fill_null(False)
    not_done = canonical(value_of(frame, f"{domain}STAT"), "STAT").is_not_null()
    unknown = not_done | unanswered | (word.is_not_null() & ~answer.is_in(["Y", "N"]).fill_null(False))
    return (
        pl.when((answer == "N").fill_null(False) | dose.fill_null(False) | planned)
        .then(pl.lit("N"))
        .when(unknown)
        .then(pl.lit("U"))
        .otherwise(pl.lit("Y"))
    )


def happened(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Say of each record of a domain whether a rule may read it as something that happened."""
    return occurrence(frame, domain) == "Y"
