"""Which tables by subject and day do the SDTM domains make? One function a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from cartrial.sdtm.records.codes import MODALITIES, READERS
from cartrial.sdtm.vocabulary.occurrence import undone
from cartrial.sdtm.vocabulary.response_criteria import is_call, modality_of, status_of
from cartrial.sdtm.vocabulary.results import result_columns
from cartrial.sdtm.vocabulary.terms import canonical, normalised, value_of
from cartrial.study.criteria.codes import RESPONSES

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = [
    "table_adverse",
    "table_calls",
    "table_doses",
    "table_kinds",
    "table_labs",
    "table_survival",
    "table_therapies",
]

Types = Mapping[str, pl.DataType | type[pl.DataType]]
_ONGOING = ["ONGOING", "AFTER", "DURING/AFTER"]
_INADEQUATE = ("HEMODILUTE", "ACELLULAR", "INADEQUATE")


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


def table_doses(study: Study, days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return EX: product, lymphodepletion or other."""
    types = {"KIND": pl.String, "TRT": pl.String, "AMOUNT": pl.Float64, "UNIT": pl.String}
    ex = days.get("EX")
    if ex is None:
        return _empty(types)
    name = value_of(ex, "EXTRT").str.to_uppercase().str.strip_chars()
    depleting = name.is_in(list(study.product.lymphodepletion) or [""])
    kind = pl.when(name.is_in(list(study.product.exposure))).then(pl.lit("PRODUCT")).when(depleting).then(pl.lit("LYMPHODEPLETION"))
    columns = {
        "KIND": kind.otherwise(pl.lit("OTHER")),
        "TRT": name,
        "AMOUNT": value_of(ex, "EXDOSE", pl.Float64),
        "UNIT": value_of(ex, "EXDOSU"),
    }
    return _table(ex, columns, types)


def table_calls(study: Study, days: dict[str, pl.DataFrame], *, dated: bool = True) -> pl.DataFrame:
    """Return RS: each reader's overall call, and whether it is accepted as the committee's (RSACPTFL); those of no day unless `dated`."""
    types: dict[str, type[pl.DataType]] = {"READER": pl.Int8, "RESP": pl.Int8, "ORRES": pl.String, "ACCEPTED": pl.Boolean}
    family = study.disease.family
    if family.modalities:
        types["MODALITY"] = pl.Int8
    rs = days.get("RS")
    if rs is None:
        return _empty(types)
    if "RSTESTCD" in rs.columns:
        rs = rs.filter(is_call(canonical(value_of(rs, "RSTESTCD"), "RSTESTCD"), value_of(rs, "RSCAT"), family))
    evaluator, who = canonical(value_of(rs, "RSEVAL"), "RSEVAL"), canonical(value_of(rs, "RSEVALID"), "RSEVALID")
    reader = (
        pl.when(evaluator == "INVESTIGATOR")
        .then(READERS.index("INV"))
        .when((evaluator == "ADJUDICATOR") | (who == "ADJUDICATOR"))
        .then(READERS.index("ADJUDICATOR"))
        .when(who == "READER 1")
        .then(READERS.index("READER 1"))
        .when(who == "READER 2")
        .then(READERS.index("READER 2"))
        .when((evaluator == "INDEPENDENT ASSESSOR") & value_of(rs, "RSEVALID").is_null())
        .then(READERS.index("IRC"))
    )
    call = status_of(value_of(rs, "RSSTRESC"), family).replace_strict(
        {name: i for i, name in enumerate(RESPONSES)}, default=None, return_dtype=pl.Int8
    )
    accepted = (reader != READERS.index("INV")) & (canonical(value_of(rs, "RSACPTFL"), "RSACPTFL") == "Y")
    collected = pl.coalesce(value_of(rs, "RSORRES"), value_of(rs, "RSSTRESC"))
    test, method = canonical(value_of(rs, "RSTESTCD"), "RSTESTCD"), value_of(rs, "RSMETHOD")
    columns = {
        **{"READER": reader, "RESP": call, "ORRES": collected, "ACCEPTED": accepted.fill_null(False)},
        "MODALITY": modality_of(test, method, family).replace_strict(MODALITIES, range(len(MODALITIES)), return_dtype=pl.Int8),
    }
    table = _table(rs, {name: columns[name] for name in types}, types, dated=dated)
    return table.filter(pl.col("READER").is_not_null() & pl.col("RESP").is_not_null())


def table_labs(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return LB in standard units.

    REL says how the result stands to its number (`cartrial.sdtm.vocabulary.results`): VALUE is null unless it was measured, LIMIT is
    x of a result as `<x`. TAKEN: there was a sample, if only a haemodilute one; DONE: it was adequate.
    """
    types = {
        **{"TEST": pl.String, "SPEC": pl.String, "VALUE": pl.Float64, "REL": pl.Int8, "LIMIT": pl.Float64},
        **{"LLOQ": pl.Float64, "LOD": pl.Float64, "DONE": pl.Boolean, "TAKEN": pl.Boolean, "METHOD": pl.String},
    }
    lb = days.get("LB")
    if lb is None:
        return _empty(types)
    said = ("TEST", "VALUE", "REL", "LIMIT", "LLOQ", "LOD")
    lb = lb.with_columns(result_columns(lb).select(pl.col(name).alias(f"__{name}") for name in said))
    inadequate = canonical(value_of(lb, "LBREASND"), "LBREASND").is_in(list(_INADEQUATE)).fill_null(False)
    done = ~undone(lb, "LB")
    columns = {
        **{name: pl.col(f"__{name}") for name in said},
        "SPEC": pl.coalesce(canonical(value_of(lb, "LBSPEC"), "LBSPEC"), normalised(value_of(lb, "LBSPEC"))),
        **{"DONE": done & ~inadequate, "TAKEN": done | inadequate, "METHOD": value_of(lb, "LBMETHOD")},
    }
    return _table(lb, {name: columns[name] for name in types}, types)


def table_kinds(days: dict[str, pl.DataFrame], domain: str, variable: str, codes: str) -> pl.DataFrame:
    """Return a domain whose records are kinds of events: DS, PR."""
    frame = days.get(domain)
    if frame is None:
        return _empty({"KIND": pl.String})
    raw = value_of(frame, variable)
    return _table(frame, {"KIND": pl.coalesce(canonical(raw, codes), raw.str.to_uppercase())}, {"KIND": pl.String})


def table_therapies(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return CM by category."""
    types = {"KIND": pl.String, "TRT": pl.String}
    cm = days.get("CM")
    if cm is None:
        return _empty(types)
    raw = value_of(cm, "CMCAT")
    kind = pl.coalesce(canonical(raw, "CMCAT"), raw.str.to_uppercase(), pl.lit("OTHER"))
    return _table(cm, {"KIND": kind, "TRT": value_of(cm, "CMTRT").str.to_uppercase()}, types)


def table_survival(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return SS: alive or dead."""
    ss = days.get("SS")
    if ss is None:
        return _empty({"ALIVE": pl.Boolean})
    ss = ss.filter(canonical(value_of(ss, "SSTESTCD"), "SSTESTCD").fill_null("SURVSTAT") == "SURVSTAT")
    word = canonical(value_of(ss, "SSSTRESC"), "SSSTRESC")
    status = pl.when(word == "ALIVE").then(True).when(word == "DEAD").then(False)
    return _table(ss, {"ALIVE": status}, {"ALIVE": pl.Boolean}).filter(pl.col("ALIVE").is_not_null())


def table_adverse(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return AE."""
    types = {
        **{"ENDDAY": pl.Int32, "ENDDAYX": pl.Int32, "DECOD": pl.String, "BODSYS": pl.String, "TOXGR": pl.Int8},
        **{"SER": pl.String, "REL": pl.String, "OUT": pl.String},
    }
    ae = days.get("AE")
    if ae is None:
        return _empty(types)
    # an event without an end of which a reference time says that it was going on has not ended
    ongoing = pl.any_horizontal(normalised(value_of(ae, name)).is_in(_ONGOING).fill_null(False) for name in ("AEENRTPT", "AEENRF"))
    outcome = pl.when(ongoing & pl.col("ENDDAY").is_null()).then(pl.lit("NOT RECOVERED/NOT RESOLVED"))
    columns = {
        **{"ENDDAY": pl.col("ENDDAY"), "ENDDAYX": pl.col("ENDDAYX"), "DECOD": value_of(ae, "AEDECOD").str.to_uppercase().str.strip_chars()},
        **{"BODSYS": value_of(ae, "AEBODSYS"), "TOXGR": canonical(value_of(ae, "AETOXGR"), "AETOXGR").cast(pl.Int8, strict=False)},
        **{"SER": value_of(ae, "AESER"), "REL": value_of(ae, "AEREL"), "OUT": pl.coalesce(value_of(ae, "AEOUT"), outcome)},
    }
    return _table(ae, columns, types, dated=False)
