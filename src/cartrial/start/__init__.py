"""What does an investigator's spreadsheet hold, and which study does it make?"""

from cartrial.start.ask import Answers, Option, Question
from cartrial.start.make import Started, start

__all__ = ["Answers", "Option", "Question", "Started", "start"]
