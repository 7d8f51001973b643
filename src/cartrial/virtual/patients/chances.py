"""What does chance decide about a patient? Numbers that depend on the key alone, each named by what it decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.virtual.patients.randomness import Keys, draw_normal, draw_uniform

__all__ = ["CLINIC", "EXTINCTIONS", "MEMBERS", "SUPPLY", "SUPPLY_NORMALS", "Chances", "draw_chances"]

# streams of random numbers; the trial layer starts at 1000
NORMALS, UNIFORMS, MEMBERS, SUPPLY, SUPPLY_NORMALS = range(1, 6)
CLINIC = 10
Floats = NDArray[np.float64]

# what each normal number of a patient decides
Z_QUALITY, Z_EXPANSION, Z_KILL, Z_MEMORY_LOSS, Z_GROWTH, Z_CONTRACTION, Z_TO_MEMORY, Z_IL6_YIELD, Z_RECOVERY = range(9)
Z_ANC, Z_PLT, Z_DOSE, Z_SANCTUARY, Z_NEGATIVE, Z_ALEMTUZUMAB, Z_HOST, Z_HOST_PRECURSORS, Z_AGE, Z_MARROW_HIT, Z_PACE = range(9, 20)
# what each uniform number decides; a clone's extinction is the number at which it is lost
U_SEVERITY, U_MEMORY, U_EXTINCTION_SENSITIVE, U_EXTINCTION_SANCTUARY, U_MRD_LEVEL, U_MARROW = range(6)
U_HAS_NEGATIVE, U_PRIOR_TRANSPLANT, U_EXTINCTION_NEGATIVE, U_FLUDARABINE = range(6, 10)
EXTINCTIONS = [U_EXTINCTION_SENSITIVE, U_EXTINCTION_SANCTUARY, U_EXTINCTION_NEGATIVE]
N_NORMALS, N_UNIFORMS = 20, 10


@dataclass(frozen=True)
class Chances:
    """What chance decides about each patient.

    Parameters
    ----------
    normal : ndarray of float64, shape (patients, 20)
    uniform : ndarray of float64, shape (patients, 10)
    """

    normal: Floats
    uniform: Floats


def draw_chances(keys: Keys) -> Chances:
    """Return the chances of the patients of some keys."""
    return Chances(draw_normal(keys, NORMALS, N_NORMALS), draw_uniform(keys, UNIFORMS, N_UNIFORMS))
