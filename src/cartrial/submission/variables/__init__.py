"""What is each analysis variable, and which code list, dictionary and origin does one have?"""

from cartrial.endpoints.variables import CODES, SETS, Dataset, Variable

__all__ = ["CODES", "SETS", "Dataset", "Variable"]
