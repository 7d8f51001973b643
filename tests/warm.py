"""Compile the kernels once before the tests start, so that workers beside each other do not each compile them.

The solver of virtual patients and the rules are compiled in two processes at once; nothing happens where the cache has them.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec

from helpers import ROOT, WORKED

ENGINE = """
from cartrial.run import simulate_data
simulate_data("inaticel", n=4, seed=1)
"""
RULES = """
import sys
sys.path.insert(0, {benchmarks!r})
import polars as pl
from tiling import tile_records
from cartrial import kernels
from cartrial.analysis import estimate_survival
from cartrial.endpoints import derive
from cartrial.sdtm import read_sdtm
from cartrial.sdtm.records import derive_records
from cartrial.study import Study
kernels.COMPILE_FROM = 1
study = Study.load({worked!r})
derive(study, tile_records(derive_records(study, read_sdtm({data!r})), 2))
estimate_survival(pl.DataFrame({{"TRIAL": [1, 1], "AVAL": [2, 3], "CNSR": [0, 0]}})).summary()
"""


def main() -> None:
    """Compile both, and leave a mark in the cache."""
    from cartrial.kernels import cache_folder

    if find_spec("numba") is None:
        return
    # what is compiled depends on the sources, which name the folder, and on who compiles
    mark = cache_folder() / f"warm-{sys.implementation.cache_tag}-{metadata.version('numba')}"
    if mark.is_file():
        return
    rules = RULES.format(benchmarks=str(ROOT / "benchmarks"), worked=str(WORKED), data=str(WORKED / "data"))
    running = [subprocess.Popen([sys.executable, "-c", script]) for script in (ENGINE, rules)]
    if any([process.wait() for process in running]):
        sys.exit("the kernels could not be compiled: see above")
    with suppress(OSError):  # without a cache the tests compile for themselves
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


if __name__ == "__main__":
    main()
