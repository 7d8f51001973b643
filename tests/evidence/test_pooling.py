"""Which published rates may be pooled: like estimands of other patients, with counts that are known.

Origin of every expectation: `by hand`, from the rows of the registry; the rates themselves are tested in tests/analysis/test_pooled.py.
"""

from __future__ import annotations

import json

import pytest

from cartrial.errors import InputError
from cartrial.evidence import load_evidence, pool_results, read_assumptions
from cartrial.evidence.pooling.pool import count_of
from helpers import run_cli

HELD = load_evidence()
ALL = ["window=best", "reader=INV", "hsct=composite", "new-therapy=composite", "criteria=nccn"]
ASSUMED = read_assumptions(ALL)


def refused(*results: str, **assume: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        pool_results(HELD, results, assume=assume or None)
    return [str(error) for error in caught.value.errors]


def test_nothing_is_pooled_of_which_nobody_says_how_it_was_read() -> None:
    """By hand: five attributes of each of three pairs are not established."""
    assert len(refused("mskcc-cr", "cibmtr20-cr", "germany-cr")) == 15


def test_what_is_assumed_is_named() -> None:
    found = pool_results(HELD, ["mskcc-cr", "cibmtr20-cr", "germany-cr"], assume=ASSUMED)
    assert [(one.count, one.of) for one in found.results] == [(44, 53), (218, 255), (71, 81)]
    assert [one.rule for one in found.results] == ["only count of 53 that prints 83", "only count of 255 that prints 85.5", None]
    assert found.assumed == tuple(ALL)
    assert (found.rate.events, found.rate.patients, len(found.without)) == (333, 389, 3)
    assert any("ages: adults; not-stated" in note for note in found.notes)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (("inati-48-orr3", "inati-48-best"), "are of one trial"),
        (("eliana-75-orr", "eliana-79-orr"), "are of one trial, of the cuts nejm-2018 and 24-months"),
        (("cibmtr20-cr", "prwcc-185"), "have patients in common, or are likely to"),
        (("calm-fca", "zuma3-55-orr"), "unlike groups of the infused: FCA and all"),
        (("inati-48-orr3", "eliana-79-orr"), "window differs: at month 3"),
        (("mskcc-cr", "calm-orr"), "response differs: CR of mskcc-cr, CR+CRi of calm-orr"),
        (("mskcc-os", "zuma3-55-os"), "mskcc-os is a median, no count of patients"),
        (("meta-orr", "calm-orr"), "meta-orr is a pooled-rate"),
        (("mskcc-cr",), "a pool has two or more results, each once"),
        (("mskcc-cr", "mskcc-cr"), "a pool has two or more results, each once"),
        (("mskcc-cr", "mskcc-crr"), "no result is called 'mskcc-crr'"),
        (("mskcc-cr", "hyldh-cr"), "102 to 103 of 110 print the 93 % of hyldh-cr"),
    ],
)
def test_what_may_not_be_pooled_is_refused(results: tuple[str, ...], message: str) -> None:
    assert any(message in text for text in refused(*results, **ASSUMED))


def test_a_count_follows_only_where_no_other_prints_the_percentage() -> None:
    assert count_of(HELD.find("prwcc-185")[1]) == (157, "only count of 185 that prints 85 with its limits")
    assert count_of(HELD.find("inati-48-orr3")[1]) == (34, None)
    with pytest.raises(InputError, match="83 to 86 of 270 print the 31 % of china-salvage-cr"):
        count_of(HELD.find("china-salvage-cr")[1])
    with pytest.raises(InputError, match="no count of 53 prints the 48 %"):
        count_of(HELD.find("mskcc-nt")[1])


@pytest.mark.shows("CMD-evidence-pool")
def test_a_pool_is_typed() -> None:
    typed = [part for text in ALL for part in ("--assume", text)]
    code, out, err = run_cli("evidence", "pool", "mskcc-cr", "cibmtr20-cr", "germany-cr", *typed)
    assert (code, err) == (0, "")
    for text in ("rate of the median trial: 85.6 %", "1 degree of freedom", "without mskcc:", f"Assumed: {', '.join(ALL)}."):
        assert text in out
    code, out, _ = run_cli("evidence", "pool", "mskcc-cr", "germany-cr", *typed, "--json")
    held = json.loads(out)
    assert code == 0 and held["rate"]["predicted_lower"] is None and held["without"] == []
    code, out, err = run_cli("evidence", "pool", "mskcc-cr", "germany-cr")
    assert (code, out) == (2, "") and len(err.splitlines()) == 5
