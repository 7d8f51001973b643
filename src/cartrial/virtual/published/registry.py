"""Which published models are there, and what does each show?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from cartrial.errors import InputError
from cartrial.virtual.published.chaudhury2020 import show_chaudhury2020
from cartrial.virtual.published.hardiansyah2019 import show_hardiansyah2019
from cartrial.virtual.published.kimmel2021 import show_kimmel2021
from cartrial.virtual.published.leon_triana2021 import show_leon_triana2021
from cartrial.virtual.published.mueller_schoell2021 import show_mueller_schoell2021
from cartrial.virtual.published.panel import Panel
from cartrial.virtual.published.stein2019 import show_stein2019
from cartrial.virtual.published.tables import Model, read_model

__all__ = ["MODELS", "show_model"]

_PICTURES: dict[str, Callable[[], dict[str, Panel]]] = {
    "stein2019": show_stein2019,
    "kimmel2021": show_kimmel2021,
    "leon_triana2021": show_leon_triana2021,
    "chaudhury2020": show_chaudhury2020,
    "hardiansyah2019": show_hardiansyah2019,
    "mueller_schoell2021": show_mueller_schoell2021,
}

# Name: title, citation, what it shows, default scenario, equations, numbers, doubts.
MODELS: Mapping[str, Model] = MappingProxyType({name: read_model(name) for name in _PICTURES})
"""The published models by name."""


def show_model(name: str) -> dict[str, Panel]:
    """Simulate a model's default scenario and return its curves as plain arrays.

    Parameters
    ----------
    name : str
        A key of `MODELS`.

    Returns
    -------
    dict of str to Panel
        One entry for each set of axes.

    Raises
    ------
    InputError
        If there is no such model.

    Examples
    --------
    The typical subject's curve, drawn in half days, is highest next to the published day of its peak, 9.3.

    >>> from cartrial.virtual.published import show_model
    >>> curve = show_model("stein2019")["levels"].lines["typical subject"]
    >>> float(curve.x[curve.y.argmax()])
    9.5
    """
    if name not in _PICTURES:
        raise InputError(f"there is no published model called '{name}'", key="model", right=f"Give one of: {', '.join(_PICTURES)}")
    return _PICTURES[name]()
