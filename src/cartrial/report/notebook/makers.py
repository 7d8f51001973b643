"""Who makes the display of which thing? A study, data sets, results, a figure; all others by their fields."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import polars as pl

from cartrial.endpoints import Adam
from cartrial.report.notebook.parts import joined
from cartrial.report.notebook.results import are_results, results_html
from cartrial.report.notebook.studies import adam_html, study_html
from cartrial.report.notebook.things import thing_of
from cartrial.study import Study

__all__ = ["frame_html", "html_of", "load_ipython_extension"]


@singledispatch
def html_of(thing: Any) -> str:
    """Return the HTML by which a notebook shows a thing of the package."""
    return joined(thing_of(thing))


html_of.register(Study, study_html)
html_of.register(Adam, adam_html)


def frame_html(data: pl.DataFrame) -> str:
    """Return a frame as HTML: results as results, any other as Polars shows it."""
    found: str = results_html(data) if are_results(data) else data._repr_html_()
    return found


def load_ipython_extension(shell: Any) -> None:
    """Show frames of results as results in this notebook: what ``%load_ext cartrial`` calls."""
    shell.display_formatter.formatters["text/html"].for_type(pl.DataFrame, frame_html)
