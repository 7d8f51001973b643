"""Which parameter sets do published results accept?"""

from cartrial.virtual.calibration.run import Calibration, calibrate, leave_out, read_scores, score_targets

__all__ = ["Calibration", "calibrate", "leave_out", "read_scores", "score_targets"]
