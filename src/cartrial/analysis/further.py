"""Which rows does an export ask for beyond a report? What was given, serious events, shifts of grade, recovery, how times ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.plan import variant_labels
from cartrial.analysis.results import SCHEMA, join_rows
from cartrial.analysis.tables.ends import end_rows
from cartrial.analysis.tables.given.product import product_rows
from cartrial.analysis.tables.given.therapies import therapy_rows
from cartrial.analysis.tables.safety.grades import recovery_rows, serious_rows, shift_rows

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["analyse_further"]


def analyse_further(study: Study, adam: Adam, records: Records) -> pl.DataFrame:
    """Return the rows that numbered displays need and no page of a report shows.

    Parameters
    ----------
    study : Study
    adam : Adam
        adsl, adtte, adae.
    records : Records
        What stands in no ADaM set.

    Returns
    -------
    polars.DataFrame
        Columns of `cartrial.analysis.SCHEMA`; none of a study that is listed only.

    Examples
    --------
    >>> from cartrial.analysis.further import analyse_further
    >>> from cartrial.run import derive_data, simulate_data
    >>> data = simulate_data("inaticel", n=3, seed=1)
    >>> derived = derive_data(data)
    >>> rows = analyse_further(data.study, derived.adam, derived.records)
    >>> rows.filter(analysis="treatment", endpoint="LYMPHODEPLETION", by="").select("statistic", "text").rows()
    [('n', '3'), ('N', '3'), ('rate', '100.0')]
    """
    if study.study.listing_only or adam.adsl.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    frames = [
        *product_rows(study, records),
        *therapy_rows(study, adam.adsl, records),
        *serious_rows(adam.adae, adam.adsl),
        *shift_rows(records),
        *recovery_rows(study, records),
        *end_rows(adam.adtte, variant_labels(study)),
    ]
    return join_rows(frames, study=study.study.id, provenance=adam.provenance)
