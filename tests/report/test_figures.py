"""Do figures show what the results say, and are their documents Vega-Lite?

Origin of expected values: `R` (survfit, of `tests/oracle`), `by hand`, or the results rows that a figure is drawn from.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis_oracle import km_frame, oracle
from cartrial.analysis import analyse
from cartrial.analysis.plan import variant_labels
from cartrial.analysis.results import join_rows, sort_results
from cartrial.analysis.tables.times import RISK_TIMES, survival_rows
from cartrial.errors import InputError
from cartrial.report import write_report
from cartrial.report.figures.curve import Curve, Moment, draw_curves, empty_curves, read_moments
from cartrial.report.figures.forest import Line, draw_forest
from cartrial.report.figures.profile import Profile, draw_profiles, draw_strip
from cartrial.report.figures.style import CONFIG, INK, SOFT
from cartrial.report.figures.swimmer import MARKS, Swimmer, draw_swimmers
from cartrial.report.page.blocks import Details, Figure, Section, Text
from cartrial.report.page.drawing import PAGE_SCRIPTS, SCRIPTS, inline_scripts, name_figures
from cartrial.report.page.rows import Rows, Stat
from cartrial.report.page.still import check_formats, draw_svg, write_pictures
from cartrial.report.study.shells import render_shells
from cartrial.sdtm.source import no_findings
from cartrial.study import Study
from report_example import figures_of, invent

Document = dict[str, Any]


def curve_rows(name: str) -> Rows:
    """Results rows of overall survival of one of R's sets: all together, and by its group."""
    frame = km_frame(name).with_row_index("SUBJ").with_columns(PARAMCD=pl.lit("OS"), VARIANT=pl.lit(""), TRIAL=pl.lit(0, pl.Int32))
    groups = frame.select("TRIAL", "SUBJ", "GROUP")
    study = Study.load("inaticel")
    found = survival_rows(study, frame, groups, variant_labels(study), 0.95, curves=True)
    return Rows(sort_results(join_rows(found, study=study.study.id, provenance="real")))


@pytest.mark.parametrize("name", ["aml", "lung"])
def test_hover_and_numbers_at_risk_are_those_of_r(name: str) -> None:
    """origin R: survfit() of each group: S(t), limits, number at risk and number censored at each time; 1e-9, counts exact."""
    rows = curve_rows(name)
    checked = 0
    for group, expected in oracle()["km_curve"][name].items():
        by = {"by": "GROUP", "level": group} if group != "all" else {"by": "", "level": ""}
        found = rows.where("survival", "OS", **by)
        datasets = draw_curves([Curve(group, read_moments(found, "survival"))], title="t", ylabel="y", xlabel="x")["datasets"]
        drawn = {row["day"]: row for row in datasets["curve"]}
        at_risk = {row["time"]: row["value"] for row in found if row["statistic"] == "at_risk"}
        censored = {day: row["n"] for day, row in drawn.items() if "n" in row}
        limits = expected["log-log"]
        for i, day in enumerate(expected["time"]):
            row = drawn[day]
            assert row["s"] == pytest.approx(expected["surv"][i], abs=1e-9)
            for end, side in (("lo", "lower"), ("hi", "upper")):
                known = limits[side][i] is not None
                assert (end in row) == known and (not known or row[end] == pytest.approx(limits[side][i], abs=1e-9))
            assert at_risk[day] == expected["n_risk"][i] and censored.get(day, 0) == expected["n_censor"][i]
            tip = next(reading["tip"] for reading in datasets["reading"] if reading["a"] == day)
            assert tip.endswith(f"{expected['n_risk'][i]} at risk") and f"\n{100 * expected['surv'][i]:.1f} %" in tip
            checked += 1
        assert max(drawn) == max(at_risk) == expected["time"][-1]
        assert [row["a"] for row in datasets["reading"]] == sorted(drawn)
    assert checked > 30


def test_a_report_reads_as_counting_does(pages: dict[str, tuple[str, list[Document]]], tmp_path: Path) -> None:
    """independent: S(t), its log(-log) limits (Greenwood) and the numbers at risk, counted subject by subject from the times of ADTTE."""
    times = invent(Study.load("inaticel")).adtte.filter(
        (pl.col("PARAMCD") == "EFS") & (pl.col("VARIANT") == "") & pl.col("AVAL").is_not_null()
    )
    found = list(times.select("AVAL", "CNSR").iter_rows())
    document = figures_of(pages["invented"][0])["curve-efs"]
    drawn = [row for row in document["datasets"]["curve"] if row["of"] == ""]
    readings = {row["a"]: row["tip"] for row in document["datasets"]["reading"] if row["of"] == ""}
    share, spread = 1.0, 0.0
    steps: dict[float, tuple[float, float]] = {}
    for day in sorted({float(day) for day, _ in found}):
        at_risk, events = sum(time >= day for time, _ in found), sum(time == day and code == 0 for time, code in found)
        share *= 1 - events / at_risk
        spread += events / (at_risk * (at_risk - events)) if at_risk > events else math.inf
        steps[day] = (share, spread)
    for row in drawn:
        before = [day for day in steps if day <= row["day"]]
        share, spread = steps[max(before)] if before else (1.0, 0.0)
        assert row["s"] == pytest.approx(share, abs=1e-9)
        if 0 < share < 1:
            half = 1.959963984540054 * math.sqrt(spread) / math.log(share)
            assert row["lo"] == pytest.approx(share ** math.exp(-half), abs=1e-9)
            assert row["hi"] == pytest.approx(share ** math.exp(half), abs=1e-9)
        assert readings[row["day"]].endswith(f", {sum(time >= row['day'] for time, _ in found)} at risk")
    assert len(drawn) > 30


def test_two_curves_are_read_together() -> None:
    """By hand: between two of its times a curve has the height of the last and as many at risk as just before the next."""

    def moment(day: float, share: float, risk: int) -> Moment:
        return Moment(day, Stat(f"{100 * share:.1f}", 0, share), None, None, Stat(str(risk), 1, risk), Stat("0", 2, 0.0))

    one = Curve("one", [moment(0, 1.0, 10), moment(30, 0.9, 10), moment(90, 0.6, 5)])
    two = Curve("two", [moment(0, 1.0, 4), moment(50, 0.5, 4)])
    document = draw_curves([one, two], title="t", ylabel="y", xlabel="x")
    said = {row["a"]: row["tip"].split("\n") for row in document["datasets"]["reading"]}
    assert said[30] == ["From day 30 (month 1.0)", "one: 90.0 %, 10 at risk", "two: 100.0 %, 4 at risk"]
    assert said[50] == ["From day 50 (month 1.6)", "one: 90.0 %, 5 at risk", "two: 50.0 %, 4 at risk"]
    assert said[90][2] == "two: not observed so long"
    assert document["usermeta"]["controls"][0]["series"] == ["one", "two"]


def test_choices_have_their_own_curves_and_numbers() -> None:
    """By hand: three of the first choice are not among two of the other; the page's boxes hang on the choice."""
    moments = [Moment(day, Stat("50.0", 0, 0.5), None, None, Stat("3", 1, 3.0), None) for day in (0.0, 91.0, 183.0, 274.0)]
    curves = [Curve("all", moments), Curve("female", moments, of="SEX"), Curve("male", moments, of="SEX")]
    document = draw_curves(curves, title="t", ylabel="y", xlabel="x", choices={"": "all", "SEX": "by sex"})
    choose, show = document["usermeta"]["controls"]
    assert choose["options"] == [["", "all"], ["SEX", "by sex"]] and show["series"] == {"": ["all"], "SEX": ["female", "male"]}
    assert {(row["of"], row["g"]) for row in document["datasets"]["risk"]} == {("", "all"), ("SEX", "female"), ("SEX", "male")}
    # every layer that has groups takes the choice: one without the filter would draw all of them at once
    for layer in document["layer"]:
        if layer["data"].get("name"):
            assert "datum.of == pick" in json.dumps(layer["transform"])


@pytest.fixture(scope="module")
def pages(worked_report: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, list[Document]]]:
    """Text and results of the worked report, and of invented subjects with subgroups and competing events."""
    study = Study.load("inaticel")
    adam = invent(study)
    out = tmp_path_factory.mktemp("figures") / "out"
    write_report(study, None, adam, analyse(study, adam), no_findings(), out, seed=4)
    return {
        name: ((folder / "report.html").read_text(), json.loads((folder / "results.json").read_text()))
        for name, folder in (("worked", worked_report), ("invented", out))
    }


@pytest.mark.parametrize("name", ["worked", "invented"])
def test_every_number_of_a_figure_is_a_row(name: str, pages: dict[str, tuple[str, list[Document]]]) -> None:
    """Each keyed row of each document has the values of the results rows of its keys."""
    text, results = pages[name]
    fields = {"s": "", "lo": "_lower", "hi": "_upper"}
    counted = 0
    for figure, document in figures_of(text).items():
        for dataset, rows in document["datasets"].items():
            for row in rows:
                keys = row.get("key", [])
                sources = [results[key] for key in ([keys] if isinstance(keys, int) else keys)]
                if figure.startswith(("curve", "incidence")) and dataset == "curve":
                    stem = "survival" if figure.startswith("curve") else "incidence"
                    own = {source["statistic"]: source["value"] for source in sources}
                    assert all(row.get(field) == own[stem + end] for field, end in fields.items())
                    assert {source["time"] for source in sources} == {row["day"]} and row.get("n") == own.get("n_censored")
                elif dataset == "risk":
                    assert (sources[0]["statistic"], sources[0]["time"], sources[0]["text"]) == ("at_risk", row["day"], row["n"])
                    assert row["day"] in RISK_TIMES
                elif figure.startswith("forest") and "n" in row:
                    own = {source["statistic"]: source["value"] for source in sources}
                    shown = {"n": "n", "N": "N", "x": "rate", "lo": "lower", "hi": "upper"}
                    assert all(row.get(field) == own.get(statistic) for field, statistic in shown.items())
                counted += len(sources)
    assert counted > 100


def test_each_mark_of_a_swimmer_is_a_row_of_a_derived_set(worked_report: Path) -> None:
    """Statuses are calls of the primary reader on their day in ADRESP; the other marks are days of ADSL."""
    adsl, adresp = (pl.read_parquet(worked_report / "adam" / f"{name}.parquet") for name in ("ADSL", "ADRESP"))
    calls = {(subject, day, call) for subject, day, call in adresp.select("USUBJID", "CARDAY", "AVALC").iter_rows()}
    days = {row["USUBJID"]: row for row in adsl.iter_rows(named=True)}
    words = {words: key for key, (_, _, words) in MARKS.items()}
    figures = figures_of((worked_report / "report.html").read_text())
    marks = figures["swimmer"]["datasets"]["marks"]
    for row in marks:
        # a label is a name without what all names begin with, up to a hyphen
        (subject,) = (name for name in days if re.fullmatch(rf"(.*[-_./ ])?{re.escape(row['id'])}", name))
        own, key = days[subject], words[row["what"]]
        if key in ("hsct", "new-therapy"):
            assert row["a"] == own["HSCTDAY" if key == "hsct" else "NEWDAY"]
        elif key == "death":
            assert row["a"] == own["DTHDAY"]
        elif key == "ongoing":
            assert own["DTHDAY"] is None and row["a"] >= (own["LSTALDAY"] or 0)
        else:
            assert (subject, row["a"], key) in calls
    assert len(marks) > 20


@pytest.mark.parametrize("name", ["worked", "invented"])
def test_no_number_at_risk_stands_after_the_end(name: str, pages: dict[str, tuple[str, list[Document]]]) -> None:
    text, _ = pages[name]
    for figure, document in figures_of(text).items():
        if figure.startswith(("curve", "incidence")):
            for of, k in {(row["of"], row["k"]) for row in document["datasets"]["risk"]}:
                ends = [row["day"] for row in document["datasets"]["curve"] if (row["of"], row["k"]) == (of, k)]
                risks = [row["day"] for row in document["datasets"]["risk"] if (row["of"], row["k"]) == (of, k)]
                assert max(risks) <= max(ends) and risks[0] == 0


def examples() -> dict[str, Document]:
    """A small document of each kind that the pages of reports are not made of above."""
    stat = Stat("82.1", 0, 0.821)
    lines = [
        Line("Age"),
        Line("a label that is too long for a phone", stat, stat, stat, stat, stat),
        Line("all", stat, stat, stat, main=True),
    ]
    swimmers = [Swimmer("a", 90, [(28, 60)], [(28, "CR"), (60, "RELAPSE"), (90, "death")]), Swimmer("b", 40, (), [(40, "ongoing")])]
    profiles = [Profile("a", "Y", [(1, 10.0), (7, 5000.0), (28, None)]), Profile("b", "N", [(1, 30.0)])]
    return {
        "curve": draw_curves([Curve("all", [Moment(0, stat, stat, stat, stat, stat)])], title="t", ylabel="y", xlabel="x", band="B"),
        "shell": empty_curves("t", "y", "x"),
        "forest": draw_forest(lines, title="t", xlabel="x"),
        "swimmer": draw_swimmers(swimmers, last=90, title="t"),
        "profile": draw_profiles(profiles, lloq=50, unit="copies/µg", title="t"),
        "strip": draw_strip([("a", "Y", 5000.0), ("b", "N", 30.0)], label="x", title="t"),
    }


def schema_errors(document: Document) -> list[str]:
    """What Altair's copy of the schema says against a document."""
    altair = pytest.importorskip("altair")
    from jsonschema import Draft7Validator

    schema = json.loads((Path(altair.__file__).parent / "vegalite" / "v6" / "schema" / "vega-lite-schema.json").read_text())
    light = document | {"datasets": {name: rows[:2] for name, rows in document["datasets"].items()}}
    return [error.message[:200] for error in Draft7Validator(schema).iter_errors(light)]


@pytest.mark.parametrize("kind", ["curve", "swimmer", "forest"])
def test_a_document_is_vega_lite(kind: str) -> None:
    """Origin: the schema of Vega-Lite 6 that Altair carries; style and controls included. All kinds and pages: `make test-all`."""
    assert schema_errors(examples()[kind]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["worked", "invented"])
def test_all_documents_are_vega_lite(name: str, pages: dict[str, tuple[str, list[Document]]]) -> None:
    documents = figures_of(pages[name][0]) | examples() | figures_of(render_shells(Study.load("inaticel")))
    assert len(documents) > 10
    assert {figure: schema_errors(document) for figure, document in documents.items()} == {figure: [] for figure in documents}


def test_long_words_of_a_forest_take_lines_of_their_own() -> None:
    """By hand: a heading of 60 letters takes two lines, a label of 36 letters one above its numbers; no text is longer than a phone."""
    stat = Stat("82.1", 0, 0.821)
    heading, label = "MRD-negative complete remission at month three, all infused", "a label that is too long for a phone"
    rows = draw_forest([Line(heading), Line(label, stat, stat, stat, stat, stat)], title="t", xlabel="x")["datasets"]["lines"]
    assert [row["label"] for row in rows] == ["MRD-negative complete remission at month", "three, all infused", label, ""]
    assert [row.get("lead", False) for row in rows] == [True, False, False, False] and rows[3]["text"] == "82.1/82.1: 82.1 % (82.1 to 82.1)"


def test_a_swimmer_has_a_place_in_each_order() -> None:
    """By hand: b is known for longer, a responds first."""
    swimmers = [Swimmer("b", 300, [(90, 200)], [(90, "CR")]), Swimmer("a", 90, [(28, 60)], [(28, "CRi")])]
    rows = draw_swimmers(swimmers, last=300, title="t")["datasets"]["marks"]
    assert {row["id"]: (row["end"], row["response"], row["name"]) for row in rows} == {"b": (0, 1, 1), "a": (1, 0, 0)}
    assert rows[1]["tip"] == "a\nday 28: CRi"


def test_below_the_limit_is_a_triangle_at_half_of_it() -> None:
    rows = draw_profiles([Profile("a", "Y", [(1, 10.0), (28, None)])], lloq=50, unit="u", title="t")["datasets"]["samples"]
    assert [(row["v"], row["low"]) for row in rows] == [(10.0, False), (25.0, True)]
    assert rows[1]["id"] == "a" and rows[1]["g"] == "responder"


def test_a_page_allows_its_own_scripts_and_no_other(worked_report: Path) -> None:
    """By hand: the hash of each inlined script is in the content security policy; no eval, nothing from outside; none ends early."""
    text = (worked_report / "report.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy and policy[1].startswith("default-src 'none'; ") and "unsafe-eval" not in policy[1] and "http" not in policy[1]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
    assert len(scripts) == len(SCRIPTS) + 1 + len(PAGE_SCRIPTS)
    for script in scripts:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy[1]


def test_scripts_have_the_versions_that_draw_still_pictures() -> None:
    """Origin: what vl-convert says of itself, and what each script says of itself."""
    draw = pytest.importorskip("vl_convert")
    scripts, _ = inline_scripts(True)
    for script, version in zip(scripts[:3], SCRIPTS.values(), strict=True):
        assert f'"{version}"' in script or f'"v{version}"' in script or version in script
    assert draw.get_vega_version() == SCRIPTS["vega.min.js"]
    assert SCRIPTS["vega-lite.min.js"].rpartition(".")[0] in draw.get_vegalite_versions()
    assert draw.get_vega_embed_version() == SCRIPTS["vega-embed.min.js"]


def test_text_of_figures_can_be_read() -> None:
    """By hand: contrast on white as WCAG 2 counts it, at least 4.5 to 1 for every colour of text; black on white would be 21."""

    def luminance(colour: str) -> float:
        shares = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    text = json.dumps(CONFIG) + json.dumps(examples())
    colours = set(re.findall(r'"(?:labelColor|titleColor)": "(#\w{6})"', text)) | {INK, SOFT, CONFIG["title"]["color"]}
    for layer in (layer for document in examples().values() for layer in document["layer"] if layer["mark"]["type"] == "text"):
        colours.add(layer["mark"].get("color", INK))
        assert "color" not in layer["encoding"] and layer["mark"].get("fontSize", 12) >= 11
    assert {colour: 1.05 / (luminance(colour) + 0.05) >= 4.5 for colour in colours} == dict.fromkeys(colours, True)
    assert math.isclose(1.05 / (luminance("#000000") + 0.05), 21)


@pytest.mark.slow
def test_a_page_is_small_and_the_same_again(tmp_path: Path) -> None:
    """Acceptance: at most 2 MB for 39 subjects; two runs give equal bytes."""
    study = Study.load("inaticel")
    adam = invent(study)
    for run in ("one", "two"):
        write_report(study, None, adam, analyse(study, adam), no_findings(), tmp_path / run, seed=4)
    one, two = ((tmp_path / run / "report.html").read_bytes() for run in ("one", "two"))
    assert one == two and len(one) < 2_000_000


def test_names_of_figures_are_made_unique() -> None:
    """By hand: a name that is taken gets a number, in folded lists too; what is no letter or digit becomes a hyphen."""
    sections = [Section("a", "A", [Figure({}, "", "OS curve"), Text("t"), Details("more", [Figure({}, "", "os-curve")])])]
    blocks = name_figures(sections)[0].blocks
    assert blocks[0].name == "os-curve" and blocks[2].blocks[0].name == "os-curve-2"
    assert name_figures(name_figures(sections)) == name_figures(sections)


@pytest.mark.slow
@pytest.mark.shows("FMT-figures")
def test_still_pictures_carry_the_band_and_the_numbers_at_risk(tmp_path: Path) -> None:
    """By hand: the words of the figure stand in its SVG as text; two runs give equal bytes of SVG and PNG."""
    pytest.importorskip("vl_convert")
    stats = [Moment(day, Stat("50.0", 0, 0.5), None, None, Stat(str(risk), 1, risk), None) for day, risk in ((0, 71), (91, 62), (183, 53))]
    figure = Figure(draw_curves([Curve("all", stats)], title="t", ylabel="alive", xlabel="Months", band="THE BAND"), name="curve-os")
    svg = draw_svg(figure)
    assert all(f">{words}</text>" in svg for words in ("THE BAND", "alive", "Months", "71", "62", "53", "At risk"))
    assert not re.search(r' id="(?!curve-os-)', svg)
    for run in ("one", "two"):
        write_pictures([figure], tmp_path / run, ("svg", "png"))
    for name in ("curve-os.svg", "curve-os.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (tmp_path / "one" / "curve-os.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.shows("FMT-figures")
def test_formats_of_pictures_are_checked() -> None:
    with pytest.raises(InputError, match="'gif' is no format of a figure"):
        check_formats(["png", "gif"])
    assert check_formats([]) == ()


def test_axes_of_a_shell_have_no_curve() -> None:
    """By hand: every third month to 24, xx beneath each."""
    datasets = empty_curves("t", "y", "x")["datasets"]
    assert datasets["curve"] == [] and [row["n"] for row in datasets["risk"]] == ["xx"] * 9
    assert math.isclose(datasets["risk"][-1]["day"], 731)
