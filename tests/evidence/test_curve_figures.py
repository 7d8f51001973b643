"""Figures to curves to individuals: PDF, SVG and PNG that R drew (tests/evidence/figures, with their script) or Matplotlib draws here.

Origin of expected values: `R` (lung by sex in tests/oracle/curves.json: drops, marks, events, medians), `by hand` (bad inputs, small
figures).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import cartrial.__main__  # noqa: F401 -- adds the commands
from cartrial.analysis import estimate_cox
from cartrial.cli.app import app
from cartrial.errors import InputError
from cartrial.evidence.curves import arms_frame, list_curves, list_rows, read_curve, read_written, reconstruct_curve
from curve_truth import FIGURES, Arm, truth
from helpers import run_cli

pytest.importorskip("pdfminer", reason="pdfminer.six (extra `curves`) is not installed")
pytest.importorskip("PIL", reason="Pillow (extra `curves`) is not installed")

R_AXES = {"x_axis": "92.77037=0,917.8773=1000", "y_axis": "509.2444=0,76.35556=1"}
"""Printed by tests/evidence/figures/draw.R."""
BLUE, RED = truth("lung").arms


def check_drops(found: np.ndarray, level: np.ndarray, arm: Arm, time: float, survival: float) -> None:
    assert len(found) == len(arm.time)
    assert np.abs(found - arm.time).max() <= time and np.abs(level - arm.survival).max() <= survival


@pytest.mark.parametrize(("name", "axes"), [("r_lung.pdf", {}), ("r_lung.svg", {"x_axis": "0:1000", "y_axis": "0:1"})])
@pytest.mark.shows("FMT-curve-figure")
def test_r_draws_every_drop_and_mark(name: str, axes: dict) -> None:
    """R: all 99 and 51 drops and 25 and 36 marks, within 0.05 days (of 1,022) and 1e-4; n alone gives back all events."""
    found = []
    for colour, arm in (("blue", BLUE), ("red", RED)):
        reading = read_curve(FIGURES / name, colour=colour, **axes)
        check_drops(reading.time, reading.survival, arm, 0.05, 1e-4)
        assert len(reading.ticks) == len(arm.marks) and np.abs(reading.ticks - arm.marks).max() <= 0.05
        found.append(reconstruct_curve(reading, arm.n))
    assert [int((arm.status == 0).sum()) for arm in found] == [112, 53]
    assert abs(estimate_cox(arms_frame(*found), ["ARM"])["coefficient"][0] - truth("lung").log_hr) <= 0.0015


@pytest.mark.slow
@pytest.mark.parametrize(("colour", "arm", "merged"), [("#0000ff", BLUE, 5), ("#ff0000", RED, 1)])
@pytest.mark.shows("FMT-curve-figure")
def test_r_png_falls_where_the_curve_falls(colour: str, arm: Arm, merged: int) -> None:
    """R: every drop but those less than two pixels (2.4 days) after another; levels within 0.0016, times within a pixel."""
    reading = read_curve(FIGURES / "r_lung.png", colour=colour, **R_AXES)
    assert len(arm.time) - merged <= len(reading.time) <= len(arm.time)
    nearest = np.array([np.abs(reading.time - time).min() for time in arm.time])
    assert nearest.max() <= 2.5
    between = (arm.time + np.append(arm.time[1:], arm.last)) / 2
    wide = np.append(np.diff(arm.time), arm.last - arm.time[-1]) > 5
    assert np.abs(reading.at(between[wide]) - arm.survival[wide]).max() <= 0.0016
    assert reading.median() == pytest.approx(270 if arm is BLUE else 426, abs=1.3)
    for rows in ((), arm.rows):
        found = reconstruct_curve(reading, arm.n, rows=rows, events=arm.events)
        assert int((found.status == 0).sum()) == arm.events
    assert int((reconstruct_curve(reading, arm.n, rows=arm.rows).status == 0).sum()) == arm.events


def test_r_png_gives_the_hazard_ratio() -> None:
    """R: |Δ log HR| ≤ 0.02 of an image on which the curves lie on each other at their beginning."""
    found = [
        reconstruct_curve(read_curve(FIGURES / "r_lung.png", colour=colour, **R_AXES), arm.n, rows=arm.rows, events=arm.events)
        for colour, arm in (("blue", BLUE), ("red", RED))
    ]
    assert abs(estimate_cox(arms_frame(*found), ["ARM"])["coefficient"][0] - truth("lung").log_hr) <= 0.02


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of figures that Matplotlib draws: lung.pdf, lung.svg, lung.png, and with texts as texts text.svg."""
    matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder = tmp_path_factory.mktemp("drawn")
    figure, axes = plt.subplots(figsize=(7, 5))
    for arm, colour in ((BLUE, "tab:blue"), (RED, "tab:red")):
        x, y = np.concatenate([[0], arm.time, [arm.last]]), np.concatenate([[1], arm.survival, arm.survival[-1:]])
        axes.step(x, y, where="post", color=colour)
        level = np.append(1.0, arm.survival)[np.searchsorted(arm.time, arm.marks, side="right")]
        axes.plot(arm.marks, level, "|", color=colour, markersize=8)
    axes.set_xlabel("Days")
    axes.set_ylim(0, 1.05)
    axes.set_xlim(0, None)
    for kind in ("pdf", "svg", "png"):
        figure.savefig(folder / f"lung.{kind}")
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(folder / "text.svg")
    _, height = figure.canvas.get_width_height()
    places = axes.transData.transform([(0, 0), (1000, 1)])
    text = f"{places[0, 0]}=0,{places[1, 0]}=1000;{height - places[0, 1]}=0,{height - places[1, 1]}=1"
    (folder / "axes.txt").write_text(text, encoding="utf-8")
    plt.close(figure)
    _draw_page(folder)
    blank, picture = plt.subplots()
    picture.set_axis_off()
    picture.imshow(plt.imread(folder / "lung.png"))
    blank.savefig(folder / "bitmap.pdf")
    plt.close(blank)
    return folder


def _draw_page(folder: Path) -> None:
    """Draw page.pdf: two panels of whole and dashed black lines, marks that are letters, a legend, a grid and numbers at risk below."""
    import matplotlib.pyplot as plt

    page, panels = plt.subplots(1, 2, figsize=(11, 5))
    for axes in panels:
        for arm, line, name in ((BLUE, "-", "Men"), (RED, "--", "Women")):
            x, y = np.concatenate([[0], arm.time, [arm.last]]), 100 * np.concatenate([[1], arm.survival, arm.survival[-1:]])
            axes.step(x, y, where="post", color="black", linestyle=line, label=f"{name}, n = {arm.n}")
            level = 100 * np.append(1.0, arm.survival)[np.searchsorted(arm.time, arm.marks, side="right")]
            axes.plot(arm.marks, level, "+", color="black")
            for time in range(0, 1001, 200):
                axes.annotate(str(at_risk(arm, time)), (time, -18 if arm is BLUE else -24), ha="center", annotation_clip=False)
        axes.set(xlim=(0, 1050), ylim=(0, 105))
        axes.legend()
        axes.grid()
    page.subplots_adjust(bottom=0.3)
    page.savefig(folder / "page.pdf")
    plt.close(page)


def at_risk(arm: Arm, time: float) -> int:
    """By definition, of the individuals that the marks and drops of a curve give with n alone (R: they are those of the trial)."""
    return int((reconstruct_curve(arm.vector(ticks=True), arm.n).time >= time - 0.05).sum())


@pytest.mark.slow
def test_one_panel_of_a_page_with_its_numbers_at_risk(drawn: Path) -> None:
    """R's curves: two panels on a page need a box; black lines are told by whole and dashed; rows below are read."""
    with pytest.raises(InputError, match=r"no time axis .* give one with --box"):
        read_curve(drawn / "page.pdf")
    box = "0,0,420,400"
    rows = list_rows(drawn / "page.pdf", box=box)
    assert [numbers for _, numbers in rows] == [[(float(t), at_risk(arm, t)) for t in range(0, 1001, 200)] for arm in (BLUE, RED)]
    for arm, line, (_, printed) in zip((BLUE, RED), ("whole", "dashed"), rows, strict=True):
        reading = read_curve(drawn / "page.pdf", box=box, line=line)
        check_drops(reading.time, reading.survival, arm, 1e-2, 1e-4)
        found = reconstruct_curve(reading, arm.n, rows=printed, events=arm.events)
        assert int((found.status == 0).sum()) == arm.events
    with pytest.raises(InputError, match="'a' is no box"):
        read_curve(drawn / "page.pdf", box="a")
    with pytest.raises(InputError, match="the box '5,5,5,9' is empty"):
        read_curve(drawn / "page.pdf", box="5,5,5,9")
    with pytest.raises(InputError, match="nothing is drawn in the box"):
        read_curve(drawn / "page.pdf", box="0,0,1,1")
    with pytest.raises(InputError, match="'dotted' is no line"):
        read_curve(drawn / "page.pdf", box=box, line="dotted")


@pytest.mark.parametrize("name", ["lung.pdf", "lung.svg", "text.svg"])
def test_matplotlib_draws_every_drop_and_mark(name: str, drawn: Path) -> None:
    """R's curves, drawn by Matplotlib: all drops and marks within 1e-4 of what was drawn; n alone gives back all events."""
    for colour, arm in (("#1f77b4", BLUE), ("#d62728", RED)):
        reading = read_curve(drawn / name, colour=colour)
        check_drops(reading.time, reading.survival, arm, 1e-3, 1e-5)
        assert np.abs(reading.ticks - arm.marks).max() <= 1e-3
        assert int((reconstruct_curve(reading, arm.n).status == 0).sum()) == arm.events


def test_matplotlib_png_gives_back_the_events(drawn: Path) -> None:
    """700 × 500 pixels with marks of censoring on the curves: events exact with rows, and levels within a pixel (1/367)."""
    x_axis, y_axis = (drawn / "axes.txt").read_text(encoding="utf-8").split(";")
    for colour, arm in (("#1f77b4", BLUE), ("#d62728", RED)):
        reading = read_curve(drawn / "lung.png", colour=colour, x_axis=x_axis, y_axis=y_axis)
        found = reconstruct_curve(reading, arm.n, rows=arm.rows)
        assert int((found.status == 0).sum()) == arm.events
        between = (arm.time + np.append(arm.time[1:], arm.last)) / 2
        wide = np.append(np.diff(arm.time), arm.last - arm.time[-1]) > 8
        assert np.abs(reading.at(between[wide]) - arm.survival[wide]).max() <= 1 / 367


def test_lifelines_with_bands_marks_and_numbers_at_risk(tmp_path: Path) -> None:
    """R's individuals, plotted by lifelines: drops and marks of both, and the numbers at risk of R's summary(survfit) below them."""
    lifelines = pytest.importorskip("lifelines", reason="lifelines is not installed")
    matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from lifelines.plotting import add_at_risk_counts

    figure, axes = plt.subplots(figsize=(8, 6))
    fitted = []
    for arm, name in ((BLUE, "Men"), (RED, "Women")):
        found = reconstruct_curve(arm.vector(ticks=True), arm.n)
        fitted.append(lifelines.KaplanMeierFitter(label=name).fit(found.time, found.status == 0))
        fitted[-1].plot_survival_function(ax=axes, show_censors=True)
    add_at_risk_counts(*fitted, ax=axes)
    plt.tight_layout()
    figure.savefig(tmp_path / "lifelines.pdf")
    plt.close(figure)
    assert [(one["drops"], one["ticks"]) for one in list_curves(tmp_path / "lifelines.pdf")] == [(99, 25), (51, 36)]
    printed = [[count for _, count in row] for _, row in list_rows(tmp_path / "lifelines.pdf")]
    assert printed == [[138, 78, 31, 13, 6, 2], [90, 66, 26, 11, 2, 0]]


def test_a_black_curve_is_told_from_black_axes(tmp_path: Path) -> None:
    """R's curve of men, black within a black frame: events exact with their total and with rows, the end within two pixels."""
    matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 6), dpi=150)
    axes.step(np.r_[0, BLUE.time, BLUE.last], np.r_[1, BLUE.survival, BLUE.survival[-1]], where="post", color="black", lw=1)
    axes.set(xlim=(0, 1050), ylim=(0, 1.02))
    figure.savefig(tmp_path / "black.png")
    places, (_, height) = axes.transData.transform([(0, 0), (1000, 1)]), figure.canvas.get_width_height()
    plt.close(figure)
    place = {"x_axis": f"{places[0, 0]}=0,{places[1, 0]}=1000", "y_axis": f"{height - places[0, 1]}=0,{height - places[1, 1]}=1"}
    reading = read_curve(tmp_path / "black.png", colour="black", **place)
    assert abs(reading.end - BLUE.last) < 2.2
    for given in ({"events": 112}, {"rows": BLUE.rows}):
        assert int((reconstruct_curve(reading, 138, **given).status == 0).sum()) == 112


def test_curves_are_listed() -> None:
    """R: two curves with their drops and marks; an image lists its colours without their shades."""
    curves = list_curves(FIGURES / "r_lung.pdf")
    assert [(one["colour"], one["drops"], one["ticks"]) for one in curves] == [("#0000ff", 99, 25), ("#ff0000", 51, 36)]
    assert [one["colour"] for one in list_curves(FIGURES / "r_lung.png")] == ["#0000ff", "#ff0000"]


SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">
<path d="M50 150 H250" stroke="black" fill="none"/><path d="M50 150 V50" stroke="black" fill="none"/>
{marks}{more}
</svg>
"""
MARKS = "".join(
    [f'<line x1="{50 + 50 * k}" y1="150" x2="{50 + 50 * k}" y2="155" stroke="black"/><text x="{50 + 50 * k}" y="168" '
     f'font-size="10" text-anchor="middle">{6 * k}</text>' for k in range(5)]
    + [f'<line x1="45" y1="{150 - 50 * k}" x2="50" y2="{150 - 50 * k}" stroke="black"/><text x="42" y="{154 - 50 * k}" '
       f'font-size="10" text-anchor="end">{v}</text>' for k, v in enumerate(("0", "50", "100"))]
)  # fmt: skip
CURVE = '<path d="M50 50 H100 V60 H150 V70 H200" stroke="red" fill="none"/>'


def svg(folder: Path, more: str = CURVE, marks: str = MARKS) -> Path:
    path = folder / "figure.svg"
    path.write_text(SVG.format(marks=marks, more=more), encoding="utf-8")
    return path


def test_an_axis_in_per_cent_is_read_by_hand(tmp_path: Path) -> None:
    """Drops at 6 and 12 months to 90 % and 80 %, to 18 months."""
    reading = read_curve(svg(tmp_path))
    np.testing.assert_allclose(reading.time, [6, 12], atol=1e-9)
    np.testing.assert_allclose(reading.survival, [0.9, 0.8], atol=1e-9)
    assert reading.end == pytest.approx(18) and reading.ticks is None


def test_axes_that_do_not_begin_at_0_are_noticed_by_hand(tmp_path: Path) -> None:
    """A survival axis from 50 to 100 % is read as it says; a time axis that begins at 6 leaves no curve that begins at 0."""
    cut = MARKS.replace(">50</text>", ">75</text>")
    cut = cut.replace('text-anchor="end">0</text>', 'text-anchor="end">50</text>')
    reading = read_curve(svg(tmp_path, marks=cut))
    np.testing.assert_allclose(reading.survival, [0.95, 0.9], atol=1e-9)
    late = MARKS
    for k in reversed(range(5)):
        late = late.replace(f'text-anchor="middle">{6 * k}<', f'text-anchor="middle">{6 * k + 6}<')
    with pytest.raises(InputError, match="no curve begins at time 0"):
        read_curve(svg(tmp_path, marks=late))


def test_a_dashed_limit_beside_the_curve_is_none_of_its_colour_by_hand(tmp_path: Path) -> None:
    """Two dashed lines are limits; one may be another arm, and is asked for."""
    lower, upper = (CURVE.replace("V60", to).replace('fill="none"', 'fill="none" stroke-dasharray="4 2"') for to in ("V65", "V55"))
    assert read_curve(svg(tmp_path, CURVE + lower + upper)).survival == pytest.approx([0.9, 0.8])
    figure = svg(tmp_path, CURVE + lower)
    with pytest.raises(InputError, match=r"2 curves have one colour\. Say --line whole or --line dashed"):
        read_curve(figure)
    assert read_curve(figure, line="whole").survival == pytest.approx([0.9, 0.8])
    assert read_curve(figure, line="dashed").survival == pytest.approx([0.85, 0.8])


ENCRYPTED = (
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n"
    b"3 0 obj\n<< /Filter /Standard /V 1 /R 2 /O (" + b"a" * 32 + b") /U (" + b"b" * 32 + b") /P -4 >>\nendobj\n"
    b"trailer\n<< /Root 1 0 R /Encrypt 3 0 R /ID [(0123456789abcdef) (0123456789abcdef)] >>\n%%EOF\n"
)


def bad_figure(name: str, folder: Path) -> Path:
    """Make a figure that cannot be used."""
    rising = '<path d="M50 150 H100 V120 H150 V100 H200" stroke="red" fill="none"/>'
    made = {
        "rising": lambda: svg(folder, rising),
        "two-colours": lambda: svg(folder, CURVE + CURVE.replace("red", "blue")),
        "one-colour": lambda: svg(folder, CURVE + CURVE.replace("V60", "V90")),
        "no-axis": lambda: svg(folder, marks=""),
        "no-curve": lambda: svg(folder, '<path d="M80 50 H100 V60 H150" stroke="red" fill="none"/>'),
        "starts-late": lambda: svg(folder, '<path d="M50 80 H100 V90 H150 V95 H200" stroke="red" fill="none"/>'),
        "entities": lambda: _file(folder / "a.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>'),
        "no-svg": lambda: _file(folder / "a.svg", b"<html/>"),
        "broken-svg": lambda: _file(folder / "a.svg", b"<svg"),
        "no-pdf": lambda: _file(folder / "a.pdf", b"hello"),
        "encrypted": lambda: _file(folder / "a.pdf", ENCRYPTED),
        "no-png": lambda: _file(folder / "a.png", b"hello"),
        "kind": lambda: _file(folder / "a.txt", b"hello"),
        "missing": lambda: folder / "not-there.pdf",
        "mixed": lambda: _file(folder / "a.csv", b"time,survival\n0,100\n1,90\n2,0.8\n"),
        "clicked-rising": lambda: _file(folder / "a.csv", b"time,survival\n1,0.1\n2,0.2\n"),
        "clicked-late": lambda: _file(folder / "a.csv", b"time,survival\n0,0.8\n2,0.2\n"),
        "column": lambda: _file(folder / "a.csv", b"time,other\n0,0.8\n"),
        "text": lambda: _file(folder / "a.csv", b"time,survival\n0,one\n"),
        "empty": lambda: _file(folder / "a.csv", b"time,survival\n"),
    }
    return made[name]()


def _file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rising", "it shows a cumulative incidence, not a survival"),
        ("two-colours", "the figure has 2 curves"),
        ("one-colour", "2 curves have the colour #ff0000"),
        ("no-axis", "no time axis with marks and their numbers"),
        ("no-curve", "no curve begins at time 0 and survival 1"),
        ("starts-late", "no curve begins at time 0 and survival 1"),
        ("entities", "defines entities"),
        ("no-svg", "this is no SVG"),
        ("broken-svg", "cannot be read as SVG"),
        ("no-pdf", "cannot be read as PDF"),
        ("encrypted", "the PDF is encrypted"),
        ("no-png", "cannot be read as an image"),
        ("kind", "of no kind that is read"),
        ("missing", "there is no such file"),
        ("mixed", "fractions and per cent are mixed"),
        ("clicked-rising", "it shows a cumulative incidence"),
        ("clicked-late", "begins at 0.8, not at 1"),
        ("column", "the column 'survival' is missing"),
        ("text", "'one' is no number"),
        ("empty", "no row"),
    ],
)
def test_bad_figures_end_in_one_message_and_nothing_is_written(name: str, said: str, tmp_path: Path) -> None:
    """By hand."""
    with pytest.raises(InputError, match=said) as error:
        read_curve(bad_figure(name, tmp_path))
    assert len(error.value.errors) == 1


def test_an_image_needs_axes_and_a_colour_that_it_has() -> None:
    """By hand."""
    with pytest.raises(InputError, match="the axes of an image"):
        read_curve(FIGURES / "r_lung.png", colour="red")
    with pytest.raises(InputError, match=r"Colours of the image are #0000ff, #ff0000"):
        read_curve(FIGURES / "r_lung.png", **R_AXES)
    with pytest.raises(InputError, match="nothing has the colour #00ff00"):
        read_curve(FIGURES / "r_lung.png", colour="lime", **R_AXES)
    with pytest.raises(InputError, match="'reddish' is no colour"):
        read_curve(FIGURES / "r_lung.png", colour="reddish", **R_AXES)
    with pytest.raises(InputError, match="'1=2' is no axis"):
        read_curve(FIGURES / "r_lung.png", colour="red", **{**R_AXES, "x_axis": "1=2"})


@pytest.mark.parametrize(("module", "name"), [("pdfminer", "r_lung.pdf"), ("PIL.Image", "r_lung.png")])
def test_without_the_extra_one_message_says_how_to_get_it(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand."""
    import sys

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r'pip install "cartrial\[curves\]"'):
        read_curve(FIGURES / name, colour="red", **R_AXES)


def test_a_jpeg_is_refused_with_a_way_out(tmp_path: Path) -> None:
    """By hand."""
    from PIL import Image

    Image.open(FIGURES / "r_lung.png").convert("RGB").save(tmp_path / "a.jpg")
    with pytest.raises(InputError, match=r"the image is JPEG, not PNG\. A JPEG blurs the colours: set points by hand"):
        read_curve(tmp_path / "a.jpg", colour="red", **R_AXES)


def test_a_pdf_of_a_bitmap_says_so(drawn: Path) -> None:
    """By hand."""
    with pytest.raises(InputError, match=r"is an image, not a drawing\. Save it as PNG"):
        read_curve(drawn / "bitmap.pdf")
    with pytest.raises(InputError, match="the PDF has no page 2"):
        read_curve(drawn / "lung.pdf", page=2)


def run(*words: object) -> tuple[int, str, str]:
    """Run the command as it is typed; an error of the input is what `main` would print."""
    result = CliRunner().invoke(app, ["evidence", "curve", *map(str, words)])
    if isinstance(result.exception, InputError):
        return 2, result.stdout, str(result.exception)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.shows("CMD-evidence-curve")
def test_the_command_writes_individuals_and_a_hazard_ratio(tmp_path: Path) -> None:
    """R: 112 of 138 and 53 of 90 events; exp(log HR) = 0.5880."""
    code, text, _ = run(FIGURES / "r_lung.pdf", "-n", 138, "--colour", "blue", "--out", tmp_path / "men", "--unit", "days")
    assert code == 0 and "138 patients, 112 events" in text
    women = ("-n", 90, "--colour", "red", "--out", tmp_path / "women", "--against", tmp_path / "men")
    code, text, _ = run(FIGURES / "r_lung.pdf", *women)
    assert code == 0 and "90 patients, 53 events" in text and "Hazard ratio against" in text
    quality = json.loads((tmp_path / "women" / "quality.json").read_text(encoding="utf-8"))
    assert quality["hazard_ratio"]["estimate"] == pytest.approx(np.exp(truth("lung").log_hr), rel=0.0015)
    assert quality["provenance"] == "reconstructed" and quality["unit"] == "not-stated"
    assert read_written(tmp_path / "women").height == 90
    assert sorted(path.name for path in (tmp_path / "men").iterdir()) == ["curve.csv", "ensemble.parquet", "ipd.csv", "quality.json"]


def test_the_command_refuses_counts_of_an_image_alone(tmp_path: Path) -> None:
    """By hand: curve and median are written, no individuals; a hazard ratio is refused, exit 2, nothing written."""
    image = (FIGURES / "r_lung.png", "-n", 90, "--colour", "red", "--x-axis", R_AXES["x_axis"], "--y-axis", R_AXES["y_axis"])
    code, text, _ = run(*image, "--out", tmp_path / "image")
    assert code == 0 and "Refused: n alone, with pixels" in text and "Median, as read: 42" in text
    assert sorted(path.name for path in (tmp_path / "image").iterdir()) == ["curve.csv", "quality.json"]
    code, _, said = run(*image, "--out", tmp_path / "other", "--against", tmp_path / "image")
    assert code == 2 and "n alone, with pixels, carries neither counts" in said and not (tmp_path / "other").exists()
    code, _, said = run(FIGURES / "r_lung.pdf", "-n", 138, "--colour", "blue", "--out", tmp_path / "other", "--against", tmp_path / "image")
    assert code == 2 and "no individuals were written (n alone" in said and not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ["rising", "encrypted", "mixed", "one-colour"])
def test_the_command_ends_with_2(name: str, tmp_path: Path) -> None:
    """By hand."""
    code, _, said = run(bad_figure(name, tmp_path), "-n", 10, "--out", tmp_path / "out")
    assert code == 2 and said.count("\n") == 0 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["r_plus.pdf", "r_bars.pdf"])
def test_marks_that_are_letters(name: str) -> None:
    """R with pch = "+" and mark = "|", and numbers at risk in the margin: all marks, and the rows of men and women."""
    curves = list_curves(FIGURES / name)
    assert [(one["drops"], one["ticks"]) for one in curves] == [(99, 25), (51, 36)]
    rows = dict(list_rows(FIGURES / name))
    assert rows["Women"] == [(0, 90), (200, 66), (400, 26), (600, 11), (800, 2), (1000, 0)]
    code, text, _ = run(FIGURES / name, "-n", 90, "--colour", "red", "--rows", "figure:2", "--events", 53)
    assert code == 0 and "At risk at 600: 11, printed 11." in text
    code, _, said = run(FIGURES / name, "-n", 90, "--colour", "red", "--rows", "figure:3")
    assert code == 2 and "no row 3 of numbers at risk. It has 2" in said


def test_rows_are_read_from_a_table(tmp_path: Path) -> None:
    """By hand: at risk 10, 9 at 9 months, 8 from 12 on; fractions are of a weighted curve."""
    figure = svg(tmp_path)
    rows = _file(tmp_path / "rows.csv", b"time;at_risk\n0;10\n9;9\n")
    code, text, _ = run(figure, "-n", 10, "--rows", rows)
    assert code == 0 and "At risk at 9: 9, printed 9." in text and "2 events" in text
    rows.write_bytes(b"time,at_risk\n0,10\n9,8.7\n")
    code, _, said = run(figure, "-n", 10, "--rows", rows)
    assert code == 2 and "weighted curve" in said


POINTS = "time,survival\n0,1\n2,0.9\n4,0.8\n8,0.6857\n12,0.6\n"


@pytest.mark.parametrize(
    ("points", "rows", "events", "said"),
    [
        (POINTS, None, 10, "10 events were printed and 4 fit the curve"),
        (POINTS, None, 0, "0 events were printed"),
        (POINTS, "0,10\n6,10\n12,10\n", None, "10 were printed at risk at 12"),
    ],
)
def test_points_that_do_not_go_with_what_is_printed_carry_no_counts(
    tmp_path: Path, points: str, rows: str | None, events: int | None, said: str
) -> None:
    """By hand: 1 to 0.6 of ten patients is four events, not ten and not none; ten at risk at 12 means that nobody had one."""
    (tmp_path / "p.csv").write_text(points, encoding="utf-8")
    (tmp_path / "r.csv").write_text(f"time,at_risk\n{rows}", encoding="utf-8")
    given = ["--rows", tmp_path / "r.csv"] if rows else ["--events", events]
    code, out, _ = run_cli("evidence", "curve", tmp_path / "p.csv", "-n", 10, *given, "--out", tmp_path / "arm")
    assert code == 0 and said in out and "Refused" in out
    assert not (tmp_path / "arm" / "ipd.csv").exists()


def test_a_curve_that_was_not_clicked_from_its_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("time,survival\n12,0.5\n24,0.4\n", encoding="utf-8")
    code, _, err = run_cli("evidence", "curve", tmp_path / "p.csv", "-n", 10, "--events", 5)
    assert code == 2 and "the first point is at 12 with 0.5" in err


def test_an_arm_in_another_unit_or_not_whole_is_refused(tmp_path: Path) -> None:
    """By hand: a ratio of months and days is none; half of a table is no arm."""
    (tmp_path / "p.csv").write_text(POINTS, encoding="utf-8")
    arm = ("evidence", "curve", tmp_path / "p.csv", "-n", 10, "--events", 4)
    assert run_cli(*arm, "--unit", "months", "--out", tmp_path / "arm")[0] == 0
    for given, said in ((("--unit", "moons"), "no unit of times is 'moons'"), (("--unit", "days"), "its times are in months")):
        code, _, err = run_cli(*arm, *given, "--against", tmp_path / "arm")
        assert code == 2 and said in err
    held = tmp_path / "arm" / "ipd.csv"
    lines = held.read_text(encoding="utf-8").splitlines()
    spoilt = {"\n".join(lines[:6]) + "\n": "5 of 10 individuals", "": "it cannot be read"}
    spoilt["\n".join([lines[0], "x,0,reconstructed", *lines[2:]]) + "\n"] = "a time or a status is none"
    for text, said in spoilt.items():
        held.write_text(text, encoding="utf-8")
        code, _, err = run_cli(*arm, "--unit", "months", "--against", tmp_path / "arm")
        assert code == 2 and said in err
