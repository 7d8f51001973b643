"""What does a ClinicalTrials.gov record say of a study, and what does it leave open? A draft study file with its unclear points.

Reads one study of the ClinicalTrials.gov API v2 (https://clinicaltrials.gov/data-api/api): `protocolSection` and its modules.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from cartrial.errors import InputError
from cartrial.study.registry.outcome import Outcome, draft_outcomes, ordinary_visits, plain, read_outcomes
from cartrial.study.study import RULES

__all__ = ["draft_study", "read_registry"]

_SHAPE = "Give the JSON of one study as the ClinicalTrials.gov API v2 returns it, with protocolSection"
_LYMPHODEPLETION = ("FLUDARABINE", "CYCLOPHOSPHAMIDE", "ALEMTUZUMAB", "BENDAMUSTINE")
_ORIGIN = {"allogeneic": r"allogen|donor|universal|off-the-shelf", "autologous": r"autolog"}
_MODULES = (
    *("identificationModule", "statusModule", "descriptionModule", "conditionsModule", "designModule"),
    *("armsInterventionsModule", "outcomesModule", "eligibilityModule", "contactsLocationsModule"),
)
_BASELINE = (
    {"id": "AGE", "label": "Age", "unit": "years", "from": {"domain": "DM", "variable": "AGE"}, "source": "assumption"},
    {"id": "SEX", "label": "Sex", "from": {"domain": "DM", "variable": "SEX"}, "source": "assumption"},
)


def read_registry(path: str | Path) -> dict[str, Any]:
    """Read a registry record.

    Parameters
    ----------
    path : str or Path
        A JSON file with one study of the ClinicalTrials.gov API v2, or a search result that holds exactly one.

    Returns
    -------
    dict
        The study, with `protocolSection`.

    Raises
    ------
    InputError
        If the file cannot be read, is not JSON, or is not such a study.
    """
    file = Path(path)
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
        json.dumps(data, ensure_ascii=False).encode()
    except OSError as error:
        raise InputError("the file cannot be read", file=str(file), right="Give the path of a JSON file") from error
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8 text", file=file.name, right="Save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise InputError(f"this is not valid JSON: {error.msg}", file=file.name, row=error.lineno, right=_SHAPE) from error
    except UnicodeEncodeError as error:  # an escape such as \ud800 alone
        raise InputError("a text of the file holds half a character (\\ud800 or its like)", file=file.name, right=_SHAPE) from error
    except ValueError as error:  # Python refuses a number of thousands of digits
        raise InputError("a number of the file has thousands of digits", file=file.name, right=_SHAPE) from error
    except RecursionError as error:
        raise InputError("the JSON is nested too deeply", file=file.name, right=_SHAPE) from error
    if isinstance(data, dict) and isinstance(data.get("studies"), list):
        studies = data["studies"]
        if len(studies) != 1:
            raise InputError(f"the file holds {len(studies)} studies", file=file.name, key="studies", right="Give the record of one study")
        data = studies[0]
    _protocol(data, file.name)
    study: dict[str, Any] = data
    return study


def draft_study(record: dict[str, Any]) -> tuple[str, list[str]]:
    """Turn a registry record into a draft study file.

    Parameters
    ----------
    record : dict
        One study of the ClinicalTrials.gov API v2.

    Returns
    -------
    text : str
        A study file that `Study.load` reads. What the record says is quoted in comments; what it does not say is `source: assumption` and
        stands under `unclear`.
    unclear : list of str
        The points to settle before the file is used.

    Raises
    ------
    InputError
        If the record is not of that shape, has no title or no outcomes.
    """
    protocol = _protocol(record, None)
    identification = protocol["identificationModule"]
    title = plain(identification.get("briefTitle")) or plain(identification.get("officialTitle"))
    if not title:
        raise InputError("the study has no title", key="protocolSection.identificationModule.briefTitle", right=_SHAPE)
    outcomes = read_outcomes(protocol["outcomesModule"], _SHAPE)
    visits = ordinary_visits()
    unclear: list[str] = []
    identity, product = _identity(protocol, title, unclear), _product(protocol, title, unclear)
    points = draft_outcomes(outcomes, visits)
    disease = _disease(protocol, title, sorted(visits, key=lambda visit: visit["day"]), unclear)
    reader, said = _reader(protocol, outcomes)
    if not said:
        unclear.append("Reader: the record does not say who assesses the response; drafted as the investigator.")
    unclear.extend(points)
    drafted = [outcome for outcome in outcomes if outcome.endpoint]
    if drafted:
        unclear.append("Hypotheses: the record gives no null and no alternative; no test is drafted.")
        if all(outcome.role != "primary" for outcome in drafted):
            unclear.append("Primary endpoint: no primary outcome of the record could be drafted.")
    else:
        identity["listing-only"] = "no outcome of the registry record could be drafted as a response rate or a time to event"
        unclear.append("Endpoints: no outcome of the record could be drafted; write them by hand.")
    readers = {"primary": reader, "source": "registry record" if said else "assumption"}
    parts = {"study": identity, "product": product, "disease": disease, "readers": readers, "baseline": list(_BASELINE)}
    return _text(parts, drafted, unclear), unclear


def _protocol(record: Any, file: str | None) -> dict[str, dict[str, Any]]:
    """Return the modules of a record, each a dict, empty where absent."""
    if not isinstance(record, dict):
        raise InputError("this is not a registry record", file=file, right=_SHAPE)
    section = record.get("protocolSection")
    if not isinstance(section, dict):
        older = section is None and {"FullStudiesResponse", "FullStudy", "Study"} & set(record)
        what = "this is a record of the older registry interface" if older else "protocolSection is missing or no object"
        raise InputError(what, file=file, key="protocolSection", right=_SHAPE)
    for name in _MODULES:
        if not isinstance(section.get(name, {}), dict):
            raise InputError("this module is not an object", file=file, key=f"protocolSection.{name}", right=_SHAPE)
    if not section.get("identificationModule"):
        raise InputError("the study has no identification", file=file, key="protocolSection.identificationModule", right=_SHAPE)
    read_outcomes(section.get("outcomesModule", {}), _SHAPE, file)
    return {name: section.get(name, {}) for name in _MODULES}


def _object(module: dict[str, Any], key: str) -> dict[str, Any]:
    held = module.get(key)
    return held if isinstance(held, dict) else {}


def _objects(module: dict[str, Any], key: str) -> list[dict[str, Any]]:
    listed = module.get(key)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _words(module: dict[str, Any], key: str) -> list[str]:
    listed = module.get(key)
    return [plain(item) for item in listed if plain(item)] if isinstance(listed, list) else []


def _identity(protocol: dict[str, dict[str, Any]], title: str, unclear: list[str]) -> dict[str, Any]:
    identity, design = protocol["identificationModule"], protocol["designModule"]
    number = plain(identity.get("nctId")) or None
    phases = "/".join(word.replace("EARLY_", "early ").replace("PHASE", "") for word in _words(design, "phases") if word != "NA") or None
    info = _object(design, "designInfo")
    masking = _object(info, "maskingInfo")
    model = plain(info.get("interventionModel"))
    arms = "single-arm" if model == "SINGLE_GROUP" else model.lower().replace("_", " ")
    words = [arms, "open-label" if plain(masking.get("masking")) == "NONE" else ""]
    sites = len(_objects(protocol["contactsLocationsModule"], "locations")) or None
    if not number:
        unclear.append("Registry number: the record gives none.")
    if not phases:
        unclear.append("Phase: the record gives none.")
    if model != "SINGLE_GROUP":
        unclear.append(f"Design: the record says {arms or 'nothing of its arms'}; one arm is drafted.")
    unclear.append("Cutoff: a registry record has none; set it when the data are cut (`none` means that the source has study days only).")
    slug = re.sub(r"[^a-z0-9]+", "-", (number or plain(identity.get("acronym")) or title).lower()).strip("-") or "draft"
    slug = slug if len(slug) <= 40 else slug[:41].rpartition("-")[0] or slug[:40]
    drafted = {
        **{"id": slug, "title": title, "registry": number, "phase": phases, "design": ", ".join(word for word in words if word) or None},
        **{"sites": sites, "cutoff": "none", "source": "registry record; what it does not say is an assumption"},
    }
    return {key: value for key, value in drafted.items() if value is not None}


def _product(protocol: dict[str, dict[str, Any]], title: str, unclear: list[str]) -> dict[str, Any]:
    module = protocol["armsInterventionsModule"]
    interventions = [item for item in _objects(module, "interventions") if plain(item.get("name"))]
    if not interventions:
        at = "protocolSection.armsInterventionsModule.interventions"
        raise InputError("the record has no intervention", key=at, right="The study product is needed")

    def rank(item: dict[str, Any]) -> tuple[bool, bool]:
        cells = re.search(r"\bCAR\b|CAR-T|chimeric|leucel|T[- ]cells?\b", plain(item.get("name")), re.I)
        return not cells, plain(item.get("type")).upper() not in ("BIOLOGICAL", "GENETIC")

    product = min(interventions, key=rank)
    name = plain(product.get("name"))
    others = [item for item in interventions if item is not product]
    described = [plain(item.get(key)) for item in interventions + _objects(module, "armGroups") for key in ("name", "description")]
    depletion = [drug for drug in _LYMPHODEPLETION if drug in " ".join(described).upper()]
    kind: str | None = None
    own_words = (name, title, plain(product.get("description")), *_words(product, "otherNames"))
    for text in (*own_words, plain(protocol["identificationModule"].get("officialTitle"))):
        said = {word for word, pattern in _ORIGIN.items() if re.search(pattern, text, re.I)}
        if len(said) == 1:
            kind = said.pop()
            break
    target = re.search(r"\bCD\d{2,3}\b|\bBCMA\b", f"{name} {title}", re.I)
    if kind is None:
        unclear.append("Product: the record does not say whether the cells are autologous or allogeneic; drafted as autologous.")
    if not depletion:
        unclear.append("Lymphodepletion: the record names no drugs; none is drafted.")
    unclear.append(f"Product names: the words of EXTRT are not in a registry record; drafted as '{name.upper()}'.")
    unclear.append("Second infusion: the record is not read for whether another one is planned; drafted as new therapy.")
    names = [plain(item.get("name")) for item in others]
    rest = [word for word in names if not any(drug in word.upper() for drug in _LYMPHODEPLETION)]
    if rest:
        unclear.append(f"Other interventions: {', '.join(rest)}; only '{name}' is taken as the study product.")
    exposure = [word.upper() for word in (name, *_words(product, "otherNames"))]
    drafted = {
        **{"name": name, "type": kind or "autologous", "exposure": exposure},
        **{"target": target.group().upper() if target else None, "lymphodepletion": depletion or None},
        "source": "registry record (name); assumption (words of EXTRT, re-infusion" + ("" if kind else ", autologous") + ")",
    }
    return {key: value for key, value in drafted.items() if value is not None}


def _disease(protocol: dict[str, dict[str, Any]], title: str, visits: list[dict[str, Any]], unclear: list[str]) -> dict[str, Any]:
    conditions = _words(protocol["conditionsModule"], "conditions")
    words = " ".join([title, *conditions])
    lymphoblastic = re.search("lymphoblastic", words, re.I) or re.search(r"\bB?-?ALL\b", words)
    name = "B-cell acute lymphoblastic leukaemia" if lymphoblastic else "; ".join(conditions) or "not stated"
    if not lymphoblastic:
        unclear.append(f"Disease: the record says '{name}'; the criteria here are those of acute lymphoblastic leukaemia.")
    unclear.append("Response criteria: the record names no set; drafted as nccn.")
    unclear.append("Visits: a registry record has no schedule; an ordinary one is drafted, with the days that the outcomes name.")
    mrd = {"negative-below": 1e-4, "source": "assumption"}
    return {"name": name, "criteria": "nccn", "mrd": mrd, "visits": visits, "source": "assumption"}


def _reader(protocol: dict[str, dict[str, Any]], outcomes: list[Outcome]) -> tuple[str, bool]:
    """Return who reads, and whether the record says so."""
    summary = (plain(protocol["descriptionModule"].get(key)) for key in ("briefSummary", "detailedDescription"))
    words = " ".join([*(outcome.text for outcome in outcomes), *summary])
    if re.search(r"independent (review|radiolog|assess|central)|\bB?IRC\b|\bBICR\b|central review", words, re.I):
        return "IRC", True
    return "INV", bool(re.search(r"investigator[- ]assess|(by|per) (the )?(local )?investigator", words, re.I))


def _text(parts: dict[str, Any], outcomes: list[Outcome], unclear: list[str]) -> str:
    """Return the study file; the words of the record and the open points stand as comments above what was made of them."""
    lines = ["# A draft from a registry record, not a protocol: settle every point of `unclear`, at the end, before it is used."]
    lines += ["schema: 1", f"rules: {RULES}"]
    lines += [_dump({name: part}, None if name in ("disease", "baseline") else False) for name, part in parts.items()]
    if outcomes:
        lines.append("endpoints:")
    for outcome in outcomes:
        comments = [f"The record says: {outcome.text}", *(f"Unclear, {point}" for point in outcome.open)]
        lines += [*(f"# {comment}" for comment in comments), _dump([outcome.endpoint], None)]
    return "\n".join([*lines, _dump({"unclear": unclear}, False)]) + "\n"


def _dump(data: Any, flow: bool | None) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=flow).rstrip("\n")
