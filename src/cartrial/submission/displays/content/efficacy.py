"""Which displays show responses? Sections 14.2.1 (the primary rate) and 14.2.2 (other responses, readers)."""

from __future__ import annotations

from cartrial.report.page.rows import Cell, parts
from cartrial.report.study.data import in_order
from cartrial.report.study.phrases import level_words, variant_words
from cartrial.report.study.sections.estimates import find_rate
from cartrial.report.study.sections.subgroups import ASSESSED
from cartrial.study import Endpoint, Variant, window_text
from cartrial.submission.displays.content.found import EMPTY, Known, Plan, caption_notes, estimand_notes
from cartrial.submission.displays.model import Display, Grid, Piece, Words, to_words

__all__ = ["response_displays"]

_RATES = "ADRS; results: response"
TABLES = (
    (Plan("sensitivity", "14.2.1.2", "Response rates under every sensitivity analysis", "", _RATES), "sensitivity"),
    (Plan("no-response", "14.2.1.3", "Subjects without a response, by reason", "", _RATES), "reasons"),
)
FIGURES = (
    (Plan("forest-subgroups", "14.2.1.5", "Response by subgroup", "", _RATES), "forest-subgroups"),
    (Plan("forest-assessed", "14.2.1.6", "Response by subgroup, subjects who were assessed", "", _RATES), "forest-subgroups-assessed"),
    (Plan("forest-variants", "14.2.1.7", "Response rates of all variants", "", _RATES), "forest-variants"),
)
OTHER = (
    (Plan("rates", "14.2.2.1", "Response endpoints, main analyses", "", _RATES), "rates"),
    (Plan("best-response", "14.2.2.2", "Best response", "", _RATES), "best"),
    (Plan("agreement", "14.2.2.3", "Agreement of readers", "", "ADRS by visit; results: concordance"), "agreement"),
    (Plan("informative-censoring", "14.2.2.4", "Possibly informative censoring", "", "ADTTE; results: concordance"), "informative"),
    (Plan("not-read", "14.2.2.5", "Subjects whom the reader has not read", "", _RATES), "unread"),
    (Plan("testing", "14.2.2.6", "Tests of the endpoints in their order", "", _RATES), "testing"),
)
CROSS = Plan("cross-{}", "14.2.2.3.{}", "Calls of two readers", "", "ADRS by visit; results: concordance")


def response_displays(known: Known) -> list[Display]:
    """Return the displays of response rates, best responses and readers."""
    rates = [endpoint for endpoint in known.study.endpoints if endpoint.type == "response-rate"]
    primary = next((endpoint for endpoint in rates if endpoint.role == "primary"), next(iter(rates), None))
    found = _primary(known, primary) if primary else []
    for plan, name in TABLES:
        found += known.table(plan, name)
    found += _subgroups(known, primary) if primary else []
    for plan, name in FIGURES:
        found += known.figure(plan, name)
    for plan, name in OTHER:
        found += known.table(plan, name)
        if name == "agreement":
            found += _crossed(known)
    return found


def _crossed(known: Known) -> list[Display]:
    """Return the cross-tables of each two readers, whose captions say who they are."""
    found: list[Display] = []
    for k, (block, _) in enumerate(known.blocks.get("cross", ())):
        who = str(caption_notes(block)[0]).partition(":")[0]
        title = f"{CROSS.title}: {who}" if known.data is not None else CROSS.title
        found += known.table(Plan(CROSS.id.format(k + 1), CROSS.number.format(k + 1), title, "", CROSS.source), "cross", at=k)
    return found


def _primary(known: Known, endpoint: Endpoint) -> list[Display]:
    """Return the primary rate with everything that it is a rate of."""
    variant = known.study.variants(endpoint)[0]
    rate = _Rate(known, endpoint, variant)
    if not rate.known:
        return []
    level = known.study.interval.text
    lines: list[tuple[str, Cell | Words]] = [
        ("Subjects in the analysis (N)", rate.total),
        ("Responders (n)", rate.n),
        ("Rate (%)", rate.rate),
        (f"{level} interval (%)", rate.limits),
        ("Not yet assessable, not in N", rate.waiting),
    ]
    if rate.p_value is not None and endpoint.test:
        lines.append((f"One-sided P value, null {100 * endpoint.test.null:g} %", rate.p_value))
    head = ("", f"{endpoint.label} ({endpoint.id})")
    rows = tuple((Words((Piece(label),)), to_words(cell)) for label, cell in lines)
    of = f"Population: {endpoint.population}; {window_text(known.study, endpoint)}; reader: {variant.endpoint.reader}"
    said = f"Interval: {rate.method}." if rate.method else ""
    role = "primary endpoint" if endpoint.role == "primary" else endpoint.role
    plan = Plan(f"rate-{endpoint.id}", "14.2.1.1", f"{endpoint.label} ({role})", of, _RATES)
    reasons = known.blocks.get("reasons", ())
    told = reasons[0].notes if reasons else ()
    notes = (Words((Piece(said),)), *told, *estimand_notes(known.study, variant))
    return [known.display(plan, "table", Grid(head, rows, frozenset({1})), notes)]


class _Rate:
    """Cells of one rate; of a shell, `EMPTY`. A statistic that is not there is None."""

    def __init__(self, known: Known, endpoint: Endpoint, variant: Variant, by: str = "", level: str = "") -> None:
        self.n: Cell = EMPTY
        self.total: Cell = EMPTY
        self.rate: Cell = EMPTY
        self.limits: Cell = f"{EMPTY} to {EMPTY}"
        self.waiting: Cell = EMPTY
        self.p_value: Cell = EMPTY if endpoint.test and "assumption" not in endpoint.test.source.lower() else None
        self.method = ""
        self.known = True
        if known.data is None:
            return
        found = find_rate(known.data, endpoint.id, variant.name, by, level)
        self.known = found is not None and found.rate is not None
        if found is not None:
            self.n, self.total, self.rate, self.waiting, self.p_value = found.n, found.total, found.rate, found.waiting, found.p_value
            self.limits, self.method = found.interval, found.method


def _subgroups(known: Known, endpoint: Endpoint) -> list[Display]:
    """Return the primary rate by subgroup, and that of the assessed."""
    names = {item.id: item for item in known.study.baseline}
    displays = []
    for number, variant in enumerate(known.study.variants(endpoint)):
        if variant.name not in ("", ASSESSED):
            continue
        rows: list[tuple[Words, ...]] = []
        groups: set[int] = set()
        for name in known.study.subgroups:
            levels = _levels(known, endpoint, variant, name)
            if not levels:
                continue
            groups.add(len(rows))
            rows.append((Words((Piece(names[name].label),)), Words(), Words(), Words()))
            for level in levels:
                rate = _Rate(known, endpoint, variant, name, level)
                cells = (parts("{}/{}", rate.n, rate.total), rate.rate, rate.limits)
                rows.append((Words((Piece(level_words(level)),)), *map(to_words, cells)))
        if not rows:
            continue
        own = variant.endpoint
        of = f"Population: {own.population}; {window_text(known.study, own)}; reader: {own.reader}"
        words = f"{endpoint.label} by subgroup" + (f", {variant_words(variant.name)}" if variant.name else "")
        plan = Plan(f"subgroups{'-assessed' if number else ''}", f"14.2.1.4{'.2' if number else ''}", words, of, _RATES)
        note = Words((Piece("Subgroups are described, not tested: the study was not planned to compare them."),))
        head = ("Subgroup", "n/N", "Rate (%)", f"{known.study.interval.text} interval (%)")
        displays.append(known.display(plan, "table", Grid(head, tuple(rows), frozenset({1, 2, 3}), frozenset(groups)), (note,)))
    return displays


def _levels(known: Known, endpoint: Endpoint, variant: Variant, name: str) -> list[str]:
    planned = next(item for item in known.study.baseline if item.id == name).levels
    if known.data is None:
        return list(planned) or ["each level recorded"]
    found = known.data.rows.where("response", endpoint.id, variant=variant.name, by=name)
    return in_order(list({row["level"] for row in found}), planned)
