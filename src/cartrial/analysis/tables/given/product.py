"""How long did the product take from vein to vein, and how much of it was infused?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.tables.given.counted import absent_row, infused_people, number_rows, share_rows
from cartrial.analysis.wording import DAY
from cartrial.endpoints.sets.baseline import dose_of
from cartrial.endpoints.sets.dose import WITHIN, product_doses

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["INTERVALS", "product_rows"]

INTERVALS = {
    "ENROLMENT-INFUSION": ("ENROLLED", "DAY0", "Enrolment to infusion"),
    "LEUKAPHERESIS-RELEASE": ("LEUK", "RELEASED", "Leukapheresis to release of the product"),
    "RELEASE-INFUSION": ("RELEASED", "DAY0", "Release of the product to infusion"),
    "LEUKAPHERESIS-INFUSION": ("LEUK", "DAY0", "Leukapheresis to infusion (vein to vein)"),
    "LYMPHODEPLETION-INFUSION": ("LDSTART", "DAY0", "First day of lymphodepletion to infusion"),
}
"""Intervals by id: the first of the days of `Records.subjects` from which it is counted, that to which, and its words."""

_LABELS = {"analysis": "treatment", "population": "infused"}


def product_rows(study: Study, records: Records) -> list[pl.DataFrame]:
    """Rows on the way of the product to the infused subjects, and on its dose.

    Parameters
    ----------
    study : Study
        Fractions and the planned range of doses.
    records : Records
        subjects, procedures, dispositions, doses.

    Returns
    -------
    list of polars.DataFrame
        `by` interval, `endpoint` of `INTERVALS`: n (with both days, each a whole date), N (infused), median, quartiles, min and max, days.
        `endpoint` DOSE, `by` unit, `level` the unit: the dose of all fractions, of those of one unit; DOSEKG in cells/kg; DOSERNG: n within
        the planned range, N (of whom the dose is known). `endpoint` RE-INFUSION: n (with a product given after the fractions, by the
        cutoff), N. What nobody has is one row without a value.
    """
    people = infused_people(records)
    if people.is_empty():
        return []
    exact = _exact(records)
    frames = []
    for name, (start, end, _) in INTERVALS.items():
        if name.startswith("LEUKAPHERESIS") and study.product.type != "autologous":
            continue
        spans = exact.select("SUBJ", VALUE=pl.col(end) - pl.col(start))
        key = {**_LABELS, "endpoint": name, "by": "interval"}
        rows = number_rows(people, spans, DAY, **key)
        frames.append(rows if rows.height else absent_row(people, **key))
    return [*frames, *_doses(study, records, people)]


def _exact(records: Records) -> pl.DataFrame:
    """Return the days of the milestones that are whole dates: SUBJ, ENROLLED, LEUK, RELEASED, LDSTART, DAY0; null where they are not."""
    frame = records.subjects.select("SUBJ", "ENROLLED", "LEUK", "RELEASED", "LDSTART", "DAY0", *_imputed(records))
    tables = {
        "ENROLLED": records.dispositions.filter(pl.col("KIND") == "ENROLLED"),
        "LEUK": records.procedures.filter(pl.col("KIND") == "LEUKAPHERESIS"),
        "RELEASED": records.dispositions.filter(pl.col("KIND") == "PRODUCT RELEASED"),
        "LDSTART": records.doses.filter(pl.col("KIND") == "LYMPHODEPLETION"),
    }
    for name, table in tables.items():
        unsure = table.filter(pl.col("DAY") != pl.col("DAYX")).select("SUBJ", pl.col("DAY").alias(name)).unique()
        partial = frame.join(unsure, on=["SUBJ", name], how="semi")["SUBJ"]
        frame = frame.with_columns(pl.when(~pl.col("SUBJ").is_in(partial.implode())).then(name).alias(name))
    return frame.with_columns(pl.when(~pl.col("DAY0IMPUTED")).then("DAY0").alias("DAY0"))


def _imputed(records: Records) -> list[pl.Expr]:
    there = "DAY0IMPUTED" in records.subjects.columns
    return [pl.col("DAY0IMPUTED").fill_null(False) if there else pl.lit(False).alias("DAY0IMPUTED")]


def _doses(study: Study, records: Records, people: pl.DataFrame) -> list[pl.DataFrame]:
    given = product_doses(study, records).join(people.select("SUBJ"), on="SUBJ", how="semi")
    whole = given.group_by("SUBJ").agg(
        pl.col("AMOUNT").sum().alias("VALUE"), pl.col("UNIT").first().alias("level"), pl.col("UNIT").n_unique().alias("UNITS")
    )
    key = {**_LABELS, "endpoint": "DOSE", "by": "unit"}
    rows = number_rows(people, whole.filter((pl.col("UNITS") == 1) & pl.col("level").is_not_null()), "", **key)
    frames = [rows if rows.height else absent_row(people, **key)]
    cells = dose_of(study, records)
    perkg = number_rows(people, cells.select("SUBJ", VALUE="DOSEKG"), "cells/kg", **{**_LABELS, "endpoint": "DOSEKG"})
    frames.append(perkg if perkg.height else absent_row(people, **{**_LABELS, "endpoint": "DOSEKG"}))
    if study.product.dose_range:
        known = cells.filter(pl.col("DOSERNG").is_not_null())
        of = people.join(known.select("SUBJ"), on="SUBJ", how="semi")
        key = {**_LABELS, "endpoint": "DOSERNG"}
        frames.append(share_rows(of, known.filter(pl.col("DOSERNG") == WITHIN), **key) if of.height else absent_row(people, **key))
    later = records.doses.filter(pl.col("KIND") == "PRODUCT").join(people, on="SUBJ", how="inner")
    later = later.filter((pl.col("DAY") > pl.col("DAY0") + study.product.fraction_days) & (pl.col("DAY") <= pl.col("CUTOFF")))
    return [*frames, share_rows(people, later, **{**_LABELS, "endpoint": "RE-INFUSION"})]
