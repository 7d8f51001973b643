"""What is doubtful in the readings? Findings that need statuses and endpoints, not records alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.endpoints.course import recorded_free
from cartrial.endpoints.derive import STRADDLING, Adam
from cartrial.endpoints.sets.adresp import AFTER_DEATH
from cartrial.endpoints.sets.baseline import dose_of
from cartrial.endpoints.sets.dose import OUTSIDE
from cartrial.response.codes import (
    ADJUDICATED,
    ADJUDICATION_IGNORED,
    AFTER_RELAPSE,
    COMMITTEE_CALL,
    COUNTS_MISSING,
    PENDING,
    RELAPSE_DATES_DIFFER,
)
from cartrial.response.flags import FLAGS, flag_words
from cartrial.response.modality_kernel import PAIRED_DAYS
from cartrial.response.pairs_kernel import PAIR_DAYS
from cartrial.sdtm.source import FINDINGS_SCHEMA, finding, findings_frame
from cartrial.study.criteria.codes import CR, CRI, RESPONSES, statuses_of, words_of
from cartrial.study.criteria.families import RULE_EVENT

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["ENDPOINT_RULES", "check_endpoints"]

_ASKING = (
    ("pending", "reading-pending", "warning", "is pending: the readers disagree without an adjudication, or one has not read"),
    (
        "by a reader, not adjudicated",
        "{event}-unadjudicated",
        "warning",
        "is a {ended} by a reader that is not adjudicated: pending, no event for the committee, and later agreed reads count",
    ),
)
"""What asks a reader or the adjudicator to act."""

_FLAGGED = (
    ("adjudication ignored", "adjudication-ignored", "note", "was adjudicated although the readers agree; the adjudication is ignored"),
    (
        "RELAPSE without an earlier remission",
        "relapse-without-remission",
        "warning",
        "is read as RELAPSE without an earlier remission; it is taken as NR",
    ),
    ("NR or PD after remission", "nr-after-remission", "warning", "is read as NR or PD after a remission; it is taken as RELAPSE"),
)

ENDPOINT_RULES: tuple[tuple[str, str, str], ...] = (
    ("call-against-lab", "warning", "A reader's call is not contradicted by the laboratory values under the criteria."),
    ("reading-pending", "warning", "The readers agree, or an adjudicator has decided, while that can still change a value."),
    ("relapse-unadjudicated", "warning", "A relapse that one reader sees is agreed or adjudicated."),
    ("progression-unadjudicated", "warning", "A progression that one reader sees, of lymphoma, is agreed or adjudicated."),
    ("event-dates-apart", "warning", "The dates on which two readers see the event of the disease lie within 14 days, or are adjudicated."),
    ("relapse-without-remission", "warning", "A relapse follows a remission of the same reader."),
    ("nr-after-remission", "warning", "A reader does not call NR or PD after a remission."),
    ("informative-censoring", "warning", "No new therapy stands between a relapse by the investigator and one by the committee."),
    ("dose-outside", "warning", "The dose of the product is in the range that the study file has for the weight."),
    ("weight-missing", "warning", "Where the range of doses asks for a weight, one was taken before lymphodepletion."),
    ("infusion-again", "warning", "A product that is given again soon is no fraction of one dose, or the study file says so."),
    ("date-across-cutoff", "warning", "No partial date may lie on either side of the cutoff and change an endpoint."),
    ("not-recorded", "warning", "The source has what an endpoint or a characteristic needs; where it has not, no value is given."),
    ("not-derived", "warning", "Every endpoint can be derived from what the source records."),
    (
        "relapse-free-contradicts",
        "warning",
        "A date last known free of relapse is neither before the response nor after relapse or last contact.",
    ),
    (
        "response-undated",
        "warning",
        "A response or a relapse has a whole date; in a form of best responses each infused subject has one.",
    ),
    ("not-read", "warning or note", "The reader of an endpoint has read every subject that another source has an assessment of."),
    ("emd-not-recorded", "warning", "Extramedullary disease is recorded where statuses come from the laboratory values."),
    ("domain-not-recorded", "warning or note", "The domains that an endpoint uses have records, and these say what they are of."),
    ("reader-not-evaluable", "warning", "Not every call of a reader is NE."),
    ("population-empty", "warning", "Somebody is in the population of each endpoint and variant."),
    ("mrd-not-evaluable", "warning or note", "The residual disease of those in remission is evaluable."),
    ("occurrence-assumed", "warning", "What was asked for beforehand has an answer."),
    ("adjudication-unused", "warning", "An adjudication belongs to a pair of reads."),
    ("adjudication-ignored", "note", "An adjudication stands where the readers disagree."),
)
"""What statuses and endpoints can show: id, severity, what it says."""

SPLIT_DAYS = 14


def check_endpoints(study: Study, adam: Adam, records: Records | None = None) -> pl.DataFrame:
    """Return what is doubtful in the readings.

    Parameters
    ----------
    study : Study
    adam : Adam
    records : Records, optional
        For what stands in no ADaM set: infusions that may be fractions of one dose, doses out of range.

    Returns
    -------
    polars.DataFrame
        Findings: a reader's call that the laboratory values contradict, readings that are pending while an answer can still change
        something, a reader's relapse that is not adjudicated, adjudications that are ignored, calls that their sequence contradicts,
        relapse by the investigator followed by new therapy before any relapse by the committee, endpoints that an imputed date could
        change.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study, derive
    >>> from cartrial.endpoints import check_endpoints
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01"], "ROW": [2]}
    >>> ex = {"EXSEQ": [1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["RELAPSE"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> study = Study.load("inaticel")
    >>> check_endpoints(study, derive(study, source)).filter(RULE="relapse-without-remission")["MESSAGE"].to_list()
    ['The assessment of day 90 by IRC is read as RELAPSE without an earlier remission; it is taken as NR.']
    """
    reads = adam.adresp.filter(pl.col("CARDAY") > 0) if not adam.adresp.is_empty() else adam.adresp
    asked = _open(study, reads)
    frames = [
        _against_lab(study, asked),
        *(_flagged(study, asked, *rule) for rule in _ASKING),
        *(_flagged(study, reads, *rule) for rule in _FLAGGED),
        _apart(study, asked),
        _unused(reads),
        _informative(study, adam),
        _imputed(adam),
    ]
    frames.append(_told(adam))
    if records is not None:
        frames += [_fractions(study, records), _doses(study, records)]
        frames.append(_free_of_relapse(study, records))
    return pl.concat([frame.select(pl.col(name).cast(dtype) for name, dtype in FINDINGS_SCHEMA.items()) for frame in frames])


def _finding(rule: str, severity: str, variable: str, message: pl.Expr, domain: pl.Expr) -> list[pl.Expr]:
    return [
        *(
            pl.lit(None, dtype=pl.String).alias("FILE"),
            pl.lit(None, dtype=pl.Int64).alias("ROW"),
            domain.alias("DOMAIN"),
            pl.col("USUBJID"),
        ),
        *(pl.lit(variable).alias("VARIABLE"), pl.lit(rule).alias("RULE"), pl.lit(severity).alias("SEVERITY"), message.alias("MESSAGE")),
    ]


def _open(study: Study, reads: pl.DataFrame) -> pl.DataFrame:
    """Leave out what no answer can change: the committee's reads after its own relapse, which is final, and reads after the death."""
    flag = flag_words(study.disease.family)[AFTER_RELAPSE]
    after = pl.col("FLAGS").str.contains(flag, literal=True).fill_null(False) & (pl.col("READER") == "IRC")
    return reads.filter(~after & pl.col("REASON").ne_missing(AFTER_DEATH))


def _apart(study: Study, reads: pl.DataFrame) -> pl.DataFrame:
    """Both readers see the event of the disease, on dates that are too far apart to be one, and nobody decided."""
    names, words = study.disease.family.names, flag_words(study.disease.family)
    said = [pl.col("FLAGS").str.contains(words[bit], literal=True).fill_null(False) for bit in (PENDING, RELAPSE_DATES_DIFFER)]
    found = reads.filter(said[0] & said[1] & (pl.col("READER") == "IRC"))
    what = (
        f"By day {{}} both readers have called {names.ended}, on dates more than 14 days apart, and no adjudicator said which: the "
        f"committee has no {names.event}, and its times end at the last assessment agreed before."
    )
    return found.select(_finding("event-dates-apart", "warning", "RSSTRESC", pl.format(what, "CARDAY"), pl.lit("RS")))


def _unused(reads: pl.DataFrame) -> pl.DataFrame:
    """Reads of the adjudicator that belong to no pair: one reader has not read, or the dates are more than 7 days apart."""
    heard = pl.col("FLAGS").str.contains(f"{FLAGS[ADJUDICATED]}|{FLAGS[ADJUDICATION_IGNORED]}").fill_null(False)
    # a call of the committee's own, or a record that is accepted as it, stands for what is read within these days
    spoken = reads.filter((pl.col("READER") == "IRC") & pl.col("FLAGS").str.contains(FLAGS[COMMITTEE_CALL], literal=True).fill_null(False))
    asked = reads.filter(pl.col("READER") == "ADJUDICATOR").select("USUBJID", "SUBJ", "CARDAY").with_row_index("READ")
    near = asked.join(spoken.select("SUBJ", DAY="CARDAY"), on="SUBJ").filter((pl.col("CARDAY") - pl.col("DAY")).abs() <= PAIR_DAYS)
    answered = reads.filter((pl.col("READER") == "IRC") & heard).group_by("SUBJ").agg(pl.len().cast(pl.Int64).alias("HEARD"))
    each = (
        asked.join(near.select("READ").unique(), on="READ", how="anti")
        .group_by("USUBJID", "SUBJ")
        .agg(pl.len().cast(pl.Int64).alias("LEFT"))
        .join(answered, on="SUBJ", how="left")
        .with_columns(pl.col("LEFT") - pl.col("HEARD").fill_null(0))
        .filter(pl.col("LEFT") > 0)
        .sort("SUBJ")
    )
    message = pl.format("{} of the adjudicator's reads belong to no pair of reads within 7 days and decide nothing.", "LEFT")
    return each.select(_finding("adjudication-unused", "warning", "RSSTRESC", message, pl.lit("RS")))


def _against_lab(study: Study, reads: pl.DataFrame) -> pl.DataFrame:
    """A reader's call and the status from LB, of the same date, in different categories."""
    category = pl.col("AVALC").replace(study.disease.family.alike)
    known = reads.filter(pl.col("ADEQUATE") == "Y").with_columns(category.alias("CATEGORY"))
    lab = known.filter(pl.col("READER") == "LAB").select(
        "SUBJ", "CARDAY", pl.col("AVALC").alias("LABC"), pl.col("CATEGORY").alias("LABCAT"), pl.col("FLAGS").alias("LABFLAGS")
    )
    readers = known.filter(pl.col("READER").is_in(["INV", "IRC"]) & (pl.col("SRCDOM") == "RS"))
    # counts that are missing make no CR of a remission, and contradict none
    uncounted = pl.col("LABFLAGS").str.contains(FLAGS[COUNTS_MISSING], literal=True).fill_null(False)
    uncounted &= (pl.col("CATEGORY") == RESPONSES[CR]) & (pl.col("LABCAT") == RESPONSES[CRI])
    differ = _of_one_visit(study, readers, lab).filter((pl.col("CATEGORY") != pl.col("LABCAT")) & ~uncounted)
    of_what = study.disease.family.names.derived
    message = pl.format(
        f"{{}} says {{}} on day {{}}; the {of_what} under the criteria say {{}}. The reader's call is used.",
        "READER",
        "AVALC",
        "CARDAY",
        "LABC",
    )
    return differ.select(_finding("call-against-lab", "warning", "RSSTRESC", message, pl.lit("RS")))


def _of_one_visit(study: Study, readers: pl.DataFrame, derived: pl.DataFrame) -> pl.DataFrame:
    """Return calls with the status derived of their date; where it is of imaging, the nearest within the days of one visit."""
    if study.disease.imaging is None:
        return readers.join(derived, on=["SUBJ", "CARDAY"])
    gap = (pl.col("MADE") - pl.col("CARDAY")).abs()
    near = readers.join(derived.rename({"CARDAY": "MADE"}), on="SUBJ").with_columns(gap.alias("GAP")).filter(pl.col("GAP") <= PAIRED_DAYS)
    near = near.sort("GAP", "MADE", maintain_order=True).unique(["SUBJ", "READER", "CARDAY"], keep="first", maintain_order=True)
    return near.sort("SUBJ", "READER", "CARDAY")


def _flagged(study: Study, reads: pl.DataFrame, flag: str, rule: str, severity: str, words: str) -> pl.DataFrame:
    names = study.disease.family.names
    found = reads.filter(pl.col("FLAGS").str.contains(flag, literal=True).fill_null(False) & (pl.col("READER") != "LAB"))
    message = pl.format("The assessment of day {} by {} " + names.put(words) + ".", "CARDAY", "READER")
    return found.select(_finding(names.put(rule), severity, "RSSTRESC", message, pl.lit("RS")))


def _informative(study: Study, adam: Adam) -> pl.DataFrame:
    """Relapse by INV, then new therapy, before any relapse by IRC: censoring that is not independent."""
    relapse = (
        adam.adresp.filter(pl.col("AVALC").is_in(words_of(study.disease.family.roles.ends)) & pl.col("READER").is_in(["INV", "IRC"]))
        .group_by("SUBJ", "READER")
        .agg(pl.col("CARDAY").min())
    )
    event = study.disease.family.names.event
    inv = relapse.filter(pl.col("READER") == "INV").select("SUBJ", pl.col("CARDAY").alias("INVDY"))
    irc = relapse.filter(pl.col("READER") == "IRC").select("SUBJ", pl.col("CARDAY").alias("IRCDY"))
    read = adam.adresp.filter(pl.col("READER") == "IRC").select("SUBJ").unique()
    found = (
        adam.adsl.select("SUBJ", "USUBJID", "NEWDAY")
        .join(inv, on="SUBJ")
        .join(read, on="SUBJ", how="semi")
        .join(irc, on="SUBJ", how="left")
    )
    found = found.filter((pl.col("NEWDAY") >= pl.col("INVDY")) & (pl.col("IRCDY").is_null() | (pl.col("IRCDY") > pl.col("NEWDAY")))).sort(
        "SUBJ"
    )
    message = pl.format(
        f"The investigator saw a {event} on day {{}} and new therapy began on day {{}}, before any {event} by the committee: "
        "censoring there is informative.",
        "INVDY",
        "NEWDAY",
    )
    return found.select(_finding("informative-censoring", "warning", "RSSTRESC", message, pl.lit("RS")))


def _fractions(study: Study, records: Records) -> pl.DataFrame:
    """A product given again soon after day 0: perhaps a fraction of one dose, which the study file then has to say."""
    doses = records.doses.filter(pl.col("KIND") == "PRODUCT").join(records.subjects.select("SUBJ", "USUBJID", "DAY0"), on="SUBJ")
    after = (pl.col("DAY") - pl.col("DAY0")).alias("AFTER")
    soon = (
        doses.with_columns(after)
        .filter((pl.col("AFTER") > study.product.fraction_days) & (pl.col("AFTER") <= SPLIT_DAYS))
        .sort("SUBJ", "AFTER")
    )
    counted = "re-infusion" if study.product.re_infusion else "new therapy"
    message = pl.format(
        f"The product was given again on day {{}}: this counts as {counted}. "
        "If it is a fraction of one dose, product.fraction-days has to say so.",
        "AFTER",
    )
    return soon.select(_finding("infusion-again", "warning", "EXSTDTC", message, pl.lit("EX")))


def _doses(study: Study, records: Records) -> pl.DataFrame:
    """Doses outside the study's range, and subjects without the weight that it asks for."""
    if not study.product.dose_range or "USUBJID" not in records.subjects.columns:
        return findings_frame([])
    doses = dose_of(study, records).join(records.subjects.select("SUBJ", "USUBJID"), on="SUBJ").sort("SUBJ")
    cells, each, low, high = (_short(name) for name in ("CELLS", "DOSEKG", "LOW", "HIGH"))
    kilograms = pl.format("{} kg", _short("WEIGHT"))
    in_all = pl.concat_str([pl.format("{} cells", cells), kilograms], separator=", ", ignore_nulls=True)
    by_weight = pl.concat_str([pl.format("{} cells/kg", each), kilograms], separator=", ", ignore_nulls=True)
    asked = "; for this weight the study asks for {} to {} "
    total = pl.format("The dose is {} cells ({})" + asked + "cells.", cells, by_weight, low, high)
    per_kilogram = pl.format("The dose is {} cells/kg ({})" + asked + "cells/kg.", each, in_all, low, high)
    outside = doses.filter(pl.col("DOSERNG") == OUTSIDE)
    said = pl.when("TOTAL").then(total).otherwise(per_kilogram).str.replace(" ()", "", literal=True)
    frames = [outside.select(_finding("dose-outside", "warning", "EXDOSE", said, pl.lit("EX")))]
    missing = doses.filter(pl.col("WEIGHT").is_null() & pl.col("DOSERNG").is_null())
    if missing.height == doses.height > 1:
        missing = missing.head(1).with_columns(pl.lit(None, dtype=pl.String).alias("USUBJID"))
    words = "No weight was recorded before lymphodepletion; the dose for each kilogram is not computed, nor compared with the range."
    frames.append(missing.select(_finding("weight-missing", "warning", "VSSTRESN", pl.lit(words), pl.lit("VS"))))
    return pl.concat(frames)


def _short(name: str) -> pl.Expr:
    """Return a number to three digits, as people write it: 5.2e6, 50.1."""
    return pl.col(name).map_elements(_written, return_dtype=pl.String)


def _written(value: float) -> str:
    if value < 1e3:
        return f"{value:.3g}"
    head, power = f"{value:.2e}".split("e")
    return f"{float(head):g}e{int(power)}"


def _free_of_relapse(study: Study, records: Records) -> pl.DataFrame:
    """In a form of best responses: a date last known free of relapse (RLPSFREE) that other dates of the subject contradict."""
    if records.recorded.level != "events" or "USUBJID" not in records.subjects.columns:
        return findings_frame([])
    free = recorded_free(records).group_by("SUBJ").agg(pl.col("DAY").max().alias("FREE"))
    free = free.join(records.subjects.select("SUBJ", "USUBJID", "DAY0"), on="SUBJ")
    roles, event = study.disease.family.roles, study.disease.family.names.event
    calls, whole = records.calls, pl.col("DAY") == pl.col("DAYX")
    read = calls.filter(whole & pl.col("RESP").is_in(statuses_of(roles.responds))).group_by("SUBJ")
    responses = free.join(read.agg(pl.col("DAY").max(), pl.col("DAY").min().alias("FIRST")), on="SUBJ")
    relapses = free.join(calls.filter(pl.col("RESP").is_in(statuses_of(roles.ends))).select("SUBJ", "DAY", "DAYX"), on="SUBJ")
    relapses = relapses.join(responses.select("SUBJ", "FIRST"), on="SUBJ", how="left")
    contacts = free.join(records.survival.filter("ALIVE").group_by("SUBJ").agg(pl.col("DAYX").max().alias("DAY")), on="SUBJ")
    after, counts = pl.col("FREE") > pl.col("DAY"), (pl.col("FIRST") < pl.col("DAY")).fill_null(False)
    said = []
    for dates, wrong, words in (
        (responses, pl.col("FREE") < pl.col("DAY"), "before the response of day {}: it says nothing of the time after it"),
        (relapses, after & whole & counts, "after the relapse of day {}: the relapse counts"),
        (
            relapses,
            after & whole & ~counts,
            "after the relapse of day {}, which no remission precedes: it is NR and does not count",
        ),
        (
            relapses,
            (pl.col("FREE") >= pl.col("DAY")) & ~whole,
            "not before day {}, the earliest day of the relapse: that is not known to the day, and the date free of it is not used",
        ),
        (contacts, after, "after the last contact, day {}: the subject was known alive on the later day, unless one of the two is wrong"),
    ):
        days = [(pl.col(name) - pl.col("DAY0")).alias(f"{name}_SAID") for name in ("FREE", "DAY")]
        found = dates.filter(wrong).with_columns(days).sort("SUBJ", "DAY")
        said_words = words.replace(RULE_EVENT, event)
        message = pl.format(f"The date last known free of {event}, day {{}}, is " + said_words + ".", "FREE_SAID", "DAY_SAID")
        said.append(found.select(_finding("relapse-free-contradicts", "warning", "RSDTC", message, pl.lit("RS"))))
    return pl.concat(said)


def _told(adam: Adam) -> pl.DataFrame:
    """What the source lacks, as findings."""
    return findings_frame([finding(note.rule, note.severity, note.message, domain=note.domain) for note in adam.notices])


def _imputed(adam: Adam) -> pl.DataFrame:
    sets = [frame.filter(pl.col("VARIANT") == STRADDLING).select("PARAMCD").unique() for frame in (adam.adrs, adam.adtte)]
    names = pl.concat(sets).unique().sort("PARAMCD").with_columns(pl.lit(None, dtype=pl.String).alias("USUBJID"))
    message = pl.format(
        "A partial date may lie on either side of the cutoff and changes {}; the endpoint is shown both ways (variant " + STRADDLING + ").",
        "PARAMCD",
    )
    return names.select(_finding("date-across-cutoff", "warning", "PARAMCD", message, pl.lit("ADTTE")))
