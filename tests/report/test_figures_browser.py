"""What does a reader see and reach in a browser? Debian's Chromium, without a screen; left out where it or Playwright is not there.

Origin of expected values: `by hand`, the acceptance of the figures (no sideways scrolling, no request, drawn, read, hidden, chosen by
keyboard), and the results rows.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browsers import launched
from cartrial.analysis import analyse
from cartrial.report import write_report
from cartrial.sdtm.source import no_findings
from cartrial.study import Study
from report_example import figures_of, invent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of invented subjects, with still pictures where they can be drawn."""
    study = Study.load("inaticel")
    adam = invent(study)
    out = tmp_path_factory.mktemp("browser") / "out"
    try:
        import vl_convert  # noqa: F401

        formats: tuple[str, ...] = ("svg",)
    except ImportError:
        formats = ()
    write_report(study, None, adam, analyse(study, adam), no_findings(), out, seed=4, figures=formats)
    return out


def opened(browser: Any, folder: Path, width: int, **context: Any) -> tuple[Any, list[str], list[str]]:
    """A page of a width whose figures are drawn, what its console said, and what it asked for."""
    page = browser.new_context(viewport={"width": width, "height": 900}, **context).new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "report.html").as_uri())
    if context.get("java_script_enabled", True):
        page.wait_for_selector("html[data-drawn]", state="attached", timeout=60000)
    return page, said, asked


@pytest.mark.parametrize("width", [1280, 820, 390])
def test_figures_are_drawn_at_every_width(browser: Any, folder: Path, width: int) -> None:
    """No error, no request but the page's own, no sideways scrolling; each figure has its picture within the page."""
    page, said, asked = opened(browser, folder, width)
    assert said == [] and len(asked) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == width
    names = set(figures_of((folder / "report.html").read_text()))
    boxes = {name: page.locator(f"#figure-{name} svg.marks").bounding_box() for name in names}
    assert all(box and box["width"] > 200 and box["x"] >= 0 and box["x"] + box["width"] <= width + 1 for box in boxes.values())


def test_hover_reads_the_curve(browser: Any, folder: Path) -> None:
    """What stands under the pointer in the middle of an interval is the reading of it, within the window."""
    page, _, _ = opened(browser, folder, 390)
    reading = figures_of((folder / "report.html").read_text())["curve-os"]["datasets"]["reading"]
    there = [row for row in reading if row["of"] == ""]
    wide = max(there, key=lambda row: row["b"] - row["a"])
    shapes = page.locator("#figure-curve-os svg.marks .mark-rect.role-mark").last.locator("path")
    assert shapes.count() == len(there)
    shapes.nth(there.index(wide)).hover(force=True)
    page.wait_for_timeout(200)
    assert page.locator("#reading").inner_text() == wide["tip"]
    box = page.locator("#reading").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_groups_are_chosen_and_hidden_by_keyboard(browser: Any, folder: Path) -> None:
    """A choice shows the numbers at risk of its groups alone; a box hides one of them; the picture that is saved agrees."""
    page, _, _ = opened(browser, folder, 820)
    results = json.loads((folder / "results.json").read_text())
    figure = page.locator("#figure-curve-os")

    def at_risk(level: str) -> list[str]:
        rows = [row for row in results if (row["analysis"], row["endpoint"], row["by"], row["level"]) == ("survival", "OS", "SEX", level)]
        return [row["text"] for row in rows if row["statistic"] == "at_risk" and row["time"] == 0 and row["variant"] == ""]

    def words() -> list[str]:
        svg = page.evaluate("cartrialFigures.get('curve-os').toSVG()")
        return [text.replace("&gt;", ">").replace("&lt;", "<") for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]

    assert "female" not in words()
    figure.locator("select").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)
    assert figure.locator("select").input_value() == "SEX"
    assert {"female", "male", *at_risk("F"), *at_risk("M")} <= set(words()) and "All" not in words()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_timeout(300)
    hidden = figure.locator("fieldset label").first.inner_text()
    assert hidden not in words() and ({"female", "male"} - {hidden}) <= set(words())


def test_hover_stands_as_a_table_too(browser: Any, folder: Path) -> None:
    """Opened by keyboard: a line for each reading of the groups that are chosen, in the words of hover."""
    page, _, _ = opened(browser, folder, 390)
    figure = page.locator("#figure-curve-os")
    reading = figures_of((folder / "report.html").read_text())["curve-os"]["datasets"]["reading"]
    figure.locator(".numbers summary").focus()
    page.keyboard.press("Enter")
    for of, names in (("", ["All"]), ("SEX", ["female", "male"])):
        figure.locator("select").select_option(of)
        own = [row["tip"].split("\n") for row in reading if row["of"] == of]
        assert figure.locator(".numbers th").all_inner_texts() == ["From", *names]
        cells = figure.locator(".numbers tbody tr").nth(7).locator("td").all_inner_texts()
        assert [f"From {cells[0]}", *cells[1:]] == [
            words.removeprefix(f"{name}: ") for words, name in zip(own[7], ["", *names], strict=True)
        ]
        assert figure.locator(".numbers tbody tr").count() == len(own)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_finger_reads_a_curve(browser: Any, folder: Path) -> None:
    """What was tapped stays there until a tap elsewhere."""
    page, _, _ = opened(browser, folder, 390, has_touch=True)
    picture = page.locator("#figure-curve-os svg.marks")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    page.touchscreen.tap(box["x"] + 200, box["y"] + 150)
    page.wait_for_timeout(300)
    assert "at risk" in page.locator("#reading").inner_text()
    page.touchscreen.tap(20, 5)
    page.wait_for_timeout(300)
    assert page.locator("#reading").is_hidden()


def test_a_swimmer_is_sorted(browser: Any, folder: Path) -> None:
    page, _, _ = opened(browser, folder, 820)
    figure = page.locator("#figure-swimmer")
    figure.locator("[data-signal]").select_option("name")
    page.wait_for_timeout(400)
    labels = page.evaluate(
        "[...document.querySelectorAll('#figure-swimmer .role-axis-label text')].map(t => [t.getBoundingClientRect().top, t.textContent])"
    )
    # subjects are 001 to 039, months have fewer digits
    names = [text for _, text in sorted(labels) if len(text) == 3]
    assert len(names) == 39 and names == sorted(names)


def test_a_figure_is_saved_as_png_and_svg(browser: Any, folder: Path, tmp_path: Path) -> None:
    """The menu is reached by keyboard; files are named by the figure; the SVG has the band."""
    page, _, _ = opened(browser, folder, 820)
    page.locator("#figure-curve-os .plot summary").focus()
    page.keyboard.press("Enter")
    for place, kind in enumerate(("svg", "png")):
        link = page.locator("#figure-curve-os .vega-actions a").nth(place)
        with page.expect_download() as waiting:
            link.click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        assert path.name == f"curve-os.{kind}"
        content = path.read_bytes()
        assert (b"VIRTUAL PATIENTS: simulated" in content) if kind == "svg" else content.startswith(b"\x89PNG")


def test_a_sheet_has_figures_laid_out_for_it(browser: Any, folder: Path) -> None:
    """Before printing figures take the width of a sheet, or of half of one, so that letters keep their size; then that of the screen."""
    page, _, _ = opened(browser, folder, 1280)
    wanted = 325 if page.locator("#figure-curve-os").evaluate("it => !!it.closest('.half')") else 660
    picture = page.locator("#figure-curve-os svg.marks")
    screen = picture.bounding_box()["width"]
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert picture.bounding_box()["width"] == pytest.approx(wanted, abs=6) and screen > 700
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert picture.bounding_box()["width"] == pytest.approx(screen, abs=1)


def test_without_scripts_a_still_picture_or_a_sentence_stands_there(browser: Any, folder: Path) -> None:
    page, _, _ = opened(browser, folder, 390, java_script_enabled=False)
    names = figures_of((folder / "report.html").read_text())
    stills, notes = page.locator("figure.drawing .still svg").count(), page.locator("figure.drawing .note").count()
    assert stills + notes == len(names) and (stills == 0 or notes == 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_result_stands_on_the_first_screen(browser: Any, folder: Path, width: int, height: int) -> None:
    """The primary number with its fraction, interval and reader is within the first screen; the contents mark the summary."""
    page, _, _ = opened(browser, folder, width)
    page.set_viewport_size({"width": width, "height": height})
    for part in (".number", ".interval", ".line"):
        box = page.locator(f".card.main {part}").bounding_box()
        assert box["y"] + box["height"] < height
    assert page.locator("nav a[aria-current]").get_attribute("href") == "#summary"
    page.locator("#times").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('times').scrollIntoView({behavior: 'instant'})")
    page.wait_for_timeout(400)
    current = page.locator("nav a[aria-current]")
    assert current.count() == 1 and current.get_attribute("href") == "#times"
    box = current.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_a_subject_is_opened_by_click_and_by_keyboard(browser: Any, folder: Path) -> None:
    """From the swimmer and its menu: the sheet is drawn, holds the keyboard, leads to its neighbours, and back to where one was."""
    page, said, asked = opened(browser, folder, 390)
    figure = page.locator("#figure-swimmer")
    figure.scroll_into_view_if_needed()
    figure.locator("svg.marks .mark-rect.role-mark path").first.click(force=True)
    page.wait_for_selector(".sheet:target .course svg.marks")
    sheet = page.evaluate("document.querySelector('.sheet:target').id")
    row = figures_of((folder / "report.html").read_text())["swimmer"]["datasets"]["bars"][0]
    assert f"#{sheet}" == row["open"] and page.evaluate("document.activeElement.id") == sheet
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".sheet:target .leaf").bounding_box()["width"] <= 390
    before = page.evaluate("scrollY")
    page.keyboard.press("Escape")
    page.wait_for_timeout(200)
    assert page.locator(".sheet:target").count() == 0 and abs(page.evaluate("scrollY") - before) < 3
    figure.locator("[data-opens]").select_option(label="002")
    figure.locator("button", has_text="Open").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#subject-002:target .course svg.marks")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#subject-003:target .course svg.marks")
    for _ in range(3):
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("!!document.activeElement.closest('#subject-003')")
    page.locator("#subject-003 .close").click()
    page.wait_for_timeout(200)
    assert page.evaluate("document.activeElement.textContent") == "Open"
    assert said == [] and len(asked) == 1


def test_a_subject_is_read_without_scripts(browser: Any, folder: Path) -> None:
    """Its address shows it; what the figure would draw stands in words."""
    page, _, _ = opened(browser, folder, 390, java_script_enabled=False)
    page.goto((folder / "report.html").as_uri() + "#subject-002")
    assert page.locator("#subject-002 h2").is_visible() and page.locator("#subject-003 h2").is_hidden()
    assert page.locator("#subject-002 table").count() == 2


def test_a_table_is_copied_and_saved(browser: Any, folder: Path, tmp_path: Path) -> None:
    """As printed, with title and notes; behind it the rows of the results with all their digits; what would run as a formula is text."""
    page, said, _ = opened(browser, folder, 820)
    assert page.locator("main figure.table, .sheet figure.table").count() == page.locator("figure.table .tools").count()
    table = page.locator("#response figure.table").first
    with page.expect_download() as waiting:
        table.locator("button", has_text="CSV").click()
    waiting.value.save_as(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert waiting.value.suggested_filename.startswith("response") and ["VIRTUAL PATIENTS: simulated, not patients"] in rows
    printed = table.locator("tbody tr").first.locator("td").all_text_contents()
    assert [cell.strip() for cell in printed] in [row[: len(printed)] for row in rows]
    results = json.loads((folder / "results.json").read_text())
    start = next(i for i, row in enumerate(rows) if row[:1] == ["Row of results.json"])
    assert len(rows) > start + 5
    for key, analysis, endpoint, variant, by, level, statistic, unit, time, value, text in rows[start + 1 :]:
        row = results[int(key)]
        words = [row[name] or "" for name in ("analysis", "endpoint", "variant", "by", "level", "statistic", "unit", "text")]
        assert [word.removeprefix("'") for word in (analysis, endpoint, variant, by, level, statistic, unit, text)] == words
        assert (float(value) if value else None, float(time) if time else None) == (row["value"], row["time"])
    page.evaluate(
        "() => { const cell = document.querySelector('#response figure.table td'); cell.textContent = '=1+1';"
        "cell.nextElementSibling.textContent = '-12.5'; }"
    )
    made = page.evaluate("cartrialTables.lines(document.querySelector('#response figure.table'), false)")
    assert ["'=1+1", "-12.5"] in [row[:2] for row in made]
    for hostile in ("+x", "@SUM(A1)", "-2+3", '"=1', "\uff1d1"):
        cell = page.evaluate(
            "text => { document.querySelector('#response figure.table td').textContent = text; return "
            "cartrialTables.lines(document.querySelector('#response figure.table'), false).flat().find(c => c.includes(text)); }",
            hostile,
        )
        assert cell == f"'{hostile}"
    assert said == []


def test_a_long_swimmer_is_sorted_as_one(browser: Any, tmp_path: Path) -> None:
    """100 subjects in three parts: sorted by subject, the first part holds the first names, and no subject is lost or doubled."""
    study = Study.load("inaticel")
    adam = invent(study, 100)
    write_report(study, None, adam, analyse(study, adam), no_findings(), tmp_path / "out", seed=4)
    page, said, _ = opened(browser, tmp_path / "out", 820)
    page.locator("#figure-swimmer-2 [data-signal=order]").select_option("name")
    page.wait_for_timeout(800)
    labels = page.evaluate(
        "['swimmer', 'swimmer-2', 'swimmer-3'].map(name => [...document.querySelectorAll(`#figure-${name} .role-axis-label text`)]"
        ".map(t => [t.getBoundingClientRect().top, t.textContent]).sort((a, b) => a[0] - b[0]).map(t => t[1]).filter(t => t.length === 3))"
    )
    names = [name for part in labels for name in part]
    assert names == [f"{i:03d}" for i in range(1, 101)] and [len(part) for part in labels] == [34, 34, 32]
    assert page.locator("#figure-swimmer [data-signal=order]").input_value() == "name" and said == []


def test_thirty_nine_subjects_are_printed_on_few_sheets(browser: Any, folder: Path) -> None:
    """By hand: at most 16 sheets, a line a subject, no heading of a section alone at the foot of a sheet, the band on each."""
    extract = pytest.importorskip("pdfminer.high_level").extract_pages
    from io import BytesIO

    page, _, _ = opened(browser, folder, 1280)
    sheets = list(extract(BytesIO(page.pdf(prefer_css_page_size=True))))
    assert len(sheets) <= 16
    headings = set(page.locator("main h2").all_inner_texts())
    for sheet in sheets:
        found = sorted(((box.y0, box.get_text().strip()) for box in sheet if hasattr(box, "get_text")), reverse=True)
        assert any("VIRTUAL PATIENTS" in words for _, words in found)
        # the last is the number of the sheet, and the band across it may stand anywhere
        written = [words for _, words in found if "VIRTUAL PATIENTS" not in words and not re.fullmatch(r"\d+ / \d+", words)]
        assert not written or written[-1] not in headings, written[-1]


@pytest.mark.parametrize("width", [820, 390])
def test_nothing_is_wider_than_the_page(browser: Any, folder: Path, width: int) -> None:
    """By hand: with every folded list open, no element but a box that scrolls is wider than the window, with scripts and without."""
    for scripts in (True, False):
        page, _, _ = opened(browser, folder, width, java_script_enabled=scripts)
        if scripts:
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
