"""What does a study gain and risk that borrows from published trials? Its prior, and its errors beside those of a uniform one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from cartrial.analysis.estimators.priors.mixture import BetaMixture
from cartrial.analysis.estimators.priors.size import effective_size
from cartrial.design.bayes.borrowed import Borrowed, operate_borrowed
from cartrial.design.exact.binomial import SLACK
from cartrial.design.exact.staged import Operating, Staged, operate
from cartrial.errors import InputError

if TYPE_CHECKING:
    from cartrial.evidence import HistoryPrior
    from cartrial.study import Endpoint, Study

__all__ = ["LOWER", "SOURCE", "Cost", "History", "Lent", "Monitored", "cost_of", "design_history", "find_history", "read_history"]

# assumption: a trial stops for futility where the rate is above the null with no more than this probability
LOWER = 0.05
Made = TypeVar("Made")
# a mixture written down with six digits is nearer than this to the one that its results lead to
_FAR = 0.002
SOURCE = "Schmidli H et al. Biometrics 2014;70:1023-1032, doi:10.1111/biom.12242"


@dataclass(frozen=True)
class Cost:
    """What a single look costs with one prior.

    Parameters
    ----------
    id, name : str
    prior : BetaMixture
    sizes : dict of str to float
        Patients that it is worth, by elir (where that has a meaning) and by moments.
    single : Borrowed
        Fewest responders of a success, and at null and target its probability, bias and cover.
    """

    id: str
    name: str
    prior: BetaMixture
    sizes: dict[str, float]
    single: Borrowed


@dataclass(frozen=True)
class Monitored:
    """Looks that are judged by a posterior probability.

    Parameters
    ----------
    id, name : str
    staged : Staged
    upper : float
        A success: the rate is above the null with more than this probability.
    at_null, at_target : Operating
        Exact.
    """

    id: str
    name: str
    staged: Staged
    upper: float
    at_null: Operating
    at_target: Operating


@dataclass(frozen=True)
class History:
    """A prior of published results in a study's design.

    Parameters
    ----------
    made : HistoryPrior
    assumed : tuple of str
        Every assumption on which it rests, against the study's endpoint too.
    costs : tuple of Cost
        A uniform prior, the history made robust, and the history as it is.
    monitored : tuple of Monitored
        The same looks with a uniform prior, with the history, and with the history and a cut-off that keeps the type I error; what cannot
        succeed even if all respond is left out.
    """

    made: HistoryPrior
    assumed: tuple[str, ...]
    costs: tuple[Cost, ...]
    monitored: tuple[Monitored, ...]


@dataclass(frozen=True)
class Lent:
    """Published results that may be put beside a study's endpoint, as a prior.

    Parameters
    ----------
    made : HistoryPrior
    assumed : tuple of str
        Every assumption on which it rests, against the study's endpoint too.
    priors : tuple of (id, name, BetaMixture)
        A uniform one, the history made robust, and the history as it is.
    """

    made: HistoryPrior
    assumed: tuple[str, ...]
    priors: tuple[tuple[str, str, BetaMixture], ...]


def read_history(study: Study, endpoint: Endpoint) -> Lent | None:
    """Return the prior that a study's published results make; None where its prior is not made of results.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
        The tested response rate.

    Raises
    ------
    InputError
        With every reason why a result may not be put beside the endpoint or beside another result, and where the mixture of the study file
        is not that of its results.
    """
    from cartrial.evidence import compare_endpoint, derive_prior, load_evidence, read_assumptions

    stated = study.design.prior if study.design else None
    if stated is None or not stated.results:
        return None
    evidence, assume = load_evidence(), _of_study(lambda: read_assumptions(stated.assumed))
    faults: list[InputError] = []
    compared = []
    for name in stated.results:
        trial, result = _of_study(partial(evidence.find, name))
        if study.study.registry and evidence.trials[trial].trial.registry == study.study.registry:
            faults.append(InputError(f"{name} is of this very trial", key="design.prior", right="Name results of other trials"))
        found = compare_endpoint(study, endpoint, result, assume=assume)
        compared.append(found)
        faults += [
            InputError(said, key="design.prior", right="Assume by name what is not stated, or leave it out") for said in found.reasons()
        ]
        faults += [InputError(f"{name} is {note}", key="design.prior", right="Name a result of all") for note in found.notes]
    if faults:
        raise InputError.together(faults)
    made = _of_study(lambda: derive_prior(evidence, stated.results, assume=assume, robust=stated.robust, spread_scale=stated.spread))
    mixture = made.mixture
    if stated.weights:
        mixture = BetaMixture(_summing(stated.weights), stated.a, stated.b)
        _agree(mixture, made.mixture)
    assumed = tuple(dict.fromkeys((*(text for one in compared for text in one.assumed), *made.assumed)))
    priors = [("uniform", "Uniform, Beta(1, 1)", BetaMixture((1.0,), (1.0,), (1.0,)))]
    share = f"{100 * stated.robust:g} % of it uniform"
    priors.append(("history", f"Published trials, {share}" if stated.robust else "Published trials", mixture))
    if 0 < stated.robust < 1:
        alone = derive_prior(evidence, stated.results, assume=assume, robust=0.0, spread_scale=stated.spread)
        priors.append(("history-alone", "Published trials alone", alone.mixture))
    return Lent(made, assumed, tuple(priors))


def find_history(lent: Lent, n: Sequence[int], p0: float, p1: float, alpha: float) -> History:
    """Return what a prior costs.

    Parameters
    ----------
    lent : Lent
    n : sequence of int
        Subjects at each look.
    p0, p1, alpha : float
        Null, target and one-sided type I error; a success needs a probability of more than 1 - alpha.
    """
    costs = tuple(cost_of(key, name, prior, n[-1], p0, p1, alpha) for key, name, prior in lent.priors)
    mixture = next(prior for key, _, prior in lent.priors if key == "history")
    return History(lent.made, lent.assumed, costs, _monitored(mixture, n, p0, p1, alpha))


def cost_of(key: str, name: str, prior: BetaMixture, n: int, p0: float, p1: float, alpha: float) -> Cost:
    """Return what a prior costs in a single look at n subjects.

    Examples
    --------
    48 subjects against 65 %: 38 responses with a uniform prior, an error of 2.5 %.

    >>> from cartrial.analysis import BetaMixture
    >>> from cartrial.design.bayes.history import cost_of
    >>> found = cost_of("uniform", "Uniform", BetaMixture((1.0,), (1,), (1,)), 48, 0.65, 0.8, 0.025)
    >>> found.single.smallest, round(found.single.table["success"][0], 4), round(found.sizes["moment"], 6)
    (38, 0.0249, 2.0)
    """
    sizes = {"moment": effective_size(prior, "moment")}
    # a uniform prior has no information, and one that is infinite at an end no mean of it
    if min(*prior.a, *prior.b) >= 1 < max(*prior.a, *prior.b):
        sizes = {"elir": effective_size(prior), **sizes}
    return Cost(key, name, prior, sizes, operate_borrowed(prior, n=n, null=p0, rates=[p0, p1], certainty=1 - alpha))


def design_history(prior: BetaMixture, n: Sequence[int], p0: float, p1: float, upper: float, *, lower: float = LOWER) -> Staged:
    """Return looks that stop by the posterior probability that the rate is above the null.

    Parameters
    ----------
    prior : BetaMixture
    n : sequence of int
        Cumulative subjects at each look.
    p0, p1 : float
        Null and target; the target is not used but in the figures of the design.
    upper, lower : float
        A success where the probability is above the one, no further where it is at most the other.

    Raises
    ------
    InputError
        If not even all responders are a success at the last look.

    Examples
    --------
    With a uniform prior and 2 of 2 responders the rate is above one half with a probability of 7/8, with one of 2 of one half.

    >>> from cartrial.analysis import BetaMixture
    >>> from cartrial.design.bayes.history import design_history
    >>> design_history(BetaMixture((1.0,), (1,), (1,)), [2], 0.5, 0.7, 0.8).efficacy
    (2,)
    """
    low: list[int | None] = []
    high: list[int | None] = []
    for look, size in enumerate(n):
        above = _above(prior, size, p0)
        successes = np.flatnonzero(above > upper)
        least = max(int(successes[0]), 1) if successes.size else None
        if look == len(n) - 1:
            if least is None:
                what = f"not even {size} responders of {size} make the rate exceed {p0:g} with a probability above {upper:g}"
                raise InputError(what, key="design.prior", right="Allow more subjects or a lower cut-off")
            low.append(least - 1)
        else:
            most = int((above <= lower).sum()) - 1
            low.append(most if most >= 0 else None)
        high.append(least)
    method = f"Posterior probability that the rate is above {p0:g}: success above {upper:.6g}, futility at most {lower:g}."
    return Staged("Posterior probability", tuple(n), tuple(low), tuple(high), p0, p1, method, SOURCE)


@lru_cache(maxsize=64)
def _above(prior: BetaMixture, n: int, p0: float) -> np.ndarray:
    """Return for 0 to n responders the probability that the rate is above the null."""
    return np.array([1 - float(prior.posterior(x, n).below(np.array(p0))) for x in range(n + 1)])


def _monitored(prior: BetaMixture, n: Sequence[int], p0: float, p1: float, alpha: float) -> tuple[Monitored, ...]:
    uniform = BetaMixture((1.0,), (1.0,), (1.0,))

    def made(key: str, name: str, one: BetaMixture, upper: float) -> Monitored:
        staged = design_history(one, n, p0, p1, upper)
        return Monitored(key, name, staged, upper, operate(staged, p0), operate(staged, p1))

    found = []
    for key, name, one in (("uniform", "Uniform prior", uniform), ("history", "Published trials", prior)):
        if _above(one, n[-1], p0)[-1] > 1 - alpha:
            found.append(made(key, name, one, 1 - alpha))
    # boundaries change only where the cut-off passes a probability that some number of responders has
    last = _above(prior, n[-1], p0)
    values = np.unique(np.concatenate([[1 - alpha], *(_above(prior, size, p0) for size in n)]))
    values = values[(values >= 1 - alpha) & (values < last[-1])]
    place = bisect_left(
        values, True, key=lambda upper: bool(operate(design_history(prior, n, p0, p1, float(upper)), p0).success <= alpha + SLACK)
    )
    if place < len(values):
        found.append(made("history-kept", "Published trials, a cut-off that keeps the type I error", prior, float(values[place])))
    return tuple(found)


def _agree(stated: BetaMixture, derived: BetaMixture) -> None:
    """Refuse a mixture that was written down and is not that of its results."""
    pairs = (("mean", stated.mean, derived.mean), ("standard deviation", stated.sd, derived.sd))
    off = [f"{name} {mine:.4g} in place of {theirs:.4g}" for name, mine, theirs in pairs if abs(mine - theirs) > _FAR]
    if off:
        right = "Write down what cartrial evidence prior RESULT... --yaml prints, or leave weights, a and b out"
        raise InputError(f"the mixture is not that of its results: {', '.join(off)}", key="design.prior.weights", right=right)


def _summing(weights: Sequence[float]) -> tuple[float, ...]:
    """Return weights that sum to 1: they are written down with few decimals."""
    return tuple(weight / sum(weights) for weight in weights)


def _of_study(ask: Callable[[], Made]) -> Made:
    """Return what is asked; what is wrong with it stands in the study file."""
    try:
        return ask()
    except InputError as error:
        raise InputError.together([InputError(one.what, key="design.prior", right=one.right) for one in error.errors]) from None
