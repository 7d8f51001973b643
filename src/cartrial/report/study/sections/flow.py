"""How many subjects reached each milestone, and how do they stand at the cutoff?"""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Section, Steps, Table, Text
from cartrial.report.study.data import ReportData

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
STATUS = {"ONGOING": "in follow-up", "DEATH": "died", "WITHDRAWAL BY SUBJECT": "withdrawn", "LOST TO FOLLOW-UP": "lost to follow-up"}


def build(data: ReportData) -> Section:
    """Return the section on the flow from consent to evaluable."""
    title, short = "From consent to evaluable", "Flow"
    counts = {name: data.rows.stat(data.rows.where("flow", name), "n") for name in MILESTONES}
    # A milestone that no subject has, between others that have some, was not recorded (allogeneic: no leukapheresis).
    lines = [(words, stat) for name, words in MILESTONES.items() if (stat := counts[name]) and stat.value]
    if not lines:
        return Section("flow", title, [Text("No milestone was recorded, so no flow is shown.")], short)
    reader = data.study.readers.primary
    caption = f"Subjects at each milestone. Assessed, evaluable and responders are by the primary reader ({reader})."
    blocks: list[Block] = [Steps(lines, caption)]
    shown = {words for words, _ in lines}
    absent = [words.lower() for words in MILESTONES.values() if words not in shown]
    if absent:
        blocks.append(Text(f"Recorded for no subject: {', '.join(absent)}."))
    rows = [
        (row["population"], STATUS.get(row["level"], row["level"].lower()), data.rows.stat([row], "n"))
        for row in data.rows.where("flow", "status", statistic="n")
    ]
    if rows:
        blocks.append(
            Table(
                ("Subjects", "Status", "Number"),
                rows,
                "Status at the cutoff" if data.study.study.cutoff else "Status at the end of the data",
                numeric=(2,),
                small=True,
            )
        )
    return Section("flow", title, blocks, short)
