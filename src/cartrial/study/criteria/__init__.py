"""Which statuses are there, and by which limits?"""

from cartrial.study.criteria.codes import RESPONSES
from cartrial.study.criteria.families import Family
from cartrial.study.criteria.sets import CRITERIA, FAMILIES, Bound, CallCriteria, CallOptions, Criteria, Options

__all__ = ["CRITERIA", "FAMILIES", "RESPONSES", "Bound", "CallCriteria", "CallOptions", "Criteria", "Family", "Options"]
