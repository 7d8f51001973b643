"""Two worlds stand for any share of the resistant: the mixture is what a direct simulation gives, row for row."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cartrial.analysis import analyse
from cartrial.design.exact.staged import Staged
from cartrial.design.trials.contrasts import SETTINGS, contrast_rows, variants_of, vary
from cartrial.design.trials.truth import Truths
from cartrial.design.trials.worlds import OPEN, OUTSIDE, ask, choose_endpoint, resistant_parameter, simulate_worlds, with_share
from cartrial.endpoints import derive
from cartrial.errors import InputError
from cartrial.sdtm.records import Records
from cartrial.study import Study
from cartrial.virtual.patients.draws import draw_patients
from cartrial.virtual.patients.ensemble import Ensemble
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.trial import plan_study, simulate_study
from cartrial.virtual.trial.arrivals import NEVER, Accrued, accrue_trials

pytest.importorskip("numba")

# each parameter set has another share; a mixture that took one of them for all would differ
SHARES = np.array([0.3, 0.5, 0.7])
FIRST, LAST = 4, 15


def make_plan(name: str = "inaticel", n: int = 6, seed: int = 11, **changes: dict[str, float]):
    """Return a small plan with three parameter sets near the prior: nothing here depends on the calibration."""
    model = load_model()
    mean, sd = model.prior
    ensemble = Ensemble(mean + np.array([[-0.1], [0.0], [0.1]]) * sd, model, {})
    return plan_study(Study.load(name), n=n, seed=seed, ensemble=ensemble, changes=changes or None)


def truths_of(shares: np.ndarray) -> Truths:
    """Return truths of given shares, as if they had been found."""
    rows = np.atleast_2d(shares)
    some = np.full(len(rows), 0.01)
    rates = tuple(0.3 + 0.1 * i for i in range(len(rows)))
    return Truths("ORR3", rates, rows, 0 * rows, np.array(rates), some, some, (0.0, 1.0), 0.5, 0.01, 1000)


def everything(plan, share):
    """Return the ADaM sets of a direct simulation."""
    records = simulate_study(plan.study, plan=with_share(plan, share), trials=LAST - FIRST + 1, first=FIRST)
    return records, derive(plan.study, records)


@pytest.fixture(scope="module")
def sets():
    """Return the plan, its subjects, and the ADaM sets of both worlds and of the shares."""
    plan = make_plan()
    people = accrue_trials(plan, np.arange(FIRST, LAST + 1))
    return plan, people, [everything(plan, share)[1] for share in (0.0, 1.0)], everything(plan, SHARES)


@pytest.fixture(scope="module")
def worlds():
    """Return the worlds of the same trials with every variant of the endpoint."""
    plan = make_plan()
    endpoint = choose_endpoint(plan.study)
    return simulate_worlds(ask(plan, endpoint, variants_of(plan.study, endpoint)), FIRST, LAST)


def resistant_of(plan, people) -> np.ndarray:
    """Return who is resistant as the patients of the shifted ensemble themselves say."""
    keys = plan.keys(people.trial, people.subject)
    return draw_patients(plan.population, with_share(plan, SHARES).ensemble, keys).covariates["poor_product"]


@pytest.mark.slow
def test_every_row_of_adam_is_that_of_one_of_the_worlds(sets):
    # independent: the ensemble itself is shifted and simulated, against rows picked from the two worlds
    plan, people, both, (_, direct) = sets
    poor = resistant_of(plan, people)
    assert 0.2 < poor.mean() < 0.8
    for name, frame in direct.sets().items():
        taken = [world.sets()[name].filter(pl.Series(poor == i).gather(world.sets()[name]["SUBJ"])) for i, world in enumerate(both)]
        by = [column for column in ("SUBJ", "PARAMCD", "VARIANT", "READER", "ADT", "ASEQ", "AESEQ", "SRCSEQ") if column in frame.columns]
        mixed = pl.concat(taken).sort(by, maintain_order=True)
        assert_frame_equal(mixed, frame.sort(by, maintain_order=True))
        if name in ("ADRS", "ADTTE"):
            # the worlds do differ, so that the equality says something
            assert not both[0].sets()[name].equals(both[1].sets()[name])


def test_who_comes_does_not_depend_on_the_share(sets):
    plan, people, _, _ = sets
    for share in (0.0, 0.4, 1.0):
        again = accrue_trials(with_share(plan, share), np.arange(FIRST, LAST + 1))
        assert all(np.array_equal(getattr(again, field.name), getattr(people, field.name)) for field in fields(Accrued))


def test_counts_are_those_of_the_analysis(sets, worlds):
    # independent: `derive` and `analyse` of the whole study on the direct simulation
    plan, _, _, (records, direct) = sets
    results = analyse(plan.study, direct, records, analyses=("response",))
    mixed = worlds.pick(worlds.value, SHARES)
    whole = results.filter(pl.col("by") == "").sort("trial")
    # the study's own name of an endpoint and variant, and ours
    for endpoint, variant, name in (
        ("ORR3", "", ""),
        ("ORR3", "population=enrolled", "population=enrolled"),
        ("ORR3", "hsct=treatment-policy", "hsct=treatment-policy"),
        ("ORR3", "reader=INV", "reader=INV"),
        ("ORRW3", "", "window.within=month 3"),
    ):
        rows = whole.filter((pl.col("endpoint") == endpoint) & (pl.col("variant") == variant))
        found = mixed[worlds.names.index(name)]
        assert rows.filter(pl.col("statistic") == "n")["value"].to_list() == (found == 1).sum(1).tolist()
        assert rows.filter(pl.col("statistic") == "N")["value"].to_list() == (found >= 0).sum(1).tolist()


def test_days_are_those_of_the_subjects(sets, worlds):
    plan, people, _, _ = sets
    order = np.lexsort((people.subject, people.trial))
    for name in ("consent", "enrolled", "infusion"):
        assert np.array_equal(getattr(worlds, name)[worlds.there], getattr(people, name)[order])
    counted = worlds.value[0, 0] >= 0
    assert np.array_equal(counted, worlds.infusion < NEVER) and (counted.sum(1) == plan.size).all()


def values_on(study: Study, records: Records, cutoff: np.ndarray) -> np.ndarray:
    """Return the endpoint of each subject derived from the records with its own cutoff."""
    cut = records.replace(subjects=records.subjects.with_columns(pl.Series("CUTOFF", cutoff.astype(np.int32))))
    rows = derive(study, cut).adrs
    values = np.full(len(cutoff), OUTSIDE)
    values[rows["SUBJ"].to_numpy()] = rows["AVAL"].fill_null(OPEN).cast(pl.Int64).to_numpy()
    return values


# reasons that, by the rules, decide before the window ends
# whoever was read NR or PD before new therapy has the reason no-response
EARLY = {"response", "no-response", "relapse", "death", "hsct"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inaticel", "allo-cd19"])
def test_a_result_is_known_from_the_first_cutoff_that_gives_it(name):
    # independent: records are cut and everything is derived again, the day before, on the day, and on days after it
    full = make_plan(name, n=20)
    endpoint = choose_endpoint(full.study)
    plan = with_share(ask(full, endpoint), 0.5)
    worlds = simulate_worlds(plan, 0, 9, shares=np.full((1, 3), 0.5))
    people = accrue_trials(plan, np.arange(10))
    order = np.lexsort((people.subject, people.trial))
    records = simulate_study(plan.study, plan=plan, trials=10)
    # each subject is simulated in the world in which a share of one half puts it
    known = np.empty(len(people), np.int64)
    known[order] = worlds.pick(worlds.known, np.full(3, 0.5))[worlds.there]
    cutoff = np.full(len(people), plan.cutoff)
    final = values_on(plan.study, records, cutoff)
    counted = final >= 0
    assert counted.sum() >= 200
    assert (values_on(plan.study, records, known - 1) != final)[counted].all()
    chance = np.random.default_rng(1)
    for later in (0, 1, 7, 14, 60, 200, *(chance.integers(0, 740, len(people)) for _ in range(6))):
        assert np.array_equal(values_on(plan.study, records, np.minimum(known + later, cutoff))[counted], final[counted])
    rows = derive(plan.study, records).adrs
    end = people.enrolled + 730 if name == "allo-cd19" else people.infusion + 104
    early = pl.Series(known < end).gather(rows["SUBJ"])
    assert set(rows.filter(early & rows["AVAL"].is_not_null())["REASON"]) - {"product-failure", "withdrawn"} == EARLY
    # by hand: a relapse, a transplant or a new therapy ends the study of a subject's response within months, not after two years
    ended = rows["REASON"].is_in(["relapse", "hsct", "new-therapy"])
    assert (early | ~ended).all()


def test_evaluable_subjects_are_those_of_adsl(sets, worlds):
    _, people, both, _ = sets
    order = np.lexsort((people.subject, people.trial))
    for world in (0, 1):
        assert np.array_equal(worlds.evaluable[world][worlds.there], (both[world].adsl["EVALFL"] == "Y").to_numpy()[order])


def test_only_what_the_shares_need_is_simulated(worlds):
    plan = make_plan()
    endpoint = choose_endpoint(plan.study)
    shares = np.array([[0.3, 0.4, 0.5], [0.5, 0.5, 0.5]])
    asked = ask(plan, endpoint, variants_of(plan.study, endpoint))
    some = simulate_worlds(asked, FIRST, LAST, shares=shares)
    for share in (*shares, shares.mean(axis=0)):
        for name in ("value", "known", "evaluable"):
            mixed = some.pick(getattr(some, name), share)
            assert np.array_equal(mixed[..., some.there], worlds.pick(getattr(worlds, name), share)[..., worlds.there])
    assert ((some.value[0, 0] == OUTSIDE) & (worlds.value[0, 0] != OUTSIDE)).any()
    with pytest.raises(InputError, match="not simulated for such shares"):
        some.pick(some.value, np.full(3, 0.6))


def test_a_trial_depends_on_its_number_alone(worlds):
    plan = make_plan()
    endpoint = choose_endpoint(plan.study)
    alone = simulate_worlds(ask(plan, endpoint, variants_of(plan.study, endpoint)), FIRST + 3, FIRST + 3, threads=1)
    places = alone.there.shape[1]
    assert np.array_equal(alone.there[0], worlds.there[3, :places])
    for name in ("value", "known", "evaluable", "rank", "consent"):
        assert np.array_equal(getattr(alone, name)[..., 0, :], getattr(worlds, name)[..., 3, :places])


@pytest.mark.parametrize("name", ["inaticel", "allo-cd19"])
def test_shares_are_shares_of_the_patients(name):
    plan = make_plan(name)
    own = with_share(plan, SHARES).ensemble.natural(np.arange(3))
    assert own[resistant_parameter(plan.population)] == pytest.approx(SHARES, abs=1e-12)
    others = [key for key in own if key != resistant_parameter(plan.population)]
    before = plan.ensemble.natural(np.arange(3))
    assert all(np.array_equal(own[key], before[key]) for key in others)
    keys = plan.keys(np.zeros(500, int), np.arange(500))
    for share in (0.0, 1.0):
        poor = draw_patients(plan.population, with_share(plan, share).ensemble, keys).covariates["poor_product"]
        assert poor.mean() == share


def test_an_endpoint_of_the_enrolled():
    plan = make_plan("allo-cd19", n=4)
    endpoint = choose_endpoint(plan.study)
    assert (endpoint.id, endpoint.population) == ("CRR", "enrolled")
    worlds = simulate_worlds(ask(plan, endpoint, variants_of(plan.study, endpoint)), 0, 3)
    enrolled = worlds.enrolled < NEVER
    assert np.array_equal(worlds.value[0, 0] != OUTSIDE, enrolled)
    never = enrolled & (worlds.infusion == NEVER)
    assert np.isin(worlds.value[:, 0][:, never], (0, OPEN)).all()
    assert (worlds.known[:, enrolled] <= worlds.enrolled[enrolled] + 730).all()


@pytest.mark.slow
def test_without_reading_errors_investigator_and_committee_agree():
    # by construction: the same samples under the same criteria
    plan = vary(make_plan(n=8), SETTINGS[0])
    endpoint = choose_endpoint(plan.study)
    exact = simulate_worlds(ask(plan, endpoint, [{"reader": "INV"}]), 0, 19)
    assert SETTINGS[0].factor == 0 and exact.names == ("", "reader=INV")
    assert np.array_equal(exact.value[:, 0], exact.value[:, 1])
    worse = vary(make_plan(n=8, readers={"investigator-error": 0.45}), SETTINGS[1])
    assert worse.settings.readers.investigator_error.value == pytest.approx(0.9) and worse.settings.readers.recovery_share.value == 0.2
    wrong = simulate_worlds(ask(worse, endpoint, [{"reader": "INV"}]), 0, 19)
    assert not np.array_equal(wrong.value[:, 0], wrong.value[:, 1])
    assert vary(make_plan(visits={"missed": 0.7}), SETTINGS[3]).settings.visits.missed.value == 1.0


def test_comparisons_count_the_first_n_to_consent(worlds):
    design = Staged("one", (5,), (2,), (3,), 0.3, 0.5, "by hand", "none")
    truths = truths_of(np.stack([SHARES, SHARES + 0.2]))
    rows = contrast_rows(worlds, "", [design], truths)
    assert rows.height == 2 * len(worlds.names) * worlds.there.shape[0]
    for share, rate in zip(truths.shares, truths.rates, strict=True):
        mixed = worlds.pick(worlds.value, share)
        for i, name in enumerate(worlds.names):
            # independent: a loop over the trials, in plain Python
            expected = []
            for trial in mixed[i].tolist():
                first = [value for value in trial if value >= 0][:5]
                expected.append((sum(first), len(first), sum(first) >= 3))
            found = rows.filter((pl.col("truth") == rate) & (pl.col("variant") == name)).sort("trial")
            assert found.select("responders", "subjects", "success").rows() == expected
            assert found["trial"].to_list() == list(range(FIRST, LAST + 1))
    large = Staged("large", (7,), (2,), (3,), 0.3, 0.5, "by hand", "none")
    of_infused = contrast_rows(worlds, "", [large], truths).filter(pl.col("variant") == "")
    assert of_infused["success"].null_count() == of_infused.height


def test_wrong_endpoints_are_refused():
    study = Study.load("inaticel")
    assert choose_endpoint(study).id == "ORR3" and choose_endpoint(study, "ORRW3").id == "ORRW3"
    with pytest.raises(InputError, match="'OS' is no response rate"):
        choose_endpoint(study, "OS")
    with pytest.raises(InputError, match="known on no day"):
        choose_endpoint(study, "BORR")
    orr3 = study.endpoints[0].model_copy(update={"population": "evaluable"})
    with pytest.raises(InputError, match="cannot know in advance"):
        choose_endpoint(study.model_copy(update={"endpoints": (orr3,)}))
    with pytest.raises(InputError, match="no primary response rate"):
        choose_endpoint(study.model_copy(update={"endpoints": study.endpoints[-1:], "testing": None}))


def test_a_cutoff_within_the_window_is_refused():
    plan = make_plan(accrual={"follow-up-of-last": 60})
    with pytest.raises(InputError, match="not yet assessable at the cutoff") as caught:
        simulate_worlds(ask(plan, choose_endpoint(plan.study)), 0, 5)
    assert caught.value.key == "accrual.follow-up-of-last"
