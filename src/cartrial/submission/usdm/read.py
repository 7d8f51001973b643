"""What does a USDM file say of a study? Versions 3 and 4: what a study file can hold, and what it would have to but is not said."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cartrial.errors import InputError
from cartrial.submission.usdm.codes import EVENT_STRATEGIES, PHASES

__all__ = ["Protocol", "Said", "Visit", "read_usdm"]

_SHAPE = "Give the JSON of one study as USDM 3 or 4 has it: study, versions, studyDesigns"
_UNITS = {"D": 1, "W": 7}
_ROLES = ("primary", "secondary", "exploratory")


class Visit(NamedTuple):
    """A visit some days after the reference; a window that is not said is None. Unit: days."""

    name: str
    day: int
    minus: int | None
    plus: int | None


class Said(NamedTuple):
    """An endpoint as the protocol has it, with the strategies of its estimand by event where one is said."""

    id: str
    label: str
    text: str
    role: str
    population: str
    strategies: dict[str, str]


@dataclass(frozen=True)
class Protocol:
    """What a USDM file says; blank or empty where it does not.

    Parameters
    ----------
    version : str
        Of USDM.
    id, title, registry, phase, model, blinding, disease, product : str
    others : tuple of str
        Names of the other interventions.
    ages : tuple of (float or None, float or None)
        Youngest and oldest. Unit: years.
    visits : tuple of Visit
    unread : tuple of str
        Timings that are no number of days after the reference.
    endpoints : tuple of Said
    criteria : tuple of str
        Texts of eligibility.
    """

    version: str
    id: str
    title: str
    registry: str
    phase: str
    model: str
    blinding: str
    disease: str
    product: str
    others: tuple[str, ...]
    ages: tuple[float | None, float | None]
    visits: tuple[Visit, ...]
    unread: tuple[str, ...]
    endpoints: tuple[Said, ...]
    criteria: tuple[str, ...]


def read_usdm(path: str | Path) -> Protocol:
    """Read a USDM file of version 3 or 4.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Protocol
        Its first version of the study, and that version's first design.

    Raises
    ------
    InputError
        If the file cannot be read, is no such file, is of another version, or has an id that is no text.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import Study
    >>> from cartrial.submission.usdm import read_usdm, write_usdm
    >>> with TemporaryDirectory() as folder:
    ...     write_usdm(Study.load("inaticel"), folder)
    ...     protocol = read_usdm(Path(folder, "usdm.json"))
    >>> protocol.registry, protocol.endpoints[0].id, protocol.endpoints[0].strategies
    ('NCT04684147', 'ORR3', {'hsct': 'composite', 'new-therapy': 'composite'})
    """
    file = Path(path)
    data = _load(file)
    version = str(data.get("usdmVersion") or "")
    if version.split(".")[0] not in ("3", "4"):
        what = f"this is USDM {version}" if version else "the file does not say its version of USDM"
        raise InputError(what, file=file.name, key="usdmVersion", right="Versions 3 and 4 are read")
    _require_names(data, file.name)
    study = next(_objects(_object(data, "study"), "versions"), None)
    design = next(_objects(study, "studyDesigns"), None) if study else None
    if study is None or design is None:
        raise InputError("the file holds no version of a study with a design", file=file.name, key="study.versions", right=_SHAPE)
    owner, registry = _identifiers(study)
    products = [*_objects(study, "studyInterventions"), *_objects(design, "studyInterventions")]
    names = list(dict.fromkeys(name for item in products if (name := _name(item))))
    visits, unread = _visits(design)
    return Protocol(
        version=version,
        id=owner,
        title=_title(study),
        registry=registry,
        phase=_phase(design.get("studyPhase") or study.get("studyPhase")),
        model=_decode(design.get("model") or design.get("interventionModel")),
        blinding=_decode(design.get("blindingSchema")),
        disease="; ".join(dict.fromkeys(_name(item) for item in _objects(design, "indications"))),
        product=names[0] if names else "",
        others=tuple(names[1:]),
        ages=_ages(_object(design, "population")),
        visits=visits,
        unread=unread,
        endpoints=_endpoints(design),
        criteria=_criteria(study, design),
    )


def _require_names(part: Any, file: str, place: str = "") -> None:
    """Raise where an id, or what refers to one, is neither text nor left out: nothing could be found by it."""
    if isinstance(part, list):
        for number, item in enumerate(part):
            _require_names(item, file, f"{place}[{number}]")
    elif isinstance(part, dict):
        for key, value in part.items():
            at = f"{place}.{key}" if place else key
            if (key == "id" or key.endswith("Id")) and not (value is None or isinstance(value, str)):
                raise InputError("an id is text", file=file, key=at, right=_SHAPE)
            _require_names(value, file, at)


def _load(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError("the file cannot be read", file=str(file), right="Give the path of a JSON file") from error
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8 text", file=file.name, right="Save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise InputError(f"this is not valid JSON: {error.msg}", file=file.name, row=error.lineno, right=_SHAPE) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; nesting of thousands
        raise InputError("this is no JSON that can be read", file=file.name, right=_SHAPE) from error
    if not isinstance(data, dict):
        raise InputError("this is no object", file=file.name, right=_SHAPE)
    return data


def _object(item: Any, key: str) -> dict[str, Any]:
    held = item.get(key) if isinstance(item, dict) else None
    return held if isinstance(held, dict) else {}


def _objects(item: Any, key: str) -> Iterator[dict[str, Any]]:
    held = item.get(key) if isinstance(item, dict) else None
    yield from (one for one in held if isinstance(one, dict)) if isinstance(held, list) else ()


def _plain(value: Any) -> str:
    """Return a text without its marks of XHTML, on one line."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", value)) if isinstance(value, str) else ""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def _name(item: dict[str, Any]) -> str:
    return _plain(item.get("label")) or _plain(item.get("name")) or _plain(item.get("description"))


def _decode(code: Any) -> str:
    """Return the words of a code, or of a code with aliases."""
    return _plain((_object(code, "standardCode") or (code if isinstance(code, dict) else {})).get("decode"))


def _coded(code: Any) -> str:
    return _plain((_object(code, "standardCode") or (code if isinstance(code, dict) else {})).get("code"))


def _title(study: dict[str, Any]) -> str:
    titles = {_decode(title.get("type")): _plain(title.get("text")) for title in _objects(study, "titles")}
    known = ("Official Study Title", "Public Study Title", "Brief Study Title")
    return next((titles[name] for name in known if titles.get(name)), next(iter(titles.values()), ""))


def _identifiers(study: dict[str, Any]) -> tuple[str, str]:
    """Return the sponsor's identifier and the registry's; their owners stand beside them in version 4, within them in version 3."""
    owners = {item.get("id"): item for item in _objects(study, "organizations")}
    found = {"sponsor": "", "registry": ""}
    for item in _objects(study, "studyIdentifiers"):
        owner = owners.get(item.get("scopeId")) or _object(item, "studyIdentifierScope")
        kind = _decode(owner.get("type") or owner.get("organizationType")).lower()
        text = _plain(item.get("text")) or _plain(item.get("studyIdentifier"))
        named = "registry" if "registry" in kind or text.startswith("NCT") else "sponsor"
        found[named] = found[named] or text
    return found["sponsor"], found["registry"]


def _phase(code: Any) -> str:
    known = {term[0]: phase for phase, term in PHASES.items()}
    return known.get(_coded(code), "")


def _ages(population: dict[str, Any]) -> tuple[float | None, float | None]:
    """Return the planned ages; limits are quantities in version 4, numbers in version 3."""
    span = _object(population, "plannedAge")

    def limit(key: str) -> float | None:
        held = span.get(key)
        value = held.get("value") if isinstance(held, dict) else held
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    return limit("minValue"), limit("maxValue")


def _days(text: Any) -> int | None:
    """Return an ISO duration of whole days or weeks in days; None where it is another."""
    found = re.fullmatch(r"P(\d{1,5})([DW])", text) if isinstance(text, str) else None
    if isinstance(text, str) and re.fullmatch(r"PT0[HMS]", text):
        return 0
    return int(found[1]) * _UNITS[found[2]] if found else None


def _visits(design: dict[str, Any]) -> tuple[tuple[Visit, ...], tuple[str, ...]]:
    """Return the visits of the main timeline that come after its reference, and the timings that are none."""
    line = next((item for item in _objects(design, "scheduleTimelines") if item.get("mainTimeline")), {})
    meetings = {item.get("id"): _name(item) for item in _objects(design, "encounters")}
    where = {item.get("id"): meetings.get(item.get("encounterId")) or _name(item) for item in _objects(line, "instances")}
    timings = list(_objects(line, "timings"))
    fixed = {item.get("relativeFromScheduledInstanceId") for item in timings if _decode(item.get("type")) == "Fixed Reference"}
    visits, unread = [], []
    for item in timings:
        kind, at = _decode(item.get("type")), item.get("relativeFromScheduledInstanceId")
        if kind == "Fixed Reference":
            continue
        day = _days(item.get("value")) if kind == "After" and item.get("relativeToScheduledInstanceId") in fixed else None
        if day is None:
            unread.append(_name(item))
            continue
        visits.append(Visit(where.get(at) or _name(item), day, _days(item.get("windowLower")), _days(item.get("windowUpper"))))
    return tuple(visits), tuple(unread)


def _endpoints(design: dict[str, Any]) -> tuple[Said, ...]:
    populations = {item.get("id"): _plain(item.get("name")) for item in _objects(design, "analysisPopulations")}
    estimands: dict[Any, dict[str, Any]] = {}
    for item in _objects(design, "estimands"):
        about = item.get("variableOfInterestId") or _object(item, "variableOfInterest").get("id")
        estimands.setdefault(about, item)
    found = []
    for objective in _objects(design, "objectives"):
        for item in _objects(objective, "endpoints"):
            own = estimands.get(item.get("id"), {})
            level = _decode(item.get("level")).lower() or _decode(objective.get("level")).lower()
            whom = populations.get(own.get("analysisPopulationId")) or _plain(_object(own, "analysisPopulation").get("name"))
            role = next((name for name in _ROLES if name in level), "")
            strategies = dict(filter(None, map(_strategy, _objects(own, "intercurrentEvents"))))
            text = _plain(item.get("text")) or _plain(item.get("description"))
            found.append(Said(_plain(item.get("name")), _plain(item.get("label")) or text, text, role, whom, strategies))
    return tuple(found)


def _strategy(event: dict[str, Any]) -> tuple[str, str] | None:
    """Return an event and its strategy in the words of a study file, or in the file's own where they are not known."""
    said = _plain(event.get("strategy"))
    plain = said.lower().replace("-", " ")
    known = next((name for name in EVENT_STRATEGIES if plain.startswith(name.replace("-", " "))), said)
    name = _plain(event.get("name")) or _plain(event.get("text"))
    return (name, known) if name else None


def _criteria(study: dict[str, Any], design: dict[str, Any]) -> tuple[str, ...]:
    items = {item.get("id"): _plain(item.get("text")) for item in _objects(study, "eligibilityCriterionItems")}
    listed = [*_objects(design, "eligibilityCriteria"), *_objects(_object(design, "population"), "criteria")]
    return tuple(text for item in listed if (text := items.get(item.get("criterionItemId")) or _plain(item.get("text"))))
