"""What can be typed of published evidence? `cartrial evidence` and its verbs."""

# importing a module adds its verbs: this is their order in `cartrial evidence --help`
# isort: off
from cartrial.cli.evidence import known, curves, matching, context
# isort: on

__all__ = ["context", "curves", "known", "matching"]
