"""What is left of source, derived sets and findings when whose they are is hidden?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.report.study.hidden.draw import Codes
from cartrial.sdtm import CHECK_RULES, MAPPING_RULES, READING_RULES, Source
from cartrial.sdtm.vocabulary.harm.causes import CAUSES
from cartrial.sdtm.vocabulary.occurrence import happened
from cartrial.sdtm.vocabulary.terms import CODE_LISTS, canonical, normalised, value_of
from cartrial.sdtm.vocabulary.units import cells_factor

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm.records import Records

__all__ = ["HIDDEN_COLUMNS", "Hiding", "bare_source", "code_source", "hide_adam", "hide_findings", "hide_record"]

# of a subject or a site, in any domain
_WHOSE = ("SUBJID", "SITEID", "INVID", "INVNAM", "COUNTRY", "RSUBJID", "BRTHDTC", "DMXFN")
# columns of derived sets that name a place, or that a site wrote
# the day of a cutoff whose date is known tells the date of the infusion
HIDDEN_COLUMNS = ("SITEID", "COUNTRY", "ORRES", "SUBJID", "CUTDY", "CUTDAY")
_UNCODED = "UNCODED"
_WITHHELD = "Details are withheld."


@dataclass(frozen=True)
class Hiding:
    """What a report needs to hide whose data they are.

    Parameters
    ----------
    codes : Codes
    records : Records
        Of the source under its codes.
    source : Source
        The source as it was: nothing of it may be found in what is written.
    """

    codes: Codes
    records: Records
    source: Source


def code_source(source: Source, codes: Codes) -> Source:
    """Return a source under its codes: rules read the same, and no name of a subject or a site is in it.

    What a site wrote of an event, a deviation, a disposition or a cause of death that has no code is `UNCODED` or `OTHER`. Dates stay: the
    rules read them.
    """
    domains = {}
    for name, frame in source.domains.items():
        columns = []
        for column in ("USUBJID", "POOLID"):
            if column in frame.columns:
                columns.append(pl.col(column).replace(dict(codes.of)).alias(column))
        columns += [pl.lit(None, dtype=frame.schema[column]).alias(column) for column in _WHOSE if column in frame.columns]
        columns += _uncoded(name, frame)
        domains[name] = frame.with_columns(columns)
    return replace(source, domains=domains, findings=hide_findings(source.findings, codes))


def _uncoded(name: str, frame: pl.DataFrame) -> list[pl.Expr]:
    """Return columns without a site's own words, where a result would print them."""
    found = []
    if name == "DV" and "DVCAT" in frame.columns:
        known = pl.col("DVCAT").str.to_uppercase().str.strip_chars().is_in(_WEIGHTS)
        found.append(pl.when(known | pl.col("DVCAT").is_null()).then("DVCAT").otherwise(pl.lit("OTHER")).alias("DVCAT"))
    for domain, column in (("AE", "AETERM"), ("DV", "DVTERM"), ("HO", "HOTERM")):
        if name == domain and column in frame.columns and name != "HO":
            told = happened(frame, domain) & pl.col(column).is_not_null()
            found.append(pl.when(told).then(pl.lit(_UNCODED)).otherwise(column).alias(column))
    if name == "EX" and "EXDOSU" in frame.columns:
        known = cells_factor(value_of(frame, "EXDOSU")).is_not_null() | normalised(pl.col("EXDOSU")).is_in(_DOSES)
        found.append(pl.when(known.fill_null(False)).then("EXDOSU").alias("EXDOSU"))
    if name == "DS" and "DSDECOD" in frame.columns:
        code = canonical(value_of(frame, "DSDECOD"), "DSDECOD").is_in(list(CODE_LISTS["DSDECOD"].terms)).fill_null(False)
        known = code | value_of(frame, "DSDECOD").str.to_uppercase().is_in(_REASONS).fill_null(False)
        found.append(pl.when(known | pl.col("DSDECOD").is_null()).then("DSDECOD").otherwise(pl.lit("OTHER")).alias("DSDECOD"))
    if name == "DD":
        for column in ("DDSTRESC", "DDORRES"):
            if column in frame.columns:
                known = pl.col(column).str.to_uppercase().str.strip_chars().is_in(_CAUSES)
                found.append(pl.when(known | pl.col(column).is_null()).then(column).otherwise(pl.lit("OTHER CAUSE")).alias(column))
    return found


# units of drugs; what else stands there is a site's own word
_DOSES = [f"{mass}{per}" for mass in ("G", "MG", "UG") for per in ("", "/M2", "/M^2", "/KG", "/DAY", "/M2/DAY", "/KG/DAY")]
# how much a deviation weighs: no code list of CDISC has it, and a sponsor's own words may name a site
_WEIGHTS = ["CRITICAL", "IMPORTANT", "MAJOR", "MINOR", "NON-CRITICAL", "NON-IMPORTANT", "NOT IMPORTANT", "NOT SIGNIFICANT", "SIGNIFICANT"]
_CAUSES = [word for cause, words in CAUSES.items() for word in (cause.upper(), *words)]
# why subjects leave a study: CDISC's terms besides those of the rules
_REASONS = [
    *("ADVERSE EVENT", "COMPLETED", "DISEASE RELAPSE", "LACK OF EFFICACY", "NON-COMPLIANCE WITH STUDY DRUG", "OTHER", "PHYSICIAN DECISION"),
    *("PREGNANCY", "PROGRESSIVE DISEASE", "PROTOCOL DEVIATION", "SCREEN FAILURE", "STUDY TERMINATED BY SPONSOR", "TECHNICAL PROBLEMS"),
    *("PROTOCOL VIOLATION", "SITE TERMINATED BY SPONSOR", "RECOVERY", "ELIGIBILITY CRITERIA MET", "RANDOMIZED"),
]


def bare_source(source: Source) -> Source:
    """Return a source of which its files are told alone, by the domain of each."""
    files = tuple(replace(file, name=file.domain.lower()) for file in source.files)
    return Source({}, files, level=source.level)


def hide_adam(adam: Adam) -> Adam:
    """Return derived sets in study days alone: no date, no place, nothing as it was collected."""
    found: dict[str, pl.DataFrame] = {}
    for name, frame in vars(adam).items():
        if not isinstance(frame, pl.DataFrame):
            continue
        gone = [column for column, dtype in frame.schema.items() if dtype in (pl.Date, pl.Datetime) or column in HIDDEN_COLUMNS]
        columns = [pl.lit(None, dtype=frame.schema[column]).alias(column) for column in gone]
        said = [column for column in ("AESER", "AEREL", "AEOUT") if column in frame.columns]
        columns += [pl.when(pl.col(column).is_in(_SAID)).then(column).alias(column) for column in said]
        found[name] = frame.with_columns(columns)
    return replace(adam, **found)  # type: ignore[arg-type]


_SAID = [
    *("Y", "N", "RELATED", "NOT RELATED", "POSSIBLY RELATED", "PROBABLY RELATED", "UNLIKELY RELATED", "UNRELATED", "POSSIBLE", "PROBABLE"),
    *("UNLIKELY", "DEFINITE", "FATAL", "NOT RECOVERED/NOT RESOLVED", "RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE"),
    *("RECOVERING/RESOLVING", "UNKNOWN"),
]


def hide_findings(findings: pl.DataFrame, codes: Codes | None = None) -> pl.DataFrame:
    """Return findings by what their rule looks for, without what was found where."""
    says = _says()
    coded = pl.col("USUBJID").replace(dict(codes.of)) if codes is not None else pl.col("USUBJID")
    message = pl.col("RULE").replace_strict(says, default="", return_dtype=pl.String)
    return findings.with_columns(
        coded.alias("USUBJID"),
        (message + pl.when(message == "").then(pl.lit("")).otherwise(pl.lit(" ")) + pl.lit(_WITHHELD)).alias("MESSAGE"),
        *(pl.lit(None, dtype=findings.schema[column]).alias(column) for column in ("FILE", "ROW") if column in findings.columns),
    )


def _says() -> Mapping[str, str]:
    from cartrial.endpoints import ENDPOINT_RULES

    named = {rule.id: rule.says for rule in CHECK_RULES}
    return named | {rule[0]: rule[-1] for rule in (*READING_RULES, *MAPPING_RULES, *ENDPOINT_RULES)}


def hide_record(record: dict[str, Any], codes: Codes) -> dict[str, Any]:
    """Return the record of a run without dates, without what was typed, and with the mark of its codes."""
    kept = {key: value for key, value in record.items() if key not in ("arguments", "command", "argv")}
    if "data" in kept:
        kept["data"] = [file | {"file": file["domain"].lower()} for file in kept["data"]]
    return kept | {"cutoff": None, "time": None, "deidentified": {"codes": codes.mark}}
