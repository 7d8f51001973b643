"""Which numbers stand for intercurrent events, strategies, windows, reasons and descriptions?"""

from __future__ import annotations

__all__ = ["CENSOR_REASONS", "CNSR_CODES", "COMPETING_FROM", "EVENT_NAMES", "ICES", "RATE_REASONS", "STRATEGY_CODES"]

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
# what a strategy makes of an intercurrent event: sets of strategies, one bit each
AN_EVENT = 1 << COMPOSITE
ENDS_TREATMENT = 1 << WHILE_ON_TREATMENT
ENDS_OBSERVATION = ENDS_TREATMENT | 1 << HYPOTHETICAL
ENDS_RESPONSE = AN_EVENT | ENDS_OBSERVATION

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
    R_RECOVERY,
    R_NO_RECOVERY,
) = range(17)
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
    "b-cell-recovery",
    "no-recovery",
)

ICE_REASONS = (R_HSCT, R_REINFUSION, R_NEWTHERAPY)

E_NONRESPONSE, E_RELAPSE, E_DEATH, E_HSCT, E_REINFUSION, E_NEWTHERAPY, E_RECOVERY, E_LOSS, E_RESPONSE, E_MRD = range(10)
EVENT_NAMES = (
    *("non-response", "relapse", "death", "hsct", "re-infusion", "new-therapy", "b-cell-recovery", "loss-of-persistence"),
    *("response", "mrd-relapse"),
)
ICE_EVENTS = (E_HSCT, E_REINFUSION, E_NEWTHERAPY)
ON_ONE_DATE = (E_RESPONSE, E_RECOVERY, E_LOSS, E_NONRESPONSE, E_RELAPSE, E_MRD, E_HSCT, E_REINFUSION, E_NEWTHERAPY, E_DEATH)
"""The order of events on one date: assessment, transplant, re-infusion, new therapy, death."""
PLACE_ON_DATE = tuple(ON_ONE_DATE.index(event) for event in range(len(EVENT_NAMES)))

C_CUTOFF, C_LOST, C_WITHDRAWN, C_MISSED, C_HSCT, C_REINFUSION, C_NEWTHERAPY, C_NO_BASELINE = range(8)
CENSOR_REASONS = ("cutoff", "lost", "withdrawn", "missed-visits", "hsct", "re-infusion", "new-therapy", "no-baseline")

# CNSR of ADTTE: 0 an event of interest, from 1 each reason for censoring, from here each competing event
COMPETING_FROM = 20
CNSR_CODES = {
    "event": 0,
    **{name: 1 + code for code, name in enumerate(CENSOR_REASONS)},
    **{f"{name}, competing": COMPETING_FROM + code for code, name in enumerate(EVENT_NAMES[:E_RECOVERY])},
}
"""What each integer of CNSR says."""
ICE_CENSORS = (C_HSCT, C_REINFUSION, C_NEWTHERAPY)

# what a time's last day comes from, where it is no assessment: the last day known alive, the day of what stopped the observation
FROM_ALIVE, FROM_STOP = -2, -3
