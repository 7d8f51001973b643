"""How are results shown? The report, the empty shells of an analysis plan, one subject explained, and the design of a study."""

from cartrial.report.design.page import write_design
from cartrial.report.study.explain import explain_subject
from cartrial.report.study.shells import write_shells
from cartrial.report.study.write import write_report

__all__ = ["explain_subject", "write_design", "write_report", "write_shells"]
