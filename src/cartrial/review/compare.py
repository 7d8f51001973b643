"""Where does a call differ from what the study's limits make of the values? Said after the call, in words of the values alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cartrial.report.figures.course import BELOW
from cartrial.response.range_kernel import OPERATORS, Limit, Range, meets, significant_of
from cartrial.review.evidence import reach_of
from cartrial.review.limits import imaging_lines, imaging_words
from cartrial.study.criteria.codes import CR, NE, RESPONSES

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.sets import Bound

__all__ = ["LIMITED", "differences", "limit_lines", "limit_of", "limit_words", "near_rows"]

LIMITED = {
    "marrow": "Marrow blasts",
    "blood": "Circulating blasts",
    "neutrophils": "Neutrophils",
    "platelets": "Platelets",
    "emd": "Extramedullary disease",
}
"""What a status is made of, in words."""

_UNITS = {"marrow": " %", "blood": " %", "neutrophils": " × 10⁹/L", "platelets": " × 10⁹/L"}
_SAID = dict(zip(OPERATORS, ("below", "at most", "above", "at least"), strict=True))


def limit_words(study: Study, what: str) -> str:
    """Return what a complete remission asks of a finding.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.review.compare import limit_words
    >>> study = Study.load("inaticel")
    >>> limit_words(study, "platelets"), limit_words(study, "blood")
    ('above 100 × 10⁹/L', 'none')
    """
    bound = limit_of(study, what)
    return f"{_SAID[bound.op]} {bound.value:g}{_UNITS[what]}" if bound else "none"


def limit_of(study: Study, what: str) -> Bound | None:
    """Return the limit of a complete remission; None where a finding has none."""
    found = getattr(study.disease.marrow[0], what, None) if study.disease.marrow is not None else None
    return found if what in ("marrow", "neutrophils", "platelets") else None


def limit_lines(study: Study, evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the values that belong to an assessment, each beside its limit: `name`, `words` (blank: not recorded), `day`, `limit`.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.review.compare import limit_lines
    >>> rows = [{"what": "marrow", "day": 28, "words": "2.3", "value": 2.3, "near": True}]
    >>> limit_lines(Study.load("inaticel"), {"rows": rows})[0]
    {'name': 'Marrow blasts', 'words': '2.3 %', 'day': 28, 'limit': 'CR: below 5 %'}
    """
    if study.disease.marrow is None:
        return imaging_lines(study, evidence)
    near, found = near_rows(evidence), []
    for what, name in LIMITED.items():
        row = near.get(what)
        unit = " %" if row and what in ("marrow", "blood") and row.get("value") is not None else ""
        words = f"{row['words']}{unit}" if row else ""
        found.append({"name": name, "words": words, "day": row["day"] if row else "", "limit": f"CR: {limit_words(study, what)}"})
    return found


def near_rows(evidence: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the row of each finding that belongs to the assessment, as the rule chose it.

    Examples
    --------
    >>> from cartrial.review.compare import near_rows
    >>> near_rows({"rows": [{"what": "platelets", "day": 28, "words": "9", "near": True}]})["platelets"]["words"]
    '9'
    """
    return {row["what"]: row for row in evidence["rows"] if row.get("near")}


def differences(study: Study, evidence: Mapping[str, Any], derived: str, call: str) -> list[str]:
    """Return where a call and the values disagree, a sentence each; nothing where they agree.

    Parameters
    ----------
    study : Study
    evidence : mapping
        Of the case.
    derived : str
        The status by the study's limits; blank where there is none. It is never named.
    call : str

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.review.compare import differences
    >>> rows = [{"what": what, "day": 57, "words": words, "value": float(words), "near": True}
    ...         for what, words in (("marrow", "2.3"), ("neutrophils", "2"), ("platelets", "9"))]
    >>> differences(Study.load("inaticel"), {"day": 57, "rows": rows}, "CRi", "CR")
    ['Platelets of day 57 are 9 × 10⁹/L; a complete remission needs above 100 × 10⁹/L.']
    """
    family = study.disease.family
    alike = family.alike
    if not derived or alike.get(derived, derived) == alike.get(call, call):
        return []
    if study.disease.marrow is None:
        return imaging_words(study, evidence) or [_general(evidence)]
    near = near_rows(evidence)
    asked = [what for what in LIMITED if not _meets(study, what, near.get(what))]
    remission = call in family.responses
    if remission:
        counts = ("neutrophils", "platelets")
        counted = call == RESPONSES[CR]
        against = [what for what in asked if counted or what not in counts]
        said = [_sentence(study, what, near.get(what)) for what in against]
        if not said and not counted:
            said = [_sentence(study, what, near.get(what)) for what in counts]
        return said or [_general(evidence)]
    if call == RESPONSES[NE]:
        measured = [what for what in ("marrow", "blood", "emd") if what in near]
        return [f"{_value(what, near[what])}." for what in measured] or [_general(evidence)]
    # disease was called: what speaks against it
    meets = [what for what in ("marrow", "blood", "emd") if what in near and _meets(study, what, near[what])]
    return [_sentence(study, what, near[what]) for what in meets] or [_general(evidence)]


def _general(evidence: Mapping[str, Any]) -> str:
    around = f"within {reach_of(evidence)} days of day {evidence['day']}"
    return f"The limits of the study, applied to the values {around} and to those before, give another status."


def _meets(study: Study, what: str, row: Mapping[str, Any] | None) -> bool:
    if what == "emd":
        return row is None or row["words"] in ("absent", "not done")
    if what == "blood":
        return row is None or row.get("value") == 0
    bound = limit_of(study, what)
    value = row.get("value") if row else None
    if bound is None or value is None or row is None:
        return False
    # a result as `<5` lies between 0 and the next number below 5
    under = row.get("kind") == BELOW and str(row["words"]).startswith("<") and not str(row["words"]).startswith("<=")
    found = Range(0.0, math.nextafter(value, 0.0)) if under else Range(significant_of(value), significant_of(value))
    return meets(found, Limit(OPERATORS.index(bound.op), bound.value))


def _value(what: str, row: Mapping[str, Any] | None) -> str:
    name = LIMITED[what]
    verb = "is" if what == "emd" else "are"
    if row is None:
        return f"{name} within 7 days {verb} not recorded"
    if row.get("value") is None and what != "emd":
        return f"{name} of day {row['day']}: {row['words']}"
    return f"{name} of day {row['day']} {verb} {row['words']}{_UNITS.get(what, '')}"


def _sentence(study: Study, what: str, row: Mapping[str, Any] | None) -> str:
    words = limit_words(study, what)
    return f"{_value(what, row)}; a complete remission needs {words}."
