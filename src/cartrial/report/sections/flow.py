"""How many subjects reached each milestone?"""

from __future__ import annotations

from cartrial.report.blocks import Figure, Section, Text
from cartrial.report.data import ReportData
from cartrial.report.figures.bars import draw_bars

__all__ = ["MILESTONES", "build"]

MILESTONES = {
    "consented": "Consented",
    "enrolled": "Enrolled",
    "leukapheresed": "Leukapheresed",
    "released": "Product released",
    "lymphodepleted": "Lymphodepleted",
    "infused": "Infused (safety set)",
    "assessed": "Assessed after infusion",
    "evaluable": "Evaluable",
    "responders": "Responders",
}


def build(data: ReportData) -> Section:
    """Return the section on the flow from consent to evaluable."""
    counts = {}
    for row in data.rows.where("flow", statistic="n"):
        name = next((row[column] for column in ("level", "population", "endpoint") if row[column] in MILESTONES), None)
        if name and name not in counts:
            counts[name] = data.rows.stat([row], "n")
    if not counts:
        return Section("flow", "From consent to evaluable", [Text("No milestone was recorded, so no flow is shown.")], "Flow")
    if data.study.product.type == "allogeneic" and counts.get("leukapheresed") and not counts["leukapheresed"].value:
        counts.pop("leukapheresed")
    lines = [(words, counts[name]) for name, words in MILESTONES.items() if name in counts]
    reader = data.study.readers.primary
    figure = draw_bars(lines, title="Number of subjects at each milestone", band=data.band)
    caption = f"Subjects at each milestone. Assessed, evaluable and responders are by the primary reader ({reader})."
    return Section("flow", "From consent to evaluable", [Figure(figure, caption, 460)], "Flow")
