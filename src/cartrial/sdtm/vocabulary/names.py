"""Which domain is a file named after?"""

from __future__ import annotations

import re

from cartrial.sdtm.vocabulary.schema import is_domain_name

__all__ = ["domain_of_name", "named_after", "named_as_part"]

# the domains of the SDTM Implementation Guide 3.4; others of two letters are sponsors' own, or words
_GUIDE = re.compile(
    "AE|AG|BE|BS|CE|CM|CO|CP|CV|DA|DD|DM|DO|DR|DS|DT|DU|DV|EC|EG|EX|FA|FT|GF|HO|IE|IS|LB|MB|MH|MI|MK|ML|MO|MS|NV|OE|OI|PC|PE|PP|PR|QS|RE"
    "|RELREC|RELSPEC|RELSUB|RP|RS|SC|SE|SM|SR|SS|SU|SV|TA|TD|TE|TI|TM|TR|TS|TU|TV|UR|VS|SUPP[A-Z]{2}[A-Z0-9]{0,2}"
)
# domains that are split over several files in practice
_SPLIT = re.compile("(EG|FA|LB|MB|QS|RS)[A-Z0-9]{2}")


def _first(stem: str) -> str:
    return re.split(r"[^A-Z0-9]", stem.upper())[0]


def domain_of_name(stem: str) -> str | None:
    """Return the domain that the name of a file gives, whatever follows it (`dm`, `DM_sdtm`); None where it is that of none."""
    name = stem.upper()
    if is_domain_name(name):
        return name
    return _first(stem) if is_domain_name(_first(stem)) else None


def named_as_part(stem: str, domain: str) -> bool:
    """Say whether a name is that of a part of a domain, as SDTM names them: `lbch` and `lbhe` of LB."""
    return bool(re.fullmatch(f"{domain}[A-Z0-9]{{1,2}}", _first(stem)))


def named_after(stem: str) -> str | None:
    """Return the domain of the guide that a file which is not read is named after; None where its name says nothing.

    A part of a domain that is split (`lbch`, `qsco`) is named after its domain, supplemental qualifiers after theirs.
    """
    first = _first(stem)
    if _GUIDE.fullmatch(first):
        return first
    return first[:2] if _SPLIT.fullmatch(first) else None
