"""How do sections become one self-contained page? Templates, styles and nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from cartrial.report.page.blocks import Section
from cartrial.report.page.drawing import find_figures, inline_scripts, name_figures, write_documents
from cartrial.report.page.still import draw_svg
from cartrial.report.page.values import write_values

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["BANDS", "render_page", "render_part"]

BANDS = {"real": "", "example": "EXAMPLE DATA: invented, not patients", "virtual": "VIRTUAL PATIENTS: simulated, not patients"}
"""What stands across a page, by provenance."""

# where the values behind the page's statistics are put once the page is there; text of a page holds no such tag
_VALUES = "<values>"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("cartrial.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"],
    )


def render_page(
    sections: Sequence[Section],
    *,
    title: str,
    heading: str,
    kind: str,
    facts: str,
    band: str,
    footer: str,
    version: str,
    still: bool = False,
    aside: str = "",
    results: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return a page as HTML text.

    Parameters
    ----------
    sections : sequence of Section
    title, heading, kind, facts : str
        Of the document, of the page, what the page is, and one line beneath its heading.
    band : str
        Shown across the page and, in print, across each sheet; blank for real data.
    footer : str or Markup
    version : str
        Of cartrial.
    still : bool
        Whether each figure stands there as a still picture too, for readers without scripts; needs the extra `figures`.
    aside : str or Markup
        Sheets that are opened over the page, of `render_part`.
    results : sequence of mapping
        Rows of results: a table that is saved holds those it prints with all their digits.
    """
    from markupsafe import Markup

    sections = name_figures(sections)
    figures = find_figures(sections)
    scripts, allowed = inline_scripts(bool(figures or aside), aside=bool(aside))
    style = _style("style.css") + (_style("aside.css") if aside else "")
    template = _environment().get_template("page.html.j2")
    text = template.render(
        sections=sections,
        title=title,
        heading=heading,
        kind=kind,
        facts=facts,
        band=band,
        footer=footer,
        version=version,
        style=Markup(style),
        scripts=scripts,
        allowed=Markup(allowed),
        documents=write_documents(figures) if figures or aside else "",
        aside=aside,
        pictures={figure.name: Markup(draw_svg(figure)) for figure in figures} if still else {},
        values=Markup(_VALUES) if results else "",
    )
    return text.replace(_VALUES, write_values(text, results)) if results else text


def render_part(name: str, **context: object) -> Markup:
    """Return a template of the page filled in."""
    from markupsafe import Markup

    return Markup(_environment().get_template(name).render(**context))


def _style(name: str) -> str:
    return (resources.files("cartrial.report") / "templates" / name).read_text(encoding="utf-8")
