"""What stands beside the limits of criteria of imaging? The values of a visit, each limit, and how a call and they differ, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["imaging_lines", "imaging_words", "lesion_table"]

Row = Mapping[str, Any]


def imaging_lines(study: Study, evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the values that belong to a visit, each with the limit that the study's criteria have for it.

    Parameters
    ----------
    study : Study
        Criteria with limits of lesions.
    evidence : mapping
        Of the case.

    Returns
    -------
    list of dict
        `name`, `words` (blank: not recorded), `day` and `limit`.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.review.limits import imaging_lines
    >>> rows = [{"what": "size", "day": 28, "words": "500 mm²", "value": 500.0, "base": 1200.0, "near": True}]
    >>> line = imaging_lines(Study.load("cnct19-nhl"), {"day": 28, "rows": rows})[0]
    >>> line["words"], line["limit"]
    ('500 mm², 42 % of 1200 mm² at baseline', 'PR: at most 50 % of the sum at baseline')
    """
    assert study.disease.imaging is not None
    limits, options = study.disease.imaging
    near = [row for row in evidence["rows"] if row.get("near")]
    new = [row for row in near if str(row.get("name", "")).startswith("new lesion") and row["words"] != "absent"]
    found = [
        _line("Sum of products of targets", _first(near, "size"), f"PR: at most {100 * limits.fall:g} % of the sum at baseline"),
        _line("PET, five-point score", _first(near, "pet"), f"CR by PET: 1 to {options.negative_to}"),
        {
            **{"name": "New lesions", "words": "; ".join(f"{row['name']}: {row['words']}" for row in new) or "none recorded"},
            **{"day": new[0]["day"] if new else "", "limit": _new_words(limits)},
        },
        _line("Spleen", _first(near, "spleen"), f"CR: at most {limits.spleen:g} mm"),
        _line("Marrow", _first(near, "involvement"), "CR: clear where it was involved"),
        {"name": "Nodes", "words": _nodes(near), "day": "", "limit": f"CR: at most {limits.node:g} mm"},
    ]
    if study.disease.progression[0] == "lyric":
        found.append(_line("Clinical deterioration", _last(evidence["rows"], "worsened"), "within 14 days: no flare by its sum"))
    return found


def _new_words(limits: Any) -> str:
    return f"CR, PR, SD: none (nodes over {limits.new_node:g} mm, others over {limits.new_extranodal:g} mm, or beyond doubt)"


def _first(rows: Sequence[Row], what: str) -> Row | None:
    return next((row for row in rows if row["what"] == what), None)


def _last(rows: Sequence[Row], what: str) -> Row | None:
    return next((row for row in reversed(rows) if row["what"] == what), None)


def _line(name: str, row: Row | None, limit: str) -> dict[str, Any]:
    words = row["words"] if row else ""
    if row and row.get("base"):
        words += f", {100 * row['value'] / row['base']:.0f} % of {row['base']:g} mm² at baseline"
    return {"name": name, "words": words, "day": row["day"] if row else "", "limit": limit}


def _nodes(rows: Sequence[Row]) -> str:
    found = [row["long"] for row in rows if "lymph node" in str(row.get("name", "")) and row.get("long") is not None]
    return f"longest {max(found):g} mm" if found else ""


def imaging_words(study: Study, evidence: Mapping[str, Any]) -> list[str]:
    """Return what the criteria look at, value and limit, a sentence each: said where a call and the limits differ; no status is named.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.review.limits import imaging_words
    >>> rows = [{"what": "pet", "day": 28, "words": "score 4", "value": 4, "near": True}]
    >>> imaging_words(Study.load("cnct19-nhl"), {"day": 28, "rows": rows})[0]
    'PET, five-point score, day 28: score 4 (CR by PET: 1 to 3).'
    """
    said = []
    for line in imaging_lines(study, evidence):
        if line["words"] and line["words"] != "none recorded":
            day = f", day {line['day']}" if line["day"] != "" else ""
            said.append(f"{line['name']}{day}: {line['words']} ({line['limit']}).")
    return said


def lesion_table(evidence: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what was measured as a table: lesions and the spleen down, days across; None where nothing was.

    Examples
    --------
    >>> from cartrial.review.limits import lesion_table
    >>> lesion_table({"rows": [{"what": "lesion", "name": "target 1, lymph node", "day": 28, "words": "25 × 20 mm"}]})
    {'days': [28], 'rows': [('target 1, lymph node', ['25 × 20 mm'])]}
    """
    rows = [row for row in evidence["rows"] if row["what"] in ("lesion", "spleen")]
    if not rows:
        return None
    days = sorted({row["day"] for row in rows})
    names = dict.fromkeys(row["name"] for row in sorted(rows, key=lambda row: (_kind_place(row["name"]), row["name"])))
    cell = {(row["name"], row["day"]): row["words"] for row in rows}
    return {"days": days, "rows": [(name, [cell.get((name, day), "") for day in days]) for name in names]}


def _kind_place(name: str) -> int:
    return next((i for i, kind in enumerate(("target", "non-target", "new lesion", "spleen")) if name.startswith(kind)), 4)
