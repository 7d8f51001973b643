"""Are the coded words ones the rules know? An unknown word in a field they need would be lost without a sound."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.checks.frame import SUBJECT, CheckRule, Context, found, grouped
from cartrial.sdtm.vocabulary.dispositions import CLINICAL_PROGRESSION, OTHER_DISPOSITIONS
from cartrial.sdtm.vocabulary.occurrence import answered
from cartrial.sdtm.vocabulary.terms import CODE_LISTS, canonical, normalised

__all__ = ["CODE_RULES"]

# How like a known word a word must be to be taken for a misspelling of it.
ALIKE = 0.85

OVERALL = pl.col("CALL")
# Where it is coded, and for which records: domain, variable and code list, condition.
CLOSED: tuple[tuple[str, str, pl.Expr], ...] = (
    ("DM", "DTHFL", pl.lit(True)),
    ("RS", "RSSTRESC", OVERALL),
    ("RS", "RSEVAL", OVERALL),
    ("RS", "RSEVALID", OVERALL & (pl.col("RSEVAL") == "INDEPENDENT ASSESSOR")),
    ("RS", "RSACPTFL", OVERALL & (pl.col("RSEVAL") == "INDEPENDENT ASSESSOR")),
    (
        "FA",
        "FASTRESC",
        pl.col("FAOBJ").is_in(list(CODE_LISTS["FAOBJ"].terms)) & (pl.col("FATESTCD").is_null() | (pl.col("FATESTCD") == "OCCUR")),
    ),
    ("SS", "SSSTRESC", pl.col("SSTESTCD") == "SURVSTAT"),
    ("AE", "AETOXGR", pl.lit(True)),
)
OPEN = (("DS", "DSDECOD"), ("PR", "PRTRT"), ("CM", "CMCAT"), ("RS", "RSTESTCD"), ("SS", "SSTESTCD"), ("FA", "FAOBJ"))
DOUBTFUL = (("DM", "SEX", "SEX"), ("AE", "AESER", "NY"), ("AE", "AEOUT", "AEOUT"))


def _terms(codes: str) -> list[str]:
    return list(CODE_LISTS[codes].terms)


def _unknown(context: Context) -> Iterator[pl.DataFrame]:
    for domain, name, rows in CLOSED:
        if domain not in context.source.domains:
            continue
        known = context.study.disease.family.best_first if name == "RSSTRESC" else _terms(name)
        bad = context.table(domain).filter(rows & pl.col(name).is_not_null() & ~pl.col(name).is_in(list(known)))
        yield found(bad, pl.format(f"'{{}}' is no known {name}; known are {', '.join(known)}.", name), domain=domain, variable=name)
    yield from _specimen(context)
    fatal = context.events("AE").filter(pl.col("AESDTH").is_not_null() & ~pl.col("AESDTH").is_in(_terms("NY")))
    message = pl.format("AESDTH is '{}', so whether the subject died of it is not known; it is Y, N or blank.", "AESDTH")
    yield found(fatal, message, domain="AE", variable="AESDTH")


def _specimen(context: Context) -> Iterator[pl.DataFrame]:
    blasts = context.table("LB").filter(pl.col("LBTESTCD") == "BLAST")
    bad = blasts.filter(pl.col("LBSPEC").is_null() | ~pl.col("LBSPEC").is_in(_terms("LBSPEC")))
    message = pl.format(
        f"The specimen of BLAST is '{{}}'; BONE MARROW and BLOOD are read, and known are {', '.join(_terms('LBSPEC')[2:])}.",
        pl.col("LBSPEC").fill_null(""),
    )
    yield found(bad, message, domain="LB", variable="LBSPEC")


def _status(context: Context) -> Iterator[pl.DataFrame]:
    read = context.table("RS").filter(OVERALL & (pl.col("RSSTRESC") != pl.col("WORD")))
    said = pl.format(f"'{{}}' is read as {{}}, under criteria of {context.study.disease.family.name} ({{}}).", "WORD", "RSSTRESC", "COUNT")
    yield found(grouped(read, ("WORD", "RSSTRESC")), said, domain="RS", variable="RSSTRESC")


def _no_result(context: Context) -> Iterator[pl.DataFrame]:
    for domain, name, rows in CLOSED:
        if name in ("RSSTRESC", "FASTRESC", "SSSTRESC"):
            blank = context.table(domain).filter(rows & pl.col(name).is_null())
            yield found(blank, f"{name} is blank; the record is not used.", domain=domain, variable=name)


def _open_words(context: Context, domain: str, name: str, *, telling: bool | None = None) -> pl.DataFrame:
    """Return words outside an open list, one row a word, with the nearest known term in NEAR.

    telling: of records that tell of an event which endpoints need, or of those that do not.
    """
    known = [*_terms(name), *(OTHER_DISPOSITIONS if name == "DSDECOD" else ())]
    words = context.table(domain).filter(pl.col(name).is_not_null() & ~normalised(pl.col(name)).is_in(known))
    if telling is not None:
        words = words.join(_start(context), on=SUBJECT, how="left", maintain_order="left").filter(_telling(name) == telling)
    words = grouped(words, name)
    near = [None if re.search(OTHERWISE, word.upper()) else CODE_LISTS[name].nearest(word, ALIKE) for word in words[name]]
    return words.with_columns(pl.Series("NEAR", near, dtype=pl.String))


def _start(context: Context) -> pl.DataFrame:
    """Day from which events count: the infusion, of those never infused the enrolment."""
    enrolled = context.events("DS").filter((pl.col("DSDECOD") == "ENROLLED") & pl.col("EARLY").is_not_null())
    parts = ((context.day_zero, "ZERO"), (enrolled, "EARLY"))
    days = pl.concat(frame.select(*SUBJECT, pl.col(name).alias("START")) for frame, name in parts)
    return days.unique(list(SUBJECT), keep="first", maintain_order=True)


def _misspelt(context: Context) -> Iterator[pl.DataFrame]:
    for domain, name in OPEN:
        words = _open_words(context, domain, name).filter(pl.col("NEAR").is_not_null())
        yield found(
            words, pl.format(f"'{{}}' ({{}}) is no known {name}; the nearest is {{}}.", name, "COUNT", "NEAR"), domain=domain, variable=name
        )


_DEATH = r"DEATH|\bDIED|DECEASED|\bDEAD\b|FATAL|VERSTORBEN|GESTORBEN|\bTOD\b|T[ÖO]E?DLICH|D[ÉE]C[ÉEÈ][DS]|MORT|MUERT|FALLEC|死亡"
# words of a transplant, a new therapy, a death or a loss: read by no rule, such a record would change an endpoint in silence
TELLING = {
    "PRTRT": r"TRANSPLANT|\bS[CZ]T\b|HS[CZ]T|\bBMT\b|GREFFE|TRASPLANT|TRAPIANT|移植",
    "CMCAT": r"SUBSEQUENT|SALVAGE|RESCUE THERAP|ANTI-?\s?(CANC[EÉ]R|NEOPLAS|LEUK|TUMOU?R)|CANCER (THERAP|TREATMENT)|CH[EI]MI?OTH[EÉ]RAP|"
    r"MAINTENANCE|TYROSINE KINASE|\bTKIS?\b|RADIOTH[EÉ]RAP|RADIATION|(NEXT|FURTHER|NEW|NOUVE|NEUE).*(TH[EÉ]RAP|TREATMENT|LINE)|"
    r"FOLGETHERAP|TUMORTHERAP|抗肿瘤|抗腫瘍|抗癌|化疗|化療|化学療法|后续治疗|挽救",
    "DSDECOD": rf"{_DEATH}|WITHDR|\bLOST\b|LTFU|ZUR[ÜU]CKGEZOGEN|PERDU DE VUE|失访|撤回",
}


# words of what came before the study, of lymphodepletion, and of a transplant of the subject's own cells: not those terms misspelt
OTHERWISE = r"PRIOR|PREVIOUS|HISTOR|LYMPHO-?\s?DEPLET|AUTOLOGOUS|SYNGENEIC"
BEFOREHAND = r"PRIOR|PREVIOUS|HISTOR|LYMPHO-?\s?DEPLET"
# transplants of what is no marrow
ORGANS = r"LIVER|HEPATIC|KIDNEY|RENAL|CORNEA|CARDIAC|HEART|LUNG|SKIN|F[AE]?ECAL|MICROBIOTA"


def _telling(name: str) -> pl.Expr:
    """Whether a record reads like an event that endpoints need: it happened, and not before the events of the study count."""
    if name not in TELLING:
        return pl.lit(False)
    word = normalised(pl.col(name))
    before = (pl.col("LATE") < pl.col("START")).fill_null(False)
    return (word.str.contains(TELLING[name]) & ~word.str.contains(f"{BEFOREHAND}|{ORGANS}") & ~before & pl.col("HAPPENED")).fill_null(False)


def _unread_but_telling(context: Context) -> Iterator[pl.DataFrame]:
    for domain, name in OPEN[:3]:
        words = _open_words(context, domain, name, telling=True).filter(pl.col("NEAR").is_null())
        known = ", ".join(_terms(name))
        message = pl.format(
            f"{name} '{{}}' ({{}}) reads like an event that endpoints need, and no rule reads it; known are {known}.", name, "COUNT"
        )
        yield found(words, message, domain=domain, variable=name)
    yield from _fatal(context)


def _fatal(context: Context) -> Iterator[pl.DataFrame]:
    """Outcomes of adverse events that read like a death in a word that is none of the list: the death would not be counted."""
    words = context.events("AE").filter(pl.col("AEOUT").is_not_null() & ~pl.col("AEOUT").is_in(_terms("AEOUT")))
    words = grouped(words.filter(normalised(pl.col("AEOUT")).str.contains(_DEATH)), "AEOUT")
    message = pl.format("AEOUT '{}' ({}) reads like a death, and no rule reads it; it is FATAL.", "AEOUT", "COUNT")
    yield found(words, message, domain="AE", variable="AEOUT")


def _unread(context: Context) -> Iterator[pl.DataFrame]:
    for domain, name in OPEN[:3]:
        words = _open_words(context, domain, name, telling=False).filter(pl.col("NEAR").is_null())
        if name == "DSDECOD" and _reads_clinical(context):
            words = words.filter(~normalised(pl.col(name)).str.contains(CLINICAL_PROGRESSION))
        yield found(words, pl.format(f"{name} '{{}}' ({{}}) is kept and no rule reads it.", name, "COUNT"), domain=domain, variable=name)


def _reads_clinical(context: Context) -> bool:
    """Whether an endpoint of the study, or a variant of one, reads a progression that a clinician saw."""
    study = context.study
    return any(variant.endpoint.clinical_progression for endpoint in study.endpoints for variant in study.variants(endpoint))


def _doubtful(context: Context) -> Iterator[pl.DataFrame]:
    for domain, name, codes in DOUBTFUL:
        bad = context.table(domain).filter(pl.col(name).is_not_null() & ~pl.col(name).is_in(_terms(codes)))
        message = pl.format(f"'{{}}' ({{}}) is no known {name}; known are {', '.join(_terms(codes))}.", name, "COUNT")
        yield found(grouped(bad, name), message, domain=domain, variable=name)
    related = context.table("AE").filter(pl.col("AEREL").is_not_null() & answered(pl.col("AEREL"), "AEREL").is_null())
    related = related.filter(canonical(pl.col("AEREL"), "NY").is_null())  # unknown is an answer
    message = pl.format("AEREL '{}' ({}) is no word for related or not related, so which of both is not known.", "AEREL", "COUNT")
    yield found(grouped(related, "AEREL"), message, domain="AE", variable="AEREL")


def _grade_zero(context: Context) -> Iterator[pl.DataFrame]:
    zero = context.table("AE").filter(pl.col("AETOXGR") == "0")
    yield found(zero, "The grade is 0: no event; the record is kept and counted in no grade.", domain="AE", variable="AETOXGR")


def _no_grade(context: Context) -> Iterator[pl.DataFrame]:
    if "AE" in context.source.domains:
        blank = context.events("AE").filter(pl.col("AETOXGR").is_null())
        yield found(
            blank,
            pl.format("The grade of '{}' is blank; it is counted as any grade and in no one grade.", pl.col("AEDECOD").fill_null("")),
            domain="AE",
            variable="AETOXGR",
        )


CODE_RULES = (
    CheckRule(
        "term-unknown",
        "stop",
        "DTHFL, RSSTRESC, RSEVAL, RSEVALID, RSACPTFL, FASTRESC, SSSTRESC, AETOXGR, AESDTH, LBSPEC of BLAST",
        "A coded word that a rule needs is in its code list.",
        _unknown,
    ),
    CheckRule(
        "term-misspelt",
        "stop",
        "DSDECOD, PRTRT, CMCAT, RSTESTCD, SSTESTCD, FAOBJ",
        "A word outside an open code list is not one letter off a known one.",
        _misspelt,
    ),
    CheckRule("result-missing", "warning", "RSSTRESC, FASTRESC, SSSTRESC", "An assessment has a result.", _no_result),
    CheckRule(
        "term-doubtful", "warning", "SEX, AESER, AEREL, AEOUT", "A coded word that no endpoint needs is in its code list.", _doubtful
    ),
    CheckRule("grade-missing", "warning", "AE: AETOXGR", "An adverse event has a grade.", _no_grade),
    CheckRule("status-mapped", "note", "RS: RSSTRESC", "A status of other criteria is read as the one it is in the study's.", _status),
    CheckRule("grade-zero", "note", "AE: AETOXGR", "A grade is 1 to 5.", _grade_zero),
    CheckRule(
        "term-unread",
        "stop",
        "PRTRT, CMCAT, DSDECOD, AEOUT",
        "A word that reads like a transplant, a new therapy, a loss or a death is one the rules read.",
        _unread_but_telling,
    ),
    CheckRule("term-other", "note", "DSDECOD, PRTRT, CMCAT", "Words that no rule reads are listed.", _unread),
)
