"""What `testing` of a study file asks for: other intervals and levels, mid-p, several endpoints, strata.

Origin of expected values: `R` 4.2.2 (base; survival 3.5.3), the calls beside them, or `by hand`.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from cartrial.analysis import adjust_p_values, analyse, binomial_p_value
from cartrial.analysis.plan import variant_labels
from cartrial.analysis.tables.times import survival_rows
from cartrial.errors import InputError
from cartrial.report import write_report
from cartrial.sdtm.source import no_findings
from cartrial.study import Study, describe_endpoint
from cartrial.study.planned import Design
from helpers import BASE, load_study
from report_example import invent

ALPHA = "testing: {order: [ORR3], alpha: {value: 0.025, sides: 1}}"
SECOND = """\
  - id: MRDN
    label: MRD-negative remission at month 3
    type: response-rate
    mrd: negative
    window: {at: month 3}
    population: infused
    strategies: {hsct: composite, new-therapy: composite}
    test: {null: 0.2, source: protocol}
"""


def study_with(folder: Path, testing: str, first: str = "{null: 0.3, alternative: 0.5, source: protocol}") -> Study:
    text = BASE.replace("    sensitivity:\n      - {hsct: treatment-policy}\n      - {reader: INV}\n", f"    test: {first}\n", 1).replace(
        "  - id: DOR\n", f"{SECOND}  - id: DOR\n", 1
    )
    text = text.replace(ALPHA, f"testing: {{alpha: {{value: 0.025, sides: 1}}, {testing}}}")
    more = "  - {id: SEX, label: Sex, from: {domain: DM, variable: SEX}}\nsubgroups: [AGE]"
    return load_study(folder, text.replace("subgroups: [AGE]", more))


def rates(*counts: tuple[int, int]) -> SimpleNamespace:
    """Return derived data of a trial of so many responders among so many, an endpoint each."""
    rows = [
        {"TRIAL": 0, "SUBJ": i, "PARAMCD": name, "VARIANT": "", "AVAL": float(i < x), "REASON": "r", "FLAGS": "", "RULE": "x"}
        for name, (x, n) in zip(("ORR3", "MRDN"), counts, strict=False)
        for i in range(n)
    ]
    adsl = pl.DataFrame({"TRIAL": [0], "SUBJ": [0]})
    times = pl.DataFrame(schema={"TRIAL": pl.Int64, "PARAMCD": pl.String, "VARIANT": pl.String, "AVAL": pl.Float64, "CNSR": pl.Int64})
    times = times.with_columns(RULE=pl.lit(""), EVNTDESC=pl.lit(""))
    empty = pl.DataFrame(schema={"TRIAL": pl.Int64})
    return SimpleNamespace(adsl=adsl, adrs=pl.DataFrame(rows), adtte=times, adae=empty, adck=empty, adresp=empty, provenance="example")


def value(results: pl.DataFrame, endpoint: str, statistic: str) -> tuple[float | None, str, str]:
    row = results.filter(pl.col("endpoint") == endpoint, pl.col("statistic") == statistic, pl.col("by") == "")
    assert row.height == 1, row
    return row["value"][0], row["text"][0], row["method"][0]


@pytest.mark.shows("EST-wilson", "STUDY-testing.interval", "STUDY-testing.interval.method", "STUDY-testing.interval.level")
def test_the_interval_of_the_study_is_the_one_of_the_results(tmp_path: Path) -> None:
    """R: `prop.test(13, 20, conf.level = .9, correct = FALSE)` 0.4665127 to 0.79774; `binom.test(13, 20, conf.level = .9)` 0.4419655 to
    0.8226891; of 95 %, `binom.test(13, 20)` 0.4078115 to 0.8460908.
    """
    for interval, lower, upper, method, level in (
        ("interval: {method: Wilson, level: 0.9}", 0.4665127, 0.79774, "Wilson", 0.9),
        ("interval: {level: 0.9}", 0.4419655, 0.8226891, "Clopper-Pearson", 0.9),
        ("order: [ORR3]", 0.4078115, 0.8460908, "Clopper-Pearson", 0.95),
    ):
        study = study_with(tmp_path, interval)
        found = analyse(study, rates((13, 20)), analyses=["response"])
        assert value(found, "ORR3", "lower")[0] == pytest.approx(lower, abs=5e-7)
        assert value(found, "ORR3", "upper")[0] == pytest.approx(upper, abs=5e-6)
        assert value(found, "ORR3", "upper")[2] == method
        limits = found.filter(pl.col("statistic").is_in(["lower", "upper"]))
        assert limits["conf_level"].unique().to_list() == [level] and limits["method"].unique().to_list() == [method]
        words = describe_endpoint(study, study.variants(study.endpoints[0])[0])["summary"]
        assert f"with its {method.replace('-P', '–P')} interval" in words


@pytest.mark.shows("EST-mid-p", "STUDY-testing.test", "STUDY-endpoints.test.null")
def test_a_mid_p_test_is_asked_for(tmp_path: Path) -> None:
    """R: `pbinom(13, 20, .3, lower = FALSE) + dbinom(13, 20, .3) / 2` = 0.0007699633; by hand of 3 of 3 at one half 1/16."""
    study = study_with(tmp_path, "test: mid-p")
    p, _, method = value(analyse(study, rates((13, 20)), analyses=["response"]), "ORR3", "p_value")
    assert p == pytest.approx(0.0007699633, abs=1e-10) and method == "mid-p binomial test, one-sided, null rate 0.3"
    assert binomial_p_value(np.array([3]), np.array([3]), 0.5, "less", test="mid-p")[0] == pytest.approx(15 / 16)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("holm", [0.033, 0.040, 0.012, 0.040]),
        ("hochberg", [0.033, 0.040, 0.012, 0.040]),
        ("bonferroni", [0.044, 0.160, 0.012, 0.080]),
        ("fixed-sequence", [0.011, 0.040, 0.040, 0.040]),
    ],
)
@pytest.mark.shows("RULE-7.3", "EST-adjusted-p")
def test_p_values_of_several_endpoints_are_adjusted(method: str, expected: list[float]) -> None:
    """R: `p.adjust(c(.011, .04, .003, .02), method)`; of a sequence by hand, the largest up to each place."""
    p = np.array([0.011, 0.04, 0.003, 0.02])
    assert adjust_p_values(p, method) == pytest.approx(expected, abs=1e-12)
    assert adjust_p_values(np.stack([p[::-1], p]), method)[1] == pytest.approx(expected, abs=1e-12)


@pytest.mark.shows("EST-adjusted-p")
def test_holm_and_hochberg_differ_where_they_should() -> None:
    """R: `p.adjust(c(.03, .04), "holm")` 0.06 0.06 and `"hochberg"` 0.04 0.04. By hand: without a p-value one counts as not rejected."""
    assert adjust_p_values(np.array([0.03, 0.04]), "holm") == pytest.approx([0.06, 0.06])
    assert adjust_p_values(np.array([0.03, 0.04]), "hochberg") == pytest.approx([0.04, 0.04])
    gap = adjust_p_values(np.array([0.01, np.nan, 0.02]))
    assert gap[0] == 0.01 and np.isnan(gap[1:]).all()
    assert adjust_p_values(np.array([0.01, np.nan, 0.02]), "bonferroni")[2] == pytest.approx(0.06)
    with pytest.raises(InputError, match="not between 0 and 1"):
        adjust_p_values(np.array([1.2]))


@pytest.mark.shows("RULE-7.3", "STUDY-testing.order", "STUDY-testing.alpha", "STUDY-testing.alpha.value", "STUDY-testing.adjust")
def test_the_results_say_which_endpoints_are_rejected(tmp_path: Path) -> None:
    """R: `pbinom(11, 20, .3, lower = FALSE)` = 0.005138 and `pbinom(5, 20, .2, lower = FALSE)` = 0.195792: the second is not rejected at
    0.025; in the other order nothing is, since the first is not. An assumed null has no p-value and ends the sequence.
    """
    found = analyse(study_with(tmp_path, "order: [ORR3, MRDN]"), rates((12, 20), (6, 20)), analyses=["response"])
    assert value(found, "ORR3", "p_adjusted")[0] == pytest.approx(0.005138, abs=5e-7) and value(found, "ORR3", "rejected")[1] == "yes"
    assert value(found, "MRDN", "p_adjusted")[0] == pytest.approx(0.195792, abs=5e-7) and value(found, "MRDN", "rejected")[1] == "no"
    assert "fixed-sequence of ORR3, MRDN; one-sided type I error 0.025" in value(found, "MRDN", "rejected")[2]
    turned = analyse(study_with(tmp_path, "order: [MRDN, ORR3]"), rates((12, 20), (6, 20)), analyses=["response"])
    assert value(turned, "ORR3", "p_adjusted")[0] == pytest.approx(0.195792, abs=5e-7) and value(turned, "ORR3", "rejected")[1] == "no"
    # R: Holm, 2 x 0.005138
    holm = analyse(study_with(tmp_path, "order: [MRDN, ORR3], adjust: holm"), rates((12, 20), (6, 20)), analyses=["response"])
    assert value(holm, "ORR3", "p_adjusted")[0] == pytest.approx(0.010276, abs=1e-6) and value(holm, "ORR3", "rejected")[1] == "yes"
    assumed = study_with(tmp_path, "order: [ORR3, MRDN]", "{null: 0.3, source: assumption}")
    found = analyse(assumed, rates((12, 20), (6, 20)), analyses=["response"])
    assert found.filter(endpoint="ORR3", statistic="p_value").is_empty()
    assert value(found, "MRDN", "p_adjusted")[:2] == (None, "NE") and value(found, "MRDN", "rejected")[1] == "not tested"
    one = analyse(study_with(tmp_path, "order: [ORR3]"), rates((12, 20), (6, 20)), analyses=["response"])
    assert one.filter(pl.col("statistic") == "p_adjusted").is_empty()


@pytest.mark.shows("RULE-7.7", "EST-logrank-stratified", "STUDY-testing.strata")
def test_times_are_compared_within_strata(tmp_path: Path) -> None:
    """R:

    i <- 0:39; d <- data.frame(t=(i*37)%%101+1, e=as.integer(i%%4!=0), g=i%%2, s=(i%/%3)%%2); d$s[2] <- NA
    survdiff(Surv(t, e) ~ g + strata(s), d)                     2.428879802337
    survdiff(Surv(t, e) ~ g, d)                                 5.496094227040
    coxph(Surv(t, e) ~ g + strata(s), d), confint(, level=.9)   1.965776936 (0.955350238 to 4.044881978)
    """
    i = np.arange(40)
    frame = pl.DataFrame({"TRIAL": 0, "SUBJ": i, "AVAL": (i * 37) % 101 + 1.0, "CNSR": (i % 4 == 0).astype(int)})
    frame = frame.with_columns(PARAMCD=pl.lit("DOR"), VARIANT=pl.lit(""), EVNTDESC=pl.lit("x"))
    groups = frame.select("TRIAL", "SUBJ", AGE=pl.Series([f"g{k % 2}" for k in i]))
    strata = frame.select("TRIAL", "SUBJ", SEX=pl.Series([None if k == 1 else f"s{(k // 3) % 2}" for k in i]))

    def tested(study: Study, within: pl.DataFrame) -> pl.DataFrame:
        made = survival_rows(study, frame, groups, variant_labels(study), study.interval.level, curves=True, strata=within)
        return pl.concat(made).filter(by="AGE", endpoint="DOR")

    study = study_with(tmp_path, "strata: [SEX], interval: {level: 0.9}")
    found = tested(study, strata)
    assert found.filter(statistic="chi_square").select("value", "method").row(0) == (
        pytest.approx(2.428879802337, abs=1e-9),
        "log-rank test, stratified by SEX",
    )
    for statistic, expected in (("hazard_ratio", 1.965776935972), ("lower", 0.955350238418), ("upper", 4.044881977942)):
        row = found.filter(statistic=statistic).filter(pl.col("level").str.contains("against"))
        assert row["value"][0] == pytest.approx(expected, rel=1e-6)
    plain = tested(study_with(tmp_path, "strata: []"), strata.select("TRIAL", "SUBJ"))
    assert plain.filter(statistic="chi_square").select("value", "method").row(0) == (
        pytest.approx(5.496094227040, abs=1e-9),
        "log-rank test",
    )
    # a stratum that nobody recorded: the test says so, and nothing is compared without it
    lacking = tested(study, strata.select("TRIAL", "SUBJ"))
    assert lacking.filter(statistic="p_value").select("value", "text").rows() == [(None, "NE")]
    # never within itself
    alone = tested(study_with(tmp_path, "strata: [AGE]"), strata)
    assert alone.filter(statistic="chi_square")["method"].to_list() == ["log-rank test"]


@pytest.mark.slow
def test_the_page_says_which_interval_which_level_and_which_tests(tmp_path: Path) -> None:
    study = study_with(tmp_path, "order: [ORR3, MRDN], test: mid-p, adjust: holm, interval: {method: Wilson, level: 0.9}")
    adam = invent(study)
    write_report(study, None, adam, analyse(study, adam), no_findings(), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", re.sub(r"<script.*?</script>", "", page, flags=re.S)))
    assert "(Wilson)" in words and "90 % interval" in words and "95 % interval" not in words and "95 % limits" not in words
    assert "Mid-p one-sided test" in words and "Exact one-sided test" not in words
    assert "not adjusted for the looks before" not in words
    assert "adjusted by Holm" in words and "Wilson interval of a rate" in words and "Clopper" not in words


@pytest.mark.slow
def test_a_page_says_that_looks_are_not_taken_into_account(tmp_path: Path) -> None:
    study = study_with(tmp_path, "order: [ORR3]")
    own = Design.model_validate({"own": {"at": [20, 39], "efficacy": {"spending": "pocock"}}})
    looked = study.model_copy(update={"design": own})
    adam = invent(looked)
    write_report(looked, None, adam, analyse(looked, adam), no_findings(), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "looks for success after 20, 39 subjects" in page and "not adjusted for the looks before" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("interval: {method: Wald}", "testing.interval.method"),
        ("interval: {level: 95}", "testing.interval.level"),
        ("strata: [WEIGHT]", "stratum 'WEIGHT' is not a baseline characteristic"),
        ("adjust: none", "testing.adjust"),
        ("test: chi-square", "testing.test"),
    ],
)
def test_what_testing_cannot_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        study_with(tmp_path, text)
