"""Which program recomputes the figures from the submitted sets? ``recompute.r``: what the study asks for, then the steps in R."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartrial.analysis.tables.flow import MILESTONES
from cartrial.analysis.tables.times import LANDMARKS, RISK_TIMES, competing_words
from cartrial.endpoints import level_column, number_column
from cartrial.sdtm.vocabulary.harm.events import INFECTIONS, WATCHED
from cartrial.study.criteria.codes import words_of
from cartrial.submission.adam.parameters import coded

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.study import Study
    from cartrial.submission.job import Job

__all__ = ["program_text", "write_programs"]


class _R(str):
    """A piece of R as it stands."""


def _r(value: Any) -> str:
    """Return a value in R."""
    if isinstance(value, _R):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Mapping):
        return f"list({', '.join(f'{_r(str(key))} = {_r(one)}' for key, one in value.items())})"
    return f"c({', '.join(_r(one) for one in value)})" if len(value) else "character(0)"


def _subgroups(study: Study, adam: Adam, asked: tuple[str, ...]) -> dict[str, str]:
    """Return the subgroups that are recorded as levels, with their column in ADSL."""
    columns = {item.id: level_column(item) for item in study.baseline}
    adsl = adam.adsl
    return {
        name: columns[name]
        for name in asked
        if name in columns
        and columns[name] in adsl.columns
        and not adsl.schema[columns[name]].is_numeric()
        and adsl[columns[name]].null_count() < adsl.height
    }


def _characteristics(study: Study, adam: Adam) -> list[_R]:
    adsl, found = adam.adsl, []
    for item in study.baseline:
        level, number = level_column(item), number_column(item)
        if level not in adsl.columns:
            continue
        is_level = not adsl.schema[level].is_numeric()
        is_number = number in adsl.columns and adsl.schema[number].is_numeric()
        said = {
            "id": item.id,
            "level": level if is_level else "",
            "number": number if is_number else "",
            "levels": list(item.levels),
        }
        found.append(_R(_r(said)))
    return found


def _readers(study: Study) -> dict[str, Any]:
    """Return what readers are compared by, the visits that should have an assessment, and what events that are watched read like."""
    family = study.disease.family
    visits = [
        _R(_r({"name": visit.name, "first": visit.day - visit.minus, "last": visit.day + visit.plus})) for visit in study.disease.visits
    ]
    return {
        "primary_reader": study.readers.primary,
        "best_first": list(family.best_first),
        "categories": _R(f"unlist({_r(dict(family.categories))})"),
        "ending": list(words_of(family.roles.ends)),
        "event_name": family.names.event,
        "visits": _R(f"list({', '.join(visits)})"),
        "watched": {name: pattern for name, (_, pattern) in WATCHED.items()},
        "infections": list(INFECTIONS),
    }


def program_text(study: Study, adam: Adam) -> str:
    """Return ``recompute.r`` of a study: no result stands in it, only what the study file asks for.

    Parameters
    ----------
    study : Study
    adam : Adam
        Which characteristics are levels, and which numbers.
    """
    testing, low = study.testing, study.safety
    competing, by_death = competing_words(study)
    rows = {"competing": competing, "by_death": by_death}
    words = {
        name: {coded(row["PARAMCD"], row["VARIANT"]): [row["INTEREST"], row["AGAINST"]] for row in frame.iter_rows(named=True)}
        for name, frame in rows.items()
    }
    tests = {e.id: e.test.null for e in study.endpoints if e.test is not None and "assumption" not in e.test.source.lower()}
    strata = list(testing.strata) if testing else []
    asked: dict[str, Any] = {
        "level_of": study.interval.level,
        "interval": str(study.interval.method).lower(),
        "landmarks": list(LANDMARKS),
        "risk_times": list(RISK_TIMES),
        "subgroups": _subgroups(study, adam, study.subgroups),
        "strata": strata,
        "subgroup_columns": _subgroups(study, adam, tuple(strata)),
        "best_responses": [e.id for e in study.endpoints if e.type == "best-response"],
        "best_levels": list(study.disease.family.planned),
        "nulls": tests,
        "test_kind": testing.test if testing else "exact",
        **words,
        "followed": [e.id for e in study.endpoints if e.events == ("death",)],
        "special_events": [item.id for item in low.special],
        "cytopenias": {"NEUTROPENIA": "NEUT", "THROMBOCYTOPENIA": "PLAT", "APLASIA": low.aplasia.testcd},
        "milestones": dict(MILESTONES),
        **_readers(study),
    }
    lines = [f"{name} <- {_r(value)}" for name, value in asked.items()]
    lines.append(f"characteristics <- list({', '.join(_characteristics(study, adam))})")
    steps = (Path(__file__).parent / "recompute.R").read_text(encoding="utf-8")
    head, _, body = steps.partition("\nargs <- ")
    plan = "\n".join(lines)
    return f"{head}\n\n# What the study file of {study.study.id} asks for.\n{plan}\n\nargs <- {body}"


def write_programs(job: Job, folder: Path) -> Path:
    """Write ``recompute.r`` into a folder, and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recompute.r"
    path.write_text(program_text(job.study, job.adam), encoding="utf-8")
    return path
