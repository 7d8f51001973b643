"""Which study file can be drafted of a protocol in USDM, and what is missing in it? What is not said is listed, and never guessed."""

from __future__ import annotations

import re
from typing import Any

import yaml

from cartrial.study.registry.outcome import ordinary_visits
from cartrial.study.study import RULES
from cartrial.submission.usdm.read import Protocol, Said

__all__ = ["draft_protocol"]

NEEDED = {
    "type": "response-rate, best-response or time-to-event",
    "response or events": "which statuses are a response, or what the event is",
    "window or origin": "when it is assessed, or from when the time runs",
    "missing": "what is done with visits that are missed and windows that are open",
}
"""What an endpoint of a study file has and USDM has no place for."""


def draft_protocol(protocol: Protocol) -> tuple[str, list[str]]:
    """Turn a protocol in USDM into a draft of a study file.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    text : str
        A study file that `Study.load` reads. It estimates nothing: endpoints stand in it as comments, with what USDM says of them and what
        is to be written.
    unclear : list of str
        Everything that a study file needs and the protocol does not say.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial import Study
    >>> from cartrial.submission.usdm import draft_protocol, read_usdm, write_usdm
    >>> with TemporaryDirectory() as folder:
    ...     write_usdm(Study.load("inaticel"), folder)
    ...     text, unclear = draft_protocol(read_usdm(Path(folder, "usdm.json")))
    >>> "# - id: ORR3" in text, unclear[0]
    (True, 'Cutoff: a protocol has none; set it when the data are cut (`none`: the source has study days only).')
    """
    unclear = ["Cutoff: a protocol has none; set it when the data are cut (`none`: the source has study days only)."]
    parts = {"study": _identity(protocol, unclear), "product": _product(protocol, unclear)}
    low, high = protocol.ages
    if low is not None or high is not None:
        ages = {name: limit for name, limit in (("from", low), ("to", high)) if limit is not None}
        parts["eligibility"] = {"age": ages | {"source": f"USDM {protocol.version}"}}
    else:
        unclear.append("Ages: the file gives no planned ages.")
    parts["disease"] = _disease(protocol, unclear)
    parts["readers"] = {"primary": "INV", "source": "assumption"}
    unclear.append("Reader: USDM has no place for who assesses the response; drafted as the investigator.")
    for endpoint in protocol.endpoints:
        unclear.append(f"Endpoint {endpoint.id or endpoint.label}: {', '.join(NEEDED)} are not in USDM" + _lacking(endpoint) + ".")
    if not protocol.endpoints:
        unclear.append("Endpoints: the file has none.")
    if protocol.criteria:
        unclear.append(f"Eligibility: {len(protocol.criteria)} criteria in words are not read.")
    lines = [f"# A draft from USDM {protocol.version}: settle every point of `unclear`, at the end, before it is used.", "schema: 1"]
    lines += [f"rules: {RULES}", *(_dump({name: part}) for name, part in parts.items()), *_endpoints(protocol)]
    return "\n".join([*lines, _dump({"unclear": unclear})]) + "\n", unclear


def _lacking(endpoint: Said) -> str:
    return "" if endpoint.strategies else "; no estimand of it says a strategy"


def _identity(protocol: Protocol, unclear: list[str]) -> dict[str, Any]:
    for name, said in (("Registry number", protocol.registry), ("Phase", protocol.phase), ("Title", protocol.title)):
        if not said:
            unclear.append(f"{name}: the file gives none that is known.")
    slug = re.sub(r"[^a-z0-9]+", "-", (protocol.id or protocol.registry or protocol.title).lower()).strip("-")[:40].strip("-") or "draft"
    single = "single" in protocol.model.lower()
    if not single:
        unclear.append(f"Design: the file says '{protocol.model or 'nothing of its arms'}'; one arm is described.")
    unclear.append("Sites: the number of sites is not read.")
    words = ["single-arm" if single else protocol.model.lower(), "open-label" if "open" in protocol.blinding.lower() else ""]
    drafted = {"id": slug, "title": protocol.title or slug, "registry": protocol.registry, "phase": protocol.phase}
    drafted |= {"design": ", ".join(word for word in words if word), "cutoff": "none"}
    drafted |= {"listing-only": "the protocol came as USDM, which has no place for the rules of an endpoint; write them first"}
    drafted |= {"source": f"USDM {protocol.version}; what it does not say is an assumption"}
    return {name: said for name, said in drafted.items() if said}


def _product(protocol: Protocol, unclear: list[str]) -> dict[str, Any]:
    name = protocol.product or "not stated"
    if not protocol.product:
        unclear.append("Product: the file names no intervention.")
    if protocol.others:
        unclear.append(f"Other interventions: {', '.join(protocol.others)}; '{name}' is taken as the study product.")
    unclear.append("Product: USDM does not say whether cells are autologous or allogeneic; drafted as autologous.")
    unclear.append(f"Product names: the words of EXTRT are not in USDM; drafted as '{name.upper()}'.")
    unclear.append("Lymphodepletion: none is read.")
    return {
        "name": name,
        "type": "autologous",
        "exposure": [name.upper()],
        "source": f"USDM {protocol.version} (name); assumption (the rest)",
    }


def _disease(protocol: Protocol, unclear: list[str]) -> dict[str, Any]:
    visits: list[dict[str, Any]] = [
        {"name": visit.name, "day": visit.day, "minus": visit.minus, "plus": visit.plus}
        for visit in protocol.visits
        if visit.minus is not None and visit.plus is not None
    ]
    known = {visit["day"]: visit for visit in visits}
    for visit in protocol.visits:
        if visit.minus is None or visit.plus is None:
            unclear.append(f"Visit {visit.name}: day {visit.day} has no window and is left out.")
    if protocol.unread:
        unclear.append(f"Visits left out, which are no whole days after the first dose: {', '.join(protocol.unread)}.")
    source = f"USDM {protocol.version} (visits)"
    if not known:
        unclear.append("Visits: the file has none with a window; an ordinary schedule stands in their place.")
        known, source = {visit["day"]: visit for visit in ordinary_visits()}, "assumption"
    if not protocol.disease:
        unclear.append("Disease: the file names no indication.")
    unclear.append("Response criteria: USDM has no place for them; drafted as nccn, which is of acute lymphoblastic leukaemia.")
    drafted = {"name": protocol.disease or "not stated", "criteria": "nccn", "mrd": {"negative-below": 1e-4, "source": "assumption"}}
    return drafted | {"visits": [known[day] for day in sorted(known)], "source": f"{source}; criteria are an assumption"}


def _endpoints(protocol: Protocol) -> list[str]:
    """Return the endpoints as comments: what is said of each, and what is to be written."""
    lines = [
        "# The endpoints of the protocol. Write what is marked TODO, take the marks of comments away, and take listing-only out of study."
    ]
    lines += ["# endpoints:"] if protocol.endpoints else []
    for endpoint in protocol.endpoints:
        said: dict[str, Any] = {"id": endpoint.id, "label": endpoint.label, "role": endpoint.role, "population": endpoint.population}
        said |= {"strategies": endpoint.strategies}
        block = _dump([{name: value for name, value in said.items() if value}])
        lines += [f"# {line}" for line in [*block.splitlines(), *(f"  {name}: TODO ({words})" for name, words in NEEDED.items())]]
        lines.append(f"#   # The protocol says: {endpoint.text}")
    return lines


def _dump(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=None).rstrip("\n")
