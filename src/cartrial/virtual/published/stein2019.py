"""Stein 2019: how does tisagenlecleucel expand, contract and persist in the blood of children and young adults?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.errors import InputError
from cartrial.virtual.published.panel import Line, Panel
from cartrial.virtual.published.tables import arrange_parameters, check_times, read_model

__all__ = ["derive_stein2019_exposure", "show_stein2019", "simulate_stein2019", "simulate_stein2019_parameters"]

Array = NDArray[np.float64]


def simulate_stein2019(
    times: ArrayLike,
    parameters: Mapping[str, ArrayLike] | None = None,
    *,
    tocilizumab: ArrayLike | None = None,
    steroids: ArrayLike | None = None,
) -> dict[str, Array]:
    """Simulate transgene levels (closed form; Stein 2019, Figure 2 and supplement, doi:10.1002/psp4.12388).

    Parameters
    ----------
    times : array of shape (times,)
        Days since infusion.
    parameters : mapping of str to float or array of shape (sets,), optional
        In place of the published values, by name: ``fold``, ``tmax`` (day), ``cmax`` (copies/µg), ``alpha``, ``beta`` (1/day),
        ``persisting``, ``tocilizumab_factor``, ``steroid_factor``.
    tocilizumab, steroids : float or array of shape (sets,), optional
        Day of the first dose; infinite where there was none.

    Returns
    -------
    dict of str to array of shape (sets, times)
        ``transgene``, and its parts ``contracting`` and ``persisting``, in copies/µg DNA.

    Raises
    ------
    InputError
        If times or parameters cannot be used.

    Examples
    --------
    The published doubling time of 0.78 days, and the peak on day 9.3.

    >>> import numpy as np
    >>> from cartrial.virtual.published import simulate_stein2019
    >>> level = simulate_stein2019([3, 4, 9.3])["transgene"][0]
    >>> round(float(np.log(2) / np.log(level[1] / level[0])), 2), round(float(level[2]))
    (0.78, 24000)
    """
    days = check_times(times)
    never = np.inf
    arranged = arrange_parameters(
        read_model("stein2019"),
        parameters,
        tocilizumab=never if tocilizumab is None else tocilizumab,
        steroids=never if steroids is None else steroids,
    )
    p = {name: value[:, None] for name, value in arranged.items()}
    for name in ("tocilizumab", "steroids"):
        if not np.all(p[name] >= 0):
            said = "a first dose lies before the infusion, or is not a number"
            raise InputError(said, key=name, right="Give days from 0 up, or infinity")
    growing = np.minimum(days, p["tmax"])
    log_level = np.log(p["cmax"] / p["fold"]) + np.log(p["fold"]) / p["tmax"] * _clock(growing, p)
    since = np.maximum(days - p["tmax"], 0.0)
    with np.errstate(divide="ignore"):
        contracting = np.exp(log_level + np.log1p(-p["persisting"]) - p["alpha"] * since)
        persisting = np.exp(log_level + np.log(p["persisting"]) - p["beta"] * since)
    return {"transgene": contracting + persisting, "contracting": contracting, "persisting": persisting}


def _clock(days: Array, p: Mapping[str, Array]) -> Array:
    """Days of growth at the undisturbed rate that give the growth up to `days` with the drugs' factors."""
    toci, steroid = np.minimum(p["tocilizumab"], p["tmax"]), np.minimum(p["steroids"], p["tmax"])
    first, second = np.minimum(toci, steroid), np.maximum(toci, steroid)
    one = np.where(toci < steroid, p["tocilizumab_factor"], p["steroid_factor"])
    between = np.clip(days, first, second) - first
    return np.minimum(days, first) + one * between + p["tocilizumab_factor"] * p["steroid_factor"] * np.maximum(days - second, 0.0)


def simulate_stein2019_parameters(n: int, seed: int, *, random_effects: str = "sd") -> dict[str, Array]:
    """Draw the parameters of subjects from the published population, log-normal and independent.

    Parameters
    ----------
    n : int
        Subjects.
    seed : int
    random_effects : str
        What the column of random effects in Table 1 prints: ``sd`` (standard deviations of the logarithms, as Monolix prints them)
        or ``variance``. The copies that were read disagree.

    Returns
    -------
    dict of str to array of shape (n,)
        The six parameters with a random effect; a persisting fraction above 1 becomes 1.

    Raises
    ------
    InputError
        If `random_effects` is neither word, or n is not a positive number.

    Examples
    --------
    The geometric mean of the peaks is the published one, 24,000 copies/µg, within what chance leaves of 2,000 subjects.

    >>> import numpy as np
    >>> from cartrial.virtual.published import simulate_stein2019_parameters
    >>> drawn = simulate_stein2019_parameters(2000, seed=1)
    >>> bool(abs(np.log(drawn["cmax"] / 24000).mean()) < 4 * 0.65 / 2000**0.5)
    True
    """
    if random_effects not in ("sd", "variance"):
        raise InputError(f"'{random_effects}' is no reading of the random effects", key="random_effects", right="Give sd or variance")
    if n < 1:
        raise InputError("there is nobody to draw", key="n", right="Give a whole number from 1 up")
    items = [item for item in read_model("stein2019").chosen().values() if "omega" in item.variability]
    omega = np.array([item.variability["omega"] for item in items])
    spread = omega if random_effects == "sd" else np.sqrt(omega)
    draws = np.array([item.value for item in items]) * np.exp(spread * np.random.default_rng(seed).standard_normal((n, len(items))))
    found = {item.name: draws[:, k] for k, item in enumerate(items)}
    return found | {"persisting": np.minimum(found["persisting"], 1.0)}


def derive_stein2019_exposure(parameters: Mapping[str, ArrayLike] | None = None, until: float = 28.0) -> dict[str, Array]:
    """Return peak, its day and the area under the curve, in closed form and without comedication.

    Parameters
    ----------
    parameters : mapping of str to float or array of shape (sets,), optional
    until : float
        Day to which the area goes.

    Returns
    -------
    dict of str to array of shape (sets,)
        ``cmax`` (copies/µg), ``tmax`` (day), ``area`` (copies/µg times days).

    Examples
    --------
    The published peak and its day; the area is 172,000 copies/µg times days, as trapezoids in nlmixr2lib have it.

    >>> from cartrial.virtual.published import derive_stein2019_exposure
    >>> found = derive_stein2019_exposure()
    >>> float(found["cmax"][0]), float(found["tmax"][0]), round(float(found["area"][0]), -3)
    (24000.0, 9.3, 172000.0)
    """
    p = arrange_parameters(read_model("stein2019"), parameters)
    growth, growing = np.log(p["fold"]) / p["tmax"], np.minimum(until, p["tmax"])
    rest = np.maximum(until - p["tmax"], 0.0)
    rising = p["cmax"] / p["fold"] * growing * _mean_exp(growth * growing)
    falling = p["cmax"] * rest * ((1 - p["persisting"]) * _mean_exp(-p["alpha"] * rest) + p["persisting"] * _mean_exp(-p["beta"] * rest))
    return {"cmax": np.array(p["cmax"]), "tmax": np.array(p["tmax"]), "area": rising + falling}


def _mean_exp(x: Array) -> Array:
    """Mean of exp from 0 to x: (exp(x) - 1) / x, 1 at 0."""
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 1.0, np.expm1(safe) / safe)


def show_stein2019() -> dict[str, Panel]:
    """Return the picture: the typical subject and the range over subjects, by both readings of the random effects."""
    days = np.linspace(0, 180, 361)
    lines = {}
    for reading, style in (("sd", "curve"), ("variance", "dashed")):
        levels = simulate_stein2019(days, simulate_stein2019_parameters(4000, 1, random_effects=reading))["transgene"]
        low, middle, high = np.quantile(levels, [0.05, 0.5, 0.95], axis=0)
        if reading == "sd":
            lines["median, 5 to 95 % shaded (effects as standard deviations)"] = Line(days, middle, low, high)
        else:
            lines |= {"5 and 95 % (as variances)": Line(days, low, style=style), "": Line(days, high, style=style)}
    lines["typical subject"] = Line(days, simulate_stein2019(days)["transgene"][0])
    return {"levels": Panel("Days since infusion", "Transgene (copies/µg DNA)", lines, low=1.0, high=1e6)}
