"""Which words mean the same cause of death? Others stand as they were recorded."""

from __future__ import annotations

import polars as pl

from cartrial.sdtm.vocabulary.terms import normalised, value_of
from cartrial.study.criteria.codes import RELAPSE, RESPONSES

__all__ = ["CAUSES", "cause_of", "says_cause"]

CAUSES: dict[str, tuple[str, ...]] = {
    "relapse or progression": (
        *(
            "PROGRESSIVE DISEASE",
            "DISEASE PROGRESSION",
            "PROGRESSION",
            RESPONSES[RELAPSE],
            "DISEASE RELAPSE",
            "RELAPSED DISEASE",
            "RECURRENT DISEASE",
        ),
        *("LEUKEMIA", "LEUKAEMIA", "ACUTE LYMPHOBLASTIC LEUKEMIA", "ACUTE LYMPHOBLASTIC LEUKAEMIA", "ACUTE LYMPHOCYTIC LEUKAEMIA", "ALL"),
        *("ACUTE LYMPHOCYTIC LEUKEMIA", "ACUTE LYMPHOBLASTIC LEUKAEMIA RECURRENT", "ACUTE LYMPHOCYTIC LEUKAEMIA RECURRENT", "LYMPHOMA"),
        *(
            "DIFFUSE LARGE B-CELL LYMPHOMA",
            "UNDERLYING DISEASE",
            "DISEASE UNDER STUDY",
            "STUDY DISEASE",
            "PRIMARY DISEASE",
            "STUDY INDICATION",
        ),
        *("LEUKEMIA PROGRESSION", "LEUKAEMIA PROGRESSION", "LYMPHOMA PROGRESSION", "MALIGNANT NEOPLASM PROGRESSION", "PD"),
    ),
    "cytokine release syndrome": ("CRS", "CYTOKINE STORM"),
    "neurotoxicity (ICANS)": ("ICANS", "NEUROTOXICITY", "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME", "CEREBRAL OEDEMA"),
    "HLH": (
        *("HAEMOPHAGOCYTIC LYMPHOHISTIOCYTOSIS", "HEMOPHAGOCYTIC LYMPHOHISTIOCYTOSIS", "IEC-HS", "MACROPHAGE ACTIVATION SYNDROME"),
        "HAEMOPHAGOCYTIC SYNDROME",
    ),
    "infection": (
        *("INFECTIONS", "SEPSIS", "SEPTIC SHOCK", "PNEUMONIA", "BACTERAEMIA", "BACTEREMIA", "FUNGAL INFECTION", "VIRAL INFECTION"),
        *("BACTERIAL INFECTION", "COVID-19", "COVID-19 PNEUMONIA", "NEUTROPENIC SEPSIS"),
    ),
    "haemorrhage": (
        "HEMORRHAGE",
        "BLEEDING",
        "INTRACRANIAL HEMORRHAGE",
        "INTRACRANIAL HAEMORRHAGE",
        "CEREBRAL HAEMORRHAGE",
        "CEREBRAL HEMORRHAGE",
    ),
    "graft versus host disease": (
        "GVHD",
        "GRAFT-VERSUS-HOST DISEASE",
        "ACUTE GRAFT VERSUS HOST DISEASE",
        "CHRONIC GRAFT VERSUS HOST DISEASE",
    ),
    "complication of transplant": (
        "TRANSPLANT COMPLICATION",
        "TRANSPLANT RELATED",
        "TRANSPLANT-RELATED MORTALITY",
        "COMPLICATIONS OF TRANSPLANT",
    ),
    "adverse event": ("AE", "TOXICITY", "TREATMENT TOXICITY", "TREATMENT-RELATED TOXICITY", "TREATMENT RELATED", "SERIOUS ADVERSE EVENT"),
    "other": ("OTHER CAUSE", "OTHER REASON", "OTHER CAUSES"),
    "unknown": ("U", "UNK", "NOT KNOWN", "CAUSE UNKNOWN", "UNDETERMINED", "UNKNOWN CAUSE"),
}
"""Causes, and the words that mean them, in capitals; the cause itself in capitals is one of them."""

_LOOKUP = {word: cause for cause, words in CAUSES.items() for word in (cause.upper(), *words)}


def cause_of(word: pl.Expr) -> pl.Expr:
    """Return the cause that each word means; a word of no list in small letters, null where there is none.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.harm.causes import cause_of
    >>> pl.DataFrame({"W": ["Progressive Disease", "SEPSIS", "Road accident", " "]}).select(cause_of(pl.col("W")))["W"].to_list()
    ['relapse or progression', 'infection', 'road accident', None]
    """
    text = normalised(word)
    plain = pl.when(text != "").then(text)
    return pl.coalesce(plain.replace_strict(_LOOKUP, default=None, return_dtype=pl.String), plain.str.to_lowercase())


_TESTS = ("PRCDTH", "CAUSE", "DTHCAUSE", "CAUSEDTH", "CODTH", "PRIMARY CAUSE OF DEATH", "CAUSE OF DEATH")


def says_cause(frame: pl.DataFrame) -> pl.Expr:
    """Say of each record of DD whether it tells the primary cause of the death: by its code, or its name where it has no code.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.harm.causes import says_cause
    >>> dd = pl.DataFrame({"DDTESTCD": ["PRCDTH", "SECDTH", None], "DDTEST": [None, None, "Primary Cause of Death"]})
    >>> dd.select(says_cause(dd).alias("S"))["S"].to_list()
    [True, False, True]
    """
    code, name = normalised(value_of(frame, "DDTESTCD")), normalised(value_of(frame, "DDTEST"))
    return pl.coalesce(pl.when(code != "").then(code), name).is_in(list(_TESTS)).fill_null(False)
