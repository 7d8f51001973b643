"""Priors made of published rates: what may be put together, and what is told beside it.

Origin of every expectation: `by hand`, from the rows of the registry; the priors themselves are tested in tests/analysis/test_priors.py.
"""

from __future__ import annotations

import json

import pytest
import yaml

from cartrial.errors import InputError
from cartrial.evidence import derive_prior, load_evidence, read_assumptions
from helpers import run_cli

ALL = ["window=best", "reader=INV", "hsct=composite", "new-therapy=composite", "criteria=nccn"]
TYPED = [part for text in ALL for part in ("--assume", text)]


def test_a_prior_rests_on_like_estimands_and_named_assumptions() -> None:
    held = load_evidence()
    with pytest.raises(InputError) as caught:
        derive_prior(held, ["mskcc-cr", "germany-cr"])
    assert len(caught.value.errors) == 5
    found = derive_prior(held, ["mskcc-cr", "germany-cr"], assume=read_assumptions(ALL), robust=0.5)
    assert found.assumed == tuple(ALL)
    assert found.mixture.weights[-1] == 0.5 and (found.mixture.a[-1], found.mixture.b[-1]) == (1, 1)
    assert any("ages: adults; not-stated" in note for note in found.notes)


def test_one_trial_is_warned_of() -> None:
    found = derive_prior(load_evidence(), ["mskcc-cr"])
    assert "one trial tells nothing of how much trials differ" in found.notes[0]


@pytest.mark.slow
@pytest.mark.shows("CMD-evidence-prior")
def test_a_prior_is_typed_with_what_it_costs() -> None:
    code, out, err = run_cli("evidence", "prior", "mskcc-cr", "germany-cr", "--n", "48", "--null", "0.65", "--rate", "0.8", *TYPED)
    assert (code, err) == (0, "")
    assert "uniform   38 responses, success in 2.5 % at 0.65, 63.9 % at 0.8" in out
    assert "Borrowing changes the type I error from 2.5 to" in out and f"Assumed: {', '.join(ALL)}." in out
    code, out, _ = run_cli("evidence", "prior", "mskcc-cr", "--n", "48", "--null", "0.65", "--yaml")
    block = yaml.safe_load(out)["prior"]
    assert code == 0 and sum(block["weights"]) == pytest.approx(1, abs=1e-5) and block["robust"] == 0.2
    code, out, _ = run_cli("evidence", "prior", "mskcc-cr", "--n", "48", "--null", "0.65", "--json")
    held = json.loads(out)
    assert code == 0 and held["characteristics"]["uniform"]["smallest"] == 38
    for wrong in (["--null", "1.65"], ["--null", "0.65", "--robust", "2"], ["--null", "0.65", "--spread", "0"]):
        code, out, err = run_cli("evidence", "prior", "mskcc-cr", "--n", "48", *wrong)
        assert (code, out) == (2, "") and len(err.splitlines()) == 1
