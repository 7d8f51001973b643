"""How sure is each parameter of a population, by draws of it? The draws, what was taken to be known before, and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.likelihood import shown, unpack
from cartrial.kinetics.estimation.saem import Estimate
from cartrial.kinetics.model import Problem

__all__ = ["LEAST_DRAWS", "LONGEST_RATIO", "PRIORS", "SPREAD", "WIDE", "Posterior", "Sampler", "limits_of"]

PRIORS = (
    "normal, mean 0 and standard deviation 10, of the logarithms (logits within bounds) and of their shifts by covariates; half-normal, "
    "scale 5, of spreads and residual; uniform of correlations and of the share of expanders"
)
"""What is taken to be known before the samples, in words."""
WIDE, SPREAD = 10.0, 5.0
"""The standard deviations of these words."""
LEAST_DRAWS = 200.0
"""Effective draws that every parameter of the population needs before limits are shown."""
LONGEST_RATIO = 1.05
"""R-hat of every parameter of the population stays below it, or no limits are shown."""


class Sampler(NamedTuple):
    """How long is drawn: steps that learn, draws that are kept, chains, and the width of the gate at the peak (days)."""

    learn: int = 500
    draws: int = 1000
    chains: int = 2
    gate: float = 0.05


@dataclass(frozen=True)
class Posterior:
    """Draws of a population.

    Attributes
    ----------
    vectors : ndarray, shape (draws, parameters)
        As of `cartrial.kinetics.estimation.likelihood.pack`, chain after chain.
    sizes, ratios : ndarray, shape (parameters,)
        Effective number of draws, and R-hat of the chains.
    divergent : int
        Steps that left the path.
    sampler : Sampler
    seed : int
    """

    vectors: Floats
    sizes: Floats
    ratios: Floats
    divergent: int
    sampler: Sampler
    seed: int

    @property
    def why(self) -> str:
        """Why no limits are shown; blank where they are."""
        if not self.sizes.min() >= LEAST_DRAWS:
            return f"only {self.sizes.min():.0f} effective draws of a parameter, {LEAST_DRAWS:.0f} are wanted"
        if not self.ratios.max() < LONGEST_RATIO:
            return f"the chains disagree: R-hat {self.ratios.max():.2f}, below {LONGEST_RATIO} is wanted"
        if self.divergent > 0.01 * len(self.vectors):
            return f"{self.divergent} of {len(self.vectors)} draws left the path"
        return ""

    def mean(self, problem: Problem) -> Estimate:
        """Return the population at the mean of the draws."""
        return unpack(problem, self.vectors.mean(axis=0))

    @property
    def words(self) -> str:
        """How it was drawn, in words."""
        told = f"NUTS, {self.sampler.chains} chains of {self.sampler.draws} draws after {self.sampler.learn}"
        return f"{told}, least effective number {self.sizes.min():.0f}, largest R-hat {self.ratios.max():.3f}, {self.divergent} divergent"


def limits_of(found: Posterior, problem: Problem, conf_level: float) -> tuple[Floats, Floats, Floats]:
    """Return standard deviation and equal tails of each parameter, as `cartrial.kinetics.estimation.likelihood.shown` has them."""
    vectors = np.array([shown(problem, one)[0] for one in found.vectors]) if problem.model.full else found.vectors
    tail = 0.5 - conf_level / 2
    low, high = np.quantile(vectors, (tail, 1.0 - tail), axis=0)
    return vectors.std(axis=0, ddof=1), low, high
