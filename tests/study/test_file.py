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
    "subgroup that is none": ("[AGE]", "[AEG]", "AEG", "subgroups.0", "The nearest is 'AGE'"),
    "levels that do not fit the cuts": ("levels: [young, old]", "levels: [young]", "young", "baseline.0", "2 levels"),
    "two endpoints of one id": ("  - id: DOR", "  - id: ORR3", "- id: ORR3\n    label: Dur", "endpoints.1.id", "two endpoints"),
    "id that is too long": ("  - id: DOR", "  - id: DURATIONOFRESPONSE", "DURATIONOF", "endpoints.1.id", "pattern"),
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
    assert set(builtin_studies()) == {"inaticel", "allo-cd19"}
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
