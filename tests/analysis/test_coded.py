"""Texts as codes until they are written: the same rows, the same order, the same files."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analysis_example import trials, worked
from cartrial.analysis import KEY, SCHEMA, analyse, read_results, results_hash, sort_results, write_results
from cartrial.coded import CODED, codes_as_text, rank_codes, row_order
from cartrial.endpoints import derive
from properties import examples

_TEXTS = st.sampled_from(["", "b", "a", "CR", "CRi", "é", "Z", None])
_ROWS = st.lists(st.tuples(_TEXTS, st.sampled_from([None, 0.0, 28.0, -1.5]), st.integers(0, 3), _TEXTS), max_size=30)


@examples(120)
@given(rows=_ROWS, coded=st.booleans())
def test_rows_stand_in_the_order_that_polars_gives_them(rows: list[tuple[object, ...]], coded: bool) -> None:
    """`independent`: the sort of polars of the texts, null first."""
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.Float64, "c": pl.Int32, "d": pl.String}, orient="row")
    given_ = frame.with_columns(pl.col("a", "d").cast(CODED)) if coded else frame
    assert frame[row_order(given_, frame.columns)].rows() == frame.sort(frame.columns, maintain_order=True).rows()


def test_many_columns_are_packed_into_several_keys() -> None:
    """`by hand`: the last column decides where the others are equal; 40 columns of four values are 80 bits."""
    frame = pl.DataFrame({**{f"c{i}": ["a", "b", "c", "d"] * 2 for i in range(40)}, "last": [7, 6, 5, 4, 3, 2, 1, 0]})
    assert row_order(frame, frame.columns).tolist() == [4, 0, 5, 1, 6, 2, 7, 3]


def test_codes_follow_the_words() -> None:
    """`by hand`: null, then the words by their letters; Enum by its own order."""
    codes, values = rank_codes(pl.Series(["b", None, "a", "b"], dtype=CODED))
    assert (codes.tolist(), values.to_list()) == ([2, 0, 1, 2], [None, "a", "b"])
    codes, values = rank_codes(pl.Series(["b", "a"], dtype=pl.Enum(["b", "a"])))
    assert (codes.tolist(), values.to_list()) == ([0, 1], ["b", "a"])
    codes, values = rank_codes(pl.Series([], dtype=CODED))
    assert (codes.tolist(), values.to_list()) == ([], [])
    assert rank_codes(pl.Series([None], dtype=CODED))[0].tolist() == [0]


@pytest.mark.parametrize("analyses", [("flow", "response"), pytest.param(None, marks=pytest.mark.slow)])
def test_results_without_texts_are_those_with_them(tmp_path: Path, analyses: tuple[str, ...] | None) -> None:
    """`independent`: the results with texts. Of a printed value nothing is left; what says why there is no value stays."""
    study, adam, records = worked()
    several = trials(adam, 3) if analyses else adam
    asked = {"analyses": analyses} if analyses else {"records": records}
    printed = analyse(study, several, curves=False, **asked)
    coded = analyse(study, several, curves=False, texts=False, **asked)
    assert printed.schema == pl.Schema(SCHEMA)
    assert {name for name, kind in coded.schema.items() if kind == CODED} == {name for name, kind in SCHEMA.items() if kind == pl.String}
    columns = [*KEY, "value", "rules"]
    assert_frame_equal(codes_as_text(sort_results(coded)).select(columns), sort_results(printed).select(columns), check_exact=True)
    both = printed.join(codes_as_text(coded), on=KEY, nulls_equal=True, suffix="_2")
    kept = both.filter(pl.col("text_2").is_not_null())
    assert both.height == printed.height and (kept["text"] == kept["text_2"]).all() and kept["value"].null_count() == kept.height
    write_results(coded, tmp_path / "results.parquet")
    again = read_results(tmp_path / "results.parquet")
    assert again.schema == pl.Schema(SCHEMA) and results_hash(again) == results_hash(coded)


@pytest.mark.parametrize(
    "lacking", [(), pytest.param(("survival", "deaths"), marks=pytest.mark.slow), pytest.param(("calls",), marks=pytest.mark.slow)]
)
def test_sets_for_estimates_alone_give_the_same_estimates(lacking: tuple[str, ...]) -> None:
    """`independent`: the estimates of the sets with texts, of sources that lack survival or calls too."""
    study, _, records = worked()
    records = records.replace(**{name: getattr(records, name).clear() for name in lacking})
    adam, lean = derive(study, records), derive(study, records, texts=False)
    assert adam.adrs.schema["REASON"] == pl.String and lean.adrs.schema["REASON"] == CODED and lean.notices == ()
    assert lean.adrs["AVAL"].equals(adam.adrs["AVAL"]) and lean.adtte["CNSR"].equals(adam.adtte["CNSR"])
    asked = {"analyses": ("response", "concordance", "survival", "conduct"), "curves": False}
    printed, coded = analyse(study, adam, records, **asked), analyse(study, lean, records, texts=False, **asked)
    columns = [*KEY, "value", "rules"]
    assert_frame_equal(codes_as_text(sort_results(coded)).select(columns), sort_results(printed).select(columns), check_exact=True)
    both = printed.join(codes_as_text(coded), on=KEY, nulls_equal=True, suffix="_2").filter(pl.col("text_2").is_not_null())
    assert (both["text"] == both["text_2"]).all()
