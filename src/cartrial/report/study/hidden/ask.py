"""What does who gives a report away ask for: hidden subjects, a salt, a key?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cartrial.errors import InputError
from cartrial.report.study.hidden.draw import Codes, draw_codes, read_salt, require_key_place, write_key
from cartrial.report.study.hidden.hide import Hiding, code_source, hide_findings

if TYPE_CHECKING:
    import polars as pl

    from cartrial.sdtm import Source
    from cartrial.sdtm.records import Records

__all__ = ["Hide"]


@dataclass
class Hide:
    """Hide whose data a report is of.

    Parameters
    ----------
    salt : path, optional
        File with a secret by which codes are drawn, so that a later cut has the same; otherwise they are drawn at random.
    key : path, optional
        File to write the codes to, with the names they stand for; it is written nowhere else.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.report.study.hidden.ask import Hide
    >>> from cartrial.sdtm import Source
    >>> source = Source({"DM": pl.DataFrame({"STUDYID": "S", "USUBJID": ["S-01"], "SITEID": ["Ward 7"]})})
    >>> hidden = Hide().coded(source).domains["DM"].row(0, named=True)
    >>> hidden["USUBJID"].startswith("P-"), hidden["SITEID"]
    (True, None)
    """

    salt: str | Path | None = None
    key: str | Path | None = None
    _codes: Codes | None = field(default=None, init=False, repr=False)

    def require(self, out: str | Path) -> None:
        """Refuse, before any work is done, what could not be hidden.

        Raises
        ------
        InputError
            If `out` is not empty, the salt cannot be used, or the key has no place of its own.
        """
        place = Path(out)
        if place.is_dir() and any(place.iterdir()):
            what = "the folder is not empty, and what is in it may tell whose the data are"
            raise InputError(what, file=str(out), key="--deidentify", right="Name a new folder")
        if self.key is not None:
            require_key_place(self.key, out)
        if self.salt is not None:
            read_salt(self.salt)

    def coded(self, source: Source) -> Source:
        """Return the source under codes, which are drawn here."""
        salt = None if self.salt is None else read_salt(self.salt)
        self._codes = draw_codes(source.domains["DM"]["USUBJID"].drop_nulls().to_list(), salt)
        return code_source(source, self._codes)

    def told(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Return findings by their rules alone."""
        return hide_findings(findings, self._codes)

    def done(self, records: Records, source: Source) -> Hiding:
        """Return what a report needs; `source` is the source as it was."""
        if self._codes is None:
            raise ValueError("no codes were drawn")
        return Hiding(self._codes, records, source)

    def leave_key(self) -> None:
        """Write the key where it was asked for."""
        if self.key is not None and self._codes is not None:
            write_key(self._codes, self.key)
