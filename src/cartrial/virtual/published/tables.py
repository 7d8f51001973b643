"""What numbers does a published model have, where do they stand, and how sure are they?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

from cartrial.errors import InputError

__all__ = ["SURE", "Model", "Parameter", "arrange_parameters", "check_times", "read_model"]

# How a number came here; what is unverified is shown and never used.
SURE = {
    "published": "printed in the source named: a paper, or the model deposited with it",
    "derived": "computed or digitised from what is printed",
    "assumption": "chosen by us",
    "unverified": "not confirmed at its source; not used",
}
BOUNDS = {
    "non-negative": "Give finite numbers from 0 up",
    "positive": "Give finite numbers above 0",
    "fraction": "Give numbers from 0 to 1",
    "any": "Give finite numbers",
}


@dataclass(frozen=True)
class Parameter:
    """One number of a model.

    Parameters
    ----------
    name : str
        Key under which it is given to a ``simulate_`` function.
    symbol, meaning, unit : str
        As the paper writes it, what it is, its unit ("1": none).
    value : float
    source : str
        Table, equation or file.
    sure : str
        A key of `SURE`.
    variability : dict
        Between patients: ``omega`` (of a log-normal random effect, as printed), ``cv`` (per cent), ``quartiles`` or ``range`` (two values).
    case : str
        The patient or variant that it belongs to; blank for all.
    bounds : str
        ``non-negative``, ``positive``, ``fraction`` or ``any``.
    used : bool
        Whether an equation takes it.
    """

    name: str
    symbol: str
    meaning: str
    unit: str
    value: float
    source: str
    sure: str
    variability: Mapping[str, Any]
    case: str = ""
    bounds: str = "non-negative"
    used: bool = True


@dataclass(frozen=True)
class Model:
    """One published model: what it is, its equations, numbers and doubts.

    Parameters
    ----------
    name, title, citation, doi, pmid : str
        `pmid` is blank where none was confirmed.
    setting : str
        Disease, product, patients, and how it was fitted.
    shows : str
        What it teaches.
    scenario : str
        What `show_model` simulates.
    read : str
        In which copies equations and numbers were read.
    equations : tuple of (str, str)
        Equation, words.
    doubts : tuple of str
    parameters : tuple of Parameter
    """

    name: str
    title: str
    citation: str
    doi: str
    pmid: str
    setting: str
    shows: str
    scenario: str
    read: str
    equations: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]
    parameters: tuple[Parameter, ...]

    @property
    def cases(self) -> tuple[str, ...]:
        """Patients or variants with numbers of their own; empty where there is one set."""
        return tuple(dict.fromkeys(item.case for item in self.parameters if item.case))

    def chosen(self, case: str = "") -> dict[str, Parameter]:
        """Return the numbers that may be used, by name, for one case.

        Raises
        ------
        InputError
            If there is no such case.
        """
        if case not in (self.cases or ("",)):
            known = ", ".join(self.cases) or "none"
            raise InputError(f"the model {self.name} has no case '{case}'", key="case", right=f"Give one of: {known}")
        return {item.name: item for item in self.parameters if item.case in ("", case) and item.sure != "unverified"}


@cache
def read_model(name: str) -> Model:
    """Read the data table of a published model.

    Parameters
    ----------
    name : str
        Such as ``stein2019``.

    Raises
    ------
    InputError
        If there is no such model, or its table is not one.

    Examples
    --------
    >>> from cartrial.virtual.published import read_model
    >>> model = read_model("stein2019")
    >>> model.doi
    '10.1002/psp4.12388'
    >>> peak = model.chosen("")["cmax"]
    >>> peak.value, peak.unit, peak.sure
    (24000.0, 'copies/µg DNA', 'published')
    """
    file = resources.files("cartrial.virtual.published") / f"{name}.yaml"
    if not name.isidentifier() or not file.is_file():
        raise InputError(f"there is no published model called '{name}'", key="model", right="See cartrial.virtual.published.MODELS")
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    parameters = tuple(Parameter(**{"variability": {}, **row, "value": float(row["value"])}) for row in found.pop("parameters"))
    for item in parameters:
        if item.sure not in SURE or item.bounds not in BOUNDS:
            raise InputError("the certainty or the bounds of a number are not known words", file=f"{name}.yaml", key=item.name)
    found["equations"] = tuple((equation, words) for equation, words in found["equations"])
    return Model(name=name, parameters=parameters, pmid=str(found.pop("pmid", "")), doubts=tuple(found.pop("doubts")), **found)


def arrange_parameters(
    model: Model, given: Mapping[str, ArrayLike] | None, case: str = "", **more: ArrayLike
) -> dict[str, NDArray[np.float64]]:
    """Return a model's numbers as equally long arrays: the published ones, replaced where others are given.

    Parameters
    ----------
    model : Model
    given : mapping of str to float or array of shape (sets,), optional
        Numbers by name.
    case : str
        Patient or variant.
    **more : float or array of shape (sets,)
        Values that are no parameters (a covariate), taken along for their length.

    Returns
    -------
    dict of str to array of shape (sets,)

    Raises
    ------
    InputError
        If a name is not a parameter, a number is outside its bounds, or lengths differ.
    """
    chosen = model.chosen(case)
    for name in given or {}:
        if name not in chosen:
            near = difflib.get_close_matches(name, chosen, 1, 0.0)[0]
            raise InputError(f"the model {model.name} has no parameter '{name}'", key=name, right=f"The nearest is '{near}'")
    values = {name: np.asarray((given or {}).get(name, item.value), dtype=np.float64) for name, item in chosen.items()}
    for name, value in values.items():
        kind = chosen[name].bounds
        low = value > 0 if kind == "positive" else (value >= 0) | (kind == "any")
        if not np.all(np.isfinite(value) & low & ((value <= 1) | (kind != "fraction"))):
            said = f"a value of {chosen[name].symbol} ({chosen[name].meaning}) is outside its bounds"
            raise InputError(said, key=name, right=BOUNDS[kind])
    values |= {name: np.asarray(value, dtype=np.float64) for name, value in more.items()}
    try:
        shape = np.broadcast_shapes((1,), *(value.shape for value in values.values()))
    except ValueError:
        shape = ()
    if len(shape) != 1:
        shapes = ", ".join(sorted({str(value.shape) for value in values.values() if value.ndim}))
        said = f"the parameter sets have shapes that do not fit together: {shapes}"
        raise InputError(said, key="parameters", right="Give numbers, or arrays of one length")
    return {name: np.broadcast_to(value, shape) for name, value in values.items()}


def check_times(times: ArrayLike) -> NDArray[np.float64]:
    """Return days as an array of shape (times,).

    Raises
    ------
    InputError
        If they are not finite, not in increasing order, or begin before day 0.
    """
    days = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if days.ndim != 1 or not days.size or not np.all(np.isfinite(days)) or days[0] < 0 or np.any(np.diff(days) <= 0):
        said = "the days are not an increasing row of finite numbers from 0 up"
        raise InputError(said, key="times", right="Give, for example, numpy.arange(0, 29)")
    return days
