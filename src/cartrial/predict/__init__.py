"""Do published figures lie where virtual trials of their size would have put them?

`read_figures` reads a table of published figures; `check_predictions` says of each which virtual population stands for its trial, runs
virtual trials of its size through the rules and estimates that real data take, and tells whether the published value lies in their
predictive interval. What no population or no rule can express is named with its reason.
"""

from cartrial.predict.check import LEAST, TRIALS, Predictions, check_predictions
from cartrial.predict.compare import Compared, compare_figure
from cartrial.predict.figures import Figure, read_figures
from cartrial.predict.told import prediction_lines, predictions_document, write_predictions

__all__ = [
    "LEAST",
    "TRIALS",
    "Compared",
    "Figure",
    "Predictions",
    "check_predictions",
    "compare_figure",
    "prediction_lines",
    "predictions_document",
    "read_figures",
    "write_predictions",
]
