"""What is a row of the results? Its columns, how it is built, checked, written, read and hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import polars as pl

from cartrial.analysis.estimators.arguments import check_frame
from cartrial.analysis.wording import text_of
from cartrial.coded import CODED, codes_as_text, row_order
from cartrial.errors import InputError
from cartrial.study.study import RULES

__all__ = [
    "ANALYSES",
    "ARS",
    "FITTED",
    "FURTHER",
    "KEY",
    "SCHEMA",
    "are_printed",
    "build_rows",
    "check_results",
    "coded_rows",
    "join_rows",
    "read_results",
    "results_hash",
    "said",
    "sort_results",
    "write_results",
]

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "study": pl.String,
    "trial": pl.Int32,
    "provenance": pl.String,
    "analysis": pl.String,
    "endpoint": pl.String,
    "variant": pl.String,
    "population": pl.String,
    "reader": pl.String,
    "window": pl.String,
    "strategies": pl.String,
    "by": pl.String,
    "level": pl.String,
    "time": pl.Float64,
    "unit": pl.String,
    "method": pl.String,
    "conf_level": pl.Float64,
    "statistic": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "rules": pl.Int32,
}
"""Columns of the results, in their order. Key columns that do not apply are blank (text) or null (`time`, `conf_level`).
`rules` is the version of the rules that the values were derived by; null in results of before version 2."""

KEY = tuple(name for name in SCHEMA if name not in ("value", "text", "rules"))
"""The columns that make a row unique."""

_OF_THE_STUDY = ("study", "provenance", "rules")
_BY_STATISTIC = ("unit", "conf_level", "statistic", "value", "text")

ANALYSES = ("flow", "baseline", "response", "concordance", "survival", "incidence", "kinetics", "safety", "conduct")
"""What `analyse` makes."""

FURTHER = ("treatment", "serious", "shift", "recovery", "censoring")
"""What `cartrial.analysis.further` makes: rows of numbered displays that no page of a report shows."""

FITTED = ("cell-model",)
"""What is fitted apart, where a study file asks for it: `cartrial.analysis.tables.cells`."""

ARS: tuple[tuple[str, str, str], ...] = (
    ("study, trial", "ReportingEvent.id", "one reporting event for each study and trial"),
    ("provenance", "ReportingEvent.label", "real, virtual or example"),
    ("analysis", "Analysis.categoryIds", "the category of the analysis"),
    ("endpoint", "Analysis.variable", "PARAMCD of ADRS or ADTTE, or the term"),
    ("variant", "Analysis.id", "with the endpoint: which analysis of it; blank: the main one"),
    ("population", "AnalysisSet.label", "the analysis set"),
    ("reader, window, strategies", "DataSubset.label", "which records the analysis uses"),
    ("by", "GroupingFactor.groupingVariable", "the subgroup or the axes of a table"),
    ("level", "ResultGroup.groupValue", "the level of it"),
    ("time", "ResultGroup.groupValue", "the time at which a curve is read"),
    ("method, conf_level", "AnalysisMethod.label", "the method with its confidence level"),
    ("statistic", "Operation.name", "what is estimated"),
    ("unit", "Operation.resultPattern", "the unit of the value"),
    ("value", "OperationResult.rawValue", "the value; null when not estimable"),
    ("text", "OperationResult.formattedValue", "the value as the report prints it"),
    ("rules", "ReportingEvent.version", "the version of the rules"),
)
"""Columns of the results against the CDISC Analysis Results Standard 1.0: our column, the class and attribute, in words."""


_TEXTS: ContextVar[bool] = ContextVar("texts", default=True)


@contextmanager
def coded_rows(coded: bool = True) -> Iterator[None]:
    """Let rows that are built here carry their keys as codes, and print no value."""
    token = _TEXTS.set(not coded)
    try:
        yield
    finally:
        _TEXTS.reset(token)


def are_printed() -> bool:
    """Whether rows that are built here are text, with their values printed."""
    return _TEXTS.get()


def said(words: str) -> pl.Expr:
    """Return words as the column `text` of rows that are built here has them."""
    return pl.lit(words).cast(_type_of("text")).alias("text")


def _type_of(column: str) -> pl.DataType | type[pl.DataType]:
    kind = SCHEMA[column]
    return CODED if kind == pl.String and not are_printed() else kind


def build_rows(wide: pl.DataFrame, statistics: Mapping[str, str] | Sequence[str], **labels: str | float | None) -> pl.DataFrame:
    """Turn a wide frame, one column a statistic, into rows of results.

    Parameters
    ----------
    wide : polars.DataFrame
        Key columns of the results under their names (any of them; `trial` at least) and one column for each statistic.
    statistics : mapping of str to str, or sequence of str
        The statistics, with the unit of each; without units: blank.
    **labels : str or float
        Key columns that are the same in every row. `conf_level` is set on limits alone, and `unit` comes from `statistics`.

    Returns
    -------
    polars.DataFrame
        Columns of `SCHEMA` without `study`, `provenance` and `rules`, which `join_rows` adds; within `coded_rows` texts are codes.
    """
    units = dict(statistics) if isinstance(statistics, Mapping) else dict.fromkeys(statistics, "")
    if not units:
        return pl.DataFrame()
    # one plan for all statistics: what they share, and the value and the text of each
    asked = [pl.col(name).cast(pl.Float64).fill_nan(None).alias(f"value of {name}") for name in units]
    if are_printed():
        asked += [text_of(name, unit).cast(pl.String).alias(f"text of {name}") for name, unit in units.items()]
    told = {series.name: series for series in wide.select(asked).get_columns()}
    shared = {column: _label(column, wide, labels) for column in SCHEMA if column not in (*_OF_THE_STUDY, *_BY_STATISTIC)}
    if "*" in units.values() and "unit" in wide.columns:
        shared["unit"] = wide["unit"].cast(_type_of("unit"))
    unprinted = _repeated("text", None, wide.height)
    frames = []
    for name, unit in units.items():
        level = labels.get("conf_level") if name.endswith(("lower", "upper")) else None
        own = {
            "unit": shared["unit"] if unit == "*" and "unit" in shared else _repeated("unit", unit, wide.height),
            "conf_level": _repeated("conf_level", level, wide.height),
            "statistic": _repeated("statistic", name, wide.height),
            "value": told[f"value of {name}"].alias("value"),
            "text": told.get(f"text of {name}", unprinted).alias("text"),
        }
        frames.append(pl.DataFrame([own[column] if column in own else shared[column] for column in SCHEMA if column not in _OF_THE_STUDY]))
    return pl.concat(frames, rechunk=False)


def _label(column: str, wide: pl.DataFrame, labels: Mapping[str, str | float | None]) -> pl.Series:
    """Return a key column that is the same for every statistic: as labelled, else of the wide frame, else blank."""
    if column in labels or column not in wide.columns:
        return _repeated(column, labels.get(column, None if column == "time" else ""), wide.height)
    return wide[column].cast(_type_of(column))


def _repeated(column: str, value: str | float | None, rows: int) -> pl.Series:
    return pl.Series(column, [value], dtype=_type_of(column)).new_from_index(0, rows)


def join_rows(frames: Sequence[pl.DataFrame], *, study: str, provenance: str, rules: int = RULES) -> pl.DataFrame:
    """Join frames of rows into the results of a study, columns as `SCHEMA`; within `coded_rows` texts are codes."""
    filled = [frame for frame in frames if frame.height]
    if not filled:
        return pl.DataFrame(schema={name: _type_of(name) for name in SCHEMA})
    joined = pl.concat(filled, rechunk=False)
    return joined.select(
        pl.lit(study).cast(_type_of("study")).alias("study"),
        "trial",
        pl.lit(provenance).cast(_type_of("provenance")).alias("provenance"),
        *(name for name in SCHEMA if name not in ("trial", *_OF_THE_STUDY)),
        pl.lit(rules, dtype=pl.Int32).alias("rules"),
    )


def check_results(results: pl.DataFrame, *, file: str | None = None) -> None:
    """Refuse results whose columns are not those of `SCHEMA`, or whose keys are blank or not unique.

    Raises
    ------
    InputError

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import KEY, SCHEMA, check_results
    >>> row = dict.fromkeys(KEY, "") | {"trial": 1, "time": None, "conf_level": None}
    >>> row |= {"analysis": "flow", "statistic": "n"}
    >>> results = pl.DataFrame([row | {"value": 39.0, "text": "39"}], schema=SCHEMA)
    >>> check_results(results)
    >>> check_results(pl.concat([results, results]))
    Traceback (most recent call last):
        ...
    cartrial.errors.InputError: trial 1, analysis flow, statistic n: two rows of the results have one key. Keys are unique.
    """
    _check_columns(results, file)
    extra = [name for name in results.columns if name not in SCHEMA]
    if extra or results.columns != list(SCHEMA):
        raise _misfit(extra, file)
    empty = [name for name in KEY if name not in ("time", "conf_level") and results[name].null_count()]
    if empty:
        raise InputError("a key column of the results holds null", file=file, key=empty[0], right="Key columns that do not apply are blank")
    known = (*ANALYSES, *FITTED, *FURTHER)
    unknown = set(results["analysis"].unique().to_list()) - set(known)
    if unknown:
        raise InputError(f"the analysis '{min(unknown)}' is unknown", file=file, key="analysis", right=f"Known are: {', '.join(known)}")
    twice = results.select(KEY).is_duplicated()
    if twice.any():
        first = results.select(KEY).filter(twice).sort(KEY).row(0, named=True)
        words = ", ".join(f"{name} {value}" for name, value in first.items() if value not in ("", None))
        raise InputError("two rows of the results have one key", file=file, key=words, right="Keys are unique")


def _check_columns(results: pl.DataFrame, file: str | None = None) -> None:
    """Refuse what lacks a column of the results, or has it of another type."""
    check_frame(results)
    coded = {name: CODED for name, kind in SCHEMA.items() if kind == pl.String}
    wrong = [name for name in SCHEMA if results.schema.get(name) not in (SCHEMA[name], coded.get(name, SCHEMA[name]))]
    if wrong:
        raise _misfit(wrong + [name for name in results.columns if name not in SCHEMA], file)


def _misfit(wrong: list[str], file: str | None) -> InputError:
    what = f"the columns of the results are not as they should be: {', '.join(wrong) or 'their order'}"
    return InputError(what, file=file, right=f"Columns are: {', '.join(SCHEMA)}")


def sort_results(results: pl.DataFrame) -> pl.DataFrame:
    """Sort rows by key, texts or codes of them, and round values to 12 significant digits: results that are equal become equal frames.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import KEY, SCHEMA, sort_results
    >>> row = dict.fromkeys(KEY, "") | {"trial": 1, "time": None, "conf_level": None}
    >>> row |= {"analysis": "flow", "statistic": "n"}
    >>> released = row | {"endpoint": "released", "value": 0.1 + 0.2, "text": ""}
    >>> infused = row | {"endpoint": "infused", "value": 3.0, "text": "3"}
    >>> results = pl.DataFrame([released, infused], schema=SCHEMA)
    >>> sort_results(results).select("endpoint", "value").rows()
    [('infused', 3.0), ('released', 0.3)]
    """
    _check_columns(results)
    return results.with_columns(_rounded())[row_order(results, KEY)]


def _rounded() -> pl.Expr:
    return (pl.col("value").round_sig_figs(12) + 0.0).alias("value")


def results_hash(results: pl.DataFrame) -> str:
    """SHA-256 of the rows, whatever their order: values to 12 significant digits, key and text as they are.

    Parameters
    ----------
    results : polars.DataFrame
        Columns as `SCHEMA`.

    Returns
    -------
    str
        Hexadecimal.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis import KEY, SCHEMA, results_hash
    >>> row = dict.fromkeys(KEY, "") | {"trial": 1, "time": None, "conf_level": None}
    >>> row |= {"analysis": "flow", "statistic": "n"}
    >>> released = row | {"endpoint": "released", "value": 4.0, "text": "4"}
    >>> infused = row | {"endpoint": "infused", "value": 3.0, "text": "3"}
    >>> results = pl.DataFrame([released, infused], schema=SCHEMA)
    >>> results_hash(results) == results_hash(results.reverse()), len(results_hash(results))
    (True, 64)
    """
    _check_columns(results)
    numbers = [name for name, dtype in SCHEMA.items() if dtype == pl.Float64]
    rounded = results.select((pl.col(name).round_sig_figs(12) + 0.0).alias(name) if name in numbers else pl.col(name) for name in SCHEMA)
    line = pl.concat_str([pl.col(name).cast(pl.String).fill_null("\x00") for name in SCHEMA], separator="\x1f")
    lines = rounded.select(line.alias("line"))["line"].sort()
    digest = hashlib.sha256()
    for start in range(0, len(lines), 1 << 16):
        digest.update(("\n".join(lines[start : start + (1 << 16)].to_list()) + "\n").encode())
    return digest.hexdigest()


def write_results(results: pl.DataFrame, path: str | Path) -> None:
    """Write results, sorted by key and rounded to 12 significant digits, as JSON (a flat list of rows) or Parquet, by the file's ending.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial.analysis import KEY, SCHEMA, read_results, write_results
    >>> row = dict.fromkeys(KEY, "") | {"trial": 1, "time": None, "conf_level": None}
    >>> row |= {"analysis": "flow", "statistic": "n"}
    >>> results = pl.DataFrame([row | {"value": 39.0, "text": "39"}], schema=SCHEMA)
    >>> with TemporaryDirectory() as folder:
    ...     write_results(results, Path(folder, "results.json"))
    ...     again = read_results(Path(folder, "results.json"))
    >>> again.equals(results)
    True
    """
    path = Path(path)
    ordered = codes_as_text(sort_results(results))
    if path.suffix == ".parquet":
        ordered.write_parquet(path)
    elif path.suffix == ".json":
        lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for row in ordered.iter_rows(named=True))
        path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    else:
        raise InputError("results are written as JSON or Parquet", file=path.name, right="Give a file that ends in .json or .parquet")


def read_results(path: str | Path) -> pl.DataFrame:
    """Read results as `write_results` writes them, and check them.

    Raises
    ------
    InputError
        If the file cannot be read or its rows are not results.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import polars as pl
    >>> from cartrial.analysis import KEY, SCHEMA, read_results, write_results
    >>> row = dict.fromkeys(KEY, "") | {"trial": 1, "time": None, "conf_level": None}
    >>> row |= {"analysis": "flow", "statistic": "n"}
    >>> results = pl.DataFrame([row | {"value": 39.0, "text": "39"}], schema=SCHEMA)
    >>> with TemporaryDirectory() as folder:
    ...     write_results(results, Path(folder, "results.json"))
    ...     again = read_results(Path(folder, "results.json"))
    >>> again.equals(results)
    True
    """
    path = Path(path)
    try:
        if path.suffix == ".parquet":
            results = pl.read_parquet(path)
            if "rules" not in results.columns:  # of before version 2
                results = results.with_columns(pl.lit(None, dtype=pl.Int32).alias("rules"))
        else:
            found = json.loads(path.read_text(encoding="utf-8"))
            extra = sorted({name for row in found for name in row} - set(SCHEMA))
            if extra:
                raise InputError(f"there is no column {extra[0]} in results", file=path.name, right=f"Columns are: {', '.join(SCHEMA)}")
            results = pl.DataFrame(found, schema=SCHEMA, orient="row")
    except InputError:
        raise
    except (OSError, ValueError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        raise InputError(
            "the results cannot be read", file=path.name, right="A file that cartrial wrote: results.json or results.parquet"
        ) from error
    check_results(results, file=path.name)
    return results
