"""Which rows of a list are asked for? Filters that stand in the address, so that everything works without scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest

__all__ = ["chosen_rows"]

_LONGEST = 80
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
    A value that no row has any more leaves an empty list: a list of what is to read is empty when all is read.
    """
    filters, kept = [], list(rows)
    for name, (words, values_of) in keys.items():
        chosen = request.GET.get(name, "")[:_LONGEST]
        options = sorted({value for row in rows for value in values_of(row)} | ({chosen} if chosen else set()))
        if chosen:
            kept = [row for row in kept if chosen in values_of(row)]
        if len(options) > 1:
            filters.append({"name": name, "words": words, "options": options, "chosen": chosen})
    return kept, filters
