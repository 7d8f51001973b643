"""How does a table read from a file become a domain? Names, types, keys; what does not parse is an error or a finding."""

from __future__ import annotations

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.forms.text import MARKED, marked_place, shown, shown_text
from cartrial.sdtm.source import DTYPES, finding, findings_frame, no_findings
from cartrial.sdtm.vocabulary.dates import is_date
from cartrial.sdtm.vocabulary.occurrence import is_nothing
from cartrial.sdtm.vocabulary.schema import DOMAINS, KEYED, UNKEYED, Domain, Variable, kind_of
from cartrial.sdtm.vocabulary.terms import canonical

__all__ = ["coerce_domain"]

_TEXT_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_RIGHT = {
    "number": "It is a number with a decimal point and without its unit, or blank",
    "integer": "It is a whole number",
    "date": "It is a date as YYYY-MM-DD, or YYYY-MM or YYYY when the rest is not known",
}


def coerce_domain(raw: pl.DataFrame, domain: str, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a table as a domain with the types of the schema, and what was found.

    Parameters
    ----------
    raw : polars.DataFrame
        Columns of any simple type, named as in the file.
    domain : str
        Domain it holds.
    file : str
        File name, for messages.

    Returns
    -------
    frame : polars.DataFrame
        The domain with `ROW`; rows that are blank throughout are left out but counted.
    findings : polars.DataFrame
        Values that do not parse in fields that no rule needs; such a value is null in the frame.

    Raises
    ------
    InputError
        If a key column is missing, a name is there twice, a key is blank, or a value that a rule needs does not parse.
    """
    frame = _named(raw, file)
    frame = frame.select(_as_text(frame[name], file).alias(name) for name in frame.columns)
    frame = frame.select(pl.all().str.strip_chars()).select(pl.when(pl.all() != "").then(pl.all()))
    _require_columns(frame, domain, file)
    frame = frame.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("ROW")).filter(
        pl.any_horizontal(pl.exclude("ROW").is_not_null())
    )
    frame, undecoded = _decoded(frame, domain, file)
    _require_keys(frame, domain, file)
    frame, found = _parsed(frame, domain, file)
    return frame, pl.concat([undecoded, found])


def _named(raw: pl.DataFrame, file: str) -> pl.DataFrame:
    names = [shown_text(name.strip().upper()) for name in raw.columns]
    for position, name in enumerate(names):
        if not name:
            raise InputError(
                f"column {position + 1} has no name", file=file, row=1, right="Each column has an SDTM variable name in the header row"
            )
        if name in names[:position]:
            raise InputError("the header has this column twice", file=file, row=1, key=name, right="Each variable stands once")
    if "ROW" in names:
        raise InputError(
            "the name ROW is taken: cartrial keeps the row number of each record there",
            file=file,
            row=1,
            key="ROW",
            right="Give the column another name",
        )
    return raw.rename(dict(zip(raw.columns, names, strict=True)))


def _as_text(column: pl.Series, file: str) -> pl.Series:
    """Return a column of any simple type as text: a whole number without decimals, a date as ISO 8601."""
    kind = column.dtype
    if kind == pl.String:
        return column
    if kind.is_float():
        whole = column.is_finite() & (column == column.round(0)) & (column.abs() < 1e15)
        text = column.cast(pl.Float64).cast(pl.String)
        return (
            pl.select(
                pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).when(column.is_nan()).then(None).otherwise(text)
            )
            .to_series()
            .rename(column.name)
        )
    if kind == pl.Date:
        return column.dt.to_string("%Y-%m-%d")
    if isinstance(kind, pl.Datetime):
        midnight = column.dt.time() == pl.time(0)
        return (
            pl.select(pl.when(midnight).then(column.dt.to_string("%Y-%m-%d")).otherwise(column.dt.to_string("%Y-%m-%dT%H:%M:%S")))
            .to_series()
            .rename(column.name)
        )
    if kind == pl.Boolean:
        return pl.select(pl.when(column).then(pl.lit("Y")).when(~column).then(pl.lit("N"))).to_series().rename(column.name)
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        raise InputError(f"the column holds {kind}, not single values", file=file, key=column.name, right="It holds text, numbers or dates")
    return column.cast(pl.String)


def _decoded(frame: pl.DataFrame, domain: str, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Refuse a byte that is no UTF-8 text where a rule reads it; elsewhere it is shown as one that is not known, and noted."""
    held = frame.select(pl.exclude("ROW").str.contains(MARKED).any())
    found = [no_findings()]
    known = DOMAINS.get(domain)
    for name in held.columns:
        if not held[name].item():
            continue
        bad = frame.filter(pl.col(name).str.contains(MARKED))
        variable = known.variable(name) if known else None
        need = variable.need if variable else ("key" if name in KEYED and domain not in UNKEYED else "other")
        needed = bad if need == "key" else bad.filter(_relevant(bad, known)) if need in ("must", "rule") else bad.clear()
        no_text = "neither ASCII nor UTF-8 text" if ".xpt" in file.lower() else "not UTF-8 text"
        place = marked_place((needed if needed.height else bad)[name][0])
        byte = f"{place} is {no_text}"
        if needed.height:
            right = "Save the file as CSV UTF-8" if ".csv" in file.lower() else "Write the file again with its text in UTF-8"
            what = f"{byte}; it looks like Latin-1 (Windows) text" if "byte" in place else byte
            raise InputError(what, file=file, row=needed["ROW"][0], key=name, right=right)
        cells = "1 value" if bad.height == 1 else f"{bad.height} values"
        message = f"{byte[0].upper()}{byte[1:]} ({cells} of {name}); it is shown as \ufffd. No rule reads it."
        found.append(
            findings_frame([finding("byte-undecoded", "note", message, file=file, row=bad["ROW"][0], domain=domain, variable=name)])
        )
    if len(found) == 1:
        return frame, found[0]
    return frame.with_columns(shown(pl.exclude("ROW"))), pl.concat(found)


def _require_columns(frame: pl.DataFrame, domain: str, file: str) -> None:
    known = DOMAINS.get(domain)
    if known:
        needed = [variable.name for variable in known.variables if variable.need in ("key", "must")]
    else:
        needed = [] if domain in UNKEYED else list(KEYED)
    missing = [name for name in needed if name not in frame.columns]
    if domain == "RS" and "RSTESTCD" in frame.columns and not frame.select(_relevant(frame, known).any()).item():
        # scales of performance (ECOG) have no evaluator; without an overall call no rule reads one
        missing = [name for name in missing if name != "RSEVAL"]
    if missing:
        key = f"{missing[0]}" if len(missing) == 1 else ", ".join(missing)
        raise InputError(
            f"the {'column is' if len(missing) == 1 else 'columns are'} missing",
            file=file,
            key=key,
            right=f"The first row names the variables; {domain} needs {', '.join(needed)}",
        )
    # a medication that was only asked for has no date, nor has a finding about it: their timing is permissible in SDTM
    if known and known.timing and domain not in ("CM", "FA") and not set(known.timing) & set(frame.columns):
        raise InputError(
            "there is neither a date nor a study day",
            file=file,
            key=" or ".join(known.timing),
            right=f"{domain} needs one of these columns",
        )


def _require_keys(frame: pl.DataFrame, domain: str, file: str) -> None:
    known = DOMAINS.get(domain)
    keys = [variable.name for variable in known.variables if variable.need == "key"] if known else [] if domain in UNKEYED else list(KEYED)
    for name in keys:
        blank = frame.filter(pl.col(name).is_null())
        if blank.height:
            raise InputError(
                "the key is blank", file=file, row=blank["ROW"][0], key=name, right="Each record has its keys " + ", ".join(keys)
            )
    if "DOMAIN" in frame.columns:
        other = frame.filter(pl.col("DOMAIN").str.to_uppercase() != domain)
        if other.height and domain in DOMAINS:
            said = other["DOMAIN"][0]
            raise InputError(
                f"the file holds {domain} but the record says {said}",
                file=file,
                row=other["ROW"][0],
                key="DOMAIN",
                right=f"It is {domain} in every row",
            )


def _relevant(frame: pl.DataFrame, known: Domain | None) -> pl.Expr:
    """Which records a rule reads."""
    if known is None or known.relevant is None:
        return pl.lit(known is not None)
    column, codes = known.relevant
    if column not in frame.columns:
        return pl.lit(True)
    term = canonical(pl.col(column), codes)
    return term.is_in(known.needed) if known.needed else term.is_not_null()


def _parsed(frame: pl.DataFrame, domain: str, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give dates and numbers their types. A dose of nothing as text (`0,0`, `none`) is 0: it was not given (rules, A6)."""
    doses = [name for name in frame.columns if name in (f"{domain}DOSE", f"{domain}DOSTOT")]
    frame = frame.with_columns(pl.when(is_nothing(pl.col(name))).then(pl.lit("0")).otherwise(pl.col(name)).alias(name) for name in doses)
    kinds = {name: kind_of(domain, name) for name in frame.columns if name != "ROW"}
    kinds = {name: kind for name, kind in kinds.items() if kind != "text"}
    good = {name: _good(pl.col(name), kind) for name, kind in kinds.items()}
    unparsed = {name: pl.col(name).is_not_null() & ~good[name].fill_null(False) for name in kinds}
    wrong = frame.select(expr.any().alias(name) for name, expr in unparsed.items())
    findings = [no_findings()]
    known = DOMAINS.get(domain)
    for name in wrong.columns:
        if not wrong[name].item():
            continue
        bad = frame.filter(unparsed[name])
        variable = known.variable(name) if known else None
        if variable and variable.need in ("key", "rule", "must"):
            needed = bad.filter(_relevant(bad, known))
            if needed.height:
                _refuse(needed, variable, kinds[name], file)
        findings.append(_unparsed(bad, domain, name, kinds[name], file))
    # plus zero: -0 is 0
    values = (
        (pl.when(good[name]).then(pl.col(name)).cast(pl.Float64) + 0.0).cast(DTYPES[kind]) for name, kind in kinds.items() if kind != "date"
    )
    dates = (pl.when(good[name]).then(pl.col(name)).alias(name) for name, kind in kinds.items() if kind == "date")
    return frame.with_columns(*values, *dates), pl.concat(findings)


def _good(text: pl.Expr, kind: str) -> pl.Expr:
    if kind == "date":
        return is_date(text)
    number = pl.when(text.str.contains(_TEXT_NUMBER)).then(text).cast(pl.Float64, strict=False)
    if kind == "number":
        return number.is_finite()
    return number.is_finite() & (number == number.round(0)) & (number.abs() < 2**53)


def _refuse(bad: pl.DataFrame, variable: Variable, kind: str, file: str) -> None:
    said = bad[variable.name][0]
    what = {"number": "is not a number", "integer": "is not a whole number", "date": "is not an ISO 8601 date"}[kind]
    right = _RIGHT[kind]
    if kind == "number" and "," in said:
        right = "The decimal sign is a point: " + said.replace(",", ".")
    elif kind == "number" and said.startswith(("<", ">")):
        right = "A value below a limit has the number blank, the limit in its own variable and the text in --STRESC"
    more = f" ({bad.height} such values)" if bad.height > 1 else ""
    raise InputError(f"'{said}' {what}{more}", file=file, row=bad["ROW"][0], key=variable.name, right=right)


def _unparsed(bad: pl.DataFrame, domain: str, name: str, kind: str, file: str) -> pl.DataFrame:
    rule = "date-invalid" if kind == "date" else "number-invalid"
    what = {"number": "is not a number", "integer": "is not a whole number", "date": "is not an ISO 8601 date"}[kind]
    subjects = bad["USUBJID"] if "USUBJID" in bad.columns else [None] * bad.height
    return findings_frame(
        finding(
            rule, "warning", f"'{said}' {what}; the value is not used.", file=file, row=row, domain=domain, usubjid=subject, variable=name
        )
        for row, subject, said in zip(bad["ROW"], subjects, bad[name], strict=True)
    )
