"""Which specimen is never read for a remission?"""

from __future__ import annotations

__all__ = ["CEREBROSPINAL", "is_cerebrospinal"]

CEREBROSPINAL = (
    "CEREBROSPINAL FLUID",
    "CEREBRO-SPINAL FLUID",
    "CEREBRAL SPINAL FLUID",
    "SPINAL FLUID",
    "CSF FLUID",
    "LIQUOR",
    "LIQUOR CEREBROSPINALIS",
)
"""Words for CSF."""


def is_cerebrospinal(name: str) -> bool:
    """Say whether a specimen is cerebrospinal fluid.

    Examples
    --------
    >>> from cartrial.study.criteria.specimens import is_cerebrospinal
    >>> is_cerebrospinal("csf"), is_cerebrospinal("Cerebrospinal Fluid"), is_cerebrospinal("bone marrow")
    (True, True, False)
    """
    plain = " ".join(name.upper().replace("_", " ").split())
    return plain == "CSF" or plain in CEREBROSPINAL
