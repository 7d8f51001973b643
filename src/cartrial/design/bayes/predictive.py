"""Will a trial still succeed? Monitoring of the predictive probability (Lee and Liu), with given cut-offs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cartrial.design.bayes.bop2 import lower_bounds
from cartrial.design.bayes.monitoring import check_looks, check_prior, check_share, predictive_table, tail_table
from cartrial.design.bayes.posterior import design_thall_simon
from cartrial.design.exact.checks import check_rates
from cartrial.design.exact.staged import Staged
from cartrial.errors import InputError

__all__ = ["SOURCE", "design_predictive", "design_thall_simon"]

SOURCE = "Lee JJ, Liu DD. Clin Trials 2008;5:93-106. doi:10.1177/1740774508089279"


def design_predictive(
    looks: Sequence[int],
    p0: float,
    p1: float | None = None,
    *,
    theta_t: float,
    theta_l: float,
    theta_u: float = 1.0,
    prior: tuple[float, float] | None = None,
) -> Staged:
    """Monitor the predictive probability of success at the end, with given cut-offs.

    Parameters
    ----------
    looks : sequence of int
        Cumulative subjects at each look (`looks_after` for continuous monitoring).
    p0 : float
        Null rate.
    p1 : float, optional
        Target rate, kept in the design.
    theta_t : float
        Success at the end: P(p > p0 | data) > theta_t.
    theta_l : float
        Stop, not promising, when the predictive probability of success is below theta_l. 0: never.
    theta_u : float, default 1
        Stop, promising, when it is above theta_u. 1: never.
    prior : tuple of float, optional
        Beta prior; worth one subject with mean p0 without it.

    Returns
    -------
    Staged

    Raises
    ------
    InputError
        For looks, rates or cut-offs that cannot be, or if success cannot be reached at the end.

    Examples
    --------
    The numbers of subjects at which the boundary rises, as the R package ph2bayes 0.0.2 prints them for `stopbound_pred(0.05, "futility",
    40, 0.6, 1.4, 0.3, 0.85)`: stop with 0 of 4, 1 of 8, 2 of 11 or 3 of 14.

    >>> from cartrial.design import design_predictive, looks_after
    >>> design = design_predictive(looks_after(1, 40), 0.3, theta_t=0.85, theta_l=0.05, prior=(0.6, 1.4))
    >>> [design.futility[n - 1] for n in (3, 4, 7, 8, 10, 11, 13, 14)]
    [None, 0, 0, 1, 1, 2, 2, 3]
    """
    n = check_looks(looks)
    null = check_share(p0, "p0")
    target = None if p1 is None else check_rates(null, p1)[1]
    theta_t = check_share(theta_t, "theta_t")
    theta_u = check_share(theta_u, "theta_u", ends=True)
    theta_l = check_share(theta_l, "theta_l", high=theta_u, ends=True)
    prior = (null, 1 - null) if prior is None else check_prior(prior)
    least = int(np.searchsorted(tail_table(n[-1:], prior, null)[0], theta_t, side="right"))
    if not 1 <= least <= n[-1]:
        raise InputError(f"with theta_t {theta_t:g} the last look always decides the same", key="theta_t", right="Give another")
    table = predictive_table(n[-1], least, prior)[list(n[:-1])]
    low = lower_bounds(table, np.full((1, len(n) - 1), theta_l))[0] if len(n) > 1 else np.empty(0, np.int64)
    high = [int(np.searchsorted(row[: size + 1], theta_u, side="right")) for row, size in zip(table, n[:-1], strict=True)]
    method = (
        f"Success when P(p > {null:g} | data) > {theta_t:.4g} at {n[-1]} subjects; stop when its predictive probability is below "
        f"{theta_l:.4g}{'' if theta_u == 1 else f' or above {theta_u:.4g}'}; prior Beta({prior[0]:g}, {prior[1]:g})."
    )
    futility = (*(None if value < 0 else int(value) for value in low), least - 1)
    efficacy = (*(size if size <= at and theta_u < 1 else None for size, at in zip(high, n[:-1], strict=True)), least)
    return Staged("Predictive probability", n, futility, efficacy, null, target, method, SOURCE)
