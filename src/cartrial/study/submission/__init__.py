"""As what does the study leave the house? Names, dictionaries, versions and numbers that files state; no rule of a value."""

from cartrial.study.submission.model import Dictionaries, Plan, Standards, Submission

__all__ = ["Dictionaries", "Plan", "Standards", "Submission"]
