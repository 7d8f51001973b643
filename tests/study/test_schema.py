"""Does the JSON Schema of study files take what is right, and mark what is wrong where it stands?"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cartrial.errors import InputError
from cartrial.study import Study, builtin_studies
from cartrial.study.schema import study_schema
from helpers import ROOT, run_cli

SCHEMA = study_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FILES = [
    *builtin_studies().values(),
    *sorted((ROOT / "examples").glob("**/*.yaml")),
    *sorted((ROOT / "tests" / "truth").glob("*/study.yaml")),
]
STUDIES = [path for path in FILES if "\nendpoints:" in path.read_text(encoding="utf-8")]
TEXT = (ROOT / "examples" / "worked" / "study.yaml").read_text(encoding="utf-8")


class Plain(yaml.SafeLoader):
    """YAML as editors read it: a date is a text, and so is every key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        """Return a mapping whose keys are as they are written."""
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(("timestamp", "bool"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Plain.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
Plain.add_constructor("tag:yaml.org,2002:map", Plain.construct_mapping)


def line_of(text: str, path: list[str | int], key: str | None = None) -> int:
    """Return the line of what a path leads to, from 1: of a key in a mapping that of the key."""
    node = yaml.compose(text, Plain)
    line = 1
    for step in [*path, *([key] if key is not None else [])]:
        if isinstance(node, yaml.SequenceNode):
            node = node.value[int(step)]
            line = node.start_mark.line + 1
        else:
            found = next((pair for pair in node.value if pair[0].value == step), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
    return line


def marked(text: str) -> set[int]:
    """Return the lines that a generic validator marks."""
    lines = set()
    for error in VALIDATOR.iter_errors(yaml.load(text, Plain)):
        best = jsonschema.exceptions.best_match([error])
        extra = set(best.instance) - set(best.schema.get("properties", {})) if best.validator == "additionalProperties" else {None}
        lines |= {line_of(text, list(best.absolute_path), key) for key in extra}
    return lines


@pytest.mark.shows("FMT-json-schema")
def test_the_schema_is_one_of_its_dialect_and_takes_every_study_of_ours() -> None:
    """By hand: nothing that `Study.load` reads is refused."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert len(STUDIES) >= 20
    for path in STUDIES:
        assert not list(VALIDATOR.iter_errors(yaml.load(path.read_text(encoding="utf-8"), Plain))), path


def test_every_key_has_a_meaning_and_stands_as_it_is_typed() -> None:
    """By hand: the keys of the file format, kebab case; numbers stand for texts, names for lists of one, `none` for nothing."""
    parts = {"Study": SCHEMA, **SCHEMA["$defs"]}
    silent = [
        f"{name}.{key}" for name, part in parts.items() for key, value in part.get("properties", {}).items() if not value.get("description")
    ]
    assert not silent
    assert not [key for part in parts.values() for key in part.get("properties", {}) if "_" in key]
    text = TEXT.replace("phase:", "phase: 2 #", 1).replace("cutoff:", "cutoff: none #", 1)
    assert not marked(text)


# fault, text of the worked example that it takes the place of, line that it stands on (the first of `there`)
BROKEN = [
    ("unknown key", "readers:", "raeders:"),
    ("version of the format", "schema: 1", "schema: 2"),
    ("version of the rules", "rules: 2", "rules: 3"),
    ("kind of product", "type: autologous", "type: autologus"),
    ("re-infusion", "re-infusion: false", "re-infusion: perhaps"),
    ("date", "cutoff: ", "cutoff: [2022] #"),
    ("sites", "sites: ", "sites: many #"),
    ("provenance", "provenance: example", "provenance: invented"),
    ("criteria", "criteria: nccn", "criteria: nccm"),
    ("day of a visit", "day: 28,", "day: soon,"),
    ("negative window", "minus: 7,", "minus: -7,"),
    ("reader", "primary: IRC", "primary: ICR"),
    ("type of endpoint", "type: response-rate", "type: responserate"),
    ("population", "population: infused", "population: treated"),
    ("strategy", "new-therapy: composite", "new-therapy: composit"),
    ("unknown strategy", "hsct: composite,", "hsct: composite, transplant: composite,"),
    ("role", "role: primary", "role: main"),
    ("variant", "- {population: assessed}", "- {population: treated}"),
    ("id", "- id: ", "- id: 9"),
    ("share of residual disease", "negative-below: 1.0e-4", "negative-below: 2"),
    ("misspelt key of an endpoint", "    window:", "    windows:"),
    ("misspelt key of the study", "  title:", "  titel:"),
]


@pytest.mark.parametrize(("fault", "old", "new"), BROKEN)
@pytest.mark.shows("FMT-json-schema")
def test_a_generic_validator_marks_the_line_of_a_fault(fault: str, old: str, new: str, tmp_path: Path) -> None:
    """By hand: the line is that of the change. The file is refused when it is read, too."""
    assert old in TEXT, fault
    at = TEXT[: TEXT.index(old)].count("\n") + 1
    text = TEXT.replace(old, new, 1)
    assert at in marked(text), fault
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        Study.load(tmp_path / "study.yaml")


@pytest.mark.shows("CMD-schema")
def test_the_command_prints_and_writes_the_same(tmp_path: Path) -> None:
    """By hand: what is printed is what is written; a folder in its place is refused."""
    code, out, _ = run_cli("schema")
    assert code == 0 and json.loads(out) == SCHEMA
    code, out, _ = run_cli("schema", "--to", str(tmp_path / "s.json"))
    assert code == 0 and "$schema=s.json" in out and json.loads((tmp_path / "s.json").read_text(encoding="utf-8")) == SCHEMA
    code, _, err = run_cli("schema", "--to", str(tmp_path))
    assert code == 2 and "a folder stands" in err
