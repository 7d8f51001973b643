"""What was recorded? Schema, reading, mapping, checking and writing of source data."""

from cartrial.sdtm.checks.check import CHECK_RULES, MAPPING_RULES, READING_RULES, check_sdtm, require_sdtm
from cartrial.sdtm.forms.templates import write_templates
from cartrial.sdtm.read import read_sdtm
from cartrial.sdtm.source import Source, SourceFile, finding, findings_frame, join_findings, no_findings
from cartrial.sdtm.standard import standardise
from cartrial.sdtm.vocabulary.schema import DOMAINS
from cartrial.sdtm.write import write_sdtm

__all__ = [
    "CHECK_RULES",
    "DOMAINS",
    "MAPPING_RULES",
    "READING_RULES",
    "Source",
    "SourceFile",
    "check_sdtm",
    "finding",
    "findings_frame",
    "join_findings",
    "no_findings",
    "read_sdtm",
    "require_sdtm",
    "standardise",
    "write_sdtm",
    "write_templates",
]
