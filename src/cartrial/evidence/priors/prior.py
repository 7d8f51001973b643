"""Which prior do published rates make of a new trial's? Of like estimands alone, with the patients that it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cartrial.evidence.pooling.pool import Pooled, like_counts
from cartrial.evidence.registry.read import Evidence
from cartrial.shown import Shown

if TYPE_CHECKING:
    from cartrial.analysis.estimators.priors.meta_analytic import PredictivePrior
    from cartrial.analysis.estimators.priors.mixture import BetaMixture

__all__ = ["HistoryPrior", "derive_prior", "prior_lines"]


@dataclass(frozen=True)
class HistoryPrior(Shown):
    """A prior of a rate made of published ones.

    Parameters
    ----------
    results : tuple of Pooled
    assumed : tuple of str
        The assumptions on which it rests.
    exact : PredictivePrior
        Meta-analytic-predictive, by quadrature.
    mixture : BetaMixture
        Nearest to it, made robust.
    divergence : float
        Of the mixture from it, before it was made robust.
    robust : float
        Weight of the uniform component.
    sizes : dict of str to float
        Patients that the mixture is worth, by elir and by moments.
    notes : tuple of str
    """

    results: tuple[Pooled, ...]
    assumed: tuple[str, ...]
    exact: PredictivePrior
    mixture: BetaMixture
    divergence: float
    robust: float
    sizes: dict[str, float]
    notes: tuple[str, ...]

    def block(self) -> str:
        """Return the mixture as YAML, for whoever writes the design down."""
        lines = [
            "prior:",
            f"  results: [{', '.join(one.result for one in self.results)}]",
            f'  source: "meta-analytic-predictive: {", ".join(f"{one.count}/{one.of} {one.result}" for one in self.results)}"',
        ]
        if self.assumed:
            lines.append(f"  assumed: [{', '.join(self.assumed)}]")
        lines.append(f"  robust: {self.robust:g}")
        for name, values in (("weights", self.mixture.weights), ("a", self.mixture.a), ("b", self.mixture.b)):
            lines.append(f"  {name}: [{', '.join(f'{value:.6g}' for value in values)}]")
        return "\n".join(lines) + "\n"


def derive_prior(
    evidence: Evidence,
    results: Sequence[str],
    *,
    assume: Mapping[str, str] | None = None,
    robust: float = 0.2,
    mean_sd: float = 2.0,
    spread_scale: float = 1.0,
) -> HistoryPrior:
    """Derive the prior of a new trial's rate from published rates that estimate the same.

    Parameters
    ----------
    evidence : Evidence
    results : sequence of str
        Ids of one or more results.
    assume : mapping of str to str, optional
        As in `compare_results`.
    robust : float
        Weight of a uniform component, for a trial that is unlike its history.
    mean_sd, spread_scale : float
        Priors of the mean log odds (normal around 0) and of their standard deviation between trials (half-normal).

    Returns
    -------
    HistoryPrior

    Raises
    ------
    InputError
        With every reason against putting the results together, as `pool_results` has them; for a scale not above 0, or a weight that is
        no share.

    Examples
    --------
    One trial is worth little, since nobody knows how much trials differ.

    >>> from cartrial.evidence import derive_prior, load_evidence
    >>> prior = derive_prior(load_evidence(), ["mskcc-cr"], robust=0)
    >>> prior.sizes["moment"] < 6
    True
    """
    from cartrial.analysis.estimators.priors.fit import fit_mixture
    from cartrial.analysis.estimators.priors.meta_analytic import estimate_map
    from cartrial.analysis.estimators.priors.size import effective_size

    held, assumed, notes = like_counts(evidence, results, assume)
    x, n = np.array([one.count for one in held]), np.array([one.of for one in held])
    exact = estimate_map(x, n, mean_sd=mean_sd, spread_scale=spread_scale)
    fit = fit_mixture(exact)
    mixture = fit.mixture.robust(robust)
    sizes = {"elir": effective_size(mixture), "moment": effective_size(mixture, "moment")}
    return HistoryPrior(held, assumed, exact, mixture, fit.divergence, robust, sizes, (*exact.notes, *notes))


def prior_lines(prior: HistoryPrior) -> Iterator[str]:
    """Yield what history was put together and what it says, a line each.

    Examples
    --------
    >>> from cartrial.evidence import derive_prior, load_evidence
    >>> next(prior_lines(derive_prior(load_evidence(), ["mskcc-cr"])))
    'mskcc-cr of mskcc: 44/53 (only count of 53 that prints 83)'
    """
    for one in prior.results:
        rule = f" ({one.rule})" if one.rule else ""
        yield f"{one.result} of {one.trial}: {one.count}/{one.of}{rule}"
    exact = prior.exact
    low, middle, high = (100 * exact.quantile(q) for q in (0.025, 0.5, 0.975))
    yield f"rate of a new trial: mean {100 * exact.mean:.1f} %, median {middle:.1f} %, 95 % {low:.1f} to {high:.1f} %"
    spread = f"{exact.spread_mean:.3f} ({exact.spread_low:.3f} to {exact.spread_high:.3f})"
    yield f"standard deviation between trials, log odds: {spread}"
    parts = zip(prior.mixture.weights, prior.mixture.a, prior.mixture.b, strict=True)
    yield "mixture: " + " + ".join(f"{w:.3f} Beta({a:.2f}, {b:.2f})" for w, a, b in parts)
    worth = ", ".join(f"{size:.1f} ({name})" for name, size in prior.sizes.items())
    yield f"patients that it is worth, with {prior.robust:g} of it uniform: {worth}"
    if prior.assumed:
        yield f"Assumed: {', '.join(prior.assumed)}."
    for note in prior.notes:
        yield f"Note: {note}."
