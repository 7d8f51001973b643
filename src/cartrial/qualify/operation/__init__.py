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
from cartrial.qualify.operation.truth import are_kept, check_compiled, check_truth
from cartrial.qualify.operation.typed import PART
from cartrial.qualify.stored import unpack_truth

__all__ = ["LINES", "check_operation", "check_tables", "command_of"]

AT_ONCE = 2
"""Jobs that run at one time."""
MANY = ("worked", "lab_nccn", "lymphoma")
"""Studies of the truth tables with the most subjects."""


def check_operation(folder: Path, *, thorough: bool = False) -> Iterator[Check]:
    """Yield a check for each command, format and refusal; each command is typed as a user types it, in a process of its own.

    The truth tables, and input that is spoilt, are typed one after the other in one process.

    Parameters
    ----------
    folder : Path
        An empty folder to work in.
    thorough : bool
        Type the commands too that take minutes, and compile kernels where none are kept.
    """
    studies = unpack_truth(folder / "truth")
    write_inputs(folder / "inputs")
    rows = [partial(check_lines, folder, row, thorough=thorough) for row in LINES]
    rest = (check_refusals, check_formats, check_serving)
    # what takes longest comes first; pages are served with what the commands of the first row compiled
    jobs = [
        rows[0],
        partial(check_compiled, folder, asked=thorough or are_kept()),
        partial(check_truth, folder, studies),
        *rows[1:],
        *(partial(one, folder) for one in rest),
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for checks in pool.map(lambda job: list(unbroken(PART, job.func.__name__, job())), jobs):
            yield from checks


def check_tables(folder: Path) -> Iterator[Check]:
    """Yield the checks of the truth tables alone, one study after the other, and then by compiled kernels.

    Studies of many subjects come first, so that who looks for one fault has it soon.
    """
    for name in sorted(unpack_truth(folder / "truth"), key=lambda name: name not in MANY):
        yield from check_truth(folder, (name,))
    yield from check_compiled(folder)
