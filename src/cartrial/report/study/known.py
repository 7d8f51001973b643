"""Where does it stand what is already known? A page of its own, with every published number as it was printed."""

from __future__ import annotations

from cartrial.report.page.blocks import Section, Text
from cartrial.report.study.data import ReportData

__all__ = ["build"]


def build(data: ReportData) -> Section:
    """Return the section that points at the context page."""
    if "leukaemia" in data.study.disease.name.lower():
        said = (
            "Published results of such trials, what in them cannot be true, which of them estimate the same as an endpoint of this study, "
            "and why most do not, are a page of their own, on which these results stand beside them: "
            "cartrial evidence context STUDY --results FOLDER, where FOLDER is that of this report."
        )
    else:
        name = data.study.disease.name
        said = f"The registry of published results holds nothing to be put beside a study of {name}."
    return Section("known", "What is already known", [Text(said)], "Known")
