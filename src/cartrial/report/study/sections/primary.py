"""What is the primary endpoint's value, and exactly what is it a value of?"""

from __future__ import annotations

from markupsafe import Markup

from cartrial.endpoints.notices import MANY
from cartrial.report.page.blocks import Big, Block, Definition, Note, Section, Table, Text
from cartrial.report.page.rows import Cell, parts
from cartrial.report.study.data import ReportData, reason_words
from cartrial.report.study.lacking import beside
from cartrial.report.study.phrases import strategies_sentence
from cartrial.report.study.sections.estimates import Estimate, find_rate
from cartrial.study import Endpoint, Study, Variant, describe_endpoint

__all__ = ["build", "estimand_items"]


def build(data: ReportData) -> Section:
    """Return the section on the primary endpoint."""
    endpoint = data.primary
    if endpoint is None:
        return Section("primary", "Primary endpoint", [Text("The study has no endpoint, so nothing is estimated.")], "Primary")
    title = f"Primary endpoint: {endpoint.label}" if endpoint.role == "primary" else f"First endpoint: {endpoint.label}"
    variant = data.study.variants(endpoint)[0]
    if endpoint.type != "response-rate":
        what, where = ("a time to event", "times to event") if endpoint.type == "time-to-event" else ("a best response", "response")
        blocks: list[Block] = [
            Text(f"The primary endpoint is {what}; its estimate stands under {where}."),
            Definition(estimand_items(data.study, variant)),
        ]
        return Section("primary", title, blocks, "Primary")
    estimate = find_rate(data, endpoint.id)
    if estimate is None or estimate.rate is None:
        said = Text("No subject of its population was recorded, so the primary endpoint is not estimated.")
        return Section("primary", title, [said, Definition(estimand_items(data.study, variant))], "Primary")
    told = beside(data, endpoint)
    if estimate.absent:
        absent = Note(parts("{}: {}.", endpoint.label, estimate.rate))
        return Section("primary", title, [absent, Definition([*told, *estimand_items(data.study, variant)])], "Primary")
    blocks = [_big(endpoint.label, estimate), *_unread(estimate), *_test(data, estimate), *_order(data), *_looks(data, estimate)]
    blocks.append(Definition([*estimand_items(data.study, variant), *told]))
    blocks.extend(_reasons(data, endpoint.id, estimate))
    return Section("primary", title, blocks, "Primary")


def _big(label: str, estimate: Estimate) -> Big:
    waiting = Markup("")
    if estimate.waiting and estimate.waiting.value:
        waiting = parts("; {} more not yet assessable", estimate.waiting)
    if estimate.unread:
        waiting += parts("; {} of them not read by {}", estimate.unread, estimate.reader)
    line = parts(
        "{} of {} {} subjects{}; {}; reader {}; {}",
        estimate.n,
        estimate.total,
        estimate.population,
        waiting,
        estimate.window,
        estimate.reader,
        strategies_sentence(estimate.strategies, "response-rate"),
    )
    interval = parts(
        "{} % interval {} to {} % ({})", f"{100 * (estimate.level or 0.95):g}", estimate.lower, estimate.upper, estimate.method
    )
    return Big(estimate.rate, "%", line, interval, label)


def _unread(estimate: Estimate) -> list[Block]:
    """Return the warning of a rate of which many subjects were not read."""
    unread, total = estimate.unread, estimate.total
    if unread is None or total is None or (unread.value or 0) <= MANY * (total.value or 0):
        return []
    words = (
        "More than 10 % of N were not read by {}, although another source has an adequate assessment: {} of {}. They are non-responders."
    )
    return [Note(parts(words, estimate.reader, unread, total))]


def _test(data: ReportData, estimate: Estimate) -> list[Block]:
    endpoint = data.primary
    test = endpoint.test if endpoint else None
    if test is None:
        return []
    if estimate.p_value:
        return [
            Text(
                parts(
                    "{} one-sided test of a rate of {} % or less: P {} {}. Source of that rate: {}.",
                    "Mid-p" if data.study.testing and data.study.testing.test == "mid-p" else "Exact",
                    f"{100 * test.null:g}",
                    "" if estimate.p_value.text[:1] in "<>" else "=",
                    estimate.p_value,
                    test.source,
                )
            )
        ]
    return [
        Note(
            f"No p-value is shown: the rate to be exceeded ({100 * test.null:g} %) is an assumption of the study file, "
            "not a published hypothesis. "
            "It is used on the design page alone."
        )
    ]


def _looks(data: ReportData, estimate: Estimate) -> list[Block]:
    """Return the boundaries of the study's own design, and which of them applies to the number that was analysed."""
    own, endpoint = data.study.design.own if data.study.design else None, data.primary
    if own is None or len(own.at) < 2 or endpoint is None or endpoint.test is None or not estimate.p_value or not estimate.total:
        return []
    n, total = int(estimate.n.value or 0) if estimate.n else 0, int(estimate.total.value or 0)
    at = ", ".join(map(str, own.at))
    words = f"The study's own design looks for success after {at} subjects. The p-value, estimates and limits on this page are those of a"
    note = Note(f"{words} single look: they are not adjusted for the looks before.")
    spent = _boundaries(data.study, endpoint)
    if not spent:
        return [note]
    rows: list[tuple[Cell, ...]] = []
    said = f"{total} subjects are no look of the design: none of its boundaries applies to this report."
    for look, success, level in spent:
        here, met = total == look, success is not None and n >= success
        result = parts("{} of {}: {}", estimate.n, estimate.total, "boundary reached" if met else "boundary not reached") if here else ""
        rows.append((str(look), "no success" if success is None else f"{success} or more", level, result))
        if here:
            which = "final analysis" if look == own.at[-1] else f"interim analysis after {look} subjects"
            said = f"This is the {which}: the boundary of this look applies, and not the type I error of the whole trial."
    caption = f"Boundaries of success of the study's own design, one-sided, against a rate of {100 * endpoint.test.null:g} %"
    head = ("Subjects", "Responders", "Exact p at the boundary", "This report")
    return [Table(head, rows, caption, numeric=(0, 1, 2), small=True, note=said), note]


def _boundaries(study: Study, endpoint: Endpoint) -> list[tuple[int, int | None, str]]:
    """Return the subjects of each look, the fewest responders that are a success and their exact p, as on the design page."""
    from cartrial.design.exact.own import spent_by_look
    from cartrial.design.protocol.inputs import read_inputs
    from cartrial.design.protocol.options import own_option

    if endpoint.test is None or endpoint.test.alternative is None:
        return []
    inputs = read_inputs(study, endpoint=endpoint.id)
    assert inputs.own is not None
    staged = own_option(inputs, inputs.own).staged
    return [
        (spent.n, high, "–" if spent.level is None else f"{spent.level:.4f}")
        for spent, high in zip(spent_by_look(staged, binding=inputs.own.binding), staged.efficacy, strict=True)
    ]


_ADJUSTMENTS = {
    "fixed-sequence": "tested in this order, each only if all before it are rejected",
    "holm": "adjusted by Holm's method",
    "hochberg": "adjusted by Hochberg's method",
    "bonferroni": "adjusted by Bonferroni's method",
}


def _order(data: ReportData) -> list[Block]:
    """Return the tests of several endpoints and what remains of them; nothing where no p-value is adjusted."""
    testing = data.study.testing
    if testing is None or not any(row["statistic"] == "p_adjusted" for row in data.rows.where("response")):
        return []
    rows: list[tuple[Cell, ...]] = []
    for name in testing.order:
        endpoint = next(item for item in data.study.endpoints if item.id == name)
        found = data.rows.where("response", name, variant="", by="", level="")
        null = f"{100 * endpoint.test.null:g} %" if endpoint.test else "none"
        cells = [data.rows.stat(found, statistic) for statistic in ("p_value", "p_adjusted", "rejected")]
        rows.append((f"{endpoint.label} ({name})", null, *(cell or "not tested" for cell in cells)))
    alpha = testing.alpha.value / testing.alpha.sides
    caption = f"Tests of the study, {_ADJUSTMENTS[testing.adjust]}; type I error of all together {100 * alpha:g} %, one-sided"
    note = "An endpoint without a null, or whose null is an assumption, has no p-value: nothing after it in a sequence can be rejected."
    if testing.adjust != "fixed-sequence":
        note = "An endpoint without a null, or whose null is an assumption, has no p-value, and is counted as one that is not rejected."
    head = ("Endpoint", "Null", "p", "p adjusted", "Rejected")
    return [Table(head, rows, caption, numeric=(1, 2, 3, 4), small=True, note=note, name="testing")]


def estimand_items(study: Study, variant: Variant) -> list[tuple[str, str]]:
    """Return the five attributes of ICH E9(R1) in words, with window, reader and censoring."""
    words = describe_endpoint(study, variant)
    items = [
        ("Population", words["population"]),
        ("Treatment", words["treatment"]),
        ("Variable", words["variable"]),
        ("Window", words["window"]),
        ("Reader", words["reader"]),
        ("Intercurrent events", words["strategies"]),
    ]
    if words["events"]:
        items.append(("Events" if variant.endpoint.type == "time-to-event" else "Missing", words["events"]))
    if words["censoring"] and words["censoring"] not in words["summary"]:
        items.append(("Censoring", words["censoring"]))
    items.append(("Population-level summary", words["summary"].removeprefix("Summary: ")))
    items.append(("Source of the rule", variant.endpoint.source))
    return items


def _reasons(data: ReportData, endpoint: str, estimate: Estimate) -> list[Block]:
    found = [row for row in data.rows.where("response", endpoint, variant="", statistic="n") if row["by"] in ("reason", "REASON")]
    rows = [
        (reason_words(data.study, row["level"]), data.rows.stat([row], "n")) for row in sorted(found, key=lambda row: -(row["value"] or 0))
    ]
    if not rows:
        return []
    caption = parts("Subjects without a response, by reason ({}; N = {}; reader {})", estimate.population, estimate.total, estimate.reader)
    return [Table(("Reason", "Subjects"), rows, caption, numeric=(1,), small=True, name="reasons")]
