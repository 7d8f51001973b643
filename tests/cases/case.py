"""What the tests of single inputs share: where an input stands, and what the command line says of it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cartrial.endpoints import Adam
from cartrial.run import Derived, derive_data, load_data
from helpers import run_cli

CASES = Path(__file__).parent


def case_path(name: str) -> Path:
    """Return the folder or file of an input by its path below this folder."""
    path = CASES / name
    assert path.exists(), path
    return path


def derived(name: str, study: str | Path = "inaticel") -> Derived:
    """Read, check and derive the source data of a folder below this one."""
    return derive_data(load_data(study, case_path(name)))


def value(adam: Adam, endpoint: str, variant: str = "", subject: str | None = None) -> dict[str, object]:
    """Return one subject's row of an endpoint, of ADRS or ADTTE."""
    rows = [frame.filter(pl.col("PARAMCD") == endpoint, pl.col("VARIANT") == variant) for frame in (adam.adrs, adam.adtte)]
    found = [row for frame in rows for row in frame.iter_rows(named=True) if subject is None or row["USUBJID"].endswith(subject)]
    assert len(found) == 1, found
    return found[0]


def checked(name: str, study: str | Path = "inaticel") -> tuple[int, str]:
    """Return the exit code of `cartrial check` and what it printed, both streams together."""
    code, out, err = run_cli("check", study, "--data", case_path(name))
    return code, out + err
