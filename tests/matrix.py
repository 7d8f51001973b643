"""The wheel in empty environments: each extra alone and all together, on each Python that is named; its own command is run.

python tests/matrix.py DIST [--python python3.11 ...] [--extra formats ...] [--keep FOLDER] [--to TABLE.md]

DIST has the wheel and the source archive, as `python -m build` leaves them. An environment has nothing but what the extra asks for,
under the pins of constraints.txt; without --keep what was downloaded is thrown away at the end. Every room is imported, then what the
extra is for is typed as a user types it. `make matrix` runs all of it; `make wheel` tries `virtual` alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = sorted(path.stem for path in (ROOT / "docs" / "reference").glob("*.md"))
STUDY = ("{root}/tests/truth/strategies", "--data", "{root}/tests/truth/strategies/data")
FIGURES = "{root}/tests/evidence/figures"

WORKBOOK = """
import openpyxl
book = openpyxl.Workbook()
for row in ("Patient;Infusion;Response day 28;Date day 28", "01;2022-01-03;CR;2022-01-31", "02;2022-01-10;NR;2022-02-07"):
    book.active.append(row.split(";"))
book.save("ours.xlsx")
"""
XPT = """
from cartrial import read_sdtm, write_sdtm
write_sdtm(read_sdtm("{root}/tests/truth/strategies/data"), "xpt", "xpt")
"""
DRAWS = """
import numpy as np
from cartrial.kinetics import PopulationModel, fit_population, read_set
from cartrial.kinetics.nuts import draw_posterior
from cartrial.kinetics.posterior import Sampler
days, rng = np.array([2.0, 5.0, 10.0, 20.0, 60.0]), np.random.default_rng(1)
curve = np.log(1000.0) - np.abs(days - 10.0) / 5.0
values = np.concatenate([curve + rng.normal(0.0, 0.5) + rng.normal(0.0, 0.2, 5) for _ in range(8)])
samples = read_set(np.repeat(list("ABCDEFGH"), 5).tolist(), np.tile(days, 8).tolist(), values.tolist(), [0] * 40)
found = draw_posterior(fit_population(PopulationModel("rate", varying=("cmax",), classes=False), samples), sampler=Sampler(10, 10, 1))
print(found.words)
"""
SERVED = """
import subprocess, sys, time, urllib.request
study = "{root}/tests/truth/strategies"
line = [sys.executable, "-m", "cartrial", "review", "serve", study, "--data", study + "/data", "--db", "review.db", "--replace-committee"]
served = subprocess.Popen([*line, "--port", "8963"])
shown = b""
while b"Sign in" not in shown and served.poll() is None:
    time.sleep(1)
    try:
        shown = urllib.request.urlopen("http://127.0.0.1:8963/").read()
    except OSError:
        pass
served.terminate()
assert b"Sign in" in shown
"""

COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "": (("check", *STUDY), ("report", *STUDY, "--out", "report"), ("shells", "inaticel", "--out", "shells.html"), ("evidence", "list")),
    "formats": (
        ("python", XPT),
        ("derive", STUDY[0], "--data", "xpt", "--out", "derived"),
        ("python", WORKBOOK),
        ("start", "ours.xlsx", "--yes"),
    ),
    "models": (("models", "--out", "models.html"),),
    "fast": (("simulate", "inaticel", "-n", "3", "--out", "virtual"),),
    "virtual": (("report", "inaticel", "--virtual", "-n", "10", "--out", "virtual"),),
    "figures": (("report", *STUDY, "--out", "pictures", "--figures", "svg,png,pdf"),),
    "dask": (("trials", "inaticel", "--trials", "4", "--batch", "2", "-n", "3", "--workers", "2", "--out", "trials"),),
    "curves": (
        ("evidence", "curve", f"{FIGURES}/r_plus.pdf"),
        ("evidence", "curve", f"{FIGURES}/r_lung.png", "--x-axis", "150=0,600=500", "--y-axis", "100=1,500=0"),
    ),
    "submission": (("export", *STUDY, "--out", "left"), ("conform", "left")),
    "review": (("python", SERVED), ("review", "users", "list", "--db", "review.db"), ("review", "verify", "--db", "review.db")),
    "review-postgres": (("review", "role", "reader"), ("refused", "review", "prepare", "--db", "postgresql://nobody@127.0.0.1:9/none")),
    "bayes": (("python", DRAWS),),
    "all": (("qualify", "--out", "dossier"),),
}
TOGETHER = "all,bayes"
"""Every extra at once; `all` leaves out the largest."""


def main() -> int:
    """Try what was asked for; the exit code says whether anything failed."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    asked.add_argument("dist", type=Path)
    asked.add_argument("--python", nargs="+", default=["python3.11", "python3.12", "python3.13"])
    asked.add_argument("--extra", nargs="+", default=["base", "sdist", *[name for name in COMMANDS if name], TOGETHER])
    asked.add_argument("--keep", type=Path, help="folder in which downloads are kept for another run")
    asked.add_argument("--to", type=Path, help="Markdown table to which lines are added")
    asked.add_argument("--fetch", action="store_true", help="only download what is needed, into --keep")
    given = asked.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        store = (given.keep or Path(scratch) / "downloads").resolve()
        for python in given.python:
            for extra in given.extra:
                with tempfile.TemporaryDirectory() as place:
                    line, fine = tried(given.dist.resolve(), python, extra, Path(place), store, fetch=given.fetch)
                failed += not fine
                print(line, flush=True)
                if given.to:
                    with given.to.open("a", encoding="utf-8") as file:
                        file.write(line + "\n")
    return min(failed, 1)


def tried(dist: Path, python: str, extra: str, place: Path, store: Path, *, fetch: bool = False) -> tuple[str, bool]:
    """Return what became of an extra on a Python as a line of a table, and whether it went well."""
    started = time.monotonic()
    try:
        own = environment(dist, python, extra, place, store, fetch=fetch)
        if fetch:
            return f"{python}, {extra}: downloaded", True
        size, packages = weight(own)
        run(own, place, "python", f"import importlib\nfor room in {ROOMS!r}: importlib.import_module(room)")
        names = ["base" if extra == "sdist" else name for name in extra.split(",")]
        chosen = [line for name in names for line in COMMANDS["" if name == "base" else name]]
        if extra == TOGETHER:
            chosen += [line for name, lines in COMMANDS.items() if name not in names for line in lines]
        for words in chosen:
            run(own, place, *words)
    except subprocess.CalledProcessError as error:
        said = (error.output or "").strip().splitlines()[-1:] or ["no output"]
        return f"| {python} | {extra} | | | failed: {' '.join(map(str, error.cmd))[-120:]!r}: {said[0]} | |", False
    heard = "; ".join(dict.fromkeys(f"`cartrial {' '.join(words[:2])}`" if words[0] != "python" else "Python" for words in chosen))
    heard = heard.replace(str(ROOT), "").replace("{root}/tests/truth/", "") if len(chosen) < 6 else f"{len(chosen)} commands"
    return f"| {python} | {extra} | {packages} | {size / 2**20:.0f} | {heard} | {time.monotonic() - started:.0f} s |", True


def environment(dist: Path, python: str, extra: str, place: Path, store: Path, *, fetch: bool) -> Path:
    """Return the interpreter of a new environment in which the wheel, or for `sdist` the source archive, is installed with the extra."""
    kind = "*.tar.gz" if extra == "sdist" else "*.whl"
    (archive,) = dist.glob(f"cartrial-{kind}")
    wanted = "cartrial" if extra in ("base", "sdist") else f"cartrial[{extra}]"
    pins = ["-c", str(ROOT / "constraints.txt")]
    quiet = ["-m", "pip", "--disable-pip-version-check"]
    called([python, "-m", "venv", "--without-pip", str(place / "env")])
    own = place / "env" / "bin" / "python"
    whole = [f"{wanted} @ {archive.as_uri()}", *(["hatchling"] if extra == "sdist" else [])]
    folder = store / Path(python).resolve().parent.parent.name
    # downloads of one Python serve all its environments
    called([sys.executable, *quiet, "--python", str(own), "download", "-q", "-d", str(folder), "--find-links", str(folder), *pins, *whole])
    for stale in folder.glob("cartrial-*"):
        stale.unlink()
    if fetch:
        return own
    alone = ["install", "-q", "--no-index", "--find-links", str(folder), *pins, whole[0]]
    called([sys.executable, *quiet, "--python", str(own), *alone])
    return own


def called(line: list[str]) -> str:
    """Run a program and return what it printed."""
    return subprocess.run(line, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def weight(own: Path) -> tuple[int, int]:
    """Return the bytes of the files that packages brought, without bytecode, and how many packages there are."""
    places = [own.parent.parent / "lib"]
    files = [path for place in places for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files), len([path for path in files if path.name == "METADATA"])


def run(own: Path, place: Path, *words: str) -> None:
    """Type a command in a new environment, outside the checkout; `python` runs lines, `refused` expects exit code 2."""
    held = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CARTRIAL"))}
    held |= {"CARTRIAL_CACHE": str(place / "cache"), "NO_COLOR": "1", "COLUMNS": "200"}
    filled = [word.replace("{root}", str(ROOT)) for word in words]
    line = [str(own), "-c", filled[1]] if words[0] == "python" else [str(own.parent / "cartrial"), *filled[words[0] == "refused" :]]
    done = subprocess.run(line, cwd=place, env=held, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != (2 if words[0] == "refused" else 0):
        raise subprocess.CalledProcessError(done.returncode, list(words), done.stdout)


if __name__ == "__main__":
    sys.exit(main())
