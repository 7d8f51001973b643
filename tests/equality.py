"""What tests of equality share: the worked study derived and estimated, and the hash of its results. Processes of their own use it too."""

from __future__ import annotations

import sys

from cartrial.analysis import analyse, results_hash
from cartrial.endpoints import Adam, derive
from cartrial.sdtm import Source
from cartrial.sdtm.records import Records, derive_records
from cartrial.study import Study
from helpers import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from tiling import tile_records

__all__ = ["SETS", "tile_records", "whole"]

SETS = ("adsl", "adrs", "adtte", "adae", "adck", "adresp")


def whole(study: Study, data: Source | Records) -> tuple[Adam, str]:
    """Derive and estimate: the data sets, and the hash of the results."""
    records = derive_records(study, data) if isinstance(data, Source) else data
    adam = derive(study, records)
    return adam, results_hash(analyse(study, adam, records))
