"""Which numbered tables, figures and listings leave the house, and in which files?"""

from cartrial.submission.displays.catalogue import make_displays
from cartrial.submission.displays.model import Display, Grid, Words
from cartrial.submission.displays.write import FORMS, NOTES, write_displays, write_shell_file

__all__ = ["FORMS", "NOTES", "Display", "Grid", "Words", "make_displays", "write_displays", "write_shell_file"]
