"""Which numbers stand for intercurrent events, strategies, windows, reasons and descriptions?"""

from __future__ import annotations

__all__ = ["CENSOR_REASONS", "EVENT_NAMES", "ICES", "RATE_REASONS", "STRATEGY_CODES"]

FAR = 2**40

# intercurrent events, in the order of one date
HSCT, REINFUSION, NEWTHERAPY = range(3)
ICES = ("hsct", "re-infusion", "new-therapy")

TREATMENT_POLICY, COMPOSITE, WHILE_ON_TREATMENT, HYPOTHETICAL = range(4)
STRATEGY_CODES = {
    "treatment-policy": TREATMENT_POLICY,
    "composite": COMPOSITE,
    "while-on-treatment": WHILE_ON_TREATMENT,
    "hypothetical": HYPOTHETICAL,
}

AT, WITHIN, BEST, DAYS = range(4)

(
    R_RESPONSE,
    R_NO_RESPONSE,
    R_NO_ASSESSMENT,
    R_RELAPSE,
    R_DEATH,
    R_HSCT,
    R_REINFUSION,
    R_NEWTHERAPY,
    R_PRODUCT_FAILURE,
    R_MRD_POSITIVE,
    R_MRD_NOT_EVALUABLE,
    R_MRD_MISSING,
    R_NOT_CONFIRMED,
    R_WITHDRAWN,
    R_OPEN,
) = range(15)
RATE_REASONS = (
    "response",
    "no-response",
    "no-usable-assessment",
    "relapse",
    "death",
    "hsct",
    "re-infusion",
    "new-therapy",
    "product-failure",
    "mrd-positive",
    "mrd-not-evaluable",
    "mrd-missing",
    "not-confirmed",
    "withdrawn",
    "window-open",
)

E_NONRESPONSE, E_RELAPSE, E_DEATH, E_HSCT, E_REINFUSION, E_NEWTHERAPY = range(6)
EVENT_NAMES = ("non-response", "relapse", "death", "hsct", "re-infusion", "new-therapy")

C_CUTOFF, C_LOST, C_WITHDRAWN, C_MISSED, C_HSCT, C_REINFUSION, C_NEWTHERAPY = range(7)
CENSOR_REASONS = ("cutoff", "lost", "withdrawn", "missed-visits", "hsct", "re-infusion", "new-therapy")
