"""Which displays show what was given? Sections 14.1.3 (product, bridging, lymphodepletion, dose) and 14.2.7 (therapy after it)."""

from __future__ import annotations

from collections.abc import Sequence

from cartrial.analysis.tables.given.product import INTERVALS
from cartrial.report.page.rows import Cell, ResultRow, parts
from cartrial.submission.displays.content.found import EMPTY, Known, Plan
from cartrial.submission.displays.model import Display, Grid, Piece, Words, to_words

__all__ = ["Lines", "later_displays", "product_displays", "shares"]

_FROM = "; results: treatment"
VEIN = Plan("vein-to-vein", "14.1.3.1", "Leukapheresis, release and vein-to-vein time", "infused", f"PR, DS, EX{_FROM}")
BEFORE = Plan("bridging-lymphodepletion", "14.1.3.2", "Bridging therapy and lymphodepletion", "infused", f"CM, EX{_FROM}")
DOSE = Plan("dose", "14.1.3.3", "Dose infused and re-infusion", "infused", f"EX{_FROM}")
AFTER = Plan("later-therapy", "14.2.7", "Transplant and subsequent anticancer therapy", "infused", f"PR, CM, EX{_FROM}")
SHARE = "n/N (%)"
MEDIAN = "median (range)"
_WHOLE_DATES = "Days are counted between whole dates; whose dates are partial is not among n."


class Lines:
    """The lines of a table of one or several groups, with the rows of the results that they need; of a shell with `EMPTY` for numbers."""

    def __init__(self, known: Known, analysis: str) -> None:
        self.known, self.analysis = known, analysis
        self.rows: list[tuple[Words, ...]] = []
        self.groups: set[int] = set()
        self.anything = known.data is None

    def found(self, endpoint: str, **key: object) -> list[ResultRow]:
        """Return the rows of an endpoint."""
        assert self.known.data is not None
        return self.known.data.rows.where(self.analysis, endpoint, **{"by": "", "level": "", "variant": "", **key})

    def levels(self, endpoint: str, by: str) -> list[str]:
        """Return the levels of an endpoint in the order in which most subjects have them; of a shell one for all."""
        if self.known.data is None:
            return ["each recorded"]
        rows = [row for row in self.known.data.rows.where(self.analysis, endpoint, by=by) if row["statistic"] == "n"]
        return [row["level"] for row in sorted(rows, key=lambda row: (-(row["value"] or 0), row["level"]))]

    def head(self, words: str) -> None:
        """Add a line that heads those after it."""
        self.groups.add(len(self.rows))
        self.rows.append((Words((Piece(words),)), Words()))

    def add(self, label: str, cell: Cell | Words) -> None:
        """Add a line."""
        self.rows.append((Words((Piece(label),)), to_words(cell)))

    def share(self, label: str, endpoint: str, **key: object) -> None:
        """Add how many have something, of how many; that it was not recorded where it was not."""
        if self.known.data is None:
            self.add(f"{label}, {SHARE}", f"{EMPTY}/{EMPTY} ({EMPTY} %)")
        elif found := self.found(endpoint, **key):
            self.anything = True
            self.add(f"{label}, {SHARE}", shares(self.known, found))

    def number(self, label: str, endpoint: str, **key: object) -> None:
        """Add the median and range of a number, and of how many it is known."""
        if self.known.data is None:
            self.add(f"{label}, {MEDIAN}", f"{EMPTY} ({EMPTY} to {EMPTY}), n = {EMPTY}")
        elif found := self.found(endpoint, **key):
            self.anything = True
            stat = self.known.data.rows.stat
            middle = stat(found, "median")
            cell = parts("{} ({} to {}), n = {}", middle, *(stat(found, name) for name in ("min", "max", "n")))
            self.add(f"{label}, {MEDIAN}", cell if middle else stat(found, "n"))

    def display(self, plan: Plan, head: tuple[str, str], notes: Sequence[str]) -> list[Display]:
        """Return the display; none where the results have nothing of it."""
        if not self.anything or not self.rows:
            return []
        grid = Grid(head, tuple(self.rows), frozenset({1}), frozenset(self.groups))
        return [self.known.display(plan, "table", grid, [Words((Piece(note),)) for note in notes])]


def shares(known: Known, found: list[ResultRow]) -> Cell | Words:
    """Return n/N and the percentage of some rows, or what stands where it was not recorded."""
    assert known.data is not None
    n, total, rate = (known.data.rows.stat(found, name) for name in ("n", "N", "rate"))
    if n is not None and total is not None and n.value is None:
        return parts("{}/{}", n, total)
    return n if total is None else parts("{}/{} ({} %)", n, total, rate)


def product_displays(known: Known) -> list[Display]:
    """Return vein-to-vein time, bridging therapy and lymphodepletion, and the dose."""
    return [*_intervals(known), *_before(known), *_dose(known)]


def _intervals(known: Known) -> list[Display]:
    lines = Lines(known, "treatment")
    for name, (_, _, words) in INTERVALS.items():
        if name.startswith("LEUKAPHERESIS") and known.study.product.type != "autologous":
            continue
        lines.number(words, name, by="interval")
    said = "Attributes of the product beside its dose (viability, transduction, copies) are in no domain that is read."
    return lines.display(VEIN, ("Interval, days", "Infused subjects"), (_WHOLE_DATES, said))


def _before(known: Known) -> list[Display]:
    lines = Lines(known, "treatment")
    lines.head("Bridging therapy")
    lines.share("Any", "BRIDGING")
    for level in lines.levels("BRIDGING", "agent"):
        lines.share(level.capitalize(), "BRIDGING", by="agent", level=level)
    lines.number("First day, from the infusion", "BRIDGING", by="onset")
    if known.study.product.lymphodepletion:
        lines.head("Lymphodepletion")
        lines.share("Any", "LYMPHODEPLETION")
        for level in lines.levels("LYMPHODEPLETION", "agent"):
            lines.share(level.capitalize(), "LYMPHODEPLETION", by="agent", level=level)
        for level in lines.levels("LYMPHODEPLETION", "dose"):
            agent, _, unit = level.rpartition(", ")
            words = f"{agent.capitalize()}, mean dose ({unit})" if agent else f"{level.capitalize()}, mean dose"
            lines.number(words, "LYMPHODEPLETION", by="dose", level=level)
        for level in lines.levels("LYMPHODEPLETION", "days"):
            lines.number(f"{level.capitalize()}, days given", "LYMPHODEPLETION", by="days", level=level)
        lines.number("First day, from the infusion", "LYMPHODEPLETION", by="first")
        lines.number("Last day, from the infusion", "LYMPHODEPLETION", by="last")
    notes = (
        "Bridging: medication of that category that did not begin after the infusion. Lymphodepletion: the agents of the study file, "
        "by the day of the infusion. Where neither a record nor a denial is there, it is not recorded.",
        "Mean dose: of a subject's records of the agent. Days: from the infusion, which is day 0.",
    )
    return lines.display(BEFORE, ("", "Infused subjects"), notes)


def _dose(known: Known) -> list[Display]:
    lines = Lines(known, "treatment")
    for level in lines.levels("DOSE", "unit"):
        lines.number(f"Dose ({level})", "DOSE", by="unit", level=level)
    lines.number("Dose (cells/kg)", "DOSEKG")
    if known.study.product.dose_range:
        lines.share("Within the planned range, of those whose dose is known", "DOSERNG")
    lines.share("Infused again", "RE-INFUSION")
    days = known.study.product.fraction_days
    dose = f"Dose: all that was infused from day 0 to day {days}." if days else "Dose: all that was infused on day 0."
    return lines.display(DOSE, ("", "Infused subjects"), (dose, "Infused again: after these days, by the cutoff."))


def later_displays(known: Known) -> list[Display]:
    """Return transplants and subsequent therapies."""
    lines = Lines(known, "treatment")
    lines.head("Stem cell transplant")
    lines.share("Any", "TRANSPLANT")
    lines.number("Day of the first, from the infusion", "TRANSPLANT", by="onset")
    lines.head("Subsequent anticancer therapy")
    lines.share("Any", "SUBSEQUENT")
    for level in lines.levels("SUBSEQUENT", "agent"):
        lines.share(level.capitalize(), "SUBSEQUENT", by="agent", level=level)
    lines.number("Day of the first, from the infusion", "SUBSEQUENT", by="onset")
    lines.head("Either")
    lines.share("Transplant or subsequent therapy", "EITHER")
    notes = ["After the infusion and by the cutoff. A transplant has the day on which its conditioning began, where that is recorded."]
    notes.append("Of a partial date the earliest possible day is taken, as by the endpoints.")
    if not known.study.product.re_infusion:
        notes.append("The product infused again is a subsequent therapy: the study file does not call it a re-infusion.")
    return lines.display(AFTER, ("", "Infused subjects"), notes)
