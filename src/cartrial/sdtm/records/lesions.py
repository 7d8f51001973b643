"""Where is disease outside the marrow, by what was seen, by the cerebrospinal fluid, and by a biopsy?"""

from __future__ import annotations

import polars as pl

from cartrial.sdtm.records.masses import with_sizes
from cartrial.sdtm.vocabulary.occurrence import OF_CNS, cns_status, says_presence, undone
from cartrial.sdtm.vocabulary.results import NEGATIVE, result_bounds, result_columns
from cartrial.sdtm.vocabulary.specimens import OF_CNS_PLACE, OF_MARROW, OF_TESTIS, place_of, read_biopsies
from cartrial.sdtm.vocabulary.terms import CODE_LISTS, canonical, normalised, value_of
from cartrial.sdtm.vocabulary.units import microlitre_factor

__all__ = ["ABSENT", "PRESENT", "SUSPECTED", "table_lesions"]

NOT_DONE, ABSENT, PRESENT, SUSPECTED = -1, 0, 1, 2
"""What a record says of disease outside the marrow; suspected: it needs a biopsy, and there is none."""

BIOPSY_DAYS = 14
"""A biopsy so many days before or after proves, or disproves, what was seen."""

WHITE, RED, TWICE = 5.0, 10.0, 2.0
"""White cells from which blasts in the fluid are CNS3; red cells from which a tap is traumatic. Unit: cells/uL. How many times white/red
in blood the fluid must have for CNS3 then."""

_SCHEMA = {"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32, "PRESENT": pl.Int8, "CNS": pl.Int8, "SEQ": pl.Int64, "FROM": pl.String}
_WORDS = {"PRESENT": PRESENT, "ABSENT": ABSENT, "NOT DONE": NOT_DONE}
_COUNTS = {
    "WHITE": ("WBC", "LEUK", "LEUKOCYTES", "WHITE BLOOD CELLS", "WHITE CELLS"),
    "RED": ("RBC", "ERY", "ERYTHROCYTES", "RED BLOOD CELLS", "RED CELLS"),
}
_NEAR = 7


def table_lesions(days: dict[str, pl.DataFrame], subjects: pl.DataFrame, *, every_site: bool = False, third: bool = False) -> pl.DataFrame:
    """Return disease outside the marrow: seen (FA), by the status of the central nervous system (FA, RS) and by its fluid (LB).

    Parameters
    ----------
    days : dict of str to polars.DataFrame
        The domains, with days.
    subjects : polars.DataFrame
        SUBJ and DAY0.
    every_site : bool
        Whether disease seen after day 0 needs a biopsy at every site but the central nervous system; else of the testis alone.
    third : bool
        Whether a mediastinal mass of at most a third of its first size is none.

    Returns
    -------
    polars.DataFrame
        SUBJ, DAY, DAYX, PRESENT (1, 0, -1 not done, 2 suspected), CNS (1 to 3, null), SEQ and FROM, the domain of the record.

    Notes
    -----
    Of FA those records are read whose test says whether it is there (`says_presence`), and every word CNS1 to CNS3.
    CNS3 is present, CNS1 and CNS2 are absent. From the fluid: CNS1 without blasts; with blasts CNS3 from 5 white cells/uL on, else CNS2. In
    a traumatic tap (10 red cells/uL or more) CNS3 only where white/red in the fluid is more than twice that of blood, counted within 7
    days. What needs a biopsy (MI) is present with a positive one within 14 days, absent with a negative one, else suspected.
    """
    parts = [_seen(days, subjects, every_site=every_site, third=third), _by_reader(days), _by_fluid(days)]
    found = [part.select(pl.col(name).cast(dtype) for name, dtype in _SCHEMA.items()) for part in parts if part is not None]
    if not found:
        return pl.DataFrame(schema=_SCHEMA)
    return pl.concat(found).filter(pl.col("DAY").is_not_null()).sort("SUBJ", "DAY", "SEQ", maintain_order=True)


def _seen(days: dict[str, pl.DataFrame], subjects: pl.DataFrame, *, every_site: bool, third: bool) -> pl.DataFrame | None:
    fa = days.get("FA")
    if fa is None:
        return None
    what = canonical(value_of(fa, "FAOBJ"), "FAOBJ")
    result, collected = value_of(fa, "FASTRESC"), value_of(fa, "FAORRES")
    word = canonical(pl.coalesce(result, collected), "FASTRESC").replace_strict(_WORDS, default=None, return_dtype=pl.Int8)
    status = pl.coalesce(cns_status(collected), cns_status(result))
    place = place_of(fa, "FALOC")
    nervous = status.is_not_null() | (place + pl.lit(" ") + normalised(value_of(fa, "FAOBJ")).fill_null("")).str.contains(OF_CNS_PLACE)
    fa = fa.with_columns(
        pl.coalesce(word, (status == 3).cast(pl.Int8), pl.lit(NOT_DONE, dtype=pl.Int8)).alias("PRESENT"),
        status.alias("CNS"),
        pl.lit("FA").alias("FROM"),
        what.alias("WHAT"),
        place.alias("PLACE"),
        nervous.alias("NERVOUS"),
        normalised(value_of(fa, "FAMETHOD")).str.contains("BIOPSY").fill_null(False).alias("BIOPSY"),
    )
    fa = with_sizes(fa, absent=ABSENT, present=PRESENT, suspected=SUSPECTED) if third else fa.with_columns(MEASURED=pl.lit(False))
    known = says_presence(fa) | pl.col("CNS").is_not_null() | pl.col("MEASURED")
    fa = fa.filter(pl.col("WHAT").is_in(list(CODE_LISTS["FAOBJ"].terms)) & known)
    zero = fa.select("SUBJ").join(subjects.select("SUBJ", "DAY0"), on="SUBJ", how="left", maintain_order="left")["DAY0"]
    after = (pl.lit(zero) < pl.col("DAY")).fill_null(False)
    testis = pl.col("WHAT") == "TESTICULAR DISEASE"
    asked = testis | (after & ~pl.col("NERVOUS") if every_site else pl.lit(False)) | (pl.col("PRESENT") == SUSPECTED)
    fa = fa.with_columns((asked & ~pl.col("BIOPSY") & pl.col("PRESENT").is_in([PRESENT, SUSPECTED])).alias("ASKED"), testis.alias("TESTIS"))
    enlarged = fa.filter("ASKED")
    if enlarged.is_empty():
        return fa
    return pl.concat([fa.filter(~pl.col("ASKED")), _proven(enlarged, days.get("MI"))])


def _proven(enlarged: pl.DataFrame, mi: pl.DataFrame | None) -> pl.DataFrame:
    """Say of each place what its biopsies found: disease in one of them, none in any, or nothing known.

    A biopsy of a testis is of the testes, another one of the place that FALOC names; where it names none, of any place but those that no
    biopsy proves.
    """
    suspected = pl.lit(SUSPECTED, dtype=pl.Int8)
    if mi is None:
        return enlarged.with_columns(suspected.alias("PRESENT"))
    read = read_biopsies(mi).filter(pl.col("SHOWN").is_not_null() & (pl.col("PLACE") != ""))
    taken = read.select("SUBJ", pl.col("DAY").alias("TAKEN"), pl.col("PLACE").alias("FROM_PLACE"), pl.col("SHOWN").cast(pl.Int8))
    near = enlarged.select("SUBJ", "DAY", "SEQ", "TESTIS", "PLACE").join(taken, on="SUBJ")
    near = near.filter((pl.col("TAKEN") - pl.col("DAY")).abs() <= BIOPSY_DAYS)
    of, seen = pl.col("FROM_PLACE"), pl.col("PLACE")
    of_testis = of.str.contains(OF_TESTIS)
    elsewhere = ~of_testis & ~of.str.contains(OF_MARROW)
    same = (seen == "") | of.str.contains(seen, literal=True) | seen.str.contains(of, literal=True)
    near = near.filter(pl.when("TESTIS").then(of_testis).otherwise(elsewhere & same))
    near = near.group_by("SUBJ", "DAY", "SEQ").agg(pl.col("SHOWN").max())
    joined = enlarged.join(near, on=["SUBJ", "DAY", "SEQ"], how="left", maintain_order="left", nulls_equal=True)
    return joined.with_columns(pl.coalesce("SHOWN", suspected).alias("PRESENT")).select(enlarged.columns)


def _by_reader(days: dict[str, pl.DataFrame]) -> pl.DataFrame | None:
    """Statuses of the central nervous system among the assessments of readers."""
    rs = days.get("RS")
    if rs is None or "RSTESTCD" not in rs.columns:
        return None
    status = cns_status(pl.coalesce(value_of(rs, "RSSTRESC"), value_of(rs, "RSORRES")))
    rs = rs.with_columns(status.alias("CNS"), pl.lit("RS").alias("FROM"))
    rs = rs.filter(normalised(value_of(rs, "RSTESTCD")).is_in(OF_CNS) & pl.col("CNS").is_not_null())
    return rs.with_columns((pl.col("CNS") == 3).cast(pl.Int8).alias("PRESENT"))


def _by_fluid(days: dict[str, pl.DataFrame]) -> pl.DataFrame | None:
    """Statuses of the central nervous system by blasts and cells in cerebrospinal fluid, one a date."""
    lb = days.get("LB")
    if lb is None or "LBSPEC" not in lb.columns:
        return None
    specimen = canonical(value_of(lb, "LBSPEC"), "LBSPEC")
    if not lb.select((specimen == "CSF").any()).item():
        return None
    lb = lb.filter((pl.col("DAY") == pl.col("DAYX")) & ~undone(lb, "LB")).with_columns(specimen.alias("SPEC"))
    fluid = lb.filter(pl.col("SPEC") == "CSF")
    looked = fluid.with_columns(result_columns(fluid)).filter(pl.col("TEST") == "BLAST").with_columns(result_bounds())
    some = pl.when(pl.col("LOW") > 0).then(True).when((pl.col("HIGH") == 0) | (pl.col("REL") == NEGATIVE)).then(False)
    key = ["SUBJ", "DAY"]
    blasts = looked.group_by(key).agg(some.max().alias("BLASTS"), pl.col("SEQ").first(), pl.col("DAYX").first()).drop_nulls("BLASTS")
    fluid_counts, blood = _counts(fluid), _counts(lb.filter(pl.col("SPEC") == "BLOOD")).drop_nulls()
    in_blood = blood.select("SUBJ", pl.col("DAY").alias("DRAWN"), (pl.col("WHITE") / pl.col("RED")).alias("BLOODRATIO"))
    near = blasts.select(key).join(in_blood, on="SUBJ").with_columns((pl.col("DRAWN") - pl.col("DAY")).abs().alias("GAP"))
    near = near.filter(pl.col("GAP") <= _NEAR).sort(*key, "GAP", "DRAWN").unique(key, keep="first", maintain_order=True)
    known = blasts.join(fluid_counts, on=key, how="left").join(near.select(*key, "BLOODRATIO"), on=key, how="left")
    traumatic = (pl.col("RED") >= RED).fill_null(False)
    own = (pl.col("WHITE") / pl.col("RED") > TWICE * pl.col("BLOODRATIO")).fill_null(False)
    third = (pl.col("WHITE") >= WHITE).fill_null(False) & (~traumatic | own)
    status = pl.when(~pl.col("BLASTS")).then(1).when(third).then(3).otherwise(2)
    return known.with_columns(status.alias("CNS"), (pl.col("BLASTS") & third).cast(pl.Int8).alias("PRESENT"), pl.lit("LB").alias("FROM"))


def _counts(lb: pl.DataFrame) -> pl.DataFrame:
    """Return white and red cells by SUBJ and DAY, the highest of a date. Unit: cells/uL."""
    code, unit = normalised(value_of(lb, "LBTESTCD")), pl.coalesce(value_of(lb, "LBSTRESU"), value_of(lb, "LBORRESU"))
    number = pl.coalesce(value_of(lb, "LBSTRESN", pl.Float64), value_of(lb, "LBSTRESC").cast(pl.Float64, strict=False))
    counted = (number * microlitre_factor(unit)).round_sig_figs(12)
    return lb.group_by("SUBJ", "DAY").agg(counted.filter(code.is_in(names)).max().alias(name) for name, names in _COUNTS.items())
