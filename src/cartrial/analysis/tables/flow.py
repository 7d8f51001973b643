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
_CHAIN = ("consented", "enrolled", "leukapheresed", "released", "lymphodepleted", "infused", "assessed", "responders")
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


def flow_rows(adsl: pl.DataFrame, reader: str = "", *, losses: bool = True) -> list[pl.DataFrame]:
    """Rows of the flow: n by milestone (`endpoint`), and among the infused by end of study status (`by` status).

    With `losses`: who did not reach a milestone (`by` loss) of those at the one before that was recorded (`population`), in all (`level`
    blank) and by reason; and who of the assessed is not evaluable, and the other way round (`by` not in, `level` the other).

    A milestone before the infusion that no subject of a trial has, though some were infused, was not recorded: it has no row. Where a
    trial has no call by the reader, n of what he would say is null.

    Parameters
    ----------
    adsl : polars.DataFrame
        TRIAL, the flags of `MILESTONES` (Y/N), EOSSTT, DCSREAS.
    reader : str
        Whose assessments say who is assessed, evaluable and a responder (any CR or CRi, every intercurrent event ignored).
    losses : bool
        Whether the reasons of loss are counted: of one trial, for its page.
    """
    if adsl.is_empty():
        return []
    counts = count_flow(adsl).rename({"TRIAL": "trial"})
    frames = []
    for name in MILESTONES:
        said = {"reader": reader, "strategies": "treatment-policy"} if name in _READ else {}
        reached = counts.filter(_recorded(name)).select("trial", pl.col(name).alias("n"))
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
    return [*frames, *_losses(adsl, counts, reader), *_beside(adsl, reader)] if losses else frames


def _losses(adsl: pl.DataFrame, counts: pl.DataFrame, reader: str) -> list[pl.DataFrame]:
    """Rows of those who did not reach a milestone from the recorded one before it, by reason.

    The reason before the infusion is the failure of the product where one is recorded, then the end of the study; of an assessed subject
    who did not respond no reason is given.
    """
    shown = {name: _recorded(name) & pl.col(name).is_not_null() for name in _CHAIN}
    seen = counts.select("trial", **shown)
    failed = pl.col("PRFAILFL").cast(pl.String) == "Y" if "PRFAILFL" in adsl.columns else pl.lit(False)
    left = pl.coalesce(pl.col("DCSREAS", "EOSSTT").cast(pl.String), pl.lit(NOT_RECORDED))
    frames = []
    for place, name in enumerate(_CHAIN[1:], 1):
        for first in range(place):
            before, between = _CHAIN[first], _CHAIN[first + 1 : place]
            trials = seen.filter(pl.col(before) & pl.col(name) & ~pl.any_horizontal(pl.lit(False), *between))["trial"]
            if trials.is_empty():
                continue
            lost = adsl.filter(
                pl.col("TRIAL").is_in(trials.implode())
                & (pl.col(MILESTONES[before]).cast(pl.String) == "Y")
                & (pl.col(MILESTONES[name]).cast(pl.String) != "Y")
            )
            reason = pl.when(failed).then(pl.lit("PRODUCT FAILURE")).otherwise(left) if name in _BEFORE or name == "infused" else left
            every = pl.DataFrame({"trial": trials}).join(lost.group_by(trial="TRIAL").len("n"), on="trial", how="left").fill_null(0)
            said = {"reader": reader, "strategies": "treatment-policy"} if name in _READ else {}
            labels = {"analysis": "flow", "endpoint": name, "by": "loss", "population": before, **said}
            frames.append(build_rows(every.sort("trial"), ("n",), **labels))
            if name != "responders":
                split = lost.group_by(trial="TRIAL", level=reason).len("n").sort("trial", "level")
                frames.append(build_rows(split, ("n",), **labels))
    return frames


def _beside(adsl: pl.DataFrame, reader: str) -> list[pl.DataFrame]:
    """Rows of those who are assessed and not evaluable, and of those who are evaluable and not assessed."""
    frames = []
    for name, other in (("assessed", "evaluable"), ("evaluable", "assessed")):
        here, there = (pl.col(MILESTONES[one]).cast(pl.String) for one in (name, other))
        known = adsl.filter(here.is_not_null() & there.is_not_null())
        outside = known.group_by(trial="TRIAL").agg(((here == "Y") & (there != "Y")).sum().cast(pl.Int64).alias("n")).sort("trial")
        labels = {"analysis": "flow", "endpoint": name, "by": "not in", "level": other, "reader": reader, "strategies": "treatment-policy"}
        frames.append(build_rows(outside, ("n",), **labels))
    return frames


def _recorded(name: str) -> pl.Expr:
    """Whether a milestone was recorded: one before the infusion that nobody has, though some were infused, was not."""
    return (pl.col(name) > 0) | (pl.col("infused") == 0) if name in _BEFORE else pl.lit(True)
