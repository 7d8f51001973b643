"""How many patients of a region can a trial hope for, and how long does it take? From leukaemia cases to infused subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.design.enrolment.funnel_file import Share, Step, load_funnel
from cartrial.design.exact.checks import check_integer, check_real
from cartrial.errors import InputError
from cartrial.shown import Shown
from cartrial.virtual.patients.randomness import Keys, draw_uniform
from cartrial.yamlfile import nearest, validate

if TYPE_CHECKING:
    from cartrial.design.enrolment.accrual_plan import AccrualPlan

__all__ = ["Funnel", "Reach", "design_funnel", "design_reach", "design_study_funnel"]

Floats = NDArray[np.float64]
# streams of random numbers apart from those of virtual patients, trials and other designs
_SHARES, _WAITING = 4200, 4201
# name of the choices of the file that are of children and young adults
_CHILDREN = "children"


@dataclass(frozen=True)
class Funnel(Shown):
    """Patients of a year by step.

    Parameters
    ----------
    cases : float
        With which it starts.
    table : polars.DataFrame
        One row for each step: step, label, share (of the step before), share_low, share_high, count (expected, exact), low, high (80 %
        band, of the shares' uncertainty), source, assumed (whether the source is an assumption alone).
    draws : dict of str to ndarray of float64, shape (draws,)
        Count of each step in a year.
    """

    cases: float
    table: pl.DataFrame
    draws: dict[str, Floats]


def design_funnel(
    cases: float,
    *,
    shares: Mapping[str, float | tuple[float, float, float] | Share] | None = None,
    choose: Mapping[str, str] | None = None,
    leave_out: Sequence[str] = (),
    path: str | Path | None = None,
    draws: int = 10_000,
    seed: int = 1,
) -> Funnel:
    """Follow a region's leukaemia cases down to infused subjects.

    Parameters
    ----------
    cases : float
        New cases of leukaemia a year in the region, of all ages.
    shares : mapping, optional
        In place of the file's, by step: a number, (value, low, high) with an 80 % range, or a `Share`.
    choose : mapping, optional
        Another source of a step's share, by its name in the file, e.g. ``{"infused": "eliana"}``.
    leave_out : sequence of str
        Steps to pass over, e.g. ``("adult",)`` when `cases` are of adults.
    path : str or Path, optional
        Another file of the same form.
    draws, seed : int
        Of the Monte Carlo bands.

    Returns
    -------
    Funnel

    Raises
    ------
    InputError
        If there are no cases, a step or choice is unknown, or a share is not between 0 and 1.

    Examples
    --------
    By hand: 80,000 x 0.15 x 0.75 x 0.4 x 0.6.

    >>> from cartrial.design import design_funnel
    >>> table = design_funnel(80_000, shares={"adult": 0.4}, draws=200).table
    >>> round(table.filter(step="relapsed-refractory")["count"][0], 6)
    2160.0
    """
    cases = _check_cases(cases)
    if draws < 1:
        raise InputError(f"there are {draws} draws", key="draws", right="Give at least 1")
    file = load_funnel(path)
    known = [step.id for step in file.steps]
    for key, names in (("shares", shares or {}), ("choose", choose or {}), ("leave_out", leave_out)):
        for name in names:
            if name not in known:
                near = nearest(name, known)
                right = f"The nearest known step is '{near}'" if near else f"Steps are: {', '.join(known)}"
                raise InputError(f"there is no step '{name}'", key=key, right=right)
    u = draw_uniform(Keys("funnel", seed, np.arange(draws), np.zeros(draws, np.int64)), _SHARES, len(known))
    expected, sample = cases, np.full(draws, cases)
    rows = [_row(file.start.id, file.start.label, None, cases, sample, "given")]
    counts = {file.start.id: sample}
    for position, step in enumerate(file.steps):
        if step.id in leave_out:
            continue
        share = _share(step, (shares or {}).get(step.id), (choose or {}).get(step.id))
        part = share.draw(u[:, position])
        expected, sample = expected * share.mean, sample * part
        counts[step.id] = sample
        rows.append(
            _row(step.id, share.label or step.label, (share.mean, *share.draw(np.array([0.1, 0.9]))), expected, sample, share.source)
        )
    return Funnel(cases, pl.DataFrame(rows, schema_overrides=dict.fromkeys(("share", "share_low", "share_high"), pl.Float64)), counts)


def design_study_funnel(cases: float, plan: AccrualPlan, product: str, *, draws: int = 10_000, seed: int = 1) -> Funnel:
    """Follow a region's leukaemia cases down to the infused subjects of a study, by the population that its virtual trials draw from.

    Parameters
    ----------
    cases : float
        New cases of leukaemia a year in the region, of all ages.
    plan : AccrualPlan
        Of the study. Its population says whether adults or children are followed, and, where virtual trials were run, which share of the
        enrolled is infused; without them the file says.
    product : {"autologous", "allogeneic"}
        A product of a donor's cells asks for no leukapheresis.
    draws, seed : int
        As in `design_funnel`.

    Returns
    -------
    Funnel

    Examples
    --------
    Children are followed where the study's population is of children, and nobody is leukapheresed for a donor's product.

    >>> from cartrial.design import AccrualPlan, design_study_funnel
    >>> table = design_study_funnel(1000, AccrualPlan(sites=2, rate=1, child=True), "allogeneic", draws=200).table
    >>> table["label"].to_list()[3], "leukapheresed" in table["step"].to_list()
    ('Children and young adults', False)
    """
    steps = load_funnel().steps
    choose = {step.id: _CHILDREN for step in steps if plan.child and _CHILDREN in step.choices}
    shares: dict[str, Share] = {}
    if plan.infused_band is not None:
        low, high = plan.infused_band
        shares["infused"] = _share_between(low, plan.infused_share, high, f"of the enrolled, {plan.source}")
    elif plan.child:
        choose["infused"] = "eliana"
    leave_out = ("leukapheresed",) if product == "allogeneic" else ()
    return design_funnel(cases, shares=shares, choose=choose, leave_out=leave_out, draws=draws, seed=seed)


def _share_between(low: float, value: float, high: float, source: str) -> Share:
    """Return a share with its 80 % range, which the share of all subjects can leave by rounding where nearly all trials agree."""
    ends = {"low": min(low, value), "high": max(high, value)} if 0 < value < 1 else {}
    return validate(Share, {"value": value, **ends, "source": source}, {}, "share of the infused")


def _check_cases(cases: float) -> float:
    try:
        number = float(cases)
    except (TypeError, ValueError):
        number = float("nan")
    if not (isfinite(number) and number > 0):
        raise InputError(f"{cases!r} cases a year cannot be", key="cases", right="Give the region's new cases of leukaemia a year")
    return number


def _share(step: Step, given: Any, choice: str | None) -> Share:
    """Return the share of a step: what was given, the chosen source, or the file's."""
    if given is not None and choice is not None:
        raise InputError(f"step '{step.id}' has a share and a choice", key=step.id, right="Give one of both")
    if choice is not None:
        if choice not in step.choices:
            names = ", ".join(step.choices) or "none"
            raise InputError(f"step '{step.id}' has no choice '{choice}'", key="choose", right=f"Choices are: {names}")
        return step.choices[choice]
    if given is None or isinstance(given, Share):
        return given or step
    value, low, high = given if isinstance(given, tuple) else (given, given, given)
    return validate(Share, {"value": value, "low": low, "high": high, "source": "given"}, {}, f"share of {step.id}")


def _row(name: str, label: str, share: tuple[float, ...] | None, count: float, sample: Floats, source: str) -> dict[str, Any]:
    low, high = np.quantile(sample, [0.1, 0.9])
    value, share_low, share_high = share or (None, None, None)
    part = {"share": value, "share_low": share_low, "share_high": share_high, "count": count, "low": low, "high": high}
    return {"step": name, "label": label, **part, "source": source, "assumed": source.startswith("assumption")}


@dataclass(frozen=True)
class Reach:
    """How long, or how many sites, until a trial has its subjects.

    Parameters
    ----------
    n : int
    step : str
        What is counted.
    sites : int
    covered : float
        Share of the region's patients who come to one of the sites.
    mean, median, lower, upper : float
        Years to the n-th subject, with an 80 % band: uncertain shares, and chance of arrivals (Poisson).
    years : float or None
        That were wanted.
    probability : float or None
        Of having n subjects within `years`.
    """

    n: int
    step: str
    sites: int
    covered: float
    mean: float
    median: float
    lower: float
    upper: float
    years: float | None
    probability: float | None


def design_reach(
    funnel: Funnel,
    n: int,
    *,
    site_share: float,
    sites: int | None = None,
    years: float | None = None,
    step: str = "infused",
    certainty: float = 0.8,
    seed: int = 1,
) -> Reach:
    """Find the years to n subjects with given sites, or the sites for given years.

    Parameters
    ----------
    funnel : Funnel
    n : int
    site_share : float
        Share of the region's patients whom one site sees.
    sites : int, optional
    years : float, optional
        Without `sites`: the smallest number of sites that has n subjects by then with probability `certainty`.
    step : str
        Which step is counted.
    certainty : float
    seed : int

    Returns
    -------
    Reach

    Raises
    ------
    InputError
        If neither sites nor years are given, a number cannot be, or the whole region has not enough patients.

    Examples
    --------
    By hand: of 100 infused a year two sites of 10 % see 20, and so need a year for 20, on average.

    >>> from cartrial.design import design_funnel, design_reach
    >>> steps = design_funnel(100, draws=1).table["step"][1:]
    >>> funnel = design_funnel(100, shares=dict.fromkeys(steps, 1.0), draws=2000)
    >>> found = design_reach(funnel, 20, site_share=0.1, sites=2)
    >>> found.covered, round(found.mean, 1)
    (0.2, 1.0)
    """
    from scipy.special import gammaincinv

    n, site_share, certainty = check_integer(n, "n"), check_real(site_share, "site_share"), check_real(certainty, "certainty")
    sites = None if sites is None else check_integer(sites, "sites")
    years = None if years is None else check_real(years, "years")
    if n < 1:
        raise InputError(f"there are {n} subjects", key="n", right="Give at least 1")
    if not 0 < site_share <= 1:
        raise InputError(f"the share {site_share:g} of one site cannot be", key="site_share", right="Give a number above 0, at most 1")
    if step not in funnel.draws:
        raise InputError(f"there is no step '{step}'", key="step", right=f"Steps are: {', '.join(funnel.draws)}")
    if sites is None and years is None:
        raise InputError("neither sites nor years are given", key="sites", right="Give one of both")
    if sites is not None and sites < 1:
        raise InputError(f"there are {sites} sites", key="sites", right="Give at least 1")
    if years is not None and not (isfinite(years) and years > 0):
        raise InputError(f"{years:g} years cannot be", key="years", right="Give a number above 0")
    if not 0 < certainty < 1:
        raise InputError(f"the certainty {certainty:g} is not between 0 and 1", key="certainty", right="For example 0.8")
    yearly = funnel.draws[step]
    if (yearly <= 0).any():
        raise InputError(f"nobody reaches the step '{step}'", key="shares", right="Give shares above 0")
    keys = Keys("funnel", seed, np.arange(len(yearly)), np.zeros(len(yearly), np.int64))
    # years that the whole region would take
    whole = gammaincinv(n, draw_uniform(keys, _WAITING, 1)[:, 0]) / yearly
    if sites is None:
        assert years is not None
        least = float(np.quantile(whole, certainty))
        if least > years:
            what = f"the whole region has {n} subjects within {years:g} years with a probability of {np.mean(whole <= years):.2f} alone"
            raise InputError(what, key="years", right=f"Allow at least {least:.3g} years")
        sites = ceil(least / years / site_share - 1e-9)
    covered = min(1.0, sites * site_share)
    time = whole / covered
    lower, median, upper = (float(value) for value in np.quantile(time, [0.1, 0.5, 0.9]))
    probability = None if years is None else float(np.mean(time <= years))
    return Reach(n, step, sites, covered, float(time.mean()), median, lower, upper, years, probability)
