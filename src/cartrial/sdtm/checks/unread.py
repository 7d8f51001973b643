"""Which records read like what a rule reads, under another test or word, and are passed over? None may be lost without a sound."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.vocabulary.harm.events import LIKE
from cartrial.sdtm.vocabulary.laboratory import LESION_LIKE
from cartrial.sdtm.vocabulary.occurrence import OF_CNS, cns_status, happened, says_presence
from cartrial.sdtm.vocabulary.response_criteria import of_another_disease
from cartrial.sdtm.vocabulary.results import UNREADABLE
from cartrial.sdtm.vocabulary.specimens import OF_MARROW, OF_TESTIS, is_read, read_biopsies
from cartrial.sdtm.vocabulary.terms import CODE_LISTS, canonical, normalised, value_of
from cartrial.sdtm.vocabulary.units import MASS, UNITS, is_size, size_of

__all__ = ["UNREAD_RULES"]

_CELLS = (
    r"^CAR-? ?T|^CAR(DNA|G\b|GENE|VCN|COP|QPCR|PCR|TG)|TRANSGEN|VECTOR COP|\bVCN|\bCAR\b|CAR\+|CHIM[AE]RIC ANTIGEN",
    r"ANTIBOD|ANTI-|IMMUNOGEN|\bADA\b|\bRC[LR]\b|REPLICATION|CARTIL|CARNIT|CYTOTOX",
)
# what a code and a name read like, by test: a pattern, and another of what is something else
_LIKE = {
    "MRD": (r"MRD|RESIDUAL (DISEASE|LEUK)|RESTERKRANKUNG|CLONOSEQ|CLONOTYP|残留", r"TRANSFUS"),
    "PLAT": (
        r"^PLT|^PLAT|PLATELET|THROMBOC[YI]T|THROMBOZYT|PLAQUETA|PLAQUETTE|PIASTRIN|血小板",
        r"VOLUME|CLUMP|CLMP|GIANT|GNT|LARGE|LRG|AGGREG|WIDTH|DISTRIB|IMMATURE|RETICUL|FACTOR|ANTIBOD|FUNCTION|DERIVED|CRIT|MORPH|ESTIMATE|"
        r"PLATIN|ADHES|/ ?PLAT|RATIO",
    ),
    "NEUT": (
        r"\bANC|NEUTRO(P|F|Z|CYT)|^NEU(T|$| )|中性粒",
        r"BAND|SEGMENT|IMMATURE|TOXIC|VACUOL|ANTIBOD|CYTOPLASM|ANCA\b|NEUTRALI|ELASTASE|MYELOCYT|/ ?(LEUK|WBC|TOTAL)|LE\b|%|PERCENT|PCT|"
        r"PRECURSOR|STAB|^NEUT(B|SG|IM|MM)|RATIO|LYMPHOCYT",
    ),
    "CARTG": _CELLS,
    "CARTC": _CELLS,
    "BCELL": (
        r"\bB-? ?(CELL|LYMPHOCYT|LYM)|^BCELL|^BLYM|^CD(19|20)(\b|B|LY|ABS|C)|\bCD(19|20)\+? ?(B\b|CELL|POS|\+|ABS|COUNT)|B-?ZELL|B ?细胞",
        r"LYMPHOMA|MATURATION|RECEPTOR|LEUK|BLAST|MALIGN|CLONAL|ANTIGEN|STAT|ACTIVATING|TUMOU?R|EXPRESS|PRECURSOR|MEMORY|NAIVE|ANTIBOD|"
        r"/ ?LYMPH|\bCAR\b",
    ),
    "IL6": (r"INTERLEUKIN-? ?6\b|\bIL-? ?6", r"RECEPTOR|IL-? ?6(R|SR)|RATIO"),
    "FERRITIN": (r"FERRIT", r"RATIO"),
    "CRP": (r"\bCRP|C-? ?REA[CK]TIVE|HS-?CRP", r"RATIO"),
    "LDH": (r"\bLDH|LACTATE DEHYD|LACTIC (ACID )?DEHYD|LACTATDEHYD", r"ISOENZ|LDH-? ?[1-5]\b|RATIO"),
}
_LESIONS = tuple(CODE_LISTS["FAOBJ"].terms)


def _named(context: Context) -> pl.DataFrame:
    """Return the results of tests that are in no list, with LIKE_TEXT: their code and their name."""
    frame = context.source.domains.get("LB")
    lab = context.results.filter(pl.col("REL").is_not_null() & ~pl.col("TEST").is_in([*UNITS, *context.tests]))
    if frame is None or lab.is_empty():
        return lab.clear().with_columns(pl.lit(None, dtype=pl.String).alias("LIKE_TEXT"))
    names = frame.select("ROW", value_of(frame, "LBTEST").alias("NAME"))
    lab = lab.join(names, on="ROW", how="left", maintain_order="left")
    return lab.with_columns(normalised(pl.concat_str("LBTESTCD", "NAME", separator=" ", ignore_nulls=True)).alias("LIKE_TEXT"))


def _blast_code(context: Context) -> Iterator[pl.DataFrame]:
    other = _named(context).filter(pl.col("LIKE_TEXT").str.contains("BLAST|BLST"))
    message = pl.format("{} ({}) reads like blasts, and no rule reads it; blasts are under BLAST.", "LBTESTCD", "COUNT")
    yield found(grouped(other, "LBTESTCD"), message, domain="LB", variable="LBTESTCD")


def _test_code(context: Context) -> Iterator[pl.DataFrame]:
    """Results that read like a test that a rule reads, of dates on which that test is not there: what stands beside it adds nothing."""
    lab = _named(context).filter(~pl.col("LIKE_TEXT").str.contains("BLAST|BLST"))
    if lab.is_empty():
        return
    share = (pl.col("LBSTRESU") == "%").fill_null(False)
    like = [
        pl.when(pl.col("LIKE_TEXT").str.contains(yes) & ~pl.col("LIKE_TEXT").str.contains(no) & ~(share & pl.lit(test == "NEUT"))).then(
            pl.lit(test)
        )
        for test, (yes, no) in _LIKE.items()
        if test in context.tests
    ]
    lab = lab.with_columns(pl.coalesce(like).alias("LIKE")).filter(pl.col("LIKE").is_not_null())
    lab = lab.filter(is_read(context.study.disease.mrd.specimens, test="LIKE") | pl.col("SPEC").is_null())
    read = context.results.filter(pl.col("READ") & pl.col("REL").is_not_null()).select(*SUBJECT, pl.col("TEST").alias("LIKE"), "EARLY")
    lab = lab.join(read.unique(), on=[*SUBJECT, "LIKE", "EARLY"], how="anti", maintain_order="left")
    message = pl.format("{} ({}) reads like {}, and no rule reads it; it is read under {}.", "LBTESTCD", "COUNT", "LIKE", "LIKE")
    yield found(grouped(lab, ("LBTESTCD", "LIKE")), message, domain="LB", variable="LBTESTCD")


def _lesions(context: Context) -> pl.DataFrame:
    """Return what FA says, with WORD: PRESENT, ABSENT, NOT DONE or null, CNS, and ASKED: whether its test asks if something is there."""
    fa = context.events("FA") if context.study.disease.marrow else context.events("FA").clear()
    said = pl.coalesce("FASTRESC", "FAORRES")
    status = pl.coalesce(cns_status(pl.col("FAORRES")), cns_status(pl.col("FASTRESC")))
    return fa.with_columns(canonical(said, "FASTRESC").alias("WORD"), status.alias("CNS"), says_presence(fa).alias("ASKED"))


def _other_lesion(context: Context, *, decides: bool) -> Iterator[pl.DataFrame]:
    """Disease that is there, under a word that reads like it; it decides where no reader has a call: statuses come of what was found."""
    called = context.table("RS").filter(pl.col("CALL") & pl.col("RSSTRESC").is_not_null()).height > 0
    if called == decides:
        return
    there = ((pl.col("WORD") == "PRESENT") & pl.col("ASKED")).fill_null(False) | (pl.col("CNS") == 3).fill_null(False)
    fa = _lesions(context).filter(there & ~pl.col("FAOBJ").is_in(_LESIONS) & normalised(pl.col("FAOBJ")).str.contains(LESION_LIKE))
    known = ", ".join(_LESIONS)
    said = f"FAOBJ '{{}}' ({{}}) is present and reads like extramedullary disease, and no rule reads it; known are {known}."
    yield found(grouped(fa, "FAOBJ"), pl.format(said, "FAOBJ", "COUNT"), domain="FA", variable="FAOBJ")


def _decisive(context: Context) -> Iterator[pl.DataFrame]:
    yield from _other_lesion(context, decides=True)
    yield from _survival(context)


def _survival(context: Context) -> Iterator[pl.DataFrame]:
    """Dead under another test than the status of survival: the death would not be counted."""
    word = canonical(pl.col("SSSTRESC"), "SSSTRESC")
    ss = context.events("SS").filter(pl.col("SSTESTCD").is_not_null() & (pl.col("SSTESTCD") != "SURVSTAT") & (word == "DEAD"))
    message = pl.format("SSTESTCD '{}' ({}) says dead, and no rule reads it; survival is under SURVSTAT.", "SSTESTCD", "COUNT")
    yield found(grouped(ss, "SSTESTCD"), message, domain="SS", variable="SSTESTCD")


def _lesion(context: Context) -> Iterator[pl.DataFrame]:
    yield from _other_lesion(context, decides=False)
    fa = _lesions(context).filter(pl.col("FAOBJ").is_in(_LESIONS) & ~pl.col("ASKED") & pl.col("CNS").is_null())
    said = "FATESTCD '{}' ({}) of {} does not ask whether it is there, and no rule reads it; that is asked under OCCUR."
    told = grouped(fa.filter(pl.col("WORD").is_in(["PRESENT", "ABSENT"])), ("FATESTCD", "FAOBJ"))
    yield found(told, pl.format(said, "FATESTCD", "COUNT", "FAOBJ"), domain="FA", variable="FATESTCD")
    yield from _nervous(context)
    yield from _fluid(context)
    if context.study.disease.mass == "third":
        yield from _mass(context)


def _mass(context: Context) -> Iterator[pl.DataFrame]:
    """Sizes of a mediastinal mass that are no number, or have no unit that is known."""
    fa = context.source.domains.get("FA")
    if fa is None:
        return
    of_mass = (canonical(value_of(fa, "FAOBJ"), "FAOBJ") == MASS) & is_size(fa) & happened(fa, "FA")
    said, unit = (pl.coalesce(*(value_of(fa, name) for name in names)) for names in (("FASTRESC", "FAORRES"), ("FASTRESU", "FAORRESU")))
    word = pl.concat_str(said.fill_null("blank"), unit, separator=" ", ignore_nulls=True)
    file = pl.lit(context.source.file_of("FA"), dtype=pl.String).alias("FILE")
    fa = fa.with_columns(word.alias("WORD"), file).filter(of_mass & size_of(fa)[0].is_null())
    message = pl.format("The size of the mediastinal mass is '{}', which no rule reads; it is a number in mm, cm or mL.", "WORD")
    yield found(fa, message, domain="FA", variable="FASTRESC")


def _biopsy(context: Context) -> Iterator[pl.DataFrame]:
    """Biopsies that a rule would read and that say neither disease nor none."""
    mi = context.source.domains.get("MI")
    biopsy = context.study.disease.biopsy
    if mi is None or not biopsy or not set(SUBJECT) <= set(mi.columns):
        return
    read = read_biopsies(mi.filter(happened(mi, "MI")))
    place = pl.col("PLACE")
    asked = place.str.contains(OF_TESTIS) if biopsy == "testis" else (place != "") & ~place.str.contains(OF_MARROW)
    unclear = read.filter(asked & pl.col("SHOWN").is_null()).with_columns(
        pl.lit(context.source.file_of("MI"), dtype=pl.String).alias("FILE"), pl.col("SAID").fill_null("blank")
    )
    message = pl.format(
        "The biopsy of {} says '{}', neither disease nor none, and decides nothing; write POSITIVE or NEGATIVE.", place, "SAID"
    )
    yield found(unclear, message, domain="MI", variable="MISTRESC")


def _nervous(context: Context) -> Iterator[pl.DataFrame]:
    """Statuses of the central nervous system in words that are none."""
    rs = context.events("RS")
    word = canonical(pl.col("WORD"), "RSSTRESC")
    rs = rs.filter(normalised(pl.col("RSTESTCD")).is_in(OF_CNS) & pl.col("WORD").is_not_null() & cns_status(pl.col("WORD")).is_null())
    rs = rs.filter((word != "NE").fill_null(True))
    message = pl.format("{} is '{}' ({}), and no rule reads it; it is CNS1, CNS2 or CNS3.", "RSTESTCD", "WORD", "COUNT")
    yield found(grouped(rs, ("RSTESTCD", "WORD")), message, domain="RS", variable="RSSTRESC")


def _fluid(context: Context) -> Iterator[pl.DataFrame]:
    """Blasts of cerebrospinal fluid in words that say neither that there are some nor that there are none."""
    fluid = (pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "CSF")
    said = pl.coalesce("SAID", "LBORRES")
    lab = context.results.filter(fluid & said.is_not_null() & (pl.col("REL") == UNREADABLE)).with_columns(said.alias("WORD"))
    message = pl.format("Blasts of cerebrospinal fluid are '{}' ({}), which no rule reads.", "WORD", "COUNT")
    yield found(grouped(lab, "WORD"), message, domain="LB", variable="LBSTRESC")


def _detail(context: Context) -> Iterator[pl.DataFrame]:
    """What is known of the disease beside whether it is there, and its like under other words where it is not there."""
    fa = _lesions(context)
    beside = fa.filter(pl.col("FAOBJ").is_in(_LESIONS) & ~pl.col("ASKED") & pl.col("CNS").is_null())
    beside = beside.filter(~pl.col("WORD").is_in(["PRESENT", "ABSENT"]).fill_null(False))
    if context.study.disease.mass == "third":
        beside = beside.filter((pl.col("FAOBJ") != MASS) | ~is_size(beside))
    message = pl.format("FATESTCD '{}' ({}) of {} is kept and no rule reads it.", "FATESTCD", "COUNT", "FAOBJ")
    yield found(grouped(beside, ("FATESTCD", "FAOBJ")), message, domain="FA", variable="FATESTCD")
    absent = (pl.col("WORD") == "ABSENT") & pl.col("ASKED") & normalised(pl.col("FAOBJ")).str.contains(LESION_LIKE)
    message = pl.format("FAOBJ '{}' ({}) is absent, and no rule reads it; known are " + ", ".join(_LESIONS) + ".", "FAOBJ", "COUNT")
    yield found(grouped(fa.filter(absent & ~pl.col("FAOBJ").is_in(_LESIONS)), "FAOBJ"), message, domain="FA", variable="FAOBJ")


def _calls(context: Context) -> Iterator[pl.DataFrame]:
    """Words of response under a test that is no overall response, of dates on which that evaluator has none."""
    rs = context.events("RS").filter(pl.col("RSTESTCD").is_not_null() & ~of_another_disease(pl.col("RSCAT"), context.study.disease.family))
    statuses = [status for status in context.study.disease.family.best_first if status != "NE"]
    overall = rs.filter("CALL").select(*SUBJECT, "RSEVAL", "EARLY").unique()
    other = rs.filter(~pl.col("CALL") & pl.col("RSSTRESC").is_in(statuses))
    other = other.join(overall, on=[*SUBJECT, "RSEVAL", "EARLY"], how="anti", nulls_equal=True, maintain_order="left")
    message = pl.format("RSTESTCD '{}' ({}) holds words of response, and no rule reads it; a call is OVRLRESP.", "RSTESTCD", "COUNT")
    yield found(grouped(other, "RSTESTCD"), message, domain="RS", variable="RSTESTCD")


def _events(context: Context) -> Iterator[pl.DataFrame]:
    ae = context.events("AE")
    for special in context.study.safety.special:
        pattern = LIKE.get(special.id.upper())
        if pattern is None:
            continue
        terms = [term for each in context.study.safety.special for term in each.terms]
        word = normalised(pl.col("AEDECOD"))
        other = grouped(ae.filter(word.str.contains(pattern) & ~word.is_in([term.upper() for term in terms])), "AEDECOD")
        said = "AEDECOD '{}' ({}) reads like {}, and is not counted as that; the study names {}."
        message = pl.format(said, "AEDECOD", "COUNT", pl.lit(special.label), pl.lit(", ".join(special.terms)))
        yield found(other, message, domain="AE", variable="AEDECOD")


UNREAD_RULES = (
    CheckRule(
        "record-unread",
        "stop",
        "FA: FAOBJ, SS: SSTESTCD",
        "What reads like extramedullary disease where no reader has a call, or says dead, is under the word or the test that is read.",
        _decisive,
    ),
    CheckRule("blast-unread", "warning", "LB: LBTESTCD, LBTEST", "What reads like blasts is read.", _blast_code),
    CheckRule("test-unread", "warning", "LB: LBTESTCD, LBTEST", "What reads like a test that a rule reads is under its code.", _test_code),
    CheckRule(
        "lesion-unread",
        "warning",
        "FA: FAOBJ, FATESTCD; RS of CNS; LB: BLAST of CSF",
        "What tells of disease outside the marrow is under a word and a test that are read.",
        _lesion,
    ),
    CheckRule(
        "biopsy-unread",
        "warning",
        "MI: MISTRESC, MIORRES of sites that need a biopsy",
        "A biopsy that a rule reads shows disease, or none.",
        _biopsy,
    ),
    CheckRule("call-unread", "warning", "RS: RSTESTCD", "Words of response are of an overall response.", _calls),
    CheckRule("event-unread", "warning", "AE: AEDECOD", "Events of special interest are under the study's terms.", _events),
    CheckRule("lesion-other", "note", "FA: FATESTCD, FAOBJ", "Other records of disease outside the marrow are listed.", _detail),
)
