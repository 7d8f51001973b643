"""When did B cells recover, and when were cells of the product no longer found? Times and rates whose event is seen in samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from cartrial.endpoints.rules import codes
from cartrial.endpoints.rules.strategies import strategy_codes
from cartrial.endpoints.sets.adck import samples_of
from cartrial.response.arrays import usable
from cartrial.response.codes import AFTER_RELAPSE
from cartrial.sdtm.records.codes import FAR
from cartrial.sdtm.vocabulary.results import result_bounds, significant
from cartrial.sdtm.vocabulary.specimens import is_read
from cartrial.sdtm.vocabulary.terms import value_of
from cartrial.sdtm.vocabulary.units import standard_unit
from cartrial.study.criteria.codes import statuses_of

if TYPE_CHECKING:
    from cartrial.endpoints.course import Course
    from cartrial.endpoints.populations import Populations
    from cartrial.response.arrays import Calls
    from cartrial.study import Study
    from cartrial.study.endpoint import Endpoint, Samples

__all__ = ["Sampled", "derive_samples", "early_event", "unsampled"]

NONE = -1
_REASONS = {
    codes.E_RELAPSE: codes.R_RELAPSE,
    codes.E_DEATH: codes.R_DEATH,
    codes.E_HSCT: codes.R_HSCT,
    codes.E_REINFUSION: codes.R_REINFUSION,
    codes.E_NEWTHERAPY: codes.R_NEWTHERAPY,
}


class Sampled(NamedTuple):
    """What samples show of each subject: arrays of int64, shape (subjects,).

    `member`: whether the subject belongs to the endpoint; `start`: the day from which its time runs; `end`, `event`, `censor` as a time to
    event has them (-1: none); `source`: --SEQ of the sample of LB that shows the event or the last day, -1 where no sample does; `call`:
    the place of the relapse among the reader's calls.
    """

    member: np.ndarray
    start: np.ndarray
    end: np.ndarray
    event: np.ndarray
    censor: np.ndarray
    source: np.ndarray
    call: np.ndarray


class _Stop(NamedTuple):
    """What ends each subject's time: its day (`FAR`: nothing), the event (-1: it censors), the reason, and the relapse's call."""

    day: np.ndarray
    event: np.ndarray
    censor: np.ndarray
    call: np.ndarray


def unsampled(populations: Populations, endpoint: Endpoint) -> np.ndarray:
    """Return in which trials no sample of the endpoint's test was taken from day 0 up to the cutoff: bool, by trial."""
    records, samples = populations.records, endpoint.samples
    assert samples is not None
    taken = usable(records.labs.filter((pl.col("TEST") == samples.test) & pl.col("DONE")), records.subjects)
    without = np.full(populations.trials, not records.recorded.shared)
    subject = taken["SUBJ"].to_numpy()
    without[populations.trial[subject[taken["DAY"].to_numpy() >= populations.course.day0[subject]]]] = False
    return without


def early_event(endpoint: Endpoint, course: Course, sampled: Sampled, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether the event stands before so many days from day 0 (1, 0, -1 not yet assessable), and why, of some subjects."""
    window = endpoint.window
    assert window is not None and window.within_days is not None
    day0, end, event = course.day0[rows], sampled.end[rows], sampled.event[rows]
    closes = day0 + window.within_days
    shown = ((event == codes.E_RECOVERY) | (event == codes.E_LOSS)) & (end < closes)
    over = (closes <= course.cutoff[rows]) | (event >= 0)
    reason = np.full(len(rows), codes.R_NO_RECOVERY, np.int64)
    for code, why in _REASONS.items():
        reason = np.where((event == code) & (end < closes), why, reason)
    value = np.where(shown, 1, np.where(over, 0, -1))
    return value, np.where(shown, codes.R_RECOVERY, np.where(over, reason, codes.R_OPEN))


def derive_samples(study: Study, populations: Populations, endpoint: Endpoint, reader: int) -> Sampled:
    """Return the time of each subject until samples show the event, until what competes, or until the last sample.

    Parameters
    ----------
    study : Study
    populations : Populations
    endpoint : Endpoint
        With `samples`.
    reader : int
        Whose relapse competes, and whose responders are asked.

    Notes
    -----
    *Recovery*: the sample nearest to the landmark, the earlier on a tie, is below the limit, and nothing ended the time before it. The
    event is the first sample of the first row of samples at or above the limit, none below it between, that spans the days of `apart`.
    *Loss of persistence*: a sample was quantifiable; the event is the first of such a row below the limit of quantification after the
    first highest sample. Relapse, death and an intercurrent event whose strategy is composite end the time; another strategy than
    treatment policy censors at the last sample before it. Samples after any of these show nothing.
    """
    samples = endpoint.samples
    assert samples is not None
    course, calls = populations.course, populations.calls[reader]
    stop = _stops(study, endpoint, calls, course)
    member = populations.members(endpoint, reader) & (course.day0 < FAR)
    table = _b_cells(populations, samples) if samples.test == "BCELL" else _product_cells(study, populations, samples)
    last = np.minimum(np.minimum(stop.day, course.cutoff), course.death)
    who, day = table["SUBJ"].to_numpy(), table["DAY"].to_numpy().astype(np.int64)
    table = table.filter(pl.Series((day >= course.day0[who]) & (day <= last[who]), dtype=pl.Boolean))
    begins = _landmark(samples, table, course) if samples.test == "BCELL" else _peak(table)
    shown = _first_row(table, begins, samples.apart)
    ends = table.group_by("SUBJ").agg(pl.col("DAY").last().alias("LAST"), pl.col("SEQ").last().alias("LASTSEQ"))
    frame = pl.DataFrame({"SUBJ": np.arange(len(member), dtype=np.int32)})
    for part in (begins, shown, ends):
        frame = frame.join(part, on="SUBJ", how="left", maintain_order="left")
    columns = {name: frame[name].cast(pl.Int64).fill_null(NONE).to_numpy() for name in ("DAY", "SEQ", "LASTSEQ")}
    has = frame["DAY"].is_not_null().to_numpy()
    known = frame["BEGIN"].is_not_null().to_numpy()
    begin, final = (frame[name].cast(pl.Int64).fill_null(-FAR).to_numpy() for name in ("BEGIN", "LAST"))
    stopped = ~has & (stop.day < FAR) & (stop.event >= 0)
    event = np.where(has, codes.E_RECOVERY if samples.test == "BCELL" else codes.E_LOSS, np.where(stopped, stop.event, NONE))
    left = np.where(course.withdrawn < FAR, codes.C_WITHDRAWN, np.where(course.lost < FAR, codes.C_LOST, codes.C_CUTOFF))
    reason = np.where((stop.day < FAR) & (stop.event < 0), stop.censor, left)
    return Sampled(
        member=member & known,
        start=begin if endpoint.origin == "aplasia" else course.day0,
        end=np.where(has, columns["DAY"], np.where(stopped, stop.day, final)),
        event=event,
        censor=np.where(event >= 0, NONE, reason),
        source=np.where(has, columns["SEQ"], np.where(stopped, NONE, columns["LASTSEQ"])),
        call=np.where(stopped & (event == codes.E_RELAPSE), stop.call, NONE),
    )


def _stops(study: Study, endpoint: Endpoint, calls: Calls, course: Course) -> _Stop:
    """Return what first ends each subject's time; on one date relapse before transplant, re-infusion, new therapy and death."""
    count = len(course.day0)
    ended = np.isin(calls.status, statuses_of(study.disease.family.roles.ends)) & ((calls.flags & AFTER_RELAPSE) == 0)
    place = np.flatnonzero(ended & (calls.day > course.day0[calls.subject]) & (calls.day <= course.death[calls.subject]))[::-1]
    relapse = np.full(count, NONE, np.int64)
    relapse[calls.subject[place]] = place  # the first of a subject comes last here, and stays
    day = np.where(relapse >= 0, calls.day[np.maximum(relapse, 0)] if len(calls.day) else FAR, FAR)
    event, censor = np.where(day < FAR, codes.E_RELAPSE, NONE), np.full(count, NONE)
    for ice, strategy in enumerate(strategy_codes(endpoint)):
        if strategy == codes.TREATMENT_POLICY:
            continue
        first = course.ice[ice] < day
        competes = strategy == codes.COMPOSITE
        day = np.where(first, course.ice[ice], day)
        event = np.where(first, codes.ICE_EVENTS[ice] if competes else NONE, event)
        censor = np.where(first, NONE if competes else codes.ICE_CENSORS[ice], censor)
    dead = course.death < day
    return _Stop(np.where(dead, course.death, day), np.where(dead, codes.E_DEATH, event), np.where(dead, NONE, censor), relapse)


def _b_cells(populations: Populations, samples: Samples) -> pl.DataFrame:
    """Return the samples of B cells by subject and day: SUBJ, DAY, SHOWS (at or above the limit, below it, null: neither), SEQ, BACK."""
    records = populations.records
    where = (pl.col("TEST") == samples.test) & pl.col("DONE") & pl.col("REL").is_not_null() & is_read(())
    taken = usable(records.labs.filter(where), records.subjects).with_columns(result_bounds())
    lb = records.extra.get("LB")
    if lb is not None and "LBSTRESU" in lb.columns:
        unit = standard_unit(pl.lit(samples.test), value_of(lb, "LBSTRESU"))
        units = lb.select("SUBJ", "SEQ", unit.alias("UNIT")).unique(["SUBJ", "SEQ"], keep="first", maintain_order=True)
        taken = taken.join(units, on=["SUBJ", "SEQ"], how="left", maintain_order="left")
        share = (pl.col("UNIT") == "%").fill_null(False)
    else:
        share = pl.lit(False)
    taken = taken.with_columns(pl.when(share).then(pl.lit(samples.percent, dtype=pl.Float64)).otherwise(samples.limit).alias("BOUND"))
    bound = significant(pl.col("BOUND"))
    shows = pl.when(pl.col("LOW") >= bound).then(True).when(pl.col("HIGH") < bound).then(False)
    # of one date the highest
    taken = taken.filter(pl.col("BOUND").is_not_null()).with_columns(shows.alias("SHOWS")).sort("SUBJ", "DAY", "SHOWS", "SEQ")
    return taken.unique(["SUBJ", "DAY"], keep="last", maintain_order=True).select("SUBJ", "DAY", "SHOWS", "SEQ")


def _product_cells(study: Study, populations: Populations, samples: Samples) -> pl.DataFrame:
    """Return the samples of the product's cells: SUBJ, DAY, SHOWS (below the limit of quantification), SEQ, C."""
    taken = samples_of((samples.test,), study.product.fraction_days, populations.records).filter("LEGIBLE")
    day0 = populations.records.subjects.select("SUBJ", "DAY0")
    days = taken.join(day0, on="SUBJ", how="left", maintain_order="left")
    return days.select("SUBJ", (pl.col("T").cast(pl.Int32) + pl.col("DAY0")).alias("DAY"), (~pl.col("QUANT")).alias("SHOWS"), "SEQ", "C")


def _landmark(samples: Samples, table: pl.DataFrame, course: Course) -> pl.DataFrame:
    """Return SUBJ and BEGIN, the day of the landmark's sample, of those in aplasia at it."""
    zero = pl.Series(np.where(course.day0 < FAR, course.day0, 0)).gather(table["SUBJ"])
    days = table.with_columns((pl.col("DAY") - zero).alias("AT"))
    days = days.filter(pl.col("AT").is_between(samples.from_, samples.to) & pl.col("SHOWS").is_not_null())
    nearest = days.with_columns((pl.col("AT") - samples.day).abs().alias("GAP")).sort("SUBJ", "GAP", "DAY")
    return nearest.unique("SUBJ", keep="first", maintain_order=True).filter(~pl.col("SHOWS")).select("SUBJ", pl.col("DAY").alias("BEGIN"))


def _peak(table: pl.DataFrame) -> pl.DataFrame:
    """Return SUBJ and BEGIN, the day of the first highest sample, of those with a quantifiable one."""
    seen = table.filter(~pl.col("SHOWS"))
    return seen.group_by("SUBJ", maintain_order=True).agg(pl.col("DAY").get(pl.col("C").arg_max()).alias("BEGIN"))


def _first_row(table: pl.DataFrame, begins: pl.DataFrame, apart: int) -> pl.DataFrame:
    """Return SUBJ, DAY and SEQ of the first sample of the first row that shows the event and spans so many days."""
    after = table.join(begins, on="SUBJ").filter((pl.col("DAY") > pl.col("BEGIN")) & pl.col("SHOWS").is_not_null()).sort("SUBJ", "DAY")
    new = (pl.col("SUBJ") != pl.col("SUBJ").shift(1)) | (pl.col("SHOWS") != pl.col("SHOWS").shift(1))
    rows = after.with_columns(new.fill_null(True).cum_sum().alias("ROW")).filter("SHOWS")
    spans = rows.group_by("SUBJ", "ROW", maintain_order=True).agg(
        pl.col("DAY").first(), pl.col("SEQ").first(), (pl.col("DAY").last() - pl.col("DAY").first()).alias("SPAN")
    )
    return spans.filter(pl.col("SPAN") >= apart).unique("SUBJ", keep="first", maintain_order=True).select("SUBJ", "DAY", "SEQ")
