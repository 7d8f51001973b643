"""How are predictions told? As a table for people, as one document for machines, as files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

import cartrial
from cartrial.files import built_beside
from cartrial.predict.check import COMPARED, Predictions
from cartrial.virtual import LABEL

__all__ = ["prediction_lines", "predictions_document", "write_predictions"]

NOT_REACHED = "NR"
_TIMES = ("value", "value_lower", "value_upper", "predicted", "lower", "upper")
_GROUPS = {
    "all": "of all figures",
    "not fitted": "of those that the fit has not used",
    "evaluation": "of those kept for evaluation alone",
    "fit": "of those that the fit used",
    "consulted": "of those that were looked at when a number was set",
    "held-out": "of those held out",
    "not": "of those that are no target of the calibration",
}


def _text(value: float | None) -> str:
    """Return a number with one decimal; NR where it is not reached, blank where there is none."""
    if value is None:
        return ""
    return NOT_REACHED if math.isinf(value) else f"{value:.1f}"


def _interval(middle: float | None, lower: float | None, upper: float | None) -> str:
    ends = "" if lower is None and upper is None else f" ({_text(lower)} to {_text(upper)})"
    return _text(middle) + ends


def prediction_lines(found: Predictions, *, notes: bool = False) -> Iterator[str]:
    """Yield the table, what was not expressed or left out and why, and the totals.

    Parameters
    ----------
    found : Predictions
    notes : bool
        Also what was assumed to read each row.

    Examples
    --------
    A table in which nothing could be compared says why, and counts nothing as inside.

    >>> import polars as pl
    >>> from cartrial.predict import Predictions, prediction_lines
    >>> from cartrial.predict.check import SCHEMA
    >>> row = dict.fromkeys(SCHEMA) | {"id": "a", "state": "left out", "note": "nobody has verified it (claim)"}
    >>> list(prediction_lines(Predictions(pl.DataFrame([row], schema=SCHEMA), 500, 1)))[1:3]
    ['Left out:', '  a: nobody has verified it (claim)']
    """
    head = ("figure", "population", "n", "endpoint", "", "published", "virtual trials (90 %)", "", "below", "used")
    rows = [_cells(row) for row in found.frame.filter(pl.col("state") == COMPARED).iter_rows(named=True)]
    width = [max(len(line[i]) for line in (head, *rows)) for i in range(len(head))]
    if rows:
        for line in (head, *rows):
            yield "  ".join(cell.ljust(width[i]) for i, cell in enumerate(line)).rstrip()
        yield ""
    if notes:
        yield from _named(found.frame, COMPARED, "How the rows were read:")
    for state, title in (("not expressed", "Not expressed:"), ("left out", "Left out:")):
        lines = list(_named(found.frame, state, title))
        if lines and not rows and state == "left out":
            yield ""
        yield from lines
    yield ""
    for row in found.totals().iter_rows(named=True):
        if row["figures"] in ("all", "not fitted") or row["compared"]:
            share = "" if row["share"] is None else f" ({100 * row['share']:.0f} %)"
            yield f"{row['inside']} of {row['compared']} inside{share}, {_GROUPS[row['figures']]}."
    yield f"{found.trials} virtual trials of each population, seed {found.seed}. {LABEL}"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    unit = "months" if row["statistic"] == "median" else "%"
    when = (
        f"{row['time_months']:g} months" if row["statistic"] == "survival" else "median" if row["statistic"] == "median" else row["window"]
    )
    return (
        *(row["id"], row["virtual_population"], "" if row["n"] is None else str(row["n"]), row["endpoint"], "" if when == "-" else when),
        f"{_interval(row['value'], row['value_lower'], row['value_upper'])} {unit}",
        _interval(row["predicted"], row["lower"], row["upper"]),
        "inside" if row["inside"] else "OUTSIDE",
        *(f"{100 * row['position']:.0f} %", f"{row['used']}{', evaluation' if row['evaluation'] else ''}"),
    )


def _named(frame: pl.DataFrame, state: str, title: str) -> Iterator[str]:
    found = frame.filter(pl.col("state") == state)
    if found.height:
        yield title
        for name, note in found.select("id", "note").iter_rows():
            yield f"  {name}: {note}"


def predictions_document(found: Predictions) -> dict[str, Any]:
    """Return everything for machines: NR where a time is not reached, null where there is no number.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.predict import Predictions, predictions_document
    >>> from cartrial.predict.check import SCHEMA
    >>> row = dict.fromkeys(SCHEMA) | {"id": "a", "value": float("inf"), "state": "not expressed"}
    >>> document = predictions_document(Predictions(pl.DataFrame([row], schema=SCHEMA), 500, 1))
    >>> document["figures"][0]["value"], document["totals"][0]
    ('NR', {'figures': 'all', 'inside': 0, 'compared': 0, 'share': None})
    """
    return {
        "cartrial": cartrial.__version__,
        "label": LABEL,
        "provenance": "virtual",
        "trials": found.trials,
        "seed": found.seed,
        "interval": 0.9,
        "totals": found.totals().to_dicts(),
        "figures": [
            {key: NOT_REACHED if key in _TIMES and value == math.inf else value for key, value in row.items()}
            for row in found.frame.iter_rows(named=True)
        ],
    }


def write_predictions(found: Predictions, out: str | Path) -> tuple[Path, Path]:
    """Write `predictions.csv` and `predictions.json` into a folder; built beside its place and moved in at the end.

    Raises
    ------
    InputError
        If the folder cannot be written to.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial.predict import Predictions, write_predictions
    >>> from cartrial.predict.check import SCHEMA
    >>> with TemporaryDirectory() as folder:
    ...     paths = write_predictions(Predictions(pl.DataFrame(schema=SCHEMA), 500, 1), Path(folder) / "out")
    ...     print([path.name for path in paths])
    ['predictions.csv', 'predictions.json']
    """
    out = Path(out)
    reached = [
        pl.when(pl.col(name).is_infinite()).then(pl.lit(NOT_REACHED)).otherwise(pl.col(name).cast(pl.String)).alias(name) for name in _TIMES
    ]
    text = json.dumps(predictions_document(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with built_beside(out) as place:
        found.frame.with_columns(reached).write_csv(place / "predictions.csv")
        (place / "predictions.json").write_text(text, encoding="utf-8")
    return out / "predictions.csv", out / "predictions.json"
