"""Which rows of a list are asked for? Filters that stand in the address, so that everything works without scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest

__all__ = ["chosen_rows"]

Row = dict[str, Any]
Keys = Mapping[str, tuple[str, Callable[[Row], Sequence[str]]]]


def chosen_rows(request: HttpRequest, rows: Sequence[Row], keys: Keys) -> tuple[list[Row], list[dict[str, Any]]]:
    """Return the rows that an address asks for, and the filters for the form above the list.

    Parameters
    ----------
    request : HttpRequest
    rows : sequence of dict
    keys : mapping of str to (words, function)
        Names in the address, what stands beside the box, and what each row has there.

    Notes
    -----
    A value that no row has filters nothing: it cannot be told from one that is not there.
    """
    filters, kept = [], list(rows)
    for name, (words, values_of) in keys.items():
        options = sorted({value for row in rows for value in values_of(row)})
        chosen = request.GET.get(name, "")
        chosen = chosen if chosen in options else ""
        if chosen:
            kept = [row for row in kept if chosen in values_of(row)]
        if len(options) > 1:
            filters.append({"name": name, "words": words, "options": options, "chosen": chosen})
    return kept, filters
