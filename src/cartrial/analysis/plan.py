"""Which analyses does a study ask for? Every endpoint, variant, subgroup and trial, as rows of the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.results import ANALYSES, coded_rows, join_rows
from cartrial.analysis.tables.absent import absent_rows, is_absent
from cartrial.analysis.tables.baseline import baseline_rows, subgroup_levels
from cartrial.analysis.tables.concordance import concordance_rows
from cartrial.analysis.tables.flow import flow_rows
from cartrial.analysis.tables.kinetics import kinetics_rows
from cartrial.analysis.tables.responses import response_rows
from cartrial.analysis.tables.safety.conduct import deviation_rows, missed_rows
from cartrial.analysis.tables.safety.deaths import death_rows
from cartrial.analysis.tables.safety.events import event_rows, unanswered_events
from cartrial.analysis.tables.safety.laboratory import laboratory_rows, window_rows
from cartrial.analysis.tables.times import incidence_rows, survival_rows
from cartrial.coded import CODED, text_as_codes
from cartrial.endpoints import kind_of_end, level_column, number_column
from cartrial.errors import InputError
from cartrial.study import Study

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm.records import Records

__all__ = ["analyse", "variant_labels"]

_BLOCK = 1000
"""Trials estimated in one pass: enough to make passes few, few enough to keep memory small."""


def variant_labels(study: Study) -> pl.DataFrame:
    """Return the key columns of the results for each endpoint and variant.

    Returns
    -------
    polars.DataFrame
        PARAMCD, VARIANT, and endpoint, variant, population, reader, window, strategies in words.
    """
    from cartrial.endpoints import derived_variants
    from cartrial.study import strategies_text, window_text

    rows = [
        {
            "PARAMCD": endpoint.id,
            "VARIANT": variant.name,
            "endpoint": endpoint.id,
            "variant": variant.name,
            "population": variant.endpoint.population,
            "reader": (variant.endpoint.reader or study.readers.primary) if variant.endpoint.read else "",
            "window": window_text(study, variant.endpoint),
            "strategies": strategies_text(variant.endpoint),
        }
        for endpoint in study.endpoints
        for variant in derived_variants(study, endpoint)
    ]
    names = ("PARAMCD", "VARIANT", "endpoint", "variant", "population", "reader", "window", "strategies")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))


def analyse(
    study: Study,
    adam: Adam,
    records: Records | None = None,
    *,
    analyses: Sequence[str] = ANALYSES,
    curves: bool | None = None,
    conf_level: float | None = None,
    texts: bool = True,
) -> pl.DataFrame:
    """Estimate everything that a study asks for, over any number of trials at once.

    Parameters
    ----------
    study : Study
    adam : Adam
        adsl, adrs, adtte, adae, adck, adresp, each with TRIAL and SUBJ; provenance.
    records : Records, optional
        For what stands in no ADaM set: blood counts, treatments of toxicities, causes of death, conduct. Without: those rows are left out.
    analyses : sequence of str
        Which analyses to make: flow, baseline, response, concordance, survival, incidence, kinetics, safety, conduct. Default: all.
    curves : bool, optional
        Whether each step of each curve becomes rows, and subgroups are compared by Cox models. By default for a single trial.
    conf_level : float, optional
        Without: as `testing.interval` of the study says, else 0.95.
    texts : bool
        Whether keys are text and values are printed. Without, for very many trials: keys are Categorical, and `text` is null but where
        it says why there is no value; `write_results` writes them as text.

    Returns
    -------
    polars.DataFrame
        Rows as `results.SCHEMA` has them, in a fixed order for each thousand trials; `sort_results` sorts them by key. The figures of
        a trial do not depend on the others. A study whose `listing_only` says why nothing is estimated has none.

    Raises
    ------
    InputError
        If an analysis is unknown, or what is given is no study and no ADaM sets.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study, analyse, derive
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> study = Study.load("inaticel")
    >>> results = analyse(study, derive(study, source), analyses=["response"])
    >>> rate = results.filter(endpoint="ORR3", variant="", by="", statistic="rate")
    >>> rate.select("value", "text", "population", "reader").row(0)
    (0.5, '50.0', 'infused', 'IRC')
    """
    if not isinstance(study, Study):
        raise InputError(f"{study!r:.60} is no Study", key="study", right='For example Study.load("inaticel")')
    if not hasattr(adam, "adsl"):  # sets of simulated trials have the same names without being an Adam
        raise InputError(f"{adam!r:.60} is no Adam", key="adam", right="For example derive(study, source)")
    unknown = [name for name in analyses if name not in ANALYSES]
    if unknown:
        raise InputError(f"the analysis '{unknown[0]}' is unknown", right=f"Known are: {', '.join(ANALYSES)}")
    with coded_rows(not texts):
        return join_rows(_frames(study, adam, records, set(analyses), curves, conf_level), study=study.study.id, provenance=adam.provenance)


def _frames(
    study: Study, adam: Adam, records: Records | None, wanted: set[str], curves: bool | None, conf_level: float | None
) -> list[pl.DataFrame]:
    """Return the rows of every analysis, block by block."""
    if study.study.listing_only or adam.adsl.is_empty():
        return []
    conf_level = study.interval.level if conf_level is None else conf_level
    trials = adam.adsl["TRIAL"].unique().sort()
    labels = text_as_codes(variant_labels(study))
    frames: list[pl.DataFrame] = []
    for start in range(0, len(trials), _BLOCK):
        block = trials[start : start + _BLOCK]
        sets = {name: _block(getattr(adam, name), block, len(trials)) for name in ("adsl", "adrs", "adtte", "adae", "adck", "adresp")}
        drawn = len(trials) == 1 if curves is None else curves
        frames.extend(_analyse_block(study, sets, labels, wanted, drawn, conf_level, records))
    if records is not None and "safety" in wanted:
        frames.extend([*laboratory_rows(study, records), *window_rows(study, records, adam.adsl)])
    return frames


def _block(frame: pl.DataFrame, trials: pl.Series, total: int) -> pl.DataFrame:
    """Return the rows of a block of trials."""
    if len(trials) == total:
        return frame
    return frame.filter(pl.col("TRIAL").is_between(trials[0], trials[-1]))


def _analyse_block(
    study: Study,
    sets: dict[str, pl.DataFrame],
    labels: pl.DataFrame,
    wanted: set[str],
    curves: bool,
    conf_level: float,
    records: Records | None,
) -> list[pl.DataFrame]:
    # tables read a characteristic by its id, and the number that its classes were cut from as <id>N
    named = set(sets["adsl"].columns)
    classes = [item for item in study.baseline if item.cut and {number_column(item), level_column(item)} <= named]
    read = {f"{item.id}N": pl.col(number_column(item)) for item in classes} | {item.id: pl.col(level_column(item)) for item in classes}
    adsl = sets["adsl"].with_columns(**read)
    subgroups = subgroup_levels(study, adsl)
    strata = subgroup_levels(study, adsl, study.testing.strata if study.testing else ())
    key = pl.col("PARAMCD", "VARIANT").cast(CODED)
    adrs, times = sets["adrs"].with_columns(key), sets["adtte"].with_columns(key)
    absent = absent_rows(adrs, times, labels, conf_level, wanted, curves=curves, interval=study.interval.method)
    adrs = adrs.filter(~is_absent())
    adtte = times.filter(pl.col("AVAL").is_not_null() & pl.col("CNSR").is_not_null())
    # estimators tell an event, a censored time and a competing event apart, and no reasons
    adtte = adtte.with_columns(kind_of_end())
    silent = unanswered_events(study, records) if records is not None else None
    makers: dict[str, Callable[[], list[pl.DataFrame]]] = {
        "flow": lambda: flow_rows(adsl, study.readers.primary, losses=curves),
        "baseline": lambda: baseline_rows(study, adsl),
        "response": lambda: response_rows(study, adrs, subgroups, labels, conf_level),
        "concordance": lambda: concordance_rows(study, sets["adresp"], adtte, labels, conf_level),
        "survival": lambda: survival_rows(study, adtte, subgroups, labels, conf_level, curves=curves, strata=strata),
        "incidence": lambda: incidence_rows(study, adtte, subgroups, labels, conf_level, curves=curves),
        "kinetics": lambda: kinetics_rows(sets["adck"], adsl, conf_level),
        "safety": lambda: [*event_rows(study, sets["adae"], adsl, records, silent), *death_rows(adsl, records)],
        "conduct": lambda: [*deviation_rows(adsl, records), *missed_rows(study, sets["adresp"], adsl, records)],
    }
    return [*(frame for name, make in makers.items() if name in wanted for frame in make()), *absent]
