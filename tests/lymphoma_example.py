"""The worked study of lymphoma, and two subjects with the calls that a test names."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from cartrial.sdtm import Source
from helpers import ROOT

FOLDER = ROOT / "tests" / "truth" / "lymphoma"
TEXT = (FOLDER / "study.yaml").read_text(encoding="utf-8")


def infused_calls(*calls: tuple[str, int, str], category: str | None = "IWCLL 2018", subjects: tuple[str, ...] = ("A", "B")) -> Source:
    """Subjects infused on 2022-01-01 and their calls by the investigator: who, day, status."""
    who = {"STUDYID": "LYM", "USUBJID": subjects, "ROW": list(range(2, 2 + len(subjects)))}
    ex = who | {"EXSEQ": 1, "EXTRT": "AXI-CEL", "EXSTDTC": "2022-01-01"}
    dates = [str(np.datetime64("2022-01-01") + day) for _, day, _ in calls]
    rs: dict[str, Any] = {"STUDYID": "LYM", "USUBJID": [call[0] for call in calls], "ROW": list(range(2, 2 + len(calls)))}
    rs |= {"RSSEQ": list(range(1, 1 + len(calls))), "RSTESTCD": "OVRLRESP", "RSCAT": category, "RSSTRESC": [call[2] for call in calls]}
    rs |= {"RSEVAL": "INVESTIGATOR", "RSDTC": dates}
    ss = who | {"SSSEQ": 1, "SSTESTCD": "SURVSTAT", "SSSTRESC": "ALIVE", "SSDTC": "2023-02-07"}
    return Source({"DM": pl.DataFrame(who), "EX": pl.DataFrame(ex), "RS": pl.DataFrame(rs), "SS": pl.DataFrame(ss)})
