"""How many patients to judge response and toxicity together? Two stages after Bryant and Day, with any association."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from cartrial.analysis.estimators.arguments import read_numbers
from cartrial.design.exact.binomial import SLACK, binomial_tables
from cartrial.design.exact.bryant_day_kernel import Binomials, Rule, search_bryant_day
from cartrial.design.exact.checks import check_number, check_whole
from cartrial.errors import InputError
from cartrial.shown import Shown

__all__ = ["BryantDay", "BryantDayDesigns", "JointOperating", "design_bryant_day", "estimate_corners", "operate_bryant_day"]

Floats = NDArray[np.float64]
_MOST = 200
_TIE = 1e-9
_SOURCE = "Bryant and Day, Biometrics 1995;51:1372-1383"


@dataclass(frozen=True)
class BryantDay(Shown):
    """Two stages that go on, and succeed, only with enough responders and enough subjects without toxicity.

    Parameters
    ----------
    name : str
    n : tuple of int
        Cumulative subjects at both stages.
    response, safe : tuple of int
        Stop, or fail at the end, with so many responders, or so many subjects without toxicity, or fewer.
    response_rates, safe_rates : tuple of float
        Unacceptable and acceptable rate of response, and of no toxicity.
    method, source : str
        How the boundaries were found, with parameters; citation with DOI.

    Raises
    ------
    InputError
        If stages or boundaries do not increase or cannot be reached, or rates are not between 0 and 1 and increasing.
    """

    name: str
    n: tuple[int, int]
    response: tuple[int, int]
    safe: tuple[int, int]
    response_rates: tuple[float, float]
    safe_rates: tuple[float, float]
    method: str
    source: str = _SOURCE

    def __post_init__(self) -> None:
        for key in ("n", "response", "safe", "response_rates", "safe_rates"):
            value = getattr(self, key)
            if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
                raise InputError(f"{value!r} is no pair", key=key, right="Give one for each stage, or unacceptable and acceptable rate")
        n1 = check_whole(self.n[0], "n", 1, 10_000)
        n = check_whole(self.n[1], "n", n1 + 1, 10_000)
        for key in ("response", "safe"):
            first, last = getattr(self, key)
            check_whole(last, key, check_whole(first, key, 0, n1 - 1), n - 1)
        for key in ("response_rates", "safe_rates"):
            _check_pair(getattr(self, key), key)

    def boundaries(self) -> pl.DataFrame:
        """Return the boundaries as a committee reads them.

        Returns
        -------
        polars.DataFrame
            One row a look: look, n, stop_if_responders_at_most, stop_if_toxicities_at_least.
        """
        toxic = [n - safe for n, safe in zip(self.n, self.safe, strict=True)]
        whole = dict.fromkeys(("look", "n", "stop_if_responders_at_most", "stop_if_toxicities_at_least"), pl.Int32)
        return pl.DataFrame([[1, 2], self.n, self.response, toxic], schema=whole)


@dataclass(frozen=True)
class JointOperating:
    """What a design does at true rates; numbers or arrays of one shape.

    Parameters
    ----------
    response, safe : ndarray of float64
        True rates of response and of no toxicity.
    phi : ndarray of float64
        Odds ratio of response and no toxicity.
    success, early_stop, expected_n : ndarray of float64
        Probability of success, of stopping after the first stage, expected number of subjects.
    """

    response: Any
    safe: Any
    phi: Any
    success: Any
    early_stop: Any
    expected_n: Any


@dataclass(frozen=True)
class BryantDayDesigns(Shown):
    """Designs that meet the same errors.

    Parameters
    ----------
    optimal, minimax : BryantDay
        The fewest expected subjects (the larger of the two with one endpoint unacceptable); the fewest subjects, and of those designs
        the fewest expected.
    """

    optimal: BryantDay
    minimax: BryantDay


def design_bryant_day(
    response_rates: Sequence[float],
    safe_rates: Sequence[float],
    alpha_response: float,
    alpha_toxicity: float,
    beta: float,
    *,
    n_max: int = 100,
    n1_min: int = 1,
    n1_max: int | None = None,
) -> BryantDayDesigns:
    """Search all designs for the optimal and the minimax one.

    Parameters
    ----------
    response_rates, safe_rates : pair of float
        Unacceptable and acceptable rate of response, and of no toxicity (1 - toxicity).
    alpha_response : float
        Probability of success at most, where the response rate is unacceptable and the toxicity acceptable.
    alpha_toxicity : float
        The same with toxicity unacceptable and response acceptable.
    beta : float
        Probability of no success at most, where both are acceptable.
    n_max : int
        Most subjects of both stages, at most 200.
    n1_min, n1_max : int
        Fewest and most subjects of the first stage.

    Returns
    -------
    BryantDayDesigns

    Raises
    ------
    InputError
        For rates, errors or numbers that cannot be, or if no design is found.

    Notes
    -----
    Response and toxicity are taken as independent, as in the paper; `estimate_corners` shows what association changes. Ties of the
    expected number (within 1e-9): the smaller n, then the smaller n1, then the higher boundaries.

    Examples
    --------
    The example of Bryant and Day 1995, p. 1379: 5 of 19 and 12 of 33 responders, 11 of 19 and 22 of 33 without toxicity.

    >>> from cartrial.design import design_bryant_day
    >>> best = design_bryant_day((0.3, 0.5), (0.6, 0.8), 0.15, 0.15, 0.15, n_max=60).optimal
    >>> best.n, best.response, best.safe
    ((19, 33), (5, 12), (11, 22))
    """
    response, safe = _check_pair(response_rates, "response_rates"), _check_pair(safe_rates, "safe_rates")
    alphas = (
        check_number(alpha_response, "alpha_response", right="For example 0.1") + SLACK,
        check_number(alpha_toxicity, "alpha_toxicity", right="For example 0.1") + SLACK,
    )
    beta = check_number(beta, "beta", right="Give the type II error, 1 - power, for example 0.1")
    n_max = check_whole(n_max, "n_max", 2, _MOST)
    n1_min = check_whole(n1_min, "n1_min", 1, n_max - 1)
    n1_max = n_max - 1 if n1_max is None else check_whole(n1_max, "n1_max", n1_min, n_max - 1)
    tables = [[binomial_tables(rate, n_max) for rate in pair] for pair in (response, safe)]
    binomials = Binomials(*(np.array([[table[k] for table in pair] for pair in tables]) for k in (0, 1)))
    best = np.zeros((n_max + 1, 6))
    search_bryant_day(n_max**3, binomials, Rule(alphas, 1 - beta - SLACK, n1_min, n1_max, _TIE), best)
    sizes = np.flatnonzero(best[:, 0])
    where = f"n up to {n_max}" + ("" if (n1_min, n1_max) == (1, n_max - 1) else f" and n1 from {n1_min} to {n1_max}")
    met = (
        f"a probability of success of at most {alpha_response:g} at rates of response and no toxicity of {response[0]:g} and {safe[1]:g}, "
        f"at most {alpha_toxicity:g} at {response[1]:g} and {safe[0]:g}, and at least {1 - beta:g} at {response[1]:g} and {safe[1]:g}"
    )
    if not len(sizes):
        raise InputError(
            f"no two-stage design with {where} has {met}",
            key="n_max",
            right="Allow more subjects, larger errors or rates further apart",
        )

    def made(size: int, name: str, aim: str) -> BryantDay:
        n1, r1, r, t1, t = (int(value) for value in best[size, :5])
        method = (
            f"{aim} of all two-stage designs with {where} that have {met} (exact binomial, response and toxicity independent); "
            f"expected subjects {best[size, 5]:.1f}, the larger of the two with one endpoint unacceptable."
        )
        return BryantDay(name, (n1, size), (r1, r), (t1, t), response, safe, method)

    if len(sizes) == 1:
        only = made(int(sizes[0]), "Bryant-Day optimal and minimax", "The fewest subjects, and the fewest expected,")
        return BryantDayDesigns(only, only)
    return BryantDayDesigns(
        optimal=made(int(sizes[-1]), "Bryant-Day optimal", "The fewest expected subjects"),
        minimax=made(int(sizes[0]), "Bryant-Day minimax", "The fewest subjects, and then the fewest expected,"),
    )


def operate_bryant_day(design: BryantDay, response: ArrayLike, safe: ArrayLike, phi: ArrayLike = 1.0) -> JointOperating:
    """Exact operating characteristics at any rates and association.

    Parameters
    ----------
    design : BryantDay
    response, safe : float or array of float
        True rates of response and of no toxicity, 0 to 1; shapes that broadcast.
    phi : float or array of float
        Odds ratio of response and no toxicity, above 0: above 1 those who respond are rather those without toxicity. The odds ratio of
        response and toxicity is its inverse.

    Returns
    -------
    JointOperating

    Raises
    ------
    InputError
        For rates or an odds ratio that cannot be.

    Notes
    -----
    Recursion over both counts, subject by subject: no approximation.

    Examples
    --------
    By hand: one subject, then another; both must respond without toxicity. Where response and toxicity are independent, that has a
    probability of (0.5 x 0.8)² = 0.16.

    >>> from cartrial.design import BryantDay, operate_bryant_day
    >>> design = BryantDay("both", (1, 2), (0, 1), (0, 1), (0.3, 0.5), (0.6, 0.8), "by hand")
    >>> found = operate_bryant_day(design, 0.5, 0.8)
    >>> print(f"{found.success:.2f} {found.early_stop:.2f} {found.expected_n:.2f}")
    0.16 0.60 1.40
    """
    try:
        rates = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in (response, safe, phi)))
    except (TypeError, ValueError) as error:
        raise InputError("rates and odds ratios are no numbers of one shape", key="response", right="Give numbers or arrays") from error
    for key, values in zip(("response", "safe"), rates, strict=False):
        if not ((values >= 0) & (values <= 1)).all():
            raise InputError("a true rate is not between 0 and 1", key=key, right="Give rates between 0 and 1")
    if not ((rates[2] > 0) & np.isfinite(rates[2])).all():
        raise InputError("an odds ratio is not positive", key="phi", right="Give 1 for independence")
    found = np.array([_run(design, *values) for values in zip(*(value.ravel() for value in rates), strict=True)]).reshape(-1, 2)
    success, stopped = (found[:, k].reshape(rates[0].shape)[()] for k in (0, 1))
    n1, n = design.n
    given = [value[()] for value in rates]
    return JointOperating(given[0], given[1], given[2], success, stopped, n1 + (1 - stopped) * (n - n1))


def estimate_corners(design: BryantDay, phi: Sequence[float] = (1.0,)) -> pl.DataFrame:
    """Operating characteristics where each endpoint is acceptable or not.

    Parameters
    ----------
    design : BryantDay
    phi : sequence of float
        Odds ratios of response and no toxicity.

    Returns
    -------
    polars.DataFrame
        Four rows an odds ratio: response, safe (rates), phi, success, early_stop, expected_n.

    Examples
    --------
    The example of Bryant and Day 1995, p. 1379, keeps the three errors of 0.15: where one endpoint is unacceptable, and 1 - 0.8542 where
    both are acceptable.

    >>> from cartrial.design import BryantDay, estimate_corners
    >>> paper = BryantDay("paper", (19, 33), (5, 12), (11, 22), (0.3, 0.5), (0.6, 0.8), "p. 1379")
    >>> for response, safe, success in estimate_corners(paper).select("response", "safe", "success").rows():
    ...     print(response, safe, f"{success:.4f}")
    0.3 0.6 0.0247
    0.3 0.8 0.1447
    0.5 0.6 0.1458
    0.5 0.8 0.8542
    """
    ratios = np.atleast_1d(read_numbers(phi, "phi", "Give positive odds ratios")).ravel().tolist()
    grid = [(r, s, odds) for odds in ratios for r in design.response_rates for s in design.safe_rates]
    found = operate_bryant_day(design, *np.array(grid).reshape(-1, 3).T)
    return pl.DataFrame({name: getattr(found, name) for name in ("response", "safe", "phi", "success", "early_stop", "expected_n")})


def _run(design: BryantDay, response: float, safe: float, phi: float) -> tuple[float, float]:
    """Return the probability of success and of stopping after the first stage."""
    both = _both(response, safe, phi)
    cells = (1 - response - safe + both, response - both, safe - both, both)
    n1, n = design.n
    now = np.zeros((n + 1, n + 1))
    now[0, 0] = 1.0
    for subject in range(n):
        if subject == n1:
            now[: design.response[0] + 1] = 0.0
            now[:, : design.safe[0] + 1] = 0.0
            going = float(now.sum())
        new = now * max(cells[0], 0.0)
        new[1:] += now[:-1] * max(cells[1], 0.0)
        new[:, 1:] += now[:, :-1] * max(cells[2], 0.0)
        new[1:, 1:] += now[:-1, :-1] * both
        now = new
    return float(now[design.response[1] + 1 :, design.safe[1] + 1 :].sum()), 1 - going


def _both(a: float, b: float, phi: float) -> float:
    """Return the probability of both events, given theirs and their odds ratio (Plackett 1965, doi:10.1080/01621459.1965.10480807)."""
    if phi == 1:
        return a * b
    total = 1 + (a + b) * (phi - 1)
    return float(2 * phi * a * b / (total + np.sqrt(max(total * total - 4 * phi * (phi - 1) * a * b, 0.0))))


def _check_pair(rates: Any, key: str) -> tuple[float, float]:
    try:
        low, high = (float(rate) for rate in rates)
    except (TypeError, ValueError) as error:
        raise InputError(f"{rates!r} are no two rates", key=key, right="Give the unacceptable and the acceptable rate") from error
    if not (isfinite(low) and isfinite(high) and 0 < low < 1 and 0 < high < 1) or any(b <= a for a, b in pairwise((low, high))):
        raise InputError(
            f"the rates {low:g} and {high:g} are not between 0 and 1 and increasing",
            key=key,
            right="Give the unacceptable, then the acceptable rate; for toxicity, of subjects without it",
        )
    return low, high
