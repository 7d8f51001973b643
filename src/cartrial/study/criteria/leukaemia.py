"""What do the statuses of acute lymphoblastic leukaemia do? The table of its family (rules, paragraphs 3 and 4)."""

from __future__ import annotations

from cartrial.study.criteria.codes import CR, CRH, CRI, INDETERMINATE, MRD_RELAPSE, NR, PD, RELAPSE, Roles, roles
from cartrial.study.criteria.families import Family, Names

__all__ = ["DISEASE", "LEUKAEMIA", "REMISSION", "RESISTANCE"]

REMISSION = roles(CR, CRH, CRI, MRD_RELAPSE)
"""Complete remission, with or without full recovery of counts: what a response is made of, and what a relapse can follow.

MRD RELAPSE is a remission whose residual disease has come back: an event only where an endpoint lists it (rules for children, P4).
"""

RESISTANCE = roles(NR, PD)
"""Disease that no remission preceded: non-response where it is read in the response window."""

DISEASE = roles(NR, PD, RELAPSE)
"""Morphologic disease."""

LEUKAEMIA = Family(
    name="leukaemia",
    best_first=("CR", "CRh", "CRi", "MRD RELAPSE", "MLFS", "NR", "PD", "RELAPSE", "INDETERMINATE", "NE"),
    roles=Roles(
        responds=REMISSION,
        complete=0,
        fails=RESISTANCE,
        progresses=roles(PD, RELAPSE),
        ends=roles(RELAPSE),
        follows=roles(RELAPSE, INDETERMINATE),
        disease=DISEASE,
        becomes=RELAPSE,
        without=NR,
        stops=False,
    ),
    names=Names(
        response="remission",
        event="relapse",
        ended="RELAPSE",
        happened="relapsed",
        progression="PD or relapse",
        failure="NR or PD",
        disease="morphologic disease",
        evidence="sample",
    ),
    planned=("CR", "CRi", "NR", "PD", "RELAPSE", "NE"),
    counted=("CR", "CRi"),
    reads={"PR": "NR", "SD": "NR"},
    counts_with={"CRi": "CRh", "CR": "MRD RELAPSE"},
    agreement={"remission": ("CR", "CRh", "CRi", "MRD RELAPSE"), "NR/PD": ("PD", "NR")},
    alike={"CRh": "CRi", "PD": "NR", "MRD RELAPSE": "CR"},
    events=("mrd-relapse",),
    derive="marrow",
)
