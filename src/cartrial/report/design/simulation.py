"""How do the designs do on virtual trials, and what do the endpoint, its denominator and its readers change?"""

from __future__ import annotations

from markupsafe import Markup

from cartrial.design.protocol.definition import define_endpoint
from cartrial.design.protocol.rows import Beside
from cartrial.design.protocol.simulation import contrast_name, simulated_options
from cartrial.design.trials.contrasts import SETTINGS, family_of, variants_of
from cartrial.report.design.data import FAMILIES, DesignData, with_error
from cartrial.report.figures.lines import Guide, Series, draw_lines
from cartrial.report.figures.style import Document
from cartrial.report.page.blocks import Block, Definition, Details, Figure, Note, Section, Table, Text
from cartrial.report.page.rows import Cell, Stat
from cartrial.study import Endpoint, Study, reader_words, window_text
from cartrial.study.endpoint import resolve_variant

__all__ = ["contrasts", "operating"]

BAND = "VIRTUAL PATIENTS: simulated, not patients"
_ACCRUAL = {"paused": "enrolment pauses at each look", "continued": "enrolment goes on"}


def operating(data: DesignData) -> Section | None:
    """Return the operating characteristics on virtual trials, beside the exact binomial."""
    if not data.simulated:
        return None
    plan, facts, best = data.design.inputs, data.facts, data.design.leading
    blocks: list[Block] = [
        Note(facts["label"]),
        Text(
            Markup(
                "{} virtual trials for each true rate of {}, the same subjects under all rates, through visits, readers, drop-out and the "
                "endpoint's own rules. A true rate is reached by changing the share of patients whose disease or product does not respond; "
                "nobody's biology is replaced by a coin. Under the model's own share the rate is {}. Every figure stands with its standard "
                "error, of the trials and of the calibration that finds the share of a true rate together."
            ).format(facts["trials"], plan.endpoint.id, with_error(data, "simulation", "truth", "unshifted"))
        ),
        *_followed(data),
        Figure(
            _success(data),
            "Probability of success: exact binomial (lines) and virtual trials (points, 95 % of the error of simulation and calibration).",
            "success-virtual",
        ),
        _table(data, best.id, "paused" if best.staged.looks > 1 else "continued"),
    ]
    others = [(option, accrual) for option in simulated_options(data.design) for accrual in _ACCRUAL]
    more = [
        _table(data, option.id, accrual)
        for option, accrual in others
        if (option.id, accrual) != (best.id, "paused" if best.staged.looks > 1 else "continued")
        and data.rows.find("simulation", option.id, "success", variant=accrual, truth=plan.p0)
    ]
    blocks.append(
        Figure(
            _cost(data),
            "Months until the trial's decision, by true rate: from the first consent to the last result that decides; 95 % as above.",
            "duration-virtual",
        )
    )
    blocks.append(Details(f"The other {len(more)} tables: other designs, and enrolment that goes on", more))
    blocks.append(
        Note(
            "Where nobody drops out and every reading is right, virtual trials and the exact binomial agree within simulation error: a "
            "test holds them to it. Bias is the mean estimate less the true rate, for the plain share of responders and for the estimate "
            "that is unbiased after two stages. Overrun are subjects infused or enrolled, as the endpoint counts them, beyond those who "
            "decided: at the last look enrolment ends with the last subject needed, so that a trial that reaches it has none by "
            "construction. A result is known on the date of the sample or of the event that decides it: reading and adjudication take no "
            "time (assumption)."
        )
    )
    return Section("operating", "Operating characteristics on virtual trials", blocks, "Virtual trials")


def _followed(data: DesignData) -> list[Block]:
    """Return what a best response is in virtual trials, where the study says when it is analysed."""
    inputs = data.design.inputs
    if inputs.endpoint.window is None or not inputs.endpoint.window.best:
        return []
    words = (
        f"{inputs.endpoint.id} is here the best response within {inputs.delay.days} days of the infusion: what comes later in a subject who"
    )
    return [Note(f"{words} was infused earlier than the last one is left aside.")]


def _truths(data: DesignData) -> list[float]:
    return [float(rate) for rate in data.facts["truths"]]


def _table(data: DesignData, design: str, accrual: str) -> Table:
    option = data.design.option(design)
    names = ("success", "early_stop", "bias", "adjusted_bias", "enrolled", "infused", "overrun", "duration")
    rows = []
    for truth in _truths(data):
        key: Beside = {"variant": accrual, "truth": truth}
        cells = [with_error(data, "simulation", design, name, **key) for name in names]
        exact = data.stat("simulation", design, "success_exact", **key)
        rows.append((f"{100 * truth:.4g} %", cells[0], exact, *cells[1:]))
    head = (
        "True rate",
        "Success",
        "Exact",
        "Early stop",
        "Bias, points",
        "Bias adjusted, points",
        "Enrolled",
        "Infused",
        "Overrun",
        "Months",
    )
    said = f", {_ACCRUAL[accrual]}" if option.staged.looks > 1 else ""
    return Table(
        head,
        rows,
        f"{option.staged.name}{said}: mean over trials ± standard error of simulation and calibration",
        numeric=range(10),
        wide=True,
    )


def _success(data: DesignData) -> Document:
    plan = data.design.inputs
    truths = _truths(data)
    series = []
    shown = simulated_options(data.design)
    # drawn a little apart, so that no bar hides another
    gap = (truths[-1] - truths[0]) / len(truths) / 8
    for place, option in enumerate(shown):
        aside = gap * (place - (len(shown) - 1) / 2)
        colour, dash, shape = FAMILIES[option.family]
        accrual = "paused" if option.staged.looks > 1 else "continued"
        exact = [point for point in data.points("curve", option.id, "success") if truths[0] - 0.02 <= point[0] <= truths[-1] + 0.02]
        series.append(Series(f"{option.staged.name}, exact", colour, exact, dash))
        points, bars = [], []
        for truth in truths:
            found = data.rows.find("simulation", option.id, "success", variant=accrual, truth=truth)
            if found is None or found[1].value is None:
                continue
            half = 1.96 * (found[1].error or 0.0)
            points.append((truth + aside, found[1].value))
            bars.append((truth + aside, max(0.0, found[1].value - half), min(1.0, found[1].value + half)))
        series.append(Series(f"{option.staged.name}, virtual trials", colour, points, "none", shape, bars))
    return draw_lines(
        series,
        title="Probability of success by true rate, exact and on virtual trials",
        xlabel=f"True rate of {plan.endpoint.id}",
        ylabel="Probability of success",
        low=0,
        high=1,
        x_percent=True,
        y_percent=True,
        guides=(Guide(plan.p0, f"null {100 * plan.p0:g} %"), Guide(plan.p1, f"target {100 * plan.p1:g} %")),
        band=BAND,
    )


def _cost(data: DesignData) -> Document:
    series = []
    for option in simulated_options(data.design):
        colour, _, shape = FAMILIES[option.family]
        for accrual, dash in (("paused", "solid"), ("continued", "dotted")):
            points, bars = [], []
            for truth in _truths(data):
                found = data.rows.find("simulation", option.id, "duration", variant=accrual, truth=truth)
                if found is not None and found[1].value is not None:
                    half = 1.96 * (found[1].error or 0.0)
                    points.append((truth, found[1].value))
                    bars.append((truth, found[1].value - half, found[1].value + half))
            if points:
                said = f", {_ACCRUAL[accrual].removeprefix('enrolment ')}" if option.staged.looks > 1 else ""
                series.append(Series(f"{option.staged.name}{said}", colour, points, dash, shape, bars))
    return draw_lines(
        series,
        title="Months until the decision by true rate",
        xlabel=f"True rate of {data.design.inputs.endpoint.id}",
        ylabel="Months until the decision, mean",
        low=0,
        x_percent=True,
        band=BAND,
    )


_WORDS = {
    "denominator": "Denominator: all enrolled against all infused",
    "transplant strategy": "Strategy for transplant: a difference between estimands, not an effect of transplant",
    "window": "Window: a response once seen against a response still there",
    "reader": "Reader: the same endpoint by the investigator",
    "reader error": "Readers' errors: none, and twice as many",
    "missed visits": "Missed visits: none, and twice as many",
}


def contrasts(data: DesignData) -> Section | None:
    """Return what other estimands, denominators, readers and missed visits would give in the same virtual patients."""
    if not data.simulated or not any(True for _ in data.rows.where("contrast")):
        return None
    plan, best = data.design.inputs, data.design.leading
    study, endpoint = plan.study, plan.endpoint
    variants = {
        variant.name: variant.endpoint for variant in (resolve_variant(endpoint, change) for change in variants_of(study, endpoint))
    }
    named = {"": ("", "")} | {contrast_name("", name): ("", name) for name in variants}
    named |= {
        contrast_name(setting.name, name): (setting.name, name)
        for setting in SETTINGS
        for name in ("", *(name for name in variants if setting.group == "readers" and name.startswith("reader=")))
    }
    there = {row.variant for _, row in data.rows.where("contrast", statistic="rate")}
    groups: list[int] = []
    rows: list[tuple[Cell, ...]] = []
    family = ""
    order = ["main", "window", "transplant strategy", "denominator", "reader", "reader error", "missed visits"]
    shown = sorted((key for key in named if key in there), key=lambda key: order.index(family_of(*named[key])))
    for key in shown:
        setting, variant = named[key]
        kind = family_of(setting, variant)
        if kind != family:
            family = kind
            groups.append(len(rows))
            rows.append((_WORDS.get(kind, "As the study defines it"), *[""] * 6))
        rows.append((_said(study, endpoint, variants, setting, variant), *_figures(data, key)))
    head = (
        "Variant",
        "Rate at the null",
        "Rate at the target",
        "Difference at the target, points",
        "Success at the target",
        "n needed",
        "n needed, null restated",
    )
    caption = f"The same virtual patients, where {endpoint.id} as defined has the rates {100 * plan.p0:g} % and {100 * plan.p1:g} %"
    blocks: list[Block] = [
        Definition([("As the study defines it", f"{endpoint.label}: {define_endpoint(plan)}")]),
        Table(head, rows, caption, numeric=range(1, 7), group=frozenset(groups), wide=True),
        Note(
            f"Success is that of a single look at {best.n} subjects with {best.staged.efficacy[-1]} responders or more. The number "
            "needed is the first n of a single stage that meets both errors, for the variant's rate at the target against the study's "
            f"null; restated, against the variant's own rate where {endpoint.id} is at the null. A number is missing where the rate is "
            "not above its null, or more than 400 would be needed. Figures are ± the standard error of simulation and calibration. "
            "Differences are paired: they are sharper than their rates. A needed number jumps with the rate: compare the rates. Virtual "
            "readers err about remission at 0 to 20 % blasts alone, and never take back a remission that they have called."
        ),
        Note(
            "How to use it: choose the estimand for the question it answers, never for its rate. The null must be stated for the same "
            "estimand: "
            "a historical rate within three months is no null for a rate at month three."
        ),
    ]
    return Section("contrasts", "What the endpoint's definition changes", blocks, "Estimands")


def _said(study: Study, endpoint: Endpoint, variants: dict[str, Endpoint], setting: str, variant: str) -> str:
    if setting:
        name, factor = setting.rsplit(" ", 1)
        words = f"{name} {'none' if factor == 'x0' else 'twice as often'}"
        return words + (f", read by {reader_words(variant.removeprefix('reader='))}" if variant else "")
    if not variant:
        return "main analysis"
    other = variants[variant]
    kind = family_of("", variant)
    if kind == "window":
        return window_text(study, other)
    if kind == "transplant strategy":
        does, stated = (found.strategies.hsct.replace("-", " ") for found in (other, endpoint))
        return f"transplant: {does} (study: {stated})"
    if kind == "denominator":
        return f"all {other.population}"
    return f"read by {reader_words(other.reader)}" if other.reader else "read by nobody"


def _figures(data: DesignData, variant: str) -> list[Stat | Markup]:
    plan, name = data.design.inputs, data.design.leading.id

    def at(statistic: str, truth: float) -> Stat | Markup:
        return with_error(data, "contrast", name, statistic, variant=variant, truth=truth)

    return [
        at("rate", plan.p0),
        at("rate", plan.p1),
        at("difference", plan.p1),
        at("success", plan.p1),
        at("needed_n", plan.p1),
        at("needed_n_restated", plan.p1),
    ]
