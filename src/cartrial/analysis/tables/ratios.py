"""How many times as high do the cells of responders rise? The ratio of two geometric means, for many groups at once."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cartrial.analysis.results import build_rows

__all__ = ["estimate_ratio", "ratio_rows"]

METHOD = "ratio of geometric means, Welch's t interval of the logarithms"


def estimate_ratio(frame: pl.DataFrame, by: Sequence[str], *, value: str, group: str, conf_level: float = 0.95) -> pl.DataFrame:
    """Compare the geometric means of two groups of subjects.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a subject: `by`, the value and the group (Y or N; others are left out). Values that are null or not above 0 have no
        logarithm, and are left out.
    by : sequence of str
        Columns within which Y and N are compared.
    value, group : str
    conf_level : float

    Returns
    -------
    polars.DataFrame
        One row for each of `by`, sorted: n_Y and n_N (values used), geometric_mean_ratio (Y over N), its _lower and _upper. Null where a
        group has fewer than two values, or none of both varies.

    Notes
    -----
    The limits are those of the difference of the mean logarithms by Welch's t with Satterthwaite's degrees of freedom, transformed back:
    R `exp(t.test(log(y), log(n))$conf.int)`.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial.analysis.tables.ratios import estimate_ratio
    >>> frame = pl.DataFrame({"G": ["Y", "Y", "N", "N"], "V": [10.0, 1000.0, 1.0, 100.0], "T": 1})
    >>> estimate_ratio(frame, ["T"], value="V", group="G").select(pl.col("geometric_mean_ratio").round(6)).item()
    10.0
    """
    from scipy.special import stdtrit

    logs = pl.col(value).cast(pl.Float64)
    used = frame.filter((logs > 0).fill_null(False) & pl.col(group).is_in(["Y", "N"])).with_columns(logs.log().alias("__LOG"))
    parts = [
        pl.col("__LOG").filter(pl.col(group) == name).pipe(make).alias(f"{word}_{name}")
        for name in ("Y", "N")
        for word, make in (
            ("n", lambda column: column.count().cast(pl.Int64)),
            ("mean", lambda column: column.mean()),
            ("part", lambda column: column.var() / column.count()),
        )
    ]
    found = frame.select(by).unique().join(used.group_by(by).agg(parts), on=list(by), how="left").sort(by)
    found = found.with_columns(pl.col("n_Y", "n_N").fill_null(0))
    error = pl.col("part_Y") + pl.col("part_N")
    degrees = error**2 / (pl.col("part_Y") ** 2 / (pl.col("n_Y") - 1) + pl.col("part_N") ** 2 / (pl.col("n_N") - 1))
    known = (pl.col("n_Y") > 1) & (pl.col("n_N") > 1) & (error > 0)
    found = found.with_columns(
        *(pl.when(known).then(part).alias(name) for name, part in (("__D", degrees), ("__E", error.sqrt()))),
        pl.when(known).then(pl.col("mean_Y") - pl.col("mean_N")).alias("__M"),
    )
    t = pl.Series(stdtrit(found["__D"].cast(pl.Float64).to_numpy(), 0.5 + conf_level / 2), dtype=pl.Float64).fill_nan(None)
    half = pl.col("__E") * pl.lit(t)
    return found.select(
        *by,
        "n_Y",
        "n_N",
        pl.col("__M").exp().alias("geometric_mean_ratio"),
        (pl.col("__M") - half).exp().alias("geometric_mean_ratio_lower"),
        (pl.col("__M") + half).exp().alias("geometric_mean_ratio_upper"),
    )


def ratio_rows(amounts: pl.DataFrame, conf_level: float) -> list[pl.DataFrame]:
    """Rows on the ratio of responders to non-responders.

    Parameters
    ----------
    amounts : polars.DataFrame
        Of subjects with a sample: trial, endpoint (CMAX and areas), variant, level (Y, N: response), AVAL, over (whether AVAL is only the
        least that it can be: such a value is in no mean).
    conf_level : float

    Returns
    -------
    list of polars.DataFrame
        `by` ratio: n at `level` Y and N (values used), and at `level` Y/N geometric_mean_ratio with its limits.
    """
    if amounts.is_empty():
        return []
    keys = ["trial", "endpoint", "variant"]
    exact = amounts.with_columns(pl.when(~pl.col("over")).then(pl.col("AVAL")).alias("AVAL"))
    found = estimate_ratio(exact, keys, value="AVAL", group="level", conf_level=conf_level)
    labels = {"analysis": "kinetics", "population": "infused", "by": "ratio"}
    names = [f"geometric_mean_ratio{end}" for end in ("", "_lower", "_upper")]
    sizes = [build_rows(found.with_columns(n=pl.col(f"n_{name}")), ("n",), level=name, **labels) for name in ("Y", "N")]
    return [*sizes, build_rows(found, names, level="Y/N", method=METHOD, conf_level=conf_level, **labels)]
