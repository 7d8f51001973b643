"""Which population fits the samples, from several starts, and what is not to be believed of it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.stats import norm

from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.information import LEAST_SIZE, Assessed, Polished, assess, polish
from cartrial.kinetics.estimation.likelihood import pack, shown
from cartrial.kinetics.estimation.refused import require_errors, require_fit, require_samples
from cartrial.kinetics.estimation.saem import Estimate, Plan, run_saem
from cartrial.kinetics.estimation.starts import start_of
from cartrial.kinetics.model import PopulationModel, Problem, SampleSet
from cartrial.kinetics.posterior import Posterior, limits_of
from cartrial.shown import Shown

__all__ = ["PopulationFit", "Start", "fit_population"]

# a spread below which subjects do not differ, of a logarithm; and how much may be shrunk away while it is small
_NO_SPREAD = 0.02
_SMALL_SPREAD, _ALL_SHRUNK = 0.1, 0.95
_DISAGREE = 1.0
# limits that hold so much of what the bounds allow say nothing
_WHOLE = 0.9
# beyond one in ten thousand a share is at its edge
_EDGE_LOGIT = float(np.log(1e4))
_NOT_VARYING = "does not vary measurably between subjects"
_NOT_SEEN = "varies by less than the samples show (more than 95 % shrinkage, no top of the likelihood)"


@dataclass(frozen=True)
class Start:
    """Where one search ended: -2 log likelihood by fresh draws and its Monte Carlo error, estimate, and its trace by round."""

    minus_two_log: float
    monte_carlo: float
    estimate: Estimate
    trace: Floats


@dataclass(frozen=True)
class PopulationFit(Shown):
    """A fitted population.

    Attributes
    ----------
    problem : Problem
        Model and samples; without the random effects that vanished.
    polished : Polished
        Estimate, likelihood by fresh draws, covariance or why there is none.
    starts : tuple of Start
        Every search; the best is the first.
    notes : tuple of str
        What is to be known before anything is believed.
    seed : int
    posterior : Posterior, optional
        Draws of the population, on request: limits are then those of the draws.
    """

    problem: Problem
    polished: Polished
    starts: tuple[Start, ...]
    notes: tuple[str, ...]
    seed: int
    posterior: Posterior | None = None

    @property
    def estimate(self) -> Estimate:
        """The population."""
        return self.polished.estimate

    @property
    def enough(self) -> bool:
        """Whether enough draws of every subject count for a likelihood."""
        return bool(self.polished.likelihood.sizes.min() >= LEAST_SIZE)

    @property
    def minus_two_log(self) -> float | None:
        """-2 log likelihood; None where too few draws count."""
        return -2.0 * self.polished.likelihood.log if self.enough else None

    @property
    def method(self) -> str:
        """How estimates and limits came about, in words."""
        return f"SAEM, likelihood by importance sampling, {'Wald limits' if self.posterior is None else 'limits of the posterior by NUTS'}"

    @property
    def size(self) -> int:
        """Number of parameters."""
        q, d = len(self.problem.held), len(self.problem.model.random)
        covariances = d * (d + 1) // 2 if self.problem.model.full else d
        return len(self.problem.names) + q + covariances + 1 + int(self.problem.classes)

    def shrinkage(self) -> dict[str, float]:
        """Return, of each random effect, the share of its variance that is missing among the subjects' conditional means (expanders)."""
        found = self.polished.likelihood
        eta = found.mean - self.problem.design @ self.estimate.coefficients
        weights = found.expander
        centre = weights @ eta / weights.sum()
        variance = weights @ (eta - centre) ** 2 / weights.sum()
        return dict(zip(self.problem.model.random, (1.0 - variance / np.diag(self.estimate.omega)).tolist(), strict=True))

    def natural(self, name: str, value: float) -> float:
        """Return a parameter from the scale on which it varies."""
        if not self.problem.model.logarithms:
            return value
        low, high = self.problem.model.bounds.get(name, (0.0, 0.0))
        if high > 0:
            return float(low + (high - low) / (1.0 + np.exp(-value)))
        # a share of the peak is at most all of it, as the curve has it
        return float(np.exp(min(value, 0.0) if name == "fb" else value))

    def _limits(self, conf_level: float) -> tuple[Floats, Floats, Floats] | None:
        """Return standard errors, lower and upper limits of the parameters of `pack`, or None where there are none."""
        if self.posterior is not None:
            return None if self.posterior.why else limits_of(self.posterior, self.problem, conf_level)
        if self.polished.covariance is None:
            return None
        z = float(norm.ppf(0.5 + conf_level / 2))
        at, slopes = shown(self.problem, pack(self.problem, self.estimate))
        errors = np.sqrt(np.diag(slopes @ self.polished.covariance @ slopes.T))
        return errors, at - z * errors, at + z * errors

    def parameters(self, conf_level: float = 0.95) -> pl.DataFrame:
        """Return the parameters of the population, one a row.

        Returns
        -------
        polars.DataFrame
            kind (`typical`; `ratio` of a covariate, of the logit where the parameter has limits; `spread`, the standard deviation of the
            logarithm or logit; `residual`, of the logarithm; `share` of expanders), parameter, covariate, estimate, se (of the logarithm,
            or logit), lower, upper (Wald; of a posterior its equal tails, and se its standard deviation), cv (% of a spread:
            100 sqrt(exp(s^2) - 1)), shrinkage (a share).
        """
        problem, estimate = self.problem, self.estimate
        ends, values = self._limits(conf_level), shown(problem, pack(problem, estimate))[0]
        shrunk = self.shrinkage()
        rows: list[dict[str, object]] = []

        def add(kind: str, name: str, covariate: str, at: int, to: Callable[[float], float]) -> None:
            value = float(values[at])
            row: dict[str, object] = dict.fromkeys(("se", "lower", "upper", "cv", "shrinkage"))
            row |= {"kind": kind, "parameter": name, "covariate": covariate, "estimate": to(value)}
            # a share at its edge has no logit to go by
            edge = kind == "share" and self.posterior is None and abs(value) > _EDGE_LOGIT
            if ends is not None and not edge:
                row |= {"se": float(ends[0][at]), "lower": to(float(ends[1][at])), "upper": to(float(ends[2][at]))}
            if kind == "spread":
                plain = name not in problem.model.bounds and problem.model.logarithms
                row["cv"] = float(100.0 * np.sqrt(np.expm1(min(np.exp(2.0 * value), 700.0)))) if plain else None
                row["shrinkage"] = shrunk[name]
            rows.append(row)

        def back(name: str) -> Callable[[float], float]:
            return lambda value: self.natural(name, value)

        p, q, d = len(problem.names), len(problem.held), len(problem.model.random)
        for j, (name, column) in enumerate(problem.names):
            add("ratio" if column else "typical", name, column, j, _exp if column else back(name))
        for j, name in enumerate(problem.held):
            add("typical", name, "", p + j, back(name))
        for j, name in enumerate(problem.model.random):
            add("spread", name, "", p + q + j, _exp)
        last = self.size - 1 - int(problem.classes)
        add("residual", "", "", last, _exp)
        if problem.classes:
            add("share", "expander", "", last + 1, lambda value: float(1.0 / (1.0 + np.exp(-value))))
        assert p + q + d <= last
        order = {"typical": 0, "ratio": 1, "spread": 2, "residual": 3, "share": 4}
        schema = dict.fromkeys(("kind", "parameter", "covariate"), pl.String()) | dict.fromkeys(
            ("estimate", "se", "lower", "upper", "cv", "shrinkage"), pl.Float64()
        )
        return pl.DataFrame(sorted(rows, key=lambda row: order[str(row["kind"])]), schema=schema)


def _exp(value: float) -> float:
    return float(np.exp(value))


def fit_population(
    model: PopulationModel,
    samples: SampleSet,
    *,
    seed: int = 1,
    starts: int = 3,
    plan: Plan | None = None,
    start: Mapping[str, float] | None = None,
    size: int = 512,
    keep: Sequence[str] = (),
) -> PopulationFit:
    """Fit a population.

    Parameters
    ----------
    model : PopulationModel
    samples : SampleSet
    seed : int
        Equal seeds give equal numbers, whatever the order of the rows.
    starts : int
        Searches, from values that differ; the one with the highest likelihood is kept.
    plan : Plan, optional
        How long each searches.
    start : mapping of str to float, optional
        Typical values to start from; otherwise from the samples.
    size : int
        Points of each of the eight replicates that the likelihood is integrated by, a power of two.
    keep : sequence of str
        Parameters whose random effect is not dropped, however small: of two fits that are compared both must have the same.

    Raises
    ------
    InputError
        If no model can be fitted: nothing measured, one subject, one sample a subject, or a fold that nothing shows.

    Examples
    --------
    >>> from cartrial import InputError
    >>> from cartrial.kinetics import PopulationModel, fit_population, read_set
    >>> samples = read_set(["A", "A", "B", "B"], [7, 14, 7, 14], [3.9, 3.9, 3.9, 3.9], [-1, -1, -1, -1])
    >>> try:
    ...     fit_population(PopulationModel("rate"), samples)
    ... except InputError as error:
    ...     print(error)
    no sample is quantifiable, so there is no curve. Leave the model of the study file out.
    """
    require_samples(model, samples)
    notes: list[str] = []
    while True:
        problem = Problem.of(model, samples)
        searches, best = _searches(problem, (seed, starts, size), plan or Plan(), start)
        # an effect may vanish in the search, or only when its last steps are taken
        why, dropped = _NOT_VARYING, _vanished(problem, best.estimate, keep)
        if dropped is None:
            require_errors(problem, best.estimate)
            end = polish(problem, best, seed, size=size)
            dropped = _vanished(problem, end.estimate, keep)
        if dropped is None:
            found = PopulationFit(problem, end, searches, (), seed)
            require_fit(found)
            why, dropped = _NOT_SEEN, _unseen(found, keep) if end.covariance is None else None
        if dropped is None:
            break
        notes.append(f"{dropped} {why}: its random effect was dropped, it is the same for all")
        model = model.without(dropped)
    return replace(found, notes=(*notes, *_notes(found)))


def _searches(
    problem: Problem, numbers: tuple[int, int, int], plan: Plan, given: Mapping[str, float] | None
) -> tuple[tuple[Start, ...], Assessed]:
    """Search from several starts; return them, the best first, and what was drawn and assessed where the best ended."""
    seed, starts, size = numbers
    found: list[Start] = []
    best: Assessed | None = None
    for number in range(starts):
        estimate, trace = run_saem(problem, start_of(problem, seed, number, given), plan, 1000003 * number + seed)
        end = assess(problem, estimate, seed, size=size)
        found.append(Start(-2.0 * end.likelihood.log, 2.0 * end.likelihood.error, estimate, trace))
        if best is None or end.likelihood.log > best.likelihood.log:
            best = end
    assert best is not None, "one search or more"
    return tuple(sorted(found, key=lambda one: one.minus_two_log)), best


def _vanished(problem: Problem, found: Estimate, keep: Sequence[str]) -> str | None:
    """Return the random effect that has vanished most; none where a covariate stands on it, or it is the last."""
    if len(problem.model.random) < 2:
        return None
    spread = np.sqrt(np.diag(found.omega))
    scale = np.abs(found.coefficients[: len(spread)]) if not problem.model.logarithms else np.ones(len(spread))
    shifted = {one.on for one in problem.model.covariates} | set(keep)
    order = np.argsort(spread / scale)
    for j in order:
        if problem.model.random[j] not in shifted and spread[j] / scale[j] < _NO_SPREAD:
            return str(problem.model.random[j])
    return None


def _unseen(found: PopulationFit, keep: Sequence[str]) -> str | None:
    """Return the random effect of which the samples say next to nothing, where its spread leaves the likelihood without a top."""
    model = found.problem.model
    shifted = {one.on for one in model.covariates} | set(keep)
    shrunk = {name: share for name, share in found.shrinkage().items() if name not in shifted}
    worst = max(shrunk, key=lambda name: shrunk[name], default=None)
    if worst is None or len(model.random) < 2 or shrunk[worst] <= _ALL_SHRUNK:
        return None
    return worst


def _notes(found: PopulationFit) -> list[str]:
    """Return what is not to be believed."""
    notes = []
    end, best = found.polished, found.starts[0]
    if not found.enough:
        worst = int(np.argmin(end.likelihood.sizes))
        name = found.problem.samples.subjects[worst]
        notes.append(f"no likelihood: {end.likelihood.sizes[worst]:.0f} effective draws of subject {name}, {LEAST_SIZE:.0f} are wanted")
    if end.why:
        notes.append(f"no standard errors: {end.why}")
    expanded = int(np.sum(~found.problem.samples.never))
    if expanded <= found.size and found.posterior is None and end.covariance is not None:
        few = f"{found.size} parameters of {expanded} subjects with a quantifiable sample"
        notes.append(f"{few}: Wald limits are for many subjects, these are too narrow")
    if not end.settled:
        notes.append("the last steps did not end: the likelihood is nearly flat about the estimates")
    apart = [one.minus_two_log - best.minus_two_log for one in found.starts[1:]]
    beyond = [d for d, one in zip(apart, found.starts[1:], strict=True) if d > _DISAGREE + 2.0 * (one.monte_carlo + best.monte_carlo)]
    if beyond:
        notes.append(f"starts disagree: {len(beyond)} of {len(apart) + 1} ended up to {max(beyond):.1f} higher in -2 log likelihood")
    for row in found.parameters().filter((pl.col("kind") == "typical") & pl.col("lower").is_not_null()).iter_rows(named=True):
        low, high = found.problem.model.bounds.get(row["parameter"], (0.0, 0.0))
        if high > 0 and row["upper"] - row["lower"] > _WHOLE * (high - low):
            notes.append(f"{row['parameter']}: the samples say next to nothing of it within its bounds")
    for name, shrunk in found.shrinkage().items():
        spread = float(np.sqrt(found.estimate.omega[found.problem.model.random.index(name)][found.problem.model.random.index(name)]))
        if shrunk > _ALL_SHRUNK and spread < _SMALL_SPREAD:
            notes.append(f"{name}: the samples say next to nothing of how it varies ({100 * shrunk:.0f} % shrinkage)")
    return notes
