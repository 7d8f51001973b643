"""What is each analysis variable: its label, type, codes and origin?"""

from cartrial.submission.variables.model import CODES, SETS, Dataset, Variable

__all__ = ["CODES", "SETS", "Dataset", "Variable"]
