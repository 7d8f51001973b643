"""A study's prior of published results: what it may rest on, its boundaries, and its errors beside those of a uniform prior.

Origin of expected values: `R` 4.2.2, base functions alone (below), `by hand` from the registry, or `published` (the table printed with the
notes on evidence, enumeration, 48 against 65 %; `test_borrowed.py` has the whole of it).

    w <- c(.8,.2); a <- c(20,1); b <- c(5,1); p0 <- .65; p1 <- .8; n <- c(24,48)
    above <- function(x, n) { l <- log(w)+lbeta(a+x,b+n-x)-lbeta(a,b); v <- exp(l-max(l)); sum(v/sum(v)*pbeta(p0,a+x,b+n-x,lower=FALSE)) }
    P <- lapply(n, function(m) sapply(0:m, above, n=m))
    run <- function(u, l=.05) { hi <- sapply(1:2, function(k) min(which(P[[k]]>u))-1); lo <- sum(P[[1]]<=l)-1
      s <- function(p) { x <- (lo+1):(hi[1]-1)
        sum(dbinom(x,n[1],p)*pbinom(hi[2]-x-1,n[2]-n[1],p,lower=FALSE)) + pbinom(hi[1]-1,n[1],p,lower=FALSE) }
      c(lo,hi,s(p0),s(p1)) }
    run(.975)                                    # 9 19 36 0.1517664077 0.8788783965
    u <- sort(unique(c(.975,unlist(P)))); u <- u[u>=.975]
    for (v in u) if (run(v)[4] <= .025) break    # 0.9959961164: 9 21 39 0.0208404403 0.5368028230
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest

from cartrial.analysis import BetaMixture
from cartrial.design import design_rows, design_study, operate
from cartrial.design.bayes.history import Lent, cost_of, design_history, find_history, read_history
from cartrial.design.protocol.inputs import read_inputs
from cartrial.errors import InputError
from cartrial.evidence import HistoryPrior, derive_prior, load_evidence, read_assumptions
from cartrial.report import write_design
from cartrial.study import Study
from helpers import BASE, load_study

MIXTURE = BetaMixture((0.8, 0.2), (20, 1), (5, 1))
ALL = ("window=best", "reader=INV", "hsct=composite", "new-therapy=composite", "criteria=nccn")
PRIOR = f"results: [mskcc-cr, germany-cr], assumed: [{', '.join(ALL)}]"


def borrowing(folder: Path, prior: str, more: str = "  own: {at: [24, 48]}\n") -> Study:
    text = BASE.replace("readers: {primary: IRC}", "readers: {primary: INV}").replace("window: {at: month 3}", "window: {best: cutoff}", 1)
    old = "    sensitivity:\n      - {hsct: treatment-policy}\n      - {reader: INV}\n"
    text = text.replace(old, "    response: [CR]\n    test: {null: 0.65, alternative: 0.8}\n", 1)
    return load_study(folder, text.replace("baseline:\n", f"design:\n{more}  prior: {{{prior}}}\nbaseline:\n"))


def lent(mixture: BetaMixture) -> Lent:
    # what it was made of is not asked here
    return Lent(
        cast(HistoryPrior, None), (), (("uniform", "Uniform", BetaMixture((1.0,), (1.0,), (1.0,))), ("history", "History", mixture))
    )


def test_looks_are_judged_by_the_posterior_of_the_mixture() -> None:
    """R: `run`."""
    found = design_history(MIXTURE, (24, 48), 0.65, 0.8, 0.975)
    assert (found.futility, found.efficacy) == ((9, 35), (19, 36))
    assert float(operate(found, 0.65).success) == pytest.approx(0.1517664077, abs=1e-10)
    assert float(operate(found, 0.8).success) == pytest.approx(0.8788783965, abs=1e-10)


@pytest.mark.shows("STUDY-design.prior.robust")
def test_the_type_one_error_stands_beside_every_prior_and_what_keeping_it_costs() -> None:
    """R: `run` and the loop after it. Published: with a uniform prior 38 of 48, 2.49 % and 63.9 %."""
    found = find_history(lent(MIXTURE), (24, 48), 0.65, 0.8, 0.025)
    by = {item.id: item for item in found.monitored}
    assert list(by) == ["uniform", "history", "history-kept"]
    assert float(by["history"].at_null.success) == pytest.approx(0.1517664077, abs=1e-10)
    kept = by["history-kept"]
    assert kept.upper == pytest.approx(0.9959961164, abs=1e-9) and kept.staged.efficacy == (21, 39)
    assert float(kept.at_null.success) == pytest.approx(0.02084044031, abs=1e-10)
    assert float(kept.at_target.success) == pytest.approx(0.53680282297, abs=1e-10)
    uniform = found.costs[0]
    assert uniform.single.smallest == 38
    assert [round(value, 3) for value in uniform.single.table["success"]] == [0.025, 0.639]
    # a uniform prior is worth two patients by moments, and its information is none
    assert uniform.sizes == {"moment": pytest.approx(2)}
    assert cost_of("x", "x", BetaMixture((1.0,), (15,), (5,)), 48, 0.65, 0.8, 0.025).sizes["elir"] == pytest.approx(20, abs=1e-6)


@pytest.mark.slow
@pytest.mark.shows("STUDY-design.prior", "STUDY-design.prior.results", "STUDY-design.prior.assumed")
def test_the_prior_of_a_study_is_that_of_its_results(tmp_path: Path) -> None:
    """By hand, from the registry: 44 of 53 and 71 of 81; the window is assumed, and the rest of what the sources do not say."""
    study = borrowing(tmp_path, PRIOR)
    found = read_history(study, study.endpoints[0])
    assert found is not None and [(one.count, one.of) for one in found.made.results] == [(44, 53), (71, 81)]
    assert found.assumed == ALL and [key for key, _, _ in found.priors] == ["uniform", "history", "history-alone"]
    assert found.priors[1][2] == derive_prior(load_evidence(), ["mskcc-cr", "germany-cr"], assume=read_assumptions(ALL)).mixture
    # the rest of the page has a prior of its own, and says so
    held = read_inputs(study)
    assert held.prior == (0.65, pytest.approx(0.35)) and next(item for item in held.items if item.id == "prior").assumed
    plain = borrowing(tmp_path, "events: 1, others: 3")
    assert read_history(plain, plain.endpoints[0]) is None and read_inputs(plain).prior == (1, 3)


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        (PRIOR.replace("hsct=composite, ", ""), ["hsct is not established: composite of ORR3, not stated of mskcc-cr", "germany-cr"]),
        ("results: [mskcc-cr]", ["window is not established", "reader is not established", "criteria is not established"]),
        (PRIOR.replace("mskcc-cr", "inati-48-orr3"), ["window differs", "reader differs"]),
        (PRIOR.replace("mskcc-cr", "mskcc-cx"), ["mskcc-cx"]),
        (PRIOR.replace("criteria=nccn", "colour=red"), ["'colour=red' assumes nothing"]),
        pytest.param(
            PRIOR + ", weights: [1], a: [5], b: [5]",
            ["design.prior.weights: the mixture is not that of its results: mean 0.5 in place of 0.7"],
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.shows("STUDY-design.prior.results")
def test_what_may_not_be_borrowed_is_refused_with_every_reason(tmp_path: Path, prior: str, said: list[str]) -> None:
    study = borrowing(tmp_path, prior)
    with pytest.raises(InputError) as caught:
        design_study(study, virtual=False, n_max=60)
    lines = str(caught.value).splitlines()
    assert all(line.startswith("design.prior") for line in lines)
    assert all(any(words in line for line in lines) for words in said), lines


def test_a_trial_does_not_borrow_from_itself(tmp_path: Path) -> None:
    study = borrowing(tmp_path, PRIOR)
    itself = load_evidence().trials["mskcc"].trial.registry
    assert itself
    own = study.model_copy(update={"study": study.study.model_copy(update={"registry": itself})})
    with pytest.raises(InputError, match="mskcc-cr is of this very trial"):
        read_history(own, own.endpoints[0])


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ("events: 1", "nothing says what is known in advance"),
        ("events: 1, others: 1, results: [mskcc-cr]", "not both"),
        ("events: 1, others: 1, robust: 0.5", "robust is of a prior made of results"),
        ("results: [mskcc-cr], robust: 2", "design.prior.robust"),
        ("results: [mskcc-cr], weights: [1], a: [1, 2], b: [1]", "a weight and two parameters for each"),
        ("results: [mskcc-cr], weights: [0.5], a: [1], b: [1]", "weights sum to 1"),
    ],
)
@pytest.mark.shows("STUDY-design.prior.weights")
def test_what_a_prior_cannot_be_is_one_message(tmp_path: Path, prior: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        borrowing(tmp_path, prior)
    assert str(caught.value).startswith("study.yaml, row ")


@pytest.mark.slow
@pytest.mark.shows("STUDY-design.prior.weights", "STUDY-design.prior.a", "STUDY-design.prior.b")
def test_what_is_printed_as_yaml_is_the_prior_of_a_study(tmp_path: Path) -> None:
    """By hand: the block that `cartrial evidence prior --yaml` prints is read back as it is."""
    block = derive_prior(load_evidence(), ["mskcc-cr", "germany-cr"], assume=read_assumptions(ALL), robust=0.5).block()
    text = "".join(f"  {line}\n" for line in block.splitlines())
    study = borrowing(tmp_path, "events: 1, others: 3")
    path = tmp_path / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("  prior: {events: 1, others: 3}\n", text), encoding="utf-8")
    again = Study.load(path)
    assert again.design.prior.results == ("mskcc-cr", "germany-cr") and again.design.prior.robust == 0.5
    found = read_history(again, again.endpoints[0])
    assert found is not None and found.priors[1][2].mean == pytest.approx(found.made.mixture.mean, abs=1e-5)
    assert study.endpoints == again.endpoints


@pytest.mark.slow
def test_the_page_prices_the_prior(tmp_path: Path) -> None:
    """By hand: 37 or more of 48 have 5.10 % at 65 % and 75.9 % at 80 % (R: `pbinom(36, 48, c(.65, .8), lower = FALSE)`)."""
    design = design_study(borrowing(tmp_path, PRIOR), virtual=False, n_max=60)
    rows = design_rows(design)
    assert rows.find("prior", "history", "success", variant="null", truth=0.65)[1].text == "5.10 %"
    assert rows.find("prior", "history", "success", variant="target", truth=0.8)[1].text == "75.9 %"
    page = write_design(design, tmp_path / "design.html").read_text(encoding="utf-8")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    for said in (
        "Borrowing from published trials",
        "mskcc-cr of mskcc: 44/53",
        "germany-cr of germany: 71/81",
        ", ".join(ALL),
        "Worth, ELIR",
    ):
        assert said in words, said
