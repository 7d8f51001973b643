"""Which parameter sets do published results accept?"""

from cartrial.virtual.calibration.burden import assess_burden, tabulate_burden
from cartrial.virtual.calibration.run import Calibration, calibrate, leave_out, read_scores, score_targets
from cartrial.virtual.calibration.targets import load_evaluation

__all__ = [
    "Calibration",
    "assess_burden",
    "calibrate",
    "leave_out",
    "load_evaluation",
    "read_scores",
    "score_targets",
    "tabulate_burden",
]
