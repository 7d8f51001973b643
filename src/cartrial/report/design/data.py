"""What does a section of the design page get? A study's design, its rows, and what virtual trials said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Unpack

from markupsafe import Markup, escape

from cartrial.design.protocol.rows import Beside, Row, Rows, error_text
from cartrial.design.protocol.simulation import SimulationFacts
from cartrial.design.protocol.study_design import StudyDesign
from cartrial.report.page.rows import ABSENT, Stat

__all__ = ["FAMILIES", "DesignData", "cite", "with_error"]

# colour, dash and shape of a family of designs in every figure
FAMILIES: dict[str, tuple[str, str, str]] = {
    "the study's own": ("pink", "solid", "square"),
    "single stage": ("black", "dashed", "square"),
    "two stages": ("blue", "solid", "circle"),
    "more looks": ("green", "dashdot", "diamond"),
    "Bayesian": ("red", "dotted", "triangle"),
}


@dataclass(frozen=True)
class DesignData:
    """Everything a section of the design page may read.

    Parameters
    ----------
    design : StudyDesign
    rows : Rows
        All figures; the only origin of what is printed.
    facts : SimulationFacts
        Seed, trials and other facts of the simulation; empty without one.
    """

    design: StudyDesign
    rows: Rows
    facts: SimulationFacts = field(default_factory=SimulationFacts)

    @property
    def simulated(self) -> bool:
        """Whether virtual trials were run."""
        return bool(self.facts)

    def stat(self, part: str, design: str, statistic: str, **key: Unpack[Beside]) -> Stat | None:
        """Return a figure with the number of its row, None where there is none."""
        found = self.rows.find(part, design, statistic, **key)
        return None if found is None else as_stat(*found)

    def points(self, part: str, design: str, statistic: str, **key: Unpack[Beside]) -> list[tuple[float, float]]:
        """Return values by true rate, in its order."""
        found = [row for _, row in self.rows.where(part, design=design, statistic=statistic, **key)]
        return sorted((row.truth, row.value) for row in found if row.truth is not None and row.value is not None)


def as_stat(place: int, row: Row) -> Stat:
    """Return a row as a printed statistic."""
    return Stat(row.text, place, row.value)


def with_error(data: DesignData, part: str, design: str, statistic: str, **key: Unpack[Beside]) -> Stat | Markup:
    """Return a simulated figure with its standard error: under a true rate, of simulation and calibration together."""
    found = data.rows.find(part, design, statistic, **key)
    if found is None or found[1].value is None:
        return ABSENT
    error = found[1].error
    if error is None:
        return as_stat(*found)
    return Markup('{} <span class="error">± {}</span>').format(as_stat(*found), error_text(found[1]))


def cite(text: str) -> Markup:
    """Return a citation with its DOIs as links."""
    words = []
    for word in text.split():
        bare = word.strip("();,.").removeprefix("doi:")
        if bare.startswith("10.") and "/" in bare:
            before, after = word.split(bare, 1)
            words.append(Markup('{}<a href="https://doi.org/{}">{}</a>{}').format(before, bare, bare, after))
        else:
            words.append(escape(word))
    return Markup(" ").join(words)
