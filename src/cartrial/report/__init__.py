"""How are results shown? The report, the empty shells of an analysis plan, one subject explained, and the design of a study."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartrial.report.design.page import write_design
    from cartrial.report.study.explain import explain_subject
    from cartrial.report.study.shells import write_shells
    from cartrial.report.study.write import write_report

__all__ = ["explain_subject", "write_design", "write_report", "write_shells"]

# imported when asked for: who needs a figure, or the words of a page, does not wait for every page and what it computes
_HOMES = {
    "explain_subject": "cartrial.report.study.explain",
    "write_design": "cartrial.report.design.page",
    "write_report": "cartrial.report.study.write",
    "write_shells": "cartrial.report.study.shells",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'cartrial.report' has no attribute '{name}'")
