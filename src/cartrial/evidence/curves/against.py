"""How do two reconstructed arms compare? Their hazard ratio, and its spread over reconstructions that are as likely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from cartrial.errors import InputError
from cartrial.evidence.curves.reconstruct import Reconstruction
from cartrial.evidence.curves.written import read_written

__all__ = ["compare_arms"]

PAIRS = 100
"""Pairs of further reconstructions, at most, over which the spread of a hazard ratio is told."""


def compare_arms(found: Reconstruction, folder: Path) -> dict[str, float]:
    """Return the hazard ratio of an arm against another that was written before, by Cox's model with ties by Efron.

    Parameters
    ----------
    found : Reconstruction
    folder : Path
        Of the other arm, as `write_reconstruction` writes it.

    Returns
    -------
    dict of str to float
        `estimate`, `lower` and `upper` (95 %); where both arms have further reconstructions also `least` and `most` over pairs of them.

    Raises
    ------
    InputError
        If the other arm has no individuals, or the ratio cannot be estimated.

    Examples
    --------
    By hand: an arm has no hazard ratio to itself but 1.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from cartrial.evidence.curves import Reading, reconstruct_curve, write_reconstruction
    >>> from cartrial.evidence.curves.against import compare_arms
    >>> reading = Reading("vector", np.array([1.0, 2.0, 4.0]), np.array([0.9, 0.8, 0.7]), 5.0, None, 1e-3, 1e-5)
    >>> arm = reconstruct_curve(reading, 10, events=3)
    >>> with TemporaryDirectory() as place:
    ...     _ = write_reconstruction(arm, Path(place) / "arm")
    ...     round(compare_arms(arm, Path(place) / "arm")["estimate"], 6)
    1.0
    """
    other = read_written(folder)
    best = _ratio(found.frame(), other)
    if best["hazard_ratio"] is None:
        what = f"the hazard ratio cannot be estimated ({best['method']})"
        raise InputError(what, key="--against", right="Look at the events of both arms")
    result = {"estimate": best["hazard_ratio"], "lower": best["lower"], "upper": best["upper"]}
    kept = folder / "ensemble.parquet"
    if found.ensemble is None or not kept.is_file():
        return result
    others = pl.read_parquet(kept).partition_by("MEMBER", maintain_order=True)
    time, status = found.ensemble
    pairs = min(PAIRS, len(time), len(others))
    each = [_ratio(pl.DataFrame({"AVAL": time[k], "CNSR": status[k]}), others[k])["hazard_ratio"] for k in range(pairs)]
    return result | {"least": min(each), "most": max(each)}


def _ratio(arm: pl.DataFrame, control: pl.DataFrame) -> dict[str, Any]:
    from cartrial.analysis.estimators.models.cox import estimate_cox

    arms = [part.select("AVAL", "CNSR").with_columns(ARM=pl.lit(number)) for number, part in enumerate((control, arm))]
    return estimate_cox(pl.concat(arms), ["ARM"]).row(0, named=True)
