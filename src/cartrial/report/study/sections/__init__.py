"""Which sections has a report, in the order of the page?

A section is a module with ``build(data: ReportData) -> Section``. To add one: write the module and name it in `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable

from cartrial.report.page.blocks import Section
from cartrial.report.study.data import ReportData
from cartrial.report.study.sections import (
    baseline,
    concordance,
    flow,
    identity,
    kinetics,
    listing,
    methods,
    primary,
    provenance,
    response,
    safety,
    subgroups,
    survival,
    swimmers,
)

__all__ = ["LISTING_ONLY", "SECTIONS"]

SECTIONS: tuple[Callable[[ReportData], Section], ...] = (
    identity.build,
    provenance.build,
    flow.build,
    baseline.build,
    primary.build,
    response.build,
    concordance.build,
    survival.build,
    swimmers.build,
    kinetics.build,
    subgroups.build,
    safety.build,
    listing.build,
    methods.build,
)

# A study whose data allow no estimate: what it is, where it comes from, and its subjects.
LISTING_ONLY: tuple[Callable[[ReportData], Section], ...] = (identity.build, provenance.build, listing.build, methods.build)
