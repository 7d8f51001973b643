"""Which analyses were made of which data, and why? The analysis results of define.xml (ARM 1.0)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cartrial.submission.adam.parameters import coded
from cartrial.submission.files.dataset_json import item_oid, set_oid
from cartrial.submission.files.elements import described

if TYPE_CHECKING:
    from cartrial.study import Endpoint, Study, Variant
    from cartrial.submission.adam import Shaped
    from cartrial.submission.job import Job, Shown

__all__ = ["displays_of", "purpose_of", "reason_of", "result_displays"]

_PURPOSES = {"primary": "PRIMARY OUTCOME MEASURE", "secondary": "SECONDARY OUTCOME MEASURE"}
_EXPLORATORY = "EXPLORATORY OUTCOME MEASURE"


def purpose_of(endpoint: Endpoint, variant: Variant) -> str:
    """Return the purpose of an analysis: that of its endpoint's role, exploratory for a variant."""
    return _EXPLORATORY if variant.name else _PURPOSES.get(endpoint.role, _EXPLORATORY)


def reason_of(variant: Variant) -> str:
    """Return why an analysis is made: the study file is the protocol, its variants stand in the analysis plan."""
    return "SPECIFIED IN SAP" if variant.name else "SPECIFIED IN PROTOCOL"


def displays_of(job: Job) -> dict[tuple[str, str], Shown]:
    """Return the first table, else the first figure, that shows an analysis, by endpoint and variant."""
    rows = job.results.select("endpoint", "variant").with_row_index("KEY")
    rows = rows.filter(job.results["analysis"].is_in(["response", "survival", "incidence"]))
    pairs = {key: (endpoint, variant) for key, endpoint, variant in rows.iter_rows()}
    found: dict[tuple[str, str], Shown] = {}
    for shown in sorted(job.shown, key=lambda one: one.kind != "table"):
        for key in sorted(shown.keys & pairs.keys()):
            found.setdefault(pairs[key], shown)
    return found


def result_displays(d: Any, job: Job, sets: Mapping[str, Shaped]) -> Any:
    """Return the displays that show analyses of endpoints, each analysis under the first that shows it; None where there is none.

    A display has the number of the table. An analysis that no numbered display shows stands under its endpoint's name. A main analysis
    is specified in the protocol, which the study file is; a sensitivity analysis in the analysis plan. An analysis whose source is in no
    submitted set has no entry.
    """
    where = displays_of(job)
    held: dict[str, tuple[Shown | None, str, list[Any]]] = {}
    for endpoint in job.study.endpoints:
        name = "ADTTE" if endpoint.type == "time-to-event" else "ADRS"
        for variant, result in _results(d, job.study, endpoint, name, sets) if name in sets else ():
            shown = where.get((endpoint.id, variant.name))
            oid = f"RD.{shown.file.upper()}" if shown else f"RD.{endpoint.id}"
            held.setdefault(oid, (shown, endpoint.label, []))[2].append(result)
    order = {shown.file: place for place, shown in enumerate(job.shown)}
    rank = sorted(held.items(), key=lambda item: order[item[1][0].file] if item[1][0] else len(order))
    found = [
        d.ResultDisplay(
            OID=oid,
            Name=shown.label if shown else oid.removeprefix("RD."),
            Description=described(d, shown.title if shown else label),
            AnalysisResult=results,
        )
        for oid, (shown, label, results) in rank
    ]
    return d.AnalysisResultDisplays(ResultDisplay=found) if found else None


def _results(d: Any, study: Study, endpoint: Endpoint, name: str, sets: Mapping[str, Shaped]) -> Iterable[tuple[Variant, Any]]:
    words = sets[name].codes.get("PARAMCD", {})
    present = set(sets[name].frame["PARAMCD"].unique().to_list())
    for variant in study.variants(endpoint):
        code = coded(endpoint.id, variant.name)
        if code in present:
            yield variant, _result(d, study, endpoint, variant, (name, code, words.get(code, code)))


def _result(d: Any, study: Study, endpoint: Endpoint, variant: Variant, said: tuple[str, str, str]) -> Any:
    name, code, words = said
    analysed = ("AVAL", "CNSR") if name == "ADTTE" else ("AVALC",) if endpoint.type == "best-response" else ("AVAL",)
    main = d.AnalysisDataset(
        ItemGroupOID=set_oid(name),
        WhereClauseRef=d.WhereClauseRef(WhereClauseOID=f"WC.{name}.PARAMCD.{code}"),
        AnalysisVariable=[d.AnalysisVariable(ItemOID=item_oid(name, one)) for one in analysed],
    )
    method = (
        f"Kaplan-Meier or Aalen-Johansen estimate, limits at {study.interval.level:g}"
        if name == "ADTTE"
        else f"{study.interval.method} limits at {study.interval.level:g}; not yet assessable (AVAL missing) left out of N"
    )
    return d.AnalysisResult(
        OID=f"AR.{code}",
        ParameterOID=item_oid(name, "PARAMCD"),
        AnalysisReason=reason_of(variant),
        AnalysisPurpose=purpose_of(endpoint, variant),
        Description=described(d, words),
        AnalysisDatasets=d.AnalysisDatasets(AnalysisDataset=[main]),
        Documentation=d.Documentation(Description=described(d, method), **_planned(d, study, endpoint)),
        ProgrammingCode=d.ProgrammingCode(Context="R", DocumentRef=[d.DocumentRef(leafID="LF.RECOMPUTE")]),
    )


def _planned(d: Any, study: Study, endpoint: Endpoint) -> dict[str, Any]:
    """Return the reference to the analysis plan, with pages where the study file says them."""
    plan = study.submission.sap
    if plan is None:
        return {}
    pages = plan.pages.get(endpoint.id)
    refs = [d.PDFPageRef(Type="PhysicalRef", PageRefs=" ".join(pages.replace(",", " ").split()))] if pages else []
    return {"DocumentRef": [d.DocumentRef(leafID="LF.SAP", PDFPageRef=refs)]}
