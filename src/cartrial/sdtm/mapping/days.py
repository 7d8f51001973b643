"""From which number do the study days of a sheet count? What the mapping declares, brought to days with the infusion on day 0."""

from __future__ import annotations

import re

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.mapping.model import Mapping
from cartrial.sdtm.mapping.sheet import Sheet, place_of

__all__ = ["from_day_zero"]

_STUDY_DAY = re.compile(r"^([A-Z]{2}(ST|EN)?|DTH)DY$")


def from_day_zero(mapping: Mapping, sheets: dict[str, Sheet], domains: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the domains with study days that run through 0, the day of the infusion, where the mapping says how the sheet counts.

    Without `days` in the mapping the days stay as they are, and the number of the infusion itself tells.

    Raises
    ------
    InputError
        If a record is on day 0 of a sheet that counts from 1, or no treatment of a subject with treatments is on the first day.
    """
    if mapping.days is None:
        return domains
    days = {name: [column for column in frame.columns if _STUDY_DAY.match(column)] for name, frame in domains.items()}
    if mapping.days == "from-1":
        for name, columns in days.items():
            for column in columns:
                zero = domains[name].filter(pl.col(column).floor() == 0)
                if zero.height:
                    what = f"{column} is 0, and days that count from 1 have no day 0"
                    right = "The day before day 1 is -1; or days: from-0 in the mapping"
                    file, row = place_of(sheets, zero["ROW"][0])
                    raise InputError(what, file=file, row=row, key=zero["SRCCOL"][0], right=right)
        domains = {name: frame.with_columns(_through(pl.col(column)) for column in days[name]) for name, frame in domains.items()}
    if "EX" in domains and "EXSTDY" in domains["EX"].columns:
        first = (pl.col("EXSTDY").floor() == 0).any()
        without = (
            domains["EX"]
            .group_by("USUBJID", maintain_order=True)
            .agg(first.alias("FIRST"), pl.col("EXSTDY").is_not_null().any().alias("SAID"), pl.col("ROW").first())
        )
        without = without.filter(pl.col("SAID") & ~pl.col("FIRST").fill_null(False))
        if without.height:
            number = mapping.days.removeprefix("from-")
            what = f"no treatment of subject {without['USUBJID'][0]} is on day {number}, from which the mapping says that days count"
            file, row = place_of(sheets, without["ROW"][0])
            raise InputError(what, file=file, row=row, key="EXSTDY", right="Correct the day of the infusion, or days")
    return domains


def _through(day: pl.Expr) -> pl.Expr:
    return pl.when(day > 0).then(day - 1).otherwise(day)
