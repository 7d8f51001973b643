"""Do analysis data keep to ADaM, and does a define.xml say what they are?"""

from cartrial.submission.conform.check import CONFORM_RULES, check_adam

__all__ = ["CONFORM_RULES", "check_adam"]
