"""Are designs right that look several times, count two endpoints, follow survival, borrow, or find a dose?"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log
from typing import Any

import polars as pl

from cartrial.design.bayes.bop2 import design_bop2
from cartrial.design.bayes.delayed import design_delayed
from cartrial.design.bayes.monitoring import looks_after, predictive_table, tail_table
from cartrial.design.bayes.predictive import design_predictive
from cartrial.design.dose.tables import decision_boundaries, derive_boin_interval, derive_boin_table, derive_mtpi2_table
from cartrial.design.exact.bryant_day import BryantDay, operate_bryant_day
from cartrial.design.exact.inference import estimate_after
from cartrial.design.exact.looks import design_fleming, spend
from cartrial.design.exact.staged import Staged
from cartrial.design.survival.chi_square import design_exact_events
from cartrial.design.survival.curves import FollowUp, Weibull, expected_events, weibull
from cartrial.design.survival.estimate import estimate_one_sample_log_rank
from cartrial.design.survival.landmark import design_landmark, design_rmst, landmark_error, rmst_error
from cartrial.design.survival.log_rank import design_one_sample_log_rank
from cartrial.qualify.checks import Check, compare
from cartrial.qualify.stored import read_stored

__all__ = ["check_bayes", "check_doses", "check_looks", "check_survival_designs"]

RPACT = {"asOF": "obrien-fleming", "asP": "pocock"}
BRYANT = BryantDay("paper", (19, 33), (5, 12), (11, 22), (0.3, 0.5), (0.6, 0.8), "p. 1379", "Bryant and Day 1995")


def check_looks() -> Iterator[Check]:
    """Yield spending functions, Fleming's boundaries, estimates after a trial that could stop early, and Bryant and Day's design."""
    held = read_stored()["design"]
    for case in held["spending"]:
        kind: Any = RPACT.get(case["type"], case["gamma"])
        named = [f"{kind}, alpha {case['alpha']:g} at {time:g}" for time in case["time"]]
        spent = [spend(case["alpha"], time, kind) for time in case["time"]]
        origin = "R 4.2.2: 2 - 2 pnorm(qnorm(1 - alpha / 2) / sqrt(t)), alpha log(1 + (e - 1) t), Hwang, Shih and DeCani"
        yield from compare("error spending", named, spent, case["formula"], tolerance=1e-12, origin=origin)
    for case in held["fleming"]:
        design = design_fleming(case["p0"], 0.95, case["alpha"], n=case["n"])
        looks = " and ".join(str(n) for n in case["n"])
        asked = f"{case['p0']:g}, alpha {case['alpha']:g}, looks at {looks}"
        named = [f"{asked}, {way} at {n}" for way in ("reject", "accept") for n in case["n"]]
        reject = [value if value <= n else None for value, n in zip(case["reject"], case["n"], strict=True)]
        accept = [value if value >= 0 else None for value in (*case["accept"][:-1], case["reject"][-1] - 1)]
        origin = "R 4.2.2: Fleming 1982, doi:10.2307/2530297, by qnorm"
        found = [*design.efficacy, *design.futility]
        yield from compare("Fleming's boundaries", named, found, [*reject, *accept], tolerance=0, origin=origin)
    for kind, cases in held["inference"].items():
        for case in cases:
            yield from _after(kind, case)
    for case in held["bryant_day"]:
        joint = operate_bryant_day(BRYANT, case["response"], case["safe"], case["phi"])
        name = f"{case['response']:g} and {case['safe']:g}, odds ratio {case['phi']:g}"
        values = [joint.success, joint.early_stop, joint.expected_n]
        right = [case["success"], case["stop"], 33 - 14 * case["stop"]]
        named = [f"{name}, {what}" for what in ("success", "early stop", "expected patients")]
        yield from compare("Bryant and Day's design", named, values, right, tolerance=1e-12, origin="R 4.2.2: dmultinom over all cells")


def _after(kind: str, case: dict[str, Any]) -> Iterator[Check]:
    design = Staged("R", (case["n1"], case["n"]), (case["r1"], case["r"]), (None, case["r"] + 1), case["p0"], 0.9, "", "")
    if kind == "planned":
        found = estimate_after(design, case["s"])
        name, origin = f"{case['s']} responders", "R 4.2.2: choose, dbinom, pbinom, uniroot (Jung and Kim 2004, Koyama and Chen 2008)"
    else:
        found = estimate_after(design, case["x1"] + case["x2"], n=case["n1"] + case["m"], first=case["x1"])
        name, origin = (
            f"{case['x1']} + {case['x2']} of {case['n1']} + {case['m']}",
            "R 4.2.2: pbinom, qbeta, uniroot (Koyama and Chen 2008)",
        )
    pairs = {"p": found.p_value, "median": found.median_unbiased, "lower": found.lower, "upper": found.upper}
    right = [case["p_value"], case["median"], case["lower"], case["upper"]]
    named = [f"{case['r1']}/{case['n1']}, {case['r']}/{case['n']}, {name}, {what}" for what in pairs]
    yield from compare("estimates after two stages", named, pairs.values(), right, tolerance=1e-9, origin=origin)
    if kind == "planned":
        what = f"{case['r1']}/{case['n1']}, {case['r']}/{case['n']}, {name}, unbiased"
        yield from compare("estimates after two stages", [what], [found.unbiased], [case["umvue"]], tolerance=1e-11, origin=origin)


def check_survival_designs() -> Iterator[Check]:
    """Yield one-sample log-rank tests, and sizes of trials whose endpoint is a time."""
    held = read_stored()["survival"]
    for number, row in enumerate(held["one_sample"], 1):
        fit = estimate_one_sample_log_rank(row["time"], row["event"], Weibull(row["scale"], row["shape"]))
        pairs = {
            "observed": fit.observed, "expected": fit.expected, "chisq": fit.chi_square, "p_two_sided": fit.two_sided_p_value,
            "ratio": fit.ratio, "lower": fit.lower, "upper": fit.upper, "p_poisson": fit.poisson_p_value,
        }  # fmt: skip
        origin = "R 4.2.2, survival 3.5-3: survdiff(Surv(time, event) ~ offset(S0)); poisson.test(O, E)"
        named = [f"set {number}, {key}" for key in pairs]
        yield from compare("one-sample log-rank test", named, pairs.values(), [row[key] for key in pairs], tolerance=1e-9, origin=origin)
    for row in held["events"]:
        follow = FollowUp(row["accrual"], row["follow"], -log(1 - row["lost"]) / 12)
        events = expected_events(Weibull(1 / row["lambda"], row["kappa"]), follow)
        what = f"hazard {row['lambda']:g}, shape {row['kappa']:g}, {row['accrual']:g} + {row['follow']:g}, lost {row['lost']:g}"
        yield from compare(
            "events to expect",
            [what],
            [events],
            [row["probability"]],
            tolerance=1e-10,
            origin="R 4.2.2, rpact 3.3.4: getEventProbabilities",
        )
    for number, row in enumerate(held["designs"], 1):
        yield from _sizes(number, row)
    for row in held["exact"]:
        design = design_exact_events(weibull(median=8), hazard_ratio=row["hazard_ratio"], accrual=12, follow_up=6)
        named = [f"hazard ratio {row['hazard_ratio']:g}, {what}" for what in ("events", "power", "critical value")]
        found, right = [design.events, design.power, design.critical], [row["events"], row["power"], row["critical"]]
        origin = "R 4.2.2: 1 - pchisq(hr * qchisq(0.95, 2 * d), 2 * d), the first d"
        yield from compare("exact number of events", named, found, right, tolerance=1e-9, origin=origin)


def _sizes(number: int, row: dict[str, Any]) -> Iterator[Check]:
    null = Weibull(1 / row["lambda"], row["kappa"])
    other, at = null.with_hazard_ratio(row["hazard_ratio"]), row["at"]
    plan = {"accrual": row["accrual"], "follow_up": row["follow"], "loss": row["loss"], "alpha": row["alpha"], "beta": row["beta"]}
    follow = FollowUp(row["accrual"], row["follow"], row["loss"])
    pairs = {
        "Wu 2015": (design_one_sample_log_rank(null, hazard_ratio=row["hazard_ratio"], formula="wu-2015", **plan).n, ceil(row["wu_2015"])),
        "Wu 2014": (design_one_sample_log_rank(null, hazard_ratio=row["hazard_ratio"], formula="wu-2014", **plan).n, ceil(row["wu_2014"])),
        "landmark": (design_landmark(null, other, at, **plan).n, ceil(row["landmark"])),
        "restricted mean": (design_rmst(null, other, at, **plan).n, ceil(row["rmst"])),
        "error of a landmark": (landmark_error(other, follow, at), row["landmark_error"]),
        "error of a restricted mean": (rmst_error(other, follow, at), row["rmst_error"]),
    }
    found, right = zip(*pairs.values(), strict=True)
    named = [f"design {number}, {what}" for what in pairs]
    yield from compare(
        "sizes of trials of survival", named, found, right, tolerance=1e-9, origin="R 4.2.2: integrals of the papers' definitions"
    )


def check_bayes() -> Iterator[Check]:
    """Yield posterior and predictive probabilities, BOP2 and TOP boundaries as published."""
    lee = "published: Lee and Liu 2008, doi:10.1177/1740774508089279"
    least = min(x for x in range(41) if tail_table((40,), (0.6, 0.4), 0.6)[0, x] > 0.9)
    named = ["16 of 23, posterior", "16 of 23 and 40 in all, predictive"]
    found = [round(float(tail_table((23,), (0.6, 0.4), 0.6)[0, 16]), 7), round(float(predictive_table(40, least, (0.6, 0.4))[23, 16]), 7)]
    yield from compare("posterior and predictive probability", named, found, [0.8359808, 0.5655589], tolerance=1e-9, origin=lee)
    steps = {4: 0, 8: 1, 11: 2, 14: 3, 17: 4, 20: 5, 22: 6, 25: 7, 27: 8, 29: 9}
    design = design_predictive(range(1, 41), 0.3, theta_t=0.85, theta_l=0.05, prior=(0.6, 1.4))
    first = {x: n for n, x in reversed(list(zip(design.n, design.futility, strict=True))) if x is not None}
    origin = 'R: ph2bayes 0.0.2: stopbound_pred(0.05, "futility", 40, 0.6, 1.4, 0.3, 0.85)'
    named = [f"first look that stops at {x} responders" for x in steps.values()]
    yield from compare("predictive monitoring", named, [first.get(x) for x in steps.values()], list(steps), tolerance=0, origin=origin)
    top = "published: Lin, Coleman and Yuan, arXiv:1810.00709v1, table 2"
    stops = design_bop2(0.2, 0.4, (10, 20, 30, 40), alpha=0.1).design.futility
    yield from compare("BOP2", [f"futility at {n}" for n in (10, 20, 30, 40)], stops, [1, 3, 7, 11], tolerance=0, origin=top)
    looks = looks_after(10, 40, 5)
    stops = design_bop2(0.2, 0.4, looks, cutoff=(0.909, 1)).design.futility
    origin = "R: BOP2FE: BOP2FE_binary(H0 = 0.2, n = c(10, 5, 5, 5, 5, 5, 5), lambda = 0.909, gamma = 1)"
    yield from compare(
        "BOP2", [f"futility at {n}, from a given cut-off" for n in looks], stops, [1, 2, 3, 5, 7, 9, 11], tolerance=0, origin=origin
    )
    delayed = design_delayed(0.2, 0.4, (10, 20, 30, 40), cutoff=(0.86, 1))
    credit = {(10, 1): 8.27, (20, 2): 10.15, (20, 3): 15.40, (30, 3): 11.44, (30, 4): 15.98, (30, 5): 20.57, (30, 6): 25.21, (30, 7): 29.88}
    edges = [round(float(delayed.edge[delayed.n.index(n)][x]), 2) for n, x in credit]
    yield from compare("TOP, responses pending", [f"{x} of {n}" for n, x in credit], edges, credit.values(), tolerance=1e-9, origin=top)


def check_doses() -> Iterator[Check]:
    """Yield decision tables of dose finding as published."""
    printed = {
        0.15: (0.1178, 0.1787), 0.20: (0.1572, 0.2385), 0.25: (0.1968, 0.2984),
        0.30: (0.2365, 0.3585), 0.35: (0.2763, 0.4189), 0.40: (0.3164, 0.4797),
    }  # fmt: skip
    for target, right in printed.items():
        found = [round(value, 4) for value in derive_boin_interval(target)]
        named = [f"target {target:g}, {way}" for way in ("escalate", "de-escalate")]
        origin = "published: Liu and Yuan 2015, doi:10.1111/rssc.12089, four digits"
        yield from compare("BOIN, interval", named, found, right, tolerance=1e-9, origin=origin)
    rows = decision_boundaries(derive_boin_table(0.3, 30)).filter(pl.col("n") % 3 == 0)
    limits = {
        "escalate_if_at_most": (0, 1, 2, 2, 3, 4, 4, 5, 6, 7),
        "deescalate_if_at_least": (2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        "eliminate_if_at_least": (3, 4, 5, 7, 8, 9, 10, 11, 12, 14),
    }
    for column, counts in limits.items():
        named = [f"{column.replace('_', ' ')}, of {n}" for n in range(3, 31, 3)]
        origin = "R: BOIN: get.boundary(target = 0.3, ncohort = 10, cohortsize = 3)"
        yield from compare("BOIN, boundaries", named, rows[column], counts, tolerance=0, origin=origin)
    table = derive_mtpi2_table(0.3, 10)
    letters = {3: "E S D DU", 6: "E E S D DU DU DU", 9: "E E E S D DU DU DU DU DU", 10: "E E E S D D DU DU DU DU DU"}
    for n, line in letters.items():
        found = [float(a == b) for a, b in zip(table.letters[n - 1], line.split(), strict=True)]
        named = [f"{dlt} of {n}: {letter}" for dlt, letter in enumerate(line.split())]
        origin = "published: Guo et al. 2017, doi:10.1016/j.cct.2017.04.006, figure 3"
        yield from compare("mTPI-2, decisions", named, found, [1.0] * (n + 1), tolerance=0, origin=origin)
