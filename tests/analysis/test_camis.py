"""Figures of SAS as CAMIS prints them (tests/oracle/camis.json), and the rows of docs/agreement.md."""

from __future__ import annotations

import pytest

import agreement


@pytest.mark.shows("EST-clopper-pearson", "EST-wilson", "EST-mid-p", "EST-rmst", "EST-logrank")
def test_sas_says_the_same_to_the_printed_digit() -> None:
    """Published: SAS 9.4 by CAMIS. Of 36 of 154 the eighth digit of a mid-p limit is another than R's 0.305458824663."""
    rows = list(agreement.sas_rows())
    assert len(rows) == 13
    other = [(what, data, sas, mine) for what, data, sas, mine, *_ in rows if sas != mine]
    assert other == [("limits, mid-p", "36 of 154", "0.17200131 to 0.30545883", "0.17200131 to 0.30545882")]


@pytest.mark.shows("EST-km-quantiles", "EST-km-landmark")
def test_differences_on_purpose_are_those_that_are_told() -> None:
    """Published (CAMIS): the median of ten is 102.5 by R and NE by SAS. R 4.2.2: `quantile` has 102.5, `print` 87. By hand."""
    by = {what.split(" (")[0].split(",")[0]: row for what, *row in agreement.different_rows()}
    assert by["median where the curve stays at one half to its end"][:3] == ["102.5 (quantile), 87 (print)", "NE", "102.5"]
    assert by["survival at day 120"][:2] == ["0.5", "NE"]


def test_a_row_that_does_not_agree_is_refused() -> None:
    """By hand."""
    with pytest.raises(AssertionError):
        agreement._row("x", "f()", [(0.5, 0.5), (0.5, 0.5001)], "first", 1e-9)
