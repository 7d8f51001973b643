"""How do the rows of virtual subjects become records for the rules, or SDTM as a site would send it?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cartrial.sdtm.records import NO_CUTOFF, Recorded, Records
from cartrial.sdtm.records.codes import CARE
from cartrial.sdtm.source import VIRTUAL_PREFIX, Source
from cartrial.sdtm.vocabulary.results import EXACT, NEGATIVE, POSITIVE, UNQUANTIFIED
from cartrial.study.criteria.codes import RESPONSES
from cartrial.virtual.trial.arrivals import NEVER, Plan
from cartrial.virtual.trial.assays import BELOW, FOUND, HEMODILUTE, NAMED, SEQUENCED, UNREAD_CODE, limits
from cartrial.virtual.trial.follow import central_readers
from cartrial.virtual.trial.rows import TOXICITY_CARE, Rows
from cartrial.virtual.trial.sent.demography import load_demography
from cartrial.virtual.trial.sent.filed import file_domains, weights_of
from cartrial.virtual.trial.sent.weight import asks_for_weight

__all__ = ["UNKNOWN_CARE", "declared", "records_of", "source_of"]

UNKNOWN_CARE = frozenset({"anakinra", "vasopressors", "intensive care"})
"""Classes of care of which the model knows nothing."""

ARM = "CART"
_TERMS = (
    *(pl.col("TERM").alias(name) for name in ("MHTERM", "MHDECOD")),
    *(pl.lit("PRIOR").alias("MHCAT"), pl.lit("Y").alias("MHPRESP"), pl.col("OCCUR").alias("MHOCCUR")),
)
_DAYS = ("DAY0", "CONSENT", "ENROLLED", "LEUK", "RELEASED", "LDSTART", "RFST", "CUTOFF")


def _subjects(plan: Plan, rows: Rows) -> pl.DataFrame:
    """Return the table of subjects of `Records`, with STUDYID and USUBJID."""
    people = rows.people
    width = max(2, len(str(plan.sites)))
    frame = pl.DataFrame(
        {
            "SUBJ": pl.Series(range(len(people)), dtype=pl.Int32),
            "TRIAL": people.trial,
            "SITE": people.site,
            "NUMBER": people.number,
            "AGE": people.age,
            "FEMALE": people.female,
            "DAY0": people.infusion,
            "CONSENT": people.consent,
            "ENROLLED": people.enrolled,
            "RELEASED": people.released,
        }
    )
    leuk = rows.domains["PR"].filter(pl.col("KIND") == "LEUKAPHERESIS").group_by("SUBJ").agg(pl.col("DAY").min().alias("LEUK"))
    given = rows.domains["EX"].filter(pl.col("KIND") == "LYMPHODEPLETION").group_by("SUBJ").agg(pl.col("DAY").min().alias("LDSTART"))
    site = pl.col("SITE").cast(pl.String).str.zfill(width)
    frame = frame.join(leuk, on="SUBJ", how="left", maintain_order="left").join(given, on="SUBJ", how="left", maintain_order="left")
    name = VIRTUAL_PREFIX + plan.study.study.id
    return frame.with_columns(
        pl.lit(name).alias("STUDYID"),
        pl.concat_str(pl.lit(f"{name}-"), site, pl.lit("-"), pl.col("NUMBER").cast(pl.String).str.zfill(4)).alias("USUBJID"),
        site.alias("SITEID"),
        pl.when("FEMALE").then(pl.lit("F")).otherwise(pl.lit("M")).alias("SEX"),
        pl.lit(load_demography(plan.study.study.id, plan.population.id).country).alias("COUNTRY"),
        pl.when(pl.col("ENROLLED") < NEVER).then(pl.lit(ARM)).alias("ARMCD"),
        pl.lit(True).alias("DATED"),
        *(pl.when(pl.col(day) < NEVER).then(pl.col(day)).alias(day) for day in ("DAY0", "ENROLLED", "RELEASED")),
        pl.lit(min(plan.cutoff, NO_CUTOFF)).alias("CUTOFF"),
    ).select(
        *("SUBJ", pl.col("TRIAL").cast(pl.Int32), "STUDYID", "USUBJID", "SITEID", "AGE", "SEX", "COUNTRY", "ARMCD", "DATED"),
        *(pl.col("DAY0" if day == "RFST" else day).cast(pl.Int32).alias(day) for day in _DAYS),
        pl.lit(False).alias("DAY0IMPUTED"),
    )


def _lab(plan: Plan, frame: pl.DataFrame) -> pl.DataFrame:
    """Return LB rows with names, limits and what the codes in VALUE mean."""
    lloq, lod = limits(plan.settings)
    test = frame["TEST"]

    def of(values: Sequence[str | None] | Sequence[float | None], dtype: type[pl.DataType]) -> pl.Series:
        return pl.Series(values, dtype=dtype).gather(test)

    low, thin, found = pl.col("VALUE") == BELOW, pl.col("VALUE") == HEMODILUTE, pl.col("VALUE") == FOUND
    word = of([item.word for item in NAMED], pl.String)
    limit = of(lod, pl.Float64)
    codes = [item.code for item in NAMED]
    if not plan.study.disease.mrd.methods:
        codes[SEQUENCED] = UNREAD_CODE
    return frame.with_columns(
        of(codes, pl.String).alias("TEST"),
        of([item.specimen for item in NAMED], pl.String).alias("SPEC"),
        of([item.unit for item in NAMED], pl.String).alias("UNIT"),
        of([item.method for item in NAMED], pl.String).alias("METHOD"),
        of(lloq, pl.Float64).alias("LLOQ"),
        (pl.coalesce("LOD", limit) if "LOD" in frame.columns else limit).alias("LOD"),
        low.alias("LOW"),
        thin.alias("THIN"),
        pl.when(low).then(word).when(found).then(pl.lit("POSITIVE")).alias("WORD"),
        pl.when(~low & ~thin & ~found).then(pl.col("VALUE")).alias("VALUE"),
    )


def records_of(plan: Plan, rows: Rows, *, names: bool) -> Records:
    """Return the rows as integer-keyed records.

    Parameters
    ----------
    plan : Plan
    rows : Rows
    names : bool
        Keep STUDYID, USUBJID and the calls as collected.
    """
    subjects = _subjects(plan, rows)
    tables = {name: frame.with_columns(pl.col("DAY").alias("DAYX")) for name, frame in rows.domains.items()}
    lab = _lab(plan, tables["LB"])
    calls = tables["RS"]
    collected = pl.Series(RESPONSES).gather(calls["RESP"].cast(pl.UInt32)).alias("ORRES"), pl.lit(False).alias("ACCEPTED")
    null = pl.lit(None, dtype=pl.Int64).alias("SEQ")
    deaths = pl.DataFrame({"SUBJ": subjects["SUBJ"], "DAY": pl.Series(rows.deaths, dtype=pl.Int32)}).filter(pl.col("DAY") < NEVER)
    extra = {"MH": tables["MH"].select("SUBJ", *_TERMS), CARE: _care(tables["CM"])}
    cause = (pl.lit("PRCDTH").alias("DDTESTCD"), pl.col("CAUSE").cast(pl.String).alias("DDSTRESC"))
    extra["DD"] = tables["DD"].select("SUBJ", "DAY", "DAYX", "SEQ", *cause)
    if asks_for_weight(plan.study):
        said = pl.lit("WEIGHT").alias("VSTESTCD"), pl.col("VALUE").alias("VSSTRESN"), pl.lit("kg").alias("VSSTRESU")
        extra["VS"] = weights_of(plan, rows).select("SUBJ", "DAY", pl.col("DAY").alias("DAYX"), "SEQ", *said)
    base = ("SUBJ", "DAY", "DAYX")
    word = pl.col("WORD").replace_strict(
        {"BLQ": UNQUANTIFIED, "NEGATIVE": NEGATIVE, "POSITIVE": POSITIVE}, default=None, return_dtype=pl.Int8
    )
    relation = pl.when(pl.col("VALUE").is_not_null()).then(pl.lit(EXACT, dtype=pl.Int8)).otherwise(word)
    return Records(
        subjects=subjects if names else subjects.drop("STUDYID", "USUBJID"),
        calls=calls.select(*base, "READER", "RESP", *(collected if names else ()), "SEQ"),
        labs=lab.select(
            *base,
            *("TEST", "SPEC", "VALUE", relation.alias("REL"), pl.lit(None, dtype=pl.Float64).alias("LIMIT"), "LLOQ", "LOD"),
            *((~pl.col("THIN")).alias("DONE"), pl.lit(True).alias("TAKEN"), "METHOD", "SEQ"),
        ),
        lesions=tables["FA"].select(
            *base, pl.col("PRESENT").cast(pl.Int8), pl.lit(None, dtype=pl.Int8).alias("CNS"), "SEQ", pl.lit("FA").alias("FROM")
        ),
        doses=tables["EX"].select(*base, "KIND", "TRT", pl.col("AMOUNT").cast(pl.Float64), pl.col("UNIT").cast(pl.String), "SEQ"),
        procedures=tables["PR"].select(*base, "KIND", "SEQ"),
        therapies=tables["CM"].select(*base, "KIND", "TRT", "SEQ"),
        dispositions=tables["DS"].select(*base, "KIND", "SEQ"),
        survival=tables["SS"].select(*base, "ALIVE", "SEQ"),
        adverse=tables["AE"].select(
            *base,
            *(pl.col("ENDDAY").cast(pl.Int32), pl.col("ENDDAY").cast(pl.Int32).alias("ENDDAYX"), "DECOD", "BODSYS"),
            *(pl.col("TOXGR").cast(pl.Int8), "SER", "REL", "OUT", "SEQ"),
        ),
        deaths=deaths.select(
            "SUBJ", "DAY", pl.col("DAY").alias("DAYX"), pl.lit("DM").alias("SRCDOM"), pl.lit("DTHDTC").alias("SRCVAR"), null
        ),
        extra=extra,
        provenance="virtual",
        recorded=declared(plan),
    )


def _care(therapies: pl.DataFrame) -> pl.DataFrame:
    """Return what was given for toxicities, with the variables of CM: for what, from when to when."""
    given = therapies.filter(pl.col("KIND") == TOXICITY_CARE)
    end = pl.col("ENDDAY").cast(pl.Int32)
    return given.select(
        *("SUBJ", "DAY", "DAYX", end, end.alias("ENDDAYX"), "SEQ"),
        *(pl.col(name).cast(pl.String).alias(variable) for name, variable in (("TRT", "CMTRT"), ("KIND", "CMCAT"), ("INDC", "CMINDC"))),
    )


def declared(plan: Plan) -> Recorded:
    """Return what the sites of a study record, in every trial alike; central readers only where the study names one.

    Of what was given for toxicities the model knows tocilizumab and corticosteroids alone.
    """
    readers = frozenset() if central_readers(plan) else frozenset({"READER 1", "READER 2", "ADJUDICATOR", "IRC"})
    return Recorded(absent=readers | UNKNOWN_CARE)


def source_of(plan: Plan, rows: Rows) -> Source:
    """Return the rows of one trial as SDTM: ISO 8601 dates, USUBJID as site and number. The rows have all that is sent."""
    subjects = _subjects(plan, rows)
    return Source(file_domains(plan, rows, subjects, _lab(plan, rows.domains["LB"])))
