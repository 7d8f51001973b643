"""Which numbers are patients compared by? Characteristics of a study as columns, with what is missing counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.analysis.estimators.weighted.moments import Moment
from cartrial.errors import InputError
from cartrial.evidence.matching.model import Target
from cartrial.evidence.registry.stated import exact
from cartrial.faults import nearest
from cartrial.study import Study

__all__ = ["DAYS", "encode_both", "read_moments", "require_characteristic", "without_missing"]

Floats = NDArray[np.float64]
DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}


def require_characteristic(study: Study, name: str) -> None:
    """Refuse a name that is no baseline characteristic of the study.

    Examples
    --------
    >>> from cartrial.evidence.matching.columns import require_characteristic
    >>> from cartrial.study import Study
    >>> require_characteristic(Study.load("inaticel"), "AGE")
    """
    known = [item.id for item in study.baseline]
    if name not in known:
        near = nearest(name, known)
        right = f"The nearest is '{near}'" if near else f"The study file has {', '.join(known) or 'none'}"
        raise InputError(f"the study has no characteristic '{name}'", key="covariates", right=right)


def without_missing(patients: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the patients of whom every column is known, and how many are not known of each.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.evidence.matching.columns import without_missing
    >>> kept, missing = without_missing(pl.DataFrame({"AGE": [40.0, None]}), ["AGE"])
    >>> kept.height, missing
    (1, {'AGE': 1})
    """
    missing = {name: patients[name].null_count() for name in dict.fromkeys(columns)}
    return patients.drop_nulls(list(missing)), {name: count for name, count in missing.items() if count}


def read_moments(study: Study, patients: pl.DataFrame, targets: Sequence[Target], of: int) -> tuple[pl.DataFrame, list[Moment], list[str]]:
    """Return the patients of whom everything is known, the moments that they have to meet, and notes.

    Parameters
    ----------
    study : Study
    patients : polars.DataFrame
        One row each: by the id of a characteristic its level, and by `ID#` its number where it has one.
    targets : sequence of Target
    of : int
        Patients whom the targets describe: a standard deviation is of them, and so its square is brought down by 1/of.

    Raises
    ------
    InputError
        If a characteristic is unknown, has no number, or a level that no patient has.
    """
    for target in targets:
        require_characteristic(study, target.id)
    columns = [f"{target.id}#" if target.share is None else target.id for target in targets]
    for target, column in zip(targets, columns, strict=True):
        if column not in patients.columns:
            raise InputError(f"{target.id} is no number", key=target.id, right="Give the share of a level")
    kept, missing = without_missing(patients, columns)
    notes = [f"{count} patients without {name.rstrip('#')} are left out" for name, count in missing.items()]
    if kept.is_empty():
        raise InputError("of no patient every characteristic is known", key="covariates", right="Match fewer of them")
    moments = []
    for target, column in zip(targets, columns, strict=True):
        if target.share is not None:
            has = (kept[column] == target.level).to_numpy().astype(float)
            if not has.any() or has.all():
                levels = ", ".join(sorted({str(one) for one in kept[column].unique().to_list()}))
                what = f"{'every' if has.all() else 'no'} patient has {target.id} = {target.level}"
                raise InputError(what, key=target.id, right=f"Levels are: {levels}")
            moments.append(Moment(f"{target.id} {target.level}", has, float(exact(target.share)) / 100))
            continue
        values = kept[column].to_numpy().astype(float)
        if target.median is not None:
            middle = float(exact(target.median))
            at = int((values == middle).sum())
            if at:
                notes.append(f"{at} patients are at the median {target.median} of {target.id}: each counts half above it")
            moments.append(Moment(f"{target.id} above {target.median}", (values > middle) + 0.5 * (values == middle), 0.5))
            continue
        mean = float(exact(str(target.mean)))
        moments.append(Moment(target.id, values, mean))
        if target.sd is not None:
            spread = float(exact(target.sd)) ** 2 * (of - 1) / of
            moments.append(Moment(f"{target.id}, squared", values**2, mean**2 + spread))
    return kept, moments, notes


def encode_both(
    study: Study, patients: pl.DataFrame, others: pl.DataFrame, names: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame, Floats, list[str], list[str]]:
    """Return patients and others of whom everything is known, their covariates as columns with names, and notes.

    Numbers are used as they are. A characteristic in classes becomes an indicator of each level but the first of all.

    Parameters
    ----------
    study : Study
    patients, others : polars.DataFrame
        As of `read_moments`.
    names : sequence of str
        Characteristics.

    Raises
    ------
    InputError
        If a characteristic is unknown, or a level of it stands on one side alone.
    """
    for name in names:
        require_characteristic(study, name)
    columns = [f"{name}#" if f"{name}#" in patients.columns else name for name in names]
    kept, left = zip(*(without_missing(frame, columns) for frame in (patients, others)), strict=True)
    notes = [
        f"{count} {who} without {name.rstrip('#')} are left out"
        for who, missing in zip(("patients", "others"), left, strict=True)
        for name, count in missing.items()
    ]
    both = pl.concat([frame.select(columns) for frame in kept], how="vertical_relaxed")
    made: list[Floats] = []
    said: list[str] = []
    for name, column in zip(names, columns, strict=True):
        if column.endswith("#"):
            made.append(both[column].cast(pl.Float64).to_numpy())
            said.append(name)
            continue
        _require_levels(name, *(set(frame[column].to_list()) for frame in kept))
        levels = sorted(both[column].unique().to_list())
        for level in levels[1:]:
            made.append((both[column] == level).to_numpy().astype(float))
            said.append(f"{name} {level}")
    return kept[0], kept[1], np.column_stack(made) if made else np.zeros((both.height, 0)), said, notes


def _require_levels(name: str, own: set[str], others: set[str]) -> None:
    """Refuse a level of one side alone: it is spelt otherwise there, or nobody of the other side can stand for its subjects."""
    if not own or not others or own == others:
        return
    if not own & others:
        told = f"{', '.join(sorted(own))} in the study and {', '.join(sorted(others))} among the others"
        raise InputError(f"{name} has the levels {told}", key=name, right="Write the levels of the others as the study has them")
    alone = [
        f"{', '.join(sorted(left))} {where}" for left, where in ((own - others, "in the study"), (others - own, "among the others")) if left
    ]
    right = "Write levels in one way, join those that few have, or compare fewer covariates"
    raise InputError(f"levels of {name} stand on one side alone: {' and '.join(alone)}", key=name, right=right)
