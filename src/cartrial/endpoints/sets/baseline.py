"""What was each subject like before treatment? One column of ADSL for each baseline characteristic of the study file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from cartrial.endpoints.sets.dose import DOSE_COLUMNS, derive_dose, product_doses
from cartrial.sdtm.vocabulary.occurrence import happened, occurrence, says_presence
from cartrial.sdtm.vocabulary.results import result_bounds, significant
from cartrial.sdtm.vocabulary.specimens import by_method, is_read, specimens_of
from cartrial.sdtm.vocabulary.terms import canonical, normalised, standard_term, value_of
from cartrial.sdtm.vocabulary.units import weight_factor, weight_read

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study
    from cartrial.study.model import Characteristic

__all__ = ["derive_baseline", "dose_of", "level_column", "number_column"]

# columns of ADSL that hold a number by ADaM's guide: the class of one is <name>GR1
_NUMBERS = ("AGE",)
_EMD = "EXTRAMEDULLARY DISEASE"
WEIGHT = "WEIGHT"
"""VSTESTCD of the weight, which is brought to kg."""
_CODED = {"PR": ("PRTRT",), "CM": ("CMCAT",)}
_TERMS = ("DECOD", "TERM", "TRT", "CAT", "SCAT")


def derive_baseline(study: Study, records: Records) -> pl.DataFrame:
    """Derive the baseline characteristics of every subject.

    Parameters
    ----------
    study : Study
        `baseline` says where each characteristic stands, its boundaries and levels.
    records : Records
        Reads `subjects`, `labs`, `lesions`, `doses`, and from `extra` the domains DM, MH, PR, CM, FA, VS and EX.

    Returns
    -------
    polars.DataFrame
        One row per subject, sorted by SUBJ: SUBJ (Int32) and a column per characteristic. Float64 when it is a number without
        boundaries and levels, else String; with boundaries `<id>N` (Float64) holds the number; AGE is always the number, and
        AGEGR1 its class. Null: not recorded, or its domain
        is absent.

    Notes
    -----
    - Measured values (LB, VS, FA): the last one before the first day of lymphodepletion; where none is recorded, before day 0, and a
      value of day 0 only when there is none before it, since a day does not tell whether the sample preceded the infusion. A subject
      neither lymphodepleted nor infused has the last value on or before the cutoff. A partial date counts by its latest possible day.
      Of one day the highest of blasts is taken, the lowest of neutrophils and platelets, of other tests the value of the highest
      sequence number; for FA presence anywhere on that day.
    - A result that was not measured, as `<5` or `>90`, has no number; it belongs to a level where all that it can be is of one.
    - Terms (MH, PR, CM): Y when a record of the term began before lymphodepletion (else day 0), by the earliest day its date can mean;
      records of MH and those marked BEFORE or PRIOR need no date. N where it was asked for and did not occur; null where nothing is
      recorded of the subject: a list of what occurred says No of nobody (rules, A5).
    - A weight (VS WEIGHT) is in kg; one in another unit than kg, g or lb is no number, nor is one of 0 or below.
    - EX: EXDOSE is the sum of the product's doses from day 0 to day `fraction-days`; DOSEKG is that dose in cells for each kilogram and
      DOSERNG whether it is in the study's range (`derive_dose`); any other variable is read from the first product record.
    - A value equal to a boundary belongs to the upper level.
    """
    anchors = _anchors(records)
    table = anchors.select("SUBJ")
    for item in study.baseline:
        found = _found(study, records, anchors, item)
        if found is None:
            found = pl.DataFrame(schema={"SUBJ": pl.Int32, "VALUE": pl.Float64 if _numeric(item) else pl.String})
        joined = table.select("SUBJ").join(found, on="SUBJ", how="left", maintain_order="left")
        table = pl.concat([table, joined.select(_levels(item, joined))], how="horizontal")
    return table


def level_column(item: Characteristic) -> str:
    """Return the column of ADSL that holds a characteristic, or its class where boundaries make classes of a number.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.endpoints import level_column
    >>> {item.id: level_column(item) for item in Study.load("inaticel").baseline}["AGE"]
    'AGEGR1'
    """
    return f"{item.id}GR1" if item.cut and item.id in _NUMBERS else item.id


def number_column(item: Characteristic) -> str:
    """Return the column of ADSL that holds the number of a characteristic, the characteristic itself where it has no classes.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.endpoints import number_column
    >>> {item.id: number_column(item) for item in Study.load("inaticel").baseline}["AGE"]
    'AGE'
    """
    return f"{item.id}N" if item.cut and item.id not in _NUMBERS else item.id


def _numeric(item: Characteristic) -> bool:
    return item.from_.domain in ("LB", "VS") or bool(item.cut) or (item.from_.variable or "") in ("AGE", "EXDOSE", "DOSEKG")


def _anchors(records: Records) -> pl.DataFrame:
    """Return by subject: LIMIT, the first day that is no longer baseline, and EDGE, the day allowed where nothing stands before it."""
    return records.subjects.select(
        "SUBJ",
        "DATED",
        "DAY0",
        "CUTOFF",
        pl.min_horizontal("LDSTART", "DAY0").alias("LIMIT"),
        pl.when(pl.col("LDSTART").is_null()).then(pl.col("DAY0")).alias("EDGE"),
    ).sort("SUBJ")


def _found(study: Study, records: Records, anchors: pl.DataFrame, item: Characteristic) -> pl.DataFrame | None:
    """Return SUBJ and VALUE, with LOW and HIGH (between which the result lies) for LB; None when the domain is absent."""
    domain = item.from_.domain
    if domain == "DM":
        return _person(records, item)
    if domain == "LB":
        return _laboratory(study, records, anchors, item)
    if domain == "VS":
        return _vital(records, anchors, (item.from_.testcd or item.id).upper())
    if domain == "FA":
        return _finding(records, anchors, item)
    if domain == "EX":
        return _dose(study, records, anchors, item)
    return _occurrence(records, anchors, item)


def _person(records: Records, item: Characteristic) -> pl.DataFrame | None:
    name = (item.from_.variable or item.id).upper()
    frame = records.subjects if name in records.subjects.columns else records.extra.get("DM")
    if frame is None or name not in frame.columns:
        return None
    return frame.select("SUBJ", pl.col(name).alias("VALUE")).unique("SUBJ", keep="first", maintain_order=True)


def _laboratory(study: Study, records: Records, anchors: pl.DataFrame, item: Characteristic) -> pl.DataFrame:
    source = item.from_
    code = (source.testcd or item.id).upper()
    test = standard_term(code, "LBTESTCD") or code
    where = (pl.col("TEST") == test) & pl.col("DONE").fill_null(True) & pl.col("REL").is_not_null()
    if source.specimen:
        where &= pl.col("SPEC") == specimens_of([source.specimen])[0]
    else:
        where &= is_read(study.disease.mrd.specimens)
    where &= (pl.col("TEST") != "MRD") | by_method(study.disease.mrd.methods)
    rows = records.labs.filter(where).with_columns(result_bounds())
    order = [*{"BLAST": ("HIGH", "LOW"), "NEUT": ("FALL",), "PLAT": ("FALL",)}.get(test, ()), "SEQ"]
    return _last(rows.with_columns((-pl.col("HIGH")).alias("FALL")), anchors, ["VALUE", "LOW", "HIGH"], order)


def _vital(records: Records, anchors: pl.DataFrame, code: str) -> pl.DataFrame | None:
    frame = records.extra.get("VS")
    if frame is None or "VSTESTCD" not in frame.columns or not {"VSSTRESN", "VSORRES"} & set(frame.columns):
        return None
    number = value_of(frame, "VSSTRESN", pl.Float64)
    if code == WEIGHT:
        # another unit makes no number, and 0 or below is no weight
        number, unit = weight_read(frame)
        number = significant(number * weight_factor(unit))
        number = pl.when(number > 0).then(number)
    rows = frame.with_columns(number.alias("VALUE"))
    rows = rows.filter((pl.col("VSTESTCD").str.to_uppercase() == code) & pl.col("VALUE").is_not_null() & happened(frame, "VS"))
    return _last(_days(rows), anchors, ["VALUE"])


def dose_of(study: Study, records: Records) -> pl.DataFrame:
    """Return `derive_dose` with the last weight before lymphodepletion."""
    return derive_dose(study, records, _vital(records, _anchors(records), WEIGHT))


def _finding(records: Records, anchors: pl.DataFrame, item: Characteristic) -> pl.DataFrame | None:
    term = (item.from_.term or item.id).upper()
    frame = records.extra.get("FA")
    if standard_term(term, "FAOBJ") == _EMD:
        if frame is None and records.lesions.is_empty():
            return None
        rows = records.lesions
    elif frame is None or not {"FAOBJ", "FASTRESC"} <= set(frame.columns):
        return None
    else:
        code = item.from_.testcd
        asked = normalised(value_of(frame, "FATESTCD")) == normalised(pl.lit(code)) if code else says_presence(frame)
        named = frame.filter((normalised(pl.col("FAOBJ")) == normalised(pl.lit(term))) & asked & happened(frame, "FA"))
        word = canonical(pl.col("FASTRESC"), "FASTRESC").replace_strict({"PRESENT": 1, "ABSENT": 0}, default=-1, return_dtype=pl.Int8)
        rows = _days(named).with_columns(word.alias("PRESENT"))
    daily = rows.filter(pl.col("PRESENT").is_in([0, 1])).group_by("SUBJ", "DAY", "DAYX").agg(pl.col("PRESENT").max(), pl.col("SEQ").max())
    present = pl.when(pl.col("PRESENT") == 1).then(pl.lit("Y")).otherwise(pl.lit("N"))
    return _last(daily, anchors, ["PRESENT"]).select("SUBJ", present.alias("VALUE"))


def _dose(study: Study, records: Records, anchors: pl.DataFrame, item: Characteristic) -> pl.DataFrame | None:
    name = (item.from_.variable or "EXDOSE").upper()
    if name == "EXDOSE":
        return product_doses(study, records).group_by("SUBJ", maintain_order=True).agg(pl.col("AMOUNT").sum().alias("VALUE"))
    if name in DOSE_COLUMNS:
        return dose_of(study, records).select("SUBJ", pl.col(name).alias("VALUE"))
    frame = records.extra.get("EX")
    if frame is None or name not in frame.columns:
        return None
    treatment = pl.col("EXTRT").str.strip_chars().str.to_uppercase()
    product = frame.filter(treatment.is_in(list(study.product.exposure)) & pl.col(name).is_not_null() & happened(frame, "EX"))
    rows = _days(product).join(anchors, on="SUBJ", how="inner").filter(pl.col("DAY") <= pl.col("CUTOFF"))
    return rows.sort("SUBJ", "DAY", "SEQ").unique("SUBJ", keep="first", maintain_order=True).select("SUBJ", pl.col(name).alias("VALUE"))


def _occurrence(records: Records, anchors: pl.DataFrame, item: Characteristic) -> pl.DataFrame | None:
    domain, term = item.from_.domain, (item.from_.term or item.id).strip().upper()
    frame = records.extra.get(domain)
    if frame is None:
        return None
    names = [f"{domain}{part}" for part in _TERMS if f"{domain}{part}" in frame.columns]
    # words of a code list stand in the data as the term they mean
    words = [term, *(found for codes in _CODED.get(domain, ()) if (found := standard_term(term, codes)))]
    same = pl.any_horizontal(pl.lit(False), *(_text(frame, name).is_in(words) for name in names)).fill_null(False)
    prior = pl.lit(domain == "MH") | _text(frame, f"{domain}CAT").fill_null("").str.contains("PRIOR", literal=True)
    for name in ("STRTPT", "STRF", "ENRTPT", "ENRF"):
        prior |= (_text(frame, f"{domain}{name}") == "BEFORE").fill_null(False)
    rows = _days(frame.filter(same)).with_columns(occurrence(frame, domain).alias("OCCUR"), prior.alias("PRIOR"))
    rows = rows.join(anchors.drop("DATED"), on="SUBJ", how="inner").filter(pl.col("DAY").is_null() | (pl.col("DAY") <= pl.col("CUTOFF")))
    limit = pl.coalesce("LIMIT", pl.col("CUTOFF") + 1)
    before = rows.filter((pl.col("DAY") < limit) | (pl.col("DAY").is_null() & pl.col("PRIOR")))
    answer = before.group_by("SUBJ").agg((pl.col("OCCUR") == "Y").any().alias("YES"), (pl.col("OCCUR") == "N").any().alias("NO"))
    value = pl.when(pl.col("YES").fill_null(False)).then(pl.lit("Y")).when(pl.col("NO").fill_null(False)).then(pl.lit("N"))
    return anchors.select("SUBJ").join(answer, on="SUBJ", how="left", maintain_order="left").select("SUBJ", value.alias("VALUE"))


def _text(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().str.to_uppercase() if name in frame.columns else pl.lit(None, dtype=pl.String)


def _days(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a domain with DAY, DAYX and SEQ, null where its records stand on no day."""
    names = {"DAY": pl.Int32, "DAYX": pl.Int32, "SEQ": pl.Int64}
    return frame.with_columns(value_of(frame, name, dtype).alias(name) for name, dtype in names.items())


def _last(rows: pl.DataFrame, anchors: pl.DataFrame, values: list[str], order: Sequence[str] = ("SEQ",)) -> pl.DataFrame:
    """Return the last values of the baseline period by subject; of one day the last in `order`."""
    before = pl.col("LIMIT").is_null() | (pl.col("DAYX") < pl.col("LIMIT"))
    edge = (pl.col("DAYX") <= pl.col("EDGE")).fill_null(False)
    limits = anchors.select("SUBJ", "LIMIT", "EDGE", "CUTOFF")
    limited = rows.drop("LIMIT", strict=False).join(limits, on="SUBJ", how="inner")
    ordered = limited.filter((pl.col("DAY") <= pl.col("CUTOFF")) & (before | edge)).sort("SUBJ", before, "DAY", *order, *values)
    return ordered.unique("SUBJ", keep="last", maintain_order=True).select("SUBJ", *values)


def _levels(item: Characteristic, frame: pl.DataFrame) -> list[pl.Expr]:
    """Return the characteristic's column, and its number beside it where boundaries make levels of it."""
    value = pl.col("VALUE")
    if not item.cut:
        if item.levels and frame["VALUE"].dtype.is_numeric():
            whole = value == value.round()
            value = pl.when(whole).then(value.round().cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
        elif frame["VALUE"].dtype.is_numeric():
            value = value.cast(pl.Float64)
        else:
            value = value.cast(pl.String)
        return [value.alias(item.id)]
    number = value.cast(pl.Float64, strict=False)
    # a result that is no number has a level where all it can be is of one (rules, A8)
    low, high = (pl.col("LOW"), pl.col("HIGH")) if "LOW" in frame.columns else (number, number)
    names = {i: name for i, name in enumerate(item.levels)}
    passed = [
        pl.sum_horizontal(*((significant(end) >= significant(pl.lit(cut))).cast(pl.Int32) for cut in item.cut)) for end in (low, high)
    ]
    level = pl.when(low.is_not_null() & (passed[0] == passed[1])).then(
        passed[0].replace_strict(names, default=None, return_dtype=pl.String)
    )
    return [level.alias(level_column(item)), number.alias(number_column(item))]
