"""Is the source fit for the study? Every rule, its findings, and the one that stops a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.checks.dates import DATE_RULES
from cartrial.sdtm.checks.frame import CheckRule, Context, found, with_rule
from cartrial.sdtm.checks.happened import HAPPENED_RULES
from cartrial.sdtm.checks.harm.unread import HARM_RULES
from cartrial.sdtm.checks.imaging.rules import IMAGING_RULES
from cartrial.sdtm.checks.keys import KEY_RULES
from cartrial.sdtm.checks.plausible import PLAUSIBLE_RULES
from cartrial.sdtm.checks.readers import READER_RULES
from cartrial.sdtm.checks.results import RESULT_RULES
from cartrial.sdtm.checks.unread import UNREAD_RULES
from cartrial.sdtm.checks.values import VALUE_RULES
from cartrial.sdtm.checks.words import CODE_RULES
from cartrial.sdtm.source import Source, join_findings
from cartrial.sdtm.standard import standardise

if TYPE_CHECKING:
    from cartrial.study import Study

__all__ = ["CHECK_RULES", "MAPPING_RULES", "READING_RULES", "check_sdtm", "check_study", "require_sdtm"]


def _rules_unstated(context: Context) -> Iterator[pl.DataFrame]:
    if "rules" not in context.study.model_fields_set:
        version = context.study.rules
        message = (
            f"The study file does not say by which version of the rules values are derived; version {version} is taken, and numbers may "
            f"differ from those of version {version - 1}. Write rules: {version} into it."
        )
        nowhere = pl.DataFrame({"FILE": [None]}, schema={"FILE": pl.String})
        yield found(nowhere, message, domain=None, variable="rules")


def _no_primary(context: Context) -> Iterator[pl.DataFrame]:
    endpoints = context.study.endpoints
    if endpoints and not any(endpoint.role == "primary" for endpoint in endpoints):
        message = "No endpoint of the study file is the primary one. Write role: primary into the one by which the study is judged."
        yield found(pl.DataFrame({"FILE": [None]}, schema={"FILE": pl.String}), message, domain=None, variable="endpoints")


STUDY_RULES = (
    CheckRule("primary-missing", "note", "study file: endpoints", "One endpoint of the study file is the primary one.", _no_primary),
    CheckRule(
        "rules-unstated",
        "note",
        "study file: rules",
        "The study file says by which version of the rules values are derived.",
        _rules_unstated,
    ),
)

CHECK_RULES: tuple[CheckRule, ...] = (
    *(*STUDY_RULES, *KEY_RULES, *CODE_RULES, *READER_RULES, *VALUE_RULES),
    *(*RESULT_RULES, *DATE_RULES, *PLAUSIBLE_RULES, *HAPPENED_RULES, *UNREAD_RULES, *HARM_RULES, *IMAGING_RULES),
)
"""Every rule of checking."""

READING_RULES: tuple[tuple[str, str, str], ...] = (
    ("file-ignored", "warning", "A file that may hold data, by its name or its ending, is not read."),
    ("file-other", "note", "Files that are no source data by name are listed."),
    ("domain-split", "note", "A domain stands in several files and is put together; a warning where their names do not say so."),
    ("byte-undecoded", "note", "A byte that is no UTF-8 text stands where no rule reads it."),
    ("date-invalid", "warning", "A date that no rule needs is no ISO 8601 date and is left out."),
    ("number-invalid", "warning", "A number that no rule needs does not parse and is left out."),
    ("domain-empty", "note", "A file has a header and no record."),
    ("term-mapped", "note", "A word is read as the term it means."),
    ("unit-converted", "note", "A unit is brought to the standard unit of its test."),
)
"""What reading itself can find: id, severity, what it says."""

MAPPING_RULES: tuple[tuple[str, str, str], ...] = (
    ("repeat-contradicts", "warning", "A value that a rule repeats is the same in both places."),
    ("blank-header", "warning", "A column that holds values has a header."),
    ("header-comment", "warning", "A comment on a header says what its column holds: it is shown, and the mapping says which is followed."),
    ("day-missing", "warning", "A record's day is given in the column that the mapping names."),
    ("missing-code", "warning or note", "A code for a missing value is read as missing."),
    ("flag-contradicts", "as declared", "A yes/no column agrees with what another column says."),
    ("flag-unknown", "as declared", "A yes/no column says yes or no."),
    ("outside-range", "as declared", "Values stand within the limits that the mapping declares."),
    ("marked-cell", "as declared", "Cells with a colour are listed."),
    ("unmarked-cell", "as declared", "A number that is coloured once is coloured everywhere."),
    ("pile-up", "as declared", "No number is repeated at an end of a test's values."),
    ("mapping-assumption", "note", "What a rule of the mapping assumes is listed."),
    ("response-order", "warning", "In a form of events the first response is not dated after the best one."),
    ("infusion-blank", "warning", "In a form of events a subject with a response was infused."),
    ("events-only", "note", "The sheet records visits, not events alone."),
    ("merged-cell", "warning", "Cells that are merged are read in each row of their first column."),
    ("percent-cell", "note or warning", "Cells that say per cent are counted; a warning where a column has numbers that do not."),
    ("sheet-other", "note", "Sheets of a file that no table reads are listed."),
    ("word-left-out", "note or warning", "A word is taken by a rule of its column; a warning where one says yes."),
    ("repeated-record", "note", "What the rows of one subject repeat is read once."),
    ("repeated-block", "note", "A block that repeats another is read once."),
    ("repeated-header", "note", "A header stands over one column."),
    ("cell-comment", "note", "Comments of cells are listed."),
    ("unmapped-column", "note", "Every column is mapped."),
    ("blank-column", "note", "Every column holds a value."),
    ("blank-cell", "note", "Blank cells are counted; they are missing."),
    ("rows-below", "note", "No row stands below the last subject."),
    ("text-number", "note", "Numbers are stored as numbers."),
    ("fractional-day", "note", "Study days are whole numbers."),
    ("value-missing", "note or warning", "A day stands with its value; a warning in a sheet of events."),
    ("not-done", "note", "A reason in place of a value is read as not done."),
    ("formula-without-value", "note", "A formula stands with its stored value."),
    ("checks-passed", "note", "Checks of the mapping that found nothing are named."),
)
"""What reading a spreadsheet through a mapping can find: id, severity, what it says."""


def check_study(study: Study) -> pl.DataFrame:
    """Return what is doubtful in a study file that can be used; `check_sdtm` returns it too."""
    context = Context(study, Source({}))
    return join_findings(with_rule(frame, rule) for rule in STUDY_RULES for frame in rule.find(context))


def check_sdtm(study: Study, source: Source) -> pl.DataFrame:
    """Return everything that is wrong or doubtful in the source.

    Parameters
    ----------
    study : Study
        The study the data are of.
    source : Source
        What `read_sdtm` returned.

    Returns
    -------
    polars.DataFrame
        FILE, ROW (Int64, null where a finding is of no one record), DOMAIN, USUBJID, VARIABLE, RULE (an id of `CHECK_RULES` or
        `READING_RULES`), SEVERITY (`stop`, `warning`, `note`) and MESSAGE; what would stop a report first. The findings made while
        reading are among them.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study, check_sdtm
    >>> from cartrial.sdtm import Source
    >>> dm = {"STUDYID": "inaticel-pivotal", "USUBJID": ["01"], "ROW": [2]}
    >>> ex = {"STUDYID": "inaticel-pivotal", "USUBJID": ["01", "02"], "ROW": [2, 3], "EXSEQ": [1, 1]}
    >>> ex |= {"EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> source = Source({"DM": pl.DataFrame(dm), "EX": pl.DataFrame(ex)})
    >>> findings = check_sdtm(Study.load("inaticel"), source)
    >>> findings.select("SEVERITY", "DOMAIN", "ROW", "MESSAGE").rows()
    [('stop', 'EX', 3, 'The subject 02 (study inaticel-pivotal) is not in DM; every subject has a row there.')]
    """
    source = standardise(source)
    context = Context(study, source)
    frames = [source.findings]
    for rule in CHECK_RULES:
        frames += [with_rule(frame, rule) for frame in rule.find(context) if frame.height]
    return source.placed(join_findings(frames))


def require_sdtm(study: Study, source: Source) -> pl.DataFrame:
    """Return the findings of a source that a report can be made from.

    Unreadable files, missing keys and values that do not parse are refused by `read_sdtm`. What can be told only once all is read is
    refused here: the first finding of severity `stop` (duplicate key, subject not in DM, unknown code or unit in a field the rules
    need, impossible value, death without a date,
    no product) becomes the error, and further ones are counted in it.

    Raises
    ------
    InputError
        If a finding has severity `stop`.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import InputError, Study
    >>> from cartrial.sdtm import Source, require_sdtm
    >>> dm = pl.DataFrame({"STUDYID": "inaticel-pivotal", "USUBJID": ["01"], "ROW": [2]})
    >>> try:
    ...     require_sdtm(Study.load("inaticel"), Source({"DM": dm}))
    ... except InputError as error:
    ...     print(error)
    EXTRT: No record of EX has the product: there is no record in EX; the study file names ...
    """
    findings = check_sdtm(study, source)
    stops = findings.filter(pl.col("SEVERITY") == "stop")
    if stops.height:
        first = stops.row(0, named=True)
        more = (
            f"There {'is 1 more' if stops.height == 2 else f'are {stops.height - 1} more'}; cartrial check lists them"
            if stops.height > 1
            else None
        )
        raise InputError(first["MESSAGE"], file=first["FILE"], row=first["ROW"], key=first["VARIABLE"], right=more)
    return findings
