"""Of which subjects, records and groups is an analysis? Sets, subsets and groupings of the Analysis Results Standard."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cartrial.analysis.tables.flow import MILESTONES
from cartrial.endpoints import level_column, number_column
from cartrial.submission.adam.parameters import coded

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.submission.adam import Shaped

__all__ = ["TIME", "analysis_set", "data_of", "digest", "grouping", "identified", "subset_of"]

Instance = dict[str, Any]
TIME = "GF.TIME"
"""Grouping by a time in days, of curves and numbers at risk."""

_COUNTS = {"NEUTROPENIA": "NEUT", "THROMBOCYTOPENIA": "PLAT", "LOW-NEUT": "NEUT", "LOW-PLAT": "PLAT"}
_ANSWERS = {"SERIOUS": "ASER", "RELATED": "AREL"}
_COURSE = {"onset": "ASTDY", "duration": "ADURN", "course": "AEOUTA"}
# which variable of which set tells the groups apart, by analysis and what results are by
_BY = {
    ("response", "reason"): ("ADRS", "REASON"),
    ("response", "best"): ("ADRS", "AVALC"),
    ("incidence", "event"): ("ADTTE", "EVNTDESC"),
    ("safety", "max_grade"): ("ADAE", "ATOXGR"),
    ("safety", "cause"): ("ADSL", "DTHCAUS"),
    ("safety", "visit"): ("ADLB", "AVISIT"),
    ("safety", "window"): ("ADLB", "AVISIT"),
    ("flow", "status"): ("ADSL", "EOSSTT"),
    ("kinetics", "response"): ("ADPP", "RESPFL"),
    ("kinetics", "ratio"): ("ADPP", "RESPFL"),
    ("kinetics", "missing"): ("ADPP", "REASON"),
    ("kinetics", "expansion"): ("ADPP", "EXPANDFL"),
}


def identified(kind: str, *words: str) -> str:
    """Return an id that follows from words alone: letters and digits of each, with points between them.

    Examples
    --------
    >>> from cartrial.submission.ars.selected import identified
    >>> identified("AS", "infused"), identified("GF", "IRC | INV")
    ('AS.INFUSED', 'GF.IRC-INV')
    """
    plain = ["-".join("".join(letter if letter.isalnum() else " " for letter in word.upper()).split()) for word in words if word]
    return ".".join([kind, *plain])


def digest(*words: object) -> str:
    """Return eight letters and digits that follow from words, to tell apart ids whose words differ by signs alone."""
    return hashlib.sha256("|".join(map(str, words)).encode()).hexdigest()[:8].upper()


def _where(dataset: str, variable: str, *values: str, comparator: str = "EQ") -> Instance:
    return {"dataset": dataset, "variable": variable, "comparator": comparator, "value": list(values)}


def analysis_set(population: str, order: int) -> Instance:
    """Return a population as an analysis set: the flag of ADSL that says who is in it, words alone where none does."""
    said: Instance = {"id": identified("AS", population), "label": population, "level": 1, "order": order}
    return said | ({"condition": _where("ADSL", MILESTONES[population], "Y")} if population in MILESTONES else {})


def data_of(study: Study, analysis: str, endpoint: str, by: str = "") -> tuple[str, str]:
    """Return the set and the variable that an analysis is of; blank where its rows are made of several."""
    if analysis == "response":
        kinds = {one.id: one.type for one in study.endpoints}
        return "ADRS", "AVALC" if kinds.get(endpoint) == "best-response" else "AVAL"
    if analysis == "baseline":
        item = next((one for one in study.baseline if one.id == endpoint), None)
        return "ADSL", "" if item is None else number_column(item) if not item.levels else level_column(item)
    if analysis == "flow":
        return "ADSL", MILESTONES.get(endpoint, "EOSSTT")
    if analysis == "safety":
        if endpoint == "DEATH":
            return "ADSL", "DTHFL"
        if endpoint in (*_COUNTS, "APLASIA", "LOW-EITHER"):
            return "ADLB", "CRIT2FL" if endpoint.startswith("LOW") else "CRIT1FL"
        return ("ADCM", "CATEGORY") if by == "treatment" else ("ADAE", _ANSWERS.get(endpoint, _COURSE.get(by, "ATOXGRN")))
    return {
        "survival": ("ADTTE", "AVAL"),
        "incidence": ("ADTTE", "AVAL"),
        "kinetics": ("ADPP", "AVAL"),
        "concordance": ("ADRS", "AVALC"),
    }.get(analysis, ("", ""))


def subset_of(study: Study, analysis: str, endpoint: str, variant: str, order: int) -> Instance | None:
    """Return the records of its set that an analysis is of, None where it is of all or its rows are made of several sets."""
    said: Instance = {"id": f"{identified('DS', analysis, endpoint)}.{digest(analysis, endpoint, variant)}", "level": 1, "order": order}
    if analysis in ("response", "survival", "incidence", "censoring", "kinetics"):
        name = data_of(study, analysis, endpoint)[0]
        changed = "" if analysis == "kinetics" and variant == study.kinetics.tests[0] else variant
        return said | {"condition": _where(name, "PARAMCD", coded(endpoint, changed))}
    if analysis != "safety" or endpoint in ("DEATH", "ANY", "LOW-EITHER", *_ANSWERS):
        return None
    if endpoint in _COUNTS or endpoint == "APLASIA":
        return said | {"condition": _where("ADLB", "PARAMCD", _COUNTS.get(endpoint, study.safety.aplasia.testcd))}
    if variant == "class":
        return said | {"condition": _where("ADAE", "AEBODSYS", endpoint)}
    if variant.startswith("class="):
        clauses = [_where("ADAE", "AEBODSYS", variant.removeprefix("class=")), _where("ADAE", "AEDECOD", endpoint)]
        parts = [{"level": 2, "order": place, "condition": one} for place, one in enumerate(clauses, 1)]
        return said | {"compoundExpression": {"logicalOperator": "AND", "whereClauses": parts}}
    return said | {"condition": _where("ADAE", "CQ01CD", endpoint)}


def grouping(study: Study, sets: Mapping[str, Shaped], analysis: str, by: str) -> tuple[str, Instance]:
    """Return what results are grouped by: `analysisGroupings` of a characteristic of the subjects, else `dataGroupings`."""
    item = next((one for one in study.baseline if one.id == by), None)
    if item is not None:
        said: Instance = {"id": identified("GF", by), "label": item.label, "dataDriven": True}
        return "analysisGroupings", said | _of("ADSL", level_column(item), sets)
    said = {"id": identified("GF", analysis, by), "label": by, "dataDriven": True}
    return "dataGroupings", said | _of(*_BY.get((analysis, by), ("", "")), sets)


def _of(dataset: str, variable: str, sets: Mapping[str, Shaped]) -> Instance:
    """Name a variable of a submitted set, nothing where it has none such."""
    there = dataset in sets and any(one.name == variable for one in sets[dataset].dataset.variables)
    return {"groupingDataset": dataset, "groupingVariable": variable} if there else {}
