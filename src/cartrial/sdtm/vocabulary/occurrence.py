"""Did a record happen, and does it say whether something is there?

What was asked and denied, not done, planned, given as a dose of 0 or called none is no event and no therapy.

SDTM Implementation Guide 3.3: --OCCUR and --PRESP (section 4.2.7), --STAT (4.5.2); --MOOD of planned records (6.1).
"""

from __future__ import annotations

from functools import reduce
from operator import or_

import polars as pl

from cartrial.sdtm.vocabulary.terms import CODE_LISTS, canonical, normalised, value_of

__all__ = ["ANSWERS", "OF_CNS", "answered", "assumed", "cns_status", "happened", "is_nothing", "occurrence", "says_presence", "undone"]

ANSWERS = {
    "OCCUR": ("NY", "it is Y, N or U"),
    "STAT": ("STAT", "it is NOT DONE, DONE or blank"),
    "MOOD": ("MOOD", "it is PERFORMED, SCHEDULED or blank"),
}
"""What says whether a record happened: the end of the variable's name, its code list, and what it may say."""

# AE holds what occurred: there a question asked beforehand (AEPRESP) needs no answer beside the record.
_ANSWERED_BY_RECORD = ("AE",)

# A dose of nothing as text: 0 with either decimal sign, alone or before a unit (no range such as 0-1), or a word.
_ZERO = r"^[+-]?0+([.,]0*)*(\s*[^0-9\s.,–/~-].*)?$"
_UP_TO = r"\bTO\b|\bBIS\b|至"
# What was given, done or seen, in a word that says nothing was; or as "no further therapy". A dash or N/A may mean anything.
_TERMS = {"EX": ("DECOD", "TRT"), "PR": ("DECOD", "TRT"), "CM": ("DECOD", "TRT"), "AE": ("DECOD", "TERM"), "MH": ("DECOD", "TERM")}
_TERMS |= {"HO": ("DECOD", "TERM"), "DV": ("DECOD", "TERM")}
_NOTHING = (
    *("NONE", "NO", "NIL", "NOTHING", "NEVER", "KEIN", "KEINE", "KEINER", "KEINES", "NEIN", "NICHTS", "AUCUN", "AUCUNE", "NON", "RIEN"),
    *("NINGUNO", "NINGUNA", "NADA", "NESSUNO", "NESSUNA", "NENHUM", "NENHUMA", "NÃO", "GEEN", "无", "無", "没有", "否", "なし"),
)
_NO_SUCH = (
    r"^(NO|NONE|KEINE?|AUCUNE?|PAS DE|NINGUN[AO]?|NESSUN[AO]?|SIN|SENZA|SANS|OHNE|WITHOUT)\b.*\b(THERAP(Y|IES|IE|IA|EUTIQUE)|TREATMENTS?|"
    r"MEDICATIONS?|DRUGS?|CHEMOTHERAP(Y|IE)|TRANSPLANT(S|ATION)?|HSCT|SCT|BMT|PROCEDURES?|EVENTS?|AES?|BEHANDLUNG|TRAITEMENTS?|GREFFE)$"
)
_NO_ANSWER = ("-", "--", "---", "–", "—", "/", ".", "?", "N/A", "N.A.", "NA", "NOT APPLICABLE", "ENTFÄLLT", "SANS OBJET")
_NO_DOSE = ("NONE", "NIL", "ZERO", "NO DOSE", "NOTHING", "KEINE", "NULL", "AUCUNE", "NINGUNA", "NESSUNA", "零", "无")

OF_CNS = ("CNSSTAT", "CNSRESP", "CNS", "CNSDIS", "CNSST")
"""Tests of RS that tell the status of the central nervous system."""

_STATUS = r"^CNS[ -]?([123])[ABC]?$"

# of an adverse event: whether it was serious, and related to the treatment
_RELATED = (
    *("Y", "YES", "TRUE", "1", "RELATED", "POSSIBLE", "POSSIBLY RELATED", "PROBABLE", "PROBABLY RELATED", "LIKELY", "LIKELY RELATED"),
    *("DEFINITE", "DEFINITELY RELATED", "CERTAIN", "CERTAINLY RELATED", "VERY LIKELY", "SUSPECTED", "POSSIBLY", "PROBABLY", "DEFINITELY"),
)
_UNRELATED = (
    *("N", "NO", "FALSE", "0", "NONE", "NOT RELATED", "UNRELATED", "UNLIKELY", "UNLIKELY RELATED", "REMOTE", "DOUBTFUL", "NOT SUSPECTED"),
    *("DEFINITELY NOT RELATED", "PROBABLY NOT RELATED", "NOT LIKELY RELATED", "NOT LIKELY", "UNLIKELY TO BE RELATED"),
)
_NY = CODE_LISTS["NY"].lookup
_ANSWERED = {
    "AESER": {word: term == "Y" for word, term in _NY.items() if term in ("Y", "N")},
    "AEREL": {word: yes for words, yes in ((_RELATED, True), (_UNRELATED, False)) for word in words},
}


def is_nothing(dose: pl.Expr) -> pl.Expr:
    """Say of doses as text whether they are none: `0`, `0,0`, `0 mg`, `none`, `not given`. Null where there is no text."""
    text = dose.str.normalize("NFKC").str.strip_chars().str.to_uppercase()
    zero = text.str.contains(_ZERO) & ~text.str.contains(_UP_TO)
    return zero | text.is_in(list(_NO_DOSE)) | (canonical(text, "STAT") == "NOT DONE").fill_null(False)


def undone(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Say of each record of a domain whether --STAT has it as not done. A word that means neither is no result either."""
    if f"{domain}STAT" not in frame.columns:
        return pl.lit(False)
    word = _word(frame, f"{domain}STAT")
    return word.is_not_null() & (canonical(word, "STAT") != "DONE").fill_null(True)


def cns_status(text: pl.Expr) -> pl.Expr:
    """Return the status of the central nervous system that each word is, 1 to 3; null where it is none.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.occurrence import cns_status
    >>> pl.DataFrame({"W": ["CNS-3", "cns2a", "POSITIVE"]}).select(cns_status(pl.col("W")))["W"].to_list()
    [3, 2, None]
    """
    return normalised(text).str.extract(_STATUS, 1).cast(pl.Int8)


def says_presence(frame: pl.DataFrame) -> pl.Expr:
    """Say of each record of FA whether its test (FATESTCD) asks if something is there; a blank one is taken to. Never null.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.occurrence import says_presence
    >>> fa = pl.DataFrame({"FATESTCD": ["OCCUR", "Presence", None, "SEV"]})
    >>> fa.select(says_presence(fa).alias("P"))["P"].to_list()
    [True, True, True, False]
    """
    test = value_of(frame, "FATESTCD")
    return (normalised(test) == "").fill_null(True) | (canonical(test, "FATESTCD") == "OCCUR").fill_null(False)


def assumed(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Say of each record whether it is taken as having happened although it was asked for and the table has no column of answers."""
    if f"{domain}PRESP" not in frame.columns or f"{domain}OCCUR" in frame.columns or domain in _ANSWERED_BY_RECORD:
        return pl.lit(False)
    return (canonical(value_of(frame, f"{domain}PRESP"), "NY") == "Y").fill_null(False) & happened(frame, domain)


def occurrence(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Say of each record of a domain whether what it tells of happened: Y, N, or U where that was asked and is not known.

    N: --OCCUR is N in any spelling, a dose of 0, a record that was only planned, or a treatment or an event called NONE. U: --OCCUR is U,
    it is blank although the question was asked (--PRESP is Y), --STAT is NOT DONE, one of --OCCUR, --STAT and --MOOD is a word that means
    nothing here, or what was given is N/A or a dash.
    """
    # of every table most of these columns are absent: a rule of an absent one is not asked at all
    has = {name for name in ("OCCUR", "PRESP", "MOOD", "STAT", "DOSE", "DOSTOT", "DOSTXT") if f"{domain}{name}" in frame.columns}
    never, unknown = [], []
    if "OCCUR" in has:
        word = _word(frame, f"{domain}OCCUR")
        answer = canonical(word, "NY")
        never.append(answer == "N")
        unknown.append(word.is_not_null() & ~answer.is_in(["Y", "N"]).fill_null(False))
        if "PRESP" in has and domain not in _ANSWERED_BY_RECORD:
            unknown.append((canonical(value_of(frame, f"{domain}PRESP"), "NY") == "Y") & word.is_null())
    if "MOOD" in has:
        mood = _word(frame, f"{domain}MOOD")
        intent = canonical(mood, "MOOD")
        never.append(intent == "SCHEDULED")
        unknown.append(mood.is_not_null() & intent.is_null())
    if "STAT" in has:
        unknown.append(undone(frame, domain))
    doses = []
    for name in ("DOSE", "DOSTOT", "DOSTXT"):
        if name in has and name != "DOSTXT":
            doses.append(value_of(frame, f"{domain}{name}", pl.Float64) == 0)
        if name in has:
            doses.append(is_nothing(value_of(frame, f"{domain}{name}")))
    if doses:
        never.append(pl.coalesce(doses))
    term = _term(frame, domain)
    if term is not None:
        nothing = term.is_in(list(_NOTHING)) | term.str.contains(_NO_SUCH) | (canonical(term, "STAT") == "NOT DONE").fill_null(False)
        never.append(nothing)
        unknown.append(term.is_in(list(_NO_ANSWER)))
    said = pl.lit("Y")
    if unknown:
        said = pl.when(_any(unknown)).then(pl.lit("U")).otherwise(said)
    return pl.when(_any(never)).then(pl.lit("N")).otherwise(said) if never else said


def answered(word: pl.Expr, variable: str) -> pl.Expr:
    """Say what each word of AESER or AEREL answers, null where that is not known.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.occurrence import answered
    >>> words = pl.DataFrame({"AEREL": ["Possibly related", "UNLIKELY", "UNKNOWN", None]})
    >>> words.select(answered(pl.col("AEREL"), "AEREL"))["AEREL"].to_list()
    [True, False, None, None]
    """
    return normalised(word).replace_strict(_ANSWERED[variable], default=None, return_dtype=pl.Boolean)


def happened(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Say of each record of a domain whether a rule may read it as something that happened."""
    return occurrence(frame, domain) == "Y"


def _any(conditions: list[pl.Expr]) -> pl.Expr:
    """Say whether one of several conditions is known to hold."""
    return reduce(or_, (condition.fill_null(False) for condition in conditions))


def _term(frame: pl.DataFrame, domain: str) -> pl.Expr | None:
    """Return what a record is of, in upper case: as coded, else as collected; None where it is not said, or by a code list."""
    named = [f"{domain}{name}" for name in _TERMS.get(domain, ()) if f"{domain}{name}" in frame.columns]
    return pl.coalesce(_word(frame, name).str.to_uppercase() for name in named) if named else None


def _word(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Return a column of words, null where it is blank."""
    word = value_of(frame, name).str.normalize("NFKC").str.strip_chars()
    return pl.when(word != "").then(word)
