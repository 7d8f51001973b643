"""What may stand in a study file, as a JSON Schema that editors complete and check by?"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from cartrial.study.endpoint import SHORT_KEYS, keys_of_variants
from cartrial.study.study import RULES, Study

__all__ = ["read_meanings", "study_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def read_meanings() -> dict[str, dict[str, str]]:
    """Return what each key of a study file means, in Markdown: by part and key.

    Examples
    --------
    >>> from cartrial.study.schema import read_meanings
    >>> read_meanings()["Product"]["name"]
    'Name in words.'
    """
    text = (resources.files("cartrial.study.schema") / "meanings.yaml").read_text(encoding="utf-8")
    return {part: dict(keys) for part, keys in yaml.safe_load(text).items()}


class _AsRead(GenerateJsonSchema):
    """The schema of what is read: a number stands for a text, as YAML has both without quotes."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        made = super().str_schema(schema)
        return made if "pattern" in made else {**made, "type": ["string", "number"]}


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a study file.

    What it cannot say is found by reading the file alone: whether parts fit together, and which words a family of criteria knows.

    Returns
    -------
    dict
        Keys as they are typed (kebab case), with their meanings.

    Examples
    --------
    >>> from cartrial.study.schema import study_schema
    >>> schema = study_schema()
    >>> schema["required"]
    ['schema', 'study', 'product', 'disease', 'readers']
    >>> schema["$defs"]["Product"]["properties"]["type"]["enum"]
    ['autologous', 'allogeneic']
    """
    made = Study.model_json_schema(by_alias=True, schema_generator=_AsRead)
    parts = {"Study": made, **made["$defs"]}
    for name, part in parts.items():
        part.pop("title", None)
        part["description"] = part.get("description", "").split("\n\n")[0].replace("\n", " ")
        for key, value in part.get("properties", {}).items():
            value.pop("title", None)
            if key in read_meanings().get(name, {}):
                value["description"] = _plain(read_meanings()[name][key])
    _short_forms(parts["Endpoint"], parts["Strategies"], made["$defs"])
    # read as a number or as a text
    made["properties"]["rules"] |= {"enum": [RULES, str(RULES)]}
    made["properties"]["rules"].pop("const", None)
    made["properties"]["rules"].pop("type", None)
    return {"$schema": DIALECT, "title": "cartrial study file", **made}


def _plain(text: str) -> str:
    """Return a meaning without links and marks of code."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text).replace("`", "")


def _short_forms(endpoint: dict[str, Any], strategies: dict[str, Any], parts: dict[str, Any]) -> None:
    """Add the keys that stand for others, and what a variant of `sensitivity` may change."""
    endpoint["properties"] |= SHORT_KEYS
    known = endpoint["properties"] | strategies["properties"]
    allowed = {key: _changed(known[key]) for key in (*keys_of_variants(), *SHORT_KEYS)}
    parts["Variant"] = {
        "type": "object",
        "description": "What one sensitivity analysis changes of its endpoint.",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": allowed,
    }
    endpoint["properties"]["sensitivity"]["items"] = {"$ref": "#/$defs/Variant"}


def _changed(value: dict[str, Any]) -> dict[str, Any]:
    """Return what a variant may write of a key: of a part, some of its keys."""
    kept = {key: inner for key, inner in value.items() if key != "default"}
    one_of = kept.get("anyOf", [kept])
    if any("$ref" in one for one in one_of):
        return {"type": ["object", "null"], "description": kept.get("description", "")}
    return kept
