"""How do collected words, values and units become the ones the rules read? What was collected stays in --ORRES and --ORRESU."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from cartrial.sdtm.source import DTYPES, Source, finding, findings_frame, join_findings, no_findings, require_study_days
from cartrial.sdtm.vocabulary.response_criteria import of_another_disease
from cartrial.sdtm.vocabulary.schema import DOMAINS, kind_of
from cartrial.sdtm.vocabulary.terms import canonical, normalised
from cartrial.sdtm.vocabulary.units import UNITS, standard_unit, unit_factor
from cartrial.study.criteria.codes import NE, RESPONSES

__all__ = ["standardise"]

NUMBER = r"^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$"
LIMIT = r"^[<≤]\s*=?\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$"
# Results in which a factor times a decimal is written back with this many significant digits: 0.07 as a percentage is 7, not
# 7.000000000000001.
DIGITS = 12
# Columns that standardising fills, added where a file lacks them.
FILLED = {"RS": ("RSORRES", "RSEVAL"), "LB": ("LBSTRESC", "LBSTRESN", "LBSTRESU"), "FA": ("FAORRES",)}


def standardise(source: Source) -> Source:
    """Return the source with terms and units in the form that the rules read.

    Words become the terms of `cartrial.sdtm.vocabulary.terms` (a word that is in no list stays and is left to `check_sdtm`); laboratory
    values, limits and units become those of `cartrial.sdtm.vocabulary.units`; a result given as <limit becomes BLQ with the limit in
    LBLLOQ. Doing it twice changes nothing.

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
    require_study_days(source)
    domains, findings = dict(source.domains), [source.findings]
    for name, frame in source.domains.items():
        if name not in DOMAINS or frame.height == 0:
            continue
        file = source.file_of(name) or name
        frame = _with_columns(frame, name)
        if name == "RS":
            frame = _collected(frame, "RS")
        if name == "FA":
            frame = _collected(frame, "FA")
        frame, found = _coded(frame, name, file)
        findings.append(found)
        if name == "RS":
            frame = _adjudicator(frame)
        if name == "LB":
            frame, found = _units(_values(frame), file)
            findings.append(found)
        domains[name] = frame
    return replace(source, domains=domains, findings=join_findings(findings))


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
        return relevant & ~of_another_disease(pl.col("RSCAT"))
    if domain == "FA":
        return relevant & (normalised(pl.col("FATESTCD")) == "OCCUR")
    return relevant


def _collected(frame: pl.DataFrame, domain: str) -> pl.DataFrame:
    """Keep a result as collected in --ORRES, and take it from there where the standard result is blank."""
    result, collected, status = f"{domain}STRESC", f"{domain}ORRES", f"{domain}STAT"
    blank = {"RS": RESPONSES[NE], "FA": "NOT DONE"}[domain]
    not_done = canonical(pl.col(status), "STAT").is_not_null() if status in frame.columns else pl.lit(False)
    rows = _rows_of(frame, domain)
    filled = pl.coalesce(result, collected, pl.when(not_done).then(pl.lit(blank)))
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
        rows = pl.lit(True) if everywhere else _rows_of(frame, domain)
        terms[variable.name] = pl.when(rows).then(canonical(pl.col(variable.name), str(variable.codes)))
    if not terms:
        return frame, no_findings()
    changed = {name: (normalised(term) != normalised(pl.col(name))).fill_null(False) for name, term in terms.items()}
    any_changed = frame.select(expr.any().alias(name) for name, expr in changed.items())
    findings = [no_findings()]
    for name in any_changed.columns:
        if any_changed[name].item():
            words = frame.filter(changed[name]).with_columns(terms[name].alias("__TERM")).group_by(name, "__TERM")
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
    return frame.with_columns(pl.coalesce(term, name).alias(name) for name, term in terms.items()), pl.concat(findings)


def _count(number: int) -> str:
    return "1 record" if number == 1 else f"{number} records"


def _adjudicator(frame: pl.DataFrame) -> pl.DataFrame:
    """An adjudicator named as evaluator is an independent assessor with that role."""
    if "RSEVALID" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("RSEVALID")).select(pl.exclude("ROW"), "ROW")
    adjudicator = (pl.col("RSEVAL") == "ADJUDICATOR").fill_null(False)
    return frame.with_columns(
        pl.when(adjudicator).then(pl.lit("ADJUDICATOR")).otherwise(pl.col("RSEVALID")).alias("RSEVALID"),
        pl.when(adjudicator).then(pl.lit("INDEPENDENT ASSESSOR")).otherwise(pl.col("RSEVAL")).alias("RSEVAL"),
    )


def _number(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.extract(pattern, 1).cast(pl.Float64, strict=False)


def _values(frame: pl.DataFrame) -> pl.DataFrame:
    """Take a blank numeric result from its text, or from the collected result with its unit."""
    rows = pl.col("LBTESTCD").is_in(list(UNITS))
    if "LBSTAT" in frame.columns:
        rows = rows & pl.col("LBSTAT").is_null()
    has = set(frame.columns)
    collected = pl.col("LBORRES") if "LBORRES" in has else pl.lit(None, dtype=pl.String)
    collected_unit = pl.col("LBORRESU") if "LBORRESU" in has else pl.lit(None, dtype=pl.String)
    from_collected = rows & pl.col("LBSTRESN").is_null() & pl.col("LBSTRESC").is_null() & collected.is_not_null()
    frame = frame.with_columns(
        pl.when(from_collected)
        .then(pl.coalesce(collected_unit, "LBSTRESU"))
        .otherwise(pl.coalesce("LBSTRESU", pl.when(rows).then(collected_unit)))
        .alias("LBSTRESU"),
        pl.when(from_collected)
        .then(pl.coalesce(canonical(collected, "LBSTRESC"), collected))
        .otherwise(pl.col("LBSTRESC"))
        .alias("LBSTRESC"),
    )
    return frame.with_columns(
        pl.when(rows).then(pl.coalesce("LBSTRESN", _number(pl.col("LBSTRESC"), NUMBER))).otherwise(pl.col("LBSTRESN")).alias("LBSTRESN")
    )


def _units(frame: pl.DataFrame, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring values, limits and units to the standard units of each test; keep a converted result as collected."""
    test, unit = pl.col("LBTESTCD"), pl.col("LBSTRESU")
    frame = frame.with_columns(
        unit_factor(test, unit).alias("__FACTOR"),
        standard_unit(test, unit).alias("__UNIT"),
        _number(pl.col("LBSTRESC"), LIMIT).alias("__LIMIT"),
    )
    factor = pl.col("__FACTOR")
    convert = (factor.is_not_null() & (factor != 1.0)).fill_null(False)
    changed = frame.filter(convert)
    found = no_findings()
    if changed.height:
        counts = changed.group_by("LBTESTCD", "LBSTRESU", "__UNIT").agg(pl.len(), pl.col("ROW").min()).sort("ROW")
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
        frame = _keep_collected(frame, convert)
    frame = frame.with_columns(
        pl.when(convert).then((pl.col(name) * factor).round_sig_figs(DIGITS)).otherwise(pl.col(name)).alias(name)
        for name in ("LBSTRESN", "LBLLOQ", "LBLOD", "__LIMIT")
        if name in frame.columns
    )
    known = test.is_in(list(UNITS))
    plain = _number(pl.col("LBSTRESC"), NUMBER).is_not_null()
    text = pl.when(convert & plain).then(_number_text(pl.col("LBSTRESN"))).otherwise(pl.col("LBSTRESC"))
    frame = frame.with_columns(text.alias("LBSTRESC"), pl.coalesce("__UNIT", unit).alias("LBSTRESU"))
    limited = known & pl.col("__LIMIT").is_not_null() & pl.col("LBSTRESN").is_null()
    if frame.select(limited.any()).item():
        for name in ("LBLLOQ", "LBORRES"):
            if name not in frame.columns:
                frame = frame.with_columns(pl.lit(None, dtype=DTYPES[kind_of("LB", name)]).alias(name))
        frame = frame.with_columns(
            pl.when(limited).then(pl.coalesce("LBORRES", "LBSTRESC")).otherwise(pl.col("LBORRES")).alias("LBORRES"),
            pl.when(limited).then(pl.coalesce("LBLLOQ", "__LIMIT")).otherwise(pl.col("LBLLOQ")).alias("LBLLOQ"),
            pl.when(limited).then(pl.lit("BLQ")).otherwise(pl.col("LBSTRESC")).alias("LBSTRESC"),
        )
    return frame.drop("__FACTOR", "__UNIT", "__LIMIT").select(pl.exclude("ROW"), "ROW"), found


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
