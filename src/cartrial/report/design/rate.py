"""Which designs of the response rate are there, what are their boundaries, and how do they behave?"""

from __future__ import annotations

from markupsafe import Markup, escape

from cartrial.design.protocol.joint import ALPHA_TOXICITY, ODDS_RATIOS
from cartrial.design.protocol.options import LEE_LIU, LOWER, Option
from cartrial.design.protocol.rows import Beside
from cartrial.design.protocol.safety import FALSE_STOP
from cartrial.report.design.data import FAMILIES, DesignData
from cartrial.report.figures.lines import Guide, Series, draw_lines
from cartrial.report.page.blocks import Big, Block, Details, Figure, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, Stat, parts

__all__ = ["boundaries", "curves", "in_words", "inputs", "options", "or_less", "or_more", "recommendation"]


def recommendation(data: DesignData) -> Section | None:
    """Return the design to take, with its reason; None where there is but the study's own."""
    best = data.design.best
    if best is data.design.own:
        return None

    def of(statistic: str) -> Stat | None:
        return data.stat("design", best.id, statistic)

    power, alpha = parts("{} power at the target", of("power")), parts("{} type I error", of("alpha"))
    blocks: list[Block] = [
        Big(
            of("n"),
            f"subjects ({data.design.inputs.endpoint.population})",
            Markup("{}; {}").format(data.design.inputs.endpoint.label, in_words(data, best)),
            Markup("{}: {}, {} (exact)").format(best.staged.name, alpha, power),
            "design",
        ),
        *_definition(data),
        Text(data.design.reason),
        Note(
            "Another choice is right where something else counts: the fewest subjects at most (minimax), the fewest if the product is "
            "no better than the null (optimal), no pause of enrolment (single stage, or the rules for delayed responses), or more looks "
            "(BOP2, predictive probability). All stand side by side below, with exact figures."
        ),
    ]
    return Section("recommendation", "The recommended design", blocks, "Recommended")


def _definition(data: DesignData) -> list[Block]:
    """Return what a response is; where the study's own design has said so, what a recommendation is beside it."""
    if data.design.own is None:
        return [Text(Markup("{}: {}").format(data.design.inputs.endpoint.id, data.stat("input", "endpoint", "definition")))]
    return [Note("The study states a design of its own, above. This one is what the same null, target and errors would lead to.")]


def in_words(data: DesignData, option: Option) -> Markup:
    """Return a design's rule as a sentence."""
    staged = option.staged
    if staged.looks > 2:
        return _in_short(data, option)
    pieces = []
    for look, (n, low, high) in enumerate(zip(staged.n, staged.futility, staged.efficacy, strict=True), 1):
        size = n
        at: Beside = {"look": look, "n": size}
        stop = data.stat("boundary", option.id, "stop_if_at_most", **at)
        success = data.stat("boundary", option.id, "success_if_at_least", **at)
        if look == staged.looks:
            pieces.append(Markup("success with {} or more responders of {}").format(success, size))
            continue
        rules = []
        if low is not None:
            rules.append(Markup("stop with {} or fewer responders of {}").format(stop, size))
        if high is not None:
            rules.append(Markup("success with {} or more of {}").format(success, size))
        pieces.append(Markup(", ").join(rules) or Markup("no stop at {}").format(size))
    return Markup("; ").join(pieces) + "."


def _in_short(data: DesignData, option: Option) -> Markup:
    """Return the rule of a design with many looks: futility and success boundaries of each."""
    pieces = []
    for look, n in enumerate(option.staged.n, 1):
        at: Beside = {"look": look, "n": n}
        low, high = (data.stat("boundary", option.id, name, **at) for name in ("stop_if_at_most", "success_if_at_least"))
        rules = [Markup("≤\u00a0{}").format(low)] if low and low.value is not None and look < option.staged.looks else []
        rules += [Markup("≥\u00a0{}").format(high)] if high and high.value is not None else []
        pieces.append(Markup("{}:\u00a0{}").format(n, Markup(" or\u00a0").join(rules) or "–"))
    return Markup("; ").join(pieces)


def inputs(data: DesignData) -> Section:
    """Return what the designs rest on, and whatever else is assumed."""
    rows = [
        (item.label, data.stat("input", item.id, "value"), item.source, "assumption" if item.assumed else "stated")
        for item in data.design.inputs.items
    ]
    assumed = sum(item.assumed for item in data.design.inputs.items)
    stated = data.design.study.assumptions()
    blocks: list[Block] = [
        Table(("What", "Value", "Source", "Kind"), rows, "Numbers that every design rests on"),
        Note(
            f"{assumed} of these {len(rows)} numbers are assumptions. They are no advice: whoever uses a design replaces each by a number "
            "with a source."
        ),
        Table(("What", "Value", "Source"), _further(data), "Further numbers, of single designs", small=True),
        Details(f"All {len(stated)} assumptions of the study file", [Table(("Where", "What is said"), stated, small=True)]),
    ]
    return Section("inputs", "What the designs rest on", blocks, "Inputs")


def _further(data: DesignData) -> list[tuple[Cell, ...]]:
    """Return the numbers that single designs need, with their sources."""
    design = data.design
    rows: list[tuple[Cell, ...]] = []
    for plan in design.safety:
        limits = [data.stat("safety", plan.id, name) for name in ("acceptable", "unacceptable")]
        rows.append((f"{plan.label[0].upper()}{plan.label[1:]}", parts("acceptable {}, unacceptable {}", *limits), plan.limits.source))
    if design.safety:
        rows.append(("Stopping for toxicity", f"stops a product of the acceptable rate in {100 * FALSE_STOP:g} % at most", "assumption"))
    if design.joint is not None:
        odds = ", ".join(f"{value:g}" for value in ODDS_RATIOS)
        rows.append(
            ("Response and toxicity", f"{100 * ALPHA_TOXICITY:g} % success if too toxic, at most; odds ratios {odds}", "assumption")
        )
    if design.history is not None:
        ids = ", ".join(one.result for one in design.history.made.results)
        said = f"of {ids}; assumed: {', '.join(design.history.assumed) or 'nothing'}"
        prior = design.study.design.prior if design.study.design else None
        rows.append(("Prior of published trials", said, prior.source if prior else ""))
    for item in design.survival:
        figures = [data.stat("survival", item.test.endpoint, name) for name in ("null", "alternative", "at")]
        rows.append((item.label, parts("{} against {} at {}", *figures), item.test.source))
    rows.append(("Posterior probability (Thall and Simon)", f"lower cut-off {LOWER:g}", "assumption"))
    first, every = LEE_LIU
    rows.append(("Predictive probability (Lee and Liu)", f"looks from {first} subjects, every {every}", "assumption"))
    rows.append(("While responses are awaited", "early outcomes evenly over the window", "assumption"))
    rows.append(("Looks in calendar time", "reads and adjudication take no time", "assumption"))
    if not design.timing.simulated:
        rows.append(("Enrolment and calendar", "no loss and no wait between consent and infusion", "assumption"))
    return rows


def options(data: DesignData) -> Section:
    """Return the designs side by side."""
    groups: list[int] = []
    rows: list[tuple[Cell, ...]] = []
    statistics = ("n", "alpha", "power", "expected_n_null", "expected_n_target", "early_stop_null", "early_stop_target")
    family = ""
    for option in data.design.options:
        if option.family != family:
            family = option.family
            groups.append(len(rows))
            rows.append((family[0].upper() + family[1:], *[""] * (len(statistics) + 1)))
        name: str = option.staged.name
        if option.id == data.design.recommended and option is not data.design.own:
            name = Markup("<strong>{} (recommended)</strong>").format(name)
        if not option.meets:
            name = Markup("{} <em>(misses an error)</em>").format(name)
        rows.append((name, *(data.stat("design", option.id, key) for key in statistics), in_words(data, option)))
    head = (
        "Design",
        "Most subjects",
        "Type I error",
        "Power",
        "Expected n, null",
        "Expected n, target",
        "Early stop, null",
        "Early stop, target",
        "Rule",
    )
    blocks: list[Block] = [
        Table(
            head,
            rows,
            "Designs of the response rate, all figures exact",
            numeric=range(1, 8),
            group=frozenset(groups),
            wide=True,
            note="Rules of designs with more than two looks: subjects: responders; ≤ not promising, the trial stops; ≥ success.",
        ),
    ]
    if data.design.absent:
        blocks.append(Table(("Not found", "Why"), data.design.absent, "Designs that do not fit", small=True))
    said = []
    for option in data.design.options:
        cut = [Markup("{} {}").format(name.replace("_", ", "), data.stat("design", option.id, name)) for name, _ in option.parameters]
        method = Markup(" ").join([escape(option.staged.method), *([Markup("; ").join(cut) + "."] if cut else [])])
        said.append((option.staged.name, method, option.note))
    blocks.append(Details("How each was found", [Table(("Design", "Method and parameters", "Note"), said, wide=True)]))
    return Section("designs", "Designs side by side", blocks, "Designs")


def boundaries(data: DesignData) -> Section:
    """Return the boundaries as tables."""
    best = data.design.leading
    others = [option for option in data.design.options if option is not best and option.staged.looks > 1]
    blocks: list[Block] = [
        _boundary(data, best),
        Note(
            "Not promising: the trial stops, or fails at the last look. Responders are counted among the first so many subjects of the "
            "endpoint's population, by the endpoint's reader and "
            "strategies, "
            "when all their results are known."
        ),
    ]
    if others:
        blocks.append(
            Details(f"Boundaries of the {len(others)} other designs with more than one look", [_boundary(data, other) for other in others])
        )
    return Section("boundaries", "Stopping boundaries", blocks, "Boundaries")


def _boundary(data: DesignData, option: Option) -> Table:
    rows = []
    for look, n in enumerate(option.staged.n, 1):
        at: Beside = {"look": look, "n": n}
        stop = data.stat("boundary", option.id, "stop_if_at_most", **at)
        success = data.stat("boundary", option.id, "success_if_at_least", **at)
        rows.append((str(look), str(n), or_less(stop), or_more(success)))
    head = ("Look", "Subjects", "Not promising", "Success")
    return Table(head, rows, option.staged.name, numeric=(0, 1, 2, 3), small=True)


def or_less(stat: Stat | None) -> Markup:
    """Return a boundary of futility."""
    return ABSENT if stat is None or stat.value is None else parts("{} or fewer", stat)


def or_more(stat: Stat | None) -> Markup:
    """Return a boundary of success."""
    return ABSENT if stat is None or stat.value is None else parts("{} or more", stat)


def curves(data: DesignData) -> Section:
    """Return the exact figures by true rate, and the sawtooth."""
    shown = _shown(data)
    plan = data.design.inputs
    span = [plan.p0 - 0.2, plan.p1 + 0.2]
    guides = (Guide(plan.p0, f"null {100 * plan.p0:g} %"), Guide(plan.p1, f"target {100 * plan.p1:g} %"))

    def lines(statistic: str) -> list[Series]:
        return [
            Series(
                option.staged.name,
                FAMILIES[option.family][0],
                [point for point in data.points("curve", option.id, statistic) if span[0] <= point[0] <= span[1]],
                FAMILIES[option.family][1],
            )
            for option in shown
        ]

    xlabel = f"True rate of {plan.endpoint.id}"
    power = draw_lines(
        lines("success"),
        title="Probability of success by true rate",
        xlabel=xlabel,
        ylabel="Probability of success",
        low=0,
        high=1,
        x_percent=True,
        y_percent=True,
        guides=(*guides, Guide(plan.power, f"power wanted {100 * plan.power:g} %", "y")),
    )
    expected = draw_lines(
        lines("expected_n"),
        title="Expected number of subjects by true rate",
        xlabel=xlabel,
        ylabel="Expected number of subjects",
        low=0,
        x_percent=True,
        guides=guides,
    )
    blocks: list[Block] = [
        Figure(power, "Probability of success by true rate, one design of each family (exact).", "power"),
        Figure(expected, "Expected number of subjects by true rate, the same designs (exact).", "expected-n"),
        *_sawtooth(data),
    ]
    return Section("curves", "Power, and what the trial costs", blocks, "Curves")


def _shown(data: DesignData) -> list[Option]:
    """Return one design of each family: the recommended one, else the cheapest; the study's own is a family by itself."""
    found = []
    for family in FAMILIES:
        of = [option for option in data.design.options if option.family == family]
        if of:
            found.append(next((option for option in of if option.id == data.design.recommended), min(of, key=lambda option: option.cost)))
    return found


def _sawtooth(data: DesignData) -> list[Block]:
    plan = data.design.inputs
    found = {
        name: [(float(row.n or 0), float(row.value or 0)) for _, row in data.rows.where("sawtooth", statistic=name)]
        for name in ("alpha", "power")
    }
    limits = {"alpha": (plan.alpha, f"allowed {100 * plan.alpha:g} %"), "power": (plan.power, f"wanted {100 * plan.power:g} %")}
    blocks: list[Block] = []
    for name, words, colour in (("power", "Power at the target", "blue"), ("alpha", "Type I error", "red")):
        value, said = limits[name]
        drawn = draw_lines(
            [Series("", colour, found[name], shape="circle")],
            title=f"{words} of a single stage by number of subjects",
            xlabel="Subjects",
            ylabel=words,
            low=0,
            high=1 if name == "power" else max(value * 1.2, 0.01),
            y_percent=True,
            guides=(Guide(value, said, "y"),),
        )
        said = f"{words} of a single stage by number of subjects, the fewest responders that keep the type I error (exact)."
        blocks.append(Figure(drawn, said, f"sawtooth-{name}"))
    blocks.append(
        Note("Both jump, since responders are whole: one subject more can cost power. Hence two conventions for the single stage.")
    )
    return blocks
