"""What do the statuses of B-cell lymphoma do? The table of its family: Lugano 2014 and IWG 2007.

PD is the event, and final for its reader, who reads no further. SD after a response is no response and no event, and can censor; so is PR
after CR, which is flagged.
"""

from __future__ import annotations

from cartrial.study.criteria.codes import CR, IR, NOTHING, PD, PR, SD, Roles, roles
from cartrial.study.criteria.families import Family, Names

__all__ = ["LYMPHOMA"]

_CR = ("CMR", "CAR", "CR-CT", "COMPLETE METABOLIC RESPONSE", "COMPLETE RADIOLOGIC RESPONSE", "COMPLETE ANATOMIC RESPONSE")
_PR = ("PMR", "PAR", "PR-CT", "PARTIAL METABOLIC RESPONSE", "PARTIAL ANATOMIC RESPONSE")
# in CDISC's list NMR, no metabolic response, is a synonym of SMD; NR in data of lymphoma is no response
_SD = ("NMR", "SMD", "SAD", "SD-CT", "NO METABOLIC RESPONSE", "STABLE METABOLIC DISEASE", "STABLE ANATOMIC DISEASE", "NR")
_PD = ("PMD", "PAD", "PD-CT", "PROGRESSIVE METABOLIC DISEASE", "PROGRESSIVE ANATOMIC DISEASE", "RELAPSE")
# without avid disease at baseline a PET makes no call
_NE = ("NED", "NO EVIDENCE OF DISEASE")

LYMPHOMA = Family(
    name="lymphoma",
    best_first=("CR", "PR", "SD", "IR", "PD", "NE"),
    roles=Roles(
        responds=roles(CR, PR),
        complete=roles(CR),
        fails=roles(SD, PD),
        progresses=roles(PD),
        ends=roles(PD),
        follows=0,
        disease=roles(PR, SD, IR, PD),
        becomes=NOTHING,
        without=NOTHING,
        stops=True,
    ),
    names=Names(
        response="response",
        event="progression",
        ended="PD",
        happened="progressed",
        progression="progression",
        failure="SD or PD",
        disease="measurable or FDG-avid disease",
        evidence="imaging",
        derived="measurements",
    ),
    planned=("CR", "PR", "SD", "PD", "NE"),
    counted=("CR", "PR"),
    reads={
        **dict.fromkeys(_CR, "CR"),
        **dict.fromkeys(_PR, "PR"),
        **dict.fromkeys(_SD, "SD"),
        **dict.fromkeys(_PD, "PD"),
        **dict.fromkeys(_NE, "NE"),
        "INDETERMINATE": "IR",
    },
    modalities={"METBRESP": "PET", "RDIORESP": "CT", "ANATRESP": "CT"},
    named=("LUGANO", "LYRIC", "CHESON", "HODGKIN", "LYMPHOMA", r"\b(D?LBCL|PMBCL|NHL|MCL|FL)\b", "IWG"),
    derive="lesions",
)
