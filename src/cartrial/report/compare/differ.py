"""Which results and which subjects are another, by which rule or record?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from cartrial.endpoints.rules.codes import COMPETING_FROM
from cartrial.report.compare.runs import Run, require_same_study
from cartrial.report.study.data import EVENT_WORDS

__all__ = ["Changed", "Comparison", "Moved", "compare_runs"]

SHORT = ("trial", "analysis", "endpoint", "variant", "by", "level", "time", "statistic", "method", "conf_level", "unit")
ATTRIBUTES = ("population", "window", "reader", "strategies")
FLAGS = {
    "CONSFL": "consented",
    "ENRLFL": "enrolled",
    "LEUKFL": "leukapheresed",
    "INFFL": "infused",
    "ASSFL": "assessed",
    "EVALFL": "evaluable",
    "RESPFL": "responder",
    "DTHFL": "died",
}
STANDING = FLAGS | {
    "LDFL": "lymphodepleted",
    "RELFL": "product released",
    "SAFFL": "in the safety set",
    "RFICDT": "date of consent",
    "ENRLDT": "date of enrolment",
    "ENRLDAY": "day of enrolment",
    "LEUKDT": "date of leukapheresis",
    "RELDT": "date of the product's release",
    "LDSTDT": "date of lymphodepletion",
    "TRTSDT": "date of the first infusion",
    "LSTALVDT": "date last known alive",
    "LSTALDAY": "day last known alive",
    "DTHDT": "date of death",
    "DTHDAY": "day of death",
    "DTHSRC": "source of the death",
    "HSCTDT": "date of transplant",
    "HSCTDAY": "day of transplant",
    "NEWDT": "date of new therapy",
    "NEWDAY": "day of new therapy",
    "EOSSTT": "status in the study",
    "DCSREAS": "reason of the end",
}
"""Columns of ADSL in words; one that is not named here is told as it is called."""
ANSWERS = {"Y": "response", "N": "no response", "NYA": "not yet assessable"}
_NOT_THERE = "not there"
_SECOND, _INFUSED_LATER = "in the second run alone", "infused after the first cutoff"
FACTS = {"cutoff": "Data cutoff", "study_hash": "Hash of the study file", "rules": "Version of the rules", "seed": "Seed"}


@dataclass(frozen=True)
class Changed:
    """One group of results: `before` and `after` by statistic, None where a run has no such row; and attributes that are another."""

    analysis: str
    endpoint: str
    variant: str
    by: str
    level: str
    time: float | None
    statistics: Mapping[str, tuple[str | None, str | None]]
    attributes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Moved:
    """One subject's value that is another: what it was, what it is, why, and the rule and record of each."""

    subject: str
    what: str
    variant: str
    before: str
    after: str
    why: str
    rules: tuple[str, str] = ("", "")
    records: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Comparison:
    """What is another between two runs.

    Parameters
    ----------
    one, two : Run
    facts : sequence of (words, before, after)
        Of the runs: cutoff, study file, data, versions. They are no difference by themselves.
    results : sequence of Changed
    same : int
        Rows of results that are the same.
    counts : mapping of str to int
        Rows ``changed``, ``new``, ``gone``.
    new, gone : sequence of str
        Subjects that one run has alone.
    moved : sequence of Moved
        Values of subjects of both.
    """

    one: Run
    two: Run
    facts: Sequence[tuple[str, str, str]]
    results: Sequence[Changed]
    same: int
    counts: Mapping[str, int]
    new: Sequence[str]
    gone: Sequence[str]
    moved: Sequence[Moved]

    @property
    def differs(self) -> bool:
        """Whether any result or any subject's value is another."""
        return bool(self.results or self.new or self.gone or self.moved)


def compare_runs(one: Run, two: Run) -> Comparison:
    """Compare two runs of a study.

    Raises
    ------
    InputError
        If they are not of one study.
    """
    require_same_study(one, two)
    changed, same, counts = _results(one.results, two.results)
    before, after = (set(run.sets["ADSL"]["USUBJID"].to_list()) for run in (one, two))
    both = before & after
    cutoff = one.record.get("cutoff")
    limit = dt.date.fromisoformat(cutoff) if cutoff else None
    moved = [
        *_standing(one.sets["ADSL"], two.sets["ADSL"], both),
        *_statuses(one.sets["ADRESP"], two.sets["ADRESP"], both, limit),
        *(row for name in ("ADRS", "ADTTE") for row in _values(one.sets[name], two.sets[name], both, limit)),
    ]
    late = _late(two.sets["ADSL"], limit)
    moved = [replace(row, why=_INFUSED_LATER) if row.why == _SECOND and row.subject in late else row for row in moved]
    kinds = ("standing: ", "status of ")
    moved.sort(key=lambda row: (row.subject, *(not row.what.startswith(kind) for kind in kinds), row.what, row.variant))
    return Comparison(one, two, list(_facts(one, two)), changed, same, counts, sorted(after - before), sorted(before - after), moved)


def _facts(one: Run, two: Run) -> Iterator[tuple[str, str, str]]:
    first, second = one.record, two.record
    for key, words in FACTS.items():
        if first.get(key) != second.get(key):
            yield words, str(first.get(key) or "none")[:12], str(second.get(key) or "none")[:12]
    yield from _keys(first.get("study_file"), second.get("study_file"))
    versions = {**first["versions"], **second["versions"]}
    for package in versions:
        old, new = first["versions"].get(package), second["versions"].get(package)
        if old != new:
            yield f"Version of {package}", str(old or "not there"), str(new or "not there")
    files = [{(file["domain"], file["file"]): file for file in record.get("data") or ()} for record in (first, second)]
    for domain, name in sorted({*files[0], *files[1]}):
        here, there = (found.get((domain, name)) for found in files)
        if here is None or there is None or here["sha256"] != there["sha256"]:
            before, after = (f"{file['rows']} rows, {file['sha256'][:12]}" if file else "not there" for file in (here, there))
            yield f"Source {name} ({domain})", before, after


def _keys(one: object, two: object) -> Iterator[tuple[str, str, str]]:
    """Yield each key of the study file that is another; nothing where a run of an older version kept no study file."""
    if one is None or two is None:
        return
    before, after = dict(_leaves(one)), dict(_leaves(two))
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name, _NOT_THERE), after.get(name, _NOT_THERE)
        # the cutoff is told as a fact of the run
        if old != new and name not in ("study.cutoff", "study.provenance"):
            yield f"Study file, {name}", old, new


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield each value of a study file by its key; an entry of a list goes by its own name where it has one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for place, item in enumerate(value, 1):
            own = next((item[key] for key in ("id", "name") if isinstance(item, dict) and key in item), place)
            yield from _leaves(item, f"{name}.{own}")
    elif value is not None:
        yield name, ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _results(one: pl.DataFrame, two: pl.DataFrame) -> tuple[list[Changed], int, dict[str, int]]:
    both = [frame.drop("study", "provenance", "rules").with_columns(pl.col(pl.String).fill_null("")) for frame in (one, two)]
    # of which analyses a row is found again by its population, window ... too; of the others one that is another is told as such
    left, right = (frame.with_columns(_part(both)) for frame in both)
    key, shown = [*SHORT, "part"], [*ATTRIBUTES, "value", "text"]
    joined = left.select(*key, *shown, pl.lit(True).alias("here")).join(
        right.select(*key, *shown, pl.lit(True).alias("here")), on=key, how="full", nulls_equal=True, suffix="_2", coalesce=True
    )
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_2")) for name in (*shown, "here"))
    found = joined.filter(differs)
    gone, new = found.filter(pl.col("here_2").is_null()).height, found.filter(pl.col("here").is_null()).height
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in found.sort(*key, nulls_last=False).iter_rows(named=True):
        groups.setdefault(tuple(row[name] for name in ("analysis", "endpoint", "variant", "by", "level", "time", "part")), []).append(row)
    changed = []
    for group, rows in groups.items():
        statistics = {}
        attributes: dict[str, tuple[str, str]] = {}
        for row in rows:
            name = row["statistic"] + (f" ({row['method']})" if row["method"] and row["statistic"] in statistics else "")
            statistics[name] = (row["text"] if row["here"] else None, row["text_2"] if row["here_2"] else None)
            if row["here"] and row["here_2"]:
                attributes |= {k: (row[k], row[f"{k}_2"]) for k in ATTRIBUTES if row[k] != row[f"{k}_2"]}
        analysis, endpoint, variant, by, level, time, more = group
        of = f"{level} ({more})".strip() if more else level
        changed.append(Changed(analysis, endpoint, variant, by, of, time, statistics, attributes))
    counts = {"changed": found.height - gone - new, "new": new, "gone": gone}
    return changed, joined.height - found.height, counts


def _late(adsl: pl.DataFrame, cutoff: dt.date | None) -> set[str]:
    """Return the subjects who were infused after a cutoff."""
    if cutoff is None or "TRTSDT" not in adsl.columns:
        return set()
    return set(adsl.filter(pl.col("TRTSDT") > cutoff)["USUBJID"])


def _part(frames: Sequence[pl.DataFrame]) -> pl.Expr:
    """Return what of its population, window, reader and strategies a row needs to be one of its kind, by analysis; mostly nothing."""
    found = pl.lit("")
    for name in pl.concat([frame.select("analysis") for frame in frames]).unique()["analysis"].sort():
        own, need = [frame.filter(pl.col("analysis") == name) for frame in frames], 0
        while need < len(ATTRIBUTES) and any(frame.select(*SHORT, *ATTRIBUTES[:need]).is_duplicated().any() for frame in own):
            need += 1
        if need:
            said = [pl.when(pl.col(part) != "").then(part) for part in ATTRIBUTES[:need]]
            found = pl.when(pl.col("analysis") == name).then(pl.concat_str(said, separator="; ", ignore_nulls=True)).otherwise(found)
    return found.alias("part")


def _standing(one: pl.DataFrame, two: pl.DataFrame, both: set[str]) -> Iterator[Moved]:
    """Yield what is another of a subject's standing: populations, death, days of transplant and new therapy, characteristics."""
    names = [name for name in one.columns if name in two.columns and name not in ("USUBJID", "STUDYID", "PROVENANCE")]
    # the day of the cutoff is another wherever the cutoff is; of a day that is counted twice the one from day 0 is told
    names = [name for name in names if not name.startswith("CUT") and not (name.endswith("DY") and f"{name[:-2]}DAY" in names)]
    names = [name for name in names if name != "LSTALVDY" or "LSTALDAY" not in names]
    first = {row["USUBJID"]: row for row in one.iter_rows(named=True)}
    for row in two.iter_rows(named=True):
        if row["USUBJID"] not in both:
            continue
        before = first[row["USUBJID"]]
        for name in names:
            if before[name] != row[name]:
                words = STANDING.get(name, name)
                yield Moved(row["USUBJID"], f"standing: {words}", "", _plain(before[name]), _plain(row[name]), "")


def _plain(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    return {"Y": "yes", "N": "no"}.get(str(value), str(value))


def _statuses(one: pl.DataFrame, two: pl.DataFrame, both: set[str], cutoff: dt.date | None) -> Iterator[Moved]:
    first, second = _reads(one), _reads(two)
    for key in sorted({*first, *second}, key=str):
        subject, reader, day, again = key
        before, after = first.get(key), second.get(key)
        if subject not in both or (before and after and all(before[name] == after[name] for name in ("AVALC", "USABLE", "MRD"))):
            continue
        where = f"status of {reader}, {'no day' if day is None else f'day {day}'}{f' ({again + 1})' if again else ''}"
        why = _why(before, after, cutoff)
        yield Moved(subject, where, "", _status(before), _status(after), why, ("", ""), (_record(before), _record(after)))


def _reads(frame: pl.DataFrame) -> dict[tuple[str, str, int | None, int], dict[str, Any]]:
    found: dict[tuple[str, str, int | None, int], dict[str, Any]] = {}
    for row in frame.iter_rows(named=True):
        again = 0
        while (key := (row["USUBJID"], row["READER"], row["CARDAY"], again)) in found:
            again += 1
        found[key] = row
    return found


def _status(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "no such assessment"
    used = "" if row["USABLE"] == "Y" else f", not used{': ' + row['REASON'] if row['REASON'] else ''}"
    return f"{row['AVALC']}{', MRD ' + row['MRD'].lower() if row['MRD'] else ''}{used}"


def _values(one: pl.DataFrame, two: pl.DataFrame, both: set[str], cutoff: dt.date | None) -> Iterator[Moved]:
    asked = [name for name in ("AVAL", "AVALC", "REASON", "CNSR", "EVNTDESC") if name in one.columns and name in two.columns]
    first, second = ({(row["USUBJID"], row["PARAMCD"], row["VARIANT"]): row for row in frame.iter_rows(named=True)} for frame in (one, two))
    for key in sorted({*first, *second}):
        subject, endpoint, variant = key
        before, after = first.get(key), second.get(key)
        if subject not in both or (before and after and all(before[name] == after[name] for name in asked)):
            continue
        rules = tuple("" if row is None else row["RULE"] or "" for row in (before, after))
        records = (_record(before), _record(after))
        yield Moved(subject, endpoint, variant, _value(before), _value(after), _why(before, after, cutoff), (rules[0], rules[1]), records)


def _value(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "not in the population"
    if "CNSR" not in row:
        reason = f" ({row['REASON'].replace('-', ' ')})" if row["REASON"] and row["REASON"] != "response" else ""
        return ANSWERS.get(row["AVALC"], row["AVALC"] or "no value") + reason
    if row["CNSR"] is None:
        return "no value"
    kind = "event" if row["CNSR"] == 0 else "competing event" if row["CNSR"] >= COMPETING_FROM else "censored"
    days = "" if row["AVAL"] is None else f", {row['AVAL']:g} day{'' if row['AVAL'] == 1 else 's'}"
    return f"{kind}: {EVENT_WORDS.get(row['EVNTDESC'], row['EVNTDESC'])}{days}"


def _record(row: Mapping[str, Any] | None) -> str:
    if row is None or not row.get("SRCDOM"):
        return ""
    number = "" if row["SRCSEQ"] is None else f" {row['SRCSEQ']}"
    when = ", ".join(
        part for part in (str(row["ADT"]) if row.get("ADT") else "", "" if row["CARDAY"] is None else f"day {row['CARDAY']}") if part
    )
    return f"{row['SRCDOM']}{number}{f' ({when})' if when else ''}"


def _why(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, cutoff: dt.date | None) -> str:
    """Say by what a value is another: a record after the first cutoff, another record, another rule, or another reading of the same."""
    if before is None or after is None:
        row = after or before
        late = after is not None and cutoff is not None and after.get("ADT") is not None and after["ADT"] > cutoff
        return "a record after the first cutoff" if late else _SECOND if row is after else "in the first run alone"
    late = cutoff is not None and after.get("ADT") is not None and after["ADT"] > cutoff and before.get("ADT") != after["ADT"]
    if late:
        return "a record after the first cutoff decides"
    if _record(before) != _record(after):
        return "another record decides"
    if (before.get("RULE") or "") != (after.get("RULE") or ""):
        return "another rule decides on the same record"
    return "the same record and rule; its value is another"
