"""How do covariates go with the time to an event? Cox, Firth and Fine-Gray models.

The steps are our own: of the libraries that were tried none halves its steps, tells a likelihood without a largest value from one that
was not found, and gives profile limits. The figures are compared with R's (tests/oracle).
"""

from cartrial.analysis.estimators.models.cox import estimate_cox, estimate_firth
from cartrial.analysis.estimators.models.fine_gray import estimate_fine_gray

__all__ = ["estimate_cox", "estimate_fine_gray", "estimate_firth"]
