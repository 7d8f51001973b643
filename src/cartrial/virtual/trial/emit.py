"""How do the rows of virtual subjects become records for the rules, or SDTM as a site would send it?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cartrial.sdtm.records import NO_CUTOFF, READERS, Recorded, Records
from cartrial.sdtm.source import DTYPES, VIRTUAL_PREFIX, Source
from cartrial.sdtm.vocabulary.results import EXACT, NEGATIVE, UNQUANTIFIED
from cartrial.sdtm.vocabulary.schema import DOMAINS
from cartrial.study.criteria.codes import RESPONSES
from cartrial.virtual.trial.arrivals import NEVER, Plan
from cartrial.virtual.trial.assays import BELOW, HEMODILUTE, TESTS, limits
from cartrial.virtual.trial.follow import central_readers
from cartrial.virtual.trial.rows import Rows

__all__ = ["COUNTRY", "declared", "records_of", "source_of"]

# where the built-in studies' sites are; assumption
COUNTRY, ARM = "CHN", "CART"
_READERS = {
    "INV": ("INVESTIGATOR", None),
    "READER 1": ("INDEPENDENT ASSESSOR", "READER 1"),
    "READER 2": ("INDEPENDENT ASSESSOR", "READER 2"),
    "ADJUDICATOR": ("INDEPENDENT ASSESSOR", "ADJUDICATOR"),
}
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
        pl.lit(COUNTRY).alias("COUNTRY"),
        pl.lit(ARM).alias("ARMCD"),
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

    low, thin = pl.col("VALUE") == BELOW, pl.col("VALUE") == HEMODILUTE
    word = of([item.word for item in TESTS], pl.String)
    return frame.with_columns(
        of([item.code for item in TESTS], pl.String).alias("TEST"),
        of([item.specimen for item in TESTS], pl.String).alias("SPEC"),
        of([item.unit for item in TESTS], pl.String).alias("UNIT"),
        of([item.method for item in TESTS], pl.String).alias("METHOD"),
        of(lloq, pl.Float64).alias("LLOQ"),
        of(lod, pl.Float64).alias("LOD"),
        low.alias("LOW"),
        thin.alias("THIN"),
        pl.when(low).then(word).alias("WORD"),
        pl.when(~low & ~thin).then(pl.col("VALUE")).alias("VALUE"),
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
    history = tables["MH"].select("SUBJ", *_TERMS)
    base = ("SUBJ", "DAY", "DAYX")
    word = pl.col("WORD").replace_strict({"BLQ": UNQUANTIFIED, "NEGATIVE": NEGATIVE}, default=None, return_dtype=pl.Int8)
    relation = pl.when(pl.col("VALUE").is_not_null()).then(pl.lit(EXACT, dtype=pl.Int8)).otherwise(word)
    return Records(
        subjects=subjects if names else subjects.drop("STUDYID", "USUBJID"),
        calls=calls.select(*base, "READER", "RESP", *(collected if names else ()), "SEQ"),
        labs=lab.select(
            *base,
            *("TEST", "SPEC", "VALUE", relation.alias("REL"), pl.lit(None, dtype=pl.Float64).alias("LIMIT"), "LLOQ", "LOD"),
            *((~pl.col("THIN")).alias("DONE"), pl.lit(True).alias("TAKEN"), "METHOD", "SEQ"),
        ),
        lesions=tables["FA"].select(*base, pl.col("PRESENT").cast(pl.Int8), "SEQ"),
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
        extra={"MH": history},
        provenance="virtual",
        recorded=declared(plan),
    )


def declared(plan: Plan) -> Recorded:
    """Return what the sites of a study record, in every trial alike; central readers only where the study names one."""
    return Recorded(absent=frozenset() if central_readers(plan) else frozenset({"READER 1", "READER 2", "ADJUDICATOR", "IRC"}))


def _date(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Date).dt.to_string("%Y-%m-%d")


def source_of(plan: Plan, rows: Rows) -> Source:
    """Return the rows of one trial as SDTM: the variables of the schema, ISO 8601 dates, USUBJID as site and number."""
    subjects = _subjects(plan, rows)
    deaths = pl.DataFrame({"SUBJ": subjects["SUBJ"], "DIED": pl.Series(rows.deaths, dtype=pl.Int32)})
    died = pl.when(pl.col("DIED") < NEVER)
    people = subjects.join(deaths, on="SUBJ", maintain_order="left").with_columns(
        pl.lit("YEARS").alias("AGEU"),
        _date("CONSENT").alias("RFICDTC"),
        _date("DAY0").alias("RFSTDTC"),
        died.then(_date("DIED")).alias("DTHDTC"),
        died.then(pl.lit("Y")).alias("DTHFL"),
    )
    text = {name: pl.lit(value) for name, value in (("RSTESTCD", "OVRLRESP"), ("SSTESTCD", "SURVSTAT"), ("FATESTCD", "OCCUR"))}
    calls = rows.domains["RS"]
    reader = [_READERS[READERS[i]] for i in range(4)]
    call = pl.Series(RESPONSES).gather(calls["RESP"].cast(pl.UInt32))
    who = calls["READER"].cast(pl.UInt32)
    number = pl.col("VALUE").cast(pl.String).str.replace(r"\.0$", "")
    limit = pl.lit("<") + pl.col("LLOQ").cast(pl.String).str.replace(r"\.0$", "")
    present = pl.when(pl.col("PRESENT") == 1).then(pl.lit("PRESENT")).otherwise(pl.lit("ABSENT"))
    made = {
        "DM": people,
        "DS": rows.domains["DS"].with_columns(pl.col("KIND").alias("DSTERM"), pl.col("KIND").alias("DSDECOD")),
        "PR": rows.domains["PR"].with_columns(pl.col("KIND").alias("PRTRT")),
        "EX": rows.domains["EX"].with_columns(
            pl.col("TRT").alias("EXTRT"), pl.col("AMOUNT").alias("EXDOSE"), pl.col("UNIT").alias("EXDOSU")
        ),
        "CM": rows.domains["CM"].with_columns(pl.col("TRT").alias("CMTRT"), pl.col("KIND").alias("CMCAT")),
        "LB": _lab(plan, rows.domains["LB"]).with_columns(
            *(
                pl.col(name).alias(f"LB{variable}")
                for name, variable in (("TEST", "TESTCD"), ("SPEC", "SPEC"), ("METHOD", "METHOD"), ("LOD", "LOD"))
            ),
            pl.coalesce(number, pl.when(pl.col("WORD") == "BLQ").then(limit).otherwise(pl.col("WORD"))).alias("LBORRES"),
            pl.when(~pl.col("THIN")).then(pl.col("UNIT")).alias("LBORRESU"),
            pl.coalesce(number, "WORD").alias("LBSTRESC"),
            pl.col("VALUE").alias("LBSTRESN"),
            pl.when(~pl.col("THIN")).then(pl.col("UNIT")).alias("LBSTRESU"),
            pl.col("LLOQ").alias("LBLLOQ"),
            pl.when("THIN").then(pl.lit("HEMODILUTE")).alias("LBREASND"),
        ),
        "RS": calls.with_columns(
            pl.lit(plan.study.disease.criteria.name.upper()).alias("RSCAT"),
            call.alias("RSORRES"),
            call.alias("RSSTRESC"),
            pl.Series([item[0] for item in reader]).gather(who).alias("RSEVAL"),
            pl.Series([item[1] for item in reader], dtype=pl.String).gather(who).alias("RSEVALID"),
        ),
        "FA": rows.domains["FA"].with_columns(
            pl.lit("EXTRAMEDULLARY DISEASE").alias("FAOBJ"), present.alias("FAORRES"), present.alias("FASTRESC")
        ),
        "AE": rows.domains["AE"].with_columns(
            pl.col("DECOD").alias("AETERM"),
            *(pl.col(name).alias(f"AE{name}") for name in ("DECOD", "BODSYS", "SER", "REL", "OUT")),
            pl.col("TOXGR").cast(pl.String).alias("AETOXGR"),
            _date("ENDDAY").alias("AEENDTC"),
        ),
        "SS": rows.domains["SS"].with_columns(pl.when("ALIVE").then(pl.lit("ALIVE")).otherwise(pl.lit("DEAD")).alias("SSSTRESC")),
    }
    names = subjects.select("SUBJ", "STUDYID", "USUBJID")
    return Source({name: _domain(name, frame, names, text) for name, frame in made.items()} | {"MH": _history(rows, names)})


def _domain(name: str, frame: pl.DataFrame, names: pl.DataFrame, text: dict[str, pl.Expr]) -> pl.DataFrame:
    """Return the columns of the schema that are filled, in its order, with ROW."""
    if name != "DM":
        frame = frame.join(names, on="SUBJ", how="left", maintain_order="left")
    timing = DOMAINS[name].timing
    columns = {**text, "DOMAIN": pl.lit(name), f"{name}SEQ": pl.col("SEQ")} | ({timing[0]: _date("DAY")} if timing else {})
    chosen = []
    for variable in DOMAINS[name].variables:
        if variable.name in columns:
            found = columns[variable.name]
        elif variable.name in frame.columns:
            found = pl.col(variable.name)
        else:
            continue
        chosen.append(found.cast(DTYPES[variable.kind]).alias(variable.name))
    return frame.select(chosen).with_row_index("ROW", offset=2).with_columns(pl.col("ROW").cast(pl.Int64)).select(pl.exclude("ROW"), "ROW")


def _history(rows: Rows, names: pl.DataFrame) -> pl.DataFrame:
    """Return MH."""
    frame = rows.domains["MH"].join(names, on="SUBJ", how="left", maintain_order="left")
    return frame.select(
        *("STUDYID", pl.lit("MH").alias("DOMAIN"), "USUBJID", pl.col("SEQ").alias("MHSEQ")),
        *_TERMS,
        (pl.int_range(pl.len(), dtype=pl.Int64) + 2).alias("ROW"),
    )
