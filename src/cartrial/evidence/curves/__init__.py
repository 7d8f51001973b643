"""What individuals does a published survival curve stand for?

`read_curve` reads one curve of a figure (PDF, SVG, PNG) or of points (CSV); `reconstruct_curve` finds the individuals that it and what is
printed beside it stand for, and says what may be concluded from them. They are `reconstructed`, and never data of a study.
"""

from cartrial.evidence.curves.reading import Reading
from cartrial.evidence.curves.reconstruct import PROVENANCE, Reconstruction, arms_frame, reconstruct_curve

__all__ = ["PROVENANCE", "Reading", "Reconstruction", "arms_frame", "reconstruct_curve"]
