"""Which numbered tables, figures and listings leave the house, and in which files?"""

from cartrial.submission.displays.catalogue import make_displays
from cartrial.submission.displays.model import Display, Grid, Words
from cartrial.submission.displays.write import FORMS, write_displays

__all__ = ["FORMS", "Display", "Grid", "Words", "make_displays", "write_displays"]
