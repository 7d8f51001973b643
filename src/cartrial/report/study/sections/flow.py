"""How many subjects reached each milestone, who left before and why, and how do they stand at the cutoff?"""

from __future__ import annotations

from cartrial.report.page.blocks import Block, Box, Flow, Section, Table, Text
from cartrial.report.page.rows import Cell, Stat, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.phrases import READER_NAMES

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
CHAIN = ("consented", "enrolled", "leukapheresed", "released", "lymphodepleted", "infused")
ENDS = ("assessed", "evaluable", "responders")
STATUS = {
    "ONGOING": "in follow-up",
    "DEATH": "died",
    "WITHDRAWAL BY SUBJECT": "withdrawn",
    "LOST TO FOLLOW-UP": "lost to follow-up",
    "PRODUCT FAILURE": "product failed",
}
NOT_REACHED = {
    "enrolled": "not enrolled",
    "leukapheresed": "not leukapheresed",
    "released": "without a product released",
    "lymphodepleted": "not lymphodepleted",
    "infused": "not infused",
    "assessed": "of the infused not assessed",
    "responders": "of the assessed without a response",
}


def build(data: ReportData) -> Section:
    """Return the section on the flow from consent to evaluable."""
    title, short = "From consent to evaluable", "Flow"
    counts = {name: data.rows.stat(data.rows.where("flow", name, by=""), "n") for name in MILESTONES}
    # A milestone that no subject has, between others that have some, was not recorded (allogeneic: no leukapheresis).
    shown = {name: stat for name, stat in counts.items() if stat and stat.value}
    if shown and (none := counts["infused"]):
        # that nobody was infused is a result
        shown["infused"] = none
    if not shown:
        return Section("flow", title, [Text("No milestone was recorded, so no flow is shown.")], short)
    boxes = [Box(MILESTONES[name], shown[name], _losses(data, name)) for name in CHAIN if name in shown]
    notes = _notes(data)
    ends = [Box(MILESTONES[name], stat, _losses(data, name), notes[name]) for name in ENDS if (stat := counts[name])]
    reader = data.study.readers.primary
    caption = (
        f"Subjects at each milestone; beside them who left before it, by reason. Assessed, evaluable and responders are by the "
        f"{READER_NAMES.get(reader, reader)} ({reader})."
    )
    blocks: list[Block] = [Flow(boxes, ends, caption), *_beside(data)]
    absent = [words.lower() for name, words in MILESTONES.items() if name not in shown]
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
                name="status",
            )
        )
    return Section("flow", title, blocks, short)


def _losses(data: ReportData, name: str) -> list[tuple[str, Cell]]:
    """Return how many did not reach a milestone from the one before, then by reason; nothing where nobody was lost."""
    found = data.rows.where("flow", name, by="loss")
    total = data.rows.stat(found, "n", level="")
    if total is None or not total.value:
        return []
    reasons = sorted((row for row in found if row["level"]), key=lambda row: -(row["value"] or 0))
    return [(NOT_REACHED[name], total), *((_reason(row["level"], name), Stat(row["text"], row["key"], row["value"])) for row in reasons)]


def _reason(level: str, name: str) -> str:
    # who has no end of the study recorded and was not infused is waiting, or left for a reason that nobody recorded
    if level == "ONGOING":
        return "still in follow-up" if name in ENDS else "no reason recorded, or still waiting"
    return STATUS.get(level, level.lower())


def _notes(data: ReportData) -> dict[str, str]:
    """Return what each of the sets at the foot is (rules, paragraph 2)."""
    family = data.study.disease.family
    return {
        "assessed": "infused, with an adequate assessment after the infusion",
        "evaluable": family.names.put(
            "infused, with {disease} before lymphodepletion, and an adequate assessment, a death or a new therapy after it"
        ),
        "responders": f"assessed, with {family.said()} at any assessment, whatever happened between",
    }


def _beside(data: ReportData) -> list[Block]:
    """Explain assessed and evaluable where one is not part of the other."""
    more, fewer = (data.rows.stat(data.rows.where("flow", name, by="not in"), "n") for name in ("evaluable", "assessed"))
    said = []
    if more and more.value:
        words = "Evaluable and not assessed: {}; who died or had a new therapy before an assessment counts as evaluable, not as assessed."
        said.append(Text(parts(words, more)))
    if fewer and fewer.value:
        words = data.study.disease.family.names.put(
            "Assessed and not evaluable: {number}; {disease} before lymphodepletion is not recorded of them.", number="{}"
        )
        said.append(Text(parts(words, fewer)))
    return list(said)
