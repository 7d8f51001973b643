"""Which words of TU, TR, FA, MI and LB say what of lymphoma?

Terms of TU and TR follow the CDISC SDTM Controlled Terminology of 2024-03-29 (tumour identification and properties). Tests of FA are the
sponsor's: the five-point (Deauville) score, the change of uptake and a new avid lesion are known by what their code or name says.
"""

from __future__ import annotations

import polars as pl

from cartrial.sdtm.vocabulary.imaging import codes
from cartrial.sdtm.vocabulary.terms import normalised, value_of
from cartrial.study.criteria.codes import INDETERMINATE, RESPONSES

__all__ = [
    *("CHANGES", "GROUPS", "LENGTHS", "MILLIMETRES", "STATES", "STATE_TEST"),
    *("asks", "involvement", "is_marrow", "is_nodal", "of_lymphoma", "says_new", "score_of", "worsens"),
]

GROUPS = {
    **dict.fromkeys(("TARGET", "TARGET LESION", "TARGET LESIONS", "TL", "INDEX", "MEASURABLE"), codes.TARGET),
    **dict.fromkeys(("NON-TARGET", "NON TARGET", "NONTARGET", "NON-TARGET LESION", "NON-TARGET LESIONS", "NTL"), codes.NON_TARGET),
    **dict.fromkeys(("NEW", "NEW LESION", "NEW LESIONS", "NEW NON-TARGET", "NEW TARGET", "NL"), codes.NEW_LESION),
    **dict.fromkeys(("SPLEEN", "SPLENIC LENGTH"), codes.SPLEEN),
}
"""What a lesion is."""

STATE_TEST = "STATE"
LENGTHS = {
    **dict.fromkeys(("LDIAM", "LONGEST DIAMETER", "LDI", "LONGD", "LENGTH", "LGTH", "VLENGTH", "SPLLEN"), "LONG"),
    **dict.fromkeys(("LPERP", "LONGEST PERPENDICULAR", "LONGEST PERPENDICULAR DIAMETER", "SDI", "SDIAM", "SAXIS", "PERP"), "SHORT"),
    **dict.fromkeys(("TUMSTATE", "TUMOR STATE", "TUMOUR STATE", "LESSTATE", "STATE"), STATE_TEST),
}
"""Tests of TR that are read."""

MILLIMETRES = {
    **dict.fromkeys(("MM", "MILLIMETER", "MILLIMETRE", "MILLIMETERS", "MILLIMETRES"), 1.0),
    **dict.fromkeys(("CM", "CENTIMETER", "CENTIMETRE", "CENTIMETERS", "CENTIMETRES"), 10.0),
}
"""Millimetres in one of a unit."""

STATES = {
    **dict.fromkeys(("TOO SMALL TO MEASURE", "TOO SMALL", "TSTM", "BELOW MEASURABLE LIMIT"), codes.TOO_SMALL),
    **dict.fromkeys(
        (
            "NOT EVALUABLE",
            "NE",
            "NOT EVALUATED",
            "NOT ASSESSED",
            "NOT ASSESSABLE",
            "NOT DONE",
            "ND",
            "NOT IMAGED",
            "NOT SCANNED",
            "UNKNOWN",
        ),
        codes.NOT_EVALUATED,
    ),
    **dict.fromkeys(
        ("ABSENT", "RESOLVED", "DISAPPEARED", "GONE", "NOT VISIBLE", "NOT PRESENT", "INVISIBLE", "NO LONGER VISIBLE"), codes.ABSENT
    ),
    **dict.fromkeys(("PRESENT", "VISIBLE", "STABLE", "NON-CR/NON-PD", "IMPROVED", "UNCHANGED", "DECREASED"), codes.PRESENT),
    **dict.fromkeys(("EQUIVOCAL", RESPONSES[INDETERMINATE], "UNCERTAIN", "DOUBTFUL", "QUESTIONABLE", "SUSPECTED"), codes.EQUIVOCAL),
    **dict.fromkeys(
        ("UNEQUIVOCAL PROGRESSION", "UNEQUIVOCAL", "PROGRESSED", "PROGRESSION", "CLEARLY GROWN", "DEFINITE", "UNEQUIVOCALLY PRESENT"),
        codes.UNEQUIVOCAL,
    ),
}
"""What is said of a lesion without a length, or beside one."""

CHANGES = {
    **dict.fromkeys(("DECREASED", "DECREASE", "REDUCED", "REDUCTION", "LOWER", "LESS", "DOWN"), codes.DECREASED),
    **dict.fromkeys(("STABLE", "UNCHANGED", "NO CHANGE", "SAME", "NO SIGNIFICANT CHANGE", "NOT CHANGED"), codes.UNCHANGED),
    **dict.fromkeys(("INCREASED", "INCREASE", "HIGHER", "MORE", "UP"), codes.INCREASED),
}
"""How uptake has changed against baseline."""

_NODE = r"\bNODES?\b|NODAL|\bLN\b"
_NOT_NODE = r"EXTRA-? ?NODAL|NON-? ?NODAL"
_LYMPHOMA = r"LYMPHOMA|LESION|TUMOU?R|DISEASE|UPTAKE|\bFDG\b|\bPET\b|DEAUVILLE"
_SCORE = r"DEAUV|\bDS\b|\bDVS|5-? ?P(OINT|S\b|T)|FIVE-? ?P(OINT|S)|\bFPS\b|PET-? ?SC(ORE|R)|LUGSC|^C997(28|4[7-9]|50)$|^C136879$"
_BEFORE_SCORE = r"^(?:(?:DEAUVILLE|LUGANO|(?:FIVE|5)[- ]?(?:POINT|PS)|SCORE|SCALE|GRADE|DS)[ :=-]*)+"
_BESIDE_SCORE = r"SUV[A-Z]* ?[=:<>]* ?[0-9]+(?:[.,][0-9]+)?|[0-9](?:-| TO )?[0-9]? ?(?:X|TIMES)\b|AND/OR NEW LESIONS?|\bNO NEW\b"
_CHANGE = r"UPTAKE|UPTK|FDG ?(CHG|CHANGE|UP)|METCHG|SUV ?CH|INTENSITY|CHANGE IN"
_NEW = r"NEW"
_AVID = r"AVID"
_CODES = {"C99728": 1, "C99747": 2, "C99748": 3, "C99749": 4, "C99750": 5, "C136879": codes.SCORE_X}
_TESTS = r"INVOLV|INFILT|LYMPH|MALIG|TUMOU?R|CYTOLOG|HISTOL|BMINV|BMSTAT|BMRES|DISEASE|OCCUR|STATUS|PRES|NEOPL|DIAG|RESULT|MARROW"
_DENIED = r"\bNO\b|\bNOT\b|\bNON\b|NEGATIVE|ABSENT|WITHOUT|FREE OF|\bNEG\b|CLEARED|UNINVOLVED"
_SHOWN = r"POSITIVE|INVOLVE|PRESENT|INFILTRAT|LYMPHOMA|MALIGNAN|\bPOS\b|NEW|RECURREN"
_UNKNOWN = r"UNKNOWN|INDETERMIN|INADEQUATE|NOT EVALUABLE|NOT DONE|INSUFFICIENT|^NE$|^ND$|EQUIVOCAL"


def is_nodal(place: pl.Expr) -> pl.Expr:
    """Say of the place of a lesion (TULOC, normalised) whether it is a lymph node; what names no node is an organ. Never null.

    Examples
    --------
    >>> import polars as pl
    >>> places = pl.DataFrame({"P": ["LYMPH NODE, AXILLARY", "LIVER", "EXTRANODAL", None]})
    >>> places.select(is_nodal(pl.col("P")))["P"].to_list()
    [True, False, False, False]
    """
    return (place.str.contains(_NODE) & ~place.str.contains(_NOT_NODE)).fill_null(False)


def score_of(word: pl.Expr) -> pl.Expr:
    """Return the five-point score that a normalised word is: 1 to 5, 0 for X, -1 where the PET cannot be scored; null where it is none.

    Examples
    --------
    >>> import polars as pl
    >>> words = pl.DataFrame({"W": ["4", "SCORE 3", "DEAUVILLE 5", "X", "NE", "4.0", "7", "MAYBE", "3-4", "5-NEW"]})
    >>> words.select(score_of(pl.col("W")))["W"].to_list()
    [4, 3, 5, 0, -1, 4, None, None, None, 5]
    """
    bare = word.str.replace(_BEFORE_SCORE, "")
    # beside a number may stand what it means, but no second number or X, and no new lesion: which of them counts is not for us to say
    meaning = bare.str.replace_all(_BESIDE_SCORE, "")
    number = bare.str.extract(r"^([1-5])", 1)
    whole = meaning.str.contains(r"^[1-5](?:\.0+)?(?:[AB])?$|^[1-5](?:\.0+)? ?[-=:(][^0-9]*$") & ~meaning.str.contains(r"\bX\b|\bNEW\b")
    whole |= says_new(word)
    coded = word.replace_strict(_CODES, default=None, return_dtype=pl.Int8)
    unread = pl.when(bare.str.contains(_UNKNOWN)).then(codes.SCORE_NE)
    return pl.coalesce(coded, pl.when(whole).then(number.cast(pl.Int8)), pl.when(bare == "X").then(codes.SCORE_X), unread.cast(pl.Int8))


def says_new(word: pl.Expr) -> pl.Expr:
    """Say of a normalised five-point score whether it is one of a new lesion: 5-NEW. Never null.

    Examples
    --------
    >>> import polars as pl
    >>> words = pl.DataFrame({"W": ["5-NEW", "4 (NEW LESION)", "5", "2-NEW", None]})
    >>> words.select(says_new(pl.col("W")))["W"].to_list()
    [True, True, False, False, False]
    """
    bare = word.str.replace(_BEFORE_SCORE, "")
    return bare.str.contains(r"^[45] ?[-:=+,(]? ?NEW(?: AVID)?(?: LESIONS?| FOC(?:US|I)| SITES?)?\)?$").fill_null(False)


def of_lymphoma(frame: pl.DataFrame) -> pl.Expr:
    """Say of the records of FA whether they are about lymphoma, its lesions or its uptake. Never null."""
    return normalised(value_of(frame, "FAOBJ")).str.contains(_LYMPHOMA).fill_null(False)


def asks(frame: pl.DataFrame) -> pl.Expr:
    """Return what each record of FA asks of a PET: SCORE, CHANGE (of uptake), NEW (a new avid lesion) or AVID; null where something else.

    Examples
    --------
    >>> import polars as pl
    >>> fa = pl.DataFrame({"FATESTCD": ["DEAUVILL", "UPTAKE", "PETSCORE", "NEWAVID", "SEV"], "FATEST": None})
    >>> fa.select(asks(fa).alias("A"))["A"].to_list()
    ['SCORE', 'CHANGE', 'SCORE', 'NEW', None]
    """
    text = pl.concat_str(normalised(value_of(frame, "FATESTCD")), normalised(value_of(frame, "FATEST")), separator=" ", ignore_nulls=True)
    found = pl.when(text.str.contains(_SCORE)).then(pl.lit("SCORE")).when(text.str.contains(_NEW)).then(pl.lit("NEW"))
    return found.when(text.str.contains(_CHANGE)).then(pl.lit("CHANGE")).when(text.str.contains(_AVID)).then(pl.lit("AVID"))


def worsens(frame: pl.DataFrame) -> pl.Expr:
    """Say of the records of FA whether they ask for clinical deterioration. Never null.

    Examples
    --------
    >>> import polars as pl
    >>> fa = pl.DataFrame({"FATESTCD": ["CLINDET", "DETERIOR", "UPTAKE"], "FATEST": ["Clinical Deterioration", None, None]})
    >>> fa.select(worsens(fa).alias("W"))["W"].to_list()
    [True, True, False]
    """
    text = pl.concat_str(normalised(value_of(frame, "FATESTCD")), normalised(value_of(frame, "FATEST")), separator=" ", ignore_nulls=True)
    return text.str.contains(r"DETERIOR|CLINDET").fill_null(False)


def is_marrow(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Say of the records of MI, LB or FA whether they are about lymphoma in the marrow. Never null."""
    test = pl.concat_str(
        normalised(value_of(frame, f"{domain}TESTCD")), normalised(value_of(frame, f"{domain}TEST")), separator=" ", ignore_nulls=True
    )
    names = ("OBJ",) if domain == "FA" else ("SPEC", "LOC", "TESTCD", "TEST")
    place = pl.concat_str([normalised(value_of(frame, f"{domain}{name}")) for name in names], separator=" ", ignore_nulls=True)
    asked = test.str.contains(_TESTS) | (domain == "MI")
    return (place.str.contains(r"MARROW|\bBM") & asked).fill_null(False)


def involvement(said: pl.Expr) -> pl.Expr:
    """Return what a result says of lymphoma in the marrow: 0 none, 1 some, 2 new; null where it says neither.

    Examples
    --------
    >>> import polars as pl
    >>> words = pl.DataFrame({"W": ["NEGATIVE", "Involved", "NOT INVOLVED", "NEW INVOLVEMENT", "INADEQUATE", "Y", "N"]})
    >>> words.select(involvement(pl.col("W")).alias("I"))["I"].to_list()
    [0, 1, 0, 2, None, 1, 0]
    """
    text = normalised(said)
    new = text.str.contains(r"\bNEW|RECURREN")
    shown = text.str.contains(_SHOWN) | text.is_in(["Y", "YES"])
    denied = text.str.contains(_DENIED) | text.is_in(["N"])
    found = pl.when(text.str.contains(_UNKNOWN)).then(None).when(denied).then(codes.CLEAR)
    return found.when(shown & new).then(codes.NEWLY_INVOLVED).when(shown).then(codes.INVOLVED).cast(pl.Int8)
