"""What tests of estimates share: the worked example derived once, and the same study as many trials. Processes of their own use it too."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import polars as pl

from cartrial.endpoints import Adam, derive
from cartrial.sdtm import read_sdtm
from cartrial.sdtm.records import Records, derive_records
from cartrial.study import Study
from helpers import WORKED

__all__ = ["SETS", "trials", "worked"]

SETS = ("adsl", "adrs", "adtte", "adae", "adck", "adresp")


@cache
def worked() -> tuple[Study, Adam, Records]:
    """The worked example: study, ADaM, records."""
    study = Study.load(WORKED)
    records = derive_records(study, read_sdtm(WORKED / "data"))
    return study, derive(study, records), records


def trials(adam: Adam, count: int) -> SimpleNamespace:
    """The same study as many trials, rows shuffled."""

    def tile(frame: pl.DataFrame) -> pl.DataFrame:
        numbers = pl.DataFrame({"TRIAL": pl.Series(range(count), dtype=pl.Int32)})
        return frame.drop("TRIAL").join(numbers, how="cross").sample(fraction=1, shuffle=True, seed=7)

    return SimpleNamespace(provenance=adam.provenance, study_id=adam.study_id, **{name: tile(getattr(adam, name)) for name in SETS})
