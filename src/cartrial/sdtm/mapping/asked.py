"""Of what does a sheet ask, of whom has it no answer, and which of its words does no rule take?"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cartrial.sdtm.mapping.model import Mapping, Rule
from cartrial.sdtm.mapping.rules import Made
from cartrial.sdtm.mapping.sheet import Sheet, column_letter
from cartrial.sdtm.mapping.values import is_missing, is_taken, iso_dates
from cartrial.sdtm.source import finding, many
from cartrial.sdtm.vocabulary.harm.care import care_class
from cartrial.sdtm.vocabulary.terms import standard_term

__all__ = ["asked_of", "left_out", "with_unanswered"]

# what a rule of adverse events reads where its cells say whether one occurred, or how severe it was
_ANSWERS = (None, "AETOXGR", "AESEV", "AEOCCUR")
_SHOWN = 8
# what says of which event, or of what that was given
_TERM = {"AE": "AEDECOD", "CM": "CMTRT"}


def asked_of(mapping: Mapping, made: list[Made]) -> tuple[frozenset[str], frozenset[str], frozenset[str] | None]:
    """Return domains without a record whose columns have answers, those whose columns have none, and the adverse events asked for."""
    rules = list(zip(mapping.rules, made, strict=True))
    held = {"DM", *(rule.domain for rule, part in rules if part.frame.height)}
    asked = frozenset(rule.domain for rule, part in rules if part.answered and rule.domain not in held)
    blank = frozenset(rule.domain for rule, _ in rules if rule.domain not in held) - asked
    adverse = [(term, told) for rule, part in rules if rule.domain == "AE" for term, told in _terms(rule, part)]
    terms = frozenset(term.strip().upper() for term, told in adverse if told.height) if all(term for term, _ in adverse) else None
    return asked, blank, terms


def _terms(rule: Rule, part: Made) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the events, or treatments, that a rule asks of, blank where it does not say of which, and the subjects with an answer."""
    name = _TERM[rule.domain]
    common = rule.set.get(name, "")
    if not rule.each:
        yield common, part.told
    for number, entry in enumerate(rule.each):
        yield entry.set.get(name, common), part.told.filter(pl.col("ENTRY") == number)


def _asks(rule: Rule) -> bool:
    """Whether the cells of a rule say of each subject whether there was an event, or whether something was given for a toxicity."""
    if not rule.columns_given or rule.type == "date":
        return False
    return (rule.domain == "AE" and rule.into in _ANSWERS) or (rule.domain == "CM" and rule.into is None and bool(rule.only))


def _is_care(term: str) -> bool:
    frame = pl.DataFrame({"CMTRT": [term]})
    return frame.select(care_class(frame, "CM").alias("CLASS"))["CLASS"][0] is not None


def with_unanswered(mapping: Mapping, sheets: dict[str, Sheet], subjects: dict[str, pl.DataFrame], made: list[Made]) -> None:
    """Add a record of each adverse event that a sheet asks a subject for, by a column of its own, without an answer: AEOCCUR U.

    So of each treatment of a toxicity that is answered by yes or no: CMOCCUR U. A blank cell is missing, and no grade of 0. An onset
    beside it tells that the event occurred. An event that nobody was asked for has no record.
    """
    asking: dict[tuple[str, str], list[tuple[int, pl.DataFrame]]] = {}
    for index, (rule, part) in enumerate(zip(mapping.rules, made, strict=True)):
        if _asks(rule):
            for term, told in _terms(rule, part):
                if rule.domain == "AE" or _is_care(term):
                    asking.setdefault((rule.domain, term.strip().upper()), []).append((index, told))
    for (domain, term), rules in asking.items():
        answers = pl.concat(told.select("USUBJID") for _, told in rules)
        if not term or answers.is_empty():
            continue
        firsts = {mapping.table_of(mapping.rules[index]): index for index, _ in reversed(rules)}
        for table, index in firsts.items():
            rule, part = mapping.rules[index], made[index]
            silent = subjects[table].unique("USUBJID", keep="first", maintain_order=True).join(answers, on="USUBJID", how="anti")
            letters = ";".join(column_letter(number) for number, use in part.columns.items() if use == "value")
            said = {_TERM[domain]: rule.set.get(_TERM[domain], term), "SRCCOL": letters}
            said |= {name: text for name, text in rule.set.items() if domain == "CM"}
            rows = _onsets(sheets[table], mapping, rule, part, silent).with_columns(
                pl.lit(index, dtype=pl.Int32).alias("RULE"), *(pl.lit(text).alias(name) for name, text in said.items())
            )
            part.frame = pl.concat([part.frame, rows], how="diagonal_relaxed")
            answers = pl.concat([answers, silent.select("USUBJID")])


def _onsets(sheet: Sheet, mapping: Mapping, rule: Rule, part: Made, silent: pl.DataFrame) -> pl.DataFrame:
    """Return the subjects without an answer, with the onset that stands beside its blank cell, or without one as not known."""
    rows = silent
    date, day = f"{rule.domain}STDTC", f"{rule.domain}STDY"
    for use, variable, value in (("date", date, "TEXT"), ("day", day, "NUM")):
        columns = [number for number, read in part.columns.items() if read == use]
        cells = sheet.cells.filter(pl.col("COL").is_in(columns) & ~is_missing(mapping, rule.missing)).join(silent, on="ROW", how="semi")
        cells = iso_dates(sheet, rule, cells) if use == "date" else cells
        rows = rows.join(cells.group_by("ROW").agg(pl.col(value).min().alias(variable)), on="ROW", how="left", maintain_order="left")
    unknown = pl.col(date).is_null() & pl.col(day).is_null()
    return rows.with_columns(
        *(pl.when(unknown).then(pl.lit(text)).alias(f"{rule.domain}{name}") for name, text in (("PRESP", "Y"), ("OCCUR", "U"))),
        pl.col(date).alias("DATE"),
        pl.col(day).alias("DAY"),
    )


def left_out(mapping: Mapping, sheets: dict[str, Sheet], subjects: dict[str, pl.DataFrame], made: list[Made]) -> list[dict[str, object]]:
    """Say which words of a column no rule takes, where each rule that reads it takes some words alone (`only`, `when`)."""
    taking: dict[tuple[str, int], list[pl.Expr] | None] = {}
    for rule, part in zip(mapping.rules, made, strict=True):
        table = mapping.table_of(rule)
        if part.condition is not None and rule.when is not None:
            _take(taking, (table, part.condition), is_taken(rule.when.is_, None))
        for column in (column for column, use in part.columns.items() if use == "value"):
            _take(taking, (table, column), is_taken(rule.only, rule.codes) if rule.only else None)
    found = []
    for (table, column), words in taking.items():
        if words is None:
            continue
        sheet = sheets[table]
        cells = sheet.cells.filter((pl.col("COL") == column) & ~is_missing(mapping)).join(subjects[table], on="ROW", how="semi")
        counts = cells.filter(~pl.any_horizontal(words)).group_by("TEXT").len().sort("len", "TEXT", descending=[True, False])
        if counts.is_empty():
            continue
        shown = ", ".join(f"'{text}' ({number})" for text, number in counts.head(_SHOWN).rows())
        more = ", ..." if counts.height > _SHOWN else ""
        total = many(int(counts["len"].sum()), "value", "are")
        message = f"In {sheet.label(column)} {total} taken by no rule, and no record is made of them: {shown}{more}."
        affirmed = any(standard_term(text, "NY") == "Y" for text in counts["TEXT"])
        severity = "warning" if affirmed else "note"
        found.append(finding("word-left-out", severity, message, file=sheet.file, variable=column_letter(column)))
    return found


def _take(taking: dict[tuple[str, int], list[pl.Expr] | None], place: tuple[str, int], words: pl.Expr | None) -> None:
    """Note the words that a rule takes of a column; None: all of them."""
    known = taking.setdefault(place, [])
    if words is None or known is None:
        taking[place] = None
    else:
        known.append(words)
