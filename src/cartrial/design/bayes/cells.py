"""How often do response and toxicity come together? The four cells of two rates, and their checks."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartrial.design.bayes.monitoring import Floats, check_share
from cartrial.design.exact.checks import check_number
from cartrial.errors import InputError

__all__ = ["Cells", "cells_of", "check_cells", "check_prior", "margins_of"]

Cells = tuple[float, float, float, float]


def cells_of(efficacy: float, toxicity: float, odds_ratio: float = 1.0) -> Cells:
    """Return the four cells of a response and a toxicity rate.

    Parameters
    ----------
    efficacy, toxicity : float
        Rates.
    odds_ratio : float, default 1
        Association; 1: independent, above 1: responders have more toxicity.

    Returns
    -------
    tuple of float
        Response with toxicity, response without, no response with toxicity, neither.

    Raises
    ------
    InputError
        For a rate that is not between 0 and 1, or an odds ratio that is not positive.

    Notes
    -----
    The joint probability of Plackett's distribution (J Am Stat Assoc 1965;60:516-522, doi:10.1080/01621459.1965.10480807).

    Examples
    --------
    By hand: independent, 0.5 x 0.2 of all respond and have toxicity.

    >>> from cartrial.design import cells_of
    >>> [round(cell, 2) for cell in cells_of(0.5, 0.2)]
    [0.1, 0.4, 0.1, 0.4]
    """
    right = "Give a rate between 0 and 1, for example 0.3"
    response, toxic = check_number(efficacy, "efficacy", right=right), check_number(toxicity, "toxicity", right=right)
    ratio = check_share(odds_ratio, "odds_ratio", high=1e9)
    if abs(ratio - 1.0) < 1e-12:
        both = response * toxic
    else:
        sums = 1.0 + (response + toxic) * (ratio - 1.0)
        # the smaller root, written so that nothing cancels for an odds ratio near 1
        both = 2.0 * ratio * response * toxic / (sums + np.sqrt(sums**2 - 4.0 * ratio * (ratio - 1.0) * response * toxic))
    return float(both), float(response - both), float(toxic - both), float(1.0 - response - toxic + both)


def margins_of(cells: Cells) -> tuple[float, float]:
    """Return response and toxicity rate."""
    return cells[0] + cells[1], cells[0] + cells[2]


def _numbers(values: Any, key: str) -> Floats:
    try:
        found = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{values!r} are not four numbers", key=key, right="`cells_of` makes them of two rates") from error
    if found.shape != (4,) or not np.isfinite(found).all():
        raise InputError(f"{values!r} are not four numbers", key=key, right="`cells_of` makes them of two rates")
    return found


def check_cells(values: Any, key: str, *, positive: bool = False) -> Cells:
    """Return four cells that are probabilities; refuse others."""
    found = _numbers(values, key)
    if (found < 0).any() or abs(found.sum() - 1.0) > 1e-9:
        raise InputError(f"the cells {found.tolist()} do not sum to 1", key=key, right="`cells_of` makes them of two rates")
    if positive and (found <= 0).any():
        raise InputError("a cell of the null is 0", key=key, right="Give four positive probabilities: they are the prior too")
    a, b, c, d = (float(value) for value in found / found.sum())
    return a, b, c, d


def check_prior(values: Any) -> Cells:
    """Return the four numbers of a Dirichlet prior; refuse others."""
    found = _numbers(values, "prior")
    if (found <= 0).any() or (found >= 1e6).any():
        raise InputError(f"Dirichlet{tuple(found.tolist())} is no prior", key="prior", right="Give four positive numbers")
    a, b, c, d = (float(value) for value in found)
    return a, b, c, d
