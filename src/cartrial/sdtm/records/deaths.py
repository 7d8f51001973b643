"""When did each subject die? One date from all the sources of it."""

from __future__ import annotations

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.source import Source
from cartrial.sdtm.vocabulary.dates import choose_date
from cartrial.sdtm.vocabulary.terms import canonical, value_of

__all__ = ["table_deaths"]

# before any day: the details of a death say only by when the subject had died
_EVER = -(10**6)


def table_deaths(days: dict[str, pl.DataFrame], subjects: pl.DataFrame, source: Source) -> pl.DataFrame:
    """One row by subject that died: of the sources in the order DM, DS, DD, AE, SS the first date, or a more exact one within it.

    AE dates a death by the end of the event alone. DD tells the latest possible day: it bounds a date that is partial, and where no other
    source has a date the death lies between the first day of the subject and that day.

    Parameters
    ----------
    days : dict of str to polars.DataFrame
        Domains with SUBJ, DAY, DAYX, ENDDAY, ENDDAYX and SEQ, without what did not happen.
    subjects : polars.DataFrame
        SUBJ, USUBJID, DAY0, ENROLLED, CONSENT.
    source : Source
        For messages.

    Raises
    ------
    InputError
        If a death has no date in any source.
    """
    found = [
        frame.filter(_died(frame, domain)).select(
            "SUBJ",
            pl.col("ENDDAY" if domain == "AE" else "DAY").alias("DAY"),
            pl.col("ENDDAYX" if domain == "AE" else "DAYX").alias("DAYX"),
            "SEQ",
            pl.lit(domain).alias("SRCDOM"),
            pl.lit(variable).alias("SRCVAR"),
            pl.lit(rank).alias("RANK"),
        )
        for rank, (domain, variable) in enumerate(_SOURCES)
        if (frame := days.get(domain)) is not None
    ]
    everything = pl.concat(found)
    without = everything.group_by("SUBJ").agg(pl.col("DAY").is_not_null().any().alias("KNOWN")).filter(~pl.col("KNOWN")).sort("SUBJ")
    if not without.is_empty():
        subject = subjects["USUBJID"][without["SUBJ"][0]]
        raise InputError(
            f"subject {subject} died, and no source has a date of death",
            file=source.file_of("DM"),
            key="DTHDTC",
            right="Give the date, at least its year, in DM, DS, DD, AE (end of the event) or SS",
        )
    details = pl.col("SRCDOM") == "DD"
    # no record after the cutoff makes a date before it more exact
    within = (pl.col("DAY") <= pl.col("CUTOFF")).fill_null(True)
    dated = everything.filter(pl.col("DAYX").is_not_null()).join(
        subjects.select("SUBJ", "CUTOFF"), on="SUBJ", how="left", maintain_order="left"
    )
    dated = dated.filter(within | ~within.any().over("SUBJ")).drop("CUTOFF")
    latest = dated.filter(details).group_by("SUBJ").agg(pl.col("DAYX").min().alias("KNOWN"))
    open_start = dated.with_columns(pl.when(details).then(_EVER).otherwise("DAY").cast(pl.Int32).alias("DAY"))
    chosen = choose_date(open_start, ["SUBJ"], ["RANK", "DAY", "SEQ"], ("DAY", "DAYX"))
    first = subjects.select("SUBJ", pl.coalesce("DAY0", "ENROLLED", "CONSENT").alias("START"))
    chosen = chosen.join(latest, on="SUBJ", how="left", maintain_order="left").join(first, on="SUBJ", how="left", maintain_order="left")
    start = pl.when(details).then(pl.min_horizontal(pl.coalesce("START", "DAYX"), "DAYX")).otherwise("DAY")
    bound = pl.when(pl.col("KNOWN") >= pl.col("DAY")).then(pl.min_horizontal("DAYX", "KNOWN")).otherwise("DAYX")
    return chosen.select("SUBJ", start.cast(pl.Int32).alias("DAY"), bound.cast(pl.Int32).alias("DAYX"), "SRCDOM", "SRCVAR", "SEQ")


_SOURCES = (("DM", "DTHDTC"), ("DS", "DSSTDTC"), ("DD", "DDDTC"), ("AE", "AEENDTC"), ("SS", "SSDTC"))


def _died(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Whether a record tells of a death. Details of a death (DD) stand only where a subject died."""

    def says(variable: str, term: str, codes: str = "") -> pl.Expr:
        return (canonical(value_of(frame, variable), codes or variable) == term).fill_null(False)

    return {
        "DM": says("DTHFL", "Y") | value_of(frame, "DTHDTC").is_not_null() | value_of(frame, "DTHDY", pl.Float64).is_not_null(),
        "DS": says("DSDECOD", "DEATH"),
        "DD": pl.lit(True),
        "AE": says("AEOUT", "FATAL") | says("AESDTH", "Y", "NY") | says("AETOXGR", "5"),
        "SS": says("SSSTRESC", "DEAD") & (canonical(value_of(frame, "SSTESTCD"), "SSTESTCD").fill_null("SURVSTAT") == "SURVSTAT"),
    }[domain]
