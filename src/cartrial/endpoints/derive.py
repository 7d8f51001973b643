"""What is each subject's value for each endpoint, and why? All ADaM sets of a study, for one trial or many."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from cartrial.endpoints.course import derive_course
from cartrial.endpoints.notices import Notice, find_notices
from cartrial.endpoints.populations import Populations
from cartrial.endpoints.relapse_free import with_relapse_free
from cartrial.endpoints.rules.codes import CNSR_CODES
from cartrial.endpoints.sets.adae import derive_adae
from cartrial.endpoints.sets.adck import derive_adck
from cartrial.endpoints.sets.adresp import derive_adresp
from cartrial.endpoints.sets.adrs import derive_adrs
from cartrial.endpoints.sets.adsl import derive_adsl
from cartrial.endpoints.sets.adtte import derive_adtte
from cartrial.endpoints.sets.lesions.adtr import ADTR_SCHEMA, derive_adtr
from cartrial.endpoints.sets.trace import are_lean, lean_sets
from cartrial.response import assess_response
from cartrial.sdtm.records import Records, derive_records
from cartrial.sdtm.source import Source
from cartrial.shown import Shown

if TYPE_CHECKING:
    from cartrial.study import Endpoint, Study, Variant

__all__ = ["DAY_ZERO_VARIANTS", "STRADDLING", "Adam", "derive", "derived_variants"]

STRADDLING = "partial-date=after-cutoff"
"""Name of the variant in which dates that straddle the cutoff are after it."""

DAY_ZERO_VARIANTS = ("day-0=earliest", "day-0=latest")
"""Names of the variants in which an infusion whose day is not known is on the earliest and on the latest day that it can be."""


def derived_variants(study: Study, endpoint: Endpoint) -> tuple[Variant, ...]:
    """Return the variants an endpoint may have rows for: those of the study, and the other readings of partial dates.

    Examples
    --------
    >>> from cartrial import Study
    >>> from cartrial.endpoints import derived_variants
    >>> study = Study.load("inaticel")
    >>> names = [variant.name for variant in derived_variants(study, study.endpoints[0])]
    >>> names[0], names[1], names[-1]
    ('', 'hsct=treatment-policy', 'partial-date=after-cutoff')
    """
    named = study.variants(endpoint)
    other = (STRADDLING, *(DAY_ZERO_VARIANTS if study.partial_day_0 else ()))
    return (*named, *(named[0].model_copy(update={"name": name}) for name in other))


@dataclass(frozen=True)
class Adam(Shown):
    """Analysis data sets; every frame has TRIAL and SUBJ (Int32), and STUDYID and USUBJID where they are known.

    Parameters
    ----------
    adsl, adrs, adtte, adae, adck, adresp, adtr : polars.DataFrame
        ADTR has rows where lesions were measured.
    provenance : str
        `real`, `example` or `virtual`; also a column of every set.
    study_id : str
    notices : tuple of Notice
        What must be told before any number is read: what the source lacks.
    """

    adsl: pl.DataFrame
    adrs: pl.DataFrame
    adtte: pl.DataFrame
    adae: pl.DataFrame
    adck: pl.DataFrame
    adresp: pl.DataFrame
    provenance: str
    study_id: str
    notices: tuple[Notice, ...] = ()
    adtr: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ADTR_SCHEMA))

    def sets(self) -> dict[str, pl.DataFrame]:
        """Return the sets by their ADaM names."""
        found = {"ADSL": self.adsl, "ADRS": self.adrs, "ADTTE": self.adtte, "ADAE": self.adae, "ADCK": self.adck, "ADRESP": self.adresp}
        return found if self.adtr.is_empty() else {**found, "ADTR": self.adtr}


def derive(study: Study, data: Source | Records, *, texts: bool = True) -> Adam:
    """Derive every analysis data set.

    Parameters
    ----------
    study : Study
    data : Source or Records
        SDTM domains, or records that are keyed by integers already (many trials).
    texts : bool
        Whether ADRS, ADTTE and ADRESP are for people. Without, for estimates of very many trials: words are Categorical, what no
        estimate reads is empty (sources, sentences, flags, dates), and nothing is told of what the source lacks (`notices`).

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
    `partial-date=after-cutoff`. Where the day of an infusion is imputed (`partial-day-0` of the study file), the rows of every endpoint
    stand again as variants `day-0=earliest` and `day-0=latest`, and those of the subject are flagged.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study, derive
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> adam = derive(Study.load("inaticel"), source)
    >>> adam.adrs.filter(PARAMCD="ORR3", VARIANT="").select("USUBJID", "AVALC", "CARDAY", "RULE").rows()
    [('S-01', 'Y', 90, 'CR counts as a response at month 3'), ('S-02', 'N', 90, 'no response at month 3: NR')]
    """
    with lean_sets(not texts):
        return _derive(study, derive_records(study, data) if isinstance(data, Source) else data)


def _derive(study: Study, records: Records) -> Adam:
    populations = _populations(study, records)
    adrs, adtte = _endpoints(study, populations)
    if populations.course.frame["STRADDLES"].any():
        other = replace(populations, course=derive_course(study, records, straddling_after_cutoff=True))
        adrs, adtte = (
            _both_ways(main, again, records.subjects["TRIAL"])
            for main, again in zip((adrs, adtte), _endpoints(study, other, main=True), strict=True)
        )
    for name, shifted in records.alternatives.items():
        others = _endpoints(study, _populations(study, shifted), main=True)
        adrs, adtte = (pl.concat([main, _named(again, name)]) for main, again in zip((adrs, adtte), others, strict=True))
    keys = records.subjects.select("SUBJ", "TRIAL", *(name for name in ("STUDYID", "USUBJID") if name in records.subjects.columns))
    sets = {
        "adsl": derive_adsl(study, populations),
        "adrs": adrs,
        "adtte": adtte,
        "adae": derive_adae(study, records),
        "adck": derive_adck(study, records),
        "adresp": derive_adresp(study, populations),
        "adtr": derive_adtr(study, populations),
    }
    keyed = {name: _keyed(frame, keys, records.provenance) for name, frame in sets.items()}
    notices = () if are_lean() else find_notices(study, populations, keyed["adsl"], keyed["adrs"], keyed["adtte"])
    return Adam(**keyed, provenance=records.provenance, study_id=study.study.id, notices=notices)


def _populations(study: Study, records: Records) -> Populations:
    calls, course = assess_response(study, records), derive_course(study, records)
    if records.recorded.level == "events":
        calls = with_relapse_free(study, records, calls, course)
    return Populations(study, records, calls, course)


def _endpoints(study: Study, populations: Populations, *, main: bool = False) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ADRS and ADTTE, of the main analyses alone if asked, flagged where the day from which a subject's days count is imputed."""
    adrs, adtte = derive_adrs(study, populations, main=main), derive_adtte(study, populations, main=main)
    subjects, course = populations.records.subjects, populations.course.frame
    if "DAY0IMPUTED" in subjects.columns and subjects["DAY0IMPUTED"].any():
        of = pl.col("SUBJ").is_in(subjects.filter("DAY0IMPUTED")["SUBJ"].to_list())
        adrs, adtte = (_flagged(frame, of, "day 0 imputed") for frame in (adrs, adtte))
    if course["ENROLLED_IMPUTED"].any():
        asked = [one.id for one in study.endpoints if one.origin == "enrolment" or (one.window and one.window.from_ == "enrolment")]
        of = pl.col("SUBJ").is_in(course.filter("ENROLLED_IMPUTED")["SUBJ"].to_list()) & pl.col("PARAMCD").is_in(asked)
        adrs, adtte = (_flagged(frame, of, "date of enrolment imputed") for frame in (adrs, adtte))
    return adrs, adtte


def _flagged(frame: pl.DataFrame, where: pl.Expr, words: str) -> pl.DataFrame:
    """Add words to the flags of some rows."""
    flags = pl.concat_str([pl.col("FLAGS"), pl.lit(words)], separator="; ", ignore_nulls=True)
    return frame.with_columns(pl.when(where).then(flags).otherwise("FLAGS").alias("FLAGS"))


_PASSIVE = {CNSR_CODES[reason]: CNSR_CODES["cutoff"] for reason in ("lost", "withdrawn")}
"""Reasons of a censored time that change neither its length nor an estimate."""


def _both_ways(main: pl.DataFrame, other: pl.DataFrame, trial: pl.Series) -> pl.DataFrame:
    """Add, trial by trial, the rows of every main endpoint that the other reading of the dates changes. `trial` is that of each SUBJ."""
    if main.is_empty():
        return main
    first, second = (
        frame.filter(pl.col("VARIANT") == "").with_columns(trial.gather(frame.filter(pl.col("VARIANT") == "")["SUBJ"]).alias("TRIAL"))
        for frame in (main, other)
    )
    keys = ["TRIAL", "PARAMCD", "SUBJ"]
    values = [name for name in ("AVAL", "CNSR") if name in main.columns]
    compared = [pl.col(name).replace(_PASSIVE) if name == "CNSR" else name for name in values]
    both = first.select(*keys, *compared).join(second.select(*keys, *compared), on=keys, how="full", coalesce=True, suffix="_OTHER")
    differ = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_OTHER")) for name in values)
    changed = both.filter(differ).select("TRIAL", "PARAMCD").unique()
    again = _named(second.join(changed, on=["TRIAL", "PARAMCD"], how="semi", maintain_order="left"), STRADDLING)
    return pl.concat([main, again.select(main.columns)])


def _named(frame: pl.DataFrame, variant: str) -> pl.DataFrame:
    """Return rows as those of a variant."""
    return frame.with_columns(pl.lit(variant).cast(frame.schema["VARIANT"]).alias("VARIANT"))


def _keyed(frame: pl.DataFrame, keys: pl.DataFrame, provenance: str) -> pl.DataFrame:
    """Add the keys: row SUBJ of `keys` is subject SUBJ."""
    names = [*(name for name in ("STUDYID", "USUBJID") if name in keys.columns), "TRIAL"]
    subject = frame["SUBJ"]
    columns = [keys[name][subject] for name in names]
    others = [column for column in frame.get_columns() if column.name not in (*names, "SUBJ", "PROVENANCE")]
    whose = pl.Series("PROVENANCE", [provenance]).new_from_index(0, frame.height)
    return pl.DataFrame([*columns, subject, *others, whose])
