"""Does the summary stand first, say what its number is of, and find by rule what is doubtful?

Origin of expected values: `by hand` from the rules of the summary, and `independent`, counted here from the invented derived data.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from markupsafe import Markup

from cartrial.analysis import analyse
from cartrial.analysis.results import SCHEMA, sort_results
from cartrial.endpoints.notices import Notice
from cartrial.report.page.blocks import Cards, Note, Table
from cartrial.report.page.rows import Rows
from cartrial.report.study.data import ReportData
from cartrial.report.study.phrases import level_words, lower_first, read_strategies, strategies_sentence, variant_words
from cartrial.report.study.summary.doubts import find_doubts
from cartrial.report.study.summary.page import build
from cartrial.report.study.summary.primary import primary_card
from cartrial.sdtm.source import finding, findings_frame, no_findings
from cartrial.study import Study, builtin_studies
from report_example import invent


@cache
def parts() -> tuple[Study, Any, pl.DataFrame]:
    study = Study.load("inaticel")
    adam = invent(study)
    return study, adam, sort_results(analyse(study, adam))


def report_data(**change: Any) -> ReportData:
    study, adam, results = parts()
    given = {"study": study, "source": None, "adam": adam, "rows": Rows(results), "findings": no_findings(), "provenance": "real"}
    return ReportData(**given | change)


def plain(point: object) -> str:
    return str(Markup(str(Markup("{}").format(point))).striptags())


def doubts(**change: Any) -> list[str]:
    return [plain(point) for point in find_doubts(report_data(**change))]


def only_rows(*rows: dict[str, Any]) -> Rows:
    blank = {name: "" if kind == pl.String else None for name, kind in SCHEMA.items()}
    return Rows(pl.DataFrame([{**blank, "trial": 0, **row} for row in rows], schema=SCHEMA))


def test_the_number_stands_with_all_that_it_is_a_number_of() -> None:
    """Independent: n and N counted from ADRS; the words by hand from the study file: month 3, the committee, both composite."""
    _, adam, _ = parts()
    mine = adam.adrs.filter(pl.col("PARAMCD") == "ORR3", pl.col("VARIANT") == "", pl.col("AVAL").is_not_null())
    n, total = int(mine["AVAL"].sum()), mine.height
    card = primary_card(report_data(), 3)
    big = card.blocks[0]
    assert card.label == "Primary endpoint: Overall response rate at month 3"
    assert str(big.number) == f"{100 * n / total:.1f}"
    assert plain(big.interval).startswith(f"{n} of {total} infused; 1 more not yet assessable; 95 % interval ")
    assert plain(big.line) == (
        "At month 3 (day 76 to 104, nearest to day 90). Reader: independent committee (IRC). "
        "Transplant and new therapy: no response after it."
    )
    assert "What is doubtful: 3 points" in plain(card.blocks[-1].text)


def test_a_warning_stands_with_the_number() -> None:
    """By hand: every warning of the primary endpoint, and of the others as many as fit, with how many more there are; no note."""
    ours = Notice("not-read", "warning", "RS", "ORR3: many were not read.", ("ORR3",))
    others = [Notice("not-recorded", "warning", "SS", f"The {k}. is not recorded.", ("OS",)) for k in range(1, 4)]
    adam = invent(parts()[0])
    object.__setattr__(adam, "notices", (*others, ours, Notice("mrd-not-evaluable", "note", "LB", "A note.", ("ORR3",))))
    said = [block.text for block in primary_card(report_data(adam=adam), 1).blocks if block.kind == "note"]
    assert said == ["ORR3: many were not read.", "The 1. is not recorded.", "The 2. is not recorded. (1 more below)"]
    points = doubts(adam=adam)
    assert points[:4] == [*(note.message for note in others), ours.message] and points[4] == "A note."


def test_what_is_not_known_of_harm_stands_beside_its_number() -> None:
    """By hand: 6 of 12 with a CRS and one of whom it is not known, 2 with a serious event and 7 unknown; and without AE that is said."""
    crs = {"analysis": "safety", "endpoint": "CRS", "by": "max_grade"}
    serious = {"analysis": "safety", "endpoint": "SERIOUS"}
    death = {"analysis": "safety", "endpoint": "DEATH", "statistic": "n", "value": 5.0, "text": "5"}
    told = only_rows(
        {**crs, "level": "any", "statistic": "n", "value": 6.0, "text": "6"},
        {**crs, "level": "any", "statistic": "N", "value": 12.0, "text": "12"},
        {**crs, "level": "any", "statistic": "rate", "value": 0.5, "text": "50.0"},
        {**crs, "level": "unknown", "statistic": "n", "value": 1.0, "text": "1"},
        {**serious, "statistic": "n", "value": 2.0, "text": "2"},
        {**serious, "statistic": "rate", "value": 2 / 12, "text": "16.7"},
        {**serious, "by": "answer", "level": "unknown", "statistic": "n", "value": 7.0, "text": "7"},
        death,
    )
    lines = [[plain(cell) for cell in row] for row in _safety_table(report_data(rows=told)).rows]
    assert lines[0] == ["Cytokine release syndrome", "6 (50.0 %); 1 not known", ""]
    assert ["Serious event", "2 (16.7 %); 7 not known", ""] in lines
    message = "AE is absent: adverse events are not recorded, so no table of them is made."
    adam = invent(parts()[0])
    object.__setattr__(adam, "notices", (Notice("domain-not-recorded", "note", "AE", message),))
    without = report_data(rows=only_rows(death), adam=adam)
    card = _safety_card(without)
    assert [block.text for block in card.blocks if isinstance(block, Note)] == [message]
    assert message in [plain(point) for point in find_doubts(without)]


def _safety_card(data: ReportData) -> Any:
    cards = next(block for block in build(data).blocks if isinstance(block, Cards))
    return next(card for card in cards.items if card.label.startswith("Safety"))


def _safety_table(data: ReportData) -> Any:
    return next(block for block in _safety_card(data).blocks if isinstance(block, Table))


def test_assumptions_are_counted_and_those_of_the_primary_endpoint_said() -> None:
    """By hand, from the study file: ORR3's own source and the source of its test are the two of the primary endpoint."""
    study = parts()[0]
    point = next(words for words in doubts() if "assumption" in words)
    assert point.startswith(f"{len(study.assumptions())} rules of the study file are assumptions, 2 of them of the primary endpoint (")
    assert "strategies are an assumption)" in point


@pytest.mark.slow
def test_few_at_risk_are_named_where_the_curve_first_has_few() -> None:
    """Independent: at risk at a month are those whose time is that day or later; below 5 or 10 % of 8, hence below 5."""
    study, adam, _ = parts()
    order = adam.adtte.filter(pl.col("PARAMCD") == "OS", pl.col("VARIANT") == "").sort("AVAL")["SUBJ"].to_list()
    few = replace(adam, adtte=adam.adtte.filter(pl.col("SUBJ").is_in([*order[:5], *order[-3:]])))
    times = few.adtte.filter(pl.col("PARAMCD") == "OS", pl.col("VARIANT") == "")["AVAL"].to_list()
    months = {3: 91, 6: 183, 9: 274, 12: 365, 18: 548}
    at = {month: sum(time >= day for time in times) for month, day in months.items() if day <= max(times)}
    month, number = next((month, number) for month, number in at.items() if number < 5)
    found = doubts(rows=Rows(analyse(study, few, analyses=["survival"])))
    point = next(words for words in found if words.startswith("Few are still at risk"))
    assert point.count(" of 8 at month ") == 3 and f"{number} of 8 at month {month} of" in point and " more time" in point


def test_nothing_is_told_twice() -> None:
    """By hand: two of 136 not read is a note that touches the primary endpoint; three endpoints with the same number censored are one line,
    one with another is its own."""
    _, adam, results = parts()
    notice = Notice("not-read", "note", "RS", "ORR3: 2 of 39 subjects were not read by IRC; they count as non-responders.", ("ORR3",))
    row = results.filter(analysis="response", endpoint="ORR3", variant="", by="", statistic="N")
    unread = row.with_columns(statistic=pl.lit("not_read"), value=pl.lit(2.0), text=pl.lit("2"))
    censored = {"analysis": "concordance", "by": "relapse", "statistic": "n"}
    rows = [
        {**censored, "endpoint": name, "value": float(n), "text": str(n)} for name, n in (("DOR", 1), ("RFS", 1), ("EFS", 1), ("OS", 2))
    ]
    found = doubts(adam=SimpleNamespace(**vars(adam), notices=(notice,)), rows=Rows(pl.concat([results, unread])))
    assert len([words for words in found if "not read" in words]) == 1
    said = [words.split(" censored")[0] for words in doubts(rows=only_rows(*rows)) if "were censored" in words or "was censored" in words]
    assert said == ["DOR, RFS and EFS, each: 1 subject was", "OS: 2 subjects were"]


def test_the_range_of_the_primary_rate_is_of_its_variants() -> None:
    """Independent: least and largest rate of the variants, counted from ADRS."""
    _, adam, _ = parts()
    rates = (
        adam.adrs.filter(pl.col("PARAMCD") == "ORR3", pl.col("AVAL").is_not_null())
        .group_by("VARIANT")
        .agg(pl.col("AVAL").sum().alias("n"), pl.len().alias("N"))
        .with_columns(rate=pl.col("n") / pl.col("N"))
    )
    point = next(words for words in doubts() if "primary rate as" in words)
    assert f"as {100 * rates['rate'].min():.1f} % (" in point and f"to {100 * rates['rate'].max():.1f} % (" in point


@pytest.mark.shows("RULE-4.9")
def test_readers_that_contradict_each_other_are_told() -> None:
    """By hand: kappa 0.59 is told and 0.60 is not; censored for new therapy after a relapse by the investigator alone is told, 0 is not."""
    best = {"analysis": "concordance", "endpoint": "best", "reader": "IRC and INV", "by": "IRC | INV"}
    share = [{**best, "statistic": "agreement", "value": 0.8, "text": "80.0"}, {**best, "statistic": "N", "value": 30.0, "text": "30"}]
    censored = {"analysis": "concordance", "endpoint": "DOR", "by": "relapse", "statistic": "n"}

    def told(kappa: float, number: int) -> list[str]:
        agreed = {**best, "statistic": "kappa", "value": kappa, "text": f"{kappa:.2f}"}
        rows = only_rows(*share, agreed, {**censored, "value": float(number), "text": str(number)})
        return [words for words in doubts(rows=rows) if "agree in" in words or "were censored" in words]

    assert told(0.6, 0) == []
    first, second = told(0.59, 2)
    assert first == "Independent committee and investigator agree in 80.0 % of 30 best responses (kappa 0.59). Readers"
    assert second.startswith("DOR: 2 subjects were censored for new therapy whom the investigator had called")


def test_pending_readings_and_findings_are_counted() -> None:
    """By hand: two pending readings of one subject; one finding would stop, one warns, a note is not counted."""
    pending = [finding("reading-pending", "warning", f"Day {day} is pending.", usubjid="S-01") for day in (28, 90)]
    others = [finding("age", "stop", "The age is 250."), finding("dead", "note", "A note.")]
    found = doubts(findings=findings_frame([*pending, *others]))
    assert "2 readings are pending (of 1 subject): without an agreement they are neither an event nor a censoring date. Findings" in found
    assert "The checks of the data made 3 findings of severity stop or warning, of 2 kinds. Findings" in found
    assert not any("findings of severity" in words for words in doubts(findings=findings_frame(others[1:])))


@pytest.mark.parametrize("kind", ["response-rate", "time-to-event"])
def test_a_primary_endpoint_that_the_source_cannot_give_is_no_number(kind: str) -> None:
    """By hand: where the row says not recorded, so does the summary, without a fraction, a percent sign or an interval."""
    study, _, results = parts()
    name, analysis = ("ORR3", "response") if kind == "response-rate" else ("OS", "survival")
    absent = (pl.col("analysis") == analysis) & (pl.col("endpoint") == name)
    told = results.with_columns(
        pl.when(absent).then(pl.lit("not recorded")).otherwise("text").alias("text"), pl.when(~absent).then("value").alias("value")
    )
    roles = [item.model_copy(update={"role": "primary" if item.id == name else "secondary"}) for item in study.endpoints]
    changed = study.model_copy(update={"endpoints": tuple(roles)})
    big = primary_card(report_data(study=changed, rows=Rows(told)), 0).blocks[0]
    assert str(big.number) == "not recorded" and big.unit == "" and plain(big.interval) == "infused subjects"


@pytest.mark.parametrize("name", list(builtin_studies()))
def test_every_study_has_a_summary(name: str) -> None:
    """By hand: the box of the primary endpoint first, the doubts last; without results none of them fails."""
    study = Study.load(name)
    adam = parts()[1].without("adrs", "adtte", "adae", "adck", "adresp")
    section = build(report_data(study=study, adam=adam, rows=Rows(pl.DataFrame(schema=SCHEMA))))
    cards = section.blocks[0].items
    assert cards[0].look == "main" and cards[-1].look == "doubt"
    assert "not estimated" in plain(cards[0].blocks[0].text)


def test_strategies_and_variants_are_said_in_words() -> None:
    """By hand, from the table of strategies in the rules (paragraph 5)."""
    assert str(read_strategies("hsct=composite; new-therapy=treatment-policy", "response-rate").transplant) == (
        '<span title="hsct=composite">no response after it</span>'
    )
    assert strategies_sentence("hsct=hypothetical; new-therapy=hypothetical; competing=death", "time-to-event") == (
        "transplant and new therapy: censored before it; competing: death"
    )
    assert strategies_sentence("hsct=composite; new-therapy=composite; competing=hsct+death", "time-to-event") == (
        "transplant: competes; new therapy: is an event; competing: transplant or death"
    )
    assert strategies_sentence("hsct=while-on-treatment; new-therapy=composite; product-failure=composite", "response-rate") == (
        "transplant: last status before it; new therapy: no response after it; product failure: no response after it"
    )
    assert variant_words("") == "main analysis"
    assert variant_words("not-yet-assessable=non-responder") == "window still open: no response"
    assert variant_words("window.within-days=730;window.from=day-0;window.until=progression;population=infused") == (
        "window: within 730 days, window from the first infusion, until progression, population: infused"
    )
    assert variant_words("hsct=treatment-policy") == variant_words("hsct=treatment-policy", "time-to-event") == "transplant: ignored"
    assert (level_words("Y"), level_words("<= 5 %")) == ("yes", "≤ 5 %")
    assert (lower_first("Event-free survival"), lower_first("B-cell aplasia"), lower_first("CR rate")) == (
        "event-free survival",
        "B-cell aplasia",
        "CR rate",
    )


@pytest.mark.parametrize("name", [*builtin_studies(), "examples/worked", "examples/worked-children", "examples/car22", "examples/lbcl32"])
def test_no_variant_of_a_study_is_said_in_machine_words(name: str) -> None:
    """By hand: no equals sign, no dot within a word and no hyphened key is left in the words of any variant."""
    study = Study.load(name if "/" not in name else Path(__file__).parents[2] / name)
    for endpoint in study.endpoints:
        for variant in study.variants(endpoint):
            words = variant_words(variant.name, endpoint.type)
            assert not re.search(r"=|\w\.\w|treatment-policy|while-on|within-days|not-yet|hsct", words), words
