"""What is each subject's value for each endpoint, and why?"""

from cartrial.endpoints.check import ENDPOINT_RULES, check_endpoints
from cartrial.endpoints.derive import STRADDLING, Adam, derive, derived_variants
from cartrial.endpoints.rules.codes import CNSR_CODES
from cartrial.endpoints.sets.adtte import kind_of_end
from cartrial.endpoints.sets.baseline import level_column, number_column

__all__ = [
    "CNSR_CODES",
    "ENDPOINT_RULES",
    "STRADDLING",
    "Adam",
    "check_endpoints",
    "derive",
    "derived_variants",
    "kind_of_end",
    "level_column",
    "number_column",
]
