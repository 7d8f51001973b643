"""What would the samples of simulated subjects have been? Curve and error at the days on which real ones were taken."""

from __future__ import annotations

from cartrial.kernels import kernel
from cartrial.kinetics.curves_kernel import Floats, height
from cartrial.kinetics.estimation.explore_kernel import placed
from cartrial.kinetics.samples_kernel import Formula, Sampled, bent

__all__ = ["fill_samples"]


@kernel
def fill_samples(samples: Sampled, formula: Formula, phi: Floats, error: float, full: Floats, out: Floats) -> None:
    """Fill the samples of each trial; `phi` is of shape (subjects, trials, parameters that vary), `out` (trials, samples) holds normals.

    `full` is room for the six parameters.
    """
    for i in range(len(samples.first) - 1):
        for t in range(phi.shape[1]):
            placed(formula, phi[i, t], full)
            shape = bent(formula, full)
            for r in range(samples.first[i], samples.first[i + 1]):
                out[t, r] = height(formula.curve, shape, samples.time[r], samples.amount[i]) + error * out[t, r]
