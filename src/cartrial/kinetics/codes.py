"""Which numbers stand for the curves and for how a sample was read? Kernels read them, so they stand once."""

from __future__ import annotations

__all__ = ["ABOVE", "BELOW", "LAG", "LOGISTIC", "MEASURED", "MONO", "MOST_PARAMETERS", "ORAL", "RATE", "STEIN"]

STEIN = 0
MONO = 1
RATE = 2
LAG = 3
# of data sets with exact published fits, by which the estimation is checked; no study file can name them
LOGISTIC = 4
ORAL = 5

MOST_PARAMETERS = 6

# of a sample: below the value that stands with it, measured, or at least that value
BELOW = -1
MEASURED = 0
ABOVE = 1
