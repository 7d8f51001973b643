"""Which statuses are there, and by which limits?"""

from cartrial.study.criteria.codes import RESPONSES
from cartrial.study.criteria.sets import CRITERIA, Bound, Criteria, Options

__all__ = ["CRITERIA", "RESPONSES", "Bound", "Criteria", "Options"]
