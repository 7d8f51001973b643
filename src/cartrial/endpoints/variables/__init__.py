"""What is each analysis variable: its label, type, codes and origin?"""

from cartrial.endpoints.variables.model import CODES, SETS, Dataset, Variable, labels_of

__all__ = ["CODES", "SETS", "Dataset", "Variable", "labels_of"]
