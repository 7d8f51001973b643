"""What was given for cytokine release and neurotoxicity? Drugs and intensive care, of those who had the event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.safety.shares import not_recorded
from cartrial.analysis.wording import PROPORTION
from cartrial.sdtm.records.codes import CARE as SIMULATED
from cartrial.sdtm.vocabulary.harm.care import CARE, CARE_DOMAINS, care_class, care_reason
from cartrial.sdtm.vocabulary.harm.events import LIKE
from cartrial.sdtm.vocabulary.occurrence import occurrence
from cartrial.sdtm.vocabulary.terms import canonical, value_of

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records

__all__ = ["care_given", "care_rows"]

_SCHEMA = {"TRIAL": pl.Int32, "SUBJ": pl.Int32, "CLASS": pl.String, "ANSWER": pl.String, "FROM": pl.Int32, "TO": pl.Int32}
_SCHEMA |= {"STOP": pl.Int32, "STAY": pl.Boolean, "ASKED": pl.Boolean, **dict.fromkeys(LIKE, pl.String)}
# categories of medication that is none for a toxicity
_OTHER = ["SUBSEQUENT ANTICANCER THERAPY", "BRIDGING THERAPY", "CONDITIONING", "INTRATHECAL PROPHYLAXIS", "GROWTH FACTOR"]
_FAR = 10**6


def care_given(records: Records) -> pl.DataFrame:
    """Return the records of care for toxicities, of the infused, that can be of day 0 or later and of no day after the cutoff.

    Parameters
    ----------
    records : Records
        `subjects` (SUBJ, TRIAL, DAY0, CUTOFF) and, in `extra`, CM, PR and HO with DAY, DAYX, ENDDAY, ENDDAYX.

    Returns
    -------
    polars.DataFrame
        TRIAL, SUBJ, CLASS (of `CARE`), ANSWER (Y given, N asked for and not given, U not known), FROM and TO (the first and the last day on
        which it can have begun, from day 0), STOP (the last on which it can have ended), STAY (whether it is a stay), ASKED (whether it
        was asked for beforehand), and for each of `LIKE` whether it was given for it: yes, no, or day where the date must tell.
    """
    who = records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select("SUBJ", "TRIAL", "DAY0", "CUTOFF")
    parts = [pl.DataFrame(schema=_SCHEMA)]
    for domain in CARE_DOMAINS:
        frame = records.extra.get(domain, records.extra.get(SIMULATED) if domain == "CM" else None)
        if frame is None or not {"SUBJ", "DAY", "DAYX", "ENDDAYX"} <= set(frame.columns):
            continue
        category = canonical(value_of(frame, f"{domain}CAT"), "CMCAT")
        named = frame.with_columns(care_class(frame, domain).alias("CLASS"), occurrence(frame, domain).alias("ANSWER"))
        named = named.with_columns(*(reason.alias(name) for name, reason in care_reason(frame, domain).items()))
        named = named.filter(pl.col("CLASS").is_not_null() & ~category.is_in(_OTHER).fill_null(False)).join(who, on="SUBJ", how="inner")
        early = (pl.col("DAYX") < pl.col("DAY0")) & ~(pl.lit(domain == "HO") & (pl.col("ENDDAYX") >= pl.col("DAY0")).fill_null(True))
        named = named.filter(~early.fill_null(False) & ~(pl.col("DAY") > pl.col("CUTOFF")).fill_null(False))
        days = {"FROM": "DAY", "TO": "DAYX", "STOP": "ENDDAYX"}
        parts.append(
            named.select(
                *("TRIAL", "SUBJ", "CLASS", "ANSWER"),
                *((pl.col(day) - pl.col("DAY0")).cast(pl.Int32).alias(name) for name, day in days.items()),
                pl.lit(domain == "HO").alias("STAY"),
                (canonical(value_of(named, f"{domain}PRESP"), "NY") == "Y").fill_null(False).alias("ASKED"),
                *LIKE,
            )
        )
    return pl.concat(parts)


def _on_day() -> pl.Expr:
    """Whether care that names no reason was given while an event lasted: Y, N, or U where its day or the event's end is not known.

    Of one of the events (BEGAN, ENDED, OPEN). A drug counts by the day on which it was begun, a stay by any of its days.
    """
    start = pl.col("BEGAN")
    until = pl.col("ENDED").fill_null(_FAR)
    first, last = pl.col("FROM"), pl.col("TO")
    # of a stay without an end that began before nobody can say whether it was over
    stop = pl.when(pl.col("STAY")).then("STOP").otherwise(last)
    outside = (first > until).fill_null(False) | (stop < start).fill_null(False)
    begun = first >= start
    inside = (last <= until) & pl.when(pl.col("STAY")).then(begun.fill_null(False) | (stop >= start).fill_null(False)).otherwise(begun)
    unsure = pl.when(outside.fill_null(False)).then(pl.lit("N")).otherwise(pl.lit("U"))
    return pl.when(inside.fill_null(False) & ~pl.col("OPEN")).then(pl.lit("Y")).otherwise(unsure)


def care_rows(spans: pl.DataFrame, records: Records, labels: dict[str, str]) -> list[pl.DataFrame]:
    """Rows on what was given for events of special interest.

    Parameters
    ----------
    spans : polars.DataFrame
        Of `spans_of`: who had which event, from when to when.
    records : Records
    labels : dict of str to str
        Key columns that are the same in every row.

    Returns
    -------
    list of polars.DataFrame
        `by` treatment, `level` the class of care: n (given for it), N (subjects with the event), rate; by_date, of how many of n the day
        alone tells (their records name no reason), and unknown, of how many without it the records do not tell, where there are any. A
        class of which a trial has neither a record nor a denial is not recorded.
    """
    spans = spans.filter(pl.col("endpoint").is_in(list(LIKE)))
    if spans.is_empty():
        return []
    given = care_given(records)
    frames = []
    for (name,), of in spans.group_by("endpoint", maintain_order=True):
        found = _counts(given, of, str(name), records)
        key = {"endpoint": str(name), "by": "treatment", **labels}
        known = found.filter(pl.col("n").is_not_null())
        frames.append(build_rows(known, {"n": "", "N": "", "rate": PROPORTION}, **key))
        frames.extend(build_rows(known.filter(pl.col(more) > 0), (more,), **key) for more in ("by_date", "unknown"))
        frames.append(not_recorded(build_rows(found.filter(pl.col("n").is_null()), {"n": "", "N": "", "rate": PROPORTION}, **key)))
    return frames


def _counts(given: pl.DataFrame, spans: pl.DataFrame, name: str, records: Records) -> pl.DataFrame:
    """Return, by trial and class: n, N, rate, by_date, unknown; null where the class is not recorded."""
    # one row for each event: what was given between two of them, long apart, was given for neither
    here = given.join(spans.select("TRIAL", "SUBJ", "EVENTS"), on=["TRIAL", "SUBJ"], how="inner").explode("EVENTS").unnest("EVENTS")
    answer = pl.col("ANSWER")
    told = pl.when(pl.col(name) == "day").then(_on_day()).when(pl.col(name) == "yes").then(pl.lit("Y")).otherwise(pl.lit("N"))
    told = pl.when((answer == "N") | (told == "N")).then(pl.lit("N")).when(answer == "U").then(pl.lit("U")).otherwise(told)
    subject = (
        here.with_columns(told.alias("TOLD"))
        .group_by("TRIAL", "SUBJ", "CLASS")
        .agg(
            (pl.col("TOLD") == "Y").any().alias("YES"),
            ((pl.col("TOLD") == "Y") & (pl.col(name) == "yes")).any().alias("SAID"),
            (pl.col("TOLD") == "U").any().alias("OPEN"),
        )
    )
    subject = pl.concat([subject, _not_asked(given, spans, subject)])
    counted = subject.group_by("TRIAL", "CLASS").agg(
        pl.col("YES").sum().cast(pl.Int64).alias("n"),
        (pl.col("YES") & ~pl.col("SAID")).sum().cast(pl.Int64).alias("by_date"),
        (pl.col("OPEN") & ~pl.col("YES")).sum().cast(pl.Int64).alias("unknown"),
    )
    totals = spans.group_by("TRIAL").agg(pl.len().cast(pl.Int64).alias("N"))
    grid = totals.join(pl.DataFrame({"CLASS": list(CARE)}).with_row_index("PLACE"), how="cross")
    grid = grid.join(_recorded(given, totals, records), on=["TRIAL", "CLASS"], how="left")
    found = grid.join(counted, on=["TRIAL", "CLASS"], how="left")
    known = pl.col("RECORDED").fill_null(False) & (pl.col("unknown").fill_null(0) < pl.col("N"))
    found = found.with_columns(pl.when(known).then(pl.col(item).fill_null(0)).alias(item) for item in ("n", "by_date", "unknown"))
    return found.with_columns(rate=pl.col("n") / pl.col("N")).sort("TRIAL", "PLACE").rename({"TRIAL": "trial", "CLASS": "level"})


def _not_asked(given: pl.DataFrame, spans: pl.DataFrame, subject: pl.DataFrame) -> pl.DataFrame:
    """Return the subjects with the event and without an answer, where all that a trial has of a class are answers (rules, A5)."""
    asked = given.group_by("TRIAL", "CLASS").agg(pl.col("ASKED").all()).filter("ASKED").select("TRIAL", "CLASS")
    silent = spans.select("TRIAL", "SUBJ").join(asked, on="TRIAL").join(given, on=["TRIAL", "SUBJ", "CLASS"], how="anti")
    no, yes = pl.lit(False), pl.lit(True)
    return silent.select("TRIAL", "SUBJ", "CLASS", no.alias("YES"), no.alias("SAID"), yes.alias("OPEN")).cast(subject.schema)


def _recorded(given: pl.DataFrame, totals: pl.DataFrame, records: Records) -> pl.DataFrame:
    """Return the trials and classes that a source records: by its declaration, or because it has a record or a denial of one."""
    if records.recorded.shared and any(domain in records.extra for domain in (*CARE_DOMAINS, SIMULATED)):
        declared = pl.DataFrame({"CLASS": [name for name in CARE if name not in records.recorded.absent]}, schema={"CLASS": pl.String})
        return totals.select("TRIAL").join(declared, how="cross").with_columns(RECORDED=pl.lit(True))
    return given.filter(pl.col("ANSWER") != "U").select("TRIAL", "CLASS").unique().with_columns(RECORDED=pl.lit(True))
