"""How does a study compare with others of whom every one is known? Weights by propensity, curves, a hazard ratio, and its bias analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.weighted.bias import EValue, estimate_e_value, hazard_as_risk, tip_confounder
from cartrial.analysis.estimators.weighted.hazard import WeightedHazard, estimate_weighted_hazard, estimate_weighted_survival
from cartrial.analysis.estimators.weighted.propensity import PropensityWeights, estimate_propensity
from cartrial.errors import InputError
from cartrial.evidence.gate.beside import time_attributes
from cartrial.evidence.gate.compare import Comparison, compare_attributes, require_comparable
from cartrial.evidence.matching.columns import DAYS, encode_both, require_characteristic
from cartrial.evidence.matching.match import too_few
from cartrial.evidence.matching.model import Control
from cartrial.study import Endpoint, Study

__all__ = ["PREVALENCES", "STRENGTHS", "UNLIKE", "Compared", "compare_external", "read_control"]

Floats = NDArray[np.float64]
PREVALENCES = ((0.2, 0.4), (0.1, 0.5), (0.4, 0.2), (0.5, 0.1))
"""Prevalences of what nobody measured: of the study's patients, and of the others."""
STRENGTHS = (1.5, 2.0, 3.0, 5.0)
UNLIKE = 0.1
"""A standardised difference above this, after weighting, is warned of (Austin 2009, doi:10.1002/sim.3697)."""
_COMMON = 0.15


@dataclass(frozen=True)
class Compared:
    """A comparison with an external control.

    Parameters
    ----------
    endpoint : str
    patients, events : tuple of int
        Of the study, of the others.
    weights : PropensityWeights
    unadjusted, hazard : WeightedHazard
    survival : dict of float to tuple of float
        By day: weighted survival of the study and of the others; None beyond follow-up.
    e_value : EValue
    tipping : tuple of (tuple of float, tuple of float)
        By pair of prevalences: what is left of the ratio for each strength.
    assumed, notes, warnings : tuple of str
    """

    endpoint: str
    patients: tuple[int, int]
    events: tuple[int, int]
    weights: PropensityWeights
    unadjusted: WeightedHazard
    hazard: WeightedHazard
    survival: Mapping[float, tuple[float, float]]
    e_value: EValue
    tipping: tuple[tuple[tuple[float, float], tuple[float, ...]], ...]
    assumed: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def weak(self) -> bool:
        """Whether too few effective subjects are left on a side for limits and a p-value."""
        return any(too_few(*side) for side in zip(self.weights.effective, self.patients, strict=True))


def read_control(control: Control, folder: Path) -> pl.DataFrame:
    """Read the table of others: TIME in days, EVENT, and the characteristics under the names of the study file.

    Raises
    ------
    InputError
        If it cannot be read, a column is missing, a time is none, or an event is neither 0 nor 1.
    """
    path = folder / control.table
    try:
        frame = pl.read_parquet(path) if path.suffix.lower() == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        said = getattr(error, "strerror", None) or str(error).split("\n")[0][:120]
        raise InputError(f"the table cannot be read ({said})", file=path.name, key="table", right="Name a CSV or Parquet file") from None
    twice = [name for name in frame.columns if "_duplicated_" in name]
    if twice:
        raise InputError(f"the column {twice[0].partition('_duplicated_')[0]} stands twice", file=path.name, right="Keep one of them")
    wanted = [control.time, control.event, *control.covariates.values()]
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise InputError(f"there is no column {', '.join(missing)}", file=path.name, right=f"Its columns are {', '.join(frame.columns)}")
    for name in (control.time, control.event):
        if not frame[name].dtype.is_numeric() or frame[name].null_count():
            raise InputError("a value is missing or no number", file=path.name, key=name, right="Write a number in each row")
    if not set(frame[control.event].unique().to_list()) <= {0, 1}:
        raise InputError("an event is neither 0 nor 1", file=path.name, key=control.event, right="1 event, 0 censored")
    if frame[control.time].min() < 0:  # type: ignore[operator]
        raise InputError("a time is negative", file=path.name, key=control.time, right="Times count from the origin")
    columns = {f"{name}#" if frame[column].dtype.is_numeric() else name: pl.col(column) for name, column in control.covariates.items()}
    return frame.select(TIME=pl.col(control.time) * DAYS[control.unit], EVENT=pl.col(control.event).cast(pl.Int64), **columns)


def compare_external(
    study: Study,
    endpoint: Endpoint,
    patients: pl.DataFrame,
    control: Control,
    others: pl.DataFrame,
    *,
    estimand: Literal["treated", "overlap"] = "treated",
    until: float | None = None,
    assume: Mapping[str, str] | None = None,
    at: tuple[float, ...] = (183.0, 365.0, 731.0),
) -> Compared:
    """Compare a study with an external control.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
        A time to an event.
    patients : polars.DataFrame
        As of `cartrial.analysis.tabulate_patients`.
    control : Control
    others : polars.DataFrame
        As of `read_control`.
    estimand : {"treated", "overlap"}
    until : float, optional
        Later times of both are censored there. Unit: days.
    assume : mapping of str to str, optional
        As in `compare_results`.
    at : tuple of float
        Days at which weighted survival is told.

    Returns
    -------
    Compared

    Raises
    ------
    InputError
        With every reason why the two do not measure the same, time zero first of all; where the control's follow-up ends before the
        study's; where there is no common support.
    """
    if endpoint.type != "time-to-event":
        raise InputError(f"{endpoint.id} is no time to an event", key="--endpoint", right="Name one of the study's times to an event")
    attributes = compare_attributes(time_attributes(study, endpoint), control.attributes(), assume or {})
    compared = Comparison(endpoint.id, control.table, attributes, ())
    require_comparable([compared])
    names = list(control.covariates)
    for name in names:
        require_characteristic(study, name)
    unlike = [name for name in names if (f"{name}#" in patients.columns) != (f"{name}#" in others.columns)]
    for name in unlike:
        if f"{name}#" in others.columns and name in patients.columns:
            raise InputError(f"{name} is a number of the others and none of the study", key=name, right="Write its levels into the table")
        raise InputError(f"{name} is a number of the study and none of the others", key=name, right="Write numbers into the table")
    one, two, x, said, notes = encode_both(study, patients, others, names)
    notes = [*_repeated(others), *notes]
    if one.is_empty() or two.is_empty():
        raise InputError("of nobody on a side every characteristic is known", key="covariates", right="Compare fewer of them")
    time = np.append(one["TIME"].to_numpy().astype(float), two["TIME"].to_numpy().astype(float))
    event = np.append(one["EVENT"].to_numpy(), two["EVENT"].to_numpy()).astype(np.int64)
    arm = np.repeat([1, 0], [one.height, two.height])
    ends = [float(time[arm == side].max()) for side in (1, 0)]
    if ends[1] <= 0:
        raise InputError("no time of the others is above 0", file=control.table, key=control.time, right="Times count from the origin")
    if until is None and ends[1] < ends[0]:
        what = f"follow-up of the others ends on day {ends[1]:.0f}, that of the study on day {ends[0]:.0f}"
        raise InputError(what, key="--until", right=f"Give --until {ends[1]:.0f}: later times of both are censored there")
    if until is not None:
        event = np.where(time > until, 0, event)
        time = np.minimum(time, until)
        notes.append(f"times after day {until:g} are censored")
    _require_events(endpoint.id, control, event, arm, until)
    weights = estimate_propensity(x, arm, said, estimand)
    hazard = estimate_weighted_hazard(time, event, arm, weights.weights)
    curves = [estimate_weighted_survival(time[arm == side], event[arm == side], weights.weights[arm == side]) for side in (1, 0)]
    survival = {
        day: (_read(*curves[0], day), _read(*curves[1], day)) for day in at if day <= min(time[arm == 1].max(), time[arm == 0].max())
    }
    common = max(float(event[arm == side].mean()) for side in (1, 0)) > _COMMON
    ratio = hazard_as_risk(hazard.hazard_ratio) if common else hazard.hazard_ratio
    left = tip_confounder(ratio, np.array(PREVALENCES), np.array(STRENGTHS))
    return Compared(
        endpoint=endpoint.id,
        patients=(one.height, two.height),
        events=(int(event[arm == 1].sum()), int(event[arm == 0].sum())),
        weights=weights,
        unadjusted=estimate_weighted_hazard(time, event, arm, np.ones(len(arm))),
        hazard=hazard,
        survival=survival,
        e_value=estimate_e_value(hazard.hazard_ratio, hazard.lower, hazard.upper, common=common, hazard=True),
        tipping=tuple((pair, tuple(float(value) for value in row)) for pair, row in zip(PREVALENCES, left, strict=True)),
        assumed=compared.assumed,
        notes=tuple(notes),
        warnings=tuple(_warnings(weights, (one.height, two.height))),
    )


def _require_events(endpoint: str, control: Control, event: np.ndarray, arm: np.ndarray, until: float | None) -> None:
    """Refuse a side without an event: no hazard ratio has a largest likelihood then."""
    for side, who in ((1, "patients of the study"), (0, "others")):
        if not event[arm == side].any():
            what = f"none of the {int((arm == side).sum())} {who} has an event of {endpoint}" + (
                f" up to day {until:g}" if until is not None else ""
            )
            right = "A hazard ratio needs events on both sides; in the table of others 1 is an event and 0 none"
            raise InputError(what, file=control.table if not side else None, key=control.event if not side else endpoint, right=right)


def _warnings(weights: PropensityWeights, patients: tuple[int, int]) -> Iterator[str]:
    """Yield what the weights leave: too few on a side, and what still differs."""
    for effective, count, who in zip(weights.effective, patients, ("patients", "others"), strict=True):
        if too_few(effective, count):
            yield f"the weights are worth {effective:.1f} of {count} {who}: too few to test anything, or for limits"
    left = [f"{name} {size:.2f}" for name, size in zip(weights.names, weights.after, strict=True) if abs(size) > UNLIKE]
    if left:
        yield f"the two sides still differ after weighting, in standard deviations: {', '.join(left)}"


def _repeated(others: pl.DataFrame) -> list[str]:
    """Return what is to be said of rows that are equal to an earlier one: a table that was pasted twice has every subject twice."""
    more = others.height - others.n_unique()
    return [f"{more} rows of the others are equal to another in every column used: make sure that nobody stands twice"] if more else []


def _read(times: Floats, survival: Floats, day: float) -> float:
    before = int(np.searchsorted(times, day, side="right"))
    return float(survival[before - 1]) if before else 1.0
