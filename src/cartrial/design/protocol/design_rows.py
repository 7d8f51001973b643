"""Which figures does a study's design have? All of them as rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartrial.design.bayes.history import Cost, History
from cartrial.design.exact.staged import Staged, operate
from cartrial.design.protocol.definition import define_endpoint
from cartrial.design.protocol.delayed import add_delayed
from cartrial.design.protocol.inputs import Inputs
from cartrial.design.protocol.joint import add_joint
from cartrial.design.protocol.options import OWN, Option
from cartrial.design.protocol.rows import Beside, Rows, number, share
from cartrial.design.protocol.safety import add_safety
from cartrial.design.protocol.study_design import StudyDesign
from cartrial.design.protocol.time import add_timing

__all__ = ["TRUTHS", "add_boundaries", "add_curve", "design_rows"]

# true rates of the curves
TRUTHS = tuple(float(rate) for rate in np.round(np.linspace(0.0, 1.0, 101), 2))


def design_rows(design: StudyDesign) -> Rows:
    """Return the figures of a design as rows.

    Parameters
    ----------
    design : StudyDesign

    Returns
    -------
    Rows
        All parts but those of virtual trials.

    Examples
    --------
    >>> from cartrial.design import design_rows, design_study
    >>> from cartrial.study import Study
    >>> rows = design_rows(design_study(Study.load("inaticel"), n_max=20, alpha=0.2, power=0.6, virtual=False))
    >>> [rows.find("input", name, "value")[1].text for name in ("null", "target", "alpha", "power")]
    ['30 %', '50 %', '20 %', '60 %']
    """
    rows = Rows()
    for item in design.inputs.items:
        value = float(item.value) if isinstance(item.value, int | float) else None
        rows.add("input", item.id, "value", value, item.text, method="assumed" if item.assumed else "stated", source=item.source)
    definition = define_endpoint(design.inputs)
    rows.add("input", "endpoint", "definition", None, definition, method="stated", source=design.inputs.endpoint.source)
    for option in design.options:
        _option(rows, option)
        add_boundaries(rows, "boundary", option.id, option.staged)
    if design.own is not None:
        _own(rows, design.own, design.inputs)
    if design.history is not None:
        _history(rows, design.history)
    for option in design.options:
        add_curve(rows, option.id, option.staged)
    _sawtooth(rows, design)
    if design.delayed is not None:
        add_delayed(rows, design.delayed)
    add_safety(rows, design.safety)
    if design.joint is not None:
        add_joint(rows, design.joint)
    add_timing(rows, design.timing, design.survival)
    return rows


def _option(rows: Rows, option: Option) -> None:
    staged, null, target = option.staged, option.at_null, option.at_target

    def add(statistic: str, value: float, text: str, unit: str) -> None:
        rows.add("design", option.id, statistic, value, text, unit=unit, source=staged.source)

    add("n", option.n, str(option.n), "subjects")
    add("looks", staged.looks, str(staged.looks), "")
    add("least_responders", staged.efficacy[-1] or 0, str(staged.efficacy[-1]), "responders")
    add("alpha", null.success, share(null.success, 2), "proportion")
    add("power", target.success, share(target.success), "proportion")
    for name, found in (("null", null), ("target", target)):
        add(f"expected_n_{name}", found.expected_n, number(found.expected_n), "subjects")
        add(f"early_stop_{name}", found.early_stop, share(found.early_stop), "proportion")
    add("meets", float(option.meets), "yes" if option.meets else "no", "")
    if option.beyond_futility is not None:
        add("alpha_beyond_futility", option.beyond_futility, share(option.beyond_futility, 2), "proportion")
    for name, value in option.parameters:
        add(name, value, f"{value:.9g}", "")


def _own(rows: Rows, option: Option, inputs: Inputs) -> None:
    """Add what the study's own design may spend and has spent by each look."""
    from cartrial.design.exact.looks import spend
    from cartrial.design.exact.own import spent_by_look

    own, source = inputs.own, option.staged.source
    assert own is not None
    rules = {
        "alpha_allowed": (inputs.alpha, own.efficacy.rule if own.efficacy else None),
        "beta_allowed": (1 - inputs.power, own.futility.rule if own.futility else None),
    }
    for item in spent_by_look(option.staged, binding=own.binding):
        at: Beside = {"look": item.look, "n": item.n}
        for name, (error, rule) in rules.items():
            if rule is not None:
                allowed = spend(error, item.n / option.n, rule)
                rows.add("own", OWN, name, allowed, f"{allowed:.4f}", unit="proportion", source=source, **at)
        levels = own.efficacy.levels if own.efficacy else None
        if levels is not None:
            level = levels[item.look - 1]
            rows.add("own", OWN, "level", level, "–" if level is None else f"{level:g}", unit="proportion", source=own.source, **at)
        text = "–" if item.level is None else f"{item.level:.4f}"
        rows.add("own", OWN, "p_at_boundary", item.level, text, unit="proportion", **at)
        spent = (("alpha_spent", item.alpha), *((("beta_spent", item.beta),) if own.futility else ()))
        for name, value in spent:
            rows.add("own", OWN, name, value, f"{value:.4f}", unit="proportion", **at)
        rows.add("own", OWN, "power_so_far", item.power, share(item.power), unit="proportion", **at)


def _history(rows: Rows, history: History) -> None:
    """Add what a prior of published results is worth and what it costs, at one look and at several."""
    for one in history.made.results:
        rows.add(
            "prior", one.result, "responders", one.count, str(one.count), n=one.of, unit="responders", method="stated", source=one.trial
        )
    for cost in history.costs:
        source = ", ".join(one.result for one in history.made.results) if cost.id != "uniform" else ""

        def add(statistic: str, value: float, text: str, cost: Cost = cost, source: str = source, **more: Any) -> None:
            rows.add("prior", cost.id, statistic, value, text, source=source, **more)

        for name, size in cost.sizes.items():
            add(f"worth_{name}", size, number(size), unit="subjects")
        low, middle, high = (cost.prior.quantile(q) for q in (0.025, 0.5, 0.975))
        for name, value in (("mean", cost.prior.mean), ("median", middle), ("lower", low), ("upper", high)):
            add(name, value, share(value), unit="proportion")
        least = cost.single.smallest
        rows.add("prior", cost.id, "least_responders", least, "–" if least is None else str(least), unit="responders", source=source)
        for row, truth in zip(cost.single.table.iter_rows(named=True), ("null", "target"), strict=True):
            at = {"variant": truth, "truth": row["rate"], "unit": "proportion"}
            add("success", row["success"], share(row["success"], 2 if truth == "null" else 1), **at)
            add("bias", row["bias"], f"{100 * row['bias']:+.1f}".replace("-", "−"), **at)
            add("cover", row["cover"], share(row["cover"]), **at)
    for item in history.monitored:
        name = f"looks-{item.id}"
        rows.add("prior", name, "upper", item.upper, f"{item.upper:.6g}", unit="proportion", source=item.staged.source)
        for truth, found in (("null", item.at_null), ("target", item.at_target)):
            at = {"variant": truth, "source": item.staged.source}
            value = float(found.success)
            rows.add("prior", name, "success", value, share(value, 2 if truth == "null" else 1), unit="proportion", **at)
            rows.add("prior", name, "expected_n", found.expected_n, number(float(found.expected_n)), unit="subjects", **at)
        add_boundaries(rows, "prior", name, item.staged)


def add_boundaries(rows: Rows, part: str, name: str, staged: Staged) -> None:
    """Add a design's boundaries, two rows a look.

    Parameters
    ----------
    rows : Rows
    part, name : str
        Part and design of the rows.
    staged : Staged
    """
    for look, (n, low, high) in enumerate(zip(staged.n, staged.futility, staged.efficacy, strict=True), 1):
        for statistic, value in (("stop_if_at_most", low), ("success_if_at_least", high)):
            text = "–" if value is None else str(value)
            rows.add(part, name, statistic, value, text, look=look, n=n, unit="responders", source=staged.source)


def add_curve(rows: Rows, name: str, staged: Staged, part: str = "curve") -> None:
    """Add a design's exact figures by true rate.

    Parameters
    ----------
    rows : Rows
    name : str
    staged : Staged
    part : str
    """
    found = operate(staged, TRUTHS)
    for truth, success, expected in zip(TRUTHS, found.success, found.expected_n, strict=True):
        rows.add(part, name, "success", success, share(success, 2), truth=truth, unit="proportion")
        rows.add(part, name, "expected_n", expected, number(expected, 2), truth=truth, unit="subjects")


def _sawtooth(rows: Rows, design: StudyDesign) -> None:
    from cartrial.design.exact.single import estimate_sawtooth

    inputs = design.inputs
    for row in estimate_sawtooth(inputs.p0, inputs.p1, inputs.alpha, n_max=inputs.n_max).iter_rows(named=True):
        n = row["n"]
        least = row["r"]
        rows.add("sawtooth", "single", "least_responders", least, "–" if least is None else str(least), n=n, unit="responders")
        for statistic in ("alpha", "power"):
            rows.add("sawtooth", "single", statistic, row[statistic], share(row[statistic], 2), n=n, unit="proportion")
