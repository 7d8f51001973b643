"""Which numbers stand for readers, for what an assessment was made by, and for days that never come?"""

from __future__ import annotations

__all__ = ["CARE", "FAR", "MODALITIES", "NO_CUTOFF", "READERS"]

FAR = 2**40
"""Stands for a day that has not come."""

NO_CUTOFF = 2**30
"""Stands for the cutoff of a trial to which none applies."""

INV, READER1, READER2, ADJUDICATOR, IRC, LAB = range(6)

READERS = ("INV", "READER 1", "READER 2", "ADJUDICATOR", "IRC", "LAB")
"""Readers in words, each at the place of its number."""

OVERALL, PET, CT = range(3)

MODALITIES = ("", "PET", "CT")
"""What a call was made by, in words, each at the place of its number; blank: an overall call."""

CARE = "CARE"
"""Name in `Records.extra` of what was given for toxicities, with the variables of CM, where there is no CM as it was read."""
