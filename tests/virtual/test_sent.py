"""What virtual sites send beside what endpoints are made of: each kind of record against the true course of its patient.

Origin of the expected values: `by hand` from the settings and from what each test's docstring says; `independent` where a second
implementation (scipy.stats, plain Python over dates) is named.
"""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cartrial.endpoints import check_endpoints, derive
from cartrial.errors import InputError
from cartrial.sdtm import check_sdtm
from cartrial.sdtm.forms.delimited import csv_bytes
from cartrial.sdtm.records import derive_records
from cartrial.sdtm.vocabulary.schema import variable_label
from cartrial.study import Study
from cartrial.study.criteria.codes import RELAPSE
from cartrial.virtual.patients.ensemble import Ensemble
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.patients.randomness import Keys
from cartrial.virtual.trial import emit_sdtm, plan_study, simulate_study, virtual_study
from cartrial.virtual.trial.arrivals import accrue_trials
from cartrial.virtual.trial.assays import BELOW, CIRCULATING, HEMODILUTE, MRD
from cartrial.virtual.trial.emit import source_of
from cartrial.virtual.trial.rows import make_rows
from cartrial.virtual.trial.sent.collect import Collector
from cartrial.virtual.trial.sent.demography import Demography, draw_origin
from cartrial.virtual.trial.sent.second import binomial, poisson, sequence
from cartrial.yamlfile import validate
from properties import examples

pytest.importorskip("numba")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:scipy")


def make_plan(name: str = "inaticel", n: int = 39, seed: int = 3, **changes: dict[str, float]):
    """Return a plan of a built-in study, of three parameter sets near the prior."""
    model = load_model()
    mean, sd = model.prior
    ensemble = Ensemble(mean + np.array([[-0.5], [0.0], [0.5]]) * sd * 0.2, model, {})
    return plan_study(virtual_study(Study.load(name)), n=n, seed=seed, ensemble=ensemble, changes=changes or None)


def with_disease(plan, **changes: object):
    """Return the plan with another word about the disease in its study."""
    study = plan.study.model_copy(update={"disease": plan.study.disease.model_copy(update=changes)})
    return plan_study(study, n=plan.size, seed=plan.seed, ensemble=plan.ensemble)


def reading(plan, *methods: str):
    """Return the plan whose study reads residual disease by these methods."""
    return with_disease(plan, mrd=plan.study.disease.mrd.model_copy(update={"methods": methods}))


@pytest.fixture(scope="module")
def trials():
    """Return a plan, the rows of four of its trials as one, and their courses."""
    plan = make_plan()
    return plan, make_rows(plan, accrue_trials(plan, np.arange(4)), sent=True)


@pytest.fixture(scope="module", params=["inaticel", "allo-cd19"])
def source(request):
    """Return a plan and its first trial as SDTM."""
    plan = make_plan(request.param, n=20)
    return plan, emit_sdtm(plan.study, plan=plan)


def dated(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# --------------------------------------------------------------------------------------------------------------- numbers


@given(st.integers(0, 10**6), st.sampled_from(["inaticel", "allo-cd19"]))
@examples(30)
def test_no_value_is_minus_zero(seed, name):
    """By hand: a number that rounds to nothing is 0, as a number, as text and in a file."""
    plan = make_plan(name, n=3, seed=seed)
    for domain, frame in emit_sdtm(plan.study, plan=plan).domains.items():
        for column in frame.iter_columns():
            if column.dtype == pl.Float64:
                values = column.drop_nulls().to_numpy()
                assert not np.signbit(values[values == 0]).any(), (domain, column.name)
        assert not re.search(rb"(^|,)<?-0+(\.0*)?(,|$)", csv_bytes(frame), re.MULTILINE), domain


def test_counts_are_those_of_their_distributions():
    """Independent: the quantiles of scipy.stats; above 10,000 a normal count, within 1 % of a standard deviation or two cells."""
    rng = np.random.default_rng(5)
    chance = rng.random(4000)
    mean, share = 10 ** rng.uniform(-9, 4.5, 4000), rng.random(4000) ** 4
    expected = stats.poisson.ppf(chance, mean)
    few = mean <= 1e4
    assert (poisson(mean, chance)[few] == expected[few]).all()
    assert (np.abs(poisson(mean, chance) - expected)[~few] <= 0.01 * np.sqrt(mean[~few]) + 2).all()
    assert (binomial(1000, share, chance) == stats.binom.ppf(chance, 1000, share)).all()
    assert binomial(1000, np.array([0.0, 1.0]), np.array([0.9, 0.1])).tolist() == [0.0, 1000.0]


# ------------------------------------------------------------------------------------------------------------ phenotype


def test_cd19_at_relapse_is_that_of_the_course(trials):
    """By hand: a result where, and only where, the investigator first calls a relapse and the sample has leukaemic cells; of 1,000 cells,
    so within 5 binomial standard deviations of the true share; positive from 20 % on."""
    _, rows = trials
    followed, here = rows.followed, np.flatnonzero(rows.people.infused)
    lab = rows.domains["LB"]
    share, status = (lab.filter(pl.col("TEST").is_in(codes)) for codes in ([11, 12], [13, 14]))
    relapsed = {}
    for i, visits in enumerate(followed.calls[..., 0] == RELAPSE):
        if visits.any():
            v = int(visits.argmax())
            seen = followed.measured.visit[i, v]
            if seen[0] != HEMODILUTE or seen[CIRCULATING] > 0:
                at = int(np.searchsorted(followed.course.days, followed.schedule.visit[i, v]))
                day = int(rows.people.infusion[here[i]] + followed.schedule.visit[i, v])
                relapsed[int(here[i])] = (day, float(followed.course.negative_share[i, at]), seen[0] != HEMODILUTE)
    assert len(relapsed) > 20
    assert {subject: day for subject, (day, _, _) in relapsed.items()} == dict(share.select("SUBJ", "DAY").iter_rows())
    for subject, test, value in share.select("SUBJ", "TEST", "VALUE").iter_rows():
        _, negative, marrow = relapsed[subject]
        true = 100 * (1 - negative)
        assert abs(value - true) <= 5 * np.sqrt(true * (100 - true) / 1000) + 0.11
        assert test == (11 if marrow else 12)
    called = share.join(status, on="SUBJ", suffix="_CALLED")
    assert called.height == len(relapsed)
    assert ((called["VALUE"] >= 20) == (called["VALUE_CALLED"] != BELOW)).all()
    assert 0 < (called["VALUE_CALLED"] == BELOW).sum() < called.height


# ----------------------------------------------------------------------------------------------------------- sequencing


def test_sequencing_sees_the_same_sample_as_flow(trials):
    """Independent: whether two cells are among those sequenced has the chance of scipy.stats; flow needs 20 of 200,000 cells, so what flow
    finds sequencing finds, and what it finds alone is below 2e-4."""
    plan, rows = trials
    measured, people = rows.followed.measured, rows.people.take(np.flatnonzero(rows.people.infused))
    result, limit = sequence(plan.settings, measured, plan.keys(people.trial, people.subject))
    flow = measured.visit[..., MRD]
    taken = ~np.isnan(result)
    assert not (taken & np.isnan(flow)).any()
    followed = taken.any(1)
    assert 0.85 < followed.mean() < 1.0 and (taken[followed] == ~np.isnan(flow[followed])).all()
    cells = np.rint(2 / limit)
    assert 0.7e-6 < np.median(limit) < 1.4e-6 and limit.std() > 0
    positive, by_flow = result != BELOW, flow != BELOW
    assert (result[taken & positive] >= limit[taken & positive]).all()
    assert positive[taken & by_flow].all()
    assert (result[taken & positive & ~by_flow] < 2e-4).all() and (taken & positive & ~by_flow).any()
    chance = stats.poisson.sf(1, cells * measured.share)[taken]
    error = np.sqrt((chance * (1 - chance)).sum())
    assert abs(positive[taken].sum() - chance.sum()) <= 4 * error + 1
    both = taken & positive & (measured.share > 1e-3)
    assert (np.abs(result[both] / measured.share[both] - 1) < 0.15).all()


def one_path(plan) -> pl.DataFrame:
    """Return sequencing as sent, after a look at what must hold in any case: no finding, and the records of files are those simulated."""
    sent = emit_sdtm(plan.study, plan=plan)
    assert check_sdtm(plan.study, sent).height == 0
    assert derive_records(plan.study, sent).labs.equals(simulate_study(plan.study, plan=plan).labs)
    return sent.domains["LB"].filter(pl.col("LBMETHOD") == "NEXT GENERATION SEQUENCING")


def statuses(plan) -> pl.DataFrame:
    """Return the statuses of two trials."""
    return derive(plan.study, simulate_study(plan.study, plan=plan, trials=2)).adresp


@pytest.mark.slow
@pytest.mark.shows("STUDY-disease.mrd.methods")
def test_sequencing_is_read_where_the_study_says_so():
    """By hand: named by nobody or beside flow alone, every status is what it was, also in a single trial that has all that is sent. At 1e-5
    flow (1e-4) proves no negative, and sequencing does."""
    plan = make_plan(n=8)
    flow = reading(plan, "FLOW CYTOMETRY")
    assert one_path(plan)["LBTESTCD"].unique().to_list() == ["MRDSEQ"]
    assert one_path(flow)["LBTESTCD"].unique().to_list() == ["MRD"]
    before = statuses(plan)
    assert before.equals(statuses(flow))
    single = derive(plan.study, emit_sdtm(plan.study, plan=plan)).adresp
    shared = [name for name in before.columns if name != "ORRES"]
    assert single.select(shared).equals(before.filter(pl.col("TRIAL") == 0).select(shared))
    stricter = plan.study.disease.mrd.model_copy(update={"negative_below": 1e-5, "methods": ("FLOW CYTOMETRY",)})
    assert "NEGATIVE" not in statuses(with_disease(plan, mrd=stricter))["MRD"].to_list()
    alone = with_disease(plan, mrd=stricter.model_copy(update={"methods": ("NGS",)}))
    assert one_path(alone)["LBLOD"].max() < 1e-5
    assert "NEGATIVE" in statuses(alone)["MRD"].to_list()


@pytest.mark.slow
@pytest.mark.shows("STUDY-disease.mrd.methods")
def test_a_study_without_a_result_by_its_methods_is_told(source):
    """By hand: every result by flow, and a study that reads PCR alone: a finding, and residual disease is not recorded."""
    plan, sent = source
    study = reading(plan, "PCR").study
    found = check_sdtm(study, sent)
    assert "mrd-method-other" in found["RULE"].to_list()
    assert not derive_records(study, sent).recorded.trials["MRD"].any()


# ------------------------------------------------------------------------------------------------------------------ care


def test_transfusions_fit_the_counts(trials):
    """By hand from the settings: platelets below 10, at least three days apart, and whoever has so few has had some within three days;
    red cells below 20, seven days apart; none from new therapy, conditioning or death on."""
    _, rows = trials
    followed, people = rows.followed, rows.people
    here = {int(subject): i for i, subject in enumerate(np.flatnonzero(people.infused))}
    given = rows.domains["PR"].filter(pl.col("KIND").str.contains("TRANSFUSION"))
    assert given["KIND"].n_unique() == 2 and given.height > 100
    for kind, limit, apart in (("PLATELET TRANSFUSION", 10, 3), ("RED BLOOD CELL TRANSFUSION", 20, 7)):
        for (subject,), days in given.filter(pl.col("KIND") == kind).group_by("SUBJ"):
            i, when = here[subject], days["DAY"].to_numpy() - people.infusion[subject]
            counts = counts_of(followed, i)
            assert all(counts[int(day)][1] < limit for day in when)
            assert (np.diff(np.sort(when)) >= apart).all()
            assert when.max() <= followed.supported[i]
    platelets = given.filter(pl.col("KIND") == "PLATELET TRANSFUSION")
    for subject, i in here.items():
        had = set((platelets.filter(pl.col("SUBJ") == subject)["DAY"] - int(people.infusion[subject])).to_list())
        for day, (_, count) in counts_of(followed, i).items():
            if count < 10 and day <= followed.supported[i]:
                assert had & set(range(day - 2, day + 1)), (subject, day)
    conditioned = np.where(followed.transplant < 2**30, followed.transplant - 7, 2**30)
    assert (followed.supported <= np.minimum(followed.end, np.minimum(followed.therapy, conditioned) - 1)).all()


def counts_of(followed, i: int) -> dict[int, tuple[float, float]]:
    """Return neutrophils and platelets of a subject by day: of the course, or as sent."""
    course, schedule, measured = followed.course, followed.schedule, followed.measured
    counts = {int(day): (float(course["anc"][i, k]), float(course["plt"][i, k])) for k, day in enumerate(course.days)}
    counts = {day: count for day, count in counts.items() if day < 36 or (day % 7 == 0 and day <= 182)}
    for k, day in enumerate((0, 1, 3, 7, 10, 14, 21)):
        if schedule.sampled[i, k]:
            counts[day] = tuple(measured.early[i, k, [3, 4]])
    for v, day in enumerate(schedule.visit[i]):
        if schedule.kept[i, v] and int(day) in counts:
            counts[int(day)] = tuple(measured.visit[i, v, [3, 4]])
    return counts


def test_growth_factor_is_for_few_neutrophils(trials):
    """By hand from the settings: from day 7 and after cytokine release, from a count below 0.5, for 14 days at most, until it is 1."""
    _, rows = trials
    followed, people = rows.followed, rows.people
    here = {int(subject): i for i, subject in enumerate(np.flatnonzero(people.infused))}
    crs = followed.events["CYTOKINE RELEASE SYNDROME"]
    given = rows.domains["CM"].filter(pl.col("KIND") == "GROWTH FACTOR")
    assert given.height > 50
    for subject, day, end in given.select("SUBJ", "DAY", "ENDDAY").iter_rows():
        i, zero = here[subject], people.infusion[subject]
        start, stop = int(day - zero), int(end - zero)
        counts = counts_of(followed, i)
        assert start >= 7 and counts[start][0] < 0.5
        assert crs.grade[i] == 0 or start > crs.end[i]
        assert start <= stop <= min(start + 13, followed.supported[i])
        assert all(count[0] < 1 for day, count in counts.items() if start <= day <= stop)


@pytest.mark.slow
@pytest.mark.shows("STUDY-disease.options.transfusion-free-days")
def test_criteria_that_ask_for_no_transfusion_are_read_so():
    """By hand: readers that do not err contradict no laboratory value under the rule; and it turns some CR to CRi."""
    none = {"readers": {"reader-error": 0.0, "investigator-error": 0.0, "adjudicator-error": 0.0}}
    plan = make_plan(n=20, **none, support={"platelets-below": 150, "platelets-every": 5})
    options = plan.study.disease.options.model_copy(update={"transfusion_free_days": 7})
    study = plan.study.model_copy(update={"disease": plan.study.disease.model_copy(update={"options": options})})
    asked = type(plan)(study, plan.settings, plan.population, plan.ensemble, plan.seed, plan.size)
    sent = emit_sdtm(study, plan=asked)
    assert check_sdtm(study, sent).height == 0
    assert check_endpoints(study, derive(study, sent)).height == 0
    calls = [simulate_study(each.study, plan=each).calls["RESP"] for each in (plan, asked)]
    assert (calls[0] != calls[1]).sum() > 5
    batch = simulate_study(study, plan=asked, trials=2)
    assert batch.procedures.filter(pl.col("KIND").str.contains("TRANSFUSION")).height > 0


def test_drugs_against_toxicity_follow_its_grade(trials):
    """By hand: tocilizumab where cytokine release reached grade 2, corticosteroids where it reached 3 or neurotoxicity 2, for a week at
    most; the event says that something was given for it."""
    plan, rows = trials
    followed = rows.followed
    here = np.flatnonzero(rows.people.infused)
    crs, icans = (followed.events[name].grade for name in ("CYTOKINE RELEASE SYNDROME", _ICANS))
    care = rows.domains["CM"].filter(pl.col("KIND") == "CYTOKINE RELEASE SYNDROME TREATMENT")
    tocilizumab, steroids = (set(care.filter(pl.col("TRT") == drug)["SUBJ"].to_list()) for drug in ("TOCILIZUMAB", "DEXAMETHASONE"))
    assert tocilizumab <= set(here[crs >= 2].tolist()) and steroids <= set(here[(crs >= 3) | (icans >= 2)].tolist())
    observed = followed.end >= 28
    assert set(here[observed & (crs >= 2)].tolist()) <= tocilizumab
    assert set(here[observed & ((crs >= 3) | (icans >= 2))].tolist()) <= steroids
    for_icans = care.filter(pl.col("INDC") == _ICANS)
    assert set(for_icans["SUBJ"].to_list()) <= set(here[icans >= 2].tolist()) and for_icans.height > 0
    lasts = care.select("TRT", (pl.col("ENDDAY") - pl.col("DAY")).alias("MORE"))
    assert lasts.filter(pl.col("TRT") == "TOCILIZUMAB")["MORE"].unique().to_list() == [0]
    assert lasts.filter(pl.col("TRT") == "DEXAMETHASONE")["MORE"].is_between(0, 6).all()
    one = make_rows(plan, accrue_trials(plan, np.arange(1)), sent=True)
    domains = source_of(plan, one).domains
    events = domains["AE"].filter(pl.col("AEDECOD") == "CYTOKINE RELEASE SYNDROME")
    treated = domains["CM"].filter(pl.col("CMINDC") == "CYTOKINE RELEASE SYNDROME")["USUBJID"].to_list()
    assert set(events.filter(pl.col("AECONTRT") == "Y")["USUBJID"]) == set(treated)
    dose = domains["CM"].filter(pl.col("CMTRT") == "TOCILIZUMAB").select("CMDOSE", "CMDOSU", "CMDOSFRQ", "CMROUTE").unique()
    assert dose.rows() == [(8.0, "mg/kg", "ONCE", "INTRAVENOUS")]


_ICANS = "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME"


# ------------------------------------------------------------------------------------------------------------ submission


def test_demographics_say_when_subjects_were_treated_and_last_seen(source):
    """By hand, SDTM Implementation Guide 3.3, DM: dates of the first and last dose from EX, of participation from all records; no actual
    arm without treatment, and no arm without enrolment, with the reason."""
    plan, sent = source
    people = {row["USUBJID"]: row for row in sent.domains["DM"].iter_rows(named=True)}
    doses, seen = {}, {}
    for name, frame in sent.domains.items():
        for column in (column for column in frame.columns if column.endswith("DTC")):
            for subject, day in frame.select("USUBJID", column).drop_nulls().iter_rows():
                seen.setdefault(subject, []).append(day)
                if (name, column) == ("EX", "EXSTDTC"):
                    doses.setdefault(subject, []).append(day)
    assert {row["ARMNRS"] for row in people.values()} >= {None, "SCREEN FAILURE"}
    for subject, row in people.items():
        given = doses.get(subject)
        assert (row["RFXSTDTC"], row["RFXENDTC"]) == ((min(given), max(given)) if given else (None, None))
        assert row["RFENDTC"] == (row["RFPENDTC"] if given else None)
        assert row["RFPENDTC"] == (row["DTHDTC"] or max(day for day in seen[subject]))
        assert row["RFICDTC"] == row["DMDTC"] and subject.endswith(f"-{row['SUBJID']}")
        arms = (row["ARMCD"], row["ARM"], row["ACTARMCD"], row["ACTARM"])
        name = plan.study.product.name
        assert (
            arms
            == {
                None: ("CART", name, "CART", name),
                "SCREEN FAILURE": (None, None, None, None),
                "ASSIGNED, NOT TREATED": ("CART", name, None, None),
            }[row["ARMNRS"]]
        )
        assert (row["RACE"], row["ETHNIC"], row["COUNTRY"]) == ("ASIAN", "NOT HISPANIC OR LATINO", "CHN")


def test_study_days_epochs_and_visits_fit_the_dates(source):
    """Independent: plain Python over dates. RFSTDTC is day 1 and there is no day 0; screening ends with enrolment, treatment with the
    infusion or the loss of the product; one last observation before exposure of each test."""
    plan, sent = source
    zero = {s: dated(day) for s, day in sent.domains["DM"].select("USUBJID", "RFSTDTC").drop_nulls().iter_rows()}
    enrolled = dict(sent.domains["DS"].filter(pl.col("DSDECOD") == "ENROLLED").select("USUBJID", "DSSTDTC").iter_rows())
    for name, frame in sent.domains.items():
        for day in (column for column in frame.columns if re.fullmatch(r"(DM|[A-Z]{2}(ST|EN)?)DY", column)):
            for subject, date, said in frame.select("USUBJID", f"{day[:-2]}DTC", day).iter_rows():
                if date is None or subject not in zero:
                    assert said is None
                else:
                    elapsed = (dated(date) - zero[subject]).days
                    assert said == elapsed + (elapsed >= 0), (name, day)
        start = next((column for column in frame.columns if column in (f"{name}STDTC", f"{name}DTC")), None)
        if "EPOCH" in frame.columns:
            for subject, date, epoch in frame.select("USUBJID", start, "EPOCH").iter_rows():
                assert (epoch == "SCREENING") == (date < enrolled.get(subject, "9999")), name
                if subject in zero:
                    assert (epoch == "FOLLOW-UP") == (dated(date) > zero[subject]), name
    lab = sent.domains["LB"].filter(pl.col("LBLOBXFL") == "Y")
    first = dict(sent.domains["DM"].select("USUBJID", "RFXSTDTC").iter_rows())
    assert all(date < first[subject] for subject, date in lab.select("USUBJID", "LBDTC").iter_rows())
    assert lab.select("USUBJID", "LBTESTCD", "LBSPEC").is_unique().all() and lab["USUBJID"].n_unique() == 20
    named = sent.domains["RS"].select("VISIT", "VISITDY", "VISITNUM").unique()
    planned = {visit.name.upper(): visit.day + 1 for visit in plan.study.disease.visits}
    assert all(planned[visit] == day for visit, day, _ in named.iter_rows())


def test_every_variable_has_a_label_and_no_name_is_too_long(source):
    """By hand: transport files take names of 8 and labels of 40 characters, and a label is no repeated name."""
    for name, frame in source[1].domains.items():
        for variable in (column for column in frame.columns if column != "ROW"):
            label = variable_label(name, variable)
            assert len(variable) <= 8 and label != variable and len(label) <= 40, (name, variable)


def test_shares_of_race_are_those_said():
    """By hand: 30 and 70 %, within 4 standard errors of 4,000 subjects; a subject's own does not hang on the others; shares that do not
    add up are refused."""
    said = {"country": "USA", "race": {"ASIAN": 0.3, "WHITE": 0.7}, "hispanic": 0.2, "source": "by hand", "sure": "low"}
    keys = Keys.trials("origin", 1, 1, 4000)
    race, ethnic = draw_origin(Demography(**said), keys)
    assert abs((race == "ASIAN").mean() - 0.3) < 4 * np.sqrt(0.21 / 4000)
    assert abs((ethnic == "HISPANIC OR LATINO").mean() - 0.2) < 4 * np.sqrt(0.16 / 4000)
    assert draw_origin(Demography(**said), Keys.trials("origin", 1, 1, 10))[0].equals(race[:10])
    assert draw_origin(Demography(**{**said, "hispanic": None}), keys)[1].unique().to_list() == ["UNKNOWN"]
    with pytest.raises(InputError, match=r"add up to 0\.8"):
        validate(Demography, {**said, "race": {"ASIAN": 0.1, "WHITE": 0.7}}, {}, "demography.yaml")


def test_what_is_sent_beside_changes_no_other_record():
    """By hand: chances of their own. Other limits of care and of sequencing leave every other record of the same seed as it was, number
    included."""
    other = make_plan(
        n=15, assays={"ngs-cells": 10_000, "phenotype-cells": 10}, support={"platelets-below": 60, "growth-factor-below": 0.9}
    )
    one, two = (emit_sdtm(plan.study, plan=plan).domains for plan in (make_plan(n=15), other))
    beside = {
        "LB": ~(pl.col("LBTESTCD").str.starts_with("CD19") | (pl.col("LBTESTCD") == "MRDSEQ")),
        "PR": ~pl.col("PRTRT").str.contains("TRANSFUSION"),
        "CM": pl.col("CMCAT") != "GROWTH FACTOR",
    }
    for name, frame in one.items():
        kept = [each.filter(beside.get(name, pl.lit(True))).drop("ROW") for each in (frame, two[name])]
        kept = [each.drop("AECONTRT") for each in kept] if name == "AE" else kept
        assert kept[0].equals(kept[1]), name
        assert (name in beside) == (frame.height != two[name].height or not frame.equals(two[name])) or name in ("AE", "DM")


def test_parts_of_a_domain_become_one_frame():
    """By hand: sorted by subject and day; a part that comes last is numbered last and stands by its day; what is not said is null."""
    out = Collector()
    out.add("CM", np.array([True, True]), np.array([9, 5]), KIND="A", END=np.array([10, 6]))
    out.add("CM", np.array([True, False]), np.array([3, 0]), KIND="B", END=None)
    out.put("CM", np.array([0, 0]), np.array([4, 12]), last=True, KIND="C", END=None)
    assert out.frame("CM").rows() == [
        (0, 3, "B", None, 1),
        (0, 4, "C", None, 3),
        (0, 9, "A", 10, 2),
        (0, 12, "C", None, 4),
        (1, 5, "A", 6, 1),
    ]
