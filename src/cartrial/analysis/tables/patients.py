"""Who are a study's patients, with what they were at baseline and what became of them at one endpoint? A row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.endpoints import level_column, number_column
from cartrial.study import Endpoint, Study

if TYPE_CHECKING:
    from cartrial.endpoints import Adam

__all__ = ["tabulate_patients"]


def tabulate_patients(study: Study, adam: Adam, endpoint: Endpoint) -> pl.DataFrame:
    """Return the patients of an endpoint.

    Parameters
    ----------
    study : Study
    adam : Adam
    endpoint : Endpoint
        A response rate, or a time to an event.

    Returns
    -------
    polars.DataFrame
        USUBJID; each baseline characteristic under its id as a level, and under `ID#` as a number where it has one; RESPONSE (1 or 0), or
        TIME (days) and EVENT (1 or 0). RESPONSE is null of a subject not yet assessable.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import polars as pl
    >>> from cartrial.analysis import tabulate_patients
    >>> from cartrial.study import Study
    >>> study = Study.load("inaticel")
    >>> endpoint = next(one for one in study.endpoints if one.type == "response-rate")
    >>> adsl = pl.DataFrame({"USUBJID": ["S-01", "S-02"], "AGE": [34.0, 51.0]})
    >>> adrs = pl.DataFrame({"USUBJID": ["S-01", "S-02"], "PARAMCD": endpoint.id, "VARIANT": "", "AVAL": [1.0, 0.0]})
    >>> tabulate_patients(study, SimpleNamespace(adsl=adsl, adrs=adrs), endpoint).rows()
    [('S-01', 34.0, 1.0), ('S-02', 51.0, 0.0)]
    """
    rate = endpoint.type == "response-rate"
    rows = (adam.adrs if rate else adam.adtte).filter(pl.col("PARAMCD") == endpoint.id, pl.col("VARIANT") == "")
    outcome = {"RESPONSE": pl.col("AVAL")} if rate else {"TIME": pl.col("AVAL"), "EVENT": (pl.col("CNSR") == 0).cast(pl.Int64)}
    values = (rows if rate else rows.filter(pl.col("AVAL").is_not_null())).select("USUBJID", **outcome)
    held: dict[str, pl.Expr] = {}
    for item in study.baseline:
        level, number = level_column(item), number_column(item)
        if number in adam.adsl.columns and adam.adsl[number].dtype.is_numeric():
            held[f"{item.id}#"] = pl.col(number)
        if level in adam.adsl.columns and not adam.adsl[level].dtype.is_numeric():
            known = pl.col(level).cast(pl.String)
            held[item.id] = pl.when(known != "missing").then(known)
    return adam.adsl.select("USUBJID", **held).join(values, on="USUBJID", how="inner", maintain_order="left")
