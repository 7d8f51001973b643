"""Which analyses does a study ask for? Every endpoint, variant, subgroup and trial, as rows of the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.analysis.baseline import baseline_rows, subgroup_levels
from cartrial.analysis.concordance import concordance_rows
from cartrial.analysis.flow import flow_rows
from cartrial.analysis.kinetics import kinetics_rows
from cartrial.analysis.responses import response_rows
from cartrial.analysis.results import SCHEMA, join_rows
from cartrial.analysis.safety import laboratory_rows, safety_rows
from cartrial.analysis.times import incidence_rows, survival_rows

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["analyse", "variant_labels"]


def variant_labels(study: Study) -> pl.DataFrame:
    """Return the key columns of the results for each endpoint and variant.

    Returns
    -------
    polars.DataFrame
        PARAMCD, VARIANT, and endpoint, variant, population, reader, window, strategies in words.
    """
    from cartrial.study import strategies_text, window_text

    rows = [
        {
            "PARAMCD": endpoint.id,
            "VARIANT": variant.name,
            "endpoint": endpoint.id,
            "variant": variant.name,
            "population": variant.endpoint.population,
            "reader": variant.endpoint.reader or study.readers.primary,
            "window": window_text(study, variant.endpoint),
            "strategies": strategies_text(variant.endpoint),
        }
        for endpoint in study.endpoints
        for variant in study.variants(endpoint)
    ]
    names = ("PARAMCD", "VARIANT", "endpoint", "variant", "population", "reader", "window", "strategies")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))


def analyse(
    study: Study, adam: Any, records: Records | None = None, *, curves: bool | None = None, conf_level: float = 0.95
) -> pl.DataFrame:
    """Estimate everything that a study asks for, over any number of trials at once.

    Parameters
    ----------
    study : Study
    adam : Adam
        adsl, adrs, adtte, adae, adck, adresp, each with TRIAL and SUBJ; provenance.
    records : Records, optional
        For what stands in no ADaM set: cytopenia and B-cell aplasia. Without: those rows are left out.
    curves : bool, optional
        Whether each step of each curve becomes rows, and subgroups are compared by Cox models. By default for a single trial.
    conf_level : float

    Returns
    -------
    polars.DataFrame
        Rows as `results.SCHEMA` has them, in a fixed order: by analysis, then as the study file lists its endpoints' rows, then trial. A
        study whose `listing_only` says why nothing is estimated has none.
    """
    if study.study.listing_only:
        return pl.DataFrame(schema=SCHEMA)
    if curves is None:
        curves = adam.adsl.height > 0 and adam.adsl["TRIAL"].n_unique() == 1
    labels = variant_labels(study)
    subgroups = subgroup_levels(study, adam.adsl)
    adrs, adtte = (frame.with_columns(pl.col("PARAMCD", "VARIANT").cast(pl.String)) for frame in (adam.adrs, adam.adtte))
    adtte = adtte.filter(pl.col("AVAL").is_not_null() & pl.col("CNSR").is_not_null())
    frames = [
        *flow_rows(adam.adsl),
        *baseline_rows(study, adam.adsl),
        *response_rows(study, adrs, subgroups, labels, conf_level),
        *concordance_rows(study, adam.adresp, adtte, labels, conf_level),
        *survival_rows(study, adtte, subgroups, labels, conf_level, curves=curves),
        *incidence_rows(study, adtte, subgroups, labels, conf_level, curves=curves),
        *kinetics_rows(adam.adck, adam.adsl, conf_level),
        *safety_rows(study, adam.adae, adam.adsl),
        *(laboratory_rows(study, records) if records is not None else []),
    ]
    return join_rows(frames, study=study.study.id, provenance=adam.provenance)
