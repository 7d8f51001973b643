"""Does the command line give every value of the truth tables, which were worked out by hand from the rules?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from cartrial.kernels import cache_folder
from cartrial.qualify.checks import Check, not_run, said
from cartrial.qualify.installation import lacking_for
from cartrial.qualify.operation.typed import PART, type_commands

__all__ = ["are_kept", "check_compiled", "check_truth"]

GROUP = "every value of the truth tables, by hand"
COMPILED = ("worked", "worked-lymphoma")
"""Studies that run every kernel of a response and an endpoint between them."""


def are_kept() -> bool:
    """Whether compiled kernels of endpoints are kept on this machine: where there are none, none is stale."""
    return any(cache_folder().rglob("rate_kernel.*.nbc"))


def check_compiled(folder: Path, *, asked: bool = True) -> Iterator[Check]:
    """The same by compiled kernels, which thousands of subjects run, from the cache of the user: a stale one is found here."""
    lacking = lacking_for(("fast",)) or ("" if asked else "none is kept here yet, and compiling takes a minute: asked for with --thorough")
    if lacking:
        for name in COMPILED:
            yield not_run(PART, f"{GROUP}, by compiled kernels", name, lacking)
        return
    for check in check_truth(folder, COMPILED, compiled=True):
        yield check._replace(group=f"{check.group}, by compiled kernels")


def check_truth(folder: Path, names: Sequence[str], *, compiled: bool = False) -> Iterator[Check]:
    """Each expected value of studies that were worked out by hand, beside what the command line derives of one after the other."""
    outs = [folder / f"{'compiled' if compiled else 'derived'}-{name}" for name in names]
    lines = [("derive", f"truth/{name}", "--data", f"truth/{name}/data", "--out", out.name) for name, out in zip(names, outs, strict=True)]
    for name, out, (code, output) in zip(names, outs, type_commands(folder, lines, compiled=compiled), strict=True):
        if code == 0:
            yield from _values(folder, name, out)
        else:
            yield said(PART, GROUP, f"{name}: cartrial derive", 0, f"{code}: {output.strip()[-300:]}", "by hand")


def _values(folder: Path, name: str, out: Path) -> Iterator[Check]:
    expected = pl.read_csv(folder / "truth" / name / "expected.csv", infer_schema=False).fill_null("")
    found = _derived(out / "adam")
    keys = ["USUBJID", "PARAMCD", "VARIANT"]
    joined = expected.join(found, on=keys, how="left", suffix="_FOUND", maintain_order="left")
    for row in joined.iter_rows(named=True):
        what = f"{name}: {row['USUBJID']}, {row['PARAMCD']}, {row['VARIANT'] or 'main analysis'}"
        if row["AVALC"] == "ABSENT":
            yield said(PART, GROUP, what, "no row", "no row" if row["AVAL_FOUND"] is None else "a row", "by hand, from the rules")
            continue
        told = [key for key in ("AVAL", "AVALC", "CNSR", "DESC") if key != "DESC" or row["DESC"]]
        right = "; ".join(f"{key} {row[key] or 'blank'}" for key in told)
        got = "; ".join(f"{key} {row[f'{key}_FOUND'] or 'blank'}" for key in told) if row["AVAL_FOUND"] is not None else "no row"
        yield said(PART, GROUP, what, right, got, "by hand, from the rules")
    if (folder / "truth" / name / "expected_status.csv").is_file():
        yield from _statuses(folder / "truth" / name / "expected_status.csv", out / "adam", name)


def _statuses(expected: Path, adam: Path, name: str) -> Iterator[Check]:
    """Each expected status of a reader on a day, with its residual disease where that is stated."""
    found = pl.read_parquet(adam / "ADRESP.parquet").select(
        "USUBJID", "READER", pl.col("CARDAY").cast(pl.String), "AVALC", pl.col("MRD").fill_null("")
    )
    table = pl.read_csv(expected, infer_schema=False).fill_null("")
    joined = table.join(found, on=["USUBJID", "READER", "CARDAY"], how="left", suffix="_FOUND", maintain_order="left")
    for row in joined.iter_rows(named=True):
        what = f"{name}: {row['USUBJID']}, {row['READER']}, day {row['CARDAY']}"
        absent = row["AVALC"] == "ABSENT"
        right = "no row" if absent else " ".join((row["AVALC"], row["MRD"])).strip()
        status = row["AVALC_FOUND"] or "no row"
        got = status if absent or not row["MRD"] else f"{status} {row['MRD_FOUND']}".strip()
        yield said(PART, "every status of the truth tables, by hand", what, right, got, "by hand, from the rules")


def _derived(adam: Path) -> pl.DataFrame:
    """Return values, reasons and kinds of end as the truth tables have them."""
    from cartrial.endpoints import kind_of_end

    keys = ("USUBJID", "PARAMCD", "VARIANT")
    value, none = pl.col("AVAL").cast(pl.Int64).cast(pl.String).fill_null(""), pl.lit("")
    rates = pl.read_parquet(adam / "ADRS.parquet").select(
        *keys, value, pl.col("AVALC").fill_null(""), none.alias("CNSR"), none.alias("DESC")
    )
    times = pl.read_parquet(adam / "ADTTE.parquet").select(
        *keys,
        value,
        none.alias("AVALC"),
        kind_of_end().cast(pl.String).fill_null("").alias("CNSR"),
        pl.coalesce("EVNTDESC", "CNSDTDSC").fill_null("").alias("DESC"),
    )
    return pl.concat([rates, times])
