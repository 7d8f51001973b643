"""Which numbers stand for what is measured at an imaging, and for what is said of it?"""

from __future__ import annotations

__all__ = ["KINDS"]

TARGET, NON_TARGET, NEW_LESION, SPLEEN = range(4)

KINDS = ("TARGET", "NON-TARGET", "NEW", "SPLEEN")
"""What is measured at an imaging, in words, each at the place of its number."""

# of a lesion: too small to measure, not evaluated, gone, there, in doubt, and there, or grown, beyond doubt
TOO_SMALL, NOT_EVALUATED, ABSENT, PRESENT, EQUIVOCAL, UNEQUIVOCAL = range(6)

# uptake against baseline
DECREASED, UNCHANGED, INCREASED = -1, 0, 1

SCORE_X, SCORE_NE = 0, -1
"""New uptake that is unlikely to be lymphoma; a PET that cannot be scored."""

# the marrow: no lymphoma, lymphoma, and lymphoma that is said to be new
CLEAR, INVOLVED, NEWLY_INVOLVED = range(3)
