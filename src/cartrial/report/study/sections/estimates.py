"""How is one rate found among the results and put in words? Used by every section that shows a rate."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from cartrial.report.page.rows import ABSENT, Stat, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import is_absent
from cartrial.study import Endpoint

__all__ = ["Estimate", "find_rate", "variant_names"]


@dataclass(frozen=True)
class Estimate:
    """One rate with everything that it is a rate of. A missing statistic is None."""

    n: Stat | None
    total: Stat | None
    waiting: Stat | None
    unread: Stat | None
    rate: Stat | None
    lower: Stat | None
    upper: Stat | None
    p_value: Stat | None
    population: str
    window: str
    reader: str
    strategies: str
    method: str
    level: float | None

    @property
    def absent(self) -> bool:
        """Whether the source cannot give the rate."""
        return self.rate is not None and is_absent(self.rate.text)

    @property
    def fraction(self) -> Markup:
        """Return numerator/denominator; that the source cannot give it, where that is so."""
        if self.absent:
            return Markup("{}").format(self.n)
        return parts("{}/{}", self.n, self.total)

    @property
    def interval(self) -> Markup:
        """Return the limits."""
        return parts("{} to {}", self.lower, self.upper) if self.lower and not self.absent else ABSENT


def find_rate(data: ReportData, endpoint: str, variant: str = "", by: str = "", level: str = "") -> Estimate | None:
    """Return the rate of an endpoint's variant, or of a subgroup; None when the results have none."""
    found = data.rows.where("response", endpoint, variant=variant, by=by, level=level)
    if not found:
        return None
    # several intervals may stand in the results: the study's is the one that is printed
    limits = [row for row in found if row["method"] == data.study.interval.method] or found
    stat = data.rows.stat
    first = found[0]
    shown = stat(limits, "lower")
    level_used = next((row["conf_level"] for row in limits if row["statistic"] == "lower"), None)
    return Estimate(
        n=stat(found, "n"),
        total=stat(found, "N"),
        waiting=stat(found, "not_yet_assessable"),
        unread=stat(found, "not_read"),
        rate=stat(found, "rate"),
        lower=shown,
        upper=stat(limits, "upper"),
        p_value=stat(found, "p_value"),
        population=first["population"],
        window=first["window"],
        reader=first["reader"],
        strategies=first["strategies"],
        method=next((row["method"] for row in limits if row["statistic"] == "lower"), ""),
        level=level_used,
    )


def variant_names(data: ReportData, analysis: str, endpoint: Endpoint) -> list[str]:
    """Return the variants of an endpoint that have results: as the study file orders them, then those that the data made necessary."""
    found = dict.fromkeys(row["variant"] for row in data.rows.where(analysis, endpoint.id))
    planned = [variant.name for variant in data.study.variants(endpoint) if variant.name in found]
    return planned + [name for name in found if name not in planned]
