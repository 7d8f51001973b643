"""Do estimators agree with their definitions, written out a second time and slowly, on data that nobody has seen?

Each run draws data anew, by a seed that the dossier prints; `--seed` draws them again. Nothing here calls an estimator to judge another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from scipy.optimize import brentq
from scipy.stats import binom, chi2

from cartrial.analysis.estimators.agreement import kappa_of_tables
from cartrial.analysis.estimators.incidence import estimate_incidence
from cartrial.analysis.estimators.km import estimate_follow_up, estimate_survival
from cartrial.analysis.estimators.logrank import estimate_logrank
from cartrial.analysis.estimators.models.cox import estimate_cox
from cartrial.analysis.estimators.models.fine_gray import estimate_fine_gray
from cartrial.analysis.estimators.rates import RateMethod, binomial_limits, binomial_p_value
from cartrial.analysis.estimators.weighted.hazard import estimate_weighted_survival
from cartrial.design.exact.staged import Staged, operate
from cartrial.qualify.checks import Check, compare

__all__ = ["check_second"]

TRIALS = 12
"""Random sets of each kind."""

Rows = list[tuple[float, int, int]]
"""Time, cause (0 censored, 1, 2) and group of each subject."""


def check_second(seed: int) -> Iterator[Check]:
    """Yield estimates on data drawn by a seed, beside second implementations from the definitions.

    Examples
    --------
    >>> from cartrial.qualify.figures.second import check_second
    >>> {check.verdict for check in check_second(7)}
    {'passed'}
    """
    random = np.random.default_rng(seed)
    for number in range(1, TRIALS + 1):
        rows, name = _draw(random), f"set {number}"
        yield from _curves(name, rows)
        yield from _tests(name, rows)
        yield from _models(name, rows)
        yield from _rates(random)
        yield from _design(random)
        yield from _kappa(name, random)


def _told(group: str, name: str, pairs: Mapping[str, tuple[float | None, float | None]], tolerance: float, how: str) -> Iterator[Check]:
    found, right = zip(*pairs.values(), strict=True)
    named = [f"{name}, {what}" for what in pairs]
    yield from compare(f"second implementation: {group}", named, found, right, tolerance=tolerance, origin=f"independent: {how}")


def _draw(random: np.random.Generator) -> Rows:
    """Return 20 to 60 subjects of two groups with whole days, so that there are ties; two events of each cause in each group at least."""
    while True:
        n = int(random.integers(20, 61))
        group = np.arange(n) % 2
        own = np.ceil(random.exponential(np.where(group == 1, 40.0, 60.0)))
        censored = np.ceil(random.uniform(5, 150, n))
        cause = np.where(own <= censored, np.where(random.random(n) < 0.3, 2, 1), 0)
        if all((cause[group == g] == k).sum() >= 2 for g in (0, 1) for k in (1, 2)):
            return [(float(t), int(k), int(g)) for t, k, g in zip(np.minimum(own, censored), cause, group, strict=True)]


def _frame(rows: Rows, codes: Sequence[int]) -> pl.DataFrame:
    """Return subjects with CNSR as codes have it: of cause 0, 1 and 2."""
    return pl.DataFrame(
        {"AVAL": [t for t, _, _ in rows], "CNSR": [codes[k] for _, k, _ in rows], "G": [float(g) for _, _, g in rows]}
    ).with_columns(pl.col("CNSR").cast(pl.Int8))


def _product(rows: Rows, events: tuple[int, ...]) -> list[tuple[float, float, float]]:
    """Return time, survival and the sum of Greenwood after each time."""
    found, survival, total = [], 1.0, 0.0
    for t in sorted({t for t, _, _ in rows}):
        n, d = sum(u >= t for u, _, _ in rows), sum(u == t and k in events for u, k, _ in rows)
        survival *= 1 - d / n
        total += d / (n * (n - d)) if n > d else math.inf
        found.append((t, survival, total))
    return found


def _median(curve: list[tuple[float, float, float]]) -> float | None:
    """Return the first time at which survival is below a half; where it is a half, the middle of that and the next fall."""
    for place, (t, s, _) in enumerate(curve):
        if s < 0.5 - 1e-12:
            return t
        if abs(s - 0.5) <= 1e-12:
            later = [u for u, v, _ in curve[place:] if v < 0.5 - 1e-12]
            return (t + later[0]) / 2 if later else t
    return None


def _curves(name: str, rows: Rows) -> Iterator[Check]:
    frame, curve = _frame(rows, (1, 0, 0)), _product(rows, (1, 2))
    fit = estimate_survival(frame, ())
    last = max(t for t, _, _ in rows)
    at = float(math.floor(last * 0.6))
    reached = [(s, v) for t, s, v in curve if t <= at]
    survival, total = reached[-1] if reached else (1.0, 0.0)
    area, before, height = 0.0, 0.0, 1.0
    for t, s, _ in [*((t, s, v) for t, s, v in curve if t < at), (at, 0.0, 0.0)]:
        area += (t - before) * height
        before, height = t, s
    row = fit.at([at]).row(0, named=True)
    pairs = {
        f"survival at {at:g}": (row["survival"], survival),
        f"standard error at {at:g}": (row["standard_error"], survival * math.sqrt(total)),
        "median": (fit.summary()["median"][0], _median(curve)),
        f"mean to {at:g}": (fit.restricted_mean(at)["rmst"][0], area),
    }
    yield from _told("survival", name, pairs, 1e-9, "the product-limit estimator and Greenwood's sum, time by time")
    reverse = _median(_product([(t, int(k == 0), g) for t, k, g in rows], (1,)))
    pairs = {"median follow-up": (estimate_follow_up(frame, ()).summary()["median"][0], reverse)}
    yield from _told("follow-up", name, pairs, 1e-9, "the product-limit estimator of being censored")
    yield from _incidence(name, rows, at)
    weights = [0.5 + (i % 7) / 7 for i in range(len(rows))]
    times, weighted = estimate_weighted_survival(
        np.array([t for t, _, _ in rows]), np.array([int(k > 0) for _, k, _ in rows]), np.array(weights)
    )
    right = 1.0
    for t in sorted({t for t, k, _ in rows if k > 0 and t <= at}):
        risk = sum(w for (u, _, _), w in zip(rows, weights, strict=True) if u >= t)
        right *= 1 - sum(w for (u, k, _), w in zip(rows, weights, strict=True) if u == t and k > 0) / risk
    before_at = weighted[times <= at]
    pairs = {f"survival of weighted patients at {at:g}": (float(before_at[-1]) if before_at.size else 1.0, right)}
    yield from _told("survival", name, pairs, 1e-9, "the product over weighted risk sets")


def _incidence(name: str, rows: Rows, at: float) -> Iterator[Check]:
    found = estimate_incidence(_frame(rows, (1, 0, 2)), ()).at([at])
    for cause, code in ((1, 0), (2, 2)):
        total, survival = 0.0, 1.0
        for t in sorted({t for t, _, _ in rows if t <= at}):
            n = sum(u >= t for u, _, _ in rows)
            total += survival * sum(u == t and k == cause for u, k, _ in rows) / n
            survival *= 1 - sum(u == t and k > 0 for u, k, _ in rows) / n
        value = found.filter(pl.col("cause") == code)["incidence"][0]
        yield from _told("incidence", name, {f"cause {cause} at {at:g}": (value, total)}, 1e-9, "the sum of S(t-) d / n")


def _tests(name: str, rows: Rows) -> Iterator[Check]:
    score = variance = 0.0
    for t in sorted({t for t, k, _ in rows if k > 0}):
        n, own = sum(u >= t for u, _, _ in rows), sum(u >= t and g == 1 for u, _, g in rows)
        d, d_own = sum(u == t and k > 0 for u, k, _ in rows), sum(u == t and k > 0 and g == 1 for u, k, g in rows)
        score += d_own - d * own / n
        variance += d * own / n * (1 - own / n) * (n - d) / (n - 1) if n > 1 else 0.0
    row = estimate_logrank(_frame(rows, (1, 0, 0)), "G", ()).row(0, named=True)
    right = score**2 / variance
    pairs = {"chi-square": (row["chi_square"], right), "p": (row["p_value"], float(chi2.sf(right, 1)))}
    yield from _told("log-rank test", name, pairs, 1e-9, "observed less expected, hypergeometric variance")


def _models(name: str, rows: Rows) -> Iterator[Check]:
    """Breslow's score is monotone in the coefficient: its root, by bisection; the error from the information there."""

    def scored(times: Rows, beta: float) -> tuple[float, float]:
        total = information = 0.0
        for t, k, g in times:
            if k:
                a = sum(math.exp(beta) for u, _, h in times if u >= t and h == 1)
                share = a / (a + sum(1 for u, _, h in times if u >= t and h == 0))
                total += g - share
                information += share * (1 - share)
        return total, information

    plain: Rows = [(t, int(k > 0), g) for t, k, g in rows]
    beta = brentq(lambda b: scored(plain, b)[0], -8, 8, xtol=1e-13)
    row = estimate_cox(_frame(rows, (1, 0, 0)), ["G"], ties="breslow").row(0, named=True)
    pairs = {
        "coefficient": (row["coefficient"], beta),
        "standard error": (row["standard_error"], scored(plain, beta)[1] ** -0.5),
        "hazard ratio": (row["hazard_ratio"], math.exp(beta)),
    }
    yield from _told("Cox model", name, pairs, 1e-7, "the root of Breslow's score, by bisection")
    # without censoring, whoever had the competing event stays at risk to the end: Fine and Gray's model is Cox's
    everyone = [(t, k or 2, g) for t, k, g in rows]
    held: Rows = [(t if k == 1 else math.inf, int(k == 1), g) for t, k, g in everyone]
    beta = brentq(lambda b: scored(held, b)[0], -8, 8, xtol=1e-13)
    row = estimate_fine_gray(_frame(everyone, (1, 0, 2)), ["G"]).row(0, named=True)
    how = "Cox's score with competing events at risk to the end, where nobody is censored"
    yield from _told("Fine and Gray's model", name, {"coefficient": (row["coefficient"], beta)}, 1e-7, how)


def _rates(random: np.random.Generator) -> Iterator[Check]:
    n = int(random.integers(5, 120))
    x, null = int(random.integers(1, n)), float(random.uniform(0.1, 0.9))
    tails = {
        "Clopper-Pearson": (lambda p: binom.sf(x - 1, n, p) - 0.025, lambda p: binom.cdf(x, n, p) - 0.025),
        "mid-p": (
            lambda p: binom.sf(x, n, p) + binom.pmf(x, n, p) / 2 - 0.025,
            lambda p: binom.cdf(x - 1, n, p) + binom.pmf(x, n, p) / 2 - 0.025,
        ),
    }
    methods: tuple[RateMethod, ...] = ("Clopper-Pearson", "mid-p", "Wilson")
    for method in methods:
        lower, upper = (float(limit[0]) for limit in binomial_limits(np.array([x]), np.array([n]), method, 0.95))
        if method == "Wilson":
            z2 = float(chi2.ppf(0.95, 1))
            right = sorted(np.roots([n + z2, -2 * x - z2, x * x / n]).real)
        else:
            right = [brentq(tail, 1e-12, 1 - 1e-12, xtol=1e-14) for tail in tails[method]]
        pairs = {"lower": (lower, float(right[0])), "upper": (upper, float(right[1]))}
        how = "the roots of (x / n - p)^2 = z^2 p (1 - p) / n" if method == "Wilson" else "the rates at which a tail is 2.5 %, by bisection"
        yield from _told("limits of a rate", f"{x}/{n}, {method}", pairs, 1e-9, how)
    value = float(binomial_p_value(np.array([x]), np.array([n]), np.array([null]), "greater")[0])
    right_tail = math.fsum(math.comb(n, y) * null**y * (1 - null) ** (n - y) for y in range(x, n + 1))
    yield from _told("exact test", f"{x}/{n} against {null:.4f}", {"p": (value, right_tail)}, 1e-9, "the sum of binomial terms")


def _design(random: np.random.Generator) -> Iterator[Check]:
    n = sorted(int(value) for value in random.choice(np.arange(3, 40), 3, replace=False))
    low: list[int] = []
    for size in n:
        low.append(int(random.integers(low[-1] if low else 0, max(low[-1] if low else 0, size // 2) + 1)))
    high = [low[0] + int(random.integers(2, n[0] + 2)), None, low[-1] + 1]
    p = float(random.uniform(0.05, 0.9))
    design = Staged(
        "random", tuple(n), tuple(low), (high[0] if high[0] is not None and high[0] <= n[0] else None, None, high[2]), 0.01, 0.95, "-", "-"
    )
    alive, before, won, subjects = {0: 1.0}, 0, 0.0, 0.0
    for size, below, above in zip(design.n, design.futility, design.efficacy, strict=True):
        m = size - before
        after: dict[int, float] = {}
        for x, mass in alive.items():
            for y in range(m + 1):
                after[x + y] = after.get(x + y, 0.0) + mass * math.comb(m, y) * p**y * (1 - p) ** (m - y)
        subjects += m * sum(alive.values())
        won += sum(mass for x, mass in after.items() if above is not None and x >= above)
        alive = {x: mass for x, mass in after.items() if (below is None or x > below) and (above is None or x < above)}
        before = size
    found = operate(design, p)
    pairs = {"success": (float(found.success), won), "expected patients": (float(found.expected_n), subjects)}
    name = f"looks at {', '.join(map(str, n))}, rate {p:.4f}"
    yield from _told("several looks", name, pairs, 1e-10, "paths counted cohort by cohort")


def _kappa(name: str, random: np.random.Generator) -> Iterator[Check]:
    table = random.integers(1, 20, (3, 3))
    found = kappa_of_tables(np.array([table]))
    n = int(table.sum())
    agreed = sum(int(table[i, i]) for i in range(3)) / n
    chance = sum(int(table[i].sum()) * int(table[:, i].sum()) for i in range(3)) / n**2
    yield from _told(
        "kappa", name, {"kappa": (float(found["kappa"][0]), (agreed - chance) / (1 - chance))}, 1e-9, "agreement beyond chance"
    )
