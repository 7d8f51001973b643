"""What may a reader see of a subject up to an assessment? An allow-list: what is not named here cannot be shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.report.study.subject.course import LINES, TESTS, as_sample
from cartrial.response.codes import (
    BASELINE_MISSING,
    BLOOD_NOT_RECORDED,
    COUNTS_MISSING,
    EMD_ASSUMED_ABSENT,
    EMD_NOT_RECORDED,
    EMD_TAKEN_AS_ABSENT,
    EMD_UNPROVEN,
    INADEQUATE_MARROW,
    LIMIT_UNDECIDED,
    TRANSFUSED,
)
from cartrial.response.flags import flag_words
from cartrial.response.lab_kernel import NEAR_DAYS
from cartrial.response.unconfirmed import TRANSPLANT
from cartrial.review.imaging import IMAGING_FACTS, IMAGING_REACH, MARROW_REACH, imaged_rows, near_imaging
from cartrial.sdtm.vocabulary.specimens import specimens_of
from cartrial.sdtm.vocabulary.terms import standard_term

if TYPE_CHECKING:
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["GIVEN", "SHOWN", "digest_of", "evidence_of", "find_rows", "history_of", "reach_of", "window_of"]

SHOWN = ("marrow", "blood", "neutrophils", "platelets", "mrd")
"""Measurements that a reader sees, by the names of the figure's panels. Never the product's cells, nor B cells."""

GIVEN = ("lymphodepletion", "transfusion", "growth factor", "transplant", "new therapy")
"""Treatments that a reader can see; which of them, the charter says. Nothing that was given for toxicities is among them."""

FACTS = (
    *(COUNTS_MISSING, BLOOD_NOT_RECORDED, EMD_NOT_RECORDED, EMD_TAKEN_AS_ABSENT, EMD_ASSUMED_ABSENT, EMD_UNPROVEN),
    *(BASELINE_MISSING, INADEQUATE_MARROW, TRANSFUSED, LIMIT_UNDECIDED),
)
"""Flags of the derived status that are facts of the records, and are said before a call."""

_EMD = {-1: "not done", 0: "absent", 1: "present", 2: "suspected, no biopsy"}
_MARROW = "BONE MARROW"

Row = dict[str, Any]


def find_rows(study: Study, records: Records) -> dict[int, list[Row]]:
    """Return what may be shown of each infused subject, in the order of days.

    Parameters
    ----------
    study : Study
        Names the specimens of residual disease.
    records : Records

    Returns
    -------
    dict of int to list of dict
        By SUBJ: `day` (from day 0), `what` (one of `SHOWN`, `emd`, one of `GIVEN`, or of imaging as `imaged_rows` names it), `words`,
        `value` and `kind` of measurements, and `seq`, which no reader sees.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study
    >>> from cartrial.review.evidence import find_rows
    >>> from cartrial.sdtm import Source
    >>> from cartrial.sdtm.records import derive_records
    >>> who = {"STUDYID": "S", "USUBJID": "S-01"}
    >>> ex = pl.DataFrame(who | {"EXSEQ": [1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"})
    >>> lb = pl.DataFrame(who | {"LBSEQ": [1, 2], "LBTESTCD": ["PLAT", "CARTG"], "LBSTRESC": ["9", "700"], "LBDTC": "2022-01-29"})
    >>> source = Source({"DM": pl.DataFrame(who | {"ROW": [2]}), "EX": ex, "LB": lb})
    >>> study = Study.load("inaticel")
    >>> [(row["what"], row["day"], row["words"]) for row in find_rows(study, derive_records(study, source))[0]]
    [('platelets', 28, '9')]
    """
    found: dict[int, list[Row]] = {}
    measured = [imaged_rows(study, records)] if study.disease.marrow is None else [_measured(study, records), _outside_marrow(records)]
    for part in (*measured, _given(study, records)):
        for subject, row in part:
            found.setdefault(subject, []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row["day"], row["what"], row.get("name", ""), row["words"], row["seq"]))
    return found


def _relative(frame: pl.DataFrame, records: Records) -> pl.DataFrame:
    """Return the records of a full date up to the cutoff of those infused, with the day AT from day 0."""
    joined = frame.join(records.subjects.select("SUBJ", "DAY0", "CUTOFF"), on="SUBJ", maintain_order="left")
    dated = (pl.col("DAY") == pl.col("DAYX")) & (pl.col("DAY") <= pl.col("CUTOFF")) & pl.col("DAY0").is_not_null()
    return joined.filter(dated).with_columns((pl.col("DAY") - pl.col("DAY0")).alias("AT"))


def _measured(study: Study, records: Records) -> Iterable[tuple[int, Row]]:
    residual = specimens_of(study.disease.mrd.specimens)
    shown = [key for key in SHOWN if key != "mrd" or "mrd" in study.committee.show]
    allowed = {key: (TESTS[key][0], residual if key == "mrd" else [TESTS[key][1]]) for key in shown}
    for row in _relative(records.labs.filter("TAKEN"), records).iter_rows(named=True):
        key = next((key for key, (test, of) in allowed.items() if row["TEST"] == test and (row["SPEC"] or _blank(key)) in of), "")
        if not key:
            continue
        # a method is shown in the words of the code list alone: what a site wrote is free text
        method = standard_term(row["METHOD"], "LBMETHOD") if row["METHOD"] else None
        sample = (
            as_sample(row | {"METHOD": method}, residual=key == "mrd", hidden=False) if row["DONE"] and row["REL"] is not None else None
        )
        _, value, kind, words = sample or (0.0, None, "", "sample not adequate" if not row["DONE"] else "no result")
        yield row["SUBJ"], {"day": row["AT"], "what": key, "words": words, "value": value, "kind": kind, "seq": row["SEQ"]}


def _blank(key: str) -> str:
    """Counts of a specimen that is not named are of blood (rules, A10)."""
    return "BLOOD" if key in ("neutrophils", "platelets") else ""


def _outside_marrow(records: Records) -> Iterable[tuple[int, Row]]:
    for row in _relative(records.lesions, records).iter_rows(named=True):
        yield row["SUBJ"], {"day": row["AT"], "what": "emd", "words": _EMD[row["PRESENT"]], "seq": row["SEQ"]}


def _given(study: Study, records: Records) -> Iterable[tuple[int, Row]]:
    shown = {name.replace("-", " ") for name in study.committee.show}
    for what, frame in _treatments(records):
        if what not in shown:
            continue
        for row in _relative(frame, records).iter_rows(named=True):
            words = what
            if what == GIVEN[1]:
                words = (standard_term(row["KIND"], "PRTRT") or "TRANSFUSION").lower()
            yield row["SUBJ"], {"day": row["AT"], "what": what, "words": words, "seq": row["SEQ"]}


def _treatments(records: Records) -> Iterable[tuple[str, pl.DataFrame]]:
    """Yield the records of each kind of treatment. What a site called a therapy is free text, and in none of them."""
    # transfusions stand among procedures or among medication, there by their name or by their category
    named, sort = pl.col("TRT").str.contains("TRANSFUSION"), pl.col("KIND").str.contains("TRANSFUSION")
    medication = records.therapies.filter((named | sort).fill_null(False)).with_columns(
        pl.when(named).then("TRT").otherwise("KIND").alias("KIND")
    )
    kind = pl.col("KIND").replace_strict(LINES, default=None, return_dtype=pl.String)
    yield GIVEN[1], records.procedures.filter(sort.fill_null(False))
    yield GIVEN[1], medication
    yield GIVEN[2], records.therapies.filter(kind == GIVEN[2])
    yield GIVEN[0], records.doses.filter(pl.col("KIND") == "LYMPHODEPLETION")
    yield GIVEN[3], records.procedures.filter(pl.col("KIND").str.contains(TRANSPLANT).fill_null(False))
    yield GIVEN[4], records.therapies.filter(kind == GIVEN[4])


def evidence_of(study: Study, case: Mapping[str, Any], rows: Iterable[Row]) -> dict[str, Any]:
    """Return what a reader is shown of one case: nothing later than its date and the days within which values belong to it.

    Parameters
    ----------
    study : Study
    case : mapping
        A row of `cartrial.review.cases.derive_cases`.
    rows : iterable of dict
        Of its subject, from `find_rows`.

    Returns
    -------
    dict
        `day`, `kind`, `visit`, `window` (first and last day, or None), `facts`, and `rows`: day, what, words, value, kind, and whether
        the status by the study's limits was read from it (`near`).
    """
    visits = study.disease.visits
    visit = next((visit for visit in visits if visit.day - visit.minus <= case["DAY"] <= visit.day + visit.plus), None)
    words = flag_words(study.disease.family)
    imaged = study.disease.marrow is None
    reach = IMAGING_REACH if imaged else NEAR_DAYS
    # a sample of the marrow tells of a scan before it too
    until = [row for row in rows if row["day"] <= case["DAY"] + (MARROW_REACH if row["what"] == "involvement" else reach)]
    near = _near_imaging(case, until) if imaged else _near_marrow(case, until)
    shown = [{name: value for name, value in row.items() if name != "seq"} | {"near": i in near} for i, row in enumerate(until)]
    return {
        "day": case["DAY"],
        "kind": case["KIND"],
        "visit": visit.name if visit else "",
        "window": [visit.day - visit.minus, visit.day + visit.plus] if visit else None,
        "facts": [words[bit] for bit in (IMAGING_FACTS if imaged else FACTS) if case["FLAGS"] & bit],
        "rows": shown,
    } | ({"reach": reach} if imaged else {})


def _near_marrow(case: Mapping[str, Any], rows: list[Row]) -> set[int]:
    """Return the places of the rows that the status by the study's limits was read from."""
    used = {
        **{"marrow": case["SEQ"] if case["SAMPLED"] else -1, "blood": case["BLOOD"], "neutrophils": case["NEUTROPHILS"]},
        **{"platelets": case["PLATELETS"], "emd": case["EMD"]},
    }
    return {i for i, row in enumerate(rows) if used.get(row["what"], -1) == row["seq"] and abs(row["day"] - case["DAY"]) <= NEAR_DAYS}


def _near_imaging(case: Mapping[str, Any], rows: list[Row]) -> set[int]:
    return near_imaging(case["DAY"], case["SCANNED"] if case["SAMPLED"] else None, rows)


def reach_of(evidence: Mapping[str, Any]) -> int:
    """Return how many days after an assessment the findings are shown. Unit: days."""
    return int(evidence.get("reach", NEAR_DAYS))


def window_of(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a case's evidence that its call rests on: what lies within 7 days, of imaging 14, and what is said of it."""
    near = [row for row in evidence["rows"] if row["day"] >= evidence["day"] - reach_of(evidence) or row["near"]]
    return {name: evidence[name] for name in ("day", "kind", "facts")} | {"rows": near}


def history_of(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return what came before the days that a case's call rests on."""
    return {"rows": [row for row in evidence["rows"] if row["day"] < evidence["day"] - reach_of(evidence) and not row["near"]]}


def digest_of(content: Any) -> str:
    """Return the SHA-256 of content as canonical JSON: keys sorted, no blanks, ASCII.

    Examples
    --------
    >>> from cartrial.review.evidence import digest_of
    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
