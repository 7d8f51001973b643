"""What is wrong with an input, said in a line for each fault. The command line prints it and ends with exit code 2."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["InputError", "PopulationWarning", "printable"]

# what a terminal obeys or hides instead of showing it: controls but the line feed and the tab, marks of direction, joiners, line separators
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a text with the codes that a terminal would obey written out, so that data cannot move, colour or reorder what is read.

    Examples
    --------
    >>> from cartrial.errors import printable
    >>> print(printable("CR\x1b[2J"))
    CR\x1b[2J
    """
    return _OBEYED.sub(lambda found: f"\\x{ord(found[0]):02x}" if ord(found[0]) < 256 else f"\\u{ord(found[0]):04x}", text)


class PopulationWarning(UserWarning):
    """A population of virtual patients fits a study badly, though it can be used.

    Examples
    --------
    >>> from cartrial.errors import PopulationWarning
    >>> issubclass(PopulationWarning, UserWarning)
    True
    """


Made = TypeVar("Made")
# lines of one message; what is beyond them is counted
MOST = 40


class InputError(ValueError):
    """Input that cannot be used.

    Parameters
    ----------
    what : str
        What is wrong, as a sentence without its full stop.
    file : str, optional
        The file it stands in.
    row : int, optional
        The row or line of the file, the header being row 1.
    key : str, optional
        The variable or key.
    right : str, optional
        What would be right, as a sentence without its full stop.

    Examples
    --------
    >>> from cartrial import InputError
    >>> print(InputError("this is no date", file="rs.csv", row=3, right="Write 2022-04-01"))
    rs.csv, row 3: this is no date. Write 2022-04-01.
    """

    def __init__(
        self, what: str, *, file: str | None = None, row: int | None = None, key: str | None = None, right: str | None = None
    ) -> None:
        self.what, self.file, self.row, self.key, self.right = what, file, row, key, right
        self._all: tuple[InputError, ...] = ()
        super().__init__(self._line())

    @property
    def errors(self) -> tuple[InputError, ...]:
        """Every fault of the input where several were found at once; else this one alone."""
        return self._all or (self,)

    @classmethod
    def together(cls, errors: Iterable[InputError]) -> InputError:
        """Return several faults of one input as one error, in the order of their files and rows.

        Its `what`, `file`, `row`, `key` and `right` are those of the first.

        Examples
        --------
        >>> from cartrial import InputError
        >>> late, early = InputError("a is missing", row=7), InputError("b is missing", row=2)
        >>> print(InputError.together([late, early]))
        row 2: b is missing.
        row 7: a is missing.
        """
        distinct = {str(fault): fault for error in errors for fault in error.errors}
        found = sorted(distinct.values(), key=lambda fault: (fault.file or "", fault.row or 0))
        first = found[0]
        if len(found) == 1:
            return first
        error = cls(first.what, file=first.file, row=first.row, key=first.key, right=first.right)
        error._all = tuple(found)
        error.args = (str(error),)
        return error

    @classmethod
    def gather(cls, steps: Iterable[Callable[[], Made]]) -> list[Made]:
        """Return what each step returns; what is wrong in several of them is one error.

        Examples
        --------
        >>> from cartrial import InputError
        >>> def refuse(row):
        ...     raise InputError("this is no date", row=row)
        >>> try:
        ...     InputError.gather([lambda: refuse(3), lambda: 1, lambda: refuse(5)])
        ... except InputError as error:
        ...     print(len(error.errors))
        2
        """
        made, found = [], []
        for step in steps:
            try:
                made.append(step())
            except cls as error:
                found.append(error)
        if found:
            raise cls.together(found) from None
        return made

    def __str__(self) -> str:
        if len(self.errors) == 1:
            return self._line()
        lines = [fault._line() for fault in self.errors[:MOST]]
        if len(self.errors) > MOST:
            lines.append(f"There are {len(self.errors) - MOST} more.")
        return "\n".join(lines)

    def _line(self) -> str:
        row = None if self.row is None else f"row {self.row}"
        where = ", ".join(part for part in (self.file, row, self.key) if part)
        text = f"{where}: {self.what}" if where else self.what
        text = text.rstrip(".") + "."
        if self.right:
            text += " " + self.right.rstrip(".") + "."
        return printable(" ".join(text.split()))
