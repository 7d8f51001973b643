"""Which coded terms of CDISC does a protocol as data use? Controlled terminology of DDF and Protocol, 2024-09-27 (NCI concept codes)."""

from __future__ import annotations

__all__ = ["EVENT_STRATEGIES", "LEVELS", "PHASES", "SYSTEM", "TERMS", "VERSION"]

SYSTEM, VERSION = "http://www.cdisc.org", "2024-09-27"

TERMS = {
    "official title": ("C207616", "Official Study Title"),
    "sponsor": ("C70793", "Clinical Study Sponsor"),
    "registry": ("C93453", "Study Registry"),
    "interventional": ("C98388", "Interventional Study"),
    "single group": ("C82640", "Single Group Study"),
    "open label": ("C49659", "Open Label Study"),
    "treatment": ("C49656", "Treatment Study"),
    "experimental arm": ("C174266", "Investigational Arm"),
    "collected": ("C188866", "Data Generated Within Study"),
    "treatment epoch": ("C101526", "Treatment Epoch"),
    "follow-up epoch": ("C202578", "Follow-Up Epoch"),
    "visit": ("C25716", "Visit"),
    "after": ("C201356", "After"),
    "fixed": ("C201358", "Fixed Reference"),
    "start to start": ("C201355", "Start to Start"),
    "experimental product": ("C41161", "Experimental Intervention"),
    "biological": ("C307", "Biological Agent"),
    "year": ("C29848", "Year"),
    "both": ("C49636", "Both"),
}
"""What is said, its NCI code and its words."""

PHASES = {
    "1": ("C15600", "Phase I Trial"),
    "1/2": ("C15693", "Phase I/II Trial"),
    "2": ("C15601", "Phase II Trial"),
    "2/3": ("C15694", "Phase II/III Trial"),
    "3": ("C15602", "Phase III Trial"),
    "4": ("C15603", "Phase IV Trial"),
}
"""Phases as a study file writes them."""

LEVELS = {
    "primary": (("C85826", "Primary Objective"), ("C94496", "Primary Endpoint")),
    "secondary": (("C85827", "Secondary Objective"), ("C139173", "Secondary Endpoint")),
    "exploratory": (("C163559", "Exploratory Objective"), ("C170559", "Exploratory Endpoint")),
}
"""Roles of endpoints: the level of their objective, and their own."""

EVENT_STRATEGIES = {
    "treatment-policy": "Treatment policy",
    "composite": "Composite variable",
    "hypothetical": "Hypothetical",
    "while-on-treatment": "While on treatment",
}
"""Strategies as ICH E9(R1) calls them, by the word of a study file."""
