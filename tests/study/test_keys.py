"""Is each key of a study file read, kept as it is written, and refused where it is wrong?

Every key of the format stands in one of the studies that are read here: those of the package, the examples, the truth tables, and three
invented ones (`full/`). What a key does is shown elsewhere: docs/requirements.md lists by which tests. Expected values: by hand, the file.
"""

from __future__ import annotations

import copy
import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from cartrial.errors import InputError
from cartrial.study import Study, builtin_studies
from helpers import ROOT, load_study
from requirements import models_in, places, requirements

FILES = [
    *sorted((ROOT / "tests" / "study" / "full").glob("*.yaml")),
    *builtin_studies().values(),
    *sorted((ROOT / "examples").glob("**/study.yaml")),
    *sorted((ROOT / "examples" / "designs").glob("*.yaml")),
    *sorted((ROOT / "tests" / "truth").glob("*/study.yaml")),
]
KEYS = [name for name, one in requirements().items() if one.kind == "STUDY"]
PLACE = {model: place for place, model in places().values()}
Place = tuple[str | int, ...]


class Quoted(yaml.SafeLoader):
    """YAML in which `null` is a key like others, as the format has it."""


Quoted.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":null")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def below(model: type[BaseModel], node: Any, at: Place) -> dict[str, Place]:
    """Return where each key stands in a part of a file, by the number of its requirement."""
    found: dict[str, Place] = {}
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, value in node.items() if isinstance(node, dict) else ():
        field = names.get(key)
        if field is None:
            continue
        place = PLACE[model]
        found.setdefault(f"STUDY-{place}.{key}" if place else f"STUDY-{key}", (*at, key))
        inner = list(models_in(field.annotation))
        items = enumerate(value) if isinstance(value, list) else [(None, value)]
        for i, item in items:
            if isinstance(item, dict):
                known = [one for one in inner if set(item) <= {f.alias or n for n, f in one.model_fields.items()}]
                for one in known[:1]:
                    for name, path in below(one, item, (*at, key) if i is None else (*at, key, i)).items():
                        found.setdefault(name, path)
    return found


@cache
def standing() -> dict[str, tuple[Path, Place]]:
    """Return a file and a place in it for each key."""
    found: dict[str, tuple[Path, Place]] = {}
    for path in FILES:
        for name, place in below(Study, content(path), ()).items():
            found.setdefault(name, (path, place))
    return found


@cache
def content(path: Path) -> Any:
    """Return a file as it is written."""
    return yaml.load(path.read_text(encoding="utf-8"), Quoted)


@cache
def kept(path: Path) -> Any:
    """Return what a file is read as."""
    return Study.load(path).model_dump(by_alias=True)


def at(node: Any, place: Place) -> Any:
    for step in place:
        node = node[step]
    return node


def same(written: Any, read: Any) -> bool:
    """Say whether what is read is what was written; a list of one stands for its item, a number for a text, defaults are added."""
    if isinstance(written, str) and isinstance(read, dict):
        return bool(written == read.get("name"))
    if isinstance(written, dict):
        return isinstance(read, dict) and all(key in read and same(value, read[key]) for key, value in written.items())
    if isinstance(written, list):
        return len(written) == len(read) and all(same(one, two) for one, two in zip(written, read, strict=True))
    if isinstance(read, tuple | list):
        return len(read) == 1 and same(written, read[0])
    if written in ("none", "null"):
        return read is None
    if isinstance(written, dt.date) or isinstance(read, dt.date):
        return str(written) == str(read)
    return written == read or str(written) == str(read) or (isinstance(read, float) and float(written) == read)


def test_every_key_stands_in_a_study_that_is_read() -> None:
    """By hand: the keys of the format, as its schema has them."""
    assert not set(KEYS) - set(standing())


def test_each_key_is_read_and_kept_as_it_is_written() -> None:
    """By hand: a criteria set by its name is the set of that name."""
    wrong = {}
    for name in KEYS:
        path, place = standing()[name]
        written, read = at(content(path), place), at(kept(path), place)
        if not same(written, read):
            wrong[name] = written, read
    assert not wrong


@pytest.mark.slow
def test_what_a_key_cannot_hold_is_refused_where_it_stands(tmp_path: Path) -> None:
    """By hand: a part of which nothing is known is no value of any key."""
    wrong = []
    for name in KEYS:
        path, place = standing()[name]
        spoilt = copy.deepcopy(content(path))
        at(spoilt, place[:-1])[place[-1]] = {"no-such-key": {}}
        try:
            load_study(tmp_path, yaml.dump(spoilt, allow_unicode=True, sort_keys=False))
        except InputError as refused:
            if str(place[-1]) in str(refused) or "no-such-key" in str(refused):
                continue
        wrong.append(name)
    assert not wrong


@pytest.mark.slow
@pytest.mark.shows(
    "STUDY-study.source",
    "STUDY-product.source",
    "STUDY-disease.source",
    "STUDY-readers.source",
    "STUDY-baseline.source",
    "STUDY-kinetics.source",
    "STUDY-safety.source",
    "STUDY-endpoints.source",
    "STUDY-review.source",
    "STUDY-product.dose-range.source",
    "STUDY-eligibility.age.source",
    "STUDY-eligibility.marrow-blasts.source",
    "STUDY-disease.criteria.source",
    "STUDY-disease.criteria-of-calls.source",
    "STUDY-disease.mrd.source",
    "STUDY-testing.alpha.source",
    "STUDY-testing.interval.source",
    "STUDY-design.power.source",
    "STUDY-design.n-max.source",
    "STUDY-design.subjects.source",
    "STUDY-design.own.source",
    "STUDY-design.looks.source",
    "STUDY-design.analysis.source",
    "STUDY-design.stage-one.source",
    "STUDY-design.prior.source",
    "STUDY-design.safety.source",
    "STUDY-design.survival.source",
    "STUDY-design.recruitment.source",
    "STUDY-kinetics.limit.source",
    "STUDY-kinetics.model.source",
    "STUDY-safety.cytopenia.source",
    "STUDY-safety.aplasia.source",
    "STUDY-endpoints.test.source",
    "STUDY-endpoints.samples.source",
    "STUDY-kinetics.model.bounds.source",
)
def test_a_source_that_is_an_assumption_is_listed_wherever_it_stands(tmp_path: Path) -> None:
    """By hand: whatever rule it is the source of, it is among the assumptions that a report prints."""
    wrong = []
    for name in KEYS:
        path, place = standing()[name]
        if place[-1] == "source":
            changed = copy.deepcopy(content(path))
            at(changed, place[:-1])["source"] = "assumption: said here alone"
            study = load_study(tmp_path, yaml.dump(changed, allow_unicode=True, sort_keys=False))
            if "assumption: said here alone" not in [text for _, text in study.assumptions()]:
                wrong.append(name)
    assert not wrong


@pytest.mark.shows("STUDY-disease.criteria.transfusion-free-days")
def test_an_option_comes_before_what_the_criteria_set_says(tmp_path: Path) -> None:
    """By hand: the set of `full/leukaemia.yaml` says 3 days after a transfusion and the study 7; without its own word the set's hold."""
    text = (ROOT / "tests" / "study" / "full" / "leukaemia.yaml").read_text(encoding="utf-8")
    assert load_study(tmp_path, text).disease.transfusion_free_days == 7
    assert load_study(tmp_path, text.replace("transfusion-free-days: 7, ", "")).disease.transfusion_free_days == 3
    neither = text.replace("transfusion-free-days: 7, ", "").replace("    transfusion-free-days: 3\n", "")
    assert not load_study(tmp_path, neither).disease.transfusion_free_days


@pytest.mark.shows("STUDY-disease.criteria-of-calls.confirm-days", "STUDY-disease.options-of-calls.confirm-days")
def test_an_option_of_calls_comes_before_what_their_set_says(tmp_path: Path) -> None:
    """By hand: the set of `full/lymphoma.yaml` has a remission seen again after 28 days, and the study on no day."""
    text = (ROOT / "tests" / "study" / "full" / "lymphoma.yaml").read_text(encoding="utf-8")
    assert load_study(tmp_path, text).disease.confirm_days == 0
    assert load_study(tmp_path, text.replace("    confirm-days: 0\n", "")).disease.confirm_days == 28
