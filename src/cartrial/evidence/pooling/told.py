"""How is a pool told? The trials, the rate by two models, what a new trial may show, and what each trial does to it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cartrial.evidence.pooling.pool import Pool

__all__ = ["pool_lines"]


def pool_lines(pool: Pool) -> Iterator[str]:
    """Yield what was pooled and what came of it, a line each.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence, pool_results, read_assumptions
    >>> words = ["window=best", "reader=INV", "hsct=composite", "new-therapy=composite", "criteria=nccn"]
    >>> found = pool_results(load_evidence(), ["mskcc-cr", "germany-cr"], assume=read_assumptions(words))
    >>> next(pool_lines(found))
    'mskcc-cr of mskcc: 44/53 (only count of 53 that prints 83)'
    """
    for one in pool.results:
        rule = f" ({one.rule})" if one.rule else ""
        yield f"{one.result} of {one.trial}: {one.count}/{one.of}{rule}"
    rate, normal, level = pool.rate, pool.normal, f"{100 * pool.rate.conf_level:g} %"
    yield f"rate of the median trial: {_percent(rate.rate)} ({_range(rate.lower, rate.upper)}, {level} profile limits), exact likelihood"
    yield f"mean of the trials' rates: {_percent(rate.mean_rate)}"
    yield f"variance between trials, log odds: {rate.heterogeneity:.4f}"
    if not math.isnan(rate.predicted_lower):
        free = f"{rate.trials - 2} degree{'' if rate.trials == 3 else 's'} of freedom"
        yield f"rate of a new trial: {_range(rate.predicted_lower, rate.predicted_upper)} ({level}, {free})"
    floor = ", not narrower than those of a common rate" if normal.floored else ""
    half = f", a half added to {normal.corrected} of the trials" if normal.corrected else ""
    limits = f"{_percent(normal.rate)} ({_range(normal.lower, normal.upper)}, {level}, Knapp-Hartung{floor}{half})"
    yield f"by REML on the log odds: {limits}, variance {normal.heterogeneity:.4f}"
    for one, left in zip(pool.results, pool.without, strict=False):
        yield f"without {one.trial}: {_percent(left.rate)} ({_range(left.lower, left.upper)})"
    if pool.assumed:
        yield f"Assumed: {', '.join(pool.assumed)}."
    for note in pool.notes:
        yield f"Note: {note}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _range(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %"
