"""Which integer-keyed tables do the rules read? SDTM domains with subjects, days and kinds as columns.

STUDYID and USUBJID stand in the table of subjects alone; every other table is keyed by SUBJ and sorted by SUBJ, DAY, SEQ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.dates import earliest_day, latest_day
from cartrial.sdtm.source import Source
from cartrial.sdtm.terms import canonical
from cartrial.sdtm.units import unit_factor

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["NO_CUTOFF", "READERS", "RESPONSES", "Records", "derive_records"]

NO_CUTOFF = 2**30
READERS = ("INV", "READER 1", "READER 2", "ADJUDICATOR", "IRC", "LAB")
RESPONSES = ("NE", "CR", "CRh", "CRi", "MLFS", "NR", "PD", "RELAPSE", "INDETERMINATE")
Types = Mapping[str, pl.DataType | type[pl.DataType]]
_INADEQUATE = ("HEMODILUTE", "ACELLULAR", "INADEQUATE")


@dataclass(frozen=True)
class Records:
    """Source records of one or many trials.

    Parameters
    ----------
    subjects : polars.DataFrame
        SUBJ, TRIAL (Int32), STUDYID, USUBJID, SITEID, AGE, SEX, COUNTRY, ARMCD, DATED (the source has calendar dates), and days (Int32):
        DAY0 (null: not infused), CONSENT, ENROLLED, LEUK, RELEASED, LDSTART, RFST, CUTOFF (`NO_CUTOFF` where it does not apply).
    calls, labs, lesions, doses, procedures, therapies, dispositions, survival, adverse, deaths : polars.DataFrame
        Records by SUBJ with DAY and DAYX, the earliest and the latest day they can mean (equal for full dates), and SEQ.
    extra : mapping of str to polars.DataFrame
        Every domain as read, with SUBJ; empty where only the integer tables exist. There ORRES, the call as collected, may be
        absent from `calls`, and STUDYID and USUBJID from `subjects`.

    Notes
    -----
    Days are days since 1970-01-01; for a subject whose source has study days only they are days from day 0.
    """

    subjects: pl.DataFrame
    calls: pl.DataFrame
    labs: pl.DataFrame
    lesions: pl.DataFrame
    doses: pl.DataFrame
    procedures: pl.DataFrame
    therapies: pl.DataFrame
    dispositions: pl.DataFrame
    survival: pl.DataFrame
    adverse: pl.DataFrame
    deaths: pl.DataFrame
    extra: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    provenance: str = "real"

    def replace(self, **changes: pl.DataFrame) -> Records:
        """Return the records with some tables exchanged."""
        return replace(self, **changes)  # type: ignore[arg-type]


def derive_records(study: Study, source: Source) -> Records:
    """Turn SDTM domains into integer-keyed tables.

    Parameters
    ----------
    study : Study
        Names the product, the lymphodepletion and the cutoff.
    source : Source
        SDTM domains.

    Returns
    -------
    Records

    Raises
    ------
    InputError
        If DM is missing, or a death has no date in any source.
    """
    keys = _subject_keys(source)
    tables = {name: _keyed(source, name, keys) for name in source.domains}
    exposure = _exposure(study, tables)
    origin = _origin(exposure, keys, tables)
    days = {name: _with_days(frame, name, origin) for name, frame in tables.items()}
    doses = _doses(study, days)
    subjects = _subjects(study, keys, days, doses, origin)
    return Records(
        subjects=subjects,
        calls=_calls(days),
        labs=_labs(days),
        lesions=_lesions(days),
        doses=doses,
        procedures=_procedures(days),
        therapies=_therapies(days),
        dispositions=_kinds(days, "DS", "DSDECOD", "DSDECOD"),
        survival=_survival(days),
        adverse=_adverse(days),
        deaths=_deaths(days, subjects, source),
        extra=tables,
        provenance=study.study.provenance,
    )


def _subject_keys(source: Source) -> pl.DataFrame:
    dm = source.domains.get("DM")
    if dm is None or dm.is_empty():
        raise InputError("there is no DM domain", right="Every study needs dm with STUDYID and USUBJID")
    keys = dm.select("STUDYID", "USUBJID").unique().sort("STUDYID", "USUBJID")
    return keys.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("SUBJ"),
        (pl.col("STUDYID").rank("dense") - 1).cast(pl.Int32).alias("TRIAL"),
    )


def _keyed(source: Source, name: str, keys: pl.DataFrame) -> pl.DataFrame:
    frame = source.domains[name]
    if not {"STUDYID", "USUBJID"} <= set(frame.columns):
        return frame.with_columns(pl.lit(None, dtype=pl.Int32).alias("SUBJ")).filter(pl.col("SUBJ").is_not_null())
    return frame.join(keys.select("STUDYID", "USUBJID", "SUBJ"), on=["STUDYID", "USUBJID"], how="inner")


def _column(frame: pl.DataFrame, name: str, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Expr:
    return pl.col(name).cast(dtype, strict=False) if name in frame.columns else pl.lit(None, dtype=dtype)


def _exposure(study: Study, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """First product record by subject: its date and its study day."""
    ex = tables.get("EX")
    if ex is None:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, "EXDAY": pl.Int32, "EXDY": pl.Float64})
    product = ex.filter(_column(ex, "EXTRT").str.to_uppercase().str.strip_chars().is_in(list(study.product.exposure)))
    return (
        product.select(
            "SUBJ", earliest_day(_column(product, "EXSTDTC")).alias("EXDAY"), _column(product, "EXSTDY", pl.Float64).alias("EXDY")
        )
        .sort("SUBJ", "EXDAY", "EXDY", nulls_last=True)
        .group_by("SUBJ", maintain_order=True)
        .agg(pl.col("EXDAY").min(), pl.col("EXDY").sort_by("EXDAY", "EXDY", nulls_last=True).first())
    )


def _origin(exposure: pl.DataFrame, keys: pl.DataFrame, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """By subject: DAY0, what a study day counts from (BASE, with DY1 its number there), and whether there are dates."""
    dm = tables["DM"]
    reference = dm.select("SUBJ", earliest_day(_column(dm, "RFSTDTC")).alias("RFST")).unique("SUBJ", keep="first", maintain_order=True)
    frame = (
        keys.select("SUBJ")
        .join(exposure.with_columns(pl.lit(True).alias("INFUSED")), on="SUBJ", how="left")
        .join(reference, on="SUBJ", how="left")
    )
    dated = pl.when(pl.col("INFUSED").is_null()).then(True).otherwise(pl.col("EXDAY").is_not_null())
    return frame.with_columns(dated.alias("DATED")).select(
        "SUBJ",
        "DATED",
        "RFST",
        pl.when(pl.col("INFUSED").is_null())
        .then(None)
        .when(pl.col("DATED"))
        .then(pl.col("EXDAY"))
        .otherwise(0)
        .cast(pl.Int32)
        .alias("DAY0"),
        # the study day of day 0: as EX says; 1 where RFSTDTC is day 0 (SDTM counts it as day 1); 0 where the source has study days only
        pl.when(pl.col("EXDY").is_not_null())
        .then(pl.col("EXDY"))
        .when(pl.col("DATED") & pl.col("RFST").is_not_null() & pl.col("EXDAY").is_not_null())
        .then(pl.col("EXDAY") - pl.col("RFST") + 1)
        .otherwise(0)
        .floor()
        .cast(pl.Int32)
        .alias("DYZERO"),
    )


_DATES = {"CM": "ST", "DS": "ST", "EX": "ST", "PR": "ST", "AE": "ST", "MH": "ST"}


def _with_days(frame: pl.DataFrame, name: str, origin: pl.DataFrame) -> pl.DataFrame:
    """Add DAY, DAYX and SEQ; ENDDAY where the domain has ends."""
    stem = name + _DATES.get(name, "")
    frame = frame.join(origin, on="SUBJ", how="left")
    columns = [_column(frame, f"{name}SEQ", pl.Int64).alias("SEQ")]
    for dtc, dy, first, last in ((f"{stem}DTC", f"{stem}DY", "DAY", "DAYX"), (f"{name}ENDTC", f"{name}ENDY", "ENDDAY", "ENDDAYX")):
        date, studyday = _column(frame, dtc), _column(frame, dy, pl.Float64).floor().cast(pl.Int32)
        # SDTM counts no day 0 when the reference day is day 1: days before it are negative
        relative = studyday - pl.col("DYZERO") + pl.when((pl.col("DYZERO") >= 1) & (studyday < 0)).then(1).otherwise(0)
        counted = pl.when(pl.col("DATED")).then(pl.col("DAY0") + relative).otherwise(relative)
        columns.append(
            pl.when(pl.col("DATED")).then(pl.coalesce(earliest_day(date), counted)).otherwise(counted).cast(pl.Int32).alias(first)
        )
        columns.append(pl.when(pl.col("DATED")).then(pl.coalesce(latest_day(date), counted)).otherwise(counted).cast(pl.Int32).alias(last))
    return frame.with_columns(columns)


def _empty(columns: Types) -> pl.DataFrame:
    base = {"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32}
    return pl.DataFrame(schema={**base, **columns, "SEQ": pl.Int64})


def _table(frame: pl.DataFrame | None, columns: dict[str, pl.Expr], types: Types, *, dated: bool = True) -> pl.DataFrame:
    if frame is None:
        return _empty(types)
    chosen = frame.select(
        "SUBJ", "DAY", "DAYX", *(expr.cast(types[name], strict=False).alias(name) for name, expr in columns.items()), "SEQ"
    )
    if dated:
        chosen = chosen.filter(pl.col("DAY").is_not_null())
    return chosen.sort("SUBJ", "DAY", "SEQ", maintain_order=True)


def _doses(study: Study, days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    types = {"KIND": pl.String, "TRT": pl.String, "AMOUNT": pl.Float64, "UNIT": pl.String}
    ex = days.get("EX")
    if ex is None:
        return _empty(types)
    name = _column(ex, "EXTRT").str.to_uppercase().str.strip_chars()
    depleting = name.is_in(list(study.product.lymphodepletion) or [""])
    kind = pl.when(name.is_in(list(study.product.exposure))).then(pl.lit("PRODUCT")).when(depleting).then(pl.lit("LYMPHODEPLETION"))
    columns = {
        "KIND": kind.otherwise(pl.lit("OTHER")),
        "TRT": name,
        "AMOUNT": _column(ex, "EXDOSE", pl.Float64),
        "UNIT": _column(ex, "EXDOSU"),
    }
    return _table(ex, columns, types)


def _first_day(frame: pl.DataFrame | None, where: pl.Expr, name: str) -> pl.DataFrame:
    if frame is None:
        return pl.DataFrame(schema={"SUBJ": pl.Int32, name: pl.Int32})
    return frame.filter(where & pl.col("DAY").is_not_null()).group_by("SUBJ").agg(pl.col("DAY").min().alias(name))


def _subjects(study: Study, keys: pl.DataFrame, days: dict[str, pl.DataFrame], doses: pl.DataFrame, origin: pl.DataFrame) -> pl.DataFrame:
    dm, ds, pr = days["DM"], days.get("DS"), days.get("PR")
    person = dm.select(
        "SUBJ",
        *(_column(dm, name).alias(name) for name in ("SITEID", "SEX", "COUNTRY", "ARMCD")),
        _column(dm, "AGE", pl.Float64).alias("AGE"),
        earliest_day(_column(dm, "RFICDTC")).alias("RFIC"),
    ).unique("SUBJ", keep="first", maintain_order=True)
    code = pl.lit(None) if ds is None else canonical(_column(ds, "DSDECOD"), "DSDECOD")
    term = pl.lit(None) if pr is None else canonical(_column(pr, "PRTRT"), "PRTRT")
    milestones = (
        _first_day(ds, code == "INFORMED CONSENT OBTAINED", "DSCONSENT"),
        _first_day(ds, code == "ENROLLED", "ENROLLED"),
        _first_day(pr, term == "LEUKAPHERESIS", "LEUK"),
        _first_day(ds, code == "PRODUCT RELEASED", "RELEASED"),
    )
    frame = keys.join(person, on="SUBJ", how="left").join(origin.drop("DYZERO"), on="SUBJ", how="left")
    for milestone in milestones:
        frame = frame.join(milestone, on="SUBJ", how="left")
    lymphodepletion = (
        doses.filter(pl.col("KIND") == "LYMPHODEPLETION")
        .join(frame.select("SUBJ", "DAY0"), on="SUBJ")
        .filter(pl.col("DAY0").is_null() | (pl.col("DAY") <= pl.col("DAY0")))
        .group_by("SUBJ")
        .agg(pl.col("DAY").min().alias("LDSTART"))
    )
    cutoff = NO_CUTOFF if study.study.cutoff is None else (study.study.cutoff - _EPOCH).days
    return (
        frame.join(lymphodepletion, on="SUBJ", how="left")
        .with_columns(
            pl.coalesce("RFIC", "DSCONSENT").alias("CONSENT"),
            pl.when(pl.col("DATED")).then(cutoff).otherwise(NO_CUTOFF).cast(pl.Int32).alias("CUTOFF"),
        )
        .select(
            *("SUBJ", "TRIAL", "STUDYID", "USUBJID", "SITEID", "AGE", "SEX", "COUNTRY", "ARMCD", "DATED"),
            *("DAY0", "CONSENT", "ENROLLED", "LEUK", "RELEASED", "LDSTART", "RFST", "CUTOFF"),
        )
        .sort("SUBJ")
    )


_EPOCH = dt.date(1970, 1, 1)


def _calls(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    types = {"READER": pl.Int8, "RESP": pl.Int8, "ORRES": pl.String}
    rs = days.get("RS")
    if rs is None:
        return _empty(types)
    if "RSTESTCD" in rs.columns:
        rs = rs.filter(canonical(_column(rs, "RSTESTCD"), "RSTESTCD").fill_null("OVRLRESP") == "OVRLRESP")
    evaluator, who = canonical(_column(rs, "RSEVAL"), "RSEVAL"), canonical(_column(rs, "RSEVALID"), "RSEVALID")
    reader = (
        pl.when(evaluator == "INVESTIGATOR")
        .then(READERS.index("INV"))
        .when((evaluator == "ADJUDICATOR") | (who == "ADJUDICATOR"))
        .then(READERS.index("ADJUDICATOR"))
        .when(who == "READER 1")
        .then(READERS.index("READER 1"))
        .when(who == "READER 2")
        .then(READERS.index("READER 2"))
        .when((evaluator == "INDEPENDENT ASSESSOR") & _column(rs, "RSEVALID").is_null())
        .then(READERS.index("IRC"))
    )
    call = canonical(_column(rs, "RSSTRESC"), "RSSTRESC").replace_strict(
        {name: i for i, name in enumerate(RESPONSES)}, default=None, return_dtype=pl.Int8
    )
    table = _table(rs, {"READER": reader, "RESP": call, "ORRES": pl.coalesce(_column(rs, "RSORRES"), _column(rs, "RSSTRESC"))}, types)
    return table.filter(pl.col("READER").is_not_null() & pl.col("RESP").is_not_null())


def _labs(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    types = {
        **{"TEST": pl.String, "SPEC": pl.String, "VALUE": pl.Float64, "BELOW": pl.Boolean, "POSITIVE": pl.Boolean},
        **{"LLOQ": pl.Float64, "LOD": pl.Float64, "DONE": pl.Boolean, "TAKEN": pl.Boolean, "METHOD": pl.String},
    }
    lb = days.get("LB")
    if lb is None:
        return _empty(types)
    raw = _column(lb, "LBTESTCD")
    test = pl.coalesce(canonical(raw, "LBTESTCD"), raw.str.to_uppercase())
    text = canonical(pl.coalesce(_column(lb, "LBSTRESC"), _column(lb, "LBORRES")), "LBSTRESC")
    unit = _column(lb, "LBSTRESU")
    factor = pl.coalesce(unit_factor(test, unit), pl.lit(1.0))
    value = _column(lb, "LBSTRESN", pl.Float64) * factor
    lloq, lod = _column(lb, "LBLLOQ", pl.Float64) * factor, _column(lb, "LBLOD", pl.Float64) * factor
    below = text.is_in(["NEGATIVE", "BLQ"]).fill_null(False) | (value < lloq).fill_null(False)
    done = (_column(lb, "LBSTAT").is_null()) & ~canonical(_column(lb, "LBREASND"), "LBREASND").is_in(list(_INADEQUATE)).fill_null(False)
    columns = {
        **{
            "TEST": test,
            "SPEC": canonical(_column(lb, "LBSPEC"), "LBSPEC"),
            "VALUE": value,
            "BELOW": below,
            "POSITIVE": (text == "POSITIVE").fill_null(False),
        },
        **{"LLOQ": lloq, "LOD": lod, "DONE": done, "TAKEN": _column(lb, "LBSTAT").is_null(), "METHOD": _column(lb, "LBMETHOD")},
    }
    return _table(lb, columns, types)


def _lesions(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    types = {"PRESENT": pl.Int8}
    fa = days.get("FA")
    if fa is None:
        return _empty(types)
    fa = fa.filter(canonical(_column(fa, "FAOBJ"), "FAOBJ") == "EXTRAMEDULLARY DISEASE")
    word = canonical(pl.coalesce(_column(fa, "FASTRESC"), _column(fa, "FAORRES")), "FASTRESC")
    return _table(
        fa, {"PRESENT": word.replace_strict({"PRESENT": 1, "ABSENT": 0, "NOT DONE": -1}, default=-1, return_dtype=pl.Int8)}, types
    )


def _kinds(days: dict[str, pl.DataFrame], domain: str, variable: str, codes: str) -> pl.DataFrame:
    frame = days.get(domain)
    if frame is None:
        return _empty({"KIND": pl.String})
    raw = _column(frame, variable)
    return _table(frame, {"KIND": pl.coalesce(canonical(raw, codes), raw.str.to_uppercase())}, {"KIND": pl.String})


def _procedures(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return _kinds(days, "PR", "PRTRT", "PRTRT")


def _therapies(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    types = {"KIND": pl.String, "TRT": pl.String}
    cm = days.get("CM")
    if cm is None:
        return _empty(types)
    raw = _column(cm, "CMCAT")
    kind = pl.coalesce(canonical(raw, "CMCAT"), raw.str.to_uppercase(), pl.lit("OTHER"))
    return _table(cm, {"KIND": kind, "TRT": _column(cm, "CMTRT").str.to_uppercase()}, types)


def _survival(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    ss = days.get("SS")
    if ss is None:
        return _empty({"ALIVE": pl.Boolean})
    ss = ss.filter(canonical(_column(ss, "SSTESTCD"), "SSTESTCD").fill_null("SURVSTAT") == "SURVSTAT")
    word = canonical(_column(ss, "SSSTRESC"), "SSSTRESC")
    status = pl.when(word == "ALIVE").then(True).when(word == "DEAD").then(False)
    return _table(ss, {"ALIVE": status}, {"ALIVE": pl.Boolean}).filter(pl.col("ALIVE").is_not_null())


def _adverse(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    types = {
        **{"ENDDAY": pl.Int32, "ENDDAYX": pl.Int32, "DECOD": pl.String, "BODSYS": pl.String, "TOXGR": pl.Int8},
        **{"SER": pl.String, "REL": pl.String, "OUT": pl.String},
    }
    ae = days.get("AE")
    if ae is None:
        return _empty(types)
    columns = {
        **{"ENDDAY": pl.col("ENDDAY"), "ENDDAYX": pl.col("ENDDAYX"), "DECOD": _column(ae, "AEDECOD").str.to_uppercase().str.strip_chars()},
        **{"BODSYS": _column(ae, "AEBODSYS"), "TOXGR": canonical(_column(ae, "AETOXGR"), "AETOXGR").cast(pl.Int8, strict=False)},
        **{"SER": _column(ae, "AESER"), "REL": _column(ae, "AEREL"), "OUT": _column(ae, "AEOUT")},
    }
    return _table(ae, columns, types, dated=False)


def _deaths(days: dict[str, pl.DataFrame], subjects: pl.DataFrame, source: Source) -> pl.DataFrame:
    """One row by subject that died: the first source, in the order DM, DS, AE, SS, that has a date."""
    found = []
    dm = days["DM"]
    dead = (canonical(_column(dm, "DTHFL"), "DTHFL") == "Y").fill_null(False) | _column(dm, "DTHDTC").is_not_null()
    offset = pl.col("DATED")
    when = earliest_day(_column(dm, "DTHDTC")), latest_day(_column(dm, "DTHDTC"))
    studyday = _column(dm, "DTHDY", pl.Float64).floor().cast(pl.Int32)
    counted = studyday - pl.col("DYZERO") + pl.when((pl.col("DYZERO") >= 1) & (studyday < 0)).then(1).otherwise(0)
    found.append(
        dm.filter(dead).select(
            "SUBJ",
            pl.when(offset).then(pl.coalesce(when[0], pl.col("DAY0") + counted)).otherwise(counted).cast(pl.Int32).alias("DAY"),
            pl.when(offset).then(pl.coalesce(when[1], pl.col("DAY0") + counted)).otherwise(counted).cast(pl.Int32).alias("DAYX"),
            pl.lit(None, dtype=pl.Int64).alias("SEQ"),
            pl.lit("DM").alias("SRCDOM"),
            pl.lit("DTHDTC").alias("SRCVAR"),
        )
    )
    for domain, variable, date, dead_words in (
        ("DS", "DSDECOD", "DSSTDTC", ("DEATH",)),
        ("AE", "AEOUT", "AEENDTC", ("FATAL",)),
        ("SS", "SSSTRESC", "SSDTC", ("DEAD",)),
    ):
        frame = days.get(domain)
        if frame is None:
            continue
        died = canonical(_column(frame, variable), variable).is_in(list(dead_words)).fill_null(False)
        first, last = ("ENDDAY", "ENDDAYX") if domain == "AE" else ("DAY", "DAYX")
        if domain == "AE":
            grade = canonical(_column(frame, "AETOXGR"), "AETOXGR") == "5"
            died = died | grade.fill_null(False)
        found.append(
            frame.filter(died).select(
                "SUBJ",
                pl.col(first).alias("DAY"),
                pl.col(last).alias("DAYX"),
                "SEQ",
                pl.lit(domain).alias("SRCDOM"),
                pl.lit(date).alias("SRCVAR"),
            )
        )
    everything = pl.concat([frame.with_columns(pl.lit(i).alias("RANK")) for i, frame in enumerate(found)])
    without = everything.group_by("SUBJ").agg(pl.col("DAY").is_not_null().any().alias("KNOWN")).filter(~pl.col("KNOWN")).sort("SUBJ")
    if not without.is_empty():
        subject = subjects["USUBJID"][without["SUBJ"][0]]
        raise InputError(
            f"subject {subject} died, and no source has a date of death",
            file=source.file_of("DM"),
            key="DTHDTC",
            right="Give the date, at least its year, in DM, DS, AE or SS",
        )
    return (
        everything.filter(pl.col("DAY").is_not_null())
        .sort("SUBJ", "RANK", "DAY", "SEQ", nulls_last=True)
        .unique("SUBJ", keep="first", maintain_order=True)
        .select("SUBJ", "DAY", "DAYX", "SRCDOM", "SRCVAR", "SEQ")
    )
