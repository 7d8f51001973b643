"""What a notebook shows: studies, data sets, results, designs and figures, escaped, shortened, each number with what it depends on.

Origin of every expectation: `by hand`, from the rows and objects that are made here.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import cartrial
from cartrial import Adam, InputError, Study
from cartrial.analysis.results import SCHEMA
from cartrial.design import Staged, design_single_stage
from cartrial.report import show_results
from cartrial.report.notebook.parts import LINES, frame, table
from cartrial.report.page import still
from cartrial.report.page.blocks import Figure

TAG = re.compile(r"<[^>]+>")
RATE = {"study": "S", "analysis": "response", "endpoint": "ORR3", "population": "infused", "reader": "IRC", "window": "at month 3"}


def rows(*said: tuple[str, str, str, str], **changes: Any) -> pl.DataFrame:
    """Rows of one estimate: statistic, text, unit, method."""
    made = [RATE | {"statistic": name, "text": text, "unit": unit, "method": how} | changes for name, text, unit, how in said]
    return pl.DataFrame(made, schema=SCHEMA)


def words(html: str) -> str:
    """The text of a display, cells told apart."""
    return TAG.sub("", re.sub(r"</t[dh]>", " | ", html))


def test_a_rate_stands_beside_its_denominator_window_and_reader() -> None:
    shown = words(
        show_results(rows(("n", "3", "", ""), ("N", "4", "", ""), ("rate", "75.0", "proportion", "Clopper-Pearson")))._repr_html_()
    )
    assert "response | ORR3 | infused | IRC | at month 3 | n 3, N 4; rate 75.0 % [Clopper-Pearson]" in shown
    assert "not among" not in shown


def test_a_rate_whose_denominator_was_filtered_away_says_so() -> None:
    shown = words(show_results(rows(("rate", "75.0", "proportion", "Clopper-Pearson")))._repr_html_())
    assert "rate 75.0 % [Clopper-Pearson] (of N: not among these rows)" in shown


def test_what_is_not_reached_has_no_unit_and_limits_have_their_level() -> None:
    made = rows(
        ("median", "5.0", "month", "Kaplan-Meier"), ("lower", "3.1", "month", "Kaplan-Meier"), ("upper", "NR", "month", "Kaplan-Meier")
    )
    shown = words(show_results(made.with_columns(pl.lit(0.95).alias("conf_level")))._repr_html_())
    assert "median 5.0 month, lower 3.1 month, upper NR [95 %, Kaplan-Meier]" in shown


@pytest.mark.parametrize(("provenance", "said"), [("virtual", "VIRTUAL PATIENTS"), ("example", "EXAMPLE DATA"), ("real", None)])
def test_what_is_of_no_patients_says_so(provenance: str, said: str | None) -> None:
    shown = show_results(rows(("n", "3", "", ""), provenance=provenance))._repr_html_()
    assert (said in shown) if said else ("PATIENTS" not in shown and "EXAMPLE" not in shown)


def test_results_of_several_trials_and_studies_are_told_apart() -> None:
    both = pl.concat([rows(("n", str(trial), "", ""), trial=trial, study=f"S{trial}") for trial in (1, 2)])
    shown = words(show_results(both)._repr_html_())
    assert "1 | S1 | response" in shown and "2 | S2 | response" in shown


def test_a_long_table_is_shortened_and_names_its_count() -> None:
    shown = words(show_results(pl.concat([rows(("n", "1", "", ""), endpoint=f"E{k}") for k in range(LINES + 5)]))._repr_html_())
    assert f"{LINES} of {LINES + 5} estimates are shown." in shown and "E19" in shown and "E20" not in shown
    wide = words(frame(pl.DataFrame({f"C{k}": [k] for k in range(14)})))
    assert "12 of 14 columns are shown; not shown: C12, C13." in wide


def test_nothing_of_the_data_is_html() -> None:
    evil = "<script>alert(1)</script>"
    study = Study.load("inaticel")
    named = study.model_copy(update={"study": study.study.model_copy(update={"title": evil})})
    shown = [
        table(("a",), [(evil,)]),
        frame(pl.DataFrame({evil: [evil]})),
        show_results(rows(("n", evil, evil, evil), endpoint=evil, window=evil))._repr_html_(),
        named._repr_html_(),
        Staged(evil, (1,), (0,), (1,), 0.1, 0.2, evil, evil)._repr_html_(),
    ]
    assert all("<script" not in html and "&lt;script" in html for html in map(str, shown))


def test_a_study_says_each_endpoint_in_words() -> None:
    study = Study.load("inaticel")
    shown = words(study._repr_html_())
    assert all(f"{endpoint.id} | {endpoint.label}" in shown for endpoint in study.endpoints)
    assert "NCT04684147" in shown and "at month 3 (day 76 to 104, nearest to day 90)" in shown


def test_data_sets_tell_what_must_be_told_first() -> None:
    from cartrial.endpoints.notices import Notice

    adsl = pl.DataFrame({"TRIAL": [0, 0], "SUBJ": [0, 1], "INFFL": ["Y", "N"]}, schema_overrides={"TRIAL": pl.Int32, "SUBJ": pl.Int32})
    adam = Adam(adsl, adsl, adsl, adsl, adsl, adsl, "virtual", "S", (Notice("r", "warning", "RS", "<nobody> was read"),))
    shown = adam._repr_html_()
    assert "2 subjects, 1 infused" in words(shown) and "VIRTUAL PATIENTS" in shown
    assert shown.index("&lt;nobody&gt; was read") < shown.index("ADSL")


def test_a_design_shows_each_value_with_what_it_is() -> None:
    shown = words(Staged("Simon optimal", (13, 43), (3, 12), (None, 13), 0.2, 0.4, "as published", "Simon 1989")._repr_html_())
    assert "n | 13, 43 | Cumulative subjects at each look, increasing; the last is the maximum." in shown
    assert "efficacy | none, 13" in shown
    assert "Staged" in design_single_stage(0.2, 0.4, 0.05, 0.2)._repr_html_()


def test_a_figure_is_a_document_with_its_caption_and_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": [{"x": 1}]},
        "mark": "point",
        "encoding": {"x": {"field": "x", "type": "quantitative"}},
    }
    figure = Figure(document, caption="Of 4 infused & read by <IRC>", name="one")
    found = figure._repr_mimebundle_()
    assert found[still.VEGA_LITE]["title"]["subtitle"] == ["Of 4 infused & read by <IRC>"]
    assert found[still.VEGA_LITE]["width"] == still.WIDTH and figure.document == document
    assert "<svg" in found["text/html"] and "Of 4 infused &amp; read by &lt;IRC&gt;</figcaption>" in found["text/html"]
    monkeypatch.setattr(still, "find_spec", lambda name: None)
    assert "needs the extra <code>figures</code>" in figure._repr_mimebundle_()["text/html"]


def test_the_extension_shows_frames_of_results_and_leaves_others_to_polars() -> None:
    made: dict[type, Any] = {}
    shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters={"text/html": SimpleNamespace(for_type=made.__setitem__)}))
    cartrial.load_ipython_extension(shell)  # type: ignore[attr-defined]
    show = made[pl.DataFrame]
    assert '<div class="cartrial"' in show(rows(("n", "3", "", "")))
    assert show(pl.DataFrame({"a": [1]})) == pl.DataFrame({"a": [1]})._repr_html_()


def test_what_is_no_results_is_refused() -> None:
    with pytest.raises(InputError, match="the column study is missing"):
        show_results(pl.DataFrame({"a": [1]}))
