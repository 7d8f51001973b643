"""What is wrong with an input, said in one line. The command line prints it and ends with exit code 2."""

from __future__ import annotations

__all__ = ["InputError"]


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
        super().__init__(str(self))

    def __str__(self) -> str:
        row = None if self.row is None else f"row {self.row}"
        where = ", ".join(part for part in (self.file, row, self.key) if part)
        text = f"{where}: {self.what}" if where else self.what
        text = text.rstrip(".") + "."
        if self.right:
            text += " " + self.right.rstrip(".") + "."
        return " ".join(text.split())
