"""Tables of published figures for tests: one good row, and what differs from it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from cartrial.predict.figures import COLUMNS

GOOD = {
    **{"id": "a", "trial": "inaticel", "population": "infused", "n": "48", "endpoint": "CR+CRi", "window": "at month 3"},
    **{"statistic": "rate", "time_months": "", "count": "34", "value": "70.8", "lower": "55.9", "upper": "83.1"},
}
SURVIVAL = {"endpoint": "OS", "window": "-", "statistic": "survival", "time_months": "12", "count": ""}
MEDIAN = {"endpoint": "EFS", "window": "-", "statistic": "median", "count": ""}


def table(folder: Path, *rows: dict[str, str], name: str = "figures.csv") -> Path:
    """Write rows, each what differs from the good one."""
    whole = [GOOD | row for row in rows]
    columns = [*COLUMNS, *dict.fromkeys(key for row in whole for key in row if key not in COLUMNS)]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(whole)
    path = folder / name
    path.write_text(text.getvalue(), encoding="utf-8")
    return path
