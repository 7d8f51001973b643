"""Does a report say which boundary of the study's own design its p-value stands beside?

Origin of expected values: `R` (19 of 50 and 23 of 76: tests/design/test_exact_own.py has the script), `by hand` (binomial sums of whole
numbers).
"""

from __future__ import annotations

from math import comb
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from markupsafe import Markup

from cartrial.analysis.results import SCHEMA
from cartrial.report.page.blocks import Note, Table
from cartrial.report.page.rows import Rows
from cartrial.report.study.data import ReportData
from cartrial.report.study.sections.primary import build
from cartrial.sdtm.source import no_findings
from cartrial.study import Study
from helpers import ROOT, load_study

TEXT = (ROOT / "examples" / "designs" / "two-looks.yaml").read_text(encoding="utf-8")
NULL = "test: {null: 0.20, alternative: 0.45, source: assumption}"


def blocks(study: Study, n: int, total: int, p: str = "0.01") -> list[Any]:
    """Return the blocks of the section on the primary endpoint of a trial of which only the rate is known."""
    key = {"analysis": "response", "endpoint": "ORRW3", "population": "infused", "reader": "IRC"}
    said = {"n": str(n), "N": str(total), "rate": f"{100 * n / total:.1f}", **({"p_value": p} if p else {})}
    blank = {name: "" if kind == pl.String else None for name, kind in SCHEMA.items()}
    rows = [{**blank, "trial": 0, **key, "statistic": name, "text": text, "value": float(text)} for name, text in said.items()]
    table = Rows(pl.DataFrame(rows, schema=SCHEMA))
    return build(ReportData(study, None, None, table, no_findings(), "real")).blocks  # type: ignore[arg-type]


def tail(least: int, of: int) -> str:
    return f"{sum(comb(of, k) * 4 ** (of - k) for k in range(least, of + 1)) / 5**of:.4f}"


@pytest.mark.parametrize(
    ("n", "total", "results", "said"),
    [
        (19, 50, ["19 of 50: boundary reached", ""], "This is the interim analysis after 50 subjects: the boundary of this look applies"),
        (18, 50, ["18 of 50: boundary not reached", ""], "interim analysis after 50"),
        (23, 76, ["", "23 of 76: boundary reached"], "This is the final analysis: the boundary of this look applies"),
        (22, 76, ["", "22 of 76: boundary not reached"], "final analysis"),
        (30, 60, ["", ""], "60 subjects are no look of the design: none of its boundaries applies to this report."),
    ],
)
def test_the_boundary_of_the_look_stands_beside_the_p_value(n: int, total: int, results: list[str], said: str, tmp_path: Path) -> None:
    shown = blocks(load_study(tmp_path, TEXT.replace(NULL, NULL.replace("assumption", "protocol"))), n, total)
    table = next(block for block in shown if isinstance(block, Table) and "own design" in block.caption)
    assert [str(row[0]) for row in table.rows] == ["50", "76"]
    assert [str(row[1]) for row in table.rows] == ["19 or more", "23 or more"]
    assert [str(row[2]) for row in table.rows] == [tail(19, 50), tail(23, 76)]
    assert [Markup(row[3]).striptags() for row in table.rows] == results
    assert said in str(table.note)
    assert any("they are not adjusted for the looks before" in str(block.text) for block in shown if isinstance(block, Note))


def test_a_null_that_is_assumed_has_no_p_value_and_no_verdict(tmp_path: Path) -> None:
    shown = blocks(load_study(tmp_path, TEXT), 19, 50, p="")
    assert not [block for block in shown if isinstance(block, Table)]
