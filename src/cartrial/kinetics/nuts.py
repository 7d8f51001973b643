"""How is a population drawn together with all its subjects? NUTS, on request and as an oracle of the fit.

Hoffman and Gelman 2014 (arXiv:1111.4246), by NumPyro. The likelihood is that of the fit; the population is a vector as of `pack`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.kinetics.curves_kernel import Floats
from cartrial.kinetics.estimation.likelihood import pack
from cartrial.kinetics.fit import PopulationFit
from cartrial.kinetics.model import Problem
from cartrial.kinetics.posterior import SPREAD, WIDE, Posterior, Sampler

__all__ = ["draw_posterior"]


def draw_posterior(fit: PopulationFit, *, seed: int | None = None, sampler: Sampler | None = None) -> Posterior:
    """Draw the population of a fit, from where the fit ended.

    Parameters
    ----------
    fit : PopulationFit
        Its model, samples and dropped effects are kept.
    seed : int, optional
        Otherwise that of the fit. Equal seeds give equal draws on one machine with one version of JAX.
    sampler : Sampler, optional

    Returns
    -------
    Posterior

    Raises
    ------
    InputError
        If NumPyro (extra `bayes`) is not installed.

    Examples
    --------
    >>> from cartrial.kinetics.posterior import PRIORS
    >>> "half-normal" in PRIORS
    True
    """
    require("numpyro", extra="bayes")
    jax = require("jax", extra="bayes")
    chosen, start = sampler or Sampler(), fit.seed if seed is None else seed
    with jax.enable_x64(True):
        return _drawn(fit, start, chosen)


def _drawn(fit: PopulationFit, seed: int, sampler: Sampler) -> Posterior:
    """Run the chains."""
    import jax
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
    from numpyro.infer import MCMC, NUTS

    problem = fit.problem
    begin = pack(problem, fit.estimate)
    # of a subject whose samples say much of a parameter its own value is drawn, of others how far it is from the population
    known = 1.0 - np.clip(fit.polished.likelihood.spread / np.sqrt(np.diag(fit.estimate.omega)), 0.0, 1.0) ** 2
    centre = problem.design @ fit.estimate.coefficients
    own = known * centre + (fit.polished.likelihood.mean - centre) / np.sqrt(np.diag(fit.estimate.omega)) ** (1.0 - known)
    start = {"population": jax.numpy.asarray(begin), "own": jax.numpy.asarray(own)}
    potential = _potential(problem, known, sampler.gate)
    kernel = NUTS(potential_fn=potential, dense_mass=[("population",)], target_accept_prob=0.85)
    lengths = {"num_warmup": sampler.learn, "num_samples": sampler.draws, "num_chains": sampler.chains}
    run = MCMC(kernel, **lengths, chain_method="sequential", progress_bar=False)
    many = {name: jax.numpy.repeat(value[None], sampler.chains, axis=0) for name, value in start.items()} if sampler.chains > 1 else start
    run.run(jax.random.PRNGKey(seed), init_params=many, extra_fields=("diverging",))
    found = np.asarray(run.get_samples(group_by_chain=True)["population"], np.float64)
    ratios = split_gelman_rubin(found)
    divergent = int(np.asarray(run.get_extra_fields()["diverging"]).sum())
    return Posterior(found.reshape(-1, found.shape[-1]), effective_sample_size(found), ratios, divergent, sampler, seed)


def _potential(problem: Problem, known: Floats, gate: float) -> Callable[[dict[str, Any]], Any]:
    """Return minus the logarithm of the density of the population and the subjects' own values."""
    import jax.numpy as jnp
    from jax import ops
    from jax.scipy.special import log_ndtr

    rows, model = problem.samples.rows, problem.model
    subjects, p, q, d = len(problem.samples.subjects), len(problem.names), len(problem.held), len(model.random)
    index = np.repeat(np.arange(subjects), np.diff(rows.first))
    places = [model.parameters.index(name) for name in model.random]
    held = [model.parameters.index(name) for name in problem.held]
    never = np.asarray(problem.samples.never)
    below = np.tril_indices(d, -1)
    curve = smooth_height(model.curve, gate)

    def population(theta: Any) -> tuple[Any, Any, Any]:
        """Return the root of the covariance, the spreads, and the logarithm of the prior of both as `pack` has them."""
        logs = theta[p + q : p + q + d]
        if not model.full:
            spread = jnp.exp(logs)
            return jnp.diag(spread), spread, jnp.sum(logs - 0.5 * (spread / SPREAD) ** 2)
        root = jnp.diag(jnp.exp(logs)).at[below].set(theta[p + q + d : p + q + d + len(below[0])])
        spread = jnp.sqrt(jnp.sum(root**2, axis=1))
        # from the root to spreads and correlations, of which the uniform distribution is meant
        turned = jnp.sum((d - jnp.arange(d) + 1.0) * logs) - d * jnp.sum(jnp.log(spread))
        return root, spread, turned - 0.5 * jnp.sum((spread / SPREAD) ** 2)

    def potential(at: dict[str, Any]) -> Any:
        theta, z = at["population"], at["own"]
        root, spread, found = population(theta)
        found -= 0.5 * jnp.sum((theta[: p + q] / WIDE) ** 2)
        last = p + q + d + (len(below[0]) if model.full else 0)
        error = jnp.exp(theta[last])
        found += theta[last] - 0.5 * (error / SPREAD) ** 2
        mean = problem.design @ theta[:p]
        phi = mean + spread ** (1.0 - known) * (z - known * mean)
        whitened = jnp.linalg.solve(root, (phi - mean).T)
        found += jnp.sum((1.0 - known) * jnp.log(spread)) - 0.5 * jnp.sum(whitened**2) - subjects * jnp.sum(jnp.log(jnp.diag(root)))
        columns: list[Any] = [jnp.zeros(subjects)] * len(model.parameters)
        for a, place in enumerate(places):
            columns[place] = phi[:, a]
        for b, place in enumerate(held):
            columns[place] = jnp.full(subjects, theta[p + b])
        for place, name in enumerate(model.parameters):
            low, high = model.bounds.get(name, (0.0, 0.0))
            if high > 0:
                columns[place] = jnp.log(low + (high - low) / (1.0 + jnp.exp(-columns[place])))
        residual = (rows.value - curve(columns, rows.time, index)) / error
        each = jnp.where(rows.side == 0, -0.5 * residual**2 - jnp.log(error) - 0.5 * np.log(2 * np.pi), log_ndtr(-rows.side * residual))
        like = ops.segment_sum(each, index, subjects)
        if problem.classes:
            share = theta[last + 1]
            yes, no = -jnp.logaddexp(0.0, -share), -jnp.logaddexp(0.0, share)
            found += yes + no
            like = jnp.where(never, jnp.logaddexp(yes + like, no), yes + like)
        return -(found + jnp.sum(like))

    return potential


def smooth_height(curve: str, gate: float) -> Callable[[list[Any], Any, Any], Any]:
    """Return a curve of cells whose slope has no jump: the logarithm at each day, of the parameters' logarithms by subject.

    At the peak growth passes into contraction over about `gate` days. There it lies below the curve of the fit by 0.7 `gate` times the sum
    of both slopes, and by ever less beside it.
    """
    import jax.numpy as jnp

    if curve not in ("stein", "mono", "rate", "lag"):
        raise InputError(f"there are no draws of the curve '{curve}'", key="curve", right="Name stein, mono, rate or lag")

    def past(since: Any) -> Any:
        """Return a time where it is above 0, otherwise 0, without a corner."""
        return gate * jnp.logaddexp(0.0, since / gate)

    def height(logs: list[Any], time: Any, index: Any) -> Any:
        peak = jnp.exp(logs[1])
        rise = logs[0] / peak if curve in ("stein", "mono") else jnp.exp(logs[0])
        since = time - peak[index]
        before, after = -past(-since), past(since)
        if curve == "lag":
            # nothing grows before the lag, which is no later than the peak
            late = (peak - jnp.minimum(jnp.exp(logs[4]), peak))[index]
            before = -late + past(before + late)
        grown = logs[2][index] + rise[index] * before
        fast = -jnp.exp(logs[3])[index] * after
        if curve != "stein":
            return grown + fast
        share = jnp.minimum(logs[4], -1e-12)
        slow = share[index] - jnp.exp(logs[5])[index] * after
        return grown + jnp.logaddexp(jnp.log1p(-jnp.exp(share))[index] + fast, slow)

    return height
