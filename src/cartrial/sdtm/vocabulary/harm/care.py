"""What was given for a toxicity, and for which? Drugs and intensive care by class; a reason, a category, or the date.

A record that names a syndrome as its reason was given for it. So was one in the category of its treatment. What names no reason, or a sign
that the grading of cytokine release reads (fever, low pressure, low oxygen), may have been given for what was there on its day; what names
another reason, or prevention, was not.
"""

from __future__ import annotations

import polars as pl

from cartrial.sdtm.vocabulary.harm.events import LIKE
from cartrial.sdtm.vocabulary.terms import canonical, normalised, value_of

__all__ = ["CARE", "CARE_DOMAINS", "care_class", "care_reason"]

CARE: dict[str, str] = {
    "tocilizumab": r"TOCILIZUMAB|TOZILIZUMAB|ACTEMRA|ROACTEMRA|托珠单抗|トシリズマブ",
    "corticosteroids": (
        r"DEXAMETH?ASON|PREDNISOL|PREDNISON|HYDROCORTISON|CORTICOSTEROID|GLUCOCORTICOID|\bSTEROID|BETAMETHASON|CORTISON|地塞米松|泼尼松|泼尼龙"
    ),
    "anakinra": r"ANAKINRA|KINERET|阿那白滞素",
    "vasopressors": (
        r"NOREPINEPHRIN|NORADRENALIN|\bEPINEPHRIN|\bADRENALIN|VASOPRESSIN|VASOPRESSOR|PHENYLEPHRIN|\bDOPAMIN|ANGIOTENSIN II\b|TERLIPRESSIN|"
        r"METARAMINOL|DOBUTAMIN|去甲肾上腺素"
    ),
    "intensive care": r"INTENSIVE CARE|\bICU\b|\bPICU\b|CRITICAL CARE|INTENSIVSTATION|SOINS INTENSIFS|R[ÉE]ANIMATION|重症监护",
}
"""Classes of care, with the pattern of what belongs to them."""

CARE_DOMAINS: dict[str, tuple[str, ...]] = {"CM": ("DECOD", "TRT"), "PR": ("DECOD", "TRT"), "HO": ("DECOD", "TERM")}
"""Domains that have them, and the variables that say what was given: as coded, else as collected."""

# on the skin, in the eye, breathed in or by way of a joint: no treatment of a syndrome
_LOCAL = r"TOPICAL|OPHTHALM|INHAL|NASAL|CUTANEOUS|DERMAL|AURICULAR|INTRA-?ARTICULAR|INTRATHECAL|EYE|CREAM|OINTMENT"
_SIGNS = r"HYPOTENS|HYPOX|FEVER|PYREXI|FIEBER|SHOCK|LOW BLOOD PRESSURE|INFLAMM|HYPERFERRITIN"
_PREVENTS = r"PROPHYL|PREVENT|PRE-? ?MEDIC|PREMED"
_CATEGORIES = {"CYTOKINE RELEASE SYNDROME TREATMENT": "CRS", "NEUROTOXICITY TREATMENT": "ICANS"}


def care_class(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Return the class in `CARE` of each record of a domain, null where it is none; what is given locally is none.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.harm.care import care_class
    >>> cm = pl.DataFrame({"CMTRT": ["Tocilizumab 8 mg/kg", "Dexamethasone", "Dexamethasone", "Cefepime"]})
    >>> cm = cm.with_columns(CMROUTE=pl.Series([None, "INTRAVENOUS", "OPHTHALMIC", None]))
    >>> cm.select(care_class(cm, "CM").alias("C"))["C"].to_list()
    ['tocilizumab', 'corticosteroids', None, None]
    """
    names = [_filled(value_of(frame, f"{domain}{name}")) for name in CARE_DOMAINS[domain]]
    if domain == "CM":
        names.append(_filled(value_of(frame, "CMCLAS")))
    found = pl.lit(None, dtype=pl.String)
    # as coded first: a name that fits no class may be collected more plainly
    for name in reversed(names):
        for word, pattern in reversed(CARE.items()):
            found = pl.when(name.str.contains(pattern).fill_null(False)).then(pl.lit(word)).otherwise(found)
    route = pl.concat_str([value_of(frame, f"{domain}{name}") for name in ("ROUTE", "DOSFRM")], separator=" ", ignore_nulls=True)
    local = normalised(route).str.contains(_LOCAL).fill_null(False)
    return pl.when(~local).then(found)


def care_reason(frame: pl.DataFrame, domain: str) -> dict[str, pl.Expr]:
    """Return, for each of `LIKE`, whether a record was given for it: `yes`, `no`, or `day` where its date must tell.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.harm.care import care_reason
    >>> cm = pl.DataFrame({"CMINDC": ["CRS grade 2", "CRS prophylaxis", "Hypotension", None, "Rash"]})
    >>> cm.select(care_reason(cm, "CM")["CRS"].alias("R"))["R"].to_list()
    ['yes', 'no', 'day', 'day', 'no']
    """
    said = _filled(value_of(frame, f"{domain}INDC"))
    category = canonical(value_of(frame, f"{domain}CAT"), "CMCAT")
    of = category.replace_strict(_CATEGORIES, default=None, return_dtype=pl.String)
    named = {name: said.str.contains(pattern).fill_null(False) for name, pattern in LIKE.items()}
    any_named = pl.any_horizontal(*named.values())
    prevents = said.str.contains(_PREVENTS).fill_null(False)
    open_ = said.is_null() | said.str.contains(_SIGNS).fill_null(False)
    return {
        name: pl.when(prevents)
        .then(pl.lit("no"))
        .when(here)
        .then(pl.lit("yes"))
        .when(any_named)
        .then(pl.lit("no"))
        .when(of == name)
        .then(pl.lit("yes"))
        .when(category.is_not_null())
        .then(pl.lit("no"))
        .when(open_)
        .then(pl.lit("day"))
        .otherwise(pl.lit("no"))
        for name, here in named.items()
    }


def _filled(text: pl.Expr) -> pl.Expr:
    word = normalised(text)
    return pl.when(word != "").then(word)
