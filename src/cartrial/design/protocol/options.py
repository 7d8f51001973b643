"""Which designs of a response rate does a study allow, side by side?"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import comb, floor

import numpy as np

from cartrial.design.exact.staged import Operating, Staged, operate
from cartrial.design.protocol.inputs import Inputs
from cartrial.errors import InputError
from cartrial.study.own import Own, Stops

__all__ = ["LEE_LIU", "LOWER", "OWN", "Option", "find_options", "find_uppers", "most_powers", "own_option", "sizes_of"]

# a probability this far beyond its limit still meets it: far above rounding, far below a printed digit
SLACK = 1e-12
# assumptions: the cut-off below which Thall and Simon's trial stops, and the first look and the distance of Lee and Liu's
LOWER = 0.05
LEE_LIU = (10, 5)
# id of the study's own design, the first of the options where its file states one
OWN = "own"


@dataclass(frozen=True)
class Option:
    """A design of the response rate with its exact figures.

    Parameters
    ----------
    id : str
        Short name, unique among the options.
    family : str
        "the study's own", "single stage", "two stages", "more looks" or "Bayesian".
    staged : Staged
    at_null, at_target : Operating
        Exact, at the null and at the target.
    meets : bool
        Whether both errors are met.
    note : str
        What to know before choosing it.
    beyond_futility : float or None
        The type I error if the stops for futility are gone past; None where there is none before the last look, and of other designs than
        the study's own.
    parameters : tuple of (str, float)
        From which its boundaries can be found again, where few numbers do: cut-offs and prior.
    """

    id: str
    family: str
    staged: Staged
    at_null: Operating
    at_target: Operating
    meets: bool
    note: str = ""
    parameters: tuple[tuple[str, float], ...] = ()
    beyond_futility: float | None = None

    @property
    def n(self) -> int:
        """Most subjects."""
        return self.staged.n[-1]

    @property
    def cost(self) -> float:
        """Mean of the most subjects and of those expected under the null: what the recommendation makes small."""
        return (self.n + float(self.at_null.expected_n)) / 2


def find_options(inputs: Inputs) -> tuple[tuple[Option, ...], tuple[tuple[str, str], ...]]:
    """Return every design that is found, and what is not found with its reason.

    Parameters
    ----------
    inputs : Inputs

    Returns
    -------
    options : tuple of Option
        In the order in which a page shows them.
    absent : tuple of (name, reason)

    Raises
    ------
    InputError
        If no design meets both errors within the most subjects, and the study states none of its own; if its own cannot be.
    """
    found: list[Option] = [own_option(inputs, inputs.own)] if inputs.own is not None else []
    absent: list[tuple[str, str]] = []
    for name, family, make in _makers(inputs):
        try:
            for key, staged, note, *parameters in make():
                found.append(_option(inputs, key, family, staged, note, tuple(parameters)))
        except InputError as error:
            absent.append((name, error.what.rstrip(".") + "."))
    if inputs.own is None and not any(option.meets for option in found):
        raise InputError(
            f"no design with up to {inputs.n_max} subjects keeps a type I error of {inputs.alpha:g} with a power of {inputs.power:g} at "
            f"{inputs.p1:g} against {inputs.p0:g}",
            key="n_max",
            right="Allow more subjects, larger errors or a target further from the null",
        )
    return tuple(found), tuple(absent)


# id, design, note, and its parameters as further items
Found = Iterator[tuple[str, Staged, str, *tuple[tuple[str, float], ...]]]


def _makers(inputs: Inputs) -> Iterator[tuple[str, str, Callable[[], Found]]]:
    yield "Single stage", "single stage", lambda: _single(inputs, "first")
    yield "Single stage, every larger n too", "single stage", lambda: _single(inputs, "stable")
    yield "Simon's two stages", "two stages", lambda: _simon(inputs, efficacy=False)
    yield "Two stages with a stop for efficacy", "two stages", lambda: _simon(inputs, efficacy=True)
    yield "More than two looks", "more looks", lambda: _looks(inputs)
    yield "BOP2", "Bayesian", lambda: _bop2(inputs)
    yield "Predictive probability (Lee and Liu)", "Bayesian", lambda: _lee_liu(inputs)
    yield "Posterior probability (Thall and Simon)", "Bayesian", lambda: _thall_simon(inputs)


def _option(inputs: Inputs, key: str, family: str, staged: Staged, note: str, parameters: tuple[tuple[str, float], ...]) -> Option:
    null, target = operate(staged, inputs.p0), operate(staged, inputs.p1)
    meets = bool(null.success <= inputs.alpha + SLACK and target.success >= inputs.power - SLACK)
    return Option(key, family, staged, null, target, meets, note, parameters)


def own_option(inputs: Inputs, own: Own) -> Option:
    """Return the study's own design, whatever errors it has."""
    from cartrial.design.exact.own import Boundary, design_own, ignoring_futility

    def kind(stops: Stops | None) -> Boundary | None:
        return None if stops is None else Boundary(stops.rule, stops.responders, stops.levels)

    staged = design_own(
        inputs.p0,
        inputs.p1,
        inputs.alpha,
        own.at,
        efficacy=kind(own.efficacy),
        futility=kind(own.futility),
        binding=own.binding,
        beta=1 - inputs.power,
    )
    found = _option(inputs, OWN, "the study's own", staged, f"As the study file states it ({own.source}).", ())
    if not any(low is not None for low in staged.futility[:-1]):
        return found
    beyond = float(operate(ignoring_futility(staged), inputs.p0).success)
    return replace(found, beyond_futility=beyond, meets=found.meets and (own.binding or beyond <= inputs.alpha + SLACK))


def _single(inputs: Inputs, rule: str) -> Found:
    from cartrial.design.exact.single import design_single_stage

    staged = design_single_stage(
        inputs.p0,
        inputs.p1,
        inputs.alpha,
        1 - inputs.power,
        rule=rule,  # type: ignore[arg-type]
        n_max=inputs.n_max,
    )
    note = "A few more or fewer subjects may miss the power." if rule == "first" else "A few more subjects never cost power."
    yield f"single-{rule}", staged, note


def _simon(inputs: Inputs, *, efficacy: bool) -> Found:
    from cartrial.design.exact.simon import design_simon

    low, high = inputs.stage_one or (1, None)
    high = None if high is None else min(high, inputs.n_max - 1)
    found = design_simon(
        inputs.p0, inputs.p1, inputs.alpha, 1 - inputs.power, n_max=inputs.n_max, n1_min=low, n1_max=high, efficacy=efficacy
    )
    last = len(found.admissible) - 1
    for k, staged in enumerate(found.admissible):
        name = "optimal-minimax" if last == 0 else "minimax" if k == 0 else "optimal" if k == last else f"admissible-{k}"
        weights = "Best where the most subjects weigh {:.2f} to {:.2f}, and those expected under the null the rest."
        yield f"simon-{name}{'-efficacy' if efficacy else ''}", staged, weights.format(*found.weights[k])


def _looks(inputs: Inputs) -> Found:
    from cartrial.design.exact.looks import design_spending

    errors = (inputs.p0, inputs.p1, inputs.alpha, 1 - inputs.power)
    if inputs.fixed and inputs.looks[-1] > inputs.n_max:
        raise InputError(_none(inputs))
    for key, efficacy, words, said in (
        ("spending-futility", None, "futility alone", "Futility stops are binding."),
        ("spending", "obrien-fleming", "futility and efficacy", "Futility stops are binding; an early success needs strong evidence."),
    ):
        if inputs.fixed:
            staged = design_spending(*errors, n=inputs.looks_of(0), efficacy=efficacy)
        else:
            staged = design_spending(*errors, looks=inputs.looks, efficacy=efficacy, n_max=inputs.n_max)
        yield key, replace(staged, name=f"{staged.name}, {words}"), said


def sizes_of(inputs: Inputs, safe: tuple[float, float] | None = None) -> Iterator[tuple[int, ...]]:
    """Yield the looks of growing trials; where the study fixes its looks, these alone, if they are within the most subjects.

    A trial is left out where no test of all its subjects, a randomised one included, has the power: then none with more looks has it.

    Parameters
    ----------
    inputs : Inputs
    safe : (float, float), optional
        Unacceptable and acceptable rate of no toxicity, if that is tested too and independent. The power is then a product, and each
        test may err as often as the type I error over the power allows, since the other one is passed with that power at least.
    """
    if inputs.fixed:
        if inputs.looks[-1] <= inputs.n_max:
            yield inputs.looks_of(0)
        return
    alpha = inputs.alpha if safe is None else min(inputs.alpha / inputs.power, 0.999)
    most = most_powers(inputs.p0, inputs.p1, alpha, inputs.n_max)
    other = [1.0] * inputs.n_max if safe is None else most_powers(*safe, alpha, inputs.n_max)
    for n, (first, second) in enumerate(zip(most, other, strict=True), 1):
        looks = inputs.looks_of(n)
        if first * second >= inputs.power - SLACK and len(looks) == len(inputs.looks):
            yield looks


def most_powers(p0: float, p1: float, alpha: float, n_max: int) -> list[float]:
    """Return for 1 to `n_max` subjects the power of the best test of a rate, randomised to use all of alpha (Neyman and Pearson)."""
    from cartrial.design.exact.single import estimate_sawtooth

    found = []
    for row in estimate_sawtooth(p0, p1, alpha, n_max=n_max).iter_rows(named=True):
        n, below = row["n"], (row["n"] + 1 if row["r"] is None else row["r"]) - 1
        null, target = (comb(n, below) * rate**below * (1 - rate) ** (n - below) for rate in (p0, p1))
        found.append(row["power"] + (alpha - row["alpha"]) / null * target)
    return found


def _bop2(inputs: Inputs) -> Found:
    from cartrial.design.bayes.bop2 import design_bop2

    for looks in sizes_of(inputs):
        try:
            found = design_bop2(inputs.p0, inputs.p1, looks, alpha=inputs.alpha, power=inputs.power, prior=inputs.prior)
        except InputError:
            continue
        parameters = (("lambda", found.scale), ("gamma", found.exponent), *_prior(found.prior))
        yield "bop2", found.design, "Stops for futility alone; no success before the last look.", *parameters
        return
    raise InputError(_none(inputs))


def _lee_liu(inputs: Inputs) -> Found:
    from cartrial.design.bayes.lee_liu import design_lee_liu

    first, every = LEE_LIU
    first = min(first, inputs.n_max - 1)
    found = design_lee_liu(
        inputs.p0, inputs.p1, alpha=inputs.alpha, power=inputs.power, prior=inputs.prior, first=first, every=every, n_cap=inputs.n_max
    )
    yield "lee-liu", found.design, f"Looks after {first} subjects and then every {every}: assumption."


def _thall_simon(inputs: Inputs) -> Found:
    from cartrial.design.bayes.predictive import design_thall_simon

    def make(looks: tuple[int, ...], upper: float) -> Staged:
        return design_thall_simon(looks, standard=inputs.p0, p1=inputs.p1, prior=inputs.prior, lower=LOWER, upper=upper)

    for looks in sizes_of(inputs):
        uppers = find_uppers(inputs, looks)
        place = bisect_left(uppers, True, key=lambda upper: bool(operate(make(looks, upper), inputs.p0).success <= inputs.alpha + SLACK))
        if place == len(uppers):
            continue
        upper = uppers[place]
        staged = make(looks, upper)
        if operate(staged, inputs.p1).success >= inputs.power - SLACK:
            yield (
                "thall-simon",
                staged,
                "The upper cut-off has the loosest boundaries that keep the type I error, of all that a cut-off above the lower one can "
                f"have at these looks; the lower one, {LOWER:g}, is an assumption.",
                ("lower", LOWER),
                ("upper", upper),
                *_prior(inputs.prior),
            )
            return
    raise InputError(_none(inputs))


def find_uppers(inputs: Inputs, looks: tuple[int, ...]) -> tuple[float, ...]:
    """Return upper cut-offs of the posterior probability, rising, one for each different set of boundaries.

    A boundary changes only where the cut-off passes a posterior probability that some number of responders has at some look. Between two
    neighbours of these, if they differ by more than 1e-9, the cut-off with the fewest decimals is taken.

    Parameters
    ----------
    inputs : Inputs
    looks : tuple of int

    Returns
    -------
    tuple of float
        Above the lower cut-off, and reached by responders of all subjects at the last look.
    """
    from scipy.special import betaincc

    a, b = inputs.prior
    counts = [np.arange(n + 1) for n in looks]
    reached = [betaincc(a + x, b + n - x, inputs.p0) for x, n in zip(counts, looks, strict=True)]
    values = np.unique(np.concatenate(reached))
    values = values[(values > LOWER) & (values <= reached[-1][-1]) & (values < 1)]
    found = []
    for below, value in zip([LOWER, *values[:-1]], values, strict=True):
        if value - below <= 1e-9:
            # the same but for rounding, or closer than a page can say
            continue
        shorter = (floor(value * 10**digits) / 10**digits for digits in range(1, 10))
        found.append(next((short for short in shorter if below < short <= value), float(value)))
    return tuple(found)


def _prior(prior: tuple[float, float]) -> tuple[tuple[str, float], tuple[str, float]]:
    return ("prior_events", prior[0]), ("prior_others", prior[1])


def _none(inputs: Inputs) -> str:
    if inputs.fixed and inputs.looks[-1] > inputs.n_max:
        return f"the looks {list(inputs.looks_of(0))} go beyond {inputs.n_max} subjects"
    where = f"at the looks {list(inputs.looks_of(0))}" if inputs.fixed else f"with up to {inputs.n_max} subjects"
    return f"no design {where} meets both errors"
