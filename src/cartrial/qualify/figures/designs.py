"""Are single-arm designs right: their errors, their power, and the designs that were published?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cartrial.design.exact.simon import design_simon
from cartrial.design.exact.single import estimate_sawtooth
from cartrial.design.exact.staged import Staged, operate
from cartrial.qualify.checks import Check, compare
from cartrial.qualify.stored import read_stored

__all__ = ["check_designs"]


def check_designs() -> Iterator[Check]:
    """Yield sizes, attained errors and power: of one stage, of two, of several looks, and of the published two-stage designs."""
    held = read_stored()["design"]
    yield from _single(held["single"])
    yield from _two_stages(held["two_stage"])
    yield from _looks(held["looks"])
    yield from _simon(held["simon"])


def _single(cases: list[dict[str, Any]]) -> Iterator[Check]:
    for case in cases:
        row = estimate_sawtooth(case["p0"], case["p1"], case["alpha"]).row(case["rpact_n"] - 1, named=True)
        name = f"{case['p0']:g} against {case['p1']:g}, n = {case['rpact_n']}"
        named = [f"{name}, {what}" for what in ("critical value", "type I error", "power")]
        found, right = [row["r"], row["alpha"], row["power"]], [case["r"], case["attained"], case["power"]]
        origin = "R 4.2.2: qbinom, pbinom; rpact 3.3.4: getSampleSizeRates(groups = 1, normalApproximation = FALSE)"
        yield from compare("one stage", named, found, right, tolerance=1e-12, origin=origin)


def _two_stages(cases: list[dict[str, Any]]) -> Iterator[Check]:
    for case in cases:
        design = Staged("two stages", (case["n1"], case["n"]), (case["r1"], case["r"]), (None, case["r"] + 1), 0.01, 0.9, "R", "none")
        found = operate(design, case["p"])
        name = f"{case['r1']}/{case['n1']}, {case['r']}/{case['n']} at {case['p']:g}"
        named = [f"{name}, {what}" for what in ("success", "expected patients", "early stop")]
        right = [case["success"], case["expected"], case["stop"]]
        origin = "R 4.2.2: sum(dbinom(x, n1, p) * pbinom(r - x, n - n1, p, lower.tail = FALSE)), pbinom(r1, n1, p)"
        values = [found.success, found.expected_n, found.early_stop]
        yield from compare("two stages", named, values, right, tolerance=1e-12, origin=origin)


def _looks(cases: list[dict[str, Any]]) -> Iterator[Check]:
    for number, case in enumerate(cases, 1):
        found = operate(Staged("looks", case["n"], case["low"], case["high"], 0.01, 0.9, "R", "none"), case["p"])
        name = f"design {number}, {len(case['n'])} looks at {case['p']:g}"
        stops = [f"{name}, {way} at {n}" for way in ("futility", "efficacy") for n in case["n"]]
        named = [*stops, f"{name}, expected patients", f"{name}, success"]
        values = [*found.stop_futility, *found.stop_efficacy, found.expected_n, found.success]
        right = [*case["futility"], *case["efficacy"], case["expected"], case["success"]]
        yield from compare("several looks", named, values, right, tolerance=1e-12, origin="R 4.2.2: dbinom, look by look")


def _simon(cases: list[dict[str, Any]]) -> Iterator[Check]:
    """Tuples as Simon 1989 prints them; expected patients to one digit and the early stop to two, as they stand there."""
    origin = "published: Simon 1989, doi:10.1016/0197-2456(89)90015-9, tables 1 and 2"
    for case in cases:
        p0, p1, alpha, beta = case["errors"]
        found = design_simon(p0, p1, alpha, beta)
        for which, design in (("optimal", found.optimal), ("minimax", found.minimax)):
            at_null = operate(design, p0)
            (r1, r), (n1, n) = design.futility, design.n
            values = [r1, n1, r, n, float(f"{at_null.expected_n:.1f}"), float(f"{at_null.early_stop:.2f}")]
            name = f"{p0:g} against {p1:g}, errors {alpha:g} and {beta:g}, {which}"
            named = [f"{name}, {what}" for what in ("r1", "n1", "r", "n", "expected patients", "early stop")]
            yield from compare("Simon's designs", named, values, case[which], tolerance=1e-12, origin=origin)
