"""Are the figures right: estimators and designs against R and against what was published?"""

from cartrial.qualify.figures.designs import check_designs
from cartrial.qualify.figures.incidence import check_incidence
from cartrial.qualify.figures.rates import check_agreement, check_rates
from cartrial.qualify.figures.times import check_times

__all__ = ["FIGURES", "check_agreement", "check_designs", "check_incidence", "check_rates", "check_times"]

FIGURES = (check_rates, check_agreement, check_times, check_incidence, check_designs)
"""What is compared, in the order of the dossier."""
