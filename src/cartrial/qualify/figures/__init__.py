"""Are the figures right: estimators and designs against R, against what was published, and against second implementations?"""

from cartrial.qualify.figures.coverage import COVERED, LEFT
from cartrial.qualify.figures.curves import check_curves, check_kinetics
from cartrial.qualify.figures.designs import check_designs
from cartrial.qualify.figures.incidence import check_incidence
from cartrial.qualify.figures.models import check_models
from cartrial.qualify.figures.plans import check_bayes, check_doses, check_looks, check_survival_designs
from cartrial.qualify.figures.pooling import check_pooling, check_priors, check_weighted
from cartrial.qualify.figures.rates import check_agreement, check_rates
from cartrial.qualify.figures.second import check_second
from cartrial.qualify.figures.times import check_times

__all__ = ["COVERED", "FIGURES", "LEFT", "check_second"]

FIGURES = (
    check_rates,
    check_agreement,
    check_times,
    check_curves,
    check_incidence,
    check_models,
    check_kinetics,
    check_pooling,
    check_priors,
    check_weighted,
    check_designs,
    check_looks,
    check_survival_designs,
    check_bayes,
    check_doses,
)
"""What is compared with stored figures, in the order of the dossier."""
