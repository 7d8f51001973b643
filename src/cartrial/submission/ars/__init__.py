"""How do results leave as analyses, methods, groups and outputs that a machine can follow?"""

from cartrial.submission.ars.event import make_event, write_event

__all__ = ["make_event", "write_event"]
