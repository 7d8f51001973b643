"""What reads like an adverse event of interest? Patterns over terms in capitals, and the class of infections.

Scales: cytokine release syndrome and ICANS by ASTCT (Lee et al. 2019, doi:10.1016/j.bbmt.2018.12.758), IEC-HS by ASTCT (Hines et al. 2023,
doi:10.1016/j.jtct.2023.03.006), ICAHT by EHA and EBMT (Rejeski et al. 2023, doi:10.1182/blood.2023020578). Classes are those of MedDRA.
"""

from __future__ import annotations

import polars as pl

from cartrial.sdtm.vocabulary.terms import normalised

__all__ = ["INFECTIONS", "LIKE", "WATCHED", "is_infection", "watched"]

LIKE = {"CRS": r"CYTOKINE (RELEASE|STORM)|\bCRS\b|ZYTOKIN", "ICANS": r"\bICANS\b|EFFECTOR CELL-? ?ASSOCIATED NEURO|NEUROTOXI"}
"""Of events of special interest, by their id in a study file: what an event and a reason of treatment read like."""

WATCHED: dict[str, tuple[str, str]] = {
    "IEC-HS": (
        "Immune effector cell-associated HLH-like syndrome (IEC-HS)",
        r"\bIEC-? ?HS\b|EFFECTOR CELL-? ?ASSOCIATED (HA?EMOPHAGOCYTIC|HLH)",
    ),
    "HLH": ("Haemophagocytic lymphohistiocytosis (HLH), macrophage activation", r"HA?EMOPHAGOCYT|\bHLH\b|\bMAS\b|MACROPHAGE ACTIVATION"),
    "ICAHT": (
        "Immune effector cell-associated haematotoxicity (ICAHT)",
        r"\bICAHT\b|EFFECTOR CELL-? ?ASSOCIATED HA?EMATO(LOGICAL )? ?TOX",
    ),
}
"""Events that are shown by the grade that was recorded: id, words, pattern. The first pattern that fits a term counts."""

INFECTIONS = ("INFECTIONS AND INFESTATIONS", "INFECTIONS & INFESTATIONS", "INFECTIONS", "INFECTION")
"""Classes of events that are infections, in capitals."""


def watched(term: pl.Expr) -> pl.Expr:
    """Return the id of the event in `WATCHED` that each term is, null where it is none.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm.vocabulary.harm.events import watched
    >>> terms = ["Haemophagocytic lymphohistiocytosis", "Immune effector cell-associated haematotoxicity", "Nausea"]
    >>> pl.DataFrame({"T": terms}).select(watched(pl.col("T")))["T"].to_list()
    ['HLH', 'ICAHT', None]
    """
    word, found = normalised(term), pl.lit(None, dtype=pl.String)
    for name, (_, pattern) in reversed(WATCHED.items()):
        found = pl.when(word.str.contains(pattern)).then(pl.lit(name)).otherwise(found)
    return found.alias(term.meta.output_name())


def is_infection(system: pl.Expr) -> pl.Expr:
    """Say of each class of events whether it is that of infections; null where there is none."""
    return normalised(system).is_in(list(INFECTIONS))
