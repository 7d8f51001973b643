"""Can lesions (TU, TR) and uptake (FA) be read as the criteria need them? Rules of studies whose criteria derive a status from them."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.vocabulary.dates import earliest_day, is_partial
from cartrial.sdtm.vocabulary.imaging.codes import NEW_LESION, TARGET
from cartrial.sdtm.vocabulary.imaging.words import (
    CHANGES,
    GROUPS,
    LENGTHS,
    MILLIMETRES,
    STATE_TEST,
    STATES,
    asks,
    is_nodal,
    of_lymphoma,
    score_of,
    worsens,
)
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import canonical, normalised, value_of

__all__ = ["IMAGING_RULES"]

MOST_TARGETS = 6
SMALL, SMALL_SPLEEN = 5.0, 50.0
"""A lesion and a spleen so short are hardly measured in mm. Unit: mm."""


def _domain(context: Context, name: str) -> pl.DataFrame | None:
    """Return what happened of a domain, with FILE; None where the study's criteria read no imaging, or nothing is there."""
    frame = context.source.domains.get(name)
    if context.study.disease.imaging is None or frame is None or frame.is_empty() or not set(SUBJECT) <= set(frame.columns):
        return None
    file = pl.lit(context.source.file_of(name), dtype=pl.String).alias("FILE")
    return frame.filter(happened(frame, name)).with_columns(file)


def _measures(context: Context) -> pl.DataFrame | None:
    """Return the records of TR that are read: NAME, TEST, NUMBER, UNIT, WORD, WHO (reader), DATE, and KIND and PLACE of TU."""
    tr = _domain(context, "TR")
    if tr is None:
        return None
    said = pl.coalesce(value_of(tr, "TRSTRESC"), value_of(tr, "TRORRES"), value_of(tr, "TRSTRESN"))
    number = pl.coalesce(value_of(tr, "TRSTRESN", pl.Float64), value_of(tr, "TRSTRESC").cast(pl.Float64, strict=False))
    rows = tr.select(
        *("FILE", "ROW", *SUBJECT),
        pl.coalesce(normalised(value_of(tr, name)) for name in ("TRLNKID", "TRREFID", "TRGRPID")).alias("NAME"),
        normalised(value_of(tr, "TRTESTCD")).replace_strict(LENGTHS, default=None, return_dtype=pl.String).alias("TEST"),
        pl.coalesce(number, value_of(tr, "TRORRES").cast(pl.Float64, strict=False)).alias("NUMBER"),
        pl.coalesce(value_of(tr, "TRSTRESU"), value_of(tr, "TRORRESU")).alias("UNIT"),
        said.alias("SAID"),
        pl.coalesce(normalised(value_of(tr, n)).replace_strict(STATES, default=None) for n in ("TRSTRESC", "TRORRES", "TRREASND")).alias(
            "STATE"
        ),
        pl.concat_str(value_of(tr, "TREVAL"), value_of(tr, "TREVALID"), separator=" ", ignore_nulls=True).alias("WHO"),
        value_of(tr, "TRDTC").alias("DATE"),
        normalised(value_of(tr, "TRGRPID")).replace_strict(GROUPS, default=None, return_dtype=pl.Int8).alias("GROUP"),
        normalised(value_of(tr, "TRLOC")).alias("TRPLACE"),
    ).filter(pl.col("TEST").is_not_null())
    tu = _domain(context, "TU")
    known = {"KIND": pl.Int8, "PLACE": pl.String, "TUSPLIT": pl.Boolean}
    if tu is None:
        return rows.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in known.items()).with_columns(KIND=pl.col("GROUP"))
    kinds = [
        normalised(value_of(tu, n)).replace_strict(GROUPS, default=None, return_dtype=pl.Int8) for n in ("TUSTRESC", "TUORRES", "TUGRPID")
    ]
    lesions = tu.select(
        *SUBJECT,
        pl.coalesce(normalised(value_of(tu, "TULNKID")), normalised(value_of(tu, "TUREFID"))).alias("NAME"),
        pl.coalesce(kinds).alias("KIND"),
        normalised(value_of(tu, "TULOC")).alias("PLACE"),
        normalised(value_of(tu, "TUTESTCD")).str.contains("SPLIT|MERG").fill_null(False).alias("TUSPLIT"),
    )
    each = [pl.col(name).drop_nulls().first() for name in ("KIND", "PLACE")]
    lesions = lesions.drop_nulls("NAME").group_by(*SUBJECT, "NAME", maintain_order=True).agg(*each, pl.col("TUSPLIT").any())
    rows = rows.join(lesions, on=[*SUBJECT, "NAME"], how="left", maintain_order="left")
    return rows.with_columns(pl.coalesce("KIND", "GROUP").alias("KIND"), pl.coalesce("PLACE", "TRPLACE").alias("PLACE"))


def _of_spleen() -> pl.Expr:
    """Whether the length is that of the spleen. Never null."""
    named = pl.col("NAME").str.contains("SPLEEN").fill_null(False) | pl.col("PLACE").str.contains("SPLEEN").fill_null(False)
    return named & ~pl.col("KIND").is_in([TARGET, NEW_LESION]).fill_null(False)


def _unread(context: Context) -> Iterator[pl.DataFrame]:
    rows = _measures(context)
    if rows is not None:
        lengths = rows.filter((pl.col("TEST") != STATE_TEST) & pl.col("SAID").is_not_null())
        unit = normalised(pl.col("UNIT"))
        other = lengths.filter(pl.col("NUMBER").is_not_null() & unit.is_not_null() & ~unit.is_in(list(MILLIMETRES)))
        message = pl.format("A length in '{}' ({}) cannot be brought to mm; known are mm and cm.", "UNIT", "COUNT")
        yield found(grouped(other, "UNIT"), message, domain="TR", variable="TRSTRESU")
        text = lengths.filter((pl.col("NUMBER").is_null() & pl.col("STATE").is_null()) | (pl.col("NUMBER") < 0))
        message = pl.format("'{}' ({}) is no length; it is a number from 0, ABSENT or TOO SMALL TO MEASURE.", "SAID", "COUNT")
        yield found(grouped(text, "SAID"), message, domain="TR", variable="TRSTRESC")
        low = pl.when(_of_spleen()).then(SMALL_SPLEEN).otherwise(SMALL)
        short = lengths.filter(unit.is_null() & (pl.col("NUMBER") > 0) & (pl.col("NUMBER") < low))
        message = pl.format("A length of {} ({}) without a unit may be in cm; TRSTRESU has to say mm or cm.", "SAID", "COUNT")
        yield found(grouped(short, "SAID"), message, domain="TR", variable="TRSTRESU")
        states = rows.filter((pl.col("TEST") == STATE_TEST) & pl.col("SAID").is_not_null() & pl.col("STATE").is_null())
        message = pl.format("'{}' ({}) is no known state of a lesion; known are {}.", "SAID", "COUNT", pl.lit(_KNOWN_STATES))
        yield found(grouped(states, "SAID"), message, domain="TR", variable="TRSTRESC")
    fa = _uptake(context)
    if fa is not None:
        bad = fa.filter((pl.col("ASKS") == "SCORE") & pl.col("SAID").is_not_null() & score_of(normalised(pl.col("SAID"))).is_null())
        message = pl.format("'{}' ({}) is no five-point score; it is 1 to 5, X, or NE.", "SAID", "COUNT")
        yield found(grouped(bad, "SAID"), message, domain="FA", variable="FASTRESC")
        change = (pl.col("ASKS") == "CHANGE") & pl.col("SAID").is_not_null()
        known = normalised(pl.col("SAID")).is_in([*CHANGES, *_NO_CHANGE_SAID])
        message = pl.format("'{}' ({}) is no known change of uptake; it is DECREASED, STABLE or INCREASED.", "SAID", "COUNT")
        yield found(grouped(fa.filter(change & ~known), "SAID"), message, domain="FA", variable="FASTRESC")
    for name in ("TU", "TR", "FA"):
        frame = _domain(context, name)
        if frame is not None:
            frame = frame.filter(of_lymphoma(frame)) if name == "FA" else frame
            who = value_of(frame, f"{name}EVALID")
            # one of several readers, and not one whose measurements are read as his own: they would be the committee's
            extra = normalised(who).str.contains(r"\d").fill_null(False) & canonical(who, "RSEVALID").is_null()
            message = pl.format("'{}' ({}) is no known reader; known are READER 1, READER 2, ADJUDICATOR.", "WHO", "COUNT")
            rows = grouped(frame.filter(extra).with_columns(who.alias("WHO")), "WHO")
            yield found(rows, message, domain=name, variable=f"{name}EVALID")


_KNOWN_STATES = "ABSENT, PRESENT, TOO SMALL TO MEASURE, EQUIVOCAL, UNEQUIVOCAL, UNEQUIVOCAL PROGRESSION and NOT EVALUABLE"
_NO_CHANGE_SAID = ("NE", "NOT EVALUABLE", "NOT DONE", "ND", "UNKNOWN", "NOT APPLICABLE", "NA", "N/A")


def _uptake(context: Context) -> pl.DataFrame | None:
    """Return the records of FA about lymphoma: ASKS, SAID."""
    fa = _domain(context, "FA")
    if fa is None:
        return None
    said = pl.coalesce(value_of(fa, "FASTRESC"), value_of(fa, "FAORRES"))
    fa = fa.with_columns(asks(fa).alias("ASKS"), said.alias("SAID"), value_of(fa, "FATESTCD").alias("TEST"))
    return fa.filter(of_lymphoma(fa))


def _identified(context: Context, measured: pl.DataFrame) -> pl.DataFrame:
    """Return the lesions of which TU says what they are, and those that were measured and are known: WHOLE, by subject."""
    tu = _domain(context, "TU")
    if tu is None:
        return measured
    named = tu.select(*SUBJECT, normalised(value_of(tu, "TULNKID")).alias("WHOLE")).drop_nulls()
    return pl.concat([measured, named]).unique()


def _unidentified(context: Context) -> Iterator[pl.DataFrame]:
    rows = _measures(context)
    if rows is None:
        return
    whole = pl.col("NAME").str.extract(r"^(.+?)(?:[.\-_]\d|[A-Z]|\s*[/+&].*)$", 1)
    known = rows.filter(pl.col("KIND").is_not_null()).select(*SUBJECT, pl.col("NAME").alias("WHOLE")).unique()
    parts = rows.with_columns(whole.alias("WHOLE")).join(_identified(context, known), on=[*SUBJECT, "WHOLE"], how="semi")
    part = pl.col("ROW").is_in(parts["ROW"].implode())
    spleen = pl.col("NAME").str.contains("SPLEEN") | pl.col("PLACE").str.contains("SPLEEN").fill_null(False)
    lost = rows.filter(pl.col("KIND").is_null() & ~spleen & ~part).unique([*SUBJECT, "NAME"], keep="first", maintain_order=True)
    message = pl.format("What lesion {} is (TARGET, NON-TARGET, NEW) is said neither in TU nor in TRGRPID, so it cannot be read.", "NAME")
    yield found(lost, message, domain="TR", variable="TRLNKID")
    nameless = rows.filter(pl.col("NAME").is_null())
    yield found(nameless, "TRLNKID is blank, so which lesion was measured is not known.", domain="TR", variable="TRLNKID")


def _doubtful(context: Context) -> Iterator[pl.DataFrame]:
    rows = _measures(context)
    if rows is None:
        return
    key = [*SUBJECT, "WHO", "NAME", "DATE"]
    sized = rows.filter(pl.col("TEST") != STATE_TEST)
    twice = sized.group_by(*key, "TEST", maintain_order=True).agg(
        pl.col("NUMBER").drop_nulls().n_unique().alias("N"), pl.col("FILE").first(), pl.col("ROW").last()
    )
    message = pl.format("Lesion {} has two values of one diameter on {}; the larger is used.", "NAME", "DATE")
    yield found(twice.filter(pl.col("N") > 1), message, domain="TR", variable="TRSTRESN")
    value = {name: pl.col("NUMBER").filter(pl.col("TEST") == name).max().alias(name) for name in ("LONG", "SHORT")}
    each = rows.group_by(key, maintain_order=True).agg(
        *value.values(), pl.col("STATE").drop_nulls().first(), pl.col("KIND", "FILE", "ROW").first()
    )
    one = (pl.col("KIND") == TARGET) & (pl.col("LONG").is_null() != pl.col("SHORT").is_null()) & pl.col("STATE").is_null()
    message = pl.format("Of target {} one diameter is recorded on {}: it is not evaluable there.", "NAME", "DATE")
    yield found(each.filter(one & (pl.coalesce("LONG", "SHORT") > 0)), message, domain="TR", variable="TRSTRESN")
    message = pl.format("Of lesion {} on {} LPERP is longer than LDIAM; the longer of both is taken as the longest.", "NAME", "DATE")
    yield found(each.filter(pl.col("SHORT") > pl.col("LONG")), message, domain="TR", variable="TRSTRESN")
    message = pl.format("Lesion {} is absent on {}, and has a length; the length is used.", "NAME", "DATE")
    yield found(each.filter((pl.col("STATE") == STATES["ABSENT"]) & (pl.col("LONG") > 0)), message, domain="TR", variable="TRSTRESC")
    bare = sized.filter(pl.col("NUMBER").is_not_null() & pl.col("UNIT").is_null()).with_columns(pl.lit("").alias("WHAT"))
    message = pl.format("A length has no unit ({}); it is taken as mm.", "COUNT")
    yield found(grouped(bare, "WHAT"), message, domain="TR", variable="TRSTRESU")
    lesions = rows.unique([*SUBJECT, "NAME"], keep="first", maintain_order=True)
    nowhere = lesions.filter(pl.col("KIND").is_in([TARGET, NEW_LESION]) & pl.col("PLACE").is_null())
    message = pl.format("Where lesion {} is (TULOC) is not recorded; it is taken as no lymph node.", "NAME")
    yield found(nowhere, message, domain="TU", variable="TULOC")


def _contradicted(context: Context) -> Iterator[pl.DataFrame]:
    """New avid lesions beside a score that calls the PET negative."""
    fa = _uptake(context)
    if fa is None or context.study.disease.imaging is None:
        return
    negative_to = context.study.disease.imaging[1].negative_to
    said, yes = normalised(pl.col("SAID")), canonical(pl.col("SAID"), "FASTRESC") == "PRESENT"
    who = pl.concat_str(value_of(fa, "FAEVAL"), value_of(fa, "FAEVALID"), separator=" ", ignore_nulls=True)
    each = (
        fa.with_columns(who.alias("WHO"), value_of(fa, "FADTC").alias("DATE"))
        .group_by(*SUBJECT, "WHO", "DATE", maintain_order=True)
        .agg(
            score_of(said).filter(pl.col("ASKS") == "SCORE").max().alias("SCORE"),
            ((pl.col("ASKS") == "NEW") & yes).fill_null(False).any().alias("NEW"),
            pl.col("FILE", "ROW").filter(pl.col("ASKS") == "NEW").first(),
        )
        .filter(pl.col("NEW") & pl.col("SCORE").is_between(1, negative_to))
    )
    message = pl.format("A new avid lesion is recorded on {} beside a score of {}, which is negative: the score is used.", "DATE", "SCORE")
    yield found(each, message, domain="FA", variable="FASTRESC")


def _baseline(context: Context) -> Iterator[pl.DataFrame]:
    """Targets beyond six, targets that were first measured after the infusion, and subjects without imaging before it."""
    rows = _measures(context)
    if rows is None:
        return
    targets = rows.filter(pl.col("KIND") == TARGET)
    many = targets.group_by(*SUBJECT, "WHO", maintain_order=True).agg(
        pl.col("NAME").filter(~pl.col("NAME").str.contains(r"[.\-_/+&]")).n_unique().alias("N"),
        pl.col("FILE").first(),
        pl.col("ROW").first(),
    )
    message = pl.format("{} targets are measured; the criteria take up to {}. All are used.", "N", pl.lit(MOST_TARGETS))
    yield found(many.filter(pl.col("N") > MOST_TARGETS), message, domain="TR", variable="TRLNKID")
    start = context.day_zero.filter(pl.col("AXIS") == "date").select(*SUBJECT, "ZERO")
    dated = (
        rows.with_columns(earliest_day(pl.col("DATE")).cast(pl.Float64).alias("DAY"))
        .join(start, on=SUBJECT)
        .filter(pl.col("DAY").is_not_null())
    )
    first = dated.sort("DAY", maintain_order=True).unique([*SUBJECT, "WHO", "NAME"], keep="first", maintain_order=True)
    late = first.filter((pl.col("KIND") == TARGET) & (pl.col("DAY") > pl.col("ZERO")) & ~pl.col("TUSPLIT").fill_null(False))
    early = first.filter((pl.col("KIND") == NEW_LESION) & (pl.col("DAY") <= pl.col("ZERO")))
    message = pl.format(
        "Lesion {} is NEW, and was seen before the infusion, on {}: what the baseline shows is a non-target.", "NAME", "DATE"
    )
    yield found(early, message, domain="TU", variable="TUSTRESC")
    earliest = first.group_by(*SUBJECT, "WHO").agg(pl.col("DAY").min().alias("FIRST"))
    late = late.join(earliest, on=[*SUBJECT, "WHO"]).filter(pl.col("FIRST") <= pl.col("ZERO"))
    message = pl.format(
        "Target {} is first measured after the infusion, on {}: it is no target of the baseline, and is not summed up.", "NAME", "DATE"
    )
    yield found(late, message, domain="TR", variable="TRLNKID")
    node = context.study.disease.imaging[0].node if context.study.disease.imaging else 0.0
    before = targets.filter((pl.col("TEST") != STATE_TEST) & pl.col("NUMBER").is_not_null() & is_nodal(pl.col("PLACE")))
    scale = normalised(pl.col("UNIT")).replace_strict(MILLIMETRES, default=1.0, return_dtype=pl.Float64)
    before = before.join(dated.select("ROW", "DAY", "ZERO"), on="ROW").filter(pl.col("DAY") <= pl.col("ZERO"))
    last = before.filter(pl.col("DAY") == pl.col("DAY").max().over(*SUBJECT, "WHO", "NAME")).with_columns(SIZE=pl.col("NUMBER") * scale)
    sizes = last.group_by(*SUBJECT, "WHO", "NAME", "FILE", maintain_order=True).agg(pl.col("SIZE").max(), pl.col("ROW").first())
    small = pl.format(
        "Target {} is a node of {} mm at baseline: normal by the criteria (up to {} mm), and no disease by itself.",
        *("NAME", pl.col("SIZE").round(1).cast(pl.String).str.strip_suffix(".0"), pl.lit(f"{node:g}")),
    )
    yield found(sizes.filter((pl.col("SIZE") > 0) & (pl.col("SIZE") <= node)), small, domain="TR", variable="TRSTRESN")
    yield from _without_baseline(dated)


def _without_baseline(dated: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Subjects of whom no reader's measurement before the infusion has a whole date: none is usable as baseline."""
    before, whole = pl.col("DAY") <= pl.col("ZERO"), ~is_partial(pl.col("DATE"))
    by_reader = dated.sort("DAY", maintain_order=True).group_by(*SUBJECT, "WHO", maintain_order=True)
    none = by_reader.agg(
        (before & whole).any().alias("USABLE"),
        pl.col("DATE").filter(before).last().alias("PARTIAL"),
        pl.col("FILE", "ROW", "DATE").first(),
    ).filter(~pl.col("USABLE"))
    undated = pl.format(
        "The lesions measured before the infusion are dated {}, no whole date: not usable, so that no response can be derived.", "PARTIAL"
    )
    late = pl.format("No lesion is measured before the infusion, the first on {}: no response can be derived.", "DATE")
    yield found(none, pl.when(pl.col("PARTIAL").is_null()).then(late).otherwise(undated), domain="TR", variable="TRDTC")


def _other_tests(context: Context) -> Iterator[pl.DataFrame]:
    fa = _uptake(context)
    if fa is not None:
        other = fa.filter(pl.col("ASKS").is_null() & pl.col("TEST").is_not_null() & ~worsens(fa))
        message = pl.format(
            "FATESTCD '{}' ({}) of lymphoma is kept, and is read neither as a five-point score nor as a change of uptake.", "TEST", "COUNT"
        )
        yield found(grouped(other, "TEST"), message, domain="FA", variable="FATESTCD")
    rows = _measures(context)
    if rows is not None:
        joined = rows.filter(pl.col("TUSPLIT").fill_null(False) | pl.col("NAME").str.contains(r"[/+&]").fill_null(False))
        joined = joined.unique([*SUBJECT, "NAME"], keep="first", maintain_order=True)
        message = pl.format("Lesion {} was split or merged: parts are added up, a merged lesion counts under its first name.", "NAME")
        yield found(joined, message, domain="TR", variable="TRLNKID")


def _not_read(context: Context) -> Iterator[pl.DataFrame]:
    """Measurements that the study's criteria have no limits for."""
    disease = context.study.disease
    frame = context.source.domains.get("TR")
    if disease.imaging is None and disease.family.derive == "lesions" and frame is not None and frame.height:
        rows = frame.with_columns(pl.lit(context.source.file_of("TR"), dtype=pl.String).alias("FILE"), pl.lit("TR").alias("WHAT"))
        message = pl.format("{} of TR are kept; the criteria, {}, derive no status from them.", "COUNT", pl.lit(disease.criteria.name))
        yield found(grouped(rows, "WHAT"), message, domain="TR", variable=None)


IMAGING_RULES = (
    CheckRule("imaging-unread", "stop", "TR, FA", "Lengths, states of lesions, scores and changes of uptake are read.", _unread),
    CheckRule("lesion-unidentified", "stop", "TU, TR: TRLNKID", "What a measured lesion is is said in TU, or in TRGRPID.", _unidentified),
    CheckRule("lesion-doubtful", "warning", "TU, TR", "A lesion has a place, and two diameters, once a date.", _doubtful),
    CheckRule("uptake-contradicted", "warning", "FA", "A PET with a new avid lesion is not scored as negative.", _contradicted),
    CheckRule("lesion-baseline", "warning", "TR", "Up to six targets are measured before the infusion, and after it the same.", _baseline),
    CheckRule(
        "imaging-other",
        "note",
        "FA: FATESTCD, TR",
        "Tests of lymphoma that are not read, and lesions that were split or merged.",
        _other_tests,
    ),
    CheckRule("imaging-not-derived", "note", "TR", "Measurements are of criteria that derive a status from them.", _not_read),
)
