"""The gate: which published numbers estimate the same, and why the others may not be put side by side.

Origin of every expectation: `by hand`, from the attributes of the rows, before the code ran; the counts of the pairs are those of the
table of verified rows, counted there by other code (`independent`).
"""

from __future__ import annotations

import csv
import itertools
import json

import pytest

from cartrial.errors import InputError
from cartrial.evidence import (
    Comparison,
    compare_results,
    count_pairs,
    is_response_rate,
    load_evidence,
    read_assumptions,
    require_comparable,
)
from helpers import data_path, needs_data, run_cli

HELD = load_evidence()
RATES = [(trial, one) for trial, one in HELD.results if is_response_rate(one)]


def test_no_pair_of_the_registry_is_comparable_on_all() -> None:
    """Published with the table: 42 response rates, 818 pairs, 679 differ, 139 are not established, none is comparable."""
    found = count_pairs(HELD, RATES)
    assert (found.results, found.pairs, found.different, found.not_established, found.comparable) == (42, 818, 679, 139, 0)
    code, out, _ = run_cli("evidence")
    assert code == 0
    assert "42 response rates make 818 pairs from different trials: 679 differ in a stated attribute, 139 cannot be decided, 0 are" in out


@needs_data("evidence/registry.csv")
def test_pairs_are_counted_as_in_the_table() -> None:
    """Independent: from the columns of the table, a population by its word before the comma."""
    with data_path("evidence/registry.csv").open(encoding="utf-8", newline="") as file:
        held = {one.id for _, one in RATES}
        rows = [row for row in csv.DictReader(file) if row["id"] in held]
    columns = ("endpoint", "population", "window", "reader", "hsct", "new-therapy")
    counts = {"different": 0, "not established": 0, "same": 0}
    for one, two in itertools.combinations(rows, 2):
        if one["trial"] != two["trial"]:
            pairs = [(one[name].split(",")[0], two[name].split(",")[0]) for name in columns]
            stated = [pair for pair in pairs if "not-stated" not in pair]
            differs = any(left != right for left, right in stated)
            counts["different" if differs else "not established" if len(stated) < len(pairs) else "same"] += 1
    found = count_pairs(HELD, RATES)
    assert counts == {"different": found.different, "not established": found.not_established, "same": found.comparable}


def attributes(compared: Comparison) -> dict[str, str]:
    return {one.name: one.status for one in compared.attributes}


def test_three_rates_of_one_trial_differ_in_their_window() -> None:
    """By hand: one trial, three numbers called ORR."""
    rates = ["inati-48-orr3", "inati-48-best", "inati-39-orrw"]
    for left, right in itertools.combinations(rates, 2):
        compared = compare_results(HELD, left, right)
        assert attributes(compared)["window"] == "different"
        assert any("both are of inaticel" in note for note in compared.notes)
        with pytest.raises(InputError, match="window differs"):
            require_comparable([compared])


def test_what_is_not_stated_is_not_the_same() -> None:
    """By hand: two CR rates of all infused, of which nobody says window, reader and strategies."""
    compared = compare_results(HELD, "mskcc-cr", "hyldh-cr")
    assert attributes(compared) == {
        "measure": "same",
        "response": "same",
        "window": "not established",
        "population": "same",
        "reader": "not established",
        "hsct": "not established",
        "new-therapy": "not established",
        "criteria": "not established",
    }
    assert compared.status == "not established"
    with pytest.raises(InputError) as caught:
        require_comparable([compared])
    assert len(caught.value.errors) == 5


def test_survival_is_compared_by_endpoint_time_and_origin() -> None:
    other = compare_results(HELD, "eliana-79-os18", "eliana-79-os24")
    assert attributes(other)["time"] == "different"
    mixed = compare_results(HELD, "eliana-79-os18", "mskcc-cr")
    assert mixed.status == "different" and attributes(mixed)["measure"] == "different" and attributes(mixed)["time"] == "different"
    readers = compare_results(HELD, "cibmtr20-os12", "cibmtr25-os12")
    assert attributes(readers)["reader"] == "same"  # OS reads no assessment
    assert attributes(readers)["origin"] == "not established"
    assert readers.notes[0] == "cibmtr2020 and cibmtr2025 have patients in common, or are likely to"


ALL = ["window=best", "reader=INV", "hsct=composite", "new-therapy=composite", "criteria=nccn"]


def test_an_assumption_is_named_in_every_row_that_rests_on_it() -> None:
    compared = compare_results(HELD, "mskcc-cr", "hyldh-cr", assume=read_assumptions(ALL))
    assert compared.status == "comparable"
    assert compared.assumed == tuple(ALL)
    assert {one.name: one.assumed for one in compared.attributes if one.assumed} == {text.partition("=")[0]: text for text in ALL}
    require_comparable([compared])


def test_an_assumption_never_overrides_what_is_stated() -> None:
    """By hand: ELIANA's reader is the committee; the other's is assumed to be the investigator."""
    compared = compare_results(HELD, "eliana-79-orr", "calm-orr", assume={"reader": "INV"})
    reader = next(one for one in compared.attributes if one.name == "reader")
    assert (reader.left, reader.right, reader.status, reader.assumed) == ("IRC", "INV", "different", "reader=INV")
    same = compare_results(HELD, "eliana-79-orr", "calm-orr", assume={"reader": "IRC"})
    assert attributes(same)["reader"] == "same"
    stated = compare_results(HELD, "eliana-79-rfs36c", "eliana-79-rfs36t", assume={"hsct": "composite"})
    hsct = next(one for one in stated.attributes if one.name == "hsct")
    assert (hsct.left, hsct.right, hsct.assumed) == ("hypothetical", "treatment-policy", None)


def test_pairs_under_assumptions_are_counted_too() -> None:
    """By hand: where all five are assumed nothing is left undecided, and what differs in response or population still does."""
    found = count_pairs(HELD, RATES, assume=read_assumptions(ALL))
    assert found.not_established == 0 and found.comparable > 0
    assert found.by_attribute["response"][0] == count_pairs(HELD, RATES).by_attribute["response"][0]


def test_groups_within_a_population_are_said() -> None:
    compared = compare_results(HELD, "calm-fca", "mskcc-cr")
    assert "of a part of the population: FCA of calm-fca" in compared.notes


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["hst=composite"], "The nearest is 'hsct'"),
        (["population=infused"], "assumes nothing that a source may leave out"),
        (["hsct"], "Write one of window, reader"),
        (["hsct=composit"], "the hsct cannot be 'composit'. The nearest is 'composite'"),
        (["reader=committee"], "the reader cannot be 'committee'"),
        (["window=later"], "no window is 'later'. Write best, at month 3 or within month 3"),
        (["hsct=composite", "hsct=hypothetical"], "assumed to be 'composite' and 'hypothetical'"),
    ],
)
def test_an_assumption_that_cannot_be_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_assumptions(texts)
    assert message in str(caught.value)
    assert run_cli("evidence", "compare", "mskcc-cr", "hyldh-cr", *(part for text in texts for part in ("--assume", text)))[0] == 2


@pytest.mark.shows("CMD-evidence-compare")
def test_a_comparison_is_typed() -> None:
    code, out, err = run_cli("evidence", "compare", "inati-48-orr3", "eliana-79-orr")
    assert code == 2
    assert "within month 3  different" in out
    assert "window differs: at month 3 of inati-48-orr3, within month 3 of eliana-79-orr." in err
    code, out, err = run_cli("evidence", "compare", "mskcc-cr", "hyldh-cr", *(part for text in ALL for part in ("--assume", text)))
    assert (code, err) == (0, "")
    assert "same, assuming reader=INV" in out
    assert out.splitlines()[-1] == f"They estimate the same, assuming {', '.join(ALL)}."
    code, out, _ = run_cli("evidence", "compare", "mskcc-cr", "hyldh-cr", "--json")
    held = json.loads(out)
    assert code == 2 and held["status"] == "not established" and len(held["reasons"]) == 5
    code, _, err = run_cli("evidence", "compare", "mskcc-cr", "mskcc-cr")
    assert code == 2 and "compared with itself" in err
