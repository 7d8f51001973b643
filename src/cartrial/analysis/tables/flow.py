"""How many subjects reached each milestone, from consent to evaluable, and what became of them?"""

from __future__ import annotations

import polars as pl

from cartrial.analysis.estimators.arguments import check_columns
from cartrial.analysis.results import build_rows
from cartrial.endpoints.absent import NOT_RECORDED

__all__ = ["MILESTONES", "count_flow", "flow_rows"]

MILESTONES = {
    "consented": "CONSFL",
    "enrolled": "ENRLFL",
    "leukapheresed": "LEUKFL",
    "released": "RELFL",
    "lymphodepleted": "LDFL",
    "infused": "INFFL",
    "assessed": "ASSFL",
    "evaluable": "EVALFL",
    "responders": "RESPFL",
}
"""Milestones with the flag of ADSL that says a subject reached them, in their order."""

_READ = ("assessed", "evaluable", "responders")
_BEFORE = ("consented", "enrolled", "leukapheresed", "released", "lymphodepleted")


def count_flow(adsl: pl.DataFrame) -> pl.DataFrame:
    """Count the subjects at each milestone, one row for each trial: TRIAL and a column for each of `MILESTONES`, null where not recorded.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import count_flow
    >>> flags = ("CONSFL", "ENRLFL", "LEUKFL", "RELFL", "LDFL", "INFFL", "ASSFL", "EVALFL")
    >>> adsl = pl.DataFrame({"TRIAL": 1, **dict.fromkeys(flags, "Y"), "RESPFL": ["Y", "N"]})
    >>> count_flow(adsl).select("TRIAL", "infused", "responders").rows()
    [(1, 2, 1)]
    """
    check_columns(adsl, "TRIAL", *MILESTONES.values())
    return adsl.group_by("TRIAL").agg(_count(pl.col(flag).cast(pl.String)).alias(name) for name, flag in MILESTONES.items()).sort("TRIAL")


def _count(flag: pl.Expr) -> pl.Expr:
    """Return how many are Y; null where the flag of nobody is known."""
    return pl.when(flag.is_not_null().any()).then((flag == "Y").sum().cast(pl.Int64))


def flow_rows(adsl: pl.DataFrame, reader: str = "") -> list[pl.DataFrame]:
    """Rows of the flow: n by milestone (`endpoint`), and among the infused by end of study status (`by` status).

    A milestone before the infusion that no subject of a trial has, though some were infused, was not recorded: it has no row. Where a
    trial has no call by the reader, n of what he would say is null.

    Parameters
    ----------
    adsl : polars.DataFrame
        TRIAL, the flags of `MILESTONES` (Y/N), EOSSTT, DCSREAS.
    reader : str
        Whose assessments say who is assessed, evaluable and a responder (any CR or CRi, every intercurrent event ignored).
    """
    if adsl.is_empty():
        return []
    counts = count_flow(adsl).rename({"TRIAL": "trial"})
    frames = []
    for name in MILESTONES:
        recorded = (pl.col(name) > 0) | (pl.col("infused") == 0) if name in _BEFORE else pl.lit(True)
        said = {"reader": reader, "strategies": "treatment-policy"} if name in _READ else {}
        reached = counts.filter(recorded).select("trial", pl.col(name).alias("n"))
        rows = build_rows(reached, ("n",), analysis="flow", endpoint=name, **said)
        frames.append(rows.with_columns(pl.when(pl.col("value").is_null()).then(pl.lit(NOT_RECORDED)).otherwise("text").alias("text")))
    infused = pl.col("INFFL").cast(pl.String) == "Y"
    for population, where in (("infused", infused), ("enrolled, not infused", ~infused & (pl.col("ENRLFL").cast(pl.String) == "Y"))):
        status = (
            adsl.filter(where)
            .group_by(trial="TRIAL", level=pl.coalesce(pl.col("DCSREAS", "EOSSTT").cast(pl.String), pl.lit("not recorded")))
            .len("n")
            .sort("trial", "level")
        )
        frames.append(build_rows(status, ("n",), analysis="flow", endpoint="status", by="status", population=population))
    return frames
