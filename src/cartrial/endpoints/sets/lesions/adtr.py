"""How large were the target lesions at each scan, against baseline? ADTR, one row by subject, reader and scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cartrial.endpoints.populations import Populations
from cartrial.endpoints.sets.adrs import words_of_flags
from cartrial.endpoints.sets.trace import as_dates
from cartrial.response.imaging import assess_imaging
from cartrial.sdtm.records import READERS
from cartrial.sdtm.records.codes import FAR
from cartrial.study.criteria.codes import RESPONSES, statuses_of

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["ADTR_SCHEMA", "derive_adtr"]

ADTR_SCHEMA = {
    **{"SUBJ": pl.Int32, "PARAMCD": pl.String, "PARAM": pl.String, "READER": pl.String, "CARDAY": pl.Int32, "ADT": pl.Date},
    **{"AVAL": pl.Float64, "BASE": pl.Float64, "PCHG": pl.Float64, "AVALC": pl.String, "ABLFL": pl.String, "BESTFL": pl.String},
    **{"SRCDOM": pl.String, "SRCSEQ": pl.Int64, "FLAGS": pl.String},
}

_NAME = "Sum of products of the target lesions (mm2)"


def derive_adtr(study: Study, populations: Populations) -> pl.DataFrame:
    """Return ADTR.

    Parameters
    ----------
    study : Study
    populations : Populations
        Holds records, calls and course.

    Returns
    -------
    polars.DataFrame
        Columns of `ADTR_SCHEMA`. AVAL is the sum of products at the scan (mm2), null where a target was not evaluated; BASE that at
        baseline; PCHG the change in per cent, null at baseline. AVALC is the call by CT. BESTFL is Y for the lowest PCHG of a subject
        and reader after day 0, the earlier of equals.

    Notes
    -----
    The best change is looked for up to the reader's own first progression, that scan included, and up to new therapy, transplant and
    re-infusion, unless the study's best response ignores them (`treatment-policy`). Nothing is derived of many trials at once.
    """
    records = populations.records
    if not getattr(records, "imaging", None) or records.subjects["TRIAL"].n_unique() > 1:
        return pl.DataFrame(schema=ADTR_SCHEMA)
    sizes = assess_imaging(study, records).sizes.filter(pl.col("BASE").is_not_null())
    if sizes.is_empty():
        return pl.DataFrame(schema=ADTR_SCHEMA)
    who, day, reader = (sizes[name].to_numpy().astype(np.int64) for name in ("SUBJ", "DAY", "READER"))
    course = populations.course
    day0 = course.day0[who]
    infused = day0 < FAR
    last = np.minimum(_ended(study, populations)[reader, who], _stopped(study, populations)[who])
    change = (100 * (pl.col("AVAL") / pl.col("BASE") - 1)).round_sig_figs(12)
    frame = sizes.select(
        "SUBJ",
        pl.lit("SPD").alias("PARAMCD"),
        pl.lit(_NAME).alias("PARAM"),
        pl.Series([READERS[code] for code in reader], dtype=pl.String).alias("READER"),
        pl.Series("CARDAY", np.where(infused, day - day0, 0)).cast(pl.Int32),
        as_dates(day, course.frame["DATED"].to_numpy()[who]).alias("ADT"),
        pl.col("SPD").alias("AVAL"),
        "BASE",
        pl.col("RESP").cast(pl.Int64).replace_strict(dict(enumerate(RESPONSES)), default=None, return_dtype=pl.String).alias("AVALC"),
        pl.when(pl.col("RESP").is_null()).then(pl.lit("Y")).alias("ABLFL"),
        pl.lit("TR").alias("SRCDOM"),
        pl.when(pl.col("SEQ") >= 0).then("SEQ").alias("SRCSEQ"),
        words_of_flags(study.disease.family, sizes["FLAGS"].to_numpy()).alias("FLAGS"),
        pl.Series("OPEN", infused & (day > day0) & (day <= last)),
    )
    frame = frame.with_columns(pl.when(pl.col("ABLFL").is_null() & (pl.col("BASE") > 0)).then(change).alias("PCHG"))
    counted = frame.with_row_index("AT").filter(pl.col("OPEN") & pl.col("PCHG").is_not_null())
    best = counted.sort("PCHG", "CARDAY").unique(["SUBJ", "READER"], keep="first", maintain_order=True)["AT"].to_list()
    flagged = frame.with_row_index("AT").with_columns(pl.when(pl.col("AT").is_in(best)).then(pl.lit("Y")).alias("BESTFL"))
    return flagged.select(pl.col(name).cast(dtype) for name, dtype in ADTR_SCHEMA.items()).sort("SUBJ", "READER", "CARDAY")


def _ended(study: Study, populations: Populations) -> np.ndarray:
    """Return the day of each reader's first event of the disease after day 0: int64, shape (readers, subjects)."""
    ends, day0 = statuses_of(study.disease.family.roles.ends), populations.course.day0
    days = np.full((len(READERS), len(day0)), FAR, np.int64)
    for code, calls in populations.calls.items():
        event = np.isin(calls.status, ends) & (calls.day > day0[calls.subject])
        np.minimum.at(days[code], calls.subject[event], calls.day[event])
    return days


def _stopped(study: Study, populations: Populations) -> np.ndarray:
    """Return the day of the first therapy that ends a best response: int64, shape (subjects,)."""
    course = populations.course
    best = next((endpoint.strategies for endpoint in study.endpoints if endpoint.type == "best-response"), None)
    kept = [best is None or getattr(best, name) != "treatment-policy" for name in ("hsct", "re_infusion", "new_therapy")]
    days = np.where(np.array(kept)[:, None], course.ice, FAR)
    return np.asarray(days.min(axis=0))
