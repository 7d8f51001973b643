"""Where was the room of calibration before? Here: what was named so still works, and says where it stands now."""

from __future__ import annotations

import warnings
from typing import Any

from cartrial.virtual import calibration

__all__ = ["Calibration", "calibrate", "leave_out", "read_scores", "score_targets"]  # noqa: F822


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'cartrial.virtual.calibrate' has no attribute '{name}'")
    warnings.warn(f"cartrial.virtual.calibrate is cartrial.virtual.calibration since 1.0; import {name} from there", DeprecationWarning, 2)
    return getattr(calibration, name)
