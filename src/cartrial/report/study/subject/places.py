"""Where does a record stand in the source?"""

from __future__ import annotations

from collections.abc import Mapping

from cartrial.sdtm import Source

__all__ = ["READER_NAMES", "Places", "reader_name"]

READER_NAMES: Mapping[str, str] = {
    "IRC": "committee",
    "INV": "investigator",
    "LAB": "laboratory values",
    "READER 1": "reader 1",
    "READER 2": "reader 2",
    "ADJUDICATOR": "adjudicator",
}


def reader_name(reader: str, derived: str = "laboratory values") -> str:
    """Return a reader in words; `derived`: what a status by the criteria alone is of (`Names.derived` of the study's family).

    Examples
    --------
    >>> from cartrial.report.study.subject.places import reader_name
    >>> reader_name("IRC"), reader_name("READER 3")
    ('committee', 'READER 3')
    """
    return {**READER_NAMES, "LAB": derived}.get(reader, reader)


class Places:
    """Finds the file and the row of a source record.

    Parameters
    ----------
    source : Source or None
        Without it a record is named by its domain and sequence number alone.
    """

    def __init__(self, source: Source | None) -> None:
        self._source = source
        self._rows: dict[str, dict[tuple[str, int | None], int]] = {}

    def of(self, domain: str | None, usubjid: str, sequence: int | None) -> str:
        """Return where a record stands, e.g. ``RS 3 (rs.csv row 41)``; the first of the subject where there is no sequence number.

        Examples
        --------
        >>> import polars as pl
        >>> from cartrial.report.study.subject.places import Places
        >>> from cartrial.sdtm import Source
        >>> from cartrial.sdtm.source import SourceFile
        >>> rs = pl.DataFrame({"STUDYID": "S", "USUBJID": ["S-1", "S-2"], "RSSEQ": [3, 3], "ROW": [2, 41]})
        >>> source = Source({"RS": rs}, (SourceFile("rs.csv", "RS", "0", 2, "csv"),))
        >>> Places(source).of("RS", "S-2", 3), Places(None).of("RS", "S-2", 3)
        ('RS 3 (rs.csv row 41)', 'RS 3')
        """
        if not domain:
            return ""
        name = f"{domain} {sequence}" if sequence is not None else domain
        row = self._of(domain).get((usubjid, sequence)) if self._source is not None else None
        if self._source is None or row is None:
            return name
        file, there = self._source.place_of(domain, row)
        return f"{name} ({file} row {there})" if file else name

    def _of(self, domain: str) -> dict[tuple[str, int | None], int]:
        if domain not in self._rows:
            found: dict[tuple[str, int | None], int] = {}
            frame = self._source.domains.get(domain) if self._source is not None else None
            if frame is not None and {"USUBJID", "ROW"} <= set(frame.columns):
                sequence = frame[f"{domain}SEQ"].to_list() if f"{domain}SEQ" in frame.columns else [None] * frame.height
                for subject, number, row in zip(frame["USUBJID"].to_list(), sequence, frame["ROW"].to_list(), strict=True):
                    if row is not None:
                        found.setdefault((subject, number), row)
                        found.setdefault((subject, None), row)
            self._rows[domain] = found
        return self._rows[domain]
