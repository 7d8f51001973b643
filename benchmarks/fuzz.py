"""Do spoilt files end in one message? Mutated study files, mappings, CSV, XPT, Dataset-JSON, NDJSON, Parquet and workbooks, by a seed.

`make fuzz`, or `python benchmarks/fuzz.py [NUMBER [SEED [FROM]]]`. Each spoilt study goes through `cartrial check`, some through `derive`
and `report`. Wanted: exit code 0, 1 or 2, no traceback, one message where the input is refused, and nothing half written. What fails is
printed with its number, and kept below `fuzz-failures`.
"""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # tables of ten rows: threads cost more than they save

from cartrial.__main__ import main
from cartrial.sdtm import read_sdtm, write_sdtm

ROOT = Path(__file__).parents[1]
WORKED = ROOT / "examples" / "worked"
FORMS = {"csv": "csv", "xpt": "xpt", "dataset-json": "json", "ndjson": "ndjson", "parquet": "parquet"}
SUBJECTS = 2
# Values that have broken programs: numbers beyond every type, dates that are none, signs that a parser or a terminal obeys.
NASTY = (
    *(
        "",
        " ",
        "-",
        "0",
        "-0",
        "-1",
        "0.0",
        "1e308",
        "1e309",
        "-1e309",
        "1e-320",
        "99999999999",
        "9223372036854775808",
        "1" * 400,
        "NaN",
        "inf",
    ),
    *(
        "-inf",
        "0x10",
        "1_000",
        "1,5",
        "1.234,5",
        "١٢",
        "½",
        "<5",
        "<=5",
        ">1e6",
        "<",
        "< ",
        "≤0.01%",
        "5 %",
        "null",
        "None",
        "NULL",
        "true",
    ),
    *(
        "2022",
        "2022-02",
        "2022-02-30",
        "2022-13-01",
        "0000-00-00",
        "9999-12-31",
        "1850-01-01",
        "2022-04-01T25:00",
        "2022-04-01T-:15",
        "--04-01",
    ),
    *(
        "2022-04-01/2022-04-03",
        "2022---15",
        "-0001-01-01",
        "12/31/2022",
        "20220401",
        "S1",
        "'",
        '"',
        '""',
        "a,b",
        "a;b",
        "a\tb",
        "a\nb",
        "\r",
    ),
    *(
        "\x00",
        "\x1b[2J",
        "\u202e",
        "\u2028",
        "\ufeff",
        "\ufffd",
        "é",
        "\U0010ff92",
        "ﬁ",
        "İ",
        "x" * 3000,
        "=1+1",
        "#N/A",
        "{",
        "[",
        "]",
        "*a",
        "&a b",
    ),
    *(
        "!!python/object:os.system",
        "CR",
        "RELAPSE",
        "NOT DONE",
        "Y",
        "N",
        "POSITIVE",
        "DEATH",
        "BLAST",
        "10^9/L",
        "%",
        "INDEPENDENT ASSESSOR",
    ),
)
Spoil = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Base:
    """A study that is whole: its files by their place in the study's folder, and which of them is spoilt how."""

    files: dict[str, bytes]
    spoils: dict[str, tuple[Spoil, ...]]


def spoil_bytes(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat, put in or take out bytes."""
    if not data:
        return chance.randbytes(8)
    where = chance.randrange(len(data))
    size = chance.choice((1, 1, 2, 8, 80, 400))
    return chance.choice(
        (
            lambda: data[:where] + bytes([data[where] ^ (1 << chance.randrange(8))]) + data[where + 1 :],
            lambda: data[:where],
            lambda: data[:where] + data[where + size :],
            lambda: data[:where] + chance.randbytes(size) + data[where:],
            lambda: data[:where] + data[where : where + size] * chance.choice((2, 3, 50)) + data[where + size :],
            lambda: data[:where] + chance.choice((b"\x00", b"\xff", b"\x80", b'"', b"\n", b"\r", b",", b"9" * 30)) + data[where + 1 :],
            lambda: b"",
        )
    )()


def spoil_words(data: bytes, chance: random.Random) -> bytes:
    """Put another value in place of one or a few words of a text."""
    text = data.decode("utf-8", "surrogateescape")
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        words = list(re.finditer(r"[^\s,:\[\]{}\"]+", text))
        if not words:
            break
        word = chance.choice(words)
        other = chance.choice(NASTY) if chance.random() < 0.8 else chance.choice(words)[0]
        text = text[: word.start()] + other + text[word.end() :]
    return text.encode("utf-8", "surrogateescape")


def spoil_lines(data: bytes, chance: random.Random) -> bytes:
    """Take out, repeat, exchange or indent lines."""
    lines = data.split(b"\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    how = chance.randrange(5)
    if how == 0:
        del lines[a]
    elif how == 1:
        lines.insert(b, lines[a])
    elif how == 2:
        lines[a], lines[b] = lines[b], lines[a]
    elif how == 3:
        lines[a] = chance.choice((b" ", b"  ", b"\t", b"- ", b"#")) + lines[a]
    else:
        lines[a] = b",".join(chance.sample(cells, len(cells))) if (cells := lines[a].split(b",")) else b""
    return b"\n".join(lines)


def spoil_cells(data: bytes, chance: random.Random) -> bytes:
    """Put a value, a format, a merged area into a workbook."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import IllegalCharacterError

    book = load_workbook(io.BytesIO(data))
    page = book.worksheets[0]
    for _ in range(chance.choice((1, 1, 3))):
        cell = page.cell(chance.randint(1, page.max_row + 1), chance.randint(1, page.max_column + 1))
        how = chance.randrange(5)
        try:
            if how == 0:
                cell.number_format = chance.choice(("0%", "0.00%", "yyyy-mm-dd", "@", '0"%"', "[h]:mm"))
            elif how == 1:
                page.merge_cells(
                    start_row=cell.row, start_column=cell.column, end_row=cell.row + chance.randrange(3), end_column=cell.column + 1
                )
            elif how == 2:
                cell.value = chance.choice((True, -1, 0, 1e300, 2**60, 0.1, float(chance.randrange(50000))))
            else:
                cell.value = chance.choice(NASTY)
        except (ValueError, AttributeError, IllegalCharacterError):  # refused by the library, or part of a merged one
            continue
    out = io.BytesIO()
    try:
        book.save(out)
    except (TypeError, ValueError, AttributeError):  # the library cannot write what it took
        return spoil_bytes(data, chance)
    return out.getvalue()


def spoil_parts(data: bytes, chance: random.Random) -> bytes:
    """Spoil one part inside a workbook, which stays a whole archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = chance.choice([name for name in old.namelist() if name.endswith((".xml", ".rels"))])
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, chance.choice((spoil_bytes, spoil_words))(part, chance) if name == chosen else part)
    return out.getvalue()


TEXT = (spoil_words, spoil_words, spoil_words, spoil_lines, spoil_bytes)
# few endpoints: most of the time of a check goes into deriving them
STUDY = """\
schema: 1
study: {id: WORKED, title: Spoilt, cutoff: 2022-09-27}
product: {name: inaticabtagene autoleucel, type: autologous, exposure: [INATICABTAGENE AUTOLEUCEL], lymphodepletion: [FLUDARABINE]}
disease:
  criteria: nccn
  mrd: {negative-below: 1.0e-4}
  visits: [{name: day 28, day: 28, minus: 7, plus: 7}, {name: month 3, day: 90, minus: 14, plus: 14}]
readers: {primary: IRC}
baseline:
  - {id: AGE, label: Age, from: {domain: DM, variable: AGE}, cut: [40], levels: [young, old]}
endpoints:
  - id: ORR3
    label: Response at month 3
    type: response-rate
    window: {at: month 3}
    population: infused
    strategies: {hsct: composite, new-therapy: composite}
  - id: EFS
    label: Event-free survival
    type: time-to-event
    origin: day-0
    population: infused
    events: [non-response, relapse, death]
    strategies: {hsct: treatment-policy, new-therapy: hypothetical}
"""
MAPPING = """\
schema: 1
study-id: WORKED
source: invented
decimal: comma
tables:
  patients: {file: t.xlsx, sheet: Patients, subject: {header: ID}}
  visits: {file: visits.csv, subject: Who, long: true}
rules:
  - {id: age, domain: DM, column: Age, into: AGE}
  - {id: infusion, domain: EX, date: Infused, set: {EXTRT: INATICABTAGENE AUTOLEUCEL}}
  - {id: blasts, domain: LB, column: Blasts, test: BLAST, specimen: BONE MARROW, unit: "%", day: 28}
  - {id: call, table: visits, domain: RS, column: Call, test: OVRLRESP, set: {RSEVAL: INVESTIGATOR}, date: When, date-format: "%d.%m.%Y"}
  - {id: mrd, table: visits, domain: LB, column: {header: MRD}, test: MRD, specimen: BONE MARROW, lod: 0.0001, day: 28}
"""
VISITS = "Who;When;Call;MRD\na;29.01.2022;CR;<0,01%\na;01.04.2022;CR;0,5 %\nb;03.2022;NR;\n"


def bases(folder: Path) -> list[Base]:
    """Return the whole studies: one of each form of SDTM, and one of a spreadsheet."""
    from openpyxl import Workbook

    study = STUDY.encode()
    small = folder / "small"
    small.mkdir()
    wanted = tuple(f",WORKED-{number:02d}" for number in range(1, SUBJECTS + 1))
    for path in sorted((WORKED / "data").glob("*.csv")):
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        (small / path.name).write_text("\n".join([head, *(row for row in rows if any(name in row for name in wanted))]) + "\n")
    found = []
    for form in FORMS:
        paths = write_sdtm(read_sdtm(small), folder / form, form)
        spoils = (spoil_bytes,) if form in ("xpt", "parquet") else TEXT
        files = {f"data/{path.name}": path.read_bytes() for path in paths}
        found.append(Base({"study.yaml": study, **files}, dict.fromkeys(files, spoils)))
    whole = found[0].files | {"study.yaml": (WORKED / "study.yaml").read_bytes()}
    found.append(Base(whole, {"study.yaml": TEXT}))
    book = Workbook()
    book.active.title = "Patients"
    for row in (["ID", "Age", "Infused", "Blasts"], ["a", 40, "2022-01-01", 2], ["b", 50, "2022-01-01", 0.6]):
        book.active.append(row)
    book.active["D3"].number_format = "0%"
    out = io.BytesIO()
    book.save(out)
    files = {"study.yaml": study, "mapping.yaml": MAPPING.encode(), "data/t.xlsx": out.getvalue(), "data/visits.csv": VISITS.encode()}
    found.append(Base(files, {"data/t.xlsx": (spoil_cells, spoil_parts, spoil_bytes), "data/visits.csv": TEXT, "mapping.yaml": TEXT}))
    return found


def run(*arguments: object) -> tuple[int, str]:
    """Run the command line in this process: exit code, and what it printed."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["cartrial", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.argv = before
    return code, out.getvalue() + err.getvalue()


def wrong(code: int, said: str, left: list[str], seconds: float) -> str | None:
    """Return what is not as it should be; None where all is."""
    if code not in (0, 1, 2):
        return f"exit code {code}: {said.strip().splitlines()[-1][:300]}"
    if "Traceback" in said or "\x1b" in said or "\x00" in said:
        return f"a traceback or a code of the terminal: {said[-300:]!r}"
    if code == 2 and len(said) > 20_000:
        return f"a message of {len(said)} letters"
    if left:
        return f"half written: {left}"
    return f"{seconds:.0f} s" if seconds > 30 else None


def fuzz(number: int, seed: int, *, start: int = 0) -> Iterator[tuple[int, str, int, str | None]]:
    """Return the number, the file, the exit code and the fault of each spoilt study."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "bases").mkdir()
        studies = bases(Path(place) / "bases")
        for i in range(start, number):
            chance = random.Random(seed * 1_000_003 + i)
            base = studies[i % len(studies)]
            name = chance.choice(list(base.spoils))
            spoilt = chance.choice(base.spoils[name])(base.files[name], chance)
            folder, out = Path(place) / "study", Path(place) / "out"
            for path, content in {**base.files, name: spoilt}.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
            command = chance.choice(("check",) * 17 + ("derive", "derive", "report"))
            started = time.process_time()  # a busy machine is no fault
            code, said = run(command, folder, "--data", folder / "data", *(("--out", out) if command != "check" else ()))
            left = [str(path.relative_to(place)) for path in Path(place).iterdir() if path.name not in ("bases", "study", "out")]
            left += ["out"] if code and out.exists() else []
            fault = wrong(code, said, left, time.process_time() - started)
            if fault:
                kept = Path("fuzz-failures") / f"{seed}-{i}"
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(folder, kept)
            shutil.rmtree(folder)
            shutil.rmtree(out, ignore_errors=True)
            yield i, name, code, fault


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    started, codes, faults = time.perf_counter(), Counter[int](), 0
    for i, name, code, fault in fuzz(number, seed, start=start):
        codes[code] += 1
        if sum(codes.values()) % 500 == 0:
            print(f"{sum(codes.values())} after {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
        if fault:
            faults += 1
            print(f"{seed}-{i} {name}: {fault}", flush=True)
    shown = ", ".join(f"{count} with exit code {code}" for code, count in sorted(codes.items()))
    print(f"{number - start} spoilt studies in {time.perf_counter() - started:.0f} s: {shown}; {faults} faults.")
