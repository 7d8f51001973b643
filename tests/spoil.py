"""How are the inputs of a study spoilt? Functions that change one thing in a study folder (`study.yaml` and `data/`)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from cartrial.sdtm import read_sdtm, write_sdtm

Spoil = Callable[[Path], None]


def data(file: str, old: str, new: str) -> Spoil:
    """Replace the first `old` of a data file."""

    def spoil(folder: Path) -> None:
        path = folder / "data" / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def study(old: str, new: str) -> Spoil:
    """Replace the first `old` of the study file."""

    def spoil(folder: Path) -> None:
        path = folder / "study.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def put(file: str, content: bytes) -> Spoil:
    """Put a file into the study folder."""

    def spoil(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return spoil


def add(file: str, *rows: str) -> Spoil:
    def spoil(folder: Path) -> None:
        with (folder / "data" / file).open("a", encoding="utf-8") as stream:
            stream.writelines(f"{row}\n" for row in rows)

    return spoil


def without(file: str) -> Spoil:
    return lambda folder: (folder / file).unlink()


def head(file: str, lines: int = 1) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "data" / file
        path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:lines]), encoding="utf-8")

    return spoil


def encoded(file: str, old: str, new: str, encoding: str) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "data" / file
        path.write_bytes(path.read_text(encoding="utf-8").replace(old, new, 1).encode(encoding))

    return spoil


def as_form(form: str, file: str, cut: int | None = None, content: bytes | None = None) -> Spoil:
    """Write the data in another form, then cut a file off or replace its bytes."""

    def spoil(folder: Path) -> None:
        source = read_sdtm(folder / "data")
        shutil.rmtree(folder / "data")
        write_sdtm(source, folder / "data", form)
        path = folder / "data" / file
        path.write_bytes(path.read_bytes()[:cut] if content is None else content)

    return spoil


def emptied(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    (folder / "data").mkdir()


def no_treatment_is_the_product(folder: Path) -> None:
    path = folder / "data" / "ex.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "INATICABTAGENE" not in line), encoding="utf-8")


def mapped(sheet: str, column: str) -> Spoil:
    """Make the study one whose spreadsheet a mapping describes."""

    def spoil(folder: Path) -> None:
        from openpyxl import Workbook

        emptied(folder)
        book = Workbook()
        book.active.title = "Patients"
        for row in (["ID", "Response", "Day"], ["1", "CR", 28], ["2", "NR", 28]):
            book.active.append(row)
        book.save(folder / "data" / "patients.xlsx")
        (folder / "mapping.yaml").write_text(
            "schema: 1\nstudy-id: WORKED\nlevel: records\nsource: invented\n"
            f"table: {{file: patients.xlsx, sheet: {sheet}, header: 1}}\nsubject: {{header: ID}}\nrules:\n"
            "  - {id: infusion, domain: EX, set: {EXTRT: INATICABTAGENE AUTOLEUCEL}, day: 0}\n"
            f"  - {{id: response, domain: RS, column: {{header: {column}}}, test: OVRLRESP, set: {{RSEVAL: INVESTIGATOR}},\n"
            "     day: {column: {header: Day}}}\n",
            encoding="utf-8",
        )

    return spoil


def write(file: str, text: str) -> Spoil:
    return put(file, text.encode("utf-8"))


def both(*spoils: Spoil) -> Spoil:
    def spoil(folder: Path) -> None:
        for one in spoils:
            one(folder)

    return spoil


def no_data(folder: Path) -> None:
    shutil.rmtree(folder / "data")


def no_date_of_death(folder: Path) -> None:
    for path in (folder / "data").glob("*.csv"):
        path.write_text(path.read_text(encoding="utf-8").replace("2022-05-21", ""), encoding="utf-8")
