"""The study file: what it refuses and where it says so, and what identifies a study.

Origin of every expected value: `by hand`, from the format of the study file.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from cartrial.errors import InputError
from cartrial.study import CRITERIA, Study, builtin_studies
from helpers import BASE, STUDIES, load_study

# name: what is replaced, by what, the line (text of it) that is named, the key, what is said
WRONG = {
    "unknown key": ("  title:", "  tittle:", "tittle", "study.tittle", "The nearest known key is 'title'"),
    "unknown key at the top": ("subgroups:", "subgroup:", "subgroup:", "subgroup", "'subgroups'"),
    "unknown key in a visit": ("minus: 14", "minos: 14", "minos", "disease.visits.1.minos", "'minus'"),
    "underscore for hyphen": ("    origin:", "    origins:", "origins", "endpoints.1.origins", "'origin'"),
    "schema of another version": ("schema: 1", "schema: 2", "schema", "schema", "found: 2"),
    "required key missing": ("  title: A study\n", "", "study:", "study.title", "required and missing"),
    "product without exposure": ("  exposure: [INATICABTAGENE AUTOLEUCEL]\n", "", "product:", "product.exposure", "required"),
    "cutoff that is no date": ("2022-09-27", "September 2022", "cutoff", "study.cutoff", "YYYY-MM-DD"),
    "cutoff that is no day": ("2022-09-27", "2022-13-40", "cutoff", "study.cutoff", "2022-13-40"),
    "type of product": ("type: autologous", "type: autologus", "autologus", "product.type", "'autologous'"),
    "criteria set": ("criteria: nccn", "criteria: ncnc", "ncnc", "disease.criteria", "The nearest is 'nccn'"),
    "visits out of order": ("name: day 28, day: 28", "name: day 28, day: 98", "month 3, day", "disease.visits.1.day", "not after"),
    "visit windows that overlap": ("day: 90, minus: 14", "day: 90, minus: 60", "minus: 60", "disease.visits.1", "overlap"),
    "two visits of one name": ("name: month 3, day", "name: day 28, day", "day: 90", "disease.visits.1.name", "two visits"),
    "unknown reader": ("{primary: IRC}", "{primary: BOSS}", "BOSS", "readers.primary", "'IRC'"),
    "alpha out of range": ("value: 0.025", "value: 2.5", "2.5", "testing.alpha.value", "less than 1"),
    "a number that is none": ("value: 0.025", "value: .nan", ".nan", "testing.alpha.value", "finite"),
    "testing order names no endpoint": ("order: [ORR3]", "order: [ORR2]", "ORR2", "testing.order.0", "The nearest is 'ORR3'"),
    "plan of no endpoint": (
        "subgroups:",
        "submission: {sap: {file: sap.pdf, pages: {ORR2: 31}}}\nsubgroups:",
        "ORR2",
        "submission.sap.pages.ORR2",
        "The nearest is 'ORR3'",
    ),
    "number of a display": (
        "subgroups:",
        "submission: {numbering: {orr: 14/2}}\nsubgroups:",
        "14/2",
        "submission.numbering.orr",
        "14.2.1.1",
    ),
    "label that is too long": (
        "subgroups:",
        "submission: {labels: {AGEGR1: 年龄年龄年龄年龄年龄年龄年龄}}\nsubgroups:",
        "AGEGR1: ",
        "submission.labels.AGEGR1",
        "40 bytes",
    ),
    "subgroup that is none": ("[AGE]", "[AEG]", "AEG", "subgroups.0", "The nearest is 'AGE'"),
    "levels that do not fit the cuts": ("levels: [young, old]", "levels: [young]", "young", "baseline.0", "2 levels"),
    "two endpoints of one id": ("  - id: DOR", "  - id: ORR3", "- id: ORR3\n    label: Dur", "endpoints.1.id", "two endpoints"),
    "id that is too long": ("  - id: DOR", "  - id: DURATIONOFRESPONSE", "DURATIONOF", "endpoints.1.id", "at most 7 more capitals"),
    "strategy omitted": (
        "{hsct: composite, new-therapy: composite}",
        "{hsct: composite}",
        "{hsct: composite}",
        "endpoints.0.strategies.new-therapy",
        "required",
    ),
    "unknown strategy": (
        "{hsct: hypothetical, new",
        "{hsct: hypothetic, new",
        "hypothetic,",
        "endpoints.1.strategies.hsct",
        "'hypothetical'",
    ),
    "unknown event": (
        "{hsct: hypothetical, new-therapy",
        "{hcst: hypothetical, new-therapy",
        "hcst",
        "endpoints.1.strategies.hcst",
        "'hsct'",
    ),
    "hypothetical for a rate": (
        "{hsct: composite,",
        "{hsct: hypothetical,",
        "hypothetical, new-therapy: composite",
        "endpoints.0.strategies.hsct",
        "imputation",
    ),
    "unknown visit": ("{at: month 3}", "{at: month 4}", "month 4", "endpoints.0.window.at", "The nearest is 'month 3'"),
    "two windows": ("{at: month 3}", "{at: month 3, best: cutoff}", "best", "endpoints.0.window", "exactly one of"),
    "rate without a window": ("    window: {at: month 3}\n", "", "- id: ORR3", "endpoints.0", "needs a window"),
    "time without events": ("    events: [relapse, death]\n", "", "- id: DOR", "endpoints.1", "origin and its events"),
    "product failure of a time": (
        "{hsct: hypothetical, new",
        "{product-failure: composite, hsct: hypothetical, new",
        "product-failure",
        "endpoints.1.strategies.product-failure",
        "response rates",
    ),
    "competing event not among the events": (
        "events: [relapse, death]",
        "events: [relapse]",
        "competing",
        "endpoints.1.sensitivity.1",
        "among the events",
    ),
    "variant with an unknown key": ("- {reader: INV}", "- {raeder: INV}", "raeder", "endpoints.0.sensitivity.1.raeder", "'reader'"),
    "variant with a misspelt event": ("- {reader: INV}", "- {hsc: composite}", "hsc:", "endpoints.0.sensitivity.1.hsc", "'hsct'"),
    "variant with an unknown reader": ("- {reader: INV}", "- {reader: INX}", "INX", "endpoints.0.sensitivity.1.reader", "found: 'INX'"),
    "variant with an unknown strategy": (
        "- {reader: INV}",
        "- {hsct: ignore}",
        "ignore",
        "endpoints.0.sensitivity.1.hsct",
        "'treatment-policy'",
    ),
    "variant hypothetical for a rate": (
        "- {reader: INV}",
        "- {hsct: hypothetical}",
        "- {hsct: hypothetical}",
        "endpoints.0.sensitivity.1.hsct",
        "imputation",
    ),
    "variant with an unknown visit": (
        "- {reader: INV}",
        "- {window: {at: month 9}}",
        "month 9",
        "endpoints.0.sensitivity.1.window.at",
        "'month 3'",
    ),
    "variant with a part of the wrong shape": (
        "- {reader: INV}",
        "- {population: {of: x}}",
        "of: x",
        "endpoints.0.sensitivity.1.population",
        "'infused'",
    ),
    "variant that changes nothing": ("- {reader: INV}", "- {}", "- {}", "endpoints.0.sensitivity.1", "changes nothing"),
    "variant that is no mapping": ("- {reader: INV}", "- INV", "- INV", "endpoints.0.sensitivity.1", "{key: value}"),
    "variant that stands twice": (
        "- {reader: INV}",
        "- {hsct: treatment-policy}\n      - {hsct: treatment-policy}",
        None,
        "endpoints.0.sensitivity.1",
        "stands twice",
    ),
    "text instead of a list": ("order: [ORR3]", "order: ORR3", "order", "testing.order", "a list is expected"),
    "text instead of a part": ("readers: {primary: IRC}", "readers: IRC", "readers", "readers", "a mapping is expected"),
    "variant of another id": ("- {reader: INV}", "- {id: ORR4}", "ORR4", "endpoints.0.sensitivity.1.id", "another endpoint"),
    "key that stands twice": ("  title: A study", "  title: A study\n  title: B", "title: B", None, "stands twice"),
    "tab": ("  title: A study", "\ttitle: A study", "\ttitle", None, "YAML"),
    "bracket left open": ("exposure: [INATICABTAGENE AUTOLEUCEL]", "exposure: [INATICABTAGENE AUTOLEUCEL", "disease", None, "YAML"),
    "key that is no word": ("  title: A study", "  [a, b]: A study", "[a, b]", None, "key: value"),
}


def test_the_base_is_right(tmp_path: Path) -> None:
    assert load_study(tmp_path, BASE).study.id == "base"


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.shows(
    "RULE-5.1",
    "RULE-5.5",
    "FMT-study-yaml",
    "STUDY-schema",
    "STUDY-product.exposure",
    "STUDY-disease.visits",
    "STUDY-disease.visits.name",
    "STUDY-disease.visits.day",
    "STUDY-disease.visits.minus",
    "STUDY-readers.primary",
    "STUDY-testing.order",
    "STUDY-testing.alpha.value",
    "STUDY-baseline.levels",
    "STUDY-subgroups",
    "STUDY-endpoints",
    "STUDY-endpoints.id",
    "STUDY-endpoints.type",
    "STUDY-endpoints.strategies",
    "STUDY-endpoints.strategies.new-therapy",
    "STUDY-endpoints.window",
    "STUDY-endpoints.window.at",
    "STUDY-endpoints.events",
    "STUDY-endpoints.analysis",
    "STUDY-submission.numbering",
    "STUDY-submission.labels",
    "STUDY-submission.sap.pages",
    "STUDY-product",
    "STUDY-disease",
    "STUDY-study",
    "STUDY-readers",
    "STUDY-testing",
)
def test_an_error_names_file_line_and_key(case: str, tmp_path: Path) -> None:
    old, new, line, key, said = WRONG[case]
    assert old in BASE
    text = BASE.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        load_study(tmp_path, text)
    error = caught.value
    assert error.file == "study.yaml"
    assert error.row is not None
    if line is not None:
        assert error.row == text[: text.index(line)].count("\n") + 1, f"{error} (line {error.row})"
    if key is not None:
        assert error.key == key
    assert said in str(error), str(error)
    assert "\n" not in str(error) and "Error" not in str(error) and "Traceback" not in str(error)


@pytest.mark.parametrize(
    ("content", "said"),
    {
        "empty": (b"", "the file is empty"),
        "comment alone": (b"# nothing\n", "the file is empty"),
        "not UTF-8": ("schema: 1\nstudy: {title: für}\n".encode("latin-1"), "not UTF-8"),
        "a list": (b"- 1\n- 2\n", "a mapping of keys is expected"),
        "a word": (b"hello\n", "a mapping of keys is expected"),
        "itself": (b"schema: &a [*a]\n", "contains itself"),
        "two documents": (b"schema: 1\n---\nschema: 1\n", "not valid YAML"),
        "control character": (b"schema: 1\nstudy: \x00\n", "not valid YAML"),
    }.values(),
    ids=str,
)
def test_what_is_no_study(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        Study.load(path)
    assert caught.value.file == "study.yaml"


def test_a_name_that_is_no_study_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the nearest is 'inaticel'"):
        Study.load("inaticell")
    with pytest.raises(InputError, match=r"no study\.yaml"):
        Study.load(tmp_path)


@pytest.mark.parametrize("name", STUDIES)
def test_studiesload_study(name: str) -> None:
    study = Study.load(STUDIES[name])
    assert study.study.id and study.disease.criteria.name in {*CRITERIA, study.disease.criteria.name}
    assert study.endpoints or study.study.listing_only
    assert len(study.hash) == 64


def test_the_built_in_studies_load_by_name() -> None:
    assert set(builtin_studies()) == {"inaticel", "inaticel-children", "allo-cd19", "cnct19-nhl"}
    inaticel, allo = Study.load("inaticel"), Study.load("allo-cd19")
    assert (inaticel.product.type, allo.product.type) == ("autologous", "allogeneic")
    assert inaticel.study.cutoff is not None and inaticel.study.cutoff.isoformat() == "2022-09-27"
    primary = {study.study.id: [endpoint.id for endpoint in study.endpoints if endpoint.role == "primary"] for study in (inaticel, allo)}
    assert primary == {"inaticel-pivotal": ["ORR3"], "allo-cd19": ["CRR"]}


def _shuffled(node: object, rng: random.Random) -> object:
    """Return the same content with the keys of each mapping in another order, but for sensitivity variants, whose order is their name."""
    if isinstance(node, dict):
        keys = list(node)
        rng.shuffle(keys)
        return {key: node[key] if key == "sensitivity" else _shuffled(node[key], rng) for key in keys}
    return [_shuffled(item, rng) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.shows("FMT-study-yaml")
def test_the_hash_does_not_depend_on_order_comments_or_layout(name: str, tmp_path: Path) -> None:
    text = STUDIES[name].read_text(encoding="utf-8")
    study = Study.load(STUDIES[name])
    data = yaml.safe_load(text)
    for seed in range(3):
        other = yaml.safe_dump(_shuffled(data, random.Random(seed)), sort_keys=False, allow_unicode=True, width=60)
        assert load_study(tmp_path, "# another comment\n\n" + other).hash == study.hash
    assert load_study(tmp_path, text.replace("\n", "  # said\n", 1) if text.startswith("schema") else text + "\n# end\n").hash == study.hash


def test_the_hash_depends_on_every_rule(tmp_path: Path) -> None:
    changes = [
        ("nccn", "nci-2010"),
        ("minus: 14", "minus: 13"),
        ("{primary: IRC}", "{primary: INV}"),
        ("2022-09-27", "2022-09-28"),
        ("{hsct: composite, new", "{hsct: treatment-policy, new"),
        ("- {reader: INV}", "- {population: assessed}"),
        ("events: [relapse, death]", "events: [death, relapse]"),
        ("label: Age", "label: Age in years"),
    ]
    hashes = [load_study(tmp_path, text).hash for text in (BASE, *(BASE.replace(old, new, 1) for old, new in changes))]
    assert len(set(hashes)) == len(changes) + 1


@pytest.mark.shows("STUDY-study.provenance", "STUDY-submission")
def test_a_changed_copy_has_a_hash_of_its_own(tmp_path: Path) -> None:
    """By hand: also where that of the first was asked before; whose data they are changes no rule, so that a virtual trial keeps it."""
    study = load_study(tmp_path, BASE)
    assert study.hash != study.model_copy(update={"endpoints": study.endpoints[:1]}).hash
    virtual = study.model_copy(update={"study": study.study.model_copy(update={"provenance": "virtual"})})
    assert virtual.hash == study.hash
    filed = load_study(tmp_path, BASE + "\nsubmission: {protocol: CT-101, dictionaries: {meddra: 26.1}}\n")
    assert filed.hash == study.hash and (filed.submission.protocol, filed.submission.dictionaries.meddra) == ("CT-101", "26.1")


@pytest.mark.slow
def test_the_hash_is_the_same_in_another_process(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    script = "from cartrial.study import Study; print(Study.load('inaticel').hash)"
    found = {
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {Study.load("inaticel").hash}


@pytest.mark.parametrize(("group", "entry", "key"), [("safety", "event: CRS", "event"), ("survival", "endpoint: OS", "endpoint")])
def test_a_limit_that_stands_twice_is_refused(group: str, entry: str, key: str, tmp_path: Path) -> None:
    """By hand: two limits of one event, or two hypotheses about one endpoint, cannot both hold."""
    from importlib import resources

    rest = "acceptable: 0.1, unacceptable: 0.3" if group == "safety" else "at: 360, null: 0.3, alternative: 0.5"
    text = (resources.files("cartrial.study") / "builtin" / "inaticel.yaml").read_text(encoding="utf-8")
    head, _, tail = text.partition("\ndesign:\n")
    assert tail
    line = f"{{{entry}, {rest}}}"
    file = tmp_path / "study.yaml"
    sections = tail.split("\n")
    end = next(i for i, row in enumerate(sections) if row and not row.startswith((" ", "#")))
    file.write_text(f"{head}\ndesign: {{{group}: [{line}, {line}]}}\n" + "\n".join(sections[end:]), encoding="utf-8")
    with pytest.raises(InputError, match=f"design.{group}.1.{key}: .* stands twice"):
        Study.load(file)


# what is replaced, by what, the line (text of it), the key, what is said
SEVERAL = [
    ("  title: A study", "  tittle: A study", "tittle", "study.tittle", "The nearest known key is 'title'"),
    ("2022-09-27", "27.09.2022", "cutoff", "study.cutoff", "Write YYYY-MM-DD"),
    ("type: autologous", "type: autologus", "autologus", "product.type", "The nearest is 'autologous'"),
    ("day: 28, minus: 7", "day: twenty, minus: 7", "twenty", "disease.visits.0.day", "a whole number is expected"),
    ("{primary: IRC}", "{primary: BOSS}", "BOSS", "readers.primary", "Known are 'IRC', 'INV'"),
    ("value: 0.025", "value: 2.5", "2.5", "testing.alpha.value", "the number must be less than 1"),
    ("order: [ORR3]", "order: [ORR2]", "ORR2", "testing.order.0", "The nearest is 'ORR3'"),
    ("[AGE]", "[AEG]", "AEG", "subgroups.0", "The nearest is 'AGE'"),
    ("{at: month 3}", "{at: month 4}", "month 4", "endpoints.0.window.at", "The nearest is 'month 3'"),
    ("- {reader: INV}", "- {raeder: INV}", "raeder", "endpoints.0.sensitivity.1.raeder", "'reader'"),
    ("  - id: DOR", "  - id: Duration", "Duration", "endpoints.1.id", "at most 7 more capitals or digits"),
    ("events: [relapse, death]", "events: [relapse, deth]", "deth", "endpoints.1.events.1", "The nearest is 'death'"),
]


def test_every_fault_of_a_file_is_said_at_once(tmp_path: Path) -> None:
    """By hand: each fault with its line and key, in the order of the lines, one line of the message each, and none beside them."""
    text = BASE
    for old, new, *_ in SEVERAL:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        load_study(tmp_path, text)
    error = caught.value
    assert [fault.key for fault in error.errors] == [key for _, _, _, key, _ in SEVERAL], str(error)
    for fault, (_, _, line, _, said), printed in zip(error.errors, SEVERAL, str(error).splitlines(), strict=True):
        assert fault.row == text[: text.index(line)].count("\n") + 1
        assert said in str(fault) and str(fault) == printed
    assert (error.file, error.row, error.key) == ("study.yaml", error.errors[0].row, "study.tittle")


def test_what_cannot_be_read_is_said_beside_what_is_wrong(tmp_path: Path) -> None:
    text = BASE.replace("{primary: IRC}", "{primary: BOSS}").replace("  title: A study", "  title: A study\n  title: B")
    text = text.replace("cutoff: 2022-09-27", "cutoff: 2022-13-40")
    with pytest.raises(InputError) as caught:
        load_study(tmp_path, text)
    assert [fault.row for fault in caught.value.errors] == [6, 7, 17]


# what is replaced, by what, the whole of what is said after the key
WORDS = [
    ("value: 0.025", "value: 0", "the number must be greater than 0 (found: 0)."),
    ("value: 0.025", 'value: "0,025"', "a number is expected (found: '0,025'). The decimal sign is a point: 0.025."),
    ("value: 0.025", "value: much", "a number is expected (found: 'much'). Write it as 0.5 or 28."),
    ("minus: 14", "minus: -14", "the number must be at least 0 (found: -14)."),
    ("minus: 14", "minus: 1.5", "a whole number is expected (found: 1.5). Write it in digits alone, such as 28."),
    ("sides: 1", "sides: 3", "the number is none of those that can stand here (found: 3). Known are 1, 2."),
    ("schema: 1", "schema: 2", "the number is none of those that can stand here (found: 2). Write 1."),
    (
        "type: autologous",
        "type: autolog",
        "the word is none of those that can stand here (found: 'autolog'). "
        "The nearest is 'autologous'; known are 'autologous', 'allogeneic'.",
    ),
    ("title: A study", "title: [A, study]", "text is expected. Write one word, or a text in quotes."),
    ("id: base", 'id: ""', "the text must have at least 1 character (found: '')."),
    (
        "type: autologous",
        "type: autologous\n  re-infusion: perhaps",
        "true or false is expected (found: 'perhaps'). Write true or false, without quotes.",
    ),
    ("type: autologous", "type: autologous\n  fraction-days: true", "a whole number is expected (found: true). Write a whole number."),
    ("exposure: [INATICABTAGENE AUTOLEUCEL]", "exposure: []", "the list must have at least 1 entry."),
    (
        "id: AGE,",
        "id: age at entry,",
        "an id is a capital letter and at most 6 more capitals or digits (found: 'age at entry'). Write for example AGEATEN.",
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), WORDS, ids=[new for _, new, _ in WORDS])
def test_a_fault_is_said_in_words(old: str, new: str, said: str, tmp_path: Path) -> None:
    """By hand: a sentence of what is wrong, and of what would be right, in place of those of the library that validates."""
    assert old in BASE
    text = BASE.replace(old, new, 1)
    if old == "id: AGE,":
        text = text.replace("subgroups: [AGE]\n", "")
    with pytest.raises(InputError) as caught:
        load_study(tmp_path, text)
    assert str(caught.value).partition(f"{caught.value.key}: ")[2] == said
    assert not any(word in str(caught.value).lower() for word in ("input should", "string should", "pattern", "valid "))


@pytest.mark.shows("RULE-7.17", "STUDY-rules")
def test_the_version_of_the_rules(tmp_path: Path) -> None:
    """By hand, §9: absent is 2, 1 is refused by name of the version that derived by it; the hash is the same whether 2 is said or not."""
    stated, silent = (load_study(tmp_path, text) for text in (BASE.replace("schema: 1", "schema: 1\nrules: 2"), BASE))
    assert stated.rules == silent.rules == 2 and stated.hash == silent.hash
    assert "rules" in stated.model_fields_set and "rules" not in silent.model_fields_set
    for version, said in (("1", "Write rules: 2; cartrial 0.1.0 is the last that derives by version 1"), ("3", "Write rules: 2")):
        with pytest.raises(InputError, match=said) as caught:
            load_study(tmp_path, BASE.replace("schema: 1", f"schema: 1\nrules: {version}"))
        assert (caught.value.row, caught.value.key) == (3, "rules")


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_of_the_package_says_its_version_of_the_rules(name: str) -> None:
    assert "rules" in Study.load(STUDIES[name]).model_fields_set
