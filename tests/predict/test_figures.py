"""A table of published figures: what is read, and every way in which a table can be wrong.

Origin of every expectation: `by hand`, from what a table must be (docs/predict.md), before the code ran.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cartrial.errors import InputError
from cartrial.predict import read_figures
from cartrial.predict.express import Question, Unexpressed, express_figures
from cartrial.predict.figures import COLUMNS
from published_tables import MEDIAN, SURVIVAL, table


def message(path: Path, **options: object) -> str:
    """Return what is said of a table that cannot be used."""
    with pytest.raises(InputError) as caught:
        express_figures(read_figures(path), file=path.name, folder=path.parent, **options)  # type: ignore[arg-type]
    return str(caught.value)


def asked(path: Path) -> list[Question | Unexpressed]:
    return list(express_figures(read_figures(path), file=path.name, folder=path.parent))


@pytest.mark.shows("FMT-figures-table")
def test_a_figure_is_read(tmp_path: Path) -> None:
    figure = read_figures(table(tmp_path, {"virtual-population": "mskcc", "follow-up": "9.3"}))[0]
    assert (figure.n, figure.count, figure.lower, figure.upper, figure.half) == (48, 34, 55.9, 83.1, 0.0)
    assert figure.value == pytest.approx(100 * 34 / 48)
    assert (figure.virtual_population, figure.follow_up, figure.time, figure.row) == ("mskcc", 9.3, None, 2)


def test_a_value_without_a_count_keeps_what_its_decimals_leave_open(tmp_path: Path) -> None:
    """51 stands for 50.5 to 51.5, 85.4 for 85.35 to 85.45, and a median that is not reached for itself."""
    nothing = {"count": "", "lower": "", "upper": ""}
    rows = [{"id": "b", "value": "51"} | nothing, {"id": "c", "value": "85.4"} | nothing, MEDIAN | {"id": "d"} | nothing | {"value": "NR"}]
    halves = [(figure.value, figure.half) for figure in read_figures(table(tmp_path, *rows))]
    assert halves == [(51.0, 0.5), (85.4, pytest.approx(0.05)), (math.inf, 0.0)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": "many"}, "figures.csv, row 2, n: 'many' is no number of patients. Write a whole number from 1 to 20000, or NA."),
        ({"n": "48.5"}, "'48.5' is no number of patients"),
        ({"n": "0"}, "'0' is no number of patients"),
        ({"n": "-48"}, "'-48' is no number of patients"),
        ({"n": "30"}, "count: 34 of 30 patients cannot be"),
        ({"count": "3x"}, "count: '3x' is no number of patients"),
        ({"value": "108"}, "value: the value 108 is above 100 per cent. Write per cent from 0 to 100."),
        ({"value": "-3"}, "value: the value -3 is below 0"),
        ({"value": "70.8 %"}, "value: '70.8 %' is no number"),
        ({"value": "1e999"}, "value: '1e999' is no number"),
        ({"value": "nan"}, "value: 'nan' is no number"),
        ({"value": "0.708"}, "value: the value 0.708 looks like a fraction. Write per cent: 70.8."),
        ({"value": "0.708", "count": ""}, "value: the value 0.708 looks like a fraction. Write per cent: 70.8."),
        ({"lower": "0.559", "upper": "0.831"}, "value: the value 70.8333 is not between its limits 0.559 and 0.831"),
        ({"value": "67"}, "value: 34 of 48 is 70.8 per cent, and the value says 67"),
        ({"value": "", "count": ""}, "value: the figure has neither a value nor a count of n"),
        ({"lower": "75"}, "value: the value 70.8333 is not between its limits 75 and 83.1"),
        ({"lower": "83.1", "upper": "55.9"}, "lower: the lower limit 83.1 is above the upper 55.9"),
        ({"upper": "101"}, "upper: the limit 101 is above 100 per cent"),
        ({"lower": "-1"}, "lower: the limit -1 is negative"),
        ({"endpoint": "CR+CRj"}, "endpoint: there is no endpoint 'CR+CRj'. The nearest known one is 'CR+CRi'."),
        ({"endpoint": ""}, "endpoint: the figure has no endpoint"),
        ({"statistic": "survial"}, "statistic: there is no statistic 'survial'. The nearest known one is 'survival'."),
        ({"statistic": "median"}, "statistic: CR+CRi is a share of patients and has no median. Write rate."),
        (SURVIVAL | {"statistic": "rate"}, "statistic: OS is a time to an event and has no rate"),
        (SURVIVAL | {"time_months": ""}, "time_months: a survival has no time"),
        (SURVIVAL | {"time_months": "soon"}, "time_months: 'soon' is no number"),
        (SURVIVAL | {"time_months": "0"}, "time_months: '0' is no time"),
        (MEDIAN | {"value": ""}, "value: the median '' is no time. Write months above 0, or NR."),
        (MEDIAN | {"value": "0"}, "value: the median '0' is no time"),
        ({"window": "at month 5000"}, "window: there is no window 'at month 5000'"),
        ({"window": "late"}, "window: there is no window 'late'"),
        ({"reader": "IRB"}, "reader: there is no reader 'IRB'. Write INV, IRC, central or not-stated."),
        ({"hsct": "composit"}, "hsct: there is no strategy 'composit'. The nearest known one is 'composite'."),
        ({"hsct": "hypothetical"}, "hypothetical for hsct needs an imputation"),
        ({"population": "infussed"}, "population: there is no population 'infussed'. The nearest known one is 'infused'."),
        ({"population": ""}, "population: the figure has no population"),
        ({"virtual-population": "mskc"}, "virtual-population: there is no population 'mskc'. The nearest known one is 'mskcc'."),
        ({"virtual-population": "own.yaml"}, "virtual-population: the file of the population 'own.yaml' is not there"),
        ({"follow-up": "-2"}, "follow-up: '-2' is no time"),
    ],
)
@pytest.mark.shows("FMT-figures-table")
def test_what_is_wrong_with_a_figure_is_one_line(tmp_path: Path, change: dict[str, str], said: str) -> None:
    found = message(table(tmp_path, change))
    assert said in found
    assert found.startswith("figures.csv, row 2, ")
    assert "\n" not in found


def test_every_fault_of_a_table_is_said_at_once(tmp_path: Path) -> None:
    found = message(table(tmp_path, {"n": "x"}, {"id": "b"}, {"id": "b", "value": "108"}, {"id": "c", "value": "120"}))
    places = [line.partition(":")[0].removeprefix("figures.csv, ") for line in found.split("\n")]
    assert places == ["row 2, n", "row 4, id", "row 5, value"]
    assert "the id 'b' stands in row 3 already" in found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "figures.csv: the file is empty"),
        (",".join(COLUMNS).encode() + b"\n", "figures.csv: the table has a header and no figure"),
        (",".join(COLUMNS[:-1]).encode() + b"\na\n", "figures.csv, row"),
        (",".join((*COLUMNS, "note")).encode() + b"\n" + b"a," * len(COLUMNS) + b"caf\xe9\n", "the byte 0xe9 is not UTF-8 text"),
        ("id,trial".encode("utf-16"), "the text is UTF-16, not UTF-8"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "figures.csv"
    path.write_bytes(content)
    assert said in message(path)


def test_a_column_that_is_missing_is_named_and_what_may_be_meant(tmp_path: Path) -> None:
    path = table(tmp_path, {})
    path.write_text(path.read_text(encoding="utf-8").replace("value", "vlaue", 1), encoding="utf-8")
    found = message(path)
    assert found.startswith("figures.csv, row 1: the column 'value' is missing. Columns are: id, trial,")
    assert "'vlaue' may be meant" in found


def test_a_file_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    assert "none.csv: the file cannot be read (No such file or directory)" in message(tmp_path / "none.csv")


@pytest.mark.parametrize("word", ["claim", "UNVERIFIED"])
def test_what_nobody_has_verified_is_left_out_by_name_whatever_it_says(tmp_path: Path, word: str) -> None:
    path = table(tmp_path, {"sure": word, "value": "980"}, {"id": "b", "sure": "high"})
    out, kept = asked(path)
    assert isinstance(out, Unexpressed)
    assert out.why == f"nobody has verified it ({word})"
    assert isinstance(kept, Question)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"trial": "nowhere"}, "no virtual population is named for the trial 'nowhere'"),
        ({"trial": "ELIANA"}, "no virtual population is named for the trial 'ELIANA'; 'eliana' may be meant"),
        ({"endpoint": "infused"}, "infused is a step before the infusion, of the enrolled, and the row is of the infused"),
        ({"trial": "hyldh"}, "age group and costimulation of the product were not read"),
        ({"population": "low dose"}, "the rules have no population 'low dose'"),
        ({"endpoint": "Ph+"}, "a characteristic of the patients, which a population is told, is no outcome"),
        (
            {"endpoint": "CRi", "window": "within month 3"},
            "CRi as best response is no endpoint of the rules: a better one may stand beside it",
        ),
        ({"trial": "eliana", "endpoint": "CRS 3-4", "window": "-"}, "graded on the Penn scale; virtual patients are graded by ASTCT"),
        ({"n": "NA", "count": "", "cut": "x"}, "the number of patients is not stated"),
        (MEDIAN | {"endpoint": "DOR", "value": "70.8"}, "DOR is of responders, and the row is of the infused"),
        (
            SURVIVAL | {"endpoint": "EFS", "population": "enrolled"},
            "EFS of the enrolled has no rule: non-response and relapse count from the infusion",
        ),
        (
            {"population": "responders", "endpoint": "relapse", "window": "-"},
            "a share with an event hangs on the follow-up, which is not known",
        ),
    ],
)
def test_what_cannot_be_expressed_is_named_with_its_reason(tmp_path: Path, change: dict[str, str], why: str) -> None:
    found = asked(table(tmp_path, change))[0]
    assert isinstance(found, Unexpressed)
    assert found.why == why


def test_the_row_says_more_than_the_main_analysis(tmp_path: Path) -> None:
    """Window, reader and strategies of the row stand; what it does not state is that of the main analysis, and said."""
    rows = [{"window": "within month 3", "reader": "INV", "hsct": "treatment-policy"}, {"id": "b", "window": "not-stated"}]
    stated, silent = asked(table(tmp_path, *rows))
    assert isinstance(stated, Question)
    assert isinstance(silent, Question)
    assert stated.endpoint is not None
    assert silent.endpoint is not None
    assert stated.endpoint.window is not None
    assert (stated.endpoint.window.within, stated.endpoint.strategies.hsct, stated.reader) == ("month 3", "treatment-policy", "INV")
    assert silent.endpoint.window is not None
    assert (silent.endpoint.window.best, silent.endpoint.strategies.hsct, silent.reader) == ("cutoff", "composite", "IRC")
    assert "window not stated: best response" in silent.said
    assert "not stated, as the main analysis: hsct composite, new-therapy composite" in silent.said
    assert "not stated, as the main analysis: new-therapy composite" in stated.said


@pytest.mark.parametrize(
    ("window", "kind", "visit"),
    [
        ("at month 3", "at", "month 3"),
        ("month 3", "at", "month 3"),
        ("at end of month 3", "at", "month 3"),
        ("within 3 months", "within", "month 3"),
        ("Within Month 6", "within", "month 6"),
        ("at month 1", "at", "day 28"),
        ("by day 28", "within", "day 28"),
    ],
)
def test_a_window_is_that_of_a_visit(tmp_path: Path, window: str, kind: str, visit: str) -> None:
    found = asked(table(tmp_path, {"window": window}))[0]
    assert isinstance(found, Question)
    assert found.endpoint is not None
    assert getattr(found.endpoint.window, kind) == visit


def test_a_population_may_be_named_for_one_trial_or_for_all(tmp_path: Path) -> None:
    path = table(tmp_path, {}, {"id": "b", "trial": "frey"})
    figures = read_figures(path)
    names = [getattr(item, "names", None) for item in express_figures(figures, population={"frey": "mskcc"})]
    assert names == ["inaticel", "mskcc"]
    assert [getattr(item, "names", None) for item in express_figures(figures, population={"": "zuma3"})] == ["zuma3", "zuma3"]
    assert "the table has no trial 'fry'. The nearest one is 'frey'" in message(path, population={"fry": "mskcc"})


def test_a_cell_over_two_lines_is_one(tmp_path: Path) -> None:
    assert read_figures(table(tmp_path, {"id": "a\nb"}))[0].id == "a b"


def test_a_mixture_has_whole_patients(tmp_path: Path) -> None:
    """Of 25 patients of CALM 22 had alemtuzumab (Lancet Haematol 2022;9:e833); by largest remainders 8 of 9."""
    rows = [{"trial": "calm", "n": "25", "count": "12", "value": "48", "lower": "28", "upper": "69", "window": "not-stated"}]
    rows.append(rows[0] | {"id": "b", "n": "9", "count": "6", "value": "", "lower": "", "upper": ""})
    parts = [[(people.id, n) for people, n in item.parts] for item in asked(table(tmp_path, *rows)) if isinstance(item, Question)]
    names = ("allogeneic-cd19", "allogeneic-cd19-no-alemtuzumab")
    assert parts == [list(zip(names, numbers, strict=True)) for numbers in ((22, 3), (8, 1))]


@pytest.mark.parametrize(
    ("change", "own"),
    [
        ({"trial": "mskcc"}, "MSKCC"),
        ({"trial": "cibmtr2025"}, "CIBMTR"),
        ({"trial": "zuma3"}, ""),
        ({"trial": "jcar014"}, ""),
        ({"trial": "mskcc", "virtual-population": "zuma3"}, ""),
    ],
)
def test_a_trial_is_new_unless_results_of_its_patients_were_fitted(tmp_path: Path, change: dict[str, str], own: str) -> None:
    """By hand from the registry of targets: nothing of ZUMA-3 after the infusion is fitted, nor of JCAR014."""
    item = express_figures(read_figures(table(tmp_path, change)))[0]
    assert isinstance(item, Question) and item.own == own
