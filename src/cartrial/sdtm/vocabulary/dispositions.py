"""Which reasons for leaving a study does CDISC list, beside those that have a rule of their own?"""

from __future__ import annotations

__all__ = ["CLINICAL_PROGRESSION", "ENDED_WAITING", "OTHER_DISPOSITIONS"]

CLINICAL_PROGRESSION = r"PROGRESS|RELAPSE"
"""Words of a progression that a clinician saw; read where an endpoint says so."""

# Reasons for leaving a study that CDISC lists (NCOMPLT). For a subject who was never infused they end the waiting for the product;
# no other rule reads them.
ENDED_WAITING = frozenset(
    {
        "ADVERSE EVENT",
        "DISEASE RELAPSE",
        "ELIGIBILITY CRITERIA NOT MET",
        "FAILURE TO MEET CONTINUATION CRITERIA",
        "LACK OF EFFICACY",
        "LOGISTICAL PROBLEM",
        "NEVER DOSED",
        "NON-COMPLIANCE WITH STUDY DRUG",
        "OTHER",
        "PHYSICIAN DECISION",
        "PREGNANCY",
        "PROGRESSIVE DISEASE",
        "PROTOCOL DEVIATION",
        "PROTOCOL VIOLATION",
        "SITE TERMINATED BY SPONSOR",
        "SPONSOR REQUEST",
        "STUDY TERMINATED BY SPONSOR",
        "TECHNICAL PROBLEMS",
    }
)
# Those and further terms of CDISC (PROTMLST) that no rule reads.
OTHER_DISPOSITIONS = ENDED_WAITING | {
    "COMPLETED",
    "ELIGIBILITY CRITERIA MET",
    "INFORMED ASSENT OBTAINED",
    "RANDOMIZED",
    "RECOVERY",
    "SCREEN FAILURE",
    "SCREENING NOT COMPLETED",
}
