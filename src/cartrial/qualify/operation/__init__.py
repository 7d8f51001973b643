"""Do the commands do what they say: on shipped examples, on every format, on input that is spoilt, on the truth tables?"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cartrial.qualify.checks import Check, unbroken
from cartrial.qualify.operation.commands import LINES, check_lines, command_of, write_inputs
from cartrial.qualify.operation.formats import check_formats
from cartrial.qualify.operation.refusals import check_refusals
from cartrial.qualify.operation.serving import check_serving
from cartrial.qualify.operation.truth import check_compiled, check_truth
from cartrial.qualify.operation.typed import PART
from cartrial.qualify.stored import unpack_truth

__all__ = ["LINES", "check_operation", "check_tables", "command_of"]

AT_ONCE = 2
"""Commands that run at one time."""


def check_operation(folder: Path, *, thorough: bool = False) -> Iterator[Check]:
    """Yield a check for each command, format and refusal; each command is typed as a user types it, in a process of its own.

    Parameters
    ----------
    folder : Path
        An empty folder to work in.
    thorough : bool
        Type the commands too that take minutes.
    """
    studies = unpack_truth(folder / "truth")
    write_inputs(folder / "inputs")
    jobs: list[partial[Iterator[Check]]] = [partial(check_lines, folder, row, thorough=thorough) for row in LINES]
    jobs += [partial(check_serving, folder), partial(check_formats, folder), partial(check_refusals, folder)]
    jobs += [partial(check_compiled, folder), *(partial(check_truth, folder, name) for name in studies)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for checks in pool.map(lambda job: list(unbroken(PART, job.func.__name__, job())), jobs):
            yield from checks


def check_tables(folder: Path) -> Iterator[Check]:
    """Yield the checks of the truth tables alone, one study after the other, and then by compiled kernels."""
    for name in unpack_truth(folder / "truth"):
        yield from check_truth(folder, name)
    yield from check_compiled(folder)
