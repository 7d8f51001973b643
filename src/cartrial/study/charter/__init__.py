"""What does the charter of the review committee ask of its workspace?"""

from cartrial.study.charter.review import Review

__all__ = ["Review"]
