"""How do results leave as a flat table of analysis results (ARD), one row a statistic?"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cartrial.analysis.results import sort_results

__all__ = ["write_ard"]


def write_ard(results: pl.DataFrame, folder: Path) -> Path:
    """Write ``ard.csv``: the rows of the results as they are, sorted by key, values to 12 significant digits.

    Parameters
    ----------
    results : polars.DataFrame
        Rows of `cartrial.analysis.analyse`.
    folder : Path
        Made if it is not there.

    Returns
    -------
    pathlib.Path
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ard.csv"
    sort_results(results).write_csv(path)
    return path
