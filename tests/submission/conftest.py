"""What the tests of an export share: six worked subjects, derived once."""

from __future__ import annotations

import pytest

from cartrial.analysis import analyse, sort_results
from cartrial.run import derive_data, load_data
from cartrial.submission import Job
from helpers import worked_folder


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    study = worked_folder(tmp_path_factory.mktemp("worked"), last=6)
    data = load_data(study, study / "data")
    derived = derive_data(data)
    results = sort_results(analyse(data.study, derived.adam, analyses=["flow"]))
    return Job(data.study, data.source, derived.records, derived.adam, results, derived.findings)
