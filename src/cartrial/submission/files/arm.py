"""Which analyses were made of which data, and why? The analysis results of define.xml (ARM 1.0)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cartrial.submission.adam.parameters import coded
from cartrial.submission.files.dataset_json import item_oid, set_oid

if TYPE_CHECKING:
    from cartrial.study import Endpoint, Study, Variant
    from cartrial.submission.adam import Shaped
    from cartrial.submission.job import Job

__all__ = ["result_displays"]

_PURPOSES = {"primary": "PRIMARY OUTCOME MEASURE", "secondary": "SECONDARY OUTCOME MEASURE"}


def _described(d: Any, text: str) -> Any:
    return d.Description(TranslatedText=[d.TranslatedText(lang="en", _content=text)])


def result_displays(d: Any, job: Job, sets: Mapping[str, Shaped]) -> Any:
    """Return one display for each endpoint with data, its main analysis and its variants as results; None where there is none.

    A main analysis is specified in the protocol, which the study file is; a sensitivity analysis in the analysis plan. An analysis whose
    source is in no submitted set has no entry.
    """
    found = []
    for endpoint in job.study.endpoints:
        name = "ADTTE" if endpoint.type == "time-to-event" else "ADRS"
        results = list(_results(d, job.study, endpoint, name, sets)) if name in sets else []
        if results:
            display = d.ResultDisplay(
                OID=f"RD.{endpoint.id}", Name=f"{endpoint.id}", Description=_described(d, endpoint.label), AnalysisResult=results
            )
            found.append(display)
    return d.AnalysisResultDisplays(ResultDisplay=found) if found else None


def _results(d: Any, study: Study, endpoint: Endpoint, name: str, sets: Mapping[str, Shaped]) -> Iterable[Any]:
    words = sets[name].codes.get("PARAMCD", {})
    present = set(sets[name].frame["PARAMCD"].unique().to_list())
    for variant in study.variants(endpoint):
        code = coded(endpoint.id, variant.name)
        if code in present:
            yield _result(d, study, endpoint, variant, (name, code, words.get(code, code)), sets)


def _result(d: Any, study: Study, endpoint: Endpoint, variant: Variant, said: tuple[str, str, str], sets: Mapping[str, Shaped]) -> Any:
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
        AnalysisReason="SPECIFIED IN SAP" if variant.name else "SPECIFIED IN PROTOCOL",
        AnalysisPurpose="EXPLORATORY OUTCOME MEASURE" if variant.name else _PURPOSES.get(endpoint.role, "EXPLORATORY OUTCOME MEASURE"),
        Description=_described(d, words),
        AnalysisDatasets=d.AnalysisDatasets(AnalysisDataset=[main]),
        Documentation=d.Documentation(Description=_described(d, method)),
        ProgrammingCode=d.ProgrammingCode(Context="R", DocumentRef=[d.DocumentRef(leafID="LF.RECOMPUTE")]),
    )
