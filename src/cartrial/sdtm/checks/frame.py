"""What is a rule of checking, and what does it see of the study and its source?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from cartrial.sdtm.source import FINDINGS_SCHEMA, Source, no_findings
from cartrial.sdtm.vocabulary.dates import choose_date, earliest_day, latest_day
from cartrial.sdtm.vocabulary.occurrence import occurrence, undone
from cartrial.sdtm.vocabulary.response_criteria import is_call, modality_of, status_of
from cartrial.sdtm.vocabulary.results import result_bounds, result_columns
from cartrial.sdtm.vocabulary.schema import DOMAINS, UNKEYED
from cartrial.sdtm.vocabulary.specimens import is_read
from cartrial.sdtm.vocabulary.terms import canonical, normalised, standard_term
from cartrial.sdtm.vocabulary.units import STRICT_TESTS

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["SUBJECT", "TIMING", "CheckRule", "Context", "found", "grouped", "timing", "with_rule"]

SUBJECT = ("STUDYID", "USUBJID")
TIMING = ("VARIABLE", "TEXT", "AXIS", "EARLY", "LATE")


@dataclass(frozen=True)
class CheckRule:
    """A rule.

    Parameters
    ----------
    id : str
        Its name in the findings.
    severity : str
        `stop` (would stop a report), `warning` or `note`.
    reads : str
        What it reads.
    says : str
        What it looks for, as a sentence.
    find : callable
        From a Context to frames made by `found`.
    """

    id: str
    severity: str
    reads: str
    says: str
    find: Callable[[Context], Iterable[pl.DataFrame]]


@dataclass(frozen=True)
class Context:
    """The study and its source as the rules see them; what several rules need is worked out once."""

    study: Study
    source: Source

    def table(self, domain: str) -> pl.DataFrame:
        """Return a domain with FILE and DOMAIN, without rows where the source lacks it.

        A domain of the schema has all its variables (null where the source lacks one), HAPPENED (whether a rule may read it as something
        that happened) and, where it has a timing, VARIABLE to LATE of `timeline`; TEXT to LATE are null for a record that stands on no
        day. RS has the family's statuses in RSSTRESC, in WORD what stood there, CALL (whether it is a call under the study's criteria)
        and MODALITY (by what it was made; blank: overall). Another domain has its keys and ROW.
        """
        if domain not in self._tables:
            known = DOMAINS.get(domain)
            names = (
                known.names if known else (*SUBJECT, *(name for name in (f"{domain}SEQ",) if name in self.source.domains[domain].columns))
            )
            file = pl.lit(self.source.file_of(domain), dtype=pl.String).alias("FILE")
            days = timing(*known.timing) if known and known.timing else ()
            frame = self.source.table(domain, names)
            told = (self.answer(domain, frame) == "Y").alias("HAPPENED")
            frame = frame.with_columns(file, pl.lit(domain).alias("DOMAIN"), told, *days)
            self._tables[domain] = self._as_statuses(frame) if domain == "RS" else frame
        return self._tables[domain]

    def _as_statuses(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return RS with the words that the study's family reads as its statuses; WORD: as it was."""
        family = self.study.disease.family
        return frame.with_columns(
            pl.coalesce(status_of(pl.col("RSSTRESC"), family), "RSSTRESC").alias("RSSTRESC"),
            pl.col("RSSTRESC").alias("WORD"),
            is_call(pl.col("RSTESTCD"), pl.col("RSCAT"), family).alias("CALL"),
            modality_of(pl.col("RSTESTCD"), pl.col("RSMETHOD"), family).alias("MODALITY"),
        )

    def answer(self, domain: str, lacking: pl.DataFrame | None = None) -> pl.Series:
        """Return Y, N or U for each record of a domain (`occurrence`), found once; `lacking` stands for a domain that is absent."""
        if domain not in self._answers:
            raw = self.source.domains.get(domain, lacking)
            assert raw is not None
            self._answers[domain] = raw.with_columns(occurrence(raw, domain).alias("ANSWER"))["ANSWER"]
        return self._answers[domain]

    @cached_property
    def _answers(self) -> dict[str, pl.Series]:
        return {}

    def events(self, domain: str) -> pl.DataFrame:
        """Return `table` without the records of what did not happen."""
        if domain not in self._events:
            frame = self.table(domain)
            self._events[domain] = frame if frame["HAPPENED"].all() else frame.filter("HAPPENED")
        return self._events[domain]

    @cached_property
    def _events(self) -> dict[str, pl.DataFrame]:
        return {}

    @cached_property
    def _tables(self) -> dict[str, pl.DataFrame]:
        return {}

    @cached_property
    def laboratory(self) -> pl.DataFrame:
        """Return the records of LB as the rules read them, with what was not done.

        Returns
        -------
        polars.DataFrame
            `table` of LB with TEST, SAID (the text that was read), READ_NUMBER (the number in it), and REL to FACTOR of
            `cartrial.sdtm.vocabulary.results.result_columns`; SPEC, LOW and HIGH, and READ:
            whether a rule reads the test of that specimen.
        """
        lab = self.table("LB")
        read = result_columns(lab).rename({"TEXT": "SAID", "READ": "READ_NUMBER"})
        lab = lab.with_columns(
            *read.get_columns(), pl.coalesce(canonical(pl.col("LBSPEC"), "LBSPEC"), normalised(pl.col("LBSPEC"))).alias("SPEC")
        )
        lab = lab.with_columns(*result_bounds(), is_read(self.study.disease.mrd.specimens).alias("READ"))
        return lab

    @cached_property
    def results(self) -> pl.DataFrame:
        """Return `laboratory` without what was not done."""
        return self.laboratory.filter(~undone(self.laboratory, "LB"))

    @cached_property
    def tests(self) -> list[str]:
        """Laboratory tests that a rule of the study reads."""
        study = self.study
        named = [(item.from_.testcd or item.id).upper() for item in study.baseline if item.from_.domain == "LB"]
        sampled = [endpoint.samples.test for endpoint in study.endpoints if endpoint.samples]
        read = [*STRICT_TESTS, *study.kinetics.tests, study.safety.aplasia.testcd, *sampled, *named]
        return list(dict.fromkeys(standard_term(test, "LBTESTCD") or test for test in read))

    @cached_property
    def keyed(self) -> list[str]:
        """Domains whose records belong to subjects."""
        return [name for name, frame in self.source.domains.items() if name not in UNKEYED and set(SUBJECT) <= set(frame.columns)]

    @cached_property
    def timeline(self) -> pl.DataFrame:
        """Return every record that stands on a day.

        Returns
        -------
        polars.DataFrame
            FILE, ROW, DOMAIN, STUDYID, USUBJID, VARIABLE, TEXT (the date as written, or "day n"), AXIS (`date` or `day`), EARLY and
            LATE (Float64 days), and DEATH, whether the record itself tells of the death.
        """
        columns = ("FILE", "ROW", "DOMAIN", *SUBJECT, *TIMING, "DEATH")
        parts = []
        for name, domain in DOMAINS.items():
            if domain.timing and name in self.source.domains:
                told = {"DS": ("DSDECOD", "DEATH"), "SS": ("SSSTRESC", "DEAD")}.get(name)
                frame = self.events(name)
                death = (pl.col(told[0]) == told[1]).fill_null(False) if told else pl.lit(name == "DD")
                parts.append(frame.with_columns(death.alias("DEATH")).select(columns).filter(pl.col("EARLY").is_not_null()))
        if not parts:
            return self.table("DS").with_columns(pl.lit(False).alias("DEATH")).select(columns)
        return pl.concat(parts)

    @cached_property
    def infusions(self) -> pl.DataFrame:
        """Return the product's records in EX, the first of each subject first."""
        names = list(self.study.product.exposure)
        return self.events("EX").filter(pl.col("EXTRT").str.to_uppercase().is_in(names)).sort(*SUBJECT, "EARLY", "ROW", nulls_last=True)

    @cached_property
    def day_zero(self) -> pl.DataFrame:
        """Return each infused subject's first infusion: FILE, ROW, SUBJECT, AXIS, VARIABLE, ZERO, ZERO_LATE, ZERO_TEXT."""
        # of several infusions the first is on the earliest day that the earliest can be, and no later than any of them can be
        known = self.infusions.filter(pl.col("EARLY").is_not_null())
        first = known.with_columns(pl.col("LATE").min().over(*SUBJECT, "AXIS")).group_by(SUBJECT, maintain_order=True).first()
        return first.select(
            *("FILE", "ROW", *SUBJECT, "AXIS", "VARIABLE"),
            *(pl.col(name).alias(column) for name, column in (("EARLY", "ZERO"), ("LATE", "ZERO_LATE"), ("TEXT", "ZERO_TEXT"))),
        )

    @cached_property
    def deaths(self) -> pl.DataFrame:
        """Return what each source says of a death.

        Returns
        -------
        polars.DataFrame
            FILE, ROW, STUDYID, USUBJID, ORDER (0 DM, 1 DS, 2 DD, 3 AE, 4 SS), SOURCE, VARIABLE, TEXT, AXIS, EARLY, LATE; TEXT to LATE
            null where undated. DD says only by when the subject had died.
        """
        dm = self.table("DM").filter(pl.col("DTHDTC").is_not_null() | pl.col("DTHDY").is_not_null() | (pl.col("DTHFL") == "Y"))
        dm = dm.with_columns(*timing("DTHDTC", "DTHDY"))
        ds = self.events("DS").filter(pl.col("DSDECOD") == "DEATH")
        ae = self.events("AE").filter((pl.col("AEOUT") == "FATAL") | (pl.col("AESDTH") == "Y") | (pl.col("AETOXGR") == "5"))
        ae = ae.with_columns(*timing("AEENDTC", "AEENDY"))
        ss = self.events("SS").filter((pl.col("SSTESTCD") == "SURVSTAT") & (pl.col("SSSTRESC") == "DEAD"))
        columns = ("FILE", "ROW", *SUBJECT, "ORDER", "SOURCE", *TIMING)
        sources = enumerate((("DM", dm), ("DS", ds), ("DD", self.events("DD")), ("AE", ae), ("SS", ss)))
        return pl.concat(
            frame.with_columns(pl.lit(order).alias("ORDER"), pl.lit(name).alias("SOURCE")).select(columns)
            for order, (name, frame) in sources
        )

    @cached_property
    def death_day(self) -> pl.DataFrame:
        """Return each dead subject's death as it is read: SUBJECT, AXIS, DEATH_EARLY, DEATH_LATE, DEATH_TEXT, DEATH_SOURCE."""
        details = pl.when(pl.col("SOURCE") == "DD").then(float("-inf")).otherwise("EARLY")
        dated = self.deaths.filter(pl.col("EARLY").is_not_null()).with_columns(details.alias("EARLY"))
        chosen = choose_date(dated, [*SUBJECT, "AXIS"], ["ORDER", "EARLY"], ("EARLY", "LATE"))
        names = {"EARLY": "DEATH_EARLY", "LATE": "DEATH_LATE", "TEXT": "DEATH_TEXT", "SOURCE": "DEATH_SOURCE"}
        return chosen.select(*SUBJECT, "AXIS", *(pl.col(name).alias(column) for name, column in names.items()))


def timing(date: str, day: str | None) -> tuple[pl.Expr, ...]:
    """Return VARIABLE, TEXT, AXIS, EARLY and LATE of records with a date, else with a study day.

    Parameters
    ----------
    date : str
        Column of ISO 8601 dates.
    day : str or None
        Column of study days, used where the date is blank or means no day.
    """
    dated = earliest_day(pl.col(date)).is_not_null()
    number = pl.col(day) if day else pl.lit(None, dtype=pl.Float64)
    on_day = ~dated & number.is_not_null()
    return (
        pl.when(on_day).then(pl.lit(day, dtype=pl.String)).otherwise(pl.lit(date)).alias("VARIABLE"),
        pl.when(on_day).then(pl.format("day {}", number.cast(pl.String).str.replace(r"\.0$", ""))).otherwise(pl.col(date)).alias("TEXT"),
        pl.when(dated).then(pl.lit("date")).when(on_day).then(pl.lit("day")).alias("AXIS"),
        pl.coalesce(earliest_day(pl.col(date)).cast(pl.Float64), number).alias("EARLY"),
        pl.coalesce(latest_day(pl.col(date)).cast(pl.Float64), number).alias("LATE"),
    )


def found(frame: pl.DataFrame, message: pl.Expr | str, *, domain: str | pl.Expr | None, variable: str | pl.Expr | None) -> pl.DataFrame:
    """Return records as findings, one a record; rule and severity are filled in by the runner.

    Parameters
    ----------
    frame : polars.DataFrame
        Records with FILE, ROW and USUBJID (each null where it does not apply).
    message : expression or str
        A sentence.
    domain, variable : expression or str
        Where it was found.
    """
    if frame.is_empty():
        return no_findings()
    has = frame.columns
    return frame.select(
        pl.col("FILE") if "FILE" in has else pl.lit(None, dtype=pl.String).alias("FILE"),
        pl.col("ROW").cast(pl.Int64) if "ROW" in has else pl.lit(None, dtype=pl.Int64).alias("ROW"),
        _expr(domain).alias("DOMAIN"),
        pl.col("USUBJID") if "USUBJID" in has else pl.lit(None, dtype=pl.String).alias("USUBJID"),
        _expr(variable).alias("VARIABLE"),
        _expr(message).alias("MESSAGE"),
    )


def grouped(frame: pl.DataFrame, by: str | tuple[str, ...]) -> pl.DataFrame:
    """Return one row a group, its first FILE, ROW and USUBJID, and COUNT as words: "1 record", "12 records"."""
    keys = [by] if isinstance(by, str) else list(by)
    if frame.is_empty():
        types = {name: frame.schema[name] for name in (*keys, "FILE", "ROW")}
        return pl.DataFrame(schema={**types, "N": pl.UInt32, "USUBJID": pl.String, "COUNT": pl.String})
    out = (
        frame.sort("ROW")
        .group_by(keys, maintain_order=True)
        .agg(pl.len().alias("N"), pl.col("FILE").first(), pl.col("ROW").first(), pl.lit(None, dtype=pl.String).alias("USUBJID"))
    )
    return out.with_columns(pl.when(pl.col("N") == 1).then(pl.lit("1 record")).otherwise(pl.format("{} records", "N")).alias("COUNT"))


def _expr(value: pl.Expr | str | None) -> pl.Expr:
    return value if isinstance(value, pl.Expr) else pl.lit(value, dtype=pl.String)


def with_rule(frame: pl.DataFrame, rule: CheckRule) -> pl.DataFrame:
    """Return frames of `found` with the rule's id and severity, as a findings frame."""
    return frame.with_columns(pl.lit(rule.id).alias("RULE"), pl.lit(rule.severity).alias("SEVERITY")).select(list(FINDINGS_SCHEMA))
