"""What does a ClinicalTrials.gov record post as its results? Rows of the registry, in which nothing is guessed.

Reads the `resultsSection` of one study of the ClinicalTrials.gov API v2 (https://clinicaltrials.gov/data-api/about-api/study-data-structure).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from cartrial.errors import InputError
from cartrial.evidence.registry.stated import NOT_APPLICABLE, NOT_STATED
from cartrial.evidence.registry.trial import TrialFile
from cartrial.files import built_beside
from cartrial.study.registry.record import read_registry
from cartrial.yamlfile import validate

__all__ = ["Posted", "read_posted", "write_posted"]

_COUNTED, _TIMES = ("COUNT_OF_PARTICIPANTS", "NUMBER"), ("MEDIAN",)
_PEOPLE = re.compile(r"participants?|patients?|subjects?", re.I)
# of people, or of nothing that is named: a share of cells is no proportion of patients
_PERCENT = re.compile(r"(?:%|percent(?:age)?)(?: of)?(?: the)?(?: participants?| patients?| subjects?)?(?: .*(?:with|who) .*)?", re.I)
# an estimate over time is no count: 52.4 % of 39 by Kaplan and Meier need be no whole number of patients
_ESTIMATED = re.compile(r"surviv|kaplan|probabilit|duration|time[ -]to|free\b|cumulative|\b(?:OS|EFS|RFS|PFS|DFS|LFS|DO[RC]R?)\b", re.I)
_ENDPOINTS = {"overall survival": "OS", "event-free survival": "EFS", "relapse-free survival": "RFS", "duration of response": "DOR"}
_UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_LONGEST = 12
_ADULTS = {"ADULT", "OLDER_ADULT"}


@dataclass(frozen=True)
class Posted:
    """Results of a record.

    Parameters
    ----------
    trial : TrialFile
    source : dict
        Of the registry's `sources.yaml`.
    left_out : tuple of str
        What was posted and is no row, each with its reason.
    """

    trial: TrialFile
    source: dict[str, Any]
    left_out: tuple[str, ...]


def read_posted(path: str | Path) -> Posted:
    """Read the results that a record posts.

    A count or percentage of participants becomes a proportion under the title of its outcome, and a median of a time whose title names an
    endpoint a median. Window, reader, strategies, criteria and origin are `not-stated` until a person sets them; whether a proportion is
    a response rate, and of which remissions, is for a person to say too. Nothing is sure: high.

    Parameters
    ----------
    path : str or Path
        JSON of one study, as the API gives it.

    Raises
    ------
    InputError
        If it is no such record, or no results are posted.

    Examples
    --------
    >>> import json
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.evidence.registry.posted import read_posted
    >>> counted = {"title": "Remission", "paramType": "COUNT_OF_PARTICIPANTS", "unitOfMeasure": "Participants"}
    >>> counted["denoms"] = [{"units": "Participants", "counts": [{"groupId": "OG000", "value": "39"}]}]
    >>> counted["classes"] = [{"categories": [{"measurements": [{"groupId": "OG000", "value": "32"}]}]}]
    >>> protocol = {"identificationModule": {"nctId": "NCT01234567"}}
    >>> protocol["outcomesModule"] = {"primaryOutcomes": [{"measure": "Remission", "timeFrame": "3 months"}]}
    >>> record = {"protocolSection": protocol, "resultsSection": {"outcomeMeasuresModule": {"outcomeMeasures": [counted]}}}
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "record.json"
    ...     _ = file.write_text(json.dumps(record), encoding="utf-8")
    ...     row = read_posted(file).trial.results[0]
    >>> row.count, row.of, row.reader, row.sure
    (32, 39, 'not-stated', 'medium')
    """
    record = read_registry(path)
    file = Path(path).name
    results = record.get("resultsSection")
    measures = _list(_object(results, "outcomeMeasuresModule"), "outcomeMeasures")
    if not measures:
        raise InputError("the record has no posted results", file=file, key="resultsSection", right="Give a record with outcome measures")
    trial = _trial(record["protocolSection"])
    rows: list[dict[str, Any]] = []
    left_out: list[str] = []
    for number, measure in enumerate(measures, 1):
        for row in _rows(measure, number, trial["id"]):
            if isinstance(row, str):
                left_out.append(f"outcome {number}, {_text(measure, 'title')}: {row}")
            else:
                again = sum(one["id"] == row["id"] or one["id"].startswith(f"{row['id']}-again-") for one in rows)
                rows.append(row | ({"id": f"{row['id']}-again-{again + 1}"} if again else {}))
    data = {
        "schema": 1,
        "trial": trial,
        "cuts": [{"id": "posted", "date": NOT_STATED, "follow-up": NOT_STATED}],
        "sums": [],
        "results": rows,
    }
    source = {
        "id": f"{trial['id']}-results",
        "kind": "registry",
        "citation": f"ClinicalTrials.gov {trial['registry']}, posted results",
        "locator": {"nct": trial["registry"]},
        "date": _text(_object(_object(record["protocolSection"], "statusModule"), "resultsFirstPostDateStruct"), "date") or NOT_STATED,
        "language": "en",
        "licence": NOT_STATED,
        "read": "posted results",
        "retracted": NOT_STATED,
    }
    return Posted(validate(TrialFile, data, {}, file), source, tuple(dict.fromkeys(left_out)))


def write_posted(found: Posted, out: str | Path) -> list[Path]:
    """Write a folder that `read_evidence` reads: the trial, its source, and no claims or dates. Returns the files."""
    trial = found.trial.model_dump(mode="json", by_alias=True)
    texts = {
        f"trials/{found.trial.trial.id}.yaml": _restored(trial),
        "sources.yaml": {"schema": 1, "sources": [found.source]},
        "claims.yaml": {"schema": 1, "claims": []},
        "timeline.yaml": {"schema": 1, "product": trial["trial"]["product"], "marks": []},
    }
    out = Path(out)
    for folder, names in ((out / "trials", [name for name in texts if "/" in name]), (out, [name for name in texts if "/" not in name])):
        with built_beside(folder) as place:
            for name in names:
                text = yaml.safe_dump(texts[name], sort_keys=False, allow_unicode=True, width=140)
                (place / Path(name).name).write_text(text, encoding="utf-8")
    return [out / name for name in texts]


def _restored(trial: dict[str, Any]) -> dict[str, Any]:
    """Return the file as it is written: what is not stated says so."""
    for one in trial["results"]:
        one["measure"] = {key: value for key, value in one["measure"].items() if value not in (None, [])}
        for key in ("of", "count", "value", "interval"):
            one[key] = NOT_STATED if one[key] is None else one[key]
        if isinstance(one["interval"], dict) and one["interval"]["level"] is None:
            one["interval"]["level"] = NOT_STATED
        for key in ("rule", "earlier"):
            if not one[key]:
                del one[key]
    for cut in trial["cuts"]:
        cut.update({key: NOT_STATED for key in ("date", "follow-up") if cut[key] is None})
    return trial


def _object(held: Any, key: str) -> dict[str, Any]:
    value = held.get(key) if isinstance(held, dict) else None
    return value if isinstance(value, dict) else {}


def _list(held: Any, key: str) -> list[dict[str, Any]]:
    value = held.get(key) if isinstance(held, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(held: Any, key: str) -> str:
    value = held.get(key) if isinstance(held, dict) else None
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _trial(protocol: dict[str, Any]) -> dict[str, Any]:
    identity = _object(protocol, "identificationModule")
    nct = _text(identity, "nctId")
    if not re.fullmatch(r"NCT\d{8}", nct):
        raise InputError("the record has no NCT number", key="nctId", right="Give the JSON as the API returns it")
    arms = _list(_object(protocol, "armsInterventionsModule"), "interventions")
    conditions = _object(protocol, "conditionsModule").get("conditions")
    ages = _object(protocol, "eligibilityModule").get("stdAges")
    places = [_text(place, "country") for place in _list(_object(protocol, "contactsLocationsModule"), "locations")]
    return {
        "id": nct.lower(),
        "name": _text(identity, "briefTitle") or nct,
        "registry": nct,
        "product": "; ".join(dict.fromkeys(_text(one, "name") for one in arms)) or NOT_STATED,
        "type": NOT_STATED,
        "costimulation": NOT_STATED,
        "disease": "; ".join(str(one) for one in conditions) if isinstance(conditions, list) and conditions else NOT_STATED,
        "ages": "adults" if isinstance(ages, list) and ages and set(ages) <= _ADULTS else NOT_STATED,
        "line": NOT_STATED,
        "country": "; ".join(dict.fromkeys(place for place in places if place)) or NOT_STATED,
        "control": NOT_STATED,
        "overlaps": [],
    }


def _rows(measure: dict[str, Any], number: int, trial: str) -> Iterator[dict[str, Any] | str]:
    """Yield the rows of an outcome, and why a part of it is none."""
    kind, unit, title = _text(measure, "paramType").upper().replace(" ", "_"), _text(measure, "unitOfMeasure"), _text(measure, "title")
    if _text(measure, "reportingStatus").upper().replace(" ", "_") == "NOT_POSTED":
        yield "its numbers are not posted"
        return
    made, why = _measure(kind, unit, title, _text(measure, "description"))
    if made is None:
        yield why
        return
    level = re.search(r"(\d+(?:\.\d+)?)\s*%?\s*confidence interval", _text(measure, "dispersionType"), re.I)
    groups = {_text(group, "id"): _text(group, "title") for group in _list(measure, "groups")}
    for part, one, item, group in _measurements(measure):
        found = _numbers(kind, unit, made, _denominator(measure, one, group), item, level[1] if level else None)
        if isinstance(found, str):
            yield f"{groups.get(group, group)}: {found}"
            continue
        what = f"{title}: {part}" if part else title
        yield {
            "id": _slug(f"{trial}-{number}-{group}-{part}"),
            "cut": "posted",
            "population": "other",
            "group": groups.get(group) or group or NOT_STATED,
            **found,
            "measure": made | ({"what": what} if made["type"] == "proportion" else {}),
            "window": NOT_APPLICABLE,
            "reader": NOT_STATED,
            "strategies": {"hsct": NOT_STATED, "new-therapy": NOT_STATED},
            "criteria": NOT_STATED,
            "source": f"{trial}-results",
            "where": f"outcome {number}",
            "read": {"by": NOT_STATED, "on": NOT_STATED, "as": "registry"},
            "sure": "medium",
            "kind": "printed",
            "note": "; ".join(
                words for words in (f"time frame: {_text(measure, 'timeFrame')}", _text(measure, "populationDescription")) if words
            ),
        }


def _measure(kind: str, unit: str, title: str, description: str) -> tuple[dict[str, Any] | None, str]:
    """Return what an outcome measures, or why that is no row."""
    percent = _PERCENT.fullmatch(unit) is not None
    if kind == "NUMBER" and "%" not in unit and re.search("percent", unit, re.I) and _ESTIMATED.search(unit):
        return None, f"{unit} is an estimate over time and no count: write it as survival, with its time and origin"
    if kind == "NUMBER" and percent and (_ESTIMATED.search(title) or re.search("kaplan", description, re.I)):
        return None, "a percentage over time is an estimate and no count: write it as survival, with its time and origin"
    if kind in _COUNTED and (kind == "COUNT_OF_PARTICIPANTS" or percent or _PEOPLE.fullmatch(unit)):
        return {"type": "proportion", "kind": "outcome"}, ""
    time = next((word for start, word in _UNITS.items() if unit.lower().startswith(start)), None)
    if kind in _TIMES and time:
        named = [endpoint for words, endpoint in _ENDPOINTS.items() if words in title.lower()]
        if len(named) == 1:
            return {"type": "median", "endpoint": named[0], "unit": time, "origin": NOT_STATED}, ""
        return None, "a median of a time whose title names no endpoint, or several"
    return None, f"a {kind.lower().replace('_', ' ') or 'number'} of {unit or 'no unit'} is no measure of the registry"


def _measurements(measure: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], str]]:
    """Yield each number with the words of its class and category, its class and its group."""
    for one in _list(measure, "classes"):
        for category in _list(one, "categories"):
            words = ", ".join(text for text in (_text(one, "title"), _text(category, "title")) if text)
            for item in _list(category, "measurements"):
                yield words, one, item, _text(item, "groupId")


def _denominator(measure: dict[str, Any], one: dict[str, Any], group: str) -> int | None:
    """Return the participants of a group: of its class where that has its own, otherwise of the outcome."""
    for held in (one, measure):
        for denominator in _list(held, "denoms"):
            if _PEOPLE.fullmatch(_text(denominator, "units")):
                for count in _list(denominator, "counts"):
                    if _text(count, "groupId") == group and _text(count, "value").isdecimal():
                        return int(_text(count, "value"))
    return None


def _numbers(kind: str, unit: str, made: dict[str, Any], of: int | None, item: dict[str, Any], level: str | None) -> dict[str, Any] | str:
    """Return the numbers of a row, or why there are none."""
    value, ends = _text(item, "value"), (_text(item, "lowerLimit"), _text(item, "upperLimit"))
    people = made["type"] == "proportion" and not _PERCENT.fullmatch(unit)
    # NA of a record: not estimable, for whatever reason
    if made["type"] == "median" and value.upper() == "NA":
        value = "NE"
    elif not _NUMBER.fullmatch(value):
        return f"'{value}' is no number"
    if len(value) > _LONGEST:
        return f"{value} has more digits than were measured: write it as it was meant"
    if of == 0:
        return "nobody was analysed"
    held: dict[str, Any] = {"of": of or NOT_STATED, "count": NOT_STATED, "value": NOT_STATED, "interval": NOT_STATED}
    if people:
        if not value.isdecimal() or (of is not None and int(value) > of):
            return f"{value} of {of} participants cannot be"
        return held | {"count": int(value)}
    if made["type"] == "proportion" and not 0 <= Fraction(value) <= 100:
        return f"{value} is no percentage"
    held["value"] = {"text": value, "unit": "%" if made["type"] == "proportion" else made["unit"]}
    known = ["NE" if made["type"] == "median" and end.upper() == "NA" else end for end in ends]
    if level and all(end == "NE" or _NUMBER.fullmatch(end) for end in known):
        numbers = [Fraction(end) for end in known if end != "NE"]
        if numbers != sorted(numbers) or any(number < 0 for number in numbers) or any(len(end) > _LONGEST for end in known):
            return f"its limits {known[0]} to {known[1]} are none: they are not in order, below 0, or of more digits than were measured"
        held["interval"] = {"text": known, "level": float(level), "method": NOT_STATED}
    return held
