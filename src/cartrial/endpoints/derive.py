"""What is each subject's value for each endpoint, and why? All ADaM sets of a study, for one trial or many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cartrial.endpoints.adresp import derive_adresp
from cartrial.endpoints.adrs import derive_adrs
from cartrial.endpoints.adsl import derive_adsl
from cartrial.endpoints.adtte import derive_adtte
from cartrial.endpoints.adverse import derive_adae
from cartrial.endpoints.course import derive_course
from cartrial.endpoints.kinetics import derive_adck
from cartrial.endpoints.populations import Populations
from cartrial.response import assess_response
from cartrial.sdtm.records import Records, derive_records
from cartrial.sdtm.source import Source

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["STRADDLING", "Adam", "derive"]

STRADDLING = "partial-date=after-cutoff"


@dataclass(frozen=True)
class Adam:
    """Analysis data sets; every frame has TRIAL and SUBJ (Int32), and STUDYID and USUBJID where they are known.

    Parameters
    ----------
    adsl, adrs, adtte, adae, adck, adresp : polars.DataFrame
    provenance : str
        `real`, `example` or `virtual`; also a column of every set.
    study_id : str
    """

    adsl: pl.DataFrame
    adrs: pl.DataFrame
    adtte: pl.DataFrame
    adae: pl.DataFrame
    adck: pl.DataFrame
    adresp: pl.DataFrame
    provenance: str
    study_id: str

    def sets(self) -> dict[str, pl.DataFrame]:
        """Return the sets by their ADaM names."""
        return {"ADSL": self.adsl, "ADRS": self.adrs, "ADTTE": self.adtte, "ADAE": self.adae, "ADCK": self.adck, "ADRESP": self.adresp}


def derive(study: Study, data: Source | Records) -> Adam:
    """Derive every analysis data set.

    Parameters
    ----------
    study : Study
    data : Source or Records
        SDTM domains, or records that are keyed by integers already (many trials).

    Returns
    -------
    Adam

    Raises
    ------
    InputError
        If the source cannot be used.

    Notes
    -----
    Where a partial date may lie on either side of the cutoff and an endpoint depends on it, its rows are given a second time as variant
    `partial-date=after-cutoff`.
    """
    records = derive_records(study, data) if isinstance(data, Source) else data
    calls = assess_response(study, records)
    course = derive_course(study, records)
    populations = Populations(study, records, calls, course)
    adrs, adtte = derive_adrs(study, populations), derive_adtte(study, populations)
    if course.frame["STRADDLES"].any():
        other = Populations(study, records, calls, derive_course(study, records, straddling_after_cutoff=True))
        adrs = _both_ways(adrs, derive_adrs(study, other))
        adtte = _both_ways(adtte, derive_adtte(study, other))
    keys = records.subjects.select("SUBJ", "TRIAL", *(name for name in ("STUDYID", "USUBJID") if name in records.subjects.columns))
    sets = (derive_adsl(study, populations), adrs, adtte, derive_adae(study, records), derive_adck(study, records), derive_adresp(study, populations))
    keyed = (_keyed(frame, keys, records.provenance) for frame in sets)
    return Adam(*keyed, provenance=records.provenance, study_id=study.study.id)


def _both_ways(main: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Add the rows of every main endpoint that the other reading of the dates changes."""
    if main.is_empty():
        return main
    first, second = main.filter(pl.col("VARIANT") == ""), other.filter(pl.col("VARIANT") == "")
    values = [name for name in ("SUBJ", "PARAMCD", "AVAL", "CNSR") if name in main.columns]
    changed = [name for name in first["PARAMCD"].unique(maintain_order=True) if not _same(first, second, name, values)]
    return pl.concat([main, second.filter(pl.col("PARAMCD").is_in(changed)).with_columns(pl.lit(STRADDLING).alias("VARIANT"))])


def _same(first: pl.DataFrame, second: pl.DataFrame, name: str, values: list[str]) -> bool:
    one, two = (frame.filter(pl.col("PARAMCD") == name).select(values).sort("SUBJ") for frame in (first, second))
    return one.equals(two)


def _keyed(frame: pl.DataFrame, keys: pl.DataFrame, provenance: str) -> pl.DataFrame:
    frame = frame.drop([name for name in ("TRIAL", "STUDYID", "USUBJID") if name in frame.columns])
    joined = frame.join(keys, on="SUBJ", how="left", maintain_order="left").with_columns(pl.lit(provenance).alias("PROVENANCE"))
    first = [*(name for name in ("STUDYID", "USUBJID") if name in keys.columns), "TRIAL", "SUBJ"]
    return joined.select(*first, *(name for name in joined.columns if name not in first))
