"""What do the words of a response mean under the study's criteria, and which criteria are those of another disease?

The common code list says which term a word means. What the term is in a family of criteria, and which words are the family's own, its table
says (`Family.reads`). Words of another disease are partly the same (PR, PD), and mean something else: read as those of leukaemia they would
give a number that is wrong.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from cartrial.sdtm.vocabulary.terms import CODE_LISTS, normalised
from cartrial.study.criteria.sets import FAMILIES

if TYPE_CHECKING:
    from cartrial.study.criteria.families import Family

__all__ = ["OVERALL", "is_call", "is_readable", "modality_of", "of_another_disease", "status_of"]

OVERALL = "OVRLRESP"
"""The test of an overall call."""

_ANATOMIC = r"\bCT\b|COMPUTED|\bMRI?\b|MAGNETIC|ULTRASO"

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


def of_another_disease(category: pl.Expr, family: Family | None = None) -> pl.Expr:
    """Whether a category of RS (RSCAT) names response criteria of another disease than acute leukaemia, or than a family's; never null.

    Examples
    --------
    >>> import polars as pl
    >>> words = pl.DataFrame({"RSCAT": ["RECIST 1.1", "NCCN ALL MRD 2014", "Lugano 2014", "PROTOCOL DEFINED RESPONSE CRITERIA", None]})
    >>> words.select(of_another_disease(pl.col("RSCAT"))).to_series().to_list()
    [True, False, True, False, False]
    """
    word = normalised(category)
    doubtful = word.str.contains("|".join(_DOUBTFUL)) & ~word.str.contains(_LEUKAEMIA)
    other = word.str.contains("|".join(_OTHERS)) | doubtful
    if family is not None and family.named:
        other = (other | word.str.contains(f"{_LEUKAEMIA}|LEUKA?EMIA")) & ~word.str.contains("|".join(family.named))
    return other.fill_null(False)


def is_readable(category: pl.Expr) -> pl.Expr:
    """Whether the words of a record of RS may be put as the common code list has them: no criteria of a disease that no family knows."""
    return pl.any_horizontal(~of_another_disease(category, family) for family in FAMILIES.values())


def is_call(test: pl.Expr, category: pl.Expr, family: Family) -> pl.Expr:
    """Whether a record of RS is a call under a family's criteria, overall or by a modality; `test` is already the term."""
    return test.is_in([OVERALL, *family.modalities]).fill_null(False) & ~of_another_disease(category, family)


def modality_of(test: pl.Expr, method: pl.Expr, family: Family) -> pl.Expr:
    """What a call of a family was made by: `PET`, `CT`, or blank for an overall call. An overall call says it by its method (RSMETHOD)."""
    if not family.modalities:
        return pl.lit("")
    word = normalised(method)
    named = (
        pl.when(word.str.contains("PET")).then(pl.lit("PET")).when(word.str.contains(_ANATOMIC)).then(pl.lit("CT")).otherwise(pl.lit(""))
    )
    return test.replace_strict(family.modalities, default=None, return_dtype=pl.String).fill_null(named)


@cache
def _lookup(family: Family) -> dict[str, str]:
    """Return the status of each word, written as `normalised` writes it."""
    terms = {word: family.reads.get(term, term) for word, term in CODE_LISTS["RSSTRESC"].lookup.items()}
    return {word: status for word, status in (terms | family.reads).items() if status in family.best_first}


def status_of(column: pl.Expr, family: Family) -> pl.Expr:
    """Return the status of a family that each word means, null where it means none.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.response_criteria import status_of
    >>> from cartrial.study.criteria.leukaemia import LEUKAEMIA
    >>> words = pl.DataFrame({"RSSTRESC": ["Complete response", "stable disease", "IR"]})
    >>> words.select(status_of(pl.col("RSSTRESC"), LEUKAEMIA))["RSSTRESC"].to_list()
    ['CR', 'NR', None]
    """
    lookup = _lookup(family)
    return normalised(column).replace_strict(list(lookup), list(lookup.values()), default=None, return_dtype=pl.String)
