"""What does a study with its source data bring into the workspace?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.response.arrays import usable
from cartrial.review.cases import Case, find_cases
from cartrial.sdtm.records import derive_records
from cartrial.sdtm.records.codes import INV

if TYPE_CHECKING:
    from cartrial.run import Data
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["Brought", "bring"]


@dataclass(frozen=True)
class Brought:
    """A study, its source, and the cases that its committee reads. `replaced`: the source has calls of a committee, to be read anew."""

    study: Study
    data: Data
    records: Records
    cases: list[Case]
    replaced: bool

    @property
    def files(self) -> list[tuple[str, str]]:
        """Names and digests of the source files."""
        return sorted((file.name, file.sha256) for file in self.data.source.files)


def bring(data: Data, *, replace: bool = False) -> Brought:
    """Return what a source brings.

    Parameters
    ----------
    data : cartrial.run.Data
        A study with its source data.
    replace : bool
        Whether calls of a committee in the source may be there: they are read anew, at their dates where there is nothing to read within
        7 days, and left out of what is exported.

    Raises
    ------
    InputError
        If such calls are there and `replace` is not said, the criteria derive no status, or there is nothing to read.
    """
    records = derive_records(data.study, data.source)
    read = records.calls.filter(pl.col("READER") != INV)
    if read.height and not replace:
        what = f"the source has {read.height} calls of a committee already"
        raise InputError(what, file=data.source.file_of("RS"), right="Leave them out, or give --replace-committee to have them read anew")
    called = usable(read, records.subjects).select("SUBJ", "DAY", "READER")
    cases = find_cases(data.study, records.replace(calls=records.calls.filter(pl.col("READER") == INV)), called)
    if not cases:
        raise InputError("no infused subject has an assessment after the infusion", right="There is nothing to read yet")
    return Brought(data.study, data, records, cases, bool(read.height))
