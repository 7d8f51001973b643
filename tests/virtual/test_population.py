"""Populations by name: who chooses, what does not fit is refused, what is told, and that a name changes no patient.

Origin of every expectation: `by hand`, the rules of choice and the words; counts are made a second time from the arrays of subjects. No
number of a population stands here: what follows from one is computed.
"""

from __future__ import annotations

import copy
import functools
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cartrial.cli.app import app
from cartrial.cli.checked import virtual_lines
from cartrial.errors import InputError, PopulationWarning
from cartrial.study import Study
from cartrial.virtual.patients.population import DATA, load_population, populations
from cartrial.virtual.trial import assess_patients, plan_study
from cartrial.virtual.trial.arrivals import Plan, accrue_trials
from cartrial.virtual.trial.screening import ABOVE, AGE, BELOW, OTHER, PASSED, screen
from cartrial.virtual.trial.settings import load_trial_settings
from cartrial.yamlfile import read_yaml
from helpers import run_cli
from properties import examples

# the smallest study file that a virtual trial can be made of
SMALL = """\
schema: 1
rules: 2
study: {{id: {id}, title: Small, cutoff: 2022-09-27}}
product: {{name: cells, type: {type}, exposure: [CELLS]{product}}}
disease:
  criteria: nccn
  visits: [{{name: day 28, day: 28, minus: 7, plus: 7}}]
readers: {{primary: INV}}
endpoints:
  - id: OS
    label: Overall survival
    type: time-to-event
    origin: day-0
    population: infused
    events: [death]
    strategies: {{hsct: treatment-policy, new-therapy: treatment-policy}}
"""
CHILDREN = "eligibility: {age: {from: 3, to: 25, source: protocol}}\n"
ADULTS = "eligibility: {age: {from: 18, to: 65, source: protocol}}\n"


def write_study(folder: Path, more: str = "", *, id: str = "small", type: str = "autologous", product: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(SMALL.format(id=id, type=type, product=product) + more, encoding="utf-8")
    return folder


def write_population(path: Path, name: str = "eliana", old: str = "", new: str = "") -> Path:
    text = (DATA / f"population-{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return path


def planned(folder: Path, **options: object) -> Plan:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        return plan_study(Study.load(folder), **options)


def refused(folder: Path, **options: object) -> InputError:
    with pytest.raises(InputError) as found:
        planned(folder, **options)
    assert len(str(found.value).splitlines()) == 1
    return found.value


# who chooses


@pytest.mark.shows("STUDY-virtual.population")
def test_the_call_stands_over_the_file_over_the_settings_over_the_default(tmp_path: Path) -> None:
    named = write_study(tmp_path / "named", "virtual: {population: autologous-cd19}\n", id="inaticel-pivotal")
    by_id = write_study(tmp_path / "id", id="inaticel-pivotal")
    bare = write_study(tmp_path / "bare")
    plans = (planned(named, population="mskcc"), planned(named), planned(by_id), planned(bare))
    assert [(plan.population.id, plan.origin) for plan in plans] == [
        ("mskcc", "call"),
        ("autologous-cd19", "study file"),
        ("inaticel", "settings"),
        ("autologous-cd19", "default"),
    ]
    assert planned(write_study(tmp_path / "donor", type="allogeneic")).population.id == "allogeneic-cd19"


@pytest.mark.shows("STUDY-virtual.n", "STUDY-virtual.seed")
@pytest.mark.shows("STUDY-virtual")
def test_number_and_seed_come_from_the_call_the_file_or_the_default(tmp_path: Path) -> None:
    stated = write_study(tmp_path / "stated", "virtual: {n: 21, seed: 7}\n")
    plans = (planned(stated, n=5, seed=0), planned(stated), planned(write_study(tmp_path / "bare")))
    assert [(plan.size, plan.seed) for plan in plans] == [(5, 0), (21, 7), (39, 1)]


@pytest.mark.shows("STUDY-eligibility.age")
def test_children_get_children(tmp_path: Path) -> None:
    """By default, by the ages of the study; a study of all ages, or of none stated, keeps the default of the type."""
    ages = {"children": CHILDREN, "adults": ADULTS, "all": "eligibility: {age: {from: 1, to: 75}}\n", "none": ""}
    found = {name: planned(write_study(tmp_path / name, more)).population for name, more in ages.items()}
    assert {name: people.patients.child for name, people in found.items()} == {
        "children": True,
        "adults": False,
        "all": False,
        "none": False,
    }
    patients = assess_patients(planned(tmp_path / "children", n=20))
    assert patients.origin == "default" and patients.failed_age == 0
    assert next(patients.notices()) == (
        f"The virtual patients are drawn from the population '{found['children'].id}' ({found['children'].label}), by default for an "
        "autologous product and patients of 3 to 25 years, since nothing names another."
    )


@pytest.mark.shows("FMT-population-yaml", "STUDY-virtual.population")
def test_a_file_beside_the_study_file_is_a_population(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", "virtual: {population: own/mine.yaml}\n")
    (folder / "own").mkdir()
    write_population(folder / "own" / "mine.yaml", "mskcc", "id: mskcc", "id: mine")
    plan = planned(folder)
    assert (plan.population.id, plan.origin) == ("mine", "study file")
    patients = assess_patients(plan)
    assert not patients.builtin and patients.choice().endswith("as the study file names it.")
    # a file with the name of a built-in population is not that population
    write_population(folder / "own" / "mine.yaml", "mskcc", "child: false", "child: true")
    assert planned(folder).population.id == "mskcc" and not assess_patients(planned(folder)).builtin


@given(seed=st.integers(0, 10**6), n=st.integers(1, 12), name=st.sampled_from(("autologous-cd19", "mskcc", "zuma3")))
@examples(20)
def test_a_patient_is_the_same_whichever_way_the_population_is_named(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, name: str
) -> None:
    tmp_path = tmp_path_factory.mktemp("ways")
    bare = write_study(tmp_path / "bare")
    named = write_study(tmp_path / "named", f"virtual: {{population: {name}, n: {n}, seed: {seed}}}\n")
    filed = write_study(tmp_path / "filed", "virtual: {population: own.yaml}\n")
    own = write_population(filed / "own.yaml", name)
    numbers = {"n": n, "seed": seed}
    plans = [planned(named), planned(filed, **numbers)]
    plans += [planned(bare, population=given, **numbers) for given in (name, own, str(own), load_population(name))]
    first, *others = (accrue_trials(plan, np.arange(2)) for plan in plans)
    for other in others:
        assert all(np.array_equal(getattr(first, column), getattr(other, column)) for column in vars(first))


# what does not fit


def fitting(message: InputError) -> list[str]:
    """Return the populations that a message names as those that fit."""
    return [part.strip("'") for part in str(message.right).split(": ")[1].split(", ")]


@pytest.mark.shows("STUDY-product.type")
def test_another_type_of_product_is_refused(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "virtual: {population: allogeneic-cd19}\n")
    message = refused(folder)
    assert message.key == "virtual.population"
    assert message.what == (
        "'allogeneic-cd19' (as the study file names it) does not fit the study: it has an allogeneic product and the study an autologous "
        "one"
    )
    assert all(load_population(name).product.source == "autologous" for name in fitting(message)) and len(fitting(message)) == 3


@pytest.mark.shows("STUDY-product.costimulation")
def test_another_costimulation_is_refused_where_the_study_states_it(tmp_path: Path) -> None:
    stated = write_study(tmp_path / "stated", product=", costimulation: CD28")
    message = refused(stated, population="autologous-cd19")
    assert message.what == (
        "'autologous-cd19' (as asked for) does not fit the study: its product is costimulated by 4-1BB and the study's by CD28"
    )
    assert fitting(message) and all(load_population(name).product.costimulation == "CD28" for name in fitting(message))
    assert "by default" in refused(stated).what
    assert planned(stated, population=fitting(message)[0]).origin == "call"
    assert planned(write_study(tmp_path / "silent"), population="mskcc").population.product.costimulation == "CD28"


def test_a_population_of_which_most_would_fail_by_age_is_refused(tmp_path: Path) -> None:
    folder = write_study(tmp_path, CHILDREN)
    message = refused(folder, population="mskcc")
    people = assess_patients(Plan(Study.load(folder), load_trial_settings(Study.load(folder)), load_population("mskcc"), *_rest(folder)), 9)
    share = people.failed_age / people.screened
    said = float(str(message.what).split("study: ")[1].split(" %")[0]) / 100
    # of 2000 patients against those of nine trials: within four standard errors and the rounding
    assert abs(said - share) < 4 * (share * (1 - share) * (1 / 2000 + 1 / people.screened)) ** 0.5 + 0.005
    assert message.what.endswith("% of those screened would fail by age (3 to 25 years)") and share > 0.5
    assert fitting(message) and all(load_population(name).patients.child for name in fitting(message))


def _rest(folder: Path) -> tuple[object, int, int]:
    """Return ensemble, seed and size of a plan."""
    plan = planned(folder)
    return plan.ensemble, plan.seed, 10


def test_several_faults_are_one_message_and_none_may_fit(tmp_path: Path) -> None:
    folder = write_study(tmp_path, CHILDREN, type="allogeneic", product=", costimulation: CD28")
    message = refused(folder, population="autologous-cd19")
    assert message.what.count("; ") == 2 and message.right.startswith("No built-in population fits")


def test_many_who_would_fail_by_blasts_are_a_warning(tmp_path: Path) -> None:
    silent, low = write_study(tmp_path / "silent"), write_study(tmp_path / "low", "eligibility: {marrow-blasts: {from: 0}}\n")
    study = Study.load(silent)
    found = {}
    for name in populations():
        if load_population(name).product.source == "autologous":
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                plan = plan_study(study, population=name, n=30)
            patients = assess_patients(plan, 20)
            found[name] = (patients.failed_blasts / patients.screened, [str(one.message) for one in said])
            assert [one.category for one in said] == [PopulationWarning] * len(said)
    for name, (share, messages) in found.items():
        if abs(share - 0.2) > 0.05:
            assert len(messages) == (share > 0.2), name
    assert any(messages for _, messages in found.values()) and not all(messages for _, messages in found.values())
    named = next(name for name, (_, messages) in found.items() if messages)
    assert found[named][1][0].startswith("More than a fifth of those screened, ")
    assert found[named][1][0].endswith(f" % of population '{named}', would fail by marrow blasts (5 to 100 % asked for).")
    with warnings.catch_warnings():
        warnings.simplefilter("error", PopulationWarning)
        plan_study(Study.load(low), population=named)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("population: cibmtrr", "there is no population 'cibmtrr'. The nearest known one is 'cibmtr'"),
        ("population: own.yaml", "there is no file 'own.yaml' beside the study file"),
        ("population: folder.yaml", "'folder.yaml' is a folder or no plain file"),
        ("population: link.yaml", "'link.yaml' is a link that leads out of the folder of the study file"),
        ("population: loop.yaml", "there is no file 'loop.yaml' beside the study file"),
        ("population: ../own.yaml", "study.yaml, row 17, virtual.population: the population lies outside the folder"),
        ("population: /etc/own.yaml", "lies outside the folder"),
        ("population: 'C:\\own.yaml'", "lies outside the folder"),
        ('population: "own\\0.yaml"', "lies outside the folder"),
        ("population: ''", "the text must have at least 1 character"),
        (f"population: {'x' * 300}.yaml", "the text must have at most 200 characters"),
        ("population: [eliana]", "virtual.population: text is expected"),
        ("population: true", "virtual.population: text is expected"),
        ("populatoin: eliana", "unknown key 'populatoin'. The nearest known key is 'population'"),
        ("n: 0", "virtual.n: the number must be at least 1"),
        ("n: 20001", "virtual.n: the number must be at most 20000"),
        ("n: 1.5", "virtual.n: a whole number is expected"),
        ("n: true", "virtual.n: a whole number is expected"),
        ("seed: -1", "virtual.seed: the number must be at least 0"),
        ("seed: 1e400", "virtual.seed: a whole number is expected"),
        (f"seed: {2**63}", "virtual.seed: the number must be at most"),
    ],
)
def test_a_wrong_word_of_the_study_file_is_one_message(tmp_path: Path, words: str, says: str) -> None:
    write_population(tmp_path / "outside.yaml")
    folder = write_study(tmp_path / "study", f"virtual: {{{words}}}\n")
    (folder / "folder.yaml").mkdir()
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run_cli("simulate", folder, "--out", tmp_path / "out")
    assert code == 2 and out == "" and err.count("\n") == 1 and "Traceback" not in err
    assert says in err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_study_without_a_file_has_nothing_beside_it(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "virtual: {population: own.yaml}\n")
    write_population(folder / "own.yaml")
    study = Study.load(folder)
    assert study.named_population() == folder / "own.yaml"
    with pytest.raises(InputError, match=r"the study was read from no file, so that 'own\.yaml' stands beside none"):
        Study.model_validate(read_yaml(folder / "study.yaml")[0]).named_population()


# files of populations

SPOILT = {
    "a word for a number": ("median: 12,", "median: twelve,", "patients.age.median: a number is expected"),
    "true for a number": ("value: 0.15,", "value: true,", "clinic.transplant.value: a number is expected"),
    "a list for a number": ("value: 0.15,", "value: [0.15],", "clinic.transplant.value"),
    "a number for a part": ("product:\n", "product: 3\nx:\n", "product: a mapping is expected"),
    "a negative spread": ("spread: 0.55", "spread: -0.55", "patients.age.spread: the number must be at least 0"),
    "an endless spread": ("spread: 0.55", "spread: 900", "patients.age.spread: the number must be at most 5"),
    "low above high": ("low: 3, high: 25", "low: 25, high: 3", "the median age is not between the ends"),
    "no number": ("spread: 0.55", "spread: .nan", "patients.age.spread"),
    "an infinite number": ("spread: 0.55", "spread: .inf", "patients.age.spread"),
    "more than all blasts": ("low: 0.05, span: 0.94", "low: 0.5, span: 0.94", "more than all of the marrow would be blasts"),
    "a correlation above 1": ("value: 0.6, unit: \"correlation\"", "value: 6, unit: \"correlation\"", "a correlation is above 1"),
    "an unknown key": ("child: true", "child: true\n  adult: false", "unknown key 'adult'"),
    "a misspelt key": ("clinic:", "clinnic:", "unknown key 'clinnic'. The nearest known key is 'clinic'"),
    "a missing part": ("  child: true\n", "", "patients.child: this key is required and missing"),
    "a key twice": ("child: true", "child: true\n  child: false", "the key 'child' stands twice"),
    "another version": ("schema: 1", "schema: 2", "schema"),
    "no source": ("\"Stein 2019: 12 (3 to 25)\"", "\"\"", "patients.age.source"),
    "no name": ("id: eliana", "id: ''", "id: the text must have at least 1 character"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
@pytest.mark.shows("FMT-population-yaml")
def test_a_spoilt_population_names_line_and_key(name: str, tmp_path: Path) -> None:
    old, new, says = SPOILT[name]
    path = write_population(tmp_path / "own.yaml", "eliana", old, new)
    with pytest.raises(InputError) as found:
        load_population(path)
    assert says in str(found.value)
    assert all(fault.file == "own.yaml" and fault.row for fault in found.value.errors)


def test_every_fault_of_a_population_is_said_at_once(tmp_path: Path) -> None:
    path = write_population(tmp_path / "own.yaml", "eliana", "spread: 0.55", "spread: -0.55")
    text = path.read_text(encoding="utf-8").replace("child: true", "child: 7").replace("costimulation: 4-1BB", "costimulation: OX40")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as found:
        load_population(path)
    assert [fault.key for fault in found.value.errors] == ["product.costimulation", "patients.child", "patients.age.spread"]


def leaves(node: dict, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in node.items():
        yield (*at, key)
        if isinstance(value, dict):
            yield from leaves(value, (*at, key))


WHOLE = yaml.safe_load((DATA / "population-eliana.yaml").read_text(encoding="utf-8"))
HOSTILE = (None, True, [], {}, "x", "", -1, 0, 1, 2, 1e-9, 1e5, 1e308, -1e308, float("inf"), float("nan"), 10**30, "\u202e", -0.5, 100)


@given(at=st.sampled_from(sorted(leaves(WHOLE))), value=st.sampled_from(HOSTILE))
@examples(60)
def test_a_population_with_any_value_spoilt_is_refused_or_gives_patients(
    tmp_path_factory: pytest.TempPathFactory, at: tuple[str, ...], value: object
) -> None:
    tmp_path = tmp_path_factory.mktemp("spoilt")
    spoilt = copy.deepcopy(WHOLE)
    functools.reduce(dict.__getitem__, at[:-1], spoilt)[at[-1]] = value
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(spoilt, allow_unicode=True), encoding="utf-8")
    try:
        plan = planned(write_study(tmp_path), population=tmp_path / "own.yaml", n=3)
        patients = assess_patients(plan)
    except InputError:
        return
    assert np.isfinite([patients.median_blasts, patients.below_5]).all() and patients.infused == 3


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda path: path.mkdir(), "this is a folder or none"),
        (lambda path: path.write_bytes(b"id: \xff\xfe"), "the file is not UTF-8 text"),
        (lambda path: path.write_text("", encoding="utf-8"), "the file is empty"),
        (lambda path: path.write_text("- 1\n", encoding="utf-8"), "a mapping of keys is expected"),
        (lambda path: path.write_text("a: [", encoding="utf-8"), "this is not valid YAML"),
        (lambda path: None, "the file cannot be read"),
    ],
)
def test_what_is_no_population_is_one_message(tmp_path: Path, made, says: str) -> None:
    made(tmp_path / "own.yaml")
    code, out, err = run_cli("simulate", write_study(tmp_path / "study"), "--out", tmp_path / "out", "--population", tmp_path / "own.yaml")
    assert code == 2 and out == "" and says in err and "own.yaml" in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


# what is told


@pytest.mark.shows(
    "STUDY-eligibility.age.from", "STUDY-eligibility.age.to", "STUDY-eligibility.marrow-blasts.from", "STUDY-eligibility.marrow-blasts.to"
)
def test_whoever_fails_is_counted_once() -> None:
    """By hand: bounds 18 to 65 years and 5 to 50 %, both ends included; other reasons below 0.12."""
    rules = planned_rules({"age-from": 18, "age-to": 65, "marrow-from": 5, "marrow-to": 50, "other-reasons": 0.12})
    age = np.array([17, 18, 65, 66, 40, 40, 40, 40, 17.0])
    marrow = np.array([0.3, 0.05, 0.5, 0.01, 0.0499, 0.501, 0.3, 0.3, 0.9])
    chance = np.array([0.9, 0.12, 0.9, 0.0, 0.0, 0.0, 0.119, 0.9, 0.0])
    assert screen(age, marrow, chance, rules).tolist() == [AGE, PASSED, PASSED, AGE, BELOW, ABOVE, OTHER, PASSED, AGE]


def planned_rules(changes: dict[str, float]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        return load_trial_settings(Study.load("inaticel"), {"eligibility": changes}).eligibility


def test_who_was_left_out_is_said_with_counts(tmp_path: Path) -> None:
    """Counts made again from the arrays of subjects."""
    plan = planned(write_study(tmp_path / "silent", ADULTS), population="mskcc", n=25)
    people, patients = accrue_trials(plan, np.arange(3)), assess_patients(plan, 3)
    of_age = (people.age >= 18) & (people.age <= 65)
    low = of_age & (people.marrow < 0.05)
    other = of_age & ~low & (people.outcome < 0)
    assert (patients.screened, patients.failed_age, patients.failed_blasts, patients.failed_other, patients.infused) == (
        len(people),
        int((~of_age).sum()),
        int(low.sum()),
        int(other.sum()),
        75,
    )
    assert min(patients.failed_age, patients.failed_blasts, patients.failed_other) > 0
    assert patients.median_blasts == pytest.approx(np.median(people.marrow_later[people.infused]))
    assert patients.below_5_screening == 0
    assert patients.left_out() == (
        "Patients with less than 5 % blasts are not enrolled, since the study file does not say otherwise; "
        f"{low.sum()} of {len(people)} screened were left out. Write `eligibility: marrow-blasts: {{from: 0}}` to enrol them."
    )
    # stated, whatever is stated, nothing is said; and with 0 they are enrolled
    for least, some in ((5, False), (0, True)):
        stated = write_study(tmp_path / f"from {least}", f"eligibility: {{marrow-blasts: {{from: {least}, source: protocol}}}}\n")
        told = assess_patients(planned(stated, population="mskcc", n=25))
        assert told.left_out() is None and (told.below_5_screening > 0) == some


@pytest.mark.slow
def test_one_account_stands_in_about_and_in_check(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    folder = write_study(tmp_path / "study", CHILDREN)
    code, out, err = run_cli("simulate", folder, "--out", tmp_path / "data", "-n", "6")
    assert code == 0 and out.startswith("Wrote 1 virtual trial")
    about = json.loads((tmp_path / "data" / "about.yaml").read_text(encoding="utf-8"))
    plan = planned(folder, n=6)
    told = assess_patients(plan)
    assert about["population"] == plan.population.id and about["patients"] == json.loads(json.dumps(told.record()))
    assert err.splitlines() == list(told.notices()) and len(err.splitlines()) == 3
    code, out, _ = run_cli("check", folder, "--data", tmp_path / "data", "--json")
    assert code == 0 and json.loads(out)["virtual"] == about["patients"]
    # in words, as they are printed where there is no terminal
    printed = list(virtual_lines(told))
    assert len(printed) == len(about["patients"]["said"]) and printed[0].startswith("  virtual     Population: ")
    assert all(line.endswith(f"{label}: {words}") for line, (label, words) in zip(printed, told.lines(), strict=True))


@pytest.mark.slow
def test_the_same_account_stands_in_the_report(tmp_path: Path) -> None:
    """Of data that were simulated before, and of a report that simulates them; nothing is guessed where it is not there."""
    pytest.importorskip("numba")
    folder = write_study(tmp_path / "study", CHILDREN)
    assert run_cli("simulate", folder, "--out", tmp_path / "data", "-n", "6")[0] == 0
    told = assess_patients(planned(folder, n=6))
    assert run_cli("report", folder, "--data", tmp_path / "data", "--out", tmp_path / "read")[::2] == (0, "")
    code, _, err = run_cli("report", folder, "--virtual", "-n", "6", "--out", tmp_path / "made")
    assert code == 0 and err.splitlines() == list(told.notices())
    for place in ("read", "made"):
        page = (tmp_path / place / "report.html").read_text(encoding="utf-8")
        assert "The virtual patients" in page and "Simulated against published" in page
        assert all(words.replace("'", "&#39;") in page for _, words in told.lines()), place
        record = json.loads((tmp_path / place / "run.json").read_text(encoding="utf-8"))
        assert record["virtual"] == json.loads(json.dumps(told.record()))
    (tmp_path / "data" / "about.yaml").unlink()
    assert run_cli("report", folder, "--data", tmp_path / "data", "--out", tmp_path / "unknown")[0] == 0
    page = (tmp_path / "unknown" / "report.html").read_text(encoding="utf-8")
    assert "is not recorded, so they are not compared" in page and "Simulated against published" not in page


def test_the_section_of_the_report_gives_the_account(tmp_path: Path) -> None:
    from cartrial.report.study.sections.published import virtual_sections

    own = write_population(tmp_path / "own.yaml", "eliana", "id: eliana", "id: own")
    told = assess_patients(planned(write_study(tmp_path, CHILDREN), n=6, population=own))
    (section,) = virtual_sections(None, told)
    assert section.title == "The virtual patients" and section.blocks[1].items == list(told.lines())


def test_data_without_their_account_are_not_guessed_at(tmp_path: Path) -> None:
    from cartrial.report.study.sections.published import virtual_sections
    from cartrial.virtual.trial.patients import read_patients

    assert read_patients({"provenance": "virtual"}, {}, "about.yaml") is None
    (section,) = virtual_sections(None, None)
    assert "is not recorded, so they are not compared" in section.blocks[1].text
    record = assess_patients(planned(write_study(tmp_path), n=2)).record()
    assert read_patients({"patients": record}, {}, "about.yaml").record() == record
    for spoilt, says in (
        ({**record, "infused": "many"}, "patients.infused: a whole number"),
        # by hand: nobody is screened less than no time, more are not infused than were screened, and all blasts are 100 %
        ({**record, "failed_age": -5}, "patients.failed.age: the number must be at least 0"),
        ({**record, "infused": 10_000}, "were infused, of"),
        ({**record, "median_blasts": 9.0}, "patients.median.blasts: the number must be at most 1"),
        ([record], "patients: a mapping"),
        ("mskcc", "a mapping"),
    ):
        with pytest.raises(InputError, match=says) as found:
            read_patients({"patients": spoilt}, {("patients",): 3, ("patients", "infused"): 5}, "about.yaml")
        assert found.value.file == "about.yaml"


def test_check_says_whom_a_virtual_trial_would_draw(tmp_path: Path) -> None:
    code, out, err = run_cli("check", write_study(tmp_path / "children", CHILDREN))
    assert (code, err) == (0, "")
    for words in ("virtual     Population: ", "Age: 3 to 25 years (study file: protocol)", "in 20 trials", "Blasts of the infused: "):
        assert words in out
    # a study that cannot be simulated is no fault of its file, unless that names the population
    old = "eligibility: {age: {from: 90, to: 95}}\n"
    code, out, _ = run_cli("check", write_study(tmp_path / "old", old))
    assert code == 0 and "No virtual trial of this study can be simulated: " in out
    code, out, err = run_cli("check", write_study(tmp_path / "named", old + "virtual: {population: mskcc}\n"))
    assert code == 2 and err.startswith("virtual.population: 'mskcc'")


def test_every_command_that_simulates_patients_takes_a_population() -> None:
    group = typer.main.get_command(app)
    takes = {name for name, command in group.commands.items() if any("--population" in param.opts for param in command.params)}
    assert {"simulate", "trials", "report", "design", "supply"} <= takes


def test_a_population_is_refused_where_nobody_is_simulated(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study")
    code, _, err = run_cli("report", folder, "--data", folder, "--out", tmp_path / "out", "--population", "mskcc")
    assert code == 2 and "--population is of virtual patients alone" in err
    code, _, err = run_cli("supply", "--population", "mskcc", "--population", "cibmtr", "--out", tmp_path / "supply.html")
    assert code == 2 and "'mskcc' and 'cibmtr' both have an autologous product" in err
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.shows("CMD-trials")
def test_trials_of_a_named_population_keep_its_name(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    folder = write_study(tmp_path / "study", "virtual: {population: mskcc, n: 3, seed: 5}\n")
    command = ("trials", folder, "--out", tmp_path / "out", "--trials", "1")
    assert run_cli(*command)[0] == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["population"].split()[0], manifest["infused"], manifest["seed"]) == ("mskcc", 3, 5)
    code, _, err = run_cli(*command, "--population", "zuma3")
    assert code == 2 and "another population" in err and err.count("\n") == 1


# the way from leukaemia to the infused


def test_the_funnel_is_of_the_study_s_own_population(tmp_path: Path) -> None:
    from cartrial.design import AccrualPlan, design_study_funnel
    from cartrial.design.enrolment.funnel_file import load_funnel

    choices = {step.id: step.choices for step in load_funnel().steps}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PopulationWarning)
        for name in ("cibmtr", "mskcc"):
            study = Study.load(write_study(tmp_path / name, f"virtual: {{population: {name}}}\n"))
            plan = AccrualPlan.of_study(study, trials=20)
            people = accrue_trials(plan_study(study, n=50), np.arange(20))
            rows = {row["step"]: row for row in design_study_funnel(1000, plan, "autologous", draws=200).table.iter_rows(named=True)}
            child = load_population(name).patients.child
            assert plan.child == child and name in plan.source and "as the study file names it" in plan.source
            assert rows["infused"]["share"] == pytest.approx(people.infused.sum() / (people.outcome >= 0).sum())
            assert rows["infused"]["share_low"] < rows["infused"]["share"] < rows["infused"]["share_high"]
            assert plan.source in rows["infused"]["source"]
            for step in ("adult", "relapsed-refractory"):
                assert (rows[step]["source"] == choices[step]["children"].source) == child
            assert (rows["adult"]["label"] == "Children and young adults") == child
    donor = design_study_funnel(1000, plan, "allogeneic", draws=200).table
    assert "leukapheresed" not in donor["step"].to_list()


@pytest.mark.slow
def test_a_design_refuses_a_population_that_does_not_fit(tmp_path: Path) -> None:
    rate = (
        "  - {id: ORR, label: Response, role: primary, type: response-rate, window: {at: day 28}, population: infused,\n"
        "     strategies: {hsct: composite, new-therapy: composite}, test: {null: 0.2, alternative: 0.45}}\n"
    )
    for more, options in (("", ("--population", "allogeneic-cd19")), ("virtual: {population: allogeneic-cd19}\n", ())):
        code, out, err = run_cli("design", write_study(tmp_path, rate + more), "--no-simulation", *options)
        assert code == 2 and out == "" and "does not fit the study" in err and err.count("\n") == 1
