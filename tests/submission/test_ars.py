"""The reporting event: every row of the results once, under names that lead somewhere, in the shape of the standard.

Origin: `published` (which keys each class has and must have: CDISC's JSON Schema of the Analysis Results Standard 1.0, restated here, since
no package carries it) and `independent` (the rows are read back from the event and compared with the results).
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.analysis import sort_results
from cartrial.run import derive_data, estimate_data, load_data
from cartrial.submission import Job, export_study
from cartrial.submission.ars import make_event
from cartrial.submission.outline import outlined
from helpers import WORKED

# class: keys it must have, keys it may have; the class of what a key holds
NAMED = ("name", "description", "label")
CLASSES: dict[str, tuple[set[str], set[str]]] = {
    "ReportingEvent": (
        {"id", "name", "mainListOfContents"},
        {*NAMED, "version", "referenceDocuments", "terminologyExtensions", "analysisSets", "dataSubsets", "analysisGroupings"}
        | {
            "dataGroupings",
            "methods",
            "analyses",
            "outputs",
            "globalDisplaySections",
            "otherListsOfContents",
            "analysisOutputCategorizations",
        },
    ),
    "ListOfContents": ({"name", "contentsList"}, {*NAMED}),
    "NestedList": (set(), {"listItems"}),
    "OrderedListItem": ({"name", "level", "order"}, {*NAMED, "analysisId", "outputId", "sublist"}),
    "ReferenceDocument": ({"id", "name"}, {*NAMED, "location"}),
    "TerminologyExtension": ({"id", "sponsorTerms"}, {"enumeration"}),
    "SponsorTerm": ({"id", "submissionValue"}, {"description"}),
    "AnalysisSet": ({"id", "level", "order"}, {"label", "condition", "compoundExpression"}),
    "DataSubset": ({"id", "level", "order"}, {"label", "condition", "compoundExpression"}),
    "Expression": ({"logicalOperator"}, {"whereClauses"}),
    "WhereClause": ({"level", "order"}, {"condition", "compoundExpression"}),
    "Condition": (set(), {"dataset", "variable", "comparator", "value"}),
    "Grouping": ({"id", "dataDriven"}, {"label", "groupingDataset", "groupingVariable", "groups"}),
    "AnalysisMethod": ({"id", "name", "operations"}, {*NAMED, "documentRefs", "codeTemplate"}),
    "Operation": ({"id", "name", "order"}, {*NAMED, "resultPattern", "referencedOperationRelationships"}),
    "Analysis": (
        {"id", "name", "reason", "purpose", "methodId"},
        {*NAMED, "version", "analysisSetId", "dataset", "variable", "dataSubsetId", "orderedGroupings", "results", "programmingCode"}
        | {"categoryIds", "documentRefs", "referencedAnalysisOperations"},
    ),
    "Term": (set(), {"controlledTerm", "sponsorTermId"}),
    "OrderedGroupingFactor": ({"order", "groupingId", "resultsByGroup"}, set()),
    "OperationResult": ({"operationId"}, {"rawValue", "formattedValue", "resultGroups"}),
    "ResultGroup": ({"groupingId"}, {"groupId", "groupValue"}),
    "ProgrammingCode": ({"context"}, {"code", "documentRef", "parameters"}),
    "DocumentReference": ({"referenceDocumentId"}, {"pageRefs"}),
    "Output": ({"id", "name", "displays"}, {*NAMED, "version", "fileSpecifications", "documentRefs", "categoryIds", "programmingCode"}),
    "OrderedDisplay": ({"order", "display"}, set()),
    "OutputDisplay": ({"id", "name"}, {*NAMED, "version", "displayTitle", "displaySections"}),
    "DisplaySection": (set(), {"sectionType", "orderedSubSections"}),
    "OrderedSubSection": ({"order", "subSection"}, set()),
    "DisplaySubSection": ({"id", "text"}, set()),
    "OutputFile": ({"name"}, {*NAMED, "fileType", "location", "style"}),
}
HOLDS = {
    **{"mainListOfContents": "ListOfContents", "contentsList": "NestedList", "sublist": "NestedList", "listItems": "OrderedListItem"},
    **{"referenceDocuments": "ReferenceDocument", "terminologyExtensions": "TerminologyExtension", "sponsorTerms": "SponsorTerm"},
    **{"analysisSets": "AnalysisSet", "dataSubsets": "DataSubset", "compoundExpression": "Expression", "whereClauses": "WhereClause"},
    **{"condition": "Condition", "analysisGroupings": "Grouping", "dataGroupings": "Grouping", "methods": "AnalysisMethod"},
    **{"operations": "Operation", "analyses": "Analysis", "reason": "Term", "purpose": "Term", "results": "OperationResult"},
    **{"orderedGroupings": "OrderedGroupingFactor", "resultGroups": "ResultGroup", "programmingCode": "ProgrammingCode"},
    **{"documentRef": "DocumentReference", "outputs": "Output", "displays": "OrderedDisplay", "display": "OutputDisplay"},
    **{"displaySections": "DisplaySection", "orderedSubSections": "OrderedSubSection", "subSection": "DisplaySubSection"},
    **{"fileSpecifications": "OutputFile", "fileType": "Term"},
}
WORDS = {
    "comparator": {"EQ", "NE", "GT", "GE", "LT", "LE", "IN", "NOTIN"},
    "logicalOperator": {"AND", "OR", "NOT"},
    "sectionType": {"Header", "Title", "Rowlabel Header", "Legend", "Abbreviation", "Footnote", "Footer"},
    "enumeration": {"AnalysisReasonEnum", "AnalysisPurposeEnum", "OperationRoleEnum", "OutputFileTypeEnum"},
}
TERMS = {
    "reason": {"SPECIFIED IN PROTOCOL", "SPECIFIED IN SAP", "DATA DRIVEN", "REQUESTED BY REGULATORY AGENCY"},
    "purpose": {"PRIMARY OUTCOME MEASURE", "SECONDARY OUTCOME MEASURE", "EXPLORATORY OUTCOME MEASURE"},
    "fileType": {"pdf", "rtf", "txt"},
}
WHOLE = {"level", "order", "version"}
REFERENCES = {
    **{"analysisSetId": "analysisSets", "dataSubsetId": "dataSubsets", "methodId": "methods", "analysisId": "analyses"},
    **{"outputId": "outputs", "referenceDocumentId": "referenceDocuments"},
}


def faults(node: Any, kind: str = "ReportingEvent", at: str = "") -> list[str]:
    """Return what of an event is not as the standard has it."""
    must, may = CLASSES[kind]
    found = [f"{at}: {kind} without {key}" for key in sorted(must - set(node))]
    found += [f"{at}: {kind} has no {key}" for key in sorted(set(node) - must - may)]
    for key, value in node.items():
        place = f"{at}.{key}"
        if key in HOLDS:
            inside = value if isinstance(value, list) else [value]
            found += [fault for one in inside for fault in faults(one, HOLDS[key], place)]
            if key in TERMS and "controlledTerm" in value and value["controlledTerm"] not in TERMS[key]:
                found.append(f"{place}: {value['controlledTerm']}")
        elif key in WORDS and value not in WORDS[key]:
            found.append(f"{place}: {value}")
        elif key == "value":
            found += [] if isinstance(value, list) and all(isinstance(one, str) for one in value) else [f"{place}: {value!r}"]
        elif not isinstance(value, int if key in WHOLE else bool if key in ("dataDriven", "resultsByGroup") else str):
            found.append(f"{place}: {value!r}")
    return found


def nodes(node: Any):  # type: ignore[no-untyped-def]
    """Yield every object of an event."""
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(one)


def dangling(event: dict[str, Any]) -> list[str]:
    """Return references that lead nowhere, and ids that stand twice."""
    ids = {key: {one["id"] for one in event.get(key, [])} for key in REFERENCES.values()}
    groups = {one["id"] for key in ("analysisGroupings", "dataGroupings") for one in event[key]}
    operations = {one["id"]: {inner["id"] for inner in one["operations"]} for one in event["methods"]}
    terms = {one["id"] for extension in event["terminologyExtensions"] for one in extension["sponsorTerms"]}
    found = []
    for one in nodes(event):
        found += [f"{key} {one[key]}" for key, where in REFERENCES.items() if key in one and one[key] not in ids[where]]
        found += [one["groupingId"]] if "groupingId" in one and one["groupingId"] not in groups else []
        found += [one["sponsorTermId"]] if "sponsorTermId" in one and one["sponsorTermId"] not in terms else []
    for one in event["analyses"]:
        known = {factor["groupingId"] for factor in one["orderedGroupings"]}
        for result in one["results"]:
            found += [result["operationId"]] if result["operationId"] not in operations[one["methodId"]] else []
            found += [group["groupingId"] for group in result.get("resultGroups", []) if group["groupingId"] not in known]
    named = Counter(one["id"] for one in nodes(event) if "id" in one)
    return [*found, *(name for name, many in named.items() if many > 1)]


def rows_of(event: dict[str, Any]) -> Counter[frozenset[tuple[Any, ...]]]:
    """Return the analyses as sets of their results: statistic, level, time, value to the last bit, text."""
    statistics = {one["id"]: one["name"] for method in event["methods"] for one in method["operations"]}
    found: Counter[frozenset[tuple[Any, ...]]] = Counter()
    for analysis in event["analyses"]:
        cells = []
        for result in analysis["results"]:
            groups = {group["groupingId"]: group.get("groupValue", "") for group in result.get("resultGroups", [])}
            time = groups.pop("GF.TIME", None)
            raw = result.get("rawValue")
            shown = (None if time is None else float(time), None if raw is None else float(raw), result["formattedValue"])
            cells.append((statistics[result["operationId"]], next(iter(groups.values()), ""), *shown))
        assert len(set(cells)) == len(cells), analysis["id"]
        found[frozenset(cells)] += 1
    return found


def results_of(results: pl.DataFrame) -> Counter[frozenset[tuple[Any, ...]]]:
    keys = ["analysis", "endpoint", "variant", "population", "reader", "window", "strategies", "by", "unit", "method", "conf_level"]
    found: Counter[frozenset[tuple[Any, ...]]] = Counter()
    for _, part in results.group_by(keys):
        found[frozenset(part.select("statistic", "level", "time", "value", "text").iter_rows())] += 1
    return found


@pytest.mark.shows("FMT-ars")
def test_the_counts_of_a_run(job: Job) -> None:
    """The small sibling: the flow alone, with a population that no flag names and a term that the standard has not."""
    event = make_event(outlined(job), program="../m5/recompute.r")
    assert faults(event) == [] and dangling(event) == []
    assert rows_of(event) == results_of(job.results)
    assert make_event(outlined(job), program="../m5/recompute.r") == event
    infused = next(one for one in event["analysisSets"] if one["id"] == "AS.INFUSED")
    assert infused["condition"] == {"dataset": "ADSL", "variable": "INFFL", "comparator": "EQ", "value": ["Y"]}
    first = event["mainListOfContents"]["contentsList"]["listItems"][0]
    assert first["outputId"] == "OUT.T-14-1-1-1" and first["sublist"]["listItems"]


def test_the_checker_finds_planted_faults(job: Job) -> None:
    """A key that is missing, one too many, a word of no list, a reference to nothing, an id that stands twice."""
    text = json.dumps(make_event(outlined(job)))

    def spoilt(change) -> dict[str, Any]:  # type: ignore[no-untyped-def]
        event: dict[str, Any] = json.loads(text)
        change(event)
        return event

    assert faults(spoilt(lambda e: e["analyses"][0].pop("methodId")))
    assert faults(spoilt(lambda e: e["analyses"][0].update(unit="days")))
    assert faults(spoilt(lambda e: e["analyses"][0].update(reason={"controlledTerm": "GUESSED"})))
    assert faults(spoilt(lambda e: e["analyses"][0]["results"][0].update(rawValue=3.0)))
    assert dangling(spoilt(lambda e: e["analyses"][0].update(analysisSetId="AS.NOBODY")))
    assert dangling(spoilt(lambda e: e["dataGroupings"].append(e["dataGroupings"][0])))


@pytest.mark.slow
@pytest.mark.shows("FMT-ars")
def test_every_row_of_the_results(tmp_path: Path) -> None:
    """Of all worked subjects with every analysis, and as the part of an export that names its displays' files and the program."""
    data = load_data(WORKED, WORKED / "data")
    derived = derive_data(data)
    results = sort_results(estimate_data(data, derived)[0])
    job = Job(data.study, data.source, derived.records, derived.adam, results, derived.findings)
    export_study(job, tmp_path / "out", only=["adam", "displays", "ars"])
    event = json.loads((tmp_path / "out" / "exchange" / "reporting-event.json").read_text(encoding="utf-8"))
    assert faults(event) == [] and dangling(event) == []
    found = rows_of(event)
    assert found == results_of(results) and sum(len(one) * many for one, many in found.items()) == results.height > 3000
    main = [one for one in event["analyses"] if one["purpose"].get("controlledTerm") == "PRIMARY OUTCOME MEASURE"]
    assert main and {one["variable"] for one in main} == {"AVAL"}
    for place in [one["location"] for one in nodes(event) if "location" in one]:
        assert (tmp_path / "out" / "exchange" / place).is_file(), place
    assert len([one for one in event["outputs"] if one.get("fileSpecifications")]) == len(event["outputs"]) > 20
