"""What individuals does a published survival curve stand for?

`read_curve` reads one curve of a figure (PDF, SVG, PNG) or of points (CSV); `reconstruct_curve` finds the individuals that it and what is
printed beside it stand for, and says what may be concluded from them. They are `reconstructed`, and never data of a study.
"""

from cartrial.evidence.curves.figures.points import read_rows
from cartrial.evidence.curves.figures.read import list_curves, list_rows, read_curve
from cartrial.evidence.curves.reading import Known, Reading
from cartrial.evidence.curves.reconstruct import PROVENANCE, Reconstruction, arms_frame, reconstruct_curve
from cartrial.evidence.curves.written import read_written, write_reconstruction

__all__ = [
    "PROVENANCE",
    "Known",
    "Reading",
    "Reconstruction",
    "arms_frame",
    "list_curves",
    "list_rows",
    "read_curve",
    "read_rows",
    "read_written",
    "reconstruct_curve",
    "write_reconstruction",
]
