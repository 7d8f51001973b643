"""What is each subject's value for each endpoint, and why?"""

from cartrial.endpoints.check import ENDPOINT_RULES, check_endpoints
from cartrial.endpoints.derive import STRADDLING, Adam, derive, derived_variants

__all__ = ["ENDPOINT_RULES", "STRADDLING", "Adam", "check_endpoints", "derive", "derived_variants"]
