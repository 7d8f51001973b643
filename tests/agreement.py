"""Which figures of R, of SAS and of publications stand beside cartrial's? Rows for docs/agreement.md, each of a stored figure.

Nothing is typed in here: R's figures are those of tests/oracle (with their snippets), SAS's those of tests/oracle/camis.json, published
ones those of the tests that name them. A row is refused (an AssertionError) where the figures are further apart than it says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from analysis_oracle import adtte, cr_set, data_set, km_frame, oracle
from helpers import ORACLE, ROOT

Row = tuple[str, ...]


@cache
def camis() -> dict[str, Any]:
    """Figures of SAS as CAMIS prints them."""
    return json.loads((ORACLE / "camis.json").read_text(encoding="utf-8"))


def _digits(value: float | None) -> str:
    return "none" if value is None or np.isnan(value) else f"{value:.6g}"


def _row(what: str, call: str, pairs: Iterable[tuple[float | None, float | None]], shown: str, tolerance: float) -> Row:
    """Return a row of figures that agree: the first of them printed, R's and cartrial's, and how many there are."""
    pairs = [(np.nan if a is None else float(a), np.nan if b is None else float(b)) for a, b in pairs]
    for mine, other in pairs:
        near = abs(mine - other) <= tolerance * max(0.01, abs(other))
        assert near or (np.isnan(mine) and np.isnan(other)), (what, mine, other)
    mine, other = pairs[0]
    return f"{what}: {shown}", f"`{call}`", _digits(other), _digits(mine), f"{len(pairs)}, to {tolerance:g}"


def r_rows() -> Iterator[Row]:
    """Yield what R's functions and cartrial's say of the same data: quantity with an example, call, both, how many and how near."""
    yield from _rates()
    yield from _times()
    yield from _groups()
    yield from _competing()
    yield from _designs()


def _rates() -> Iterator[Row]:
    from cartrial.analysis import binomial_limits, binomial_p_value, kappa_of_tables

    held = oracle()["proportions"]
    calls = (
        ("Clopper-Pearson", "clopper_pearson", "binom.test(x, n)$conf.int"),
        ("Wilson", "wilson", "prop.test(x, n, correct = FALSE)$conf.int"),
        ("mid-p", "mid_p", "uniroot() of the mid-p tail"),
    )
    cases = list(held.values())
    x, n = (np.array([case[key] for case in cases]) for key in ("x", "n"))
    for method, key, call in calls:
        pairs = []
        for level in ("0.95", "0.90"):
            low, high = binomial_limits(x, n, method, float(level))
            for i, case in enumerate(cases):
                pairs += [(float(low[i]), case[level][key]["lower"]), (float(high[i]), case[level][key]["upper"])]
        first = f"{cases[0]['x']} of {cases[0]['n']}, lower limit, 95 %"
        yield _row(f"limits of a rate, {method}", call, pairs, first, 1e-9)
    pairs = [
        (float(binomial_p_value(np.array([case["x"]]), np.array([case["n"]]), null)[0]), p)
        for case in cases
        for null, p in zip(case["null"], case["p_greater"], strict=True)
    ]
    # of the smallest p-values nobody sees whether they are the same: that of 36 of 154 is shown
    at = 5 * list(held).index("36/154")
    pairs = [pairs[at], *pairs[:at], *pairs[at + 1 :]]
    first = f"36 of 154 against {held['36/154']['null'][0]:g}"
    yield _row("exact one-sided test", 'binom.test(x, n, p, alternative = "greater")', pairs, first, 1e-9)
    tables = list(oracle()["kappa"].values())
    pairs = []
    for case in tables:
        pairs.append((float(kappa_of_tables(np.array([case["table"]]))["kappa"][0]), case["kappa"]))
    yield _row("Cohen's kappa", "Fleiss, Cohen and Everitt 1969, from the paper", pairs, str(tables[0]["table"]), 1e-9)


def _times() -> Iterator[Row]:
    from cartrial.analysis import estimate_follow_up, estimate_survival

    sets = ("lung", "aml", "bmt_rfs", "whas500")
    curves = {name: estimate_survival(km_frame(name), by=()) for name in sets}
    held = oracle()
    pairs: list[tuple[Any, Any]] = []
    for name in sets:
        expected = held["km_landmark"][name]["all"]["log-log"]
        found = curves[name].at(expected["time"])
        for column, key in (("survival", "surv"), ("survival_lower", "lower"), ("survival_upper", "upper"), ("standard_error", "std_err")):
            pairs += list(zip(found[column].to_list(), expected[key], strict=True))
    # on the first day everybody is free of the event: a later one is shown
    at = held["km_landmark"]["lung"]["all"]["log-log"]["time"].index(365)
    pairs = [pairs[at], *pairs[:at], *pairs[at + 1 :]]
    call = 'summary(survfit(Surv(time, event) ~ 1, conf.type = "log-log"), times =)'
    yield _row("Kaplan-Meier curve with limits", call, pairs, "lung, day 365", 1e-9)
    pairs = []
    for name in sets:
        expected = held["km_quantile"][name]["all"]["log-log"]
        row = curves[name].summary((0.25, 0.5, 0.75)).row(0, named=True)
        for suffix, key in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper")):
            pairs += list(
                zip((row["median" + suffix], row["q25" + suffix], row["q75" + suffix]), [expected[key][i] for i in (1, 0, 2)], strict=True)
            )
    yield _row("median and quartiles with limits", "quantile(survfit(...))", pairs, "lung, median", 1e-9)
    expected = held["reverse_km"]["lung"]["all"]["log-log"]
    row = estimate_follow_up(km_frame("lung"), by=()).summary((0.25, 0.5, 0.75)).row(0, named=True)
    pairs = [
        (row["median"], expected["estimate"][1]),
        (row["median_lower"], expected["lower"][1]),
        (row["median_upper"], expected["upper"][1]),
    ]
    yield _row("follow-up", "survfit(Surv(time, 1 - event) ~ 1)", pairs, "lung, median", 1e-9)
    pairs = []
    for one in held["rmst"]["lung"]["all"]:
        mean = curves["lung"].restricted_mean(one["tau"]).row(0, named=True)
        pairs += [(mean["rmst"], one["estimate"]), (mean["standard_error"], one["std_err"])]
    first = held["rmst"]["lung"]["all"][0]["tau"]
    yield _row("restricted mean", "summary(survfit(...), rmean = tau)", pairs, f"lung, to day {first:g}", 1e-9)


def _groups() -> Iterator[Row]:
    from cartrial.analysis import estimate_cox, estimate_logrank

    held = oracle()
    age = pl.col("age")
    band = pl.when(age <= 60).then(0).when(age <= 75).then(1).otherwise(2)
    whas = adtte(data_set("whas500")).with_columns(band=band)
    row = estimate_logrank(whas, "afb", ()).row(0, named=True)
    expected = held["logrank"]["whas500_afb"]
    pairs = [(row["chi_square"], expected["chisq"]), (row["p_value"], expected["p"])]
    yield _row("log-rank test", "survdiff(Surv(time, event) ~ afb)", pairs, "whas500, chi-square", 1e-9)
    row = estimate_logrank(whas, "afb", (), strata=("band", "gender")).row(0, named=True)
    expected = held["logrank"]["whas500_afb_strata_ageband_gender"]
    pairs = [(row["chi_square"], expected["chisq"]), (row["p_value"], expected["p"])]
    yield _row("stratified log-rank test", "survdiff(... + strata(ageband, gender))", pairs, "whas500, chi-square", 1e-9)
    for ties in ("efron", "breslow"):
        found = estimate_cox(whas, ["afb", "age", "gender"], ties=ties)
        expected = held["cox"]["whas500_afb_age_gender"][ties]
        pairs = [
            pair
            for column, key in (("hazard_ratio", "hr"), ("lower", "lower"), ("upper", "upper"), ("p_value", "p"))
            for pair in zip(found[column].to_list(), expected[key], strict=True)
        ]
        yield _row(
            f"Cox's model, {ties.title()}'s ties",
            f'coxph(Surv(time, event) ~ afb + age + gender, ties = "{ties}")',
            pairs,
            "whas500, hazard ratio of afb",
            1e-8,
        )


def _competing() -> Iterator[Row]:
    from cartrial.analysis import estimate_fine_gray, estimate_gray, estimate_incidence

    held = oracle()
    frame = cr_set("bmt")
    expected = held["aalen_johansen"]["bmt"]["all"]
    found = estimate_incidence(frame, ()).at(expected["time"])
    pairs: list[tuple[Any, Any]] = []
    for cause, key in ((0, "cause_1"), (2, "cause_2")):
        one = found.filter(pl.col("cause") == cause)
        for column, name in (("incidence", "estimate"), ("standard_error", "std_err")):
            pairs += list(zip(one[column].to_list(), expected[key][name], strict=True))
    # the first day has no event yet: the third is shown
    pairs = [pairs[2], *pairs[:2], *pairs[3:]]
    yield _row(
        "cumulative incidence", "survfit(Surv(time, factor(cause)) ~ 1)", pairs, f"bmt, relapse by day {expected['time'][2]:g}", 1e-9
    )
    rows = held["cuminc_gray"]["bmt"]["all"]
    variance = estimate_incidence(frame, (), variance="cuminc").at(rows["time"])
    pairs = []
    for cause, key in ((0, "all 1"), (2, "all 2")):
        errors = variance.filter(pl.col("cause") == cause)["standard_error"].to_list()
        pairs += [(error**2, value) for error, value in zip(errors, rows["curves"][key]["var"], strict=True) if value is not None]
    pairs = [pairs[2], *pairs[:2], *pairs[3:]]
    yield _row("its variance as cmprsk", "timepoints(cuminc(time, cause), t)$var", pairs, f"bmt, relapse by day {rows['time'][2]:g}", 1e-8)
    tests = held["cuminc_gray"]["bmt"]["by_group"]["gray"]
    pairs = [
        (estimate_gray(frame, "group", (), cause=cause).row(0, named=True)["chi_square"], tests[key]["stat"])
        for cause, key in ((0, "cause_1"), (2, "cause_2"))
    ]
    yield _row("Gray's test", "cmprsk::cuminc(time, cause, group)$Tests", pairs, "bmt, relapse, chi-square", 1e-9)
    coded = frame.with_columns(group=pl.col("group").replace({"AML-low": "B", "AML-high": "C", "ALL": "A"}))
    model = held["fine_gray"]["bmt_group"]["cause_1"]["finegray_breslow"]
    fitted = estimate_fine_gray(coded, ["group"])
    pairs = [
        *zip(fitted["coefficient"].to_list(), model["coef"], strict=True),
        *zip(fitted["standard_error"].to_list(), model["se_robust"], strict=True),
    ]
    yield _row(
        "Fine and Gray's model",
        'coxph(..., weights = fgwt, cluster = id, ties = "breslow") on finegray()',
        pairs,
        "bmt, AML-low against ALL, coefficient",
        1e-8,
    )


def _designs() -> Iterator[Row]:
    from cartrial.design.exact.single import estimate_sawtooth
    from cartrial.design.exact.staged import Staged, operate

    held = json.loads((ORACLE / "design_exact.json").read_text(encoding="utf-8"))
    pairs: list[tuple[Any, Any]] = []
    for case in held["single"]:
        row = estimate_sawtooth(case["p0"], case["p1"], case["alpha"]).row(case["rpact_n"] - 1, named=True)
        pairs += [(row["power"], case["power"]), (row["alpha"], case["attained"])]
    one = held["single"][0]
    yield _row(
        "single-stage design",
        "pbinom(); rpact getSampleSizeRates(groups = 1)",
        pairs,
        f"{one['p0']:g} against {one['p1']:g}, n = {one['rpact_n']}, power",
        1e-12,
    )
    pairs = []
    for case in held["two_stage"]:
        found = operate(
            Staged("two stages", (case["n1"], case["n"]), (case["r1"], case["r"]), (None, case["r"] + 1), 0.01, 0.9, "R", "none"), case["p"]
        )
        pairs += [(found.success, case["success"]), (found.expected_n, case["expected"]), (found.early_stop, case["stop"])]
    one = held["two_stage"][0]
    yield _row(
        "two-stage design", "dbinom(), pbinom()", pairs, f"{one['r1']}/{one['n1']}, {one['r']}/{one['n']} at {one['p']:g}, success", 1e-12
    )


def published_rows() -> Iterator[Row]:
    """Yield designs as R's clinfun prints them in its manual, and as Simon 1989 does: errors, design, printed, cartrial."""
    from cartrial.design.exact.simon import design_simon

    sys.path.insert(0, str(ROOT / "tests" / "design"))
    from test_exact_simon import CLINFUN

    for (p0, p1, alpha, beta, n_max), printed in CLINFUN.items():
        rows = design_simon(p0, p1, alpha, beta, n_max=n_max).table().to_dicts()
        assert len(rows) == len(printed)
        for row, line in zip(rows, printed, strict=True):
            r1, n1, r, n, expected, stop, *_ = line.split()
            found = (f"{row['r1']}/{row['n1']}, {row['r']}/{row['n']}", f"{row['expected_n_p0']:.2f}", f"{row['stop_p0']:.4f}")
            said = (f"{r1}/{n1}, {r}/{n}", expected, stop)
            assert found == said
            yield f"{p0:g} against {p1:g}, errors {alpha:g} and {beta:g}, at most {n_max}", ", ".join(said), ", ".join(found)


def lung_arms() -> pl.DataFrame:
    """Return R's lung set with the arms that CAMIS gave it: Active up to its first patient of day 179 at age 63."""
    frame = adtte(data_set("lung")).with_row_index("ROW")
    first = frame.filter((pl.col("time") == camis()["active"]["time"]) & (pl.col("age") == camis()["active"]["age"]))["ROW"][0]
    return frame.with_columns(ARM=pl.when(pl.col("ROW") < first).then(pl.lit("Active")).otherwise(pl.lit("Placebo")))


def _link(one: dict[str, str]) -> str:
    return f"[{one['page'].split('/CAMIS/')[1].removesuffix('.html')}]({one['page']})"


def _printed(value: float, like: str) -> str:
    return f"{value:.{len(like.partition('.')[2])}f}"


def sas_rows() -> Iterator[Row]:
    """Yield what SAS and cartrial say of the same data, to the digits that are printed: quantity, data, SAS, cartrial, call, page."""
    from cartrial.analysis import binomial_limits, binomial_p_value, estimate_logrank, estimate_survival

    for one in camis()["rates"]:
        low, high = (float(value[0]) for value in binomial_limits(np.array([one["x"]]), np.array([one["n"]]), one["method"]))
        mine = f"{_printed(low, one['lower'])} to {_printed(high, one['upper'])}"
        yield f"limits, {one['method']}", f"{one['x']} of {one['n']}", f"{one['lower']} to {one['upper']}", mine, one["call"], _link(one)
    for one in camis()["tests"]:
        p = float(binomial_p_value(np.array([one["x"]]), np.array([one["n"]]), one["null"], test=one["method"])[0])
        yield (
            f"p-value, {one['method']}",
            f"{one['x']} of {one['n']} against {one['null']:g}",
            one["p"],
            _printed(p, one["p"]),
            one["call"],
            one["page"],
        )
    curves = estimate_survival(lung_arms(), by=("ARM",))
    for one in camis()["rmst"]:
        row = curves.restricted_mean(one["tau"]).filter(pl.col("ARM") == one["arm"]).row(0, named=True)
        mine = f"{_printed(row['rmst'], one['estimate'])} ({_printed(row['standard_error'], one['error'])})"
        yield (
            "restricted mean (error)",
            f"lung, {one['arm']}, to day {one['tau']}",
            f"{one['estimate']} ({one['error']})",
            mine,
            one["call"],
            one["page"],
        )
    for one in camis()["logrank"]:
        row = estimate_logrank(adtte(data_set("whas500")), "afb", ()).row(0, named=True)
        mine = f"{_printed(row['chi_square'], one['chi_square'])} ({_printed(row['p_value'], one['p'])})"
        yield "log-rank test, chi-square (p)", "whas500 by afb", f"{one['chi_square']} ({one['p']})", mine, one["call"], _link(one)


def different_rows() -> Iterator[Row]:
    """Yield where others differ from cartrial on purpose: what, R, SAS, cartrial, why."""
    from cartrial.analysis import estimate_cox, estimate_fine_gray, estimate_incidence, estimate_survival

    held = oracle()
    ten = estimate_survival(adtte(data_set("camis10")), by=())
    median = ten.summary((0.5,)).row(0, named=True)["median"]
    said = camis()["ten"]
    by_r = held["km_quantile"]["camis10"]["all"]["log-log"]
    assert _digits(by_r["estimate"][1]) == said["r_median"]
    yield (
        "median where the curve stays at one half to its end (ten times of CAMIS)",
        f"{said['r_median']} (quantile), {_digits(by_r['print_median'])} (print)",
        said["median"],
        _digits(median),
        "The midpoint of the two times, as R's `quantile`; SAS asks for a fall below one half, several Python libraries take the first.",
    )
    late = ten.at([118.0, 120.0])
    observed = late["observed"].to_list()
    assert observed == [True, False]
    yield (
        "survival at day 120, the last time (censored) being day 118",
        said["r_at_118"][0],
        said["at_120"],
        f"{_digits(late['survival'][1])}, marked as beyond the last time",
        "The curve is carried on as in R, and `observed` is false; a report reads no curve beyond its follow-up unless it is at 0.",
    )
    whas = adtte(data_set("whas500"))
    efron = estimate_cox(whas, ["afb"])["hazard_ratio"][0]
    breslow = held["cox"]["whas500_afb"]["breslow"]["hr"][0]
    assert _digits(efron) == _digits(held["cox"]["whas500_afb"]["efron"]["hr"][0])
    yield (
        "hazard ratio with tied times, by default (whas500, afb)",
        _digits(held["cox"]["whas500_afb"]["efron"]["hr"][0]),
        f"{_digits(breslow)} (Breslow, here as R gives it)",
        _digits(efron),
        "Efron's ties are nearer to the exact likelihood; Breslow's are given on request.",
    )
    low, high = (held["km_quantile"]["lung"]["all"][kind]["upper"][1] for kind in ("log", "log-log"))
    mine = estimate_survival(km_frame("lung"), by=()).summary((0.5,)).row(0, named=True)["median_upper"]
    yield (
        "upper limit of a median, by default (lung)",
        f"{_digits(low)} (log)",
        f"{_digits(high)} (log-log, here as R gives it)",
        _digits(mine),
        "Log-log limits stay within 0 and 1 and are SAS's default; log and plain are given on request.",
    )
    expected = held["aalen_johansen"]["bmt"]["all"]
    day = expected["time"][4]
    incidence = estimate_incidence(cr_set("bmt"), ()).at([day]).filter(pl.col("cause") == 0).row(0, named=True)
    log, loglog = (expected["cause_1"][kind]["upper"][4] for kind in ("log", "log-log"))
    yield (
        f"upper limit of a cumulative incidence, by default (bmt, relapse by day {day:g})",
        f"{_digits(log)} (survfit: log)",
        f"{_digits(loglog)} (log-log, here as R gives it)",
        _digits(incidence["incidence_upper"]),
        "As R's `survfit`; log-log, and the variance of `cuminc`, are given on request.",
    )
    crr, fine = (held["fine_gray"]["cr_ties"]["cause_1"][key]["coef"][0] for key in ("crr", "finegray_breslow"))
    fitted = estimate_fine_gray(cr_set("cr_ties"), ["group"])["coefficient"][0]
    yield (
        "Fine and Gray's coefficient where an event ties with a censoring (16 invented subjects)",
        f"{_digits(fine)} (finegray, Breslow's ties), {_digits(crr)} (crr)",
        "not read",
        _digits(fitted),
        "As `finegray` with `coxph`: `crr` weighs such a tie in another way.",
    )
    ties = {name: held["fine_gray"]["bmt_group"]["cause_1"][f"finegray_{name}"]["coef"][0] for name in ("efron", "breslow")}
    coded = cr_set("bmt").with_columns(group=pl.col("group").replace({"AML-low": "B", "AML-high": "C", "ALL": "A"}))
    yield (
        "Fine and Gray's coefficient with tied times, by default (bmt, AML-low against ALL)",
        f"{_digits(ties['efron'])} (coxph on finegray: Efron), {_digits(ties['breslow'])} (crr, and coxph with Breslow's)",
        "not read",
        _digits(estimate_fine_gray(coded, ["group"])["coefficient"][0]),
        "Breslow's ties, as `crr` and as Fine and Gray have them; `coxph` takes Efron's unless it is told.",
    )
