"""What is a set as it is submitted: its columns, types, labels and code lists?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from cartrial.errors import InputError
from cartrial.submission.variables import CODES, Dataset, Variable

__all__ = ["Shaped", "finish", "relative_day", "required"]


@dataclass(frozen=True)
class Shaped:
    """A set as it is submitted.

    Parameters
    ----------
    dataset : Dataset
        What it is, with the variables that it has, in their order.
    frame : polars.DataFrame
        One column a variable: String, Int64, Float64 or Date; sorted by the keys.
    codes : mapping of str to mapping
        By variable: its code list, code and decode.
    left_out : tuple of str
        Variables that the set could have and that no record has a value of.
    """

    dataset: Dataset
    frame: pl.DataFrame
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def finish(dataset: Dataset, frame: pl.DataFrame, codes: Mapping[str, Mapping[str, str]] | None = None) -> Shaped:
    """Return a set with its variables in order, of their types, sorted by its keys.

    A variable that is not required and of which no record has a value is left out. Text that is blank is null in the frame.

    Raises
    ------
    InputError
        If a required variable has no value in any record.
    """
    lacking = [pl.lit(None, dtype=v.type).alias(v.name) for v in dataset.variables if v.name not in frame.columns]
    frame = frame.with_columns(lacking)
    kept, gone = [], []
    for variable in dataset.variables:
        column = frame[variable.name]
        if column.dtype == pl.String:
            frame = frame.with_columns(pl.when(pl.col(variable.name) != "").then(pl.col(variable.name)))
            column = frame[variable.name]
        if variable.required and frame.height and column.null_count() == frame.height:
            raise _missing(dataset, frame, variable.name)
        if column.null_count() < frame.height or variable.required:
            kept.append(_typed(variable, column))
        else:
            gone.append(variable.name)
    keys = [name for name in dataset.keys if any(variable.name == name for variable in kept)]
    whole = replace(dataset, keys=tuple(keys), variables=tuple(kept))
    frame = frame.select(pl.col(v.name).cast(v.type) for v in kept).sort(keys, nulls_last=False, maintain_order=True)
    lists = {v.name: _list(v, frame, codes or {}) for v in kept if v.codes}
    return Shaped(whole, frame, lists, tuple(gone))


def _typed(variable: Variable, column: pl.Series) -> Variable:
    """A number that the guide has as an integer is a float where a value has decimals."""
    broken = variable.kind == "integer" and column.dtype.is_float() and not (column.drop_nulls() == column.drop_nulls().round()).all()
    return replace(variable, kind="float") if broken else variable


def _list(variable: Variable, frame: pl.DataFrame, codes: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return a code list: that of the study, else the fixed one; values of neither are added as they are."""
    listed = dict(codes.get(variable.name) or CODES.get(variable.codes) or {})
    found = frame[variable.name].drop_nulls().unique().sort().cast(pl.String).to_list()
    if variable.codes in CODES and variable.name not in codes:
        return listed
    return {**{code: listed.get(code, code) for code in listed if code in found}, **{code: code for code in found if code not in listed}}


def _missing(dataset: Dataset, frame: pl.DataFrame, name: str) -> InputError:
    what = f"{dataset.name} cannot be without {name}, which all {frame.height} records lack"
    return InputError(what, key=name, right=f"Record it in the source ({dataset.variable(name).origin}); nothing is invented")


def required(frame: pl.DataFrame, name: str, *, domain: str, invented: bool) -> pl.Expr:
    """Return a variable of the source that ADaM requires; of invented or simulated data UNKNOWN where none has it.

    Raises
    ------
    InputError
        If no record of real data has it.
    """
    if name in frame.columns and (frame[name].cast(pl.String).fill_null("").str.strip_chars() != "").any():
        return pl.col(name)
    if not invented:
        what = f"{domain}.{name} is required in ADaM, and none of {frame.height} records has it"
        raise InputError(what, file=domain.lower(), key=name, right="Record it in the source; nothing is invented")
    return pl.lit("UNKNOWN").alias(name)


def relative_day(day: Any) -> pl.Expr:
    """Return a day from the infusion (day 0) as ADaM counts it, without a day 0."""
    from cartrial.endpoints.sets.trace import study_day

    return study_day(pl.col(day) if isinstance(day, str) else day)
