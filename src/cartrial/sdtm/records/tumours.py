"""What was measured of lymphoma? Lesions and the spleen (TU, TR), uptake by PET (FA), and involvement of the marrow (MI, LB, FA).

TU says what a lesion is and where, TR how long it was, by TULNKID and TRLNKID. A reader is the one of TREVAL and TREVALID, the investigator
where they are blank; what TU and FA say without a reader is said of every reader.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cartrial.sdtm.records.codes import ADJUDICATOR, INV, IRC, READER1, READER2
from cartrial.sdtm.vocabulary.imaging.codes import ABSENT, NEW_LESION, SPLEEN, TARGET, TOO_SMALL
from cartrial.sdtm.vocabulary.imaging.words import (
    CHANGES,
    GROUPS,
    LENGTHS,
    MILLIMETRES,
    STATES,
    asks,
    involvement,
    is_marrow,
    is_nodal,
    of_lymphoma,
    says_new,
    score_of,
    worsens,
)
from cartrial.sdtm.vocabulary.terms import canonical, normalised, value_of

__all__ = ["IMAGING", "table_imaging"]

IMAGING: Mapping[str, Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "lesions": {
        **{"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32, "READER": pl.Int8, "LESION": pl.String, "KIND": pl.Int8},
        **{"NODAL": pl.Boolean, "PET": pl.Boolean, "AREA": pl.Float64, "LONG": pl.Float64, "SHORT": pl.Float64, "STATE": pl.Int8},
        **{"JOINED": pl.Boolean, "ACCEPTED": pl.Boolean, "SEQ": pl.Int64},
    },
    "uptake": {
        **{"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32, "READER": pl.Int8, "SCORE": pl.Int8, "CHANGE": pl.Int8},
        **{"NEW": pl.Boolean, "AVID": pl.Boolean, "SEQ": pl.Int64},
    },
    "marrow": {"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32, "INVOLVED": pl.Int8, "SEQ": pl.Int64},
    "worsened": {"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32, "SEQ": pl.Int64},
}
"""The tables of imaging and their columns.

`lesions`: KIND is TARGET, NON_TARGET, NEW_LESION or SPLEEN (`cartrial.sdtm.vocabulary.imaging.codes`); PET: the lesion was identified by
PET; AREA, LONG and SHORT in mm^2 and mm, null where not measured; STATE as TUMSTATE says, JOINED: split or merged lesions. `uptake`: SCORE
1 to 5, 0 for X, -1 not evaluable; CHANGE -1, 0, 1; NEW: a new avid lesion; AVID: avid disease, without a score. `marrow`: INVOLVED 0, 1, 2
(said to be new). `worsened`: clinical deterioration.
"""

_PART, _PART_UNSAID = r"^(.*?)[ .\-_]?(?:[A-Z]|\d)$", r"^(.+?)(?:[.\-_]\d|[A-Z])$"
_MERGED = r"\s*[/+&]\s*"


def table_imaging(days: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the tables of imaging: see `IMAGING`."""
    lesions = _lesions(days)
    uptake = _uptake(days, lesions.select("SUBJ", "READER").unique())
    return {"lesions": lesions, "uptake": uptake, "marrow": _marrow(days), "worsened": _worsened(days)}


def _shaped(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    columns = [pl.col(column).cast(dtype, strict=False) for column, dtype in IMAGING[name].items()]
    return frame.select(columns).filter(pl.col("DAY").is_not_null()).sort("SUBJ", "DAY", "SEQ", maintain_order=True)


def _nothing(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(IMAGING[name]))


def _reader(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Return the reader of each record, null where nobody is named."""
    evaluator, who = canonical(value_of(frame, f"{domain}EVAL"), "RSEVAL"), canonical(value_of(frame, f"{domain}EVALID"), "RSEVALID")
    judge = pl.when((evaluator == "ADJUDICATOR") | (who == "ADJUDICATOR")).then(ADJUDICATOR)
    named = judge.when(evaluator == "INVESTIGATOR").then(INV).when(who == "READER 1").then(READER1).when(who == "READER 2").then(READER2)
    return named.when(evaluator == "INDEPENDENT ASSESSOR").then(IRC).cast(pl.Int8)


def _group(frame: pl.DataFrame, *names: str) -> pl.Expr:
    found = [normalised(value_of(frame, name)).replace_strict(GROUPS, default=None, return_dtype=pl.Int8) for name in names]
    return pl.coalesce(found)


def _link(frame: pl.DataFrame, domain: str) -> pl.Expr:
    return pl.coalesce(normalised(value_of(frame, f"{domain}LNKID")), normalised(value_of(frame, f"{domain}REFID")))


def _identified(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return what TU says of each lesion: SUBJ, READER (null: of any), LESION, KIND, PLACE, PET; and of split ones that they are parts."""
    tu = days.get("TU")
    if tu is None:
        none = {"SUBJ": pl.Int32, "READER": pl.Int8, "LESION": pl.String, "KIND": pl.Int8, "PLACE": pl.String, "PET": pl.Boolean}
        return pl.DataFrame(schema={**none, "SPLIT": pl.Boolean})
    frame = tu.select(
        "SUBJ",
        _reader(tu, "TU").alias("READER"),
        _link(tu, "TU").alias("LESION"),
        _group(tu, "TUSTRESC", "TUORRES", "TUGRPID").alias("KIND"),
        normalised(value_of(tu, "TULOC")).alias("PLACE"),
        normalised(value_of(tu, "TUMETHOD")).str.contains("PET").fill_null(False).alias("PET"),
        normalised(value_of(tu, "TUTESTCD")).str.contains("SPLIT").fill_null(False).alias("SPLIT"),
    )
    first = [pl.col(name).drop_nulls().first() for name in ("KIND", "PLACE")]
    return frame.drop_nulls("LESION").group_by("SUBJ", "READER", "LESION", maintain_order=True).agg(*first, pl.col("PET", "SPLIT").any())


def _lesions(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    tr = days.get("TR")
    if tr is None:
        return _nothing("lesions")
    number, unit = _number(tr)
    test = normalised(value_of(tr, "TRTESTCD")).replace_strict(LENGTHS, default=None, return_dtype=pl.String)
    word = pl.coalesce(normalised(value_of(tr, name)).replace_strict(STATES, default=None, return_dtype=pl.Int8) for name in _WORDS)
    rows = tr.select(
        *("SUBJ", "DAY", "DAYX", "SEQ"),
        _reader(tr, "TR").fill_null(INV).alias("READER"),
        pl.coalesce(_link(tr, "TR"), normalised(value_of(tr, "TRGRPID"))).alias("LESION"),
        _group(tr, "TRGRPID").alias("GROUP"),
        normalised(value_of(tr, "TRLOC")).alias("TRPLACE"),
        (canonical(value_of(tr, "TRACPTFL"), "RSACPTFL") == "Y").fill_null(False).alias("ACCEPTED"),
        *(pl.when(test == name).then(number * unit).round_sig_figs(12).alias(name) for name in ("LONG", "SHORT")),
        pl.when(test.is_not_null()).then(word).alias("STATE"),
    )
    rows = rows.filter(pl.col("LESION").is_not_null() & pl.any_horizontal(pl.col("LONG", "SHORT", "STATE").is_not_null()))
    rows = rows.with_columns((pl.col("ACCEPTED") & (pl.col("READER") != INV)).alias("ACCEPTED"))
    key = ["SUBJ", "READER", "DAY", "DAYX", "LESION"]
    highest = pl.col("LONG", "SHORT", "STATE", "GROUP").max()
    rows = rows.group_by(key, maintain_order=True).agg(
        highest, pl.col("TRPLACE").drop_nulls().first(), pl.col("ACCEPTED").any(), pl.col("SEQ").min()
    )
    return _shaped(_joined(_placed(rows, _identified(days)), key), "lesions")


_WORDS = ("TRSTRESC", "TRORRES", "TRREASND")


def _number(frame: pl.DataFrame) -> tuple[pl.Expr, pl.Expr]:
    """Return the number of each record of TR and the millimetres in its unit, null where the unit is no length."""
    standard = pl.coalesce(value_of(frame, "TRSTRESN", pl.Float64), value_of(frame, "TRSTRESC").cast(pl.Float64, strict=False))
    collected = value_of(frame, "TRORRES").cast(pl.Float64, strict=False)
    of_standard, of_collected = (normalised(value_of(frame, name)) for name in ("TRSTRESU", "TRORRESU"))
    unit = pl.when(standard.is_not_null()).then(pl.coalesce(of_standard, of_collected)).otherwise(pl.coalesce(of_collected, of_standard))
    number = pl.coalesce(standard, collected)
    known = unit.replace_strict(MILLIMETRES, default=None, return_dtype=pl.Float64)
    return pl.when(number >= 0).then(number), pl.when(unit.is_null()).then(1.0).otherwise(known)


def _placed(rows: pl.DataFrame, identified: pl.DataFrame) -> pl.DataFrame:
    """Add what each lesion is, where, and how it was seen: by its own reader's TU, else by one that names none."""
    own, any_one = identified.drop_nulls("READER"), identified.filter(pl.col("READER").is_null()).drop("READER")
    by_name = identified.unique(["SUBJ", "LESION"], keep="first", maintain_order=True).select("SUBJ", "LESION", "SPLIT")
    rows = rows.with_columns(pl.col("LESION").str.split_exact("/", 0).struct.field("field_0").str.strip_chars().alias("NAME"))
    # a part of a lesion that was split is what the lesion was: T01.1 of T01
    parts = rows.select("SUBJ", "NAME").unique().join(by_name, left_on=["SUBJ", "NAME"], right_on=["SUBJ", "LESION"], how="left")
    said = pl.when("SPLIT").then(pl.col("NAME").str.extract(_PART, 1)).otherwise(pl.col("NAME").str.extract(_PART_UNSAID, 1))
    parts = parts.with_columns(said.alias("PARENT"))
    known = by_name.select("SUBJ", pl.col("LESION").alias("PARENT"), pl.lit(True).alias("KNOWN"))
    parts = parts.join(known, on=["SUBJ", "PARENT"], how="left").filter(pl.col("KNOWN") & pl.col("SPLIT").fill_null(True))
    rows = rows.join(parts.select("SUBJ", "NAME", "PARENT"), on=["SUBJ", "NAME"], how="left", maintain_order="left")
    rows = rows.with_columns(pl.coalesce("PARENT", "NAME").alias("NAME"))
    rows = rows.join(
        own.drop("SPLIT"), left_on=["SUBJ", "READER", "NAME"], right_on=["SUBJ", "READER", "LESION"], how="left", maintain_order="left"
    )
    rows = rows.join(
        any_one.drop("SPLIT"), left_on=["SUBJ", "NAME"], right_on=["SUBJ", "LESION"], how="left", maintain_order="left", suffix="_ANY"
    )
    place = pl.coalesce("PLACE", "PLACE_ANY", "TRPLACE")
    kind = pl.coalesce("KIND", "KIND_ANY", "GROUP")
    spleen = place.str.contains("SPLEEN").fill_null(False) | pl.col("NAME").str.contains("SPLEEN")
    measured = (pl.col("LONG").is_not_null() & spleen).any().over("SUBJ", "READER", "NAME")
    organ = measured & ~kind.is_in([TARGET, NEW_LESION]).fill_null(False)
    return rows.with_columns(
        pl.when(organ).then(SPLEEN).otherwise(kind).alias("KIND"),
        is_nodal(place).alias("NODAL"),
        pl.coalesce("PET", "PET_ANY").fill_null(False).alias("PET"),
    ).filter(pl.col("KIND").is_not_null())


def _joined(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return one row a lesion: parts of a split one are added up; a merged one counts under its first name, the others as gone."""
    both = pl.col("LONG").is_not_null() & pl.col("SHORT").is_not_null()
    longest, shortest = pl.max_horizontal("LONG", "SHORT"), pl.min_horizontal("LONG", "SHORT")
    unseen = (pl.col("STATE") == ABSENT) | (pl.col("LONG") == 0)
    small = pl.col("STATE") == TOO_SMALL
    length = pl.when(both | (pl.col("KIND") != TARGET)).then(longest)
    size = [
        pl.when(both).then(pl.col(name)).when(small).then(SMALL).when(unseen).then(0.0).otherwise(other).alias(name)
        for name, other in (("LONG", length), ("SHORT", pl.when(both).then(shortest)))
    ]
    rows = rows.with_columns(
        pl.when(both).then(longest).otherwise("LONG").alias("LONG"), pl.when(both).then(shortest).otherwise("SHORT").alias("SHORT")
    )
    # a length of 0 says that the lesion is gone
    state = pl.when(pl.col("STATE").is_null() & (pl.col("LONG") == 0)).then(pl.lit(ABSENT, dtype=pl.Int8)).otherwise("STATE").alias("STATE")
    rows = rows.with_columns(*size, state).with_columns((pl.col("LONG") * pl.col("SHORT")).round_sig_figs(12).alias("AREA"))
    names = pl.col("LESION").str.replace_all(_MERGED, "/").str.split("/")
    others = rows.with_columns(names.list.slice(1).alias("OTHER")).filter(pl.col("OTHER").list.len() > 0).explode("OTHER")
    gone = [pl.lit(0.0).alias(name) for name in ("AREA", "LONG", "SHORT")]
    others = others.with_columns(pl.col("OTHER").alias("NAME"), pl.lit(ABSENT, dtype=pl.Int8).alias("STATE"), *gone)
    rows = pl.concat([rows, others.select(rows.columns)])
    joined = (pl.len() > 1) | (pl.col("LESION") != pl.col("NAME")).any()
    by_size = rows.sort("LONG", descending=True, nulls_last=True, maintain_order=True).group_by([*key[:-1], "NAME"], maintain_order=True)
    return by_size.agg(
        pl.col("KIND", "NODAL", "LONG", "SHORT").first(),
        pl.when(pl.col("AREA").is_not_null().all()).then(pl.col("AREA").sum().round_sig_figs(12)).alias("AREA"),
        pl.col("STATE").max(),
        *(pl.col(name).any() for name in ("PET", "ACCEPTED")),
        joined.alias("JOINED"),
        pl.col("SEQ").min(),
    ).rename({"NAME": "LESION"})


SMALL = 5.0
"""Both diameters of a lesion that is too small to measure. Unit: mm."""


def _uptake(days: dict[str, pl.DataFrame], readers: pl.DataFrame) -> pl.DataFrame:
    fa = days.get("FA")
    if fa is None:
        return _nothing("uptake")
    fa = fa.with_columns(pl.coalesce(value_of(fa, "FASTRESC"), value_of(fa, "FAORRES"), value_of(fa, "FASTRESN")).alias("__SAID"))
    what = asks(fa)
    said = normalised(pl.col("__SAID"))
    yes = canonical(pl.col("__SAID"), "FASTRESC") == "PRESENT"
    rows = fa.filter(of_lymphoma(fa)).select(
        *("SUBJ", "DAY", "DAYX", "SEQ"),
        _reader(fa, "FA").alias("READER"),
        pl.when(what == "SCORE").then(score_of(said)).cast(pl.Int8).alias("SCORE"),
        pl.when(what == "CHANGE").then(said.replace_strict(CHANGES, default=None, return_dtype=pl.Int8)).alias("CHANGE"),
        (((what == "NEW") & yes) | ((what == "SCORE") & says_new(said))).fill_null(False).alias("NEW"),
        ((what == "AVID") & yes).fill_null(False).alias("AVID"),
        what.alias("WHAT"),
    )
    rows = rows.filter(pl.col("WHAT").is_not_null())
    named = rows.drop_nulls("READER")
    unnamed = (
        rows.filter(pl.col("READER").is_null())
        .drop("READER")
        .join(readers, on="SUBJ", how="left")
        .with_columns(pl.col("READER").fill_null(INV))
    )
    rows = pl.concat([named, unnamed.select(named.columns)])
    # the worst site counts: of one date the highest score and change
    rows = rows.group_by("SUBJ", "READER", "DAY", "DAYX").agg(
        pl.col("SCORE", "CHANGE").max(), pl.col("NEW", "AVID").any(), pl.col("SEQ").min()
    )
    return _shaped(rows, "uptake")


def _worsened(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the days on which FA says that the subject was clinically worse."""
    fa = days.get("FA")
    if fa is None:
        return _nothing("worsened")
    yes = canonical(pl.coalesce(value_of(fa, "FASTRESC"), value_of(fa, "FAORRES")), "FASTRESC") == "PRESENT"
    return _shaped(fa.filter(worsens(fa) & yes), "worsened")


def _marrow(days: dict[str, pl.DataFrame]) -> pl.DataFrame:
    parts = []
    for domain in ("MI", "LB", "FA"):
        frame = days.get(domain)
        if frame is None:
            continue
        said = pl.coalesce(value_of(frame, f"{domain}STRESC"), value_of(frame, f"{domain}ORRES"))
        rows = frame.with_columns(involvement(said).alias("INVOLVED")).filter(is_marrow(frame, domain) & pl.col("INVOLVED").is_not_null())
        parts.append(rows.select("SUBJ", "DAY", "DAYX", "INVOLVED", "SEQ"))
    if not parts:
        return _nothing("marrow")
    return _shaped(pl.concat(parts), "marrow").unique(["SUBJ", "DAY", "DAYX", "INVOLVED"], keep="first", maintain_order=True)
