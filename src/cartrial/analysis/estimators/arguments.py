"""Can an estimate be made of these arguments? Every check of what an estimator is given, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.errors import InputError

__all__ = [
    "Codes",
    "check_cause",
    "check_column",
    "check_columns",
    "check_filled",
    "check_finite",
    "check_frame",
    "check_free",
    "check_level",
    "check_moments",
    "check_names",
    "check_null_rates",
    "check_shares",
    "check_states",
    "check_texts",
    "check_word",
    "read_amounts",
    "read_counts",
    "read_horizon",
    "read_numbers",
    "read_status",
    "read_times",
]

Codes = Literal["0/1", "ADaM"]
"""How a column of two states is coded: 0 event and 1 censored alone, or as ADaM, where every code above 0 is censored."""

_MOST_STATES = 1000


def check_frame(frame: object) -> None:
    """Refuse what is no polars frame, by its name."""
    if isinstance(frame, pl.DataFrame):
        return
    kind = f"{type(frame).__module__.partition('.')[0]} {type(frame).__name__}"
    right = {
        "pandas DataFrame": "Turn it into one of polars: polars.from_pandas(frame)",
        "polars LazyFrame": "Collect it: frame.collect()",
        "pyarrow Table": "Turn it into one of polars: polars.from_arrow(frame)",
    }.get(kind, "Give a polars.DataFrame with a row for each subject")
    raise InputError(f"the frame is a {kind}, no polars DataFrame", key="frame", right=right)


def check_names(names: object, key: str) -> tuple[str, ...]:
    """Return names of columns; one name alone is a list of one."""
    if isinstance(names, str):
        return (names,)
    found: tuple[str, ...] = tuple(names) if isinstance(names, Iterable) else (None,)  # type: ignore[assignment]
    if not all(isinstance(name, str) for name in found):
        raise InputError(f"{names!r} is no list of columns", key=key, right='Give names of columns, for example ["TRIAL"]')
    twice = [name for i, name in enumerate(found) if name in found[:i]]
    if twice:
        raise InputError(f"the column {twice[0]} is named twice", key=key, right="Name each column once")
    return found


def check_column(frame: pl.DataFrame, name: object, what: str) -> pl.Series:
    """Return a column of a frame."""
    check_frame(frame)
    if not isinstance(name, str) or name not in frame.columns:
        raise InputError(f"there is no column {name} {what}", right=f"Columns are: {', '.join(frame.columns)}")
    return frame[name]


def check_columns(frame: pl.DataFrame, *names: str) -> None:
    """Refuse a frame without some columns."""
    check_frame(frame)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InputError(f"there is no column {missing[0]}", right=f"Needed are: {', '.join(map(str, names))}")


def check_free(names: Iterable[str], taken: Iterable[str]) -> None:
    """Refuse group columns with the name of a column of the result."""
    both = [name for name in taken if name in set(names)]
    if both:
        raise InputError(f"a group column is named {both[0]}, as a column of the result", key="by", right="Rename the group column")


def check_filled(series: pl.Series, what: str, right: str) -> None:
    """Refuse a column with empty cells: null, blank text or not a number."""
    texts = series.unique() if series.dtype in (pl.Categorical, pl.Enum) else series
    blank = series.dtype in (pl.String, pl.Categorical, pl.Enum) and (texts.cast(pl.String).str.strip_chars() == "").any()
    if series.null_count() or blank or (series.dtype.is_float() and series.is_nan().any()):
        raise InputError(what, key=series.name, right=right)


def check_texts(**values: object) -> None:
    """Refuse names that are no text."""
    for key, value in values.items():
        if not isinstance(value, str):
            raise InputError(f"{value!r} is no name", key=key, right="Give text")


def check_word(value: object, known: Sequence[str], key: str, what: str) -> None:
    """Refuse an unknown word."""
    if not isinstance(value, str) or value not in known:
        raise InputError(f"the {what} {value!r} is unknown", key=key, right=f"Known are: {', '.join(known)}")


def _number(value: object) -> float:
    """Return a number, or not a number for whatever is none."""
    if isinstance(value, bool | np.bool_ | str | bytes):
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def check_level(conf_level: object) -> float:
    """Return a confidence level strictly between 0 and 1."""
    number = _number(conf_level) if isinstance(conf_level, Real) else float("nan")
    if not 0 < number < 1:
        raise InputError(f"the confidence level {conf_level!r} is not between 0 and 1", key="conf_level", right="For example 0.95")
    return number


def check_finite(value: object, key: str) -> float:
    """Return a finite number."""
    number = _number(value)
    if not np.isfinite(number):
        raise InputError(f"{value!r} is no finite number", key=key, right="For example 0")
    return number


def check_power(value: object, key: str) -> float:
    """Return the power of a weight; beyond 10 in size weights overflow and test the first or the last event alone."""
    number = check_finite(value, key)
    if abs(number) > 10:
        raise InputError(f"{value!r} is no power of a weight", key=key, right="Give a number from -10 to 10; 0 weighs all events alike")
    return number


def read_numbers(values: object, key: str, right: str) -> NDArray[np.float64]:
    """Return numbers, of any shape; not a number where there is none. Text, flags and ragged lists are refused."""
    try:
        found = np.asarray(values)
        if found.dtype == object:
            found = np.array([np.nan if value is None else value for value in found.ravel()]).reshape(found.shape)
    except (TypeError, ValueError):
        found = np.array("")
    if found.dtype.kind not in "iuf":
        raise InputError(f"{_short(values)} are not numbers", key=key, right=right)
    return found.astype(np.float64)


def _short(values: object) -> str:
    text = repr(values)
    return text if len(text) <= 60 else text[:57] + "..."


def check_shares(quantiles: object) -> tuple[float, ...]:
    """Return shares strictly between 0 and 1, each once."""
    right = "Shares of subjects with the event, for example 0.5 for the median"
    found = read_numbers(quantiles, "quantiles", right).ravel().tolist()
    wrong = [share for share in found if not 0 < share < 1]
    if wrong:
        raise InputError(f"the quantile {wrong[0]:g} is not between 0 and 1", key="quantiles", right=right)
    names = [f"{100 * share:g}" for share in found]
    if len(set(names)) < len(names):
        raise InputError("a quantile is named twice", key="quantiles", right="Name each quantile once")
    return tuple(found)


def check_moments(values: object, key: str) -> NDArray[np.float64]:
    """Return finite times from 0 on."""
    right = "Finite times in the unit of the data, 0 or later"
    found = read_numbers(values, key, right)
    wrong = found[~(np.isfinite(found) & (found >= 0))]
    if len(wrong):
        raise InputError(f"the time {wrong[0]:g} is not finite or is before 0", key=key, right=right)
    return found


def read_horizon(until: object, groups: int) -> NDArray[np.float64]:
    """Return one finite horizon for each group."""
    found = check_moments(until, "until")
    if found.ndim > 1 or (found.ndim == 1 and len(found) not in (1, groups)):
        raise InputError(f"there are {found.size} horizons and {groups} groups", key="until", right="Give one, or one for each group")
    return np.broadcast_to(found, (groups,)).copy()


def check_states(states: object) -> int:
    """Return a number of codes: event, censored and competing events."""
    if not isinstance(states, Integral) or isinstance(states, bool) or not 2 <= int(states) <= _MOST_STATES:
        raise InputError(f"{states!r} is no number of codes", key="states", right="3 for an event, censoring and one competing event")
    return int(states)


def check_cause(cause: object, states: int) -> int:
    """Return the code of an event: any but 1, which is censoring."""
    known = [code for code in range(states) if code != 1]
    if not isinstance(cause, Integral) or isinstance(cause, bool) or int(cause) not in known:
        what = "the code 1 is censoring, no event" if isinstance(cause, Integral) and cause == 1 else f"the cause {cause!r} is unknown"
        raise InputError(what, key="cause", right=f"Codes of events are {_listed(known)}")
    return int(cause)


def _listed(codes: Sequence[int]) -> str:
    return ", ".join(map(str, codes)) if len(codes) < 10 else f"{codes[0]} to {codes[-1]}"


def read_times(frame: pl.DataFrame, name: str) -> np.ndarray:
    """Return a column of times as numbers from 0 on; refuse empty, infinite and negative ones."""
    series = check_column(frame, name, "of times")
    if series.dtype == pl.Null and series.is_empty():
        return np.zeros(0)
    if not series.dtype.is_numeric():
        raise InputError("the times are not numbers", key=name, right="Times are days, as integers or decimals")
    if series.null_count():
        raise InputError("a time is missing", key=name, right="Leave out subjects without a time before the estimate, and count them")
    values = series.to_numpy() if series.dtype.is_integer() and series.dtype != pl.Int128 else series.cast(pl.Float64).to_numpy()
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError("a time is not a finite number", key=name, right="Times are finite")
    if len(values) and values.min() < 0:
        raise InputError(f"a time is negative: {values.min():g}", key=name, right="Times count from the origin: 0 or later")
    return values


def read_status(frame: pl.DataFrame, name: str, states: int, codes: Codes = "0/1") -> NDArray[np.int64]:
    """Return a column of codes 0 to `states` - 1, as integers or as whole decimals (0.0, 1.0); refuse anything else.

    With `codes` ADaM every code above 0 becomes 1.
    """
    series = check_column(frame, name, "of codes")
    check_word(codes, ("0/1", "ADaM"), "codes", "coding")
    right = f"Codes are {_listed(range(states))}"
    if states == 2:
        right = "Codes are 0 (event) and 1 (censored)"
    if series.dtype == pl.Null and series.is_empty():
        return np.zeros(0, np.int64)
    if series.dtype == pl.Boolean:
        raise InputError("the codes are flags, of which nobody knows whether true is the event", key=name, right=right)
    if not series.dtype.is_numeric() or series.null_count():
        raise InputError("a code is missing or no integer", key=name, right=right)
    values = series.to_numpy() if series.dtype.is_integer() and series.dtype != pl.Int128 else series.cast(pl.Float64).to_numpy()
    if values.dtype.kind == "f" and not (np.isfinite(values) & (values == np.floor(values))).all():
        raise InputError("a code is missing or no integer", key=name, right=right)
    top = np.inf if states == 2 and codes == "ADaM" else states - 1
    wrong = values[(values < 0) | (values > top)]
    if len(wrong):
        if states == 2 and wrong[0] > 0:
            right += '. In ADaM every CNSR above 0 means censored: say codes="ADaM" to read them so'
        raise InputError(f"the code {wrong[0]:g} is unknown", key=name, right=right)
    return np.asarray(np.minimum(values, states - 1), np.int64)


def read_counts(x: object, n: object) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return numbers of responders and of subjects, of one shape: whole numbers with 0 <= x <= n."""
    right = "Whole numbers with 0 <= x <= n"
    found = []
    for values, key in ((x, "x"), (n, "n")):
        counts = read_numbers(values, key, right)
        wrong = counts[~(np.isfinite(counts) & (counts == np.floor(counts)) & (counts >= 0) & (counts < 2**53))]
        if len(wrong):
            raise InputError(f"{wrong[0]:g} is no count", key=key, right=right)
        found.append(counts.astype(np.int64))
    try:
        some, all_ = np.broadcast_arrays(*found)
    except ValueError:
        raise InputError(f"there are {found[0].size} numbers of responders and {found[1].size} of subjects", right=right) from None
    if (some > all_).any():
        row = np.flatnonzero((some > all_).ravel())[0]
        raise InputError(
            f"a number of responders, {some.ravel()[row]}, is above the number of subjects, {all_.ravel()[row]}", key="x", right=right
        )
    return some, all_


def check_null_rates(null: object) -> NDArray[np.float64]:
    """Return null rates from 0 to 1."""
    found = read_numbers(null, "null", "For example 0.30")
    if not ((found >= 0) & (found <= 1)).all():
        raise InputError("a null rate is not between 0 and 1", key="null", right="For example 0.30")
    return found


def read_amounts(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column of amounts as decimals from 0 on; null is not known."""
    series = check_column(frame, name, "of measurements")
    right = "Finite numbers, 0 or above; empty where a value is not known"
    if not (series.dtype.is_numeric() or series.dtype == pl.Null):
        raise InputError("the measurements are not numbers", key=name, right=right)
    values = series.cast(pl.Float64)
    if values.is_nan().any() or values.is_infinite().any():
        raise InputError("a measurement is not a finite number", key=name, right=right)
    if (values < 0).any():
        raise InputError("a measurement is negative", key=name, right=right)
    return values
