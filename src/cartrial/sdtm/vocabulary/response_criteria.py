"""Which response criteria are those of another disease than acute leukaemia?

Their words are partly the same (PR, PD), and mean something else: read as those of leukaemia they would give a number that is wrong.
"""

from __future__ import annotations

import polars as pl

from cartrial.sdtm.vocabulary.terms import normalised

__all__ = ["is_overall", "of_another_disease"]

# Words of the sets in CDISC's list ONCRSCAT (C124298) that are not of acute leukaemia, and how sponsors shorten them.
_OTHERS = (
    *("RECIST", "RECICL", "PERCIST", "IRRC", "SOLID TUMOU?R", "CHOI", "WHO 19", "EASL", r"\bSACT\b", "^MASS$"),
    *("IMWG", "MYELOMA", "MACROGLOBULIN", "WALDENSTR", "IWWM", "LUGANO", "LYRIC", "HODGKIN", "MYCOSIS", "HISTIOCYTOSIS"),
    *("IWCLL", r"\bCLL\b", r"\bCML\b", r"\bMDS\b", r"\bMPN\b", r"\b(D?LBCL|PMBCL|NHL|MCL)\b"),
    *("RANO", "GLIOMA", "MACDONALD", r"\bINRC\b", "NEUROBLASTOMA", "GCIG", "PCWG"),
    *("MESOTHELIOMA", "CARCINOMA", "MELANOMA", "SARCOMA", r"\bGIST\b"),
)
# Words that can be part of the name of a leukaemia: lymphoblastic leukaemia/lymphoma, blood cancer.
_DOUBTFUL = ("LYMPHOMA", "CANCER")
_LEUKAEMIA = r"LYMPHOBLASTIC|\bALL\b|BLOOD CANCER|H(A)?EMATOLOGIC(AL)? CANCER"


def of_another_disease(category: pl.Expr) -> pl.Expr:
    """Whether a category of RS (RSCAT) names response criteria of another disease than acute leukaemia; never null.

    Examples
    --------
    >>> import polars as pl
    >>> words = pl.DataFrame({"RSCAT": ["RECIST 1.1", "NCCN ALL MRD 2014", "Lugano 2014", "PROTOCOL DEFINED RESPONSE CRITERIA", None]})
    >>> words.select(of_another_disease(pl.col("RSCAT"))).to_series().to_list()
    [True, False, True, False, False]
    """
    word = normalised(category)
    doubtful = word.str.contains("|".join(_DOUBTFUL)) & ~word.str.contains(_LEUKAEMIA)
    return (word.str.contains("|".join(_OTHERS)) | doubtful).fill_null(False)


def is_overall(test: pl.Expr, category: pl.Expr) -> pl.Expr:
    """Whether a record of RS is an overall call under criteria of leukaemia; `test` is already the term."""
    return (test == "OVRLRESP").fill_null(False) & ~of_another_disease(category)
