"""How are results shown? The report, the empty shells of an analysis plan, one subject explained, and the design of a study."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartrial.report.design.page import write_design
    from cartrial.report.notebook.figures import draw_figures
    from cartrial.report.notebook.results import show_results
    from cartrial.report.page.blocks import Figure
    from cartrial.report.study.explain import explain_subject
    from cartrial.report.study.shells import write_shells
    from cartrial.report.study.write import write_report

__all__ = ["Figure", "draw_figures", "explain_subject", "show_results", "write_design", "write_report", "write_shells"]

# imported when asked for: who needs a figure, or the words of a page, does not wait for every page and what it computes
_HOMES = {
    "Figure": "cartrial.report.page.blocks",
    "draw_figures": "cartrial.report.notebook.figures",
    "explain_subject": "cartrial.report.study.explain",
    "show_results": "cartrial.report.notebook.results",
    "write_design": "cartrial.report.design.page",
    "write_report": "cartrial.report.study.write",
    "write_shells": "cartrial.report.study.shells",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'cartrial.report' has no attribute '{name}'")
