"""Which analyses, methods, results and outputs make a reporting event? CDISC's Analysis Results Standard 1.0, from the rows of the results.

A result is a row: its statistic is an operation of a method, its level and time are groups, its text is the formatted value. Ids follow
from words alone, so that those of two runs can be compared. The model: https://www.cdisc.org/ars/1-0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic_core import to_json

from cartrial.submission.adam import shape_adam
from cartrial.submission.ars.selected import TIME, analysis_set, data_of, digest, grouping, identified, subset_of
from cartrial.submission.files.arm import purpose_of, reason_of
from cartrial.submission.files.data import adam_folder

if TYPE_CHECKING:
    from cartrial.submission.adam import Shaped
    from cartrial.submission.job import Job, Shown

__all__ = ["make_event", "write_event"]

Instance = dict[str, Any]
_KEY = ("analysis", "endpoint", "variant", "population", "reader", "window", "strategies", "by", "unit", "method", "conf_level")
_PURPOSES = {"safety": "SAFETY", "kinetics": "CELLULAR KINETICS", "cell-model": "CELLULAR KINETICS"}
_DESCRIPTION = "DESCRIPTION"
_FORMS = (("rtf", {"controlledTerm": "rtf"}), ("pdf", {"controlledTerm": "pdf"}))
_PROGRAM = "RD.RECOMPUTE"
# analyses of which recompute.r recomputes figures
_RECOMPUTED = ("baseline", "censoring", "concordance", "flow", "incidence", "kinetics", "response", "safety", "serious", "survival")


def write_event(job: Job, out: Path, displays: Path) -> Path:
    """Write ``exchange/reporting-event.json``; equal results give equal bytes.

    Parameters
    ----------
    job : Job
        With its numbered displays.
    out : Path
        The folder of the whole export. Files that it has already (displays, the program) are named.
    displays : Path
        The folder of the displays in it.

    Returns
    -------
    pathlib.Path
        The file.
    """
    program = adam_folder(job) / "programs" / "recompute.r"
    files = [path.relative_to(out).as_posix() for path in sorted((out / displays).glob("*"))] if (out / displays).is_dir() else []
    event = make_event(job, files=files, program=f"../{program.as_posix()}" if (out / program).is_file() else "")
    path = out / "exchange" / "reporting-event.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_json(event, indent=1) + b"\n")  # the same bytes as json has, ten times as fast where lines are set in
    return path


def make_event(job: Job, *, files: Iterable[str] = (), program: str = "") -> Instance:
    """Return the reporting event of a run.

    Parameters
    ----------
    job : Job
    files : iterable of str
        Files of the displays, from the folder of the export.
    program : str
        Where the program stands that recomputes figures, from the file of the event; blank: nowhere.
    """
    rows = job.results.with_row_index("ROW")
    held = rows.group_by(_KEY, maintain_order=True).agg("ROW", "level", "time", "statistic", "value", "text")
    sets = shape_adam(job)
    analyses = [_analysis(job, sets, one, program) for one in held.iter_rows(named=True)]
    where = {row: analysis["id"] for analysis, numbers in zip(analyses, held["ROW"].to_list(), strict=True) for row in numbers}
    own = job.study.study
    event: Instance = {"id": own.id, "name": own.title, "version": 1, "description": f"Results of provenance {job.adam.provenance}."}
    event |= {"mainListOfContents": _contents(job.shown, analyses, where)}
    if program:
        event["referenceDocuments"] = [{"id": _PROGRAM, "name": "recompute.r", "location": program}]
    words = sorted({*_PURPOSES.values(), _DESCRIPTION})
    purposes: Instance = {"id": "TE.PURPOSE", "enumeration": "AnalysisPurposeEnum"}
    purposes["sponsorTerms"] = [{"id": identified("SP", word), "submissionValue": word} for word in words]
    event |= {"terminologyExtensions": [purposes], **_selected(job, sets, held)}
    named = {Path(file).name: file for file in files}
    return event | {"methods": _methods(held), "analyses": analyses, "outputs": [_output(one, named) for one in job.shown]}


def _method_id(one: Mapping[str, Any]) -> str:
    return f"MT.{one['analysis'].upper()}.{digest(one['analysis'], one['method'], one['unit'], one['conf_level'])}"


def _analysis(job: Job, sets: Mapping[str, Shaped], one: Mapping[str, Any], program: str) -> Instance:
    analysis, endpoint, variant = one["analysis"], one["endpoint"], one["variant"]
    said = [endpoint, variant, one["population"], one["reader"], one["window"], one["strategies"], f"by {one['by']}" if one["by"] else ""]
    found: Instance = {"id": f"{identified('AN', analysis, endpoint)}.{digest(*(one[key] for key in _KEY))}"}
    found |= {"name": f"{analysis}: {'; '.join(word for word in said if word)}", "version": 1, **_why(job, analysis, endpoint, variant)}
    dataset, variable = data_of(job.study, analysis, endpoint, one["by"])
    if dataset in sets:
        found["dataset"] = dataset
        if variable and any(item.name == variable for item in sets[dataset].dataset.variables):
            found["variable"] = variable
    if one["population"]:
        found["analysisSetId"] = identified("AS", one["population"])
    subset = subset_of(job.study, analysis, endpoint, variant, 1)
    if subset is not None and dataset in sets:
        found["dataSubsetId"] = subset["id"]
    groups = [grouping(job.study, sets, analysis, one["by"])[1]["id"]] if one["by"] else []
    groups += [TIME] if any(time is not None for time in one["time"]) else []
    found["orderedGroupings"] = [{"order": place, "groupingId": name, "resultsByGroup": True} for place, name in enumerate(groups, 1)]
    method = _method_id(one)
    found["methodId"] = method
    if program and (analysis in _RECOMPUTED or (analysis, endpoint) == ("conduct", "VISIT")) and one["by"] != "treatment":
        found["programmingCode"] = {"context": "R", "documentRef": {"referenceDocumentId": _PROGRAM}}
    cells = zip(one["level"], one["time"], one["statistic"], one["value"], one["text"], strict=True)
    return found | {"results": [_result(method, groups[0] if one["by"] else "", *cell) for cell in cells]}


def _result(method: str, group: str, level: str, time: float | None, statistic: str, value: float | None, text: str) -> Instance:
    groups: list[Instance] = [{"groupingId": group, **({"groupValue": level} if level else {})}] if group else []
    groups += [{"groupingId": TIME, "groupValue": f"{time:g}"}] if time is not None else []
    found: Instance = {"operationId": f"{method}.{statistic}"}
    found |= {"rawValue": repr(value)} if value is not None else {}
    return found | {"formattedValue": text, **({"resultGroups": groups} if groups else {})}


def _why(job: Job, analysis: str, endpoint: str, variant: str) -> Instance:
    """Return reason and purpose: of an endpoint those of the study file, else a description of what the words say."""
    own = (
        next((one for one in job.study.endpoints if one.id == endpoint), None)
        if analysis in ("response", "survival", "incidence")
        else None
    )
    made = next((one for one in job.study.variants(own) if one.name == variant), None) if own else None
    if own is None or made is None:
        purpose = identified("SP", _PURPOSES.get(analysis, _DESCRIPTION))
        return {"reason": {"controlledTerm": "SPECIFIED IN SAP"}, "purpose": {"sponsorTermId": purpose}}
    return {"reason": {"controlledTerm": reason_of(made)}, "purpose": {"controlledTerm": purpose_of(own, made)}}


def _methods(held: pl.DataFrame) -> list[Instance]:
    """Return the methods, each with its operations: the statistics that it gives, in the unit in which it gives them."""
    found: dict[str, Instance] = {}
    for one in held.iter_rows(named=True):
        name = _method_id(one)
        level = "" if one["conf_level"] is None else f", level {one['conf_level']:g}"
        words = f"{one['method'] or 'counts and summaries'} ({one['analysis']}{level}{', in ' + one['unit'] if one['unit'] else ''})"
        made = found.setdefault(name, {"id": name, "name": words, "operations": []})
        known = {operation["name"] for operation in made["operations"]}
        for statistic in dict.fromkeys(one["statistic"]):
            if statistic not in known:
                place = len(made["operations"]) + 1
                label = f"{statistic} ({one['unit']})" if one["unit"] else statistic
                made["operations"].append({"id": f"{name}.{statistic}", "name": statistic, "label": label, "order": place})
    return list(found.values())


def _selected(job: Job, sets: Mapping[str, Shaped], held: pl.DataFrame) -> Instance:
    """Return analysis sets, data subsets and groupings, each once."""
    populations = held["population"].unique(maintain_order=True).to_list()
    found: Instance = {
        "analysisSets": [analysis_set(name, place) for place, name in enumerate((name for name in populations if name), 1)],
        "dataSubsets": [],
        "analysisGroupings": [],
        "dataGroupings": [{"id": TIME, "label": "Days from the origin", "dataDriven": True}],
    }
    seen = {TIME}
    for analysis, endpoint, variant in held.select("analysis", "endpoint", "variant").unique(maintain_order=True).iter_rows():
        subset = subset_of(job.study, analysis, endpoint, variant, len(found["dataSubsets"]) + 1)
        if subset is not None and data_of(job.study, analysis, endpoint)[0] in sets and subset["id"] not in seen:
            seen.add(subset["id"])
            found["dataSubsets"].append(subset)
    for analysis, by in held.select("analysis", "by").unique(maintain_order=True).iter_rows():
        kind, made = grouping(job.study, sets, analysis, by) if by else ("", {"id": TIME})
        if made["id"] not in seen:
            seen.add(made["id"])
            found[kind].append(made)
    return found


def _output(shown: Shown, files: Mapping[str, str]) -> Instance:
    """Return a numbered display with its title and notes, and the files that hold it."""
    oid = identified("OUT", shown.file)
    notes = [{"order": place, "subSection": {"id": f"{oid}.N{place}", "text": words}} for place, words in enumerate(shown.notes, 1)]
    title = [{"order": 1, "subSection": {"id": f"{oid}.T1", "text": f"{shown.label} {shown.title}"}}]
    title += [{"order": 2, "subSection": {"id": f"{oid}.T2", "text": shown.population}}] if shown.population else []
    parts = [{"sectionType": "Title", "orderedSubSections": title}]
    parts += [{"sectionType": "Footnote", "orderedSubSections": notes}] if notes else []
    display = {"id": f"{oid}.D", "name": shown.id, "displayTitle": shown.title, "displaySections": parts}
    found: Instance = {"id": oid, "name": shown.label, "version": 1, "displays": [{"order": 1, "display": display}]}
    held = [(kind, file) for ending, kind in _FORMS for file in _held(shown.file, ending, files)]
    written = [{"name": Path(file).name, "fileType": kind, "location": f"../{file}"} for kind, file in held]
    return found | ({"fileSpecifications": written} if written else {})


def _held(name: str, ending: str, files: Mapping[str, str]) -> list[str]:
    """Return the files of a form that hold a display: its own, their parts, or the one with all."""
    own = re.compile(rf"{re.escape(name)}(-part-\d+)?\.{ending}")
    found = sorted((file for file in files if own.fullmatch(file)), key=lambda file: (len(file), file))
    return [files[file] for file in found or [f"displays.{ending}"] if file in files]


def _contents(shown: Iterable[Shown], analyses: list[Instance], where: Mapping[int, str]) -> Instance:
    """Return the list of contents: each display with the analyses that it shows, then those that no display shows."""
    names = {one["id"]: one["name"] for one in analyses}
    items: list[Instance] = []
    used: set[str] = set()
    for one in shown:
        inside = list(dict.fromkeys(where[key] for key in sorted(one.keys)))
        used.update(inside)
        items.append({"name": f"{one.label} {one.title}", "level": 1, "order": len(items) + 1, "outputId": identified("OUT", one.file)})
        if inside:
            items[-1]["sublist"] = _listed(inside, names)
    rest = [name for name in names if name not in used]
    if rest:
        named = "Analyses that no numbered table or listing shows"
        items.append({"name": named, "level": 1, "order": len(items) + 1, "sublist": _listed(rest, names)})
    return {"name": "Contents", "label": "Tables, figures and listings, and their analyses", "contentsList": {"listItems": items}}


def _listed(ids: Iterable[str], names: Mapping[str, str]) -> Instance:
    return {"listItems": [{"name": names[one], "level": 2, "order": place, "analysisId": one} for place, one in enumerate(ids, 1)]}
