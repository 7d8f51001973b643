"""What is source data once read? Domains as frames, the files they came from, and what was found on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.vocabulary.dates import MAX_STUDY_DAY
from cartrial.sdtm.vocabulary.schema import DOMAINS, kind_of

__all__ = [
    "FINDINGS_SCHEMA",
    "SEVERITIES",
    "VIRTUAL_PREFIX",
    "Source",
    "SourceFile",
    "finding",
    "findings_frame",
    "join_findings",
    "many",
    "no_findings",
    "require_study_days",
]

SEVERITIES = ("stop", "warning", "note")

# STUDYID and USUBJID of simulated subjects start so, in whatever form the tables are kept
VIRTUAL_PREFIX = "VIRTUAL-"

FINDINGS_SCHEMA = {
    "FILE": pl.String,
    "ROW": pl.Int64,
    "DOMAIN": pl.String,
    "USUBJID": pl.String,
    "VARIABLE": pl.String,
    "RULE": pl.String,
    "SEVERITY": pl.String,
    "MESSAGE": pl.String,
}

DTYPES = {"text": pl.String, "date": pl.String, "number": pl.Float64, "integer": pl.Int64}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was read.

    Parameters
    ----------
    name : str
        File name without its folder.
    domain : str
        Domain it holds.
    sha256 : str
        Digest of its bytes, hexadecimal.
    rows : int
        Records, the header not counted.
    form : str
        `csv`, `tsv`, `parquet`, `xpt`, `dataset-json`, `ndjson` or `spreadsheet`.
    offset : int
        Where a domain stands in several files: what ROW has more than the row of this file.
    last : int, optional
        Then the last ROW of this file.
    """

    name: str
    domain: str
    sha256: str
    rows: int
    form: str
    offset: int = 0
    last: int | None = None


_NONE = pl.DataFrame(schema=FINDINGS_SCHEMA)


def many(number: int, word: str, verb: str = "") -> str:
    """Return a number with its word and its verb: "1 record is", "12 records are"."""
    one = {"are": "is", "": ""}.get(verb, f"{verb}s")
    return f"{number} {word} {one}".rstrip() if number == 1 else f"{number} {word}s {verb}".rstrip()


def no_findings() -> pl.DataFrame:
    """Return an empty findings frame.

    Examples
    --------
    >>> from cartrial.sdtm import no_findings
    >>> no_findings().height
    0
    """
    return _NONE


def finding(
    rule: str,
    severity: str,
    message: str,
    *,
    file: str | None = None,
    row: int | None = None,
    domain: str | None = None,
    usubjid: str | None = None,
    variable: str | None = None,
) -> dict[str, object]:
    """Return one finding as a record of the findings frame.

    Examples
    --------
    >>> from cartrial.sdtm import finding
    >>> found = finding("date-order", "warning", "The infusion is before the consent.", row=3)
    >>> found["RULE"], found["ROW"], found["USUBJID"]
    ('date-order', 3, None)
    """
    values = (file, row, domain, usubjid, variable, rule, severity, message)
    return dict(zip(FINDINGS_SCHEMA, values, strict=True))


def findings_frame(records: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """Return records made by `finding` as a findings frame.

    Examples
    --------
    >>> from cartrial.sdtm import finding, findings_frame
    >>> found = finding("date-order", "warning", "The infusion is before the consent.", row=3)
    >>> findings_frame([found]).select("RULE", "SEVERITY", "ROW").rows()
    [('date-order', 'warning', 3)]
    """
    return pl.DataFrame(list(records), schema=FINDINGS_SCHEMA)


def join_findings(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return findings frames as one, each finding once, what stops a report first.

    Returns
    -------
    polars.DataFrame
        Columns of `FINDINGS_SCHEMA`, sorted by severity, rule, file and row.

    Examples
    --------
    >>> from cartrial.sdtm import finding, findings_frame, join_findings
    >>> doubtful = finding("date-order", "warning", "The infusion is before the consent.")
    >>> wrong = finding("subject-duplicate", "stop", "Two rows are of one subject.")
    >>> frames = [findings_frame([doubtful]), findings_frame([wrong]), findings_frame([doubtful])]
    >>> join_findings(frames)["RULE"].to_list()
    ['subject-duplicate', 'date-order']
    """
    kept = [frame.select(list(FINDINGS_SCHEMA)) for frame in frames if frame.height]
    if not kept:
        return no_findings()
    order = pl.col("SEVERITY").replace_strict(dict(zip(SEVERITIES, range(3), strict=True)), return_dtype=pl.Int8)
    return (
        pl.concat(kept).unique(maintain_order=True).sort(order, "RULE", "FILE", "ROW", "USUBJID", "VARIABLE", "MESSAGE", nulls_last=False)
    )


@dataclass(frozen=True)
class Source:
    """Source data of a study.

    Parameters
    ----------
    domains : dict of str to polars.DataFrame
        SDTM domains by name. Text and --DTC are String (ISO 8601, possibly partial), numbers Float64, --SEQ Int64;
        missing is null. `ROW` (Int64) is the record's row in its file, the header being row 1.
    files : tuple of SourceFile
        What was read.
    findings : polars.DataFrame
        What was found while reading, mapping and standardising; columns of `FINDINGS_SCHEMA`.
    level : str
        `records`, or `events` when only events (best response, relapse, last contact) were recorded.
    asked, blank : frozenset of str
        Domains without a record that columns of a sheet speak of: with answers that make none (a grade of 0), or without any.
    terms : frozenset of str, optional
        The adverse events that a sheet asks for, each by its own column, where it has answers. None: events are as they were volunteered.
    standard : mapping of str to polars.DataFrame, optional
        The domains as `standardise` left them; None of a source that it has not seen, and of every changed copy.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm import Source
    >>> source = Source({"DM": pl.DataFrame({"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]})})
    >>> source.table("DM", ["USUBJID", "AGE"]).row(0)
    ('S-01', None, 2)
    """

    domains: dict[str, pl.DataFrame]
    files: tuple[SourceFile, ...] = ()
    findings: pl.DataFrame = field(default_factory=no_findings)
    level: str = "records"
    asked: frozenset[str] = frozenset()
    blank: frozenset[str] = frozenset()
    terms: frozenset[str] | None = None
    standard: Mapping[str, pl.DataFrame] | None = field(default=None, init=False, repr=False, compare=False)

    def table(self, domain: str, variables: Sequence[str]) -> pl.DataFrame:
        """Return variables of a domain, null where the source lacks them, with `ROW`.

        Parameters
        ----------
        domain : str
            Domain name; one that is absent gives a frame without rows.
        variables : sequence of str
            Variables wanted, in this order.

        Returns
        -------
        polars.DataFrame
            The variables, then `ROW`, with the types of the schema.
        """
        wanted = [*(name for name in variables if name != "ROW"), "ROW"]
        types = {name: pl.Int64 if name == "ROW" else DTYPES[kind_of(domain, name)] for name in wanted}
        frame = self.domains.get(domain)
        if frame is None:
            return pl.DataFrame(schema=types)
        return frame.select(pl.col(name) if name in frame.columns else pl.lit(None, dtype=types[name]).alias(name) for name in wanted)

    def file_of(self, domain: str) -> str | None:
        """Return the name of the file that holds a domain, or None; the names of several, joined by " + "."""
        return " + ".join(dict.fromkeys(file.name for file in self.files if file.domain == domain)) or None

    def place_of(self, domain: str, row: int) -> tuple[str | None, int]:
        """Return the file in which a record of a domain stands, and its row there."""
        parts = [file for file in self.files if file.domain == domain]
        part = next((file for file in parts if file.last is None or file.offset < row <= file.last), None)
        return (part.name, row - part.offset) if part and len(parts) > 1 else (self.file_of(domain), row)

    def placed(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Return findings with file and row as the files have them, where a domain stands in several."""
        several = {domain: name for domain in self.domains if " + " in (name := self.file_of(domain) or "")}
        joined = pl.col("FILE").is_in(list(several.values())) & pl.col("DOMAIN").is_in(list(several)) & pl.col("ROW").is_not_null()
        if not several or not findings.filter(joined).height:
            return findings
        rows = [
            {**row, **dict(zip(("FILE", "ROW"), self.place_of(row["DOMAIN"], row["ROW"]), strict=True))}
            for row in findings.filter(joined).iter_rows(named=True)
        ]
        return join_findings([findings.filter(~joined.fill_null(False)), findings_frame(rows)])


_STUDY_DAY = re.compile(r"^([A-Z]{2}(ST|EN)?|DTH)DY$")
# domains of which a rule reads days: those of the schema, and what baseline characteristics come from
_DAYS_READ = (*DOMAINS, "MH", "VS")


def require_study_days(source: Source) -> None:
    """Refuse study days that no calendar has.

    Raises
    ------
    InputError
        Naming the file and the row of the first study day further than `MAX_STUDY_DAY` days from its origin.
    """
    for domain in (name for name in _DAYS_READ if name in source.domains):
        frame = source.domains[domain]
        for name in frame.columns:
            if not _STUDY_DAY.match(name) or not frame.schema[name].is_numeric():
                continue
            far = frame.filter(pl.col(name).cast(pl.Float64).abs() > MAX_STUDY_DAY)
            if far.height:
                file, row = source.place_of(domain, far["ROW"][0]) if "ROW" in far.columns else (source.file_of(domain), None)
                what = f"'{far[name][0]:.15g}' is no study day"
                right = f"It is a number of days from day 0, between -{MAX_STUDY_DAY} and {MAX_STUDY_DAY}, or blank"
                raise InputError(what, file=file or domain, row=row, key=name, right=right)
