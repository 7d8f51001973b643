"""In which files does a study leave the house?"""

from cartrial.submission.export import PARTS, export_study
from cartrial.submission.job import Job

__all__ = ["PARTS", "Job", "export_study"]
