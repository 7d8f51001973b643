"""Is bad input refused: with exit code 2, in words, with nothing written?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from cartrial.qualify.checks import Check, said
from cartrial.qualify.operation.typed import PART, type_commands

__all__ = ["check_refusals"]

GROUP = "input that is spoilt is refused"
ORIGIN = "the documentation of exit codes"

STUDY_FILES = {
    "a key that nobody knows": ("readers:", "raeders:"),
    "a strategy that is left out": ("hsct: composite", ""),
    "a number that is a word": ("schema: 1", "schema: one"),
    "a date that is none": ("cutoff: 2022-09-27", "cutoff: 2022-13-27"),
}
"""What is replaced in a study file, and by what."""

TABLES: dict[str, tuple[str, Callable[[str], str]]] = {
    "a table without a variable that it needs": ("rs", lambda text: text.replace("RSSTRESC", "RESULT", 1)),
    "a subject who stands twice": ("dm", lambda text: text + text.splitlines()[1] + "\n"),
    "a table with a row that is too long": ("dm", lambda text: text.rstrip("\n") + ",one,two,three\n"),
}
"""Of which table what is spoilt."""


def check_refusals(folder: Path) -> Iterator[Check]:
    """Yield for each kind of bad input: the exit code, that no traceback is shown, and that nothing was written."""
    truth, spoilt = folder / "truth" / "strategies", folder / "spoilt"
    spoilt.mkdir()
    text = (truth / "study.yaml").read_text(encoding="utf-8")
    files = {what: text.replace(old, new, 1) for what, (old, new) in STUDY_FILES.items()} | {"no YAML": "study: ["}
    lines: list[tuple[str, tuple[str, ...]]] = []
    for number, (what, wrong) in enumerate(files.items()):
        (spoilt / f"{number}.yaml").write_text(wrong, encoding="utf-8")
        lines.append((what, ("report", f"spoilt/{number}.yaml", "--data", "truth/strategies/data", "--out", f"spoilt-{number}")))
    for number, (what, (table, spoil)) in enumerate(TABLES.items()):
        data = spoilt / f"data-{number}"
        shutil.copytree(truth / "data", data)
        path = data / f"{table}.csv"
        path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
        lines.append((what, ("report", "truth/strategies", "--data", f"spoilt/{data.name}", "--out", f"spoilt-data-{number}")))
    (spoilt / "numbers.csv").write_text("a,b,c\n1,2,3\n", encoding="utf-8")
    lines += [
        ("a folder that is not there", ("report", "truth/strategies", "--data", "nowhere", "--out", "spoilt-n")),
        ("a spreadsheet without patients", ("start", "spoilt/numbers.csv", "--yes", "--out", "spoilt-s")),
        ("a record that is none", ("evidence", "import", "spoilt/numbers.csv", "--out", "spoilt-r")),
        ("a part that is none", ("qualify", "--only", "looks", "--out", "spoilt-q")),
        ("an endpoint's design that is none", ("dose", "xyz", "--to", "spoilt-d.csv")),
    ]
    for (what, words), (code, output) in zip(lines, type_commands(folder, [words for _, words in lines]), strict=True):
        yield said(PART, GROUP, f"{what}: exit code", 2, code, ORIGIN)
        yield said(PART, GROUP, f"{what}: in words, without a traceback", False, "Traceback" in output or not output.strip(), ORIGIN)
        yield said(PART, GROUP, f"{what}: nothing written", False, (folder / words[-1]).exists(), ORIGIN)
