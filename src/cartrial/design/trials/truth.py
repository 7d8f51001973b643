"""Which share of resistant patients makes an endpoint's rate what a design supposes? Root-found, patients staying mechanistic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cartrial.design.batches.batch import threads_here
from cartrial.design.batches.run import BATCH, read_batches, run_batches
from cartrial.design.trials.stream import TrialsJob
from cartrial.design.trials.worlds import ask, choose_endpoint, resistant_parameter, simulate_worlds
from cartrial.errors import InputError
from cartrial.shown import Shown

if TYPE_CHECKING:
    import polars as pl

    from cartrial.study import Study
    from cartrial.virtual.trial.arrivals import Plan

__all__ = ["CALIBRATING", "TOLERANCE", "CalibrationJob", "Truths", "find_truths", "space_truths"]

Floats = NDArray[np.float64]

TOLERANCE = 0.005
# trials of calibrating patients are counted from here: no trial of an operating characteristic has such a number
CALIBRATING = 2**30
_GRID = 2001
_HALVINGS = 40


@dataclass(frozen=True)
class Truths(Shown):
    """Shares of resistant patients under which an endpoint has given rates. Arrays by rate.

    Parameters
    ----------
    endpoint : str
    rates : tuple of float
        As asked for, increasing.
    shares : ndarray of float64, shape (rates, members)
        Share of the resistant under each parameter set of the ensemble.
    shift : ndarray of float64, shape (rates, members)
        The same as a shift on the logit scale from the ensemble's own share.
    attained : ndarray of float64
        Rate among the calibrating patients under these shares, each parameter set counting the same.
    mc_error : ndarray of float64
        Monte-Carlo standard error of the rate of all parameter sets under these shares: what the calibrating patients leave open, and
        what the parameter sets leave open of which no trial of theirs has one.
    member_sd : ndarray of float64
        Standard deviation of the true rates that is left between parameter sets: of their calibration, and of those that cannot have
        the rate and have their own limit instead.
    attainable : tuple of float
        Rates with everybody and with nobody resistant.
    unshifted : float
        Rate under the ensemble's own shares.
    unshifted_error : float
        Its Monte-Carlo standard error, as `mc_error`.
    patients : int
        Calibrating patients, of other keys than those of any trial.
    """

    endpoint: str
    rates: tuple[float, ...]
    shares: Floats
    shift: Floats
    attained: Floats
    mc_error: Floats
    member_sd: Floats
    attainable: tuple[float, float]
    unshifted: float
    unshifted_error: float
    patients: int

    def table(self) -> pl.DataFrame:
        """Return one row for each rate: truth, attained, mc_error, member_sd; share and shift (logit), means over parameter sets."""
        import polars as pl

        columns = {"attained": self.attained, "mc_error": self.mc_error, "member_sd": self.member_sd}
        return pl.DataFrame({"truth": self.rates} | columns | {"share": self.shares.mean(axis=1), "shift": self.shift.mean(axis=1)})

    def digest(self) -> str:
        """Return a hash of rates and shares."""
        return hashlib.sha256(np.array(self.rates).tobytes() + np.ascontiguousarray(self.shares).tobytes()).hexdigest()


@dataclass(frozen=True)
class CalibrationJob:
    """Calibrating patients in both worlds; a `Job` of `run_batches`.

    Parameters
    ----------
    plan : Plan
        Of a study with one endpoint (`worlds.ask`).
    """

    plan: Plan

    def identity(self) -> dict[str, Any]:
        """Return what the results depend on."""
        return TrialsJob(self.plan.study, self.plan).identity()

    def run(self, first: int, last: int) -> pl.DataFrame:
        """Return one row for each assessable patient: member, rank, and the endpoint when not and when resistant."""
        import polars as pl

        worlds = simulate_worlds(self.plan, CALIBRATING + first, CALIBRATING + last, threads=threads_here())
        value = worlds.value[:, 0]
        trial, place = np.nonzero((value >= 0).all(0))
        columns = {"member": worlds.member[trial].astype(np.int32), "rank": worlds.rank[trial, place]}
        return pl.DataFrame(columns | {"sensitive": value[0, trial, place], "resistant": value[1, trial, place]})


def space_truths(study: Study, endpoint: str | None = None, *, count: int = 9) -> tuple[float, ...]:
    """Return rates from the null to the alternative of an endpoint, equally spaced.

    Raises
    ------
    InputError
        If the study states no null or no alternative for it, or the one is not below the other.
    """
    chosen = choose_endpoint(study, endpoint)
    test = chosen.test
    if test is None or test.alternative is None:
        raise InputError(
            f"endpoint {chosen.id} has no {'null' if test is None else 'alternative'}",
            key="test",
            right="Write it in the study, for example test: {null: 0.30, alternative: 0.50}",
        )
    if not test.null < test.alternative:
        raise InputError(
            f"endpoint {chosen.id}: the alternative {test.alternative:g} is not above the null {test.null:g}",
            key="test.alternative",
            right="The alternative is the higher rate",
        )
    if count < 2:
        raise InputError(f"{count} truths do not reach from the null to the alternative", key="count", right="Give at least 2")
    return tuple(float(rate) for rate in np.round(np.linspace(test.null, test.alternative, count), 12))


def find_truths(
    plan: Plan,
    rates: Sequence[float],
    endpoint: str | None = None,
    *,
    patients: int = 100_000,
    out: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Truths:
    """Find the shares of resistant patients under which an endpoint has given rates.

    Parameters
    ----------
    plan : Plan
        Its study, settings, population and ensemble.
    rates : sequence of float
    endpoint : str, optional
        As in `choose_endpoint`.
    patients : int
        How many are simulated, about. With rates near one half the Monte-Carlo error is about 0.5 / sqrt(patients) where every parameter
        set has its share of them; it is larger where some have few, or none: they come in trials of one parameter set.
    out : str or Path, optional
        Folder in which they are kept, batch by batch, as `run_batches` does.
    progress : callable, optional
        Told the trials done and wanted.

    Returns
    -------
    Truths

    Raises
    ------
    InputError
        For a rate outside the attainable range, or if no share comes within 0.5 % of it.

    Notes
    -----
    Each patient is simulated with and without resistance and goes through records, readers and endpoints as in a trial, so that the rate
    under any share is exact for these patients: a monotone step function. Each parameter set has its own share, so that all have the
    same rate and the subjects of a trial are as good as independent; one that cannot have the rate has its limit, and the others make
    up for it. The curve of a parameter set is that of all, moved by its own rates with and without resistance, which are shrunk
    towards those of all by the ratio of their variances (Efron and Morris, J Am Stat Assoc 1975;70:311-319).
    The last step, over all patients, is free of that model: their rate is the one asked for.

    Examples
    --------
    Far too few patients to learn from. Those found have the rate, and more resistant ones would give a lower one.

    >>> from cartrial.design import find_truths
    >>> from cartrial.study import Study
    >>> from cartrial.virtual.trial import plan_study
    >>> found = find_truths(plan_study(Study.load("inaticel"), n=10), (0.4, 0.5), patients=60)
    >>> found.endpoint, found.attained.round(2).tolist()
    ('ORR3', [0.4, 0.5])
    >>> bool((found.shares[0] > found.shares[1]).all())
    True
    """
    chosen = choose_endpoint(plan.study, endpoint)
    wanted = tuple(sorted({float(rate) for rate in rates}))
    if not wanted or not all(0 < rate < 1 for rate in wanted):
        raise InputError("a truth is a rate between 0 and 1", key="rates", right="For example 0.3, 0.4, 0.5")
    job = CalibrationJob(ask(plan, chosen))
    trials = -(-patients // plan.size)
    if trials < 1:
        raise InputError(f"{patients} calibrating patients are too few", key="patients", right="Give at least 1000")

    def within(sample: pl.DataFrame, slack: float = 0.0) -> tuple[_Curves, float, float]:
        curves = _Curves(sample, len(plan.ensemble))
        low, high = curves.rate(np.ones(curves.members)), curves.rate(np.zeros(curves.members))
        for rate in wanted:
            if not low - slack <= rate <= high + slack:
                raise _out_of_reach(chosen.id, rate, low, high)
        return curves, low, high

    # what the first batch shows to be far out of reach is not simulated further
    sample = _sample(job, trials, out, progress, lambda first: within(first, 2.5 / np.sqrt(max(first.height, 1))))
    curves, low, high = within(sample)
    found = np.stack([curves.find(rate) for rate in wanted])
    attained = np.array([curves.rate(share) for share in found])
    for rate, reached in zip(wanted, attained, strict=True):
        if abs(reached - rate) > TOLERANCE:
            raise InputError(f"no share of the resistant gives a rate within 0.5 % of {rate:g}", key="patients", right="Give more patients")
    own = plan.ensemble.natural(np.arange(len(plan.ensemble)))[resistant_parameter(plan.population)]
    return Truths(
        endpoint=chosen.id,
        rates=wanted,
        shares=found,
        shift=_logit(found) - _logit(own),
        attained=attained,
        mc_error=np.array([curves.error(share) for share in found]),
        member_sd=np.array([curves.left_between(share) for share in found]),
        attainable=(low, high),
        unshifted=curves.rate(own),
        unshifted_error=curves.error(own, apart=own),
        patients=sample.height,
    )


def _out_of_reach(endpoint: str, rate: float, low: float, high: float) -> InputError:
    """Return the error of a rate that no share of resistant patients gives."""
    what = (
        f"no virtual patients give endpoint {endpoint} the true rate {100 * rate:g} %: with everybody resistant to the product it is "
        f"{100 * low:.1f} %, with nobody {100 * high:.1f} %"
    )
    right = "Exact figures need no virtual trials (--no-simulation); or state a null and a target between these two, or another population"
    return InputError(what, key="rates", right=right)


def _sample(
    job: CalibrationJob,
    trials: int,
    out: str | Path | None,
    progress: Callable[[int, int], None] | None,
    check: Callable[[pl.DataFrame], object],
) -> pl.DataFrame:
    import polars as pl

    if out is not None:
        return read_batches(run_batches(job, trials, out, progress=progress)).collect()
    parts = []
    for first in range(0, trials, BATCH):
        last = min(first + BATCH, trials) - 1
        parts.append(job.run(first, last))
        if not first and last + 1 < trials:
            check(parts[0])
        if progress:
            progress(last + 1, trials)
    return pl.concat(parts)


def _logit(share: Floats) -> Floats:
    inside = np.clip(share, 1e-12, 1 - 1e-12)
    return np.log(inside) - np.log1p(-inside)


class _Curves:
    """The rate of each parameter set as a function of its share of the resistant."""

    def __init__(self, sample: pl.DataFrame, members: int) -> None:
        member, rank = sample["member"].to_numpy(), sample["rank"].to_numpy()
        self.member, self.rank, self.members = member, rank, members
        self.value = np.stack([sample["sensitive"].to_numpy(), sample["resistant"].to_numpy()]).astype(float)
        self.count = np.bincount(member, minlength=members)
        seen = self.count > 0
        self.weight = 1 / (self.count[member] * seen.sum())
        overall = self.value @ self.weight
        with np.errstate(invalid="ignore"):
            own = np.stack([np.bincount(member, values, members) for values in self.value]) / self.count
        spread = overall * (1 - overall)
        self.apart, self.unsure = np.zeros((2, members)), np.zeros((2, members))
        for world in range(2):
            noise = spread[world] / np.maximum(self.count, 1)
            between = max(float(np.mean((own[world, seen] - overall[world]) ** 2 - noise[seen])), 0.0)
            shrink = between / np.maximum(between + noise, 1e-300)
            self.apart[world, seen] = (shrink * (own[world] - overall[world]))[seen]
            self.unsure[world] = np.where(seen, shrink * noise, between)
        self.grid = np.linspace(0, 1, _GRID)
        order = np.argsort(rank, kind="stable")
        upto = np.searchsorted(rank[order], self.grid)
        summed = np.concatenate(
            [np.zeros((3, 1)), np.cumsum(np.vstack([self.value, np.ones(len(rank))])[:, order] * self.weight[order], 1)], 1
        )
        sensitive_left, resistant_there, self.below = summed[0, -1] - summed[0, upto], summed[1, upto], summed[2, upto]
        self.pooled = sensitive_left + resistant_there
        curves = self.pooled + self.below * self.apart[1][:, None] + (1 - self.below) * self.apart[0][:, None]
        self.curves = np.minimum.accumulate(np.clip(curves, 0, 1), axis=1)

    def shares(self, target: float) -> Floats:
        """Return the share under which each parameter set has a rate, or the end that is nearest."""
        return np.array([np.interp(target, curve[::-1], self.grid[::-1]) for curve in self.curves])

    def _mixed(self, share: Floats) -> Floats:
        mixed: Floats = np.where(self.rank < share[self.member], self.value[1], self.value[0])
        return mixed

    def rate(self, share: Floats) -> float:
        """Return the rate of all patients, each parameter set counting the same."""
        return float(self._mixed(share) @ self.weight)

    def error(self, share: Floats, *, apart: Floats | None = None) -> float:
        """Return the Monte-Carlo error of `rate` as the rate of all parameter sets.

        Parameters
        ----------
        share : ndarray of float64, shape (members,)
        apart : ndarray of float64, shape (members,), optional
            Shares under which a set without patients differs from the others as it does under `share`. Without it one share of all:
            such a set has no share of its own.

        Notes
        -----
        Two-stage sampling of clusters (Cochran, Sampling Techniques, 3rd ed., 1977, chapter 11): patients within parameter sets, and n
        of N sets, each counting the same. The variance is that of the patients plus (1 - n / N) / n times that between sets.
        """
        mixed = self._mixed(share)
        variance = float(((mixed - mixed @ self.weight) ** 2) @ self.weight**2)
        seen = int((self.count > 0).sum())
        if seen < self.members:
            if apart is None:
                common = np.interp(mixed @ self.weight, self.pooled[::-1], self.grid[::-1])
                apart = np.full(self.members, common)
            variance += (1 - seen / self.members) / seen * self._between(apart)
        return float(np.sqrt(variance))

    def _between(self, share: Floats) -> float:
        """Return the variance of the true rates between parameter sets, from those with patients."""
        mixed, seen = self._mixed(share), self.count > 0
        overall = float(mixed @ self.weight)
        spread = overall * (1 - overall)
        if seen.sum() < 2:
            # one set says nothing of the others; no rates can differ by more
            return spread
        own = np.bincount(self.member, mixed, self.members)[seen] / self.count[seen]
        # the variance of observed means is between + E[p (1 - p)] / count, and E[p (1 - p)] = spread - between
        few = float(np.mean(1 / self.count[seen]))
        found = (float(np.var(own, ddof=1)) - spread * few) / max(1 - few, 1e-300)
        return float(np.clip(found, 0.0, spread))

    def find(self, rate: float) -> Floats:
        """Return shares under which the rate of all patients is the one asked for, by halving the target of the parameter sets."""
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if self.rate(self.shares(middle)) < rate:
                low = middle
            else:
                high = middle
        ends = [self.shares(low), self.shares(high)]
        return min(ends, key=lambda share: abs(self.rate(share) - rate))

    def left_between(self, share: Floats) -> float:
        """Return the standard deviation of the rates between parameter sets, under their shares."""
        resistant = np.interp(share, self.grid, self.below)
        unsure = resistant**2 * self.unsure[1] + (1 - resistant) ** 2 * self.unsure[0]
        rates = np.array([np.interp(one, self.grid, curve) for one, curve in zip(share, self.curves, strict=True)])
        return float(np.sqrt(unsure.mean() + rates.var()))
