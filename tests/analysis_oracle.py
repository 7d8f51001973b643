"""What the tests of the room analysis share: R's figures, the data sets they were made from, and a comparison of digits."""

from __future__ import annotations

import json
import sys
from functools import cache

import numpy as np
import polars as pl
import pytest

from helpers import ORACLE, data_path, skip_words

sys.path.insert(0, str(ORACLE))
CASEBASE = "survival/casebase_bmtcrr.csv"


@cache
def oracle() -> dict:
    """R's figures (tests/oracle/README.md)."""
    return json.loads((ORACLE / "oracle.json").read_text())


@cache
def models() -> dict:
    """R's figures of models (tests/oracle/models.R)."""
    return json.loads((ORACLE / "models.json").read_text())


@cache
def data_set(name: str) -> pl.DataFrame:
    """A hand-made set, a public set, or `casebase`, which is read below CARTRIAL_TEST_DATA; skips where it is not at hand."""
    path = ORACLE / "data" / f"{name}.csv"
    if path.exists():
        return pl.read_csv(path)
    if name == "casebase":
        path = data_path(CASEBASE)
        if not path.exists():
            pytest.skip(skip_words(CASEBASE))
        return pl.read_csv(path)
    external = pytest.importorskip("external")
    try:
        frame = external.SETS[name]()
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    return pl.DataFrame({column: frame[column].tolist() for column in frame.columns})


def adtte(frame: pl.DataFrame, time: str = "time", event: str = "event") -> pl.DataFrame:
    """Rows as ADTTE has them: AVAL, CNSR (0 event, 1 censored)."""
    return frame.with_columns(AVAL=pl.col(time), CNSR=(1 - pl.col(event)).cast(pl.Int8))


def adcr(frame: pl.DataFrame, time: str = "time", cause: str = "cause") -> pl.DataFrame:
    """Rows with competing events: AVAL, CNSR (0 event of interest, 1 censored, 2 competing) from cause 1, 0, 2."""
    code = pl.col(cause).replace_strict({1: 0, 0: 1, 2: 2}, return_dtype=pl.Int8)
    return frame.with_columns(AVAL=pl.col(time), CNSR=code)


def cr_set(name: str) -> pl.DataFrame:
    """A set with competing events, by its name in R's figures."""
    if name == "bmt":
        return adcr(data_set("bmt").select(time="t2", cause="cause", group="group"))
    if name == "mgus2":
        return adcr(data_set("mgus2").select("time", "cause", group="sex"))
    if name.startswith("casebase"):
        return adcr(data_set("casebase").select(time="ftime", cause="Status", group="D" if name.endswith("disease") else "Phase"))
    return adcr(data_set(name))


def same(found, expected, tolerance: float = 1e-9) -> None:
    """Compare with R: null where R has null, else equal to `tolerance` (relative, or absolute below 1)."""
    found = np.asarray([np.nan if value is None else value for value in np.atleast_1d(np.asarray(found, dtype=object))], dtype=float)
    expected = np.asarray([np.nan if value is None else value for value in np.atleast_1d(np.asarray(expected, dtype=object))], dtype=float)
    assert found.shape == expected.shape, (found, expected)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected), err_msg=f"{found} {expected}")
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * 1e-2)


KM_GROUPS = {"aml": "group", "lung": "sex", "whas500": "afb", "bmt_rfs": "group", "waltons": "group", "two_groups_ties": "group"}


def km_frame(name: str) -> pl.DataFrame:
    """One of R's Kaplan-Meier sets as ADTTE rows with its GROUP."""
    frame = adtte(data_set("bmt"), "t2", "d3") if name == "bmt_rfs" else adtte(data_set(name))
    group = KM_GROUPS.get(name)
    return frame.with_columns(GROUP=pl.col(group).cast(pl.String) if group else pl.lit("all"))


def km_cases(section: str) -> list[tuple[str, str]]:
    """Every set and group of a Kaplan-Meier section."""
    return [(name, group) for name, groups in oracle()[section].items() for group in groups]


def km_case(name: str, group: str) -> pl.DataFrame:
    """The rows of one case, shuffled."""
    frame = km_frame(name)
    return (frame if group == "all" else frame.filter(pl.col("GROUP") == group)).sample(fraction=1.0, shuffle=True, seed=3)
