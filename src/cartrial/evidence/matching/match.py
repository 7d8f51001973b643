"""How does a study compare with numbers that are printed of others? Unanchored matching, refused where it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from cartrial.analysis.estimators.weighted.bias import EValue, estimate_e_value, tip_missing
from cartrial.analysis.estimators.weighted.bootstrap import Bootstrap, bootstrap_hazard, bootstrap_rates
from cartrial.analysis.estimators.weighted.hazard import WeightedHazard, estimate_weighted_hazard
from cartrial.analysis.estimators.weighted.moments import MomentWeights, estimate_moment_weights
from cartrial.analysis.estimators.weighted.rates import Contrast, WeightedRate, compare_weighted_rates, estimate_weighted_rate
from cartrial.errors import InputError
from cartrial.evidence.curves.written import read_written, require_unit
from cartrial.evidence.gate.beside import compare_endpoint, time_attributes
from cartrial.evidence.gate.compare import Comparison, compare_attributes, require_comparable
from cartrial.evidence.matching.columns import DAYS, read_moments
from cartrial.evidence.matching.model import Against, CurveOfOthers
from cartrial.evidence.pooling.pool import count_of
from cartrial.evidence.registry.read import Evidence
from cartrial.study import Endpoint, Study

__all__ = ["LEAST", "LEAST_SHARE", "Matched", "match_patients", "too_few"]

LEAST, LEAST_SHARE = 10.0, 0.1
"""Below so many effective patients, or such a share of them, a comparison has no limits and no p-value."""
_COMMON = 0.15


@dataclass(frozen=True)
class Matched:
    """A comparison of a study with others after matching.

    Parameters
    ----------
    endpoint, others : str
    patients : int
        Of whom everything is known.
    weights : MomentWeights
    rate, contrasts, unadjusted
        Of a rate: of the weighted patients, on each scale, and without weights.
    hazards : dict of str to WeightedHazard
        Of a time: unadjusted, and by what the weights sum to.
    bootstrap : Bootstrap, optional
    e_value : EValue, optional
    tip : int, optional
        Of a rate: how many of those not yet assessable would have to be non-responders until it is no longer above that of the others.
    assumed, notes, warnings : tuple of str
    """

    endpoint: str
    others: str
    patients: int
    weights: MomentWeights
    rate: WeightedRate | None
    contrasts: tuple[Contrast, ...]
    unadjusted: float | None
    hazards: Mapping[str, WeightedHazard]
    bootstrap: Bootstrap | None
    e_value: EValue | None
    tip: int | None
    assumed: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def weak(self) -> bool:
        """Whether too few effective patients are left for limits and a p-value."""
        return too_few(self.weights.effective, self.patients)


def too_few(effective: float, patients: int) -> bool:
    """Whether so few effective patients, of so many, carry no limits and no p-value.

    Examples
    --------
    >>> from cartrial.evidence.matching.match import too_few
    >>> too_few(9.9, 60), too_few(19.0, 200), too_few(20.0, 200)
    (True, True, False)
    """
    return effective < LEAST or effective < LEAST_SHARE * patients


def match_patients(
    study: Study,
    endpoint: Endpoint,
    patients: pl.DataFrame,
    against: Against,
    evidence: Evidence,
    *,
    assume: Mapping[str, str] | None = None,
    resamples: int = 0,
    seed: int = 1,
    folder: Path = Path(),
) -> Matched:
    """Match patients of a study to others, and compare.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
    patients : polars.DataFrame
        As of `cartrial.analysis.tabulate_patients`.
    against : Against
    evidence : Evidence
    assume : mapping of str to str, optional
        As in `compare_results`.
    resamples, seed : int
        Of a bootstrap of both sides; 0 for none.
    folder : Path
        From which the folder of a curve is named.

    Returns
    -------
    Matched

    Raises
    ------
    InputError
        With every reason why the two do not estimate the same; where the targets are out of reach; where a count is open.
    """
    compared = _compare(study, endpoint, against, evidence, assume or {})
    require_comparable([compared])
    open_ = 0
    if "RESPONSE" in patients.columns:
        open_ = patients["RESPONSE"].null_count()
        if open_ == patients.height:
            raise InputError(f"of no patient the {endpoint.id} can be assessed yet", key="--endpoint", right="Wait, or name another")
        patients = patients.drop_nulls("RESPONSE")
    kept, moments, notes = read_moments(study, patients, against.covariates, against.of)
    if open_:
        notes.append(f"{open_} patients are not yet assessable and left out")
    weights = estimate_moment_weights(moments)
    effective, n = weights.effective, kept.height
    warnings = []
    if too_few(effective, n):
        warnings.append(f"the weights are worth {effective:.1f} of {n} patients: too few to test anything, or for limits")
    if "RESPONSE" in kept.columns and kept["RESPONSE"].n_unique() == 1:
        said = f"{'all' if kept['RESPONSE'][0] else 'none'} of the {n} patients responded"
        warnings.append(f"{said}: how sure their rate is cannot be estimated by weights, so that there are no limits")
    notes = [*notes, "unanchored: whatever is not matched and differs between the two is part of the difference", *compared.notes]
    if against.result is not None:
        of = evidence.find(against.result)[1].of
        if of != against.of:
            notes.append(f"the characteristics of the others are of {against.of} patients, their rate of {of or 'a number not stated'}")
    done: _Done
    if against.curve is not None:
        done = _times(kept, weights, against.curve, folder, resamples, seed)
    else:
        done = _rates(kept, weights, evidence, str(against.result), open_, resamples, seed)
    return Matched(endpoint.id, against.result or against.source, n, weights, *done, compared.assumed, tuple(notes), tuple(warnings))


_Done = tuple[
    WeightedRate | None,
    tuple[Contrast, ...],
    float | None,
    dict[str, WeightedHazard],
    Bootstrap | None,
    EValue | None,
    int | None,
]


def _compare(study: Study, endpoint: Endpoint, against: Against, evidence: Evidence, assume: Mapping[str, str]) -> Comparison:
    if against.result is not None:
        if endpoint.type != "response-rate":
            raise InputError(
                f"{endpoint.id} is no response rate", key="--endpoint", right="Give a curve of the others, or a rate of the study"
            )
        trial, one = evidence.find(against.result)
        registry = study.study.registry
        if registry and evidence.trials[trial].trial.registry == registry:
            raise InputError(f"{against.result} is of this very trial", key="result", right="Name a result of other patients")
        return compare_endpoint(study, endpoint, one, assume=assume)
    if endpoint.type != "time-to-event":
        raise InputError(
            f"{endpoint.id} is no time to an event", key="--endpoint", right="Give a result of the others, or a time of the study"
        )
    assert against.curve is not None
    attributes = compare_attributes(time_attributes(study, endpoint), against.curve.attributes(), assume)
    return Comparison(endpoint.id, against.curve.folder, attributes, ())


def _rates(kept: pl.DataFrame, weights: MomentWeights, evidence: Evidence, result: str, open_: int, resamples: int, seed: int) -> _Done:
    response = kept["RESPONSE"].to_numpy().astype(float)
    alike = bool(response.min() == response.max())
    one = evidence.find(result)[1]
    count, _ = count_of(one)
    of = one.of
    assert of is not None
    scales = ["risk difference"]
    rate = estimate_weighted_rate(response, weights)
    if 0 < count < of and not alike:
        scales += ["risk ratio", "odds ratio"]
    contrasts = tuple(compare_weighted_rates(response, weights, count, of, scale) for scale in scales)  # type: ignore[arg-type]
    e_value = None
    if len(contrasts) > 1:
        e_value = estimate_e_value(contrasts[1].estimate, contrasts[1].lower, contrasts[1].upper, common=True)
    boot = bootstrap_rates(weights, response, count, of, resamples=resamples, seed=seed) if resamples and not alike else None
    tip = tip_missing(int(response.sum()), len(response), open_, count, of) if open_ else None
    return rate, contrasts, float(response.mean()) - count / of, {}, boot, e_value, tip


def _times(kept: pl.DataFrame, weights: MomentWeights, curve: CurveOfOthers, folder: Path, resamples: int, seed: int) -> _Done:
    require_unit(folder / curve.folder, curve.unit)
    others = read_written(folder / curve.folder)
    other_time = others["AVAL"].to_numpy() * DAYS[curve.unit]
    other_event = 1 - others["CNSR"].to_numpy().astype(np.int64)
    time, event = kept["TIME"].to_numpy().astype(float), kept["EVENT"].to_numpy().astype(np.int64)
    both = (np.append(time, other_time), np.append(event, other_event), np.repeat([1, 0], [len(time), len(other_time)]))
    scalings = {
        "unadjusted": np.ones(len(time)),
        "weights sum to the effective number": weights.scaled(weights.effective),
        "weights sum to the patients": weights.scaled(len(time)),
    }
    hazards = {name: estimate_weighted_hazard(*both, np.append(one, np.ones(len(other_time)))) for name, one in scalings.items()}
    main = hazards["weights sum to the effective number"]
    common = bool(max(event.mean(), other_event.mean()) > _COMMON)
    e_value = estimate_e_value(main.hazard_ratio, main.lower, main.upper, common=common, hazard=True)
    boot = bootstrap_hazard(weights, time, event, other_time, other_event, resamples=resamples, seed=seed) if resamples else None
    return None, (), None, hazards, boot, e_value, None
