"""Which variables of TU and TR say what of a lesion?

Names and labels follow the SDTM Implementation Guide 3.3 (CDISC, 2018), as those of `cartrial.sdtm.vocabulary.schema` do.
"""

from __future__ import annotations

__all__ = ["IDENTIFIED", "MEASURED"]

Row = tuple[str, str, str, str, None, str]
"""Name, label, kind, need, no code list, and how to fill it in."""


def _text(name: str, label: str, note: str = "", need: str = "other") -> Row:
    return name, label, "text", need, None, note


IDENTIFIED: tuple[Row, ...] = (
    _text("TULNKID", "Link ID", "the lesion, the same name as TRLNKID of its measurements: T01"),
    _text("TUTESTCD", "Tumor/Lesion ID Short Name", "TUMIDENT; TUSPLIT of a part of a lesion that was split"),
    _text("TUORRES", "Tumor/Lesion ID Result", "as collected"),
    _text("TUSTRESC", "Tumor/Lesion ID Result Std. Format", "TARGET, NON-TARGET or NEW"),
    _text("TULOC", "Location of the Tumor/Lesion", "LYMPH NODE with its place, or the organ; SPLEEN for its length"),
    _text("TUMETHOD", "Method of Identification", "CT SCAN or PET/CT SCAN"),
    _text("TUEVAL", "Evaluator", "as in TR; blank: what is said holds for every reader"),
    _text("TUEVALID", "Evaluator Identifier"),
    ("TUDTC", "Date/Time of Tumor/Lesion Identification", "date", "other", None, "not needed: the measurements have dates"),
)
"""What stands of each lesion in TU."""

MEASURED: tuple[Row, ...] = (
    _text("TRLNKID", "Link ID", "the lesion, as TULNKID names it; T01/T02 where two have merged"),
    _text("TRGRPID", "Group ID", "TARGET, NON-TARGET or NEW, where there is no TU"),
    _text("TRTESTCD", "Tumor/Lesion Assessment Short Name", "LDIAM, LPERP: the longest diameter, and that across it; TUMSTATE", "must"),
    _text("TRORRES", "Result or Finding in Original Units", "as collected"),
    _text("TRORRESU", "Original Units"),
    _text(
        "TRSTRESC",
        "Character Result/Finding in Std Format",
        "the number as text; of TUMSTATE: ABSENT, PRESENT, TOO SMALL TO MEASURE, EQUIVOCAL, UNEQUIVOCAL PROGRESSION or NOT EVALUABLE",
    ),
    ("TRSTRESN", "Numeric Result/Finding in Standard Units", "number", "other", None, "the length"),
    _text("TRSTRESU", "Standard Units", "mm; cm is converted"),
    _text("TRMETHOD", "Method Used to Identify the Tumor/Lesion"),
    _text("TREVAL", "Evaluator", "INVESTIGATOR (also where it is blank) or INDEPENDENT ASSESSOR"),
    _text("TREVALID", "Evaluator Identifier", "READER 1, READER 2; blank for the investigator and the committee"),
    _text("TRACPTFL", "Accepted Record Flag", "Y: of the reader whose measurements are the committee's"),
)
"""What stands of each measurement in TR, without its day."""
