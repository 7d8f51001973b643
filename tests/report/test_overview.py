"""Does the listing have one line a subject, with every main value? Expected values: independent, from the derived sets as files."""

from __future__ import annotations

import html
import re
from pathlib import Path

import polars as pl
import pytest

from cartrial.report.page.blocks import Figure


def lines(text: str) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of one line a subject, as words."""
    table = next(part for part in text.split("<figure class=") if "One line a subject, main analyses" in part).split("</figure>")[0]
    plain = lambda cell: html.unescape(re.sub("<[^>]*>", "", cell)).strip()  # noqa: E731
    head = [plain(cell) for cell in re.findall(r"<th scope[^>]*>(.*?)</th>", table, re.S)]
    return head, [
        [plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)] for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)
    ]


@pytest.mark.slow
def test_one_line_a_subject_has_each_main_value(worked_report: Path) -> None:
    """A rate is yes, no or open; a time is AVAL / 30.4375, one decimal, + where CNSR is 1 to 7, * from 20; a dash where there is no row."""
    head, rows = lines((worked_report / "report.html").read_text())
    rows = [row for row in rows if len(row) == len(head)]
    adsl, adrs, adtte = (pl.read_csv(worked_report / "adam" / f"{name}.csv", infer_schema_length=0) for name in ("ADSL", "ADRS", "ADTTE"))
    known = {name.rpartition("-")[2]: name for name in adsl["USUBJID"]}
    valued = set(adrs["USUBJID"]) | set(adtte["USUBJID"]) | set(adsl.filter(INFFL="Y")["USUBJID"])
    assert [known[row[0]] for row in rows] == [name for name in adsl["USUBJID"] if name in valued]
    rates = {
        (row["PARAMCD"], row["USUBJID"]): row["AVALC"] for row in adrs.filter(pl.col("VARIANT").fill_null("") == "").iter_rows(named=True)
    }
    times = {(row["PARAMCD"], row["USUBJID"]): row for row in adtte.filter(pl.col("VARIANT").fill_null("") == "").iter_rows(named=True)}
    compared = 0
    for row in rows:
        for name, cell in zip(head, row, strict=True):
            key = (name, known[row[0]])
            if name in set(adrs["PARAMCD"]):
                assert cell == {"Y": "yes", "N": "no", "NYA": "open", None: "–"}[rates.get(key)], key
            elif name in set(adtte["PARAMCD"]):
                own = times.get(key)
                mark = "" if own is None or own["CNSR"] == "0" else "*" if int(own["CNSR"]) >= 20 else "+"
                assert cell == ("–" if own is None else f"{float(own['AVAL']) / 30.4375:.1f}{mark}"), key
            else:
                continue
            compared += 1
    assert compared > 500


def test_figures_that_share_a_sheet_of_paper() -> None:
    """By hand: a curve and a strip of points stand two in a row, a swimmer and panels do not."""
    names = ("curve-os", "incidence-dor", "strip-cartg-cmax", "forest-subgroups-assessed", "swimmer", "forest-variants")
    assert [Figure({}, name=name).halved for name in names] == [True, True, True, True, False, False]
    assert not Figure({"vconcat": []}, name="curve-os").halved


def test_a_best_response_is_a_word_and_has_a_column(tmp_path: Path) -> None:
    """By hand: of three invented subjects two have a best response, which is no number, and one has none that is known."""
    from types import SimpleNamespace

    from cartrial.report.study.overview import overview_blocks
    from cartrial.study import Study

    study = Study.load("cnct19-nhl")
    best = next(item for item in study.endpoints if item.type == "best-response")
    who = {"SUBJ": [1, 2, 3], "INFFL": "Y", "SEX": "F", "AGE": 60.0}
    values = {"PARAMCD": best.id, "VARIANT": "", "AVAL": None, "REASON": None, "RULE": "not recorded: nothing"}
    adrs = pl.DataFrame({"SUBJ": [1, 2, 3], "AVALC": ["CR", "PD", None], **values})
    times = pl.DataFrame(schema={"SUBJ": pl.Int64, "PARAMCD": pl.String, "VARIANT": pl.String, "AVAL": pl.Float64})
    days = dict.fromkeys(("HSCTDAY", "NEWDAY", "DTHDAY"), pl.Series([None] * 3, dtype=pl.Int32))
    adam = SimpleNamespace(adsl=pl.DataFrame({**who, **days}), adrs=adrs, adtte=times)
    table, lacking = overview_blocks(SimpleNamespace(study=study, adam=adam, link=str))
    assert table.head == ("Subject", "Sex, age", best.id)
    assert [re.sub("<[^>]*>", "", str(row[2])) for row in table.rows] == ["CR", "PD", "not known"]
    assert best.id not in lacking.text
