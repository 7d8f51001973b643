"""What would the sites of a trial have sent?"""

from cartrial.virtual.trial.conduct import INFUSED, SEED, emit_sdtm, plan_study, simulate, simulate_study, virtual_source, virtual_study
from cartrial.virtual.trial.patients import VirtualPatients, assess_patients

__all__ = [
    "INFUSED",
    "SEED",
    "VirtualPatients",
    "assess_patients",
    "emit_sdtm",
    "plan_study",
    "simulate",
    "simulate_study",
    "virtual_source",
    "virtual_study",
]
