"""Virtual trials: one path to SDTM and to records, no findings, equal for any batch and thread, wrong input refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from cartrial.__main__ import main
from cartrial.endpoints import check_endpoints, derive
from cartrial.errors import InputError
from cartrial.sdtm import check_sdtm, read_sdtm
from cartrial.sdtm.records import READERS, derive_records
from cartrial.sdtm.write import write_sdtm
from cartrial.study import Study, builtin_studies
from cartrial.study.criteria.codes import RESPONSES
from cartrial.virtual.patients.ensemble import Ensemble
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.trial import emit_sdtm, plan_study, simulate, simulate_study, virtual_source, virtual_study
from cartrial.virtual.trial.arrivals import accrue_trials
from properties import every

pytest.importorskip("numba")

TABLES = ("subjects", "calls", "labs", "lesions", "doses", "procedures", "therapies", "dispositions", "survival", "adverse", "deaths")
N = 12


def ensemble() -> Ensemble:
    """Return three parameter sets near the prior: what is tested here does not depend on the calibration."""
    model = load_model()
    mean, sd = model.prior
    return Ensemble(mean + np.array([[-0.5], [0.0], [0.5]]) * sd * 0.2, model, {})


def make_plan(name: str = "inaticel", n: int = N, seed: int = 3, **changes: dict[str, float]):
    """Return a small plan of a built-in study."""
    return plan_study(virtual_study(Study.load(name)), n=n, seed=seed, ensemble=ensemble(), changes=changes or None)


@pytest.fixture(scope="module", params=["inaticel", "allo-cd19"])
def trial(request):
    """Return a plan and its first trial as SDTM."""
    plan = make_plan(request.param)
    return plan, emit_sdtm(plan.study, plan=plan)


def equal(one, two) -> list[str]:
    """Return the tables that differ."""
    return [name for name in TABLES if not getattr(one, name).equals(getattr(two, name))]


def test_sdtm_has_no_finding(trial):
    plan, source = trial
    assert check_sdtm(plan.study, source).height == 0
    assert set(source.domains) == {"DM", "DS", "PR", "EX", "CM", "LB", "RS", "FA", "AE", "SS", "DD", "MH"}


def test_sdtm_and_records_are_one_path(trial):
    plan, source = trial
    direct = simulate_study(plan.study, plan=plan)
    assert equal(derive_records(plan.study, source), direct) == []
    one, two = derive(plan.study, source), derive(plan.study, direct)
    assert [name for name, frame in one.sets().items() if not frame.equals(two.sets()[name])] == []
    assert one.provenance == two.provenance == "virtual"


@pytest.mark.parametrize("form", ["csv", "xpt"])
def test_sdtm_reads_back_as_written(trial, tmp_path, form):
    plan, source = trial
    write_sdtm(source, tmp_path, form)
    back = read_sdtm(tmp_path)
    assert [name for name, frame in source.domains.items() if not frame.equals(back.domains[name].select(frame.columns))] == []
    assert check_sdtm(plan.study, back).height == 0


def test_size_order_and_cutoff():
    plan = make_plan()
    people = accrue_trials(plan, np.arange(4))
    assert np.bincount(people.trial[people.infused]).tolist() == [N] * 4
    infused = people.take(np.flatnonzero(people.infused))
    assert (infused.consent <= infused.enrolled).all() and (infused.enrolled < infused.released).all()
    assert (infused.released <= infused.infusion - 5).all()
    follow = plan.settings.accrual.follow_up_of_last.value
    assert [int(infused.infusion[infused.trial == t].max()) for t in range(4)] == [plan.cutoff - follow] * 4
    assert len(np.unique(people.site)) > 1 and people.site.max() <= 10


def test_nothing_after_the_cutoff_or_death(trial):
    plan, source = trial
    cutoff = plan.study.study.cutoff.isoformat()
    died = dict(source.domains["DM"].filter(pl.col("DTHDTC").is_not_null()).select("USUBJID", "DTHDTC").iter_rows())
    assert died
    for name, frame in source.domains.items():
        for column in (column for column in frame.columns if column.endswith("DTC")):
            dates = frame.select("USUBJID", column).drop_nulls()
            assert (dates[column] <= cutoff).all(), (name, column)
            assert all(date <= died.get(subject, cutoff) for subject, date in dates.iter_rows()), (name, column)


def test_equal_for_any_batch_and_thread(monkeypatch):
    from cartrial.virtual.engine import course
    from cartrial.virtual.trial import conduct

    plan = make_plan()
    whole = simulate_study(plan.study, plan=plan, trials=5, threads=1)
    monkeypatch.setattr(conduct, "CHUNK", 2)
    monkeypatch.setattr(course, "_CHUNK", 7)
    assert equal(whole, simulate_study(plan.study, plan=plan, trials=5, threads=2)) == []
    last = simulate_study(plan.study, plan=plan, trials=2, first=3)
    first = int(whole.subjects.filter(pl.col("TRIAL") == 3)["SUBJ"][0])
    for name in TABLES:
        part = getattr(whole, name).filter(pl.col("SUBJ") >= first).with_columns((pl.col("SUBJ") - first).cast(pl.Int32))
        part = part.with_columns((pl.col("TRIAL") - 3).cast(pl.Int32)) if name == "subjects" else part
        assert part.equals(getattr(last, name)), name


def test_another_seed_is_another_trial():
    one, two = (simulate_study(plan.study, plan=plan) for plan in (make_plan(seed=3), make_plan(seed=4)))
    assert equal(one, two) != []


def test_readers_err_and_are_adjudicated():
    settings = {"readers": {"reader-error": 0.3, "recovery-share": 0.2, "investigator-error": 0.0}}
    plan = make_plan(n=30, **settings)
    records = simulate_study(plan.study, plan=plan, trials=4)
    calls = records.calls.pivot(on="READER", index=["SUBJ", "DAY"], values="RESP", sort_columns=True)
    first, second, judge = (calls[str(READERS.index(name))] for name in ("READER 1", "READER 2", "ADJUDICATOR"))
    assert judge.is_not_null().sum() > 10
    assert (first != second).filter(judge.is_not_null()).sum() > 10
    assert calls["0"].is_not_null().all()
    found = check_endpoints(plan.study, derive(plan.study, simulate_study(plan.study, plan=plan)))
    assert not set(found["RULE"]) & {"reading-pending", "adjudication-ignored", "nr-after-remission"}


@pytest.mark.slow
@pytest.mark.parametrize("name", every(2, ["inaticel", "allo-cd19"]))
def test_readers_without_error_agree_with_the_laboratory(name):
    plan = make_plan(name, n=30, readers={"reader-error": 0.0, "investigator-error": 0.0, "adjudicator-error": 0.0})
    for number in range(3):
        source = emit_sdtm(plan.study, plan=plan, trial=number)
        assert check_sdtm(plan.study, source).height == 0
        assert check_endpoints(plan.study, derive(plan.study, source)).height == 0


@pytest.mark.slow
def test_what_is_found_are_errors_of_readers():
    """A finding needs a reader who called that visit other than the laboratory values say."""
    plan = make_plan(n=30)
    many = 0
    for number in range(3):
        adam = derive(plan.study, simulate_study(plan.study, plan=plan, first=number))
        found = check_endpoints(plan.study, adam)
        assert set(found["RULE"]) <= {"call-against-lab"}
        reads = adam.adresp.select("USUBJID", "CARDAY", "READER", "AVALC")
        lab = reads.filter(pl.col("READER") == "LAB").select("USUBJID", "CARDAY", pl.col("AVALC").alias("LAB"))
        single = reads.filter(pl.col("READER").is_in(["INV", "READER 1", "READER 2"])).join(lab, on=["USUBJID", "CARDAY"])
        wrong = set(single.filter(pl.col("AVALC") != pl.col("LAB")).select("USUBJID", "CARDAY").iter_rows())
        days = set(found.select("USUBJID", pl.col("MESSAGE").str.extract(r"day (\d+)").cast(pl.Int32)).iter_rows())
        assert days <= wrong
        many += len(days)
    assert many > 0


def test_what_the_patients_do_is_plausible():
    plan = make_plan(n=39)
    records = simulate_study(plan.study, plan=plan, trials=10)
    infused = records.subjects.filter(pl.col("DAY0").is_not_null()).height
    best = (
        records.calls.filter(pl.col("READER") == 0)
        .group_by("SUBJ")
        .agg(pl.col("RESP").is_in([RESPONSES.index("CR"), RESPONSES.index("CRi")]).any())
    )
    assert 0.6 < best["RESP"].sum() / infused < 0.95
    assert {"ALLOGENEIC STEM CELL TRANSPLANT", "CONDITIONING", "LEUKAPHERESIS"} <= set(records.procedures["KIND"])
    assert {"BRIDGING THERAPY", "SUBSEQUENT ANTICANCER THERAPY"} <= set(records.therapies["KIND"])
    assert {"TOCILIZUMAB", "DEXAMETHASONE"} <= set(records.therapies["TRT"])
    assert {"LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT", "DEATH", "SCREEN FAILURE"} <= set(records.dispositions["KIND"])
    copies = records.labs.filter(pl.col("TEST") == "CARTG")
    assert (copies.filter(pl.col("VALUE").is_not_null())["VALUE"] >= 50).all()
    assert copies["LLOQ"].unique().to_list() == [50.0]
    mrd = records.labs.filter(pl.col("TEST") == "MRD")
    assert (mrd.drop_nulls("VALUE")["VALUE"] >= mrd["LOD"][0]).all() and mrd["LOD"][0] == 1e-4
    assert (~records.labs.filter((pl.col("TEST") == "BLAST") & (pl.col("SPEC") == "BONE MARROW"))["DONE"]).any()


def test_virtual_source_and_simulate(tmp_path, monkeypatch):
    monkeypatch.setattr("cartrial.virtual.patients.ensemble.load_ensemble", lambda: ensemble())
    source = virtual_source(Study.load("inaticel"), n=4, seed=2)
    assert source.domains["EX"].filter(pl.col("EXTRT") == "INATICABTAGENE AUTOLEUCEL").height == 4
    folders = simulate(Study.load("inaticel"), tmp_path / "out", n=4, seed=2, trials=2)
    assert [folder.name for folder in folders] == ["trial-00001", "trial-00002"]
    back = read_sdtm(folders[0])
    assert back.domains["LB"].select(source.domains["LB"].columns).equals(source.domains["LB"])
    assert "not validated" in (tmp_path / "out" / "about.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accrual": {"rate": -1}}, "accrual.rate.value: the value -1 is not above 0"),
        ({"accrual": {"sites": 0}}, "the value 0 is not above 0"),
        ({"visits": {"missed": 1.5}}, "no probability"),
        ({"eligibility": {"age-from": 90}}, "nobody is eligible"),
        ({"eligibility": {"other-reasons": 1}}, "nobody is eligible"),
        ({"accrual": {"follow-up-of-last": 20}}, "before the end of the first visit"),
        ({"eligibility": {"age-from": 74, "age-to": 75}}, "100 % of those screened would fail by age"),
        ({"eligibility": {"other-reasons": 0.9999}}, "next to nobody is eligible"),
        ({"accrual": {"speed": 1}}, "'speed' is no setting of accrual"),
    ],
)
def test_wrong_settings_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        plan = make_plan(**changes)
        accrue_trials(plan, np.arange(1))


def test_wrong_populations_and_studies_are_refused():
    study = Study.load("inaticel")
    with pytest.raises(InputError, match="there is no population 'inaticell'"):
        plan_study(study, population="inaticell", ensemble=ensemble())
    with pytest.raises(InputError, match="has an allogeneic product"):
        plan_study(study, population="allogeneic-cd19", ensemble=ensemble())
    with pytest.raises(InputError, match="0 subjects"):
        plan_study(study, n=0, ensemble=ensemble())
    with pytest.raises(InputError, match="0 trials"):
        simulate_study(study, plan=make_plan(), trials=0)
    without = study.model_copy(update={"study": study.study.model_copy(update={"cutoff": None})})
    with pytest.raises(InputError, match="no cutoff"):
        simulate_study(without, plan=plan_study(without, n=2, ensemble=ensemble()))


def test_every_number_has_a_source():
    for name, number in make_plan().settings.numbers():
        assert number.unit and number.source and number.sure, name


def with_eligibility(tmp_path, words):
    """Return a study folder whose eligibility says so."""
    text = (builtin_studies()["inaticel"]).read_text(encoding="utf-8")
    start, end = text.index("eligibility:"), text.index("disease:")
    (tmp_path / "study.yaml").write_text(text[:start] + words + text[end:], encoding="utf-8")
    return tmp_path


@pytest.mark.shows("STUDY-eligibility", "STUDY-eligibility.age", "STUDY-eligibility.marrow-blasts")
def test_the_study_file_says_who_is_eligible(tmp_path):
    words = "eligibility:\n  age: {from: 25, to: 45, source: protocol}\n  marrow-blasts: {from: 20, to: 60}\n"
    study = Study.load(with_eligibility(tmp_path, words))
    plan = plan_study(study, n=N, ensemble=ensemble())
    people = accrue_trials(plan, np.arange(3))
    enrolled = people.enrolled < 2**30
    assert enrolled.any() and not enrolled.all()
    assert people.age[enrolled].min() >= 25 and people.age[enrolled].max() <= 45
    assert people.marrow[enrolled].min() >= 0.2 and people.marrow[enrolled].max() <= 0.6
    rules = plan.settings.eligibility
    assert (rules.age_from.source, rules.age_from.sure) == ("study file: protocol", "high")
    assert (rules.marrow_to.source, rules.marrow_to.sure) == ("study file: assumption", "low")
    assert rules.other_reasons.source == "assumption"
    # a change of the settings stands over the study file
    assert plan_study(study, changes={"eligibility": {"age-from": 18}}).settings.eligibility.age_from.value == 18


def test_without_eligibility_the_settings_assume(tmp_path):
    settings = plan_study(Study.load(with_eligibility(tmp_path, "")), ensemble=ensemble()).settings.eligibility
    assert (settings.age_from.value, settings.age_to.value, settings.marrow_from.value, settings.marrow_to.value) == (0, 75, 5, 100)
    assert all("assumption" in number.source for number in (settings.age_from, settings.age_to, settings.marrow_from, settings.marrow_to))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("  age: {from: 66, to: 65}\n", "nobody is eligible: the ages are 66 to 65 years"),
        ("  marrow-blasts: {from: 60, to: 5}\n", "nobody is eligible: the marrow blasts are 60 to 5 %"),
        ("  marrow-blasts: {from: 5, to: 500}\n", "at most 100"),
        ("  age: {from: 90, to: 95}\n", "100 % of those screened would fail by age (90 to 95 years)"),
    ],
)
def test_impossible_eligibility_is_one_message(tmp_path, words, says, monkeypatch, capsys):
    folder = with_eligibility(tmp_path, "eligibility:\n" + words)
    monkeypatch.setattr("sys.argv", ["cartrial", "simulate", str(folder), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err.strip()
    assert end.value.code == 2
    assert says in said and len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_another_cutoff_moves_the_trial():
    plan = make_plan()
    later = plan.study.model_copy(update={"study": plan.study.study.model_copy(update={"cutoff": dt.date(2024, 9, 27)})})
    moved = plan_study(later, n=N, seed=3, ensemble=plan.ensemble)
    one, two = accrue_trials(plan, np.arange(1)), accrue_trials(moved, np.arange(1))
    assert (two.consent - one.consent == 731).all()
