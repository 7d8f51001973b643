"""What does a registry record say?"""

from cartrial.study.registry.record import draft_study, read_registry

__all__ = ["draft_study", "read_registry"]
