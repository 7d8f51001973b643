"""What the tests share: a small study file, and studies to load."""

from __future__ import annotations

import csv
import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from cartrial.__main__ import CRASHED, main
from cartrial.study import Study, builtin_studies

ROOT = Path(__file__).parents[1]
ORACLE = ROOT / "tests" / "oracle"
FIXTURES = ROOT / "tests" / "fixtures"
WORKED = ROOT / "examples" / "worked"
# files of others that are not in this repository: tests/README.md says where each is published
DATA = Path(os.environ["CARTRIAL_TEST_DATA"]) if os.environ.get("CARTRIAL_TEST_DATA") else None
STUDIES = {**builtin_studies(), **{path.parent.name: path for path in sorted((ROOT / "examples").glob("*/study.yaml"))}}

BASE = """\
# a study with one of each
schema: 1
study:
  id: base
  title: A study
  cutoff: 2022-09-27
product:
  name: inaticabtagene autoleucel
  type: autologous
  exposure: [INATICABTAGENE AUTOLEUCEL]
disease:
  criteria: nccn
  visits:
    - {name: day 28, day: 28, minus: 7, plus: 7}
    - {name: month 3, day: 90, minus: 14, plus: 14}
readers: {primary: IRC}
testing: {order: [ORR3], alpha: {value: 0.025, sides: 1}}
baseline:
  - {id: AGE, label: Age, from: {domain: DM, variable: AGE}, cut: [40], levels: [young, old]}
subgroups: [AGE]
endpoints:
  - id: ORR3
    label: Response at month 3
    type: response-rate
    window: {at: month 3}
    population: infused
    strategies: {hsct: composite, new-therapy: composite}
    sensitivity:
      - {hsct: treatment-policy}
      - {reader: INV}
  - id: DOR
    label: Duration of response
    type: time-to-event
    origin: first-response
    population: responders
    events: [relapse, death]
    strategies: {hsct: hypothetical, new-therapy: hypothetical}
    sensitivity:
      - {hsct: treatment-policy}
      - {analysis: {competing: [death]}}
"""


def data_path(name: str) -> Path:
    """Return a file or folder of others by its path below the folder that CARTRIAL_TEST_DATA names, whether it is there or not."""
    return (DATA or Path("CARTRIAL_TEST_DATA")) / name


def skip_words(name: str) -> str:
    """Return why a test is left out whose data are not at hand."""
    return f"{name} is not below the folder that CARTRIAL_TEST_DATA names (tests/README.md: where it is published)"


def needs_data(name: str) -> pytest.MarkDecorator:
    """Mark a test that reads a file or folder of others."""
    return pytest.mark.skipif(not data_path(name).exists(), reason=skip_words(name))


def load_study(folder: Path, text: str) -> Study:
    """Write a study file into a folder and load it."""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return Study.load(path)


def worked_folder(folder: Path, last: int = 16) -> Path:
    """Copy the worked study with its first subjects alone: `study.yaml` and `data/`, small enough to spoil and report in a moment."""
    data = folder / "data"
    data.mkdir(parents=True)
    (folder / "study.yaml").write_text((WORKED / "study.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    wanted = {f"WORKED-{i:02d}" for i in range(1, last + 1)}
    for path in sorted((WORKED / "data").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        at = header.index("USUBJID")
        with (data / path.name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *(row for row in rows if row[at] in wanted)])
    return folder


def run_cli(*arguments: str | Path) -> tuple[int, str, str]:
    """Run the command line as `cartrial` does, in this process: exit code, standard output, standard error.

    An error of cartrial itself (exit code 70) fails the test.
    """
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv
    sys.argv = ["cartrial", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        sys.argv = before
    assert code != CRASHED, f"exit code {code}: {err.getvalue()}"
    return code, out.getvalue(), err.getvalue()
