"""A design as a protocol states it: its boundaries and its exact errors.

Origin of expected values: `R` 4.2.2, base functions alone (the script stands below, and its answers were there before the code ran),
`by hand`, or `independent` (`design_spending`, which finds the same boundaries by other code).

    spend <- function(a, t, f) if (is.null(f)) ifelse(t == 1, a, 0) else if (f == "of") 2*(1-pnorm(qnorm(1-a/2)/sqrt(t))) else
      if (f == "pocock") a*log(1+(exp(1)-1)*t) else { g <- as.numeric(f); a*(1-exp(-g*t))/(1-exp(-g)) }
    add <- function(P, m, p) { d <- dbinom(0:m, m, p); r <- rep(0, length(P)+m)
      for (i in seq_along(P)) r[i:(i+m)] <- r[i:(i+m)] + P[i]*d; r }
    own <- function(n, p0, p1, a, b, eff=NULL, fut=NULL, binding=TRUE) {
      K <- length(n); P0 <- P1 <- 1; n0 <- sa <- sb <- pw <- 0; hi <- lo <- rep(NA, K)
      for (k in 1:K) { P0 <- add(P0, n[k]-n0, p0); P1 <- add(P1, n[k]-n0, p1); x <- 0:n[k]; last <- k == K
        if (last || !is.null(eff)) { al <- if (last) a else spend(a, n[k]/n[K], eff)
          ok <- which(rev(cumsum(rev(P0))) + sa <= al); if (length(ok)) hi[k] <- max(x[min(ok)], 1) }
        if (last) { sa <- sa + sum(P0[x >= hi[k]]); pw <- pw + sum(P1[x >= hi[k]]); lo[k] <- hi[k]-1; break }
        if (!is.null(fut)) { ok <- which(cumsum(P1) + sb <= spend(b, n[k]/n[K], fut))
          if (length(ok)) lo[k] <- min(x[max(ok)], ifelse(is.na(hi[k]), n[k], hi[k]-1) - 1) }
        if (!is.na(hi[k])) { s <- x >= hi[k]; sa <- sa + sum(P0[s]); pw <- pw + sum(P1[s]); P0[s] <- P1[s] <- 0 }
        if (!is.na(lo[k])) { s <- x <= lo[k]; sb <- sb + sum(P1[s]); P1[s] <- 0; if (binding) P0[s] <- 0 }
        n0 <- n[k] }
      list(lo, hi, c(sa, pw)) }
"""

from __future__ import annotations

import re

import pytest

from cartrial.design import Boundary, design_own, design_spending, operate, spent_by_look
from cartrial.design.exact.looks import spend
from cartrial.design.exact.own import ignoring_futility
from cartrial.errors import InputError

OF, POCOCK, LATE = Boundary("obrien-fleming"), Boundary("pocock"), Boundary(-2.0)
THREE = (20, 40, 60)


@pytest.mark.parametrize(
    ("rates", "n", "efficacy", "futility", "binding", "low", "high", "alpha", "power"),
    [
        ((0.2, 0.45, 0.1), (50, 76), OF, None, True, (None, 22), (19, 23), 0.02226913109, 0.99698241712),
        ((0.4, 0.65, 0.1), (50,), None, None, True, (27,), (28,), 0.0160347635, 0.9290387386),
        ((0.3, 0.5, 0.2), THREE, OF, OF, False, (5, 15, 25), (15, 21, 26), 0.02002514761, 0.85075997027),
        ((0.3, 0.5, 0.2), THREE, OF, OF, True, (5, 15, 25), (15, 21, 26), 0.01766203681, 0.85075997027),
        ((0.3, 0.5, 0.2), THREE, POCOCK, LATE, True, (5, 15, 26), (12, 19, 27), 0.02162031559, 0.82870810509),
        ((0.3, 0.5, 0.2), THREE, None, POCOCK, False, (6, 15, 25), (None, None, 26), 0.01957428556, 0.83310040353),
        ((0.3, 0.5, 0.2), THREE, None, POCOCK, True, (6, 15, 25), (None, None, 26), 0.01639169249, 0.83310040353),
        ((0.3, 0.5, 0.2), THREE, Boundary(-4.0), None, True, (None, None, 25), (13, 21, 26), 0.02066099119, 0.87897585905),
    ],
)
@pytest.mark.shows(
    "EST-own-design",
    "STUDY-design.own.efficacy",
    "STUDY-design.own.efficacy.spending",
    "STUDY-design.own.efficacy.gamma",
    "STUDY-design.own.efficacy.levels",
    "STUDY-design.own.binding",
)
def test_a_stated_design_has_the_boundaries_and_errors_of_its_rule(rates, n, efficacy, futility, binding, low, high, alpha, power) -> None:
    """R: `own` above."""
    found = design_own(rates[0], rates[1], 0.025, n, efficacy=efficacy, futility=futility, binding=binding, beta=rates[2])
    assert (found.futility, found.efficacy) == (low, high)
    spent = spent_by_look(found, binding=binding)[-1]
    assert spent.alpha == pytest.approx(alpha, abs=1e-10) and spent.power == pytest.approx(power, abs=1e-10)


@pytest.mark.shows("EST-own-design")
def test_the_boundary_of_the_interim_analysis_of_76_is_that_of_eliana() -> None:
    """Published: one-sided 0.0057 at 50 of 76, an alpha of 2.5 % spent as O'Brien and Fleming's type (Maude 2018,
    doi:10.1056/NEJMoa1709866, protocol). By hand: twice the normal tail beyond 2.2414 / sqrt(50 / 76) = 2.7634. R: of 50, 19 or more have
    0.002511203 at 20 % and 18 or more 0.006260775 (`pbinom`), so that 19 is the fewest within 0.0057.
    """
    assert round(spend(0.025, 50 / 76, "obrien-fleming"), 4) == 0.0057
    found = design_own(0.2, 0.45, 0.025, (50, 76), efficacy=OF)
    first, last = spent_by_look(found)
    assert (first.n, found.efficacy[0]) == (50, 19) and first.level == pytest.approx(0.002511203, abs=5e-10)
    # R: pbinom(22, 76, .2, lower.tail = FALSE)
    assert last.level == pytest.approx(0.02188598, abs=5e-9)
    # the level itself, as the protocol prints it, leads to the same boundaries
    levels = design_own(0.2, 0.45, 0.025, (50, 76), efficacy=Boundary(levels=(0.0057, 0.0232)))
    assert levels.efficacy == found.efficacy


@pytest.mark.parametrize("binding", [True, False])
@pytest.mark.parametrize(("efficacy", "futility"), [("obrien-fleming", "pocock"), (None, 0.5), ("pocock", None), (1.0, -3.0)])
def test_spending_agrees_with_the_search_of_designs(efficacy, futility, binding) -> None:
    """Independent: `design_spending` with the same looks."""
    n = (17, 31, 52)
    other = design_spending(0.3, 0.55, 0.05, 0.2, n=n, efficacy=efficacy, futility=futility, binding=binding)
    kinds = [None if kind is None else Boundary(kind) for kind in (efficacy, futility)]
    found = design_own(0.3, 0.55, 0.05, n, efficacy=kinds[0], futility=kinds[1], binding=binding, beta=0.2)
    assert (found.futility, found.efficacy) == (other.futility, other.efficacy)


@pytest.mark.shows("STUDY-design.own.futility", "STUDY-design.own.efficacy.responders")
def test_boundaries_that_are_given_stay_as_they_are_whatever_their_errors() -> None:
    """By hand, of 1 and 2 subjects at one half: success with 1 of 1 (0.5), else with 1 of 2 (0.5 x 0.5); with a stop at 0 of 1 only 0.5."""
    found = design_own(0.5, 0.8, 0.1, (1, 2), efficacy=Boundary(responders=(1, 1)))
    assert (found.efficacy, found.futility) == ((1, 1), (None, 0))
    assert float(operate(found, 0.5).success) == pytest.approx(0.75)
    stopped = design_own(0.5, 0.8, 0.3, (1, 2), futility=Boundary(responders=(0, None)), binding=False)
    # the first look stops with none: of two, both respond with a probability of 0.25, whether the stop binds or not
    assert (stopped.efficacy, stopped.futility) == ((None, 2), (0, 1))
    assert float(operate(stopped, 0.5).success) == float(operate(ignoring_futility(stopped), 0.5).success) == 0.25
    assert "as given in responders" in stopped.method and "not binding" in stopped.method


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": (2, 3), "alpha": 0.01}, "efficacy: not even 3 responders of 3 keep the type I error at the last look"),
        ({"efficacy": Boundary(responders=(4,))}, "efficacy: there are 1 boundaries for 2 looks"),
        ({"futility": Boundary(levels=(0.1, 0.2))}, "futility: levels of a test are of efficacy"),
        ({"p1": 0.2}, "p1: the target 0.2 is not above the null 0.3"),
    ],
)
def test_what_cannot_be_is_refused(change: dict, said: str) -> None:
    given = {"p0": 0.3, "p1": 0.5, "alpha": 0.05, "n": (10, 20)} | change
    with pytest.raises(InputError, match=re.escape(said)):
        design_own(given.pop("p0"), given.pop("p1"), given.pop("alpha"), given.pop("n"), **given)
