"""Does every command do what it says, on a shipped example?"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from cartrial.qualify.checks import Check, not_run, said
from cartrial.qualify.installation import lacking_for
from cartrial.qualify.operation.typed import PART, type_command

__all__ = ["LINES", "Line", "check_lines", "command_of", "write_inputs"]

GROUP = "commands on a shipped study"
ORIGIN = "the command's documentation"


class Line(NamedTuple):
    """One line that is typed.

    Parameters
    ----------
    typed : str
        Without `cartrial`; blanks part words.
    files : tuple of str
        What must stand there then.
    code : int
        The exit code that the documentation states.
    needs : tuple of str
        Extras without which it cannot run: it is then not checked, and said so.
    says : str
        What stands in its output.
    minutes : bool
        It takes minutes: typed where a thorough qualification is asked for, and else named as not checked.
    """

    typed: str
    files: tuple[str, ...] = ()
    code: int = 0
    needs: tuple[str, ...] = ()
    says: str = ""
    minutes: bool = False


_STUDY = "truth/strategies --data truth/strategies/data"
_GATE = "--assume window=best --assume reader=INV --assume hsct=composite --assume new-therapy=composite --assume criteria=nccn"
_MATCH = _GATE.replace("window=best", "window=within~month~3").replace("reader=INV", "reader=IRC")
_SPACE = "~"
"""Stands for a blank inside a word."""
_REVIEW = ("review",)
_VIRTUAL = ("virtual",)

LINES: tuple[tuple[Line, ...], ...] = (
    (
        Line("simulate inaticel -n 30 --seed 3 --out virtual", ("virtual/dm.csv", "virtual/ex.csv"), needs=_VIRTUAL),
        Line(
            f"evidence match inaticel --data virtual --endpoint CRW3 --against inputs/against.yaml {_MATCH}",
            needs=_VIRTUAL,
            says="patients",
        ),
        Line("evidence external inaticel --data virtual --endpoint OS --control inputs/control.yaml", needs=_VIRTUAL, says="azard"),
        Line("trials inaticel --trials 2 -n 6 --workers 1 --out many", ("many/manifest.json",), needs=_VIRTUAL),
        Line("supply -n 20 --out supply.html", ("supply.html",), needs=_VIRTUAL),
        Line("predict inputs/figures.csv --trials 20 --workers 1", needs=_VIRTUAL, says="inside"),
        Line("kinetics inputs/cells.yaml --virtual -n 12 --out cells", ("cells/kinetics.html",), needs=_VIRTUAL),
        Line("calibrate --members 2 --no-left-out --out calibrated", needs=_VIRTUAL, minutes=True),
    ),
    (
        Line("--version", says="cartrial "),
        Line("studies", says="inaticel"),
        Line("schema --to study.schema.json", ("study.schema.json",)),
        Line("new fresh --from inaticel", ("fresh/study.yaml", "fresh/templates")),
        Line("start inputs/patients.csv --out started --yes", ("started/study.yaml", "started/mapping.yaml")),
        Line("shells inaticel --out shells.html", ("shells.html",)),
        Line("qualify --only installation --out again", ("again/qualify.html", "again/qualify.json")),
        Line("models --out models.html", ("models.html",)),
        Line("dose boin --target 0.3", says="DU"),
        Line("design inputs/design.yaml --to design.html --no-simulation", ("design.html", "design.json")),
    ),
    (
        Line(f"check {_STUDY}"),
        Line(f"derive {_STUDY} --out derived", ("derived/adam/ADSL.parquet", "derived/adam/ADTTE.parquet")),
        Line(f"explain {_STUDY} --subject STRA-01", says="STRA-01"),
        Line(f"report {_STUDY} --out report", ("report/report.html", "report/results.json", "report/results.parquet")),
        Line("compare report report --to compared.html", ("compared.html",)),
        Line(f"export {_STUDY} --out left --only ard", ("left/exchange/ard.csv",)),
        Line(f"export {_STUDY} --out whole", ("whole/m5",), needs=("submission", "formats")),
        Line("conform whole", needs=("submission", "formats")),
    ),
    (
        Line("evidence list", says="inaticel"),
        Line("evidence show inati-48-orr3", says="inati-48-orr3"),
        Line("evidence check", code=1, says="impossible"),
        Line("evidence compare mskcc-cr hyldh-cr", code=2, says="not-stated"),
        Line(f"evidence pool mskcc-cr cibmtr20-cr germany-cr {_GATE}", says="rate of the median trial"),
        Line(f"evidence prior mskcc-cr --n 48 --null 0.65 {_GATE}", says="uniform"),
        Line("evidence import inputs/record.json --out posted", ("posted/trials", "posted/sources.yaml")),
        Line("evidence curve inputs/points.csv -n 10 --events 4 --unit months --out arm", ("arm/ipd.csv",)),
        Line("evidence context inaticel --out context.html", ("context.html",)),
    ),
    (
        Line("review role reader_of_trail", says="GRANT", needs=_REVIEW),
        Line("review load inaticel --data truth/strategies/data --db review.db", ("review.db",), needs=_REVIEW),
        Line("review prepare --db review.db", needs=_REVIEW),
        Line("review users add co --name Coordinator --role coordinator --db review.db", needs=_REVIEW),
        Line("review users reset co --db review.db", needs=_REVIEW),
        Line("review users disable co --reason gone --db review.db", needs=_REVIEW),
        Line("review users list --db review.db", needs=_REVIEW),
        Line("review seal --db review.db --to seals.txt", ("seals.txt",), needs=_REVIEW),
        Line("review verify --db review.db --seals seals.txt", needs=_REVIEW),
        Line("review backup --db review.db --to kept.db", ("kept.db",), needs=_REVIEW),
        Line("review restore --from kept.db --db again.db", ("again.db",), needs=_REVIEW),
        Line("review export inaticel --db review.db --out locked", code=2, needs=_REVIEW),
    ),
)
"""What is typed: rows are independent of each other, the lines of a row build on those before. The first row takes longest."""


def command_of(line: str) -> str:
    """Return which command a line types: `review users add`, `derive`.

    Examples
    --------
    >>> from cartrial.qualify.operation.commands import command_of
    >>> command_of("review users add co --db review.db"), command_of("derive inaticel --out x"), command_of("--version")
    ('review users add', 'derive', '')
    """
    words = line.split()
    depth = {"review": 3 if words[1:2] == ["users"] else 2, "evidence": 2}.get(words[0], 1)
    return " ".join(word for word in words[:depth] if not word.startswith("-"))


def check_lines(folder: Path, lines: tuple[Line, ...], *, thorough: bool = True) -> Iterator[Check]:
    """Yield for each line: its exit code, the files that it must write, and the words that must stand in its output."""
    for line in lines:
        what = f"cartrial {line.typed}"
        absent = lacking_for(line.needs) or ("" if thorough or not line.minutes else "it takes minutes: asked for with --thorough")
        if absent:
            yield not_run(PART, GROUP, what, absent)
            continue
        code, output = type_command(folder, *(word.replace(_SPACE, " ") for word in line.typed.split()))
        last = output.strip().splitlines()[-1:] or [""]
        found = str(code) if code == line.code else f"{code}: {last[0]}"
        yield said(PART, GROUP, f"{what}: exit code", str(line.code), found, ORIGIN)
        if line.says:
            yield said(PART, GROUP, f"{what}: says '{line.says}'", True, line.says in output, ORIGIN)
        for file in line.files:
            place = folder / file
            there = place.is_dir() or (place.is_file() and place.stat().st_size > 0)
            yield said(PART, GROUP, f"{what}: {file}", "written", "written" if there else "absent", ORIGIN)


def write_inputs(folder: Path) -> None:
    """Write the small inputs that lines read: a spreadsheet, a curve, a record, published figures, a design, controls."""
    folder.mkdir()
    for source in (resources.files("cartrial.qualify") / "data" / "inputs").iterdir():
        (folder / source.name).write_bytes(source.read_bytes())
    study = (resources.files("cartrial.study") / "builtin" / "inaticel.yaml").read_text(encoding="utf-8")
    asked = "kinetics: {tests: [CARTG], limit: {CARTG: 50, source: assumption}, model: {curve: rate, starts: 1, source: assumption}}"
    lines = [asked if line.startswith("kinetics:") else line for line in study.splitlines()]
    (folder / "cells.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
