"""Which code list, dictionary and origin does a variable of SDTM or ADaM have? Read from terminology.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

__all__ = ["LISTS", "Terms", "coded_by", "listed_as", "origin_of"]


@dataclass(frozen=True)
class Terms:
    """A code list of CDISC: NCI's code of the list, its name, publishing set, and the codes of its terms that are known.

    Examples
    --------
    >>> from cartrial.submission.variables.terminology import LISTS
    >>> LISTS["NY"].code, LISTS["NY"].terms["Y"]
    ('C66742', 'C49488')
    """

    code: str
    name: str
    published: str
    terms: Mapping[str, str]


@cache
def _read() -> dict[str, Any]:
    text = (Path(__file__).parent / "terminology.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


LISTS: Mapping[str, Terms] = MappingProxyType(
    {name: Terms(said["code"], said["name"], said["set"], said["terms"]) for name, said in _read()["lists"].items()}
)
"""Code lists of CDISC by name."""


def _found(domain: str, name: str, where: str) -> Any:
    """Return what is said of a variable: of its own name, else of its name without the domain's letters; of a day by its last letters."""
    said = _read()[where]
    general = f"--{name.removeprefix(domain)}" if name.startswith(domain) else name
    if general not in said and general.startswith("--") and general.endswith("DY"):
        general = "--DY"
    return said.get(name, said.get(general))


def listed_as(domain: str, name: str) -> str:
    """Return the name of the code list of a variable of SDTM, blank where it has none.

    Examples
    --------
    >>> from cartrial.submission.variables.terminology import listed_as
    >>> listed_as("AE", "AESER"), listed_as("LB", "LBSTRESU"), listed_as("AE", "AETERM")
    ('NY', 'UNIT', '')
    """
    return str(_found(domain, name, "variables") or "")


def origin_of(domain: str, name: str) -> tuple[str, str, str]:
    """Return type, source and method of the origin of a variable of SDTM; the method is blank where nothing is derived.

    Examples
    --------
    >>> from cartrial.submission.variables.terminology import origin_of
    >>> origin_of("AE", "AESTDY")[0], origin_of("AE", "AETERM")
    ('Derived', ('Collected', 'Investigator', ''))
    """
    said = _found(domain, name, "origins") or ["Collected", "Investigator"]
    return said[0], said[1], said[2] if len(said) > 2 else ""


def coded_by(name: str) -> str:
    """Return the dictionary by which a variable is coded, blank where it is none: MedDRA, WHODrug."""
    return str(_read()["dictionaries"].get(name, ""))
