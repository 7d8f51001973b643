"""Which rules of ADaM does a set break? Names, labels, what is required, one record a key, days, flags, parameters, times, copies.

After the ADaM Implementation Guide 1.3, OCCDS 1.1 and the checks that CDISC lists for ADaM; CORE has none for ADaM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import polars as pl

from cartrial.submission.conform.read import Held
from cartrial.submission.conform.types import mistyped

__all__ = ["RULES", "Found", "Rule"]

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}")
_ADSL = ("STUDYID", "USUBJID", "SUBJID", "SITEID", "AGE", "AGEU", "SEX", "RACE", "ARM", "TRT01P")
_EVENTS = ("AESEQ", "AETERM", "AEDECOD", "AEBODSYS", "AESER")
_TREATMENT = re.compile(r"TRT(P|A)|TRT(P|A)N|TRT\d\d(P|A)")
_DAY = re.compile(r"(A|AST|AEN|[A-Z]{2,5})DY")
_NEVER_N = ("DTHFL", "TRTEMFL", "ANL01FL", "ANL02FL")


class Found(NamedTuple):
    """A finding: set, variable, subject and row where there is one, and a sentence."""

    name: str
    variable: str
    message: str
    subject: str | None = None
    row: int | None = None


Sets = Mapping[str, Held]


class Rule(NamedTuple):
    """A rule: its id, severity, what it looks for, and how."""

    id: str
    severity: str
    says: str
    find: Callable[[Sets], Iterable[Found]]


def _each(held: Held, variable: str, where: pl.Expr, message: str) -> Iterable[Found]:
    """Yield a finding for the first record of a set that a condition holds of, with their number."""
    rows = held.frame.with_row_index("__ROW", offset=1).filter(where.fill_null(False))
    if rows.height:
        subject = rows["USUBJID"][0] if "USUBJID" in rows.columns else None
        yield Found(held.name, variable, f"{message} ({rows.height} of {held.frame.height} records)", subject, int(rows["__ROW"][0]))


def _names(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for name in (held.name, *held.frame.columns):
            if not _NAME.fullmatch(name):
                yield Found(held.name, name, "a name has at most eight characters: a letter, then letters, digits, underscores")


def _labels(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for name in held.frame.columns:
            label = held.labels.get(name, "")
            if not label:
                yield Found(held.name, name, "the variable has no label")
            elif len(label.encode("utf-8")) > 40:
                yield Found(held.name, name, f"the label has {len(label.encode('utf-8'))} bytes, 40 are the most")


def _texts(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for name in held.frame.select(pl.col(pl.String)).columns:
            yield from _each(held, name, pl.col(name).str.len_bytes() > 200, "a text has more than 200 bytes")


def _required(sets: Sets) -> Iterable[Found]:
    if "ADSL" not in sets:
        yield Found("ADSL", "", "there is no ADSL, which every study has")
    for held in sets.values():
        wanted = _ADSL if held.name == "ADSL" else ("STUDYID", "USUBJID")
        if held.name == "ADAE":
            wanted = (*wanted, *_EVENTS)
        if held.has("PARAMCD"):
            wanted = (*wanted, "PARAM")
        if held.has("CNSR") and held.has("STARTDT"):
            wanted = (*wanted, "ADT", "AVAL", "PARAM", "PARAMCD")
        for name in dict.fromkeys(wanted):
            if not held.has(name):
                yield Found(held.name, name, "the required variable is missing")
            elif held.frame.height and held.frame[name].null_count() == held.frame.height:
                yield Found(held.name, name, "the required variable has no value")


def _types(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for name, kind in mistyped(held).items():
            yield Found(held.name, name, f"the variable is {kind} in ADaM")


def _parameters_complete(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        if held.has("PARAMCD"):
            if not held.has("AVAL") and not held.has("AVALC"):
                yield Found(held.name, "AVAL", "a set of parameters has AVAL or AVALC")
            if not any(_TREATMENT.fullmatch(name) for name in held.frame.columns):
                yield Found(held.name, "TRTP", "a set of parameters has a treatment variable")


def _keys(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for name in ("STUDYID", "USUBJID", "PARAMCD", "PARAM"):
            if held.has(name):
                yield from _each(held, name, pl.col(name).is_null(), "the variable is blank")


def _once(sets: Sets) -> Iterable[Found]:
    if "ADSL" in sets and sets["ADSL"].has("USUBJID"):
        yield from _each(sets["ADSL"], "USUBJID", pl.col("USUBJID").is_duplicated(), "the subject stands more than once in ADSL")
    for held in sets.values():
        sequence = f"{held.name[2:]}SEQ"
        if held.has("USUBJID", sequence) and not held.has("PARAMCD"):
            twice = pl.struct("USUBJID", sequence).is_duplicated()
            yield from _each(held, sequence, twice, "the sequence number stands twice in a subject")


def _subjects(sets: Sets) -> Iterable[Found]:
    if "ADSL" in sets and sets["ADSL"].has("USUBJID"):
        known = sets["ADSL"].frame["USUBJID"].unique().implode()
        for held in sets.values():
            if held.has("USUBJID"):
                yield from _each(held, "USUBJID", ~pl.col("USUBJID").is_in(known), "the subject is not in ADSL")


def _copies(sets: Sets) -> Iterable[Found]:
    """A variable of the name of one of ADSL is a copy of it: same values, type and label."""
    adsl = sets.get("ADSL")
    if adsl is None or not adsl.has("USUBJID"):
        return
    for held in sets.values():
        shared = [name for name in held.frame.columns if adsl.has(name) and name not in ("STUDYID", "USUBJID")]
        if held.name == "ADSL" or not held.has("USUBJID"):
            continue
        for name in shared:
            if held.labels.get(name) != adsl.labels.get(name):
                yield Found(held.name, name, f"the label '{held.labels.get(name)}' differs from that in ADSL")
            if (held.frame[name].dtype == pl.String) != (adsl.frame[name].dtype == pl.String):
                yield Found(held.name, name, "the type differs from that in ADSL")
                continue
            first = adsl.frame.select("USUBJID", pl.col(name).alias("__ADSL")).unique("USUBJID")
            joined = held.frame.select("USUBJID", name).join(first, on="USUBJID", how="inner", maintain_order="left")
            other = joined.filter(pl.col(name).ne_missing(pl.col("__ADSL")))
            if other.height:
                yield Found(held.name, name, f"the value differs from that in ADSL ({other.height} records)", other["USUBJID"][0])


def _lengths(sets: Sets) -> Iterable[Found]:
    seen: dict[str, tuple[str, int]] = {}
    for held in sets.values():
        for name, length in held.lengths.items():
            first, size = seen.setdefault(name, (held.name, length))
            if size != length:
                yield Found(held.name, name, f"the length is {length} here and {size} in {first}")


def _day_zero(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for name in held.frame.columns:
            if _DAY.fullmatch(name) and held.frame[name].dtype.is_numeric():
                yield from _each(held, name, pl.col(name) == 0, "a relative day is 0: days have no day 0")


def _days(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for day, date in (("ADY", "ADT"), ("ASTDY", "ASTDT"), ("AENDY", "AENDT")):
            if held.has(day, date, "TRTSDT") and held.frame[date].dtype == pl.Date and held.frame["TRTSDT"].dtype == pl.Date:
                gap = (pl.col(date) - pl.col("TRTSDT")).dt.total_days()
                wrong = pl.col(day) != gap + (gap >= 0).cast(pl.Int64)
                yield from _each(held, day, wrong, f"the day is not {date} - TRTSDT, + 1 on or after it")


def _order(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for start, end in (("ASTDT", "AENDT"), ("TRTSDT", "TRTEDT"), ("STARTDT", "ADT")):
            if held.has(start, end) and {held.frame[start].dtype, held.frame[end].dtype} == {pl.Date}:
                yield from _each(held, end, pl.col(end) < pl.col(start), f"{end} is before {start}")


def _dates(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for name in held.frame.columns:
            if (
                re.fullmatch(r"[A-Z0-9]{1,6}DT", name)
                and held.frame[name].dtype != pl.Date
                and held.frame[name].null_count() < held.frame.height
            ):
                yield Found(held.name, name, "a date is a number with a date format")
            base = name[:-1]
            if re.fullmatch(r"[A-Z0-9]{1,5}DTF", name) and held.has(base):
                yield from _each(held, name, ~pl.col(name).is_in(["D", "M", "Y"]), "an imputation flag is D, M or Y")
                yield from _each(held, name, pl.col(name).is_not_null() & pl.col(base).is_null(), "the date that is imputed is missing")


def _flags(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        for name in held.frame.columns:
            if name.endswith("FL") and held.frame[name].dtype == pl.String:
                allowed = ["Y"] if name in _NEVER_N else ["Y", "N", "U"]
                yield from _each(held, name, ~pl.col(name).is_in(allowed), f"the flag is {', '.join(allowed)} or blank")
            elif name.endswith("FL"):
                yield Found(held.name, name, "a flag that ends in FL is text")


def _codes(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        if held.has("PARAMCD"):
            yield from _each(held, "PARAMCD", ~pl.col("PARAMCD").str.contains(r"^[A-Z][A-Z0-9_]{0,7}$"), "PARAMCD is no code of eight")
        if held.has("PARAMCD", "PARAM"):
            pairs = held.frame.select("PARAMCD", "PARAM").unique().drop_nulls().sort("PARAMCD", "PARAM")
            for one, other in (("PARAMCD", "PARAM"), ("PARAM", "PARAMCD")):
                twice = pairs.filter(pl.col(one).is_duplicated())
                if twice.height:
                    yield Found(held.name, one, f"'{twice[one][0]}' stands with several of {other}: they are one-to-one")


def _times(sets: Sets) -> Iterable[Found]:
    for held in sets.values():
        if not held.has("CNSR", "AVAL"):
            continue
        yield from _each(
            held, "CNSR", (pl.col("CNSR") < 0) | (pl.col("CNSR") != pl.col("CNSR").round()), "CNSR is 0 or a whole number above"
        )
        if held.has("STARTDT"):
            yield from _each(held, "CNSR", pl.col("CNSR").is_null() & pl.col("AVAL").is_not_null(), "CNSR is blank beside a time")
            yield from _each(held, "AVAL", pl.col("AVAL") < 0, "a time is negative")
        if held.has("EVNTDESC"):
            yield from _each(held, "EVNTDESC", pl.col("EVNTDESC").is_null() & (pl.col("CNSR") == 0), "an event is not described")


def _person(sets: Sets) -> Iterable[Found]:
    adsl = sets.get("ADSL")
    if adsl is None:
        return
    if adsl.has("AGE", "AGEU"):
        yield from _each(adsl, "AGEU", pl.col("AGE").is_not_null() & pl.col("AGEU").is_null(), "an age has no unit")
    lists = {"EOSSTT": ["COMPLETED", "DISCONTINUED", "ONGOING"], "AGEU": ["YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS"]}
    lists |= {"SEX": ["F", "M", "U", "UNDIFFERENTIATED", "INTERSEX"]}
    for name, terms in lists.items():
        if adsl.has(name):
            yield from _each(adsl, name, ~pl.col(name).is_in(terms), f"the value is none of {', '.join(terms)}")
    if adsl.has("DTHFL", "DTHDT"):
        yield from _each(adsl, "DTHDT", pl.col("DTHDT").is_not_null() & pl.col("DTHFL").is_null(), "a date of death stands without DTHFL")
    dated = adsl.has("SAFFL", "TRTSDT") and adsl.frame["TRTSDT"].null_count() < adsl.frame.height
    if dated and adsl.frame["SAFFL"].dtype == pl.String:
        yield from _each(adsl, "TRTSDT", (pl.col("SAFFL") == "Y") & pl.col("TRTSDT").is_null(), "who is in the safety set has no TRTSDT")


RULES = (
    Rule("adam-name", "stop", "a name of a set or variable that is not of eight characters, a letter first", _names),
    Rule("adam-label", "warning", "a variable without a label, or with one of more than 40 bytes", _labels),
    Rule("adam-text", "stop", "a text of more than 200 bytes", _texts),
    Rule("adam-required", "stop", "no ADSL; a required variable that is missing or blank throughout", _required),
    Rule("adam-type", "stop", "an identifier, parameter or other text that is a number; a value, day, age or CNSR that is none", _types),
    Rule("adam-parameter", "stop", "a set of parameters without AVAL and AVALC, or without a treatment variable", _parameters_complete),
    Rule("adam-key", "stop", "a blank STUDYID, USUBJID, PARAMCD or PARAM", _keys),
    Rule("adam-once", "stop", "a subject that stands twice in ADSL; a sequence number that stands twice in a subject", _once),
    Rule("adam-subject", "stop", "a subject who is not in ADSL", _subjects),
    Rule("adam-copy", "warning", "a variable of ADSL in another set with another value, type or label", _copies),
    Rule("adam-length", "warning", "a variable whose length differs between sets", _lengths),
    Rule("adam-day-0", "stop", "a relative day of 0", _day_zero),
    Rule("adam-day", "stop", "a relative day that does not follow from its date and TRTSDT", _days),
    Rule("adam-order", "warning", "an end before its start", _order),
    Rule(
        "adam-date",
        "warning",
        "a date that is no number with a date format; an imputation flag of another kind, or without its date",
        _dates,
    ),
    Rule("adam-flag", "warning", "a flag that is neither Y, N nor blank, or N where only Y and blank are", _flags),
    Rule("adam-code", "stop", "a PARAMCD that is no code, or that is not one-to-one with PARAM", _codes),
    Rule("adam-time", "stop", "CNSR that is no whole number, a negative time, an event that is not described", _times),
    Rule(
        "adam-person",
        "warning",
        "an age without a unit; a word outside its closed list; a death without its flag",
        _person,
    ),
)
"""The rules by id."""
