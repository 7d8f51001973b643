"""How do collected words, values and units become the ones the rules read? What was collected stays in --ORRES and --ORRESU."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from cartrial.sdtm.source import DTYPES, Source, finding, findings_frame, join_findings, many, no_findings, require_study_days
from cartrial.sdtm.vocabulary.occurrence import says_presence, undone
from cartrial.sdtm.vocabulary.response_criteria import is_readable
from cartrial.sdtm.vocabulary.results import EXACT, SIGNS, result_columns
from cartrial.sdtm.vocabulary.schema import DOMAINS
from cartrial.sdtm.vocabulary.terms import canonical, normalised
from cartrial.sdtm.vocabulary.units import UNITS, standard_unit
from cartrial.study.criteria.codes import NE, RESPONSES

__all__ = ["standardise"]

# Which records the code lists of results apply to; a column while standardising goes on.
_ROWS = "__ROWS"

# Columns that standardising fills, added where a file lacks them.
FILLED = {"RS": ("RSORRES", "RSEVAL"), "LB": ("LBSTRESC", "LBSTRESN", "LBSTRESU"), "FA": ("FAORRES",)}


def standardise(source: Source) -> Source:
    """Return the source with terms and units in the form that the rules read.

    Words become the terms of `cartrial.sdtm.vocabulary.terms` (a word that is in no list stays and is left to `check_sdtm`); laboratory
    values, limits and units become those of `cartrial.sdtm.vocabulary.units`, also the limit in a result as `<x`. Doing it twice changes
    nothing.

    Returns
    -------
    Source
        With a note for each kind of word and unit that was changed.

    Raises
    ------
    InputError
        If a study day is none that a calendar has.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.sdtm import Source, standardise
    >>> lb = {"STUDYID": "S", "USUBJID": ["S-01"], "ROW": [2], "LBSEQ": [1]}
    >>> lb |= {"LBTESTCD": "PLAT", "LBORRES": "60000", "LBORRESU": "/uL"}
    >>> source = standardise(Source({"LB": pl.DataFrame(lb)}))
    >>> source.domains["LB"].select("LBSTRESN", "LBSTRESU").row(0)
    (60.0, '10^9/L')
    >>> source.findings["RULE"].to_list()
    ['unit-converted']
    """
    if _is_standard(source):
        return source
    require_study_days(source)
    domains, findings = dict(source.domains), [source.findings]
    for name, frame in source.domains.items():
        if name not in DOMAINS or frame.height == 0:
            continue
        file = source.file_of(name) or name
        frame = _with_columns(frame, name)
        # two of the steps below ask it, of every column: found once
        frame = frame.with_columns(_rows_of(frame, name).alias(_ROWS))
        if name in ("RS", "FA"):
            frame = _collected(frame, name)
        frame, found = _coded(frame, name, file)
        findings.append(found)
        if name == "RS":
            frame = _adjudicator(frame)
        if name == "LB":
            frame, found = _values(frame, file)
            findings.append(found)
        domains[name] = frame
    done = replace(source, domains=domains, findings=join_findings(findings))
    object.__setattr__(done, "standard", dict(domains))
    return done


def _is_standard(source: Source) -> bool:
    """Whether `standardise` made the source, and no domain was exchanged since: doing it twice changes nothing."""
    done = source.standard
    return done is not None and done.keys() == source.domains.keys() and all(source.domains[name] is done[name] for name in done)


def _with_columns(frame: pl.DataFrame, domain: str) -> pl.DataFrame:
    """Return the frame with the columns that standardising fills, before ROW."""
    known = DOMAINS[domain]
    missing = [variable for variable in known.variables if variable.name in FILLED.get(domain, ()) and variable.name not in frame.columns]
    if not missing:
        return frame
    return frame.with_columns(pl.lit(None, dtype=DTYPES[variable.kind]).alias(variable.name) for variable in missing).select(
        pl.exclude("ROW"), "ROW"
    )


def _rows_of(frame: pl.DataFrame, domain: str) -> pl.Expr:
    """Which records the code lists of results apply to."""
    known = DOMAINS[domain]
    if known.relevant is None or known.relevant[0] not in frame.columns:
        return pl.lit(True)
    relevant = canonical(pl.col(known.relevant[0]), known.relevant[1]).is_not_null()
    if domain == "RS" and "RSCAT" in frame.columns:
        # words of another disease's criteria mean something else
        return relevant & is_readable(pl.col("RSCAT"))
    if domain == "FA":
        return relevant & says_presence(frame)
    return relevant


def _collected(frame: pl.DataFrame, domain: str) -> pl.DataFrame:
    """Keep a result as collected in --ORRES, and take it from there where the standard result is blank."""
    result, collected = f"{domain}STRESC", f"{domain}ORRES"
    blank = {"RS": RESPONSES[NE], "FA": "NOT DONE"}[domain]
    rows = pl.col(_ROWS)
    filled = pl.coalesce(result, collected, pl.when(undone(frame, domain)).then(pl.lit(blank)))
    return frame.with_columns(
        pl.when(rows).then(pl.coalesce(collected, result)).otherwise(pl.col(collected)).alias(collected),
        pl.when(rows).then(filled).otherwise(pl.col(result)).alias(result),
    )


def _coded(frame: pl.DataFrame, domain: str, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace words by the terms they mean."""
    known = DOMAINS[domain]
    coded = [variable for variable in known.variables if variable.codes and variable.name in frame.columns]
    terms: dict[str, pl.Expr] = {}
    for variable in coded:
        everywhere = known.relevant is None or variable.name == known.relevant[0] or variable.name == "LBSPEC"
        term = canonical(pl.col(variable.name), str(variable.codes))
        terms[variable.name] = term if everywhere else pl.when(_ROWS).then(term)
    if not terms:
        return frame.drop(_ROWS), no_findings()
    meant = frame.with_columns(term.alias(f"__{name}") for name, term in terms.items())
    changed = meant.select((normalised(pl.col(f"__{name}")) != normalised(pl.col(name))).fill_null(False).alias(name) for name in terms)
    findings = [no_findings()]
    for name in terms:
        if changed[name].any():
            words = meant.filter(changed[name]).group_by(name, f"__{name}")
            findings.append(
                findings_frame(
                    finding(
                        "term-mapped",
                        "note",
                        f"'{word}' is read as {term} ({_count(n)}).",
                        file=file,
                        row=row,
                        domain=domain,
                        variable=name,
                    )
                    for word, term, n, row in words.agg(pl.len(), pl.col("ROW").min()).sort("ROW").rows()
                )
            )
    told = [pl.coalesce(f"__{name}", name).alias(name) if name in terms else name for name in frame.columns if name != _ROWS]
    return meant.select(told), pl.concat(findings)


def _count(number: int) -> str:
    return many(number, "record")


def _adjudicator(frame: pl.DataFrame) -> pl.DataFrame:
    """An adjudicator named as evaluator is an independent assessor with that role."""
    if "RSEVALID" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("RSEVALID")).select(pl.exclude("ROW"), "ROW")
    adjudicator = (pl.col("RSEVAL") == "ADJUDICATOR").fill_null(False)
    return frame.with_columns(
        pl.when(adjudicator).then(pl.lit("ADJUDICATOR")).otherwise(pl.col("RSEVALID")).alias("RSEVALID"),
        pl.when(adjudicator).then(pl.lit("INDEPENDENT ASSESSOR")).otherwise(pl.col("RSEVAL")).alias("RSEVAL"),
    )


def _values(frame: pl.DataFrame, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring results, limits and units to the standard units of each test; keep what is changed as collected."""
    read = result_columns(frame)
    frame = frame.with_columns(read.select(pl.all().name.prefix("__")))
    unit = standard_unit(pl.col("__TEST"), pl.col("__UNIT"))
    frame = frame.with_columns(unit.alias("__STANDARD"))
    rows = pl.col("__TEST").is_in(list(UNITS)) & ~undone(frame, "LB")
    factor = pl.col("__FACTOR")
    convert = (factor.is_not_null() & (factor != 1.0)).fill_null(False)
    changed, found = frame.filter(convert), no_findings()
    if changed.height:
        counts = changed.group_by("LBTESTCD", "__UNIT", "__STANDARD").agg(pl.len(), pl.col("ROW").min()).sort("ROW")
        found = findings_frame(
            finding(
                "unit-converted",
                "note",
                f"{code} in '{old}' is brought to {new} ({_count(count)}).",
                file=file,
                row=row,
                domain="LB",
                variable="LBSTRESU",
            )
            for code, old, new, count, row in counts.rows()
        )
    text = pl.when(rows).then(_result_text(convert)).otherwise(pl.col("LBSTRESC"))
    frame = frame.with_columns(text.alias("__RESULT"))
    rewritten = rows & (pl.col("__RESULT") != pl.col("LBSTRESC")).fill_null(False)
    if frame.select((convert | rewritten).any()).item():
        frame = _keep_collected(frame, convert | rewritten)
    converted = [pl.when(convert).then(f"__{name}").otherwise(f"LB{name}").alias(f"LB{name}") for name in _limits(frame)]
    frame = frame.with_columns(
        pl.when(rows).then(pl.coalesce("__VALUE", "__BESIDE")).when(convert).then("__BESIDE").otherwise("LBSTRESN").alias("LBSTRESN"),
        pl.col("__RESULT").alias("LBSTRESC"),
        pl.when(rows).then(pl.coalesce("__STANDARD", "__UNIT")).otherwise(pl.coalesce("__STANDARD", "LBSTRESU")).alias("LBSTRESU"),
        *converted,
    )
    return frame.select(pl.exclude("^__.*$", "ROW"), "ROW"), found


def _limits(frame: pl.DataFrame) -> list[str]:
    return [name for name in ("LLOQ", "LOD") if f"LB{name}" in frame.columns]


def _result_text(convert: pl.Expr) -> pl.Expr:
    """Return the result as text: a limit with its sign, a number that was converted as converted, else as it was read."""
    limit = pl.col("__REL").replace_strict(SIGNS, default=None, return_dtype=pl.String) + _number_text(pl.col("__LIMIT"))
    number = pl.when(convert & (pl.col("__REL") == EXACT)).then(_number_text(pl.col("__READ")))
    return pl.coalesce(limit, number, canonical(pl.col("__TEXT"), "LBSTRESC"), "__TEXT")


def _keep_collected(frame: pl.DataFrame, convert: pl.Expr) -> pl.DataFrame:
    """Keep result and unit as collected in LBORRES and LBORRESU where those are blank."""
    for name in ("LBORRES", "LBORRESU"):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    result = pl.coalesce("LBORRES", "LBSTRESC", _number_text(pl.col("LBSTRESN")))
    same = pl.col("LBORRES").is_null() | (pl.col("LBORRES") == pl.col("LBSTRESC"))
    return frame.with_columns(
        pl.when(convert).then(result).otherwise(pl.col("LBORRES")).alias("LBORRES"),
        pl.when(convert & same).then(pl.coalesce("LBORRESU", "LBSTRESU")).otherwise(pl.col("LBORRESU")).alias("LBORRESU"),
    )


def _number_text(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.String).str.replace(r"\.0$", "")
