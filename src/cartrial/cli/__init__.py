"""What can be typed? The command line: thin, each command a few lines above the room that does the work."""

# importing a module adds its commands: this is their order in `cartrial --help`
# isort: off
from cartrial.cli import start, study, kinetics, design, virtual, predict, evidence, curves, context, matching
# isort: on

__all__ = ["context", "curves", "design", "evidence", "kinetics", "matching", "predict", "start", "study", "virtual"]
