"""What can be typed of the committee's workspace? `cartrial review` and its verbs: thin, what is done stands in `cartrial.review`."""

# importing a module adds its verbs: this is their order in `cartrial review --help`
# isort: off
from cartrial.cli.review import working, practising, people, keeping
# isort: on

__all__ = ["keeping", "people", "practising", "working"]
