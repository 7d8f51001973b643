"""The epidemiological funnel: the built-in shares and their sources, counts by hand, bands by an independent count, bad input."""

from __future__ import annotations

from importlib import resources
from math import ceil, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cartrial.design.enrolment.funnel import design_funnel, design_reach
from cartrial.design.enrolment.funnel_file import Share, load_funnel
from cartrial.errors import InputError
from properties import examples

KNOWN = {"ALL": 0.15, "B-ALL": 0.75, "adult": 0.4, "relapsed-refractory": 0.6, "eligible": 0.5, "leukapheresed": 0.9, "infused": 0.8}


def step(frame: pl.DataFrame, name: str) -> dict:
    """Return one step."""
    return frame.row(by_predicate=pl.col("step") == name, named=True)


def test_the_first_seeds_shares_are_the_defaults():
    # published: announcement of 2023-11-08: ALL about 15 % of leukaemias, B-ALL about 75 % of ALL, about 60 % of adults relapsed or
    # refractory
    table = design_funnel(80_000).table
    assert [step(table, name)["share"] for name in ("ALL", "B-ALL", "relapsed-refractory")] == [0.15, 0.75, 0.6]
    # by hand: 80,000 x 0.15 x 0.75 x 0.4 x 0.6
    assert step(table, "relapsed-refractory")["count"] == pytest.approx(2160)
    # published: ZUMA-3, 55 infused of 71; UK series, 134 apheresed of 142 eligible
    assert step(table, "infused")["share"] == pytest.approx(55 / 71)
    assert step(table, "leukapheresed")["share"] == pytest.approx(134 / 142)
    assert table["step"].to_list() == ["leukaemia", *KNOWN]


def test_every_share_has_a_source_or_is_called_an_assumption():
    file = load_funnel()
    shares = [share for item in file.steps for share in (item, *item.choices.values())]
    assert all(len(share.source) > 10 for share in shares)
    for share in shares:
        counted = share.events is not None
        assert counted != ("assumption" in share.source)
    table = design_funnel(1000).table
    assert table.filter("assumed")["step"].to_list() == ["eligible"]


def test_the_file_is_packaged():
    assert (resources.files("cartrial.design.enrolment") / "data" / "funnel.yaml").is_file()


@pytest.mark.shows("EST-funnel")
def test_counts_by_hand():
    found = design_funnel(10_000, shares=KNOWN)
    expected = 10_000.0
    for name, share in KNOWN.items():
        expected *= share
        item = step(found.table, name)
        # known shares leave no band
        assert (item["count"], item["low"], item["high"]) == pytest.approx((expected,) * 3)
        assert item["source"] == "given" and not item["assumed"]
    fewer = design_funnel(10_000, shares=KNOWN, leave_out=("adult",))
    assert step(fewer.table, "infused")["count"] == pytest.approx(expected / 0.4)
    assert "adult" not in fewer.table["step"].to_list()


def test_other_sources():
    table = design_funnel(1000, choose={"infused": "eliana", "eligible": "eliana-screening"}).table
    # published: ELIANA: 113 screened, 97 enrolled, 79 infused
    assert step(table, "infused")["share"] == pytest.approx(79 / 97)
    assert step(table, "eligible")["share"] == pytest.approx(97 / 113)
    assert step(design_funnel(1000, shares={"infused": Share(events=3, of=4, source="x")}).table, "infused")["source"] == "x"


@pytest.mark.shows("EST-funnel")
def test_bands_equal_an_independent_count():
    # independent: another generator; beta distributions of mean m and the standard deviation that the 80 % range implies
    shares = {"ALL": (0.15, 0.12, 0.18), "B-ALL": (0.75, 0.7, 0.8), "eligible": (0.5, 0.3, 0.7), "infused": Share(events=55, of=71)}
    found = design_funnel(50_000, shares={**KNOWN, **shares}, draws=40_000)
    rng = np.random.default_rng(3)
    sample = np.full(200_000, 50_000 * 0.4 * 0.6 * 0.9)
    for mean, low, high in ((0.15, 0.12, 0.18), (0.75, 0.7, 0.8), (0.5, 0.3, 0.7)):
        sd = (high - low) / 2 / stats.norm.ppf(0.9)
        size = mean * (1 - mean) / sd**2 - 1
        sample *= rng.beta(mean * size, (1 - mean) * size, len(sample))
    sample *= rng.beta(55, 16, len(sample))
    last = step(found.table, "infused")
    assert last["count"] == pytest.approx(sample.mean(), rel=0.01)
    assert last["count"] == pytest.approx(found.draws["infused"].mean(), rel=0.01)
    assert (last["low"], last["high"]) == pytest.approx(tuple(np.quantile(sample, [0.1, 0.9])), rel=0.02)
    # the range of a share is nearly what was given
    eligible = step(found.table, "eligible")
    assert (eligible["share_low"], eligible["share_high"]) == pytest.approx((0.3, 0.7), abs=0.015)


def test_all_or_none_of_a_count():
    # by hand: Jeffreys' prior: 12 of 12 has mean 12.5 / 13
    assert Share(events=12, of=12).mean == pytest.approx(12.5 / 13)
    assert Share(events=0, of=10).mean == pytest.approx(0.5 / 11)


@examples(25)
@given(cases=st.floats(10, 1e6), more=st.floats(1.1, 10), seed=st.integers(0, 1000))
def test_counts_fall_from_step_to_step(cases, more, seed):
    one, two = design_funnel(cases, draws=200, seed=seed), design_funnel(cases * more, draws=200, seed=seed)
    for name in ("count", "low", "high"):
        values = one.table[name].to_numpy()
        assert (np.diff(values) <= 1e-9).all() and (values > 0).all()
        assert two.table[name].to_numpy() == pytest.approx(values * more)
    assert design_funnel(cases, draws=200, seed=seed).table.equals(one.table)


# ----------------------------------------------------------------------------------------------- years and sites


def test_years_by_hand():
    # by hand: 777.6 infused a year (100,000 cases), 5 sites of 2 % each: 39 take 39 / 77.76 years on average, gamma-distributed
    funnel = design_funnel(100_000, shares={**KNOWN, "leukapheresed": 0.9, "infused": 0.8}, draws=40_000)
    yearly = 100_000 * 0.15 * 0.75 * 0.4 * 0.6 * 0.5 * 0.9 * 0.8
    found = design_reach(funnel, 39, site_share=0.02, sites=5, years=0.6)
    time = stats.gamma(39, scale=1 / (yearly * 0.1))
    assert found.covered == pytest.approx(0.1) and abs(found.mean - time.mean()) < 4 * time.std() / sqrt(40_000)
    assert (found.lower, found.median, found.upper) == pytest.approx(tuple(time.ppf([0.1, 0.5, 0.9])), rel=0.01)
    assert found.probability == pytest.approx(time.cdf(0.6), abs=0.01)
    # no more than the whole region can come
    assert design_reach(funnel, 39, site_share=0.02, sites=80).covered == 1
    assert design_reach(funnel, 39, site_share=0.02, sites=5, step="eligible").mean < found.mean


def test_sites_by_hand():
    # by hand: the smallest share c with P(gamma(39) / (yearly c) <= 1 year) of at least 0.8, in steps of 1 %
    funnel = design_funnel(60_000, shares=KNOWN, draws=40_000)
    yearly = 60_000 * np.prod(list(KNOWN.values()))
    found = design_reach(funnel, 39, site_share=0.01, years=1, certainty=0.8)
    assert found.sites == ceil(stats.gamma(39).ppf(0.8) / yearly / 0.01)
    assert found.probability >= 0.8
    assert design_reach(funnel, 39, site_share=0.01, years=1, sites=found.sites - 1).probability < 0.8


# ------------------------------------------------------------------------------------------------------ bad input


def test_bad_input(tmp_path):
    def file(text: str):
        def run():
            path = tmp_path / "funnel.yaml"
            path.write_text("schema: 1\nstart: {id: leukaemia, label: x}\nsteps:\n" + text)
            return design_funnel(1000, path=path)

        return run

    funnel = design_funnel(1000, draws=200)
    cases = [
        (lambda: design_funnel(0), "cases: 0 cases a year cannot be"),
        (lambda: design_funnel(-5), "cases: -5 cases a year cannot be"),
        (lambda: design_funnel("many"), "'many' cases a year cannot be"),
        (lambda: design_funnel(1000, draws=0), "draws: there are 0 draws"),
        (lambda: design_funnel(1000, shares={"infused": 1.2}), "the share 1.2 (1.2 to 1.2) cannot be"),
        (lambda: design_funnel(1000, shares={"infused": (0.5, 0.6, 0.7)}), "the share 0.5 (0.6 to 0.7) cannot be"),
        (lambda: design_funnel(1000, shares={"infused": (0.5, 0.0, 1.0)}), None),
        (lambda: design_funnel(1000, shares={"infused": (0.05, 0.0, 0.9)}), "a range from 0 to 0.9 is too wide for 0.05"),
        (lambda: design_funnel(1000, shares={"infusd": 0.5}), "shares: there is no step 'infusd'. The nearest known step is 'infused'"),
        (lambda: design_funnel(1000, leave_out=("xyz",)), "leave_out: there is no step 'xyz'. Steps are: ALL"),
        (lambda: design_funnel(1000, choose={"infused": "elana"}), "no choice 'elana'. Choices are: eliana, uk, pooled"),
        (lambda: design_funnel(1000, choose={"ALL": "uk"}), "Choices are: none"),
        (lambda: design_funnel(1000, choose={"infused": "uk"}, shares={"infused": 0.5}), "has a share and a choice"),
        (lambda: load_funnel(tmp_path / "none.yaml"), "the file cannot be read"),
        (file("  - {id: ALL, label: a, value: 1.5}\n"), "funnel.yaml, row 4, steps.0.value: the share 1.5"),
        (file("  - {id: ALL, label: a}\n"), "the share is not given by one fact"),
        (file("  - {id: ALL, label: a, value: 0.5, events: 3, of: 4}\n"), "the share is not given by one fact"),
        (file("  - {id: ALL, label: a, result: share-all, value: 0.15}\n"), "the number of share-all stands in the registry of evidence"),
        (file("  - {id: ALL, label: a, result: share-al}\n"), "no result is called 'share-al'"),
        (file("  - {id: ALL, label: a, result: mskcc-os}\n"), "mskcc-os is no share"),
        (file("  - {id: ALL, label: a, events: 5, of: 4}\n"), "5 of 4 cannot be a share"),
        (file("  - {id: ALL, label: a, events: 5}\n"), "5 of None cannot be a share"),
        (file("  - {id: ALL, label: a, value: 0.5}\n  - {id: ALL, label: b, value: 0.5}\n"), "the step 'ALL' stands twice"),
        (file("  - {id: ALL, label: a, valu: 0.5}\n"), "unknown key 'valu'"),
        (lambda: design_reach(funnel, 0, site_share=0.1, sites=1), "n: there are 0 subjects"),
        (lambda: design_reach(funnel, 9, site_share=1.1, sites=1), "site_share: the share 1.1 of one site cannot be"),
        (lambda: design_reach(funnel, 9, site_share=0, sites=1), "the share 0 of one site cannot be"),
        (lambda: design_reach(funnel, 9, site_share=0.1), "sites: neither sites nor years are given"),
        (lambda: design_reach(funnel, 9, site_share=0.1, sites=0), "sites: there are 0 sites"),
        (lambda: design_reach(funnel, 9, site_share=0.1, years=0), "years: 0 years cannot be"),
        (lambda: design_reach(funnel, 9, site_share=0.1, sites=1, step="born"), "step: there is no step 'born'"),
        (lambda: design_reach(funnel, 9, site_share=0.1, years=1, certainty=1), "certainty: the certainty 1"),
        (lambda: design_reach(funnel, 39, site_share=0.1, years=0.5), "years: the whole region has 39 subjects within 0.5 years"),
        (lambda: design_reach(design_funnel(9, shares={"infused": 0}), 9, site_share=0.1, sites=1), "nobody reaches the step 'infused'"),
    ]
    for call, words in cases:
        if words is None:
            assert call().table.height == 8
            continue
        with pytest.raises(InputError) as error:
            call()
        assert words in str(error.value)
