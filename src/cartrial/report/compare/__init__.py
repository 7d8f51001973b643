"""What is another between two runs of a study?"""

from cartrial.report.compare.differ import Changed, Comparison, Moved, compare_runs
from cartrial.report.compare.runs import Run, read_run
from cartrial.report.compare.told import compared_document, compared_lines, write_comparison_page

__all__ = [
    "Changed",
    "Comparison",
    "Moved",
    "Run",
    "compare_runs",
    "compared_document",
    "compared_lines",
    "read_run",
    "write_comparison_page",
]
