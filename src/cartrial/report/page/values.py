"""Which row of the results stands behind each printed statistic, with all its digits? For tables that are saved."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

__all__ = ["NAMED", "write_values"]

NAMED = ("analysis", "endpoint", "variant", "by", "level", "statistic", "unit")
"""Columns of a row that are words, in the order in which they are written; time and value follow them."""


def write_values(text: str, rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Return the rows that a page prints a statistic of, as JSON: ``words``, and by the row's number its words' places, time and value.

    Parameters
    ----------
    text : str
        The page: a statistic carries the number of its row in the attribute ``data-key``.
    rows : sequence of mapping
        All rows, each at its number.

    Examples
    --------
    >>> from cartrial.report.page.values import write_values
    >>> row = dict.fromkeys(("variant", "by", "level", "unit"), "") | {"analysis": "response", "endpoint": "ORR3", "statistic": "rate"}
    >>> print(write_values('<span data-key="0">74.4</span>', [row | {"time": None, "value": 29 / 39}]))
    {"rows":{"0":[3,1,0,0,0,2,0,null,0.7435897435897436]},"words":["","ORR3","rate","response"]}
    """
    keys = sorted({int(key) for key in re.findall(r'data-key="(\d+)"', text)})
    shown = {key: rows[key] for key in keys if key < len(rows)}
    words = sorted({str(row[name] or "") for row in shown.values() for name in NAMED})
    place = {word: i for i, word in enumerate(words)}
    own = {str(key): [*(place[str(row[name] or "")] for name in NAMED), row["time"], row["value"]] for key, row in shown.items()}
    written = json.dumps({"words": words, "rows": own}, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return Markup(written.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
