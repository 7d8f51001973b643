"""What can have been printed: counts, limits, survival, sums, orders; and what the registry says of itself.

Origin of every expectation: beside each test. `by hand` values were worked out before the code ran; `published` ones are printed by
the sources that the registry names.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from cartrial.errors import InputError
from cartrial.evidence import (
    VERDICTS,
    Asked,
    Finding,
    TrialFile,
    check_evidence,
    check_results,
    check_statement,
    fit_limits,
    load_evidence,
    possible_counts,
    possible_denominators,
    possible_splits,
    read_limits,
)
from cartrial.evidence.checks.counts import printed_by
from cartrial.evidence.checks.cross import check_sum, check_trial
from cartrial.evidence.checks.survival import ratio_lower
from cartrial.evidence.checks.times import check_around, check_ratio, check_survival
from cartrial.evidence.registry.trial import Sum

# --- counts and denominators ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "text", "counts"),
    [
        (19, "67", []),
        (48, "85.4", [41]),
        (39, "66.7", [26]),
        (39, "51", [20]),
        (53, "98", [52]),
        (53, "83", [44]),
        (52, "83", [43]),
        (53, "48", []),
        (255, "85.5", [218]),
        (270, "31", [83, 84, 85, 86]),
        (200, "79", [157, 158, 159]),
        (110, "93", [102, 103]),
        (212, "96", [203, 204, 205]),
        (212, "70", [148, 149, 150]),
        (79, "41", [32, 33]),
        (79, "13", [10, 11]),
        (3, "0", [0]),
        (3, "100", [3]),
        (1, "100.0", [1]),
    ],
)
@pytest.mark.shows("EST-possible-numbers")
def test_counts_that_print_a_percentage(of: int, text: str, counts: list[int]) -> None:
    """By hand: 100 k / n against half a unit on either side, and what is cut off (86/270 = 31.85)."""
    assert [one.count for one in possible_counts(text, of)] == counts


@pytest.mark.parametrize("of", [1, 7, 48, 53, 200, 255])
@pytest.mark.parametrize("places", [0, 1, 2])
def test_every_count_is_among_those_that_print_it(of: int, places: int) -> None:
    """Independent: each count printed by exact decimal arithmetic, half up and half even, is found again."""
    from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

    with localcontext() as context:
        context.prec = 60
        for count in range(of + 1):
            share = Decimal(100 * count) / Decimal(of)
            for rounding, way in ((ROUND_HALF_UP, "half-up"), (ROUND_HALF_EVEN, "half-even"), (ROUND_DOWN, "truncated")):
                text = str(share.quantize(Decimal(1).scaleb(-places), rounding))
                assert way in next(one.ways for one in possible_counts(text, of) if one.count == count)


def test_halves_are_decided_by_each_rule() -> None:
    """By hand: 78.5 prints 79 half up and 78 half to even; 83.047 prints 83.1 only by way of 83.05."""
    assert printed_by(Fraction(157, 2), "79") == ("half-up", "rounded twice")
    assert printed_by(Fraction(157, 2), "78") == ("half-even", "truncated")
    assert printed_by(Fraction("83.047"), "83.1") == ("rounded twice",)
    assert printed_by(Fraction("83.047"), "83.0") == ("half-up", "half-even", "truncated")


@pytest.mark.shows("EST-possible-numbers")
def test_denominators_that_print_a_percentage() -> None:
    """By hand: 14/21 = 66.67; 14/20 = 70, 14/22 = 63.6. 48 % just below 53 patients: 25/52, 24/50, 23/48."""
    assert [one.of for one in possible_denominators("67", 14)] == [21]
    assert [one.of for one in possible_denominators("48", 25)] == [52]
    assert [one.of for one in possible_denominators("100", 2, most=10)] == [2]


@pytest.mark.shows("EST-possible-numbers")
def test_splits_over_groups() -> None:
    """By hand: CALM by dose (67, 42, 43 %, 12 of 25); Frey's third group is what 24 of 35 leaves beside 3/9 and 18/20."""
    assert [" ".join(map(str, split)) for split in possible_splits(["67", "42", "43"], 12, 25)] == ["4/6 5/12 3/7"]
    assert [" ".join(map(str, split)) for split in possible_splits(["33", "90", "50"], 24, 35, [9, 20, None])] == ["3/9 18/20 3/6"]
    assert list(possible_splits(["10", "20"], 12, 25)) == []
    with pytest.raises(InputError, match="too many to search"):
        list(possible_splits(["50"] * 6, 90, 180))
    with pytest.raises(InputError, match="0 patients"):
        possible_counts("5", 0)


# --- limits --------------------------------------------------------------------------------------------------------------------------


def exact_methods(count: int, of: int, lower: str, upper: str) -> list[str]:
    return [fit.method for fit in fit_limits([Asked(count, of, lower, upper)])[0] if fit.kind == "exact"]


@pytest.mark.parametrize(
    ("count", "of", "lower", "upper"),
    [
        (17, 20, "62.1", "96.8"),
        (7, 20, "15.4", "59.2"),
        (15, 20, "50.9", "91.3"),
        (6, 20, "11.9", "54.3"),
        (4, 6, "22.3", "95.7"),
        (12, 25, "28", "69"),
        (14, 53, "15", "40"),
    ],
)
def test_limits_of_clopper_and_pearson_alone(count: int, of: int, lower: str, upper: str) -> None:
    """Published, and R's binom.test."""
    assert exact_methods(count, of, lower, upper) == ["Clopper-Pearson"]


def test_a_limit_that_was_rounded_twice() -> None:
    """Published: 34/48, 55.9 to 83.1; R's binom.test has 55.937 to 83.047."""
    first = fit_limits([Asked(34, 48, "55.9", "83.1")])[0][0]
    assert (first.method, first.kind) == ("Clopper-Pearson", "rounded twice")
    assert (first.lower, first.upper) == (pytest.approx(55.937, abs=5e-4), pytest.approx(83.047, abs=5e-4))
    assert exact_methods(34, 48, "55.9", "83.1") == []


@pytest.mark.shows("EST-possible-numbers")
def test_limits_that_tell_the_method_of_a_registry() -> None:
    """Published: PRWCC prints 79 to 89 for 85 % of 185, and 72 to 84 for 79 % of 200. Wilson has 79.00 to 89.32, Clopper-Pearson 89.70."""
    methods = exact_methods(157, 185, "79", "89")
    assert "Wilson" in methods and "Clopper-Pearson" not in methods
    assert not any(exact_methods(count, 200, "72", "84") for count in (158, 159)) and exact_methods(157, 200, "72", "84")


def test_many_limits_of_several_levels_are_asked_at_once() -> None:
    """Each as alone."""
    asked = [Asked(34, 48, "55.9", "83.0"), Asked(34, 48, "58", "81", 0.9), Asked(0, 5, "0", "52")]
    assert fit_limits(asked) == [fit_limits([one])[0] for one in asked]
    assert [fits[0].method for fits in fit_limits(asked)] == ["Clopper-Pearson"] * 3


# --- survival ------------------------------------------------------------------------------------------------------------------------


def test_limits_that_belong_to_another_rate() -> None:
    """By hand: the middle of 58 to 79 by log-log is 69.9 (69.4 to 70.4), not 66; no other type has 66 in the middle."""
    types = {one.name: one for one in read_limits("66", "58", "79")}
    assert not any(one.fits for one in types.values())
    middle = types["log-log"]
    assert [round(value, 1) for value in (middle.centre, middle.centre_low, middle.centre_high)] == [69.9, 69.4, 70.4]


@pytest.mark.parametrize(
    ("printed", "name", "worth", "alone"),
    [
        (("65.2", "57.2", "74.2"), "log", (121, 120, 123), True),
        (("46.5", "37.6", "57.6"), "log", (97, 96, 98), True),
        (("44", "31", "56"), "log-log", (59, 54, 64), False),
        (("49", "34", "62"), "log-log", (47, 44, 51), False),
        (("75.4", "57.2", "86.7"), "log-log", (34, 33, 34), True),
        (("68.3", "42.4", "84.4"), "log-log", (19, 19, 19), True),
        (("48.3", "23.1", "69.7"), "log-log", (16, 16, 16), True),
        (("70", "58", "79"), "log-log", (74, 67, 82), False),
    ],
)
def test_type_and_worth_of_limits(printed: tuple[str, str, str], name: str, worth: tuple[int, ...], alone: bool) -> None:
    """By hand: Greenwood's error on each scale; n where nobody was censored is (1 - S) / (S se^2)."""
    fitting = [one for one in read_limits(*printed) if one.fits]
    assert [one.name for one in fitting] == [name] if alone else name in [one.name for one in fitting]
    one = next(one for one in fitting if one.name == name)
    assert (round(one.effective), round(one.effective_low), round(one.effective_high)) == worth


@pytest.mark.parametrize("conf_type", ["log-log", "log", "plain"])
@pytest.mark.parametrize(("n", "events"), [(40, 13), (79, 30), (200, 101)])
def test_limits_without_censoring_are_worth_all_patients(conf_type: str, n: int, events: int) -> None:
    """Independent: limits of the package's own Kaplan-Meier of n patients, nobody censored, printed with two decimals."""
    import numpy as np

    from cartrial.analysis.estimators.limits import probability_limits

    share = 1 - events / n
    error = np.sqrt(events / (n * (n - events)))
    lower, upper = probability_limits(np.array([share]), np.array([error]), conf_type, 0.95)  # type: ignore[arg-type]
    printed = [f"{100 * float(value):.2f}" for value in (share, lower[0], upper[0])]
    one = next(one for one in read_limits(*printed) if one.name == conf_type)
    assert one.fits
    assert one.effective_low - 0.1 <= n <= one.effective_high + 0.1


def test_limits_worth_more_patients_than_there_are() -> None:
    """By hand: 60 (55 to 65) is worth 368 patients on the plain scale, and 100 were there."""
    found = list(check_survival("60", ("55", "65"), 100))
    assert [one.verdict for one in found] == ["unexplained"]
    assert list(check_survival("0", ("0", "5"), 10)) == []


def test_limits_that_are_one_unit_apart_may_be_worth_any_number() -> None:
    """By hand: 1 and 2 can both be 1.5 before they are rounded."""
    assert next(one for one in read_limits("2", "1", "2") if one.name == "plain").effective_high == float("inf")
    assert "to any number)" in next(check_survival("2", ("1", "2"), 53)).said


def test_limits_that_cannot_be_read_back_are_refused() -> None:
    for printed in (("60", "0", "80"), ("60", "50", "100"), ("60", "70", "50")):
        with pytest.raises(InputError, match="cannot be read back"):
            read_limits(*printed)


def test_a_hazard_ratio_and_its_limits() -> None:
    """By hand: 0.15^2 / 0.45 = 0.05, so that 0.15 (0.1 to 0.5) holds only from 0.05 to 0.155^2 / 0.45 = 0.0534; 0.30 never."""
    low, high = ratio_lower("0.15", "0.1", "0.5") or (0.0, 0.0)
    assert (low, high) == (pytest.approx(0.05), pytest.approx(0.155**2 / 0.45))
    assert ratio_lower("0.18", "0.1", "0.5") == (pytest.approx(0.175**2 / 0.55), pytest.approx(0.185**2 / 0.45))
    assert ratio_lower("0.30", "0.1", "0.5") is None
    assert next(check_ratio("0.30", ("0.1", "0.5"))).verdict == "unexplained"
    with pytest.raises(InputError):
        ratio_lower("0.3", "0", "0.5")


def test_a_value_beyond_its_limits() -> None:
    assert [one.verdict for one in check_around("17.6", ("5.8", "17.6"))] == ["consistent"]
    assert [one.verdict for one in check_around("18", ("5.8", "17.6"))] == ["contradictory"]
    assert list(check_around("NR", ("5.8", "NR"))) == list(check_around("9", ("NR", "NR"))) == []


# --- sums and orders -----------------------------------------------------------------------------------------------------------------


def test_sums() -> None:
    """Published: ELIANA's ledger of 65 responders adds up; the UK series counts 133 products of 134."""
    ledger = {"relapse": 19, "transplant": 8, "other therapy": 8, "discontinued": 1, "ongoing": 29}
    assert check_sum(Sum(id="a", what="responders", total=65, parts=ledger, source="s")).verdict == "consistent"
    assert check_sum(Sum(id="b", what="apheresed", total=134, parts={"made": 128, "failed": 5}, source="s")).verdict == "contradictory"


def trial(*results: dict[str, object]) -> TrialFile:
    """A trial of 40 infused patients with these results."""
    base: dict[str, object] = {
        "cut": "only",
        "population": "infused",
        "group": "all",
        "of": 40,
        "window": "not-applicable",
        "reader": "not-stated",
        "strategies": {"hsct": "not-stated", "new-therapy": "not-stated"},
        "criteria": "not-stated",
        "count": "not-stated",
        "interval": "not-stated",
        "source": "s",
        "where": "abstract",
        "read": {"by": "not-stated", "on": "2026-11", "as": "abstract"},
        "sure": "high",
        "kind": "printed",
    }
    held = load_evidence().trials["calm"].trial.model_dump(by_alias=True)
    rows = [{**base, "id": f"r{i}", **result} for i, result in enumerate(results)]
    cut = {"id": "only", "date": "not-stated", "follow-up": {"median": "20", "unit": "months", "source": "s"}}
    return TrialFile.model_validate({"schema": 1, "trial": held, "cuts": [cut], "sums": [], "results": rows})


def rate(text: str, *response: str, window: object = "not-stated", **more: object) -> dict[str, object]:
    measure = {"type": "response-rate", "response": response or ("CR", "CRi")}
    return {"measure": measure, "window": window, "value": {"text": text, "unit": "%"}, **more}


def survival(text: str, time: str, unit: str = "months") -> dict[str, object]:
    measure = {"type": "survival", "endpoint": "OS", "time": time, "unit": unit, "origin": "not-stated"}
    return {"measure": measure, "value": {"text": text, "unit": "%"}}


def median(text: str) -> dict[str, object]:
    measure = {"type": "median", "endpoint": "OS", "unit": "months", "origin": "not-stated"}
    return {"measure": measure, "value": {"text": text, "unit": "months"}}


AT, WITHIN, BEST = {"at": "month 3"}, {"within": "month 3"}, {"best": "cutoff"}


def test_limits_with_other_decimals_than_the_value_are_told() -> None:
    """By hand: 85.0 beside 62 to 96.8 contradicts nothing and is said; beside 62.1 to 96.8 nothing is."""
    told = [
        one.said
        for lower in ("62", "62.1")
        for one in check_results(trial(rate("85.0", interval={"text": [lower, "96.8"], "level": 95, "method": "not-stated"})).results)
        if "other decimals" in one.said
    ]
    assert told == ["85.0 has other decimals than its limits 62 and 96.8"]


@pytest.mark.parametrize(
    ("results", "verdicts"),
    [
        ([rate("60", window=AT), rate("70", window=WITHIN), rate("80", window=BEST)], ["consistent"] * 3),
        ([rate("75", window=AT), rate("70", window=WITHIN)], ["contradictory"]),
        ([rate("85", window=WITHIN), rate("80", window=BEST)], ["contradictory"]),
        ([rate("85", window={"at": "month 6"}), rate("80", window=WITHIN)], []),
        ([rate("60", "CR"), rate("70", "CR", "CRi")], ["consistent"]),
        ([rate("75", "CR"), rate("70", "CR", "CRi")], ["contradictory"]),
        ([rate("60", "CR"), rate("10", "CRi"), rate("70", "CR", "CRi")], ["consistent"] * 3),
        ([rate("60", "CR"), rate("20", "CRi"), rate("70", "CR", "CRi")], ["consistent", "consistent", "contradictory"]),
        ([rate("70"), rate("72")], ["contradictory"]),
        ([rate("70"), rate("72", reader="IRC")], []),
        ([rate("82"), rate("82.5")], []),
        ([survival("70", "6"), survival("60", "12")], ["consistent"]),
        ([survival("70", "12"), survival("75", "18")], ["contradictory"]),
        ([survival("70", "1", "years"), survival("75", "18")], ["contradictory"]),
        ([survival("70", "12"), median("15")], ["consistent"]),
        ([survival("70", "18"), median("15")], ["contradictory"]),
        ([survival("45", "12"), median("15")], ["contradictory"]),
        ([survival("50", "12"), median("15")], ["consistent"]),
        ([survival("45", "12"), median("NR")], ["consistent"]),
        ([survival("45", "24")], ["consistent"]),
    ],
)
def test_orders_that_must_hold(results: list[dict[str, object]], verdicts: list[str]) -> None:
    """By hand: 60 and 10 of 40 make 70 (24 + 4 = 28), 60 and 20 do not (24 + 8 = 32, and 70 is 28)."""
    assert [one.verdict for one in check_trial(trial(*results))] == verdicts


# --- a sentence ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        ("14/19 = 67 %", "impossible", "14/19 = 73.7 %, not 67 %; 14 prints 67 % only of 21"),
        ("14 of 19 patients (67 per cent)", "impossible", "14/19 = 73.7 %, not 67 %; 14 prints 67 % only of 21"),
        ("14/21 = 67 %", "consistent", "14/21 = 66.7 %"),
        ("48 % of 53", "impossible", "no count of 53 prints 48 % (25 is 47.2, 26 is 49.1); it fits 25/52, 24/50, 23/48"),
        ("48 %, n = 53", "impossible", "no count of 53 prints 48 %"),
        ("66 % (58-79), n 79, survival", "unexplained", "69.9 % (69.4 to 70.4) by log-log"),
        ("OS 65.2 % (57.2 to 74.2) of 142", "consistent", "log, worth 121 (120 to 123) of 142 patients"),
        ("34/48, 70.8 % (55.9–83.1)", "unexplained", "Clopper-Pearson is 55.937 to 83.047, rounded twice"),
        ("17/20 (62.1-96.8), 85.0 %", "consistent", "17/20 = 85.00 %"),
        ("98 % of 53, of which 83 %", "undecided", "98 % of 53 is 52; 83 % of 53 is 44, of those 52 it is 43"),
        ("31 % of 270", "undecided", "83 to 86 of 270 print 31 %"),
        ("HR 0.15 (0.1-0.5)", "consistent", "where the lower limit was 0.050 to 0.053 before it was rounded"),
        ("hazard ratio 0.3 (95% CI 0.4 to 0.5)", "contradictory", "0.3 lies beyond its lower limit 0.4"),
        ("157 of 200 is 79 %", "consistent", "157/200 = 78.5 %"),
        ("14 of the 19 patients (67 %)", "impossible", "14/19 = 73.7 %, not 67 %"),
        ("34/48 or 70.8 %", "consistent", "34/48 = 70.83 %"),
        ("34/48, 95% CI 55.9-83.1", "unexplained", "Clopper-Pearson is 55.937 to 83.047, rounded twice"),
        ("34/48 (70.8 %; 95 % CI, 55.9 to 83.1)", "unexplained", "Clopper-Pearson is 55.937 to 83.047, rounded twice"),
        ("17/20, 85.0 % (90 % CI 65.6-95.8)", "consistent", "65.6 to 95.8 are limits of Clopper-Pearson"),
    ],
)
def test_a_sentence_is_judged(text: str, verdict: str, said: str) -> None:
    """By hand, but 17 of 20 at 90 %: R 4.2.2, binom.test(17, 20, conf.level = 0.9)$conf.int is 0.6563 to 0.9578."""
    found = check_statement(text)
    assert found[0].verdict == verdict
    assert any(said in one.said for one in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("it works", "nothing in 'it works' can be computed"),
        ("", "nothing in '' can be computed"),
        ("CR+PR reached 98 %, of which 83 % CR, of 53 patients", "PR is no category of response in leukaemia"),
        ("21/19 = 67 %", "21 of 19 patients cannot be"),
        ("14/0 = 67 %", "0 is no number of patients"),
        ("14/999999 = 67 %", "999999 is no number of patients"),
        ("110 % of 30", "110 is above 100 per cent"),
        ("70 % (80-60), n 30", "the lower limit 80 is above the upper 60"),
        ("HR 0.3 (0.5-0.1)", "the lower limit 0.5 is above the upper 0.1"),
        ("70,8 % of 48", "has a comma within a number"),
        ("70·8 % of 48", "has a raised point"),
        ("76 % of 1,908 patients", "has a comma within a number"),
        ("1 908 patients, 76 %", "has a space within a number"),
        ("-5 % of 20", "has a number below 0"),
        ("67 ± 5 % of 21", "has a plus-minus"),
        ("34/48, 70.8 % (55.9-NR)", "has a limit that is no number"),
        ("41/48 (85.4 %) and 14/19 (67 %)", "there are 2 counts: 41/48 and 14/19"),
        ("85 % of 48, or 70 %", "there are 2 percentages"),
        ("34/48, 70.8 %, 95 % CI broad", "limits are named that cannot be read"),
        ("34/48, 70.8 % (20 % CI 65-75)", "20 % is no level of limits"),
        ("3/4/2020: 67 %", "can be computed"),
    ],
)
def test_a_sentence_that_cannot_be_judged(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("+", r"\+")):
        check_statement(text)


# --- the registry --------------------------------------------------------------------------------------------------------------------


def test_what_the_registry_says_of_itself() -> None:
    """By hand, from the notes of the table: what is not consistent in it."""
    found = check_evidence(load_evidence().trials.values())
    marked = {one.results: one.verdict for one in found if one.verdict != "consistent"}
    assert marked == {
        ("mskcc-nt",): "impossible",
        ("eliana-79-rfs60a", "eliana-79-rfs60b"): "contradictory",
        ("mskcc-progression",): "contradictory",
        ("uk-product",): "contradictory",
        ("inati-48-orr3",): "unexplained",
        ("eliana-plt28",): "undecided",
        ("tisa-neutropenia",): "undecided",
        ("tisa-thrombocytopenia",): "undecided",
        ("mskcc-mrd",): "unexplained",
        ("mskcc-cy",): "unexplained",
        ("eliana-79-os24",): "unexplained",
        ("china-salvage-cr",): "undecided",
        ("eliana-79-nt3",): "undecided",
        ("hyldh-cr",): "undecided",
    }
    assert [one.verdict for one in found] == sorted((one.verdict for one in found), key=list(VERDICTS).index)


def test_claims_are_judged_as_their_statements_compute() -> None:
    """By hand: a claim that is contradicted by arithmetic is impossible as a statement; one that is supported is possible."""
    for claim in load_evidence().claims:
        if claim.statement is None:
            continue
        verdict = check_statement(claim.statement)[0].verdict
        assert (verdict == "impossible") == (claim.verdict == "contradicted"), claim.id
        assert verdict != "impossible" or claim.arithmetic


def test_the_verdicts_are_those_that_are_explained() -> None:
    assert {one.verdict for one in check_evidence(load_evidence().trials.values())} == set(VERDICTS)
    assert Finding("consistent", "sum", (), "1 = 1").said == "1 = 1"
