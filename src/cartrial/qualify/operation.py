"""Do the commands do what they say: on shipped studies, on every format, on input that is spoilt?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cartrial.qualify.checks import Check, not_run, said
from cartrial.qualify.stored import unpack_truth

__all__ = ["check_operation"]

PART = "operation"
RUNS = "commands on a shipped study"
BAD = "input that is spoilt is refused"
TRUTH = "every value of the truth tables, by hand"
# seconds: a command that takes longer has failed
LONGEST = 170


def check_operation(folder: Path) -> Iterator[Check]:
    """Yield a check for each command, format and refusal; each command is typed as a user types it, in a process of its own.

    Parameters
    ----------
    folder : Path
        An empty folder to work in.
    """
    studies = unpack_truth(folder / "truth")
    yield from _commands(folder)
    yield from _formats(folder)
    yield from _refusals(folder)
    for name in studies:
        yield from _truth(folder, name)


def _typed(folder: Path, *words: str) -> tuple[int, str]:
    """Return exit code and output of a command."""
    held = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200", "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cartrial", *words],
            cwd=folder,
            env=held,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, f"it ran longer than {LONGEST} s"
    return done.returncode, done.stdout + done.stderr


def _commands(folder: Path) -> Iterator[Check]:
    study, data = "truth/strategies", "truth/strategies/data"
    typed: tuple[tuple[tuple[str, ...], int, tuple[str, ...]], ...] = (
        (("--version",), 0, ()),
        (("studies",), 0, ()),
        (("schema", "--to", "study.schema.json"), 0, ("study.schema.json",)),
        (("new", "fresh", "--from", "inaticel"), 0, ("fresh/study.yaml", "fresh/templates")),
        (("check", study, "--data", data), 0, ()),
        (("derive", study, "--data", data, "--out", "derived"), 0, ("derived/adam/ADSL.parquet", "derived/adam/ADTTE.parquet")),
        (("report", study, "--data", data, "--out", "report"), 0, ("report/report.html", "report/results.json", "report/results.parquet")),
        (("shells", "inaticel", "--out", "shells.html"), 0, ()),
        (("design", "inaticel", "--no-simulation"), 0, ()),
        (("export", study, "--data", data, "--out", "left", "--only", "ard"), 0, ("left/exchange/ard.csv",)),
    )
    for words, code, files in typed:
        found, output = _typed(folder, *words)
        line = "cartrial " + " ".join(words)
        last = output.strip().splitlines()[-1:] or [""]
        yield said(PART, RUNS, f"{line}: exit code", code, found if found == code else f"{found}: {last[0]}", "the command's documentation")
        for file in files:
            yield said(
                PART, RUNS, f"{line}: {file}", "written", "written" if (folder / file).exists() else "absent", "the command's documentation"
            )


def _formats(folder: Path) -> Iterator[Check]:
    """Each format of source data, written by the package, gives the values that the CSV files give."""
    from cartrial.errors import InputError
    from cartrial.sdtm import read_sdtm, write_sdtm

    source = read_sdtm(folder / "truth" / "strategies" / "data")
    for kind in ("csv", "parquet", "xpt", "dataset-json", "ndjson"):
        group, what = "formats written and read back", f"SDTM as {kind}: tables and cells"
        try:
            place = folder / f"as-{kind}"
            write_sdtm(source, place, kind)
            back = read_sdtm(place)
        except InputError as error:
            yield not_run(PART, group, what, str(error))
            continue
        yield said(PART, group, what, _cells(source.domains), _cells(back.domains), "the tables that were written")


def _cells(tables: object) -> str:
    held: dict[str, pl.DataFrame] = tables  # type: ignore[assignment]
    return ", ".join(f"{name} {held[name].height} x {held[name].width}" for name in sorted(held))


def _refusals(folder: Path) -> Iterator[Check]:
    """Each kind of bad input ends with exit code 2, in words, with nothing written."""
    truth = folder / "truth" / "strategies"
    text = (truth / "study.yaml").read_text(encoding="utf-8")
    spoilt = folder / "spoilt"
    spoilt.mkdir()
    cases = {
        "a key that nobody knows": text.replace("readers:", "raeders:", 1),
        "a strategy that is left out": text.replace("hsct: composite", "", 1),
        "no YAML": "study: [",
    }
    for number, (what, wrong) in enumerate(cases.items()):
        (spoilt / f"{number}.yaml").write_text(wrong, encoding="utf-8")
        yield from _refused(folder, what, "report", f"spoilt/{number}.yaml", "--data", "truth/strategies/data", "--out", f"spoilt-{number}")
    data = spoilt / "data"
    shutil.copytree(truth / "data", data)
    rs = next(iter(sorted(data.glob("rs*"))))
    lines = rs.read_text(encoding="utf-8").splitlines()
    rs.write_text("\n".join([lines[0].replace("RSSTRESC", "RESULT"), *lines[1:]]), encoding="utf-8")
    yield from _refused(
        folder, "a table without a variable that it needs", "report", "truth/strategies", "--data", "spoilt/data", "--out", "spoilt-d"
    )
    yield from _refused(folder, "a folder that is not there", "report", "truth/strategies", "--data", "nowhere", "--out", "spoilt-e")


def _refused(folder: Path, what: str, *words: str) -> Iterator[Check]:
    code, output = _typed(folder, *words)
    yield said(PART, BAD, f"{what}: exit code", 2, code, "the documentation of exit codes")
    yield said(PART, BAD, f"{what}: in words, without a traceback", False, "Traceback" in output, "the documentation of exit codes")
    yield said(PART, BAD, f"{what}: nothing written", False, (folder / words[-1]).exists(), "the documentation of exit codes")


def _truth(folder: Path, name: str) -> Iterator[Check]:
    """Each expected value of a study that was worked out by hand, beside what the command line derives."""
    out = folder / f"derived-{name}"
    code, output = _typed(folder, "derive", f"truth/{name}", "--data", f"truth/{name}/data", "--out", out.name)
    if code != 0:
        yield said(PART, TRUTH, f"{name}: cartrial derive", 0, f"{code}: {output.strip()[-300:]}", "by hand")
        return
    expected = pl.read_csv(folder / "truth" / name / "expected.csv", infer_schema=False).fill_null("")
    found = _derived(out / "adam")
    keys = ["USUBJID", "PARAMCD", "VARIANT"]
    joined = expected.join(found, on=keys, how="left", suffix="_FOUND", maintain_order="left")
    for row in joined.iter_rows(named=True):
        what = f"{name}: {row['USUBJID']}, {row['PARAMCD']}, {row['VARIANT'] or 'main analysis'}"
        if row["AVALC"] == "ABSENT":
            yield said(PART, TRUTH, what, "no row", "no row" if row["AVAL_FOUND"] is None else "a row", "by hand, from the rules")
            continue
        told = [key for key in ("AVAL", "AVALC", "CNSR", "DESC") if key != "DESC" or row["DESC"]]
        right = "; ".join(f"{key} {row[key] or 'blank'}" for key in told)
        got = "; ".join(f"{key} {row[f'{key}_FOUND'] or 'blank'}" for key in told)
        yield said(PART, TRUTH, what, right, got, "by hand, from the rules")
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
