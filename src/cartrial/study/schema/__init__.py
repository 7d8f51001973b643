"""How do editors know what may stand in a study file?"""

from cartrial.study.schema.editors import read_meanings, study_schema

__all__ = ["read_meanings", "study_schema"]
