"""What would the sites of a trial have sent?"""

from cartrial.virtual.trial.conduct import INFUSED, emit_sdtm, plan_study, simulate, simulate_study, virtual_source, virtual_study

__all__ = ["INFUSED", "emit_sdtm", "plan_study", "simulate", "simulate_study", "virtual_source", "virtual_study"]
