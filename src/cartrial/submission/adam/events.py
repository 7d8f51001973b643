"""Which events happened, and what was given? ADAE, ADCM and ADEX as they are submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.sdtm.vocabulary.occurrence import answered
from cartrial.submission.adam.parameters import coded
from cartrial.submission.adam.shaped import Shaped, finish, relative_day, required
from cartrial.submission.variables import SETS

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["shape_adae", "shape_adcm", "shape_adex"]

_AE_REQUIRED = ("AETERM", "AEDECOD", "AEBODSYS", "AESTDTC", "AESER")
_AE_COPIED = ("AEENDTC", "AEREL", "AEOUT", "AETOXGR")


def shape_adae(study: Study, source: Source, adam: Adam, people: pl.DataFrame) -> Shaped | None:
    """Return ADAE: each adverse event of an infused subject that began by the cutoff; None where the source has none.

    Variables of SDTM are copies; what the rules made of the grade and the outcome up to the cutoff stands beside them.
    """
    ae = source.domains.get("AE")
    if ae is None or adam.adae.is_empty():
        return None
    invented = adam.provenance != "real"
    seq = pl.col("AESEQ").cast(pl.Float64).cast(pl.Int64)
    copied = [pl.col(name) for name in _AE_COPIED if name in ae.columns]
    chosen = [required(ae, name, domain="AE", invented=invented) for name in _AE_REQUIRED]
    as_read = ae.select("USUBJID", seq.alias("AESEQ"), *(expr.cast(pl.String) for expr in (*chosen, *copied)))
    named = {item.id: item.label for item in study.safety.special}
    special, grade = pl.col("SPECIAL").cast(pl.String), pl.col("AETOXGR").cast(pl.String)

    def yes(name: str) -> pl.Expr:
        answer = answered(pl.col(name).cast(pl.String), name)
        return pl.when(answer).then(pl.lit("Y")).when(answer.is_not_null()).then(pl.lit("N"))

    own = adam.adae.select(
        *("USUBJID", "ASTDT", "ASTDTF", "AENDT", "AENDTF", "ASTDY", "AENDY", "ADURN", "TRTEMFL", "FLAGS"),
        pl.col("SRCSEQ").alias("AESEQ"),
        pl.when(pl.col("ADURN").is_not_null()).then(pl.lit("DAYS")).alias("ADURU"),
        grade.alias("ATOXGR"),
        grade.cast(pl.Int64, strict=False).alias("ATOXGRN"),
        pl.col("AEOUT").cast(pl.String).alias("AEOUTA"),
        yes("AESER").alias("ASER"),
        yes("AEREL").alias("AREL"),
        special.alias("CQ01CD"),
        special.replace_strict(named, default=None, return_dtype=pl.String).alias("CQ01NAM"),
    )
    whose = people.drop("TRTP", strict=False)
    frame = own.join(as_read, on=["USUBJID", "AESEQ"], how="left", maintain_order="left").join(whose, on="USUBJID", how="left")
    return finish(SETS["ADAE"], frame, {"CQ01CD": named})


def shape_adcm(source: Source, records: Records, people: pl.DataFrame) -> Shaped | None:
    """Return ADCM: each record of CM, with the kind of therapy that the rules read; None where the source has none."""
    cm = source.domains.get("CM")
    if cm is None or cm.is_empty():
        return None
    names = [v.name for v in SETS["ADCM"].variables if v.name in cm.columns and v.name.startswith("CM") and v.name != "CMSEQ"]
    seq = pl.col("CMSEQ").cast(pl.Float64).cast(pl.Int64)
    who = records.subjects.select("SUBJ", "USUBJID", "DAY0", "DATED")
    kinds = records.therapies.filter(pl.col("DAY") == pl.col("DAYX")).join(who, on="SUBJ", how="inner")
    kinds = kinds.select(
        "USUBJID",
        pl.col("SEQ").alias("CMSEQ"),
        pl.col("KIND").cast(pl.String).alias("CATEGORY"),
        pl.when("DATED").then(pl.col("DAY")).cast(pl.Date).alias("ASTDT"),
        relative_day(pl.col("DAY") - pl.col("DAY0")).alias("ASTDY"),
    ).unique(["USUBJID", "CMSEQ"], keep="first", maintain_order=True)
    frame = cm.select("USUBJID", seq.alias("CMSEQ"), *(pl.col(name).cast(pl.String) for name in names))
    frame = frame.join(kinds, on=["USUBJID", "CMSEQ"], how="left", maintain_order="left")
    return finish(SETS["ADCM"], frame.join(people.drop("TRTP", strict=False), on="USUBJID", how="left", maintain_order="left"))


def shape_adex(source: Source, records: Records, people: pl.DataFrame) -> Shaped | None:
    """Return ADEX: each administration of EX that happened, on or before the cutoff; None where the source has none."""
    ex = source.domains.get("EX")
    if ex is None or records.doses.is_empty():
        return None
    who = records.subjects.select("SUBJ", "USUBJID", "DAY0", "DATED", "CUTOFF")
    doses = records.doses.join(who, on="SUBJ", how="inner").filter(pl.col("DAY") <= pl.col("CUTOFF"))
    unit = pl.col("UNIT").cast(pl.String).fill_null("unit not recorded")
    treatment = pl.col("TRT").cast(pl.String)
    full = pl.col("DAY") == pl.col("DAYX")
    frame = doses.select(
        "USUBJID",
        pl.col("KIND").cast(pl.String).alias("PARCAT1"),
        pl.concat_str(pl.lit("Dose of "), treatment, pl.lit(" ("), unit, pl.lit(")")).alias("PARAM"),
        pl.col("AMOUNT").alias("AVAL"),
        treatment.alias("EXTRT"),
        pl.col("UNIT").cast(pl.String).alias("EXDOSU"),
        pl.when(pl.col("DATED") & full).then(pl.col("DAY")).cast(pl.Date).alias("ADT"),
        pl.when(full).then(pl.col("DAY") - pl.col("DAY0")).cast(pl.Int64).alias("CARDAY"),
        pl.lit("EX").alias("SRCDOM"),
        pl.col("SEQ").alias("SRCSEQ"),
    ).with_columns(relative_day("CARDAY").alias("ADY"))
    words = frame["PARAM"].unique().sort().to_list()
    codes = {word: coded("DOSE", word) for word in words}
    frame = frame.with_columns(pl.col("PARAM").replace_strict(codes, return_dtype=pl.String).alias("PARAMCD"))
    frame = frame.join(people, on="USUBJID", how="left", maintain_order="left")
    return finish(SETS["ADEX"], frame, {"PARAMCD": {code: word for word, code in codes.items()}})
