"""What can be typed? The command line: thin, each command a few lines above the room that does the work."""

# importing a module adds its commands: this is their order in `cartrial --help`
# isort: off
from cartrial.cli import start, study, compare, submission, kinetics, design, virtual, predict, evidence, review, proof
# isort: on

__all__ = ["compare", "design", "evidence", "kinetics", "predict", "proof", "review", "start", "study", "submission", "virtual"]
