"""Which words of a study file are printed as they stand, on its shells and in the protocol document? Expected values: by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from cartrial.study import Study
from cartrial.submission.guide.protocol import protocol_document
from helpers import ROOT, load_study, run_cli

FULL = ROOT / "tests" / "study" / "full" / "leukaemia.yaml"
# where a word stands in the file: on the page, in the protocol, or on both
PRINTED = {
    ("study", "title"): ("page", "protocol"),
    ("study", "registry"): ("page", "protocol"),
    ("study", "phase"): ("page", "protocol"),
    ("study", "design"): ("page", "protocol"),
    ("study", "references"): ("protocol",),
    ("product", "name"): ("page", "protocol"),
    ("product", "target"): ("page", "protocol"),
    ("product", "binder"): ("page",),
    ("product", "dose"): ("protocol",),
    ("disease", "name"): ("page", "protocol"),
    ("disease", "criteria", "name"): ("page", "protocol"),
    ("baseline", 1, "label"): ("page", "protocol"),
    ("baseline", 1, "unit"): ("page",),
    ("safety", "special", 0, "label"): ("protocol",),
    ("safety", "special", 0, "scale"): ("page",),
    ("submission", "sponsor"): ("protocol",),
    ("submission", "protocol"): ("protocol",),
    ("submission", "protocol-version"): ("protocol",),
}


def marked(place: tuple[str | int, ...]) -> str:
    return "word of " + " ".join(str(step) for step in place)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study]:
    raw = yaml.safe_load(FULL.read_text(encoding="utf-8"))
    for place in PRINTED:
        at = raw
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] = [marked(place)] if place[-1] == "references" else marked(place)
    raw["study"]["sites"] = 4321
    folder = tmp_path_factory.mktemp("printed")
    return folder, load_study(folder, yaml.dump(raw, allow_unicode=True, sort_keys=False))


@pytest.mark.slow
@pytest.mark.shows(
    "STUDY-study.title",
    "STUDY-study.registry",
    "STUDY-study.phase",
    "STUDY-study.design",
    "STUDY-study.sites",
    "STUDY-study.references",
    "STUDY-product.name",
    "STUDY-product.target",
    "STUDY-product.binder",
    "STUDY-product.dose",
    "STUDY-disease.name",
    "STUDY-disease.criteria.name",
    "STUDY-baseline.label",
    "STUDY-baseline.unit",
    "STUDY-safety.special.label",
    "STUDY-safety.special.scale",
    "STUDY-submission.sponsor",
    "STUDY-submission.protocol",
    "STUDY-submission.protocol-version",
    "STUDY-submission.protocol-date",
    "STUDY-readers.sensitivity",
)
def test_words_of_the_study_are_printed(study: tuple[Path, Study]) -> None:
    folder, loaded = study
    assert run_cli("shells", folder / "study.yaml", "--out", folder / "shells.html")[0] == 0
    texts = {"page": (folder / "shells.html").read_text(encoding="utf-8"), "protocol": repr(protocol_document(loaded, dt.date(2026, 1, 1)))}
    missing = [(place, where) for place, on in PRINTED.items() for where in on if marked(place) not in texts[where]]
    assert not missing
    assert "4321" in texts["page"] and "2021-05-01" in texts["protocol"]
    # INV stands beside the committee
    assert "Shown beside" in texts["page"] and "the investigator" in texts["page"]
